# SPDX-License-Identifier: GPL-3.0-or-later
"""forecast, backtest and diagnose on files as they come: in any order and form, broken ones,
many series; what they print can be checked from what they write."""
import csv
import gzip
import io
import json
import math
import os
import subprocess
import xml.dom.minidom
from datetime import datetime

import pytest

from test_command import FIELDCAST, run

T0 = 1767225600


def value(s, i):
    return 20 + s + 5 * math.sin(2 * math.pi * i / 24) + (i * 7919 % 101) / 50


def rows(n_series, hours, by="series"):
    cells = [(s, i) for s in range(n_series) for i in range(hours)]
    if by == "time":
        cells.sort(key=lambda c: c[1])
    return "series,time,value\n" + "".join(f"s{s},{T0 + 3600 * i},{value(s, i):.3f}\n" for s, i in cells)


def table(text):
    return list(csv.DictReader(io.StringIO(text)))


def piped(*arguments, data, code=0):
    done = subprocess.run([FIELDCAST, *map(str, arguments)], input=data, capture_output=True, timeout=120)
    assert done.returncode == code, done.stderr
    return done.stdout.decode()


@pytest.mark.parametrize("command", [("forecast",), ("backtest", "--holdout", "24", "--output", "csv"),
                                     ("diagnose", "--output", "csv")])
def test_the_same_however_it_comes(tmp_path, command):
    grouped, mixed = rows(4, 200), rows(4, 200, "time")
    file = tmp_path / "a.csv"
    file.write_text(grouped)
    want = run(*command, file).stdout
    assert len(want.splitlines()) > 100
    assert run(*command, "-j1", file).stdout == want
    file.write_text(mixed)
    assert run(*command, "-j3", file).stdout == want
    for text in (grouped, mixed):
        assert piped(*command, "-", data=text.encode()) == want
        assert piped(*command, data=gzip.compress(text.encode())) == want
        parts = [gzip.compress(text[:99].encode()), gzip.compress(text[99:].encode()), bytes(9)]
        assert piped(*command, data=b"".join(parts)) == want
    assert piped(*command, "--grouped", data=grouped.encode()) == want
    file.write_text(grouped)
    with open(file) as stdin:
        assert subprocess.run([FIELDCAST, *command], stdin=stdin, capture_output=True, text=True,
                              timeout=60).stdout == want


@pytest.mark.parametrize("data, words", [
    (b"", "the file is empty"),
    (b"\n\n", "the file is empty"),
    (b"series,time,value\n", "holds no series"),
    (b"a,1767225600,1\n", 'line 1: the header must name the columns time (or timestamp) and value'),
    (b"H1,1,2,3\n", "a file with a series per row is read with --wide"),
    (b"time,kitchen,office,attic\n0,1,2,3\n", "a column per series has to be made one with a row per value first"),
    (b"time;value\n0;1\n", "line 1: the header must name the columns"),
    (b'series,time,value\n"a,0,1\n', "line 2, column 1 (series): the quote is never closed"),
    (b'series,time,value\n"a"b,0,1\n', "there is text after the closing quote"),
    (b"series,time,value\na,0,inf\n", 'line 2, column 3 (value): "inf" is not a number'),
    (b"series,time,value\na,0,0x10\n", '"0x10" is not a number'),
    (b'series,time,value\na,0,"1,5"\n', '"1,5" is not a number'),
    (b"series,time,value\na,01/02/2026,1\n", 'line 2, column 2 (time): "01/02/2026" is not a time: one is 2026-01-31T14:00:00Z,'),
    (b"series,time,value\na,0,1,5\n", "the header has 3 columns, this row 4 (the decimal sign is a point)"),
    (b"series,time,value\na,0,1\na,3600\n", "line 3, column 2 (time): the header has 3 columns, this row 2"),
    (b"value,time,value\n1,0,2\n", "line 1, column 3 (value): the header names it twice"),
    (b"series,time,value\na,-3600,1\n", '"-3600" is not a time of the years 1970 to 9999'),
    (b"series,time,value\n,0,1\n", "column 1 (series): a series' name has 1 to 129 bytes"),
    (b"series,time,value\na\0b,0,1\n", "there is a NUL byte: this is not a text file"),
    ("series,time,value\n".encode("utf-16"), "there is a NUL byte"),
    (b"series,time,value\na,0," + b"1" * 17_000_000, "a row has at most 16777216 bytes"),
    (b",".join([b"c"] * 200_001), "a row has at most 200000 columns"),
    (gzip.compress(rows(4, 200).encode())[:2000], "its gzip stream is damaged or cut off"),
    (gzip.compress(rows(4, 200).encode()) + b"a,1767225600,1\n", "something that is not gzip'ed follows its gzip stream"),
])
def test_broken_files(tmp_path, data, words):
    file = tmp_path / "x.csv"
    file.write_bytes(data)
    for command in ("forecast", "backtest", "diagnose"):
        done = run(command, file, code=1)
        assert words in done.stderr and "x.csv" in done.stderr, done.stderr


def test_odd_files(tmp_path):
    """Byte order mark, CRLF, hours twice and backwards, values that are missing, thousands of columns."""
    plain = "time,value\n" + "".join(f"{T0 + 3600 * i},{value(0, i):.3f}\n" for i in range(100))
    file = tmp_path / "x.csv"
    file.write_text(plain)
    want = run("forecast", file).stdout
    lines = plain.splitlines(keepends=True)
    for odd in ("\ufeff" + plain, plain.replace("\n", "\r\n"), plain + "".join(lines[1:]),
                lines[0] + "".join(reversed(lines[1:])), plain.replace("\n", "\n\n"),
                plain.replace("\n", ",\n", 20).replace("\n", ",,\n", 10),
                plain + f"{T0},\n{T0},NA\n{T0 + 3600 * 100},nan\n",
                lines[0].strip() + ",c" * 3000 + "\n" + "".join(line.strip() + ",1" * 3000 + "\n" for line in lines[1:])):
        file.write_bytes(odd.encode())
        assert run("forecast", file).stdout == want
    assert "Is a directory" in run("forecast", tmp_path, code=1).stderr
    assert "No such file" in run("forecast", tmp_path / "none.csv", code=1).stderr


def test_an_error_at_the_end_is_told_before_anything(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(rows(3, 100) + "s2,1767225600,oops\n")
    for command in ("forecast", "backtest", "diagnose"):
        done = run(command, file, code=1)
        assert done.stdout == "" and 'line 302, column 3 (value): "oops" is not a number' in done.stderr


def test_what_is_read_is_not_written_over(tmp_path):
    file, link = tmp_path / "x.csv", tmp_path / "y.csv"
    file.write_text(rows(1, 100))
    link.symlink_to(file)
    for arguments in (("forecast", "--plot", link, file), ("backtest", "--rows", file, file),
                      ("backtest", "--output", file, link), ("backtest", "--plot", file, file), ("diagnose", "--plot", file, file)):
        assert "is the file that is read: give another" in run(*arguments, code=2).stderr
    with open(file) as stdin:
        done = subprocess.run([FIELDCAST, "backtest", "--rows", file], stdin=stdin, capture_output=True, timeout=60)
    assert done.returncode == 2 and file.read_text() == rows(1, 100)


def test_rows_that_do_not_stand_together(tmp_path):
    file = tmp_path / "x.csv"
    file.write_text(rows(3, 100, "time"))
    assert "do not stand together in" in run("forecast", "--grouped", file, code=1).stderr
    done = subprocess.run([FIELDCAST, "forecast", "--grouped"], input=rows(3, 100, "time"), capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    assert "standard input, line 5, column 1 (series)" in done.stderr


@pytest.mark.parametrize("command", [("forecast",), ("forecast", "--output", "json"), ("diagnose",),
                                     ("diagnose", "--output", "csv"), ("diagnose", "--output", "json"),
                                     ("backtest", "--holdout", "6", "--all"), ("backtest", "--holdout", "6", "--output", "csv"),
                                     ("backtest", "--holdout", "6", "--output", "json")])
def test_what_cannot_be_written_ends_the_work(tmp_path, command):
    """With the reason of the write that failed, not of what came after it."""
    file = tmp_path / "x.csv"
    file.write_text("".join(f"s{s},{','.join(f'{value(s, i):.2f}' for i in range(60))}\n" for s in range(300)))
    arguments = [FIELDCAST, *command, "-j2", "--plot", tmp_path / "x.svg", "--wide", file]
    with open("/dev/full", "w") as full:
        done = subprocess.run(arguments, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    name = f"fieldcast {command[0]}: could not write to standard output: "
    assert done.returncode == 1 and done.stderr == name + "No space left on device\n"
    reader, writer = os.pipe()
    with subprocess.Popen(arguments, stdout=writer, stderr=subprocess.PIPE, text=True, restore_signals=False) as process:
        os.close(writer)
        os.read(reader, 10)
        os.close(reader)
        assert process.communicate(timeout=60)[1] == name + "Broken pipe\n"
    assert process.returncode == 1 and not (tmp_path / "x.svg").exists()


def test_a_full_disk_is_told_before_the_first_series(tmp_path):
    """What cannot be forecast is told as it is come to: with nowhere to write, it is not."""
    file = tmp_path / "x.csv"
    file.write_text("".join(f"s{s},1,2,3\n" for s in range(300)))
    with open("/dev/full", "w") as full:
        done = subprocess.run([FIELDCAST, "forecast", "--wide", file], stdout=full, stderr=subprocess.PIPE, text=True,
                              timeout=60)
    assert done.returncode == 1
    assert done.stderr == "fieldcast forecast: could not write to standard output: No space left on device\n"


def smape(y, f):
    return 200 / len(y) * sum(abs(a - b) / (abs(a) + abs(b)) if a or b else 0 for a, b in zip(y, f))


def test_figures_from_rows(tmp_path):
    """The overall figures, made again from the forecasts that were written."""
    file = tmp_path / "x.csv"
    file.write_text(rows(3, 500))
    done = run("backtest", "--horizon", 24, "--json", "--rows", tmp_path / "rows.csv", file)
    answer = json.loads(done.stdout)
    made = {}
    for r in table((tmp_path / "rows.csv").read_text()):
        made.setdefault((r["series"], r["candidate"]), {})[r["origin"], int(r["lead"])] = \
            float(r["y"]), float(r["yhat"])
    names = [c["name"] for c in answer["overall"]]
    assert names[-3:] == ["naive2", "blend", "chosen"]
    scores = {}
    for one in answer["series"]:
        known = [c["name"] for c in one["candidates"] if "mae" in c]
        common = set.intersection(*(set(made[one["series"], n]) for n in known))
        assert len(common) == one["origins"] * 24
        first = min(origin for origin, _ in common)
        start = (int(datetime.fromisoformat(first.replace("Z", "+00:00")).timestamp()) - T0) // 3600
        s = int(one["series"][1:])
        past = [round(value(s, i), 3) for i in range(start + 1)]
        q = sum(abs(past[i] - past[i - 24]) for i in range(24, len(past))) / (len(past) - 24)
        for c in one["candidates"]:
            if "mae" not in c:
                continue
            y, f = zip(*(made[one["series"], c["name"]][at] for at in sorted(common)))
            mae = sum(abs(a - b) for a, b in zip(y, f)) / len(y)
            assert c["mae"] == pytest.approx(mae, rel=1e-12)
            assert c["mase"] == pytest.approx(mae / q, rel=1e-9)
            assert c["smape"] == pytest.approx(smape(y, f), rel=1e-12)
            scores.setdefault(c["name"], []).append((mae / q, smape(y, f)))
    mean = {n: [sum(v) / len(v) for v in zip(*s)] for n, s in scores.items()}
    for c in answer["overall"]:
        if not c["series"]:
            continue
        mase, percent = mean[c["name"]]
        assert c["series"] == 3
        assert c["mase"] == pytest.approx(mase, rel=1e-9) and c["smape"] == pytest.approx(percent, rel=1e-9)
        assert c["owa"] == pytest.approx((mase / mean["naive2"][0] + percent / mean["naive2"][1]) / 2, rel=1e-9)
        assert c["skill_persistence"] == pytest.approx(1 - mase / mean["persistence"][0], abs=1e-9)
        assert c["skill_seasonal_naive"] == pytest.approx(1 - mase / mean["seasonal_naive_24"][0], abs=1e-9)
        assert 0 <= c["coverage"] <= 1 and c["msis"] > 0


def test_holdout_is_what_forecast_would_have_said(tmp_path):
    whole, before = tmp_path / "x.csv", tmp_path / "before.csv"
    whole.write_text(rows(2, 348))
    before.write_text(rows(2, 300))
    said = [r for r in table(run("backtest", "--holdout", 48, "--output", "csv", whole).stdout)
            if r["candidate"] == "chosen"]
    want = table(run("forecast", before).stdout)
    assert len(said) == len(want) == 96
    for a, b in zip(said, want):
        assert (a["series"], a["lead"]) == (b["series"], b["lead"])
        assert float(a["yhat"]) == pytest.approx(float(b["yhat"]), rel=1e-9)


def test_charts_are_well_formed(tmp_path):
    """Whatever the series are called, and where hours are missing."""
    file, chart = tmp_path / "x.csv", tmp_path / "x.svg"
    names = ['<b>&"x"', "a]]>", "b\x1b[2J", "büro.temperature", "c" * 120]
    text = "series,time,value\n"
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        text += "".join(f"{quoted},{T0 + 3600 * i},{value(0, i):.3f}\n" for i in range(300)
                        if not 200 < i < 210 and i not in (220, 222))
    file.write_text(text)
    for command, drawn in ((("forecast",), 5), (("backtest", "--holdout", "24"), 6), (("diagnose",), 5)):
        run(*command, "--plot", chart, file)
        svg = xml.dom.minidom.parse(str(chart))
        panels = svg.getElementsByTagName("clipPath")
        assert len(panels) == drawn
        shown = [t.firstChild.data for t in svg.getElementsByTagName("text") if t.firstChild.nodeType == 3]
        assert {'<b>&"x"', "a]]>", "b\\u001b[2J", "büro.temperature"} <= set(shown)
        assert not svg.getElementsByTagName("b") and not svg.getElementsByTagName("script")


def test_nothing_to_draw_is_told(tmp_path):
    file, chart = tmp_path / "x.csv", tmp_path / "x.svg"
    file.write_text("series,time,value\n" + "".join(f"a,{T0 + 3600 * i},5\n" for i in range(300)))
    assert f"{chart} is not written: there is a regression of no series" in run("diagnose", "--plot", chart, file).stderr
    assert not chart.exists()


def peak_mb(*arguments):
    """Of a process of its own, because a child's children are counted together."""
    code = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
            "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    done = subprocess.run(["python3", "-c", code, FIELDCAST, *map(str, arguments)], capture_output=True, text=True,
                          timeout=300)
    assert done.returncode == 0, done.stderr
    return int(done.stdout) / 1024


@pytest.mark.skipif("san-" in str(FIELDCAST), reason="a sanitizer keeps what was freed")
def test_memory_does_not_grow_with_the_number_of_series(tmp_path):
    few, many, wide = tmp_path / "few.csv", tmp_path / "many.csv", tmp_path / "wide.csv"
    hours = [f"{value(0, i):.2f}" for i in range(48)]
    for file, n in ((few, 100), (many, 5000)):
        with open(file, "w") as f:
            f.write("series,time,value\n")
            for s in range(n):
                f.writelines(f"s{s},{T0 + 3600 * i},{v}\n" for i, v in enumerate(hours))
    with open(wide, "w") as f:
        for s in range(5000):
            f.write(f"s{s},{','.join(hours)}\n")
    for command in (("forecast", "-j2"), ("diagnose", "-j2"), ("backtest", "-j2", "--holdout", "12")):
        small = peak_mb(*command, few)
        assert peak_mb(*command, many) < small + 3  # 5,000 × 48 values are 1.9 MB, once
        assert peak_mb(*command, "--wide", wide) < small + 3
