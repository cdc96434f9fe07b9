# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB 1.8, 2.x and 3 Core as they answer: every good line is there at the end, every bad one
is a dead letter with InfluxDB's own reason, and no fault on the way costs anything."""

import json

import pytest

from influx_stub import InfluxStub
from procs import wait_for
from stack import START, ms

T0 = ms(START) - 3_400_000  # in the hour that is not closed
VERSIONS = ["1.8.10", "v2.0.3", "v2.7.12", "3.9.6"]
REASONS = {1: ("field type conflict", "invalid number"), 2: ("field type conflict", "invalid number"),
           3: ("invalid column type for column 'odd'", "Could not parse entire line")}


def letters(st):
    """{seq: detail} of the dead letters."""
    found, params = {}, {}
    while True:
        page = st.get("ingest", "/api/v1/deadletters", reason="refused_by_influxdb", limit=500, **params)
        found |= {json.loads(x["payload"])["seq"]: x["detail"] for x in page["items"]}
        if not page["next"]:
            return found
        params = {"before": page["next"]}


def totals(st):
    return st.get("ingest", "/api/v1/ledger")["totals"]


def wait_decided(st, n, timeout=60):
    def decided():
        t = totals(st)
        return t["stored"] + sum(t["rejected"].values()) >= n
    wait_for(decided, timeout, f"{n} readings to be stored or refused")


def waiting_for(st):
    return st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"]


def failures(st, reason):
    return st.metric("ingest", "fieldcast_ingest_write_failures_total", reason=reason)


def misconfigured(st):
    return st.metric("ingest", "fieldcast_ingest_influxdb_misconfigured") == 1


def has(stub, seqs):
    """Exactly these readings of the kitchen are in the stub, each at its time."""
    got = {key[2]: fields for key, fields in stub.points.items() if key[0] == "readings"}
    assert {t - T0: f["seq"] for t, f in got.items()} == {s * 1000: s for s in seqs}
    assert all(f["temperature"] == 20 + f["seq"] % 4 for f in got.values())


def post(st, seqs, **more):
    """One request: these come into one batch. more: {name: seqs} of further values."""
    body = [{"device": "kitchen", "boot": 1, "seq": s, "ts_ms": T0 + s * 1000,
             "values": {"temperature": 20 + s % 4, **{name: 1 for name, some in more.items() if s in some}}} for s in seqs]
    for i in range(0, len(body), 1000):
        st.post("ingest", "/api/v1/readings", body[i:i + 1000])


def ingest(stacks, stub, **env):
    st = stacks(services=["ingest"], wait=False,
                env={"FC_INFLUX_URL": stub.url, "FC_INFLUX_TOKEN": stub.token or "", "FC_FLUSH_MS": 500, **env})
    wait_for(lambda: st.request("GET", "ingest", "/healthz", token=None).ok, 20, "ingest to listen")
    return st


@pytest.mark.parametrize("version", VERSIONS)
def test_every_line_gets_its_verdict(stacks, version):
    with InfluxStub(version, token="s3cret") as stub:
        st = ingest(stacks, stub)
        st.wait_ready("ingest")
        assert f"InfluxDB is {version} (" in st.procs["ingest"].text()
        assert st.metric("ingest", "fieldcast_ingest_influxdb_info", version=version, dialect=str(stub.dialect)) == 1
        n, odd, broken = 900, set(range(40, 860, 4)), {1, 77, 78, 500, 900}
        post(st, range(1, n + 1), odd=odd - broken, broken=broken)
        wait_decided(st, n)
        has(stub, set(range(1, n + 1)) - odd - broken)
        assert totals(st)["rejected"] == {"refused_by_influxdb": len(odd | broken)}
        why = letters(st)
        assert set(why) == odd | broken
        conflict, unread = REASONS[stub.dialect]
        assert all(conflict in why[s] for s in odd - broken)
        assert all(unread in why[s] for s in broken)
        assert stub.auth == {"Token s3cret"}
        if stub.dialect > 1:
            assert not [q for _, q in stub.statements if q.startswith("CREATE")]
        assert "s3cret" not in st.procs["ingest"].text()


@pytest.mark.parametrize("version", VERSIONS)
def test_named_lines_cost_a_write_or_two(stacks, version):
    """Halving would take twenty writes to find one bad line among a thousand."""
    with InfluxStub(version) as stub:
        st = ingest(stacks, stub)
        st.wait_ready("ingest")
        post(st, range(1, 1001), odd={500})
        post(st, range(1001, 2001), broken={1500})
        wait_decided(st, 2000)
        has(stub, set(range(1, 2001)) - {500, 1500})
        assert set(letters(st)) == {500, 1500}
        # the batch, and for a conflict the suspect on its own
        assert failures(st, "bad_lines") <= 4, stub.writes


def test_lines_that_no_answer_names(stacks):
    """Some points are too old: halves find them."""
    with InfluxStub("v2.7.12") as stub:
        stub.oldest_ms = T0 + 300_000
        st = ingest(stacks, stub)
        post(st, [*range(250, 290), *range(400, 500), *range(290, 350)])
        wait_decided(st, 200)
        has(stub, [*range(300, 350), *range(400, 500)])
        why = letters(st)
        assert set(why) == set(range(250, 300))
        assert all("points beyond retention policy" in w for w in why.values())


def test_an_answer_too_large_to_read(stacks):
    """1.x repeats every line that it cannot read, in a header too."""
    with InfluxStub("1.8.10") as stub:
        st = ingest(stacks, stub)
        post(st, range(1, 3001), broken=set(range(1, 2999)))
        wait_decided(st, 3000)
        has(stub, [2999, 3000])
        assert len(letters(st)) == 2998 and failures(st, "too_large") >= 1


def config_fault(st, stub, fault, seqs, text):
    """Everything is kept, and it is said who has to mend what."""
    stub.faults = [fault]
    post(st, seqs)
    wait_for(lambda: misconfigured(st) and failures(st, "configuration"), 20, "the alarm")
    assert "influxdb" in waiting_for(st)
    why = st.request("GET", "ingest", "/readyz", token=None).json()["dependencies"]["influxdb"]["why"]
    assert text in why, why
    stub.faults = []
    st.wait_ready("ingest")
    assert not misconfigured(st)


CONFIG = {"1.8.10": [("no_policy", "default retention policy")],
          "v2.0.3": [("denied", "FC_INFLUX_TOKEN")],
          "v2.7.12": [("forbidden", "must be allowed to read and write")],
          "3.9.6": [("denied", "FC_INFLUX_TOKEN")]}


@pytest.mark.parametrize("version", VERSIONS)
def test_no_fault_loses_anything(stacks, version):
    with InfluxStub(version) as stub:
        st = ingest(stacks, stub)
        st.wait_ready("ingest")
        sent = 0

        def some(n=300):
            nonlocal sent
            sent += n
            return range(sent - n + 1, sent + 1)

        for fault, text in CONFIG[version]:
            config_fault(st, stub, fault, some(), text)
        for fault in ("busy", "unavailable", "reset", "reset_after"):
            before = failures(st, "unavailable")
            stub.faults = [fault]
            post(st, some())
            wait_for(lambda n=before: failures(st, "unavailable") > n and "influxdb" in waiting_for(st), 20, fault)
            stub.faults = []
            wait_decided(st, sent)
        stub.delay_s = 1.2
        post(st, some())
        wait_decided(st, sent)
        stub.limit, stub.delay_s = 4000, 0
        post(st, some())
        wait_decided(st, sent)
        assert failures(st, "too_large") >= 1
        has(stub, range(1, sent + 1))
        assert totals(st)["rejected"] == {}
        assert not letters(st)


def test_no_bucket_yet(stacks):
    """InfluxDB 2 has no databases to make: it is said what to do, and done by somebody."""
    with InfluxStub("v2.7.12", db="fieldcast") as stub:
        st = ingest(stacks, stub)
        post(st, range(1, 101))
        wait_for(lambda: "influxdb" in waiting_for(st) and failures(st, "configuration"), 20, "the alarm")
        assert "its DBRP mapping (docs/ingest.md)" in st.procs["ingest"].text()
        stub.db = None
        wait_decided(st, 100)
        has(stub, range(1, 101))
        assert not [q for _, q in stub.statements if q.startswith("CREATE")]


def test_a_database_that_is_gone_is_made(stacks):
    with InfluxStub("1.8.10", db="fieldcast") as stub:
        st = ingest(stacks, stub)
        post(st, range(1, 101))
        wait_decided(st, 100)
        has(stub, range(1, 101))
        assert [q for m, q in stub.statements if q.startswith("CREATE") and m == "POST"]


def test_a_limit_below_one_point(stacks):
    """Nothing can be written: that is a limit set too low, not a bad point."""
    with InfluxStub("1.8.10") as stub:
        st = ingest(stacks, stub)
        stub.limit = 20
        post(st, range(1, 11))
        wait_for(lambda: failures(st, "configuration"), 20, "the alarm")
        assert "a limit of InfluxDB, or of a proxy before it, is too low" in st.procs["ingest"].text()
        stub.limit = None
        wait_decided(st, 10)
        has(stub, range(1, 11))


def test_short_queries_go_by_get(stacks):
    """GET is the only form of /query that every version has."""
    with InfluxStub("3.9.6") as stub:
        st = ingest(stacks, stub)
        st.wait_ready("ingest")
        assert stub.statements and {m for m, _ in stub.statements} == {"GET"}
