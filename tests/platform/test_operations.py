"""What an operator sees of the daemon: its log, its metrics, its configuration, its signals."""

import json
import random

import pytest

from conftest import wait_until

SPACES = "/accounts/{account}/storage/kv/namespaces"


def lines(daemon, **fields):
    """The lines of the log with these values."""
    found = [json.loads(line) for line in daemon.logged().splitlines() if line.startswith("{")]
    return [line for line in found if fields.items() <= line.items()]


def line_of(daemon, answer):
    """The line that has the answer's id: written behind the answer."""
    return wait_until(lambda: lines(daemon, request=answer.headers["cf-ray"]), "the request is logged")[0]


# ---- the log


def test_a_refused_request_is_logged_with_its_id_and_without_its_token(fresh):
    fresh.start()
    answer = fresh.v4("GET", "/accounts?page=7", token="levada_hunter2")
    line = line_of(fresh, answer)
    assert (line["message"], line["level"], line["status"], line["door"]) == ("request refused", "info", 401, "api")
    assert (line["method"], line["path"], line["peer"]) == ("GET", "/client/v4/accounts?page", "127.0.0.1")
    assert "hunter2" not in fresh.logged()


def test_an_unknown_route_is_logged(fresh):
    fresh.start()
    line = line_of(fresh, fresh.request("GET", "/client/v4/zones"))
    assert (line["message"], line["status"]) == ("no such route", 404)


def test_ordinary_requests_are_logged_when_all_are_wanted(fresh):
    fresh.start()
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    fresh.v4("GET", f"{SPACES}/{space}/values/none")
    fresh.stop()
    assert not lines(fresh, door="api")
    fresh.start("--log-requests", "all")
    made = fresh.issue("kv:write")
    answer = fresh.v4("PUT", f"{SPACES}/{space}/values/k?expiration_ttl=3600", "the value", token=made["token"])
    line = line_of(fresh, answer)
    assert (line["message"], line["level"], line["status"]) == ("request", "info", 200)
    assert line["path"].endswith(f"/{space}/values/k?expiration_ttl") and "3600" not in line["path"]
    assert (line["account"], line["token"]) == (fresh.account, made["token_id"])
    assert line["bytes_in"] > len("the value") and line["bytes_out"] > len(answer.body) and line["ms"] > 0
    assert "the value" not in fresh.logged() and made["token"] not in fresh.logged()


def test_a_slow_request_is_logged(fresh):
    fresh.start("--slow-request", "1ms")
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    line = line_of(fresh, fresh.v4("PUT", f"{SPACES}/{space}/values/k", b"v" * (20 << 20)))
    assert line["message"] == "slow request" and line["ms"] >= 1


def test_the_log_names_what_the_answer_does_not(fresh):
    fresh.start()
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    fresh.v4("PUT", f"{SPACES}/{space}/values/k", random.Random(1).randbytes(1 << 20))
    for _ in range(2):  # the second start brings it from the log into a file of its own
        fresh.stop()
        fresh.start()
    fresh.stop()
    blob, = [path for path in (fresh.data / "kv").glob("*.blob") if path.stat().st_size > 1 << 19]
    with open(blob, "r+b") as file:
        file.seek(1 << 19)
        file.write(b"x")
    fresh.start()
    answer = fresh.v4("GET", f"{SPACES}/{space}/values/k")
    assert answer.status == 500 and "blob" not in answer.body.decode()
    line = line_of(fresh, answer)
    assert (line["level"], line["message"]) == ("error", "request failed") and "LV4008" in line["cause"]


def test_a_log_for_people(fresh):
    fresh.start("--log-format", "text", "--log-requests", "all")
    answer = fresh.v4("GET", "/user")
    wait_until(lambda: answer.headers["cf-ray"] in fresh.logged(), "the request is logged")
    assert "door=api method=GET path=/client/v4/user status=200" in fresh.logged()


@pytest.mark.parametrize("options, word", [
    (("--log-requests", "some"), "all, notable"), (("--slow-request", "soon"), "500ms"),
])
def test_options_of_the_log_that_cannot_be(fresh, options, word):
    assert word in fresh.command("serve", *options, expect=10).stderr
