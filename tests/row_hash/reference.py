#!/usr/bin/env python3
"""The row hash of docs/wire/hash.md, written again from that document with nothing but the standard library.

It makes the golden file that the C++ tests read (--write FILE) and checks that file against itself (--check FILE), so
that document, C++ and Python agree or a test fails. Far too slow for data; that is not its purpose.
"""
import argparse
import decimal
import math
import struct
import sys

M32, M64 = 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF

# ---------------------------------------------------------------------------------------------------------------
# XXH3-64 with seed 0 and the default secret (https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md)

SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
    "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
    "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
PMX1, PMX2 = 0x165667919E3779F9, 0x9FB21C651E98DF25


def u32(data, at=0):
    return struct.unpack_from("<I", data, at)[0]


def u64(data, at=0):
    return struct.unpack_from("<Q", data, at)[0]


def swap32(x):
    return int.from_bytes(x.to_bytes(4, "little"), "big")


def swap64(x):
    return int.from_bytes(x.to_bytes(8, "little"), "big")


def rotl(x, n):
    return ((x << n) | (x >> (64 - n))) & M64


def fold(a, b):
    product = a * b
    return (product & M64) ^ (product >> 64)


def xxh64_avalanche(h):
    h = ((h ^ (h >> 33)) * P64_2) & M64
    h = ((h ^ (h >> 29)) * P64_3) & M64
    return h ^ (h >> 32)


def avalanche(h):
    h = ((h ^ (h >> 37)) * PMX1) & M64
    return h ^ (h >> 32)


def mix16(data, at, secret_at):
    return fold(u64(data, at) ^ u64(SECRET, secret_at), u64(data, at + 8) ^ u64(SECRET, secret_at + 8))


def short_hash(data):
    n = len(data)
    if n == 0:
        return xxh64_avalanche(u64(SECRET, 56) ^ u64(SECRET, 64))
    if n <= 3:
        combined = (data[0] << 16) | (data[n >> 1] << 24) | data[n - 1] | (n << 8)
        return xxh64_avalanche(combined ^ (u32(SECRET, 0) ^ u32(SECRET, 4)))
    if n <= 8:
        value = (u32(data, n - 4) + (u32(data, 0) << 32)) ^ (u64(SECRET, 8) ^ u64(SECRET, 16))
        value ^= rotl(value, 49) ^ rotl(value, 24)
        value = (value * PMX2) & M64
        value ^= (value >> 35) + n
        value = (value * PMX2) & M64
        return value ^ (value >> 28)
    if n <= 16:
        low = u64(data, 0) ^ (u64(SECRET, 24) ^ u64(SECRET, 32))
        high = u64(data, n - 8) ^ (u64(SECRET, 40) ^ u64(SECRET, 48))
        return avalanche((n + swap64(low) + high + fold(low, high)) & M64)
    if n <= 128:
        total = n * P64_1
        for i in range((n - 1) // 32, -1, -1):
            total += mix16(data, 16 * i, 32 * i) + mix16(data, n - 16 * (i + 1), 32 * i + 16)
        return avalanche(total & M64)
    total = n * P64_1
    for i in range(8):
        total += mix16(data, 16 * i, 16 * i)
    total = avalanche(total & M64)
    for i in range(8, n // 16):
        total += mix16(data, 16 * i, 16 * (i - 8) + 3)
    return avalanche((total + mix16(data, n - 16, 136 - 17)) & M64)


def long_hash(data):
    acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]

    def accumulate(at, secret_at):
        for i in range(8):
            value = u64(data, at + 8 * i)
            key = value ^ u64(SECRET, secret_at + 8 * i)
            acc[i ^ 1] = (acc[i ^ 1] + value) & M64
            acc[i] = (acc[i] + (key & M32) * (key >> 32)) & M64

    stripes_per_block = (len(SECRET) - 64) // 8
    stripes = (len(data) - 1) // 64
    for stripe in range(stripes):
        in_block = stripe % stripes_per_block
        accumulate(64 * stripe, 8 * in_block)
        if in_block == stripes_per_block - 1:
            for i in range(8):
                x = acc[i] ^ (acc[i] >> 47) ^ u64(SECRET, len(SECRET) - 64 + 8 * i)
                acc[i] = (x * P32_1) & M64
    accumulate(len(data) - 64, len(SECRET) - 64 - 7)
    total = len(data) * P64_1
    for i in range(4):
        total += fold(acc[2 * i] ^ u64(SECRET, 11 + 16 * i), acc[2 * i + 1] ^ u64(SECRET, 19 + 16 * i))
    return avalanche(total & M64)


def xxh3_64(data):
    return short_hash(data) if len(data) <= 240 else long_hash(data)


# ---------------------------------------------------------------------------------------------------------------
# cells: each function takes a Python value that is not None and gives the bytes after the presence byte


def cell(value, body):
    return b"\0" if value is None else b"\1" + body(value)


def boolean(value):
    return bytes([value])


def integer(value):
    return struct.pack("<Q", value & M64)


def floating(value):
    return struct.pack("<Q", 0x7FF8000000000000) if math.isnan(value) else struct.pack("<d", value)


def exact(scale):
    def body(value):
        unscaled = int(decimal.Decimal(value).scaleb(scale))
        size = next(n for n in (8, 16, 32) if -(1 << 8 * n - 1) <= unscaled < 1 << 8 * n - 1)
        return struct.pack("<bB", scale, size) + unscaled.to_bytes(size, "little", signed=True)

    return body


def text(value):
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<I", len(data)) + data


def nanos(value):  # timestamps, times of day and durations, given in nanoseconds
    return struct.pack("<QH", value // 1000 & M64, value % 1000)


def interval(value):
    return struct.pack("<iiq", *value)


def list_of(body):
    return lambda value: struct.pack("<I", len(value)) + b"".join(cell(item, body) for item in value)


def struct_of(*bodies):
    return lambda value: b"".join(map(cell, value, bodies))


def map_of(key, item):
    return lambda value: struct.pack("<I", len(value)) + b"".join(cell(k, key) + cell(v, item) for k, v in value)


def row(*cells):
    return b"".join(cells)


def total(rows):
    return f"{sum(map(xxh3_64, rows)) & M64:016x}"


# ---------------------------------------------------------------------------------------------------------------
# the cases of the golden file; row_hash_test.cc builds the same rows from Arrow arrays


def columns(*pairs):
    """Rows from (body, values) pairs."""
    return [row(*(cell(v, body) for (body, _), v in zip(pairs, values)))
            for values in zip(*(values for _, values in pairs))]


D38 = decimal.Context(prec=80)


def cases():
    decimal.setcontext(D38)
    yield "mixed", columns(
        (integer, [1, 2, None, 4, 5, 6, 7]),
        (text, ["a", "", None, "dd", "é", "f", "g"]),
        (exact(2), ["1.00", None, "3.00", "4.00", "5.00", "6.00", "7.00"]),
        (list_of(text), [["x"], [], None, [None], ["y", "z"], [""], []]),
        (struct_of(integer), [(1,), None, (None,), (4,), (5,), (6,), (7,)]),
        (boolean, [True, False, None, True, True, False, False]),
        (text, ["p", "q", None, "p", "q", "p", "p"]))
    yield "numbers", columns(
        (integer, [2**64 - 1, 0, None]),
        (floating, [math.nan, -0.0, 1.5]),
        (exact(0), [str(2**63), str(-2**63), str(2**127)]),
        (exact(-2), ["1200", "-100", "0"]))
    yield "times", columns(
        (nanos, [-1, 1_999, 10**18]),
        (integer, [-1, 0, 20454]),
        (interval, [(1, 2, 3), None, (-1, -2, -3)]))
    yield "maps", columns((map_of(text, list_of(integer)), [[("k", [1, None]), ("", None)], [], None]))
    for size in (0, 1, 3, 4, 11, 12, 27, 122, 123, 234, 235, 236, 300, 1018, 1019, 1020, 1100, 5000):
        # With 5 bytes in front: every branch of XXH3 and the edges between them.
        yield f"text-{size}", columns((text, [bytes(ord("a") + i * 7 % 26 for i in range(size))]))
    yield "nothing", [b""]


def golden():
    lines = ["# name, hash of the rows, then the canonical form of each row (long ones by their size)"]
    for name, rows in cases():
        forms = " ".join(r.hex() or "-" for r in rows) if sum(map(len, rows)) <= 400 else str(len(rows[0]))
        lines.append(f"{name} {total(rows)} {forms}")
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--write", metavar="FILE")
    action.add_argument("--check", metavar="FILE")
    arguments = parser.parse_args()
    if arguments.write:
        with open(arguments.write, "w", encoding="utf-8") as file:
            file.write(golden())
        return
    with open(arguments.check, encoding="utf-8") as file:
        if file.read() != golden():
            sys.exit(f"{arguments.check} is not what reference.py --write makes")


if __name__ == "__main__":
    main()
