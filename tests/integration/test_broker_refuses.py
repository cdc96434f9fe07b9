# SPDX-License-Identifier: GPL-3.0-or-later
"""A broker that refuses a subscription (Mosquitto with its dynamic security plugin): ingest says
which, takes what it may have, and has the rest when the broker lets it."""

import base64
import hashlib
import json
from pathlib import Path

from procs import wait_for
from stack import START, ms

PLUGIN = next(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"), Path("/usr/lib/mosquitto_dynamic_security.so"))


def client(name, password):
    salt = b"twelve bytes"
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101)
    return {"username": name, "password": base64.b64encode(digest).decode(), "salt": base64.b64encode(salt).decode(),
            "iterations": 101, "roles": [{"rolename": name}]}


def write(path, may_read):
    """What user ingest may subscribe to; user tests may send everything."""
    def allow(kind, *topics):
        return [{"acltype": kind, "topic": t, "priority": 0, "allow": True} for t in topics]
    path.write_text(json.dumps({
        "defaultACLAccess": {"publishClientSend": False, "publishClientReceive": True, "subscribe": False,
                             "unsubscribe": True},
        "clients": [client("ingest", "i"), client("tests", "t")],
        "roles": [{"rolename": "ingest", "acls": allow("subscribePattern", *may_read) +
                   allow("publishClientSend", "fieldcast/ack/#")},
                  {"rolename": "tests", "acls": allow("publishClientSend", "#")}]}))
    path.chmod(0o644)


def stack(stacks, tmp_path, may_read, filters):
    st = stacks(services=["ingest"], launch=False, service_env={"ingest": {
        "FC_MQTT_USER": "ingest", "FC_MQTT_PASSWORD": "i", "FC_MQTT_FILTERS": filters}}, broker={"access": False})
    roles = st.folder / "roles.json"
    write(roles, may_read)
    m = st.mosquitto
    m.conf.write_text(m.conf.read_text() + f"allow_anonymous false\nplugin {PLUGIN}\nplugin_opt_config_file {roles}\n")
    m.login = ("tests", "t")
    return st, roles


def readyz(st):
    return st.request("GET", "ingest", "/readyz", token=None).json()


def again(st, roles, may_read):
    st.mosquitto.stop()
    write(roles, may_read)
    st.mosquitto.start()


def test_some_are_refused(stacks, tmp_path):
    filters = "fieldcast/+/readings,home/+/dht22,sensor/output"
    st, roles = stack(stacks, tmp_path, ["fieldcast/#"], filters)
    st.launch()
    wait_for(lambda: st.metric("ingest", "fieldcast_mqtt_refused_subscriptions") == 2, 10, "the refusals")
    state = readyz(st)
    assert state["ready"] and not state["dependencies"]["subscription"]["up"]
    why = state["dependencies"]["subscription"]["why"]
    assert '2 of 3 topics: "home/+/dht22", "sensor/output": let user ingest read them there' in why
    lines = [x for x in st.procs["ingest"].text().splitlines() if "the broker refuses 2 of 3 topics" in x]
    assert len(lines) == 1 and "FC_MQTT_FILTERS" in lines[0] and "level=warn" in lines[0]
    assert "$SYS" not in st.procs["ingest"].text()  # nobody needs that one
    assert st.metric("ingest", "fieldcast_dependency_up", dependency="subscription") == 0
    st.publish("kitchen", {"temperature": 20.5}, ms(START))
    wait_for(lambda: st.influx("SELECT temperature FROM readings"), 20, "what is allowed")

    again(st, roles, ["#"])
    wait_for(lambda: readyz(st)["dependencies"]["subscription"]["up"], 60, "the others, after a reconnect")
    assert st.metric("ingest", "fieldcast_mqtt_refused_subscriptions") == 0
    assert st.metric("ingest", "fieldcast_mqtt_subscription_refusals_total") == 2
    wait_for(lambda: st.mqtt.is_connected(), 60, "the tests' client")
    st.publish_raw("home/cellar/dht22", {"sensor_id": "cellar", "temp_c": 11.5})
    wait_for(lambda: st.influx("SELECT temperature FROM readings WHERE device = 'cellar'"), 20, "the other")


def test_all_are_refused(stacks, tmp_path):
    st, roles = stack(stacks, tmp_path, ["nothing"], "fieldcast/+/readings,sensor/output")
    st.launch(wait=False)
    wait_for(lambda: "refuses every topic" in (readyz(st)["dependencies"]["broker"]["why"] or ""), 20, "the sentence")
    assert readyz(st)["waiting_for"] == ["broker"]
    again(st, roles, ["fieldcast/#"])
    st.wait_ready("ingest", 60)
