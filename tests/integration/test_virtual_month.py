# SPDX-License-Identifier: GPL-3.0-or-later
"""Thirty virtual days through the real processes. On day 20 one sensor changes its behaviour:
it swings three times as wide, eight hours later. The loop notices, retrains, promotes and is
good again, and every decision can be read back with its evidence."""

import math
import time

import pytest

from signals import DAY, Home, Signal
from stack import HOUR, START, iso, ms

DAYS, CHANGE_DAY = 30, 20
DEVICES = ["attic", "kitchen", "office"]
CHANGED = "office.temperature"


class ChangingHome(Home):
    def __init__(self, change_ms):
        super().__init__(DEVICES, every_ms=10 * 60_000, seed=3)
        before = self.signals["office"]["temperature"]
        after = Signal(777, 22, 9.0, phase_h=17.0)

        class Both:
            def at(self, t_ms):
                return (before if t_ms < change_ms else after).at(t_ms)
        self.signals["office"]["temperature"] = Both()


def mean_error(st, series, from_ms, to_ms):
    """MAE of the stored one-hour-ahead forecasts of the champion, worked out here."""
    device, quantity = series.split(".")
    where = f"device='{device}' AND time >= {from_ms}ms AND time < {to_ms}ms"
    f = {r["time"]: r["yhat"] for r in st.influx(
        f"SELECT yhat FROM forecast_leads WHERE {where} AND quantity='{quantity}' AND lead='1' AND role='champion'")}
    y = {r["time"]: r[quantity] for r in st.influx(f"SELECT {quantity} FROM hourly WHERE {where}")}
    both = sorted(set(f) & set(y))
    assert len(both) > (to_ms - from_ms) / HOUR * 0.9, f"only {len(both)} scored hours"
    return sum(abs(f[t] - y[t]) for t in both) / len(both)


def persistence_error(st, series, from_ms, to_ms):
    device, quantity = series.split(".")
    y = [r[quantity] for r in st.influx(f"SELECT {quantity} FROM hourly WHERE device='{device}' AND "
                                        f"time >= {from_ms - HOUR}ms AND time < {to_ms}ms")]
    return sum(abs(a - b) for a, b in zip(y, y[1:])) / (len(y) - 1)


def test_virtual_month(stacks, capsys):
    began = time.monotonic()
    st = stacks()
    first = ms(START)
    change = first + CHANGE_DAY * DAY
    home = ChangingHome(change)
    st.advance(DAYS * 24, publish=home.publish)
    took = time.monotonic() - began
    end = first + DAYS * DAY

    with capsys.disabled():
        print(f"\n30 virtual days, 6 series, {st.sent} messages: {took:.0f} s "
              f"({took / (DAYS * 24) * 1000:.0f} ms an hour)")
        for d in range(CHANGE_DAY - 3, DAYS):
            a, b = first + d * DAY, first + (d + 1) * DAY
            print(f"  day {d}: error {mean_error(st, CHANGED, a, b):.3f}, "
                  f"persistence {persistence_error(st, CHANGED, a, b):.3f}")

    # every series has a champion, and its forecasts beat persistence over the last three days
    series = [f"{d}.{q}" for d in DEVICES for q in ("humidity", "temperature")]
    status = {s["name"]: s for s in st.status()["series"]}
    assert sorted(status) == series
    for name in series:
        assert status[name]["champion"]["version"] >= 1
        mae = mean_error(st, name, end - 3 * DAY, end)
        base = persistence_error(st, name, end - 3 * DAY, end)
        assert mae < base, f"{name}: {mae:.3f} against persistence {base:.3f}"

    # the change was felt ...
    before = mean_error(st, CHANGED, change - 3 * DAY, change)
    worst = max(mean_error(st, CHANGED, change + i * 6 * HOUR, change + (i + 2) * 6 * HOUR) for i in range(8))
    after = mean_error(st, CHANGED, end - 3 * DAY, end)
    assert worst > 3 * before, (before, worst)
    # ... and is mended: the new signal is forecast well, too
    naive = persistence_error(st, CHANGED, end - 3 * DAY, end)
    assert after < worst / 3 and after < naive / 2, (before, worst, after, naive)

    # who asked, why, what came of it
    decisions = st.get("monitor", "/api/v1/decisions", series=CHANGED, limit=500)["items"]
    asked = [d for d in decisions if ms(d["at"]) >= change and d["kind"] not in ("promote", "rollback", "keep")]
    promoted = [d for d in decisions if ms(d["at"]) >= change and d["kind"] == "promote"]
    assert asked, f"nothing was decided after {iso(change)}"
    assert promoted, f"no promotion after {iso(change)}"
    assert min(ms(d["at"]) for d in asked) <= change + 3 * DAY
    for d in decisions:
        assert d["reason"] and d["evidence"], d
        assert d["actor"] and len(d["sha256"]) == 64 and len(d["prev_sha256"]) in (0, 64)
    versions = {v["version"]: v for v in st.get("trainer", f"/api/v1/models/{CHANGED}")["versions"]}
    assert promoted[-1]["version"] in versions
    assert st.pg("SELECT fc_decisions_verify() AS bad")[0]["bad"] is None

    # the undisturbed ones were left alone by and large: no page a day
    calm = [d for n in series if n != CHANGED
            for d in st.get("monitor", "/api/v1/decisions", series=n, limit=500)["items"] if d["kind"] == "rollback"]
    assert not calm

    # the clock moved on in Postgres too
    job = st.pg("SELECT max(fc_ms(created)) AS t FROM jobs")[0]["t"]
    assert first < job <= st.clock.now
    assert math.isfinite(after)
