"""R2's event notifications: what queues hear of the objects of a bucket."""

import base64
import json
import threading
import time

import pytest

from s3_client import PART, S3
from test_queues import Queue

EVERYTHING = ["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "LifecycleDeletion"]
counter = 0


class Notified:
    """A bucket, and a queue that hears of it."""

    def __init__(self, daemon, *rules):
        global counter
        counter += 1
        self.daemon, self.bucket = daemon, f"notified-{counter}"
        daemon.v4("POST", "/accounts/{account}/r2/buckets", {"name": self.bucket})
        self.queue = Queue(daemon, f"of-notified-{counter}")
        self.queue.pulled_by_http()
        self.path = f"/accounts/{{account}}/event_notifications/r2/{self.bucket}/configuration"
        if rules:
            self.shown = self.add(*rules).result

    def add(self, *rules, **more):
        return self.daemon.v4("PUT", f"{self.path}/queues/{self.queue.id}", {"rules": list(rules)}, **more)

    def rules(self):
        return self.daemon.v4("GET", f"{self.path}/queues/{self.queue.id}").result["rules"]

    def objects(self, method, key, body=None):
        return self.daemon.v4(method, f"/accounts/{{account}}/r2/buckets/{self.bucket}/objects/{key}", body)

    def heard(self, count):
        """So many messages, in the order of their times; and no more come."""
        messages = []
        deadline = time.monotonic() + 20
        while len(messages) < count:
            assert time.monotonic() < deadline, f"{len(messages)} of {count} came"
            pulled = self.queue.pull(batch_size=100)
            self.queue.ack(pulled)
            messages += pulled
        assert self.queue.pull() == []
        return sorted((event_of(each) for each in messages), key=lambda each: each["eventTime"])


def event_of(message):
    return json.loads(base64.b64decode(message["body"]))


def short(events):
    return [(each["action"], each["object"]["key"]) for each in events]


def test_every_write_is_heard_of_once(daemon):
    to = Notified(daemon, {"actions": EVERYTHING})
    token = daemon.issue("all:admin")
    s3 = S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
    put = to.objects("PUT", "a%20b", b"bytes").result
    s3.client.copy_object(Bucket=to.bucket, Key="copy", CopySource={"Bucket": to.bucket, "Key": "a b"})
    upload = s3.client.create_multipart_upload(Bucket=to.bucket, Key="large")["UploadId"]
    part = s3.client.upload_part(Bucket=to.bucket, Key="large", UploadId=upload, PartNumber=1, Body=b"x" * PART)
    made = s3.client.complete_multipart_upload(Bucket=to.bucket, Key="large", UploadId=upload,
                                               MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]})
    to.objects("DELETE", "copy")
    to.objects("DELETE", "never")
    s3.client.delete_objects(Bucket=to.bucket, Delete={"Objects": [{"Key": "large"}, {"Key": "nor this"}]})
    events = to.heard(5)
    assert [each["action"] for each in events] == ["PutObject", "CopyObject", "CompleteMultipartUpload", "DeleteObject", "DeleteObject"]
    assert all((each["account"], each["bucket"]) == (daemon.account, to.bucket) for each in events)
    assert [each["object"] for each in events] == [
        {"key": "a b", "size": 5, "eTag": put["etag"]}, {"key": "copy", "size": 5, "eTag": put["etag"]},
        {"key": "large", "size": PART, "eTag": made["ETag"].strip('"')}, {"key": "copy"}, {"key": "large"}]
    assert events[1]["copySource"] == {"bucket": to.bucket, "object": "a b"}


def test_a_rule_chooses(daemon):
    to = Notified(daemon, {"actions": ["PutObject"], "prefix": "logs/", "suffix": ".gz"}, {"actions": ["DeleteObject"]},
                  {"actions": ["PutObject"], "prefix": "logs/a"})
    for key in ("logs/a.gz", "logs/b.gz", "logs/b.txt", "other.gz"):
        to.objects("PUT", key, b"v")
    to.objects("DELETE", "other.gz")
    assert short(to.heard(3)) == [("PutObject", "logs/a.gz"), ("PutObject", "logs/b.gz"), ("DeleteObject", "other.gz")]


def test_rules_come_and_go(daemon):
    to = Notified(daemon)
    assert daemon.v4("GET", to.path).result == {"bucketName": to.bucket, "queues": []}
    one = to.add({"actions": ["PutObject"], "description": "why"}).result["rules"]
    assert [(r["actions"], r["prefix"], r["suffix"], r["description"]) for r in one] == [(["PutObject"], "", "", "why")]
    both = to.add({"actions": ["DeleteObject"], "prefix": "p"}).result["rules"]
    assert both[0] == one[0] and len(both) == 2 and both == to.rules()
    assert daemon.v4("GET", to.path).result["queues"] == [{"queueId": to.queue.id, "queueName": to.queue.name, "rules": both}]
    remove = f"{to.path}/queues/{to.queue.id}"
    assert daemon.v4("DELETE", remove, {"ruleIds": [one[0]["ruleId"], "nonsense"]}).error[:2] == (400, 10029)
    assert to.rules() == both, "nothing of what was refused was done"
    daemon.v4("DELETE", remove, {"ruleIds": [one[0]["ruleId"]]})
    assert to.rules() == both[1:]
    daemon.v4("DELETE", remove)
    assert to.rules() == []
    to.objects("PUT", "k", b"v")
    assert to.heard(0) == []


@pytest.mark.parametrize("rules", [[], [{}], [{"actions": []}], [{"actions": ["Nonsense"]}], [{"actions": ["PutObject"], "prefix": 1}],
                                   [{"actions": ["PutObject"], "suffix": "x" * 1025}], [{"actions": ["PutObject"]}] * 101])
def test_what_is_no_rule_is_refused(daemon, rules):
    to = Notified(daemon)
    assert to.add(*rules).error[:2] == (400, 10029)
    assert to.rules() == []


def test_a_bucket_has_a_hundred_rules(daemon):
    to = Notified(daemon, *[{"actions": ["PutObject"], "prefix": str(i)} for i in range(100)])
    assert to.add({"actions": ["PutObject"]}).error[:2] == (400, 10029)
    assert len(to.rules()) == 100


def test_who_may(daemon):
    to = Notified(daemon)
    rule = {"actions": ["PutObject"]}
    owner_of_bucket = daemon.issue(f"r2:admin:{to.bucket}")["token"]
    assert to.add(rule, token=owner_of_bucket).error[:2] == (403, 10106)
    both = daemon.issue(f"r2:admin:{to.bucket}", f"queues:write:{to.queue.id}")["token"]
    assert len(to.add(rule, token=both).result["rules"]) == 1
    assert daemon.v4("PUT", f"{to.path}/queues/{'0' * 32}", {"rules": [rule]}).error[:2] == (404, 11000)
    assert daemon.v4("GET", to.path.replace(to.bucket, "no-bucket")).error[:2] == (404, 10006)


def test_a_queue_that_is_gone_is_forgotten(daemon):
    to = Notified(daemon, {"actions": ["PutObject"]})
    other = Queue(daemon)
    other.pulled_by_http()
    daemon.v4("PUT", f"{to.path}/queues/{other.id}", {"rules": [{"actions": ["PutObject"]}]})
    to.queue.call("DELETE")
    to.objects("PUT", "k", b"v")
    assert len(other.wait_for()) == 1
    assert [each["queueName"] for each in daemon.v4("GET", to.path).result["queues"]] == [other.name]


def test_a_bucket_that_is_gone_is_still_heard_of(daemon):
    to = Notified(daemon, {"actions": EVERYTHING})
    to.objects("PUT", "k", b"v")
    to.objects("DELETE", "k")
    daemon.v4("DELETE", f"/accounts/{{account}}/r2/buckets/{to.bucket}")
    assert short(to.heard(2)) == [("PutObject", "k"), ("DeleteObject", "k")]


def test_nothing_acknowledged_is_unheard_of_after_a_kill(fresh):
    """What was written before the end of the daemon, to the last moment, arrives behind its next start."""
    fresh.start()
    to = Notified(fresh, {"actions": ["PutObject"]})
    acknowledged = []

    def write(worker):
        try:
            for i in range(100_000):
                key = f"{worker}-{i}"
                if to.objects("PUT", key, b"v").status == 200:
                    acknowledged.append(key)
        except OSError:
            pass  # it was killed

    writers = [threading.Thread(target=write, args=(worker,)) for worker in range(4)]
    for writer in writers:
        writer.start()
    time.sleep(1.5)
    fresh.kill()
    for writer in writers:
        writer.join()
    assert acknowledged
    fresh.start()
    heard = set()
    deadline = time.monotonic() + 60
    while not heard >= set(acknowledged):
        assert time.monotonic() < deadline, f"{len(set(acknowledged) - heard)} of {len(acknowledged)} were not heard of"
        messages = to.queue.pull(batch_size=100)
        to.queue.ack(messages)
        heard |= {event_of(each)["object"]["key"] for each in messages}
