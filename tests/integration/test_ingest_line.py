# SPDX-License-Identifier: GPL-3.0-or-later
"""InfluxDB's line protocol over MQTT: each line stored by itself, a bad one a dead letter."""

from procs import wait_for
from stack import START, ms

T0 = ms(START)


def test_lines_of_one_message(stacks):
    st = stacks(services=["ingest"])
    payload = (f"env,device=attic,location=top temperature=19.5,open=t {T0}000000\n"
               f"env,device=cellar temperature= {T0}000000\n"
               f"humidity,sensor=cellar value=71i {T0 + 1}\n")
    st.publish_raw("influx/house", payload)
    st.publish_raw("influx/house", payload)

    def settled():
        t = st.get("ingest", "/api/v1/ledger")["totals"]
        return t["received"] == 6 and t["pending"] == 0 and t
    t = wait_for(settled, 15, "six lines")
    t = st.get("ingest", "/api/v1/ledger")["totals"]
    assert (t["stored"], t["duplicate"], t["rejected"]) == (2, 2, {"bad_shape": 2})
    rows = st.influx("SELECT temperature, open, humidity, device FROM readings")
    assert [(r["time"] - T0, r["device"], r["temperature"], r["open"], r["humidity"]) for r in rows] == \
        [(0, "attic", 19.5, 1, None), (1, "cellar", None, None, 71)]
    letter = st.get("ingest", "/api/v1/deadletters")["items"][0]
    assert letter["detail"].startswith('line 2: the value of field "temperature" is neither a number')
    assert letter["payload"] == payload
