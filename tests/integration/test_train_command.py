# SPDX-License-Identifier: GPL-3.0-or-later
"""`fieldcast train` beside a running trainer."""

import csv
import io
import json
import signal
import subprocess

from procs import wait_for
from stack import HOUR, program
from trainer_data import START, add_series, chain_holds, nothing_is_stored, trainer_stack, write_hours

SERIES = ["attic.temperature", "cellar.humidity", "kitchen.temperature"]


def command(st, *arguments, token="operator"):
    return [program("fieldcast"), "train", "--url", st.url("trainer"), "--token", st.tokens[token], *arguments]


def run(st, *arguments, code=0, **kw):
    done = subprocess.run(command(st, *arguments, **kw), capture_output=True, text=True, timeout=60)
    assert done.returncode == code, f"{done.returncode} {done.stdout} {done.stderr}"
    return done


def trainings_asked(st):
    return st.metric("trainer", "fieldcast_http_requests_total", route="/api/v1/train") or 0


def filled(stacks, **kw):
    st = trainer_stack(stacks, weeks=0, **kw)
    st.clock.set(START + 72 * HOUR + 130_000)
    for name in SERIES:
        if name != "kitchen.temperature":
            add_series(st, name)
        write_hours(st, name, 72)
    return st


def test_some_and_all(stacks):
    st = filled(stacks)
    done = run(st, "kitchen.temperature", "--reason", "moved", "--priority", "3", "--preset", "system0")
    assert done.stdout == "1 series: 1 promoted, 0 kept, 0 refused, 0 failed, 0 cancelled\n"
    assert done.stderr.splitlines()[-1].startswith("kitchen.temperature: version 1 promoted: ")
    assert st.pg("SELECT reason, priority, preset FROM jobs") == [{"reason": "moved", "priority": 3, "preset": "system0"}]
    rows = list(csv.DictReader(io.StringIO(run(st, "--all", "--output", "csv").stdout)))
    assert [(r["series"], r["state"]) for r in rows] == [(s, "done") for s in SERIES]
    assert [r["version"] for r in rows] == ["1", "1", "2"] and all(r["message"] and int(r["job"]) > 1 for r in rows)
    assert st.pg("SELECT DISTINCT priority FROM jobs WHERE id > 1") == [{"priority": -10}]

    add_series(st, "roof.rain")  # nothing was measured yet
    done = run(st, "--output", "json", "roof.rain", SERIES[0], code=1)
    assert done.stderr.splitlines()[-2].startswith("roof.rain: refused: no_model_yet: roof.rain has no complete hour")
    answer = json.loads(done.stdout)
    outcome = {j["series"]: j["outcome"] for j in answer["jobs"]}
    assert outcome["roof.rain"] == "refused" and outcome[SERIES[0]] in ("kept", "promoted")
    assert (answer["refused"], answer["kept"] + answer["promoted"], answer["failed"]) == (1, 1, 0)
    assert answer[outcome[SERIES[0]]] == 1
    assert chain_holds(st)


def test_what_it_is_told_is_said(stacks):
    st = filled(stacks)
    assert 'there is no series "no.such"' in run(st, "no.such", SERIES[0], code=1).stderr
    assert "wants a token with the role operator" in run(st, SERIES[0], code=1, token="viewer").stderr
    assert 'not "best"' in run(st, SERIES[0], "--preset", "best", code=2).stderr
    assert not st.pg("SELECT 1 FROM jobs")
    st.pg("UPDATE series SET state = 'disabled'")
    assert "no active series" in run(st, "--all").stderr
    assert run(st, "--all", "--output", "csv").stdout == "series,job,version,state,outcome,message\n"
    none = json.loads(run(st, "--all", "--output", "json").stdout)
    assert none == {"jobs": [], "promoted": 0, "kept": 0, "refused": 0, "failed": 0, "cancelled": 0, "open": 0}


def test_joining_a_job_that_makes_something_else_is_said(stacks):
    st = filled(stacks, env={"FC_TRAIN_WORKERS": 1})

    def said(*arguments, **kw):
        return run(st, "--no-wait", *arguments, **kw).stderr.split("train: ")[0].splitlines()

    with nothing_is_stored(st):
        assert said(SERIES[0]) == []
        wait_for(lambda: st.get("trainer", "/api/v1/jobs/open")["running"], 20, "the job to be taken")
        assert said("--all", "--preset", "theta") == [f"{SERIES[0]}: joins job 1, which makes the best of all candidates"]
        waits = {r["series"]: r["id"] for r in st.pg("SELECT series, id FROM jobs")}[SERIES[1]]
        assert said(SERIES[0], SERIES[1]) == [f"{SERIES[1]}: joins job {waits}, which makes preset theta"]
        assert said(SERIES[1], "--preset", "theta") == []
    wait_for(lambda: not st.pg("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')"), 60, "the trainings to end")


def test_interrupted_and_cancelled(stacks):
    st = filled(stacks)
    with nothing_is_stored(st):
        p = subprocess.Popen(command(st, "--all"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: st.get("trainer", "/api/v1/jobs/open")["running"], 20, "a training")
        p.send_signal(signal.SIGINT)
        _, said = p.communicate(timeout=30)
        assert p.returncode == 1 and "3 of 3 trainings go on without this command" in said, said
        assert len(st.pg("SELECT 1 FROM jobs WHERE state IN ('queued', 'running')")) == 3
        done = run(st, "--no-wait", "--output", "csv", SERIES[0])
        (row,) = csv.DictReader(io.StringIO(done.stdout))
        assert row["series"] == SERIES[0] and row["state"] in ("queued", "running") and not row["outcome"]
        left = json.loads(run(st, "--no-wait", "--output", "json", SERIES[0]).stdout)
        assert [j["series"] for j in left["jobs"]] == [SERIES[0]] and left["failed"] == 0 and left["open"] == 1
        done = run(st, "--no-wait", SERIES[0])
        assert f'1 of 1 trainings go on without this command; "fieldcast train {SERIES[0]} --cancel"' in done.stderr
        asked = trainings_asked(st)
        watch = subprocess.Popen(command(st, SERIES[0]), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: trainings_asked(st) > asked, 20, "its request")
        assert run(st, "--cancel", SERIES[0]).stdout == "1 training was cancelled\n"
        out, said = watch.communicate(timeout=30)
        assert watch.returncode == 1 and f"{SERIES[0]}: cancelled: cancelled by operator" in said, said
        assert out == "1 series: 0 promoted, 0 kept, 0 refused, 0 failed, 1 cancelled\n"
        assert run(st, "--cancel", "--all").stdout == "2 trainings were cancelled\n"
        assert run(st, "--cancel", "--all").stdout == "0 trainings were cancelled\n"
    assert not st.pg("SELECT 1 FROM decisions")


def test_a_trainer_that_starts_again_is_waited_for(stacks):
    st = filled(stacks)
    with nothing_is_stored(st):
        p = subprocess.Popen(command(st, "--all"), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: st.pg("SELECT 1 FROM jobs WHERE state = 'running'"), 20, "a training")
        st.kill("trainer")
        st.pg("UPDATE jobs SET state = 'queued' WHERE state = 'running'")  # as after the lease, only sooner
    st.start("trainer")
    out, said = p.communicate(timeout=60)
    assert (p.returncode, out) == (0, "3 series: 3 promoted, 0 kept, 0 refused, 0 failed, 0 cancelled\n"), said


def test_more_than_a_page(stacks):
    """Series that nobody measured are refused at once: each is named."""
    st = filled(stacks)
    st.pg("INSERT INTO series (name, device, quantity) SELECT 'd' || i || '.co2', 'd' || i, 'co2' FROM generate_series(1, 1100) i")
    done = run(st, "--all", "--output", "csv", code=1)
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert len(rows) == 1103 and [r["outcome"] for r in rows].count("refused") == 1100
    assert sum(": refused: no_model_yet: " in line for line in done.stderr.splitlines()) == 1100
    assert done.stderr.endswith("1103 series: 3 promoted, 0 kept, 1100 refused, 0 failed, 0 cancelled\n")
