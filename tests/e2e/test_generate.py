"""Consumer `generate`: the rows are those of its definition, and the same in one piece, in many, and after a kill."""

import datetime
import decimal
import json
import signal

import pytest

from conftest import data_files, leftovers, read_table, wait_until

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15

PIPELINE = """
name: made
{run}
consumer:
  generate: {{ {generate} }}
loaders: [{{ parquet: {{ path: {path} }} }}]
retry: {{ backoff: 10ms }}
"""

COLUMNS = """columns: {
    id: { type: int64, sequence: 1 },
    amount: { type: "decimal(18,2)", min: -5, max: 1000, nulls: 0.1 },
    ratio: { type: float64, min: 0, max: 1, scale: 3 },
    kind: { type: text, values: [a, b, c] },
    at: { type: timestamp, sequence: 2026-01-01, step: 1h },
    day: { type: date, min: 2026-01-01, max: 2026-12-31 } }"""


# Written down once more, from the description in src/connectors/generate/README.md.
def mix(word):
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & MASK
    return word ^ (word >> 31)


def key_of(seed, name):
    hashed = 0xCBF29CE484222325 ^ mix(seed + GAMMA & MASK)
    for byte in name.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 & MASK
    return mix(hashed)


def below(key, row, count):
    return mix(key + (row + 1) * GAMMA & MASK) * count >> 64


def is_null(key, row, fraction):
    return mix(key_of(key, "nulls") + (row + 1) * GAMMA & MASK) >> 1 < int(fraction * 10**9) * 2**63 // 10**9


def write(levada, generate, path="lake", run="", name="p.yaml"):
    return levada.write(name, PIPELINE.format(generate=generate, path=path, run=run))


def test_rows_are_those_of_their_definition(levada):
    write(levada, f"rows: 500, seed: 7, {COLUMNS}")
    levada("run", "p.yaml", "--quiet", expect=0)
    table = read_table(levada.directory / "lake")
    assert [str(field.type) for field in table.schema] == [
        "int64", "decimal128(18, 2)", "double", "string", "timestamp[us]", "date32[day]"]
    amount, ratio, kind, day = (key_of(7, name) for name in ("amount", "ratio", "kind", "day"))
    for row, got in enumerate(table.to_pylist()):
        cents = decimal.Decimal(-500 + below(amount, row, 100_501)) / 100
        assert got == {
            "id": row + 1,
            "amount": None if is_null(amount, row, 0.1) else cents,
            "ratio": below(ratio, row, 1_001) / 1000,
            "kind": "abc"[below(kind, row, 3)],
            "at": datetime.datetime(2026, 1, 1) + row * datetime.timedelta(hours=1),
            "day": datetime.date(2026, 1, 1) + datetime.timedelta(days=below(day, row, 365)),
        }


@pytest.mark.parametrize("table", ["lineitem", "events", "narrow", "wide-500"])
def test_pieces_hold_the_rows_of_the_whole(levada, table):
    rows = 300 if table == "wide-500" else 5_000
    write(levada, f"table: {table}, rows: {rows}", "whole")
    write(levada, f"table: {table}, rows: {rows}, slices: 2, partition: {{ count: 3 }}", "pieces", "parallel: 3", "q.yaml")
    levada("run", "p.yaml", "--quiet", expect=0)
    levada("run", "q.yaml", "--quiet", expect=0)
    assert len(data_files(levada.directory / "pieces")) == 6
    assert read_table(levada.directory / "pieces").equals(read_table(levada.directory / "whole"))
    levada("diff", "whole", "pieces", expect=0)


KILLED = "table: events, rows: 40000, partition: { size: 10000 }"


@pytest.mark.parametrize("failpoint", ["read.opened=kill@3", "load.file_staged=kill@2", "publish.intent_written=kill@2"])
def test_a_killed_run_ends_with_the_same_files(levada, failpoint):
    write(levada, KILLED)
    levada("run", "p.yaml", "--quiet", expect=0)
    undisturbed = data_files(levada.directory / "lake")
    assert len(undisturbed) == 4
    levada.directory.joinpath("lake").rename(levada.directory / "undisturbed")
    ran = levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": failpoint}, expect=-signal.SIGKILL)
    report = levada("run", "p.yaml", "--json", expect=0).json()
    assert data_files(levada.directory / "lake") == undisturbed, ran
    assert leftovers(levada.directory / "lake") == []
    assert report["runs"][0]["rows"] == 40_000


def test_windows_are_ranges_of_rows(levada):
    days = "run: { every: day, column: created_at, start: 2025-01-01, end: 2025-01-03 }"
    write(levada, "table: events, rows: 60000", run=days)
    report = levada("run", "p.yaml", "--json", expect=0).json()
    assert [run["window"] for run in report["runs"]] == ["2025-01-01", "2025-01-02"]
    times = read_table(levada.directory / "lake").column("created_at").to_pylist()
    assert times == sorted(times)
    write(levada, "table: events, rows: 60000", "whole", name="q.yaml")
    levada("run", "q.yaml", "--quiet", expect=0)
    whole = read_table(levada.directory / "whole")
    assert read_table(levada.directory / "lake").equals(whole.slice(0, len(times)))
    assert times[-1] < datetime.datetime(2025, 1, 3, tzinfo=datetime.timezone.utc) <= whole.column("created_at")[len(times)].as_py()


def test_rows_are_verified_by_reading_them_again(levada):
    levada.write("p.yaml", PIPELINE.format(generate="table: lineitem, rows: 3000", path="lake", run="verify: readback"))
    levada("run", "p.yaml", "--quiet", expect=0)


def test_a_stop_ends_a_large_table_at_once(levada):
    write(levada, "table: wide-500, rows: 50000000")
    child = levada.start("run", "p.yaml", "--quiet")
    wait_until(lambda: list((levada.directory / "lake").rglob(".levada*")), "a file is begun")
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=5)
    assert child.returncode == 143


def test_a_url_is_enough(levada):
    levada("run", "generate:lineitem?rows=1000&seed=3", "./lake", "--save", "p.yaml", "--quiet", expect=0)
    text = (levada.directory / "p.yaml").read_text()
    assert "  generate:\n    table: lineitem\n    rows: 1000\n    seed: 3\n" in text
    assert read_table(levada.directory / "lake").num_rows == 1000
    assert "expected a whole number" in levada("run", "generate:lineitem?rows=many", "./lake", expect=10).err
    assert "LV1005" in levada("run", "generate:orders?rows=1", "./lake", expect=10).err
    made = levada("init", "generate:events?rows=1000", "./events", expect=0).out
    assert "rows: 1000\n" in made and "# columns:" not in made
    levada.write("made.yaml", made)
    levada("run", "made.yaml", "--quiet", expect=0)


def test_plan_knows_what_will_be_made(levada):
    write(levada, "table: narrow, rows: 1000, partition: { size: 300 }")
    said = levada("plan", "p.yaml", "--json", expect=2).json()
    assert "table narrow of generate" in json.dumps(said)
    text = levada("plan", "p.yaml", expect=2).out
    assert "about 1,000 rows" in text and "row in [300, 600)" in text
    assert not (levada.directory / "lake").exists()


REFUSED = [
    ("rows: 5", "LV1003", 5, "columns"),
    ("table: lineitm, rows: 5", "LV1005", 5, "lineitem"),
    ("table: lineitem", "LV1003", 5, "rows"),
    ("table: lineitem, rows: 5, columns: { id: int64 }", "LV1009", 5, "keep one of them"),
    ("rows: 5, columns: { id: { type: bigint } }", "LV1005", 5, "int64"),
    ("rows: 5, columns: { id: { type: int64, seqence: 1 } }", "LV1002", 5, "sequence"),
    ("rows: 300, columns: { id: { type: int8, sequence: 1 } }", "LV1005", 5, "behind row 127 of 300"),
    ("rows: 5, columns: { id: { type: text, min: 1 } }", "LV1009", 5, "no meaning for type text"),
    ("table: narrow, rows: 5, partition: { by: id, size: 2 }", "LV1002", 5, "by"),
]


@pytest.mark.parametrize("generate, code, line, words", REFUSED)
def test_what_makes_no_table_is_refused_with_its_place(levada, generate, code, line, words):
    write(levada, generate)
    for command in ("check", "plan", "run"):
        ran = levada(command, "p.yaml", expect=10)
        assert f"[{code}]" in ran.err and f"p.yaml:{line}:" in ran.err and words in ran.err, ran


def test_windows_of_a_column_without_order_are_refused_by_plan(levada):
    days = "run: {{ every: day, column: {}, start: 2025-01-01, end: 2025-01-04 }}"
    for table, column, code, words in (("lineitem", "l_shipdate", "LV1009", "events and narrow do"),
                                       ("events", "received_at", "LV1009", "created_at"),
                                       ("events", "create_at", "LV1013", "did you mean \"created_at\"?")):
        write(levada, f"table: {table}, rows: 5", run=days.format(column))
        ran = levada("plan", "p.yaml", expect=10)
        assert f"[{code}]" in ran.err and words in ran.err, ran


def test_slices_are_refused_where_rows_are_compared(levada):
    text = PIPELINE.format(generate="table: narrow, rows: 5, slices: 2", path="lake", run="transformers: [{ dedupe: { key: [id] } }]")
    levada.write("p.yaml", text)
    assert "compares all of its rows" in levada("check", "p.yaml", expect=10).err
