"""A ClickHouse server as the engine of analytics (analytics_engine), by its HTTP interface: one of today's version, which is that
interface over libchdb (clickhouse_http.py), and Debian's 18.16, which is told why it will not do."""

import os
import re
import subprocess
import threading
import time

import pytest

from clickhouse_http import SERVER, Modern, Old
from conftest import BINARY, daemon_of, scratch_root, wait_until
from test_analytics import AT, Analytics, engines, needs_engine

needs_server = pytest.mark.skipif(not SERVER, reason="needs the Debian package clickhouse-server")
PASSWORD = "pass:w/ö rd"


@pytest.fixture
def modern():
    server = Modern(password=PASSWORD)
    yield server
    server.close()


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text(PASSWORD + "\n")
    path.chmod(0o600)
    return str(path)


@pytest.fixture
def own(modern, password_file):
    with daemon_of("--analytics-engine", modern.url(), "--analytics-password-file", password_file) as daemon:
        yield Analytics(daemon.start())


def refused(*options, environment=None):
    """What is said of a start that fails."""
    root = scratch_root()
    ran = subprocess.run([BINARY, "serve", "--data", str(root / "data"), "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0", *options],
                         capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env={**os.environ, **(environment or {})})
    assert ran.returncode not in (0, -6, -11), ran
    return ran.stderr


# ---- points and queries


@needs_engine
def test_points_and_queries(own, modern):
    now = int(time.time())
    points = [{"indexes": ["a\tb"], "blobs": ["é\"'\\\n", None, "", "x" * 1000], "doubles": [1.5, -0.25, 1e300, "NaN"]},
              {"blobs": ["-- ; DROP DATABASE points", "{rows}", " FROM INFILE {rows}"], "timestamp": (now - 40 * 86400) * 1000}, {}]
    own.write("exact", points).result
    own.wait_for("exact", 3)
    rows = {row["blob1"]: row for row in own.rows("SELECT * FROM exact")}
    full = rows["é\"'\\\n"]
    assert (full["dataset"], full["index1"], full["blob2"], full["blob4"]) == ("exact", "a\tb", "", "x" * 1000)
    assert [full[f"double{i}"] for i in range(1, 6)] == [1.5, -0.25, 1e300, None, 0]
    other = rows["-- ; DROP DATABASE points"]
    assert (other["blob2"], other["blob3"]) == ("{rows}", " FROM INFILE {rows}")
    assert own.rows("SELECT toUInt32(timestamp) AS t FROM exact WHERE blob2 = '{rows}'") == [{"t": now - 40 * 86400}]
    assert own.rows("SHOW TABLES") == [{"dataset": "exact", "type": "table"}] and own.rows("SHOW TIMEZONE") == [{"timezone": "Etc/UTC"}]
    assert own.ask("SELECT count() AS n FROM exact FORMAT TabSeparated").body == b"3\n"
    for wrong in ("SELECT * FROM nowhere", "SELECT blob21 FROM exact", "SELECT toDateTime(blob1) FROM exact"):
        answer = own.ask(wrong)
        assert answer.status == 422 and answer.body.startswith(b"Input was invalid: "), answer
    assert "_levada\n" in modern.run("SHOW TABLES FROM points")["answer"]
    assert not engines(own.daemon), "no child beside it"
    text = own.daemon.request("GET", "/metrics").body.decode()
    assert "levada_analytics_engine_running 1" in text and "levada_analytics_engine_starts_total 1" in text


@needs_engine
def test_a_part_is_asked_for_and_not_only_its_token(own, modern):
    """What a loss of power may do: the server has the rows and has forgotten the token."""
    own.write("asked", [{"doubles": [1]}]).result
    own.wait_for("asked", 1)
    modern.run("ALTER TABLE points.d1 MODIFY SETTING non_replicated_deduplication_window = 0")
    modern.drops.append("behind")
    own.write("asked", [{"doubles": [2]}]).result
    own.wait_for("asked", 2)
    time.sleep(1)
    assert own.rows("SELECT count() AS n, count(DISTINCT double1) AS d FROM asked") == [{"n": "2", "d": "2"}]


@needs_engine
def test_limits_go_along_as_settings(own, modern):
    """Each name is one of the engine's own settings, or of its HTTP interface."""
    own.write("d", [{}]).result
    own.wait_for("d", 1)
    sent = [parameters for parameters, _, _ in modern.requests]
    insert = next(p for p in sent if "query" in p)
    query = next(p for p in sent if p.get("readonly"))
    assert "insert_deduplication_token = '" in insert["query"] and "INFILE" not in insert["query"]
    assert (query["readonly"], query["max_execution_time"], query["max_memory_usage"]) == ("2", "30", str(1 << 30))
    assert insert["async_insert"] == "0" and insert["wait_end_of_query"] == "1"
    names = {name for parameters in (insert, query) for name in parameters} - {"query", "wait_end_of_query"}
    listed = ", ".join(f"'{name}'" for name in names)
    assert modern.run(f"SELECT count() FROM system.settings WHERE name IN ({listed})")["answer"] == f"{len(names)}\n"


@needs_engine
def test_the_password_is_nowhere(modern, password_file):
    environment = {**os.environ, "LEVADA_ANALYTICS_PASSWORD": PASSWORD}
    for options, env in ((["--analytics-password-file", password_file], None), ([], environment)):
        with daemon_of("--analytics-engine", modern.url(f"points{len(options)}"), "--log-level", "trace", *options) as daemon:
            daemon.environment = env
            own = Analytics(daemon.start())
            own.write("d", [{}]).result
            own.wait_for("d", 1)
            assert own.ask("SELECT toDateTime(blob1) FROM d").status == 422
            assert daemon.stop() == 0
            assert "ClickHouse server is the engine" in daemon.logged() and PASSWORD not in daemon.logged()
            for path in daemon.data.rglob("*"):
                assert not path.is_file() or PASSWORD.encode() not in path.read_bytes(), path


# ---- exactly once


@needs_engine
def test_an_insert_without_an_answer_is_not_made_twice(own, modern):
    """Whether it was made is asked of the table, when it is tried again."""
    own.write("once", [{"doubles": [0]}]).result
    own.wait_for("once", 1)
    for i in range(1, 7):
        modern.drops.append("behind" if i % 2 else "before")
        own.write("once", [{"doubles": [i]}]).result
        own.wait_for("once", 1 + i)
    assert own.rows("SELECT count() AS n, count(DISTINCT double1) AS d FROM once") == [{"n": "7", "d": "7"}]
    assert not modern.drops


@needs_engine
def test_kills_of_the_daemon_leave_each_point_once(own, modern):
    daemon, written, sent = own.daemon, 0, 0
    for round in range(5):
        failed = threading.Event()

        def write():
            nonlocal written, sent
            try:
                while not failed.is_set():
                    points = [{"doubles": [sent + i]} for i in range(20)]
                    sent += 20
                    own.write("killed", points).result
                    written += 20
            except Exception:
                failed.set()
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.55 + 0.13 * round)
        daemon.kill()
        failed.set()
        thread.join()
        modern.drops[:] = ["behind"] if round % 2 else []
        daemon.start()
    own.write("killed", [{"doubles": [-1]}]).result
    wait_until(lambda: own.rows("SELECT count() AS n FROM killed WHERE double1 < 0") == [{"n": "1"}], "the last point is there", 60)
    seen = own.rows("SELECT count() AS n, count(DISTINCT double1) AS d FROM killed")[0]
    assert seen["n"] == seen["d"] and written < int(seen["n"]) <= sent + 1


@needs_engine
def test_points_wait_for_a_server_that_is_away(own, modern):
    own.write("away", [{}]).result
    own.wait_for("away", 1)
    port = modern.port
    modern.hang_up()
    own.write("away", [{}]).result
    answer = own.ask("SELECT count() AS n FROM away")
    assert answer.status == 503 and answer.headers["Retry-After"], answer
    assert own.daemon.v4("GET", "/user").status == 200
    modern.listen(port)
    own.wait_for("away", 2)
    modern.hang_up()
    own.write("away", [{}]).result
    assert own.daemon.stop() == 0, "it waits for nobody"
    own.daemon.start()  # with nobody there
    wait_until(lambda: "until the engine is there" in own.daemon.logged(), "the log says so")
    own.write("away", [{}]).result
    modern.listen(port)
    own.wait_for("away", 4)


@needs_engine
def test_a_server_that_hangs_keeps_nobody(own, modern):
    own.write("hung", [{}]).result
    own.wait_for("hung", 1)
    modern.gate.clear()
    own.write("hung", [{}]).result
    sent = len(modern.requests)
    wait_until(lambda: len(modern.requests) > sent, "the insert waits for its answer")
    began = time.monotonic()
    assert own.daemon.stop() == 0
    own.daemon.start()  # asks for five seconds whether it is of use
    assert own.daemon.v4("GET", "/user").status == 200
    assert time.monotonic() - began < 30
    modern.gate.set()
    own.wait_for("hung", 2)
    assert own.rows("SELECT count() AS n FROM hung") == [{"n": "2"}]


# ---- what is refused


@needs_engine
def test_a_database_is_of_one_data_directory(own, modern, password_file):
    said = refused("--analytics-engine", modern.url(), "--analytics-password-file", password_file)
    assert 'database "points" is of another data directory' in said, said
    assert own.daemon.stop() == 0
    own.daemon.start()  # its own, again


@needs_engine
@pytest.mark.parametrize("version, words", [("18.16.1", "18.16.1"), ("23.7.9.1", "23.8"), ("none", '"none"'), ("", '""')])
def test_an_old_server_is_refused_at_the_start(modern, password_file, version, words):
    modern.version = version or "\n"
    said = refused("--analytics-engine", modern.url(), "--analytics-password-file", password_file)
    assert "the ClickHouse server is of no use" in said and words in said, said


@needs_engine
def test_a_server_that_becomes_old_is_said(own, modern):
    own.write("d", [{}]).result
    own.wait_for("d", 1)
    port = modern.port
    modern.hang_up()
    assert own.ask("SELECT 1 AS one").status == 503
    modern.version = "20.1.1"
    modern.listen(port)
    wait_until(lambda: b"no engine for queries" in own.ask("SELECT 1 AS one").body, "queries are told")
    modern.version = None
    wait_until(lambda: own.ask("SELECT 1 AS one").status == 200, "it is of use again")


@needs_engine
def test_a_wrong_password_is_refused_at_the_start(modern):
    said = refused("--analytics-engine", modern.url(), environment={"LEVADA_ANALYTICS_PASSWORD": "wrong-one"})
    assert "Authentication failed" in said and "wrong-one" not in said, said


@pytest.mark.parametrize("options, words", [
    (["--analytics-engine", "http://host"], "clickhouse://"), (["--analytics-engine", "clickhouse://u:hunter2@host/d"], "password"),
    (["--analytics-engine", "clickhouse://host/a-b"], "letters"), (["--analytics-password-file", "/nowhere"], "analytics_engine"),
    (["--analytics-engine", "clickhouse://127.0.0.1:1/d", "--analytics-password-file", "/nowhere/password"], "/nowhere/password")])
def test_what_is_no_address_is_said(options, words):
    said = refused(*options)
    assert words in said and "hunter2" not in said, said


def test_a_password_that_others_may_read_is_refused(tmp_path):
    path = tmp_path / "password"
    path.write_text("x\n")
    path.chmod(0o644)
    assert "may be read by others" in refused("--analytics-engine", "clickhouse://127.0.0.1:1/d", "--analytics-password-file", str(path))
    path.write_text("\n")
    path.chmod(0o600)
    assert "no password" in refused("--analytics-engine", "clickhouse://127.0.0.1:1/d", "--analytics-password-file", str(path))


# ---- Debian's server


@pytest.fixture(scope="module")
def old():
    server = Old()
    yield server
    server.close()


@needs_server
def test_debians_server_is_told_why(old):
    said = refused("--analytics-engine", old.url(), environment={"LEVADA_ANALYTICS_PASSWORD": old.password})
    assert re.search(r"its version is 18\.\d+\.\d+", said) and "23.8" in said, said
    assert old.post("SELECT count() FROM system.databases WHERE name = 'points'")[1] == b"0\n", "nothing was made"
    said = refused("--analytics-engine", old.url(), environment={"LEVADA_ANALYTICS_PASSWORD": "wrong-one"})
    assert "of no use" in said and "wrong-one" not in said, said


@needs_server
def test_what_debians_server_has_and_has_not(old):
    """How requests are made, and rows sent, is as old as that; tables that forget, tokens and the settings of queries are younger."""
    assert old.post("CREATE DATABASE IF NOT EXISTS `points`", wait_end_of_query=1)[0] == 200
    assert old.post("CREATE TABLE points.d1 (`timestamp` DateTime, `blob1` String, `_segment` UInt64) ENGINE = MergeTree "
                    "PARTITION BY toMonday(`timestamp`) ORDER BY `timestamp`")[0] == 200
    row = (1_700_000_000).to_bytes(4, "little") + b"\x02\xc3\xa9" + (7).to_bytes(8, "little")
    assert old.post(row * 3, "INSERT INTO `points`.`d1` (`timestamp`, `blob1`, `_segment`) FORMAT RowBinary")[0] == 200
    assert old.post("SELECT count() FROM `points`.`d1` WHERE `_segment` = 7 AND toMonday(`timestamp`) = toDate(19674) FORMAT TabSeparated",
                    readonly=2, max_execution_time=30, result_overflow_mode="throw")[1] == b"3\n"
    status, said = old.post("SELECT * FROM points.d2")
    assert status != 200 and said.startswith(b"Code: 60")
    for missing in ("CREATE TABLE points.d3 (`t` DateTime CODEC(ZSTD)) ENGINE = MergeTree ORDER BY `t`",
                    "CREATE TABLE points.d3 (`t` DateTime) ENGINE = MergeTree ORDER BY `t` TTL `t` + INTERVAL 3 MONTH",
                    "CREATE TABLE points.d3 (`t` DateTime) ENGINE = MergeTree ORDER BY `t` SETTINGS fsync_after_insert = 1",
                    "SELECT 1 SETTINGS session_timezone = 'Etc/UTC'", "SELECT 1 SETTINGS enable_positional_arguments = 0"):
        assert old.post(missing)[0] != 200, missing
