"""A directory of pipelines: all of them, or those that are selected, in one table."""

import json

import pytest

from conftest import Levada, data_files, read_table

DEFAULTS = """
memory: 1GiB
retry: {{ attempts: 1 }}
consumer: {{ postgres: {{ dsn: "{url}" }} }}
loaders: {{ parquet: {{ codec: snappy }} }}
"""

PIPELINE = """
name: {name}
defaults: {up}defaults.yaml
tags: [{tags}]
consumer: {{ postgres: {{ table: {table} }} }}
loaders: [{{ parquet: {{ path: lake/{name} }} }}]
"""


@pytest.fixture
def folder(server, levada):
    server.execute("drop table if exists folder_a, folder_b; create table folder_a as select g id from generate_series(1, 10) g; "
                   "create table folder_b as select g id, 'x' as t from generate_series(1, 20) g")
    levada.write("pipelines/defaults.yaml", DEFAULTS.format(url=server.url()))
    levada.write("pipelines/a.yaml", PIPELINE.format(name="a", up="", tags="hourly, small", table="folder_a"))
    levada.write("pipelines/deep/b.yml", PIPELINE.format(name="b", up="../", tags="hourly", table="folder_b"))
    levada.write("pipelines/deep/again.yaml", PIPELINE.format(name="a_again", up="../", tags="", table="folder_a"))
    levada.write("pipelines/a.test.yaml", "pipeline: a.yaml\n")
    levada.write("pipelines/_old/c.yaml", "not: a pipeline\n")
    levada.write("pipelines/notes.txt", "nothing")
    return levada


def states(text):
    return {line.split()[0]: line.split()[1] for line in text.splitlines() if line.startswith(("a ", "b ", "a_again "))}


def test_all_of_it(folder):
    assert folder("check", "pipelines", expect=0).out == "3 pipelines: ok\n"
    planned = folder("plan", "pipelines", expect=2)
    assert "3 pipelines: 3 to do" in planned.out and "of about" in planned.out
    ran = folder("run", "pipelines", expect=0)
    assert states(ran.out) == {"a": "published", "b": "published", "a_again": "published"}, ran
    assert "3 pipelines: 3 published" in ran.out
    assert read_table(folder.directory / "lake/b").num_rows == 20
    assert "3 pipelines: 3 published" in folder("status", "pipelines", expect=0).out
    assert (folder.directory / "pipelines/deep/.levada/ledger.db").exists(), "beside each file, as of a single run"


def test_json_is_a_line_for_each_and_one_for_all(folder):
    lines = [json.loads(line) for line in folder("run", "pipelines", "--json", expect=0).out.splitlines()]
    assert [line.get("pipeline") for line in lines] == ["a", "a_again", "b", None]
    assert lines[-1]["levada_pipelines"] == 1
    assert [(p["pipeline"], p["state"], p["rows"]) for p in lines[-1]["pipelines"]] == [
        ("a", "published", 10), ("a_again", "published", 10), ("b", "published", 20)]
    checked = [json.loads(line) for line in folder("check", "pipelines", "--json", expect=0).out.splitlines()]
    assert len(checked) == 3 and all(c["ok"] for c in checked)


SELECTIONS = [
    (("--name", "a*"), {"a", "a_again"}),
    (("--name", "a", "--name", "b"), {"a", "b"}),
    (("--tag", "hourly"), {"a", "b"}),
    (("--tag", "small", "--tag", "hourly", "--name", "?"), {"a", "b"}),
    (("--tag", "small"), {"a"}),
]


@pytest.mark.parametrize("arguments, expected", SELECTIONS)
def test_selection(folder, arguments, expected):
    assert set(states(folder("run", "pipelines", *arguments, expect=0).out)) == expected
    assert {path.name for path in (folder.directory / "lake").iterdir()} == expected


def test_selection_by_what_the_ledger_says(folder, server):
    folder("run", "pipelines", "--name", "a", "--quiet", expect=0)
    server.execute("alter table folder_b rename to folder_gone")
    ran = folder("run", "pipelines", "--having", "pending", expect=21)
    assert set(states(ran.out)) == {"a_again", "b"} and states(ran.out)["b"] == "failed", ran
    assert "LV2102" in ran.err or "LV21" in ran.err
    server.execute("alter table folder_gone rename to folder_b")
    assert set(states(folder("status", "pipelines", "--having", "pending", expect=0).out)) == {"b"}
    folder("run", "pipelines", "--having", "pending", "--quiet", expect=0)
    # That nothing failed is an answer, a tag that nothing has is a slip.
    assert folder("retry", "pipelines", "--having", "failed", expect=0).out == "0 pipelines\n"
    for verb in ("check", "run", "plan", "status"):
        assert "no pipeline is what --name and --tag select" in folder(verb, "pipelines", "--tag", "hourli", expect=10).err
    assert "LV1017" in folder("run", "pipelines", "--having", "broken", expect=10).err


def test_a_file_that_is_wrong_stops_none_of_the_others(folder):
    folder.write("pipelines/wrong.yaml", "name: wrong\n")
    ran = folder("run", "pipelines", expect=10)
    assert len(states(ran.out)) == 3 and "wrong.yaml" in ran.err
    assert len(data_files(folder.directory / "lake")) == 3
    checked = folder("check", "pipelines", expect=10)
    assert checked.out == "4 pipelines: 3 ok, 1 wrong\n" and checked.err.count("wrong.yaml") >= 1
    named = folder("run", "pipelines/wrong.yaml", "pipelines/a.yaml", "--replace", expect=10)
    assert named.out == "", "what was named is done as it is said, or not at all"


def test_a_failure_of_one_is_told_with_the_others(folder, server):
    server.execute("drop table folder_b")
    ran = folder("run", "pipelines", expect=21)
    assert states(ran.out) == {"a": "published", "a_again": "published", "b": "failed"}
    assert "3 pipelines: 2 published, 1 failed" in ran.out and "pipeline: b" in ran.err


def test_two_of_one_name_or_place(folder):
    folder.write("pipelines/z.yaml", PIPELINE.format(name="a", up="", tags="", table="folder_b"))
    assert "two pipelines have the name \"a\"" in folder("check", "pipelines", expect=10).err
    folder.write("pipelines/z.yaml", PIPELINE.format(name="z", up="", tags="", table="folder_b").replace("lake/z", "./lake//a/"))
    assert "two pipelines write to parquet lake/a" in folder("check", "pipelines", expect=10).err


def test_defaults_that_are_wrong_are_told_where_they_stand(folder):
    folder.write("pipelines/defaults.yaml", "memory: a lot\nloaders: { parquet: { codec: zip } }\n")
    ran = folder("check", "pipelines/a.yaml", expect=10)
    assert "pipelines/defaults.yaml:1:9" in ran.err and "pipelines/defaults.yaml:2:30" in ran.err
    folder.write("pipelines/defaults.yaml", "\n\nloaders:\n  parquet: { partition_by: [day, DAY] }\n")
    ran = folder("check", "pipelines/a.yaml", expect=10)
    assert "pipelines/defaults.yaml:4:14" in ran.err and "names column" in ran.err, ran
    folder.write("pipelines/defaults.yaml", "name: all\n")
    assert "is a pipeline's own and no default" in folder("check", "pipelines/a.yaml", expect=10).err
    (folder.directory / "pipelines/defaults.yaml").unlink()
    ran = folder("check", "pipelines/a.yaml", expect=10)
    assert "pipelines/a.yaml:3:11" in ran.err and "there is no file" in ran.err


def test_an_empty_directory_and_one_that_is_endless(folder):
    (folder.directory / "empty").mkdir()
    assert "there is no pipeline below" in folder("run", "empty", expect=10).err
    (folder.directory / "pipelines/loop").symlink_to(folder.directory / "pipelines")
    ran = folder("check", "pipelines", expect=10)
    assert "is there a link to a directory above it?" in ran.err


def test_two_thousand_files_in_seconds(levada):
    levada.write("many/defaults.yaml", DEFAULTS.format(url="postgres://localhost/x"))
    for i in range(2000):
        levada.write(f"many/team{i % 20}/p{i}.yaml", PIPELINE.format(name=f"p{i}", up="../", tags="x", table="public.t"))
    assert levada("check", "many", expect=0).out == "2,000 pipelines: ok\n"


def test_what_could_not_begin_is_known_in_the_morning(folder, server):
    """The source was away, or a table: nothing of it is in any run, and `status` says so all the same."""
    server.execute("alter table folder_b rename to folder_gone")
    folder("run", "pipelines", "--quiet", expect=21)
    status = folder("status", "pipelines", expect=0)
    assert states(status.out) == {"a": "published", "a_again": "published", "b": "failed"}, status
    one = folder("status", "pipelines/deep/b.yml", "--json", expect=0).json()["runs"]
    assert [(run["window"], run["state"]) for run in one] == [(None, "failed"), ("all", "pending")]
    assert one[0]["error"].startswith("LV21")
    assert "none began" in folder("status", "pipelines/deep/b.yml", expect=0).out
    server.execute("alter table folder_gone rename to folder_b")
    again = folder("retry", "pipelines", "--having", "failed", expect=0)
    assert states(again.out) == {"b": "published"}
    assert folder("retry", "pipelines", "--having", "failed", expect=0).out == "0 pipelines\n"
    assert states(folder("status", "pipelines", expect=0).out)["b"] == "published"


def test_another_directory_than_the_ledger_knows_is_said(folder):
    folder("run", "pipelines/a.yaml", "--quiet", expect=0)
    (folder.directory / "elsewhere").mkdir()
    elsewhere = Levada(folder.directory / "elsewhere")
    ran = elsewhere("run", "../pipelines/a.yaml", expect=0)
    assert "the ledger knows 1 published run of \"a\", and no target has it" in ran.err, ran
    assert "warning" not in folder("run", "pipelines/a.yaml", expect=0).err


def test_a_replacement_that_failed_leaves_what_was_published(folder, server):
    text = PIPELINE.format(name="checked", up="", tags="", table="folder_a")
    folder.write("pipelines/checked.yaml", text + "transformers: [{ validate: { columns: { id: { max: 100 } } } }]\n")
    folder("run", "pipelines/checked.yaml", "--quiet", expect=0)
    server.execute("insert into folder_a values (1000)")
    folder("run", "pipelines/checked.yaml", "--quiet", expect=31)
    run, = folder("status", "pipelines/checked.yaml", "--json", expect=0).json()["runs"]
    assert (run["state"], run["rows"], run["files"]) == ("failed", 10, 1) and run["error"]
    assert read_table(folder.directory / "lake/checked").num_rows == 10
