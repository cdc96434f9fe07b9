# SPDX-License-Identifier: GPL-3.0-or-later
"""A training, from `hourly` to everything that can be read back of it."""

import csv
import hashlib
import io
import json
import math
import random
import struct

import psycopg
import pytest

from stack import HOUR, iso
from trainer_data import START, add_series, chain_holds, train, trainer_stack, wait_job, write_hours


def rounded(x):
    """What is stored twice is written with more or fewer digits."""
    return json.loads(json.dumps(x), parse_float=lambda text: float(f"{float(text):.12g}"))


def test_first_model_and_all_it_leaves(stacks):
    st = trainer_stack(stacks, weeks=4)
    (job,) = train(st, ["kitchen.temperature"], reason="first training")
    assert (job["state"], job["outcome"], job["version"], job["progress"]) == ("done", "promoted", 1, 1), job
    assert job["actor"] == "admin" and job["reason"] == "first training" and job["attempts"] == 1

    model = st.get("trainer", "/api/v1/models/kitchen.temperature")
    assert model["aliases"] == {"champion": 1}
    (version,) = model["versions"]
    assert version["training"]["rows"] == 4 * 7 * 24
    assert version["training"]["from"] == iso(START)
    assert version["training"]["to"] == iso(START + (4 * 7 * 24 - 1) * HOUR)
    assert version["metrics"]["mae"] > 0

    text = st.request("GET", "trainer", "/api/v1/models/kitchen.temperature/versions/1").content
    assert hashlib.sha256(text).hexdigest() == version["content_sha256"]
    document = json.loads(text)
    assert document["series"] == "kitchen.temperature" and document["fieldcast_model"] == 1
    assert document["algorithm"] == version["algorithm"]
    assert document["training"]["sha256"] == version["training"]["sha256"]
    assert st.request("GET", "trainer", "/api/v1/models/kitchen\\.temperature/versions/champion").content == text

    run = st.get("trainer", f"/api/v1/runs/{job['run_id']}")
    assert run["series"] == "kitchen.temperature" and run["status"] == "FINISHED" and run["version"] == 1
    assert run["metrics"]["mae"] == version["metrics"]["mae"]
    assert run["params"] and run["tags"]["outcome"] == "promoted"
    assert run["inputs"][0]["sha256"] == version["training"]["sha256"]
    (artifact,) = run["artifacts"]
    evidence = st.get("trainer", f"/api/v1/runs/{job['run_id']}/artifacts/{artifact['path']}")
    assert evidence["run"] == job["run_id"] and evidence["challenger"] == 1 and evidence["champion"] is None

    (decision,) = st.pg("SELECT * FROM decisions")
    assert (decision["kind"], decision["version"], decision["previous"]) == ("promote", 1, None)
    scores = evidence.pop("scores")  # the artifact's alone: the error at each origin
    assert len(scores["backtest"]["persistence"]) == len(scores["backtest"]["seasonal_naive_24"]) > 0
    assert rounded(decision["evidence"]) == rounded(evidence) and decision["actor"] == "admin"
    assert chain_holds(st)
    assert st.metric("trainer", "fieldcast_training_runs_total", device="kitchen", quantity="temperature",
                     result="promoted") == 1
    assert st.metric("trainer", "fieldcast_model_validation_mae", unit="celsius") == version["metrics"]["mae"]


def test_diagnostics_stand_with_the_run(stacks):
    """The regression's figures are the run's metrics, its sentences are evidence; the version has the forecast's
    metrics alone. Figures at the edge of what a real can be are stored as they are."""
    st = trainer_stack(stacks, weeks=0)
    st.clock.set(START + 8 * 7 * 24 * HOUR + 130_000)
    # so near to what its past says that chance is beyond the smallest real
    rng = random.Random(5)
    plain = [math.sin(math.pi * h / 12) + math.sin(math.pi * h / 84) for h in range(1344)]
    noisy = [1e6 * v + rng.gauss(0, 1e-3) for v in plain]
    write_hours(st, "kitchen.temperature", 1344, value=lambda h, _n: noisy[h])
    add_series(st, "hall.temperature")
    write_hours(st, "hall.temperature", 1344, value=lambda *_: 21.0)
    jobs = {j["series"]: j for j in train(st, "all")}
    run = st.get("trainer", f"/api/v1/runs/{jobs['kitchen.temperature']['run_id']}")
    told = {k: v for k, v in run["metrics"].items() if k.startswith("diag_")}
    assert told["diag_rows"] == 1344 - 26 and told["diag_f_p"] < 1e-300 and told["diag_condition_scaled"] > 100, told
    assert all(math.isfinite(v) for v in told.values())
    evidence = st.get("trainer", f"/api/v1/runs/{run['id']}/artifacts/evidence.json")
    assert [t["name"] for t in evidence["diagnostics"]["terms"]][:2] == ["const", "lag_1"]
    assert {n["about"] for n in evidence["diagnostics"]["notes"]} >= {"fit", "normality", "spread", "autocorrelation"}
    (version,) = st.get("trainer", "/api/v1/models/kitchen.temperature")["versions"]
    assert version["metrics"] == {k: v for k, v in run["metrics"].items() if k not in told}
    # nothing can be told of a constant
    run = st.get("trainer", f"/api/v1/runs/{jobs['hall.temperature']['run_id']}")
    assert run["metrics"]["mae"] == 0 and not [k for k in run["metrics"] if k.startswith("diag_")]


def test_rows_are_those_that_were_hashed(stacks):
    st = trainer_stack(stacks, weeks=2)
    # a hole, which stays one in the rows
    st.influx(f'DELETE FROM hourly WHERE time >= {START + 50 * HOUR}ms AND time < {START + 60 * HOUR}ms')
    train(st, ["kitchen.temperature"])
    rows = list(csv.DictReader(io.StringIO(
        st.get("trainer", "/api/v1/models/kitchen.temperature/versions/1/rows"))))
    assert len(rows) == 336 and [r["value"] for r in rows[50:60]] == [""] * 10
    canonical = b"".join(struct.pack("<qd", START // 1000 + i * 3600, float(r["value"] or "nan"))
                         for i, r in enumerate(rows))
    model = st.get("trainer", "/api/v1/models/kitchen.temperature")
    assert hashlib.sha256(canonical).hexdigest() == model["versions"][0]["training"]["sha256"]
    written = {r["time"]: r["temperature"] for r in st.influx('SELECT temperature FROM hourly')}
    assert {iso(t): v for t, v in written.items()} == {r["time"]: float(r["value"]) for r in rows if r["value"]}


def test_window_is_eight_weeks_to_the_last_complete_hour(stacks):
    st = trainer_stack(stacks, weeks=9)
    # an hour that is not complete yet by the clock
    write_hours(st, "kitchen.temperature", 1, start=START + 9 * 7 * 24 * HOUR, value=lambda *_: 999.0)
    train(st, ["kitchen.temperature"])
    (v,) = st.get("trainer", "/api/v1/models/kitchen.temperature")["versions"]
    assert v["training"]["rows"] == 1344
    assert v["training"]["to"] == iso(START + (9 * 7 * 24 - 1) * HOUR)


def test_many_series_of_many_devices_each_get_their_own(stacks):
    names = [f"room{d}.{q}" for d in range(5) for q in ("temperature", "humidity", "pressure", "co2")]
    st = trainer_stack(stacks, weeks=0)
    st.clock.set(START + 48 * HOUR + 130_000)
    for i, name in enumerate(names):
        add_series(st, name)
        write_hours(st, name, 48, value=lambda h, _n, i=i: 100.0 * i + h % 24)
    jobs = train(st, "all")
    assert [j["series"] for j in jobs] == sorted(names + ["kitchen.temperature"])
    assert {j["state"] for j in jobs if j["series"] in names} == {"done"}
    for i, name in enumerate(names):
        rows = st.get("trainer", f"/api/v1/models/{name}/versions/1/rows").splitlines()[1:]
        assert [float(r.split(",")[2]) for r in rows] == [100.0 * i + h % 24 for h in range(48)], name


def test_too_few_hours_is_refused_with_a_sentence(stacks):
    st = trainer_stack(stacks, weeks=0)
    st.clock.set(START + 23 * HOUR + 130_000)
    (job,) = train(st, ["kitchen.temperature"])
    assert (job["state"], job["outcome"], job["version"]) == ("failed", "refused", None)
    assert job["message"].startswith("no_model_yet: kitchen.temperature has no complete hour")
    write_hours(st, "kitchen.temperature", 23)
    (job,) = train(st, ["kitchen.temperature"])
    assert job["message"] == "no_model_yet: kitchen.temperature has 23 complete hours, 24 are needed"
    write_hours(st, "kitchen.temperature", 24)
    st.clock.set(START + 24 * HOUR + 130_000)
    (job,) = train(st, ["kitchen.temperature"])
    assert job["outcome"] == "promoted"
    assert [d["kind"] for d in st.pg("SELECT kind FROM decisions ORDER BY id")] == ["refused", "refused", "promote"]
    assert chain_holds(st)


def test_a_challenger_that_does_not_win_is_kept_beside(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, ["kitchen.temperature"])
    (job,) = train(st, ["kitchen.temperature"], reason="again")  # the same data: nothing to gain
    assert (job["state"], job["outcome"], job["version"]) == ("done", "kept", 2), job
    model = st.get("trainer", "/api/v1/models/kitchen.temperature")
    assert model["aliases"] == {"challenger": 2, "champion": 1}
    decision = st.pg("SELECT * FROM decisions ORDER BY id DESC LIMIT 1")[0]
    assert (decision["kind"], decision["version"]) == ("kept", 1)
    assert decision["evidence"]["challenger"] == 2 and decision["evidence"]["asked"] == "again"


def test_system0_preset(stacks):
    st = trainer_stack(stacks, weeks=4)
    (job,) = train(st, ["kitchen.temperature"], preset="system0")
    assert job["state"] == "done" and job["preset"] == "system0"
    document = json.loads(st.request("GET", "trainer", "/api/v1/models/kitchen.temperature/versions/1").content)
    assert document["training"]["preset"] == "system0" and document["training"]["rows"] <= 168


def test_promote_by_hand_and_back(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, ["kitchen.temperature"])
    train(st, ["kitchen.temperature"])
    path = "/api/v1/models/kitchen.temperature/versions"
    seq = st.pg("SELECT max(model_seq) AS m FROM model_versions")[0]["m"]
    model = st.post("trainer", f"{path}/2/promote", {"reason": "trying it"}, token="operator")
    assert model["aliases"] == {"champion": 2, "previous": 1}
    assert st.pg("SELECT count(*) AS n FROM model_versions WHERE model_seq > %s", seq)[0]["n"] == 2
    model = st.post("trainer", f"{path}/1/promote", {"reason": "back"}, token="operator")
    assert model["aliases"] == {"champion": 1, "previous": 2}
    kinds = st.pg("SELECT kind, version, previous, actor, reason FROM decisions ORDER BY id DESC LIMIT 2")
    assert [(d["kind"], d["version"], d["previous"], d["actor"], d["reason"]) for d in kinds] == [
        ("rollback", 1, 2, "operator", "back"), ("promote", 2, 1, "operator", "trying it")]
    st.post("trainer", f"{path}/1/promote", {"reason": "again"}, status=409)
    st.post("trainer", f"{path}/9/promote", {"reason": "none"}, status=404)
    st.post("trainer", f"{path}/1/promote", {}, status=400)
    st.post("trainer", f"{path}/1/promote", {"reason": "x"}, status=403, token="viewer")
    assert chain_holds(st)


def test_decisions_cannot_be_changed(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, ["kitchen.temperature"])
    for sql in ("UPDATE decisions SET reason = 'x'", "DELETE FROM decisions", "TRUNCATE decisions"):
        with pytest.raises(psycopg.Error, match="append-only"):
            st.pg(sql)
    assert chain_holds(st)


def test_one_open_job_per_series(stacks):
    st = trainer_stack(stacks, weeks=0, wait=False)
    st.clock.set(START + 48 * HOUR)
    for i in range(30):
        add_series(st, f"r{i}.temperature")
    first = st.post("trainer", "/api/v1/train", {"series": "all"}, status=202)["jobs"]
    assert len({j["series"] for j in first}) == 31
    for j in first:
        wait_job(st, j["id"])
    open_jobs = st.get("trainer", "/api/v1/jobs", state="open")["items"]
    assert open_jobs == []
    page = st.get("trainer", "/api/v1/jobs", limit=20)
    rest = st.get("trainer", "/api/v1/jobs", limit=20, cursor=page["next"])
    assert [j["id"] for j in page["items"] + rest["items"]] == sorted((j["id"] for j in first), reverse=True)
    assert rest["next"] is None
