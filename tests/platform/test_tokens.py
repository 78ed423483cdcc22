"""Tokens and accounts, from the command line with and without a daemon, and what they may do."""

import datetime
import json
import re
import subprocess
import time

import pytest

from conftest import BINARY
from s3_client import S3, refused


def test_a_token_made_beside_a_running_daemon_works_at_once(daemon):
    made = daemon.issue("kv:read", name="reader")
    assert set(made) == {"account_id", "token", "token_id", "s3_access_key_id", "s3_secret_access_key", "expires_at"}
    assert daemon.v4("GET", "/user/tokens/verify", token=made["token"]).result["id"] == made["token_id"]


def test_a_token_lives_ninety_days_unless_said_otherwise(daemon):
    expires = datetime.datetime.fromisoformat(daemon.issue("kv:read")["expires_at"])
    left = expires - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(days=89) < left < datetime.timedelta(days=91)
    assert daemon.issue("kv:read", expires="never")["expires_at"] is None


def test_an_expired_token_is_refused(daemon):
    made = daemon.issue("kv:read", expires="1s")
    time.sleep(1.1)
    assert daemon.v4("GET", "/user", token=made["token"]).error[:2] == (401, 1000)


def test_a_revocation_holds_when_the_command_returns(daemon):
    made = daemon.issue("all:admin")
    connection = daemon.connect()
    assert daemon.v4("GET", "/user", token=made["token"], connection=connection).status == 200
    daemon.command("token", "revoke", made["token_id"])
    assert daemon.v4("GET", "/user", token=made["token"], connection=connection).error[:2] == (401, 1000)
    connection.close()


def test_a_revocation_holds_for_keys_of_s3_in_use(daemon):
    made = daemon.issue("all:admin")
    s3 = S3(daemon.ready["s3"], made["s3_access_key_id"], made["s3_secret_access_key"])
    for _ in range(2):
        s3.client.list_buckets()
    daemon.command("token", "revoke", made["token_id"])
    with refused((403, "InvalidAccessKeyId")):
        s3.client.list_buckets()


def test_keys_of_s3_in_use_expire(daemon):
    made = daemon.issue("all:admin", expires="3s")
    s3 = S3(daemon.ready["s3"], made["s3_access_key_id"], made["s3_secret_access_key"])
    s3.client.list_buckets()
    time.sleep(3.1)
    with refused((400, "ExpiredToken")):
        s3.client.list_buckets()


def test_a_rotated_token_and_its_old_one_overlap(daemon):
    old = daemon.issue("kv:write", name="ci")
    new = json.loads(daemon.command("token", "rotate", old["token_id"], "--overlap", "6s", "--json").stdout)
    for made in (old, new):
        assert daemon.v4("GET", "/user", token=made["token"]).status == 200
    time.sleep(6.1)
    assert daemon.v4("GET", "/user", token=old["token"]).status == 401
    assert daemon.v4("GET", "/user", token=new["token"]).status == 200
    daemon.command("token", "rotate", old["token_id"], expect=10)


def test_without_a_daemon_the_directory_itself_is_asked(fresh):
    fresh.start()
    fresh.stop()
    made = fresh.issue("kv:read")
    fresh.start()
    assert fresh.v4("GET", "/user", token=made["token"]).status == 200
    listed = json.loads(fresh.command("token", "list", "--json").stdout)
    assert {t["token_id"] for t in listed["tokens"]} >= {made["token_id"]}
    assert made["token"] not in json.dumps(listed)


def test_a_key_elsewhere_is_the_only_one(fresh):
    key = fresh.root / "elsewhere.key"
    fresh.start("--master-key", str(key))
    account, token = fresh.account, fresh.token
    fresh.issue("kv:read")  # the daemon has its key, whoever asks it
    fresh.stop()
    for arguments in (("token", "list"), ("account", "list"), ("account", "create", "other")):
        assert "--master-key" in fresh.command(*arguments, expect=10).stderr
    assert subprocess.run([BINARY, "serve", "--data", fresh.data, "--listen", "127.0.0.1:0"], capture_output=True,
                          timeout=30).returncode == 10
    assert not (fresh.data / "master.key").exists()
    made = fresh.issue("kv:read", **{"master-key": key})
    fresh.start("--master-key", str(key))
    for one in (token, made["token"]):
        assert fresh.v4("GET", "/accounts", token=one).result[0]["id"] == account


def test_a_key_of_another_directory_is_refused(fresh):
    fresh.start()
    fresh.stop()
    key = fresh.root / "other.key"
    key.write_text("other " + "a" * 64 + "\n")
    key.chmod(0o600)
    assert "LV4008" in fresh.command("token", "create", "--scope", "kv:read", "--master-key", str(key), expect=40).stderr


def test_accounts_see_nothing_of_each_other(daemon):
    other = json.loads(daemon.command("account", "create", "other", "--json").stdout)["account_id"]
    made = daemon.issue("all:admin", account=other)
    assert made["account_id"] == other
    assert daemon.v4("GET", "/accounts", token=made["token"]).result[0]["id"] == other
    space = daemon.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "mine"}).result["id"]
    # Not by the account's path, and not by the other's own path.
    assert daemon.v4("GET", f"/accounts/{{account}}/storage/kv/namespaces/{space}", token=made["token"]).error[:2] == (403, 10000)
    assert daemon.v4("GET", f"/accounts/{other}/storage/kv/namespaces/{space}", token=made["token"]).error[:2] == (404, 10013)
    daemon.command("token", "create", "--scope", "kv:read", expect=10)  # which account?


@pytest.mark.parametrize("scope, may", [
    ("kv:read", {"GET"}), ("kv:write", {"GET", "PUT", "DELETE"}), ("kv:admin", {"GET", "PUT", "DELETE", "POST"}),
    ("r2:admin", set()), ("all:read", {"GET"}),
])
def test_a_scope_is_what_a_token_may(fresh, scope, may):
    fresh.start()
    space = fresh.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    fresh.v4("PUT", f"/accounts/{{account}}/storage/kv/namespaces/{space}/values/k", "v")
    token = fresh.issue(scope)["token"]
    calls = {"GET": (f"/{space}/values/k", None), "PUT": (f"/{space}/values/k", "v"), "DELETE": (f"/{space}/values/other", None),
             "POST": ("", {"title": "another"})}
    for method, (path, body) in calls.items():
        answer = fresh.v4(method, "/accounts/{account}/storage/kv/namespaces" + path, body, token=token)
        assert answer.status == (200 if method in may else 403), (method, answer)


def test_a_scope_of_one_namespace(daemon):
    spaces = [daemon.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": t}).result["id"] for t in ("one", "two")]
    token = daemon.issue(f"kv:write:{spaces[0]}", account=daemon.account)["token"]
    for space, status in zip(spaces, (200, 403)):
        path = f"/accounts/{{account}}/storage/kv/namespaces/{space}/values/k"
        assert daemon.v4("PUT", path, "v", token=token).status == status
    assert daemon.v4("GET", "/accounts/{account}/storage/kv/namespaces", token=token).status == 403


def test_a_scope_of_what_is_not_there_yet_is_noted(fresh):
    fresh.start()
    space = fresh.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    assert "notes" not in fresh.issue(f"kv:read:{space}", "kv:read")
    assert fresh.issue("kv:read:" + "0" * 32)["notes"] == [f"kv:read:{'0' * 32}: no namespace with this id is there yet"]
    out = fresh.command("token", "create", "--scope", "r2:read:photos").stdout
    assert "r2:read:photos: no bucket with this name is there yet" in out
    token = out.split()[1]
    assert fresh.v4("POST", "/accounts/{account}/r2/buckets", {"name": "photos"}).status == 200
    assert fresh.v4("GET", "/accounts/{account}/r2/buckets/photos/objects/none", token=token).status == 404


def test_an_account_is_named_by_its_name_too(fresh):
    fresh.start()
    out = fresh.command("account", "create", "analytics").stdout
    assert (words := out.split())[:5] == ["account", "analytics", "has", "the", "id"]
    assert words[5] in fresh.command("account", "create", "analytics", expect=10).stderr
    for said in ("analytics", words[5]):
        assert fresh.issue("kv:read", account=said)["account_id"] == words[5]
    assert "token.create" in fresh.command("audit", "--account", "analytics").stdout


@pytest.mark.parametrize("arguments, word", [
    (("token", "create"), "scope"), (("token", "create", "--scope", "kv"), "SERVICE:ACTION"),
    (("token", "create", "--scope", "kv:read", "--expires", "soon"), "--expires"),
    (("token", "revoke", "0" * 32), "token list"), (("token",), "create, list, revoke, rotate"),
    (("token", "create", "--scope", "kv:write:97dd"), "32 hex digits"), (("token", "create", "--scope", "kv:write:" + "A" * 32), "32 hex"),
    (("token", "create", "--scope", "r2:write:UPPER"), "lower-case"), (("token", "create", "--scope", "metrics:read:x"), "metrics:read"),
    (("token", "create", "--scope", "d2:read"), "all, account, kv, r2, queues, d1, analytics, metrics and"),
    (("token", "create", "--scope", "kv:read", "--expires", "-1d"), "expected a duration"),
    (("account", "create", "default"), "another name"),
    (("token", "revoke"), "TOKEN_ID"), (("account", "create"), "NAME"), (("token", "list", "--account", "x"), "account list"),
])
def test_what_cannot_be_done_is_said(fresh, arguments, word):
    fresh.start()
    assert word in fresh.command(*arguments, expect=10).stderr


def test_a_directory_that_is_none_is_said(fresh):
    assert "no data directory" in fresh.command("token", "list", expect=10).stderr


def test_a_list_fits_a_terminal(fresh):
    fresh.start()
    lines = fresh.shown(80, "token", "list")
    assert len(lines) == 2 and all(len(line) <= 80 for line in lines), lines
    assert re.search(r"  all:admin  \d{4}-\d\d-\d\dT\d\d:\d\dZ$", lines[1])
    fresh.command("token", "revoke", fresh.issue("kv:read")["token_id"])
    assert "revoked" in "".join(fresh.shown(120, "token", "list"))
    assert re.search(r"  default +\d{4}-\d\d-\d\dT\d\d:\d\dZ$", fresh.shown(80, "account", "list")[1])


def test_tables_for_people(daemon):
    out = daemon.command("token", "list", "--account", daemon.account).stdout
    assert "first start" in out and "all:admin" in out and "token id" in out
    assert "default" in daemon.command("account", "list").stdout
