#!/usr/bin/env python3
"""Collects the tests of several build trees into one CTest directory, so that one ctest run and one summary cover all.

Each test keeps its command and properties and gets the name of its tree in front: dev/base, release/e2e/shop. From a
tree that exists for one purpose only the tests for it are taken (WANTED below). The fuzz tree has no tests of its
own; each fuzz target becomes one that runs for a bounded time.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

IS_LONG = os.environ.get("LEVADA_TEST_SIZE") == "all"
# Which tests a tree runs, by their labels. Campaigns ("kill") ask what the code does when it is disturbed, not what a
# compiler made of it: they run once, in what users run.
WANTED = {
    "dev": lambda labels: True,
    "release": lambda labels: bool(labels & {"e2e", "kill"}),
    "tsan": lambda labels: "threads" in labels or (IS_LONG and "daemon" in labels),
    "clang": lambda labels: "kill" not in labels,
}
# Properties of a test that are lists of their own kind in ctest's JSON.
SKIPPED = {"_BACKTRACE_TRIPLES"}
FUZZ_MEMORY_MB = 2048
FUZZ_INPUT_SECONDS = 10


def quoted(text):
    """Text as a CMake bracket argument, which needs no escaping."""
    return f"[==[{text}]==]"


def listed(build, preset):
    answer = subprocess.run(
        ["ctest", "--test-dir", str(build / preset), "--show-only=json-v1"],
        check=True, capture_output=True, text=True)
    for test in json.loads(answer.stdout)["tests"]:
        properties = {p["name"]: p["value"] for p in test.get("properties", [])}
        labels = set(properties.get("LABELS", []))
        if not WANTED[preset](labels):
            continue
        if "command" not in test:
            sys.exit(f'collect: test "{preset}/{test["name"]}" has no executable; was it built?')
        yield test["name"], test["command"], properties


def fuzzers(build, seconds):
    for line in (build / "fuzz" / "fuzzers.txt").read_text().splitlines():
        if not line:
            continue
        name, binary, seeds = line.split("|")
        found = build / "fuzz" / "corpus" / name  # what this machine found before, kept between runs
        found.mkdir(parents=True, exist_ok=True)
        command = [binary, f"-max_total_time={seconds}", f"-timeout={FUZZ_INPUT_SECONDS}",
                   f"-rss_limit_mb={FUZZ_MEMORY_MB}", "-print_final_stats=1", "-verbosity=0",
                   f"-artifact_prefix={found.parent}/{name}-", str(found)]
        if pathlib.Path(seeds).is_dir():
            command.append(seeds)
        yield name, command, {"LABELS": ["fuzz"], "TIMEOUT": int(seconds) + 120,
                              "ENVIRONMENT": ["ASAN_OPTIONS=detect_container_overflow=0"]}


def value_text(value):
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, list):
        if any(isinstance(item, dict) for item in value):
            return None
        return ";".join(str(item) for item in value)
    if isinstance(value, dict):
        # REQUIRED_FILES and the like are plain; PASS_REGULAR_EXPRESSION comes as a list. Nothing else is used here.
        return None
    return str(value)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--fuzz-seconds", type=int, default=30)
    parser.add_argument("presets", nargs="+", choices=[*WANTED, "fuzz"])
    arguments = parser.parse_args()
    build = arguments.build.resolve()

    lines = []
    for preset in arguments.presets:
        tests = list(fuzzers(build, arguments.fuzz_seconds) if preset == "fuzz" else listed(build, preset))
        if not tests:
            sys.exit(f"collect: build/{preset} has no tests; was it configured with LEVADA_TESTS=OFF?")
        for name, command, properties in tests:
            full = quoted(f"{preset}/{name}")
            lines.append(f"add_test({full} {' '.join(quoted(word) for word in command)})")
            for key, value in properties.items():
                text = None if key in SKIPPED else value_text(value)
                if text is not None:
                    lines.append(f"set_tests_properties({full} PROPERTIES {key} {quoted(text)})")
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "CTestTestfile.cmake").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
