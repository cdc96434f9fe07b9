# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/forecasting.md shows of the command is what the command says."""
import os
import re
import subprocess

import pytest

from test_command import FIELDCAST, ROOT

CHOSEN = re.compile(r"\s*(blend|chosen)\b")  # changes with the list of candidates


def blocks():
    """The commands of the section, each with what is shown of its output."""
    text = (ROOT / "docs/forecasting.md").read_text().split("\n## Files, without a server\n")[1].split("\n## ")[0]
    return re.findall(r"```sh\n(.*?)```\n(?:```\n(.*?)```)?", text, re.S)


def parts(shown):
    """Pieces of consecutive lines between those that say that more stands there."""
    piece = []
    for line in shown.splitlines():
        if line.strip() == "…":
            yield piece
            piece = []
        else:
            piece.append(line)
    yield piece


def number(word):
    try:
        return float(word)
    except ValueError:
        return None


def same_word(got, want, chosen):
    a, b = number(got), number(want)
    if a is None or b is None:
        return got == want
    return chosen or a == pytest.approx(b, rel=0.05)


def same_line(got, want):
    split = re.compile(r"[\s,]+")
    g, w = split.split(got.strip()), split.split(want.strip())
    timed = len(w) == 10 and number(w[-1]) is not None  # a line of a table ends with its time
    if timed:
        g, w = g[:-1], w[:-1]
    return len(g) == len(w) and all(same_word(a, b, CHOSEN.match(want)) for a, b in zip(g, w))


def find(lines, piece, at):
    for i in range(at, len(lines) - len(piece) + 1):
        if all(same_line(a, b) for a, b in zip(lines[i:], piece)):
            return i + len(piece)
    return None


def test_commands_of_the_docs(tmp_path):
    (tmp_path / "build/bin").mkdir(parents=True)
    (tmp_path / "build/bin/fieldcast").symlink_to(FIELDCAST)
    found = blocks()
    assert len(found) == 4
    for command, shown in found:
        done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=120,
                              env=os.environ)
        assert done.returncode == 0, done.stderr
        lines, at = done.stdout.splitlines(), 0
        for piece in parts(shown):
            after = find(lines, piece, at)
            assert after is not None, f"{command}: not there from line {at} on: {piece}"
            at = after
    for chart in ("rooms.svg", "errors.svg"):
        assert (tmp_path / chart).read_text().endswith("</svg>\n")
