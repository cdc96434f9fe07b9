# SPDX-License-Identifier: GPL-3.0-or-later
"""The broker over TLS, with user and password: readings come in, and whatever is wrong with
certificates or the password is said in the log and in /readyz, in words that name it. When it is
mended, ingest comes by itself."""

import signal

import pytest

from certs import Authority, server_folder
from procs import wait_for
from stack import START, ms

USERS = {"ingest": "pw-of-ingest", "sensor": "s3cret"}


@pytest.fixture(scope="module")
def authorities(shared):
    folder = shared.new_folder()
    made = {name: Authority(folder / name, name) for name in ("ours", "other", "clients")}
    made["ours"].issue("nobody", folder / "unused.crt", folder / "unused.key")
    made["clients"].issue("ingest", folder / "ingest.crt", folder / "ingest.key")
    return folder, made


def broker(stacks, authorities, name, how=None, clients=False, **settings):
    """A broker with TLS and an ingest that asks for it."""
    folder, made = authorities
    tls = server_folder(folder / name, made["ours"], made["clients"] if clients else None, **(how or {}))
    env = {"FC_MQTT_USER": "ingest", "FC_MQTT_PASSWORD": USERS["ingest"], "FC_MQTT_CA_FILE": made["ours"].cert, **settings}
    st = stacks(services=["ingest"], launch=False, service_env={"ingest": env}, broker={"users": USERS, "tls": tls})
    st.mosquitto.login = ("sensor", USERS["sensor"])
    env["FC_MQTT_URL"] = st.mosquitto.tls_url
    return st


def works(st):
    st.wait_ready("ingest", 60)
    st.publish("kitchen", {"temperature": 20.5}, ms(START))
    wait_for(lambda: st.influx("SELECT temperature FROM readings"), 20, "the reading")


def says(st, *words):
    """/readyz waits for the broker, and says these words; so does the log."""
    def why():
        r = st.request("GET", "ingest", "/readyz", token=None).json()
        assert "broker" in r["waiting_for"]
        assert all(w in r["dependencies"]["broker"]["why"] for w in words), r
        return True
    wait_for(why, 20, f"/readyz to say {words}")
    assert st.procs["ingest"].alive()
    log = [x for x in st.procs["ingest"].text().splitlines() if "broker is away" in x]
    assert all(w in log[0].replace('\\"', '"') for w in words), log
    assert USERS["ingest"] not in st.procs["ingest"].text()


def test_user_password_and_client_certificate(stacks, authorities):
    folder, _ = authorities
    st = broker(stacks, authorities, "mutual", clients=True, FC_MQTT_CERT_FILE=folder / "ingest.crt",
                FC_MQTT_KEY_FILE=folder / "ingest.key")
    st.launch()
    works(st)


def test_password_from_a_file(stacks, authorities, tmp_path):
    (tmp_path / "password").write_text(USERS["ingest"] + "\n")
    st = broker(stacks, authorities, "file", FC_MQTT_PASSWORD=None, FC_MQTT_PASSWORD_FILE=tmp_path / "password")
    st.launch()
    works(st)


FAULTS = {
    "expired": ({"expired": True}, {}, ["TLS does not trust it", "certificate has expired"]),
    "host": ({"names": "DNS:broker.example"}, {}, ["TLS does not trust it", "localhost"]),
    "ca": ({}, {"FC_MQTT_CA_FILE": "other"}, ["TLS does not trust it", "certificate"]),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_broker_is_not_trusted(stacks, authorities, fault):
    how, settings, words = FAULTS[fault]
    folder, made = authorities
    st = broker(stacks, authorities, fault, how, **{k: made[v].cert for k, v in settings.items()})
    st.launch(wait=False)
    says(st, *words)
    if fault == "ca":
        st.kill("ingest", signal.SIGTERM)
        st.start("ingest", FC_MQTT_CA_FILE=made["ours"].cert)
    else:
        made["ours"].issue("localhost", folder / fault / "server.crt", folder / fault / "server.key")
        st.mosquitto.stop()
        st.mosquitto.start()
    works(st)


def test_the_password_is_wrong(stacks, authorities):
    st = broker(stacks, authorities, "password", FC_MQTT_PASSWORD="wr0ng-one")
    st.launch(wait=False)
    says(st, 'user "ingest"', "password is wrong")
    assert "wr0ng-one" not in st.procs["ingest"].text()
    st.mosquitto.set_users(USERS | {"ingest": "wr0ng-one"})
    st.mosquitto.reload()
    works(st)


def test_no_user_at_all(stacks, authorities):
    st = broker(stacks, authorities, "nobody", FC_MQTT_USER=None, FC_MQTT_PASSWORD=None)
    st.launch(wait=False)
    says(st, "asks for a user and a password")


def test_a_client_certificate_is_missing_or_not_ours(stacks, authorities):
    folder, _ = authorities
    st = broker(stacks, authorities, "client", clients=True)
    st.launch(wait=False)
    says(st, "perhaps it asks for a client certificate")
    st.kill("ingest", signal.SIGTERM)
    st.start("ingest", wait=False, FC_MQTT_CERT_FILE=folder / "unused.crt", FC_MQTT_KEY_FILE=folder / "unused.key")
    wait_for(lambda: "does not take our certificate" in st.procs["ingest"].text(), 20, "the log to say it")
    st.kill("ingest", signal.SIGTERM)
    st.start("ingest", wait=False, FC_MQTT_CERT_FILE=folder / "ingest.crt", FC_MQTT_KEY_FILE=folder / "unused.key")
    wait_for(lambda: "unused.key" in st.procs["ingest"].text(), 20, "the log to name the key")


def test_plain_to_the_tls_port_and_back(stacks, authorities):
    st = broker(stacks, authorities, "plain", FC_MQTT_CA_FILE=None)
    env = st.service_extra["ingest"]
    env["FC_MQTT_URL"] = f"tcp://localhost:{st.mosquitto.tls_port}"
    st.launch(wait=False)
    says(st, "no MQTT broker answers", "ssl://")
    st.kill("ingest", signal.SIGTERM)
    st.procs["ingest"].log.unlink()
    env["FC_MQTT_URL"] = f"ssl://localhost:{st.mosquitto.port}"
    st.start("ingest", wait=False)
    says(st, "TLS does not come about", "is this the broker's port for TLS?")


@pytest.mark.parametrize("settings, sentence", [
    ({"FC_MQTT_CA_FILE": "/nowhere/ca.pem"}, "could not read the broker's certificate authority /nowhere/ca.pem"),
    ({"FC_MQTT_CERT_FILE": "/nowhere/c.pem"}, "could not read the client certificate /nowhere/c.pem"),
    ({"FC_MQTT_KEY_FILE": "/nowhere/k.pem"}, "client key /nowhere/k.pem needs its certificate as well"),
    ({"FC_MQTT_URL": "tcp://localhost:1"}, "its address must begin with ssl://"),
])
def test_settings_that_can_not_work_end_it(stacks, authorities, settings, sentence):
    name = "end-" + sentence.split()[-1].replace("/", "-").replace(":", "")
    st = broker(stacks, authorities, name)
    st.service_extra["ingest"].update(settings)
    st.launch(wait=False)
    p = st.procs["ingest"]
    wait_for(lambda: not p.alive(), 10, "ingest to end")
    assert p.process.returncode == 1 and sentence in p.text(), p.text()
