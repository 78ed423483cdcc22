"""Two accounts of one daemon that must not see each other's, and requests of either, signed by hand."""

import http.client
import json
import urllib.parse

import sigv4
from sigv4 import Signer


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self):
        return self.between("Code")

    def between(self, element):
        return self.body.partition(f"<{element}>".encode())[2].partition(f"</{element}>".encode())[0].decode()

    @property
    def seen(self):
        return self.status, self.code

    def __repr__(self):
        return f"{self.status}\n{self.headers}{self.body[:2000]!r}"


class Party:
    """Whoever has a token, at the S3 listener."""

    def __init__(self, daemon, token):
        self.daemon, self.made = daemon, token
        self.token, self.account = token["token"], token["account_id"]
        self.address = urllib.parse.urlsplit(daemon.ready["s3"]).netloc

    def signer(self, **more):
        host = more.pop("host", self.address)
        return Signer(self.made["s3_access_key_id"], self.made["s3_secret_access_key"], host, **more)

    def s3(self, method, path, body=b"", query=(), headers=None, unsigned=None, payload=sigv4.UNSIGNED, host=None):
        """`path` as it stands; `unsigned` headers are sent and not signed."""
        signed = self.signer(host=host or self.address).headers(method, path, list(query), headers, payload)
        return send(self.address, method, sigv4.target(path, query), body, {**signed, **(unsigned or {})})

    def put(self, path, body=b"", **more):
        reply = self.s3("PUT", path, body, **more)
        assert reply.status == 200, reply
        return reply

    def v4(self, method, path, body=None, **more):
        return self.daemon.v4(method, path.replace("{account}", self.account), body, token=self.token, **more)


def send(address, method, target, body=b"", headers=None):
    connection = http.client.HTTPConnection(address, timeout=60)
    try:
        connection.request(method, target, body=body or None, headers=headers or {})
        response = connection.getresponse()
        return Reply(response.status, response.headers, response.read())
    finally:
        connection.close()


def parties(daemon):
    """(owner, another account's), each with a token that may do everything."""
    second = json.loads(daemon.command("account", "create", "second", "--json").stdout)["account_id"]
    return (Party(daemon, daemon.ask_admin({"do": "token.create", "account": account, "scopes": ["all:admin"]}))
            for account in (daemon.account, second))


def narrowed(party, *scopes):
    """The same account with less."""
    return Party(party.daemon, party.daemon.ask_admin({"do": "token.create", "account": party.account, "scopes": scopes}))


def stranger(party, method, target, body=b"", headers=None):
    return send(party.address, method, target, body, headers)
