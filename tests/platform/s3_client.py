"""An S3 listener and keys to it, boto3 clients for it, and single requests that show everything.

The tests of S3 say what S3 and R2 have in common, and where these differ what R2's documentation says. To see whether an
expectation is S3's or only ours, run them against another server:

  LEVADA_S3_ENDPOINT=http://127.0.0.1:7070 LEVADA_S3_ACCESS_KEY_ID=... LEVADA_S3_SECRET_ACCESS_KEY=... LEVADA_S3_REGION=us-east-1
"""

import contextlib
import http.client
import itertools
import os
import time
import urllib.parse
from unittest import mock

import boto3
import botocore.auth
import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

ENVIRONMENT = ("LEVADA_S3_ENDPOINT", "LEVADA_S3_ACCESS_KEY_ID", "LEVADA_S3_SECRET_ACCESS_KEY")
MEBIBYTE = 1 << 20
PART = 5 * MEBIBYTE  # the smallest part that need not be the last


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    @property
    def code(self):
        """The word of an error document."""
        return self.body.partition(b"<Code>")[2].partition(b"</Code>")[0].decode()

    def __repr__(self):
        return f"{self.status}\n{self.headers}{self.body[:2000]!r}"


class S3:
    def __init__(self, endpoint, access_key, secret_key, region="auto"):
        self.access_key, self.secret_key, self.region = access_key, secret_key, region
        self.run, self.numbers = format(time.time_ns(), "x"), itertools.count(1)
        self.turn_to(endpoint)

    def turn_to(self, endpoint):
        """A daemon that was started again listens elsewhere."""
        self.endpoint = endpoint.rstrip("/")
        self.address = urllib.parse.urlsplit(self.endpoint).netloc
        self.client = self.connect()

    @staticmethod
    def of_environment():
        if ENVIRONMENT[0] not in os.environ:
            return None
        return S3(*(os.environ[name] for name in ENVIRONMENT), os.environ.get("LEVADA_S3_REGION", "auto"))

    def connect(self, access_key=None, secret_key=None, region=None, session_token=None, **config):
        """A boto3 client as anybody makes one, but that it shows the first answer instead of trying again."""
        config.setdefault("s3", {"addressing_style": "path"})
        if self.region != "auto":
            config.setdefault("signature_version", "s3v4")  # of AWS's own regions boto3 presigns by version 2 else
        return boto3.client(
            "s3", endpoint_url=self.endpoint, region_name=region or self.region, aws_access_key_id=access_key or self.access_key,
            aws_secret_access_key=secret_key or self.secret_key, aws_session_token=session_token,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, **config))

    def bucket_name(self):
        return f"test-{self.run}-{next(self.numbers)}"

    def bucket(self):
        name = self.bucket_name()
        self.client.create_bucket(Bucket=name)
        return name

    def send(self, method, target, body=b"", headers=None):
        """A request as it stands, unsigned. `target` is a path, or a whole URL such as a presigned one."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        try:
            connection.request(method, target.removeprefix(self.endpoint), body=body, headers=headers or {})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def sign(self, method, target, headers=None, payload="UNSIGNED-PAYLOAD"):
        """The headers of a signed request. `target` is sent and signed as it stands."""
        path, _, query = target.partition("?")
        request = AWSRequest(method, self.endpoint + path, params=dict(urllib.parse.parse_qsl(query, True)),
                             headers={"Host": self.address, **(headers or {})})
        auth = botocore.auth.S3SigV4Auth(Credentials(self.access_key, self.secret_key), "s3", self.region)
        with mock.patch.object(auth, "payload", return_value=payload):
            auth.add_auth(request)
        return dict(request.headers.items())

    def request(self, method, target, body=b"", headers=None, payload="UNSIGNED-PAYLOAD"):
        return self.send(method, target, body, self.sign(method, target, headers, payload))

    def environment(self, **more):
        """What the AWS tools take from the environment, and nothing else of this machine's."""
        return {"PATH": os.environ["PATH"], "AWS_ACCESS_KEY_ID": self.access_key, "AWS_SECRET_ACCESS_KEY": self.secret_key,
                "AWS_DEFAULT_REGION": self.region, "AWS_EC2_METADATA_DISABLED": "true", "LC_ALL": "C.UTF-8", **more}


def with_headers(client, operation, headers):
    """`client` sends these too, signed, with each `operation` such as PutObject. For headers that boto3 has no name for."""
    client.meta.events.register(f"before-sign.s3.{operation}",
                                lambda request, **_: [request.headers.__setitem__(*pair) for pair in headers.items()])
    return client


@contextlib.contextmanager
def refused(*expected):
    """Each of `expected` is (HTTP status, code): what is inside has to be refused with one of them."""
    with pytest.raises(ClientError) as caught:
        yield caught
    assert failure(caught.value) in expected, caught.value


def failure(error):
    return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"]


def read(answer):
    return answer["Body"].read()
