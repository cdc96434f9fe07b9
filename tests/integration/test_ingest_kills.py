# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL of ingest and of InfluxDB at random points while numbered readings come in: every one
that the broker took is in InfluxDB, exactly once, also those whose time is made on arrival."""

import json
import random
import signal
import threading
import time

import pytest

from procs import wait_for
from stack import START, ms

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


def kill_matrix(st, kills, seed):
    chance = random.Random(seed)
    publishers = [Publisher(st, d, timed=d != "east") for d in DEVICES]  # east has no clock
    st.mqtt  # noqa: B018 - connected before the threads share it
    for p in publishers:
        p.start()
    for i in range(kills):
        time.sleep(chance.uniform(0.05, 0.6))
        if i % 3 == 1:
            st.influx_server.stop(signal.SIGKILL)
            time.sleep(chance.uniform(0, 0.3))
            st.influx_server.start()
            continue
        st.kill("ingest", signal.SIGKILL)
        time.sleep(chance.uniform(0, 0.3))
        st.start("ingest", wait=i % 2 == 0)
    time.sleep(0.3)
    for p in publishers:
        p.finish()
    st.wait_ready("ingest")
    for p in publishers:
        want = list(range(1, p.sent + 1))
        wait_for(lambda: len(stored(st, p.device)) >= p.sent, 60, f"{p.sent} readings of {p.device}")  # noqa: B023
        got = sorted(stored(st, p.device))
        missing, more = set(want) - set(got), len(got) - len(set(got))
        print(f"{p.device}: {p.sent} sent, {len(got)} stored, {len(missing)} missing, {more} twice")
        assert got == want
    totals = st.get("ingest", "/api/v1/ledger")["totals"]
    assert totals["pending"] == 0
    assert totals["received"] == totals["stored"] + totals["duplicate"] + sum(totals["rejected"].values())


def test_five_kills(stacks):
    kill_matrix(stacks(services=["ingest"], own_servers=True, clock=True), 5, 1)


@pytest.mark.long
def test_thirty_kills(stacks):
    kill_matrix(stacks(services=["ingest"], own_servers=True, clock=True), 30, 2)


@pytest.mark.long
def test_thirty_kills_with_power_durability(stacks):
    kill_matrix(stacks(services=["ingest"], own_servers=True, env={"FC_DURABILITY": "power"}), 30, 3)


def test_the_broker_keeps_what_comes_while_ingest_is_away(stacks):
    st = stacks(services=["ingest"])
    st.restart("ingest", signal.SIGTERM)  # the session is the broker's
    st.kill("ingest", signal.SIGTERM)
    st.publish_all([("kitchen", ms(START) + i * 1000, {"temperature": 20}) for i in range(500)])
    st.start("ingest")
    wait_for(lambda: len(stored(st, "kitchen")) == 500, 20, "the broker's queue")
    assert st.metric("ingest", "fieldcast_ingest_messages_total", result="logged") == 500
