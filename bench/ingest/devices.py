# SPDX-License-Identifier: GPL-3.0-or-later
"""CPU per message with 10 to 100,000 devices, each known already; ingest begins anew for each number of them."""

import shutil

from peers import N, QUICK, ROUNDS, Ingest, cpu_s, cpu_us, follow, ingest_stack, median, publish, rate, table, wait_for

SIZES = [10, 100, 1000, 10_000] if QUICK else [10, 100, 1000, 10_000, 100_000]
SPAN_MS = 60_000  # of the times in all of a run's messages, so that hours cost all the same


def at_rest(st, pid):
    """Until it takes less than 2 % of a processor: its acknowledgements are sent and its hours computed."""
    last = [cpu_s(pid)]

    def rests():
        last.append(cpu_s(pid))
        return last[-1] - last[-2] <= 0.02
    wait_for(rests, 300, "ingest to come to rest", every=1)


def run(st, devices):
    st.kill("ingest", 15)
    shutil.rmtree(st.folder / "ingest-data")
    st.influx(f'DROP DATABASE "{st.influx_db}"')
    st.start("ingest")
    ingest, pid = Ingest(st), st.procs["ingest"].pid
    publish(st, "fieldcast", devices, devices)
    follow(pid, ingest.arrived, devices)
    at_rest(st, pid)
    return ingest.drain(devices=devices, keep=True, step=max(1, SPAN_MS * devices // N))


def figure():
    runs = {d: [] for d in SIZES}
    with ingest_stack(FC_DEVICES_PER_MIN="1000000") as st:  # the guard would take ten minutes over them
        for _ in range(ROUNDS):
            for d in SIZES:
                runs[d].append(run(st, d))
    base = runs[SIZES[0]]
    rows = [("devices", "CPU us/msg", "of 10's", "msg/s", "broker us", "PSS MB")]
    rows += [(f"{d}", f"{median(map(cpu_us, rs)):.1f}", f"{median([cpu_us(a) / cpu_us(b) for a, b in zip(rs, base)]):.2f}",
              f"{median(map(rate, rs)):.0f}", f"{median([r.broker / r.n * 1e6 for r in rs]):.1f}", f"{max(r.pss for r in rs):.1f}")
             for d, rs in runs.items()]
    table(f"{N} messages of one value at QoS 1, medians of {len(base)} rounds (target: flat)", rows)
