"""`run: { mode: incremental }`: each run appends what came since the one before, every row once, whatever else goes on."""

import json
import random
import re
import signal
import sys
import threading
import time

import pytest

from conftest import data_files, leftovers, read_table

PIPELINE = """
name: grows
run: {{ mode: incremental, column: {column}{more} }}
consumer: {{ postgres: {{ dsn: "{url}", {source}, {options} }} }}
loaders: [{{ parquet: {{ path: lake }} }}]
retry: {{ attempts: 2, backoff: 10ms }}
"""


class Grows:
    """A table of its own, and the pipeline that follows it."""

    def __init__(self, server, levada, table):
        self.server, self.levada, self.table = server, levada, table
        server.execute(f"drop table if exists {table} cascade; create table {table}(id bigserial primary key, note text, "
                       "at timestamptz not null default clock_timestamp(), local timestamp, day date)")
        self.pipeline()

    def pipeline(self, column="id", more="", source=None, options="connections: 1"):
        self.levada.write("p.yaml", PIPELINE.format(url=self.server.url(), column=column, more=more,
                                                    source=source or f"table: {self.table}", options=options))

    def add(self, count, **values):
        names = "".join(f", {name}" for name in values)
        texts = "".join(f", {value}" for value in values.values())
        self.server.execute(f"insert into {self.table}(note{names}) select 'n' || g{texts} from generate_series(1, {count}) g")

    def run(self, *arguments, expect=0, **more):
        return self.levada("run", "p.yaml", *arguments, expect=expect, **more)

    def ids(self):
        return sorted(read_table(self.levada.directory / "lake")["id"].to_pylist())

    def all_ids(self):
        return [row[0] for row in self.server.rows(f"select id from {self.table} order by id")]

    def manifest(self, label):
        return json.loads((self.levada.directory / f"lake/_levada/{label}.json").read_text())

    def increment(self, number):
        recorded = self.manifest(f"i{number:06}")["increment"]
        assert re.fullmatch("[0-9]+/[0-9A-F]+/[0-9A-F]+", recorded.pop("position")), recorded
        return recorded


@pytest.fixture
def grows(server, levada, request):
    name = "grows_" + request.node.name.split("[")[0][5:40]
    yield Grows(server, levada, name)


def test_each_run_appends_what_came(grows):
    grows.add(1000)
    ran = grows.run()
    assert "grows: 1 increment published" in ran.out and "1,000 in 1 file" in ran.out, ran
    assert grows.increment(1) == {"number": 1, "column": "id", "low": None, "high": "1000"}
    assert "nothing left to do, there are no new rows" in grows.run().out
    grows.add(10)
    before = data_files(grows.levada.directory / "lake")
    assert grows.levada("plan", "p.yaml", expect=2).out.count("id in (1000, 1010]") == 1
    grows.run()
    assert grows.increment(2) == {"number": 2, "column": "id", "low": "1000", "high": "1010"}
    after = data_files(grows.levada.directory / "lake")
    assert before.items() <= after.items() and len(after) == len(before) + 1
    assert grows.ids() == grows.all_ids()
    status = grows.levada("status", "p.yaml", "--json", expect=0).json()
    assert [(run["window"], run["rows"]) for run in status["runs"]] == [("i000001", 1000), ("i000002", 10)]
    assert grows.levada("plan", "p.yaml", expect=0).out.endswith("nothing to do\n")


def test_an_empty_table_waits(grows):
    assert "nothing to do yet, the source has no rows" in grows.run().out
    assert "the source has no rows yet" in grows.levada("plan", "p.yaml", expect=0).out
    grows.add(1)
    grows.run()
    assert grows.ids() == [1]


def test_a_begun_transaction_with_a_lower_key_is_waited_for(grows):
    with grows.server.connect() as late, grows.server.connect() as early:
        late.autocommit = False
        late.execute(f"insert into {grows.table}(note) values ('late')")
        early.execute(f"insert into {grows.table}(note) values ('early')")
        child = grows.levada.start("run", "p.yaml")
        time.sleep(1)
        assert child.poll() is None, "it waits"
        late.commit()
        assert child.wait(30) == 0
    assert grows.ids() == [1, 2]
    assert "no new rows" in grows.run().out


def test_a_stop_ends_the_wait(grows):
    grows.add(1)
    with grows.server.connect() as writer:
        writer.autocommit = False
        writer.execute(f"insert into {grows.table}(note) values ('x')")
        child = grows.levada.start("run", "p.yaml")
        time.sleep(0.5)
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.wait(30) == 130
        assert time.monotonic() - began < 2
        # What is only shown does not wait.
        assert "id <= 1" in grows.levada("plan", "p.yaml", expect=2).out
        writer.rollback()


def test_many_writers_lose_nothing(grows):
    """Keys are drawn, held for a while, and committed in another order, while the pipeline runs over and over."""
    stop = threading.Event()
    kept = []

    def write(seed):
        rng = random.Random(seed)
        with grows.server.connect() as connection:
            connection.autocommit = False
            while not stop.is_set():
                for _ in range(rng.randint(1, 20)):
                    row = connection.execute(f"insert into {grows.table}(note) values ('w') returning id").fetchone()
                    kept.append(row[0])
                    if rng.random() < 0.2:
                        time.sleep(rng.random() * 0.03)
                if rng.random() < 0.2:
                    connection.rollback()
                else:
                    connection.commit()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    runs = 0
    deadline = time.monotonic() + 12
    while time.monotonic() < deadline:
        grows.run("--quiet")
        runs += 1
    stop.set()
    for writer in writers:
        writer.join()
    grows.run("--quiet")
    assert runs >= 5 and len(kept) > 1000
    assert grows.ids() == grows.all_ids()


STEPS = ["split.before_record", "split.recorded", "publish.before_intent", "publish.file_renamed", "publish.recorded",
         "finish.before_intent", "finish.before_manifest", "finish.manifest_written", "run.before_report"]


@pytest.mark.parametrize("step", STEPS)
def test_killed_anywhere_every_row_is_there_once(grows, step):
    grows.add(500)
    grows.run("--quiet")
    grows.add(300)
    grows.run("--quiet", expect=-9, any_signal=True, env={"LEVADA_FAILPOINTS": f"{step}=kill@1"})
    grows.add(200)
    grows.run("--quiet")
    assert grows.ids() == grows.all_ids()
    assert not leftovers(grows.levada.directory / "lake")
    marks = []
    for path in sorted((grows.levada.directory / "lake/_levada").glob("i0*.json")):
        if path.name.count(".") == 1:
            marks.append(json.loads(path.read_text())["increment"])
    assert [m["low"] for m in marks] == [None] + [m["high"] for m in marks[:-1]]
    grows.levada("verify", "lake", expect=0)


def test_times_keep_their_distance(grows):
    grows.pipeline(column="at", more=", lag: 1h")
    grows.add(10, at="now() - interval '2 hours'")
    grows.add(5, at="now() - interval '10 minutes'")
    grows.add(3, at="now() + interval '1 day'")
    grows.run()
    assert grows.ids() == list(range(1, 11))
    grows.pipeline(column="at", more=", lag: 1m")
    grows.run()
    assert grows.ids() == list(range(1, 16)), "the lag is no part of the plan's identity"


def test_a_date_is_read_once_its_day_is_over(grows):
    grows.pipeline(column="day")
    grows.add(4, day="current_date - 1")
    grows.add(3, day="current_date")
    grows.run()
    assert grows.ids() == [1, 2, 3, 4]
    assert "no new rows" in grows.run().out


def test_after_leaves_out_what_is_older(grows):
    grows.pipeline(more=", after: 90")
    grows.add(100)
    grows.run()
    assert grows.ids() == list(range(91, 101))
    grows.add(1)
    grows.run()
    assert grows.ids() == list(range(91, 102))


def test_rows_without_a_place_are_refused(grows):
    grows.pipeline(column="local")
    grows.add(3, local="now() - interval '1 day'")
    grows.add(1)
    ran = grows.run(expect=31)
    assert "LV3106" in ran.err and "they belong to no increment" in ran.err and "coalesce" in ran.err
    grows.pipeline(column="mark", source=f'query: "select *, coalesce(local, at) as mark from {grows.table}"')
    ran = grows.run("--replace")
    assert len(grows.ids()) == 3, "the one of now waits for its minute"


def test_another_plan_is_refused_or_replaces_all(grows):
    grows.add(10)
    grows.run()
    grows.add(10)
    grows.run()
    grows.pipeline(options="columns: [id, note]")
    ran = grows.run(expect=10)
    assert "LV1014" in ran.err or "another plan" in ran.err
    grows.add(5)
    grows.run("--replace")
    assert read_table(grows.levada.directory / "lake").column_names == ["id", "note"]
    assert grows.ids() == grows.all_ids()
    assert [grows.manifest(f"i00000{n}")["revision"] for n in (1, 2, 3)] == [1, 1, 0]


def test_one_increment_is_written_anew(grows):
    grows.add(10)
    grows.run()
    grows.add(10)
    grows.run()
    grows.server.execute(f"delete from {grows.table} where id = 3")
    grows.run("--window", "i000001", "--replace")
    assert grows.ids() == grows.all_ids()
    ran = grows.run("--window", "i000009", expect=10)
    assert "LV1010" in ran.err and "i000002" in ran.err


def test_a_damaged_manifest_is_mended(grows):
    grows.add(10)
    grows.run()
    grows.add(10)
    grows.run()
    (grows.levada.directory / "lake/_levada/i000002.json").write_text("{")
    ran = grows.run(expect=40)
    assert "--window i000002 --replace" in ran.err
    grows.run("--window", "i000002", "--replace")
    assert grows.ids() == grows.all_ids()
    grows.add(1)
    grows.run()
    assert grows.ids() == grows.all_ids()


def test_layouts_and_columns_name_the_increment(grows):
    grows.add(2)
    text = (grows.levada.directory / "p.yaml").read_text()
    text = text.replace("path: lake", 'path: lake, layout: "run={run.label}"')
    text = text.replace("loaders:", 'transformers: [{ add: { batch: "{run.label}" } }]\nloaders:')
    (grows.levada.directory / "p.yaml").write_text(text)
    grows.run()
    assert [name.split("/")[0] for name in data_files(grows.levada.directory / "lake")] == ["run=i000001"]
    assert set(read_table(grows.levada.directory / "lake/run=i000001")["batch"].to_pylist()) == {"i000001"}
    preview = grows.levada("preview", "p.yaml", "--json", expect=0).json()
    assert preview["window"] is None and len(preview["stages"][0]["rows"]) == 2
    (grows.levada.directory / "p.yaml").write_text(text.replace("run={run.label}", "day={run.start:%F}"))
    assert "LV1011" in grows.levada("check", "p.yaml", expect=10).err


PROGRAM = """
import os, sys
import pyarrow as pa
if os.environ["LEVADA_ASK"] == "load":
    ids = pa.ipc.open_stream(sys.stdin.buffer).read_all()["id"].to_pylist()
    with open("given-" + os.environ["LEVADA_ATTEMPT"], "w") as out:
        out.write(" ".join(map(str, ids)))
"""


def test_a_program_that_loads_gets_what_came(grows):
    """Every target has to say which rows a run is of, or the next one would begin at the start again."""
    grows.levada.write("loader.py", PROGRAM)
    path = grows.levada.directory / "p.yaml"
    path.write_text(path.read_text().replace("parquet: { path: lake }",
                                             f"exec: {{ command: [{sys.executable}, loader.py], state: state, at_least_once: true }}"))
    given = []
    for count in (10, 5, 3):
        grows.add(count)
        grows.run()
        given.append(sorted(int(n) for file in grows.levada.directory.glob("given-*") for n in file.read_text().split()))
    assert given == [list(range(1, 11)), list(range(1, 16)), list(range(1, 19))]
    assert "no new rows" in grows.run().out


MISTAKES = [
    ("run: { mode: incremental }", "LV1003", "needs \"column\""),
    ("run: { mode: incremental, column: id, every: day }", "LV1009", "\"every\" has no meaning"),
    ("run: { mode: incremental, column: id, lag: soon }", "LV1005", "\"lag\""),
    ("run: { mode: incremental, column: id, after: now }", "LV1005", "\"after\""),
    ("run: { mode: incremental, column: id, timezone: Lisbon }", "LV1010", "Lisbon"),
    ("run: { every: day, column: at, start: 2026-01-01, lag: 5m }", "LV1009", "\"lag\" has no meaning with windows"),
    ("run: { mode: once, after: 5 }", "LV1009", "\"after\" has no meaning with run: once"),
]


@pytest.mark.parametrize("run, code, words", MISTAKES)
def test_mistakes(levada, run, code, words):
    levada.write("p.yaml", f"name: x\n{run}\nconsumer: {{ postgres: {{ table: t }} }}\nloaders: [{{ parquet: {{ path: lake }} }}]\n")
    ran = levada("check", "p.yaml", expect=10)
    assert code in ran.err and words in ran.err, ran


def test_a_consumer_without_marks_says_so(levada):
    levada.write("p.yaml", "name: x\nrun: { mode: incremental, column: id }\nconsumer: { sqlite: { path: a.db, table: t } }\n"
                           "loaders: [{ parquet: { path: lake } }]\n")
    ran = levada("check", "p.yaml", expect=10)
    assert "LV1009" in ran.err and "cannot say which rows are new" in ran.err


def test_backfill_is_of_windows(grows):
    ran = grows.levada("backfill", "p.yaml", "--from", "i000001", expect=10)
    assert "has no windows" in ran.err
