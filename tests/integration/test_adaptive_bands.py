# SPDX-License-Identifier: GPL-3.0-or-later
"""The stored bands follow their misses: after the noise has doubled they hold again, though the
champion stays what it was. What is stored is worked out here again from `evaluations`, over two
restarts of the predictor, a new champion, and an hour that came late."""

import math
import random

import pytest

from predictor_alone import document
from procs import wait_for
from stack import HOUR, START, ms

DEVICES = [f"room{i}" for i in range(6)]
LEADS = (1, 6, 12, 24, 48)
STEP = dict(zip(LEADS, (0.04, 0.03, 0.03, 0.025, 0.02)))
LOW, HIGH = math.log(0.25), math.log(8)
CALM_H, NOISY_H, JUDGED_H = 96, 360, 144
SD = 0.5
MONDAY = 4 * 24 * HOUR  # 1970 began on a Thursday
HALF = 1.96 * SD * math.sqrt(1.25)  # of an error against the mean of the last four hours


def promote(st, series, version, bias=0.0):
    doc = document(series, bias=bias, half=HALF)
    st.pg("INSERT INTO models VALUES (%s) ON CONFLICT DO NOTHING", series)
    st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256, rows_n) VALUES "
          "(%s, %s, 'ridge', %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'), 24)", series, version, doc, doc)
    st.pg("SELECT fc_promote(%s, %s, 'trainer', 'test', '{}')", series, version)


def rows(st, measurement, device):
    return st.influx(f"SELECT * FROM {measurement} WHERE device='{device}'")


def expected_widths(stored, evaluations, lead):
    """{origin: width} of one lead, from the misses of the version that forecast there."""
    u, out, done, version = 0.0, {}, None, None
    by_hour = {r["time"] - HOUR: r for r in evaluations}
    for r in sorted((r for r in stored if r["lead"] == str(lead)), key=lambda r: r["origin_ms"]):
        origin = int(r["origin_ms"])
        if r["version"] != version:
            version, u, done = r["version"], 0.0, origin - HOUR
        while done < origin - HOUR:
            done += HOUR
            e = by_hour.get(done, {})
            if e.get(f"version_{lead}") == version:
                u = min(HIGH, max(LOW, u + STEP[lead] * (e[f"miss_{lead}"] - 0.05)))
        out[origin] = math.exp(u)
    return out


def answers(st):
    return [st.get("predictor", "/api/v1/forecasts", series=f"{d}.temperature", horizon=48, **more)
            for d in DEVICES for more in ({}, {"level": 0.5})]


def restart(st):
    """Every answer is what it was before."""
    before = answers(st)
    st.restart("predictor")
    wait_for(lambda: answers(st) == before, 30, "the same forecasts as before the restart")


def coverage(st, from_ms, lead):
    """Of the stored bands, and of the models' own."""
    inside = own = n = 0
    for device in DEVICES:
        truth = {r["time"]: r["temperature"] for r in rows(st, "hourly", device)}
        for r in rows(st, "forecast_leads", device):
            if r["lead"] == str(lead) and r["time"] >= from_ms and r["time"] in truth:
                inside += r["yhat_lower"] <= truth[r["time"]] <= r["yhat_upper"]
                own += abs(truth[r["time"]] - r["yhat"]) <= HALF
                n += 1
    assert n > len(DEVICES) * JUDGED_H * 0.9
    return inside / n, own / n


def test_bands_hold_again(stacks, capsys):
    st = stacks(services=["ingest", "predictor", "monitor"])
    rng = random.Random(11)
    change = ms(START) + (6 + CALM_H) * HOUR
    late_hour = change + 30 * HOUR
    kept = []

    def publish(hour):
        for device in DEVICES:
            row = device, hour + HOUR // 2, {"temperature": 20 + rng.gauss(0, SD if hour < change else 2 * SD)}
            if device == "room0" and hour == late_hour:
                kept.append(row)
            else:
                yield row
        if hour == late_hour + 3 * HOUR:
            yield from kept

    def advance(hours):
        for _ in range(hours):
            st.advance(1, publish=publish, settle=False)
            hour = st.clock.now // HOUR * HOUR - HOUR
            wait_for(lambda: st.pg("SELECT value->>'scored' AS h FROM monitor_state WHERE key = 'progress'")[0]["h"]
                     == str(hour), 30, "the hour to be scored", every=0.004)
            wait_for(lambda: ms(st.get("predictor", "/api/v1/progress", token="service")["forecast"] or 0) >= hour,
                     30, "the forecasts", every=0.004)

    advance(6)
    for device in DEVICES:
        promote(st, f"{device}.temperature", 1)
    wait_for(lambda: len([s for s in st.status()["series"] if s["champion"]]) == len(DEVICES), 20, "the champions")
    advance(CALM_H // 2)
    restart(st)
    promote(st, "room1.temperature", 2, bias=0.001)
    wait_for(lambda: st.get("predictor", "/api/v1/forecasts", series="room1.temperature")["version"] == 2, 20)
    advance(CALM_H // 2 + 70)
    restart(st)
    advance(NOISY_H - 70)

    for device in DEVICES:
        stored, evaluations = rows(st, "forecast_leads", device), rows(st, "evaluations", device)
        assert {r["version"] for r in stored} == ({1, 2} if device == "room1" else {1})
        for lead in LEADS:
            want = expected_widths(stored, evaluations, lead)
            mine = [r for r in stored if r["lead"] == str(lead)]
            assert len(mine) >= CALM_H + NOISY_H - 4
            for r in mine:
                late = device == "room0" and late_hour < r["origin_ms"] <= late_hour + 5 * HOUR
                known = [want[r["origin_ms"]]]
                if r["origin_ms"] % (7 * 24 * HOUR) == MONDAY:
                    # the first evaluation of a week is the first of its series in a new shard: under load InfluxDB
                    # 1.6 has acknowledged it and may show it only when the next hour's is written
                    known.append(want[r["origin_ms"] - HOUR])
                if not late:  # it was not known then
                    assert any(r["width"] == pytest.approx(k, rel=1e-9) for k in known), (device, lead, r, known)
                assert r["yhat_upper"] - r["yhat"] == pytest.approx(HALF * r["width"], rel=1e-6)
            widths = [r["width"] for r in mine]
            assert max(widths) > 1.3 and len(set(widths)) > 50
    end = st.clock.now // HOUR * HOUR
    held = {lead: coverage(st, end - JUDGED_H * HOUR, lead) for lead in LEADS}
    with capsys.disabled():
        for lead, (share, own) in held.items():
            print(f"\nlead {lead}: {share:.3f} of the last six days inside, {own:.3f} in the model's own band", end="")
    for lead, (share, own) in held.items():
        assert share == pytest.approx(0.95, abs=0.04) and own < 0.75, held
        assert st.metric("predictor", "fieldcast_band_scores", lead=str(lead)) >= 62 * len(DEVICES) - 4
        assert st.metric("predictor", "fieldcast_band_coverage", lead=str(lead)) == pytest.approx(share, abs=0.05)
        assert st.metric("predictor", "fieldcast_band_width", lead=str(lead)) == pytest.approx(2.1, abs=0.5)
