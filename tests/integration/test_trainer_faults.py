# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainers that share the queue, die, or find a neighbour away: no job is stuck, none is done
twice, and the registry is whole at every moment."""

import random
import signal
import time

from procs import Proc, free_port, wait_for
from stack import HOUR, program
from trainer_data import START, add_series, chain_holds, train, trainer_stack, wait_job, write_hours

SERIES = [f"room{i}.temperature" for i in range(24)]
ONE_WORKER = {"FC_TRAIN_WORKERS": 1, "FC_TRAIN_LEASE_S": 2}


def fill(st, weeks=8):
    st.clock.set(START + weeks * 7 * 24 * HOUR + 130_000)
    for name in SERIES:
        add_series(st, name)
        write_hours(st, name, weeks * 7 * 24)


def second_trainer(st, **env):
    settings = st.environment("trainer") | {"FC_HTTP_PORT": free_port(), **env}
    return Proc("trainer2", [program("fc-trainer")], st.folder,
                {k: str(v) for k, v in settings.items()})


def jobs_by_state(st):
    return {r["state"]: r["n"] for r in st.pg("SELECT state, count(*) AS n FROM jobs GROUP BY state")}


def whole(st):
    """What must hold at every moment, however a trainer ended."""
    broken = st.pg("""
        SELECT j.id FROM jobs j WHERE j.state = 'done' AND NOT EXISTS (
            SELECT 1 FROM model_versions v JOIN runs r ON r.id = v.run_id
            WHERE v.name = j.series AND v.version = j.version AND r.id = j.run_id AND r.job_id = j.id)
        UNION ALL
        SELECT r.job_id FROM runs r WHERE NOT EXISTS (
            SELECT 1 FROM jobs j WHERE j.id = r.job_id AND j.state = 'done' AND j.run_id = r.id)
        UNION ALL
        SELECT 0 FROM model_aliases a WHERE alias = 'champion' AND NOT EXISTS (
            SELECT 1 FROM decisions d WHERE d.series = a.name AND d.version = a.version AND d.kind = 'promote')""")
    return not broken and chain_holds(st)


def test_two_trainers_share_the_queue(stacks):
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    other = second_trainer(st).start()
    try:
        wait_for(lambda: "listens on" in other.text(), 10, "the second trainer")
        jobs = train(st, SERIES)
        assert {j["state"] for j in jobs} == {"done"}
        assert len({j["worker"] for j in jobs}) == 2, "one trainer did all the work"
        assert {j["attempts"] for j in jobs} == {1}
        assert st.pg("SELECT count(*) AS n FROM model_versions")[0]["n"] == len(SERIES)
        assert whole(st)
        assert other.stop() == 0
    finally:
        other.stop(signal.SIGKILL)


def test_jobs_of_a_killed_trainer_are_taken_over(stacks):
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    jobs = st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)["jobs"]
    wait_for(lambda: st.pg("SELECT 1 FROM jobs WHERE state = 'running'"), 10, "a job to run", every=0.002)
    st.kill("trainer")
    held = jobs_by_state(st)["running"]
    assert held >= 1 and whole(st)
    other = second_trainer(st).start()
    try:
        wait_for(lambda: jobs_by_state(st) == {"done": len(jobs)}, 60, "all jobs to be done")
        assert st.pg("SELECT count(*) AS n FROM jobs WHERE attempts = 2")[0]["n"] == held
        assert st.pg("SELECT count(*) AS n FROM model_versions")[0]["n"] == len(SERIES), "trained twice"
        assert whole(st)
    finally:
        assert other.stop() == 0


def test_what_was_taken_before_comes_alone(stacks):
    """Whoever kills its trainer each time must not use up the tries of those taken with it."""
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    st.pg("CREATE TABLE taken (tx xid8, attempts int)")
    st.pg("CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS"
          " 'BEGIN INSERT INTO taken VALUES (pg_current_xact_id(), NEW.attempts); RETURN NULL; END'")
    st.pg("CREATE TRIGGER note AFTER UPDATE ON jobs FOR EACH ROW"
          " WHEN (NEW.state = 'running' AND OLD.state = 'queued') EXECUTE FUNCTION note()")
    jobs = st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)["jobs"]
    wait_for(lambda: st.pg("SELECT 1 FROM jobs WHERE state = 'running'"), 10, "a job to run", every=0.002)
    st.kill("trainer")
    held = len(st.pg("UPDATE jobs SET state = 'queued', attempts = 1 WHERE state IN ('queued', 'running') RETURNING id"))
    assert held >= 1
    st.start("trainer")
    wait_for(lambda: jobs_by_state(st) == {"done": len(jobs)}, 60, "all jobs to be done")
    again = st.pg("SELECT count(*) AS n FROM taken WHERE attempts = 2 GROUP BY tx")
    assert [r["n"] for r in again] == [1] * held
    assert max(r["n"] for r in st.pg("SELECT count(*) AS n FROM taken WHERE attempts = 1 GROUP BY tx")) > 1


def test_promotion_is_atomic_under_sigkill(stacks):
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st, weeks=2)
    chance = random.Random(7)
    for _ in range(12):
        st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)
        time.sleep(chance.uniform(0, 0.25))
        st.kill("trainer")
        assert whole(st)
        # as after the lease, only sooner
        st.pg("UPDATE jobs SET state = 'queued' WHERE state = 'running'")
        st.start("trainer")
    wait_for(lambda: not st.get("trainer", "/api/v1/jobs", state="open")["items"], 60, "the queue to be empty")
    assert whole(st)


def test_a_trainer_that_is_stopped_gives_its_jobs_back(stacks):
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    jobs = st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)["jobs"]
    wait_for(lambda: st.pg("SELECT 1 FROM jobs WHERE state = 'running'"), 10, "a job to run", every=0.002)
    assert st.procs["trainer"].stop() == 0
    assert "running" not in jobs_by_state(st)
    assert {r["attempts"] for r in st.pg("SELECT attempts FROM jobs WHERE state = 'queued'")} == {0}
    st.start("trainer")
    assert {wait_job(st, j["id"])["state"] for j in jobs} == {"done"}


def test_a_trainer_that_lost_its_lease_writes_nothing(stacks):
    """Stopped in the middle (SIGSTOP), taken over, woken again: the job is done once."""
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    jobs = st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)["jobs"]
    wait_for(lambda: st.pg("SELECT 1 FROM jobs WHERE state = 'running'"), 10, "a job to run", every=0.002)
    st.procs["trainer"].send(signal.SIGSTOP)
    other = second_trainer(st).start()
    try:
        wait_for(lambda: jobs_by_state(st) == {"done": len(jobs)}, 60, "all jobs to be done")
        st.procs["trainer"].send(signal.SIGCONT)
        (again,) = train(st, [SERIES[0]])
        assert again["outcome"] == "kept"
        assert st.pg("SELECT count(*) AS n FROM model_versions")[0]["n"] == len(SERIES) + 1
        assert whole(st)
    finally:
        assert other.stop() == 0


def test_cancel(stacks):
    st = trainer_stack(stacks, weeks=0, env=ONE_WORKER)
    fill(st)
    jobs = st.post("trainer", "/api/v1/train", {"series": SERIES}, status=202)["jobs"]
    for j in reversed(jobs):
        r = st.request("POST", "trainer", f"/api/v1/jobs/{j['id']}/cancel", token="operator")
        assert r.status_code in (200, 409), r.text
        if r.status_code == 200:
            assert r.json()["state"] == "cancelled" and r.json()["message"] == "cancelled by operator"
    states = jobs_by_state(st)
    assert set(states) <= {"done", "cancelled"} and states["cancelled"] >= 10
    # the series are free again, and what was cancelled while running left nothing
    assert {j["state"] for j in train(st, SERIES[-3:])} == {"done"}
    assert whole(st)
    st.post("trainer", f"/api/v1/jobs/{jobs[-1]['id']}/cancel", status=409)
    st.post("trainer", "/api/v1/jobs/999999/cancel", status=404)
    st.post("trainer", f"/api/v1/jobs/{jobs[-1]['id']}/cancel", status=403, token="viewer")


def test_influx_away_jobs_wait(stacks):
    st = trainer_stack(stacks, weeks=2, own_servers=True)
    st.influx_server.stop(signal.SIGKILL)
    job = st.post("trainer", "/api/v1/train", {"series": ["kitchen.temperature"]}, status=202)["jobs"][0]
    wait_for(lambda: "influxdb" in st.request("GET", "trainer", "/readyz").json()["waiting_for"], 15, "readyz to say it")
    time.sleep(2.5)
    assert st.get("trainer", f"/api/v1/jobs/{job['id']}")["state"] in ("queued", "running")
    st.influx_server.start()
    assert wait_job(st, job["id"])["outcome"] == "promoted"
    assert st.procs["trainer"].text().count("influxdb is away") == 1


def test_postgres_away_and_back(stacks):
    st = trainer_stack(stacks, weeks=2, own_servers=True)
    train(st, ["kitchen.temperature"])
    st.pg_server.stop()
    wait_for(lambda: "postgres" in st.request("GET", "trainer", "/readyz").json()["waiting_for"], 15, "readyz to say it")
    for method, path in (("GET", "/api/v1/jobs"), ("GET", "/api/v1/models"), ("GET", "/api/v1/runs")):
        r = st.request(method, "trainer", path)
        assert r.status_code == 503 and "postgres" in r.json()["detail"], r.text
    r = st.request("POST", "trainer", "/api/v1/train", json={"series": "all"})
    assert r.status_code == 503
    assert st.request("GET", "trainer", "/api/v1/algorithms").status_code == 200
    st.pg_server.start()
    st.wait_ready("trainer")
    assert train(st, ["kitchen.temperature"])[0]["outcome"] == "kept"
    assert st.procs["trainer"].text().count("postgres is away") == 1
    # an idle connection of the pool that the restart has closed costs nobody an answer
    st.pg_server.stop()
    st.pg_server.start()
    st.wait_ready("trainer")
    for _ in range(4):
        st.get("trainer", "/api/v1/models")


def test_nothing_is_there_at_the_start(stacks):
    st = stacks(services=["trainer"], own_servers=True, launch=False)
    st.pg_server.make_cluster()
    st.pg_db = "fc_1"
    st.start("trainer", wait=False)
    def away():
        log = st.procs["trainer"].text()
        return [log.count(f"{name} is away") for name in ("postgres", "influxdb")]
    wait_for(lambda: away() == [1, 1], 15, "both to be missed")
    waiting = st.request("GET", "trainer", "/readyz").json()["waiting_for"]
    assert set(waiting) == {"postgres", "influxdb"}
    st.influx_server.start()
    st.pg_server.start()
    assert st.pg_server.new_database() == "fc_1"
    st.wait_ready("trainer")
    assert away() == [1, 1]  # once per change
    st.mosquitto.start()  # the harness ends it


def test_a_job_that_always_fails_ends(stacks):
    """InfluxDB answers pings but no queries (its database is not there): at some time it is enough."""
    st = trainer_stack(stacks, weeks=1, env={"FC_INFLUX_DB": "not_there"})
    (job,) = train(st, ["kitchen.temperature"])
    assert (job["state"], job["outcome"], job["attempts"]) == ("failed", None, 5)
    assert "database not found" in job["message"]
    assert st.metric("trainer", "fieldcast_training_runs_total", result="failed") == 1


def test_wrong_schema_is_refused_at_the_start(stacks):
    st = trainer_stack(stacks, weeks=0)
    st.kill("trainer", signal.SIGTERM)
    st.pg("UPDATE schema_migrations SET version = 99 WHERE version = (SELECT max(version) FROM schema_migrations)")
    proc = st.start("trainer", wait=False)
    assert proc.process.wait(10) == 1
    assert "schema version 99, this build needs 2: install the newer Fieldcast" in proc.tail(3)
    st.pg("DELETE FROM schema_migrations")
    proc = st.start("trainer", wait=False)
    assert proc.process.wait(10) == 1
    assert "run deploy/postgres/migrate.sh" in proc.tail(3)
    st.pg("DROP TABLE schema_migrations")
    proc = st.start("trainer", wait=False)
    assert proc.process.wait(10) == 1
    assert "has no schema yet: run deploy/postgres/migrate.sh" in proc.tail(3)


def test_a_champion_that_cannot_be_read_is_replaced(stacks):
    st = trainer_stack(stacks, weeks=4)
    train(st, ["kitchen.temperature"])
    st.pg("UPDATE model_versions SET document = '{\"fieldcast_model\":1}',"
          " content_sha256 = encode(sha256(convert_to('{\"fieldcast_model\":1}', 'UTF8')), 'hex')")
    assert train(st, ["kitchen.temperature"])[0]["outcome"] == "promoted"
    r = st.request("POST", "trainer", "/api/v1/models/kitchen.temperature/versions/1/promote", json={"reason": "x"})
    assert r.status_code == 409 and "cannot serve" in r.json()["detail"], r.text
    r = st.request("POST", "trainer", "/api/v1/models/kitchen.temperature/versions/1/verify")
    assert r.status_code == 409, r.text


def test_a_champion_promoted_meanwhile_is_judged_again(stacks):
    """While a job trains against version 1, a person promotes version 2."""
    st = trainer_stack(stacks, weeks=8, env=ONE_WORKER)
    train(st, ["kitchen.temperature"])
    train(st, ["kitchen.temperature"])
    for turn in range(6):
        job = st.post("trainer", "/api/v1/train", {"series": ["kitchen.temperature"]}, status=202)["jobs"][0]
        path = f"/api/v1/models/kitchen.temperature/versions/{2 - turn % 2}/promote"
        st.post("trainer", path, {"reason": "by hand"})
        job = wait_job(st, job["id"])
        assert job["state"] == "done", job
        kept = st.pg("SELECT d.evidence->>'champion' AS c, (SELECT version FROM decisions b WHERE b.id < d.id AND"
                     " b.kind IN ('promote', 'rollback') ORDER BY b.id DESC LIMIT 1) AS serving"
                     " FROM decisions d WHERE kind = 'kept' ORDER BY id DESC LIMIT 1")[0]
        assert int(kept["c"]) == kept["serving"]
    assert chain_holds(st)


def test_old_rows_are_cleared_out(stacks):
    st = trainer_stack(stacks, weeks=4, service_env={"trainer": {"FC_KEEP_VERSIONS": 2, "FC_KEEP_RUNS_DAYS": 30}})
    for _ in range(5):
        train(st, ["kitchen.temperature"])
    assert st.pg("SELECT count(*) AS n FROM model_versions")[0]["n"] == 5
    st.clock.set(st.clock.now + 31 * 24 * HOUR)
    wait_for(lambda: not st.pg("SELECT 1 FROM runs"), 10, "the runs to be cleared out")
    assert not st.pg("SELECT 1 FROM jobs") and not st.pg("SELECT 1 FROM blobs")
    # version 1 serves and a decision names it; 4 and 5 are the newest
    assert [r["version"] for r in st.pg("SELECT version FROM model_versions ORDER BY 1")] == [1, 4, 5]
    assert chain_holds(st)


def test_a_column_more(stacks):
    """Plans that the server keeps for us outlive a change of the tables."""
    st = trainer_stack(stacks, weeks=1)
    for more in ("jobs", "runs", "model_versions"):
        for _ in range(6):  # often enough for the plans to be kept
            assert train(st, ["kitchen.temperature"])[0]["state"] == "done"
            for path in ("jobs", "runs", "models", "models/kitchen.temperature"):
                st.get("trainer", f"/api/v1/{path}")
        st.pg(f"ALTER TABLE {more} ADD COLUMN extra int")
    assert train(st, ["kitchen.temperature"])[0]["state"] == "done"
    assert len(st.get("trainer", "/api/v1/jobs")["items"]) == 19 and chain_holds(st)
