/* SPDX-License-Identifier: GPL-3.0-or-later */
/* wal_record: one message as it lies in the write-ahead log.
 *
 *   offset 0  magic "FCW1"
 *          4  u32  length of everything after the CRC
 *          8  u32  CRC-32C of everything after it
 *         12  i64  receive time, ms
 *         20  i64  assigned time, ms
 *         28  u16  flags
 *         30  u16  length of the topic
 *         32       topic, payload
 *
 * Numbers are little endian. Pure; any thread. */
#ifndef FC_INGEST_WAL_RECORD_H
#define FC_INGEST_WAL_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WAL_MAGIC_SIZE 4
#define WAL_MAGIC_FIRST 'F'
#define WAL_HEADER 32
#define WAL_TOPIC_MAX 1024 /* longer topics are cut by who appends */
#define WAL_PAYLOAD_MAX (512u * 1024)
#define WAL_RECORD_MAX (WAL_HEADER + WAL_TOPIC_MAX + WAL_PAYLOAD_MAX)

#define WAL_QOS 0x3u    /* the two bits of the message's QoS */
#define WAL_DUP 0x4u    /* the broker said it may have come before */
#define WAL_RETAIN 0x8u /* the broker had kept it */
#define WAL_HTTP 0x10u  /* came by POST, not MQTT */
#define WAL_CUT                                                                          \
    0x20u /* the message was larger than MESSAGE_BYTES_MAX; this is its beginning */
#define WAL_ACCOUNT 0x40u /* the payload is an account (account.h), not the message */

struct wal_record {
    int64_t receive_ms, assigned_ms;
    unsigned flags;
    const char *topic; /* borrowed; NUL-terminated when read from the log */
    size_t topic_len;
    const void *payload; /* borrowed; not terminated */
    size_t len;
};

size_t wal_record_size(const struct wal_record *r);
/* Writes wal_record_size(r) bytes to out. */
void wal_record_write(const struct wal_record *r, unsigned char *out);

/* Could a record begin with these n bytes, as far as they go? */
bool wal_record_begins(const unsigned char *p, size_t n);

/* Looks at n bytes at p. Returns the record's size when one lies there whole and sound, 0
 * when more bytes are needed (*need says how many), -1 when there is none. r->topic is
 * not yet terminated. */
long wal_record_parse(const unsigned char *p, size_t n, struct wal_record *r,
                      size_t *need);

#endif
