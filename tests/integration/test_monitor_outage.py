# SPDX-License-Identifier: GPL-3.0-or-later
"""Postgres, InfluxDB and the broker away, at the start and later: the monitor says so, loses
nothing, and goes on by itself."""

import json

from procs import wait_for
from stack import HOUR, iso

SERIES = "kitchen.temperature"


def waiting(a):
    return a.st.request("GET", "monitor", "/readyz", None).json()["waiting_for"]


def test_everything_away_then_back(alone):
    a = alone(own_servers=True)
    st = a.st
    a.close_hour({"kitchen": {"temperature": 20.0}})
    a.promote(SERIES, rows=1000)
    wait_for(lambda: a.status(SERIES)["champion"], 5, "the champion")
    for i in range(5):
        a.forecast(SERIES, 20.5)
        a.close_hour({"kitchen": {"temperature": 20.0 + i % 2}})

    # Postgres: no hour is scored without it
    st.pg_server.stop()
    wait_for(lambda: waiting(a) == ["postgres"], 15, "postgres to be missed")
    assert a.status()["series"]  # from memory
    r = st.request("POST", "monitor", "/api/v1/tick")
    assert r.status_code == 503 and "postgres" in r.json()["message"]
    assert st.request("GET", "monitor", "/api/v1/decisions").status_code == 503
    a.forecast(SERIES, 20.5)
    hour = a.close_hour({"kitchen": {"temperature": 20.0}}, settle=False)
    st.pg_server.start()
    st.wait_ready("monitor")
    a.wait_scored(hour)
    assert a.evaluations(SERIES)[-1]["n"] == 6

    # InfluxDB
    st.influx_server.stop()
    wait_for(lambda: waiting(a) == ["influxdb"], 15, "influxdb to be missed")
    assert st.request("GET", "monitor", f"/api/v1/quality?series={SERIES}").status_code == 503
    a.hour += HOUR  # an hour that nobody wrote
    st.clock.set(a.hour + 130_000)
    a.near.rolled_up = a.near.forecast = a.hour - HOUR
    scored = a.progress()["scored"]
    st.influx_server.start()
    st.wait_ready("monitor")
    a.wait_scored(a.hour - HOUR)
    assert a.progress()["scored"] == scored + HOUR
    assert a.evaluations(SERIES)[-1]["n"] == 6 and a.evaluations(SERIES)[-1]["missing"] == 18

    # the broker: alerts wait for it
    st.mosquitto.stop()
    for _ in range(4):
        a.close_hour()
    assert a.status(SERIES)["drift"]["kind"] == "silent"
    st.mosquitto.start()
    got = st.listen("alerts/#")
    wait_for(lambda: got, 45, "the alert after the broker came back")
    assert json.loads(got[0][1])["type"] == "sensor_silent"
    wait_for(lambda: a.status()["settled"] == iso(a.hour - HOUR), 10, "the hour to settle")
    log = st.procs["monitor"].text()
    for name in ("postgres", "influxdb", "broker"):
        assert 1 <= log.count(f"{name} is away") <= 2, name


def test_nothing_there_at_the_start(alone, stacks):
    a = alone(own_servers=True, wait=True)
    st = a.st
    st.procs["monitor"].stop()
    st.pg_server.stop()
    st.influx_server.stop()
    st.mosquitto.stop()
    st.start("monitor", wait=False)
    wait_for(lambda: sorted(waiting(a)) == ["influxdb", "postgres", "turn"], 15, "all to be missed")
    assert st.request("GET", "monitor", "/healthz", None).status_code == 200
    assert st.request("GET", "monitor", "/api/v1/status").status_code == 503
    st.mosquitto.start()
    st.influx_server.start()
    st.pg_server.start()
    st.wait_ready("monitor")
    a.close_hour({"kitchen": {"temperature": 20.0}})
    assert a.status(SERIES)["last"]["value"] == 20.0
