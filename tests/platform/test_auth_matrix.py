"""Who is let in: every way to show a credential, at every route of both doors, in everything that can be wrong with it.

What is expected is computed from the needs in door_table.py; the routes are those of `levada schema --routes`. A cell is one
request, a few are two.
"""

import base64
import hashlib
import http.client
import json
import subprocess
import time
import urllib.parse

import pytest

import door_table
import sigv4
from conftest import BINARY, daemon_of
from door_table import API, NOTHING, S3, TOKEN
from sigv4 import Signer

ROUTES = json.loads(subprocess.run([BINARY, "schema", "--routes"], check=True, capture_output=True).stdout)["routes"]
UNAUTHENTICATED, BAD_TOKEN, FORBIDDEN = (401, 10000), (401, 1000), (403, 10000)
DENIED, MISMATCH, UNKNOWN = (403, "AccessDenied"), (403, "SignatureDoesNotMatch"), (403, "InvalidAccessKeyId")
LATE_S = 16 * 60  # a minute more than clocks may differ
counted = {}


def test_every_route_is_in_the_table_with_its_need():
    listed = {door_table.named(route): door_table.listed_need(route) for route in ROUTES}
    assert len(listed) == len(ROUTES)
    assert listed == {name: (row.need, row.of, row.public) for name, row in (API | S3).items()}


class World:
    """Two accounts; of the first a namespace, a bucket and an open upload, which every cell is about."""

    def __init__(self, daemon):
        self.daemon = daemon
        daemon.start()
        self.admin = daemon.issue("all:admin", account=daemon.account)
        second = json.loads(daemon.command("account", "create", "second", "--json").stdout)["account_id"]
        self.second, self.stranger = second, daemon.issue("all:admin", account=second)
        self.tokens = {}
        self.s3_host = urllib.parse.urlsplit(daemon.ready["s3"]).netloc
        self.connections = {host: http.client.HTTPConnection(host, timeout=60) for host in (daemon.api.netloc, self.s3_host)}
        self.namespace, self.other_namespace = (self.make_namespace(title) for title in ("subject", "another"))
        self.daemon.v4("PUT", f"/accounts/{{account}}/storage/kv/namespaces/{self.namespace}/values/k", "canary")
        self.database, self.other_database = (self.make_database(name) for name in ("subject", "another"))
        for name in ("subject", "another"):
            daemon.v4("POST", "/accounts/{account}/r2/buckets", {"name": name})
        self.queue, self.other_queue = (self.make_queue(name) for name in ("subject", "another"))
        daemon.v4("POST", f"/accounts/{{account}}/queues/{self.queue}/consumers", {"type": "http_pull"})
        daemon.v4("PUT", "/accounts/{account}/r2/buckets/subject/objects/k", "canary")
        made = self.s3("POST", "/subject/open", query=[("uploads", "")])
        self.upload = made[2].partition(b"<UploadId>")[2].partition(b"<")[0].decode()
        self.expired, self.revoked = self.issue("all:admin", ttl_s=1), self.issue("all:admin")
        daemon.command("token", "revoke", self.revoked["token_id"], "--account", daemon.account)
        time.sleep(1.1)

    def make_namespace(self, title):
        return self.daemon.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": title}).result["id"]

    def make_queue(self, name):
        return self.daemon.v4("POST", "/accounts/{account}/queues", {"queue_name": name}).result["queue_id"]

    def make_database(self, name):
        return self.daemon.v4("POST", "/accounts/{account}/d1/database", {"name": name}).result["uuid"]

    def issue(self, *scopes, **more):
        """A token, by the socket that the command line uses, which takes a fraction of the time."""
        return self.daemon.ask_admin({"do": "token.create", "account": self.daemon.account, "scopes": scopes, **more})

    def token(self, scope):
        if scope not in self.tokens:
            self.tokens[scope] = self.issue(scope)
        return self.tokens[scope]

    def send(self, host, method, target, headers, body):
        connection = self.connections[host]
        connection.request(method, target, body=body or None, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def s3(self, method, path, query=(), body=b"", headers=None, token=None):
        token = token or self.admin
        signer = Signer(token["s3_access_key_id"], token["s3_secret_access_key"], self.s3_host)
        return self.send(self.s3_host, method, sigv4.target(path, query), signer.headers(method, path, query, headers), body)


@pytest.fixture(scope="module")
def world():
    with daemon_of() as daemon:
        yield World(daemon)


class Cells:
    """Counts, and collects what was not as expected."""

    def __init__(self, what):
        self.what, self.count, self.wrong = what, 0, []

    def check(self, cell, expected, seen):
        self.count += 1
        if seen not in expected:
            self.wrong.append(f"{cell}: expected {expected}, got {seen}")

    def done(self):
        counted[self.what] = self.count
        print(f"{self.what}: {self.count} cells")
        assert not self.wrong, f"{len(self.wrong)} of {self.count} cells\n" + "\n".join(self.wrong[:25])


# ---- the API


def api_path(world, row, pattern, account=None, **of):
    of = {"namespace": world.namespace, "queue": world.queue, "database": world.database, "bucket": "subject",
          "consumer": "0" * 32, "file": "none.sql", **of}
    path = pattern.replace("{account}", account or world.daemon.account).replace("{key*}", row.key)
    for name, value in of.items():
        path = path.replace("{" + name + "}", value)
    return path


def api_outcome(method, answer):
    status, _, body = answer
    if status < 400 or method == "HEAD" or not body.startswith(b"{"):  # words, of what is wrong with a query
        return status
    return status, json.loads(body)["errors"][0]["code"]


def api_calls():
    """(cell, method, pattern, row), with HEAD wherever GET is."""
    for name, row in API.items():
        method, pattern = name.split(" ")
        yield name, method, pattern, row
        if method == "GET":
            yield f"HEAD {pattern}", "HEAD", pattern, row


def of_head(method, outcomes):
    return tuple(o[0] if method == "HEAD" and isinstance(o, tuple) else o for o in outcomes)


def resource_of(world, row):
    return {"namespace": world.namespace, "bucket": "subject", "queue": world.queue, "database": world.database}.get(row.of, "none")


def shown_credentials(world):
    """(what is wrong, headers, outcome of what needs a token) of everything that is not a valid token in the right header."""
    text = world.admin["token"]
    bearer = lambda value: {"Authorization": f"Bearer {value}"}
    flipped = [text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1:] for at in (0, 7, 8, len(text) // 2, len(text) - 2)]
    yield from (("tampered", bearer(one), BAD_TOKEN) for one in flipped)
    yield from ((why, bearer(one), BAD_TOKEN) for why, one in (
        ("garbage", "garbage"), ("id", world.admin["token_id"]), ("S3 secret", world.admin["s3_secret_access_key"]),
        ("cut", text[:-1]), ("longer", text + "x"), ("two", f"{text} {text}"), ("expired", world.expired["token"]),
        ("revoked", world.revoked["token"]), ("quoted", f'"{text}"'), ("upper", text.upper()), ("long", text * 300)))
    basic = base64.b64encode(f"token:{text}".encode()).decode()
    signer = Signer(world.admin["s3_access_key_id"], world.admin["s3_secret_access_key"], world.daemon.api.netloc)
    yield from ((why, headers, UNAUTHENTICATED) for why, headers in (
        ("absent", {}), ("empty", bearer("")), ("basic", {"Authorization": f"Basic {basic}"}), ("scheme token", {"Authorization": f"Token {text}"}),
        ("no scheme", {"Authorization": text}), ("no blank", {"Authorization": f"Bearer{text}"}), ("blank", {"Authorization": " "}),
        ("another header", {"X-Auth-Key": text, "X-Auth-Email": "a@b.example"}), ("cookie", {"Cookie": f"token={text}"}),
        ("proxy", {"Proxy-Authorization": f"Bearer {text}"}), ("signed", signer.headers("GET", "/"))))


def test_the_api_lets_no_stranger_in(world):
    cells = Cells("API: credentials")
    for cell, method, pattern, row in api_calls():
        target = api_path(world, row, pattern)
        for why, headers, outcome in shown_credentials(world):
            expected = row.outcomes if row.need == NOTHING else (outcome,)
            answer = world.send(world.daemon.api.netloc, method, target, headers, row.body)
            cells.check(f"{cell} {why}", of_head(method, expected), api_outcome(method, answer))
        expected = row.outcomes if row.need == NOTHING else (UNAUTHENTICATED,)
        answer = world.send(world.daemon.api.netloc, method, f"{target}?access_token={world.admin['token']}", {}, row.body)
        cells.check(f"{cell} in the query", of_head(method, expected), api_outcome(method, answer))
    cells.done()


def call_api(world, method, pattern, row, made, account=None, scheme="Bearer"):
    """With a valid token. What the call takes away is made for it."""
    fatal = {}
    if row.is_fatal and made.get("is_let_in"):
        make = {"namespace": world.make_namespace, "queue": world.make_queue, "database": world.make_database}[row.of]
        fatal[row.of] = make(f"fatal-{time.monotonic_ns()}")
        if made.get("of_one"):
            made = world.issue(f"{row.need}:{fatal[row.of]}")
    target = api_path(world, row, pattern, account, **fatal)
    headers = {"Authorization": f"{scheme} {made['token']}"}
    return api_outcome(method, world.send(world.daemon.api.netloc, method, target, headers, row.body))


def test_the_api_keeps_to_scopes(world):
    cells = Cells("API: scopes")
    for cell, method, pattern, row in api_calls():
        resource = resource_of(world, row)
        other = {"namespace": world.other_namespace, "bucket": "another", "queue": world.other_queue,
                 "database": world.other_database}.get(row.of, "other")
        for scope in door_table.every_scope(resource, other):
            # A scope of one resource is none of the service as a whole.
            is_let_in = door_table.may([scope], row, resource if row.of else None)
            made = {**world.token(scope), "is_let_in": is_let_in, "of_one": scope.count(":") == 2}
            expected = row.outcomes if is_let_in else (FORBIDDEN,)
            cells.check(f"{cell} {scope}", of_head(method, expected), call_api(world, method, pattern, row, made))
    cells.done()


def test_the_api_keeps_to_accounts(world):
    cells = Cells("API: accounts")
    missing = {"namespace": ((404, 10013),), "bucket": ((404, 10006),), "queue": ((404, 11000), (404, 10104)),
               "database": ((404, 7404),)}
    for cell, method, pattern, row in api_calls():
        for scheme in ("Bearer", "bearer", "BEARER"):
            made = {**world.admin, "is_let_in": True}
            cells.check(f"{cell} own, {scheme}", of_head(method, row.outcomes), call_api(world, method, pattern, row, made, None, scheme))
        is_open = row.need in (NOTHING, TOKEN) or "{account}" not in pattern
        expected = row.outcomes if is_open else (FORBIDDEN,)
        for why, account in (("of another account", None), ("of none", "0" * 32), ("of no id", "x")):
            cells.check(f"{cell} {why}", of_head(method, expected),
                        call_api(world, method, pattern, row, world.stranger, account))
        if row.of:
            cells.check(f"{cell} by the other's path", of_head(method, missing[row.of]),
                        call_api(world, method, pattern, row, world.stranger, world.second))
    cells.done()


# ---- S3


class Wire:
    """A request as it goes out."""

    def __init__(self, method, path, query, headers, body):
        self.method, self.path, self.query, self.headers, self.body = method, path, list(query), dict(headers), body


def by_header(signer, call, payload=sigv4.UNSIGNED):
    return Wire(*call[:3], signer.headers(*call[:3], call[3], payload), call[4])


def by_hash(signer, call):
    return by_header(signer, call, hashlib.sha256(call[4]).hexdigest())


def by_query(signer, call):
    return Wire(*call[:2], signer.query(*call[:4]), {"host": signer.host, **call[3]}, call[4])


def by_chunks(signer, call, payload=sigv4.CHUNKS):
    method, path, query, headers, body = call
    headers = {**headers, "x-amz-decoded-content-length": str(len(body)), "content-encoding": "aws-chunked"}
    trailers = None
    if payload != sigv4.CHUNKS:
        trailers = {"x-amz-checksum-crc32": sigv4.crc32(body)}
        headers["x-amz-trailer"] = "x-amz-checksum-crc32"
    signed = signer.headers(method, path, query, headers, payload)
    if payload == sigv4.UNSIGNED_TRAILER:
        return Wire(method, path, query, signed, sigv4.unsigned_chunks(body, trailers))
    return Wire(method, path, query, signed, signer.chunks(sigv4.signature_of(signed), body, trailers))


FORMS = {
    "header": by_header, "hash": by_hash, "presigned": by_query, "chunks": by_chunks,
    "chunks, trailer": lambda signer, call: by_chunks(signer, call, sigv4.CHUNKS_TRAILER),
    "unsigned chunks": lambda signer, call: by_chunks(signer, call, sigv4.UNSIGNED_TRAILER),
}
BODY_CHANGED = {"hash": (400, "XAmzContentSHA256Mismatch"), "chunks": MISMATCH, "chunks, trailer": MISMATCH,
                "unsigned chunks": (400, "BadDigest")}  # of the other forms the body is not signed


def tampered(wire, how):
    if how == "method":
        wire.method = "PUT" if wire.method != "PUT" else "POST"
    elif how == "path":
        wire.path += "x"
    elif how == "query":
        wire.query.append(("z", "1"))
    elif how == "header":
        wire.headers["x-amz-meta-cell"] = "2"
    elif how == "unsigned header":
        wire.headers["x-amz-meta-more"] = "1"
    elif how == "signature" and "Authorization" in wire.headers:
        value = wire.headers["Authorization"]
        wire.headers["Authorization"] = value[:-1] + ("0" if value[-1] != "0" else "1")
    elif how == "signature":
        name, value = wire.query[-1]
        wire.query[-1] = name, value[:-1] + ("0" if value[-1] != "0" else "1")
    return wire


def s3_calls(world, bucket="subject"):
    """(operation, row, call): a call is what every form signs."""
    for route in (route for route in ROUTES if route["door"] == "s3"):
        row = S3[route["operation"]]
        query = ([(route["query"], world.upload if row.upload else "")] if route["query"] else []) + list(row.query)
        path = route["pattern"].replace("{bucket}", bucket).replace("{key*}", row.key)
        yield route["operation"], row, (route["method"], path, query, {"x-amz-meta-cell": "1", **dict(row.headers)}, row.body)


def send_wire(world, wire):
    status, _, body = world.send(world.s3_host, wire.method, sigv4.target(wire.path, wire.query), wire.headers, wire.body)
    if status < 300 or wire.method == "HEAD":
        return status
    return status, body.partition(b"<Code>")[2].partition(b"<")[0].decode()


def signer_of(world, made, **more):
    return Signer(made["s3_access_key_id"], made["s3_secret_access_key"], world.s3_host, **more)


def test_s3_lets_in_what_is_signed(world):
    cells = Cells("S3: signed")
    for operation, row, call in s3_calls(world):
        for form, sign in FORMS.items():
            wire = sign(signer_of(world, world.admin), call)
            for time_sent in ("once", "again"):  # within the window a request may be repeated, as in S3
                cells.check(f"{operation} {form} {time_sent}", of_head(call[0], row.outcomes), send_wire(world, wire))
            late = sign(signer_of(world, world.admin, age_s=LATE_S - 120), call)
            if form != "presigned":
                cells.check(f"{operation} {form} late within the window", of_head(call[0], row.outcomes), send_wire(world, late))
    cells.done()


def test_s3_refuses_what_is_signed_wrong(world):
    cells = Cells("S3: signed wrong")
    stranger = {**world.admin, "s3_access_key_id": "0" * 32}
    wrong = {"wrong secret": ({**world.admin, "s3_secret_access_key": "0" * 64}, MISMATCH),
             "another's secret": ({**world.admin, "s3_secret_access_key": world.stranger["s3_secret_access_key"]}, MISMATCH),
             "the token as secret": ({**world.admin, "s3_secret_access_key": world.admin["token"]}, MISMATCH),
             "unknown key": (stranger, UNKNOWN), "revoked": (world.revoked, UNKNOWN), "expired": (world.expired, (400, "ExpiredToken"))}
    for operation, row, call in s3_calls(world):
        for form, sign in FORMS.items():
            cell = f"{operation} {form}"
            for why, (made, outcome) in wrong.items():
                cells.check(f"{cell} {why}", of_head(call[0], (outcome,)), send_wire(world, sign(signer_of(world, made), call)))
            for how in ("method", "path", "query", "header", "unsigned header", "signature"):
                wire = tampered(sign(signer_of(world, world.admin), call), how)
                expected = of_head(wire.method, (DENIED if how == "unsigned header" else MISMATCH,))
                cells.check(f"{cell} {how}", expected, send_wire(world, wire))
            outcome = DENIED if form == "presigned" else (403, "RequestTimeTooSkewed")
            for why, age_s in (("replay outside the window", LATE_S), ("of the future", -LATE_S)):
                wire = sign(signer_of(world, world.admin, age_s=age_s), call)
                cells.check(f"{cell} {why}", of_head(call[0], (outcome,)), send_wire(world, wire))
            region = sign(signer_of(world, world.admin, region="eu-west-9"), call)
            word = "AuthorizationQueryParametersError" if form == "presigned" else "AuthorizationHeaderMalformed"
            cells.check(f"{cell} region", of_head(call[0], ((400, word),)), send_wire(world, region))
    cells.done()


def test_s3_compares_bodies_with_what_was_signed(world):
    cells = Cells("S3: bodies")
    for operation, row, call in s3_calls(world):
        if not row.reads_body:
            continue
        for form, sign in FORMS.items():
            wire = sign(signer_of(world, world.admin), call)
            if "chunks" in form:
                if not call[4]:
                    continue  # nothing in it to change
                wire.body = wire.body.replace(call[4], bytes([call[4][0] ^ 1]) + call[4][1:])
            elif call[4]:
                wire.body += b"\n"
            else:
                wire.body = b"<CreateBucketConfiguration/>"
            expected = (BODY_CHANGED[form],) if form in BODY_CHANGED else row.outcomes
            cells.check(f"{operation} {form}", expected, send_wire(world, wire))
    cells.done()


def test_s3_takes_one_form_at_a_time(world):
    cells = Cells("S3: forms")
    text = world.admin["token"]
    for operation, row, call in s3_calls(world):
        signer = signer_of(world, world.admin)
        both = by_query(signer, call)
        both.headers |= by_header(signer, (call[0], call[1], both.query, call[3], call[4])).headers
        version_2 = Wire(*call[:2], [*call[2], ("AWSAccessKeyId", signer.access_key), ("Signature", "x"), ("Expires", "9")],
                         call[3], call[4])
        outcomes = {"both": (both, "InvalidArgument"), "version 2": (version_2, "InvalidRequest")}
        for why, value, code in (("bearer", f"Bearer {text}", "InvalidArgument"), ("basic", "Basic eDp5", "InvalidArgument"),
                                 ("AWS", f"AWS {signer.access_key}:x", "InvalidRequest"), ("empty", "", "InvalidArgument"),
                                 ("pieces", "AWS4-HMAC-SHA256 Credential=x", "AuthorizationHeaderMalformed")):
            outcomes[why] = (Wire(*call[:3], {**call[3], "Authorization": value}, call[4]), code)
        for why, (wire, code) in outcomes.items():
            cells.check(f"{operation} {why}", of_head(call[0], ((400, code),)), send_wire(world, wire))
    cells.done()


def test_s3_shows_strangers_what_is_public(world):
    cells = Cells("S3: anonymous")
    assert world.daemon.v4("POST", "/accounts/{account}/r2/buckets", {"name": "open-to-all"}).status == 200
    world.daemon.v4("PUT", "/accounts/{account}/r2/buckets/open-to-all/objects/k", "public")
    world.daemon.v4("PUT", "/accounts/{account}/r2/buckets/open-to-all/domains/managed", {"enabled": True})
    for bucket in ("subject", "open-to-all", "no-such-bucket"):
        for operation, row, call in s3_calls(world, bucket):
            for why, headers in (("plain", {}), ("a hash", {"x-amz-content-sha256": sigv4.EMPTY_HASH}),
                                 ("unsigned chunks", {"x-amz-content-sha256": sigv4.UNSIGNED_TRAILER})):
                wire = Wire(*call[:3], {**dict(row.headers), **headers}, call[4])
                expected = row.outcomes if row.public and bucket == "open-to-all" else (DENIED,)
                cells.check(f"{operation} {bucket} {why}", of_head(call[0], expected), send_wire(world, wire))
    cells.done()


def test_s3_keeps_to_scopes(world):
    cells = Cells("S3: scopes")
    for operation, row, call in s3_calls(world):
        for scope in door_table.every_scope("subject", "another"):
            is_let_in = door_table.may([scope], row, "subject" if row.of else None)
            wire = by_header(signer_of(world, world.token(scope)), call)
            cells.check(f"{operation} {scope}", of_head(call[0], row.outcomes if is_let_in else (DENIED,)), send_wire(world, wire))
        for form, sign in FORMS.items():
            for scope in ("r2:read", "r2:write", "kv:admin", "r2:admin:another"):
                is_let_in = door_table.may([scope], row, "subject" if row.of else None)
                wire = sign(signer_of(world, world.token(scope)), call)
                cells.check(f"{operation} {form} {scope}", of_head(call[0], row.outcomes if is_let_in else (DENIED,)),
                            send_wire(world, wire))
    cells.done()


def test_s3_keeps_to_accounts(world):
    cells = Cells("S3: accounts")
    of_all = {"CreateBucket": (409, "BucketAlreadyExists"), "ListBuckets": 200}
    for operation, row, call in s3_calls(world):
        for form, sign in FORMS.items():
            wire = sign(signer_of(world, world.stranger), call)
            cells.check(f"{operation} {form}", of_head(call[0], (of_all.get(operation, DENIED),)), send_wire(world, wire))
    assert b"<Bucket>" not in world.s3("GET", "/", token=world.stranger)[2]
    cells.done()


# ---- in the end


def test_nothing_has_changed(world):
    at = f"/accounts/{{account}}/storage/kv/namespaces/{world.namespace}/values/k"
    assert world.daemon.v4("GET", at).body == b"canary"
    assert world.s3("GET", "/subject/k")[2] == b"canary"
    listed = world.s3("GET", "/subject")[2]
    assert [key.partition(b"<")[0] for key in listed.split(b"<Key>")[1:]] == [b"k", b"other"]
    assert world.s3("GET", "/subject/open", query=[("uploadId", world.upload)])[0] == 200
    assert world.daemon.v4("GET", "/accounts/{account}/r2/buckets/subject/versioning").status == 200


def test_there_are_enough_cells():
    total = sum(counted.values())
    print(f"{total} cells: " + ", ".join(f"{what} {count}" for what, count in counted.items()))
    assert total >= 3000
