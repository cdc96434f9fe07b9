# SPDX-License-Identifier: GPL-3.0-or-later
"""stack: Fieldcast as it runs for a user, for one test: its own broker, databases of its own in
servers that the whole run shares, and the four services on free ports and a virtual clock.

    def test_x(stacks):
        st = stacks(start="2026-11-02T00:00:00Z")
        st.publish("kitchen", {"temperature": 21.4}, st.clock.now)
        st.advance(hours=1)                 # hour by hour, each time until settled
        assert st.get("monitor", "/api/v1/status")["series"]
"""

import hashlib
import json
import os
import secrets
import shutil
import signal
import tempfile
import threading
import time
from datetime import datetime, timezone
from pathlib import Path

import paho.mqtt.client as paho
import psycopg
import requests

from procs import ROOT, Proc, free_port, make_dir, wait_for
from servers import Influx, Mosquitto, Nginx, Postgres

SERVICES = ["ingest", "trainer", "predictor", "monitor"]
HOUR = 3_600_000
GRACE = 120_000
START = "2026-11-02T00:00:00Z"  # a Monday


def build_dir():
    path = Path(os.environ.get("FC_BUILD", ROOT / "build"))
    return path if path.is_absolute() else ROOT / path


def program(name):
    path = build_dir() / "bin" / name
    assert path.exists(), f"{path} is not built; run make (or set FC_BUILD)"
    return path


def ms(text):
    """RFC 3339 (or ms already) to epoch milliseconds."""
    if isinstance(text, (int, float)):
        return int(text)
    return round(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def iso(t_ms):
    whole = datetime.fromtimestamp(t_ms // 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{whole}.{t_ms % 1000:03d}Z"


class Clock:
    """The file all services take their time from. Speed 0: it stands until set again."""

    def __init__(self, path, start_ms):
        self.path, self.now = Path(path), 0
        self.set(start_ms)

    def set(self, t_ms, speed=0):
        new = self.path.with_suffix(".new")
        new.write_text(f"{int(t_ms)} {speed}\n")
        new.rename(self.path)
        self.now = int(t_ms)


class SharedServers:
    """InfluxDB and PostgreSQL, started when first asked for, once per run."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="fieldcast-test-"))
        self.folder.chmod(0o755)
        self._influx = self._pg = None
        self.n = 0

    @property
    def influx(self):
        if not self._influx:
            self._influx = Influx(self.folder)
            self._influx.start()
        return self._influx

    @property
    def pg(self):
        if not self._pg:
            self._pg = Postgres(self.folder)
            self._pg.start()
        return self._pg

    def new_folder(self):
        self.n += 1
        return make_dir(self.folder / f"stack{self.n}")

    def close(self):
        for server in (self._influx, self._pg):
            if server:
                server.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Stack:
    def __init__(self, shared, services=SERVICES, start=START, clock=True, own_servers=False,
                 nginx=False, public_read=False, env=None, service_env=None, wait=True, launch=True,
                 broker=None):
        """services: which to start. own_servers: InfluxDB and Postgres of its own, to be
        stopped by the test. env: more settings for all, service_env: {"ingest": {…}}.
        wait: until all are ready. launch False: the test calls launch() itself. broker: what
        Mosquitto (see servers.py) takes."""
        self.shared, self.services = shared, list(services)
        self.folder = shared.new_folder()
        self.own_servers = own_servers
        self.influx_db = f"fieldcast{shared.n}"
        self.influx_server = Influx(self.folder) if own_servers else None
        self.pg_server = Postgres(self.folder) if own_servers else None
        self.pg_db = None
        self.mosquitto = Mosquitto(self.folder, **(broker or {}))
        self.clock = Clock(self.folder / "clock", ms(start)) if clock else None
        self.ports = {s: free_port() for s in SERVICES}
        self.make_tokens()
        self.public_read, self.extra, self.service_extra = public_read, env or {}, service_env or {}
        self.procs, self.exit_codes, self.stop_s = {}, {}, {}
        self.want_nginx, self.nginx = nginx, None
        self._mqtt, self.sent, self.seq, self.boot = None, 0, {}, 1
        self._received0 = 0
        if launch:
            self.launch(wait)

    # ---- starting and ending

    def launch(self, wait=True):
        self.mosquitto.start()
        if self.own_servers:
            self.influx_server.start()
            self.pg_server.start()
        else:
            self.influx_server, self.pg_server = self.shared.influx, self.shared.pg
        self.open_databases()
        for s in self.services:
            self.start(s, wait=False)
        if self.want_nginx:
            self.start_nginx()
        if wait:
            for s in self.services:
                self.wait_ready(s)

    def open_databases(self):
        self.pg_db = self.pg_server.new_database()

    def make_tokens(self):
        self.tokens = {r: secrets.token_hex(16) for r in ("viewer", "operator", "admin", "service")}
        lines = [f"{r} {hashlib.sha256(t.encode()).hexdigest()}" for r, t in self.tokens.items() if r != "service"]
        self.tokens_file = self.folder / "tokens"
        self.tokens_file.write_text("# made by the tests\n" + "\n".join(lines) + "\n")

    def environment(self, service):
        """The settings of one service, as a person would write them."""
        env = {
            "FC_HTTP_ADDR": "127.0.0.1", "FC_HTTP_PORT": self.ports[service], "FC_TICK_MS": 20,
            "FC_TOKENS_FILE": self.tokens_file, "FC_SERVICE_TOKEN": self.tokens["service"],
            "FC_PUBLIC_READ": int(self.public_read),
            "FC_INFLUX_URL": self.influx_server.url, "FC_INFLUX_DB": self.influx_db,
        }
        if self.clock:
            env["FC_CLOCK_FILE"] = self.clock.path
        if service in ("ingest", "monitor"):
            env["FC_MQTT_URL"] = self.mosquitto.url
        if service != "ingest":
            env["FC_PG_CONNINFO"] = self.pg_server.conninfo(self.pg_db)
        if service == "ingest":
            env["FC_DATA_DIR"] = make_dir(self.folder / "ingest-data")
            env["FC_LIVE_URLS"] = self.url("predictor")
            env["FC_FLUSH_MS"] = 20  # a virtual hour passes in a fraction of a second
        if service in ("predictor", "monitor"):
            env["FC_INGEST_URL"] = self.url("ingest")
        if service == "monitor":
            env["FC_TRAINER_URL"] = self.url("trainer")
            env["FC_PREDICTOR_URL"] = self.url("predictor")
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        env |= self.extra | self.service_extra.get(service, {})
        return {k: str(v) for k, v in env.items() if v is not None}

    def start(self, service, wait=True, **env):
        argv = [program(f"fc-{service}")]
        settings = self.environment(service) | {k: str(v) for k, v in env.items()}
        self.procs[service] = Proc(service, argv, self.folder, settings).start()
        if wait:
            self.wait_ready(service)
        return self.procs[service]

    def start_nginx(self, **settings):
        up = {s: f"127.0.0.1:{self.ports[s]}" for s in SERVICES}
        self.nginx = Nginx(self.folder, up, **settings).start()
        self.ports["proxy"] = self.nginx.port
        return self.nginx

    def wait_ready(self, service, timeout=30):
        def ready():
            proc = self.procs[service]
            if not proc.alive():
                raise RuntimeError(f"{service} ended with {proc.process.returncode}:\n{proc.tail(20)}")
            r = self.request("GET", service, "/readyz", token=None)
            assert r.status_code == 200, r.text
            return True
        wait_for(ready, timeout, f"{service} to be ready")

    def kill(self, service, sig=signal.SIGKILL):
        return self.procs[service].stop(sig)

    def restart(self, service, sig=signal.SIGTERM, wait=True, **env):
        self.procs[service].stop(sig)
        return self.start(service, wait, **env)

    def close(self):
        """Ends everything; remembers how each service ended in exit_codes."""
        if self._mqtt:
            self._mqtt.disconnect()
            self._mqtt.loop_stop()
            self._mqtt = None
        for s in ("monitor", "predictor", "trainer", "ingest"):
            if s in self.procs and self.procs[s].alive():
                began = time.monotonic()
                self.exit_codes[s] = self.procs[s].stop()
                self.stop_s[s] = time.monotonic() - began
        for server in (self.nginx, self.mosquitto):
            if server:
                server.stop()
        if self.own_servers:
            self.influx_server.stop()
            self.pg_server.stop()
        elif self.pg_db:
            self.pg_server.drop_database(self.pg_db)
            self.influx_server.query("", f'DROP DATABASE "{self.influx_db}"')

    def logs(self, lines=60):
        procs = [*self.procs.values(), self.mosquitto.proc]
        procs += [self.nginx.proc] if self.nginx else []
        procs += [s.proc for s in (self.influx_server, self.pg_server) if s and self.own_servers]
        return [(p.name, p.tail(lines)) for p in procs]

    # ---- HTTP

    def url(self, service, path=""):
        return f"http://127.0.0.1:{self.ports[service]}{path}"

    def request(self, method, service, path, token="admin", headers=None, timeout=30, **kw):
        """token: a role's name, None for none, or "=text" for that very text."""
        headers = dict(headers or {})
        if token:
            headers["Authorization"] = f"Bearer {token[1:] if token[0] == '=' else self.tokens[token]}"
        return requests.request(method, self.url(service, path), headers=headers, timeout=timeout, **kw)

    def get(self, service, path, status=200, token="admin", **params):
        r = self.request("GET", service, path, token, params=params or None)
        assert r.status_code == status, f"GET {path} -> {r.status_code} {r.text}"
        return r.json() if "json" in r.headers.get("Content-Type", "") else r.text

    def post(self, service, path, body=None, status=200, token="admin"):
        r = self.request("POST", service, path, token, json=body)
        assert r.status_code == status, f"POST {path} -> {r.status_code} {r.text}"
        return r.json() if "json" in r.headers.get("Content-Type", "") else r.text

    def metric(self, service, name, **labels):
        """The sum over the samples of a family that carry these labels; None without any."""
        found = [v for n, ls, v in parse_metrics(self.get(service, "/metrics"))
                 if n == name and all(ls.get(k) == w for k, w in labels.items())]
        return sum(found) if found else None

    # ---- MQTT

    @property
    def mqtt(self):
        if not self._mqtt:
            c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id="tests", clean_session=True)
            c.max_inflight_messages_set(500)
            if self.mosquitto.login:
                c.username_pw_set(*self.mosquitto.login)
            c.connect("127.0.0.1", self.mosquitto.port)
            c.loop_start()
            wait_for(c.is_connected, 10, "connection to the broker")
            self._mqtt = c
        return self._mqtt

    def publish_raw(self, topic, payload, qos=1, retain=False, wait=True):
        if isinstance(payload, (dict, list)):
            payload = json.dumps(payload)
        info = self.mqtt.publish(topic, payload, qos=qos, retain=retain)
        self.sent += 1
        if wait:
            info.wait_for_publish(30)
        return info

    def publish(self, device, values, t_ms, wait=True, **more):
        seq = self.seq[device] = self.seq.get(device, 0) + 1
        body = {"device": device, "boot": self.boot, "seq": seq, "ts_ms": int(t_ms), "values": values, **more}
        return self.publish_raw(f"fieldcast/{device}/readings", body, wait=wait)

    def publish_all(self, rows):
        """rows: (device, t_ms, values); many at once, all acknowledged when it returns."""
        last = [self.publish(d, v, t, wait=False) for d, t, v in rows]
        for info in last:
            info.wait_for_publish(60)
        return len(last)

    def listen(self, topic):
        """A list that fills with (topic, payload) as messages come."""
        got, ready = [], threading.Event()
        c = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=f"listen{secrets.token_hex(4)}")
        if self.mosquitto.login:
            c.username_pw_set(*self.mosquitto.login)
        c.on_message = lambda _c, _u, m: got.append((m.topic, m.payload.decode()))
        c.on_subscribe = lambda *_: ready.set()
        c.connect("127.0.0.1", self.mosquitto.port)
        c.subscribe(topic, 1)
        c.loop_start()
        assert ready.wait(10)
        return got

    # ---- databases

    def influx(self, q):
        return self.influx_server.query(self.influx_db, q)

    def influx_write(self, lines):
        self.influx_server.write(self.influx_db, lines)

    def pg(self, sql, *params):
        """Rows as dicts."""
        conninfo = self.pg_server.conninfo(self.pg_db)
        with psycopg.connect(conninfo, autocommit=True, row_factory=psycopg.rows.dict_row) as c:
            cur = c.execute(sql, params or None)
            return cur.fetchall() if cur.description else []

    # ---- the way of the data

    def received(self):
        """MQTT messages that ingest has taken into its log since the stack was made."""
        return self.metric("ingest", RECEIVED) or 0

    def wait_received(self, timeout=60):
        """Until ingest has in its log everything that was published. (A restarted ingest counts
        from 0: call forget_sent() after it.)"""
        wait_for(lambda: self.received() >= self.sent, timeout, f"ingest to receive {self.sent} messages")

    def forget_sent(self):
        self.sent = int(self.received())

    def status(self):
        return self.get("monitor", "/api/v1/status")

    def settled_hour(self):
        """The newest hour (its start in ms) that is rolled up, scored and forecast; or None."""
        text = self.status()["settled"]
        return ms(text) if text else None

    def wait_settled(self, hour_ms, timeout=60):
        wait_for(lambda: (self.settled_hour() or -1) >= hour_ms, timeout,
                 f"/api/v1/status to say settled for {iso(hour_ms)}", every=0.004)

    def advance(self, hours=1, timeout=60, publish=None, settle=True):
        """Closes hours, one after the other: the clock goes to the hour's end, publish(hour_ms)
        gives the rows of that hour (see publish_all), ingest takes them, the clock passes the
        grace, and the hour is waited for until it is settled."""
        for _ in range(hours):
            hour = self.clock.now // HOUR * HOUR
            self.clock.set(hour + HOUR)
            if publish:
                self.publish_all(publish(hour))
            self.wait_received()
            self.clock.set(hour + HOUR + GRACE + 1000)
            if settle:
                self.wait_settled(hour, timeout)


RECEIVED = "fieldcast_ingest_messages_total"


def parse_metrics(text):
    """[(name, {label: value}, float)] of an exposition."""
    out = []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        head, value = line.rsplit(" ", 1)
        name, _, labels = head.partition("{")
        found = {}
        rest = labels.rstrip("}")
        while rest:
            key, _, rest = rest.partition('="')
            end = 0
            while rest[end] != '"' or (end and rest[end - 1] == "\\" and rest[end - 2] != "\\"):
                end += 1
            found[key.lstrip(",")] = rest[:end]
            rest = rest[end + 1:]
        out.append((name, found, float(value)))
    return out
