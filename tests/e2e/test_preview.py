"""`levada preview`: the first rows behind each stage, and nothing written."""

import pytest

PIPELINE = """
name: people
{more}
consumer: {{ postgres: {{ dsn: "{url}", table: people }} }}
transformers:
  - filter: id != 2
  - rename: {{ id: person }}
  - cast: {{ age: {{ type: int16, on_error: quarantine }} }}
loaders: [{{ parquet: {{ path: lake }} }}]
"""


@pytest.fixture(scope="module")
def people(server):
    server.execute("""create table people (id bigint, name text, age text, born date);
        insert into people values (1, 'Ann', '34', '2026-01-01'), (2, '', '1', '2026-01-02'), (3, null, 'old', '2026-01-02'),
                                  (4, 'Zoë', null, '2026-01-03')""")


def test_rows_behind_each_stage(server, levada, people):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), more=""))
    ran = levada("preview", "p.yaml", expect=0)
    assert ran.out == """\
people
read: 4 rows
  column  type   row 1       row 2       row 3       row 4
  id      int64  1           2           3           4
  name    text   Ann         ""          NULL        Zoë
  age     text   34          1           old         NULL
  born    date   2026-01-01  2026-01-02  2026-01-02  2026-01-03
filter: 3 rows, 1 left out
  column  type   row 1       row 2       row 3
  id      int64  1           3           4
  name    text   Ann         NULL        Zoë
  age     text   34          old         NULL
  born    date   2026-01-01  2026-01-02  2026-01-03
rename: 3 rows, without id
  column  type   row 1  row 2  row 3
  person  int64  1      3      4
cast: 2 rows, 1 kept aside
  column  type   row 1       row 2
  person  int64  1           4
  name    text   Ann         Zoë
  age     int16  34          NULL
  born    date   2026-01-01  2026-01-03
kept aside by cast: age: not int16: not an integer
  {"person": 3, "name": null, "age": "old", "born": "2026-01-02"}
"""
    assert sorted(path.name for path in levada.directory.iterdir()) == ["p.yaml"], "neither data nor ledger"


def test_as_many_rows_as_asked_for(server, levada, people):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), more=""))
    said = levada("preview", "p.yaml", "--rows", "1", "--json", expect=0).json()
    assert [stage["stage"] for stage in said["stages"]] == ["read", "filter", "rename", "cast"]
    assert said["stages"][0]["rows"] == [{"id": 1, "name": "Ann", "age": "34", "born": "2026-01-01"}]
    assert said["stages"][3]["columns"][2] == {"name": "age", "type": "int16", "nullable": True}
    assert "filter: 1 rows, as before" in levada("preview", "p.yaml", "--rows", "1", expect=0).out
    for wrong in ("0", "x", "1001"):
        assert "from 1 to 1000" in levada("preview", "p.yaml", "--rows", wrong, expect=10).err


def test_of_a_window(server, levada, people):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), more="run: { every: day, column: born, start: 2026-01-01, end: 2026-01-04 }"))
    last = levada("preview", "p.yaml", "--json", expect=0).json()
    assert last["window"] == "2026-01-03" and [row["id"] for row in last["stages"][0]["rows"]] == [4]
    ran = levada("preview", "p.yaml", "--window", "2026-01-02", expect=0)
    assert ran.out.startswith("people, window 2026-01-02\nread: 2 rows\n")
    assert "LV1010" in levada("preview", "p.yaml", "--window", "2027-01-02", expect=10).err
    levada.write("p.yaml", PIPELINE.format(url=server.url(), more=""))
    assert "has no windows" in levada("preview", "p.yaml", "--window", "2026-01-02", expect=10).err


def test_rows_without_a_time_belong_where_the_file_says(server, levada):
    server.execute("create table if not exists undated as select g id, case when g > 2 then '2026-01-02'::date end born from generate_series(1, 4) g")

    def write(null):
        levada.write("p.yaml", f"""
name: undated
run: {{ every: day, column: born, start: 2026-01-01, end: 2026-01-04, null: {null} }}
consumer: {{ postgres: {{ dsn: "{server.url()}", table: undated }} }}
loaders: [{{ parquet: {{ path: lake }} }}]
""")

    write("2026-01-01")
    for window, ids in (("2026-01-01", [1, 2]), ("2026-01-02", [3, 4])):
        said = levada("preview", "p.yaml", "--window", window, "--json", expect=0).json()
        assert [row["id"] for row in said["stages"][0]["rows"]] == ids
    write("error")
    assert "LV3106" in levada("preview", "p.yaml", "--window", "2026-01-02", expect=31).err


def test_a_stage_that_fails_is_shown_with_what_was_before_it(server, levada, people):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), more="").replace(", on_error: quarantine", ""))
    ran = levada("preview", "p.yaml", expect=31)
    assert "rename: 3 rows" in ran.out and "LV3105" in ran.err


def test_a_url_will_do(server, levada, people):
    ran = levada("preview", server.url() + "?table=people", "./lake", expect=0)
    assert "read: 4 rows" in ran.out
    assert not list(levada.directory.iterdir())


def test_of_a_large_table_only_some_rows_are_read(server, levada):
    server.execute("create table if not exists large as select g id from generate_series(1, 3000000) g")
    levada.write("p.yaml", f"""
name: large
consumer: {{ postgres: {{ dsn: "{server.url()}", table: large, connections: auto }} }}
transformers: [{{ dedupe: {{ key: [id] }} }}]
loaders: [{{ parquet: {{ path: lake }} }}]
""")
    assert "dedupe: 5 rows, as before" in levada("preview", "p.yaml", expect=0, timeout=20).out
