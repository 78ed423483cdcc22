#!/usr/bin/env python3
"""How long `levada serve` takes until it is ready: the time from its start to the line that says so.

    bench/daemon_start.py --rounds 15 --write

In an empty directory, with all that is made on a first start; and in one with a gibibyte of KV and R2, after a stop and
after SIGKILL amid durable writes, of which the log has to be read again."""

import argparse
import signal
import subprocess
import tempfile
import time

import cli
import load
from measure import Budget, interval, need_levada, say
from peers.servers import Levada
from postgres import DATA
from report import Report, table

GIB = 2**30
SMALL_BYTES = 16 * 1024  # of KV; half of the gibibyte
LARGE_BYTES = 8 * 2**20  # of R2, in files
WRITERS = 16
EMPTY_MS, FULL_MS = 300, 1000


def started_s(server):
    began = time.monotonic()
    server.start_daemon()
    return time.monotonic() - began


def fill(server, gib):
    say(f"writing {gib:g} GiB (once)")
    values = server.make_namespace("bench")
    headers = [f"Authorization: Bearer {server.token}"]
    half = int(gib * GIB / 2)
    load.once(server.port, method="PUT", target=f"{values}/{{n}}", headers=headers, body_bytes=SMALL_BYTES,
              connections=WRITERS, requests=max(half // SMALL_BYTES, WRITERS))
    load.once(server.s3_port, server, method="PUT", target="/bench", requests=1)
    load.once(server.s3_port, server, method="PUT", target="/bench/{n}", body_bytes=LARGE_BYTES, connections=2,
              requests=max(half // LARGE_BYTES, 2))
    return values, headers


def kill_amid_writes(server, values, headers, seconds):
    writing = subprocess.Popen(
        load.load_options(server.port, method="PUT", target=f"{values}/{{n}}", headers=headers, body_bytes=SMALL_BYTES,
                          connections=WRITERS, seconds=10 * seconds), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    server.process.send_signal(signal.SIGKILL)
    writing.wait()  # it fails when its server goes away: that is what it is for
    server.stop()


def lines_of(rounds, rows):
    shown = []
    for name, samples, bound in rows:
        middle, low, high = (value * 1e3 for value in interval(samples))
        shown.append([name, f"{middle:.0f}", f"{low:.0f} .. {high:.0f}", f"{max(samples) * 1e3:.0f}", f"< {bound}",
                      "met" if max(samples) * 1e3 < bound else "missed"])
    return [f"## Milliseconds until ready, {rounds} rounds", "",
            *table(["", "median", "95 % interval", "longest", "target", ""], shown, left=(0, 5))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=2, help="of writing before a kill (default 2)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = 0.3
    need_levada()
    load.need_tools()
    DATA.mkdir(parents=True, exist_ok=True)
    report = Report("daemon-start", "Start of the daemon", f"bench/daemon_start.py --rounds {arguments.rounds}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write,
                    notes=["The target is for the longest of all rounds."])
    empty, stopped, killed = [], [], []
    budget = Budget(arguments.minutes)
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch, Levada(f"{scratch}/full") as full:
        values, headers = fill(full, 0.001 if arguments.tiny else 1)
        for number in range(arguments.rounds):
            if not budget.left():
                break
            fresh = Levada(f"{scratch}/empty-{number}")
            fresh.data.mkdir(parents=True)
            empty.append(started_s(fresh))
            fresh.stop()
            full.stop()
            stopped.append(started_s(full))
            kill_amid_writes(full, values, headers, arguments.seconds)
            killed.append(started_s(full))
            say(f"round {number + 1}/{arguments.rounds}: {empty[-1]:.3f} s, {stopped[-1]:.3f} s, {killed[-1]:.3f} s")
            report.put("start", lines_of(len(killed), [
                ("an empty directory", empty, EMPTY_MS), ("1 GiB, after a stop", stopped, FULL_MS),
                ("1 GiB, after SIGKILL amid writes", killed, FULL_MS)]))


if __name__ == "__main__":
    cli.run(main)
