"""Nothing that was acknowledged is lost when the daemon is killed: writers note what they were told, and it is all there."""

import os
import random
import threading
import time

import pytest

from test_kv import ALL, Space

CYCLES = 100 if os.environ.get("LEVADA_TEST_SIZE") != "all" else 1000
WRITERS = 16


class Writer(threading.Thread):
    """Writes its own keys; `known` maps a key to what it may hold: the last acknowledged value, and one that was not."""

    def __init__(self, space, number, seed):
        super().__init__(daemon=True)
        self.space, self.number, self.random = space, number, random.Random(seed)
        self.known, self.stopped, self.acknowledged, self.wrong = {}, False, 0, []

    def value(self, key, count):
        size = self.random.choice([0, 10, 1000, 5000, 70_000])
        return f"{key}:{count}:".encode() + bytes([count % 251]) * size

    def run(self):
        connection, count = None, 0
        while not self.stopped:
            key, count = f"w{self.number}/{self.random.randrange(20)}", count + 1
            old = self.known.get(key, {None})
            new = None if self.random.random() < 0.1 else self.value(key, count)
            self.known[key] = old | {new}
            try:
                connection = connection or self.space.daemon.connect(10)
                method, body = ("DELETE", None) if new is None else ("PUT", new)
                answer = self.space.call(method, self.space.path(key), body, connection=connection)
            except Exception:  # the daemon was killed: it may or may not have been written
                connection = None
                time.sleep(0.005)
                continue
            if answer.status == 200:
                self.known[key] = {new}
                self.acknowledged += 1
            elif answer.status not in (503, 507):
                self.wrong.append(answer)


def test_what_was_acknowledged_survives_kills(fresh):
    fresh.start()
    space = Space(fresh, fresh.v4("POST", ALL, {"title": "s"}).result["id"])
    port, chance, known, acknowledged, ready = fresh.port, random.Random(4), {}, 0, []
    for cycle in range(CYCLES):
        writers = [Writer(space, n, cycle * 100 + n) for n in range(WRITERS)]
        for writer in writers:
            writer.known = {k: v for k, v in known.items() if k.startswith(f"w{writer.number}/")}
            writer.start()
        time.sleep(chance.uniform(0.02, 0.4))
        fresh.kill()
        for writer in writers:
            writer.stopped = True
        for writer in writers:
            writer.join(30)
            assert not writer.wrong, writer.wrong[0]
            known.update(writer.known)
            acknowledged += writer.acknowledged
        began = time.monotonic()
        fresh.start(port=port)
        ready.append(time.monotonic() - began)
        connection = fresh.connect()
        for key, may_be in known.items():
            answer = space.call("GET", space.path(key), connection=connection)
            got = None if answer.status == 404 else answer.body
            assert got in may_be, f"cycle {cycle}: {key} is {got and got[:40]!r}, expected one of {[m and m[:40] for m in may_be]}"
            known[key] = {got}
        connection.close()
        listed, cursor = [], ""
        while True:
            page = space.keys("?cursor=" + cursor).json()
            listed += [k["name"] for k in page["result"]]
            cursor = page["result_info"]["cursor"]
            if not cursor:
                break
        assert set(listed) == {k for k, v in known.items() if v != {None}}
    ready.sort()
    print(f"{CYCLES} kills, {acknowledged} acknowledged writes, ready again in {ready[len(ready) // 2]:.3f} s, at most {ready[-1]:.3f} s")
    assert acknowledged > CYCLES * 10


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
