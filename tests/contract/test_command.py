# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as people and scripts meet it: help, exit codes, and the same output for the
same seed."""
import gzip
import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FIELDCAST = Path(os.environ.get("FC_BUILD", ROOT / "build")).resolve() / "bin/fieldcast"


def run(*arguments, code=0, env=None, stdin=None):
    done = subprocess.run([FIELDCAST, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, input=stdin)
    assert done.returncode == code, done.stderr
    return done


def subcommands():
    listed = run("--help").stdout.split("Subcommands\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\w+) +\w", listed, re.MULTILINE)


def test_help_and_version():
    assert {"simulate", "replay", "backtest"} <= set(subcommands())
    assert re.fullmatch(r"fieldcast \d+\.\d+\.\d+ \(\w+\)\n", run("--version").stdout)
    assert "Usage" in run(code=2).stderr


def test_each_subcommand_teaches():
    for name in subcommands():
        text = run(name, "--help").stdout
        assert f"fieldcast {name}" in text and "xample" in text, name
        wrong = run(name, "--no-such-option", code=2)
        assert "--no-such-option" in wrong.stderr and wrong.stdout == ""


def test_output_that_goes_nowhere():
    """A full disk behind standard output, or none at all: told, and no success."""
    for arguments in (["--help"], ["backtest", "-"], ["simulate", "--dry-run", "--count", "1"]):
        rows = "time,value\n" + "".join(f"{3600 * i},{i % 24}\n" for i in range(24 * 30))
        with open("/dev/full", "w") as full:
            done = subprocess.run([FIELDCAST, *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60, input=rows)
        assert done.returncode == 1 and "could not write to standard output: No space" in done.stderr, done.stderr


def test_unknown_subcommand_suggests():
    assert 'did you mean "simulate"?' in run("simulat", code=2).stderr
    assert "fieldcast --help" in run("frobnicate", code=2).stderr


def messages(text):
    return [(topic, json.loads(body)) for topic, body in (line.split(" ", 1) for line in text.splitlines())]


def test_simulate_is_repeatable():
    wanted = ("simulate", "--dry-run", "--start", "2026-11-01T00:00:00Z", "--backfill", "2d")
    first = run(*wanted)
    assert first.stdout == run(*wanted).stdout
    assert first.stdout != run(*wanted, "--seed", 2).stdout
    got = messages(first.stdout)
    assert len(got) == 2 * 288 * 6 + 1
    times = [m["ts_ms"] for _, m in got]
    assert times == sorted(times)
    series = {(m["device"], q) for _, m in got for q in m["values"]}
    assert len(series) == 18
    for device in {d for d, _ in series}:
        seqs = [m["seq"] for _, m in got if m["device"] == device]
        assert seqs == list(range(1, len(seqs) + 1))


def test_backfill_and_live_join(tmp_path):
    """A history up to the present and one that begins later say the same where they overlap."""
    clock = tmp_path / "clock"
    clock.write_text("1795132800000 0\n")
    env = {"FC_CLOCK_FILE": str(clock)}
    long = messages(run("simulate", "--dry-run", "--backfill", "6h", env=env).stdout)
    clock.write_text("1795136400000 0\n")
    late = messages(run("simulate", "--dry-run", "--backfill", "2h", env=env).stdout)
    values = {(t, m["ts_ms"]): m["values"] for t, m in long}
    shared = [(t, m) for t, m in late if (t, m["ts_ms"]) in values]
    assert len(shared) == 6 * 12 + 1
    assert all(values[t, m["ts_ms"]] == m["values"] for t, m in shared)
    assert max(m["ts_ms"] for _, m in long) <= 1795132800000


def test_faults_change_only_their_series():
    wanted = ("simulate", "--dry-run", "--start", "2026-11-01T00:00:00Z", "--backfill", "1d")
    clean = messages(run(*wanted).stdout)
    faulty = messages(run(*wanted, "--fault", "offset=3@kitchen.temperature:2026-11-01T12:00:00Z..",
                          "--fault", "gap@office.co2:2026-11-01T12:00:00Z..").stdout)
    for (topic, a), (_, b) in zip(clean, faulty, strict=True):
        late = a["ts_ms"] >= 1793534400000
        if late and topic == "fieldcast/kitchen/readings":
            assert abs(b["values"]["temperature"] - a["values"]["temperature"] - 3) < 0.11
            del a["values"]["temperature"], b["values"]["temperature"]
        if late and topic == "fieldcast/office/readings":
            assert "co2" not in b["values"]
            del a["values"]["co2"]
        assert a == b
    assert "no series kitchen.pressure" in run(*wanted, "--fault", "gap@kitchen.pressure:-1d..", code=2).stderr


@pytest.mark.parametrize("packed", [False, True])
def test_replay(tmp_path, packed):
    rows = "time,temp_hall,hum_hall,temp_roof\n2026-11-01T00:00:00Z,20.1,50,\n2026-11-01T00:01:00Z,20.2,51,3.5\n"
    file = tmp_path / ("t.csv.gz" if packed else "t.csv")
    file.write_bytes(gzip.compress(rows.encode()) if packed else rows.encode())
    done = run("replay", file, "--preset", "esp32-home", "--dry-run")
    assert [(t, m.get("temp_c"), m["ts"]) for t, m in messages(done.stdout)] == [
        ("home/hall/dht22", 20.1, 846806400), ("home/hall/dht22", 20.2, 846806460),
        ("home/roof/dht22", 3.5, 846806460)]
    assert "3 messages of 2 devices" in done.stderr


def test_replay_ends_now(tmp_path):
    file, clock = tmp_path / "t.csv", tmp_path / "clock"
    file.write_text("ts,t\n1000000000,1\n1000000600,2\n")
    clock.write_text("1795132830000 0\n")
    done = run("replay", file, "--time", "ts", "--device", "=lab", "--map", "t=temperature", "--dry-run",
               "--shift-to-now", env={"FC_CLOCK_FILE": str(clock)})
    assert [m["ts_ms"] for _, m in messages(done.stdout)] == [1795132180000, 1795132780000]


def test_replay_drives_the_clock(tmp_path):
    file, clock = tmp_path / "t.csv", tmp_path / "clock"
    file.write_text("ts,t\n1000000000,1\n1000000600,2\n")
    run("replay", file, "--time", "ts", "--device", "=lab", "--map", "t=temperature", "--dry-run",
        "--clock-file", clock)
    assert clock.read_text() == "1000000600000 0\n"


def test_replay_reads_standard_input():
    done = run("replay", "-", "--time", "ts", "--device", "=lab", "--map", "t=temperature", "--dry-run",
               stdin="ts,t\n1000000000,1\n")
    assert len(messages(done.stdout)) == 1


@pytest.mark.parametrize("text, words", [
    ("", "is empty"),
    ("ts,t\n", "has no row"),
    ("ts,t\nnoon,1\n", 'line 2, column 1 (ts): "noon" is not a time'),
    ("ts,t\n0,wet\n", 'line 2, column 2 (t): "wet" is not a number'),
    ("a,b\n0,1\n", 'there is no column "ts"; there are a, b'),
])
def test_replay_names_what_is_wrong(tmp_path, text, words):
    file = tmp_path / "t.csv"
    file.write_text(text)
    done = run("replay", file, "--time", "ts", "--device", "=lab", "--map", "t=temperature", "--dry-run", code=1)
    assert words in done.stderr and str(file) in done.stderr + str(file)


def test_broker_away():
    done = run("simulate", "--mqtt", "tcp://127.0.0.1:1", "--count", 1, code=1)
    assert "could not reach the broker tcp://127.0.0.1:1 in 10 s" in done.stderr
