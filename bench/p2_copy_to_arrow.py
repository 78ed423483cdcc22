#!/usr/bin/env python3
"""P2: COPY BINARY from a live server to Arrow batches that are dropped: user CPU of the client.

    bench/peers/setup.sh && bench/p2_copy_to_arrow.py --rounds 15 --write

`levada` is the product's consumer without a loader (a bench program, built here); `adbc` is arrow-adbc's driver, which
leaves numeric as text; `adbc, decimals` casts those texts to the decimals that levada makes."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import cli
import datasets
from measure import Budget, Contender, Failed, interleave, ratio, say, verdict
from peers import run as peers
from postgres import BUILD, HERE, Server
from report import Report, server_version, table

PROGRAM = BUILD / "bench-programs" / "src" / "connectors" / "postgres" / "connectors_postgres_bench"
TARGET = ("<=", 0.5)


def build():
    """Release flags; ccache makes it cheap beside build/release."""
    folder = BUILD / "bench-programs"
    say("building connectors_postgres_bench")
    for argv in (["cmake", "-S", str(HERE.parent), "-B", str(folder), "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release",
                  "-DCMAKE_CXX_FLAGS_RELEASE=-O2 -DNDEBUG", "-DLEVADA_BENCH=ON"],
                 ["cmake", "--build", str(folder), "--target", "connectors_postgres_bench"]):
        done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode != 0:
            sys.exit(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout[-3000:]}")


def inner(rows, figures):
    """What the program itself took from connection to end, and whether it read everything."""
    if int(figures["rows"]) != rows:
        raise Failed(f"{int(figures['rows'])} rows were read, the table has {rows}")
    return {"read_user_s": figures["user_s"], "read_cpu_s": figures["user_s"] + figures["system_s"]}


def contenders_of(server, name, rows, names):
    def levada(_out):
        return [str(PROGRAM), "--benchmark_filter=CopyToArrow", "--benchmark_format=json"]

    def levada_figures(answer):
        figures = json.loads(answer)["benchmarks"][0]
        if figures.get("error_occurred"):
            raise Failed("levada: " + figures["error_message"])
        return inner(rows, figures)

    def adbc(*options):
        argv = [str(peers.PYTHON), str(HERE / "peers" / "adbc_to_arrow.py"), name, *options]
        return {"command": lambda _out: argv, "env": server.env, "extra": lambda answer: inner(rows, json.loads(answer))}

    known = {
        "levada": lambda: Contender("levada", levada, {"LEVADA_BENCH_DSN": server.url, "LEVADA_BENCH_TABLE": name},
                                    levada_figures),
        "adbc": lambda: Contender("adbc", **adbc()),
        "adbc-decimals": lambda: Contender("adbc, decimals", **adbc("--decimals")),
        "floor": lambda: Contender("floor", lambda out: peers.command("floor", server, name, out), server.env),
    }
    return [known[one]() for one in names]


def lines_of(name, rows, contenders):
    done = len(contenders[0].samples)
    lines = [f"## {name}: {rows:,} rows, {done} rounds", ""]
    if not done:
        return lines
    lines += table(["", "user CPU s", "ns/row", "user + system s", "wall s", "peak MiB"], [
        [c.name, *([f"{c.median('read_user_s'):.2f}", f"{c.median('read_user_s') / rows * 1e9:.0f}",
                    f"{c.median('read_cpu_s'):.2f}"] if "read_user_s" in c.samples[0] else
                   [f"{c.median('user_s'):.2f}", f"{c.median('user_s') / rows * 1e9:.0f}", f"{c.median('cpu_s'):.2f}"]),
         f"{c.median('wall_s'):.2f}", f"{c.median('rss_mib'):.0f}"] for c in contenders])
    by_name = {c.name: c for c in contenders}
    ratios = []
    for other, target in (("adbc", TARGET), ("adbc, decimals", None)):
        if other in by_name and "levada" in by_name:
            for what, label in (("read_user_s", "user CPU"), ("read_cpu_s", "user + system")):
                middle, low, high = ratio(by_name["levada"], by_name[other], what)
                aim = target if what == "read_user_s" else None
                ratios.append([f"levada / {other}", label, f"{middle:.3f}", f"{low:.3f} .. {high:.3f}",
                               f"{aim[0]} {aim[1]}" if aim else "", verdict(low, high, aim) if aim else ""])
    return lines + [""] + table(["ratio", "of", "median", "95 % interval", "target", ""], ratios, left=(0, 1, 5))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=5)
    parser.add_argument("--tables", default="lineitem")
    parser.add_argument("--contenders", default="levada,adbc,adbc-decimals,floor")
    parser.add_argument("--no-build", action="store_true", help="use the bench program as it is")
    arguments = parser.parse_args()
    if not peers.PYTHON.exists():
        sys.exit("arrow-adbc is not installed: run bench/peers/setup.sh")
    if not arguments.no_build or not PROGRAM.exists():
        build()
    command = (f"bench/p2_copy_to_arrow.py --rounds {arguments.rounds} --tables {arguments.tables} --contenders "
               f"{arguments.contenders}" + (" --tiny" if arguments.tiny else ""))
    report = Report("p2", "P2: COPY BINARY to Arrow", command, arguments.write, notes=[
        f"{server_version()} on loopback; adbc-driver-postgresql 1.13.0. Each reads the whole table over one connection into",
        "Arrow batches and drops them. CPU is the client process's from the connection to the last row, start-up left out;",
        "wall and memory are of the whole process. `floor`, psql's COPY to /dev/null, is all of its process."])
    names = arguments.tables.split(",")
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        for name in names:
            datasets.need(server, name, arguments.tiny)
            name = datasets.table_of(name, arguments.tiny)
            rows = server.rows(name)
            contenders = contenders_of(server, name, rows, arguments.contenders.split(","))
            save = lambda: report.put(name, lines_of(name, rows, contenders))
            interleave(contenders, arguments.rounds, scratch, Budget(arguments.minutes / len(names)), save, shown="user_s")
            save()


if __name__ == "__main__":
    cli.run(main)
