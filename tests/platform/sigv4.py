"""Signature version 4 by hand, so that each piece of a signed request can be made wrong on its own.

Source: S3 API reference, "Authenticating Requests (AWS Signature Version 4)" and its pages on chunked uploads.
"""

import base64
import datetime
import hashlib
import hmac
import time
import urllib.parse
import zlib

UNSIGNED = "UNSIGNED-PAYLOAD"
CHUNKS = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
CHUNKS_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
EMPTY_HASH = hashlib.sha256(b"").hexdigest()
WEEK = 7 * 24 * 3600


def encode(text, safe="-._~"):
    return urllib.parse.quote(text, safe=safe)


def mac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


class Signer:
    """Keys, and the moment at which they sign."""

    def __init__(self, access_key, secret, host, region="auto", age_s=0):
        self.access_key, self.secret, self.host, self.region = access_key, secret, host, region
        moment = datetime.datetime.fromtimestamp(time.time() - age_s, datetime.timezone.utc)
        self.date = moment.strftime("%Y%m%dT%H%M%SZ")
        self.scope = f"{self.date[:8]}/{region}/s3/aws4_request"
        key = ("AWS4" + secret).encode()
        for step in (self.date[:8], region, "s3", "aws4_request"):
            key = mac(key, step)
        self.key = key

    def string_to_sign(self, canonical, algorithm="AWS4-HMAC-SHA256"):
        return f"{algorithm}\n{self.date}\n{self.scope}\n{canonical}"

    def signature(self, method, path, query, headers, payload):
        """Of [(name, value)] in the query and {lower-case name: value} in the headers."""
        pairs = sorted((encode(name), encode(value)) for name, value in query)
        names = sorted(headers)
        canonical = "\n".join([
            method, encode(urllib.parse.unquote_to_bytes(path), "/-._~"), "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(headers[name].split())}" for name in names), "", ";".join(names), payload])
        return mac(self.key, self.string_to_sign(hashlib.sha256(canonical.encode()).hexdigest())).hex()

    def headers(self, method, path, query=(), headers=None, payload=UNSIGNED):
        """All headers of a request that is signed by its Authorization header."""
        signed = {"host": self.host, "x-amz-date": self.date, "x-amz-content-sha256": payload, **(headers or {})}
        signature = self.signature(method, path, query, signed, payload)
        return {**signed, "Authorization": f"AWS4-HMAC-SHA256 Credential={self.access_key}/{self.scope}, "
                                           f"SignedHeaders={';'.join(sorted(signed))}, Signature={signature}"}

    def query(self, method, path, query=(), headers=None, expires=300):
        """[(name, value)] of a presigned URL; the headers have to be sent with it."""
        signed = {"host": self.host, **(headers or {})}
        pairs = [*query, ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", f"{self.access_key}/{self.scope}"),
                 ("X-Amz-Date", self.date), ("X-Amz-Expires", str(expires)), ("X-Amz-SignedHeaders", ";".join(sorted(signed)))]
        return [*pairs, ("X-Amz-Signature", self.signature(method, path, pairs, signed, UNSIGNED))]

    def chunks(self, seed, body, trailers=None):
        """The body in one chunk and the last one, signed on from the signature `seed` of the request."""
        parts, previous = [], seed
        for piece in ([body] if body else []) + [b""]:
            text = self.string_to_sign(f"{previous}\n{EMPTY_HASH}\n{hashlib.sha256(piece).hexdigest()}", "AWS4-HMAC-SHA256-PAYLOAD")
            previous = mac(self.key, text).hex()
            parts.append(f"{len(piece):x};chunk-signature={previous}\r\n".encode() + piece + (b"\r\n" if piece else b""))
        if trailers is None:
            return b"".join(parts) + b"\r\n"
        lines = "".join(f"{name}:{value}\n" for name, value in trailers.items())
        text = self.string_to_sign(f"{previous}\n{hashlib.sha256(lines.encode()).hexdigest()}", "AWS4-HMAC-SHA256-TRAILER")
        ends = "".join(f"{name}:{value}\r\n" for name, value in trailers.items())
        return b"".join(parts) + f"{ends}x-amz-trailer-signature:{mac(self.key, text).hex()}\r\n\r\n".encode()


def unsigned_chunks(body, trailers):
    chunk = f"{len(body):x}\r\n".encode() + body + b"\r\n" if body else b""
    return chunk + b"0\r\n" + "".join(f"{name}:{value}\r\n" for name, value in trailers.items()).encode() + b"\r\n"


def signature_of(headers):
    return headers["Authorization"].rpartition("=")[2]


def target(path, query=()):
    return path + ("?" + "&".join(f"{encode(name)}={encode(value)}" for name, value in query) if query else "")
