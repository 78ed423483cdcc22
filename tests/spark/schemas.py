"""The schemas that Spark is asked about, and which pairs of them. The files are made by write_all()."""
import itertools
import json
import pathlib

import parquet_text

LEAVES = """
boolean|int32|int32 (INTEGER(8,true))|int32 (INTEGER(16,true))|int32 (INTEGER(8,false))
int32 (INTEGER(16,false))|int32 (INTEGER(32,false))|int32 (DATE)|int32 (DECIMAL(9,2))|int32 (DECIMAL(5,2))|int32 (DECIMAL(6,3))
int32 (TIME(MILLIS,true))|int32 (UNKNOWN)|int64|int64 (INTEGER(64,false))|int64 (DECIMAL(18,2))
int64 (DECIMAL(15,4))|int64 (DECIMAL(9,2))|int64 (TIMESTAMP(MILLIS,true))|int64 (TIMESTAMP(MICROS,true))
int64 (TIMESTAMP(NANOS,true))|int64 (TIMESTAMP(MILLIS,false))|int64 (TIMESTAMP(MICROS,false))
int64 (TIME(MICROS,false))|int96|float|double|binary|binary (STRING)|binary (JSON)
binary (ENUM)|binary (BSON)|binary (DECIMAL(9,2))|binary (DECIMAL(38,10))|fixed_len_byte_array(4)
fixed_len_byte_array(5) (DECIMAL(9,2))|fixed_len_byte_array(9) (DECIMAL(20,0))
fixed_len_byte_array(16) (DECIMAL(38,10))|fixed_len_byte_array(16) (UUID)|fixed_len_byte_array(12) (INTERVAL)
fixed_len_byte_array(2) (FLOAT16)
""".replace("\n", "|").strip("|").split("|")

# Schemas that are compared with each other, all with all of a group.
GROUPS = {
    "lists": [
        "optional group a (LIST) { repeated group list { optional int32 element; } }",
        "optional group a (LIST) { repeated group list { required int32 element; } }",
        "required group a (LIST) { repeated group list { optional int32 element; } }",
        "optional group a (LIST) { repeated group bag { optional int32 array; } }",
        "optional group a (LIST) { repeated int32 array; }",
        "optional group a (LIST) { repeated int32 element; }",
        "optional group a (LIST) { repeated group array { required int32 x; } }",
        "optional group a (LIST) { repeated group a_tuple { required int32 x; } }",
        "optional group a (LIST) { repeated group element { required int32 x; required int32 y; } }",
        "optional group a (LIST) { repeated group list { optional group element { optional int32 x; } } }",
        "optional group a (LIST) { repeated group list { optional int64 element; } }",
        "optional group a (LIST) { repeated group list { optional binary element (STRING); } }",
        "optional group a (LIST) { repeated group list { optional group element (LIST) { repeated group list { optional int32 element; } } } }",
        "repeated int32 a;",
        "repeated group a { optional int32 x; }",
        "optional int32 a;",
        "optional group a (LIST) { repeated group list { optional int32 element (DATE); } }",
        "optional group a (LIST) { optional group list { optional int32 element; } }",
    ],
    "maps": [
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); optional int32 value; } }",
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); required int32 value; } }",
        "optional group a (MAP_KEY_VALUE) { repeated group map { required binary key (STRING); optional int32 value; } }",
        "optional group a (MAP) { repeated group map (MAP_KEY_VALUE) { required binary key (STRING); optional int32 value; } }",
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); optional int64 value; } }",
        "optional group a (MAP) { repeated group key_value { required int32 key; optional int32 value; } }",
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); optional group value { optional int32 x; } } }",
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); optional group value { optional int32 y; } } }",
        "optional group a (MAP) { repeated group key_value { required binary key (STRING); } }",
        "optional group a (MAP) { repeated group key_value { required binary k (STRING); optional int32 v; } }",
        "optional group a { repeated group key_value { required binary key (STRING); optional int32 value; } }",
    ],
    "structs": [
        "optional group a { optional int32 x; }",
        "required group a { required int32 x; }",
        "optional group a { optional int32 x; optional binary y (STRING); }",
        "optional group a { optional binary y (STRING); optional int32 x; }",
        "optional group a { optional int32 X; }",
        "optional group a { optional int32 x; optional int32 X; }",
        "optional group a { optional int64 x; }",
        "optional group a { optional binary y (STRING); }",
        "optional group A { optional int32 x; }",
        "optional group a { optional group x { optional int32 z; } }",
        "optional group a { optional group x { optional int32 z; optional int64 w; } }",
        "optional group a { optional int32 x (DECIMAL(9,2)); }",
        "optional group a { optional int64 x (DECIMAL(18,2)); }",
        "optional int32 a;",
        "optional group a { optional float x; }",
        "optional group a { optional double x; }",
    ],
    "columns": [
        "optional int32 a; optional binary b (STRING);",
        "optional binary b (STRING); optional int32 a;",
        "required int32 a; required binary b (STRING);",
        "optional int32 a;",
        "optional binary b (STRING);",
        "optional int32 A; optional binary b (STRING);",
        "optional int32 a; optional int32 A;",
        "optional int32 a; optional binary b (STRING); optional double c;",
        "optional double c;",
        "optional int64 a; optional binary b (STRING);",
        "optional int32 A; optional binary B (STRING); optional int32 c (DATE);",
        "optional int32 a = 1; optional binary b (STRING) = 2;",
        "optional int32 a = 7; optional binary c (STRING) = 2;",
        "required binary b; optional int32 a (INTEGER(16,true));",
        "optional int32 Ab; optional int32 aB;",
    ],
}


def field(name, kind, nullable=True):
    return {"name": name, "type": kind, "nullable": nullable, "metadata": {}}


def row_metadata(*fields):
    return json.dumps({"type": "struct", "fields": list(fields)}, separators=(",", ":"))


ARRAY_OF_INT = {"type": "array", "elementType": "integer", "containsNull": True}
# Files whose metadata says what Spark's columns are, rightly, otherwise, or not at all.
DESCRIBED = [
    ("optional int32 a; optional binary b (STRING);", None),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "integer"), field("b", "string"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "integer", False), field("b", "string"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "long"), field("b", "string"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "short"), field("b", "binary"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("b", "string"), field("a", "integer"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "integer"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "integer"), field("b", "string"), field("c", "double"))),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("A", "integer"), field("B", "string"))),
    ("optional int32 a; optional binary b (STRING);", "{broken"),
    ("optional int32 a; optional binary b (STRING);", '{"type":"struct","fields":[{"name":"a","type":"whatever","nullable":true,"metadata":{}}]}'),
    ("optional int32 a; optional binary b (STRING);", row_metadata(field("a", "date"), field("b", "string"))),
    ("optional int64 a; optional binary b (STRING);", row_metadata(field("a", "long"), field("b", "string"))),
    ("optional int64 a; optional binary b (STRING);", row_metadata(field("a", "decimal(20,0)"), field("b", "varchar(10)"))),
    ("optional int64 a (TIMESTAMP(MICROS,true)); optional binary b (STRING);", row_metadata(field("a", "timestamp_ntz"), field("b", "string"))),
    ("optional int96 a; optional binary b (STRING);", row_metadata(field("a", "timestamp"), field("b", "string"))),
    ("optional group a (LIST) { repeated group list { optional int32 element; } } optional binary b (STRING);",
     row_metadata(field("a", ARRAY_OF_INT), field("b", "string"))),
    ("optional int64 a; optional int32 b;", row_metadata(field("a", "interval day to second"), field("b", "interval year to month"))),
]

SPARK_COLUMNS = [
    "a tinyint", "a smallint", "a int", "a bigint", "a float", "a double", "a decimal(7,2)", "a decimal(17,2)", "a decimal(30,2)",
    "a string", "a binary", "a date", "a timestamp", "a timestamp_ntz", "a boolean", "a array<int>", "a map<string,int>",
    "a struct<x:int,y:string>", "a int not null", "a int, b string",
]

# Arrow's types by the names that pyarrow has for them.
ARROW_COLUMNS = [
    "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64", "bool_", "utf8", "binary",
    "date32", "time32('ms')", "time64('us')", "timestamp('ms')", "timestamp('us')", "timestamp('us', 'UTC')", "timestamp('ns')",
    "decimal128(7, 2)", "decimal128(17, 2)", "decimal128(30, 2)", "binary(16)", "list_(pa.int32())", "map_(pa.string(), pa.int32())",
    "struct([('x', pa.int32())])", "null", "dictionary(pa.int32(), pa.string())", "large_utf8",
]


def single(kind, repetition="optional"):
    physical, _, annotation = kind.partition(" ")
    return f"message spark_schema {{ {repetition} {physical} a{' ' + annotation if annotation else ''}; }}"


def plan():
    """([{schema, row_metadata?, spark?, arrow?}], [(a, b)]): the files, and the pairs by their numbers."""
    files, pairs = [], []

    def add(entries):
        begin = len(files)
        files.extend(entries)
        return range(begin, len(files))

    leaves = add({"schema": single(kind)} for kind in LEAVES)
    pairs += itertools.product(leaves, leaves)
    required = add({"schema": single(kind, "required")} for kind in ("int32", "binary (STRING)", "int64 (TIMESTAMP(MICROS,true))"))
    pairs += [pair for number in required for leaf in leaves[:35:4] for pair in ((number, leaf), (leaf, number))]
    for schemas in GROUPS.values():
        # A message in one line has one space between its words.
        texts = [parquet_text.message("spark_schema", parquet_text.parse("message m { " + text + " }")[1]) for text in schemas]
        group = add({"schema": text} for text in texts)
        pairs += itertools.product(group, group)
    described = []
    for schema, metadata in DESCRIBED:
        children = parquet_text.parse("message m { " + schema + " }")[1]
        described.append({"schema": parquet_text.message("spark_schema", children), **({"row_metadata": metadata} if metadata else {})})
    described = add(described)
    pairs += itertools.product(described, described)
    spark = add({"spark": columns} for columns in SPARK_COLUMNS)
    arrow = add({"arrow": kind} for kind in ARROW_COLUMNS)
    pairs += itertools.product(spark, spark)
    pairs += [pair for number in spark for other in arrow for pair in ((number, other),)]
    return files, pairs


def write_arrow(path, kind):
    import pyarrow as pa
    import pyarrow.parquet

    of = eval("pa." + kind + ("" if kind.endswith(")") else "()"), {"pa": pa})
    schema = pa.schema([("a", of)])
    values = {"bool_": [True], "utf8": ["abc"], "large_utf8": ["abc"], "binary": [b"abc"], "binary(16)": [b"abcdefghijklmnop"], "null": [None],
              "dictionary(pa.int32(), pa.string())": ["abc"], "list_(pa.int32())": [[7]], "map_(pa.string(), pa.int32())": [[("abc", 7)]],
              "struct([('x', pa.int32())])": [{"x": 7}], "float16": [1.5], "float32": [1.5], "float64": [1.1]}
    if kind in values:
        array = pa.array(values[kind], of)
    elif kind.startswith("decimal"):
        import decimal
        array = pa.array([decimal.Decimal("12345.67")], of)
    else:
        wide = {"int16": 30_001, "int32": 2_000_000_011, "int64": 9_000_000_000_000_000_011, "uint8": 201, "uint16": 60_001,
                "uint32": 4_000_000_007, "uint64": 18_000_000_000_000_000_007}.get(kind, 101)
        if kind.strip("u").startswith("int"):
            array = pa.array([wide], of)
        else:
            array = pa.array([wide], pa.int32() if kind in ("date32", "time32('ms')") else pa.int64()).cast(of)
    # What Arrow itself would like to know about the schema is not in the files that others write.
    pa.parquet.write_table(pa.Table.from_arrays([array], schema=schema), path, store_schema=False, use_dictionary=False)


def write_all(folder):
    """Everything but Spark's own files; the plan, with the texts of what pyarrow wrote, in plan.json."""
    folder = pathlib.Path(folder)
    files, pairs = plan()
    for number, entry in enumerate(files):
        path = folder / f"{number:04}.parquet"
        if "schema" in entry:
            parquet_text.write_file(path, entry["schema"], entry.get("row_metadata"))
        elif "arrow" in entry:
            write_arrow(path, entry["arrow"])
            entry["schema"] = parquet_text.schema_of_file(path)[0]
    (folder / "plan.json").write_text(json.dumps({"files": files, "pairs": pairs}))
