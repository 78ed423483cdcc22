"""Reads a table by arrow-adbc's PostgreSQL driver (COPY BINARY) into Arrow batches that are dropped, and prints what this
process paid from the connection to the last row.

    adbc_to_arrow.py TABLE [--decimals]     (PGHOST PGPORT PGUSER PGDATABASE)

The driver gives numeric as text. With --decimals it is cast to the decimals that the columns are: levada's work."""

import json
import os
import resource
import sys

import adbc_driver_postgresql.dbapi
import pyarrow
import pyarrow.compute

table, decimals = sys.argv[1], "--decimals" in sys.argv
url = f"postgresql://{os.environ['PGUSER']}@{os.environ['PGHOST']}:{os.environ['PGPORT']}/{os.environ['PGDATABASE']}"


def types_of(cursor):
    """{column index: decimal type} by the catalog."""
    cursor.execute(
        "select attnum::int - 1, ((atttypmod - 4) >> 16)::int, ((atttypmod - 4) & 65535)::int from pg_attribute "
        f"where attrelid = '{table}'::regclass and atttypid = 1700 and attnum > 0")
    return {number: pyarrow.decimal128(precision, scale) for number, precision, scale in cursor.fetchall()}


before = resource.getrusage(resource.RUSAGE_SELF)
rows = 0
with adbc_driver_postgresql.dbapi.connect(url) as connection, connection.cursor() as cursor:
    casts = types_of(cursor) if decimals else {}
    cursor.execute(f"select * from {table}")
    for batch in cursor.fetch_record_batch():
        for number, kind in casts.items():
            pyarrow.compute.cast(batch.column(number), kind)
        rows += batch.num_rows
after = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"rows": rows, "user_s": after.ru_utime - before.ru_utime, "system_s": after.ru_stime - before.ru_stime}))
