#!/usr/bin/env python3
"""Seeds of the two fuzz targets, signed by the secret that they know: writes into the folders beside itself."""
import hashlib
import hmac
import pathlib
import urllib.parse

HERE = pathlib.Path(__file__).parent
DAY, TIME, REGION = "20130524", "20130524T000000Z", "auto"
SCOPE = f"{DAY}/{REGION}/s3/aws4_request"
EMPTY = hashlib.sha256(b"").hexdigest()


def hmac256(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signing_key(secret):
    key = b"AWS4" + secret.encode()
    for step in [DAY, REGION, "s3", "aws4_request"]:
        key = hmac256(key, step)
    return key


def sign(method, path, query, headers, signed, payload):
    lines = "".join(f"{name}:{headers[name]}\n" for name in signed)
    canonical = "\n".join([method, path, query, lines, ";".join(signed), payload])
    text = "\n".join(["AWS4-HMAC-SHA256", TIME, SCOPE, hashlib.sha256(canonical.encode()).hexdigest()])
    return hmac256(signing_key("fuzzed"), text).hex()


def request(name, method, target, headers):
    text = f"{method} {target}\n" + "".join(f"{key}: {value}\n" for key, value in headers.items())
    (HERE / "sigv4_request_fuzz" / name).write_text(text)


def requests():
    (HERE / "sigv4_request_fuzz").mkdir(exist_ok=True)
    for name, payload in [("hash", EMPTY), ("unsigned", "UNSIGNED-PAYLOAD"),
                          ("streaming", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER")]:
        headers = {"host": "h:1", "x-amz-content-sha256": payload, "x-amz-date": TIME, "x-amz-meta-a": "1"}
        signed = sorted(headers)
        signature = sign("PUT", "/b/a%20b", "acl=&x=%2F", headers, signed, payload)
        headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential=AKID/{SCOPE}, SignedHeaders={';'.join(signed)}, "
                                    f"Signature={signature}")
        request("header_" + name, "PUT", "/b/a%20b?x=%2F&acl", headers)
    parameters = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"AKID/{SCOPE}", "X-Amz-Date": TIME,
                  "X-Amz-Expires": "600", "X-Amz-SignedHeaders": "host"}
    query = "&".join(f"{key}={urllib.parse.quote(value, safe='')}" for key, value in parameters.items())
    signature = sign("GET", "/b/k", query, {"host": "h"}, ["host"], "UNSIGNED-PAYLOAD")
    request("presigned", "GET", f"/b/k?{query}&X-Amz-Signature={signature}", {"Host": "h"})
    request("version_2", "GET", "/b/k", {"Host": "h", "Authorization": "AWS AKID:c2lnbmF0dXJl"})
    request("anonymous", "GET", "/b/k?prefix=a+b", {"Host": "h"})


def body(name, kind, chunks, trailers):
    previous, key = "0" * 64, bytes(32)
    text = bytearray([kind, sum(map(len, chunks))])

    def chain(algorithm, *lines):
        nonlocal previous
        previous = hmac256(key, "\n".join([algorithm, TIME, SCOPE, previous, *lines])).hex()
        return previous
    for chunk in [*chunks, b""]:
        text += f"{len(chunk):x}".encode()
        if kind < 2:
            text += b";chunk-signature=" + chain("AWS4-HMAC-SHA256-PAYLOAD", EMPTY, hashlib.sha256(chunk).hexdigest()).encode()
        text += b"\r\n" + chunk + (b"\r\n" if chunk else b"")
    if kind > 0:
        text += "".join(f"{line}\r\n" for line in trailers).encode()
        if kind == 1:
            signed = "".join(f"{line}\n" for line in trailers).encode()
            text += f"x-amz-trailer-signature:{chain('AWS4-HMAC-SHA256-TRAILER', hashlib.sha256(signed).hexdigest())}\r\n".encode()
    (HERE / "aws_chunked_fuzz" / name).write_bytes(bytes(text) + b"\r\n")


def bodies():
    (HERE / "aws_chunked_fuzz").mkdir(exist_ok=True)
    trailers = ["x-amz-checksum-crc32c:sOO8/Q=="]
    for kind, name in enumerate(["signed", "signed_trailer", "unsigned_trailer"]):
        body(name, kind, [b"abcdefgh", b"ij"], trailers)
        body(name + "_empty", kind, [], trailers)
    (HERE / "aws_chunked_fuzz" / "line_feed").write_bytes(
        b"\x02\x05" + b"5\r\nhello\r\n0\r\nx-amz-checksum-crc32c:AA==\n\r\n\r\n")


requests()
bodies()
