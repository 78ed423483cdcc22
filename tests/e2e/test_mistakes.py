"""Mistakes that people make in pipeline files, and what they are told: tests/pipelines/mistakes/*.txt, many to a file.

    --- the title of a mistake
    transformers:
      - filter: {}
    >>> LV1003 2:5 "where" is missing
    >>> help: add where: amount > 0

Above ">>>" stands what was written. The top-level keys that it does not have come from the section "--- base" of the file, and
stand behind it, so that lines count from the mistake; where the title ends in "(whole)" nothing is added. "+++ NAME" begins a
further file. Each ">>>" is a problem, in the order in which they are told: code, line:column ("-" where there is none, NAME:
before it in a further file), a part of the message, and a part of the help.

A section "--- sqlite NAME" makes a database, "--- levada ARGUMENTS" says how the mistakes below it are looked at; "check" is
what is done otherwise. LEVADA_UPDATE=1 writes down what was seen where nothing is expected or something else was; read it before
committing it: a message has to say what was written, what is wrong with it and how to put it right.
"""

import json
import os
import pathlib
import re
import sqlite3
import subprocess

import pytest

from conftest import BINARY, SOURCE

GROUPS = sorted((SOURCE / "tests/pipelines/mistakes").glob("*.txt"))
KEY = re.compile(r"(?m)^(?=[a-z_]+:)")
PROBLEM = re.compile(r"(LV\d{4}) (-|(?:\S+:)?\d+:\d+) (.*)")


def sections(text):
    """[(title, body)] of a group."""
    parts = re.split(r"(?m)^--- ", text)[1:]
    return [tuple(part.split("\n", 1)) for part in parts]


def completed(written, base):
    """`written` with the top-level blocks of `base` that it does not have."""
    said = set(re.findall(r"(?m)^([a-z_]+):", written))
    blocks = [block for block in KEY.split(base) if block and block.split(":")[0] not in said]
    return written + "".join(blocks)


def expected(lines):
    """[(code, place, message, help)] of the lines behind ">>> "."""
    found = []
    for line in lines:
        if line.startswith("help: "):
            found[-1][3] = line.removeprefix("help: ")
        else:
            match = PROBLEM.fullmatch(line)
            assert match, f'expected "LV1002 5:3 part of the message", got "{line}"'
            found.append([*match.groups(), ""])
    return [tuple(problem) for problem in found]


class Mistake:
    def __init__(self, title, body, base, arguments):
        self.title, self.arguments = title, arguments
        written, *expectations = re.split(r"(?m)^>>> ?", body)
        self.written = written
        self.expected = expected(line.rstrip("\n") for line in expectations)
        first, *further = re.split(r"(?m)^\+\+\+ ", written)
        if not title.endswith("(whole)"):
            first = completed(first, base)
        self.files = {"orders.yaml": first} | dict(part.split("\n", 1) for part in further)

    def seen(self, directory):
        """What levada says of it, in the form of `expected`; and that it says so as it should."""
        for name, text in self.files.items():
            (directory / name).write_text(text)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        ran = subprocess.run([BINARY, *self.arguments, "orders.yaml", "--error-format=json"], cwd=directory,
                             env=kept | {"NO_COLOR": "1", "WORD": "abc"}, capture_output=True, text=True, timeout=60,
                             stdin=subprocess.DEVNULL)
        for name in self.files:
            (directory / name).unlink()
        assert ran.returncode != 0, f"accepted: {self.title}"
        assert ran.returncode in (10, 12, 20, 21, 40), ran
        errors = [json.loads(line) for line in ran.stderr.split("\n") if line.startswith('{"code"')]
        found = []
        for error in errors:
            for problem in error["diagnostics"] or [error]:
                if problem.get("severity") == "warning":
                    continue
                place = f"{problem['line']}:{problem['column']}" if "line" in problem else "-"
                if problem.get("file", "orders.yaml") != "orders.yaml":
                    place = f"{problem['file']}:{place}"
                found.append((problem["code"], place, problem["message"], problem["help"]))
        assert found, ran
        return found


def mistakes(path):
    found, base, arguments = [], "", ["check"]
    for title, body in sections(path.read_text()):
        if title == "base":
            base = body
        elif title.startswith("levada "):
            arguments = title.split()[1:]
        elif not title.startswith("sqlite "):
            found.append(Mistake(title, body, base, arguments))
    return found


def prepare(path, directory):
    for title, body in sections(path.read_text()):
        if title.startswith("sqlite "):
            with sqlite3.connect(directory / title.removeprefix("sqlite ")) as database:
                database.executescript(body)


CASES = [pytest.param(path, index, id=f"{path.stem}: {mistake.title}")
         for path in GROUPS for index, mistake in enumerate(mistakes(path))]


@pytest.fixture(scope="module")
def places(module_scratch):
    """A directory for each group, with its databases."""
    found = {}
    for path in GROUPS:
        found[path] = module_scratch / path.stem
        found[path].mkdir()
        prepare(path, found[path])
    return found


def agrees(wanted, got):
    return len(wanted) == len(got) and all(
        w[:2] == g[:2] and w[2] in g[2] and w[3] in g[3] for w, g in zip(wanted, got))


@pytest.mark.parametrize("path, index", CASES)
def test_it_is_told_what_is_wrong_where_and_how_to_put_it_right(places, path, index):
    mistake = mistakes(path)[index]
    got = mistake.seen(places[path])
    if os.environ.get("LEVADA_UPDATE") == "1" and not agrees(mistake.expected, got):
        return update(path, mistake, got)
    assert agrees(mistake.expected, got), f"{mistake.written}\n--- expected\n{mistake.expected}\n--- seen\n{got}"
    for _, _, message, help_line in got:
        assert message and help_line, got


def update(path, mistake, got):
    lines = "".join(f">>> {code} {place} {message}\n>>> help: {help_line}\n" for code, place, message, help_line in got)
    text = path.read_text()
    start = text.index(f"--- {mistake.title}\n") + len(f"--- {mistake.title}\n")
    end = text.find("\n--- ", start) + 1 or len(text)
    path.write_text(text[:start] + mistake.written + lines + text[end:])


def test_there_are_many_and_none_twice():
    everything = [(m.title, tuple(m.files.items())) for path in GROUPS for m in mistakes(path)]
    broken = list((SOURCE / "tests/pipelines/broken").glob("*.yaml"))
    assert len(everything) + len(broken) >= 400
    for path in GROUPS:
        titles = [m.title for m in mistakes(path)]
        assert len(set(titles)) == len(titles), path.name
    assert len({files for _, files in everything}) == len(everything)
