"""Damage stays where it is: one bit of any file is flipped, or the file is cut, or gone. The daemon starts, serves no wrong byte, and
serves what the damage has not hit: all of the other store, at least. Only without what it knows of accounts and keys it does
not start, and says which file that is."""

import base64
import collections
import contextlib
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import socket
import subprocess

import pytest

from conftest import BINARY, Daemon, flip, memory_or_disk, scratch_root, wait_until
from durable import Link, Points, Rows, expect, make_value
from points_log import Damaged, points_of
from s3_client import PART, S3
from test_kv import ALL

FLIPS, FLIPS_RUNNING = (150, 50) if os.environ.get("LEVADA_TEST_SIZE") != "all" else (3000, 1000)
KEY = b"k" * 32
SEALED = {"x-amz-server-side-encryption-customer-algorithm": "AES256",
          "x-amz-server-side-encryption-customer-key": base64.b64encode(KEY).decode(),
          "x-amz-server-side-encryption-customer-key-MD5": base64.b64encode(hashlib.md5(KEY).digest()).decode()}
WITHOUT_ENGINE = "--analytics-library", "/nowhere/libchdb.so"  # points stay in its log
SIZES = [0, 100, 3000, 5000, 60_000, 70_000, 300_000, 600_000]
# Whose end may be lost with the power, so that nobody can tell who cut it.
# Without these nobody can be told from anybody.
NEEDED_TO_START = re.compile(r"(control\.db(-wal)?|VERSION|master\.key)$")
CUT_LIKE_A_POWER_LOSS = re.compile(r".*\.log|MANIFEST-.*")
# What holds nothing: locks, room kept back, RocksDB's own words, SQLite's index of a log.
WITHOUT_CONTENT = re.compile(r"(LOCK|LOG(\.old.*)?|reserve|admin\.sock|.*-shm)$")


class Stored:
    """A directory with values of every form, and what they are."""

    def __init__(self, root):
        self.root, self.values = root, {}  # (service, key): bytes
        self.points = {}  # number: text
        self.failed = []  # keys, of the last read_all
        daemon = Daemon(root, *WITHOUT_ENGINE).start()
        try:
            token = daemon.issue("all:admin")
            s3 = S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
            namespace = daemon.v4("POST", ALL, {"title": "s"}).result["id"]
            self.link = Link(daemon, s3, namespace, lambda: 0)
            self.account, self.token = daemon.account, daemon.token
            s3.client.create_bucket(Bucket="plain")
            self.queue = daemon.v4("POST", "/accounts/{account}/queues", {"queue_name": "q"}).result["queue_id"]
            self.rows = Rows("shop", 0, None)
            self.rows.create(self.link)
            self.fill(0)  # these are in tables behind the restart, the others in the log
            daemon.stop()
            self.turn_to(daemon.start())
            self.fill(1)
        finally:
            daemon.kill()
        self.data = daemon.data

    def turn_to(self, daemon):
        daemon.account, daemon.token = self.account, self.token
        self.link.daemon = daemon
        self.link.s3.turn_to(daemon.ready["s3"])

    def fill(self, round):
        for i, size in enumerate(SIZES):
            for service, headers in (("kv", {}), ("object", {}), ("sealed", SEALED), ("d1", {})):
                key = f"{service}/{round}/{i}"
                value = self.values[service, key] = make_value(key, 1, size)
                if service == "kv":
                    expect(self.link.kv("PUT", key, value), 200)
                elif service == "d1":
                    self.rows.put(self.link, key, value)
                else:
                    expect(self.link.object("PUT", "plain", key, "", value, headers), 200)
            sent = {"body": base64.b64encode(self.values["kv", f"kv/{round}/{i}"][:100_000]).decode(), "content_type": "bytes"}
            expect(self.link.daemon.v4("POST", f"/accounts/{{account}}/queues/{self.queue}/messages", sent), 200)
        self.write_points()
        key = f"object/{round}/parts"
        value = self.values["object", key] = make_value(key, 1, PART + 1000)
        made = expect(self.link.object("POST", "plain", key, "?uploads"), 200)
        upload = re.search(rb"<UploadId>(.*?)</UploadId>", made.body)[1].decode()
        parts = ""
        for number, piece in enumerate((value[:PART], value[PART:]), 1):
            put = expect(self.link.object("PUT", "plain", key, f"?partNumber={number}&uploadId={upload}", piece), 200)
            parts += f"<Part><PartNumber>{number}</PartNumber><ETag>{put.headers['ETag']}</ETag></Part>"
        document = f"<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>".encode()
        expect(self.link.object("POST", "plain", key, f"?uploadId={upload}", document), 200)

    def write_points(self):
        """Several batches, some of them of several points."""
        for count in (1, 3, 20, 1):
            new = {len(self.points) + i: base64.b64encode(make_value("points", len(self.points) + i, 500)).decode() for i in range(count)}
            lines = [json.dumps({"indexes": ["points"], "blobs": [text], "doubles": [number]}) for number, text in new.items()]
            expect(self.link.daemon.v4("POST", f"{Points.PATH}/write?dataset=points", "\n".join(lines)), 200)
            self.points |= new

    def lost_points(self, data):
        """How many are not there; what is there is what was written, once."""
        found = []
        for path in (data / "analytics" / "wal").glob("*.seg"):
            with contextlib.suppress(Damaged):
                found += [(number, text.decode()) for _, text, number in points_of(path)]
        assert len(found) == len(dict(found)), "a point is there twice"
        assert set(found) <= set(self.points.items()), "wrong points are served"
        return len(self.points) - len(found)

    def read(self, service, key):
        """"exact", "error" (said, or the answer was cut short) or "missing". Anything else is what must not be."""
        value, got, status = self.values[service, key], b"", 200
        if service == "kv":
            answer = self.link.kv("GET", key)
            status, got, whole = answer.status, answer.body, len(answer.body)
        elif service == "d1":
            status, got = self.read_row(key)
            whole = len(got)
        else:
            headers = self.link.s3.sign("GET", f"/plain/{key}", SEALED if service == "sealed" else {})
            connection = http.client.HTTPConnection(self.link.s3.address, timeout=30)
            connection.request("GET", f"/plain/{key}", headers=headers)
            try:
                answer = connection.getresponse()
                status, whole = answer.status, int(answer.headers["Content-Length"])
                while piece := answer.read(1 << 16):
                    got += piece
            except ConnectionResetError:
                whole = len(value) + 1
            finally:
                connection.close()
        if status != 200:
            self.failed.append(key)
            return "missing" if status == 404 else "error"
        assert value.startswith(got), f"{key}: wrong bytes are served"
        assert len(got) < whole or got == value, f"{key}: {len(got)} of {len(value)} bytes are served as all"
        if len(got) < whole:
            self.failed.append(key)
        return "exact" if len(got) == whole else "error"

    def read_row(self, key):
        path = f"/accounts/{{account}}/d1/database/{self.rows.database}/query"
        answer = self.link.daemon.v4("POST", path, {"sql": "SELECT v FROM t WHERE k = ?", "params": [key]})
        if answer.status != 200:
            return 500, b""
        rows = answer.result[0]["results"]
        return (200, base64.b64decode(rows[0]["v"])) if rows else (404, b"")

    def read_all(self, *services):
        """Of these services, or of all."""
        self.failed = []
        return collections.Counter(self.read(*each) for each in self.values if not services or each[0] in services)

    def files(self):
        """By what they are: "kv/*.sst"."""
        kinds = collections.defaultdict(list)
        for path in sorted(self.data.rglob("*")):
            if not path.is_file() or WITHOUT_CONTENT.match(path.name) or path.stat().st_size == 0:
                continue
            relative = path.relative_to(self.data)
            name = re.sub(r"^\d+(?=\.)", "*", re.sub(r"(?<=-)\d+$", "*", path.name))
            kinds["objects/blobs" if "blobs" in relative.parts else str(relative.parent / name)].append(relative)
        return kinds


def damage(path, chance):
    """How, in words."""
    size = path.stat().st_size
    if chance.random() < 0.1:
        path.unlink()
        return "cut off altogether"
    if chance.random() < 0.3:
        kept = chance.randrange(size)
        os.truncate(path, kept)
        return f"cut from {size} to {kept} bytes"
    at, bit = chance.randrange(size), chance.randrange(8)
    flip(path, at, bit)
    return f"bit {bit} of byte {at} of {size} flipped"


@pytest.fixture(scope="module")
def stored():
    root = scratch_root(memory_or_disk())
    yield Stored(root)
    shutil.rmtree(root, ignore_errors=True)


def test_a_damaged_file_is_refused_in_words_or_does_no_harm(stored):
    chance = random.Random(3)
    kinds, outcomes, wrong = stored.files(), collections.defaultdict(collections.Counter), []
    for number in range(FLIPS):
        kind = sorted(kinds)[number % len(kinds)]
        path = chance.choice(kinds[kind])
        home = scratch_root(memory_or_disk())
        shutil.copytree(stored.data, home / "data", ignore=shutil.ignore_patterns("reserve", "admin.sock"))
        what = f"{path}: {damage(home / 'data' / path, chance)}"
        daemon = Daemon(home, *WITHOUT_ENGINE)
        try:
            outcome, complaint = try_daemon(stored, daemon, path, was_cut="cut" in what)
            outcomes[kind][outcome] += 1
            if complaint:
                wrong.append(f"{what}: {complaint}")
        finally:
            daemon.remove()
            shutil.rmtree(home, ignore_errors=True)
    for kind, counted in sorted(outcomes.items()):
        print(f"{kind:32} {dict(counted)}")
    assert not wrong, "\n".join(wrong)


# Whose values are none of a store's business.
NEIGHBOURS = {"kv": ("object", "sealed", "d1"), "objects": ("kv", "d1"), "queues": ("kv", "object", "sealed", "d1"),
              "d1": ("kv", "object", "sealed"), "analytics": ("kv", "object", "sealed", "d1")}


def try_daemon(stored, daemon, path, was_cut):
    """What became of it, and what is wrong with that."""
    try:
        daemon.start()
    except AssertionError:
        return refusal(daemon, path)
    stored.turn_to(daemon)
    try:
        neighbours = stored.read_all(*NEIGHBOURS.get(path.parts[0], ()))
        counted = stored.read_all()
        lost_points = stored.lost_points(daemon.data)
    except AssertionError as wrong:
        return "wrong", str(wrong)
    if lost_points:
        return points_outcome(daemon, path, was_cut, lost_points)
    if path.parts[0] in NEIGHBOURS and set(neighbours) != {"exact"}:
        return "spread", f"the other store is harmed: {neighbours}"
    if daemon.process.poll() is not None:
        return "crash", f"exit {daemon.process.poll()}: {daemon.logged()[-1000:]}"
    if counted["missing"]:
        looks_torn = was_cut and CUT_LIKE_A_POWER_LOSS.match(path.name)
        is_said = "not whole and left out" in daemon.logged() and path.name in daemon.logged()
        return "lost", None if looks_torn or is_said else f"{counted['missing']} values are not there, and nobody said why"
    if not counted["error"]:
        return "unharmed", None
    logged = daemon.logged()
    if "stays closed" in logged:
        said = str(daemon.data / path.parts[0]) in logged and "levada fsck" in logged
        return "store closed", None if said else "the log does not say which store it is"
    if path.parts[0] == "d1" and 'database \\"shop\\"' in logged:
        return "served but for some", None
    if path.name not in logged and not all(key in logged or key.replace("/", "%2F") in logged for key in stored.failed):
        return "unnamed", f"{counted['error']} reads failed, and the log says neither of which file nor of which object"
    if "blobs" in path.parts and counted["error"] > 1:
        return "spread", f"{counted['error']} objects could not be read"
    return "served but for some", None


def points_outcome(daemon, path, was_cut, lost):
    """Of a daemon without some of the points: they are said to be gone, or look as what power cuts off."""
    if path.parts[0] != "analytics":
        return "spread", f"{lost} points are lost with another store's file"
    daemon.kill()
    checked = subprocess.run([BINARY, "fsck", "--data", daemon.data], capture_output=True, text=True, timeout=60)
    is_said = path.name in daemon.logged() or path.name in checked.stdout
    return "points lost", None if is_said or was_cut else f"{lost} points are not there, and nobody said why: {checked.stdout}"


def refusal(daemon, path):
    status = daemon.process.wait()
    last = daemon.logged().strip().splitlines()[-1]
    try:
        said = json.loads(last)
    except json.JSONDecodeError:
        return "crash", f"exit {status}: {last}"
    if status < 0 or "message" not in said:
        return "crash", f"exit {status}: {last}"
    if not NEEDED_TO_START.match(str(path)):
        return "refused", f"one damaged store keeps the daemon from starting: {said}"
    words = said["message"] + str(said["details"]) + said["help"]
    if str(daemon.data / path.parts[0]) not in words and path.name.replace(".", " ") not in words:
        return "unnamed", f"exit {status}, and the message does not name what is damaged: {said}"
    return "refused", None


def test_a_blob_that_is_damaged_while_the_daemon_runs_is_noticed(stored):
    chance = random.Random(5)
    home = scratch_root(memory_or_disk())
    shutil.copytree(stored.data, home / "data", ignore=shutil.ignore_patterns("reserve", "admin.sock"))
    daemon = Daemon(home, *WITHOUT_ENGINE).start()
    try:
        stored.turn_to(daemon)
        blobs = stored.files()["objects/blobs"]
        for _ in range(FLIPS_RUNNING):
            path = home / "data" / chance.choice(blobs)
            at, bit = chance.randrange(path.stat().st_size), chance.randrange(8)
            flip(path, at, bit)
            counted = collections.Counter(stored.read(*each) for each in stored.values if each[0] in ("object", "sealed"))
            assert counted["error"] == 1 and not counted["missing"], f"{path}, byte {at}, bit {bit}: {counted}"
            wait_until(lambda: path.name in daemon.logged(), "the damage is logged")
            flip(path, at, bit)
        assert set(stored.read_all()) == {"exact"}
    finally:
        daemon.remove()
        shutil.rmtree(home, ignore_errors=True)


# ---- what is said of it, at each door

BLOCKS = 600_000  # bytes: three blocks, of which a door reads two before it answers


def only_blob(root):
    path, = (path for path in (root / "objects" / "blobs").rglob("*") if path.is_file())
    return path


def is_cut(connection, target, headers):
    """Whether the answer begins, and ends too early."""
    connection.request("GET", target, headers=headers)
    answer = connection.getresponse()
    assert answer.status == 200
    with pytest.raises((http.client.IncompleteRead, ConnectionResetError)):
        answer.read()
    connection.close()
    return True


@contextlib.contextmanager
def flipped(path, at):
    flip(path, at, 3)
    yield
    flip(path, at, 3)


def says_no_more(body, path):
    return b"damaged" in body and path.name.encode() not in body and b"blobs" not in body


def test_damage_at_the_beginning_is_answered_and_not_begun(s3, daemon):
    bucket = s3.bucket()
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"x" * BLOCKS)
    path, v4 = only_blob(daemon.data), f"/accounts/{daemon.account}/r2/buckets/{bucket}/objects/k"
    with flipped(path, 1000):
        reply = s3.request("GET", f"/{bucket}/k")
        assert (reply.status, reply.code) == (500, "InternalError") and says_no_more(reply.body, path), reply
        answer = daemon.v4("GET", v4)
        assert answer.error[:2] == (500, 10001) and says_no_more(answer.body, path)
        reply = s3.request("PUT", f"/{bucket}/copy", headers={"x-amz-copy-source": f"/{bucket}/k"})
        assert (reply.status, reply.code) == (500, "InternalError"), reply
        assert s3.request("HEAD", f"/{bucket}/k").status == 200 and daemon.v4("HEAD", v4).status == 200  # neither reads the bytes
        part = s3.request("GET", f"/{bucket}/k", headers={"Range": f"bytes={BLOCKS - 10}-"})
        assert (part.status, part.body) == (206, b"x" * 10)  # nor is the damage in what is asked for
        wait_until(lambda: path.name in daemon.logged(), "the log names the file")
    with flipped(path, path.stat().st_size - 100):
        assert is_cut(http.client.HTTPConnection(s3.address, timeout=30), f"/{bucket}/k", s3.sign("GET", f"/{bucket}/k"))
        assert is_cut(daemon.connect(), "/client/v4" + v4, {"Authorization": f"Bearer {daemon.token}"})
        assert s3.request("GET", f"/{bucket}/k", headers={"Range": "bytes=0-9"}).body == b"x" * 10
    assert s3.request("GET", f"/{bucket}/k").body == b"x" * BLOCKS


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=30)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def test_so_it_is_at_the_door_of_bindings(tmp_path):
    server = subprocess.Popen([os.environ["LEVADA_BINDING_SERVER"], str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        ready = json.loads(server.stdout.readline())
        grant, request = {"X-Levada-Binding": ready["r2"]}, json.dumps({"version": 1, "method": "get", "object": "k"})
        put = json.dumps({"version": 1, "method": "put", "object": "k"}).encode()
        connection = UnixConnection(ready["socket"])
        connection.request("PUT", "/", put + b"x" * BLOCKS, {**grant, "CF-R2-Metadata-Size": str(len(put))})
        assert (answer := connection.getresponse()).status == 200, answer.read()
        connection.close()
        path, sent = only_blob(tmp_path), {**grant, "CF-R2-Request": request}
        with flipped(path, 1000):
            connection.request("GET", "/", headers=sent)
            answer = connection.getresponse()
            said = json.loads(answer.headers["CF-R2-Error"])
            assert (answer.status, said["v4code"]) == (500, 10001) and says_no_more(said["message"].encode(), path)
            connection.close()
        with flipped(path, path.stat().st_size - 100):
            assert is_cut(UnixConnection(ready["socket"]), "/", sent)
    finally:
        server.stdin.close()
        assert server.wait(30) == 0
