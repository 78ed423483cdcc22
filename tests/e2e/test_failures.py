"""What bad input gets: nothing half done, a clear error, the right exit status, and the next run continues."""

import json
import os
import re
import subprocess
import threading

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import SOURCE, Proxy, Server, data_files, leftovers, read_table, wait_until


def pipeline(server, table="goods", extra="", loader="", url=None, name="goods"):
    return f"""
name: {name}
consumer:
  postgres:
    dsn: {url or server.url()}
    table: {table}
{extra}
loaders:
  - parquet:
      path: lake
{loader}
retry: {{ attempts: 2, backoff: 10ms, backoff_max: 20ms }}
"""


@pytest.fixture(autouse=True)
def goods(server):
    server.execute("drop table if exists goods; create table goods(id int primary key, name text, price numeric(9,2));"
                   "insert into goods select g, 'n' || g, g / 4.0 from generate_series(1, 1000) g")


def refused(levada, status, code, *words, arguments=("run", "p.yaml", "--quiet")):
    ran = levada(*arguments, expect=status)
    assert code in ran.err, ran
    for word in words:
        assert word in ran.err, ran
    return ran


def nothing_there(levada):
    assert not (levada.directory / "lake").exists() or data_files(levada.directory / "lake") == {}


def test_a_missing_table_is_named_with_the_nearest(server, levada):
    levada.write("p.yaml", pipeline(server, table="good"))
    refused(levada, 21, "LV2101", "good", "goods")
    nothing_there(levada)


def test_a_missing_column_is_named(server, levada):
    levada.write("p.yaml", pipeline(server, extra="    columns: [id, prise]"))
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status in (10, 21), ran
    assert "prise" in ran.err and "price" in ran.err
    nothing_there(levada)


def test_no_permission_is_exit_11(server, levada):
    server.execute("drop role if exists visitor; create role visitor login; revoke all on goods from public")
    levada.write("p.yaml", pipeline(server, url=server.url(user="visitor")))
    refused(levada, 11, "LV1102", "goods")


def test_a_wrong_password_is_exit_11_and_is_not_shown(levada):
    server = Server(settings=["password_encryption=scram-sha-256"])
    try:
        server.execute("create role clerk login password 'right'")
        (server.data / "pg_hba.conf").write_text("host all clerk 127.0.0.1/32 scram-sha-256\n"
                                                 "host all all 127.0.0.1/32 trust\n")
        server.execute("select pg_reload_conf()")
        levada.write("p.yaml", pipeline(server, url=server.url(user="clerk", password="wr0ng-s3cret")))
        ran = refused(levada, 11, "LV1101", "clerk")
        assert "wr0ng-s3cret" not in ran.err + ran.out
        for path in levada.directory.rglob("*"):
            if path.is_file() and path.name != "p.yaml":
                assert b"wr0ng-s3cret" not in path.read_bytes(), path
    finally:
        server.remove()


def test_a_server_that_is_not_there_is_exit_20(server, levada):
    levada.write("p.yaml", pipeline(server, url="postgres://nobody@127.0.0.1:1/none"))
    refused(levada, 20, "LV2001", "127.0.0.1")


def test_a_database_that_is_not_there(server, levada):
    levada.write("p.yaml", pipeline(server, url=server.url("nowhere")))
    refused(levada, 21, "LV2105", "nowhere")


def test_an_unset_variable_is_found_by_check(server, levada):
    levada.write("p.yaml", pipeline(server, table="${env:NO_SUCH_TABLE}"))
    refused(levada, 10, "LV1008", "NO_SUCH_TABLE", "p.yaml:6:", arguments=("check", "p.yaml"))


def test_unsupported_types_are_all_named_with_the_option_that_helps(server, levada):
    server.execute("drop table if exists odd; create table odd(id int, p numeric, c numeric(80,2))")
    levada.write("p.yaml", pipeline(server, table="odd"))
    refused(levada, 10, "LV1016", '"p"', '"c"', "numeric: string")
    nothing_there(levada)


HARD_SQL = (SOURCE / "bench/peers/hard.sql").read_text()

# Every table of hard.sql: options of the consumer, exit status, and the value as text or what the refusal names.
HARD = [
    ("hard_numeric_unbounded", "", 10, ["LV1016", "numeric"]),
    ("hard_numeric_unbounded", "numeric: string", 0, "1.123456789012345678"),
    ("hard_numeric_unbounded", "numeric: decimal(38,18)", 0, "1.123456789012345678"),
    ("hard_numeric_unbounded", "numeric: decimal(38,4)", 31, ["LV3103"]),
    ("hard_numeric_unbounded", "numeric: double", 0, "1.1234567890123457"),  # what the file asks for: the nearest
    ("hard_numeric_38_20", "", 0, "123456789012345678.12345678901234567890"),
    ("hard_numeric_38_0", "", 0, "12345678901234567890123456789012345678"),
    ("hard_numeric_nan", "", 31, ["LV3103", "NaN"]),
    ("hard_numeric_nan", "non_finite: 'null'", 0, "None"),
    ("hard_numeric_nan", "non_finite: string", 0, "NaN"),
    ("hard_numeric_nan", "non_finite: double", 0, "nan"),
    ("hard_timestamptz_infinity", "", 31, ["LV3103", "infinity"]),
    ("hard_timestamptz_infinity", "infinity: 'null'", 0, "None"),
    ("hard_timestamptz_infinity", "infinity: string", 0, "infinity"),
    ("hard_date_44_bc", "", 0, "-735160"),  # days since 1970
    ("hard_time_24", "", 0, "24:00:00"),
    ("hard_time_24", "time: time64", 31, ["LV3103", "24:00:00"]),
    ("hard_interval", "", 0, "P1M2DT3H4M5S"),
    ("hard_char_padded", "", 0, "ab   "),
    ("hard_char_padded", "trim: true", 0, "ab"),
    ("hard_text_empty", "", 0, ""),
    ("hard_jsonb_long_number", "", 0, '{"a": 12345678901234567890.1234567890123}'),
    ("hard_int_array", "", 0, "[1, None, 3]"),
    ("hard_bytea", "", 0, "b'\\x00\\xff'"),
    ("hard_inet", "", 0, "10.0.0.1/8"),
    ("hard_boolean", "", 0, "True"),
]


@pytest.fixture(scope="module")
def hard(server):
    server.execute(HARD_SQL)


def test_each_table_of_the_hard_cases_is_asked_for():
    assert set(re.findall(r"create table (\w+)", HARD_SQL)) == {name for name, *_ in HARD}


@pytest.mark.parametrize("table, option, status, says", HARD)
def test_hard_values_are_exact_or_refused_by_policy(server, levada, hard, table, option, status, says):
    loader = "      profile: arrow" if "time64" in option else ""
    levada.write("p.yaml", pipeline(server, table=table, extra="    " + option, loader=loader))
    ran = levada("run", "p.yaml", "--quiet", expect=status)
    if status == 0:
        value = read_table(levada.directory / "lake").column("v")
        if pa.types.is_date(value.type):
            value = value.cast(pa.int32())
        assert str(value[0].as_py()) == says
    else:
        for word in [*says, '"v"']:
            assert word in ran.err, ran
        nothing_there(levada)


def test_a_refused_type_is_exact_with_the_query_that_the_refusal_names(server, levada, hard):
    levada.write("p.yaml", pipeline(server).replace("table: goods", "query: select v::text as v from hard_inet"))
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").to_pylist() == [{"v": "10.0.0.1/8"}]


@pytest.mark.parametrize("sql, named", [
    ("select 1 id, array[array[1,2],array[3,4]] v", "dimension"),
    ("select 1 id, 'infinity'::date v", "infinity"),
    ("select 1 id, '-infinity'::timestamp v", "infinity"),
    ("select 1 id, '294276-12-31 23:59:59'::timestamp v", "v"),
    ("select 1 id, array['infinity'::timestamptz] v", "infinity"),
    ("select 1 id, array['NaN'::numeric(9,2)]::numeric(9,2)[] v", None),
])
def test_values_that_no_type_holds_are_refused_with_their_column(server, levada, sql, named):
    """The last one: an array keeps its element's precision only as a declared column, so a query's is unbounded (10)."""
    server.execute(f"drop table if exists stubborn; create table stubborn as {sql}")
    levada.write("p.yaml", pipeline(server, table="stubborn"))
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status in (10, 31) if named is None else ran.status == 31, ran
    assert '"v' in ran.err and (named is None or named in ran.err), ran
    nothing_there(levada)


def test_invalid_utf8_from_sql_ascii_is_exit_31(levada):
    server = Server(encoding="SQL_ASCII")
    try:
        server.execute(r"create table t(id int, name text); insert into t values (1, 'ok'), (2, E'\xff\xfe')")
        levada.write("p.yaml", pipeline(server, table="t"))
        refused(levada, 31, "LV3104", '"name"', "row 2")
        nothing_there(levada)
    finally:
        server.remove()


def test_a_type_changed_between_split_and_retry_is_exit_30(server, levada):
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }"))
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    server.execute("alter table goods alter price type double precision")
    refused(levada, 30, "LV3001", "price", arguments=("retry", "p.yaml", "--quiet"))
    server.execute("alter table goods alter price type numeric(9,2)")
    levada("retry", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000


def test_a_type_changed_after_a_kill_begins_a_whole_table_anew_and_refuses_once(server, levada):
    """A table that each run writes anew takes the schema of the day, as it would have without the kill."""
    for once in (False, True):
        server.execute("alter table goods alter price type numeric(9,2)")
        levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }") + "run: once\n" * once)
        levada("run", "p.yaml", "--quiet", *["--replace"] * once,
               env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
        server.execute("alter table goods alter price type double precision")
        if once:
            refused(levada, 30, "LV3001", "double")
        else:
            levada("run", "p.yaml", "--quiet", expect=0)
            assert read_table(levada.directory / "lake").schema.field("price").type == pa.float64()
            assert read_table(levada.directory / "lake").num_rows == 1000
            assert leftovers(levada.directory / "lake") == []


def test_a_directory_of_somebody_else_is_left_alone(server, levada):
    (levada.directory / "lake").mkdir()
    (levada.directory / "lake/theirs.parquet").write_bytes(b"PAR1")
    levada.write("p.yaml", pipeline(server))
    refused(levada, 40, "LV4003", "lake")
    assert [p.name for p in (levada.directory / "lake").iterdir()] == ["theirs.parquet"]


def test_a_dataset_of_another_pipeline_is_left_alone(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(levada.directory / "lake")
    levada.write("p.yaml", pipeline(server, name="other"))
    refused(levada, 40, "LV4003", "goods")
    assert data_files(levada.directory / "lake") == before


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_read_only_target_is_exit_40(server, levada):
    lake = levada.directory / "lake"
    lake.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro,size=1m", "tmpfs", str(lake)], check=True)
    try:
        levada.write("p.yaml", pipeline(server))
        refused(levada, 40, "LV4001", "lake")
    finally:
        subprocess.run(["umount", str(lake)], check=True)


def test_a_corrupt_manifest_is_named_and_nothing_is_touched(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(levada.directory / "lake")
    (levada.directory / "lake/_levada/all.json").write_text("{")
    refused(levada, 40, "LV4004", "all.json")
    assert data_files(levada.directory / "lake") == before


def test_a_corrupt_ledger_is_put_aside_and_rebuilt(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    (levada.directory / ".levada/ledger.db").write_bytes(b"garbage" * 1000)
    levada("run", "p.yaml", "--quiet", expect=0)
    (levada.directory / ".levada/ledger.db").unlink()
    status = levada("status", "p.yaml", "--rebuild", "--json", expect=0)
    assert '"published"' in status.out and "1000" in status.out
    assert len(data_files(levada.directory / "lake")) == 1, "a re-run replaces, never appends"


def test_a_budget_below_the_minimum_names_the_minimum(server, levada):
    levada.write("p.yaml", pipeline(server))
    ran = refused(levada, 12, "LV1201", "MiB", arguments=("run", "p.yaml", "--quiet", "--memory", "4MiB"))
    assert "--memory" in ran.err
    nothing_there(levada)


def test_a_changed_plan_is_refused_until_replace(server, levada):
    once = pipeline(server) + "run: once\n"
    levada.write("p.yaml", once)
    levada("run", "p.yaml", "--quiet", expect=0)
    ran = levada("run", "p.yaml", expect=0)
    assert "nothing" in (ran.out + ran.err).lower(), ran
    levada.write("p.yaml", once.replace("path: lake", "path: lake\n      codec: snappy"))
    refused(levada, 10, "LV1015", "--replace")
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000


def test_errors_come_as_json_when_asked(server, levada):
    levada.write("p.yaml", pipeline(server, table="good"))
    ran = levada("run", "p.yaml", "--quiet", "--error-format=json", expect=21)
    line = json.loads(ran.err.strip().splitlines()[-1])
    assert line["code"] == "LV2101" and line["exit_status"] == 21


def test_a_pipeline_file_that_is_not_there(levada):
    refused(levada, 10, "LV1018", "none.yaml", arguments=("run", "none.yaml"))


def test_windows_with_nulls_are_refused_unless_placed(server, levada):
    server.execute("drop table if exists visits; create table visits(id int, at timestamptz);"
                   "insert into visits values (1, '2026-01-01 10:00+00'), (2, '2026-01-02 10:00+00'), (3, null)")
    window = "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-03"
    levada.write("p.yaml", pipeline(server, table="visits") + window + " }\n")
    refused(levada, 31, "LV3106", "at")
    levada.write("p.yaml", pipeline(server, table="visits") + window + ", null: 2026-01-02 }\n")
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 3


# ---- a source that goes away


@pytest.fixture(scope="module")
def many(server):
    """About 20 MB: more than the buffers of a closed gate hold."""
    server.execute("""drop table if exists many; create table many(id int primary key, note text);
        insert into many select g, repeat(md5(g::text), 10) from generate_series(1, 60000) g""")
    server.execute("vacuum (analyze, freeze) many")


def copying(server):
    return [pid for pid, in server.rows("select pid from pg_stat_progress_copy where command = 'COPY TO'")]


def gated(server, levada, *arguments, env=None, table="many", extra="", tail=""):
    """A run that stands still in the middle of its COPY, and the gate."""
    proxy = Proxy(server.port, hold_after=400_000)
    levada.write("p.yaml", pipeline(server, table=table, extra=extra, url=server.url(port=proxy.port) + tail))
    child = levada.start("run", "p.yaml", *(arguments or ("--quiet",)), env=env)
    assert proxy.held.wait(30)
    wait_until(lambda: copying(server), "the server copies")
    return proxy, child


def test_a_backend_terminated_in_the_middle_of_a_copy_is_tried_again(server, levada, many):
    proxy, child = gated(server, levada, "--json")
    try:
        for pid in copying(server):
            server.execute(f"select pg_terminate_backend({pid})")
        proxy.open_gate()
        out, err = child.communicate(timeout=60)
    finally:
        proxy.close()
    assert child.returncode == 0, err
    assert [p["attempts"] for p in json.loads(out)["runs"][0]["partitions"]] == [2]
    assert b"57P01" in err or b"LV2002" in err, err
    got = read_table(levada.directory / "lake")
    assert sorted(got.column("id").to_pylist()) == list(range(1, 60001))
    assert leftovers(levada.directory / "lake") == []


@pytest.mark.parametrize("connections, tls", [(1, "prefer"), (2, "disable")])
def test_a_server_killed_in_the_middle_of_a_copy_is_exit_20_and_nothing_is_half_done(levada, connections, tls):
    server = Server()
    try:
        server.execute("create table many(id int primary key, note text);"
                       "insert into many select g, repeat(md5(g::text), 10) from generate_series(1, 60000) g; checkpoint")
        proxy, child = gated(server, levada, extra=f"    connections: {connections}", tail=f"?sslmode={tls}")
        server.kill()
        proxy.open_gate()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 20, err
        assert b"LV200" in err
        nothing_there(levada)
        assert leftovers(levada.directory / "lake") == []
        server.start()
        levada("run", "p.yaml", "--quiet", expect=0)
        assert sorted(read_table(levada.directory / "lake").column("id").to_pylist()) == list(range(1, 60001))
    finally:
        proxy.close()
        server.remove()


def test_a_cancelled_statement_is_named(server, levada, many):
    proxy, child = gated(server, levada)
    try:
        for pid in copying(server):
            server.execute(f"select pg_cancel_backend({pid})")
        proxy.open_gate()
        _, err = child.communicate(timeout=60)
    finally:
        proxy.close()
    if child.returncode == 0:
        assert read_table(levada.directory / "lake").num_rows == 60000
    else:
        assert child.returncode in (20, 21) and b"57014" in err, err
        nothing_there(levada)


def test_a_statement_timeout_ends_a_run_that_waits(server, levada):
    with server.connect() as other:
        other.autocommit = False
        other.execute("lock table goods in access exclusive mode")
        levada.write("p.yaml", pipeline(server, extra="    statement_timeout: 500ms"))
        refused(levada, 20, "LV2003", "timeout")
    nothing_there(levada)


# ---- a schema that changes


def test_a_type_changed_while_another_partition_is_read_is_exit_30(server, levada):
    """The ALTER waits for the first partition's COPY and stands before the second's: the lock queue decides, not the clock."""
    server.execute("""drop table if exists moving; create table moving(id int primary key, note text, price numeric(9,2));
        insert into moving select g, repeat(md5(g::text), 10), 1 from generate_series(1, 60000) g""")
    server.execute("vacuum analyze moving")
    proxy, child = gated(server, levada, table="moving", extra="    partition: { by: id, size: 30000 }")

    def alter():
        server.execute("alter table moving alter price type double precision")

    thread = threading.Thread(target=alter)
    thread.start()
    wait_until(lambda: server.rows("select 1 from pg_locks where not granted and relation = 'moving'::regclass"),
               "the ALTER waits")
    proxy.open_gate()
    _, err = child.communicate(timeout=60)
    thread.join()
    assert child.returncode in (30, 50), err
    assert b"LV3001" in err and b"price" in err, err
    # What is visible is the first partition, whole; the run cannot be finished under the new schema.
    visible = data_files(levada.directory / "lake")
    assert visible and all("-p0000-" in name for name in visible)
    refused(levada, 30, "LV3001", arguments=("retry", "p.yaml", "--quiet"))
    assert data_files(levada.directory / "lake") == visible
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    assert read_table(levada.directory / "lake").schema.field("price").type == pa.float64()
    assert read_table(levada.directory / "lake").num_rows == 60000
    proxy.close()


def test_a_retry_under_another_plan_is_refused(server, levada):
    text = pipeline(server, extra="    partition: { by: id, size: 400 }")
    levada.write("p.yaml", text)
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    levada.write("p.yaml", text.replace("path: lake", "path: lake\n      codec: snappy"))
    refused(levada, 10, "LV1015", "--replace", arguments=("retry", "p.yaml", "--quiet"))
    levada.write("p.yaml", text)
    levada("retry", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000


@pytest.mark.parametrize("change, back", [
    ("add column extra int", "drop column extra"),
    ("drop column name", "add column name text"),
    ("rename column name to title", "rename column title to name"),
])
def test_a_column_that_comes_goes_or_is_renamed_before_a_retry_is_exit_30(server, levada, change, back):
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }"))
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    server.execute(f"alter table goods {change}")
    ran = levada("retry", "p.yaml", "--quiet")
    assert ran.status == 30 and "LV3001" in ran.err, ran
    server.execute(f"alter table goods {back}")


def test_a_column_that_comes_between_two_windows_is_said_and_does_not_stop_the_run(server, levada):
    server.execute("drop table if exists visits; create table visits(id int, at timestamptz);"
                   "insert into visits select n, timestamptz '2026-01-01 10:00+00' + n * interval '1 day' from generate_series(0, 2) n")
    text = pipeline(server, table="visits") + "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }\n"
    levada.write("p.yaml", text)
    levada("run", "p.yaml", "--window", "2026-01-01", "--quiet", expect=0)
    server.execute("alter table visits add column note text")
    said = 'warning[LV3001]: the source has other columns than window "2026-01-01" was written with: column "note" is new: utf8'
    planned = levada("plan", "p.yaml", expect=2)
    assert said in planned.err, planned
    assert [each["code"] for each in levada("plan", "p.yaml", "--json", expect=2).json()["warnings"]] == ["LV3001"]
    ran = levada("run", "p.yaml", "--window", "2026-01-02", "--json", expect=0)
    assert [each["code"] for each in ran.json()["warnings"]] == ["LV3001"]
    assert "LV3001" not in levada("run", "p.yaml", expect=0).err, "the last window has the same columns"
    levada("run", "p.yaml", "--replace", "--quiet", expect=0)
    assert all(pq.read_schema(file).names == ["id", "at", "note"] for file in (levada.directory / "lake").rglob("*.parquet"))


# ---- targets and state


def test_readers_that_list_do_not_see_what_a_killed_run_has_staged(server, levada):
    """DuckDB's *.parquet takes names that begin with a dot too."""
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }"))
    levada("run", "p.yaml", "--quiet", expect=0)
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    assert leftovers(levada.directory / "lake")
    count = duckdb.sql(f"select count(*), count(distinct id) from '{levada.directory}/lake/**/*.parquet'").fetchall()
    assert count == [(1000, 1000)]


def test_a_replacing_run_without_room_leaves_the_published_dataset(server, levada, small_disk):
    lake = small_disk("2m")
    server.execute("drop table if exists grows; create table grows as select g id, md5(g::text) note from "
                   "generate_series(1, 20000) g")
    levada.write("p.yaml", pipeline(server, table="grows"))
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(lake)
    server.execute("insert into grows select g, md5(g::text) || md5((-g)::text) from generate_series(20001, 120000) g")
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status == 40 and "LV4002" in ran.err, ran
    assert data_files(lake) == before and (lake / "_SUCCESS").exists()
    assert leftovers(lake) == []
    subprocess.run(["mount", "-o", "remount,size=64m", str(lake)], check=True)
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(lake).num_rows == 120000 and leftovers(lake) == []


@pytest.fixture
def small_disk(levada):
    """Makes levada's lake a small file system of its own."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    lake = levada.directory / "lake"
    mounted = []

    def mount(size, *options):
        lake.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join([f"size={size}", *options]), "tmpfs", str(lake)], check=True)
        mounted.append(lake)
        return lake

    yield mount
    for path in mounted:
        subprocess.run(["umount", str(path)], check=True)


def test_a_state_directory_without_room_does_not_stop_the_data(server, levada, small_disk):
    """The ledger is a cache. A report that cannot be written is said, since a caller may wait for it."""
    state = small_disk("32k")
    (state / "filler").write_bytes(b"x" * 28000)
    levada.write("p.yaml", pipeline(server).replace("path: lake", "path: real"))
    ran = levada("run", "p.yaml", "--quiet", "--state", "lake")
    assert ran.status == 0 or "lake" in ran.err, ran
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "real").num_rows == 1000 and leftovers(levada.directory / "real") == []


def test_a_target_that_is_a_file_is_exit_40(server, levada):
    (levada.directory / "lake").write_text("not a directory")
    levada.write("p.yaml", pipeline(server))
    refused(levada, 40, "LV40", "lake")
    assert (levada.directory / "lake").read_text() == "not a directory"


def test_files_of_others_beside_ours_are_never_touched(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    for name in ("notes.txt", "theirs.parquet", "_hidden"):
        (levada.directory / "lake" / name).write_text("keep me")
    levada("run", "p.yaml", "--quiet", expect=0)
    for name in ("notes.txt", "theirs.parquet", "_hidden"):
        assert (levada.directory / "lake" / name).read_text() == "keep me"


def test_what_another_build_began_is_refused_before_a_byte_moves_until_replace(server, levada):
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }") + "run: once\n")
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    record = levada.directory / "lake/_levada/all.split.json"
    split = json.loads(record.read_text())
    split["writer"] = json.dumps(json.loads(split["writer"]) | {"encode": {"version": 1}})
    record.write_text(json.dumps(split))
    visible = data_files(levada.directory / "lake")
    for verb in ("plan", "run", "retry"):
        refused(levada, 10, "LV1015", "by another build of levada", "--replace", arguments=(verb, "p.yaml", "--quiet"))
    assert data_files(levada.directory / "lake") == visible != {}
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000
    assert leftovers(levada.directory / "lake") == []


def test_a_data_file_that_somebody_removed_is_written_again(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(levada.directory / "lake")
    for name in before:
        (levada.directory / "lake" / name).unlink()
    levada("run", "p.yaml", "--quiet", expect=0)
    assert sorted(data_files(levada.directory / "lake").values()) == sorted(before.values())


def test_a_window_with_a_damaged_manifest_stops_no_other_and_is_written_anew(server, levada):
    server.execute("drop table if exists visits; create table visits(id int, at timestamptz);"
                   "insert into visits select n, timestamptz '2026-01-01 10:00+00' + n / 10 * interval '1 day'"
                   "  from generate_series(0, 29) n")
    levada.write("p.yaml", pipeline(server, table="visits")
                 + "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }\n")
    for day in ("2026-01-01", "2026-01-02"):
        levada("run", "p.yaml", "--quiet", "--window", day, expect=0)
    lake = levada.directory / "lake"
    before = data_files(lake)
    (lake / "_levada/2026-01-01.json").write_text("{")
    refused(levada, 40, "LV4004", "2026-01-01.json", "levada run FILE --window 2026-01-01 --replace")
    refused(levada, 40, "LV4004", "2026-01-01.json", arguments=("status", "p.yaml", "--rebuild"))
    assert data_files(lake) == before
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-03", expect=0)
    assert read_table(lake).num_rows == 30
    shown = levada("plan", "p.yaml", "--window", "2026-01-01", "--replace", expect=2)
    assert "2026-01-01" in shown.out and "damaged" in shown.out, shown
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-01", "--replace", expect=0)
    assert sorted(read_table(lake).column("id").to_pylist()) == list(range(30))
    assert not set(before) - set(data_files(lake)) - {name for name in before if "2026-01-01" in name}
    levada("run", "p.yaml", "--quiet", expect=0)
    levada("status", "p.yaml", "--rebuild", expect=0)


def test_status_rebuild_says_the_same_as_the_ledger_that_was_lost(server, levada):
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }"))
    levada("run", "p.yaml", "--quiet", expect=0)

    def seen(*more):
        said = levada("status", "p.yaml", "--json", *more, expect=0).json()
        text = json.dumps(said, sort_keys=True)
        for volatile in ("started_at", "finished_at"):
            text = re.sub(rf'"{volatile}": ("[^"]*"|null)', f'"{volatile}": null', text)
        return json.loads(text)

    before = seen()
    for path in (levada.directory / ".levada").glob("ledger*"):
        path.unlink()
    rebuilt = seen("--rebuild")
    assert rebuilt == before
    assert seen() == before


@pytest.mark.parametrize("garbage", [b"", b"garbage" * 1000, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_broken_ledger_never_stops_a_run(server, levada, garbage):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    (levada.directory / ".levada/ledger.db").write_bytes(garbage)
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000
    assert '"published"' in levada("status", "p.yaml", "--json", expect=0).out


def test_a_truncated_ledger_never_stops_a_run(server, levada):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    whole = (levada.directory / ".levada/ledger.db").read_bytes()
    for size in range(0, len(whole), max(1, len(whole) // 5)):
        (levada.directory / ".levada/ledger.db").write_bytes(whole[:size])
        levada("run", "p.yaml", "--quiet", expect=0)
        assert '"published"' in levada("status", "p.yaml", "--json", expect=0).out


@pytest.mark.parametrize("record", ["all.json", "all.split.json", "all/p0000.json"])
@pytest.mark.parametrize("damage", [b"", b"{", b"null", b"\xff\xfe"])
def test_a_damaged_record_is_named_and_data_stays(server, levada, record, damage):
    levada.write("p.yaml", pipeline(server))
    levada("run", "p.yaml", "--quiet", expect=0)
    before = data_files(levada.directory / "lake")
    (levada.directory / "lake/_levada" / record).write_bytes(damage)
    ran = levada("run", "p.yaml", "--quiet")
    if ran.status != 0:
        assert ran.status == 40 and "LV4004" in ran.err and record.split("/")[-1] in ran.err, ran
        assert data_files(levada.directory / "lake") == before
    else:
        assert sorted(data_files(levada.directory / "lake").values()) == sorted(before.values())


# ---- two at once


def test_two_runs_of_one_instance_at_once_are_exit_75(server, levada, many):
    proxy, first = gated(server, levada)
    try:
        second = levada("run", "p.yaml", "--quiet", expect=75)
        assert "LV7501" in second.err, second
        elsewhere = levada("run", "p.yaml", "--quiet", "--state", "another", expect=75)
        assert "LV7501" in elsewhere.err, "the fence is in the target, not in the state directory"
        assert first.poll() is None
    finally:
        proxy.open_gate()
        _, err = first.communicate(timeout=60)
        proxy.close()
    assert first.returncode == 0, err
    assert read_table(levada.directory / "lake").num_rows == 60000


# ---- budgets


def test_the_minimum_that_a_refusal_names_is_enough_and_less_is_not(server, levada, many):
    levada.write("p.yaml", pipeline(server, table="many"))
    ran = refused(levada, 12, "LV1201", arguments=("run", "p.yaml", "--quiet", "--memory", "4MiB"))
    nothing_there(levada)
    enough = int(re.search(r"--memory (\d+)MiB", ran.err).group(1))
    # The process's part is named in steps of 8 MiB, from 1 MiB above what it is; a sanitizer's memory moves by more.
    less = 10 if "Release" in levada("version").out else 17
    refused(levada, 12, "LV1201", arguments=("run", "p.yaml", "--quiet", "--memory", f"{enough - less}MiB"))
    levada("run", "p.yaml", "--quiet", "--memory", f"{enough}MiB", expect=0)
