# SPDX-License-Identifier: GPL-3.0-or-later
"""What bench/forecast/loop.py makes of forecasts that the loop did not store."""

import math
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/forecast"))

from loop_scores import beside_target, by_lead, by_series, longest, owed, ratio, reason  # noqa: E402

TRUTH = {"a.b": {i: float(i) for i in range(100)}}  # seasonal naive is wrong by 24 at every lead up to 24
KEYS = [("a.b", o, 1) for o in (50, 51, 52, 53)]


def forecast(error):
    return {(n, o, k): (o + k + error, 0.0, 200.0) for n, o, k in KEYS}


def test_what_is_not_stored_counts_as_seasonal_naive():
    stored = {k: v for k, v in forecast(2.0).items() if k[1] > 50}
    rows, there, everywhere = by_lead(TRUTH, {"a.b": 24}, stored, forecast(2.0))
    assert [r[2] for r in rows[1:4]] == ["3", "3", "3"]
    assert there[1] == there["all"] == 1 and everywhere[1] == everywhere["all"] == pytest.approx((3 * 2 + 24) / 8)
    assert math.isnan(there[6]) and by_lead(TRUTH, {"a.b": 24}, {}, forecast(2.0))[2]["all"] == 12
    assert by_series(TRUTH, {"a.b": 24}, stored, forecast(2.0), {})[1] == ("a.b", "0.083", "0.083", "1.000", "1 of 4", "none")
    assert by_series(TRUTH, {"a.b": 24}, {}, forecast(2.0), {})[1] == ("a.b", "", "", "", "4 of 4", "none")


def test_each_lead_beside_the_target():
    cells = beside_target({1: 1.0301, 6: 1.03, 12: math.nan, "all": math.inf})
    assert [c.strip() for c in cells] == ["1: 1.030 missed", "6: 1.030", "12: none", "all: inf missed"]
    assert ratio(0, 0) == 1 and ratio(1, 0) == math.inf and ratio(3, 2) == 1.5


def test_what_is_owed():
    y = {i: 1.0 for i in range(48)}
    assert longest(y) == 48 and owed(y, False)
    assert owed({i: v for i, v in y.items() if i not in (5, 6, 7)}, False)
    assert not owed({i: v for i, v in y.items() if i not in (5, 6, 7, 8)}, False)
    assert not owed({i: None for i in y}, False) and owed({}, True)


@pytest.mark.parametrize("arguments, expected", [
    (({}, 0, None, None, None), "it has no whole hour in this time"),
    (({1: 1.0}, 0, "too hot", None, None), "no hour of it was rolled up; ingest: too hot"),
    (({1: 1.0}, 1, None, "active", None), "it was not trained: 1 hours, active"),
    (({1: 1.0}, 30, None, "active", ("failed", "no")), "its last training is failed: no; 30 hours, active")])
def test_reasons(arguments, expected):
    assert reason(*arguments) == expected
