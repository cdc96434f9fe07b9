# SPDX-License-Identifier: GPL-3.0-or-later
"""Forecasts of `fieldcast forecast`: the choice, or one candidate alone."""

import csv
import json
import os
import subprocess
import tempfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
FIELDCAST = Path(os.environ.get("FC_BUILD", ROOT / "build")) / "bin/fieldcast"


def write_wide(path, histories):
    with open(path, "w") as f:
        for i, y in enumerate(histories):
            f.write(f"s{i}," + ",".join("" if np.isnan(v) else repr(float(v)) for v in y) + "\n")


def forecasts(histories, jobs, candidate=None):
    """In the order of the histories: rows (yhat, lower, upper), or the sentence that says why not."""
    option = ["--candidate", candidate] if candidate else []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.csv"
        write_wide(path, histories)
        run = subprocess.run([FIELDCAST, "forecast", "--wide", f"-j{jobs}", *option, "--input", path], capture_output=True, text=True)
    if run.returncode > 1:
        raise SystemExit(run.stderr)
    rows = {}
    for r in csv.DictReader(run.stdout.splitlines()):
        rows.setdefault(r["series"], []).append([float(r[c]) if r[c] else None for c in ("yhat", "yhat_lower", "yhat_upper")])
    why = dict(line.removeprefix("fieldcast forecast: ").split(" ", 1) for line in run.stderr.splitlines() if ": s" in line)
    return [rows.get(f"s{i}") or why.get(f"s{i}", "no forecast") for i in range(len(histories))]


# what `fieldcast backtest` tells beside the candidates
BESIDE = ("naive2", "blend", "chosen")


def backtest(series):
    """[{candidate: MASE}], as the command says itself, of forecasts of the last 48 hours of each from all before them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.csv"
        write_wide(path, series)
        out = subprocess.run([FIELDCAST, "backtest", "--wide", "--origins", "1", "--json", "--input", path],
                             capture_output=True, text=True, check=True).stdout
    return [{c["name"]: c.get("mase") for c in s["candidates"] if c["name"] not in BESIDE} for s in json.loads(out)["series"]]


def candidates():
    """Their names, in the order of the list."""
    return list(backtest([np.arange(200) % 24 + 1.0])[0])
