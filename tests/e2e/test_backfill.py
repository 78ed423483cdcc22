"""`levada backfill`: the windows of a stretch of time."""

import pytest

from conftest import data_files

PIPELINE = """
name: days
run: {{ every: day, column: at, start: 2026-01-01, end: 2026-01-11, lookback: 2 }}
consumer: {{ postgres: {{ dsn: "{url}", table: stretch }} }}
loaders: [{{ parquet: {{ path: lake, layout: "day={{run.label}}" }} }}]
"""


@pytest.fixture(autouse=True)
def pipeline(server, levada):
    server.execute("create table if not exists stretch as select g id, '2026-01-01'::date + g % 10 as at from generate_series(1, 100) g")
    levada.write("p.yaml", PIPELINE.format(url=server.url()))


def days(levada):
    return sorted(name.split("/")[0][-2:] for name in data_files(levada.directory / "lake"))


def test_from_one_window_to_another(levada):
    report = levada("backfill", "p.yaml", "--from", "2026-01-03", "--to", "2026-01-05", "--parallel", "3", "--json", expect=0).json()
    assert [run["window"] for run in report["runs"]] == ["2026-01-03", "2026-01-04", "2026-01-05"]
    assert days(levada) == ["03", "04", "05"]
    again = levada("backfill", "p.yaml", "--from", "2026-01-03", "--to", "2026-01-05", expect=0)
    assert "nothing left to do" in again.out, "lookback is a matter of run"
    levada("backfill", "p.yaml", "--from", "2026-01-09", "--quiet", expect=0)
    assert days(levada) == ["03", "04", "05", "09", "10"]
    before = data_files(levada.directory / "lake")
    levada("backfill", "p.yaml", "--from", "2026-01-04", "--to", "2026-01-04", "--replace", "--quiet", expect=0)
    changed = set(before) ^ set(data_files(levada.directory / "lake"))
    assert {name.split("/")[0] for name in changed} == {"day=2026-01-04"}
    levada("run", "p.yaml", "--quiet", expect=0)
    assert len(days(levada)) == 10


def test_an_interrupted_one_goes_on(levada):
    stretch = ("backfill", "p.yaml", "--from", "2026-01-02", "--to", "2026-01-04", "--quiet")
    levada(*stretch, expect=-9, any_signal=True, env={"LEVADA_FAILPOINTS": "finish.before_manifest=kill@2"})
    levada(*stretch, expect=0)
    assert days(levada) == ["02", "03", "04"]


MISTAKES = [
    ((), "LV1017", "backfill needs the first window"),
    (("--from", "2025-12-31"), "LV1010", "2025-12-31"),
    (("--from", "2026-01-01", "--to", "January"), "LV1010", "January"),
    (("--from", "2026-01-01", "--parallel", "0"), "LV1017", "from 1 to 64"),
    (("--from", "2026-01-01", "--window", "2026-01-02"), "LV1017", "unknown option"),
]


@pytest.mark.parametrize("arguments, code, words", MISTAKES)
def test_mistakes(levada, arguments, code, words):
    ran = levada("backfill", "p.yaml", *arguments, expect=10)
    assert code in ran.err and words in ran.err


def test_a_whole_table_has_no_stretch(server, levada):
    levada.write("p.yaml", f"""
name: whole
consumer: {{ postgres: {{ dsn: "{server.url()}", table: stretch }} }}
loaders: [{{ parquet: {{ path: lake }} }}]
""")
    assert "has no windows, got --from" in levada("backfill", "p.yaml", "--from", "2026-01-01", expect=10).err
