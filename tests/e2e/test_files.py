"""The files consumer through the binary: every format as somebody else writes it, hive layouts, patterns, files that differ, are
damaged or change, and runs that are interrupted."""

import csv
import datetime
import decimal
import gzip
import json
import os
import signal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.feather
import pyarrow.orc
import pyarrow.parquet as pq
import pytest

from conftest import BINARY, data_files, leftovers, read_table

ROWS = 5_000


def table(rows=ROWS, first=0):
    """Types that every format knows."""
    numbers = range(first, first + rows)
    return pa.table({
        "id": pa.array(numbers, pa.int64()),
        "x": pa.array([n / 4 for n in numbers], pa.float64()),
        "name": pa.array([None if n % 7 == 0 else "" if n % 7 == 1 else f'say "{n}", é\n' for n in numbers]),
        "at": pa.array([datetime.datetime(2026, 1, 1) + datetime.timedelta(hours=n) for n in numbers], pa.timestamp("us")),
    })


def write_csv(data, path, delimiter=","):
    """By Python's writer: NULL as nothing, the empty text in quotes."""
    with open(path, "w", newline="") as out:
        writer = csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_NOTNULL if hasattr(csv, "QUOTE_NOTNULL")
                            else csv.QUOTE_MINIMAL)
        writer.writerow(data.column_names)
        for row in data.to_pylist():
            if hasattr(csv, "QUOTE_NOTNULL"):
                writer.writerow(row.values())
            else:
                out.write(delimiter.join("" if value is None else '"' + str(value).replace('"', '""') + '"'
                                         for value in row.values()) + "\r\n")


def write_jsonl(data, path):
    with open(path, "w") as out:
        for row in data.to_pylist():
            out.write(json.dumps({k: v.isoformat(" ") if isinstance(v, datetime.datetime) else v for k, v in row.items()
                                  if v is not None}) + "\n")


def pack_gzip(path):
    with open(path, "rb") as plain, gzip.open(f"{path}.gz", "wb") as packed:
        packed.write(plain.read())
    os.remove(path)


def pack_zstd(path):
    with open(path, "rb") as plain, pa.CompressedOutputStream(f"{path}.zst", "zstd") as packed:
        packed.write(plain.read())
    os.remove(path)


def write_stream(data, path):
    with pa.ipc.new_stream(str(path), data.schema) as writer:
        writer.write_table(data, max_chunksize=700)


FORMATS = {
    "parquet": lambda data, path: pq.write_table(data, f"{path}.parquet", row_group_size=1_000),
    "csv": lambda data, path: write_csv(data, f"{path}.csv"),
    "csv.gz": lambda data, path: (write_csv(data, f"{path}.csv", ";"), pack_gzip(f"{path}.csv")),
    "tsv": lambda data, path: write_csv(data, f"{path}.tsv", "\t"),
    "pyarrow.csv": lambda data, path: pa.csv.write_csv(data, f"{path}.csv"),
    "jsonl": lambda data, path: write_jsonl(data, f"{path}.jsonl"),
    "jsonl.zst": lambda data, path: (write_jsonl(data, f"{path}.ndjson"), pack_zstd(f"{path}.ndjson")),
    "arrow": lambda data, path: pa.feather.write_feather(data, f"{path}.arrow", compression="lz4"),
    "arrows": lambda data, path: write_stream(data, f"{path}.arrows"),
    "orc": lambda data, path: pa.orc.write_table(data, f"{path}.orc"),
}


def pipeline(levada, options, top="", loader=""):
    lines = "\n".join(f"    {line}" for line in options.strip().splitlines())
    levada.write("p.yaml", f"name: p\n{top}\nconsumer:\n  files:\n{lines}\nloaders:\n  - parquet: {{ path: lake{loader} }}\n"
                           "retry: { attempts: 2, backoff: 10ms, backoff_max: 20ms }\n")


def run(levada, options, expect=0, top="", loader="", env=None, arguments=()):
    pipeline(levada, options, top, loader)
    return levada("run", "p.yaml", *arguments, expect=expect, env=env)


def contents(levada):
    return read_table(levada.directory / "lake")


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_the_same_rows(levada, format):
    data = table()
    (levada.directory / "in").mkdir()
    FORMATS[format](data.slice(0, 2_000), levada.directory / "in" / "a")
    FORMATS[format](data.slice(2_000), levada.directory / "in" / "b")
    # ORC counts nanoseconds, and JSON has no times.
    types = 'types: { at: "timestamp(us)" }' if format.startswith(("jsonl", "orc")) else ""
    run(levada, f"path: in\n{types}")
    got = contents(levada)
    # JSON lines have keys in the order in which they are met, and the first row has no name.
    assert sorted(got.column_names) == sorted(data.column_names)
    for name in data.column_names:
        assert got[name].to_pylist() == data[name].to_pylist(), name


def test_duckdb_writes_what_is_read(levada):
    duckdb = pytest.importorskip("duckdb")
    (levada.directory / "in").mkdir()
    select = ("select i as id, i / 4.0::double as x, case when i % 3 = 0 then null when i % 3 = 1 then '' else 'é,' || i end "
              "as name, (i / 100)::decimal(12,2) as amount, i % 2 as half from range(3000) t(i)")
    for kind, options in (("parquet", "format parquet"), ("csv", "format csv, header"), ("json", "format json")):
        duckdb.sql(f"copy ({select}) to '{levada.directory}/in/a.{kind}' ({options})")
    expected = duckdb.sql(select).fetchall()
    for kind in ("parquet", "csv", "json"):
        run(levada, f'path: in/a.{kind}\ntypes: {{ amount: "decimal(12,2)", x: float64, half: int64 }}')
        assert [tuple(row.values()) for row in contents(levada).to_pylist()] == expected, kind
    duckdb.sql(f"copy ({select}) to '{levada.directory}/hive' (format parquet, partition_by (half))")
    run(levada, "path: hive")
    got = contents(levada)
    assert got.schema.field("half").type == pa.int64()
    assert sorted(zip(got["id"].to_pylist(), got["half"].to_pylist())) == [(i, i % 2) for i in range(3000)]


def test_the_same_files_are_the_same_bytes(levada):
    (levada.directory / "in").mkdir()
    for n in range(6):
        write_csv(table(500, n * 500), levada.directory / f"in/{n}.csv")
    run(levada, "path: in\npartition: { by: file }")
    first = data_files(levada.directory / "lake")
    assert len(first) == 6
    run(levada, "path: in\npartition: { by: file }", loader="2")
    assert data_files(levada.directory / "lake2") == first


def test_ad_hoc_runs_take_a_pattern_and_a_url(levada):
    (levada.directory / "in").mkdir()
    for n in range(3):
        write_csv(table(10, n * 10), levada.directory / f"in/{n}.csv")
    levada("run", "in/*.csv", "lake", expect=0)
    assert contents(levada)["id"].to_pylist() == list(range(30))
    levada("run", f"file://{levada.directory}/in/[01].csv?file_column=file", "lake2", expect=0)
    got = read_table(levada.directory / "lake2")
    assert got["id"].to_pylist() == list(range(20))
    assert got["file"].to_pylist()[-1] == f"{levada.directory}/in/1.csv"
    ran = levada("run", "in/0.csv", "in/1.csv", "in/2.csv", "lake", expect=10)
    assert "in quotes" in ran.err


def test_a_late_file_belongs_to_the_next_run(levada):
    (levada.directory / "in").mkdir()
    for n in (1, 2):
        write_csv(table(100, n * 100), levada.directory / f"in/{n}.csv")
    options = "path: in\npartition: { by: file }"
    run(levada, options, expect=-signal.SIGKILL, env={"LEVADA_FAILPOINTS": "publish.file_renamed=kill@2"})
    write_csv(table(100, 0), levada.directory / "in/0.csv")
    run(levada, options)
    assert sorted(contents(levada)["id"].to_pylist()) == list(range(100, 300))
    assert not leftovers(levada.directory / "lake")
    run(levada, options)
    assert sorted(contents(levada)["id"].to_pylist()) == list(range(300))


@pytest.mark.parametrize("change", ["written", "gone"])
def test_a_run_that_goes_on_refuses_files_that_changed(levada, change):
    (levada.directory / "in").mkdir()
    for n in (1, 2):
        write_csv(table(100, n * 100), levada.directory / f"in/{n}.csv")
    options = "path: in\npartition: { by: file }\nschema: union"
    run(levada, options, expect=-signal.SIGKILL, env={"LEVADA_FAILPOINTS": "publish.file_renamed=kill@1"})
    for n in (1, 2):
        path = levada.directory / f"in/{n}.csv"
        if change == "written":
            write_csv(table(100, n * 1_000), path)
        else:
            path.rename(levada.directory / f"in/{n + 2}.csv")
    ran = run(levada, options, expect=50)  # the first part was published
    said = ran.out + ran.err
    assert "LV2109" in said and "since the run was split" in said
    assert sorted(contents(levada)["id"].to_pylist()) == list(range(100, 200))
    # A run of another plan gives up what this one began.
    run(levada, options.replace("path: in", "path: ./in"), arguments=["--replace"])
    assert contents(levada).num_rows == 200


def test_killed_anywhere_the_next_run_has_the_same_bytes(levada):
    (levada.directory / "in").mkdir()
    for n in range(3):
        write_csv(table(400, n * 400), levada.directory / f"in/{n}.csv")
    options = "path: in\npartition: { by: file }"
    run(levada, options, loader="-whole")
    whole = data_files(levada.directory / "lake-whole")
    for n, point in enumerate(("read.opened=kill@1", "read.opened=kill@3", "publish.file_renamed=kill@1",
                               "publish.file_renamed=kill@3")):
        run(levada, options, loader=f"-{n}", expect=-signal.SIGKILL, env={"LEVADA_FAILPOINTS": point})
        run(levada, options, loader=f"-{n}")
        assert data_files(levada.directory / f"lake-{n}") == whole, point


def test_windows_are_rows_of_all_files(levada):
    (levada.directory / "in").mkdir()
    for n in range(2):
        pq.write_table(table(36, n * 36), levada.directory / f"in/{n}.parquet")
    top = 'run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }'
    run(levada, "path: in", top=top)
    assert contents(levada)["id"].to_pylist() == list(range(72))
    assert len(data_files(levada.directory / "lake")) == 3


@pytest.mark.parametrize("name, bytes, code", [
    ("b.csv", b"id,name\n1,a\n2,b,c\n", "LV2108"), ("b.csv", b"id,name\n1,\xff\n", "LV3104"),
    ("b.csv", b"id\n1\n", "LV3001"), ("b.csv", b"id,name,more\n1,a,b\n", "LV3001"), ("b.csv", b'id,name\n1,"cut off', "LV2108"),
])
def test_a_file_that_differs_is_named(levada, name, bytes, code):
    (levada.directory / "in").mkdir()
    (levada.directory / "in/a.csv").write_bytes(b"id,name\n1,a\n")
    (levada.directory / "in" / name).write_bytes(bytes)
    ran = run(levada, "path: in", expect=None)
    assert code in ran.err and f"in/{name}" in ran.err, ran
    assert ran.status in (21, 30, 31)
    assert not (levada.directory / "lake").exists() or not data_files(levada.directory / "lake")


@pytest.mark.parametrize("format", ["parquet", "csv.gz", "jsonl.zst", "arrow", "arrows", "orc"])
def test_every_cut_of_a_file_is_an_error_or_fewer_whole_rows(levada, format):
    data = table(300)
    (levada.directory / "in").mkdir()
    FORMATS[format](data, levada.directory / "in/a")
    path = next((levada.directory / "in").iterdir())
    whole = path.read_bytes()
    for n, size in enumerate([1, 7, len(whole) // 3, len(whole) // 2, len(whole) - 9, len(whole) - 1]):
        path.write_bytes(whole[:size])
        ran = run(levada, "path: in", loader=f"-{n}", expect=None)
        assert ran.status in (21, 31), (size, ran)
        assert path.name in ran.err and "LV7001" not in ran.err, ran
    for n in range(24):
        place = (n + 1) * len(whole) // 26
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1:])
        ran = run(levada, "path: in", loader=f"-flip{n}", expect=None)
        assert ran.status in (0, 10, 21, 30, 31) and "LV7001" not in ran.err, (place, ran)


@pytest.mark.skipif("/dev/" in BINARY, reason="a sanitizer takes memory of its own")
def test_a_large_file_takes_little_memory(levada):
    with open(levada.directory / "a.csv", "w") as out:
        out.write("id,name,x\n")
        for first in range(0, 900_000, 10_000):
            out.writelines(f"{n},{'name of row ' + str(n)},{n / 8}\n" for n in range(first, first + 10_000))
    assert (levada.directory / "a.csv").stat().st_size > 30_000_000
    pipeline(levada, "path: a.csv")
    ran = levada("run", "p.yaml", "--json", "--memory", "128MiB", expect=0)
    assert ran.json()["peak_memory_bytes"] <= 128 << 20
    got = contents(levada)
    assert got.num_rows == 900_000
    assert pc.sum(got["id"]).as_py() == 900_000 * 899_999 // 2


def test_decimals_and_digits_are_exact(levada):
    levada.write("a.csv", "id,amount\n12345678901234567890,0.10\n2,99999999999999.99\n")
    levada.write("a.jsonl", '{"id": 12345678901234567890, "amount": 0.10}\n{"id": 2, "amount": "99999999999999.99"}\n')
    for path in ("a.csv", "a.jsonl"):
        run(levada, f'path: {path}\ntypes: {{ id: "decimal(20,0)", amount: "decimal(16,2)" }}')
        assert contents(levada)["amount"].to_pylist() == [decimal.Decimal("0.10"), decimal.Decimal("99999999999999.99")]
        assert contents(levada)["id"].to_pylist()[0] == 12345678901234567890


def test_patterns_and_what_they_miss(levada):
    levada.write("in/a/x.csv", "id\n1\n")
    levada.write("in/b/y.csv", "id\n2\n")
    levada.write("in/b/_tmp.csv", "id\n3\n")
    run(levada, 'path: "in/**/*.csv"')
    assert contents(levada)["id"].to_pylist() == [1, 2]
    ran = run(levada, 'path: "in/*.csv"', expect=21)
    assert "LV2101" in ran.err and "p.yaml" in ran.err and "**" in ran.err
    levada.write("in/b/z.jsonl", '{"id": 4}\n')
    ran = run(levada, "path: in", expect=10)
    assert "LV1009" in ran.err and "several formats" in ran.err
    ran = run(levada, 'path: "s3://bucket/in?endpoint_override=h&colour=red"', expect=10)
    assert "LV1005" in ran.err and "colour" in ran.err
