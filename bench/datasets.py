"""The tables that the benchmarks read: lineitem (TPC-H, scale factor 1), events, narrow and wide."""

import os
import subprocess
import sys
import time

from postgres import DATA, HERE
from peers.run import PYTHON

NAMES = ["lineitem", "events", "narrow", "wide"]
ROWS = {"events": 10_000_000, "narrow": 10_000_000, "wide": 400_000}
WIDE_COLUMNS = 500
WIDE_PARTITIONS = 8


def table_of(name, tiny):
    return f"{name}_tiny" if tiny else name


def rows_of(name, tiny):
    return ROWS[name] // 1000 if tiny else ROWS[name]


def wide_sql(table, rows):
    """500 columns, about 3.4 KB a row: the mix of a wide application table, every eighth value of a column NULL."""
    kinds = [("bigint", "g * {i}"), ("int", "(g * {i} % 1000003)::int"), ("double precision", "g / {i}.0"),
             ("numeric(12,2)", "((g * {i}) % 100000000) / 100.0"), ("varchar(20)", "'v' || (g * {i} % 5000)")]
    columns, values = ["id bigint not null"], ["g"]
    for i in range(1, WIDE_COLUMNS):
        kind, value = kinds[i % len(kinds)]
        columns.append(f"c{i} {kind}")
        values.append(f"case when (g + {i}) % 8 = 0 then null else {value.format(i=i)} end")
    return (f"drop table if exists {table};\ncreate table {table}({', '.join(columns)});\n"
            f"insert into {table} select {', '.join(values)} from generate_series(1, {rows}::bigint) g;\n"
            f"alter table {table} add primary key(id);\nvacuum (analyze, freeze) {table};\n")


def need(server, name, tiny=False):
    """Makes the table unless it is there."""
    table = table_of(name, tiny)
    if server.has(table):
        return
    begin = time.monotonic()
    print(f"making table {table} (once)", file=sys.stderr, flush=True)
    # A table that is cut off half-way must not be taken for a whole one: it gets its name at the end.
    making = f"{table}_making"
    if name == "lineitem":
        if not PYTHON.exists():
            sys.exit("the table lineitem needs DuckDB's generator: run bench/peers/setup.sh")
        subprocess.run([str(PYTHON), str(HERE / "peers" / "lineitem.py"), "0.001" if tiny else "1", making], check=True,
                       env={**os.environ, "LEVADA_BENCH_TMP": str(DATA)})
    elif name == "wide":
        path = DATA / f"{making}.sql"
        path.write_text(wide_sql(making, rows_of(name, tiny)))
        server.script(path)
        path.unlink()
    else:
        server.script(HERE / "peers" / f"{name}.sql", table=making, rows=rows_of(name, tiny))
    server.query(f"alter table {making} rename to {table}")
    print(f"made table {table} in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
