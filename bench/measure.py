"""Whole-process measurements, interleaved: A B A B ..., medians and the bootstrap interval of the paired ratios."""

import os
import platform
import random
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field


@dataclass
class Sample:
    wall_s: float
    cpu_s: float
    rss_mib: float
    file_mib: float


@dataclass
class Contender:
    """One command of a comparison. `command(out)` gives argv; `out` is a fresh path it may write to."""

    name: str
    command: object
    env: dict = field(default_factory=dict)
    samples: list = field(default_factory=list)


def size_of(path):
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for folder, _, files in os.walk(path):
        if os.path.basename(folder) == "_levada":
            continue
        total += sum(os.path.getsize(os.path.join(folder, f)) for f in files)
    return total


def run_once(contender, out):
    """Runs the command once; wall from start to exit, CPU and peak RSS of the process and its children (wait4)."""
    subprocess.run(["rm", "-rf", out], check=True)
    begin = time.monotonic()
    child = subprocess.Popen(
        contender.command(out), env={**os.environ, **contender.env},
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begin
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{contender.name}: exit {child.returncode}\n{errors.decode(errors='replace')[-2000:]}")
    sample = Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, size_of(out) / 2**20)
    subprocess.run(["rm", "-rf", out], check=True)
    return sample


def interleave(contenders, rounds, scratch):
    """One warm-up each, then `rounds` rounds; the order inside a round turns, so that nobody always runs first."""
    for contender in contenders:
        run_once(contender, os.path.join(scratch, "out"))
    for number in range(rounds):
        turn = number % len(contenders)
        for contender in contenders[turn:] + contenders[:turn]:
            contender.samples.append(run_once(contender, os.path.join(scratch, "out")))
        print(f"round {number + 1}/{rounds}: " + "  ".join(
            f"{c.name} {c.samples[-1].wall_s:.2f}s" for c in contenders), file=sys.stderr, flush=True)


def median(samples, what):
    return statistics.median(getattr(s, what) for s in samples)


def ratio(a, b, what):
    """Median of a/b over the rounds and its 95 % bootstrap interval (10,000 resamples, fixed seed)."""
    pairs = [getattr(x, what) / getattr(y, what) for x, y in zip(a.samples, b.samples)]
    chance = random.Random(1)
    medians = sorted(
        statistics.median(chance.choices(pairs, k=len(pairs))) for _ in range(10_000))
    return statistics.median(pairs), medians[249], medians[9749]


def machine():
    with open("/proc/cpuinfo") as cpuinfo:
        model = next((line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, {platform.system()} {platform.release()}"
