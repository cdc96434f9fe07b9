# SPDX-License-Identifier: GPL-3.0-or-later
"""What the predictor writes each closed hour: the whole trajectory, and five leads once per origin
and series; over late data, silence, restarts and hours that passed while it was down."""

import pytest

from predictor_alone import Alone
from procs import wait_for
from stack import HOUR, iso

K, O = "kitchen.light", "office.light"


@pytest.fixture
def alone(stacks):
    a = Alone(stacks)
    hour = a.now_hour - HOUR
    a.hours.rolled_up = hour
    for s in (K, O):
        device, quantity = s.split(".")
        a.add_series(s)
        a.hourly(device, quantity, [float(i) for i in range(200)], hour)
        a.add_version(s, 1)
        a.promote(s, 1)
    a.wait_written()
    yield a
    a.close()


def origins(rows):
    return sorted({int(r["origin_ms"]) for r in rows})


def test_each_closed_hour(alone):
    a, first = alone, alone.hours.rolled_up
    for i in range(5):
        hour = a.close_hour({K: 200.0 + i, O: 50.0})
        a.wait_written()
        answer = a.predict(series=K, horizon=1)
        assert answer["origin"] == iso(hour)
        assert answer["predictions"][0]["yhat"] == pytest.approx(200 + i - 1.5)
    for s in (K, O):
        rows = a.leads(s)
        assert origins(rows) == [first + i * HOUR for i in range(6)]
        assert len(rows) == 6 * 5
        for r in rows:
            assert r["time"] == r["origin_ms"] + int(r["lead"]) * HOUR
            assert r["role"] == "champion" and r["version"] == 1
            assert r["yhat_lower"] == pytest.approx(r["yhat"] - 1) and r["yhat_upper"] == pytest.approx(r["yhat"] + 1)
        assert sorted(int(r["lead"]) for r in rows if r["origin_ms"] == hour) == [1, 6, 12, 24, 48]
    # forecasts: the newest trajectory, over what the older ones said
    rows = a.st.influx("SELECT * FROM forecasts WHERE device='kitchen'")
    assert [r["time"] for r in rows] == [first + HOUR + i * HOUR for i in range(48 + 5)]
    assert {int(r["origin_ms"]) for r in rows[5:]} == {hour}
    stored = {r["time"]: r["yhat"] for r in rows}
    served = a.st.get("predictor", "/api/v1/forecasts", series=K, horizon=48)
    assert served["unit"] == "lux" and len(served["points"]) == 48
    for p, r in zip(served["points"], rows[5:]):
        assert p["time"] == iso(r["time"]) and p["yhat"] == stored[r["time"]]


def test_a_new_champion_writes_forecasts_but_no_leads_again(alone):
    a, hour = alone, alone.hours.rolled_up
    a.add_version(K, 2, bias=7.0)
    a.promote(K, 2)
    a.wait_written()
    rows = a.st.influx("SELECT * FROM forecasts WHERE device='kitchen'")
    assert {r["version"] for r in rows} == {2} and {int(r["origin_ms"]) for r in rows} == {hour}
    assert {r["version"] for r in a.leads(K)} == {1}
    a.close_hour({K: 200.0, O: 50.0})
    a.wait_written()
    assert {(r["origin_ms"], r["version"]) for r in a.leads(K)} == {(hour, 1), (hour + HOUR, 2)}


def test_late_data_is_forecast_from(alone):
    a = alone
    hour = a.close_hour({O: 50.0})  # kitchen is late
    a.wait_written()
    assert a.predict(series=K, horizon=1)["origin"] == iso(hour - HOUR)
    assert origins(a.leads(K)) == [hour - HOUR]
    a.hourly("kitchen", "light", [300.0], hour)
    a.hours.tell("kitchen", hour)
    wait_for(lambda: a.predict(series=K, horizon=1)["origin"] == iso(hour))
    wait_for(lambda: origins(a.leads(K)) == [hour - HOUR, hour])
    # a correction of an hour that is read changes the forecast, not the leads
    before = a.predict(series=K, horizon=1)["predictions"][0]["yhat"]
    a.hourly("kitchen", "light", [400.0], hour)
    a.hours.tell("kitchen", hour)
    wait_for(lambda: a.predict(series=K, horizon=1)["predictions"][0]["yhat"] == pytest.approx(before + 25))
    a.wait_written()
    assert a.leads(K, lead="1", origin_ms=hour)[0]["yhat"] == pytest.approx(before)
    stored = a.st.influx(f"SELECT yhat FROM forecasts WHERE device='kitchen' AND time = {hour + HOUR}ms")
    assert stored[0]["yhat"] == pytest.approx(before + 25)


def test_a_silent_sensor_says_how_old_its_hours_are(alone):
    a, last = alone, alone.hours.rolled_up
    for _ in range(5):
        a.close_hour({O: 50.0})
    a.wait_written()
    answer = a.predict(series=K)
    assert answer["origin"] == iso(last)
    assert answer["warnings"] == ["the last complete hour is 6 h old: no newer one has come"]
    assert a.predict(series=O)["warnings"] == []
    assert origins(a.leads(K)) == [last]
    hour = a.close_hour({K: 250.0, O: 50.0})  # it speaks again; the gap is bridged, and said
    a.wait_written()
    answer = a.predict(series=K)
    assert answer["origin"] == iso(hour)
    assert answer["warnings"] == ["3 of the hours it looks back over are missing: the nearest day that has them stands in"]


def test_a_misread_is_not_followed(alone):
    a = alone
    a.add_version(K, 2, quantiles=[0.0, 100.0, 200.0], rows=1000)
    a.promote(K, 2)
    wait_for(lambda: a.predict(series=K)["version"] == 2)
    before = a.close_hour({K: 200.0, O: 50.0})
    wait_for(lambda: a.predict(series=K)["origin"] == iso(before))
    usual = a.predict(series=K)
    a.hourly("kitchen", "light", [5e4], before)
    a.hours.tell("kitchen", before)
    wait_for(lambda: a.predict(series=K)["warnings"])
    answer = a.predict(series=K)
    assert answer["warnings"] == ["the newest hour, 50000, lies far outside of all that was learned from: 200 is read in its "
                                  "place, until another hour bears it out"]
    assert answer["predictions"][0]["yhat"] == pytest.approx(usual["predictions"][0]["yhat"])
    given = a.st.post("predictor", "/predict", {"model": K, "history": [20.0, 21.0, 20.0, 21.0, 999.0], "horizon": 1})
    assert given["predictions"][0]["yhat"] == pytest.approx((21 + 20 + 21 + 200) / 4)
    assert "999, lies far outside" in given["warnings"][0]
    hour = a.close_hour({K: 5e4, O: 50.0})  # it was none
    wait_for(lambda: a.predict(series=K)["origin"] == iso(hour))
    answer = a.predict(series=K)
    assert answer["warnings"] == [] and answer["predictions"][0]["yhat"] > 2e4


def test_a_history_too_short_to_choose_by_is_told(alone):
    a = alone
    a.add_version(K, 2, algorithm="fading_naive_24", parameters={"season": 24.0}, rows=31, missing=30)
    assert a.predict(series=K)["warnings"] == []
    told = ["there was too little history to choose a model by (1 hour when version 2 was trained): fading_naive_24, "
            "a simple forecast, answers"]
    assert a.predict(series=K, version=2)["warnings"] == told  # not the champion
    a.promote(K, 2)
    wait_for(lambda: a.predict(series=K)["version"] == 2)
    assert a.predict(series=K)["warnings"] == told
    given = a.st.post("predictor", "/predict", {"model": K, "history": [20.0 + i % 3 for i in range(30)], "horizon": 2})
    assert given["warnings"] == told


def test_restart_writes_no_origin_twice(alone):
    a, hour = alone, alone.hours.rolled_up
    before = a.leads(K)
    a.st.kill("predictor")
    a.add_version(K, 2, bias=7.0)
    a.promote(K, 2)
    a.st.start("predictor")
    a.wait_written()
    assert a.predict(series=K)["version"] == 2
    assert a.leads(K) == before
    # hours that pass while it is down are made up for, by what was known at each
    a.st.kill("predictor")
    for i in range(3):
        hour = a.close_hour({K: 300.0 + i, O: 50.0})
    a.st.start("predictor")
    a.wait_written()
    rows = a.leads(K, lead="1")
    assert [int(r["origin_ms"]) for r in rows] == [hour - i * HOUR for i in (3, 2, 1, 0)]
    assert rows[1]["yhat"] == pytest.approx((300 + 199 + 198 + 197) / 4 + 7)
    assert {r["version"] for r in rows[1:]} == {2}


def test_ingest_anew(alone):
    """Another epoch: everything is read again, nothing is written twice."""
    a = alone
    before = a.leads(K)
    a.hours.epoch, a.hours.items = "two", []
    a.hourly("kitchen", "light", [500.0], a.hours.rolled_up)  # came while nobody could say so
    wait_for(lambda: a.predict(series=K, horizon=1)["predictions"][0]["yhat"] == pytest.approx((500 + 198 + 197 + 196) / 4))
    assert a.leads(K) == before
