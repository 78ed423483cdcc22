"""Nothing that was acknowledged is lost when the power fails. The daemon runs with power_loss/disk_recorder.cc, which records
what it does to its files and what it syncs; the clock of the histories is the size of the record. So every moment of one run
can be the one at which the power failed: power_loss/reconstruct.py makes a directory of it, another daemon starts on that,
and what was acknowledged before has to be there. The next run goes on with one of these directories.
"""

import http.client
import os
import pathlib
import random
import shutil
import sys
import threading
import time

import pytest

from conftest import Daemon, memory_or_disk, scratch_root
from durable import KvValues, Link, LoggedPoints, Lost, Messages, ObjectValues, Race, Rows, Tokens, Uploads, Versions
from s3_client import S3
from test_kv import ALL

sys.path.insert(0, str(pathlib.Path(__file__).parent / "power_loss"))
from reconstruct import Disk  # noqa: E402

RECORDER = os.environ["LEVADA_DISK_RECORDER"]
RUNS, MOMENTS, SECONDS = (8, 25, 1.0) if os.environ.get("LEVADA_TEST_SIZE") != "all" else (40, 50, 3.0)
WRITERS = 5
WITHOUT_ENGINE = "--analytics-library", "/nowhere/libchdb.so"  # points stay in its log


class Writer:
    def __init__(self, number, race):
        chance = self.chance = random.Random(number)
        self.subjects = [KvValues(f"k{number}", 5, chance), ObjectValues("plain", f"o{number}", 4, chance),
                         Versions("versioned", f"v{number}", 1, chance), Uploads("plain", f"u{number}", chance, large=0.03),
                         Tokens(f"t{number}", chance), LoggedPoints("points", f"p{number}", chance),
                         Rows(f"d{number}", 3, chance), Messages(f"q{number}", chance)]
        self.race, self.wrong = race, None

    def run(self, link, killed):
        weighted = self.subjects + self.subjects[:2] * 2 + self.subjects[3:4] + [self.race]
        while not killed.is_set():
            try:
                self.chance.choice(weighted).act(link)
            except Exception as error:
                if not killed.is_set() or not isinstance(error, (OSError, http.client.HTTPException)):
                    self.wrong = error
                return


def recorded(data, record, without=""):
    """The environment of a daemon whose disk is spared the syncs."""
    return {**os.environ, "LD_PRELOAD": RECORDER, "LEVADA_RECORDED_DIRECTORY": str(data), "LEVADA_RECORD": str(record),
            "LEVADA_RECORD_WITHOUT": without}


class Campaign:
    def __init__(self, root, seed, without=""):
        self.root, self.without, self.chance = root, without, random.Random(seed)
        self.base, self.before = root / "base", 0
        self.base.mkdir()
        self.link, self.losses = None, 0
        self.race = Race("plain", "race", random.Random(0))
        self.writers = [Writer(number, self.race) for number in range(WRITERS)]

    def subjects(self):
        return [subject for writer in self.writers for subject in writer.subjects] + [self.race]

    def clock(self):
        return self.before + self.record.stat().st_size

    def run(self, seconds):
        """A daemon under load whose power fails at the end."""
        home = self.root / "recorded"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        shutil.copytree(self.base, home / "data")
        self.record = home / "record"
        daemon = Daemon(home, *WITHOUT_ENGINE, environment=recorded(home / "data", self.record, self.without))
        try:
            daemon.start()
            self.ready = self.clock()
            if self.link is None:
                self.prepare(daemon)
            else:
                self.turn_to(daemon)
            killed = threading.Event()
            threads = [threading.Thread(target=w.run, args=(self.link, killed), daemon=True) for w in self.writers]
            for thread in threads:
                thread.start()
            time.sleep(seconds)
            killed.set()
            daemon.kill()
            for thread in threads:
                thread.join(30)
        finally:
            daemon.remove()
        for writer in self.writers:
            if writer.wrong:
                raise writer.wrong
        return Disk(home / "data", self.record, self.base)

    def prepare(self, daemon):
        token = self.token = daemon.issue("all:admin")
        s3 = S3(daemon.ready["s3"], token["s3_access_key_id"], token["s3_secret_access_key"])
        namespace = daemon.v4("POST", ALL, {"title": "s"}).result["id"]
        for bucket in ("plain", "versioned"):
            s3.client.create_bucket(Bucket=bucket)
        s3.client.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        self.account = daemon.account
        self.link = Link(daemon, s3, namespace, self.clock)
        for writer in self.writers:
            for subject in writer.subjects[-2:]:
                subject.create(self.link)
        self.prepared = self.clock()

    def turn_to(self, daemon):
        daemon.account, daemon.token = self.account, self.token["token"]
        self.link.daemon = daemon
        self.link.s3.turn_to(daemon.ready["s3"])

    def crash_at(self, disk, position):
        """What is left of it has to serve everything that was acknowledged before `position`."""
        disk.play_to(position - self.before)
        home = self.root / "crashed"
        shutil.rmtree(home, ignore_errors=True)
        home.mkdir()
        left = disk.crash(self.chance, home / "data")
        if position == self.before + disk.positions()[-1]:
            shutil.copytree(home / "data", self.root / "next")
        daemon = Daemon(home, *WITHOUT_ENGINE, environment=recorded(home / "data", os.devnull))
        try:
            daemon.start()
            if position >= self.prepared:
                self.turn_to(daemon)
                for subject in self.subjects():
                    subject.check(self.link, position)
        except AssertionError as error:
            raise Lost(f"{error}\nat {position - self.before} of the record, {left}") from error
        finally:
            daemon.remove()
        self.losses += 1

    def moments(self, disk, count):
        """Any moments, such of the start, such at which somebody was just told something, and the end."""
        ends = disk.positions()
        last = ends[-1]
        starting = [position for position in ends if position <= self.ready - self.before]
        told = {w.acknowledged - self.before for s in self.subjects() if hasattr(s, "keys") for history in s.keys.values()
                for w in getattr(history, "writes", history) if w.acknowledged is not None}
        told = [position for position in sorted(told) if 0 < position <= last]
        chosen = self.chance.choices(starting, k=count // 6) + self.chance.choices(told or ends, k=count // 2)
        chosen += self.chance.choices(ends, k=count - len(chosen) - 1)
        return [self.before + position for position in sorted({*chosen, last})]

    def go_on(self):
        """The next run begins with what the last crash left."""
        self.before = self.clock()
        for subject in self.subjects():
            subject.settle(self.before)
        shutil.rmtree(self.base)
        (self.root / "next").rename(self.base)


@pytest.fixture
def root():
    path = scratch_root(memory_or_disk())
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_what_was_acknowledged_survives_power_losses(root):
    campaign = Campaign(root, seed=1)
    for _ in range(RUNS):
        disk = campaign.run(SECONDS)
        for position in campaign.moments(disk, MOMENTS):
            campaign.crash_at(disk, position)
        campaign.go_on()
    print(f"{campaign.losses} power losses, {campaign.before >> 20} MiB of records")


@pytest.mark.parametrize("without", ["sync", "sync_directory"])
def test_the_campaign_notices_syncs_that_are_missing(root, without):
    campaign = Campaign(root, seed=2, without=without)
    disk = campaign.run(SECONDS)
    with pytest.raises(Lost):
        for position in campaign.moments(disk, 50):
            campaign.crash_at(disk, position)
