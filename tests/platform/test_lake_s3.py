"""Datasets in a bucket: pipelines that write to s3://, killed at every step, raced, refused and cut off. The server is the
daemon's own, or the one that LEVADA_S3_ENDPOINT and the others of s3_client.py name."""

import collections
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import signal
import socketserver
import subprocess
import threading
import time

import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest

from conftest import BINARY, scratch_root

SOURCE = pathlib.Path(os.environ["LEVADA_SOURCE"])
FAILPOINTS = re.findall(r'^    "([a-z_.]+)",', (SOURCE / "src/base/failpoint.h").read_text(), re.M)

PIPELINE = """
name: made
consumer:
  generate:
    rows: {rows}
    seed: {seed}
    partition: {{ count: 3 }}
    columns:
      id: {{ type: int64, sequence: 1 }}
      side: {{ type: text, values: [L, R] }}
      amount: {{ type: "decimal(18,2)", min: -1000, max: 1000, nulls: 0.1 }}
      note: text
loaders:
  - parquet: {{ path: "{path}"{more} }}
retry: {{ backoff: 10ms, backoff_max: 50ms }}
"""

Ran = collections.namedtuple("Ran", "status out err")


class Pipeline:
    """A pipeline into one prefix of a bucket, and what is there."""

    def __init__(self, s3, bucket, directory, prefix="lake/t", endpoint=None, more="", rows=9000):
        self.s3, self.bucket, self.prefix, self.directory = s3, bucket, prefix, directory
        self.endpoint, self.more, self.rows = endpoint or s3.address, more, rows
        self.write()

    def write(self, seed=1):
        text = PIPELINE.format(rows=self.rows, seed=seed, path=self.url, more=self.more)
        (self.directory / "p.yaml").write_text(text)

    @property
    def url(self):
        return f"s3://{self.bucket}/{self.prefix}?endpoint_override={self.endpoint}&scheme=http&region={self.s3.region}"

    def environment(self, extra):
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, "AWS_ACCESS_KEY_ID": self.s3.access_key, "AWS_SECRET_ACCESS_KEY": self.s3.secret_key, **(extra or {})}

    def start(self, *arguments, env=None):
        return subprocess.Popen([BINARY, *arguments], cwd=self.directory, env=self.environment(env), stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def __call__(self, *arguments, env=None, expect=None, timeout=120):
        child = self.start(*arguments, env=env)
        try:
            out, err = child.communicate(timeout=timeout)
        finally:
            child.kill()
        ran = Ran(child.returncode, out, err)
        assert expect is None or ran.status == expect, ran
        return ran

    def run(self, *arguments, **more):
        return self("run", "p.yaml", *arguments, **more)

    def keys(self):
        pages = self.s3.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=self.prefix + "/")
        return [entry["Key"].removeprefix(self.prefix + "/") for page in pages for entry in page.get("Contents", [])]

    def data(self):
        """The bytes of each file that readers see."""
        return {key: self.s3.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/{key}")["Body"].read()
                for key in self.keys() if not key.startswith("_")}

    def record(self, name):
        body = self.s3.client.get_object(Bucket=self.bucket, Key=f"{self.prefix}/_levada/{name}")["Body"].read()
        return json.loads(body)

    def uploads(self):
        return self.s3.client.list_multipart_uploads(Bucket=self.bucket).get("Uploads", [])

    def leases(self):
        return [key for key in self.keys() if key.endswith(".lease")]

    def rows_read(self):
        files = pyarrow.fs.S3FileSystem(access_key=self.s3.access_key, secret_key=self.s3.secret_key, region=self.s3.region,
                                        scheme="http", endpoint_override=self.s3.address)
        return pyarrow.dataset.dataset(f"{self.bucket}/{self.prefix}", filesystem=files, partitioning="hive").to_table()


@pytest.fixture
def directory():
    root = scratch_root()
    yield root
    subprocess.run(["rm", "-rf", str(root)], check=True)


@pytest.fixture
def pipeline(s3, bucket, directory):
    return Pipeline(s3, bucket, directory)


def local_bytes(pipeline, name="beside", seed=1):
    """The same rows in a directory."""
    text = PIPELINE.format(rows=pipeline.rows, seed=seed, path=name, more=pipeline.more)
    (pipeline.directory / "local.yaml").write_text(text)
    pipeline("run", "local.yaml", "--quiet", expect=0)
    root = pipeline.directory / name
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*.parquet")}


@pytest.fixture(scope="module")
def undisturbed(s3):
    """Of the first run, and of one that replaces it."""
    root = scratch_root()
    pipeline = Pipeline(s3, "none", root)
    first = local_bytes(pipeline)
    second = local_bytes(pipeline, name="beside")
    pipeline("run", "local.yaml", "--quiet", "--replace", expect=0)
    yield first, second
    subprocess.run(["rm", "-rf", str(root)], check=True)


def settled(pipeline):
    assert pipeline.uploads() == []
    assert pipeline.leases() == []
    assert "_SUCCESS" in pipeline.keys()
    left = [key for key in pipeline.keys() if "intent" in key or "switch" in key or "abandon" in key or "probe" in key]
    assert left == []


def test_a_bucket_gets_the_bytes_that_a_directory_gets(pipeline):
    pipeline.run("--quiet", expect=0)
    assert pipeline.data() == local_bytes(pipeline)
    settled(pipeline)
    table = pipeline.rows_read()
    assert table.num_rows == 9000 and sorted(table["id"].to_pylist()) == list(range(1, 9001))
    manifest = pipeline.record("all.json")
    assert manifest["kind"] == "levada.manifest" and manifest["rows"] == 9000
    assert pipeline("status", "p.yaml", expect=0).out
    assert pipeline("verify", pipeline.url, expect=0).out


def test_a_second_run_replaces_the_first(pipeline):
    pipeline.run("--quiet", expect=0)
    before = pipeline.data()
    pipeline.run("--quiet", expect=0)
    after = pipeline.data()
    assert sorted(before.values()) == sorted(after.values()) and not set(before) & set(after)
    assert pipeline.record("all.json")["revision"] == 1
    settled(pipeline)


def test_rows_are_routed_to_directories(s3, bucket, directory):
    pipeline = Pipeline(s3, bucket, directory, more=", partition_by: [side]")
    pipeline.run("--quiet", expect=0)
    assert {key.split("/")[0] for key in pipeline.data()} == {"side=L", "side=R"}
    assert pipeline.data() == local_bytes(pipeline)
    settled(pipeline)


def test_large_files_go_in_parts(s3, bucket, directory):
    pipeline = Pipeline(s3, bucket, directory, rows=900_000, more=", codec: none, encoding: plain, dictionary: off")
    pipeline.run("--quiet", expect=0)
    sizes = sorted(len(data) for data in pipeline.data().values())
    assert sizes[-1] > 10 << 20, "more than one part"
    assert pipeline.data() == local_bytes(pipeline)
    settled(pipeline)


def test_nothing_is_listed_before_it_is_published(pipeline):
    killed = pipeline.run("--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill"})
    assert killed.status == -signal.SIGKILL
    assert pipeline.data() == {} and len(pipeline.uploads()) >= 1
    pipeline.run("--quiet", expect=0)
    assert pipeline.data() == local_bytes(pipeline)
    settled(pipeline)


def test_killed_at_every_step(pipeline, undisturbed):
    """One dataset, run after run; each is killed at another step, and the one behind it goes on."""
    first, _ = undisturbed
    passed = set()
    for failpoint in FAILPOINTS:
        for hit in (1, 2):
            killed = pipeline.run("--quiet", env={"LEVADA_FAILPOINTS": f"{failpoint}=kill@{hit}"})
            assert killed.status in (0, -signal.SIGKILL), killed
            if killed.status == 0:
                continue
            passed.add(failpoint)
            pipeline.run("--quiet", expect=0)
            assert sorted(pipeline.data().values()) == sorted(first.values()), (failpoint, hit)
            settled(pipeline)
    assert len(passed) > 20, sorted(set(FAILPOINTS) - passed)


def test_killed_first_runs_leave_nothing_twice(s3, bucket, directory, undisturbed):
    first, _ = undisturbed
    for failpoint in [each for each in FAILPOINTS if each.startswith(("publish", "finish", "load", "split"))]:
        pipeline = Pipeline(s3, bucket, directory, prefix=f"lake/{failpoint}")
        subprocess.run(["rm", "-rf", str(directory / ".levada")], check=True)
        killed = pipeline.run("--quiet", env={"LEVADA_FAILPOINTS": f"{failpoint}=kill@2"})
        if killed.status == 0:
            continue
        assert killed.status == -signal.SIGKILL, killed
        pipeline.run("--quiet", expect=0)
        assert sorted(pipeline.data().values()) == sorted(first.values()), failpoint
        settled(pipeline)


def test_failed_at_every_step(pipeline, undisturbed):
    first, _ = undisturbed
    for failpoint in FAILPOINTS:
        ran = pipeline.run("--quiet", env={"LEVADA_FAILPOINTS": f"{failpoint}=error"})
        assert ran.status in (0, 40, 50, 70), (failpoint, ran)
        pipeline.run("--quiet", expect=0)
        assert sorted(pipeline.data().values()) == sorted(first.values()), failpoint
        settled(pipeline)


def test_a_switch_whose_uploads_are_gone(pipeline, undisturbed):
    """A rule of the bucket's lifecycle aborts what a dead run had staged, when some of it is published already."""
    first, _ = undisturbed
    pipeline.run("--quiet", expect=0)
    killed = pipeline.run("--quiet", env={"LEVADA_FAILPOINTS": "finish.file_renamed=kill"})
    assert killed.status == -signal.SIGKILL
    left = pipeline.uploads()
    assert len(left) == 2
    for upload in left:
        pipeline.s3.client.abort_multipart_upload(Bucket=pipeline.bucket, Key=upload["Key"], UploadId=upload["UploadId"])
    pipeline.run("--quiet", expect=0)
    assert sorted(pipeline.data().values()) == sorted(first.values())
    settled(pipeline)


def test_two_runs_at_once(pipeline):
    holder = pipeline.start("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=pause"})
    try:
        deadline = time.monotonic() + 30
        while not pipeline.uploads():
            assert time.monotonic() < deadline
            time.sleep(0.1)
        late = pipeline.run("--state", "elsewhere", "--json", expect=75)
        assert "LV7501" in late.out + late.err
    finally:
        holder.send_signal(signal.SIGTERM)
        holder.communicate(timeout=30)
    pipeline.run("--quiet", expect=0)
    settled(pipeline)


def test_a_lock_of_a_machine_that_is_gone(pipeline):
    """Nobody here can say that its process is dead: only its silence does."""
    lease = {"kind": "levada.lease", "version": 1, "holder": "0123456789abcdef", "process": "elsewhere 1", "identity": "x/y/1/2", "beat": 3}
    key = f"{pipeline.prefix}/_levada/all.lock.lease"
    pipeline.s3.client.put_object(Bucket=pipeline.bucket, Key=key, Body=json.dumps(lease).encode())
    begun = time.monotonic()
    pipeline.run("--quiet", expect=0)
    assert 29 < time.monotonic() - begun < 60
    settled(pipeline)


@pytest.mark.parametrize("change, status, words", [
    ({"AWS_SECRET_ACCESS_KEY": "wrong"}, 11, "LV1101"),
    ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": "/nonexistent"}, 11, "no keys for S3"),
])
def test_keys_that_are_wrong(pipeline, change, status, words):
    ran = pipeline.run(env=change)
    assert ran.status == status and words in ran.err, ran


def test_a_bucket_that_is_not_there(s3, directory):
    ran = Pipeline(s3, "no-such-bucket-here", directory).run()
    assert ran.status == 40 and 'there is no bucket "no-such-bucket-here"' in ran.err, ran


def test_a_server_that_is_not_there(pipeline):
    pipeline.endpoint = "127.0.0.1:9"
    pipeline.write()
    ran = pipeline.run(expect=40)
    assert "LV4009" in ran.err and "127.0.0.1:9" in ran.err


@pytest.mark.parametrize("path, words", [
    ("s3://ab/x", "no name of a bucket"),
    ("s3://user:secret@bucket/x", "credentials in it"),
    ("s3://bucket/x?region=a&colour=red", 'no parameter "colour"'),
    ("s3://bucket/x?scheme=ftp", "http or https"),
    ("s3://bucket//x", "empty part"),
])
def test_urls_that_are_wrong(pipeline, path, words):
    text = PIPELINE.format(rows=1, seed=1, path=path, more="")
    (pipeline.directory / "p.yaml").write_text(text)
    ran = pipeline("check", "p.yaml", expect=10)
    assert words in ran.err and "secret" not in ran.err, ran


def test_what_s3_cannot_do_is_refused_by_check(pipeline):
    path = pipeline.directory / "p.yaml"
    path.write_text(path.read_text() + "verify: readback\n")
    ran = pipeline("check", "p.yaml", expect=10)
    assert "LV1009" in ran.err and "readback" in ran.err


# ------------------------------------------------------------------------------ servers that behave badly

class Between(http.server.BaseHTTPRequestHandler):
    """Passes a request on, and does to it or to its answer what `fault` says."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = dict(self.headers.items())
        if self.server.ignores_conditions:
            # Signed anew: the conditions were among what was signed.
            headers = {**self.server.s3.sign(self.command, self.path), "Content-Length": str(len(body))}
        if self.server.fault(self, "before") == "busy":
            self.send_response(503)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        upstream = http.client.HTTPConnection(self.server.s3.address, timeout=60)
        upstream.request(self.command, self.path, body=body, headers=headers)
        answer = upstream.getresponse()
        content = answer.read()
        if self.server.fault(self, "after") == "lost":
            self.close_connection = True
            upstream.close()
            return
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length", "date", "server"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any


class Proxy(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def __init__(self, s3, fault=lambda *_: None, ignores_conditions=False):
        super().__init__(("127.0.0.1", 0), Between)
        self.s3, self.fault, self.ignores_conditions = s3, fault, ignores_conditions
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


@contextlib.contextmanager
def behind(pipeline, **more):
    """The pipeline reaches its server through a proxy, whose name signatures are over: the server is told it as Host."""
    proxy = Proxy(pipeline.s3, **more)
    pipeline.endpoint = proxy.address
    pipeline.write()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        pipeline.endpoint = pipeline.s3.address
        pipeline.write()


def test_a_server_that_ignores_conditions_is_refused(pipeline):
    with behind(pipeline, ignores_conditions=True):
        ran = pipeline.run(expect=40)
    assert "LV4012" in ran.err and "conditional writes" in ran.err, ran
    assert pipeline.data() == {} and pipeline.leases() == []


@pytest.mark.parametrize("method, part", [
    ("PUT", "_levada/all.lock.lease"), ("PUT", "_levada/all.lock"), ("PUT", "_levada/all.split.json"),
    ("PUT", "_levada/all.json"), ("PUT", "partNumber="), ("POST", "uploads="), ("POST", "uploadId="), ("DELETE", "_levada/all/"),
    ("PUT", "_levada/_owner"), ("PUT", "_SUCCESS"), ("PUT", "_levada/all/p0001.json"),
])
def test_answers_that_are_lost(pipeline, undisturbed, method, part):
    """The server has done it, and nobody hears of it. Each first time."""
    first, _ = undisturbed
    lost = set()

    def fault(handler, when):
        key = handler.command, handler.path.split("?")[0]
        if when == "after" and handler.command == method and part in handler.path and key not in lost:
            lost.add(key)
            return "lost"

    with behind(pipeline, fault=fault):
        pipeline.run("--quiet", expect=0)
    assert lost, "it was asked for"
    assert pipeline.data() == first
    # An upload whose begin was not heard of is nobody's: the next run takes it away.
    pipeline.run("--quiet", expect=0)
    settled(pipeline)


def test_a_server_that_is_busy_now_and_then(pipeline, undisturbed):
    first, _ = undisturbed
    asked = collections.Counter()

    def fault(handler, when):
        if when == "before":
            asked["all"] += 1
            return "busy" if asked["all"] % 3 == 0 else None

    with behind(pipeline, fault=fault):
        pipeline.run("--quiet", expect=0, timeout=300)
    assert pipeline.data() == first
    settled(pipeline)


def test_a_server_that_goes_away_in_the_middle(pipeline, undisturbed):
    first, _ = undisturbed
    asked = collections.Counter()

    def fault(handler, when):
        asked["all"] += 1
        return "busy" if asked["all"] > 40 and when == "before" else None

    with behind(pipeline, fault=fault):
        ran = pipeline.run(timeout=300)
    assert ran.status in (40, 50) and "slow down" in ran.err, ran
    pipeline.run("--quiet", expect=0)
    assert pipeline.data() == first
    settled(pipeline)
