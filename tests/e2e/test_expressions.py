"""Expressions against DuckDB: the same text, over the same random rows, in both. Where DuckDB means something else by a
text (it has NULL for a division by zero, we have a row that failed), the second form says the same to it."""

import random

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from conftest import FULL, read_table

ROWS = 20_000 if FULL else 2_000

# (ours, DuckDB's or None for the same)
EXPRESSIONS = [
    ("a + b * 2 - 7", None),
    ("-a % 13", None),
    ("price * quantity", None),
    ("price * (1 - discount)", None),
    ("round(price * (1 - discount), 2)", None),
    ("price + a", None),
    ("price / quantity", None),
    ("a / 4", None),
    ("x * 2 + a", None),
    ("abs(a) + sign(b)", None),
    ("floor(price) + ceil(discount)", None),
    ("trunc(price)", None),
    ("sqrt(abs(x))", None),
    ("greatest(a, b, 0) - least(a, b)", None),
    ("a > b", None),
    ("price >= discount", None),
    ("a = price", None),
    ("a between -10 and b", None),
    ("a not in (1, 2, 3)", None),
    ("a > 0 and b > 0 or a is null", None),
    ("not (a > 0 and x < 0.5)", None),
    ("s < t", None),
    ("s = 'ab' or t like '%b%' and s not like '_a%'", None),
    ("coalesce(a, b, -1)", None),
    ("nullif(a, b)", None),
    ("case when a > 0 then 'plus' when a < 0 then 'minus' else s end", None),
    ("case when a > 100 then price when b > 100 then discount end", None),
    ("if(a > b, a, b)", None),
    ("lower(s) || '/' || upper(t)", None),
    ("length(s) + octet_length(t)", "length(s) + strlen(t)"),
    ("substring(s, 2, 3)", None),
    ("left(s, 2) || right(t, 2)", None),
    ("trim(s) || ltrim(t) || rtrim(s)", None),
    ("replace(s, 'a', 'xyz')", None),
    ("reverse(s)", None),
    ("lpad(s, 12, '*')", "case when length(s) >= 12 then s else lpad(s, 12, '*') end"),
    ("rpad(s, 12, '-')", "case when length(s) >= 12 then s else rpad(s, 12, '-') end"),
    ("starts_with(s, 'a') or ends_with(t, 'b') or contains(s, 'ä')", None),
    ("regexp_matches(s, '^[a-c]+$')", None),
    ("regexp_replace(s, '([ab])', '<\\1>')", "regexp_replace(s, '([ab])', '<\\1>', 'g')"),
    ("year(d) * 10000 + month(d) * 100 + day(d)", None),
    ("quarter(d) + week(d) + day_of_year(d)", "quarter(d) + week(d) + dayofyear(d)"),
    ("day_of_week(d)", "isodow(d)"),
    ("d + 30", None),
    ("d - '2020-02-29'::date", None),
    ("d >= '2020-01-01'", None),
    ("date_trunc('month', d)", "date_trunc('month', d)::date"),
    ("date_trunc('hour', moment)", None),
    ("date_trunc('week', moment)", None),
    ("date(moment)", "moment::date"),
    ("hour(moment) * 3600 + minute(moment) * 60 + second(moment)", None),
    ("moment < d", None),
    ("a::text || price::text", "a::varchar || price::varchar"),
    ("cast(price as decimal(20,4)) + discount", None),
    ("d::text", "d::varchar"),
]
EXPRESSIONS.append(("div(a, 7) + mod(b, 5)", "trunc(a::decimal(18,0) / 7)::bigint + b % 5"))

TABLE = """create table rows (id bigint primary key, a integer, b bigint, x double precision, price numeric(12,2),
discount numeric(5,4), quantity integer, s text, t text, d date, moment timestamp)"""


def random_rows(seed):
    dice = random.Random(seed)

    def maybe(value):
        return None if dice.random() < 0.1 else value

    def text():
        return "".join(dice.choice("abcdäß 日X") for _ in range(dice.randrange(0, 9)))

    for number in range(ROWS):
        yield (number, maybe(dice.randrange(-1000, 1000)), maybe(dice.randrange(-10**9, 10**9)),
               maybe(dice.choice([0.0, 0.5, -1.25, dice.uniform(-1e6, 1e6)])), maybe(f"{dice.randrange(-10**8, 10**8) / 100:.2f}"),
               maybe(f"{dice.randrange(0, 10000) / 10000:.4f}"), maybe(dice.randrange(1, 50)), maybe(text()), maybe(text()),
               maybe(f"{dice.randrange(1900, 2100)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02}"),
               maybe(f"{dice.randrange(1960, 2040)}-{dice.randrange(1, 13):02}-{dice.randrange(1, 29):02} "
                     f"{dice.randrange(24):02}:{dice.randrange(60):02}:{dice.randrange(60):02}.{dice.randrange(10**6):06}"))


@pytest.fixture(scope="module")
def rows(server):
    server.execute(TABLE)
    with server.connect() as connection, connection.cursor() as cursor:
        with cursor.copy("copy rows from stdin") as copy:
            for row in random_rows(7):
                copy.write_row(row)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


def test_duckdb_gives_the_same(server, levada, rows):
    derived = "\n".join(f"      e{number}: {quoted(ours)}" for number, (ours, _) in enumerate(EXPRESSIONS))
    levada.write("p.yaml", f"""
name: expressions
consumer: {{ postgres: {{ dsn: "{server.url()}", table: rows }} }}
transformers:
  - derive:
{derived}
loaders: [{{ parquet: {{ path: lake, profile: arrow }} }}]
""")
    levada("run", "p.yaml", "--quiet")
    table = read_table(levada.directory / "lake").sort_by("id")
    connection = duckdb.connect()
    connection.execute("set timezone = 'UTC'")
    connection.register("lake", table)
    for number, (ours, theirs) in enumerate(EXPRESSIONS):
        said = connection.execute(f"select {theirs or ours} as v from lake order by id").to_arrow_table()["v"]
        got = table[f"e{number}"]
        assert got.null_count < len(got), f"{ours} is NULL everywhere"
        for row, (mine, other) in enumerate(zip(got.to_pylist(), said.to_pylist())):
            same = mine == other or (isinstance(mine, float) and other is not None and
                                     abs(mine - other) <= 1e-12 * max(abs(mine), abs(other)))
            assert same, f"{ours}, row {table['id'][row]}: {mine!r}, DuckDB has {other!r}"


CONDITIONS = ["a > 0", "a > b or s is null", "price between 0 and 1000 and t != ''", "not (d < '2000-01-01')", "a in (1, 2, 3)"]


@pytest.mark.parametrize("condition", CONDITIONS)
def test_filter_keeps_what_where_keeps(server, levada, rows, condition):
    levada.write("p.yaml", f"""
name: filtered
consumer: {{ postgres: {{ dsn: "{server.url()}", table: rows }} }}
transformers: [{{ filter: {quoted(condition)} }}, {{ select: {{ columns: [id] }} }}]
loaders: [{{ parquet: {{ path: lake }} }}]
""")
    levada("run", "p.yaml", "--quiet")
    ids = sorted(read_table(levada.directory / "lake")["id"].to_pylist())
    assert ids == [row[0] for row in server.rows(f"select id from rows where {condition} order by id")]
    assert 0 < len(ids) < ROWS
