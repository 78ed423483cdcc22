"""The ways to a PostgreSQL server: service and password files, several hosts, poolers, standbys. All of them real."""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import psycopg
import pytest

from conftest import Proxy, Server, data_files, free_port, leftovers, read_table, wait_until

ROWS = 60_000
AS_POSTGRES = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]


def pipeline(dsn, source="table: orders", extra="", run="", name="p"):
    written = f"dsn: \"{dsn}\", " if dsn else ""
    return f"""
name: {name}
{run}
consumer: {{ postgres: {{ {written}{source} {extra} }} }}
loaders: [{{ parquet: {{ path: lake }} }}]
retry: {{ attempts: 3, backoff: 10ms, backoff_max: 50ms }}
"""


def fill(server):
    """About 20 MB over 3 days: more than the buffers of a closed gate hold."""
    server.execute(f"""create table orders(id int primary key, at timestamptz not null, note text);
        insert into orders select g, '2026-01-01 00:00+00'::timestamptz + g * interval '4 seconds', repeat(md5(g::text), 10)
        from generate_series(0, {ROWS - 1}) g""")
    server.execute("vacuum (analyze, freeze) orders")
    server.execute("create role clerk login password 'right'; grant select on orders to clerk")


@pytest.fixture(scope="module")
def primary():
    server = Server(settings=["password_encryption=scram-sha-256", "wal_keep_size=256MB"])
    try:
        fill(server)
        (server.data / "pg_hba.conf").write_text("host all clerk 127.0.0.1/32 scram-sha-256\n"
                                                 "host all,replication all 127.0.0.1/32 trust\n")
        server.execute("select pg_reload_conf()")
        yield server
    finally:
        server.remove()


def has_ids(levada, ids):
    assert sorted(read_table(levada.directory / "lake")["id"].to_pylist()) == list(ids)
    assert leftovers(levada.directory / "lake") == []


def has_all(levada):
    has_ids(levada, range(ROWS))


def reads_all(levada, dsn, env=None, **options):
    """Every command that connects, by one dsn."""
    levada.write("p.yaml", pipeline(dsn, **options))
    levada("check", "--online", "p.yaml", env=env, expect=0)
    assert "orders" in levada("plan", "p.yaml", env=env, expect=2).out
    levada("run", "p.yaml", "--quiet", env=env, expect=0)
    has_all(levada)


def refused(levada, dsn, status, *words, env=None, arguments=("check", "--online", "p.yaml")):
    levada.write("p.yaml", pipeline(dsn))
    ran = levada(*arguments, env=env, expect=status)
    for word in words:
        assert word in ran.err, ran
    assert "right" not in ran.err + ran.out, "the password"
    return ran


# ---- service and password files


def service(levada, primary, name="services.conf"):
    return levada.write(name, f"[shop]\nhost=127.0.0.1\nport={primary.port}\nuser=postgres\ndbname=postgres\n")


@pytest.mark.parametrize("dsn", ["service=shop", "postgres://?service=shop", "postgres:///postgres?service=shop"])
def test_a_service_file_says_where(primary, levada, dsn):
    reads_all(levada, dsn, env={"PGSERVICEFILE": str(service(levada, primary))})


def test_the_service_file_of_the_home_directory(primary, levada):
    service(levada, primary, "home/.pg_service.conf")
    reads_all(levada, "service=shop", env={"HOME": str(levada.directory / "home")})


def test_without_a_dsn_the_environment_names_the_service(primary, levada):
    reads_all(levada, None, env={"PGSERVICEFILE": str(service(levada, primary)), "PGSERVICE": "shop"})


def test_what_the_dsn_says_stands_above_the_service(primary, levada):
    env = {"PGSERVICEFILE": str(service(levada, primary))}
    refused(levada, "service=shop dbname=nowhere", 21, "LV2105", "nowhere", env=env)


def test_init_by_a_service(primary, levada):
    env = {"PGSERVICEFILE": str(service(levada, primary))}
    ran = levada("init", "postgres://?service=shop&table=orders", "./lake", env=env)
    assert ran.status == 0, ran


def test_a_service_that_no_file_has(primary, levada):
    for name, file in (("shpo", service(levada, primary)), ("shop", levada.directory / "none")):
        refused(levada, f"service={name}", 10, "LV1005", "service", "PGSERVICEFILE", env={"PGSERVICEFILE": str(file)})


def password_file(levada, primary, name="passwords", mode=0o600, password="right"):
    path = levada.write(name, f"127.0.0.1:{primary.port}:*:clerk:{password}\n")
    path.chmod(mode)
    return str(path)


def test_a_password_file_by_its_three_ways(primary, levada):
    dsn = primary.url(user="clerk")
    path = password_file(levada, primary)
    reads_all(levada, dsn, env={"PGPASSFILE": path})
    reads_all(levada, f"{dsn}?passfile={path}")
    password_file(levada, primary, "home/.pgpass")
    reads_all(levada, dsn, env={"HOME": str(levada.directory / "home")})


def test_a_wrong_password_in_the_file(primary, levada):
    path = password_file(levada, primary, password="wr0ng-s3cret")
    ran = refused(levada, primary.url(user="clerk"), 11, "LV1101", "clerk", env={"PGPASSFILE": path})
    assert "wr0ng-s3cret" not in ran.err


def test_a_password_file_without_this_server(primary, levada):
    refused(levada, primary.url(user="clerk"), 11, "LV1101", "no password", "PGPASSWORD",
            str(levada.directory / ".pgpass"), env={"HOME": str(levada.directory)})


def test_a_password_file_that_others_may_read_is_said(primary, levada):
    path = password_file(levada, primary, mode=0o644)
    ran = refused(levada, primary.url(user="clerk"), 11, "LV1101", env={"PGPASSFILE": path})
    help_line = ran.err[ran.err.index("help:"):]
    assert path in help_line and "chmod 0600" in help_line, ran


# ---- several hosts


class Silent:
    """Takes connections and says nothing: a machine that hangs."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


class Standby(Server):
    """A streaming copy of a server, made by pg_basebackup."""

    def __init__(self, primary, settings=()):
        self.primary = primary
        self._find_place(settings)
        self._call("pg_basebackup", "-h", "127.0.0.1", "-p", str(primary.port), "-U", "postgres", "-D", str(self.data), "-R",
                   "-X", "stream", "-c", "fast", "--no-sync")
        self.start()

    def catch_up(self):
        position = self.primary.rows("select pg_current_wal_insert_lsn()")[0][0]
        wait_until(lambda: self.rows(f"select pg_last_wal_replay_lsn() >= '{position}'")[0][0], "the standby has replayed it")

    def promote(self):
        self._call("pg_ctl", "-D", str(self.data), "-w", "promote")


@pytest.fixture(scope="module")
def standby(primary):
    # Nothing is kept back for a reader: what it still needs is taken away as soon as the primary has cleaned up.
    server = Standby(primary, settings=["max_standby_streaming_delay=0", "hot_standby_feedback=off"])
    try:
        server.catch_up()
        yield server
    finally:
        server.remove()


def hosts(*ports, attributes="", user="postgres"):
    listed = ",".join(f"127.0.0.1:{port}" for port in ports)
    return f"postgres://{user}@{listed}/postgres{'?' if attributes else ''}{attributes}"


def test_the_first_host_is_down(primary, levada):
    reads_all(levada, hosts(free_port(), primary.port), extra=", connections: 3")


def test_the_first_host_is_silent(primary, levada):
    with Silent() as silent:
        began = time.monotonic()
        levada.write("p.yaml", pipeline(hosts(silent.port, primary.port, attributes="connect_timeout=2"), run="run: once"))
        levada("check", "--online", "p.yaml", expect=0)
        assert 2 <= time.monotonic() - began < 20
        preferring = hosts(silent.port, primary.port, attributes="connect_timeout=2&target_session_attrs=prefer-standby")
        levada.write("p.yaml", pipeline(preferring, run="run: once"))
        levada("check", "--online", "p.yaml", expect=0)


def test_the_time_to_connect_is_shared(levada):
    """Half of it each, or the second host would never be asked."""
    with Silent() as one, Silent() as two:
        levada.write("p.yaml", pipeline(hosts(one.port, two.port), extra=", connect_timeout: 2s"))
        began = time.monotonic()
        ran = levada("check", "--online", "p.yaml", expect=20)
        assert 2 <= time.monotonic() - began < 8
        assert "LV2001" in ran.err, ran
        for silent in (one, two):
            assert f"127.0.0.1:{silent.port}: no answer within 1s" in ran.err, ran


def test_a_host_that_refuses_the_user_is_the_answer(primary, levada):
    """As libpq: a server that answers is believed, and no other is asked behind its back."""
    refused(levada, hosts(primary.port, free_port(), user="stranger"), 11, "LV1101", "stranger")


def test_a_host_that_is_full_leaves_it_to_the_next(primary, standby, levada):
    full = Server(settings=["max_connections=1", "superuser_reserved_connections=0", "max_wal_senders=0"])
    try:
        with full.connect():
            reads_all(levada, hosts(full.port, standby.port))
    finally:
        full.remove()


@pytest.mark.parametrize("attributes, found", [
    ("read-write", "primary"), ("primary", "primary"), ("read-only", "standby"), ("standby", "standby"),
    ("prefer-standby", "standby"), ("any", "first")])
@pytest.mark.parametrize("first", ["primary", "standby"])
def test_the_role_of_a_host_decides(primary, standby, levada, attributes, found, first):
    ports = {"primary": primary.port, "standby": standby.port}
    second = "standby" if first == "primary" else "primary"
    dsn = hosts(ports[first], ports[second], attributes=f"target_session_attrs={attributes}")
    levada.write("p.yaml", pipeline(dsn, source='query: "select 1 as id, pg_is_in_recovery() as standby"'))
    levada("run", "p.yaml", "--quiet", expect=0)
    wanted = first if found == "first" else found
    assert read_table(levada.directory / "lake")["standby"].to_pylist() == [wanted == "standby"]


def test_no_host_has_the_role(primary, standby, levada):
    refused(levada, hosts(primary.port, attributes="target_session_attrs=standby"), 20, "LV2001", "hot standby mode")
    refused(levada, hosts(standby.port, free_port(), standby.port, attributes="target_session_attrs=read-write"), 20, "LV2001",
            "read-only", "Connection refused", "target_session_attrs asks")
    reads_all(levada, hosts(primary.port, attributes="target_session_attrs=prefer-standby"))


def test_all_hosts_are_down(levada):
    down = free_port(), free_port()
    refused(levada, hosts(*down), 20, "LV2001", *(f"127.0.0.1:{port}: Connection refused" for port in down))


# ---- poolers


class Pooler:
    """A pgbouncer in front of a server, on a free loopback port."""

    def __init__(self, server, mode, settings="", databases="*"):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="levada-e2e-", dir="/tmp"))
        self.port = free_port()
        self.log = self.root / "log"
        (self.root / "users").write_text('"postgres" ""\n"clerk" "right"\n')
        ini = self.root / "pgbouncer.ini"
        ini.write_text(f"""[databases]
{databases} = host=127.0.0.1 port={server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {self.root}/users
pool_mode = {mode}
logfile = {self.log}
admin_users = postgres
{settings}
""")
        if os.geteuid() == 0:
            for path in [self.root, *self.root.iterdir()]:
                shutil.chown(path, "postgres", "postgres")
        program = shutil.which("pgbouncer") or "/usr/sbin/pgbouncer"
        self.process = subprocess.Popen((AS_POSTGRES if os.geteuid() == 0 else []) + [program, "-q", str(ini)], cwd="/tmp",
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._listens, "the pooler listens")

    def _listens(self):
        assert self.process.poll() is None, self.log.read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def dsn(self, more="", user="postgres"):
        return f"postgres://{user}@127.0.0.1:{self.port}/postgres{more}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()

    def remove(self):
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture(scope="module", params=["transaction", "session"])
def pooler(primary, request):
    with Pooler(primary, request.param) as pooler:
        yield pooler


@pytest.mark.parametrize("extra", ["", ", connections: 4", ", partition: { by: id, size: 10000 }",
                                   ", partition: { by: id, hash: 3 }"])
def test_a_pooler_in_between(pooler, levada, extra):
    levada.write("p.yaml", pipeline(pooler.dsn(), extra=extra) + "parallel: { partitions: 3 }\n")
    levada("check", "--online", "p.yaml", expect=0)
    levada("plan", "p.yaml", expect=2)
    levada("run", "p.yaml", "--quiet", expect=0)
    has_all(levada)


def test_windows_and_queries_by_a_pooler(pooler, levada):
    run = "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }"
    levada.write("p.yaml", pipeline(pooler.dsn(), run=run, source='query: "select * from orders where id >= 0"'))
    levada("preview", "p.yaml", expect=0)
    levada("run", "p.yaml", "--quiet", expect=0)
    has_all(levada)


def test_increments_by_a_pooler(primary, pooler, levada):
    """Which transactions write is asked of the server, so it is seen whichever connection they have."""
    primary.execute("drop table if exists grows; create table grows(id bigserial primary key, note text)")
    levada.write("p.yaml", pipeline(pooler.dsn(), source="table: grows", run="run: { mode: incremental, column: id }"))
    with psycopg.connect(pooler.dsn()) as late, psycopg.connect(pooler.dsn()) as early:
        late.execute("insert into grows(note) values ('late')")
        early.execute("insert into grows(note) values ('early')")
        early.commit()
        child = levada.start("run", "p.yaml", "--quiet")
        time.sleep(1)
        assert child.poll() is None, "it waits"
        late.commit()
        assert child.wait(30) == 0
    has_ids(levada, [1, 2])
    levada("run", "p.yaml", "--quiet", expect=0)
    primary.execute("insert into grows(note) values ('more')")
    levada("run", "p.yaml", "--quiet", expect=0)
    has_ids(levada, [1, 2, 3])


def test_init_by_a_pooler(pooler, levada):
    ran = levada("init", pooler.dsn("?table=orders"), "./lake")
    assert ran.status == 0, ran


def test_a_parameter_that_the_pooler_refuses(pooler, levada):
    refused(levada, pooler.dsn("?options=-cgeqo%3Doff"), 21, "LV2106", "options", "ignore_startup_parameters")


def test_a_pooler_by_statements_is_refused(primary, levada):
    with Pooler(primary, "statement") as pooler:
        refused(levada, pooler.dsn(), 21, "LV2106", "pool_mode = transaction")


def test_a_pooler_that_is_full_is_busy(primary, levada):
    with Pooler(primary, "transaction", "max_client_conn = 1") as pooler:
        with psycopg.connect(pooler.dsn()):
            refused(levada, pooler.dsn(), 20, "LV2004", "max_client_conn")
        wait_until(lambda: levada("check", "--online", "p.yaml").status == 0, "there is room")


def test_a_pool_that_is_too_small_for_a_snapshot_and_its_readers_is_busy(primary, levada):
    with Pooler(primary, "transaction", "default_pool_size = 1\nquery_wait_timeout = 1") as pooler:
        reads_all(levada, pooler.dsn())
        levada.write("q.yaml", pipeline(pooler.dsn(), extra=", connections: 2", name="q").replace("lake", "other"))
        ran = levada("run", "q.yaml", "--quiet", expect=20)
        assert "LV2004" in ran.err and "default_pool_size" in ran.err, ran
        assert leftovers(levada.directory / "other") == []


def test_a_pool_of_one_more_than_its_readers_is_enough(primary, levada):
    with Pooler(primary, "transaction", "default_pool_size = 6\nquery_wait_timeout = 5") as pooler:
        run = "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }\nparallel: { partitions: 2 }"
        levada.write("p.yaml", pipeline(pooler.dsn(), extra=", connections: 2", run=run))
        levada("run", "p.yaml", "--quiet", expect=0)
        has_all(levada)


def test_a_pooler_with_users_of_its_own(primary, levada):
    with Pooler(primary, "transaction", "auth_type = scram-sha-256") as pooler:
        path = levada.write("passwords", f"127.0.0.1:{pooler.port}:*:clerk:right\n")
        path.chmod(0o600)
        reads_all(levada, pooler.dsn(user="clerk"), env={"PGPASSFILE": str(path)})
        ran = refused(levada, pooler.dsn(user="clerk"), 11, "LV1101", "auth_file", env={"PGPASSWORD": "wr0ng-s3cret"})
        assert "wr0ng-s3cret" not in ran.err


def test_a_database_that_the_pooler_does_not_know(primary, levada):
    with Pooler(primary, "transaction", databases="shop") as pooler:
        refused(levada, pooler.dsn(), 21, "LV2105", "[databases]")


# ---- standbys


@pytest.mark.parametrize("extra", ["", ", connections: 4", ", partition: { by: id, size: 10000 }"])
def test_a_standby_is_read_in_one_snapshot(standby, levada, extra):
    """A standby exports snapshots too."""
    reads_all(levada, standby.url(), extra=extra)
    assert "the server is a standby" in levada("plan", "p.yaml", "--replace").out


@pytest.mark.parametrize("connections", [1, 3])
def test_a_read_that_replay_cancels_is_tried_again(primary, standby, levada, connections):
    table = f"cleaned_{connections}"
    primary.execute(f"drop table if exists {table}; create table {table} as select * from orders")
    primary.execute(f"vacuum (analyze, freeze) {table}")
    standby.catch_up()
    proxy = Proxy(standby.port, hold_after=400_000)
    try:
        levada.write("p.yaml", pipeline(standby.url(port=proxy.port), source=f"table: {table}",
                                        extra=f", connections: {connections}"))
        child = levada.start("run", "p.yaml", "--json")
        assert proxy.held.wait(30)
        # Not before it can go no further: one that is not waiting for the gate would be cancelled at once, and maybe again.
        held = "select count(*) from pg_stat_activity where wait_event = 'ClientWrite' and query ilike 'copy%'"
        wait_until(lambda: standby.rows(held)[0][0] == connections, "all readers wait at the gate")
        primary.execute(f"update {table} set note = 'new' where id < 30000")
        primary.execute(f"vacuum {table}")
        cleaned = primary.rows("select pg_current_wal_flush_lsn()")[0][0]
        wait_until(lambda: has_met_the_reader(standby, cleaned), "replay has met the reader")
        proxy.open_gate()
        out, err = child.communicate(timeout=60)
    finally:
        proxy.close()
    assert child.returncode == 0, err
    assert [p["attempts"] for p in json.loads(out)["runs"][0]["partitions"]] == [2], out
    assert b"conflict with recovery" in err, err
    has_all(levada)
    assert read_table(levada.directory / "lake")["note"].to_pylist().count("new") == 30000


def has_met_the_reader(standby, end):
    """Whether replay stands still before `end`, since it waits for the reader, or is through, since the reader is cancelled.

    One that waits for a full socket is cancelled when its statement goes on. That is at once if the socket has a little room
    again, too little to wake the reader by itself: the cancel wakes it.
    """
    look = f"select pg_last_wal_replay_lsn(), pg_last_wal_replay_lsn() >= '{end}', pg_last_wal_receive_lsn() >= '{end}'"
    replayed, through, received = standby.rows(look)[0]
    time.sleep(0.5)
    return through or (received and standby.rows(look)[0][0] == replayed)


def grows_on(primary, standby, levada, name, dsn):
    primary.execute(f"drop table if exists {name}; create table {name}(id bigserial primary key, note text)")
    standby.catch_up()
    levada.write("p.yaml", pipeline(dsn, source=f"table: {name}", run="run: { mode: incremental, column: id }"))


def waits_for_late(primary, standby, levada, name):
    with psycopg.connect(primary.url()) as late, psycopg.connect(primary.url()) as early:
        late.execute(f"insert into {name}(note) values ('late')")
        early.execute(f"insert into {name}(note) values ('early')")
        early.commit()
        standby.catch_up()
        child = levada.start("run", "p.yaml", "--quiet")
        time.sleep(1)
        waited = child.poll() is None
        late.commit()
        assert child.wait(30) == 0
        assert waited, "it waits"
    has_ids(levada, [1, 2])
    primary.execute(f"insert into {name}(note) values ('more')")
    standby.catch_up()
    levada("run", "p.yaml", "--quiet", expect=0)
    has_ids(levada, [1, 2, 3])


def test_increments_of_a_standby_wait_for_the_primary(primary, standby, levada):
    grows_on(primary, standby, levada, "grows_there", standby.url())
    assert "the server is a standby" in levada("plan", "p.yaml").out
    waits_for_late(primary, standby, levada, "grows_there")


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_increments_of_a_standby_by_a_pooler(primary, standby, levada, mode):
    with Pooler(standby, mode) as pooler:
        grows_on(primary, standby, levada, "grows_" + mode, pooler.dsn())
        waits_for_late(primary, standby, levada, "grows_" + mode)


def test_a_server_that_lags_behind_the_mark_is_waited_for(primary, standby, levada):
    """The mark is of one host of the list, the rows are of the next: what that one has not yet is not skipped for good."""
    primary.execute("drop table if exists ahead; create table ahead(id bigserial primary key, note text)")
    standby.catch_up()
    standby.execute("select pg_wal_replay_pause()")
    proxy = Proxy(primary.port, hold_after=400_000)
    try:
        primary.execute("insert into ahead(note) select repeat(md5(g::text), 10) from generate_series(1, 60000) g")
        dsn = hosts(proxy.port, standby.port)
        levada.write("p.yaml", pipeline(dsn, source="table: ahead", run="run: { mode: incremental, column: id }"))
        child = levada.start("run", "p.yaml", "--quiet")
        assert proxy.held.wait(30)
        proxy.refuse()
        primary.execute("select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'copy%ahead%' and pid <> "
                        "pg_backend_pid()")
        proxy.open_gate()
        wait_until(lambda: standby.rows("select count(*) from pg_stat_activity where application_name = 'levada' and query like "
                                        "'%replay_lsn%'")[0][0], "the standby is asked how far it is")
        time.sleep(1)
        assert child.poll() is None
        standby.execute("select pg_wal_replay_resume()")
        assert child.wait(60) == 0
    finally:
        standby.execute("select pg_wal_replay_resume()")
        proxy.close()
    has_ids(levada, list(range(1, 60001)))


def test_connections_that_lead_to_different_servers(primary, standby, levada):
    """Behind a balancer: a snapshot is of one server, and its name may be there on the other one too."""
    balancer = Proxy(primary.port, others=[standby.port])
    try:
        levada.write("p.yaml", pipeline(f"postgres://postgres@127.0.0.1:{balancer.port}/postgres", extra=", connections: 3"))
        ran = levada("run", "p.yaml", "--quiet", expect=20)
        assert "LV2005" in ran.err, ran
        assert not data_files(levada.directory / "lake")
    finally:
        balancer.close()


def test_an_unlogged_table_of_a_standby_is_refused(primary, standby, levada):
    primary.execute("drop table if exists fleeting; create unlogged table fleeting as select 1 as id")
    standby.catch_up()
    levada.write("p.yaml", pipeline(standby.url(), source="table: fleeting"))
    ran = levada("check", "--online", "p.yaml", expect=21)
    assert "LV2106" in ran.err and "unlogged" in ran.err, ran


def test_a_standby_promoted_in_the_middle(primary, levada):
    standby = Standby(primary)
    try:
        standby.catch_up()
        proxy = Proxy(standby.port, hold_after=400_000)
        levada.write("p.yaml", pipeline(standby.url(port=proxy.port), extra=", connections: 2"))
        child = levada.start("run", "p.yaml", "--json")
        assert proxy.held.wait(30)
        standby.promote()
        proxy.open_gate()
        out, err = child.communicate(timeout=60)
        proxy.close()
        assert child.returncode == 0, err
        assert [p["attempts"] for p in json.loads(out)["runs"][0]["partitions"]] == [1], out
        has_all(levada)
    finally:
        standby.remove()


def test_increments_go_on_after_a_promotion(primary, levada):
    standby = Standby(primary)
    try:
        name = "grows_promoted"
        grows_on(primary, standby, levada, name, standby.url())
        waits_for_late(primary, standby, levada, name)
        standby.promote()
        standby.execute(f"insert into {name}(note) values ('after')")
        levada("run", "p.yaml", "--quiet", expect=0)
        ids = [row[0] for row in standby.rows(f"select id from {name} order by id")]
        assert len(ids) == 4
        has_ids(levada, ids)
    finally:
        standby.remove()


# ---- what becomes of a run when a pooler goes away


def test_a_pooler_killed_in_the_middle_of_a_copy(primary, levada):
    pooler = Pooler(primary, "transaction")
    proxy = Proxy(pooler.port, hold_after=400_000)
    try:
        levada.write("p.yaml", pipeline(pooler.dsn().replace(str(pooler.port), str(proxy.port))))
        child = levada.start("run", "p.yaml", "--quiet")
        assert proxy.held.wait(30)
        pooler.process.kill()
        pooler.process.wait()
        proxy.open_gate()
        _, err = child.communicate(timeout=60)
        assert child.returncode == 20 and b"LV200" in err, err
        assert leftovers(levada.directory / "lake") == []
    finally:
        proxy.close()
        pooler.remove()
    reads_all(levada, primary.url())
