# SPDX-License-Identifier: GPL-3.0-or-later
"""The forecasters beside ours. Each takes the hours of one series without holes and gives rows of (yhat, lower, upper), the
bounds None where it has none; what it cannot forecast it refuses with an exception.

As a program: peers.py time METHOD FILE.npz forecasts the arrays of a file one after the other and tells the seconds;
peers.py forecast METHOD JOBS forecasts the lists of a JSON array on standard input, null for a hole."""

import hashlib
import json
import os
import sys
import time
import warnings
from multiprocessing import Pool
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # a process per core: with threads in each they wait for one another
import numpy as np  # noqa: E402

HERE = Path(__file__).resolve().parent
HORIZON, LEVEL, DAY = 48, 95, 24
OLS_LAGS = [*range(1, 26), 48, 168]
TREE_LAGS = [1, 2, 3, 23, 24, 25, 26, 47, 48, 167, 168, 169]


def naive(y, season):
    return [(float(v), None, None) for v in np.resize(y[-season:], HORIZON)]


def of_statsforecast(make):
    """A model of statsforecast, with its own band."""
    def forecast(y):
        from statsforecast import models
        f = make(models).forecast(y=np.asarray(y, float), h=HORIZON, level=[LEVEL])
        rows = np.column_stack([f["mean"], f[f"lo-{LEVEL}"], f[f"hi-{LEVEL}"]])
        if not np.isfinite(rows).all():
            raise ValueError("not finite")
        return rows.tolist()
    return forecast


def mstl(models, n):
    seasons = [s for s in (24, 168) if n >= 2 * s]
    if not seasons:
        raise ValueError("two seasons are needed")
    return models.MSTL(season_length=seasons)


def short_enough(lags, n):
    """Those lags that leave twice as many rows as there are columns."""
    lags = [k for k in lags if k < n]
    while lags and n - lags[-1] < 2 * (len(lags) + 3):
        lags = lags[:-1]
    if not lags:
        raise ValueError("too short")
    return lags


def rows_of(y, lags):
    t = np.arange(lags[-1], len(y))
    return t, y[t[:, None] - np.array(lags)]


def ols(y):
    """scikit-learn, step by step."""
    from sklearn.linear_model import LinearRegression
    y = np.asarray(y, float)
    lags = short_enough(OLS_LAGS, len(y))
    t, x = rows_of(y, lags)
    fit = LinearRegression().fit(x, y[t])
    known = np.append(y, np.zeros(HORIZON))
    for i in range(len(y), len(known)):
        known[i] = fit.intercept_ + known[i - np.array(lags)] @ fit.coef_
    return [(float(v), None, None) for v in known[len(y):]]


def trees(y):
    """Gradient boosting on lags, the hour of the day and the day of the week, step by step."""
    from sklearn.ensemble import HistGradientBoostingRegressor
    y = np.asarray(y, float)
    lags = short_enough(TREE_LAGS, len(y))
    t, x = rows_of(y, lags)
    fit = HistGradientBoostingRegressor(max_iter=200, learning_rate=.05, early_stopping=False, random_state=0)
    fit.fit(np.column_stack([x, t % 24, t // 24 % 7]), y[t])
    known = np.append(y, np.zeros(HORIZON))
    for i in range(len(y), len(known)):
        known[i] = fit.predict([[*known[i - np.array(lags)], i % 24, i // 24 % 7]])[0]
    return [(float(v), None, None) for v in known[len(y):]]


# name: (what settles its forecasts beside the versions, forecaster)
METHODS = {
    "AutoETS": ("24, its band", of_statsforecast(lambda m: m.AutoETS(season_length=DAY))),
    "AutoTheta": ("24, its band", of_statsforecast(lambda m: m.AutoTheta(season_length=DAY))),
    "MSTL": ("24 and 168, its band", lambda y: of_statsforecast(lambda m: mstl(m, len(y)))(y)),
    "AutoARIMA": ("24, its band", of_statsforecast(lambda m: m.AutoARIMA(season_length=DAY))),
    "OLS (scikit-learn)": (f"{OLS_LAGS}", ols),
    "gradient boosting": (f"{TREE_LAGS}, hour, weekday, 200 trees, 0.05", trees),
    "seasonal naive": ("24", lambda y: naive(y, DAY)),
    "persistence": ("1", lambda y: naive(y, 1)),
}


def one(task):
    """(key, rows or why there are none)"""
    method, key, y = task
    warnings.filterwarnings("ignore")
    try:
        return key, METHODS[method][1](y)
    except Exception as e:  # a peer that refuses a series is a result
        return key, f"{type(e).__name__}: {e}"


class Store:
    """Forecasts of peers kept under build/, by method and the very values: they cost up to two minutes each."""

    def __init__(self, folder, fresh):
        self.folder, self.used, self.made = Path(folder), 0, 0
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in self.folder.glob("*.jsonl") if fresh else []:
            path.unlink()
        self.versions = (HERE / "requirements.txt").read_text()

    def path(self, method):
        settled = hashlib.sha256(f"{self.versions} {METHODS[method][0]}".encode()).hexdigest()[:12]
        return self.folder / f"{method.replace(' ', '_')}-{settled}.jsonl"

    def known(self, path):
        return dict(json.loads(line) for line in path.open()) if path.exists() else {}

    def forecasts(self, method, histories, jobs):
        """In the order of the histories: rows, or a text that says why not."""
        path = self.path(method)
        known = self.known(path)
        keys = [hashlib.sha256(np.asarray(y, "<f8").tobytes()).hexdigest() for y in histories]
        tasks = {k: (method, k, y) for k, y in zip(keys, histories) if k not in known}
        self.used += len(keys) - len(tasks)
        self.made += len(tasks)
        with path.open("a") as f, Pool(jobs) as pool:
            for n, (key, rows) in enumerate(pool.imap_unordered(one, tasks.values()), 1):
                known[key] = rows
                f.write(json.dumps([key, rows]) + "\n")
                f.flush()
                progress(method, n, len(tasks))
        return [known[k] for k in keys]


def progress(what, n, of):
    if sys.stderr.isatty():
        print(f"\r  {what}: {n} of {of} ", end="\n" if n == of else "", file=sys.stderr, flush=True)


def timed(method, path):
    """Seconds of this process, the first series not counted, as it loads what the library loads lazily."""
    series = [np.asarray(y) for y in np.load(path).values()]
    one((method, "", series[0]))
    wall, cpu = time.monotonic(), time.process_time()
    refused = [r for _, r in (one((method, "", y)) for y in series) if isinstance(r, str)]
    print(json.dumps({"wall": time.monotonic() - wall, "cpu": time.process_time() - cpu, "refused": len(refused)}))


def asked(method, jobs):
    """Of each list its rows, or a text that says why not."""
    import sets
    store = Store(HERE.parent.parent / "build/forecast-peers", False)
    histories = [sets.filled(np.array(y, float)) for y in json.load(sys.stdin)]
    print(json.dumps(store.forecasts(method, histories, int(jobs))))


if __name__ == "__main__":
    {"time": timed, "forecast": asked}[sys.argv[1]](*sys.argv[2:4])
