# SPDX-License-Identifier: GPL-3.0-or-later
"""kafka: a mock cluster (librdkafka's, a process of its own with real listeners), a real Apache
Kafka, and what tests do with either: read a topic, write to it. By kcat."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path

from procs import PATH, ROOT, Proc, free_port, make_dir, wait_for, which


def run(args, text=None, timeout=120):
    done = subprocess.run([which("kcat"), "-q", *args], input=text, capture_output=True, text=True, timeout=timeout,
                          env={"PATH": PATH})
    assert done.returncode == 0, f"kcat {args}: {done.stderr}"
    return done.stdout


class Client:
    """brokers: "host:port,…"."""

    def __init__(self, brokers):
        self.brokers = brokers

    def read(self, topic):
        """All that lies in a topic: dicts of kcat's (key, payload, ts, headers, partition, offset)."""
        lines = run(["-b", self.brokers, "-C", "-t", topic, "-e", "-o", "beginning", "-J"]).splitlines()
        return [json.loads(line) for line in lines]

    def write(self, topic, rows, *more):
        """rows: (key, value)."""
        text = "".join(f"{k}\t{v}\n" for k, v in rows)
        run(["-b", self.brokers, "-P", "-t", topic, "-K", "\t", *more], text)


class MockKafka(Client):
    def __init__(self, build, *topics, brokers=2, partitions=4):
        argv = [which("setpriv"), "--pdeathsig", "KILL", build / "tests/mock-kafka", str(brokers), str(partitions), *topics]
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        start_new_session=True)
        super().__init__(self.process.stdout.readline().strip())
        assert self.brokers, "mock-kafka did not start"

    def do(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer == "ok", f"{line}: {answer}"

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)
        self.process.stdout.close()
