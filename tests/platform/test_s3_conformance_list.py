"""s3_conformance.md names, for each behaviour that others' tests of S3 ask for, the tests of ours that show it, or why there is
none. Here it is held to what it says."""

import ast
import collections
import pathlib
import re

HERE = pathlib.Path(__file__).parent
SOURCES = HERE.parent.parent / "src"
TEXT = (HERE / "s3_conformance.md").read_text()
IS_BEHAVIOUR = re.compile(r"test_[A-Za-z0-9_]+$")


def tables():
    """(heading, cells) of each line of a table, but for its head."""
    heading = ""
    for line in TEXT.splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("| ") and not line.startswith(("| behaviour |", "| reason |", "| file |")):
            yield heading, [cell.strip() for cell in line.strip("|").split("|")]


ROWS = list(tables())
BEHAVIOURS = [(heading, cells) for heading, cells in ROWS if IS_BEHAVIOUR.match(cells[0])]
REASONS = {cells[0].partition(" (")[0]: cells for heading, cells in ROWS if heading == "Why some are left out" and len(cells) == 3}


def exists(test):
    file, _, name = test.partition("::")
    if file.endswith(".py"):
        body = ast.parse((HERE / file).read_text()).body
        return any(isinstance(each, ast.FunctionDef) and each.name == name for each in body)
    suite, _, case = name.partition(".")
    return any(re.search(rf"\bTEST(_F|_P)?\({suite}, {case}\)", found.read_text()) for found in SOURCES.rglob(file))


def test_each_test_that_is_named_is_there():
    named = {test for heading, cells in BEHAVIOURS if heading != "Left out" for test in cells[1].split(", ")}
    named |= {cells[2] for cells in REASONS.values()} - {"-"} | set(re.findall(r"`(test_\w+\.py::\w+)`", TEXT))
    assert len(named) > 100
    assert not sorted(test for test in named if not exists(test))


def test_each_that_is_left_out_has_a_reason():
    left_out = collections.Counter(cells[1] for heading, cells in BEHAVIOURS if heading == "Left out")
    assert set(left_out) == set(REASONS)
    for reason, cells in REASONS.items():
        assert cells[0] == f"{reason} ({left_out[reason]})" and len(cells[1]) > 20, cells


def test_each_is_there_once_and_counted():
    names = collections.Counter(cells[0] for _, cells in BEHAVIOURS)
    assert not [name for name, count in names.items() if count > 1]
    shown = [cells for heading, cells in BEHAVIOURS if heading != "Left out"]
    assert all(len(cells) == 3 and cells[1] for cells in shown)
    differ = sum(1 for cells in shown if cells[2])
    counted = f"listed {len(names)}, shown {len(shown)}, of these with another answer {differ}, left out {len(names) - len(shown)}\n"
    assert counted in TEXT, counted
