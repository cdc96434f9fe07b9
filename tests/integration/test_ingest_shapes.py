# SPDX-License-Identifier: GPL-3.0-or-later
"""What devices see of ingest: all shapes side by side, duplicates, retained messages, ids that
meet, acknowledgements, a log that takes nothing, and the account of it all."""

import json
import os
import subprocess
import time

import pytest

from ledger import settled, totals
from procs import wait_for
from stack import HOUR, START, ms, program

T0 = ms(START)


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


@pytest.mark.parametrize("shape", ["native", "system0", "system1", "system2", "system3"])
def test_the_simulator_in_every_shape(st, shape):
    st.clock.set(T0 + 3 * HOUR)
    env = os.environ | {"FC_CLOCK_FILE": str(st.clock.path)}
    cmd = [program("fieldcast"), "simulate", "--mqtt", st.mosquitto.url, "--shape", shape, "--backfill", "2h",
           "--devices", "3"]
    subprocess.run(cmd, env=env, check=True, capture_output=True, timeout=60)
    wait_for(lambda: (t := totals(st))["received"] > 60 and t["pending"] == 0, 20, "the readings")
    time.sleep(0.2)
    t = totals(st)
    assert t["stored"] == t["received"] and not t["rejected"]
    rows = st.influx("SELECT temperature, quality, received_ms, seq FROM readings")
    assert rows and all(r["quality"] == 1 and r["received_ms"] >= T0 for r in rows)
    if shape in ("native", "system1", "system3"):  # the others have no time that can be believed
        assert min(r["time"] for r in rows) == T0 + HOUR


def test_duplicates_and_arrival_times(st):
    reading = {"device": "kitchen", "boot": 1, "seq": 1, "ts_ms": T0, "values": {"temperature": 20}}
    for _ in range(3):
        st.publish_raw("fieldcast/kitchen/readings", reading)
    for _ in range(5):  # the clock stands still, and yet these are five readings
        st.publish_raw("home/Office/dht22", {"temp_c": 20.5, "hum": 40, "ts": 17})
    t = settled(st, 8)
    assert (t["stored"], t["duplicate"]) == (6, 2)
    times = [r["time"] for r in st.influx("SELECT temperature FROM readings WHERE device = 'office'")]
    assert times == [T0 + i for i in range(5)]
    office = next(d for d in st.get("ingest", "/api/v1/devices")["items"] if d["device"] == "office")
    assert office["time_source"] == "arrival_implausible_time"


def test_retained_messages(st):
    st.publish_raw("home/attic/dht22", {"temp_c": 1}, retain=True)
    st.publish_raw("fieldcast/attic/readings", {"device": "attic", "ts_ms": T0 - 1000, "values": {"temperature": 2}}, retain=True)
    st.publish_raw("fieldcast/attic/status", "online", retain=True)
    settled(st, 3)
    st.restart("ingest")  # the broker sends the kept ones again
    # with their own time they are duplicates, without one they are refused; status is state
    wait_for(lambda: totals(st)["received"] >= 3, 15, "the retained messages")
    t = settled(st, totals(st)["received"])
    assert t["rejected"].get("retained_without_time") == 1 and t["duplicate"] == 1
    assert [r["temperature"] for r in st.influx("SELECT temperature FROM readings")] in ([1, 2], [2, 1])
    assert st.get("ingest", "/api/v1/devices", device="attic")["items"][0]["status"] == "online"
    assert {r["online"] for r in st.influx("SELECT online FROM device_status")} == {1}


def test_ids_that_meet(st):
    st.publish_raw("sensor/output", {"device_id": "shed 1", "data": {"temperature": 20}})
    st.publish_raw("sensor/output", {"device_id": "shed.1", "data": {"temperature": 90}})
    t = settled(st, 2)
    assert t["stored"] == 1 and t["rejected"] == {"device_clash": 1}
    letter = st.get("ingest", "/api/v1/deadletters")["items"][0]
    assert letter["detail"] == 'the ids "shed 1" and "shed.1" both become the device shed_1: rename one'
    assert json.loads(letter["payload"])["device_id"] == "shed.1" and letter["topic"] == "sensor/output"
    st.restart("ingest")  # the first one keeps the name
    st.publish_raw("sensor/output", {"device_id": "shed.1", "data": {"temperature": 90}})
    assert settled(st, 1)["rejected"] == {"device_clash": 1}


def test_too_large(st):
    st.publish_raw("fieldcast/a/readings", json.dumps({"values": {"x": 1}, "pad": "x" * 261_000}))
    assert settled(st, 1)["stored"] == 1
    r = st.request("POST", "ingest", "/api/v1/readings",
                   json={"device": "a", "values": {"x": 1}, "pad": "x" * 300_000})
    assert r.status_code == 413, r.text


def test_acknowledgements(st):
    heard = st.listen("fieldcast/ack/+")
    for seq in (1, 2, 3, 6, 7):
        st.publish_raw("fieldcast/kitchen/readings", {"device": "kitchen", "boot": 4, "seq": seq, "values": {"co": 1}})
    wait_for(lambda: heard, 5, "an acknowledgement")
    assert (heard[-1][0], json.loads(heard[-1][1])) == ("fieldcast/ack/kitchen", {"boot": 4, "seq": 3})  # 4 is missing
    kitchen = st.get("ingest", "/api/v1/ledger", device="kitchen")["items"][0]
    assert (kitchen["missing"], kitchen["gaps"]) == (2, [{"boot": 4, "from": 4, "to": 5}])
    assert st.metric("ingest", "fieldcast_ingest_missing_numbers") == 2
    for seq in (4, 5):
        st.publish_raw("fieldcast/kitchen/readings", {"device": "kitchen", "boot": 4, "seq": seq, "values": {"co": 1}})
    wait_for(lambda: json.loads(heard[-1][1])["seq"] == 7, 5, "the hole to be filled")
    assert len(heard) <= 3
    kitchen = st.get("ingest", "/api/v1/ledger", device="kitchen")["items"][0]
    assert (kitchen["missing"], kitchen["gaps"]) == (0, [])


def test_the_account_in_metrics(st):
    """received = stored + duplicate + rejected + pending, of all together, also in /metrics."""
    for seq in (1, 2, 2):
        st.publish_raw("fieldcast/attic/readings", {"device": "attic", "boot": 1, "seq": seq, "values": {"co": seq}})
    st.publish_raw("fieldcast/attic/readings", {"device": "attic", "values": {"co": -1}})

    def account():
        return {s: st.metric("ingest", "fieldcast_ingest_ledger_readings", state=s)
                for s in ("received", "stored", "duplicate", "rejected", "pending")}
    wait_for(lambda: account()["pending"] == 0 and account()["rejected"] >= 1, 10, "all to be settled")
    a = account()
    assert a["received"] == a["stored"] + a["duplicate"] + a["rejected"] and a["duplicate"] >= 1
    total = st.get("ingest", "/api/v1/ledger")["totals"]
    assert (a["received"], a["stored"], a["rejected"]) == (total["received"], total["stored"], sum(total["rejected"].values()))
    for row in st.get("ingest", "/api/v1/ledger")["items"]:  # and of each device, in both
        one = {s: st.metric("ingest", "fieldcast_ingest_device_readings", sensor=row["device"], state=s) for s in a}
        listed = row | {"rejected": sum(row["rejected"].values())}
        assert one == {s: listed[s] for s in a}
        assert one["received"] == one["stored"] + one["duplicate"] + one["rejected"] + one["pending"]
    assert {s: st.metric("ingest", "fieldcast_ingest_device_readings", state=s) for s in a} == account()


def test_a_full_log_takes_nothing_and_loses_nothing(stacks):
    st = stacks(services=["ingest"], own_servers=True, service_env={"ingest": {"FC_LOG_MAX_MB": 4}})
    st.influx_server.stop()
    payload = {"pad": "x" * 20_000, "values": {"temperature": 1}}
    sent = [st.publish_raw("fieldcast/kitchen/readings", {"boot": 1, "seq": i + 1, "ts_ms": T0 + i, **payload},
                           wait=False) for i in range(400)]
    wait_for(lambda: "log" in st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"], 20,
             "readyz to name the log")
    assert st.received() < 400
    r = st.request("POST", "ingest", "/api/v1/readings", json={"device": "a", **payload})
    assert r.status_code == 503 and "the log is full" in r.text
    assert st.procs["ingest"].text().count("log is away: the log is full") == 1
    for info in sent:  # the broker has them
        info.wait_for_publish(30)
    assert st.kill("ingest", 15) == 0  # it ends all the same, the waiting message stays with the broker
    st.start("ingest", wait=False)
    st.influx_server.start()
    st.wait_ready("ingest", 60)
    wait_for(lambda: len(st.influx("SELECT temperature FROM readings WHERE device = 'kitchen'")) == 400, 60,
             "all readings")
    assert "log is there" in st.procs["ingest"].text()


def test_points_that_influxdb_refuses(st):
    """A field whose type is taken: the other points of the batch are written."""
    st.influx_write([f'readings,device=x odd="text" {T0 + 1}'])
    for i in range(50):
        st.publish("kitchen", {"odd": 1} if i in (7, 30) else {"temperature": i}, T0 + i * 1000, wait=False)
    t = settled(st, 50)
    assert t["stored"] == 48 and t["rejected"] == {"refused_by_influxdb": 2}
    assert len(st.influx("SELECT temperature FROM readings")) == 48
    letters = st.get("ingest", "/api/v1/deadletters", reason="refused_by_influxdb")["items"]
    assert sorted(json.loads(x["payload"])["seq"] for x in letters) == [8, 31]
    assert all("field type conflict" in x["detail"] for x in letters)
    assert st.metric("ingest", "fieldcast_ingest_write_failures_total", reason="bad_lines") >= 1


def test_posted_readings(st):
    assert st.post("ingest", "/api/v1/readings", {"device": "web", "ts_ms": T0, "values": {"temperature": 3}}) == \
        {"accepted": 1}
    body = [{"device": "web", "boot": 1, "seq": i, "ts_ms": "2026-11-01T23:00:00Z", "values": {"humidity": i % 100}}
            for i in range(1000)]
    assert st.post("ingest", "/api/v1/readings", body) == {"accepted": 1000}
    t = settled(st, 1001)
    assert t["stored"] == 1001 and st.metric("ingest", "fieldcast_ingest_posted_total", result="logged") == 1001
    assert st.received() == 0  # these are MQTT's
    assert st.request("POST", "ingest", "/api/v1/readings", token="viewer", json=body[0]).status_code == 403
