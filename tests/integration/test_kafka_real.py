# SPDX-License-Identifier: GPL-3.0-or-later
"""Both directions on a real Apache Kafka: what the mock cluster promises holds there."""

import collections
import json
import signal
import time

import pytest

from kafka import RealKafka
from procs import Proc, free_port, make_dir, wait_for
from stack import START, ms, program
from test_ingest_kills import Publisher, stored
from test_kafka_source import reading

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def kafka(shared):
    server = RealKafka(shared.new_folder())
    server.start()
    yield server
    server.stop()


def test_sink_while_kafka_and_ingest_are_killed(stacks, kafka):
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_KAFKA_BROKERS": kafka.brokers}})
    publishers = [Publisher(st, d, timed=d == "north") for d in ("north", "east")]
    st.mqtt  # noqa: B018 - connected before the threads share it
    for p in publishers:
        p.start()
    for i in range(2):
        time.sleep(2)
        kafka.stop(signal.SIGKILL)
        time.sleep(1)
        st.kill("ingest", signal.SIGKILL)
        st.start("ingest", wait=i == 0)
        kafka.start()
    time.sleep(1)
    for p in publishers:
        p.finish()
    st.wait_ready("ingest")
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_kafka_lag_bytes") == 0, 120, "Kafka to have everything")
    messages = kafka.read("fieldcast-readings")
    for p in publishers:
        wait_for(lambda: len(stored(st, p.device)) >= p.sent, 60, f"{p.sent} readings of {p.device}")  # noqa: B023
        assert sorted(stored(st, p.device)) == list(range(1, p.sent + 1))
        times = collections.Counter(json.loads(m["payload"])["seq"] for m in messages if m["key"] == p.device)
        print(f"{p.device}: {p.sent} sent, {len(times)} in Kafka, {sum(times.values()) - len(times)} more than once")
        assert sorted(times) == list(range(1, p.sent + 1))
        assert len({m["partition"] for m in messages if m["key"] == p.device}) == 1


def test_source_with_two_members_one_of_which_is_killed(stacks, kafka):
    env = {"FC_KAFKA_BROKERS": kafka.brokers, "FC_KAFKA_SOURCE_TOPICS": "plant", "FC_KAFKA_PRESET": "none"}
    devices = [f"d{i}" for i in range(8)]

    def write(first, last):
        kafka.write("plant", [reading(d, i) for i in range(first, last + 1) for d in devices])

    write(1, 125)
    st = stacks(services=["ingest"], service_env={"ingest": env})
    port = free_port()
    other = st.environment("ingest") | {"FC_DATA_DIR": str(make_dir(st.folder / "other-data")), "FC_HTTP_PORT": str(port),
                                        "FC_MQTT_CLIENT_ID": "other"}
    second = Proc("other", [program("fc-ingest")], st.folder, other)
    st.procs["other"] = second
    try:
        wait_for(lambda: stored(st, "d0"), 60, "the first readings")
        second.start()
        st.ports["other"] = port
        write(126, 250)
        taken = "fieldcast_ingest_kafka_consumed_total"
        wait_for(lambda: write(251, 251) or st.metric("other", taken), 60, "the second to take some", every=1)
        st.kill("ingest", signal.SIGKILL)
        write(252, 375)
        for d in devices:
            wait_for(lambda: len(stored(st, d)) >= 375, 90, f"375 readings of {d}")  # noqa: B023
            assert sorted(stored(st, d)) == list(range(1, 376))
        began = time.monotonic()
        assert second.stop() == 0
        print(f"ended in {time.monotonic() - began:.1f} s")
    finally:
        second.stop(signal.SIGKILL)
        del st.procs["other"]


def test_tls_and_password(stacks, kafka):
    env = {"FC_KAFKA_BROKERS": kafka.secure, "FC_KAFKA_CA_FILE": kafka.ca_file, "FC_KAFKA_USER": "ingest",
           "FC_KAFKA_PASSWORD": kafka.password, "FC_KAFKA_TOPIC": "secure"}
    st = stacks(services=["ingest"], service_env={"ingest": env | {"FC_KAFKA_PASSWORD": "another"}})
    st.publish("kitchen", {"temperature": 20}, st.clock.now)
    wait_for(lambda: "kafka is away" in st.procs["ingest"].text(), 60, "the refusal to be said")
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_points_written_total"), 60, "InfluxDB to have it")
    assert st.metric("ingest", "fieldcast_ingest_kafka_lag_bytes") > 0
    st.restart("ingest", **env)
    wait_for(lambda: st.metric("ingest", "fieldcast_ingest_kafka_lag_bytes") == 0, 60, "Kafka to have it")
    assert [m["key"] for m in kafka.read("secure")] == ["kitchen"]
    log = st.procs["ingest"].text()
    assert kafka.password not in log and "another" not in log
