# SPDX-License-Identifier: GPL-3.0-or-later
"""The provided readings of minutes and seconds: [(epoch seconds, value)] by room and quantity. Times without a zone are taken as
UTC."""

import csv
import gzip
import statistics
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "shared/data"
ARRAYS = {"1c": "5e:44:3b:f3:79:c8", "00": "0e:9c:00:4c:1c:51", "b8": "f3:6b:f4:34:c0:17"}  # names, and as masked in the day's file
WEEK_S = 7 * 86400


def readings(path, time, columns, fields=None, only=None):
    """{column: [(s, value)]}; fields: names of the columns where the header is no use; only: one device of several."""
    name = DATA / path
    out = {c: [] for c in columns}
    with gzip.open(name, "rt") if name.suffix == ".gz" else name.open() as f:
        if fields:
            next(f)
        for r in csv.DictReader(f, fieldnames=fields):
            if only and r["device"] != only:
                continue
            t = r[time]
            s = float(t) if t.replace(".", "").isdigit() else datetime.fromisoformat(t).replace(tzinfo=timezone.utc).timestamp()
            for c in columns:
                if r[c] not in ("", "NA"):
                    out[c].append((s, float(r[c])))
    return out


def occupancy():
    """An office over 16 days, in three pieces."""
    fields = ["row", "date", "Temperature", "Humidity", "Light", "CO2", "HumidityRatio", "Occupancy"]
    columns = {"Temperature": "temperature", "Humidity": "humidity", "Light": "light", "CO2": "co2"}
    out = {q: [] for q in columns.values()}
    for part in ("datatest", "datatraining", "datatest2"):
        for c, rows in readings(f"occupancy/{part}.txt", "date", columns, fields).items():
            out[columns[c]] += rows
    return {"occupancy": out}


def esp32_home():
    """Three rooms over 8 days."""
    rooms = ("kitchen", "livingroom", "office")
    got = readings("esp32-home/cleaned_iot_data_20251109_1550.csv", "time", [f"{q}_{r}" for q in ("temp", "hum") for r in rooms])
    return {f"esp32-{r}": {"temperature": got[f"temp_{r}"], "humidity": got[f"hum_{r}"]} for r in rooms}


def iot_telemetry():
    """Three sensor arrays: one over 8 days, a tenth of its readings, and all of one of these days; the others over that day alone. lpg
    and smoke are functions of co."""
    columns = {"co": "co", "humidity": "humidity", "temp": "temperature"}
    out = {}
    for name, masked in ARRAYS.items():
        got = readings("iot-telemetry/telemetry-2020-07-13.csv.gz", "ts", columns, only=masked)
        if name == "1c":
            week = readings("iot-telemetry/device-1c-8days-10pct-sample.csv", "ts", columns)
            got = {c: list(dict(got[c] + week[c]).items()) for c in columns}
        out[f"iot-{name}"] = {q: sorted(got[c]) for c, q in columns.items()}
    return out


def sets():
    """{device: {quantity: [(s, value)]}}"""
    return occupancy() | esp32_home() | iot_telemetry()


def several(counts):
    """Whether hours have several readings: the median of those that have any, of two the smaller."""
    return statistics.median_low(counts) > 1


def whole_hours(times):
    """From the first hour to the last, but for these two, which are partial, where hours have several readings."""
    hours = Counter(int(s // 3600) for s in times)
    ends = several(hours.values())
    return range(min(hours) + ends, max(hours) + 1 - ends)


def messages(start_s, parts=None):
    """What the devices send: {hour from start_s on: [(device, s, values)]}, at most one of each a minute, whole hours alone. Each set is
    moved by weeks to the first that begins after start_s, so that its hours of the day and its weekdays stay."""
    out = {}
    for part in parts or (occupancy(), esp32_home(), iot_telemetry()):
        times = [s for qs in part.values() for rows in qs.values() for s, _ in rows]
        shift = -((min(times) - start_s) // WEEK_S) * WEEK_S
        for device, qs in part.items():
            minutes = {}
            for q, rows in qs.items():
                for s, v in rows:  # to the nearest: some are 59 and 61 s apart
                    minutes.setdefault(round(s / 60), (s, {}))[1].setdefault(q, v)
            known = sorted(minutes.values(), key=lambda m: m[0])
            hours = whole_hours(s for s, _ in known) if known else ()
            for s, values in known:
                if int(s // 3600) in hours:
                    out.setdefault(int((s + shift - start_s) // 3600), []).append((device, s + shift, values))
    return out
