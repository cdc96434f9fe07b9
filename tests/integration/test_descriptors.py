# SPDX-License-Identifier: GPL-3.0-or-later
"""Idle connections do not take the descriptors that a service needs for its files and neighbours."""

import socket

from procs import Proc, wait_for
from stack import START, ms, program


def test_many_connections(stacks):
    st = stacks(services=["ingest"], launch=False)
    st.launch(wait=False)
    st.procs["ingest"].stop()
    argv = ["prlimit", "--nofile=256:8192", program("fc-ingest")]
    st.procs["ingest"] = Proc("ingest", argv, st.folder, st.environment("ingest")).start()
    st.wait_ready("ingest")
    held = [socket.create_connection(("127.0.0.1", st.ports["ingest"]), 2) for _ in range(350)]
    try:
        st.publish_all([("kitchen", ms(START) + i * 1000, {"temperature": 20.0}) for i in range(100)])
        wait_for(lambda: len(st.influx("SELECT temperature FROM readings")) == 100, 20, "the readings")
        cursor, log = st.folder / "ingest-data/influx.cursor", st.folder / "ingest-data/00000000000000000000.log"
        wait_for(lambda: int(cursor.read_text()) == log.stat().st_size, 10, "the cursor to be saved")
    finally:
        for c in held:
            c.close()
    assert "Too many open files" not in st.procs["ingest"].text()
    st.wait_ready("ingest")
