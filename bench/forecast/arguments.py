# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark was told. They take minutes: none begins with an argument that nobody reads."""

import re
import sys


def check(manual):
    """Ends with the manual where it is asked for, and where an argument is not in it."""
    known = {"--help", *re.findall(r"--[a-z-]+", manual)}
    if "--help" in sys.argv:
        print(manual)
        sys.exit(0)
    for argument in sys.argv[1:]:
        if argument.split("=", 1)[0] not in known:
            sys.exit(f"{argument} is none of {', '.join(sorted(known))}")
