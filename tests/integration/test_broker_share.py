# SPDX-License-Identifier: GPL-3.0-or-later
"""Two ingests in one group on a real broker: each message goes to one of them, what one misses while
it is away waits for it alone, and in the end everything is in InfluxDB once."""

import signal

import requests

from procs import Proc, free_port, make_dir, wait_for
from stack import RECEIVED, START, ms, parse_metrics, program

DEVICES = ["north", "south", "east"]


class Member:
    """An ingest of the group with a log, a name and a port of its own."""

    def __init__(self, st, name):
        self.st, self.name, self.port, self.received_before = st, name, free_port(), 0
        env = st.environment("ingest") | {
            "FC_HTTP_PORT": str(self.port), "FC_DATA_DIR": str(make_dir(st.folder / f"{name}-data")),
            "FC_MQTT_SHARE": "fc", "FC_MQTT_CLIENT_ID": f"ingest-{name}", "FC_MEMBER": {"one": "1", "two": "2"}[name],
            "FC_LIVE_URLS": ""}
        self.proc = st.procs[name] = Proc(name, [program("fc-ingest")], st.folder, env)

    def get(self, path):
        r = requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10,
                         headers={"Authorization": f"Bearer {self.st.tokens['admin']}"})
        assert r.status_code == 200, r.text
        return r

    def start(self):
        self.proc.start()
        wait_for(lambda: self.get("/readyz"), 30, f"{self.name} to be ready")

    def stop(self):
        self.received_before += self.received()
        assert self.proc.stop(signal.SIGTERM) == 0

    def received(self):
        return int(sum(v for n, _, v in parse_metrics(self.get("/metrics").text) if n == RECEIVED))

    def ever_received(self):
        return self.received_before + self.received()


def publish(st, n):
    return st.publish_all([(d, ms(START) + (st.seq.get(d, 0) + i) * 1000, {"temperature": 20 + i % 5})
                           for i in range(n) for d in DEVICES])


def stored(st):
    return {d: sorted(int(r["seq"]) for r in st.influx(f"SELECT seq FROM readings WHERE device = '{d}'"))
            for d in DEVICES}


def count(st):
    return sum(len(seqs) for seqs in stored(st).values())


def test_a_group_of_two(stacks):
    st = stacks(services=[])
    st.publish_raw("fieldcast/north/status", "online", retain=True)
    members = one, two = Member(st, "one"), Member(st, "two")
    acks = st.listen("fieldcast/ack/#")
    try:
        for m in members:
            m.start()
        # a group gets no retained messages: each asks for the status itself
        for m in members:
            wait_for(lambda: m.received() == 1, 10, f"the retained status at {m.name}")  # noqa: B023
        publish(st, 100)
        wait_for(lambda: count(st) == 300, 30, "all readings")
        assert one.received() + two.received() == 302 and min(one.received(), two.received()) > 50

        two.stop()
        publish(st, 100)
        wait_for(lambda: one.received() > 200, 30, "the half of the one that is there")
        two.start()
        want = list(range(1, 201))
        wait_for(lambda: all(seqs == want for seqs in stored(st).values()), 30, "the other half")
        assert two.received() > 50  # since then nothing was published: it had waited for it
        # each message went to one of them, once (and the status again, to the one that came back)
        assert one.ever_received() + two.ever_received() == 600 + 3
        for m in members:
            totals = m.get("/api/v1/ledger").json()["totals"]
            assert totals["duplicate"] == 0 and not any(totals["rejected"].values()), totals
        assert not acks  # none of them knows all numbers of a device
    finally:
        for m in members:
            m.proc.stop()


def test_readings_without_a_time(stacks):
    """Two members that hear one device at the same moment give its readings times of their own."""
    st = stacks(services=[])
    members = Member(st, "one"), Member(st, "two")
    try:
        for m in members:
            m.start()
        for i in range(200):  # the clock stands still: all of them arrive in the same millisecond
            st.publish_raw("home/attic/dht22", {"sensor_id": "attic", "temp_c": 20 + i % 50}, wait=False)
        wait_for(lambda: len(st.influx("SELECT temperature FROM readings WHERE device = 'attic'")) == 200, 30, "all of them")
        assert all(m.received() > 50 for m in members)
        times = [r["time"] for r in st.influx("SELECT temperature FROM readings WHERE device = 'attic'")]
        assert {t % 16 for t in times} == {1, 2} and min(times) >= ms(START)
    finally:
        for m in members:
            m.proc.stop()
