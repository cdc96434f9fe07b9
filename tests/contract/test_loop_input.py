# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files bench/forecast/loop.py takes with --input, and what it makes of them."""

import gzip
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/forecast"))

from loop_input import canonical, ingest_names, read  # noqa: E402
from minutes import WEEK_S, messages, several  # noqa: E402


def given(tmp_path, text, name="kitchen.temperature.csv", wide=False):
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return read(path, wide)


@pytest.mark.parametrize("text, name, expected", [
    ("time,value\n3600,1\n0,2\n7200,\n", "kitchen.temperature.csv", {"kitchen": {"temperature": [(0, 2), (3600, 1)]}}),
    ("\ufeffseries,timestamp,value\nH1,1970-01-01 01:00:00,1e1\nH2,1970-01-01T02:00:00+01:00,NA\n", "a.csv.gz",
     {"H1": {"value": [(3600, 10)]}, "H2": {"value": []}}),
    ("Timestamp,device,Temp,my load\n1970-01-02,a b,1,2\n", "a.csv", {"a_b": {"temperature": [(86400, 1)], "my_load": [(86400, 2)]}}),
    ("timestamp,device,value\n600000000000,d,3\n", "a.csv", {"d": {"value": [(600000000, 3)]}}),
    ("time,North,south.co\n60,1,-200\n", "a.csv", {"North": {"value": [(60, 1)]}, "south": {"co": [(60, -200)]}}),
])
def test_forms(tmp_path, text, name, expected):
    assert given(tmp_path, text, name) == expected


def test_a_series_per_row(tmp_path):
    expected = {"H1": {"value": [(0, 5), (7200, 6)]}, "H2": {"value": [(0, 7)]}}
    assert given(tmp_path, "V1,V2,V3,V4\nH1,5,,6\nH2,7\n", wide=True) == given(tmp_path, "H1,5,nan,6\nH2,7,,\n", wide=True) == expected


@pytest.mark.parametrize("text, why", [
    ("date,value\n0,1\n", "line 1: the header must name time (or timestamp)"),
    ("time;value\n0;1\n", "columns must be separated by commas"),
    ("time,a,A\n0,1,2\n", "line 1: the header must name"),
    ("time,value\n0,1,5\n", "line 2: the header has 2 columns, this row 3 (the decimal sign is a point)"),
    ("time,value\nyesterday,1\n", 'line 2: "yesterday" is not a time'),
    ("time,room\n0,true\n", 'line 2: "true" is not a number (of room)'),
    ("time,value\n0,inf\n", '"inf" is not a number'),
    ("time,value\n0,\n", "holds no value"),
    ("time,a b,a_b\n0,1,2\n", '"a b" and "a_b" would both be a_b.value'),
    ("time,温度\n0,1\n", "cannot be made the name of a device"),
])
def test_refused(tmp_path, text, why):
    with pytest.raises(SystemExit) as e:
        given(tmp_path, text)
    assert why in str(e.value)


@pytest.mark.parametrize("name, expected", [
    ("5E-44-3b-f3-79-c8.co", ("5e443bf379c8", "co")), ("H1", ("H1", "value")), ("a.b.c", ("a", "b_c")), ("a.hum", ("a", "humidity")),
    ("a.time", ("a", "time_value")), ("a.load_max", ("a", "load_max_value")), ("a.2", ("a", "q2"))])
def test_names_are_those_that_ingest_stores(name, expected):
    assert canonical(name, ingest_names()) == expected


def test_readings_keep_their_times_and_weekday():
    """Minutes lose the partial hours at their ends, hours do not; all move by whole weeks."""
    start = 3 * WEEK_S
    minutes = [(60 * m, float(m)) for m in range(30, 210)]
    hours = [(3600 * h, float(h)) for h in range(3)]
    sent = messages(start, [{"room": {"co": minutes}, "house": {"power": hours}, "gone": {"co": []}}])
    assert sorted(s - start for d, s, _ in sent[1] if d == "room") == [60 * m for m in range(60, 120)]
    assert {i: [s - start for d, s, _ in rows if d == "house"] for i, rows in sent.items()} == {0: [0], 1: [3600], 2: [7200]}
    assert sorted(i for i, rows in sent.items() if any(d == "room" for d, _, _ in rows)) == [1, 2]
    assert several([30, 60, 60]) and not several([1, 1, 2])
