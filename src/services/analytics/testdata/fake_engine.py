"""An engine for engine_child_test.cc: speaks the frames of engine_frame.h and does what a statement says.

fake_engine.py [missing | mute | garbage]
"""

import os
import struct
import sys
import threading
import time

OK, FAILED, NO_LIBRARY = 0, 1, 2
lock = threading.Lock()


def answer(number, outcome, text):
    frame = struct.pack(">QB", number, outcome) + text
    with lock:
        sys.stdout.buffer.write(struct.pack(">I", len(frame)) + frame)
        sys.stdout.buffer.flush()


def serve(number, statement):
    word, _, rest = statement.partition(b" ")
    if word == b"echo":
        answer(number, OK, rest)
    elif word == b"large":
        answer(number, OK, b"x" * int(rest))
    elif word == b"fail":
        answer(number, FAILED, struct.pack(">I", 47) + rest)
    elif word == b"wait":
        threading.Timer(float(rest), answer, (number, OK, b"waited")).start()
    elif word == b"exit":
        os._exit(int(rest))
    elif word == b"deaf":
        time.sleep(3600)
    elif word == b"process":
        answer(number, OK, str(os.getpid()).encode())


def main():
    mode = sys.argv[1] if len(sys.argv) > 1 else ""
    if mode == "missing":
        answer(0, NO_LIBRARY, b"no library here")
        return
    if mode == "mute":
        time.sleep(3600)
    if mode == "garbage":
        sys.stdout.buffer.write(b"\xff" * 100)
        sys.stdout.buffer.flush()
        time.sleep(3600)
    answer(0, OK, b"")
    source = sys.stdin.buffer
    while head := source.read(4):
        frame = source.read(struct.unpack(">I", head)[0])
        serve(struct.unpack(">Q", frame[:8])[0], frame[13:])  # none has rows


main()
