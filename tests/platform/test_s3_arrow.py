"""Arrow's S3 file system against the listener: files, folders, ranges, multipart writes, datasets."""

import concurrent.futures
import hashlib
import random

import pyarrow
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet
import pytest

from s3_client import MEBIBYTE

ROWS = 200_000


@pytest.fixture(scope="module")
def lake(s3):
    return pyarrow.fs.S3FileSystem(access_key=s3.access_key, secret_key=s3.secret_key, region=s3.region, scheme="http",
                                   endpoint_override=s3.address, allow_bucket_creation=True, allow_bucket_deletion=True)


def table():
    return pyarrow.table({"id": range(ROWS), "day": [f"2026-11-{i % 4 + 1:02}" for i in range(ROWS)], "text": [f"row {i}" for i in range(ROWS)]})


def paths(lake, where, recursive=True):
    found = lake.get_file_info(pyarrow.fs.FileSelector(where, recursive=recursive, allow_not_found=True))
    return sorted((info.path.removeprefix(where + "/"), info.is_file) for info in found)


def put(lake, path, body):
    with lake.open_output_stream(path) as file:
        file.write(body)


def test_files_are_written_and_read(lake, bucket):
    for name in ("a", "dir/b c+é&", "dir/empty"):
        body = b"" if name.endswith("empty") else name.encode() * 100
        put(lake, f"{bucket}/{name}", body)
        with lake.open_input_stream(f"{bucket}/{name}") as file:
            assert file.read() == body
        assert lake.get_file_info(f"{bucket}/{name}").size == len(body)
    assert paths(lake, bucket) == [("a", True), ("dir", False), ("dir/b c+é&", True), ("dir/empty", True)]
    assert paths(lake, bucket, recursive=False) == [("a", True), ("dir", False)]
    assert lake.get_file_info(f"{bucket}/none").type == pyarrow.fs.FileType.NotFound
    with pytest.raises(FileNotFoundError):
        lake.open_input_stream(f"{bucket}/none")


def test_metadata_goes_with_a_file(s3, lake, bucket):
    with lake.open_output_stream(f"{bucket}/k", metadata={"Content-Type": "text/x-test", "Cache-Control": "no-store"}) as file:
        file.write(b"v")
    head = s3.client.head_object(Bucket=bucket, Key="k")
    assert (head["ContentType"], head["CacheControl"]) == ("text/x-test", "no-store")


def test_a_big_file_is_written_in_parts_and_read_in_any_order(s3, lake, bucket):
    body = b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() * 64 for i in range(15 * 1024))
    assert len(body) == 30 * MEBIBYTE
    with lake.open_output_stream(f"{bucket}/big") as file:
        for start in range(0, len(body), 1_000_003):
            file.write(body[start:start + 1_000_003])
    assert "-" in s3.client.head_object(Bucket=bucket, Key="big")["ETag"]
    choice = random.Random(7)
    with lake.open_input_file(f"{bucket}/big") as file:
        assert file.size() == len(body)
        for _ in range(20):
            start, size = choice.randrange(len(body)), choice.choice((1, 100, 65536, 3 * MEBIBYTE))
            assert file.read_at(size, start) == body[start:start + size]
    with lake.open_input_stream(f"{bucket}/big") as file:
        assert hashlib.md5(file.read()).digest() == hashlib.md5(body).digest()


def test_a_write_that_is_broken_off_leaves_nothing(s3, lake, bucket):
    file = lake.open_output_stream(f"{bucket}/k")
    file.write(b"x" * 11 * MEBIBYTE)
    del file  # closed by its end, or aborted: either way all or nothing
    assert s3.client.list_objects_v2(Bucket=bucket).get("KeyCount") in (0, 1)


def test_folders_are_made_moved_and_deleted(lake, bucket):
    lake.create_dir(f"{bucket}/x/y", recursive=True)
    assert lake.get_file_info(f"{bucket}/x/y").type == pyarrow.fs.FileType.Directory
    for name in ("x/y/1", "x/y/z/2", "x/3"):
        put(lake, f"{bucket}/{name}", name.encode())
    lake.move(f"{bucket}/x/3", f"{bucket}/moved")
    lake.copy_file(f"{bucket}/moved", f"{bucket}/x/copied")
    lake.delete_file(f"{bucket}/moved")
    assert [p for p, is_file in paths(lake, bucket) if is_file] == ["x/copied", "x/y/1", "x/y/z/2"]
    lake.delete_dir_contents(f"{bucket}/x/y")
    assert paths(lake, f"{bucket}/x/y") == []
    lake.delete_dir(f"{bucket}/x")
    assert paths(lake, bucket) == []


def test_a_folder_of_thousands_is_listed_and_deleted(s3, lake, bucket):
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: s3.client.put_object(Bucket=bucket, Key=f"d/{i:04}", Body=b""), range(1200)))
    assert len(paths(lake, f"{bucket}/d")) == 1200
    lake.delete_dir(f"{bucket}/d")
    assert "Contents" not in s3.client.list_objects_v2(Bucket=bucket)


def test_buckets_are_folders(s3, lake):
    name = s3.bucket_name()
    lake.create_dir(name)
    assert (name, False) in [(i.path, i.is_file) for i in lake.get_file_info(pyarrow.fs.FileSelector(""))]
    lake.delete_dir(name)
    assert lake.get_file_info(name).type == pyarrow.fs.FileType.NotFound


def test_a_parquet_file_is_read_by_columns(lake, bucket):
    pyarrow.parquet.write_table(table(), f"{bucket}/t.parquet", filesystem=lake, row_group_size=20_000)
    assert pyarrow.parquet.read_table(f"{bucket}/t.parquet", filesystem=lake) == table()
    ids = pyarrow.parquet.read_table(f"{bucket}/t.parquet", filesystem=lake, columns=["id"], filters=[("id", ">=", ROWS - 3)])
    assert ids["id"].to_pylist() == [ROWS - 3, ROWS - 2, ROWS - 1]


def test_a_dataset_is_written_and_read(lake, bucket):
    layout = pyarrow.dataset.partitioning(pyarrow.schema([("day", pyarrow.string())]), flavor="hive")
    pyarrow.dataset.write_dataset(table(), f"{bucket}/t", filesystem=lake, format="parquet", partitioning=layout,
                                  max_rows_per_file=20_000, max_rows_per_group=20_000)
    found = pyarrow.dataset.dataset(f"{bucket}/t", filesystem=lake, format="parquet", partitioning=layout)
    assert len(found.files) == 12 and found.count_rows() == ROWS
    assert found.to_table().sort_by("id").select(["id", "day", "text"]) == table()
    assert found.count_rows(filter=pyarrow.dataset.field("day") == "2026-11-02") == ROWS // 4
    pyarrow.dataset.write_dataset(table().slice(0, 10), f"{bucket}/t", filesystem=lake, format="parquet", partitioning=layout,
                                  existing_data_behavior="delete_matching")
    assert pyarrow.dataset.dataset(f"{bucket}/t", filesystem=lake, format="parquet").count_rows() == 10
