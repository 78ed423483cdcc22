"""Who may reach what: one test for each class of the advisories that were published of S3 servers and their like.

MinIO, Ceph RGW, SeaweedFS, versitygw and s3-proxy are whose advisories were read; the number of one, where it has one, stands at
the test. What this daemon has not: it fetches no URL that a client names (SSRF), takes no forms, has no sessions, policies or
pooler. Secrets, signatures and tokens are compared in constant time: SameInConstantTime in src/formats/sigv4/verifier.cc and
chunk_signatures.cc; tokens are found by a keyed hash (src/services/core/control.cc). That was read, for timing is not tested here.
"""

import itertools
import os
import threading
import time

import pytest

import sigv4
from raw_http import connected, lines
from two_accounts import narrowed, parties, stranger

DENIED = (403, "AccessDenied")
NO_UPLOAD = (404, "NoSuchUpload")
NO_PART = b"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def both(daemon):
    return tuple(parties(daemon))


@pytest.fixture
def owner(both):
    return both[0]


@pytest.fixture
def other(both):
    return both[1]


def bucket_of(party):
    name = f"b{next(numbers)}-{os.getpid()}"
    party.put(f"/{name}")
    return name


@pytest.fixture
def bucket(owner):
    return bucket_of(owner)


def begin_upload(party, path):
    return party.s3("POST", path, query=[("uploads", "")]).between("UploadId")


def files_outside(daemon):
    """Everything near the data directory that is not in its stores."""
    return sorted(str(p.relative_to(daemon.root)) for p in daemon.root.rglob("*") if p.relative_to(daemon.root).parts[:2] not in
                  (("data", "kv"), ("data", "objects")) and "sqlite" not in p.name and not p.name.startswith("control"))


# ---- names are no paths


NAMES = ["..", ".", "../../etc/passwd", "a/../b", "a/./b", "/abs", "a//b", "//", "a/", "..\\..\\x", "C:\\x", "~", "-rf", "$(id)", "`id`",
         "a;b", "%00", "%2e%2e", "%", "a%2Fb", "?x", "#x", "a\nb", "a\tb", "\x7f", "CON", ".levada", "a&b=c", "<x>", "'", '"', "*", "\u202e", "ü"]


@pytest.mark.parametrize("key", NAMES)
def test_keys_are_no_paths(owner, bucket, key):
    """MinIO CVE-2018-1000538 and CVE-2023-28433, versitygw, SeaweedFS: a key that leaves the place of its bucket."""
    before = files_outside(owner.daemon)
    path = f"/{bucket}/{sigv4.encode(key, '/-._~')}"
    owner.put(path, key.encode())
    assert owner.s3("GET", path).body == key.encode()
    listed = owner.s3("GET", f"/{bucket}", query=[("encoding-type", "url")])
    assert listed.body.count(b"<Key>") == 1 and owner.s3("GET", f"/{bucket}").status == 200
    assert owner.v4("GET", f"/accounts/{{account}}/r2/buckets/{bucket}/objects/{sigv4.encode(key)}").body == key.encode()
    assert owner.s3("DELETE", path).status == 204 and files_outside(owner.daemon) == before


def test_a_key_of_nul_is_one_name(owner, bucket):
    """Ceph CVE-2022-3854: a zero byte in a name."""
    reply = owner.s3("PUT", f"/{bucket}/a%00b", b"v")
    assert reply.status in (200, 400), reply
    assert owner.s3("GET", f"/{bucket}/a").status == 404
    assert owner.s3("PUT", f"/{bucket}/%ff%fe", b"v").status == 400  # not UTF-8


@pytest.mark.parametrize("name", ["..", ".", "...", "../data", "a/../b", "a\0b", "A", "a..b", "objects/x", "-a-", "127.0.0.1", "a" * 64,
                                  "a\nb", "ab", ".minio.sys", "\u202e"])
def test_bucket_names_are_no_paths(owner, name):
    """MinIO CVE-2023-28434: a bucket's name that means something else."""
    before = files_outside(owner.daemon)
    assert owner.s3("PUT", "/" + sigv4.encode(name, "")).status in (400, 403, 404, 405)
    assert owner.v4("POST", "/accounts/{account}/r2/buckets", {"name": name}).status == 400
    assert files_outside(owner.daemon) == before


@pytest.mark.parametrize("upload", ["", ".", "../../x", "%00", "a" * 5000, "0" * 32, "-1", "'", "ü"])
def test_upload_ids_are_no_paths(owner, bucket, upload):
    for method, more, body in (("PUT", [("partNumber", "1")], b"x"), ("GET", [], b""), ("DELETE", [], b""),
                               ("POST", [], NO_PART)):
        reply = owner.s3(method, f"/{bucket}/k", body, query=[("uploadId", upload), *more])
        assert reply.seen == NO_UPLOAD, reply


@pytest.mark.parametrize("version", ["", ".", "../../x", "a" * 5000, "-1", "'", "ü", "%00"])
def test_version_ids_are_no_paths(owner, bucket, version):
    owner.put(f"/{bucket}/k", b"v")
    for method in ("GET", "HEAD", "DELETE"):
        assert owner.s3(method, f"/{bucket}/k", query=[("versionId", version)]).status in (400, 404)
    assert owner.s3("GET", f"/{bucket}/k").body == b"v"


@pytest.mark.parametrize("key", ["..", "../../master.key", ".", "\0", "a\nb"])
def test_keys_of_kv_are_no_paths(owner, key):
    before = files_outside(owner.daemon)
    space = owner.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": f"t{next(numbers)}"}).result["id"]
    at = f"/accounts/{{account}}/storage/kv/namespaces/{space}/values/{sigv4.encode(key, '')}"
    put = owner.v4("PUT", at, "v")
    assert put.status in (200, 400, 414)
    assert owner.v4("GET", at).body == b"v" or put.status != 200
    assert files_outside(owner.daemon) == before


def test_an_encoded_slash_does_not_move_the_end_of_the_bucket(owner, other, bucket):
    """s3-proxy CVE-2026-42882: who checks and who serves read the path in two ways."""
    owner.put(f"/{bucket}/dir/k", b"v")
    narrow = narrowed(owner, f"r2:write:{bucket}")
    assert narrow.s3("GET", f"/{bucket}/dir%2Fk").body == b"v"  # within a key they are the same
    for path in (f"/{bucket}%2Fdir/k", f"/{bucket}%2Fdir%2Fk", f"/x%2F..%2F{bucket}/dir/k", f"//{bucket}/dir/k", f"/./{bucket}/dir/k"):
        assert owner.s3("GET", path).status in (400, 403, 404), path
        assert other.s3("GET", path).status in (400, 403, 404), path
    signed = owner.signer().headers("GET", f"/{bucket}/dir/k")  # "%2F" is signed as "/"
    assert stranger(owner, "GET", f"/{bucket}%2Fdir/k", headers=signed).status in (400, 403, 404)


# ---- what is another's


def sources(bucket, key="k"):
    return (f"/{bucket}/{key}", f"{bucket}/{key}", f"{bucket}%2F{key}", f"%2F{bucket}%2F{key}", f"/{bucket}/{key}?versionId=null")


def test_no_copy_of_another_accounts_object(owner, other, bucket):
    owner.put(f"/{bucket}/k", b"secret words")
    mine = bucket_of(other)
    upload = begin_upload(other, f"/{mine}/u")
    for source in (*sources(bucket), f"{mine}/../{bucket}/k", f"/{mine}/%2e%2e/{bucket}/k", f"//{bucket}/k", f"{mine}?x=/{bucket}/k"):
        headers = {"x-amz-copy-source": source}
        for reply in (other.s3("PUT", f"/{mine}/copy", headers=headers),
                      other.s3("PUT", f"/{mine}/u", headers=headers, query=[("uploadId", upload), ("partNumber", "1")])):
            assert reply.status in (400, 403, 404) and b"secret words" not in reply.body, (source, reply)
    for source in sources(bucket):
        assert other.s3("PUT", f"/{mine}/copy", headers={"x-amz-copy-source": source}).seen == DENIED
    assert other.s3("GET", f"/{mine}").body.count(b"<Key>") == 0


def test_no_copy_without_the_scope_to_read(owner, bucket):
    owner.put(f"/{bucket}/k", b"secret words")
    mine = bucket_of(owner)
    narrow = narrowed(owner, f"r2:write:{mine}")
    upload = begin_upload(narrow, f"/{mine}/u")
    for source in sources(bucket):
        headers = {"x-amz-copy-source": source}
        assert narrow.s3("PUT", f"/{mine}/copy", headers=headers).seen == DENIED
        assert narrow.s3("PUT", f"/{mine}/u", headers=headers, query=[("uploadId", upload), ("partNumber", "1")]).seen == DENIED
    # The other way round: reading both does not let write.
    assert narrowed(owner, "r2:read").s3("PUT", f"/{mine}/c", headers={"x-amz-copy-source": f"/{bucket}/k"}).seen == DENIED


@pytest.mark.parametrize("source", ["", "/", "//", "?versionId=x", "/b", "b/", "%", "/%", "/b/k?versionId=", "/b/k?versionId=../x"])
def test_a_copy_source_that_is_none_is_refused(owner, bucket, source):
    """Ceph CVE-2024-47866: an empty one ended the gateway."""
    assert owner.s3("PUT", f"/{bucket}/k", headers={"x-amz-copy-source": source}).status in (400, 404)


def test_an_upload_is_of_its_bucket_and_key(owner, other, bucket):
    upload = begin_upload(owner, f"/{bucket}/k")
    part = owner.s3("PUT", f"/{bucket}/k", b"part", query=[("uploadId", upload), ("partNumber", "1")]).headers["ETag"]
    whole = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part></CompleteMultipartUpload>".encode()
    for party, path in ((owner, f"/{bucket}/other"), (owner, f"/{bucket_of(owner)}/k"), (other, f"/{bucket_of(other)}/k")):
        for method, more, body in (("PUT", [("partNumber", "1")], b"x"), ("GET", [], b""), ("POST", [], whole), ("DELETE", [], b"")):
            assert party.s3(method, path, body, query=[("uploadId", upload), *more]).seen == NO_UPLOAD
    assert other.s3("POST", f"/{bucket}/k", whole, query=[("uploadId", upload)]).seen == DENIED
    assert owner.s3("POST", f"/{bucket}/k", whole, query=[("uploadId", upload)]).status == 200
    assert owner.s3("GET", f"/{bucket}/k").body == b"part"


VERSIONED = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"


def test_a_version_is_of_its_bucket_and_key(owner, other, bucket):
    owner.put(f"/{bucket}", VERSIONED, query=[("versioning", "")])
    version = owner.put(f"/{bucket}/k", b"secret words").headers["x-amz-version-id"]
    owner.put(f"/{bucket}/other", b"x")
    mine = bucket_of(other)
    other.put(f"/{mine}", VERSIONED, query=[("versioning", "")])
    other.put(f"/{mine}/k", b"x")
    for party, path in ((owner, f"/{bucket}/other"), (other, f"/{mine}/k")):
        for method in ("GET", "HEAD"):
            assert party.s3(method, path, query=[("versionId", version)]).status == 404
        party.s3("DELETE", path, query=[("versionId", version)])
    reply = other.s3("PUT", f"/{mine}/c", headers={"x-amz-copy-source": f"/{mine}/k?versionId={version}"})
    assert reply.status == 404
    assert owner.s3("GET", f"/{bucket}/k", query=[("versionId", version)]).body == b"secret words"


def test_many_are_deleted_of_one_bucket(owner, other, bucket):
    """The keys of the document are of the bucket in the path, whatever they say."""
    owner.put(f"/{bucket}/k", b"v")
    mine = bucket_of(other)
    keys = "".join(f"<Object><Key>{key}</Key></Object>" for key in (f"../{bucket}/k", f"/{bucket}/k", f"{bucket}/k", "k"))
    assert other.s3("POST", f"/{mine}", f"<Delete>{keys}</Delete>".encode(), query=[("delete", "")]).status == 200
    assert other.s3("POST", f"/{bucket}", f"<Delete>{keys}</Delete>".encode(), query=[("delete", "")]).seen == DENIED
    assert owner.s3("GET", f"/{bucket}/k").body == b"v"


# ---- strangers


def public_bucket(party):
    name = bucket_of(party)
    assert party.v4("PUT", f"/accounts/{{account}}/r2/buckets/{name}/domains/managed", {"enabled": True}).status == 200
    return name


def test_what_is_public_is_objects_by_their_names(owner):
    """Ceph CVE-2016-7031: whoever could read an object could list, and more."""
    name = public_bucket(owner)
    owner.put(f"/{name}/k", b"v")
    assert stranger(owner, "GET", f"/{name}/k").body == b"v"
    for target in (f"/{name}", f"/{name}/", f"/{name}?versions", f"/{name}?cors", f"/{name}/k?uploadId=x", f"/{name}?location", "/"):
        assert stranger(owner, "GET", target).seen == DENIED, target
    for method in ("PUT", "POST", "DELETE"):
        assert stranger(owner, method, f"/{name}/k?uploads" if method == "POST" else f"/{name}/k").seen == DENIED


def test_what_was_deleted_of_a_public_bucket_is_not_public(owner):
    """A version has to be asked for by its id, and "null" is one that everybody knows."""
    name = public_bucket(owner)
    owner.put(f"/{name}/k", b"withdrawn")
    owner.put(f"/{name}", VERSIONED, query=[("versioning", "")])
    version = owner.put(f"/{name}/k", b"withdrawn too").headers["x-amz-version-id"]
    assert owner.s3("DELETE", f"/{name}/k").status == 204
    for id in ("null", version):
        assert owner.s3("GET", f"/{name}/k", query=[("versionId", id)]).body.startswith(b"withdrawn")
        for method in ("GET", "HEAD"):
            reply = stranger(owner, method, f"/{name}/k?versionId={id}")
            assert reply.status == 403 and b"withdrawn" not in reply.body, reply


def test_a_condition_tells_a_stranger_nothing(owner, bucket):
    """MinIO CVE-2024-36107: 304 and 412 told of objects to whoever may not read them."""
    owner.put(f"/{bucket}/k", b"v")
    no_scope = narrowed(owner, "kv:read")
    conditions = ({"If-Modified-Since": "Tue, 01 Jan 2030 00:00:00 GMT"}, {"If-None-Match": "*"}, {"If-Match": '"x"'},
                  {"If-Unmodified-Since": "Tue, 01 Jan 1980 00:00:00 GMT"}, {"Range": "bytes=9-"}, {})
    for headers in conditions:
        for method in ("GET", "HEAD"):
            seen = {(reply.status, len(reply.body) > 0) for key in ("k", "none") for reply in (
                stranger(owner, method, f"/{bucket}/{key}", headers=headers), no_scope.s3(method, f"/{bucket}/{key}", unsigned=headers))}
            assert seen == {(403, method == "GET")}, (headers, seen)


RESPONSE = {"response-content-type": "text/html", "response-content-disposition": "inline", "response-cache-control": "x",
            "response-content-encoding": "gzip", "response-content-language": "xx", "response-expires": "x"}


def test_a_stranger_chooses_no_headers_of_the_answer(owner):
    """Ceph CVE-2020-1760: a link to a public object made a page of it."""
    name = public_bucket(owner)
    owner.put(f"/{name}/k", b"<script>", headers={"content-type": "text/plain"})
    query = "&".join(f"{header}={value}" for header, value in RESPONSE.items())
    reply = stranger(owner, "GET", f"/{name}/k?{query}")
    assert reply.status in (200, 400, 403)
    assert reply.headers["Content-Type"] in ("text/plain", "application/xml") and "Content-Disposition" not in reply.headers
    signed = owner.s3("GET", f"/{name}/k", query=list(RESPONSE.items()))
    assert signed.headers["Content-Type"] == "text/html"


def test_no_form_uploads(owner, other, bucket):
    """Ceph CVE-2023-43040 and CVE-2020-12059, MinIO CVE-2021-21362 and CVE-2023-28434: a form's own bucket, policy and tags."""
    form = "".join(f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in (
        ("key", "k"), ("bucket", bucket), ("policy", "e30="), ("x-amz-credential", "x"), ("tagging", "<x>"), ("file", "data")))
    body, headers = f"{form}--x--\r\n".encode(), {"content-type": "multipart/form-data; boundary=x"}
    for target in (f"/{bucket}", f"/{bucket}/", f"/{bucket_of(other)}"):
        assert stranger(owner, "POST", target, body, headers).status in (403, 405)
        assert other.s3("POST", target, body, headers=headers).status in (403, 405)
    assert owner.s3("GET", f"/{bucket}/k").status == 404


@pytest.mark.parametrize("door", ["api", "s3"])
def test_a_binding_is_of_no_public_listener(owner, bucket, door):
    """X-Levada-Binding is believed by the listener of Workers alone."""
    owner.put(f"/{bucket}/k", b"v")
    headers = {"X-Levada-Binding": "0" * 64}
    if door == "api":
        for path in ("/health", "/client/v4/user"):
            assert owner.daemon.request("GET", path, headers=headers, token=owner.token).status == 400
    else:
        assert stranger(owner, "GET", f"/{bucket}/k", headers=headers).status == 400
        assert owner.s3("GET", f"/{bucket}/k", unsigned=headers).status == 400


# ---- between two looks


def slow_put(party, target_path, body, query=(), headers=None):
    """A request whose body waits for `finish()`, and whose header was admitted."""
    signed = party.signer().headers("PUT", target_path, list(query), headers)
    raw = connected(party.address)
    connection = raw.__enter__()
    connection.send(lines("PUT", sigv4.target(target_path, query), {**signed, "Content-Length": str(len(body)), "Connection": "close"}))
    connection.send(body[:1])
    time.sleep(0.2)

    def finish():
        connection.send(body[1:]).rest()
        raw.__exit__(None, None, None)
        return connection.status
    return finish


@pytest.mark.parametrize("size", [10, 300_000])
def test_an_upload_into_a_bucket_that_was_made_anew_is_lost(owner, other, bucket, size):
    """Whose the bucket was when it began is not whose it is."""
    upload = begin_upload(owner, f"/{bucket}/u")
    finish, finish_part = (slow_put(owner, path, b"s" * size, query) for path, query in (
        (f"/{bucket}/k", ()), (f"/{bucket}/u", (("uploadId", upload), ("partNumber", "1")))))
    owner.s3("DELETE", f"/{bucket}/u", query=[("uploadId", upload)])
    assert owner.s3("DELETE", f"/{bucket}").status == 204
    other.put(f"/{bucket}")
    assert finish() == 404 and finish_part() == 404
    assert b"<Key>" not in other.s3("GET", f"/{bucket}").body
    assert other.s3("GET", f"/{bucket}/k").status == 404 and owner.s3("GET", f"/{bucket}/k").seen == DENIED
    assert other.s3("GET", f"/{bucket}/u", query=[("uploadId", upload)]).seen == NO_UPLOAD


def test_a_bucket_that_was_made_anew_has_nothing_of_the_old_one(owner, other):
    name = public_bucket(owner)
    owner.put(f"/{name}", VERSIONED, query=[("versioning", "")])
    owner.put(f"/{name}", b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
                          b"</CORSConfiguration>", query=[("cors", "")])
    version = owner.put(f"/{name}/k", b"old").headers["x-amz-version-id"]
    assert owner.s3("DELETE", f"/{name}").status == 409
    owner.s3("DELETE", f"/{name}/k", query=[("versionId", version)])
    assert owner.s3("DELETE", f"/{name}").status == 204
    other.put(f"/{name}")
    other.put(f"/{name}/k", b"new")
    assert stranger(owner, "GET", f"/{name}/k").seen == DENIED
    assert other.s3("GET", f"/{name}/k", query=[("versionId", version)]).status == 404
    assert "Access-Control-Allow-Origin" not in other.s3("GET", f"/{name}/k", unsigned={"Origin": "https://a.example"}).headers
    assert other.s3("GET", f"/{name}", query=[("cors", "")]).seen == (404, "NoSuchCORSConfiguration")


def test_a_slow_change_undoes_no_other_change(owner):
    """Rules that came while the bucket was public do not make it public again."""
    name = public_bucket(owner)
    owner.put(f"/{name}/k", b"v")
    rules = (b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin>"
             b"</CORSRule></CORSConfiguration>")
    finish = slow_put(owner, f"/{name}", rules, (("cors", ""),))
    assert owner.v4("PUT", f"/accounts/{{account}}/r2/buckets/{name}/domains/managed", {"enabled": False}).status == 200
    assert finish() == 200
    assert stranger(owner, "GET", f"/{name}/k").seen == DENIED
    assert b"https://a.example" in owner.s3("GET", f"/{name}", query=[("cors", "")]).body


def test_changes_at_once_are_all_made(owner, bucket):
    wanted = {"cors": b"<CORSConfiguration><CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin></CORSRule>"
                      b"</CORSConfiguration>", "versioning": VERSIONED,
              "lifecycle": b"<LifecycleConfiguration><Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>x</Prefix></Filter>"
                           b"<Expiration><Days>9</Days></Expiration></Rule></LifecycleConfiguration>"}
    for _ in range(5):
        name = bucket_of(owner)
        threads = [threading.Thread(target=owner.put, args=(f"/{name}", body), kwargs={"query": [(what, "")]})
                   for what, body in wanted.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for what, word in (("cors", b"AllowedOrigin"), ("versioning", b"Enabled"), ("lifecycle", b"<Days>9")):
            assert word in owner.s3("GET", f"/{name}", query=[(what, "")]).body, what
