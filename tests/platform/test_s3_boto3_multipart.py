"""boto3 against the S3 listener: multipart uploads, checksums, the transfer manager."""

import base64
import hashlib
import zlib

import pytest
from botocore.exceptions import ClientError

from s3_client import MEBIBYTE, PART, failure, read, refused

NO_UPLOAD = (404, "NoSuchUpload")
A, B, TAIL = b"A" * PART, b"B" * PART, b"the tail"


def b64(digest):
    return base64.b64encode(digest).decode()


class Upload:
    def __init__(self, s3, bucket, key="k", **more):
        self.client, self.at = s3.client, {"Bucket": bucket, "Key": key}
        self.made = self.client.create_multipart_upload(**self.at, **more)
        self.at["UploadId"] = self.made["UploadId"]
        self.checksum = "Checksum" + more.get("ChecksumAlgorithm", "")

    def part(self, number, body, **more):
        answer = self.client.upload_part(**self.at, PartNumber=number, Body=body, **more)
        part = {"PartNumber": number, "ETag": answer["ETag"]}
        return {**part, self.checksum: answer[self.checksum]} if self.checksum != "Checksum" else part

    def complete(self, *parts, **more):
        return self.client.complete_multipart_upload(**self.at, MultipartUpload={"Parts": list(parts)}, **more)

    def abort(self):
        return self.client.abort_multipart_upload(**self.at)

    def parts(self, **more):
        return self.client.list_parts(**self.at, **more)


@pytest.fixture
def upload(s3, bucket):
    return Upload(s3, bucket)


def etag_of(*parts):
    """As S3 makes it and R2 documents it: the MD5 of the parts' MD5s, and their number."""
    return f'"{hashlib.md5(b"".join(hashlib.md5(p).digest() for p in parts)).hexdigest()}-{len(parts)}"'


def uploads(s3, bucket, **more):
    return [u["UploadId"] for u in s3.client.list_multipart_uploads(Bucket=bucket, **more).get("Uploads", [])]


# ---- completing


def test_parts_become_an_object(s3, bucket, upload):
    second, first = upload.part(2, TAIL), upload.part(1, A)
    assert first["ETag"] == f'"{hashlib.md5(A).hexdigest()}"'
    with refused((404, "NoSuchKey")):
        s3.client.get_object(Bucket=bucket, Key="k")
    assert uploads(s3, bucket) == [upload.at["UploadId"]]
    answer = upload.complete(first, second)
    assert (answer["ETag"], answer["Bucket"], answer["Key"]) == (etag_of(A, TAIL), bucket, "k") and answer["Location"]
    got = s3.client.get_object(Bucket=bucket, Key="k")
    assert (got["ETag"], got["ContentLength"], read(got)) == (etag_of(A, TAIL), PART + len(TAIL), A + TAIL)
    assert uploads(s3, bucket) == []
    with refused(NO_UPLOAD):
        upload.parts()


def test_one_part_may_be_small_or_empty(s3, bucket):
    for body in (b"small", b""):
        upload = Upload(s3, bucket)
        upload.complete(upload.part(1, body))
        got = s3.client.get_object(Bucket=bucket, Key="k")
        assert (got["ETag"], read(got)) == (etag_of(body), body)


def test_an_object_has_the_headers_of_its_upload(s3, bucket):
    sent = {"Metadata": {"m": "1"}, "ContentType": "text/x-test", "CacheControl": "no-cache", "ContentEncoding": "gzip",
            "ContentDisposition": "inline", "ContentLanguage": "en"}
    upload = Upload(s3, bucket, **sent)
    upload.complete(upload.part(1, b"v"))
    answer = s3.client.head_object(Bucket=bucket, Key="k")
    assert {name: answer[name] for name in sent} == sent


def test_the_old_object_stays_until_the_new_one_is_complete(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"old")
    upload = Upload(s3, bucket)
    part = upload.part(1, b"new")
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"old"
    upload.complete(part)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"new"


def test_a_part_sent_again_replaces_the_first(s3, bucket, upload):
    upload.part(1, A)
    first, second = upload.part(1, B), upload.part(7, TAIL)
    assert [(p["PartNumber"], p["Size"]) for p in upload.parts()["Parts"]] == [(1, PART), (7, len(TAIL))]
    upload.complete(first, second)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == B + TAIL


def test_parts_that_are_not_named_are_left_out(s3, bucket, upload):
    first, _, third = upload.part(1, A), upload.part(2, B), upload.part(3, TAIL)
    upload.complete(first, third)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == A + TAIL


def test_parts_that_are_wrong_complete_nothing_and_lose_nothing(s3, bucket, upload):
    first, second = upload.part(1, A), upload.part(2, TAIL)
    for wrong in ([{**first, "ETag": second["ETag"]}, second], [first, {**second, "PartNumber": 3}], [{**first, "ETag": '"x"'}]):
        with refused((400, "InvalidPart")):
            upload.complete(*wrong)
    with refused((400, "MalformedXML"), (400, "InvalidRequest")):
        upload.complete()
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")
    upload.complete(first, second)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == A + TAIL


def test_parts_out_of_order_are_refused_or_sorted(s3, bucket, upload):
    first, second = upload.part(1, A), upload.part(2, B)
    try:
        upload.complete(second, first)  # R2 sorts them
    except ClientError as error:  # S3 refuses
        assert failure(error) == (400, "InvalidPartOrder")
        upload.complete(first, second)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == A + B


def test_all_parts_but_the_last_have_5_mebibytes(s3, bucket, upload):
    first, second = upload.part(1, A[1:]), upload.part(2, TAIL)
    with refused((400, "EntityTooSmall")):
        upload.complete(first, second)
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("number", [0, -1, 10001])
def test_a_part_is_numbered_from_1_to_10000(upload, number):
    with refused((400, "InvalidArgument")):
        upload.part(number, b"v")


def test_the_last_number_is_10000(s3, bucket, upload):
    upload.complete(upload.part(10000, b"v"))
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"v"


def test_a_part_has_its_content_md5(upload):
    with refused((400, "BadDigest")):
        upload.part(1, b"other", ContentMD5=b64(hashlib.md5(b"hello").digest()))
    assert "Parts" not in upload.parts()


def test_an_upload_that_is_not_there_is_said(s3, bucket, upload):
    at = {**upload.at, "UploadId": "none"}
    with refused(NO_UPLOAD):
        s3.client.upload_part(**at, PartNumber=1, Body=b"v")
    with refused(NO_UPLOAD):
        s3.client.list_parts(**at)
    with refused(NO_UPLOAD):
        s3.client.complete_multipart_upload(**at, MultipartUpload={"Parts": [upload.part(1, b"v")]})
    with refused(NO_UPLOAD):  # of another key
        s3.client.list_parts(**{**upload.at, "Key": "other"})


def test_an_aborted_upload_is_gone(s3, bucket, upload):
    part = upload.part(1, b"v")
    assert upload.abort()["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert uploads(s3, bucket) == []
    with refused(NO_UPLOAD):
        upload.part(2, b"v")
    with refused(NO_UPLOAD):
        upload.complete(part)


def test_an_upload_is_completed_only_if_there_is_no_object(s3, bucket):
    first, second = Upload(s3, bucket), Upload(s3, bucket)
    part = second.part(1, b"second")
    first.complete(first.part(1, b"first"), IfNoneMatch="*")
    with refused((412, "PreconditionFailed")):
        second.complete(part, IfNoneMatch="*")
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"first"


# ---- lists


def test_parts_are_listed_page_by_page(upload):
    made = [upload.part(n, b"x" * n) for n in (5, 1, 9)]
    answer = upload.parts()
    assert [(p["PartNumber"], p["Size"], p["ETag"]) for p in answer["Parts"]] == [
        (n, n, next(m["ETag"] for m in made if m["PartNumber"] == n)) for n in (1, 5, 9)]
    first = upload.parts(MaxParts=2)
    assert ([p["PartNumber"] for p in first["Parts"]], first["IsTruncated"], first["NextPartNumberMarker"]) == ([1, 5], True, 5)
    second = upload.parts(MaxParts=2, PartNumberMarker=5)
    assert ([p["PartNumber"] for p in second["Parts"]], second["IsTruncated"]) == ([9], False)


def test_uploads_are_listed_by_key(s3, bucket):
    made = {key: Upload(s3, bucket, key).at["UploadId"] for key in ("b/2", "a", "b/1", "é")}
    assert uploads(s3, bucket) == [made[key] for key in sorted(made, key=str.encode)]
    assert uploads(s3, bucket, Prefix="b/") == [made["b/1"], made["b/2"]]
    answer = s3.client.list_multipart_uploads(Bucket=bucket, Delimiter="/")
    assert [u["Key"] for u in answer["Uploads"]] == ["a", "é"] and [p["Prefix"] for p in answer["CommonPrefixes"]] == ["b/"]


def test_uploads_are_listed_page_by_page(s3, bucket):
    for key in ("b/2", "a", "b/1", "é"):
        Upload(s3, bucket, key)
    keys, more = [], {}
    while True:
        answer = s3.client.list_multipart_uploads(Bucket=bucket, MaxUploads=1, **more)
        keys += [u["Key"] for u in answer["Uploads"]]
        if not answer["IsTruncated"]:
            break
        more = {"KeyMarker": answer["NextKeyMarker"], "UploadIdMarker": answer["NextUploadIdMarker"]}
    assert keys == ["a", "b/1", "b/2", "é"]


def test_two_uploads_of_a_key_do_not_meet(s3, bucket):
    one, two = Upload(s3, bucket), Upload(s3, bucket)
    parts = one.part(1, b"one"), two.part(1, b"two")
    assert sorted(uploads(s3, bucket)) == sorted([one.at["UploadId"], two.at["UploadId"]])
    two.complete(parts[1])
    one.complete(parts[0])
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"one"


# ---- reading parts, copying parts


def test_a_part_may_be_read_by_its_number(s3, bucket, upload):
    upload.complete(upload.part(1, A), upload.part(2, TAIL))
    for number, body, where in ((1, A, f"0-{PART - 1}"), (2, TAIL, f"{PART}-{PART + len(TAIL) - 1}")):
        got = s3.client.get_object(Bucket=bucket, Key="k", PartNumber=number)
        assert (got["ResponseMetadata"]["HTTPStatusCode"], got["PartsCount"]) == (206, 2)
        assert got["ContentRange"] == f"bytes {where}/{PART + len(TAIL)}" and read(got) == body
        assert s3.client.head_object(Bucket=bucket, Key="k", PartNumber=number)["ContentLength"] == len(body)


def test_a_range_crosses_parts(s3, bucket, upload):
    upload.complete(upload.part(1, A), upload.part(2, B), upload.part(3, TAIL))
    for start, end in ((PART - 3, PART + 2), (PART - 1, 2 * PART), (0, 2 * PART + 3), (PART, 2 * PART - 1), (2 * PART - 1, 2 * PART)):
        got = s3.client.get_object(Bucket=bucket, Key="k", Range=f"bytes={start}-{end}")
        assert read(got) == (A + B + TAIL)[start:end + 1]


def test_parts_may_be_copied_by_range(s3, bucket, upload):
    s3.client.put_object(Bucket=bucket, Key="source a+b", Body=A + B + TAIL)
    parts = []
    for number, asked in ((1, f"bytes=0-{PART - 1}"), (2, f"bytes={PART}-{2 * PART - 1}"), (3, f"bytes=3-{PART}")):
        result = s3.client.upload_part_copy(**upload.at, PartNumber=number, CopySourceRange=asked,
                                            CopySource={"Bucket": bucket, "Key": "source a+b"})["CopyPartResult"]
        parts.append({"PartNumber": number, "ETag": result["ETag"]})
    upload.complete(*parts)
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == A + B + (A + B)[3:PART + 1]


def test_a_whole_object_may_be_a_part(s3, bucket, upload):
    s3.client.put_object(Bucket=bucket, Key="source", Body=b"whole")
    result = s3.client.upload_part_copy(**upload.at, PartNumber=1, CopySource={"Bucket": bucket, "Key": "source"})["CopyPartResult"]
    assert result["ETag"] == f'"{hashlib.md5(b"whole").hexdigest()}"'
    upload.complete({"PartNumber": 1, "ETag": result["ETag"]})
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"whole"


def test_a_condition_decides_about_a_copied_part(s3, bucket, upload):
    # R2's list says that it has none here, but aws and boto3 send the first of them with each part they copy.
    etag = s3.client.put_object(Bucket=bucket, Key="source", Body=b"whole")["ETag"]
    call = {**upload.at, "PartNumber": 1, "CopySource": {"Bucket": bucket, "Key": "source"}}
    for wrong in ({"CopySourceIfMatch": '"other"'}, {"CopySourceIfNoneMatch": etag}):
        with refused((412, "PreconditionFailed")):
            s3.client.upload_part_copy(**call, **wrong)
    assert "Parts" not in upload.parts()
    s3.client.upload_part_copy(**call, CopySourceIfMatch=etag)


@pytest.mark.parametrize("asked", ["bytes=0-5", "bytes=9-12", "bytes=-2", "bytes=3-", "0-1", "bytes=3-1"])
def test_a_part_is_not_copied_by_a_range_that_is_none(s3, bucket, upload, asked):
    s3.client.put_object(Bucket=bucket, Key="source", Body=b"whole")
    with refused((400, "InvalidArgument"), (400, "InvalidRange"), (416, "InvalidRange"), (400, "InvalidRequest")):
        s3.client.upload_part_copy(**upload.at, PartNumber=1, CopySourceRange=asked, CopySource={"Bucket": bucket, "Key": "source"})
    assert "Parts" not in upload.parts()


def test_an_object_of_parts_is_copied_whole(s3, bucket, upload):
    upload.complete(upload.part(1, A), upload.part(2, TAIL))
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    s3.client.delete_object(Bucket=bucket, Key="k")
    assert read(s3.client.get_object(Bucket=bucket, Key="copy")) == A + TAIL


# ---- the transfer manager


def test_a_big_file_goes_up_and_comes_down(s3, bucket, tmp_path):
    body = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() * 512 for i in range(2500))
    assert len(body) > 39 * MEBIBYTE
    (tmp_path / "up").write_bytes(body)
    s3.client.upload_file(str(tmp_path / "up"), bucket, "k", ExtraArgs={"Metadata": {"m": "1"}})
    head = s3.client.head_object(Bucket=bucket, Key="k")
    assert head["ETag"].strip('"').endswith("-5") and head["Metadata"] == {"m": "1"}
    s3.client.download_file(bucket, "k", str(tmp_path / "down"))
    assert hashlib.md5((tmp_path / "down").read_bytes()).digest() == hashlib.md5(body).digest()
    s3.client.copy({"Bucket": bucket, "Key": "k"}, bucket, "copy")
    assert s3.client.head_object(Bucket=bucket, Key="copy")["ContentLength"] == len(body)


# ---- checksums

NINE = b"123456789"
CHECKSUMS = {  # of NINE: the check values that the CRCs' definitions publish, and hashlib's
    "CRC32": b64(bytes.fromhex("cbf43926")), "CRC32C": b64(bytes.fromhex("e3069283")),
    "CRC64NVME": b64(bytes.fromhex("ae8b14860a799888")),
    "SHA1": b64(hashlib.sha1(NINE).digest()), "SHA256": b64(hashlib.sha256(NINE).digest()),
}
EACH = pytest.mark.parametrize("name", CHECKSUMS)


def crc(bits, polynomial, body):
    """Of the reflected CRCs, the two that Python has no code for, and boto3 only with the CRT."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (polynomial if value & 1 else 0)
        table.append(value)
    ones = register = (1 << bits) - 1
    for byte in body:
        register = table[(register ^ byte) & 255] ^ register >> 8
    return (register ^ ones).to_bytes(bits // 8, "big")


def digest(name, body):
    match name:
        case "CRC32":
            return zlib.crc32(body).to_bytes(4, "big")
        case "CRC32C":
            return crc(32, 0x82F63B78, body)
        case "CRC64NVME":
            return crc(64, 0x9A6C9329AC4BC9B5, body)
    return hashlib.new(name, body).digest()


def test_the_checksums_of_this_file_are_right():
    assert {name: b64(digest(name, NINE)) for name in CHECKSUMS} == CHECKSUMS


@EACH
def test_a_checksum_that_is_given_is_kept(s3, bucket, name):
    field = "Checksum" + name
    assert s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, **{field: CHECKSUMS[name]})[field] == CHECKSUMS[name]
    got = s3.client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (read(got), got[field], got.get("ChecksumType", "FULL_OBJECT")) == (NINE, CHECKSUMS[name], "FULL_OBJECT")
    assert s3.client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[field] == CHECKSUMS[name]


@pytest.mark.parametrize("name", ["CRC32", "SHA1", "SHA256"])
def test_a_checksum_that_the_client_computes_is_the_same(s3, bucket, name):
    assert s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, ChecksumAlgorithm=name)["Checksum" + name] == CHECKSUMS[name]


@EACH
def test_a_checksum_of_other_bytes_is_refused(s3, bucket, name):
    with refused((400, "BadDigest"), (400, "InvalidRequest")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=NINE[::-1], **{"Checksum" + name: CHECKSUMS[name]})
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


@EACH
def test_a_checksum_that_is_none_is_refused(s3, bucket, name):
    for wrong in ("AAAA", "not base64!"):
        with refused((400, "InvalidRequest"), (400, "InvalidDigest")):  # S3's word and R2's
            s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, **{"Checksum" + name: wrong})


def put_chunked(s3, bucket, name, checksum, encoding="aws-chunked"):
    header = f"x-amz-checksum-{name.lower()}"
    body = b"9\r\n" + NINE + f"\r\n0\r\n{header}:{checksum}\r\n\r\n".encode()
    sent = {"Content-Encoding": encoding, "X-Amz-Decoded-Content-Length": "9", "X-Amz-Trailer": header}
    return s3.request("PUT", f"/{bucket}/k", body, sent, payload="STREAMING-UNSIGNED-PAYLOAD-TRAILER")


@EACH
def test_a_checksum_may_follow_the_body(s3, bucket, name):
    nil = b64(bytes(len(base64.b64decode(CHECKSUMS[name]))))
    reply = put_chunked(s3, bucket, name, nil)
    assert (reply.status, reply.code) == (400, "BadDigest"), reply
    assert put_chunked(s3, bucket, name, CHECKSUMS[name]).status == 200
    got = s3.client.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (read(got), got["Checksum" + name]) == (NINE, CHECKSUMS[name])


def test_the_chunks_of_an_upload_are_no_encoding_of_the_object(s3, bucket):
    for sent, kept in (("aws-chunked", None), ("aws-chunked,gzip", "gzip"), ("gzip, aws-chunked", "gzip")):
        assert put_chunked(s3, bucket, "CRC32", CHECKSUMS["CRC32"], sent).status == 200
        assert s3.client.head_object(Bucket=bucket, Key="k").get("ContentEncoding") == kept


def test_checksums_are_shown_only_where_asked_and_of_the_whole(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, ChecksumSHA256=CHECKSUMS["SHA256"])
    at = f"/{bucket}/k"
    assert "x-amz-checksum-sha256" not in s3.request("GET", at).headers
    assert "x-amz-checksum-sha256" in s3.request("GET", at, headers={"x-amz-checksum-mode": "ENABLED"}).headers
    part = s3.request("GET", at, headers={"x-amz-checksum-mode": "ENABLED", "Range": "bytes=1-2"})
    assert (part.status, part.body) == (206, b"23") and "x-amz-checksum-sha256" not in part.headers


def test_two_checksums_of_one_body_are_refused(s3, bucket):
    with refused((400, "InvalidRequest")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, ChecksumSHA1=CHECKSUMS["SHA1"], ChecksumSHA256=CHECKSUMS["SHA256"])


def test_a_copy_keeps_its_checksum(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=NINE, ChecksumSHA256=CHECKSUMS["SHA256"])
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert s3.client.head_object(Bucket=bucket, Key="copy", ChecksumMode="ENABLED")["ChecksumSHA256"] == CHECKSUMS["SHA256"]


@pytest.mark.parametrize("name", ["SHA1", "SHA256", "CRC32", "CRC32C"])
def test_the_checksum_of_parts_is_that_of_their_checksums(s3, bucket, name):
    upload = Upload(s3, bucket, ChecksumAlgorithm=name)
    assert upload.made["ChecksumAlgorithm"] == name and upload.made.get("ChecksumType", "COMPOSITE") == "COMPOSITE"
    field = "Checksum" + name
    digests = [digest(name, body) for body in (A, NINE)]
    parts = [upload.part(n, body, **{field: b64(of)}) for n, (body, of) in enumerate(zip((A, NINE), digests), 1)]
    assert [p[field] for p in parts] == [p[field] for p in upload.parts()["Parts"]] == [b64(of) for of in digests]
    answer = upload.complete(*parts)
    assert answer[field] == b64(digest(name, b"".join(digests))) + "-2"
    head = s3.client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head[field], head["ChecksumType"]) == (answer[field], "COMPOSITE")


def test_crc64nvme_of_parts_is_that_of_the_whole(s3, bucket):
    whole = b64(digest("CRC64NVME", A + NINE))
    upload = Upload(s3, bucket, ChecksumAlgorithm="CRC64NVME", ChecksumType="FULL_OBJECT")
    parts = [upload.part(n, body, ChecksumCRC64NVME=b64(digest("CRC64NVME", body))) for n, body in enumerate((A, NINE), 1)]
    with refused((400, "BadDigest"), (400, "InvalidRequest")):
        upload.complete(*parts, ChecksumCRC64NVME=CHECKSUMS["CRC64NVME"], ChecksumType="FULL_OBJECT")
    answer = upload.complete(*parts, ChecksumCRC64NVME=whole, ChecksumType="FULL_OBJECT")
    assert answer["ChecksumCRC64NVME"] == whole
    head = s3.client.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC64NVME"], head["ChecksumType"]) == (whole, "FULL_OBJECT")


def test_a_part_with_a_wrong_checksum_is_refused(s3, bucket):
    upload = Upload(s3, bucket, ChecksumAlgorithm="SHA256")
    with refused((400, "BadDigest"), (400, "InvalidRequest")):
        upload.part(1, b"other", ChecksumSHA256=CHECKSUMS["SHA256"])
    part = upload.part(1, NINE, ChecksumSHA256=CHECKSUMS["SHA256"])
    with refused((400, "InvalidPart"), (400, "BadDigest")):
        upload.complete({**part, "ChecksumSHA256": b64(hashlib.sha256(b"other").digest())})
    upload.complete(part)
