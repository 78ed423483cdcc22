"""What others' tests of S3 ask of lists, beside test_s3_boto3_lists.py: odd delimiters, prefixes and markers, in both versions,
and what is said of each entry. s3_conformance.md has whose behaviour is shown where."""

import pytest

from s3_client import refused
from test_s3_boto3_lists import folded, names, prefixes

VERSIONS = pytest.mark.parametrize("version", [1, 2])
LETTERS = ["alpha", "beta", "gamma", "kappa"]


def ask(s3, bucket, version, **more):
    return (s3.client.list_objects if version == 1 else s3.client.list_objects_v2)(Bucket=bucket, **more)


def after(version, answer):
    """What asks for the next page."""
    if version == 2:
        return {"ContinuationToken": answer["NextContinuationToken"]}
    return {"Marker": answer.get("NextMarker") or names(answer)[-1]}


def filled(s3, keys):
    bucket = s3.bucket()
    for key in keys:
        s3.client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    return bucket


@pytest.fixture(scope="module")
def letters(s3):
    return filled(s3, LETTERS)


# ---- delimiters and prefixes

TREE = ["docs/a", "docs/a/deep", "docs/b", "music", "pics/z"]
FOLDS = {
    "a slash": (TREE, "", "/"), "a prefix that is a folder": (TREE, "docs/", "/"), "a prefix that is none": (TREE, "docs", "/"),
    "a letter": (["bar", "baz", "cab", "fog"], "", "a"), "a letter behind a prefix": (["bread", "bald", "broom", "cold"], "b", "o"),
    "a key that ends with it": (["x/", "x/1", "x/2/3", "y"], "x/", "/"), "an underscore before": (["_u_/1", "_u_/2", "_u_/v/3", "w/4"], "", "/"),
    "an underscore in the prefix": (["_u_/1", "_u_/2", "_u_/v/3", "w/4"], "_u_/", "/"), "a percent sign": (["b%a", "b%b", "c%d", "e"], "", "%"),
    "a blank": (["b a", "b b", "c d", "e"], "", " "), "a dot": (["b.a", "b.b", "c.d", "e"], "", "."), "a plus": (["b+a", "b+b", "e"], "", "+"),
    "a line feed": (["b\na", "b\nb", "e"], "", "\n"), "two characters": (["a::b", "a::c", "a:d", "e"], "", "::"),
    "what no key has": (TREE, "", "|"), "a prefix that no key has": (TREE, "none", "/"), "neither": (TREE, "none", "|"),
    "a prefix that is a line feed": (["\nx", "a"], "\n", "/"), "what sorts beside it": (["0/", "0/1", "0/2", "0.9", "00", "1.9"], "", "/"),
}


@VERSIONS
@pytest.mark.parametrize("what", FOLDS)
def test_a_delimiter_may_be_anything(s3, what, version):
    keys, prefix, delimiter = FOLDS[what]
    keys = sorted(keys, key=str.encode)
    expected = folded(prefix, delimiter, keys)
    bucket = filled(s3, keys)
    answer = ask(s3, bucket, version, Prefix=prefix, Delimiter=delimiter)
    assert (names(answer), prefixes(answer), answer["Delimiter"]) == (*expected, delimiter)
    for size in (1, 2):
        found, more = [], {}
        for _ in range(len(keys) + 1):
            answer = ask(s3, bucket, version, Prefix=prefix, Delimiter=delimiter, MaxKeys=size, **more)
            assert len(names(answer)) + len(prefixes(answer)) <= size
            found += names(answer) + prefixes(answer)
            if not answer["IsTruncated"]:
                break
            more = after(version, answer)
        assert sorted(found, key=str.encode) == sorted(sum(expected, []), key=str.encode)


@VERSIONS
@pytest.mark.parametrize("empty", [{"Delimiter": ""}, {"Prefix": ""}, {}], ids=str)
def test_what_is_empty_asks_for_nothing(s3, letters, version, empty):
    answer = ask(s3, letters, version, **empty)
    assert (names(answer), prefixes(answer), answer["MaxKeys"], answer["IsTruncated"]) == (LETTERS, [], 1000, False)
    assert "Delimiter" not in answer and answer.get("Prefix", "") == ""


@VERSIONS
def test_a_list_with_encoding_is_the_same_list(s3, version):
    keys = ["foo+1/bar", "foo/bar baz", "quux ab/thud", "asdf+b"]
    bucket = filled(s3, keys)
    answer = ask(s3, bucket, version, Delimiter="/", EncodingType="url")
    assert (names(answer), prefixes(answer)) == (["asdf%2Bb"], ["foo%2B1/", "foo/", "quux%20ab/"])  # boto3 decodes what it asked for itself
    answer = ask(s3, bucket, version, Delimiter="/")
    assert (names(answer), prefixes(answer)) == (["asdf+b"], ["foo+1/", "foo/", "quux ab/"])


# ---- pages and where they begin


@VERSIONS
@pytest.mark.parametrize("marker, expected", [
    ("", LETTERS), ("beta", LETTERS[2:]), ("blah", LETTERS[2:]), ("zzz", []), ("\n", LETTERS), ("kappa", []), ("a", LETTERS)])
def test_a_list_begins_behind_its_marker(s3, letters, version, marker, expected):
    name = "Marker" if version == 1 else "StartAfter"
    answer = ask(s3, letters, version, **{name: marker})
    assert (names(answer), answer["IsTruncated"], answer.get(name, "")) == (expected, False, marker)
    assert "NextMarker" not in answer and "NextContinuationToken" not in answer


@VERSIONS
@pytest.mark.parametrize("size, truncated", [(1, True), (3, True), (4, False), (1000, False), (5000, False), (0, False)])
def test_a_page_says_how_long_it_may_be(s3, letters, version, size, truncated):
    answer = ask(s3, letters, version, MaxKeys=size)
    assert (names(answer), answer["IsTruncated"], answer["MaxKeys"]) == (LETTERS[:size], truncated, min(size, 1000))


def test_a_token_goes_before_a_marker(s3, letters):
    first = s3.client.list_objects_v2(Bucket=letters, StartAfter="alpha", MaxKeys=1)
    assert (names(first), first["StartAfter"]) == (["beta"], "alpha")
    second = s3.client.list_objects_v2(Bucket=letters, StartAfter="alpha", ContinuationToken=first["NextContinuationToken"])
    assert (names(second), second["ContinuationToken"]) == (["gamma", "kappa"], first["NextContinuationToken"])


def test_an_empty_token_begins_a_list(s3, letters):
    answer = s3.client.list_objects_v2(Bucket=letters, ContinuationToken="")
    assert (names(answer), answer["ContinuationToken"], answer["IsTruncated"]) == (LETTERS, "", False)


# ---- what is said of an entry


def test_an_entry_of_a_list_is_what_head_says(s3, letters):
    owner = s3.client.list_buckets()["Owner"]
    for version, more in ((1, {}), (2, {"FetchOwner": True})):
        for entry in ask(s3, letters, version, **more)["Contents"]:
            head = s3.client.head_object(Bucket=letters, Key=entry["Key"])
            assert (entry["ETag"], entry["Size"], entry["Owner"]) == (head["ETag"], head["ContentLength"], owner)
            assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]
    for more in ({}, {"FetchOwner": False}):
        assert not any("Owner" in entry for entry in s3.client.list_objects_v2(Bucket=letters, **more)["Contents"])


def test_an_entry_of_versions_is_what_head_says(s3, bucket):
    s3.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    for key in ("a", "b", "a"):
        s3.client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    entries = s3.client.list_object_versions(Bucket=bucket)["Versions"]
    assert [entry["Key"] for entry in entries] == ["a", "a", "b"]
    for entry in entries:
        head = s3.client.head_object(Bucket=bucket, Key=entry["Key"], VersionId=entry["VersionId"])
        assert (entry["ETag"], entry["Size"], entry["VersionId"]) == (head["ETag"], head["ContentLength"], head["VersionId"])
        assert entry["LastModified"].replace(microsecond=0) == head["LastModified"] and entry["Owner"]["ID"]


# ---- buckets


def test_buckets_are_listed_page_by_page(s3):
    stem = s3.bucket_name()
    made = [f"{stem}-{letter}" for letter in "abc"]
    for name in made:
        s3.client.create_bucket(Bucket=name)
    seen, more = [], {}
    while True:
        answer = s3.client.list_buckets(Prefix=stem + "-", MaxBuckets=2, **more)
        seen.append([bucket["Name"] for bucket in answer["Buckets"]])
        if "ContinuationToken" not in answer:
            break
        assert answer["Buckets"][0]["BucketRegion"] == "auto"
        more = {"ContinuationToken": answer["ContinuationToken"]}
    assert seen == [made[:2], made[2:]]
    exact = s3.client.list_buckets(Prefix=stem + "-", MaxBuckets=3)
    assert len(exact["Buckets"]) == 3 and "ContinuationToken" not in exact
    for wrong in ("max-buckets=0", "max-buckets=10001", "max-buckets=x", "continuation-token=rubbish!"):
        reply = s3.request("GET", "/?" + wrong)
        assert (reply.status, reply.code) == (400, "InvalidArgument"), reply


def test_a_bucket_is_listed_until_it_is_gone(s3):
    name = s3.bucket()
    assert name in [each["Name"] for each in s3.client.list_buckets()["Buckets"]]
    s3.client.delete_bucket(Bucket=name)
    assert name not in [each["Name"] for each in s3.client.list_buckets()["Buckets"]]
    with refused((404, "NoSuchBucket")):
        s3.client.delete_bucket(Bucket=name)
    for version in (1, 2):
        with refused((404, "NoSuchBucket")):
            ask(s3, name, version)


def test_lists_of_two_buckets_are_apart(s3):
    one, two = filled(s3, ["k"]), s3.bucket()
    assert (names(s3.client.list_objects(Bucket=one)), names(s3.client.list_objects(Bucket=two))) == (["k"], [])


@pytest.mark.parametrize("name", ["foo.-bar", "foo-.bar", "192.168.5.123"])
def test_a_bucket_has_a_name_that_a_host_can_have(s3, name):
    with refused((400, "InvalidBucketName")):
        s3.client.create_bucket(Bucket=name)


@pytest.mark.parametrize("form", ["a{}", "0{}", "{}.with.periods", "{}-with-hyphens"])
def test_a_bucket_may_be_called(s3, form):
    name = form.format(s3.bucket_name())
    s3.client.create_bucket(Bucket=name)
    assert names(s3.client.list_objects_v2(Bucket=name)) == []
    s3.client.delete_bucket(Bucket=name)
