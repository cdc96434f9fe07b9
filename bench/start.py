# SPDX-License-Identifier: GPL-3.0-or-later
"""Time from start to ready of each service, its neighbours being up: median of RUNS, with nothing
known yet and with SERIES series that have six weeks of hours and a champion each; how soon a new
champion answers; and ingest's start with a log whose newest segment is full."""

import signal
import subprocess
import sys
import time

import requests

from lib import SERVICES, build_dir, champions, make, median, simulate, stack, table
from procs import wait_for

RUNS = 9
DEVICES = 334  # about three series each
SERIES = 1000
RECORDS = 412_000  # not quite the 64 MB of a segment


def once(st, service):
    st.kill(service, signal.SIGTERM)
    url = st.url(service, "/readyz")
    t0 = time.perf_counter()
    st.start(service, wait=False)
    session = requests.Session()
    while time.perf_counter() - t0 < 30:
        try:
            if session.get(url, timeout=1).status_code == 200:
                return (time.perf_counter() - t0) * 1000
        except requests.ConnectionError:
            pass
        time.sleep(0.001)
    raise SystemExit(f"{service} was not ready within 30 s")


def rows(st, services=SERVICES):
    out = [("service", "min ms", "median ms", "max ms")]
    for s in services:
        t = sorted(once(st, s) for _ in range(RUNS))
        out.append((s, f"{t[0]:.0f}", f"{median(t):.0f}", f"{t[-1]:.0f}"))
    return out


def swap(st, name, version):
    """ms from the promotion of a version to its first answer."""
    st.pg("SELECT fc_promote(%s, %s, 'bench', 'bench', '{}')", name, version)
    t0 = time.perf_counter()
    wait_for(lambda: st.get("predictor", "/predict", series=name)["version"] == version, 30, "the new champion", every=0.001)
    return (time.perf_counter() - t0) * 1000


def swaps(st):
    """Back and forth between the champion of a series and a copy of it."""
    row = st.pg("SELECT name, version FROM model_aliases WHERE alias = 'champion' ORDER BY name LIMIT 1")[0]
    name, old = row["name"], row["version"]
    new = st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256) "
                "SELECT name, 1 + (SELECT max(version) FROM model_versions WHERE name = v.name), algorithm, document, "
                "content_sha256 FROM model_versions v WHERE name = %s AND version = %s RETURNING version", name, old)
    t = sorted(swap(st, name, (new[0]["version"], old)[i % 2]) for i in range(2 * RUNS))
    return [("", "min ms", "median ms", "max ms"),
            ("new champion", f"{t[0]:.0f}", f"{median(t):.0f}", f"{t[-1]:.0f}")]


def long_log():
    """Ingest alone; everything in its log has been delivered, and 100 devices are known."""
    make("bench/wal_append")
    with stack(services=["ingest"]) as st:
        st.kill("ingest", signal.SIGTERM)
        folder = st.folder / "ingest-data"
        subprocess.run([build_dir() / "bench/wal_append", folder, "process", str(RECORDS)], check=True, stdout=subprocess.DEVNULL)
        size = max(f.stat().st_size for f in folder.glob("*.log")) / 1e6
        st.start("ingest")
        table(f"Start to ready, {RUNS} starts, newest segment of the log {size:.0f} MB (target: < 200 ms)", rows(st, ["ingest"]))


def main():
    if "--log" in sys.argv:  # that case alone
        return long_log()
    long_log()
    with stack() as st:
        table(f"Start to ready, {RUNS} starts each, no series (target: < 200 ms)", rows(st))
        if simulate(st, DEVICES, "--every", "1h", "--backfill", "6w").wait():
            raise SystemExit("the backfill failed")
        wait_for(lambda: (c := champions(st))[1] >= SERIES and c[0] == c[1], 600, "a champion for each series")
        n = champions(st)[0]
        table(f"Start to ready, {RUNS} starts each, {n} champions (target: < 200 ms)", rows(st))
        table("Promotion to the first answer of the new version (target: < 1,000 ms)", swaps(st))


if __name__ == "__main__":
    main()
