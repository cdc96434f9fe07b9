# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what on a broker with the shipped ACL and the passwords that deploy/compose/setup.sh makes:
a device with a password of its own speaks for itself alone."""

import subprocess
import time

import paho.mqtt.client as paho
import pytest

from procs import ROOT, wait_for


def setup(folder, *args):
    return subprocess.run(["bash", ROOT / "deploy/compose/setup.sh", *args], capture_output=True, text=True,
                          env={"PATH": "/usr/bin:/bin", "FC_SECRETS_DIR": str(folder)})


def client(st, user, password):
    c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"as-{user}")
    c.username_pw_set(user, password)
    c.got = []
    c.on_message = lambda _c, _u, m: c.got.append((m.topic, m.payload.decode()))
    c.connect("127.0.0.1", st.mosquitto.port)
    c.loop_start()
    wait_for(c.is_connected, 10, f"{user} to be connected")
    return c


def passwords(folder):
    text = (folder / "mqtt_passwords").read_text() + (folder / "mqtt_devices").read_text()
    return dict(line.split(":") for line in text.splitlines())


def test_a_device_of_its_own(stacks, tmp_path):
    assert setup(tmp_path).returncode == 0
    said = setup(tmp_path, "device", "kitchen", "cellar")
    users = passwords(tmp_path)
    assert said.stdout.splitlines() == [f"mqtt user {d}, password {users[d]}" for d in ("kitchen", "cellar")]
    assert said.stdout in setup(tmp_path, "show").stdout
    st = stacks(services=["ingest"], broker={"users": users}, service_env={"ingest": {
        "FC_MQTT_USER": "ingest", "FC_MQTT_PASSWORD_FILE": tmp_path / "mqtt_ingest"}})
    kitchen, ingest = client(st, "kitchen", users["kitchen"]), client(st, "ingest", users["ingest"])
    try:
        kitchen.subscribe([("fieldcast/ack/#", 1), ("fieldcast/+/command", 1), ("fieldcast/+/readings", 1)])
        for device in ("cellar", "kitchen"):
            body = f'{{"device":"{device}","boot":1,"seq":1,"values":{{"temperature":20.5}}}}'
            kitchen.publish(f"fieldcast/{device}/readings", body, qos=1).wait_for_publish(10)
        wait_for(lambda: st.influx("SELECT temperature FROM readings WHERE device = 'kitchen'"), 20, "its reading")
        wait_for(lambda: kitchen.got, 20, "its acknowledgement")
        ingest.publish("fieldcast/ack/cellar", "{}", qos=1).wait_for_publish(10)
        ingest.publish("fieldcast/ack/kitchen", '{"boot":1,"seq":2}', qos=1).wait_for_publish(10)
        wait_for(lambda: len(kitchen.got) == 2, 10, "the second")
        time.sleep(0.2)
        assert kitchen.got == [("fieldcast/ack/kitchen", '{"boot":1,"seq":1}'), ("fieldcast/ack/kitchen", '{"boot":1,"seq":2}')]
        assert not st.influx("SELECT temperature FROM readings WHERE device = 'cellar'")
    finally:
        for c in (kitchen, ingest):
            c.disconnect()
            c.loop_stop()


@pytest.mark.parametrize("name, sentence", [
    ("", "name the devices"), ("kit chen", 'not "kit chen"'), ("a:b", 'not "a:b"'), ("../x", 'not "../x"'),
    ("ingest", '"ingest" is a user of Fieldcast\'s own')])
def test_names_that_are_refused(tmp_path, name, sentence):
    setup(tmp_path)
    done = setup(tmp_path, "device", *([name] if name else []))
    assert done.returncode == 2 and sentence in done.stderr
    assert not (tmp_path / "mqtt_devices").exists()


def test_twice_is_once(tmp_path):
    setup(tmp_path)
    first = setup(tmp_path, "device", "kitchen").stdout
    assert setup(tmp_path, "device", "kitchen").stdout == first
    assert len((tmp_path / "mqtt_devices").read_text().splitlines()) == 1
