"""Parquet schemas as text, and files of one row made from such a text.

The text is the format's own notation, in one line: "message spark_schema { optional int32 a (INTEGER(8,true)) = 1; }". Files
are written here byte by byte because no library writes all that Spark may meet: two-level lists, INT96, decimals in bytes.
"""
import re
import struct

PHYSICAL = ["boolean", "int32", "int64", "int96", "float", "double", "binary", "fixed_len_byte_array"]
REPETITION = ["required", "optional", "repeated"]
UNITS = ["MILLIS", "MICROS", "NANOS"]
PLAIN_LOGICAL = {1: "STRING", 2: "MAP", 3: "LIST", 4: "ENUM", 6: "DATE", 11: "UNKNOWN", 12: "JSON", 13: "BSON", 14: "UUID", 15: "FLOAT16"}
CONVERTED = ["STRING", "MAP", "MAP_KEY_VALUE", "LIST", "ENUM", "DECIMAL", "DATE", "TIME(MILLIS,true)", "TIME(MICROS,true)",
             "TIMESTAMP(MILLIS,true)", "TIMESTAMP(MICROS,true)", *[f"INTEGER({width},false)" for width in (8, 16, 32, 64)],
             *[f"INTEGER({width},true)" for width in (8, 16, 32, 64)], "JSON", "BSON", "INTERVAL"]
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Node:
    """One line of a schema; a group has children."""

    def __init__(self, repetition, physical, name, annotation="", length=0, field_id=None, children=None):
        self.repetition, self.physical, self.name, self.annotation = repetition, physical, name, annotation
        self.length, self.field_id, self.children = length, field_id, children

    def text(self):
        kind = "group" if self.children is not None else self.physical + (f"({self.length})" if self.length else "")
        name = self.name if NAME.fullmatch(self.name) else '"' + self.name.replace("\\", "\\\\").replace('"', '\\"') + '"'
        out = f"{self.repetition} {kind} {name}"
        out += f" ({self.annotation})" if self.annotation else ""
        out += f" = {self.field_id}" if self.field_id is not None else ""
        return out + (";" if self.children is None else " { " + "".join(c.text() + " " for c in self.children) + "}")


def message(name, children):
    return f"message {name} {{ " + "".join(child.text() + " " for child in children) + "}"


def parse(text):
    """(name of the root, its children)."""
    tokens = re.findall(r'"(?:[^"\\]|\\.)*"|\w+(?:\([\w,]*\))?|[^\s\w]', text)
    at = 0

    def take():
        nonlocal at
        at += 1
        return tokens[at - 1]

    def nodes():
        found = []
        assert take() == "{"
        while tokens[at] != "}":
            repetition, kind, name = take(), take(), take()
            if name.startswith('"'):
                name = re.sub(r"\\(.)", r"\1", name[1:-1])
            annotation, field_id, children = "", None, None
            if tokens[at] == "(":
                take()
                annotation = take()
                assert take() == ")"
            elif name.endswith(")"):
                name, _, annotation = name[:-1].partition("(")
            if tokens[at] == "=":
                take()
                field_id = int(take())
            physical, _, length = kind.partition("(")
            if physical == "group":
                children = nodes()
            else:
                assert take() == ";"
            found.append(Node(repetition, physical, name, annotation, int(length[:-1] or 0) if length else 0, field_id, children))
        take()
        return found

    assert take() == "message"
    return take(), nodes()


# ---------------------------------------------------------------------------------------------------------- Thrift's compact protocol
def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def zigzag(value):
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def binary(data):
    data = data.encode() if isinstance(data, str) else data
    return varint(len(data)) + data


def record(*fields):
    """fields: (number, kind, value), kinds: bool i8 i32 i64 binary struct list-struct list-i32 list-binary."""
    out, last = b"", 0
    kinds = {"i8": 3, "i32": 5, "i64": 6, "binary": 8, "struct": 12}
    for number, kind, value in fields:
        if value is None:
            continue
        code = (1 if value else 2) if kind == "bool" else 9 if kind.startswith("list-") else kinds[kind]
        assert 0 < number - last < 16
        out += bytes([(number - last) << 4 | code])
        last = number
        if kind == "i8":
            out += bytes([value & 0xFF])
        elif kind in ("i32", "i64"):
            out += zigzag(value)
        elif kind == "binary":
            out += binary(value)
        elif kind == "struct":
            out += value
        elif kind != "bool":
            size, item = len(value), kinds[kind.removeprefix("list-")]
            out += bytes([size << 4 | item]) if size < 15 else bytes([0xF0 | item]) + varint(size)
            out += b"".join(zigzag(v) if item == 5 else binary(v) if item == 8 else v for v in value)
    return out + b"\0"


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def varint(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def value(self, kind):
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            self.at += 1
            return self.data[self.at - 1]
        if kind in (4, 5, 6):
            value = self.varint()
            return (value >> 1) ^ -(value & 1)
        if kind == 7:
            self.at += 8
            return None
        if kind == 8:
            size = self.varint()
            self.at += size
            return self.data[self.at - size:self.at]
        if kind in (9, 10):
            head = self.data[self.at]
            self.at += 1
            size = head >> 4 if head >> 4 != 15 else self.varint()
            if head & 15 in (1, 2):  # booleans are bytes in a list
                self.at += size
                return None
            return [self.value(head & 15) for _ in range(size)]
        assert kind == 12, kind
        fields, last = {}, 0
        while self.data[self.at]:
            head = self.data[self.at]
            self.at += 1
            if head >> 4:
                last += head >> 4
            else:
                last = self.varint() >> 1
            fields[last] = self.value(head & 15)
        self.at += 1
        return fields


# ------------------------------------------------------------------------------------------------------------------------- footers
def logical_of(annotation):
    """(converted type, logical type) of an annotation, as bytes of the union; None where there is none."""
    name, _, arguments = annotation.rstrip(")").partition("(")
    arguments = arguments.split(",") if arguments else []
    converted = CONVERTED.index(annotation) if annotation in CONVERTED else None
    empty = record()
    if name == "DECIMAL":
        return 5, record((5, "struct", record((1, "i32", int(arguments[1])), (2, "i32", int(arguments[0])))))
    if name in ("TIME", "TIMESTAMP"):
        unit = record((UNITS.index(arguments[0]) + 1, "struct", empty))
        return converted, record((7 if name == "TIME" else 8, "struct", record((1, "bool", arguments[1] == "true"), (2, "struct", unit))))
    if name == "INTEGER":
        return converted, record((10, "struct", record((1, "i8", int(arguments[0])), (2, "bool", arguments[1] == "true"))))
    if name == "VARIANT":
        # Sixteen is beyond the short form of a field's header.
        return None, b"\x0c" + zigzag(16) + record((1, "i8", int(arguments[0]))) + b"\0"
    numbers = {plain: number for number, plain in PLAIN_LOGICAL.items()}
    return converted, record((numbers[name], "struct", empty)) if name in numbers else None


def elements(children):
    for node in children:
        converted, logical = logical_of(node.annotation) if node.annotation else (None, None)
        decimal = re.fullmatch(r"DECIMAL\((\d+),(\d+)\)", node.annotation)
        group = node.children is not None
        yield record((1, "i32", None if group else PHYSICAL.index(node.physical)), (2, "i32", node.length or None),
                     (3, "i32", REPETITION.index(node.repetition)), (4, "binary", node.name),
                     (5, "i32", len(node.children) if group else None), (6, "i32", converted),
                     (7, "i32", int(decimal[2]) if decimal else None), (8, "i32", int(decimal[1]) if decimal else None),
                     (9, "i32", node.field_id), (10, "struct", logical))
        if group:
            yield from elements(node.children)


def annotation_of(element):
    logical = element.get(10)
    if logical:
        (number, value), = logical.items()
        if number == 5:
            return f"DECIMAL({value[2]},{value[1]})"
        if number in (7, 8):
            unit, = value[2]
            return f"{'TIME' if number == 7 else 'TIMESTAMP'}({UNITS[unit - 1]},{str(value[1]).lower()})"
        if number == 10:
            return f"INTEGER({value[1]},{str(value[2]).lower()})"
        if number == 16:
            return f"VARIANT({value.get(1, 1)})"
        return PLAIN_LOGICAL[number]
    converted = element.get(6)
    if converted == 5:
        return f"DECIMAL({element[8]},{element.get(7, 0)})"
    return "" if converted is None else CONVERTED[converted]


def schema_of_file(path):
    """(text, key-value metadata) of a Parquet file."""
    data = open(path, "rb").read()
    assert data[-4:] == b"PAR1"
    size, = struct.unpack("<I", data[-8:-4])
    footer = Reader(data[-8 - size:-8]).value(12)
    rest = iter(footer[2])

    def nodes(count):
        found = []
        for element in (next(rest) for _ in range(count)):
            group = 5 in element and 1 not in element
            node = Node(REPETITION[element[3]], None if group else PHYSICAL[element[1]], element[4].decode(), annotation_of(element),
                        element.get(2, 0), element.get(9))
            node.children = nodes(element[5]) if group else None
            found.append(node)
        return found

    root = next(rest)
    return message(root[4].decode(), nodes(root[5])), {e[1].decode(): e.get(2, b"").decode() for e in footer.get(5) or []}


# ---------------------------------------------------------------------------------------------------------------- files of one row
def sample(node):
    """PLAIN bytes of a value that does not survive a conversion into something too narrow."""
    name, _, arguments = node.annotation.rstrip(")").partition("(")
    arguments = arguments.split(",")
    number = {"INTEGER": lambda: {("8", "true"): 101, ("8", "false"): 201, ("16", "true"): 30001, ("16", "false"): 60001,
                                  ("32", "true"): 2_000_000_011, ("32", "false"): 4_000_000_007 - 2**32,
                                  ("64", "true"): 9_000_000_000_000_000_011, ("64", "false"): 18_000_000_000_000_000_007 - 2**64,
                                  }[tuple(arguments)],
              "DECIMAL": lambda: 10 ** int(arguments[0]) - 1, "DATE": lambda: 19_999,
              "TIMESTAMP": lambda: 1_700_000_000_123_456_789 // {"NANOS": 1, "MICROS": 10**3, "MILLIS": 10**6}[arguments[0]],
              "TIME": lambda: 45_296_123_456_789 // {"NANOS": 1, "MICROS": 10**3, "MILLIS": 10**6}[arguments[0]]}.get(name)
    physical = node.physical
    if physical == "int32":
        return struct.pack("<i", number() if number else 2_000_000_011)
    if physical == "int64":
        return struct.pack("<q", number() if number else 9_000_000_000_000_000_011)
    if physical == "int96":
        return struct.pack("<qi", 45_296_123_456_000, 2_460_000)
    if physical in ("float", "double"):
        return struct.pack("<f" if physical == "float" else "<d", 1.1)
    if physical == "boolean":
        return b"\1"
    data = b'{"a":1}' if name in ("JSON", "BSON") else b"abc"
    if name == "DECIMAL":
        value = number()
        data = value.to_bytes(node.length or (value.bit_length() + 8) // 8, "big", signed=True)
    elif node.length:
        data = (b"abcdefghijklmnop" * 4)[:node.length]
    return data if physical != "binary" else struct.pack("<I", len(data)) + data


def levels(value):
    if not value:
        return b""
    return struct.pack("<I", 2) + varint(1 << 1) + bytes([value])


def write_file(path, text, row_metadata=None):
    """A file of one row in which nothing is NULL and every list has one element."""
    root, children = parse(text)
    out = bytearray(b"PAR1")
    chunks = []

    def leaves(nodes, names, repetition, definition):
        for node in nodes:
            deeper = repetition + (node.repetition == "repeated"), definition + (node.repetition != "required")
            if node.children is not None:
                yield from leaves(node.children, [*names, node.name], *deeper)
            else:
                yield node, [*names, node.name], *deeper

    for node, names, repetition, definition in leaves(children, [], 0, 0):
        page = (b"" if not repetition else struct.pack("<I", 2) + varint(1 << 1) + b"\0") + levels(definition)
        page += b"" if node.annotation == "UNKNOWN" else sample(node)
        if node.annotation == "UNKNOWN":
            page = levels(0) or struct.pack("<I", 2) + varint(1 << 1) + b"\0"
        header = record((1, "i32", 0), (2, "i32", len(page)), (3, "i32", len(page)),
                        (5, "struct", record((1, "i32", 1), (2, "i32", 0), (3, "i32", 3), (4, "i32", 3))))
        at, size = len(out), len(header) + len(page)
        out += header + page
        chunks.append(record((2, "i64", at), (3, "struct", record(
            (1, "i32", PHYSICAL.index(node.physical)), (2, "list-i32", [0, 3]), (3, "list-binary", names), (4, "i32", 0),
            (5, "i64", 1), (6, "i64", size), (7, "i64", size), (9, "i64", at)))))
    group = record((1, "list-struct", chunks), (2, "i64", len(out) - 4), (3, "i64", 1))
    schema = [record((4, "binary", root), (5, "i32", len(children))), *elements(children)]
    keys = [record((1, "binary", "org.apache.spark.sql.parquet.row.metadata"), (2, "binary", row_metadata))] if row_metadata else None
    footer = record((1, "i32", 1), (2, "list-struct", schema), (3, "i64", 1), (4, "list-struct", [group]), (5, "list-struct", keys),
                    (6, "binary", "parquet-cpp-arrow version 20.0.0"))
    out += footer + struct.pack("<I", len(footer)) + b"PAR1"
    open(path, "wb").write(out)
