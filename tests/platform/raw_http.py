"""HTTP by bytes: requests that no library would send, and all that comes back."""

import contextlib
import socket


class Raw:
    """One connection. What was received stays."""

    def __init__(self, address, timeout=10):
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=timeout)
        self.received = b""

    def send(self, data):
        self.socket.sendall(data)
        return self

    def more(self):
        """False at the end of the connection."""
        try:
            piece = self.socket.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            return False
        self.received += piece
        return bool(piece)

    def rest(self):
        while self.more():
            pass
        return self.received

    def head(self):
        while b"\r\n\r\n" not in self.received and self.more():
            pass
        return self.received.partition(b"\r\n\r\n")[0]

    @property
    def status(self):
        """Of the first answer; 0 for none."""
        words = self.head().split(b" ", 2)
        return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0

    def close(self):
        self.socket.close()


@contextlib.contextmanager
def connected(address, **more):
    raw = Raw(address, **more)
    try:
        yield raw
    finally:
        raw.close()


def exchange(address, data):
    """Everything that comes back until the server closes the connection."""
    with connected(address) as raw:
        try:
            raw.send(data)
        except (ConnectionResetError, BrokenPipeError):
            pass
        raw.rest()
        return raw


def answers_in(received):
    """How many answers there are."""
    return received.count(b"HTTP/1.1 ")


def lines(method, target, headers, body=b""):
    """A request of these headers and no others."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in (headers.items() if isinstance(headers, dict) else headers))
    return f"{method} {target} HTTP/1.1\r\n{fields}\r\n".encode("latin-1") + body
