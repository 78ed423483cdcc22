"""A stop at any stage ends the process within a second, a second one at once, and the next run goes on. (The stages of
publishing are stopped one by one in test_kill.py.)"""

import signal
import socket
import sqlite3
import threading
import time

import pytest

from conftest import Proxy, data_files, leftovers, read_table, wait_until

ROWS = 60_000

PIPELINE = """
name: stopped
consumer:
  postgres:
    dsn: {url}
    {source}
loaders:
  - parquet: {{ path: lake{loader} }}
retry: {{ backoff: {backoff} }}
"""

WITHIN = 1.0


@pytest.fixture(scope="module", autouse=True)
def many(server):
    server.execute(f"""drop table if exists many; create table many(id int primary key, note text);
        insert into many select g, repeat(md5(g::text), 10) from generate_series(1, {ROWS}) g""")
    server.execute("vacuum (analyze, freeze) many")


def write(levada, server, source="table: many", port=None, backoff="10ms", loader=""):
    levada.write("p.yaml", PIPELINE.format(url=server.url(port=port), source=source, backoff=backoff, loader=loader))


def stop(child, number=signal.SIGTERM):
    begin = time.monotonic()
    child.send_signal(number)
    out, err = child.communicate(timeout=60)
    took = time.monotonic() - begin
    assert child.returncode == 128 + number, err
    assert took < WITHIN, f"{took:.2f} s"
    return out, err


def goes_on(levada, server, rows=ROWS, **options):
    write(levada, server, **options)
    levada("run", "p.yaml", "--quiet", "--replace", expect=0)
    assert read_table(levada.directory / "lake").num_rows == rows
    assert leftovers(levada.directory / "lake") == []


class Silent:
    """Accepts connections and never says a word."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.taken = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                self.taken.append(self.listener.accept())
            except OSError:
                return

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("verb", ["run", "plan", "schema", "check --online"])
def test_while_a_server_does_not_answer(server, levada, verb, number):
    silent = Silent()
    write(levada, server, port=silent.port)
    child = levada.start(*verb.split(), "p.yaml")
    wait_until(lambda: silent.taken, "it connects")
    time.sleep(0.2)
    stop(child, number)
    silent.close()


def test_while_the_description_waits_for_a_lock(server, levada):
    write(levada, server)
    with server.connect() as other:
        other.autocommit = False
        other.execute("lock table many in access exclusive mode")
        child = levada.start("run", "p.yaml", "--quiet")
        wait_until(lambda: server.rows("select 1 from pg_locks where not granted"), "it waits")
        stop(child)
    wait_until(lambda: not server.rows("select 1 from pg_locks where not granted"), "the server was told")
    goes_on(levada, server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_while_a_statement_works_and_sends_nothing(server, levada, number):
    source = "query: \"select 1 id, pg_sleep(60)::text note\""
    write(levada, server, source=source)
    child = levada.start("run", "p.yaml", "--quiet")
    wait_until(lambda: server.rows("select 1 from pg_stat_activity where wait_event = 'PgSleep'"), "the server sleeps")
    stop(child, number)
    wait_until(lambda: not server.rows("select 1 from pg_stat_activity where wait_event = 'PgSleep'"),
               "the statement was cancelled", 5)
    goes_on(levada, server)


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_in_the_middle_of_a_copy_that_stands_still(server, levada, number, connections):
    proxy = Proxy(server.port, hold_after=400_000)
    source = f"table: many\n    connections: {connections}"
    write(levada, server, source=source, port=proxy.port)
    child = levada.start("run", "p.yaml", "--quiet")
    assert proxy.held.wait(30)
    levada.until_idle(child)
    stop(child, number)
    proxy.close()
    assert data_files(levada.directory / "lake") == {} and leftovers(levada.directory / "lake") == []
    goes_on(levada, server, source=source)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_between_two_attempts(server, levada, number):
    proxy = Proxy(server.port, cut_after=400_000, cuts=1000)
    write(levada, server, port=proxy.port, backoff="60s")
    child = levada.start("run", "p.yaml", "--quiet")
    wait_until(lambda: proxy.made, "a connection was cut")
    levada.until_idle(child)
    stop(child, number)
    proxy.close()
    goes_on(levada, server)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_at_full_speed(server, levada, share):
    source = "query: \"select g id, md5(g::text) note from generate_series(1, 3000000) g\""
    write(levada, server, source=source)
    child = levada.start("run", "p.yaml", "--quiet")
    wait_until(lambda: server.rows("select 1 from pg_stat_progress_copy"), "the server copies")
    time.sleep(2 * share)
    stop(child)
    assert leftovers(levada.directory / "lake") == []


def test_with_very_many_staged_files(server, levada):
    """Cleaning up is not part of stopping: what is not removed in time is removed by the next run."""
    source = "query: \"select g id, g % 5000 as p, g::text note from generate_series(1, 400000) g\""
    write(levada, server, source=source, loader=", partition_by: [p]")
    child = levada.start("run", "p.yaml", "--quiet")
    wait_until(lambda: len(leftovers(levada.directory / "lake")) > 1500, "files are staged", 120)
    stop(child)
    source = source.replace("400000", "40")
    goes_on(levada, server, rows=40, source=source, loader=", partition_by: [p]")


def test_while_another_process_keeps_the_ledger_locked(server, levada):
    write(levada, server)
    levada("run", "p.yaml", "--quiet", expect=0)
    locked = sqlite3.connect(levada.directory / ".levada/ledger.db", isolation_level=None)
    locked.execute("begin exclusive")
    child = levada.start("run", "p.yaml", "--quiet")
    time.sleep(0.7)
    if child.poll() is None:
        stop(child)
    locked.execute("rollback")
    locked.close()
    goes_on(levada, server)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_ends_it_at_once(server, levada, number):
    """The first one finds it in a clean-up that does not end; the second does not wait for that."""
    write(levada, server)
    child = levada.start("run", "p.yaml", "--quiet",
                         env={"LEVADA_FAILPOINTS": "load.done=error,discard.before_remove=pause"})
    levada.until_idle(child)
    child.send_signal(number)
    time.sleep(0.3)
    assert child.poll() is None, "the clean-up was to be paused"
    begin = time.monotonic()
    child.send_signal(number)
    child.communicate(timeout=10)
    assert time.monotonic() - begin < 0.5
    assert child.returncode == 128 + number
    goes_on(levada, server)
