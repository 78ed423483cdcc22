"""The configuration file of `levada serve`: what it may say, and what is said about mistakes in it."""

import json
import os
import pathlib
import re
import subprocess

import pytest

from conftest import BINARY, Daemon, wait_until


def written(daemon, text):
    path = daemon.root / "serve.yaml"
    path.write_text(text)
    return str(path)


def problems(daemon, text, *options):
    """[(code, "line:column" of the file or "-" of the command line, message, help)] in the order told."""
    ran = subprocess.run([BINARY, "serve", "--config", written(daemon, text), "--error-format=json", *options],
                         capture_output=True, text=True, timeout=30, env={**os.environ, "WORD": "abc"}, cwd=daemon.root)
    assert ran.returncode == 10 and not ran.stdout, ran
    error, = [json.loads(line) for line in ran.stderr.splitlines() if line.startswith('{"code"')]
    assert not (daemon.root / "levada-data").exists(), "refused before anything is made"
    return [(p["code"], f"{p['line']}:{p['column']}" if p["file"].endswith("serve.yaml") else p["file"], p["message"], p["help"])
            for p in error["diagnostics"]]


MISTAKES = {
    "a key with a slip": ("listten: 127.0.0.1:1\n", [("LV1002", "1:1", 'unknown key "listten"', 'did you mean "listen"?')]),
    "dashes as on the command line": ("tls-key: k\n", [("LV1002", "1:1", "tls-key", "tls_key")]),
    "a key of a limit": ("limits:\n  conections: 5\n", [("LV1002", "2:3", "conections", "connections")]),
    "several at once": ("listen: 8787\nmetrics: public\nslow_request: 3\n",
                        [("LV1005", "2:10", 'expected one of "token", "open", "off"', ""),
                         ("LV1005", "3:15", "a duration", "")]),
    "a port alone": ("listen: 8787\n", [("LV1005", "1:9", "ADDRESS:PORT", "127.0.0.1:8787")]),
    "a port that is none": ("listen: 127.0.0.1:65536\n", [("LV1005", "1:9", "ADDRESS:PORT", "")]),
    "half of TLS": ("# a comment\ntls_key: key.pem\n", [("LV1003", "2:10", 'needs "tls_certificate"', "together")]),
    "a list": ("- listen: x\n", [("LV1004", "1:1", "got a list", "")]),
    "a word alone": ("serve\n", [("LV1004", "1:1", 'got "serve"', "")]),
    "a level": ("log_level: verbose\n", [("LV1005", "1:12", "log_level", "")]),
    "a number as text": ('limits: { connections: "5" }\n', [("LV1004", "1:24", "connections", "quotes")]),
    "too few": ("limits: { connections: 0 }\n", [("LV1005", "1:24", "1 to 1000000", "")]),
    "no time to serve": ("limits: { idle_timeout: 1ms }\n", [("LV1005", "1:25", "at least 100ms", "")]),
    "a size": ("limits: { header: lots }\n", [("LV1005", "1:19", "header", "")]),
    "twice": ("data: a\ndata: b\n", [("LV1006", "2:1", "data", "")]),
    "a variable that is not set": ("data: ${env:NO_SUCH_VARIABLE}\n", [("LV1008", "1:7", "NO_SUCH_VARIABLE", "")]),
    "a variable with a wrong value": ("metrics: ${env:WORD}\n", [("LV1005", "1:10", "token", "")]),
    "a tab": ("limits:\n\tconnections: 5\n", [("LV1001", "2:1", "tab", "spaces")]),
    "not YAML": ("listen: [\n", [("LV1001", "1:9", "never closed", "]")]),
    "a pipeline": ("name: orders\nconsumer:\n  sqlite: {}\n", [("LV1002", "1:1", '"name"', ""), ("LV1002", "2:1", "consumer", "")]),
}


@pytest.mark.parametrize("title", MISTAKES)
def test_a_mistake_is_told_with_its_place(fresh, title):
    text, expected = MISTAKES[title]
    found = problems(fresh, text)
    assert len(found) == len(expected), found
    for (code, place, message, help), (got_code, got_place, got_message, got_help) in zip(expected, found):
        assert (got_code, got_place) == (code, place), found
        assert message in got_message and help in got_help, found


def test_a_mistake_on_the_command_line_is_not_the_files(fresh):
    found = problems(fresh, "metrics: open\nlisten: 127.0.0.1:1\n", "--listen", "8787")
    assert [(code, place) for code, place, _, _ in found] == [("LV1005", "<command line>")]


def test_a_file_that_is_not_there_is_said(fresh):
    written(fresh, "")
    ran = fresh.command("serve", "--config", str(fresh.root / "serv.yaml"), expect=10)
    assert "LV1018" in ran.stderr and "serve.yaml" in ran.stderr


def test_the_file_says_what_the_command_line_does_not(fresh):
    config = written(fresh, f"""
data: {fresh.data}
master_key: {fresh.root}/key
metrics: open
log_format: text
log_level: debug
listen: 127.0.0.1:1   # nobody may listen there
limits:
  connections: 3
  header: 8KiB
""")
    fresh.start("--config", config)
    assert fresh.port != 1 and (fresh.root / "key").exists() and not (fresh.data / "master.key").exists()
    assert fresh.request("GET", "/metrics", token="").status == 200
    assert fresh.v4("GET", "/accounts", headers={"X-Large": "x" * 9000}).status == 431
    wait_until(lambda: re.search(r"(?m)^\d\d:\d\d:\d\d\.\d{3} debug ", fresh.logged()), "a line at level debug")
    fresh.stop()
    ran = subprocess.run([BINARY, "token", "list", "--config", config], capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0 and "first start" in ran.stdout, ran
    fresh.start("--config", config, "--metrics", "off", "--log-level", "warning")
    assert fresh.request("GET", "/metrics").status == 404


@pytest.mark.parametrize("arguments, status, words", [
    (("serve", "--config", "none.yaml"), 10, ("none.yaml", "help: ", "--config")),
    (("serve", "--tls-certificate", "none.pem", "--tls-key", "none.pem"), 11, ("none.pem", "help: ", "--tls-certificate")),
    (("serve", "--tls-certificate", "serve.yaml", "--tls-key", "serve.yaml"), 11, ("no PEM", "help: ", "BEGIN CERTIFICATE")),
    (("serve", "--master-key", "serve.yaml"), 10, ("64 hex digits", "help: ", "backed up")),
    (("serve", "--listen", "127.0.0.1:1", "--listen", "127.0.0.1:2"), 10, ('"--listen" is given twice', "help: ")),
    (("token", "list", "--account", "a", "--account=b"), 10, ('"--account" is given twice',)),
    (("serve", "/srv/levada"), 10, ("takes no arguments", "help: ", "--data")),
    (("fsck", "/srv/levada"), 10, ("takes no arguments", "help: ", "--data")),
    (("token", "create", "--expires", "-1d"), 10, ("expected a duration",)),
    (("token", "create", "-1d"), 10, ('unknown option "-1d"',)),
])
def test_a_slip_is_told_with_what_to_do(fresh, arguments, status, words):
    config = pathlib.Path(written(fresh, "nonsense\n"))
    config.chmod(0o600)
    ran = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=30, cwd=fresh.root)
    assert ran.returncode == status and all(word in ran.stderr for word in words), ran


def test_the_environment_names_the_directory_that_nothing_else_does(fresh):
    fresh.start()
    fresh.stop()
    def listed(*options, data=fresh.data):
        ran = subprocess.run([BINARY, "token", "list", *options], capture_output=True, text=True, timeout=30, cwd=fresh.root,
                             env={**os.environ, "LEVADA_DATA": str(data)})
        return ran.returncode, ran.stdout + ran.stderr
    status, said = listed()
    assert status == 0 and "first start" in said
    status, said = listed(data="elsewhere")
    assert status == 10 and '"elsewhere" is no data directory' in said
    assert listed("--data", str(fresh.data), data="elsewhere")[0] == 0
    assert listed("--config", written(fresh, f"data: {fresh.data}\n"), data="elsewhere")[0] == 0


@pytest.mark.parametrize("wanted", [None, 10_000])
def test_fewer_connections_are_a_warning_to_who_wanted_more(fresh, wanted):
    config = written(fresh, f"limits: {{ connections: {wanted} }}\n" if wanted else "")
    process = subprocess.Popen(["prlimit", "--nofile=8000:8000", BINARY, "serve", "--data", fresh.data, "--listen", "127.0.0.1:0",
                                "--s3-listen", "127.0.0.1:0", "--config", config], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    while not process.stdout.readline().startswith("ready"):
        assert process.poll() is None
    process.terminate()
    _, log = process.communicate(timeout=30)
    line, = [line for line in map(json.loads, log.splitlines()) if line.get("connections")]
    assert line["connections"] == (8000 - 2304) // 4
    assert (line["level"], "ulimit -n" in line.get("help", "")) == (("warning", True) if wanted else ("info", False))


def test_an_empty_file_says_nothing(fresh):
    fresh.start("--config", written(fresh, "# nothing yet\n"))
    assert fresh.v4("GET", "/accounts").status == 200


def test_connections_beyond_the_limit_wait(fresh):
    fresh.start("--config", written(fresh, "limits: { connections: 2 }\n"))
    first, second = fresh.connect(), fresh.connect()
    for connection in (first, second):
        connection.request("GET", "/health")
        assert connection.getresponse().read() == b"ok\n"
    third = fresh.connect(timeout=0.3)
    third.request("GET", "/health")
    with pytest.raises(TimeoutError):
        third.getresponse()
    third.close()
    first.close()
    fourth = fresh.connect()
    fourth.request("GET", "/health")
    assert fourth.getresponse().status == 200


def test_the_schema_has_every_key(fresh):
    schema = json.loads(subprocess.run([BINARY, "schema", "--serve"], check=True, capture_output=True, text=True).stdout)
    assert {"data", "listen", "limits", "log_level"} <= set(schema["properties"]) and schema["additionalProperties"] is False
    assert all(option["description"] for option in schema["properties"].values())
    help = subprocess.run([BINARY, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    for key in set(schema["properties"]) - {"limits", "d1"}:
        assert "--" + key.replace("_", "-") in help
