# SPDX-License-Identifier: GPL-3.0-or-later
"""What the list of candidates leaves out can be asked for: it is trained, stored, served and verified like the rest."""

import hashlib
import json
import random

import pytest

from procs import wait_for
from stack import HOUR, iso
from trainer_data import START, add_series, day_cycle, nothing_is_stored, train, trainer_stack, wait_job, write_hours

HOURS = 4 * 7 * 24
SERIES = "kitchen.temperature"


@pytest.fixture
def both(stacks):
    """A trainer and a predictor on the same databases."""
    st = stacks(services=["trainer", "predictor"], launch=False)
    st.clock.set(START + HOURS * HOUR + 130_000)
    st.launch(wait=False)
    st.influx_server.query("", f'CREATE DATABASE "{st.influx_db}"')
    add_series(st, SERIES)
    write_hours(st, SERIES, HOURS)
    st.wait_ready("trainer")
    return st


def test_boost_is_trained_served_and_verified(both):
    (job,) = train(both, [SERIES], preset="boost", reason="trying it")
    assert (job["state"], job["outcome"], job["version"], job["preset"]) == ("done", "promoted", 1, "boost"), job
    path = f"/api/v1/models/{SERIES}/versions/1"
    text = both.request("GET", "trainer", path).content
    document = json.loads(text)
    assert document["algorithm"] == "boost" and document["training"]["preset"] == "boost"
    nodes = len(document["state"]["feature"])
    assert len(document["state"]["first"]) == document["parameters"]["trees"] and nodes > 100
    assert 10_000 < len(text) < 1_000_000

    run = both.get("trainer", f"/api/v1/runs/{job['run_id']}")
    assert run["params"]["candidate"] == "boost" and run["params"]["preset"] == "boost"
    evidence = both.get("trainer", f"/api/v1/runs/{run['id']}/artifacts/evidence.json")
    tried = evidence["tuning"]
    best = min(tried, key=lambda row: row["mae"])
    assert {k: v for k, v in best.items() if k != "mae"} == document["parameters"]

    history = [day_cycle(h, random.Random(h)) for h in range(400)]
    asked = {"model": SERIES, "history": history, "end": iso(START + 399 * HOUR), "horizon": 48}

    def served():
        r = both.request("POST", "predictor", "/predict", json=asked)
        return r.json() if r.status_code == 200 else None
    answer = wait_for(served, 30, "the predictor to serve the version")
    assert (answer["version"], answer["algorithm"]) == (1, "boost")
    for lead, p in enumerate(answer["predictions"], 1):
        assert abs(p["yhat"] - day_cycle(399 + lead, random.Random(0))) < 2.5, p
        assert p["yhat_lower"] < p["yhat"] < p["yhat_upper"]

    verified = both.post("trainer", f"{path}/verify")
    assert verified["result"] == "same", verified
    assert verified["rebuilt_sha256"] == hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize("preset", ["forest", "holt_winters", "theta"])
def test_the_others(stacks, preset):
    st = trainer_stack(stacks, weeks=3)
    train(st, [SERIES])
    (job,) = train(st, [SERIES], preset=preset)
    # of the same hours the blend is not beaten: what was made waits as challenger
    assert (job["state"], job["outcome"], job["version"]) == ("done", "kept", 2), job
    path = f"/api/v1/models/{SERIES}/versions/2"
    document = json.loads(st.request("GET", "trainer", path).content)
    assert document["algorithm"] == preset and document["training"]["preset"] == preset
    assert st.get("trainer", f"/api/v1/models/{SERIES}")["aliases"] == {"champion": 1, "challenger": 2}
    assert st.post("trainer", f"{path}/verify")["result"] == "same"


def test_a_preset_is_not_lost_on_a_job_that_is_open(stacks):
    """One that waits takes it over; one that runs is refused; who asks for none is content with what is there."""
    st = trainer_stack(stacks, weeks=3, series=(SERIES, "hall.temperature"), env={"FC_TRAIN_WORKERS": 1})

    def ask(preset, status=202, series=SERIES, token="operator"):
        return st.post("trainer", "/api/v1/train", {"series": [series], "preset": preset}, status=status, token=token)

    def preset_of(answer):
        return st.get("trainer", f"/api/v1/jobs/{answer['jobs'][0]['id']}")["preset"]

    with nothing_is_stored(st):
        ask(None, series="hall.temperature")
        wait_for(lambda: st.get("trainer", "/api/v1/jobs/open")["running"], 20, "the job to be taken")
        running = ask(None, series="hall.temperature")
        waits = ask(None)
        assert preset_of(waits) is waits["jobs"][0]["preset"] is None
        assert ask("theta")["jobs"][0]["id"] == waits["jobs"][0]["id"] and preset_of(waits) == "theta"
        joined = ask(None)
        assert preset_of(joined) == joined["jobs"][0]["preset"] == "theta"
        said = ask("theta", 409, "hall.temperature")["message"]
        assert said == f"job {running['jobs'][0]['id']} trains hall.temperature already, with no preset: ask again when it has ended, or cancel it"
        assert ask("theta", series="hall.temperature", token="service") == running  # monitor is content with it
    job = wait_job(st, waits["jobs"][0]["id"])
    assert st.get("trainer", f"/api/v1/runs/{job['run_id']}")["params"]["preset"] == "theta"


def test_algorithms_are_told_with_their_parameters(stacks):
    st = trainer_stack(stacks, weeks=0)
    told = {a["name"]: a for a in st.get("trainer", "/api/v1/algorithms")["items"]}
    for name, parameter in (("boost", "rate"), ("forest", "depth"), ("holt_winters", "damped"), ("theta", "season")):
        (p,) = [p for p in told[name]["parameters"] if p["name"] == parameter]
        assert p["min"] <= p["default"] <= p["max"] and len(p["sentence"]) > 10, p
