# SPDX-License-Identifier: GPL-3.0-or-later
"""The monitor's routes: what they answer, whom, and what they refuse; and its neighbours being
away, one after the other."""

import signal

import pytest

import exposition
from monitor_alone import Alone
from procs import wait_for
from stack import HOUR, iso, parse_metrics

SERIES = "kitchen.temperature"


@pytest.fixture(scope="module")
def alone(module_stacks):
    a = Alone(module_stacks)
    for i in range(3):
        a.close_hour({"kitchen": {"temperature": 20.0 + i, "humidity": 50.0}, "hall": {"motion": 0.0}})
    yield a
    a.close()


def refused(a, method, path, status, text, token="admin", **kw):
    r = a.st.request(method, "monitor", path, token, **kw)
    assert r.status_code == status, r.text
    assert r.headers["Content-Type"] == "application/problem+json"
    body = r.json()
    assert text in body["message"], body["message"]
    return body


def test_status_shape(alone):
    body = alone.status()
    assert set(body) == {"time", "settled", "services", "series", "next"}
    assert body["time"] == iso(alone.st.clock.now) and body["next"] is None
    assert {k: v["ready"] for k, v in body["services"].items()} == {
        "ingest": True, "trainer": True, "predictor": True, "monitor": True}
    assert [s["name"] for s in body["series"]] == ["hall.motion", "kitchen.humidity", "kitchen.temperature"]
    s = body["series"][2]
    assert s == {"name": SERIES, "unit": "celsius", "state": "active",
                 "last": {"time": iso(alone.hour - HOUR), "value": 22.0}, "champion": None, "quality": None,
                 "drift": None, "alerts": 0}
    assert body["series"][0]["state"] == "disabled" and body["series"][0]["unit"] == "0 or 1"


def test_tick(alone):
    a = alone
    r = a.st.post("monitor", "/api/v1/tick", token="operator")
    assert set(r) == {"time", "settled", "rolled_up", "hours", "evaluations", "asked", "decisions", "alerts"}
    assert r["rolled_up"] == iso(a.hour - HOUR) and r["hours"] == 0
    refused(a, "POST", "/api/v1/tick", 403, "operator", token="viewer")
    refused(a, "POST", "/api/v1/tick", 401, "token", token=None)
    refused(a, "GET", "/api/v1/tick", 405, "POST")


@pytest.mark.parametrize("path,status,text", [
    ("/api/v1/status?limit=0", 400, 'parameter "limit" must be a whole number from 1 to 1000'),
    ("/api/v1/status?limit=x", 400, 'parameter "limit"'),
    ("/api/v1/quality", 400, 'parameter "series" is missing'),
    ("/api/v1/quality?series=kitchen", 400, "is not a series: expected device.quantity"),
    ("/api/v1/quality?series=no.such", 404, 'there is no series "no.such"'),
    (f"/api/v1/quality?series={SERIES}&hours=99999", 400, 'parameter "hours"'),
    ("/api/v1/decisions?series=%20", 400, "is not a series"),
    ("/api/v1/decisions?kind=Retrain", 400, 'parameter "kind" must be a word in lower case'),
    ("/api/v1/decisions?limit=9999", 400, 'parameter "limit"'),
    ("/api/v1/decisions?after=-1", 400, 'parameter "after"'),
    ("/api/v1/decisions?from=yesterday", 400, "from"),
    ("/api/v1/decisions?at=nope", 400, "at"),
    ("/api/v1/decisions/12x", 400, '"12x" is not the number of a decision'),
    ("/api/v1/decisions/999999", 404, "there is no decision 999999"),
    ("/api/v1/alerts?state=open", 400, 'parameter "state" must be firing, acknowledged or resolved'),
    ("/api/v1/rules/no.such", 404, 'there is no series "no.such"'),
    ("/api/v1/rules/kitchen", 400, "is not a series"),
    ("/api/v1/rules?limit=0", 400, 'parameter "limit"'),
    ("/api/v1/nothing", 404, "there is nothing at"),
])
def test_bad_requests_name_what_is_bad(alone, path, status, text):
    refused(alone, "GET", path, status, text)


def test_rules(alone):
    a = alone
    got = a.st.get("monitor", f"/api/v1/rules/{SERIES}")
    assert got["settings"] == {} and got["effective"]["skill_min"] == 0 and got["effective"]["cooldown_h"] == 6
    put = lambda path, body, **kw: a.st.request("PUT", "monitor", f"/api/v1/rules/{path}", json=body, **kw)  # noqa: E731
    r = put(r"kitchen\.temperature", {"preset": "system0", "cooldown_h": 3})  # as Grafana escapes it
    assert r.status_code == 200 and r.json()["effective"]["preset"] == "system0"
    assert a.st.pg("SELECT settings FROM series WHERE name = %s", SERIES)[0]["settings"] == {
        "preset": "system0", "cooldown_h": 3}
    d = a.decisions(kind="rules")[0]
    assert (d["series"], d["actor"], d["evidence"]["before"], d["evidence"]["after"]) == (
        SERIES, "admin", {}, {"preset": "system0", "cooldown_h": 3})
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 403, "operator", token="viewer", json={})
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, 'field "colour" is not a setting', json={"colour": 1})
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, "not valid JSON", data="{")
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, "must be a JSON object", data="[]")
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 413, "at most 65536 bytes", data="x" * 70000)
    refused(a, "PUT", "/api/v1/rules/kitchen.humidity", 400, "is for temperature", json={"preset": "system0"})
    refused(a, "PUT", "/api/v1/rules/no.such", 404, "there is no series", json={})
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, f'field "exogenous[1]" must be another series than {SERIES} itself',
            json={"exogenous": ["hall.motion", SERIES]})
    refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, 'field "exogenous[1]" repeats hall.motion',
            json={"exogenous": ["hall.motion", "hall.motion"]})
    for zone in ("localtime", "../../etc/passwd"):
        refused(a, "PUT", f"/api/v1/rules/{SERIES}", 400, f'field "tz": "{zone}" is no time zone', json={"tz": zone})
    # nothing of what was refused is in force
    assert a.st.get("monitor", f"/api/v1/rules/{SERIES}")["settings"] == {"preset": "system0", "cooldown_h": 3}
    # what is asked to be read and is not (yet) is told
    told = put(SERIES, {"exogenous": ["no.such", "kitchen.humidity", "hall.motion"]}).json()["warnings"]
    assert told[0] == "exogenous no.such is not read: there is no such series"
    assert told[-1] == "exogenous hall.motion is not read: it has no champion"
    assert a.st.get("monitor", f"/api/v1/rules/{SERIES}")["warnings"] == told
    assert put(SERIES, {}).json()["warnings"] == []
    # forecasting of a quantity is switched on and off
    assert put("hall.motion", {"forecast": True}).json()["state"] == "active"
    assert a.st.pg("SELECT state FROM series WHERE name = 'hall.motion'")[0]["state"] == "active"
    assert put("hall.motion", {}).json()["state"] == "disabled"
    items = a.st.get("monitor", "/api/v1/rules", limit=2)
    assert [i["series"] for i in items["items"]] == ["hall.motion", "kitchen.humidity"]
    assert items["next"] == "kitchen.humidity"
    rest = a.st.get("monitor", "/api/v1/rules", after=items["next"])
    assert [i["series"] for i in rest["items"]] == [SERIES] and rest["next"] is None


def test_settings_that_do_not_hold_are_told_and_defaults_do(alone):
    a = alone
    a.st.pg("UPDATE series SET settings = '{\"skill_min\": \"much\"}' WHERE name = 'kitchen.humidity'")
    a.st.restart("monitor")
    wait_for(lambda: a.status()["series"], 10)
    assert a.st.get("monitor", "/api/v1/rules/kitchen.humidity")["effective"]["skill_min"] == 0
    log = a.st.procs["monitor"].text()
    assert "kitchen.humidity" in log and "skill_min" in log


def test_decisions_in_pages(alone):
    a = alone
    for i in range(5):
        a.st.pg("SELECT fc_decide(%s, 'note', NULL, NULL, 'test', %s, '{}')", "x.y", f"n{i}")
    page = a.st.get("monitor", "/api/v1/decisions", series="x.y", limit=2)
    assert [d["reason"] for d in page["items"]] == ["n4", "n3"]
    rest = a.st.get("monitor", "/api/v1/decisions", series="x.y", limit=10, after=page["next"])
    assert [d["reason"] for d in rest["items"]] == ["n2", "n1", "n0"] and rest["next"] is None
    assert a.decisions(series="x.y", to="2000-01-01T00:00:00Z") == []


def test_a_changed_ledger_is_found(alone):
    a = alone
    verify = lambda: a.st.get("monitor", "/api/v1/decisions/verify")  # noqa: E731
    assert verify()["whole"] is True
    middle = a.decisions(series="x.y")[2]["id"]
    a.st.pg_server.admin("ALTER TABLE decisions DISABLE TRIGGER decisions_append_only", a.st.pg_db)
    a.st.pg_server.admin(f"UPDATE decisions SET reason = 'better' WHERE id = {middle}", a.st.pg_db)
    assert verify()["whole"] is False and verify()["first_bad"] == middle
    a.st.pg_server.admin(f"UPDATE decisions SET reason = 'n2' WHERE id = {middle}", a.st.pg_db)
    assert verify()["whole"] is True


def test_metrics_of_all(alone):
    a = alone
    text = a.st.get("monitor", "/metrics/all")
    families = exposition.check(text)
    assert {"fieldcast_up", "made_up_total", "fieldcast_build_info"} <= set(families)
    up = {ls["service"]: v for n, ls, v in parse_metrics(text) if n == "fieldcast_up"}
    assert up == {"ingest": 1, "trainer": 1, "predictor": 1, "monitor": 1}
    assert len([1 for n, _, _ in parse_metrics(text) if n == "made_up_total"]) == 3
    own = a.st.get("monitor", "/metrics")
    assert "made_up_total" not in own
    for name in ("fieldcast_scheduler_last_tick_timestamp_seconds", "fieldcast_scheduler_tick_duration_seconds_count",
                 "fieldcast_alerts_active", "fieldcast_retrain_triggers_total", "fieldcast_monitor_series",
                 "fieldcast_dependency_request_duration_seconds_count"):
        assert a.st.metric("monitor", name) is not None, name
    assert a.st.metric("monitor", "fieldcast_monitor_series") == 3


def test_neighbours_that_are_away(alone):
    """The loop waits, tells it, and goes on where it was."""
    a = alone
    a.near.stop()
    wait_for(lambda: not a.status()["services"]["ingest"]["ready"], 10, "ingest to be seen away")
    assert "trainer" in a.status()["services"]["trainer"]["message"]
    up = {ls["service"]: v for n, ls, v in parse_metrics(a.st.get("monitor", "/metrics/all")) if n == "fieldcast_up"}
    assert up == {"ingest": 0, "trainer": 0, "predictor": 0, "monitor": 1}
    r = a.st.request("POST", "monitor", "/api/v1/tick")
    assert r.status_code == 503 and "ingest" in r.json()["message"]
    ready = a.st.request("GET", "monitor", "/readyz", None)
    assert ready.status_code == 200  # not needed to answer
    assert ready.json()["dependencies"]["ingest"]["up"] is False
    a.near.start()
    a.close_hour({"kitchen": {"temperature": 25.0, "humidity": 51.0}})
    wait_for(lambda: a.status()["settled"] == iso(a.hour - HOUR), 10, "the hour to settle")
    log = a.st.procs["monitor"].text()
    assert log.count("the loop waits: ingest") == log.count("the loop goes on") == 1
    assert log.count("ingest is away") == 1


def test_ingest_that_starts_anew(alone):
    a = alone
    a.hourly("cellar", {"temperature": 12.0}, a.hour - 5 * HOUR)  # nobody told about it
    a.near.epoch, a.near.items = "two", []
    wait_for(lambda: a.status("cellar.temperature")["last"]["value"] == 12.0, 10, "the device that was never told of")


def test_nonsense_from_ingest(alone):
    a = alone
    real = a.near.hours
    scored = a.progress()["scored"]
    for answer in ({}, {"epoch": 1, "cursor": 1}, {"epoch": "two", "cursor": -1}, {"epoch": "two", "cursor": 0, "rolled_up": "x"},
                   [1], "text"):
        a.near.hours = lambda path, answer=answer: answer
        r = a.st.request("POST", "monitor", "/api/v1/tick")
        assert r.status_code in (400, 502, 503) and "ingest" in r.json()["message"], (answer, r.text)
    a.near.hours = lambda path: {**real(path), "items": [{"device": "../x", "from_ms": 0, "to_ms": 0}, 7, {"device": "a"},
                                                         {"device": "kitchen", "from_ms": 9, "to_ms": 1}]}
    assert a.st.post("monitor", "/api/v1/tick")["hours"] == 0
    a.near.hours = real
    assert a.progress()["scored"] == scored


def test_one_works_and_one_waits(alone):
    a = alone
    env = a.st.service_extra["monitor"]
    from procs import Proc, free_port
    from stack import program
    port = free_port()
    other = Proc("monitor2", [program("fc-monitor")], a.st.folder,
                 a.st.environment("monitor") | {"FC_HTTP_PORT": str(port)} | {k: str(v) for k, v in env.items()}).start()
    a.st.procs["monitor2"], a.st.ports["monitor2"] = other, port
    ready = lambda: a.st.request("GET", "monitor2", "/readyz", None)  # noqa: E731
    wait_for(lambda: ready().json()["waiting_for"] == ["turn"], 10, "the second one to wait")
    assert ready().status_code == 503
    assert ready().json()["dependencies"]["turn"]["why"] == "another monitor is at work; this one waits"
    assert a.st.request("GET", "monitor2", "/api/v1/status").status_code == 503
    assert a.st.request("PUT", "monitor2", f"/api/v1/rules/{SERIES}", json={}).status_code == 503
    assert "items" in a.st.get("monitor2", "/api/v1/decisions")  # the ledger can be read anywhere
    a.st.kill("monitor")
    wait_for(lambda: ready().status_code == 200, 10, "the second one to take over")
    names = {s["name"] for s in a.st.get("monitor2", "/api/v1/status")["series"]}
    assert SERIES in names
    a.close_hour({"kitchen": {"temperature": 24.0, "humidity": 51.0}})
    a.st.start("monitor", wait=False)
    wait_for(lambda: a.st.request("GET", "monitor", "/readyz", None).json()["waiting_for"] == ["turn"], 10)
    assert other.stop(signal.SIGTERM) == 0
    del a.st.procs["monitor2"]
    a.st.wait_ready("monitor")


def test_a_schema_of_another_version_ends_the_start(alone):
    a = alone
    a.st.kill("monitor")
    a.st.pg("INSERT INTO schema_migrations (version, name, sha256) VALUES (99, 'future', '')")
    p = a.st.start("monitor", wait=False)
    assert p.process.wait(10) == 1
    assert "the database has schema version 99" in p.text()
    a.st.pg("DELETE FROM schema_migrations WHERE version = 99")
    a.st.start("monitor")
