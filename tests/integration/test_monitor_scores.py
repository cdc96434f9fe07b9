# SPDX-License-Identifier: GPL-3.0-or-later
"""What the monitor writes to `evaluations` when an hour closes and when late data comes: equal to
what is worked out here from the same points."""

import math

import pytest

from procs import wait_for
from stack import HOUR, iso, ms

SERIES = "kitchen.temperature"


def expected(truth, forecasts, hour):
    """truth {hour: y}, forecasts {hour: (yhat, half)}: the evaluation at an hour."""
    def errors(n):
        hours = [hour - i * HOUR for i in range(n)]
        return [(forecasts[h][0] - truth[h]) for h in reversed(hours) if h in truth and h in forecasts]
    day, half, four = errors(24), errors(12), errors(4)
    mae = lambda e: sum(map(abs, e)) / len(e)  # noqa: E731
    rmse = lambda e: math.sqrt(sum(x * x for x in e) / len(e))  # noqa: E731
    ewma = None
    for x in day:
        ewma = abs(x) if ewma is None else 0.2 * abs(x) + 0.8 * ewma
    ys = [truth[h] for h in (hour - i * HOUR for i in range(12)) if h in truth and h in forecasts]
    mean = sum(ys) / len(ys)
    common = [h for h in (hour - i * HOUR for i in range(24)) if h in truth and h in forecasts and h - HOUR in truth]
    own = sum(abs(forecasts[h][0] - truth[h]) for h in common)
    naive = sum(abs(truth[h - HOUR] - truth[h]) for h in common)
    inside = [abs(e) <= 1 for e in day]
    return {"n": len(day), "missing": 24 - len(day), "mae_4h": mae(four), "rmse_4h": rmse(four), "mae_12h": mae(half),
            "rmse_12h": rmse(half), "bias_12h": sum(half) / len(half), "ewma": ewma,
            "r2_12h": 1 - sum(e * e for e in half) / sum((y - mean) ** 2 for y in ys),
            "skill_24h": 1 - own / naive, "coverage": sum(inside) / len(inside)}


def check(row, want):
    for key, value in want.items():
        assert row[key] == pytest.approx(value, abs=1e-9), key


def wave(i):
    return round(20 + 5 * math.sin(i / 4) + (i * 37 % 11) / 10, 3)


def run_hours(a, n, first=0, skip=(), version=1):
    """n hours with truth and a forecast that errs a little; returns both."""
    truth, forecasts = {}, {}
    for i in range(first, first + n):
        yhat = wave(i) + ((i * 7) % 5 - 2) * 0.6
        a.forecast(SERIES, yhat, version=version)
        forecasts[a.hour] = (yhat, 1.0)
        if i in skip:
            a.close_hour()
        else:
            truth[a.hour] = wave(i)
            a.close_hour({"kitchen": {"temperature": wave(i)}})
    return truth, forecasts


def start(a):
    """One hour, so that the series is there, and its first champion."""
    a.close_hour({"kitchen": {"temperature": wave(-1)}})
    assert a.status(SERIES)["champion"] is None
    a.promote(SERIES)
    wait_for(lambda: a.status(SERIES)["champion"], 5, "the champion in the status")
    return {a.hour - HOUR: wave(-1)}


def test_each_hour_is_scored(alone):
    a = alone()
    truth = start(a)
    more, forecasts = run_hours(a, 30, skip=(9, 10, 17))
    truth |= more
    rows = {r["time"]: r for r in a.evaluations(SERIES)}
    hours = sorted(forecasts)
    assert sorted(rows) == [h + HOUR for h in hours]  # labelled by the hour's end
    for h in hours[4:]:
        check(rows[h + HOUR], expected(truth, forecasts, h))
        assert rows[h + HOUR]["version"] == 1
    # the same over HTTP, and in short in the status
    q = a.st.get("monitor", "/api/v1/quality", series=SERIES, hours=48)
    assert q["series"] == SERIES and q["unit"] == "celsius"
    assert [ms(p["time"]) for p in q["points"]] == sorted(rows)
    check(q["points"][-1], expected(truth, forecasts, hours[-1]))
    assert q["points"][-1]["n"] == 21 and isinstance(q["points"][-1]["n"], int)
    assert len(a.st.get("monitor", "/api/v1/quality", series=SERIES, hours=3)["points"]) == 3
    status = a.status(SERIES)
    assert status["quality"]["mae_12h"] == pytest.approx(rows[hours[-1] + HOUR]["mae_12h"])
    assert status["last"] == {"time": iso(hours[-1]), "value": wave(29)}
    assert status["unit"] == "celsius" and status["state"] == "active" and status["alerts"] == 0
    metric = a.st.metric("monitor", "fieldcast_forecast_mae", device="kitchen", quantity="temperature", window="12h")
    assert metric == pytest.approx(status["quality"]["mae_12h"])


def test_late_data_scores_again(alone):
    a = alone()
    truth = start(a)
    more, forecasts = run_hours(a, 40, skip=(8, 9))
    truth |= more
    hours = sorted(forecasts)
    before = {r["time"]: r for r in a.evaluations(SERIES)}
    # hour 8 comes at last, hour 20 is corrected
    truth[hours[8]] = wave(8) + 4
    truth[hours[20]] = wave(20) - 3
    a.late("kitchen", {"temperature": truth[hours[8]]}, hours[8])
    a.late("kitchen", {"temperature": truth[hours[20]]}, hours[20])
    a.wait_cursor()
    after = {r["time"]: r for r in a.evaluations(SERIES)}
    for h in hours[4:]:
        check(after[h + HOUR], expected(truth, forecasts, h))
    assert after[hours[7] + HOUR] == before[hours[7] + HOUR]
    assert after[hours[30] + HOUR]["n"] == before[hours[30] + HOUR]["n"] + 1
    # the newest evaluation in the status is the new one as well
    assert a.status(SERIES)["quality"]["mae_12h"] == pytest.approx(after[hours[-1] + HOUR]["mae_12h"])


def test_misses_of_every_lead(alone):
    """Outside or not, of the band of each lead that was stored, and whose it was: once per hour, also
    when the hour comes late or changes."""
    a = alone()
    start(a)
    stored, truth = {}, {}
    for i in range(30):
        for n, lead in enumerate((1, 6, 12, 24, 48)):
            if lead > 6 and i < 5:
                continue  # not everything was forecast that long ago
            half, version = 0.25 + 0.05 * n, 1 + (i > 10 + n)
            a.forecast(SERIES, wave(i) + ((i * 7 + n) % 5 - 2) * 0.3, half=half, version=version, lead=lead)
            stored[a.hour, lead] = (wave(i) + ((i * 7 + n) % 5 - 2) * 0.3, half, version)
        if i in (8, 9):
            a.close_hour()
        else:
            truth[a.hour] = wave(i)
            a.close_hour({"kitchen": {"temperature": wave(i)}})

    def check_all():
        rows = {r["time"]: r for r in a.evaluations(SERIES)}
        missed = set()
        for (hour, lead), (yhat, half, version) in stored.items():
            row = rows[hour + HOUR]
            if hour not in truth:
                assert row.get(f"miss_{lead}") is None and row.get(f"version_{lead}") is None
                continue
            outside = not yhat - half <= truth[hour] <= yhat + half
            assert (row[f"miss_{lead}"], row[f"version_{lead}"]) == (outside, version), (iso(hour), lead)
            missed.add((lead, outside))
        early = rows[min(stored)[0] + HOUR]
        assert early["miss_6"] is not None and early.get("miss_12") is None
        return missed

    assert len(check_all()) == 10  # both kinds of every lead
    hours = sorted({h for h, _ in stored})
    truth[hours[8]], truth[hours[20]] = wave(8), wave(20) + 5
    a.late("kitchen", {"temperature": truth[hours[8]]}, hours[8])
    a.late("kitchen", {"temperature": truth[hours[20]]}, hours[20])
    a.wait_cursor()
    check_all()


def test_catches_up_after_it_was_away(alone):
    a = alone()
    truth = start(a)
    more, forecasts = run_hours(a, 6)
    truth |= more
    a.st.kill("monitor")
    for i in range(6, 66):  # two days and a half
        yhat = wave(i) + 0.5
        a.forecast(SERIES, yhat)
        forecasts[a.hour], truth[a.hour] = (yhat, 1.0), wave(i)
        a.close_hour({"kitchen": {"temperature": wave(i)}}, settle=False)
    a.st.start("monitor")
    a.wait_scored(a.hour - HOUR)
    rows = {r["time"]: r for r in a.evaluations(SERIES)}
    assert sorted(rows) == [h + HOUR for h in sorted(forecasts)]
    for h in sorted(forecasts)[4:]:
        check(rows[h + HOUR], expected(truth, forecasts, h))
    assert a.status(SERIES)["last"]["time"] == iso(a.hour - HOUR)


def test_many_devices_and_quantities(alone):
    """More devices than one query asks for; names that contain each other; a quantity that ends
    like a field of another."""
    a = alone()
    names = [f"d{i}" for i in range(130)] + ["d1-b", "d1_b", "D1"]
    values = {d: {"temperature": 20.0 + i, "co2": 400.0 + i, "temp_max": 1.0} for i, d in enumerate(names)}
    a.close_hour(values)
    wait_for(lambda: len(a.status()["series"]) == 3 * len(names), 10, "all series")
    rows = a.st.pg("SELECT name, unit, state FROM series")
    assert {r["name"] for r in rows} == {f"{d}.{q}" for d in names for q in ("temperature", "co2", "temp_max")}
    states = {r["name"]: r["state"] for r in rows}
    assert states["d7.temperature"] == states["d7.co2"] == "active"
    assert states["d7.temp_max"] == "disabled"  # nobody knows what it is
    by_name = {s["name"]: s for s in a.status()["series"]}
    assert by_name["d1-b.co2"]["last"]["value"] == 530.0 and by_name["d1.co2"]["last"]["value"] == 401.0
    # pages
    page = a.st.get("monitor", "/api/v1/status", limit=100)
    names = [s["name"] for s in page["series"]]
    while page["next"]:
        page = a.st.get("monitor", "/api/v1/status", limit=100, after=page["next"])
        names += [s["name"] for s in page["series"]]
    assert names == sorted(by_name)
