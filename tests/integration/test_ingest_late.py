# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings that come long after their time are marked, per point and per device, and leave no gap.
(What monitor makes of them: test_late.py.)"""

import signal

import pytest

from procs import wait_for
from stack import GRACE, HOUR, START, iso, ms

T0 = ms(START)


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def body(seq, t_ms, values=None):
    return {"device": "attic", "boot": 1, "seq": seq, "ts_ms": t_ms, "values": values or {"temperature": 20 + seq % 3}}


def send(st, *bodies):
    for b in bodies:
        st.publish_raw("fieldcast/attic/readings", b)


def ledger(st, name="attic"):
    return st.get("ingest", "/api/v1/ledger", device=name)["items"][0]


def late(st, name="attic"):
    return st.get("ingest", "/api/v1/devices", device=name)["items"][0]["late"]


def hourly(st, what="temperature_n", device="attic"):
    return {r["time"]: r[what] for r in st.influx(f"SELECT {what} FROM hourly WHERE device = '{device}'")}


def test_marked_where_one_looks(st):
    """Numbers 1 to 4 live, 5 to 40 kept, and sent between those that follow."""
    st.clock.set(T0 + 5000)
    send(st, *(body(s, T0 + s * 1000) for s in range(1, 5)))
    st.publish("kitchen", {"temperature": 20}, T0 + 5000 - GRACE)  # as old as the grace: in time
    kept = [body(s, T0 + (s - 4) * 5 * 60_000) for s in range(5, 41)]
    st.wait_received()
    wait_for(lambda: ledger(st)["stored"] == 4, 10, "the first ones")
    assert ledger(st)["late"] == 0 and late(st) is None
    for i in range(12):
        now = T0 + 4 * HOUR + i * 60_000
        st.clock.set(now)
        send(st, body(41 + i, now), *kept[3 * i:3 * i + 3])
        st.wait_received()  # at that minute, not when the clock has gone on
    wait_for(lambda: ledger(st)["stored"] == 52, 10, "all of it")
    got = ledger(st)
    assert got["late"] == 36 and got["missing"] == 0 and got["gaps"] == [] and got["misread"] == 0
    assert st.get("ingest", "/api/v1/ledger")["totals"]["late"] == 36 and ledger(st, "kitchen")["late"] == 0
    assert late(st) == {"readings": 36, "last": iso(T0 + 4 * HOUR + 11 * 60_000), "age_s": 3600 + 11 * 60}
    assert late(st, "kitchen") is None
    assert st.metric("ingest", "fieldcast_ingest_late_total") == 36
    rows = st.influx("SELECT seq FROM readings WHERE device = 'attic' AND late = 1")
    assert sorted(r["seq"] for r in rows) == list(range(5, 41))
    assert "attic sends late readings: one of " in st.procs["ingest"].text()
    wait_for(lambda: [hourly(st).get(T0 + h * HOUR) for h in range(3)] == [15, 12, 12], 20, "their hours")


def test_explained(st):
    def ask(age_ms):
        asked = {"topic": "fieldcast/attic/readings", "payload": body(1, st.clock.now - age_ms)}
        return st.post("ingest", "/api/v1/explain", asked)["items"][0]
    assert ask(GRACE)["late"] is False and "late" not in ask(GRACE)["line"]
    assert ask(GRACE + 1)["late"] is True and ",late=1 " in ask(GRACE + 1)["line"]


def test_marks_are_no_quantities(st):
    """After a restart InfluxDB says what was measured: not what ingest itself writes beside it."""
    st.clock.set(T0 + HOUR)
    send(st, body(1, T0 + 60_000), body(2, 5))  # a late one, and one whose time is not believed
    wait_for(lambda: ledger(st)["stored"] == 2, 10, "both")
    st.kill("ingest", signal.SIGKILL)
    st.clock.set(T0 + 2 * HOUR + GRACE)
    st.start("ingest")
    wait_for(lambda: hourly(st) == {T0: 1, T0 + HOUR: 1}, 20, "their hours")
    fields = {r["fieldKey"] for r in st.influx("SHOW FIELD KEYS FROM hourly")}
    assert fields == {"temperature", "temperature_min", "temperature_max", "temperature_n"}


def test_hours_older_than_the_readings(stacks):
    """A late reading of a day whose readings are deleted by now: the hour stays what it was."""
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_RETAIN_READINGS_D": 2}})
    st.clock.set(T0 + HOUR)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": 20.0 + i % 2}) for i in range(60)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    wait_for(lambda: hourly(st, device="kitchen") == {T0: 60}, 20, "the hour")
    st.clock.set(T0 + 96 * HOUR + GRACE + 1000)
    wait_for(lambda: st.influx("SELECT temperature FROM readings") == [], 20, "old readings to be deleted")
    st.publish("kitchen", {"temperature": 21.5}, T0 + 60 * 60_000 - 1)
    st.publish("kitchen", {"temperature": 30}, T0 + 30 * HOUR)  # of an hour that is not there yet
    wait_for(lambda: hourly(st, device="kitchen").get(T0 + 30 * HOUR) == 1, 20, "the other hour")
    assert hourly(st, device="kitchen") == {T0: 60, T0 + 30 * HOUR: 1}
    assert st.influx("SELECT temperature FROM hourly")[0]["temperature"] == 20.5
