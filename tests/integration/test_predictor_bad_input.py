# SPDX-License-Identifier: GPL-3.0-or-later
"""Anything malformed, oversized, mistyped or missing gets a status, a sentence that names it, and
leaves the service as it was."""

import socket

import pytest

from predictor_alone import Alone
from stack import HOUR

K = "kitchen.temperature"
F = '"lag_1":1,"lag_2":2,"lag_3":3,"lag_4":4'


@pytest.fixture(scope="module")
def alone(module_stacks):
    a = Alone(module_stacks)
    a.hours.rolled_up = a.now_hour - HOUR
    a.add_series(K)
    a.hourly("kitchen", "temperature", [20.0] * 30, a.hours.rolled_up)
    a.add_version(K, 1)
    a.promote(K, 1)
    a.wait_written()
    yield a
    a.close()


@pytest.mark.parametrize("body, status, message", [
    (b"", 400, "the body is empty"),
    (b"{", 400, "the body is not valid JSON: line 1, column 1"),
    (b"\xff\xfe", 400, "not valid"),
    (b'{"series":"\xc3\x28"}', 400, "the body is not valid JSON"),
    (b'{"series":"a\x00b"}', 400, "the body is not valid JSON"),
    (b'{"series":NaN}', 400, "invalid token near 'NaN'"),
    (b'{"series":"a.b"} x', 400, "end of file expected"),
    (b'"text"', 400, "the body is not valid JSON"),
    (b"[" * 60000, 400, "the body is nested deeper than 64 levels"),
    (b'{"a":' * 20000, 400, "the body is nested deeper than 64 levels"),
    (b'{"x":1}', 400, 'field "x" is not known'),
    (b'{"series":5}', 400, 'field "series" must be a string, not a number'),
    (b'{"series":"' + b"a" * 500 + b'"}', 400, 'field "series" must have at most 130 bytes'),
    (b'{"series":"../../etc/passwd"}', 400, "is not a series"),
    (b'{"series":"a.b\' OR 1=1"}', 400, "is not a series"),
    (b'{"series":"nobody.temperature"}', 404, 'there is no series "nobody.temperature"'),
    (b'{"series":"kitchen.temperature","horizon":49}', 400, 'field "horizon" must be from 1 to 48, not 49'),
    (b'{"series":"kitchen.temperature","horizon":1e9}', 400, 'field "horizon" must be a whole number'),
    (b'{"series":"kitchen.temperature","level":95}', 400, 'field "level" must be from 0.01 to 0.9999, not 95'),
    (b'{"series":"kitchen.temperature","version":77}', 404, "has no version 77"),
    (b'{"model":"kitchen.temperature","history":[1,2]}', 400, "ridge needs the last 4 hours, there are 2"),
    (b'{"model":"kitchen.temperature","history":[1,2,3,{}]}', 400, '"history" value 3 must be a number or null'),
    (b'{"model":"kitchen.temperature","history":[1,2,3,1e400]}', 400, "real number overflow"),
    (b'{"model":"kitchen.temperature","history":[1,2,3,1e300]}', 400, '"history" value 3 is too large: 1e100 in size at the most'),
    (b'{"model":"kitchen.temperature","history":[1,2,3,4],"end":"9999-12-31T23:00:00Z"}', 400,
     '"end" must be from 1970-01-01T00:00:00.000Z to 9999-12-30T23:00:00.000Z: what is forecast after it'),
    (b'{"model":"kitchen.temperature","history":[' + b"1," * 5000 + b"1]}", 400, '"history" must have 1 to 2000 values, not 5001'),
    (b'{"model":"kitchen.temperature","features":{"lag_1":1}}', 400, 'feature "lag_2" is missing'),
    (('{"model":"kitchen.temperature","features":{%s,"lag_5":5}}' % F).encode(), 400, 'feature "lag_5" is not one that version 1 reads'),
    (('{"model":"kitchen.temperature","features":{%s}}' % F.replace(":3", ":null")).encode(), 400, 'feature "lag_3" must be a number, not null'),
    (('{"model":"kitchen.temperature","instances":[%s]}' % ",".join(["{%s}" % F] * 1001)).encode(), 400, '"instances" must have 1 to 1000 rows, not 1001'),
    (b'{"series":"' + b" " * 1_100_000 + b'"}', 413, "the body may have at most 1048576 bytes; this has 1100013"),
], ids=lambda v: repr(v)[:40] if isinstance(v, bytes) else None)
def test_bodies(alone, body, status, message):
    r = alone.st.request("POST", "predictor", "/predict", token="viewer", data=body)
    assert r.status_code == status, r.text
    assert r.headers["Content-Type"] == "application/problem+json"
    problem = r.json()
    assert message in problem["message"] and problem["status"] == status and problem["detail"] == problem["message"]
    assert problem["error"]["code"] == problem["title"]


@pytest.mark.parametrize("method, path, status, message", [
    ("GET", "/predict", 400, 'parameter "series" is missing'),
    ("GET", f"/predict?series={K}&horizon=0", 400, 'parameter "horizon" must be a whole number from 1 to 48, not "0"'),
    ("GET", f"/predict?series={K}&horizon=24d", 400, 'parameter "horizon"'),
    ("GET", f"/api/v1/forecasts?series={K}&level=inf", 400, 'parameter "level" must be a number from 0.01 to 0.9999'),
    ("GET", "/api/v1/forecasts?series=%00", 400, ""),
    ("GET", f"/api/v1/history?series={K}&from=yesterday", 400, "from must be a time"),
    ("GET", f"/api/v1/history?series={K}&agg=5m", 400, 'parameter "agg" must be 1h or raw, not "5m"'),
    ("GET", f"/api/v1/history?series={K}&from=1", 400, "more than 400 days apart"),
    ("GET", f"/api/v1/history?series={K}&from=99999999999999999999", 400, "from must be a time"),
    ("GET", "/api/v1/series?limit=1e3", 400, 'parameter "limit" must be a whole number from 1 to 1000'),
    ("GET", "/api/v1/series?cursor=" + "x" * 200, 400, 'parameter "cursor" is not one that a list gave'),
    ("DELETE", "/predict", 405, "/predict does not take DELETE; it takes POST, GET"),
    ("POST", "/api/v1/forecasts", 405, "/api/v1/forecasts does not take POST; it takes GET"),
    ("GET", "/api/v1/nothing", 404, "there is nothing at /api/v1/nothing"),
])
def test_requests(alone, method, path, status, message):
    r = alone.st.request(method, "predictor", path, token="viewer")
    assert r.status_code == status, r.text
    assert message in r.json()["message"]


def test_tokens(alone):
    st = alone.st
    assert st.request("GET", "predictor", f"/predict?series={K}", token=None).status_code == 401
    assert st.request("GET", "predictor", f"/predict?series={K}", token="=nonsense").status_code == 401
    assert st.request("GET", "predictor", "/api/v1/progress", token="admin").status_code == 403
    assert st.request("GET", "predictor", f"/predict?series={K}", token="viewer").status_code == 200


def raw(st, text):
    """The status line of the answer; "" when the connection is closed without one."""
    with socket.create_connection(("127.0.0.1", st.ports["predictor"]), 5) as s:
        try:
            s.sendall(text)
            return s.recv(65536).split(b"\r\n")[0].decode("latin-1")
        except (ConnectionResetError, BrokenPipeError):
            return ""


def test_broken_http(alone):
    """A head without end, a false length, no HTTP at all: refused or closed, and no more."""
    st = alone.st
    head = f"POST /predict HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {st.tokens['viewer']}\r\n".encode()
    assert raw(st, b"\x16\x03\x01\x00\x00\r\n\r\n")[9:12] in ("", "400")
    assert raw(st, head + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n")[9:12] in ("", "431")
    assert raw(st, head + b"Content-Length: 99999999999999999999\r\n\r\n")[9:12] in ("400", "413")
    assert raw(st, head + b"Content-Length: x\r\n\r\n")[9:12] == "400"
    with socket.create_connection(("127.0.0.1", st.ports["predictor"]), 5) as s:
        s.sendall(head + b"Content-Length: 500\r\n\r\n{")  # and then nothing
    assert st.request("GET", "predictor", "/healthz").status_code == 200


def test_it_is_as_it_was(alone):
    """After all of the above."""
    answer = alone.predict(series=K, horizon=1)
    assert answer["predictions"][0]["yhat"] == 20 and answer["warnings"] == []
    assert alone.st.metric("predictor", "fieldcast_predictions_total", result="refused") > 20
