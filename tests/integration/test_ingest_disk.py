# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of ingest's log takes nothing, or the log is deleted under it: it says so, acknowledges
nothing, ends when asked, and everything is there in the end."""

import os
import resource
import shutil
import time

from procs import Proc, wait_for
from stack import START, ms, program


def stored(st, device):
    return sorted(int(r["seq"]) for r in st.influx(f"SELECT seq FROM readings WHERE device = '{device}'"))


def rows(st, device, n):
    return [(device, ms(START) + (st.seq.get(device, 0) + i) * 1000, {"temperature": 20 + i % 5}) for i in range(n)]


def waiting_for_log(st):
    return "log" in st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"]


def start_limitable(st):
    """As st.start(); a write beyond the size limit fails, as on a full disk, and does not kill."""
    argv = ["env", "--ignore-signal=XFSZ", program("fc-ingest")]
    st.procs["ingest"] = Proc("ingest", argv, st.folder, st.environment("ingest")).start()
    st.wait_ready("ingest")


def test_a_full_disk(stacks):
    st = stacks(services=["ingest"], launch=False)
    st.service_extra = {"ingest": {"FC_TICK_MS": 1000}}
    st.launch(wait=False)
    st.wait_ready("ingest")
    st.restart("ingest", wait=False)
    st.procs["ingest"].stop()
    start_limitable(st)
    st.publish_all(rows(st, "kitchen", 300))
    st.wait_received()
    segment = next(st.folder.glob("ingest-data/*.log"))
    hard = resource.prlimit(st.procs["ingest"].pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(st.procs["ingest"].pid, resource.RLIMIT_FSIZE, (os.stat(segment).st_size + 2000, hard))
    for row in rows(st, "kitchen", 100) + rows(st, "cellar", 100):  # some of them still fit
        st.publish(row[0], row[2], row[1], wait=False)
    wait_for(lambda: waiting_for_log(st), 5, "/readyz to name the log")
    time.sleep(2.5)  # acknowledgements of those that fitted are due meanwhile
    began = time.monotonic()
    assert st.procs["ingest"].stop() == 0
    assert time.monotonic() - began < 8
    assert sum("log is away" in x for x in st.procs["ingest"].text().splitlines()) == 1
    st.start("ingest")
    for device, n in (("kitchen", 400), ("cellar", 100)):
        wait_for(lambda: stored(st, device) == list(range(1, n + 1)), 30, f"{n} readings of {device}")  # noqa: B023


def test_the_log_is_deleted(stacks):
    st = stacks(services=["ingest"])
    st.publish_all(rows(st, "kitchen", 200))
    wait_for(lambda: len(stored(st, "kitchen")) == 200, 20, "the readings")
    shutil.rmtree(st.folder / "ingest-data")
    time.sleep(1.1)
    for device, t, values in rows(st, "kitchen", 100):
        st.publish(device, values, t, wait=False)
    wait_for(lambda: waiting_for_log(st), 5, "/readyz to name the log")
    assert "was deleted" in st.procs["ingest"].text()
    assert st.kill("ingest") == -9
    st.start("ingest")
    wait_for(lambda: stored(st, "kitchen") == list(range(1, 301)), 30, "all readings")
