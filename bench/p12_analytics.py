#!/usr/bin/env python3
"""P12: the Analytics Engine through its REST API, the token checked.

    bench/p12_analytics.py --rounds 15 --write

Single points at 64 clients beside KV's durable writes; bulk writes of full rows (20 texts, 20 numbers) until every one is in the
answers of queries, beside the engine itself inserting the same rows from memory; and the same questions to both."""

import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import time

import cli
import load
from load import Loaded
from measure import Budget, Contender, interleave, interval, launcher, need_levada
from peers.servers import Levada, running
from postgres import DATA, HERE
from report import Report, table

ROWS = 500_000
BULK = 10_000
WRITERS = 64
LIBRARY = HERE.parent / "build" / "node" / "node_modules" / "@chdb" / "lib-linux-x64-gnu" / "libchdb.so"
CHDB = [sys.executable, str(HERE / "peers" / "chdb_rows.py"), str(LIBRARY)]
BEGIN = int(time.time()) // 3600 * 3600 - 4 * 3600  # of the rows: neither too old nor in the future
# Of levada and of the engine: the table's name apart the same.
QUESTIONS = {
    "count": "SELECT count() FROM {table}",
    "top": "SELECT blob1, count() AS n, avg(double1) FROM {table} GROUP BY blob1 ORDER BY n DESC, blob1 LIMIT 10",
    "by minute": "SELECT intDiv(toUInt32(timestamp), 60) * 60 AS t, sum(_sample_interval * double2) FROM {table} GROUP BY t ORDER BY t",
    "one index": "SELECT quantileExactWeighted(0.5)(double3, _sample_interval) FROM {table} WHERE index1 = 'index-7'",
}


def points(begin, count):
    """Lines of JSON, as peers/chdb_rows.py makes its rows."""
    lines = []
    for number in range(begin, begin + count):
        lines.append(json.dumps({"indexes": [f"index-{number % 100}"], "timestamp": (BEGIN + number // 50) * 1000,
                                 "blobs": [f"text-{i}-{number * i % 1000}" for i in range(1, 21)],
                                 "doubles": [number * i % 1000 / 4 for i in range(1, 21)]}))
    return "\n".join(lines).encode()


class Analytics:
    def __init__(self, levada):
        self.levada, self.base = levada, f"/accounts/{levada.account}/analytics_engine"

    def ask(self, sql):
        """Milliseconds."""
        began = time.perf_counter()
        text = load.post(self.levada, f"/client/v4{self.base}/sql", sql.encode())
        took = (time.perf_counter() - began) * 1000
        return took, json.loads(text)["data"]

    def count(self, dataset):
        return int(self.ask(f"SELECT count() AS n FROM {dataset}")[1][0]["n"])

    def write(self, dataset, body):
        load.post(self.levada, f"/client/v4{self.base}/write?dataset={dataset}", body)


def compare_points(arguments, scratch, budget, report, levada, body):
    headers = [f"Authorization: Bearer {levada.token}"]
    ours = Loaded(levada, levada.port, target=f"/client/v4/accounts/{levada.account}/analytics_engine/write?dataset=single", method="POST",
                  headers=headers, body_file=body, connections=WRITERS, seconds=arguments.seconds)
    values = levada.make_namespace("bench")
    kv = Loaded(levada, levada.port, target=f"{values}/w-{{run}}-{{n}}", method="PUT", headers=headers, body_file=body, connections=WRITERS,
                seconds=arguments.seconds)
    kv.name = "levada, KV"

    def save():
        report.put("points", [f"## Single points, {WRITERS} clients, {len(ours.samples)} rounds", "", *load.rates([ours, kv]), "",
                              *load.ratios(ours, [(kv, 0.8)])])

    interleave([ours, kv], arguments.rounds, scratch, budget, save, shown="rate")


def compare_bulk(arguments, report, analytics, bodies, rows, scratch):
    ours, acknowledged, theirs = [], [], []
    for number in range(max(1, arguments.rounds // 3)):
        began = time.perf_counter()
        for body in bodies:
            analytics.write(f"bulk{number}", body)
        acknowledged.append(rows / (time.perf_counter() - began))
        while analytics.count(f"bulk{number}") < rows:
            time.sleep(0.01)
        ours.append(rows / (time.perf_counter() - began))
        done = subprocess.run([*CHDB, tempfile.mkdtemp(dir=scratch), "insert", str(rows), str(BEGIN)], check=True, capture_output=True, text=True)
        theirs.append(json.loads(done.stdout)["rate"])
    shown = [[name, f"{interval(rates)[0]:,.0f}"] for name, rates in
             (("levada, acknowledged", acknowledged), ("levada, in the answers of queries", ours), ("libchdb, from memory", theirs))]
    middle, low, high = interval([own / other for own, other in zip(ours, theirs)])
    report.put("bulk", [f"## {rows:,} full rows, {BULK:,} a write, one client, {len(ours)} rounds", "", *table(["", "rows/s"], shown), "",
                        f"levada / libchdb: {middle:.2f} ({low:.2f} .. {high:.2f}), at least 0.3."])


def compare_questions(arguments, report, analytics, rows, scratch):
    with subprocess.Popen([*CHDB, tempfile.mkdtemp(dir=scratch), "serve", str(rows), str(BEGIN)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as peer:
        assert peer.stdout.readline() == "ready\n"
        shown = []
        for name, question in QUESTIONS.items():
            ours, theirs = [], []
            for _ in range(max(3, arguments.rounds)):
                ours.append(analytics.ask(question.format(table="bulk0"))[0])
                peer.stdin.write(question.format(table="bench.points") + "\n")
                peer.stdin.flush()
                theirs.append(float(peer.stdout.readline()))
            middle, low, high = interval([own / other for own, other in zip(ours, theirs)])
            shown.append([name, f"{interval(ours)[0]:.1f}", f"{interval(theirs)[0]:.1f}", f"{middle:.2f}", f"{low:.2f} .. {high:.2f}"])
        peer.stdin.close()
    report.put("questions", [f"## Questions over {rows:,} rows (ratio at most 1.2)", "",
                             *table(["", "levada ms", "libchdb ms", "ratio", "95 % interval"], shown)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default 4)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = min(arguments.seconds, 0.3)
    need_levada()
    load.need_tools()
    if not LIBRARY.exists():
        sys.exit(f"{LIBRARY} is missing: deps/install")
    launcher()
    DATA.mkdir(parents=True, exist_ok=True)
    rows = ROWS // (50 if arguments.tiny else 1)
    report = Report("p12", "P12: the Analytics Engine", f"bench/p12_analytics.py --rounds {arguments.rounds}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write, notes=[
                        "Medians over the rounds and their 95 % bootstrap intervals; ratios are taken within each round."])
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch:
        one = pathlib.Path(scratch) / "one.ndjson"
        one.write_bytes(points(0, 1))
        bodies = [points(begin, min(BULK, rows - begin)) for begin in range(0, rows, BULK)]
        with running(Levada(f"{scratch}/levada", LEVADA_LIBCHDB=str(LIBRARY))) as (levada,):
            compare_points(arguments, scratch, Budget(arguments.minutes / 3), report, levada, one)
            compare_bulk(arguments, report, Analytics(levada), bodies, rows, scratch)
            compare_questions(arguments, report, Analytics(levada), rows, scratch)
            report.put("memory", ["## Memory at the end, the engine's process with it", "", *load.peaks([levada])])


if __name__ == "__main__":
    cli.run(main)
