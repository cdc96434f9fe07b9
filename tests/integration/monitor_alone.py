# SPDX-License-Identifier: GPL-3.0-or-later
"""monitor_alone: the monitor with real broker, InfluxDB and Postgres, and stand-ins for the few
routes of its neighbours that it uses, so that a test decides what was measured and forecast, hour
by hour, to the last digit. (The whole loop on real neighbours: test_loop.py.)"""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import psycopg

from procs import wait_for
from stack import GRACE, HOUR, START, iso, ms

ZERO = "0" * 64


class Neighbours:
    """Ingest's /api/v1/hours, predictor's /api/v1/progress, trainer's /api/v1/train, and for all
    three /readyz and /metrics."""

    def __init__(self):
        self.epoch, self.items, self.rolled_up = "one", [], None
        self.forecast, self.model_seq = None, 10**9
        self.asked, self.train_status, self.on_train = [], 202, None
        other = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, body, kind="application/json"):
                data = (body if isinstance(body, str) else json.dumps(body)).encode()
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def do_GET(self):
                path = urlparse(self.path).path
                if path.endswith("/hours"):
                    self.answer(200, other.hours(self.path))
                elif path.endswith("/progress"):
                    self.answer(200, {"forecast": iso(other.forecast) if other.forecast else None,
                                      "model_seq": other.model_seq})
                elif path.endswith("/readyz"):
                    self.answer(200, {"ready": True, "waiting_for": []})
                else:
                    self.answer(200, "# HELP made_up_total Made up.\n# TYPE made_up_total counter\n"
                                f'made_up_total{{service="{path[1:-8]}"}} 1\n', "text/plain")

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.answer(*other.train(body))

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            open_connections = []

            def get_request(self):
                got = super().get_request()
                self.open_connections.append(got[0])
                return got

        self.make, self.port = (lambda port: Server(("127.0.0.1", port), Handler)), 0
        self.start()
        self.url = f"http://127.0.0.1:{self.port}"

    def start(self):
        self.server = self.make(self.port)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        """As if all three were killed: open connections end too."""
        self.server.shutdown()
        self.server.server_close()
        for c in self.server.open_connections:
            try:
                c.shutdown(2)
            except OSError:
                pass
        self.server.open_connections.clear()

    def hours(self, path):
        after = parse_qs(urlparse(path).query).get("after", [""])[0]
        epoch, _, n = after.partition(":")
        rolled_up, items = self.rolled_up, list(self.items)
        reset = epoch != self.epoch or not n.isdigit() or int(n) > len(items)
        return {"epoch": self.epoch, "cursor": len(items), "reset": reset,
                "rolled_up": iso(rolled_up) if rolled_up else None, "items": [] if reset else items[int(n):]}

    def train(self, body):
        if self.train_status != 202:
            return self.train_status, {"message": "not today"}
        jobs = self.on_train(body)
        self.asked.append(body)
        return 202, {"jobs": jobs}

    close = stop


class Alone:
    """stacks: the fixture. One hour after the other with tell(), forecast() and close_hour()."""

    def __init__(self, stacks, start=START, rolled_up=True, wait=True, own_servers=False, **env):
        self.near, self.db = Neighbours(), None
        self.near.on_train = self.queue
        self.st = st = stacks(services=["monitor"], start=start, launch=False, own_servers=own_servers)
        st.service_extra = {"monitor": {"FC_INGEST_URL": self.near.url + "/ingest",
                                        "FC_TRAINER_URL": self.near.url + "/trainer",
                                        "FC_PREDICTOR_URL": self.near.url + "/predictor", **env}}
        self.hour = ms(start) // HOUR * HOUR  # the hour under way
        if rolled_up:
            self.near.rolled_up = self.near.forecast = self.hour - HOUR
        st.launch(wait=False)
        st.influx_server.query("", f'CREATE DATABASE "{st.influx_db}"')  # else ingest does
        if wait:
            st.wait_ready("monitor")

    # ---- the neighbours' part

    def queue(self, body):
        """Jobs as trainer makes them."""
        jobs = []
        for name in body["series"]:
            row = self.st.pg("INSERT INTO jobs (series, reason, actor) VALUES (%s, %s, 'service') RETURNING id",
                             name, body["reason"])[0]
            jobs.append({"id": row["id"], "series": name, "state": "queued"})
        return jobs

    def end_job(self, series, outcome="promoted", state="done"):
        self.st.pg("UPDATE jobs SET state = %s, outcome = %s, ended = created WHERE series = %s "
                   "AND state IN ('queued', 'running')", state, outcome if state == "done" else None, series)

    def promote(self, series, version=1, rows=24, algorithm="ridge", lead1_sd=1.0, lags=(1, 2), mean=20.0, std=0.5,
                born=None, missing=0):
        """A new champion, as trainer registers it."""
        doc = json.dumps({
            "fieldcast_model": 1, "series": series, "algorithm": algorithm,
            "features": {"lags": list(lags), "transform": "none"},
            "scaling": {"mean": [mean] * len(lags), "std": [std] * len(lags)},
            "baseline": {"quantiles": [], "error": {"lead1_sd": lead1_sd}},
            "metrics": {"missing_hours": missing}})
        st = self.st
        st.pg("INSERT INTO models VALUES (%s, to_timestamp(%s / 1000.0)) ON CONFLICT DO NOTHING",
              series, born or st.clock.now)
        st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256, rows_n) VALUES "
              "(%s, %s, %s, %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'), %s)",
              series, version, algorithm, doc, doc, rows)
        st.pg("SELECT fc_promote(%s, %s, 'trainer', 'it was better', '{\"gain\":0.1}')", series, version)

    def hourly(self, device, values, hour):
        """Points of `hourly` as ingest writes them; values {quantity: value}."""
        fields = ",".join(f"{q}={v!r},{q}_min={v!r},{q}_max={v!r},{q}_n=1.0" for q, v in values.items())
        self.st.influx_write(f"hourly,device={device} {fields} {hour}")

    def late(self, device, values, hour):
        """An hour that comes long after its time."""
        self.hourly(device, values, hour)
        self.near.items.append({"device": device, "from_ms": hour, "to_ms": hour})

    def forecast(self, series, yhat, hour=None, version=1, half=1.0, lead=1):
        """The stored forecast for an hour (the one under way)."""
        device, quantity = series.split(".")
        hour = self.hour if hour is None else hour
        self.st.influx_write(
            f"forecast_leads,device={device},quantity={quantity},role=champion,lead={lead} yhat={yhat!r},"
            f"yhat_lower={yhat - half!r},yhat_upper={yhat + half!r},version={float(version)!r},"
            f"origin_ms={float(hour - lead * HOUR)!r} {hour}")

    def close_hour(self, values=None, settle=True):
        """The hour under way ends with these means: {device: {quantity: value}}."""
        hour = self.hour
        self.hour += HOUR
        self.st.clock.set(self.hour + GRACE + 1000)
        for device, v in (values or {}).items():
            self.hourly(device, v, hour)
            self.near.items.append({"device": device, "from_ms": hour, "to_ms": hour})
        self.near.rolled_up = self.near.forecast = hour
        if settle:
            self.wait_scored(hour)
        return hour

    # ---- what came of it

    def progress(self):
        """Over one connection that stays open: it is asked many times an hour."""
        try:
            if not self.db:
                self.db = psycopg.connect(self.st.pg_server.conninfo(self.st.pg_db), autocommit=True)
            row = self.db.execute("SELECT value FROM monitor_state WHERE key = 'progress'").fetchone()
            return row[0] if row else {}
        except psycopg.OperationalError as e:
            self.db = None
            raise OSError(e) from e

    def wait_scored(self, hour):
        wait_for(lambda: self.progress().get("scored", 0) >= hour, 20, f"hour {iso(hour)} to be scored", every=0.004)

    def wait_cursor(self):
        """Until the monitor has seen everything that ingest told."""
        want = f"{self.near.epoch}:{len(self.near.items)}"
        wait_for(lambda: self.progress().get("cursor") == want, 20, f"the cursor {want}", every=0.01)

    def status(self, series=None):
        body = self.st.get("monitor", "/api/v1/status")
        return next((s for s in body["series"] if s["name"] == series), None) if series else body

    def evaluations(self, series):
        device, quantity = series.split(".")
        return self.st.influx(f"SELECT * FROM evaluations WHERE device='{device}' AND quantity='{quantity}'")

    def decisions(self, **params):
        return self.st.get("monitor", "/api/v1/decisions", **params)["items"]

    def close(self):
        self.near.close()
        if self.db:
            self.db.close()
