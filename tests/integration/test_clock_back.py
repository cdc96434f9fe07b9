# SPDX-License-Identifier: GPL-3.0-or-later
"""A machine without a clock of its own boots in 2030, and is told the time hours later: what was
made in that time stays there, and everything goes on from now."""

import signal

from procs import wait_for
from signals import Home
from stack import GRACE, HOUR, iso, ms

AHEAD = ms("2030-01-01T00:00:00Z")


def column(st, what, measurement, since, until, device="attic"):
    return {r["time"]: r[what] for r in st.influx(
        f"SELECT {what} FROM {measurement} WHERE device = '{device}' AND time >= {since}ms AND time < {until}ms")}


def test_a_clock_that_is_put_right(stacks):
    st = stacks()
    home = Home(["attic", "kitchen"], every_ms=10 * 60_000)
    st.advance(30, publish=home.publish)
    now = st.clock.now // HOUR * HOUR

    for service in ("monitor", "predictor", "ingest"):
        st.kill(service, signal.SIGTERM)
    st.clock.set(AHEAD + GRACE)
    for service in ("ingest", "predictor", "monitor"):
        st.start(service)
    st.forget_sent()
    st.advance(3, publish=Home(["attic", "kitchen"], every_ms=10 * 60_000).publish)
    st.publish_raw("fieldcast/bare/readings", {"values": {"temperature": 20}})  # it has no clock
    st.wait_received()
    assert column(st, "temperature", "hourly", AHEAD, AHEAD + 3 * HOUR) and len(st.status()["series"]) == 4

    st.clock.set(now)
    wait_for(lambda: "the clock was ahead" in st.procs["ingest"].text(), 10, "ingest to notice")
    wait_for(lambda: (st.settled_hour() or AHEAD) < AHEAD, 20, "the newest hour to be of this year")
    for _ in range(5):
        st.publish_raw("fieldcast/bare/readings", {"values": {"temperature": 20}})
        st.wait_received()
        st.advance(publish=home.publish)
    last = st.clock.now // HOUR * HOUR - HOUR
    assert st.settled_hour() == last == now + 4 * HOUR
    hours = [now + h * HOUR for h in range(5)]
    assert list(column(st, "temperature_n", "hourly", now, AHEAD)) == hours
    assert list(column(st, "temperature_n", "hourly", now, AHEAD, "bare")) == hours
    # what was stored under a time of 2030 stays where it is, what has no clock is of now again
    assert len(column(st, "temperature", "readings", AHEAD, AHEAD + 4 * HOUR, "bare")) == 1
    assert st.get("ingest", "/api/v1/devices", device="bare")["items"][0]["last_seen"] < iso(now + 5 * HOUR)
    leads = st.influx("SELECT origin_ms FROM forecast_leads WHERE lead = '1' AND device = 'attic' AND "
                      f"quantity = 'temperature' AND time > {now}ms AND time < {AHEAD}ms")
    assert [r["origin_ms"] for r in leads] == hours
    scored = column(st, "n", "evaluations", now + HOUR, AHEAD)
    assert set(hours[1:]) <= set(scored) and scored[last + HOUR] >= 4
    status = {s["name"]: s for s in st.status()["series"]}
    assert ms(status["attic.temperature"]["last"]["time"]) == last
    assert st.get("monitor", "/api/v1/alerts")["items"] == []
    for service in ("ingest", "monitor", "predictor"):
        assert st.procs[service].text().count("the clock was ahead") == 1, service

    # and a sensor's silence counts as ever
    st.advance(4, publish=lambda hour: [r for r in home.publish(hour) if r[0] == "kitchen"])
    assert {a["series"] for a in st.get("monitor", "/api/v1/alerts")["items"]} >= {"attic.temperature"}
