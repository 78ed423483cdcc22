"""The SQL of the Analytics Engine against the engine itself: each statement of src/formats/aesql/testdata/answers, as
answers_test.cc has it written, over the five rows of rows.ndjson, gives the answer that was worked out by hand. Needs no daemon,
and libchdb of deps/package.json (LEVADA_LIBCHDB: another one)."""

import contextlib
import dataclasses
import json
import os
import pathlib
import subprocess
import sys

import pytest

SOURCE = pathlib.Path(os.environ["LEVADA_SOURCE"])
FOLDER = SOURCE / "src/formats/aesql/testdata/answers"
LIBRARY = pathlib.Path(os.environ.get("LEVADA_LIBCHDB",
                                      SOURCE / "build/node/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"))


@dataclasses.dataclass
class Case:
    name: str
    sql: str = ""
    answer: list = dataclasses.field(default_factory=list)
    error: str = ""


def cases():
    """What is sent and what comes back; answers_test.cc says how the files are written."""
    tail = (FOLDER / "tail.txt").read_text().rstrip("\n")
    found = []
    for path in sorted(FOLDER.glob("*.txt")):
        asked = False
        for line in path.read_text().split("\n"):
            mark, text = line[:2], line[2:]
            if mark == "? " and not asked:
                found.append(Case(f"{path.stem}: {text}"))
            asked = mark == "? "
            if mark == "> ":
                found[-1].sql = text if " SETTINGS " in text else text + tail
            elif mark == "= ":
                found[-1].answer.append(text)
            elif mark == "! ":
                found[-1].error = text
    return [case for case in found if case.sql]


class Engine:
    def __init__(self, child):
        self.child = child

    def ask(self, sql):
        self.child.stdin.write(json.dumps(sql) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def run(self, sql):
        said = self.ask(sql)
        assert "error" not in said, said["error"]
        return said["answer"]


@contextlib.contextmanager
def started():
    child = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("chdb_child.py"), LIBRARY], text=True,
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, "TZ": "Asia/Kathmandu"})
    try:
        yield Engine(child)
    finally:
        child.stdin.close()
        assert child.wait(timeout=60) == 0


@pytest.fixture(scope="module")
def engine():
    """With the tables of two datasets, one of them empty. The machine's clock stands in another zone than UTC."""
    if not LIBRARY.exists():
        pytest.skip(f"{LIBRARY} is not there: deps/install")
    columns = (FOLDER / "columns.txt").read_text()
    with started() as engine:
        engine.run("CREATE DATABASE analytics")
        for table in ("d1", "d2"):
            engine.run(f"CREATE TABLE analytics.{table} {columns} ENGINE = MergeTree ORDER BY (index1, timestamp)")
        rows = (FOLDER / "rows.ndjson").read_text()
        engine.run(f"INSERT INTO analytics.d1 FORMAT JSONEachRow {rows}")
        yield engine


def test_every_file_has_cases():
    assert len({case.name.split(":")[0] for case in cases()}) == 6
    assert len(cases()) > 90


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_answer(engine, case):
    said = engine.ask(case.sql)
    if case.error:
        assert case.error in said.get("error", said)
        return
    assert "error" not in said, said["error"]
    if case.sql.endswith("FORMAT TabSeparated"):
        assert said["answer"] == "".join(line + "\n" for line in case.answer)
    elif case.sql.endswith("FORMAT JSON"):
        assert [json.loads(said["answer"])] == [json.loads(line) for line in case.answer]
    else:
        assert [json.loads(line) for line in said["answer"].splitlines()] == [json.loads(line) for line in case.answer]


def test_timezones_are_those_of_the_engine(engine):
    tail = (FOLDER / "tail.txt").read_text().rstrip("\n")
    answer = engine.run("SELECT time_zone AS `timezone` FROM system.time_zones ORDER BY time_zone ASC" + tail)
    zones = [json.loads(line)["timezone"] for line in answer.splitlines()]
    assert {"Etc/UTC", "Europe/Lisbon", "America/New_York"} <= set(zones)


def test_deep_and_wide_expressions_are_within_the_engines_limits(engine):
    """As deep as ExpressionBinder lets them be, as the renderer writes them."""
    deep = "SELECT " + "negate(" * 200 + "1" + ")" * 200 + " AS `x` FORMAT TabSeparated"
    assert engine.run(deep) == "1\n"
    wide = "SELECT or(" + ", ".join(f"equals({i}, 1)" for i in range(5000)) + ") AS `x` FORMAT TabSeparated"
    assert engine.run(wide) == "1\n"
    subqueries = "SELECT __source.`x` AS `x` FROM (" * 8 + "SELECT 1 AS `x`" + ") AS __source" * 8 + " FORMAT TabSeparated"
    assert engine.run(subqueries) == "1\n"
