#!/usr/bin/env python3
"""How long `levada check` takes for a folder of pipelines; beside it, reading the same files into Python values.

    bench/check_folder.py --rounds 15 --write

Each file has a source, windows, three transformers and a dataset; what they share stands in one `defaults:`."""

import argparse
import pathlib
import shutil
import subprocess
import tempfile

import cli
from measure import LEVADA, Budget, Contender, compiled, interleave, interval, need_levada
from postgres import BUILD
from report import Report, table

FILES = [500, 1000, 2000]
TARGET_S = 2
DEFAULTS = """consumer: { postgres: { dsn: "${env:SHOP_DSN}", connections: 2 } }
loaders: { parquet: { codec: zstd, level: 3 } }
retry: { attempts: 5, backoff: 1s }
"""
FILE = """# Orders of shop {i}, a day at a time.
name: shop_{i:04}_orders
defaults: defaults.yaml
tags: [shop, team_{team}]
consumer:
  postgres:
    table: shop_{i:04}.orders
    partition: {{ by: id, size: 1000000 }}
run: {{ every: day, column: created_at, start: 2026-01-01, timezone: Europe/Lisbon, delay: 1h }}
transformers:
  - filter: amount > 0 and status in ('paid', 'shipped', 'returned')
  - derive:
      net: amount - coalesce(discount, 0)
      late: case when shipped_at > promised_at then 'late' else 'in time' end
  - mask: {{ key: "${{env:MASK_KEY}}", columns: {{ email: hash, phone: redact }} }}
loaders:
  - parquet: {{ path: ./lake/shop_{i:04}/orders, layout: "day={{run.start:%Y-%m-%d}}" }}
"""
READ = ("import sys, pathlib, yaml\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.yaml'): yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)")


def make_folder(scratch, count):
    folder = pathlib.Path(scratch) / f"pipelines_{count}"
    folder.mkdir()
    (folder / "defaults.yaml").write_text(DEFAULTS)
    for i in range(count):
        (folder / f"shop_{i:04}.yaml").write_text(FILE.format(i=i, team=i % 12))
    return folder


def has_yaml():
    python = shutil.which("python3")
    probe = subprocess.run([python, "-c", "import yaml; yaml.CSafeLoader"], stderr=subprocess.DEVNULL)
    return python if probe.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_arguments(parser, rounds=15)
    arguments = parser.parse_args()
    need_levada()
    compiled("launch.c", ["cc", "-O2"])
    report = Report("check-folder", "A folder of pipelines, checked", f"bench/check_folder.py --rounds {arguments.rounds}"
                    + (" --tiny" if arguments.tiny else ""), arguments.write, notes=[
        "Wall from spawn to exit; medians and their 95 % bootstrap intervals. `yaml.load` is libyaml's parser under Python's",
        "PyYAML: text to values, and nothing is looked at."])
    with report, tempfile.TemporaryDirectory(dir=BUILD, prefix="bench-run-") as scratch:
        python = has_yaml()
        contenders = []
        for count in FILES:
            count = count // 100 if arguments.tiny else count
            folder = make_folder(scratch, count)
            environment = {"SHOP_DSN": "postgres://localhost/shop", "MASK_KEY": "k" * 32}
            contenders.append((f"levada check, {count:,} files", count, Contender(
                f"check {count}", lambda _out, folder=folder: [str(LEVADA), "check", str(folder)], env=environment)))
            if python:
                contenders.append((f"yaml.load, {count:,} files", count, Contender(
                    f"yaml.load {count}", lambda _out, folder=folder: [python, "-c", READ, str(folder)])))

        def save():
            rows = []
            for name, count, contender in contenders:
                middle, low, high = interval([sample["wall_s"] for sample in contender.samples])
                target = name.startswith("levada") and count == FILES[-1]
                rows.append([name, f"{middle:.2f}", f"{low:.2f} .. {high:.2f}", f"{middle / count * 1e6:.0f}",
                             f"{contender.median('cpu_s'):.2f}", f"{contender.median('rss_mib'):.0f}",
                             f"<= {TARGET_S} s" if target else "",
                             ("met" if high <= TARGET_S * 1.05 else "missed") if target else ""])
            report.put("folder", [f"## {len(contenders[0][2].samples)} rounds", "", *table(
                ["", "wall s", "95 % interval", "us a file", "CPU s", "peak MiB", "target", ""], rows, left=(0, 7))])

        interleave([contender for *_, contender in contenders], arguments.rounds, scratch, Budget(arguments.minutes), save)


if __name__ == "__main__":
    cli.run(main)
