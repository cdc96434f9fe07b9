# SPDX-License-Identifier: GPL-3.0-or-later
"""A new champion answers soon, without restart and without a failed request."""

import threading
import time

import pytest
import requests

from predictor_alone import Alone, document
from procs import wait_for

K = "kitchen.light"  # a quantity whose limits the values below keep
ROW = {"lag_1": 4.0, "lag_2": 3.0, "lag_3": 2.0, "lag_4": 1.0}


@pytest.fixture
def alone(stacks):
    a = Alone(stacks, FC_TICK_MS=1000)  # as shipped
    yield a
    a.close()


def prepared(a):
    hour = a.now_hour - 3_600_000
    a.hours.rolled_up = hour
    a.add_series(K)
    a.hourly("kitchen", "light", [float(i) for i in range(200)], hour)
    return hour


def test_new_champions_answer(alone):
    """Without a restart. How soon: make bench-start."""
    a = alone
    prepared(a)
    assert a.predict(409, series=K)["error"]["code"] == "no_model_yet"
    for version in (1, 2, 3):
        a.add_version(K, version, bias=float(version))
        a.promote(K, version)
        wait_for(lambda: a.predict(series=K)["version"] == version, 5, every=0.005)
        answer = a.predict(series=K, horizon=1)
        assert answer["predictions"][0]["yhat"] == pytest.approx(197.5 + version)
        assert answer["warnings"] == []
        assert a.predict(model=K, features=ROW)["predictions"][0]["yhat"] == pytest.approx(2.5 + version)
    # going back is the same
    a.promote(K, 1)
    wait_for(lambda: a.predict(series=K)["version"] == 1, 1, every=0.005)
    # any other version answers when it is asked for by number
    assert a.predict(model=K, version=2, features=ROW)["predictions"][0]["yhat"] == pytest.approx(4.5)
    assert a.predict(series=K, version=3, horizon=1)["predictions"][0]["yhat"] == pytest.approx(200.5)
    assert a.predict(404, model=K, version=9, features=ROW)["message"] == f'model "{K}" has no version 9'


def test_no_failed_request_during_swaps(alone):
    a = alone
    prepared(a)
    swaps = 100
    for v in range(1, swaps + 2):
        a.add_version(K, v, bias=float(v))
    a.promote(K, 1)
    wait_for(lambda: a.predict(series=K)["version"] == 1)
    stop, failed, done = threading.Event(), [], []

    def load(body, base):
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer {a.st.tokens['viewer']}"
        n = newest = 0
        while not stop.is_set():
            r = session.post(a.st.url("predictor", "/predict"), json=body, timeout=5)
            j = r.json()
            # every answer comes from one version: the bias says which
            ok = r.status_code == 200 and abs(j["predictions"][0]["yhat"] - base - j["version"]) < 1e-9
            if not ok or j["version"] < newest:
                failed.append((newest, r.status_code, r.text))
                return
            newest = j["version"]
            n += 1
        done.append(n)

    bodies = [({"series": K, "horizon": 1}, 197.5), ({"model": K, "features": ROW}, 2.5),
              ({"model": K, "history": [1, 2, 3, 4], "horizon": 1}, 2.5)]
    threads = [threading.Thread(target=load, args=b) for b in bodies * 2]
    for t in threads:
        t.start()
    with a.db() as db:
        for v in range(2, swaps + 2):
            db.execute("SELECT fc_promote(%s, %s, 'test', 'test', '{}')", (K, v))
            time.sleep(0.02)
    wait_for(lambda: a.predict(series=K)["version"] == swaps + 1)
    stop.set()
    for t in threads:
        t.join()
    assert not failed, failed[0]
    assert min(done) > 20


def test_ready_before_all_are_read(alone):
    """4,000 champions: the predictor is ready as soon as the registry answers, and a request for
    one that has not been read yet has it read first."""
    a, n = alone, 4000
    a.st.kill("predictor")
    a.st.pg("INSERT INTO models SELECT 'd' || i || '.light' FROM generate_series(1, %s) i", n)
    a.st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256)"
            " SELECT m.name, 1, 'ridge', d.text, encode(sha256(convert_to(d.text, 'UTF8')), 'hex') FROM models m,"
            " LATERAL (SELECT replace(%s, 'NAME.light', m.name) AS text) d", document("NAME.light"))
    a.st.pg("INSERT INTO model_aliases SELECT name, 'champion', 1 FROM models")
    last = a.st.pg("SELECT name FROM model_versions ORDER BY model_seq DESC LIMIT 1")[0]["name"]
    a.st.start("predictor", wait=False)
    a.st.wait_ready("predictor")
    assert a.predict(model=last, features=ROW)["predictions"][0]["yhat"] == pytest.approx(2.5)
    assert a.predict(404, model="d4001.light", features=ROW)["error"]["code"] == "unknown_series"
    for i in (1, 2000, n):
        answer = a.predict(model=f"d{i}.light", features=ROW)
        assert answer["predictions"][0]["yhat"] == pytest.approx(2.5)


def test_a_broken_document_changes_nothing(alone):
    a = alone
    prepared(a)
    a.add_version(K, 1, bias=1.0)
    a.promote(K, 1)
    wait_for(lambda: a.predict(series=K)["version"] == 1)
    a.add_version(K, 2, doc=document("office.light"))
    a.promote(K, 2)
    wait_for(lambda: a.st.metric("predictor", "fieldcast_model_reload_failures_total") == 1)
    assert a.predict(series=K)["version"] == 1
    assert "cannot be read" in a.st.procs["predictor"].tail(5)
    a.add_version(K, 3, bias=3.0)
    a.promote(K, 3)
    wait_for(lambda: a.predict(series=K)["version"] == 3)
    assert a.st.metric("predictor", "fieldcast_model_loaded_info", version="3") == 1
    assert a.st.metric("predictor", "fieldcast_model_loaded_info", version="1") is None
    # a champion that is taken away answers no more
    a.st.pg("DELETE FROM model_aliases WHERE name = %s AND alias = 'champion'", K)
    a.st.pg("UPDATE model_versions SET model_seq = nextval('model_versions_model_seq_seq') "
            "WHERE name = %s AND version = 3", K)
    wait_for(lambda: a.st.request("GET", "predictor", f"/predict?series={K}").status_code == 409)
