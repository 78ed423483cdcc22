"""`levada check --against`: does what would be written merge with what is there?"""

import json
import pathlib
import sys

import pyarrow as pa
import pyarrow.parquet as pq

SOURCE = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(SOURCE / "tests" / "spark"))
import parquet_text  # noqa: E402

GENERATED = """
name: made
run: once
consumer: { generate: { table: lineitem, rows: 10 } }
loaders:
  - parquet: { path: lake }
"""


def columns(said):
    return {column["column"]: column for column in said["columns"]}


def test_a_pipeline_merges_with_its_own_dataset(levada):
    (levada.directory / "made.yaml").write_text(GENERATED)
    levada("run", "made.yaml", expect=0)
    said = levada("check", "made.yaml", "--against", "lake", "--json", expect=0).json()
    assert said["mergeable"] and said["readable"] and said["reader"] == "spark-3" and said["error"] is None
    assert all(column["there"] == column["new"] for column in said["columns"]) and len(said["columns"]) == 16
    assert "merges" in levada("check", "made.yaml", "--against", "lake", expect=0).out


def test_a_column_of_another_type_is_named_with_the_cast(levada):
    (levada.directory / "made.yaml").write_text(GENERATED)
    levada("run", "made.yaml", expect=0)
    first, = [path for path in (levada.directory / "lake").glob("*.parquet")][:1]
    table = pq.read_table(first)
    name = next(field.name for field in table.schema if field.type == pa.int32() or field.type == pa.int64())
    was = table.schema.field(name).type
    other = pa.int64() if was == pa.int32() else pa.int32()
    table = table.set_column(table.schema.get_field_index(name), name, table[name].cast(other))
    pq.write_table(table, levada.directory / "old.parquet")
    refused = levada("check", "made.yaml", "--against", "old.parquet", expect=30)
    assert "LV3002" in refused.err and f"cast: {{ {name}: {other} }}" in refused.err
    said = levada("check", "made.yaml", "--against", "old.parquet", "--json", expect=30).json()
    assert not said["mergeable"] and columns(said)[name]["fix"] == f"cast: {{ {name}: {other} }}"
    fixed = GENERATED.replace("loaders:", f"transformers:\n  - cast: {{ {name}: {other} }}\nloaders:")
    (levada.directory / "made.yaml").write_text(fixed)
    levada("check", "made.yaml", "--against", "old.parquet", expect=0)


def test_two_files_are_compared_for_the_reader_that_is_named(levada):
    pq.write_table(pa.table({"a": pa.array([1], pa.int64())}), levada.directory / "old.parquet")
    pq.write_table(pa.table({"a": pa.array([1], pa.int32())}), levada.directory / "new.parquet")
    three = levada("check", "--against", "old.parquet", "new.parquet", "--json", expect=30).json()
    four = levada("check", "--against", "old.parquet", "new.parquet", "--reader", "spark-4", "--json", expect=30).json()
    assert not three["readable"] and four["readable"] and not four["mergeable"]
    levada("check", "--against", "old.parquet", "new.parquet", "--reader", "iceberg-ready", expect=0)
    assert "spark-4" in levada("check", "--against", "old.parquet", "new.parquet", "--reader", "sparkle", expect=10).err
    levada("check", "--reader", "spark-3", "new.parquet", expect=10)


def test_what_is_not_there_or_no_parquet_is_said(levada):
    (levada.directory / "made.yaml").write_text(GENERATED)
    (levada.directory / "empty").mkdir()
    (levada.directory / "text.parquet").write_text("this is no Parquet file")
    assert "LV4006" in levada("check", "made.yaml", "--against", "nowhere.parquet", expect=40).err
    assert "LV4006" in levada("check", "made.yaml", "--against", "empty", expect=40).err
    assert "LV2108" in levada("check", "made.yaml", "--against", "text.parquet", expect=21).err


def test_each_file_that_spark_was_shown_is_judged_as_spark_did(levada):
    golden = json.loads((SOURCE / "src/readers/testdata/spark_verdicts.json").read_text())
    for number, entry in enumerate(golden["files"]):
        path = levada.directory / f"{number}.parquet"
        parquet_text.write_file(path, entry["schema"], entry.get("row_metadata"))
        if number % 9:
            continue
        for version in ("3", "4"):
            said = levada("check", "--against", path.name, path.name, "--reader", f"spark-{version}", "--json", expect=None)
            assert said.status in (0, 30, 21), (entry["schema"], said.err)
            if said.status != 21:  # what Arrow itself refuses to open
                read = entry[version][0] is not None and entry[version][1] == "s"
                assert said.json()["mergeable"] in (read, False), entry["schema"]
