"""Every kind of relation: read whole, by whatever columns and order its parts are stored in, and compared with what a second
client reads."""

import collections
import datetime
import struct

import pytest

from conftest import read_table
from test_casts import SETTINGS

ROWS = "select g, 'n' || g, g / 8.0, date '2026-01-01' + g % 59, ('10.0.0.' || g % 256)::inet from generate_series(1, 500) g"
COLUMNS = "id int, name text, price numeric(9,3), at date, ip inet"

RELATIONS = f"""
drop schema if exists kinds cascade; create schema kinds; set search_path = kinds, public;
create extension if not exists file_fdw with schema public; create extension if not exists postgres_fdw with schema public;
create table heap({COLUMNS}); insert into heap {ROWS};
create table keyed({COLUMNS}, primary key (id)); insert into keyed {ROWS};
create unlogged table unlogged({COLUMNS}); insert into unlogged {ROWS};
create table dropped(gone text, {COLUMNS}, also_gone int);
insert into dropped(id, name, price, at, ip) {ROWS};
alter table dropped drop column gone; alter table dropped drop column also_gone;
alter table dropped add column later text default 'said later';
create table computed({COLUMNS}, twice numeric generated always as (price * 2) stored);
insert into computed(id, name, price, at, ip) {ROWS};
alter table computed alter column twice type numeric(12,3);
create table empty({COLUMNS});
create view view as select id, ip, name || '!' as loud, array[ip] as ips from heap where id % 2 = 0;
create view view_of_views as select v.id, v.ips, h.price from view v join keyed h using (id) order by v.id desc;
create materialized view stored as select id, ip, price from heap; create unique index on stored(id);

-- Children with their columns in another order, with dropped ones between, of three depths, and a default.
create table parted({COLUMNS}) partition by range (at);
create table parted_a(ip inet, x text, at date, price numeric(9,3), y int, name text, id int);
alter table parted_a drop column x; alter table parted_a drop column y;
alter table parted attach partition parted_a for values from ('2026-01-01') to ('2026-02-01');
create table parted_b partition of parted for values from ('2026-02-01') to ('2026-02-15') partition by hash (id);
create table parted_b0(name text, z point, ip inet, id int, at date, price numeric(9,3));
alter table parted_b0 drop column z;
alter table parted_b attach partition parted_b0 for values with (modulus 2, remainder 0);
create table parted_b1 partition of parted_b for values with (modulus 2, remainder 1);
create table parted_rest partition of parted default;
insert into parted {ROWS};
insert into parted values (501, null, null, null, null);

create table parent(id int, name text, ip inet); insert into parent values (1, 'parent', '10.0.0.1');
create table child(extra text) inherits (parent); insert into child values (2, 'child', '10.0.0.2', 'x');
create table stranger(ip inet, more int, name text, id int); alter table stranger inherit parent;
insert into stranger values ('10.0.0.3', 7, 'stranger', 3);
create table grandchild() inherits (child); insert into grandchild values (4, 'grandchild', null, 'y');

create server files foreign data wrapper file_fdw;
create foreign table lines(id int, name text, ip inet) server files options (filename '@FILE@', format 'csv');
create server loop foreign data wrapper postgres_fdw options (host '127.0.0.1', port '@PORT@', dbname 'postgres');
create user mapping for postgres server loop options (user 'postgres');
create foreign table far({COLUMNS}) server loop options (schema_name 'kinds', table_name 'keyed');
create table mixed(id int, name text, ip inet) partition by list (id);
create table mixed_here partition of mixed for values in (1, 2);
create foreign table mixed_there partition of mixed for values in (3) server files options (filename '@FILE@', format 'csv');
insert into mixed values (1, 'here', '::1'), (2, null, null);

create domain price as numeric(9,2);
create table "Odd "" name.x"("select" int, "a-b" price, "Ü" inet[]);
insert into "Odd "" name.x" values (1, 1.5, '{{10.0.0.1,NULL}}');
analyze;
"""

# relation -> (rows, how it is read)
KINDS = {
    "heap": 500, "keyed": 500, "unlogged": 500, "dropped": 500, "computed": 500, "empty": 0, "view": 250, "view_of_views": 250,
    "stored": 500, "parted": 501, "parted_a": None, "parted_b": None, "parent": 4, "child": 2, "lines": 1, "far": 500, "mixed": 3,
    '"Odd "" name.x"': 1,
}


@pytest.fixture(scope="module", autouse=True)
def relations(server):
    file = server.root / "lines.csv"
    file.write_text("3,there,10.0.0.3/8\n")
    server.execute(RELATIONS.replace("@FILE@", str(file)).replace("@PORT@", str(server.port)))


def pipeline(server, table, extra="", partition_bytes="8GiB"):
    return f"""
name: kinds
consumer:
  postgres:
    dsn: {server.url()}
    table: '{table}'
{extra}
loaders:
  - parquet:
      path: lake
partition_bytes: {partition_bytes}
"""


def plain(value):
    """A value as both sides say it: psycopg's and pyarrow's differ in what holds dates and floats."""
    if isinstance(value, float):
        return struct.pack("f", value)  # a real is its shortest text to psycopg
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return [plain(v) for v in value] if isinstance(value, list) else value


def tally(rows):
    return collections.Counter(repr([plain(v) for v in row]) for row in rows)


def casts(levada):
    """name -> whether it is read by a cast, in the order of the columns."""
    columns = levada("schema", "p.yaml", "--json", expect=0).json()["columns"]
    return {c["name"]: "(read as" in c["source_type"] for c in columns}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def same_as_second_client(server, levada, table, extra="", said=None, **options):
    """Reads `table` and compares all values with what psycopg gets, those of a cast with what the cast gives."""
    levada.write("p.yaml", pipeline(server, table, extra, **options))
    columns = casts(levada)
    assert columns
    ran = levada("run", "p.yaml", "--json", "--quiet", "--replace", expect=0)
    got = read_table(levada.directory / "lake")
    assert got.column_names == list(columns)
    selected = ", ".join(quoted(name) + "::text" * cast for name, cast in columns.items())
    with server.connect() as connection:
        connection.execute(SETTINGS)
        theirs = connection.execute(f"select {selected} from {said or table}").fetchall()
    assert tally(zip(*got.to_pydict().values())) == tally(theirs)
    return got, ran


@pytest.mark.parametrize("name", KINDS)
def test_each_kind_of_relation_is_what_a_second_client_reads(server, levada, name):
    got, _ = same_as_second_client(server, levada, f"kinds.{name}")
    assert KINDS[name] is None or got.num_rows == KINDS[name]


@pytest.mark.parametrize("name", ["heap", "dropped", "stored", "parted", "parent", "view", "far", "mixed"])
@pytest.mark.parametrize("extra", ["connections: 3", "columns: [ip, id]", "partition: { by: id, values: ['1', '3'] }",
                                   "partition: { by: id, count: 3 }", "partition: { by: id, hash: 2 }"])
def test_each_kind_is_the_same_in_parts(server, levada, name, extra):
    same_as_second_client(server, levada, f"kinds.{name}", f"    {extra}")


SLICED = {"heap", "keyed", "unlogged", "dropped", "computed", "stored", "parted_a", "stranger", "grandchild"}


@pytest.mark.parametrize("name", [*sorted(SLICED), "view", "parted", "parent", "far", "lines", "mixed"])
def test_connections_are_of_use_where_the_readme_says_so(server, levada, name):
    levada.write("p.yaml", pipeline(server, f"kinds.{name}", "    connections: 2"))
    notes = levada("plan", "p.yaml", "--json", expect=2).json()["notes"]
    assert any("read by one connection" in n for n in notes) == (name not in SLICED), notes


# Above 1 MiB each, the least that partition_bytes may be.
LARGE = """
create table kinds.l_keyed(id int primary key, ip inet, pad text);
insert into kinds.l_keyed select g, '::1', repeat('x', 60) from generate_series(1, 30000) g;
create table kinds.l_bare as select * from kinds.l_keyed;
create materialized view kinds.l_stored as select * from kinds.l_keyed; create unique index on kinds.l_stored(id);
create view kinds.l_view as select * from kinds.l_keyed;
create table kinds.l_parted(id int primary key, ip inet, pad text) partition by range (id);
create table kinds.l_parted_a(pad text, x int, ip inet, id int not null); alter table kinds.l_parted_a drop column x;
alter table kinds.l_parted attach partition kinds.l_parted_a for values from (1) to (20000);
create table kinds.l_parted_b partition of kinds.l_parted default;
insert into kinds.l_parted select * from kinds.l_keyed;
create table kinds.l_parent(id int primary key, ip inet, pad text);
create table kinds.l_child(more int) inherits (kinds.l_parent);
insert into kinds.l_child select * from kinds.l_keyed;
create foreign table kinds.l_far(id int, ip inet, pad text) server loop options (schema_name 'kinds', table_name 'l_keyed');
analyze kinds.l_keyed, kinds.l_bare, kinds.l_stored, kinds.l_parted, kinds.l_parent, kinds.l_child;
"""


@pytest.fixture(scope="module")
def large(server, relations):
    server.execute(LARGE)
    server.execute("analyze kinds.l_far")  # by a connection of the server's own, which sees what is committed


@pytest.mark.parametrize("name, cut", [("l_keyed", True), ("l_bare", False), ("l_stored", True), ("l_view", False),
                                       ("l_parted", True), ("l_parent", True), ("l_far", False)])
def test_partitions_are_derived_where_the_readme_says_so(server, levada, large, name, cut):
    levada.write("p.yaml", pipeline(server, f"kinds.{name}", partition_bytes="1MiB"))
    partitions = levada("plan", "p.yaml", "--json", expect=2).json()["partitions"]
    assert (len(partitions) > 1) == cut, partitions
    same_as_second_client(server, levada, f"kinds.{name}", partition_bytes="1MiB")


@pytest.mark.parametrize("catalog", [
    "pg_catalog.pg_class", "pg_catalog.pg_attribute", "pg_catalog.pg_type", "pg_catalog.pg_proc", "pg_catalog.pg_index",
    "pg_catalog.pg_constraint", "pg_catalog.pg_operator", "pg_catalog.pg_trigger", "pg_catalog.pg_namespace",
    "pg_catalog.pg_statistic", "pg_catalog.pg_stats", "pg_catalog.pg_aggregate", "pg_catalog.pg_settings", "pg_catalog.pg_views",
    "pg_catalog.pg_sequences", "information_schema.columns", "information_schema.tables", "information_schema.routines",
])
def test_catalogs_are_read_like_any_table(server, levada, catalog):
    server.execute("create sequence if not exists kinds.numbers as smallint")
    # What a session sees of itself is not the same in two sessions.
    other = "    columns: [name, vartype, min_val, enumvals, boot_val]" if catalog.endswith("pg_settings") else ""
    got, _ = same_as_second_client(server, levada, catalog, other)
    assert got.num_rows > 0 or catalog.endswith("pg_trigger")


def test_a_temporary_table_is_refused_as_another_sessions(server, levada):
    with server.connect() as connection:
        connection.execute("create temporary table passing as select 1 as id")
        schema = connection.execute("select pg_my_temp_schema()::regnamespace").fetchone()[0]
        for name in ("passing", f"{schema}.passing"):
            levada.write("p.yaml", pipeline(server, name))
            ran = levada("run", "p.yaml", "--quiet", expect=21)
            assert "LV2106" in ran.err and "temporary table of another session" in ran.err and "= help:" in ran.err, ran
    assert not (levada.directory / "lake").exists()


@pytest.mark.parametrize("name, what", [("numbers", "a sequence"), ("keyed_pkey", "an index"), ("pair", "a composite type")])
def test_what_has_no_rows_to_read_is_refused(server, levada, name, what):
    server.execute("create sequence if not exists kinds.numbers as smallint; drop type if exists kinds.pair;"
                   "create type kinds.pair as (a int)")
    levada.write("p.yaml", pipeline(server, f"kinds.{name}"))
    ran = levada("run", "p.yaml", "--quiet", expect=21)
    assert "LV2106" in ran.err and what in ran.err and "= help:" in ran.err, ran


def test_rows_that_row_security_hides_are_not_read(server, levada):
    server.execute("drop table if exists kinds.guarded; create table kinds.guarded(id int, ip inet);"
                   "insert into kinds.guarded select g, '::1' from generate_series(1, 10) g;"
                   "alter table kinds.guarded enable row level security;"
                   "create policy even on kinds.guarded using (id % 2 = 0);"
                   "drop role if exists guest; create role guest login; grant usage on schema kinds to guest;"
                   "grant select on kinds.guarded to guest")
    levada.write("p.yaml", pipeline(server, "kinds.guarded").replace(server.url(), server.url(user="guest")))
    levada("run", "p.yaml", "--quiet", expect=0)
    assert sorted(read_table(levada.directory / "lake").column("id").to_pylist()) == [2, 4, 6, 8, 10]
    server.execute("drop owned by guest; drop role guest")


def test_plan_says_what_a_query_costs_and_how_its_rows_are_found(server, levada):
    def plan(query, *arguments):
        levada.write("p.yaml", f"name: p\nconsumer: {{ postgres: {{ dsn: \"{server.url()}\", query: \"{query}\" }} }}\n"
                               "loaders: [{ parquet: { path: lake } }]\n")
        return levada("plan", "p.yaml", *arguments, expect=2)

    part, = plan("select * from kinds.keyed", "--json").json()["partitions"]
    assert part["cost"] > 0 and part["scan"] == "sequential scan"
    assert ", sequential scan" in plan("select * from kinds.keyed").out
    part, = plan("select * from kinds.keyed where id = 7", "--json").json()["partitions"]
    assert part["scan"] == "index scan keyed_pkey"
    part, = plan("select * from kinds.keyed where id = 7 union all select * from kinds.heap", "--json").json()["partitions"]
    assert part["scan"] == "several scans"
    # A question beside the rows is not how they are found.
    part, = plan("select *, (select id from kinds.keyed k where k.id = 7) as one from kinds.heap", "--json").json()["partitions"]
    assert part["scan"] == "sequential scan"


def test_plan_advises_an_index_where_each_window_reads_a_large_table(server, levada):
    # A page for each row: 270 MiB of 34,000 rows.
    server.execute("drop table if exists wide_pages; create unlogged table wide_pages(id int, at timestamptz not null, note text) "
                   "with (fillfactor = 10); alter table wide_pages alter note set storage plain; insert into wide_pages select g, "
                   "'2026-01-01 00:00+00'::timestamptz + g * interval '1 minute', repeat('x', 900) from "
                   "generate_series(1, 34000) g; analyze wide_pages")
    levada.write("p.yaml", f"name: p\nconsumer: {{ postgres: {{ dsn: \"{server.url()}\", table: wide_pages }} }}\n"
                           "loaders: [{ parquet: { path: lake } }]\n"
                           "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-03 }\n")
    advice = 'by a sequential scan: an index on "at" finds its rows'
    assert levada("plan", "p.yaml", expect=2).out.count(advice) == 1
    server.execute("drop table if exists parted; create table parted(id int, at timestamptz not null, note text) partition by range "
                   "(at); alter table parted attach partition wide_pages for values from ('2026-01-01') to ('2027-01-01')")
    levada.write("parted.yaml", (levada.directory / "p.yaml").read_text().replace("wide_pages", "parted"))
    assert advice not in levada("plan", "parted.yaml", expect=2).out
    server.execute("alter table parted detach partition wide_pages; drop table parted")
    server.execute("create index on wide_pages(at); analyze wide_pages")
    planned = levada("plan", "p.yaml", expect=2).out
    assert advice not in planned and "index scan wide_pages_at_idx" in planned, planned
    server.execute("drop table wide_pages")
