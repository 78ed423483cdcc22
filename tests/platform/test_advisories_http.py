"""Request smuggling and the other ways to have two parsers disagree, at each listener, by the classes of published advisories:
both framings at once, framings that are none, chunks, line ends, folded lines, bytes that belong in no header, targets.

What is sent behind a malformed request must not be taken for a request: of each pair below there is one answer, a refusal, and then
the connection ends.
"""

import re

import pytest

from conftest import daemon_of, wait_until
from raw_http import answers_in, connected, exchange, lines

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n"
HOST = b"Host: h\r\n"


@pytest.fixture(scope="module")
def watched():
    """A daemon that writes down every request it takes for one."""
    with daemon_of("--log-requests", "all") as daemon:
        yield daemon.start()


@pytest.fixture(params=["api", "s3"])
def address(request, watched):
    return watched.api.netloc if request.param == "api" else watched.ready["s3"].removeprefix("http://")


def put(fields, body=b""):
    return b"PUT /x HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body


FRAMINGS = {
    "length and chunks": put(b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "chunks and length": put(b"Transfer-Encoding: chunked\r\nContent-Length: 100\r\n", b"0\r\n\r\n"),
    "two lengths": put(b"Content-Length: 0\r\nContent-Length: 36\r\n"),
    "the same length twice": put(b"Content-Length: 0\r\nContent-Length: 0\r\n"),
    "a list of lengths": put(b"Content-Length: 0, 0\r\n"),
    "a signed length": put(b"Content-Length: +0\r\n"),
    "a negative length": put(b"Content-Length: -1\r\n"),
    "a hexadecimal length": put(b"Content-Length: 0x0\r\n"),
    "a length of words": put(b"Content-Length: none\r\n"),
    "an empty length": put(b"Content-Length:\r\n"),
    "a length of 2^64": put(b"Content-Length: 18446744073709551616\r\n"),
    "a broken length": put(b"Content-Length: 1 0\r\n"),
    "two encodings": put(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n"),
    "chunked twice": put(b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n"),
    "a list of encodings": put(b"Transfer-Encoding: gzip, chunked\r\n", b"0\r\n\r\n"),
    "chunked, then another": put(b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n"),
    "nearly chunked": put(b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n"),
    "quoted": put(b'Transfer-Encoding: "chunked"\r\n', b"0\r\n\r\n"),
    "a vertical tab": put(b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n"),
    "identity": put(b"Transfer-Encoding: identity\r\nContent-Length: 0\r\n"),
    "of HTTP/1.0": b"PUT /x HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a blank before the colon": put(b"Content-Length : 36\r\n"),
    "a blank before the name": put(b" Content-Length: 36\r\n"),
    "an underscore is no dash": put(b"Transfer-Encoding: chunked\r\nContent_Length: 3\r\nContent-Length: 3\r\n", b"0\r\n\r\n"),
}

LINES = {
    "a folded line": put(b"X-A: 1\r\n Content-Length: 36\r\n"),
    "folded with a tab": put(b"X-A: 1\r\n\tX: 2\r\n"),
    "a value that begins in the next line": put(b"X-A:\r\n 1\r\n"),
    "a line feed alone": put(b"X-A: 1\nTransfer-Encoding: chunked\r\n"),
    "only line feeds": b"PUT /x HTTP/1.1\nHost: h\n\n",
    "a carriage return alone": put(b"X-A: 1\rX-B: 2\r\n"),
    "NUL in a value": put(b"X-A: 1\x002\r\n"),
    "NUL in a name": put(b"X\x00A: 1\r\n"),
    "NUL in the target": b"GET /a\x00b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a blank in the target": b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
    "a name that is none": put(b"X(A): 1\r\n"),
    "no name": put(b": 1\r\n"),
    "no colon": put(b"X-A\r\n"),
    "no host": b"GET /x HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    "a host with a path": b"GET /x HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "a host with a user": b"GET /x HTTP/1.1\r\nHost: a@b\r\n\r\n",
    "another scheme": b"GET ftp://h/x HTTP/1.1\r\n" + HOST + b"\r\n",
    "a tunnel": b"CONNECT h:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "a relative target": b"GET x HTTP/1.1\r\n" + HOST + b"\r\n",
    "version 2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "version 0.9": b"GET /x\r\n",
    "a version that is none": b"GET /x HTTP/1.1x\r\n" + HOST + b"\r\n",
    "a method that is none": b"GE(T /x HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS to a plain port": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(32),
}


@pytest.mark.parametrize("what", [*FRAMINGS, *LINES])
def test_what_is_malformed_ends_the_connection(address, what):
    raw = exchange(address, {**FRAMINGS, **LINES}[what] + SMUGGLED)
    assert answers_in(raw.received) <= 1 and raw.status in (400, 501, 505), raw.received


CHUNKS = {
    "a sign": b"+5\r\nhello\r\n0\r\n\r\n", "negative": b"-5\r\nhello\r\n0\r\n\r\n", "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "a blank before": b" 5\r\nhello\r\n0\r\n\r\n", "no size": b"\r\nhello\r\n0\r\n\r\n", "words": b"five\r\nhello\r\n0\r\n\r\n",
    "65 bits": b"10000000000000005\r\nhello\r\n0\r\n\r\n", "too much data": b"3\r\nhello\r\n0\r\n\r\n",
    "a line feed behind the size": b"5\nhello\r\n0\r\n\r\n", "a line feed behind the data": b"5\r\nhello\n0\r\n\r\n",
    "a line feed in an extension": b'5;a="\n"\r\nhello\r\n0\r\n\r\n', "NUL in an extension": b"5;a=\x00\r\nhello\r\n0\r\n\r\n",
    "a trailer that is none": b"0\r\nX (A): 1\r\n\r\n", "a folded trailer": b"0\r\nX: 1\r\n 2\r\n\r\n",
}


@pytest.mark.parametrize("what", CHUNKS)
def test_chunks_that_are_none_end_the_connection(watched, what):
    # By a route that reads its body: what nobody reads is not looked at, and the connection ends behind it.
    space = watched.v4("GET", "/accounts/{account}/storage/kv/namespaces").result
    space = space[0]["id"] if space else watched.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    target = f"/client/v4/accounts/{watched.account}/storage/kv/namespaces/{space}/values/{what.replace(' ', '-')}"
    request = lines("PUT", target, {"Host": "h", "Authorization": f"Bearer {watched.token}", "Transfer-Encoding": "chunked"}, CHUNKS[what])
    raw = exchange(watched.api.netloc, request + SMUGGLED)
    assert raw.status == 400 and answers_in(raw.received) == 1, raw.received
    assert watched.request("GET", target).status == 404


def test_a_trailer_is_no_header(watched):
    """Trailers come when everything was decided: one that names a credential or a binding is dropped."""
    body = f"0\r\nAuthorization: Bearer {watched.token}\r\nX-Levada-Binding: {'0' * 64}\r\n\r\n".encode()
    request = lines("GET", "/client/v4/user", {"Host": "h", "Transfer-Encoding": "chunked", "Connection": "close"}, body)
    assert exchange(watched.api.netloc, request).status == 401


def test_a_connection_remembers_no_credentials(watched):
    """Each request of a connection is somebody's own: SeaweedFS 2.56 let in what followed a signed one."""
    target = "/client/v4/user"
    with connected(watched.api.netloc) as raw:
        raw.send(lines("GET", target, {"Host": "h", "Authorization": f"Bearer {watched.token}"}))
        raw.send(lines("GET", target, {"Host": "h", "Connection": "close"}))
        assert re.findall(rb"HTTP/1\.1 (\d+)", raw.rest()) == [b"200", b"401"]


def test_an_absolute_target_is_not_fetched(watched, address):
    """No proxy, so no way to what only this machine reaches; the target's host stands for the Host header."""
    other = watched.api.netloc if address != watched.api.netloc else watched.ready["s3"].removeprefix("http://")
    raw = exchange(address, lines("GET", f"http://{other}/client/v4/user", {"Host": "h", "Connection": "close"}))
    assert raw.status in (401, 403, 404), raw.received


@pytest.mark.parametrize("header", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_no_header_changes_the_method(watched, header):
    answer = watched.request("POST", "/client/v4/user", headers={header: "GET"})
    assert answer.error[0] == 405


@pytest.mark.parametrize("header", ["X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix"])
def test_no_header_changes_the_path(watched, header):
    assert watched.request("GET", "/client/v4/nothing", headers={header: "/client/v4/user"}).status == 404


@pytest.mark.parametrize("name, value", [
    ("X-Forwarded-For", "203.0.113.7"), ("X-Real-IP", "203.0.113.7"), ("Forwarded", "for=203.0.113.7"), ("Client-IP", "203.0.113.7"),
    ("True-Client-IP", "203.0.113.7"), ("CF-Connecting-IP", "203.0.113.7"), ("X-Forwarded-Host", "203.0.113.7")])
def test_nobody_says_where_they_come_from(watched, name, value):
    """Addresses in the log and in the audit log are the connection's."""
    title = f"by {name}"
    answer = watched.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": title}, headers={name: value})
    assert answer.status == 200
    assert value not in watched.logged() and value not in str(answer.headers)
    entries = watched.ask_admin({"do": "audit.list", "count": 1})["entries"]
    assert title in entries[0]["subject"] and entries[0]["from"] == "127.0.0.1"


def test_no_smuggled_request_was_taken_for_one(watched):
    watched.v4("GET", "/user")
    wait_until(lambda: "/client/v4/user" in watched.logged(), "the request is logged")
    assert "smuggled" not in watched.logged()
