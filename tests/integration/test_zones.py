# SPDX-License-Identifier: GPL-3.0-or-later
"""A site's clocks: set by PUT, known to Postgres, read by trainer, kept in the document."""

from stack import ms
from trainer_data import START, train, trainer_stack


def test_a_training_goes_by_the_site(stacks):
    st = trainer_stack(stacks, weeks=8, series=("kitchen.temperature", "hall.temperature"))
    st.pg("UPDATE series SET tz = 'Europe/Vienna' WHERE name = 'kitchen.temperature'")
    (job,) = train(st, ["kitchen.temperature"])
    path = "/api/v1/models/kitchen.temperature/versions/1"
    zone = st.get("trainer", path)["training"]["zone"]
    assert zone["name"] == "Europe/Vienna"
    autumn, spring = ms("2026-10-25T01:00:00Z") // 1000, ms("2027-03-28T01:00:00Z") // 1000
    assert zone["offsets"][0] == [START // 1000, 7200] and zone["offsets"][1:3] == [[autumn, 3600], [spring, 7200]]
    assert 5 <= len(zone["offsets"]) <= 6  # two years ahead
    assert st.post("trainer", f"{path}/verify")["result"] == "same"
    train(st, ["hall.temperature"])
    assert "zone" not in st.get("trainer", "/api/v1/models/hall.temperature/versions/1")["training"]
    # a name that came there by another way
    st.pg("UPDATE series SET tz = 'CET-1CEST' WHERE name = 'hall.temperature'")
    (job,) = train(st, ["hall.temperature"])
    assert job["state"] == "done"
    assert "zone" not in st.get("trainer", f"/api/v1/models/hall.temperature/versions/{job['version']}")["training"]
    assert "CET-1CEST" in st.procs["trainer"].text()


def tz_of(a, name):
    return a.st.pg("SELECT tz FROM series WHERE name = %s", name)[0]["tz"]


def test_new_series_stand_where_the_site_is(alone):
    a = alone(FC_TZ="Europe/Vienna")
    a.close_hour({"kitchen": {"temperature": 20.0}})
    assert tz_of(a, "kitchen.temperature") == "Europe/Vienna"

    def put(body):
        return a.st.request("PUT", "monitor", "/api/v1/rules/kitchen.temperature", json=body)
    r = put({"tz": "Asia/Kolkata", "exogenous": ["garden.temperature"]})
    assert r.status_code == 200 and r.json()["effective"]["tz"] == "Asia/Kolkata"
    assert r.json()["effective"]["exogenous"] == ["garden.temperature"]
    assert tz_of(a, "kitchen.temperature") == "Asia/Kolkata"
    for wrong in ("Europe/Wien", "CET-1CEST", "utc'; --"):
        r = put({"tz": wrong})
        assert r.status_code == 400 and f'field "tz": "{wrong}" is no time zone' in r.json()["message"], r.text
    assert put({"tz": "x" * 64}).status_code == put({"tz": 1}).status_code == put({"tz": ""}).status_code == 400
    assert tz_of(a, "kitchen.temperature") == "Asia/Kolkata"
    assert put({}).status_code == 200 and tz_of(a, "kitchen.temperature") == "Europe/Vienna"


def test_a_zone_that_there_is_not_ends_the_start(alone):
    a = alone(wait=False, FC_TZ="Europe/Wien")
    p = a.st.procs["monitor"]
    assert p.process.wait(20) == 1
    assert 'FC_TZ: \\"Europe/Wien\\" is no time zone' in p.text()
