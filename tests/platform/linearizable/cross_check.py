#!/usr/bin/env python3
"""Holds register.py against porcupine. By hand, for it needs `go` and the Go module that porcupine/go.mod names:

  cross_check.py [--histories N] [--seed N]   random histories, half of them with a fault
  cross_check.py FILE...                      what test_linearizable.py left in LEVADA_HISTORIES

Prints what register.py found, and each history on which they differ; exit 1 if there is any. With several calls that stay open
to the end either search can take longer than anybody waits: those are counted apart.
"""

import argparse
import collections
import pathlib
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from linearizable.register import check  # noqa: E402
from linearizable.simulated import FAULTS, Shape, make_history  # noqa: E402
from linearizable.told import of_json, to_json  # noqa: E402

CHUNK = 1000  # histories that are in memory at once


def random_history(chance):
    forgets = chance.random() < 0.7
    shape = Shape(clients=chance.randint(1, 6), operations=chance.choice([6, 12, 30, 60, 120 if forgets else 60]),
                  writes=chance.uniform(0.2, 0.8), conditional=chance.random() < 0.5, crashes=chance.random() < 0.6,
                  forgets_at_crash=forgets)
    fault = chance.choice(FAULTS) if chance.random() < 0.5 else None
    return fault, make_history(chance, shape, fault, rate=chance.choice([0.02, 0.1, 0.5]))


def build(folder):
    program = pathlib.Path(folder) / "porcupine"
    subprocess.run(["go", "build", "-o", program, "."], cwd=pathlib.Path(__file__).parent / "porcupine", check=True)
    return program


def verdict(operations):
    try:
        return "Illegal" if check(operations) else "Ok"
    except OverflowError:
        return "Unknown"


def verdicts(program, lines):
    ran = subprocess.run([program], input="\n".join(lines) + "\n", stdout=subprocess.PIPE, text=True, check=True)
    return ran.stdout.split()


def chunks(arguments):
    """Lists of (what it is, operations)."""
    if arguments.files:
        for file in arguments.files:
            yield [(f"{file.name}:{number}", of_json(line))
                   for number, line in enumerate(file.read_text().splitlines(), 1)]
        return
    chance = random.Random(arguments.seed)
    for begin in range(0, arguments.histories, CHUNK):
        yield [random_history(chance) for _ in range(min(CHUNK, arguments.histories - begin))]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", nargs="*", type=pathlib.Path)
    parser.add_argument("--histories", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    counts, differ = collections.Counter(), 0
    with tempfile.TemporaryDirectory() as folder:
        program = build(folder)
        for chunk in chunks(arguments):
            lines = [to_json(operations) for _, operations in chunk]
            for (what, operations), line, theirs in zip(chunk, lines, verdicts(program, lines), strict=True):
                ours = verdict(operations)
                counts[ours if arguments.files else f"{what or 'no fault'}: {ours}"] += 1
                counts["operations"] += len(operations)
                if "Unknown" in (ours, theirs):
                    counts["one of them gave up"] += 1
                elif ours != theirs:
                    differ += 1
                    print(f"{what}: register.py says {ours}, porcupine {theirs}: {line}")
    for what, count in sorted(counts.items()):
        print(f"{what:32} {count}")
    print(f"{differ} differ")
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
