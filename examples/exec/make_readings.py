"""A consumer: the readings of one day, as Arrow IPC on standard output. Everything else belongs on standard error."""
import os
import sys

import pyarrow as pa

schema = pa.schema([("sensor", pa.int32()), ("at", pa.timestamp("us", "UTC")), ("celsius", pa.float64())])
with pa.ipc.new_stream(sys.stdout.buffer, schema) as stream:
    if os.environ["LEVADA_ASK"] == "rows":
        midnight = pa.scalar(sys.argv[1]).cast(pa.timestamp("us", "UTC")).value
        for hour in range(24):
            rows = {"sensor": [1, 2], "at": [midnight + hour * 3_600_000_000] * 2, "celsius": [18.0 + hour / 4, 21.5]}
            stream.write_batch(pa.RecordBatch.from_pydict(rows, schema))
