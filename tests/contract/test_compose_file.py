# SPDX-License-Identifier: GPL-3.0-or-later
"""deploy/docker-compose.yml and the Dockerfile, read as files: what can be seen without an
engine. What they do is tested by make test-compose."""

import re

import pytest
import yaml

from procs import ROOT
from stack import SERVICES
from test_texts import example, settings_of

COMPOSE = yaml.safe_load((ROOT / "deploy/docker-compose.yml").read_text())
# a person sets these by changing the file: the virtual clock is for tests; certificates, session
# names and passwords belong to a broker or a Kafka of another kind, a token to InfluxDB 2 or 3,
# and a group needs more than one ingest
OWN_FILES = {"FC_TOKENS_FILE", "FC_DECODE_FILE"}  # not a secret's other form
ONLY_BY_HAND = {"FC_CLOCK_FILE", "FC_MQTT_CA_FILE", "FC_MQTT_CERT_FILE", "FC_MQTT_KEY_FILE", "FC_MQTT_CLIENT_ID",
                "FC_MQTT_SHARE", "FC_MEMBER", "FC_INFLUX_TOKEN", "FC_KAFKA_TLS", "FC_KAFKA_CA_FILE", "FC_KAFKA_USER",
                "FC_KAFKA_PASSWORD", "FC_KAFKA_SASL"}


def environment(service):
    return COMPOSE["services"][service]["environment"]


@pytest.mark.parametrize("service", SERVICES)
def test_every_setting_reaches_its_container(service):
    given = {name.removesuffix("_FILE") if name not in OWN_FILES else name for name in environment(service)}
    missing = set(settings_of(service)) - given - ONLY_BY_HAND
    assert not missing, f"settings of {service} that docker-compose.yml does not pass on: {sorted(missing)}"


def test_what_is_passed_on_is_explained():
    passed_on = {n for s in SERVICES for n, value in environment(s).items() if value is None}
    replaced = set(re.findall(r"\$\{(\w+)", (ROOT / "deploy/docker-compose.yml").read_text()))
    missing = (passed_on | replaced) - set(example())
    assert not missing, f"not in deploy/.env.example: {sorted(missing)}"


def test_images_have_exact_versions():
    for name, s in COMPOSE["services"].items():
        if s["image"] != "fieldcast:local":
            assert re.search(r":v?\d+\.\d+(\.\d+)?$", s["image"]), f"{name}: {s['image']}"


def test_kafka_is_the_version_that_is_tested_and_off_by_default():
    kafka = COMPOSE["services"]["kafka"]
    tested = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>(.+)</version>", (ROOT / "tests/kafka/pom.xml").read_text())
    assert kafka["image"] == f"apache/kafka:{tested.group(1)}"
    assert kafka["profiles"] == ["kafka"]
    assert environment("ingest")["FC_KAFKA_BROKERS"] is None and example()["FC_KAFKA_BROKERS"] == ""


def test_only_proxy_and_broker_are_published_and_on_loopback():
    published = {n: s["ports"] for n, s in COMPOSE["services"].items() if "ports" in s}
    assert set(published) == {"proxy", "mosquitto"}
    for ports in published.values():
        assert all(re.match(r"\$\{FC_COMPOSE_\w*BIND:-127\.0\.0\.1\}:", p) for p in ports)


@pytest.mark.parametrize("service", SERVICES)
def test_services_are_locked_down_and_looked_after(service):
    s = COMPOSE["services"][service]
    assert s["read_only"] is True and s["cap_drop"] == ["ALL"] and "no-new-privileges:true" in s["security_opt"]
    port = environment(service)["FC_HTTP_PORT"]
    assert s["healthcheck"]["test"] == ["CMD", f"fc-{service}", "--probe", f"http://127.0.0.1:{port}/readyz"]
    assert re.search(r"^USER 10001", (ROOT / "deploy/Dockerfile").read_text(), re.M)


def test_no_secret_stands_in_the_file():
    for name, s in COMPOSE["services"].items():
        for key, value in (s.get("environment") or {}).items():
            if re.search(r"PASSWORD|TOKEN|SECRET|CONNINFO", key):
                assert key.endswith("_FILE") and str(value).startswith("/run/fieldcast/"), f"{name}: {key}"
