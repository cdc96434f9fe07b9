/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "services/ingest/wal_record.h"

#include <endian.h>
#include <string.h>

#include "services/ingest/crc32c.h"

#define AFTER_CRC 12

static const unsigned char magic[WAL_MAGIC_SIZE] = {'F', 'C', 'W', '1'};

static uint32_t get32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return le32toh(v);
}

static void put32(unsigned char *p, uint32_t v)
{
    v = htole32(v);
    memcpy(p, &v, 4);
}

static int64_t get64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return (int64_t)le64toh(v);
}

static void put64(unsigned char *p, int64_t x)
{
    uint64_t v = htole64((uint64_t)x);
    memcpy(p, &v, 8);
}

static unsigned get16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static void put16(unsigned char *p, unsigned v)
{
    p[0] = v & 255;
    p[1] = v >> 8 & 255;
}

size_t wal_record_size(const struct wal_record *r)
{
    return WAL_HEADER + r->topic_len + r->len;
}

void wal_record_write(const struct wal_record *r, unsigned char *out)
{
    size_t body = wal_record_size(r) - AFTER_CRC;
    memcpy(out, magic, sizeof magic);
    put32(out + 4, (uint32_t)body);
    put64(out + 12, r->receive_ms);
    put64(out + 20, r->assigned_ms);
    put16(out + 28, r->flags);
    put16(out + 30, (unsigned)r->topic_len);
    memcpy(out + WAL_HEADER, r->topic, r->topic_len);
    if (r->len)
        memcpy(out + WAL_HEADER + r->topic_len, r->payload, r->len);
    put32(out + 8, crc32c(0, out + AFTER_CRC, body));
}

bool wal_record_begins(const unsigned char *p, size_t n)
{
    return !memcmp(p, magic, n < sizeof magic ? n : sizeof magic);
}

long wal_record_parse(const unsigned char *p, size_t n, struct wal_record *r,
                      size_t *need)
{
    *need = WAL_HEADER;
    if (n < WAL_HEADER)
        return 0;
    size_t body = get32(p + 4), topic_len = get16(p + 30);
    if (memcmp(p, magic, sizeof magic) != 0 || body < WAL_HEADER - AFTER_CRC ||
        body > WAL_RECORD_MAX - AFTER_CRC || topic_len > WAL_TOPIC_MAX ||
        topic_len > body - (WAL_HEADER - AFTER_CRC))
        return -1;
    *need = AFTER_CRC + body;
    if (n < *need)
        return 0;
    if (crc32c(0, p + AFTER_CRC, body) != get32(p + 8))
        return -1;
    *r = (struct wal_record){
        .receive_ms = get64(p + 12),
        .assigned_ms = get64(p + 20),
        .flags = get16(p + 28),
        .topic = (const char *)p + WAL_HEADER,
        .topic_len = topic_len,
        .payload = p + WAL_HEADER + topic_len,
        .len = AFTER_CRC + body - WAL_HEADER - topic_len,
    };
    return (long)*need;
}
