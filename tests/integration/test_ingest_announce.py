# SPDX-License-Identifier: GPL-3.0-or-later
"""Home Assistant is told of devices: the kept messages are read as it reads them, and its templates
(Jinja2) are tried on what the devices send."""

import json
import re

import jinja2

from procs import wait_for
from stack import START, ms

T0 = ms(START)
ON = {"FC_HA_DISCOVERY": 1, "FC_HA_EXPIRE_S": 900}

# What its MQTT integration demands or knows of a component, and which units a class takes.
NEEDED = {"state_topic": str, "unique_id": str, "default_entity_id": str, "name": str, "value_template": str,
          "device": dict, "origin": dict}
KNOWN = {
    "sensor": {*NEEDED, "device_class", "state_class", "unit_of_measurement", "availability_topic", "expire_after"},
    "binary_sensor": {*NEEDED, "device_class", "payload_on", "payload_off", "availability_topic", "expire_after"},
}
UNITS = {"temperature": "°C", "humidity": "%", "energy": "Wh", "carbon_dioxide": "ppm"}
STATE_CLASSES = {"measurement", "total", "total_increasing"}
TOPIC = re.compile(r"homeassistant/(sensor|binary_sensor)/([\w-]+)/([\w-]+)/config")


def read_config(topic, payload):
    component, node, quantity = TOPIC.fullmatch(topic).groups()
    c = json.loads(payload)
    for key, kind in NEEDED.items():
        assert isinstance(c[key], kind) and c[key], (key, c)
    assert set(c) <= KNOWN[component], set(c) - KNOWN[component]
    assert re.fullmatch(component + r"\.[a-z0-9_]+", c["default_entity_id"])
    assert c["device"]["identifiers"] == [node] and c["device"]["name"]
    assert c["origin"]["name"] == "Fieldcast" and c["origin"]["sw_version"]
    if component == "sensor":
        assert c["state_class"] in STATE_CLASSES
        assert c["state_class"] == "total_increasing" or c.get("device_class") != "energy"
        if "device_class" in c:
            assert c["unit_of_measurement"] == UNITS[c["device_class"]]
    return (node, quantity), c


class HomeAssistant:
    """What it knows after it has listened for a while."""

    def __init__(self, st):
        self.heard = st.listen("homeassistant/#")

    def configs(self):
        """{(node, quantity): config} of the newest messages; an empty one takes away."""
        newest = {t: p for t, p in self.heard if t.endswith("/config")}
        return dict(read_config(t, p) for t, p in newest.items() if p)

    def knows(self, *wanted):
        def all_there():
            c = self.configs()
            return all(w in c for w in wanted)
        wait_for(all_there, 20, f"Home Assistant to be told of {wanted}")
        return self.configs()

    @staticmethod
    def shows(config, message):
        template = jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(config["value_template"])
        return template.render(value_json=message)


def test_off_by_default(stacks):
    st = stacks(services=["ingest"])
    ha = HomeAssistant(st)
    st.publish_raw("homeassistant/status", "online")
    st.publish("kitchen", {"temperature": 21.4}, T0)
    wait_for(lambda: st.get("ingest", "/api/v1/ledger")["totals"]["stored"] == 1, 15, "the reading")
    heard = st.listen("fieldcast/ack/+")
    st.publish("kitchen", {"temperature": 21.5}, T0 + 1000)
    wait_for(lambda: heard, 15, "the round in which devices would have been announced")
    assert [t for t, _ in ha.heard] == ["homeassistant/status"]


def test_devices_are_announced(stacks):
    st = stacks(services=["ingest"], service_env={"ingest": ON})
    ha = HomeAssistant(st)
    first = {"temperature": 21.4, "humidity": 48.2}
    second = {"temperature": 22, "contact": True, "energy": 1500}
    st.publish("kitchen", first, T0)
    st.publish("kitchen", second, T0 + 1000)
    st.publish("kitchen", {"temp": 23, "pressure": 101325}, T0 + 2000)  # not by these names and units
    st.publish("kitchen", {"co2": 600}, T0 + 3000)
    st.publish_raw("home/attic/dht22", {"temp_c": 20, "hum": 40})  # Home Assistant is not told of others' devices
    st.publish_raw("tele/shed/SENSOR", {"Time": START[:19], "AM2301": {"Temperature": 20}})
    node = "fieldcast_kitchen"
    told = ha.knows(*((node, q) for q in ("temperature", "humidity", "contact", "energy", "co2")))
    assert len(told) == 5
    assert all(c["state_topic"] == "fieldcast/kitchen/readings" and c["expire_after"] == 900 for c in told.values())
    assert len({c["unique_id"] for c in told.values()}) == 5
    assert all("availability_topic" not in c for c in told.values())
    values = {q: [ha.shows(told[node, q], {"values": v}) for v in (first, second)] for _, q in told}
    assert values == {"temperature": ["21.4", "22"], "humidity": ["48.2", ""], "contact": ["", "ON"],
                      "energy": ["", "1500"], "co2": ["", ""]}
    assert told[node, "contact"]["payload_off"] == "ON"  # closed: not open

    # a device that tells its status is available as it says
    st.publish_raw("fieldcast/kitchen/status", "online", retain=True)
    wait_for(lambda: all(c.get("availability_topic") == "fieldcast/kitchen/status" for c in ha.configs().values()), 20,
             "the status to be in all configurations")

    # they are kept: who comes later hears them at once, from the broker
    st.kill("ingest", 15)
    late = HomeAssistant(st)
    assert late.knows(*told) == ha.configs()


def test_home_assistant_starts_again(stacks):
    st = stacks(services=["ingest"], service_env={"ingest": {**ON, "FC_HA_PREFIX": "homeassistant"}})
    st.publish("kitchen", {"temperature": 21.4}, T0)
    ha = HomeAssistant(st)
    key = ("fieldcast_kitchen", "temperature")
    topic = "homeassistant/sensor/fieldcast_kitchen/temperature/config"
    ha.knows(key)
    st.publish_raw(topic, "", retain=True)  # somebody takes it away, and ingest does not put it back by itself
    wait_for(lambda: key not in ha.configs(), 10, "the configuration to be gone")
    st.publish("kitchen", {"temperature": 21.5}, T0 + 1000)
    wait_for(lambda: st.get("ingest", "/api/v1/ledger")["totals"]["stored"] == 2, 15, "the reading")
    assert key not in ha.configs()
    st.publish_raw("homeassistant/status", "offline")
    st.publish_raw("homeassistant/status", "online")
    ha.knows(key)
    totals = st.get("ingest", "/api/v1/ledger")["totals"]
    assert totals["received"] == 2 and not totals["rejected"]  # that was no device's status
