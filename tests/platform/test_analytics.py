"""The Analytics Engine by its v4 door: points written in bulk, queries over them, and what happens to both when the daemon, the
engine or the disk of one of them goes away. Needs libchdb of deps/package.json (LEVADA_LIBCHDB: another one)."""

import http.client
import json
import os
import pathlib
import signal
import subprocess
import threading
import time
import urllib.parse

import pytest

from conftest import BINARY, daemon_of, flip, wait_until

SOURCE = pathlib.Path(os.environ["LEVADA_SOURCE"])
LIBRARY = pathlib.Path(os.environ.get("LEVADA_LIBCHDB",
                                      SOURCE / "build/node/node_modules/@chdb/lib-linux-x64-gnu/libchdb.so"))
AT = "/accounts/{account}/analytics_engine"
needs_engine = pytest.mark.skipif(not LIBRARY.exists(), reason=f"{LIBRARY} is not there: deps/install")


class Analytics:
    def __init__(self, daemon):
        self.daemon = daemon

    def write(self, dataset, points, **more):
        body = "\n".join(json.dumps(point) for point in points)
        return self.daemon.v4("POST", f"{AT}/write?dataset={dataset}", body, **more)

    def ask(self, sql, **more):
        return self.daemon.v4("POST", f"{AT}/sql", sql, **more)

    def rows(self, sql):
        answer = self.ask(sql)
        assert answer.status == 200, answer
        return answer.json()["data"]

    def count(self, dataset):
        answer = self.ask(f"SELECT count() AS n FROM {dataset}")
        assert answer.status in (200, 422, 503), answer
        return int(answer.json()["data"][0]["n"]) if answer.status == 200 else -1

    def wait_for(self, dataset, count, seconds=60):
        """Until so many are there; never more."""
        def reached():
            seen = self.count(dataset)
            assert seen <= count, f"{seen} points of {count}"
            return seen == count
        wait_until(reached, f"{count} points are queryable", seconds)


def engines(daemon):
    """Process ids of the engine's children of this daemon."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"analytics-engine" in words and str(daemon.data).encode() in b" ".join(words):
            found.append(int(path.name))
    return found


@pytest.fixture(scope="module")
def served():
    with daemon_of("--analytics-library", str(LIBRARY)) as daemon:
        yield Analytics(daemon.start())


@pytest.fixture
def own():
    with daemon_of("--analytics-library", str(LIBRARY)) as daemon:
        yield Analytics(daemon.start())


# ---- points and queries


@needs_engine
def test_a_point_is_queryable_within_two_seconds(served):
    """Once the engine runs: its start takes a moment of its own."""
    served.write("quick", [{"blobs": ["first"]}]).result
    served.wait_for("quick", 1)
    for i in range(3):
        began = time.monotonic()
        assert served.write("quick", [{"blobs": [f"more {i}"]}]).result == {"points": 1}
        served.wait_for("quick", 2 + i, seconds=10)
        took = time.monotonic() - began
        assert took < float(os.environ.get("LEVADA_ANALYTICS_SECONDS", "2")) * slowness(), took


def slowness():
    """How much slower than on an idle machine things may be: others may be at work."""
    return max(1, os.getloadavg()[0] / (os.cpu_count() or 1))


@needs_engine
def test_what_was_written_is_what_is_read(served):
    points = [{"indexes": ["a\tb"], "blobs": ["é\"'\\\n", None, "", "x" * 1000], "doubles": [1.5, -0.25, 1e300, "NaN", "Infinity"]},
              {"blobs": [str(i) for i in range(20)], "doubles": list(range(20))}, {}]
    now = time.time()
    assert served.write("exact", points).result == {"points": 3}
    served.wait_for("exact", 3)
    rows = served.rows("SELECT * FROM exact ORDER BY length(blob1), index1 DESC")
    assert list(rows[0])[:4] == ["dataset", "timestamp", "_sample_interval", "index1"] and len(rows[0]) == 44
    assert {row["dataset"] for row in rows} == {"exact"}
    empty, twenty, full = sorted(rows, key=lambda row: (row["blob1"] != "", row["index1"] != ""))
    assert (full["index1"], full["blob1"], full["blob2"], full["blob4"]) == ("a\tb", "é\"'\\\n", "", "x" * 1000)
    assert [full[f"double{i}"] for i in range(1, 7)] == [1.5, -0.25, 1e300, None, None, 0]
    assert [twenty[f"blob{i}"] for i in (1, 20)] == ["0", "19"] and twenty["double20"] == 19
    assert empty["index1"] == "" and empty["_sample_interval"] == 1
    written = served.rows("SELECT toUnixTimestamp(min(timestamp)) AS t FROM exact")[0]["t"]
    assert abs(int(written) - now) < 60


@needs_engine
def test_formats(served):
    served.write("formats", [{"blobs": ["a\tb"], "doubles": [2]}, {"blobs": ["c"], "doubles": [1]}])
    served.wait_for("formats", 2)
    query = "SELECT blob1, double1 AS d, count() AS n FROM formats GROUP BY blob1, d ORDER BY d DESC"
    whole = served.ask(query)
    assert whole.headers["Content-Type"].startswith("application/json")
    answer = whole.json()
    assert answer["meta"] == [{"name": "blob1", "type": "String"}, {"name": "d", "type": "Float64"}, {"name": "n", "type": "UInt64"}]
    assert answer["data"] == [{"blob1": "a\tb", "d": 2, "n": "1"}, {"blob1": "c", "d": 1, "n": "1"}] and answer["rows"] == 2
    lines = served.ask(query + " FORMAT JSONEachRow")
    assert lines.headers["Content-Type"].startswith("application/x-ndjson")
    assert [json.loads(line) for line in lines.body.splitlines()] == answer["data"]
    tabs = served.ask(query + " FORMAT TabSeparated;")
    assert tabs.headers["Content-Type"].startswith("text/tab-separated-values")
    assert tabs.body == b"a\\tb\t2\t1\nc\t1\t1\n"


@needs_engine
def test_show(served):
    served.write("shown-1", [{}])
    served.write("shown_2", [{}])
    names = [row["dataset"] for row in served.rows("SHOW TABLES")]
    assert names == sorted(names) and {"shown-1", "shown_2"} <= set(names)
    assert served.rows("SHOW TIMEZONE") == [{"timezone": "Etc/UTC"}]
    assert {"timezone": "Europe/Lisbon"} in served.rows("SHOW TIMEZONES")


@needs_engine
def test_a_dataset_is_of_its_account(served):
    daemon = served.daemon
    served.write("mine", [{"blobs": ["canary"]}])
    second = json.loads(daemon.command("account", "create", "second", "--json").stdout)["account_id"]
    token = daemon.issue("all:admin", account=second)["token"]
    ask = lambda sql: daemon.v4("POST", AT.replace("{account}", second) + "/sql", sql, token=token)
    assert ask("SHOW TABLES").json()["data"] == []
    assert ask("SELECT * FROM mine").status == 422
    for stranger in ("analytics.d1", "system.tables", "file('/etc/passwd')", "mine.mine", "url('http://127.0.0.1/')"):
        assert ask(f"SELECT * FROM {stranger}").status == 422
    daemon.v4("POST", AT.replace("{account}", second) + "/write?dataset=mine", '{"blobs":["other"]}', token=token).result
    wait_until(lambda: ask("SELECT blob1 FROM mine").json()["data"] == [{"blob1": "other"}], "the other's point is there")


ERRORS = [("", "Input was invalid: "), ("SELECT", "Input was invalid: "), ("SELECT blob21 FROM known", 'unknown column "blob21"'),
          ("SELECT * FROM nowhere", "nowhere"), ("SELECT unknown(1)", "unknown"), ("SELECT 1; SELECT 2", "Input was invalid: "),
          ("INSERT INTO known VALUES (1)", "Input was invalid: "), ("SELECT sum(blob1) FROM known", "Input was invalid: "),
          ("SELECT toDateTime(blob1) FROM known", "Input was invalid: "), ("SELECT now('Nowhere/Land')", "Input was invalid: "),
          ("SELECT toUInt32(blob1) FROM known", "Input was invalid: "), ("x" * 70_000, "Input was invalid: ")]


@needs_engine
def test_an_answer_has_nothing_of_a_query_that_failed(served):
    """The library keeps what a query had written when it failed, for the next of its connection."""
    served.write("half", [{"blobs": ["secret"]}])
    served.wait_for("half", 1)
    for i in range(8):  # twice the connections
        assert served.ask("SELECT blob1, toDateTime(blob1) FROM half").status == 422
        for _ in range(8):
            assert served.rows("SELECT 1 AS one") == [{"one": 1}]


@needs_engine
@pytest.mark.parametrize("sql,words", ERRORS, ids=lambda one: one[:40])
def test_errors_are_words(served, sql, words):
    served.write("known", [{"blobs": ["no number"]}])
    wait_until(lambda: served.count("known") > 0, "it is there")
    answer = served.ask(sql)
    assert answer.status == 422 and words in answer.body.decode(), answer
    assert answer.headers["Content-Type"].startswith("text/plain")


HOSTILE = ["\n\n", "a\n\n; DROP DATABASE analytics", "\n\nCREATE DATABASE stranger;\n\n", "'; DROP DATABASE analytics; --", "{rows}",
           "-- { serverError 1 }", "\n\n-- { echoOn }\nSELECT 1", "/* { clientError 1 } */", "\\'\n\n`", "\x00\n\n\x00"]


@needs_engine
def test_no_text_is_taken_for_sql(served):
    """The library takes what it is given for a script, in which rows end at an empty line."""
    for i in range(3):  # an insert that is told to fail would be tried again
        served.write("hostile", [{"indexes": [str(i)], "blobs": [text]} for text in HOSTILE]).result
        served.wait_for("hostile", len(HOSTILE) * (i + 1))
    rows = served.rows("SELECT blob1, count() AS n FROM hostile GROUP BY blob1")
    assert {row["blob1"]: row["n"] for row in rows} == {text: "3" for text in HOSTILE}
    for text in HOSTILE:
        if "\0" in text or "\\" in text:  # the language has no way to write these for certain
            continue
        quoted = text.replace("'", "''")
        assert served.rows(f"SELECT count() AS n FROM hostile WHERE blob1 = '{quoted}'") == [{"n": "3"}], text


@needs_engine
def test_a_query_that_takes_too_much_ends_alone(served):
    many = [{"doubles": [i]} for i in range(10_000)]
    served.write("many", many).result
    served.wait_for("many", 10_000)
    deep = "SELECT count() AS n FROM many WHERE " + " OR ".join(f"blob1 LIKE '%{i}%x%y%'" for i in range(100))
    assert served.ask(deep).status == 200
    assert served.rows("SELECT sum(double1) AS s FROM many") == [{"s": sum(range(10_000))}]


# ---- what Grafana's ClickHouse data source sends


@needs_engine
def test_grafana(served):
    served.write("probes", [{"blobs": ["lis"], "doubles": [10 * i]} for i in range(6)])
    served.wait_for("probes", 6)
    daemon, now = served.daemon, int(time.time())
    get = lambda query, more="": daemon.v4("GET", f"{AT}/sql/?query={urllib.parse.quote(query)}{more}")
    assert get("SELECT 1 FORMAT JSON").json()["rows"] == 1
    assert get("SELECT 1\nFORMAT JSON", "&add_http_cors_header=1&database=default").status == 200
    series = f"""/* grafana dashboard=Probes, user=1 */
SELECT
    (intDiv(toUInt32(timestamp), 60) * 60) * 1000 as t,
    blob1 AS probe,
    SUM(_sample_interval * double1) / SUM(_sample_interval) AS value
FROM probes
WHERE timestamp >= toDateTime({now - 3600}) AND timestamp <= toDateTime({now + 3600})
GROUP BY t, probe
ORDER BY t, probe FORMAT JSON"""
    cut = series.index("\n", 60)
    for answer in (get(series), daemon.v4("POST", f"{AT}/sql/?", series),
                   daemon.v4("POST", f"{AT}/sql?query={urllib.parse.quote(series[:cut])}", series[cut + 1:])):
        told = answer.json()
        assert [column["name"] for column in told["meta"]] == ["t", "probe", "value"]
        assert {"name": "t", "type": "UInt64"} in told["meta"] or told["meta"][0]["type"].startswith(("UInt", "Int"))
        assert sum(row["value"] for row in told["data"]) > 0 and {row["probe"] for row in told["data"]} == {"lis"}


# ---- what a bulk write refuses


@pytest.mark.parametrize("body,words", [
    ("{", "line 1"), ('{}\n\n{"blobs":"x"}', "line 3"), ('{"index":["a"]}', "indexes"), ('{"indexes":["%s"]}' % ("x" * 97), "96"),
    ('{"doubles":[%s0]}' % ("0," * 20), "20 doubles"), ('{"blobs":["%s"]}' % ("x" * 16_001), "16000"),
    ('{"timestamp":"2020-01-01T00:00:00Z"}', "older"), ("{}\n" * 10_001, "10000")], ids=lambda one: one[:30])
def test_a_bulk_write_is_whole_or_none(served, body, words):
    answer = served.daemon.v4("POST", f"{AT}/write?dataset=refused", body)
    status, _, message = answer.error
    assert status == 400 and words in message
    assert served.ask("SELECT 1 FROM refused").status == 422, "nor is there a dataset"


def test_a_bulk_write_names_its_dataset(served):
    for query in ("", "?dataset=", "?dataset=a%20b", "?dataset=" + "x" * 129, "?dataset=..%2Fx"):
        assert served.daemon.v4("POST", f"{AT}/write{query}", "{}").error[0] == 400
    assert served.write("empty", []).result == {"points": 0}


# ---- when something goes away


@needs_engine
def test_acknowledged_points_survive_kills_of_the_daemon_once_each(own):
    daemon, written, sent = own.daemon, 0, 0
    for round in range(6):
        failed = threading.Event()

        def write():
            nonlocal written, sent
            try:
                while not failed.is_set():
                    points = [{"doubles": [sent + i]} for i in range(50)]
                    sent += 50  # what was not acknowledged may be there
                    own.write("killed", points).result
                    written += 50
            except (OSError, http.client.HTTPException):
                failed.set()
        thread = threading.Thread(target=write)
        thread.start()
        time.sleep(0.3 + 0.37 * round)
        daemon.kill()
        failed.set()
        thread.join()
        daemon.start()
    own.write("killed", [{"doubles": [-1]}]).result
    distinct = "SELECT count() AS n, count(DISTINCT double1) AS d FROM killed"
    wait_until(lambda: own.count("killed") > written, "all is there")
    seen = own.rows(distinct)[0]
    assert int(seen["n"]) == int(seen["d"]), "nothing twice"
    assert written + 1 <= int(seen["n"]) <= sent + 1


@needs_engine
def test_the_engine_may_die_at_any_time(own):
    written = 0
    for round in range(4):
        own.write("crashed", [{"doubles": [written + i]} for i in range(500)]).result
        written += 500
        if round:
            time.sleep(0.2 * round)
        for child in engines(own.daemon):
            os.kill(child, signal.SIGKILL)
    own.wait_for("crashed", written)
    assert own.rows("SELECT count(DISTINCT double1) AS d FROM crashed") == [{"d": str(written)}]
    assert own.daemon.process.poll() is None


@needs_engine
def test_an_engine_that_hangs_is_ended(own):
    own.write("hung", [{}]).result
    own.wait_for("hung", 1)
    child, = engines(own.daemon)
    os.kill(child, signal.SIGSTOP)
    answer = own.ask("SELECT count() AS n FROM hung", connection=own.daemon.connect(timeout=120))
    assert answer.status == 503, answer
    wait_until(lambda: own.count("hung") == 1, "another one answers")
    assert child not in engines(own.daemon)


@needs_engine
def test_the_engine_ends_with_the_daemon(own):
    own.write("left", [{}]).result
    own.wait_for("left", 1)
    assert len(engines(own.daemon)) == 1
    assert own.daemon.stop() == 0
    wait_until(lambda: not engines(own.daemon), "the engine is gone")
    own.daemon.start()
    own.wait_for("left", 1)
    own.daemon.kill()
    wait_until(lambda: not engines(own.daemon), "the engine is gone")


def test_without_an_engine_points_are_kept():
    with daemon_of("--analytics-library", "/nowhere/libchdb.so") as daemon:
        own = Analytics(daemon.start())
        for i in range(3):
            own.write("kept", [{"doubles": [i]}]).result
        answer = own.ask("SELECT count() AS n FROM kept")
        assert answer.status == 503 and "libchdb" in answer.body.decode()
        assert own.ask("SELECT nonsense FROM kept").status == 422
        wait_until(lambda: "/nowhere/libchdb.so" in daemon.logged(), "the log says why")
        assert daemon.stop() == 0
        if LIBRARY.exists():
            daemon.options = ["--analytics-library", str(LIBRARY)]
            daemon.start()
            own.wait_for("kept", 3)


@needs_engine
def test_a_damaged_segment_is_set_aside_and_named():
    with daemon_of("--analytics-library", "/nowhere/libchdb.so") as daemon:
        own = Analytics(daemon.start())
        for i in range(2):
            own.write("damaged", [{"doubles": [i]}]).result
            time.sleep(0.8)  # another segment
        daemon.stop()
        first = sorted((daemon.data / "analytics/wal").glob("*.seg"), key=lambda one: (one.stat().st_size < 100, one.name))[0]
        flip(first, 100)
        daemon.options = ["--analytics-library", str(LIBRARY)]
        daemon.start()
        own.wait_for("damaged", 1)
        wait_until(lambda: first.name in daemon.logged(), "the log names it")
        assert first.exists()


@needs_engine
def test_metrics_count(served):
    served.write("counted", [{}, {}])
    text = served.daemon.request("GET", "/metrics").body.decode()
    values = dict(line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert float(values["levada_analytics_points_total"]) >= 2
    assert float(values["levada_analytics_engine_running"]) in (0, 1)
    assert float(values["levada_analytics_damaged_segments"]) == 0


def test_the_engines_command_is_not_for_people():
    ran = subprocess.run([BINARY, "analytics-engine"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert ran.returncode == 2
    assert "analytics-engine" not in subprocess.run([BINARY, "--help"], capture_output=True, text=True, timeout=60).stdout
