"""What is believed of a request at the S3 listener: signatures, chunks, hosts, documents, headers; a test for each class of the
advisories that were published of S3 servers. test_advisories.py has who may reach what, test_advisories_http.py the framing.
"""

import base64
import gzip
import hashlib
import itertools
import os
import pathlib
import time
import zlib

import pytest

import sigv4
from conftest import daemon_of
from raw_http import connected, exchange, lines
from two_accounts import Party, parties, send, stranger

DENIED, MISMATCH, MALFORMED = (403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (400, "MalformedXML")
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def served():
    with daemon_of("--s3-domain", "s3.test", "--log-requests", "all") as daemon:
        yield daemon.start()


@pytest.fixture(scope="module")
def both(served):
    return tuple(parties(served))


@pytest.fixture
def owner(both):
    return both[0]


@pytest.fixture
def bucket(owner):
    name = f"s{next(numbers)}-{os.getpid()}"
    owner.put(f"/{name}")
    owner.put(f"/{name}/k", b"words")
    return name


def memory_kib(daemon):
    status = pathlib.Path(f"/proc/{daemon.process.pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0])


# ---- signatures


def presigned(owner, method, path, query=(), headers=None, **more):
    signer = owner.signer()
    return sigv4.target(path, signer.query(method, path, query, headers, **more))


@pytest.mark.parametrize("extra", ["&uploadId=x", "&versionId=null", "&x=1", "&response-content-type=text/html", "&acl", "&",
                                   "&X-Amz-Expires=600", "&X-Amz-Signature=0", "&X-Amz-Credential=x", "&x-amz-meta-a=b"])
def test_nothing_is_added_to_a_presigned_url(owner, bucket, extra):
    target = presigned(owner, "GET", f"/{bucket}/k")
    assert stranger(owner, "GET", target).body == b"words"
    reply = stranger(owner, "GET", target + extra)
    assert reply.status in (400, 403) or extra == "&", reply  # what is empty says nothing


@pytest.mark.parametrize("name, value", [
    ("x-amz-meta-a", "b"), ("x-amz-copy-source", "/{bucket}/k"), ("x-amz-acl", "public-read"), ("x-amz-storage-class", "STANDARD_IA"),
    ("x-amz-security-token", "t"), ("x-amz-checksum-sha256", "x"), ("x-amz-content-sha256", sigv4.EMPTY_HASH), ("x-amz-date", "x"),
    ("X-AMZ-META-A", "b"), ("x-amz-server-side-encryption-customer-algorithm", "AES256")])
def test_a_header_of_amazon_has_to_be_signed(owner, bucket, name, value):
    """What is not signed somebody on the way may have added: a copy source makes of an upload a theft."""
    header = {name: value.replace("{bucket}", bucket)}
    assert stranger(owner, "PUT", presigned(owner, "PUT", f"/{bucket}/new"), b"v", header).seen == DENIED
    if name.lower() not in ("x-amz-content-sha256", "x-amz-date"):  # they are signed
        assert owner.s3("PUT", f"/{bucket}/new", b"v", unsigned=header).seen == DENIED
    assert owner.s3("GET", f"/{bucket}/new").status == 404


def test_a_header_that_is_there_twice_is_signed_twice(owner, bucket):
    signed = owner.signer().headers("PUT", f"/{bucket}/new", headers={"x-amz-meta-a": "1"})
    for name in ("x-amz-meta-a", "x-amz-date", "x-amz-content-sha256", "host", "Authorization"):
        for fields in ([*signed.items(), (name, signed[name])], [(name, "x"), *signed.items()]):
            raw = exchange(owner.address, lines("PUT", f"/{bucket}/new", [*fields, ("Content-Length", "0"), ("Connection", "close")]))
            assert raw.status in (400, 403), (name, raw.received)
    assert owner.s3("GET", f"/{bucket}/new").status == 404


def test_the_host_is_signed_as_it_is_written(owner, bucket):
    signed = owner.signer(host="b.s3.test").headers("GET", "/k")
    for host in ("B.S3.TEST", "b.s3.test.", "b.s3.test:80", "c.s3.test", owner.address):
        assert send(owner.address, "GET", "/k", headers={**signed, "host": host}).status in (403, 404), host


def test_a_parameter_that_is_there_twice_is_refused_where_it_authorizes(owner, bucket):
    signer = owner.signer()
    query = signer.query("GET", f"/{bucket}/k")
    for name, value in query:
        assert stranger(owner, "GET", sigv4.target(f"/{bucket}/k", [*query, (name, value)])).status in (400, 403), name
        rest = [pair for pair in query if pair[0] != name]
        assert stranger(owner, "GET", sigv4.target(f"/{bucket}/k", rest)).status in (400, 403), name
        lower = [(name.lower(), value) if pair[0] == name else pair for pair in query]
        assert stranger(owner, "GET", sigv4.target(f"/{bucket}/k", lower)).status in (400, 403), name


@pytest.mark.parametrize("where", ["header", "query"])
def test_a_body_that_is_not_signed_still_needs_a_signature(owner, bucket, where):
    """MinIO CVE-2025-31489, CVE-2026-40344 and CVE-2026-41145, SeaweedFS #7954: STREAMING-UNSIGNED-PAYLOAD-TRAILER was let in by the
    access key alone, which is no secret."""
    body = sigv4.unsigned_chunks(b"forged", {"x-amz-checksum-crc32": sigv4.crc32(b"forged")})
    headers = {"x-amz-content-sha256": sigv4.UNSIGNED_TRAILER, "x-amz-decoded-content-length": "6", "x-amz-trailer": "x-amz-checksum-crc32",
               "x-amz-meta-snowball-auto-extract": "true"}
    signer = owner.signer()
    credential = f"{signer.access_key}/{signer.scope}"
    for signature in ("", "0" * 64, None):
        query = []
        if where == "header":
            own = {"x-amz-date": signer.date, "Authorization":
                   f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, Signature={signature or ''}"}
        else:
            own = {}
            query = [("X-Amz-Credential", credential), ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Date", signer.date),
                     ("X-Amz-Expires", "60"), ("X-Amz-SignedHeaders", "host")]
            query += [] if signature is None else [("X-Amz-Signature", signature)]
        for more in ([], [("partNumber", "1"), ("uploadId", "x")]):
            reply = send(owner.address, "PUT", sigv4.target(f"/{bucket}/new", [*query, *more]), body, {**headers, **own})
            assert reply.status in (400, 403), reply
    assert owner.s3("GET", f"/{bucket}/new").status == 404


def test_an_archive_is_an_object(owner, bucket):
    """MinIO CVE-2026-40344: nothing is taken out of what is stored."""
    owner.put(f"/{bucket}/a.tar", b"\0" * 1024, headers={"x-amz-meta-snowball-auto-extract": "true"})
    assert owner.s3("GET", f"/{bucket}/a.tar").body == b"\0" * 1024


# ---- chunks


def chunked(owner, path, body, change=lambda wire: wire, payload=sigv4.CHUNKS, decoded=None, trailer=None, more=None):
    signer = owner.signer()
    headers = {"x-amz-decoded-content-length": str(len(body) if decoded is None else decoded), "content-encoding": "aws-chunked", **(more or {})}
    trailers = None
    if payload != sigv4.CHUNKS:
        trailers = {"x-amz-checksum-crc32": sigv4.crc32(body)} if trailer is None else trailer
        headers.setdefault("x-amz-trailer", "x-amz-checksum-crc32")
    signed = signer.headers("PUT", path, headers=headers, payload=payload)
    wire = (sigv4.unsigned_chunks(body, trailers) if payload == sigv4.UNSIGNED_TRAILER
            else signer.chunks(sigv4.signature_of(signed), body, trailers))
    return send(owner.address, "PUT", path, change(wire), signed)


LAST = b"0;chunk-signature="


def without(wire, text):
    at = wire.index(text)
    return wire[:at]


CHANGES = {
    "another byte": lambda wire: wire.replace(b"hello", b"jello"),
    "another signature": lambda wire: wire.replace(b"5;chunk-signature=", b"5;chunk-signature=0", 1)[:-1],
    "no signature": lambda wire: b"5\r\nhello\r\n0\r\n\r\n",
    "an empty signature": lambda wire: b"5;chunk-signature=\r\nhello\r\n" + wire[wire.index(LAST):],
    "no last chunk": lambda wire: without(wire, LAST),
    "a last chunk that is not signed": lambda wire: without(wire, LAST) + b"0\r\n\r\n",
    "a last chunk that is signed wrong": lambda wire: without(wire, LAST) + LAST + b"0" * 64 + b"\r\n\r\n",
    "more behind the end": lambda wire: wire + b"5\r\nhello\r\n",
    "the chunk twice": lambda wire: wire[:wire.index(LAST)] * 2 + wire[wire.index(LAST):],
    "no chunks at all": lambda wire: b"hello",
    "a size that is none": lambda wire: wire.replace(b"5;", b"-5;", 1),
    "a size of 64 bits": lambda wire: wire.replace(b"5;", b"ffffffffffffffff;", 1),
    "nothing": lambda wire: b"",
}


@pytest.mark.parametrize("what", CHANGES)
def test_a_chunk_is_what_was_signed(owner, bucket, what):
    """MinIO CVE-2021-21390: the last chunk was not looked at, so that an upload could be cut."""
    assert chunked(owner, f"/{bucket}/good", b"hello").status == 200
    reply = chunked(owner, f"/{bucket}/new", b"hello", CHANGES[what])
    assert reply.status in (400, 403), reply
    assert owner.s3("GET", f"/{bucket}/new").status == 404


def test_a_chunk_is_of_its_request(owner, bucket):
    """A chunk of one upload, signed well, in another: each signature is over the one before it, the first over the request's."""
    stolen = []
    assert chunked(owner, f"/{bucket}/one", b"hello", lambda wire: stolen.append(wire) or wire).status == 200
    assert chunked(owner, f"/{bucket}/two", b"world", lambda wire: stolen[0]).seen == MISMATCH
    assert owner.s3("GET", f"/{bucket}/two").status == 404


@pytest.mark.parametrize("payload", [sigv4.CHUNKS_TRAILER, sigv4.UNSIGNED_TRAILER])
def test_a_trailer_is_what_was_announced(owner, bucket, payload):
    put = lambda **more: chunked(owner, f"/{bucket}/new", b"hello", payload=payload, **more)
    crc = {"x-amz-checksum-crc32": sigv4.crc32(b"hello")}
    refused = [put(trailer={"x-amz-checksum-crc32": sigv4.crc32(b"jello")}), put(trailer={}), put(trailer={**crc, "x-amz-meta-a": "b"}),
               put(trailer={"x-amz-meta-a": "b"}), put(more={"x-amz-trailer": "authorization"}), put(trailer={**crc, "x": "y" * 5000}),
               put(decoded=4), put(decoded=6), put(decoded="-1"), put(decoded="x")]
    if payload == sigv4.CHUNKS_TRAILER:
        refused += [put(change=lambda wire: wire.replace(b"trailer-signature:", b"trailer-signature:0", 1)),
                    put(change=lambda wire: without(wire, b"x-amz-trailer-signature") + b"\r\n")]
    assert [reply.status for reply in refused if reply.status not in (400, 403, 411)] == [], refused
    assert owner.s3("GET", f"/{bucket}/new").status == 404
    assert put().status == 200


@pytest.mark.parametrize("size", [5, 300_000])
def test_a_body_that_is_not_what_was_signed_is_not_stored(owner, bucket, size):
    reply = owner.s3("PUT", f"/{bucket}/new", b"x" * size, payload=hashlib.sha256(b"y" * size).hexdigest())
    assert reply.seen == (400, "XAmzContentSHA256Mismatch") and owner.s3("GET", f"/{bucket}/new").status == 404


# ---- hosts


def test_a_host_names_its_bucket_and_no_other(owner, both, bucket):
    by_host = lambda party, host, path: party.s3("GET", path, host=host)
    assert by_host(owner, f"{bucket}.s3.test", "/k").body == b"words"
    assert by_host(owner, f"{bucket.upper()}.S3.TEST", "/k").body == b"words"  # names of hosts have no case
    # The path is all key then: no second bucket in it.
    assert by_host(owner, f"{bucket}.s3.test", f"/{bucket}/k").status == 404
    for host in (f"{bucket}.s3.test.evil.example", f"{bucket}.evil.s3.test", f"x.{bucket}.s3.test", ".s3.test", "s3.test", f"{bucket}xs3.test"):
        assert by_host(owner, host, "/k").status in (400, 403, 404), host
    assert by_host(both[1], f"{bucket}.s3.test", "/k").seen == DENIED
    for name in ("X-Forwarded-Host", "X-Host", "Forwarded"):
        reply = owner.s3("GET", "/nothing/k", unsigned={name: f"{bucket}.s3.test"})
        assert reply.status == 404


def test_a_location_is_of_the_host_that_was_asked(owner, bucket):
    upload = owner.s3("POST", f"/{bucket}/u", query=[("uploads", "")]).between("UploadId")
    etag = owner.s3("PUT", f"/{bucket}/u", b"part", query=[("uploadId", upload), ("partNumber", "1")]).headers["ETag"]
    whole = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>".encode()
    reply = owner.s3("POST", f"/{bucket}/u", whole, query=[("uploadId", upload)],
                     unsigned={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"})
    assert reply.between("Location") == f"http://{owner.address}/{bucket}/u"


# ---- CORS


def cors(owner, bucket, *rules):
    document = "".join(f"<CORSRule>{rule}</CORSRule>" for rule in rules)
    return owner.s3("PUT", f"/{bucket}", f"<CORSConfiguration>{document}</CORSConfiguration>".encode(), query=[("cors", "")])


def allowed(owner, bucket, origin, method="GET", preflight=False, headers=None):
    asked = {"Origin": origin, **(headers or {})}
    if preflight:
        reply = stranger(owner, "OPTIONS", f"/{bucket}/k", headers={**asked, "Access-Control-Request-Method": method})
    else:
        reply = owner.s3("GET", f"/{bucket}/k", unsigned=asked)
    return reply.headers["Access-Control-Allow-Origin"], reply.headers["Access-Control-Allow-Credentials"]


ORIGIN = "<AllowedOrigin>{}</AllowedOrigin><AllowedMethod>GET</AllowedMethod>"
STRANGE = ["https://evil.example", "null", "https://a.example.evil.example", "https://evila.example", "http://a.example", "https://a.example:8080",
           "HTTPS://A.EXAMPLE", "https://b.example", "https://a.example/", "*", ""]


@pytest.mark.parametrize("preflight", [False, True])
def test_no_origin_is_reflected(owner, bucket, preflight):
    for origin in STRANGE:
        assert allowed(owner, bucket, origin, preflight=preflight) == (None, None)
    assert cors(owner, bucket, ORIGIN.format("https://a.example")).status == 200
    for origin in STRANGE:
        assert allowed(owner, bucket, origin, preflight=preflight) == (None, None), origin
    assert allowed(owner, bucket, "https://a.example", preflight=preflight)[0] == "https://a.example"


@pytest.mark.parametrize("preflight", [False, True])
def test_every_origin_means_no_credentials(owner, bucket, preflight):
    cors(owner, bucket, ORIGIN.format("*"))
    assert allowed(owner, bucket, "https://evil.example", preflight=preflight) == ("*", None)


def test_the_api_has_no_cors(owner):
    for method in ("GET", "OPTIONS"):
        answer = owner.daemon.request(method, "/client/v4/user", headers={"Origin": "https://a.example"}, token=owner.token)
        assert not [name for name in answer.headers if name.lower().startswith("access-control")]


@pytest.mark.parametrize("element", ["AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "ID"])
@pytest.mark.parametrize("injected", ["x&#13;&#10;X-Injected: 1", "x&#10;X-Injected: 1", "x&#9;y", "x: y", "&#xfeff;"])
def test_a_rule_injects_no_header(owner, bucket, element, injected):
    """Ceph CVE-2020-10753 and CVE-2021-3524: line ends in ExposeHeader."""
    cors(owner, bucket, ORIGIN.format("*") + f"<{element}>{injected}</{element}>")
    for preflight in (False, True):
        headers = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
        reply = (stranger(owner, "OPTIONS", f"/{bucket}/k", headers=headers) if preflight
                 else owner.s3("GET", f"/{bucket}/k", unsigned=headers))
        assert reply.status in (200, 403) and "X-Injected" not in reply.headers, reply


# ---- headers that were stored


@pytest.mark.parametrize("value", ["a\tb", "\u00e9\u00ff", "=?UTF-8?Q?a=0D=0AX-Injected:_1?=", "%0d%0aX-Injected: 1", "\\r\\nX: 1", "a" * 2000, '"', ""])
def test_metadata_comes_back_as_it_was_or_not_at_all(owner, bucket, value):
    sent = value.encode("utf-8").decode("latin-1")
    signed = owner.signer().headers("PUT", f"/{bucket}/m")
    fields = [*signed.items(), ("Content-Type", sent), ("Content-Disposition", sent), ("Cache-Control", sent), ("Content-Length", "0"),
              ("Connection", "close")]
    assert exchange(owner.address, lines("PUT", f"/{bucket}/m", fields)).status == 200
    reply = owner.s3("GET", f"/{bucket}/m")
    assert reply.status == 200 and "X-Injected" not in reply.headers
    assert reply.headers.get("Content-Disposition", "") in (sent, value.strip())
    assert owner.v4("GET", f"/accounts/{{account}}/r2/buckets/{bucket}/objects/m").status == 200


@pytest.mark.parametrize("name", ["type", "disposition", "language", "encoding"])
@pytest.mark.parametrize("value", ["a\r\nX-Injected: 1", "a\nX-Injected: 1", "a\0b", "\x7f", "\r\n\r\n<script>"])
def test_a_header_that_was_asked_for_is_one_header(owner, bucket, name, value):
    reply = owner.s3("GET", f"/{bucket}/k", query=[(f"response-content-{name}", value)])
    assert reply.status in (200, 400) and "X-Injected" not in reply.headers and b"script" not in reply.body


def test_an_error_is_a_document_whatever_it_repeats(owner, bucket):
    for key in ("<script>alert(1)</script>", "]]>", "&amp;", "\x01", "'\"", "%3Cx%3E"):
        reply = owner.s3("GET", f"/{bucket}/{sigv4.encode(key, '')}")
        assert reply.status == 404 and b"<script" not in reply.body and reply.headers.get_content_type() == "application/xml"
        assert b"\x01" not in reply.body


# ---- bombs


BOMB = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
DOCUMENTS = {
    "entities of entities": f'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a0 "aaaaaaaaaa">{BOMB}]><x>&a11;</x>',
    "one long entity often": f'<!DOCTYPE x [<!ENTITY a "{"a" * 100_000}">]><x>{"&a;" * 10_000}</x>',
    "a file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
    "a URL": '<!DOCTYPE x [<!ENTITY e SYSTEM "http://127.0.0.1:1/">]><x>&e;</x>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd">%p;]><x/>',
    "a definition elsewhere": '<!DOCTYPE x SYSTEM "file:///etc/passwd"><x/>',
    "deep": "<x>" * 100_000, "deep and closed": "<x>" * 5_000 + "</x>" * 5_000, "many attributes": "<x " + " ".join(f'a{i}="1"' for i in range(20_000)) + "/>",
    "one long name": f"<{'x' * 500_000}/>", "no end": "<x", "NUL": "<x>\0</x>", "two roots": "<x/><x/>", "an include":
    '<x xmlns:xi="http://www.w3.org/2001/XInclude"><xi:include href="file:///etc/passwd" parse="text"/></x>',
}
READERS = [("POST", "delete"), ("PUT", "cors"), ("PUT", "lifecycle"), ("PUT", "versioning"), ("PUT", None), ("POST", "uploadId")]


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_is_read_in_bounds(owner, bucket, what):
    before, document = memory_kib(owner.daemon), DOCUMENTS[what]
    upload = owner.s3("POST", f"/{bucket}/u", query=[("uploads", "")]).between("UploadId")
    for encoding in ("utf-8", "utf-16"):
        for method, query in READERS:
            path, pairs = f"/{bucket}" + ("/u" if query == "uploadId" else ""), [(query, upload if query == "uploadId" else "")] if query else []
            if query is None:
                path = f"/new-{bucket}"
            began = time.monotonic()
            reply = owner.s3(method, path, document.encode(encoding), query=pairs)
            assert reply.status == 400 and b"root:" not in reply.body, (query, encoding, reply)
            assert time.monotonic() - began < 2
    assert memory_kib(owner.daemon) - before < 64 * 1024
    assert owner.s3("HEAD", f"/new-{bucket}").status == 404


def test_nothing_is_decompressed(owner, bucket):
    """A body in an encoding is its bytes: an object keeps them, a document in them is none."""
    bomb = gzip.compress(bytes(50_000_000), 9)
    owner.put(f"/{bucket}/z", bomb, headers={"content-encoding": "gzip"})
    reply = owner.s3("GET", f"/{bucket}/z", unsigned={"Accept-Encoding": "identity"})
    assert reply.body == bomb and reply.headers["Content-Encoding"] == "gzip"
    before = memory_kib(owner.daemon)
    for coding, body in (("gzip", gzip.compress(b"<Delete/>")), ("gzip", bomb), ("deflate", zlib.compress(b"<Delete/>"))):
        assert owner.s3("POST", f"/{bucket}", body, query=[("delete", "")], headers={"content-encoding": coding}).seen == MALFORMED
    space = owner.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": f"z{next(numbers)}"}).result["id"]
    at = f"/accounts/{{account}}/storage/kv/namespaces/{space}"
    assert owner.v4("PUT", f"{at}/bulk", gzip.compress(b"[]"), headers={"Content-Encoding": "gzip"}).status == 400
    assert owner.v4("PUT", f"{at}/values/k", bomb, headers={"Content-Encoding": "gzip"}).status == 200
    assert owner.v4("GET", f"{at}/values/k").body == bomb
    assert memory_kib(owner.daemon) - before < 64 * 1024


@pytest.mark.parametrize("name", ["max-keys", "max-uploads", "max-parts", "part-number-marker", "partNumber"])
@pytest.mark.parametrize("value", ["-1", "2147483647", "4294967296", "9" * 30, "1e9", "0x10", " 1", "", "abc"])
def test_a_number_is_one_in_bounds(owner, bucket, name, value):
    """Ceph CVE-2018-16846: a list of as many as somebody asked for."""
    upload = owner.s3("POST", f"/{bucket}/u", query=[("uploads", "")]).between("UploadId")
    places = {"max-keys": (f"/{bucket}", []), "max-uploads": (f"/{bucket}", [("uploads", "")]), "partNumber": (f"/{bucket}/k", [])}
    path, query = places.get(name, (f"/{bucket}/u", [("uploadId", upload)]))
    assert owner.s3("GET", path, query=[*query, (name, value)]).status in (200, 206, 400, 416)
    for length in ("Content-Length", "x-amz-decoded-content-length"):
        assert owner.s3("GET", f"/{bucket}", unsigned={"Range": f"bytes={value}-{value}"} if length else None).status == 200


# ---- secrets, and what ended others


def test_no_error_repeats_a_secret(owner, bucket):
    """Ceph CVE-2018-14662 and its kin, MinIO CVE-2023-28432: keys in answers and logs."""
    key = hashlib.sha256(b"customer").digest()
    encryption = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                  "x-amz-server-side-encryption-customer-key": base64.b64encode(key).decode(),
                  "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}
    owner.put(f"/{bucket}/e", b"v", headers=encryption)
    wrong = Party(owner.daemon, {**owner.made, "s3_secret_access_key": "0" * 64})
    replies = [wrong.s3("GET", f"/{bucket}/e", headers=encryption), wrong.s3("PUT", f"/{bucket}/e", headers={**encryption, "x-amz-security-token": "session"}),
               owner.s3("GET", f"/{bucket}/e", headers={**encryption, "x-amz-server-side-encryption-customer-key-md5": "x"}),
               owner.s3("GET", f"/{bucket}/e", headers={name: value[::-1] for name, value in encryption.items()}),
               owner.s3("GET", f"/{bucket}/e"), stranger(owner, "GET", presigned(owner, "GET", f"/{bucket}/k") + "0")]
    secrets = [encryption["x-amz-server-side-encryption-customer-key"], key.hex(), owner.made["s3_secret_access_key"], owner.token]
    for reply in replies:
        assert reply.status >= 400
        assert not [one for one in secrets if one.encode() in reply.body or one in str(reply.headers)], reply
    assert not [one for one in secrets if one in owner.daemon.logged()]


def test_an_object_with_a_key_needs_it(owner, bucket):
    key, other = hashlib.sha256(b"customer").digest(), hashlib.sha256(b"other").digest()
    headers = lambda of: {"x-amz-server-side-encryption-customer-algorithm": "AES256",
                          "x-amz-server-side-encryption-customer-key": base64.b64encode(of).decode(),
                          "x-amz-server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(of).digest()).decode()}
    owner.put(f"/{bucket}/e", b"secret words", headers=headers(key))
    assert owner.s3("GET", f"/{bucket}/e", headers=headers(key)).body == b"secret words"
    for more, status in ((None, 400), (headers(other), 403)):
        for method in ("GET", "HEAD"):
            reply = owner.s3(method, f"/{bucket}/e", headers=more)
            assert reply.status == status and b"secret" not in reply.body
    assert owner.s3("PUT", f"/{bucket}/c", headers={"x-amz-copy-source": f"/{bucket}/e"}).status == 400
    assert owner.v4("GET", f"/accounts/{{account}}/r2/buckets/{bucket}/objects/e").status == 400
    assert owner.s3("GET", f"/{bucket}/c").status == 404


ODD = ["/%00", "//", "/?%00", "/?%", "/%", "/b?%ff", "/b/%ff", "/?&&&=&=", "/b?uploads&versions&delete&cors", "/?" + "a&" * 3000, "/" + "a/" * 3000,
       "/b?uploadId", "/b/k?uploadId&partNumber", "/?X-Amz-Signature", "/?X-Amz-Date=x", "/b?versionId=%00", "/b/k?partNumber=0", "/.", "/..", "/../..",
       "*", "/b?prefix=%00", "/b?delimiter=%ff", "/b?marker=%00&max-keys=0", "/b?continuation-token=x", "/b?key-marker=x&version-id-marker=x"]


@pytest.mark.parametrize("target", ODD)
def test_no_odd_request_ends_the_daemon(owner, bucket, target):
    """Ceph CVE-2022-3854, CVE-2016-9579, CVE-2018-7262, CVE-2020-12059: one request, and the gateway was gone."""
    path, _, query = target.replace("/b", f"/{bucket}", 1).partition("?")
    for method in ("GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "XYZ"):
        signed = owner.signer().headers(method, path, [tuple((piece + "=").split("=")[:2]) for piece in query.split("&") if piece])
        for headers in ({}, signed, {"Authorization": "AWS4-HMAC-SHA256 " + "," * 99}, {"Origin": "x\xff"}, {"Range": "bytes=" + "1-2," * 999}):
            fields = {"Host": owner.address, **headers, "Connection": "close", "Content-Length": "0"}
            fields.pop("host", None)
            raw = exchange(owner.address, lines(method, path + ("?" + query if query else ""), fields))
            assert raw.status < 500 or raw.status == 501, raw.received
            assert raw.status > 0
    assert owner.daemon.process.poll() is None and owner.s3("GET", "/").status == 200
