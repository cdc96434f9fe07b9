# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy before the four real services: routes, what is not to be reached, and whose error a
caller sees. (The proxy by itself: test_proxy.py.)"""

import socket
import subprocess

import pytest
import requests

from procs import wait_for
from stack import SERVICES, parse_metrics, program


@pytest.fixture(scope="module")
def st(module_stacks):
    return module_stacks(nginx=True)


def is_problem(r, status):
    assert r.status_code == status, f"{r.status_code}: {r.text[:300]}"
    assert r.headers["Content-Type"].split(";")[0] == "application/problem+json", r.headers
    body = r.json()
    assert body["status"] == status and body["title"] and body["detail"] and body["message"] and body["type"]
    return body


ROUTES = [  # path, the service that must answer
    ("GET", "/api/v1/forecasts", "predictor"), ("GET", "/api/v1/history", "predictor"),
    ("GET", "/api/v1/series", "predictor"), ("POST", "/predict", "predictor"),
    ("POST", "/api/v1/predict", "predictor"),
    ("POST", "/api/v1/train", "trainer"), ("GET", "/api/v1/jobs", "trainer"), ("GET", "/api/v1/jobs/1", "trainer"),
    ("GET", "/api/v1/runs", "trainer"), ("GET", "/api/v1/models", "trainer"),
    ("GET", "/api/v1/models/a.b", "trainer"), ("GET", "/api/v1/algorithms", "trainer"),
    ("GET", "/api/v1/status", "monitor"), ("GET", "/api/v1/quality", "monitor"),
    ("POST", "/api/v1/tick", "monitor"), ("GET", "/api/v1/decisions", "monitor"),
    ("GET", "/metrics", "monitor"), ("GET", "/api/v1/version", "monitor"),
    ("POST", "/api/v1/readings", "ingest"),
    *[("GET", f"/metrics/{s}", s) for s in SERVICES],
]


def st_metrics(st, service):
    return [m for m in parse_metrics(st.get(service, "/metrics")) if m[0] == "fieldcast_http_requests_total"]


def total(st, service, but="/metrics"):
    """Requests that a service has answered, without our own looks at /metrics."""
    return sum(v for _, ls, v in st_metrics(st, service) if ls["route"] != but)


@pytest.mark.parametrize("method,path,service", ROUTES)
def test_routes(st, method, path, service):
    if path.startswith("/metrics"):
        text = st.get("proxy", path)
        assert f'service="{service}"' in text
        if path != "/metrics":
            others = [s for s in SERVICES if s != service]
            assert not any(f'service="{s}"' in text for s in others)
        return
    before = {s: total(st, s) for s in SERVICES}
    r = st.request(method, "proxy", path, data="{}" if method == "POST" else None)
    assert r.status_code not in (401, 403, 405, 502, 504), r.text
    # neighbours poll each other all the time: the route's own count must have moved
    grew = {s for s in SERVICES if total(st, s) > before[s]}
    assert service in grew
    assert "X-Request-Id" in r.headers


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/api/v1/live", "/api/v1/hours", "/api/v1/progress",
                                  "/nothing", "/api/v2/status", "/_problem/404.json", "/api/v1/statusx",
                                  "/metrics/nobody", "/predict/x", "/.git/config", "/assets/../nginx.conf"])
def test_not_reachable(st, path):
    s = requests.Session()
    request = requests.Request("GET", st.url("proxy", path)).prepare()
    request.url = st.url("proxy", path)  # as it stands, dots and all
    is_problem(s.send(request, timeout=10), 404)


def test_internal_routes_take_no_post(st):
    for path in ("/api/v1/live", "/api/v1/hours"):
        is_problem(st.request("POST", "proxy", path, "service", json={"readings": []}), 404)


def test_page_and_assets(st):
    r = st.request("GET", "proxy", "/", None)
    assert r.status_code == 200 and r.headers["Content-Type"].startswith("text/html")
    assert "<title>" in r.text and "http://" not in r.text.replace("http://www.w3.org", "")
    assert r.headers["X-Content-Type-Options"] == "nosniff" and "default-src 'self'" in r.headers["Content-Security-Policy"]
    is_problem(st.request("GET", "proxy", "/assets/nothing.js", None), 404)


def test_own_problem_bodies_pass(st):
    body = is_problem(st.request("GET", "proxy", "/api/v1/forecasts", params={"series": "no.such"}), 404)
    assert "no.such" in body["message"]
    body = is_problem(st.request("POST", "proxy", "/predict", data="{"), 400)
    assert "JSON" in body["message"]
    is_problem(st.request("GET", "proxy", "/api/v1/status", None), 401)


def test_too_large(st):
    is_problem(st.request("POST", "proxy", "/predict", data="x" * (2 << 20)), 413)
    is_problem(st.request("GET", "proxy", "/" + "x" * 20000), 414)


def test_malformed_requests(st):
    """What libmicrohttpd would swallow stops at the proxy."""
    head = f"Host: x\r\nAuthorization: Bearer {st.tokens['admin']}\r\nConnection: close\r\n"
    for text in (f"POST /predict HTTP/1.1\r\n{head}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
                 f"POST /predict HTTP/1.1\r\n{head}Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                 f"GET /predict%00x HTTP/1.1\r\n{head}\r\n", "GARBAGE\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", st.nginx.port), 5) as c:
            c.sendall(text.encode())
            answer = b""
            while chunk := c.recv(65536):
                answer += chunk
        assert answer.split(b" ")[1] == b"400", (text, answer[:200])


def test_service_away(st):
    st.kill("trainer")
    body = is_problem(st.request("GET", "proxy", "/api/v1/jobs"), 502)
    assert "message" in body
    assert st.request("GET", "proxy", "/api/v1/series").status_code == 200  # the others go on
    st.start("trainer")
    wait_for(lambda: st.request("GET", "proxy", "/api/v1/jobs").status_code == 200, 10, "the trainer behind the proxy")


def test_probe_through_a_binary(st):
    for s in SERVICES:
        ok = subprocess.run([program(f"fc-{s}"), "--probe", st.url(s, "/readyz")])
        assert ok.returncode == 0
    bad = subprocess.run([program("fc-ingest"), "--probe", st.url("proxy", "/healthz")], capture_output=True, text=True)
    assert bad.returncode == 1 and "HTTP 404" in bad.stderr
