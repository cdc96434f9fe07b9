# SPDX-License-Identifier: GPL-3.0-or-later
"""The peers of peers.py on what was known at origins of the loop, beside what the loop had stored there. They live in a virtual
environment of their own, which does not go with that of the tests: peers.py runs as a program there."""

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE.parent))

from peer_venv import peer_python  # noqa: E402

PEERS = ["AutoETS", "AutoTheta", "MSTL", "OLS (scikit-learn)", "gradient boosting", "AutoARIMA"]
RARE = {"AutoARIMA": 2}  # so many origins of each series, evenly spread; it takes a minute or two
WINDOW = 56 * 24  # hours of the past that a training of the loop sees; the peers see as many


def chosen(method, truth, origins, every):
    """{series: [hour]} of those that this peer is asked for: measured ones, so many hours apart; of them a few."""
    out = {}
    for name, hours in origins.items():
        hours = [o for o in hours if truth[name].get(o) is not None]
        some = [o for k, o in enumerate(hours) if not k or o // every > hours[k - 1] // every]
        few = min(RARE.get(method, len(some)), len(some))
        out[name] = [some[(2 * k + 1) * len(some) // (2 * few)] for k in range(few)]
    return out


def history(y, o):
    """From the first hour that was measured, up to the origin's; None is a hole."""
    first = max(min(y), o - WINDOW + 1)
    return [y.get(i) for i in range(first, o + 1)]


def forecasts(method, truth, origins, every):
    """{(series, origin, lead): (yhat, lower, upper)} and how many origins the peer refused."""
    asked = [(name, o) for name, hours in chosen(method, truth, origins, every).items() for o in hours]
    python = peer_python(HERE / "requirements.txt", ROOT / "build/bench-forecast-venv")
    done = subprocess.run([python, HERE / "peers.py", "forecast", method, str(os.cpu_count())], stdout=subprocess.PIPE, text=True,
                          check=True, input=json.dumps([history(truth[name], o) for name, o in asked]))
    rows, refused = {}, 0
    for (name, o), made in zip(asked, json.loads(done.stdout)):
        refused += isinstance(made, str)
        for lead, row in enumerate([] if isinstance(made, str) else made, 1):
            rows[name, o, lead] = tuple(row)
    return rows, refused
