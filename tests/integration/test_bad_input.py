# SPDX-License-Identifier: GPL-3.0-or-later
"""Malformed, oversized, mistyped or missing: every service gives a clear error that names the
thing, and neither crashes, hangs nor takes it silently."""

import json
import subprocess

import pytest

from procs import wait_for
from signals import Home
from stack import HOUR, SERVICES, START, ms, parse_metrics, program
from test_auth import concrete, routes_of


@pytest.fixture(scope="module")
def st(module_stacks):
    st = module_stacks()
    st.advance(25, publish=Home(["kitchen"], every_ms=600_000).publish)
    return st


# ---- MQTT

NATIVE = "fieldcast/kitchen/readings"
PAYLOADS = [  # topic, payload
    (NATIVE, ""), (NATIVE, "{"), (NATIVE, "[]"), (NATIVE, "null"), (NATIVE, "42"), (NATIVE, '"text"'),
    (NATIVE, b"\xff\xfe\x00"), (NATIVE, "[" * 100_000), (NATIVE, "{" + '"a":{' * 3000),
    (NATIVE, '{"device":"kitchen"}'), (NATIVE, '{"device":"kitchen","values":{}}'),
    (NATIVE, '{"device":"kitchen","values":[]}'), (NATIVE, '{"device":"kitchen","values":7}'),
    (NATIVE, '{"device":"kitchen","values":{"temperature":"warm"}}'),
    (NATIVE, '{"device":"kitchen","values":{"temperature":1e999}}'),
    (NATIVE, '{"device":"kitchen","values":{"temperature":NaN}}'),
    (NATIVE, '{"device":"kitchen","values":{"temperature":99999}}'),
    (NATIVE, '{"device":"kitchen","values":{"Bad Name!":1}}'),
    (NATIVE, '{"device":"kitchen","values":{"' + "x" * 300 + '":1}}'),
    (NATIVE, json.dumps({"device": "kitchen", "values": {f"q{i}": i for i in range(100)}})),
    (NATIVE, '{"device":7,"values":{"temperature":20}}'),
    (NATIVE, '{"device":"kitchen","seq":"x","values":{"temperature":20}}'),
    (NATIVE, '{"device":"kitchen","ts_ms":{},"values":{"temperature":20}}'),
    (NATIVE, '{"device":"kitchen","device":"attic","values":{"temperature":20}}'),
    (NATIVE, '{"device":"kitchen","values":{"temperature":20}} trailing'),
    ("fieldcast/.../readings", '{"device":"...","values":{"temperature":20}}'),
    ("home/kitchen/dht22", "{"), ("home/kitchen/dht22", '{"temp_c":"x","hum_pct":"y"}'), ("home/kitchen/dht22", "{}"),
    ("iot-device-data", '{"data":{}}'), ("iot-device-data", '{"device_id":5}'), ("iot-device-data", "7"),
    ("iot-frames-model", '{"payload":[]}'), ("iot-frames-model", "{}"),
    ("sensors/s1/data", '{"sensor_type":"temperature"}'), ("sensors/s1/data", '{"value":20}'), ("sensors/s1/data", "x"),
]


def rejected(st):
    return st.metric("ingest", "fieldcast_ingest_rejects_total") or 0


def reasons(st):
    return {ls["reason"]: v for n, ls, v in parse_metrics(st.get("ingest", "/metrics"))
            if n == "fieldcast_ingest_rejects_total" and v}


def test_payloads_are_counted_by_reason(st):
    """Each one alone: exactly one more rejection, with a reason of its own; nothing stored."""
    pid = st.procs["ingest"].pid
    before_points = st.influx("SELECT count(received_ms) AS n FROM readings")
    for topic, payload in PAYLOADS:
        before = rejected(st)
        st.publish_raw(topic, payload)
        what = f"{topic} {payload[:60]!r} to be rejected"
        wait_for(lambda: rejected(st) == before + 1, 10, what)  # noqa: B023
    found = reasons(st)
    assert {"bad_json", "no_values", "bad_value", "out_of_range"} <= set(found), found
    assert sum(found.values()) >= len(PAYLOADS)
    assert st.procs["ingest"].alive() and st.procs["ingest"].pid == pid
    st.publish("kitchen", {"temperature": 20.25}, st.clock.now)
    wait_for(lambda: st.influx("SELECT count(received_ms) AS n FROM readings")[0]["n"] ==
             before_points[0]["n"] + 1, 10, "the good reading after them, and nothing else")


def test_the_good_values_of_a_message_are_stored(st):
    """One value that cannot be costs neither the others nor the message: it is a dead letter beside them."""
    before = rejected(st)
    st.publish_raw("fieldcast/hall/readings", '{"device":"hall","boot":1,"seq":1,"values":'
                   '{"temperature":-127,"humidity":41.5,"co2":"n/a","pressure":1013}}')
    wait_for(lambda: st.influx("SELECT humidity, pressure FROM readings WHERE device = 'hall'"), 10, "what is good")
    row = st.influx("SELECT * FROM readings WHERE device = 'hall'")[0]
    assert row["humidity"] == 41.5 and row["pressure"] == 1013 and row.get("temperature") is None
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_partly_refused_total") == 1, 10, "the letter")
    letter = st.get("ingest", "/api/v1/deadletters", limit=1)["items"][0]
    assert letter["device"] == "hall" and '"temperature":-127' in letter["payload"]
    assert letter["reason"] == "bad_value" and "co2" in letter["detail"]
    assert rejected(st) == before  # the reading itself is stored
    ledger = st.get("ingest", "/api/v1/ledger", device="hall")["items"][0]
    assert (ledger["received"], ledger["stored"], ledger["rejected"]) == (1, 1, {})


def test_dead_letters_are_kept(st):
    files = [p for p in (st.folder / "ingest-data").rglob("*") if p.is_file() and "dead" in str(p)]
    text = b"".join(p.read_bytes() for p in files).decode(errors="replace")
    assert files and "bad_json" in text and NATIVE in text


def test_two_raw_ids_in_one_name(st):
    st.publish_raw("sensor/output", "x")
    st.publish_raw("fieldcast/a_b/readings", '{"device":"a b","values":{"temperature":20}}')
    st.publish_raw("fieldcast/a_b/readings", '{"device":"a.b","values":{"temperature":20}}')
    wait_for(lambda: reasons(st).get("device_clash"), 10, "the second raw id to be refused")


# ---- HTTP

BODIES = ["", "{", "[]", "null", "7", '"x"', "{}", '{"series":7}', '{"series":[7]}', '{"series":"no.such"}',
          '{"series":"; DROP TABLE series"}', '{"model":{}}', '{"model":"kitchen.temperature","features":[]}',
          '{"model":"kitchen.temperature","features":{"lag_1":"x"}}', '{"model":"kitchen.temperature","instances":{}}',
          '{"model":"kitchen.temperature","version":-1,"features":{"lag_1":1}}',
          '{"model":"kitchen.temperature","version":99999,"features":{"lag_1":1}}',
          '{"model":"kitchen.temperature","history":["x"],"end":"yesterday","horizon":6}',
          '{"series":"kitchen.temperature","horizon":0}', '{"series":"kitchen.temperature","horizon":1000000}',
          '{"series":"kitchen.temperature","horizon":2.5}', '{"series":"kitchen.temperature","horizon":24,"level":1.5}',
          '{"series":"kitchen.temperature","horizon":24,"level":"high"}', '{"a":1,"a":2}', "[" * 50_000,
          '{"device":"kitchen"}', '{"readings":7}', '[{"device":"kitchen","values":{"temperature":20}},{"device":7}]',
          b'{"series":"\xff"}']
GOOD = {"/predict", "/api/v1/predict"}


@pytest.mark.parametrize("service", SERVICES)
def test_bodies(st, service):
    for method, path, _ in routes_of(service):
        if method == "GET":
            continue
        for body in BODIES:
            r = st.request(method, service, concrete(path), "service", data=body,
                           headers={"Content-Type": "application/json"})
            what = f"{method} {path} {body[:60]!r}: {r.status_code} {r.text[:300]}"
            assert r.status_code < 500, what
            if r.status_code >= 400:
                assert r.headers["Content-Type"] == "application/problem+json", what
                assert len(r.json()["message"]) > 10, what
        big = "[" + "1," * 4_000_000 + "1]"
        r = st.request(method, service, concrete(path), "service", data=big)
        assert r.status_code == 413, f"{path}: {r.status_code}"
    assert st.procs[service].alive()


MUST_REFUSE = [
    ("predictor", "/predict", '{"series":"kitchen.temperature","horizon":0}', 400, "horizon"),
    ("predictor", "/predict", '{"series":"kitchen.temperature","horizon":"x"}', 400, "horizon"),
    ("predictor", "/predict", '{"series":"kitchen.temperature","level":2}', 400, "level"),
    ("predictor", "/predict", '{"series":"attic.nothing","horizon":1}', 404, "attic.nothing"),
    ("predictor", "/predict", '{"series":"kitchen"}', 400, "kitchen"),
    ("predictor", "/predict", '{"model":"kitchen.temperature","version":77,"features":{"lag_1":1}}', 404, "77"),
    ("predictor", "/predict", '{"model":"kitchen.temperature","features":{"lag_1":"x"}}', 400, "feature"),
    ("predictor", "/predict", "{}", 400, "series"),
    ("trainer", "/api/v1/train", '{"series":["nothing"]}', 400, "nothing"),
    ("trainer", "/api/v1/train", '{"series":[]}', 400, "series"),
    ("trainer", "/api/v1/train", '{"series":["kitchen.temperature"],"preset":"nope"}', 400, "preset"),
    ("ingest", "/api/v1/readings", '{"device":"kitchen","values":{"temperature":"x"}}', 400, "temperature"),
    ("ingest", "/api/v1/readings", "{}", 400, ""),
]


@pytest.mark.parametrize("service,path,body,status,names", MUST_REFUSE)
def test_refusals_name_the_thing(st, service, path, body, status, names):
    r = st.request("POST", service, path, "service", data=body)
    assert r.status_code == status, r.text
    assert names in r.json()["message"]


def test_readings_are_taken_all_or_none(st):
    before = st.influx("SELECT count(received_ms) AS n FROM readings")[0]["n"]
    rows = [{"device": "kitchen", "ts_ms": st.clock.now - 1000 * (i + 1), "values": {"temperature": 20}} for i in range(3)]
    r = st.request("POST", "ingest", "/api/v1/readings", "operator", json=[*rows, {"device": "kitchen"}])
    assert r.status_code == 400 and "3" in r.json()["message"]  # which one: the index
    got = st.post("ingest", "/api/v1/readings", rows, token="operator")
    assert got == {"accepted": 3}
    wait_for(lambda: st.influx("SELECT count(received_ms) AS n FROM readings")[0]["n"] == before + 3, 10)


QUERIES = [("predictor", "/api/v1/forecasts", {"series": "kitchen.temperature"},
            {"horizon": ["0", "x", "1000000", "-1", "2.5", "24m"], "series": ["", "x", "a.b.c", "no.such", "\\"]}),
           ("predictor", "/api/v1/history", {"series": "kitchen.temperature"},
            {"from": ["x", "", "0x10", "nan"], "to": ["soon"], "agg": ["2h", "x"], "format": ["xml"]}),
           ("predictor", "/api/v1/series", {}, {"limit": ["0", "x", "-1", "99999999999999999999"]}),
           ("trainer", "/api/v1/jobs", {}, {"limit": ["0", "x", "-5"]}),
           ("trainer", "/api/v1/runs", {}, {"limit": ["0", "x"]}),
           ("trainer", "/api/v1/models", {}, {"limit": ["0", "x"]}),
           ("monitor", "/api/v1/quality", {"series": "kitchen.temperature"}, {"series": ["x", ""], "hours": ["x", "0", "99999"]}),
           ("monitor", "/api/v1/decisions", {}, {"limit": ["0", "x"], "series": ["x y"]})]


@pytest.mark.parametrize("service,path,good,bad", QUERIES)
def test_query_parameters(st, service, path, good, bad):
    assert st.request("GET", service, path, params=good).status_code == 200
    for key, values in bad.items():
        for v in values:
            r = st.request("GET", service, path, params=good | {key: v})
            what = f"{path}?{key}={v}: {r.status_code} {r.text[:200]}"
            assert r.status_code in (400, 404), what
            assert r.headers["Content-Type"] == "application/problem+json", what
            assert key in r.json()["message"] or (v and v in r.json()["message"]), what


@pytest.mark.parametrize("path", ["/api/v1/jobs/x", "/api/v1/jobs/-1", "/api/v1/jobs/99999999999999999999",
                                  "/api/v1/jobs/424242", "/api/v1/runs/x", "/api/v1/runs/" + "0" * 32,
                                  "/api/v1/models/x", "/api/v1/models/no.such",
                                  "/api/v1/models/kitchen.temperature/versions/x",
                                  "/api/v1/models/kitchen.temperature/versions/99"])
def test_things_that_are_not_there(st, path):
    r = st.request("GET", "trainer", path)
    assert r.status_code in (400, 404), r.text
    assert r.json()["message"]


# ---- settings

def settings_of(service):
    out = subprocess.run([program(f"fc-{service}"), "--settings"], check=True, capture_output=True, text=True).stdout
    return [(line[:line.index(" ")], line[28:36].strip(), line) for line in out.splitlines()]


@pytest.mark.parametrize("service", SERVICES)
def test_settings(st, service):
    """Every number, switch and address of the table, wrong: the start is refused by name."""
    bad = {"number": ["x", "-999999999999", "99999999999999999999", "1.5"], "0 or 1": ["yes", "2"],
           "address": ["nowhere"], "text": ["a\x01b"], "secret": ["a\x01b"]}
    tried = 0
    for name, kind, _ in settings_of(service):
        for value in bad[kind][:2]:
            env = st.environment(service) | {"FC_HTTP_PORT": "0", name: value}
            done = subprocess.run([program(f"fc-{service}")], env=env, capture_output=True, text=True, timeout=10)
            assert done.returncode == 1, f"{name}={value!r}: ended with {done.returncode}: {done.stderr}"
            assert name in done.stderr and f"level=fatal service={service} " in done.stderr, done.stderr
            tried += 1
    assert tried > 15


WRONG = [("ingest", "FC_DURABILITY", "foo", "process or power"), ("ingest", "FC_LOG_LEVEL", "all", "debug, info, warn or error"),
         ("ingest", "FC_MQTT_FILTERS", "a/#/b", "a/#/b"), ("ingest", "FC_MQTT_URL", "tcp://", "tcp://host:port"),
         ("ingest", "FC_DECODE_FILE", "/nowhere.json", "could not open FC_DECODE_FILE /nowhere.json"),
         *[("ingest", "FC_HA_PREFIX", p, f'such as homeassistant, not \\"{p}\\"') for p in ("home/+", "#", "/home", "home/")],
         ("trainer", "FC_INFLUX_URL", "ftp://there", "http://host:port"),
         *[(s, "FC_PG_CONNINFO", "garbage", "key=value") for s in ("trainer", "predictor", "monitor")]]


@pytest.mark.parametrize("service,name,value,says", WRONG)
def test_settings_that_are_refused_by_name(st, service, name, value, says):
    env = st.environment(service) | {"FC_HTTP_PORT": "0", "FC_DATA_DIR": str(st.folder / "other"), name: value}
    done = subprocess.run([program(f"fc-{service}")], env=env, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1 and name in done.stderr and says in done.stderr, done.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_files_that_settings_name(st, service):
    for name in ("FC_TOKENS_FILE", "FC_CLOCK_FILE", "FC_SERVICE_TOKEN_FILE"):
        env = {k: v for k, v in st.environment(service).items() if k != "FC_SERVICE_TOKEN"}
        env |= {"FC_HTTP_PORT": "0", name: "/nonexistent/file"}
        done = subprocess.run([program(f"fc-{service}")], env=env, capture_output=True, text=True, timeout=10)
        assert done.returncode == 1 and "/nonexistent/file" in done.stderr, (name, done.stderr)


@pytest.mark.parametrize("service", SERVICES)
def test_port_taken(st, service):
    done = subprocess.run([program(f"fc-{service}")], capture_output=True, text=True, timeout=20,
                          env=st.environment(service) | {"FC_DATA_DIR": str(st.folder / "other")})
    assert done.returncode == 1 and str(st.ports[service]) in done.stderr and "in use" in done.stderr, done.stderr


# ---- database rows

def test_broken_model_document(st):
    """A champion nobody can read: the predictor says so and goes on with the one it has."""
    model = "kitchen.humidity"
    old = st.post("predictor", "/predict", {"series": model, "horizon": 1})["version"]
    for i, text in enumerate(('{"fieldcast_model":1}', "not json", "[" * 5000, '{"fieldcast_model":99,"series":"a.b"}')):
        version = 900 + i
        st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256) VALUES "
              "(%s, %s, 'ols', %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'))", model, version, text, text)
        st.pg("SELECT fc_promote(%s, %s, 'test', 'a broken one', '{}')", model, version)
        wait_for(lambda: f"{version}" in st.procs["predictor"].text(), 10, "the predictor to log it")  # noqa: B023
        r = st.request("POST", "predictor", "/predict", json={"series": model, "horizon": 1})
        assert (r.status_code == 200 and r.json()["version"] == old) or r.status_code in (409, 500), r.text
        assert st.procs["predictor"].alive()
    st.pg("SELECT fc_promote(%s, %s, 'test', 'back again', '{}')", model, old)
    wait_for(lambda: st.post("predictor", "/predict", {"series": model, "horizon": 1})["version"] == old, 10)


def test_odd_rows(st):
    """Rows that a person might write by hand."""
    st.pg("""UPDATE series SET settings = '{"preset": 7, "checks": "all"}', tz = 'Mars/Olympus' WHERE name = 'kitchen.humidity'""")
    st.pg("INSERT INTO series (name, device, quantity, tz) VALUES ('ghost.temperature', 'ghost', 'temperature', 'UTC')")
    st.advance(2, publish=Home(["kitchen"], every_ms=600_000, seed=9).publish)
    for s in SERVICES:
        assert st.procs[s].alive()
    assert st.settled_hour() == ms(START) + 26 * HOUR


def test_nothing_crashed(st):
    for s in SERVICES:
        assert st.procs[s].alive() and "level=fatal" not in st.procs[s].text()
        assert "Sanitizer" not in st.procs[s].text() and "runtime error" not in st.procs[s].text()
