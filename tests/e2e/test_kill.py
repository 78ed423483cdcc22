"""T7: the process is killed at every named step and at random moments, connections are cut, the disk fills up. Each time
the next run must end with the data files an undisturbed run leaves, byte for byte, and repeat at most what was in flight."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import BINARY, data_files, leftovers, read_table

FULL = os.environ.get("LEVADA_TEST_SIZE") == "all"
ROWS = 60_000
RANDOM_KILLS = 1000 if FULL else 110

FAILPOINTS = re.findall(r'^    "([a-z_.]+)",', (pathlib.Path(__file__).parents[2] / "src/base/failpoint.h").read_text(),
                        re.M)

PIPELINE = """
name: victim
consumer:
  postgres:
    dsn: {url}
    table: victim
    partition: {{ by: id, size: 20000 }}
    connections: {connections}
transformers:
  - rename: {{ note: remark }}
loaders:
  - parquet: {{ path: lake, row_group_rows: 32768 }}
retry: {{ backoff: 10ms, backoff_max: 50ms }}
"""


@pytest.fixture(scope="module", autouse=True)
def table(server):
    server.execute(f"""
        drop table if exists victim;
        create table victim(id bigint primary key, amount numeric(15,2), at timestamptz, note text);
        insert into victim select g, g / 7.0, timestamptz '2026-01-01' + g * interval '1 second',
          case when g % 11 = 0 then null else repeat(md5(g::text), 1 + g::int % 5) end
          from generate_series(1, {ROWS}) g""")
    server.execute("vacuum (analyze, freeze) victim")


def prepare(levada, server, connections=1, port=None):
    levada.write("p.yaml", PIPELINE.format(url=server.url(port=port), connections=connections))


@pytest.fixture(scope="module")
def undisturbed(server, tmp_path_factory):
    """What the lake looks like after one run, and after a second that replaced it."""
    from conftest import Levada

    levada = Levada(tmp_path_factory.mktemp("undisturbed"))
    prepare(levada, server)
    levada("run", "p.yaml", "--quiet", expect=0)
    first = data_files(levada.directory / "lake")
    levada("run", "p.yaml", "--quiet", expect=0)
    second = data_files(levada.directory / "lake")
    assert len(first) == len(second) >= 3
    assert sorted(first.values()) == sorted(second.values()), "the same rows give the same bytes"
    assert not set(first) & set(second), "a replacing run has names of its own"
    return first, second


def finish(levada):
    """Runs until done; a broken state would fail here."""
    done = levada("run", "p.yaml", "--json", expect=0).json()
    assert leftovers(levada.directory / "lake") == []
    manifests = list((levada.directory / "lake" / "_levada").glob("*.json"))
    assert [m.name for m in manifests if "split" not in m.name] == ["all.json"]
    return done


@pytest.mark.parametrize("failpoint", FAILPOINTS)
@pytest.mark.parametrize("hit", [1, 2])
@pytest.mark.parametrize("action", ["kill", "error"])
def test_first_run_survives_every_step(server, levada, undisturbed, failpoint, hit, action):
    first, second = undisturbed
    prepare(levada, server)
    ran = levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": f"{failpoint}={action}@{hit}"},
                 expect=-signal.SIGKILL if action == "kill" else None) if reached(levada, failpoint, hit, action) else None
    published_before = data_files(levada.directory / "lake") if (levada.directory / "lake").exists() else {}
    assert set(published_before.items()) <= set(first.items()), "only finished partitions are visible"
    finished = (levada.directory / "lake/_levada/all.json").exists()
    finish(levada)
    # A kill after the commit point left a finished run; the next run of a whole table then replaces it.
    assert data_files(levada.directory / "lake") == (second if finished else first), ran


def reached(levada, failpoint, hit, action):
    """Failpoints of a replacing run, of discards and of second hits are not passed by every first run."""
    probe = subprocess.run([BINARY, "run", "p.yaml", "--quiet", "--state", "probe-state"], cwd=levada.directory,
                           env=levada.environment({"LEVADA_FAILPOINTS": f"{failpoint}=kill@{hit}"}), capture_output=True)
    shutil.rmtree(levada.directory / "lake", ignore_errors=True)
    shutil.rmtree(levada.directory / "probe-state", ignore_errors=True)
    return probe.returncode == -signal.SIGKILL


@pytest.mark.parametrize("failpoint", FAILPOINTS)
def test_replacing_run_survives_every_step(server, levada, undisturbed, failpoint):
    first, second = undisturbed
    prepare(levada, server)
    levada("run", "p.yaml", "--quiet", expect=0)
    manifest = levada.directory / "lake/_levada/all.json"
    before = json.loads(manifest.read_text())["revision"]
    killed = subprocess.run([BINARY, "run", "p.yaml", "--quiet"], cwd=levada.directory, capture_output=True,
                            env=levada.environment({"LEVADA_FAILPOINTS": f"{failpoint}=kill"}))
    now = data_files(levada.directory / "lake")
    if (levada.directory / "lake/_SUCCESS").exists():
        assert now in (first, second), "a reader that honours _SUCCESS never sees a mix"
    decided = json.loads(manifest.read_text())["revision"] > before
    if killed.returncode == -signal.SIGKILL and not decided:
        finish(levada)
        assert data_files(levada.directory / "lake") == second
    else:
        finish(levada)
        assert sorted(data_files(levada.directory / "lake").values()) == sorted(first.values())


@pytest.mark.parametrize("connections", [1, 2])
def test_random_kills(server, levada, undisturbed, connections):
    """Kills at random moments until the promised number is reached; every finished dataset is checked whole."""
    chance = random.Random(connections)
    prepare(levada, server, connections)
    levada("run", "p.yaml", "--quiet", expect=0)
    whole = sorted(data_files(levada.directory / "lake").values())
    if connections == 1:
        assert whole == sorted(undisturbed[0].values())
    begin = time.monotonic()
    shutil.rmtree(levada.directory / "lake")
    levada("run", "p.yaml", "--quiet", expect=0)
    duration = time.monotonic() - begin
    shutil.rmtree(levada.directory / "lake")
    kills = published_twice = 0
    while kills < RANDOM_KILLS / 2:
        child = levada.start("run", "p.yaml", "--quiet")
        time.sleep(chance.uniform(0, duration * 1.1))
        child.kill()
        child.communicate()
        if child.returncode == -signal.SIGKILL:
            kills += 1
        if kills % 5 == 0 or child.returncode == 0:
            finish(levada)
            assert sorted(data_files(levada.directory / "lake").values()) == whole
            assert read_table(levada.directory / "lake").num_rows == ROWS
            if chance.random() < 0.5:
                shutil.rmtree(levada.directory / "lake")
    assert published_twice == 0


def test_a_lost_ledger_loses_nothing(server, levada, undisturbed):
    prepare(levada, server)
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-signal.SIGKILL)
    shutil.rmtree(levada.directory / ".levada")
    report = finish(levada)
    attempts = [p["attempts"] for p in report["runs"][0]["partitions"]]
    assert attempts == [0, 1, 1], "the published partition is not repeated"
    assert data_files(levada.directory / "lake") == undisturbed[0]


class Proxy:
    """Forwards to the server and cuts every connection after `limit` bytes from it, `cuts` times."""

    def __init__(self, port, limit, cuts):
        self.port_of_server, self.limit, self.cuts, self.made = port, limit, cuts, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.port_of_server))
            threading.Thread(target=self._pump, args=(client, server, None), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, self.limit), daemon=True).start()

    def _pump(self, source, target, limit):
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if limit is not None and passed > limit and self.made < self.cuts:
                    self.made += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("limit", [30_000, 300_000, 900_000])
def test_cut_connections_are_retried(server, levada, limit, connections, undisturbed):
    proxy = Proxy(server.port, limit, cuts=2)
    prepare(levada, server, connections, proxy.port)
    report = levada("run", "p.yaml", "--json", expect=0).json()
    proxy.close()
    assert proxy.made == 2
    assert sum(p["attempts"] for p in report["runs"][0]["partitions"]) > 3
    assert leftovers(levada.directory / "lake") == []
    if connections == 1:
        assert data_files(levada.directory / "lake") == undisturbed[0]
    assert read_table(levada.directory / "lake").num_rows == ROWS


def test_a_source_that_stays_away_is_exit_20_and_leaves_nothing(server, levada):
    proxy = Proxy(server.port, 30_000, cuts=10**6)
    prepare(levada, server, port=proxy.port)
    ran = levada("run", "p.yaml", "--quiet", expect=20)
    proxy.close()
    assert "LV2002" in ran.err
    assert data_files(levada.directory / "lake") == {}
    prepare(levada, server)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_disk_is_exit_40_and_the_next_run_goes_on(server, levada, undisturbed):
    lake = levada.directory / "lake"
    lake.mkdir()
    prepare(levada, server)
    total = 3 * max(os.path.getsize(p) for p in [*pathlib.Path(levada.directory).rglob("*.yaml")]) + 900 * 1024
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={total}", "tmpfs", str(lake)], check=True)
    try:
        ran = levada("run", "p.yaml", "--quiet")
        assert ran.status in (40, 50), ran
        assert "LV4002" in ran.err
        assert leftovers(lake) == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(lake)], check=True)
        finish(levada)
        assert data_files(lake) == undisturbed[0]
    finally:
        subprocess.run(["umount", str(lake)], check=True)


def test_two_processes_race_and_one_wins(server, levada, undisturbed):
    prepare(levada, server)
    for _ in range(20):
        shutil.rmtree(levada.directory / "lake", ignore_errors=True)
        racers = [levada.start("run", "p.yaml", "--quiet") for _ in range(2)]
        for racer in racers:
            racer.communicate()
        statuses = sorted(r.returncode for r in racers)
        assert statuses in ([0, 75], [0, 0]), "the loser is told, or came after"
        got = data_files(levada.directory / "lake")
        assert sorted(got.values()) == sorted(undisturbed[0].values())


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_within_a_second_and_the_next_run_goes_on(server, levada, undisturbed, sent):
    prepare(levada, server)
    child = levada.start("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=pause@2"})
    deadline = time.monotonic() + 30
    while not list((levada.directory).glob("lake/_levada/all/p0000.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    child.send_signal(sent)
    begin = time.monotonic()
    child.communicate(timeout=10)
    assert time.monotonic() - begin < 2
    assert child.returncode == 128 + sent
    finish(levada)
    assert data_files(levada.directory / "lake") == undisturbed[0]
