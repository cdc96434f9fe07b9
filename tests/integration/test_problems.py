# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong is answered in one shape: by every route of every service, and by the proxy, as
the Problem in their openapi.yaml says."""

import functools
import json
import re
import subprocess

import jsonschema
import pytest
import yaml

from procs import ROOT
from stack import SERVICES, program


@functools.cache
def schema(service):
    spec = yaml.safe_load((ROOT / f"services/{service}/openapi.yaml").read_text())
    return spec["components"]["schemas"]["Problem"]


def routes(service):
    """[(method, path, role)] of those that ask for a role, names filled in."""
    out = subprocess.run([program(f"fc-{service}"), "--routes"], check=True, capture_output=True, text=True).stdout
    rows = [line.split()[:3] for line in out.splitlines()]
    return [(m, re.sub(r"\{[^}]*\}", "x.y", p), role) for m, p, role in rows if role != "none"]


@pytest.fixture(scope="module")
def st(module_stacks):
    return module_stacks()


def check(service, r, status):
    what = f"{r.request.method} {r.request.path_url[:80]} -> {r.status_code} {r.text[:200]}"
    assert r.status_code == status, what
    assert r.headers["Content-Type"] == "application/problem+json", what
    body = r.json()
    jsonschema.validate(body, schema(service))
    assert body["status"] == status and body["type"] == f"urn:fieldcast:problem:{body['title']}", what
    assert body["error"] == {"code": body["title"], "message": body["detail"]}, what
    assert body["message"] == body["detail"] != "", what


@pytest.mark.parametrize("service", SERVICES)
def test_every_route_refuses_in_one_shape(st, service):
    for method, path, role in routes(service):
        check(service, st.request(method, service, path, token=None), 401)
        check(service, st.request(method, service, path, token="=nonsense"), 401)
        if role in ("operator", "admin"):
            check(service, st.request(method, service, path, token="viewer"), 403)
        if method == "GET" and role != "service":
            check(service, st.request(method, service, path + "?nonsense=1"), 400)
        check(service, st.request("DELETE", service, path), 405)


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_not_there(st, service):
    check(service, st.request("GET", service, "/api/v1/nothing/here"), 404)
    check(service, st.request("GET", service, "/%00"), 404)


@pytest.mark.parametrize("service, path, body, status", [
    ("ingest", "/api/v1/readings", b"{", 400),
    ("ingest", "/api/v1/readings", b" " * 20_000_000, 413),
    ("ingest", "/api/v1/explain", b"[]", 400),
    ("trainer", "/api/v1/train", b'{"series":7}', 400),
    ("trainer", "/api/v1/models/no.body/versions/1/promote", b'{"reason":"because"}', 404),
    ("predictor", "/predict", b'{"series":"no.body"}', 404),
], ids=lambda v: repr(v)[:40] if isinstance(v, bytes) else None)
def test_bodies(st, service, path, body, status):
    check(service, st.request("POST", service, path, data=body), status)


def test_the_proxys_own():
    files = sorted((ROOT / "deploy/nginx/problem").glob("*.json"))
    assert files
    for f in files:
        body = json.loads(f.read_text())
        for service in SERVICES:
            jsonschema.validate(body, schema(service))
        assert str(body["status"]) == f.stem and body["type"] == "about:blank", f.name
