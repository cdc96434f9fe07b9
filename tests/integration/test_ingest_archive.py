# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive: every reading is in its files once, whatever ends ingest, and a disk that refuses stops nobody else."""

import json
import os
import random
import signal
from datetime import UTC, datetime

from procs import wait_for

FAST = {"FC_FLUSH_MS": "20"}


def lines(folder):
    return [json.loads(line) for path in sorted(folder.glob("readings-*.jsonl")) if path.is_file()
            for line in path.read_text().splitlines()]


def numbers(folder):
    return [(r["device"], r["seq"]) for r in lines(folder)]


def stored(st):
    rows = st.influx("SELECT count(received_ms) AS n FROM readings")
    return rows[0]["n"] if rows else 0


def post(st, device, seqs):
    body = [{"device": device, "boot": 1, "seq": n, "ts_ms": st.clock.now - 100_000 + n * 10, "values": {"co2": 400 + n}} for n in seqs]
    assert st.post("ingest", "/api/v1/readings", body)["accepted"] == len(body)


def test_kills(stacks, tmp_path):
    folder = tmp_path / "archive"
    st = stacks(services=["ingest"], service_env={"ingest": FAST | {"FC_ARCHIVE_DIR": str(folder), "FC_ARCHIVE_FILE_MB": "1"}})
    rng, sent = random.Random(7), 0
    for _ in range(6):
        for _ in range(rng.randint(4, 8)):
            n = rng.randint(1, 900)
            post(st, "kitchen", range(sent, sent + n))
            sent += n
        st.restart("ingest", signal.SIGKILL)
    wait_for(lambda: len(numbers(folder)) >= sent, 30, "all readings in the archive")
    got = numbers(folder)
    assert sorted(got) == [("kitchen", n) for n in range(sent)]  # once each
    assert got == sorted(got)  # and as they came
    assert len(list(folder.glob("*.jsonl"))) > 1
    # a line can be taken again as it is
    again = lines(folder)[0]
    assert st.post("ingest", "/api/v1/readings", again)["accepted"] == 1


def test_a_disk_that_refuses_stops_nobody(stacks, tmp_path):
    folder = tmp_path / "archive"
    st = stacks(services=["ingest"], service_env={"ingest": FAST | {"FC_ARCHIVE_DIR": str(folder)}})
    post(st, "kitchen", range(10))
    wait_for(lambda: len(numbers(folder)) == 10, 10, "the first readings")
    # the next day's file cannot be made: something else has its name
    newest = max(int(p.name.split("-")[1]) for p in folder.glob("*.jsonl"))
    st.clock.set(st.clock.now + 25 * 3_600_000)
    day = datetime.fromtimestamp(st.clock.now / 1000, UTC).strftime("%Y%m%d")
    os.mkdir(folder / f"readings-{newest + 1:010}-{day}.jsonl")
    post(st, "kitchen", range(10, 30))
    wait_for(lambda: stored(st) == 30, 20, "InfluxDB to have all")
    wait_for(lambda: st.metric("ingest", "fieldcast_dependency_up", dependency="archive") == 0, 10, "the archive to be missed")
    assert st.request("GET", "ingest", "/readyz").status_code == 200
    assert len(numbers(folder)) == 10
    os.rmdir(folder / f"readings-{newest + 1:010}-{day}.jsonl")
    wait_for(lambda: len(numbers(folder)) == 30, 20, "the archive to have all")
    assert sorted(numbers(folder)) == [("kitchen", n) for n in range(30)]

