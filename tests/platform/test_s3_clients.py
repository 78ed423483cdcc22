"""The stock S3 programs against the listener, told where it is and nothing else: aws, s3cmd, rclone, the SDK for JavaScript."""

import configparser
import filecmp
import hashlib
import json
import os
import pathlib
import re
import subprocess

import pytest

from s3_client import MEBIBYTE, read

BUILD = pathlib.Path(os.environ["LEVADA_SOURCE"]) / "build"
HERE = pathlib.Path(__file__).parent
BIG = 20 * MEBIBYTE + 12345  # beyond every program's bound for multipart uploads that is set here or by default
NAMES = ["a.txt", "b/c d.txt", "b/e+f&g.txt", "b/é/日本.txt", "b/empty"]


def pseudo_random(size):
    return b"".join(hashlib.sha256(i.to_bytes(4, "big")).digest() for i in range(size // 32 + 1))[:size]


def ran(command, cwd, environment, expect=0, input=None):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env=environment, capture_output=True, timeout=180,
                          **({"input": input} if input is not None else {"stdin": subprocess.DEVNULL}))
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode == expect, f"{command}: exit {done.returncode}\n{out[-3000:]}\n{err[-3000:]}"
    return out


@pytest.fixture
def tree(tmp_path):
    """A folder with small files of awkward names and a big one."""
    root = tmp_path / "tree"
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"" if name.endswith("empty") else name.encode() * 10)
    (root / "big").write_bytes(pseudo_random(BIG))
    return root


def same(one, other):
    compared = filecmp.dircmp(one, other)
    assert not compared.left_only and not compared.right_only
    _, different, odd = filecmp.cmpfiles(one, other, compared.common_files, shallow=False)
    assert not different and not odd
    for name in compared.common_dirs:
        same(one / name, other / name)


def stored(s3, bucket, prefix=""):
    return sorted(o["Key"].removeprefix(prefix) for o in s3.client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", []))


# ---- aws


@pytest.fixture
def aws(s3, tmp_path):
    environment = s3.environment(HOME=str(tmp_path), AWS_ENDPOINT_URL=s3.endpoint, AWS_CONFIG_FILE=str(tmp_path / "aws-config"))
    (tmp_path / "aws-config").write_text("[default]\ns3 =\n  signature_version = s3v4\n")
    return lambda *words, **more: ran([BUILD / "venv/bin/aws", *words], tmp_path, environment, **more)


def test_aws_makes_a_bucket_and_removes_it(s3, aws):
    name = s3.bucket_name()
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "rb", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_aws_copies_files_up_down_and_across(s3, aws, bucket, tree, tmp_path):
    aws("s3", "cp", tree / "big", f"s3://{bucket}/dir/big", "--metadata", "m=1", "--content-type", "text/x-test")
    head = s3.client.head_object(Bucket=bucket, Key="dir/big")
    assert (head["ContentLength"], head["Metadata"], head["ContentType"]) == (BIG, {"m": "1"}, "text/x-test")
    assert head["ETag"].strip('"').endswith("-3")
    aws("s3", "cp", f"s3://{bucket}/dir/big", "down")
    assert filecmp.cmp(tree / "big", tmp_path / "down", shallow=False)
    aws("s3", "cp", f"s3://{bucket}/dir/big", f"s3://{bucket}/copy")
    aws("s3", "mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    assert stored(s3, bucket) == ["dir/big", "moved"]
    assert hashlib.md5(read(s3.client.get_object(Bucket=bucket, Key="moved"))).digest() == hashlib.md5((tree / "big").read_bytes()).digest()
    aws("s3", "cp", "-", f"s3://{bucket}/stream", input=b"from a pipe")
    assert aws("s3", "cp", f"s3://{bucket}/stream", "-") == "from a pipe"
    listed = aws("s3", "ls", f"s3://{bucket}")
    assert "PRE dir/" in listed and "stream" in listed and str(BIG) in aws("s3", "ls", f"s3://{bucket}", "--recursive")


def test_aws_synchronises_a_tree(s3, aws, bucket, tree, tmp_path):
    aws("s3", "sync", tree, f"s3://{bucket}/t")
    assert stored(s3, bucket, "t/") == sorted([*NAMES, "big"])
    assert aws("s3", "sync", tree, f"s3://{bucket}/t") == ""
    aws("s3", "sync", f"s3://{bucket}/t", "back")
    same(tree, tmp_path / "back")
    (tree / "a.txt").unlink()
    assert "delete: " in aws("s3", "sync", tree, f"s3://{bucket}/t", "--delete")
    aws("s3", "rm", f"s3://{bucket}/t", "--recursive", "--exclude", "*big")
    assert stored(s3, bucket) == ["t/big"]
    aws("s3", "rb", f"s3://{bucket}", "--force")


def test_aws_presigns(s3, aws, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    assert s3.send("GET", aws("s3", "presign", f"s3://{bucket}/k", "--expires-in", "60").strip()).body == b"v"


def test_aws_calls_the_api(s3, aws, bucket, tmp_path):
    (tmp_path / "file").write_bytes(b"0123456789")
    put = json.loads(aws("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", "file", "--checksum-algorithm", "SHA256"))
    assert put["ChecksumSHA256"]
    aws("s3api", "get-object", "--bucket", bucket, "--key", "k", "--range", "bytes=2-4", "part")
    assert (tmp_path / "part").read_bytes() == b"234"
    head = json.loads(aws("s3api", "head-object", "--bucket", bucket, "--key", "k", "--checksum-mode", "ENABLED"))
    assert (head["ContentLength"], head["ChecksumSHA256"]) == (10, put["ChecksumSHA256"])
    listed = json.loads(aws("s3api", "list-objects-v2", "--bucket", bucket, "--page-size", "1"))
    assert [o["Key"] for o in listed["Contents"]] == ["k"]
    aws("s3api", "put-object", "--bucket", bucket, "--key", "k", "--if-none-match", "*", expect=255)
    aws("s3api", "put-bucket-cors", "--bucket", bucket, "--cors-configuration",
        '{"CORSRules": [{"AllowedOrigins": ["*"], "AllowedMethods": ["GET"]}]}')
    assert json.loads(aws("s3api", "get-bucket-cors", "--bucket", bucket))["CORSRules"]
    aws("s3api", "get-bucket-policy", "--bucket", bucket, expect=255)
    aws("s3api", "delete-object", "--bucket", bucket, "--key", "k")
    aws("s3api", "wait", "object-not-exists", "--bucket", bucket, "--key", "k")


# ---- s3cmd


@pytest.fixture
def s3cmd(s3, tmp_path):
    config = configparser.RawConfigParser()
    config["default"] = {"access_key": s3.access_key, "secret_key": s3.secret_key, "host_base": s3.address, "host_bucket": s3.address,
                         "use_https": "False", "bucket_location": s3.region, "multipart_chunk_size_mb": "6"}
    with open(tmp_path / "s3cfg", "w") as file:
        config.write(file)
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8"}
    return lambda *words, **more: ran([BUILD / "venv/bin/s3cmd", "-c", tmp_path / "s3cfg", "--no-progress", *words], tmp_path,
                                      environment, **more)


def test_s3cmd_makes_a_bucket_and_removes_it(s3, s3cmd):
    name = s3.bucket_name()
    s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd("ls")
    s3cmd("rb", f"s3://{name}")
    assert f"s3://{name}" not in s3cmd("ls")


def test_s3cmd_puts_gets_and_deletes(s3, s3cmd, bucket, tree, tmp_path):
    s3cmd("put", tree / "big", f"s3://{bucket}/big")  # four parts
    assert s3.client.head_object(Bucket=bucket, Key="big")["ETag"].strip('"').endswith("-4")
    s3cmd("put", tree / "b/e+f&g.txt", f"s3://{bucket}/x/e+f &g.txt", "--add-header", "x-amz-meta-m: 1", "--mime-type", "text/x-test")
    head = s3.client.head_object(Bucket=bucket, Key="x/e+f &g.txt")
    assert head["Metadata"]["m"] == "1" and head["ContentType"] == "text/x-test"
    s3cmd("get", f"s3://{bucket}/big", "down")
    assert filecmp.cmp(tree / "big", tmp_path / "down", shallow=False)
    (tmp_path / "down").write_bytes((tmp_path / "down").read_bytes()[:-100])
    s3cmd("get", "--continue", f"s3://{bucket}/big", "down")
    assert filecmp.cmp(tree / "big", tmp_path / "down", shallow=False)
    assert "text/x-test" in s3cmd("info", f"s3://{bucket}/x/e+f &g.txt")
    assert f"s3://{bucket}" in s3cmd("info", f"s3://{bucket}")
    listed = s3cmd("ls", f"s3://{bucket}")
    assert f"DIR  s3://{bucket}/x/" in listed and f"s3://{bucket}/big" in listed
    s3cmd("cp", f"s3://{bucket}/big", f"s3://{bucket}/copy")
    s3cmd("mv", f"s3://{bucket}/copy", f"s3://{bucket}/moved")
    s3cmd("modify", f"s3://{bucket}/moved", "--add-header", "Cache-Control: no-store")
    assert s3.client.head_object(Bucket=bucket, Key="moved")["CacheControl"] == "no-store"
    s3cmd("del", f"s3://{bucket}/big", f"s3://{bucket}/moved")
    assert stored(s3, bucket) == ["x/e+f &g.txt"]
    assert f" s3://{bucket}" in s3cmd("du", f"s3://{bucket}")


def test_s3cmd_synchronises_a_tree(s3, s3cmd, bucket, tree, tmp_path):
    s3cmd("sync", f"{tree}/", f"s3://{bucket}/t/")
    assert stored(s3, bucket, "t/") == sorted([*NAMES, "big"])
    assert "upload:" not in s3cmd("sync", f"{tree}/", f"s3://{bucket}/t/")
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"s3://{bucket}/t/", "back/")
    same(tree, tmp_path / "back")
    (tree / "a.txt").unlink()
    assert "delete:" in s3cmd("sync", "--delete-removed", f"{tree}/", f"s3://{bucket}/t/")
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}/t/")
    assert stored(s3, bucket) == []


def test_s3cmd_signs_a_url(s3, s3cmd, bucket):
    s3.client.put_object(Bucket=bucket, Key="k", Body=b"v")
    url = s3cmd("signurl", f"s3://{bucket}/k", "+60").strip()
    # It has no signature but version 2 for URLs, which neither R2 nor the newer regions of AWS take.
    assert "AWSAccessKeyId=" in url and s3.send("GET", url).status in (400, 401, 403)


# ---- the guide's page, as somebody types it


def test_the_commands_of_the_guide_work_as_they_stand(s3, bucket, tmp_path):
    page = (pathlib.Path(os.environ["LEVADA_SOURCE"]) / "docs/guide/r2.md").read_text()
    shell, = [block for block in page.split("```") if "$ aws s3 mb" in block]
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/cat.jpg").write_text("cat")
    lines = [line.removeprefix("$ ") for line in shell.splitlines() if line.startswith("$ ") and "levada token" not in line]
    keys = f"export AWS_ACCESS_KEY_ID={s3.access_key} AWS_SECRET_ACCESS_KEY={s3.secret_key}"
    assert sum("AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=..." in line for line in lines) == 1
    script = "\n".join(lines).replace("AWS_ACCESS_KEY_ID=... AWS_SECRET_ACCESS_KEY=...", keys.removeprefix("export "))
    script = script.replace("http://127.0.0.1:8788", s3.endpoint).replace("photos", bucket)
    bare = {"PATH": f"{BUILD / 'venv/bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true",
            "LC_ALL": "C.UTF-8"}
    said = ran(["bash", "-ec", script.replace(f"aws s3 mb s3://{bucket}", "true")], tmp_path, bare)
    assert re.search(r"(?m)^ *3 2026/cat\.jpg$", said), said
    url, = re.findall(r"(?m)^http\S+", said)
    assert "X-Amz-Signature" in url and s3.send("GET", url).body == b"cat"


def test_the_program_of_the_guide_works_as_it_stands(s3, bucket, tmp_path):
    page = (pathlib.Path(os.environ["LEVADA_SOURCE"]) / "docs/guide/r2.md").read_text()
    program = page.partition("```python\n")[2].partition("```")[0]
    (tmp_path / "large.parquet").write_bytes(pseudo_random(BIG))
    program = program.replace("http://127.0.0.1:8788", s3.endpoint).replace("photos", bucket) + "print(url)\n"
    url = ran([BUILD / "venv/bin/python3", "-c", program], tmp_path, s3.environment(HOME=str(tmp_path))).strip()
    assert s3.send("GET", url).body == pseudo_random(BIG)


# ---- rclone


@pytest.fixture
def rclone(s3, tmp_path):
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "LC_ALL": "C.UTF-8", "RCLONE_CONFIG": str(tmp_path / "none"),
        "RCLONE_CONFIG_S3_TYPE": "s3", "RCLONE_CONFIG_S3_PROVIDER": "Cloudflare", "RCLONE_CONFIG_S3_ENDPOINT": s3.endpoint,
        "RCLONE_CONFIG_S3_ACCESS_KEY_ID": s3.access_key, "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": s3.secret_key,
        "RCLONE_CONFIG_S3_REGION": s3.region, "RCLONE_CONFIG_S3_ACL": "private", "RCLONE_S3_UPLOAD_CUTOFF": "8Mi",
        "RCLONE_S3_CHUNK_SIZE": "6Mi", "RCLONE_RETRIES": "1", "RCLONE_LOW_LEVEL_RETRIES": "1",
    }
    return lambda *words, **more: ran(["rclone", *words], tmp_path, environment, **more)


def test_rclone_copies_and_checks_a_tree(s3, rclone, bucket, tree, tmp_path):
    rclone("copy", tree, f"s3:{bucket}/t")
    assert stored(s3, bucket, "t/") == sorted([*NAMES, "big"])
    assert s3.client.head_object(Bucket=bucket, Key="t/big")["ETag"].strip('"').endswith("-4")
    rclone("check", tree, f"s3:{bucket}/t")
    rclone("check", "--download", tree, f"s3:{bucket}/t")
    rclone("copy", "--checksum", f"s3:{bucket}/t", "back")
    same(tree, tmp_path / "back")
    (tree / "a.txt").write_bytes(b"other")
    rclone("check", tree, f"s3:{bucket}/t", expect=1)


def test_rclone_synchronises_only_what_changed(s3, rclone, bucket, tree):
    rclone("sync", tree, f"s3:{bucket}/t")
    written = {o["Key"]: o["LastModified"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]}
    (tree / "a.txt").unlink()
    (tree / "new").write_bytes(b"new")
    rclone("sync", tree, f"s3:{bucket}/t")
    after = {o["Key"]: o["LastModified"] for o in s3.client.list_objects_v2(Bucket=bucket)["Contents"]}
    assert "t/a.txt" not in after and "t/new" in after and after["t/big"] == written["t/big"]
    rclone("sync", "--checksum", tree, f"s3:{bucket}/t")


def test_rclone_lists_moves_reads_and_deletes(s3, rclone, bucket, tree):
    rclone("copy", tree, f"s3:{bucket}")
    assert sorted(rclone("lsf", f"s3:{bucket}").split("\n")) == sorted(["", "a.txt", "b/", "big"])
    shown = {row["Path"]: row for row in json.loads(rclone("lsjson", "-R", "--files-only", "--hash", f"s3:{bucket}"))}
    assert sorted(shown) == sorted([*NAMES, "big"]) and shown["big"]["Size"] == BIG
    assert shown["big"]["Hashes"]["md5"] == hashlib.md5((tree / "big").read_bytes()).hexdigest()  # rclone keeps it as metadata
    rclone("moveto", f"s3:{bucket}/a.txt", f"s3:{bucket}/b/moved é.txt")
    assert rclone("cat", f"s3:{bucket}/b/moved é.txt", "--offset", "3", "--count", "4") == ("a.txt" * 10)[3:7]
    assert rclone("cat", f"s3:{bucket}/b/moved é.txt", "--tail", "5") == "a.txt"
    rclone("rcat", f"s3:{bucket}/piped", input=b"from a pipe")
    assert read(s3.client.get_object(Bucket=bucket, Key="piped")) == b"from a pipe"
    rclone("rcat", f"s3:{bucket}/piped big", input=pseudo_random(13 * MEBIBYTE))
    assert s3.client.head_object(Bucket=bucket, Key="piped big")["ContentLength"] == 13 * MEBIBYTE
    rclone("copyto", f"s3:{bucket}/big", f"s3:{bucket}/copied")
    assert json.loads(rclone("size", "--json", f"s3:{bucket}"))["count"] == len(NAMES) + 4
    assert s3.send("GET", rclone("link", f"s3:{bucket}/piped", "--expire", "60s").strip()).body == b"from a pipe"
    rclone("deletefile", f"s3:{bucket}/piped")
    rclone("delete", f"s3:{bucket}/b")
    assert stored(s3, bucket) == ["big", "copied", "piped big"]
    rclone("purge", f"s3:{bucket}")
    assert bucket not in rclone("lsd", "s3:")


def test_rclone_makes_a_bucket_and_removes_it(s3, rclone):
    name = s3.bucket_name()
    rclone("mkdir", f"s3:{name}")
    assert name in rclone("lsd", "s3:")
    rclone("rmdir", f"s3:{name}")
    assert name not in rclone("lsd", "s3:")


def test_rclone_cleans_up_uploads(s3, rclone, bucket):
    s3.client.create_multipart_upload(Bucket=bucket, Key="k")
    assert "k" in rclone("backend", "list-multipart-uploads", f"s3:{bucket}")
    rclone("backend", "cleanup", "-o", "max-age=0s", f"s3:{bucket}")
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=bucket)


# ---- @aws-sdk/client-s3


def test_the_sdk_for_javascript(s3, bucket, tmp_path):
    environment = s3.environment(S3_ENDPOINT=s3.endpoint, S3_BUCKET=bucket, PATH=f"{BUILD / 'venv/bin'}:{os.environ['PATH']}")
    # Modules are looked for beside the script that imports them.
    script = BUILD / "node" / f"s3_sdk_{os.getpid()}.mjs"
    script.write_bytes((HERE / "s3_sdk.mjs").read_bytes())
    try:
        told = ran(["node", script], tmp_path, environment)
    finally:
        script.unlink()
    assert told.strip().endswith("done"), told
    assert stored(s3, bucket) == ["kept é+&"]
