# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB, Postgres or the broker away at the start or later: the service stays alive, says so
in /readyz and once in its log, keeps what it has, and recovers by itself."""

import signal

import pytest

from procs import wait_for
from signals import Home
from stack import HOUR, START, ms

NEEDS = {"ingest": {"influx", "mqtt"}, "trainer": {"influx", "postgres"},
         "predictor": {"influx", "postgres"}, "monitor": {"influx", "postgres"}}
NAME = {"influx": "influxdb", "mqtt": "broker", "postgres": "postgres"}  # in /readyz and the log


def readyz(st, service):
    r = st.request("GET", service, "/readyz", token=None)
    return r.status_code, r.json()


def waiting_for(st, service, server):
    code, body = readyz(st, service)
    return code == 503 and NAME[server] in body["waiting_for"]


def away_lines(st, service, server):
    return [x for x in st.procs[service].text().splitlines()
            if f"{NAME[server]} is away" in x]


def server_of(st, name):
    return {"influx": st.influx_server, "postgres": st.pg_server, "mqtt": st.mosquitto}[name]


def stop(st, name):
    server_of(st, name).stop(signal.SIGKILL if name != "postgres" else signal.SIGQUIT)


def test_nothing_is_there_at_the_start(stacks):
    """All four start before their servers and are ready when these come."""
    st = stacks(own_servers=True, launch=False)
    st.pg_server.make_cluster()
    st.pg_db = "fc_1"
    for s in st.services:
        st.start(s, wait=False)
    for s, needs in NEEDS.items():
        for server in needs - {"mqtt"}:
            wait_for(lambda: waiting_for(st, s, server), 15, f"{s} to say that {server} is away")  # noqa: B023
        assert st.request("GET", s, "/healthz", token=None).status_code == 200
    st.mosquitto.start()
    st.influx_server.start()
    st.pg_server.start()
    assert st.pg_server.new_database() == "fc_1"
    for s in st.services:
        st.wait_ready(s, 45)
    home = Home(["kitchen"], every_ms=600_000)
    st.advance(2, publish=home.publish)


@pytest.mark.parametrize("server", ["influx", "postgres", "mqtt"])
def test_away_later(stacks, server):
    st = stacks(own_servers=True)
    home = Home(["kitchen"], every_ms=600_000)
    st.advance(26, publish=home.publish)
    touched = [s for s, needs in NEEDS.items() if server in needs]
    before = {s: len(away_lines(st, s, server)) for s in touched}
    stop(st, server)
    sent = None
    if server == "influx":  # ingest takes readings all the same: they are in its log
        hour = st.clock.now // HOUR * HOUR
        st.clock.set(hour + HOUR)
        rows = list(home.publish(hour))
        st.publish_all(rows)
        st.wait_received()
        sent = len(rows)
    for s in touched:
        if s == "ingest" or server != "mqtt":
            wait_for(lambda: waiting_for(st, s, server), 30, f"{s} to say that {server} is away")  # noqa: B023
    # what is in memory still answers
    assert st.post("predictor", "/predict", {"series": "kitchen.temperature", "horizon": 3})["predictions"]
    for s in touched:
        assert st.request("GET", s, "/healthz", token=None).status_code == 200
    server_of(st, server).start()
    for s in touched:
        st.wait_ready(s, 60)
        lines = away_lines(st, s, server)
        if s == "ingest" or server != "mqtt":
            assert len(lines) == before[s] + 1, "\n".join(lines)
    if server == "mqtt":  # our own client comes back by itself too
        wait_for(lambda: st.mqtt.is_connected(), 60, "the tests' client")
    if sent:
        n = wait_for(lambda: (r := st.influx(
            f"SELECT count(temperature) AS n FROM readings WHERE time >= {hour}ms"))[0]["n"] == sent and r, 60,
            "the readings of the outage")
        assert n
    st.advance(2 if server != "influx" else 1, timeout=90, publish=home.publish)
    assert st.settled_hour() >= ms(START) + 26 * HOUR


def test_ingest_killed_loses_nothing(stacks):
    """SIGKILL between receipt and InfluxDB: everything acknowledged arrives, each once."""
    st = stacks(services=["ingest"], own_servers=True)
    st.clock.set(ms(START) + HOUR)
    rows = [("kitchen", ms(START) + i * 1000, {"temperature": 20 + i / 1000}) for i in range(3000)]
    st.publish_all(rows[:1000])
    st.influx_server.stop(signal.SIGKILL)
    st.publish_all(rows[1000:2000])
    st.wait_received()
    st.kill("ingest", signal.SIGKILL)
    st.publish_all(rows[2000:])  # the broker keeps these for ingest's session
    st.influx_server.start()
    st.start("ingest")
    wait_for(lambda: st.influx("SELECT count(temperature) AS n FROM readings")[0]["n"] >= 3000, 60, "all readings")
    values = [r["temperature"] for r in st.influx("SELECT temperature FROM readings")]
    assert len(values) == 3000 and sorted(values) == pytest.approx([v["temperature"] for _, _, v in rows])


def test_a_schema_it_does_not_know(stacks):
    st = stacks(services=[])
    st.pg("UPDATE schema_migrations SET version = 99 WHERE version = (SELECT max(version) FROM schema_migrations)")
    for s in ("trainer", "predictor", "monitor"):
        p = st.start(s, wait=False)

        def said():
            text = p.text()  # noqa: B023
            return "schema version 99" in text or "newer Fieldcast" in text
        wait_for(said, 15, f"{s} to say that the schema is not its own")
        # it either ends or does not say that it is ready
        wait_for(lambda: not p.alive() or readyz(st, s)[0] == 503, 5, f"{s} to refuse")  # noqa: B023
        p.stop()
    st.pg("DROP TABLE schema_migrations")
    p = st.start("trainer", wait=False)
    wait_for(lambda: "deploy/postgres/migrate.sh" in p.text(), 15, "the sentence that says what to run")
    wait_for(lambda: not p.alive(), 10, "trainer to end")
