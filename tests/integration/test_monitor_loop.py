# SPDX-License-Identifier: GPL-3.0-or-later
"""When the monitor asks for a training, when it does not, and how that can be read back."""

import json
import math
import signal

import pytest

from procs import wait_for
from stack import HOUR, iso, ms

SERIES = "kitchen.temperature"


def wave(i):
    return round(20 + 3 * math.sin(i / 4) + (i * 37 % 11) / 10, 3)


def hours(a, n, error=0.05, first=0, series=SERIES, version=1):
    device, quantity = series.split(".")
    for i in range(first, first + n):
        a.forecast(series, wave(i) + error * (1 if i % 2 else -1), version=version)
        a.close_hour({device: {quantity: wave(i)}})


def reasons(a):
    return [(r["reason"], sorted(r["series"])) for r in a.near.asked]


def test_first_training_at_24_hours(alone):
    a = alone()
    for i in range(23):
        a.close_hour({"kitchen": {"temperature": wave(i)}, "hall": {"motion": 0.0}})
    assert a.near.asked == [] and a.decisions() == []
    a.close_hour({"kitchen": {"temperature": wave(23)}, "hall": {"motion": 1.0}})
    wait_for(lambda: a.near.asked, 5, "the first training")
    assert reasons(a) == [("first_training", [SERIES])]
    assert a.near.asked[0]["preset"] is None
    d, = a.decisions(kind="retrain")
    assert (d["series"], d["reason"], d["actor"]) == (SERIES, "first_training", "monitor")
    assert d["evidence"]["hours"] == 24 and d["evidence"]["champion"] is None
    assert ms(d["at"]) == a.st.clock.now
    # a job is open: nothing is settled, nobody asks again
    settled = a.status()["settled"]
    a.close_hour({"kitchen": {"temperature": wave(24)}})
    assert a.status()["settled"] == settled and len(a.near.asked) == 1
    a.promote(SERIES)
    a.end_job(SERIES)
    wait_for(lambda: a.status()["settled"] == iso(a.hour - HOUR), 5, "the hour to settle")


def test_gaps_do_not_count_as_hours(alone):
    a = alone()
    for i in range(36):
        a.close_hour({"kitchen": {"temperature": wave(i)}} if i % 3 else {})
        assert a.near.asked == [], i  # 24 of 36 hours have a value, after the last one
        if i == 34:
            break
    a.close_hour({"kitchen": {"temperature": wave(35)}})
    wait_for(lambda: a.near.asked, 5, "the first training")


def test_backfill_is_waited_for(alone):
    """Weeks that arrive late: one training, when they have stopped coming, on all of them."""
    a = alone()
    old = a.hour - 200 * HOUR
    for i in range(200):
        a.late("kitchen", {"temperature": wave(i)}, old + i * HOUR)
    wait_for(lambda: a.near.asked, 10, "the first training")
    assert reasons(a) == [("first_training", [SERIES])]
    d, = a.decisions(kind="retrain")
    assert d["evidence"]["hours"] == 200


def with_champion(a, **more):
    """A series with a day of good forecasts."""
    a.close_hour({"kitchen": {"temperature": wave(-1)}})
    a.promote(SERIES, rows=1000, **more)
    wait_for(lambda: a.status(SERIES)["champion"], 5, "the champion")
    hours(a, 24)
    assert a.near.asked == []
    assert a.status(SERIES)["drift"] is None


def test_skill_lost(alone):
    a = alone()
    with_champion(a, lead1_sd=10.0)
    got = a.st.listen("alerts/#")
    i = 24
    while not a.near.asked and i < 60:
        hours(a, 1, error=2.0, first=i)
        i += 1
    assert reasons(a) == [("skill_lost", [SERIES])]
    d = a.decisions(kind="retrain")[0]
    e = d["evidence"]
    assert e["quality"]["skill_24h"] < 0 <= e["rules"]["skill_min"] and e["quality"]["n"] >= 12
    assert e["champion"] == {"version": 1, "algorithm": "ridge", "rows": 1000, "lead1_sd": 10.0}
    assert e["hour"] == iso(a.hour - HOUR)
    assert a.st.get("monitor", f"/api/v1/decisions/{d['id']}") == d
    status = a.status(SERIES)
    assert status["drift"]["kind"] == "skill_lost" and status["drift"]["training"] == "asked"
    assert status["alerts"] == 0 and status["state"] == "active"  # a day may be unlucky
    assert a.st.metric("monitor", "fieldcast_retrain_triggers_total", reason="skill_lost") == 1
    # what goes on is told, as the contract has it, once
    while not a.status(SERIES)["alerts"] and i < 60:
        hours(a, 1, error=2.0, first=i)
        i += 1
    assert a.status(SERIES)["alerts"] == 1
    wait_for(lambda: got, 5, "the alert")
    hours(a, 3, error=2.0, first=i)
    topic, payload = got[0]
    alert = json.loads(payload)
    assert topic == "alerts/kitchen/notification" and len(got) == 1
    assert set(alert) == {"alert_id", "type", "severity", "series", "sensor_id", "timestamp", "value", "threshold",
                          "message"}
    assert (alert["type"], alert["series"], alert["sensor_id"]) == ("skill_lost", SERIES, "kitchen")
    assert alert["value"] < alert["threshold"] == 0
    row, = a.st.get("monitor", "/api/v1/alerts")["items"]
    assert row["alert_id"] == alert["alert_id"] and row["state"] == "firing" and row["ended"] is None
    # a better champion ends it, once its own forecasts have shown it
    a.promote(SERIES, version=2, rows=1000)
    a.end_job(SERIES)
    wait_for(lambda: a.status(SERIES)["champion"]["version"] == 2, 5, "the new champion")
    assert a.status(SERIES)["drift"] is None  # that was said of its predecessor
    hours(a, 13, first=i + 3, version=2)
    assert a.st.get("monitor", "/api/v1/alerts", state="firing")["items"] == []
    assert a.st.get("monitor", "/api/v1/alerts", series=SERIES, state="resolved")["items"][0]["ended"]
    assert reasons(a) == [("skill_lost", [SERIES]), ("follow_up", [SERIES])]  # a day after the first


def test_error_risen(alone):
    """For a whole day, not sooner; then again when there is more of the new regime."""
    a = alone()
    with_champion(a, lead1_sd=0.1, algorithm="persistence")
    asked = []
    for i in range(24, 24 + 24 + 75):
        before = len(a.near.asked)
        hours(a, 1, error=0.05 if asked else 0.8, first=i)
        if len(a.near.asked) > before:
            asked.append(i)
            a.end_job(SERIES, "kept")
    assert [r["reason"] for r in a.near.asked] == ["error_risen", "follow_up", "follow_up"]
    d = a.decisions(kind="retrain")
    at = [ms(x["at"]) for x in reversed(d)]
    assert [(t - at[0]) // HOUR for t in at] == [0, 24, 72]
    e = d[-1]["evidence"]
    assert e["quality"]["mae_12h"] > 0.3 and e["verdicts"]["mae_12h_before"] > 0.3
    assert 15 <= asked[0] - 24 <= 24
    assert a.st.get("monitor", "/api/v1/alerts")["items"] == []


def test_cooldown_budget_and_backoff_survive_a_restart(alone):
    """Skill stays lost for four days and every challenger loses: asks come 6, 12, 24 .. h apart,
    whatever happens to the process in between."""
    a = alone()
    with_champion(a)
    for i in range(24, 24 + 96):
        before = len(a.near.asked)
        hours(a, 1, error=2.0, first=i)
        if len(a.near.asked) > before:
            a.end_job(SERIES, "kept")
        if i % 11 == 5:
            a.st.restart("monitor", signal.SIGKILL)
    at = [ms(d["at"]) for d in reversed(a.decisions(kind="retrain"))]
    steps = [(b - c) // HOUR for b, c in zip(at[1:], at)]
    assert len(a.near.asked) == len(at)
    assert steps == [12, 24, 48][:len(steps)] and len(steps) >= 2, at


def test_daily_budget(alone):
    a = alone(FC_RETRAIN_COOLDOWN_H=1)
    with_champion(a)
    for i in range(24, 48 + 24):
        before = len(a.near.asked)
        hours(a, 1, error=2.0, first=i)
        if len(a.near.asked) > before:
            a.promote(SERIES, version=1 + len(a.near.asked), rows=1000, lead1_sd=0.01)
            a.end_job(SERIES)
            wait_for(lambda: a.status(SERIES)["champion"]["version"] == 1 + len(a.near.asked), 5)
        hours_version = 1 + len(a.near.asked)
        a.forecast(SERIES, wave(i + 1) + 5, version=hours_version)
    days = {}
    for d in a.decisions(kind="retrain"):
        days[d["at"][:10]] = days.get(d["at"][:10], 0) + 1
    assert max(days.values()) <= 4, days


@pytest.mark.parametrize("missing", [0, 15])
def test_history_grown(alone, missing):
    """By half of the hours that had a value."""
    a = alone()
    a.close_hour({"kitchen": {"temperature": wave(-1)}})
    a.promote(SERIES, rows=20 + missing, missing=missing)
    wait_for(lambda: a.status(SERIES)["champion"], 5, "the champion")
    hours(a, 28)
    assert a.near.asked == []
    hours(a, 1, first=28)
    wait_for(lambda: a.near.asked, 5, "a training")
    assert reasons(a) == [("history_grown", [SERIES])]
    a.end_job(SERIES, "kept")
    hours(a, 14, first=29)  # 30 were there when it was asked: not before 45
    assert len(a.near.asked) == 1
    hours(a, 1, first=43)
    wait_for(lambda: len(a.near.asked) == 2, 5, "the next one")


def test_stuck_is_quarantined_and_never_learned(alone):
    a = alone()
    with_champion(a)
    got = a.st.listen("alerts/#")
    for i in range(24, 24 + 14):
        a.forecast(SERIES, wave(i))
        a.close_hour({"kitchen": {"temperature": 23.5}})
    status = a.status(SERIES)
    assert status["state"] == "quarantined" and status["drift"]["kind"] == "stuck"
    assert a.st.pg("SELECT state FROM series")[0]["state"] == "quarantined"
    assert [d["reason"] for d in a.decisions(kind="quarantine")] == ["sensor_stuck"]
    wait_for(lambda: [1 for _, p in got if json.loads(p)["type"] == "sensor_stuck"], 5, "the alert")
    asked = len(a.near.asked)
    for i in range(38, 52):
        a.forecast(SERIES, wave(i))
        a.close_hour({"kitchen": {"temperature": 23.5}})
    assert len(a.near.asked) == asked
    hours(a, 1, first=52)
    assert a.status(SERIES)["state"] == "active"
    assert len(a.decisions(kind="release")) == 1
    assert len(a.decisions(kind="quarantine")) == 1


def test_silence(alone):
    a = alone()
    with_champion(a)
    got = a.st.listen("alerts/#")
    for _ in range(3):
        a.close_hour()
    assert a.status(SERIES)["drift"] is None
    a.close_hour()
    status = a.status(SERIES)
    assert status["state"] == "quarantined" and status["drift"]["kind"] == "silent"
    wait_for(lambda: got, 5, "the alert")
    alert = json.loads(got[0][1])
    assert (alert["type"], alert["value"], alert["threshold"]) == ("sensor_silent", 4, 3)
    hours(a, 1, first=28)
    assert a.status(SERIES)["state"] == "active" and a.status(SERIES)["alerts"] == 0
    assert [d["kind"] for d in a.decisions(limit=2)] == ["release", "quarantine"]


def test_system0_preset(alone):
    a = alone()
    a.close_hour({"kitchen": {"temperature": 20.0, "humidity": 50.0}})
    a.st.request("PUT", "monitor", "/api/v1/rules/kitchen.temperature", json={"preset": "system0"}).raise_for_status()
    a.promote(SERIES, rows=1000, lags=(1, 2, 3, 4), mean=20.0, std=0.5)
    wait_for(lambda: a.status(SERIES)["champion"], 5, "the champion")
    for i in range(12):
        a.forecast(SERIES, 20 + 0.1 * (i % 2))
        a.close_hour({"kitchen": {"temperature": 20 + 0.1 * (i % 2), "humidity": 50.0}})
    assert [r for r in a.near.asked if SERIES in r["series"]] == []
    for i in range(6):  # forecasts stay perfect: only the inputs drift
        a.forecast(SERIES, 22.0)
        a.close_hour({"kitchen": {"temperature": 22.0, "humidity": 50.0}})
        if any(SERIES in r["series"] for r in a.near.asked):
            break
    ask = next(r for r in a.near.asked if SERIES in r["series"])
    assert (ask["reason"], ask["preset"]) == ("system0_thresholds", "system0")
    e = a.decisions(kind="retrain", series=SERIES)[0]["evidence"]
    assert e["verdicts"]["drifted"] >= 2 and e["verdicts"]["z_max"] > 3 and e["quality"]["mae_12h"] < 0.6


def test_an_ask_is_not_lost_while_trainer_is_away(alone):
    a = alone()
    with_champion(a)
    a.near.train_status = 503
    i = 24
    while not a.decisions(kind="retrain"):
        hours(a, 1, error=2.0, first=i)
        i += 1
    settled = a.status()["settled"]
    hours(a, 2, error=2.0, first=i)
    assert a.status()["settled"] == settled  # something is still to be done
    a.st.restart("monitor", signal.SIGKILL)
    assert len(a.decisions(kind="retrain")) == 1 and a.near.asked == []
    a.near.train_status = 202
    wait_for(lambda: a.near.asked, 10, "the training to be asked for")
    assert len(a.decisions(kind="retrain")) == 1
    a.end_job(SERIES)
    a.promote(SERIES, version=2, rows=1000)
    wait_for(lambda: a.status()["settled"] == iso(a.hour - HOUR), 10, "the hour to settle")


def test_a_refused_training_does_not_spoil_the_others(alone):
    a = alone()
    real = a.near.on_train

    def pick(body):
        return real({**body, "series": [s for s in body["series"] if s != "bad.temperature"]})
    a.near.on_train = pick
    for i in range(24):
        a.close_hour({d: {"temperature": wave(i)} for d in ("kitchen", "bad")})
    wait_for(lambda: a.near.asked, 5, "the trainings")
    a.promote(SERIES)
    a.end_job(SERIES)
    wait_for(lambda: a.status()["settled"] == iso(a.hour - HOUR), 5, "the hour to settle")
    log = a.st.procs["monitor"].text()
    assert "bad.temperature" in log and "refused" in log


def test_what_served_then_and_why(alone):
    a = alone()
    with_champion(a)
    t1 = a.st.clock.now
    hours(a, 1, first=24)
    # as trainer promotes: by the clock of its own transaction
    a.promote(SERIES, version=2, rows=1000)
    now = a.decisions(at="2099-01-01T00:00:00Z")
    assert [(s["series"], s["version"], s["reason"]) for s in now] == [(SERIES, 2, "it was better")]
    assert now[0]["evidence"] == {"gain": 0.1} and now[0]["previous"] == 1
    assert a.decisions(at=iso(0)) == []
    assert t1 and a.st.get("monitor", "/api/v1/decisions/verify") == {
        "whole": True, "decisions": 2, "first_bad": None, "head": a.decisions()[0]["sha256"]}
