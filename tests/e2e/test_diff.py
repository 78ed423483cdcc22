"""`levada diff`: two datasets as sets of rows, against a count in Python."""

import collections
import random

import pyarrow as pa
import pyarrow.parquet as pq

from conftest import FULL

ROWS = 300_000 if FULL else 30_000


def write(directory, rows, row_group=1000, compression="snappy", files=1, int_type=pa.int64()):
    directory.mkdir(parents=True)
    size = max(1, (len(rows) + files - 1) // files)
    for number in range(files):
        part = rows[number * size:(number + 1) * size]
        table = pa.table({"id": pa.array([r[0] for r in part], int_type), "name": pa.array([r[1] for r in part], pa.string()),
                          "price": pa.array([r[2] for r in part], pa.float64())})
        pq.write_table(table, directory / f"part-{number}.parquet", row_group_size=row_group, compression=compression)


def random_rows(seed, count):
    dice = random.Random(seed)
    return [(dice.randrange(count // 2), dice.choice([None, "", "a", "ä", "longer text"]), dice.choice([None, 0.5, -1.0, 1e300]))
            for _ in range(count)]


def test_order_and_files_do_not_matter(levada):
    rows = random_rows(1, ROWS)
    write(levada.directory / "a", rows)
    shuffled = rows[:]
    random.Random(2).shuffle(shuffled)
    write(levada.directory / "b", shuffled, row_group=77, compression="zstd", files=7)
    said = levada("diff", "a", "b", "--json", expect=0).json()
    assert said["same"] and said["a"]["hash"] == said["b"]["hash"] and said["a"]["rows"] == ROWS
    assert levada("diff", "a", "b", expect=0).out.endswith("the same\n")


def test_rows_that_differ_are_counted_and_shown(levada):
    a, b = random_rows(3, ROWS), random_rows(3, ROWS)
    b[17] = (b[17][0], "changed", b[17][2])
    b[ROWS // 2] = (-5, None, None)
    b += b[:3]
    a.append(a[0])
    write(levada.directory / "a", a)
    write(levada.directory / "b", b, files=3)
    count_a, count_b = collections.Counter(a), collections.Counter(b)
    only_a, only_b = count_a - count_b, count_b - count_a
    said = levada("diff", "a", "b", "--rows", "100", "--json", expect=31).json()
    for side, expected in (("a", only_a), ("b", only_b)):
        assert said[side]["rows_only_here"] == sum(expected.values())
        shown = collections.Counter((e["id"], e["name"], e["price"]) for e in said[side]["examples"])
        assert shown == expected
    text = levada("diff", "a", "b", "--rows", "1", expect=31).out
    assert f"{sum(only_a.values())} rows only in a, the first:\n" in text and text.count('{"id"') == 2


def test_columns_that_differ_are_named(levada):
    rows = random_rows(4, 100)
    write(levada.directory / "a", rows)
    write(levada.directory / "b", rows, int_type=pa.int32())
    table = pq.read_table(levada.directory / "a/part-0.parquet").drop_columns("price").append_column("extra", pa.array(range(100)))
    (levada.directory / "c").mkdir()
    pq.write_table(table, levada.directory / "c/x.parquet")
    said = levada("diff", "a", "b", "--json", expect=31).json()
    assert 'column "id"' in said["schema_difference"] and said["a"]["rows_only_here"] == 0
    assert "the rows are the same" in levada("diff", "a", "b", expect=31).out
    said = levada("diff", "a", "c", "--json", expect=31).json()
    assert said["compared_columns"] == ["id", "name"] and said["a"]["rows_only_here"] == 0
    assert '"price"' in said["schema_difference"] and '"extra"' in said["schema_difference"]


def test_what_levada_wrote_is_what_another_wrote(server, levada):
    server.execute("create table if not exists twice as select g id, g % 3 part, md5(g::text) t from generate_series(1, 5000) g")
    levada.write("p.yaml", f"""
name: twice
consumer: {{ postgres: {{ dsn: "{server.url()}", query: "select id, part::text part, t from twice order by t" }} }}
loaders: [{{ parquet: {{ path: lake, partition_by: [part] }} }}]
""")
    levada("run", "p.yaml", "--quiet", expect=0)
    rows = server.rows("select id, part::text, t from twice order by id")
    for part in "012":
        kept = [row for row in rows if row[1] == part]
        directory = levada.directory / f"other/part={part}"
        directory.mkdir(parents=True)
        pq.write_table(pa.table({"id": pa.array([r[0] for r in kept], pa.int32()), "t": [r[2] for r in kept]}), directory / "x.parquet")
    assert levada("diff", "lake", "other", "--json", expect=0).json()["same"]
    # A file that no manifest names is not of the dataset.
    (levada.directory / "lake/part=0/stray.parquet").write_bytes((levada.directory / "other/part=0/x.parquet").read_bytes())
    assert levada("diff", "lake", "other", "--json", expect=0).json()["same"]


def test_mistakes(levada):
    rows = random_rows(5, 10)
    write(levada.directory / "a", rows)
    write(levada.directory / "mixed", rows)
    write(levada.directory / "mixed/more", rows, int_type=pa.int32())
    (levada.directory / "empty").mkdir()
    (levada.directory / "bad").mkdir()
    (levada.directory / "bad/x.parquet").write_bytes(b"PAR1 no")
    assert "there is no Parquet file" in levada("diff", "a", "empty", expect=40).err
    assert "has other columns than the first one" in levada("diff", "a", "mixed", expect=30).err
    assert "not a readable Parquet file" in levada("diff", "a", "bad", expect=31).err
    assert "write levada diff DIR DIR" in levada("diff", "a", expect=10).err
