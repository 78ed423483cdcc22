"""Copies of D1 databases in R2: by a plan and when asked, and databases made of them again."""

import hashlib
import json
import re
import sqlite3
import subprocess
import threading
import time

import pytest

from conftest import BINARY, wait_until
from s3_client import S3
from test_d1 import ALL, Database, make
from test_d1_shell import ran
from test_operations import metrics

BINARY_D1 = [BINARY, "d1"]
OBJECTS = "/accounts/{account}/r2/buckets"
KEY = re.compile(r"d1/([\w-]+)-([0-9a-f-]{36})/(\d{8}T\d{6}Z)-([0-9a-f-]{59})\.sqlite")


class Copies:
    """The objects of a bucket, by S3."""

    def __init__(self, daemon, bucket="backups", account=None):
        self.daemon, self.bucket = daemon, bucket
        account = account or daemon.account
        self.token = daemon.issue("all:admin", account=account)
        made = daemon.v4("POST", OBJECTS.replace("{account}", account), {"name": bucket}, token=self.token["token"])
        assert made.status == 200, made

    @property
    def client(self):  # its address changes with the daemon's start
        return S3(self.daemon.ready["s3"], self.token["s3_access_key_id"], self.token["s3_secret_access_key"]).client

    def keys(self):
        listed = self.client.list_objects_v2(Bucket=self.bucket, Prefix="d1/")
        return [each["Key"] for each in listed.get("Contents", [])]

    def get(self, key):
        got = self.client.get_object(Bucket=self.bucket, Key=key)
        return got["Metadata"], got["Body"].read()


def configured(daemon, **backup):
    """`daemon` with a plan in its configuration file."""
    path = daemon.root / "serve.yaml"
    path.write_text(json.dumps({"d1": {"backup": {"to": ["backups"], "every": "1s", **backup}}}))
    daemon.options = ["--config", str(path)]
    return daemon


def back_up(daemon, database, *options, expect=0):
    done = ran(daemon, "backup", getattr(database, "id", database), "--json", *options, expect=expect)
    return json.loads(done.stdout) if expect == 0 else done.stderr


def restore(daemon, database, source="latest", *options, bucket="backups", expect=0):
    done = ran(daemon, "restore", getattr(database, "id", database), "--from", source, "--bucket", bucket, "--json", *options,
               expect=expect)
    return json.loads(done.stdout) if expect == 0 else done.stderr


@pytest.fixture
def shop(fresh):
    """(daemon, copies, database) with rows."""
    daemon = fresh.start()
    copies = Copies(daemon)
    return daemon, copies, filled(daemon)


def filled(daemon, name="shop"):
    database = make(daemon, name)
    database.query("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON t (b)")
    database.query("INSERT INTO t VALUES (1, 'one'), (2, 'two')")
    return database


def leftovers(daemon):
    return [path.name for path in (daemon.data / "d1/transfers").iterdir()]


# ---- a copy when asked

def test_a_copy_is_a_file_that_any_sqlite_opens(shop, tmp_path):
    daemon, copies, database = shop
    made = back_up(daemon, database, "--bucket", "backups")
    assert made["is_new"] and made["bookmark"] == database.bookmark() and copies.keys() == [made["key"]]
    name, id, _, bookmark = KEY.fullmatch(made["key"]).groups()
    assert (name, id, bookmark) == ("shop", database.id, made["bookmark"])
    labels, body = copies.get(made["key"])
    assert labels == {"bookmark": bookmark, "database-id": id, "database-name": "shop",
                      "sha256": hashlib.sha256(body).hexdigest()}
    assert len(body) == made["bytes"]
    (tmp_path / "copy.sqlite").write_bytes(body)
    copy = sqlite3.connect(tmp_path / "copy.sqlite")
    assert copy.execute("SELECT * FROM t").fetchall() == [(1, "one"), (2, "two")]
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert leftovers(daemon) == []


def test_what_has_not_changed_is_not_copied_again(shop):
    daemon, copies, database = shop
    first = back_up(daemon, "shop", "--bucket", "backups")
    again = back_up(daemon, "shop", "--bucket", "backups")
    assert not again["is_new"] and again["key"] == first["key"] and copies.keys() == [first["key"]]
    database.query("INSERT INTO t VALUES (3, 'three')")
    assert back_up(daemon, "shop", "--bucket", "backups")["is_new"] and len(copies.keys()) == 2


def test_a_copy_and_a_restore_without_a_daemon(shop):
    daemon, copies, database = shop
    daemon.stop()
    made = back_up(daemon, "shop", "--bucket", "backups")
    assert made["is_new"] and not back_up(daemon, "shop", "--bucket", "backups")["is_new"]
    daemon.start()
    database.query("DELETE FROM t")
    daemon.stop()
    restored = restore(daemon, "shop")
    assert restored["key"] == made["key"]
    daemon.start()
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    daemon.stop()
    daemon.command("fsck", "--scrub")


def test_a_copy_made_under_writes_is_of_one_transaction(shop):
    daemon, copies, database = shop
    database.query("CREATE TABLE pairs (n INTEGER)")
    done = threading.Event()

    def write():
        while not done.is_set():
            database.query("INSERT INTO pairs VALUES (1); INSERT INTO pairs VALUES (1)")

    writers = [threading.Thread(target=write) for _ in range(2)]
    for each in writers:
        each.start()
    made = [back_up(daemon, "shop", "--bucket", "backups") for _ in range(5)]
    done.set()
    for each in writers:
        each.join()
    for each in made:
        copy = sqlite3.connect(":memory:")
        _, body = copies.get(each["key"])
        path = daemon.root / "copy.sqlite"
        path.write_bytes(body)
        rows = sqlite3.connect(path).execute("SELECT count(*) FROM pairs").fetchone()[0]
        assert rows % 2 == 0
        copy.close()


@pytest.mark.parametrize("arguments, words", [
    (["backup", "shop"], "no bucket is named"), (["backup", "shop", "--bucket", "nope"], "no bucket \"nope\""),
    (["backup", "nope", "--bucket", "backups"], "no database"), (["restore", "shop"], "--from"),
    (["restore", "shop", "--from", "latest"], "no bucket is named"),
    (["restore", "shop", "--from", "latest", "--bucket", "backups"], "has no copy"),
    (["restore", "shop", "--from", "d1/x", "--bucket", "backups"], 'no object "d1/x"'),
    (["restore", "a b", "--from", "latest", "--bucket", "backups"], "has no copy")])
def test_what_cannot_be_done_is_said(shop, arguments, words):
    daemon, _, database = shop
    assert words in ran(daemon, *arguments, expect=10).stderr
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_a_bucket_of_another_account_takes_no_copy(shop):
    daemon, _, _ = shop
    other = json.loads(daemon.command("account", "create", "other", "--json").stdout)["account_id"]
    Copies(daemon, "theirs", account=other)
    assert "another account" in ran(daemon, "backup", "shop", "--bucket", "theirs", expect=10).stderr


# ---- restores

def test_a_restore_is_a_point_that_can_be_undone(shop):
    daemon, copies, database = shop
    made = back_up(daemon, "shop", "--bucket", "backups")
    database.query("UPDATE t SET b = 'changed'; INSERT INTO t VALUES (9, 'nine')")
    before = database.bookmark()
    restored = restore(daemon, "shop")
    assert restored["previous"] == before and restored["key"] == made["key"] and restored["bookmark"] > before
    assert database.rows("SELECT * FROM t") == [{"a": 1, "b": "one"}, {"a": 2, "b": "two"}]
    assert database.rows("PRAGMA quick_check") == [{"quick_check": "ok"}]
    database.query("INSERT INTO t VALUES (3, 'behind')")
    database.restore(f"?bookmark={before}").result  # noqa: B018
    assert database.rows("SELECT b FROM t") == [{"b": "changed"}, {"b": "changed"}, {"b": "nine"}]
    database.restore(f"?bookmark={restored['bookmark']}").result  # noqa: B018
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    database.restore(f"?bookmark={made['bookmark']}").result  # noqa: B018
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    assert leftovers(daemon) == []
    daemon.kill()
    daemon.start()
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    daemon.stop()
    daemon.command("fsck", "--scrub")


def test_a_restore_of_an_older_copy_by_its_key(shop):
    daemon, copies, database = shop
    first = back_up(daemon, "shop", "--bucket", "backups")
    database.query("DELETE FROM t")
    back_up(daemon, "shop", "--bucket", "backups")
    restore(daemon, "shop")
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 0}]
    restore(daemon, "shop", first["key"])
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_a_database_that_is_gone_is_made_again(shop):
    daemon, copies, database = shop
    back_up(daemon, "shop", "--bucket", "backups")
    database.call("DELETE", "").result  # noqa: B018
    by_name = restore(daemon, "shop")
    assert by_name["previous"] is None and by_name["name"] == "shop" and by_name["database_id"] != database.id
    assert Database(daemon, by_name["database_id"]).rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    Database(daemon, by_name["database_id"]).call("DELETE", "")
    by_id = restore(daemon, database.id)
    assert by_id["name"] == "shop"
    elsewhere = restore(daemon, "copy", by_id["key"])
    assert elsewhere["name"] == "copy"
    made = Database(daemon, elsewhere["database_id"])
    made.query("INSERT INTO t VALUES (3, 'three')")
    assert made.rows("SELECT count(*) AS n FROM t") == [{"n": 3}]
    assert Database(daemon, by_id["database_id"]).rows("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_copies_of_two_databases_of_one_name_are_told_apart(shop):
    daemon, copies, database = shop
    back_up(daemon, "shop", "--bucket", "backups")
    database.call("DELETE", "")
    second = filled(daemon)
    second.query("DELETE FROM t")
    assert "has no copy" in restore(daemon, "shop", expect=10)
    back_up(daemon, "shop", "--bucket", "backups")
    second.call("DELETE", "")
    assert "2 databases" in restore(daemon, "shop", expect=10)
    assert Database(daemon, restore(daemon, database.id)["database_id"]).rows("SELECT count(*) AS n FROM t") == [{"n": 2}]


@pytest.mark.parametrize("spoil, status, words", [
    ("bytes", 40, "SHA-256"), ("label", 10, "no copy that levada made"), ("page", 40, "page 2"), ("cut", 40, "page"), ("empty", 40, "page 1"),
    ("foreign", 40, "page 1")])
def test_a_copy_that_is_not_whole_is_not_put_in_place(shop, spoil, status, words):
    daemon, copies, database = shop
    key = back_up(daemon, "shop", "--bucket", "backups")["key"]
    labels, body = copies.get(key)
    changed = bytearray(body)
    if spoil in ("bytes", "page"):
        changed[5000] ^= 1
    elif spoil == "cut":
        changed = changed[:-100]
    elif spoil == "empty":
        changed = b""
    elif spoil == "foreign":
        path = daemon.root / "foreign.sqlite"
        foreign = sqlite3.connect(path)
        foreign.execute("CREATE TABLE t (a)")
        foreign.commit()
        changed = path.read_bytes()
    if spoil == "label":
        labels.pop("sha256")
    elif spoil != "bytes":
        labels["sha256"] = hashlib.sha256(changed).hexdigest()
    copies.client.put_object(Bucket="backups", Key=key, Body=bytes(changed), Metadata=labels)
    bookmark = database.bookmark()
    assert words in restore(daemon, "shop", expect=status)
    assert database.bookmark() == bookmark and database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    assert "message" in restore(daemon, "new", key, expect=status)
    assert [each["name"] for each in daemon.v4("GET", ALL).result] == ["shop"] and leftovers(daemon) == []


def test_rows_that_break_a_check_come_back_too(shop):
    daemon, copies, database = shop
    database.query("CREATE TABLE c (a INTEGER CHECK (a > 0), b TEXT DEFAULT \"x\")")
    database.query("PRAGMA ignore_check_constraints = ON; INSERT INTO c VALUES (-1, 'y')").result  # noqa: B018
    back_up(daemon, "shop", "--bucket", "backups")
    database.query("DELETE FROM c")
    restore(daemon, "shop")
    assert database.rows("SELECT a FROM c") == [{"a": -1}]


def test_a_virtual_table_comes_back_too(shop):
    daemon, copies, database = shop
    database.query("CREATE VIRTUAL TABLE words USING fts5(w); INSERT INTO words VALUES ('hello world')").result  # noqa: B018
    back_up(daemon, "shop", "--bucket", "backups")
    database.query("DELETE FROM words")
    restore(daemon, "shop")
    assert database.rows("SELECT w FROM words WHERE words MATCH 'hello'") == [{"w": "hello world"}]


def test_a_restore_under_load(shop):
    daemon, copies, database = shop
    database.query("CREATE TABLE n (i INTEGER)")
    back_up(daemon, "shop", "--bucket", "backups")
    done, wrong = threading.Event(), []

    def work():
        while not done.is_set():
            answer = database.query("INSERT INTO n VALUES (1); SELECT count(*) AS c FROM t")
            if answer.status == 200:
                if answer.result[-1]["results"] != [{"c": 2}]:
                    wrong.append(answer)
            elif answer.status != 503:
                wrong.append(answer)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for each in workers:
        each.start()
    undo = []
    for _ in range(5):
        undo.append(restore(daemon, "shop")["previous"])
        time.sleep(0.2)
    done.set()
    for each in workers:
        each.join()
    assert not wrong, wrong[0]
    restore(daemon, "shop")
    assert database.rows("SELECT count(*) AS c FROM n") == [{"c": 0}]
    database.restore(f"?bookmark={undo[0]}").result  # noqa: B018
    assert database.rows("SELECT count(*) AS c FROM n")[0]["c"] > 0


@pytest.mark.parametrize("after", [0.0, 0.02, 0.05, 0.1, 0.2])
def test_a_kill_during_a_restore_leaves_it_done_or_not(shop, after):
    daemon, copies, database = shop
    database.query("CREATE TABLE big (b BLOB)")
    database.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
                   "INSERT INTO big SELECT randomblob(500000) FROM n")
    back_up(daemon, "shop", "--bucket", "backups")
    database.query("DELETE FROM big; UPDATE t SET b = 'changed'")
    ask = subprocess.Popen([*BINARY_D1, "restore", "shop", "--from", "latest", "--bucket", "backups", "--data", str(daemon.data)],
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    daemon.kill()
    ask.wait(60)
    daemon.start()
    state = (database.rows("SELECT count(*) AS n FROM big")[0]["n"], database.rows("SELECT b FROM t WHERE a = 1")[0]["b"])
    assert state in ((20, "one"), (0, "changed")), state
    assert leftovers(daemon) == []
    daemon.stop()
    daemon.command("fsck", "--scrub")


# ---- the plan

def newest(copies, database):
    return [key for key in copies.keys() if database.id in key]


def planned(fresh, **backup):
    daemon = fresh.start()
    copies = Copies(daemon)
    database = filled(daemon)
    daemon.stop()
    configured(daemon, **backup).start()
    return daemon, copies, database


def test_copies_are_made_by_themselves_of_what_has_changed(fresh):
    daemon, copies, database = planned(fresh)
    other = filled(daemon, "other")
    wait_until(lambda: newest(copies, database) and newest(copies, other), "there are copies")
    time.sleep(3)
    assert len(copies.keys()) == 2
    database.query("INSERT INTO t VALUES (3, 'three')")
    wait_until(lambda: len(newest(copies, database)) == 2, "the change is copied")
    assert len(newest(copies, other)) == 1
    shown = metrics(daemon)
    assert shown["levada_d1_backups_total"] == 3
    assert shown["levada_d1_backup_failures_total"] == 0
    assert abs(shown["levada_d1_backup_last_success_timestamp_seconds"] - time.time()) < 60


def test_the_oldest_copies_go_and_what_is_not_ours_stays(fresh):
    daemon, copies, database = planned(fresh, keep=2)
    for name in ("d1/readme.txt", f"d1/shop-{database.id}/notes.sqlite"):
        copies.client.put_object(Bucket="backups", Key=name, Body=b"mine")
    kept = []
    for i in range(4):
        database.query(f"INSERT INTO t VALUES ({i + 10}, 'x')")
        bookmark = database.bookmark()
        wait_until(lambda at=bookmark: any(at in key for key in copies.keys()), "it is copied")
        kept.append(bookmark)
    wait_until(lambda: len(copies.keys()) == 4, "the older ones are gone")
    assert [KEY.fullmatch(key).group(4) for key in copies.keys() if KEY.fullmatch(key)] == kept[-2:]


def test_a_missed_time_is_made_up(fresh):
    daemon, copies, database = planned(fresh)
    wait_until(lambda: copies.keys(), "there is a copy")
    database.query("INSERT INTO t VALUES (3, 'three')")
    bookmark = database.bookmark()
    daemon.kill()
    daemon.start()
    wait_until(lambda: any(bookmark in key for key in copies.keys()), "what changed before the kill is copied")


def test_only_what_is_named_is_copied(fresh):
    daemon, copies, database = planned(fresh, databases=["other"])
    other = filled(daemon, "other")
    wait_until(lambda: newest(copies, other), "the other one is copied")
    assert newest(copies, database) == []


def test_each_bucket_takes_the_databases_of_its_account(fresh):
    daemon = fresh.start()
    copies = Copies(daemon)
    mine = filled(daemon)
    other = json.loads(daemon.command("account", "create", "other", "--json").stdout)["account_id"]
    theirs = Copies(daemon, "theirs", account=other)
    made = daemon.v4("POST", ALL.replace("{account}", other), {"name": "shop"}, token=theirs.token["token"]).result["uuid"]
    daemon.stop()
    configured(daemon, to=["backups", "theirs"]).start()
    wait_until(lambda: copies.keys() and theirs.keys(), "both are copied")
    assert all(mine.id in key for key in copies.keys()) and all(made in key for key in theirs.keys())
    assert json.loads(ran(daemon, "restore", made, "--from", "latest", "--json").stdout)["database_id"] == made
    named = ran(daemon, "restore", "shop", "--from", "latest", "--account", "other", "--json").stdout
    assert json.loads(named)["database_id"] == made
    assert "another account" in ran(daemon, "restore", "shop", "--from", "latest", "--account", "other", "--bucket", "backups",
                                    expect=10).stderr


def test_a_bucket_that_is_not_there_is_said_and_tried_again(fresh):
    daemon = configured(fresh).start()
    database = filled(daemon)
    wait_until(lambda: 'there is no bucket \\"backups\\"' in daemon.logged(), "the log says it")
    shown = metrics(daemon)
    assert shown["levada_d1_backup_failures_total"] > 0
    assert shown["levada_d1_backup_last_success_timestamp_seconds"] == 0
    copies = Copies(daemon)
    wait_until(lambda: newest(copies, database), "it is copied once the bucket is there")
    wait_until(lambda: metrics(daemon)["levada_d1_backup_last_success_timestamp_seconds"] > 0, "that is a success")


def test_the_plan_names_the_bucket_of_commands(fresh):
    daemon, copies, database = planned(fresh, every="1d")
    made = json.loads(ran(daemon, "backup", "shop", "--json").stdout)
    database.query("DELETE FROM t")
    shown = ran(daemon, "restore", "shop", "--from", "latest").stdout
    assert made["key"] in shown and "time-travel restore shop --bookmark" in shown
    assert database.rows("SELECT count(*) AS n FROM t") == [{"n": 2}]
    assert "nothing has changed" not in ran(daemon, "backup", "shop").stdout
    assert "nothing has changed" in ran(daemon, "backup", "shop").stdout
    daemon.stop()
    assert "nothing has changed" in ran(daemon, "backup", "shop", "--config", str(daemon.root / "serve.yaml")).stdout


@pytest.mark.parametrize("after", [0.0, 0.05, 0.15, 0.4, 0.8])
def test_a_kill_during_a_copy_leaves_none_or_a_whole_one(fresh, after):
    daemon = configured(fresh, every="1s").start()
    copies = Copies(daemon)
    database = filled(daemon)
    database.query("CREATE TABLE big (b BLOB)")
    for _ in range(4):
        database.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
                       "INSERT INTO big SELECT randomblob(500000) FROM n")
    wait_until(lambda: any("backup-" in name for name in leftovers(daemon)) or newest(copies, database), "a copy begins")
    time.sleep(after)
    daemon.kill()
    daemon.start()
    bookmark = database.bookmark()
    wait_until(lambda: any(bookmark in key for key in copies.keys()), "there is a copy of the newest state")
    for key in copies.keys():
        labels, body = copies.get(key)
        assert hashlib.sha256(body).hexdigest() == labels["sha256"]
    before = database.rows("SELECT count(*) AS n FROM big")
    restore(daemon, "shop")
    assert database.rows("SELECT count(*) AS n FROM big") == before
    daemon.stop()
    daemon.command("fsck", "--scrub")


def test_a_stop_during_a_copy_is_in_order(fresh):
    daemon, copies, database = planned(fresh)
    database.query("CREATE TABLE big (b BLOB)")
    for i in range(5):
        database.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20) "
                       "INSERT INTO big SELECT randomblob(500000) FROM n")
        time.sleep(0.3 * i)
        assert daemon.stop() == 0
        daemon.start()
    assert leftovers(daemon) in ([],) or all("backup-" in name for name in leftovers(daemon))


@pytest.mark.parametrize("backup, words", [
    ({"to": []}, "bucket"), ({"every": "0s"}, "at least 1s"), ({"every": "soon"}, "every"), ({"keep": 0}, "keep"),
    ({"keeps": 1}, "did you mean"), ({"to": "backups"}, "list")])
def test_a_plan_that_cannot_be_is_refused(fresh, backup, words):
    configured(fresh, **backup)
    with pytest.raises(AssertionError) as refused:
        fresh.start()
    assert words in str(refused.value)
