# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to the trainer over HTTP, and bad rows in its databases: each is named, nothing is
taken in silence, and the trainer lives on."""

import json

import pytest

from stack import HOUR
from trainer_data import START, add_series, train, trainer_stack, wait_job, write_hours


@pytest.fixture
def st(stacks):
    s = trainer_stack(stacks, weeks=2)
    yield s
    assert s.procs["trainer"].alive() and s.request("GET", "trainer", "/healthz").status_code == 200
    assert train(s, ["kitchen.temperature"])[0]["state"] == "done", "it works no longer"


def problem(r, status, text):
    assert r.status_code == status, f"{r.status_code} {r.text[:300]}"
    assert r.headers["Content-Type"].startswith("application/problem+json")
    body = r.json()
    assert body["status"] == status and text in body["detail"], body
    assert body["message"] == body["detail"] and body["type"] and body["title"]


def test_train_bodies(st):
    def post(data, **kw):
        return st.request("POST", "trainer", "/api/v1/train", data=data, **kw)

    problem(post(b""), 400, "the body is empty")
    problem(post(b"{"), 400, "not valid JSON")
    problem(post(b'{"series":"all"} x'), 400, "not valid JSON")
    problem(post(b'{"series":"all","series":"all"}'), 400, "not valid JSON")
    problem(post(b"[" * 60000), 400, "nested deeper")
    problem(post(b'{"series":["\xff\xfe"]}'), 400, "not valid JSON")
    problem(post(b'{"series":["a\\u0000b.c"]}'), 400, "not valid JSON")
    problem(post(b'{"series":["' + b"a" * 300 + b'.b"]}'), 400, 'field "series": item 0')
    problem(post(b'{"series":["nobody.temperature"]}'), 404, 'there is no series "nobody.temperature"')
    problem(post(b'{"series":["kitchen.temperature","no.such"]}'), 404, 'there is no series "no.such"')
    problem(post(b'{"series":["kitchen.temperature"],"preset":"system1"}'), 400, 'not "system1"')
    problem(post(b'{"series":["kitchen.temperature"],"priority":101}'), 400, '"priority"')
    problem(post(b'{"series":["kitchen.temperature"],"priority":1e400}'), 400, "JSON")
    problem(post(json.dumps({"series": "all", "reason": "x" * 501})), 400, '"reason"')
    problem(post(b" " * (3 << 20)), 413, "the body may have at most")
    problem(post(b"{}", token=None), 401, "bearer token")
    problem(post(b"{}", token="viewer"), 403, "operator is needed")
    problem(post(b"{}", token="=nonsense"), 401, "not known")
    problem(st.request("PUT", "trainer", "/api/v1/train"), 405, "it takes POST")
    assert not st.pg("SELECT 1 FROM jobs"), "something was queued"


def test_series_that_must_not_be_learned(st):
    add_series(st, "attic.temperature", state="quarantined")
    add_series(st, "attic.humidity", state="disabled")
    for name, state in (("attic.temperature", "quarantined"), ("attic.humidity", "disabled")):
        r = st.request("POST", "trainer", "/api/v1/train", json={"series": ["kitchen.temperature", name]})
        problem(r, 409, f'series "{name}" is {state}')
    assert not st.pg("SELECT 1 FROM jobs")


def test_all_takes_what_is_forecast(st):
    for name, settings in (("a.temperature", "{}"), ("a.temperature_2", "{}"), ("a.rssi", "{}"),
                           ("a.battery_level", '{"forecast":true}'), ("a.humidity", '{"forecast":false}'),
                           ("a.unheard_of", "{}"), ("a.unheard_too", '{"forecast":true}'),
                           ("a.pressure", '{"forecast":"yes"}'), ("a.motion_1", "{}")):
        add_series(st, name, settings=settings)
    jobs = st.post("trainer", "/api/v1/train", {"series": "all"}, status=202)["jobs"]
    assert [j["series"] for j in jobs] == ["a.battery_level", "a.pressure", "a.temperature", "a.temperature_2",
                                           "a.unheard_too", "kitchen.temperature"]
    for j in jobs:
        wait_job(st, j["id"])


def test_paths_and_queries(st):
    train(st, ["kitchen.temperature"])
    for path, status, text in (
            ("/api/v1/jobs/abc", 400, "a job's id"), ("/api/v1/jobs/77777", 404, "there is no job 77777"),
            ("/api/v1/jobs?state=x", 400, '"state"'), ("/api/v1/jobs?limit=-1", 400, '"limit"'),
            ("/api/v1/jobs?limit=9999999999999999999999", 400, '"limit"'),
            ("/api/v1/jobs?series=%ff%fe.x", 400, ""), ("/api/v1/jobs?cursor=1%27%3B--", 400, '"cursor"'),
            ("/api/v1/runs?cursor=abc", 400, '"cursor"'), ("/api/v1/runs?cursor=1.%2e%2e", 400, '"cursor"'),
            ("/api/v1/runs/xyz", 404, 'there is no run "xyz"'),
            ("/api/v1/runs/%ff", 400, ""),
            ("/api/v1/models/nobody", 404, 'there is no model "nobody"'),
            ("/api/v1/models/" + "x" * 400, 404, "there is no model"),
            ("/api/v1/models/%ff", 400, ""),
            ("/api/v1/models/kitchen.temperature/versions/9", 404, "has no version 9"),
            ("/api/v1/models/kitchen.temperature/versions/nobody", 404, 'no alias "nobody"'),
            ("/api/v1/models/kitchen.temperature/versions/-1", 400, "whole number from 1"),
            ("/api/v1/models/no.body/versions/1/rows", 404, 'there is no model "no.body"'),
            ("/api/v1/nothing", 404, "there is nothing at")):
        problem(st.request("GET", "trainer", path), status, text)


def test_bad_rows_in_postgres(st):
    # a series that no ingest would have made, and jobs that no API would have queued
    st.pg("INSERT INTO series (name, device, quantity, settings) VALUES ('odd.1x', 'odd', '1x', '{\"forecast\":true}')")
    ids = [st.pg("INSERT INTO jobs (series, reason, preset, actor) VALUES (%s, 'x', %s, 'x') RETURNING id",
                 series, preset)[0]["id"]
           for series, preset in (("odd.1x", None), ("nonsense", None), ("'; DROP TABLE jobs; --", None),
                                  ("kitchen.temperature", "a preset that nobody knows"), ("x" * 500, None))]
    good = st.post("trainer", "/api/v1/train", {"series": "all"}, status=202)["jobs"]
    for i in ids:
        job = wait_job(st, i)
        assert job["state"] == "failed" and job["message"], job
    assert {wait_job(st, j["id"])["state"] for j in good} <= {"done", "failed"}
    # rows that are not what they claim to be
    train(st, ["kitchen.temperature"])
    path = "/api/v1/models/kitchen.temperature/versions/champion"
    st.pg("UPDATE model_versions SET training_rows = '\\x00'")
    problem(st.request("GET", "trainer", f"{path}/rows"), 500, "are damaged")
    st.pg("UPDATE model_versions SET rows_n = 2000000000")
    problem(st.request("GET", "trainer", f"{path}/rows"), 500, "claims 2000000000 rows")
    st.pg("UPDATE model_versions SET training_rows = NULL")
    problem(st.request("POST", "trainer", f"{path}/verify"), 404, "without training rows")


def test_absurd_hours(st):
    values = {"huge": lambda h, _n: 1e300, "constant": lambda h, _n: 5.0, "tiny": lambda h, _n: 5e-324 * (h % 3),
              "jumps": lambda h, _n: (-1e12 if h % 2 else 1e12)}
    for device, value in values.items():
        add_series(st, f"{device}.light")
        write_hours(st, f"{device}.light", 14 * 24, value=value)
    jobs = train(st, [f"{d}.light" for d in values])
    by_name = {j["series"]: j for j in jobs}
    assert by_name["huge.light"]["outcome"] == "refused" and "1e+300" in by_name["huge.light"]["message"]
    assert {by_name[f"{d}.light"]["state"] for d in ("constant", "tiny", "jumps")} == {"done"}


def test_influx_answers_with_text_fields(st):
    """A field of another type in `hourly` is no number: those hours are missing."""
    add_series(st, "hall.mode")
    st.influx_write(f'hourly,device=hall mode="on" {START + h * HOUR}' for h in range(48))
    (job,) = train(st, ["hall.mode"])
    assert job["outcome"] == "refused" and job["message"].startswith("no_model_yet")
