# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU per message at QoS 0: ingest, which logs and stores it, beside a bare subscriber, which drops it."""

from peers import DEVICES, N, ROUNDS, Bare, Ingest, cpu_us, ingest_stack, median, table


def figure():
    with ingest_stack() as st:
        peers = [Bare(st), Bare(st, quiet=True), Ingest(st)]
        for values in (1, 7):
            runs = [[p.drain(qos=0, values=values) for p in peers] for _ in range(ROUNDS)]
            rows = [("", "CPU us/msg", "min", "max")]
            for i, p in enumerate(peers):
                us = [cpu_us(r[i]) for r in runs]
                rows.append((p.name, *(f"{x:.1f}" for x in (median(us), min(us), max(us)))))
            for i in range(2):
                ratio = median([cpu_us(r[2]) / cpu_us(r[i]) for r in runs])
                rows.append((f"ingest / {peers[i].name} (target: at most 1.5)", f"{ratio:.2f}"))
            table(f"{N} messages of {values} values at QoS 0 from {DEVICES} devices, medians of {ROUNDS} rounds", rows)
