# SPDX-License-Identifier: GPL-3.0-or-later
"""Each query of the two Grafana dashboards (panels, variables, annotations) against a real
InfluxDB that holds data in the contract's shape, and a real Prometheus: all of them must be
understood, and find something."""

import json
import re
import subprocess

import pytest
import requests
import yaml

from procs import ROOT, wait_for, which
from servers import Prometheus

HOUR = 3_600_000
START = 1_795_132_800_000
END = START + 48 * HOUR
GRAFANA = ROOT / "deploy/grafana"
DASHBOARDS = [json.loads(p.read_text()) for p in sorted((GRAFANA / "dashboards").glob("*.json"))]
VARIABLES = {"device": "kitchen", "quantity": "temperature", "lead": "24"}
# what Grafana itself puts in
BUILT_IN = {"timeFilter": f"time >= {START}ms and time <= {END}ms", "__interval": "1h",
            "__rate_interval": "1m"}


def fill(query):
    def value(match):
        name = match.group(1) or match.group(2)
        return (BUILT_IN | VARIABLES)[name]
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", value, query)


def all_queries(kind):
    """(where, query) of every target, variable and annotation whose source is of this kind."""
    for d in DASHBOARDS:
        for p in d["panels"]:
            for t in p["targets"]:
                if t["datasource"]["type"] == kind:
                    yield f"{d['uid']}: {p['title']} {t['refId']}", t.get("query") or t["expr"]
        for v in d.get("templating", {}).get("list", []):
            if v["type"] == "query" and v["datasource"]["type"] == kind:
                yield f"{d['uid']}: variable {v['name']}", v["query"]
        for a in d.get("annotations", {}).get("list", []):
            if a["datasource"]["type"] == kind:
                yield f"{d['uid']}: annotation {a['name']}", a["target"]["query"]


def lines():
    """Two days of one device, in every measurement of the contract."""
    for h in range(48):
        t = START + h * HOUR
        yield f"readings,device=kitchen temperature={20 + h % 24 / 10},received_ms={t}.0,seq={h}.0,quality=0.0 {t}"
        yield f"hourly,device=kitchen temperature=20.0,temperature_min=19.0,temperature_max=21.0,temperature_n=12.0 {t}"
        tags = "device=kitchen,quantity=temperature,role=champion"
        band = f"yhat=20.1,yhat_lower=19.0,yhat_upper=21.2,version=1.0,origin_ms={START}.0"
        yield f"forecasts,{tags} {band} {t}"
        for lead in (1, 6, 12, 24, 48):
            yield f"forecast_leads,{tags},lead={lead} {band} {t}"
        yield (f"evaluations,device=kitchen,quantity=temperature n=12.0,missing=0.0,mae_4h=0.2,rmse_4h=0.3,"
               f"mae_12h=0.2,rmse_12h=0.3,r2_12h=0.5,bias_12h=0.0,ewma=0.2,skill_24h=0.4,coverage=0.95,"
               f"version={1.0 if h < 30 else 2.0} {t}")
        yield f"device_status,device=kitchen online=1.0 {t}"


@pytest.fixture(scope="module")
def influx(shared):
    shared.influx.query("", "CREATE DATABASE dashboards")
    shared.influx.write("dashboards", list(lines()))
    yield shared.influx
    shared.influx.query("", "DROP DATABASE dashboards")


QUERIES = list(all_queries("influxdb"))


@pytest.mark.parametrize("where,query", QUERIES, ids=[where for where, _ in QUERIES])
def test_influx_query(influx, where, query):
    rows = influx.query("dashboards", fill(query))
    assert rows, f"{where}: {fill(query)} finds nothing"
    if "annotation" in where:  # one change of model, in the hour in which it happened
        assert [(r["time"], r["step"]) for r in rows] == [(START + 30 * HOUR, 1)]


def targets_up(server):
    targets = requests.get(f"{server.url}/api/v1/targets", timeout=5).json()["data"]["activeTargets"]
    assert len(targets) == 4 and all(t["health"] == "up" for t in targets), \
        [(t["scrapeUrl"], t["health"], t["lastError"]) for t in targets]
    return True


def test_prometheus_scrapes_all_services_and_knows_every_query(stacks, tmp_path):
    st = stacks()
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    config["global"] |= {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = []
    job = config["scrape_configs"][0]
    assert sorted(g["labels"]["service"] for g in job["static_configs"]) == sorted(st.services)
    job["authorization"] = {"credentials": st.tokens["viewer"]}
    for group in job["static_configs"]:
        group["targets"] = [f"127.0.0.1:{st.ports[group['labels']['service']]}"]
    server = Prometheus(st.folder, yaml.safe_dump(config)).start()
    try:
        wait_for(lambda: targets_up(server), 20, "four targets to be up")
        for where, query in all_queries("prometheus"):
            # a comparison at the end leaves only what is wrong: nothing, here
            plain = re.sub(r" (==|>) 0$", "", fill(query))
            wait_for(lambda q=plain: server.query(q), 20, f"{where}: {plain} to find something")
            server.query(fill(query))
        services = {r["metric"]["service"] for r in server.query('up{job="fieldcast"} == 1')}
        assert services == set(st.services)
    finally:
        server.stop()


def test_alert_rules():
    for args in (["test", "rules", "rules_test.yml"], ["check", "rules", "rules.yml"],
                 ["check", "config", "--syntax-only", "prometheus.yml"]):
        done = subprocess.run([which("promtool"), *args], cwd=ROOT / "deploy/prometheus",
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_dashboards_name_only_provisioned_sources():
    provisioned = yaml.safe_load((GRAFANA / "provisioning/datasources/fieldcast.yml").read_text())
    known = {(d["type"], d["uid"]) for d in provisioned["datasources"]}
    for d in DASHBOARDS:
        used = {(t["datasource"]["type"], t["datasource"]["uid"]) for p in d["panels"] for t in p["targets"]}
        assert used <= known
        assert len({p["id"] for p in d["panels"]}) == len(d["panels"])
