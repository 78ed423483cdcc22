"""What others' tests of S3 ask of single objects, beside test_s3_boto3.py: headers that are odd, reads and writes that meet,
conditional deletes. s3_conformance.md has whose behaviour is shown where."""

import concurrent.futures
import contextlib
import email.utils
import hashlib
import http.client
import threading

import pytest

import raw_http
from s3_client import MEBIBYTE, read, refused, with_headers

NO_BUCKET, NO_KEY = (404, "NoSuchBucket"), (404, "NoSuchKey")
FAILED = (412, "PreconditionFailed")


def get(s3, bucket, key="k"):
    return read(s3.client.get_object(Bucket=bucket, Key=key))


def put(s3, bucket, body, key="k", **more):
    return s3.client.put_object(Bucket=bucket, Key=key, Body=body, **more)


# ---- what is gone


@pytest.mark.parametrize("method, operation", [("GET", "get_object"), ("HEAD", "head_object"), ("DELETE", "delete_object")])
def test_what_is_gone_is_said(s3, method, operation):
    bucket = s3.bucket()
    put(s3, bucket, b"v")
    url = s3.client.generate_presigned_url(operation, {"Bucket": bucket, "Key": "k"})
    s3.client.delete_object(Bucket=bucket, Key="k")
    for reply in (s3.request(method, f"/{bucket}/k"), s3.send(method, url)):
        assert reply.status == (204 if method == "DELETE" else 404) and reply.code in ("", "NoSuchKey"), reply
    s3.client.delete_bucket(Bucket=bucket)
    for reply in (s3.request(method, f"/{bucket}/k"), s3.send(method, url)):
        assert reply.status == 404 and reply.code in ("", "NoSuchBucket"), reply


def test_an_error_names_its_request(s3, bucket):
    reply = s3.request("GET", f"/{bucket}/none")
    said = reply.body.partition(b"<RequestId>")[2].partition(b"<")[0].decode()
    assert reply.status == 404 and said and reply.headers["x-amz-request-id"] == said


# ---- headers


def raw_put(s3, bucket, headers, body=b"v", drop=(), method="PUT", key="/k"):
    """What a PUT with these headers beside the signed ones is answered."""
    signed = s3.sign(method, f"/{bucket}{key}")
    fields = [(name, value) for name, value in {**signed, "Content-Length": str(len(body)), **headers}.items() if name not in drop]
    with raw_http.connected(s3.address) as raw:
        raw.send(raw_http.lines(method, f"/{bucket}{key}", [*fields, ("Connection", "close")], body))
        raw.rest()
        return raw.status, raw.received.partition(b"<Code>")[2].partition(b"<")[0].decode()


@pytest.mark.parametrize("length", ["", "-1", "x"])
def test_a_length_is_a_number(s3, bucket, length):
    assert raw_put(s3, bucket, {"Content-Length": length})[0] == 400
    assert raw_put(s3, s3.bucket_name(), {"Content-Length": length}, key="")[0] == 400
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


def test_an_object_has_a_length(s3, bucket):
    assert raw_put(s3, bucket, {}, b"", drop=["Content-Length"]) == (411, "MissingContentLength")
    chunked = {"Transfer-Encoding": "chunked"}
    assert raw_put(s3, bucket, chunked, b"1\r\nv\r\n0\r\n\r\n", drop=["Content-Length"]) == (411, "MissingContentLength")


def test_a_bucket_is_made_without_a_body(s3):
    name = s3.bucket_name()
    assert raw_put(s3, name, {}, b"", drop=["Content-Length"], key="") == (200, "")
    s3.client.head_bucket(Bucket=name)


@pytest.mark.parametrize("headers, drop", [({"Authorization": ""}, []), ({}, ["Authorization"]), ({"Authorization": "AWS HAHAHA"}, []),
                                           ({"Authorization": "nonsense"}, [])], ids=str)
def test_an_authorization_that_is_none_lets_nobody_in(s3, bucket, headers, drop):
    for target, key in ((bucket, "/k"), (s3.bucket_name(), "")):
        status, code = raw_put(s3, target, headers, drop=drop, key=key)
        assert status in (400, 401, 403) and code, (status, code)
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


def test_a_signature_of_version_2_is_refused(s3, bucket):
    target = f"/{bucket}/k?AWSAccessKeyId={s3.access_key}&Expires=4102444800&Signature=bWCmoX5M0W0EpIUTbN5fmNpNJrM%3D"
    for reply in (s3.send("GET", target), s3.send("GET", f"/{bucket}/k", headers={
            "Authorization": f"AWS {s3.access_key}:bWCmoX5M0W0EpIUTbN5fmNpNJrM=", "Date": email.utils.formatdate(usegmt=True)})):
        assert (reply.status, reply.code) == (400, "InvalidRequest") and b"AWS4-HMAC-SHA256" in reply.body, reply


@pytest.mark.parametrize("md5, expected", [("", (400, "InvalidDigest")), ("YWJyYWNhZGFicmE=", (400, "InvalidDigest")),
                                           ("rL0Y20zC+Fzt72VPzMSk2A==", (400, "BadDigest")), (None, (200, ""))])
def test_an_md5_is_compared_where_there_is_one(s3, bucket, md5, expected):
    assert raw_put(s3, bucket, {} if md5 is None else {"Content-MD5": md5}) == expected


@pytest.mark.parametrize("sent, kept", [("text/plain", "text/plain"), ("no type at all", "no type at all"), ("", "binary/octet-stream"), (None, "binary/octet-stream")])
def test_a_type_is_kept_as_it_was_sent(s3, bucket, sent, kept):
    assert raw_put(s3, bucket, {} if sent is None else {"Content-Type": sent}) == (200, "")
    assert s3.client.head_object(Bucket=bucket, Key="k")["ContentType"] == kept


@pytest.mark.parametrize("sent", ["", "200-maybe"])
def test_an_expectation_that_is_not_met_is_refused(s3, bucket, sent):
    # RFC 9110, 10.1.1, allows it; S3 looks at nothing but 100-continue.
    assert raw_put(s3, bucket, {"Expect": sent})[0] == 417


@pytest.mark.parametrize("zone", ["GMT", "+0000", "-0000"])
def test_a_request_may_have_a_date_of_a_mail(s3, bucket, zone):
    """boto3, given a Date, sends it with -0000 and no X-Amz-Date."""
    client = with_headers(s3.connect(), "PutObject", {"Date": email.utils.formatdate().replace("-0000", zone)})
    put(s3, bucket, b"v")
    client.put_object(Bucket=bucket, Key="k", Body=b"dated")
    assert get(s3, bucket) == b"dated"


@pytest.mark.parametrize("first, then", [({}, {"m": "here"}), ({}, {"m": ""}), ({"m": "old", "n": "1"}, {"m": ""}), ({"m": "old"}, {"n": "2"})])
def test_metadata_is_that_of_the_last_write(s3, bucket, first, then):
    for metadata in (first, then):
        put(s3, bucket, b"v", Metadata=metadata)
        assert s3.client.get_object(Bucket=bucket, Key="k")["Metadata"] == metadata


@pytest.mark.parametrize("sent, kept", [("gzip", "gzip"), ("deflate, gzip", "deflate, gzip"), ("gzip,br", "gzip,br"), ("aws-chunked", None),
                                        ("aws-chunked, aws-chunked", None), ("aws-chunked, deflate,gzip", "deflate, gzip")])
def test_an_encoding_is_kept_as_it_was_sent(s3, bucket, sent, kept):
    put(s3, bucket, b"v", ContentEncoding=sent)
    assert s3.client.head_object(Bucket=bucket, Key="k").get("ContentEncoding") == kept


def test_each_header_of_an_answer_may_be_asked_for(s3, bucket):
    put(s3, bucket, b"v")
    asked = {"ResponseCacheControl": "no-cache", "ResponseContentDisposition": "bla", "ResponseContentEncoding": "aaa",
             "ResponseContentLanguage": "esperanto", "ResponseContentType": "foo/bar"}
    answer = s3.client.get_object(Bucket=bucket, Key="k", ResponseExpires="Sun, 06 Nov 2044 08:49:37 GMT", **asked)
    assert {name: answer[name.removeprefix("Response")] for name in asked} == asked
    assert answer["ResponseMetadata"]["HTTPHeaders"]["expires"] == "Sun, 06 Nov 2044 08:49:37 GMT"


# ---- 100-continue


def test_who_waits_is_told_to_go_on(s3, bucket):
    headers = {**s3.sign("PUT", f"/{bucket}/k"), "Content-Length": "5", "Expect": "100-continue", "Connection": "close"}
    with raw_http.connected(s3.address) as raw:
        raw.send(raw_http.lines("PUT", f"/{bucket}/k", headers))
        assert raw.status == 100
        raw.send(b"words").rest()
        assert b"HTTP/1.1 200 " in raw.received
    assert get(s3, bucket) == b"words"


@pytest.mark.parametrize("change", [{"X-Amz-Content-SHA256": "0" * 64}, {"Authorization": "AWS x:y"}], ids=str)
def test_who_is_refused_sends_no_body(s3, bucket, change):
    headers = {**s3.sign("PUT", f"/{bucket}/k"), "Content-Length": "5", "Expect": "100-continue", **change}
    with raw_http.connected(s3.address) as raw:
        assert raw.send(raw_http.lines("PUT", f"/{bucket}/k", headers)).status in (400, 403)
    # A right one on a new connection goes through: nothing of the first is left.
    put(s3, bucket, b"again")
    assert get(s3, bucket) == b"again"


# ---- reads and writes that meet


@contextlib.contextmanager
def slow_put(s3, bucket, body, key="k", query="", headers=None):
    """All but the last byte is there when the block is entered; leaving it sends the rest. Gives what will hold the answer."""
    target, answer = f"/{bucket}/{key}{query}", {}
    signed = s3.sign("PUT", target, headers)
    connection = http.client.HTTPConnection(s3.address, timeout=60)
    try:
        connection.putrequest("PUT", target, skip_host=True, skip_accept_encoding=True)
        for name, value in {**signed, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body[:-1])
        yield answer
        connection.send(body[-1:])
        response = connection.getresponse()
        answer.update(status=response.status, etag=response.headers["ETag"], body=response.read())
    finally:
        connection.close()


SIZES = pytest.mark.parametrize("size", [MEBIBYTE, 8 * MEBIBYTE])


@SIZES
def test_a_read_gives_what_it_began_with(s3, bucket, size):
    put(s3, bucket, b"A" * size)
    body = s3.client.get_object(Bucket=bucket, Key="k")["Body"]
    got = body.read(1000)
    put(s3, bucket, b"B" * size)
    assert got + body.read() == b"A" * size
    assert get(s3, bucket) == b"B" * size


@SIZES
def test_a_write_is_seen_when_it_is_whole(s3, bucket, size):
    put(s3, bucket, b"A" * size)
    with slow_put(s3, bucket, b"B" * size):
        assert get(s3, bucket) == b"A" * size
    assert get(s3, bucket) == b"B" * size


@SIZES
def test_of_two_writes_the_one_that_ends_last_stays(s3, bucket, size):
    with slow_put(s3, bucket, b"A" * size):
        put(s3, bucket, b"B" * size)
        assert get(s3, bucket) == b"B" * size
    assert get(s3, bucket) == b"A" * size


def test_a_condition_is_decided_when_a_write_ends(s3, bucket):
    first = put(s3, bucket, b"A")["ETag"]
    with slow_put(s3, bucket, b"B" * MEBIBYTE, headers={"If-Match": first}) as answer:
        put(s3, bucket, b"C")
    assert answer["status"] == 412 and get(s3, bucket) == b"C"
    with slow_put(s3, bucket, b"D" * MEBIBYTE, headers={"If-Match": "*"}) as answer:
        put(s3, bucket, b"E")
    assert answer["status"] == 200 and get(s3, bucket) == b"D" * MEBIBYTE


def test_a_write_into_a_bucket_that_goes_is_refused(s3):
    bucket = s3.bucket()
    with slow_put(s3, bucket, b"A" * MEBIBYTE) as answer:
        s3.client.delete_bucket(Bucket=bucket)
    assert answer["status"] == 404 and b"NoSuchBucket" in answer["body"]


def test_a_part_that_ends_last_is_the_part(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    at["UploadId"] = s3.client.create_multipart_upload(**at)["UploadId"]
    with slow_put(s3, bucket, b"A" * 1000, query=f"?partNumber=1&uploadId={at['UploadId']}") as answer:
        second = s3.client.upload_part(**at, PartNumber=1, Body=b"B" * 1000)["ETag"]
    with refused((400, "InvalidPart")):
        s3.client.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": second}]})
    s3.client.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": answer["etag"]}]})
    assert get(s3, bucket) == b"A" * 1000


def test_many_write_and_delete_one_key(s3, bucket):
    bodies = [bytes([65 + i]) * 100_000 for i in range(8)]
    gate = threading.Barrier(len(bodies))

    def write(body):
        gate.wait()
        put(s3, bucket, body)
        s3.client.delete_object(Bucket=bucket, Key="other")
        return get(s3, bucket)

    with concurrent.futures.ThreadPoolExecutor(len(bodies)) as pool:
        assert set(pool.map(write, bodies)) <= set(bodies)
    assert [o["Key"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]] == ["k"]


# ---- large objects


@pytest.fixture(scope="module")
def large(s3):
    """16 MiB that are the same nowhere."""
    bucket, body = s3.bucket(), b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() * 32 for i in range(16 * 1024))
    put(s3, bucket, body)
    return bucket, body


@pytest.mark.parametrize("first, last", [(3145728, 5242880), (4, None), (None, 7), (8388608 - 1, 8388608 + 1), (16777215, None)])
def test_a_range_of_a_large_object(s3, large, first, last):
    bucket, body = large
    asked = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    expected = body[-last:] if first is None else body[first:None if last is None else last + 1]
    answer = s3.client.get_object(Bucket=bucket, Key="k", Range=asked)
    assert (answer["ResponseMetadata"]["HTTPStatusCode"], read(answer)) == (206, expected)
    start = len(body) - len(expected) if first is None else first
    assert answer["ContentRange"] == f"bytes {start}-{start + len(expected) - 1}/{len(body)}"


def test_a_large_object_is_copied(s3, large):
    bucket, body = large
    s3.client.copy_object(Bucket=bucket, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    assert get(s3, bucket, "copy") == body


@pytest.mark.parametrize("other_bucket", [False, True])
def test_an_empty_object_is_copied_with_its_type(s3, bucket, other_bucket):
    to = s3.bucket() if other_bucket else bucket
    put(s3, bucket, b"", ContentType="audio/ogg")
    s3.client.copy_object(Bucket=to, Key="copy", CopySource={"Bucket": bucket, "Key": "k"})
    head = s3.client.head_object(Bucket=to, Key="copy")
    assert (head["ContentLength"], head["ContentType"]) == (0, "audio/ogg")


@pytest.mark.parametrize("condition, holds", [({"CopySourceIfMatch": "{etag}"}, True), ({"CopySourceIfMatch": "ABCORZ"}, False),
                                              ({"CopySourceIfNoneMatch": "ABCORZ"}, True), ({"CopySourceIfNoneMatch": "{etag}"}, False)], ids=str)
def test_an_etag_of_a_copy_may_lack_its_quotes(s3, bucket, condition, holds):
    etag = put(s3, bucket, b"v")["ETag"].strip('"')
    sent = {name: value.format(etag=etag) for name, value in condition.items()}
    call = {"Bucket": bucket, "Key": "copy", "CopySource": {"Bucket": bucket, "Key": "k"}, **sent}
    if holds:
        s3.client.copy_object(**call)
        assert get(s3, bucket, "copy") == b"v"
        return
    with refused(FAILED):
        s3.client.copy_object(**call)


# ---- conditional deletes


def test_an_object_is_deleted_only_if_it_is_the_one(s3, bucket):
    etag = put(s3, bucket, b"v")["ETag"]
    with refused(FAILED):
        s3.client.delete_object(Bucket=bucket, Key="k", IfMatch='"other"')
    assert get(s3, bucket) == b"v"
    s3.client.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    with refused(NO_KEY):
        get(s3, bucket)
    with refused(FAILED, NO_KEY):  # ceph lets it pass
        s3.client.delete_object(Bucket=bucket, Key="k", IfMatch=etag)
    put(s3, bucket, b"v")
    s3.client.delete_object(Bucket=bucket, Key="k", IfMatch="*")


def test_of_many_only_those_that_are_the_ones_are_deleted(s3, bucket):
    etags = {key: put(s3, bucket, key.encode(), key)["ETag"] for key in ("a", "b", "c")}
    wanted = [{"Key": "a", "ETag": etags["a"]}, {"Key": "b", "ETag": etags["a"]}, {"Key": "c"}]
    answer = s3.client.delete_objects(Bucket=bucket, Delete={"Objects": wanted})
    assert sorted(d["Key"] for d in answer["Deleted"]) == ["a", "c"]
    assert [(e["Key"], e["Code"]) for e in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert [o["Key"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]] == ["b"]


def test_with_versions_a_condition_of_a_delete_is_about_the_newest(s3, bucket):
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    first, second, third = (put(s3, bucket, body) for body in (b"1", b"2", b"3"))
    with refused(FAILED):
        s3.client.delete_object(Bucket=bucket, Key="k", IfMatch=second["ETag"])
    at = {"Bucket": bucket, "Key": "k", "VersionId": first["VersionId"]}
    with refused(FAILED):
        s3.client.delete_object(**at, IfMatch=first["ETag"])
    assert "DeleteMarker" not in s3.client.delete_object(**at, IfMatch=third["ETag"])
    answer = s3.client.delete_objects(Bucket=bucket, Delete={"Objects": [
        {"Key": "k", "VersionId": second["VersionId"], "ETag": second["ETag"]}]})
    assert answer["Errors"][0]["Code"] == "PreconditionFailed" and "Deleted" not in answer
    assert s3.client.delete_object(Bucket=bucket, Key="k", IfMatch=third["ETag"])["DeleteMarker"]
    answer = s3.client.list_object_versions(Bucket=bucket)
    assert [v["VersionId"] for v in answer["Versions"]] == [third["VersionId"], second["VersionId"]] and len(answer["DeleteMarkers"]) == 1


@pytest.mark.parametrize("condition", [{"IfMatchSize": 99}, {"IfMatchLastModifiedTime": "2015-01-01T00:00:00Z"}], ids=str)
def test_a_condition_that_is_not_known_deletes_nothing(s3, bucket, condition):
    # S3 has these for its directory buckets alone.
    put(s3, bucket, b"v")
    with refused((501, "NotImplemented")):
        s3.client.delete_object(Bucket=bucket, Key="k", **condition)
    of_many = {name.removeprefix("IfMatch"): value for name, value in condition.items()}
    with refused((501, "NotImplemented")):
        s3.client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", **of_many}]})
    assert get(s3, bucket) == b"v"
