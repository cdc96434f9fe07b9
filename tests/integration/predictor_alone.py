# SPDX-License-Identifier: GPL-3.0-or-later
"""predictor_alone: the predictor with real InfluxDB and Postgres, and a stand-in for the one route
of ingest that it reads, so that tests decide which hours are complete and when."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

import psycopg

from procs import wait_for
from stack import GRACE, HOUR, iso, ms

ZERO = "0" * 64


class Hours:
    """GET /api/v1/hours as ingest answers it."""

    def __init__(self):
        self.epoch, self.items, self.rolled_up, self.asked = "one", [], None, 0
        hours = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                body = json.dumps(hours.answer(self.path)).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, path):
        self.asked += 1
        after = parse_qs(urlparse(path).query).get("after", [""])[0]
        epoch, _, n = after.partition(":")
        rolled_up, items = self.rolled_up, list(self.items)
        reset = epoch != self.epoch or not n.isdigit() or int(n) > len(items)
        return {"epoch": self.epoch, "cursor": len(items), "reset": reset,
                "rolled_up": iso(rolled_up) if rolled_up else None,
                "items": [] if reset else items[int(n):]}

    def tell(self, device, from_ms, to_ms=None):
        self.items.append({"device": device, "from_ms": from_ms, "to_ms": to_ms or from_ms})

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def document(series, bias=0.0, lags=(1, 2, 3, 4), to_ms=0, algorithm="ridge", half=1.0, parameters=None,
             quantiles=(), rows=1, missing=0):
    """A model that says the mean of its lags plus bias."""
    linear = algorithm in ("ridge", "ols")
    n = len(lags) if linear else 0
    state = {"intercept": bias, "coef": [1 / n] * n, "clip": [-1e6, 1e6], "dropped": []} if linear else {}
    return json.dumps({
        "fieldcast_model": 1, "series": series, "algorithm": algorithm,
        "parameters": parameters or ({"strength": 1.0} if algorithm == "ridge" else {}),
        "features": {"lags": list(lags)[:n], "calendar": [], "exogenous": [], "transform": "none"},
        "scaling": {"mean": [0.0] * n, "std": [1.0] * n}, "state": state,
        "intervals": {"level": 0.95, "lower": [-half] * 48, "upper": [half] * 48},
        "baseline": {"quantiles": list(quantiles), "error": {"lead1_sd": 0.5}},
        "training": {"from": iso(to_ms), "to": iso(to_ms), "rows": rows, "sha256": ZERO, "preset": "", "seed": 1, "code": "test"},
        "metrics": {"missing_hours": missing}})


class Alone:
    """stacks: the fixture. Starts the predictor with an empty registry."""

    def __init__(self, stacks, start="2026-11-02T10:05:00Z", wait=True, **env):
        self.hours = Hours()
        self.st = stacks(services=["predictor"], start=start, launch=False)
        self.st.service_extra = {"predictor": {"FC_INGEST_URL": self.hours.url, **env}}
        self.st.launch(wait=False)
        self.st.influx_server.query("", f'CREATE DATABASE "{self.st.influx_db}"')  # else ingest does
        if wait:
            self.st.wait_ready("predictor")
        self.now_hour = ms(start) // HOUR * HOUR

    def db(self):
        return psycopg.connect(self.st.pg_server.conninfo(self.st.pg_db), autocommit=True)

    def add_series(self, name):
        device, quantity = name.split(".")
        self.st.pg("INSERT INTO series (name, device, quantity, unit) VALUES (%s, %s, %s, 'celsius')",
                   name, device, quantity)

    def add_version(self, name, version, doc=None, **more):
        doc = doc or document(name, **more)
        self.st.pg("INSERT INTO models VALUES (%s) ON CONFLICT DO NOTHING", name)
        self.st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256) "
                   "VALUES (%s, %s, %s, %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'))",
                   name, version, json.loads(doc)["algorithm"], doc, doc)

    def promote(self, name, version):
        self.st.pg("SELECT fc_promote(%s, %s, 'test', 'test', '{}')", name, version)

    def hourly(self, device, quantity, values, last_ms):
        """values: of the hours up to and with last_ms, oldest first; None is left out."""
        first = last_ms - (len(values) - 1) * HOUR
        self.st.influx_write("\n".join(f"hourly,device={device} {quantity}={v} {first + i * HOUR}"
                                       for i, v in enumerate(values) if v is not None))

    def close_hour(self, values, publish=True):
        """The clock passes the present hour; values {series: value} are its hourly points."""
        hour = self.now_hour
        self.now_hour += HOUR
        self.st.clock.set(self.now_hour + GRACE + 1000)
        for series, value in values.items():
            device, quantity = series.split(".")
            self.hourly(device, quantity, [value], hour)
            self.hours.tell(device, hour)
        self.hours.rolled_up = hour
        return hour

    def progress(self):
        return self.st.get("predictor", "/api/v1/progress", token="service")

    def wait_written(self, hour_ms=None):
        """Until the forecasts of all champions at this origin are in InfluxDB."""
        hour = hour_ms or self.hours.rolled_up
        seq = self.st.pg("SELECT coalesce(max(model_seq), 0) AS n FROM model_versions")[0]["n"]
        wait_for(lambda: self.progress() == {"forecast": iso(hour), "model_seq": seq}, 20, f"forecasts of {iso(hour)}")

    def predict(self, status=200, token="viewer", **body):
        return self.st.post("predictor", "/predict", body, status, token)

    def leads(self, series, **where):
        device, quantity = series.split(".")
        rows = self.st.influx(f"SELECT * FROM forecast_leads WHERE device='{device}' AND quantity='{quantity}'")
        return [r for r in rows if all(r[k] == v for k, v in where.items())]

    def close(self):
        self.hours.close()
