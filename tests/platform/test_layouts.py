"""Directories of older levadas (testdata/layouts, layouts.py): all of it is read, by a first start that was killed again and again
too, and a levada that is older than a directory leaves it as it is."""

import hashlib
import random
import re
import shutil
import subprocess

import pytest

from conftest import BINARY, memory_or_disk, scratch_root
from layouts import FAKE_TIME, FOLDER, LIBRARY, Unpacked, differences, lines_of

ARCHIVES = sorted(FOLDER.glob("*.tar.xz"))
needs_all = pytest.mark.skipif(not (LIBRARY.exists() and FAKE_TIME), reason="needs libchdb and the Debian package libfaketime")
KILLS, KILLED_WITHIN_S = 4, (0.05, 0.3, 1.5)  # a store is opened, all of them are, the engine takes points


@pytest.fixture(params=ARCHIVES, ids=lambda path: path.name.removesuffix(".tar.xz"))
def left(request):
    root = scratch_root(memory_or_disk())
    unpacked = Unpacked(root, request.param)
    yield unpacked
    unpacked.daemon.remove()
    shutil.rmtree(root, ignore_errors=True)


def assert_all_is_there(left):
    left.await_points()
    wrong = left.wrong(left.manifest["questions"])
    assert not wrong, "\n".join(wrong)


def assert_sound(left):
    """Nothing that fsck finds, and of everything as much as there was, or what has become of it since: `more`."""
    report = left.fsck()
    assert report["clean"] and not [found for found in report["findings"] if found["kind"] != "leftover"], report
    return report["checked"]


def test_the_layout_of_today_has_an_archive(fresh):
    fresh.start()
    fresh.stop()
    layout = re.search(r"layout=(\d+)", (fresh.data / "VERSION").read_text())[1]
    assert [path for path in ARCHIVES if path.name.startswith(f"layout{layout}-")], "run make_layout_fixture.py"


@needs_all
def test_all_of_it_is_read(left):
    checked = assert_sound(left)
    assert {name: checked.get(name) for name in left.manifest["checked"]} == left.manifest["checked"]
    left.start()
    assert_all_is_there(left)
    assert left.daemon.stop() == 0
    assert_sound(left)
    left.start()
    assert_all_is_there(left)
    wrong = left.wrong(left.manifest["steps"])
    assert not wrong, "\n".join(wrong)
    assert left.daemon.stop() == 0
    assert_sound(left)


@needs_all
@pytest.mark.parametrize("seed", range(3))
def test_first_starts_that_are_killed_lose_nothing(left, seed):
    chance = random.Random(seed)
    for _ in range(KILLS):
        begun = left.begin()
        try:
            begun.wait(chance.uniform(0, chance.choice(KILLED_WITHIN_S)))
            raise AssertionError(f"the daemon ended by itself: {begun.returncode}")
        except subprocess.TimeoutExpired:
            begun.kill()
            begun.wait()
    assert_sound(left)
    left.start()
    assert_all_is_there(left)
    wrong = left.wrong(left.manifest["steps"])
    assert not wrong, "\n".join(wrong)


def contents(data):
    return {str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "a directory"
            for path in sorted(data.rglob("*")) if path.name != "LOCK"}


def test_what_is_newer_is_left_as_it_is(left):
    (left.daemon.data / "VERSION").write_text("layout=1000\nreader=1000\n")
    before = contents(left.daemon.data)
    for command in (["serve", "--listen", "127.0.0.1:0", "--s3-listen", "127.0.0.1:0"], ["fsck"], ["token", "list", "--account", "default"],
                    ["account", "list"], ["audit"]):
        ran = subprocess.run([BINARY, *command, "--data", str(left.daemon.data)], capture_output=True, text=True, timeout=60,
                             stdin=subprocess.DEVNULL)
        assert ran.returncode == 10 and "LV1022" in ran.stderr, (command, ran)
        assert "layout 1000" in ran.stderr and "written by a newer levada" in ran.stderr
        assert contents(left.daemon.data) == before, command


@needs_all
def test_what_is_newer_but_can_be_read_is_read_and_stays_newer(left):
    version = left.daemon.data / "VERSION"
    layout = left.manifest["layout"]
    version.write_text(f"layout=1000\nreader={layout}\n")
    left.start()
    assert_all_is_there(left)
    left.daemon.stop()
    assert version.read_text() == f"layout=1000\nreader={layout}\n"


def test_more_may_be_said_and_nothing_else():
    recorded = lines_of({"result": [{"id": "a"}, {"id": "b"}], "none": [], "text": "x" * 1000})
    assert not differences(recorded, lines_of({"result": [{"id": "a", "new": 1}, {"id": "b", "new": 2}], "none": [], "text": "x" * 1000}))
    for other in ({"result": [{"id": "a"}], "none": [], "text": "x" * 1000}, {"result": [{"id": "b"}, {"id": "a"}], "none": [], "text": "x" * 1000},
                  {"result": [{"id": "a"}, {"id": "b"}, {"id": "c"}], "none": [], "text": "x" * 1000},
                  {"result": [{"id": "a"}, {"id": "b"}], "none": [1], "text": "x" * 1000},
                  {"result": [{"id": "a"}, {"id": "b"}], "none": [], "text": "y" * 1000}):
        assert differences(recorded, lines_of(other))
