"""Types of PostgreSQL without a decoder of their own: read as text, by the server's cast. Rows written by SQL, read back from
Parquet by pyarrow and DuckDB, and compared with what a second client gets from the same cast."""

import json

import pyarrow as pa
import pytest

from conftest import read_table
from test_types import by_duckdb

# What a second client has to set to get what levada writes.
SETTINGS = """
set datestyle = 'ISO, MDY'; set intervalstyle = iso_8601; set timezone = 'UTC'; set extra_float_digits = 3;
set bytea_output = hex; set lc_monetary = 'C'; set search_path = pg_catalog;
"""

DEFINITIONS = """
create extension if not exists hstore; create extension if not exists citext; create extension if not exists ltree;
create extension if not exists cube; create extension if not exists isn; create extension if not exists seg;
create extension if not exists intarray;
do $$ begin
  create type shade as enum ('dark', 'light');
  create type pair as (a numeric, b text);
  create type "Deep "" type" as (p pair, l int[], r daterange, s shade, m money, at timestamptz, f double precision, y bytea);
  create type span as range (subtype = timestamptz);
  create type textrange as range (subtype = text, collation = "C");
  create domain address as inet;
  create domain owner as address check (value <> '0.0.0.0');
  create domain matrix as int[][];
  create domain row_of as pair;
  create domain lists as int[];
exception when duplicate_object then null; end $$;
"""

# type -> literals; each also in an array with NULLs.
CASES = {
    "inet": ["'10.0.0.1/8'", "'10.0.0.1'", "'::1'", "'2001:db8::/32'", "'0.0.0.0/0'", "'::ffff:1.2.3.4/128'"],
    "cidr": ["'10.0.0.0/8'", "'::/0'", "'192.168.1.1/32'"],
    "macaddr": ["'08:00:2b:01:02:03'", "'00:00:00:00:00:00'", "'ff:ff:ff:ff:ff:ff'"],
    "macaddr8": ["'08:00:2b:01:02:03:04:05'", "'ff:ff:ff:ff:ff:ff:ff:ff'"],
    "timetz": ["'00:00:00+00'", "'24:00:00-15:59:59'", "'12:34:56.789012+05:30'", "'23:59:59.999999+15:59:59'"],
    "timetz(0)": ["'12:34:56.789+01'"],
    "bit(5)": ["b'00000'", "b'10110'"],
    "bit": ["b'1'"],
    "varbit": ["b''", "b'1'", "repeat('01', 4000)::varbit"],
    "money": ["0", "'-92233720368547758.08'", "'92233720368547758.07'", "'-0.01'", "1234567.89"],
    "xml": ["'<a b=\"1\">ü &amp; x</a>'", "'text only'", "''",
            "'<?xml version=\"1.0\" encoding=\"UTF-8\"?><a/>'", "'<?xml version=\"1.0\"?><a/>'"],
    "point": ["'(0,0)'", "'(-0.1,1e300)'", "'(NaN,Infinity)'", "'(5e-324,-Infinity)'"],
    "line": ["'{1,-2,0.1}'"],
    "lseg": ["'[(0,0),(1,1.5)]'"],
    "box": ["'((0,0),(1,1))'", "'((1e300,3),(-2,-0.1))'"],
    "path": ["'((0,0),(1,1),(2,0))'", "'[(0,0),(1,1)]'"],
    "polygon": ["'((0,0),(1,1),(2,0))'", "'((0.1,0.2))'"],
    "circle": ["'<(0,0),0>'", "'<(1,2),3.5>'"],
    "xid": ["'0'", "'4294967295'"],
    "cid": ["'0'", "'4294967295'"],
    "xid8": ["'0'", "'18446744073709551615'"],
    "tid": ["'(0,1)'", "'(4294967295,65535)'"],
    "pg_lsn": ["'0/0'", "'FFFFFFFF/FFFFFFFF'", "'16/B374D848'"],
    "pg_snapshot": ["'10:20:10,14,15'"],
    "txid_snapshot": ["'10:20:'"],
    "regproc": ["'now'", "'cube_out'", "'-'"],
    "regprocedure": ["'lower(text)'", "'hstore_out(hstore)'"],
    "regoper": ["'|/'"],
    "regoperator": ["'+(integer,integer)'", "'->(hstore,text)'"],
    "regclass": ["'pg_class'", "'public.kept'", "'public.\"Odd Name\"'", "0", "4294967295"],
    "regtype": ["'integer'", "'public.pair'", "'public.\"Deep \"\" type\"[]'"],
    "regrole": ["'postgres'"],
    "regnamespace": ["'public'"],
    "regconfig": ["'simple'"],
    "regdictionary": ["'simple'"],
    "regcollation": ["'\"C\"'"],
    "tsvector": ["''", "'fat:1A,3B cat:2 ''it''''s'':4'", "'ü \\\\\\\\'"],
    "tsquery": ["''", "'fat & !cat <-> ''a b'':*AB'"],
    "jsonpath": ["'$'", "'strict $.a[*] ? (@.b > 1.50 && @.c like_regex \"^x\")'"],
    "int2vector": ["''", "'1 -2 3'"],
    "oidvector": ["''", "'1 4294967295'"],
    "aclitem": ["'postgres=arwdDxt/postgres'"],
    "refcursor": ["''", "'a cursor'"],
    "int4range": ["'empty'", "'(,)'", "'[1,5)'", "'(,7]'"],
    "int8range": ["'[-9223372036854775808,9223372036854775807)'"],
    "numrange": ["'[1.50,2.500]'", "'(,-0.1)'"],
    "daterange": ["'[2026-01-01,infinity)'", "'[0044-03-15 BC,2026-01-01]'"],
    "tsrange": ["'[2026-01-01 00:00:00.000001,)'"],
    "tstzrange": ["'[2026-06-01 12:00+02,2026-06-02)'"],
    "int4multirange": ["'{}'", "'{[1,3),[5,8)}'", "'{(,)}'"],
    "nummultirange": ["'{[1.5,2]}'"],
    "datemultirange": ["'{[2026-01-01,2026-02-01)}'"],
    "tstzmultirange": ["'{[2026-01-01 00:00+00,)}'"],
    "span": ["'[2026-06-01 12:00+02,)'"],
    "textrange": ["'[a,\"b c\")'"],
    "pair": ["row(1.50, 'x')", "row(null, null)", "row(null, '')", "row(-1, E'a \"b\", \\\\ (c)\\n')"],
    "\"Deep \"\" type\"": ["row(row(1, 'ü'), '{1,null}', '[2026-01-01,2026-02-01)', 'dark', 1.5, '2026-06-01 12:00+02', 0.1, "
                        "'\\x00ff')", "null::\"Deep \"\" type\""],
    "row_of": ["row(1, 'x')"],
    "address": ["'10.0.0.1'"],
    "owner": ["'::1/64'"],
    "matrix": ["'{{1,2},{3,4}}'", "'{}'", "'[0:1][-1:0]={{1,null},{3,4}}'"],
    "hstore": ["''", "'a=>1, \"b c\"=>NULL, \"\"=>\"\\\"ü\\\"\"'"],
    "citext": ["''", "'Straße'"],
    "ltree": ["''", "'Top.Science'"],
    "lquery": ["'*.a{1,2}.!b'"],
    "cube": ["'(1, 2.5)'", "'(0),(1e300)'"],
    "isbn13": ["'9780393040029'"],
    "seg": ["'1.50 .. 2'", "'~5'"],
    "query_int": ["'1&(2|!3)'"],
}


@pytest.fixture(scope="module", autouse=True)
def definitions(server):
    server.execute(DEFINITIONS)
    server.execute("create table if not exists kept(id int); create table if not exists \"Odd Name\"(id int)")


def pipeline(server, what, extra=""):
    return f"""
name: casts
consumer:
  postgres:
    dsn: {server.url()}
    {what}
{extra}
loaders:
  - parquet:
      path: lake
verify: readback
"""


def load(levada, server, what, extra=""):
    levada.write("p.yaml", pipeline(server, what, extra))
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    return read_table(levada.directory / "lake")


def second_client(server, sql):
    with server.connect() as connection:
        connection.execute(SETTINGS)
        return connection.execute(sql).fetchall()


def check(server, levada, got, columns, table="public.texts"):
    said = second_client(server, f"select {', '.join(c + '::text' for c in columns)} from {table} order by id")
    for read in (got, by_duckdb(levada)):
        order = read.sort_by("id")
        for i, name in enumerate(columns):
            column = name.strip('"')
            assert read.schema.field(column).type == pa.string()
            assert order.column(column).to_pylist() == [row[i] for row in said], name


def fill(server, sql_type, literals):
    """A row for each value, NULLs at both ends, and arrays: NULL, empty, all values with NULLs, nothing but a NULL."""
    whole = ", ".join(f"({v})::{sql_type}" for v in literals)
    arrays = ["null", "'{}'", f"array[null, {whole}, null]::{sql_type}[]", f"array[null]::{sql_type}[]"]
    values = ["null", *(f"({v})::{sql_type}" for v in literals), "null"]
    server.execute(f"drop table if exists texts; create table texts(id int not null, v {sql_type}, a {sql_type}[])")
    for i in range(max(len(arrays), len(values))):
        value = values[i] if i < len(values) else "null"
        array = arrays[i] if i < len(arrays) else "null"
        server.execute(f"insert into texts values ({i}, {value}, {array})")


@pytest.mark.parametrize("sql_type", CASES)
def test_types_without_a_decoder_are_the_text_of_the_servers_cast(server, levada, sql_type):
    # An array of a domain over arrays, of vectors and of composites is what the server says too.
    fill(server, sql_type, CASES[sql_type])
    got = load(levada, server, "table: public.texts")
    check(server, levada, got, ["v", "a"])
    texts = [v for v in got.sort_by("id").column("v").to_pylist() if v is not None]
    nulls = sum(1 for v in CASES[sql_type] if v.startswith("null"))
    assert len(texts) == len(CASES[sql_type]) - nulls


def test_plan_and_schema_name_each_cast(server, levada):
    server.execute("drop table if exists odd; create table odd(id int not null, ip inet not null, \"at\" timetz(3), "
                   "p pair, m int[][], l int[], n numeric(5,2))")
    levada.write("p.yaml", pipeline(server, "table: odd"))
    casts = {"ip": 'inet (read as "ip"::text)', "at": 'time(3) with time zone (read as "at"::text)',
             "p": 'pair (read as "p"::text)', "m": 'integer[] (read as "m"::text)'}
    for command in ("plan", "schema"):
        pending = 2 if command == "plan" else 0
        shown = levada(command, "p.yaml", expect=pending).out
        told = levada(command, "p.yaml", "--json", expect=pending).json()
        found = {c["name"]: (c["source_type"], c["type"]) for c in told["columns"]}
        for name, text in casts.items():
            assert text in shown
            assert found[name] == (text, "string not null" if name == "ip" else "string")
        assert found["l"][0] == "integer[]" and found["n"][0] == "numeric(5,2)" and found["id"][0] == "integer"
    plan = levada("plan", "p.yaml", expect=2).out
    assert '"ip"::text AS "ip"' in plan, plan


def test_declared_dimensions_decide_and_the_server_enforces_none(server, levada):
    """What is declared with several is text, what has several all the same is refused with the option that takes it."""
    server.execute("drop table if exists grids; create table grids(id int not null, flat int[], m2 int[][], t3 text[][][])")
    server.execute("insert into grids values (1, '{1,2}', '{{1,2},{3,null}}', '{{{\"a b\",NULL}}}'), (2, '{}', '{}', '{}'),"
                   "(3, null, null, null), (4, '[5:6]={7,8}', '[0:0][2:3]={{1,2}}', '{flat}')")
    got = load(levada, server, "table: public.grids").sort_by("id")
    assert got.schema.field("flat").type == pa.list_(pa.field("element", pa.int32()))
    assert got.column("flat").to_pylist() == [[1, 2], [], None, [7, 8]]
    check(server, levada, got, ["m2", "t3"], "public.grids")

    server.execute("insert into grids values (5, '{{1,2},{3,4}}', null, null)")
    levada.write("p.yaml", pipeline(server, "table: public.grids"))
    ran = levada("run", "p.yaml", "--quiet", "--replace", expect=31)
    assert "LV3103" in ran.err and '"flat"' in ran.err and 'as_text: ["flat"]' in ran.err and "(row 5)" in ran.err
    got = load(levada, server, "table: public.grids", '    as_text: ["flat"]').sort_by("id")
    check(server, levada, got, ["flat", "m2", "t3"], "public.grids")


@pytest.mark.parametrize("sql_type, literal", [
    ("int[][]", "'{{1,2},{3,null}}'"), ("text[][]", "'{{\"a b\",\"\"},{\"NULL\",null}}'"), ("numeric[][]", "'{{1.50,NaN}}'"),
    ("timestamptz[][]", "'{{\"2026-06-01 12:00+02\",infinity}}'"), ("shade[][]", "'{{dark},{light}}'"),
    ("bytea[][]", r"array[array['\x00ff'::bytea]]"), ("interval[][]", "'{{1 mon 2 days}}'"),
    ("\"char\"[][]", "'{{a,b}}'"), ("lists[]", "array_append('{}'::lists[], '{1,2}'::int[]::lists)"), ("inet[][]", "'{{10.0.0.1,::1/64}}'"),
])
def test_arrays_of_several_dimensions_of_any_element(server, levada, sql_type, literal):
    server.execute(f"drop table if exists texts; create table texts(id int not null, v {sql_type});"
                   f"insert into texts values (1, {literal}), (2, null), (3, '{{}}')")
    check(server, levada, load(levada, server, "table: public.texts"), ["v"])


def test_any_column_is_text_where_the_file_says_so(server, levada):
    server.execute("drop table if exists texts; create table texts(id int not null, n numeric, d date, b bytea, f real, "
                   "u uuid, i interval, c char(5), j jsonb, e shade, l text[], t boolean)")
    server.execute(r"insert into texts values (1, 'NaN', 'infinity', '\x00ff', 0.1, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', "
                   "'1 day', 'ab', '{\"a\": 1}', 'dark', '{a,\"b c\"}', true), "
                   "(2, null, null, null, null, null, null, null, null, null, null, null)")
    names = ["n", "d", "b", "f", "u", "i", "c", "j", "e", "l", "t"]
    check(server, levada, load(levada, server, "table: public.texts", f"    as_text: [{', '.join(names)}]"), names)
    levada.write("p.yaml", pipeline(server, "table: public.texts", "    as_text: [z]"))
    ran = levada("check", "--online", "p.yaml")
    assert ran.status != 0 and "LV2102" in ran.err and "as_text" in ran.err, ran


def test_the_same_bytes_by_every_role_and_way_of_reading(server, levada):
    """Role settings, connections, partitions and a query: one text."""
    server.execute("drop table if exists texts; create table texts(id int primary key, m money, r regclass, t tstzrange, p point, "
                   "c \"Deep \"\" type\")")
    server.execute("insert into texts select g, g / 8.0, 'public.kept', tstzrange('2026-01-01+00', null), point(g / 3.0, 0.1), "
                   "row(null, '{1}', null, 'dark', g::money, '2026-06-01 12:00+02'::timestamptz, g / 3.0, '\\x00ff')::\"Deep \"\" type\" from generate_series(1, 1000) g")
    server.execute("""
        drop role if exists odd; create role odd login; grant select on texts to odd; grant usage on schema public to odd;
        alter role odd set datestyle = 'German, DMY'; alter role odd set intervalstyle = 'postgres_verbose';
        alter role odd set timezone = 'Asia/Kolkata'; alter role odd set extra_float_digits = -10;
        alter role odd set bytea_output = 'escape'; alter role odd set search_path = '$user';
        alter role odd set lc_monetary = 'C.UTF-8'; alter role odd set quote_all_identifiers = on""")
    names = ["m", "r", "t", "p", "c"]
    first = None
    for user in ("postgres", "odd"):
        for extra in ("", "    connections: 2", "    partition: { by: id, size: 300 }", "    columns: [id, m, r, t, p, c]"):
            levada.write("p.yaml", pipeline(server, "table: public.texts", extra).replace(server.url(), server.url(user=user)))
            levada("run", "p.yaml", "--quiet", "--replace", expect=0)
            got = read_table(levada.directory / "lake").sort_by("id")
            if first is None:
                first = got
                check(server, levada, got, names)
                assert got.column("r")[0].as_py() == "public.kept" and got.column("m")[0].as_py() == "$0.13"
            assert got.equals(first), (user, extra)
    # Of a query the path is the role's: names in it need it.
    got = load(levada, server, "query: select id, m, r, t, p, c from public.texts").sort_by("id")
    assert got.column("r")[0].as_py() == "kept"
    assert got.drop_columns(["r"]).equals(first.drop_columns(["r"]))
    levada.write("p.yaml", pipeline(server, "query: select id, r from public.texts"))
    assert any("search_path" in note for note in levada("plan", "p.yaml", "--json").json()["notes"])
    server.execute("drop owned by odd; drop role odd")


def test_a_query_reads_records_and_casts_of_its_own(server, levada):
    got = load(levada, server, "query: >-\n      select 1 as id, row(1, null, 'x') as r, '10.0.0.1'::inet as ip, "
                               "k as whole, array[row(1), null] as l from (values (1, 'a')) k")
    assert got.to_pylist() == [{"id": 1, "r": "(1,,x)", "ip": "10.0.0.1/32", "whole": "(1,a)", "l": "{(1),NULL}"}]


def test_a_type_without_values_is_refused(server, levada):
    levada.write("p.yaml", pipeline(server, "query: select 1 as id, plpgsql_call_handler() as t"))
    ran = levada("run", "p.yaml", "--quiet", expect=10)
    assert "LV1016" in ran.err and '"t" is of type language_handler' in ran.err and "= help: leave it out" in ran.err
    assert not (levada.directory / "lake").exists()


def test_a_text_that_is_no_utf8_is_refused_with_its_row(server, levada):
    """Of a type that prints whatever bytes it has been given, as one of an extension might."""
    server.execute("drop type if exists raw cascade; create type raw;"
                   "create function raw_in(cstring) returns raw language internal strict as 'byteain';"
                   "create function raw_out(raw) returns cstring language internal strict as 'textout';"
                   "create type raw (input = raw_in, output = raw_out, internallength = variable);"
                   "drop table if exists texts; create table texts(id int not null, v raw);"
                   r"insert into texts values (1, 'ok'), (2, '\xc3')")
    levada.write("p.yaml", pipeline(server, "table: public.texts"))
    ran = levada("run", "p.yaml", "--quiet", expect=31)
    assert "LV3104" in ran.err and '"v"' in ran.err and "(row 2" in ran.err
    server.execute("drop table texts; drop type raw cascade")


def test_windows_and_partitions_by_a_column_that_is_text(server, levada):
    """The conditions are on the column itself, not on its text."""
    server.execute("drop table if exists texts; create table texts(id int not null, at timestamptz not null, k int, ip inet);"
                   "insert into texts select g, timestamptz '2026-01-01 00:00+00' + g * interval '7 hours', g, '10.0.0.1' "
                   "from generate_series(0, 19) g")
    levada.write("p.yaml", pipeline(server, "table: public.texts", "    as_text: [at, k]\n    partition: { by: k, size: 5 }")
                 + "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-07 }\n")
    levada("run", "p.yaml", "--quiet", expect=0)
    got = read_table(levada.directory / "lake").sort_by("id")
    assert got.num_rows == 20
    assert [json.loads(k) for k in got.column("k").to_pylist()] == list(range(20))
    assert got.column("at")[3].as_py() == "2026-01-01 21:00:00+00"
