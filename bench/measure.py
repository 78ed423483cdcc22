"""Measuring whole processes, interleaved: A B A B ..., medians, and the 95 % bootstrap interval of the paired ratios."""

import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field

from postgres import BUILD, HERE

TOOLS = BUILD / "bench-tools"
LEVADA = pathlib.Path(os.environ.get("LEVADA_BINARY") or BUILD / "release" / "bin" / "levada")
MIB = 2**20
LONG_S = 20  # a run longer than this reports itself, so that nobody thinks the script hangs


class Failed(Exception):
    """A command of a comparison did not succeed; the text has what it said."""


@dataclass
class Contender:
    """One command of a comparison. `command(out)` gives argv; `out` is a fresh path it may write to. `extra` is called
    with the run's stdout and adds its figures to the sample."""

    name: str
    command: object
    env: dict = field(default_factory=dict)
    extra: object = None
    samples: list = field(default_factory=list)

    def median(self, what):
        return statistics.median(sample[what] for sample in self.samples)


def launcher():
    """bench/launch.c, compiled once."""
    return compiled("launch.c", ["cc", "-O2"])


def compiled(source, compiler):
    binary = TOOLS / pathlib.Path(source).stem
    if not binary.exists() or binary.stat().st_mtime < (HERE / source).stat().st_mtime:
        TOOLS.mkdir(parents=True, exist_ok=True)
        subprocess.run([*compiler, str(HERE / source), "-o", str(binary)], check=True)
    return binary


def need_levada():
    if not LEVADA.exists():
        sys.exit(f"{LEVADA} is missing: cmake --preset release && cmake --build build/release --target levada")


def size_of(path):
    """Bytes of data: hidden and record-keeping names are left out."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    total = 0
    for folder, folders, files in os.walk(path):
        folders[:] = [name for name in folders if not name.startswith(("_", "."))]
        total += sum(os.path.getsize(os.path.join(folder, name)) for name in files if not name.startswith(("_", ".")))
    return total


def remove(path):
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


def run_once(contender, out, statuses=(0,)):
    """Wall from start to exit, CPU and peak resident size of the process and the children it waited for."""
    remove(out)
    # What the one before has written is on its way to the disk: nobody's fsync pays for it.
    os.sync()
    result = f"{out}.cost"
    with open(f"{out}.stdout", "w+b") as stdout, open(f"{out}.stderr", "w+b") as stderr:
        child = subprocess.Popen([str(launcher()), result, *contender.command(out)],
                                 env={**os.environ, **contender.env}, stdin=subprocess.DEVNULL, stdout=stdout,
                                 stderr=stderr, start_new_session=True)
        try:
            status = child.wait()
        except BaseException:
            end_group(child)
            raise
        stderr.seek(0)
        stdout.seek(0)
        said, answer = stderr.read().decode(errors="replace"), stdout.read().decode(errors="replace")
    if status not in statuses:
        raise Failed(f"{contender.name}: exit {status}\n{said[-2000:]}{answer[-500:]}")
    with open(result) as cost:
        wall_ns, user_us, system_us, peak_kib, _ = map(int, cost.read().split())
    sample = {"wall_s": wall_ns / 1e9, "cpu_s": (user_us + system_us) / 1e6, "user_s": user_us / 1e6,
              "rss_mib": peak_kib / 1024, "file_mib": size_of(out) / MIB if os.path.lexists(out) else 0.0}
    if contender.extra is not None:
        sample.update(contender.extra(answer))
    # What an interpreter needs before the work begins; nothing where the contender does not say so.
    sample["work_s"] = sample["wall_s"] - sample.get("start_s", 0)
    sample["work_cpu_s"] = sample["cpu_s"] - sample.get("start_cpu_s", 0)
    return sample


def end_group(child):
    """Ends a contender and what it started: politely, then not."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(child.pid, number)
            child.wait(timeout=5)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            continue
    child.wait()


class Budget:
    """`--minutes`: no round is begun after it."""

    def __init__(self, minutes):
        self._end = time.monotonic() + minutes * 60 if minutes else None

    def left(self):
        return self._end is None or time.monotonic() < self._end


def interleave(contenders, rounds, scratch, budget, each_round, shown="wall_s", warm=None, statuses=(0,),
               warm_up=None):
    """One warm-up each, then `rounds` rounds; the order inside a round turns, so that nobody always runs first. A round
    counts when it is complete: pairs stay pairs. `each_round` is called after each, to write what there is;
    `warm(contender, out)` after each warm-up, before its output is removed. `warm_up`: which of them, all if not said."""
    out = os.path.join(scratch, "out")
    for contender in contenders if warm_up is None else warm_up:
        say(f"warm-up: {contender.name}")
        sample = run_once(contender, out, statuses)
        if warm is not None:
            warm(contender, out)
        remove(out)
        say(f"warm-up: {contender.name} {sample[shown]:.3f}")
    for number in range(rounds):
        if not budget.left():
            say(f"time is up after {number} of {rounds} rounds")
            return
        turn = number % len(contenders)
        taken = {}
        for contender in contenders[turn:] + contenders[:turn]:
            taken[contender.name] = run_once(contender, out, statuses)
            if taken[contender.name]["wall_s"] > LONG_S:
                say(f"  {contender.name} {taken[contender.name][shown]:.3f}")
            remove(out)
        for contender in contenders:
            contender.samples.append(taken[contender.name])
        say(f"round {number + 1}/{rounds}: " + "  ".join(
            f"{contender.name} {contender.samples[-1][shown]:.3f}" for contender in contenders))
        each_round()


def say(text):
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def interval(values):
    """Median and its 95 % bootstrap interval (10,000 resamples, fixed seed)."""
    chance = random.Random(1)
    medians = sorted(statistics.median(chance.choices(values, k=len(values))) for _ in range(10_000))
    return statistics.median(values), medians[249], medians[9749]


def ratio(a, b, what, what_of_b=None):
    """Of a/b over the rounds: the ratio of each pair first, then the median of the ratios."""
    return interval([x[what] / y[what_of_b or what] for x, y in zip(a.samples, b.samples)])


def difference(a, b, what):
    return interval([x[what] - y[what] for x, y in zip(a.samples, b.samples)])


def verdict(low, high, target):
    """As the targets are stated: met when the unfavourable end of the interval is within 0.05 of it. `target` is
    ("<=", 0.78) or (">=", 1.6)."""
    sign, bound = target
    unfavourable = high if sign == "<=" else low
    met = unfavourable <= bound + 0.05 if sign == "<=" else unfavourable >= bound - 0.05
    return "met" if met else "missed"
