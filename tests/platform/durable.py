"""What clients of the campaigns of durability write, what they were told, and what a daemon may show of it afterwards.

A value names its key and its number and carries a digest of itself, so that whoever reads one knows whether it is whole and
which write it is of. A history has for each write when it was sent and when it was acknowledged, both as positions on a
clock that the campaign gives: `may_hold(crash)` is then what the store may have when everything behind that position is
lost. Everything here is of one thread, but for a Race.
"""

import base64
import hashlib
import http.client
import json
import random
import re
import socket
import time
import urllib.parse

from points_log import points_in
from s3_client import PART

HEAD = re.compile(rb"(.{1,200})\|(\d+)\|(\d+)\|([0-9a-f]{64})\n", re.S)


class Between:
    """A moment that is not known: behind `begin`, and before `end`. Goes wherever a crash does."""

    def __init__(self, begin, end):
        self.begin, self.end = begin, end


def told_by(crash):
    """What a client was told up to here is true of that moment."""
    return crash.begin if isinstance(crash, Between) else crash


def sent_by(crash):
    """What was sent up to here may be."""
    return crash.end if isinstance(crash, Between) else crash


class Lost(AssertionError):
    """What was acknowledged is not there, or something is that nobody wrote."""


def make_value(key, number, size):
    body = random.Random(f"{key} {number}").randbytes(size)
    head = f"{key}|{number}|{size}|".encode()
    return head + hashlib.sha256(head + body).hexdigest().encode() + b"\n" + body


def number_of(key, value):
    """Which write of `key` this is."""
    head = HEAD.match(value)
    if not head:
        raise Lost(f"{key}: torn, {len(value)} bytes that begin {value[:80]!r}")
    named, number, size, digest = head.groups()
    body = value[head.end():]
    if named.decode() != key:
        raise Lost(f"{key}: holds a value of {named!r}")
    whole = hashlib.sha256(value[:head.start(4)] + body).hexdigest().encode()
    if int(size) != len(body) or digest != whole:
        raise Lost(f"{key}: write {int(number)} is torn: {len(body)} bytes of {int(size)}")
    return int(number)


def some_size(chance):
    """Of a value: in its record, about the borders of inline ones, in a file of several blocks."""
    return chance.choice([0, 10, 1000, 4000, 5000, 60_000, 65_400, 65_536, 70_000, 260_000, 262_144, 600_000])


class Link:
    """How to reach the daemon as it runs now."""

    def __init__(self, daemon, s3, namespace, clock):
        self.daemon, self.s3, self.namespace, self.clock = daemon, s3, namespace, clock

    def kv(self, method, key, body=None):
        return self.daemon.v4(method, "/accounts/{account}/storage/kv/namespaces/" + self.namespace + "/values/" +
                              urllib.parse.quote(key, safe=""), body)

    def object(self, method, bucket, key, query="", body=b"", headers=None):
        return self.s3.request(method, f"/{bucket}/{key}{query}", body, headers)

    def admin(self, **asked):
        """What `levada token` and others ask of a running daemon."""
        connection = UnixConnection(str(self.daemon.data / "admin.sock"))
        try:
            connection.request("POST", "/", body=json.dumps(asked))
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Write:
    def __init__(self, begun, number):
        self.begun, self.number, self.acknowledged = begun, number, None
        self.version = None  # of a bucket with versions
        self.removes = None  # a version

    def was_acknowledged(self, crash):
        return self.acknowledged is not None and self.acknowledged <= told_by(crash)

    def may_stand(self, crash):
        return self.begun <= sent_by(crash)


class History:
    """Of a key that one client writes, one write after the other. Number None is a deletion."""

    def __init__(self):
        self.writes = []
        self.count = 0
        self.touched = False

    def begin(self, clock, delete=False):
        self.count += 1
        self.touched = True
        self.writes.append(Write(clock(), None if delete else self.count))
        return self.writes[-1]

    def may_hold(self, crash):
        held = {None}
        for write in self.writes:
            if write.was_acknowledged(crash):
                held = {write.number}
            elif write.may_stand(crash):
                held.add(write.number)
        return held

    def settle(self, number, now):
        """This is what it held after a crash, and the base of what follows."""
        base = Write(now, number)
        base.acknowledged = now
        self.writes, self.touched = [base], False


class Subject:
    """Some keys of one service. `act` makes one random write of them; `check` reads them back after `crash`."""

    def act(self, link):
        raise NotImplementedError

    def check(self, link, crash, touched_only=False):
        raise NotImplementedError

    def settle(self, now):
        """What `check` found is true from now on."""


def expect(answer, *statuses):
    if answer.status not in statuses:
        raise AssertionError(f"expected {statuses}, got {answer}")
    return answer


class Values(Subject):
    """Keys with one value each, put and deleted."""

    def __init__(self, prefix, count, chance):
        self.chance = chance
        self.keys = {f"{prefix}/{i}": History() for i in range(count)}
        self.found = {}

    def put(self, link, key, value):
        raise NotImplementedError

    def delete(self, link, key):
        raise NotImplementedError

    def get(self, link, key):
        raise NotImplementedError

    def act(self, link):
        key = self.chance.choice(list(self.keys))
        delete = self.chance.random() < 0.15
        write = self.keys[key].begin(link.clock, delete)
        if delete:
            self.delete(link, key)
        else:
            self.put(link, key, make_value(key, write.number, some_size(self.chance)))
        write.acknowledged = link.clock()

    def check(self, link, crash, touched_only=False):
        self.found = {}
        for key, history in self.keys.items():
            if touched_only and not history.touched:
                continue
            got = self.get(link, key)
            self.found[key] = None if got is None else number_of(key, got)
            may_be = history.may_hold(crash)
            if self.found[key] not in may_be:
                raise Lost(f"{key}: holds write {self.found[key]}, expected one of {may_be}")

    def settle(self, now):
        for key, number in self.found.items():
            self.keys[key].settle(number, now)


class KvValues(Values):
    def put(self, link, key, value):
        expect(link.kv("PUT", key, value), 200)

    def delete(self, link, key):
        expect(link.kv("DELETE", key), 200)

    def get(self, link, key):
        answer = expect(link.kv("GET", key), 200, 404)
        return answer.body if answer.status == 200 else None


class Rows(Values):
    """Rows of a database of its own."""

    def __init__(self, prefix, count, chance):
        super().__init__(prefix, count, chance)
        self.name, self.database = prefix, None

    def create(self, link):
        made = expect(link.daemon.v4("POST", "/accounts/{account}/d1/database", {"name": self.name}), 200)
        self.database = made.result["uuid"]
        self.query(link, "CREATE TABLE t (k TEXT PRIMARY KEY, v TEXT)")

    def query(self, link, sql, *params):
        path = f"/accounts/{{account}}/d1/database/{self.database}/query"
        return expect(link.daemon.v4("POST", path, {"sql": sql, "params": params}), 200).result[-1]["results"]

    def put(self, link, key, value):
        text = base64.b64encode(value).decode()
        self.query(link, "INSERT INTO t VALUES (?1, ?2) ON CONFLICT DO UPDATE SET v = ?2", key, text)

    def delete(self, link, key):
        self.query(link, "DELETE FROM t WHERE k = ?1", key)

    def get(self, link, key):
        rows = self.query(link, "SELECT v FROM t WHERE k = ?1", key)
        return base64.b64decode(rows[0]["v"]) if rows else None


class ObjectValues(Values):
    def __init__(self, bucket, prefix, count, chance, headers=None):
        super().__init__(prefix, count, chance)
        self.bucket, self.headers = bucket, headers

    def put(self, link, key, value):
        expect(link.object("PUT", self.bucket, key, "", value, self.headers), 200)

    def delete(self, link, key):
        expect(link.object("DELETE", self.bucket, key), 204)

    def get(self, link, key):
        answer = expect(link.object("GET", self.bucket, key, "", b"", self.headers), 200, 404)
        return answer.body if answer.status == 200 else None


class Versions(Subject):
    """Keys of a bucket with versions: each put is one, a deletion is a marker, and versions are removed one by one."""

    KEPT = 5

    def __init__(self, bucket, prefix, count, chance):
        self.bucket, self.prefix, self.chance = bucket, prefix, chance
        self.keys = {f"{prefix}/{i}": History() for i in range(count)}
        self.found = None

    def removable(self, history):
        removed = {write.removes for write in history.writes}
        return [w.version for w in history.writes if w.version and w.acknowledged is not None and w.version not in removed]

    def act(self, link):
        key = self.chance.choice(list(self.keys))
        history = self.keys[key]
        there, roll = self.removable(history), self.chance.random()
        if len(there) > self.KEPT or (there and roll < 0.15):
            write = history.begin(link.clock, delete=True)
            write.removes = self.chance.choice(there)
            expect(link.object("DELETE", self.bucket, key, f"?versionId={write.removes}"), 204)
        elif roll < 0.3:
            write = history.begin(link.clock, delete=True)
            answer = expect(link.object("DELETE", self.bucket, key), 204)
            write.version = answer.headers["x-amz-version-id"]
        else:
            write = history.begin(link.clock)
            value = make_value(key, write.number, some_size(self.chance))
            write.version = expect(link.object("PUT", self.bucket, key, "", value), 200).headers["x-amz-version-id"]
        write.acknowledged = link.clock()

    def check(self, link, crash, touched_only=False):
        listed = {key: [] for key in self.keys}
        document = expect(link.object("GET", self.bucket, "", f"?versions&prefix={self.prefix}%2F"), 200).body.decode()
        assert "<IsTruncated>false" in document
        for kind, entry in re.findall(r"<(Version|DeleteMarker)>(.*?)</\1>", document, re.S):
            key, version = (re.search(f"<{name}>(.*?)</{name}>", entry)[1] for name in ("Key", "VersionId"))
            listed[key].append((version, kind == "DeleteMarker"))
        self.found = {}
        for key, history in self.keys.items():
            if touched_only and not history.touched:
                continue
            self.found[key] = []
            for version, is_marker in listed[key]:
                number = None
                if not is_marker:
                    answer = expect(link.object("GET", self.bucket, key, f"?versionId={version}"), 200)
                    number = number_of(key, answer.body)
                self.found[key].append((version, number))
            self.check_key(key, history, self.found[key], crash)

    @staticmethod
    def check_key(key, history, found, crash):
        writes = [write for write in history.writes if write.may_stand(crash)]
        known = {w.version: w for w in writes if w.version and w.was_acknowledged(crash)}
        touched = {w.removes for w in writes if w.removes}
        removed = {w.removes for w in writes if w.removes and w.was_acknowledged(crash)}
        open_writes = [w for w in writes if not w.was_acknowledged(crash) and not w.removes]
        there = {version for version, _ in found}
        if missing := set(known) - touched - there:
            raise Lost(f"{key}: versions {missing} are lost")
        if risen := removed & there:
            raise Lost(f"{key}: versions {risen} were removed and are back")
        for version, number in found:
            if version in known:
                if known[version].number != number:
                    raise Lost(f"{key}: version {version} is write {number}, expected {known[version].number}")
                continue
            explained = next((w for w in open_writes if w.number == number), None)
            if explained is None:
                raise Lost(f"{key}: version {version} of write {number} is nobody's")
            open_writes.remove(explained)
        order = [version for version, _ in reversed(found) if version in known]
        if order != [version for version in known if version in there]:
            raise Lost(f"{key}: versions are in another order than they were written in")

    def settle(self, now):
        for key, found in (self.found or {}).items():
            history = self.keys[key]
            history.writes, history.touched = [], False
            for version, number in reversed(found):
                write = Write(now, number)
                write.version, write.acknowledged = version, now
                history.writes.append(write)


class Upload:
    """A multipart upload of one value."""

    def __init__(self, begun, number, value, part_bytes):
        self.begun, self.number = begun, number
        self.pieces = [value[i:i + part_bytes] for i in range(0, len(value), part_bytes)]
        self.id = self.created = None
        self.parts = {}  # number: (position of its acknowledgement, ETag)
        self.end = None  # the Write that completes it

    def document(self):
        parts = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{etag}</ETag></Part>"
                        for n, (_, etag) in sorted(self.parts.items()))
        return f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()


class Uploads(Subject):
    """A key whose values come by multipart uploads: an `act` is one step of one."""

    def __init__(self, bucket, key, chance, large=0.1):
        self.bucket, self.key, self.chance, self.large = bucket, key, chance, large
        self.history = History()
        self.uploads = []
        self.found = None

    def act(self, link):
        self.history.touched = True
        upload = self.uploads[-1] if self.uploads else None
        if upload is None or upload.id is None or (upload.end and upload.end.acknowledged is not None):
            return self.create(link)
        missing = [n for n in range(1, len(upload.pieces) + 1) if n not in upload.parts]
        if missing:
            number = self.chance.choice(missing)
            query = f"?partNumber={number}&uploadId={upload.id}"
            answer = expect(link.object("PUT", self.bucket, self.key, query, upload.pieces[number - 1]), 200)
            upload.parts[number] = (link.clock(), answer.headers["ETag"])
            return None
        if upload.end is None:
            upload.end = self.history.begin(link.clock)
            upload.end.number = upload.number
        expect(link.object("POST", self.bucket, self.key, f"?uploadId={upload.id}", upload.document()), 200)
        upload.end.acknowledged = link.clock()
        return None

    def create(self, link):
        self.history.count += 1
        number = self.history.count
        size = PART + 100_000 if self.chance.random() < self.large else self.chance.choice([100, 70_000, 300_000])
        upload = Upload(link.clock(), number, make_value(self.key, number, size), PART)
        self.uploads.append(upload)
        answer = expect(link.object("POST", self.bucket, self.key, "?uploads"), 200)
        upload.id = re.search(rb"<UploadId>(.*?)</UploadId>", answer.body)[1].decode()
        upload.created = link.clock()

    def check(self, link, crash, touched_only=False):
        if touched_only and not self.history.touched:
            return
        answer = expect(link.object("GET", self.bucket, self.key), 200, 404)
        self.found = number_of(self.key, answer.body) if answer.status == 200 else None
        may_be = self.history.may_hold(crash)
        if self.found not in may_be:
            raise Lost(f"{self.key}: holds upload {self.found}, expected one of {may_be}")
        for upload in self.uploads:
            if upload.created is not None and upload.created <= told_by(crash):
                self.check_upload(link, upload, crash)

    def check_upload(self, link, upload, crash):
        answer = expect(link.object("GET", self.bucket, self.key, f"?uploadId={upload.id}"), 200, 404)
        is_there = answer.status == 200
        ended = upload.end is not None and upload.end.may_stand(crash)
        # One client, one upload after the other: what a later one made stands behind the end of this one.
        is_passed = self.found is not None and self.found >= upload.number
        if ended and (upload.end.was_acknowledged(crash) or is_passed):
            if is_there:
                raise Lost(f"{self.key}: upload {upload.number} is complete and still open")
            return
        if not is_there:
            raise Lost(f"{self.key}: upload {upload.number} is lost")
        pattern = r"<Part>.*?<PartNumber>(\d+)</PartNumber>.*?<ETag>(.*?)</ETag>.*?</Part>"
        stored = {int(n): etag.replace("&quot;", '"') for n, etag in re.findall(pattern, answer.body.decode(), re.S)}
        for number, (acknowledged, etag) in upload.parts.items():
            if acknowledged <= told_by(crash) and stored.get(number) != etag:
                raise Lost(f"{self.key}: part {number} of upload {upload.number} is {stored.get(number)}, expected {etag}")

    def settle(self, now):
        if not self.history.touched:
            return
        self.history.settle(self.found, now)
        last = self.uploads[-1] if self.uploads else None
        if last is not None and last.end is not None and last.end.acknowledged is None:
            last.end = self.history.writes[0] if self.found == last.number else None
        done = last is None or last.id is None or (last.end is not None and last.end.acknowledged is not None)
        self.uploads = [] if done else [last]


class Race(Subject):
    """Several clients create one key with If-None-Match: only one of them may. Shared by their threads."""

    RUNNERS = 4

    def __init__(self, bucket, prefix, chance):
        self.bucket, self.prefix, self.chance = bucket, prefix, chance
        self.keys = {}  # key: list of Write; a Write that lost has `refused`, a position
        self.found = {}

    def act(self, link):
        # One list append decides: no lock is needed, and a few more runners than RUNNERS do no harm.
        number = len(self.keys)
        key = f"{self.prefix}/{number}"
        writes = self.keys.get(f"{self.prefix}/{number - 1}") if number else None
        if writes is not None and len(writes) < self.RUNNERS:
            key = f"{self.prefix}/{number - 1}"
        writes = self.keys.setdefault(key, [])
        write = Write(link.clock(), random.randrange(1, 1 << 40))
        write.refused = None
        writes.append(write)
        value = make_value(key, write.number, some_size(self.chance))
        answer = expect(link.object("PUT", self.bucket, key, "", value, {"If-None-Match": "*"}), 200, 409, 412)
        if answer.status == 200:
            write.acknowledged = link.clock()
        elif answer.status == 412:
            write.refused = link.clock()

    def check(self, link, crash, touched_only=False):
        self.found = {}
        for key, writes in self.keys.items():
            answer = expect(link.object("GET", self.bucket, key), 200, 404)
            found = self.found[key] = number_of(key, answer.body) if answer.status == 200 else None
            won = [write for write in writes if write.was_acknowledged(crash)]
            if len(won) > 1:
                raise Lost(f"{key}: {len(won)} clients were told that they created it")
            may_be = {w.number for w in writes if w.may_stand(crash) and (w.refused is None or w.refused > told_by(crash))}
            if won:
                may_be = {won[0].number}
            elif not any(w.refused is not None and w.refused <= told_by(crash) for w in writes):
                may_be.add(None)  # a client that was refused knows that it is there
            if found not in may_be:
                raise Lost(f"{key}: holds write {found}, expected one of {may_be}")

    def settle(self, now):
        self.keys = {}
        self.prefix += "'"


class Messages(Subject):
    """A queue of its own, which one client sends to, pulls from and acknowledges. A message is there from its send until its
    ack, once, whatever happened to its leases."""

    def __init__(self, name, chance):
        self.name, self.chance = name, chance
        self.queue, self.sent, self.acks, self.found = None, {}, {}, set()
        self.count, self.touched = 0, False

    def create(self, link):
        made = expect(link.daemon.v4("POST", "/accounts/{account}/queues", {"queue_name": self.name}), 200)
        self.queue = made.result["queue_id"]
        expect(self.call(link, "POST", "/consumers", {"type": "http_pull", "settings": {"max_retries": 100, "visibility_timeout_ms": 1000}}), 200)

    def call(self, link, method, path, body=None):
        return link.daemon.v4(method, f"/accounts/{{account}}/queues/{self.queue}{path}", body)

    def act(self, link):
        self.touched = True
        if self.chance.random() < 0.5:
            self.send(link)
        else:
            self.take(link)

    def send(self, link):
        count = self.chance.choice([1, 1, 3])
        numbers = range(self.count + 1, self.count + 1 + count)
        self.count += count
        sizes = [self.chance.choice([0, 10, 1000, 5000, 17_000, 60_000]) for _ in numbers]
        bodies = [base64.b64encode(make_value(self.name, number, size)).decode() for number, size in zip(numbers, sizes)]
        messages = [{"body": body, "content_type": "bytes"} for body in bodies]
        begun = link.clock()
        for number in numbers:
            self.sent[number] = Write(begun, number)
        if count == 1:
            expect(self.call(link, "POST", "/messages", messages[0]), 200)
        else:
            expect(self.call(link, "POST", "/messages/batch", {"messages": messages}), 200)
        acknowledged = link.clock()
        for number in numbers:
            self.sent[number].acknowledged = acknowledged

    def take(self, link):
        pulled = expect(self.call(link, "POST", "/messages/pull", {"batch_size": 4}), 200).result["messages"]
        acked = [message for message in pulled if self.chance.random() < 0.7]
        again = [message for message in pulled if message not in acked]
        begun = link.clock()
        writes = [Write(begun, self.number_of(message)) for message in acked]
        for write in writes:
            self.acks.setdefault(write.number, []).append(write)
        answer = expect(self.call(link, "POST", "/messages/ack", {
            "acks": [{"lease_id": message["lease_id"]} for message in acked],
            "retries": [{"lease_id": message["lease_id"]} for message in again]}), 200).result
        if answer["ackCount"] != len(acked):
            raise Lost(f"{self.name}: an ack was refused, and nobody else pulls: {answer}")
        acknowledged = link.clock()
        for write in writes:
            write.acknowledged = acknowledged

    def number_of(self, message):
        return number_of(self.name, base64.b64decode(message["body"]))

    def there(self, link):
        numbers, cursor = [], ""
        while True:
            page = expect(self.call(link, "GET", f"/messages?limit=100&cursor={cursor}"), 200).json()
            numbers += [self.number_of(message) for message in page["result"]["messages"]]
            cursor = page["result_info"]["cursor"]
            if not cursor:
                return numbers

    def check(self, link, crash, touched_only=False):
        if touched_only and not self.touched:
            return
        numbers = self.there(link)
        self.found = set(numbers)
        if len(numbers) != len(self.found):
            raise Lost(f"{self.name}: a message is there twice: {sorted(numbers)}")
        for number in self.found - {number for number, write in self.sent.items() if write.may_stand(crash)}:
            raise Lost(f"{self.name}: message {number} was not sent")
        for number, write in self.sent.items():
            acks = self.acks.get(number, [])
            if number in self.found and any(ack.was_acknowledged(crash) for ack in acks):
                raise Lost(f"{self.name}: message {number} came back behind its ack")
            may_be_gone = not write.was_acknowledged(crash) or any(ack.may_stand(crash) for ack in acks)
            if number not in self.found and not may_be_gone:
                raise Lost(f"{self.name}: message {number} is lost")

    def settle(self, now):
        if not self.touched:
            return
        self.sent, self.acks, self.touched = {}, {}, False
        for number in self.found:
            self.sent[number] = Write(now, number)
            self.sent[number].acknowledged = now


class Points(Subject):
    """Points of one index of a dataset that others write to as well, each with its number and a value that names it. One is
    queryable some time behind its acknowledgement: `await_points` comes before `check`."""

    PATH = "/accounts/{account}/analytics_engine"

    def __init__(self, dataset, index, chance):
        self.dataset, self.index, self.chance = dataset, index, chance
        self.count, self.sent, self.found = 0, {}, set()
        self.last, self.settled = 0, 0  # the highest number that was checked, and how many up to it are there

    def act(self, link):
        numbers = range(self.count + 1, self.count + 1 + self.chance.choice([1, 1, 3, 40]))
        self.count = numbers[-1]
        sizes = [self.chance.choice([0, 10, 300, 9000]) for _ in numbers]
        values = [base64.b64encode(make_value(self.index, number, size)).decode() for number, size in zip(numbers, sizes)]
        lines = [json.dumps({"indexes": [self.index], "blobs": [value], "doubles": [number]}) for number, value in zip(numbers, values)]
        begun = link.clock()
        for number in numbers:
            self.sent[number] = Write(begun, number)
        expect(link.daemon.v4("POST", f"{self.PATH}/write?dataset={self.dataset}", "\n".join(lines)), 200)
        acknowledged = link.clock()
        for number in numbers:
            self.sent[number].acknowledged = acknowledged

    def query(self, link, what, condition):
        sql = f"SELECT {what} FROM {self.dataset} WHERE index1 = '{self.index}' AND {condition}"
        return expect(link.daemon.v4("POST", f"{self.PATH}/sql", sql), 200).json()["data"]

    def check(self, link, crash, touched_only=False):
        found = self.new_ones(link)
        numbers = [number_of(self.index, base64.b64decode(value)) for _, value in found]
        self.found = set(numbers)
        if numbers != [number for number, _ in found]:
            raise Lost(f"points of {self.index}: one has the number of another")
        if len(numbers) != len(self.found):
            twice = {number for number in numbers if numbers.count(number) > 1}
            raise Lost(f"points of {self.index}: {sorted(twice)} are there more than once")
        for number in self.found - {number for number, write in self.sent.items() if write.may_stand(crash)}:
            raise Lost(f"points of {self.index}: {number} was not sent")
        if lost := {number for number, write in self.sent.items() if write.was_acknowledged(crash)} - self.found:
            raise Lost(f"points of {self.index}: {sorted(lost)} are lost")
        counted = self.old_ones(link)
        if counted != (self.settled, self.settled):
            raise Lost(f"points of {self.index}: of {self.settled} that were there {counted} are")

    def new_ones(self, link):
        """Number and value of those that were not checked yet."""
        return [(row["number"], row["value"]) for row in self.query(link, "double1 AS number, blob1 AS value", f"double1 > {self.last}")]

    def old_ones(self, link):
        """How many of the others there are, and how many different ones."""
        counted = self.query(link, "count() AS n, count(DISTINCT double1) AS d", f"double1 <= {self.last}")[0]
        return int(counted["n"]), int(counted["d"])

    def settle(self, now):
        self.last, self.settled, self.sent = self.count, self.settled + len(self.found), {}
        self.found = set()


class LoggedPoints(Points):
    """Points of a daemon without an engine: they stay in its log, where they are read past it."""

    def logged(self, link):
        return [(number, value) for index, value, number in points_in(link.daemon.data, checked=False) if index == self.index]

    def new_ones(self, link):
        return [point for point in self.logged(link) if point[0] > self.last]

    def old_ones(self, link):
        old = [number for number, _ in self.logged(link) if number <= self.last]
        return len(old), len(set(old))


def await_points(link, dataset, mark, seconds=60):
    """Until every point that was there before is queryable: segments go to the engine one behind the other, and a point written
    now is in the last. `mark` is a number that was not given before."""
    deadline = time.monotonic() + seconds
    expect(link.daemon.v4("POST", f"{Points.PATH}/write?dataset={dataset}", json.dumps({"doubles": [mark]})), 200)
    while True:
        answer = expect(link.daemon.v4("POST", f"{Points.PATH}/sql", f"SELECT 1 AS one FROM {dataset} WHERE double1 = {mark}"),
                        200, 422, 503)
        if answer.status == 200 and answer.json()["data"]:
            return
        if time.monotonic() > deadline:
            raise Lost(f"a point is not queryable after {seconds} s: {answer}")
        time.sleep(0.02)


class Tokens(Subject):
    """Tokens and buckets, which are rows of control.db."""

    KEPT = 4  # that a later run still asks for

    def __init__(self, prefix, chance):
        self.prefix, self.chance, self.count = prefix, chance, 0
        self.buckets, self.tokens = [], []  # [begun, acknowledged, name]; [text, id, made, revoking, revoked]

    def act(self, link):
        self.count += 1
        roll = self.chance.random()
        valid = [token for token in self.tokens if token[3] is None]
        if roll < 0.4:
            bucket = [link.clock(), None, f"{self.prefix}-{self.count}"]
            self.buckets.append(bucket)
            expect(link.s3.request("PUT", f"/{bucket[2]}"), 200)
            bucket[1] = link.clock()
        elif roll < 0.8 or not valid:
            status, made = link.admin(do="token.create", name=f"{self.prefix} {self.count}", scopes=["kv:read"])
            assert status == 200, made
            self.tokens.append([made["token"], made["token_id"], link.clock(), None, None])
        else:
            token = self.chance.choice(valid)
            token[3] = link.clock()
            status, answer = link.admin(do="token.revoke", id=token[1])
            assert status == 200, answer
            token[4] = link.clock()

    def check(self, link, crash, touched_only=False):
        for begun, acknowledged, name in self.buckets:
            status = link.s3.request("HEAD", f"/{name}").status
            if acknowledged is not None and acknowledged <= told_by(crash) and status != 200:
                raise Lost(f"bucket {name} is lost: {status}")
            if begun > sent_by(crash) and status != 404:
                raise Lost(f"bucket {name} is there before it was made")
        for text, id, made, revoking, revoked in self.tokens:
            if made > told_by(crash):
                continue
            status = link.daemon.request("GET", "/client/v4/user/tokens/verify", token=text).status
            if revoked is not None and revoked <= told_by(crash):
                if status != 401:
                    raise Lost(f"token {id} was revoked and is valid again: {status}")
            elif (revoking is None or revoking > sent_by(crash)) and status != 200:
                raise Lost(f"token {id} is lost: {status}")

    def settle(self, now):
        self.buckets, self.tokens = self.buckets[-self.KEPT:], self.tokens[-self.KEPT:]
