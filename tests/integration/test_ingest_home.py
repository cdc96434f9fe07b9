# SPDX-License-Identifier: GPL-3.0-or-later
"""The conventions of the home through a real broker and InfluxDB, with the settings as they come."""

import pytest

from ledger import settled
from stack import START, ms

T0 = ms(START)


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def rows(st, device, *fields, measurement="readings"):
    found = st.influx(f"SELECT {', '.join(fields)} FROM {measurement} WHERE device = '{device}'")
    return [tuple(r[f] for f in ("time", *fields)) for r in found]


def test_tasmota(st):
    time = START[:19]  # it says no zone
    st.publish_raw("tele/shed/LWT", "Online", retain=True)
    st.publish_raw("tele/shed/SENSOR", {"Time": time, "AM2301": {"Temperature": 68, "Humidity": 48.2}, "TempUnit": "F"})
    st.publish_raw("tele/shed/STATE", {"Time": time, "UptimeSec": 910, "POWER": "ON", "Wifi": {"RSSI": 84, "Signal": -58}})
    st.publish_raw("stat/shed/STATUS8", {"StatusSNS": {"Time": time, "ENERGY": {"Total": 1.5, "Power": [3, 4]}}})
    st.publish_raw("tele/shed/INFO1", {"Info1": {"Module": "x"}})  # nobody asks for it
    t = settled(st, 4)
    assert t["stored"] == 4 and not t["rejected"]
    fields = ("temperature", "humidity", "uptime", "rssi", "switch", "energy", "power", "power_2")
    assert rows(st, "shed", *fields) == [(T0, 20, 48.2, 910, -58, 1, 1500, 3, 4)]
    assert [r[1] for r in rows(st, "shed", "online", measurement="device_status")] == [1]


def test_tasmota_bridge(st):
    """What a bridge hears in two messages is of two devices, not one series."""
    st.publish_raw("tele/bridge/SENSOR", {"ZbReceived": {"0x3A1F": {"Name": "Cellar", "Temperature": 12.5, "LinkQuality": 70}}})
    st.publish_raw("tele/bridge/SENSOR", {"Time": START[:19], "ATC226754": {"mac": "a4c138226754", "Temperature": 23.3}})
    t = settled(st, 2)
    assert t["stored"] == 2 and not t["rejected"]
    assert [r[1:] for r in rows(st, "bridge_Cellar", "temperature", "linkquality")] == [(12.5, 70)]
    assert rows(st, "bridge_ATC226754", "temperature") == [(T0, 23.3)]


def test_esphome(st):
    st.publish_raw("porch/status", "online", retain=True)
    st.publish_raw("homeassistant/status", "online", retain=True)
    for object_id, state in {"porch_temperature": "21.5", "outside_temperature": "-3.5", "porch_humidity": "nan",
                             "wifi_signal": "-61"}.items():
        st.publish_raw(f"porch/sensor/{object_id}/state", state)
    st.publish_raw("porch/binary_sensor/motion/state", "ON")
    st.publish_raw("porch/debug", "[D][sensor:094]: 'Temperature': Sending state 21.5")
    t = settled(st, 6)
    assert t["stored"] == 5 and t["rejected"] == {"no_values": 1}
    # each state is a message of its own, at its own time
    assert [r["temperature"] for r in st.influx("SELECT temperature FROM readings WHERE device = 'porch'")] == [21.5]
    assert [r["rssi"] for r in st.influx("SELECT rssi FROM readings WHERE device = 'porch'")] == [-61]
    assert [r["motion"] for r in st.influx("SELECT motion FROM readings WHERE device = 'porch'")] == [1]
    assert [r[1] for r in rows(st, "porch_outside", "temperature")] == [-3.5]
    assert [r[1:] for r in rows(st, "porch", "online", measurement="device_status")] == [(1,)]
    assert not st.influx("SELECT online FROM device_status WHERE device = 'homeassistant'")


def test_esphome_units(st):
    """ESPHome announces its units to Home Assistant; they are known after a restart, too."""
    st.publish_raw("homeassistant/sensor/porch/energy/config",
                   {"name": "Energy", "stat_t": "porch/sensor/energy/state", "unit_of_meas": "kWh"}, retain=True)
    st.publish_raw("porch/sensor/energy/state", "1.5")
    st.publish_raw("porch/sensor/temperature/state", "20")
    assert settled(st, 2)["stored"] == 2
    st.restart("ingest")
    st.publish_raw("porch/sensor/energy/state", "2")
    st.publish_raw("homeassistant/sensor/porch/energy/config",
                   {"stat_t": "porch/sensor/energy/state", "unit_of_meas": "Wh"}, retain=True)
    st.publish_raw("porch/sensor/energy/state", "2500")
    settled(st, 2)
    assert [r["energy"] for r in st.influx("SELECT energy FROM readings WHERE device = 'porch'")] == [1500, 2000, 2500]
    assert [r["temperature"] for r in st.influx("SELECT temperature FROM readings WHERE device = 'porch'")] == [20]


def test_zigbee2mqtt(st):
    topic = "zigbee2mqtt/attic/north window"
    cached = {"battery": 87, "voltage": 2975, "temperature": 27.34, "contact": True, "last_seen": START}
    st.publish_raw("zigbee2mqtt/bridge/state", {"state": "online"}, retain=True)
    st.publish_raw(f"{topic}/availability", {"state": "online"}, retain=True)
    st.publish_raw(topic, cached)
    st.publish_raw(topic, cached, retain=True)  # it has started again
    st.publish_raw("zigbee2mqtt/plug/power", "12.5")
    st.publish_raw("zigbee2mqtt/plug/power_on_behavior", "restore")
    st.publish_raw("zigbee2mqtt/plug/set", {"state": "ON"})
    t = settled(st, 4)
    assert (t["stored"], t["duplicate"]) == (3, 1) and not t["rejected"]
    assert rows(st, "attic_north_window", "battery_level", "battery", "temperature", "contact") == [(T0, 87, 2.975, 27.34, 1)]
    assert [r[1] for r in rows(st, "attic_north_window", "online", measurement="device_status")] == [1]
    assert [r[1] for r in rows(st, "plug", "power")] == [12.5]
