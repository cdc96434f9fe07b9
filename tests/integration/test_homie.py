# SPDX-License-Identifier: GPL-3.0-or-later
"""Homie end to end: units that a restart does not forget, retained values that are refused, and
states."""

import json

import pytest

from procs import wait_for
from stack import START, ms

T0 = ms(START)


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def values(st, device, field="temperature"):
    return [round(r[field], 9) for r in st.influx(f"SELECT {field} FROM readings WHERE device = '{device}'")]


def status(st, device):
    items = st.get("ingest", "/api/v1/devices", device=device)["items"]
    return items[0]["status"] if items else None


def test_homie_4(st):
    say = {"$homie": "4.0.0", "$state": "init", "$nodes": "bme280", "bme280/$properties": "temperature",
           "bme280/temperature/$datatype": "float", "bme280/temperature/$unit": "°F"}
    for topic, text in say.items():
        st.publish_raw(f"homie/kitchen/{topic}", text, retain=True)
    st.publish_raw("homie/kitchen/bme280/temperature", "68", retain=True)
    st.publish_raw("homie/kitchen/$state", "ready", retain=True)
    wait_for(lambda: values(st, "kitchen") == [20] and status(st, "kitchen") == "online", 20, "the value in celsius")

    st.kill("ingest")
    st.start("ingest")
    wait_for(lambda: st.get("ingest", "/api/v1/deadletters", reason="retained_without_time")["items"], 20,
             "the retained value to be refused")
    st.publish_raw("homie/kitchen/bme280/temperature", "86", retain=True)
    wait_for(lambda: values(st, "kitchen") == [20, 30], 20, "the next value")
    assert st.get("ingest", "/api/v1/ledger")["totals"]["rejected"] == {"retained_without_time": 1}


def test_homie_5(st):
    tree = {"homie": "5.0", "version": 1, "children": ["shed-box"],
            "nodes": {"air": {"properties": {"temperature": {"datatype": "float", "unit": "°C"},
                                             "label": {"datatype": "string"}}}}}
    st.publish_raw("homie/5/shed/$description", json.dumps(tree), retain=True)
    st.publish_raw("homie/5/shed/$state", "ready", retain=True)
    st.publish_raw("homie/5/shed-box/$state", "ready", retain=True)
    st.publish_raw("homie/5/shed/air/temperature", "4.5", retain=True)
    st.publish_raw("homie/5/shed/air/label", "17", retain=True)
    wait_for(lambda: values(st, "shed") == [4.5] and status(st, "shed-box") == "online", 20, "the value")
    st.publish_raw("homie/5/shed/$state", "lost", retain=True)
    wait_for(lambda: status(st, "shed") == status(st, "shed-box") == "offline", 20, "both to be lost")
    assert st.get("ingest", "/api/v1/ledger")["totals"]["rejected"] == {}
