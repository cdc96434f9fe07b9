# SPDX-License-Identifier: GPL-3.0-or-later
"""What README tells a newcomer to type: the curl lines against the stack, and (long) the demo
itself from start to clean, on ports and in a folder of its own."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import pytest

from procs import PATH, ROOT, free_port, wait_for
from signals import Home
from stack import build_dir, parse_metrics

DEMO = "http://127.0.0.1:8080"
PARTS = ["proxy", "ingest", "trainer", "predictor", "monitor", "mqtt", "influx", "influx_backup", "pg"]


def curl_lines():
    """[(command, what README shows for it)]."""
    text = (ROOT / "README.md").read_text()
    return re.findall(r"```sh\n(curl [^\n]+)\n```\n```\n(.*?)```", text, re.S)


def keys_of(text):
    return set(re.findall(r'"(\w+)":', text))


def test_curl_lines_of_the_readme(stacks):
    st = stacks(nginx=True, public_read=True)
    st.advance(25, publish=Home(["kitchen"], every_ms=600_000).publish)
    lines = curl_lines()
    assert len(lines) == 3
    for command, shown in lines:
        assert DEMO in command
        done = subprocess.run(["bash", "-c", command.replace(DEMO, st.nginx.url)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        if shown.startswith("{"):
            assert keys_of(shown) <= keys_of(json.dumps(json.loads(done.stdout), separators=(",", ":")))
        else:
            families = set(re.findall(r"^# HELP (\w+)", shown, re.M))
            assert families <= {n for n, _, _ in parse_metrics(done.stdout)}


@pytest.fixture
def demo():
    folder = tempfile.mkdtemp(prefix="fieldcast-test-demo-", dir="/var/tmp")
    os.rmdir(folder)
    env = os.environ | {"PATH": PATH, "FC_DEMO_DIR": folder, "FC_DEMO_BIN": str(build_dir() / "bin")}
    ports = {p: free_port() for p in PARTS}
    env |= {f"FC_DEMO_{p.upper()}_PORT": str(n) for p, n in ports.items()}

    def run(command, timeout=300, default_ports=False):
        known = {k: v for k, v in env.items() if not (default_ports and re.fullmatch(r"FC_DEMO_\w+_PORT", k))}
        return subprocess.run(["deploy/local/fieldcast-local", command], cwd=ROOT, env=known, timeout=timeout,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
    run.folder, run.ports, run.env = folder, ports, env
    yield run
    run("clean")
    shutil.rmtree(folder, ignore_errors=True)


def ours(folder):
    """Processes that still have to do with the folder."""
    found = subprocess.run(["pgrep", "-f", "--", folder], capture_output=True, text=True).stdout.split()
    return [p for p in found if int(p) != os.getpid()]


@pytest.mark.long
def test_demo(demo, capsys):
    with socket.socket() as s:  # somebody else's port is refused in a sentence, and nothing is left
        s.bind(("127.0.0.1", demo.ports["proxy"]))
        s.listen()
        refused = demo("start")
        assert refused.returncode != 0
        assert f"port {demo.ports['proxy']} is taken" in refused.stderr + refused.stdout
        assert not ours(demo.folder)

    began = time.monotonic()
    started = demo("start")
    took = time.monotonic() - began
    assert started.returncode == 0, started.stdout + started.stderr
    with capsys.disabled():
        print(f"\ndemo: {took:.0f} s to the first forecast of every series\n{started.stdout}")
    steps = re.findall(r"^  \S.*\s[0-9.]+ s$", started.stdout, re.M)
    assert len(steps) >= 8, "each step says how long it took"
    lines = re.findall(r"^ +(curl .*)$", started.stdout, re.M)
    assert len(lines) == 3
    for line in lines:
        done = subprocess.run(["bash", "-c", line.replace("curl -s", "curl -fsS")], capture_output=True, text=True)
        assert done.returncode == 0 and done.stdout, (line, done.stderr)

    again = demo("start")
    assert again.returncode == 0 and "runs already" in again.stdout
    status = demo("status")
    assert status.returncode == 0
    elsewhere = demo("status", default_ports=True)  # another terminal, which does not know the ports
    assert elsewhere.stdout.splitlines()[-2:] == status.stdout.splitlines()[-2:], elsewhere.stdout
    for part in ("mosquitto", "influxdb", "postgres", "ingest", "trainer", "predictor", "monitor", "nginx"):
        assert part in status.stdout
    assert demo("stop").returncode == 0
    assert not ours(demo.folder)
    second = demo("start")  # what was there is there again, without a second backfill
    assert second.returncode == 0 and "of readings" not in second.stdout, second.stdout
    assert "what was measured since" in second.stdout  # or the house would have a hole where the demo was stopped
    with open(f"{demo.folder}/run/simulator.pid") as f:
        os.kill(int(f.read().split()[0]), signal.SIGKILL)
    lame = demo("status")
    assert lame.returncode != 0 and "make demo starts it anew" in lame.stdout
    third = demo("start")
    assert third.returncode == 0 and "runs already" not in third.stdout, third.stdout
    assert demo("status").returncode == 0
    assert demo("clean").returncode == 0
    assert not ours(demo.folder) and not os.path.exists(demo.folder)


@pytest.mark.long
def test_interrupted_twice(demo):
    """Ctrl-C, and again while the first is being followed: nothing is left."""
    started = subprocess.Popen(["deploy/local/fieldcast-local", "start"], cwd=ROOT, env=demo.env, text=True,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True,
                               # as in a terminal: what was started in the background may ignore it
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    wait_for(lambda: os.path.exists(f"{demo.folder}/run/trainer.pid"), 30, "the services")
    for _ in range(3):
        os.killpg(started.pid, signal.SIGINT)
        time.sleep(0.2)
    started.communicate(timeout=30)
    assert started.returncode == 130
    assert not ours(demo.folder)
