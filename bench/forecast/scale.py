# SPDX-License-Identifier: GPL-3.0-or-later
"""Train-all on many series: hours in a real InfluxDB become registered champions in a real Postgres, while ingest takes
a reading a minute of every device over MQTT. Says how long it takes, what the trainer holds at most, whose processor
time it is, and what a series costs at each of some numbers of series.
    scale.py [--series=10000] [--hours=1008] [--steps=100,1000 (smaller numbers, trained first)] [--workers=0 (one a core)]
             [--quick (1,000 series after 100)]"""

import math
import os
import random
import sys
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import arguments

arguments.check(__doc__)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg  # noqa: E402

from lib import SharedServers, Stack, memory, table  # noqa: E402
from stack import GRACE, HOUR  # noqa: E402

QUICK = "--quick" in sys.argv
WALL_TARGET_S, RSS_TARGET_MB = 120, 64


def option(name, ordinary):
    given = [a.split("=", 1)[1] for a in sys.argv if a.startswith(f"--{name}=")]
    return type(ordinary)(given[0]) if given else ordinary


SERIES = option("series", 1000 if QUICK else 10_000)
HOURS = option("hours", 1008)
STEPS = [int(n) for n in option("steps", "100" if QUICK else "100,1000").split(",") if n and int(n) < SERIES]
WORKERS = option("workers", 0)

# level, daily and weekly swing, noise; (name, level, day, week, noise)
QUANTITIES = [("temperature", 21, 3, 1, 0.4), ("humidity", 48, 8, 3, 1.5), ("pressure", 1013, 2, 6, 0.8), ("co2", 600, 180, 90, 30),
              ("pm25", 14, 5, 3, 2), ("light", 300, 250, 40, 25), ("power", 400, 200, 120, 40), ("tvoc", 0.4, 0.15, 0.1, 0.03),
              ("no2", 22, 9, 5, 3), ("dew_point", 10, 1.5, 2, 0.5)]
N_Q = len(QUANTITIES)


def device(i):
    return f"node{i:05d}"


def names(n):
    return [(f"{device(i // N_Q)}.{QUANTITIES[i % N_Q][0]}", device(i // N_Q), QUANTITIES[i % N_Q][0]) for i in range(n)]


# ---- the hours


def shapes():
    """A day and a week of each quantity, from the hour 0 of 1970 on (a Thursday)."""
    out = []
    for _, level, day, week, _ in QUANTITIES:
        out.append([level + day * math.sin(2 * math.pi * (h % 24 - 8) / 24) + week * math.sin(2 * math.pi * h / 168)
                    for h in range(168)])
    return out


def lines_of(i, first, shape):
    """The hours of one device: the same every time for the same hours."""
    rng = random.Random(i)
    gauss, late = rng.gauss, rng.randrange(168)
    size = [0.6 + 0.8 * rng.random() for _ in QUANTITIES]
    wander = [0.0] * N_Q
    name = device(i)
    for h in range(first, first + HOURS):
        fields = []
        for k, (q, level, _, _, noise) in enumerate(QUANTITIES):
            wander[k] = 0.8 * wander[k] + gauss(0, noise)
            v = level + (shape[k][(h + late) % 168] - level + wander[k]) * size[k]
            fields.append(f"{q}={max(v, 0.01):.3f}")
        yield f"hourly,device={name} {','.join(fields)} {h * HOUR}"


def write_hours(st, devices):
    """Up to the last complete hour."""
    last = (int(time.time() * 1000) - GRACE) // HOUR - 1
    shape, began = shapes(), time.monotonic()
    for i in range(devices):
        st.influx_write(lines_of(i, last - HOURS + 1, shape))
        say(f"hours of {i + 1} of {devices} devices are in InfluxDB")
    return time.monotonic() - began


def say(text, end=False):
    if sys.stderr.isatty():
        print(f"\r\033[K  {text}", end="\n" if end else "", file=sys.stderr, flush=True)


# ---- what comes in meanwhile


class Readings:
    """A reading a minute of each device, spread over the minute."""

    def __init__(self, st, devices):
        self.st, self.devices, self.sent, self.over = st, devices, 0, threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def run(self):
        rng, began = random.Random(1), time.monotonic()
        while not self.over.wait(0.1):
            due = int((time.monotonic() - began) / 60 * self.devices)
            while self.sent < due:
                values = {q: round(level + rng.gauss(0, noise), 2) for q, level, _, _, noise in QUANTITIES}
                self.st.publish(device(self.sent % self.devices), values, time.time() * 1000, wait=False)
                self.sent += 1

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.thread.join()


# ---- whose time it is

TICKS = os.sysconf("SC_CLK_TCK")


def stat(pid):
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()


def cpu_of(pid):
    """Seconds of a process, of its children and of those that have ended."""
    total, parent = 0.0, {}
    for p in Path("/proc").iterdir():
        if p.name.isdigit():
            try:
                parent[int(p.name)] = int(stat(p.name)[1])
            except (OSError, IndexError):
                pass
    for p in [pid, *(c for c, up in parent.items() if up == pid)]:
        try:
            f = stat(p)
        except OSError:
            continue
        total += (int(f[11]) + int(f[12]) + (int(f[13]) + int(f[14]) if p == pid else 0)) / TICKS
    return total


def machine():
    """Of all processors since the machine started: ticks in all, idle, and taken by other machines on the same hardware."""
    t = [int(x) for x in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return sum(t), t[3] + t[4], t[7]


def peak_mb(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.split("VmHWM:")[1].split()[0]) / 1024


def used(st):
    procs = {"trainer": st.procs["trainer"].process, "InfluxDB": st.influx_server.proc.process,
             "Postgres": st.pg_server.proc.process, "ingest": st.procs["ingest"].process}
    return {name: cpu_of(p.pid) for name, p in procs.items()}


# ---- a train-all


def add_catalogue(st, n):
    with psycopg.connect(st.pg_server.conninfo(st.pg_db)) as c, c.cursor() as cur:
        with cur.copy("COPY series (name, device, quantity) FROM STDIN") as copy:
            for row in names(n):
                copy.write_row(row)


def open_jobs(st):
    return st.pg("SELECT count(*)::int AS n FROM jobs WHERE state IN ('queued', 'running')")[0]["n"]


def train_all(st, n):
    """On an empty registry of n series and a fresh trainer."""
    st.kill("trainer", 15)
    st.open_databases()
    add_catalogue(st, n)
    st.start("trainer")
    pid = st.procs["trainer"].process.pid
    idle, before, ticks, began, pss = peak_mb(pid), used(st), machine(), time.monotonic(), 0
    st.post("trainer", "/api/v1/train", {"series": "all", "reason": "bench"}, status=202)
    asked_s = time.monotonic() - began
    while left := open_jobs(st):
        pss = max(pss, memory(pid)[0])
        say(f"{n - left} of {n} series trained")
        time.sleep(min(2, 0.1 + left / 1000))  # a look is not free
    wall = time.monotonic() - began
    after, every = used(st), [b - a for a, b in zip(ticks, machine())]
    champions = st.pg("SELECT count(*)::int AS n FROM model_aliases WHERE alias = 'champion'")[0]["n"]
    if champions != n:
        raise SystemExit(f"only {champions} of {n} series have a champion")
    return {"n": n, "wall": wall, "asked": asked_s, "idle": idle, "peak": peak_mb(pid), "pss": pss,
            "cpu": {k: after[k] - before[k] for k in after}, "unused": every[1] / every[0], "stolen": every[2] / every[0]}


def report(results, readings, wrote_s, received):
    last = results[-1]
    table(f"Train-all, {HOURS} hours a series, {os.cpu_count()} cores, {WORKERS or os.cpu_count()} workers",
          [("series", *(f"{r['n']:,}" for r in results)),
           ("seconds in all", *(f"{r['wall']:.1f}" for r in results)),
           ("seconds until all were asked for", *(f"{r['asked']:.2f}" for r in results)),
           *((f"CPU seconds of {who}", *(f"{r['cpu'][who]:.1f}" for r in results)) for who in last["cpu"]),
           ("processors idle, %", *(f"{100 * r['unused']:.1f}" for r in results)),
           ("taken by the machine's neighbours, %", *(f"{100 * r['stolen']:.1f}" for r in results)),
           ("wall ms a series", *(f"{1000 * r['wall'] / r['n']:.2f}" for r in results)),
           ("CPU ms of the trainer a series", *(f"{1000 * r['cpu']['trainer'] / r['n']:.2f}" for r in results)),
           ("CPU ms of all a series", *(f"{1000 * sum(r['cpu'].values()) / r['n']:.2f}" for r in results)),
           ("peak RSS of the trainer, MB", *(f"{r['peak']:.1f}" for r in results)),
           ("of it before the first job", *(f"{r['idle']:.1f}" for r in results)),
           ("largest PSS seen, MB", *(f"{r['pss']:.1f}" for r in results))])
    cost = [r["cpu"]["trainer"] / r["n"] for r in results]
    table("Targets", [("seconds for the last", f"{last['wall']:.1f}", f"< {WALL_TARGET_S} (10,000 series on 2 cores)"),
                      ("peak RSS, MB", f"{last['peak']:.1f}", f"< {RSS_TARGET_MB}"),
                      ("dearest / cheapest series", f"{max(cost) / min(cost):.2f}", "1 (flat)")])
    print(f"\n{received:.0f} of {readings} readings were taken in by ingest meanwhile; the hours were written in {wrote_s:.0f} s; "
          f"load of the machine {os.getloadavg()[0]:.1f}")


def main():
    shared, st = SharedServers(), None
    devices = math.ceil(SERIES / N_Q)
    try:
        st = Stack(shared, services=["ingest", "trainer"], clock=False, env={"FC_TICK_MS": 1000},
                   service_env={"trainer": {"FC_TRAIN_WORKERS": WORKERS, "FC_LOG_LEVEL": "warn"}})
        st.influx_server.query("", f'CREATE DATABASE "{st.influx_db}"')
        wrote_s = write_hours(st, devices)
        results = []
        with Readings(st, devices) as readings:
            for n in [*STEPS, SERIES]:
                results.append(train_all(st, n))
                say(f"{n} series: {results[-1]['wall']:.1f} s", end=True)
        st.wait_received()
        report(results, readings.sent, wrote_s, st.received())
    finally:
        if st:
            st.close()
        shared.close()


if __name__ == "__main__":
    print(datetime.now(timezone.utc).strftime("%Y-%m-%d"))
    main()
