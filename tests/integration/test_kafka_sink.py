# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings go to Kafka from ingest's log with a cursor of their own: each at least once whatever
is killed, and Kafka's troubles are nobody else's."""

import collections
import json
import random
import signal
import time

import pytest

from kafka import MockKafka
from procs import wait_for
from stack import START, build_dir, ms
from test_ingest_kills import DEVICES, Publisher, stored

TOPIC = "fieldcast-readings"


@pytest.fixture
def kafka():
    mock = MockKafka(build_dir(), TOPIC, "event-frames-model")
    yield mock
    mock.close()


def with_kafka(stacks, kafka, **env):
    return stacks(services=["ingest"], service_env={"ingest": {"FC_KAFKA_BROKERS": kafka.brokers, **env}})


def in_kafka(kafka, device):
    """{seq: how often} of a device, and whether it came in order."""
    seqs = [json.loads(m["payload"])["seq"] for m in kafka.read(TOPIC) if m["key"] == device]
    return collections.Counter(seqs)


def wait_kafka(st, kafka, device, n):
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_kafka_lag_bytes") == 0, 60, "Kafka to have everything")
    got = in_kafka(kafka, device)
    assert sorted(got) == list(range(1, n + 1)), f"{device}: {n} sent, {len(got)} in Kafka"
    return got


def test_kills_of_ingest_while_brokers_come_and_go(stacks, kafka):
    st = with_kafka(stacks, kafka)
    chance = random.Random(7)
    publishers = [Publisher(st, d, timed=d != "east") for d in DEVICES]
    st.mqtt  # noqa: B018 - connected before the threads share it
    for p in publishers:
        p.start()
    for i in range(6):
        time.sleep(chance.uniform(0.1, 0.8))
        if i % 2:
            kafka.do("errors 3")
            kafka.do("down")
            time.sleep(chance.uniform(0, 0.5))
            kafka.do("up")
        st.kill("ingest", signal.SIGKILL)
        time.sleep(chance.uniform(0, 0.3))
        st.start("ingest", wait=i % 2 == 0)
    time.sleep(0.5)
    for p in publishers:
        p.finish()
    st.wait_ready("ingest")
    for p in publishers:
        wait_for(lambda: len(stored(st, p.device)) >= p.sent, 60, f"{p.sent} readings of {p.device}")  # noqa: B023
        assert sorted(stored(st, p.device)) == list(range(1, p.sent + 1))
        times = wait_kafka(st, kafka, p.device, p.sent)
        print(f"{p.device}: {p.sent} sent, {len(times)} in Kafka, {sum(times.values()) - len(times)} more than once")


def test_kafka_away_is_nobodys_trouble_but_its_own(stacks, kafka):
    kafka.do("down")
    st = with_kafka(stacks, kafka)
    st.publish_all([("kitchen", ms(START) + i * 1000, {"temperature": 20}) for i in range(500)])
    wait_for(lambda: len(stored(st, "kitchen")) == 500, 30, "InfluxDB to have everything")
    wait_for(lambda: "kafka is away" in st.procs["ingest"].text(), 20, "Kafka to be missed")
    assert st.request("GET", "ingest", "/readyz", token=None).status_code == 200
    assert st.metric("ingest", "fieldcast_ingest_kafka_lag_bytes") > 0
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_spool_bytes") == 0, 20, "InfluxDB's cursor")
    lines = len([line for line in st.procs["ingest"].text().splitlines() if "afka" in line])
    assert 1 <= lines <= 2, st.procs["ingest"].tail()
    kafka.do("up")
    assert set(wait_kafka(st, kafka, "kitchen", 500).values()) == {1}
    wait_for(lambda: st.metric("ingest", "fieldcast_dependency_up", dependency="kafka") == 1, 20, "Kafka to be there")


def test_restart_sends_only_what_is_new(stacks, kafka):
    st = with_kafka(stacks, kafka)
    rows = [("kitchen", ms(START) + i * 1000, {"temperature": 20}) for i in range(300)]
    st.publish_all(rows[:150])
    wait_kafka(st, kafka, "kitchen", 150)
    st.restart("ingest")
    st.publish_all(rows[150:])
    assert set(wait_kafka(st, kafka, "kitchen", 300).values()) == {1}


def test_the_shape_of_system2(stacks, kafka):
    st = with_kafka(stacks, kafka, FC_KAFKA_PRESET="system2")
    frame = {"id": "000000000", "name": "iot_sensor_0", "place_id": "7",
             "payload": {"temperature": 24.5, "humidity": 61, "pressure": 101325, "fan_speed": 1}}
    st.publish_raw("iot-frames-model", frame)
    got = wait_for(lambda: kafka.read("event-frames-model"), 30, "the frame")
    assert len(got) == 1 and got[0]["key"] == "iot_sensor_0"
    value = json.loads(got[0]["payload"])
    assert value["payload"].pop("timestamp") == got[0]["ts"] == st.clock.now
    assert value["payload"].pop("date") == START.replace("Z", ".000Z")
    assert value == frame
    headers = dict(zip(got[0]["headers"][::2], got[0]["headers"][1::2]))
    assert headers == {"mqtt.topic": "iot-frames-model", "mqtt.qos": "1", "mqtt.dup": "0", "mqtt.retain": "0",
                       "fieldcast.shape": "system2"}
