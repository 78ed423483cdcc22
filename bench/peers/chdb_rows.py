"""ClickHouse as a library, in a process of its own: what it does with the same rows and the same questions when nobody is between.

    chdb_rows.py LIBCHDB DIRECTORY insert ROWS BEGIN   rows of 20 texts and 20 numbers from memory into a table that is synced
    chdb_rows.py LIBCHDB DIRECTORY serve ROWS BEGIN    questions on standard input, a line each; milliseconds a line back

BEGIN is when the first row was, in seconds since 1970.
`insert` says its figures as one object of JSON."""

import ctypes
import json
import sys
import time

TABLE = "points"
COLUMNS = ", ".join(["timestamp DateTime", "index1 String", *(f"blob{i} String" for i in range(1, 21)),
                     *(f"double{i} Float64" for i in range(1, 21)), "_sample_interval UInt32"])
# As bench/p12_analytics.py makes them.
ROW = ", ".join(["toDateTime({begin} + intDiv(number, 50))", "concat('index-', toString(number % 100))",
                 *(f"concat('text-{i}-', toString((number * {i}) % 1000))" for i in range(1, 21)),
                 *(f"(number * {i} % 1000) / 4" for i in range(1, 21)), "1"])


class Engine:
    def __init__(self, path, directory):
        self.library = ctypes.CDLL(path)
        for name, result, arguments in (
                ("chdb_connect", ctypes.POINTER(ctypes.c_void_p), [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]),
                ("chdb_query_n", ctypes.c_void_p,
                 [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]),
                ("chdb_result_error", ctypes.c_char_p, [ctypes.c_void_p]),
                ("chdb_destroy_query_result", None, [ctypes.c_void_p])):
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        words = (ctypes.c_char_p * 2)(b"clickhouse", f"--path={directory}".encode())
        self.connection = self.library.chdb_connect(2, words)[0]

    def run(self, sql):
        text, form = sql.encode(), b"JSON"
        result = self.library.chdb_query_n(self.connection, text, len(text), form, len(form))
        error = self.library.chdb_result_error(result)
        said = error.decode(errors="replace") if error else None
        self.library.chdb_destroy_query_result(result)
        if said:
            sys.exit(f"{sql[:200]}: {said}")


def make_table(engine, rows, begin):
    engine.run("CREATE DATABASE IF NOT EXISTS bench")
    engine.run(f"CREATE OR REPLACE TABLE bench.memory ({COLUMNS}) ENGINE = Memory")
    engine.run(f"INSERT INTO bench.memory SELECT {ROW.replace('{begin}', str(begin))} FROM numbers({rows})")
    engine.run(f"DROP TABLE IF EXISTS bench.{TABLE}")
    engine.run(f"CREATE TABLE bench.{TABLE} ({COLUMNS}) ENGINE = MergeTree PARTITION BY toMonday(timestamp) ORDER BY (index1, timestamp) "
               "SETTINGS fsync_after_insert = 1, fsync_part_directory = 1")


def main():
    path, directory, what, rows, begin = sys.argv[1:]
    engine = Engine(path, directory)
    rows = int(rows)
    make_table(engine, rows, begin)
    if what == "insert":
        began = time.perf_counter()
        engine.run(f"INSERT INTO bench.{TABLE} SELECT * FROM bench.memory")
        took = time.perf_counter() - began
        print(json.dumps({"requests": rows, "errors": 0, "seconds": took, "rate": rows / took, "bytes_s": 0}))
        return
    engine.run(f"INSERT INTO bench.{TABLE} SELECT * FROM bench.memory")
    engine.run("DROP TABLE bench.memory")
    print("ready", flush=True)
    for line in sys.stdin:
        began = time.perf_counter()
        engine.run(line)
        print((time.perf_counter() - began) * 1000, flush=True)


if __name__ == "__main__":
    main()
