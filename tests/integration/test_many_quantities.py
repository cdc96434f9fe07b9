# SPDX-License-Identifier: GPL-3.0-or-later
"""One device that makes up names by the hundred: the others are watched and forecast as before."""

from signals import Home
from stack import HOUR, START, iso, ms

NAMES = [f"a{i:03d}" for i in range(600)]  # before all others by name


def junk(t_ms):
    return [("junk", t_ms + i, {n: 1.5 for n in NAMES[i:i + 60]}) for i in range(0, len(NAMES), 60)]


def test_one_device_with_many_names(stacks):
    st = stacks(start=START, service_env={"ingest": {"FC_QUANTITIES_MAX": "1000"}})
    home = Home(["kitchen"], every_ms=600_000)
    st.advance(24, publish=home.publish)
    st.publish_all(junk(st.clock.now))
    late = Home(["late"], every_ms=600_000)
    st.advance(3, publish=lambda hour: [*home.publish(hour), *late.publish(hour)])
    last = ms(START) + 26 * HOUR
    series = {s["name"]: s for s in st.status()["series"]}
    assert len(series) == 4 + len(NAMES)
    for name in ("kitchen.temperature", "late.temperature"):
        assert series[name]["last"]["time"] == iso(last)
    n = st.influx("SELECT n FROM evaluations WHERE device = 'kitchen' AND quantity = 'temperature'")
    assert {r["time"]: r["n"] for r in n}[last] == 2
