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


START_TRIES, START_S = 3, 120
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qk"
POM = ROOT / "tests/kafka/pom.xml"
PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
listener.name.secure.ssl.keystore.type=PEM
listener.name.secure.ssl.keystore.location={pem}
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required user_ingest="{password}";
controller.listener.names=CONTROLLER
log.dirs={data}
num.partitions=4
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
"""


def jars():
    """The folder of Kafka's jars, fetched from Maven Central the first time."""
    build = ROOT / "build"
    folder = build / "kafka" / hashlib.sha256(POM.read_bytes()).hexdigest()[:12]
    if not folder.exists():
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        done = subprocess.run(
            [which("mvn"), "-q", "-B", "-ntp", f"-Dmaven.repo.local={build / 'maven'}", "-f", POM,
             "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={part}"],
            capture_output=True, text=True, timeout=900, env=os.environ | {"PATH": PATH})
        assert done.returncode == 0, f"mvn: {done.stdout[-2000:]}{done.stderr[-2000:]}"
        try:
            part.rename(folder)
        except OSError:  # another run was faster
            shutil.rmtree(part)
    return folder


class RealKafka(Client):
    """One node in KRaft mode, which is its own controller. Beside the open listener one with TLS
    (its certificate: ca_file) for the user "ingest"."""

    def __init__(self, folder):
        self.port, secure = free_port(), free_port()
        self.secure, self.password = f"127.0.0.1:{secure}", uuid.uuid4().hex
        super().__init__(f"127.0.0.1:{self.port}")
        data = make_dir(Path(folder) / "kafka")
        conf, self.ca_file, key = data / "server.properties", data / "cert.pem", data / "key.pem"
        subprocess.run([which("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key,
                        "-out", self.ca_file, "-subj", "/CN=kafka", "-addext", "subjectAltName=IP:127.0.0.1"],
                       check=True, capture_output=True)
        pem = data / "server.pem"
        pem.write_text(key.read_text() + self.ca_file.read_text())
        conf.write_text(PROPERTIES.format(port=self.port, secure=secure, controller=free_port(), data=data / "log", pem=pem,
                                          password=self.password))
        self.java = [which("java"), "-Xmx256m", "-cp", f"{jars()}/*"]
        done = subprocess.run([*self.java, "kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", conf],
                              capture_output=True, text=True, timeout=120, cwd=data, env={"PATH": PATH})
        assert done.returncode == 0, f"kafka format: {done.stdout}{done.stderr}"
        self.proc = Proc("kafka", [*self.java, "kafka.Kafka", conf], folder, cwd=data)

    def start(self):
        """Some five seconds; after a kill, and on a busy machine, much longer. One that hangs or
        ends while it starts is started again: how Kafka starts is not what is tested here."""
        for _ in range(START_TRIES):
            self.proc.start()
            try:
                wait_for(lambda: self.answers() or not self.proc.alive(), START_S, "Kafka to answer", every=0.5)
            except AssertionError:
                self.stop(signal.SIGKILL)
            if self.proc.alive():
                return self
            print(f"Kafka did not start:\n{self.proc.tail()}")
        raise AssertionError(f"Kafka did not start {START_TRIES} times, the last time:\n{self.proc.tail()}")

    def answers(self):
        done = subprocess.run([which("kcat"), "-b", self.brokers, "-L", "-m", "2"], capture_output=True, env={"PATH": PATH})
        return done.returncode == 0

    def stop(self, sig=signal.SIGTERM):
        return self.proc.stop(sig, timeout=60)
