# SPDX-License-Identifier: GPL-3.0-or-later
"""exposition: what must hold of a text of metrics, beyond what promtool says."""

import math
import re

from stack import parse_metrics

TYPE = "text/plain; version=0.0.4; charset=utf-8"
KINDS = {"counter", "gauge", "histogram"}


def check(text):
    """Raises AssertionError with what is wrong."""
    assert text.endswith("\n") and "\r" not in text
    family, kinds, seen, done = None, {}, set(), set()
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            assert name not in done, f"{name} comes in two groups"
            done.add(name)
            family = name
            assert len(line.split(" ", 3)) == 4 and line.split(" ", 3)[3], f"{name} has no help"
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == family and name not in kinds and kind in KINDS, line
            kinds[name] = kind
        else:
            name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line).group()
            base = name
            if kinds[family] == "histogram":
                base = re.sub("_(bucket|sum|count)$", "", name)
            assert base == family, f"{name} stands in the group of {family}"
            key = line.rsplit(" ", 1)[0]
            assert key not in seen, f"twice: {key}"
            seen.add(key)
    samples = parse_metrics(text)
    for name, labels, value in samples:
        assert labels.get("service"), f"{name} without service"
        if kinds.get(name) == "counter":
            assert name.endswith("_total"), name
            assert math.isfinite(value) and value >= 0, (name, value)
    check_histograms(samples, [n for n, k in kinds.items() if k == "histogram"])
    return kinds


def check_histograms(samples, names):
    for family in names:
        buckets, counts = {}, {}
        for name, labels, value in samples:
            key = tuple(sorted((k, v) for k, v in labels.items() if k != "le"))
            if name == family + "_bucket":
                buckets.setdefault(key, []).append((float(labels["le"]), value))
            elif name == family + "_count":
                counts[key] = value
        assert set(buckets) == set(counts), family
        for key, found in buckets.items():
            assert found == sorted(found), (family, key)
            assert [v for _, v in found] == sorted(v for _, v in found), (family, key, "not cumulative")
            assert found[-1] == (math.inf, counts[key]), (family, key, "+Inf is not the count")


def counters(text):
    kinds = check(text)
    return {(n, tuple(sorted(ls.items()))): v for n, ls, v in parse_metrics(text) if kinds.get(n) == "counter"}
