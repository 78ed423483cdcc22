"""The process is killed, failed or stopped at every named step and killed at random moments, connections are cut, the
disk fills up. Each time the next run must end with the data files an undisturbed run leaves, byte for byte, and repeat at
most the partitions that were in flight."""

import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pytest

from conftest import FULL, SOURCE, Levada, Proxy, data_files, leftovers, read_table

ROWS = 12_000
RANDOM_KILLS = 1000 if FULL else 110

FAILPOINTS = re.findall(r'^    "([a-z_.]+)",', (SOURCE / "src/base/failpoint.h").read_text(), re.M)

# Two directories, so that one partition publishes several files.
PIPELINE = """
name: victim
consumer:
  postgres:
    dsn: {url}
    table: victim
    {reading}
transformers:
  - rename: {{ note: remark }}
loaders:
  - parquet: {{ path: lake, row_group_rows: 32768, partition_by: [side] }}
retry: {{ backoff: 10ms, backoff_max: 50ms }}
"""


@pytest.fixture(scope="module", autouse=True)
def table(server):
    server.execute(f"""
        drop table if exists victim;
        create table victim(id bigint primary key, amount numeric(15,2), at timestamptz, note text, side text);
        insert into victim select g, g / 7.0, timestamptz '2026-01-01' + g * interval '1 second',
          case when g % 11 = 0 then null else repeat(md5(g::text), 1 + g::int % 5) end, case g % 2 when 0 then 'L' else 'R' end
          from generate_series(1, {ROWS}) g""")
    server.execute("vacuum (analyze, freeze) victim")


# Four partitions (the last one empty) of one connection each, or one partition that two connections read at once.
READING = {1: "partition: { by: id, size: 4000 }", 2: "connections: 2"}


def prepare(levada, server, connections=1, port=None):
    levada.write("p.yaml", PIPELINE.format(url=server.url(port=port), reading=READING[connections]))


class Undisturbed:
    """What the lake looks like after one run, and after a second that replaced it; `published` is a copy of the first."""

    def __init__(self, server, directory):
        levada = Levada(directory)
        prepare(levada, server)
        levada("run", "p.yaml", "--quiet", expect=0)
        self.first = data_files(directory / "lake")
        self.published = directory / "published"
        shutil.copytree(directory / "lake", self.published / "lake")
        shutil.copytree(directory / ".levada", self.published / ".levada")
        levada("run", "p.yaml", "--quiet", expect=0)
        self.second = data_files(directory / "lake")


@pytest.fixture(scope="module")
def undisturbed(server, module_scratch):
    undisturbed = Undisturbed(server, module_scratch)
    first, second = undisturbed.first, undisturbed.second
    assert len(first) == len(second) == 7, "two files of each partition with rows, one of the empty one"
    assert sorted(first.values()) == sorted(second.values()), "the same rows give the same bytes"
    assert not set(first) & set(second), "a replacing run has names of its own"
    return undisturbed


def records(levada):
    """Partitions of the begun run whose publication is decided: recorded, or on their way behind a durable intent."""
    root = levada.directory / "lake/_levada"
    try:
        revision = json.loads((root / "all.split.json").read_text())["revision"]
    except FileNotFoundError:
        return set()
    found = [json.loads(path.read_text()) for path in (root / "all").glob("p*.json")]
    found = [f.get("record", f) for f in found]  # an intent holds the record to come
    return {f["partition"] for f in found if f["revision"] == revision}


def finish(levada):
    """Runs until done; whatever is broken fails here."""
    done = levada("run", "p.yaml", "--json", expect=0).json()
    assert leftovers(levada.directory / "lake") == []
    manifests = list((levada.directory / "lake" / "_levada").glob("*.json"))
    assert sorted(m.name for m in manifests if "split" not in m.name) == ["all.json"]
    assert (levada.directory / "lake/_SUCCESS").exists()
    return done


def repeated(report):
    return {p["id"] for run in report["runs"] for p in run["partitions"] if not p["published_before"]}


def revision(levada):
    manifest = levada.directory / "lake/_levada/all.json"
    return json.loads(manifest.read_text())["revision"] if manifest.exists() else -1


def disturb(levada, failpoint, action, hit):
    """One run that is killed, failed or stopped at a step. False if it did not pass there."""
    environment = {"LEVADA_FAILPOINTS": f"{failpoint}={'pause' if action == 'stop' else action}@{hit}"}
    if action != "stop":
        ran = levada("run", "p.yaml", "--quiet", env=environment, any_signal=True)
        if action == "kill":
            return ran.status == -signal.SIGKILL
        assert ran.status in (0, 40, 50, 70), ran
        return ran.status != 0
    child = levada.start("run", "p.yaml", "--quiet", env=environment)
    levada.until_idle(child)
    begin = time.monotonic()
    child.send_signal(signal.SIGINT if len(failpoint) % 2 else signal.SIGTERM)
    child.communicate(timeout=30)
    # The promise is a second; a busy machine may be late by another half.
    assert time.monotonic() - begin < 1.5, failpoint
    assert child.returncode in (0, 130, 143)
    return child.returncode != 0


PASSED = set()


# Steps that are finished whatever was asked for meanwhile. They are short, but a pause there is none: nothing would end it.
NOT_STOPPED = {"ledger.before_commit", "discard.before_remove"}


@pytest.mark.parametrize("failpoint", FAILPOINTS)
@pytest.mark.parametrize("action, hit", [("kill", 1), ("kill", 2), ("error", 1), ("error", 2), ("stop", 1)])
def test_first_run_survives_every_step(server, levada, undisturbed, failpoint, action, hit):
    if action == "stop" and failpoint in NOT_STOPPED:
        pytest.skip("is finished in any case")
    prepare(levada, server)
    if disturb(levada, failpoint, action, hit):
        PASSED.add((failpoint, action))
    lake = levada.directory / "lake"
    assert set(data_files(lake).items()) <= set(undisturbed.first.items()), "only finished partitions are visible"
    finished = (lake / "_levada/all.json").exists()
    assert finished or not (lake / "_SUCCESS").exists(), "_SUCCESS stands for the whole"
    decided = records(levada)
    report = finish(levada)
    # What passed the commit point was a finished run; the next run of a whole table then replaces it.
    assert data_files(lake) == (undisturbed.second if finished else undisturbed.first)
    if not finished:
        assert not repeated(report) & decided, "a published partition is not done again"


@pytest.mark.parametrize("failpoint", FAILPOINTS)
@pytest.mark.parametrize("action", ["kill", "error", "stop"])
def test_replacing_run_survives_every_step(server, levada, undisturbed, failpoint, action):
    if action == "stop" and failpoint in NOT_STOPPED:
        pytest.skip("is finished in any case")
    prepare(levada, server)
    shutil.copytree(undisturbed.published, levada.directory, dirs_exist_ok=True)
    lake = levada.directory / "lake"
    before = revision(levada)
    if disturb(levada, failpoint, action, 1):
        PASSED.add((failpoint, action))
    now, new = data_files(lake), revision(levada) > before
    if (lake / "_SUCCESS").exists():
        assert now in (undisturbed.first, undisturbed.second), "who honours _SUCCESS never sees a mix"
    split = json.loads((lake / "_levada/all.split.json").read_text())
    decided = records(levada) if split["revision"] > before and not new else set()
    report = finish(levada)
    if not new:
        assert data_files(lake) == undisturbed.second
        assert not repeated(report) & decided, "a staged partition is not done again"
    else:
        assert sorted(data_files(lake).values()) == sorted(undisturbed.first.values())


def test_every_step_was_passed():
    """Or the two campaigns above have tested nothing there. Errors of the ledger are only warned about, and what follows a
    discard or the report is the end anyway."""
    assert {f for f, a in PASSED if a == "kill"} >= set(FAILPOINTS) - {"discard.before_remove"}
    assert {f for f, a in PASSED if a == "error"} >= set(FAILPOINTS) - {"discard.before_remove", "ledger.before_commit"}


@pytest.mark.parametrize("action", ["kill", "error"])
@pytest.mark.parametrize("cause", ["load.done=error", "publish.intent_written=error", "publish.file_renamed=error@2",
                                   "publish.before_record=error"])
def test_discarding_survives_too(server, levada, undisturbed, action, cause):
    prepare(levada, server)
    ran = levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": f"{cause},discard.before_remove={action}"},
                 any_signal=True)
    assert ran.status in ((-signal.SIGKILL,) if action == "kill" else (50, 70)), ran
    finish(levada)
    assert data_files(levada.directory / "lake") == undisturbed.first


@pytest.mark.parametrize("connections", [1, 2])
def test_random_kills(server, levada, undisturbed, connections):
    """Kills at random moments until the promised number is reached; every finished dataset is checked whole."""
    chance = random.Random(connections)
    prepare(levada, server, connections)
    lake = levada.directory / "lake"
    begin = time.monotonic()
    levada("run", "p.yaml", "--quiet", expect=0)
    duration = time.monotonic() - begin
    whole = sorted(data_files(lake).values())
    if connections == 1:
        assert whole == sorted(undisturbed.first.values())
    else:
        assert len(whole) == 4, "two files of each connection"
    shutil.rmtree(lake)
    kills = checked = 0
    while kills < RANDOM_KILLS / 2:
        child = levada.start("run", "p.yaml", "--quiet")
        time.sleep(chance.uniform(0, duration * 1.1))
        child.kill()
        child.communicate()
        killed = child.returncode == -signal.SIGKILL
        kills += killed
        if kills % 4 == 0 or not killed:
            decided = records(levada) if revision(levada) < 0 else set()
            report = finish(levada)
            assert not repeated(report) & decided
            assert sorted(data_files(lake).values()) == whole
            checked += 1
            if chance.random() < 0.6:
                shutil.rmtree(lake)
    finish(levada)
    assert read_table(lake).num_rows == ROWS and checked > 5


def test_kills_again_and_again_until_done_make_progress(server, levada, undisturbed):
    """Each start is killed after one more partition is recorded; no start does a recorded one again."""
    prepare(levada, server)
    for round_ in range(1, 5):
        levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.recorded=kill"}, expect=-signal.SIGKILL)
        assert len(records(levada)) == round_
    report = finish(levada)
    assert repeated(report) == set()
    assert data_files(levada.directory / "lake") == undisturbed.first


def test_a_lost_ledger_loses_nothing(server, levada, undisturbed):
    prepare(levada, server)
    levada("run", "p.yaml", "--quiet", env={"LEVADA_FAILPOINTS": "publish.before_intent=kill@2"}, expect=-signal.SIGKILL)
    shutil.rmtree(levada.directory / ".levada")
    report = finish(levada)
    attempts = [p["attempts"] for p in report["runs"][0]["partitions"]]
    assert attempts == [0, 1, 1, 1], "the published partition is not repeated"
    assert data_files(levada.directory / "lake") == undisturbed.first


@pytest.mark.parametrize("connections", [1, 2])
@pytest.mark.parametrize("limit", [50, 3_000, 60_000, 300_000])
def test_cut_connections_are_retried(server, levada, undisturbed, limit, connections):
    """While connecting, while describing, in the middle of a COPY."""
    proxy = Proxy(server.port, cut_after=limit, cuts=2)
    prepare(levada, server, connections, proxy.port)
    ran = levada("run", "p.yaml", "--json")
    # Before the first partition there is no attempt to repeat: such a cut is told, and the next run goes on.
    if ran.status == 20 and limit <= 3_000:
        assert data_files(levada.directory / "lake") == {}
        ran = levada("run", "p.yaml", "--json")
        if ran.status == 20:
            ran = levada("run", "p.yaml", "--json")
    assert ran.status == 0, ran
    proxy.close()
    assert proxy.made == 2
    if limit > 3_000:
        partitions = ran.json()["runs"][0]["partitions"]
        assert sum(p["attempts"] for p in partitions) > len(partitions)
    assert leftovers(levada.directory / "lake") == []
    if connections == 1:
        assert data_files(levada.directory / "lake") == undisturbed.first
    assert read_table(levada.directory / "lake").num_rows == ROWS


def test_a_source_that_stays_away_is_exit_20_and_leaves_nothing(server, levada):
    proxy = Proxy(server.port, cut_after=60_000, cuts=10**6)
    prepare(levada, server, port=proxy.port)
    ran = levada("run", "p.yaml", "--quiet", expect=20)
    proxy.close()
    assert "LV2002" in ran.err
    assert data_files(levada.directory / "lake") == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
@pytest.mark.parametrize("percent", [0, 20, 45, 70, 95])
def test_a_full_disk_is_exit_40_and_the_next_run_goes_on(server, levada, undisturbed, percent):
    """From a disk that holds nothing at all to one where the last partition does not fit."""
    lake = levada.directory / "lake"
    lake.mkdir()
    prepare(levada, server)
    needed = sum((undisturbed.published / "lake" / f).stat().st_size for f in undisturbed.first)
    kilobytes = max(4, needed * percent // 100 // 1024)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(lake)], check=True)
    try:
        ran = levada("run", "p.yaml", "--quiet")
        assert ran.status in (40, 50), ran
        assert "LV4002" in ran.err, ran
        assert leftovers(lake) == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(lake)], check=True)
        decided = records(levada)
        report = finish(levada)
        assert data_files(lake) == undisturbed.first
        assert not repeated(report) & decided
    finally:
        subprocess.run(["umount", str(lake)], check=True)


def test_two_processes_race_and_one_wins(server, levada, undisturbed):
    prepare(levada, server)
    for _ in range(100 if FULL else 12):
        shutil.rmtree(levada.directory / "lake", ignore_errors=True)
        racers = [levada.start("run", "p.yaml", "--quiet") for _ in range(2)]
        for racer in racers:
            racer.communicate()
        statuses = sorted(r.returncode for r in racers)
        assert statuses in ([0, 75], [0, 0]), "the loser is told, or came after"
        got = data_files(levada.directory / "lake")
        assert sorted(got.values()) == sorted(undisturbed.first.values())
