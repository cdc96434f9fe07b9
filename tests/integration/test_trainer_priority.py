# SPDX-License-Identifier: GPL-3.0-or-later
"""Who goes first when thousands wait, and what is seen of jobs while they wait and run."""

import time

from procs import wait_for
from stack import HOUR, ms
from trainer_data import START, add_series, chain_holds, nothing_is_stored, trainer_stack, wait_job, write_hours

SERIES = [f"room{i:02d}.temperature" for i in range(60)]
BATCH = 30  # what the only worker takes of 61: half of what waits


def filled(stacks, series=SERIES):
    st = trainer_stack(stacks, weeks=0, env={"FC_TRAIN_WORKERS": 1})
    st.clock.set(START + 72 * HOUR + 130_000)
    for name in series:
        add_series(st, name)
        write_hours(st, name, 72)
    return st


def ask(st, series, token="operator", **body):
    return st.post("trainer", "/api/v1/train", {"series": series, **body}, status=202, token=token)["jobs"]


def open_jobs(st):
    return st.get("trainer", "/api/v1/jobs/open")


def ended(st):
    """Series in the order in which their trainings were registered."""
    return [r["series"] for r in st.pg("SELECT series FROM decisions ORDER BY id")]


def wait_empty(st):
    wait_for(lambda: open_jobs(st) == {"queued": [], "running": []}, 60, "the queue to be empty")


def test_a_single_one_overtakes_all_that_wait(stacks):
    st = filled(stacks)
    with nothing_is_stored(st):
        everything = ask(st, "all")
        wait_for(lambda: open_jobs(st)["running"], 20, "a batch to be taken")
        held = {j["series"] for j in open_jobs(st)["running"]}
        assert len(held) == BATCH and len(open_jobs(st)["queued"]) == len(everything) - BATCH
        by_monitor = ask(st, [SERIES[50]], token="service")[0]
        last = ask(st, [SERIES[-1]])[0]  # one that waits already, at the very end
        assert last["id"] == everything[-1]["id"] and SERIES[-1] not in held
        urgent = ask(st, [SERIES[-2]], priority=100)[0]
        assert ask(st, [SERIES[-2]], priority=-50)[0]["id"] == urgent["id"]  # nothing is lowered
        first = [st.get("trainer", f"/api/v1/jobs/{j['id']}")["priority"] for j in (urgent, last, by_monitor, everything[-3])]
        assert first == [100, 10, 0, -10]
    wait_empty(st)
    order = ended(st)
    assert set(order[:BATCH]) == held, "what was taken is finished first"
    assert order[BATCH:BATCH + 3] == [SERIES[-2], SERIES[-1], SERIES[50]]
    assert len(order) == len(everything) and chain_holds(st)


def test_a_job_says_when_its_trainer_was_heard_of(stacks):
    st = filled(stacks, SERIES[:2])
    with nothing_is_stored(st):
        running = ask(st, SERIES[:1])[0]
        wait_for(lambda: open_jobs(st)["running"], 20, "the job to be taken")
        waiting = ask(st, SERIES[1:2])[0]
        beat = lambda job: st.get("trainer", f"/api/v1/jobs/{job['id']}")["heartbeat"]  # noqa: E731
        first = beat(running)
        assert abs(ms(first) - time.time() * 1000) < 30_000, "it is of the real clock"
        wait_for(lambda: beat(running) > first, 20, "another heartbeat")
        assert beat(waiting) is None
    wait_empty(st)
    listed = st.get("trainer", "/api/v1/jobs")["items"]
    assert [j["id"] for j in listed] == [waiting["id"], running["id"]] and all(j["heartbeat"] for j in listed)


def test_the_series_of_a_device_are_taken_together(stacks):
    """Half of the 57 end within the wall's ten, behind the kitchen and 20 rooms: all of them come along, who is behind does not."""
    wall = [f"wall.{q}" for q in ("co", "co2", "dew_point", "humidity", "lpg", "no2", "pm25", "pressure", "temperature", "tvoc")]
    st = filled(stacks, [*SERIES[:20], *wall, *(f"yard{i:02d}.temperature" for i in range(26))])
    with nothing_is_stored(st):
        everything = ask(st, "all")
        wait_for(lambda: open_jobs(st)["running"], 20, "a batch to be taken")
        held = [j["series"] for j in open_jobs(st)["running"]]
        assert len(everything) == 57 and held == [j["series"] for j in everything[:31]] and held[-10:] == wall
    wait_empty(st)
    assert sorted(ended(st)) == sorted(j["series"] for j in everything)


def test_a_batch_has_an_end(stacks):
    """Of 141 that wait a worker takes 48; of a device of 40 that begins among them as many as fit, 64 in all."""
    st = trainer_stack(stacks, weeks=0, env={"FC_TRAIN_WORKERS": 1})
    wall = [f"wall.temperature_{i + 1:02d}" for i in range(40)]
    for name in [*SERIES[:40], *wall, *(f"yard{i:02d}.temperature" for i in range(60))]:
        add_series(st, name)
    with nothing_is_stored(st):
        everything = ask(st, "all")
        wait_for(lambda: open_jobs(st)["running"], 20, "a batch to be taken")
        assert len(everything) == 141 and [j["series"] for j in open_jobs(st)["running"]] == [j["series"] for j in everything[:64]]


def test_a_device_is_shared_by_workers(stacks):
    """Of ten series of one device each of two workers takes five at most."""
    st = trainer_stack(stacks, weeks=0, env={"FC_TRAIN_WORKERS": 2})
    for i in range(9):  # and kitchen.temperature
        add_series(st, f"kitchen.temperature_{i + 1}")
    st.pg("CREATE TABLE taken (at xid8 DEFAULT pg_current_xact_id(), id bigint)")
    st.pg("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO taken (id) VALUES (new.id); RETURN NULL; END'")
    st.pg("CREATE TRIGGER note AFTER UPDATE ON jobs FOR EACH ROW WHEN (old.state = 'queued' AND new.state = 'running') EXECUTE FUNCTION note()")
    with nothing_is_stored(st):
        assert len(ask(st, "all")) == 10
        wait_for(lambda: len(open_jobs(st)["running"]) > 5, 20, "both workers to take some")
    wait_empty(st)
    takes = [r["n"] for r in st.pg("SELECT count(*)::int AS n FROM taken GROUP BY at")]
    assert sum(takes) == 10 and len(takes) >= 2 and max(takes) <= 5


def test_progress_is_seen_and_what_runs_can_be_cancelled(stacks):
    st = filled(stacks)
    with nothing_is_stored(st):
        job = ask(st, [SERIES[0]])[0]
        seen = wait_for(lambda: (j := st.get("trainer", f"/api/v1/jobs/{job['id']}"))["progress"] > 0 and j, 20, "progress")
        assert seen["state"] == "running" and seen["worker"] and seen["started"] and 0 < seen["progress"] <= 1
        (running,) = open_jobs(st)["running"]
        assert running == {"id": job["id"], "series": SERIES[0], "progress": seen["progress"]}
        waiting = ask(st, SERIES[1:4])
        path = f"/api/v1/jobs/{job['id']}/cancel"
        assert st.post("trainer", path, token="operator")["state"] == "cancelled"
        assert st.post("trainer", f"/api/v1/jobs/{waiting[0]['id']}/cancel", token="operator")["state"] == "cancelled"
    wait_empty(st)
    assert sorted(ended(st)) == SERIES[2:4], "what was cancelled left something behind"
    assert [r["series"] for r in st.pg("SELECT series FROM runs ORDER BY 1")] == SERIES[2:4]


def test_a_refusal_that_waits_can_be_cancelled(stacks):
    """What cannot be learned ends in a decision, for which it waits like all others: not with its job in hand."""
    st = trainer_stack(stacks, weeks=0)  # without one reading
    waiting = ("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = 4202 AND NOT granted"
               " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
    with nothing_is_stored(st):
        (job,) = ask(st, ["kitchen.temperature"])
        wait_for(lambda: st.pg(waiting), 20, "the refusal to wait for the registry")
        free = "SELECT id FROM jobs FOR UPDATE SKIP LOCKED"  # but for moments in which its heart beats
        wait_for(lambda: st.pg(free) == [{"id": job["id"]}], 5, "the job's row to be free")
        assert st.post("trainer", f"/api/v1/jobs/{job['id']}/cancel", token="operator")["state"] == "cancelled"
    wait_for(lambda: not st.pg(waiting), 20, "the registry to be free")
    assert wait_job(st, job["id"])["message"] == "cancelled by operator"
    assert ended(st) == []


def test_many_are_cancelled_at_once(stacks):
    st = filled(stacks)
    with nothing_is_stored(st):
        everything = ask(st, "all")
        wait_for(lambda: open_jobs(st)["running"], 20, "a batch to be taken")
        some = SERIES[:2] + SERIES[-2:]  # running and waiting ones
        ids = [j["id"] for j in everything if j["series"] in some]
        cancel = {"series": [*some, "no.such"]}
        assert st.post("trainer", "/api/v1/jobs/cancel", cancel, token="operator") == {"cancelled": ids}
        assert st.post("trainer", "/api/v1/jobs/cancel", cancel, token="operator") == {"cancelled": []}
        st.post("trainer", "/api/v1/jobs/cancel", cancel, status=403, token="viewer")
        rest = st.post("trainer", "/api/v1/jobs/cancel", {"series": "all"}, token="operator")["cancelled"]
        assert rest == [j["id"] for j in everything if j["id"] not in ids]
        assert open_jobs(st) == {"queued": [], "running": []}
    job = wait_job(st, ids[0])
    assert (job["state"], job["message"]) == ("cancelled", "cancelled by operator")
    # the series are free again, and nothing was left by those that ran
    (again,) = ask(st, [SERIES[0]])
    assert wait_job(st, again["id"])["version"] == 1
    assert ended(st) == [SERIES[0]]
