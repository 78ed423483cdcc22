"""Asks the Spark that runs this what it makes of the files of a plan: python3 ask.py FOLDER ANSWERS [--write]

--write has this Spark write its own files first. ANSWERS, as JSON: for each file the columns that Spark finds, or null, and how
it reads its rows under them; for each pair the merged columns, or null, and how each file reads under those, and how the second
reads under the columns of the first. How: "s" the values as they are, "o" other values, "e" an error, "-" not asked.
"""
import datetime
import decimal
import json
import os
import pathlib
import shutil
import sys
import time

# Not UTC: there a timestamp of a zone and one of none would look alike.
os.environ.update(TZ="Asia/Tokyo", SPARK_LOCAL_IP="127.0.0.1")
time.tzset()
from py4j.protocol import Py4JError  # noqa: E402
from pyspark.errors.exceptions.captured import CapturedException  # noqa: E402
from pyspark.sql import DataFrame, Row, SparkSession  # noqa: E402

import parquet_text  # noqa: E402

UNSHOWN = "rows that Python cannot show"
ROW_METADATA = "org.apache.spark.sql.parquet.row.metadata"


def start(scratch):
    settings = {"spark.ui.enabled": "false", "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
                "spark.driver.memory": "1g", "spark.local.dir": str(scratch), "spark.sql.warehouse.dir": str(scratch / "warehouse"),
                "spark.sql.shuffle.partitions": "1", "spark.sql.files.ignoreCorruptFiles": "false",
                "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dderby.system.home=" + str(scratch)}
    builder = SparkSession.builder.master("local[1]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def same(own, read):
    """Whether a value is what it was under the file's own columns."""
    if own is None or read is None:
        return own is read
    if isinstance(own, Row) or isinstance(read, Row):
        if not (isinstance(own, Row) and isinstance(read, Row)):
            return False
        names = {name.lower(): name for name in own.__fields__}
        return all(same(own[names[name.lower()]], value) if name.lower() in names else value is None
                   for name, value in zip(read.__fields__, read))
    if isinstance(own, (list, tuple)):
        return isinstance(read, (list, tuple)) and len(own) == len(read) and all(map(same, own, read))
    if isinstance(own, dict):
        return isinstance(read, dict) and len(own) == len(read) and all(same(a, b) for a, b in zip(own.items(), read.items()))
    return plain(own) == plain(read)


def plain(value):
    if isinstance(value, bool):
        return "bool", value
    if isinstance(value, (int, float, decimal.Decimal)):
        return "number", decimal.Decimal(value)
    if isinstance(value, datetime.datetime):
        return "instant", value
    if isinstance(value, datetime.date):
        return "instant", datetime.datetime(value.year, value.month, value.day)
    if isinstance(value, (bytes, bytearray)):
        return "bytes", bytes(value)
    return ("bytes", value.encode()) if isinstance(value, str) else (type(value).__name__, str(value))


class Asker:
    def __init__(self, spark, folder):
        self.spark, self.folder, self.known = spark, folder, {}

    def path(self, number):
        return str(self.folder / f"{number:04}.parquet")

    def schema(self, *numbers, merge=False):
        """Of the JVM's, or None where Spark refuses."""
        reader = self.spark._jsparkSession.read().option("mergeSchema", str(merge).lower())
        paths = self.spark.sparkContext._gateway.new_array(self.spark._jvm.String, len(numbers))
        for at, number in enumerate(numbers):
            paths[at] = self.path(number)
        try:
            return reader.parquet(paths).schema()
        except Exception:  # whatever it is: Spark does not take it
            return None

    def merged(self, a, b):
        """Spark takes the files in the order of their names."""
        if ("merged", a, b) not in self.known:
            self.known["merged", a, b] = self.schema(a, b, merge=True)
        return self.known["merged", a, b]

    def rows(self, number, schema):
        paths = self.spark.sparkContext._gateway.new_array(self.spark._jvm.String, 1)
        paths[0] = self.path(number)
        try:
            return DataFrame(self.spark._jsparkSession.read().schema(schema).parquet(paths), self.spark).collect()
        except (Py4JError, CapturedException):
            return None
        except Exception:  # Spark has them; Python has no such day, or no such type
            return UNSHOWN

    def own(self, number):
        """(columns, rows) under the file's own columns."""
        if number not in self.known:
            schema = self.schema(number)
            self.known[number] = schema, None if schema is None else self.rows(number, schema)
        return self.known[number]

    def reads(self, number, schema):
        key = number, schema.json()
        if key not in self.known:
            rows, (columns, own) = self.rows(number, schema), self.own(number)
            if rows is None:
                self.known[key] = "e"
            elif own is not None and columns.json() == key[1]:
                self.known[key] = "s"
            elif UNSHOWN in (rows, own):
                self.known[key] = "o"
            else:
                self.known[key] = "s" if own is not None and len(rows) == len(own) and all(map(same, own, rows)) else "o"
        return self.known[key]


def write_own(spark, folder, files):
    # What a dictionary does to a type that does not fit is another matter, and not the schema's.
    spark.sparkContext._jsc.hadoopConfiguration().set("parquet.enable.dictionary", "false")
    values = {"smallint": "30001", "int": "2000000011", "bigint": "9000000000000000011", "string": "'abc'", "binary": "X'616263'", "boolean": "true", "date": "date'2024-10-03'", "timestamp": "timestamp'2024-10-03 1:2:3'",
              "timestamp_ntz": "timestamp_ntz'2024-10-03 1:2:3'", "array<int>": "array(7)", "map<string,int>": "map('abc', 7)",
              "struct<x:int,y:string>": "named_struct('x', 7, 'y', 'abc')"}
    for number, entry in enumerate(files):
        if "spark" not in entry:
            continue
        columns = entry["spark"].replace(" not null", "").split(", ") if "struct" not in entry["spark"] else [entry["spark"]]
        casts = [f"cast({values.get(kind, '101')} as {kind}) as {name}" for name, kind in (column.split(" ", 1) for column in columns)]
        made = spark.sql("select " + ", ".join(casts))
        # A column that came from a table may be NULL, one of constants may not.
        schema = spark.createDataFrame([], entry["spark"]).schema
        at = folder / "written"
        spark.createDataFrame(made.collect(), schema).coalesce(1).write.parquet(str(at))
        part, = at.glob("part-*.parquet")
        shutil.move(part, folder / f"{number:04}.parquet")
        shutil.rmtree(at)
        entry["schema"], metadata = parquet_text.schema_of_file(folder / f"{number:04}.parquet")
        entry["row_metadata"] = metadata[ROW_METADATA]


def main(folder, answers, *flags):
    folder = pathlib.Path(folder)
    asked = json.loads((folder / "plan.json").read_text())
    spark = start(folder)
    if "--write" in flags:
        write_own(spark, folder, asked["files"])
        (folder / "plan.json").write_text(json.dumps(asked))
    asker = Asker(spark, folder)
    told = {"spark": spark.version, "files": [], "pairs": []}
    for number in range(len(asked["files"])):
        schema, rows = asker.own(number)
        told["files"].append([None if schema is None else schema.catalogString(), "-" if schema is None else "e" if rows is None else "s"])
    for a, b in asked["pairs"]:
        merged, first = asker.merged(*sorted((a, b))), asker.own(a)[0]
        told["pairs"].append([None if merged is None else merged.catalogString(),
                              "--" if merged is None else asker.reads(a, merged) + asker.reads(b, merged),
                              "-" if first is None else asker.reads(b, first)])
        if len(told["pairs"]) % 100 == 0:
            print(len(told["pairs"]), "of", len(asked["pairs"]), flush=True)
    spark.stop()
    pathlib.Path(answers).write_text(json.dumps(told))


if __name__ == "__main__":
    main(*sys.argv[1:])
