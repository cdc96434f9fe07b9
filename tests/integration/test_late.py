# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings that come long after their time: their hours are scored again, no gap is left, and no
alarm is raised or ended by what is past. (How they are marked: test_ingest_late.py.)"""

import signal

import pytest

from procs import wait_for
from signals import Home
from stack import GRACE, HOUR

EVERY = 5 * 60_000
SERIES = ["attic.humidity", "attic.temperature"]


def rows(home, device, hour):
    return [r for r in home.publish(hour) if r[0] == device]


class Outbox:
    """A device that is away: what it measures it keeps, with the numbers it has then."""

    def __init__(self, st, device):
        self.st, self.device, self.kept = st, device, []

    def keep(self, readings):
        for _, t_ms, values in readings:
            seq = self.st.seq[self.device] = self.st.seq.get(self.device, 0) + 1
            self.kept.append({"device": self.device, "boot": 1, "seq": seq, "ts_ms": t_ms, "values": values})

    def send(self, n=1):
        for body in self.kept[:n]:
            self.st.publish_raw(f"fieldcast/{self.device}/readings", body)
        del self.kept[:n]


def alerts(st, **params):
    return [(a["type"], a["series"]) for a in st.get("monitor", "/api/v1/alerts", **params)["items"]]


def kinds(st):
    return [d["kind"] for d in st.get("monitor", "/api/v1/decisions")["items"]]


def ledger(st, device):
    return st.get("ingest", "/api/v1/ledger", device=device)["items"][0]


def hourly_n(st, name):
    return {r["time"]: r["temperature_n"] for r in
            st.influx(f"SELECT temperature_n FROM hourly WHERE device = '{name}'")}


def evaluated(st, name):
    return {r["time"] - HOUR: (r["n"], r["missing"]) for r in
            st.influx(f"SELECT n, missing FROM evaluations WHERE device = '{name}' AND quantity = 'temperature'")}


@pytest.fixture
def home(stacks):
    """Two devices, known for 30 hours, with champions."""
    st = stacks()
    st.home = Home(["attic", "kitchen"], every_ms=EVERY)
    st.advance(30, publish=st.home.publish)
    assert all(s["champion"] for s in st.status()["series"])
    return st


def test_an_outbox_comes_back(home):
    """Three hours away, then old readings mixed with live ones."""
    st = home
    box, first = Outbox(st, "attic"), st.clock.now // HOUR * HOUR
    for h in range(3):
        box.keep(rows(st.home, "attic", first + h * HOUR))
        st.advance(publish=lambda hour: rows(st.home, "kitchen", hour))
    lost = evaluated(st, "attic")
    away = [first + h * HOUR for h in range(3)]
    assert not set(away) & set(hourly_n(st, "attic"))
    assert lost[away[2]][1] >= evaluated(st, "kitchen")[away[2]][1] + 2  # scored, with hours missing
    old, before = len(box.kept), ledger(st, "attic")["late"]
    now = first + 3 * HOUR
    for _, t_ms, values in rows(st.home, "attic", now):  # a live one, three old ones, a live one, …
        st.clock.set(t_ms + GRACE + 2000)
        st.publish("attic", values, t_ms + GRACE + 1000)
        box.send(3)
        st.wait_received()
    st.clock.set(now + HOUR)
    st.publish_all(rows(st.home, "kitchen", now))
    st.wait_received()
    wait_for(lambda: [hourly_n(st, "attic").get(h) for h in away] == [12, 12, 12], 20, "the hours that were missing")
    assert box.kept == []
    mine = ledger(st, "attic")
    assert (mine["late"] - before, mine["missing"], mine["gaps"], mine["misread"]) == (old, 0, [], 0)

    # the hours were scored again, and nothing is missing any more
    st.advance(publish=st.home.publish)
    wait_for(lambda: evaluated(st, "attic") == evaluated(st, "kitchen"), 20, "the same scores as without an outage")
    assert alerts(st) == [] and set(kinds(st)) <= {"retrain", "promote"}
    assert {s["state"] for s in st.status()["series"]} == {"active"}


def test_a_late_reading_does_not_end_a_silence(home):
    """Away for longer than the alarm waits: it is raised once, stays while only the past comes in,
    and ends when the device is back."""
    st = home
    box, first = Outbox(st, "attic"), st.clock.now // HOUR * HOUR
    for h in range(6):
        box.keep(rows(st.home, "attic", first + h * HOUR))
        st.advance(publish=lambda hour: rows(st.home, "kitchen", hour))
    silent = [("sensor_silent", s) for s in SERIES]
    assert sorted(alerts(st)) == silent
    box.send(5)  # it is heard for a moment
    wait_for(lambda: hourly_n(st, "attic").get(first) == 5, 20, "the late readings' hour")
    st.advance(publish=lambda hour: rows(st.home, "kitchen", hour))
    assert sorted(alerts(st)) == silent and sorted(alerts(st, state="firing")) == silent
    assert kinds(st).count("quarantine") == 2 and "release" not in kinds(st)
    box.send(len(box.kept))
    st.advance(publish=st.home.publish)
    wait_for(lambda: alerts(st, state="firing") == [], 20, "the alarm to end")
    assert sorted(alerts(st)) == silent and kinds(st).count("release") == 2
    assert ledger(st, "attic")["missing"] == 0


@pytest.mark.parametrize("how", ["off", "asleep"])
def test_nobody_listened(home, how):
    """The machine is off, or sleeps, for six hours; the sensors have kept it all and are back a
    moment after the services are. That is no sensor's silence."""
    st = home
    boxes = [Outbox(st, "attic"), Outbox(st, "kitchen")]
    first = st.clock.now // HOUR * HOUR
    if how == "off":
        st.kill("ingest", signal.SIGTERM)
    for h in range(6):
        for box, name in zip(boxes, ("attic", "kitchen")):
            box.keep(rows(Home([name], every_ms=EVERY, seed=3), name, first + h * HOUR))
    st.clock.set(first + 6 * HOUR + GRACE + 1000)
    if how == "off":
        st.start("ingest")
    st.wait_settled(first + 5 * HOUR)  # with nothing in them
    assert hourly_n(st, "attic").get(first) is None
    for box in boxes:
        box.send(len(box.kept))
    for name in ("attic", "kitchen"):
        wait_for(lambda n=name: [hourly_n(st, n).get(first + h * HOUR) for h in range(6)] == [12] * 6, 30, "all hours")
    st.forget_sent()  # a restarted ingest counts anew
    st.advance(publish=st.home.publish)
    assert alerts(st) == [] and "quarantine" not in kinds(st)
    assert [ledger(st, n)["missing"] for n in ("attic", "kitchen")] == [0, 0]
    wait_for(lambda: {evaluated(st, "attic")[first + h * HOUR] for h in range(1, 6)}, 20, "scores of the hours")


def test_a_history_is_not_a_sensor(home):
    """A device of which only the past is known, imported from somewhere, is not silent."""
    st = home
    first = st.clock.now // HOUR * HOUR - 48 * HOUR
    old = Home(["cellar"], every_ms=EVERY)
    st.publish_all([r for h in range(40) for r in old.publish(first + h * HOUR)])
    wait_for(lambda: len(hourly_n(st, "cellar")) == 40, 20, "its hours")
    st.advance(5, publish=st.home.publish)
    assert alerts(st) == [] and "quarantine" not in kinds(st)
    assert [s["champion"] is not None for s in st.status()["series"] if s["name"].startswith("cellar")] == [True, True]
    # once it is live, its silence counts
    st.advance(1, publish=lambda hour: [*st.home.publish(hour), *old.publish(hour)])
    st.advance(4, publish=st.home.publish)
    assert {("sensor_silent", "cellar.temperature"), ("sensor_silent", "cellar.humidity")} == set(alerts(st))
