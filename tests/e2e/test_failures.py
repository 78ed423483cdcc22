"""What bad input gets: nothing half done, a clear error, the right exit status, and the next run continues."""

import json
import os
import pathlib
import shutil
import stat
import subprocess

import pytest

from conftest import Server, data_files, read_table


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


def test_unsupported_types_are_all_named_with_the_cast_that_helps(server, levada):
    server.execute("drop table if exists odd; create table odd(id int, p point, c inet, t tsvector)")
    levada.write("p.yaml", pipeline(server, table="odd"))
    ran = refused(levada, 10, "LV1016", "point", "inet", "tsvector", "::text")
    nothing_there(levada)
    assert "query" in ran.err


HARD = [
    ("select 1::int id, 1.123456789012345678::numeric v", "", 10, "LV1016"),
    ("select 1::int id, 1.123456789012345678::numeric v", "    numeric: string", 0, "1.123456789012345678"),
    ("select 1::int id, 1.123456789012345678::numeric v", "    numeric: decimal(38,18)", 0, "1.123456789012345678"),
    ("select 1::int id, 1.123456789012345678::numeric v", "    numeric: decimal(38,4)", 31, "LV3103"),
    ("select 1::int id, 'NaN'::numeric(10,2) v", "", 31, "LV3103"),
    ("select 1::int id, 'NaN'::numeric(10,2) v", "    non_finite: null", 0, None),
    ("select 1::int id, 'infinity'::timestamptz v", "", 31, "LV3103"),
    ("select 1::int id, 'infinity'::timestamptz v", "    infinity: null", 0, None),
    ("select 1::int id, 'infinity'::timestamptz v", "    infinity: string", 0, "infinity"),
    ("select 1::int id, array[array[1,2],array[3,4]] v", "", 31, "LV3103"),
]


@pytest.mark.parametrize("sql, option, status, says", HARD)
def test_hard_values_are_exact_or_refused_by_policy(server, levada, sql, option, status, says):
    server.execute(f"drop table if exists hard; create table hard as {sql}")
    levada.write("p.yaml", pipeline(server, table="hard", extra=option))
    ran = levada("run", "p.yaml", "--quiet", expect=status)
    if status == 0:
        assert str(read_table(levada.directory / "lake").column("v")[0].as_py()) == str(says)
    else:
        assert says in ran.err, ran
        assert '"v"' in ran.err, ran
        nothing_there(levada)


def test_invalid_utf8_from_sql_ascii_is_exit_31(levada):
    server = Server(encoding="SQL_ASCII")
    try:
        server.execute(r"create table t(id int, name text); insert into t values (1, 'ok'), (2, E'\xff\xfe')")
        levada.write("p.yaml", pipeline(server, table="t"))
        refused(levada, 31, "LV3104", "0xff")
        nothing_there(levada)
    finally:
        server.remove()


def test_a_type_changed_between_split_and_retry_is_exit_30(server, levada):
    levada.write("p.yaml", pipeline(server, extra="    partition: { by: id, size: 400 }"))
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-9)
    server.execute("alter table goods alter price type double precision")
    refused(levada, 30, "LV3001", "price")
    server.execute("alter table goods alter price type numeric(9,2)")
    levada("run", "p.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 1000


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
