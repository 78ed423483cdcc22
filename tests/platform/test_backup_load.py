"""Backups under load (T17): KV, R2, D1, queues and tokens are written by several clients while backups are taken, one behind the
other into one place. Each is then restored elsewhere, and each store in it is as it was at one moment while it was made: what
was acknowledged before it began is there, nothing is that was sent after it ended, and all of it is whole."""

import os
import random
import shutil
import threading
import time

from conftest import Daemon, daemon_of, scratch_root, wait_until
from durable import Between, Link, Tokens
from s3_client import S3
from test_analytics import LIBRARY, Analytics, needs_engine
from test_backup import backup, levada
from test_kill import Campaign

BACKUPS = 6 if os.environ.get("LEVADA_TEST_SIZE") != "all" else 60
PAUSE = 0.4


class Restored:
    """A daemon on what was restored of a backup, with the keys of the one it was copied of."""

    def __init__(self, place, id, *options):
        self.root = scratch_root()
        self.daemon = Daemon(self.root, *options)
        levada("restore", place, self.daemon.data, "--backup", id)

    def __enter__(self):
        return self.daemon

    def __exit__(self, *_):
        self.daemon.remove()
        shutil.rmtree(self.root, ignore_errors=True)


def restored_link(daemon, campaign):
    origin = campaign.link
    daemon.account, daemon.token = origin.daemon.account, origin.daemon.token
    s3 = S3(daemon.ready["s3"], origin.s3.access_key, origin.s3.secret_key)
    return Link(daemon, s3, origin.namespace, origin.clock)


def test_each_backup_is_of_a_moment(fresh, tmp_path):
    place = tmp_path / "backups"
    campaign = Campaign(fresh)
    tokens = Tokens("made", random.Random(1))
    ended, wrong = threading.Event(), []

    def run(writer):
        writer.run(campaign.link, ended)

    def make_tokens():
        try:
            while not ended.is_set():
                tokens.act(campaign.link)
                time.sleep(0.02)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(writer,), daemon=True) for writer in campaign.writers]
    threads.append(threading.Thread(target=make_tokens, daemon=True))
    for thread in threads:
        thread.start()
    made = []
    for _ in range(BACKUPS):
        time.sleep(PAUSE)
        begin = campaign.link.clock()
        done = backup(fresh, place)
        made.append((done, Between(begin, campaign.link.clock())))
    ended.set()
    for thread in threads:
        thread.join(30)
    wrong += [writer.wrong for writer in campaign.writers if writer.wrong]
    assert not wrong, wrong
    acknowledged = sum(writer.acknowledged for writer in campaign.writers)
    assert acknowledged > BACKUPS * 100

    subjects = [s for writer in campaign.writers for s in writer.subjects] + [campaign.race, tokens]
    for done, moment in made:
        with Restored(place, done["id"]) as daemon:
            levada("fsck", "--data", daemon.data, "--scrub")
            link = restored_link(daemon.start(), campaign)
            for subject in subjects:
                subject.check(link, moment)
    print(f"{BACKUPS} backups under {acknowledged} acknowledged writes, all restored; of the last "
          f"{made[-1][0]['new_bytes']:,} of {made[-1][0]['bytes']:,} bytes were new")


@needs_engine
def test_points_are_there_once(tmp_path):
    """Points are copied from the log and from the engine while the one hands them to the other."""
    place = tmp_path / "backups"
    with daemon_of("--analytics-library", str(LIBRARY)) as daemon:
        analytics = Analytics(daemon.start())
        acknowledged, ended, wrong = [0], threading.Event(), []

        def write():
            try:
                while not ended.is_set():
                    first = acknowledged[0]
                    points = [{"indexes": [f"i{number}"], "blobs": [], "doubles": [number]} for number in range(first, first + 50)]
                    answer = analytics.write("events", points)
                    assert answer.status == 200, answer
                    acknowledged[0] += 50
            except Exception as error:
                wrong.append(error)

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        made = []
        for _ in range(3):
            time.sleep(1.5)
            least = acknowledged[0]
            done = backup(daemon, place)
            made.append((done["id"], least, acknowledged[0] + 50))
        ended.set()
        writer.join(30)
        assert not wrong, wrong
        for id, least, most in made:
            with Restored(place, id, "--analytics-library", str(LIBRARY)) as restored:
                restored.start()
                restored.account, restored.token = daemon.account, daemon.token
                copy = Analytics(restored)
                wait_until(lambda: copy.count("events") >= least, f"{least} points are there", 60)
                time.sleep(2)  # until nothing waits any more
                row = copy.rows("SELECT count() AS n, count(DISTINCT index1) AS once, max(double1) AS last FROM events")[0]
                assert int(row["n"]) == int(row["once"]) == int(row["last"]) + 1, row
                assert least <= int(row["n"]) <= most, (row, least, most)
