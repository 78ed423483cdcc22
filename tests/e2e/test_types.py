"""Every type of the Postgres consumer: rows written by SQL, read back from Parquet by pyarrow and DuckDB, and compared
with what the server itself says, value by value, with NULLs, extremes and empty values."""

import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from columns import COLUMNS, array_read, array_say
from conftest import data_files, read_table

TYPES = """
do $$ begin
  create type mood as enum ('sad', 'ok', 'very glad');
  create domain positive as integer check (value > 0);
exception when duplicate_object then null; end $$;
"""


@pytest.fixture(scope="module", autouse=True)
def types(server):
    server.execute(TYPES)


def load(levada, server, table, extra="", loader=""):
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
""")
    levada("run", "p.yaml", "--quiet", expect=0)
    return read_table(levada.directory / "lake")


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


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.sql_type)
def test_every_value_of_a_type_arrives_exactly(server, levada, column):
    values = ["null", *column.literals, "null"]
    rows = ", ".join(f"({i}, ({v})::{column.sql_type})" for i, v in enumerate(values))
    server.execute(f"drop table if exists one; create table one(id int not null, v {column.sql_type}); "
                   f"insert into one values {rows}")
    got = load(levada, server, "one")
    check(server, "one", got, {"v": (column.say, column.read)})
    if column.arrow is not None:
        assert got.schema.field("v").type == column.arrow


@pytest.mark.parametrize("column", COLUMNS, ids=lambda c: c.sql_type)
def test_arrays_of_a_type_arrive_exactly(server, levada, column):
    all_values = ", ".join(f"({v})::{column.sql_type}" for v in column.literals)
    server.execute(f"drop table if exists many; create table many(id int not null, v {column.sql_type}[]); "
                   f"insert into many values (1, null), (2, '{{}}'), (3, array[{all_values}]), "
                   f"(4, array[null, {all_values}, null]), (5, array[null]::{column.sql_type}[])")
    got = load(levada, server, "many")
    check(server, "many", got, {"v": (f"case when {{0}} is null then null else {array_say(column)} end"
                                      .replace("{}", "{0}"), array_read(column))})


def test_duckdb_reads_the_same_values_as_pyarrow(server, levada):
    readable = [c for c in COLUMNS if c.sql_type not in ("timestamp", "date", "timestamptz")]
    names = [f"c{i}" for i in range(len(readable))]
    server.execute("drop table if exists wide; create table wide(id int not null, " +
                   ", ".join(f"{n} {c.sql_type}" for n, c in zip(names, readable)) + ")")
    for i in range(5):
        row = ", ".join(f"({c.literals[i % len(c.literals)]})::{c.sql_type}" for c in readable)
        server.execute(f"insert into wide values ({i}, {row})")
    got = load(levada, server, "wide").sort_by("id")
    files = [str(levada.directory / "lake" / f) for f in data_files(levada.directory / "lake")]
    by_duckdb = duckdb.sql(f"select * from read_parquet({files}) order by id").to_arrow_table()
    for name, column in zip(names, readable):
        ours = [None if not v.is_valid else column.read(v) for v in got.column(name)]
        theirs = [None if not v.is_valid else column.read(v) for v in by_duckdb.column(name).combine_chunks()]
        assert ours == theirs, column.sql_type


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
    if column.sql_type == "double precision":
        return repr(chance.uniform(-1e300, 1e300))
    return chance.choice(column.literals)


@pytest.mark.parametrize("seed", range(8))
def test_random_tables_arrive_exactly(server, levada, seed):
    chance = random.Random(seed)
    chosen = [chance.choice(COLUMNS) for _ in range(chance.randrange(1, 30))]
    names = [f"c{i}" for i in range(len(chosen))]
    server.execute("drop table if exists dice; create table dice(id int not null, " +
                   ", ".join(f"{n} {c.sql_type}" for n, c in zip(names, chosen)) + ")")
    rows = []
    for i in range(chance.randrange(1, 400)):
        rows.append(f"({i}, " + ", ".join(f"({random_literal(c, chance)})::{c.sql_type}" for c in chosen) + ")")
    server.execute("insert into dice values " + ", ".join(rows))
    connections = chance.choice(["1", "2", "auto"])
    got = load(levada, server, "dice", f"    connections: {connections}",
               "      row_group_rows: 32768" if seed % 2 else "")
    assert got.num_rows == len(rows)
    check(server, "dice", got, {n: (c.say, c.read) for n, c in zip(names, chosen)})


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
