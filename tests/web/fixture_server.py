# SPDX-License-Identifier: GPL-3.0-or-later
"""A small server that answers the page's four requests like the services do, from a house of
made-up series at a fixed moment; what goes wrong is set by the test in `mode`."""
import json
import math
import re
import threading
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 10, 20, 5, tzinfo=timezone.utc)
HOUR = timedelta(hours=1)
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
ROOMS = ["kitchen", "office", "cellar", "bedroom", "bathroom", "attic"]
QUANTITIES = {
    "temperature": ("celsius", 21, 2, 0.4),
    "humidity": ("percent", 48, 8, 2.5),
    "co2": ("parts per million", 640, 220, 45),
    "pressure": ("hectopascal", 1013.2, 3, 1.1),
}
TOKEN = "open-sesame"


def shipped_policy():
    """The Content-Security-Policy that nginx sends, so that the page is tested under it."""
    text = (ROOT / "deploy/nginx/fieldcast.conf.template").read_text()
    return re.search(r'add_header Content-Security-Policy "([^"]+)"', text).group(1)


def stamp(t):
    return t.strftime("%Y-%m-%dT%H:%M:%S.") + f"{t.microsecond // 1000:03d}Z"


def value(name, t):
    _, middle, swing, noise = QUANTITIES[name.split(".")[1]]
    h = t.timestamp() / 3600
    seed = sum(map(ord, name))
    return round(middle + swing * math.sin(2 * math.pi * (h + seed) / 24)
                 + noise * math.sin(h * 1.7 + seed) * 0.6, 1)


def problem(status, kind, message):
    return status, {"type": f"about:{kind}", "title": kind, "status": status,
                    "detail": message, "message": message}, "application/problem+json"


class World:
    def __init__(self):
        self.mode = "fine"  # fine, empty, error, token, html, cut, young, hourly
        self.devices = list(ROOMS)
        self.asked = []  # (path, query) of the API requests
        self.now = NOW
        self.page_size = 1000
        self.quality = None  # of every series, in place of made-up ones
        self.silent_h = 0  # hours since the last reading of any

    def series(self):
        out = []
        for i, device in enumerate(self.devices):
            for q in ("temperature", "humidity", "pressure" if i % 6 in (2, 5) else "co2"):
                name = f"{device}.{q}"
                row = {"name": name, "unit": QUANTITIES[q][0], "state": "active",
                       "last": {"time": stamp(self.now - timedelta(hours=self.silent_h, seconds=50 + 37 * i)),
                                "value": value(name, self.now)},
                       "champion": {"version": 3 + i, "algorithm": "ridge"},
                       "quality": {"mae_12h": QUANTITIES[q][3] / 2, "skill_24h": 0.34 - 0.11 * i,
                                   "coverage": 0.94},
                       "drift": None, "alerts": 0}
                out.append(row)
                if self.quality:
                    row["quality"] = self.quality
        if len(out) >= 18:
            out[3]["alerts"] = 2
            out[7]["state"] = "quarantined"
            out[10]["last"]["time"] = stamp(self.now - timedelta(hours=5, minutes=3))
            out[12]["drift"] = {"kind": "skill_lost", "hour": stamp(self.now), "training": "asked", "held_by": None}
            out[14].update(champion=None, quality=None)
        return out

    def catalogue(self):
        return {"items": [{k: row[k] for k in ("name", "unit", "state", "last", "champion")} for row in self.series()],
                "next": None}

    def status(self):
        """As the monitor has it: the last value is the last complete hour's."""
        hour = self.now.replace(minute=0, second=0, microsecond=0) - HOUR
        series = self.series()
        for row in series:
            late = datetime.fromisoformat(row["last"]["time"].replace("Z", "+00:00"))
            row["last"] = {"time": stamp(min(hour, late.replace(minute=0, second=0, microsecond=0))),
                           "value": value(row["name"], hour)}
        return {"time": stamp(self.now), "settled": stamp(self.now.replace(minute=0, second=0) - HOUR),
                "services": {s: {"ready": True} for s in ("ingest", "trainer", "predictor", "monitor")},
                "series": [] if self.mode == "empty" else series, "next": None}

    def paged(self, answer, key, after):
        """The items behind `after`, at most page_size of them."""
        rows = answer[key]
        if after:
            rows = rows[[row["name"] for row in rows].index(after[0]) + 1:]
        more = len(rows) > self.page_size
        answer[key] = rows[:self.page_size]
        answer["next"] = answer[key][-1]["name"] if more else None
        return 200, answer, "application/json"

    def history(self, query):
        name = query["series"][0]
        first = datetime.fromisoformat(query["from"][0].replace("Z", "+00:00"))
        last = datetime.fromisoformat(query["to"][0].replace("Z", "+00:00"))
        t, points = first.replace(minute=0, second=0, microsecond=0) + HOUR, []
        while t + HOUR <= last - timedelta(hours=self.silent_h):
            points.append({"time": stamp(t), "value": value(name, t)})
            t += HOUR
        if self.mode == "young":
            points = points[-1:]
        return {"series": name, "unit": QUANTITIES[name.split(".")[1]][0], "points": points}

    def forecasts(self, query):
        name = query["series"][0]
        if self.mode == "young" or name == "bathroom.co2":
            return problem(409, "no_model_yet", "there are fewer than 24 complete hours of " + name)
        origin = self.now.replace(minute=0, second=0, microsecond=0) - HOUR - timedelta(hours=self.silent_h)
        unit, _, _, noise = QUANTITIES[name.split(".")[1]]
        points = []
        for lead in range(1, int(query["horizon"][0]) + 1):
            t, y = origin + lead * HOUR, value(name, origin + lead * HOUR)
            half = noise * (0.6 + 0.35 * math.sqrt(lead))
            points.append({"time": stamp(t), "lead": lead, "yhat": y,
                           "yhat_lower": y - half, "yhat_upper": y + half})
        return 200, {"series": name, "unit": unit, "version": 3, "algorithm": "ridge",
                     "origin": stamp(origin), "points": points}, "application/json"

    def api(self, path, query, token):
        self.asked.append((path, query))
        if self.mode == "error":
            return problem(503, "unavailable", "the monitor is waiting for postgres")
        if self.mode == "token" and token != f"Bearer {TOKEN}":
            return problem(401, "unauthorized", "this request needs a bearer token")
        if path == "/api/v1/status":
            return self.paged(self.status(), "series", query.get("after"))
        if path == "/api/v1/series" and self.mode != "hourly":
            return self.paged(self.catalogue(), "items", query.get("cursor"))
        if path == "/api/v1/history":
            return 200, self.history(query), "application/json"
        if path == "/api/v1/forecasts":
            return self.forecasts(query)
        return problem(404, "not_found", "there is nothing at this address")


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.world = World()
        self.policy = shipped_policy()
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def send(self, status, body, kind):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        parts = urlsplit(self.path)
        if parts.path.startswith("/api/"):
            self.answer_api(parts)
            return
        file = (ROOT / "web" / (parts.path.lstrip("/") or "index.html")).resolve()
        if not file.is_file() or ROOT / "web" not in file.parents:
            self.send(404, b"not here", "text/plain")
            return
        self.send(200, file.read_bytes(), TYPES.get(file.suffix, "text/plain"))

    def answer_api(self, parts):
        world = self.server.world
        if world.mode == "html":
            self.send(502, b"<html><h1>Bad gateway</h1></html>", "text/html")
            return
        if world.mode == "cut":
            self.send(200, b'{"time":"2026-', "application/json")
            return
        status, body, kind = world.api(parts.path, parse_qs(parts.query), self.headers.get("Authorization"))
        self.send(status, json.dumps(body).encode(), kind)
