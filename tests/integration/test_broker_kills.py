# SPDX-License-Identifier: GPL-3.0-or-later
"""SIGKILL of the broker, with the settings that deploy/ ships, at random points while numbered readings
come in at QoS 1. Two kinds of devices:

outbox  keeps every reading until fieldcast/ack/<device> covers its number, sends at most WINDOW numbers
        beyond that, oldest first, and again after a reconnect and when no acknowledgement came for
        a while: it loses nothing.
puback  believes the broker's PUBACK and forgets: what the broker had not passed on or saved is lost.
        How much is measured, printed, and compared with what ingest counted.

    python -m pytest -c tests/pytest.ini --rootdir=. -s -m long tests/integration/test_broker_kills.py
prints the tables of docs/ingest.md."""

import collections
import json
import random
import signal
import statistics
import threading
import time

import paho.mqtt.client as paho
import pytest

from procs import wait_for
from stack import START, ms

OUTBOX = ["oak", "ash"]
PUBACK = ["elm", "yew"]
EVERY_S = 0.004
WINDOW = 1000  # ingest remembers holes for 1024 numbers
PATIENCE_S = 5  # an outbox says all again when no acknowledgement came for so long


class Device(threading.Thread):
    """Numbered readings at QoS 1. The second of each kind has no clock."""

    def __init__(self, st, name, timed):
        super().__init__(daemon=True)
        self.st, self.name, self.timed = st, name, timed
        self.topic, self.sent, self.going, self.error = f"fieldcast/{name}/readings", 0, True, None

    def next(self):
        self.sent += 1
        body = {"device": self.name, "boot": 1, "seq": self.sent, "values": {"temperature": 20 + self.sent % 5}}
        if self.timed:
            body["ts_ms"] = ms(START) + self.sent * 10
        return json.dumps(body)

    def client(self, clean):
        """One with a clean session does not come back by itself: its connection would be another
        one, and nobody would notice."""
        c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=self.name, clean_session=clean,
                        reconnect_on_failure=not clean)
        c.max_inflight_messages_set(500)
        return c

    def run(self):
        try:
            self.work()
        except Exception as e:  # noqa: BLE001 - shown by the test
            self.error = e

    def finish(self):
        self.going = False
        self.join(180)
        assert not self.error and not self.is_alive(), f"{self.name}: {self.error or 'does not come to an end'}"


class Outbox(Device):
    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.outbox, self.acked = {}, []

    def work(self):
        while self.going or self.outbox:
            try:
                self.session()
            except OSError:  # nobody listens
                time.sleep(0.05)

    def session(self):
        acks = collections.deque()
        c = self.client(clean=True)
        c.on_message = lambda _c, _u, m: acks.append(json.loads(m.payload))
        c.connect("127.0.0.1", self.st.mosquitto.port)
        c.subscribe(f"fieldcast/ack/{self.name}", 1)
        c.loop_start()
        try:
            wait_for(c.is_connected, 5, "the connection")
            heard, unsent = time.monotonic(), min(self.outbox, default=self.sent + 1)
            while c.is_connected() and (self.going or self.outbox) and time.monotonic() - heard < PATIENCE_S:
                if self.going:
                    body = self.next()
                    self.outbox[self.sent] = body
                while unsent <= min(self.sent, min(self.outbox, default=0) + WINDOW):
                    if unsent in self.outbox:
                        c.publish(self.topic, self.outbox[unsent], qos=1)
                    unsent += 1
                while acks:
                    heard = time.monotonic() if self.forget(acks.popleft()) else heard
                time.sleep(EVERY_S)
        except AssertionError:
            pass  # no connection: the next try
        finally:
            c.disconnect()
            c.loop_stop()

    def forget(self, ack):
        assert ack["boot"] == 1 and ack["seq"] <= self.sent
        covered = [seq for seq in self.outbox if seq <= ack["seq"]]
        for seq in covered:
            del self.outbox[seq]
            self.acked.append((seq, time.monotonic()))
        return covered


class Puback(Device):
    """What has no PUBACK yet the library sends again after a reconnect."""

    def __init__(self, *args, **kw):
        super().__init__(*args, **kw)
        self.acked, self.by_mid, self.pubacks = [], {}, collections.deque()

    def work(self):
        c = self.client(clean=False)
        c.reconnect_delay_set(0.05, 0.05)
        c.on_publish = lambda _c, _u, mid, *_: self.pubacks.append((mid, time.monotonic()))
        c.connect("127.0.0.1", self.st.mosquitto.port)
        c.loop_start()
        while self.going or self.by_mid:
            if self.going:
                body = self.next()
                self.by_mid[c.publish(self.topic, body, qos=1).mid] = self.sent
            while self.pubacks:
                mid, when = self.pubacks.popleft()
                self.acked.append((self.by_mid.pop(mid), when))
            time.sleep(EVERY_S)
        c.disconnect()
        c.loop_stop()


def stored(st, device):
    return [int(r["seq"]) for r in st.influx(f"SELECT seq FROM readings WHERE device = '{device}'")]


def kill_broker(st, chance, away, longest):
    """One kill; away: ingest is dead when it happens. Returns when the broker was dead."""
    time.sleep(chance.uniform(0.1, longest))
    if away:
        st.kill("ingest", signal.SIGKILL)
        time.sleep(chance.uniform(0.1, longest))
    st.mosquitto.stop(signal.SIGKILL)
    dead = time.monotonic()
    time.sleep(chance.uniform(0, 0.3))
    st.mosquitto.start()
    if away:
        time.sleep(chance.uniform(0, 0.5))
        st.start("ingest")
    return dead


def per_kill(kills, times):
    """How many of these times lie before each kill and after the one before it; the last number
    counts those after all kills."""
    counts = [0] * (len(kills) + 1)
    for t in times:
        counts[sum(t > k for k in kills)] += 1
    return counts


def tables(devices, kills, have, lost):
    """Prints, per kind and kill, what was acknowledged in that life of the broker and is missing."""
    for kind, names in (("outbox", OUTBOX), ("puback", PUBACK)):
        acked = per_kill(kills, [t for d in names for _, t in devices[d].acked])
        gone = per_kill(kills, [t for d in names for seq, t in devices[d].acked if seq in lost[d]])
        print(f"\n{kind}: kill  acknowledged  missing")
        for i, (a, g) in enumerate(zip(acked, gone), 1):
            print(f"{'':8}{i if i <= len(kills) else 'end':>4}  {a:12}  {g:7}")
        n, kept = sum(devices[d].sent for d in names), sum(len(have[d]) for d in names)
        print(f"{kind}: {n} sent, {sum(acked)} acknowledged, {kept} stored, {sum(gone)} missing, "
              f"{kept - sum(len(set(have[d])) for d in names)} twice; missing per kill: "
              f"median {statistics.median(gone[:-1]):.0f}, most {max(gone)}")


def check_ledger(st, device, have, whole):
    """What ingest counted agrees with what is in InfluxDB. whole: it has run all the time."""
    item = next(i for i in st.get("ingest", "/api/v1/ledger", device=device)["items"] if i["device"] == device)
    assert item["received"] == item["stored"] + item["duplicate"] and not any(item["rejected"].values())
    if whole:
        assert item["stored"] == len(have), (device, item, len(have))


def matrix(st, kills, seed, away, longest, saved):
    """saved: the broker's file knows ingest's session before the first kill."""
    chance = random.Random(seed)
    devices = {name: kind(st, name, timed=i == 0) for kind, names in ((Outbox, OUTBOX), (Puback, PUBACK))
               for i, name in enumerate(names)}
    if saved:
        began = time.time()
        wait_for(lambda: (st.folder / "mosquitto" / "mosquitto.db").stat().st_mtime > began, 30, "the broker's save")
    for d in devices.values():
        d.start()
    dead = [kill_broker(st, chance, away, longest) for _ in range(kills)]
    time.sleep(0.3)
    for d in devices.values():
        d.finish()
    st.wait_ready("ingest", 60)
    for name in devices:  # what was sent last comes last: then everything that comes at all is there
        st.publish_raw(devices[name].topic, devices[name].next())
        wait_for(lambda: devices[name].sent in stored(st, name), 60, f"the last reading of {name}")  # noqa: B023
    have = {name: stored(st, name) for name in devices}
    lost = {name: {seq for seq, _ in d.acked} - set(have[name]) for name, d in devices.items()}
    tables(devices, dead, have, lost)
    wait_for(lambda: st.get("ingest", "/api/v1/ledger")["totals"]["pending"] == 0, 20, "nothing pending")
    for name, d in devices.items():
        acknowledged = [seq for seq, _ in d.acked]
        assert sorted(acknowledged) == list(range(1, d.sent)), f"{name}: each was acknowledged, once"
        assert sorted(set(have[name])) == sorted(have[name]), f"{name}: something is stored twice"
        # nothing that was never sent, and missing is what was acknowledged and did not come
        assert set(range(1, d.sent + 1)) - set(have[name]) == lost[name], name
        check_ledger(st, name, have[name], whole=not away)
    for name in OUTBOX:
        assert not lost[name], f"{name} lost {sorted(lost[name])[:20]}"


def start(stacks):
    return stacks(services=["ingest"], clock=True)


def test_five_kills(stacks):
    matrix(start(stacks), 5, 1, away=False, longest=2.0, saved=False)


def test_three_kills_while_ingest_is_away(stacks):
    matrix(start(stacks), 3, 2, away=True, longest=1.0, saved=False)


@pytest.mark.long
def test_thirty_kills(stacks):
    matrix(start(stacks), 30, 3, away=False, longest=8.0, saved=True)


@pytest.mark.long
def test_thirty_kills_while_ingest_is_away(stacks):
    matrix(start(stacks), 30, 4, away=True, longest=8.0, saved=True)
