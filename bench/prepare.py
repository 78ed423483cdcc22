#!/usr/bin/env python3
"""Makes the tables of the benchmarks ahead of time; what is there already is left alone.

    nice -n 19 bench/prepare.py                 lineitem, events, narrow, wide: five minutes, 6 GiB
    nice -n 19 bench/prepare.py --tiny          the same with a thousandth of the rows, for trying the scripts out
    nice -n 19 bench/prepare.py --tables wide"""

import argparse
import sys

import datasets
import same_values
from postgres import Server


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tables", default=",".join(datasets.NAMES))
    parser.add_argument("--tiny", action="store_true")
    arguments = parser.parse_args()
    with Server() as server:
        for name in arguments.tables.split(","):
            datasets.need(server, name, arguments.tiny)
            table = datasets.table_of(name, arguments.tiny)
            if name != "wide":
                same_values.expected(server, table, same_values.figures(server, table))
            size = server.query(f"select pg_size_pretty(pg_table_size('{table}'))")
            print(f"{table}: {server.rows(table)} rows, {size}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
