# SPDX-License-Identifier: GPL-3.0-or-later
"""Time from start to ready of each service, its neighbours being up: median of RUNS."""

import signal
import time

import requests

from lib import SERVICES, median, stack, table

RUNS = 9


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


def main():
    with stack() as st:
        out = [("service", "min ms", "median ms", "max ms")]
        for s in SERVICES:
            t = sorted(once(st, s) for _ in range(RUNS))
            out.append((s, f"{t[0]:.0f}", f"{median(t):.0f}", f"{t[-1]:.0f}"))
    table(f"Start to ready, {RUNS} starts each (target: < 200 ms)", out)


if __name__ == "__main__":
    main()
