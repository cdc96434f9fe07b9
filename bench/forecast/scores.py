# SPDX-License-Identifier: GPL-3.0-or-later
"""How good forecasts are, by the definitions of docs/forecasting.md, and Naive2, which OWA is relative to. All per series, then
averaged over series with equal weight; hours that were not measured are left out."""

from dataclasses import dataclass

import numpy as np

HORIZON, DAY, A = 48, 24, 0.05


@dataclass
class Score:
    mase: float
    smape: float
    msis: float = np.nan      # NaN: no band
    coverage: float = np.nan
    width: float = np.nan     # of the band, mean, in units of q


def smape(y, f):
    size = np.abs(y) + np.abs(f)
    return float(np.mean(np.where(size > 0, 200 * np.abs(y - f) / np.where(size > 0, size, 1), 0)))


def score(truth, rows, q):
    """rows: (yhat, lower, upper) per lead."""
    known = ~np.isnan(truth)
    y, (f, low, high) = truth[known], np.array(rows, float)[known].T
    s = Score(float(np.mean(np.abs(y - f))) / q, smape(y, f))
    if np.isfinite(low).all() and np.isfinite(high).all():
        outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
        s.msis = float(np.mean(high - low + 2 / A * outside)) / q
        s.coverage = float(np.mean(outside == 0))
        s.width = float(np.mean(high - low)) / q
    return s


# ---- Naive2


def seasonal(y):
    """Is the daily autocorrelation beyond what the shorter ones explain?"""
    n, d = len(y), y - y.mean()
    if n < 3 * DAY or not d.any():
        return False
    r = [(d[k:] * d[:-k]).sum() / (d * d).sum() for k in range(1, DAY + 1)]
    return abs(r[-1]) > 1.645 * np.sqrt((1 + 2 * sum(v * v for v in r[:-1])) / n)


def naive2(y):
    """Persistence on what a classical decomposition leaves, the last day's indices put back. Multiplicative; where values are not
    positive, additive."""
    n = len(y)
    if not seasonal(y):
        return np.full(HORIZON, y[-1])
    weights = np.r_[.5, np.ones(DAY - 1), .5] / DAY
    level, middle = np.convolve(y, weights, "valid"), y[DAY // 2:n - DAY // 2]
    hour = (np.arange(len(middle)) + DAY // 2) % DAY
    ahead = (n + np.arange(HORIZON)) % DAY
    last = (n - 1) % DAY
    if (y > 0).all():
        index = np.array([np.mean((middle / level)[hour == h]) for h in range(DAY)])
        index /= index.mean()
        return y[-1] / index[last] * index[ahead]
    index = np.array([np.mean((middle - level)[hour == h]) for h in range(DAY)])
    index -= index.mean()
    return y[-1] - index[last] + index[ahead]


# ---- over series


def mean(values):
    values = [v for v in values if not np.isnan(v)]
    return float(np.mean(values)) if values else np.nan


def owa(scores, reference):
    """Both over the same series."""
    return 0.5 * (mean(s.smape for s in scores) / mean(s.smape for s in reference) +
                  mean(s.mase for s in scores) / mean(s.mase for s in reference))


def markdown(head, rows):
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    for r in rows:
        print("| " + " | ".join(r) + " |", flush=True)
    print()
