"""`levada d1`: databases on the machine itself, by the daemon that has the directory and without one."""

import contextlib
import fcntl
import json
import os
import pty
import re
import select
import signal
import sqlite3
import struct
import subprocess
import termios
import time

import pytest

from conftest import BINARY
from test_d1 import ALL, Database, make


def ran(daemon, *arguments, given="", expect=0):
    """`levada d1 ...`, with `given` on its standard input."""
    done = subprocess.run([BINARY, "d1", *arguments, "--data", str(daemon.data)], input=given, capture_output=True,
                          text=True, timeout=60)
    assert expect is None or done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def shell(daemon, database, given, *options, expect=0):
    return ran(daemon, "shell", getattr(database, "id", database), *options, given=given, expect=expect)


@pytest.fixture
def database(daemon):
    database = make(daemon)
    database.query("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT, v REAL, b BLOB)")
    return database


def name_of(daemon, database):
    return daemon.v4("GET", f"{ALL}/{database.id}").result["name"]


# ---- what it prints

def test_statements_run_in_order_and_print_their_rows(daemon, database):
    text = "INSERT INTO t VALUES (1, 'a;b', 2.0, x'00ff');\nINSERT INTO t (id) VALUES (2); SELECT *\nFROM t;"
    assert shell(daemon, database, text).stdout == "id,name,v,b\n1,a;b,2.0,X'00ff'\n2,,,\n"
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_a_database_has_a_name_too(daemon, database):
    assert shell(daemon, name_of(daemon, database), "SELECT 7").stdout == "7\n7\n"


def test_a_command_and_a_file(daemon, database, tmp_path):
    file = tmp_path / "a.sql"
    file.write_text("CREATE TRIGGER r AFTER INSERT ON t BEGIN UPDATE t SET name = ';'; END;\n-- ;\nSELECT 2;")
    done = ran(daemon, "shell", database.id, "--command", "SELECT 1; SELECT 'x'", "--file", str(file))
    assert done.stdout == "1\n1\n'x'\nx\n2\n2\n"


def test_json_is_a_line_for_each_statement(daemon, database):
    done = shell(daemon, database, "INSERT INTO t VALUES (1, 'x', 1.5, x'01'); SELECT id, b, v FROM t;", "--json")
    inserted, selected = [json.loads(line) for line in done.stdout.splitlines()]
    assert inserted["results"] == [] and inserted["meta"]["changes"] == 1 and inserted["meta"]["rows_written"] == 1
    assert selected["results"] == [{"id": 1, "b": [1], "v": 1.5}] and selected["truncated"] is False


@pytest.mark.parametrize("mode, printed", [("csv", "a,b\n1,x\n"), ("line", "a = 1\nb = x\n"), ("table", "a  b\n1  x\n")])
def test_modes(daemon, database, mode, printed):
    assert shell(daemon, database, f".mode {mode}\nSELECT 1 AS a, 'x' AS b;").stdout == printed


def test_headers_can_be_left_out(daemon, database):
    assert shell(daemon, database, ".headers off\nSELECT 1 AS a;\n.mode table\nSELECT 2 AS a;").stdout == "1\n2\n"


def test_rows_that_are_too_many_are_not_left_out_in_silence(daemon, database):
    many = ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
            "SELECT i, printf('%0100d', i) AS text FROM n;")
    done = shell(daemon, database, many)
    shown = len(done.stdout.splitlines()) - 1
    assert 0 < shown < 100_000
    assert f"{shown:,}" in done.stderr and "100,000 rows" in done.stderr and "LIMIT" in done.stderr
    assert json.loads(shell(daemon, database, many, "--json").stdout)["truncated"] is True


# ---- its own commands

def test_tables_and_schema(daemon, database):
    database.query("CREATE INDEX byname ON t (name); CREATE VIEW w AS SELECT 1; CREATE TABLE u (id INTEGER PRIMARY KEY AUTOINCREMENT)")
    assert shell(daemon, database, ".tables").stdout == "t\nu\nw\n"
    schema = shell(daemon, database, ".schema T").stdout
    assert schema.startswith("CREATE TABLE t (") and "CREATE INDEX byname ON t (name);" in schema and "VIEW" not in schema
    assert "CREATE VIEW w" in shell(daemon, database, ".schema").stdout
    database.query("CREATE TABLE lines (\n  a INTEGER,\n  b TEXT\n)")
    assert shell(daemon, database, ".schema lines").stdout == "CREATE TABLE lines (\n  a INTEGER,\n  b TEXT\n);\n"
    assert "sqlite_sequence" not in shell(daemon, database, ".schema").stdout


def test_a_dump_makes_the_database_again(daemon, database, tmp_path):
    database.query("INSERT INTO t VALUES (1, 'it''s', 0.1, x'00'), (2, NULL, NULL, NULL)")
    dump = shell(daemon, database, ".dump").stdout
    again = sqlite3.connect(":memory:")
    again.executescript(dump)
    assert again.execute("SELECT * FROM t").fetchall() == [(1, "it's", 0.1, b"\0"), (2, None, None, None)]
    (tmp_path / "dump.sql").write_text(dump)
    other = make(daemon)
    shell(daemon, other, f".read {tmp_path}/dump.sql")
    assert other.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    assert list((daemon.data / "d1/transfers").iterdir()) == []


def test_a_dump_of_a_table(daemon, database):
    database.query("CREATE TABLE u (a)")
    assert "TABLE t" not in shell(daemon, database, ".dump u").stdout
    assert "there is no table" in shell(daemon, database, ".dump nope", expect=10).stderr


def test_a_file_that_reads_itself_ends(daemon, database, tmp_path):
    file = tmp_path / "a.sql"
    file.write_text(f"INSERT INTO t (name) VALUES ('x');\n.read {file}\n")
    assert "read one another" in shell(daemon, database, f".read {file}", expect=10).stderr


@pytest.mark.parametrize("line, words", [
    (".tabels", 'did you mean ".tables"'), (".mode html", "no mode"), (".headers maybe", "on or off"),
    (".read", "needs a file"), (".read /nowhere/at/all", "cannot be read"), (".schema nope", "no table"),
    (".tables a b", "at most 0")])
def test_what_is_no_command_is_said(daemon, database, line, words):
    done = shell(daemon, database, f"{line}\nSELECT 1;", expect=None if "nowhere" in line else 10)
    assert words in done.stderr and done.stdout == ""


def test_help_and_quit(daemon, database):
    assert ".schema" in shell(daemon, database, ".help").stdout
    assert shell(daemon, database, "SELECT 1;\n.quit\nSELECT nonsense;").stdout == "1\n1\n"


# ---- what is wrong

def test_an_error_names_its_place_and_ends_what_is_not_typed(daemon, database):
    done = shell(daemon, database, "SELECT 1;\n-- next\nSELECT a\n  FORM t;\nSELECT 2;", expect=21)
    assert done.stdout == "1\n1\n" and "<standard input>:4:" in done.stderr and "syntax error" in done.stderr
    done = shell(daemon, database, "SELECT nope FROM t", "--json", expect=21)
    error = json.loads(done.stderr.splitlines()[-1])
    assert error["code"] == "LV2103" and error["diagnostics"][0]["column"] == 8
    ran(daemon, "shell", database.id, "--command", "SELECT 1; SELECT", expect=21)


def test_a_statement_is_a_transaction_of_its_own(daemon, database):
    shell(daemon, database, "INSERT INTO t (id) VALUES (1); INSERT INTO t (id) VALUES (2), (1); SELECT 1;", expect=21)
    assert database.rows("SELECT id FROM t") == [{"id": 1}]


@pytest.mark.parametrize("sql", ["BEGIN", "ATTACH 'x' AS y", "PRAGMA journal_mode = DELETE", "SELECT load_extension('x')",
                                 "CREATE TEMP TABLE x (a)", "SELECT ?"])
def test_the_rules_are_those_of_requests(daemon, database, sql):
    refused = database.query(sql).error[2]
    done = shell(daemon, database, sql, expect=21)
    assert re.sub(r" at offset \d+", "", refused).split(": SQLITE")[0] in done.stderr


@pytest.mark.parametrize("size", [100_100, 200_000])
def test_a_statement_has_its_limit(daemon, database, size):
    done = shell(daemon, database, "SELECT '" + "x" * size + "';\nSELECT 1;", expect=21)
    assert "too" in done.stderr or "100000" in done.stderr
    assert done.stdout == ""


def test_a_statement_that_never_ends_is_not_kept(daemon, database):
    done = shell(daemon, database, "SELECT '" + "x;\n" * 200_000, expect=21)
    assert "100000 bytes" in done.stderr


@pytest.mark.parametrize("arguments, status, words", [
    (["shell", "nope"], 10, "no database"), (["shell"], 10, "DATABASE"), (["shell", "a", "b"], 10, "DATABASE"),
    (["dance"], 10, "list, shell"), ([], 10, "list, shell"), (["list", "x"], 10, "no further"),
    (["list", "--account", "nobody"], 10, "no account"), (["shell", "x", "--account", "nobody"], 10, "no account")])
def test_what_is_nothing_is_said(daemon, arguments, status, words):
    assert words in ran(daemon, *arguments, given="SELECT 1", expect=status).stderr


def test_a_file_that_is_not_there(daemon, database):
    assert "cannot be read" in ran(daemon, "shell", database.id, "--file", "/nowhere", expect=10).stderr


def test_databases_of_one_name_are_told_apart(fresh):
    daemon = fresh.start()
    other = json.loads(daemon.command("account", "create", "other", "--json").stdout)["account_id"]
    token = daemon.issue("all:admin", account="other")["token"]
    mine = daemon.v4("POST", ALL, {"name": "same"}).result["uuid"]
    theirs = daemon.v4("POST", ALL.replace("{account}", other), {"name": "same"}, token=token).result["uuid"]
    assert "which one" in shell(daemon, "same", "SELECT 1", expect=10).stderr
    shell(daemon, "same", "CREATE TABLE theirs (a)", "--account", "other")
    assert shell(daemon, theirs, ".tables").stdout == "theirs\n" and shell(daemon, mine, ".tables").stdout == ""
    assert "no database" in shell(daemon, mine, "SELECT 1", "--account", other, expect=10).stderr
    listed = json.loads(ran(daemon, "list", "--json").stdout)["databases"]
    assert [(each["account"], each["id"]) for each in listed] == [("default", mine), ("other", theirs)]
    assert "other" in ran(daemon, "list").stdout and mine not in ran(daemon, "list", "--account", "other").stdout


# ---- list, and no daemon

def test_a_list_says_what_is_known(daemon, database):
    database.query("INSERT INTO t (b) VALUES (zeroblob(100000))")
    listed = {each["id"]: each for each in json.loads(ran(daemon, "list", "--json").stdout)["databases"]}[database.id]
    assert listed["tables"] == 1 and listed["size"] >= 4096 and listed["history_size"] > 100_000
    assert listed["name"] == name_of(daemon, database) and listed["created_at"].endswith("Z")


def test_without_a_daemon_the_shell_has_the_databases_itself(fresh):
    daemon = fresh.start()
    database = make(daemon, "shop")
    database.query("CREATE TABLE t (a)")
    daemon.stop()
    assert shell(daemon, "shop", "INSERT INTO t VALUES (1); SELECT a FROM t;").stdout == "a\n1\n"
    assert "CREATE TABLE t" in shell(daemon, "shop", ".dump").stdout
    assert "syntax error" in shell(daemon, "shop", "SELEC", expect=21).stderr
    assert "shop" in ran(daemon, "list").stdout
    daemon.start()
    assert database.rows("SELECT a FROM t") == [{"a": 1}]
    daemon.stop()
    daemon.command("fsck")


def test_what_a_killed_shell_had_acknowledged_is_there(fresh):
    daemon = fresh.start()
    database = make(daemon, "shop")
    daemon.stop()
    process = subprocess.Popen([BINARY, "d1", "shell", "shop", "--data", str(daemon.data)], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    process.stdin.write("CREATE TABLE t (a); INSERT INTO t VALUES (1) RETURNING a;\n")
    process.stdin.flush()
    assert process.stdout.readline() == "a\n" and process.stdout.readline() == "1\n"
    refused = subprocess.run([BINARY, "serve", "--data", str(daemon.data), "--listen", "127.0.0.1:0", "--s3-listen",
                              "127.0.0.1:0"], capture_output=True, text=True, timeout=30)
    assert refused.returncode == 75 and "another levada" in refused.stderr
    process.kill()
    process.wait()
    daemon.start()
    assert database.rows("SELECT a FROM t") == [{"a": 1}]


def test_a_shell_outlives_its_daemon(fresh):
    daemon = fresh.start()
    make(daemon, "shop").query("CREATE TABLE t (a)")
    with Typist(daemon, "shop") as typist:
        typist.expect("shop> ")
        daemon.kill()
        typist.type("SELECT 1;\n")
        typist.expect("error[")
        typist.expect("shop> ")
        daemon.start()
        typist.type("SELECT 40 + 2;\n")
        typist.expect("42")


# ---- a person

class Typist:
    """At a terminal of 60 columns."""

    def __init__(self, daemon, database, *options):
        self.arguments = [BINARY, "d1", "shell", database, "--data", str(daemon.data), "--no-color", *options]

    def __enter__(self):
        self.main, terminal = pty.openpty()
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
        self.before = termios.tcgetattr(terminal)
        self.terminal = terminal

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(self.arguments, stdin=terminal, stdout=terminal, stderr=terminal,
                                        preexec_fn=take_terminal)
        self.seen = ""
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)
        os.close(self.terminal)

    def type(self, text):
        os.write(self.main, text.encode())

    def expect(self, text, seconds=20):
        """What came up to `text` and with it."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            assert time.monotonic() < deadline, f"no {text!r} in {self.seen!r}"
            if select.select([self.main], [], [], 0.1)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self.main, 65536).decode()
        end = self.seen.index(text) + len(text)
        came, self.seen = self.seen[:end], self.seen[end:]
        return came

    def ended(self, seconds=20):
        return self.process.wait(seconds)


def test_a_person_at_a_terminal(daemon, database):
    with Typist(daemon, name_of(daemon, database)) as typist:
        assert ".help" in typist.expect("> ")
        typist.type("INSERT INTO t (id, name) VALUES (1, 'one'),\n")
        typist.expect("...> ")
        typist.type("(2, '" + "long " * 30 + "');\n")
        assert "2 changes" in typist.expect("written; ")
        typist.expect("> ")
        typist.type("SELECT id, name FROM t;\n")
        shown = typist.expect("2 rows;")
        assert "id  name\r\n 1  one\r\n" in shown
        assert all(len(line) <= 60 for line in shown.splitlines()[1:]), shown
        typist.type("SELEC;\n")
        typist.expect("syntax error")
        typist.type("SELECT 'still ' || 'here';\n")
        typist.expect("still here")
        typist.expect("> ")
        typist.type("\x04")
        assert typist.ended() == 0
        assert termios.tcgetattr(typist.terminal) == typist.before


def test_control_c_takes_a_line_back(daemon, database):
    with Typist(daemon, database.id) as typist:
        typist.expect("> ")
        typist.type("SELECT 'begun'\n")
        typist.expect("...> ")
        typist.type("and more\x03")
        typist.expect(database.id[:30] + "> ")
        typist.type("SELECT 40 + 2;\n")
        shown = typist.expect("42")
        assert "begun" not in shown and "error" not in shown
        typist.type(".quit\n")
        assert typist.ended() == 0


def test_a_signal_ends_it_and_leaves_the_terminal_as_it_was(daemon, database):
    with Typist(daemon, database.id) as typist:
        typist.expect("> ")
        typist.process.send_signal(signal.SIGTERM)
        assert typist.ended() == 143
        assert termios.tcgetattr(typist.terminal) == typist.before
