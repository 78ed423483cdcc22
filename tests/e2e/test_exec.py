"""Programs of users as stages: real ones, in Python and sh, well behaved and not."""

import os
import pathlib
import re
import shutil
import signal
import sys
import time

import pyarrow as pa
import pytest

from conftest import SOURCE, data_files, leftovers, read_table, wait_until

PYTHON = sys.executable
WITHIN = 1.0  # as test_signals.py has it

PIPELINE = """
name: rows
{run}
consumer:
  exec:
    command: [{command}]
    {options}
{transformers}
loaders:
  - parquet: {{ path: lake }}
retry: {{ attempts: 3, backoff: 10ms }}
{more}
"""

HEAD = """
import os, signal, subprocess, sys, time
import pyarrow as pa
schema = pa.schema([("n", pa.int64()), ("word", pa.string())])
asked = os.environ["LEVADA_ASK"]
def batch(first, count):
    return pa.RecordBatch.from_pydict({"n": range(first, first + count), "word": [f"w{i}" for i in range(first, first + count)]}, schema)
def stream(to=None, its_schema=schema):
    return pa.ipc.new_stream(to or sys.stdout.buffer, its_schema)
"""

WHOLE = """
with stream() as out:
    if asked == "rows":
        for i in range(10):
            out.write_batch(batch(i * 1000, 1000))
"""


def write(levada, program=WHOLE, command=None, options="", transformers="", run="", more="", name="program.py"):
    levada.write(name, HEAD + program)
    command = command or f"{PYTHON}, {name}"
    levada.write("p.yaml", PIPELINE.format(command=command, options=options, transformers=transformers, run=run, more=more))


def transformer(levada, program, options="", name="transform.py"):
    levada.write(name, HEAD + program)
    return f"transformers:\n  - exec:\n      command: [{PYTHON}, {name}]\n      {options}"


def lake(levada):
    return read_table(levada.directory / "lake")


def nothing_published(levada):
    assert data_files(levada.directory / "lake") == {}
    assert leftovers(levada.directory / "lake") == []


def is_gone(pid):
    try:
        return ") Z" in pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return True


# ---- consumers


def test_a_program_is_read_to_its_end(levada):
    write(levada)
    levada("run", "p.yaml", expect=0)
    table = lake(levada)
    assert table.column("n").to_pylist() == list(range(10_000))
    assert table.column("word")[9_999].as_py() == "w9999"


def test_each_partition_is_a_start_that_knows_which_it_is(levada):
    program = """
index, count = int(os.environ.get("LEVADA_PARTITION_INDEX", 0)), int(os.environ.get("LEVADA_PARTITION_COUNT", 1))
assert sys.argv[1] == str(index)
with stream() as out:
    if asked == "rows":
        out.write_batch(batch(index * 100, 100))
        assert count == 4 and os.environ["LEVADA_STAGE"] == "consumer" and os.environ["LEVADA_RUN"] == "all"
"""
    write(levada, program, command=f"{PYTHON}, program.py, '{{partition}}'", options="partitions: 4")
    levada("run", "p.yaml", expect=0)
    assert sorted(lake(levada).column("n").to_pylist()) == list(range(400))
    assert len(data_files(levada.directory / "lake")) == 4


def test_check_starts_nothing_and_plan_says_what_is_started(levada):
    write(levada, "open('started', 'w')\n" + WHOLE)
    levada("check", "p.yaml", expect=0)
    assert not (levada.directory / "started").exists()
    ran = levada("plan", "p.yaml", expect=2)
    assert "program.py" in ran.out and "started anew for each attempt" in ran.out, ran


def test_schema_and_preview_ask_it(levada):
    write(levada)
    assert "word" in levada("schema", "p.yaml", expect=0).out
    ran = levada("preview", "--rows", "3", "p.yaml", expect=0)
    assert "w2" in ran.out and "w3" not in ran.out, ran


@pytest.mark.parametrize("status, code, exit_status", [
    (1, "LV2107", 21), (3, "LV2107", 21), (65, "LV3103", 31), (77, "LV1101", 11), (78, "LV1005", 10), (75, "LV2004", 20)])
@pytest.mark.parametrize("when", ["schema", "rows"])
def test_the_exit_status_says_whose_fault_it_was(levada, status, code, exit_status, when):
    write(levada, WHOLE + f"""
if asked == "{when}":
    sys.stdout.flush()
    print("I give up", file=sys.stderr)
    sys.exit({status})
""")
    ran = levada("run", "p.yaml")
    assert ran.status == exit_status, ran
    assert code in ran.err and "I give up" in ran.err, ran
    nothing_published(levada)


def test_death_by_a_signal_is_tried_again(levada):
    write(levada, """
if asked == "rows" and not os.path.exists("died"):
    open("died", "w")
    os.kill(os.getpid(), signal.SIGSEGV)
""" + WHOLE)
    levada("run", "p.yaml", expect=0)
    assert lake(levada).num_rows == 10_000


def test_a_failure_for_now_is_tried_again_and_published_once(levada):
    write(levada, """
with stream() as out:
    if asked == "rows":
        for i in range(10):
            out.write_batch(batch(i * 1000, 1000))
            if i == 5 and not os.path.exists("failed"):
                open("failed", "w")
                os._exit(75)
""")
    ran = levada("run", "p.yaml", expect=0)
    assert "will try again" in ran.err, ran
    assert lake(levada).column("n").to_pylist() == list(range(10_000))
    assert leftovers(levada.directory / "lake") == []


def test_a_failure_for_now_while_it_is_asked_is_tried_again(levada):
    write(levada, """
if asked == "schema" and not os.path.exists("failed"):
    open("failed", "w")
    sys.exit(75)
""" + WHOLE)
    levada("run", "p.yaml", expect=0)
    assert lake(levada).num_rows == 10_000


@pytest.mark.parametrize("ending", ["os._exit(0)", "sys.stdout.close(); os._exit(0)"])
def test_an_early_end_is_no_end(levada, ending):
    write(levada, f"""
out = stream()
if asked == "rows":
    out.write_batch(batch(0, 1000))
    sys.stdout.flush()
    {ending}
out.close()
""")
    ran = levada("run", "p.yaml", expect=21)
    assert "LV2104" in ran.err and "end marker" in ran.err, ran
    nothing_published(levada)


def test_another_schema_than_it_said_is_drift(levada):
    write(levada, """
other = pa.schema([("n", pa.int64()), ("word", pa.int32())])
with stream(its_schema=schema if asked == "schema" else other) as out:
    pass
""")
    ran = levada("run", "p.yaml", expect=30)
    assert "LV3001" in ran.err and '"word"' in ran.err, ran


@pytest.mark.parametrize("program, code, words", [
    ("print('hello')", "LV2104", "got text"),
    ("sys.stdout.buffer.write(b'ARROW1\\0\\0' * 100)", "LV2104", "Arrow file"),
    ("pass", "LV2104", "got nothing"),
    (WHOLE + "\nprint('done')", "LV2104", "behind the end"),
    ("stream(its_schema=pa.schema([('d', pa.dictionary(pa.int32(), pa.string()))])).close()", "LV1016", "dictionary_decode"),
    ("stream(its_schema=pa.schema([('n', pa.int32()), ('N', pa.int32())])).close()", "LV1012", "twice"),
])
def test_what_is_no_stream_of_ours_is_refused(levada, program, code, words):
    write(levada, program)
    ran = levada("run", "p.yaml")
    assert ran.status in (10, 21) and code in ran.err and words in ran.err, ran


def test_a_batch_has_a_limit_that_can_be_raised(levada):
    program = WHOLE.replace("range(10)", "range(1)").replace("1000, 1000", "1000, 100_000")
    write(levada, program, options="batch_bytes: 1MiB")
    ran = levada("run", "p.yaml", expect=21)
    assert "LV2104" in ran.err and "batch_bytes" in ran.err, ran
    nothing_published(levada)
    write(levada, program, options="batch_bytes: 4MiB")
    levada("run", "p.yaml", expect=0)
    assert lake(levada).num_rows == 100_000


def test_a_length_that_is_a_lie_costs_no_memory(levada):
    write(levada, "sys.stdout.buffer.write(bytes.fromhex('ffffffff ffffff7f') + bytes(1000))")
    ran = levada("run", "p.yaml", expect=21)
    assert "LV2104" in ran.err and "at most" in ran.err, ran


def test_a_text_that_is_none_is_refused(levada):
    write(levada, """
sink = pa.BufferOutputStream()
with stream(sink) as out:
    if asked == "rows":
        out.write_batch(batch(0, 3))
sys.stdout.buffer.write(sink.getvalue().to_pybytes().replace(b"w1", b"\\xff1"))
""")
    ran = levada("run", "p.yaml", expect=31)
    assert "LV3104" in ran.err and '"word"' in ran.err, ran
    nothing_published(levada)


@pytest.mark.parametrize("command, code, exit_status", [
    ("no-such-program", "LV1005", 10), ("./missing.py", "LV1005", 10), ("./plain.txt", "LV1102", 11)])
def test_a_program_that_is_none(levada, command, code, exit_status):
    levada.write("plain.txt", "hello")
    write(levada, command=command)
    ran = levada("run", "p.yaml", expect=exit_status)
    assert code in ran.err and "= help:" in ran.err, ran


@pytest.mark.parametrize("options, words", [
    ("command: [\"python3 x.py\"]", "no shell"), ("command: []", "names no program"),
    ("command: [x, '{run.start:%F}']", "without windows"), ("command: [x]\n    environment: { LEVADA_ASK: y }", "LEVADA_"),
    ("command: [x]\n    partitions: 0", "partitions"), ("command: [x]\n    comand: [y]", "unknown key")])
def test_check_refuses_what_cannot_be(levada, options, words):
    levada.write("p.yaml", f"name: rows\nconsumer:\n  exec:\n    {options}\nloaders:\n  - parquet: {{ path: lake }}\n")
    ran = levada("check", "p.yaml", expect=10)
    assert words in ran.err and "--> p.yaml:" in ran.err and "= help:" in ran.err, ran


def test_a_run_of_windows_is_given_each_and_held_to_it(levada):
    program = """
schema = pa.schema([("at", pa.timestamp("us")), ("day", pa.string())])
with stream(its_schema=schema) as out:
    if asked == "rows":
        start = pa.scalar(os.environ["LEVADA_WINDOW_START"][:10]).cast(pa.timestamp("us")).value
        assert sys.argv[1] == os.environ["LEVADA_RUN"]
        if sys.argv[1] == os.environ.get("WRONG"):
            start += 86_400_000_000
        out.write_batch(pa.RecordBatch.from_pydict({"at": [start, start + 1], "day": [sys.argv[1]] * 2}, schema))
"""
    run = "run: { every: day, column: at, start: 2026-01-01, end: 2026-01-04 }"
    command = f"{PYTHON}, program.py, '{{run.start:%Y-%m-%d}}'"
    write(levada, program, command=command, run=run)
    levada("run", "p.yaml", expect=0)
    assert sorted(lake(levada).column("day").to_pylist()) == sorted([f"2026-01-0{d}" for d in (1, 2, 3)] * 2)
    shutil.rmtree(levada.directory / "lake")
    write(levada, program, command=command, run=run, options="environment: { WRONG: 2026-01-02 }")
    ran = levada("run", "p.yaml", expect=50)
    assert "LV3103" in ran.err and "another one" in ran.err, ran
    write(levada, command=f"{PYTHON}, program.py", run=run)
    ran = levada("plan", "p.yaml", expect=10)
    assert "LV1013" in ran.err and '"at"' in ran.err, ran


def test_a_flood_on_standard_error_is_bounded(levada):
    write(levada, """
for i in range(200_000):
    sys.stderr.write(f"line {i} \\x1b[31m\\n")
""" + WHOLE)
    ran = levada("run", "p.yaml", expect=0)
    assert lake(levada).num_rows == 10_000
    assert "left out" in ran.err and len(ran.err) < 500_000 and "\x1b" not in ran.err, len(ran.err)


def test_a_timeout_ends_a_program_that_hangs(levada):
    write(levada, """
if asked == "rows":
    time.sleep(1000)
""" + WHOLE, options="timeout: 300ms", more="")
    ran = levada("run", "p.yaml", expect=20)
    assert "LV2003" in ran.err, ran


SLOW = """
if asked == "rows":
    child = subprocess.Popen(["sleep", "1000"])
    open("pids.tmp", "w").write(f"{os.getpid()} {child.pid}")
    os.rename("pids.tmp", "pids")
    {stubborn}
    with stream() as out:
        out.write_batch(batch(0, 10))
        sys.stdout.flush()
        while True:
            time.sleep(1)
""" + WHOLE


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("stubborn", ["pass", "signal.signal(signal.SIGTERM, signal.SIG_IGN)"])
def test_a_stop_ends_it_and_all_that_it_started(levada, number, stubborn):
    write(levada, SLOW.replace("{stubborn}", stubborn))
    child = levada.start("run", "p.yaml")
    pids = [int(pid) for pid in wait_until(lambda: (levada.directory / "pids").exists() and
                                           (levada.directory / "pids").read_text().split(), "the program runs")]
    begin = time.monotonic()
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    took = time.monotonic() - begin
    assert child.returncode == 128 + number, err
    assert took < WITHIN, f"{took:.2f} s"
    assert all(is_gone(pid) for pid in pids), pids
    nothing_published(levada)


def test_it_does_not_outlive_a_killed_levada(levada):
    write(levada, SLOW.replace("{stubborn}", "pass"))
    child = levada.start("run", "p.yaml")
    pids = [int(pid) for pid in wait_until(lambda: (levada.directory / "pids").exists() and
                                           (levada.directory / "pids").read_text().split(), "the program runs")]
    child.kill()
    child.communicate(timeout=60)
    wait_until(lambda: is_gone(pids[0]), "the program is gone")
    os.kill(pids[1], signal.SIGKILL)  # it was the program's to end


def test_secrets_are_seen_by_the_program_alone(levada):
    write(levada, """
assert os.environ["TOKEN"] == "hunter22hunter"
print("my token is", os.environ["TOKEN"], file=sys.stderr, flush=True)
if asked == "rows":
    everyone = [open(f"/proc/{pid}/cmdline", "rb").read() for pid in (os.getpid(), os.getppid())]
    assert not any(b"hunter22" in line for line in everyone)
    assert "OTHER" not in os.environ
    sys.exit(1)
""" + WHOLE, options="secrets: { TOKEN: '${env:API_TOKEN}' }")
    ran = levada("run", "p.yaml", "--log-level", "trace", env={"API_TOKEN": "hunter22hunter", "OTHER": "x"})
    assert ran.status == 21, ran
    assert "hunter22" not in ran.err + ran.out and "my token is ***" in ran.err, ran
    for path in levada.directory.rglob("*"):
        if path.is_file() and path.suffix not in (".py",):
            assert b"hunter22" not in path.read_bytes(), path
    ran = levada("run", "p.yaml", expect=10)
    assert "LV1008" in ran.err and "API_TOKEN" in ran.err, ran


# ---- transformers


def test_rows_pass_through_a_program(levada):
    adds = transformer(levada, """
rows = pa.ipc.open_stream(sys.stdin.buffer)
with stream(its_schema=rows.schema.append(pa.field("twice", pa.int64()))) as out:
    for b in rows:
        out.write_batch(pa.RecordBatch.from_arrays([*b.columns, pa.array([2 * n.as_py() for n in b["n"]], pa.int64())], names=["n", "word", "twice"]))
""")
    write(levada, transformers=adds)
    levada("run", "p.yaml", expect=0)
    table = lake(levada)
    assert table.column("twice").to_pylist() == [2 * n for n in range(10_000)]
    assert "twice" in levada("preview", "p.yaml", expect=0).out


@pytest.mark.parametrize("program", [
    # All of its input before a byte of output.
    """
rows = pa.ipc.open_stream(sys.stdin.buffer)
table = rows.read_all()
with stream(its_schema=rows.schema) as out:
    out.write_table(table, max_chunksize=777)
""",
    # Much output before it reads on: a batch of before is given again, and again.
    """
rows = pa.ipc.open_stream(sys.stdin.buffer)
held = []
with stream(its_schema=rows.schema) as out:
    for b in rows:
        held.append(b)
        if len(held) == 100:
            for each in held:
                out.write_batch(each)
            held = []
    for each in held:
        out.write_batch(each)
"""], ids=["reads first", "writes in bursts"])
def test_a_program_reads_and_writes_when_it_likes(levada, program):
    many = WHOLE.replace("range(10)", "range(300)").replace("i * 1000, 1000", "i * 4000, 4000")
    write(levada, many, transformers=transformer(levada, program))
    levada("run", "p.yaml", expect=0)
    assert lake(levada).column("n").to_pylist() == list(range(1_200_000))


HALF = """
rows = pa.ipc.open_stream(sys.stdin.buffer)
with stream(its_schema=rows.schema) as out:
    for b in rows:
        out.write_batch(b.slice(0, b.num_rows // 2))
"""


def test_rows_left_out_have_to_be_declared(levada):
    write(levada, transformers=transformer(levada, HALF))
    ran = levada("run", "p.yaml", expect=31)
    assert "LV3101" in ran.err and "drops_rows: true" in ran.err and "10000" in ran.err, ran
    nothing_published(levada)
    write(levada, transformers=transformer(levada, HALF, options="drops_rows: true"))
    ran = levada("run", "--json", "p.yaml", expect=0)
    assert lake(levada).num_rows == 5_000
    assert re.search(r'"rows_filtered": ?5000\b', ran.out), ran


def test_more_rows_than_came_are_refused(levada):
    write(levada, transformers=transformer(levada, HALF.replace("out.write_batch(b.slice(0, b.num_rows // 2))",
                                                                "out.write_batch(b); out.write_batch(b)")))
    ran = levada("run", "p.yaml", expect=31)
    assert "LV3101" in ran.err and "more rows" in ran.err, ran
    nothing_published(levada)


def test_a_program_that_stops_reading_is_no_success(levada):
    many = WHOLE.replace("range(10)", "range(300)")
    program = """
rows = pa.ipc.open_stream(sys.stdin.buffer)
with stream(its_schema=rows.schema) as out:
    pass
"""
    write(levada, many, transformers=transformer(levada, program, options="drops_rows: true"))
    ran = levada("run", "p.yaml", expect=21)
    assert "LV2104" in ran.err and "stopped reading" in ran.err, ran
    nothing_published(levada)


@pytest.mark.parametrize("status, exit_status", [(75, 20), (65, 31), (9, 21)])
def test_a_transformer_fails_as_a_consumer_does(levada, status, exit_status):
    write(levada, transformers=transformer(levada, HALF + f"""
if asked == "rows":
    sys.exit({status})
""", options="drops_rows: true"))
    levada("run", "p.yaml", expect=exit_status)
    nothing_published(levada)


def test_a_source_that_fails_is_named_not_the_program_behind_it(levada):
    write(levada, """
with stream() as out:
    if asked == "rows":
        out.write_batch(batch(0, 1000))
        sys.stdout.flush()
        os._exit(77)
""", transformers=transformer(levada, HALF, options="drops_rows: true"))
    ran = levada("run", "p.yaml", expect=11)
    assert "LV1101" in ran.err, ran


# ---- loaders

LOADER = """
import glob, os, shutil, sys
import pyarrow as pa
ask, attempt = os.environ["LEVADA_ASK"], os.environ.get("LEVADA_ATTEMPT", "")
with open("log", "a") as log:
    log.write(f"{ask} {os.environ.get('LEVADA_PARTITION', '-')} {attempt or '-'} r{os.environ.get('LEVADA_REVISION', '-')}\\n")
if os.environ.get("FAIL") == ask and not os.path.exists("failed"):
    open("failed", "w")
    sys.exit(75)
os.makedirs("staged", exist_ok=True)
os.makedirs("target", exist_ok=True)
if ask == "load":
    table = pa.ipc.open_stream(sys.stdin.buffer).read_all()
    print("took", table.num_rows)
    with pa.ipc.new_file(f"staged/{attempt}.tmp", table.schema) as out:
        out.write_table(table)
    os.rename(f"staged/{attempt}.tmp", f"staged/{attempt}")
elif ask == "publish":
    if os.path.exists(f"staged/{attempt}"):
        os.rename(f"staged/{attempt}", f"target/{os.environ['LEVADA_REVISION']}.{os.environ['LEVADA_PARTITION']}.{attempt}")
elif ask == "discard":
    for path in glob.glob(f"staged/{attempt}*") + glob.glob(f"target/*.{attempt}"):
        os.remove(path)
elif ask == "finish":
    for path in glob.glob("target/*"):
        if int(os.path.basename(path).split(".")[0]) < int(os.environ["LEVADA_REVISION"]):
            os.remove(path)
else:
    sys.exit(78)
"""

LOADING = """
name: rows
{run}
consumer:
  exec: {{ command: [{python}, program.py], partitions: {partitions} }}
loaders:
  - exec:
      command: [{python}, loader.py]
      state: state
      at_least_once: true
      environment: {{ FAIL: "{fail}" }}
retry: {{ attempts: 3, backoff: 10ms }}
"""

PARTS = """
first = int(os.environ.get("LEVADA_PARTITION_INDEX", 0)) * 1000
with stream() as out:
    if asked == "rows":
        out.write_batch(batch(first, 1000))
"""


def write_loading(levada, run="run: once", partitions=3, fail="", program=PARTS):
    levada.write("program.py", HEAD + program)
    levada.write("loader.py", LOADER)
    levada.write("p.yaml", LOADING.format(python=PYTHON, run=run, partitions=partitions, fail=fail))


def target(levada):
    tables = [pa.ipc.open_file(path).read_all() for path in sorted((levada.directory / "target").iterdir())]
    return sorted(n for table in tables for n in table.column("n").to_pylist())


def steps(levada):
    return [line.split()[0] for line in (levada.directory / "log").read_text().splitlines()]


def test_a_loader_is_given_rows_and_then_told_to_publish(levada):
    write_loading(levada)
    ran = levada("run", "p.yaml", expect=0)
    assert target(levada) == list(range(3_000))
    assert sorted(steps(levada)) == ["finish"] + ["load"] * 3 + ["publish"] * 3
    assert steps(levada)[-1] == "finish"
    assert "took 1000" in ran.err, ran
    assert list((levada.directory / "staged").iterdir()) == []
    levada("run", "p.yaml", expect=0)
    assert len(steps(levada)) == 7, "published runs are skipped"
    assert "3,000" in levada("status", "p.yaml", expect=0).out
    levada("status", "--rebuild", "p.yaml", expect=0)


@pytest.mark.parametrize("point", [
    "fence.generation_written", "split.recorded", "load.file_created", "load.done", "publish.before_intent",
    "publish.intent_written", "publish.before_record", "finish.before_intent", "finish.before_manifest",
    "finish.manifest_written"])
@pytest.mark.parametrize("replaces", [False, True])
def test_a_kill_anywhere_loses_nothing_and_publishes_each_attempt_once(levada, point, replaces):
    write_loading(levada, run="")
    if replaces:
        levada("run", "p.yaml", expect=0)
    times = "@2" if point.startswith(("load", "publish")) else ""
    ran = levada("run", "p.yaml", env={"LEVADA_FAILPOINTS": f"{point}=kill{times}"}, any_signal=True)
    assert ran.status == -signal.SIGKILL, ran
    levada("run", "p.yaml", expect=0)
    assert target(levada) == list(range(3_000))
    assert list((levada.directory / "staged").iterdir()) == []


@pytest.mark.parametrize("step", ["load", "publish", "finish"])
def test_a_step_that_fails_for_now_is_asked_for_again(levada, step):
    write_loading(levada, fail=step)
    ran = levada("run", "p.yaml")
    if step == "finish":  # nobody tries that again in the same run
        assert ran.status in (40, 50), ran
        ran = levada("run", "p.yaml")
    assert ran.status == 0, ran
    assert target(levada) == list(range(3_000))
    assert list((levada.directory / "staged").iterdir()) == []


def test_a_run_again_replaces_what_was_there(levada):
    write_loading(levada, run="")
    levada("run", "p.yaml", expect=0)
    write_loading(levada, run="", partitions=2)
    levada("run", "p.yaml", expect=0)
    assert target(levada) == list(range(2_000))
    assert "r1" in (levada.directory / "log").read_text()


def test_two_processes_do_not_load_one_run(levada):
    write_loading(levada, program="if asked == 'rows':\n    open('runs', 'w')\n    time.sleep(1000)\n" + PARTS)
    child = levada.start("run", "p.yaml")
    wait_until(lambda: (levada.directory / "runs").exists(), "the first one runs")
    ran = levada("run", "p.yaml", expect=75)
    assert "LV7501" in ran.err, ran
    child.send_signal(signal.SIGTERM)
    child.communicate(timeout=60)


def test_damaged_records_are_no_guess(levada):
    write_loading(levada)
    levada("run", "p.yaml", expect=0)
    path = levada.directory / "state/rows/all/run.json"
    path.write_text(path.read_text()[:-20])
    ran = levada("run", "p.yaml", expect=40)
    assert "LV4004" in ran.err and "run.json" in ran.err, ran


@pytest.mark.parametrize("change, code, words", [
    (("at_least_once: true", "at_least_once: false"), "LV1009", "exactly once"),
    (("      at_least_once: true\n", ""), "LV1003", "at_least_once"),
    (("state: state", "state: ''"), "LV1005", "state"),
    (("      state: state\n", ""), "LV1003", "state")])
def test_what_a_loader_needs_to_say(levada, change, code, words):
    write_loading(levada)
    path = levada.directory / "p.yaml"
    path.write_text(path.read_text().replace(*change))
    ran = levada("check", "p.yaml", expect=10)
    assert code in ran.err and words in ran.err, ran


def test_nothing_can_be_read_back(levada):
    write_loading(levada, run="run: once\nverify: readback")
    ran = levada("run", "p.yaml", expect=10)
    assert "LV1009" in ran.err and "verify: count" in ran.err, ran
    assert target(levada) == []


# ---- the examples


@pytest.fixture
def examples(levada):
    for path in (SOURCE / "examples/exec").iterdir():
        shutil.copy(path, levada.directory / path.name)
    return {"PATH": f"{pathlib.Path(PYTHON).parent}:{os.environ['PATH']}"}


def test_the_python_examples_do_what_they_say(levada, examples):
    levada("run", "readings.yaml", env=examples, expect=0)
    table = lake(levada)
    assert table.num_rows == 2 * 24 * 2
    assert table.column("fahrenheit")[0].as_py() == pytest.approx(18 * 1.8 + 32)


def test_the_shell_example_does_what_it_says(levada, examples):
    schema = pa.schema([("at", pa.date32()), ("n", pa.int64())])
    (levada.directory / "days").mkdir()

    def day(number):
        with pa.ipc.new_stream(str(levada.directory / f"days/2026-01-0{number}.arrows"), schema) as out:
            out.write_batch(pa.RecordBatch.from_pydict({"at": [20453 + number], "n": [number]}, schema))

    day(1)
    levada.write("p.yaml", """
name: days
run: { every: day, column: at, start: 2026-01-01, end: 2026-01-03 }
consumer:
  exec: { command: [./day_of_files.sh, days] }
loaders:
  - parquet: { path: lake }
retry: { attempts: 2, backoff: 10ms }
""")
    ran = levada("run", "p.yaml", env=examples, expect=50)
    assert "LV2004" in ran.err and "there is no days/2026-01-02.arrows yet" in ran.err, ran
    day(2)
    levada("run", "p.yaml", env=examples, expect=0)
    assert sorted(lake(levada).column("n").to_pylist()) == [1, 2]


def test_no_descriptor_of_ours_reaches_a_program(levada):
    write(levada, """
if asked == "rows":
    open("fds", "w").write(" ".join(os.listdir("/proc/self/fd")))
""" + WHOLE, transformers=transformer(levada, """
if asked == "rows":
    open("fds2", "w").write(" ".join(os.listdir("/proc/self/fd")))
""" + HALF, options="drops_rows: true"))
    levada("run", "p.yaml", expect=0)
    for name in ("fds", "fds2"):
        # 3 is the file being written, 4 the directory being listed.
        assert set((levada.directory / name).read_text().split()) <= {"0", "1", "2", "3", "4"}
