#!/usr/bin/env python3
"""P5: how long levada takes to start.

    bench/p5_start.py --rounds 50 --write

`--version` over an empty C++ program; `check` of one file; `plan` of a pipeline of one table, less what the server itself
says it spent on the statements (its log of durations)."""

import argparse
import pathlib
import re
import tempfile

import cli
import datasets
from measure import LEVADA, Budget, Contender, compiled, difference, interleave, interval, need_levada
from postgres import BUILD, Server
from report import Report, server_version, table


class ServerTime:
    """What the server's log says of durations, one run at a time."""

    def __init__(self, log):
        self._log = pathlib.Path(log)
        self._offset = self._log.stat().st_size

    def __call__(self, _answer):
        with open(self._log, errors="replace") as log:
            log.seek(self._offset)
            text = log.read()
            self._offset = log.tell()
        durations = [float(ms) for ms in re.findall(r"LOG:  duration: ([0-9.]+) ms", text)]
        return {"server_s": sum(durations) / 1e3, "statements": len(durations)}


def with_own_time(samples):
    for sample in samples:
        sample["own_s"] = sample["wall_s"] - sample["server_s"]


def ms(values):
    middle, low, high = (value * 1e3 for value in values)
    return [f"{middle:.1f}", f"{low:.1f} .. {high:.1f}"]


def verdict_ms(values, bound):
    # The margin of ratios, 0.05, taken as five hundredths of the bound.
    return "met" if values[2] * 1e3 <= bound * 1.05 else "missed"


def lines_of(empty, version, check, plan):
    done = len(empty.samples)
    lines = [f"## Milliseconds, {done} rounds", ""]
    if not done:
        return lines
    with_own_time(plan.samples)
    rows = []
    for name, values, bound in [
            ("empty C++ program", interval([s["wall_s"] for s in empty.samples]), None),
            ("levada --version", interval([s["wall_s"] for s in version.samples]), None),
            ("levada --version, over the empty program", difference(version, empty, "wall_s"), 20),
            ("levada check, one file", interval([s["wall_s"] for s in check.samples]), 50),
            ("levada plan, one table", interval([s["wall_s"] for s in plan.samples]), None),
            ("the server's own time in that plan", interval([s["server_s"] for s in plan.samples]), None),
            ("levada plan, beyond the server's own time", interval([s["own_s"] for s in plan.samples]), 150)]:
        rows.append([name, *ms(values), f"< {bound}" if bound else "", verdict_ms(values, bound) if bound else ""])
    lines += table(["", "median", "95 % interval", "target", ""], rows, left=(0, 4))
    lines += ["", f"`plan` sends {plan.median('statements'):.0f} messages that the server times. Connecting counts as levada's "
              "own.", ""]
    return lines + table(["", "CPU ms", "peak MiB"], [
        [c.name, f"{c.median('cpu_s') * 1e3:.1f}", f"{c.median('rss_mib'):.1f}"] for c in (empty, version, check, plan)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=50)
    arguments = parser.parse_args()
    need_levada()
    program = compiled("empty.cc", ["c++", "-O2"])
    report = Report("p5", "P5: start", f"bench/p5_start.py --rounds {arguments.rounds}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write, notes=[
        f"{server_version()} on loopback. Wall from spawn to exit; medians and their 95 % bootstrap intervals."])
    with report, Server() as server, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        datasets.need(server, "lineitem", arguments.tiny)
        name = datasets.table_of("lineitem", arguments.tiny)
        file = pathlib.Path(scratch) / "start.yaml"
        # The server notes how long each statement of this user's sessions took.
        server.query("do $$ begin create role timed superuser login; exception when duplicate_object then null; end $$")
        server.query("alter role timed set log_min_duration_statement = 0")
        dsn = server.url.replace("postgres@", "timed@")
        file.write_text(f"name: start\nconsumer:\n  postgres: {{ dsn: \"{dsn}\", table: {name} }}\n"
                        f"loaders:\n  - parquet: {{ path: \"{scratch}/lake\" }}\n")
        state = ["--state", f"{scratch}/state"]
        empty = Contender("empty", lambda _out: [str(program)])
        version = Contender("--version", lambda _out: [str(LEVADA), "--version"])
        check = Contender("check", lambda _out: [str(LEVADA), "check", str(file)])
        plan = Contender("plan", lambda _out: [str(LEVADA), "plan", str(file), *state], extra=ServerTime(server.log))
        contenders = [empty, version, check, plan]
        interleave(contenders, arguments.rounds, scratch, Budget(arguments.minutes),
                   lambda: report.put("start", lines_of(*contenders)), statuses=(0, 2))


if __name__ == "__main__":
    cli.run(main)
