"""Nothing that was acknowledged is lost when the daemon is killed: KV, R2, D1, queues and points of
analytics under load in one daemon, killed at random moments. Writers note what they were told, and after each kill it is all
there, whole, and nothing else is.

Points can be read when the engine of analytics has started and taken them, which takes its time: they are in every tenth cycle. The
kill behind that one meets an engine that has points to take, and the one five cycles later an engine that starts. In the others
there is none, and points wait."""

import http.client
import itertools
import json
import math
import os
import random
import threading
import time

import pytest

from conftest import wait_until
from durable import KvValues, Link, Lost, Messages, ObjectValues, Points, Race, Rows, Uploads, Versions, await_points, expect
from s3_client import S3
from test_analytics import LIBRARY
from test_kv import ALL, Space

CYCLES = 100 if os.environ.get("LEVADA_TEST_SIZE") != "all" else 1000
WRITERS = 8
EVERYTHING_EACH = 10  # cycles; in the others what was touched is read
ENGINE_STARTS = 5  # and each time so much later, to be killed at once
DATASET = "points"
ENGINE_SECONDS = 1.0  # a cycle that is long enough for the engine to take points


class Writer:
    """Some keys of every service, and the shared race. `run` is one thread's, for one cycle."""

    def __init__(self, number, race):
        chance = self.chance = random.Random(number)
        self.subjects = [KvValues(f"k{number}", 8, chance), ObjectValues("plain", f"o{number}", 6, chance),
                         Versions("versioned", f"v{number}", 2, chance), Uploads("plain", f"u{number}", chance),
                         Rows(f"d{number}", 4, chance), Messages(f"q{number}", chance)]
        self.points = Points(DATASET, f"p{number}", chance)
        self.race, self.acknowledged, self.wrong = race, 0, None

    def run(self, link, killed):
        weighted = self.subjects + self.subjects[:2] + self.subjects[3:] + [self.race, self.points]
        while not killed.is_set():
            try:
                self.chance.choice(weighted).act(link)
                self.acknowledged += 1
            except (OSError, http.client.HTTPException) as error:
                if not killed.is_set():
                    self.wrong = error
                return
            except Exception as error:
                self.wrong = error
                return


class Campaign:
    def __init__(self, daemon):
        self.daemon = daemon
        self.positions = itertools.count(1)
        self.ready_s = []
        daemon.start()
        token = daemon.issue("all:admin")
        s3 = S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
        namespace = daemon.v4("POST", ALL, {"title": "s"}).result["id"]
        self.link = Link(daemon, s3, namespace, lambda: next(self.positions))
        for bucket in ("plain", "versioned"):
            s3.client.create_bucket(Bucket=bucket)
        s3.client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        self.race = Race("plain", "race", random.Random(0))
        self.writers = [Writer(number, self.race) for number in range(WRITERS)]
        for writer in self.writers:
            for subject in writer.subjects[-2:]:
                subject.create(self.link)

    def start(self, with_engine=False):
        began = time.monotonic()
        self.daemon.start("--analytics-library", str(LIBRARY) if with_engine else "/nowhere/libchdb.so")
        self.ready_s.append(time.monotonic() - began)
        self.link.s3.turn_to(self.daemon.ready["s3"])

    def write_and_kill(self, seconds):
        killed = threading.Event()
        threads = [threading.Thread(target=writer.run, args=(self.link, killed), daemon=True) for writer in self.writers]
        for thread in threads:
            thread.start()
        time.sleep(seconds)
        killed.set()
        self.daemon.kill()
        for thread in threads:
            thread.join(30)
        for writer in self.writers:
            if writer.wrong:
                raise writer.wrong

    def check(self, touched_only):
        for subject in [s for writer in self.writers for s in writer.subjects] + [self.race]:
            subject.check(self.link, math.inf, touched_only)
            subject.settle(self.link.clock())

    def check_points(self):
        await_points(self.link, DATASET, -self.link.clock())
        for writer in self.writers:
            writer.points.check(self.link, math.inf)
            writer.points.settle(self.link.clock())

    def delete_everything(self):
        client = self.link.s3.client
        for bucket in ("plain", "versioned"):
            for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
                for each in page.get("Versions", []) + page.get("DeleteMarkers", []):
                    client.delete_object(Bucket=bucket, Key=each["Key"], VersionId=each["VersionId"])
            for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
                for each in page.get("Uploads", []):
                    client.abort_multipart_upload(Bucket=bucket, Key=each["Key"], UploadId=each["UploadId"])
            expect(self.link.s3.request("DELETE", f"/{bucket}"), 204)


def blob_files(daemon):
    return [path for path in (daemon.data / "objects" / "blobs").rglob("*") if path.is_file()]


def test_what_was_acknowledged_survives_kills(fresh):
    campaign, chance = Campaign(fresh), random.Random(4)
    engine_runs = False
    for cycle in range(CYCLES):
        campaign.write_and_kill(chance.uniform(0.02, 0.3) + engine_runs * chance.uniform(0, ENGINE_SECONDS))
        everything = cycle % EVERYTHING_EACH == 0 or cycle == CYCLES - 1
        campaign.start(with_engine=everything or cycle % EVERYTHING_EACH == ENGINE_STARTS)
        campaign.check(touched_only=not everything)
        engine_runs = everything and LIBRARY.exists()
        if engine_runs:
            campaign.check_points()
    acknowledged = sum(writer.acknowledged for writer in campaign.writers)
    ready = sorted(campaign.ready_s)
    print(f"{CYCLES} kills, {acknowledged} acknowledged writes, ready again in {ready[len(ready) // 2]:.3f} s, "
          f"at most {ready[-1]:.3f} s; {len(blob_files(fresh))} blobs, "
          f"{sum(writer.points.settled for writer in campaign.writers)} points")
    assert acknowledged > CYCLES * 10

    campaign.delete_everything()
    fresh.stop()
    campaign.start()
    wait_until(lambda: not blob_files(fresh), "the files that no record names are gone")


@pytest.mark.parametrize("seed", range(3))
def test_a_killed_bulk_is_there_whole_or_not_at_all(fresh, seed):
    fresh.start()
    space = Space(fresh, fresh.v4("POST", ALL, {"title": "s"}).result["id"])
    chance = random.Random(seed)
    for round in range(5):
        body = [{"key": f"{i:04}", "value": f"{round}"} for i in range(3000)]
        failed = threading.Event()

        def send():
            try:
                space.call("PUT", "/bulk", body)
            except Exception:
                failed.set()

        sender = threading.Thread(target=send)
        sender.start()
        time.sleep(chance.uniform(0.0, 0.08))
        fresh.kill()
        sender.join()
        fresh.start()
        values = set()
        for begin in range(0, 3000, 100):
            keys = [f"{i:04}" for i in range(begin, begin + 100)]
            values |= set(space.call("POST", "/bulk/get", {"keys": keys}).result["values"].values())
        assert len(values) == 1, values


class Shown:
    """A daemon that keeps points in a list, for whoever falsifies it."""

    def __init__(self):
        self.points, self.daemon, self.clock, self.status = [], self, lambda: 0, 200

    def v4(self, method, path, body):
        if path.endswith("/sql"):
            above = float(body.rsplit(" ", 1)[1])
            if "count()" in body:
                numbers = [row["number"] for row in self.points if row["number"] <= above]
                self.rows = [{"n": str(len(numbers)), "d": str(len(set(numbers)))}]
            else:
                self.rows = [row for row in self.points if row["number"] > above]
        else:
            self.points += [{"number": point["doubles"][0], "value": point["blobs"][0]} for point in map(json.loads, body.split("\n"))]
        return self

    def json(self):
        return {"data": self.rows}


@pytest.mark.parametrize("falsify", [
    lambda points: points.pop(3), lambda points: points.append(points[3]), lambda points: points.pop(),
    lambda points: points.append(points[-1]), lambda points: points[-1].update(number=10**6),
    lambda points: points[-1].update(value=points[0]["value"])], ids=["old lost", "old twice", "lost", "twice", "nobody's", "another's"])
def test_false_points_would_be_noticed(falsify):
    shown, subject = Shown(), Points("d", "i", random.Random(1))
    for _ in range(2):
        for _ in range(5):
            subject.act(shown)
        subject.check(shown, math.inf)
        subject.settle(0)
    subject.act(shown)
    subject.check(shown, math.inf)
    falsify(shown.points)
    with pytest.raises(Lost):
        subject.check(shown, math.inf)
