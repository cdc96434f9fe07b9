# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the loop's alarms were false. Nothing was done to the sensors of the provided sets, and nobody has written down what was
wrong with them: so an alarm is false unless the data bear it out (bench/README.md says why so)."""

SILENT_H = 4   # hours without a value that are told: more than gap_h
AFTER_H = 48   # hours behind an alarm that say whether it was right
ENOUGH_H = 12  # of them there must be so many


def silent(y, hour, _ahead):
    """Nothing was sent."""
    return all(y.get(i) is None for i in range(hour - SILENT_H + 1, hour + 1))


def stuck(y, hour, _ahead):
    """It does not move by itself either: nobody has mended it."""
    newest = max((i for i, v in y.items() if i <= hour and v is not None), default=None)
    later = [y[i] for i in range(hour + 1, hour + AFTER_H + 1) if y.get(i) is not None]
    return len(later) >= ENOUGH_H and set(later) == {y.get(newest)}


def skill_lost(y, hour, ahead):
    """What was stored one hour ahead goes on being worse than persistence."""
    known = [i for i in range(hour + 1, hour + AFTER_H + 1) if i in ahead and None not in (y.get(i), y.get(i - 1))]
    ours = sum(abs(y[i] - ahead[i]) for i in known)
    return len(known) >= ENOUGH_H and ours > sum(abs(y[i] - y[i - 1]) for i in known)


BORNE_OUT = {"sensor_silent": silent, "sensor_stuck": stuck, "skill_lost": skill_lost}


def count(alarms, truth, stored):
    """{type: (raised, false)}; alarms: (type, series, newest hour); stored: {(series, origin, lead): (yhat, …)}."""
    ahead = {name: {} for name in truth}
    for (name, origin, lead), row in stored.items():
        if lead == 1 and name in ahead:
            ahead[name][origin + 1] = row[0]
    out = {kind: (0, 0) for kind in BORNE_OUT}
    for kind, name, hour in alarms:
        if name in truth:
            raised, false = out[kind]
            out[kind] = raised + 1, false + (not BORNE_OUT[kind](truth[name], hour, ahead[name]))
    return out


def sensor_months(truth):
    """From the first to the last measured hour of each series, in units of 30 days."""
    known = [[i for i, v in y.items() if v is not None] for y in truth.values()]
    return sum(max(hours) - min(hours) + 1 for hours in known if hours) / 24 / 30


def rows(alarms, truth, stored):
    """Of the table."""
    counts, months = count(alarms, truth, stored), sensor_months(truth)
    total = tuple(map(sum, zip(*counts.values())))
    return [("", "raised", "by 30 days", "false", "by 30 days")] + [
        (kind, str(raised), f"{raised / months:.2f}", str(false), f"{false / months:.2f}")
        for kind, (raised, false) in [*counts.items(), ("all (target: at most 1 false)", total)]]
