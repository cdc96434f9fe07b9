# SPDX-License-Identifier: GPL-3.0-or-later
"""Sparkplug B end to end: births, data by alias, what ingest remembers over a SIGKILL, what it asks
for when it has forgotten, and deaths."""

import base64
import shutil

import pytest

from procs import wait_for
from sparkplug import FLOAT, INT32, STRING, Edge, metric
from stack import START, ms

T0 = ms(START)
NODE = {"Temperature": (FLOAT, 68.0, "°F"), "Outputs/Level": (INT32, -5, None), "Model": (STRING, "EN-7", None)}
OVEN = {"Temperature": (FLOAT, 80.5, "°C")}


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


@pytest.fixture
def edge(st):
    edges = []

    def make(group="plant", name="line1", metrics=NODE, devices=None):
        edges.append(Edge(st.mosquitto.port, group, name, T0, metrics, devices))
        return edges[-1]
    yield make
    for e in edges:
        e.close()


def rows(st, device, field):
    return {r["time"]: round(r[field], 9) for r in st.influx(f"SELECT {field} FROM readings WHERE device = '{device}'")
            if r[field] is not None}


def letters(st):
    return st.get("ingest", "/api/v1/deadletters", reason="unknown_alias")["items"]


def status(st, device):
    items = st.get("ingest", "/api/v1/devices", device=device)["items"]
    return items[0]["status"] if items else None


def test_birth_data_kill_and_death(st, edge):
    e = edge(devices={"oven 7": OVEN})
    e.birth()
    e.data({"Temperature": 212, "Outputs/Level": -40}, T0 + 1000)
    e.data({"Temperature": 90.5}, T0 + 1000, device="oven 7")
    wait_for(lambda: rows(st, "plant_line1", "temperature") == {T0: 20, T0 + 1000: 100}, 20, "the node's temperatures")
    wait_for(lambda: rows(st, "plant_line1_oven_7", "temperature") == {T0: 80.5, T0 + 1000: 90.5}, 20, "the oven's")
    assert rows(st, "plant_line1", "outputs_level") == {T0: -5, T0 + 1000: -40}
    assert [status(st, d) for d in ("plant_line1", "plant_line1_oven_7")] == ["online", "online"]
    assert e.rebirths == 0

    st.kill("ingest")  # what numbers mean is known afterwards, also without an answer
    e.answers = False
    e.data({"Temperature": 122}, T0 + 2000)
    st.start("ingest")
    e.data({"Temperature": 32}, T0 + 3000)
    wait_for(lambda: rows(st, "plant_line1", "temperature").get(T0 + 3000) == 0, 20, "data after the kill")
    assert rows(st, "plant_line1", "temperature")[T0 + 2000] == 50
    assert letters(st) == []
    e.wait_asked(1)  # a birth may have been missed meanwhile

    st.clock.set(T0 + 60_000)  # a point of its own for what comes now
    e.die()
    wait_for(lambda: status(st, "plant_line1") == "offline" and status(st, "plant_line1_oven_7") == "offline", 20,
             "the deaths")
    wait_for(lambda: {(r["device"], r["online"]) for r in st.influx("SELECT online, device FROM device_status")} >=
             {("plant_line1", 0), ("plant_line1_oven_7", 0), ("plant_line1", 1)}, 20, "the status in InfluxDB")


def test_everything_forgotten(st, edge):
    e = edge()
    e.birth()
    wait_for(lambda: rows(st, "plant_line1", "temperature") == {T0: 20}, 20, "the birth")
    st.kill("ingest")
    shutil.rmtree(st.folder / "ingest-data")
    e.answers = False
    st.start("ingest")
    sent = e.data({"Temperature": 212}, T0 + 1000)
    e.wait_asked(1)
    letter = wait_for(lambda: letters(st), 20, "the dead letter")[0]
    assert base64.b64decode(letter["payload_base64"]) == sent and letter["device"] == "plant_line1"
    assert letter["detail"] == "no birth is known: nothing says what number 1 of plant/line1 is"
    assert st.metric("ingest", "fieldcast_ingest_sparkplug_rebirths_total") == 1

    e.birth()  # the answer, late; from now on all is understood, also what was refused
    st.publish_raw(letter["topic"], base64.b64decode(letter["payload_base64"]))
    e.data({"Temperature": 50}, T0 + 2000)
    wait_for(lambda: rows(st, "plant_line1", "temperature") == {T0: 20, T0 + 1000: 100, T0 + 2000: 10}, 20,
             "all three")
    assert len(letters(st)) == 1


def test_a_gap_is_answered(st, edge):
    e, other = edge(), edge(group="plant2")
    e.birth()
    other.birth()
    e.data({"Temperature": 50}, T0 + 1000)
    e.seq = (e.seq + 1) % 256  # a message that never came
    e.data({"Temperature": 68}, T0 + 2000)
    e.wait_asked(1)
    wait_for(lambda: len(rows(st, "plant_line1", "temperature")) == 3, 20, "what came all the same")
    assert other.rebirths == 0 and rows(st, "plant2_line1", "temperature") == {T0: 20}
    assert st.metric("ingest", "fieldcast_ingest_sparkplug_gaps_total") == 1


def test_nothing_is_asked_when_that_is_switched_off(stacks):
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_SPARKPLUG_REBIRTH": 0}})
    e = Edge(st.mosquitto.port, "plant", "line1", T0, NODE)
    heard = st.listen("fieldcast/ack/+")
    e.alias[None, "Temperature"] = 1
    e.data({"Temperature": 1}, T0)
    wait_for(lambda: letters(st), 20, "the dead letter")
    # an acknowledgement of something later: the round in which a birth would have been asked for is over
    for seq in (1, 2):
        st.publish_raw("fieldcast/kitchen/readings", {"device": "kitchen", "boot": 1, "seq": seq, "values": {"co": 1}})
        wait_for(lambda: len(heard) >= seq, 20, "an acknowledgement")
    assert e.rebirths == 0
    e.close()


def test_no_room_to_remember(st, edge):
    """A birth beyond the limit is refused with a reason, and what was there before is not believed."""
    e = edge(metrics={"Temperature": (FLOAT, 68.0, None)})
    e.birth()
    e.answers = False  # a birth of the node would make room
    pad = {f"Pad {i}": (STRING, "x" * 2400, None) for i in range(100)}
    for i in range(80):  # 80 births of some 240 kB: more than 16 MB
        e.seq = 0
        e.send("DBIRTH", f"d{i}", [metric("Temperature", 1, T0, FLOAT, 20.0)] +
               [metric(n, None, T0, k, v) for n, (k, v, _) in pad.items()])
    full = wait_for(lambda: st.get("ingest", "/api/v1/deadletters", reason="memory_full")["items"], 30, "the refusals")
    assert "there is no room for" in full[0]["detail"]
    assert st.metric("ingest", "fieldcast_ingest_memory_bytes") <= 16 << 20
    wait_for(lambda: st.get("ingest", "/api/v1/ledger")["totals"]["pending"] == 0, 30, "all to be settled")
    assert rows(st, "plant_line1_d0", "temperature") == {T0: 20}
