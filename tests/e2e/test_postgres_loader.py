"""Loader `postgres`: rows arrive once, in one piece, whatever happens on the way; and what cannot work is refused before."""

import re
import signal
import sqlite3
import threading
import time

import psycopg
import pytest

from conftest import Levada, Proxy, wait_until

# Those that this loader passes, of a run that is published by partition and of one that is switched whole.
BOTH = ["fence.acquired", "fence.generation_written", "split.before_record", "split.recorded", "ledger.before_commit", "read.opened",
        "load.file_created", "load.row_group_written", "load.before_sync", "load.file_staged", "load.done", "publish.before_intent",
        "publish.intent_written", "publish.before_record", "publish.recorded", "finish.before_intent", "finish.intent_written",
        "finish.before_manifest", "finish.manifest_written", "run.before_report"]
FIRST = [*BOTH, "publish.file_renamed"]
REPLACING = [*BOTH, "finish.success_removed", "finish.file_renamed"]

ROWS = 3000
PIPELINE = """
name: victim
consumer: {{ postgres: {{ dsn: "{url}", table: victim, partition: {{ by: id, size: 1000 }} }} }}
loaders: [{{ postgres: {{ dsn: "{target}", table: loaded, {more} }} }}]
retry: {{ attempts: 3, backoff: 10ms, backoff_max: 50ms }}
"""


@pytest.fixture(scope="module", autouse=True)
def source(server):
    server.execute("drop table if exists victim")
    server.execute(f"""
        create table victim(id bigint primary key, amount numeric(15,2), at timestamptz not null, note text);
        insert into victim select g, g / 7.0, timestamptz '2026-01-01' + g * interval '1 minute',
          case when g % 11 = 0 then null else repeat(md5(g::text), 1 + g::int % 5) end from generate_series(1, {ROWS}) g""")
    server.execute("vacuum (analyze, freeze) victim")


@pytest.fixture
def target(server):
    """A database of its own, dropped at the end."""
    server.execute("drop database if exists loader_target with (force)")
    server.execute("create database loader_target")
    yield "loader_target"
    server.execute("drop database if exists loader_target with (force)")


def prepare(levada, server, target, more="", port=None):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), target=server.url(target, port=port), more=more))


def content(server, target, table="loaded"):
    return server.rows(f"select * from {table} order by id", target)


def victim(server, where="true"):
    return server.rows(f"select * from victim where {where} order by id")


def stages(server, target):
    return [r[0] for r in server.rows("select relname from pg_class where relkind = 'r' and relname like '\\_levada\\_%' "
                                      "and relname not in ('_levada_runs', '_levada_commits')", target)]


def same(server, database, one, other):
    """No row of one that the other lacks, both ways, duplicates counted."""
    for a, b in ((one, other), (other, one)):
        assert server.rows(f"select count(*) from (select t::text from {a} t except all select t::text from {b} t) d",
                           database) == [(0,)]


def test_a_table_is_made_filled_and_replaced(server, levada, target):
    prepare(levada, server, target, "key: [id]")
    report = levada("run", "p.yaml", "--json", expect=0).json()
    assert report["rows"] == ROWS
    assert content(server, target) == victim(server)
    types = dict(server.rows("select attname, format_type(atttypid, atttypmod) || case when attnotnull then ' not null' else '' end "
                             "from pg_attribute where attrelid = 'loaded'::regclass and attnum > 0", target))
    assert types == {"id": "bigint not null", "amount": "numeric(15,2)", "at": "timestamp with time zone not null", "note": "text"}
    levada("run", "p.yaml", "--quiet", expect=0)
    assert content(server, target) == victim(server) and stages(server, target) == []
    assert server.rows("select count(*), min(revision), max(revision) from _levada_commits", target) == [(4, 1, 1)]
    status = levada("status", "--json", "p.yaml")
    assert status.status == 0, status


def test_urls_name_both_ends(server, levada, target):
    levada("run", server.url() + "?table=victim", server.url(target) + "?table=public.loaded", "--quiet", expect=0)
    assert content(server, target) == victim(server)


def test_rows_of_generate_and_of_sqlite_arrive(server, levada, target):
    db = sqlite3.connect(levada.directory / "s.db")
    db.executescript("create table t(id integer primary key, name text, price real, raw blob);"
                     "insert into t values (1, 'é', 1.5, x'00ff'), (2, null, null, null)")
    db.commit()
    db.close()
    levada.write("s.yaml", f"name: small\nconsumer: {{ sqlite: {{ path: s.db, table: t }} }}\n"
                 f"loaders: [{{ postgres: {{ dsn: \"{server.url(target)}\", table: from_sqlite }} }}]\n")
    levada("run", "s.yaml", "--quiet", expect=0)
    assert server.rows("select id, name, price, raw from from_sqlite order by id", target) == [
        (1, "é", 1.5, b"\x00\xff"), (2, None, None, None)]


WINDOWS = """
name: daily
run: {{ every: day, column: at, start: 2026-01-01, {run} }}
consumer: {{ postgres: {{ dsn: "{url}", table: victim }} }}
{transformers}
loaders: [{{ postgres: {{ dsn: "{target}", table: loaded, {more} }} }}]
"""


def windows(levada, server, target, more="", run="", transformers=""):
    levada.write("p.yaml", WINDOWS.format(url=server.url(), target=server.url(target), more=more, run=run, transformers=transformers))


def test_windows_are_skipped_and_replaced_one_by_one(server, levada, target):
    windows(levada, server, target)
    arguments = ["run", "p.yaml", "--window", "2026-01-01", "--window", "2026-01-02", "--quiet"]
    levada(*arguments, expect=0)
    wanted = victim(server, "at < timestamptz '2026-01-03 00:00Z'")
    assert content(server, target) == wanted
    server.execute("update loaded set note = 'touched'", target)
    levada(*arguments, expect=0)
    assert all(row[3] == "touched" for row in content(server, target)), "a published window is left alone"
    levada("run", "p.yaml", "--window", "2026-01-02", "--replace", "--quiet", expect=0)
    now = content(server, target)
    assert [row for row in now if row[3] != "touched"] == [row for row in wanted if row[2].day == 2]
    assert len(now) == len(wanted)
    # Nothing but the target knows what is done.
    levada("status", "p.yaml", "--rebuild", expect=0)
    levada(*arguments, expect=0)
    assert len(content(server, target)) == len(wanted)


def test_rows_of_somebody_else_are_not_deleted_unasked(server, levada, target):
    prepare(levada, server, target)
    server.execute("create table loaded(id bigint, amount numeric(15,2), at timestamptz, note text); insert into loaded values (1)", target)
    ran = levada("run", "p.yaml", "--quiet", expect=40)
    assert "LV4003" in ran.err and "--replace" in ran.err
    assert server.rows("select count(*) from loaded", target) == [(1,)]
    levada("run", "p.yaml", "--replace", "--quiet", expect=0)
    assert content(server, target) == victim(server)


def test_append_adds_each_run_once(server, levada, target):
    prepare(levada, server, target, "mode: append")
    for times in (1, 2):
        levada("run", "p.yaml", "--quiet", expect=0)
        assert server.rows("select count(*), count(distinct id) from loaded", target) == [(times * ROWS, ROWS)]


def test_upsert_takes_the_place_of_rows_with_the_key(server, levada, target):
    prepare(levada, server, target, "mode: upsert, key: [id]")
    server.execute("create table loaded(id bigint primary key, amount numeric(15,2), at timestamptz, note text, mine int default 7);"
                   "insert into loaded values (5, 0, null, 'old', 1), (999999, 0, null, 'kept', 2)", target)
    levada("run", "p.yaml", "--quiet", expect=0)
    assert server.rows("select count(*) from loaded", target) == [(ROWS + 1,)]
    assert server.rows("select note <> 'old', mine from loaded where id = 5", target) == [(True, 1)]
    assert server.rows("select note from loaded where id = 999999", target) == [("kept",)]


def test_two_rows_of_one_key_are_refused(server, levada, target):
    levada.write("p.yaml", f"""
name: twice
consumer: {{ postgres: {{ dsn: "{server.url()}", query: "select id % 10 as k, note from victim" }} }}
loaders: [{{ postgres: {{ dsn: "{server.url(target)}", table: loaded, mode: upsert, key: [k] }} }}]
""")
    ran = levada("run", "p.yaml", "--quiet", expect=50)
    assert "LV4013" in ran.err and "dedupe" in ran.err, ran
    assert server.rows("select count(*) from loaded", target) == [(0,)]


EVERY_TYPE = """
create type mood as enum ('sad', 'ok');
create domain positive as int check (value > 0);
create table many(id int primary key, b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, n numeric(38,10), nn numeric, t text,
  v varchar(10), c char(4), y bytea, d date, tm time, ts timestamp, tz timestamptz, iv interval, u uuid, j json, jb jsonb, m mood,
  p positive, ip inet, a int[], ta text[], ua uuid[], ma mood[], bits bit(3), vb varbit(5), r int4range, x xml, na numeric(5,2)[], o oid);
insert into many values
 (1, true, -32768, 2147483647, -9223372036854775808, 'NaN', '-Infinity', 1234567890123456789012345678.0123456789, 'NaN', E'a\\tb\\n',
  'abc', 'ab', '\\x00ff', '0044-03-15 BC', '24:00:00', '2026-01-01 00:00:00.000001', '1999-12-31 23:59:59.5+02', '1 mon -2 days 3.5 sec',
  'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '{"a": 1,  "b":[]}', '{"z":1,"a":null}', 'ok', 5, '10.0.0.0/8', '{1,null,3}', '{"a,b",NULL,""}',
  '{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}', '{sad,ok}', '101', '10', '[1,5)', '<a>é</a>', '{1.50,null}', 4294967295),
 (3, false, 0, 0, 0, 0, -0.0, 0, 1e-20, '', '', '', '', '1970-01-01', '00:00', 'epoch', 'epoch', '0', null, 'null', '""', 'sad', 1,
  '::1', '{}', '{}', '{}', '{}', '000', '', 'empty', '', '{}', 0);
insert into many(id) values (2), (4);
update many set nn = 123456789012345678901234567890.12345 where id = 4;
"""


def test_every_type_arrives_as_it_was(server, levada, target):
    server.execute(EVERY_TYPE, target)
    server.execute("create table loaded (like many including all)", target)
    levada.write("p.yaml", f"""
name: many
verify: readback
consumer: {{ postgres: {{ dsn: "{server.url(target)}", table: many, numeric: string, infinity: string, non_finite: string }} }}
loaders: [{{ postgres: {{ dsn: "{server.url(target)}", table: loaded }} }}]
""")
    levada("run", "p.yaml", "--quiet", expect=0)
    same(server, target, "many", "loaded")


@pytest.mark.parametrize("made, more, code, words", [
    ("create table loaded(id bigint, amount numeric(15,2), at timestamptz)", "", "LV1013", ["note", "add column"]),
    ("create table loaded(id int, amount numeric(15,2), at timestamptz, note text)", "", "LV1016", ['"id"', "int8", "integer"]),
    ("create table loaded(id bigint, amount numeric(10,1), at timestamptz, note text)", "", "LV1016", ['"amount"', "numeric(15,2)"]),
    ("create table loaded(id bigint, amount numeric, at timestamptz, note text, other int not null)", "", "LV1009", ['"other"', "default"]),
    ("create table loaded(id bigint, amount numeric, at timestamptz, note text)", "mode: upsert, key: [id]", "LV1009", ["unique index"]),
    ("create table loaded(id bigint, amount numeric, at timestamptz, note text generated always as ('x') stored)", "", "LV1009", ['"note"']),
    ("create view loaded as select 1 as id", "", "LV4012", ["a view"]),
    ("select 1", "create: false", "LV4013", ["does not exist"]),
    ("select 1", "mode: upsert", "LV1009", ["key"]),
])
def test_what_does_not_fit_is_refused_by_plan(server, levada, target, made, more, code, words):
    server.execute(made, target)
    prepare(levada, server, target, more)
    ran = levada("plan", "p.yaml")
    assert ran.status != 0 and code in ran.err, ran
    assert all(word in ran.err for word in words), ran


def test_a_window_whose_column_is_lost_is_refused(server, levada, target):
    windows(levada, server, target, transformers="transformers: [{ select: { columns: [id, note] } }]")
    ran = levada("plan", "p.yaml")
    assert "LV1009" in ran.err and '"at"' in ran.err, ran
    windows(levada, server, target, more="mode: append", transformers="transformers: [{ select: { columns: [id, note] } }]")
    levada("run", "p.yaml", "--window", "2026-01-01", "--quiet", expect=0)
    levada("run", "p.yaml", "--window", "2026-01-01", "--quiet", expect=0)
    assert server.rows("select count(*) from loaded", target) == [(1439,)]
    assert "LV1009" in levada("run", "p.yaml", "--window", "2026-01-01", "--replace", "--quiet", expect=10).err


def test_a_broken_constraint_is_named_and_its_row_is_not(server, levada, target):
    server.execute("create table loaded(id bigint, amount numeric, at timestamptz, note text, constraint small check (id < 2500))", target)
    prepare(levada, server, target)
    ran = levada("run", "p.yaml", "--quiet", expect=50)
    assert "LV4013" in ran.err and "small" in ran.err, ran
    assert not re.search(r"Failing row|\(2500", ran.err)
    # Partitions that were whole before are there, and the run goes on once the table allows it.
    server.execute("alter table loaded drop constraint small", target)
    levada("run", "p.yaml", "--quiet", expect=0)
    assert content(server, target) == victim(server) and stages(server, target) == []


def test_permission_and_password(server, levada, target):
    server.execute("drop role if exists reader; create role reader login")
    levada.write("p.yaml", PIPELINE.format(url=server.url(), target=server.url(target, user="reader"), more=""))
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status == 11 and "LV1102" in ran.err and "grant" in ran.err, ran
    levada.write("p.yaml", PIPELINE.format(url=server.url(), target=server.url("no_such_database"), more=""))
    assert "LV4013" in levada("run", "p.yaml", "--quiet", expect=40).err
    levada.write("p.yaml", PIPELINE.format(url=server.url(), target=server.url(target, port=1), more=""))
    assert "LV4009" in levada("run", "p.yaml", "--quiet", expect=40).err


def finish(levada, server, target):
    levada("run", "p.yaml", "--quiet", expect=0)
    assert content(server, target) == victim(server)
    assert stages(server, target) == []


def disturb(levada, failpoint, action, hit=1):
    """One run that is killed, failed or stopped at a step; whether it was."""
    environment = {"LEVADA_FAILPOINTS": f"{failpoint}={'pause' if action == 'stop' else action}@{hit}"}
    if action != "stop":
        ran = levada("run", "p.yaml", "--quiet", env=environment, any_signal=True)
        assert action == "kill" or ran.status in (0, 40, 50, 70), ran
        return ran.status == -signal.SIGKILL if action == "kill" else ran.status != 0
    child = levada.start("run", "p.yaml", "--quiet", env=environment)
    levada.until_idle(child)
    begin = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert time.monotonic() - begin < 1.5, failpoint
    assert child.returncode in (0, 143)
    return child.returncode != 0


# What is done whatever was asked for meanwhile.
NOT_STOPPED = {"ledger.before_commit"}


@pytest.mark.parametrize("failpoint", FIRST)
@pytest.mark.parametrize("action, hit", [("kill", 1), ("kill", 2), ("error", 1), ("stop", 1)])
def test_first_run_survives_every_step(server, levada, target, failpoint, action, hit):
    if action == "stop" and failpoint in NOT_STOPPED:
        pytest.skip("is finished in any case")
    prepare(levada, server, target)
    disturbed = disturb(levada, failpoint, action, hit)
    # A ledger that cannot be written is only warned about, and a run that is all published has succeeded.
    late = (action, failpoint) in (("error", "ledger.before_commit"), ("stop", "run.before_report"))
    assert disturbed or hit == 2 or late, "the step was not passed"
    finish(levada, server, target)


@pytest.mark.parametrize("failpoint", REPLACING)
@pytest.mark.parametrize("action", ["kill", "error", "stop"])
def test_replacing_run_survives_every_step(server, levada, target, failpoint, action):
    if action == "stop" and failpoint in NOT_STOPPED:
        pytest.skip("is finished in any case")
    prepare(levada, server, target)
    finish(levada, server, target)
    server.execute("update loaded set note = 'old'", target)
    disturb(levada, failpoint, action)
    notes = server.rows("select count(*), count(*) filter (where note = 'old') from loaded", target)[0]
    assert notes in ((ROWS, ROWS), (ROWS, 0)), "readers see all of the old or all of the new"
    finish(levada, server, target)


def test_readers_see_old_or_new(server, levada, target):
    prepare(levada, server, target)
    finish(levada, server, target)
    seen, done = set(), threading.Event()

    def read():
        with server.connect(target) as connection:
            while not done.is_set():
                seen.add(connection.execute("select count(*), count(distinct id) from loaded").fetchone())

    reader = threading.Thread(target=read)
    with server.connect(target) as old:
        old.autocommit = False
        old.execute("set transaction isolation level repeatable read")
        old.execute("select 1 from pg_class limit 1")
        reader.start()
        for _ in range(3):
            levada("run", "p.yaml", "--quiet", expect=0)
        done.set()
        reader.join()
        assert seen == {(ROWS, ROWS)}
        assert old.execute("select count(*) from loaded").fetchone() == (ROWS,), "a snapshot of before still sees all"


def terminate(server, target, like):
    return server.rows(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{target}' and query ilike '{like}' "
                       "and pid <> pg_backend_pid()")


@pytest.mark.parametrize("failpoint, like", [("load.before_sync", "copy%"), ("publish.before_record", "%"),
                                             ("finish.before_manifest", "%"), ("load.row_group_written", "%")])
def test_backends_that_are_terminated_cost_an_attempt(server, levada, target, failpoint, like):
    prepare(levada, server, target, "lock_timeout: 5s")
    if failpoint.startswith("finish"):
        finish(levada, server, target)
    child = levada.start("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": f"{failpoint}=pause"})
    levada.until_idle(child)
    assert terminate(server, target, like)
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    finish(levada, server, target)


def test_a_lost_connection_is_made_anew_within_the_run(server, levada, target):
    """Every connection is cut once by a proxy, at some byte of its answers; the run itself mends that."""
    for after in (150, 400, 900):
        server.execute("drop table if exists loaded, _levada_runs, _levada_commits", target)
        proxy = Proxy(server.port, cut_after=after, cuts=1)
        try:
            prepare(levada, server, target, port=proxy.port)
            levada("run", "p.yaml", "--quiet", any_signal=True)
        finally:
            proxy.close()
        prepare(levada, server, target)
        finish(levada, server, target)


def test_of_two_racing_runs_one_is_told(server, levada, target, module_scratch):
    prepare(levada, server, target)
    child = levada.start("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_record=pause"})
    levada.until_idle(child)
    ran = levada("run", "p.yaml", "--quiet", expect=75)
    assert "LV7501" in ran.err and "process" in ran.err, ran
    child.kill()
    child.communicate()
    finish(levada, server, target)


def test_an_old_generation_publishes_nothing(server, levada, target):
    prepare(levada, server, target)
    child = levada.start("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=pause"})
    levada.until_idle(child)
    # As if another host had taken the run over while this one was cut off.
    server.execute("update _levada_runs set generation = generation + 1, holder = 'another'", target)
    child.send_signal(signal.SIGCONT)
    wait_until(lambda: server.rows("select count(*) from loaded", target) == [(0,)], "nothing is there")
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert server.rows("select count(*) from loaded", target) == [(0,)]
    finish(levada, server, target)


def test_a_crash_of_the_server_loses_staged_rows_and_nothing_else(levada):
    from conftest import Server
    server = Server()
    try:
        server.execute("create database t")
        server.execute("create table victim(id bigint primary key, note text); insert into victim select g, md5(g::text) from generate_series(1, 3000) g")
        prepare(levada, server, "t")
        levada("run", "p.yaml", "--quiet", expect=0)
        levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "finish.before_intent=kill"}, expect=-signal.SIGKILL)
        assert stages(server, "t")
        server.stop("immediate")
        server.start()
        levada("run", "p.yaml", "--quiet", expect=0)
        assert server.rows("select count(*), count(distinct id) from loaded", "t") == [(3000, 3000)]
        assert stages(server, "t") == []
    finally:
        server.remove()


def test_two_loaders_both_have_it_or_neither(server, levada, target):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), target=server.url(target), more="").replace(
        "loaders: [", "loaders: [{ parquet: lake }, "))
    for failpoint in ("publish.before_record=kill@2", "finish.before_manifest=kill"):
        levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": failpoint}, any_signal=True)
        finish(levada, server, target)
        from conftest import read_table
        assert sorted(read_table(levada.directory / "lake").column("id").to_pylist()) == list(range(1, ROWS + 1))


def test_quarantined_rows_are_not_lost_in_silence(server, levada, target):
    levada.write("p.yaml", f"""
name: aside
consumer: {{ postgres: {{ dsn: "{server.url()}", query: "select id, note from victim" }} }}
transformers: [{{ cast: {{ columns: {{ note: int32 }}, on_error: quarantine }} }}]
loaders: [{{ postgres: {{ dsn: "{server.url(target)}", table: loaded }} }}]
""")
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status != 0
