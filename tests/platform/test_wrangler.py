"""The stock wrangler against the daemon, by its environment variables and nothing else."""

import json
import os
import pathlib
import re
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["LEVADA_SOURCE"]) / "build"


class Wrangler:
    def __init__(self, daemon, directory):
        self.daemon, self.directory = daemon, directory

    def __call__(self, *arguments, expect=0, token=None, account=True, input=None):
        environment = {
            "PATH": f"{BUILD / 'venv' / 'bin'}:{os.environ['PATH']}", "HOME": str(self.directory), "CI": "1",
            "WRANGLER_SEND_METRICS": "false", "NO_COLOR": "1", "CLOUDFLARE_API_TOKEN": token or self.daemon.token,
            "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{self.daemon.port}/client/v4",
        }
        if account:
            environment["CLOUDFLARE_ACCOUNT_ID"] = self.daemon.account
        ran = subprocess.run([str(BUILD / "node" / "node_modules" / ".bin" / "wrangler"), *arguments], cwd=self.directory,
                             env=environment, capture_output=True, timeout=120, stdin=subprocess.DEVNULL)
        self.out, self.err = ran.stdout, ran.stderr.decode()
        assert ran.returncode == expect, f"exit {ran.returncode}\n{self.out.decode()}\n{self.err}\n{self.daemon.logged()[-3000:]}"
        return self.out.decode(errors="replace")


@pytest.fixture
def wrangler(daemon, tmp_path):
    return Wrangler(daemon, tmp_path)


@pytest.fixture(scope="module")
def space(daemon):
    return daemon.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "for wrangler"}).result["id"]


def test_whoami(wrangler, daemon):
    assert daemon.account in wrangler("whoami")
    assert daemon.account in wrangler("whoami", account=False)


def test_a_wrong_token_is_said(wrangler):
    wrangler("kv", "namespace", "list", token="wrong", expect=1)
    assert "Invalid API Token" in wrangler.out.decode() + wrangler.err


def test_namespaces(wrangler, daemon):
    made = wrangler("kv", "namespace", "create", "sessions")
    id = re.search(r"[0-9a-f]{32}", made).group()
    assert {"id": id, "title": "sessions", "supports_url_encoding": True} in json.loads(wrangler("kv", "namespace", "list"))
    wrangler("kv", "namespace", "create", "sessions", expect=1)
    assert "already exists" in wrangler.out.decode() + wrangler.err
    wrangler("kv", "namespace", "delete", "--namespace-id", id, "--skip-confirmation")
    assert id not in wrangler("kv", "namespace", "list")


def test_keys(wrangler, space, tmp_path):
    at = ("--namespace-id", space, "--remote")
    key = "a b/c+é"
    wrangler("kv", "key", "put", key, "välue", *at, "--metadata", '{"m": 1}', "--ttl", "3600")
    assert wrangler("kv", "key", "get", key, *at, "--text") .strip() == "välue"
    listed = json.loads(wrangler("kv", "key", "list", *at, "--prefix", "a b"))
    assert [(k["name"], k["metadata"]) for k in listed] == [(key, {"m": 1})] and listed[0]["expiration"]
    (tmp_path / "bytes").write_bytes(bytes(range(256)) * 300)
    wrangler("kv", "key", "put", "bytes", "--path", "bytes", *at)
    wrangler("kv", "key", "get", "bytes", *at)
    assert wrangler.out == bytes(range(256)) * 300
    wrangler("kv", "key", "delete", key, *at)
    wrangler("kv", "key", "get", key, *at, expect=1)
    assert "404" in wrangler.out.decode(errors="replace") + wrangler.err


def test_bulks(wrangler, space, tmp_path):
    at = ("--namespace-id", space, "--remote")
    pairs = [{"key": f"bulk/{i:04}", "value": str(i)} for i in range(2500)]  # wrangler sends a thousand at a time
    (tmp_path / "pairs.json").write_text(json.dumps(pairs))
    wrangler("kv", "bulk", "put", "pairs.json", *at)
    assert len(json.loads(wrangler("kv", "key", "list", *at, "--prefix", "bulk/"))) == 2500
    (tmp_path / "keys.json").write_text(json.dumps([p["key"] for p in pairs[:100]]))
    assert json.loads(re.search(r"\{.*\}", wrangler("kv", "bulk", "get", "keys.json", *at), re.S).group())["bulk/0007"] == "7"
    (tmp_path / "keys.json").write_text(json.dumps([p["key"] for p in pairs]))
    wrangler("kv", "bulk", "delete", "keys.json", *at, "--force")
    assert json.loads(wrangler("kv", "key", "list", *at, "--prefix", "bulk/")) == []


def test_a_token_that_only_reads(wrangler, daemon, space):
    token = daemon.issue("kv:read")["token"]
    wrangler("kv", "key", "list", "--namespace-id", space, "--remote", token=token)
    wrangler("kv", "key", "put", "k", "v", "--namespace-id", space, "--remote", token=token, expect=1)
    assert "kv:write" in wrangler.out.decode() + wrangler.err


def test_buckets(wrangler, daemon):
    wrangler("r2", "bucket", "create", "wrangler-bucket")
    assert "wrangler-bucket" in wrangler("r2", "bucket", "list")
    wrangler("r2", "bucket", "create", "wrangler-bucket", expect=1)
    assert "10004" in wrangler.out.decode() + wrangler.err
    wrangler("r2", "bucket", "delete", "wrangler-bucket")
    assert "wrangler-bucket" not in wrangler("r2", "bucket", "list")
    wrangler("r2", "bucket", "delete", "wrangler-bucket", expect=1)


@pytest.fixture(scope="module")
def bucket(daemon):
    return daemon.v4("POST", "/accounts/{account}/r2/buckets", {"name": "for-wrangler"}).result["name"]


def test_objects(wrangler, bucket, tmp_path):
    (tmp_path / "small.txt").write_text("small")
    (tmp_path / "large").write_bytes(os.urandom(30 * 1024 * 1024))
    for key, file in (("a dir/ü+.txt", "small.txt"), ("large", "large")):
        wrangler("r2", "object", "put", f"{bucket}/{key}", "--file", file, "--remote", "--content-type", "text/x", "--cache-control", "no-store")
        wrangler("r2", "object", "get", f"{bucket}/{key}", "--file", "back", "--remote")
        assert (tmp_path / "back").read_bytes() == (tmp_path / file).read_bytes()
    wrangler("r2", "object", "delete", f"{bucket}/large", "--remote")
    wrangler("r2", "object", "get", f"{bucket}/large", "--file", "back", "--remote", expect=1)
    assert "does not exist" in wrangler.out.decode() + wrangler.err
    info = wrangler("r2", "bucket", "info", bucket)
    assert re.search(r"object_count:\s+1\b", info) and re.search(r"bucket_size:\s+5 B", info), info


def test_bucket_settings(wrangler, bucket, tmp_path):
    rules = {"rules": [{"allowed": {"origins": ["https://example.com"], "methods": ["GET"], "headers": ["x-a"]}, "maxAgeSeconds": 60}]}
    (tmp_path / "cors.json").write_text(json.dumps(rules))
    wrangler("r2", "bucket", "cors", "set", bucket, "--file", "cors.json", "--force")
    assert "https://example.com" in wrangler("r2", "bucket", "cors", "list", bucket)
    wrangler("r2", "bucket", "cors", "delete", bucket, "--force")
    wrangler("r2", "bucket", "lifecycle", "add", bucket, "old", "logs/", "--expire-days", "30", "--force")
    listed = wrangler("r2", "bucket", "lifecycle", "list", bucket)
    assert "logs/" in listed and "30 days" in listed, listed
    wrangler("r2", "bucket", "lifecycle", "remove", bucket, "--name", "old")
    enabled = wrangler("r2", "bucket", "dev-url", "enable", bucket, "--force")
    assert wrangler.daemon.ready["s3"].replace("http://", "https://") + "/" + bucket in enabled, enabled
    assert "enabled" in wrangler("r2", "bucket", "dev-url", "get", bucket)
    wrangler("r2", "bucket", "dev-url", "disable", bucket, "--force")


def test_event_notifications(wrangler, daemon, bucket):
    wrangler("queues", "create", "of-uploads")
    wrangler("r2", "bucket", "notification", "create", bucket, "--event-types", "object-create", "object-delete", "--queue", "of-uploads",
             "--prefix", "logs/", "--suffix", ".gz", "--description", "for the importer")
    listed = wrangler("r2", "bucket", "notification", "list", bucket)
    assert all(word in listed for word in ("of-uploads", "logs/", ".gz", "PutObject,CompleteMultipartUpload,CopyObject,DeleteObject,LifecycleDeletion"))
    rule = re.search(r"rule_id:\s+([0-9a-f]{32})", listed).group(1)
    wrangler("r2", "bucket", "notification", "delete", bucket, "--queue", "of-uploads", "--rule", "f" * 32, expect=1)
    wrangler("r2", "bucket", "notification", "delete", bucket, "--queue", "of-uploads", "--rule", rule)
    assert rule not in wrangler("r2", "bucket", "notification", "list", bucket)
    wrangler("r2", "bucket", "notification", "create", bucket, "--event-type", "object-create", "--queue", "of-uploads")
    wrangler("r2", "bucket", "notification", "delete", bucket, "--queue", "of-uploads")
    wrangler("queues", "delete", "of-uploads")


def test_queues(wrangler, daemon):
    wrangler("queues", "create", "orders", "--delivery-delay-secs", "5", "--message-retention-period-secs", "3600")
    assert "orders" in wrangler("queues", "list")
    shown = daemon.v4("GET", "/accounts/{account}/queues?name=orders").result[0]
    assert shown["settings"] == {"delivery_delay": 5, "delivery_paused": False, "message_retention_period": 3600}
    info = wrangler("queues", "info", "orders")
    assert shown["queue_id"] in info and "Number of Consumers: 0" in info, info
    wrangler("queues", "create", "orders", expect=1)
    assert "already taken" in wrangler.out.decode() + wrangler.err
    wrangler("queues", "update", "orders", "--delivery-delay-secs", "0")
    wrangler("queues", "pause-delivery", "orders")
    settings = lambda: daemon.v4("GET", f"/accounts/{{account}}/queues/{shown['queue_id']}").result["settings"]
    assert settings() == {"delivery_delay": 0, "delivery_paused": True, "message_retention_period": 3600}
    wrangler("queues", "resume-delivery", "orders")
    assert not settings()["delivery_paused"]
    daemon.v4("POST", f"/accounts/{{account}}/queues/{shown['queue_id']}/messages", {"body": 1})
    wrangler("queues", "purge", "orders", "--force")
    assert daemon.v4("GET", f"/accounts/{{account}}/queues/{shown['queue_id']}/metrics").result["backlog_count"] == 0
    wrangler("queues", "delete", "orders")
    assert "orders" not in wrangler("queues", "list")
    wrangler("queues", "info", "orders", expect=1)
    assert "does not exist" in wrangler.out.decode() + wrangler.err


def test_consumers_of_queues(wrangler, daemon):
    wrangler("queues", "create", "jobs")
    consumers = lambda: daemon.v4("GET", "/accounts/{account}/queues?name=jobs").result[0]["consumers"]
    wrangler("queues", "consumer", "worker", "add", "jobs", "eater", "--batch-size", "20", "--batch-timeout", "3", "--message-retries", "7",
             "--dead-letter-queue", "jobs-dead", "--max-concurrency", "2", "--retry-delay-secs", "9")
    made, = consumers()
    assert (made["script"], made["dead_letter_queue"]) == ("eater", "jobs-dead")
    assert made["settings"] == {"batch_size": 20, "max_retries": 7, "max_wait_time_ms": 3000, "max_concurrency": 2, "retry_delay": 9}
    assert "worker:eater" in wrangler("queues", "info", "jobs")
    assert "jobs-dead" in wrangler("queues", "list"), "made when it was named"
    wrangler("queues", "consumer", "worker", "add", "jobs", "eater", expect=1)
    assert "11004" in wrangler.out.decode() + wrangler.err
    wrangler("queues", "consumer", "worker", "remove", "jobs", "eater")
    assert consumers() == []
    wrangler("queues", "consumer", "http", "add", "jobs", "--batch-size", "30", "--visibility-timeout-secs", "60")
    made, = consumers()
    assert (made["type"], made["settings"]["batch_size"], made["settings"]["visibility_timeout_ms"]) == ("http_pull", 30, 60_000)
    assert "messages/pull" in wrangler("queues", "info", "jobs")
    wrangler("queues", "consumer", "http", "remove", "jobs")
    assert consumers() == []


@pytest.fixture(scope="module")
def database(daemon):
    return daemon.v4("POST", "/accounts/{account}/d1/database", {"name": "for-wrangler"}).result["name"]


def config(directory, daemon):
    id = daemon.v4("GET", "/accounts/{account}/d1/database/for-wrangler?fields=uuid").result["uuid"]
    (directory / "wrangler.json").write_text(json.dumps({
        "name": "w", "compatibility_date": "2026-03-01",
        "d1_databases": [{"binding": "DB", "database_name": "for-wrangler", "database_id": id}]}))


def test_databases(wrangler):
    assert "wrangler-made" in wrangler("d1", "create", "wrangler-made")
    wrangler("d1", "create", "wrangler-made", expect=1)
    assert "already exists" in wrangler.out.decode() + wrangler.err
    listed = json.loads(wrangler("d1", "list", "--json"))
    assert "wrangler-made" in [d["name"] for d in listed]
    info = json.loads(wrangler("d1", "info", "wrangler-made", "--json"))
    assert info["name"] == "wrangler-made" and info["num_tables"] == 0 and info["database_size"] == 4096
    wrangler("d1", "delete", "wrangler-made", "--skip-confirmation")
    wrangler("d1", "info", "wrangler-made", expect=1)
    assert "Couldn't find a D1 DB" in wrangler.out.decode() + wrangler.err


def asked(wrangler, database, sql):
    return json.loads(wrangler("d1", "execute", database, "--remote", "--json", "--command", sql))


def test_commands_and_files(wrangler, database, tmp_path):
    done = asked(wrangler, database, "DROP TABLE IF EXISTS t; CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'é') RETURNING *")
    assert done[2]["results"] == [{"a": 1, "b": "é"}] and done[2]["success"]
    wrangler("d1", "execute", database, "--remote", "--command", "SELEC 1", expect=1)
    assert "syntax error" in wrangler.out.decode() + wrangler.err
    (tmp_path / "file.sql").write_text("".join(f"INSERT INTO t VALUES ({i}, 'x');\n" for i in range(2000)))
    said = wrangler("d1", "execute", database, "--remote", "--file", "file.sql", "--yes")
    assert "2000" in said, said
    assert asked(wrangler, database, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 2001}]
    (tmp_path / "bad.sql").write_text("INSERT INTO t VALUES (7, 7);\nINSERT INTO none VALUES (1);\n")
    wrangler("d1", "execute", database, "--remote", "--file", "bad.sql", "--yes", expect=1)
    assert "no such table" in wrangler.out.decode() + wrangler.err
    assert asked(wrangler, database, "SELECT count(*) AS n FROM t")[0]["results"] == [{"n": 2001}]


def test_an_export(wrangler, database, tmp_path):
    asked(wrangler, database, "CREATE TABLE IF NOT EXISTS e (a); DELETE FROM e; INSERT INTO e VALUES ('it''s')")
    wrangler("d1", "export", database, "--remote", "--output", "all.sql")
    assert "VALUES('it''s')" in (tmp_path / "all.sql").read_text()
    wrangler("d1", "export", database, "--remote", "--output", "schema.sql", "--no-data", "--table", "e")
    text = (tmp_path / "schema.sql").read_text()
    assert "CREATE TABLE" in text and "INSERT" not in text


def test_migrations(wrangler, database, daemon, tmp_path):
    config(tmp_path, daemon)
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / "0001_first.sql").write_text("CREATE TABLE migrated (a);\nINSERT INTO migrated VALUES (1);\n")
    assert "0001_first.sql" in wrangler("d1", "migrations", "list", database, "--remote")
    wrangler("d1", "migrations", "apply", database, "--remote")
    assert "No migrations to apply" in wrangler("d1", "migrations", "list", database, "--remote")
    assert asked(wrangler, database, "SELECT a FROM migrated")[0]["results"] == [{"a": 1}]


def test_time_travel(wrangler, database):
    asked(wrangler, database, "CREATE TABLE IF NOT EXISTS tt (a); DELETE FROM tt; INSERT INTO tt VALUES (1)")
    bookmark = json.loads(wrangler("d1", "time-travel", "info", database, "--json"))["bookmark"]
    asked(wrangler, database, "DELETE FROM tt")
    restored = json.loads(wrangler("d1", "time-travel", "restore", database, "--bookmark", bookmark, "--json"))
    assert restored["previous_bookmark"] > bookmark
    assert asked(wrangler, database, "SELECT a FROM tt")[0]["results"] == [{"a": 1}]
