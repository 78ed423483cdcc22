#!/usr/bin/env python3
"""P1: Postgres -> Parquet zstd on disk, interleaved with the COPY floor and the peers.

    bench/peers/setup.sh && bench/p1_postgres_to_parquet.py --rounds 15 --write

`one` and `auto` are levada with `connections: 1` and `auto`; `floor` is psql's COPY BINARY to /dev/null; `duckdb` is
DuckDB's parallel reader; `go-pgx-arrow` a plain Go program of pgx and arrow-go. More: adbc connectorx polars, and with
setup.sh --all chdb dlt sling."""

import argparse
import json
import sys
import tempfile

import cli
import datasets
import pipeline
import same_values
from measure import Budget, Contender, interleave, need_levada, ratio, say, verdict
from peers import run as peers
from postgres import BUILD, Server
from report import Report, server_version, table

# contender, contender, figure, target of the house (None: shown only)
RATIOS = [
    ("one", "floor", "wall_s", ("<=", 1.0)),
    ("auto", "duckdb", "wall_s", ("<=", 0.78)),
    ("auto", "duckdb", "work_s", None),
    ("auto", "duckdb", "cpu_s", ("<=", 0.75)),
    ("auto", "duckdb", "work_cpu_s", None),
    ("auto", "duckdb", "rss_mib", ("<=", 0.6)),
    ("auto", "duckdb", "file_mib", ("<=", 1.02)),
    ("go-pgx-arrow", "one", "wall_s", (">=", 1.6)),
    ("go-pgx-arrow", "auto", "wall_s", (">=", 1.6)),
    ("one", "duckdb", "wall_s", None),
    ("one", "duckdb", "cpu_s", None),
    ("one", "duckdb", "rss_mib", None),
    ("auto", "floor", "wall_s", None),
]
FIGURES = {"wall_s": "wall", "work_s": "wall, Python's start left out", "cpu_s": "client CPU",
           "work_cpu_s": "client CPU, Python's start left out", "rss_mib": "peak memory", "file_mib": "file size"}


def start_of(answer):
    """What peer.py says of its own start: nothing for sling, and for what is not Python."""
    lines = answer.strip().splitlines()
    try:
        return json.loads(lines[-1]) if lines else {}
    except ValueError:
        return {}


class Comparison:
    """One table."""

    def __init__(self, server, name, arguments, scratch):
        self.table = datasets.table_of(name, arguments.tiny)
        datasets.need(server, name, arguments.tiny)
        self.rows = server.rows(self.table)
        self.scratch = scratch
        self.spec = same_values.figures(server, self.table)
        self.source = same_values.expected(server, self.table, self.spec)
        self.written = []
        self.contenders = [self._contender(server, one) for one in arguments.contenders.split(",")]

    def _contender(self, server, name):
        if name in ("one", "auto"):
            return Contender(name, pipeline.table(server, self.scratch, self.table, 1 if name == "one" else "auto"))
        return Contender(name, lambda out: peers.command(name, server, self.table, out),
                         {**server.env, **peers.environment()}, start_of)

    def look(self, contender, out):
        """After a warm-up: what was written, and whether it is what the source has."""
        if contender.name == "floor":
            return
        seen = same_values.look(peers.PYTHON, self.spec, out, self.scratch)
        if "failed" in seen:
            self.written.append([contender.name, "-", "-", "-", "cannot be read: " + seen["failed"]])
            return
        values = same_values.difference(self.spec, self.source, seen["answer"], seen["types"])
        self.written.append([contender.name, f"{int(seen['answer'][0]):,}", seen["files"],
                             " ".join(seen["codecs"]).lower(), values])
        say(f"{contender.name}: {values}")

    def lines(self):
        done = len(self.contenders[0].samples)
        lines = [f"## {self.table}: {self.rows:,} rows, {done} rounds", ""]
        if done:
            lines += table(["", "wall s", "M rows/s", "client CPU s", "us/row", "peak MiB", "file MiB"], [
                [c.name, f"{c.median('wall_s'):.2f}", f"{self.rows / c.median('wall_s') / 1e6:.2f}",
                 f"{c.median('cpu_s'):.2f}", f"{c.median('cpu_s') / self.rows * 1e6:.2f}", f"{c.median('rss_mib'):.0f}",
                 f"{c.median('file_mib'):.1f}" if c.median("file_mib") else "-"] for c in self.contenders])
            lines += [""] + table(["ratio", "of", "median", "95 % interval", "target", ""], self._ratios(), left=(0, 1, 5))
        if self.written:
            lines += ["", "What was written (read back by DuckDB, compared with the server's own figures):", ""]
            lines += table(["", "rows", "files", "codec", "values"], self.written, left=(0, 3, 4))
        return lines

    def _ratios(self):
        by_name = {contender.name: contender for contender in self.contenders}
        for a, b, what, target in RATIOS:
            if a in by_name and b in by_name:
                middle, low, high = ratio(by_name[a], by_name[b], what)
                bound = f"{target[0]} {target[1]}" if target else ""
                yield [f"{a} / {b}", FIGURES[what], f"{middle:.3f}", f"{low:.3f} .. {high:.3f}", bound,
                       verdict(low, high, target) if target else ""]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=5)
    parser.add_argument("--tables", default="lineitem,events,narrow")
    parser.add_argument("--contenders", default="one,floor,auto,duckdb,go-pgx-arrow")
    arguments = parser.parse_args()
    need_levada()
    for name in arguments.contenders.split(","):
        if name not in ("one", "auto") and (path := peers.missing(name)):
            sys.exit(f"the peer {name} is not installed ({path.name} is missing): run bench/peers/setup.sh [--all]")
    command = (f"bench/p1_postgres_to_parquet.py --rounds {arguments.rounds} --tables {arguments.tables} "
               f"--contenders {arguments.contenders}" + (" --tiny" if arguments.tiny else ""))
    report = Report("p1", "P1: Postgres to Parquet, zstd", command, arguments.write, notes=[
        f"{server_version()} on loopback. Rounds are interleaved after one warm-up each; figures are medians, ratios are",
        "medians of the paired ratios with the 95 % bootstrap interval. levada writes zstd level 1, syncs and verifies",
        "counts; the peers write zstd at their own default level and sync nothing."])
    names = arguments.tables.split(",")
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        for name in names:
            comparison = Comparison(server, name, arguments, scratch)
            # Each table gets an equal share of the time, so that none is left without rounds.
            budget = Budget(arguments.minutes / len(names))
            save = lambda: report.put(comparison.table, comparison.lines())
            interleave(comparison.contenders, arguments.rounds, scratch, budget, save, warm=comparison.look)
            save()


if __name__ == "__main__":
    cli.run(main)
