"""Spark against the listener through Hadoop's own S3 file system. For ./test --all: it brings half a gigabyte of Spark."""

import json
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(os.environ["LEVADA_SOURCE"])
SPARK = SOURCE / "build" / "spark"

pytestmark = pytest.mark.skipif(os.environ.get("LEVADA_TEST_SIZE") != "all", reason="only in ./test --all")

PROGRAM = '''
import json, os, pathlib, sys
from pyspark.sql import SparkSession

bucket, committer, scratch = sys.argv[1:]
settings = {
    "spark.jars": ",".join(map(str, pathlib.Path(os.environ["SPARK_JARS"]).glob("*.jar"))), "spark.ui.enabled": "false",
    "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.local.dir": scratch,
    "spark.sql.warehouse.dir": scratch, "spark.sql.shuffle.partitions": "4",
    "spark.hadoop.fs.s3a.endpoint": os.environ["S3_ENDPOINT"], "spark.hadoop.fs.s3a.endpoint.region": os.environ["AWS_DEFAULT_REGION"],
    "spark.hadoop.fs.s3a.path.style.access": "true", "spark.hadoop.fs.s3a.access.key": os.environ["AWS_ACCESS_KEY_ID"],
    "spark.hadoop.fs.s3a.secret.key": os.environ["AWS_SECRET_ACCESS_KEY"], "spark.hadoop.fs.s3a.buffer.dir": scratch,
    "spark.hadoop.fs.s3a.multipart.size": "8M", "spark.hadoop.fs.s3a.attempts.maximum": "1",
    "spark.hadoop.fs.s3a.committer.name": committer,
    "spark.hadoop.mapreduce.outputcommitter.factory.scheme.s3a": "org.apache.hadoop.fs.s3a.commit.S3ACommitterFactory",
}
builder = SparkSession.builder.master("local[2]")
for name, value in settings.items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
at = f"s3a://{bucket}/{committer}"
rows = spark.range(0, 100_000, 1, 4).selectExpr("id", "concat('day ', id % 3) as day", "concat('text ', id) as text")
rows.write.partitionBy("day").parquet(at)
told = {}
read = spark.read.parquet(at)
told["count"], told["sum"] = read.count(), read.selectExpr("sum(id)").collect()[0][0]
told["days"] = {row["day"]: row["count"] for row in read.groupBy("day").count().collect()}
told["one"] = [row["text"] for row in read.where("day = 'day 1' and id = 31").collect()]
spark.range(10).selectExpr("id", "'day 1' as day", "'new' as text").write.mode("append").partitionBy("day").parquet(at)
told["appended"] = spark.read.parquet(at).count()
spark.range(5).write.mode("overwrite").parquet(at)
told["overwritten"] = spark.read.parquet(at).count()
spark.range(20).selectExpr("id", "repeat(uuid(), 30000) as text").coalesce(1).write.option("compression", "none").parquet(at + "-big")
told["big"] = spark.read.parquet(at + "-big").selectExpr("sum(length(text))").collect()[0][0]
path = spark._jvm.org.apache.hadoop.fs.Path
files = path(at).getFileSystem(spark._jsc.hadoopConfiguration())
files.rename(path(at + "-big"), path(at + "-renamed"))
told["renamed"] = [files.exists(path(at + suffix)) for suffix in ("-big", "-renamed")]
told["deleted"] = files.delete(path(at + "-renamed"), True)
print("told", json.dumps(told))
'''


@pytest.fixture(scope="module")
def spark():
    subprocess.run([str(SOURCE / "deps" / "spark" / "install")], check=True, timeout=1500, stdin=subprocess.DEVNULL)

    def run(s3, bucket, committer, scratch):
        environment = s3.environment(HOME=str(scratch), S3_ENDPOINT=s3.endpoint, SPARK_JARS=str(SPARK / "jars"), SPARK_LOCAL_IP="127.0.0.1")
        done = subprocess.run([str(SPARK / "bin" / "python3"), "-c", PROGRAM, bucket, committer, str(scratch)], cwd=scratch,
                              env=environment, capture_output=True, text=True, timeout=600, stdin=subprocess.DEVNULL)
        told = [line for line in done.stdout.splitlines() if line.startswith("told ")]
        assert done.returncode == 0 and told, f"exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
        return json.loads(told[0].removeprefix("told "))

    return run


# "file" writes below _temporary and renames, which in S3 is copy and delete; "magic" keeps uploads open until the job commits.
@pytest.mark.parametrize("committer", ["file", "magic"])
def test_spark_writes_and_reads_partitions(spark, s3, bucket, tmp_path, committer):
    told = spark(s3, bucket, committer, tmp_path)
    assert told == {
        "count": 100_000, "sum": 100_000 * 99_999 // 2, "days": {"day 0": 33_334, "day 1": 33_333, "day 2": 33_333},
        "one": ["text 31"], "appended": 100_010, "overwritten": 5, "big": 20 * 36 * 30_000, "renamed": [False, True], "deleted": True,
    }
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=bucket)
    assert not [o["Key"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"] if "_temporary" in o["Key"] or "__magic" in o["Key"]]
