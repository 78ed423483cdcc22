"""What one client can take of a daemon, and what that costs the others: idle connections, slow ones, large headers, readers that do
not read, uploads that stall. Memory stays within a bound for each connection, reads of KV beside it are about as fast as before, and
all of it ends by itself.

The daemon of these tests cuts what is slow after 2 s and not 10 or 30, so that the tests need not wait; the code is the same.
"""

import contextlib
import http.client
import os
import pathlib
import re
import resource
import socket
import statistics
import subprocess
import time
from unittest import mock

import pytest

from conftest import daemon_of, wait_until
from raw_http import Raw, lines
from two_accounts import Party, send

IS_DEEP = os.environ.get("LEVADA_TEST_SIZE") == "all"
IDLE = 9_000 if IS_DEEP else 2_000  # a listener takes 10,000; of both there are two files here for each
SLOW, READERS, UPLOADS = 200, 100, 200
KIB, MIB = 1024, 1024 * 1024
# A connection has its frame, a buffer for what comes and the state of a parser. An upload has two pieces of 256 KiB besides, one that
# is written while the other arrives; a download two of 512 KiB, one of them read ahead. The rest is what malloc keeps.
IDLE_KIB, UPLOAD_KIB, DOWNLOAD_KIB = 24, 1536, 1536
# Of a p99: this machine has two cores and other work. A read takes a fraction of a millisecond.
FLOOR_MS = 15
LIMITS = "limits: { connections: 12000, header_timeout: 2s, idle_timeout: 300s, stall_timeout: 2s }\n"


@pytest.fixture(scope="module", autouse=True)
def many_files():
    """Of this process: each connection is a file here too."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    if before[1] < 2 * IDLE + 2_000:
        pytest.skip(f"only {before[1]} files may be open")
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.fixture
def loaded():
    with daemon_of() as daemon:
        config = daemon.root / "serve.yaml"
        config.write_text(LIMITS)
        yield Overloaded(daemon.start("--config", str(config)))


class Overloaded:
    """A daemon, one who has a bucket and a namespace, and what is measured."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.owner = Party(daemon, daemon.ask_admin({"do": "token.create", "account": daemon.account, "scopes": ["all:admin"]}))
        self.owner.put("/bucket")
        space = self.owner.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
        self.key = f"/client/v4/accounts/{daemon.account}/storage/kv/namespaces/{space}/values/k"
        daemon.request("PUT", self.key, "v")
        self.raws = []

    def memory_kib(self):
        status = pathlib.Path(f"/proc/{self.daemon.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def metric(self, name):
        text = self.daemon.request("GET", "/metrics", token=self.owner.token).body.decode()
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith((name + " ", name + "{")))

    def connect(self, address, data=b""):
        raw = Raw(address, timeout=60)
        raw.send(data)
        self.raws.append(raw)
        return raw

    def close_all(self):
        for raw in self.raws:
            raw.close()
        self.raws = []

    def p99_ms(self, count=400):
        """Of reads of one key by somebody else; the best of three, for what else this machine does."""
        connection, times = self.daemon.connect(), []
        for _ in range(3):
            took = []
            for _ in range(count):
                began = time.monotonic()
                assert self.daemon.request("GET", self.key, connection=connection).body == b"v"
                took.append((time.monotonic() - began) * 1000)
            times.append(statistics.quantiles(took, n=100)[98])
        connection.close()
        return min(times)

    @contextlib.contextmanager
    def bounded(self, what, growth_kib):
        """Neighbours and memory before, inside, and afterwards: `yield` is where the load is, and ends with it."""
        before_ms, before_kib = self.p99_ms(), self.memory_kib()
        measured = {}

        def measure():
            measured["ms"], measured["kib"] = self.p99_ms(), self.memory_kib() - before_kib
            print(f"{what}: p99 {before_ms:.2f} ms before, {measured['ms']:.2f} ms beside it; {measured['kib'] / 1024:.1f} MiB more, "
                  f"{growth_kib / 1024:.0f} are allowed")
        yield measure
        assert measured["ms"] <= 2 * before_ms + FLOOR_MS, what
        assert measured["kib"] <= growth_kib, what
        self.close_all()
        wait_until(lambda: self.metric("levada_http_connections_open") <= 8, "the connections are gone")
        assert self.p99_ms() <= 2 * before_ms + FLOOR_MS
        self.owner.put("/bucket/after", b"v" * 300_000)
        assert self.owner.s3("GET", "/bucket/after").body == b"v" * 300_000


def statuses(raws):
    return sorted({raw.status for raw in raws})


def test_idle_connections_cost_little(loaded):
    with loaded.bounded(f"{IDLE} idle connections", IDLE * IDLE_KIB) as measure:
        for i in range(IDLE):
            # At both listeners; half of them have asked something before.
            address = (loaded.daemon.api.netloc, loaded.owner.address)[i // 2 % 2]
            raw = loaded.connect(address, lines("GET", "/health", {"Host": "h"}) if i % 2 else b"")
            assert not i % 2 or raw.status in (200, 403)
        measure()


def test_slow_headers_are_cut(loaded):
    """Slowloris: a byte now and then, which is no idle connection and never a request."""
    with loaded.bounded(f"{SLOW} slow headers", SLOW * IDLE_KIB) as measure:
        raws = [loaded.connect(loaded.daemon.api.netloc, b"GET /health HTTP/1.1\r\nX-A: ") for _ in range(SLOW)]
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for raw in raws:
                raw.send(b"a")
            time.sleep(0.1)
        measure()
        assert statuses(raws) == [408]
        assert not any(raw.more() for raw in raws), "and the connection is closed"


def test_large_headers_are_bounded(loaded):
    header = b"GET /health HTTP/1.1\r\nHost: h\r\nX-A: " + b"a" * (100 * KIB)
    with loaded.bounded(f"{SLOW} headers of 100 KiB", SLOW * (IDLE_KIB + 2 * 128)) as measure:
        raws = [loaded.connect(loaded.daemon.api.netloc, header) for _ in range(SLOW)]
        measure()
        assert statuses(raws) == [408]
    for extra in (b"a" * (64 * KIB), b"\r\n" + b"X: 1\r\n" * 300):
        raw = loaded.connect(loaded.daemon.api.netloc)
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            raw.send(header + extra + b"\r\n\r\n")
        assert raw.status == 431


@pytest.mark.parametrize("door", ["api", "s3"])
def test_slow_bodies_are_cut(loaded, door):
    owner = loaded.owner
    if door == "api":
        address, head = loaded.daemon.api.netloc, lines("PUT", loaded.key, {"Host": "h", "Authorization": f"Bearer {owner.token}", "Content-Length": "1000"})
    else:
        address, head = owner.address, lines("PUT", "/bucket/slow", {**owner.signer().headers("PUT", "/bucket/slow"), "Content-Length": "1000"})
    with loaded.bounded(f"{SLOW} slow bodies, {door}", SLOW * (IDLE_KIB + 64)) as measure:
        raws = [loaded.connect(address, head + b"abc") for _ in range(SLOW)]
        measure()
        assert statuses(raws) == [408]
    assert owner.s3("GET", "/bucket/slow").status == 404 and loaded.daemon.request("GET", loaded.key).body == b"v"


def test_readers_that_do_not_read_hold_little(loaded):
    """What was asked for stays on the disk until there is room in the connection."""
    owner, size = loaded.owner, 32 * MIB
    owner.put("/bucket/large", os.urandom(MIB) * 32)
    request = lines("GET", "/bucket/large", owner.signer().headers("GET", "/bucket/large"))
    with loaded.bounded(f"{READERS} readers of {size // MIB} MiB that do not read", READERS * DOWNLOAD_KIB) as measure:
        raws = [loaded.connect(owner.address, request) for _ in range(READERS)]
        assert [raw.status for raw in raws] == [200] * READERS
        measure()
        wait_until(lambda: loaded.metric("levada_http_requests_active") <= 1, "the answers are cut")
        for raw in raws[:5]:
            # It is the end of the connection, and short of what was announced.
            assert len(raw.rest().partition(b"\r\n\r\n")[2]) < size


def test_uploads_that_stall_hold_little(loaded):
    owner, size = loaded.owner, 100 * MIB
    blobs = loaded.daemon.data / "objects" / "blobs"
    before = sum(1 for path in blobs.rglob("*") if path.is_file())
    head = lines("PUT", "/bucket/stalled", {**owner.signer().headers("PUT", "/bucket/stalled"), "Content-Length": str(size)})
    with loaded.bounded(f"{UPLOADS} uploads that stall", UPLOADS * UPLOAD_KIB) as measure:
        raws = [loaded.connect(owner.address, head + bytes(MIB)) for _ in range(UPLOADS)]
        measure()
        assert statuses(raws) == [408]
    wait_until(lambda: sum(1 for path in blobs.rglob("*") if path.is_file()) <= before + 1, "what came of them is removed")
    assert owner.s3("GET", "/bucket/stalled").status == 404


def test_further_connections_wait(fresh):
    """At the limit nobody is refused: the next is served when one ends."""
    (fresh.root / "serve.yaml").write_text("limits: { connections: 20 }\n")
    fresh.start("--config", str(fresh.root / "serve.yaml"))
    raws = [Raw(fresh.api.netloc) for _ in range(20)]
    for raw in raws:
        assert raw.send(lines("GET", "/health", {"Host": "h"})).status == 200
    late = Raw(fresh.api.netloc, timeout=1)
    late.send(lines("GET", "/health", {"Host": "h"}))
    with pytest.raises(socket.timeout):
        late.more()
    raws[0].close()
    late.socket.settimeout(10)
    assert late.status == 200
    for raw in (*raws, late):
        raw.close()


@pytest.mark.parametrize("soft, hard", [(1024, 20_000), (1024, 1024)])
def test_connections_leave_files_for_the_stores(fresh, soft, hard):
    """A connection is a file, and so is what is stored: with few files the daemon takes fewer connections."""
    run = subprocess.Popen
    with mock.patch.object(subprocess, "Popen", lambda words, **more: run(["prlimit", f"--nofile={soft}:{hard}", *words], **more)):
        fresh.start()
    owner = Party(fresh, fresh.ask_admin({"do": "token.create", "account": fresh.account, "scopes": ["all:admin"]}))
    neighbour = http.client.HTTPConnection(owner.address, timeout=20)
    neighbour.request("PUT", "/bucket", headers=owner.signer().headers("PUT", "/bucket"))
    assert neighbour.getresponse().read() == b""
    raws = [Raw(address) for address in (fresh.api.netloc, owner.address) for _ in range(800)]
    time.sleep(0.5)
    for i in range(20):
        path = f"/bucket/k{i}"
        neighbour.request("PUT", path, body=bytes(300_000), headers=owner.signer().headers("PUT", path))
        answer = neighbour.getresponse()
        assert (answer.status, answer.read()) == (200, b""), i
    for raw in raws:
        raw.close()
    wait_until(lambda: send(owner.address, "GET", "/").status == 403, "others are served again")
    assert owner.s3("GET", "/bucket/k0").body == bytes(300_000)
