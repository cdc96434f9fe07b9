# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is measured, and how: ingest, a bare paho subscriber and Telegraf on the shipped broker, each
with topics of its own. In its turn each is stopped (SIGSTOP) while N messages are published for it,
and let go on: so it finds them queued, no publisher takes its processor, and starts do not count."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from contextlib import contextmanager
from pathlib import Path

import paho.mqtt.client as paho
import requests

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from lib import build_dir, cpu_s, make, median, memory, stack, table  # noqa: E402,F401
from procs import Proc, wait_for  # noqa: E402

QUICK = "--quick" in sys.argv  # small numbers: does it all run?


def option(name, ordinary, quick):
    given = [int(a.split("=")[1]) for a in sys.argv if a.startswith(f"--{name}=")]
    return given[0] if given else quick if QUICK else ordinary


ROUNDS = option("rounds", 5, 1)
N = option("messages", 200_000, 20_000)
BACKLOG_MB = option("backlog", 1000, 50)
DEVICES = 100
POLL_S = 0.05
SHIPPED = {"FC_FLUSH_MS": None, "FC_LIVE_URLS": None}  # what the tests set otherwise

# seconds, and CPU seconds of the one measured, of the broker and of InfluxDB; its largest PSS in MB
Run = namedtuple("Run", "n seconds cpu broker influx pss")


def rate(run):
    return run.n / run.seconds


def cpu_us(run):
    return run.cpu / run.n * 1e6


@contextmanager
def ingest_stack(**env):
    make("bench/bare_subscriber", "bench/publisher")
    with stack(services=["ingest"], env=SHIPPED | env) as st:
        yield st


def publish(st, prefix, devices, n, wait=True, **options):
    """options: qos, values, step (ms), rate, as of publisher.c."""
    flags = [x for k, v in options.items() for x in (f"-{k[0]}", v)]
    argv = [build_dir() / "bench/publisher", *flags, st.mosquitto.url, prefix, devices, n]
    run = subprocess.Popen([*map(str, argv)])
    if wait and run.wait():
        raise SystemExit(f"publisher ended with {run.returncode}")
    return run


def points(st, db, field, measurement):
    rows = st.influx_server.query(db, f'SELECT count("{field}") FROM "{measurement}"')
    return sum(r["count"] for r in rows)


def follow(pid, arrived, n, timeout=600):
    """Until arrived() is n: the largest PSS seen. Asks seldom while much is to come, as answers cost the one asked."""
    t0, pss, ask = time.monotonic(), 0, 0
    while True:
        now = time.monotonic() - t0
        if now >= ask:
            if (here := arrived()) >= n:
                return max(pss, memory(pid)[0])
            left = now * (n - here) / here if here else 0
            ask = now + max(0.02, min(1, left / 2))
        if now > timeout:
            raise SystemExit(f"{here} of {n} messages came through in {timeout} s")
        pss = max(pss, memory(pid)[0])
        time.sleep(max(0, min(0.25, ask - (time.monotonic() - t0))))


@contextmanager
def stopped(process):
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


class Bare:
    """quiet: without the trace of every packet that the library keeps in memory unless told not to."""

    def __init__(self, st, quiet=False):
        self.st, self.more = st, ["quiet"] if quiet else []
        self.name = "bare, no trace" if quiet else "bare"

    def drain(self, devices=DEVICES, n=N, **options):
        argv = [build_dir() / "bench/bare_subscriber", self.st.mosquitto.url, "bench-bare", "bare/+/readings", n, *self.more]
        run = subprocess.Popen([*map(str, argv)], stdout=subprocess.PIPE, text=True)
        if run.stdout.readline() != "ready\n":
            raise SystemExit("the bare subscriber could not subscribe")
        with stopped(run):
            publish(self.st, "bare", devices, n, **options)
            broker = cpu_s(self.st.mosquitto.proc.pid)
        pss = 0
        while run.poll() is None:
            pss = max(pss, memory(run.pid)[0]) if Path(f"/proc/{run.pid}/exe").exists() else pss
            time.sleep(POLL_S)
        if run.returncode:
            raise SystemExit("the bare subscriber did not get all messages")
        seconds, cpu = map(float, run.stdout.read().split())
        return Run(n, seconds, cpu, cpu_s(self.st.mosquitto.proc.pid) - broker, 0, pss)

    def close(self):
        pass


class ToInflux:
    """What ingest and Telegraf have in common. proc, prefix, db, field and measurement are theirs."""

    def drain(self, devices=DEVICES, n=N, keep=False, **options):
        """keep: what is in InfluxDB stays there (1.6 may bring back points of many series that it was just told to drop)."""
        st, pids = self.st, (self.proc.pid, self.st.mosquitto.proc.pid, self.st.influx_server.proc.pid)
        self.forget(keep)
        left = points(st, self.db, self.field, self.measurement)
        with stopped(self.proc.process):
            publish(st, self.prefix, devices, n, **options)
            before = [*map(cpu_s, pids)]
        t0 = time.perf_counter()
        pss = follow(pids[0], self.arrived, n)
        seconds, after = time.perf_counter() - t0, [*map(cpu_s, pids)]
        if (got := points(st, self.db, self.field, self.measurement) - left) != n:
            raise SystemExit(f"{self.name}: {got} points in InfluxDB, {n} messages were published")
        return Run(n, seconds, *(a - b for a, b in zip(after, before)), pss)


class Ingest(ToInflux):
    name, prefix, field, measurement = "ingest", "fieldcast", "temperature", "readings"

    def __init__(self, st):
        self.st, self.db, self.base = st, st.influx_db, 0

    @property
    def proc(self):
        return self.st.procs["ingest"]

    def stored(self):
        return self.st.metric("ingest", "fieldcast_ingest_stored_total") or 0

    def arrived(self):
        """By ingest's own counter of what InfluxDB has answered for: asking InfluxDB would slow it."""
        return self.stored() - self.base

    def forget(self, keep=False):
        if not keep:
            self.st.influx(f'DROP MEASUREMENT "{self.measurement}"')
        self.base = self.stored()

    def close(self):
        pass


TELEGRAF = """
[agent]
  omit_hostname = true
  {agent}
[[outputs.influxdb]]
  urls = ["{influx}"]
  database = "{db}"
  {output}
[[inputs.mqtt_consumer]]
  servers = ["{broker}"]
  topics = ["{db}/+/readings"]
  topic_tag = ""
  qos = 1
  persistent_session = true
  client_id = "{db}"
  name_override = "readings"
  data_format = "json"
  tag_keys = ["device"]
  json_time_key = "ts_ms"
  json_time_format = "unix_ms"
  {input}
"""


class Telegraf(ToInflux):
    """name: also its topics' prefix and its database. The rest: lines for the three parts of its settings."""

    field, measurement = "values_temperature", "readings"

    def __init__(self, st, name, agent="", output="", input=""):
        self.st, self.name, self.prefix, self.db, self.base = st, name, name, name, 0
        conf = st.folder / f"{name}.conf"
        conf.write_text(TELEGRAF.format(agent=agent, output=output, input=input, db=name, broker=st.mosquitto.url,
                                        influx=st.influx_server.url))
        self.proc = Proc(name, [telegraf(), "--config", conf], st.folder).start()
        one = paho.Client(paho.CallbackAPIVersion.VERSION2)
        one.connect("127.0.0.1", st.mosquitto.port)
        one.loop_start()

        def comes():
            one.publish(f"{name}/dev/readings", '{"device":"dev","ts_ms":1,"values":{"temperature":1}}', 1)
            return self.proc.alive() and points(st, name, self.field, self.measurement)
        wait_for(comes, 60, f"{name} to bring a message to InfluxDB", every=1)
        time.sleep(11)  # the last of these go with its flush
        one.loop_stop()

    def written(self):
        found = requests.get(f"{self.st.influx_server.url}/debug/vars", timeout=10).json().values()
        return sum(x["values"]["writePointsOk"] for x in found
                   if isinstance(x, dict) and x.get("name") == "shard" and x["tags"]["database"] == self.db)

    def arrived(self):
        """By InfluxDB's counter of its database, which asks no index."""
        return self.written() - self.base

    def forget(self, keep=False):
        self.st.influx_server.query(self.db, f'DROP MEASUREMENT "{self.measurement}"')
        self.base = self.written()

    def close(self):
        self.proc.stop()
        self.st.influx_server.query("", f'DROP DATABASE "{self.db}"')


def telegraf():
    """FC_TELEGRAF, or one that is built now; without one there are no figures."""
    if "FC_TELEGRAF" in os.environ:
        found = shutil.which(os.environ["FC_TELEGRAF"])
        if not found:
            raise SystemExit(f"FC_TELEGRAF: {os.environ['FC_TELEGRAF']} is not a program")
        return found
    make("bench/telegraf")
    return build_dir() / "bench/telegraf"


def telegraf_version():
    done = subprocess.run([telegraf(), "--version"], capture_output=True, text=True, check=True)
    return f"{done.stdout.strip()}, {os.path.getsize(telegraf()) / 1e6:.0f} MB"
