"""A daemon of its own for a test, and HTTP to it that shows everything: status, headers, bytes."""

import contextlib
import fcntl
import http.client
import json
import os
import pathlib
import pty
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import termios
import time
import urllib.parse

import pytest

from s3_client import S3

BINARY = os.environ["LEVADA_BINARY"]


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.reason = response.reason
        self.headers = response.headers
        self.body = response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def result(self):
        answer = self.json()
        assert self.status == 200 and answer["success"], self
        return answer["result"]

    @property
    def error(self):
        """(HTTP status, code, message) of the envelope's first error."""
        answer = self.json()
        assert answer["success"] is False and answer["result"] is None, self
        return self.status, answer["errors"][0]["code"], answer["errors"][0]["message"]

    def __repr__(self):
        return f"{self.status} {self.reason}\n{self.headers}{self.body[:2000]!r}"


class Daemon:
    """`levada serve` on a free port. `start` waits until it is ready; `token` is the first start's."""

    def __init__(self, root, *options, environment=None):
        self.environment = environment  # of the process; None: this one's
        self.root = pathlib.Path(root)
        self.data = self.root / "data"
        self.options = list(options)
        self.process = self.account = self.token = self.ready = None

    def start(self, *options, port=0):
        self.log = open(self.root / "log", "ab")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--json", "--data", str(self.data), "--listen", f"127.0.0.1:{port}",
             "--s3-listen", "127.0.0.1:0", *self.options, *options],
            stdout=subprocess.PIPE, stderr=self.log, stdin=subprocess.DEVNULL,
            env=self.environment)
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"no daemon: exit {self.process.wait()}\n{self.logged()}")
        self.ready = json.loads(line)
        self.account = self.ready.get("account_id", self.account)
        self.token = self.ready.get("token", self.token)
        self.api = urllib.parse.urlsplit(self.ready["api"])
        self.port = self.api.port
        return self

    def logged(self):
        return (self.root / "log").read_text(errors="replace")

    def stop(self, number=signal.SIGTERM, seconds=30):
        self.process.send_signal(number)
        status = self.process.wait(seconds)
        self.process.stdout.close()
        self.log.close()
        return status

    def kill(self):
        return self.stop(signal.SIGKILL)

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()

    def connect(self, timeout=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, target, body=None, headers=None, token=None, connection=None):
        """`target` is sent as it stands. token="" sends none."""
        headers = dict(headers or {})
        if token != "":
            headers.setdefault("Authorization", f"Bearer {token or self.token}")
        own = connection or self.connect()
        try:
            own.request(method, target, body=body, headers=headers)
            return Answer(own.getresponse())
        finally:
            if connection is None:
                own.close()

    def v4(self, method, path, body=None, **more):
        """Below /client/v4; `{account}` is the daemon's; a dict or list is sent as JSON."""
        headers = dict(more.pop("headers", {}))
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        return self.request(method, "/client/v4" + path.replace("{account}", self.account), body, headers, **more)

    def command(self, *arguments, expect=0):
        ran = subprocess.run([BINARY, *arguments, "--data", str(self.data)], capture_output=True, text=True, timeout=60,
                             stdin=subprocess.DEVNULL)
        assert expect is None or ran.returncode == expect, f"exit {ran.returncode}\n{ran.stdout}\n{ran.stderr}"
        return ran

    def shown(self, width, *arguments):
        """The lines of a command's output on a terminal that is so wide."""
        return on_terminal(width, [BINARY, *arguments, "--data", str(self.data), "--no-color"])

    def ask_admin(self, request):
        """What the command line asks of a running daemon, without starting a command."""
        with socket.socket(socket.AF_UNIX) as own:
            own.connect(str(self.data / "admin.sock"))
            body = json.dumps(request).encode()
            own.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            response = http.client.HTTPResponse(own)
            response.begin()
            answer = Answer(response)
        assert answer.status == 200, answer
        return answer.json()

    def issue(self, *scopes, **more):
        """A token with these scopes, as the command line makes it."""
        options = [word for scope in scopes for word in ("--scope", scope)]
        options += [word for name, value in more.items() for word in (f"--{name}", value)]
        return json.loads(self.command("token", "create", "--json", *options).stdout)


def on_terminal(width, arguments):
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # its end
            while more := os.read(main, 65536):
                shown += more
    os.close(main)
    assert process.returncode == 0, shown
    return shown.decode().splitlines()


def scratch_root(where=None):
    return pathlib.Path(tempfile.mkdtemp(prefix="levada-platform-", dir=where))


def memory_or_disk():
    """For what starts hundreds of daemons and asks nothing of the disk: where files are in memory, if there is room."""
    memory = pathlib.Path("/dev/shm")
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else None


@contextlib.contextmanager
def daemon_of(*options):
    """A daemon that is not started yet, and gone afterwards whatever happens."""
    root = scratch_root()
    daemon = Daemon(root, *options)
    try:
        yield daemon
    finally:
        daemon.remove()
        shutil.rmtree(root, ignore_errors=True)


@pytest.fixture
def fresh():
    """A daemon that is not started yet."""
    root = scratch_root()
    daemon = Daemon(root)
    yield daemon
    daemon.remove()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def daemon():
    root = scratch_root()
    daemon = Daemon(root).start()
    yield daemon
    daemon.remove()
    shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="module")
def s3(request):
    """Object storage with keys that may do everything: a daemon's, or what the environment names (s3_client.py)."""
    if other := S3.of_environment():
        yield other
        return
    daemon = request.getfixturevalue("daemon")
    token = daemon.issue("all:admin")
    yield S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])


@pytest.fixture
def bucket(s3):
    return s3.bucket()


def flip(path, at, bit=0):
    """One bit of a file; done twice it is undone."""
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ (1 << bit)]))


def wait_until(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while True:
        if found := condition():
            return found
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.01)
