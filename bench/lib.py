# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmarks share: the stack of the tests, on the shipped settings, and figures."""

import os
import re
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/integration"))

from stack import SERVICES, SharedServers, Stack, build_dir  # noqa: E402


@contextmanager
def stack(**kw):
    """A whole stack on real time and with the shipped tick; ended whatever happens."""
    shared = SharedServers()
    st = None
    try:
        st = Stack(shared, clock=False, env={"FC_TICK_MS": 1000, **kw.pop("env", {})}, **kw)
        yield st
    finally:
        if st:
            st.close()
        shared.close()


def simulate(st, devices, *args):
    """`fieldcast simulate` of this build on the stack's broker, as a running process."""
    command = [build_dir() / "bin/fieldcast", "simulate", "--mqtt", st.mosquitto.url, "--devices", devices, *args]
    return subprocess.Popen([*map(str, command)], stderr=subprocess.DEVNULL)


def champions(st):
    """(series with a champion, series)."""
    items = st.status()["series"]
    return sum(1 for s in items if s.get("champion")), len(items)


def memory(pid):
    """(proportional, resident) set size in MB."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    kb = {k: int(v) for k, v in re.findall(r"^(Pss|Rss):\s+(\d+) kB", text, re.M)}
    return kb["Pss"] / 1024, kb["Rss"] / 1024


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def make(*targets):
    build = build_dir().relative_to(ROOT) if build_dir().is_relative_to(ROOT) else build_dir()
    subprocess.run(["make", "-s", f"BUILD={build}", *(f"{build}/{t}" for t in targets)], cwd=ROOT, check=True)


def table(title, rows):
    print(f"\n{title}")
    width = max(len(r[0]) for r in rows)
    for name, *cells in rows:
        print(f"  {name:<{width}}  " + "  ".join(f"{c:>12}" for c in cells), flush=True)


def median(values):
    return statistics.median(values)


def wait(seconds):
    time.sleep(seconds)
