"""`levada test`: our own pipelines' tests pass, what differs is shown, and mistakes in test files have a place."""

import pytest

from conftest import SOURCE

PIPELINE = """
name: orders
consumer: { sqlite: { path: no.db, table: orders } }
transformers:
  - filter: status != 'cancelled'
  - filter: id > 0
  - rename: { id: order_id }
loaders: [{ parquet: { path: lake } }]
"""

GOOD = """
pipeline: orders.yaml
tests:
  - name: kept
    given:
      types: { id: int64, amount: "decimal(9,2)", status: text, tags: text }
      rows: [{ id: 1, amount: 12.50, status: paid }, { id: -1, status: paid }]
    after: { "filter#2": [{ id: 1 }] }
    expect: [{ order_id: 1, amount: 12.5, tags: null }]
"""


def test_the_pipelines_of_this_house_pass(levada):
    ran = levada("test", SOURCE / "tests/pipelines", expect=0)
    assert "9 tests: 9 ok, 0 failed" in ran.out
    documents = [line for line in levada("test", SOURCE / "tests/pipelines", "--json", expect=0).out.splitlines()]
    assert len(documents) == 2, "a line a file"


def test_neither_source_nor_target_is_touched(levada):
    levada.write("orders.yaml", PIPELINE)
    levada.write("orders.test.yaml", GOOD)
    levada("test", "orders.test.yaml", expect=0)
    assert sorted(path.name for path in levada.directory.iterdir()) == ["orders.test.yaml", "orders.yaml"]


def test_differences_are_shown_cell_by_cell(levada):
    levada.write("orders.yaml", PIPELINE)
    levada.write("orders.test.yaml", """
pipeline: orders.yaml
tests:
  - name: wrong
    given:
      types: { id: int64, amount: "decimal(9,2)", status: text }
      rows: [[1, 12.05, paid], [2, null, ""], [3, 1.00, cancelled]]
    after: { filter: [{ id: 1 }, { id: 5, status: x }], read: [] }
    expect: [{ order_id: 1, amount: 12.50 }, { order_id: 2, amount: 1 }, { order_id: 3 }]
  - name: right
    given: { types: { id: int64, status: text }, rows: [[1, paid]] }
    expect: [[1, paid]]
  - name: no error
    given: { types: { id: int64, status: text }, rows: [[1, paid]] }
    error: LV3108
  - name: an error
    given: { types: { ident: int64, status: text }, rows: [[1, paid]] }
    after: { filter: [], rename: [] }
    expect: []
""")
    ran = levada("test", ".", expect=31)
    assert ran.out == """\
./orders.test.yaml
  FAILED  wrong
          behind "filter"
          row  column  expected  got
            2  id      5         2
            2  status  x         ""
          behind "read": expected 0 rows, got 3
          behind the last stage: expected 3 rows, got 2
          row  column  expected  got
            1  amount  12.50     12.05
            2  amount  1         NULL
  ok      right
  FAILED  no error
          the outcome: expected error LV3108, got none
  FAILED  an error
          the outcome: expected no error, got LV1013 (filter: no column "id" reaches this stage)
          behind "filter": expected 0 rows, got 1
          behind "rename": the rows did not get there
4 tests: 1 ok, 3 failed
"""
    said = levada("test", "orders.test.yaml", "--json", expect=31).json()
    assert said["ok"] is False and [test["ok"] for test in said["tests"]] == [False, True, False, False]
    assert said["tests"][0]["differences"][0]["cells"][0] == {"row": 2, "column": "id", "expected": "5", "got": "2"}
    assert levada("test", "orders.test.yaml", "--quiet", expect=31).out.startswith("orders.test.yaml\n")


MISTAKES = [
    ("tests: []", "LV1003", "needs \"pipeline\""),
    ("pipeline: orders.yaml", "LV1003", "needs a list of \"tests\""),
    ("- a", "LV1004", "a test file is a map of keys"),
    ("pipeline: orders.yaml\ntests: [{ nam: x }]", "LV1002", "did you mean \"name\"?"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 } } }]", "LV1003", "either \"rows\" or a \"file\""),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { rows: [] } }]", "LV1003", "needs the types"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int46 }, rows: [] }, expect: [] }]", "LV1005", "x.test.yaml:2:42"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [{ idd: 1 }] }, expect: [] }]", "LV1013", "did you mean"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [[1, 2]] }, expect: [] }]", "LV1005", "a row of 2 values"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [{ id: one }] }, expect: [] }]", "LV1005", "got \"one\""),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [{ id: [1] }] }, expect: [] }]", "LV1004", "one scalar"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: 5 }, expect: [] }]", "LV1004", "a list of rows"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [5] }, expect: [] }]", "LV1004", "a row is"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] } }]", "LV1003", "expects nothing"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] }, error: LV9999 }]", "LV1005", "no error \"LV9999\""),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] }, expect: [], message: x }]", "LV1003", "add error"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64, status: text }, rows: [] }, after: { cast: [] } }]", "LV1005",
     "no stage \"cast\""),
    ("pipeline: orders.yaml\ntests: [{ name: x, window: 2026-01-01, given: { types: { id: int64, status: text }, rows: [] }, expect: [] }]",
     "LV1010", "has no windows"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, file: no.csv }, expect: [] }]", "LV1018", "no.csv"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, file: bad.csv }, expect: [] }]", "LV1005", "no CSV file"),
    ("pipeline: order.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] }, expect: [] }]", "LV1018", "orders.yaml"),
    ("pipeline: |\n  name: x\n  consumer: 3\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] }, expect: [] }]", "LV1004", "(its pipeline)"),
    ("pipeline: orders.yaml\ntests: [{ name: x, given: { types: { id: int64 }, rows: [] }, expect: [] }, { name: x, given: { types: "
     "{ id: int64 }, rows: [] }, expect: [] }]", "LV1005", "two tests are called"),
]


@pytest.mark.parametrize("text, code, words", MISTAKES)
def test_mistakes_have_a_place(levada, text, code, words):
    levada.write("orders.yaml", PIPELINE)
    levada.write("bad.csv", "id,name\n1\n")
    levada.write("x.test.yaml", text + "\n")
    ran = levada("test", "x.test.yaml", expect=10)
    assert code in ran.err and words in ran.err, ran.err


def test_a_directory_without_tests_is_a_mistake(levada):
    assert "there is no test below" in levada("test", ".", expect=10).err
    assert "write levada test DIR" in levada("test", expect=10).err
    assert levada("test", "no.test.yaml", expect=10).err.startswith("error[LV1018]")


def test_a_test_that_cannot_be_run_hides_no_other(levada):
    levada.write("p.yaml", "name: p\nconsumer: { generate: { rows: 1, columns: { id: int64 } } }\ntransformers: [{ filter: id > 1 }]\n"
                           "loaders: [{ parquet: { path: lake } }]\n")
    given = "given: { types: { id: int64 }, rows: [{ %s: 2 }] }, expect: [{ id: %d }]"
    levada.write("p.test.yaml", "pipeline: p.yaml\ntests:\n" + "".join(
        f"  - {{ name: {name}, {given % (column, expected)} }}\n"
        for name, column, expected in (("first", "id", 2), ("broken", "idd", 2), ("wrong", "id", 3))))
    ran = levada("test", "p.yaml", expect=10)  # the tests that lie beside it
    assert ran.out.splitlines()[1:4] == ["  ok      first", "  ERROR   broken", "  FAILED  wrong"], ran
    assert ran.out.endswith("3 tests: 1 ok, 1 failed, 1 could not be run\n") and "LV1013" in ran.err
    said = levada("test", "p.test.yaml", "--json", expect=10).json()
    assert [test["ok"] for test in said["tests"]] == [True, False, False]
    assert said["tests"][1]["error"]["code"] == "LV1013"
