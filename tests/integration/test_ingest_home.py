# SPDX-License-Identifier: GPL-3.0-or-later
"""The conventions of the home through a real broker and InfluxDB, with the settings as they come."""

import pytest

from procs import wait_for
from stack import START, ms

T0 = ms(START)


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def settled(st, received):
    def done():
        t = st.get("ingest", "/api/v1/ledger")["totals"]
        return t["received"] == received and t["pending"] == 0
    wait_for(done, 15, f"{received} to be settled")
    return st.get("ingest", "/api/v1/ledger")["totals"]


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
