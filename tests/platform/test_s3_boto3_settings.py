"""boto3 against the S3 listener: versions, customers' keys, CORS, lifecycles, and what R2 does not have."""

import base64
import hashlib

import pytest
from botocore.exceptions import ClientError

from s3_client import failure, read, refused, with_headers

NO_KEY = (404, "NoSuchKey")
NOT_IMPLEMENTED = (501, "NotImplemented")

# ---- versions. R2 has none; these are S3's.


@pytest.fixture
def versioned(s3, bucket):
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    return bucket


def put(s3, bucket, body, key="k"):
    return s3.client.put_object(Bucket=bucket, Key=key, Body=body).get("VersionId")


def get(s3, bucket, version=None, key="k"):
    return read(s3.client.get_object(Bucket=bucket, Key=key, **({"VersionId": version} if version else {})))


def history(s3, bucket, **more):
    """(key, version, is it the newest, is it a delete marker), as they are listed."""
    answer = s3.client.list_object_versions(Bucket=bucket, **more)
    rows = [(v["LastModified"], v["Key"], v["VersionId"], v["IsLatest"], marker)
            for marker, name in ((False, "Versions"), (True, "DeleteMarkers")) for v in answer.get(name, [])]
    return {row[1:] for row in rows}


def test_versioning_is_off_until_it_is_enabled(s3, bucket):
    assert "Status" not in s3.client.get_bucket_versioning(Bucket=bucket)
    assert put(s3, bucket, b"v") is None
    for status in ("Enabled", "Suspended", "Enabled"):
        s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})
        assert s3.client.get_bucket_versioning(Bucket=bucket)["Status"] == status


@pytest.mark.parametrize("status", ["Disabled", "enabled", ""])
def test_versioning_is_enabled_or_suspended(s3, bucket, status):
    with refused((400, "MalformedXML"), (400, "IllegalVersioningConfigurationException")):
        s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def test_every_version_is_kept(s3, versioned):
    ids = [put(s3, versioned, body) for body in (b"1", b"22", b"333")]
    assert len(set(ids)) == 3 and get(s3, versioned) == b"333"
    assert [get(s3, versioned, id) for id in ids] == [b"1", b"22", b"333"]
    assert s3.client.head_object(Bucket=versioned, Key="k", VersionId=ids[1])["ContentLength"] == 2
    assert [v["VersionId"] for v in s3.client.list_object_versions(Bucket=versioned)["Versions"]] == ids[::-1]
    assert history(s3, versioned) == {("k", ids[0], False, False), ("k", ids[1], False, False), ("k", ids[2], True, False)}
    assert len(s3.client.list_objects_v2(Bucket=versioned)["Contents"]) == 1


def test_a_delete_leaves_a_marker(s3, versioned):
    first = put(s3, versioned, b"1")
    gone = s3.client.delete_object(Bucket=versioned, Key="k")
    assert gone["DeleteMarker"] and gone["VersionId"] != first
    with refused(NO_KEY) as caught:
        get(s3, versioned)
    assert caught.value.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    with refused((405, "MethodNotAllowed")):
        get(s3, versioned, gone["VersionId"])
    assert "Contents" not in s3.client.list_objects_v2(Bucket=versioned)
    assert history(s3, versioned) == {("k", first, False, False), ("k", gone["VersionId"], True, True)}
    assert get(s3, versioned, first) == b"1"
    undone = s3.client.delete_object(Bucket=versioned, Key="k", VersionId=gone["VersionId"])
    assert (undone["DeleteMarker"], undone["VersionId"]) == (True, gone["VersionId"])
    assert get(s3, versioned) == b"1"


def test_a_deleted_version_is_gone_and_the_one_before_is_the_newest(s3, versioned):
    first, second = put(s3, versioned, b"1"), put(s3, versioned, b"2")
    assert s3.client.delete_object(Bucket=versioned, Key="k", VersionId=second)["VersionId"] == second
    assert get(s3, versioned) == b"1"
    with refused((404, "NoSuchVersion")):
        get(s3, versioned, second)
    assert history(s3, versioned) == {("k", first, True, False)}


def test_what_was_there_before_is_the_version_null(s3, bucket):
    put(s3, bucket, b"old")
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    new = put(s3, bucket, b"new")
    assert (get(s3, bucket), get(s3, bucket, "null")) == (b"new", b"old")
    assert history(s3, bucket) == {("k", "null", False, False), ("k", new, True, False)}


def test_suspended_versioning_writes_over_the_version_null(s3, versioned):
    kept = put(s3, versioned, b"kept")
    s3.client.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})
    for body in (b"1", b"2"):
        assert put(s3, versioned, body) in (None, "null")
    assert history(s3, versioned) == {("k", kept, False, False), ("k", "null", True, False)}
    assert (get(s3, versioned), get(s3, versioned, kept)) == (b"2", b"kept")
    s3.client.delete_object(Bucket=versioned, Key="k")
    assert history(s3, versioned) == {("k", kept, False, False), ("k", "null", True, True)}


def test_versions_of_a_bucket_without_them_are_null(s3, bucket):
    put(s3, bucket, b"v")
    assert history(s3, bucket) == {("k", "null", True, False)} and get(s3, bucket, "null") == b"v"


def test_a_version_may_be_copied(s3, versioned):
    first = put(s3, versioned, b"1")
    put(s3, versioned, b"2")
    answer = s3.client.copy_object(Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k", "VersionId": first})
    assert answer["CopySourceVersionId"] == first and answer["VersionId"]
    assert get(s3, versioned, key="copy") == b"1"


def test_versions_are_listed_page_by_page(s3, versioned):
    made = {(key, put(s3, versioned, b"v", key)) for key in ("a", "b", "a", "c/1", "c/2")}
    assert len(made) == 5
    seen, more = [], {}
    while True:
        answer = s3.client.list_object_versions(Bucket=versioned, MaxKeys=2, **more)
        seen += [(v["Key"], v["VersionId"]) for v in answer["Versions"]]
        if not answer["IsTruncated"]:
            break
        more = {"KeyMarker": answer["NextKeyMarker"], "VersionIdMarker": answer["NextVersionIdMarker"]}
    assert len(seen) == 5 and set(seen) == made and [key for key, _ in seen] == ["a", "a", "b", "c/1", "c/2"]
    folded = s3.client.list_object_versions(Bucket=versioned, Delimiter="/")
    assert [p["Prefix"] for p in folded["CommonPrefixes"]] == ["c/"] and len(folded["Versions"]) == 3


def test_versions_are_deleted_many_at_once(s3, versioned):
    first, second = put(s3, versioned, b"1"), put(s3, versioned, b"2")
    answer = s3.client.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": first}, {"Key": "k"}]})
    assert {d.get("DeleteMarker", False) for d in answer["Deleted"]} == {False, True}
    with refused((409, "BucketNotEmpty")) as caught:
        s3.client.delete_bucket(Bucket=versioned)
    assert "versions" in str(caught.value)
    marker = next(d["DeleteMarkerVersionId"] for d in answer["Deleted"] if d.get("DeleteMarker"))
    assert history(s3, versioned) == {("k", second, False, False), ("k", marker, True, True)}
    s3.client.delete_objects(Bucket=versioned, Delete={"Objects": [{"Key": "k", "VersionId": id} for id in (second, marker)]})
    s3.client.delete_bucket(Bucket=versioned)


def test_a_version_that_is_none_is_refused(s3, versioned):
    put(s3, versioned, b"v")
    with refused((400, "InvalidArgument"), (404, "NoSuchVersion")):
        get(s3, versioned, "no-such-version")
    with refused((400, "InvalidArgument"), (404, "NoSuchVersion")) as caught:
        s3.client.copy_object(Bucket=versioned, Key="copy", CopySource={"Bucket": versioned, "Key": "k", "VersionId": "no-such-version"})
    assert "version" in caught.value.response["Error"]["Message"]


# ---- customers' keys (SSE-C)


def sse(letter, prefix="SSECustomer"):
    return {prefix + "Algorithm": "AES256", prefix + "Key": letter * 32}


WRONG_KEY = ((403, "AccessDenied"), (400, "InvalidRequest"), (403, "403"), (400, "400"))


@pytest.fixture
def sealed(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"secret words", **sse("a"))
    return {"Bucket": bucket, "Key": "k"}


def test_who_has_the_key_reads(s3, sealed):
    answer = s3.client.get_object(**sealed, **sse("a"))
    assert read(answer) == b"secret words" and answer["SSECustomerAlgorithm"] == "AES256"
    assert answer["SSECustomerKeyMD5"] == base64.b64encode(hashlib.md5(b"a" * 32).digest()).decode()
    assert s3.client.head_object(**sealed, **sse("a"))["ContentLength"] == 12
    assert read(s3.client.get_object(**sealed, **sse("a"), Range="bytes=3-5")) == b"ret"


@pytest.mark.parametrize("operation", ["get_object", "head_object"])
def test_who_has_not_does_not(s3, sealed, operation):
    for key in ({}, sse("b")):
        with refused(*WRONG_KEY):
            getattr(s3.client, operation)(**sealed, **key)


def test_an_object_without_a_key_takes_none(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="open", Body=b"v")
    with refused((400, "InvalidRequest")):
        s3.client.get_object(Bucket=bucket, Key="open", **sse("a"))


def test_a_copy_opens_and_seals(s3, sealed):
    bucket = sealed["Bucket"]
    with refused(*WRONG_KEY):
        s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=sealed)
    with refused(*WRONG_KEY):
        s3.client.copy_object(Bucket=bucket, Key="copy", CopySource=sealed, **sse("b", "CopySourceSSECustomer"))
    s3.client.copy_object(Bucket=bucket, Key="open", CopySource=sealed, **sse("a", "CopySourceSSECustomer"))
    assert read(s3.client.get_object(Bucket=bucket, Key="open")) == b"secret words"
    s3.client.copy_object(Bucket=bucket, Key="other", CopySource=sealed, **sse("a", "CopySourceSSECustomer"), **sse("b"))
    assert read(s3.client.get_object(Bucket=bucket, Key="other", **sse("b"))) == b"secret words"


def test_parts_are_sealed_with_one_key(s3, bucket):
    at = {"Bucket": bucket, "Key": "k"}
    at["UploadId"] = s3.client.create_multipart_upload(**at, **sse("a"))["UploadId"]
    with refused(*WRONG_KEY):
        s3.client.upload_part(**at, PartNumber=1, Body=b"v")
    with refused(*WRONG_KEY):
        s3.client.upload_part(**at, PartNumber=1, Body=b"v", **sse("b"))
    bodies = [b"A" * (5 << 20), b"tail"]
    parts = [{"PartNumber": n, "ETag": s3.client.upload_part(**at, PartNumber=n, Body=body, **sse("a"))["ETag"]}
             for n, body in enumerate(bodies, 1)]
    s3.client.complete_multipart_upload(**at, MultipartUpload={"Parts": parts}, **sse("a"))
    assert read(s3.client.get_object(Bucket=bucket, Key="k", **sse("a"))) == b"".join(bodies)
    assert read(s3.client.get_object(Bucket=bucket, Key="k", **sse("a"), Range=f"bytes={(5 << 20) - 2}-{(5 << 20) + 1}")) == b"AAta"
    with refused(*WRONG_KEY):
        s3.client.get_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("headers", [
    {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "a" * 31}, {"SSECustomerAlgorithm": "DES", "SSECustomerKey": "a" * 32},
    {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": "a" * 32, "SSECustomerKeyMD5": "AAAAAAAAAAAAAAAAAAAAAA=="},
], ids=["short", "algorithm", "md5"])
def test_a_key_that_is_none_is_refused(s3, bucket, headers):
    with pytest.raises(ClientError) as caught:
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", **headers)
    assert failure(caught.value)[0] == 400
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


# ---- CORS

RULES = [
    {"ID": "site", "AllowedOrigins": ["https://site.example", "https://*.site.example"], "AllowedMethods": ["GET", "PUT"],
     "AllowedHeaders": ["Content-Type", "x-amz-*"], "ExposeHeaders": ["ETag", "x-amz-meta-m"], "MaxAgeSeconds": 3600},
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]},
]


@pytest.fixture
def shared(s3, bucket):
    s3.client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": RULES})
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    return bucket


def preflight(s3, bucket, origin, method, headers=None):
    asked = {"Origin": origin, "Access-Control-Request-Method": method}
    return s3.send("OPTIONS", f"/{bucket}/k", headers={**asked, **({"Access-Control-Request-Headers": headers} if headers else {})})


def test_cors_rules_are_kept_and_deleted(s3, shared):
    assert s3.client.get_bucket_cors(Bucket=shared)["CORSRules"] == RULES
    s3.client.put_bucket_cors(Bucket=shared, CORSConfiguration={"CORSRules": RULES[1:]})
    assert s3.client.get_bucket_cors(Bucket=shared)["CORSRules"] == RULES[1:]
    assert s3.client.delete_bucket_cors(Bucket=shared)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused((404, "NoSuchCORSConfiguration")):
        s3.client.get_bucket_cors(Bucket=shared)


@pytest.mark.parametrize("origin, method, headers", [
    ("https://site.example", "GET", None), ("https://site.example", "PUT", "content-type"), ("https://a.site.example", "PUT", None),
    ("https://site.example", "PUT", "X-Amz-Date, content-type"), ("https://anywhere.example", "HEAD", None),
])
def test_a_browser_may_do_what_a_rule_allows(s3, shared, origin, method, headers):
    reply = preflight(s3, shared, origin, method, headers)
    assert reply.status in (200, 204), reply
    assert reply.headers["Access-Control-Allow-Origin"] in (origin, "*")
    assert method in reply.headers["Access-Control-Allow-Methods"]
    allowed = (reply.headers["Access-Control-Allow-Headers"] or "").lower()
    for name in (headers or "").lower().replace(" ", "").split(","):
        assert name in allowed
    if method != "HEAD":
        assert reply.headers["Access-Control-Max-Age"] == "3600" and "ETag" in reply.headers["Access-Control-Expose-Headers"]


@pytest.mark.parametrize("origin, method, headers", [
    ("https://other.example", "GET", None), ("http://site.example", "GET", None), ("https://site.example", "DELETE", None),
    ("https://site.example", "PUT", "x-other"), ("https://site.example.evil.example", "GET", None),
])
def test_a_browser_may_do_nothing_else(s3, shared, origin, method, headers):
    reply = preflight(s3, shared, origin, method, headers)
    assert reply.status == 403 and "Access-Control-Allow-Origin" not in reply.headers, reply


def test_a_bucket_without_rules_allows_no_browser(s3, bucket):
    reply = preflight(s3, bucket, "https://site.example", "GET")
    assert reply.status == 403 and "Access-Control-Allow-Origin" not in reply.headers, reply
    assert f"<RequestId>{reply.headers['x-amz-request-id']}</RequestId>".encode() in reply.body


def test_answers_to_browsers_name_the_origin(s3, shared):
    url = s3.client.generate_presigned_url("get_object", {"Bucket": shared, "Key": "k"})
    reply = s3.send("GET", url, headers={"Origin": "https://site.example"})
    assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (200, "https://site.example")
    assert "ETag" in reply.headers["Access-Control-Expose-Headers"] and "Origin" in reply.headers["Vary"]
    for origin in ("https://other.example", None):
        reply = s3.send("GET", url, headers={"Origin": origin} if origin else {})
        assert reply.status == 200 and "Access-Control-Allow-Origin" not in reply.headers


@pytest.mark.parametrize("rule", [{"AllowedOrigins": ["*"], "AllowedMethods": ["STEAL"]}, {"AllowedOrigins": ["*"], "AllowedMethods": []},
                                  {"AllowedOrigins": ["https://*.*.example"], "AllowedMethods": ["GET"]}])
def test_a_cors_rule_that_cannot_be(s3, bucket, rule):
    with refused((400, "InvalidRequest"), (400, "MalformedXML")):
        s3.client.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


# ---- lifecycles

LIFE = [
    {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 90}},
    {"ID": "uploads", "Status": "Enabled", "Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}},
    {"ID": "cold", "Status": "Disabled", "Filter": {"Prefix": "old/"}, "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}]},
]


def test_lifecycle_rules_are_kept_and_deleted(s3, bucket):
    s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": LIFE})
    kept = {rule["ID"]: rule for rule in s3.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]}
    assert {rule["ID"]: rule for rule in LIFE} == {id: rule for id, rule in kept.items() if id in ("logs", "uploads", "cold")}
    assert s3.client.delete_bucket_lifecycle(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    try:  # S3 has no rules then; R2's buckets have one of their own, which aborts uploads after seven days
        rules = s3.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
        assert [rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] for rule in rules] == [7]
    except ClientError as error:
        assert failure(error) == (404, "NoSuchLifecycleConfiguration")


@pytest.mark.parametrize("more", [{"Expiration": {"Days": 0}}, {"Expiration": {"Days": -1}}, {"Status": "Perhaps", "Expiration": {"Days": 1}}, {},
                                  {"Transitions": [{"Days": 1, "StorageClass": "FROZEN"}]}], ids=str)
def test_a_lifecycle_rule_that_cannot_be(s3, bucket, more):
    rule = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, **more}
    with refused((400, "InvalidArgument"), (400, "MalformedXML"), (400, "InvalidRequest"), (501, "NotImplemented")):
        s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [rule]})


# ---- what R2 does not have (developers.cloudflare.com/r2/api/s3/api, the operations and headers marked as not implemented)

GRANT = {"Grantee": {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}, "Permission": "READ"}
TAGS = {"TagSet": [{"Key": "a", "Value": "b"}]}
ROLE = "arn:aws:iam::1:role/r"


@pytest.mark.parametrize("operation, arguments", [
    ("get_bucket_accelerate_configuration", {}), ("put_bucket_accelerate_configuration", {"AccelerateConfiguration": {"Status": "Enabled"}}),
    ("put_bucket_acl", {"AccessControlPolicy": {"Grants": [GRANT], "Owner": {"ID": "x"}}}), ("put_bucket_acl", {"GrantRead": "id=x"}),
    ("list_bucket_analytics_configurations", {}), ("get_bucket_analytics_configuration", {"Id": "x"}),
    ("list_bucket_intelligent_tiering_configurations", {}), ("list_bucket_inventory_configurations", {}),
    ("list_bucket_metrics_configurations", {}), ("get_bucket_logging", {}), ("put_bucket_logging", {"BucketLoggingStatus": {}}),
    ("get_bucket_notification_configuration", {}), ("put_bucket_notification_configuration", {"NotificationConfiguration": {}}),
    ("get_bucket_ownership_controls", {}),
    ("put_bucket_ownership_controls", {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}}),
    ("get_bucket_policy", {}), ("put_bucket_policy", {"Policy": "{}"}), ("get_bucket_policy_status", {}),
    ("put_bucket_replication", {"ReplicationConfiguration": {"Role": ROLE, "Rules": [
        {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::b"}}]}}),
    ("get_bucket_request_payment", {}), ("put_bucket_request_payment", {"RequestPaymentConfiguration": {"Payer": "Requester"}}),
    ("put_bucket_tagging", {"Tagging": TAGS}), ("get_bucket_website", {}),
    ("put_bucket_website", {"WebsiteConfiguration": {"IndexDocument": {"Suffix": "index.html"}}}),
    ("put_object_lock_configuration", {"ObjectLockConfiguration": {"ObjectLockEnabled": "Enabled"}}),
    ("get_public_access_block", {}), ("put_public_access_block", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": True}}),
    ("get_object_tagging", {"Key": "k"}), ("put_object_tagging", {"Key": "k", "Tagging": TAGS}), ("delete_object_tagging", {"Key": "k"}),
], ids=lambda value: value if isinstance(value, str) else "")
def test_an_operation_of_s3_that_r2_does_not_have_is_said(s3, bucket, operation, arguments):
    put(s3, bucket, b"v")
    with refused(NOT_IMPLEMENTED):
        getattr(s3.client, operation)(Bucket=bucket, **arguments)
    assert get(s3, bucket) == b"v"


@pytest.mark.parametrize("arguments", [
    {"GrantRead": "id=x"}, {"GrantFullControl": "id=x"}, {"GrantReadACP": "id=x"}, {"GrantWriteACP": "id=x"}, {"Tagging": "a=b"},
    {"ObjectLockMode": "GOVERNANCE", "ObjectLockRetainUntilDate": "2031-01-01"}, {"ObjectLockLegalHoldStatus": "ON"},
    {"ServerSideEncryption": "aws:kms"}, {"SSEKMSKeyId": "x", "ServerSideEncryption": "aws:kms"}, {"WebsiteRedirectLocation": "/x"},
    {"RequestPayer": "requester"}, {"ExpectedBucketOwner": "111122223333"},
], ids=str)
def test_a_header_of_s3_that_r2_does_not_have_is_said(s3, bucket, arguments):
    with refused(NOT_IMPLEMENTED):
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", **arguments)
    with refused((404, "404")):
        s3.client.head_object(Bucket=bucket, Key="k")


@pytest.mark.parametrize("operation, arguments", [
    ("create_multipart_upload", {"Tagging": "a=b"}), ("create_multipart_upload", {"ServerSideEncryption": "aws:kms"}),
    ("copy_object", {"Tagging": "a=b", "TaggingDirective": "REPLACE"}), ("copy_object", {"GrantRead": "id=x"}),
    ("get_object", {"RequestPayer": "requester"}), ("head_object", {"ExpectedBucketOwner": "111122223333"}),
], ids=str)
def test_such_headers_are_said_elsewhere_too(s3, bucket, operation, arguments):
    put(s3, bucket, b"v")
    more = {"CopySource": {"Bucket": bucket, "Key": "k"}} if operation == "copy_object" else {}
    with refused(NOT_IMPLEMENTED, (501, "501")):
        getattr(s3.client, operation)(Bucket=bucket, Key="k", **more, **arguments)


def test_a_bucket_with_locks_is_not_to_be_had(s3):
    name = s3.bucket_name()
    with refused(NOT_IMPLEMENTED):
        s3.client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    with refused((404, "404")):
        s3.client.head_bucket(Bucket=name)
    # Of "false" R2 says that it is no request for one.
    with_headers(s3.connect(), "CreateBucket", {"x-amz-bucket-object-lock-enabled": "false"}).create_bucket(Bucket=name)


def test_private_is_what_everything_is(s3, bucket):
    # R2's own example for rclone sends x-amz-acl: private.
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", ACL="private")
    assert get(s3, bucket) == b"v"


def test_an_acl_that_opens_opens_nothing(s3, bucket):
    # R2 refused public-read until 2022-11-30 and ignores it since; either is fine.
    try:
        s3.client.put_object(Bucket=bucket, Key="k", Body=b"v", ACL="public-read")
    except ClientError as error:
        assert failure(error) == NOT_IMPLEMENTED
    assert s3.send("GET", f"/{bucket}/k").status in (401, 403)


@pytest.mark.parametrize("operation, of_a_new_bucket", [
    ("get_bucket_tagging", (404, "NoSuchTagSet")), ("get_bucket_replication", (404, "ReplicationConfigurationNotFoundError")),
    ("get_object_lock_configuration", (404, "ObjectLockConfigurationNotFoundError")), ("get_bucket_acl", None),
])
def test_a_question_for_what_is_not_there_has_an_answer(s3, bucket, operation, of_a_new_bucket):
    # R2 answers these as S3 does of a new bucket (since 2022-07-20), but its documentation lists them as not implemented.
    try:
        getattr(s3.client, operation)(Bucket=bucket)
        assert of_a_new_bucket is None
    except ClientError as error:
        assert failure(error) in (of_a_new_bucket, NOT_IMPLEMENTED)


def test_no_bucket_says_that_it_is_encrypted(s3, bucket):
    # R2 says AES256 of every bucket, and is. Here only what comes with a client's key is encrypted.
    with refused((404, "ServerSideEncryptionConfigurationNotFoundError")):
        s3.client.get_bucket_encryption(Bucket=bucket)
