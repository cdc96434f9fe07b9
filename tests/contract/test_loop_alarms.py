# SPDX-License-Identifier: GPL-3.0-or-later
"""Which alarms bench/forecast/loop.py calls false, as bench/README.md defines it."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/forecast"))

from loop_alarms import count, rows, sensor_months  # noqa: E402

HOURS = 30 * 24
AT = 300  # the newest hour that an alarm knew of


def series(value, missing=()):
    return {i: None if i in missing else value(i) for i in range(HOURS)}


def false(kind, y, error=0.0):
    """error: of what was stored one hour ahead."""
    stored = {("a.b", i - 1, 1): (v + error, v - 1, v + 1) for i, v in y.items() if v is not None}
    stored |= {("a.b", i - 6, 6): (99.0, 0, 0) for i in y}  # other leads do not count
    return count([(kind, "a.b", AT), (kind, "other.set", AT)], {"a.b": y}, stored)[kind] == (1, 1)


@pytest.mark.parametrize("missing, expected", [((297, 298, 299, 300), False), ((298, 299, 300), True), ((), True)])
def test_silent(missing, expected):
    assert false("sensor_silent", series(float, missing)) is expected


@pytest.mark.parametrize("until, missing, expected", [
    (HOURS, (), False), (AT + 49, (), False), (AT + 48, (), True), (AT, (), True),
    (HOURS, range(AT + 13, HOURS), False), (HOURS, range(AT + 12, HOURS), True)])
def test_stuck(until, missing, expected):
    """At 7 up to an hour, then moving; or not measured any more."""
    assert false("sensor_stuck", series(lambda i: 7.0 if i < until else float(i), missing)) is expected


@pytest.mark.parametrize("error, missing, expected", [
    (1.01, (), False), (1.0, (), True), (0.0, (), True), (1.01, range(AT + 13, HOURS), False), (1.01, range(AT + 12, HOURS), True)])
def test_skill_lost(error, missing, expected):
    """Persistence is wrong by 1 in each hour of a line."""
    assert false("skill_lost", series(float, missing), error) is expected


def test_by_sensor_and_30_days():
    truth = {"a.b": series(float), "c.d": series(float, range(HOURS // 2, HOURS)), "e.f": {5: None}}
    assert sensor_months(truth) == 1.5
    table = rows([("sensor_silent", "a.b", AT)] * 3, truth, {})
    assert table[1] == ("sensor_silent", "3", "2.00", "3", "2.00") and table[3] == ("skill_lost", "0", "0.00", "0", "0.00")
    assert table[-1][1:] == ("3", "2.00", "3", "2.00")
