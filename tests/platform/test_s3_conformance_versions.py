"""What others' tests of S3 ask of versions, beside test_s3_boto3_settings.py: long histories, the version null, markers, and
copies between versions. s3_conformance.md has whose behaviour is shown where."""

import concurrent.futures

import pytest

from s3_client import refused
from test_s3_boto3_multipart import Upload
from test_s3_boto3_settings import get, history, put

NO_KEY = (404, "NoSuchKey")


def switch(s3, bucket, status):
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


@pytest.fixture
def versioned(s3, bucket):
    switch(s3, bucket, "Enabled")
    return bucket


def delete(s3, bucket, version=None, key="k"):
    return s3.client.delete_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {}))


# ---- long histories


@pytest.mark.parametrize("oldest_first", [True, False])
def test_versions_go_one_by_one(s3, versioned, oldest_first):
    ids = [put(s3, versioned, f"content-{i}".encode()) for i in range(5)]
    left = list(ids)
    for id in ids if oldest_first else ids[::-1]:
        assert get(s3, versioned) == f"content-{ids.index(left[-1])}".encode()
        assert delete(s3, versioned, id)["VersionId"] == id
        left.remove(id)
        assert {row[1] for row in history(s3, versioned)} == set(left)
        with refused((404, "NoSuchVersion")):
            get(s3, versioned, id)
    with refused(NO_KEY):
        get(s3, versioned)
    s3.client.delete_bucket(Bucket=versioned)


@pytest.mark.parametrize("key", ["_k", ":", " ", "a/b c+d%"])
def test_versions_of_a_key_that_is_odd(s3, versioned, key):
    ids = [put(s3, versioned, str(i).encode(), key) for i in range(3)]
    assert [get(s3, versioned, id, key) for id in ids] == [b"0", b"1", b"2"]
    for id in ids:
        delete(s3, versioned, id, key)
    assert history(s3, versioned) == set()


def test_markers_are_stacked(s3, versioned):
    first = put(s3, versioned, b"1")
    markers = [delete(s3, versioned)["VersionId"] for _ in range(3)]
    assert len({first, *markers}) == 4
    assert history(s3, versioned) == {("k", first, False, False), *(("k", id, id == markers[-1], True) for id in markers)}
    second = put(s3, versioned, b"2")
    assert get(s3, versioned) == b"2"
    delete(s3, versioned, second)
    with refused(NO_KEY):
        get(s3, versioned)
    for id in reversed(markers):
        assert delete(s3, versioned, id)["DeleteMarker"]
    assert get(s3, versioned) == b"1"


def test_what_is_deleted_for_good_leaves_no_marker(s3, versioned):
    made = {put(s3, versioned, b"v", f"k{i}"): f"k{i}" for i in range(3)}
    answer = s3.client.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": key, "VersionId": id} for id, key in made.items()]})
    assert {(d["Key"], d["VersionId"]) for d in answer["Deleted"]} == {(key, id) for id, key in made.items()}
    assert not any("DeleteMarker" in d for d in answer["Deleted"]) and history(s3, versioned) == set()


def test_markers_are_made_and_deleted_many_at_once(s3, versioned):
    put(s3, versioned, b"v", "there")
    made = s3.client.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "there"}, {"Key": "never was"}]})["Deleted"]
    assert all(d["DeleteMarker"] and d["DeleteMarkerVersionId"] for d in made)
    markers = {row[1] for row in history(s3, versioned) if row[3]}
    assert {d["DeleteMarkerVersionId"] for d in made} == markers
    gone = s3.client.delete_objects(Bucket=versioned, Delete={"Objects": [
        {"Key": d["Key"], "VersionId": d["DeleteMarkerVersionId"]} for d in made]})["Deleted"]
    assert all(d["DeleteMarker"] and d["DeleteMarkerVersionId"] == d["VersionId"] for d in gone)
    assert {row[0] for row in history(s3, versioned)} == {"there"} and get(s3, versioned, key="there") == b"v"


# ---- the version null


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_the_version_null_goes_like_any(s3, bucket, status):
    put(s3, bucket, b"null")
    switch(s3, bucket, status)
    assert delete(s3, bucket, "null")["VersionId"] == "null"
    with refused(NO_KEY):
        get(s3, bucket)
    assert history(s3, bucket) == set()


@pytest.mark.parametrize("status, ids", [("Enabled", 2), ("Suspended", 1)])
def test_the_version_null_is_written_over_or_kept(s3, bucket, status, ids):
    put(s3, bucket, b"old")
    switch(s3, bucket, status)
    new = put(s3, bucket, b"new") or "null"
    assert get(s3, bucket) == b"new" and len(history(s3, bucket)) == ids
    delete(s3, bucket, new)
    if ids == 2:
        assert get(s3, bucket) == b"old"
        delete(s3, bucket, "null")
    with refused(NO_KEY):
        get(s3, bucket)
    assert history(s3, bucket) == set()


def test_suspended_and_enabled_again(s3, versioned):
    kept = [put(s3, versioned, str(i).encode()) for i in range(3)]
    switch(s3, versioned, "Suspended")
    delete(s3, versioned)
    delete(s3, versioned)
    put(s3, versioned, b"null-1")
    put(s3, versioned, b"null-2")
    assert {row[1] for row in history(s3, versioned)} == {*kept, "null"}
    delete(s3, versioned)
    switch(s3, versioned, "Enabled")
    kept.append(put(s3, versioned, b"again"))
    assert history(s3, versioned) == {("k", "null", False, True), *(("k", id, id == kept[-1], False) for id in kept)}
    assert [get(s3, versioned, id) for id in kept] == [b"0", b"1", b"2", b"again"]


@pytest.mark.parametrize("status, marked", [(None, False), ("Enabled", True), ("Suspended", True)])
def test_a_deleted_key_shows_its_marker(s3, bucket, status, marked):
    put(s3, bucket, b"v")
    if status:
        switch(s3, bucket, status)
    delete(s3, bucket)
    for method in ("GET", "HEAD"):
        reply = s3.request(method, f"/{bucket}/k")
        assert (reply.status, reply.headers["x-amz-delete-marker"]) == (404, "true" if marked else None), reply


# ---- copies and parts


@pytest.mark.parametrize("status, id", [(None, None), ("Enabled", True), ("Suspended", "null")])
def test_an_upload_says_its_version(s3, bucket, status, id):
    if status:
        switch(s3, bucket, status)
    upload = Upload(s3, bucket)
    seen = [put(s3, bucket, b"v"), upload.complete(upload.part(1, b"parts")).get("VersionId"),
            s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"}).get("VersionId")]
    if id is True:
        assert all(seen) and len(set(seen)) == 3
        assert set(seen) == {row[1] for row in history(s3, bucket)}
    else:  # of a suspended bucket S3 does not always say that it is null
        assert set(seen) <= {None, id}


def test_a_version_is_copied_within_and_across(s3, versioned):
    ids = [put(s3, versioned, str(i).encode(), "a b?") for i in range(3)]
    other = s3.bucket()
    for i, id in enumerate(ids):
        source = {"Bucket": versioned, "Key": "a b?", "VersionId": id}
        for bucket in (versioned, other):
            answer = s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=source)
            assert ("VersionId" in answer) == (bucket == versioned)
            assert get(s3, bucket, key="copy") == str(i).encode()
    s3.client.copy_object(Bucket=versioned, Key="a b?", CopySource={"Bucket": versioned, "Key": "a b?", "VersionId": ids[0]})
    assert get(s3, versioned, key="a b?") == b"0"


def test_what_is_copied_onto_itself_while_suspended_is_one_version(s3, versioned):
    kept = put(s3, versioned, b"kept")
    switch(s3, versioned, "Suspended")
    put(s3, versioned, b"null")
    s3.client.copy_object(Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k"})
    assert history(s3, versioned) == {("k", kept, False, False), ("k", "null", True, False), ("copy", "null", True, False)}
    delete(s3, versioned)
    with refused(NO_KEY):
        get(s3, versioned)
    assert get(s3, versioned, key="copy") == b"null"


def test_an_upload_in_parts_is_a_version_of_many(s3, versioned):
    ids = []
    for i in range(3):
        upload = Upload(s3, versioned)
        ids.append(upload.complete(upload.part(1, str(i).encode()))["VersionId"])
    for id in ids[::-1]:
        assert get(s3, versioned) == str(ids.index(id)).encode()
        delete(s3, versioned, id)
    assert history(s3, versioned) == set()


# ---- many at once


def test_versions_that_are_written_at_once_are_all_kept(s3, versioned):
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        ids = list(pool.map(lambda i: put(s3, versioned, f"content-{i}".encode()), range(20)))
        assert {row[1] for row in history(s3, versioned)} == set(ids) and len(set(ids)) == 20
        assert sorted(pool.map(lambda id: get(s3, versioned, id), ids)) == sorted(f"content-{i}".encode() for i in range(20))
        list(pool.map(lambda id: delete(s3, versioned, id), ids))
    assert history(s3, versioned) == set()


def test_deletes_of_the_same_versions_may_meet(s3, versioned):
    objects = [{"Key": f"k{i}", "VersionId": put(s3, versioned, b"v", f"k{i}")} for i in range(50)]
    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        answers = list(pool.map(lambda _: s3.client.delete_objects(Bucket=versioned, Delete={"Objects": objects}), range(5)))
    for answer in answers:
        assert len(answer["Deleted"]) == 50 and "Errors" not in answer
    assert history(s3, versioned) == set()
