# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that must not drift from the programs: docs/contracts.md, deploy/.env.example, and the
commands that README and CONTRIBUTING tell people to type."""

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from procs import PATH, ROOT
from stack import SERVICES, program


def test_contracts_is_the_agreed_text():
    agreed = Path(os.environ.get("FC_SHARED", ROOT.parent / "shared")) / "CONTRACTS.md"
    if not agreed.exists():
        pytest.skip(f"the agreed text {agreed} is not here")
    ours = (ROOT / "docs/contracts.md").read_text()
    assert "\n## Additions\n" in ours
    assert ours.split("\n## Additions\n")[0].rstrip() == agreed.read_text().rstrip()


def settings_of(service):
    """{name: (kind, default, rest)} as --settings prints them."""
    out = subprocess.run([program(f"fc-{service}"), "--settings"], check=True, capture_output=True, text=True).stdout
    found = {}
    for line in out.splitlines():
        m = re.match(r"(FC_\w+)\s+(number|0 or 1|text|address|secret)\s+(\S+)\s+(.+)", line)
        assert m, f"--settings prints a line nobody can read: {line}"
        found[m.group(1)] = (m.group(2), m.group(3), m.group(4))
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_each_setting_is_explained(service):
    for name, (kind, default, rest) in settings_of(service).items():
        assert len(rest) > 5, name
        if kind == "number":
            m = re.match(r"(-?\d+)\.\.(-?\d+): ", rest)
            assert m and int(m.group(1)) <= int(default) <= int(m.group(2)), (name, default, rest)


def example():
    """{name: value} of deploy/.env.example, also the commented ones."""
    rows = re.findall(r"^#? ?(FC_[A-Z0-9_]+)=(.*)$", (ROOT / "deploy/.env.example").read_text(), re.M)
    names = [n for n, _ in rows]
    assert len(names) == len(set(names)), "a name twice in .env.example"
    return dict(rows)


def test_env_example_lists_every_setting():
    have = set(example())
    for service in SERVICES:
        missing = set(settings_of(service)) - have
        assert not missing, f"settings of {service} missing in deploy/.env.example: {sorted(missing)}"


def test_env_example_invents_nothing():
    known = {n for s in SERVICES for n in settings_of(s)}
    deploy = "".join(p.read_text() for p in [ROOT / "deploy/docker-compose.yml", *(ROOT / "deploy/compose").iterdir()])
    for name in example():
        base = name.removesuffix("_FILE")
        assert base in known or name in known or name in deploy, f"{name} in deploy/.env.example is no setting of anything"


def commands_in(path):
    """Lines of the ```sh blocks that a reader would type."""
    for block in re.findall(r"```(?:sh|bash|console)\n(.*?)```", path.read_text(), re.S):
        for line in block.splitlines():
            line = line.removeprefix("$ ").split("  #")[0].strip()
            if line and not line.startswith("#"):
                yield line


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_make_commands_exist(name):
    typed = [c for c in commands_in(ROOT / name) if re.match(r"(\w+=\S+ )*make\b", c)]
    assert typed
    for command in typed:
        words = shlex.split(command, comments=True)
        env = dict(w.split("=", 1) for w in words[:words.index("make")])
        rest = words[words.index("make") + 1:]
        done = subprocess.run(["make", "-n", *rest], cwd=ROOT, env=os.environ | {"PATH": PATH} | env,
                              capture_output=True, text=True)
        assert done.returncode == 0, f"{name}: {command}: {done.stderr}"


def test_readme_names_the_two_commands():
    typed = list(commands_in(ROOT / "README.md"))
    assert "make demo" in typed and "make test" in typed
    assert sum(c.startswith("curl ") for c in typed) >= 3


def test_paths_named_in_the_texts_exist():
    for name in ("README.md", "CONTRIBUTING.md", "docs/contracts.md"):
        text = (ROOT / name).read_text()
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} points to {target}"


def test_main_files_are_short():
    for service in SERVICES:
        lines = (ROOT / f"services/{service}/main.c").read_text().splitlines()
        assert len(lines) < 60, f"services/{service}/main.c has {len(lines)} lines"


@pytest.mark.parametrize("name", ["accuracy", "loop", "scale"])
def test_no_bench_begins_with_an_argument_that_nobody_reads(name):
    run = lambda *a: subprocess.run(["python3", ROOT / f"bench/forecast/{name}.py", *a], capture_output=True,  # noqa: E731
                                    text=True, timeout=60)
    done = run("--quick", "--seires=10")
    assert done.returncode == 1 and done.stderr.startswith("--seires=10 is none of ") and not done.stdout
    done = run("--help")
    assert done.returncode == 0 and f"{name}.py" in done.stdout and "--quick" in done.stdout
