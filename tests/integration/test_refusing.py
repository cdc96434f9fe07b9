# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB answers and does not do what it is asked: its disk is full, the password is another,
some web server has its place. No reading is lost, and the log says it once."""

import time

import pytest

from faulty import BAD_REQUEST, DENIED, FULL, PAGE, Faulty
from procs import wait_for
from signals import Home
from stack import GRACE, HOUR

FAULTS = {"full": {"write": FULL}, "denied": {"write": DENIED, "query": DENIED},
          "page": {"write": PAGE, "query": PAGE, "ping": PAGE}, "bad-request": {"write": BAD_REQUEST}}


@pytest.mark.parametrize("fault", FAULTS)
def test_refusing(stacks, fault):
    st = stacks(launch=False)
    st.mosquitto.start()
    between = Faulty(st.shared.influx.port)
    try:
        st.extra["FC_INFLUX_URL"] = between.url
        st.influx_server, st.pg_server = st.shared.influx, st.shared.pg
        st.open_databases()
        for s in st.services:
            st.start(s, wait=False)
        for s in st.services:
            st.wait_ready(s)
        home = Home(["kitchen"], every_ms=600_000)
        st.advance(26, publish=home.publish)
        lines = {s: len(st.procs[s].text().splitlines()) for s in st.services}
        between.answers = FAULTS[fault]
        hour = st.clock.now // HOUR * HOUR
        st.clock.set(hour + HOUR)
        rows = list(home.publish(hour))
        st.publish_all(rows)
        st.wait_received()
        st.clock.set(hour + HOUR + GRACE + 1000)
        until = time.monotonic() + 6
        while time.monotonic() < until:
            st.publish("kitchen", {"temperature": 20.0}, st.clock.now - 1000 + st.sent)
            time.sleep(0.05)
        assert "influxdb" in st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"]
        for s in st.services:
            new = st.procs[s].text().splitlines()[lines[s]:]
            assert len(new) <= 6, f"{s} wrote {len(new)} lines:\n" + "\n".join(new[:20])
        between.answers = {}
        for s in st.services:
            st.wait_ready(s)
        want = set(range(1, st.seq["kitchen"] + 1))
        wait_for(lambda: {int(r["seq"]) for r in st.influx("SELECT seq FROM readings")} == want, 30, "all readings")
        st.wait_settled(hour)
        assert not st.get("ingest", "/api/v1/ledger")["totals"]["rejected"]
    finally:
        between.close()
