# SPDX-License-Identifier: GPL-3.0-or-later
"""What the running services stored is what the models say: each forecast in forecast_leads is asked
for again, from the hours up to its origin and the version that made it, and comes out the same."""

import pytest

from signals import Home
from stack import HOUR, START, iso, ms

HOURS = 60


def test_stored_is_what_the_model_says(stacks):
    st = stacks()
    first = ms(START)
    last = first + (HOURS - 1) * HOUR
    st.advance(HOURS, publish=Home(["kitchen", "office"], every_ms=10 * 60_000, seed=3).publish)
    for device in ("kitchen", "office"):
        for quantity in ("temperature", "humidity"):
            hours = {r["time"]: r[quantity] for r in st.influx(f"SELECT {quantity} FROM hourly WHERE device='{device}'")}
            rows = st.influx(f"SELECT * FROM forecast_leads WHERE device='{device}' AND quantity='{quantity}'")
            begins = min(int(r["origin_ms"]) for r in rows)
            origins = range(begins, last + HOUR, HOUR)
            # since the first champion: every hour, each with its five leads, once
            assert begins <= first + 24 * HOUR
            assert sorted((int(r["origin_ms"]), int(r["lead"])) for r in rows) == \
                [(o, lead) for o in origins for lead in (1, 6, 12, 24, 48)]
            for o in origins:
                mine = [r for r in rows if r["origin_ms"] == o]
                history = [hours.get(t) for t in range(first, o + HOUR, HOUR)]
                answer = st.post("predictor", "/predict", {
                    "model": f"{device}.{quantity}", "version": int(mine[0]["version"]), "history": history,
                    "horizon": 48, "end": iso(o)})
                said = {p["lead"]: p for p in answer["predictions"]}
                for r in mine:
                    p = said[int(r["lead"])]
                    assert ms(p["time"]) == r["time"] == o + int(r["lead"]) * HOUR
                    assert r["yhat"] == pytest.approx(p["yhat"], abs=1e-9), (device, quantity, iso(o))
                    # the band follows its misses: so many times as wide as the model's own
                    for key in ("yhat_lower", "yhat_upper"):
                        own = (p[key] - p["yhat"]) if p[key] is not None else None
                        stored = (r[key] - r["yhat"]) if r.get(key) is not None else None
                        assert stored == (own if own is None else pytest.approx(own * r["width"], rel=1e-6)), \
                            (device, quantity, iso(o), key)
