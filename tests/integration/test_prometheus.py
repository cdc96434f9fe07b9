# SPDX-License-Identifier: GPL-3.0-or-later
"""Metrics of all services: by promtool, by our own check, scraped by a real Prometheus with the
shipped settings; and every panel of the dashboards filled by what the real services wrote."""

import json
import re
import subprocess

import pytest
import requests
import yaml

import exposition
from procs import ROOT, wait_for, which
from servers import Prometheus
from signals import Home
from stack import HOUR, SERVICES

DEPLOY = ROOT / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana/dashboards").glob("*.json"))


@pytest.fixture(scope="module")
def st(module_stacks):
    st = module_stacks()
    st.home = Home(["attic", "kitchen"], every_ms=600_000)
    for d in ("attic", "kitchen"):
        st.publish_raw(f"fieldcast/{d}/status", "online", retain=True)
    st.advance(27, publish=st.home.publish)
    return st


@pytest.fixture(scope="module")
def prometheus(st):
    config = yaml.safe_load((DEPLOY / "prometheus/prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s"}
    config["rule_files"] = [str(st.folder / "rules.yml")]
    (st.folder / "rules.yml").write_text((DEPLOY / "prometheus/rules.yml").read_text())
    job = config["scrape_configs"][0]
    token = st.folder / "viewer_token"
    token.write_text(st.tokens["viewer"])
    token.chmod(0o644)
    job["authorization"]["credentials_file"] = str(token)
    targets = {t["labels"]["service"]: t for t in job["static_configs"]}
    assert sorted(targets) == sorted(SERVICES)
    for s, t in targets.items():
        assert len(t["targets"]) == 1
        t["targets"] = [f"127.0.0.1:{st.ports[s]}"]
    p = Prometheus(st.folder, yaml.safe_dump(config)).start()
    yield p
    p.stop()


@pytest.mark.parametrize("service,path", [*[(s, "/metrics") for s in SERVICES], ("monitor", "/metrics/all")])
def test_exposition(st, service, path):
    for _ in range(3):
        r = st.request("GET", service, path, "viewer")
        assert r.status_code == 200 and r.headers["Content-Type"] == exposition.TYPE
        first = exposition.counters(r.text)
        lint = subprocess.run([which("promtool"), "check", "metrics"], input=r.text, capture_output=True, text=True)
        assert lint.returncode == 0, lint.stdout + lint.stderr
        later = exposition.counters(st.get(service, path))
        assert all(later[k] >= v for k, v in first.items()), "a counter went down"


def test_families_users_look_for(st):
    text = st.get("monitor", "/metrics/all")
    families = set(exposition.check(text))
    for name in ("fieldcast_build_info", "process_cpu_seconds_total", "process_resident_memory_bytes",
                 "process_open_fds", "fieldcast_http_requests_total", "fieldcast_http_request_duration_seconds",
                 "fieldcast_log_messages_total", "fieldcast_dependency_up"):
        assert name in families, name


def test_monitor_serves_all_four_when_one_is_away(st):
    st.kill("trainer")
    text = st.get("monitor", "/metrics/all")
    exposition.check(text)
    assert 'service="ingest"' in text and 'fieldcast_build_info{service="trainer"' not in text
    st.start("trainer")


def test_real_scrape(st, prometheus):
    def healthy():
        found = requests.get(f"{prometheus.url}/api/v1/targets", timeout=5).json()["data"]["activeTargets"]
        assert len(found) == 4
        bad = {t["labels"]["service"]: t["lastError"] for t in found if t["health"] != "up"}
        assert not bad, bad
        return True
    wait_for(healthy, 20, "four healthy targets", every=0.2)
    assert wait_for(lambda: len(prometheus.query('up{job="fieldcast"} == 1')) == 4, 10)
    services = {r["metric"]["service"] for r in prometheus.query("fieldcast_build_info")}
    assert services == set(SERVICES)


def fill(text, st):
    now = st.clock.now
    times = f"time >= {now - 3 * 24 * HOUR}ms AND time <= {now + 2 * 24 * HOUR}ms"
    text = text.replace("$timeFilter", times)
    values = {"device": "kitchen", "quantity": "temperature", "lead": "24", "__interval": "600000ms",
              "__rate_interval": "10s", "__range": "1h"}
    text = re.sub(r"\$\{(\w+)(?::\w+)?\}", lambda m: values[m.group(1)], text)
    return re.sub(r"\$(__\w+|device|quantity|lead)\b", lambda m: values[m.group(1)], text)


def panels_of(path):
    board = json.loads(path.read_text())
    for panel in board["panels"]:
        for p in [panel, *panel.get("panels", [])]:
            for t in p.get("targets", []):
                yield p["title"], t


ALL_TARGETS = [pytest.param(t, id=f"{p.stem}: {title} {t['refId']}") for p in DASHBOARDS for title, t in panels_of(p)]
WRONG_ONLY = r" (==|>) 0$"  # a query that shows only what is wrong: nothing, here


@pytest.mark.parametrize("target", ALL_TARGETS)
def test_panel(st, prometheus, target):
    source = target["datasource"]["uid"]
    if source == "fieldcast-prometheus":
        prometheus.query(fill(target["expr"], st))  # understood
        plain = re.sub(WRONG_ONLY, "", fill(target["expr"], st))

        def run():
            st.publish_raw("fieldcast/kitchen/readings", "not JSON")  # something for each rate to count
            return prometheus.query(plain)
    else:
        assert source == "fieldcast-influx"
        run = lambda: st.influx(fill(target["query"], st))  # noqa: E731
    rows = wait_for(run, 30, f"an answer that is not empty to {target.get('query') or target.get('expr')}", every=0.5)
    assert rows
