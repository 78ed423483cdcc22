#!/usr/bin/env python3
"""P4: peak resident memory of `levada run`, everything at its default.

    bench/p4_memory.py --rounds 3 --write

`job`: P1's tables on one connection and with `auto`. `wide`: 8 partitions of 500 columns, at most 2 open at once. `slope`:
a query of generate_series from 10 to 200 million rows, which needs no disk on the server's side."""

import argparse
import json
import pathlib
import statistics
import tempfile

import cli
import datasets
import pipeline
from measure import Budget, Contender, difference, interleave, interval, need_levada
from postgres import BUILD, Server
from report import Report, server_version, table

JOB_TARGETS = {"1": 64, "auto": 112}
WIDE_TARGET = 256
SLOPE_MILLIONS = [10, 50, 100, 200]


def peaks(rows):
    """Table rows: name, median peak and its interval, wall, target, verdict. `rows` are (name, contender, target)."""
    for name, contender, target in rows:
        middle, low, high = interval([sample["rss_mib"] for sample in contender.samples])
        yield [name, f"{middle:.1f}", f"{low:.1f} .. {high:.1f}", f"{contender.median('wall_s'):.1f}",
               f"<= {target}" if target else "", ("met" if high <= target * 1.05 else "missed") if target else ""]


HEADER = ["", "peak MiB", "95 % interval", "wall s", "target", ""]


def job(server, scratch, arguments, report, budget):
    rows = []
    for name in ("lineitem", "events", "narrow"):
        datasets.need(server, name, arguments.tiny)
        name = datasets.table_of(name, arguments.tiny)
        server.rows(name)
        for connections, target in JOB_TARGETS.items():
            contender = Contender(f"{name}, connections: {connections}",
                                  pipeline.table(server, scratch, name, connections))
            rows.append((contender.name, contender, target))

    def save():
        done = len(rows[0][1].samples)
        report.put("job", [f"## The job of P1, {done} rounds", "", *table(HEADER, peaks(rows), left=(0, 5))])

    interleave([contender for _, contender, _ in rows], arguments.rounds, scratch, budget, save, shown="rss_mib")


def wide(server, scratch, arguments, report, budget):
    datasets.need(server, "wide", arguments.tiny)
    name = datasets.table_of("wide", arguments.tiny)
    rows = datasets.rows_of("wide", arguments.tiny)
    consumer = f"table: {name}, partition: {{ by: id, count: {datasets.WIDE_PARTITIONS} }}"
    command = pipeline.run_command(server, scratch, "wide", consumer, extra="parallel: { partitions: 2 }\n")
    contender = Contender("wide", command)
    partitions = {}

    def look(_contender, out):
        split = json.loads((pathlib.Path(out) / "_levada" / "all.split.json").read_text())
        partitions["count"] = len(split["partitions"])

    def save():
        report.put("wide", [
            f"## {rows:,} rows of {datasets.WIDE_COLUMNS} columns in {partitions.get('count', '?')} partitions, 2 at a time, "
            f"{len(contender.samples)} rounds", "",
            *table(HEADER, peaks([(name, contender, WIDE_TARGET)]), left=(0, 5))])

    interleave([contender], arguments.rounds, scratch, budget, save, shown="rss_mib", warm=look)


def slope_query(rows):
    # generate_series in the select list gives its rows one by one; in FROM the server would keep all of them first.
    return ("select g as id, (g % 1000003)::int as a, g / 7.0::double precision as b, timestamptz '2024-01-01 00:00:00+00' + "
            "g * interval '1 second' as c, g % 3 = 0 as d, 'v' || (g % 5000) as e "
            f"from (select generate_series(1, {rows}::bigint) as g) as series")


def slope(server, scratch, arguments, report, budget):
    sizes = [millions * (1000 if arguments.tiny else 1_000_000) for millions in SLOPE_MILLIONS]
    contenders = [
        Contender(f"{rows / 1e6:g} M rows", pipeline.run_command(server, scratch, f"series_{rows}",
                                                                 f"query: \"{slope_query(rows)}\""))
        for rows in sizes]

    def save():
        done = len(contenders[0].samples)
        first, last = contenders[0], contenders[-1]
        medians = [contender.median("rss_mib") for contender in contenders]
        line = statistics.linear_regression([rows / 1e8 for rows in sizes], medians)
        middle, low, high = difference(last, first, "rss_mib")
        report.put("slope", [
            f"## Rows, {done} rounds", "", *table(HEADER, peaks([(c.name, c, None) for c in contenders]), left=(0, 5)), "",
            f"From {first.name} to {last.name} the peak grows by {middle:+.1f} MiB ({low:+.1f} .. {high:+.1f}); a line through "
            f"the medians has a slope of {line.slope:+.2f} MiB for 100 M rows."])

    # A warm-up of 200 M rows would show nothing that 10 M do not.
    interleave(contenders, arguments.rounds, scratch, budget, save, shown="rss_mib", warm_up=contenders[:1])


PARTS = {"job": job, "wide": wide, "slope": slope}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=3)
    parser.add_argument("--parts", default=",".join(PARTS))
    arguments = parser.parse_args()
    need_levada()
    budget = Budget(arguments.minutes)
    report = Report("p4", "P4: memory", f"bench/p4_memory.py --rounds {arguments.rounds} --parts {arguments.parts}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write, notes=[
        f"{server_version()} on loopback. The largest resident set of the levada process as the kernel counted it (wait4),",
        "libraries included. zstd level 1, `verify: count`, no --memory given."])
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        for part in arguments.parts.split(","):
            PARTS[part](server, scratch, arguments, report, budget)


if __name__ == "__main__":
    cli.run(main)
