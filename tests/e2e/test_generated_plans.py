"""No file that cannot run is accepted and no file ends levada otherwise than by its own words: files made by chance.

Good files are made at random, and run as they say. Others are spoilt at random. `check` refuses each with a code and a place, or accepts it; what `check` and `plan` accept
runs to its end, or fails for a reason that only rows could tell. A file that does otherwise is printed with its seed:
LEVADA_TEST_SEED=n makes just that one again.
"""

import concurrent.futures
import json
import os
import random
import shutil
import sqlite3
import subprocess

import pyarrow.parquet as pq
import pytest

from conftest import BINARY, FULL, data_files
from plan_mutations import mutated
from valid_plans import postgres_consumer, sqlite_consumer, valid

SEED = 20261129
COUNT = 20_000 if FULL else 300
VALID_COUNT = 2_000 if FULL else 30
ONLY = os.environ.get("LEVADA_TEST_SEED")
SEEDS = [int(ONLY)] if ONLY else range(SEED, SEED + COUNT)
# How a run may end that check and plan have accepted: well, or by something in the rows (31), in several partitions of them (50).
OF_ROWS = {0, 31, 50}
WINDOWS_MAX = 40

SHOP = """
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer TEXT NOT NULL, kind TEXT, amount DECIMAL(10,2), pieces INTEGER NOT NULL,
  price REAL, at TIMESTAMP NOT NULL, active BOOLEAN, payload TEXT);
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
INSERT INTO orders SELECT i, 'Ana ' || i % 7, CASE i % 3 WHEN 0 THEN 'book' WHEN 1 THEN 'pen' END, i / 4.0, i % 11, i * 1.5,
  datetime('2026-01-01', '+' || i || ' hours'), i % 2, '{"sku": ' || i || ', "to": {"city": "Funchal"}}' FROM n;
"""

SHOP_OF_POSTGRES = """
CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL, kind text, amount numeric(10,2), pieces int NOT NULL,
  price float8, at timestamp NOT NULL, active bool, payload jsonb);
INSERT INTO orders SELECT i, 'Ana ' || i % 7, CASE i % 3 WHEN 0 THEN 'book' WHEN 1 THEN 'pen' END, i / 4.0, i % 11, i * 1.5,
  timestamp '2026-01-01' + i * interval '1 hour', i % 2 = 1, jsonb_build_object('sku', i, 'to', '{"city": "Funchal"}'::jsonb)
  FROM generate_series(1, 300) i;
ANALYZE orders;
"""

HEAD = "name: orders\n"
SQLITE = "consumer:\n  sqlite:\n    path: shop.db\n    table: orders\n"
LAKE = "loaders:\n  - parquet:\n      path: ./lake\n"
GOOD = {
    "whole table": HEAD + SQLITE + LAKE + "memory: 512MiB\nverify: readback\ntags: [hourly, shop]\n",
    "days": HEAD + "run:\n  every: day\n  column: at\n  start: 2026-01-01\n  end: 2026-01-10\n  timezone: Europe/Lisbon\n"
            "  delay: 2h\n  lookback: 1\n  null: 2026-01-01\n" + SQLITE + LAKE + '      layout: "day={run.start:%Y-%m-%d}"\n',
    "once": HEAD + "run: once\n" + SQLITE + LAKE + "retry: { attempts: 2, backoff: 1s, backoff_max: 2s, deadline: 1h }\n",
    "query": HEAD + "consumer:\n  sqlite:\n    path: shop.db\n    query: SELECT id, customer, at FROM orders ORDER BY id\n"
             "    columns: [id, at]\n    types: { id: int64 }\n    busy_timeout: 1s\n" + LAKE,
    "options of the loader": HEAD + SQLITE + LAKE +
        "      partition_by: [kind]\n      profile: spark-4\n      codec: zstd\n      level: 3\n      encoding: plain\n"
        "      file_bytes: 1MiB\n      row_group_rows: 2048\n      row_group_bytes: 1MiB\n      page_bytes: 64KiB\n"
        "      dictionary: { all: auto, columns: { customer: on } }\n      statistics: false\n      concurrency: 2\n",
    "names and types": HEAD + SQLITE +
        "transformers:\n  - select: { except: [payload] }\n  - rename: { id: order_id, at: ordered_at }\n"
        '  - cast: { pieces: int32, amount: { type: "decimal(12,2)", on_error: quarantine }, active: bool }\n' + LAKE,
    "rows": HEAD + SQLITE +
        "transformers:\n  - filter: amount > 0 and kind is not null\n"
        "  - derive: { total: amount * pieces, who: { expression: upper(customer), on_error: discard_row } }\n"
        "  - add: { region: eu, source: \"{pipeline}\", day: { value: 2026-01-01, type: date } }\n" + LAKE,
    "json": HEAD + SQLITE +
        "transformers:\n  - flatten:\n      column: payload\n      fields: { city: to.city, sku: { path: sku, type: int64 } }\n"
        "      keep: true\n      on_error: discard_value\n" + LAKE,
    "secrets": HEAD + SQLITE +
        "transformers:\n  - mask:\n      columns: { customer: hash, kind: redact, payload: { method: truncate, keep: 4 } }\n"
        "      key: ${env:MASK_KEY}\n" + LAKE,
    "keys": HEAD + SQLITE +
        "transformers:\n  - dedupe: { key: [customer], keep: last, order: at, memory: 8MiB }\n"
        "  - validate:\n      columns: { id: { not_null: true, unique: true }, amount: { min: 0, max: 1000000 } }\n"
        "      unique: [id, at]\n      check: { whole: pieces >= 0 }\n      rows: { min: 1, max: 1000 }\n"
        "      on_error: discard_row\n" + LAKE,
}


@pytest.fixture(scope="module")
def shop(module_scratch):
    path = module_scratch / "shop.db"
    with sqlite3.connect(path) as database:
        database.executescript(SHOP)
    return path


class Place:
    """A directory with the database and one pipeline file, in which levada is run."""

    def __init__(self, root, shop, number, data):
        self.directory = root / f"plan{number}"
        self.directory.mkdir()
        os.link(shop, self.directory / "shop.db")
        (self.directory / "orders.yaml").write_bytes(data)
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        self.environment = kept | {"NO_COLOR": "1", "WORD": "abc", "MASK_KEY": "0123456789abcdef", "TZ": "UTC"}

    def levada(self, command, *arguments):
        return subprocess.run([BINARY, command, "orders.yaml", "--error-format=json", *arguments], cwd=self.directory,
                              env=self.environment, capture_output=True, timeout=60, stdin=subprocess.DEVNULL)

    def close(self):
        shutil.rmtree(self.directory)


def require(holds, what, ran):
    if not holds:
        raise AssertionError(f"{what}: exit {ran.returncode}\n{ran.stderr.decode(errors='replace')[-3000:]}")


def errors_of(ran):
    return [json.loads(line) for line in ran.stderr.decode().split("\n") if line.startswith('{"code"')]


def require_refusal(ran):
    """Exit 10, a code, and for each problem a message and a place."""
    require(ran.returncode == 10, "neither accepted nor refused", ran)
    errors = errors_of(ran)
    require(errors, "no error that a program could read", ran)
    for error in errors:
        require(error["diagnostics"], "no place", ran)
        for problem in error["diagnostics"]:
            require(problem["code"].startswith("LV") and problem["message"], "no code or no message", ran)
            require(problem["line"] >= 1 and problem["column"] >= 1, "no place", ran)


def leads_out(data):
    """It may name a path that is none of the test's."""
    text = data.decode(errors="replace")
    return any(part in text for part in ("..", "path: /", "path: '/", 'path: "/', "{file:", "file://", "~"))


def require_that_it_runs(place):
    """What plan accepts runs to its end, or fails by what is in the rows."""
    planned = place.levada("plan", "--json")
    require(planned.returncode in (0, 2, 10, 12, 20, 21, 40), "plan", planned)
    if planned.returncode not in (0, 2):
        require(errors_of(planned), "no error that a program could read", planned)
        return "refused by plan"
    if len(json.loads(planned.stdout)["runs"]) > WINDOWS_MAX:
        return "too many windows"
    ran = place.levada("run", "--quiet")
    require(ran.returncode in OF_ROWS, "accepted, and does not run", ran)
    if ran.returncode == 0:
        again = place.levada("plan", "--json")
        require(again.returncode in (0, 2), "plan after the run", again)
    return "ran" if ran.returncode == 0 else "failed by its rows"


def try_file(root, shop, number, data):
    place = Place(root, shop, number, data)
    try:
        checked = place.levada("check")
        if checked.returncode != 0:
            require_refusal(checked)
            return "refused"
        return "not run" if leads_out(data) else require_that_it_runs(place)
    finally:
        place.close()


def made(seed):
    chance = random.Random(seed)
    return mutated(chance, GOOD[chance.choice(sorted(GOOD))])


def failure_of(root, shop, seed):
    """(how it ended, None), or (None, what is wrong with the file that `seed` makes, and how to repeat it)."""
    data = made(seed)
    try:
        return try_file(root, shop, seed, data), None
    except (AssertionError, subprocess.TimeoutExpired, ValueError, KeyError) as error:
        return None, (f"LEVADA_TEST_SEED={seed}: {error!s}\n--- the file\n{data.decode(errors='backslashreplace')}")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_file_runs(module_scratch, shop, name):
    assert try_file(module_scratch, shop, name.replace(" ", "_"), GOOD[name].encode()) == "ran"


def test_spoilt_files_are_refused_or_run(module_scratch, shop):
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        results = list(pool.map(lambda seed: failure_of(module_scratch, shop, seed), SEEDS))
    failures = [failure for _, failure in results if failure]
    assert not failures, f"{len(failures)} of {len(SEEDS)}\n\n" + "\n\n".join(failures[:10])
    if not ONLY:
        ends = [end for end, _ in results]
        assert ends.count("refused") > COUNT // 4 and ends.count("ran") > COUNT // 50, {e: ends.count(e) for e in set(ends)}


@pytest.fixture(scope="module")
def schema():
    return json.loads(subprocess.run([BINARY, "schema"], capture_output=True, check=True).stdout)


def failure_of_valid(root, shop, schema, consumer, dsn, seed):
    """What is wrong with the good file that `seed` makes, or nothing."""
    text, maker = valid(random.Random(seed), schema, consumer)
    place = Place(root, shop, f"valid{seed}", text.encode())
    place.environment["DSN"] = dsn
    try:
        for command in ("check", "plan"):
            asked = place.levada(command)
            require(asked.returncode in (0, 2), command, asked)
        ran = place.levada("run", "--json")
        require(ran.returncode == 0, "run", ran)
        lake = json.loads(text)["loaders"][0]["parquet"]["path"]
        verified = subprocess.run([BINARY, "verify", lake], cwd=place.directory, env=place.environment, capture_output=True,
                                  timeout=60)
        require(verified.returncode == 0, "verify", verified)
        if not maker.drops_rows and "every" not in text:
            rows = sum(read_table_rows(place.directory / lake))
            assert rows == 300, f"{rows} rows of 300"
        return None
    except (AssertionError, subprocess.TimeoutExpired, ValueError) as error:
        return f"LEVADA_TEST_SEED={seed}: {error!s}\n--- the file\n{text}"
    finally:
        place.close()


def read_table_rows(lake):
    return [pq.ParquetFile(lake / name).metadata.num_rows for name in data_files(lake)]


def require_that_good_files_run(*of_all):
    seeds = [int(ONLY)] if ONLY else range(SEED, SEED + VALID_COUNT)
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        failures = [failure for failure in pool.map(lambda seed: failure_of_valid(*of_all, seed), seeds) if failure]
    assert not failures, f"{len(failures)} of {len(seeds)}\n\n" + "\n\n".join(failures[:10])


def test_good_files_of_sqlite_run_and_verify(module_scratch, shop, schema):
    require_that_good_files_run(module_scratch, shop, schema, sqlite_consumer, "")


def test_good_files_of_postgres_run_and_verify(module_scratch, shop, schema, server):
    server.execute("CREATE DATABASE made")
    server.execute(SHOP_OF_POSTGRES, "made")
    require_that_good_files_run(module_scratch, shop, schema, postgres_consumer, server.url("made"))
