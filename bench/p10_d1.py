#!/usr/bin/env python3
"""P10: D1 through its REST API, the token checked.

    bench/p10_d1.py --rounds 15 --write

Durable inserts of one row, a request each: one client and 64 on one database, 16 on 16, beside SQLite itself in WAL that syncs every
commit; and reads of one row by its key beside KV's reads of the same bytes."""

import argparse
import json
import tempfile

import cli
import load
from load import Loaded
from measure import Budget, interleave, launcher, need_levada
from peers.servers import Levada, running
from postgres import DATA
from report import Report

VALUE_BYTES = 100
READERS = 64
DATABASES = 16
ROWS = 10_000


def prepare(levada, scratch):
    """Databases by their names, a table in each; the files of requests; the same value in KV."""
    databases = f"/accounts/{levada.account}/d1/database"
    for i in range(DATABASES):
        levada.call("POST", databases, {"name": f"bench-{i:02}"})
        levada.call("POST", f"{databases}/bench-{i:02}/query", {"sql": "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)"})
    levada.call("POST", f"{databases}/bench-00/query",
                {"sql": f"INSERT INTO t (v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) "
                        f"SELECT printf('%0{VALUE_BYTES}d', i) FROM n"})
    files = {}
    for name, sql in (("insert", "INSERT INTO t (v) VALUES (?1)"), ("select", "SELECT v FROM t WHERE id = ?1")):
        files[name] = f"{scratch}/{name}.json"
        with open(files[name], "w") as file:
            json.dump({"sql": sql, "params": ["v" * VALUE_BYTES if name == "insert" else ROWS // 2]}, file)
    values = levada.make_namespace("bench")
    load.once(levada.port, method="PUT", target=f"{values}/value", headers=[f"Authorization: Bearer {levada.token}"],
              body_bytes=VALUE_BYTES, requests=1)
    return f"/client/v4{databases}", files, values


def compare_inserts(arguments, scratch, budget, report, levada, at, body, clients, databases, target):
    headers = [f"Authorization: Bearer {levada.token}", "Content-Type: application/json"]
    ours = Loaded(levada, levada.port, target=f"{at}/bench-{{m}}/query", modulo=databases, method="POST", headers=headers, body_file=body,
                  connections=clients, seconds=arguments.seconds)
    alone = load.sqlite_puts("sqlite, 1 thread", 1, 1, VALUE_BYTES, arguments.seconds)
    contenders = [ours, alone]
    if clients > 1:
        contenders.append(load.sqlite_puts(f"sqlite, {clients} threads", clients, databases, VALUE_BYTES, arguments.seconds))

    def save():
        # Of one database the measure is one writer: many only wait for each other.
        measure = contenders[-1] if databases > 1 else alone
        report.put(f"insert {clients} {databases}", [
            f"## Durable inserts of one row of {VALUE_BYTES} bytes, {clients} clients, {databases} databases, {len(ours.samples)} rounds", "",
            *load.rates(contenders), "", *load.ratios(ours, [(each, target if each is measure else None) for each in contenders[1:]])])

    interleave(contenders, arguments.rounds, scratch, budget, save, shown="rate")


def compare_reads(arguments, scratch, budget, report, levada, at, body, values):
    headers = [f"Authorization: Bearer {levada.token}"]
    ours = Loaded(levada, levada.port, target=f"{at}/bench-00/query", method="POST", headers=[*headers, "Content-Type: application/json"],
                  body_file=body, connections=READERS, seconds=arguments.seconds)
    kv = Loaded(levada, levada.port, target=f"{values}/value", headers=headers, connections=READERS, seconds=arguments.seconds,
                reply_bytes=VALUE_BYTES)
    kv.name = "levada, KV"

    def save():
        report.put("read", [f"## Reads of one row of {VALUE_BYTES} bytes by its key, {READERS} clients, {len(ours.samples)} rounds", "",
                            *load.rates([ours, kv]), "", *load.ratios(ours, [(kv, 0.5)])])

    interleave([ours, kv], arguments.rounds, scratch, budget, save, shown="rate")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    parser.add_argument("--seconds", type=float, default=4, help="of each run (default 4)")
    arguments = parser.parse_args()
    if arguments.tiny:
        arguments.seconds = min(arguments.seconds, 0.3)
    need_levada()
    load.need_tools()
    launcher()
    DATA.mkdir(parents=True, exist_ok=True)
    minutes = arguments.minutes / 4
    report = Report("p10", "P10: D1", f"bench/p10_d1.py --rounds {arguments.rounds}" + (" --tiny" if arguments.tiny else ""),
                    arguments.write, notes=[
                        "Medians over the rounds and their 95 % bootstrap intervals; ratios are taken within each round."])
    with report, tempfile.TemporaryDirectory(dir=DATA, prefix="servers-") as scratch:
        with running(Levada(f"{scratch}/levada")) as (levada,):
            at, files, values = prepare(levada, scratch)
            for clients, databases, target in ((1, 1, 0.5), (64, 1, 1.0), (16, DATABASES, 0.5)):
                compare_inserts(arguments, scratch, Budget(minutes), report, levada, at, files["insert"], clients, databases, target)
            compare_reads(arguments, scratch, Budget(minutes), report, levada, at, files["select"], values)
            report.put("memory", ["## Memory at the end", "", *load.peaks([levada])])


if __name__ == "__main__":
    cli.run(main)
