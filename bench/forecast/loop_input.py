# SPDX-License-Identifier: GPL-3.0-or-later
"""A file of one's own for the loop, by the rules of `fieldcast forecast` (docs/forecasting.md): a value a row, or with --wide a series a
row; and a column per series, or per quantity where a column names the device. What is none of these is refused with its line."""

import csv
import gzip
import math
import re
from datetime import datetime, timezone
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORMS = ("the header must name time (or timestamp) and then value and perhaps series, or a column for each series, or device and a column "
         "for each quantity; a file with a series per row is read with --wide")
MISSING = {"", "na", "nan", "null", "none"}
DIGITS = re.compile(r"[-+.\deE ]+")  # float() alone would take inf and 1_000
HOUR_S = 3600

# ---- cells


def number(text):
    """None: missing; ValueError: not a number."""
    if text.strip().lower() in MISSING:
        return None
    if not DIGITS.fullmatch(text) or not math.isfinite(float(text)):
        raise ValueError
    return float(text)


def is_number(text):
    try:
        number(text)
    except ValueError:
        return False
    return True


def seconds(text):
    """Of RFC 3339 or a day, in UTC where it names no zone; or epoch seconds or milliseconds."""
    if DIGITS.fullmatch(text) and not re.search(r"\d-", text):
        s = float(text)
        return s / 1000 if abs(s) >= 5e11 else s
    t = datetime.fromisoformat(text.strip())
    return (t if t.tzinfo else t.replace(tzinfo=timezone.utc)).timestamp()


# ---- forms


def lines(path):
    """(number, cells) of those that are not empty."""
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as f:
        rows = csv.reader(f)
        for cells in rows:
            if any(cells):
                yield rows.line_num, cells


def refuse(path, line, why):
    raise SystemExit(f"{path}, line {line}: {why}")


def cell(path, line, read, text, what):
    try:
        return read(text)
    except (ValueError, OverflowError):
        return refuse(path, line, f'"{text[:60]}" is not {what}')


def layout(header, file_name):
    """(column of the time, [(column of a value, column that names its series or None, text behind that)]), or None: not known."""
    heads = [h.strip().lower() for h in header]
    at = {h: i for i, h in enumerate(heads)}
    time, device, series = at.get("time", at.get("timestamp")), at.get("device"), at.get("series")
    if time is None or len(at) < max(2, len(heads)):
        return None
    if "value" in at and (series is not None or device is None):
        return time, [(at["value"], series, "" if series is not None else file_name)]
    values = [(i, device, header[i].strip()) for i in range(len(heads)) if i not in (time, device)]
    return (time, values) if values and all(text for _, _, text in values) else None


def long(path):
    """{name: [(s, value)]} of a file whose rows have times."""
    rows, out, form, width = lines(path), {}, None, 0
    for line, cells in rows:
        if not form:
            form, width = layout(cells, re.sub(r"\.(csv|txt)$", "", path.name.removesuffix(".gz"))), len(cells)
            if not form:
                refuse(path, line, FORMS + ("; columns must be separated by commas" if re.search("[;\t]", cells[0]) else ""))
            continue
        if len(cells) < width or any(cells[width:]):
            refuse(path, line, f"the header has {width} columns, this row {len(cells)} (the decimal sign is a point)")
        time, values = form
        at = cell(path, line, seconds, cells[time], "a time")
        for i, namer, text in values:
            name = ".".join(t for t in ("" if namer is None else cells[namer], text) if t)
            value = cell(path, line, number, cells[i], f"a number (of {name})")
            out.setdefault(name, []).extend([] if value is None else [(at, value)])
    return out


def wide(path):
    """The same of a file with a series a row, its hours from 1970 on; the first row is a header if its second cell is no number."""
    out, first = {}, True
    for line, (name, *cells) in lines(path):
        header, first = first and cells and not is_number(cells[0]), False
        if header:
            continue
        if name in out:
            refuse(path, line, f"series {name} has a row further above, too")
        values = [cell(path, line, number, c, f"a number (of {name})") for c in cells]
        out[name] = [(HOUR_S * i, v) for i, v in enumerate(values) if v is not None]
    return out


# ---- names


def ingest_names():
    """{as people write it: as ingest stores it}, from ingest's own list."""
    return dict(re.findall(r'^    {"(\w+)", "(\w+)"},$', (ROOT / "services/ingest/decode_names.c").read_text(), re.M))


# fields that ingest keeps for itself (decode_names.c)
RESERVED = re.compile(r"time|device|received_ms|seq|quality|device_ms|late|.+_(min|max|n)")


def canonical(name, known_as):
    """(device, quantity) under which ingest stores what is sent as "H1", "Living Room.Temp" or "5e-44-3b-f3-79-c8.co"."""
    device, _, quantity = name.partition(".")
    if re.fullmatch(r"([\da-fA-F]{2}[:-]){5}[\da-fA-F]{2}", device):
        device = re.sub("[:-]", "", device).lower()
    device = re.sub(r"[^A-Za-z0-9_-]", "_", device)[:64]
    quantity = re.sub(r"[^a-z0-9_]", "_", quantity.strip().lower())[:50] or "value"
    quantity = quantity if quantity[0].isalpha() else f"q{quantity}"
    quantity = known_as.get(quantity, quantity)
    return device, f"{quantity}_value" if RESERVED.fullmatch(quantity) else quantity


def devices(named):
    """{device: {quantity: [(s, value)]}}, each by time."""
    out, whose, known_as = {}, {}, ingest_names()
    for name, rows in named.items():
        device, quantity = canonical(name, known_as)
        if not re.search("[A-Za-z0-9]", device):
            raise SystemExit(f'"{name}" cannot be made the name of a device: letters and digits are A to Z and 0 to 9')
        other = whose.setdefault((device, quantity), name)
        if other != name:
            raise SystemExit(f'"{other}" and "{name}" would both be {device}.{quantity}: give one another name')
        out.setdefault(device, {})[quantity] = sorted(rows)
    return out


def read(path, series_per_row=False):
    """devices() of a file; ends with a sentence where it is not to be read."""
    try:
        named = (wide if series_per_row else long)(Path(path))
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise SystemExit(f"{path} cannot be read: {e}") from e
    if not any(named.values()):
        raise SystemExit(f"{path} holds no value")
    return devices(named)
