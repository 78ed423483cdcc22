#!/usr/bin/env python3
"""Writes captures/*.capture: what a real PostgreSQL sends for a query in COPY BINARY, beside the same rows in its text
form. And decoder_fuzz/*: the smaller of them behind the bytes that tell the fuzz target their columns.

    capture.py [DIRECTORY OF initdb AND postgres]

Starts a private server in a temporary directory, reachable by a socket in it only, and stops it at the end. A capture:

    -- SQL that made it, on lines that begin so
    columns: name type option ...; name type ...
    rows:
    one line for each row, as COPY TEXT writes it
    hex:
    the stream, 64 digits a line
"""
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
BIN = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "/usr/lib/postgresql/15/bin")
SETTINGS = ("-c timezone=UTC -c datestyle=ISO,YMD -c intervalstyle=iso_8601 -c bytea_output=hex "
            "-c extra_float_digits=1")

# name: (columns, query)
CASES = {
    "bool_and_int": (
        "b bool; s int2; i int4; l int8; o oid",
        """SELECT b, s::int2, i::int4, l::int8, o::oid FROM (VALUES (true, -32768, -2147483648, -9223372036854775808, 0),
        (false, 32767, 2147483647, 9223372036854775807, 4294967295), (NULL, NULL, NULL, NULL, NULL), (true, -1, 0, 1, 26),
        (true, 0, -1, -1, 1)) t(b, s, i, l, o)"""),
    "float": (
        "s float4; d float8",
        """VALUES ('NaN'::float4, 'NaN'::float8), ('Infinity', '-Infinity'), ('-Infinity', 'Infinity'),
        ('-0', '-0'), ('1e-45', '5e-324'), ('3.4028235e38', '1.7976931348623157e308'), (NULL, NULL),
        (0.1, 0.1), (16777217, 9007199254740993)"""),
    "numeric_15_2": (
        "v numeric(15,2)",
        """SELECT v::numeric(15,2) FROM (VALUES ('0'), ('0.01'), ('-0.01'), ('0.1'), ('1'), ('-1'), ('99.99'), ('100'),
        ('9999'), ('10000'), ('10000.01'), ('99999999'), ('100000000'), ('12345678.9'), ('104949.50'), ('999999999999.99'),
        ('1000000000000'), ('9999999999999.99'), ('-9999999999999.99'), (NULL), ('1000000'), ('-20000.5')) t(v)"""),
    "numeric_scales": (
        "a numeric(9,0); b numeric(18,4); c numeric(18,5); d numeric(19,1); e numeric(20,8); f numeric(18,18); g numeric(4,3)",
        """SELECT a::numeric(9,0), b::numeric(18,4), c::numeric(18,5), d::numeric(19,1), e::numeric(20,8), f::numeric(18,18),
        g::numeric(4,3) FROM (VALUES ('999999999', '99999999999999.9999', '9999999999999.99999', '999999999999999999.9',
        '999999999999.99999999', '0.999999999999999999', '9.999'),
        ('-1', '-0.0001', '-0.00001', '-0.1', '-0.00000001', '-0.000000000000000001', '-0.001'),
        ('10000', '10000', '10000', '10000', '10000', '0.1', '1'), ('0', '0', '0', '0', '0', '0', '0'),
        (NULL, NULL, NULL, NULL, NULL, NULL, NULL),
        ('70000', '12.34', '12.34567', '1e17', '0.0001', '0.00010002', '0.5')) t(a, b, c, d, e, f, g)"""),
    "numeric_38": (
        "a numeric(38,0); b numeric(38,20); c numeric(38,38); d numeric(38,2)",
        """SELECT a::numeric(38,0), b::numeric(38,20), c::numeric(38,38), d::numeric(38,2) FROM (VALUES
        (repeat('9', 38), repeat('9', 18) || '.' || repeat('9', 20), '0.' || repeat('9', 38), repeat('9', 36) || '.99'),
        ('-' || repeat('9', 38), '-' || repeat('9', 18) || '.' || repeat('9', 20), '-0.' || repeat('9', 38), '-' || repeat('9', 36) || '.99'),
        ('1' || repeat('0', 37), '1e-20', '1e-38', '1e35'), ('12345678901234567890123456789012345678',
        '123456789012345678.12345678901234567890', '0.12345678901234567890123456789012345678', '0.07'), ('0', '0', '0', '0'),
        (NULL, NULL, NULL, NULL)) t(a, b, c, d)"""),
    "numeric_76": (
        "a numeric(76,0); b numeric(76,38); c numeric(76,76); d numeric(39,2)",
        """SELECT a::numeric(76,0), b::numeric(76,38), c::numeric(76,76), d::numeric(39,2) FROM (VALUES
        (repeat('9', 76), repeat('9', 38) || '.' || repeat('9', 38), '0.' || repeat('9', 76), repeat('9', 37) || '.99'),
        ('-' || repeat('9', 76), '-' || repeat('9', 38) || '.' || repeat('9', 38), '-0.' || repeat('9', 76), '-1.5'),
        ('1' || repeat('0', 75), '1e-38', '-1e-76', '0'), ('0', '-1', '0', '104949.50'), (NULL, NULL, NULL, NULL)) t(a, b, c, d)"""),
    "numeric_odd_scale": (
        "a numeric(3,-2); b numeric(3,5); c numeric(2,-37); d numeric(1,40)",
        """SELECT a::numeric(3,-2), b::numeric(3,5), c::numeric(2,-37), d::numeric(1,40) FROM (VALUES
        ('99900', '0.00999', '99e37', '9e-40'), ('-12345', '-0.001234', '-1e37', '-1e-40'), ('0', '0', '0', '0'),
        ('149', '0.00001', '5e37', '0'), (NULL, NULL, NULL, NULL)) t(a, b, c, d)"""),
    "numeric_unbounded": (
        "v numeric unbounded=string",
        """SELECT v::numeric FROM (VALUES ('0'), ('0.000'), ('-0.00'), ('1.10'), ('1e20'), ('1e-20'), ('-123456789.987654321000'),
        ('10000.0001'), ('9999.9999'), ('0.0001'), ('0.00001'), ('1e300'), ('1e-300'), (NULL), ('NaN'), ('Infinity'), ('-Infinity'),
        ('1.123456789012345678'), ('100000000'), ('-70000.10')) t(v)"""),
    "numeric_wide": (
        "v numeric(100,50) unbounded=string",
        """SELECT v::numeric(100,50) FROM (VALUES (repeat('9', 50) || '.' || repeat('9', 50)), ('-1'), ('0'), (NULL), ('NaN')) t(v)"""),
    "numeric_as_string": (
        "v numeric(10,2) special=string",
        "SELECT v::numeric(10,2) FROM (VALUES ('NaN'), ('1.5'), ('-99999999.99'), (NULL), ('0')) t(v)"),
    "numeric_as_double": (
        "v numeric unbounded=double; w numeric(30,10) special=double",
        """SELECT v::numeric, w::numeric(30,10) FROM (VALUES ('0.1', '0.1'), ('-1.123456789012345678', '-2.5'), ('1e308', '1e19'),
        ('5e-324', '1e-10'), ('NaN', 'NaN'), ('Infinity', NULL), ('-Infinity', '3'), (NULL, '0'), ('1e-400', '1'),
        ('9007199254740993', '9007199254740993'), ('179769313486231570000000000000000000000', '7')) t(v, w)"""),
    "text": (
        "i int4; v text",
        """SELECT i, v FROM (VALUES (1, ''), (2, NULL), (3, 'a'), (4, 'żółć'), (5, '日本語のテキスト'), (6, '😀 emoji 😀'),
        (7, E'tab\\tline\\nback\\\\slash'), (8, ' padded '), (9, 'NULL'), (10, repeat('é', 40))) t(i, v)
        UNION ALL SELECT 100 + n, repeat('x', n) FROM generate_series(0, 20) n
        UNION ALL SELECT 200 + n, repeat('y', n) FROM generate_series(60, 68) n ORDER BY 1"""),
    "text_like": (
        "c text; t text trim; v text; n text; k char; j text; e text; d text",
        """SELECT v::char(5), v::char(5), v::varchar(5), v::name, v::"char", ('{"a": "' || v || '"}')::json, 'sad'::mood,
        v::word FROM (VALUES ('ab'), (''), ('abcde'), ('é'), (NULL), (' a ')) t(v)"""),
    "jsonb": (
        "v jsonb",
        """SELECT v::jsonb FROM (VALUES ('{"a": 12345678901234567890.1234567890123}'), ('null'), ('""'), (NULL),
        ('[1, "żółć", {}]'), ('{"b": 1, "a": [true, false]}')) t(v)"""),
    "bytea": (
        "v bytea", "SELECT v::bytea FROM (VALUES ('\\x'), ('\\x00ff'), (NULL), ('\\xdeadbeef00'), ('\\x80')) t(v)"),
    "date": (
        "v date",
        """SELECT v::date FROM (VALUES ('4714-11-24 BC'), ('4713-01-01 BC'), ('0044-03-15 BC'), ('0001-12-31 BC'), ('0001-01-01'),
        ('1582-10-15'), ('1900-02-28'), ('1969-12-31'), ('1970-01-01'), ('1999-12-31'), ('2000-01-01'), ('2000-02-29'), ('2000-03-01'),
        ('2026-11-22'), ('9999-12-31'), ('10000-01-01'), ('5874897-12-31'), (NULL)) t(v)"""),
    "date_as_string": (
        "v date special=string",
        """SELECT v::date FROM (VALUES ('infinity'), ('-infinity'), ('4714-11-24 BC'), ('0044-03-15 BC'), ('0001-12-31 BC'),
        ('0001-01-01'), ('2000-02-29'), ('1970-01-01'), ('10000-01-01'), ('5874897-12-31'), (NULL)) t(v)
        UNION ALL SELECT DATE '0400-02-25 BC' + n * 1461 + n FROM generate_series(0, 60) n"""),
    "time": (
        "v time",
        """SELECT v::time FROM (VALUES ('00:00:00'), ('23:59:59.999999'), ('12:34:56.7'), ('00:00:00.000001'), (NULL),
        ('01:02:03.0405')) t(v)"""),
    "time_as_string": (
        "v time special=string",
        "SELECT v::time FROM (VALUES ('24:00:00'), ('00:00:00'), ('23:59:59.999999'), ('12:34:56.70'), (NULL)) t(v)"),
    "timestamp": (
        "v timestamp; z timestamptz",
        """SELECT v::timestamp, v::timestamptz FROM (VALUES ('4714-11-24 00:00:00 BC'), ('0044-03-15 12:00:00.5 BC'),
        ('0001-01-01 00:00:00'), ('1969-12-31 23:59:59.999999'), ('1970-01-01'), ('1999-12-31 23:59:59'), ('2000-01-01'),
        ('2026-11-22 16:04:52.123456'), ('9999-12-31 23:59:59.999999'), ('294246-12-31 23:59:59.999999'),
        ('294247-01-10 04:00:54.775807'), (NULL)) t(v)"""),
    "timestamp_as_string": (
        "v timestamp special=string; z timestamptz special=string",
        """SELECT v::timestamp, v::timestamptz FROM (VALUES ('infinity'), ('-infinity'), ('4714-11-24 00:00:00 BC'),
        ('0044-03-15 12:00:00.50 BC'), ('294276-12-31 23:59:59.999999'), ('1999-12-31 23:59:59'), ('2026-11-22 16:04:52.1234'),
        (NULL), ('0001-12-31 23:59:59.999999 BC')) t(v)"""),
    "interval": (
        "v interval",
        """SELECT v::interval FROM (VALUES ('0'), ('1 mon 2 days 03:04:05'), ('1 year 2 mons 3 days 04:05:06.7'), ('-1 mon 2 days'),
        ('1 mon -2 days 03:00:00'), ('-00:00:00.000001'), ('00:00:00.5'), ('-1 year -1 mon -1 day -01:01:01.010101'), ('12 mons'),
        ('-13 mons'), ('48:00:00'), ('178956970 years 7 mons'), ('-178956970 years -8 mons'), ('2147483647 days'),
        ('-2147483648 days'), ('2562047788:00:54.775807'), ('-2562047788:00:54.775807'), ('1 day -00:01'), (NULL), ('00:59'), ('00:00:59.999999'),
        ('-1 days'), ('01:00:00.1')) t(v)"""),
    "uuid": (
        "v uuid",
        """SELECT v::uuid FROM (VALUES ('00000000-0000-0000-0000-000000000000'), ('123e4567-e89b-12d3-a456-426614174000'), (NULL),
        ('ffffffff-ffff-ffff-ffff-ffffffffffff')) t(v)"""),
    "uuid_as_bytes": (
        "v uuid bytes",
        "SELECT v::uuid FROM (VALUES ('123e4567-e89b-12d3-a456-426614174000'), (NULL), ('ffffffff-ffff-ffff-ffff-ffffffffffff')) t(v)"),
    "array_int": (
        "a bool[] oid=16; b int2[] oid=21; c int4[] oid=23; d int8[] oid=20; e oid[] oid=26",
        """VALUES ('{t,f,NULL}'::bool[], '{1,NULL,3}'::int2[], '{}'::int4[], '{NULL}'::int8[], '{1,4294967295}'::oid[]),
        (NULL, NULL, NULL, NULL, NULL), ('{}', '{}', '{1,2,3,4,5,6,7,8,9,10}', '{-9223372036854775808}', '{}'),
        ('{f}', '{-32768}', '{2147483647,NULL,NULL}', '{1,2}', '{0}')"""),
    "array_numeric": (
        "a numeric(10,2)[] oid=1700; b numeric[] unbounded=string; c numeric(50,10)[]; d numeric[] unbounded=double",
        """SELECT a::numeric(10,2)[], b::numeric[], c::numeric(50,10)[], d::numeric[] FROM (VALUES
        ('{1.50,NULL,-99999999.99}', '{1.10,NULL,NaN,1e20}', '{1,NULL}', '{0.5,NULL,Infinity}'), ('{}', '{}', '{}', '{}'),
        (NULL, NULL, NULL, NULL), ('{NULL,NULL,0}', '{0.000}', '{-0.0000000001,1234567890123456789012345678901234567890}', '{-1}'))
        t(a, b, c, d)"""),
    "array_text": (
        "a text[] oid=25; b text[]; c bytea[] oid=17; d jsonb[] oid=3802; e text[]",
        """VALUES ('{"",NULL,"NULL","a b",żółć,"q\\"uote","back\\\\slash","{}",","}'::text[], '{ab,"c  "}'::varchar[],
        array['\\x'::bytea, NULL, '\\x00ff'], array['{"a": 1}'::jsonb, NULL, 'null'], '{sad,NULL,ok}'::mood[]),
        (NULL, NULL, NULL, NULL, NULL), ('{}', '{}', '{}', '{}', '{}')"""),
    "array_time": (
        "a date[] oid=1082; b time[] oid=1083; c timestamp[] oid=1114; d timestamptz[] oid=1184; e interval[] oid=1186; f date[] special=string",
        """VALUES ('{2026-11-22,NULL,"0044-03-15 BC"}'::date[], '{12:34:56.7,NULL}'::time[],
        '{"2026-11-22 16:04:52.123456",NULL}'::timestamp[], '{"1969-12-31 23:59:59.999999+00",NULL}'::timestamptz[],
        '{"1 mon -2 days",NULL,0}'::interval[], '{infinity,NULL,2000-02-29}'::date[]),
        (NULL, NULL, NULL, NULL, NULL, NULL), ('{}', '{}', '{}', '{}', '{}', '{}')"""),
    "array_other": (
        "a float4[] oid=700; b float8[] oid=701; c uuid[] oid=2950; d uuid[] bytes",
        """VALUES ('{0.1,NULL,NaN}'::float4[], '{-Infinity,NULL,0.1}'::float8[],
        '{123e4567-e89b-12d3-a456-426614174000,NULL}'::uuid[], '{123e4567-e89b-12d3-a456-426614174000,NULL}'::uuid[]),
        (NULL, NULL, NULL, NULL), ('{}', '{}', '{}', '{}')"""),
    "lineitem": (
        "l_orderkey int8 notnull; l_partkey int8 notnull; l_suppkey int8 notnull; l_linenumber int4 notnull; "
        "l_quantity numeric(15,2) notnull; l_extendedprice numeric(15,2) notnull; l_discount numeric(15,2) notnull; "
        "l_tax numeric(15,2) notnull; l_returnflag text notnull; l_linestatus text notnull; l_shipdate date notnull; "
        "l_commitdate date notnull; l_receiptdate date notnull; l_shipinstruct text notnull; l_shipmode text notnull; "
        "l_comment text notnull",
        "SELECT * FROM lineitem"),
    "no_rows": ("a int4; b text", "SELECT 1, 'a' WHERE false"),
    "no_columns": ("", "SELECT FROM generate_series(1, 3)"),
    # Refused by the decoder, so what the rows say is not compared.
    "refused_numeric_nan": ("v numeric(10,2)", "VALUES (1::numeric(10,2)), ('NaN')"),
    "refused_numeric_fit": ("v numeric(10,2)", "VALUES (1.5::numeric), (1.005::numeric)"),
    "refused_date_infinity": ("v date", "VALUES ('2026-11-22'::date), ('infinity')"),
    "refused_timestamp_infinity": ("v timestamptz", "VALUES ('-infinity'::timestamptz)"),
    "refused_timestamp_late": ("v timestamp", "VALUES ('294247-01-10 04:00:54.775808'::timestamp)"),
    "refused_time_24": ("v time", "VALUES ('24:00:00'::time)"),
    "refused_array_2d": ("v int4[]", "VALUES ('{1,2}'::int4[]), ('{{1,2},{3,4}}')"),
    "array_lower_bound": ("v int4[]", "VALUES ('[5:7]={1,NULL,3}'::int4[]), ('[-1:0]={8,9}')"),
}
# In a database of encoding SQL_ASCII.
ASCII_CASES = {
    "refused_invalid_utf8": ("i int4; v text", "VALUES (1, 'plain'::text), (2, E'caf\\xe9')"),
}
SETUP = """CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); CREATE DOMAIN word AS varchar(20) CHECK (value <> 'x');
CREATE TABLE lineitem(l_orderkey bigint NOT NULL, l_partkey bigint NOT NULL, l_suppkey bigint NOT NULL, l_linenumber int NOT NULL,
l_quantity numeric(15,2) NOT NULL, l_extendedprice numeric(15,2) NOT NULL, l_discount numeric(15,2) NOT NULL,
l_tax numeric(15,2) NOT NULL, l_returnflag char(1) NOT NULL, l_linestatus char(1) NOT NULL, l_shipdate date NOT NULL,
l_commitdate date NOT NULL, l_receiptdate date NOT NULL, l_shipinstruct char(25) NOT NULL, l_shipmode char(10) NOT NULL,
l_comment varchar(44) NOT NULL);
INSERT INTO lineitem VALUES (1, 155190, 7706, 1, 17, 21168.23, 0.04, 0.02, 'N', 'O', '1996-03-13', '1996-02-12', '1996-03-22',
'DELIVER IN PERSON', 'TRUCK', 'egular courts above the'), (1, 67310, 7311, 2, 36, 45983.16, 0.09, 0.06, 'N', 'O', '1996-04-12',
'1996-02-28', '1996-04-20', 'TAKE BACK RETURN', 'MAIL', 'ly final dependencies: slyly bold '), (6000000, 32255, 2256, 1, 5,
5936.25, 0.00, 0.03, 'R', 'F', '1996-11-02', '1996-11-19', '1996-12-01', 'NONE', 'REG AIR', '');"""

# The first bytes of a fuzz input, as decoder_fuzz.cc reads them.
FUZZ_KINDS = ["bool", "int2", "int4", "int8", "oid", "float4", "float8", "numeric", "text", "char", "jsonb", "bytea", "date", "time",
              "timestamp", "timestamptz", "interval", "uuid"]
FUZZ_POLICIES = ["error", "null", "string", "double"]
FUZZ_BOUNDS = [None, (15, 2), (9, 0), (18, 4), (38, 20), (76, 38), (3, -2), (3, 5), (10, 2), (38, 0), (76, 76), (100, 50)]
FUZZ_COLUMNS_MAX = 8
FUZZ_SEED_BYTES_MAX = 1200


def postgres(*command, **options):
    """Runs a server program as a user that may: it refuses root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    return subprocess.run([*prefix, *map(str, command)], check=True, **options)


def copy(socket, database, query, form):
    command = [BIN / "psql", "-X", "-q", "-h", socket, "-U", "postgres", "-d", database, "-v", "ON_ERROR_STOP=1",
               "-c", f"COPY ({query}) TO STDOUT (FORMAT {form})"]
    return subprocess.run(list(map(str, command)), check=True, stdout=subprocess.PIPE,
                          env={**os.environ, "PGOPTIONS": SETTINGS, "PGCLIENTENCODING": ""}).stdout


def write_capture(name, columns, query, rows, stream):
    query = "\n".join("-- " + line.strip() for line in f"COPY ({query}) TO STDOUT (FORMAT binary)".splitlines())
    digits = stream.hex()
    digits = "\n".join(digits[i:i + 64] for i in range(0, len(digits), 64))
    head = f"{query}\ncolumns: {columns}\nrows:\n".encode()
    (HERE / "captures" / f"{name}.capture").write_bytes(head + rows + f"hex:\n{digits}\n".encode())


def fuzz_column(column):
    _, kind, *options = column.split()
    array = kind.endswith("[]")
    kind = kind.removesuffix("[]")
    bounds = None
    if "(" in kind:
        kind, bounds = kind.rstrip(")").split("(")
        bounds = tuple(map(int, bounds.split(",")))
    settings = dict(option.split("=") for option in options if "=" in option)
    flags = array | ("notnull" in options) << 1 | ("trim" in options) << 2 | ("bytes" in options) << 3
    flags |= FUZZ_POLICIES.index(settings.get("special", "error")) << 4
    flags |= FUZZ_POLICIES.index(settings.get("unbounded", "error")) << 6
    return bytes([FUZZ_KINDS.index(kind), flags, FUZZ_BOUNDS.index(bounds)]) if bounds in FUZZ_BOUNDS else None


def write_seed(name, columns, stream):
    columns = [fuzz_column(column) for column in columns.split(";") if column.strip()]
    if None in columns or len(columns) > FUZZ_COLUMNS_MAX or len(stream) > FUZZ_SEED_BYTES_MAX:
        return
    seed = bytes([len(columns), 2, 7]) + b"".join(columns) + stream
    (HERE / "decoder_fuzz" / name).write_bytes(seed)


def main():
    for folder in ("captures", "decoder_fuzz"):
        (HERE / folder).mkdir(exist_ok=True)
        for old in (HERE / folder).iterdir():
            old.unlink()
    with tempfile.TemporaryDirectory(prefix="pgcopy-") as directory:
        os.chmod(directory, 0o777)
        data = directory + "/data"
        postgres(BIN / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync",
                 stdout=subprocess.DEVNULL)
        postgres(BIN / "pg_ctl", "-D", data, "-w", "-l", directory + "/log", "-o",
                 f"-c listen_addresses='' -c fsync=off -k {directory}", "start", stdout=subprocess.DEVNULL)
        try:
            psql = [BIN / "psql", "-X", "-q", "-h", directory, "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
            postgres(*psql, "-c", SETUP)
            postgres(*psql, "-c", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' TEMPLATE template0")
            cases = [("postgres", case) for case in CASES.items()] + [("ascii", case) for case in ASCII_CASES.items()]
            for database, (name, (columns, query)) in cases:
                stream = copy(directory, database, query, "binary")
                write_capture(name, columns, query, copy(directory, database, query, "text"), stream)
                write_seed(name, columns, stream)
        finally:
            postgres(BIN / "pg_ctl", "-D", data, "-m", "immediate", "stop", stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
