# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL of ingest and of InfluxDB at random points while numbered readings come in, also with the
disk of ingest's log full and with its folder read-only: every one that the broker took is in InfluxDB,
exactly once, also those whose time is made on arrival.

    python -m pytest -c tests/pytest.ini --rootdir=. -s -m long tests/integration/test_ingest_kills.py
prints the tables of docs/ingest.md."""

import json
import random
import shutil
import signal
import subprocess
import threading
import time

import pytest

from procs import Proc, as_server, make_dir, wait_for, which
from stack import START, ms, program

DEVICES = ["north", "south", "east"]


class Publisher(threading.Thread):
    """Numbered readings of one device at QoS 1, as fast as asked, until told to stop."""

    def __init__(self, st, device, timed):
        super().__init__(daemon=True)
        self.st, self.device, self.timed = st, device, timed
        self.sent, self.going, self.pending = 0, True, []

    def run(self):
        while self.going:
            self.sent += 1
            body = {"device": self.device, "boot": 1, "seq": self.sent, "values": {"temperature": 20 + self.sent % 5}}
            if self.timed:
                body["ts_ms"] = ms(START) + self.sent * 10
            self.pending.append(self.st.publish_raw(f"fieldcast/{self.device}/readings", json.dumps(body), wait=False))
            time.sleep(0.002)

    def finish(self):
        self.going = False
        self.join()
        for info in self.pending:
            info.wait_for_publish(60)


def stored(st, device):
    return [int(r["seq"]) for r in st.influx(f"SELECT seq FROM readings WHERE device = '{device}'")]


# ---- what happens; each is one kill. ingest is no root here, so that a read-only folder is one.

def data(st):
    return st.folder / "ingest-data"


def start(st, wait=True):
    argv = ["env", "--ignore-signal=XFSZ", st.folder / "fc-ingest"]  # a write beyond the limit fails
    st.procs["ingest"] = Proc("ingest", argv, st.folder, st.environment("ingest"), server=True).start()
    if wait:
        st.wait_ready("ingest")


def says_log(st):
    return "log" in st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"]


def kill_ingest(st, chance):
    st.kill("ingest", signal.SIGKILL)
    time.sleep(chance.uniform(0, 0.3))
    start(st, wait=chance.random() < 0.5)


def kill_influxdb(st, chance):
    st.influx_server.stop(signal.SIGKILL)
    time.sleep(chance.uniform(0, 0.3))
    st.influx_server.start()


def limit_files(st, size):
    """As its user: another one's limits not even root may set everywhere."""
    pid = st.procs["ingest"].pid
    subprocess.run(as_server([which("prlimit"), "--pid", str(pid), f"--fsize={size}:"]), check=True)


def disk_full(st, chance):
    """The disk takes a little more and then nothing; killed while it is so, or after there is room."""
    st.wait_ready("ingest")
    size = max(data(st).glob("*.log")).stat().st_size  # the newest segment; one has 1 MB at most
    limit_files(st, min(size, 900_000) + chance.randrange(3000))
    wait_for(lambda: says_log(st), 30, "/readyz to name the log")
    if chance.random() < 0.5:
        limit_files(st, "unlimited")
        time.sleep(chance.uniform(0, 0.3))
    kill_ingest(st, chance)


def folder_read_only(st, chance):
    """Nothing new can be made in the folder; a start there does not come about."""
    def mode(folder, files):
        data(st).chmod(folder)
        for f in data(st).iterdir():
            f.chmod(files)
    st.wait_ready("ingest")
    mode(0o555, 0o444)
    time.sleep(chance.uniform(0.1, 0.6))
    st.kill("ingest", signal.SIGKILL)
    start(st, wait=False)
    wait_for(lambda: not st.procs["ingest"].alive() or says_log(st), 30, "ingest to end or to name the log")
    mode(0o755, 0o644)
    if not st.procs["ingest"].alive():
        start(st, wait=chance.random() < 0.5)


EPISODES = {"ingest": kill_ingest, "InfluxDB": kill_influxdb, "disk full": disk_full,
            "read-only": folder_read_only}


def table(publishers, kinds, got):
    """Prints it and returns what is wrong."""
    print(f"\n{len(kinds)} kills: " + ", ".join(f"{kinds.count(k)} {k}" for k in EPISODES))
    print("device  acknowledged   stored  missing  extra")
    wrong = []
    for p in publishers:
        missing = set(range(1, p.sent + 1)) - set(got[p.device])
        extra = len(got[p.device]) - (p.sent - len(missing))
        print(f"{p.device:<6}  {p.sent:12}  {len(got[p.device]):7}  {len(missing):7}  {extra:5}")
        wrong += [f"{p.device}: {len(missing)} missing, {extra} extra"] if missing or extra else []
    return wrong


def kill_matrix(stacks, kills, seed, **env):
    st = stacks(services=["ingest"], own_servers=True, clock=True, launch=False,
                env={"FC_LOG_MAX_MB": 4, **env})  # segments of 1 MB
    make_dir(data(st), server_owned=True)
    shutil.copy(program("fc-ingest"), st.folder)  # where that other user can read it
    st.mosquitto.start()
    st.influx_server.start()
    start(st)
    chance = random.Random(seed)
    publishers = [Publisher(st, d, timed=d != "east") for d in DEVICES]  # east has no clock
    st.mqtt  # noqa: B018 - connected before the threads share it
    for p in publishers:
        p.start()
    order = ["ingest", "InfluxDB", "disk full", "read-only", "ingest"]
    kinds = [order[i % len(order)] for i in range(kills)]
    for kind in kinds:
        time.sleep(chance.uniform(0.05, 0.6))
        EPISODES[kind](st, chance)
    time.sleep(0.3)
    for p in publishers:
        p.finish()
    st.wait_ready("ingest")
    for p in publishers:
        wait_for(lambda: len(stored(st, p.device)) >= p.sent, 240, f"{p.sent} readings of {p.device}")  # noqa: B023
    assert not table(publishers, kinds, {p.device: stored(st, p.device) for p in publishers})
    totals = wait_for(lambda: (t := st.get("ingest", "/api/v1/ledger")["totals"])["pending"] == 0 and t, 20, "the end")
    assert totals["received"] == totals["stored"] + totals["duplicate"] + sum(totals["rejected"].values())


def test_five_kills(stacks):
    kill_matrix(stacks, 5, 1)


@pytest.mark.long
def test_thirty_kills(stacks):
    kill_matrix(stacks, 30, 2)


@pytest.mark.long
def test_thirty_kills_with_power_durability(stacks):
    kill_matrix(stacks, 30, 3, FC_DURABILITY="power")


def test_the_broker_keeps_what_comes_while_ingest_is_away(stacks):
    st = stacks(services=["ingest"])
    st.restart("ingest", signal.SIGTERM)  # the session is the broker's
    st.kill("ingest", signal.SIGTERM)
    st.publish_all([("kitchen", ms(START) + i * 1000, {"temperature": 20}) for i in range(500)])
    st.start("ingest")
    wait_for(lambda: len(stored(st, "kitchen")) == 500, 20, "the broker's queue")
    assert st.metric("ingest", "fieldcast_ingest_messages_total", result="logged") == 500
