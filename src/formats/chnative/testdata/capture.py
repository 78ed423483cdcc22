#!/usr/bin/env python3
"""Writes captures.jsonl: what ClickHouse's own engine says in FORMAT Native of a statement with one column, beside the Arrow type
and values that it has to become, which are written by hand here. And block_reader_fuzz/*: the same bytes as seeds.

    capture.py LIBCHDB

A line: {"name", "statement", "arrow", "values" (JSON, as Arrow reads it), "hex"}.
"""
import ctypes
import json
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent

# name: (statement, Arrow type, values)
CASES = {
    "int8": ("SELECT CAST(arrayJoin([toInt8(-128), 0, 127]), 'Int8') AS x", "int8", [-128, 0, 127]),
    "int16": ("SELECT CAST(arrayJoin([toInt16(-32768), 0, 32767]), 'Int16') AS x", "int16", [-32768, 0, 32767]),
    "int32": ("SELECT CAST(arrayJoin([toInt32(-2147483648), 0, 2147483647]), 'Int32') AS x", "int32", [-2**31, 0, 2**31 - 1]),
    "int64": ("SELECT CAST(arrayJoin([toInt64('-9223372036854775808'), 0, 9223372036854775807]), 'Int64') AS x", "int64", [-2**63, 0, 2**63 - 1]),
    "int128": ("SELECT CAST(arrayJoin([toInt128('-170141183460469231731687303715884105728'), -1, 0, 1000000000, "
               "toInt128('170141183460469231731687303715884105727')]), 'Int128') AS x", "string",
               [str(-2**127), "-1", "0", "1000000000", str(2**127 - 1)]),
    "int256": (f"SELECT CAST(arrayJoin([toInt256('{-2**255}'), -1, 0, toInt256('{2**255 - 1}')]), 'Int256') AS x", "string",
               [str(-2**255), "-1", "0", str(2**255 - 1)]),
    "uint8": ("SELECT CAST(arrayJoin([toUInt8(0), 255]), 'UInt8') AS x", "int16", [0, 255]),
    "uint16": ("SELECT CAST(arrayJoin([toUInt16(0), 65535]), 'UInt16') AS x", "int32", [0, 65535]),
    "uint32": ("SELECT CAST(arrayJoin([toUInt32(0), 4294967295]), 'UInt32') AS x", "int64", [0, 2**32 - 1]),
    "uint64": ("SELECT CAST(arrayJoin([toUInt64(0), 18446744073709551615]), 'UInt64') AS x", "decimal128(20, 0)", ["0", str(2**64 - 1)]),
    "uint128": (f"SELECT CAST(arrayJoin([toUInt128(0), toUInt128('{2**128 - 1}')]), 'UInt128') AS x", "string", ["0", str(2**128 - 1)]),
    "uint256": (f"SELECT CAST(arrayJoin([toUInt256(0), toUInt256('{2**256 - 1}'), toUInt256('1000000000000000000000000000')]), 'UInt256') AS x",
                "string", ["0", str(2**256 - 1), "1" + 27 * "0"]),
    "float32": ("SELECT CAST(arrayJoin([toFloat32(1.5), -0.25, 0]), 'Float32') AS x", "float", [1.5, -0.25, 0.0]),
    "float64": ("SELECT arrayJoin([1.5, -1e300, 5e-324]) AS x", "double", [1.5, -1e300, 5e-324]),
    "bfloat16": ("SELECT CAST(arrayJoin([toBFloat16(1.5), toBFloat16(-2)]), 'BFloat16') AS x", "float", [1.5, -2.0]),
    "bool": ("SELECT arrayJoin([true, false, true]) AS x", "bool", [True, False, True]),
    "decimal32": ("SELECT arrayJoin([toDecimal32('-1.25', 2), toDecimal32('9999999.99', 2)]) AS x", "decimal128(9, 2)",
                  ["-1.25", "9999999.99"]),
    "decimal64": ("SELECT arrayJoin([toDecimal64('-0.0001', 4), toDecimal64('99999999999999.9999', 4)]) AS x", "decimal128(18, 4)",
                  ["-0.0001", "99999999999999.9999"]),
    "decimal128": (f"SELECT arrayJoin([toDecimal128('-1.5', 1), toDecimal128('{'9' * 37}.9', 1)]) AS x", "decimal128(38, 1)",
                   ["-1.5", "9" * 37 + ".9"]),
    "decimal256": (f"SELECT arrayJoin([toDecimal256('-1.05', 2), toDecimal256('{'9' * 74}.99', 2)]) AS x", "decimal256(76, 2)",
                   ["-1.05", "9" * 74 + ".99"]),
    "decimal_15_2": ("SELECT CAST('123.45', 'Decimal(15, 2)') AS x", "decimal128(15, 2)", ["123.45"]),
    "string": ("SELECT arrayJoin(['', 'a', 'é\\n', repeat('x', 200)]) AS x", "string", ["", "a", "é\n", "x" * 200]),
    "nullable_string": ("SELECT arrayJoin(['a', NULL, '']) AS x", "string", ["a", None, ""]),
    "fixed_string": ("SELECT arrayJoin([toFixedString('ab', 2), toFixedString('zz', 2)]) AS x", "binary", ["ab", "zz"]),
    "date": ("SELECT arrayJoin([toDate('1970-01-01'), toDate('2149-06-06')]) AS x", "date32[day]", [0, 65535]),
    "date32": ("SELECT arrayJoin([toDate32('1900-01-01'), toDate32('2299-12-31')]) AS x", "date32[day]", [-25567, 120529]),
    "datetime": ("SELECT arrayJoin([toDateTime('1970-01-01 00:00:00', 'UTC'), toDateTime('2106-02-07 06:28:15', 'UTC')]) AS x",
                 "timestamp[us, tz=UTC]", ["1970-01-01 00:00:00", "2106-02-07 06:28:15"]),
    "datetime_zone": ("SELECT toDateTime('2026-01-01 00:00:00', 'Europe/Berlin') AS x", "timestamp[us, tz=UTC]", ["2025-12-31 23:00:00"]),
    "datetime64_0": ("SELECT toDateTime64('2026-01-01 00:00:01', 0, 'UTC') AS x", "timestamp[us, tz=UTC]", ["2026-01-01 00:00:01"]),
    "datetime64_3": ("SELECT arrayJoin([toDateTime64('1900-01-01 00:00:00.001', 3, 'UTC'), "
                     "toDateTime64('2026-01-01 00:00:00.999', 3, 'UTC')]) AS x", "timestamp[us, tz=UTC]",
                     ["1900-01-01 00:00:00.001", "2026-01-01 00:00:00.999"]),
    "datetime64_6": ("SELECT toDateTime64('2026-01-01 00:00:00.123456', 6, 'Asia/Tokyo') AS x", "timestamp[us, tz=UTC]",
                     ["2025-12-31 15:00:00.123456"]),
    "datetime64_9": ("SELECT toDateTime64('2026-01-01 00:00:00.123456789', 9, 'UTC') AS x", "timestamp[ns, tz=UTC]",
                     ["2026-01-01 00:00:00.123456789"]),
    "datetime64_7": ("SELECT toDateTime64('2026-01-01 00:00:00.1234567', 7, 'UTC') AS x", "timestamp[ns, tz=UTC]",
                     ["2026-01-01 00:00:00.123456700"]),
    "interval": ("SELECT toIntervalDay(-3) AS x", "int64", [-3]),
    "uuid": ("SELECT toUUID('61f0c404-5cb3-11e7-907b-a6006ad3dba0') AS x", "string", ["61f0c404-5cb3-11e7-907b-a6006ad3dba0"]),
    "ipv4": ("SELECT arrayJoin([toIPv4('0.0.0.0'), toIPv4('192.168.1.255')]) AS x", "string", ["0.0.0.0", "192.168.1.255"]),
    "ipv6": ("SELECT arrayJoin([toIPv6('::'), toIPv6('2001:db8::ff00:42:8329'), toIPv6('::ffff:1.2.3.4')]) AS x", "string",
             ["::", "2001:db8::ff00:42:8329", "::ffff:1.2.3.4"]),
    "enum8": ("SELECT arrayJoin([CAST('a', 'Enum8(\\'a\\' = -1, \\'it\\\\\\'s\\' = 2)'), 'it\\'s']) AS x", "string", ["a", "it's"]),
    "enum16": ("SELECT CAST('b, c)', 'Enum16(\\'a\\' = -300, \\'b, c)\\' = 3000)') AS x", "string", ["b, c)"]),
    "nothing": ("SELECT NULL AS x", "string", [None]),
    "array": ("SELECT arrayJoin([[toInt32(1), 2], [], [3]]) AS x", "list<item: int32 not null>", [[1, 2], [], [3]]),
    "array_of_nothing": ("SELECT [] AS x", "list<item: string>", [[]]),
    "array_nullable": ("SELECT ['a', NULL] AS x", "list<item: string>", [["a", None]]),
    "array_of_arrays": ("SELECT [[['a'], []], [], [['b', 'c']]] AS x",
                        "list<item: list<item: list<item: string not null> not null> not null>", [[[["a"], []], [], [["b", "c"]]]]),
    "array_of_low_cardinality": ("SELECT arrayJoin([[toLowCardinality('a'), toLowCardinality('b')], []]) AS x",
                                 "list<item: string not null>", [["a", "b"], []]),
    "tuple": ("SELECT (toInt32(1), 'a', [toInt8(2)]) AS x",
              "struct<1: int32 not null, 2: string not null, 3: list<item: int8 not null> not null>", [[1, "a", [2]]]),
    "named_tuple": ("SELECT CAST((1, 'x'), 'Tuple(a Int8, `b c` Nullable(String))') AS x", "struct<a: int8 not null, b c: string>",
                    [[1, "x"]]),
    "map": ("SELECT arrayJoin([map('k', toInt32(1), 'l', 2), map()]) AS x", "map<string, int32>", [[["k", 1], ["l", 2]], []]),
    "map_of_low_cardinality": ("SELECT CAST(map('k', ['v']), 'Map(LowCardinality(String), Array(Nullable(String)))') AS x",
                               "map<string, list<item: string>>", [[["k", ["v"]]]]),
    "nested": ("SELECT CAST([(1, 'a'), (2, 'b')], 'Nested(id Int64, name String)') AS x",
               "list<item: struct<id: int64 not null, name: string not null> not null>", [[[1, "a"], [2, "b"]]]),
    "low_cardinality": ("SELECT arrayJoin([toLowCardinality('a'), 'b', 'a', '']) AS x", "string", ["a", "b", "a", ""]),
    "low_cardinality_nullable": ("SELECT arrayJoin([CAST('a', 'LowCardinality(Nullable(String))'), NULL, '', 'a']) AS x", "string",
                                 ["a", None, "", "a"]),
    "low_cardinality_number": ("SELECT CAST(number % 2, 'LowCardinality(Int32)') AS x FROM numbers(3) SETTINGS allow_suspicious_low_cardinality_types = 1", "int32", [0, 1, 0]),
    "low_cardinality_date": ("SELECT CAST('2026-01-01', 'LowCardinality(Date)') AS x SETTINGS allow_suspicious_low_cardinality_types = 1", "date32[day]", [20454]),
    "low_cardinality_wide": ("SELECT toLowCardinality(toString(number)) AS x FROM numbers(300)", "string", [str(i) for i in range(300)]),
    "simple_aggregate": ("SELECT CAST(5, 'SimpleAggregateFunction(sum, Int64)') AS x", "int64", [5]),
    "json": ("SELECT CAST('{\"a\": {\"b\": 1}}', 'JSON') AS x SETTINGS output_format_native_write_json_as_string = 1", "string",
             ['{"a":{"b":1}}']),
    "point": ("SELECT CAST((1.5, 2), 'Point') AS x", "struct<1: double not null, 2: double not null>", [[1.5, 2.0]]),
    "polygon": ("SELECT CAST([[(0, 0), (1, 0)]], 'Polygon') AS x",
                "list<item: list<item: struct<1: double not null, 2: double not null> not null> not null>",
                [[[[0.0, 0.0], [1.0, 0.0]]]]),
    "nullable_decimal": ("SELECT arrayJoin([CAST('1.5', 'Nullable(Decimal(9, 1))'), NULL]) AS x", "decimal128(9, 1)", ["1.5", None]),
}


class Engine:
    """The library comes without a header; these are the functions that are called."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name, result, arguments in (
                ("chdb_connect", ctypes.POINTER(ctypes.c_void_p), [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]),
                ("chdb_query_n", ctypes.c_void_p, [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]),
                ("chdb_result_buffer", ctypes.c_void_p, [ctypes.c_void_p]),
                ("chdb_result_length", ctypes.c_size_t, [ctypes.c_void_p]),
                ("chdb_result_error", ctypes.c_char_p, [ctypes.c_void_p])):
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        self.connection = self.library.chdb_connect(1, (ctypes.c_char_p * 1)(b"clickhouse"))[0]

    def native(self, sql):
        text = sql.encode()
        result = self.library.chdb_query_n(self.connection, text, len(text), b"Native", 6)
        error = self.library.chdb_result_error(result)
        assert not error, (sql, error)
        return ctypes.string_at(self.library.chdb_result_buffer(result), self.library.chdb_result_length(result))


def main():
    engine = Engine(sys.argv[1])
    seeds = HERE / "block_reader_fuzz"
    seeds.mkdir(exist_ok=True)
    with (HERE / "captures.jsonl").open("w") as out:
        for name, (statement, arrow, values) in CASES.items():
            block = engine.native(statement)
            (seeds / name).write_bytes(b"\0" + block)
            out.write(json.dumps({"name": name, "statement": statement, "arrow": arrow, "values": json.dumps(values, ensure_ascii=False),
                                  "hex": block.hex()}) + "\n")
    os._exit(0)  # the engine's threads do not always outlive what an interpreter takes down behind it


if __name__ == "__main__":
    main()
