"""The points that wait for the engine of analytics, as a reader of docs/wire/analytics.md finds them in DATA/analytics/wal. It shares
nothing with the daemon, and is the judge of what a crash or damage has left."""

import pathlib
import struct

POLYNOMIAL = 0x9A6C9329AC4BC9B5  # of CRC-64/NVME, reflected
ONES = (1 << 64) - 1


def table():
    entries = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (POLYNOMIAL if byte & 1 else 0)
        entries.append(byte)
    return entries


TABLE = table()


def crc(data):
    value = ONES
    for byte in data:
        value = TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ ONES


class Damaged(Exception):
    pass


def check(number, salt, offset, data):
    return struct.pack(">Q", crc(struct.pack(">QQQ", number, salt, offset) + data))


def texts_and_numbers(row):
    """One row of RowBinary: its texts, its numbers, and how long it is."""
    at, texts = 8, []
    for _ in range(21):
        length = shift = 0
        while True:
            byte = row[at]
            at += 1
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        texts.append(row[at:at + length])
        at += length
    return texts, struct.unpack_from("<20d", row, at), at + 160


def rows_of(body):
    at = 0
    while at < len(body):
        _, _, count, size = struct.unpack_from(">QIII", body, at)
        at += 20
        rest = body[at:at + size]
        at += size
        for _ in range(count):
            texts, numbers, length = texts_and_numbers(rest)
            yield texts[0].decode(), texts[1], numbers[0]
            rest = rest[length:]
        if rest:
            raise Damaged("rows are longer than their number says")


def points_of(path, checked=True):
    """(index1, blob1, double1) of each point of a segment. Behind the last whole batch may stand one that is not. The checks take
    a while in Python: without them what is there is believed."""
    data = path.read_bytes()
    if len(data) < 32:
        return []
    number, salt = struct.unpack(">QQ", data[8:24])
    if data[:8] != b"LVAESEG\1" or (checked and data[24:32] != check(number, salt, 0, data[:24])) or number != int(path.stem):
        raise Damaged(f"{path.name}: its head")
    points, at, batches = [], 32, 0
    while at + 24 <= len(data):
        magic, size, before = data[at:at + 4], *struct.unpack(">IQ", data[at + 4:at + 16])
        is_whole = magic in (b"AEB\1", b"AEE\1") and before == batches and (
            not checked or data[at + 16:at + 24] == check(number, salt, at, data[at:at + 16]))
        end = at + 24 if magic == b"AEE\1" else at + 24 + size + 8
        if not is_whole or end > len(data):
            break
        if magic == b"AEE\1":
            return points
        body = data[at + 24:end - 8]
        if checked and data[end - 8:end] != check(number, salt, at + 24, body):
            break
        points += rows_of(body)
        at, batches = end, batches + 1
    return points


def points_in(data, checked=True):
    """Of all segments of a data directory, each as it stands."""
    return [point for path in sorted(pathlib.Path(data, "analytics", "wal").glob("*.seg")) for point in points_of(path, checked)]
