#!/usr/bin/env python3
"""P1: Postgres -> Parquet zstd, interleaved with the COPY floor and the peers. Also P4's one-connection memory.

    bench/peers/setup.sh && bench/p1_postgres_to_parquet.py --rounds 15 --write

`auto` is `connections: auto`; `duckdb` is DuckDB's parallel reader; `floor` is psql COPY BINARY to /dev/null."""

import argparse
import datetime
import os
import pathlib
import sys
import tempfile

from measure import Contender, interleave, machine, median, ratio
from postgres import HERE, Server

PEERS = pathlib.Path(os.environ.get("LEVADA_PEERS") or pathlib.Path(
    os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "levada-peers")
LEVADA = HERE.parent / "build" / "release" / "bin" / "levada"


def levada(server, table, connections, scratch):
    pipeline = pathlib.Path(scratch) / f"{table}-{connections}.yaml"

    def command(out):
        pipeline.write_text(f"""name: {table}
consumer:
  postgres: {{ dsn: "{server.url}", table: {table}, connections: {connections} }}
loaders:
  - parquet: {{ path: {out}, codec: zstd, level: 1 }}
""")
        return [str(LEVADA), "run", str(pipeline), "--quiet", "--state", str(pathlib.Path(scratch) / "state")]

    return command


def peer(name, table):
    python = PEERS / ("dlt" if name == "dlt" else "venv") / "bin" / "python"
    return lambda out: [str(python), str(HERE / "peers" / "peer.py"), name, table, out]


def table_of(server, table, rounds, names, scratch):
    server.need(table, str(PEERS / "venv" / "bin" / "python"))
    known = {
        "one": lambda: Contender("one", levada(server, table, 1, scratch)),
        "auto": lambda: Contender("auto", levada(server, table, "auto", scratch)),
    }
    contenders = [known[n]() if n in known else Contender(n, peer(n, table), server.env) for n in names]
    interleave(contenders, rounds, scratch)
    lines = [f"### {table}", "", "| | wall s | client CPU s | peak MiB | file MiB |", "|---|---|---|---|---|"]
    for c in contenders:
        lines.append(f"| {c.name} | {median(c.samples, 'wall_s'):.2f} | {median(c.samples, 'cpu_s'):.2f} | "
                     f"{median(c.samples, 'rss_mib'):.0f} | {median(c.samples, 'file_mib'):.1f} |")
    by_name = {c.name: c for c in contenders}
    wanted = [("one", "floor", "wall_s"), ("auto", "duckdb", "wall_s"), ("auto", "duckdb", "cpu_s"),
              ("auto", "duckdb", "rss_mib"), ("auto", "duckdb", "file_mib"), ("one", "duckdb", "rss_mib"),
              ("one", "go-pgx-arrow", "wall_s"), ("auto", "floor", "wall_s")]
    lines += ["", "| ratio | median | 95 % interval |", "|---|---|---|"]
    for a, b, what in wanted:
        if a in by_name and b in by_name and not (b == "floor" and what != "wall_s"):
            middle, low, high = ratio(by_name[a], by_name[b], what)
            lines.append(f"| {a} / {b}, {what} | {middle:.3f} | {low:.3f} .. {high:.3f} |")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tables", default="lineitem,events,narrow")
    parser.add_argument("--contenders", default="one,floor,auto,duckdb,go-pgx-arrow")
    parser.add_argument("--write", action="store_true", help="write bench/results/p1-<date>.md")
    arguments = parser.parse_args()
    if not LEVADA.exists():
        sys.exit(f"{LEVADA} is missing: cmake --build --preset release")
    today = datetime.date.today().isoformat()
    text = [f"# P1: Postgres to Parquet, zstd level 1, {today}", "",
            f"Machine: {machine()}. {arguments.rounds} interleaved rounds after one warm-up each, medians; ratios are "
            "medians of the paired ratios with the 95 % bootstrap interval.", "",
            f"    bench/p1_postgres_to_parquet.py --rounds {arguments.rounds} --tables {arguments.tables} "
            f"--contenders {arguments.contenders}", ""]
    with Server() as server, tempfile.TemporaryDirectory() as scratch:
        for table in arguments.tables.split(","):
            text.append(table_of(server, table, arguments.rounds, arguments.contenders.split(","), scratch))
    print("\n".join(text))
    if arguments.write:
        (HERE / "results" / f"p1-{today}.md").write_text("\n".join(text))


if __name__ == "__main__":
    main()
