"""The SQLite consumer through the binary: beside a process that writes, in parts, from several files, with values that do not
fit, and from files that cannot be had."""

import multiprocessing
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pyarrow.compute as pc
import pytest

from conftest import FULL, data_files, leftovers, read_table

ACCOUNTS = 20_000
SUM = ACCOUNTS * 100


def database(path, *statements, mode="delete"):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(f"pragma journal_mode = {mode}")
    for statement in statements:
        connection.execute(statement)
    connection.close()


def accounts(path, mode):
    database(path, "create table accounts (id integer primary key, amount integer not null)",
             f"with recursive n(i) as (select 1 union all select i + 1 from n where i < {ACCOUNTS}) "
             "insert into accounts select i * 3, 100 from n", mode=mode)


def move_amounts(path, stop, commits, until=None):
    """Moves amounts between rows, a transaction each, and checkpoints now and then."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("pragma synchronous = off")
    n = 0
    while not stop.is_set():
        n += 1
        a, b = (n * 7919 % ACCOUNTS + 1) * 3, (n * 104729 % ACCOUNTS + 1) * 3
        connection.execute("begin immediate")
        connection.execute("update accounts set amount = amount - ? where id = ?", (n % 50, a))
        connection.execute("update accounts set amount = amount + ? where id = ?", (n % 50, b))
        connection.execute("commit")
        commits.value = n
        if n % 500 == 0:
            connection.execute("pragma wal_checkpoint(passive)")
    connection.close()


@pytest.fixture
def writer(levada):
    """Starts a process that moves amounts in a database, and ends it."""
    stop, commits = multiprocessing.Event(), multiprocessing.Value("q", 0)
    started = []

    def start(path):
        process = multiprocessing.Process(target=move_amounts, args=(str(path), stop, commits), daemon=True)
        process.start()
        started.append(process)
        while commits.value == 0:
            time.sleep(0.001)
        return commits

    yield start
    stop.set()
    for process in started:
        process.join(60)
        assert process.exitcode == 0


def pipeline(levada, options, top="", loader=""):
    lines = "\n".join(f"    {line}" for line in options.strip().splitlines())
    levada.write("p.yaml", f"name: p\n{top}\nconsumer:\n  sqlite:\n{lines}\nloaders:\n  - parquet: {{ path: lake{loader} }}\n"
                           "retry: { attempts: 3, backoff: 10ms, backoff_max: 20ms }\n")


def run(levada, status=0, *arguments):
    return levada("run", "p.yaml", "--quiet", *arguments, expect=status)


@pytest.mark.parametrize("mode", ["wal", "delete"])
@pytest.mark.parametrize("connections", [1, 4])
def test_every_run_beside_a_writer_reads_one_state(levada, writer, mode, connections):
    path = levada.directory / "bank.db"
    accounts(path, mode)
    commits = writer(path)
    pipeline(levada, f"path: bank.db\ntable: accounts\nconnections: {connections}\nbusy_timeout: 60s")
    for _ in range(20 if FULL else 5):
        before = commits.value
        run(levada)
        table = read_table(levada.directory / "lake")
        assert table.num_rows == ACCOUNTS
        assert pc.sum(table.column("amount")).as_py() == SUM, f"commits {before} to {commits.value}"
        assert len(data_files(levada.directory / "lake")) == connections
    assert commits.value > 0


def test_partitions_beside_a_writer_have_every_row_and_the_report_says_how_many_states(levada, writer):
    path = levada.directory / "bank.db"
    accounts(path, "wal")
    pipeline(levada, "path: bank.db\ntable: accounts\npartition: { by: rowid, count: 5 }", top="parallel: 1")
    quiet = run(levada, 0, "--json").json()
    assert len(quiet["runs"][0]["snapshots"]) == 1, "nobody wrote"
    writer(path)
    ran = levada("run", "p.yaml", expect=0)
    assert re.search(r"was read at [2-5] moments", ran.out + ran.err), ran
    table = read_table(levada.directory / "lake")
    assert table.num_rows == ACCOUNTS
    assert sorted(table.column("id").to_pylist()) == [3 * i for i in range(1, ACCOUNTS + 1)]
    assert len(data_files(levada.directory / "lake")) == 5


def test_partitions_by_rowid_with_gaps(levada):
    ids = [-2**63, -5, 0, 1, 2, 3, 10**12, 10**12 + 1, 2**63 - 1]
    database(levada.directory / "a.db", "create table t (x integer)",
             *[f"insert into t (rowid, x) values ({i}, {i})" for i in ids])
    pipeline(levada, "path: a.db\ntable: t\npartition: { by: rowid, count: 3 }")
    plan = levada("plan", "p.yaml", expect=2)
    assert "rowid < " in plan.out and "rowid >= " in plan.out, plan
    run(levada)
    assert sorted(read_table(levada.directory / "lake").column("x").to_pylist()) == ids
    assert len(data_files(levada.directory / "lake")) == 3
    pipeline(levada, "path: a.db\ntable: t\npartition: { by: rowid, size: 1000 }")
    ran = run(levada, 10)
    assert "LV1009" in ran.err and "count" in ran.err and "p.yaml:7" in ran.err, ran


def test_a_large_table_is_cut_by_itself(levada):
    database(levada.directory / "a.db", "create table t (id integer primary key, x text)",
             "with recursive n(i) as (select 1 union all select i + 1 from n where i < 40000) "
             "insert into t select i, printf('%0100d', i) from n")
    pipeline(levada, "path: a.db\ntable: t", top="partition_bytes: 1MiB")
    run(levada)
    files = data_files(levada.directory / "lake")
    assert 4 <= len(files) <= 6, files
    assert read_table(levada.directory / "lake").column("id").to_pylist() == list(range(1, 40001))


def test_values_that_do_not_fit(levada):
    database(levada.directory / "a.db", "create table t (id integer primary key, n integer, u)",
             "insert into t values (1, 5, 1), (2, 'five', 1.0), (3, x'05', '1'), (4, 0.5, x'31'), (5, null, null)")
    pipeline(levada, "path: a.db\ntable: t\ncolumns: [id, n]")
    ran = run(levada, 31)
    for word in ("LV3103", '"n"', "TEXT of 4 bytes", "rowid: 2", "table: t", "mixed: null", "WHERE rowid = 2"):
        assert word in ran.err, ran
    assert "five" not in ran.err
    ran = levada("run", "p.yaml", "--log-level", "debug", "--log-format", "text", expect=31)
    assert "'five'" in ran.err, ran
    pipeline(levada, "path: a.db\ntable: t\ncolumns: [id, n]\nmixed: null")
    ran = levada("run", "p.yaml", "--replace", expect=0)
    assert "read as NULL" in ran.err and '"values":3' in ran.err.replace(" ", ""), ran
    assert read_table(levada.directory / "lake").column("n").to_pylist() == [5, None, None, None, None]
    pipeline(levada, "path: a.db\ntable: t\ntypes: { n: { mixed: string }, u: { mixed: string } }")
    run(levada, 0, "--replace")
    table = read_table(levada.directory / "lake")
    assert table.column("n").to_pylist() == ["5", "'five'", "x'05'", "0.5", None]
    assert table.column("u").to_pylist() == ["1", "1.0", "'1'", "x'31'", None]
    pipeline(levada, "path: a.db\ntable: t")
    ran = run(levada, 10)
    assert "LV1016" in ran.err and "BLOB and INTEGER and REAL and TEXT" in ran.err and "mixed: string" in ran.err, ran


def test_several_files_as_one_source(levada):
    database(levada.directory / "now.db", "create table t (id integer primary key, x text)", "insert into t values (1, 'now')")
    database(levada.directory / "then.db", "create table t (id integer primary key, x text)", "insert into t values (2, 'then')",
             mode="wal")
    pipeline(levada, "path: now.db\nattach: { archive: then.db }\nquery: select * from t union all select * from archive.t order by 1")
    run(levada)
    assert read_table(levada.directory / "lake").to_pylist() == [{"id": 1, "x": "now"}, {"id": 2, "x": "then"}]
    pipeline(levada, "path: now.db\nattach: { archive: then.db }\ntable: archive.t")
    run(levada, 0, "--replace")
    assert read_table(levada.directory / "lake").column("x").to_pylist() == ["then"]
    pipeline(levada, "path: now.db\nattach: { archive: gone.db }\ntable: archive.t")
    ran = run(levada, 21)
    assert "LV2105" in ran.err and "p.yaml:6:24" in ran.err and "gone.db" in ran.err, ran
    assert not (levada.directory / "gone.db").exists()


def test_a_locked_database_is_waited_for_and_then_given_up(levada):
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)")
    locked = sqlite3.connect(path, isolation_level=None)
    locked.execute("begin exclusive")
    pipeline(levada, "path: a.db\ntable: t\nbusy_timeout: 100ms")
    ran = run(levada, 20)
    assert "LV2004" in ran.err and "busy_timeout" in ran.err, ran
    locked.execute("rollback")
    run(levada)


def test_without_a_file(levada):
    database(levada.directory / "a b.db", "create table t (id integer primary key, n integer)", "insert into t values (1, 'x'), (2, 5)")
    ran = levada("run", "sqlite:a%20b.db?table=t&mixed=null&connections=2&busy_timeout=1s", "./lake", "--save", "s.yaml", expect=0)
    assert "saved as s.yaml" in ran.out + ran.err, ran
    assert read_table(levada.directory / "lake").column("n").to_pylist() == [None, 5]
    levada("check", "s.yaml", expect=0)
    ran = levada("run", "sqlite:a%20b.db?table=t&partition=2", "./lake")
    assert ran.status == 10 and "LV1017" in ran.err and "mixed" in ran.err, ran


@pytest.mark.parametrize("connections", [1, 3])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_ends_the_wait_for_a_lock(levada, number, connections):
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)", "insert into t values (1)")
    locked = sqlite3.connect(path, isolation_level=None)
    locked.execute("begin exclusive")
    pipeline(levada, f"path: a.db\ntable: t\nconnections: {connections}\nbusy_timeout: 1h")
    child = levada.start("run", "p.yaml", "--quiet")
    time.sleep(0.5)
    begin = time.monotonic()
    child.send_signal(number)
    child.communicate(timeout=30)
    assert time.monotonic() - begin < 1.5
    assert child.returncode == 128 + number
    assert leftovers(levada.directory) == []


def test_a_stop_ends_the_wait_for_the_index_of_a_log(levada):
    """A writer stands still in the middle of a change of the index: SQLite looks at it for ten seconds by itself."""
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)", "insert into t values (1)", mode="wal")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("begin immediate")
    writer.execute("insert into t values (2)")
    # Another process: to close the file in this one would take the writer's locks away.
    subprocess.run([sys.executable, "-c", "import sys; f = open(sys.argv[1], 'r+b'); f.seek(8); f.write(b'\\xff' * 4)",
                    f"{path}-shm"], check=True)
    pipeline(levada, "path: a.db\ntable: t\nbusy_timeout: 1h")
    child = levada.start("run", "p.yaml", "--quiet")
    time.sleep(0.7)
    assert child.poll() is None, "it was to wait"
    begin = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert time.monotonic() - begin < 1.5 and child.returncode == 143
    writer.close()


def test_a_stop_ends_a_view_that_never_ends(levada):
    database(levada.directory / "a.db", "create view v as with recursive n(i) as (select 1 union all select i + 1 from n) "
                                        "select count(*) as c from n")
    pipeline(levada, "path: a.db\ntable: v\ntypes: { c: int64 }")
    child = levada.start("run", "p.yaml", "--quiet")
    time.sleep(0.5)
    begin = time.monotonic()
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=30)
    assert time.monotonic() - begin < 1.5 and child.returncode == 143


def test_a_copy_that_nobody_writes_is_read_without_locks(levada):
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)", "insert into t values (1)", mode="wal")
    before = path.read_bytes()
    pipeline(levada, "path: a.db\ntable: t\nimmutable: true")
    run(levada)
    assert read_table(levada.directory / "lake").column("x").to_pylist() == [1]
    assert sorted(p.name for p in levada.directory.glob("a.db*")) == ["a.db"], "and nothing is left beside it"
    assert path.read_bytes() == before
    busy = sqlite3.connect(path, isolation_level=None)
    busy.execute("insert into t values (2)")
    ran = run(levada, 21)
    assert "LV2106" in ran.err and "-wal" in ran.err and "p.yaml:5" in ran.err, ran
    busy.close()


def test_a_log_that_a_crashed_writer_left_is_read_and_left_alone(levada):
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)", mode="wal")
    writer = sqlite3.connect(path, isolation_level=None)
    writer.execute("insert into t values (1), (2)")
    for suffix in ("", "-wal"):
        shutil.copy(f"{path}{suffix}", levada.directory / f"crashed.db{suffix}")
    writer.close()
    before = [(levada.directory / f"crashed.db{suffix}").read_bytes() for suffix in ("", "-wal")]
    pipeline(levada, "path: crashed.db\ntable: t")
    run(levada)
    assert read_table(levada.directory / "lake").column("x").to_pylist() == [1, 2]
    assert [(levada.directory / f"crashed.db{suffix}").read_bytes() for suffix in ("", "-wal")] == before


def test_plan_says_what_others_wait_for(levada):
    path = levada.directory / "a.db"
    database(path, "create table t (x integer)")
    pipeline(levada, "path: a.db\ntable: t")
    assert "cannot commit" in levada("plan", "p.yaml", expect=2).out
    database(path, mode="wal")
    assert "write-ahead log is not emptied" in levada("plan", "p.yaml", expect=2).out


@pytest.mark.parametrize("seed", range(60 if FULL else 12))
def test_a_damaged_file_is_an_error_or_read(levada, seed):
    """Whatever bytes are wrong, levada ends in an orderly way; nothing half read is published."""
    import random
    chance = random.Random(seed)
    path = levada.directory / "a.db"
    database(path, "pragma page_size = 1024", "create table t (id integer primary key, x text, y blob)",
             "create index i on t (x)", "with recursive n(i) as (select 1 union all select i + 1 from n where i < 2000) "
             "insert into t select i, 'row ' || i, zeroblob(i % 50) from n")
    bytes_ = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 5, 100])):
        at = chance.randrange(len(bytes_))
        bytes_[at] = chance.randrange(256)
    if chance.random() < 0.3:
        del bytes_[chance.randrange(len(bytes_)):]
    path.write_bytes(bytes_)
    pipeline(levada, "path: a.db\ntable: t\nmixed: null")
    ran = levada("run", "p.yaml", "--quiet")
    assert ran.status in (0, 10, 20, 21, 30, 31), ran
    assert "LV7001" not in ran.err, ran
    if ran.status != 0:
        assert not (levada.directory / "lake").exists() or data_files(levada.directory / "lake") == {}
