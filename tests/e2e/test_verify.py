"""`levada verify`: a dataset is read again and compared with its records."""

import json
import shutil

import pytest

from conftest import Levada, data_files

PIPELINE = """
name: days
run: {{ every: day, column: at, start: 2026-01-01, end: 2026-01-04 }}
consumer: {{ postgres: {{ dsn: "{url}", table: verified }} }}
transformers: [{{ cast: {{ n: {{ type: int32, on_error: quarantine }} }} }}]
loaders: [{{ parquet: {{ path: lake, layout: "day={{run.label}}" }} }}]
"""


@pytest.fixture(scope="module")
def written(server, module_scratch):
    server.execute("""create table verified (id int, n text, at date);
        insert into verified select g, case when g = 7 then 'x' else g::text end, '2026-01-01'::date + g % 3 from generate_series(1, 30) g""")
    levada = Levada(module_scratch)
    levada.write("p.yaml", PIPELINE.format(url=server.url()))
    levada("run", "p.yaml", "--quiet", expect=0)
    return levada.directory / "lake"


@pytest.fixture
def lake(written, levada):
    shutil.copytree(written, levada.directory / "lake")
    return levada.directory / "lake"


def test_a_dataset_as_it_was_written(levada, lake):
    ran = levada("verify", "lake", expect=0)
    assert ran.out.startswith("lake, of pipeline days\n")
    assert "ok: every file is what its record says" in ran.out
    said = levada("verify", "lake", "--json", expect=0).json()
    assert said["ok"] and [(run["run"], run["rows"], run["files"]) for run in said["runs"]] == [
        ("2026-01-01", 10, 1), ("2026-01-02", 9, 1), ("2026-01-03", 10, 1)]
    assert levada("verify", "lake", "--quiet", expect=0).out == ""


def damage_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_what_is_not_as_it_was_is_named(levada, lake):
    first, second, third = sorted(data_files(lake))
    damage_byte(lake / first)
    (lake / second).unlink()
    (lake / third).write_bytes((lake / third).read_bytes()[:-1])
    (lake / "day=2026-01-01/copy.parquet").write_bytes(b"x")
    (lake / "_notes").write_text("passed over")
    rejects = next((lake / "_levada").rglob("*.rejects.jsonl"))
    damage_byte(rejects)
    said = levada("verify", "lake", "--json", expect=31).json()
    found = {problem["path"]: problem["problem"] for problem in said["problems"]}
    assert set(found) == {first, second, third, "day=2026-01-01/copy.parquet", str(rejects.relative_to(lake))}
    assert found[first].startswith("expected sha256 ")
    assert found[second] == "it is not there"
    assert found[third].endswith(f"got {(lake / third).stat().st_size}")
    assert found["day=2026-01-01/copy.parquet"] == "no record names it, and readers see it"
    text = levada("verify", "lake", expect=31).out
    assert "5 problems" in text and "levada run FILE --window 2026-01-01 --replace" in text


def test_a_record_that_is_damaged_is_a_problem_and_not_the_end(levada, lake):
    (lake / "_levada/2026-01-02.json").write_text("{")
    said = levada("verify", "lake", "--json", expect=31).json()
    assert [problem["path"] for problem in said["problems"]] == ["_levada/2026-01-02.json"]
    assert [run["run"] for run in said["runs"]] == ["2026-01-01", "2026-01-03"]


def test_a_run_that_is_not_finished(server, levada, lake):
    levada.write("p.yaml", PIPELINE.format(url=server.url()))
    for failpoint in ("load.before_sync", "finish.before_manifest"):
        levada("run", "p.yaml", "--window", "2026-01-02", "--replace", "--quiet", expect=-9, any_signal=True,
               env={"LEVADA_FAILPOINTS": f"{failpoint}=kill@1"})
        assert levada("verify", "lake", "--json").json()["problems"] == [], failpoint
        levada("run", "p.yaml", "--quiet", expect=0)
        assert levada("verify", "lake", "--json", expect=0).json()["ok"]


def test_a_file_is_no_dataset(levada, lake):
    levada.write("p.yaml", "name: p\n")
    assert "is a file, expected a dataset" in levada("verify", "p.yaml", expect=10).err


def test_what_is_no_dataset(levada, lake):
    (levada.directory / "other").mkdir()
    ran = levada("verify", "other", expect=40)
    assert "LV4003" in ran.err and "is no dataset of levada" in ran.err
    assert "LV4003" in levada("verify", "missing", expect=40).err
    assert "write levada verify DIR" in levada("verify", expect=10).err
    owner = json.loads((lake / "_levada/_owner").read_text())
    assert owner["pipeline"] == "days"
    documents = levada("verify", "lake", "lake", "--json", expect=0).out.splitlines()
    assert len(documents) == 2
