#!/usr/bin/env python3
"""P11: queues through their REST API, the token checked.

    bench/p11_queues.py --rounds 15 --write

Durable sends of 1 KiB at 1 and 64 senders beside synced puts to RocksDB itself, NATS JetStream that syncs always, and a quorum queue
of RabbitMQ, the last two by their own clients in Go; batches of 100; how long a message takes to one who pulls; and all of it again
with a backlog of a million."""

import argparse
import http.client
import json
import random
import tempfile
import threading
import time

import cli
import load
from load import Loaded
from measure import Budget, interleave, interval, launcher, need_levada
from peers.servers import GO_QUEUES, NATS, RABBITMQ, Levada, Nats, RabbitMQ, need_peers, running
from postgres import DATA
from report import Report, table

MESSAGE_BYTES = 1024
SENDERS = [1, 64]
BATCH = 100
BACKLOG = 1_000_000
DELIVERIES = 300
P50_MS = 5


class Client:
    """One connection to a queue."""

    def __init__(self, levada, queue):
        self.connection = http.client.HTTPConnection("127.0.0.1", levada.port)
        self.base = f"/client/v4{queue}"
        self.headers = {"Authorization": f"Bearer {levada.token}"}

    def call(self, path, body):
        self.connection.request("POST", self.base + path, json.dumps(body), self.headers)
        answer = json.load(self.connection.getresponse())
        assert answer["success"], answer
        return answer["result"]

    def pull(self, count):
        return self.call("/messages/pull", {"batch_size": count, "visibility_timeout_ms": 600_000})["messages"]

    def acknowledge(self, messages):
        self.call("/messages/ack", {"acks": [{"lease_id": message["lease_id"]} for message in messages]})


def write_bodies(scratch):
    text = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=MESSAGE_BYTES))
    one = {"body": text, "content_type": "text"}
    paths = {}
    for name, body in (("one", one), ("batch", {"messages": [one] * BATCH}),
                       ("small batch", {"messages": [{"body": text[:100], "content_type": "text"}] * BATCH})):
        paths[name] = f"{scratch}/{name}.json"
        with open(paths[name], "w") as file:
            json.dump(body, file)
    return paths


def sending(levada, queue, path, body, arguments, connections):
    headers = [f"Authorization: Bearer {levada.token}", "Content-Type: application/json"]
    return Loaded(levada, levada.port, target=f"/client/v4{queue}{path}", method="POST", headers=headers, body_file=body,
                  connections=connections, seconds=arguments.seconds)


def compare_sends(arguments, scratch, budget, report, levada, queue, peers, bodies, senders):
    ours = sending(levada, queue, "/messages", bodies["one"], arguments, senders)
    batches = sending(levada, queue, "/messages/batch", bodies["batch"], arguments, senders)
    batches.name = "levada, batches of 100"
    bare = load.synced_puts("rocksdb", senders, MESSAGE_BYTES, arguments.seconds)
    others = [load.sent_by_client(server, kind, server.url, senders, MESSAGE_BYTES, arguments.seconds)
              for server, kind in zip(peers, ("nats", "amqp"))]

    def save():
        largest = senders == SENDERS[-1]
        inside = [sample["rate"] * BATCH / own["rate"] for sample, own in zip(batches.samples, ours.samples)]
        middle, low, high = interval(inside)
        report.put(f"sends {senders}", [
            f"## Durable sends of {MESSAGE_BYTES:,} bytes, {senders} senders, {len(ours.samples)} rounds", "",
            *load.rates([ours, batches, bare, *others]), "",
            *load.ratios(ours, [(bare, 0.6 if largest else None), *((other, 1.0) for other in others)]), "",
            f"Messages a second in batches of {BATCH}, beside those sent one by one: {middle:.1f} ({low:.1f} .. {high:.1f})"
            + (", at least 5" if largest else "") + "."])

    interleave([ours, batches, bare, *others], arguments.rounds, scratch, budget, save, shown="rate")


def measure_deliveries(levada, queue):
    """Milliseconds from a send's begin until a consumer that asks again and again has the message. At most one is under way."""
    sender, consumer = Client(levada, queue), Client(levada, queue)
    took = []
    for i in range(DELIVERIES):
        time.sleep(random.uniform(0, 0.01))
        sent = threading.Thread(target=sender.call, args=("/messages", {"body": f"{i}", "content_type": "text"}))
        began = time.perf_counter()
        sent.start()
        while not (messages := consumer.pull(10)):
            pass
        took.append((time.perf_counter() - began) * 1000)
        sent.join()
        consumer.acknowledge(messages)
    return sorted(took)


def measure_turnover(levada, queue, seconds):
    """Messages a second that are pulled and acknowledged, by four clients."""
    counts, end = [], time.monotonic() + seconds

    def consume():
        client, count = Client(levada, queue), 0
        while time.monotonic() < end and (messages := client.pull(BATCH)):
            client.acknowledge(messages)
            count += len(messages)
        counts.append(count)

    consumers = [threading.Thread(target=consume) for _ in range(4)]
    began = time.monotonic()
    for consumer in consumers:
        consumer.start()
    for consumer in consumers:
        consumer.join()
    return sum(counts) / (time.monotonic() - began)


def compare_backlogs(arguments, report, levada, bodies):
    """The same work on a short queue and on a long one, turn by turn."""
    wanted = BACKLOG // (1000 if arguments.tiny else 1)
    long, short = levada.make_queue("long"), levada.make_queue("short")
    headers = [f"Authorization: Bearer {levada.token}", "Content-Type: application/json"]
    filling = {"method": "POST", "headers": headers, "body_file": bodies["small batch"], "connections": 8}
    load.once(levada.port, target=f"/client/v4{long}/messages/batch", requests=wanted // BATCH, **filling)
    rows = {"long": {"send": [], "turnover": []}, "short": {"send": [], "turnover": []}}
    for _ in range(max(1, arguments.rounds // 3)):
        for name, queue in (("long", long), ("short", short)):
            sent = load.once(levada.port, target=f"/client/v4{queue}/messages/batch", requests=max(1, 300 if not arguments.tiny else 3),
                             **filling)
            rows[name]["send"].append(sent["rate"] * BATCH)
            rows[name]["turnover"].append(measure_turnover(levada, queue, arguments.seconds))
    shown = [[f"{count:,} and more" if count else "up to 30,000", f"{interval(rows[name]['send'])[0]:,.0f}",
              f"{interval(rows[name]['turnover'])[0]:,.0f}"] for name, count in (("short", 0), ("long", wanted))]
    report.put("backlog", [f"## A backlog, {len(rows['long']['send'])} rounds", "",
                           *table(["messages that wait", "sent/s, batches of 100, 8 senders", "pulled and acknowledged/s, 4 clients"], shown)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default 4)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = min(arguments.seconds, 0.3)
    need_levada()
    load.need_tools()
    need_peers(NATS, RABBITMQ, GO_QUEUES)
    launcher()
    DATA.mkdir(parents=True, exist_ok=True)
    minutes = arguments.minutes / len(SENDERS)
    report = Report("p11", "P11: queues", f"bench/p11_queues.py --rounds {arguments.rounds}" + (" --tiny" if arguments.tiny else ""),
                    arguments.write, notes=[
                        "Medians over the rounds and their 95 % bootstrap intervals; ratios are taken within each round."])
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch:
        bodies = write_bodies(scratch)
        with running(Levada(f"{scratch}/levada"), Nats(f"{scratch}/nats"), RabbitMQ(f"{scratch}/rabbitmq")) as (levada, *peers):
            took = measure_deliveries(levada, levada.make_queue("idle"))
            report.put("delivery", [f"## From a send to one who pulls, an idle queue, {len(took)} messages", "",
                                    f"p50 {took[len(took) // 2]:.2f} ms (at most {P50_MS}), p99 {took[len(took) * 99 // 100]:.2f} ms."])
            queue = levada.make_queue("sent-to")
            for senders in SENDERS:
                compare_sends(arguments, scratch, Budget(minutes), report, levada, queue, peers, bodies, senders)
            compare_backlogs(arguments, report, levada, bodies)
            report.put("memory", ["## Memory at the end", "", *load.peaks([levada, *peers])])


if __name__ == "__main__":
    cli.run(main)
