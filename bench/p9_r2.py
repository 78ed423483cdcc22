#!/usr/bin/env python3
"""P9: R2 through S3, every request signed.

    bench/p9_r2.py --rounds 15 --write

Durable writes of 4 KiB beside synced puts to RocksDB itself; writes of 64 MiB beside what the disk and MD5 allow; reads of
64 MiB beside nginx; the first page of a list of a million keys. SeaweedFS and versitygw beside each of them. The million keys
are made once, in build/bench-data (minutes)."""

import argparse
import re
import tempfile

import cli
import load
from load import Loaded
from measure import Budget, Contender, interleave, launcher, need_levada, say
from peers.servers import Levada, Nginx, SeaweedFS, Versitygw, need_peers, running
from postgres import DATA
from report import Report

SMALL_BYTES = 4096
LARGE_BYTES = 64 * 2**20
CLIENTS = [1, 16, 64]
LIST_KEYS = 1_000_000
LIST_MS = 20
LARGE_A_RUN = 4  # of 64 MiB
BUCKET = "bench"


class Figures:
    """What the sections share."""

    def __init__(self, arguments, scratch, report):
        self.arguments, self.scratch, self.report = arguments, scratch, report
        self.sections = len(CLIENTS) + 6

    def interleave(self, contenders, save, shown):
        interleave(contenders, self.arguments.rounds, self.scratch, Budget(self.arguments.minutes / self.sections), save,
                   shown=shown)


def make_bucket(server):
    load.once(server.s3_port, server, method="PUT", target=f"/{BUCKET}", requests=1)


def of_each(servers, after=None, **options):
    return [Loaded(server, server.s3_port, sign=True, after=after and (lambda *run, at=server: after(at, *run)), **options)
            for server in servers]


def compare_small_writes(figures, servers, clients):
    seconds = figures.arguments.seconds
    ours, *peers = of_each(servers, connections=clients, seconds=seconds, method="PUT", body_bytes=SMALL_BYTES,
                           target=f"/{BUCKET}/w{clients}-{{run}}/{{n}}")
    bare = load.synced_puts("rocksdb", clients, SMALL_BYTES, seconds)

    def save():
        figures.report.put(f"put {clients}", [
            f"## Durable writes of 4 KiB, {clients} clients, {len(ours.samples)} rounds", "", *load.rates([ours, bare, *peers]),
            "", *load.ratios(ours, [(bare, 0.5), *((peer, 1.0) for peer in peers)])])

    figures.interleave([ours, bare, *peers], save, "rate")


def compare_small_reads(figures, servers):
    for server in servers:
        load.once(server.s3_port, server, method="PUT", target=f"/{BUCKET}/small", body_bytes=SMALL_BYTES, requests=1)
    ours, *peers = of_each(servers, connections=CLIENTS[-1], seconds=figures.arguments.seconds, target=f"/{BUCKET}/small",
                           reply_bytes=SMALL_BYTES)

    def save():
        figures.report.put("get small", [
            f"## Reads of 4 KiB, {CLIENTS[-1]} clients, {len(ours.samples)} rounds", "", *load.rates([ours, *peers]), "",
            *load.ratios(ours, [(peer, 1.0) for peer in peers])])

    figures.interleave([ours, *peers], save, "rate")


def disk(large_bytes):
    """dd of as many new files as a run writes objects, each synced. MB of them a second of dd's own clock."""
    command = (f"mkdir $0 && for i in $(seq {LARGE_A_RUN}); do LC_ALL=C dd if=/dev/zero of=$0/$i bs=1M iflag=count_bytes "
               f"count={large_bytes} conv=fdatasync 2>&1; done")

    def rate(answer):
        copied = re.findall(r"^(\d+) bytes.* copied, ([0-9.e-]+) s", answer, re.MULTILINE)
        return {"bytes_s": sum(int(size) for size, _ in copied) / sum(float(seconds) for _, seconds in copied)}

    return Contender("dd", lambda out: ["sh", "-c", command, out], extra=rate)


def md5():
    def rate(answer):
        return {"bytes_s": float(re.search(r"^\+F:\d+:md5:([0-9.]+)", answer, re.MULTILINE)[1])}

    return Contender("openssl md5", lambda _out: ["openssl", "speed", "-mr", "-elapsed", "-seconds", "1", "-bytes", "65536",
                                                  "md5"], extra=rate)


def compare_large_writes(figures, servers, large_bytes):
    """The two kinds of payload in the same rounds, so that dd and md5 are measured once for both."""
    def remove(server, target, run):
        load.once(server.s3_port, server, method="DELETE", target=target, requests=run["requests"])

    def writing(name, **options):
        made = of_each(servers, after=remove, method="PUT", requests=LARGE_A_RUN, body_bytes=large_bytes,
                       target=f"/{BUCKET}/{name}-{{run}}-{{n}}", **options)
        for contender in made:
            contender.name += f", {name} payload"
        return made

    kinds = [writing("unsigned"), writing("signed", sign_payload=True)]
    floors = [disk(large_bytes), md5()]
    slower = Contender("the slower of dd and md5", None)

    def save():
        slower.samples = [{"bytes_s": min(a["bytes_s"], b["bytes_s"])} for a, b in zip(*(floor.samples for floor in floors))]
        lines = [f"## Durable writes of {large_bytes >> 20} MiB, 1 client, {len(floors[0].samples)} rounds", "",
                 *load.rates([contender for kind in kinds for contender in kind] + floors, "bytes_s")]
        for ours, *peers in kinds:
            lines += ["", *load.ratios(ours, [(slower, 0.7), *((peer, 1.0) for peer in peers)], "bytes_s")]
        figures.report.put("put large", lines)

    figures.interleave([contender for kind in kinds for contender in kind] + floors, save, "bytes_s")


def compare_large_reads(figures, servers, nginx, large_bytes):
    for server in servers:
        load.once(server.s3_port, server, method="PUT", target=f"/{BUCKET}/large", body_bytes=large_bytes, requests=1)
    (nginx.root / "large").write_bytes(bytes(large_bytes))
    reading = {"requests": 4 * LARGE_A_RUN, "reply_bytes": large_bytes}
    ours, *peers = of_each(servers, target=f"/{BUCKET}/large", **reading)
    file = Loaded(nginx, nginx.port, target="/large", **reading)

    def save():
        figures.report.put("get large", [
            f"## Reads of {large_bytes >> 20} MiB, 1 client, {len(ours.samples)} rounds", "", *load.rates([ours, file, *peers], "bytes_s"),
            "", *load.ratios(ours, [(file, 0.7), *((peer, 1.0) for peer in peers)], "bytes_s")])

    figures.interleave([ours, file, *peers], save, "bytes_s")


def fill(server, keys):
    """`keys` empty objects in folders of a thousand, unless they are there."""
    done = server.folder / f"filled-{keys}"
    if done.exists():
        return
    say(f"{server.name}: making {keys:,} keys (once)")
    make_bucket(server)
    load.once(server.s3_port, server, method="PUT", target=f"/{BUCKET}/folder-{{thousand}}/file-{{n}}", requests=keys,
              connections=CLIENTS[-1])
    done.touch()


def compare_lists(figures, servers, keys):
    """A page is of a thousand keys, or of what stands before the first slash of them."""
    for name, query in (("all keys", "list-type=2"), ("with a delimiter", "delimiter=%2F&list-type=2")):
        ours, *peers = of_each(servers, seconds=figures.arguments.seconds / 2, target=f"/{BUCKET}?{query}")

        def save():
            figures.report.put(f"list {name}", [
                f"## First page of a list of {keys:,} keys, {name}, 1 client, {len(ours.samples)} rounds", "",
                *load.rates([ours, *peers]), "", *load.milliseconds([(ours, LIST_MS), *((peer, None) for peer in peers)],
                                                                    "p50_ms"),
                "", *load.ratios(ours, [(peer, 1.0) for peer in peers])])

        figures.interleave([ours, *peers], save, "p50_ms")


def measure(figures, tiny):
    large_bytes = LARGE_BYTES // 64 if tiny else LARGE_BYTES
    keys = LIST_KEYS // 1000 if tiny else LIST_KEYS
    scratch, report = figures.scratch, figures.report
    servers = [made(f"{scratch}/{made.name}") for made in (Levada, SeaweedFS, Versitygw)]
    nginx = Nginx(f"{scratch}/nginx")
    with running(*servers, nginx):
        for server in servers:
            make_bucket(server)
        compare_small_reads(figures, servers)
        for clients in CLIENTS:
            compare_small_writes(figures, servers, clients)
        report.put("memory small", ["## Memory after the small objects", "", *load.peaks(servers)])
        compare_large_reads(figures, servers, nginx, large_bytes)
        compare_large_writes(figures, servers, large_bytes)
        report.put("memory large", ["## Memory after the large objects", "", *load.peaks([*servers, nginx])])
    kept = DATA / ("list_tiny" if tiny else "list")
    servers = [made(kept / made.name) for made in (Levada, SeaweedFS, Versitygw)]
    with running(*servers):
        for server in servers:
            fill(server, keys)
    # Started again: what filling took is not what listing takes.
    with running(*servers):
        compare_lists(figures, servers, keys)
        report.put("memory lists", ["## Memory after the lists", "", *load.peaks(servers)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=4, help="of each run of small requests (default 4)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = min(arguments.seconds, 0.3)
    need_levada()
    load.need_tools()
    need_peers()
    launcher()
    DATA.mkdir(parents=True, exist_ok=True)
    report = Report("p9", "P9: R2", f"bench/p9_r2.py --rounds {arguments.rounds}" + (" --tiny" if arguments.tiny else ""),
                    arguments.write, notes=[
                        "Medians over the rounds and their 95 % bootstrap intervals; ratios are taken within each round.",
                        "levada has synced what it acknowledges; SeaweedFS and versitygw have not."])
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch:
        measure(Figures(arguments, scratch, report), arguments.tiny)


if __name__ == "__main__":
    cli.run(main)
