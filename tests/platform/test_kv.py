"""The KV service by its v4 door."""

import base64
import json
import random
import time
import urllib.parse

import pytest

ALL = "/accounts/{account}/storage/kv/namespaces"
counter = 0


@pytest.fixture
def space(daemon):
    global counter
    counter += 1
    return Space(daemon, daemon.v4("POST", ALL, {"title": f"space {counter}"}).result["id"])


class Space:
    def __init__(self, daemon, id):
        self.daemon, self.id = daemon, id

    def call(self, method, path, body=None, **more):
        return self.daemon.v4(method, f"{ALL}/{self.id}{path}", body, **more)

    @staticmethod
    def path(key):
        return "/values/" + urllib.parse.quote(key, safe="")

    def put(self, key, value, query="", **more):
        return self.call("PUT", self.path(key) + query, value, **more)

    def get(self, key):
        return self.call("GET", self.path(key))

    def keys(self, query=""):
        return self.call("GET", "/keys" + query)


def form(**parts):
    body = b"".join(b'--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (k.encode(), v) for k, v in parts.items())
    return body + b"--x--\r\n", {"Content-Type": "multipart/form-data; boundary=x"}


# ---- values


@pytest.mark.parametrize("value", [b"", b"v", bytes(range(256)), b"x" * 4097, b"y" * 100_000, b"z" * (5 << 20)],
                         ids=lambda v: str(len(v)))
def test_a_value_is_its_bytes(space, value):
    assert space.put("key", value).result is None
    answer = space.get("key")
    assert (answer.status, answer.body) == (200, value)


@pytest.mark.parametrize("key", ["a", "a b", "a/b", "a//b/", "é", "a+b", "100%", "?q=1&b", "#", "...", "x" * 512, "\n", "\x00",
                                 "日本", "../../etc/passwd"])
def test_a_key_may_be_anything(space, key):
    assert space.put(key, key.encode()).status == 200
    assert space.get(key).body == key.encode()
    assert [k["name"] for k in space.keys().result] == [key]
    assert space.call("DELETE", space.path(key)).result is None
    assert space.get(key).error[:2] == (404, 10009)


def test_slashes_of_a_key_may_stand_as_they_are(space):
    assert space.call("PUT", "/values/a/b/c", "v").status == 200
    assert space.get("a/b/c").body == b"v"


def test_the_last_write_is_read(space):
    for value in (b"1", b"2" * 70_000, b"3", b""):
        space.put("key", value)
        assert space.get("key").body == value


def test_a_missing_key_may_be_deleted(space):
    assert space.call("DELETE", "/values/none").status == 200


def test_a_form_has_metadata(space):
    body, headers = form(value=b"\x00v", metadata=b'{"a": [1, "\xc3\xa9"]}')
    assert space.put("key", body, headers=headers).status == 200
    assert space.get("key").body == b"\x00v"
    assert space.call("GET", "/metadata/key").result == {"a": [1, "é"]}
    assert space.keys().result[0]["metadata"] == {"a": [1, "é"]}
    space.put("key", "without")
    assert space.call("GET", "/metadata/key").result is None
    assert space.call("GET", "/metadata/none").error[:2] == (404, 10009)


@pytest.mark.parametrize("parts, word", [
    ({"metadata": b"{}"}, "value"), ({"value": b"v", "metadata": b"{"}, "JSON"),
    ({"value": b"v", "metadata": b'"' + b"m" * 1023 + b'"'}, "1025"),
])
def test_a_form_that_is_wrong_writes_nothing(space, parts, word):
    body, headers = form(**parts)
    status, _, message = space.put("key", body, headers=headers).error
    assert status in (400, 413) and word in message
    assert space.get("key").status == 404


# ---- limits


def test_the_limits_of_keys_and_values(space):
    assert space.put("k" * 512, "v").status == 200
    assert "513" in space.put("k" * 513, "v").error[2]
    assert "257" not in space.put("é" * 256, "v").body.decode()
    assert "514" in space.put("é" * 257, "v").error[2]
    for key in (".", ".."):
        assert space.put(key, "v").error[0] == 400
    assert space.put("big", b"b" * (25 << 20)).status == 200
    assert space.put("big", b"b" * ((25 << 20) + 1)).error[0] == 413
    assert len(space.get("big").body) == 25 << 20


def test_an_upload_that_is_too_long_is_refused_before_it_is_sent(space):
    connection = space.daemon.connect()
    connection.putrequest("PUT", f"/client/v4{ALL}/{space.id}/values/k".replace("{account}", space.daemon.account))
    connection.putheader("Authorization", f"Bearer {space.daemon.token}")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    assert connection.getresponse().status == 413
    connection.close()


@pytest.mark.parametrize("query, word", [
    ("?expiration_ttl=59", "at least 60"), ("?expiration_ttl=0", "greater than 0"), ("?expiration_ttl=x", "Invalid"),
    ("?expiration=1", "in the future"), ("?expiration=", "Invalid"), ("?expiration_ttl=60&expiration=1", None),
])
def test_an_expiry_is_a_minute_ahead(space, query, word):
    answer = space.put("key", "v", query)
    if word is None:
        assert answer.status == 200
        return
    assert answer.error[0] == 400 and word in answer.error[2]


def test_an_expiry_is_told(space):
    at = int(time.time()) + 3600
    space.put("key", "v", f"?expiration={at}")
    assert space.get("key").headers["Expiration"] == str(at)
    assert space.keys().result[0]["expiration"] == at
    space.put("key", "v", "?expiration_ttl=7200")
    assert abs(space.keys().result[0]["expiration"] - time.time() - 7200) < 60


# ---- lists


def test_keys_are_listed_page_by_page_in_byte_order(space):
    names = sorted({f"k/{random.Random(i).randrange(500)}" for i in range(100)} | {"a", "z", "é"}, key=str.encode)
    space.call("PUT", "/bulk", [{"key": n, "value": "v"} for n in names])
    for limit in (1, 7, 1000):
        got, cursor = [], ""
        while True:
            answer = space.keys(f"?limit={limit}&cursor={cursor}").json()
            assert answer["result_info"]["count"] == len(answer["result"]) <= limit
            got += [k["name"] for k in answer["result"]]
            cursor = answer["result_info"]["cursor"]
            if not cursor:
                break
        assert got == names
    assert [k["name"] for k in space.keys("?prefix=k%2F").result] == [n for n in names if n.startswith("k/")]
    assert space.keys("?prefix=none").result == []


def test_a_page_is_of_a_thousand(space):
    space.call("PUT", "/bulk", [{"key": f"{i:05}", "value": ""} for i in range(1001)])
    first = space.keys().json()
    assert len(first["result"]) == 1000 and first["result_info"]["cursor"]
    assert len(space.keys("?cursor=" + first["result_info"]["cursor"]).result) == 1


@pytest.mark.parametrize("query", ["?limit=0", "?limit=1001", "?limit=x", "?cursor=rubbish"])
def test_a_list_that_cannot_be(space, query):
    assert space.keys(query).error[0] == 400


# ---- bulks


def test_a_bulk_is_written_and_read(space):
    pairs = [{"key": "text", "value": "é"}, {"key": "bytes", "value": base64.b64encode(b"\x00\xff").decode(), "base64": True},
             {"key": "meta", "value": "v", "metadata": {"m": 1}, "expiration_ttl": 600}]
    assert space.call("PUT", "/bulk", pairs).result == {"successful_key_count": 3, "unsuccessful_keys": []}
    assert space.get("bytes").body == b"\x00\xff"
    read = space.call("POST", "/bulk/get", {"keys": ["text", "none", "meta"]}).result["values"]
    assert read == {"text": "é", "none": None, "meta": "v"} and list(read) == ["text", "none", "meta"]
    read = space.call("POST", "/bulk/get", {"keys": ["meta"], "withMetadata": True}).result["values"]
    assert read["meta"] == {"value": "v", "metadata": {"m": 1}}
    space.put("json", '{"a": 1}')
    assert space.call("POST", "/bulk/get", {"keys": ["json"], "type": "json"}).result["values"] == {"json": {"a": 1}}
    assert space.call("POST", "/bulk/get", {"keys": ["text"], "type": "json"}).error[0] == 400


@pytest.mark.parametrize("method, path", [("DELETE", "/bulk"), ("POST", "/bulk/delete")])
def test_a_bulk_is_deleted(space, method, path):
    space.call("PUT", "/bulk", [{"key": str(i), "value": ""} for i in range(5)])
    assert space.call(method, path, ["1", "3", "none"]).result["successful_key_count"] == 3
    assert [k["name"] for k in space.keys().result] == ["0", "2", "4"]


@pytest.mark.parametrize("body", [{}, [1], [{"key": "a"}], [{"key": "", "value": "v"}], [{"key": "b", "value": 1}],
                                  [{"key": "a", "value": "v"}, {"key": "b", "value": "v", "expiration_ttl": 1}],
                                  [{"key": "a", "value": "!", "base64": True}]])
def test_a_bulk_with_a_mistake_writes_nothing(space, body):
    assert space.call("PUT", "/bulk", body).error[0] == 400
    assert space.keys().result == []


def test_a_bulk_get_is_of_a_hundred(space):
    assert space.call("POST", "/bulk/get", {"keys": [str(i) for i in range(100)]}).status == 200
    assert space.call("POST", "/bulk/get", {"keys": [str(i) for i in range(101)]}).error[0] == 400
    for body in ({}, {"keys": "a"}, {"keys": [1]}, []):
        assert space.call("POST", "/bulk/get", body).error[0] == 400


# ---- namespaces


def test_namespaces_are_made_listed_renamed_and_deleted(fresh):
    fresh.start()
    ids = [fresh.v4("POST", ALL, {"title": t}).result["id"] for t in ("b", "a", "c")]
    listed = fresh.v4("GET", ALL + "?per_page=2&order=title&direction=asc").json()
    assert [n["title"] for n in listed["result"]] == ["a", "b"]
    assert listed["result_info"] == {"page": 1, "per_page": 2, "count": 2, "total_count": 3, "total_pages": 2}
    assert [n["title"] for n in fresh.v4("GET", ALL + "?per_page=2&page=2&order=title&direction=asc").result] == ["c"]
    assert fresh.v4("GET", ALL + "?per_page=2&page=3").result == [], "wrangler asks until a page is empty"
    assert fresh.v4("POST", ALL, {"title": "a"}).error[:2] == (400, 10014)
    assert fresh.v4("PUT", f"{ALL}/{ids[0]}", {"title": "a"}).error[:2] == (400, 10014)
    assert fresh.v4("PUT", f"{ALL}/{ids[0]}", {"title": "new"}).result["title"] == "new"
    assert fresh.v4("GET", f"{ALL}/{ids[0]}").result["title"] == "new"
    fresh.v4("PUT", f"{ALL}/{ids[0]}/values/k", "v")
    assert fresh.v4("DELETE", f"{ALL}/{ids[0]}").result is None
    for method, path in (("GET", ""), ("GET", "/values/k"), ("GET", "/keys"), ("PUT", "/values/k"), ("DELETE", "")):
        assert fresh.v4(method, f"{ALL}/{ids[0]}{path}", "v" if method == "PUT" else None).error[:2] == (404, 10013)


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": 1}, {"title": "t" * 513}, [], "no json"])
def test_a_namespace_needs_a_title(daemon, body):
    assert daemon.v4("POST", ALL, body).error[:2] == (400, 10019)


def test_everything_is_there_after_a_restart(fresh):
    fresh.start()
    space = Space(fresh, fresh.v4("POST", ALL, {"title": "s"}).result["id"])
    values = {f"k{i}": bytes([i]) * (i * 700) for i in range(100)}
    for key, value in values.items():
        assert space.put(key, value).status == 200
    fresh.kill()
    fresh.start()
    for key, value in values.items():
        assert space.get(key).body == value, key
