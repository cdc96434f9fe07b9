# SPDX-License-Identifier: GPL-3.0-or-later
"""The hours: rolled up when complete, again when late readings come, also after kills, and told
to those who follow them."""

import os
import signal
import subprocess
import time

import pytest

from procs import wait_for
from stack import GRACE, HOUR, START, iso, ms, program

T0 = ms(START)


def hours(st, after=None):
    params = {"after": after} if after else {}
    return st.get("ingest", "/api/v1/hours", token="service", **params)


def at(answer):
    return f"{answer['epoch']}:{answer['cursor']}"


def rolled_up(st, hour, timeout=20):
    wait_for(lambda: hours(st)["rolled_up"] == iso(hour), timeout, f"{iso(hour)} to be rolled up", every=0.01)


def hourly(st, device="kitchen", what="temperature, temperature_min, temperature_max, temperature_n"):
    rows = st.influx(f"SELECT {what} FROM hourly WHERE device = '{device}'")
    return {r["time"]: r for r in rows}


@pytest.fixture
def st(stacks):
    return stacks(services=["ingest"])


def test_an_hour_is_closed(st):
    rolled_up(st, T0 - 2 * HOUR)
    first = hours(st)
    assert first["reset"] and first["items"] == []
    st.clock.set(T0 + HOUR)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": float(i)}) for i in range(60)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE - 1000)
    time.sleep(0.3)
    assert hourly(st) == {} and hours(st)["rolled_up"] == iso(T0 - HOUR)  # the grace is not over
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    assert hourly(st) == {T0: {"time": T0, "temperature": 29.5, "temperature_min": 0, "temperature_max": 59,
                               "temperature_n": 60}}
    news = hours(st, at(first))
    assert not news["reset"]
    assert news["items"] == [{"device": "kitchen", "from_ms": T0, "to_ms": T0}]
    assert hours(st, at(news))["items"] == []


def test_late_readings_roll_up_again(st):
    st.clock.set(T0 + 5 * HOUR + GRACE)
    rolled_up(st, T0 + 4 * HOUR)
    here = at(hours(st))
    st.publish_all([("kitchen", T0 + h * HOUR + 60_000, {"temperature": 10.0 + h}) for h in range(5)])
    wait_for(lambda: len(hourly(st)) == 5, 10, "five late hours")
    st.publish("kitchen", {"temperature": 30}, T0 + 2 * HOUR + 120_000)
    wait_for(lambda: hourly(st)[T0 + 2 * HOUR]["temperature_n"] == 2, 10, "the hour to be done again")
    assert hourly(st)[T0 + 2 * HOUR]["temperature"] == 21
    items = hours(st, here)["items"]
    assert {"device": "kitchen", "from_ms": T0 + 2 * HOUR, "to_ms": T0 + 2 * HOUR} in items
    covered = {h for i in items for h in range(i["from_ms"], i["to_ms"] + 1, HOUR)}
    assert covered == {T0 + h * HOUR for h in range(5)}


def test_marks_outlive_a_kill(st):
    """Killed between InfluxDB and the roll-up: the hour is not forgotten."""
    st.clock.set(T0 + HOUR)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": 20, "co2": 500}) for i in range(60)])
    st.wait_received()
    wait_for(lambda: len(st.influx("SELECT temperature FROM readings")) == 60, 10, "the readings")
    st.kill("ingest", signal.SIGKILL)
    st.clock.set(T0 + HOUR + GRACE)
    st.start("ingest")
    rolled_up(st, T0)
    row = hourly(st, what="temperature_n, co2_n")[T0]
    assert row["temperature_n"] == 60 and row["co2_n"] == 60


def test_influxdb_away_at_the_end_of_an_hour(stacks):
    st = stacks(services=["ingest"], own_servers=True)
    st.clock.set(T0 + HOUR)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": 20}) for i in range(30)])
    st.wait_received()
    st.influx_server.stop(signal.SIGKILL)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": 20}) for i in range(30, 60)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    wait_for(lambda: st.request("GET", "ingest", "/readyz", token=None).status_code == 503, 10, "readyz to say so")
    assert hours(st)["rolled_up"] in (None, iso(T0 - HOUR), iso(T0 - 2 * HOUR))
    st.influx_server.start()
    rolled_up(st, T0, 30)
    assert hourly(st)[T0]["temperature_n"] == 60


def test_misreads_and_poor_values_stay_out(st):
    rows = [(f"probe{i % 2}", T0 + i * 5000, {"temperature": 20.0, "humidity": 50.0}) for i in range(40)]
    rows[20][2]["temperature"] = 6.4
    rows[30][2].update(temperature=1.0, humidity=1.0)
    st.publish_all(rows)
    for i, quality in enumerate(["good", "poor", "good"]):
        st.publish_raw("sensors/temp_001/data", {"sensor_id": "temp_001", "sensor_type": "temperature",
                                                 "timestamp": iso(T0 + i * 1000)[:-1], "value": [20, 25, 22][i],
                                                 "unit": "celsius", "metadata": {"quality": quality}})
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    assert hourly(st, "probe0")[T0]["temperature_n"] == 18 and hourly(st, "probe0")[T0]["temperature_min"] == 20
    assert hourly(st, "temp_001")[T0]["temperature_n"] == 2 and hourly(st, "temp_001")[T0]["temperature_max"] == 22
    assert len(st.influx("SELECT temperature FROM readings WHERE quality = 0")) == 3
    assert st.metric("ingest", "fieldcast_ingest_misreads_total") == 3
    assert st.get("ingest", "/api/v1/ledger")["totals"]["misread"] == 3


def test_a_level_that_stays_is_good_after_all(st):
    values = [20.0] * 10 + [30.0] * 10
    st.publish_all([("kitchen", T0 + i * 5000, {"temperature": v}) for i, v in enumerate(values)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    assert hourly(st)[T0]["temperature_n"] == 20
    assert st.get("ingest", "/api/v1/ledger")["totals"]["misread"] == 0


def test_old_days_are_deleted_by_the_clock(stacks):
    st = stacks(services=["ingest"], service_env={"ingest": {"FC_RETAIN_READINGS_D": 2}})
    st.publish("kitchen", {"temperature": 20}, T0)
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    st.influx_write([f"evaluations,device=kitchen n=1 {T0}", f"forecast_leads,device=kitchen yhat=1 {T0}"])
    st.clock.set(T0 + 72 * HOUR + GRACE)
    rolled_up(st, T0 + 71 * HOUR)
    wait_for(lambda: st.influx("SELECT temperature FROM readings") == [], 10, "old readings to be deleted")
    assert len(hourly(st)) == 1  # hours are kept for ever
    assert len(st.influx("SELECT n FROM evaluations")) == 1


def test_backfill_of_six_weeks(st):
    """Six devices every five minutes, as the demo sends them: 72,576 readings, 6,048 hours."""
    st.clock.set(T0 + 1008 * HOUR + GRACE)
    begin = time.monotonic()
    subprocess.run([program("fieldcast"), "simulate", "--mqtt", st.mosquitto.url, "--backfill", "6w"],
                   env=os.environ | {"FC_CLOCK_FILE": str(st.clock.path)}, check=True, capture_output=True, timeout=120)
    sent = time.monotonic()
    wait_for(lambda: st.received() == 72_576 and st.metric("ingest", "fieldcast_ingest_rollups_waiting") <= 6, 60,
             "all readings and hours")
    rolled = time.monotonic()
    rows = st.influx("SELECT temperature_n FROM hourly")
    print(f"sent in {sent - begin:.1f} s, rolled up {rolled - sent:.1f} s after that")
    n = sum(r["temperature_n"] for r in rows)  # the last ones may lie in the hour that goes on
    assert 72_576 - 12 <= n <= 72_576 and len(rows) >= 6048
    assert st.metric("ingest", "fieldcast_ingest_hourly_points_total") < 3 * 6048  # not again for each reading


def test_a_sum_that_is_no_number(st):
    """InfluxDB gives no answer at all when one mean overflows: the hours come all the same."""
    rolled_up(st, T0 - 2 * HOUR)
    times = [T0 - k * HOUR + i * 600_000 for k in range(4, 0, -1) for i in range(6)]
    st.influx_write([f"readings,device=kitchen odd=1.7e308,quality=1 {t + 1}" for t in times])
    st.publish_all([(d, t, {"temperature": 20.5, "odd": 1}) for t in times for d in ("kitchen", "attic")])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    wait_for(lambda: len(hourly(st, "attic", "temperature, odd")) == 4, 10, "the hours of the other device")
    got = hourly(st, "kitchen", "temperature, odd_max, odd_n")
    assert len(got) == 4 and all(r["temperature"] == 20.5 and r["odd_max"] == 1.7e308 and r["odd_n"] == 12 for r in got.values())


@pytest.mark.parametrize("odd", [False, True])
def test_hours_of_very_many_readings(st, odd):
    """Two devices that measure every quarter of a second among others: InfluxDB makes their sums, or gives the readings
    when it cannot make them."""
    rolled_up(st, T0 - 2 * HOUR)
    dense, sparse, n = ["d03", "d11"], [f"d{i:02}" for i in range(20) if i not in (3, 11)], 14_400
    st.influx_write([f"readings,device={d} temperature={i % 40},quality={1 if i % 10 else 0} {T0 + i * 250 + 1}"
                     for d in dense for i in range(n)])
    if odd:
        st.influx_write([f"readings,device=d03 temperature=1.7e308,quality=1 {T0 + i}" for i in (2, 3)])
    st.clock.set(T0 + HOUR)
    st.publish_all([(d, T0 + i * 900_000, {"temperature": 20.5}) for d in dense + sparse for i in range(4)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    good = [i % 40 for i in range(n) if i % 10] + [20.5] * 4
    for d in dense + sparse:
        got = hourly(st, d, "temperature_min, temperature_max, temperature_n")[T0]
        extra = 2 if odd and d == "d03" else 0
        assert got["temperature_n"] == (len(good) + extra if d in dense else 4), d
        assert got["temperature_max"] == (1.7e308 if extra else 39 if d in dense else 20.5)
    mean = hourly(st, "d11", "temperature")[T0]["temperature"]
    assert mean == pytest.approx(sum(good) / len(good), rel=1e-12)


def test_a_field_of_hourly_that_is_a_text(st):
    """InfluxDB refuses the points with that field, and takes the others: the hour closes."""
    rolled_up(st, T0 - 2 * HOUR)
    st.influx_write(f'hourly,device=cellar odd="high" {T0}')
    st.clock.set(T0 + HOUR)
    st.publish_all([("kitchen", T0 + i * 60_000, {"temperature": 20.5}) for i in range(3)])
    st.publish_all([("attic", T0 + i * 60_000, {"odd": 1}) for i in range(3)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)
    assert hourly(st)[T0]["temperature_n"] == 3
    assert "InfluxDB refused points of hourly" in st.procs["ingest"].text()


def test_many_long_names(st):
    """Two days of many devices in one answer of InfluxDB: no point is lost on the way."""
    rolled_up(st, T0 - 2 * HOUR)
    names = [f"{'q' * 60}{i}" for i in range(14)]
    devices = [f"d{i}" for i in range(50)]
    first = T0 - 96 * HOUR
    lines = [f"readings,device={d} {','.join(f'{n}={i}.123456789012345' for i, n in enumerate(names))},quality=1 "
             f"{first + k * HOUR + m}" for d in devices for k in range(96) for m in range(2)]
    st.influx_write(lines)
    st.publish_all([(d, first + k * HOUR + 2, {n: 1 / 3 for n in names}) for d in devices for k in range(96)])
    st.wait_received()
    st.clock.set(T0 + HOUR + GRACE)
    rolled_up(st, T0)

    def counted():
        return st.influx(f'SELECT count("{names[0]}_n") AS n FROM hourly')[0]["n"]
    wait_for(lambda: counted() == 50 * 96, 60, "all hours")
