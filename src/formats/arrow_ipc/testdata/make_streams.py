"""Makes the seeds of stream_reader_fuzz: streams by pyarrow, as programs of users write them."""
import decimal
import pathlib

import pyarrow as pa

SEEDS = pathlib.Path(__file__).parent / "stream_reader_fuzz"

table = pa.table({
    "id": pa.array([1, 2, 3, 4], pa.int64()),
    "word": pa.array(["a", None, "häuser", ""]),
    "price": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-3.00"), decimal.Decimal(0)], pa.decimal128(12, 2)),
    "at": pa.array([0, 1, None, 2**40], pa.timestamp("us", "UTC")),
    "day": pa.array([0, None, 20000, -1], pa.date32()),
    "ok": pa.array([True, False, None, True]),
    "raw": pa.array([b"\0", None, b"", b"xyz"], pa.large_binary()),
    "key": pa.array([b"0123", None, b"abcd", b"wxyz"], pa.binary(4)),
    "tags": pa.array([["x", "y"], [], None, ["z"]], pa.list_(pa.string())),
    "point": pa.array([{"x": 1.5, "y": None}, None, {"x": 0.0, "y": 2.0}, None],
                      pa.struct([("x", pa.float64()), ("y", pa.float32())])),
    "map": pa.array([[("a", 1)], [], None, [("b", None)]], pa.map_(pa.string(), pa.int8())),
})


def write(name, table, cut=None, chunk=3, **options):
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=chunk)
    (SEEDS / name).write_bytes(sink.getvalue().to_pybytes()[:cut])


SEEDS.mkdir(exist_ok=True)
write("rows.arrows", table)
write("sliced.arrows", table.slice(1, 2))
write("no_rows.arrows", table.slice(0, 0))
write("zstd.arrows", table, compression="zstd")
write("lz4.arrows", pa.table({"n": pa.array([7] * 1000)}), chunk=1000, compression="lz4")
write("legacy.arrows", table, use_legacy_format=True)
write("version_4.arrows", table, metadata_version=pa.ipc.MetadataVersion.V4)
write("dictionary.arrows", pa.table({"d": pa.array(["a", "b", "a"]).dictionary_encode()}))
write("cut.arrows", table, cut=-9)
