# SPDX-License-Identifier: GPL-3.0-or-later
"""The loop's own score: hourly data goes through MQTT, ingest, roll-up, trainer, predictor and monitor on the virtual
clock, and the forecasts are scored as they were stored, beside seasonal naive and beside `fieldcast forecast` on what
was known at the same origins. Minutes go along: rooms that were measured for days, told apart from the hourly ones.
A series that should have a stored forecast and has none is named, and the exit code is 1.
    loop.py [--days=70] [--from=14 (days without a score)] [--every=12 (hours between the command's origins)] [--quick]
            [--input=FILE.csv (time,value or series,time,value; or time and a column for each series; or time,device and a column for each
            quantity; hours or minutes; of minutes --from is 2 and --every 5) in place of the provided sets] [--wide (FILE has a series a
            row: its name, then its hours)]
            [--peers (statsforecast and scikit-learn at the origins, too)] [--peer-every=72 (hours between these)]"""

import csv
import math
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

import arguments

arguments.check(__doc__)
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import loop_alarms  # noqa: E402
import loop_input  # noqa: E402
import loop_peers  # noqa: E402
import minutes  # noqa: E402
from lib import SharedServers, Stack, build_dir, table  # noqa: E402
from loop_scores import (LEADS, TARGET, Score, beside_target, by_lead, by_series, known, owed, ratio, reason,  # noqa: E402
                         scales_of)
from minutes import DATA  # noqa: E402
from stack import HOUR, iso, ms  # noqa: E402

QUICK = "--quick" in sys.argv


def option(name, ordinary, quick=None):
    given = [a.split("=", 1)[1] for a in sys.argv if a.startswith(f"--{name}=")]
    return type(ordinary)(given[0]) if given else quick if QUICK and quick is not None else ordinary


DAYS, FROM, EVERY = option("days", 70, 20), option("from", 14, 10), option("every", 12, 24)
PEER_EVERY = option("peer-every", 72, 96)
INPUT = option("input", "")
# hours that a room is known before its forecasts count; hours between the command's origins
ROOM_FROM, ROOM_EVERY = (24 * option("from", 2), option("every", 5)) if INPUT else (48, 5)

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


def data():
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


def stored_rows(st, names):
    """{(series, origin, lead): (yhat, lower, upper)}"""
    rows = {}
    for name, lead in ((n, k) for n in names for k in LEADS):
        device, quantity = name.split(".")
        for r in st.influx(f"SELECT yhat, yhat_lower, yhat_upper, origin_ms FROM forecast_leads WHERE device='{device}' "
                           f"AND quantity='{quantity}' AND lead='{lead}' AND role='champion'"):
            rows[name, int(r["origin_ms"] - START_MS) // HOUR, lead] = (r["yhat"], r["yhat_lower"], r["yhat_upper"])
    return rows


def let_forecast(st, names):
    """Switches forecasting on where a quantity's kind does not: whoever gives a file wants forecasts of it. Returns those that the monitor
    does not know yet."""
    later = []
    for path in (f"/api/v1/rules/{n}" for n in names):
        rule = st.request("GET", "monitor", path)
        if rule.status_code == 404:
            later.append(path.rsplit("/", 1)[1])
            continue
        rule.raise_for_status()
        if not rule.json()["effective"]["forecast"]:
            st.request("PUT", "monitor", path, json={"forecast": True}).raise_for_status()
    return later


def why_not(st, truth):
    """{series: why nothing is stored}"""
    letters = st.get("ingest", "/api/v1/deadletters", limit=1000)["items"] if truth else []
    states = {r["name"]: r["state"] for r in st.pg("SELECT name, state FROM series")}
    jobs = {r["series"]: (r["state"], r["message"]) for r in st.pg("SELECT series, state, message FROM jobs ORDER BY id")}
    why = {}
    for name, y in truth.items():
        device, quantity = name.split(".")
        rolled = st.influx(f"SELECT count(\"{quantity}\") AS n FROM hourly WHERE device='{device}'")
        said = [x["detail"] for x in letters if x["topic"].split("/")[1:2] == [device] and quantity in (x["detail"] or "")]
        why[name] = reason(y, int(rolled[0]["n"]) if rolled else 0, said[0] if said else None, states.get(name), jobs.get(name))
    return why


def happened(st, names):
    """What the loop did about these series, counted."""
    def count(what, table, where="true"):
        return {r["k"]: r["n"] for r in st.pg(f"SELECT {what} AS k, count(*)::int AS n FROM {table} WHERE series = ANY(%s) AND {where} "
                                              "GROUP BY 1", list(names))}
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


def run(devices, messages, truth, inside, span):
    """(what was stored, what happened to hourly series and rooms, alarms, champions, seconds, why nothing was stored of a series)"""
    shared, st = SharedServers(), None

    def publish(hour_ms):
        i = (hour_ms - START_MS) // HOUR
        return hourly_rows(devices, i) + room_rows(messages, i)
    try:
        st = Stack(shared, start=iso(START_MS + span[0] * HOUR), clock=True)
        began, unasked = time.monotonic(), [*truth, *inside] if INPUT else []
        for h in range(len(span)):
            st.advance(1, publish=publish, timeout=300)
            unasked = let_forecast(st, unasked)
            if sys.stderr.isatty() or h % 240 == 239:
                print(f"\r  {h + 1} of {len(span)} hours", end="" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
        took = time.monotonic() - began
        stored = stored_rows(st, [*truth, *inside])
        served = {name for name, _, _ in stored}
        why = why_not(st, {n: y for n, y in (truth | inside).items() if n not in served})
        return stored, (happened(st, truth), happened(st, inside)), alarms(st), champions(st), took, why
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
                    past = ["" if y.get(i) is None else repr(y[i]) for i in range(o + 1)]
                    f.write(f"{name}|{o},{','.join(past)}\n")
        began = time.monotonic()
        done = subprocess.run([build_dir() / "bin/fieldcast", "forecast", "--wide", "--start", iso(START_MS), "--input", path],
                              capture_output=True, text=True)
        took = time.monotonic() - began
    if done.returncode > 1:  # 1: nothing could be forecast
        raise SystemExit(done.stderr)
    rows = {}
    for r in csv.DictReader(done.stdout.splitlines()):
        name, o = r["series"].rsplit("|", 1)
        if int(r["lead"]) in LEADS:
            rows[name, int(o), int(r["lead"])] = tuple(float(r[c]) for c in ("yhat", "yhat_lower", "yhat_upper"))
    return rows, took


# ---- scores


def report(title, truth, scales, stored, made, champions, counts):
    """Where both forecast and the truth came; and what is missing of the one."""
    rows, there, everywhere = by_lead(truth, scales, stored, made)
    missing = sum(k not in stored for k in made)
    table(f"{title}: scores, series weigh the same", rows)
    table(f"{title}: by series, all leads, MASE", by_series(truth, scales, stored, made, champions))
    table(f"{title}: the loop", [(f"stored / the command, MASE (target: {TARGET})", *beside_target(there)),
                                 ("stored, where nothing was stored seasonal naive", *beside_target(everywhere)),
                                 ("forecasts of the command that were not stored", f"{missing} of {len(made)}"),
                                 ("not scored, q is not known or 0", ", ".join(n for n, q in scales.items() if not q) or "none"),
                                 *((k, str(n)) for k, n in sorted(counts.items()))])


def beside_peers(title, truth, scales, stored, origins):
    """Each peer where the loop had stored a forecast and the truth came. What a peer refuses counts as seasonal naive for it."""
    rows = [("", "forecasts", "MASE", "stored there", "ratio", "sMAPE", "MSIS", "inside 95 %", "refused")]
    for method in loop_peers.PEERS:
        made, refused = loop_peers.forecasts(method, truth, origins, PEER_EVERY)
        theirs, ours = Score(), Score()
        for name, hours in loop_peers.chosen(method, truth, origins, PEER_EVERY).items():
            there = [(name, o, k) for o in hours for k in LEADS if (name, o, k) in stored]
            for key, q, now, before in known(truth, scales, there):
                theirs.add(name, q, now, *made.get(key, (before,)))
                ours.add(name, q, now, *stored[key])
        a, b = Score.mean(ours.mase), Score.mean(theirs.mase)
        rows.append((method, str(theirs.n), f"{b:.4f}", f"{a:.4f}", f"{ratio(a, b):.3f}", *theirs.cells()[1:], str(refused)))
    table(f"{title}: what was stored beside the peers, origins {PEER_EVERY} hours apart", rows)


def sent_by_hour(messages, names, hours):
    """{series: {hour: [what is sent]}}; names: those that may have sent nothing."""
    sent = {n: {} for n in names}
    for i, rows in messages.items():
        for d, _, values in rows if i in hours else []:
            for q, v in values.items():
                sent.setdefault(f"{d}.{q}", {}).setdefault(i, []).append(v)
    return sent


def means(sent):
    return {name: {i: statistics.fmean(v) for i, v in s.items()} for name, s in sent.items()}


def provided():
    """(devices, messages, truth by the hour, truth of rooms, hours)"""
    devices, messages = data(), minutes.messages(START_MS // 1000)
    hours = range(min(DAYS * 24, max(max(s) for qs in devices.values() for s in qs.values()) + 1))
    truth = {f"{d}.{q}": {i: v for i, v in s.items() if i in hours} for d, qs in devices.items() for q, s in qs.items()}
    return devices, messages, truth, means(sent_by_hour(messages, [], hours)), hours


def own():
    """The same of a file: all is sent at its own time, whatever it is; a series whose hours have several readings counts as a room."""
    part = loop_input.read(INPUT, "--wide" in sys.argv)
    messages = minutes.messages(START_MS // 1000, [part])
    if not messages:
        raise SystemExit(f"{INPUT} holds no whole hour")
    hours = range(min(messages), min(min(messages) + DAYS * 24, max(messages) + 1))
    sent = sent_by_hour(messages, [f"{d}.{q}" for d, qs in part.items() for q in qs], hours)
    fine = {n for n, s in sent.items() if s and minutes.several(map(len, s.values()))}
    return ({}, messages, means({n: s for n, s in sent.items() if n not in fine}), means({n: sent[n] for n in fine}), hours)


def origins_of(truth, inside, hours):
    """{series: [hour]}"""
    origins = {n: [o for o in range(min(y) + FROM * 24, hours.stop - 1) if o % EVERY == 0] if y else [] for n, y in truth.items()}
    return origins | {n: list(range(min(y) + ROOM_FROM, max(y), ROOM_EVERY)) for n, y in inside.items()}


def missing(why, truth, stored, made):
    """Names the series of which nothing was stored; whether that is as it should be."""
    with_forecasts = {name for name, _, _ in made}
    failed = {n for n in why if owed(truth[n], n in with_forecasts)}
    if why:
        table("Nothing was stored of", [(n, ("FAILED: " if n in failed else "too little: ") + w) for n, w in sorted(why.items())])
    return bool(stored) and not failed


def figure():
    devices, messages, truth, inside, hours = own() if INPUT else provided()
    both, origins = truth | inside, origins_of(truth, inside, hours)
    if not any(both[n].get(o) is not None for n, some in origins.items() for o in some):
        raise SystemExit(f"nothing to score in {len(hours)} hours: a series' first origin is {FROM} days behind its beginning, "
                         f"{ROOM_FROM // 24} where it has minutes (--from)")
    stored, counts, alarmed, served, took, why = run(devices, messages, truth, inside, hours)
    scales = scales_of(both, origins)
    made, command_s = offline(both, origins)
    print(f"{len(truth)} hourly series and {len(inside)} of rooms by the minute ({sum(map(len, messages.values()))} messages), "
          f"{len(hours) / 24:.0f} virtual days in {took:.0f} s; the command took {command_s:.0f} s; "
          f"{sum(k not in stored for k in made)} of its {len(made)} forecasts were not stored by the loop")
    for title, some, happened_to in (("Hourly sets", truth, counts[0]), ("Minute sets", inside, counts[1])):
        if not any(some.values()):
            continue
        mine = {k: v for k, v in made.items() if k[0] in some}
        report(title, some, {n: scales[n] for n in some}, stored, mine, served, happened_to)
        table(f"{title}: alarms, by sensor and 30 days", loop_alarms.rows(alarmed, some, stored))
        if "--peers" in sys.argv:
            beside_peers(title, some, scales, stored, {n: origins[n] for n in some})
    return missing(why, both, stored, made)


if __name__ == "__main__":
    print(datetime.now(timezone.utc).strftime("%Y-%m-%d"))
    sys.exit(not figure())
