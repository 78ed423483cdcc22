"""The only value of a Parquet dataset of one row, in a form that hides nothing.

    one_value.py OUT      prints {"value", "type", "textual"} as JSON"""

import glob
import json
import os
import sys

import pyarrow
import pyarrow.parquet

out = sys.argv[1]
path = out if os.path.isfile(out) else next(
    name for name in glob.glob(os.path.join(out, "**", "*.parquet"), recursive=True) if "_levada" not in name)
column = pyarrow.parquet.ParquetFile(path).read().column("v")
kind = column.type
scalar = column[0]
if isinstance(kind, pyarrow.BaseExtensionType):
    kind, scalar = kind.storage_type, scalar.value


def shown():
    if not scalar.is_valid:
        return "NULL"
    if pyarrow.types.is_date32(kind):
        return f"{scalar.cast(pyarrow.int32()).as_py()} days"  # Python's dates end at the year 1
    if pyarrow.types.is_timestamp(kind) or pyarrow.types.is_time(kind):
        return f"{scalar.cast(pyarrow.int64()).as_py()} {kind.unit}"
    if pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind) or pyarrow.types.is_fixed_size_binary(kind):
        return "0x" + scalar.as_py().hex()
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        return repr(scalar.as_py())
    return str(scalar.as_py())


textual = pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)
print(json.dumps({"value": shown(), "type": str(column.type)[:40], "textual": textual}))
