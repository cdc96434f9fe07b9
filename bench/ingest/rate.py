# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages a second from MQTT to InfluxDB at QoS 1, their CPU and memory: ingest beside a bare subscriber, which
stores nothing, and beside Telegraf as its defaults are and as it was quickest here."""

from peers import DEVICES, N, ROUNDS, Bare, Ingest, Telegraf, cpu_us, ingest_stack, median, rate, table, telegraf_version

# The broker leaves at most 1,000 messages unacknowledged and Telegraf acknowledges what is written, so that larger
# writes than the ordinary 1,000 would wait for its flush; what helps is not to compress them for a neighbour.
TUNED = {"agent": 'metric_batch_size = 1000\n  metric_buffer_limit = 100000\n  flush_interval = "200ms"',
         "output": 'content_encoding = "identity"', "input": "max_undelivered_messages = 100000"}


def rounds(peers, values):
    runs = {p.name: [] for p in peers}
    for i in range(ROUNDS):
        for p in peers[i % len(peers):] + peers[:i % len(peers)]:
            runs[p.name].append(p.drain(values=values))
    return runs


def ratio(runs, a, b, of):
    return median([of(x) / of(y) for x, y in zip(runs[a], runs[b])])


def show(runs, values):
    rows = [("", "msg/s", "min", "max", "CPU us/msg", "broker", "InfluxDB", "PSS MB")]
    for name, rs in runs.items():
        rates = [rate(r) for r in rs]
        rows.append((name, *(f"{x:.0f}" for x in (median(rates), min(rates), max(rates))), f"{median(map(cpu_us, rs)):.1f}",
                     *(f"{median([x / r.n * 1e6 for r in rs for x in (getattr(r, of),)]):.1f}" for of in ("broker", "influx")),
                     f"{max(r.pss for r in rs):.1f}"))
    table(f"{N} messages of {values} values at QoS 1 from {DEVICES} devices, MQTT to InfluxDB, medians of {ROUNDS} rounds", rows)
    rows = [("ingest against", "messages/s", "msg per CPU s", "memory", "targets"),
            *((name, f"{ratio(runs, 'ingest', name, rate):.2f}", f"{ratio(runs, name, 'ingest', cpu_us):.2f}", "", "msg/s 0.8")
              for name in runs if name.startswith("bare"))]
    rows += [(name, f"{ratio(runs, 'ingest', name, rate):.2f}", f"{ratio(runs, name, 'ingest', cpu_us):.2f}",
              f"{ratio(runs, 'ingest', name, lambda r: r.pss):.3f}", "CPU 3, mem 0.1")
             for name in runs if name.startswith("telegraf")]
    table("Medians of the ratios of each round", rows)


def figure():
    print(f"\n{telegraf_version()}")
    with ingest_stack() as st:
        peers = [Bare(st), Bare(st, quiet=True), Ingest(st), Telegraf(st, "telegraf"), Telegraf(st, "telegraf-tuned", **TUNED)]
        for values in (1, 7):
            show(rounds(peers, values), values)
        for p in peers:
            p.close()
