# SPDX-License-Identifier: GPL-3.0-or-later
"""LoRaWAN network servers' messages, from the broker to InfluxDB."""

import json

import pytest

from ledger import settled
from procs import ROOT
from stack import START, ms

T0 = ms(START)
STAMP = START.replace("Z", "").split(".")[0]


def case(name):
    folder = ROOT / "tests/cases/decode" / name
    return (folder / "topic").read_text().strip(), json.loads((folder / "payload").read_text())


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def test_uplinks_become_points(st):
    topic, message = case("shape-chirpstack")
    message["time"] = f"{STAMP}.775023242+00:00"
    st.publish_raw(topic, message)
    st.publish_raw(topic, message)  # the broker sent it twice
    st.publish_raw(topic.replace("/up", "/txack"), {"downlinkId": 1})
    del message["object"]
    message |= {"data": "AWcA1wJnADI=", "time": f"{STAMP}.875023242+00:00"}
    st.publish_raw(topic, message)
    _, status = case("chirpstack-status")
    status["time"] = f"{STAMP}.900Z"
    st.publish_raw(topic.replace("/up", "/status"), status)
    topic, message = case("shape-ttn")
    message["uplink_message"]["received_at"] = f"{STAMP}.675787212Z"
    st.publish_raw(topic, message)
    t = settled(st, 5)
    assert (t["stored"], t["duplicate"]) == (4, 1) and not t["rejected"]
    rows = st.influx("SELECT temperature, temperature_2, rssi, snr, battery_level FROM readings "
                     "WHERE device = 'Greenhouse_2'")
    assert [(r["time"] - T0, r["temperature"], r["temperature_2"], r["rssi"], r["snr"], r["battery_level"])
            for r in rows] == [(775, 21.5, None, -48, 9.25, None), (875, 21.5, 5, -48, 9.25, None),
                               (900, None, None, None, None, 75.5)]
    rows = st.influx("SELECT temperature, snr FROM readings WHERE device = 'greenhouse-2'")
    assert [(r["time"] - T0, r["temperature"], r["snr"]) for r in rows] == [(675, 21.5, 9.25)]
    device = st.get("ingest", "/api/v1/devices", device="Greenhouse_2")["items"][0]
    assert (device["raw"], device["time_source"]) == ("0101010101010101", "device")


def test_two_devices_of_one_name_stay_two(st):
    topic, message = case("shape-chirpstack")
    st.publish_raw(topic, message)
    message["deviceInfo"] |= {"devEui": "0202020202020202", "applicationId": "another"}
    message["object"]["temperature"] = 90
    st.publish_raw(topic.replace("0101010101010101", "0202020202020202"), message)
    t = settled(st, 2)
    assert t["stored"] == 1 and t["rejected"] == {"device_clash": 1}
    letter = st.get("ingest", "/api/v1/deadletters")["items"][0]
    assert letter["detail"] == ('the ids "0101010101010101" and "0202020202020202" both become the device '
                                'Greenhouse_2: rename one')
    assert [r["temperature"] for r in st.influx("SELECT temperature FROM readings")] == [21.5]
