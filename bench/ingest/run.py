# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages a second from MQTT to InfluxDB at QoS 1 beside a bare paho subscriber that drains the
same broker: both find N messages queued for their persistent sessions. Side by side, in turn."""

import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import build_dir, cpu_s, make, median, memory, stack, table  # noqa: E402
from procs import wait_for  # noqa: E402

N = 200_000
DEVICES = 100
ROUNDS = 3
FILTER = "fieldcast/+/readings"


def bench(name, *args):
    return subprocess.run([str(build_dir() / "bench" / name), *map(str, args)], check=True,
                          stdout=subprocess.PIPE, text=True).stdout


def points(st):
    return sum(row["count"] for row in st.influx('SELECT count("temperature") FROM "readings"'))


def drain_bare(st):
    return N / float(bench("bare_subscriber", st.mosquitto.url, "bench-bare", FILTER, N))


def drain_ingest(st):
    """From start of ingest to the last point in InfluxDB: by ingest's own counter, which counts what
    InfluxDB has answered for, as asking InfluxDB itself all the time would slow it; then counted there."""
    st.influx('DROP MEASUREMENT "readings"')
    t0 = time.perf_counter()
    proc = st.start("ingest", wait=False)
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_stored_total") >= N, 300, f"{N} readings stored", every=0.02)
    seconds = time.perf_counter() - t0
    if points(st) != N:
        raise SystemExit(f"{points(st)} points in InfluxDB, {N} were published")
    cpu, (pss, _) = cpu_s(proc.process.pid), memory(proc.process.pid)
    st.kill("ingest", 15)
    return N / seconds, cpu / N * 1e6, pss


def main():
    make("bench/bare_subscriber", "bench/publisher")
    out = [("round", "bare msg/s", "ingest msg/s", "ratio", "CPU us/msg", "PSS MB")]
    ratios = []
    with stack(services=["ingest"]) as st:
        bench("bare_subscriber", st.mosquitto.url, "bench-bare", FILTER, 1, "--subscribe-only")
        st.kill("ingest", 15)
        for i in range(ROUNDS):
            bench("publisher", st.mosquitto.url, DEVICES, N)
            bare = drain_bare(st)
            ours, cpu, pss = drain_ingest(st)
            ratios.append(ours / bare)
            out.append((str(i + 1), f"{bare:.0f}", f"{ours:.0f}", f"{ours / bare:.2f}", f"{cpu:.1f}", f"{pss:.1f}"))
    table(f"{N} messages at QoS 1 from {DEVICES} devices, MQTT to InfluxDB (target: ratio 0.5)", out)
    print(f"  median ratio {median(ratios):.2f}")


if __name__ == "__main__":
    main()
