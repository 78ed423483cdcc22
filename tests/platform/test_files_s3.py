"""Files in a bucket as a source: pipelines that read s3:// and write to a directory, and to a bucket."""

import os
import subprocess

import pyarrow
import pyarrow.csv
import pyarrow.parquet
import pytest

from conftest import BINARY, scratch_root

PIPELINE = """
name: taken
consumer:
  files: {{ path: "{path}" }}
loaders:
  - parquet: {{ path: "{target}" }}
"""


class Reader:
    def __init__(self, s3, bucket, directory):
        self.s3, self.bucket, self.directory = s3, bucket, directory

    def url(self, path):
        return f"s3://{self.bucket}/{path}?endpoint_override={self.s3.address}&scheme=http&region={self.s3.region}"

    def put(self, key, body):
        self.s3.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def run(self, path, *arguments, target="lake", env=None, expect=0):
        (self.directory / "p.yaml").write_text(PIPELINE.format(path=self.url(path), target=target))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment = {**kept, "AWS_ACCESS_KEY_ID": self.s3.access_key, "AWS_SECRET_ACCESS_KEY": self.s3.secret_key,
                       "AWS_EC2_METADATA_DISABLED": "true", **(env or {})}
        ran = subprocess.run([BINARY, "run", "p.yaml", "--quiet", *arguments], cwd=self.directory, env=environment, timeout=120,
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert ran.returncode == expect, ran
        return ran

    def rows(self, target="lake"):
        return pyarrow.parquet.read_table(self.directory / target).sort_by("id")


@pytest.fixture
def reader(s3, bucket):
    directory = scratch_root()
    yield Reader(s3, bucket, directory)
    subprocess.run(["rm", "-rf", str(directory)], check=True)


def parquet(*ids):
    out = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(pyarrow.table({"id": pyarrow.array(ids, pyarrow.int64()), "text": [f"row {i}" for i in ids]}), out)
    return out.getvalue().to_pybytes()


def test_parquet_files_by_a_pattern(reader):
    reader.put("in/a.parquet", parquet(1, 2))
    reader.put("in/b.parquet", parquet(3))
    reader.put("in/c.txt", b"not meant")
    reader.put("in/deep/d.parquet", parquet(4))
    reader.run("in/?.parquet")
    assert reader.rows()["id"].to_pylist() == [1, 2, 3]
    reader.run("in/**/*.parquet", target="all")
    assert reader.rows("all")["id"].to_pylist() == [1, 2, 3, 4]


def test_csv_in_directories_of_hive(reader):
    reader.put("in/day=2026-01-01/x.csv", b"id,name\n1,Ana\n2,\n")
    reader.put("in/day=2026-01-02/x.csv", b"id,name\n3,\"\"\n")
    reader.run("in")
    table = reader.rows()
    assert table["name"].to_pylist() == ["Ana", None, ""]
    assert [str(day) for day in table["day"].to_pylist()] == ["2026-01-01", "2026-01-01", "2026-01-02"]


def test_from_a_bucket_to_a_bucket(reader):
    reader.put("in/a.parquet", parquet(*range(1000)))
    reader.run("in/*.parquet", target=reader.url("out"))
    keys = [entry["Key"] for entry in reader.s3.client.list_objects_v2(Bucket=reader.bucket, Prefix="out/part")["Contents"]]
    body = reader.s3.client.get_object(Bucket=reader.bucket, Key=keys[0])["Body"].read()
    assert pyarrow.parquet.read_table(pyarrow.BufferReader(body))["id"].to_pylist() == list(range(1000))


def test_a_file_that_is_another_one_now(reader):
    reader.put("in/a.parquet", parquet(1, 2))
    killed = reader.run("in/*.parquet", env={"LEVADA_FAILPOINTS": "split.recorded=kill"}, expect=-9)
    assert killed
    reader.put("in/a.parquet", parquet(1, 2, 3, 4, 5))
    ran = reader.run("in/*.parquet", expect=21)
    assert "LV2109" in ran.stderr and "in/a.parquet" in ran.stderr
    assert "give up what was begun" in ran.stderr
    reader.run("in/?.parquet", "--replace")
    assert reader.rows().num_rows == 5


def test_what_cannot_be_read(reader):
    reader.put("in/a.parquet", parquet(1))
    ran = reader.run("in/*.parquet", env={"AWS_SECRET_ACCESS_KEY": "wrong"}, expect=11)
    assert "LV1101" in ran.stderr and "AWS_SECRET_ACCESS_KEY" in ran.stderr
    ran = reader.run("nothing/*.parquet", expect=21)
    assert "LV2101" in ran.stderr
    reader.put("in/a.parquet", b"PAR1 and no more")
    ran = reader.run("in/a.parquet", target="other", expect=21)
    assert "LV2108" in ran.stderr
    reader.bucket = "no-such-bucket-here"
    ran = reader.run("in/*.parquet", target="third", expect=21)
    assert "LV2101" in ran.stderr, ran.stderr
