# SPDX-License-Identifier: GPL-3.0-or-later
"""All figures of ingest, or those that are named:
    run.py [--quick] [--rounds=5] [--messages=200000] [--backlog=1000 (MB)] [rate] [qos0] [backlog] [latency] [devices]
--quick: small numbers, to see that it all runs."""

import importlib
import os
import platform
import sys

FIGURES = ["rate", "qos0", "backlog", "latency", "devices"]


def main():
    named = [a for a in sys.argv[1:] if not a.startswith("--")]
    if wrong := [a for a in named if a not in FIGURES]:
        raise SystemExit(f"{wrong[0]} is not one of {', '.join(FIGURES)}")
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, {platform.machine()}, load before: {load:.1f}"
          + (" (others are at work: do not quote)" if load > 1 else ""))
    for name in named or FIGURES:
        importlib.import_module(name).figure()


if __name__ == "__main__":
    main()
