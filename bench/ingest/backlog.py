# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB is away until ingest's log holds 1 GB: proportional memory while it grows and while it is written,
and how quickly it is written once InfluxDB is back, beside the rate without an outage."""

import shutil
import time

from peers import BACKLOG_MB, DEVICES, N, QUICK, Ingest, cpu_s, follow, ingest_stack, memory, publish, rate, table

BYTES = BACKLOG_MB * 1_000_000
CHUNK = 20_000 if QUICK else 200_000
VALUES = 7


def log_bytes(st):
    return sum(f.stat().st_size for f in (st.folder / "ingest-data").glob("*.log"))


def grow(st, pid):
    """Publishes until there are BYTES in the log: messages, seconds, [(bytes, PSS)]."""
    t0, seen, n = time.perf_counter(), [], 0
    received = st.received()
    while log_bytes(st) < BYTES:
        run = publish(st, "fieldcast", DEVICES, CHUNK, wait=False, values=VALUES)
        while run.poll() is None:
            seen.append((log_bytes(st), memory(pid)[0]))
            time.sleep(0.25)
        if run.returncode:
            raise SystemExit("the publisher failed")
        n += CHUNK
        follow(pid, lambda: st.received() - received, n)
    return n, time.perf_counter() - t0, seen


def catch_up(st, ingest, pid, n):
    """Seconds from InfluxDB's return to the last message in it, CPU seconds, and the largest PSS."""
    ingest.base, cpu = ingest.stored(), cpu_s(pid)
    st.influx_server.start()
    t0 = time.perf_counter()
    pss = follow(pid, ingest.arrived, n)
    return time.perf_counter() - t0, cpu_s(pid) - cpu, pss


def figure():
    with ingest_stack(FC_LOG_MAX_MB=8192) as st:
        free = shutil.disk_usage(st.folder).free
        if free < 5 * BYTES:
            raise SystemExit(f"{free / 1e9:.1f} GB are free where the log lies, {5 * BYTES / 1e9:.0f} are needed")
        ingest, pid = Ingest(st), st.procs["ingest"].pid
        ordinary = ingest.drain(values=VALUES)
        st.influx_server.stop()
        n, grow_s, seen = grow(st, pid)
        seconds, cpu, pss = catch_up(st, ingest, pid, n)
    top = max(b for b, _ in seen)
    rows = [("proportional memory, MB (target: < 16, flat)", "PSS"), (f"{N} messages at full rate", f"{ordinary.pss:.1f}")]
    for part in (1, 2, 3, 4):
        pss_part = max(p for b, p in seen if top * (part - 1) / 4 <= b <= top * part / 4)
        rows.append((f"InfluxDB away, log of {top * part / 4e6:.0f} MB", f"{pss_part:.1f}"))
    rows.append((f"InfluxDB back, {n} messages", f"{pss:.1f}"))
    table(f"A backlog of {top / 1e9:.2f} GB, {VALUES} values in a message, {DEVICES} devices", rows)
    rows = [("", "msg/s", "CPU us/msg"),
            ("without an outage (queued at the broker)", f"{rate(ordinary):.0f}", f"{ordinary.cpu / ordinary.n * 1e6:.1f}"),
            ("taken while InfluxDB is away", f"{n / grow_s:.0f}", ""),
            ("caught up", f"{n / seconds:.0f}", f"{cpu / n * 1e6:.1f}"),
            ("caught up / without an outage", f"{n / seconds / rate(ordinary):.2f}")]
    table("Catching up", rows)
