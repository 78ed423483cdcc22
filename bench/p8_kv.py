#!/usr/bin/env python3
"""P8: KV through its REST API, the token checked.

    bench/p8_kv.py --rounds 15 --write

Reading a value of 1 KiB beside nginx with the same bytes in a file; durable writes of 1 KiB at 1, 16 and 64 clients beside
synced puts to RocksDB itself and beside Redis that syncs before it answers."""

import argparse
import tempfile

import cli
import load
from load import Loaded
from measure import Budget, interleave, launcher, need_levada
from peers.servers import Levada, Nginx, Redis, need_peers, running
from postgres import DATA
from report import Report

VALUE_BYTES = 1024
READERS = 64
WRITERS = [1, 16, 64]
P99_MS = 15


def prepare(levada, nginx):
    """The same value in both; the header that reads it, and where the values are."""
    headers = [f"Authorization: Bearer {levada.token}"]
    values = levada.make_namespace("bench")
    load.once(levada.port, method="PUT", target=f"{values}/value", headers=headers, body_bytes=VALUE_BYTES, requests=1)
    (nginx.root / "value").write_bytes(b"x" * VALUE_BYTES)
    return headers, values


def compare_reads(arguments, scratch, budget, report, headers, values, levada, nginx):
    reading = {"connections": READERS, "seconds": arguments.seconds, "reply_bytes": VALUE_BYTES}
    ours = Loaded(levada, levada.port, target=f"{values}/value", headers=headers, **reading)
    theirs = Loaded(nginx, nginx.port, target="/value", **reading)

    def save():
        report.put("get", [f"## Reads of {VALUE_BYTES:,} bytes, {READERS} clients, {len(ours.samples)} rounds", "",
                           *load.rates([ours, theirs]), "", *load.ratios(ours, [(theirs, 0.8)])])

    interleave([ours, theirs], arguments.rounds, scratch, budget, save, shown="rate")


def compare_writes(arguments, scratch, budget, report, headers, values, levada, redis, clients):
    writing = {"connections": clients, "seconds": arguments.seconds, "method": "PUT", "body_bytes": VALUE_BYTES}
    ours = Loaded(levada, levada.port, target=f"{values}/w{clients}-{{run}}-{{n}}", headers=headers, **writing)
    theirs = Loaded(redis, redis.port, target=f"w{clients}-{{run}}-{{n}}", redis=True, **writing)
    bare = load.synced_puts("rocksdb", clients, VALUE_BYTES, arguments.seconds)

    def save():
        largest = clients == WRITERS[-1]
        report.put(f"put {clients}", [
            f"## Durable writes of {VALUE_BYTES:,} bytes, {clients} clients, {len(ours.samples)} rounds", "",
            *load.rates([ours, bare, theirs]), "", *load.ratios(ours, [(bare, 0.7 if largest else None), (theirs, 1.0)]), "",
            *load.milliseconds([(ours, P99_MS if largest else None)], "p99_ms")])

    interleave([ours, bare, theirs], arguments.rounds, scratch, budget, save, shown="rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=5, help="of each run (default 5)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = min(arguments.seconds, 0.3)
    need_levada()
    load.need_tools()
    need_peers()
    launcher()
    DATA.mkdir(parents=True, exist_ok=True)
    minutes = arguments.minutes / (1 + len(WRITERS))
    report = Report("p8", "P8: KV", f"bench/p8_kv.py --rounds {arguments.rounds}" + (" --tiny" if arguments.tiny else ""),
                    arguments.write, notes=[
                        "Medians over the rounds and their 95 % bootstrap intervals; ratios are taken within each round."])
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch:
        servers = Levada(f"{scratch}/levada"), Nginx(f"{scratch}/nginx"), Redis(f"{scratch}/redis")
        with running(*servers):
            levada, nginx, redis = servers
            headers, values = prepare(levada, nginx)
            compare_reads(arguments, scratch, Budget(minutes), report, headers, values, levada, nginx)
            report.put("memory", ["## Memory after the reads", "", *load.peaks([levada, nginx])])
            for clients in WRITERS:
                compare_writes(arguments, scratch, Budget(minutes), report, headers, values, levada, redis, clients)
            report.put("memory at the end", ["## Memory after the writes", "", *load.peaks(servers)])


if __name__ == "__main__":
    cli.run(main)
