# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker throws messages away that it had acknowledged, because the queue for ingest was full
while ingest was away: ingest says how many, and what to set."""

import signal

from procs import wait_for
from stack import RECEIVED, START, ms

DROPPED = "fieldcast_broker_dropped_messages"


def test_the_queue_was_full(stacks):
    broker = {"change": {"max_queued_messages 1000000": "max_queued_messages 50",
                         "max_inflight_messages 1000": "max_inflight_messages 10"}, "more": "sys_interval 1\n"}
    st = stacks(services=["ingest"], broker=broker)
    st.kill("ingest", signal.SIGTERM)  # the session is the broker's
    told = st.listen("$SYS/broker/publish/messages/dropped")  # once a second
    st.publish_all([("kitchen", ms(START) + i * 1000, {"temperature": 20}) for i in range(200)])
    wait_for(lambda: told and told[-1][1] == "150", 20, "the broker to count them all")
    st.start("ingest")
    wait_for(lambda: st.influx("SELECT count(seq) AS n FROM readings") == [{"time": 0, "n": 50}], 20, "what the broker kept")
    n = wait_for(lambda: st.metric("ingest", DROPPED), 20, "the broker's counter")
    assert n == 150
    wait_for(lambda: st.metric("ingest", RECEIVED) == 50, 10, "nothing else in the log")
    lines = [x for x in st.procs["ingest"].text().splitlines() if "the broker has dropped" in x]
    assert len(lines) == 1 and "level=warn" in lines[0]
    assert f"dropped {n:.0f} messages" in lines[0] and "max_queued_messages" in lines[0]
    assert not st.get("ingest", "/api/v1/deadletters")["items"]


def test_a_broker_that_does_not_tell(stacks):
    """The shipped ACL lets ingest read the counter; without that line nothing is amiss."""
    st = stacks(services=["ingest"], launch=False, broker={"users": {"ingest": "i", "sensor": "s"}},
                service_env={"ingest": {"FC_MQTT_USER": "ingest", "FC_MQTT_PASSWORD": "i", "FC_LIVE_URLS": ""}})
    acl = st.folder / "acl"
    assert "topic read $SYS/broker/#\n" in acl.read_text()
    acl.write_text(acl.read_text().replace("topic read $SYS/broker/#\n", ""))
    st.mosquitto.login = ("sensor", "s")
    st.launch()
    st.publish("kitchen", {"temperature": 20.5}, ms(START))
    wait_for(lambda: st.influx("SELECT temperature FROM readings"), 20, "the reading")
    assert st.metric("ingest", DROPPED) == 0
    log = st.procs["ingest"].text()
    assert "$SYS" not in log and "level=warn" not in log
