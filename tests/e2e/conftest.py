"""Fixtures of the whole-program tests: a private PostgreSQL, the binary, and ways to look at a dataset."""

import hashlib
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")
SOURCE = pathlib.Path(os.environ.get("LEVADA_SOURCE", pathlib.Path(__file__).parents[2]))
BINARY = os.environ.get("LEVADA_BINARY", str(SOURCE / "build/release/bin/levada"))
FULL = os.environ.get("LEVADA_TEST_SIZE") == "all"


def scratch_parent():
    """Where the tests work: in memory if there is room, since hundreds of runs spend most of their time in fsync."""
    memory = pathlib.Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK):
        room = os.statvfs(memory)
        if room.f_bavail * room.f_frsize > 2 << 30:
            return str(memory)
    return None


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A PostgreSQL cluster of its own in a temporary directory, on a free loopback port."""

    def __init__(self, settings=(), encoding="UTF8"):
        self._find_place(settings)
        self._call("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", encoding,
                   "--locale", "C")
        self.start()

    def _find_place(self, settings):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="levada-e2e-", dir="/tmp"))
        self.data = self.root / "data"
        self.port = free_port()
        self.settings = list(settings)
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.root, owner.pw_uid, owner.pw_gid)

    def _call(self, program, *arguments):
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]
        subprocess.run((as_postgres if os.geteuid() == 0 else []) + [str(POSTGRES / program), *arguments],
                       check=True, stdout=subprocess.DEVNULL, cwd="/tmp")

    def start(self):
        # Statistics, and so what a catalog holds and `plan` estimates, change by an ANALYZE of the test only.
        options = f"-p {self.port} -k {self.root} -c listen_addresses=127.0.0.1 -c fsync=off -c autovacuum=off"
        for setting in self.settings:
            options += f" -c {setting}"
        self._call("pg_ctl", "-D", str(self.data), "-w", "-l", str(self.root / "log"), "-o", options, "start")
        self.running = True

    def stop(self, mode="immediate"):
        self._call("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def kill(self):
        """As if the machine had gone: the postmaster and its children end without a word."""
        pid = int((self.data / "postmaster.pid").read_text().splitlines()[0])
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        for each in [pid, *map(int, children)]:
            try:
                os.kill(each, signal.SIGKILL)
            except ProcessLookupError:
                pass

        def gone(each):
            try:
                return ") Z" in pathlib.Path(f"/proc/{each}/stat").read_text()
            except OSError:
                return True

        wait_until(lambda: all(gone(each) for each in [pid, *map(int, children)]), "the server is gone")
        # A process that nobody has waited for yet would look alive to the next start.
        for lock in (self.data / "postmaster.pid", self.root / f".s.PGSQL.{self.port}.lock"):
            lock.unlink()
        self.running = False

    def remove(self):
        if self.running:
            self.stop()
        shutil.rmtree(self.root, ignore_errors=True)

    def url(self, database="postgres", user="postgres", port=None, password=None):
        secret = f":{password}" if password else ""
        return f"postgres://{user}{secret}@127.0.0.1:{port or self.port}/{database}"

    def connect(self, database="postgres"):
        return psycopg.connect(self.url(database), autocommit=True)

    def execute(self, sql, database="postgres"):
        with self.connect(database) as connection:
            connection.execute(sql)

    def rows(self, sql, database="postgres"):
        with self.connect(database) as connection:
            return connection.execute(sql).fetchall()


def wait_until(condition, what, seconds=30):
    """Polls, so that no test depends on how long something takes."""
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.005)


class Proxy:
    """Forwards to a server, and misbehaves on request.

    `cut_after`: a connection is cut when the server has sent so many bytes, `cuts` times in all. `hold_after`: a connection
    stands still when the server has sent so many bytes, until open_gate(); `held` is set when one does. Buffers are small,
    so that a server behind a closed gate cannot end its statement: a COPY stays in its middle. `others`: ports of further
    servers, which take turns. refuse(): no new connections from here on.
    """

    def __init__(self, port, cut_after=None, cuts=0, hold_after=None, others=()):
        self.server_ports, self.cut_after, self.cuts, self.hold_after = [port, *others], cut_after, cuts, hold_after
        self.accepted = 0
        self.made = 0
        self.held = threading.Event()
        self.gate = threading.Event()
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            try:
                self.accepted += 1
                server.connect(("127.0.0.1", self.server_ports[self.accepted % len(self.server_ports)]))
            except OSError:
                client.close()
                continue
            threading.Thread(target=self._pump, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, True), daemon=True).start()

    def _pump(self, source, target, from_server):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if from_server and self.cut_after is not None and passed > self.cut_after and self.made < self.cuts:
                    self.made += 1
                    break
                if from_server and self.hold_after is not None and passed > self.hold_after and not self.gate.is_set():
                    self.held.set()
                    self.gate.wait()
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def open_gate(self):
        self.gate.set()

    def refuse(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def close(self):
        self.gate.set()
        self.listener.close()


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


def make_scratch():
    return pathlib.Path(tempfile.mkdtemp(prefix="levada-e2e-", dir=scratch_parent()))


@pytest.fixture
def scratch():
    directory = make_scratch()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture(scope="module")
def module_scratch():
    directory = make_scratch()
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


def _threads(pid):
    """The state of each thread and how often it was switched to."""
    threads = []
    for task in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        try:
            lines = dict(line.split(":", 1) for line in task.read_text().splitlines())
        except OSError:
            continue  # has just ended
        switches = int(lines["voluntary_ctxt_switches"]) + int(lines["nonvoluntary_ctxt_switches"])
        threads.append((lines["State"].split()[0], switches))
    return threads


class Levada:
    """The binary with a working directory of its own."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    def environment(self, extra=None):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        return {**kept, "NO_COLOR": "1", **(extra or {})}

    def __call__(self, *arguments, env=None, timeout=300, expect=None, any_signal=False):
        ran = Ran(subprocess.run([BINARY, *map(str, arguments)], cwd=self.directory, env=self.environment(env),
                                 capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL))
        assert ran.status >= 0 or any_signal or expect == ran.status, ran
        if expect is not None:
            assert ran.status == expect, ran
        return ran

    def start(self, *arguments, env=None):
        return subprocess.Popen([BINARY, *map(str, arguments)], cwd=self.directory, env=self.environment(env),
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)

    @staticmethod
    def until_idle(child, seconds=30):
        """Waits until every thread of the process sleeps and none has been woken for a while, or it has ended."""
        deadline = time.monotonic() + seconds
        before, since = None, time.monotonic()
        while child.poll() is None:
            assert time.monotonic() < deadline, "the process never waits for anything"
            now = _threads(child.pid)
            if now != before or any(state != "S" for state, _ in now):
                before, since = now, time.monotonic()
            elif time.monotonic() - since > 0.15:
                return
            time.sleep(0.01)

    def write(self, name, text):
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


@pytest.fixture
def levada(scratch):
    return Levada(scratch)


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
