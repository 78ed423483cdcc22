#!/usr/bin/env python3
"""Hard values: what levada and the peers make of single values that are easily changed on the way. Seconds, no speed.

    bench/peers/setup.sh && bench/hard_values.py --write

Each cell: `exact`, `refused` (the run fails and leaves no file), or the value that the Parquet file has instead."""

import argparse
import json
import os
import subprocess
import sys
import tempfile

import cli
import pipeline
from measure import Contender, Failed, need_levada, remove, run_once, say
from peers import run as peers
from postgres import BUILD, HERE, Server
from report import Report, server_version, table

# Parquet's INTERVAL (12 bytes: months, days, milliseconds) is as good as text. An infinite time is not: Parquet has none, and
# whoever does not know the writer's convention reads a date.
# table: (what the source has, forms in which a Parquet file holds exactly that, options by which levada takes it). The forms
# are those of `shown` in peers/one_value.py.
CASES = {
    "numeric_unbounded": ("1.123456789012345678", ["1.123456789012345678"], "numeric: string"),
    "numeric_38_20": ("123456789012345678.12345678901234567890", ["123456789012345678.12345678901234567890"], ""),
    "numeric_38_0": ("12345678901234567890123456789012345678", ["12345678901234567890123456789012345678"], ""),
    "numeric_nan": ("NaN", ["NaN", "nan"], "non_finite: string"),
    "timestamptz_infinity": ("infinity", ["infinity"], "infinity: string"),
    "date_44_bc": ("0044-03-15 BC", ["-735160 days", "0044-03-15 BC"], ""),
    "time_24": ("24:00:00", ["24:00:00", "86400000000 us"], ""),
    "interval": ("1 mon 2 days 03:04:05", ["P1M2DT3H4M5S", "0x01000000020000008888a800"], ""),
    "char_padded": ("'ab   '", ["'ab   '"], ""),
    "text_empty": ("''", ["''"], ""),
    "jsonb_long_number": ('{"a": 12345678901234567890.1234567890123}', ['\'{"a": 12345678901234567890.1234567890123}\''], ""),
    "int_array": ("{1,NULL,3}", ["[1, None, 3]"], ""),
    "bytea": ("\\x00ff", ["0x00ff"], ""),
    "inet": ("10.0.0.1/8", ["'10.0.0.1/8'"], ""),
    "boolean": ("true", ["True"], ""),
}


TEXTS = {"char_padded", "text_empty", "jsonb_long_number"}  # there a text is no other form


def cell(scratch, contender, forms, name):
    """One table by one contender."""
    out = os.path.join(scratch, "out")
    try:
        run_once(contender, out)
    except Failed:
        left = "refused" if not has_data(out) else "failed, leaves a file"
        remove(out)
        return left
    done = subprocess.run([str(peers.PYTHON), str(HERE / "peers" / "one_value.py"), out], text=True, capture_output=True)
    remove(out)
    if done.returncode != 0:
        return "unreadable: " + done.stderr.strip().splitlines()[-1][:60]
    answer = json.loads(done.stdout)
    value = answer["value"]
    if value in forms or value.strip("'") in forms:
        return "exact, as text" if answer["textual"] and name not in TEXTS else "exact"
    return f"{value} ({answer['type']})"


def has_data(out):
    if os.path.isfile(out):
        return True
    return any(name.endswith(".parquet") and not name.startswith((".", "_"))
               for _, _, names in os.walk(out) for name in names)


def levada(server, scratch, name, options):
    parts = [part for part in (f"table: hard_{name}", options) if part]
    return Contender("levada", pipeline.run_command(server, scratch, name, ", ".join(parts)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default="duckdb,adbc,connectorx,polars")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    need_levada()
    names = arguments.peers.split(",")
    for name in names:
        if path := peers.missing(name):
            sys.exit(f"the peer {name} is not installed ({path.name} is missing): run bench/peers/setup.sh [--all]")
    report = Report("hard-values", "Hard values", f"bench/hard_values.py --peers {arguments.peers}", arguments.write, notes=[
        f"{server_version()}; one row and one column each, to Parquet, read back by pyarrow.",
        "The second column of levada has the option that takes the value where the default refuses it."])
    rows = []
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        server.script(HERE / "peers" / "hard.sql")
        for name, (value, forms, options) in CASES.items():
            by_default = cell(scratch, levada(server, scratch, name, ""), forms, name)
            with_option = cell(scratch, levada(server, scratch, name, options), forms, name) if options else ""
            row = [name, value, by_default, f"{options}: {with_option}" if options else ""]
            for peer in names:
                contender = Contender(peer, command_of(peer, server, f"hard_{name}"),
                                      {**server.env, **peers.environment()})
                row.append(cell(scratch, contender, forms, name))
            rows.append(row)
            say(f"{name}: " + " | ".join(row[2:]))
            report.put("values", table(["", "the source has", "levada", "levada with", *names], rows,
                                       left=range(4 + len(names))))
        server.query("drop table " + ", ".join(f"hard_{name}" for name in CASES))


def command_of(peer, server, table_name):
    return lambda out: peers.command(peer, server, table_name, out)


if __name__ == "__main__":
    cli.run(main)
