# SPDX-License-Identifier: GPL-3.0-or-later
"""Neighbours that are away, at the start and later: the predictor says so, goes on answering from
memory, and mends by itself."""

import pytest

from predictor_alone import Alone
from procs import wait_for
from stack import HOUR, iso

K = "kitchen.light"


def ready(a):
    r = a.st.request("GET", "predictor", "/readyz", token=None)
    return r.status_code, r.json()["waiting_for"]


@pytest.fixture
def alone(stacks):
    original = stacks

    def own(*args, **kw):
        return original(*args, own_servers=True, **kw)

    a = Alone(own)
    a.hours.rolled_up = a.now_hour - HOUR
    a.add_series(K)
    a.hourly("kitchen", "light", [float(i) for i in range(200)], a.hours.rolled_up)
    a.add_version(K, 1)
    a.promote(K, 1)
    a.wait_written()
    yield a
    a.close()


def test_postgres_away(alone):
    a = alone
    a.st.pg_server.stop()
    wait_for(lambda: ready(a) == (503, ["postgres"]))
    answer = a.predict(series=K)
    assert answer["version"] == 1 and answer["warnings"] == ["the registry is away: a newer version may exist"]
    assert a.predict(503, series="attic.light")["message"].startswith("attic.light has no model in memory: ")
    hour = a.close_hour({K: 200.0})  # hours go on closing
    wait_for(lambda: a.predict(series=K)["origin"] == iso(hour))
    a.st.pg_server.start()
    wait_for(lambda: ready(a) == (200, []))
    a.add_version(K, 2)
    a.promote(K, 2)
    wait_for(lambda: a.predict(series=K)["version"] == 2)
    log = a.st.procs["predictor"].tail(100)
    assert log.count("postgres is away") == 1 and log.count("postgres is there") == 2


def test_influxdb_away(alone):
    a = alone
    first = a.hours.rolled_up
    a.st.influx_server.stop()
    wait_for(lambda: ready(a) == (503, ["influxdb"]))
    assert a.predict(series=K)["origin"] == iso(first)
    a.st.clock.set(a.now_hour + 3 * HOUR)
    old = ["the last complete hour is 3 h old: no newer one has come"]
    wait_for(lambda: a.predict(series=K)["warnings"] == old)  # the clock is looked at every 2 ms
    assert a.st.get("predictor", "/api/v1/history", 503, series=K)["message"].startswith("influx: ")
    # a champion that comes meanwhile answers from the hours in memory
    a.add_version(K, 2, bias=1.0)
    a.promote(K, 2)
    wait_for(lambda: a.predict(series=K)["version"] == 2)
    a.st.influx_server.start()
    wait_for(lambda: ready(a) == (200, []), 40)
    hours = [a.close_hour({K: 200.0 + i}) for i in range(3)]
    a.wait_written()
    assert [int(r["origin_ms"]) for r in a.leads(K, lead="1")] == [first, *hours]


def test_ingest_away(alone):
    a = alone
    a.st.service_extra["predictor"]["FC_INGEST_URL"] = "http://127.0.0.1:9"
    a.st.restart("predictor")  # ready without it
    deps = a.st.get("predictor", "/readyz")["dependencies"]
    assert deps["ingest"]["up"] is False
    wait_for(lambda: a.st.request("GET", "predictor", f"/predict?series={K}").status_code == 200)
    assert a.predict(series=K)["origin"] == iso(a.hours.rolled_up)
    assert a.progress()["forecast"] is None  # nothing is called complete without ingest


def test_all_away_at_start(alone):
    a = alone
    a.st.kill("predictor")
    a.st.pg_server.stop()
    a.st.influx_server.stop()
    a.st.start("predictor", wait=False)
    wait_for(lambda: ready(a) == (503, ["influxdb", "postgres"]))
    assert a.st.request("GET", "predictor", "/healthz").status_code == 200
    a.st.influx_server.start()
    wait_for(lambda: ready(a) == (503, ["postgres"]), 40)
    a.st.pg_server.start()
    wait_for(lambda: ready(a) == (200, []))
    # ready comes first, the hours right after
    wait_for(lambda: a.st.request("GET", "predictor", f"/predict?series={K}").status_code == 200)
    assert a.predict(series=K)["version"] == 1


def test_a_schema_it_does_not_know(alone):
    a = alone
    a.st.pg("INSERT INTO schema_migrations (version, name, sha256) VALUES (999, 'later', '')")
    a.st.kill("predictor")
    proc = a.st.start("predictor", wait=False)
    wait_for(lambda: not proc.alive())
    assert proc.process.returncode == 1
    assert "the database has schema version 999, this build needs" in proc.tail(5)
    # the same when the database comes after the service
    a.st.pg_server.stop()
    proc = a.st.start("predictor", wait=False)
    wait_for(lambda: ready(a)[0] == 503)
    a.st.pg_server.start()
    wait_for(lambda: not proc.alive())
    assert proc.process.returncode == 1 and "schema version 999" in proc.tail(5)
    del a.st.procs["predictor"]


def test_the_registry_goes_back(alone):
    """Postgres restored from an older copy, or begun again: its champions answer, not those of
    the one before, also when their numbers are the same."""
    a = alone
    a.add_series("attic.light")
    a.hourly("attic", "light", [1.0] * 200, a.hours.rolled_up)
    a.add_version("attic.light", 1)
    a.promote("attic.light", 1)
    a.add_version(K, 2)
    a.promote(K, 2)
    wait_for(lambda: a.predict(series=K)["version"] == 2)
    wait_for(lambda: a.predict(series="attic.light")["version"] == 1)
    pg, db = a.st.pg_server, a.st.pg_db
    pg.drop_database(db)
    pg.admin(f"CREATE DATABASE {db} TEMPLATE fc_template OWNER fieldcast")
    a.add_series(K)
    a.add_series("attic.light")
    a.add_version(K, 1, bias=50.0, to_ms=HOUR)
    a.promote(K, 1)
    wait_for(lambda: a.predict(series=K)["version"] == 1)
    wait_for(lambda: a.predict(series=K)["predictions"][0]["yhat"] > 240)
    wait_for(lambda: a.st.request("POST", "predictor", "/predict",
                                  json={"series": "attic.light"}).status_code == 409)
    assert a.st.procs["predictor"].text().count("the registry has gone back") == 1
