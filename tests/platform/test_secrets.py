"""Where secrets are found: nowhere but where they are shown once. Every kind of request with secrets in it, everything logged that can
be, and then all that the daemon said and stored is searched, for each secret as it is, in base64, in hex and as in a URL.

Shown on purpose: a token and its S3 secret when they are made, to whoever made them; the master key in its file.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import secrets
import subprocess
import urllib.parse

import pytest

import door_table
import sigv4
from conftest import BINARY, daemon_of
from raw_http import exchange, lines
from two_accounts import Party, send

LARGE = 200_000  # more than an object that lies in the index


def forms(secret):
    """Each way in which somebody might have written these bytes."""
    found = {secret, secret.hex().encode(), secret.hex().upper().encode(), "".join(f"%{b:02X}" for b in secret).encode(),
             urllib.parse.quote(secret, safe="").encode(), secret.decode("latin-1").encode("utf-16-le")}
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            # What stands before and behind it shifts and changes the ends, not the middle.
            text = encode(bytes(shift) + secret + bytes(-(shift + len(secret)) % 3))
            found.add(text[(shift * 4 + 2) // 3 + (1 if shift else 0):len(text) - 4])
    assert all(len(form) >= 12 for form in found)
    return found


class Canaries:
    def __init__(self):
        self.by_name = {}

    def add(self, name, secret):
        text = secret.encode() if isinstance(secret, str) else secret
        self.by_name[name] = forms(text)
        return secret

    def add_token(self, name, made):
        """Its text, the random bytes in it, and the S3 secret as text and as bytes."""
        self.add(f"{name}: token", made["token"])
        random = made["token"].removeprefix("levada_")
        self.add(f"{name}: bytes of the token", base64.urlsafe_b64decode(random + "=" * (-len(random) % 4)))
        self.add(f"{name}: S3 secret", made["s3_secret_access_key"])
        if re.fullmatch("[0-9a-f]+", made["s3_secret_access_key"]):
            self.add(f"{name}: bytes of the S3 secret", bytes.fromhex(made["s3_secret_access_key"]))
        return made

    def found_in(self, data, but=()):
        if not data.strip(b"\0"):
            return []
        return [name for name, forms in self.by_name.items() if name not in but and any(form in data for form in forms)]


class Said:
    """All that came back, apart from what shows a new secret."""

    def __init__(self, daemon, canaries):
        self.daemon, self.canaries, self.parts = daemon, canaries, []

    def keep(self, what, answer):
        self.parts.append((what, str(answer.headers).encode("utf-8", "replace") + answer.body))
        return answer

    def keep_text(self, what, text):
        self.parts.append((what, text.encode() if isinstance(text, str) else text))


def customer_headers(key, prefix="x-amz-"):
    return {f"{prefix}server-side-encryption-customer-algorithm": "AES256",
            f"{prefix}server-side-encryption-customer-key": base64.b64encode(key).decode(),
            f"{prefix}server-side-encryption-customer-key-md5": base64.b64encode(hashlib.md5(key).digest()).decode()}


def every_route(said, owner, world):
    """Each call of both doors, with a token that may, one that may not, and one that is none."""
    daemon, canaries = said.daemon, said.canaries
    weak = canaries.add_token("weak", daemon.ask_admin({"do": "token.create", "account": owner.account, "scopes": ["d1:read"]}))
    none = canaries.add("a token that is none", "levada_" + secrets.token_urlsafe(32))
    listed = json.loads(subprocess.run([BINARY, "schema", "--routes"], check=True, capture_output=True).stdout)["routes"]
    for route in listed:
        name = door_table.named(route)
        row = (door_table.S3 if route["door"] == "s3" else door_table.API)[name]
        path = route["pattern"].replace("{account}", owner.account).replace("{namespace}", "0" * 32 if row.is_fatal else world["namespace"])
        path = path.replace("{database}", "none" if row.is_fatal else world["database"]).replace("{file}", "none.sql")
        path = path.replace("{bucket}", "subject").replace("{key*}", row.key)
        if route["door"] == "api":
            for token in (owner.token, weak["token"], none):
                said.keep(name, daemon.request(route["method"], path, row.body or None, token=token))
            continue
        query = ([(route["query"], world["upload"] if row.upload else "")] if route["query"] else []) + list(row.query)
        for made in (owner.made, weak, {**owner.made, "s3_secret_access_key": none}):
            said.keep(name, Party(daemon, {**owner.made, **made}).s3(route["method"], path, row.body, query=query, headers=dict(row.headers)))


def customer_keys(said, owner):
    """Objects with keys of the client's, and those keys where they do not fit."""
    key, other = said.canaries.add("customer's key", secrets.token_bytes(32)), said.canaries.add("another key", secrets.token_bytes(32))
    small = said.canaries.add("what is small and encrypted", secrets.token_bytes(40))
    large = said.canaries.add("what is large and encrypted", secrets.token_bytes(64))
    part = said.canaries.add("a part that is encrypted", secrets.token_bytes(64))
    headers, wrong = customer_headers(key), customer_headers(other)
    owner.put("/subject/small", small, headers=headers)
    owner.put("/subject/large", large + bytes(LARGE), headers=headers)
    assert owner.s3("GET", "/subject/small", headers=headers).body == small
    for path in ("/subject/small", "/subject/large", "/subject/none", "/no-such-bucket/k"):
        for sent in (headers, wrong, {**headers, "x-amz-server-side-encryption-customer-key-md5": "x"},
                     {**headers, "x-amz-server-side-encryption-customer-algorithm": "x"}):
            if sent is not headers or not path.startswith("/subject/"):
                said.keep(path, owner.s3("GET", path, headers=sent))
            said.keep(path, owner.s3("HEAD", path, headers=sent))
            said.keep(path, Party(owner.daemon, {**owner.made, "s3_secret_access_key": "0" * 64}).s3("GET", path, headers=sent))
            said.keep(path, send(owner.address, "GET", path, headers=sent))  # not signed
    copy = {"x-amz-copy-source": "/subject/large", **customer_headers(key, "x-amz-copy-source-"), **wrong}
    said.keep("copy", owner.s3("PUT", "/subject/copied", headers=copy))
    upload = owner.s3("POST", "/subject/parts", query=[("uploads", "")], headers=headers).between("UploadId")
    query = [("uploadId", upload), ("partNumber", "1")]
    etag = said.keep("part", owner.s3("PUT", "/subject/parts", part + bytes(LARGE), query=query, headers=headers)).headers["ETag"]
    said.keep("part", owner.s3("PUT", "/subject/parts", b"x", query=query, headers=wrong))
    whole = f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>".encode()
    said.keep("complete", owner.s3("POST", "/subject/parts", whole, query=query[:1]))


def misplaced(said, owner):
    """Secrets where they do not belong: other headers, other doors, requests that are none."""
    daemon, token, secret = said.daemon, owner.token, owner.made["s3_secret_access_key"]
    # Names in a query are logged if they are short enough for one; none of our secrets is.
    password = said.canaries.add("password", secrets.token_hex(20))
    basic = base64.b64encode(f"user:{password}".encode()).decode()
    for address in (daemon.api.netloc, owner.address):
        for headers in ({"Authorization": f"Basic {basic}"}, {"Authorization": token}, {"Authorization": f"bearer  {token}"}, {"Cookie": f"t={token}"},
                        {"X-Auth-Key": password}, {"Authorization": f"AWS {owner.made['s3_access_key_id']}:{secret}"}, {token: "1"},
                        {"X-Levada-Binding": password}, {"Authorization": f"Bearer {token}", "Expect": "x"}, {"x-amz-security-token": secret},
                        {"Authorization": f"AWS4-HMAC-SHA256 Credential={secret}/x, SignedHeaders={secret}, Signature={secret}"}):
            for target in ("/", "/client/v4/user", f"/x?access_token={token}&{password}", f"/client/v4/user?a=1&token={token}"):
                said.keep_text(target.partition("?")[0], b"" if "Signature" in str(headers) else
                               exchange(address, lines("GET", target, {"Host": "h", "Connection": "close", **headers})).received)
        for broken in (f"GET /x HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {token}\r\n folded\r\n\r\n", f"GET {token} HTTP/1.1\r\n\r\n",
                       f"GET / HTTP/1.1\r\nHost: {token}/x\r\n\r\n", f"\x16\x03{token}\r\n\r\n",
                       f"GET /x HTTP/1.1\r\nHost: h\r\nX: {token * 4000}\r\n\r\n", f"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: {password}\r\n\r\n",
                       f"PUT /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;{password}\r\n{token}"):
            said.keep_text("malformed", exchange(address, broken.encode("latin-1")).received)
    url = sigv4.target("/subject/k", owner.signer().query("GET", "/subject/k"))
    said.canaries.add("signature of a URL", url[-64:])  # whoever has the URL may do what it says
    said.keep("presigned", send(owner.address, "GET", url))


def administration(said, owner):
    daemon, canaries = said.daemon, said.canaries
    made = canaries.add_token("rotated", daemon.ask_admin({"do": "token.create", "account": owner.account, "scopes": ["kv:read"], "name": "r"}))
    canaries.add_token("successor", json.loads(daemon.command("token", "rotate", made["token_id"], "--account", owner.account, "--json").stdout))
    said.keep_text("revoke", daemon.command("token", "revoke", made["token_id"], "--account", owner.account).stdout)
    for request in ({"do": "token.list", "account": owner.account}, {"do": "account.list"}, {"do": "audit.list", "count": 1000}):
        said.keep_text(request["do"], json.dumps(daemon.ask_admin(request)))
    for arguments in (("token", "list", "--account", owner.account), ("account", "list"), ("token", "revoke", owner.token, "--account", owner.account)):
        ran = subprocess.run([BINARY, *arguments, "--data", str(daemon.data)], capture_output=True, text=True, timeout=60)
        if arguments[1] != "revoke":  # it repeats what was typed, to whoever typed it
            said.keep_text(" ".join(arguments[:2]), ran.stdout + ran.stderr)


@pytest.fixture(scope="module")
def said():
    with daemon_of("--log-requests", "all", "--log-level", "trace") as daemon:
        yield everything_said(daemon.start())


def everything_said(daemon):
    canaries = Canaries()
    canaries.add_token("first", daemon.ready)
    canaries.add("master key", bytes.fromhex((daemon.data / "master.key").read_text().split()[-1]))
    owner = Party(daemon, canaries.add_token("owner", daemon.ask_admin({"do": "token.create", "account": daemon.account, "scopes": ["all:admin"]})))
    said = Said(daemon, canaries)
    world = {"namespace": owner.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "subject"}).result["id"]}
    world["database"] = owner.v4("POST", "/accounts/{account}/d1/database", {"name": "subject"}).result["uuid"]
    owner.put("/subject")
    owner.put("/subject/k", b"v")
    world["upload"] = owner.s3("POST", "/subject/open", query=[("uploads", "")]).between("UploadId")
    every_route(said, owner, world)
    customer_keys(said, owner)
    misplaced(said, owner)
    administration(said, owner)
    said.keep("metrics", daemon.request("GET", "/metrics", token=owner.token))
    said.keep_text("command line", pathlib.Path(f"/proc/{daemon.process.pid}/cmdline").read_bytes())
    return said


def stored(said):
    return [(str(path.relative_to(said.daemon.data)), path.read_bytes()) for path in sorted(said.daemon.data.rglob("*")) if path.is_file()]


def test_what_is_searched_would_be_found():
    canaries = Canaries()
    secret = canaries.add("secret", secrets.token_bytes(32))
    for written in (secret, base64.b64encode(secret), base64.b64encode(b"x" + secret), base64.b64encode(b"xy" + secret + b"z"),
                    base64.urlsafe_b64encode(b"abcd" + secret + b"more"), secret.hex().encode(), urllib.parse.quote(secret, safe="").encode()):
        assert canaries.found_in(b"before " + written + b" behind") == ["secret"], written
    assert canaries.found_in(secrets.token_bytes(100_000)) == []


def test_no_answer_has_a_secret(said):
    but = ("signature of a URL",)
    assert len(said.parts) > 300
    assert [(what, found) for what, data in said.parts if (found := said.canaries.found_in(data, but))] == []


def test_no_log_has_a_secret(said):
    log = (said.daemon.root / "log").read_bytes()
    assert log.count(b"\n") > 300 and b'"path":"/subject/small"' in log
    assert said.canaries.found_in(log) == []


def test_nothing_is_printed_after_the_first_line(said):
    os.set_blocking(said.daemon.process.stdout.fileno(), False)
    assert not said.daemon.process.stdout.read()


def test_no_file_has_a_secret(said):
    seen = stored(said)
    assert len(seen) > 10
    assert [(name, found) for name, data in seen if (found := said.canaries.found_in(data, ("master key",) if name == "master.key" else ()))] == []


def test_no_file_has_a_secret_when_all_is_written(said):
    """Stopped, started, stopped: what was in memory is in the tables of the stores."""
    assert said.daemon.stop() == 0
    more = said.daemon.start().process
    assert said.daemon.stop() == 0 and more.returncode == 0
    assert "token" not in said.daemon.ready  # shown at the first start alone
    test_no_file_has_a_secret(said)
    test_no_log_has_a_secret(said)
