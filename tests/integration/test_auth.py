# SPDX-License-Identifier: GPL-3.0-or-later
"""Every route of every service against every role, from the table that the binary prints."""

import subprocess

import pytest

from stack import SERVICES, program

ORDER = ["none", "viewer", "operator", "admin", "service"]


def routes_of(service):
    """[(method, path, role)] as `fc-SERVICE --routes` says."""
    out = subprocess.run([program(f"fc-{service}"), "--routes"], check=True, capture_output=True, text=True).stdout
    return [tuple(line.split()[:3]) for line in out.splitlines() if line.strip()]


def concrete(path):
    while "{" in path:
        a, b = path.index("{"), path.index("}")
        path = path[:a] + "x.y" + path[b + 1:]
    return path


@pytest.fixture(scope="module")
def running(module_stacks):
    return module_stacks()


@pytest.mark.parametrize("service", SERVICES)
def test_roles(running, service):
    st = running
    routes = routes_of(service)
    assert len(routes) > 4
    for method, path, needs in routes:
        for role in ["none", *st.tokens]:
            token = None if role == "none" else role
            r = st.request(method, service, concrete(path), token, data="{" if method != "GET" else None,
                           headers={"Content-Type": "application/json"})
            what = f"{method} {path} as {role}: {r.status_code} {r.text[:200]}"
            if ORDER.index(role) >= ORDER.index(needs):
                assert r.status_code not in (401, 403), what
                assert r.status_code < 500 or path == "/readyz", what
            else:
                assert r.status_code == (401 if role == "none" else 403), what
                assert r.headers["Content-Type"].startswith("application/problem+json"), what
                assert r.json()["status"] == r.status_code and r.json()["message"], what


@pytest.mark.parametrize("service", SERVICES)
def test_unknown_token_is_refused_everywhere(running, service):
    for path in ("/healthz", "/readyz", "/metrics", "/api/v1/version"):
        assert running.request("GET", service, path, token="=nobody-knows-me").status_code == 401


def test_public_read(stacks):
    st = stacks(public_read=True)
    for service in SERVICES:
        for method, path, needs in routes_of(service):
            r = st.request(method, service, concrete(path), None, data="{" if method != "GET" else None)
            if needs in ("none", "viewer"):
                assert r.status_code not in (401, 403), f"{method} {path}: {r.status_code}"
            else:
                assert r.status_code == 401, f"{method} {path}: {r.status_code}"


@pytest.mark.parametrize("service", SERVICES)
def test_loopback_only_without_tokens(stacks, service):
    st = stacks(services=[])
    p = st.start(service, wait=False, FC_HTTP_ADDR="0.0.0.0", FC_TOKENS_FILE="")
    assert p.process.wait(10) == 1
    assert "without tokens a service listens on loopback only" in p.text()


def test_secrets_stay_out_of_the_log(stacks):
    st = stacks(env={"FC_LOG_LEVEL": "debug"})
    for s in SERVICES:
        st.request("GET", s, "/metrics", "admin")
        st.request("GET", s, "/metrics", "=wrong-token-123")
    for s in SERVICES:
        text = st.procs[s].text()
        for secret in (*st.tokens.values(), st.pg_server.password, "wrong-token-123"):
            assert secret not in text, f"{s} logs a secret"
