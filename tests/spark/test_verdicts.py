"""Real Sparks say of every pair of schemas what src/readers/testdata/spark_verdicts.json has them say. For ./test --all.

LEVADA_SPARK_3 and LEVADA_SPARK_4 name Python interpreters that have pyspark of those versions; without them build/spark-3 and
build/spark of deps/spark/install are taken. LEVADA_UPDATE=1 writes the file instead.
"""
import json
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))
import parquet_text  # noqa: E402
import schemas  # noqa: E402
import verdicts  # noqa: E402

SOURCE = HERE.parents[1]


@pytest.mark.skipif(os.environ.get("LEVADA_TEST_SIZE") != "all", reason="only in ./test --all")
def test_both_sparks_say_the_same(tmp_path):
    pythons = {"3": os.environ.get("LEVADA_SPARK_3"), "4": os.environ.get("LEVADA_SPARK_4")}
    if not all(pythons.values()):
        subprocess.run([str(SOURCE / "deps" / "spark" / "install"), "3"], check=True, timeout=1500, stdin=subprocess.DEVNULL)
        subprocess.run([str(SOURCE / "deps" / "spark" / "install")], check=True, timeout=1500, stdin=subprocess.DEVNULL)
        pythons = {"3": pythons["3"] or str(SOURCE / "build/spark-3/bin/python3"), "4": pythons["4"] or str(SOURCE / "build/spark/bin/python3")}
    told = verdicts.ask(tmp_path, pythons)
    if os.environ.get("LEVADA_UPDATE"):
        verdicts.save(told)
    assert told == json.loads(verdicts.GOLDEN.read_text())


def test_there_are_enough_pairs_and_each_file_is_there_once():
    golden = json.loads(verdicts.GOLDEN.read_text())
    assert len(golden["pairs"]) >= 2000 and set(golden["spark"]) == {"3", "4"}
    files, pairs = schemas.plan()
    assert [pair[:2] for pair in golden["pairs"]] == [list(pair) for pair in pairs]
    for known, planned in zip(golden["files"], files, strict=True):
        assert "schema" not in planned or known["schema"] == planned["schema"]


def test_a_schema_survives_text_and_file(tmp_path):
    for entry in schemas.plan()[0]:
        if "schema" in entry:
            parquet_text.write_file(tmp_path / "one.parquet", entry["schema"], entry.get("row_metadata"))
            assert parquet_text.schema_of_file(tmp_path / "one.parquet")[0] == entry["schema"]
