"""Clients that all work on the same few keys of one daemon, while it is stopped, continued, killed and started again.

Everything random is drawn from a seed, but not how the threads and the daemon fall into step: a seed says which load and which
faults there are, not which history comes out. What comes out is a history for each key, for linearizable/register.py.

What is not answered (the daemon was killed, or stopped for longer than a client waits) may take effect as long as the process
lives that it was sent to. That process is dead when wait() has returned; from then on an operation that has not taken effect
never will. So the check asks more than linearizability with crashes has to: nothing comes up later.
"""

import collections
import itertools
import math
import random
import signal
import threading
import time

from linearizable.register import NEVER, Operation
from linearizable.doors import make_value

PATIENCE_S = 0.25  # of a client
OPERATIONS_A_FAULT = 900
# What a fault is, how often, and for how long the daemon is stopped. Clients wait through a pause and give up in a freeze.
FAULTS = {"kill": (4, None), "pause": (4, (0.002, 0.1)), "freeze": (1, (0.3, 0.45)), "kill while stopped": (2, (0.002, 0.3))}
SHAPES = [(6, 3, 0.5), (8, 4, 0.5), (8, 2, 0.3), (4, 1, 0.5), (8, 6, 0.7)]  # clients, keys, share of the writes


class Life:
    """Of the daemon, from a start to the kill."""

    def __init__(self, doors):
        self.doors, self.ended = doors, NEVER


class Client(threading.Thread):
    def __init__(self, number, campaign, seed):
        super().__init__(daemon=True)
        self.number, self.campaign, self.chance = number, campaign, random.Random(f"{seed} {number}")
        self.life, self.connections = None, {}
        self.written = {}  # by key: the number that this client wrote or read last
        self.made = []  # (key, operation, life)
        self.wrong = None

    def run(self):
        try:
            while self.campaign.take():
                self.do_one()
        except Exception as error:
            self.wrong = error
        finally:
            self.leave()

    def do_one(self):
        while not self.act() and not self.campaign.is_over:
            time.sleep(0.002)  # there is no daemon now

    def leave(self):
        for connection in self.connections.values():
            connection.close()
        self.connections = {}

    def connection_to(self, door):
        """None: that life is over."""
        if door not in self.connections:
            try:
                self.connections[door] = door.connect(PATIENCE_S)
            except OSError:
                return None
        if self.life.ended != NEVER:
            return None  # the address may be the next one's already
        return self.connections[door]

    def draw(self, door):
        campaign, chance = self.campaign, self.chance
        key = chance.choice(campaign.keys)
        weights = {kind: weight * (1 - campaign.writes if kind == "get" else campaign.writes)
                   for kind, weight in door.KINDS.items() if kind != "replace" or key in self.written}
        kind, = chance.choices(list(weights), weights.values())
        operation, size = Operation(self.number, kind), 0
        if kind in ("put", "create", "replace"):
            size, = chance.choices(list(door.SIZES), door.SIZES.values())
            operation.value = next(campaign.numbers)
            campaign.sizes[operation.value] = size
        if kind == "replace":
            operation.expected = self.written[key]
        return key, operation

    def act(self):
        """False: nothing was sent."""
        life = self.campaign.life
        if life is not self.life:
            self.leave()
            self.life = life
        door = self.chance.choice(life.doors)
        connection = self.connection_to(door)
        if connection is None:
            return False
        key, operation = self.draw(door)
        request = door.request(operation, key, *(self.campaign.bytes_of(number) for number in
                                                 (operation.value, operation.expected)))
        self.made.append((key, operation, life))
        operation.called = time.monotonic_ns()
        try:
            status, body = connection.exchange(request)
        except OSError as error:
            operation.is_known, operation.note = False, type(error).__name__
            self.connections.pop(door).close()
            return True
        operation.returned = time.monotonic_ns()
        operation.result = door.result(operation, status, body)
        self.learn(key, operation)
        return True

    def learn(self, key, operation):
        seen = operation.result if operation.kind == "get" else operation.value if operation.result else None
        if seen is not None:
            self.written[key] = seen


class Campaign:
    """`target` has start() -> doors, kill(), send(signal), and check(), which raises when it has ended by itself."""

    def __init__(self, target, seed, operations):
        self.target, self.chance = target, random.Random(seed)
        clients, keys, self.writes = SHAPES[seed % len(SHAPES)]
        self.operations, self.keys = operations, [f"k{i}" for i in range(keys)]
        self.numbers, self.sizes = itertools.count(1), {}
        self.taken = itertools.count()
        self.begun = 0
        self.clients = [Client(number, self, seed) for number in range(clients)]
        self.counts = collections.Counter()
        self.marks = []  # (time, what was done to the daemon)
        self.life = None
        self.is_over = False

    def take(self):
        """Whether there is one more operation to do."""
        self.begun = next(self.taken)
        return self.begun < self.operations and not self.is_over

    def bytes_of(self, number):
        return b"" if number is None else make_value(number, self.sizes[number])

    def mark(self, what):
        self.marks.append((time.monotonic_ns(), what))

    def start(self):
        self.life = Life(self.target.start())
        self.mark("ready")

    def kill(self):
        self.target.check()
        self.target.kill()
        self.life.ended = time.monotonic_ns()
        self.mark("killed")
        self.counts["kills"] += 1

    def stop_for(self, seconds):
        self.target.send(signal.SIGSTOP)
        self.mark("stopped")
        time.sleep(seconds)
        self.counts["stops"] += 1

    def do(self, fault):
        _, seconds = FAULTS[fault]
        if seconds:
            self.stop_for(self.chance.uniform(*seconds))
        if fault.startswith("kill"):
            self.kill()
            self.start()
        else:
            self.target.send(signal.SIGCONT)
            self.mark("continued")

    def plan(self):
        """(position, fault), some of each kind of it that there is room for."""
        count = max(len(FAULTS), self.operations // OPERATIONS_A_FAULT)
        positions = sorted(self.chance.randrange(self.operations) for _ in range(count))
        weights = [weight for weight, _ in FAULTS.values()]
        drawn = self.chance.choices(list(FAULTS), weights, k=count - len(FAULTS)) + list(FAULTS)
        self.chance.shuffle(drawn)
        frozen = False
        for i, fault in enumerate(drawn):
            # What clients gave up in a freeze stays open until the kill: that of several freezes makes the search a long one.
            if fault == "freeze" and frozen:
                drawn[i] = fault = "kill"
            frozen = fault == "freeze" or (frozen and fault == "pause")
        return zip(positions, drawn)

    def run(self):
        try:
            self.start()
            for client in self.clients:
                client.start()
            for position, fault in self.plan():
                self.wait_for(position)
                self.do(fault)
            self.wait_for(math.inf)
            self.read_all()
            self.kill()
        finally:
            self.is_over = True
        return self.histories()

    def wait_for(self, position):
        """Until so many operations were begun, or all are done."""
        while self.begun < position and any(client.is_alive() for client in self.clients):
            self.target.check()
            time.sleep(0.001)
        for client in self.clients:
            if client.wrong:
                raise client.wrong

    def read_all(self):
        """Whatever was lost at the end is seen to be lost."""
        reader = Client(len(self.clients), self, 0)
        reader.draw = lambda door: (key, Operation(reader.number, "get"))
        for key in self.keys:
            reader.do_one()
        reader.leave()
        self.clients.append(reader)

    def histories(self):
        """{key: operations}"""
        histories = {key: [] for key in self.keys}
        for client in self.clients:
            for key, operation, life in client.made:
                self.counts[operation.kind] += 1
                if not operation.is_known:
                    operation.returned = life.ended
                    self.counts["unanswered"] += 1
                    if operation.called >= life.ended:
                        continue  # sent to nobody
                histories[key].append(operation)
        return histories
