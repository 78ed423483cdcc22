"""The ClickHouse consumer through the binary against Debian's server, 18.16: every type it has, as the server itself prints it,
windows, partitions, the wire's forms, and what becomes of a run when something is wrong."""

import ast
import datetime
import decimal
import signal
import socket
import threading
import time

import pyarrow as pa
import pytest

from clickhouse_server import PASSWORD, clickhouse, needs_clickhouse  # noqa: F401 (a fixture)
from conftest import Proxy, data_files, free_port, leftovers, read_table, wait_until

pytestmark = needs_clickhouse
ROWS = 200_000
UTC = datetime.timezone.utc


def pipeline(levada, clickhouse, options="table: goods", top="", loader="", **url):
    lines = "\n".join(f"    {line}" for line in options.strip().splitlines())
    levada.write("p.yaml", f"name: p\n{top}\nconsumer:\n  clickhouse:\n    dsn: \"{clickhouse.url(**url)}\"\n{lines}\n"
                           f"loaders:\n  - parquet: {{ path: lake{loader} }}\n"
                           "retry: { attempts: 3, backoff: 10ms, backoff_max: 20ms }\n")


def run(levada, status=0, *arguments):
    return levada("run", "p.yaml", "--quiet", *arguments, expect=status)


def lake(levada):
    return read_table(levada.directory / "lake")


@pytest.fixture(scope="module", autouse=True)
def goods(clickhouse):
    clickhouse.execute(
        "CREATE TABLE goods (id UInt32, name String, price Decimal(9, 2), at DateTime, day Date, kind Nullable(String)) "
        "ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY id",
        "INSERT INTO goods SELECT number, concat('n', toString(number)), toDecimal32(number, 2) / 4, "
        "toDateTime('2026-01-01 00:00:00', 'UTC') + number * 3600, toDate(toDateTime('2026-01-01 00:00:00', 'UTC') + number * 3600, 'UTC'), "
        "if(number % 3 = 0, NULL, if(number % 3 = 1, 'a', 'it''s')) FROM numbers(1000)",
        "CREATE TABLE many (id UInt64, note String) ENGINE = MergeTree ORDER BY id",
        f"INSERT INTO many SELECT number, concat('note ', toString(number * 7919), '{'x' * 200}') FROM numbers({ROWS})")


# ---- types

def epoch(moment):
    return str(int(moment.timestamp()))


def same(value):
    return value if isinstance(value, str) else str(value)


# type: (literals, what the server prints of it, the same of what pyarrow reads)
TYPES = {
    "Int8": (["-128", "0", "127"], "toString({})", same),
    "Int16": (["-32768", "0", "32767"], "toString({})", same),
    "Int32": (["-2147483648", "0", "2147483647"], "toString({})", same),
    "Int64": (["-9223372036854775808", "0", "9223372036854775807"], "toString({})", same),
    "UInt8": (["0", "1", "255"], "toString({})", same),
    "UInt16": (["0", "1", "65535"], "toString({})", same),
    "UInt32": (["0", "1", "4294967295"], "toString({})", same),
    "UInt64": (["0", "1", "18446744073709551615"], "toString({})", same),
    "Float32": (["1.5", "-0.25", "16777216"], "toString(toInt64({} * 4))", lambda v: str(int(v * 4))),
    "Float64": (["1.5", "-0.25", "9007199254740992"], "toString(toInt64({} * 4))", lambda v: str(int(v * 4))),
    "Decimal(9, 2)": (["-1.25", "0", "9999999.99"], "toString({})", lambda v: same(v.normalize() if v else 0)),
    "Decimal(18, 4)": (["-0.0001", "0", "99999999999999.9999"], "toString({})", None),
    # This server prints larger ones with bytes of zero between their digits.
    "Decimal(38, 10)": (["-0.0000000001", "0", "12345678.9"], "toString({})", None),
    "String": (["'a'", "''", "'ä\\n\\t\\\\'"], "toString({})", same),
    "FixedString(3)": (["'abc'", "''", "'é'"], "hex({})", lambda v: v.hex().upper()),
    "Date": (["'1970-01-02'", "'2026-01-01'", "'2105-12-31'"], "toString({})", same),
    "DateTime": (["1", "1767225600", "4294967295"], "toString(toUInt32({}))", epoch),
    "DateTime('Asia/Tokyo')": (["1", "1767225600", "4294967295"], "toString(toUInt32({}))", epoch),
    "UUID": (["'61f0c404-5cb3-11e7-907b-a6006ad3dba0'", "'00000000-0000-0000-0000-000000000000'",
              "'ffffffff-ffff-ffff-ffff-fffffffffffe'"], "toString({})", same),
    "Enum8('a' = -128, 'it\\'s' = 127, '' = 0)": (["'a'", "'it\\'s'", "''"], "toString({})", same),
    "Enum16('a' = -32768, 'b, c)' = 32767, '=' = 0)": (["'a'", "'b, c)'", "'='"], "toString({})", same),
    "Array(Int32)": (["[1, -2]", "[]", "[3]"], "toString({})", lambda v: v),
    "Array(Nullable(String))": (["['a', NULL]", "[]", "['']"], "toString({})", lambda v: v),
    "Array(Array(String))": (["[['a'], []]", "[]", "[['b', 'c']]"], "toString({})", lambda v: v),
    "Array(UInt64)": (["[18446744073709551615]", "[]", "[0]"], "toString({})", lambda v: [int(x) for x in v]),
    "Array(Date)": (["['2026-01-01']", "[]", "['1970-01-02']"], "toString({})", lambda v: [str(x) for x in v]),
    "Tuple(Int32, String)": (["(1, 'a')", "(0, '')", "(-5, 'b')"], "concat(toString(tupleElement({}, 1)), ' ', tupleElement({}, 2))",
                             lambda v: f"{v['1']} {v['2']}"),
    "LowCardinality(String)": (["'a'", "''", "'a'"], "toString({})", same),
    "LowCardinality(Nullable(String))": (["'a'", "NULL", "''"], "toString({})", same),
    **{f"Nullable({name})": ([one, "NULL", other], text, read) for name, one, other, text, read in (
        ("Int8", "-1", "1", "toString({})", same), ("UInt64", "0", "18446744073709551615", "toString({})", same),
        ("Float64", "0.5", "-2", "toString(toInt64({} * 4))", lambda v: str(int(v * 4))),
        ("Decimal(9, 2)", "-1.25", "3.5", "toString({})", None), ("String", "''", "'x'", "toString({})", same),
        ("FixedString(2)", "'ab'", "''", "hex({})", lambda v: v.hex().upper()), ("Date", "'2026-01-01'", "'1970-01-02'", "toString({})", same),
        ("DateTime", "1", "1767225600", "toString(toUInt32({}))", epoch),
        ("UUID", "'61f0c404-5cb3-11e7-907b-a6006ad3dba0'", "'00000000-0000-0000-0000-000000000001'", "toString({})", same),
        ("Enum8('a' = 1)", "'a'", "'a'", "{}", same))},
}


def printed(text):
    """A field of TSV, of arrays as Python has them."""
    if text == "\\N":
        return None
    text = ast.literal_eval('"' + text.replace('"', '\\"') + '"')
    return ast.literal_eval(text.replace("NULL", "None")) if text.startswith("[") else text


def test_every_type_of_the_server(levada, clickhouse):
    names = [f"c{i}" for i in range(len(TYPES))]
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(names, TYPES))
    clickhouse.execute(f"CREATE TABLE types (n UInt8, {columns}, pairs Nested(k String, v Int32)) ENGINE = Memory",
                       allow_experimental_low_cardinality_type=1)
    for row in range(3):
        values = ", ".join(literals[row] for literals, _, _ in TYPES.values())
        clickhouse.execute(f"INSERT INTO types VALUES ({row}, {values}, ['k', 'l'], [1, {row}])")
    pipeline(levada, clickhouse, "table: types")
    run(levada)
    table = lake(levada).sort_by("n")
    assert table.num_rows == 3
    for name, (kind, (_, text, read)) in zip(names, TYPES.items()):
        answers = [printed(row[0]) for row in clickhouse.rows(f"SELECT {text.replace('{}', name)} FROM types ORDER BY n")]
        values = table.column(name).to_pylist()
        if read is None:
            answers = [None if answer is None else decimal.Decimal(answer) for answer in answers]
            assert values == answers, kind
        elif "Decimal" in kind:
            assert values == [decimal.Decimal(answer) for answer in answers], kind
        else:
            assert [None if value is None else read(value) for value in values] == answers, (kind, values)
    assert table.column("pairs.k").to_pylist() == [["k", "l"]] * 3 and table.column("pairs.v").to_pylist()[2] == [1, 2]


def test_what_only_a_query_has(levada, clickhouse):
    pipeline(levada, clickhouse, "query: SELECT NULL AS n, [] AS e, toIntervalDay(3) AS i, 'it''s -- no comment' AS s, 1 = 1 AS b -- end")
    run(levada)
    assert lake(levada).to_pylist() == [{"n": None, "e": [], "i": 3, "s": "it's -- no comment", "b": 1}]


def test_types_that_are_not_read_are_refused_in_words(levada, clickhouse):
    pipeline(levada, clickhouse, "query: SELECT 1 AS one, sumState(number) AS state FROM numbers(3)")
    ran = run(levada, 10)
    for word in ("LV1016", '"state"', "AggregateFunction(sum, UInt64)", "finalizeAggregation"):
        assert word in ran.err, ran


def test_text_that_is_no_utf8(levada, clickhouse):
    pipeline(levada, clickhouse, "query: SELECT unhex('FF00') AS x")
    ran = run(levada, 31)
    assert "LV3104" in ran.err and '"x"' in ran.err and "strings: binary" in ran.err, ran
    pipeline(levada, clickhouse, "query: SELECT unhex('FF00') AS x\nstrings: binary")
    run(levada)
    assert lake(levada).column("x").to_pylist() == [b"\xff\x00"]


def test_unsigned_as_they_are(levada, clickhouse):
    pipeline(levada, clickhouse, "query: SELECT toUInt64(18446744073709551615) AS x, toUInt8(255) AS y\nunsigned: keep", loader=", profile: arrow")
    run(levada)
    assert lake(levada).schema.types == [pa.uint64(), pa.uint8()]
    assert lake(levada).to_pylist() == [{"x": 2**64 - 1, "y": 255}]


# ---- rows

@pytest.mark.parametrize("compression", ["none", "lz4", "zstd", "auto"])
def test_many_rows_in_order(levada, clickhouse, compression):
    pipeline(levada, clickhouse, f"table: many\ncompression: {compression}")
    run(levada)
    table = lake(levada)
    assert table.column("id").to_pylist() == list(range(ROWS))
    assert table.column("note").to_pylist()[7] == f"note {7 * 7919}" + "x" * 200
    first = data_files(levada.directory / "lake")
    run(levada)
    assert sorted(data_files(levada.directory / "lake").values()) == sorted(first.values()), "the same rows, the same bytes"


def test_columns_and_threads(levada, clickhouse):
    pipeline(levada, clickhouse, "table: default.many\ncolumns: [note, id]\nthreads: 4\nsettings: { max_execution_time: 60 }")
    run(levada)
    assert lake(levada).column_names == ["note", "id"]
    assert sorted(lake(levada).column("id").to_pylist()) == list(range(ROWS))


def test_a_table_without_rows(levada, clickhouse):
    clickhouse.execute("CREATE TABLE IF NOT EXISTS nothing (id Int64, s String) ENGINE = MergeTree ORDER BY id")
    for options in ("table: nothing", "table: nothing\npartition: { by: id, count: 3 }"):
        pipeline(levada, clickhouse, options)
        run(levada)
        assert lake(levada).num_rows == 0 and lake(levada).column_names == ["id", "s"]


def test_a_url_is_enough(levada, clickhouse):
    levada("run", clickhouse.url("goods"), "./lake/goods", "--quiet", expect=0)
    assert read_table(levada.directory / "lake/goods").num_rows == 1000
    ran = levada("run", clickhouse.url(), "./lake/other", "--quiet", expect=10)
    assert "LV1017" in ran.err and "table" in ran.err, ran


def test_plan_says_what_is_read(levada, clickhouse):
    pipeline(levada, clickhouse, "table: goods\npartition: { by: id, count: 4 }")
    plan = levada("plan", "p.yaml")
    for word in ("ClickHouse 18.16", "goods", "Decimal(9, 2)", "id in [250, 500)"):
        assert word in plan.out, plan


# ---- partitions and windows

@pytest.mark.parametrize("rule, files", [("by: id, count: 4", 4), ("by: id, size: 300", 4), ("by: day, size: 10", 5), ("by: at, count: 3", 3),
                                         ("by: kind, values: [a, \"it's\"]", 3), ("by: id, values: [5, 7]", 3)])
def test_partitions_have_every_row_once(levada, clickhouse, rule, files):
    pipeline(levada, clickhouse, f"table: goods\npartition: {{ {rule} }}")
    run(levada)
    assert sorted(lake(levada).column("id").to_pylist()) == list(range(1000))
    assert len(data_files(levada.directory / "lake")) == files


def test_partitions_that_do_not_fit(levada, clickhouse):
    for rule, code, word in (("by: name, count: 3", "LV1009", "whole number"), ("by: nam, count: 3", "LV2102", "name"),
                             ("by: id", "LV1003", "size"), ("by: at, size: 1", "LV1009", "larger size")):
        pipeline(levada, clickhouse, f"table: goods\npartition: {{ {rule} }}")
        ran = levada("run", "p.yaml", "--quiet")
        assert ran.status in (10, 21) and code in ran.err and word in ran.err, ran


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize("column", ["at", "day"])
def test_windows(levada, clickhouse, column, zone):
    pipeline(levada, clickhouse, top=f"run: {{ every: day, column: {column}, start: 2026-01-02, end: 2026-01-05, timezone: {zone} }}",
             loader=", layout: \"d={run.start:%Y-%m-%d}\"")
    run(levada)
    for day in (2, 3, 4):
        sql = (f"day = '2026-01-0{day}'" if column == "day" else
               f"at >= toDateTime('2026-01-0{day} 00:00:00', '{zone}') AND at < toDateTime('2026-01-0{day + 1} 00:00:00', '{zone}')")
        expected = [int(row[0]) for row in clickhouse.rows(f"SELECT id FROM goods WHERE {sql} ORDER BY id")]
        assert len(expected) == 24
        found = read_table(levada.directory / f"lake/d=2026-01-0{day}")
        assert sorted(found.column("id").to_pylist()) == expected


def test_windows_of_an_hour_and_of_null(levada, clickhouse):
    clickhouse.execute("CREATE TABLE IF NOT EXISTS moments (id Int32, at Nullable(DateTime)) ENGINE = Memory", "INSERT INTO moments VALUES (3, NULL)",
                       "INSERT INTO moments SELECT 1, toDateTime('2026-01-01 00:59:59', 'UTC')", "INSERT INTO moments SELECT 2, toDateTime('2026-01-01 01:00:00', 'UTC')")
    window = "run: {{ every: hour, column: at, start: 2026-01-01T00, end: 2026-01-01T02{} }}"
    pipeline(levada, clickhouse, "table: moments", top=window.format(""))
    ran = run(levada, 31)
    assert "LV3106" in ran.err and "null:" in ran.err, ran
    pipeline(levada, clickhouse, "table: moments", top=window.format(", null: 2026-01-01T01"), loader=", layout: \"h={run.start:%H}\"")
    run(levada, 0, "--replace")
    assert read_table(levada.directory / "lake/h=00").column("id").to_pylist() == [1]
    assert sorted(read_table(levada.directory / "lake/h=01").column("id").to_pylist()) == [2, 3]


def test_columns_that_make_no_windows(levada, clickhouse):
    for every, column, word in (("day", "name", "Date or DateTime"), ("hour", "day", "every: day")):
        pipeline(levada, clickhouse, top=f"run: {{ every: {every}, column: {column}, start: 2026-01-02, end: 2026-01-03 }}")
        ran = levada("run", "p.yaml", "--quiet", expect=10)
        assert "LV1009" in ran.err and word in ran.err, ran


# ---- errors

def refused(levada, status, *words):
    ran = run(levada, status)
    for word in words:
        assert word in ran.err, ran
    assert not (levada.directory / "lake").exists() or data_files(levada.directory / "lake") == {}
    assert PASSWORD not in ran.out + ran.err
    return ran


def test_names_that_are_wrong(levada, clickhouse):
    pipeline(levada, clickhouse, "table: good")
    refused(levada, 21, "LV2101", "good", '"goods"')
    pipeline(levada, clickhouse, "table: other.goods")
    refused(levada, 21, "other")
    pipeline(levada, clickhouse, "table: goods\ncolumns: [id, prise]")
    refused(levada, 21, "LV2102", "prise", '"price"')
    pipeline(levada, clickhouse, "query: SELEC 1")
    refused(levada, 21, "LV2103", "Syntax error")


def test_the_password(levada, clickhouse):
    pipeline(levada, clickhouse, user="reader", password="wrong")
    refused(levada, 11, "LV1101")
    pipeline(levada, clickhouse, user="nobody")
    refused(levada, 11, "LV1101")
    pipeline(levada, clickhouse, user="reader", password=PASSWORD)  # who may change no settings
    run(levada)
    assert sorted(lake(levada).column("id").to_pylist()) == list(range(1000))


def test_a_result_that_meets_a_limit_is_no_whole_one(levada, clickhouse):
    pipeline(levada, clickhouse, "table: many", user="limited")
    refused(levada, 21, "LV2103", "Limit for result", "settings:")
    pipeline(levada, clickhouse, "table: many", user="cut")
    refused(levada, 21, "LV2106", "result_overflow_mode")
    pipeline(levada, clickhouse, "table: many\nsettings: { max_result_rows: 0 }", user="limited")
    run(levada)
    assert lake(levada).num_rows == ROWS


def test_nobody_listens_or_somebody_else(levada, clickhouse):
    pipeline(levada, clickhouse, port=free_port())
    refused(levada, 20, "LV2001", "9000")
    pipeline(levada, clickhouse, port=clickhouse.http_port)
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status in (20, 21) and "8123" in ran.err or "9000" in ran.err, ran


def test_tls(levada, clickhouse):
    secure = {"host": "localhost", "port": clickhouse.secure_port, "secure": "true"}
    pipeline(levada, clickhouse, **secure)
    refused(levada, 11, "LV1103", "ca=PATH")
    pipeline(levada, clickhouse, ca=str(clickhouse.certificate), **secure)
    run(levada)
    assert lake(levada).num_rows == 1000
    pipeline(levada, clickhouse, ca=str(clickhouse.certificate), **{**secure, "host": "127.0.0.1"})
    ran = run(levada, 11)
    assert "LV1103" in ran.err, ran
    pipeline(levada, clickhouse, "table: many", verify="false", **{**secure, "host": "127.0.0.1"})
    run(levada)
    assert lake(levada).num_rows == ROWS


def test_a_connection_that_breaks_is_made_again(levada, clickhouse):
    proxy = Proxy(clickhouse.port, cut_after=2 << 20, cuts=2)
    try:
        pipeline(levada, clickhouse, "table: many\ncompression: lz4", port=proxy.port)
        run(levada)
        assert proxy.made == 2
        assert lake(levada).column("id").to_pylist() == list(range(ROWS))
        assert leftovers(levada.directory / "lake") == []
    finally:
        proxy.close()
    proxy = Proxy(clickhouse.port, cut_after=2 << 20, cuts=99)
    try:
        pipeline(levada, clickhouse, "table: many", port=proxy.port)
        levada.directory.joinpath("lake").rename(levada.directory / "old")
        refused(levada, 20, "LV2002")
    finally:
        proxy.close()


def test_bytes_that_are_changed_on_the_way(levada, clickhouse):
    """The checksum of a frame sees it."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(8)

    def pump(source, target, damage):
        passed = 0
        try:
            while data := bytearray(source.recv(65536)):
                if damage and passed < 3 << 20 <= passed + len(data):
                    data[-1] ^= 1
                passed += len(data)
                target.sendall(data)
        except OSError:
            pass
        target.close()

    def accept():
        while True:
            try:
                client = listener.accept()[0]
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", clickhouse.port))
            threading.Thread(target=pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=pump, args=(server, client, True), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    pipeline(levada, clickhouse, "query: SELECT number, reverse(hex(number * 7919)) AS s FROM numbers(1000000)\ncompression: lz4",
             port=listener.getsockname()[1])
    refused(levada, 21, "LV2104", "checksum")
    listener.close()


def test_a_stop_ends_it_within_a_second_and_the_server_too(levada, clickhouse):
    pipeline(levada, clickhouse, "query: SELECT sleepEachRow(1) AS x, number FROM numbers(600)\nsettings: { max_block_size: 1 }")
    child = levada.start("run", "p.yaml", "--quiet")
    working = "SELECT query_id FROM system.processes WHERE query LIKE '%sleepEach' || 'Row%'".replace("'%sleepEach' || 'Row%'", "'%sleepEachRow(1) AS x%' AND query NOT LIKE '%processes%'")
    wait_until(lambda: clickhouse.rows(working), "the query is at work")
    began = time.monotonic()
    child.send_signal(signal.SIGINT)
    assert child.wait(30) == 130 and time.monotonic() - began < 1.5
    wait_until(lambda: not clickhouse.rows(working), "the server has stopped")


def test_a_server_that_is_killed(levada, clickhouse):
    """Comes last: the server is another one behind it."""
    proxy = Proxy(clickhouse.port, hold_after=4 << 20)
    try:
        pipeline(levada, clickhouse, "table: many", port=proxy.port)
        levada.write("p.yaml", (levada.directory / "p.yaml").read_text().replace("attempts: 3", "attempts: 30").replace("backoff_max: 20ms", "backoff_max: 500ms"))
        child = levada.start("run", "p.yaml", "--quiet")
        assert proxy.held.wait(60)
        clickhouse.kill()
        proxy.open_gate()
        clickhouse.start()
        assert child.wait(120) == 0, child.stderr.read()
        assert lake(levada).column("id").to_pylist() == list(range(ROWS))
    finally:
        proxy.close()
