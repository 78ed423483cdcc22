#!/usr/bin/env python3
"""What transformers cost: CPU time of a job with a stage less that of the job without it, by row; and DuckDB doing the same
projection, in the same way.

    bench/transformers.py --rounds 5 --write

The job is lineitem from PostgreSQL to Parquet on one connection."""

import argparse
import tempfile

import cli
import datasets
from measure import Budget, Contender, difference, interleave, interval, need_levada
from peers import run as peers
from pipeline import run_command
from postgres import BUILD, Server
from report import Report, server_version, table

# name: (levada's stages, DuckDB's select)
STAGES = {
    "nothing": ("", "select * from lineitem"),
    "select 8 of 16": ("select: { columns: [l_orderkey, l_partkey, l_quantity, l_extendedprice, l_discount, l_shipdate, l_shipmode, "
                       "l_comment] }",
                       "select l_orderkey, l_partkey, l_quantity, l_extendedprice, l_discount, l_shipdate, l_shipmode, l_comment "
                       "from lineitem"),
    "filter, half the rows": ("filter: l_quantity <= 25", "select * from lineitem where l_quantity <= 25"),
    "derive a decimal": ("derive: { net: l_extendedprice * (1 - l_discount) }",
                         "select *, l_extendedprice * (1 - l_discount) as net from lineitem"),
    "derive a text": ("derive: { mode: \"lower(trim(l_shipmode)) || '/' || l_returnflag\" }",
                      "select *, lower(trim(l_shipmode)) || '/' || l_returnflag as mode from lineitem"),
    "derive by a case": ("derive: { late: \"case when l_receiptdate > l_commitdate then 'late' else 'in time' end\" }",
                         "select *, case when l_receiptdate > l_commitdate then 'late' else 'in time' end as late from lineitem"),
    "cast to text": ("cast: { l_quantity: text }", "select * replace (l_quantity::varchar as l_quantity) from lineitem"),
    "dedupe, all rows differ": ("dedupe: { key: [l_orderkey, l_linenumber] }",
                                "select distinct on (l_orderkey, l_linenumber) * from lineitem"),
    "validate: four rules": ("validate: { columns: { l_orderkey: { not_null: true }, l_quantity: { min: 1, max: 50 }, l_returnflag: "
                             "{ in: [A, N, R] } } }", None),
}


def contenders_of(server, scratch, name, tiny):
    ours, theirs = STAGES[name]
    of = datasets.table_of("lineitem", tiny)
    slug = "".join(c if c.isalnum() else "_" for c in name)
    extra = f"transformers: [{{ {ours} }}]\n" if ours else ""
    yield Contender(f"levada, {name}", run_command(server, scratch, slug, f"table: {of}", extra))
    if theirs is not None and peers.missing("duckdb") is None:
        select = theirs.replace("from lineitem", f"from pg.public.{of}")
        yield Contender(f"duckdb, {name}", lambda out: [*peers.command("duckdb:1", server, of, out), select],
                        env={**server.env, **peers.environment()})


def lines_of(by_name, rows):
    done = min(len(contender.samples) for contender in by_name.values())
    lines = [f"## Nanoseconds of CPU a row, {done} rounds", ""]
    if not done:
        return lines
    shown = []
    for name in STAGES:
        cells = [name]
        for who in ("levada", "duckdb"):
            contender, plain = by_name.get(f"{who}, {name}"), by_name.get(f"{who}, nothing")
            if contender is None or plain is None:
                cells += ["-", ""]
                continue
            taken = interval([s["cpu_s"] for s in contender.samples]) if name == "nothing" else difference(contender, plain, "cpu_s")
            middle, low, high = (value / rows * 1e9 for value in taken)
            cells += [f"{middle:.0f}", f"{low:.0f} .. {high:.0f}"]
        shown.append(cells)
    return lines + table(["stage", "levada", "95 % interval", "duckdb", "95 % interval"], shown)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=5)
    arguments = parser.parse_args()
    need_levada()
    report = Report("transformers", "What transformers cost", f"bench/transformers.py --rounds {arguments.rounds}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write, notes=[
        f"{server_version()} on loopback, lineitem to Parquet, one connection and one thread of DuckDB. The first line is the whole "
        "job, the others what the stage adds to it: also what it saves or costs the writer behind it."])
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        datasets.need(server, "lineitem", arguments.tiny)
        rows = int(server.query(f"select count(*) from {datasets.table_of('lineitem', arguments.tiny)}"))
        contenders = [each for name in STAGES for each in contenders_of(server, scratch, name, arguments.tiny)]
        by_name = {contender.name: contender for contender in contenders}
        interleave(contenders, arguments.rounds, scratch, Budget(arguments.minutes),
                   lambda: report.put("transformers", lines_of(by_name, rows)), shown="cpu_s")


if __name__ == "__main__":
    cli.run(main)
