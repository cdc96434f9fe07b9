# SPDX-License-Identifier: GPL-3.0-or-later
"""The real InfluxDB 1.6: bad lines in a big batch, its password, its limits, a database that is
dropped, and queries that fail while writes do not."""

import pytest
import requests

from faulty import FULL, Faulty
from procs import wait_for
from stack import GRACE, HOUR, START, ms
from test_influx_dialects import failures, letters, misconfigured, totals, wait_decided, waiting_for

T0 = ms(START)


def post(st, device, seqs, t0=T0 - HOUR, **more):
    """Readings, one a second, that come into one batch. more: {name: seqs} of further values."""
    body = [{"device": device, "boot": 1, "seq": s, "ts_ms": t0 + s * 1000,
             "values": {"temperature": 20 + s % 4, **{name: 1 for name, some in more.items() if s in some}}} for s in seqs]
    st.post("ingest", "/api/v1/readings", body)


def stored(st, **credentials):
    r = requests.get(f"{st.influx_server.url}/query", timeout=30,
                     params={"db": st.influx_db, "epoch": "ms", "q": "SELECT seq FROM readings", **credentials})
    series = r.json()["results"][0].get("series", [{"values": []}])
    return sorted(int(row[1]) for row in series[0]["values"])


def test_a_type_conflict_in_a_big_batch(stacks):
    st = stacks(services=["ingest"], env={"FC_FLUSH_MS": 500})
    assert st.metric("ingest", "fieldcast_ingest_influxdb_info", dialect="1") == 1
    st.influx_write([f'readings,device=x odd="text" {T0 - HOUR}'])
    post(st, "kitchen", range(1, 2001), odd={1000})
    wait_decided(st, 2000)
    rows = st.influx("SELECT temperature, seq FROM readings WHERE device = 'kitchen'")
    assert {r["time"]: (r["seq"], r["temperature"]) for r in rows} == \
        {T0 - HOUR + s * 1000: (s, 20 + s % 4) for s in range(1, 2001) if s != 1000}
    why = letters(st)
    assert set(why) == {1000}
    assert why[1000] == ('partial write: field type conflict: input field "odd" on measurement "readings" is type '
                         'float, already exists as type string dropped=1')
    assert failures(st, "bad_lines") <= 2  # the batch, and the suspect on its own


def test_every_point_in_conflict(stacks):
    """Nothing of theirs can be stored: told by one answer, not by thousands."""
    st = stacks(services=["ingest"], env={"FC_FLUSH_MS": 500})
    st.influx_write([f'readings,device=x temperature="text" {T0 - HOUR}'])
    post(st, "kitchen", range(1, 1001))
    wait_decided(st, 1000)
    assert totals(st)["rejected"] == {"refused_by_influxdb": 1000} and set(letters(st)) == set(range(1, 1001))
    assert failures(st, "bad_lines") <= 4


def test_batches_one_behind_the_other(stacks):
    """What has piled up goes in many batches, each put together while the one before is written: refused lines are
    found in theirs, and after a kill in the middle the rest goes where it stopped."""
    st = stacks(services=["ingest"], own_servers=True, env={"FC_FLUSH_MS": 500}, service_env={"ingest": {"FC_BATCH_POINTS": 50}})
    st.influx_write([f'readings,device=x odd="text" {T0 - HOUR}'])
    bad = {*range(40, 3000, 333)}
    st.influx_server.stop()
    post(st, "kitchen", range(1, 3001), odd=bad)
    st.influx_server.start()
    wait_for(lambda: len(stored(st)) > 500, 30, "some of them", every=0.02)
    st.kill("ingest")
    st.start("ingest")
    wait_for(lambda: len(stored(st)) == 3000 - len(bad), 60, "the rest")
    wait_for(lambda: set(letters(st)) == bad, 20, "the letters")
    post(st, "kitchen", range(3001, 3011))  # few: on their own thread's way
    wait_for(lambda: stored(st) == [s for s in range(1, 3011) if s not in bad], 20, "the last")


def test_a_database_that_is_dropped(stacks):
    # InfluxDB 1.6 may hang for good when it drops what it deletes from at the same time
    st = stacks(services=["ingest"], env={"FC_RETAIN_READINGS_D": 0, "FC_RETAIN_LEADS_D": 0})
    post(st, "kitchen", range(1, 11))
    wait_decided(st, 10)
    st.influx_server.query("", f'DROP DATABASE "{st.influx_db}"')
    post(st, "kitchen", range(11, 21))
    wait_decided(st, 20)
    assert stored(st) == list(range(11, 21))


def test_a_password_that_is_wrong(stacks):
    st = stacks(services=["ingest"], own_servers=True, launch=False)
    st.influx_server.proc.env["INFLUXDB_HTTP_AUTH_ENABLED"] = "true"
    st.extra |= {"FC_INFLUX_USER": "fc", "FC_INFLUX_PASSWORD": "the right one"}
    st.mosquitto.start()
    st.pg_server.start()
    st.influx_server.start()
    st.open_databases()

    def admin(q):
        r = requests.post(f"{st.influx_server.url}/query", params={"u": "fc", "p": "another"}, data={"q": q}, timeout=30)
        assert r.ok and "error" not in r.text, r.text
    admin("CREATE USER \"fc\" WITH PASSWORD 'another' WITH ALL PRIVILEGES")
    st.start("ingest", wait=False)
    wait_for(lambda: st.request("GET", "ingest", "/healthz", token=None).ok, 20, "ingest to listen")
    # before there is anything to write
    wait_for(lambda: misconfigured(st) and waiting_for(st) == ["influxdb"], 20, "the alarm")
    for i in range(5):
        post(st, "kitchen", range(1 + 100 * i, 101 + 100 * i))
    wait_for(lambda: failures(st, "configuration") >= 1, 20, "a write to be refused")
    assert waiting_for(st) == ["influxdb"] and totals(st)["pending"] == 500
    said = st.procs["ingest"].text()
    assert "HTTP 401: authorization failed; look at FC_INFLUX_USER and FC_INFLUX_PASSWORD" in said
    assert "the right one" not in said and said.count("influxdb is away") == 1
    admin("SET PASSWORD FOR \"fc\" = 'the right one'")
    st.wait_ready("ingest")
    wait_decided(st, 500)
    assert stored(st, u="fc", p="the right one") == list(range(1, 501))
    assert totals(st)["rejected"] == {}
    assert not misconfigured(st)


def test_a_small_limit_of_a_request(stacks):
    """Readings and the hours made of them go in pieces."""
    st = stacks(services=["ingest"], own_servers=True, launch=False, env={"FC_FLUSH_MS": 500})
    st.influx_server.proc.env["INFLUXDB_HTTP_MAX_BODY_SIZE"] = "3000"
    st.launch()
    st.clock.set(T0 + HOUR)
    body = [{"device": f"node{i}", "boot": 1, "seq": s, "ts_ms": T0 + s * 60_000 + i,
             "values": {"temperature": 20 + s % 4}} for s in range(20) for i in range(50)]
    st.post("ingest", "/api/v1/readings", body)
    wait_decided(st, 1000)
    assert failures(st, "too_large") >= 1 and totals(st)["rejected"] == {}
    rows = st.influx("SELECT seq FROM readings GROUP BY device")
    assert sorted((r["device"], r["seq"]) for r in rows) == sorted((b["device"], b["seq"]) for b in body)
    st.clock.set(T0 + HOUR + GRACE)
    wait_for(lambda: len(st.influx("SELECT temperature_n FROM hourly GROUP BY device")) == 50, 30, "50 hours")
    assert {r["temperature_n"] for r in st.influx("SELECT temperature_n FROM hourly")} == {20}


@pytest.mark.parametrize("only", [b"readings", b""])
def test_queries_alone_fail(stacks, only):
    """Readings are stored, and no hours can be made of them: ingest cannot do its job."""
    st = stacks(services=["ingest"], launch=False)
    between = Faulty(st.shared.influx.port)
    try:
        st.extra["FC_INFLUX_URL"] = between.url
        st.launch()
        st.clock.set(T0 + HOUR)
        post(st, "kitchen", range(1, 101), t0=T0)
        wait_decided(st, 100)
        between.answers, between.only = {"query": FULL}, only
        st.clock.set(T0 + HOUR + GRACE)
        wait_for(lambda: waiting_for(st) == ["influxdb"], 20, "readyz to name influxdb")
        post(st, "kitchen", range(101, 201), t0=T0)
        wait_decided(st, 200)  # writes go on
        assert waiting_for(st) == ["influxdb"]
        said = st.procs["ingest"].text()
        assert said.count("influxdb is away") == 1, said
        assert "hours are not rolled up" in said or only == b""
        assert st.metric("ingest", "fieldcast_ingest_rollups_total", result="failed") >= 1
        between.answers = {}
        st.wait_ready("ingest")
        wait_for(lambda: [r["temperature_n"] for r in st.influx("SELECT temperature_n FROM hourly")] == [200], 20,
                 "the hour")
    finally:
        between.close()
