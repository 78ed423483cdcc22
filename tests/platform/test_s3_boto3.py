"""boto3 against the S3 listener: buckets, objects, keys, ranges, conditions, copies."""

import datetime
import email.header
import hashlib

import pytest

from s3_client import read, refused, with_headers

NO_BUCKET = (404, "NoSuchBucket")
NO_KEY = (404, "NoSuchKey")
FAILED = (412, "PreconditionFailed")
HOUR = datetime.timedelta(hours=1)


@pytest.fixture(scope="module")
def digits(s3):
    """A bucket with "0123456789" at "digits". Tests only read it."""
    name = s3.bucket()
    s3.client.put_object(Bucket=name, Key="digits", Body=b"0123456789", Metadata={"of": "numbers"})
    s3.client.put_object(Bucket=name, Key="empty", Body=b"")
    return {"Bucket": name, "Key": "digits"}


# ---- buckets


def test_a_bucket_is_made_listed_and_deleted(s3):
    name = s3.bucket_name()
    s3.client.create_bucket(Bucket=name)
    assert s3.client.head_bucket(Bucket=name)["ResponseMetadata"]["HTTPStatusCode"] == 200
    made = {b["Name"]: b["CreationDate"] for b in s3.client.list_buckets()["Buckets"]}
    assert abs(made[name] - datetime.datetime.now(datetime.timezone.utc)) < HOUR and list(made) == sorted(made)
    s3.client.delete_bucket(Bucket=name)
    assert name not in [b["Name"] for b in s3.client.list_buckets()["Buckets"]]
    with refused((404, "404")):
        s3.client.head_bucket(Bucket=name)
    s3.client.create_bucket(Bucket=name)


def test_buckets_are_listed_by_prefix(s3):
    names = [s3.bucket_name() + "-x"]
    names += [names[0] + suffix for suffix in ("-a", "-b")]
    for name in reversed(names):
        s3.client.create_bucket(Bucket=name)
    assert [b["Name"] for b in s3.client.list_buckets(Prefix=names[0])["Buckets"]] == names


def test_the_region_is_auto_and_us_east_1_is_another_name_of_it(s3, bucket):
    assert s3.client.get_bucket_location(Bucket=bucket)["LocationConstraint"] in ("auto", None)
    assert s3.client.head_bucket(Bucket=bucket)["BucketRegion"] in ("auto", "us-east-1")
    client = s3.connect(region="us-east-1")
    assert client.list_objects_v2(Bucket=bucket)["KeyCount"] == 0
    for region in ("auto", "us-east-1"):  # to AWS, which has neither as a constraint, both are R2's
        name = s3.bucket_name()
        client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
        s3.client.head_bucket(Bucket=name)


def test_a_bucket_that_is_there_is_not_made_again(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="kept", Body=b"v")
    # BucketConflict is R2's word in its documentation.
    with refused((409, "BucketAlreadyOwnedByYou"), (409, "BucketConflict")):
        s3.client.create_bucket(Bucket=bucket)
    assert read(s3.client.get_object(Bucket=bucket, Key="kept")) == b"v"


def test_a_bucket_with_an_object_is_not_deleted(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    with refused((409, "BucketNotEmpty")):
        s3.client.delete_bucket(Bucket=bucket)
    s3.client.delete_object(Bucket=bucket, Key="k")
    s3.client.delete_bucket(Bucket=bucket)


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Upper", "under_score", "-dash", "dash-", "dot..dot"])
def test_a_bucket_has_to_have_a_proper_name(s3, name):
    with refused((400, "InvalidBucketName")):
        s3.client.create_bucket(Bucket=name)


@pytest.mark.parametrize("name", ["abc", "0-0", "a" * 63])
def test_names_at_the_limits(s3, name):
    s3.client.create_bucket(Bucket=name)
    s3.client.delete_bucket(Bucket=name)


@pytest.mark.parametrize("operation, arguments", [
    ("get_object", {"Key": "k"}), ("put_object", {"Key": "k", "Body": b"v"}), ("delete_object", {"Key": "k"}),
    ("list_objects_v2", {}), ("list_objects", {}), ("list_multipart_uploads", {}), ("get_bucket_cors", {}),
    ("create_multipart_upload", {"Key": "k"}), ("delete_objects", {"Delete": {"Objects": [{"Key": "k"}]}}),
    ("delete_bucket", {}), ("get_bucket_location", {}),
])
def test_a_bucket_that_is_not_there_is_said(s3, operation, arguments):
    with refused(NO_BUCKET):
        getattr(s3.client, operation)(Bucket="no-such-bucket-here", **arguments)


# ---- objects


@pytest.mark.parametrize("size", [0, 1, 4097, 64 << 10, (64 << 10) + 1, 1 << 20, (5 << 20) + 7])
def test_an_object_is_its_bytes(s3, bucket, size):
    body = (bytes(range(251)) * (size // 251 + 1))[:size]
    etag = f'"{hashlib.md5(body).hexdigest()}"'
    assert s3.client.put_object(Bucket=bucket, Key="k", Body=body)["ETag"] == etag
    for answer in (s3.client.head_object(Bucket=bucket, Key="k"), got := s3.client.get_object(Bucket=bucket, Key="k")):
        assert (answer["ContentLength"], answer["ETag"], answer["AcceptRanges"]) == (size, etag, "bytes")
        assert abs(answer["LastModified"] - datetime.datetime.now(datetime.timezone.utc)) < HOUR
    assert read(got) == body


def test_an_empty_object_does_not_disturb_what_follows_it(s3, bucket):
    """botocore asks whether to send the empty body, and takes an answer that is no "100 Continue" for that of its next request."""
    client = s3.connect()
    for size in (0, 0, 300_000, 0, 10):
        client.put_object(Bucket=bucket, Key="k", Body=bytes(size))
        assert len(read(client.get_object(Bucket=bucket, Key="k"))) == size
    for size in (0, 300_000):
        with refused(NO_BUCKET):
            client.put_object(Bucket=s3.bucket_name(), Key="k", Body=bytes(size))
        client.put_object(Bucket=bucket, Key="k", Body=bytes(size))


def test_the_last_write_is_read(s3, bucket):
    for body in (b"1", b"2" * 70_000, b"", b"3" * 100):
        s3.client.put_object(Bucket=bucket, Key="k", Body=body)
        assert read(s3.client.get_object(Bucket=bucket, Key="k")) == body
        assert s3.client.head_object(Bucket=bucket, Key="k")["ContentLength"] == len(body)


def test_a_missing_key_is_said_and_may_be_deleted(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    for _ in range(2):
        assert s3.client.delete_object(Bucket=bucket, Key="k")["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused(NO_KEY):
        s3.client.get_object(Bucket=bucket, Key="k")
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


def test_system_headers_come_back(s3, bucket):
    sent = {"CacheControl": "max-age=60, private", "ContentDisposition": 'attachment; filename="a b.txt"',
            "ContentEncoding": "gzip", "ContentLanguage": "de-CH", "ContentType": "text/x-test; charset=utf-8",
            "Expires": datetime.datetime(2031, 5, 1, 12, 30, tzinfo=datetime.timezone.utc)}
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", **sent)
    for answer in (s3.client.head_object(Bucket=bucket, Key="k"), s3.client.get_object(Bucket=bucket, Key="k")):
        assert {name: answer[name] for name in sent} == sent


def test_a_get_may_ask_for_other_headers(s3, digits):
    sent = {"CacheControl": "no-cache", "ContentDisposition": "inline", "ContentEncoding": "identity",
            "ContentLanguage": "en", "ContentType": "text/csv"}
    answer = s3.client.get_object(**digits, **{"Response" + name: value for name, value in sent.items()})
    assert {name: answer[name] for name in sent} == sent and read(answer) == b"0123456789"


def test_user_metadata_comes_back(s3, bucket):
    sent = {"one": "1", "Mixed-Case": "Kept As It Is", "with-equals": "a=b; c", "long": "x" * 1500}
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", Metadata=sent)
    back = {name.lower(): value for name, value in sent.items()}
    assert s3.client.head_object(Bucket=bucket, Key="k")["Metadata"] == back
    assert s3.client.get_object(Bucket=bucket, Key="k")["Metadata"] == back
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    assert s3.client.head_object(Bucket=bucket, Key="k")["Metadata"] == {}


def test_metadata_beyond_ascii_travels_as_rfc_2047(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", Metadata={"city": "=?UTF-8?B?WsO8cmljaA==?="})
    back = s3.client.head_object(Bucket=bucket, Key="k")["Metadata"]["city"]
    assert str(email.header.make_header(email.header.decode_header(back))) == "Zürich"


def test_metadata_has_a_limit(s3, bucket):
    # R2: 8192 bytes of names and values. S3 draws the line at 2 KiB.
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", Metadata={f"m{i}": "x" * 1000 for i in range(8)})
    with refused((400, "MetadataTooLarge")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"w", Metadata={f"m{i}": "x" * 1000 for i in range(9)})
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"v"


def test_a_content_md5_is_compared(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"hello", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    with refused((400, "BadDigest")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"other", ContentMD5="XUFAKrxLKna5cZ2REBfFkg==")
    with refused((400, "InvalidDigest")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"other", ContentMD5="short")
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"hello"


def test_what_was_signed_is_what_has_to_come(s3, bucket):
    answer = s3.request("PUT", f"/{bucket}/k", b"other", payload=hashlib.sha256(b"signed").hexdigest())
    assert (answer.status, answer.code) == (400, "XAmzContentSHA256Mismatch")
    with refused(NO_KEY):
        s3.client.get_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("name", ["STANDARD", "STANDARD_IA"])
def test_the_two_storage_classes_of_r2(s3, bucket, name):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", StorageClass=name)
    assert s3.client.head_object(Bucket=bucket, Key="k").get("StorageClass", "STANDARD") == name
    assert s3.client.list_objects_v2(Bucket=bucket)["Contents"][0]["StorageClass"] == name


def test_another_storage_class_is_refused(s3, bucket):
    with refused((400, "InvalidStorageClass"), (501, "NotImplemented")):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", StorageClass="FROZEN")


# ---- keys


@pytest.mark.parametrize("key", [
    "a", "a b", " lead and trail ", "a+b", "100%", "%41", "%2F", "a/b/c", "a//b", "a/", "/a", "//", "/", "a/./b", "a/../b",
    "...", "?q=1&r", "#", "a;b=c,d:e@f$g!h'i(j)k*l", "<&>\"'", "\\", "~-_.", "[a]{b}|^`", "é", "日本語", "😀", "\u0301",
    "line\nbreak", "tab\t", "\x01\x7f", "\u200b", "x" * 1024, "é" * 512,
], ids=lambda key: ascii(key[:20]))
def test_a_key_may_be_anything(s3, bucket, key):
    body = key.encode()
    s3.client.put_object(Bucket=bucket, Key=key, Body=body)
    assert read(s3.client.get_object(Bucket=bucket, Key=key)) == body
    for answer in (s3.client.list_objects_v2(Bucket=bucket), s3.client.list_objects(Bucket=bucket)):
        assert [o["Key"] for o in answer["Contents"]] == [key]
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": key})
    assert read(s3.client.get_object(Bucket=bucket, Key="copy")) == body
    s3.client.delete_object(Bucket=bucket, Key=key)
    assert [o["Key"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]] == ["copy"]


def test_keys_that_look_alike_are_different(s3, bucket):
    keys = ["a", "A", "a/", "/a", "a//", "a b", "a+b", "a%20b", "./a", "a/."]
    for key in keys:
        s3.client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in keys:
        assert read(s3.client.get_object(Bucket=bucket, Key=key)) == key.encode()
    assert len(s3.client.list_objects_v2(Bucket=bucket)["Contents"]) == len(keys)


def test_an_object_and_a_folder_of_its_name_live_side_by_side(s3, bucket):
    for key in ("a", "a/b", "a/b/c"):
        s3.client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.client.delete_object(Bucket=bucket, Key="a/b")
    assert [read(s3.client.get_object(Bucket=bucket, Key=k)) for k in ("a", "a/b/c")] == [b"a", b"a/b/c"]


def test_a_key_leads_out_of_no_bucket(s3, bucket):
    other = s3.bucket()
    s3.client.put_object(Bucket=other, Key="secret", Body=b"not to be seen")
    for key in (f"../{other}/secret", f"a/../../{other}/secret", "../../../../../../etc/passwd", "..%2f..%2fetc%2fpasswd"):
        reply = s3.request("GET", f"/{bucket}/{key}")
        assert reply.status in (400, 404) and b"not to be" not in reply.body and b"root:" not in reply.body, reply


def test_a_key_has_1024_bytes_at_most(s3, bucket):
    for key in ("x" * 1025, "é" * 512 + "x"):
        with refused((400, "KeyTooLongError"), (400, "InvalidObjectName")):  # S3's word and R2's
            s3.client.put_object(Bucket=bucket, Key=key, Body=b"v")


def test_a_key_is_utf_8(s3, bucket):
    reply = s3.request("PUT", f"/{bucket}/%ff%fe", b"v")
    assert reply.status == 400, reply


# ---- ranges


@pytest.mark.parametrize("asked, got, said", [
    ("bytes=0-0", b"0", "0-0"), ("bytes=0-9", b"0123456789", "0-9"), ("bytes=2-4", b"234", "2-4"), ("bytes=7-", b"789", "7-9"),
    ("bytes=-3", b"789", "7-9"), ("bytes=8-99", b"89", "8-9"), ("bytes=-99", b"0123456789", "0-9"), ("bytes=9-9", b"9", "9-9"),
])
def test_a_range_is_a_part(s3, digits, asked, got, said):
    answer = s3.client.get_object(**digits, Range=asked)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], answer["ContentRange"]) == (206, f"bytes {said}/10")
    assert (answer["ContentLength"], read(answer)) == (len(got), got)


@pytest.mark.parametrize("asked", ["bytes=10-", "bytes=10-12", "bytes=-0"])
def test_a_range_behind_the_end_is_refused(s3, digits, asked):
    with refused((416, "InvalidRange")):
        s3.client.get_object(**digits, Range=asked)


def test_an_empty_object_has_no_ranges(s3, digits):
    with refused((416, "InvalidRange")):
        s3.client.get_object(Bucket=digits["Bucket"], Key="empty", Range="bytes=0-0")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=a-b", "bytes", "lines=1-2", "bytes=0-1,4-5", "bytes=--1"])
def test_a_range_that_is_none_or_several_is_not_heeded(s3, digits, asked):
    answer = s3.client.get_object(**digits, Range=asked)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], read(answer)) == (200, b"0123456789")


# ---- conditions of reading


def etag_of(s3, digits):
    return s3.client.head_object(**digits)["ETag"], s3.client.head_object(**digits)["LastModified"]


CONDITIONS = [
    ({"IfMatch": "same"}, 200), ({"IfMatch": '"other"'}, 412), ({"IfMatch": "*"}, 200),
    ({"IfNoneMatch": "same"}, 304), ({"IfNoneMatch": '"other"'}, 200),
    ({"IfModifiedSince": -HOUR}, 200), ({"IfModifiedSince": 0 * HOUR}, 304),
    ({"IfUnmodifiedSince": -HOUR}, 412), ({"IfUnmodifiedSince": 0 * HOUR}, 200),
    # Of two that speak of the same the one about the ETag decides (RFC 9110, 13.2.2).
    ({"IfMatch": "same", "IfUnmodifiedSince": -HOUR}, 200), ({"IfNoneMatch": "same", "IfModifiedSince": -HOUR}, 304),
    ({"IfNoneMatch": '"other"', "IfModifiedSince": 0 * HOUR}, 200), ({"IfMatch": "same", "IfNoneMatch": "same"}, 304),
]


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
@pytest.mark.parametrize("condition, status", CONDITIONS, ids=str)
def test_a_condition_decides_about_a_read(s3, digits, operation, condition, status):
    etag, modified = etag_of(s3, digits)
    sent = {name: etag if value == "same" else modified + value if isinstance(value, datetime.timedelta) else value
            for name, value in condition.items()}
    call = getattr(s3.client, operation)
    if status == 200:
        assert call(**digits, **sent)["ETag"] == etag
        return
    code = "PreconditionFailed" if (operation, status) == ("get_object", 412) else str(status)
    with refused((status, code)):
        call(**digits, **sent)


def test_etags_of_a_condition_may_be_several_and_weak(s3, digits):
    etag, _ = etag_of(s3, digits)
    s3.client.get_object(**digits, IfMatch=f'"x", {etag}')
    for given in (f'"x",{etag}', f"W/{etag}"):
        with refused((304, "304")):
            s3.client.get_object(**digits, IfNoneMatch=given)


def test_an_answer_304_has_no_body_and_names_the_etag(s3, digits):
    etag, _ = etag_of(s3, digits)
    reply = s3.request("GET", "/{Bucket}/{Key}".format(**digits), headers={"If-None-Match": etag})
    assert (reply.status, reply.body, reply.headers["ETag"]) == (304, b"", etag)


# ---- conditions of writing


def test_an_object_is_written_only_if_there_is_none(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with refused(FAILED):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"1"
    s3.client.delete_object(Bucket=bucket, Key="k")
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"3", IfNoneMatch="*")


def test_an_object_is_written_only_over_the_one_that_was_read(s3, bucket):
    first = s3.client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    second = s3.client.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first)["ETag"]
    with refused(FAILED):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"3", IfMatch=first)
    assert s3.client.head_object(Bucket=bucket, Key="k")["ETag"] == second
    with refused(NO_KEY, FAILED):  # S3's answer and R2's
        s3.client.put_object(Bucket=bucket, Key="none", Body=b"3", IfMatch=first)


def test_an_object_is_written_only_if_it_changed(s3, bucket):
    # R2's extension: S3 knows no If-None-Match of a write but *.
    etag = s3.client.put_object(Bucket=bucket, Key="k", Body=b"1")["ETag"]
    with refused(FAILED):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch=etag)
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch='"other"')


@pytest.mark.parametrize("header, past, future", [("If-Modified-Since", 200, 412), ("If-Unmodified-Since", 412, 200)])
def test_a_time_decides_about_a_write(s3, bucket, header, past, future):
    # R2's extension.
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"1")
    for date, status in (("Mon, 01 Jan 2001 00:00:00 GMT", past), ("Fri, 01 Jan 2100 00:00:00 GMT", future)):
        reply = s3.request("PUT", f"/{bucket}/k", b"2", {header: date})
        assert reply.status == status, reply


# ---- copies


@pytest.fixture
def source(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="a b/ü+%", Body=b"source", Metadata={"m": "1", "n": "2"}, ContentType="text/x-one",
                         CacheControl="no-store")
    return {"Bucket": bucket, "Key": "a b/ü+%"}


def test_a_copy_has_bytes_and_metadata(s3, bucket, source):
    etag = s3.client.head_object(**source)["ETag"]
    result = s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=source)["CopyObjectResult"]
    assert result["ETag"] == etag and result["LastModified"]
    answer = s3.client.get_object(Bucket=bucket, Key="copy")
    assert (read(answer), answer["Metadata"], answer["ContentType"], answer["CacheControl"]) == (
        b"source", {"m": "1", "n": "2"}, "text/x-one", "no-store")


def test_a_copy_into_another_bucket_outlives_its_source(s3, bucket, source):
    other = s3.bucket()
    s3.client.copy_object(Bucket=other, Key="copy", CopySource=source)
    s3.client.delete_object(**source)
    assert read(s3.client.get_object(Bucket=other, Key="copy")) == b"source"


def test_a_copy_may_replace_the_metadata(s3, bucket, source):
    new = {"Metadata": {"x": "y"}, "ContentType": "text/x-two"}
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="REPLACE", **new)
    answer = s3.client.head_object(Bucket=bucket, Key="copy")
    assert {name: answer[name] for name in new} == new and "CacheControl" not in answer
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="COPY", **new)
    assert s3.client.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"m": "1", "n": "2"}


def test_a_copy_may_merge_the_metadata(s3, bucket, source):
    # R2's extension.
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=source, MetadataDirective="MERGE", Metadata={"n": "3", "o": "4"})
    assert s3.client.head_object(Bucket=bucket, Key="copy")["Metadata"] == {"m": "1", "n": "3", "o": "4"}


def test_an_object_is_copied_onto_itself_only_to_change_it(s3, source):
    with refused((400, "InvalidRequest")):
        s3.client.copy_object(**source, CopySource=source)
    s3.client.copy_object(**source, CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"})
    answer = s3.client.get_object(**source)
    assert (read(answer), answer["Metadata"]) == (b"source", {"new": "1"})


@pytest.mark.parametrize("condition, kept", [
    ({"IfMatch": "same"}, True), ({"IfMatch": '"other"'}, False), ({"IfNoneMatch": "same"}, False),
    ({"IfNoneMatch": '"other"'}, True), ({"IfModifiedSince": -HOUR}, True), ({"IfModifiedSince": 0 * HOUR}, False),
    ({"IfUnmodifiedSince": -HOUR}, False), ({"IfUnmodifiedSince": 0 * HOUR}, True),
], ids=str)
def test_a_condition_decides_about_a_copy(s3, bucket, source, condition, kept):
    etag, modified = etag_of(s3, source)
    (name, value), = condition.items()
    value = etag if value == "same" else modified + value if isinstance(value, datetime.timedelta) else value
    call = {"Bucket": bucket, "Key": "copy", "CopySource": source, "CopySource" + name: value}
    if kept:
        s3.client.copy_object(**call)
        return
    with refused(FAILED):
        s3.client.copy_object(**call)
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="copy")


def test_a_copy_of_nothing_is_refused(s3, bucket):
    with refused(NO_KEY):
        s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "none"})
    with refused(NO_BUCKET):
        s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": "no-such-bucket-here", "Key": "k"})


def test_the_source_may_start_with_a_slash_or_not(s3, bucket, source):
    for written in (f"/{bucket}/{source['Key']}", f"{bucket}/{source['Key']}"):  # boto3 encodes them
        s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=written)
        assert read(s3.client.get_object(Bucket=bucket, Key="copy")) == b"source"


def test_a_copy_may_depend_on_its_destination(s3, bucket, source):
    # R2's extension.
    client = with_headers(s3.connect(), "CopyObject", {"cf-copy-destination-if-none-match": "*"})
    client.copy_object(Bucket=bucket, Key="copy", CopySource=source)
    with refused(FAILED):
        client.copy_object(Bucket=bucket, Key="copy", CopySource=source)
