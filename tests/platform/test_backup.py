"""`levada backup` and `levada restore`: of a daemon that serves and of none, to a directory and to S3, told apart from what is
no backup, killed in the middle, and damaged. What a copy is under load: test_backup_load.py."""

import base64
import fcntl
import json
import pathlib
import signal
import subprocess
import time

import pytest

from conftest import BINARY, Daemon, daemon_of, flip, scratch_root, wait_until
from s3_client import S3
from test_kv import ALL, Space

DATABASES = "/accounts/{account}/d1/database"


def levada(*arguments, expect=0, environment=None):
    ran = subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
                         env=environment)
    assert expect is None or ran.returncode == expect, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
    return ran


def backup(daemon, place, *more, **how):
    return json.loads(levada("backup", place, "--data", daemon.data, "--json", *more, **how).stdout)


def ids_of(place):
    return [each["id"] for each in json.loads(levada("restore", place, "--list", "--json").stdout)["backups"]]


class Filled:
    """A daemon with something in each store, and what it has to answer."""

    def __init__(self, daemon):
        self.daemon = daemon
        token = daemon.issue("all:admin")
        self.keys = token["s3_access_key_id"], token["s3_secret_access_key"]
        self.text = token["token"]
        self.namespace = daemon.v4("POST", ALL, {"title": "settings"}).result["id"]
        Space(daemon, self.namespace).put("key", "value")
        s3 = S3(daemon.ready["s3"], *self.keys)
        s3.client.create_bucket(Bucket="photos")
        s3.client.put_object(Bucket="photos", Key="small", Body=b"small")
        s3.client.put_object(Bucket="photos", Key="large", Body=bytes(range(256)) * 4000)
        self.database = daemon.v4("POST", DATABASES, {"name": "shop"}).result["uuid"]
        self.query("CREATE TABLE t (n INTEGER)")
        self.query("INSERT INTO t VALUES (1), (2)")
        self.queue = daemon.v4("POST", "/accounts/{account}/queues", {"queue_name": "jobs"}).result["queue_id"]
        self.send("first")

    def query(self, sql, daemon=None):
        answer = (daemon or self.daemon).v4("POST", f"{DATABASES}/{self.database}/query", {"sql": sql})
        assert answer.status == 200, answer
        return answer.result[-1]["results"]

    def send(self, text):
        sent = self.daemon.v4("POST", f"/accounts/{{account}}/queues/{self.queue}/messages", {"body": text})
        assert sent.status == 200, sent

    def check(self, daemon):
        """That another daemon has all of it."""
        daemon.account, daemon.token = self.daemon.account, self.text
        assert Space(daemon, self.namespace).get("key").body == b"value"
        client = S3(daemon.ready["s3"], *self.keys).client
        assert client.get_object(Bucket="photos", Key="small")["Body"].read() == b"small"
        assert client.get_object(Bucket="photos", Key="large")["Body"].read() == bytes(range(256)) * 4000
        assert self.query("SELECT n FROM t ORDER BY n", daemon) == [{"n": 1}, {"n": 2}]
        page = daemon.v4("GET", f"/accounts/{{account}}/queues/{self.queue}/messages?limit=10").result
        assert [json.loads(base64.b64decode(message["body"])) for message in page["messages"]] == ["first"]

    def check_restored(self, place, *options):
        root = scratch_root()
        restored = Daemon(root)
        try:
            said = levada("restore", place, restored.data, *options).stdout
            assert str(restored.data) in said
            levada("fsck", "--data", restored.data, "--scrub")
            restored.start()
            self.check(restored)
            assert restored.stop() == 0
        finally:
            restored.remove()
            subprocess.run(["rm", "-rf", root], check=True)


@pytest.fixture(scope="module")
def filled():
    with daemon_of() as daemon:
        yield Filled(daemon.start())


@pytest.fixture
def place(tmp_path):
    return tmp_path / "backups"


def test_a_daemon_is_copied_while_it_serves(filled, place):
    said = levada("backup", place, "--data", filled.daemon.data).stdout
    assert "master.key is in it" in said and str(place) in said
    assert ids_of(place)[0] in said
    filled.check_restored(place)
    assert not (filled.daemon.data / "snapshots" / "taken").exists()


def test_a_stopped_one_too_even_when_it_was_killed(place):
    with daemon_of() as daemon:
        filled = Filled(daemon.start())
        daemon.kill()
        backup(daemon, place)
        filled.check_restored(place)
        daemon.start()
        assert daemon.stop() == 0
        done = backup(daemon, place)
        assert done["files"] > 5
        filled.check_restored(place)


def test_what_did_not_change_is_not_copied_again(filled, place):
    first = backup(filled.daemon, place)
    assert first["new_bytes"] > 1_000_000 and first["new_files"] > 5
    Space(filled.daemon, filled.namespace).put("other", "value")
    again = backup(filled.daemon, place)
    assert again["id"] > first["id"]
    assert again["bytes"] >= 1_000_000
    # Heads of stores, which are written anew; nothing of the objects.
    assert again["new_bytes"] < 200_000, again
    filled.check_restored(place, "--backup", first["id"])
    kept = backup(filled.daemon, place, "--keep", "2")
    assert kept["backups_removed"] == 1 and kept["files_removed"] > 0
    assert ids_of(place) == [again["id"], kept["id"]]
    filled.check_restored(place, "--backup", again["id"])


def test_a_removed_object_stays_in_the_backup(place):
    with daemon_of() as daemon:
        filled = Filled(daemon.start())
        backup(daemon, place)
        client = S3(daemon.ready["s3"], *filled.keys).client
        client.delete_object(Bucket="photos", Key="large")
        blobs = lambda: [path for path in (daemon.data / "objects/blobs").rglob("*") if path.is_file()]
        wait_until(lambda: not blobs(), "the file of the object is gone")
        filled.check_restored(place)


def test_the_key_may_be_kept_elsewhere(filled, place, tmp_path):
    done = backup(filled.daemon, place, "--no-master-key")
    assert not done["master_key"]
    assert not any(path.read_bytes() == (filled.daemon.data / "master.key").read_bytes()
                   for path in place.rglob("*") if path.is_file())
    said = levada("restore", place, tmp_path / "data").stdout
    assert "--master-key" in said
    refused = levada("token", "list", "--data", tmp_path / "data", expect=None)
    assert refused.returncode == 10 and "master key" in refused.stderr
    levada("token", "list", "--data", tmp_path / "data", "--master-key", filled.daemon.data / "master.key")


def test_s3_is_a_place_as_well(filled):
    with daemon_of() as other:
        other.start()
        token = other.issue("all:admin")
        s3 = S3(other.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
        s3.client.create_bucket(Bucket="backups")
        host = other.ready["s3"].removeprefix("http://")
        place = f"s3://backups/levada/main?endpoint_override={host}&scheme=http&region=auto"
        keys = {"AWS_ACCESS_KEY_ID": token["s3_access_key_id"], "AWS_SECRET_ACCESS_KEY": token["s3_secret_access_key"],
                "PATH": "/usr/bin:/bin"}
        first = backup(filled.daemon, place, environment=keys)
        again = backup(filled.daemon, place, "--keep", "1", environment=keys)
        assert again["new_bytes"] < 200_000 < first["new_bytes"]
        listed = levada("restore", place, "--list", environment=keys).stdout
        assert again["id"] in listed and first["id"] not in listed
        assert "all as they were written" in levada("restore", place, "--check", environment=keys).stdout
        root = scratch_root()
        restored = Daemon(root)
        try:
            levada("restore", place, restored.data, environment=keys)
            filled.check(restored.start())
        finally:
            restored.remove()
            subprocess.run(["rm", "-rf", root], check=True)
        wrong = levada("backup", place, "--data", filled.daemon.data, expect=None,
                       environment=keys | {"AWS_SECRET_ACCESS_KEY": "wrong"})
        assert wrong.returncode == 40 and "s3://backups/levada/main" in wrong.stderr, wrong.stderr
    gone = levada("backup", place, "--data", filled.daemon.data, expect=None, environment=keys | {"AWS_MAX_ATTEMPTS": "1"})
    assert gone.returncode == 40, gone.stderr


def test_credentials_do_not_go_into_an_address(filled):
    refused = levada("backup", "s3://key:sesame@backups/x", "--data", filled.daemon.data, expect=None)
    assert refused.returncode == 10
    assert "sesame" not in refused.stderr and "AWS_ACCESS_KEY_ID" in refused.stderr


@pytest.mark.parametrize("arguments, said", [
    (["backup"], "needs one place"), (["backup", "a", "b"], "needs one place"), (["restore", "a"], "new directory"),
    (["restore", "a", "b", "--list"], "no directory"), (["backup", "gs://a/b"], "is no place for backups"),
    (["backup", "a", "--keep", "0"], "--keep"),
])
def test_what_makes_no_sense_is_refused(filled, arguments, said):
    more = ["--data", filled.daemon.data] if arguments[0] == "backup" else []
    refused = levada(*arguments, *more, expect=None)
    assert refused.returncode == 10 and said in refused.stderr, refused.stderr


def test_a_place_of_something_else_is_left_alone(filled, tmp_path):
    (tmp_path / "letter").write_text("dear")
    refused = levada("backup", tmp_path, "--data", filled.daemon.data, expect=None)
    assert refused.returncode == 40 and "letter" in refused.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_nothing_is_restored_over_a_data_directory(filled, place):
    backup(filled.daemon, place)
    refused = levada("restore", place, filled.daemon.data, expect=None)
    assert refused.returncode == 40 and "is not empty" in refused.stderr
    assert filled.query("SELECT count(*) AS n FROM t") == [{"n": 2}]


def test_damage_is_named_and_not_served(filled, place, tmp_path):
    backup(filled.daemon, place)
    largest = max((path for path in place.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    flip(largest, 1000)
    for refused in (levada("restore", place, "--check", expect=None), levada("restore", place, tmp_path / "data", expect=None)):
        assert refused.returncode == 40 and largest.name in refused.stderr
    serve = subprocess.run([BINARY, "serve", "--data", tmp_path / "data", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"],
                           capture_output=True, text=True, timeout=30)
    assert serve.returncode == 40 and "run `levada restore` again" in serve.stderr, serve.stderr
    flip(largest, 1000)
    levada("restore", place, "--check")
    levada("restore", place, tmp_path / "data")


def test_one_at_a_time(filled, place):
    lock = filled.daemon.data / "snapshots" / "LOCK"
    with open(lock) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        refused = levada("backup", place, "--data", filled.daemon.data, expect=None)
        assert refused.returncode == 75 and "under way" in refused.stderr
    backup(filled.daemon, place)


def test_killed_backups_and_restores_are_run_again(place, tmp_path):
    with daemon_of() as daemon:
        filled = Filled(daemon.start())
        client = S3(daemon.ready["s3"], *filled.keys).client
        for number in range(100):
            client.put_object(Bucket="photos", Key=f"many/{number}", Body=bytes([number]) * 200_000)

        def killed_after(seconds, *arguments):
            with subprocess.Popen([BINARY, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
                time.sleep(seconds)
                process.send_signal(signal.SIGKILL)

        for tenths in range(1, 9):
            killed_after(tenths / 20, "backup", place, "--data", daemon.data)
            if place.exists():
                for each in ids_of(place):
                    levada("restore", place, "--check", "--backup", each)
        backup(daemon, place)
        for tenths in range(1, 6):
            killed_after(tenths / 20, "restore", place, tmp_path / "data")
        if (tmp_path / "data/VERSION").exists():  # a fast machine
            subprocess.run(["rm", "-rf", tmp_path / "data"], check=True)
        levada("restore", place, tmp_path / "data")
        filled.check_restored(place)
        # A killed daemon's snapshot goes with the next start.
        (daemon.data / "snapshots/taken").mkdir(exist_ok=True)
        (daemon.data / "snapshots/taken/left").write_text("left")
        daemon.kill()
        daemon.start()
        wait_until(lambda: not (daemon.data / "snapshots/taken").exists(), "what was left is gone")


def test_a_copy_and_its_origin_go_their_own_ways(filled, place):
    """What a restored daemon writes is nothing to the one it was copied of, and can be backed up itself."""
    backup(filled.daemon, place)
    root = scratch_root()
    restored = Daemon(root)
    try:
        levada("restore", place, restored.data)
        restored.start()
        restored.account, restored.token = filled.daemon.account, filled.text
        Space(restored, filled.namespace).put("key", "another")
        filled.query("INSERT INTO t VALUES (3)", restored)
        assert filled.query("SELECT count(*) AS n FROM t") == [{"n": 2}]
        again = backup(restored, pathlib.Path(root) / "second")
        assert again["files"] > 5
        filled.check(filled.daemon)
    finally:
        restored.remove()
        subprocess.run(["rm", "-rf", root], check=True)
