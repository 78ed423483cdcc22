"""What a benchmark prints and writes: Markdown whose tables line up, with the machine, the date and the command."""

import datetime
import os
import platform
import subprocess

from postgres import BIN, HERE


def table(header, rows, left=(0,)):
    """A Markdown table. The columns of `left` are aligned to the left, the others to the right."""
    cells = [list(header)] + [[str(cell) for cell in row] for row in rows]
    widths = [max(3, *(len(row[i]) for row in cells)) for i in range(len(header))]

    def line(row):
        return "| " + " | ".join(
            cell.ljust(width) if i in left else cell.rjust(width) for i, (cell, width) in enumerate(zip(row, widths))) + " |"

    rule = "|" + "|".join(("-" * (width + 2) if i in left else "-" * (width + 1) + ":") for i, width in enumerate(widths)) + "|"
    return [line(cells[0]), rule] + [line(row) for row in cells[1:]]


def machine():
    """What the figures depend on, and nothing that names one machine."""
    with open("/proc/cpuinfo") as cpuinfo:
        model = next((line.split(":")[1].strip() for line in cpuinfo if line.startswith("model name")), "unknown CPU")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    release = platform.release().split("-")[0]
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, {platform.system()} {release}"


def server_version():
    return subprocess.run([str(BIN / "postgres"), "--version"], check=True, text=True,
                          capture_output=True).stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")


class Report:
    """Collects text. With `write`, bench/results/<name>-<date>.md is renewed whenever Save is called, so that a run that
    is cut off leaves the rounds it had."""

    def __init__(self, name, title, command, write, notes=()):
        self.date = datetime.date.today().isoformat()
        self.path = HERE / "results" / f"{name}-{self.date}.md"
        self.write = write
        self.head = [f"# {title}", "", f"{self.date}. {machine()}.", *notes, "", f"    {command}", ""]
        self.sections = {}
        self.complete = False

    def put(self, section, lines):
        """Replaces a section; they stay in the order of their first appearance."""
        self.sections[section] = lines
        self.save()

    def text(self):
        body = [line for lines in self.sections.values() for line in [*lines, ""]]
        end = [] if self.complete else ["The run was stopped before its end; what is complete is above.", ""]
        return "\n".join(self.head + body + end).rstrip() + "\n"

    def save(self):
        if self.write and self.sections:
            self.path.parent.mkdir(exist_ok=True)
            self.path.write_text(self.text())

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        """However it ends, what is complete is shown."""
        self.complete = failure is None
        self.save()
        if self.sections:
            print(self.text())
        if self.write and self.sections:
            print(f"written to bench/results/{self.path.name}")
