"""Makes testdata/layouts/layout<N>-<date>.tar.xz: a data directory with something of everything, left behind by a kill, and
a manifest of what a daemon on it answers. For a layout that has none yet, or a form of what is kept that none has:

  LEVADA_BINARY=build/release/bin/levada LEVADA_SOURCE=$PWD build/venv/bin/python3 tests/platform/make_layout_fixture.py

It needs libchdb and libfaketime. What is there is not made again: an archive is what a levada of its day wrote. The keys in it
are of this directory alone and open nothing else.
"""


import json
import lzma
import re
import shutil
import sys
import tarfile
import time
import urllib.parse

from conftest import Daemon, scratch_root, wait_until
from layouts import FOLDER, Unpacked, clock_moved, differences
from s3_client import PART, S3
from test_analytics import LIBRARY, Analytics
from test_damage import KEY, SEALED
from test_kv import form
from test_queues import Queue, base64_of
from test_d1 import Database

LEFT_OUT = {"LOCK", "admin.sock", "reserve"}  # what each start makes
KV, BUCKETS, QUEUES, D1, ANALYTICS = (f"/accounts/{{account}}/{path}" for path in (
    "storage/kv/namespaces", "r2/buckets", "queues", "d1/database", "analytics_engine"))


def text_of(size, word="levada "):
    """It packs well."""
    return (word * (size // len(word) + 1))[:size].encode()


class Side:
    """One account: what is made of it, and the questions about that."""

    def __init__(self, name, daemon, token):
        self.name, self.daemon, self.token, self.account = name, daemon, token, token["account_id"]
        self.questions, self.steps = [], []

    def v4(self, method, path, body=None, **more):
        more.setdefault("token", self.token["token"])
        return self.daemon.v4(method, path.replace("{account}", self.account), body, **more)

    def s3(self):
        return S3(self.daemon.ready["s3"], self.token["s3_access_key_id"], self.token["s3_secret_access_key"])

    def ask(self, path, method="GET", body=None, by=None, into=None, **more):
        packed = {} if body is None else {"body": base64_of(body if isinstance(body, str) else json.dumps(body))}
        path = path.replace("{account}", self.account)
        (self.questions if into is None else into).append(
            {"door": "api", "by": by or self.name, "method": method, "target": "/client/v4" + path, **packed, **more})

    def ask_s3(self, target, method="GET", headers=None, body=b"", into=None, **more):
        packed = {"body": base64_of(body)} if body else {}
        packed |= {"headers": headers} if headers else {}
        (self.questions if into is None else into).append(
            {"door": "s3", "by": self.name, "method": method, "target": target, **packed, **more})


# ---- the services; each is filled in two rounds with a restart between


def fill_kv(side, round):
    if round == 0:
        side.space = side.v4("POST", KV, {"title": "sessions"}).result["id"]
        side.ask(f"{KV}?per_page=20")
    at = f"{KV}/{side.space}"
    values = {f"small {round}": b"v", f"empty {round}": b"", f"large {round}": text_of(70_000), f"bytes {round}": bytes(range(256)),
              f"é/ü\u2028 {round}": "ß".encode(), f"overwritten {round}": b"1"}
    put = lambda key, body, query="", **more: side.v4("PUT", f"{at}/values/{urllib.parse.quote(key, safe='')}{query}", body, **more).result
    for key, value in values.items():
        put(key, value)
    put(f"overwritten {round}", b"2")
    put(f"deleted {round}", b"1")
    assert side.v4("DELETE", f"{at}/values/{urllib.parse.quote(f'deleted {round}')}").status == 200
    body, headers = form(value=b"with", metadata=b'{"a": [1, "\xc3\xa9"]}')
    put(f"metadata {round}", body, headers=headers)
    put(f"century {round}", b"kept", "?expiration=4102444800")
    put(f"minute {round}", b"gone", "?expiration_ttl=60")
    put("both rounds", f"{round}".encode())
    side.v4("PUT", f"{at}/bulk", [{"key": f"bulk/{round}/{i:03}", "value": str(i)} for i in range(30)]).result
    for key in [*values, f"deleted {round}", f"metadata {round}", f"century {round}", f"minute {round}", "both rounds"]:
        side.ask(f"{at}/values/{urllib.parse.quote(key, safe='')}", raw=True)
    side.ask(f"{at}/metadata/{urllib.parse.quote(f'metadata {round}')}")
    side.ask(f"{at}/keys?limit=1000")


def fill_r2(side, round):
    client = side.s3().client
    plain, versioned, public = (f"{side.name}-{kind}" for kind in ("plain", "versioned", "public"))
    if round == 0:
        for bucket in (plain, versioned, public):
            side.v4("POST", BUCKETS, {"name": bucket}).result
            for what in ("", "/versioning", "/cors", "/lifecycle", "/domains/managed"):
                side.ask(f"{BUCKETS}/{bucket}{what}")
            side.ask_s3(f"/{bucket}?list-type=2&max-keys=1000")
        side.ask(BUCKETS)
        side.v4("PUT", f"{BUCKETS}/{versioned}/versioning", {"status": "enabled"})
        side.v4("PUT", f"{BUCKETS}/{public}/domains/managed", {"enabled": True})
        side.v4("PUT", f"{BUCKETS}/{plain}/cors", {"rules": [{"id": "r", "maxAgeSeconds": 60, "exposeHeaders": ["ETag"], "allowed": {
            "origins": ["https://a.example"], "methods": ["GET"], "headers": ["x-*"]}}]})
        side.v4("PUT", f"{BUCKETS}/{plain}/lifecycle", {"rules": [{"id": "old", "enabled": True, "conditions": {"prefix": "logs/"},
                "deleteObjectsTransition": {"condition": {"type": "Age", "maxAge": 3650 * 86400}}}]})
    client.put_object(Bucket=public, Key=f"seen {round}", Body=b"by everybody")
    for bucket in (public, plain):
        side.questions.append({"door": "s3", "by": "nobody", "method": "GET", "target": f"/{bucket}/seen%20{round}"})
    objects = {"small": 10, "empty": 0, "file": 300_000, "é ü": 100, "logs/1": 10}
    for key, size in objects.items():
        client.put_object(Bucket=plain, Key=f"{key} {round}", Body=text_of(size), ContentType="text/x", CacheControl="no-store",
                          Metadata={"color": "red"})
        side.ask_s3(f"/{plain}/{urllib.parse.quote(key)}%20{round}")
    for size in (100, 20_000):
        key = {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": KEY}
        client.put_object(Bucket=plain, Key=f"sealed/{round}/{size}", Body=text_of(size), **key)
        side.ask_s3(f"/{plain}/sealed/{round}/{size}", headers=SEALED)
        side.ask_s3(f"/{plain}/sealed/{round}/{size}")
    client.put_object(Bucket=plain, Key=f"deleted {round}", Body=b"x")
    client.delete_object(Bucket=plain, Key=f"deleted {round}")
    side.ask_s3(f"/{plain}/deleted%20{round}")
    versions = [client.put_object(Bucket=versioned, Key="k", Body=text_of(size, f"{round} "))["VersionId"] for size in (10, 100_000)]
    client.delete_object(Bucket=versioned, Key="k")
    for version in versions:
        side.ask_s3(f"/{versioned}/k?versionId={version}")
    client.put_object(Bucket=versioned, Key=f"again {round}", Body=b"x")
    side.ask_s3(f"/{versioned}?versions")
    side.ask_s3(f"/{versioned}/k")
    fill_uploads(side, client, plain, round)


def fill_uploads(side, client, plain, round):
    key, bodies = f"parts {round}", [text_of(PART), b"tail"]
    upload = client.create_multipart_upload(Bucket=plain, Key=key, Metadata={"color": "blue"})["UploadId"]
    parts = [{"PartNumber": number, "ETag": client.upload_part(Bucket=plain, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]}
             for number, body in enumerate(bodies, 1)]
    client.complete_multipart_upload(Bucket=plain, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})
    side.ask_s3(f"/{plain}/parts%20{round}")
    key = f"open {round}"
    upload = client.create_multipart_upload(Bucket=plain, Key=key)["UploadId"]
    etag = client.upload_part(Bucket=plain, Key=key, UploadId=upload, PartNumber=3, Body=text_of(100_000))["ETag"]
    side.ask_s3(f"/{plain}/open%20{round}?uploadId={upload}")
    side.ask_s3(f"/{plain}?uploads")
    document = f"<CompleteMultipartUpload><Part><PartNumber>3</PartNumber><ETag>{etag}</ETag></Part></CompleteMultipartUpload>"
    side.ask_s3(f"/{plain}/open%20{round}?uploadId={upload}", "POST", body=document, into=side.steps)
    side.ask_s3(f"/{plain}/open%20{round}", into=side.steps, left_out=["Last-Modified"])


def fill_queues(side, round):
    call = lambda method, name, path, body=None: side.v4(method, f"{QUEUES}/{side.queues[name]}{path}", body).result
    if round == 0:
        side.queues = {}
        for name in ("orders-dead", "orders", "leased", "paused", "events"):
            side.queues[name] = side.v4("POST", QUEUES, {"queue_name": name}).result["queue_id"]
        call("POST", "orders", "/consumers", {"type": "http_pull", "dead_letter_queue": "orders-dead", "settings": {"max_retries": 1}})
        for name in ("events", "leased"):
            call("POST", name, "/consumers", {"type": "http_pull"})
        call("PATCH", "paused", "", {"settings": {"delivery_paused": True, "message_retention_period": 1209600}})
        rules = {"rules": [{"actions": ["PutObject"], "prefix": "in/", "description": "incoming"}]}
        side.v4("PUT", f"/accounts/{{account}}/event_notifications/r2/{side.name}-plain/configuration/queues/{side.queues['events']}", rules).result
        side.ask(f"/accounts/{{account}}/event_notifications/r2/{side.name}-plain/configuration")
        side.ask(QUEUES)
    if round == 0:
        call("POST", "orders", "/messages", {"body": "poison", "content_type": "text"})
        for _ in range(2):
            message, = call("POST", "orders", "/messages/pull", {})["messages"]
            call("POST", "orders", "/messages/ack", {"acks": [], "retries": [{"lease_id": message["lease_id"]}]})
    call("POST", "leased", "/messages", {"body": f"for long {round}", "content_type": "text"})
    leased, = call("POST", "leased", "/messages/pull", {"visibility_timeout_ms": 12 * 3600 * 1000})["messages"]
    call("POST", "leased", "/messages", {"body": f"for a minute {round}", "content_type": "text"})
    assert len(call("POST", "leased", "/messages/pull", {"visibility_timeout_ms": 60_000})["messages"]) == 1
    call("POST", "orders", "/messages/batch", {"messages": [
        {"body": f"text {round}", "content_type": "text"}, {"body": {"json": [round, None]}},
        {"body": base64_of(bytes(range(256))), "content_type": "bytes"}, {"body": text_of(100_000).decode(), "content_type": "text"}]})
    call("POST", "orders", "/messages", {"body": f"delayed {round}", "content_type": "text", "delay_seconds": 43_200})
    call("POST", "paused", "/messages", {"body": f"waits {round}", "content_type": "text"})
    side.v4("PUT", f"{BUCKETS}/{side.name}-plain/objects/in/{round}", b"heard of").result
    wait_until(lambda: call("GET", "events", "/metrics")["backlog_count"] == round + 1, "the event is a message")
    for name, id in side.queues.items():
        if round == 0:
            side.ask(f"{QUEUES}/{id}")
            side.ask(f"{QUEUES}/{id}/messages?limit=100")
    at = f"{QUEUES}/{side.queues['orders']}/messages"
    acks = {"acks": [{"lease_id": leased["lease_id"]}], "retries": []}
    side.ask(f"{QUEUES}/{side.queues['leased']}/messages/ack", "POST", acks, into=side.steps)
    if round == 1:
        for name in ("leased", "orders", "orders", "events"):
            side.ask(f"{QUEUES}/{side.queues[name]}/messages/pull", "POST", {"batch_size": 100}, into=side.steps)
        side.ask(f"{QUEUES}/{side.queues['orders-dead']}/redrive", "POST", {}, into=side.steps)
        side.ask(f"{at}?limit=100", into=side.steps)


def fill_d1(side, round):
    if round == 0:
        side.database = side.v4("POST", D1, {"name": "shop"}).result["uuid"]
        side.ask(D1)
    shop = Database(side, side.database, side.token["token"])
    at = f"{D1}/{side.database}"
    if round == 0:
        for sql in ("CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, price REAL, picture BLOB)",
                    "CREATE INDEX by_price ON t (price)", "CREATE TABLE log (what)",
                    "CREATE TRIGGER logged AFTER DELETE ON t BEGIN INSERT INTO log VALUES (old.name); END",
                    "CREATE VIEW cheap AS SELECT name FROM t WHERE price < 2"):
            shop.query(sql).result
        for sql in ("SELECT * FROM t ORDER BY id", "SELECT * FROM log", "SELECT * FROM cheap ORDER BY name", "PRAGMA integrity_check",
                    "SELECT type, name, sql FROM sqlite_schema ORDER BY name"):
            side.ask(f"{at}/query", "POST", {"sql": sql})
    for i in range(20):
        shop.query("INSERT INTO t (name, price, picture) VALUES (?, ?, x'00ff')", f"é {round} {i}", i / 4).result
    kept = shop.bookmark()
    shop.query("DELETE FROM t WHERE price > 3").result
    gone = shop.bookmark()
    shop.restore(f"?bookmark={kept}").result
    shop.query("UPDATE t SET price = price + 1 WHERE id % 2 = 0").result
    shop.query("INSERT INTO t (name, price) VALUES (?, 1e300)", text_of(20_000).decode() + str(round)).result
    for bookmark in (gone, kept):
        side.ask(f"{at}/time_travel/restore?bookmark={bookmark}", "POST", into=side.steps,
                 left_out=["/result/bookmark", "/result/previous_bookmark", "/result/message"])
        side.ask(f"{at}/query", "POST", {"sql": "SELECT * FROM t ORDER BY id"}, into=side.steps)


def fill_analytics(side, round):
    points = [{"indexes": [f"i{i % 3}"], "blobs": [f"é {round}", "", "x" * i], "doubles": [100 * round + i, -0.25]} for i in range(20)]
    side.v4("POST", f"{ANALYTICS}/write?dataset=probes", "\n".join(json.dumps(point) for point in points)).result
    if round == 0:
        rows = lambda: side.v4("POST", f"{ANALYTICS}/sql", "SELECT count() AS n FROM probes")
        wait_until(lambda: rows().status == 200 and rows().json()["data"] == [{"n": "20"}], "the engine has the points", 60)
        for sql in ("SHOW TABLES", "SELECT * FROM probes ORDER BY double1",
                    "SELECT index1, count() AS n, sum(_sample_interval * double1) AS s FROM probes GROUP BY index1 ORDER BY index1"):
            side.ask(f"{ANALYTICS}/sql", "POST", sql)


def fill_tokens(side, daemon):
    """Tokens that may do all, one thing, and nothing any more."""
    at = ["--account", side.account, "--json"]
    make = lambda *more: json.loads(daemon.command("token", "create", *at, *more).stdout)
    tokens = {f"{side.name} reader": make("--scope", "kv:read", "--expires", "never", "--name", "reader"),
              f"{side.name} revoked": make("--scope", "all:admin", "--expires", "never"),
              f"{side.name} expired": make("--scope", "all:admin", "--expires", "10m")}
    daemon.command("token", "revoke", tokens[f"{side.name} revoked"]["token_id"], *at)
    for name in [side.name, *tokens]:
        side.ask("/user/tokens/verify", by=name)
        side.ask(KV, by=name)
        side.ask(BUCKETS, by=name)
    side.ask("/accounts/{account}")
    side.ask("/accounts/{account}/audit_logs?per_page=1000")
    side.questions.append({"door": "command", "arguments": ["token", "list", *at]})
    return tokens


FILLS = (fill_kv, fill_r2, fill_queues, fill_d1)
NO_ENGINE = ["--analytics-library", "/nowhere/libchdb.so"]
CENTURY_AHEAD_S = 4102444800  # 2100-01-01


def sides_of(daemon):
    """Two accounts, each with a token that may do all and does not expire."""
    daemon.command("account", "create", "second")
    listed = json.loads(daemon.command("account", "list", "--json").stdout)["accounts"]
    for account in sorted(listed, key=lambda one: one["name"] == "second"):
        token = daemon.command("token", "create", "--account", account["account_id"], "--scope", "all:admin", "--expires", "never", "--json")
        yield Side("second" if account["name"] == "second" else "first", daemon, json.loads(token.stdout))


def make(root):
    """A directory with everything of two accounts, and who may ask what about it."""
    daemon = Daemon(root, "--analytics-library", str(LIBRARY)).start()
    try:
        sides = list(sides_of(daemon))
        daemon.stop()
        daemon.environment = clock_moved(CENTURY_AHEAD_S - time.time())
        for round in (0, 1):  # the second ones stay in their log
            daemon.start()
            for side in sides:
                fill_analytics(side, round)
            daemon.kill() if round else daemon.stop()
            daemon.options = NO_ENGINE
        daemon.environment, made_at = None, int(time.time())
        for round in (0, 1):
            daemon.start()
            for side in sides:
                for fill in FILLS:
                    fill(side, round)
            if round == 0:
                daemon.stop()
        keys = {side.name: side.token for side in sides}
        for side in sides:
            keys |= fill_tokens(side, daemon)
        sides[0].questions.append({"door": "command", "arguments": ["account", "list", "--json"]})
    finally:
        daemon.remove()
    return made_at, keys, sides


def pack(root, manifest, into):
    def kept(member):
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        return None if member.name.rsplit("/")[-1] in LEFT_OUT else member
    (root / "manifest.json").write_text(written(manifest))
    with tarfile.open(into, "w:xz", preset=9 | lzma.PRESET_EXTREME) as packed:
        packed.add(root / "manifest.json", "manifest.json", filter=kept)
        packed.add(root / "data", "data", filter=kept)


def answered(archive):
    """The answers, by a daemon on a copy."""
    root = scratch_root()
    copy = Unpacked(root, archive)
    try:
        checked = copy.fsck()
        assert checked["clean"], checked
        copy.start()
        copy.await_points()
        return checked["checked"], *([copy.ask(question) for question in copy.manifest[part]] for part in ("questions", "steps"))
    finally:
        copy.daemon.remove()
        shutil.rmtree(root, ignore_errors=True)


def main():
    root = scratch_root()
    made_at, keys, sides = make(root)
    layout = int(re.search(r"layout=(\d+)", (root / "data/VERSION").read_text())[1])
    name = f"layout{layout}-{time.strftime('%Y-%m-%d', time.gmtime(made_at))}.tar.xz"
    if (FOLDER / name).exists():
        sys.exit(f"{name} is there: an archive is not made again")
    manifest = {"layout": layout, "made_at": made_at, "keys": keys,
                "questions": unique([q for side in sides for q in side.questions]), "steps": [s for side in sides for s in side.steps]}
    pack(root, manifest, root / name)
    manifest["checked"], *first = answered(root / name)
    _, *again = answered(root / name)
    wrong = []
    for part, answers, others in zip(("questions", "steps"), first, again):
        for question, answer, other in zip(manifest[part], answers, others):
            wrong += [f"{question}: {line}" for line in differences(answer, other)]
            question["answer"] = answer
    if wrong:
        sys.exit("two answers to one question:\n" + "\n".join(wrong))
    FOLDER.mkdir(parents=True, exist_ok=True)
    pack(root, manifest, FOLDER / name)
    shutil.rmtree(root)
    print(f"{name}: {(FOLDER / name).stat().st_size} bytes, {len(manifest['questions'])} questions, {len(manifest['steps'])} steps")


def unique(questions):
    return list({json.dumps(question, sort_keys=True): question for question in questions}.values())


def written(manifest):
    """JSON with a question on each line."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in manifest.items() if name not in ("questions", "steps")]
    parts += [f"{json.dumps(name)}: [\n" + ",\n".join(json.dumps(each, ensure_ascii=False) for each in manifest[name]) + "\n]"
              for name in ("questions", "steps")]
    return "{" + ",\n".join(parts) + "}\n"


if __name__ == "__main__":
    main()
