# SPDX-License-Identifier: GPL-3.0-or-later
"""procs: one real process with its log file.

Every process is asked to die with the test run (setpriv --pdeathsig), so that even a run that
is killed leaves none behind. As root, servers that refuse to be root run as `nobody`.
"""

import collections
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER_USER = pwd.getpwnam("nobody")
PATH = os.environ["PATH"] + ":/usr/local/sbin:/usr/sbin:/sbin"


class Missing(Exception):
    """A program that the tests need is not installed: a failure, not a reason to skip."""


def which(name):
    found = shutil.which(name, path=PATH)
    if not found:
        raise Missing(f"{name} is not installed; run deploy/packages.sh build run test")
    return found


# Below the range that the system gives to outgoing connections, so that none of those takes a
# port between its choice and its use; each run (and each of its workers) begins elsewhere. Sooner
# or later they meet all the same: so a port that was chosen is claimed, until the process has
# chosen so many more that whatever it was for has long begun to listen.
PORTS = range(12000, 32000)
CLAIMS = 200
_next_port = os.getpid() * 97 % len(PORTS)
_claims = collections.deque()


def claim(port):
    """By a name that only one process of the machine can have, and that ends with it."""
    s = socket.socket(socket.AF_UNIX)
    try:
        s.bind(f"\0fieldcast-tests-port-{port}")
    except OSError:
        s.close()
        return False
    _claims.append(s)
    if len(_claims) > CLAIMS:
        _claims.popleft().close()
    return True


def free_port():
    global _next_port
    for _ in PORTS:
        _next_port = (_next_port + 1) % len(PORTS)
        port = PORTS[_next_port]
        if not claim(port):
            continue
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise Missing("no port from 12000 to 31999 is free")


def make_dir(path, server_owned=False):
    path = Path(path)
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o755)
    if server_owned and os.geteuid() == 0:
        os.chown(path, SERVER_USER.pw_uid, SERVER_USER.pw_gid)
    return path


def as_server(argv):
    """The command as the unprivileged user, when we are root."""
    if os.geteuid() != 0:
        return list(argv)
    ids = [f"--reuid={SERVER_USER.pw_uid}", f"--regid={SERVER_USER.pw_gid}"]
    return [which("setpriv"), *ids, "--clear-groups", *argv]


def wait_for(condition, timeout=20, what="", every=0.02):
    """Calls condition() until it gives something true, and returns that. An exception counts
    as false; the last one is shown when time is up."""
    until = time.monotonic() + timeout
    last = None
    while True:
        try:
            got = condition()
            if got:
                return got
            last = got
        except (AssertionError, KeyError, IndexError, OSError, ValueError, TypeError) as e:
            last = e
        if time.monotonic() > until:
            raise AssertionError(f"waited {timeout} s in vain for {what or condition}: last {last!r}")
        time.sleep(every)


class Proc:
    def __init__(self, name, argv, log_dir, env=None, server=False, cwd=None):
        self.name, self.server, self.cwd = name, server, cwd
        self.argv = list(argv)
        self.env = {"PATH": PATH, "LANG": "C.UTF-8", "HOME": "/tmp", **(env or {})}
        self.log = Path(log_dir) / f"{name}.log"
        self.process = None

    def start(self):
        assert not self.alive(), f"{self.name} runs already"
        argv = [which("setpriv"), "--pdeathsig", "KILL", *self.argv]
        if self.server:
            argv = as_server([which("setpriv"), "--pdeathsig", "KILL", *self.argv])
        with open(self.log, "ab") as out:
            # a session of its own: the terminal's Ctrl-C reaches only pytest, which ends us
            self.process = subprocess.Popen(
                argv, env=self.env, cwd=self.cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                start_new_session=True)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    @property
    def pid(self):
        return self.process.pid

    def send(self, sig):
        if self.alive():
            self.process.send_signal(sig)

    def stop(self, sig=signal.SIGTERM, timeout=15):
        """Asks it to end and waits. Returns the exit code; insists after `timeout`, which then
        shows as -9."""
        if self.process is None:
            return None
        self.send(sig)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()

    def text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def tail(self, lines=60):
        return "\n".join(self.text().splitlines()[-lines:])
