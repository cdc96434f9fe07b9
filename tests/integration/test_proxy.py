# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy alone: the contract's route table against four stand-ins that say who they are,
its own errors as problem+json, its limits, and what it never lets through."""

import http.client
import http.server
import json
import socket
import threading
import time

import pytest
import requests

from procs import free_port, make_dir
from servers import Nginx

ROUTES = {
    "predictor": ["/predict", "/api/v1/predict", "/api/v1/forecasts", "/api/v1/history", "/api/v1/series",
                  "/api/v1/anomalies", "/api/v1/export/hourly", "/v2", "/v2/models/a.b/infer"],
    "trainer": ["/api/v1/train", "/api/v1/jobs", "/api/v1/jobs/17", "/api/v1/runs", "/api/v1/runs/1f",
                "/api/v1/models", "/api/v1/models/a.b/versions/3/verify", "/api/v1/models/a%5C.b",
                "/api/v1/algorithms", "/api/2.0/mlflow/runs/get", "/ajax-api/2.0/mlflow/runs/get",
                "/health", "/version"],
    "monitor": ["/api/v1/status", "/api/v1/quality", "/api/v1/tick", "/api/v1/decisions", "/api/v1/decisions/3",
                "/api/v1/alerts", "/api/v1/alerts/x", "/api/v1/rules", "/api/v1/reports/week", "/api/v1/aqi",
                "/grafana", "/grafana/query", "/api/v1/version"],
    "ingest": ["/api/v1/readings", "/api/v1/ledger", "/api/v1/devices", "/api/v1/devices/kitchen",
               "/api/v1/deadletters", "/api/v1/deadletters/replay", "/api/v1/explain"],
}
NEVER = ["/healthz", "/readyz", "/api/v1/live", "/api/v1/hours", "/api/v1/progress", "/api/v1/jobsx", "/v2x",
         "/metrics/", "/metrics/all", "/metrics/nobody", "/api/v1", "/api", "/_problem/404.json", "/assets/", "/assets/none.js",
         "/index.html", "/.git/config"]


class Upstream(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        time.sleep(self.server.slow)
        body = json.dumps({"who": self.server.name, "method": self.command, "path": self.path,
                           "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Type", "application/problem+json" if self.server.status >= 400 else "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Request-Id", "the-service's-own")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def setup(self):
        super().setup()
        self.server.connections += 1

    def log_message(self, *args):
        pass


class Proxy:
    def __init__(self, folder, missing=(), **settings):
        self.up, ports = {}, {}
        for name in ROUTES:
            if name in missing:
                ports[name] = f"127.0.0.1:{free_port()}"
                continue
            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
            server.name, server.status, server.slow, server.connections = name, 200, 0, 0
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.up[name], ports[name] = server, f"127.0.0.1:{server.server_port}"
        self.nginx = Nginx(folder, ports, **settings).start()
        self.url = self.nginx.url

    def close(self):
        code = self.nginx.stop()
        for server in self.up.values():
            server.shutdown()
            server.server_close()
        return code

    def raw(self, data):
        """What comes back for these very bytes: status, headers, body."""
        with socket.create_connection(("127.0.0.1", self.nginx.port), 5) as s:
            s.sendall(data)
            r = http.client.HTTPResponse(s)
            r.begin()
            return r.status, dict(r.getheaders()), r.read()


@pytest.fixture(scope="module")
def folder(shared):
    return make_dir(shared.new_folder())


@pytest.fixture(scope="module")
def proxy(folder):
    p = Proxy(make_dir(folder / "usual"))
    yield p
    assert p.close() == 0


def is_problem(r, status):
    assert r.status_code == status, r.text
    assert r.headers["Content-Type"] == "application/problem+json"
    body = r.json()
    assert body["status"] == status and body["title"] and body["detail"] == body["message"]
    assert r.headers["X-Request-Id"] and r.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("service", ROUTES)
def test_route_table(proxy, service):
    for path in ROUTES[service]:
        got = requests.get(f"{proxy.url}{path}?a=b%20c", timeout=5).json()
        assert (got["who"], got["path"]) == (service, f"{path}?a=b%20c")


@pytest.mark.parametrize("service", ROUTES)
def test_metrics_of_one_service(proxy, service):
    got = requests.get(f"{proxy.url}/metrics/{service}", timeout=5).json()
    assert (got["who"], got["path"]) == (service, "/metrics")


def test_metrics_of_all(proxy):
    got = requests.get(f"{proxy.url}/metrics", timeout=5).json()
    assert (got["who"], got["path"]) == ("monitor", "/metrics/all")


@pytest.mark.parametrize("path", NEVER)
def test_never_proxied(proxy, path):
    is_problem(requests.get(proxy.url + path, timeout=5), 404)
    is_problem(requests.post(proxy.url + path, data="{}", timeout=5), 404)


def test_dashboards_without_grafana(proxy):
    is_problem(requests.get(f"{proxy.url}/dashboards/", timeout=5), 502)


def test_methods_and_headers_pass(proxy):
    for method in ("GET", "POST", "PUT", "DELETE"):
        r = requests.request(method, f"{proxy.url}/api/v1/rules/3", data="{}", timeout=5,
                             headers={"Authorization": "Bearer x", "X-Request-Id": "me-1.2_3"})
        got = r.json()
        assert got["method"] == method and got["headers"]["authorization"] == "Bearer x"
        assert got["headers"]["x-request-id"] == "me-1.2_3" == r.headers["X-Request-Id"]
        assert got["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert requests.head(f"{proxy.url}/predict", timeout=5).status_code == 200


def test_request_id_is_made_when_there_is_no_sane_one(proxy):
    for given in (None, "two words", "x" * 65, '"><script>'):
        r = requests.get(f"{proxy.url}/predict", timeout=5, headers={"X-Request-Id": given} if given else {})
        made = r.headers["X-Request-Id"]
        assert len(made) == 32 and made == r.json()["headers"]["x-request-id"]


def test_security_headers_on_the_page_and_the_api(proxy):
    for path in ("/", "/predict"):
        h = requests.get(proxy.url + path, timeout=5).headers
        assert h["X-Content-Type-Options"] == "nosniff" and h["X-Frame-Options"] == "SAMEORIGIN"
        assert "default-src 'self'" in h["Content-Security-Policy"] and h["Server"] == "nginx"


def test_a_services_own_error_passes_unchanged(proxy):
    for status in (400, 404, 409, 429, 500, 503):
        proxy.up["trainer"].status = status
        r = requests.get(f"{proxy.url}/api/v1/jobs/1", timeout=5)
        assert r.status_code == status and r.json()["who"] == "trainer"
    proxy.up["trainer"].status = 200


def test_upstream_connections_are_kept(proxy):
    with requests.Session() as s:
        before = proxy.up["ingest"].connections
        for _ in range(50):
            s.get(f"{proxy.url}/api/v1/ledger", timeout=5)
        assert proxy.up["ingest"].connections - before <= 2


def test_too_large_and_malformed(proxy):
    is_problem(requests.post(f"{proxy.url}/api/v1/readings", data=b"x" * (1 << 20) + b"x", timeout=5), 413)
    assert requests.post(f"{proxy.url}/api/v1/readings", data=b"x" * (1 << 20), timeout=5).status_code == 200
    is_problem(requests.get(f"{proxy.url}/{'x' * 9000}", timeout=5), 414)
    many = "&".join(f"a{i}=1" for i in range(101))
    is_problem(requests.get(f"{proxy.url}/predict?{many}", timeout=5), 414)
    is_problem(requests.get(f"{proxy.url}/predict", headers={"X-Big": "x" * 9000}, timeout=5), 431)
    is_problem(requests.request("TRACE", f"{proxy.url}/predict", timeout=5), 405)
    for bad in (b"GET /predict HTTP/1.1\r\n\r\n", b"GET /predict HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
                b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n", b"NONSENSE\r\n\r\n"):
        status, headers, body = proxy.raw(bad)
        assert status == 400 and json.loads(body)["status"] == 400, bad
        assert headers["Content-Type"] == "application/problem+json"


def test_a_service_that_is_away(folder):
    p = Proxy(make_dir(folder / "away"), missing=["predictor"])
    try:
        is_problem(requests.post(f"{p.url}/predict", data="{}", timeout=5), 502)
        assert requests.get(f"{p.url}/api/v1/status", timeout=5).json()["who"] == "monitor"
    finally:
        p.close()


def test_rate_limit_counts_per_token_and_else_per_address(folder):
    p = Proxy(make_dir(folder / "limited"), FC_RATE_LIMIT=1, FC_RATE_BURST=4)
    try:
        def codes(n, **headers):
            return [requests.get(f"{p.url}/predict", headers=headers, timeout=5).status_code for _ in range(n)]
        assert codes(5) == [200] * 5
        refused = requests.get(f"{p.url}/predict", timeout=5)
        is_problem(refused, 429)
        assert refused.headers["Retry-After"] == "1"
        assert codes(5, Authorization="Bearer one") == [200] * 5
        assert codes(1, Authorization="Bearer one") == [429]
        assert codes(1, Authorization="Bearer two") == [200]
    finally:
        p.close()


def test_access_log_is_json(folder, proxy):
    requests.get(f'{proxy.url}/predict?q="x"', headers={"X-Request-Id": "find-me", "User-Agent": 'a "b"'}, timeout=5)
    time.sleep(0.1)
    rows = [json.loads(line) for line in (folder / "usual/nginx/access.log").read_text().splitlines()]
    row = next(r for r in rows if r["request_id"] == "find-me")
    assert row["status"] == 200 and row["method"] == "GET" and row["agent"] == 'a "b"'
    assert row["request_s"] >= 0 and row["upstream"].startswith("127.0.0.1:")
    assert "Bearer" not in (folder / "usual/nginx/access.log").read_text()
