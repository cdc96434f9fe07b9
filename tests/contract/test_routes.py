# SPDX-License-Identifier: GPL-3.0-or-later
"""One route table in four places: what each binary prints with --routes, its openapi.yaml, the
proxy's locations, and section 6 of docs/contracts.md."""

import fnmatch
import http.server
import json
import re
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

import pytest
import requests
import yaml

from procs import ROOT
from servers import Nginx
from stack import SERVICES, program

COMMON = {"/healthz", "/readyz", "/metrics", "/api/v1/version"}
INTERNAL = {"/healthz", "/readyz", "/metrics/all"}  # and everything that needs the service role


def printed(service):
    """{(method, path): (role, {parameter})}."""
    out = subprocess.run([program(f"fc-{service}"), "--routes"], check=True, capture_output=True, text=True).stdout
    rows = [line.split(None, 3) for line in out.splitlines()]
    assert all(len(r) == 4 for r in rows), "every route has its sentence"
    return {(m, p): (role, parameters(sentence)) for m, p, role, sentence in rows}


def parameters(sentence):
    """Of the query: "all jobs [limit cursor]"."""
    found = re.search(r"\[([a-z_ ]+)\]$", sentence)
    return set(found.group(1).split()) if found else set()


def concrete(path):
    return re.sub(r"\{[^}]*\}", "x.y", path)


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_has_the_same_routes(service):
    spec = yaml.safe_load((ROOT / f"services/{service}/openapi.yaml").read_text())
    assert spec["openapi"].startswith("3.") and spec["info"]["title"]
    documented = {(m.upper(), path) for path, item in spec["paths"].items() for m in item
                  if m in ("get", "post", "put", "patch", "delete")}
    routes = set(printed(service))
    own = {r for r in routes if r[1] not in COMMON}
    assert own - documented == set(), "printed by --routes and missing in openapi.yaml"
    assert documented - routes == set(), "in openapi.yaml and not printed by --routes"


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_is_whole(service):
    spec = yaml.safe_load((ROOT / f"services/{service}/openapi.yaml").read_text())

    def walk(node):
        if isinstance(node, dict):
            for k, v in node.items():
                if k == "$ref":
                    at = spec
                    for step in v.removeprefix("#/").split("/"):
                        at = at[step.replace("~1", "/").replace("~0", "~")]
                walk(v)
        elif isinstance(node, list):
            for v in node:
                walk(v)
    walk(spec)
    for path, item in spec["paths"].items():
        for method, op in item.items():
            if method not in ("get", "post", "put", "patch", "delete"):
                continue
            assert op.get("summary"), f"{method} {path} has no summary"
            assert any(c.startswith("2") for c in op["responses"]), f"{method} {path} has no good answer"
            named = set(re.findall(r"\{(\w+)\}", path))
            given = {(p["in"], p["name"])
                     for p in (p if "name" in p else spec["components"]["parameters"][p["$ref"].split("/")[-1]]
                               for p in [*item.get("parameters", []), *op.get("parameters", [])])}
            assert {n for where, n in given if where == "path"} == named, f"{method} {path}"
            taken = printed(service)[method.upper(), path][1]
            assert {n for where, n in given if where == "query"} == taken, f"{method} {path}: what is described and taken"


@pytest.fixture(scope="module")
def proxy():
    """The shipped proxy before four stand-ins that say who they are and what they were asked."""
    folder = Path(tempfile.mkdtemp(prefix="fieldcast-test-"))  # pytest's own are for its user alone
    folder.chmod(0o755)

    class Upstream(http.server.BaseHTTPRequestHandler):
        def answer(self):
            body = json.dumps([self.server.name, self.path]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

        def log_message(self, *args):
            pass

    ports, up = {}, []
    for name in SERVICES:
        s = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
        s.name = name
        threading.Thread(target=s.serve_forever, daemon=True).start()
        ports[name] = f"127.0.0.1:{s.server_port}"
        up.append(s)
    nginx = Nginx(folder, ports).start()
    yield nginx.url
    nginx.stop()
    for s in up:
        s.shutdown()
        s.server_close()
    shutil.rmtree(folder)


@pytest.mark.parametrize("service", SERVICES)
def test_proxy_leads_there(proxy, service):
    for (method, path), (role, _) in printed(service).items():
        if path in ("/metrics", "/api/v1/version"):
            continue  # below
        r = requests.request(method, proxy + concrete(path), timeout=5)
        if role == "service" or path in INTERNAL:
            assert r.status_code == 404, f"{path} is internal and reached through the proxy"
        else:
            assert r.status_code == 200, f"{method} {path}: the proxy does not know it ({r.status_code})"
            assert r.json() == [service, concrete(path)]


def test_metrics_and_version_through_the_proxy(proxy):
    assert requests.get(proxy + "/metrics", timeout=5).json() == ["monitor", "/metrics/all"]
    for s in SERVICES:
        assert requests.get(f"{proxy}/metrics/{s}", timeout=5).json() == [s, "/metrics"]
    assert requests.get(proxy + "/api/v1/version", timeout=5).json()[1] == "/api/v1/version"


def contract_table():
    """{service: [pattern]} from section 6."""
    text = (ROOT / "docs/contracts.md").read_text()
    section = text.split("## 6. Routes")[1].split("## 7.")[0]
    table = {}
    for line in section.splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) == 2 and cells[1].split(" ")[0] in SERVICES:
            table[cells[1].split(" ")[0]] = re.findall(r"`([^`]+)`", cells[0])
    return table


@pytest.mark.parametrize("service", SERVICES)
def test_contract_names_them(service):
    patterns = contract_table()[service]
    for (_, path), (role, _) in printed(service).items():
        if path in COMMON | INTERNAL or role == "service":
            continue
        assert any(fnmatch.fnmatchcase(concrete(path), p) for p in patterns), f"{path} is not in docs/contracts.md"


MUST = {
    "ingest": {"/api/v1/readings"},
    "trainer": {"/api/v1/train", "/api/v1/jobs", "/api/v1/jobs/{}", "/api/v1/runs", "/api/v1/runs/{}",
                "/api/v1/models", "/api/v1/models/{}", "/api/v1/algorithms"},
    "predictor": {"/predict", "/api/v1/predict", "/api/v1/forecasts", "/api/v1/history", "/api/v1/series"},
    "monitor": {"/api/v1/status", "/api/v1/quality", "/api/v1/tick", "/api/v1/decisions", "/metrics/all"},
}


@pytest.mark.parametrize("service", SERVICES)
def test_routes_that_must_be_there(service):
    have = {re.sub(r"\{[^}]*\}", "{}", p) for _, p in printed(service)}
    assert MUST[service] | COMMON <= have
