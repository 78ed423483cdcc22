"""A clock that goes backwards, between runs and while one runs: what is published stays, nothing is done twice or lost.
libfaketime answers for the clock; steady time is left alone, as a machine's is."""

import glob
import json

import pytest

from conftest import Proxy, data_files, leftovers, read_table

LIBRARIES = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
pytestmark = pytest.mark.skipif(not LIBRARIES, reason="needs the Debian package libfaketime")

PIPELINE = """
name: daily
run: {{ every: day, column: at, start: 2026-01-01 }}
consumer:
  postgres:
    dsn: {url}
    table: dated
loaders:
  - parquet: {{ path: lake, layout: "day={{run.start:%Y-%m-%d}}" }}
"""


def clock(levada, said):
    """The environment in which the clock begins at `said`, and can be set again by writing the file."""
    (levada.directory / "clock").write_text(f"@{said}")
    return {"LD_PRELOAD": LIBRARIES[0], "FAKETIME_TIMESTAMP_FILE": str(levada.directory / "clock"), "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


@pytest.fixture(autouse=True)
def dated(server):
    server.execute("""drop table if exists dated; create table dated(id int primary key, at timestamptz not null, note text);
        insert into dated select g, timestamptz '2026-01-01 00:00+00' + g * interval '20 minutes', repeat(md5(g::text), 30)
        from generate_series(0, 719) g""")


def days(levada):
    return sorted({name.split("/")[0] for name in data_files(levada.directory / "lake")})


def test_between_runs(server, levada):
    levada.write("p.yaml", PIPELINE.format(url=server.url()))
    levada("run", "p.yaml", "--quiet", env=clock(levada, "2026-01-06 12:00:00"), expect=0)
    lake = levada.directory / "lake"
    assert days(levada) == [f"day=2026-01-0{d}" for d in range(1, 6)]
    before = data_files(lake)

    back = clock(levada, "2026-01-03 12:00:00")
    ran = levada("run", "p.yaml", env=back, expect=0)
    assert "nothing" in (ran.out + ran.err).lower(), ran
    assert data_files(lake) == before, "what is published stays, though its windows are not closed by this clock"
    assert '"published"' in levada("status", "p.yaml", "--json", env=back, expect=0).out
    levada("status", "p.yaml", "--rebuild", "--json", env=back, expect=0)

    levada("run", "p.yaml", "--quiet", env=clock(levada, "2026-01-08 12:00:00"), expect=0)
    now = data_files(lake)
    assert days(levada) == [f"day=2026-01-0{d}" for d in range(1, 8)]
    assert {name: now[name] for name in before} == before, "nothing was done again"
    assert read_table(lake).num_rows == 7 * 72


def test_replacing_a_run_of_the_future(server, levada):
    """Generations and revisions order runs, not times."""
    levada.write("p.yaml", PIPELINE.format(url=server.url()))
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-02", env=clock(levada, "2030-01-01 00:00:00"), expect=0)
    first = data_files(levada.directory / "lake")
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-02", "--replace", env=clock(levada, "2026-02-01 00:00:00"), expect=0)
    second = data_files(levada.directory / "lake")
    assert sorted(first.values()) == sorted(second.values()) and not set(first) & set(second)


def test_going_on_with_a_run_that_was_begun_in_the_future(server, levada):
    levada.write("p.yaml", PIPELINE.format(url=server.url()))
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-02", expect=-9,
           env=clock(levada, "2030-01-01 00:00:00") | {"LEVADA_FAILPOINTS": "publish.intent_written=kill"})
    levada("run", "p.yaml", "--quiet", "--window", "2026-01-02", env=clock(levada, "2026-02-01 00:00:00"), expect=0)
    assert read_table(levada.directory / "lake").num_rows == 72
    assert leftovers(levada.directory / "lake") == []


def test_while_it_runs(server, levada):
    server.execute("drop table if exists dated; create table dated as select g id, timestamptz '2026-01-01 00:00+00' at, "
                   "repeat(md5(g::text), 10) note from generate_series(1, 30000) g")
    proxy = Proxy(server.port, hold_after=400_000)
    levada.write("p.yaml", PIPELINE.format(url=server.url(port=proxy.port)))
    child = levada.start("run", "p.yaml", "--json", env=clock(levada, "2026-01-02 12:00:00"))
    assert proxy.held.wait(30)
    (levada.directory / "clock").write_text("@2020-01-01 00:00:00")
    proxy.open_gate()
    out, err = child.communicate(timeout=60)
    proxy.close()
    assert child.returncode == 0, err
    report = json.loads(out)
    assert report["rows"] == 30000 and report["seconds"] >= 0
    assert report["runs"][0]["seconds"] >= 0
    assert read_table(levada.directory / "lake").num_rows == 30000
    assert "published" in levada("status", "p.yaml", expect=0).out
