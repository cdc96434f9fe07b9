# SPDX-License-Identifier: GPL-3.0-or-later
"""The command as people and scripts meet it: help, exit codes, and the same output for the
same seed."""
import contextlib
import gzip
import http.server
import json
import os
import re
import subprocess
import threading
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
    assert {"simulate", "replay", "backtest", "explain"} <= set(subcommands())
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
    for arguments in (["--output", "csv"], ["--rows", "-"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run([FIELDCAST, "backtest", *arguments], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=60, input=rows)
        assert done.returncode == 1 and "fieldcast backtest: could not write to standard output: No space" in done.stderr, done.stderr


def test_rows_without_a_standard_output(tmp_path):
    """Closed, it must not become the next file that is opened."""
    csv = "time,value\n" + "".join(f"{3600 * i},{i % 24}\n" for i in range(24 * 30))
    for arguments in (["--json"], ["--preset", "system0"]):
        rows = tmp_path / "rows.csv"
        done = subprocess.run(["sh", "-c", '"$0" "$@" >&-', FIELDCAST, "backtest", *arguments, "--rows", rows, "-"],
                              capture_output=True, text=True, timeout=60, input=csv)
        assert done.returncode == 1 and "could not write to standard output: Bad file" in done.stderr, done.stderr
        lines = rows.read_text().splitlines()
        assert lines[0].startswith("series,") and {line.count(",") for line in lines} == {5}


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


class StandIn(http.server.BaseHTTPRequestHandler):
    """For a service: says what a test's answer() tells it to."""

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def standing_in(handler):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def asked():
    """A stand-in for ingest: what it was asked, and what it is to answer."""
    class Ingest(StandIn):
        def do_POST(self):
            self.server.seen.append((self.path, self.headers.get("Authorization"), self.body()))
            self.answer(*self.server.answer)
    with standing_in(Ingest) as server:
        server.seen = []
        yield server


TAKEN = {"decoder": "native", "accepted": True, "reason": "out_of_range", "detail": "humidity is 101",
         "items": [{"device": "kitchen", "accepted": True, "time": "2026-11-20T10:00:00.000Z", "time_source": "device",
                    "why": "the device's own time", "line": "readings,device=kitchen temperature=21.4 1",
                    "values": {"temperature": {"value": 21.4, "unit": "celsius"}, "x": {"value": 1, "unit": ""}}},
                   {"device": "attic", "accepted": False, "reason": "no_values"},
                   {"device": "cellar", "accepted": True, "status": "offline"}]}
REFUSED = {"decoder": None, "accepted": False, "reason": "unknown_topic",
           "detail": 'no decoder knows the topic "a/b"', "items": []}


def test_explain_for_people(asked, tmp_path):
    asked.answer = 200, TAKEN
    done = run("explain", "--url", asked.url + "/", "a/b", '{"x":1}', env={"FC_TOKEN": "secret-1"})
    assert asked.seen[-1] == ("/api/v1/explain", "Bearer secret-1",
                              {"topic": "a/b", "payload": '{"x":1}', "retain": False})
    assert done.stdout == """decoder: native

kitchen
  time  2026-11-20T10:00:00.000Z (the device's own time)
  temperature  21.4 celsius
  x            1
  line  readings,device=kitchen temperature=21.4 1

attic
  refused: no_values

cellar
  is offline

not taken of it: out_of_range: humidity is 101
"""
    asked.answer = 200, REFUSED
    done = run("explain", "--url", asked.url, "a/b", "x", code=1)
    assert done.stdout == 'decoder: none\n\nrefused: unknown_topic: no decoder knows the topic "a/b"\n'
    done = run("explain", "--json", "--url", asked.url, "a/b", "x", code=1)
    assert json.loads(done.stdout) == REFUSED
    asked.answer = 200, {**REFUSED, "subscribed": False}
    assert run("explain", "--url", asked.url, "a/b", "-1.5", code=1).stdout.endswith(
        "\n\nby MQTT it would not come: neither FC_MQTT_FILTERS nor FC_DECODE_FILE has its topic\n")
    assert asked.seen[-1][2]["payload"] == "-1.5"
    asked.answer = 200, {**REFUSED, "accepted": True, "reason": None, "detail": None}
    assert "says nothing that is stored" in run("explain", "--url", asked.url, "a/b", "x").stdout


def test_explain_takes_payloads_from_anywhere(asked, tmp_path):
    asked.answer = 200, TAKEN
    message = tmp_path / "message"
    message.write_bytes(b"\x01\xff\x00")
    (tmp_path / "token").write_text("secret-2\nnot this")
    run("explain", "--url", asked.url, "--token-file", tmp_path / "token", "--retain", "t", f"@{message}")
    assert asked.seen[-1][1:] == ("Bearer secret-2", {"topic": "t", "payload_base64": "Af8A", "retain": True})
    for operand in ([], ["-"]):
        run("explain", "--url", asked.url, "t", *operand, stdin="from a pipe\n")
        assert asked.seen[-1][1:] == (None, {"topic": "t", "payload": "from a pipe\n", "retain": False})
    run("explain", "--url", asked.url, "t", "")
    assert asked.seen[-1][2]["payload"] == ""


@pytest.fixture
def trainer():
    """A stand-in for it: two trainings are asked for; what it says of them is `jobs`, None: nothing."""
    class Trainer(StandIn):
        def do_POST(self):
            self.body()
            self.answer(202, {"jobs": [{"id": 1, "series": "a.x"}, {"id": 2, "series": "b.x"}]})

        def do_GET(self):
            self.answer(*((500, {"detail": "boom"}) if self.server.jobs is None else (200, {"items": self.server.jobs})))
    with standing_in(Trainer) as server:
        server.jobs = None
        yield server


def test_train_left_alone(trainer):
    """What was asked for is told, whether or not more is known by then."""
    def left(output, code):
        return run("train", "--url", trainer.url, "--no-wait", "--output", output, "a.x", "b.x", code=code)
    done = left("csv", 1)
    assert done.stdout.splitlines()[1:] == ["a.x,1,,,,", "b.x,2,,,,"]
    assert "2 of 2 trainings go on without this command" in done.stderr and "boom" in done.stderr
    done = json.loads(left("json", 1).stdout)
    assert done["jobs"] == [{"id": 1, "series": "a.x"}, {"id": 2, "series": "b.x"}]
    assert (done["open"], done["failed"]) == (2, 0)
    trainer.jobs = [{"id": 2, "series": "b.x", "state": "running", "outcome": None},
                    {"id": 1, "series": "a.x", "state": "succeeded", "outcome": "promoted", "version": 3}]
    done = left("csv", 0)
    assert done.stdout.splitlines()[1:] == ["a.x,1,3,succeeded,promoted,", "b.x,2,,running,,"]
    assert "1 of 2 trainings go on" in done.stderr
    trainer.jobs[0].update(state="failed", outcome=None)
    done = left("json", 0)
    assert "go on" not in done.stderr
    done = json.loads(done.stdout)
    assert (done["promoted"], done["failed"], done["open"]) == (1, 1, 0)


def test_explain_says_what_is_wrong(asked, tmp_path):
    assert "a topic is missing" in run("explain", code=2).stderr
    assert '"c" is one argument too many' in run("explain", "a", "b", "c", code=2).stderr
    assert "could not open /nowhere" in run("explain", "t", "@/nowhere", code=1).stderr
    assert "exclude each other" in run("explain", "--token", "a", "--token-file", "b", "t", "x", code=2).stderr
    assert "more than 262144 bytes" in run("explain", "t", stdin="x" * 300_000, code=1).stderr
    assert "http://127.0.0.1:1/api/v1/explain" in run("explain", "--url", "http://127.0.0.1:1", "t", "x", code=1).stderr
    asked.answer = 401, {"detail": "no token"}
    assert "wants a token with the role operator: --token-file (no token)" in \
        run("explain", "--url", asked.url, "t", "x", code=1).stderr
    asked.answer = 400, {"detail": "field \"topic\" is too long"}
    assert 'answered HTTP 400: field "topic" is too long' in run("explain", "--url", asked.url, "t", "x", code=1).stderr
    asked.answer = 200, ["hello"]
    assert "is not Fieldcast's ingest" in run("explain", "--url", asked.url, "t", "x", code=1).stderr


def test_train_wants_to_know_which():
    assert "which series? Give their names" in run("train", code=2).stderr
    assert "not both" in run("train", "--all", "a.b", code=2).stderr
    assert "--cancel goes with names or --all" in run("train", "--all", "--cancel", "--reason", "x", code=2).stderr
    assert "--output must be csv or json" in run("train", "a.b", "--output", "xml", code=2).stderr
    assert "--priority" in run("train", "a.b", "--priority", "101", code=2).stderr
    # what JSON cannot carry would have been left out, and the rest trained
    assert 'the name of a series must be UTF-8, not "a.?"' in run("train", "a.b", "a.\udcff", code=2).stderr
    for token in ("x\r\nX-Role: admin", "x y", "ü"):
        assert "the token must be of ASCII characters" in run("train", "a.b", "--token", token, code=1).stderr
    assert "the token has more than 4094 bytes" in run("train", "a.b", "--token", "x" * 4095, code=1).stderr
    assert "--preset must be UTF-8" in run("train", "a.b", "--preset", "\udcff", code=2).stderr
    assert "http://127.0.0.1:1/api/v1/train" in run("train", "a.b", "--url", "http://127.0.0.1:1", code=1).stderr


def test_train_of_somebody_else(asked):
    asked.answer = 200, {"hello": 1}
    assert "is not Fieldcast's trainer" in run("train", "a.b", "--url", asked.url, code=1).stderr
    for strange in "x", 0, 2**63 - 1:
        asked.answer = 202, {"jobs": [{"id": strange}]}
        assert "is not Fieldcast's trainer" in run("train", "a.b", "--url", asked.url, code=1).stderr
