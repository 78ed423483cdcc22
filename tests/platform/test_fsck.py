"""levada fsck on directories that daemons made and something damaged."""

import json
import os
import random
import re
import shutil
import subprocess

import pytest

from conftest import BINARY, flip, wait_until

SPACES = "/accounts/{account}/storage/kv/namespaces"
OBJECTS = "/accounts/{account}/r2/buckets/{bucket}/objects"
QUEUES = "/accounts/{account}/queues"
DATABASES = "/accounts/{account}/d1/database"
CLEAN, DAMAGED = 0, 31


def fsck(daemon, *options, expect=CLEAN):
    return json.loads(daemon.command("fsck", "--json", *options, expect=expect).stdout)


def found(report):
    return [(f["kind"], f["store"], f["what"]) for f in report["findings"]]


@pytest.fixture
def filled(fresh):
    """A directory with something of everything, and no daemon."""
    fresh.start()
    fresh.space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    for name, size in (("small", 10), ("large", 200_000)):
        assert fresh.v4("PUT", f"{SPACES}/{fresh.space}/values/{name}", random.Random(1).randbytes(size)).status == 200
    assert fresh.v4("POST", "/accounts/{account}/r2/buckets", {"name": "photos"}).status == 200
    for name, size in (("small", 10), ("large", 600_000)):
        path = OBJECTS.replace("{bucket}", "photos") + f"/{name}"
        assert fresh.v4("PUT", path, random.Random(2).randbytes(size)).status == 200
    fresh.queue = fresh.v4("POST", QUEUES, {"queue_name": "orders"}).result["queue_id"]
    for size in (10, 100_000):
        assert fresh.v4("POST", f"{QUEUES}/{fresh.queue}/messages", {"body": "x" * size, "content_type": "text"}).status == 200
    database = fresh.v4("POST", DATABASES, {"name": "shop"}).result["uuid"]
    for sql in ("CREATE TABLE t (a)", "INSERT INTO t VALUES (1)"):
        assert fresh.v4("POST", f"{DATABASES}/{database}/query", {"sql": sql}).status == 200
    fresh.stop()
    return fresh


def blobs(daemon):
    return [path for path in (daemon.data / "objects/blobs").rglob("*") if path.is_file()]


def test_a_directory_that_was_stopped_is_clean(filled):
    report = fsck(filled)
    assert (report["levada_fsck"], report["clean"], report["scrubbed"], report["findings"]) == (1, True, False, [])
    checked = report["checked"]
    assert (checked["accounts"], checked["tokens"], checked["kv_keys"], checked["r2_objects"], checked["r2_files"]) == (1, 1, 2, 2, 1)
    assert checked["kv_bytes"] == 200_010 and checked["r2_bytes_read"] == 0
    assert (checked["queues"], checked["queue_messages"], checked["queue_bytes"]) == (1, 2, 100_010)
    assert (checked["d1_databases"], checked["d1_pages"], checked["d1_transactions"]) == (1, 2, 2)
    report = fsck(filled, "--scrub")
    assert report["scrubbed"] and report["clean"] and report["checked"]["r2_bytes_read"] == 600_000
    filled.start()
    assert len(filled.v4("GET", f"{SPACES}/{filled.space}/values/large").body) == 200_000, "nothing was changed"


def test_a_directory_of_a_killed_daemon_is_clean_and_says_what_is_left(filled):
    filled.start()
    filled.kill()
    assert fsck(filled)["clean"]
    lone = filled.data / "objects/blobs/ab"
    lone.mkdir(exist_ok=True)
    (lone / ("0" * 16 + "ab" + "0" * 14)).write_bytes(b"begun")
    report = fsck(filled)
    assert report["clean"] and report["leftovers"] == 1
    assert found(report) == [("leftover", "r2", "file_of_no_record")]
    filled.start()
    wait_until(lambda: len(blobs(filled)) == 1, "the next start has removed it")


def test_an_empty_directory_is_clean(fresh):
    fresh.start()
    fresh.stop()
    assert fsck(fresh, "--scrub")["clean"]


def test_a_running_daemon_is_not_looked_into(fresh):
    fresh.start()
    ran = fresh.command("fsck", expect=75)
    assert "LV7501" in ran.stderr and "stop it first" in ran.stderr
    assert fresh.v4("GET", "/user").status == 200


def test_a_directory_that_is_none_is_said_and_not_made(fresh):
    assert "no data directory" in fresh.command("fsck", expect=10).stderr
    assert not fresh.data.exists()


def test_a_missing_file_is_named(filled):
    path, = blobs(filled)
    path.unlink()
    report = fsck(filled, expect=DAMAGED)
    assert not report["clean"] and found(report) == [("damage", "r2", "file_missing")]
    assert report["findings"][0]["where"] == 'bucket "photos", key "large"'


def test_a_damaged_byte_of_an_object_is_found_by_a_scrub(filled):
    path, = blobs(filled)
    flip(path, 300_000)
    assert fsck(filled)["clean"]
    report = fsck(filled, "--scrub", expect=DAMAGED)
    assert found(report) == [("damage", "r2", "file_damaged")] and "block 1" in report["findings"][0]["detail"]


def test_a_damaged_value_of_kv_is_named(filled):
    for _ in range(2):  # from the log into a file of its own
        filled.start()
        filled.stop()
    blob, = [path for path in (filled.data / "kv").glob("*.blob") if path.stat().st_size > 100_000]
    flip(blob, 100_000)
    report = fsck(filled, expect=DAMAGED)
    assert found(report) == [("damage", "kv", "value_damaged")]
    assert report["findings"][0]["where"] == f'namespace {filled.space}, key "large"'


def test_points_that_no_engine_has_yet_are_read(fresh):
    fresh.start("--analytics-library", "/nowhere/libchdb.so")
    assert fresh.v4("POST", "/accounts/{account}/analytics_engine/write?dataset=d", "{}\n{}").result == {"points": 2}
    fresh.stop()
    assert fsck(fresh)["checked"]["analytics_points"] == 2
    segment, = [path for path in (fresh.data / "analytics/wal").iterdir() if path.stat().st_size > 100]
    flip(segment, 100)
    report = fsck(fresh, expect=DAMAGED)
    assert found(report) == [("damage", "analytics", "segment_damaged")] and segment.name in report["findings"][0]["where"]


def test_a_damaged_control_database_does_not_hide_the_rest(filled):
    with open(filled.data / "control.db", "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    path, = blobs(filled)
    path.unlink()
    report = fsck(filled, expect=DAMAGED)
    assert set(found(report)) == {("damage", "control", "store_damaged"), ("damage", "r2", "file_missing")}
    assert report["checked"]["kv_keys"] == 2


@pytest.mark.parametrize("store, folder", [("kv", "kv"), ("r2", "objects/index"), ("queues", "queues")])
def test_a_store_that_cannot_be_opened_does_not_hide_the_rest(filled, store, folder):
    (filled.data / folder / "CURRENT").unlink()
    report = fsck(filled, expect=DAMAGED)
    assert found(report) == [("damage", store, "store_damaged")]


def test_a_table_for_people(filled):
    out = filled.command("fsck").stdout
    assert "no damage, leftovers: 0" in out and "2 objects" in out
    path, = blobs(filled)
    path.unlink()
    lines = filled.command("fsck", expect=DAMAGED).stdout.splitlines()
    assert lines[0].split() == ["store", "what", "where", "detail"]
    assert re.match(r"damage +r2 +file missing +bucket \"photos\", key \"large\" +/", lines[1])
    assert "damaged: 1, leftovers: 0" in lines[-1]


def test_on_a_terminal_it_says_how_far_it_is(filled):
    drawn = "\x1b[K"
    before, first, *rest = filled.shown(80, "fsck")
    assert (before, first) == ("", f"{drawn}kv: 1 key, 195.3 KiB")
    assert f"{drawn}{filled.data}" in rest, "and takes it away"
    assert not any(drawn in line for line in filled.shown(80, "fsck", "--quiet"))


def test_it_takes_no_words(fresh):
    assert "takes no arguments" in fresh.command("fsck", "now", expect=10).stderr


def salvage(daemon, expect=CLEAN):
    return json.loads(daemon.command("fsck", "--salvage", "--json", expect=expect).stdout)


def test_nothing_is_salvaged_of_what_is_whole(filled):
    before = {path: path.read_bytes() for path in (filled.data / "kv").glob("*.sst")}
    assert salvage(filled)["salvaged"] == {"kept": [], "lost": []}
    assert before == {path: path.read_bytes() for path in (filled.data / "kv").glob("*.sst")}
    assert "nothing to salvage" in filled.command("fsck", "--salvage").stdout


def test_of_a_log_all_but_the_damaged_record_is_salvaged(filled):
    filled.start()
    for i in range(100):
        filled.v4("PUT", f"{SPACES}/{filled.space}/values/{i}", f"{i} " * 400)
    filled.kill()
    log = max((filled.data / "kv").glob("*.log"))
    flip(log, 50_000)
    filled.start()
    assert filled.v4("GET", f"{SPACES}/{filled.space}/values/small").status == 500, "nothing of it is served"
    filled.stop()
    report = salvage(filled, expect=DAMAGED)
    assert report["clean"] and report["salvaged"]["kept"] == [f"{filled.data}/kv.damaged-1"]
    assert report["lost"] == len(report["salvaged"]["lost"]) > 0
    assert {lost["what"] for lost in report["salvaged"]["lost"]} == {"records_lost"}
    filled.start()
    assert len(filled.v4("GET", f"{SPACES}/{filled.space}/values/large").body) == 200_000
    there = [filled.v4("GET", f"{SPACES}/{filled.space}/values/{i}") for i in range(100)]
    assert all(answer.status == 404 or answer.body.decode() == f"{i} " * 400 for i, answer in enumerate(there))
    assert sum(answer.status == 200 for answer in there) > 50
    filled.v4("PUT", f"{SPACES}/{filled.space}/values/new", "v")
    filled.stop()
    assert fsck(filled)["clean"]


@pytest.mark.parametrize("lost", ["CURRENT", "MANIFEST-*"])
@pytest.mark.parametrize("folder", ["kv", "objects/index"])
def test_without_its_list_of_tables_a_store_is_salvaged_from_them(filled, folder, lost):
    for path in (filled.data / folder).glob(lost):
        path.unlink()
    report = salvage(filled, expect=DAMAGED)
    assert report["clean"] and report["salvaged"]["kept"] == [f"{filled.data}/{folder}.damaged-1"]
    assert [lost["what"] for lost in report["salvaged"]["lost"]] == ["list_of_tables_lost"]
    assert (report["checked"]["kv_keys"], report["checked"]["r2_objects"]) == (2, 2)
    filled.start()
    assert len(filled.v4("GET", f"{SPACES}/{filled.space}/values/large").body) == 200_000
    for name, size in (("small", 10), ("large", 600_000)):
        path = OBJECTS.replace("{bucket}", "photos") + f"/{name}"
        assert filled.v4("GET", path).body == random.Random(2).randbytes(size)


def test_files_of_objects_whose_records_are_lost_stay(filled):
    objects, inline, registered = sorted((filled.data / "objects/index").glob("*.sst"))
    for table in (objects, registered):
        table.write_bytes(table.read_bytes()[:-100])
    report = salvage(filled, expect=DAMAGED)
    lost = [lost["detail"] for lost in report["salvaged"]["lost"] if lost["what"] == "records_lost"]
    assert all(any(str(int(table.stem)) in each for each in lost) for table in (objects, registered)), lost
    assert report["checked"]["r2_objects"] == 0
    assert set(found(report)) == {("leftover", "r2", "file_of_no_record"), ("leftover", "r2", "bytes_of_no_object")}
    filled.start()
    filled.stop()
    assert len(blobs(filled)) == 1, "said, and not gone"


def test_a_file_that_is_all_that_is_left_of_an_object_is_no_rubbish(filled):
    objects, *_ = sorted((filled.data / "objects/index").glob("*.sst"))
    objects.write_bytes(objects.read_bytes()[:-100])
    assert "copy what you miss before you remove any" in filled.command("fsck", "--salvage", expect=DAMAGED).stdout
    report = fsck(filled)
    assert 'once of bucket "photos", key "large"' in [finding["detail"] for finding in report["findings"]], report


def test_files_of_objects_whose_index_is_gone_stay(filled):
    shutil.rmtree(filled.data / "objects/index")
    for _ in range(2):
        filled.start()
        filled.stop()
    assert len(blobs(filled)) == 1
    assert found(fsck(filled)) == [("leftover", "r2", "file_of_no_record")]


def test_two_damaged_stores_are_salvaged_and_kept_under_free_names(filled):
    for folder in ("kv", "objects/index"):
        (filled.data / f"{folder}.damaged-1").mkdir()
        (filled.data / folder / "CURRENT").unlink()
    out = filled.command("fsck", "--salvage", expect=DAMAGED).stdout
    assert f"kept as {filled.data}/kv.damaged-2" in out and f"kept as {filled.data}/objects/index.damaged-2" in out
    assert "list of tables lost" in out and "no damage" in out
    assert out.splitlines()[-1] == "salvaged, without the list of tables: see above"


def test_a_control_database_comes_from_a_backup_alone(filled):
    with open(filled.data / "control.db", "r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096)
    out = filled.command("fsck", "--salvage", expect=DAMAGED).stdout
    assert "control.db cannot be salvaged: put it back from a backup" in out and "every store" not in out
    said = filled.command("token", "list", expect=40).stderr
    assert "LV4008" in said and "put control.db back from a backup" in said


@pytest.mark.parametrize("what", ["missing", "wrong", "unusable"])
def test_without_the_right_master_key_no_directory_is_clean(filled, what):
    key, elsewhere = filled.data / "master.key", filled.root / "kept.key"
    key.rename(elsewhere)
    if what != "missing":
        key.write_text("0 " + "a" * 64 + "\n" if what == "wrong" else "nonsense\n")
        key.chmod(0o600)
    report = fsck(filled, expect=DAMAGED)
    assert found(report) == [("damage", "control", f"master_key_{what}")] and report["findings"][0]["where"] == str(key)
    assert fsck(filled, "--master-key", str(elsewhere))["clean"]


def test_a_lost_version_comes_from_a_backup(filled):
    (filled.data / "VERSION").unlink()
    for command in (("fsck",), ("token", "list"), ("serve", "--listen", "127.0.0.1:0")):
        said = filled.command(*command, expect=40).stderr
        assert "LV4008" in said and "put VERSION back from a backup" in said, said


def test_who_may_not_look_is_told_whose_it_is(filled):
    if os.geteuid() != 0:
        pytest.skip("nobody else to be")
    filled.root.chmod(0o711)
    for command in ("fsck", "token"):
        arguments = [command, "list"] if command == "token" else [command]
        ran = subprocess.run([BINARY, *arguments, "--data", filled.data], capture_output=True, text=True, timeout=30, user="nobody",
                             cwd="/")
        assert ran.returncode == 40 and "run it as the user that owns the directory" in ran.stderr, ran


def test_what_cannot_be_salvaged_is_said(filled):
    for path in (filled.data / "kv").iterdir():
        path.write_bytes(b"nonsense")
    ran = filled.command("fsck", "--salvage", expect=40)
    assert "LV4008" in ran.stderr and "backup" in ran.stderr
    assert not (filled.data / "kv.damaged-1").exists()
