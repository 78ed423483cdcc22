"""D1 beside SQLite itself, another build of it, as a library of Python: the same random statements to both, alone and as batches,
and the same answers wanted: rows with their types, counts of changes, refusals in the same words, and at the end the same tables."""

import json
import os
import random
import sqlite3

import pytest

from test_d1 import ALL, Database

LARGE = os.environ.get("LEVADA_TEST_SIZE") == "all"
SEEDS = 200 if LARGE else 8
STATEMENTS = 400
TABLES = ("t0", "t1", "t2")
COLUMNS = ("id", "a", "b", "c", "d")
# What a REAL is printed as differs between versions where it has many digits: so there are quarters, and arithmetic of small numbers.
TEXTS = ("", "a", "B", "ab", "Äö", "it''s", "100%", "a_b", "1", " 2.5", "x\ny", "日本", "%%", "0")


class Statements:
    """Random statements over three tables; now and then one that fails."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, *choices):
        return self.random.choice(choices)

    def literal(self):
        kind = self.random.randrange(6)
        if kind == 0:
            return "NULL"
        if kind == 1:
            return str(self.random.choice((0, 1, -1, 7, 255, 1 << 31, (1 << 53) + 1, -(1 << 63), (1 << 63) - 1, self.random.randrange(100))))
        if kind == 2:
            return str(self.random.randrange(-4000, 4000) / 4)
        if kind == 3:
            # As texts, too, they are UTF-8: what is not is shown with U+FFFD, which this is not about.
            return f"x'{bytes(self.random.randrange(1, 128) for _ in range(self.random.randrange(5))).hex()}'"
        return f"'{self.pick(*TEXTS)}'"

    def parameter(self):
        return self.pick(None, 0, -5, 2.25, 1 << 40, "p", "ß", True, [1, 2, 255])

    def column(self):
        return self.pick(*COLUMNS)

    def expression(self, depth=2):
        if depth == 0 or self.random.random() < 0.3:
            return self.column() if self.random.random() < 0.6 else self.literal()
        one, two = (self.expression(depth - 1) for _ in range(2))
        return self.pick(
            f"({one} % 1000 {self.pick('+', '-', '*', '/', '%')} {two} % 1000)", f"({one} {self.pick('||', '&', '|', '<<', '>>')} {two})",
            f"({one} {self.pick('=', '<>', '<', '<=', '>', '>=', 'IS', 'IS NOT')} {two})",
            f"({one} {self.pick('AND', 'OR')} {two})", f"(NOT {one})", f"(-({one} % 1000))", f"coalesce({one}, {two})", f"nullif({one}, {two})",
            f"typeof({one})", f"length({one})", f"abs(CAST({one} AS INTEGER) % 1000)", f"upper({one})", f"lower({one})", f"hex({one})", f"quote({two})",
            f"substr({one}, {self.random.randrange(-3, 4)}, {self.random.randrange(0, 4)})", f"instr({one}, {two})",
            f"replace({one}, '{self.pick('a', '1', '.')}', 'z')", f"CASE WHEN {one} THEN {two} ELSE 'no' END", f"({one} IN ({two}, 1, 'a'))",
            f"({one} BETWEEN {two} AND 'm')", f"({one} LIKE '{self.pick('a%', '_', '%b', '1%')}')", f"({one} GLOB '{self.pick('a*', '?', '[A-Z]')}')",
            f"CAST({one} AS {self.pick('INTEGER', 'TEXT', 'BLOB')})", f"({one} COLLATE NOCASE)", f"iif({one}, {two}, NULL)", f"min({one}, {two})",
            f"json_quote(CAST({one} AS TEXT))", f"unicode({one})", f"ltrim({one}, 'a')", f"(SELECT count(*) FROM {self.pick(*TABLES)} WHERE a = 1)",
            f"({one} IN (SELECT {self.column()} FROM {self.pick(*TABLES)}))")

    def values(self):
        return ", ".join(self.literal() for _ in COLUMNS[1:])

    def change(self):
        table = self.pick(*TABLES)
        where = f"WHERE {self.expression()}"
        return self.pick(
            f"INSERT INTO {table} (a, b, c, d) VALUES ({self.values()}), ({self.values()})",
            f"INSERT INTO {table} (id, a, b, c, d) VALUES ({self.random.randrange(60)}, {self.values()})",
            f"INSERT INTO {table} (id, a) VALUES ({self.random.randrange(60)}, {self.literal()}) "
            f"ON CONFLICT (id) DO UPDATE SET a = excluded.a, b = {self.literal()}",
            f"REPLACE INTO {table} (id, a, b) VALUES ({self.random.randrange(60)}, {self.literal()}, {self.literal()})",
            f"INSERT INTO {table} (a, b, c, d) SELECT a, b, c, d FROM {self.pick(*TABLES)} {where} ORDER BY id LIMIT 3",
            f"UPDATE {table} SET {self.pick('a', 'b', 'd')} = {self.expression()} {where}",
            f"UPDATE {table} SET id = id + 1000 WHERE id = {self.random.randrange(60)}",
            f"DELETE FROM {table} {where} AND id % 3 = 0",
            f"INSERT INTO {table} (a, c) VALUES ({self.literal()}, {self.literal()}) RETURNING id, a, typeof(c)",
            f"UPDATE {table} SET c = {self.literal()} WHERE id = {self.random.randrange(30)} RETURNING *")

    def question(self):
        table, other = self.pick(*TABLES), self.pick(*TABLES)
        where = f"WHERE {self.expression()}" if self.random.random() < 0.7 else ""
        return self.pick(
            f"SELECT {self.expression()} AS x, {self.expression()} AS y, id FROM {table} {where} ORDER BY id",
            f"SELECT * FROM {table} {where} ORDER BY id LIMIT {self.random.randrange(20)} OFFSET {self.random.randrange(3)}",
            f"SELECT count(*), min(a), max(b), total(id), group_concat(id) FROM (SELECT * FROM {table} {where} ORDER BY id)",
            f"SELECT typeof(a) AS k, count(*) AS n, sum(id) FROM {table} {where} GROUP BY k HAVING n > 1 ORDER BY k",
            f"SELECT x.id, y.id, x.a FROM {table} x LEFT JOIN {other} y ON x.a = y.a ORDER BY x.id, y.id LIMIT 40",
            f"SELECT a FROM {table} UNION SELECT b FROM {other} ORDER BY 1",
            f"SELECT DISTINCT typeof(d) FROM {table} EXCEPT SELECT 'null' ORDER BY 1",
            f"SELECT id, row_number() OVER (ORDER BY id), sum(id) OVER (ORDER BY id ROWS 2 PRECEDING) FROM {table} ORDER BY id",
            f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {self.random.randrange(1, 20)}) "
            f"SELECT i, (SELECT count(*) FROM {table} WHERE id <= i) FROM n ORDER BY i",
            f"SELECT json_object('id', id, 'a', typeof(a)) FROM {table} ORDER BY id LIMIT 5")

    def mistake(self):
        table = self.pick(*TABLES)
        return self.pick(f"SELECT nothing FROM {table}", "SELECT * FROM nowhere", f"INSERT INTO {table} (id) VALUES (1), (1)", "SELEC 1",
                         f"UPDATE {table} SET c = NULL, nothing = 1", f"INSERT INTO {table} VALUES (1)", "SELECT abs(1, 2)", f"DROP TABLE {table}_")

    def next(self):
        """(sql, parameters)"""
        roll = self.random.random()
        if roll < 0.05:
            return self.mistake(), []
        if roll < 0.15:
            return "SELECT ?1 AS a, typeof(?2) AS b, ?2 || '' AS c", [self.parameter(), self.pick("p", 3, None)]
        return (self.change() if roll < 0.6 else self.question()), []


def schema():
    for table in TABLES:
        yield f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, a, b TEXT, c NUMERIC, d BLOB)"
        yield f"CREATE INDEX {table}_a ON {table} (a)"


class Beside:
    """SQLite itself."""

    def __init__(self):
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.text_factory = lambda text: text.decode(errors="replace")
        self.connection.execute("PRAGMA foreign_keys = on")

    @staticmethod
    def given(value):
        return bytes(value) if isinstance(value, list) else value

    @staticmethod
    def shown(value):
        return list(value) if isinstance(value, bytes) else value

    def run(self, statements):
        """What D1 is to answer: of each statement its rows, or why all of it failed."""
        self.connection.execute("BEGIN")
        answers = []
        try:
            for sql, parameters in statements:
                cursor = self.connection.execute(sql, [self.given(each) for each in parameters])
                rows = [[self.shown(value) for value in row] for row in cursor.fetchall()]
                columns = [each[0] for each in cursor.description or []]
                changes = max(cursor.rowcount, 0) if not sql.lstrip().startswith(("SELECT", "WITH")) else 0
                answers.append((columns if rows or columns else [], rows, changes))
        except (sqlite3.Error, sqlite3.Warning) as error:
            self.connection.execute("ROLLBACK")
            return str(error)
        self.connection.execute("COMMIT")
        return answers


def plain(rows):
    """Numbers by what they are: JSON has one kind of them. `typeof` is asked for where the kind matters."""
    return [[repr(int(value) if isinstance(value, float) and value.is_integer() else value) for value in row] for row in rows]


def ask(database, statements):
    body = [{"sql": sql, "params": parameters} for sql, parameters in statements]
    answer = database.call("POST", "/raw", body[0] if len(body) == 1 else {"batch": body})
    if answer.status != 200:
        return answer.error[2]
    return [(each["results"]["columns"], each["results"]["rows"], each["meta"]["changes"]) for each in answer.result]


def test_statements_are_answered_as_by_sqlite(daemon):
    found = sqlite3.sqlite_version_info
    if found < (3, 38):
        pytest.skip(f"SQLite {sqlite3.sqlite_version} of Python is too old to be held beside")
    refused = asked = 0
    for seed in range(SEEDS):
        database = Database(daemon, daemon.v4("POST", ALL, {"name": f"beside-{seed}"}).result["uuid"])
        beside, statements = Beside(), Statements(seed)
        assert isinstance(ask(database, [(sql, []) for sql in schema()]), list)
        assert isinstance(beside.run([(sql, []) for sql in schema()]), list)
        for number in range(STATEMENTS):
            batch = [statements.next() for _ in range(1 if statements.random.random() < 0.8 else statements.random.randrange(2, 5))]
            expected, got = beside.run(batch), ask(database, batch)
            asked += 1
            where = f"seed {seed}, statement {number}: {json.dumps(batch, ensure_ascii=False)}"
            if isinstance(expected, str):
                refused += 1
                assert isinstance(got, str) and expected in got, f"{where}\nwanted {expected}\ngot {got}"
                continue
            assert not isinstance(got, str), f"{where}\ngot {got}"
            for (_, rows, changes), (_, got_rows, got_changes) in zip(expected, got, strict=True):
                assert plain(rows) == plain(got_rows), where
                assert changes == got_changes, where
        for table in TABLES:
            everything = [(f"SELECT *, typeof(a), typeof(b), typeof(c), typeof(d) FROM {table} ORDER BY id", [])]
            assert plain(beside.run(everything)[0][1]) == plain(ask(database, everything)[0][1]), f"seed {seed}: {table}"
        assert database.rows("PRAGMA quick_check") == [{"quick_check": "ok"}]
        database.call("DELETE", "")
    assert refused > asked // 50, "mistakes were made"
