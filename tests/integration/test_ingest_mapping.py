# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of people's own making, read as FC_DECODE_FILE says."""

import json
import subprocess

from ledger import settled
from stack import START, ms, program

T0 = ms(START)
ROWS = [{"topic": "factory/+/+/telemetry", "device": "$.meta.id", "time": "$.ts", "location": "topic:1",
         "values": {"temperature": {"path": "$.t", "unit": "F"}, "humidity": "$.env[0].rh"}},
        {"topic": "home/#", "device": ["text:house", "topic:1"], "all": "$", "retained": "ignore"}]


def test_mapped_messages_become_points(stacks, tmp_path):
    rows = tmp_path / "decode.json"
    rows.write_text(json.dumps(ROWS))
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_DECODE_FILE": str(rows)}})
    st.publish_raw("home/cellar/old", {"temp": 3}, retain=True)
    st.publish_raw("factory/3/7/telemetry", {"meta": {"id": "press 1"}, "ts": T0 + 5, "t": 212, "env": [{"rh": 40}]})
    st.publish_raw("factory/3/7/telemetry", {"meta": {"id": "press 1"}, "ts": T0 + 6, "t": "hot"})
    st.publish_raw("home/attic/dht22", {"temp": 4, "hum": 50})  # a built-in row, and the mapping comes first
    r = st.request("POST", "ingest", "/api/v1/readings", json={"device": "home", "values": {"co": 1}, "ts_ms": T0})
    assert r.status_code == 200
    t = settled(st, 5)
    assert (t["stored"], t["rejected"]) == (4, {"bad_value": 1})
    rows_in = st.influx("SELECT temperature, humidity, device FROM readings WHERE device != 'home'")
    assert sorted((r["device"], r["temperature"], r["humidity"]) for r in rows_in) == \
        [("house-attic", 4, 50), ("house-cellar", 3, None), ("press_1", 100, 40)]
    # the broker sends what it had kept again, and that is passed over
    rows.write_text(json.dumps([ROWS[1]]))
    st.restart("ingest")
    st.publish_raw("home/attic/dht22", {"temp": 5})
    assert settled(st, 1)["stored"] == 1
    assert len(st.influx("SELECT temperature FROM readings WHERE device = 'house-cellar'")) == 1


def test_a_mistake_stops_the_start(stacks, tmp_path):
    st = stacks(services=[])
    rows = tmp_path / "decode.json"
    rows.write_text(json.dumps([ROWS[0], ROWS[1] | {"devise": "x"}]))
    env = st.environment("ingest") | {"FC_HTTP_PORT": "0", "FC_DATA_DIR": str(tmp_path / "d"), "FC_DECODE_FILE": str(rows)}
    done = subprocess.run([program("fc-ingest")], env=env, capture_output=True, text=True, timeout=10)
    assert done.returncode == 1
    assert "level=fatal" in done.stderr and f'{rows}: row 2: there is no member \\"devise\\": known are topic' in done.stderr


def test_the_command_asks_ingest(stacks, tmp_path):
    rows = tmp_path / "decode.json"
    rows.write_text(json.dumps(ROWS))
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_DECODE_FILE": str(rows)}})

    def explain(topic, payload, code=0):
        cmd = [program("fieldcast"), "explain", "--url", st.url("ingest"), "--token", st.tokens["operator"], topic, payload]
        done = subprocess.run(cmd, capture_output=True, text=True, timeout=30)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout
    said = explain("factory/3/7/telemetry", json.dumps({"meta": {"id": "press 1"}, "ts": T0, "t": 212}))
    assert "decoder: mapping row 1\n\npress_1\n  time  2026-11-" in said and "  temperature  100 celsius\n" in said
    assert "  line  readings,device=press_1 temperature=100" in said
    assert "it would not come" not in said
    assert "by MQTT it would not come" in explain("elsewhere/a", json.dumps({"device": "a", "values": {"temperature": 1}}))
    assert "refused: no_device: nothing is at $.meta.id" in explain("factory/3/7/telemetry", "{}", code=1)
    assert st.get("ingest", "/api/v1/devices")["items"] == []
