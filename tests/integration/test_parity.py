# SPDX-License-Identifier: GPL-3.0-or-later
"""`fieldcast backtest --preset system0` gives the numbers of reference system 0's own run on the
same minutes: features, coefficients, scaling, held-out rows and errors, to 1e-8. (The public
twin of this, on made-up minutes, is tests/unit/test_system0.c.)"""

import csv
import json
import subprocess

import pytest

from stack import program

NEAR = 1e-8


@pytest.fixture(scope="module")
def golden(esp32_home):
    return esp32_home / "golden"


@pytest.fixture(scope="module")
def result(esp32_home):
    out = subprocess.run([program("fieldcast"), "backtest", "--preset", "system0", "--json",
                          "--evaluate", esp32_home / "raw_last12h.csv",
                          "--input", esp32_home / "raw_1min_kitchen_office.csv"],
                         check=True, capture_output=True, text=True).stdout
    return {s["series"].split(".")[0]: s for s in json.loads(out)["series"]}


def rows_of(path, *columns):
    with open(path) as f:
        return [[float(r[c]) for c in columns] for r in csv.DictReader(f)]


def same(got, want):
    assert len(got) == len(want)
    for a, b in zip(got, want):
        assert a == pytest.approx(b, abs=NEAR, rel=NEAR)


ROOMS = ["kitchen", "office"]


@pytest.mark.parametrize("room", ROOMS)
def test_features(result, golden, room):
    want = rows_of(golden / f"features_{room}.csv", "lag_4", "lag_3", "lag_2", "lag_1", "target")
    assert len(want) == 165
    f = result[room]["features"]
    assert f["columns"] == ["lag_4", "lag_3", "lag_2", "lag_1"]
    same([x + [y] for x, y in zip(f["rows"], f["target"])], want)


@pytest.mark.parametrize("room", ROOMS)
def test_model(result, golden, room):
    want = json.loads((golden / "models.json").read_text())[room]
    got = result[room]
    same(got["coefficients"], want["coefficients"])
    same(got["scaler"]["mean"], want["scaler_mean"])
    same(got["scaler"]["std"], want["scaler_std_population"])
    assert (got["train_rows"], got["test_rows"]) == (want["train_rows"], want["test_rows"]) == (132, 33)
    for k in ("mae", "rmse", "r2"):
        assert got["metrics"][k] == pytest.approx(want["metrics"][k], abs=NEAR)


@pytest.mark.parametrize("room", ROOMS)
def test_held_out_rows(result, golden, room):
    want = rows_of(golden / f"test_split_{room}.csv", "y", "yhat")
    f = result[room]["features"]
    same(list(zip(f["target"], f["yhat"]))[-33:], [tuple(w) for w in want])


LAST = {"kitchen": (0.254224, 0.315478, -0.818214), "office": (0.566171, 0.643332, 0.653410)}
SPLIT = {"kitchen": (0.19075100, 0.25971103, 0.82486990), "office": (0.15186633, 0.22111852, 0.97913852)}


@pytest.mark.parametrize("room", ROOMS)
def test_last_twelve_hours(result, golden, room):
    want = rows_of(golden / f"last12h_predictions_{room}.csv", "target", "yhat")
    e = result[room]["evaluation"]
    assert len(want) == 9
    same(list(zip(e["features"]["target"], e["features"]["yhat"])), [tuple(w) for w in want])
    for k, x in zip(("mae", "rmse", "r2"), LAST[room]):
        assert e["metrics"][k] == pytest.approx(x, abs=1e-6)  # as printed in the data's README


PERSISTENCE = {"kitchen": (0.19419, 0.29449), "office": (0.34524, 0.42638)}


@pytest.mark.parametrize("room", ROOMS)
def test_persistence_beside_it(result, room):
    p = result[room]["persistence"]
    assert (p["mae"], p["rmse"]) == pytest.approx(PERSISTENCE[room], abs=1e-5)


@pytest.mark.parametrize("room", ROOMS)
def test_the_printed_numbers(result, room):
    for k, x in zip(("mae", "rmse", "r2"), SPLIT[room]):
        assert result[room]["metrics"][k] == pytest.approx(x, abs=1e-8)
