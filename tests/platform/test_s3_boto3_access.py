"""boto3 against the S3 listener: who is let in, and presigned URLs."""

import contextlib
import datetime
import hashlib
import urllib.parse
from unittest import mock

import botocore.auth
import botocore.compat
import pytest
from botocore import UNSIGNED

from s3_client import read, refused

# Of R2's own words, S3's come second.
STRANGER = ((401, "Unauthorized"), (403, "AccessDenied"))
UNKNOWN_KEY = ((401, "Unauthorized"), (403, "InvalidAccessKeyId"), (403, "AccessDenied"))
EXPIRED = ((400, "ExpiredRequest"), (403, "AccessDenied"))
WRONG_SIGNATURE = (403, "SignatureDoesNotMatch")


@contextlib.contextmanager
def clock(**shift):
    """What is signed inside is signed by a clock that is wrong by so much."""
    now = botocore.compat.get_current_datetime
    with mock.patch.object(botocore.auth, "get_current_datetime", lambda *_, **more: now(**more) + datetime.timedelta(**shift)):
        yield


@pytest.fixture(scope="module")
def stored(s3):
    name = s3.bucket()
    s3.client.put_object(Bucket=name, Key="a b/ü+%&", Body=b"words", ContentType="text/x-test")
    return {"Bucket": name, "Key": "a b/ü+%&"}


def presign(s3, operation, at, seconds=600, **more):
    return s3.client.generate_presigned_url(operation, {**at, **more}, seconds)


def changed(url, **replaced):
    parts = urllib.parse.urlsplit(url)
    query = dict(urllib.parse.parse_qsl(parts.query)) | {name.replace("_", "-"): value for name, value in replaced.items()}
    return parts._replace(query=urllib.parse.urlencode(query, quote_via=urllib.parse.quote)).geturl()


# ---- keys and clocks


def test_a_stranger_sees_nothing(s3, stored):
    client = s3.connect(signature_version=UNSIGNED)
    for call in (lambda: client.get_object(**stored), lambda: client.list_objects_v2(Bucket=stored["Bucket"]), client.list_buckets,
                 lambda: client.put_object(**stored, Body=b"x"), lambda: client.delete_object(**stored)):
        with refused(*STRANGER):
            call()
    assert read(s3.client.get_object(**stored)) == b"words"


def test_a_stranger_does_not_learn_what_there_is(s3, stored):
    seen = {(r.status, r.code) for r in (s3.send("GET", f"/{stored['Bucket']}/none"), s3.send("GET", f"/{stored['Bucket']}"),
                                         s3.send("GET", "/no-such-bucket-here/k"), s3.send("GET", "/"))}
    assert len(seen) == 1 and seen <= set(STRANGER)


def test_a_wrong_secret_is_refused(s3, stored):
    with refused(WRONG_SIGNATURE):
        s3.connect(secret_key="0" * 64).get_object(**stored)


def test_an_unknown_access_key_is_refused(s3, stored):
    with refused(*UNKNOWN_KEY):
        s3.connect(access_key="0" * 32).get_object(**stored)


def test_a_permanent_key_takes_no_session_token(s3, stored):
    target = f"/{stored['Bucket']}?list-type=2"
    wrong = (400, "InvalidToken")
    client = s3.connect(session_token="of-somebody-else")
    with refused(wrong):
        client.get_object(**stored)
    with refused(wrong):
        client.put_object(Bucket=stored["Bucket"], Key="new", Body=b"v")
    reply = s3.request("GET", target, headers={"x-amz-security-token": "t"})
    assert (reply.status, reply.code) == wrong and b"of-somebody" not in reply.body, reply
    reply = s3.send("GET", client.generate_presigned_url("get_object", stored))
    assert (reply.status, reply.code) == wrong and b"words" not in reply.body, reply
    # Who has not shown the key is told no more than before.
    with refused(WRONG_SIGNATURE):
        s3.connect(secret_key="0" * 64, session_token="t").get_object(**stored)
    assert "new" not in [o["Key"] for o in s3.client.list_objects_v2(Bucket=stored["Bucket"])["Contents"]]


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_wrong_is_refused(s3, stored, minutes):
    with clock(minutes=minutes), refused((403, "RequestTimeTooSkewed")):
        s3.client.get_object(**stored)


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_may_be_wrong_by_a_quarter_of_an_hour(s3, stored, minutes):
    with clock(minutes=minutes):
        assert read(s3.client.get_object(**stored)) == b"words"


def test_a_request_may_be_sent_twice(s3, stored):
    target = f"/{stored['Bucket']}?list-type=2"
    headers = s3.sign("GET", target)
    assert [s3.send("GET", target, headers=headers).status for _ in range(3)] == [200] * 3


def test_a_signature_is_of_one_request(s3, stored):
    target = f"/{stored['Bucket']}?list-type=2"
    headers = s3.sign("GET", target)
    assert s3.send("GET", target + "&prefix=a", headers=headers).code == "SignatureDoesNotMatch"
    assert s3.send("GET", f"/{stored['Bucket']}-other?list-type=2", headers=headers).code == "SignatureDoesNotMatch"
    assert s3.send("PUT", target, headers={**headers, "Content-Length": "0"}).code == "SignatureDoesNotMatch"


def test_an_error_is_a_document(s3, stored):
    reply = s3.request("GET", f"/{stored['Bucket']}/none")
    assert (reply.status, reply.code, reply.headers.get_content_type()) == (404, "NoSuchKey", "application/xml")
    assert reply.body.startswith(b"<?xml") and b"<Message>" in reply.body
    assert s3.request("HEAD", f"/{stored['Bucket']}/none").body == b""


def test_a_method_that_is_none_is_refused(s3, stored):
    reply = s3.request("PATCH", f"/{stored['Bucket']}/k")
    assert reply.status in (405, 501), reply


# ---- presigned


def test_a_presigned_url_reads(s3, stored):
    url = presign(s3, "get_object", stored)
    for _ in range(2):
        reply = s3.send("GET", url)
        assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"words", "text/x-test")
    assert s3.send("GET", url, headers={"Range": "bytes=1-2"}).body == b"or"
    assert s3.send("HEAD", presign(s3, "head_object", stored)).headers["Content-Length"] == "5"


def test_a_presigned_url_may_name_headers_of_the_answer(s3, stored):
    reply = s3.send("GET", presign(s3, "get_object", stored, ResponseContentDisposition='attachment; filename="ü.txt"'))
    assert reply.status == 200 and reply.headers["Content-Disposition"].startswith("attachment")


def test_a_presigned_url_writes_and_deletes(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    assert s3.send("PUT", presign(s3, "put_object", at), b"by url").status == 200
    assert read(s3.client.get_object(**at)) == b"by url"
    assert s3.send("PUT", presign(s3, "put_object", at), b"", headers={"Content-Length": "0"}).status == 200
    assert s3.send("DELETE", presign(s3, "delete_object", at)).status == 204
    with refused((404, "NoSuchKey")):
        s3.client.get_object(**at)


def test_a_presigned_url_holds_its_headers(s3, bucket):
    url = presign(s3, "put_object", {"Bucket": bucket, "Key": "k"}, ContentType="text/x-test", Metadata={"m": "1"})
    assert s3.send("PUT", url, b"v", {"Content-Type": "text/x-test", "x-amz-meta-m": "1"}).status == 200
    assert s3.client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"m": "1"}
    for headers in ({"Content-Type": "text/html", "x-amz-meta-m": "1"}, {"Content-Type": "text/x-test", "x-amz-meta-m": "2"},
                    {"Content-Type": "text/x-test"}):
        assert s3.send("PUT", url, b"w", headers).status == 403
    assert read(s3.client.get_object(Bucket=bucket, Key="k")) == b"v"


def test_a_presigned_url_uploads_a_part(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    at["UploadId"] = s3.client.create_multipart_upload(**at)["UploadId"]
    etag = s3.send("PUT", presign(s3, "upload_part", at, PartNumber=1), b"part").headers["ETag"]
    assert etag == f'"{hashlib.md5(b"part").hexdigest()}"'
    s3.client.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": etag}]})


@pytest.mark.parametrize("seconds, age", [(1, 2), (600, 601), (600, 86400)])
def test_a_presigned_url_expires(s3, stored, seconds, age):
    with clock(seconds=-age - 1):
        url = presign(s3, "get_object", stored, seconds)
    reply = s3.send("GET", url)
    assert (reply.status, reply.code) in EXPIRED, reply
    with clock(seconds=-age - 1):
        url = presign(s3, "get_object", stored, age + 300)
    assert s3.send("GET", url).status == 200


def test_a_presigned_url_is_not_of_the_future(s3, stored):
    with clock(hours=1):
        url = presign(s3, "get_object", stored)
    assert s3.send("GET", url).status == 403


@pytest.mark.parametrize("seconds", [0, -1, 604801, "x"])
def test_a_presigned_url_lives_for_a_week_at_most(s3, stored, seconds):
    reply = s3.send("GET", changed(presign(s3, "get_object", stored), X_Amz_Expires=str(seconds)))
    assert reply.status in (400, 403), reply


def test_a_presigned_url_that_was_changed_is_refused(s3, stored):
    url = presign(s3, "get_object", stored)
    signature = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)["X-Amz-Signature"][0]
    other = ("0" if signature[0] != "0" else "1") + signature[1:]
    for wrong in (changed(url, X_Amz_Expires="601"), changed(url, X_Amz_Signature=other), url.replace("/a%20b", "/a%20c"),
                  url.replace(stored["Bucket"], stored["Bucket"] + "0"), changed(url, versionId="null")):
        reply = s3.send("GET", wrong)
        assert (reply.status, reply.code) == WRONG_SIGNATURE, (wrong, reply)
    for method in ("PUT", "DELETE"):
        assert s3.send(method, url, b"").code == "SignatureDoesNotMatch"
    assert s3.send("GET", changed(url, X_Amz_Signature="")).status in (400, 401, 403)


def test_no_error_shows_a_secret(s3, stored):
    for reply in (s3.send("GET", changed(presign(s3, "get_object", stored), X_Amz_Signature="0" * 64)),
                  s3.send("GET", "/", headers={**s3.sign("GET", "/"), "X-Amz-Date": "20200101T000000Z"})):
        assert reply.status >= 400 and s3.secret_key.encode() not in reply.body
