# SPDX-License-Identifier: GPL-3.0-or-later
"""Real minutes of a home (7 days, two rooms, holes of hours) through MQTT and the whole stack on
the virtual clock: champions, stored forecasts, scores and decisions, read back over HTTP."""

import csv
import subprocess
import time

import pytest

from procs import wait_for
from stack import GRACE, HOUR, iso, ms, program

FIRST, LAST = "2025-11-02T10:00:00Z", "2025-11-09T10:00:00Z"
SERIES = ["kitchen.temperature", "office.temperature"]


def replay(st, path, preset, from_ms, to_ms):
    """`fieldcast replay` of one piece of the file, which may be a hole in it."""
    done = subprocess.run([program("fieldcast"), "replay", "--preset", preset, path, "--mqtt", st.mosquitto.url,
                           "--from", iso(from_ms), "--to", iso(to_ms), "--boot", "1"],
                          capture_output=True, text=True, env={"FC_CLOCK_FILE": str(st.clock.path)})
    assert done.returncode == 0 or "has no row between --from and --to" in done.stderr, done.stderr


def published(st):
    """What the broker has passed on to ingest, once it has gone quiet."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.06:
        n = st.received()
        if n != last:
            last, since = n, time.monotonic()
        time.sleep(0.005)
    return last


@pytest.fixture(scope="module")
def replayed(esp32_home, module_stacks):
    st = module_stacks(start=FIRST)
    path = esp32_home / "raw_1min_kitchen_office.csv"
    hour, last = ms(FIRST), ms(LAST)
    while hour < last:
        st.clock.set(hour + HOUR)
        replay(st, path, "esp32-home", hour, hour + HOUR)
        published(st)
        st.clock.set(hour + HOUR + GRACE + 1000)
        st.wait_settled(hour)
        hour += HOUR
    return st


def csv_values(esp32_home):
    with open(esp32_home / "raw_1min_kitchen_office.csv") as f:
        rows = [r for r in csv.DictReader(f) if ms(r["time"]) < ms(LAST)]
    return {d: [(ms(r["time"]), float(r[f"temp_{d}"])) for r in rows if r[f"temp_{d}"]] for d in ("kitchen", "office")}


def test_every_value_is_stored(replayed, esp32_home):
    for device, values in csv_values(esp32_home).items():
        got = replayed.influx(f"SELECT temperature FROM readings WHERE device='{device}'")
        assert [(r["time"], r["temperature"]) for r in got] == values


@pytest.mark.parametrize("device", ["kitchen", "office"])
def test_hours_with_holes(replayed, esp32_home, device):
    """Each hour is the mean of its minutes; empty hours stay empty."""
    want = {}
    for t, v in csv_values(esp32_home)[device]:
        want.setdefault(t // HOUR * HOUR, []).append(v)
    hours = {h["time"]: h for h in replayed.influx(
        f"SELECT temperature, temperature_n FROM hourly WHERE device='{device}'")}
    assert len(want) < 168 and set(hours) == set(want)
    for t, values in want.items():
        assert hours[t]["temperature_n"] == len(values)
        assert hours[t]["temperature"] == pytest.approx(sum(values) / len(values), abs=1e-9)


@pytest.mark.parametrize("series", SERIES)
def test_champion_forecast_score_decision(replayed, series):
    st = replayed
    model = st.get("trainer", f"/api/v1/models/{series}")
    champion = model["aliases"]["champion"]
    version = next(v for v in model["versions"] if v["version"] == champion)
    assert version["algorithm"] and version["training"]["rows"] >= 24 and len(version["training"]["sha256"]) == 64

    f = st.get("predictor", "/api/v1/forecasts", series=series, horizon=24)
    assert ms(f["origin"]) == ms(LAST) - HOUR and len(f["points"]) == 24 and f["version"] == champion
    assert all(10 < p["yhat"] < 45 and p["yhat_lower"] <= p["yhat"] <= p["yhat_upper"] for p in f["points"])

    q = st.get("monitor", "/api/v1/quality", series=series)
    assert "mae_12h" in str(q)
    device = series.split(".")[0]
    scores = st.influx(f"SELECT n, mae_12h, coverage, skill_24h FROM evaluations WHERE device='{device}'")
    assert len(scores) > 100
    mae = [s["mae_12h"] for s in scores if s["mae_12h"] is not None]
    assert 0 < sum(mae) / len(mae) < 2

    decisions = st.get("monitor", "/api/v1/decisions", series=series, limit=500)["items"]
    assert any(d["kind"] == "promote" for d in decisions)
    assert all(d["evidence"] and d["reason"] for d in decisions)

    s = next(x for x in st.status()["series"] if x["name"] == series)
    assert s["champion"]["version"] == champion and s["unit"] == "celsius"


def test_jobs_are_bounded(replayed):
    per_series = replayed.pg("SELECT series, count(*) AS n FROM jobs GROUP BY series")
    assert {r["series"] for r in per_series} == set(SERIES)
    assert all(1 <= r["n"] <= 4 * 7 + 2 for r in per_series), per_series
    assert replayed.pg("SELECT count(*) AS n FROM jobs WHERE state = 'failed'")[0]["n"] == 0


def test_chain_of_decisions(replayed):
    assert replayed.pg("SELECT fc_decisions_verify() AS bad")[0]["bad"] is None


def test_system0_preset_on_the_running_stack(replayed):
    """The reference system's model, trained by the trainer and asked the reference way."""
    st = replayed
    job = st.post("trainer", "/api/v1/train", {"series": ["kitchen.temperature"], "reason": "parity", "preset": "system0"},
                  status=202)["jobs"][0]
    done = wait_for(lambda: (j := st.get("trainer", f"/api/v1/jobs/{job['id']}"))["state"] not in ("queued", "running")
                    and j, 30, "the job")
    assert done["state"] == "done" and done["outcome"] in ("promoted", "kept", "refused"), done
    if done["version"]:
        body = {"model": "kitchen.temperature", "version": done["version"],
                "features": {"lag_1": 27.1, "lag_2": 27.2, "lag_3": 27.3, "lag_4": 27.4}}
        r = st.request("POST", "predictor", "/predict", json=body)
        if r.status_code == 200:
            assert 20 < r.json()["predictions"][0]["yhat"] < 35
