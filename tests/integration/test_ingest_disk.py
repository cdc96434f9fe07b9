# SPDX-License-Identifier: GPL-3.0-or-later
"""The disk of ingest's log takes nothing, the log is deleted under it or is not what it left, a sink
is too far behind: it says so, acknowledges nothing, ends when asked, and everything is there in the
end."""

import os
import resource
import shutil
import time

from procs import Proc, free_port, wait_for, which
from stack import HOUR, START, ms, program


def stored(st, device):
    return sorted(int(r["seq"]) for r in st.influx(f"SELECT seq FROM readings WHERE device = '{device}'"))


def rows(st, device, n):
    return [(device, ms(START) + (st.seq.get(device, 0) + i) * 1000, {"temperature": 20 + i % 5}) for i in range(n)]


def waiting_for_log(st):
    return "log" in st.request("GET", "ingest", "/readyz", token=None).json()["waiting_for"]


def start_as(st, *argv):
    st.procs["ingest"] = Proc("ingest", [*argv, program("fc-ingest")], st.folder, st.environment("ingest")).start()
    return st.procs["ingest"]


def start_limitable(st):
    """As st.start(); a write beyond the size limit fails, as on a full disk, and does not kill."""
    start_as(st, "env", "--ignore-signal=XFSZ")
    st.wait_ready("ingest")


def start_obeying(st):
    """As st.start(), without waiting; a folder that is read-only is so for root as well."""
    caps = ["--bounding-set=-dac_override", "--inh-caps=-dac_override"]
    return start_as(st, *([which("setpriv"), *caps] if os.geteuid() == 0 else []))


def said(st, text):
    return text in st.procs["ingest"].text()


def test_a_full_disk(stacks):
    st = stacks(services=["ingest"], launch=False)
    st.service_extra = {"ingest": {"FC_TICK_MS": 1000}}
    st.launch(wait=False)
    st.wait_ready("ingest")
    st.restart("ingest", wait=False)
    st.procs["ingest"].stop()
    start_limitable(st)
    st.publish_all(rows(st, "kitchen", 300))
    st.wait_received()
    segment = next(st.folder.glob("ingest-data/*.log"))
    hard = resource.prlimit(st.procs["ingest"].pid, resource.RLIMIT_FSIZE)[1]
    resource.prlimit(st.procs["ingest"].pid, resource.RLIMIT_FSIZE, (os.stat(segment).st_size + 2000, hard))
    for row in rows(st, "kitchen", 100) + rows(st, "cellar", 100):  # some of them still fit
        st.publish(row[0], row[2], row[1], wait=False)
    wait_for(lambda: waiting_for_log(st), 5, "/readyz to name the log")
    time.sleep(2.5)  # acknowledgements of those that fitted are due meanwhile
    began = time.monotonic()
    assert st.procs["ingest"].stop() == 0
    assert time.monotonic() - began < 8
    assert sum("log is away" in x for x in st.procs["ingest"].text().splitlines()) == 1
    st.start("ingest")
    for device, n in (("kitchen", 400), ("cellar", 100)):
        wait_for(lambda: stored(st, device) == list(range(1, n + 1)), 30, f"{n} readings of {device}")  # noqa: B023


def test_the_log_is_deleted(stacks):
    st = stacks(services=["ingest"])
    st.publish_all(rows(st, "kitchen", 200))
    wait_for(lambda: len(stored(st, "kitchen")) == 200, 20, "the readings")
    while (st.folder / "ingest-data").exists():  # ingest goes on renaming its cursors meanwhile
        shutil.rmtree(st.folder / "ingest-data", ignore_errors=True)
    time.sleep(1.1)
    for device, t, values in rows(st, "kitchen", 100):
        st.publish(device, values, t, wait=False)
    wait_for(lambda: waiting_for_log(st), 5, "/readyz to name the log")
    assert "was deleted" in st.procs["ingest"].text()
    assert st.kill("ingest") == -9
    st.start("ingest")
    wait_for(lambda: stored(st, "kitchen") == list(range(1, 301)), 30, "all readings")


def test_a_folder_that_becomes_read_only(stacks):
    """What the open files take is taken; when another would be needed, nothing."""
    st = stacks(services=["ingest"], launch=False)
    st.service_extra = {"ingest": {"FC_LOG_MAX_MB": 4}}  # segments of 1 MB
    st.launch()
    st.procs["ingest"].stop()
    start_obeying(st)
    st.wait_ready("ingest")
    st.publish_all(rows(st, "kitchen", 100))
    wait_for(lambda: len(stored(st, "kitchen")) == 100, 20, "the readings")
    data = st.folder / "ingest-data"
    data.chmod(0o555)
    st.publish_all(rows(st, "kitchen", 100))
    wait_for(lambda: len(stored(st, "kitchen")) == 200, 20, "more readings")
    wait_for(lambda: said(st, "could not save the cursor"), 20, "the cursor to be missed")
    big = {"pad": "x" * 20_000}
    t0 = ms(START) + 10_000_000
    for i in range(100):
        st.publish("cellar", {"temperature": 20}, t0 + i * 1000, wait=False, **big)
    wait_for(lambda: waiting_for_log(st), 20, "/readyz to name the log")
    assert said(st, "log is away: could not make the log segment")
    data.chmod(0o755)
    wait_for(lambda: len(stored(st, "cellar")) == 100, 30, "the rest")
    st.restart("ingest")
    assert stored(st, "kitchen") == list(range(1, 201)) and stored(st, "cellar") == list(range(1, 101))


def test_a_folder_that_is_read_only_at_the_start(stacks):
    st = stacks(services=["ingest"])
    st.procs["ingest"].stop()
    data = st.folder / "sealed"
    data.mkdir()
    data.chmod(0o555)
    st.service_extra = {"ingest": {"FC_DATA_DIR": data}}
    assert start_obeying(st).process.wait(20) == 1
    assert said(st, f"could not open the log's folder {data} for writing: Permission denied")
    data.chmod(0o755)
    st.start("ingest")
    st.publish_all(rows(st, "kitchen", 10))
    wait_for(lambda: len(stored(st, "kitchen")) == 10, 20, "the readings")


def test_two_on_one_folder(stacks):
    st = stacks(services=["ingest"])
    env = st.environment("ingest") | {"FC_HTTP_PORT": str(free_port()), "FC_MQTT_CLIENT_ID": "another"}
    second = Proc("second", [program("fc-ingest")], st.folder, env).start()
    assert second.process.wait(20) == 1
    assert "is in use by another process" in second.text()
    st.publish_all(rows(st, "kitchen", 10))
    wait_for(lambda: len(stored(st, "kitchen")) == 10, 20, "the readings")


def test_a_segment_of_another_version_is_set_aside(stacks):
    st = stacks(services=["ingest"])
    st.publish_all(rows(st, "kitchen", 50))
    wait_for(lambda: len(stored(st, "kitchen")) == 50, 20, "the readings")
    st.procs["ingest"].stop()
    data = st.folder / "ingest-data"
    last = max(data.glob("*.log"))
    other = data / f"{int(last.stem) + last.stat().st_size:020}.log"
    other.write_bytes(b"FCW2" + bytes(range(200)))
    (data / "kafka.cursor").write_text("0\n")
    (data / "hours.marked").write_bytes(b"kitchen -2000000000 2000000000\n" + bytes(range(256)))
    st.start("ingest")
    assert other.with_suffix(".log.aside").read_bytes() == b"FCW2" + bytes(range(200))
    assert said(st, "holds no record of this version") and said(st, "a cursor of the sink kafka, which is switched off")
    assert said(st, "left out 2 of 2 lines")
    st.publish_all(rows(st, "kitchen", 50))
    wait_for(lambda: stored(st, "kitchen") == list(range(1, 101)), 20, "more readings")
    st.restart("ingest")
    assert other.with_suffix(".log.aside").exists()


def test_a_sink_that_is_too_far_behind(stacks):
    st = stacks(services=["ingest"], own_servers=True, service_env={"ingest": {"FC_LOG_MAX_AGE_D": 2}})
    st.influx_server.stop()
    st.publish_all(rows(st, "kitchen", 20))
    st.wait_received()
    st.clock.set(st.clock.now + 47 * HOUR)
    st.publish_all(rows(st, "kitchen", 20))
    st.wait_received()
    st.clock.set(st.clock.now + HOUR)

    def takes_nothing():
        """What comes at once is still taken: the clock may only have jumped."""
        device, t, values = rows(st, "kitchen", 1)[0]
        st.publish(device, values, t, wait=False)
        time.sleep(0.05)
        return waiting_for_log(st)
    wait_for(takes_nothing, 30, "/readyz to name the log")
    for _ in range(3):  # behind what waits for the log nothing more is read
        takes_nothing()
    sent = st.seq["kitchen"]
    assert 40 <= st.received() < sent
    r = st.request("POST", "ingest", "/api/v1/readings", json={"device": "a", "values": {"temperature": 1}})
    why = "the log is full: the sink influx has not got what came since 2026-11-02T00:00:00.000Z, 2 days ago"
    assert r.status_code == 503 and why in r.text
    assert said(st, f"log is away: {why}")
    st.influx_server.start()
    wait_for(lambda: stored(st, "kitchen") == list(range(1, sent + 1)), 60, "all readings")
    wait_for(lambda: not waiting_for_log(st), 20, "the log to be there")


def test_a_full_log_while_only_posts_come(stacks):
    """No message of MQTT tries again: /readyz says that the log is full, and by itself that it is not any more."""
    st = stacks(services=["ingest"], own_servers=True, service_env={"ingest": {"FC_LOG_MAX_MB": 4}})
    st.influx_server.stop()
    n, t0 = 0, ms(START) - 24 * HOUR

    def post():
        nonlocal n
        body = [{"device": "kitchen", "boot": 1, "seq": n + i + 1, "ts_ms": t0 + (n + i) * 1000,
                 "values": {"temperature": 20}, "pad": "x" * 1000} for i in range(100)]
        r = st.request("POST", "ingest", "/api/v1/readings", json=body)
        if r.status_code == 503:
            n += int(r.text.split("took ")[1].split(" of")[0])
            return r.text
        n += 100
        return None
    why = next(x for x in (post() for _ in range(1000)) if x)
    assert "the log is full" in why
    assert waiting_for_log(st)
    assert said(st, "log is away: the log is full")
    time.sleep(0.3)  # it has looked several times
    assert waiting_for_log(st)
    st.influx_server.start()
    wait_for(lambda: not waiting_for_log(st), 60, "the log to be there")
    wait_for(lambda: stored(st, "kitchen") == list(range(1, n + 1)), 60, "all readings")
    assert post() is None


def test_old_segments_go_though_nothing_comes(stacks):
    st = stacks(services=["ingest"])
    for _ in range(3):
        st.publish_all(rows(st, "kitchen", 10))
        wait_for(lambda: len(stored(st, "kitchen")) == st.seq["kitchen"], 20, "the readings")
        st.clock.set(st.clock.now + HOUR)
    segments = lambda: sorted(x.name for x in (st.folder / "ingest-data").glob("*.log"))  # noqa: E731
    before = segments()
    assert len(before) == 3
    st.clock.set(st.clock.now + 30 * HOUR)
    wait_for(lambda: segments() == before[-1:], 20, "only the newest segment to be there")
