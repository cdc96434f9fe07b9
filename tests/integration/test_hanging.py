# SPDX-License-Identifier: GPL-3.0-or-later
"""A neighbour that hangs (it takes connections and says nothing) does not hold up the end of a
service: SIGTERM ends it well, within seconds."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from signals import Home
from stack import GRACE, HOUR

NEEDED_BY = {"influx": ["ingest", "trainer", "predictor", "monitor"],
             "postgres": ["trainer", "predictor", "monitor"], "mqtt": ["ingest", "monitor"]}
END_S = 8


def processes(pid):
    """pid and its children."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except OSError:
            continue
    return found


@pytest.mark.parametrize("server", NEEDED_BY)
def test_hanging(stacks, server):
    st = stacks(own_servers=True)
    home = Home(["kitchen"], every_ms=600_000)
    st.advance(26, publish=home.publish)
    hung = {"influx": st.influx_server, "postgres": st.pg_server, "mqtt": st.mosquitto}[server]
    pids = processes(hung.proc.pid)
    hour = st.clock.now // HOUR * HOUR
    st.publish_all(home.publish(hour))
    if server == "mqtt":  # more acknowledgements than the library takes at once
        st.publish_all((f"node{i}", hour + i, {"temperature": 20.0}) for i in range(2500))
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        st.clock.set(hour + HOUR + GRACE + 1000)
        if server == "influx":
            st.publish("kitchen", {"temperature": 20.0}, hour + HOUR)

        def ask():
            try:
                st.post("trainer", "/api/v1/train", {"series": "all"}, status=202)
            except (AssertionError, OSError):
                pass
        threading.Thread(target=ask, daemon=True).start()
        time.sleep(1.5)
        for s in NEEDED_BY[server]:
            began = time.monotonic()
            code = st.procs[s].stop(timeout=60)
            took = time.monotonic() - began
            assert code == 0 and took < END_S, f"{s} ended with {code} after {took:.1f} s"
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    for s in NEEDED_BY[server]:
        st.start(s, wait=False)
    for s in NEEDED_BY[server]:
        st.wait_ready(s, 60)
    st.wait_settled(hour)
