# SPDX-License-Identifier: GPL-3.0-or-later
"""faulty: an HTTP proxy before InfluxDB that answers some requests itself, as a full disk, another
password or a web server in its place would.

    fault = Faulty(st.influx_server.port)
    fault.answers = {"write": (500, b'{"error":"no space left on device"}')}
    fault.only = b"readings"   # of these, requests that hold it
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests

FULL = (500, b'{"error":"engine: error writing WAL entry: no space left on device"}')
DENIED = (401, b'{"error":"authorization failed"}')
PAGE = (200, b"<html>It works!</html>")
BAD_REQUEST = (400, b"<html>400 Bad Request</html>")


class Faulty:
    def __init__(self, port):
        self.target, self.answers, self.only = f"http://127.0.0.1:{port}", {}, b""
        fault = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                what = self.path.strip("/").partition("?")[0]
                if what in fault.answers and fault.only in self.path.encode() + body:
                    status, out = fault.answers[what]
                else:
                    r = requests.request(self.command, fault.target + self.path, data=body, timeout=60,
                                         headers={"Content-Type": self.headers.get("Content-Type", "")})
                    status, out = r.status_code, r.content
                self.send_response(status)
                if status != 204:
                    self.send_header("Content-Length", str(len(out)))
                self.end_headers()
                if status != 204:
                    self.wfile.write(out)

            do_GET = do_POST = do

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
