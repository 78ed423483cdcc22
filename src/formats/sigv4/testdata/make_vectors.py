#!/usr/bin/env python3
"""Requests as Python's S3 clients sign them, and Arrow's, which is aws-sdk-cpp: vectors_python.json.

    python3 -m venv v && v/bin/pip install boto3 s3cmd pyarrow
    v/bin/python make_vectors.py > vectors_python.json

Recorded with boto3 1.43.11 on botocore 1.43.127, s3cmd 2.4.0 and pyarrow 26.0.1.

Nothing is sent anywhere but to a server in this process. botocore's and s3cmd's clocks stand; Arrow's does not, so
its vectors differ from run to run.
"""
import base64
import datetime
import http.server
import json
import sys
import threading
import types
import urllib.parse

import boto3
import botocore.auth
import botocore.awsrequest
import botocore.config

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
NOW = datetime.datetime(2026, 11, 29, 12, 34, 56, tzinfo=datetime.timezone.utc)

KEYS = ["plain.txt", "a b", "a+b", "~tilde", "!'()*", "a=b&c,d:e;f@g$h", "year=2026/part-0.parquet", "ünï/cøde", "日本",
        "100%", "%41", "%2F", "a//b", "a/./b/../c", "/leading", "trailing/", "tab\there", "\"<>", "#frag?x=1", "\\^`{|}",
        "[x]", "-._"]

vectors = []


def add(client, statement, method, url, headers, body=b""):
    parts = urllib.parse.urlsplit(url)
    names = {name.lower() for name, _ in headers}
    if "host" not in names:
        headers = [("Host", parts.netloc), *headers]
    vectors.append({
        "client": client, "statement": statement, "method": method, "path": parts.path or "/", "query": parts.query,
        "headers": [[name, value] for name, value in headers], "body": base64.b64encode(body).decode(),
    })


class Capture:
    """A boto3 client that sends nothing."""

    def __init__(self, endpoint, region, style, **credentials):
        self.client = boto3.client(
            "s3", endpoint_url=endpoint, region_name=region, aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET, **credentials,
            config=botocore.config.Config(signature_version="s3v4", s3={"addressing_style": style},
                                          retries={"max_attempts": 0}))
        self.client.meta.events.register("before-send.s3", self.seen)
        self.statement = ""

    def seen(self, request, **_):
        body = request.body or b""
        if hasattr(body, "read"):
            body = body.read()
        headers = [(name, value.decode() if isinstance(value, bytes) else value) for name, value in request.headers.items()]
        add("boto3", self.statement, request.method, request.url, headers, body)
        return botocore.awsrequest.AWSResponse(request.url, 204, {}, types.SimpleNamespace(stream=lambda: iter([b""])))

    def call(self, name, **arguments):
        self.statement = f"{name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"
        try:
            getattr(self.client, name)(**arguments)
        except Exception:  # there is no answer to read
            pass

    def presign(self, name, method, headers=(), **arguments):
        url = self.client.generate_presigned_url(name, Params=arguments, ExpiresIn=600)
        add("boto3", f"generate_presigned_url({name!r}, {arguments!r})", method, url, list(headers))


def botocore_vectors():
    botocore.auth.get_current_datetime = lambda *_, **__: NOW.replace(tzinfo=None)
    plain = Capture("http://127.0.0.1:8788", "auto", "path")
    for key in KEYS:
        plain.call("get_object", Bucket="bucket", Key=key)
        plain.presign("get_object", "GET", Bucket="bucket", Key=key,
                      ResponseContentDisposition="attachment; filename=\"a b+c.txt\"")
    plain.call("put_object", Bucket="bucket", Key="k", Body=b"hello", ContentType="text/plain",
               Metadata={"words": "two  blanks   inside", "plus": "a+b=c"})
    plain.call("put_object", Bucket="bucket", Key="empty", Body=b"")
    plain.call("put_object", Bucket="bucket", Key="k", Body=b"hello", ChecksumAlgorithm="SHA256", Tagging="a=b%20c&d=")
    plain.call("list_objects_v2", Bucket="bucket", Prefix="a b+c/~!'()*", Delimiter="/", MaxKeys=2,
               ContinuationToken="MTIz/+==", StartAfter="x&y=z")
    plain.call("list_objects_v2", Bucket="bucket", Prefix="")
    plain.call("list_buckets")
    plain.call("head_object", Bucket="bucket", Key="k", IfNoneMatch='"abc"', Range="bytes=0-9")
    plain.call("copy_object", Bucket="bucket", Key="copy", CopySource={"Bucket": "bucket", "Key": "a b+c"})
    plain.call("delete_objects", Bucket="bucket", Delete={"Objects": [{"Key": key} for key in KEYS[:3]]})
    plain.call("create_multipart_upload", Bucket="bucket", Key="big", ChecksumAlgorithm="CRC32")
    plain.call("upload_part", Bucket="bucket", Key="big", UploadId="id/with+signs==", PartNumber=7, Body=b"part")
    plain.call("get_bucket_lifecycle_configuration", Bucket="bucket")
    plain.presign("put_object", "PUT", Bucket="bucket", Key="k")
    plain.presign("put_object", "PUT", headers=[("Content-Type", "text/plain")], Bucket="bucket", Key="k")
    plain.presign("list_objects_v2", "GET", Bucket="bucket", Prefix="a b+c/")
    virtual = Capture("https://s3.example.com", "us-east-1", "virtual")
    virtual.call("get_object", Bucket="bucket", Key="a b/c")
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        virtual.call("put_object", Bucket="bucket", Key="k", Body=b"hello" * 1000, ChecksumAlgorithm=algorithm)
    virtual.call("upload_part", Bucket="bucket", Key="k", UploadId="u", PartNumber=1, Body=b"")
    token = Capture("https://s3.example.com", "auto", "path", aws_session_token="token/with+signs==")
    token.call("get_object", Bucket="bucket", Key="k")
    token.presign("get_object", "GET", Bucket="bucket", Key="k")


def s3cmd_vectors():
    import S3.Config
    import S3.Crypto as crypto
    config = S3.Config.Config()
    config.access_key, config.secret_key = ACCESS_KEY, SECRET

    stands = types.SimpleNamespace(utcnow=lambda: NOW.replace(tzinfo=None), now=lambda *_: NOW)
    crypto.datetime = types.SimpleNamespace(datetime=stands, timezone=datetime.timezone)
    for key in KEYS:
        if key.startswith("/") or "?" in key:
            continue  # s3cmd reads a query into them
        uri = "/bucket/" + key
        headers = crypto.sign_request_v4("GET", "127.0.0.1:8788", uri, {}, "us-east-1", {"content-type": "text/plain"})
        path = crypto.s3_quote(uri, quote_backslashes=False, unicode_output=True)
        add("s3cmd", f"get s3:/{uri}", "GET", "http://127.0.0.1:8788" + path, list(headers.items()))
    for params in [{"prefix": "a b+c/~", "delimiter": "/"}, {"uploads": ""}]:
        headers = crypto.sign_request_v4("GET", "127.0.0.1:8788", "/bucket/", params, "us-east-1", {})
        query = "&".join(f"{name}={crypto.s3_quote(value, unicode_output=True)}" if value else name
                         for name, value in params.items())
        add("s3cmd", f"ls {params}", "GET", "http://127.0.0.1:8788/bucket/?" + query, list(headers.items()))


def arrow_vectors():
    import pyarrow.fs

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
                while (length := int(self.rfile.readline().split(b";")[0], 16)):
                    body += self.rfile.read(length)
                    self.rfile.readline()
                while self.rfile.readline().strip():
                    pass
            add("aws-sdk-cpp", self.server.statement, self.command, "http://" + self.headers["Host"] + self.path,
                list(self.headers.items()), body)
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = answer

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    filesystem = pyarrow.fs.S3FileSystem(
        access_key=ACCESS_KEY, secret_key=SECRET, region="us-east-1", scheme="http",
        endpoint_override=f"127.0.0.1:{server.server_port}", retry_strategy=pyarrow.fs.AwsStandardS3RetryStrategy(1))

    def attempt(statement, action):
        server.statement = statement
        try:
            action()
        except Exception:  # the answer is 404
            pass
    for key in KEYS:
        if key.startswith("/") or key.endswith("/") or "//" in key:
            continue  # Arrow refuses them
        if "/./" in key:
            continue  # libcurl folds the segments behind the signer's back
        attempt(f"get_file_info({key!r})", lambda: filesystem.get_file_info("bucket/" + key))

    def write():
        with filesystem.open_output_stream("bucket/year=2026/a b.bin", metadata={"Content-Type": "text/plain"}) as out:
            out.write(b"hello" * 1000)
    attempt("open_output_stream", write)
    attempt("delete_dir_contents", lambda: filesystem.delete_dir_contents("bucket/year=2026"))
    server.shutdown()


for make in [botocore_vectors, s3cmd_vectors, arrow_vectors]:
    try:
        make()
    except ImportError as absent:
        print(f"without {absent.name}", file=sys.stderr)
for vector in vectors:
    vector["headers"] = [[name, str(value)] for name, value in vector["headers"]]
print("[\n" + ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors) + "\n]")
