"""The engine in a process of its own: chdb_child.py LIBCHDB. A line of JSON with a statement in, a line of JSON with its answer
or its error out, until the input ends. One engine is in a process, and what it does to signals and memory is not the test's."""

import ctypes
import json
import os
import sys


class Engine:
    """An engine without a directory. The library comes without a header; these are the functions that are called."""

    def __init__(self, path):
        self.library = ctypes.CDLL(path)
        for name, result, arguments in (
                ("chdb_connect", ctypes.POINTER(ctypes.c_void_p), [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p)]),
                ("chdb_query_n", ctypes.c_void_p,
                 [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_size_t]),
                ("chdb_result_buffer", ctypes.c_void_p, [ctypes.c_void_p]),
                ("chdb_result_length", ctypes.c_size_t, [ctypes.c_void_p]),
                ("chdb_result_error", ctypes.c_char_p, [ctypes.c_void_p]),
                ("chdb_destroy_query_result", None, [ctypes.c_void_p])):
            function = getattr(self.library, name)
            function.restype, function.argtypes = result, arguments
        self.connection = self.library.chdb_connect(1, (ctypes.c_char_p * 1)(b"clickhouse"))[0]

    def run(self, sql):
        text = sql.encode()
        result = self.library.chdb_query_n(self.connection, text, len(text), b"TabSeparated", len(b"TabSeparated"))
        try:
            error = self.library.chdb_result_error(result)
            if error:
                return {"error": error.decode(errors="replace")}
            buffer, length = self.library.chdb_result_buffer(result), self.library.chdb_result_length(result)
            return {"answer": ctypes.string_at(buffer, length).decode() if length else ""}
        finally:
            self.library.chdb_destroy_query_result(result)


def main():
    engine = Engine(sys.argv[1])
    for line in sys.stdin:
        print(json.dumps(engine.run(json.loads(line))), flush=True)
    # The engine's threads do not always outlive what an interpreter takes down behind it.
    os._exit(0)


if __name__ == "__main__":
    main()
