# SPDX-License-Identifier: GPL-3.0-or-later
"""Two workers of a test run that look for ports at the same place do not choose the same."""

import multiprocessing

import procs


def choose(start, n, both, ports):
    procs._next_port = start
    ports.put([procs.free_port() for _ in range(n)])
    both.wait(30)  # what was chosen by one is claimed until the other is done


def test_workers_that_meet():
    n = procs.CLAIMS // 2
    spawn = multiprocessing.get_context("spawn")
    both, ports = spawn.Barrier(2), spawn.Queue()
    workers = [spawn.Process(target=choose, args=(5000, n, both, ports)) for _ in range(2)]
    for w in workers:
        w.start()
    first, second = ports.get(timeout=30), ports.get(timeout=30)
    for w in workers:
        w.join(30)
        assert w.exitcode == 0
    assert len(set(first) | set(second)) == 2 * n


def test_claims_are_given_back():
    ports = [procs.free_port() for _ in range(2 * procs.CLAIMS)]
    assert len(set(ports)) == len(ports)
    assert len(procs._claims) <= procs.CLAIMS
    assert procs.claim(ports[0])
