# SPDX-License-Identifier: GPL-3.0-or-later
"""Readings come from Kafka topics through a consumer group: each is in InfluxDB exactly once,
whatever is killed, and what is no reading stops nothing."""

import json
import signal

import pytest

from kafka import MockKafka
from procs import wait_for
from stack import START, build_dir, ms
from test_ingest_kills import stored

TOPIC = "plant"
CONSUMED = "fieldcast_ingest_kafka_consumed_total"


@pytest.fixture
def kafka():
    mock = MockKafka(build_dir(), TOPIC, "frames", "fieldcast-readings")
    yield mock
    mock.close()


def from_kafka(stacks, kafka, **env):
    env = {"FC_KAFKA_BROKERS": kafka.brokers, "FC_KAFKA_SOURCE_TOPICS": f"{TOPIC},frames", **env}
    return stacks(services=["ingest"], service_env={"ingest": env})


def reading(device, seq, timed=True):
    body = {"device": device, "boot": 1, "seq": seq, "values": {"temperature": 20 + seq % 5}}
    if timed:
        body["ts_ms"] = ms(START) + seq * 10
    return device, json.dumps(body)


def test_two_kills(stacks, kafka):
    st = from_kafka(stacks, kafka, FC_KAFKA_PRESET="none")
    for part in range(4):
        kafka.write(TOPIC, [reading(d, part * 125 + i, d == "north") for i in range(1, 126) for d in ("north", "east")])
        if part < 3:
            wait_for(lambda: len(stored(st, "east")) > part * 125, 60, "some of it")  # noqa: B023
        if part in (0, 1):
            st.restart("ingest", signal.SIGKILL)
    for device in ("north", "east"):
        wait_for(lambda: len(stored(st, device)) >= 500, 60, f"500 readings of {device}")  # noqa: B023
        assert sorted(stored(st, device)) == list(range(1, 501))
    totals = st.get("ingest", "/api/v1/ledger")["totals"]
    assert totals["pending"] == 0 and not totals["rejected"]
    st.kill("ingest", signal.SIGTERM)  # what is in the log is committed, but for the last few
    st.start("ingest")
    kafka.write(TOPIC, [reading("north", 501)])
    wait_for(lambda: len(stored(st, "north")) == 501, 60, "one more")
    assert st.metric("ingest", CONSUMED, result="logged") == 1 and st.metric("ingest", CONSUMED, result="duplicate") <= 100
    assert st.received() == 0  # those are MQTT's


def test_what_is_no_reading(stacks, kafka):
    st = from_kafka(stacks, kafka)
    kafka.write(TOPIC, [("a", "{not json"), ("a", json.dumps({"values": {"pad": "x" * 300_000}}))])
    kafka.write(TOPIC, [("a", "")], "-Z")  # no value at all
    kafka.write("frames", [("Attic", '{"temp_c":19.5}')], "-H", "mqtt.topic=home/Attic/dht22")
    kafka.write("frames", [("Attic", '{"temp_c":19.5}')], "-H", "mqtt.topic=home/Attic/dht22", "-H", "mqtt.retain=1")
    kafka.write(TOPIC, [reading("kitchen", 1)])
    wait_for(lambda: stored(st, "kitchen") == [1], 60, "the reading behind them")
    wait_for(lambda: st.metric("ingest", CONSUMED, result="logged") == 5, 30, "all of it")
    assert st.metric("ingest", CONSUMED, result="empty") >= 1
    wait_for(lambda: st.get("ingest", "/api/v1/ledger")["totals"]["pending"] == 0, 20, "all to be judged")
    letters = {r["reason"]: r["topic"] for r in st.get("ingest", "/api/v1/deadletters")["items"]}
    assert letters == {"bad_json": "kafka/plant", "too_large": "kafka/plant",
                       "retained_without_time": "home/Attic/dht22"}
    assert [r["temperature"] for r in st.influx("SELECT temperature FROM readings WHERE device = 'attic'")] == [19.5]
    # and what came from Kafka goes to Kafka, once
    wait_for(lambda: sorted(m["key"] for m in kafka.read("fieldcast-readings")) == ["attic", "kitchen"], 30, "the sink")


def test_brokers_go_and_come_back(stacks, kafka):
    st = from_kafka(stacks, kafka, FC_KAFKA_PRESET="none")
    kafka.write(TOPIC, [reading("north", i) for i in range(1, 101)])
    wait_for(lambda: len(stored(st, "north")) == 100, 60, "the first readings")
    kafka.do("down")
    wait_for(lambda: st.metric("ingest", "fieldcast_dependency_up", dependency="kafka_source") == 0, 30, "missed")
    st.publish("kitchen", {"temperature": 20}, st.clock.now)
    wait_for(lambda: stored(st, "kitchen") == [1], 20, "MQTT goes on")
    assert st.request("GET", "ingest", "/readyz", token=None).status_code == 200
    kafka.do("up")
    kafka.write(TOPIC, [reading("north", i) for i in range(101, 201)])
    wait_for(lambda: len(stored(st, "north")) == 200, 90, "the others")
    assert sorted(stored(st, "north")) == list(range(1, 201))
