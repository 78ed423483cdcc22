#!/usr/bin/env python3
"""XML bodies as Python's S3 clients send them: requests_python.json.

    python3 -m venv v && v/bin/pip install boto3 awscli s3cmd
    PATH=$PWD/v/bin:$PATH v/bin/python record_requests.py > requests_python.json

Recorded with boto3 and botocore 1.44.8, awscli 1.46.3 and s3cmd 2.4.0. Nothing is sent anywhere but to a server in this
process, which answers just enough for the clients to go on.
"""
import datetime
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse

import boto3
import botocore.config

NS = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
KEYS = ["plain.txt", "a b", " lead and trail ", "a&b<c>d\"e'f", "tab\there", "line\nfeed", "carriage\rreturn", "ünï/日本/🪣",
        "&amp;", "]]>", "\u00a0\u0085\u2028"]
recorded = []
now = {"client": "", "statement": ""}


class Server(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            body = b""
            while size := int(self.rfile.readline(), 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))
        if body.lstrip().startswith(b"<"):
            recorded.append({**now, "body": body.decode()})
        text = ""
        if "uploads" in query and self.command == "POST":
            text = f"<InitiateMultipartUploadResult {NS}><Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId></InitiateMultipartUploadResult>"
        elif "uploadId" in query and self.command == "POST":
            text = f"<CompleteMultipartUploadResult {NS}><Location>l</Location><Bucket>b</Bucket><Key>k</Key><ETag>&quot;e&quot;</ETag></CompleteMultipartUploadResult>"
        elif "delete" in query:
            text = f"<DeleteResult {NS}></DeleteResult>"
        elif "location" in query and self.command == "GET":
            text = f"<LocationConstraint {NS}></LocationConstraint>"
        elif self.command == "GET":
            listed = "".join(f"<Contents><Key>{k}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified><ETag>&quot;e&quot;</ETag>"
                             "<Size>1</Size><StorageClass>STANDARD</StorageClass></Contents>" for k in ("one", "two &amp; three", "é"))
            text = f"<ListBucketResult {NS}><Name>b</Name><Prefix></Prefix><Marker></Marker><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>"
        data = text.encode()
        self.send_response(200)
        self.send_header("ETag", f'"{hashlib.md5(body).hexdigest()}"')
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
threading.Thread(target=server.serve_forever, daemon=True).start()
endpoint = f"http://127.0.0.1:{server.server_port}"
os.environ.update(AWS_ACCESS_KEY_ID="a", AWS_SECRET_ACCESS_KEY="s", AWS_DEFAULT_REGION="auto", AWS_CONFIG_FILE=os.devnull)
s3 = boto3.client("s3", endpoint_url=endpoint, config=botocore.config.Config(
    s3={"addressing_style": "path"}, retries={"max_attempts": 1}, parameter_validation=True))


def boto(statement, operation, **arguments):
    now.update(client="boto3", statement=statement)
    getattr(s3, operation)(Bucket="bucket", **arguments)


def run(client, statement, *command):
    now.update(client=client, statement=statement)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{command}: {done.stdout}{done.stderr}")


day = datetime.datetime(2030, 1, 1, tzinfo=datetime.timezone.utc)
boto("delete", "delete_objects", Delete={"Objects": [{"Key": key} for key in KEYS], "Quiet": True})
boto("delete versions", "delete_objects", Delete={"Objects": [
    {"Key": "k", "VersionId": "null"},
    {"Key": "k", "VersionId": "v2", "ETag": '"d41d8cd98f00b204e9800998ecf8427e"', "Size": 12,
     "LastModifiedTime": datetime.datetime(2026, 11, 29, 12, 34, 56, tzinfo=datetime.timezone.utc)}]})
etag = '"d41d8cd98f00b204e9800998ecf8427e"'
boto("complete", "complete_multipart_upload", Key="k", UploadId="u", MultipartUpload={"Parts": [
    {"PartNumber": 1, "ETag": etag}, {"PartNumber": 2, "ETag": etag.strip('"')}]})
boto("complete with checksums", "complete_multipart_upload", Key="k", UploadId="u", MultipartUpload={"Parts": [
    {"PartNumber": 7, "ETag": etag, "ChecksumCRC32C": "yZRlqg==", "ChecksumSHA256": "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}]})
boto("create bucket", "create_bucket", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
for status in "Enabled", "Suspended":
    boto("versioning " + status, "put_bucket_versioning", VersioningConfiguration={"Status": status})
boto("versioning with MFA", "put_bucket_versioning", VersioningConfiguration={"Status": "Enabled", "MFADelete": "Disabled"})
boto("cors", "put_bucket_cors", CORSConfiguration={"CORSRules": [
    {"ID": "first", "AllowedOrigins": ["https://*.example.com", "null"], "AllowedMethods": ["GET", "PUT"], "AllowedHeaders": ["x-amz-*"],
     "ExposeHeaders": ["ETag", "x-amz-request-id"], "MaxAgeSeconds": 3000},
    {"AllowedOrigins": ["*"], "AllowedMethods": ["HEAD"]}]})
boto("lifecycle", "put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [
    {"ID": "days", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30},
     "Transitions": [{"Days": 0, "StorageClass": "STANDARD_IA"}, {"Date": day, "StorageClass": "GLACIER"}],
     "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
    {"ID": "date", "Status": "Disabled", "Filter": {}, "Expiration": {"Date": day}},
    {"ID": "and", "Status": "Enabled", "Expiration": {"ExpiredObjectDeleteMarker": True},
     "Filter": {"And": {"Prefix": "a&b/", "ObjectSizeGreaterThan": 1, "ObjectSizeLessThan": 5000000000}}},
    {"ID": "noncurrent", "Status": "Enabled", "Filter": {"ObjectSizeLessThan": 100},
     "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 5},
     "NoncurrentVersionTransitions": [{"NoncurrentDays": 1, "NewerNoncurrentVersions": 2, "StorageClass": "STANDARD_IA"}]},
    {"ID": "tags", "Status": "Enabled", "Filter": {"And": {"Prefix": "p", "Tags": [{"Key": "k", "Value": "v"}]}}, "Expiration": {"Days": 1}},
    {"ID": "tag", "Status": "Enabled", "Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 1}},
    {"Status": "Enabled", "Prefix": "legacy/", "Expiration": {"Days": 1}}]})

aws = ["aws", "--endpoint-url", endpoint, "s3api"]
run("aws-cli", "delete-objects", *aws, "delete-objects", "--bucket", "bucket", "--delete", "Objects=[{Key=one},{Key=two}],Quiet=true")
run("aws-cli", "put-bucket-lifecycle-configuration", *aws, "put-bucket-lifecycle-configuration", "--bucket", "bucket", "--lifecycle-configuration",
    json.dumps({"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Date": "2030-01-01"}}]}))
run("aws-cli", "create-bucket", *aws, "create-bucket", "--bucket", "bucket", "--create-bucket-configuration", "LocationConstraint=auto")
with tempfile.TemporaryDirectory() as folder:
    big = os.path.join(folder, "big")
    with open(big, "wb") as file:
        file.truncate(9 << 20)
    run("aws-cli", "cp of 9 MiB", *aws[:-1], "s3", "cp", big, "s3://bucket/big", "--quiet")
    host = endpoint.removeprefix("http://")
    s3cmd = ["s3cmd", "-c", os.devnull, "--access_key=a", "--secret_key=s", "--no-ssl", "--host=" + host, "--host-bucket=" + host,
             "--region=auto", "--no-progress", "--quiet"]
    run("s3cmd", "del --recursive", *s3cmd, "del", "--recursive", "--force", "s3://bucket/")
    run("s3cmd", "put of 9 MiB", *s3cmd, "--multipart-chunk-size-mb=5", "put", big, "s3://bucket/big")
    run("s3cmd", "mb", *s3cmd, "--bucket-location=EU", "mb", "s3://bucket")
    run("s3cmd", "expire", *s3cmd, "--expiry-days=3", "--expiry-prefix=logs/", "expire", "s3://bucket")
    run("s3cmd", "expire at a date", *s3cmd, "--expiry-date=2030-01-01", "expire", "s3://bucket")
    run("s3cmd", "setversioning", *s3cmd, "setversioning", "s3://bucket", "enable")
json.dump(recorded, sys.stdout, ensure_ascii=False, indent=1)
print()
