#!/usr/bin/env python3
"""Writes frames.jsonl: the file of a TinyLog table of ClickHouse 18.16, which is one compressed frame, beside the value that is in it.

    PYTHONPATH=tests/e2e capture_frames.py

A line: {"value", "frame" (hex)}; what is packed is the value behind its length.
"""
import json
import pathlib
import random

from clickhouse_server import ClickHouse

server = ClickHouse()
try:
    letters = random.Random(1)
    text = "".join(letters.choice("0123456789abcdefghijklmnopqrstuvwxyz ") for _ in range(1200))
    with (pathlib.Path(__file__).resolve().parent / "frames.jsonl").open("w") as out:
        for size in [*range(0, 150, 3), *range(150, 400, 17), 1000]:
            server.execute("DROP TABLE IF EXISTS frames", "CREATE TABLE frames (x String) ENGINE = TinyLog",
                           f"INSERT INTO frames VALUES ('{text[:size]}')")
            frame = (server.root / "data/data/default/frames/x.bin").read_bytes()
            out.write(json.dumps({"value": text[:size], "frame": frame.hex()}) + "\n")
finally:
    server.remove()
