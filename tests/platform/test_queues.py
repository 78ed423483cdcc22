"""Queues by their v4 door."""

import base64
import json
import time

import pytest

ALL = "/accounts/{account}/queues"
counter = 0


def base64_of(value):
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


class Queue:
    def __init__(self, daemon, name=None, **body):
        global counter
        counter += 1
        self.daemon, self.name = daemon, name or f"queue-{counter}"
        self.id = daemon.v4("POST", ALL, {"queue_name": self.name, **body}).result["queue_id"]

    def call(self, method, path="", body=None, **more):
        return self.daemon.v4(method, f"{ALL}/{self.id}{path}", body, **more)

    def shown(self):
        return self.call("GET").result

    def pulled_by_http(self, **body):
        return self.call("POST", "/consumers", {"type": "http_pull", **body}).result

    def send(self, body, **more):
        return self.call("POST", "/messages", {"body": body, **more}).result

    def pull(self, **body):
        return self.call("POST", "/messages/pull", body).result["messages"]

    def ack(self, acks=(), retries=()):
        retries = [r if isinstance(r, tuple) else (r, None) for r in retries]
        return self.call("POST", "/messages/ack", {
            "acks": [{"lease_id": m["lease_id"]} for m in acks],
            "retries": [{"lease_id": m["lease_id"], **({} if delay is None else {"delay_seconds": delay})} for m, delay in retries],
        }).result

    def count(self):
        return self.call("GET", "/metrics").result["backlog_count"]

    def peek(self, query=""):
        return self.call("GET", "/messages" + query).result["messages"]

    def wait_for(self, seconds=20, **body):
        """What a pull gets as soon as it gets something."""
        deadline = time.monotonic() + seconds
        while not (messages := self.pull(**body)):
            assert time.monotonic() < deadline, "no message came"
            time.sleep(0.05)
        return messages


@pytest.fixture
def queue(daemon):
    queue = Queue(daemon)
    queue.consumer = queue.pulled_by_http()
    return queue


# ---- queues


def test_a_queue_shows_what_wrangler_asks_for(daemon):
    queue = Queue(daemon, "shown")
    shown = queue.shown()
    assert (shown["queue_name"], shown["producers_total_count"], shown["consumers_total_count"], shown["consumers"]) == ("shown", 0, 0, [])
    assert shown["settings"] == {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}
    assert shown["created_on"] == shown["modified_on"]
    assert len(shown["queue_id"]) == 32
    assert daemon.v4("GET", ALL + "?name=shown").result == [shown]


def test_lists_have_pages_and_names(fresh):
    fresh.start()
    queues = [Queue(fresh, f"n{i}") for i in range(5)]
    listed = lambda query: [q["queue_name"] for q in fresh.v4("GET", ALL + query).result]
    assert listed("") == ["n0", "n1", "n2", "n3", "n4"]
    assert listed("?page=2&per_page=2") == ["n2", "n3"]
    assert listed("?page=4&per_page=2") == []
    assert listed("?page=2") == []
    assert listed("?name=n3&name=n1&name=none") == ["n1", "n3"]
    assert listed("?name=none") == []
    info = fresh.v4("GET", ALL + "?per_page=2").json()["result_info"]
    assert (info["page"], info["per_page"], info["count"], info["total_count"], info["total_pages"]) == (1, 2, 2, 5, 3)
    assert queues[0].call("DELETE").result is None
    assert listed("") == ["n1", "n2", "n3", "n4"]
    assert queues[0].call("GET").error[:2] == (404, 11000)
    assert queues[0].call("POST", "/messages", {"body": 1}).error[:2] == (404, 10104)


def test_settings_are_changed_one_by_one_or_all(daemon):
    queue = Queue(daemon, settings={"delivery_delay": 5, "message_retention_period": 60})
    patched = queue.call("PATCH", "", {"queue_name": queue.name, "settings": {"delivery_paused": True}}).result["settings"]
    assert patched == {"delivery_delay": 5, "delivery_paused": True, "message_retention_period": 60}
    put = queue.call("PUT", "", {"queue_name": queue.name, "settings": {"delivery_delay": 6}}).result["settings"]
    assert put == {"delivery_delay": 6, "delivery_paused": False, "message_retention_period": 345600}
    assert queue.shown()["settings"] == put
    assert queue.shown()["modified_on"] > queue.shown()["created_on"]


def test_a_queue_gets_another_name(daemon):
    queue, other = Queue(daemon), Queue(daemon)
    assert queue.call("PATCH", "", {"queue_name": other.name}).error[:2] == (409, 11009)
    assert queue.call("PATCH", "", {"queue_name": "renamed"}).result["queue_name"] == "renamed"
    assert daemon.v4("GET", f"{ALL}?name={queue.name}").result == []


@pytest.mark.parametrize("settings", [{"delivery_delay": -1}, {"delivery_delay": 86401}, {"message_retention_period": 59},
                                      {"message_retention_period": 1209601}])
def test_settings_have_limits(daemon, settings):
    assert daemon.v4("POST", ALL, {"queue_name": "limits", "settings": settings}).error[:2] == (400, 100128)
    queue = Queue(daemon)
    assert queue.call("PATCH", "", {"settings": settings}).error[:2] == (400, 100128)
    assert daemon.v4("GET", ALL + "?name=limits").result == []


@pytest.mark.parametrize("body", ["", "{", "[]", "1", '{"queue_name": 1}', '{"queue_name": ""}', '{"queue_name": "a b"}',
                                  '{"queue_name": "q", "settings": []}', '{"queue_name": "q", "settings": {"delivery_delay": "1"}}',
                                  '{"queue_name": "q", "settings": {"delivery_paused": 1}}',
                                  '{"queue_name": "q", "settings": {"delivery_delay": 1.5}}'])
def test_what_is_no_queue_is_refused(daemon, body):
    assert daemon.v4("POST", ALL, body).error[0] == 400


# ---- consumers


def test_a_consumer_comes_and_goes(daemon):
    queue = Queue(daemon)
    body = {"type": "worker", "script_name": "eater", "environment_name": "", "dead_letter_queue": queue.name + "-dead",
            "settings": {"batch_size": 7, "max_retries": 2, "max_wait_time_ms": 2000, "max_concurrency": 3, "retry_delay": 4}}
    made = queue.call("POST", "/consumers", body).result
    assert (made["type"], made["script"], made["dead_letter_queue"], made["settings"]) == (
        "worker", "eater", queue.name + "-dead", body["settings"])
    assert queue.shown()["consumers"] == [made] and queue.shown()["consumers_total_count"] == 1
    assert queue.call("GET", "/consumers").result == [made]
    at = "/consumers/" + made["consumer_id"]
    assert queue.call("GET", at).result == made
    assert queue.call("POST", "/consumers", body).error[:2] == (409, 11004)
    assert queue.call("POST", "/messages/pull", {}).error[0] == 400, "it is pushed to"
    changed = queue.call("PUT", at, {"type": "worker", "script_name": "eater", "settings": {"batch_size": 8}}).result
    assert changed["settings"]["batch_size"] == 8 and changed["settings"]["max_retries"] == 3
    assert changed["consumer_id"] == made["consumer_id"] and "dead_letter_queue" not in changed
    assert queue.call("DELETE", at).result is None
    assert queue.call("DELETE", at).error[0] == 404
    assert queue.call("GET", at).error[0] == 404
    assert queue.shown()["consumers"] == []


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"batch_size": 101}, {"max_retries": 101}, {"max_retries": -1},
                                      {"retry_delay": 86401}, {"visibility_timeout_ms": 43_200_001}])
def test_consumers_have_limits(daemon, settings):
    queue = Queue(daemon)
    assert queue.call("POST", "/consumers", {"type": "http_pull", "settings": settings}).error[:2] == (400, 100127)
    assert queue.shown()["consumers"] == []


def test_what_is_no_consumer_is_refused(daemon):
    queue = Queue(daemon)
    for body in ({}, {"type": "r2_bucket"}, {"type": "worker"}, {"type": "worker", "script_name": ""},
                 {"type": "http_pull", "dead_letter_queue": 1}, {"type": "http_pull", "settings": 1},
                 {"type": "http_pull", "dead_letter_queue": "a b"}):
        assert queue.call("POST", "/consumers", body).error[0] == 400, body
    assert queue.call("POST", "/consumers", {"type": "http_pull", "dead_letter_queue": queue.name}).error[:2] == (400, 100127)


def test_a_dead_letter_queue_stays_while_it_is_one(daemon):
    queue, dead = Queue(daemon), Queue(daemon)
    queue.pulled_by_http(dead_letter_queue=dead.name)
    status, _, message = dead.call("DELETE").error
    assert status == 409 and queue.name in message
    dead.call("PATCH", "", {"queue_name": dead.name + "-moved"})
    assert queue.shown()["consumers"][0]["dead_letter_queue"] == dead.name + "-moved"
    queue.call("DELETE")
    assert dead.call("DELETE").result is None


# ---- messages


def test_a_message_is_pulled_and_acknowledged(queue):
    before = int(time.time() * 1000)
    metrics = queue.send({"a": [1, "é"]})["metadata"]["metrics"]
    assert metrics["backlog_count"] == 1 and metrics["backlog_bytes"] > 0
    assert before - 1000 <= metrics["oldest_message_timestamp_ms"] <= time.time() * 1000 + 1000
    pulled = queue.call("POST", "/messages/pull", {"batch_size": 10, "visibility_timeout_ms": 60000}).result
    assert pulled["message_backlog_count"] == 1
    message, = pulled["messages"]
    assert json.loads(base64.b64decode(message["body"])) == {"a": [1, "é"]}
    assert message["attempts"] == 1 and before - 1000 <= message["timestamp_ms"] <= time.time() * 1000 + 1000
    assert message["metadata"]["CF-Content-Type"] == "json" and message["metadata"]["CF-sourceMessageSource"]
    assert queue.pull() == [], "it is in somebody's hands"
    assert queue.ack([message]) == {"ackCount": 1, "retryCount": 0, "warnings": []}
    assert queue.count() == 0


@pytest.mark.parametrize("type, sent, body", [
    ("text", "wörds", "wörds"), ("text", "", ""), ("json", "text", base64_of('"text"')), ("json", None, base64_of("null")),
    ("json", [1, 2.5, {"b": True}], base64_of('[1,2.5,{"b":true}]')), ("bytes", base64_of(bytes(range(256))), base64_of(bytes(range(256)))),
])
def test_a_body_is_of_its_type(queue, type, sent, body):
    queue.send(sent, content_type=type)
    message, = queue.pull()
    assert (message["body"], message["metadata"]["CF-Content-Type"]) == (body, type)


def test_a_batch_is_taken_whole_or_not(queue):
    many = [{"body": str(i), "content_type": "text"} for i in range(100)]
    assert queue.call("POST", "/messages/batch", {"messages": many}).result["metadata"]["metrics"]["backlog_count"] == 100
    bodies = [m["body"] for m in queue.pull(batch_size=100)]
    assert sorted(bodies) == sorted(m["body"] for m in many)
    for bad, code in ((many + many[:1], 10206), ([], 10206), (many[:1] + [{"body": 1, "content_type": "text"}], 10207),
                      (many[:1] + [{}], 10207), ([1], 10207), (many[:1] + [{"body": 1, "delay_seconds": 86401}], 10203),
                      ([{"body": "x" * 90_000, "content_type": "text"}] * 3, 10205)):
        assert queue.call("POST", "/messages/batch", {"messages": bad}).error[1] == code
    assert queue.count() == 100


def test_the_limits_of_a_message(queue):
    queue.send("x" * 128_000, content_type="text")
    assert queue.call("POST", "/messages", {"body": "x" * 128_001, "content_type": "text"}).error[:2] == (413, 10204)
    assert queue.call("POST", "/messages", b" " * (2 << 20) + b"{}").error[0] == 413
    for body in ("{", "[]", {}, {"body": 1, "content_type": "xml"}, {"body": 1, "content_type": "text"},
                 {"body": "!", "content_type": "bytes"}, {"body": 1, "delay_seconds": "1"}, {"body": 1, "delay_seconds": -1}):
        assert queue.call("POST", "/messages", body).error[0] == 400, body
    for body in ({"batch_size": 0}, {"batch_size": 101}, {"visibility_timeout_ms": 43_200_001}, {"batch_size": "1"}, "["):
        assert queue.call("POST", "/messages/pull", body).error[0] == 400, body
    for body in ({"acks": [{}]}, {"acks": {}}, {"acks": [{"lease_id": "x"}] * 101}, {"retries": [{"lease_id": "x", "delay_seconds": 86401}]}):
        assert queue.call("POST", "/messages/ack", body).error[0] == 400, body
    assert queue.count() == 1


def test_a_delayed_message_waits(queue):
    queue.send("later", content_type="text", delay_seconds=2)
    queue.send("now", content_type="text")
    assert [m["body"] for m in queue.pull()] == ["now"]
    assert [m["body"] for m in queue.wait_for()] == ["later"]


def test_the_queue_delays_what_does_not_say(daemon):
    queue = Queue(daemon, settings={"delivery_delay": 3600})
    queue.pulled_by_http()
    queue.send("own", content_type="text", delay_seconds=0)
    queue.send("the queue's", content_type="text")
    queue.call("POST", "/messages/batch", {"delay_seconds": 0, "messages": [{"body": "the batch's", "content_type": "text"}]})
    assert sorted(m["body"] for m in queue.pull()) == ["own", "the batch's"]


def test_a_lease_runs_out(queue):
    queue.send("again", content_type="text")
    first, = queue.pull(visibility_timeout_ms=100)
    second, = queue.wait_for()
    assert (first["id"], first["attempts"], second["attempts"]) == (second["id"], 1, 2)
    late = queue.ack([first])
    assert late["ackCount"] == 0 and first["lease_id"] in late["warnings"][0] and "delivered again" in late["warnings"][0]
    assert queue.ack([second])["ackCount"] == 1
    gone = queue.ack([second], [first])
    assert (gone["ackCount"], gone["retryCount"], len(gone["warnings"])) == (0, 0, 2)
    assert "not there any more" in gone["warnings"][0]


def test_a_late_ack_of_the_last_delivery_holds(queue):
    queue.send("late", content_type="text")
    message, = queue.pull(visibility_timeout_ms=1)
    time.sleep(0.1)
    assert queue.ack([message]) == {"ackCount": 1, "retryCount": 0, "warnings": []}
    assert queue.count() == 0


def test_a_lease_of_another_queue_is_none(daemon, queue):
    other = Queue(daemon)
    other.pulled_by_http()
    other.send("x")
    message, = other.pull()
    answer = queue.ack([message, {"lease_id": "made up"}, {"lease_id": ""}])
    assert answer["ackCount"] == 0 and len(answer["warnings"]) == 3 and "not a lease of this queue" in answer["warnings"][0]
    assert other.count() == 1


def test_a_retry_comes_again(queue):
    for body in ("now", "later"):
        queue.send(body, content_type="text")
    messages = {m["body"]: m for m in queue.pull()}
    assert queue.ack(retries=[messages["now"], (messages["later"], 3600)]) == {"ackCount": 0, "retryCount": 2, "warnings": []}
    again, = queue.pull()
    assert (again["body"], again["attempts"]) == ("now", 2)
    assert queue.count() == 2


def test_what_is_never_done_is_dead(daemon):
    queue = Queue(daemon)
    queue.pulled_by_http(dead_letter_queue=queue.name + "-dead", settings={"max_retries": 1})
    listed, = daemon.v4("GET", f"{ALL}?name={queue.name}-dead").result
    dead = Queue.__new__(Queue)
    dead.daemon, dead.name, dead.id = daemon, listed["queue_name"], listed["queue_id"]
    dead.pulled_by_http()
    queue.send("poison", content_type="text")
    for attempt in (1, 2):
        message, = queue.pull()
        assert message["attempts"] == attempt
        queue.ack(retries=[message])
    assert queue.pull() == []
    assert (queue.count(), dead.count()) == (0, 1)
    # Looked at, and sent back to where it came from.
    seen, = dead.peek()
    assert seen["body"] == "poison" and "lease_id" not in seen
    assert dead.call("POST", "/redrive", {}).result == {"moved": 1}
    message, = queue.pull()
    assert (message["body"], message["attempts"]) == ("poison", 1)


def test_a_message_without_a_dead_letter_queue_is_gone(daemon):
    queue = Queue(daemon)
    queue.pulled_by_http(settings={"max_retries": 0})
    queue.send("once")
    message, = queue.pull()
    assert queue.ack(retries=[message])["retryCount"] == 1
    assert queue.pull() == [] and queue.count() == 0


def test_a_paused_queue_takes_and_gives_nothing(queue):
    queue.call("PATCH", "", {"settings": {"delivery_paused": True}})
    queue.send("waits", content_type="text")
    assert queue.pull() == [] and queue.count() == 1
    queue.call("PATCH", "", {"settings": {"delivery_paused": False}})
    assert [m["body"] for m in queue.pull()] == ["waits"]


def test_a_purge_takes_all(queue):
    for i in range(5):
        queue.send(i)
    message, *_ = queue.pull(batch_size=1)
    assert "started_at" not in queue.call("GET", "/purge").result
    assert queue.call("POST", "/purge", {}).error[0] == 400
    assert queue.count() == 5
    purged = queue.call("POST", "/purge", {"delete_messages_permanently": True}).result
    assert (purged["completed"], purged["deleted_count"]) == ("true", 5)
    assert queue.call("GET", "/purge").result["started_at"] == purged["started_at"]
    assert queue.count() == 0 and queue.ack([message])["ackCount"] == 0
    queue.send("next")
    assert queue.count() == 1


def test_looking_changes_nothing(queue):
    for i in range(5):
        queue.send(str(i), content_type="text", delay_seconds=3600)
    first = queue.call("GET", "/messages?limit=3").json()
    assert [m["body"] for m in first["result"]["messages"]] == ["0", "1", "2"]
    rest = queue.call("GET", f"/messages?limit=3&cursor={first['result_info']['cursor']}").json()
    assert [m["body"] for m in rest["result"]["messages"]] == ["3", "4"]
    assert queue.call("GET", "/messages?cursor=x").error[0] == 400
    assert queue.count() == 5


def test_without_a_consumer_nothing_is_pulled(daemon):
    queue = Queue(daemon)
    queue.send("waits")
    status, _, message = queue.call("POST", "/messages/pull", {}).error
    assert status == 400 and "http_pull" in message
    assert [m["body"] for m in queue.peek()] == [base64_of('"waits"')]


# ---- who may


def test_scopes(daemon, queue):
    other = Queue(daemon)
    reader, writer = (daemon.issue(f"queues:{action}")["token"] for action in ("read", "write"))
    only = daemon.issue(f"queues:write:{queue.id}")["token"]
    assert queue.call("GET", token=reader).status == 200
    assert queue.call("POST", "/messages", {"body": 1}, token=reader).error[0] == 403
    assert queue.call("POST", "/messages", {"body": 1}, token=writer).status == 200
    assert queue.call("DELETE", token=writer).error[0] == 403
    assert queue.call("POST", "/consumers", {"type": "http_pull"}, token=writer).error[0] == 403
    assert queue.call("POST", "/messages", {"body": 1}, token=only).status == 200
    assert other.call("POST", "/messages", {"body": 1}, token=only).error[0] == 403
    assert daemon.v4("GET", ALL, token=only).error[0] == 403
    # What it takes from one queue it must not send to another.
    assert queue.call("POST", "/redrive", {"queue_name": other.name}, token=only).error[0] == 403
    assert queue.call("POST", "/redrive", {"queue_name": other.name}, token=writer).result["moved"] == 2
    assert other.count() == 2
    assert other.call("POST", "/redrive", {"queue_name": other.name}).error[0] == 400
    assert "32 hex digits" in daemon.command("token", "create", "--scope", "queues:read:name", expect=None).stderr


# ---- across restarts


def test_everything_is_there_after_a_kill(fresh):
    fresh.start()
    queue = Queue(fresh, "orders", settings={"delivery_delay": 0, "message_retention_period": 86400})
    queue.pulled_by_http(dead_letter_queue="orders-dead", settings={"visibility_timeout_ms": 600_000})
    for i in range(20):
        queue.send(i)
    held = queue.pull(batch_size=5)
    queue.ack(held[:2])
    shown = queue.shown()
    fresh.kill()
    fresh.start()
    assert queue.shown() == shown
    assert queue.count() == 18
    assert len(queue.pull(batch_size=100)) == 15, "leases hold"
    assert queue.ack(held[2:])["ackCount"] == 3


def test_metrics_name_the_store(daemon):
    assert 'levada_store_open{store="queues"} 1' in daemon.request("GET", "/metrics").body.decode()
