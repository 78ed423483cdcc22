"""Every type of the Postgres consumer: rows written by SQL, read back from Parquet by pyarrow and DuckDB, and compared
with what the server itself says, value by value, with NULLs, extremes and empty values."""

import datetime
import decimal
import json
import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from columns import COLUMNS, DEFINITIONS, array_read, array_say
from conftest import FULL, data_files, read_table


@pytest.fixture(scope="module", autouse=True)
def definitions(server):
    server.execute(DEFINITIONS)


def load(levada, server, table, extra="", loader="", verify="count", status=0):
    levada.write("p.yaml", f"""
name: types
consumer:
  postgres:
    dsn: {server.url()}
    table: {table}
{extra}
loaders:
  - parquet:
      path: lake
{loader}
verify: {verify}
""")
    ran = levada("run", "p.yaml", "--quiet", expect=status)
    return read_table(levada.directory / "lake") if status == 0 else ran


def profile_for(columns):
    """Spark's decimals end at 38 digits."""
    return "      profile: arrow" if any(pa.types.is_decimal256(c.arrow) for c in columns) else ""


def by_duckdb(levada):
    files = [str(levada.directory / "lake" / f) for f in data_files(levada.directory / "lake")]
    return duckdb.sql(f"select * from read_parquet({files})").to_arrow_table()


def said_by_server(server, table, column, say):
    expression = say.replace("{0}", column).replace("{}", column)
    return [row[0] for row in server.rows(f"select {expression} from {table} order by id")]


def check(server, table, got, columns):
    """`columns`: name -> (say, read)."""
    order = got.sort_by("id")
    for name, (say, read) in columns.items():
        ours = [read(v) if v.is_valid else None for v in order.column(name)]
        theirs = [None if v is None else str(v) for v in said_by_server(server, table, name, say)]
        assert ours == theirs, name


def say_of_array(column):
    return f"case when {{0}} is null then null else {array_say(column)} end".replace("{}", "{0}")


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.sql_type)
def test_every_type_and_its_arrays_arrive_exactly(server, levada, column):
    """One row a value and NULLs; arrays: NULL, empty, all values, NULLs inside, only a NULL, another lower bound."""
    values = ["null", *column.literals, "null"]
    scalars = [f"({v})::{column.sql_type}" for v in values]
    whole = ", ".join(f"({v})::{column.sql_type}" for v in column.literals)
    arrays = ["null", "'{}'", f"array[{whole}]", f"array[null, {whole}, null]", f"array[null]::{column.sql_type}[]",
              f"array_fill(({column.literals[-1]})::{column.sql_type}, array[3], array[-7])"]
    server.execute(f"drop table if exists one; create table one(id int not null, v {column.sql_type}, a {column.sql_type}[])")
    for i in range(max(len(scalars), len(arrays))):
        scalar = scalars[i] if i < len(scalars) else "null"
        array = arrays[i] if i < len(arrays) else "null"
        server.execute(f"insert into one values ({i}, {scalar}, {array})")
    columns = {"v": (column.say, column.read), "a": (say_of_array(column), array_read(column))}
    got = load(levada, server, "one", loader=profile_for([column]), verify="readback")
    check(server, "one", got, columns)
    assert got.schema.field("v").type == column.arrow
    assert got.schema.field("a").type.value_type == column.arrow
    if column.duckdb:
        check(server, "one", by_duckdb(levada), columns)


def native(value):
    """A value of psycopg as pyarrow says it."""
    if isinstance(value, datetime.time):
        return str(value)
    if isinstance(value, datetime.timedelta):
        pytest.fail("Python's timedelta is not what an interval is")
    if isinstance(value, (dict, list)) or value is None or isinstance(value, (bool, int, float, str, bytes)):
        return value
    return str(value) if type(value).__name__ == "UUID" else value


def test_a_second_client_reads_the_same_values(server, levada):
    """What psycopg makes of its own binary or text results, value by value, for all values that Python's types hold."""
    server.execute("""
        drop table if exists known; create table known(id int not null, b boolean, i2 smallint, i4 int, i8 bigint, f4 real,
          f8 double precision, n numeric(38,10), t text, v varchar(9), c char(4), y bytea, d date, ti time, ts timestamp,
          tz timestamptz, u uuid, j json, m mood, a numeric(9,2)[], at text[]);
        insert into known values
          (1, true, -32768, 2147483647, -9223372036854775808, 0.5, 1e300, 1234567890123456789012345678.0123456789, 'ü', '', 'x',
           '\\x00', '0001-01-01', '00:00', '9999-12-31 23:59:59.999999', '2026-06-01 12:00+02',
           'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": [1, null]}', 'ok', '{1.10,NULL,-3}', '{"",NULL,"a,b"}'),
          (2, false, 32767, -2147483648, 9223372036854775807, -0.25, -1e-300, -0.0000000001, '', 'abc', 'abcd', '', '9999-12-31',
           '23:59:59.000001', '0001-01-01', '1970-01-01 00:00+00', '00000000-0000-0000-0000-000000000000', '"x"', 'sad', '{}',
           '{}'),
          (3, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
           null, null)""")
    got = load(levada, server, "known").sort_by("id")
    for binary in (False, True):
        with server.connect() as connection:
            connection.execute("set timezone = 'UTC'")
            cursor = connection.cursor(binary=binary)
            cursor.execute("select * from known order by id")
            theirs = [[native(v) for v in row] for row in cursor.fetchall()]
            names = [d.name for d in cursor.description]
        assert got.column_names == names
        for i, name in enumerate(names):
            ours = got.column(name).to_pylist()
            if name == "m" and binary:  # psycopg knows nothing of the enum
                theirs = [[v.decode() if isinstance(v, bytes) and d == "m" else v for v, d in zip(row, names)] for row in theirs]
            if name == "j":
                ours = [None if v is None else json.loads(v) for v in ours]
            assert ours == [row[i] for row in theirs], name


@pytest.mark.parametrize("wide", [c for c in COLUMNS if pa.types.is_decimal256(c.arrow)], ids=lambda c: c.sql_type)
def test_decimals_that_spark_cannot_hold_are_refused_for_spark(server, levada, wide):
    for sql_type, named in [(wide.sql_type, '"v"'), (wide.sql_type + "[]", '"v.element"')]:
        server.execute(f"drop table if exists opt; create table opt(id int, v {sql_type})")
        ran = load(levada, server, "opt", status=10)
        assert "LV1016" in ran.err and named in ran.err and "38" in ran.err, ran
    assert not (levada.directory / "lake").exists() or not data_files(levada.directory / "lake")


@pytest.mark.parametrize("option, sql, arrow, values", [
    ("uuid: binary\n# profile: arrow", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid", pa.binary(16),
     [bytes.fromhex("a0eebc999c0b4ef8bb6d6bb9bd380a11")]),
    ("trim: true", "'ab  '::char(6)", pa.string(), ["ab"]),
    ("numeric: string", "1.10::numeric", pa.string(), ["1.10"]),
    ("numeric: double", "1.5::numeric", pa.float64(), [1.5]),
    ("numeric: decimal(20,3)", "1.5::numeric", pa.decimal128(20, 3), [decimal.Decimal("1.500")]),
    ("non_finite: 'null'", "unnest(array['NaN', 'Infinity', '-Infinity', 1]::numeric[])::numeric(9,2)", None, None),
])
def test_options_of_types_do_what_they_say(server, levada, option, sql, arrow, values):
    server.execute("drop table if exists opt")
    if values is None:
        server.execute("create table opt(id int, v numeric(9,2)); insert into opt values (1, 'NaN'), (2, 1)")
        assert load(levada, server, "opt", f"    {option}").sort_by("id").column("v").to_pylist() == [
            None, decimal.Decimal("1.00")]
        return
    server.execute(f"create table opt as select 1 id, {sql} v")
    got = load(levada, server, "opt", f"    {option}", "      profile: arrow" if "# profile" in option else "")
    assert got.schema.field("v").type == arrow and got.column("v").to_pylist() == values


def test_time_as_time64_where_the_profile_has_one(server, levada):
    server.execute("drop table if exists opt; create table opt as select 1 id, time '12:34:56.789' v")
    got = load(levada, server, "opt", "    time: time64", "      profile: arrow")
    assert got.schema.field("v").type == pa.time64("us")
    assert got.column("v").to_pylist() == [datetime.time(12, 34, 56, 789000)]


def random_literal(column, chance):
    if chance.random() < 0.15:
        return "null"
    if column.sql_type == "text":
        return "'" + "".join(chance.choice("aß \u4e2d'0").replace("'", "''") for _ in range(chance.randrange(40))) + "'"
    if column.sql_type == "bigint":
        return str(chance.randrange(-(2**63), 2**63))
    if column.sql_type == "integer":
        return str(chance.randrange(-(2**31), 2**31))
    if column.sql_type == "numeric(15,2)":
        return f"{chance.randrange(-10**15 + 1, 10**15)} / 100.0"
    if column.sql_type == "numeric(76,38)":
        return f"{chance.randrange(-10**38 + 1, 10**38)}.{chance.randrange(10**38):038d}"
    if column.sql_type == "double precision":
        return repr(chance.uniform(-1e300, 1e300))
    if column.sql_type == "timestamptz":
        return f"to_timestamp({chance.randrange(-10**11, 10**12)} / 1000.0)"
    if column.sql_type == "bytea":
        return f"'\\x{chance.randbytes(chance.randrange(20)).hex()}'"
    return chance.choice(column.literals)


def random_value(column, is_array, chance):
    if not is_array:
        return f"({random_literal(column, chance)})::{column.sql_type}"
    if chance.random() < 0.15:
        return "null"
    elements = [f"({random_literal(column, chance)})::{column.sql_type}" for _ in range(chance.randrange(5))]
    return f"array[{', '.join(elements)}]::{column.sql_type}[]"


@pytest.mark.parametrize("seed", range(200 if FULL else 10))
def test_random_tables_arrive_exactly(server, levada, seed):
    chance = random.Random(seed)
    chosen = [(chance.choice(COLUMNS), chance.random() < 0.25) for _ in range(chance.randrange(1, 60))]
    names = [f"c{i}" for i in range(len(chosen))]
    server.execute("drop table if exists dice; create table dice(id int not null, " +
                   ", ".join(f"{n} {c.sql_type}{'[]' * a}" for n, (c, a) in zip(names, chosen)) + ")")
    rows = [f"({i}, " + ", ".join(random_value(c, a, chance) for c, a in chosen) + ")"
            for i in range(chance.randrange(1, 200))]
    server.execute("insert into dice values " + ", ".join(rows))
    consumer = chance.choice(["connections: 1", "connections: 2", "connections: auto", "partition: { by: id, size: 50 }",
                              "partition: { by: id, hash: 3 }"])
    loader = chance.choice(["", "row_group_rows: 32768", "codec: snappy", "codec: lz4", "codec: none", "dictionary: off",
                            "concurrency: 2", "statistics: false"])
    profile = profile_for([c for c, _ in chosen])
    got = load(levada, server, "dice", f"    {consumer}", f"      {loader}\n{profile}", chance.choice(["count", "readback"]))
    assert got.num_rows == len(rows)
    says = {n: (say_of_array(c), array_read(c)) if a else (c.say, c.read) for n, (c, a) in zip(names, chosen)}
    check(server, "dice", got, says)
    check(server, "dice", by_duckdb(levada), {n: s for n, s in says.items() if chosen[names.index(n)][0].duckdb})


def test_empty_strings_and_nulls_stay_different(server, levada):
    server.execute("drop table if exists blanks; create table blanks(id int not null, t text, b bytea, a text[]);"
                   r"insert into blanks values (1, '', '\x', '{}'), (2, null, null, null)")
    got = load(levada, server, "blanks").sort_by("id").to_pylist()
    assert got == [{"id": 1, "t": "", "b": b"", "a": []}, {"id": 2, "t": None, "b": None, "a": None}]


def test_an_empty_table_leaves_a_dataset_with_its_schema(server, levada):
    server.execute("drop table if exists nobody; create table nobody(id int not null, v numeric(9,2))")
    got = load(levada, server, "nobody")
    assert got.num_rows == 0
    assert got.schema.field("v").type == pa.decimal128(9, 2)


def test_the_files_keep_sparks_rules(server, levada):
    server.execute("drop table if exists sparks; create table sparks(id int not null, a numeric(5,2), b numeric(15,2),"
                   " c numeric(30,2), d timestamptz, e timestamp, f text[], u uuid);"
                   "insert into sparks values (1, 1, 2, 3, now(), now(), '{x}', gen_random_uuid())")
    load(levada, server, "sparks")
    file = next(iter(data_files(levada.directory / "lake")))
    footer = pq.ParquetFile(levada.directory / "lake" / file)
    schema = str(footer.schema)
    assert "spark_schema" in schema
    assert footer.schema.to_arrow_schema().metadata is None or b"ARROW:schema" not in footer.metadata.metadata
    kinds = {footer.schema.column(i).path: (footer.schema.column(i).physical_type, str(footer.schema.column(i).logical_type),
                                            footer.schema.column(i).max_definition_level) for i in range(len(footer.schema))}
    assert kinds["a"][0] == "INT32" and kinds["b"][0] == "INT64" and kinds["c"][0] == "FIXED_LEN_BYTE_ARRAY"
    assert "isAdjustedToUTC=true" in kinds["d"][1] and "isAdjustedToUTC=false" in kinds["e"][1]
    assert kinds["f.list.element"][0] == "BYTE_ARRAY"
    assert kinds["u"][1].startswith("String")
    assert kinds["id"][2] == 1, "everything is OPTIONAL"
