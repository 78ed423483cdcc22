"""What others' tests of S3 ask of CORS, lifecycles, owners and customers' keys, beside test_s3_boto3_settings.py.
s3_conformance.md has whose behaviour is shown where."""

import base64
import datetime
import email.utils
import hashlib

import pytest

from s3_client import read, refused, with_headers
from test_s3_boto3_multipart import Upload
from test_s3_boto3_settings import NOT_IMPLEMENTED, WRONG_KEY, sse

DAY = datetime.timedelta(days=1)

# ---- CORS


@pytest.fixture(scope="module")
def shared(s3):
    name = s3.bucket()
    s3.client.put_object(Bucket=name, Key="k", Body=b"v")
    s3.client.put_bucket_cors(Bucket=name, CORSConfiguration={"CORSRules": [
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://*suffix"]}, {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://start*end"]},
        {"AllowedMethods": ["GET"], "AllowedOrigins": ["https://prefix*"]}, {"AllowedMethods": ["PUT"], "AllowedOrigins": ["*.put"]},
        {"AllowedMethods": ["PUT"], "AllowedOrigins": ["https://headers"], "AllowedHeaders": ["x-amz-*", "content-type"]}]})
    return name


def allowed(reply):
    return reply.headers["Access-Control-Allow-Origin"], reply.headers["Access-Control-Allow-Methods"]


@pytest.mark.parametrize("origin, is_allowed", [
    ("https://foo.suffix", True), ("https://foo.bar", False), ("https://foo.suffix.get", False), ("https://startend", True),
    ("https://start1end", True), ("https://start12end", True), ("https://0start12end", False), ("https://star", False),
    ("https://prefix", True), ("https://prefix.suffix", True), ("https://bla.prefix", False), (None, False)])
def test_a_star_stands_for_any_part_of_an_origin(s3, shared, origin, is_allowed):
    expected = (origin, "GET") if is_allowed else (None, None)
    sent = {"Origin": origin} if origin else {}
    for target in (f"/{shared}", f"/{shared}/k", f"/{shared}/none"):
        assert allowed(s3.request("GET", target, headers=sent)) == expected
    reply = s3.send("OPTIONS", f"/{shared}/k", headers={**sent, "Access-Control-Request-Method": "GET"})
    assert (reply.status, *allowed(reply)) == (200 if is_allowed else 403, *expected), reply


@pytest.mark.parametrize("operation, method, origin, is_allowed", [
    ("get_object", "GET", "https://foo.suffix", True), ("get_object", "GET", "https://foo.put", False),
    ("put_object", "PUT", "https://foo.put", True), ("put_object", "PUT", "https://foo.suffix", False)])
def test_a_presigned_url_is_asked_about_first(s3, shared, operation, method, origin, is_allowed):
    """By a browser, at the whole URL and without a signature of that question."""
    url = s3.client.generate_presigned_url(operation, {"Bucket": shared, "Key": "k" if method == "GET" else "new"})
    reply = s3.send("OPTIONS", url, headers={"Origin": origin, "Access-Control-Request-Method": method})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == ((200, origin) if is_allowed else (403, None))
    reply = s3.send(method, url, b"" if method == "GET" else b"v", headers={"Origin": origin})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, origin if is_allowed else None)


@pytest.mark.parametrize("headers, is_allowed", [("x-amz-meta-header1", True), ("X-Amz-Date,Content-Type", True), ("x-other", False)])
def test_a_browser_asks_for_its_headers(s3, shared, headers, is_allowed):
    reply = s3.send("OPTIONS", f"/{shared}/k", headers={"Origin": "https://headers", "Access-Control-Request-Method": "PUT",
                                                        "Access-Control-Request-Headers": headers})
    assert reply.status == (200 if is_allowed else 403), reply


def test_the_answer_to_any_origin_is_a_star(s3, bucket):
    s3.client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}]})
    assert allowed(s3.request("GET", f"/{bucket}", headers={"Origin": "https://example.origin"})) == ("*", "GET")
    assert allowed(s3.request("GET", f"/{bucket}")) == (None, None)


# ---- lifecycles


def put_rules(s3, bucket, *rules):
    s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)})


def kept_rules(s3, bucket):
    return s3.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def rule(id="r", prefix="a/", **more):
    return {"ID": id, "Status": "Enabled", "Filter": {"Prefix": prefix}, **more}


MIDNIGHT = datetime.datetime(2031, 9, 27, tzinfo=datetime.timezone.utc)


@pytest.mark.parametrize("given", [
    rule(Expiration={"Days": 1}), rule(Expiration={"Date": MIDNIGHT}), rule(Expiration={"ExpiredObjectDeleteMarker": True}),
    rule(NoncurrentVersionExpiration={"NoncurrentDays": 2, "NewerNoncurrentVersions": 5}),
    rule(AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}), rule(Transitions=[{"Days": 1, "StorageClass": "STANDARD_IA"}]),
    rule(Transitions=[{"Date": MIDNIGHT, "StorageClass": "STANDARD_IA"}]), {**rule(Expiration={"Days": 1}), "Filter": {}},
    {**rule(Expiration={"Days": 1}), "Filter": {"ObjectSizeGreaterThan": 500}},
    {**rule(Expiration={"Days": 1}), "Filter": {"And": {"Prefix": "b/", "ObjectSizeLessThan": 64000}}},
    {"ID": "old", "Status": "Enabled", "Prefix": "p/", "Expiration": {"Days": 3}},
    rule(Expiration={"Days": 9}, AbortIncompleteMultipartUpload={"DaysAfterInitiation": 2}, NoncurrentVersionExpiration={"NoncurrentDays": 2}),
], ids=lambda given: ",".join(name for name in given if name not in ("ID", "Status")))
def test_a_rule_is_kept_as_it_was_given(s3, bucket, given):
    put_rules(s3, bucket, given, rule("other", "z/", Expiration={"Days": 1}))
    assert kept_rules(s3, bucket) == [given, rule("other", "z/", Expiration={"Days": 1})]


def test_rules_without_a_name_are_given_one(s3, bucket):
    given = [{"Status": "Enabled", "Filter": {"Prefix": f"{i}/"}, "Expiration": {"Days": 31}} for i in (1, 2)]
    put_rules(s3, bucket, *given)
    kept = kept_rules(s3, bucket)
    assert all(each["ID"] for each in kept) and len({each["ID"] for each in kept}) == 2
    assert [{name: value for name, value in each.items() if name != "ID"} for each in kept] == given
    put_rules(s3, bucket, *kept)  # what was read may be written again


@pytest.mark.parametrize("given, code", [
    ([rule("x" * 256, Expiration={"Days": 2})], "InvalidArgument"), ([rule(Expiration={"Days": 1}), rule(Expiration={"Days": 2})], "InvalidArgument"),
    ([{**rule(Expiration={"Days": 2}), "Status": "enabled"}], "MalformedXML"), ([{**rule(Expiration={"Days": 2}), "Status": "invalid"}], "MalformedXML"),
    ([rule(Expiration={"Days": 0})], "InvalidArgument"), ([rule(Expiration={"Date": MIDNIGHT + DAY / 2})], "InvalidArgument"),
    ([rule(Expiration={"Days": 1, "ExpiredObjectDeleteMarker": True})], "MalformedXML"),
    ([rule(Transitions=[{"Date": MIDNIGHT + DAY / 2, "StorageClass": "STANDARD_IA"}])], "InvalidArgument"),
    ([{**rule(Expiration={"Days": 1}), "Filter": {"Prefix": "a", "ObjectSizeLessThan": 5}}], "MalformedXML"), ([], "MalformedXML"),
], ids=lambda given: given if isinstance(given, str) else "")
def test_rules_that_cannot_be(s3, bucket, given, code):
    with refused((400, code)):
        put_rules(s3, bucket, *given)
    with refused((404, "NoSuchLifecycleConfiguration")):
        kept_rules(s3, bucket)


@pytest.mark.parametrize("date", ["20200101", "27 Sep 2031", "tomorrow"])
def test_a_date_of_a_rule_is_one(s3, bucket, date):
    body = ("<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Prefix>a</Prefix><Expiration><Date>" + date +
            "</Date></Expiration></Rule></LifecycleConfiguration>").encode()
    md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
    reply = s3.request("PUT", f"/{bucket}?lifecycle=", body, {"Content-MD5": md5})
    assert (reply.status, reply.code) in ((400, "MalformedXML"), (400, "InvalidArgument")), reply


@pytest.mark.parametrize("more", [
    {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
    {"NoncurrentVersionTransitions": [{"NoncurrentDays": 2, "StorageClass": "STANDARD_IA"}]},
    {"Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]}], ids=str)
def test_rules_that_would_not_be_done_are_refused(s3, bucket, more):
    with refused(NOT_IMPLEMENTED):
        put_rules(s3, bucket, {**rule(), **more})


def expiration(s3, method, target, **more):
    """(days from now, rule) of x-amz-expiration; None without one."""
    reply = s3.request(method, target, **more)
    assert reply.status == 200, reply
    said = reply.headers["x-amz-expiration"]
    if said is None:
        return None
    date, _, id = said.partition(", rule-id=")
    when = email.utils.parsedate_to_datetime(date.removeprefix('expiry-date="').removesuffix('"'))
    assert (when.hour, when.minute, when.second) == (0, 0, 0)
    return (when - datetime.datetime.now(datetime.timezone.utc)).days, id.strip('"')


def test_an_object_says_when_it_goes(s3, bucket):
    put_rules(s3, bucket, rule("a b/ü", "days1/", Expiration={"Days": 1}), rule("later", "", Expiration={"Days": 30}),
              rule("uploads", "", AbortIncompleteMultipartUpload={"DaysAfterInitiation": 1}))
    for key, expected in (("days1/k", (1, "a%20b/%C3%BC")), ("k", (30, "later"))):
        assert expiration(s3, "PUT", f"/{bucket}/{key}", body=b"v") == expected
        assert expiration(s3, "GET", f"/{bucket}/{key}") == expiration(s3, "HEAD", f"/{bucket}/{key}") == expected
    copied = {"x-amz-copy-source": f"/{bucket}/k"}
    assert expiration(s3, "PUT", f"/{bucket}/days1/copy", headers=copied) == (1, "a%20b/%C3%BC")
    upload = Upload(s3, bucket)
    assert "later" in upload.complete(upload.part(1, b"v"))["Expiration"]
    s3.client.delete_bucket_lifecycle(Bucket=bucket)
    assert expiration(s3, "HEAD", f"/{bucket}/k") is None


# ---- owners


@pytest.mark.parametrize("ownership, is_refused", [("BucketOwnerEnforced", False), ("BucketOwnerPreferred", True), ("ObjectWriter", True)])
def test_who_owns_a_bucket_owns_its_objects(s3, ownership, is_refused):
    name = s3.bucket_name()
    if not is_refused:
        s3.client.create_bucket(Bucket=name, ObjectOwnership=ownership)
        return
    with refused(NOT_IMPLEMENTED):
        s3.client.create_bucket(Bucket=name, ObjectOwnership=ownership)
    with refused((404, "404")):
        s3.client.head_bucket(Bucket=name)


def test_attributes_are_asked_for_in_vain(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    with refused(NOT_IMPLEMENTED):
        s3.client.get_object_attributes(Bucket=bucket, Key="k", ObjectAttributes=["ETag"])


# ---- customers' keys


@pytest.mark.parametrize("size", [0, 1, 13, 1000, 65_536, 1_000_000])
def test_a_sealed_object_of_any_size(s3, bucket, size):
    body = (b"sealed words " * (size // 13 + 1))[:size]
    s3.client.put_object(Bucket=bucket, Key="k", Body=body, **sse("a"))
    answer = s3.client.get_object(Bucket=bucket, Key="k", **sse("a"))
    assert (read(answer), answer["ContentLength"]) == (body, size)
    assert s3.client.head_object(Bucket=bucket, Key="k", **sse("a"))["ContentLength"] == size
    for wrong in ({}, sse("b")):
        with refused(*WRONG_KEY):
            s3.client.get_object(Bucket=bucket, Key="k", **wrong)


KEY = base64.b64encode(b"a" * 32).decode()
MD5 = base64.b64encode(hashlib.md5(b"a" * 32).digest()).decode()
CUSTOMER = "x-amz-server-side-encryption-customer-"


@pytest.mark.parametrize("sent", [{"algorithm": "AES256", "key": KEY}, {"algorithm": "AES256"}, {"key": KEY, "key-MD5": MD5}, {"key": KEY},
                                  {"algorithm": "AES256", "key": KEY, "key-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}], ids=lambda sent: "+".join(sent))
def test_half_a_key_is_none(s3, bucket, sent):
    headers = {CUSTOMER + name: value for name, value in sent.items()}
    for method, target in (("PUT", f"/{bucket}/k"), ("POST", f"/{bucket}/k?uploads=")):
        reply = s3.request(method, target, b"v" if method == "PUT" else b"", headers)
        assert (reply.status, reply.code) == (400, "InvalidArgument"), reply
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


def test_a_key_of_a_client_and_one_of_the_server_do_not_go_together(s3, bucket):
    for other in ("AES256", "aws:kms"):
        client = with_headers(s3.connect(), "PutObject", {"x-amz-server-side-encryption": other})
        with refused(NOT_IMPLEMENTED, (400, "InvalidArgument")):
            client.put_object(Bucket=bucket, Key="k", Body=b"v", **sse("a"))
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


# ---- what is not there at all


def test_a_form_of_a_browser_is_not_taken(s3, bucket):
    form = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nk\r\n--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nv\r\n--x--\r\n'
    for send in (s3.send, s3.request):
        reply = send("POST", f"/{bucket}", form, {"Content-Type": "multipart/form-data; boundary=x"})
        assert reply.status in (403, 405, 501), reply
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


def test_a_torrent_is_not_to_be_had(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    with refused(NOT_IMPLEMENTED):
        s3.client.get_object_torrent(Bucket=bucket, Key="k")
