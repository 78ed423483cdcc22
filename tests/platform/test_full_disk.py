"""A disk that is full, on a small file system of its own: what grows is refused and told, all else goes on, and room is used again."""

import contextlib
import os
import shutil
import subprocess
import time

import pytest

from conftest import Daemon, scratch_root, wait_until
from s3_client import MEBIBYTE, S3, refused
from test_operations import metrics

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")

FULL = (507, "InsufficientStorage")
SPACES = "/accounts/{account}/storage/kv/namespaces"
DATABASES = "/accounts/{account}/d1/database"
RESERVE = 64 * MEBIBYTE


@pytest.fixture
def small():
    """A daemon whose data are on a small tmpfs."""
    root = scratch_root()
    daemon = Daemon(root)
    daemon.data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300m,mode=0700", "tmpfs", str(daemon.data)], check=True)
    try:
        yield daemon.start()
    finally:
        daemon.remove()
        subprocess.run(["umount", str(daemon.data)], check=True)
        shutil.rmtree(root, ignore_errors=True)


def free(daemon):
    return shutil.disk_usage(daemon.data).free


def fill_up_to(daemon, left):
    """Somebody else's file takes the disk."""
    filler = daemon.data / "filler"
    filler.write_bytes(b"x" * (free(daemon) - left))
    return filler


def is_full(daemon):
    return metrics(daemon)["levada_disk_full"] == 1


def s3_of(daemon):
    token = daemon.issue("all:admin")
    return S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])


def upload_without_end(daemon, bucket):
    """Of a size that nobody is told before it fills the disk."""
    with contextlib.suppress(ConnectionError):  # or the answer comes while this side still sends
        answer = daemon.request("PUT", f"/client/v4/accounts/{daemon.account}/r2/buckets/{bucket}/objects/large",
                                (b"l" * MEBIBYTE for _ in range(400)), {"Content-Type": "x/y"})
        assert answer.status == 507


def test_an_upload_that_cannot_fit_is_refused_and_the_others_go_on(small):
    s3 = s3_of(small)
    bucket = s3.bucket()
    fill_up_to(small, 10 * MEBIBYTE)
    with refused(FULL):
        s3.client.put_object(Bucket=bucket, Key="large", Body=b"l" * 40 * MEBIBYTE)
    upload = s3.client.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    with refused(FULL):
        s3.client.upload_part(Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, Body=b"l" * 40 * MEBIBYTE)
    assert not is_full(small)
    s3.client.put_object(Bucket=bucket, Key="fits", Body=b"f" * MEBIBYTE)


def test_an_upload_that_fills_the_disk_is_told_and_room_is_used_again(small):
    s3 = s3_of(small)
    bucket = s3.bucket()
    s3.client.put_object(Bucket=bucket, Key="kept", Body=b"k" * MEBIBYTE)
    space = small.v4("POST", SPACES, {"title": "s"}).result["id"]
    filler = fill_up_to(small, 10 * MEBIBYTE)
    upload_without_end(small, bucket)
    assert is_full(small) and free(small) > RESERVE

    # What grows is refused up front, at every door.
    with refused(FULL):
        s3.client.put_object(Bucket=bucket, Key="small", Body=b"s")
    with refused(FULL):
        s3.client.create_bucket(Bucket="another")
    assert small.v4("PUT", f"{SPACES}/{space}/values/k", b"v").error[0] == 507
    assert small.v4("POST", SPACES, {"title": "t"}).error[0] == 507
    said = small.command("token", "create", "--scope", "kv:read", expect=None).stderr
    assert "LV4002" in said and "disk is full" in said and "help: make room" in said

    # What reads and deletes goes on, and it stays so: nothing goes to and fro.
    assert s3.client.get_object(Bucket=bucket, Key="kept")["Body"].read(1) == b"k"
    for _ in range(30):
        assert is_full(small)
        time.sleep(0.1)
    s3.client.delete_object(Bucket=bucket, Key="kept")
    small.v4("DELETE", f"{SPACES}/{space}").result
    s3.client.delete_bucket(Bucket=bucket)
    assert small.logged().count("reads and deletes only") == 1

    filler.unlink()
    wait_until(lambda: not is_full(small), "there is room again")
    s3.client.put_object(Bucket=s3.bucket(), Key="large", Body=b"l" * 5 * MEBIBYTE)
    small.command("token", "create", "--scope", "kv:read")
    assert "the disk has room again" in small.logged()


def test_an_upload_under_way_does_not_take_what_was_kept_back(small):
    s3 = s3_of(small)
    bucket = s3.bucket()
    fill_up_to(small, 10 * MEBIBYTE)

    def pieces():
        """Begins, waits until another upload has filled the disk, and goes on."""
        yield b"1" * MEBIBYTE
        upload_without_end(small, bucket)
        for _ in range(50):
            yield b"2" * MEBIBYTE

    with contextlib.suppress(ConnectionError):  # or the answer comes while this side still sends
        answer = small.request("PUT", f"/client/v4/accounts/{small.account}/r2/buckets/{bucket}/objects/slow", pieces(),
                               {"Content-Type": "x/y"})
        assert answer.status == 507
    assert free(small) > RESERVE
    assert s3.client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_change_that_finds_no_room_lets_go_of_what_is_kept_back(small):
    """Of the control database alone: there is no upload and no store that grows."""
    fill_up_to(small, 0)
    answers = [small.v4("POST", SPACES, {"title": "t" * 500 + str(i)}).status for i in range(200)]
    assert 507 in answers
    assert is_full(small)
    made = answers.index(507)
    assert set(answers[made:]) == {507}
    spaces = small.v4("GET", SPACES).result
    for each in spaces:
        small.v4("DELETE", f"{SPACES}/{each['id']}").result


def test_a_database_that_fills_the_disk_has_what_was_acknowledged(small):
    id = small.v4("POST", DATABASES, {"name": "d"}).result["uuid"]
    query = lambda sql: small.v4("POST", f"{DATABASES}/{id}/query", {"sql": sql})
    query("CREATE TABLE t (a)").result
    filler = fill_up_to(small, 10 * MEBIBYTE)
    written = 0
    while (answer := query("INSERT INTO t VALUES (randomblob(1000000))")).status == 200:
        written += 1
        assert written < 20
    assert answer.error[0] == 507 and is_full(small), answer
    count = lambda: query("SELECT count(*) AS n FROM t").result[0]["results"][0]["n"]
    assert written > 0 and count() in (written, written + 1), "whether a commit that failed has happened nobody knows"

    assert query("INSERT INTO t VALUES (1)").error[0] == 507
    assert small.v4("POST", f"{DATABASES}/{id}/export", {"output_format": "polling"}).error[0] == 507
    assert small.v4("POST", DATABASES, {"name": "another"}).error[0] == 507

    filler.unlink()
    wait_until(lambda: not is_full(small), "there is room again")
    there = count()
    query("INSERT INTO t VALUES (1)").result
    small.stop()
    small.command("fsck")
    small.start()
    assert count() == there + 1


def test_a_database_can_be_deleted_from_a_full_disk(small):
    id = small.v4("POST", DATABASES, {"name": "d"}).result["uuid"]
    small.v4("POST", f"{DATABASES}/{id}/query", {"sql": "CREATE TABLE t (a); INSERT INTO t VALUES (randomblob(1000000))"}).result
    bucket = s3_of(small).bucket()
    fill_up_to(small, 10 * MEBIBYTE)
    upload_without_end(small, bucket)
    assert is_full(small)
    assert small.v4("DELETE", f"{DATABASES}/{id}").result is None
    assert [path.name for path in (small.data / "d1").iterdir()] == ["transfers"]
