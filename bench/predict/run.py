# SPDX-License-Identifier: GPL-3.0-or-later
"""POST /predict with 4 features, token and metrics on, at 64 connections straight to the service,
beside a bare libmicrohttpd handler that parses the same JSON and answers a constant of the same
length, and beside FastAPI with scikit-learn. In turn, several rounds; the ratio counts.

    python bench/predict/run.py [--rounds N] [--peer-rounds N] [--seconds S] [--bare-only]
"""

import argparse
import os
import re
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import requests  # noqa: E402

from lib import ROOT, build_dir, make, median, memory, stack, table  # noqa: E402
from peer_venv import peer_python  # noqa: E402
from predictor_alone import document  # noqa: E402
from procs import free_port, wait_for  # noqa: E402

SERIES = "kitchen.temperature"
BODY = f'{{"model":"{SERIES}","features":{{"lag_1":21.2,"lag_2":21.1,"lag_3":21.03,"lag_4":20.9}}}}'
CONNECTIONS = 64
THREADS = 2

LUA = """
wrk.method = "POST"
wrk.body = os.getenv("BENCH_BODY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Authorization"] = "Bearer " .. os.getenv("BENCH_TOKEN")
"""


def wrk(port, seconds, token):
    """(requests a second, 99th percentile in ms); an answer other than 200 is a failure."""
    script = build_dir() / "bench" / "predict.lua"
    script.parent.mkdir(parents=True, exist_ok=True)
    script.write_text(LUA)
    out = subprocess.run(
        ["wrk", "-t", "2", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency", "-s", str(script),
         f"http://127.0.0.1:{port}/predict"],
        check=True, stdout=subprocess.PIPE, text=True, env={**os.environ, "BENCH_BODY": BODY, "BENCH_TOKEN": token}).stdout
    assert "Non-2xx" not in out and "Socket errors" not in out, out
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1))
    value, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return rate, float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


@contextmanager
def process(argv, port, env=None):
    p = subprocess.Popen([str(a) for a in argv], env={**os.environ, **(env or {})},
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)  # like the service: the scheduler shares by session
    try:
        def answers():
            assert p.poll() is None, f"{argv[0]} ended with {p.returncode}"
            try:
                requests.post(f"http://127.0.0.1:{port}/", data="{}", timeout=1)
            except requests.ConnectionError:
                return False
            return True
        wait_for(answers, 60, str(argv[0]))
        yield p
    finally:
        p.terminate()
        p.wait(10)


def fastapi_python():
    return peer_python(HERE / "requirements.txt", ROOT / "build/bench-venv")


def champion(st):
    doc = document(SERIES, bias=0.125)
    st.pg("INSERT INTO series (name, device, quantity) VALUES (%s, 'kitchen', 'temperature')", SERIES)
    st.pg("INSERT INTO models VALUES (%s)", SERIES)
    st.pg("INSERT INTO model_versions (name, version, algorithm, document, content_sha256) "
          "VALUES (%s, 1, 'ridge', %s, encode(sha256(convert_to(%s, 'UTF8')), 'hex'))", SERIES, doc, doc)
    st.pg("SELECT fc_promote(%s, 1, 'bench', 'bench', '{}')", SERIES)
    answer = wait_for(lambda: one_answer(st), 10, "the champion")
    return len(answer)


def one_answer(st):
    r = requests.post(st.url("predictor", "/predict"), data=BODY,
                      headers={"Authorization": f"Bearer {st.tokens['viewer']}"}, timeout=5)
    return r.content if r.status_code == 200 else None


def pair(args, i, port, bare_port, token):
    """Both in turn, first one, then the other: ((rate, p99) of ours, of the bare handler)."""
    ports = (port, bare_port) if i % 2 else (bare_port, port)
    got = {p: wrk(p, args.seconds, token) for p in ports}
    return got[port], got[bare_port]


def rounds(st, args, length):
    rows, ratios, peers = [], [], []
    token, port = st.tokens["viewer"], st.ports["predictor"]
    bare_port, peer_port = free_port(), free_port()
    app = ["-m", "uvicorn", "fastapi_app:app", "--app-dir", HERE, "--port", peer_port, "--workers", THREADS,
           "--log-level", "warning", "--no-access-log"]
    with process([build_dir() / "bench/bare_mhd", bare_port, THREADS, length], bare_port):
        for i in range(args.rounds):
            (ours, ours_ms), (bare, bare_ms) = pair(args, i, port, bare_port, token)
            ratios.append(ours / bare)
            rows.append([f"round {i + 1}", f"{ours:,.0f}/s", f"{ours_ms:.2f} ms", f"{bare:,.0f}/s", f"{bare_ms:.2f} ms",
                         f"{ours / bare:.2f}"])
    for i in range(0 if args.bare_only else args.peer_rounds):
        with process([fastapi_python(), *app], peer_port, {"BENCH_TOKEN": token}):
            peer, peer_ms = wrk(peer_port, args.seconds, token)
        ours, ours_ms = wrk(port, args.seconds, token)
        peers.append(ours / peer)
        rows.append([f"FastAPI {i + 1}", f"{ours:,.0f}/s", f"{ours_ms:.2f} ms", f"{peer:,.0f}/s", f"{peer_ms:.2f} ms",
                     f"{ours / peer:.1f}"])
    return rows, ratios, peers


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--peer-rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--bare-only", action="store_true")
    args = parser.parse_args()
    make("bench/bare_mhd")
    if not args.bare_only:
        fastapi_python()
    with stack(services=["predictor"], wait=False) as st:
        st.influx_server.query("", f'CREATE DATABASE "{st.influx_db}"')
        st.wait_ready("predictor")
        length = champion(st)
        rows, ratios, peers = rounds(st, args, length)
        pss, rss = memory(st.procs["predictor"].pid)
    head = ["", "fc-predictor", "p99", "peer", "p99", "ratio"]
    table(f"POST /predict, 4 features, {CONNECTIONS} connections, {THREADS} threads, answer of {length} bytes",
          [head, *rows])
    print(f"  median ratio to the bare handler {median(ratios):.2f} (target 0.8)")
    if peers:
        print(f"  median times FastAPI + scikit-learn {median(peers):.0f} (target 10)")
    print(f"  memory of fc-predictor after it: {pss:.1f} MB proportional, {rss:.1f} MB resident")


if __name__ == "__main__":
    main()
