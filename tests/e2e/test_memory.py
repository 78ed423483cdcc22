"""The resident set of the process stays within --memory, at any number of rows, any width and any size of a cell, also
when the budget is the smallest that the plan takes. Only in a release tree: a sanitizer has a memory of its own."""

import json
import pathlib
import re
import threading
import time

import pytest

from conftest import FULL, data_files

MIB = 1 << 20

PIPELINE = """
name: measured
consumer:
  postgres:
    dsn: {url}
{source}
loaders:
  - parquet:
      path: lake
{loader}
"""


def run_measured(levada, memory, *more):
    """The report of a run, and the peak of its resident set: what the kernel says while it runs, and what it says itself.
    (wait4 would not do: its figure has the parent's pages from before the exec.)"""
    child = levada.start("run", "p.yaml", "--json", "--memory", f"{memory}", *more)
    peak = 0
    status = pathlib.Path(f"/proc/{child.pid}/status")
    result = []
    reader = threading.Thread(target=lambda: result.append(child.communicate()))
    reader.start()
    while reader.is_alive():
        try:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            # Before the exec it is still Python that is measured.
            if found and "levada" in status.with_name("cmdline").read_text().split("\0")[0]:
                peak = max(peak, int(found[1]) * 1024)
        except OSError:
            pass
        time.sleep(0.01)
    reader.join()
    out, err = result[0]
    assert child.returncode == 0, err
    report = json.loads(out)
    return report, max(peak, report["peak_memory_bytes"])


def minimum(levada):
    """In whole MiB, as a refusal says it."""
    ran = levada("run", "p.yaml", "--quiet", "--memory", "1MiB", expect=12)
    return int(re.search(r"--memory (\d+)MiB", ran.err)[1]) + 1


def wide(columns, rows, expression="g + {i}"):
    listed = ", ".join(f"{expression.format(i=i)} as c{i}" for i in range(columns))
    return f"select {listed} from generate_series(1, {rows}) g"


MILLION = 1_000_000
CASES = {
    "a million rows of one column": (f"select g from generate_series(1, {MILLION}) g", ""),
    "ten million rows of one column": (f"select g from generate_series(1, {10 * MILLION}) g", ""),
    "a million rows of 16 columns": (wide(16, MILLION // (1 if FULL else 2)), ""),
    "500 columns": (wide(500, 200_000 if FULL else 20_000), ""),
    "500 columns of text": (wide(500, 100_000 if FULL else 3_000, "md5((g + {i})::text)"), ""),
    "100 columns without NULL or repetition": (wide(100, 200_000 if FULL else 20_000, "random() + {i}"), "dictionary: on"),
    "cells of a megabyte": (f"select g, repeat(md5(g::text), 32768) t from generate_series(1, {1000 if FULL else 150}) g", ""),
    "some cells of a megabyte among small ones": (
        "select g, case when g % 997 = 0 then repeat(md5(g::text), 32768) else md5(g::text) end t "
        f"from generate_series(1, {1_000_000 if FULL else 100_000}) g", ""),
    "arrays": (f"select g, array(select generate_series(g, g + 20)) a from generate_series(1, {200_000 if FULL else 50_000}) g", ""),
    "sixteen directories at once": (f"select g, g % 16 p, md5(g::text) t from generate_series(1, {MILLION // 10}) g",
                                    "partition_by: [p]"),
    "no compression, one row group after another": (
        f"select g, md5(g::text) t from generate_series(1, {MILLION // 2}) g", "codec: none\n      row_group_rows: 32768"),
}


@pytest.mark.parametrize("case", CASES)
def test_the_smallest_budget_is_kept(server, levada, case):
    sql, loader = CASES[case]
    levada.write("p.yaml", PIPELINE.format(url=server.url(), source=f"    query: \"{sql}\"", loader="      " + loader))
    budget = minimum(levada)
    report, peak = run_measured(levada, f"{budget}MiB")
    assert peak <= budget * MIB, f"{peak / MIB:.1f} of {budget} MiB"
    assert report["rows"] > 0 and data_files(levada.directory / "lake")


@pytest.fixture(scope="module")
def heap(server):
    server.execute("drop table if exists heap; create table heap as select g id, md5(g::text) a, repeat(md5((g + 1)::text), 4) b "
                   f"from generate_series(1, {MILLION // 4}) g")
    server.execute("vacuum (analyze, freeze) heap")


@pytest.mark.parametrize("budget", [96, 160, 256])
@pytest.mark.parametrize("source", ["connections: 2", "partition: { by: id, size: 25000 }", "connections: 4"])
def test_a_larger_budget_is_kept_too(server, levada, heap, budget, source):
    """With more room more goes on at a time, but not more than there is room for."""
    levada.write("p.yaml", PIPELINE.format(url=server.url(), source=f"    table: heap\n    {source}", loader="") +
                 "parallel: { partitions: 4 }\n")
    if minimum(levada) > budget:
        pytest.skip("below the minimum of this plan")
    report, peak = run_measured(levada, f"{budget}MiB")
    assert report["rows"] == MILLION // 4
    assert peak <= budget * MIB, f"{peak / MIB:.1f} of {budget} MiB"


@pytest.mark.parametrize("stage", ["dedupe: { key: [k], keep: last }", "dedupe: { key: [k, t] }",
                                   "validate: { unique: [k, t, g], columns: { g: { unique: true } } }"])
def test_rows_that_are_compared_keep_it(server, levada, stage):
    rows = (20 if FULL else 2) * MILLION
    sql = f"select g, g % {rows // 3} k, md5((g % 1000)::text) t from generate_series(1, {rows}) g"
    levada.write("p.yaml", PIPELINE.format(url=server.url(), source=f"    query: \"{sql}\"", loader="") +
                 f"transformers: [{{ {stage} }}]\n")
    budget = minimum(levada)
    report, peak = run_measured(levada, f"{budget}MiB")
    assert 0 < report["rows"] <= rows
    assert peak <= budget * MIB, f"{peak / MIB:.1f} of {budget} MiB"


def test_readback_and_several_loaders_keep_it(server, levada, heap):
    levada.write("p.yaml", PIPELINE.format(url=server.url(), source="    table: heap", loader="") +
                 "  - parquet: { path: other, codec: snappy }\nverify: readback\n")
    budget = minimum(levada)
    _, peak = run_measured(levada, f"{budget}MiB")
    assert peak <= budget * MIB, f"{peak / MIB:.1f} of {budget} MiB"
