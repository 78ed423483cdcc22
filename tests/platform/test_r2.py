"""R2 in the v4 API, and what the S3 listener does beyond S3: public buckets, buckets in host names, many accounts."""

import hashlib
import json
import os

import pytest

from s3_client import PART, S3

BUCKETS = "/accounts/{account}/r2/buckets"


@pytest.fixture
def made(daemon, bucket):
    """A bucket of the fixture `s3`, by its path in the v4 API."""
    return f"{BUCKETS}/{bucket}"


def names(daemon, query=""):
    return [each["name"] for each in daemon.v4("GET", BUCKETS + query).result["buckets"]]


def test_buckets(daemon):
    made = daemon.v4("POST", BUCKETS, {"name": "v4-bucket"}).result
    assert made["name"] == "v4-bucket" and made["creation_date"].endswith("Z") and made["storage_class"] == "Standard"
    assert daemon.v4("GET", BUCKETS + "/v4-bucket").result == made
    assert daemon.v4("POST", BUCKETS, {"name": "v4-bucket"}).error[:2] == (409, 10004)
    assert daemon.v4("DELETE", BUCKETS + "/v4-bucket").result is None
    assert daemon.v4("GET", BUCKETS + "/v4-bucket").error == (404, 10006, "The specified bucket does not exist.")
    assert daemon.v4("DELETE", BUCKETS + "/v4-bucket").error[:2] == (404, 10006)


@pytest.mark.parametrize("name", ["", "ab", "a" * 64, "Upper", "under_score", "-a-", "a..b", "192.168.0.1", "ü12", 7, None])
def test_a_bucket_has_a_name_that_a_host_can_have(daemon, name):
    assert daemon.v4("POST", BUCKETS, {"name": name}).error[:2] == (400, 10005)


def test_a_body_that_is_none(daemon):
    assert daemon.v4("POST", BUCKETS, "{").error[:2] == (400, 10005)


def test_buckets_are_listed_by_name_page_by_page(daemon):
    for i in range(5):
        daemon.v4("POST", BUCKETS, {"name": f"paged-{i}"})
    all_names = names(daemon)
    assert all_names == sorted(all_names)
    found, cursor = [], ""
    while True:
        answer = daemon.v4("GET", f"{BUCKETS}?per_page=2&name_contains=paged-&cursor={cursor}").json()
        found += [each["name"] for each in answer["result"]["buckets"]]
        cursor = answer["result_info"]["cursor"]
        if not cursor:
            break
    assert found == [f"paged-{i}" for i in range(5)]
    assert names(daemon, "?start_after=paged-3&name_contains=paged-") == ["paged-4"]


def test_a_bucket_with_an_object_stays(daemon, made):
    daemon.v4("PUT", made + "/objects/k", b"v")
    assert daemon.v4("DELETE", made).error[:2] == (409, 10008)
    daemon.v4("DELETE", made + "/objects/k")
    assert daemon.v4("DELETE", made).result is None


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 3 * 1024 * 1024])
def test_an_object_comes_back_with_its_headers(daemon, made, size):
    body = os.urandom(size)
    said = {"Content-Type": "a/b", "Content-Disposition": "inline", "Content-Language": "de", "Cache-Control": "no-store",
            "Content-Encoding": "x", "Expires": "Thu, 01 Jan 2037 00:00:00 GMT"}
    put = daemon.v4("PUT", made + "/objects/dir/a%20b%2Fc", body, headers=said).result
    assert (put["key"], put["etag"], put["size"]) == ("dir/a b/c", hashlib.md5(body).hexdigest(), str(size))
    got = daemon.v4("GET", made + "/objects/dir/a%20b%2Fc")
    assert got.status == 200 and got.body == body
    assert {name: got.headers[name] for name in said} == said
    assert got.headers["ETag"] == f'"{put["etag"]}"' and got.headers["Content-Length"] == str(size)
    assert daemon.v4("DELETE", made + "/objects/dir/a%20b%2Fc").result is None
    assert daemon.v4("GET", made + "/objects/dir/a%20b%2Fc").error[:2] == (404, 10007)


def test_objects_are_listed(daemon, made):
    for key in ("a", "b/1", "b/2", "c"):
        daemon.v4("PUT", f"{made}/objects/{key}", key, headers={"Content-Type": "x/y"})
    answer = daemon.v4("GET", made + "/objects?delimiter=/&per_page=2").json()
    assert [each["key"] for each in answer["result"]] == ["a"]
    assert answer["result_info"]["delimited"] == ["b/"] and answer["result_info"]["is_truncated"] is True
    rest = daemon.v4("GET", f"{made}/objects?delimiter=/&cursor={answer['result_info']['cursor']}").json()
    assert [each["key"] for each in rest["result"]] == ["c"] and rest["result_info"]["is_truncated"] is False
    one = answer["result"][0]
    assert (one["size"], one["etag"], one["http_metadata"]) == (1, hashlib.md5(b"a").hexdigest(), {"contentType": "x/y"})
    assert daemon.v4("GET", made + "/objects?cursor=%21").error[:2] == (400, 10029)


def test_versions(daemon, s3, bucket, made):
    assert daemon.v4("GET", made + "/versioning").result == {"status": "off"}
    assert daemon.v4("PUT", made + "/versioning", {"status": "on"}).error[:2] == (400, 10029)
    daemon.v4("PUT", made + "/versioning", {"status": "enabled"})
    first = daemon.v4("PUT", made + "/objects/k", b"1").result["version"]
    daemon.v4("PUT", made + "/objects/k", b"2")
    assert daemon.v4("GET", made + "/objects/k").body == b"2"
    assert daemon.v4("GET", f"{made}/objects/k?version={first}").body == b"1"
    assert s3.client.get_object(Bucket=bucket, Key="k", VersionId=first)["Body"].read() == b"1"
    daemon.v4("PUT", made + "/versioning", {"status": "suspended"})
    assert s3.client.get_bucket_versioning(Bucket=bucket)["Status"] == "Suspended"


def test_cors_and_lifecycle_are_those_of_s3(daemon, s3, bucket, made):
    rules = {"rules": [{"id": "r", "allowed": {"origins": ["https://a.example"], "methods": ["GET", "PUT"], "headers": ["x-*"]},
                        "exposeHeaders": ["ETag"], "maxAgeSeconds": 60}]}
    assert daemon.v4("PUT", made + "/cors", rules).result == rules
    assert s3.client.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["AllowedOrigins"] == ["https://a.example"]
    assert daemon.v4("DELETE", made + "/cors").result == {"rules": []}
    assert daemon.v4("PUT", made + "/cors", {"rules": [{"allowed": {"origins": ["*"], "methods": ["FETCH"]}}]}).error[0] == 400
    life = {"rules": [{"id": "old", "enabled": True, "conditions": {"prefix": "logs/"},
                       "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 30 * 86400}},
                       "abortMultipartUploadsTransition": {"condition": {"type": "Age", "maxAge": 86400}}}]}
    assert daemon.v4("PUT", made + "/lifecycle", life).result == life
    rule = s3.client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert (rule["Filter"]["Prefix"], rule["Expiration"]["Days"]) == ("logs/", 30)
    life["rules"][0]["deleteObjectsTransition"]["condition"]["maxAge"] = 3600
    assert daemon.v4("PUT", made + "/lifecycle", life).error[0] == 400, "S3 knows whole days"
    assert daemon.v4("GET", made + "/lifecycle").result["rules"][0]["deleteObjectsTransition"]["condition"]["maxAge"] == 30 * 86400


def test_settings_that_change_at_once_are_all_kept(daemon, s3, bucket, made):
    import threading
    changes = [lambda: daemon.v4("PUT", made + "/versioning", {"status": "enabled"}),
               lambda: daemon.v4("PUT", made + "/domains/managed", {"enabled": True}),
               lambda: daemon.v4("PUT", made + "/cors", {"rules": [{"allowed": {"origins": ["*"], "methods": ["GET"]}}]}),
               lambda: s3.client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [
                   {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": 1}}]})]
    threads = [threading.Thread(target=change) for change in changes]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert daemon.v4("GET", made + "/versioning").result == {"status": "enabled"}
    assert daemon.v4("GET", made + "/domains/managed").result["enabled"] is True
    assert len(daemon.v4("GET", made + "/cors").result["rules"]) == 1
    assert len(daemon.v4("GET", made + "/lifecycle").result["rules"]) == 1


def test_a_public_bucket_is_read_and_nothing_else(daemon, s3, bucket, made):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"public", ContentType="text/x")
    assert s3.send("GET", f"/{bucket}/k").status == 403
    daemon.v4("PUT", made + "/domains/managed", {"enabled": True})
    got = s3.send("GET", f"/{bucket}/k?response-content-type=text/html")
    assert (got.status, got.body, got.headers["Content-Type"]) == (200, b"public", "text/x"), "no header by a stranger's wish"
    assert s3.send("HEAD", f"/{bucket}/k").status == 200
    assert s3.send("GET", f"/{bucket}/none").code == "NoSuchKey"
    for method, target in (("GET", f"/{bucket}"), ("GET", f"/{bucket}?versioning"), ("PUT", f"/{bucket}/k"), ("DELETE", f"/{bucket}/k"),
                           ("POST", f"/{bucket}?delete"), ("POST", f"/{bucket}/k?uploads"), ("GET", "/")):
        assert s3.send(method, target).status == 403, (method, target)
    daemon.v4("PUT", made + "/domains/managed", {"enabled": False})
    assert s3.send("GET", f"/{bucket}/k").status == 403


def test_a_bucket_may_stand_in_the_host(fresh):
    fresh.start("--s3-domain", "s3.example.com")
    token = fresh.issue("r2:admin")
    s3 = S3(fresh.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
    s3.client.create_bucket(Bucket="in-host")
    s3.client.put_object(Bucket="in-host", Key="a/b", Body=b"v")
    fresh.v4("PUT", BUCKETS + "/in-host/domains/managed", {"enabled": True})
    for host, target, status in (("in-host.s3.example.com", "/a/b", 200), ("IN-HOST.s3.example.com:80", "/a/b", 200),
                                 ("in-host.s3.example.com", "/in-host/a/b", 404), ("s3.example.com", "/in-host/a/b", 200),
                                 ("other.s3.example.com", "/a/b", 403), ("in-host.evil.com", "/a/b", 403)):
        assert s3.send("GET", target, headers={"Host": host}).status == status, (host, target)


def test_accounts_do_not_see_each_other(daemon, s3, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    made = json.loads(daemon.command("account", "create", "second", "--json").stdout)
    token = json.loads(daemon.command("token", "create", "--json", "--account", made["account_id"], "--scope", "all:admin").stdout)
    other = S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
    assert other.client.list_buckets()["Buckets"] == []
    for method, target in (("GET", f"/{bucket}/k"), ("HEAD", f"/{bucket}"), ("PUT", f"/{bucket}/k"), ("DELETE", f"/{bucket}")):
        assert other.request(method, target).status == 403, (method, target)
    assert other.request("PUT", f"/{bucket}").code == "BucketAlreadyExists"
    with_source = {"x-amz-copy-source": f"/{bucket}/k"}
    own = other.bucket()
    assert other.request("PUT", f"/{own}/k", headers=with_source).code == "AccessDenied"
    path = f"/client/v4/accounts/{token['account_id']}/r2/buckets/{bucket}"
    assert daemon.request("GET", path, token=token["token"]).error[:2] == (404, 10006)
    assert made["account_id"] == token["account_id"]


def test_an_upload_in_parts_survives_a_restart(fresh):
    fresh.start()
    token = fresh.issue("r2:admin")

    def connect():
        return S3(fresh.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"]).client

    client = connect()
    client.create_bucket(Bucket="parts")
    upload = client.create_multipart_upload(Bucket="parts", Key="k", Metadata={"m": "1"})["UploadId"]
    bodies = [os.urandom(PART), b"tail"]
    parts = []
    for number, body in enumerate(bodies, 1):
        if number == 2:
            fresh.kill()
            fresh.start()
            client = connect()
        answer = client.upload_part(Bucket="parts", Key="k", UploadId=upload, PartNumber=number, Body=body)
        parts.append({"PartNumber": number, "ETag": answer["ETag"]})
    client.complete_multipart_upload(Bucket="parts", Key="k", UploadId=upload, MultipartUpload={"Parts": parts})
    fresh.kill()
    fresh.start()
    got = connect().get_object(Bucket="parts", Key="k")
    assert got["Body"].read() == b"".join(bodies) and got["Metadata"] == {"m": "1"}
