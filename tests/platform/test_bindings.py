"""KV, R2, D1 and the Analytics Engine as a Worker has them: the stock workerd between its code and our binding door."""

import http.client
import json
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile

import pytest

from conftest import wait_until

SOURCE = pathlib.Path(os.environ["LEVADA_SOURCE"])
WORKERD = SOURCE / "build" / "node" / "node_modules" / "workerd" / "bin" / "workerd"

LIBRARY = pathlib.Path(os.environ.get("LEVADA_LIBCHDB",
                                      SOURCE / "build/node/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"))

CONFIG = """
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .tests),
    {externals} ],
  sockets = [(name = "http", address = "127.0.0.1:{port}", http = (), service = "main")] );
const tests :Workerd.Worker = (
  modules = [(name = "worker.js", esModule = embed "worker.js")],
  compatibilityDate = "2026-03-01",
  bindings = [(name = "KV", kvNamespace = "kv"), (name = "BUCKET", r2Bucket = "r2"), (name = "READER", r2Bucket = "r2_read"),
              (name = "FORGED", r2Bucket = "forged"), (name = "QUEUE", queue = "queue"), (name = "QUEUE_READER", queue = "queue_read"),
              (name = "DB", wrapped = (moduleName = "cloudflare-internal:d1-api", innerBindings = [(name = "fetcher", service = "d1")])),
              (name = "READ_DB", wrapped = (moduleName = "cloudflare-internal:d1-api",
                                            innerBindings = [(name = "fetcher", service = "d1_read")])),
              (name = "AE", analyticsEngine = "ae"), (name = "AE_READER", analyticsEngine = "ae_read")] );
"""
EXTERNAL = """(name = "{name}", external = (address = "unix:{socket}",
       http = (injectRequestHeaders = [(name = "X-Levada-Binding", value = "{grant}")])))"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_listening(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


@pytest.fixture(scope="module")
def worker():
    root = pathlib.Path(tempfile.mkdtemp(prefix="levada-bindings-"))
    server = subprocess.Popen([os.environ["LEVADA_BINDING_SERVER"], str(root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env={**os.environ, "LEVADA_LIBCHDB": str(LIBRARY)})
    ready = json.loads(server.stdout.readline())
    shutil.copy(SOURCE / "tests" / "platform" / "binding_worker.js", root / "worker.js")
    names = ("kv", "r2", "r2_read", "queue", "queue_read", "d1", "d1_read", "ae", "ae_read")
    grants = {name: ready[name] for name in names} | {"forged": "0" * 64}
    externals = ", ".join(EXTERNAL.format(name=name, socket=ready["socket"], grant=grant) for name, grant in grants.items())
    port = free_port()
    (root / "config.capnp").write_text(CONFIG.replace("{externals}", externals).replace("{port}", str(port)))
    log = open(root / "log", "wb")
    runtime = subprocess.Popen([str(WORKERD), "serve", "--experimental", "config.capnp", "config"], cwd=root, stdout=log, stderr=log)
    wait_until(lambda: is_listening(port) or runtime.poll() is not None, "workerd listens")
    assert runtime.poll() is None, (root / "log").read_text()
    yield port, root, server, ready
    runtime.kill()
    runtime.wait()
    server.stdin.close()
    assert server.wait(30) == 0
    log.close()
    shutil.rmtree(root, ignore_errors=True)


def test_names():
    names = [line.split('"')[1] for line in (SOURCE / "tests" / "platform" / "binding_worker.js").read_text().splitlines()
             if line.startswith('test("')]
    assert sorted(names) == sorted(NAMES)


NAMES = [
    "d1 values and shapes of rows", "d1 meta", "d1 batches", "d1 exec", "d1 refusals", "d1 sessions", "d1 a binding that reads",
    "kv values of every form", "kv metadata and expiry", "kv lists", "kv bulk get", "kv refusals",
    "r2 put, head and get", "r2 ranges", "r2 conditions", "r2 checksums", "r2 lists", "r2 deletes", "r2 multipart",
    "r2 large streams", "r2 customer keys", "r2 refusals", "r2 a grant that reads, and one that is none",
    "queues send of every form", "queues sendBatch", "queues metrics", "queues refusals", "ae points",
]


@pytest.mark.parametrize("name", NAMES)
def test_of_the_worker(worker, name):
    port, root, *_ = worker
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.request("POST", "/", body=name.encode())
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200, text + "\n" + (root / "log").read_text()


@pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not there: deps/install")
def test_points_of_the_worker_are_in_the_engine(worker):
    test_of_the_worker(worker, "ae points")
    *_, server, ready = worker

    def ask(sql):
        server.stdin.write(sql.encode() + b"\n")
        server.stdin.flush()
        return json.loads(server.stdout.readline())
    count = lambda: ask(f"SELECT count() FROM {ready['table']} FORMAT TabSeparated").get("answer", "0").strip()
    wait_until(lambda: int(count()) >= 3, "the points are there")
    columns = "index1, blob1, hex(blob2), blob3, double1, double2, double3, double4, abs(timestamp - now()) < 60"
    rows = ask(f"SELECT DISTINCT {columns} FROM {ready['table']} WHERE blob1 = 'text' FORMAT TabSeparated")["answer"]
    assert rows == "ié\ttext\t00FF\t\t1.5\tnan\t-inf\t0\t1\n"
    sizes = ask(f"SELECT DISTINCT length(blob1) FROM {ready['table']} FORMAT TabSeparated")["answer"]
    assert set(sizes.split()) == {"0", "4", "16000"}, "and none of the grant that reads"
