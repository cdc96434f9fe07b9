# SPDX-License-Identifier: GPL-3.0-or-later
"""trainer_data: hourly values and series rows as ingest and monitor leave them, for tests of
the trainer alone."""

import math
import random
from contextlib import contextmanager

import psycopg

from procs import wait_for
from stack import HOUR, ms

START = ms("2026-09-07T00:00:00Z")


def day_cycle(hour, noise, level=20.0):
    return level + 4 * math.sin(2 * math.pi * hour / 24) + noise.gauss(0, 0.3)


def trainer_stack(stacks, weeks=4, series=("kitchen.temperature",), **kw):
    """A trainer on its own databases, with `weeks` of hours of each series and the clock after
    the last of them."""
    st = stacks(services=["trainer"], launch=False, **kw)
    st.clock.set(START + weeks * 7 * 24 * HOUR + 130_000)
    st.launch(wait=False)
    st.influx_server.query("", f'CREATE DATABASE "{st.influx_db}"')
    for name in series:
        add_series(st, name)
        write_hours(st, name, weeks * 7 * 24)
    st.wait_ready("trainer")
    return st


def add_series(st, name, state="active", settings="{}"):
    device, quantity = name.split(".")
    st.pg("INSERT INTO series (name, device, quantity, state, settings) VALUES (%s, %s, %s, %s, %s)",
          name, device, quantity, state, settings)


def write_hours(st, name, n, start=START, value=day_cycle, seed=1):
    device, quantity = name.split(".")
    noise = random.Random(f"{name} {seed}")
    st.influx_write(f"hourly,device={device} {quantity}={value(h, noise)!r} {start + h * HOUR}"
                    for h in range(n))


def train(st, series, **body):
    jobs = st.post("trainer", "/api/v1/train", {"series": series, **body}, status=202)["jobs"]
    return [wait_job(st, j["id"]) for j in jobs]


def wait_job(st, job_id, timeout=60):
    def ended():
        job = st.get("trainer", f"/api/v1/jobs/{job_id}")
        return job if job["state"] not in ("queued", "running") else None
    return wait_for(ended, timeout, f"job {job_id} to end")


@contextmanager
def nothing_is_stored(st):
    """Trainings wait at their very end, before what they found is registered."""
    with psycopg.connect(st.pg_server.conninfo(st.pg_db)) as c:
        c.execute("SELECT pg_advisory_xact_lock(4202)")
        yield


def chain_holds(st):
    return st.pg("SELECT fc_decisions_verify() AS bad")[0]["bad"] is None
