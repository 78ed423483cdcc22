"""What each call of both doors needs, as a person wrote it down, and a request of it that changes nothing.

`levada schema --routes` names the calls. One that is missing here fails tests/platform/test_auth_matrix.py, and so does one whose
need is another one here.
"""

import dataclasses
import json
import re

ACTIONS = ("read", "write", "admin")
SERVICES = ("account", "kv", "r2", "d1", "queues", "analytics", "metrics")
NOTHING, TOKEN = "nothing", "any token"


@dataclasses.dataclass(frozen=True)
class Row:
    need: str                 # NOTHING, TOKEN or "service:action"
    of: str = ""              # the parameter of the path that names the resource
    outcomes: tuple = (200,)  # of a call that is let in: a status, or (status, code) of an error
    query: tuple = ()
    body: bytes = b""
    headers: tuple = ()
    reads_body: bool = False  # S3: what was signed of the body is compared with what came
    public: bool = False      # S3: for everybody where the bucket is public
    key: str = "k"
    upload: bool = False      # S3: of the upload that is open
    is_fatal: bool = False    # takes away what it is about


def text(value):
    return json.dumps(value).encode()


def xml(name, inner):
    return f'<{name} xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{inner}</{name}>'.encode()


CORS = xml("CORSConfiguration", "<CORSRule><AllowedMethod>GET</AllowedMethod><AllowedOrigin>https://a.example</AllowedOrigin></CORSRule>")
LIFECYCLE = xml("LifecycleConfiguration", "<Rule><ID>r</ID><Status>Enabled</Status><Filter><Prefix>x</Prefix></Filter>"
                                          "<Expiration><Days>3650</Days></Expiration></Rule>")
NO_PART = xml("CompleteMultipartUpload", f'<Part><PartNumber>7</PartNumber><ETag>"{"0" * 32}"</ETag></Part>')
NO_KEY = xml("Delete", "<Object><Key>gone</Key></Object>")

_KV = "/client/v4/accounts/{account}/storage/kv/namespaces"
_R2 = "/client/v4/accounts/{account}/r2/buckets"
_EVENTS = "/client/v4/accounts/{account}/event_notifications/r2/{bucket}/configuration"
_QUEUES = "/client/v4/accounts/{account}/queues"
NO_LEASE = text({"acks": [{"lease_id": "none"}]})
_D1 = "/client/v4/accounts/{account}/d1/database"

API = {
    "GET /health": Row(NOTHING),
    "GET /metrics": Row("metrics:read"),
    "GET /client/v4/user/tokens/verify": Row(TOKEN),
    "GET /client/v4/user": Row(TOKEN),
    "GET /client/v4/accounts": Row(TOKEN),
    "GET /client/v4/memberships": Row(TOKEN),
    "GET /client/v4/accounts/{account}": Row("account:read"),
    "GET /client/v4/accounts/{account}/audit_logs": Row("account:read"),
    "POST /client/v4/graphql": Row(TOKEN, body=text({"query": "", "variables": {}})),
    f"GET {_KV}": Row("kv:read"),
    f"POST {_KV}": Row("kv:admin", body=text({"title": "subject"}), outcomes=((400, 10014),)),
    f"GET {_KV}/{{namespace}}": Row("kv:read", "namespace"),
    f"PUT {_KV}/{{namespace}}": Row("kv:admin", "namespace", body=text({"title": "subject"})),
    f"DELETE {_KV}/{{namespace}}": Row("kv:admin", "namespace", is_fatal=True),
    f"GET {_KV}/{{namespace}}/keys": Row("kv:read", "namespace"),
    f"GET {_KV}/{{namespace}}/values/{{key*}}": Row("kv:read", "namespace"),
    f"PUT {_KV}/{{namespace}}/values/{{key*}}": Row("kv:write", "namespace", body=b"canary"),
    f"DELETE {_KV}/{{namespace}}/values/{{key*}}": Row("kv:write", "namespace", key="gone"),
    f"GET {_KV}/{{namespace}}/metadata/{{key*}}": Row("kv:read", "namespace"),
    f"PUT {_KV}/{{namespace}}/bulk": Row("kv:write", "namespace", body=text([{"key": "k", "value": "canary"}])),
    f"DELETE {_KV}/{{namespace}}/bulk": Row("kv:write", "namespace", body=text(["gone"])),
    f"POST {_KV}/{{namespace}}/bulk/delete": Row("kv:write", "namespace", body=text(["gone"])),
    f"POST {_KV}/{{namespace}}/bulk/get": Row("kv:read", "namespace", body=text({"keys": ["k"]})),
    f"GET {_QUEUES}": Row("queues:read"),
    f"POST {_QUEUES}": Row("queues:admin", body=text({"queue_name": "subject"}), outcomes=((409, 11009),)),
    f"GET {_QUEUES}/{{queue}}": Row("queues:read", "queue"),
    f"PUT {_QUEUES}/{{queue}}": Row("queues:admin", "queue", body=text({"queue_name": "subject"})),
    f"PATCH {_QUEUES}/{{queue}}": Row("queues:admin", "queue", body=text({"queue_name": "subject"})),
    f"DELETE {_QUEUES}/{{queue}}": Row("queues:admin", "queue", is_fatal=True),
    f"GET {_QUEUES}/{{queue}}/consumers": Row("queues:read", "queue"),
    f"POST {_QUEUES}/{{queue}}/consumers": Row("queues:admin", "queue", body=text({"type": "http_pull"}), outcomes=((409, 11004),)),
    f"GET {_QUEUES}/{{queue}}/consumers/{{consumer}}": Row("queues:read", "queue", outcomes=((404, 7003),)),
    f"PUT {_QUEUES}/{{queue}}/consumers/{{consumer}}": Row("queues:admin", "queue", body=text({"type": "http_pull"}), outcomes=((404, 7003),)),
    f"DELETE {_QUEUES}/{{queue}}/consumers/{{consumer}}": Row("queues:admin", "queue", outcomes=((404, 7003),)),
    f"GET {_QUEUES}/{{queue}}/messages": Row("queues:read", "queue"),
    f"POST {_QUEUES}/{{queue}}/messages": Row("queues:write", "queue", body=text({"body": 1, "delay_seconds": -1}), outcomes=((400, 10203),)),
    f"POST {_QUEUES}/{{queue}}/messages/batch": Row("queues:write", "queue", body=text({"messages": []}), outcomes=((400, 10206),)),
    f"POST {_QUEUES}/{{queue}}/messages/pull": Row("queues:write", "queue"),
    f"POST {_QUEUES}/{{queue}}/messages/ack": Row("queues:write", "queue", body=NO_LEASE),
    f"POST {_QUEUES}/{{queue}}/redrive": Row("queues:write", "queue"),
    f"GET {_QUEUES}/{{queue}}/metrics": Row("queues:read", "queue"),
    f"GET {_QUEUES}/{{queue}}/purge": Row("queues:read", "queue"),
    f"POST {_QUEUES}/{{queue}}/purge": Row("queues:write", "queue", body=text({}), outcomes=((400, 10207),)),
    f"GET {_R2}": Row("r2:read"),
    f"POST {_R2}": Row("r2:admin", body=text({"name": "subject"}), outcomes=((409, 10004),)),
    f"GET {_R2}/{{bucket}}": Row("r2:read", "bucket"),
    f"DELETE {_R2}/{{bucket}}": Row("r2:admin", "bucket", outcomes=((409, 10008),)),
    f"GET {_R2}/{{bucket}}/cors": Row("r2:read", "bucket"),
    f"PUT {_R2}/{{bucket}}/cors": Row("r2:admin", "bucket", body=text({"rules": []})),
    f"DELETE {_R2}/{{bucket}}/cors": Row("r2:admin", "bucket"),
    f"GET {_R2}/{{bucket}}/lifecycle": Row("r2:read", "bucket"),
    f"PUT {_R2}/{{bucket}}/lifecycle": Row("r2:admin", "bucket", body=text({"rules": []})),
    f"GET {_R2}/{{bucket}}/versioning": Row("r2:read", "bucket"),
    f"PUT {_R2}/{{bucket}}/versioning": Row("r2:admin", "bucket", body=text({}), outcomes=((400, 10029),)),
    f"GET {_R2}/{{bucket}}/domains/managed": Row("r2:read", "bucket"),
    f"PUT {_R2}/{{bucket}}/domains/managed": Row("r2:admin", "bucket", body=text({"enabled": False})),
    f"GET {_R2}/{{bucket}}/objects": Row("r2:read", "bucket"),
    f"GET {_R2}/{{bucket}}/objects/{{key*}}": Row("r2:read", "bucket"),
    f"PUT {_R2}/{{bucket}}/objects/{{key*}}": Row("r2:write", "bucket", body=b"other", key="other"),
    f"DELETE {_R2}/{{bucket}}/objects/{{key*}}": Row("r2:write", "bucket", key="gone"),
    f"GET {_EVENTS}": Row("r2:read", "bucket"),
    f"GET {_EVENTS}/queues/{{queue}}": Row("r2:read", "bucket"),
    f"PUT {_EVENTS}/queues/{{queue}}": Row("r2:admin", "bucket", body=text({}), outcomes=((400, 10029),)),
    f"DELETE {_EVENTS}/queues/{{queue}}": Row("r2:admin", "bucket"),
    f"GET {_D1}": Row("d1:read"),
    f"POST {_D1}": Row("d1:admin", body=text({"name": "subject"}), outcomes=((400, 7502),)),
    f"GET {_D1}/{{database}}": Row("d1:read", "database"),
    f"PUT {_D1}/{{database}}": Row("d1:admin", "database", body=text({})),
    f"PATCH {_D1}/{{database}}": Row("d1:admin", "database", body=text({})),
    f"DELETE {_D1}/{{database}}": Row("d1:admin", "database", is_fatal=True),
    f"POST {_D1}/{{database}}/query": Row("d1:read", "database", body=text({"sql": "SELECT 1"})),
    f"POST {_D1}/{{database}}/raw": Row("d1:read", "database", body=text({"sql": "SELECT 1"})),
    f"POST {_D1}/{{database}}/import": Row("d1:write", "database", body=text({"action": "none"}), outcomes=((400, 7400),)),
    f"POST {_D1}/{{database}}/export": Row("d1:read", "database", body=text({}), outcomes=((400, 7400),)),
    f"GET {_D1}/{{database}}/time_travel/bookmark": Row("d1:read", "database"),
    f"POST {_D1}/{{database}}/time_travel/restore": Row("d1:write", "database", outcomes=((400, 7400),)),
    "PUT /client/v4/d1/transfers/{file}": Row(NOTHING, outcomes=((404, 7400),)),
    "GET /client/v4/d1/transfers/{file}": Row(NOTHING, outcomes=((404, 7400),)),
}

API |= {
    "POST /client/v4/accounts/{account}/analytics_engine/sql": Row("analytics:read", body=b"DROP TABLE x", outcomes=(422,)),
    "GET /client/v4/accounts/{account}/analytics_engine/sql": Row("analytics:read", outcomes=(422,)),
    "POST /client/v4/accounts/{account}/analytics_engine/write": Row("analytics:write", outcomes=((400, 10012),)),
}

_COPY = (("x-amz-copy-source", "/subject/k"),)
_PART = (("partNumber", "1"),)

S3 = {
    "ListBuckets": Row(TOKEN),
    "HeadBucket": Row("r2:read", "bucket"),
    "CreateBucket": Row("r2:admin", "bucket", reads_body=True, outcomes=((409, "BucketAlreadyOwnedByYou"),)),
    "DeleteBucket": Row("r2:admin", "bucket", outcomes=((409, "BucketNotEmpty"),)),
    "GetBucketLocation": Row("r2:read", "bucket"),
    "GetBucketEncryption": Row("r2:read", "bucket", outcomes=((404, "ServerSideEncryptionConfigurationNotFoundError"),)),
    "PutBucketEncryption": Row("r2:admin", "bucket", outcomes=((501, "NotImplemented"),)),
    "DeleteBucketEncryption": Row("r2:admin", "bucket", outcomes=((501, "NotImplemented"),)),
    "GetBucketVersioning": Row("r2:read", "bucket"),
    "PutBucketVersioning": Row("r2:admin", "bucket", body=xml("VersioningConfiguration", ""), reads_body=True,
                               outcomes=((400, "IllegalVersioningConfigurationException"),)),
    "GetBucketCors": Row("r2:read", "bucket", outcomes=(200, (404, "NoSuchCORSConfiguration"))),
    "PutBucketCors": Row("r2:admin", "bucket", body=CORS, reads_body=True),
    "DeleteBucketCors": Row("r2:admin", "bucket", outcomes=(204,)),
    "GetBucketLifecycleConfiguration": Row("r2:read", "bucket", outcomes=(200, (404, "NoSuchLifecycleConfiguration"))),
    "PutBucketLifecycleConfiguration": Row("r2:admin", "bucket", body=LIFECYCLE, reads_body=True),
    "DeleteBucketLifecycle": Row("r2:admin", "bucket", outcomes=(204,)),
    "ListObjects": Row("r2:read", "bucket"),
    "ListObjectVersions": Row("r2:read", "bucket"),
    "ListMultipartUploads": Row("r2:read", "bucket"),
    "GetObject": Row("r2:read", "bucket", public=True),
    "HeadObject": Row("r2:read", "bucket", public=True),
    "PutObject": Row("r2:write", "bucket", body=b"other", key="other", reads_body=True),
    "CopyObject": Row("r2:write", "bucket", headers=_COPY, key="other"),
    "DeleteObject": Row("r2:write", "bucket", key="gone", outcomes=(204,)),
    "DeleteObjects": Row("r2:write", "bucket", body=NO_KEY, reads_body=True),
    "CreateMultipartUpload": Row("r2:write", "bucket", key="more"),
    "UploadPart": Row("r2:write", "bucket", query=_PART, body=b"part", reads_body=True, upload=True, key="open"),
    "UploadPartCopy": Row("r2:write", "bucket", query=_PART, headers=_COPY, upload=True, key="open"),
    "CompleteMultipartUpload": Row("r2:write", "bucket", body=NO_PART, reads_body=True, upload=True, key="open",
                                   outcomes=((400, "InvalidPart"),)),
    "AbortMultipartUpload": Row("r2:write", "bucket", key="gone", upload=True, outcomes=((404, "NoSuchUpload"),)),
    "ListParts": Row("r2:read", "bucket", upload=True, key="open"),
}


def named(route):
    return route["operation"] if route["door"] == "s3" else f"{route['method']} {route['pattern']}"


def listed_need(route):
    """(need, parameter, public) as `levada schema --routes` says it."""
    need = route["need"]
    word = need.get("scope", TOKEN) if need["token"] else NOTHING
    return word, need.get("resource", ""), need.get("public", False)


def may(scopes, row, resource):
    """Whether a token of these scopes is let in, by the rule of docs/guide/serve.md."""
    if row.need in (NOTHING, TOKEN):
        return True
    service, action = row.need.split(":")
    for scope in scopes:
        of, level, only = (scope.split(":") + [""])[:3]
        if of in (service, "all") and ACTIONS.index(level) >= ACTIONS.index(action) and only in ("", resource):
            return True
    return False


def can_be_of(service, resource):
    """Whether a token is made for it: a scope that could match nothing is refused."""
    if service in ("kv", "queues"):
        return re.fullmatch("[0-9a-f]{32}", resource)
    if service == "d1":
        return re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", resource)
    return service not in ("account", "analytics", "metrics")


def every_scope(resource, other):
    """Each service and action, alone, of the right resource and of another one."""
    for action in ACTIONS:
        yield f"all:{action}"
        for service in SERVICES:
            yield f"{service}:{action}"
            yield from (f"{service}:{action}:{of}" for of in (resource, other) if can_be_of(service, of))
