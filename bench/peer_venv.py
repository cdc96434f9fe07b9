# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual environment with pinned peers, made once: peer_venv.py REQUIREMENTS FOLDER."""

import subprocess
import sys
import venv
from pathlib import Path


def peer_python(requirements, home):
    """Its interpreter. A peer that cannot be had is a failure."""
    wanted, done = Path(requirements).read_text(), Path(home) / "installed"
    if not done.exists() or done.read_text() != wanted:
        venv.create(home, with_pip=True, clear=True)
        subprocess.run([Path(home) / "bin/python", "-m", "pip", "-q", "--disable-pip-version-check", "install", "-r", requirements],
                       check=True)
        done.write_text(wanted)
    return Path(home) / "bin/python"


if __name__ == "__main__":
    peer_python(*sys.argv[1:3])
