# SPDX-License-Identifier: GPL-3.0-or-later
"""influx_stub: answers as InfluxDB 1.8, 2.x and 3 Core do, and remembers what it took.

Bodies, statuses and headers are those of the servers' sources. Which lines are bad is told by the
names of their fields: `odd` has another type there, `broken` cannot be read, and what is older
than `oldest_ms` lies beyond the retention. `points` is what a query would find:
{(measurement, device, ms): {field: value}}.

    with InfluxStub("v2.7.12") as stub:
        stub.faults = ["denied"]   # until it is emptied; see FAULTS
"""

import json
import re
import socket
import struct
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

LISTED = 100  # lines that 3 Core tells of
V2_CODES = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not found", 413: "request too large",
            422: "unprocessable entity", 429: "too many requests", 500: "internal error", 503: "unavailable"}


class Refused(Exception):
    """An answer to a write other than 204."""

    def __init__(self, status, text, data=None, headers=None):
        super().__init__(text)
        self.status, self.text, self.data, self.headers = status, text, data, headers or {}


def parse(line):
    """A line of line protocol as ingest writes it: nothing escaped, all fields real numbers."""
    m = re.fullmatch(r"([a-z_]+),device=([\w-]+) (\S+) (-?\d+)", line)
    assert m, f"not a line of ingest's: {line!r}"
    fields = dict(f.split("=") for f in m[3].split(","))
    return (m[1], m[2], int(m[4])), {k: float(v) for k, v in fields.items()}


class InfluxStub:
    def __init__(self, version, token=None, db=None):
        self.version, self.dialect = version, int(version.lstrip("v")[0])
        self.token, self.db = token, db  # db: has to be there already; else it is made, or its bucket is there
        self.points, self.writes, self.statements, self.auth = {}, [], [], set()
        self.faults, self.limit, self.oldest_ms, self.delay_s = [], None, None, 0
        self.lock, self.crashed = threading.Lock(), []
        stub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do(self):
                stub.handle(self)

            do_GET = do_POST = do

            def log_message(self, *_):
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, _):
                if not isinstance(sys.exc_info()[1], OSError):  # a client that hangs up is none of ours
                    stub.crashed.append(traceback.format_exc())

        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        assert not self.crashed, self.crashed[0]

    # ---- requests

    def handle(self, h):
        url, body = urlsplit(h.path), h.rfile.read(int(h.headers.get("Content-Length", 0))).decode()
        args = parse_qs(url.query)
        self.auth.add(h.headers.get("Authorization"))
        try:
            if "reset" in self.faults and url.path == "/write":
                return self.reset(h)
            if self.token and h.headers.get("Authorization") != f"Token {self.token}":
                self.denied()
            {"/ping": self.ping, "/query": self.query, "/write": self.write}[url.path](h, args, body)
        except Refused as r:
            self.writes.append((body.count("\n"), r.status))
            self.answer(h, r.status, self.error_body(r), r.headers | self.error_headers(r))

    def answer(self, h, status, body=b"", headers=()):
        h.send_response(status)
        if self.dialect < 3 or h.path == "/ping":
            h.send_header("X-Influxdb-Build", {1: "OSS", 2: "OSS", 3: "Core"}[self.dialect])
            h.send_header("X-Influxdb-Version", self.version)
        for k, v in dict(headers).items():
            h.send_header(k, v)
        if status != 204:
            h.send_header("Content-Type", "application/json")
            h.send_header("Content-Length", str(len(body)))
        h.end_headers()
        if status != 204:
            h.wfile.write(body)

    def error_body(self, r):
        if self.dialect == 2:
            return json.dumps({"code": V2_CODES[r.status], "message": r.text}, separators=(",", ":")).encode()
        data = {"data": r.data} if r.data else {}
        return json.dumps({"error": r.text, **data}, separators=(",", ":")).encode() + b"\n" * (self.dialect == 1)

    def error_headers(self, r):
        if self.dialect == 1:
            return {"X-Influxdb-Error": r.text.replace("\n", " ")}
        return {"X-Platform-Error-Code": V2_CODES[r.status]} if self.dialect == 2 else {}

    def ping(self, h, *_):
        if self.dialect == 3:
            self.answer(h, 200, json.dumps({"version": self.version, "revision": "0123456789"}).encode())
        else:
            self.answer(h, 204)

    def query(self, h, args, body):
        q = (args.get("q") or parse_qs(body)["q"])[0]
        self.statements.append((h.command, q))
        self.check_faults()
        if q.startswith("CREATE DATABASE"):
            assert self.dialect == 1, "nothing but 1.x makes databases so"
            self.db = None
        if self.db and self.dialect == 1:
            return self.answer(h, 200, b'{"results":[{"statement_id":0,"error":"database not found: x"}]}\n')
        self.answer(h, 200, b'{"results":[{"statement_id":0}]}\n')

    def write(self, h, args, body):
        assert args["precision"] == ["ms"]
        time.sleep(self.delay_s)
        self.check_faults()
        if self.limit and len(body) > self.limit:
            self.too_large()
        lines = body.splitlines()
        with self.lock:
            self.take(lines)
        self.writes.append((len(lines), 204))
        if "reset_after" in self.faults:
            return self.reset(h)
        self.answer(h, 204)

    def reset(self, h):
        """Half an answer, and the connection is gone."""
        h.wfile.write(b"HTTP/1.1 204 No Con")
        h.wfile.flush()
        h.close_connection = True
        h.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        h.connection.close()

    # ---- lines

    def take(self, lines):
        """Stores what this version would store; raises what it would answer."""
        conflict, unread, old, good = [], [], [], []
        for n, line in enumerate(lines, 1):
            key, fields = parse(line)
            what = (unread if "broken" in fields else conflict if "odd" in fields else
                    old if self.oldest_ms and key[2] < self.oldest_ms else good)
            what.append((n, line, key, fields))
        if not (self.dialect == 2 and unread):
            for _, _, key, fields in good:
                self.points.setdefault(key, {}).update(fields)
        if self.dialect == 3:
            self.answer_v3(conflict, unread)
        else:
            self.answer_v12(conflict, unread, old, good)

    def answer_v12(self, conflict, unread, old, good):
        text = "\n".join(f"unable to parse '{line}': invalid number" for _, line, _, _ in unread)
        if unread and self.dialect == 2:
            raise Refused(400, text)
        if unread and not good and not conflict and not old:
            raise Refused(400, text)
        if conflict:
            text = ('field type conflict: input field "odd" on measurement "readings" is type float, '
                    f'already exists as type string dropped={len(conflict)}')
        elif old:
            text = f"points beyond retention policy dropped={len(old)}"
        elif unread:
            text += " dropped=0"
        else:
            return
        if self.dialect == 1:
            raise Refused(400, f"partial write: {text}")
        if self.version == "v2.0.3":  # before 2.0.4
            raise Refused(500, f"unexpected error writing points to database: partial write: {text}")
        raise Refused(422, f"failure writing points to database: partial write: {text}")

    def answer_v3(self, conflict, unread):
        why = {n: "invalid column type for column 'odd', expected iox::column_type::field::string, "
                  "got iox::column_type::field::float" for n, *_ in conflict}
        why |= {n: "Could not parse entire line. Found trailing content: `x`" for n, *_ in unread}
        data = [{"original_line": line, "line_number": n, "error_message": why[n]}
                for n, line, *_ in sorted(conflict + unread)]
        if data:
            raise Refused(400, "partial write of line protocol occurred", data[:LISTED])

    # ---- faults

    def denied(self):
        raise Refused(401, {1: "authorization failed", 2: "unauthorized access",
                            3: "the request was not authenticated"}[self.dialect])

    def too_large(self):
        raise Refused(413, {1: "Request Entity Too Large", 2: "unable to read data: points batch is too large",
                            3: "request body too large"}[self.dialect])

    def check_faults(self):
        if self.db and self.dialect == 2:
            raise Refused(404, "no dbrp mapping found")
        for fault in self.faults:
            if fault == "denied":
                self.denied()
            if fault == "forbidden":
                raise Refused(403, {1: '"ro" user is not authorized to write to database "x"',
                                    2: "insufficient permissions for write", 3: "forbidden"}[self.dialect])
            if fault == "no_policy":
                raise Refused(500, "retention policy not found: norp")
            if fault == "busy":
                raise Refused(429, "too many requests", headers={"Retry-After": "1"})
            if fault == "unavailable":
                raise Refused(503, "engine is closed")
