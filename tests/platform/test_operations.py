"""What an operator sees of the daemon: its log, its metrics, its configuration, its signals."""

import json
import os
import random
import re
import signal
import socket
import ssl
import subprocess

import pytest
from prometheus_client.parser import text_string_to_metric_families

from conftest import BINARY, wait_until

SPACES = "/accounts/{account}/storage/kv/namespaces"


def lines(daemon, **fields):
    """The lines of the log with these values."""
    found = [json.loads(line) for line in daemon.logged().splitlines() if line.startswith("{")]
    return [line for line in found if fields.items() <= line.items()]


def line_of(daemon, answer):
    """The line that has the answer's id: written behind the answer."""
    return wait_until(lambda: lines(daemon, request=answer.headers["cf-ray"]), "the request is logged")[0]


# ---- the log


def test_a_refused_request_is_logged_with_its_id_and_without_its_token(fresh):
    fresh.start()
    answer = fresh.v4("GET", "/accounts?page=7", token="levada_hunter2")
    line = line_of(fresh, answer)
    assert (line["message"], line["level"], line["status"], line["door"]) == ("request refused", "info", 401, "api")
    assert (line["method"], line["path"], line["peer"]) == ("GET", "/client/v4/accounts?page", "127.0.0.1")
    assert "hunter2" not in fresh.logged()


def test_an_unknown_route_is_logged(fresh):
    fresh.start()
    line = line_of(fresh, fresh.request("GET", "/client/v4/zones"))
    assert (line["message"], line["status"]) == ("no such route", 404)


def test_ordinary_requests_are_logged_when_all_are_wanted(fresh):
    fresh.start()
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    fresh.v4("GET", f"{SPACES}/{space}/values/none")
    fresh.stop()
    assert not lines(fresh, door="api")
    fresh.start("--log-requests", "all")
    made = fresh.issue("kv:write")
    answer = fresh.v4("PUT", f"{SPACES}/{space}/values/k?expiration_ttl=3600", "the value", token=made["token"])
    line = line_of(fresh, answer)
    assert (line["message"], line["level"], line["status"]) == ("request", "info", 200)
    assert line["path"].endswith(f"/{space}/values/k?expiration_ttl") and "3600" not in line["path"]
    assert (line["account"], line["token"]) == (fresh.account, made["token_id"])
    assert line["bytes_in"] > len("the value") and line["bytes_out"] > len(answer.body) and line["ms"] > 0
    assert "the value" not in fresh.logged() and made["token"] not in fresh.logged()


def test_a_slow_request_is_logged(fresh):
    fresh.start("--slow-request", "1ms")
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    line = line_of(fresh, fresh.v4("PUT", f"{SPACES}/{space}/values/k", b"v" * (20 << 20)))
    assert line["message"] == "slow request" and line["ms"] >= 1


def test_the_log_names_what_the_answer_does_not(fresh):
    fresh.start()
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    fresh.v4("PUT", f"{SPACES}/{space}/values/k", random.Random(1).randbytes(1 << 20))
    for _ in range(2):  # the second start brings it from the log into a file of its own
        fresh.stop()
        fresh.start()
    fresh.stop()
    blob, = [path for path in (fresh.data / "kv").glob("*.blob") if path.stat().st_size > 1 << 19]
    with open(blob, "r+b") as file:
        file.seek(1 << 19)
        file.write(b"x")
    fresh.start()
    answer = fresh.v4("GET", f"{SPACES}/{space}/values/k")
    assert answer.status == 500 and "blob" not in answer.body.decode()
    line = line_of(fresh, answer)
    assert (line["level"], line["message"]) == ("error", "request failed") and "LV4008" in line["cause"]


def test_a_log_for_people(fresh):
    fresh.start("--log-format", "text", "--log-requests", "all")
    answer = fresh.v4("GET", "/user")
    wait_until(lambda: answer.headers["cf-ray"] in fresh.logged(), "the request is logged")
    assert "door=api method=GET path=/client/v4/user status=200" in fresh.logged()


@pytest.mark.parametrize("options, word", [
    (("--log-requests", "some"), '"all", "notable"'), (("--slow-request", "soon"), "250ms"),
])
def test_options_of_the_log_that_cannot_be(fresh, options, word):
    assert word in fresh.command("serve", *options, expect=10).stderr


# ---- metrics


class Metrics:
    """What /metrics says, read by Prometheus' own parser and held to what the format asks for beyond what that refuses."""

    NAME = re.compile(r"[a-z][a-z0-9_]*")

    def __init__(self, text):
        assert text.endswith("\n")
        self.values, self.types = {}, {}
        heads = re.findall(r"(?m)^# (HELP|TYPE) (\S+)", text)
        assert [kind for kind, _ in heads] == ["HELP", "TYPE"] * (len(heads) // 2)
        assert len({name for kind, name in heads if kind == "TYPE"}) == len(heads) // 2, "a family stands in one place"
        for family in text_string_to_metric_families(text):
            assert self.NAME.fullmatch(family.name) and family.documentation
            self.types[family.name] = family.type
            for sample in family.samples:
                key = (sample.name, frozenset(sample.labels.items()))
                assert key not in self.values, f"twice: {key}"
                assert all(self.NAME.fullmatch(label) for label in sample.labels)
                self.values[key] = sample.value
            if family.type == "counter":
                assert all(s.name == family.name + "_total" and s.value >= 0 for s in family.samples)
            if family.type == "histogram":
                self.check_histogram(family)
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        assert len(lines) == len(self.values), "each line is a sample"

    def check_histogram(self, family):
        series = {}
        for sample in family.samples:
            labels = frozenset((k, v) for k, v in sample.labels.items() if k != "le")
            one = series.setdefault(labels, {"buckets": []})
            if sample.name == family.name + "_bucket":
                one["buckets"].append((float(sample.labels["le"].replace("+Inf", "inf")), sample.value))
            else:
                one[sample.name.removeprefix(family.name + "_")] = sample.value
        for one in series.values():
            assert one["buckets"] == sorted(one["buckets"]) and one["buckets"][-1] == (float("inf"), one["count"])
            assert [n for _, n in one["buckets"]] == sorted(n for _, n in one["buckets"]) and one["sum"] >= 0

    def __getitem__(self, name):
        name, _, labels = name.partition("{")
        wanted = set(re.findall(r'(\w+)="([^"]*)"', labels))
        return sum(value for (known, has), value in self.values.items() if known == name and wanted <= has)


def metrics(daemon, **more):
    answer = daemon.request("GET", "/metrics", **more)
    assert answer.status == 200 and answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Metrics(answer.body.decode())


def test_metrics_count_requests(fresh):
    fresh.start()
    space = fresh.v4("POST", SPACES, {"title": "s"}).result["id"]
    put = f'{{door="api",route="{SPACES}/{{namespace}}/values/{{key*}}",method="PUT"'
    for i in range(20):
        fresh.v4("PUT", f"{SPACES}/{space}/values/{i}", b"v" * 1000)
    fresh.v4("PUT", f"{SPACES}/{space}/values/k?expiration_ttl=1", b"")
    fresh.v4("BREW", "/user")
    fresh.request("GET", "/wp-login.php", token="")
    seen = metrics(fresh)
    assert seen["levada_http_requests_total" + put + ',status="2xx"'] == 20
    assert seen["levada_http_requests_total" + put + ',status="4xx"'] == 1
    assert seen["levada_http_request_duration_seconds_count" + put] == 21
    assert 0 < seen["levada_http_request_duration_seconds_sum" + put] < 60
    assert seen["levada_http_received_bytes_total" + put] > 20_000
    assert seen["levada_http_sent_bytes_total" + put] > 21 * 100
    assert seen['levada_http_requests_total{method="other"'] == 1
    assert seen['levada_http_requests_total{route="none",status="4xx"'] == 2
    assert seen['levada_http_requests_active{door="api"'] == 1, "this one"
    assert seen['levada_http_connections_total{door="api"'] >= 24
    again = metrics(fresh)
    assert again['levada_http_requests_total{route="/metrics"'] == 1
    assert all(again.values[key] >= value for key, value in seen.values.items() if key[0].endswith("_total"))


def test_metrics_show_the_process_and_its_stores(fresh):
    fresh.start()
    fresh.v4("POST", SPACES, {"title": "s"})
    for i in range(3):
        fresh.issue("kv:read", account=fresh.account, name=f"t{i}")
    seen = metrics(fresh)
    for name in ("process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_cpu_seconds_total",
                 "process_start_time_seconds", "levada_uptime_seconds", "levada_disk_free_bytes", "levada_disk_size_bytes",
                 "levada_workers", 'levada_build_info{version="0.1.0"'):
        assert seen[name] > 0, name
    assert seen["levada_uptime_seconds"] < 600
    assert (seen["levada_accounts"], seen["levada_tokens"], seen['levada_resources{kind="namespace"']) == (1, 4, 1)
    assert (seen["levada_disk_full"], seen['levada_store_commits_waiting{store="kv"']) == (0, 0)
    for name in ("records", "table_bytes", "memtable_bytes", "commits_total", "commit_groups_total", "background_errors"):
        assert any(key[0] == f"levada_store_{name}" and ("store", "kv") in key[1] for key in seen.values), name


def test_metrics_need_a_token_that_may_read_them(fresh):
    fresh.start()
    assert fresh.request("GET", "/metrics", token="").error[0] == 401
    assert fresh.request("GET", "/metrics", token=fresh.issue("kv:admin")["token"]).error[0] == 403
    assert fresh.request("POST", "/metrics").status == 404
    metrics(fresh, token=fresh.issue("metrics:read")["token"])
    metrics(fresh, token=fresh.issue("all:read")["token"])


def test_metrics_may_be_open_or_off(fresh):
    fresh.start("--metrics", "open")
    metrics(fresh, token="")
    fresh.stop()
    fresh.start("--metrics", "off")
    assert fresh.request("GET", "/metrics").status == 404


# ---- signals and the service manager


def certificate(directory, name):
    """(chain, key) of a certificate that signs itself."""
    chain, key = directory / f"{name}.pem", directory / f"{name}.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", chain],
                   check=True, capture_output=True)
    key.chmod(0o600)
    return chain, key


def shown_certificate(daemon):
    return ssl.get_server_certificate(("127.0.0.1", daemon.port))


def test_a_hangup_reads_the_certificates_again(fresh):
    chain, key = certificate(fresh.root, "server")
    fresh.start("--tls-certificate", str(chain), "--tls-key", str(key))
    first = chain.read_text()
    assert shown_certificate(fresh) == first
    old = ssl.create_default_context(cafile=chain).wrap_socket(socket.create_connection(("127.0.0.1", fresh.port)),
                                                               server_hostname="127.0.0.1")
    for path, source in zip((chain, key), certificate(fresh.root, "next")):
        path.write_bytes(source.read_bytes())
    second = chain.read_text()
    assert shown_certificate(fresh) == first, "until it is told"
    fresh.process.send_signal(signal.SIGHUP)
    wait_until(lambda: lines(fresh, message="certificates are read again"), "it has heard")
    assert shown_certificate(fresh) == second
    old.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
    assert old.recv(100).startswith(b"HTTP/1.1 200"), "who is connected stays so"
    key.write_text("nonsense")
    fresh.process.send_signal(signal.SIGHUP)
    wait_until(lambda: lines(fresh, level="error"), "it has heard")
    assert shown_certificate(fresh) == second
    assert fresh.stop() == 0


def test_a_hangup_without_certificates_ends_nothing(fresh):
    fresh.start()
    fresh.process.send_signal(signal.SIGHUP)
    wait_until(lambda: lines(fresh, message="certificates are read again"), "it has heard")
    assert fresh.v4("GET", "/user").status == 200


def test_the_service_manager_is_told(fresh, monkeypatch):
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.settimeout(30)
    manager.bind(str(fresh.root / "notify"))
    monkeypatch.setenv("NOTIFY_SOCKET", str(fresh.root / "notify"))
    fresh.start()
    assert manager.recv(1000) == b"READY=1"
    assert fresh.v4("GET", "/user").status == 200
    fresh.process.send_signal(signal.SIGHUP)
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", manager.recv(1000))
    assert manager.recv(1000) == b"READY=1"
    assert fresh.stop() == 0
    assert manager.recv(1000) == b"STOPPING=1"


def test_no_token_gets_into_the_journal(fresh):
    read, write = os.pipe()
    status = os.fstat(write)
    process = subprocess.Popen([BINARY, "serve", "--data", fresh.data, "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"],
                               stdout=write, stderr=subprocess.DEVNULL,
                               env={**os.environ, "JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
    os.close(write)
    with os.fdopen(read) as output:
        text = ""
        while "ready" not in text and (line := output.readline()):
            text += line
    process.terminate()
    assert process.wait(30) in (0, 143)
    assert "levada_" not in text and "levada token create" in text
    assert json.loads(fresh.command("token", "list", "--json").stdout)["tokens"] == []
