"""Transformers that look at more than a row, over real tables: against a plain model, row by row, in every size of memory;
killed in the middle; and rules about whole runs."""

import json
import random
import re

import pytest

from conftest import FULL, data_files, leftovers, read_table

ROWS = 400_000 if FULL else 60_000


@pytest.fixture(scope="module")
def visits(server):
    """Few keys with many rows, many keys with one, and NULLs in keys and in what orders them."""
    dice = random.Random(11)
    rows = []
    for number in range(ROWS):
        person = None if dice.random() < 0.02 else dice.randrange(ROWS // 2) if dice.random() < 0.7 else dice.randrange(20)
        rows.append((number, person, dice.choice(["north", "south", None]),
                     None if dice.random() < 0.05 else f"2026-01-{dice.randrange(1, 29):02} {dice.randrange(24):02}:00:00",
                     dice.randrange(-50, 1000)))
    server.execute("create table visits (id bigint primary key, person integer, side text, seen_at timestamp, amount integer)")
    with server.connect() as connection, connection.cursor() as cursor:
        with cursor.copy("copy visits from stdin") as copy:
            for row in rows:
                copy.write_row(row)
    return rows


def run(server, levada, transformers, expect=0, more="", env=None):
    levada.write("p.yaml", f"""
name: visits
consumer: {{ postgres: {{ dsn: "{server.url()}", table: visits }} }}
transformers:
{transformers}
loaders: [{{ parquet: {{ path: lake, profile: arrow }} }}]
{more}
""")
    ran = levada("run", "p.yaml", "--json", expect=expect, env=env)
    return ran.json() if expect == 0 else ran


def ids(levada):
    return read_table(levada.directory / "lake")["id"].to_pylist()


def kept_of(rows, key, last=False, order=None):
    """The model: the row of each key that stays."""
    staying = {}
    for row in rows:
        value = tuple(row[k] for k in key)
        if value not in staying:
            staying[value] = row
            continue
        if order is None:
            mine, other = 0, 0
        else:  # NULL first
            mine, other = [(r[order] is not None, r[order] or "") for r in (row, staying[value])]
        if mine >= other if last else mine < other:
            staying[value] = row
    return sorted(row[0] for row in staying.values())


# (options, of the model)
DEDUPES = [
    ("key: [person]", {"key": [1]}),
    ("key: [person, side]", {"key": [1, 2]}),
    ("key: [person], keep: last", {"key": [1], "last": True}),
    ("key: [person], order: seen_at", {"key": [1], "order": 3}),
    ("key: [side, person], order: seen_at, keep: last", {"key": [2, 1], "last": True, "order": 3}),
]


@pytest.mark.parametrize("options, model", DEDUPES)
def test_dedupe_is_what_the_model_says_in_any_memory(server, levada, visits, options, model):
    expected = kept_of(visits, **model)
    files = []
    for memory in ("1MiB", "256MiB"):
        report = run(server, levada, f"  - dedupe: {{ {options}, memory: {memory} }}")
        assert ids(levada) == expected, "the rows that stay, in the order they were read"
        assert report["rows"] == len(expected)
        assert sum(p["rows_filtered"] for r in report["runs"] for p in r["partitions"]) == ROWS - len(expected)
        files.append(sorted(data_files(levada.directory / "lake").values()))
    assert files[0] == files[1], "memory changes no byte"


def test_validate_is_what_the_model_says(server, levada, visits):
    report = run(server, levada, """
  - validate:
      columns:
        id: { not_null: true, unique: true }
        person: { not_null: true, on_error: quarantine }
        side: { in: [north, south], matches: "^n", on_error: discard_value }
        amount: { min: 0, max: 900, on_error: discard_row }
        seen_at: { min: "2026-01-03", max: "2026-01-20", on_error: quarantine }
      unique: [person, seen_at]
      check: { even: "amount % 2 = 0 or person is not null" }
      on_error: discard_row
      memory: 1MiB""")
    kept, aside, seen = [], [], set()
    for number, person, side, at, amount in visits:
        if person is None or (at is not None and not "2026-01-03 00:00:00" <= at <= "2026-01-20 00:00:00"):
            aside.append(number)
        elif 0 <= amount <= 900 and (at is None or (person, at) not in seen):
            seen.add((person, at))
            kept.append((number, side if side == "north" else None))
    table = read_table(levada.directory / "lake")
    assert list(zip(table["id"].to_pylist(), table["side"].to_pylist())) == kept
    rejected = [json.loads(line) for path in sorted((levada.directory / "lake/_levada").rglob("*.rejects.jsonl"))
                for line in path.read_text().splitlines()]
    assert [line["row"]["id"] for line in rejected] == aside
    partition = report["runs"][0]["partitions"][0]
    assert (partition["rows"], partition["rows_rejected"]) == (len(kept), len(aside))
    assert partition["rows_filtered"] == ROWS - len(kept) - len(aside)
    assert partition["values_discarded"] == sum(side not in (None, "north") for _, _, side, _, _ in visits)


def test_a_repeated_value_ends_the_run_in_any_memory(server, levada, visits):
    first = next(n for n, row in enumerate(visits) if row[1] is not None and row[1] in {r[1] for r in visits[:n]})
    for memory in ("256MiB", "1MiB"):
        ran = run(server, levada, f"  - validate: {{ columns: {{ person: {{ unique: true }} }}, memory: {memory} }}", expect=31)
        assert "LV3108" in ran.err and f"row {first + 1} of the partition" in ran.err
        assert not data_files(levada.directory / "lake")
    unique_rows = f"  - filter: id < {first}\n"
    run(server, levada, unique_rows + "  - validate: { columns: { person: { unique: true } }, memory: 1MiB }")


# ---------------------------------------------------------------------------------------------------------------------
# killed


@pytest.mark.parametrize("failpoint", ["read.opened", "load.before_sync", "publish.intent_written", "finish.before_manifest"])
def test_killed_while_rows_wait_on_disk(server, levada, visits, failpoint):
    dedupe = "  - dedupe: { key: [person], keep: last, memory: 1MiB }"
    run(server, levada, dedupe)
    undisturbed = data_files(levada.directory / "lake")
    other = type(levada)(levada.directory / "other")
    other.directory.mkdir()
    scratch = levada.directory / "scratch"
    scratch.mkdir()
    environment = {"TMPDIR": str(scratch)}
    run(server, other, dedupe, expect=-9, env={**environment, "LEVADA_FAILPOINTS": f"{failpoint}=kill@1"})
    assert list(scratch.iterdir()) == [], "scratch files have no names"
    run(server, other, dedupe, env=environment)
    assert data_files(other.directory / "lake") == undisturbed
    assert leftovers(other.directory / "lake") == [] and list(scratch.iterdir()) == []


def test_no_room_for_rows_that_wait(server, levada, visits):
    ran = run(server, levada, "  - dedupe: { key: [person], keep: last }", expect=40, env={"TMPDIR": "/nonexistent"})
    assert "/nonexistent" in ran.err and "TMPDIR" in ran.err
    run(server, levada, "  - dedupe: { key: [person] }", env={"TMPDIR": "/nonexistent"})


# ---------------------------------------------------------------------------------------------------------------------
# whole partitions, whole runs


def test_one_connection_reads_a_partition_whose_rows_are_compared(server, levada, visits):
    server.execute("analyze visits")
    levada.write("p.yaml", f"""
name: visits
consumer: {{ postgres: {{ dsn: "{server.url()}", table: visits, connections: auto, partition: {{ by: id, count: 3 }} }} }}
transformers: [{{ dedupe: {{ key: [person] }} }}]
loaders: [{{ parquet: {{ path: lake }} }}]
""")
    plan = levada("plan", "p.yaml", expect=2).out
    assert "dedupe compares the rows of one partition, and there are 3" in plan
    assert "because a transformer compares its rows" in plan
    levada("run", "p.yaml", "--quiet", expect=0)
    assert len(data_files(levada.directory / "lake")) == 3


def daily(server, levada, rules):
    levada.write("p.yaml", f"""
name: days
run: {{ every: day, column: at, start: 2026-01-01, end: 2026-01-06 }}
consumer: {{ postgres: {{ dsn: "{server.url()}", table: days }} }}
transformers:
  - add: {{ day: {{ value: "{{run.start:%F}}", type: date }}, source: "{{pipeline}}" }}
  - validate: {{ rows: {rules} }}
loaders: [{{ parquet: {{ path: lake, layout: "d={{run.label}}" }} }}]
""")


@pytest.fixture
def days(server):
    """100 rows a day, but for the fourth day: three."""
    server.execute("drop table if exists days; create table days as select g, timestamp '2026-01-01' + g * interval '864 s' as at "
                   "from generate_series(0, 499) g where g < 300 or g >= 397")


def test_a_run_of_too_few_rows_is_not_published_and_is_read_anew(server, levada, days):
    daily(server, levada, "{ change: 50% }")
    ran = levada("run", "p.yaml", "--json", expect=50)
    assert "expected 50% more or less than 100, the median of the 3 runs before, got 3" in ran.err
    lake = levada.directory / "lake"
    assert sorted({name.split("/")[0] for name in data_files(lake)}) == ["d=2026-01-01", "d=2026-01-02", "d=2026-01-03"]
    assert [row["state"] for row in levada("status", "p.yaml", "--json").json()["runs"]].count("published") == 3

    assert not list((lake / "_levada").glob("2026-01-04.*.json")) and leftovers(lake) == []

    again = levada("run", "p.yaml", "--json", expect=31)
    assert "LV3109" in again.err
    server.execute("insert into days select g, timestamp '2026-01-04' + g * interval '1 s' from generate_series(1, 80) g")
    report = levada("run", "p.yaml", "--json", expect=0).json()
    assert [run["rows"] for run in report["runs"]] == [83, 100], "read anew, and the day after it"
    assert len([name for name in data_files(lake) if name.startswith("d=2026-01-04/")]) == 1
    daily(server, levada, "{ max: 50 }")
    assert "nothing left to do" in levada("run", "p.yaml", expect=0).out, "the rule is no part of the plan"
    ran = levada("run", "p.yaml", "--window", "2026-01-04", "--replace", expect=31)
    assert "expected at most 50, got 83" in ran.err
    assert len([name for name in data_files(lake) if name.startswith("d=2026-01-04/")]) == 1


def test_a_table_is_compared_with_what_it_had_before(server, levada, days):
    levada.write("p.yaml", f"""
name: days
consumer: {{ postgres: {{ dsn: "{server.url()}", table: days }} }}
transformers: [{{ validate: {{ rows: {{ change: 10% }} }} }}]
loaders: [{{ parquet: {{ path: lake }} }}]
""")
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(levada.directory / "lake")
    server.execute("delete from days where g < 100")
    ran = levada("run", "p.yaml", expect=31)
    assert re.search(r"expected 10% more or less than 403, the median of the run before, got 303", ran.err)
    assert data_files(levada.directory / "lake") == before
    server.execute("insert into days select g, timestamp '2026-02-01' from generate_series(1, 99) g")
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 402


@pytest.mark.parametrize("failpoint", ["publish.before_record", "publish.recorded", "finish.intent_written", "finish.before_manifest",
                                       "finish.manifest_written"])
def test_killed_in_a_run_that_is_held(server, levada, days, failpoint):
    daily(server, levada, "{ min: 1 }")
    levada("run", "p.yaml", "--quiet", expect=0)
    undisturbed = data_files(levada.directory / "lake")
    other = type(levada)(levada.directory / "other")
    other.directory.mkdir()
    daily(server, other, "{ min: 1 }")
    levada_kill = {"LEVADA_FAILPOINTS": f"{failpoint}=kill@1"}
    other("run", "p.yaml", "--quiet", env=levada_kill, any_signal=True, expect=-9)
    other("run", "p.yaml", "--quiet", expect=0)
    assert data_files(other.directory / "lake") == undisturbed
    assert leftovers(other.directory / "lake") == []


def test_added_columns_follow_the_window(server, levada, days):
    daily(server, levada, "{ max: 1000 }")
    levada("run", "p.yaml", "--quiet", expect=0)
    table = read_table(levada.directory / "lake")
    assert all(str(day) == at.date().isoformat() for day, at in zip(table["day"].to_pylist(), table["at"].to_pylist()))
    assert set(table["source"].to_pylist()) == {"days"}
