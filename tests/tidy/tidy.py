#!/usr/bin/env python3
"""Checks the checkout against the house rules of STYLE.md. Prints each finding with the fix; exit 1 if there are any."""
import pathlib
import subprocess
import sys

import rules

ROOT = pathlib.Path(__file__).resolve().parents[2]


def checkout_files(root):
    """What git would commit, new files included; every file where there is no git."""
    listed = subprocess.run(["git", "-C", str(root), "ls-files", "--cached", "--others", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        return [line for line in listed.stdout.splitlines() if (root / line).is_file()]
    return [str(path.relative_to(root)) for path in root.rglob("*")
            if path.is_file() and path.relative_to(root).parts[0] not in {"build", ".git"}]


def main():
    findings = rules.check(rules.Checkout(ROOT, checkout_files(ROOT)))
    for finding in findings:
        print(finding)
    print(f"tidy: {len(findings)} findings", file=sys.stderr)
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
