"""The daemon itself: first start, directory, stop, and what it says to strangers."""

import json
import os
import re
import signal
import socket
import stat
import subprocess

import pytest

from conftest import BINARY, Daemon, flip, wait_until
from s3_client import S3, refused


def test_a_first_start_makes_an_account_and_shows_its_token_once(fresh):
    fresh.start()
    assert re.fullmatch(r"[0-9a-f]{32}", fresh.account) and fresh.token.startswith("levada_")
    assert fresh.v4("GET", "/accounts").result[0]["id"] == fresh.account
    assert fresh.stop() == 0
    token = fresh.token
    fresh.start()
    assert "token" not in fresh.ready
    assert fresh.v4("GET", "/user/tokens/verify", token=token).result["status"] == "active"
    kept = b"".join(p.read_bytes() for p in fresh.data.rglob("*") if p.is_file())
    assert token.encode() not in kept and token not in fresh.logged()


def test_the_directory_is_its_owners_alone(fresh):
    fresh.start()
    assert stat.S_IMODE(os.stat(fresh.data).st_mode) == 0o700
    for name in ("master.key", "admin.sock"):
        assert stat.S_IMODE(os.stat(fresh.data / name).st_mode) & 0o077 == 0, name


def test_a_second_daemon_is_refused(fresh):
    fresh.start()
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 75 and "LV7501" in ran.stderr and str(fresh.data) in ran.stderr, ran
    assert fresh.v4("GET", "/user").status == 200


def test_a_port_that_is_taken_is_said(fresh):
    fresh.start()
    other = Daemon(fresh.root / "other")
    other.root.mkdir()
    ran = subprocess.run([BINARY, "serve", "--data", str(other.data), "--listen", f"127.0.0.1:{fresh.port}"],
                         capture_output=True, text=True, timeout=30)
    assert ran.returncode == 40 and str(fresh.port) in ran.stderr, ran


@pytest.mark.parametrize("why", ["the port is taken", "no certificate", "the account has no token"])
def test_a_start_that_fails_leaves_no_token_and_the_next_one_shows_it(fresh, why):
    options = ["--data", str(fresh.data), "--s3-listen", "127.0.0.1:0"]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        if why == "the port is taken":
            options += ["--listen", f"127.0.0.1:{taken.getsockname()[1]}"]
        else:
            options += ["--listen", "127.0.0.1:0", "--tls-certificate", "none.pem", "--tls-key", "none.pem"]
        assert subprocess.run([BINARY, "serve", *options], capture_output=True, timeout=30).returncode in (11, 40)
    assert json.loads(fresh.command("account", "list", "--json").stdout)["accounts"] == []
    if why == "the account has no token":
        fresh.command("account", "create", "mine")
    fresh.start()
    assert fresh.token.startswith("levada_") and fresh.v4("GET", "/accounts").result[0]["id"] == fresh.account
    fresh.stop()
    fresh.start()
    assert "token" not in fresh.ready


def test_a_directory_of_something_else_is_not_taken_over(fresh):
    fresh.data.mkdir()
    (fresh.data / "thesis.txt").write_text("mine")
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 10 and "thesis.txt" in ran.stderr, ran


def test_a_newer_layout_is_refused(fresh):
    fresh.start()
    fresh.stop()
    (fresh.data / "VERSION").write_text("layout=9\nreader=9\n")
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 10 and "LV1022" in ran.stderr, ran


def test_a_damaged_version_is_not_taken_for_a_newer_one(fresh):
    fresh.start()
    fresh.stop()
    (fresh.data / "VERSION").write_text("lay\x2fut=1\nreader=1\n")
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 40 and str(fresh.data / "VERSION") in ran.stderr, ran


def test_a_store_with_a_damaged_log_is_named_and_stays_closed(fresh):
    fresh.start()
    space = fresh.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    values = f"/accounts/{{account}}/storage/kv/namespaces/{space}/values"
    for i in range(100):
        fresh.v4("PUT", f"{values}/{i}", "v" * 1000)
    fresh.kill()
    log, = (fresh.data / "kv").glob("*.log")
    flip(log, 50_000)
    fresh.start()
    for method, body in (("GET", None), ("PUT", "new"), ("DELETE", None)):
        answer = fresh.v4(method, f"{values}/1", body)
        assert answer.status == 500 and "damaged on disk" in answer.error[2], (method, answer)
    assert fresh.v4("GET", f"/accounts/{{account}}/storage/kv/namespaces/{space}/keys").status == 500
    assert f"{fresh.data}/kv" in fresh.logged() and "levada fsck" in fresh.logged()
    metrics = fresh.request("GET", "/metrics").body.decode()
    assert 'levada_store_open{store="kv"} 0' in metrics and 'levada_store_open{store="r2"} 1' in metrics, metrics
    bucket = fresh.v4("POST", "/accounts/{account}/r2/buckets", {"name": "sound"})
    assert bucket.status == 200, bucket
    assert fresh.v4("PUT", "/accounts/{account}/r2/buckets/sound/objects/key", "v").status == 200
    assert fresh.v4("GET", "/accounts/{account}/r2/buckets/sound/objects/key").body == b"v"
    fresh.stop()
    flip(log, 50_000)
    fresh.start()
    assert fresh.v4("GET", f"{values}/1").body == b"v" * 1000


@pytest.mark.parametrize("listen", ["8787", ":8787", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x"])
def test_an_address_that_is_none_is_refused(fresh, listen):
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", listen], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 10 and "ADDRESS:PORT" in ran.stderr, ran
    assert not fresh.data.exists()


def test_a_master_key_that_others_may_read_is_refused(fresh):
    fresh.start()
    fresh.stop()
    (fresh.data / "master.key").chmod(0o644)
    ran = subprocess.run([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                         timeout=30)
    assert ran.returncode == 10 and "chmod 0600" in ran.stderr, ran


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_when_told_and_lets_a_request_end(fresh, number):
    fresh.start()
    space = fresh.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    connection = socket.create_connection(("127.0.0.1", fresh.port), timeout=30)
    connection.sendall(f"PUT /client/v4/accounts/{fresh.account}/storage/kv/namespaces/{space}/values/k HTTP/1.1\r\n"
                       f"Host: x\r\nAuthorization: Bearer {fresh.token}\r\nContent-Length: 1\r\n"
                       "Expect: 100-continue\r\n\r\n".encode())
    # The request is in its handler then, and no longer in the socket's queue, which ends with the listener.
    assert connection.recv(1000).startswith(b"HTTP/1.1 100")
    fresh.process.send_signal(number)
    wait_until(lambda: "stopping" in fresh.logged(), "it has heard")
    connection.sendall(b"v")
    assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    connection.close()
    assert fresh.process.wait(30) in (0, 128 + number)
    with pytest.raises(OSError):
        fresh.connect().request("GET", "/health")


def test_health_needs_no_token(daemon):
    answer = daemon.request("GET", "/health", token="")
    assert (answer.status, answer.body) == (200, b"ok\n")


@pytest.mark.parametrize("path", ["/health", "/metrics"])
def test_what_watches_the_daemon_gets_an_id_like_everybody(fresh, path):
    fresh.start("--log-requests", "all")
    for token in (fresh.token, "wrong"):
        ray = fresh.request("GET", path, token=token).headers.get_all("cf-ray")
        assert len(ray) == 1 and re.fullmatch("[0-9a-f]{16}", ray[0])
        wait_until(lambda: f'"request":"{ray[0]}"' in fresh.logged(), "the request is logged")


def test_a_header_of_the_workers_listener_is_refused_here(daemon):
    assert daemon.v4("GET", "/accounts", headers={"X-Levada-Binding": "x"}).status == 400


@pytest.mark.parametrize("target", ["/", "/client", "/client/v4", "/client/v4/zones", "/client/v4/accounts/x/unknown",
                                    "/client/v4/accounts/%zz", "/client/v4//accounts"])
def test_what_is_no_route_says_so_in_the_clients_words(daemon, target):
    answer = daemon.request("GET", target)
    status, code, message = answer.error
    assert (status, code) == (404, 7003) and "Could not route to" in message
    assert answer.headers["cf-ray"]
    wait_until(lambda: answer.headers["cf-ray"] in daemon.logged(), "the request is logged")
    assert "no such route" in daemon.logged()


def test_a_method_that_a_path_has_not_is_405(daemon):
    assert daemon.v4("PATCH", "/user").status == 405


@pytest.mark.parametrize("header, code", [
    (None, 10000), ("", 10000), ("Bearer", 10000), ("Basic dTpw", 10000), ("Bearer wrong", 1000),
])
def test_without_a_valid_token_nothing_is_said(daemon, header, code):
    headers = {} if header is None else {"Authorization": header}
    status, got, _ = daemon.v4("GET", "/accounts", headers=headers, token="").error
    assert (status, got) == (401, code)


def test_whoami(daemon):
    assert daemon.v4("GET", "/user").result["email"].endswith("@levada.local")
    assert [m["account"]["id"] for m in daemon.v4("GET", "/memberships?page=1").result] == [daemon.account]
    assert daemon.v4("GET", "/memberships?page=2").result == []
    assert daemon.v4("GET", "/accounts?page=2").result == []
    assert daemon.v4("GET", "/accounts/{account}").result["name"] == "default"


def test_ready_text_has_what_a_client_needs(fresh):
    process = subprocess.Popen([BINARY, "serve", "--data", str(fresh.data), "--listen", "127.0.0.1:0", "--s3-listen",
                                "127.0.0.1:0"], stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, text=True, env={**os.environ, "NO_COLOR": "1"})
    try:
        lines = []
        while not lines or not lines[-1].startswith("ready"):
            lines.append(process.stdout.readline())
            assert lines[-1], lines
        text = "".join(lines)
        said = dict(re.findall(r"(?m)^  export (\w+)=(\S+)$", text))
        assert set(said) == {"CLOUDFLARE_API_BASE_URL", "CLOUDFLARE_ACCOUNT_ID", "CLOUDFLARE_API_TOKEN", "AWS_ENDPOINT_URL",
                             "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}, text
        s3 = S3(said["AWS_ENDPOINT_URL"], said["AWS_ACCESS_KEY_ID"], said["AWS_SECRET_ACCESS_KEY"])
        assert s3.client.list_buckets()["Buckets"] == []
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


@pytest.mark.parametrize("path", ["event_subscriptions/subscriptions", "hyperdrive/configs", "r2/buckets/b/domains/custom", "r2/buckets/b/lock"])
def test_a_service_that_is_not_here_is_said(daemon, path):
    status, code, message = daemon.v4("GET", f"/accounts/{{account}}/{path}").error
    assert (status, code) == (404, 7003) and "not in this version of levada" in message


def test_a_client_of_s3_at_the_address_of_the_api_is_told(daemon):
    token = daemon.issue("all:admin")
    s3 = S3(f"http://127.0.0.1:{daemon.port}", token["s3_access_key_id"], token["s3_secret_access_key"])
    with refused((400, "InvalidRequest")) as caught:
        s3.client.list_buckets()
    assert "S3 is at another one: " + daemon.ready["s3"] in str(caught.value)
    reply = s3.send("GET", s3.client.generate_presigned_url("get_object", {"Bucket": "photos", "Key": "k"}))
    assert reply.code == "InvalidRequest" and f"<RequestId>{reply.headers['x-amz-request-id']}</RequestId>".encode() in reply.body


def test_what_is_stored_is_for_its_owner_alone(fresh):
    """Whatever the umask, for the data directory may be opened to others one day."""
    before = os.umask(0)
    try:
        fresh.start()
    finally:
        os.umask(before)
    space = fresh.v4("POST", "/accounts/{account}/storage/kv/namespaces", {"title": "s"}).result["id"]
    fresh.v4("PUT", f"/accounts/{{account}}/storage/kv/namespaces/{space}/values/k", "v" * 10_000)
    fresh.v4("POST", "/accounts/{account}/r2/buckets", {"name": "bucket"})
    assert fresh.v4("PUT", "/accounts/{account}/r2/buckets/bucket/objects/k", b"v" * 200_000).status == 200
    found = [fresh.data, *fresh.data.rglob("*")]
    assert {path.name for path in found} >= {"control.db", "LOCK", "VERSION", "master.key", "blobs"}
    assert [(path, oct(path.lstat().st_mode)) for path in found if path.lstat().st_mode & 0o077] == []
