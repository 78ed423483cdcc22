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
    """One SQL type. `say` is the SQL that turns {} into canonical text, `read` turns a scalar of Parquet into the same."""

    def __init__(self, sql_type, literals, say="({})::text", read=str, options=None, arrow=None):
        self.sql_type = sql_type
        self.literals = literals
        self.say = say
        self.read = read
        self.options = options or {}
        self.arrow = arrow


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

COLUMNS = [
    Column("boolean", ["true", "false"], "({})::text", lambda s: str(s.as_py()).lower(), arrow=pa.bool_()),
    Column("smallint", ["0", "1", "-32768", "32767"], read=exact),
    Column("integer", ["0", "-2147483648", "2147483647"], read=exact, arrow=pa.int32()),
    Column("bigint", ["0", "-9223372036854775808", "9223372036854775807"], read=exact, arrow=pa.int64()),
    Column("real", ["0", "'-0'", "1.1", "'3.4028235e38'", "'1e-45'", "'NaN'", "'Infinity'", "'-Infinity'"],
           "encode(float4send({}), 'hex')", lambda s: struct.pack(">f", s.as_py()).hex()),
    Column("double precision", ["0", "'-0'", "0.1", "'1.7976931348623157e308'", "'5e-324'", "'NaN'", "'Infinity'"],
           "encode(float8send({}), 'hex')", lambda s: struct.pack(">d", s.as_py()).hex()),
    Column("numeric(9,2)", ["0", "1234567.89", "-9999999.99", "0.01", "-0.01"], read=of_decimal,
           arrow=pa.decimal128(9, 2)),
    Column("numeric(15,2)", ["0", "9999999999999.99", "-9999999999999.99", "100", "10000.50"], read=of_decimal),
    Column("numeric(18,0)", ["0", "999999999999999999", "-999999999999999999"], read=of_decimal),
    Column("numeric(38,0)", ["0", "12345678901234567890123456789012345678", "-" + "9" * 38], read=of_decimal),
    Column("numeric(38,20)", ["0", "123456789012345678.12345678901234567890", "-0.00000000000000000001"],
           read=of_decimal),
    Column("text", ["''", "'a'", "'grüß 🜁 \u4e2d'", "repeat('x', 70000)", "E'line\\nbreak\\ttab'"], read=exact),
    Column("varchar(40)", ["''", "'abc'", "'  spaces  '"], read=exact),
    Column("char(5)", ["''", "'ab'", "'abcde'"], "rpad(({})::text, 5)", exact),
    Column("bytea", [r"'\x'", r"'\x00ff'", r"'\xdeadbeef'"], "encode({}, 'hex')", lambda s: s.as_py().hex()),
    Column("date", ["'2026-02-28'", "'0044-03-15 BC'", "'1970-01-01'", "'0001-01-01'", "'9999-12-31'", "'4713-01-01 BC'"],
           DAYS, as_int),
    Column("time", ["'00:00:00'", "'23:59:59.999999'", "'24:00:00'", "'12:34:56.7'"], read=exact),
    Column("timestamp", ["'2026-01-01 12:34:56.789012'", "'1969-12-31 23:59:59.999999'", "'0044-03-15 BC'",
                         "'294246-12-31 23:59:59.999999'"], MICROS, as_int),
    Column("timestamptz", ["'2026-01-01 12:34:56.789012+05:30'", "'1969-12-31 23:59:59.999999+00'", "'0001-01-01+00'"],
           MICROS, as_int),
    Column("interval", ["'0'", "'1 mon 2 days 03:04:05'", "'-1 mon +2 days -00:00:00.000001'", "'178000000 years'",
                        "'1.5 seconds'"], MONTHS_DAYS_MICROS, lambda s: str(iso_interval(s.as_py()))),
    Column("uuid", ["'00000000-0000-0000-0000-000000000000'", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"], read=exact),
    Column("json", ["'{\"a\": 12345678901234567890.1234567890123}'", "'null'", "'[1,  2]'"], read=exact),
    Column("jsonb", ["'{\"a\": 12345678901234567890.1234567890123}'", "'null'", "'{}'"], read=exact),
    Column("mood", ["'sad'", "'very glad'"], read=exact),
    Column("positive", ["1", "2147483647"], read=exact),
]


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
