# SPDX-License-Identifier: GPL-3.0-or-later
"""Forecasts from short histories: the last hours of stretches alone."""

from collections import Counter

import numpy as np

import ours
import peers
import sets
from scores import markdown, mean, score

LENGTHS = [24, 48, 72, 120, 168, 240, 336, 400]
PEERS = ["seasonal naive", "persistence", "AutoETS", "AutoTheta", "MSTL", "OLS (scikit-learn)", "gradient boosting"]


def measure(stretches, hours, store, jobs):
    """{method: [Score]} and how often a peer refused. The scale is that of the whole stretch: a day alone has none."""
    known = [s.last(hours).history for s in stretches]
    made = {"the choice": ours.forecasts(known, jobs)}
    refused = Counter()
    whole = [sets.filled(y) for y in known]
    for m in PEERS:
        made[m] = store.forecasts(m, whole, jobs)
        refused[m] = sum(isinstance(r, str) for r in made[m])
        made[m] = [peers.naive(y, 24) if isinstance(r, str) else r for y, r in zip(whole, made[m])]
    return {m: [None if isinstance(r, str) else score(s.truth, r, s.q) for s, r in zip(stretches, rows)] for m, rows in made.items()}, refused


def cells(m, got, refused):
    """Beside the errors, what would be absurd: much worse than both naive forecasts, a band many times too wide or narrow."""
    some = [s for s in got[m] if s]
    naive = [min(a.mase, b.mase) for a, b in zip(got["seasonal naive"], got["persistence"])]
    bad = mean(s.mase > 2 * n for s, n in zip(got[m], naive) if s)
    band = [s for s in some if not np.isnan(s.msis)]
    return [f"{mean(s.mase for s in some):.3f}", f"{max(s.mase for s in some):.1f}", f"{100 * bad:.0f} %",
            f"{mean(s.msis for s in band):.2f}" if band else "", f"{100 * mean(s.coverage for s in band):.1f} %" if band else "",
            f"{mean(s.width for s in band):.2f}" if band else "", f"{max(s.width for s in band):.1f}" if band else "",
            str(len(got[m]) - len(some) or refused[m] or "")]


def figure(stretches, store, jobs, quick):
    some = stretches[::6] if quick else stretches[::8]
    print(f"### Short histories: {len(some)} stretches, their last hours alone\n")
    rows = []
    for hours in LENGTHS[::3] if quick else LENGTHS:
        fit = [s for s in some if not np.isnan(sets.bridge(s.last(hours).history)).mean() > 0.2]
        got, refused = measure(fit, hours, store, jobs)
        rows += [[f"{hours} h ({len(fit)})" if m == "the choice" else "", m, *cells(m, got, refused)] for m in got]
    markdown(["history (stretches)", "", "MASE", "worst", "over twice the better naive", "MSIS", "inside 95 %", "band's width / q",
              "widest", "refused"], rows)
