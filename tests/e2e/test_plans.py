"""The corpus of wrong pipeline files through the binary: `levada check` refuses each with its line, its column and a fix,
connects to nothing and changes nothing. (src/elt/broken_plans_test.cc says more about each, with stages made for it. What goes
wrong in the stages themselves is in test_mistakes.py.)"""

import json
import os
import re
import subprocess

import pytest

from conftest import BINARY, SOURCE

BROKEN = SOURCE / "tests/pipelines/broken"
FILES = sorted(BROKEN.glob("*.yaml"))


def expected(path):
    """The problems that the first lines of a file promise: [(code, line, column)]."""
    found = []
    for line in path.read_bytes().decode(errors="replace").splitlines():
        match = re.fullmatch(r"# (?:expect|also): (LV\d{4}) (\d+):(\d+)", line)
        if match is None and not line.startswith("# help:"):
            break
        if match:
            found.append((match[1], int(match[2]), int(match[3])))
    return found


def test_the_corpus_is_large_and_every_file_says_what_is_wrong():
    assert len(FILES) >= 100
    assert [f.name for f in FILES if not expected(f)] == []


@pytest.fixture(scope="module")
def answers(module_scratch):
    """Every file in a directory of its own, all checked by one process each."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
    environment |= {"WORD": "abc", "PATHLIKE": "a/b", "NO_COLOR": "1"}
    environment = {k.encode(): v.encode() for k, v in environment.items()} | {b"BYTES": b"\xff\xfe"}
    (module_scratch / "known.sql").write_text("select 1")
    found = {}
    for path in FILES:
        (module_scratch / path.name).write_bytes(path.read_bytes())
        before = sorted(p.name for p in module_scratch.iterdir())
        ran = subprocess.run([BINARY, "check", path.name, "--error-format=json"], cwd=module_scratch, env=environment,
                             capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        assert sorted(p.name for p in module_scratch.iterdir()) == before, path.name
        found[path.name] = ran
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_check_refuses_it_at_its_place_with_a_fix(answers, path):
    ran = answers[path.name]
    assert ran.returncode == 10, ran
    errors = [json.loads(line) for line in ran.stderr.decode().splitlines() if line.startswith("{")]
    problems = [d for e in errors for d in (e.get("diagnostics") or [e])]
    assert problems, ran
    for problem in problems:
        assert problem["help"], ran
        assert problem["line"] > 0 and problem["column"] > 0, ran
    got = {(p["code"], p["line"], p["column"]) for p in problems}
    assert expected(path)[0] in got, ran
