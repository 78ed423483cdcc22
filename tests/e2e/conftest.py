"""Fixtures of the whole-program tests: a private PostgreSQL, the binary, and ways to look at a dataset."""

import hashlib
import json
import os
import pathlib
import pwd
import shutil
import socket
import subprocess
import tempfile

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
BINARY = os.environ.get("LEVADA_BIN", str(pathlib.Path(__file__).parents[2] / "build/release/bin/levada"))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A PostgreSQL cluster of its own in a temporary directory, on a free loopback port."""

    def __init__(self, settings=(), encoding="UTF8"):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="levada-e2e-", dir="/tmp"))
        self.data = self.root / "data"
        self.port = free_port()
        self.settings = list(settings)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.root, owner.pw_uid, owner.pw_gid)
        self._call("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", encoding,
                   "--locale", "C")
        self.start()

    def _call(self, program, *arguments):
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]
        subprocess.run((as_postgres if os.geteuid() == 0 else []) + [str(POSTGRES / program), *arguments],
                       check=True, stdout=subprocess.DEVNULL, cwd="/tmp")

    def start(self):
        options = f"-p {self.port} -k {self.root} -c listen_addresses=127.0.0.1 -c fsync=off"
        for setting in self.settings:
            options += f" -c {setting}"
        self._call("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.root / "log"), "-o", options, "start")

    def stop(self, mode="immediate"):
        self._call("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def remove(self):
        self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, database="postgres", user="postgres", port=None, password=None):
        secret = f":{password}" if password else ""
        return f"postgres://{user}{secret}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, database="postgres"):
        return psycopg.connect(self.url(database).replace("postgres://", "postgresql://"), autocommit=True)

    def execute(self, sql, database="postgres"):
        with self.connect(database) as connection:
            connection.execute(sql)

    def rows(self, sql, database="postgres"):
        with self.connect(database) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="session")
def server():
    server = Server()
    yield server
    server.remove()


class Ran:
    """What one invocation of the binary left behind."""

    def __init__(self, completed):
        self.status = completed.returncode
        self.out = completed.stdout
        self.err = completed.stderr

    def json(self):
        return json.loads(self.out)

    def __repr__(self):
        return f"exit {self.status}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Levada:
    """The binary with a working directory of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def environment(self, extra=None):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        return {**kept, "NO_COLOR": "1", **(extra or {})}

    def __call__(self, *arguments, env=None, timeout=300, expect=None):
        ran = Ran(subprocess.run([BINARY, *map(str, arguments)], cwd=self.directory, env=self.environment(env),
                                 capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL))
        assert ran.status >= 0 or expect == ran.status, ran
        if expect is not None:
            assert ran.status == expect, ran
        return ran

    def start(self, *arguments, env=None):
        return subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.directory, env=self.environment(env),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def levada(tmp_path):
    return Levada(tmp_path)


def data_files(root):
    """Every visible data file below `root` (no name on the way begins with _ or .): relative path -> sha256."""
    found = {}
    for folder, folders, files in os.walk(root):
        folders[:] = [f for f in folders if not f.startswith(("_", "."))]
        for name in files:
            if name.startswith(("_", ".")):
                continue
            path = pathlib.Path(folder) / name
            found[str(path.relative_to(root))] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def leftovers(root):
    """Staged files that somebody forgot."""
    return [str(p) for p in pathlib.Path(root).rglob(".levada*")]


def read_table(root):
    """The dataset as one Arrow table, files in the order of their names."""
    files = sorted(data_files(root))
    assert files, f"no data files below {root}"
    return pa.concat_tables([pq.ParquetFile(pathlib.Path(root) / f).read() for f in files])
