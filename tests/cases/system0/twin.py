#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected numbers for the synthetic twin in tests/unit/test_system0.c.

Written apart from the C code and in exact rational arithmetic (a float is a fraction), so
that the two can only agree if both are right. Prints C constants; run it after a change of
the twin's definition and paste what it prints.
"""
from fractions import Fraction as F
from math import sqrt

T0, MINUTES = 1772359320, 10080  # 2026-03-01T10:02:00Z; seven days


def minutes():
    """(time, value or None): noise from a 31-bit congruential generator, two gaps."""
    rows, x = [], 20260301
    for i in range(MINUTES):
        x = (1103515245 * x + 12345) % 2**31
        p = i % 1440
        tenths = 200 + min(p, 1440 - p) // 6 + (i // 600) % 5 + (x >> 16) % 7 - 3
        if 3000 <= i < 3540 or 5000 <= i < 5020:
            continue  # no row at all
        missing = i < 2 or (x >> 8) % 97 == 0
        rows.append((T0 + 60 * i, None if missing else F(tenths / 10.0)))
    rows.append((T0 + 60 * (MINUTES - 1) + 12, None))  # the cut window at the end
    return rows


def fill(v):
    """Linear by position; the ends repeat the nearest value."""
    known = [i for i, a in enumerate(v) if a is not None]
    out = list(v)
    for i, a in enumerate(v):
        if a is None:
            left = max((k for k in known if k < i), default=None)
            right = min((k for k in known if k > i), default=None)
            if left is None or right is None:
                out[i] = v[right if left is None else left]
            else:
                out[i] = v[left] + (v[right] - v[left]) * F(i - left, right - left)
    return out


def solve(a, b):
    """Gauss-Jordan on fractions."""
    n = len(b)
    m = [row[:] + [b[i]] for i, row in enumerate(a)]
    for i in range(n):
        p = next(r for r in range(i, n) if m[r][i])
        m[i], m[p] = m[p], m[i]
        m[i] = [v / m[i][i] for v in m[i]]
        for r in range(n):
            if r != i:
                m[r] = [x - m[r][i] * y for x, y in zip(m[r], m[i])]
    return [row[n] for row in m]


def metrics(y, f):
    n = len(y)
    mean = sum(y) / n
    sse = sum((a - b) ** 2 for a, b in zip(y, f))
    mae = sum(abs(a - b) for a, b in zip(y, f)) / n
    return float(mae), sqrt(sse / n), float(1 - sse / sum((a - mean) ** 2 for a in y))


def main():
    rows = minutes()
    values = fill([v for _, v in rows])
    first = rows[0][0] // 3600
    buckets = [[] for _ in range(rows[-1][0] // 3600 - first + 1)]
    for (t, _), v in zip(rows, values):
        buckets[t // 3600 - first].append(v)
    hours = fill([sum(b) / len(b) if b else None for b in buckets])
    x = [hours[i:i + 4] for i in range(len(hours) - 4)]
    y = hours[4:]
    k = len(x) - -(-len(x) // 5)
    columns = list(zip(*x[:k]))
    mean = [sum(c) / k for c in columns]
    std = [sqrt(sum((v - m) ** 2 for v in c) / k) for c, m in zip(columns, mean)]
    design = [[F(1)] + r for r in x[:k]]
    gram = [[sum(r[i] * r[j] for r in design) for j in range(5)] for i in range(5)]
    beta = solve(gram, [sum(r[i] * t for r, t in zip(design, y)) for i in range(5)])
    yhat = [beta[0] + sum(b * v for b, v in zip(beta[1:], r)) for r in x]
    coef = [float(sum(y[:k]) / k)] + [float(b) * s for b, s in zip(beta[1:], std)]

    def c(name, v):
        print(f"static const double {name}[] = {{{', '.join(repr(float(a)) for a in v)}}};")

    print(f"#define TWIN_HOURS {len(hours)}\n#define TWIN_EMPTY {sum(not b for b in buckets)}")
    print(f"#define TWIN_ROWS {len(x)}\n#define TWIN_TRAIN {k}")
    for i in (0, 50, len(x) - 1):
        c(f"twin_row_{i}", x[i] + [y[i]])
    c("twin_coef", coef)
    c("twin_mean", mean)
    c("twin_std", std)
    c("twin_test", metrics(y[k:], yhat[k:]))
    c("twin_persistence", metrics(y[k:], [r[3] for r in x[k:]]))


main()
