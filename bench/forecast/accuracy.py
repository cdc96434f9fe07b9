# SPDX-License-Identifier: GPL-3.0-or-later
"""How good forecasts of 48 hours are on the provided data, and what they cost: the choice, every candidate and the peers on the
same series in one run. See bench/README.md.
    accuracy.py [--quick] [--fresh] [--jobs=N] [--only=accuracy,check,short,time] [--peer-series=N]
--fresh: forecast with the peers again instead of reading what earlier runs kept under build/. --peer-series: of
the 414 whose forecasting is timed, how many the peers get (all)."""

import os
import sys
from collections import Counter

import arguments

arguments.check(__doc__)
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # a process is a core

import numpy as np  # noqa: E402

import ours  # noqa: E402
import peers  # noqa: E402
import sets  # noqa: E402
import short  # noqa: E402
import timing  # noqa: E402
from scores import markdown, mean, naive2, owa, score  # noqa: E402

QUICK = "--quick" in sys.argv
SETS = ["PM2.5", "weather", "gases", "rooms"]
SLOW = {"AutoARIMA": {"PM2.5": 4, "weather": 4, "gases": 4, "rooms": 8}}  # stretches of each set; one takes minutes
CHOICE = "**the choice**"


def option(name, ordinary):
    given = [a.split("=", 1)[1] for a in sys.argv if a.startswith(f"--{name}=")]
    return type(ordinary)(given[0]) if given else ordinary


JOBS = option("jobs", os.cpu_count())


def spread(items, n):
    """n of them, evenly."""
    return [items[int((i + .5) * len(items) / n)] for i in range(min(n, len(items)))]


def provided():
    if not sets.DATA.exists():
        raise SystemExit(f"the data sets are not in {sets.DATA}")
    every = sets.months() + sets.rooms()
    scored = [s for s in every if s.q > 0]
    constant = Counter(s.set for s in every if not s.q > 0)
    if QUICK:
        scored = [s for name in SETS for s in spread([s for s in scored if s.set == name], 4)]
    return scored, constant


# ---- accuracy


def asked(method, stretches):
    """The places of the series that this peer is asked for."""
    if method not in SLOW:
        return range(len(stretches))
    chosen = []
    for name in SETS:
        chosen += spread([i for i, s in enumerate(stretches) if s.set == name], 0 if QUICK else SLOW[method][name])
    return chosen


def place(out, method, made, stretches, at):
    """Scores by series; what was refused is left out."""
    for i, rows in zip(at, made):
        if not isinstance(rows, str):
            out[method][i] = score(stretches[i].truth, rows, stretches[i].q)


def measure(stretches, store):
    """{method: {place of the series: Score}}, and how many a peer refused, in whose place seasonal naive counts for it."""
    raw, whole = [s.history for s in stretches], [sets.filled(s.history) for s in stretches]
    out, refused = {CHOICE: {}}, Counter()
    place(out, CHOICE, ours.forecasts(raw, JOBS), stretches, range(len(raw)))
    for c in ours.candidates():
        out[c] = {}
        place(out, c, ours.forecasts(raw, JOBS, c), stretches, range(len(raw)))
    for m in [m for m in peers.METHODS if m not in ("seasonal naive", "persistence")]:
        at, out[m] = asked(m, stretches), {}
        made = store.forecasts(m, [whole[i] for i in at], JOBS) if len(at) else []
        refused[m] = sum(isinstance(r, str) for r in made)
        instead = [peers.naive(whole[i], 24) if isinstance(r, str) else r for i, r in zip(at, made)]
        place(out, m, instead, stretches, at)
    out["Naive2"] = {}
    place(out, "Naive2", [[(v, None, None) for v in naive2(y)] for y in whole], stretches, range(len(raw)))
    return out, refused


def cells(scores, choice, reference):
    """Of one method on the series that it has, beside the choice on these."""
    band = [s for s in scores if not np.isnan(s.msis)]
    return [str(len(scores)), f"{mean(s.mase for s in scores):.3f}", f"{mean(s.mase for s in choice):.3f}",
            f"{mean(s.smape for s in scores):.2f}", f"{owa(scores, reference):.3f}",
            f"{mean(s.msis for s in band):.2f}" if band else "", f"{100 * mean(s.coverage for s in band):.1f} %" if band else ""]


def table_of(name, stretches, got, constant):
    here = [i for i, s in enumerate(stretches) if s.set == name]
    if not here:
        return
    print(f"### {name}: {len(here)} stretches, {constant[name]} left out as they do not change from day to day\n")
    rows = []
    for m, by in got.items():
        have = [i for i in here if i in by]
        if have:
            rows.append([m, *cells([by[i] for i in have], [got[CHOICE][i] for i in have], [got["Naive2"][i] for i in have])])
    markdown(["", "series", "MASE", "the choice there", "sMAPE", "OWA", "MSIS", "inside 95 %"], rows)


def overview(stretches, got):
    """All sets side by side; where a method took part in some of a set's stretches only, the choice on these is told."""
    rows = []
    for m, by in got.items():
        row = [m]
        for name in SETS:
            here = [i for i, s in enumerate(stretches) if s.set == name]
            have = [i for i in here if i in by]
            some = f" ({len(have)}: {mean(got[CHOICE][i].mase for i in have):.3f})" if have and len(have) < len(here) else ""
            msis = mean(by[i].msis for i in have)
            row += [f"{mean(by[i].mase for i in have):.3f}{some}" if have else "", f"{msis:.2f}" if msis == msis else ""]
        rows.append(row)
    print("### MASE and MSIS by set (stretches that took part: MASE of the choice on these)\n")
    markdown(["", *(f"{name} {what}" for name in SETS for what in ("MASE", "MSIS"))], rows)


def verdict(stretches, got):
    """Against each set's best single peer. One that took part in some series only is compared on these."""
    rows = []
    for name in SETS:
        for m in peers.METHODS:
            have = [i for i, s in enumerate(stretches) if s.set == name and i in got.get(m, {})]
            if have:
                a, b = ([got[k][i].mase for i in have] for k in (CHOICE, m))
                rows.append((name, mean(a) / mean(b), m, len(have), mean(a), mean(b), mean(x < y for x, y in zip(a, b))))
    head = ["set", "the hardest peer", "series", "the choice", "peer", "ratio", "choice better in"]
    hardest = [max(r for r in rows if r[0] == name) for name in SETS if any(r[0] == name for r in rows)]
    print("### The choice and the peer that comes nearest to it (target: at most 1)\n")
    markdown(head, [[n, m, str(k), f"{a:.3f}", f"{b:.3f}", f"{r:.3f}", f"{100 * w:.0f} %"] for n, r, m, k, a, b, w in hardest])


def accuracy(stretches, constant, store):
    got, refused = measure(stretches, store)
    for name in SETS:
        table_of(name, stretches, got, constant)
    overview(stretches, got)
    verdict(stretches, got)
    print("Refused by a peer, scored as seasonal naive:", ", ".join(f"{m} {n}" for m, n in refused.items() if n) or "none")
    print(f"Peers' forecasts: {store.made} made now, {store.used} kept from earlier runs (--fresh makes all again)\n")


# ---- does the command say the same?


def check(stretches):
    """The MASE that `fieldcast backtest` computes of the same forecasts. It has to know the last hour to begin there."""
    some = [s for s in stretches if not np.isnan(s.truth[-1]) and s.set != "rooms"][::8]
    said = ours.backtest([np.r_[s.history, s.truth] for s in some])
    worst = n = 0
    for c in said[0]:
        for s, by, rows in zip(some, said, ours.forecasts([s.history for s in some], JOBS, c)):
            if by[c] is not None and not isinstance(rows, str):
                worst, n = max(worst, abs(score(s.truth, rows, s.q).mase / by[c] - 1)), n + 1
    print(f"`fieldcast backtest` says the same MASE of {n} forecasts: largest relative difference {worst:.1e}\n")
    if not n or worst > 1e-6:
        raise SystemExit("the two disagree")


def main():
    only = option("only", "accuracy,check,short,time").split(",")
    store = peers.Store(ours.ROOT / "build/forecast-peers", "--fresh" in sys.argv)
    stretches, constant = provided()
    if "accuracy" in only:
        accuracy(stretches, constant, store)
    if "check" in only:
        check(stretches)
    if "short" in only:
        short.figure([s for s in stretches if s.set != "rooms"], store, JOBS, QUICK)
    if "time" in only:
        timing.figure(sets.made_up(20 if QUICK else 414), option("peer-series", 414))


if __name__ == "__main__":
    main()
