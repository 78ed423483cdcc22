"""A consumer: the readings of one day, as Arrow IPC on standard output. Everything else belongs on standard error."""
import datetime
import os
import sys

import pyarrow as pa

schema = pa.schema([("sensor", pa.int32()), ("at", pa.timestamp("us", "UTC")), ("celsius", pa.float64())])
with pa.ipc.new_stream(sys.stdout.buffer, schema) as stream:
    if os.environ["LEVADA_ASK"] == "rows":
        midnight = datetime.datetime.fromisoformat(sys.argv[1] + "T00:00:00+00:00")
        for hour in range(24):
            at = midnight + datetime.timedelta(hours=hour)
            rows = {"sensor": [1, 2], "at": [at, at], "celsius": [18.0 + hour / 4, 21.5]}
            stream.write_batch(pa.RecordBatch.from_pydict(rows, schema))
