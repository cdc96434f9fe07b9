# SPDX-License-Identifier: GPL-3.0-or-later
"""Dead letters once more, after what refused them was mended."""

import json

from ledger import settled
from stack import HOUR, START, ms

T0 = ms(START)


def replay(st, **body):
    r = st.request("POST", "ingest", "/api/v1/deadletters/replay", token="admin", json=body)
    assert r.status_code == 200, r.text
    return r.json()


def letters(st, **query):
    return st.get("ingest", "/api/v1/deadletters", **query)["items"]


def test_a_topic_that_nobody_knew(stacks, tmp_path):
    rows = tmp_path / "decode.json"
    rows.write_text("[]")
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_DECODE_FILE": str(rows), "FC_MQTT_FILTERS": "plant/#"}})
    st.clock.set(T0 + 5)
    st.publish_raw("plant/press/data", {"t": 21.5})
    st.publish_raw("plant/press/data", {"t": 22.5})
    assert settled(st, 2)["rejected"] == {"unknown_topic": 2}
    assert len(letters(st)) == 2
    assert st.request("POST", "ingest", "/api/v1/deadletters/replay", token="operator",
                      json={"all": True}).status_code == 403
    refused = replay(st, all=True)
    assert refused["replayed"] == 0 and {r["reason"] for r in refused["still_refused"]} == {"unknown_topic"}
    rows.write_text(json.dumps([{"topic": "plant/+/data", "device": "topic:1", "values": {"temperature": "$.t"}}]))
    st.clock.set(T0 + HOUR)
    st.restart("ingest")
    assert replay(st, reason="unknown_topic") == \
        {"replayed": 2, "stored": 2, "duplicate": 0, "still_refused": [], "next": None}
    assert settled(st, 2)["stored"] == 2
    points = [(T0 + 5, 21.5, T0 + 5), (T0 + 6, 22.5, T0 + 5)]  # when they had come, in their order

    def stored():
        return [(r["time"], r["temperature"], r["received_ms"])
                for r in st.influx("SELECT temperature, received_ms FROM readings WHERE device = 'press'")]
    assert stored() == points
    st.kill("ingest")
    st.start("ingest")
    st.wait_ready("ingest")
    assert replay(st, all=True)["replayed"] == 0 and letters(st) == []
    assert len(letters(st, replayed="true")) == 2
    assert stored() == points


def test_points_that_influxdb_takes_now(stacks):
    # nothing is deleted by age while the measurement is dropped: InfluxDB 1.6 may hang, or drop what comes behind
    st = stacks(services=["ingest"], env={"FC_RETAIN_READINGS_D": 0, "FC_RETAIN_LEADS_D": 0})
    st.influx_write([f'readings,device=x odd="text" {T0 + 1}'])
    st.clock.set(T0 + 1000)
    st.publish_raw("fieldcast/kitchen/readings", {"values": {"odd": 1}})  # no time of its own
    st.publish_raw("influx/two", f"env,device=attic odd=2 {T0 + 7}\nenv,device=cellar temperature=3 {T0 + 7}\n")
    assert settled(st, 3)["rejected"] == {"refused_by_influxdb": 2}
    st.clock.set(T0 + 60_000)
    assert replay(st, reason="refused_by_influxdb")["stored"] == 2
    settled(st, 5)
    assert len(letters(st)) == 2  # refused again: new letters
    st.influx("DROP MEASUREMENT readings")  # and the field's type with it
    assert replay(st, all=True)["stored"] == 2
    settled(st, 7)
    rows = st.influx("SELECT odd, temperature, device FROM readings")
    assert [(r["time"] - T0, r["device"], r["odd"], r["temperature"]) for r in rows] == \
        [(7, "attic", 2, None), (1000, "kitchen", 1, None)]
    assert letters(st) == []


def test_a_part_that_is_taken_now(stacks, tmp_path):
    """What was stored of a message stays as it was; the rest comes to its place."""
    rows = tmp_path / "decode.json"
    row = {"topic": "plant/+", "device": "topic:1", "values": {"temperature": "$.t", "humidity": "$.h"}}
    rows.write_text(json.dumps([row]))
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_DECODE_FILE": str(rows)}})
    st.clock.set(T0)
    for _ in range(3):
        st.publish_raw("plant/a", {"t": 20, "h": 0.5})
    st.publish_raw("plant/a", {"t": 20, "h": 300})
    assert settled(st, 4)["stored"] == 4
    row["values"]["light"] = row["values"].pop("humidity")
    rows.write_text(json.dumps([row]))
    st.restart("ingest")
    assert replay(st, all=True) == {"replayed": 1, "stored": 1, "duplicate": 0, "still_refused": [], "next": None}
    settled(st, 1)
    stored = st.influx("SELECT temperature, light FROM readings WHERE device = 'a'")
    assert [(r["time"] - T0, r["temperature"], r["light"]) for r in stored] == \
        [(0, 20, None), (1, 20, None), (2, 20, None), (3, 20, 300)]
