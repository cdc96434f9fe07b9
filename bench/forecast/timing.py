# SPDX-License-Identifier: GPL-3.0-or-later
"""What forecasts cost: made-up hourly series, 48 hours ahead, each program alone on the same core."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import ours
import peers
from scores import markdown

PEERS = ["AutoETS", "AutoTheta", "OLS (scikit-learn)"]


def one_core():
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def ended(argv):
    """(output, wall seconds, CPU seconds) of a program on one core."""
    began = time.monotonic()
    p = subprocess.Popen(argv, stdout=subprocess.PIPE, preexec_fn=one_core)
    out = p.stdout.read()
    _, status, used = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode:
        raise SystemExit(f"{argv[0]} ended with {p.returncode}")
    return out, time.monotonic() - began, used.ru_utime + used.ru_stime


def row(name, n, cpu, wall, ours_each):
    return [name, str(n), f"{cpu:.2f}", f"{wall:.2f}", f"{1000 * cpu / n:.1f}", f"{cpu / n / ours_each:.2f}"]


def figure(series, peer_series):
    """peer_series: how many of them the peers get; the ratio is of what one series costs."""
    print(f"### Time: {len(series)} made-up hourly series of 700 to 960 values, 48 hours ahead with a 95 % band, on one core\n")
    with tempfile.TemporaryDirectory() as folder:
        wide, arrays = Path(folder) / "made.csv", Path(folder) / "made.npz"
        ours.write_wide(wide, [s.history for s in series])
        out, wall, cpu = ended([ours.FIELDCAST, "forecast", "--wide", "-j1", "--input", wide])
        if out.count(b"\n") != 48 * len(series) + 1:
            raise SystemExit("a series was not forecast")
        each = cpu / len(series)
        rows = [row("`fieldcast forecast -j1`, the whole program", len(series), cpu, wall, each)]
        some = [s.history for s in series[::-(-len(series) // peer_series)]]
        np.savez(arrays, *some)
        for method in PEERS:
            t = json.loads(ended([sys.executable, Path(peers.__file__), "time", method, arrays])[0])
            if t["refused"]:
                raise SystemExit(f"{method} refused {t['refused']} series")
            rows.append(row(f"{method}{', no band' if method.startswith('OLS') else ''}", len(some), t["cpu"], t["wall"], each))
    markdown(["", "series", "CPU s", "wall s", "ms a series", "a series, ratio to ours"], rows)
