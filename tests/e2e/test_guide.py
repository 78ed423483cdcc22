"""The pages of the guide and the README do what they show: each command is run, in order, in a directory of its own for
each page, and what it prints is compared with the page.

    ```            with lines "$ command": a transcript. Every other line is output; a line "..." stands for any number of
                   lines, and what differs from run to run (times, sizes, ids) may differ.
    ```yaml        below a line that ends with "`NAME.yaml`:" is written to NAME.yaml

Comments, which no reader of the page sees, say what else is needed:

    <!-- run: COMMAND -->      is run first and must succeed
    <!-- shows: COMMAND -->    the next block is what this prints
    <!-- not run -->           the next block is not run, for a terminal or a kill at some moment

In commands CHECKOUT/ is the checkout, $SHOP the sample shop in SQLite, and 127.0.0.1:PORT becomes the address of the test's
own PostgreSQL, which holds that shop too.

LEVADA_UPDATE=1 writes what was seen into the pages, wherever nothing is left out; read the difference before committing it.
"""

import os
import pathlib
import re
import subprocess
import sys

import pytest

from conftest import BINARY, SOURCE
from shown import single_gaps, with_gaps, without_log

PAGES = [SOURCE / "README.md", *sorted((SOURCE / "docs/guide").glob("*.md"))]
PIECE = re.compile(r"(?ms)^<!-- (?P<comment>.*?) -->$|^```(?P<language>\w*)\n(?P<body>.*?)^```$")
NAMED_FILE = re.compile(r"`([\w.-]+\.yaml)`:\s*\Z")
MARKS = {"functions", "end of functions"}  # where another test writes a table
UPDATE = os.environ.get("LEVADA_UPDATE") == "1"


@pytest.fixture(scope="session")
def shop(server, tmp_path_factory):
    """The sample shop in SQLite and in PostgreSQL."""
    path = tmp_path_factory.mktemp("shop") / "shop.db"
    for kind, where in (("sqlite", str(path)), ("postgres", server.url())):
        subprocess.run([sys.executable, str(SOURCE / "examples/shop/make_shop.py"), kind, where], check=True,
                       stdout=subprocess.DEVNULL)
    return path


class Page:
    def __init__(self, path, directory, shop, server):
        self.text = path.read_text()
        self.directory = directory
        self.server = server
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        programs = [str(pathlib.Path(BINARY).parent), str(pathlib.Path(sys.executable).parent), os.environ["PATH"]]
        self.env = {**kept, "LANG": "C.UTF-8", "NO_COLOR": "1", "PATH": ":".join(programs), "SHOP": str(shop)}

    def shell(self, command):
        command = command.replace("CHECKOUT/", f"{SOURCE}/")
        command = re.sub(r"127\.0\.0\.1:\d+", f"127.0.0.1:{self.server.port}", command)
        ran = subprocess.run(["bash", "-c", command], cwd=self.directory, env=self.env, text=True, timeout=300,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return ran.returncode, without_log(ran.stdout)

    def follow(self):
        """[(expected, seen, begin, end)] of every output on the page, places in its text."""
        found, shows, skip = [], None, False
        for piece in PIECE.finditer(self.text):
            if (comment := piece["comment"]) is not None:
                word, _, command = comment.partition(": ")
                if word == "run":
                    status, output = self.shell(command)
                    assert status == 0, f"{command}\n{output}"
                elif word == "shows":
                    shows = command
                elif comment == "not run":
                    skip = True
                elif comment not in MARKS:
                    raise AssertionError(f"unknown comment {comment!r}")
                continue
            body, begin = piece["body"], piece.start("body")
            if skip:
                skip = False
            elif shows:
                found.append((body, self.shell(shows)[1], begin, piece.end("body")))
                shows = None
            elif piece["language"] == "yaml":
                if named := NAMED_FILE.search(self.text[:piece.start()]):
                    (self.directory / named[1]).write_text(body)
            elif body.startswith("$ "):
                for command, expected, at in transcript(body):
                    found.append((expected, self.shell(command)[1], begin + at, begin + at + len(expected)))
        return found


def transcript(body):
    """[(command, output, where the output begins)]"""
    commands = list(re.finditer(r"(?m)^\$ (.*)\n", body))
    ends = [each.start() for each in commands[1:]] + [len(body)]
    return [(each[1], body[each.end():end], each.end()) for each, end in zip(commands, ends)]


def agrees(expected, seen):
    """Lines of `expected` against those of `seen`, with gaps for what varies and for "..." lines; blank lines at the end do not count."""
    plain = [single_gaps(with_gaps(line)) for line in seen.rstrip().splitlines()]
    pattern = "".join("(?:.*\n)*" if line == "..." else re.escape(single_gaps(with_gaps(line))) + "\n"
                      for line in expected.rstrip().splitlines())
    return re.fullmatch(pattern, "".join(line + "\n" for line in plain)) is not None


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_page_shows_what_happens(path, scratch, shop, server):
    page = Page(path, scratch, shop, server)
    text = page.text
    for expected, seen, begin, end in reversed(page.follow()):
        if agrees(expected, seen):
            continue
        assert UPDATE and "...\n" not in expected, f"--- the page shows\n{expected}\n--- seen\n{seen}"
        text = text[:begin] + seen.rstrip() + expected[len(expected.rstrip()):] + text[end:]
    if text != page.text:
        path.write_text(text)


def test_every_page_is_followed():
    assert any(path.stem == "first-pipeline" for path in PAGES)
    shown = sum(len(re.findall(r"(?m)^\$ levada", path.read_text())) for path in PAGES)
    assert shown > 10
