"""The D1 service by its v4 door."""

import hashlib
import http.client
import json
import sqlite3
import threading
import time
import urllib.parse
import uuid

import pytest

from conftest import flip

ALL = "/accounts/{account}/d1/database"
counter = 0


class Database:
    def __init__(self, daemon, id, token=None):
        self.daemon, self.id, self.token = daemon, id, token

    def call(self, method, path, body=None, **more):
        return self.daemon.v4(method, f"{ALL}/{self.id}{path}", body, token=self.token, **more)

    def query(self, sql, *params, path="/query"):
        return self.call("POST", path, {"sql": sql, "params": list(params)})

    def rows(self, sql, *params):
        return self.query(sql, *params).result[-1]["results"]

    def bookmark(self, query=""):
        return self.call("GET", "/time_travel/bookmark" + query).result["bookmark"]

    def restore(self, query):
        return self.call("POST", "/time_travel/restore" + query)

    def send(self, sql, etag=None):
        """An import up to the answer to its file."""
        etag = etag or hashlib.md5(sql).hexdigest()
        begun = self.call("POST", "/import", {"action": "init", "etag": etag}).result
        return begun, fetch(begun["upload_url"], "PUT", sql)

    def imported(self, sql):
        begun, answer = self.send(sql)
        assert answer[0] == 200 and answer[1]["ETag"] == f'"{hashlib.md5(sql).hexdigest()}"', answer
        state = self.call("POST", "/import", {"action": "ingest", "filename": begun["filename"],
                                              "etag": hashlib.md5(sql).hexdigest()}).result
        while state["status"] == "active":
            state = self.call("POST", "/import", {"action": "poll", "current_bookmark": state["at_bookmark"]}).result
        return state

    def exported(self, **options):
        body = {"output_format": "polling", "dump_options": options}
        state = self.call("POST", "/export", body).result
        while state["status"] == "active":
            state = self.call("POST", "/export", {**body, "current_bookmark": state["at_bookmark"]}).result
        return state


def fetch(url, method="GET", body=None):
    """(status, headers, body), without a token."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    try:
        connection.request(method, f"{parts.path}?{parts.query}", body)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def make(daemon, name=None):
    global counter
    counter += 1
    return Database(daemon, daemon.v4("POST", ALL, {"name": name or f"database-{counter}"}).result["uuid"])


@pytest.fixture
def database(daemon):
    return make(daemon)


# ---- databases


def test_a_database_has_an_id_and_a_name(daemon):
    made = daemon.v4("POST", ALL, {"name": "named"}).result
    assert uuid.UUID(made["uuid"]).version == 4 and made["name"] == "named" and made["version"] == "production"
    assert daemon.v4("POST", ALL, {"name": "named"}).error[:2] == (400, 7502)
    for path in (made["uuid"], "named"):
        got = daemon.v4("GET", f"{ALL}/{path}").result
        assert (got["uuid"], got["num_tables"], got["file_size"]) == (made["uuid"], 0, 4096)
    assert daemon.v4("GET", f"{ALL}/named?fields=uuid,name").result["uuid"] == made["uuid"]
    assert [d["name"] for d in daemon.v4("GET", f"{ALL}?name=nam").result] == ["named"]
    assert daemon.v4("PATCH", f"{ALL}/named", {"read_replication": {"mode": "auto"}}).result["read_replication"] == {"mode": "disabled"}
    assert daemon.v4("DELETE", f"{ALL}/{made['uuid']}").result is None
    assert daemon.v4("GET", f"{ALL}/{made['uuid']}").error[:2] == (404, 7404)
    assert daemon.v4("DELETE", f"{ALL}/{made['uuid']}").error[:2] == (404, 7404)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a/b", "é", "x" * 65, "../x", str(uuid.UUID(int=1)), None, 1])
def test_a_name_is_letters_digits_dashes(daemon, name):
    assert daemon.v4("POST", ALL, {"name": name}).error[:2] == (400, 7400)


def test_pages_of_the_list(fresh):
    fresh.start()
    for i in range(5):
        make(fresh, f"d{i}")
    answer = fresh.v4("GET", f"{ALL}?per_page=2&page=3")
    assert [d["name"] for d in answer.result] == ["d4"]
    assert answer.json()["result_info"] == {"page": 3, "per_page": 2, "count": 1, "total_count": 5}
    assert fresh.v4("GET", f"{ALL}?per_page=2&page=4").result == []


# ---- queries


def test_each_statement_has_its_result(database):
    results = database.query("CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t (a) VALUES (1), (2); SELECT * FROM t").result
    assert [r["results"] for r in results] == [[], [], [{"id": 1, "a": 1}, {"id": 2, "a": 2}]]
    meta = results[1]["meta"]
    assert (meta["changes"], meta["last_row_id"], meta["changed_db"], meta["rows_written"]) == (2, 2, True, 2)
    meta = database.query("SELECT * FROM t WHERE a > 0").result[0]["meta"]
    assert (meta["rows_read"], meta["rows_written"], meta["changed_db"], meta["size_after"]) == (2, 0, False, 8192)
    assert meta["duration"] >= 0 and meta["timings"]["sql_duration_ms"] >= 0 and meta["total_attempts"] == 1
    raw = database.query("SELECT id, a FROM t", path="/raw").result[0]["results"]
    assert raw == {"columns": ["id", "a"], "rows": [[1, 1], [2, 2]]}


@pytest.mark.parametrize("value, kind, back", [
    (1, "integer", 1), (1.5, "real", 1.5), ("é\n\"", "text", "é\n\""), (None, "null", None), (True, "integer", 1),
    ([0, 255], "blob", [0, 255]), ([], "blob", []), (2**53, "integer", 2**53), (-2**63, "integer", -2**63), (1e300, "real", 1e300),
    ("", "text", ""),
])
def test_a_value_comes_back(database, value, kind, back):
    assert database.rows("SELECT ?1 AS v, typeof(?1) AS k", value) == [{"v": back, "k": kind}]


def test_a_batch_is_all_or_nothing(database):
    database.query("CREATE TABLE t (a UNIQUE)")
    assert len(database.call("POST", "/query", {"batch": [{"sql": "INSERT INTO t VALUES (?)", "params": [i]} for i in range(3)]}).result) == 3
    answer = database.call("POST", "/query", {"batch": [{"sql": "INSERT INTO t VALUES (9)"}, {"sql": "INSERT INTO t VALUES (1)"}]})
    assert answer.error[:2] == (400, 7500) and "UNIQUE constraint failed: t.a: SQLITE_CONSTRAINT" in answer.error[2]
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 3}]


@pytest.mark.parametrize("sql, word", [
    ("SELEC 1", 'near "SELEC": syntax error at offset 0: SQLITE_ERROR'), ("SELECT * FROM none", "no such table: none"),
    ("BEGIN", "not authorized"), ("ATTACH 'x' AS y", "not authorized"), ("PRAGMA journal_mode = DELETE", "not authorized"),
    ("-- nothing", "No SQL statements detected"), ("SELECT ?", "Wrong number of parameter"), ("x" * 100_001, "SQLITE_TOOBIG"),
])
def test_what_is_wrong_is_said(database, sql, word):
    status, code, message = database.call("POST", "/query", {"sql": sql}).error
    assert (status, code) == (400, 7500) and word in message, message


@pytest.mark.parametrize("body", ["", "{", "[]", "1", "{}", '{"sql": 1}', '{"sql": "SELECT 1", "params": {}}', '{"sql": "a", "params": [{}]}'])
def test_what_is_no_request_is_said(database, body):
    assert database.call("POST", "/query", body).error[:2] == (400, 7400)


def test_who_may_read_does_not_write(daemon, database):
    database.query("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    reader = Database(daemon, database.id, daemon.issue(f"d1:read:{database.id}")["token"])
    assert reader.rows("SELECT a FROM t") == [{"a": 1}]
    for sql in ("INSERT INTO t VALUES (2)", "DROP TABLE t", "SELECT 1; DELETE FROM t", "WITH x AS (SELECT 1) DELETE FROM t"):
        assert "readonly" in reader.call("POST", "/query", {"sql": sql}).error[2]
    assert reader.restore(f"?bookmark={database.bookmark()}").error[0] == 403
    assert database.rows("SELECT a FROM t") == [{"a": 1}]
    other = make(daemon)
    assert Database(daemon, other.id, reader.token).call("POST", "/query", {"sql": "SELECT 1"}).error[0] == 403


def test_writes_of_many_clients_are_each_there_once(database):
    database.query("CREATE TABLE t (n); INSERT INTO t VALUES (0)")

    def work():
        for _ in range(25):
            database.rows("UPDATE t SET n = n + 1 RETURNING n")
            database.rows("SELECT n FROM t")

    threads = [threading.Thread(target=work) for _ in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert database.rows("SELECT n FROM t") == [{"n": 100}]


# ---- what stays


def test_what_was_acknowledged_is_there_after_a_kill(fresh):
    fresh.start()
    database = make(fresh)
    database.query("CREATE TABLE t (a)")
    for i in range(20):
        database.query("INSERT INTO t VALUES (?)", i)
    fresh.kill()
    fresh.start()
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 20}]
    fresh.stop()
    assert json.loads(fresh.command("fsck", "--json", "--scrub").stdout)["checked"]["d1_databases"] == 1


def test_a_deleted_database_leaves_no_files(fresh):
    fresh.start()
    database = make(fresh)
    database.query("CREATE TABLE t (a)")
    assert [p.name for p in (fresh.data / "d1").iterdir() if p.name != "transfers"]
    assert database.call("DELETE", "").result is None
    assert [p.name for p in (fresh.data / "d1").iterdir() if p.name != "transfers"] == []


def test_fsck_names_a_damaged_page_and_a_read_has_it_made_again(fresh):
    fresh.start()
    database = make(fresh, "shop")
    database.query("CREATE TABLE t (a)")
    for _ in range(30):
        database.query("INSERT INTO t VALUES (hex(zeroblob(3000)))")
    fresh.stop()
    file, = (fresh.data / "d1").glob("*/database")
    flip(file, 20 * 4096 + 1000)
    report = json.loads(fresh.command("fsck", "--json", expect=31).stdout)
    assert [(f["store"], f["what"], f["where"], f["detail"]) for f in report["findings"]] == [
        ("d1", "page_damaged", 'database "shop"', "page 21 of database")]
    fresh.start()
    sql = "SELECT sum(length(a)) AS n FROM t"
    status, _, message = database.query(sql).error
    assert status == 500 and "damaged" in message
    assert database.rows(sql) == [{"n": 180000}]
    assert "page 21" in fresh.logged() and "made again from its history" in fresh.logged()
    fresh.stop()
    fresh.command("fsck")


def test_fsck_names_a_damaged_history_and_lost_files(fresh):
    fresh.start()
    one, two = make(fresh, "one"), make(fresh, "two")
    for database in (one, two):
        database.query("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
        database.query("INSERT INTO t VALUES (2)")
    fresh.stop()
    first, second = sorted((p for p in (fresh.data / "d1").iterdir() if p.name.isdigit()), key=lambda p: int(p.name))
    segment, = (first / "history").glob("*.log")
    flip(segment, 5000)
    second.rename(fresh.root / "elsewhere")
    report = json.loads(fresh.command("fsck", "--json", expect=31).stdout)
    assert [(f["what"], f["where"]) for f in report["findings"]] == [
        ("history_damaged", 'database "one"'), ("database_missing", 'database "two"')]


# ---- time travel


def test_a_restore_and_its_undoing(database):
    database.query("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    one = database.bookmark()
    assert len(one) == len("00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683")
    database.query("DELETE FROM t")
    back = database.restore(f"?bookmark={one}").result
    assert database.rows("SELECT a FROM t") == [{"a": 1}] and back["bookmark"] > back["previous_bookmark"] > one
    database.restore(f"?bookmark={back['previous_bookmark']}").result
    assert database.rows("SELECT a FROM t") == []


def test_a_restore_to_a_time(database):
    database.query("CREATE TABLE t (a); INSERT INTO t VALUES (1)")
    time.sleep(0.05)
    moment = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{int(time.time() % 1 * 1000):03}Z"
    bookmark = database.bookmark()
    time.sleep(0.05)
    database.query("INSERT INTO t VALUES (2)")
    assert database.bookmark("?timestamp=" + urllib.parse.quote(moment)) == bookmark
    database.restore("?timestamp=" + urllib.parse.quote(moment)).result
    assert database.rows("SELECT a FROM t") == [{"a": 1}]


@pytest.mark.parametrize("query", ["", "?bookmark=x", "?bookmark=00000085-0000024c-00004c6d-8e61117bf38d7adb71b934ebbf891683",
                                   "?timestamp=x", "?timestamp=2100-01-01T00:00:00Z", "?timestamp=2001-01-01T00:00:00Z"])
def test_a_restore_to_nothing_is_refused(database, query):
    assert database.restore(query).error[:2] == (400, 7400)


# ---- imports and exports


SHAPES = """CREATE TABLE parents (id INTEGER PRIMARY KEY AUTOINCREMENT, "odd ""name" TEXT);
CREATE TABLE children (parent REFERENCES parents(id), v, twice GENERATED ALWAYS AS (v * 2));
CREATE INDEX by_v ON children (v);
CREATE TABLE log (what);
CREATE TRIGGER logged AFTER INSERT ON children BEGIN INSERT INTO log VALUES (new.v); INSERT INTO log VALUES ('x;y'); END;
CREATE VIEW all_v AS SELECT v FROM children;
"""


def test_an_export_is_imported_as_it_was(daemon, database):
    database.query(SHAPES)
    database.query("INSERT INTO parents (\"odd \"\"name\") VALUES ('it''s'), (NULL)")
    values = (1, 1.5, 1e300, -2**63, "é\n';--", None, [0, 39, 255], "")
    for value in values:
        database.query("INSERT INTO children VALUES (1, ?)", value)
    database.query("INSERT INTO children VALUES (2, char(65, 0, 66))")
    state = database.exported()
    assert state["success"] and state["status"] == "complete" and state["result"]["filename"].endswith(".sql")
    status, headers, text = fetch(state["result"]["signed_url"])
    assert status == 200 and text.startswith(b"PRAGMA defer_foreign_keys=TRUE;\n")
    sqlite3.connect(":memory:").executescript(text.decode())
    copy = make(daemon)
    done = copy.imported(text)
    assert done["status"] == "complete" and done["result"]["num_queries"] > 10 and done["result"]["meta"]["rows_written"] > 0
    for sql in ("SELECT * FROM parents", "SELECT *, typeof(v) AS k FROM children", "SELECT * FROM log", "SELECT * FROM all_v",
                "SELECT * FROM sqlite_sequence"):
        assert copy.rows(sql) == database.rows(sql), sql
    copy.query("INSERT INTO children VALUES (1, 5)")
    assert len(copy.rows("SELECT * FROM log")) == len(database.rows("SELECT * FROM log")) + 2, "the trigger came with it"


def test_an_export_of_parts(database):
    database.query(SHAPES)
    database.query("INSERT INTO log VALUES (7)")
    text = lambda **options: fetch(database.exported(**options)["result"]["signed_url"])[2].decode()
    assert "INSERT" not in text(no_data=True, tables=["log"]) and "CREATE TABLE log" in text(no_data=True)
    assert "CREATE" not in text(no_schema=True) and "VALUES(7)" in text(no_schema=True)
    assert "children" not in text(tables=["log"])
    assert database.exported(tables=["none"])["status"] == "error"
    database.query("CREATE VIRTUAL TABLE f USING fts5(a)")
    failed = database.exported()
    assert failed["status"] == "error" and "Virtual" in failed["error"]


def test_an_import_that_fails_changes_nothing(database):
    database.query("CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1)")
    state = database.imported(b"INSERT INTO t VALUES (2);\nINSERT INTO t VALUES (1);\n")
    assert state["success"] and state["status"] == "error" and "UNIQUE" in state["errors"][0]
    assert database.rows("SELECT a FROM t") == [{"a": 1}]


def test_a_large_import(database):
    lines = ["CREATE TABLE t (a, b);"] + [f"INSERT INTO t VALUES ({i}, '{'x' * 100}');" for i in range(30_000)]
    state = database.imported("\n".join(lines).encode())
    assert state["status"] == "complete" and state["result"]["num_queries"] == 30_001
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 30_000}]


def test_addresses_of_files_are_for_who_was_given_them(daemon, database):
    begun, answer = database.send(b"SELECT 1;", etag="0" * 32)
    assert answer[0] == 400 and b"MD5" in answer[2], "another file"
    url = begun["upload_url"]
    for wrong in (url[:-1] + ("0" if url[-1] != "0" else "1"), url.split("?")[0], url.replace(begun["filename"], "x.sql")):
        assert fetch(wrong, "PUT", b"SELECT 1;")[0] == 404
    assert fetch(url)[0] == 404, "it is no export"
    ingest = {"action": "ingest", "filename": begun["filename"], "etag": "0" * 32}
    assert database.call("POST", "/import", ingest).error[:2] == (400, 7400)
    assert make(daemon).call("POST", "/import", ingest).error[:2] == (404, 7400)
    assert url.split("token=")[1] not in daemon.logged()
    for body in ({"action": "init"}, {"action": "init", "etag": "x"}, {"action": "poll", "current_bookmark": "x"}, {}):
        assert database.call("POST", "/import", body).error[1] == 7400


# ---- metrics


def test_metrics(daemon, database):
    database.query("SELECT 1")
    text = daemon.request("GET", "/metrics").body.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if line.startswith("levada_d1_"))
    assert float(values["levada_d1_databases_open"]) >= 1 and float(values["levada_d1_requests_total"]) >= 1
    assert float(values["levada_d1_failures_total"]) == 0
