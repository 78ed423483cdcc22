#!/usr/bin/env python3
"""Where the CPU time of P1's job goes: by thread and by function, sampled by Linux perf.

    bench/profile.py --write

Needs perf (Debian: linux-perf). Time inside the kernel is one line: which part of it is not levada's to choose."""

import argparse
import collections
import os
import subprocess
import sys
import tempfile

import cli
import datasets
import pipeline
from measure import need_levada, remove
from postgres import BUILD, Server
from report import Report, server_version, table

HERTZ = 1999
FUNCTIONS = 30


def sampled(command, scratch):
    """{(thread, function): samples} of one run of `command`."""
    data = os.path.join(scratch, "perf.data")
    subprocess.run(["perf", "record", "-q", "-e", "cpu-clock", "-F", str(HERTZ), "-o", data, "--", *command], check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # One line a sample: "thread-name  pid/tid  address symbol (object)".
    script = subprocess.run(["perf", "script", "-i", data, "-F", "comm,tid,ip,sym,dso"], check=True, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
    counts = collections.Counter()
    for line in script.splitlines():
        comm, _, rest = line.strip().partition(" ")
        tid, _, place = rest.strip().partition(" ")
        _address, _, named = place.strip().partition(" ")
        symbol, _, dso = named.rpartition(" (")
        in_kernel = dso.startswith(("[kernel", "[guest", "[unknown"))
        counts[f"{comm} {tid}", "(kernel)" if in_kernel else shortened(symbol)] += 1
    return counts


def shortened(symbol):
    """Without arguments and template parameters, which say little and are long."""
    kept, depth = "", 0
    for character in symbol.replace("(anonymous namespace)", "{}"):
        depth += character in "<("
        if depth == 0:
            kept += character
        depth -= character in ">)"
    return kept.strip() or "(unknown)"


def sections(counts, seconds_a_sample, rows):
    whole = sum(counts.values())

    def cells(key, samples):
        return [key, f"{100 * samples / whole:.1f} %", f"{samples * seconds_a_sample:.2f}",
                f"{samples * seconds_a_sample / rows * 1e9:.0f}"]

    header = ["share", "CPU s", "ns/row"]
    threads, functions = collections.Counter(), collections.Counter()
    for (thread, function), samples in counts.items():
        threads[thread] += samples
        functions[function] += samples
    yield from table(["thread", *header], [cells(f"{i + 1}", n) for i, (_, n) in enumerate(threads.most_common())])
    yield ""
    yield from table(["function", *header], [cells(f"`{name}`", n) for name, n in functions.most_common(FUNCTIONS)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default="lineitem,events,narrow")
    parser.add_argument("--connections", default="1")
    parser.add_argument("--write", action="store_true", help="write bench/results/profile-<date>.md")
    parser.add_argument("--tiny", action="store_true", help="a thousandth of the rows: tries the script out, shows nothing")
    arguments = parser.parse_args()
    need_levada()
    if subprocess.run(["sh", "-c", "command -v perf"], stdout=subprocess.DEVNULL).returncode != 0:
        sys.exit("perf is missing: apt-get install linux-perf")
    report = Report("profile", "Profiles of P1's job", f"bench/profile.py --tables {arguments.tables} --connections "
                    f"{arguments.connections}", arguments.write, notes=[
                        f"{server_version()} on loopback. One run each, after one to warm up, sampled {HERTZ} times a second of CPU time.",
                        "The time of a function is its own, without what it calls; what the compiler inlined counts for its caller."])
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        for name in arguments.tables.split(","):
            datasets.need(server, name, arguments.tiny)
            name = datasets.table_of(name, arguments.tiny)
            out = os.path.join(scratch, "out")
            command = pipeline.table(server, scratch, name, arguments.connections)(out)
            sampled(command, scratch)
            remove(out)
            counts = sampled(command, scratch)
            remove(out)
            report.put(name, [f"## {name}, connections: {arguments.connections}", "",
                              *sections(counts, 1 / HERTZ, server.rows(name))])


if __name__ == "__main__":
    cli.run(main)
