# SPDX-License-Identifier: GPL-3.0-or-later
"""ledger: what ingest counts of all messages, which has to come out even at any time."""

from procs import wait_for


def totals(st):
    t = st.get("ingest", "/api/v1/ledger")["totals"]
    assert t["received"] == t["stored"] + t["duplicate"] + sum(t["rejected"].values()) + t["pending"]
    return t


def settled(st, received):
    """The totals when so many were received and nothing is pending."""
    wait_for(lambda: (t := totals(st))["received"] == received and t["pending"] == 0, 15, f"{received} to be settled")
    return totals(st)
