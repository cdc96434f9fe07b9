#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""report.py REPORT: what a pytest run's JUnit report says, for tests/run.sh.

The first line has the tests that passed, failed (errors among them) and were skipped; then comes a
line for each that failed: where it stands and the first line of why. A report that is missing or
cut short is one failure.
"""
import sys
import xml.etree.ElementTree as et

LONGEST = 200  # characters of a reason


def failures(suite):
    for case in suite.iter("testcase"):
        for kind in ("failure", "error"):
            for problem in case.iter(kind):
                reason = (problem.get("message") or "no reason given").strip().splitlines()[0]
                yield f"{case.get('classname')}.{case.get('name')}: {reason[:LONGEST]}"


def main(report):
    try:
        suite = et.parse(report).getroot().find("testsuite")
    except (OSError, et.ParseError) as e:
        print("0 1 0")
        print(f"no report: {e}")
        return
    bad = int(suite.get("failures")) + int(suite.get("errors"))
    skipped = int(suite.get("skipped"))
    print(max(0, int(suite.get("tests")) - bad - skipped), bad, skipped)
    for line in failures(suite):
        print(line)


if __name__ == "__main__":
    main(sys.argv[1])
