"""What others' tests of S3 ask of uploads in parts, beside test_s3_boto3_multipart.py: parts of many sizes, sent and copied, read
by number, completed twice, sealed. s3_conformance.md has whose behaviour is shown where."""

import base64
import hashlib
import zlib

import pytest

from s3_client import MEBIBYTE, PART, read, refused
from test_s3_boto3_multipart import A, TAIL, Upload, digest, etag_of, uploads
from test_s3_boto3_settings import WRONG_KEY, sse

FAILED = (412, "PreconditionFailed")
SIZES = [5 * MEBIBYTE, 5 * MEBIBYTE + 1, 5 * MEBIBYTE + 100 * 1024 + 1, 10 * MEBIBYTE + 1]


def get(s3, bucket, key="k", **more):
    return read(s3.client.get_object(Bucket=bucket, Key=key, **more))


def content(size):
    return (hashlib.sha256(str(size).encode()).digest() * (size // 32 + 1))[:size]


def cut(body, size):
    return [body[at:at + size] for at in range(0, len(body), size)]


# ---- sizes


@pytest.mark.parametrize("size", SIZES)
def test_an_object_of_any_size_goes_up_in_parts(s3, bucket, size):
    upload, body = Upload(s3, bucket), content(size)
    pieces = cut(body, PART)
    answer = upload.complete(*(upload.part(n, piece) for n, piece in enumerate(pieces, 1)))
    assert answer["ETag"] == etag_of(*pieces) and get(s3, bucket) == body


@pytest.mark.parametrize("size", SIZES)
def test_an_object_of_any_size_is_copied_in_parts(s3, bucket, size):
    body = content(size)
    s3.client.put_object(Bucket=bucket, Key="source", Body=body)
    upload, parts = Upload(s3, bucket), []
    for number, start in enumerate(range(0, size, PART), 1):
        result = s3.client.upload_part_copy(**upload.at, PartNumber=number, CopySource={"Bucket": bucket, "Key": "source"},
                                            CopySourceRange=f"bytes={start}-{min(start + PART, size) - 1}")["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": result["ETag"]})
    upload.complete(*parts)
    assert get(s3, bucket) == body


@pytest.mark.parametrize("sizes", [(6, 5, 7, 1), (7, 5, 1)], ids=str)
def test_parts_may_differ_in_size(s3, bucket, sizes):
    # S3's; R2 wants all but the last to be equal.
    pieces = [content(size * MEBIBYTE) for size in sizes]
    upload = Upload(s3, bucket)
    upload.complete(*(upload.part(n, piece) for n, piece in enumerate(pieces, 1)))
    assert get(s3, bucket) == b"".join(pieces)


@pytest.mark.parametrize("asked, code", [("0-2", 400), ("bytes=0", 400), ("bytes=hello-world", 400), ("bytes=0-bar", 400), ("bytes=hello-", 400),
                                         ("bytes=0-2,3-5", 400)])
def test_a_range_of_a_copy_has_two_ends(s3, bucket, asked, code):
    s3.client.put_object(Bucket=bucket, Key="source", Body=b"0123456789")
    with refused((code, "InvalidArgument")):
        s3.client.upload_part_copy(**Upload(s3, bucket).at, PartNumber=1, CopySourceRange=asked, CopySource={"Bucket": bucket, "Key": "source"})


@pytest.mark.parametrize("key", [" ", "_", "__", "?versionId", "a%2Fb", "a+b c/ü"])
def test_the_source_of_a_part_may_be_called_anything(s3, bucket, key):
    s3.client.put_object(Bucket=bucket, Key=key, Body=b"0123456789")
    upload = Upload(s3, bucket)
    result = s3.client.upload_part_copy(**upload.at, PartNumber=1, CopySource={"Bucket": bucket, "Key": key}, CopySourceRange="bytes=0-9")
    upload.complete({"PartNumber": 1, "ETag": result["CopyPartResult"]["ETag"]})
    assert get(s3, bucket) == b"0123456789"


def test_each_version_may_be_the_source_of_a_part(s3, bucket):
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    made = {body: s3.client.put_object(Bucket=bucket, Key="a b%", Body=body)["VersionId"] for body in (b"first", b"second", b"third")}
    for body, version in made.items():
        upload = Upload(s3, bucket)
        answer = s3.client.upload_part_copy(**upload.at, PartNumber=1, CopySource={"Bucket": bucket, "Key": "a b%", "VersionId": version})
        upload.complete({"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]})
        assert get(s3, bucket) == body


# ---- completing


def test_a_complete_upload_may_be_completed_again(s3, bucket):
    """Who did not hear the first answer asks again: the object is not made twice, nor lost."""
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    upload = Upload(s3, bucket, ChecksumAlgorithm="SHA256")
    parts = [upload.part(1, A, ChecksumAlgorithm="SHA256"), upload.part(2, TAIL, ChecksumAlgorithm="SHA256")]
    first = upload.complete(*parts)
    again = upload.complete(*parts)
    assert (again["ETag"], again["ChecksumSHA256"]) == (first["ETag"], first["ChecksumSHA256"])
    assert get(s3, bucket) == A + TAIL
    assert [v["VersionId"] for v in s3.client.list_object_versions(Bucket=bucket)["Versions"]] == [first["VersionId"]]


@pytest.mark.parametrize("operation", ["complete", "abort"])
def test_an_upload_that_never_was_is_said(s3, bucket, operation):
    upload = Upload(s3, bucket)
    upload.abort()
    upload.at["UploadId"] = "56788"
    with refused((404, "NoSuchUpload")):
        upload.complete({"PartNumber": 1, "ETag": '"x"'}) if operation == "complete" else upload.abort()


def test_an_upload_is_completed_only_over_the_object_that_was_read(s3, bucket):
    for condition in ({"IfMatch": '"other"'}, {"IfMatch": "*"}):
        upload = Upload(s3, bucket)
        with refused(FAILED, (404, "NoSuchKey")):  # R2's answer and S3's
            upload.complete(upload.part(1, b"1"), **condition)
    upload = Upload(s3, bucket)
    upload.complete(upload.part(1, b"1"), IfNoneMatch="*")
    etag = s3.client.head_object(Bucket=bucket, Key="k")["ETag"]
    upload = Upload(s3, bucket)
    part = upload.part(1, b"2")
    for condition in ({"IfNoneMatch": "*"}, {"IfMatch": '"other"'}):
        with refused(FAILED):
            upload.complete(part, **condition)
    upload.complete(part, IfMatch=etag)
    assert get(s3, bucket) == b"2"


@pytest.mark.parametrize("status", ["Enabled", "Suspended"])
def test_with_versions_a_completion_is_one(s3, bucket, status):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"null")
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
    upload = Upload(s3, bucket)
    made = upload.complete(upload.part(1, A), upload.part(2, TAIL))
    versions = [v["VersionId"] for v in s3.client.list_object_versions(Bucket=bucket)["Versions"]]
    assert versions == ([made["VersionId"], "null"] if status == "Enabled" else ["null"])
    assert get(s3, bucket) == A + TAIL


def test_uploads_that_are_not_complete_are_listed(s3, bucket):
    made = [Upload(s3, bucket, key).at["UploadId"] for key in ("k", "k", "other")]
    assert sorted(uploads(s3, bucket)) == sorted(made)
    entry = s3.client.list_multipart_uploads(Bucket=bucket)["Uploads"][0]
    owner = s3.client.list_buckets()["Owner"]
    assert (entry["Owner"], entry["Initiator"]["ID"], entry["StorageClass"]) == (owner, owner["ID"], "STANDARD") and entry["Initiated"]


# ---- by number


@pytest.mark.parametrize("key", [{}, sse("a")], ids=["open", "sealed"])
def test_a_part_is_read_by_its_number(s3, bucket, key):
    upload = Upload(s3, bucket, **key)
    pieces = [A, TAIL]
    made = upload.complete(*(upload.part(n, piece, **key) for n, piece in enumerate(pieces, 1)), **key)
    for number, piece in enumerate(pieces, 1):
        answer = s3.client.get_object(Bucket=bucket, Key="k", PartNumber=number, **key)
        assert (read(answer), answer["PartsCount"], answer["ETag"]) == (piece, 2, made["ETag"])
        assert s3.client.head_object(Bucket=bucket, Key="k", PartNumber=number, **key)["ContentLength"] == len(piece)
    with refused((416, "InvalidPartNumber")):
        s3.client.get_object(Bucket=bucket, Key="k", PartNumber=3, **key)


@pytest.mark.parametrize("key", [{}, sse("a")], ids=["open", "sealed"])
def test_an_object_without_parts_is_its_first(s3, bucket, key):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"body", **key)
    answer = s3.client.get_object(Bucket=bucket, Key="k", PartNumber=1, **key)
    assert read(answer) == b"body" and answer.get("PartsCount", 1) == 1
    with refused((416, "InvalidPartNumber")):
        s3.client.get_object(Bucket=bucket, Key="k", PartNumber=2, **key)


def test_an_upload_of_one_part_has_one(s3, bucket):
    upload = Upload(s3, bucket)
    made = upload.complete(upload.part(1, TAIL))
    answer = s3.client.get_object(Bucket=bucket, Key="k", PartNumber=1)
    assert (read(answer), answer["PartsCount"], answer["ETag"]) == (TAIL, 1, made["ETag"])


# ---- sealed


@pytest.mark.parametrize("size", [5 * MEBIBYTE, 8 * MEBIBYTE + 1, 10 * MEBIBYTE + 17])
def test_a_sealed_object_goes_up_in_parts(s3, bucket, size):
    """Of sizes that are no multiple of the blocks that are sealed."""
    body = content(size)
    upload = Upload(s3, bucket, Metadata={"m": "1"}, ContentType="text/x-test", **sse("a"))
    upload.complete(*(upload.part(n, piece, **sse("a")) for n, piece in enumerate(cut(body, PART + 1), 1)), **sse("a"))
    head = s3.client.head_object(Bucket=bucket, Key="k", **sse("a"))
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (size, {"m": "1"}, "text/x-test")
    assert get(s3, bucket, **sse("a")) == body
    for start, end in ((0, 0), (PART - 1, PART + 2), (1, size - 2), (size - 1, size - 1)):
        assert get(s3, bucket, Range=f"bytes={start}-{end}", **sse("a")) == body[start:end + 1]
    with refused(*WRONG_KEY):
        get(s3, bucket, **sse("b"))


@pytest.mark.parametrize("source", [{}, sse("a")], ids=["open", "sealed"])
@pytest.mark.parametrize("target", [{}, sse("b")], ids=["to open", "to sealed"])
@pytest.mark.parametrize("size", [0, 1, 70_000, 1_100_000])
def test_a_copy_seals_anew(s3, bucket, source, target, size):
    body = content(size)
    s3.client.put_object(Bucket=bucket, Key="source", Body=body, **source)
    opened = {name.replace("SSE", "CopySourceSSE"): value for name, value in source.items()}
    copied = {"CopySource": {"Bucket": bucket, "Key": "source"}, **opened}
    s3.client.copy_object(Bucket=bucket, Key="copy", **copied, **target)
    assert get(s3, bucket, "copy", **target) == body
    upload = Upload(s3, bucket, **target)
    result = s3.client.upload_part_copy(**upload.at, PartNumber=1, **copied, **target)["CopyPartResult"]
    upload.complete({"PartNumber": 1, "ETag": result["ETag"]}, **target)
    assert get(s3, bucket, **target) == body


# ---- checksums


@pytest.mark.parametrize("name", ["CRC32", "CRC32C", "CRC64NVME"])
def test_a_checksum_of_the_whole_is_made_of_those_of_the_parts(s3, bucket, name):
    field, pieces = "Checksum" + name, [A, A, TAIL]
    each = {piece: base64.b64encode(digest(name, piece)).decode() for piece in set(pieces)}
    upload = Upload(s3, bucket, ChecksumAlgorithm=name, ChecksumType="FULL_OBJECT")
    parts = [upload.part(number, piece, **{field: each[piece]}) for number, piece in enumerate(pieces, 1)]
    with refused((400, "BadDigest"), (400, "InvalidRequest")):
        upload.complete(*parts, **{field: parts[2][field]})
    made = upload.complete(*parts)
    head = s3.client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[field], head["ChecksumType"]) == (made[field], "FULL_OBJECT")
    copy = s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"}, ChecksumAlgorithm=name)
    assert copy["CopyObjectResult"][field] == made[field]  # that one is computed of the bytes
    if name == "CRC32":
        assert base64.b64decode(made[field]) == zlib.crc32(b"".join(pieces)).to_bytes(4, "big")


@pytest.mark.parametrize("name, kind", [("SHA1", "FULL_OBJECT"), ("SHA256", "FULL_OBJECT"), ("CRC64NVME", "COMPOSITE"), ("MD5", "COMPOSITE")])
def test_a_checksum_has_the_types_that_it_can_have(s3, bucket, name, kind):
    reply = s3.request("POST", f"/{bucket}/k?uploads=", headers={"x-amz-checksum-algorithm": name, "x-amz-checksum-type": kind})
    assert (reply.status, reply.code) == (400, "InvalidRequest"), reply
    assert uploads(s3, bucket) == []
