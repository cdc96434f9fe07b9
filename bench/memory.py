# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory of each service, proportional (PSS) and resident (RSS): idle, and with 100 live series
that have six weeks of history, a champion each, and a reading a minute."""

import time

from lib import SERVICES, champions, memory, simulate, stack, table
from procs import wait_for

DEVICES = 34  # about three series each


def snapshot(st):
    return {s: memory(st.procs[s].process.pid) for s in SERVICES}


def rows(before, after):
    out = [("service", "idle PSS MB", "idle RSS MB", "live PSS MB", "live RSS MB")]
    for s in SERVICES:
        out.append((s, *(f"{x:.1f}" for x in (*before[s], *after[s]))))
    total = [sum(m[s][i] for s in SERVICES) for m in (before, after) for i in (0, 1)]
    out.append(("sum", *(f"{x:.1f}" for x in total)))
    return out


def main():
    with stack() as st:
        time.sleep(5)
        idle = snapshot(st)
        if simulate(st, DEVICES, "--every", "5m", "--backfill", "6w").wait():
            raise SystemExit("the backfill failed")
        live = simulate(st, DEVICES, "--every", "1m", "--live")
        try:
            wait_for(lambda: (c := champions(st))[1] >= 100 and c[0] == c[1], 600, "a champion for each series")
            time.sleep(90)
            busy = snapshot(st)
        finally:
            live.terminate()
            live.wait()
        n = champions(st)[0]
    table(f"Memory, idle and with {n} live series at one-minute cadence (target: sum of idle PSS < 28 MB)",
          rows(idle, busy))


if __name__ == "__main__":
    main()
