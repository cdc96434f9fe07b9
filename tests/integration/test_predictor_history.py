# SPDX-License-Identifier: GPL-3.0-or-later
"""GET /api/v1/history and /api/v1/series, and the live readings."""

import csv
import io

import pytest

from predictor_alone import Alone
from procs import wait_for
from stack import HOUR, iso

K = "kitchen.temperature"


@pytest.fixture(scope="module")
def alone(module_stacks):
    a = Alone(module_stacks, FC_HISTORY_POINTS=500)
    last = a.now_hour - HOUR
    a.hours.rolled_up = last
    a.add_series(K)
    a.add_series("kitchen.humidity")
    a.add_series("office.co2")
    a.hourly("kitchen", "temperature", [20 + i / 8 for i in range(100)], last)
    now = a.now_hour + 300_000
    a.st.influx_write("\n".join(f"readings,device=kitchen temperature={20 + i / 10} {now - i * 60_000}" for i in range(2000)))
    a.add_version(K, 1)
    a.promote(K, 1)
    a.wait_written()
    yield a
    a.close()


def history(a, status=200, **params):
    return a.st.get("predictor", "/api/v1/history", status, "viewer", **params)


def test_json_by_hour(alone):
    a, last = alone, alone.hours.rolled_up
    got = history(a, series=K)  # the last day
    assert got["series"] == K and got["unit"] == "celsius"
    assert [p["time"] for p in got["points"]] == [iso(last - (23 - i) * HOUR) for i in range(1, 24)]
    assert got["points"][-1]["value"] == 20 + 99 / 8
    long = history(a, series="kitchen\\.temperature", **{"from": last - 99 * HOUR, "to": last + 1})
    assert [p["value"] for p in long["points"]] == [20 + i / 8 for i in range(100)]  # three queries, no seam
    assert history(a, series=K, to=iso(last), **{"from": iso(last - HOUR)})["points"] == [
        {"time": iso(last - HOUR), "value": 20 + 98 / 8}]  # to is not included


def test_csv(alone):
    a = alone
    r = a.st.request("GET", "predictor", f"/api/v1/history?series={K}&format=csv")
    assert r.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert r.headers["Content-Disposition"] == f'attachment; filename="{K}_2026-11-01_2026-11-02.csv"'
    rows = list(csv.DictReader(io.StringIO(r.text)))
    assert [(x["time"], float(x["value"])) for x in rows] == [(p["time"], p["value"]) for p in history(a, series=K)["points"]]
    wanted = a.st.request("GET", "predictor", f"/api/v1/history?series={K}", headers={"Accept": "text/csv"})
    assert wanted.text == r.text


def test_raw_and_limits(alone):
    a = alone
    now = a.now_hour + 300_000
    got = history(a, series=K, agg="raw", **{"from": now - 10 * 60_000})
    assert len(got["points"]) == 10
    refused = history(a, 413, series=K, agg="raw")
    assert refused["message"] == "more than 500 points lie between from and to: ask in pieces, or with agg=1h"


def test_unknown_and_empty(alone):
    a = alone
    assert history(a, series="office.co2")["points"] == []  # known, nothing measured
    refused = history(a, 404, series="kitchn.temperature")
    assert refused["error"]["code"] == "unknown_series"
    assert refused["message"] == 'there is no series "kitchn.temperature"; close to it: kitchen.temperature'
    assert history(a, 404, series="zzz.qqq")["message"] == 'there is no series "zzz.qqq"'
    refused = a.predict(409, series="office.co2")
    assert refused["message"] == "office.co2 has no model yet: 0 of 24 complete hours are there"
    a.hourly("office", "co2", [400.0] * 3, a.hours.rolled_up)
    assert a.predict(409, series="office.co2")["message"] == "office.co2 has no model yet: 3 of 24 complete hours are there"
    assert a.st.get("predictor", "/api/v1/forecasts", 409, series="office.co2")["error"]["code"] == "no_model_yet"


def test_catalogue(alone):
    a = alone
    items = a.st.get("predictor", "/api/v1/series")["items"]
    assert [(i["name"], i["unit"], i["champion"]) for i in items] == [
        ("kitchen.humidity", "celsius", None), (K, "celsius", {"version": 1, "algorithm": "ridge"}),
        ("office.co2", "celsius", None)]
    first = a.st.get("predictor", "/api/v1/series", limit=2)
    assert [i["name"] for i in first["items"]] == ["kitchen.humidity", K] and first["next"]
    second = a.st.get("predictor", "/api/v1/series", limit=2, cursor=first["next"])
    assert [i["name"] for i in second["items"]] == ["office.co2"] and second["next"] is None


def test_live(alone):
    a = alone
    hour = a.now_hour
    t = hour + 123_456
    body = {"readings": [{"device": "kitchen", "time_ms": t, "values": {"temperature": 33.5}}]}
    r = a.st.request("POST", "predictor", "/api/v1/live", token="service", json=body)
    assert (r.status_code, r.text) == (204, "")
    item = [i for i in a.st.get("predictor", "/api/v1/series")["items"] if i["name"] == K][0]
    assert item["last"] == {"time": iso(t), "value": 33.5}
    yhat = a.predict(series=K, horizon=1)["predictions"][0]["yhat"]
    rows = wait_for(lambda: a.st.influx("SELECT * FROM inference"))
    assert rows == [{"time": t, "device": "kitchen", "quantity": "temperature", "yhat": yhat,
                     "residual": pytest.approx(33.5 - yhat)}]
    assert a.st.request("POST", "predictor", "/api/v1/live", token="operator", json=body).status_code == 403
