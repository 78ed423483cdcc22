"""The types under test: SQL literals, how SQL says a value in canonical text, and how a value out of Parquet is said the
same way. Two independent paths to one text: the server's own output functions, and Arrow's."""

import decimal
import re
import struct

import pyarrow as pa


def iso_interval(text):
    """'P1M2DT3H4M5.5S' with signs anywhere -> (months, days, microseconds)."""
    match = re.fullmatch(
        r"P(?:(-?\d+)Y)?(?:(-?\d+)M)?(?:(-?\d+)D)?(?:T(?:(-?\d+)H)?(?:(-?\d+)M)?(?:(-?\d+(?:\.\d+)?)S)?)?", text)
    assert match, text
    years, months, days, hours, minutes = (int(g or 0) for g in match.groups()[:5])
    seconds = decimal.Decimal(match.group(6) or 0)
    return 12 * years + months, days, int((hours * 3600 + minutes * 60) * 1_000_000 + seconds * 1_000_000)


class Column:
    """One SQL type. `say` is the SQL that turns {} into canonical text, `read` turns a scalar of Parquet into the same,
    `arrow` is the type it has to have there, `duckdb` whether DuckDB has a type that holds it."""

    def __init__(self, sql_type, literals, say="({})::text", read=str, arrow=None, duckdb=True):
        self.sql_type = sql_type
        self.literals = literals
        self.say = say
        self.read = read
        self.arrow = arrow
        self.duckdb = duckdb


def as_int(scalar):
    """Dates and timestamps as the integers they are, since Python's own types end at year 1."""
    if pa.types.is_date32(scalar.type):
        return str(scalar.cast(pa.int32()).as_py())
    return str(scalar.cast(pa.int64()).as_py())


def exact(scalar):
    return str(scalar.as_py())


def of_decimal(scalar):
    return format(scalar.as_py(), "f")


MICROS = "(extract(epoch from {}) * 1000000)::bigint::text"
DAYS = "({} - date '1970-01-01')::text"
MONTHS_DAYS_MICROS = ("case when {0} is not null then format('(%s, %s, %s)', extract(year from {0})*12 + extract(month from {0}), "
                      "extract(day from {0}), (extract(hour from {0})*3600000000 + extract(minute from {0})*60000000 "
                      "+ extract(microseconds from {0}))::bigint) end")

DECIMAL_76 = "1234567890" * 7 + "123456"

COLUMNS = [
    Column("boolean", ["true", "false"], "({})::text", lambda s: str(s.as_py()).lower(), arrow=pa.bool_()),
    Column("smallint", ["0", "1", "-32768", "32767"], read=exact, arrow=pa.int16()),
    Column("integer", ["0", "-2147483648", "2147483647"], read=exact, arrow=pa.int32()),
    Column("bigint", ["0", "-9223372036854775808", "9223372036854775807"], read=exact, arrow=pa.int64()),
    Column("oid", ["0", "4294967295"], read=exact, arrow=pa.int64()),
    Column("real", ["0", "'-0'", "1.1", "'3.4028235e38'", "'-3.4028235e38'", "'1e-45'", "'NaN'", "'Infinity'",
                    "'-Infinity'"], "encode(float4send({}), 'hex')", lambda s: struct.pack(">f", s.as_py()).hex(),
           arrow=pa.float32()),
    Column("double precision", ["0", "'-0'", "0.1", "'1.7976931348623157e308'", "'-1.7976931348623157e308'", "'5e-324'",
                                "'NaN'", "'Infinity'", "'-Infinity'"],
           "encode(float8send({}), 'hex')", lambda s: struct.pack(">d", s.as_py()).hex(), arrow=pa.float64()),
    Column("numeric(9,2)", ["0", "1234567.89", "-9999999.99", "9999999.99", "0.01", "-0.01"], read=of_decimal,
           arrow=pa.decimal128(9, 2)),
    Column("numeric(15,2)", ["0", "9999999999999.99", "-9999999999999.99", "100", "10000.50"], read=of_decimal,
           arrow=pa.decimal128(15, 2)),
    Column("numeric(18,0)", ["0", "999999999999999999", "-999999999999999999", "10000", "100000000"], read=of_decimal,
           arrow=pa.decimal128(18, 0)),
    Column("numeric(38,0)", ["0", "12345678901234567890123456789012345678", "9" * 38, "-" + "9" * 38], read=of_decimal,
           arrow=pa.decimal128(38, 0)),
    Column("numeric(38,20)", ["0", "123456789012345678.12345678901234567890", "-0.00000000000000000001"],
           read=of_decimal, arrow=pa.decimal128(38, 20)),
    # DuckDB has no decimal wider than 38 digits and reads these as doubles.
    Column("numeric(39,1)", ["0", "9" * 38 + ".9", "-" + "9" * 38 + ".9"], read=of_decimal, arrow=pa.decimal256(39, 1),
           duckdb=False),
    Column("numeric(76,38)", ["0", "9" * 38 + "." + "9" * 38, "-" + "9" * 38 + "." + "9" * 38,
                              "0." + "0" * 37 + "1"], read=of_decimal, arrow=pa.decimal256(76, 38), duckdb=False),
    Column("numeric(76,0)", ["0", DECIMAL_76, "-" + "9" * 76], read=of_decimal, arrow=pa.decimal256(76, 0),
           duckdb=False),
    Column("numeric(3,-2)", ["0", "12300", "-99900"], read=of_decimal, arrow=pa.decimal128(5, 0)),
    Column("numeric(2,4)", ["0", "0.0012", "-0.0099"], read=of_decimal, arrow=pa.decimal128(4, 4)),
    Column("text", ["''", "'a'", "'grüß 🜁 \u4e2d'", "repeat('x', 70000)", "E'line\\nbreak\\ttab\\r'", "'NULL'",
                    r"'\N'"], read=exact, arrow=pa.string()),
    Column("varchar(40)", ["''", "'abc'", "'  spaces  '"], read=exact, arrow=pa.string()),
    Column("varchar", ["''", "'abc'"], read=exact, arrow=pa.string()),
    Column("char(5)", ["''", "'ab'", "'abcde'", "'ü'"], "rpad(({})::text, 5)", exact, arrow=pa.string()),
    Column("name", ["''", "'abc'"], read=exact, arrow=pa.string()),
    Column("bytea", [r"'\x'", r"'\x00ff'", r"'\xdeadbeef'", "decode(repeat('00ff', 40000), 'hex')"],
           "encode({}, 'hex')", lambda s: s.as_py().hex(), arrow=pa.binary()),
    Column("date", ["'2026-02-28'", "'0044-03-15 BC'", "'1970-01-01'", "'0001-01-01'", "'0001-12-31 BC'", "'9999-12-31'",
                    "'4714-11-24 BC'", "'5874897-12-31'"], DAYS, as_int, arrow=pa.date32()),
    Column("time", ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'", "'12:34:56.7'"], read=exact, arrow=pa.string()),
    Column("timestamp", ["'2026-01-01 12:34:56.789012'", "'1969-12-31 23:59:59.999999'", "'0044-03-15 BC'",
                         "'294246-12-31 23:59:59.999999'", "'4714-11-24 00:00:00 BC'"], MICROS, as_int,
           arrow=pa.timestamp("us")),
    Column("timestamptz", ["'2026-01-01 12:34:56.789012+05:30'", "'1969-12-31 23:59:59.999999+00'", "'0001-01-01+00'",
                           "'294246-12-31 23:59:59.999999+00'", "'4714-11-24 00:00:00+00 BC'"],
           MICROS, as_int, arrow=pa.timestamp("us", "UTC")),
    Column("interval", ["'0'", "'1 mon 2 days 03:04:05'", "'-1 mon +2 days -00:00:00.000001'", "'178000000 years'",
                        "'-178000000 years'", "'2147483647 days'", "'2562047788:00:54.775807'", "'1.5 seconds'"],
           MONTHS_DAYS_MICROS, lambda s: str(iso_interval(s.as_py())), arrow=pa.string()),
    Column("uuid", ["'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
                    "'ffffffff-ffff-ffff-ffff-ffffffffffff'"], read=exact, arrow=pa.string()),
    Column("json", ["'{\"a\": 12345678901234567890.1234567890123}'", "'null'", "'[1,  2]'", "'\"\"'",
                    "'{\"a\":1, \"a\":2}'"], read=exact, arrow=pa.string()),
    Column("jsonb", ["'{\"a\": 12345678901234567890.1234567890123}'", "'null'", "'{}'", "'\"\"'",
                     "'{\"b\":1, \"a\": [null, \"ü\"]}'"], read=exact, arrow=pa.string()),
    Column("mood", ["'sad'", "'very glad'", "'größer'"], read=exact, arrow=pa.string()),
    Column("positive", ["1", "2147483647"], read=exact, arrow=pa.int32()),
    Column("label", ["''", "'x'"], read=exact, arrow=pa.string()),
    Column("price", ["0.01", "99999.99"], read=of_decimal, arrow=pa.decimal128(7, 2)),
]

# What the types above need in a database before they can be used.
DEFINITIONS = """
do $$ begin
  create type mood as enum ('sad', 'ok', 'very glad', 'größer');
  create domain positive as integer check (value > 0);
  create domain label as varchar(20);
  create domain amount as numeric(7,2);
  create domain price as amount check (value > 0);
exception when duplicate_object then null; end $$;
"""


def array_say(column):
    inner = column.say.replace("{0}", "e").replace("{}", "e")
    return ("(select coalesce(string_agg(coalesce(" + inner + ", '<null>'), '|' order by o), '<empty>') "
            "from unnest({}) with ordinality as u(e, o))")


def array_read(column):
    def read(scalar):
        values = scalar.values
        if len(values) == 0:
            return "<empty>"
        return "|".join("<null>" if not v.is_valid else column.read(v) for v in values)

    return read
