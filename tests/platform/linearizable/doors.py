"""How operations of linearizable/register.py become requests of a door, and answers become results.

A value says its number and its size over and over, so that whoever reads it knows which write it is of and that it is whole.
"""

import hashlib
import socket

from raw_http import Raw, lines
from sigv4 import Signer

# Of a value and how often: in the record; KV keeps it apart, R2 in its index; in a blob file of the store, in a file of R2.
SIZES = {24: 80, 3000: 8, 5000: 8, 70_000: 4}
DONE = {"get": (200,), "put": (200,), "delete": (200, 204), "create": (200,), "replace": (200,)}
REFUSED = {"get": (404,), "put": (), "delete": (), "create": (412,), "replace": (404, 412)}


class Wrong(AssertionError):
    """An answer that no door may give, whatever the order of the operations."""


def make_value(number, size):
    unit = b"%d:%d|" % (number, size)
    return (unit * (size // len(unit) + 1))[:size]


def number_of(body):
    number, _, size = body[:24].partition(b"|")[0].partition(b":")
    if not (number.isdigit() and size.isdigit()) or body != make_value(int(number), int(size)):
        raise Wrong(f"a value that nobody wrote, {len(body)} bytes that begin {body[:60]!r}")
    return int(number)


class Connection(Raw):
    """Request after request. What it raises is OSError, and then nobody knows what became of the request."""

    def __init__(self, address, timeout):
        if not address.startswith("/"):
            super().__init__(address, timeout)
            return
        self.socket, self.received = socket.socket(socket.AF_UNIX), b""
        self.socket.settimeout(timeout)
        self.socket.connect(address)

    def exchange(self, request):
        self.received = b""
        self.send(request)
        head = self.head()
        if not head.startswith(b"HTTP/1.1 "):
            raise ConnectionError("no answer")
        body = self.received[len(head) + 4:]
        size = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                size = int(line[15:])
        while len(body) < size:
            piece = self.socket.recv(1 << 20)
            if not piece:
                raise ConnectionError("half an answer")
            body += piece
        return int(head[9:12]), body


class Door:
    """Of one life of a daemon. Any thread may use it; a connection is one thread's."""

    KINDS = {"get": 10, "put": 7, "delete": 3}
    SIZES = SIZES

    def connect(self, timeout):
        return Connection(self.address, timeout)

    def request(self, operation, key, value, expected):
        """The bytes. `value` and `expected` are those of the operation's numbers."""
        raise NotImplementedError

    @staticmethod
    def result(operation, status, body):
        if status in DONE[operation.kind]:
            return number_of(body) if operation.kind == "get" else True
        if status in REFUSED[operation.kind]:
            return None if operation.kind == "get" else False
        raise Wrong(f"{operation.kind}: {status} {body[:500]!r}")


METHODS = {"get": "GET", "put": "PUT", "create": "PUT", "replace": "PUT", "delete": "DELETE"}


class Rest(Door):
    """Of the v4 API: values of KV, or objects of R2 below another path."""

    def __init__(self, daemon, path):
        self.address, self.path = daemon.api.netloc, f"/client/v4/accounts/{daemon.account}{path}/"
        self.headers = {"Host": self.address, "Authorization": f"Bearer {daemon.token}"}

    def request(self, operation, key, value, expected):
        return lines(METHODS[operation.kind], self.path + key, {**self.headers, "Content-Length": len(value)}, value)


class ObjectRest(Rest):
    SIZES = {**SIZES, 300_000: 1}


class Binding(Door):
    """KV as workerd asks for it."""

    def __init__(self, path, grant):
        self.address, self.headers = path, {"Host": "kv", "X-Levada-Binding": grant}

    def request(self, operation, key, value, expected):
        headers = {**self.headers, "Content-Length": len(value)}
        return lines(METHODS[operation.kind], f"/{key}?urlencoded=true", headers, value)


class S3Objects(Door):
    """Signed once for each method and key: a signature is good for some minutes, and a daemon here lives less long."""

    KINDS = {"get": 10, "put": 5, "delete": 3, "create": 3, "replace": 3}
    SIZES = {**SIZES, 300_000: 1}

    def __init__(self, endpoint, token, bucket):
        self.address = endpoint.partition("//")[2]
        self.bucket, self.signed = bucket, {}
        self.signer = Signer(token["s3_access_key_id"], token["s3_secret_access_key"], self.address)

    def request(self, operation, key, value, expected):
        method, path = METHODS[operation.kind], f"/{self.bucket}/{key}"
        if (method, path) not in self.signed:
            self.signed[method, path] = self.signer.headers(method, path)
        headers = {**self.signed[method, path], "Content-Length": len(value)}
        if operation.kind == "create":
            headers["If-None-Match"] = "*"
        elif operation.kind == "replace":
            headers["If-Match"] = f'"{hashlib.md5(expected).hexdigest()}"'
        return lines(method, path, headers, value)
