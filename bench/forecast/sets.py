# SPDX-License-Identifier: GPL-3.0-or-later
"""The series that forecasts are measured on: stretches of the provided data, each with the 48 hours behind it that are to be
forecast, and made-up ones for what takes time."""

import csv
from dataclasses import dataclass

import numpy as np

import minutes
from minutes import DATA

HORIZON = 48
SHORTEST = 48   # hours before the first origin in a room
ROOM_STEP = 23  # from one origin in a room to the next
READINGS = 30   # a room's hour with fewer readings is missing


@dataclass
class Stretch:
    set: str
    name: str
    history: np.ndarray  # as measured, NaN: missing
    truth: np.ndarray

    @property
    def q(self):
        """Mean absolute difference from the day before, over the pairs of the history; 0 also where there is none."""
        d = np.abs(self.history[24:] - self.history[:-24])
        return float(np.nanmean(d)) if np.isfinite(d).any() else 0.0

    def last(self, hours):
        return Stretch(self.set, self.name, self.history[-hours:], self.truth)


def number(text):
    try:
        x = float(text)
    except ValueError:
        return np.nan
    return np.nan if x == -200 else x


def hourly(path, columns):
    rows = list(csv.DictReader((DATA / path).open()))
    return {c: np.array([number(r[c]) for r in rows]) for c in columns}


# ---- holes


def bridge(y, longest=3):
    """Gaps of at most so many hours filled in a straight line, as training does."""
    y, known = y.copy(), np.flatnonzero(~np.isnan(y))
    for a, b in zip(known[:-1], known[1:]):
        if 1 < b - a <= longest + 1:
            y[a + 1:b] = np.interp(np.arange(a + 1, b), [a, b], [y[a], y[b]])
    return y


def filled(y):
    """Without holes, for forecasters that take none: longer gaps get the same hour of the nearest day."""
    y = bridge(y)
    out, n = y.copy(), len(y)
    for i in np.flatnonzero(np.isnan(y)):
        near = [j for d in range(24, 169, 24) for j in (i - d, i + d) if 0 <= j < n and not np.isnan(y[j])]
        out[i] = y[near[0]] if near else np.nanmean(y)
    return out


def usable(history, truth):
    h = bridge(history)
    return not np.isnan(h[-1]) and np.isnan(h).mean() <= 0.2 and np.isnan(truth).mean() <= 0.5


# ---- months of hours


def cut(rng, name, y):
    """One stretch of 700 to 1,008 hours after the other; with more than a tenth missing it is left out."""
    at = 0
    while True:
        n = int(rng.integers(700, 1009))
        if at + n + HORIZON > len(y):
            return
        s = Stretch(name.split()[0], f"{name} {at}", y[at:at + n], y[at + n:at + n + HORIZON])
        at += n + HORIZON
        if usable(s.history, s.truth) and np.isnan(bridge(s.history)).mean() <= 0.1 and s.q > 0:
            yield s


def months():
    rng, out = np.random.default_rng(1), []
    beijing = hourly("beijing-pm25/PRSA_data_2010.1.1-2014.12.31.csv", ["pm2.5", "DEWP", "TEMP", "PRES", "Iws"])
    gases = hourly("uci-air-quality/AirQualityUCI.csv", [
        "CO_GT", "PT08_S1_CO", "C6H6_GT", "PT08_S2_NMHC", "NOx_GT", "PT08_S3_NOx", "NO2_GT", "PT08_S4_NO2", "PT08_S5_O3",
        "T", "RH", "AH"])
    for quantity, y in beijing.items():
        out += cut(rng, "PM2.5 pm2.5" if quantity == "pm2.5" else f"weather {quantity}", y)
    for quantity, y in gases.items():
        out += cut(rng, f"gases {quantity}", y)
    return out


# ---- days of minutes


def to_hours(rows):
    """Means of the hours between the first and the last, which are partial."""
    first = int(min(t for t, _ in rows) // 3600) + 1
    n = int(max(t for t, _ in rows) // 3600) - first
    at = np.array([int(t // 3600) - first for t, _ in rows])
    y = np.array([v for _, v in rows])
    inside = (at >= 0) & (at < n)
    count, total = np.bincount(at[inside], minlength=n), np.bincount(at[inside], y[inside], minlength=n)
    return np.where(count >= READINGS, total / np.maximum(count, 1), np.nan)


def rooms():
    """All history up to an origin that moves by 23 hours: such series last for days."""
    out = []
    for name, rows in [(f"{d}.{q}", rows) for d, qs in minutes.sets().items() for q, rows in qs.items()]:
        y = to_hours(rows)
        for end in range(len(y) - HORIZON, SHORTEST - 1, -ROOM_STEP):
            s = Stretch("rooms", f"{name} {end}", y[:end], y[end:end + HORIZON])
            if usable(s.history, s.truth):
                out.append(s)
    return out


# ---- made up


def made_up(count=414):
    """Day and week that multiply, a level that wanders, correlated noise; every fifth in whole numbers."""
    rng, out = np.random.default_rng(414), []
    for i in range(count):
        n = int(rng.choice([700, 748, 960]))
        t = np.arange(n + HORIZON)
        day = np.fft.rfft(rng.normal(0, 1, 24).cumsum())
        day[0] = day[5:] = 0
        day = np.fft.irfft(day, 24)
        week = np.ones(7)
        week[5:] = rng.uniform(.5, 1.1, 2)
        base = (1 + rng.uniform(.1, .6) * day[t % 24] / day.std()) * week[t // 24 % 7]
        slow = np.exp(np.cumsum(rng.normal(0, rng.choice([.0005, .002, .006]), len(t))))
        phi, sd = rng.uniform(.3, .95), rng.choice([.01, .03, .08])
        e, step = np.zeros(len(t)), rng.normal(0, sd, len(t)) * np.sqrt(1 - phi ** 2)
        for k in range(1, len(t)):
            e[k] = phi * e[k - 1] + step[k]
        y = 10 ** rng.uniform(1, 4) * np.maximum(base, .02) * slow * np.exp(e)
        y = np.round(y) if i % 5 == 0 else y
        out.append(Stretch("made up", f"h{i}", y[:n], y[n:]))
    return out
