# SPDX-License-Identifier: GPL-3.0-or-later
import os
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from monitor_alone import Alone  # noqa: E402
from procs import ROOT  # noqa: E402
from stack import SharedServers, Stack  # noqa: E402

SHARED_DATA = ROOT.parent / "shared" / "data"


def pytest_configure(config):
    # a run that is asked to end cleans up like one that is interrupted
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


# the longest first, so that two workers end at the same time
LONGEST = ["test_virtual_month", "test_real_esp32", "test_outage", "test_monitor_loop", "test_real_iot",
           "test_ingest_rollup", "test_predictor_champion"]


def pytest_collection_modifyitems(items):
    def place(item):
        name = item.path.stem
        return LONGEST.index(name) if name in LONGEST else len(LONGEST)
    items.sort(key=place)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    setattr(item, f"report_{report.when}", report)
    # the logs of a failed test's services, while they are still there
    if report.failed and report.when in ("setup", "call"):
        made = [*getattr(item, "stacks_made", []), *getattr(item.parent, "stacks_made", [])]
        for st in made:
            for name, text in st.logs():
                report.sections.append((f"log of {name}", text))


@pytest.fixture(scope="session")
def shared():
    servers = SharedServers()
    yield servers
    servers.close()


@pytest.fixture
def stacks(shared, request):
    """Makes stacks (see stack.py) that end with the test. A service that does not end well on
    SIGTERM fails the test."""
    yield from _stacks(shared, request)


@pytest.fixture(scope="module")
def module_stacks(shared, request):
    """The same for the tests of a module, which share them and run in order."""
    yield from _stacks(shared, request)


def _stacks(shared, request):
    made = request.node.stacks_made = []

    def make(*args, **kw):
        st = Stack.__new__(Stack)
        made.append(st)
        st.__init__(shared, *args, **kw)
        return st

    yield make
    for st in made:
        st.close()
    report = getattr(request.node, "report_call", None)
    if report and not report.passed:
        return  # it has its fault already
    for st in made:
        bad = {s: c for s, c in st.exit_codes.items() if c}
        assert not bad, f"ended badly on SIGTERM: {bad}\n" + "\n".join(st.procs[s].tail(15) for s in bad)
        slow = {s: f"{t:.1f} s" for s, t in st.stop_s.items() if t > 8}
        assert not slow, f"took long to end on SIGTERM: {slow}"


@pytest.fixture
def alone(stacks):
    """Makes monitors whose neighbours are played (monitor_alone.py), which end with the test."""
    made = []

    def make(**kw):
        made.append(Alone(stacks, **kw))
        return made[-1]
    yield make
    for a in made:
        a.close()


@pytest.fixture(scope="session")
def esp32_home():
    return _data("esp32-home")


@pytest.fixture(scope="session")
def iot_telemetry():
    return _data("iot-telemetry")


def _data(name):
    folder = Path(os.environ.get("FC_DATA", SHARED_DATA)) / name
    if not folder.is_dir():
        pytest.skip(f"the real data {folder} is not here")
    return folder
