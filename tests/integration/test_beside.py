# SPDX-License-Identifier: GPL-3.0-or-later
"""Series that stand beside one another: what trainer reads of them, what it says of them, and what predictor does
with a model that reads them."""

import csv
import io
import json
import random

import pytest

from predictor_alone import Alone, document
from procs import wait_for
from stack import HOUR, iso
from trainer_data import START, add_series, train, trainer_stack, write_hours

WEEKS = 5
N = WEEKS * 7 * 24


def noise_of(name):
    """What write_hours() draws for that series, hour after hour."""
    noise = random.Random(f"{name} 1")
    return [noise.gauss(0, 3) for _ in range(N)]


PRESSURE = noise_of("shed.pressure")


def pressure(_, noise):
    return 1000 + noise.gauss(0, 3)


def driven(hour, _):
    """Half of what it was, and what the pressure was an hour ago."""
    t, y = 0, 50.0
    for t in range(max(1, hour - 60), hour + 1):
        y = 50 + 0.5 * (y - 50) + PRESSURE[t - 1]
    return y


def power(hour, _):
    return 3 * driven(hour, _) ** 0.7 if driven(hour, _) > 0 else 0.0


def shed(stacks):
    st = trainer_stack(stacks, weeks=WEEKS, series=())
    for name, value in (("shed.pressure", pressure), ("shed.light", driven), ("garden.pressure", pressure),
                        ("shed.noise", power)):
        add_series(st, name)
        write_hours(st, name, N, value=value)
    return st


def evidence(st, job):
    return st.get("trainer", f"/api/v1/runs/{job['run_id']}/artifacts/evidence.json")


def test_trainer_reads_what_helps(stacks):
    st = shed(stacks)
    others = train(st, ["garden.pressure", "shed.noise", "shed.pressure"])
    assert "beside" not in evidence(st, others[0])  # what has no champion is not read
    (job,) = train(st, ["shed.light"])
    assert job["outcome"] == "promoted", job
    beside = evidence(st, job)["beside"]
    told = {c["series"]: c for c in beside["considered"]}
    assert sorted(told) == ["garden.pressure", "shed.noise", "shed.pressure"]
    assert told["garden.pressure"]["worth"] < 0.02 and not told["garden.pressure"]["read"]
    assert told["shed.noise"]["correlation"] > 0.9 and abs(told["garden.pressure"]["correlation"]) < 0.2
    assert told["shed.pressure"]["worth"] > 0.5 and told["shed.pressure"]["read"]
    assert not told["shed.pressure"]["asked_for"]
    assert told["shed.noise"]["worth"] < 0.02 and not told["shed.noise"]["read"]
    (same,) = beside["same"]
    assert same == "ln shed.noise = 1.099 + 0.7 × ln shed.light"

    path = f"/api/v1/models/shed.light/versions/{job['version']}"
    document = st.get("trainer", path)
    assert document["training"]["beside"] == ["shed.pressure"]
    rows = list(csv.DictReader(io.StringIO(st.request("GET", "trainer", f"{path}/rows").text)))
    assert len(rows) == N and list(rows[0]) == ["series", "time", "value", "shed.pressure"]
    assert [float(r["shed.pressure"]) for r in rows] == pytest.approx([1000 + p for p in PRESSURE], abs=1e-9)
    assert st.post("trainer", f"{path}/verify")["result"] == "same"
    table = {c["name"]: c for c in evidence(st, job)["candidates"]}
    assert table["direct_others"]["mae"] < table["direct"]["mae"]

    # a value of the other that changed is data that changed
    write_hours(st, "shed.pressure", 1, start=START + 100 * HOUR, value=lambda *_: 900.5)
    answer = st.post("trainer", f"{path}/verify")
    assert answer["result"] == "data_changed" and answer["hourly"]["changed"] == 1


def far_driven(hour, _):
    """The same, of what the pressure was six hours ago."""
    y = 50.0
    for t in range(max(6, hour - 60), hour + 1):
        y = 50 + 0.5 * (y - 50) + PRESSURE[t - 6]
    return y


def test_trainer_finds_the_hour_that_helps(stacks):
    st = trainer_stack(stacks, weeks=WEEKS, series=())
    for name, value in (("shed.pressure", pressure), ("shed.light", far_driven)):
        add_series(st, name)
        write_hours(st, name, N, value=value)
    train(st, ["shed.pressure"])
    (job,) = train(st, ["shed.light"])
    told = evidence(st, job)
    (beside,) = told["beside"]["considered"]
    assert beside["lag"] == 6 and beside["worth"] > 0.5 and beside["read"]
    table = {c["name"]: c for c in told["candidates"]}
    assert table["direct_others"]["mae"] < table["direct"]["mae"]
    path = f"/api/v1/models/shed.light/versions/{job['version']}"
    document = st.get("trainer", path)
    models = [document, *document["state"].get("members", [])]
    (read,) = [m["features"]["exogenous"] for m in models if m["features"]["exogenous"]]
    assert [(x["series"], x["lags"]) for x in read] == [("shed.pressure", [1, 6])]
    # found again in the rows that are stored
    assert st.post("trainer", f"{path}/verify")["result"] == "same"


def test_among_many_only_its_own_device_is_looked_at(stacks):
    st = shed(stacks)
    train(st, ["garden.pressure", "shed.noise", "shed.pressure"])
    for i in range(21):  # 25 in all that are forecast
        add_series(st, f"room{i}.temperature")
        add_series(st, f"room{i}.battery", state="disabled")
    considered = lambda: sorted(c["series"] for c in evidence(st, train(st, ["shed.light"])[0])["beside"]["considered"])  # noqa: E731
    assert considered() == ["garden.pressure", "shed.noise", "shed.pressure"]
    add_series(st, "attic.temperature")
    assert considered() == ["shed.noise", "shed.pressure"]


def test_what_is_asked_for_is_read(stacks):
    st = shed(stacks)
    train(st, ["shed.pressure", "garden.pressure"])
    st.pg("UPDATE series SET settings = %s WHERE name = 'shed.light'",
          json.dumps({"exogenous": ["garden.pressure", "never.there", "garden.pressure"]}))
    (job,) = train(st, ["shed.light"])
    told = {c["series"]: c for c in evidence(st, job)["beside"]["considered"]}
    assert told["garden.pressure"]["asked_for"] and told["garden.pressure"]["read"]
    assert set(told) == {"garden.pressure", "shed.pressure"}
    document = st.get("trainer", f"/api/v1/models/shed.light/versions/{job['version']}")
    assert document["training"]["beside"] == ["garden.pressure", "shed.pressure"]


def reads_other(series, other, mean, lag=1):
    """Lead k: half of the newest hour, and all of the other's so many hours before the next."""
    doc = json.loads(document(series, algorithm="persistence"))
    doc.update(algorithm="direct_others", parameters={"strength": 1.0})
    doc["features"].update(lags=[1], exogenous=[{"series": other, "lags": [lag], "mean": mean}])
    doc["state"] = {"leads": [[0.0, 0.5, 1.0]] * 48, "clip": [-1e6, 1e6]}
    return json.dumps(doc)


def light_and_noise(a, light, noise):
    """Two series, and their hours up to the newest that is complete."""
    hour = a.now_hour - HOUR
    a.hours.rolled_up = hour
    for quantity, values in (("light", light), ("noise", noise)):
        a.add_series(f"shed.{quantity}")
        a.hourly("shed", quantity, values, hour)


def serves(a, series):
    return a.st.request("POST", "predictor", "/predict", "viewer", json={"series": series}).status_code == 200


def test_predictor_reads_the_other(stacks):
    a = Alone(stacks)
    try:
        light_and_noise(a, [float(i) for i in range(100)], [float(1000 + i) for i in range(100)])
        a.add_version("shed.light", 1, reads_other("shed.light", "shed.noise", 7.0))
        a.promote("shed.light", 1)
        wait_for(lambda: serves(a, "shed.light"), 5)
        answer = a.predict(series="shed.light", horizon=2)
        assert answer["predictions"][0]["yhat"] == pytest.approx(99 / 2 + 7)  # the other serves nothing yet
        assert answer["warnings"] == ["1 of the other series it reads are not known at that hour: their means stand in"]
        a.add_version("shed.noise", 1)
        a.promote("shed.noise", 1)
        wait_for(lambda: serves(a, "shed.noise"), 5)
        light = a.close_hour({"shed.light": 30.0, "shed.noise": 400.0})
        a.wait_written(light)
        answer = a.predict(series="shed.light", horizon=2)
        assert answer["origin"] == iso(light) and answer["warnings"] == []
        assert [p["yhat"] for p in answer["predictions"]] == pytest.approx([415.0, 415.0])
        # an hour without the other: what it was last
        later = a.close_hour({"shed.light": 20.0})
        a.wait_written(later)
        answer = a.predict(series="shed.light", horizon=1)
        assert answer["predictions"][0]["yhat"] == pytest.approx(410.0) and answer["warnings"] == []
        # its features have names
        answer = a.predict(model="shed.light", features={"lag_1": 10.0, "shed.noise.lag_1": 5.0})
        assert answer["predictions"][0]["yhat"] == pytest.approx(10.0)
    finally:
        a.close()


def test_predictor_reads_the_hours_before(stacks):
    """Of the other its newest hour, and that of four before the one that is forecast, at the leads that know it."""
    doc = json.loads(reads_other("shed.light", "shed.noise", 7.0))
    doc["features"]["exogenous"][0]["lags"] = [1, 4]
    doc["state"]["leads"] = [[k / 8, 0.5, 1.0, 0.25] for k in range(48)]
    light, noise = [float(i % 13) for i in range(100)], [float(1000 + i * i % 97) for i in range(100)]

    def expected(light, noise):
        """Lead 4 would read the newest hour again; what leads 5 to 48 would read is not known yet."""
        return [k / 8 + light[-1] / 2 + noise[-1] + (noise[k - 4] / 4 if k < 3 else 0) for k in range(48)]

    a = Alone(stacks)
    try:
        light_and_noise(a, light, noise)
        a.add_version("shed.noise", 1)
        a.promote("shed.noise", 1)
        a.add_version("shed.light", 1, json.dumps(doc))
        a.promote("shed.light", 1)
        wait_for(lambda: serves(a, "shed.noise") and serves(a, "shed.light"), 5)
        answer = lambda: a.predict(series="shed.light", horizon=48)  # noqa: E731
        wait_for(lambda: answer()["warnings"] == [], 5)
        assert [p["yhat"] for p in answer()["predictions"]] == pytest.approx(expected(light, noise))
        now = a.close_hour({"shed.light": 30.0, "shed.noise": 400.0})
        a.wait_written(now)
        assert answer()["origin"] == iso(now) and answer()["warnings"] == []
        assert [p["yhat"] for p in answer()["predictions"]] == pytest.approx(expected([30.0], [*noise, 400.0]))
        # without its newest hour what it was last stands in, at the lead that reads that hour again as well
        now = a.close_hour({"shed.light": 20.0})
        a.wait_written(now)
        assert [p["yhat"] for p in answer()["predictions"]] == pytest.approx(expected([20.0], [*noise, 400.0, 400.0]))
        # its features have names
        row = {"lag_1": 10.0, "shed.noise.lag_1": 5.0, "shed.noise.lag_4": 8.0}
        assert a.predict(model="shed.light", features=row)["predictions"][0]["yhat"] == pytest.approx(12.0)
    finally:
        a.close()


def test_predictor_reads_the_other_a_day_back(stacks):
    """As far as a document may say, and as far back again where nothing is there: two days, of a series that has one."""
    a = Alone(stacks)
    try:
        hour = a.now_hour - HOUR
        a.hours.rolled_up = hour
        for name in ("shed.light", "shed.noise"):
            a.add_series(name)
        a.hourly("shed", "light", [float(i) for i in range(24)], hour)
        a.hourly("shed", "noise", [float(1000 + i) for i in range(24)], hour - 24 * HOUR)
        a.add_version("shed.noise", 1)
        a.promote("shed.noise", 1)
        a.add_version("shed.light", 1, reads_other("shed.light", "shed.noise", 7.0, lag=24))
        a.promote("shed.light", 1)
        wait_for(lambda: serves(a, "shed.light"), 5)
        answer = a.predict(series="shed.light", horizon=1)
        assert answer["predictions"][0]["yhat"] == pytest.approx(23 / 2 + 1023) and answer["warnings"] == []
        # what could only be read as its mean is not served
        a.add_version("shed.light", 2, reads_other("shed.light", "shed.noise", 7.0, lag=25))
        a.promote("shed.light", 2)
        wait_for(lambda: "must be an integer from 1 to 24" in a.st.procs["predictor"].text(), 5)
        assert a.predict(series="shed.light", horizon=1)["version"] == 1
    finally:
        a.close()
