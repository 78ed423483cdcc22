"""What a program printed against what a page or a golden file shows: equal but for what differs from run to run."""

import re

# What differs from run to run and from machine to machine.
VARIABLE = [
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", r"\b\d{8}T\d{6}Z-[0-9a-f]{16}\b", r"\b[0-9a-f]{64}\b",
    r"\b[0-9a-f]{16}\b", r"\b\d+(\.\d+)?(ms|s)\b", r"\b\d+(\.\d+)? (MiB|KiB|B)\b", r"\b[\d.]+[kM]? rows/s",
    r"(?<=SQLite )\d+\.\d+\.\d+", r'(?<="peak_memory_bytes": )\d+', r'(?<="host": )"[^"]*"',
    r'(?<=seconds": )[\d.]+', r'(?<=_bytes": )\d{5,}', r'(?<="bytes": )\d+', r"(?<=minimum_bytes: )\d+",
    r"(?<=--memory )\d+MiB", r"(?<=g\+\+ )[\d.]+", r'(?<="build": )"[^"]*"', r'(?<="arrow": )"[^"]*"',
    r"(?<=process: )\S+ \d+", r"(?<=port: )\d+", r"(?<=port )\d+", r"(?<=127\.0\.0\.1:)\d+",
    r"(?<=PostgreSQL )\d+\.\d+",
]


def with_gaps(text):
    """`text` with "..." in place of what varies."""
    for pattern in VARIABLE:
        text = re.sub(pattern, "...", text)
    return text


def single_gaps(text):
    """Columns whose widths depend on what is in them, with the same gap between all."""
    return re.sub(r"(?<=\S) {2,}", "  ", text)


def matches(expected, seen):
    """One line; "..." in `expected` stands for any text."""
    pattern = ".*".join(re.escape(piece) for piece in expected.split("..."))
    return re.fullmatch(pattern, seen) is not None


def lines_match(expected, seen):
    expected_lines, seen_lines = expected.splitlines(), seen.splitlines()
    return len(expected_lines) == len(seen_lines) and all(map(matches, expected_lines, seen_lines))


def without_log(text):
    """Standard error without the log, which is JSON lines when it is no terminal."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith('{"time":'))
