# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop's own score: hourly data goes through MQTT, ingest, roll-up, trainer, predictor and monitor on the virtual
clock, and the forecasts are scored as they were stored, beside seasonal naive and beside `fieldcast forecast` on what
was known at the same origins. Minutes go along: rooms that were measured for days, told apart from the hourly ones.
    loop.py [--days=70] [--from=14 (days without a score)] [--every=12 (hours between the command's origins)]
            [--input=FILE.csv (series,time,value; hourly) in place of the provided sets] [--quick]
            [--peers (statsforecast and scikit-learn at the origins, too)] [--peer-every=72 (hours between these)]"""

import csv
import math
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from datetime import datetime, timezone
from pathlib import Path

import arguments

arguments.check(__doc__)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import loop_alarms  # noqa: E402
import loop_peers  # noqa: E402
import minutes  # noqa: E402
from lib import SharedServers, Stack, build_dir, table  # noqa: E402
from minutes import DATA  # noqa: E402
from stack import HOUR, iso, ms  # noqa: E402

LEADS = [1, 6, 12, 24, 48]
LEVEL_A = 0.05
QUICK = "--quick" in sys.argv


def option(name, ordinary, quick=None):
    given = [a.split("=", 1)[1] for a in sys.argv if a.startswith(f"--{name}=")]
    return type(ordinary)(given[0]) if given else quick if QUICK and quick is not None else ordinary


DAYS, FROM, EVERY = option("days", 70, 20), option("from", 14, 10), option("every", 12, 24)
PEER_EVERY = option("peer-every", 72, 96)
ROOM_FROM, ROOM_EVERY = 48, 5  # hours that a room is known before its forecasts count; hours between the command's origins

# ---- data: {device: {quantity: {hour index: value}}}


def real(text):
    try:
        x = float(text)
    except ValueError:
        return None
    return x if math.isfinite(x) and x != -200 else None


def beijing(first):
    columns = {"pm2.5": "pm25", "DEWP": "dew_point", "TEMP": "temperature", "PRES": "pressure", "Iws": "speed"}
    rows = list(csv.DictReader((DATA / "beijing-pm25/PRSA_data_2010.1.1-2014.12.31.csv").open()))[first:]
    return {q: {i: real(r[c]) for i, r in enumerate(rows)} for c, q in columns.items()}


def uci(first):
    # under the names of quantities that are forecast without being told to
    columns = {"CO_GT": "co", "C6H6_GT": "tvoc", "NOx_GT": "so2", "NO2_GT": "no2", "T": "temperature", "RH": "humidity",
               "PT08_S1_CO": "lpg", "PT08_S5_O3": "o3"}
    rows = list(csv.DictReader((DATA / "uci-air-quality/AirQualityUCI.csv").open()))[first:]
    return {q: {i: real(r[c]) for i, r in enumerate(rows)} for c, q in columns.items()}


def own(path):
    out, first = defaultdict(lambda: defaultdict(dict)), None
    for r in csv.DictReader(open(path)):
        hour = ms(r["time"]) // HOUR
        first = hour if first is None else min(first, hour)
        device, _, quantity = r.get("series", "file.value").partition(".")
        out[device][quantity or "value"][hour] = real(r["value"])
    return {d: {q: {h - first: v for h, v in s.items()} for q, s in qs.items()} for d, qs in out.items()}


def data():
    path = option("input", "")
    if path:
        return own(path)
    if not DATA.exists():
        raise SystemExit(f"the data sets are not in {DATA}: give a file with --input=FILE.csv")
    return {"beijing10": beijing(24 * 60), "beijing13": beijing(24 * 1200), "italy": uci(24 * 30)}


# ---- the loop


START_MS = ms("2026-01-05T00:00:00Z")


def hourly_rows(devices, i):
    """What hourly devices send in hour i."""
    at_ms = START_MS + i * HOUR + HOUR // 2
    values = {d: {q: s[i] for q, s in qs.items() if s.get(i) is not None} for d, qs in devices.items()}
    return [(d, at_ms, v) for d, v in values.items() if v]


def room_rows(messages, i):
    return [(d, round(s * 1000), v) for d, s, v in messages.get(i, [])]


def stored_rows(st, devices):
    """{(series, origin, lead): (yhat, lower, upper)}"""
    rows = {}
    for d, q, lead in ((d, q, k) for d, qs in devices.items() for q in qs for k in LEADS):
        for r in st.influx(f"SELECT yhat, yhat_lower, yhat_upper, origin_ms FROM forecast_leads WHERE device='{d}' "
                           f"AND quantity='{q}' AND lead='{lead}' AND role='champion'"):
            rows[f"{d}.{q}", int(r["origin_ms"] - START_MS) // HOUR, lead] = (r["yhat"], r["yhat_lower"], r["yhat_upper"])
    return rows


def happened(st, devices):
    """What the loop did about these devices, counted."""
    mine = "split_part(series, '.', 1) = ANY(%s)"

    def count(what, table, where="true"):
        return {r["k"]: r["n"] for r in st.pg(f"SELECT {what} AS k, count(*)::int AS n FROM {table} WHERE {mine} AND {where} "
                                              "GROUP BY 1", list(devices))}
    return ({"trainings": sum(count("status", "runs", "status = 'FINISHED'").values())} | count("kind", "decisions") |
            {f"alert {k}": n for k, n in count("type", "alerts").items()} |
            {f"asked: {k}": n for k, n in count("reason", "decisions", "kind = 'retrain'").items()})


def alarms(st):
    """[(type, series, newest hour that was known)]: the hour, in seconds, is the end of the alarm's id."""
    return [(r["type"], r["series"], (int(r["id"].rsplit(":", 1)[1]) * 1000 - START_MS) // HOUR)
            for r in st.pg("SELECT id, type, series FROM alerts ORDER BY started, id")]


def champions(st):
    return {r["name"]: f"{r['algorithm']} {r['version']}" for r in st.pg(
        "SELECT a.name, v.algorithm, v.version FROM model_aliases a JOIN model_versions v ON v.name = a.name "
        "AND v.version = a.version WHERE a.alias = 'champion'")}


def run(devices, rooms, messages, hours):
    """(what was stored, what happened to hourly devices and rooms, alarms, champions, seconds)"""
    shared, st = SharedServers(), None

    def publish(hour_ms):
        i = (hour_ms - START_MS) // HOUR
        return hourly_rows(devices, i) + room_rows(messages, i)
    try:
        st = Stack(shared, start=iso(START_MS), clock=True)
        began = time.monotonic()
        for h in range(hours):
            st.advance(1, publish=publish, timeout=300)
            if sys.stderr.isatty() or h % 240 == 239:
                print(f"\r  {h + 1} of {hours} hours", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
        took = time.monotonic() - began
        return stored_rows(st, devices | rooms), (happened(st, devices), happened(st, rooms)), alarms(st), champions(st), took
    finally:
        if st:
            st.close()
        shared.close()


# ---- the command, from what was known at an origin


def offline(truth, origins):
    """origins: {series: [hour]}"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "known.csv"
        with path.open("w") as f:
            for name, y in truth.items():
                for o in origins[name]:
                    if y.get(o) is None:
                        continue
                    known = ["" if y.get(i) is None else repr(y[i]) for i in range(o + 1)]
                    f.write(f"{name}|{o},{','.join(known)}\n")
        began = time.monotonic()
        out = subprocess.run([build_dir() / "bin/fieldcast", "forecast", "--wide", "--start", iso(START_MS), "--input", path],
                             capture_output=True, text=True, check=True).stdout
        took = time.monotonic() - began
    rows = {}
    for r in csv.DictReader(out.splitlines()):
        name, o = r["series"].rsplit("|", 1)
        if int(r["lead"]) in LEADS:
            rows[name, int(o), int(r["lead"])] = tuple(float(r[c]) for c in ("yhat", "yhat_lower", "yhat_upper"))
    return rows, took


# ---- scores


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


def scale(y, origin):
    """q: over the hours before the first origin with a score."""
    d = [abs(y[i] - y[i - 24]) for i in y if i < origin and y.get(i) is not None and y.get(i - 24) is not None]
    return statistics.mean(d) if d else 0


def scales_of(truth, origins):
    return {name: scale(y, origins[name][0]) if origins[name] else 0 for name, y in truth.items()}


def by_series(both, truth, scales, stored, made):
    """(series, MASE of the stored, of the command's), the worst ratio first."""
    sums = defaultdict(lambda: [0, 0, 0])
    for name, o, k in both:
        y = truth[name].get(o + k)
        if y is not None and scales[name]:
            s = sums[name]
            s[0] += abs(y - stored[name, o, k][0]) / scales[name]
            s[1] += abs(y - made[name, o, k][0]) / scales[name]
            s[2] += 1
    rows = [(n, a / c, b / c) for n, (a, b, c) in sums.items()]
    return sorted(rows, key=lambda r: -r[1] / r[2])


def report(title, truth, scales, stored, made, champions, counts):
    """Where both forecast and the truth came."""
    both = [k for k in made if k in stored]
    rows = [("lead", "who", "forecasts", "MASE", "sMAPE", "MSIS", "inside 95 %")]
    ratio = {}
    for lead in [*LEADS, "all"]:
        who = {"stored": Score(), "the command": Score(), "seasonal naive": Score()}
        for name, o, k in both:
            y = truth[name]
            q, now, before = scales[name], y.get(o + k), naive(y, o, k)
            if lead not in (k, "all") or now is None or before is None or not q:
                continue
            who["stored"].add(name, q, now, *stored[name, o, k])
            who["the command"].add(name, q, now, *made[name, o, k])
            who["seasonal naive"].add(name, q, now, before)
        rows += [(f"{lead}" if w == "stored" else "", w, str(s.n), *s.cells()) for w, s in who.items()]
        ratio[lead] = Score.mean(who["stored"].mase) / Score.mean(who["the command"].mase)
    table(f"{title}: scores, series weigh the same", rows)
    table(f"{title}: by series, all leads, MASE", [("series", "stored", "the command", "ratio", "champion")] + [
        (n, f"{a:.3f}", f"{b:.3f}", f"{a / b:.3f}", champions.get(n, "none")) for n, a, b in by_series(both, truth, scales, stored, made)])
    table(f"{title}: the loop", [("stored / the command, MASE", *(f"{k}: {r:.3f}" for k, r in ratio.items())),
                                 ("not scored, q is not known or 0", ", ".join(n for n, q in scales.items() if not q) or "none"),
                                 *((k, str(n)) for k, n in sorted(counts.items()))])


def beside_peers(title, truth, scales, stored, origins):
    """Each peer where the loop had stored a forecast and the truth came. What a peer refuses counts as seasonal naive for it."""
    rows = [("", "forecasts", "MASE", "stored there", "ratio", "sMAPE", "MSIS", "inside 95 %", "refused")]
    for method in loop_peers.PEERS:
        made, refused = loop_peers.forecasts(method, truth, origins, PEER_EVERY)
        theirs, ours = Score(), Score()
        for name, hours in loop_peers.chosen(method, truth, origins, PEER_EVERY).items():
            for o, k in ((o, k) for o in hours for k in LEADS if (name, o, k) in stored):
                y = truth[name]
                q, now, before = scales[name], y.get(o + k), naive(y, o, k)
                if now is not None and before is not None and q:
                    theirs.add(name, q, now, *made.get((name, o, k), (before,)))
                    ours.add(name, q, now, *stored[name, o, k])
        a, b = Score.mean(ours.mase), Score.mean(theirs.mase)
        rows.append((method, str(theirs.n), f"{b:.4f}", f"{a:.4f}", f"{a / b:.3f}", *theirs.cells()[1:], str(refused)))
    table(f"{title}: what was stored beside the peers, origins {PEER_EVERY} hours apart", rows)


def room_truth(messages, hours):
    """{series: {hour: mean of what is sent}}"""
    sent = defaultdict(lambda: defaultdict(list))
    for i, rows in messages.items():
        for d, _, values in rows if i < hours else []:
            for q, v in values.items():
                sent[f"{d}.{q}"][i].append(v)
    return {name: {i: statistics.fmean(v) for i, v in s.items()} for name, s in sent.items()}


def figure():
    devices = data()
    messages = {} if option("input", "") else minutes.messages(START_MS // 1000)
    hours = min(DAYS * 24, max(max(s) for qs in devices.values() for s in qs.values()) + 1)
    truth = {f"{d}.{q}": {i: v for i, v in s.items() if i < hours} for d, qs in devices.items() for q, s in qs.items()}
    inside, rooms = room_truth(messages, hours), defaultdict(list)
    for name in inside:
        device, quantity = name.split(".")
        rooms[device].append(quantity)
    stored, counts, alarmed, served, took = run(devices, rooms, messages, hours)
    origins = {n: [o for o in range(FROM * 24, hours - 1) if o % EVERY == 0] for n in truth}
    origins |= {n: list(range(min(y) + ROOM_FROM, max(y), ROOM_EVERY)) for n, y in inside.items()}
    scales = scales_of(truth | inside, origins)
    made, command_s = offline(truth | inside, origins)
    print(f"{len(truth)} hourly series and {len(inside)} of rooms by the minute ({sum(map(len, messages.values()))} messages), "
          f"{hours / 24:.0f} virtual days in {took:.0f} s; the command took {command_s:.0f} s; "
          f"{sum(k not in stored for k in made)} of its {len(made)} forecasts were not stored by the loop")
    for title, some, happened_to in (("Hourly sets", truth, counts[0]), ("Minute sets", inside, counts[1])):
        if some:
            mine = {k: v for k, v in made.items() if k[0] in some}
            report(title, some, {n: scales[n] for n in some}, stored, mine, served, happened_to)
            table(f"{title}: alarms, by sensor and 30 days", loop_alarms.rows(alarmed, some, stored))
        if some and "--peers" in sys.argv:
            beside_peers(title, some, scales, stored, {n: origins[n] for n in some})


if __name__ == "__main__":
    print(datetime.now(timezone.utc).strftime("%Y-%m-%d"))
    figure()
