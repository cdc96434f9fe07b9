# SPDX-License-Identifier: GPL-3.0-or-later
"""From the publication of a message to its first being read from InfluxDB: a probe sends numbers, and InfluxDB
is asked for the last all the time. Alone, and with other devices' messages beside it."""

import json
import threading
import time

from peers import QUICK, ingest_stack, publish, table

PROBES = 100 if QUICK else 2000
EVERY_S = 0.017  # not in step with the flush
OTHERS = 2000  # messages a second
LAST = 'SELECT last("probe") FROM "readings" WHERE "device" = \'probe\''


def send(st, sent, first):
    t0 = time.perf_counter()
    for i in range(first, first + PROBES):
        time.sleep(max(0, t0 + (i - first) * EVERY_S - time.perf_counter()))
        body = {"device": "probe", "boot": 1, "seq": i, "ts_ms": time.time_ns() // 1_000_000, "values": {"probe": i}}
        sent[i] = time.perf_counter()
        st.mqtt.publish("fieldcast/probe/readings", json.dumps(body), 1)


def probe(st, first):
    """ms of each probe, sorted."""
    sent, ms, read = {}, [], first - 1
    sender = threading.Thread(target=send, args=(st, sent, first))
    sender.start()
    until = time.monotonic() + PROBES * EVERY_S + 60
    while read < first + PROBES - 1:
        if time.monotonic() > until:
            raise SystemExit(f"probe {read + 1} did not come")
        rows = st.influx(LAST)
        now, last = time.perf_counter(), int(rows[0]["last"]) if rows else 0
        ms += [(now - sent[i]) * 1000 for i in range(read + 1, last + 1)]
        read = max(read, last)
        time.sleep(0.002)
    sender.join()
    return sorted(ms)


def row(name, ms):
    return (name, *(f"{ms[min(int(len(ms) * q), len(ms) - 1)]:.0f}" for q in (0.5, 0.99, 1)))


def figure():
    rows = [("", "p50 ms", "p99 ms", "max ms")]
    for flush_ms in (None, 20):
        name = f"FC_FLUSH_MS {flush_ms or '500 (as shipped)'}"
        with ingest_stack(FC_FLUSH_MS=flush_ms) as st:
            rows.append(row(f"{name}, alone", probe(st, 1)))
            others = publish(st, "fieldcast", 100, int(OTHERS * (PROBES * EVERY_S + 5)), wait=False, rate=OTHERS)
            rows.append(row(f"{name}, with {OTHERS} messages/s", probe(st, 1 + PROBES)))
            if others.wait():
                raise SystemExit("the publisher failed")
    table(f"From publication to being readable in InfluxDB, {PROBES} probes at QoS 1", rows)
