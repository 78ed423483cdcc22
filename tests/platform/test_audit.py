"""The audit log, from the command line with and without a daemon, and through the v4 API."""

import datetime
import json
import re

import pytest

SPACES = "/accounts/{account}/storage/kv/namespaces"
LOGS = "/accounts/{account}/audit_logs"


def entries(daemon, *options):
    """`levada audit --json`: an object a line."""
    lines = daemon.command("audit", "--json", *options).stdout.splitlines()
    return [json.loads(line) for line in lines]


def make_space(daemon, title, **more):
    return daemon.v4("POST", SPACES, {"title": title}, **more).result["id"]


def test_every_change_is_an_entry_with_who_and_from_where(fresh):
    fresh.start()
    made = fresh.issue("kv:admin", name="ci")
    space = make_space(fresh, "sessions", token=made["token"])
    fresh.v4("PUT", f"{SPACES}/{space}", {"title": "renamed"}, token=made["token"])
    fresh.v4("PUT", f"{SPACES}/{space}/values/k", "a value", token=made["token"])
    fresh.v4("DELETE", f"{SPACES}/{space}", token=made["token"])
    fresh.command("token", "revoke", made["token_id"])
    seen = entries(fresh)
    assert [(e["action"], e["who"], e["from"]) for e in reversed(seen)] == [
        ("account.create", "first start", ""), ("token.create", "first start", ""), ("token.create", "cli", ""),
        ("namespace.create", f"token {made['token_id']}", "127.0.0.1"),
        ("namespace.rename", f"token {made['token_id']}", "127.0.0.1"),
        ("namespace.delete", f"token {made['token_id']}", "127.0.0.1"), ("token.revoke", "cli", "")]
    assert {e["account_id"] for e in seen} == {fresh.account}
    assert seen[-4]["subject"] == f"{space} sessions"
    assert [e["row"] for e in seen] == list(range(7, 0, -1))
    ages = [datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.fromisoformat(e["at"]) for e in seen]
    assert all(datetime.timedelta(0) <= age < datetime.timedelta(minutes=5) for age in ages)
    assert made["token"] not in json.dumps(seen)


def test_without_a_daemon_the_directory_itself_is_asked(fresh):
    fresh.start()
    fresh.issue("kv:read")
    beside = entries(fresh)
    fresh.stop()
    assert entries(fresh) == beside and len(beside) == 3
    fresh.start()
    assert entries(fresh) == beside, "to look is no change"


def test_one_page_behind_another(fresh):
    fresh.start()
    for i in range(5):
        make_space(fresh, f"s{i}")
    everything = entries(fresh)
    assert len(everything) == 7
    paged, before = [], ()
    while page := entries(fresh, "--limit", "3", *before):
        paged += page
        before = ("--before", str(page[-1]["row"]))
    assert paged == everything
    assert entries(fresh, "--before", "1") == []
    assert entries(fresh, "--limit", "1000000") == everything


def test_more_than_one_answer_of_the_daemon_holds(fresh):
    fresh.start()
    connection = fresh.connect()
    for i in range(1001):
        assert fresh.v4("POST", SPACES, {"title": f"s{i}"}, connection=connection).status == 200
    connection.close()
    rows = [e["row"] for e in entries(fresh, "--limit", "1002")]
    assert rows == list(range(1003, 1, -1))


def test_of_one_account(fresh):
    fresh.start()
    other = json.loads(fresh.command("account", "create", "other", "--json").stdout)["account_id"]
    fresh.issue("all:admin", account=other)
    assert [e["action"] for e in entries(fresh, "--account", other)] == ["token.create", "account.create"]
    assert {e["account_id"] for e in entries(fresh)} == {fresh.account, other}
    assert "account list" in fresh.command("audit", "--account", "nobody", expect=10).stderr


def test_a_table_for_people(fresh):
    fresh.start()
    make_space(fresh, "sessions")
    lines = fresh.command("audit", "--limit", "2").stdout.splitlines()
    assert lines[0].split() == ["row", "when", "who", "from", "action", "subject"]
    assert len(lines) == 5 and lines[4] == "older ones: levada audit --before 2"
    for title in ("when", "who", "action", "subject"):
        at = lines[0].index(title)
        assert all(line[at - 1] == " " and line[at] != " " for line in lines[1:3]), (title, lines)
    assert "sessions" in lines[1] and "first start" in lines[2]
    assert fresh.command("audit", "--before", "1").stdout == "no entries\n"
    assert "older ones" not in fresh.command("audit", "--limit", "3").stdout, "there is none"
    fresh.command("account", "create", "other")
    assert "account" in fresh.command("audit").stdout.splitlines()[0].split(), "of several the account is a column"


@pytest.mark.parametrize("width", [80, 120, 200])
def test_who_is_never_cut(fresh, width):
    fresh.start()
    made = fresh.issue("all:admin")
    space = make_space(fresh, "sessions", token=made["token"])
    lines = fresh.shown(width, "audit")
    assert all(len(line) <= width for line in lines), lines
    text = " ".join(line[lines[0].index("who"):] for line in lines)
    assert made["token_id"] in text if width > 80 else f"{made['token_id'][:8]}..." in text, lines
    assert space in text if width > 80 else f"{space[:8]}..." in text
    assert re.search(r"T\d\d:\d\d:\d\dZ ", lines[1]) and "namespace.create" in text and "first start" in " ".join(text.split())


@pytest.mark.parametrize("arguments, word", [
    (("--limit", "0"), "1 to 1000000"), (("--limit", "many"), "--limit"), (("--before", "-1"), "--before"),
    (("--before", "0"), "from 1"), (("extra",), "takes no arguments"), (("--befor", "1"), "--before"),
])
def test_what_cannot_be_asked_is_said(fresh, arguments, word):
    assert word in fresh.command("audit", *arguments, expect=10).stderr


def test_a_directory_that_is_none_is_said(fresh):
    assert "no data directory" in fresh.command("audit", expect=10).stderr


# ---- GET /accounts/{account}/audit_logs


@pytest.fixture(scope="module")
def logged(daemon):
    """A daemon with an audit log of four entries, the last by a token."""
    daemon.made = daemon.issue("kv:admin", name="ci")
    daemon.space = make_space(daemon, "sessions", token=daemon.made["token"])
    return daemon


def listed(daemon, query="", **more):
    return daemon.v4("GET", LOGS + query, **more).result


def test_the_api_shows_the_same_entries(logged):
    answer = logged.v4("GET", LOGS).json()
    assert answer["result_info"] == {"page": 1, "per_page": 100, "count": 4}
    assert [(e["id"], e["when"], e["action"]["type"], e["metadata"]["subject"]) for e in answer["result"]] == \
        [(str(e["row"]), e["at"], e["action"], e["subject"]) for e in entries(logged)]
    entry = answer["result"][0]
    token = logged.made["token_id"]
    assert entry["actor"] == {"id": token, "email": logged.v4("GET", "/user", token=logged.made["token"]).result["email"],
                              "ip": "127.0.0.1", "type": "user"}
    assert (entry["interface"], entry["owner"], entry["action"]["result"]) == ("API", {"id": logged.account}, True)
    assert entry["resource"] == {"type": "namespace", "id": logged.space}
    assert [e["actor"]["type"] for e in answer["result"]] == ["user", "admin", "Cloudflare", "Cloudflare"]


@pytest.mark.parametrize("query, ids", [
    ("?per_page=2", ["4", "3"]), ("?per_page=2&page=2", ["2", "1"]), ("?per_page=2&page=3", []), ("?direction=asc", ["1", "2", "3", "4"]),
    ("?id=2", ["2"]), ("?id=99", []), ("?action.type=token.create", ["3", "2"]), ("?action.type=none", []),
    ("?actor.ip=127.0.0.1", ["4"]), ("?since=2020-01-01", ["4", "3", "2", "1"]), ("?before=2020-01-01T00:00:00Z", []),
    ("?since=2100-01-01", []), ("?actor.email=somebody%40example.com", []), ("?zone.name=example.com", []),
    ("?hide_user_logs=true&export=false", ["4", "3", "2", "1"]),
])
def test_the_api_is_asked_for_a_part(logged, query, ids):
    assert [e["id"] for e in listed(logged, query)] == ids


def test_the_api_is_asked_for_one_actor(logged):
    email = listed(logged)[0]["actor"]["email"].replace("@", "%40")
    assert [e["id"] for e in listed(logged, f"?actor.email={email}")] == ["4"]


def test_the_api_is_asked_for_a_time(logged):
    when = listed(logged, "?id=4")[0]["when"]
    assert [e["id"] for e in listed(logged, f"?since={when}")] == ["4"]
    assert [e["id"] for e in listed(logged, f"?before={when}")] == ["3", "2", "1"]


@pytest.mark.parametrize("query, word", [
    ("?page=0", "page"), ("?per_page=1001", "1 to 1000"), ("?since=soon", "since"), ("?before=2026-13-01", "before"),
    ("?direction=up", "asc or desc"), ("?export=true", "export"), ("?actor.ip=10.0.0.0/8", "one address"), ("?id=x", "id"),
])
def test_what_the_api_cannot_be_asked(logged, query, word):
    status, code, message = logged.v4("GET", LOGS + query).error
    assert (status, code) == (400, 10012) and word in message


def test_the_api_needs_the_scope_and_shows_one_account(fresh):
    fresh.start()
    other = json.loads(fresh.command("account", "create", "other", "--json").stdout)["account_id"]
    reader = fresh.issue("account:read", account=other)
    path = f"/accounts/{other}/audit_logs"
    assert [e["action"]["type"] for e in fresh.v4("GET", path, token=reader["token"]).result] == ["token.create", "account.create"]
    assert fresh.v4("GET", LOGS, token=reader["token"]).status == 403, "another account's"
    assert fresh.v4("GET", path, token=fresh.issue("kv:admin", account=other)["token"]).status == 403
    assert fresh.v4("GET", path, token="").status == 401
