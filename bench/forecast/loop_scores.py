# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores of what the loop stored, beside the command's; and what it did not store. Pure: {(series, origin, lead): (yhat, lower, upper)}
and {series: {hour: value}} go in, rows of tables come out."""

import math
import statistics
from collections import defaultdict

LEADS = [1, 6, 12, 24, 48]
LEVEL_A = 0.05
TARGET = 1.03  # MASE of the stored over that of the command's
SURE_H = 48    # hours without a gap of more than BRIDGED_H after which the loop has no excuse
BRIDGED_H = 3


def naive(y, o, lead):
    t = o + lead - 24 * math.ceil(lead / 24)
    return y.get(t)


class Score:
    def __init__(self):
        self.mase, self.smape, self.msis, self.inside = (defaultdict(list) for _ in range(4))

    def add(self, name, q, y, yhat, lower=None, upper=None):
        self.mase[name].append(abs(y - yhat) / q)
        self.smape[name].append(200 * abs(y - yhat) / (abs(y) + abs(yhat)) if y or yhat else 0)
        if lower is not None:
            outside = max(lower - y, y - upper, 0)
            self.msis[name].append((upper - lower + 2 / LEVEL_A * outside) / q)
            self.inside[name].append(outside == 0)

    @property
    def n(self):
        return sum(map(len, self.mase.values()))

    @staticmethod
    def mean(by):
        """Series weigh the same."""
        return statistics.mean(statistics.mean(v) for v in by.values()) if by else math.nan

    def cells(self):
        return (f"{self.mean(self.mase):.4f}", f"{self.mean(self.smape):.2f}", f"{self.mean(self.msis):.2f}",
                f"{100 * self.mean(self.inside):.1f} %" if self.inside else "")


def ratio(a, b):
    """Of errors: two that are 0 are the same."""
    return a / b if b else math.inf if a > 0 else 1.0 if a == 0 else math.nan


def scale(y, origin):
    """q: over the hours before the first origin with a score."""
    d = [abs(y[i] - y[i - 24]) for i in y if i < origin and y.get(i) is not None and y.get(i - 24) is not None]
    return statistics.mean(d) if d else 0


def scales_of(truth, origins):
    return {name: scale(y, origins[name][0]) if origins[name] else 0 for name, y in truth.items()}


def known(truth, scales, keys):
    """(key, q, what came, the same hour of the day before), where there is all of it."""
    for name, o, k in keys:
        y, q = truth[name], scales[name]
        now, before = y.get(o + k), naive(y, o, k)
        if now is not None and before is not None and q:
            yield (name, o, k), q, now, before


def by_lead(truth, scales, stored, made):
    """Rows of scores where both forecast; {lead: ratio} of MASE there, and where the command did, seasonal naive standing in for what was
    not stored: who says nothing where it is difficult is not the better for it."""
    rows, there, everywhere = [("lead", "who", "forecasts", "MASE", "sMAPE", "MSIS", "inside 95 %")], {}, {}
    for lead in [*LEADS, "all"]:
        who = {"stored": Score(), "the command": Score(), "seasonal naive": Score()}
        filled, every = Score(), Score()
        for key, q, now, before in known(truth, scales, [k for k in made if lead in (k[2], "all")]):
            filled.add(key[0], q, now, *stored.get(key, (before,)))
            every.add(key[0], q, now, *made[key])
            if key in stored:
                who["stored"].add(key[0], q, now, *stored[key])
                who["the command"].add(key[0], q, now, *made[key])
                who["seasonal naive"].add(key[0], q, now, before)
        rows += [(f"{lead}" if w == "stored" else "", w, str(s.n), *s.cells()) for w, s in who.items()]
        there[lead] = ratio(Score.mean(who["stored"].mase), Score.mean(who["the command"].mase))
        everywhere[lead] = ratio(Score.mean(filled.mase), Score.mean(every.mase))
    return rows, there, everywhere


def beside_target(ratios):
    """A cell for each lead, which says so where the target is missed."""
    return [f"{k}: {'none' if math.isnan(r) else f'{r:.3f}'}{' missed' if r > TARGET else ''}".rjust(18) for k, r in ratios.items()]


def by_series(truth, scales, stored, made, champions):
    """Rows of series, all leads; the worst ratio first, before it those of which nothing was stored."""
    sums, asked, lacking = defaultdict(lambda: [0, 0, 0]), defaultdict(int), defaultdict(int)
    for name, o, k in made:
        asked[name] += 1
        lacking[name] += (name, o, k) not in stored
        y = truth[name].get(o + k)
        if y is not None and scales[name] and (name, o, k) in stored:
            s = sums[name]
            s[0] += abs(y - stored[name, o, k][0]) / scales[name]
            s[1] += abs(y - made[name, o, k][0]) / scales[name]
            s[2] += 1
    rows = [(n, *(x / sums[n][2] for x in sums[n][:2])) if n in sums else (n, math.inf, 1.0)
            for n in asked if n in sums or lacking[n]]
    rows.sort(key=lambda r: -ratio(r[1], r[2]))
    return [("series", "stored", "the command", "ratio", "not stored", "champion")] + [
        (n, *((f"{a:.3f}", f"{b:.3f}", f"{ratio(a, b):.3f}") if n in sums else ("", "", "")),
         f"{lacking[n]} of {asked[n]}" if lacking[n] else "0", champions.get(n, "none")) for n, a, b in rows]


# ---- series of which nothing was stored


def longest(y):
    """Hours from the first to the last of the longest stretch whose gaps are bridged."""
    best, begin, before = 0, None, None
    for i in sorted(i for i, v in y.items() if v is not None):
        begin = i if before is None or i - before > BRIDGED_H + 1 else begin
        best, before = max(best, i - begin + 1), i
    return best


def owed(y, made):
    """Whether a forecast of the loop should be there: the command made one, or there was enough to train on and to go on from."""
    return made or longest(y) >= SURE_H


def reason(y, rolled, letter, state, job):
    """Why nothing is stored, as far as can be told. rolled: hours in InfluxDB; letter: ingest's sentence about what it refused; state: of
    the series; job: (state, message) of its last training."""
    if not any(v is not None for v in y.values()):
        return "it has no whole hour in this time"
    if not rolled:
        return "no hour of it was rolled up" + (f"; ingest: {letter}" if letter else "")
    if not job:
        return f"it was not trained: {rolled} hours, {state or 'not known to the monitor'}"
    return f"its last training is {job[0]}" + (f": {job[1]}" if job[1] else "") + f"; {rolled} hours, {state}"
