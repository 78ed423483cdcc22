"""Each key of KV and of R2 is a linearizable register, also across SIGKILL and a restart, and across SIGSTOP: several clients
work on a few keys of one daemon by all of its doors, and an order of what they were told has to exist
(linearizable/campaign.py, linearizable/register.py). With LEVADA_HISTORIES=DIRECTORY the histories are left there."""

import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from conftest import Daemon, memory_or_disk, scratch_root
from linearizable.campaign import Campaign
from linearizable.doors import Binding, Connection, ObjectRest, Rest, S3Objects
from linearizable.register import check
from linearizable.told import show, to_json
from test_kv import ALL

IS_LONG = os.environ.get("LEVADA_TEST_SIZE") == "all"
OPERATIONS = 100_000 if IS_LONG else 10_000
BINDING_SERVER = os.environ.get("LEVADA_BINDING_SERVER", "")


class Target:
    """A daemon that is started and killed."""

    def __init__(self, root):
        self.root, self.daemon = root, Daemon(root)

    def start(self):
        is_first = self.daemon.token is None
        self.daemon.start()
        if is_first:
            self.prepare()
        return self.doors()

    def prepare(self):
        """On the first start."""

    def doors(self):
        raise NotImplementedError

    def check(self):
        status = self.daemon.process.poll()
        assert status is None, f"the daemon has ended by itself: exit {status}\n{self.daemon.logged()[-4000:]}"

    def send(self, number):
        self.daemon.process.send_signal(number)

    def kill(self):
        self.daemon.kill()

    def remove(self):
        self.daemon.remove()


class Kv(Target):
    def prepare(self):
        self.namespace = self.daemon.v4("POST", ALL, {"title": "s"}).result["id"]

    def doors(self):
        return [Rest(self.daemon, f"/storage/kv/namespaces/{self.namespace}/values")]


class R2(Target):
    def prepare(self):
        self.token = self.daemon.issue("all:admin")
        self.daemon.v4("POST", "/accounts/{account}/r2/buckets", {"name": "bucket"})

    def doors(self):
        by_s3 = S3Objects(self.daemon.ready["s3"], self.token, "bucket")
        return [by_s3, by_s3, ObjectRest(self.daemon, "/r2/buckets/bucket/objects")]  # the first has more operations


class KvBinding(Target):
    """What workerd is answered, by the server that has this door alone."""

    def __init__(self, root):
        self.root, self.process = root, None

    def start(self):
        self.process = subprocess.Popen([BINDING_SERVER, str(self.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        ready = json.loads(self.process.stdout.readline())
        return [Binding(ready["socket"], ready["kv"])]

    def check(self):
        status = self.process.poll()
        assert status is None, f"the server has ended by itself: exit {status}"

    def send(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def remove(self):
        if self.process and self.process.poll() is None:
            self.kill()


@pytest.fixture
def root(request):
    """Of a campaign of an even seed on the disk, of an odd one in memory, where writes are faster and reads meet more of them."""
    root = scratch_root(memory_or_disk() if request.node.callspec.params.get("seed", 0) % 2 else None)
    yield root
    shutil.rmtree(root, ignore_errors=True)


def run(target, seed, operations):
    """The campaign, behind its end, and its histories."""
    campaign = Campaign(target, seed, operations)
    try:
        return campaign, campaign.run()
    finally:
        target.remove()


def violations_of(histories):
    return {key: violation for key, operations in histories.items() if (violation := check(operations))}


def shown(campaign, histories, violations):
    return "\n\n".join(show(key, each, histories[key], campaign.marks) for key, each in violations.items())


def leave(name, histories):
    """For linearizable/cross_check.py."""
    if folder := os.environ.get("LEVADA_HISTORIES"):
        lines = [to_json(sorted(operations, key=lambda each: each.called)) for operations in histories.values()]
        (pathlib.Path(folder) / f"{name}.jsonl").write_text("\n".join(lines) + "\n")


SEEDS = {Kv: 100, R2: 20, KvBinding: 20} if IS_LONG else {Kv: 5, R2: 5, KvBinding: 2}


@pytest.mark.parametrize("make, seed", [(make, seed) for make, count in SEEDS.items() for seed in range(count)])
def test_every_key_is_linearizable(root, make, seed):
    campaign, histories = run(make(root), seed, OPERATIONS)
    leave(f"{make.__name__}-{seed}", histories)
    print(f"{make.__name__}, seed {seed}: {dict(campaign.counts)}")
    assert sum(map(len, histories.values())) > OPERATIONS * 0.9, "most calls were sent"
    assert campaign.counts["kills"] and campaign.counts["stops"] and campaign.counts["unanswered"]
    violations = violations_of(histories)
    assert not violations, shown(campaign, histories, violations)


# ---- a store that does not keep the promise is found out


class Liar(Connection):
    """Between a client and the daemon: gives old answers, or says that something was written."""

    old = {}  # of all connections, by request
    chance = random.Random(1)
    rate = 0.02  # of the calls that it may lie to: a lie that another write covers up is none

    def exchange(self, request):
        if self.lie == "stale read" and request.startswith(b"GET"):
            answer = super().exchange(request)
            if self.chance.random() < self.rate and request in self.old:
                return self.old[request]
            if self.chance.random() < 0.01:
                self.old[request] = answer
            return answer
        if self.lie == "lost write" and request.startswith(b"PUT") and self.chance.random() < self.rate:
            return 200, b"{}"
        return super().exchange(request)


class LyingKv(Kv):
    lie = None

    def doors(self):
        door, = super().doors()
        lie = type("LiarOf", (Liar,), {"lie": self.lie, "old": {}})
        door.connect = lambda timeout: lie(door.address, timeout)
        return [door]


class ForgetfulKv(Kv):
    """Every second kill takes it back to what was there at the kill before."""

    kills = 0

    def kill(self):
        super().kill()
        self.kills += 1
        kept = self.root / "kept"
        if self.kills % 2:
            shutil.copytree(self.daemon.data, kept, ignore=shutil.ignore_patterns("*.sock"))
        else:
            shutil.rmtree(self.daemon.data)
            kept.rename(self.daemon.data)


def lying(lie):
    return lambda root: type("Lying", (LyingKv,), {"lie": lie})(root)


@pytest.mark.parametrize("make", [lying("stale read"), lying("lost write"), ForgetfulKv],
                         ids=["stale read", "lost write", "older after a kill"])
def test_a_store_that_lies_is_found_out(root, make):
    campaign, histories = run(make(root), 1, 5000)
    violations = violations_of(histories)
    assert violations
    said = shown(campaign, histories, violations)
    print(said)
    assert said.count("no order of the others allows this") == len(violations)
    assert len(said.splitlines()) < 30 * len(violations)
