"""boto3 against the S3 listener: lists of objects, and deletes of many."""

import base64
import concurrent.futures
import hashlib
import re
import urllib.parse

import pytest

from s3_client import read, refused

KEYS = sorted(["a", "a/1", "a/2", "a/b/1", "a/b/2", "b", "b/", "b/1", "c d/+&", "d", "z", "é/1", "日本"], key=str.encode)


@pytest.fixture(scope="module")
def listed(s3):
    """A bucket with KEYS. Tests only read it."""
    name = s3.bucket()
    for key in reversed(KEYS):
        s3.client.put_object(Bucket=name, Key=key, Body=key.encode())
    return name


def names(answer):
    return [o["Key"] for o in answer.get("Contents", [])]


def prefixes(answer):
    return [p["Prefix"] for p in answer.get("CommonPrefixes", [])]


def folded(prefix="", delimiter="/", all_keys=KEYS):
    """(keys, prefixes) as a list should show `all_keys`, by the words of S3's documentation."""
    keys, common = [], []
    for key in all_keys:
        if not key.startswith(prefix):
            continue
        head, found, _ = key[len(prefix):].partition(delimiter)
        if not found:
            keys.append(key)
        elif (whole := prefix + head + delimiter) not in common:
            common.append(whole)
    return keys, common


def test_keys_are_listed_in_the_order_of_their_bytes(s3, listed):
    answer = s3.client.list_objects_v2(Bucket=listed)
    assert names(answer) == KEYS
    assert (answer["KeyCount"], answer["IsTruncated"], answer["MaxKeys"], answer["Name"]) == (len(KEYS), False, 1000, listed)
    assert "NextContinuationToken" not in answer


def test_a_listed_object_is_described(s3, listed):
    shown = s3.client.list_objects_v2(Bucket=listed, Prefix="a/1")["Contents"][0]
    head = s3.client.head_object(Bucket=listed, Key="a/1")
    assert (shown["Size"], shown["ETag"], shown["StorageClass"]) == (3, head["ETag"], "STANDARD")
    assert shown["LastModified"].replace(microsecond=0) == head["LastModified"] and "Owner" not in shown
    assert s3.client.list_objects_v2(Bucket=listed, FetchOwner=True)["Contents"][0]["Owner"]["ID"]


def test_an_empty_bucket_is_an_empty_list(s3, bucket):
    answer = s3.client.list_objects_v2(Bucket=bucket)
    assert (answer["KeyCount"], answer["IsTruncated"]) == (0, False) and "Contents" not in answer
    assert "Contents" not in s3.client.list_objects(Bucket=bucket)


@pytest.mark.parametrize("prefix", ["a", "a/", "a/b/", "b/", "c ", "é", "none", "日"])
def test_a_prefix_chooses(s3, listed, prefix):
    answer = s3.client.list_objects_v2(Bucket=listed, Prefix=prefix)
    assert names(answer) == [k for k in KEYS if k.startswith(prefix)] and answer["Prefix"] == prefix


@pytest.mark.parametrize("prefix, delimiter", [("", "/"), ("a", "/"), ("a/", "/"), ("a/b", "/"), ("b", "/"), ("b/", "/"), ("", "b/"),
                                               ("", "1"), ("é", "/"), ("c", "+"), ("", "none")])
def test_a_delimiter_makes_folders(s3, listed, prefix, delimiter):
    for answer in (s3.client.list_objects_v2(Bucket=listed, Prefix=prefix, Delimiter=delimiter),
                   s3.client.list_objects(Bucket=listed, Prefix=prefix, Delimiter=delimiter)):
        assert (names(answer), prefixes(answer)) == folded(prefix, delimiter)
        assert answer["Delimiter"] == delimiter


@pytest.mark.parametrize("delimiter", [None, "/"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, len(KEYS), 1000])
def test_pages_add_up(s3, listed, size, delimiter):
    more = {"Delimiter": delimiter} if delimiter else {}
    expected = folded(delimiter=delimiter) if delimiter else (KEYS, [])
    keys, common, token = [], [], {}
    while True:
        answer = s3.client.list_objects_v2(Bucket=listed, MaxKeys=size, **more, **token)
        page = names(answer), prefixes(answer)
        assert answer["KeyCount"] == len(page[0]) + len(page[1]) <= size
        assert not token or answer["ContinuationToken"] == token["ContinuationToken"]
        keys, common = keys + page[0], common + page[1]
        if not answer["IsTruncated"]:
            break
        token = {"ContinuationToken": answer["NextContinuationToken"]}
    assert (keys, common) == expected


@pytest.mark.parametrize("delimiter", [None, "/"])
@pytest.mark.parametrize("size", [1, 4])
def test_pages_of_version_1_add_up(s3, listed, size, delimiter):
    more = {"Delimiter": delimiter} if delimiter else {}
    found, marker = [], ""
    while True:
        answer = s3.client.list_objects(Bucket=listed, MaxKeys=size, Marker=marker, **more)
        page = sorted(names(answer) + prefixes(answer), key=str.encode)
        assert len(page) <= size and answer.get("Marker", "") == marker
        found += page
        if not answer["IsTruncated"]:
            assert "NextMarker" not in answer
            break
        marker = answer.get("NextMarker") or page[-1]
        assert not delimiter or answer["NextMarker"] == page[-1]
    expected = folded(delimiter=delimiter) if delimiter else (KEYS, [])
    assert found == sorted(expected[0] + expected[1], key=str.encode)


def test_a_list_that_ends_with_its_page_is_not_truncated(s3, listed):
    assert not s3.client.list_objects_v2(Bucket=listed, Prefix="a/b/", MaxKeys=2)["IsTruncated"]
    assert s3.client.list_objects_v2(Bucket=listed, Prefix="a/b/", MaxKeys=1)["IsTruncated"]


def test_a_page_of_none_is_empty(s3, listed):
    answer = s3.client.list_objects_v2(Bucket=listed, MaxKeys=0)
    assert (names(answer), answer["IsTruncated"]) == ([], False)


@pytest.mark.parametrize("after", ["a", "a/1", "a/zzz", "0", "日本", "é"])
def test_a_list_starts_after_a_key(s3, listed, after):
    expected = [k for k in KEYS if k.encode() > after.encode()]
    assert names(s3.client.list_objects_v2(Bucket=listed, StartAfter=after)) == expected
    assert names(s3.client.list_objects(Bucket=listed, Marker=after)) == expected


def test_names_are_url_encoded_where_asked(s3, listed):
    body = s3.request("GET", f"/{listed}?list-type=2&prefix=c%20d&encoding-type=url").body.decode()
    key = re.search("<Key>(.*)</Key>", body)[1]
    assert urllib.parse.unquote_plus(key) == "c d/+&" and not set(key) & set(" &") and "<EncodingType>url<" in body
    assert "<Key>c d/+&amp;</Key>" in s3.request("GET", f"/{listed}?list-type=2&prefix=c%20d").body.decode()


def test_what_xml_has_no_words_for_is_listed_encoded(s3, bucket):
    for key in ("a\x01", "b\uffff", "c\r\nd"):
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"")
    assert names(s3.client.list_objects_v2(Bucket=bucket)) == ["a\x01", "b\uffff", "c\r\nd"]  # boto3 asks for encoding-type=url


@pytest.mark.parametrize("query", ["max-keys=-1", "max-keys=x", "encoding-type=base64", "list-type=2&max-keys=99999999999999999999"])
def test_a_list_that_cannot_be(s3, listed, query):
    reply = s3.request("GET", f"/{listed}?{query}")
    assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_a_token_that_is_none_is_refused(s3, listed):
    with refused((400, "InvalidArgument"), (400, "InvalidToken")):
        s3.client.list_objects_v2(Bucket=listed, ContinuationToken="rubbish!")


def test_a_write_is_listed_at_once(s3, bucket):
    for i in range(20):
        s3.client.put_object(Bucket=bucket, Key=str(i % 10), Body=b"v" * i)
        assert {o["Key"]: o["Size"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]}[str(i % 10)] == i
    for i in range(10):
        s3.client.delete_object(Bucket=bucket, Key=str(i))
        assert str(i) not in names(s3.client.list_objects_v2(Bucket=bucket))


# ---- many at once


def delete(s3, bucket, keys, **more):
    return s3.client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": k} for k in keys], **more})


def post_delete(s3, bucket, body):
    return s3.request("POST", f"/{bucket}?delete=", body, {"Content-MD5": base64.b64encode(hashlib.md5(body).digest()).decode()})


def test_a_page_is_of_a_thousand_and_so_is_a_delete(s3, bucket):
    keys = [f"{i:04}" for i in range(1001)]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: s3.client.put_object(Bucket=bucket, Key=key, Body=b""), keys))
    first = s3.client.list_objects_v2(Bucket=bucket, MaxKeys=5000)
    assert names(first) == keys[:1000] and first["IsTruncated"]
    assert names(s3.client.list_objects_v2(Bucket=bucket, ContinuationToken=first["NextContinuationToken"])) == keys[1000:]
    pages = s3.client.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 300})
    assert [k for page in pages for k in names(page)] == keys
    with refused((400, "MalformedXML")):
        delete(s3, bucket, keys)
    assert {d["Key"] for d in delete(s3, bucket, keys[:1000])["Deleted"]} == set(keys[:1000])
    assert names(s3.client.list_objects_v2(Bucket=bucket)) == keys[1000:]


def test_many_are_deleted_and_told(s3, bucket):
    keys = ["a", "<&>\"'", " b ", "é/\u0301", "a//b"]
    for key in keys + ["kept"]:
        s3.client.put_object(Bucket=bucket, Key=key, Body=b"v")
    answer = delete(s3, bucket, keys + ["missing"])
    assert sorted(d["Key"] for d in answer["Deleted"]) == sorted(keys + ["missing"]) and "Errors" not in answer
    assert names(s3.client.list_objects_v2(Bucket=bucket)) == ["kept"]


def test_a_quiet_delete_tells_only_failures(s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="a", Body=b"v")
    answer = delete(s3, bucket, ["a", "missing"], Quiet=True)
    assert "Deleted" not in answer and "Errors" not in answer
    assert names(s3.client.list_objects_v2(Bucket=bucket)) == []


@pytest.mark.parametrize("body", [b"", b"<Delete>", b"<Other/>", b"<Delete></Delete>", b"<Delete><Object/></Delete>"])
def test_a_delete_of_nothing_is_refused(s3, bucket, body):
    s3.client.put_object(Bucket=bucket, Key="a", Body=b"v")
    reply = post_delete(s3, bucket, body)
    assert reply.status == 400 and reply.code in ("MalformedXML", "MissingRequestBodyError"), reply
    assert read(s3.client.get_object(Bucket=bucket, Key="a")) == b"v"


def test_an_entity_in_a_document_is_not_followed(s3, bucket):
    body = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]><Delete><Object><Key>&x;</Key></Object></Delete>'
    reply = post_delete(s3, bucket, body)
    assert reply.status == 400 and b"root:" not in reply.body, reply
