"""What a person sees when something is wrong, word for word: one file for each error code.

A case file LVnnnn[-what].test is a list of sections. Each begins with a line "--- what":

    --- file NAME         the lines below are written to NAME
    --- sqlite NAME       the SQL below makes the database NAME
    --- postgres          the SQL below runs in a new database of a private PostgreSQL, whose URL is in DSN
    --- env NAME=VALUE    an environment variable for the commands that follow
    --- remove NAME       a file is removed
    --- damage NAME N     the bytes from N on are overwritten
    --- tmpfs NAME SIZE   a small file system is mounted there (skipped without root)
    --- beside NAME ARGUMENTS    levada runs in the background until the end of the case; go on once NAME is there
    --- interrupt NAME SIGNAL    the next levada gets SIGNAL once NAME is there
    --- quiet ARGUMENTS   levada is run and must succeed; what it prints is not looked at
    --- levada ARGUMENTS  levada is run; the next two sections say what is expected of it
    --- exit STATUS
    --- stderr            compared line by line; "..." stands for any text within a line
    --- stdout            the same, and any number of spaces stands for two; may be left out

Files command-*.test show commands that work, in the same way.

LEVADA_UPDATE=1 writes what was seen into the case files instead; read the difference before committing it. The example in
docs/errors/LVnnnn.md is what LVnnnn.test shows, so that the page cannot drift from the program.
"""
import os
import pathlib
import pwd
import re
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

import pytest

from shown import lines_match, single_gaps, with_gaps, without_log

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parents[1]
BINARY = os.environ.get("LEVADA_BINARY", str(SOURCE / "build/dev/bin/levada"))
CASES = sorted(HERE.glob("LV*.test"))
COMMANDS = sorted(HERE.glob("command-*.test"))

# Codes whose message cannot be had from a file and a command here, and where it is tested instead.
ELSEWHERE = {
    1022: "needs a data directory: tests/platform/test_serve.py", 4008: "needs a damaged store: tests/platform/test_serve.py",
    1303: "never the reported cause: src/elt/runner_test.cc",
    2005: "needs a snapshot that goes away: src/connectors/postgres",
    2109: "needs a file that changes in the middle of a run: tests/e2e/test_files.py",
    3101: "needs a source that lies: src/elt", 3102: "needs a disk that lies: src/elt",
    4010: "needs a server that goes away: tests/e2e/test_postgres_loader.py",
    4011: "needs somebody else's lock: tests/e2e/test_postgres_loader.py",
    4005: "needs two hosts: src/connectors/parquet", 4007: "needs a failing disk: src/os", 7001: "nobody foresees it",
}


def sections(text):
    """[(what, argument, body)] of a case file."""
    found = []
    for part in re.split(r"(?m)^--- ", text)[1:]:
        head, _, body = part.partition("\n")
        what, _, argument = head.partition(" ")
        found.append([what, argument.strip(), body])
    return found


def written(parts):
    return "".join(f"--- {what}{' ' if argument else ''}{argument}\n{body}" for what, argument, body in parts)


class Postgres:
    """A PostgreSQL of its own on a free loopback port, started when the first case asks for it."""
    BIN = pathlib.Path("/usr/lib/postgresql/15/bin")

    def __init__(self):
        self.root = None

    def call(self, program, *arguments):
        as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"]
        subprocess.run((as_postgres if os.geteuid() == 0 else []) + [str(self.BIN / program), *arguments], check=True,
                       stdout=subprocess.DEVNULL, cwd="/tmp")

    def start(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="levada-errors-", dir="/tmp"))
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.root, owner.pw_uid, owner.pw_gid)
        self.call("initdb", "-D", str(self.root / "data"), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8",
                  "--locale", "C")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.call("pg_ctl", "-D", str(self.root / "data"), "-w", "-l", str(self.root / "log"), "-o",
                  f"-p {self.port} -k {self.root} -c listen_addresses=127.0.0.1 -c fsync=off", "start")

    def stop(self):
        if self.root:
            self.call("pg_ctl", "-D", str(self.root / "data"), "-m", "immediate", "-w", "stop")
            shutil.rmtree(self.root, ignore_errors=True)

    def database(self, sql):
        """The URL of the database, which holds what the SQL makes and nothing else."""
        if not self.root:
            self.start()
        for database, text in (("postgres", "drop database if exists shop with (force)"),
                               ("postgres", "create database shop"), ("shop", sql)):
            subprocess.run([str(self.BIN / "psql"), "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres", "-qX",
                            "-v", "ON_ERROR_STOP=1", "-d", database, "-c", text], check=True)
        return f"postgres://postgres@127.0.0.1:{self.port}/shop"


@pytest.fixture(scope="session")
def postgres():
    server = Postgres()
    yield server
    server.stop()


class Case:
    def __init__(self, path, directory, postgres):
        self.path = path
        self.directory = directory
        self.postgres = postgres
        self.beside = []
        self.mounted = []
        self.interrupt = None
        self.parts = sections(path.read_text())
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LEVADA_"))}
        self.env = {**kept, "LANG": "C.UTF-8", "NO_COLOR": "1"}

    def start(self, arguments):
        return subprocess.Popen([BINARY, *shlex.split(arguments)], cwd=self.directory, env=self.env, text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def wait_for(self, name, process):
        deadline = time.monotonic() + 60
        while not (self.directory / name).exists():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, f"{name} did not appear"
            time.sleep(0.02)

    def levada(self, arguments):
        process = self.start(arguments)
        if self.interrupt:
            name, wanted = self.interrupt
            self.wait_for(name, process)
            process.send_signal(signal.Signals["SIG" + wanted])
        out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def close(self):
        for process in self.beside:
            process.kill()
            process.communicate()
        for path in self.mounted:
            subprocess.run(["umount", str(path)], check=True)

    def play(self):
        ran = None
        for part in self.parts:
            what, argument, body = part
            if what == "file":
                path = self.directory / argument
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(body)
            elif what == "sqlite":
                database = sqlite3.connect(self.directory / argument)
                database.executescript(body)
                database.close()
            elif what == "postgres":
                self.env["DSN"] = self.postgres.database(body)
            elif what == "damage":
                name, _, offset = argument.partition(" ")
                with open(self.directory / name, "r+b") as file:
                    size = file.seek(0, os.SEEK_END)
                    file.seek(int(offset))
                    file.write(b"\xa5" * (size - int(offset)))
            elif what == "tmpfs":
                if os.geteuid() != 0:
                    pytest.skip("mounting needs root")
                name, _, size = argument.partition(" ")
                (self.directory / name).mkdir()
                subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.directory / name)],
                               check=True)
                self.mounted.append(self.directory / name)
            elif what == "beside":
                name, _, arguments = argument.partition(" ")
                self.beside.append(self.start(arguments))
                self.wait_for(name, self.beside[-1])
            elif what == "interrupt":
                self.interrupt = argument.split()
            elif what == "env":
                name, _, value = argument.partition("=")
                self.env[name] = value
            elif what == "remove":
                (self.directory / argument).unlink()
            elif what == "quiet":
                done = self.levada(argument)
                assert done.returncode == 0, done.stdout + done.stderr
            elif what == "levada":
                ran = self.levada(argument)
            elif what == "exit":
                yield part, 1, str(ran.returncode)
            elif what == "stderr":
                yield part, 2, without_log(ran.stderr)
            elif what == "stdout":
                yield part, 2, ran.stdout
            else:
                raise AssertionError(f"{self.path.name}: unknown section {what!r}")


@pytest.mark.parametrize("path", CASES + COMMANDS, ids=lambda path: path.stem)
def test_case(path, tmp_path, postgres):
    case = Case(path, tmp_path, postgres)
    try:
        compare(path, case)
    finally:
        case.close()


def compare(path, case):
    update = os.environ.get("LEVADA_UPDATE") == "1"
    for part, place, seen in case.play():
        if place == 2 and part[0] == "stdout":
            part[2], seen = single_gaps(part[2]), single_gaps(seen)
        if update:
            if not (place == 2 and lines_match(part[2], seen)):
                part[place] = with_gaps(seen)
        elif place == 1:
            assert part[1] == seen
        else:
            assert lines_match(part[2], seen), f"--- expected\n{part[2]}\n--- seen\n{seen}"
    if update:
        path.write_text(written(case.parts))


EXAMPLE = re.compile(r"(?s)(?<=```\n)error\[.*?(?=```)")


def shown(path):
    """The last stderr section of a case file."""
    return [body for what, _, body in sections(path.read_text()) if what == "stderr"][-1]


@pytest.mark.parametrize("path", [path for path in CASES if path.stem.isalnum()], ids=lambda path: path.stem)
def test_the_page_shows_what_the_program_says(path):
    page = SOURCE / f"docs/errors/{path.stem}.md"
    example = EXAMPLE.search(page.read_text())
    assert example, "the page has no example"
    assert "error[" in shown(path), "the case shows no error"
    if os.environ.get("LEVADA_UPDATE") == "1" and not lines_match(shown(path), example.group(0)):
        page.write_text(EXAMPLE.sub(lambda _: shown(path), page.read_text(), count=1))
    else:
        assert lines_match(shown(path), example.group(0)), f"LEVADA_UPDATE=1 writes it into {page.name}"


def test_every_code_has_a_case_or_a_reason():
    header = (SOURCE / "src/base/fault.h").read_text()
    codes = {int(number) for number in re.findall(r"\bk\w+\s*=\s*(\d{4})\b", header)}
    covered = {int(path.name[2:6]) for path in CASES}
    assert codes - covered - set(ELSEWHERE) == set(), "add tests/errors/LVnnnn.test"
    assert covered - codes == set(), "a case for a code that does not exist"
    assert covered & set(ELSEWHERE) == set(), "there is a case now: take it out of ELSEWHERE"


def test_every_case_shows_its_code():
    for path in CASES:
        assert f"[{path.name[:6]}]" in path.read_text(), path.name
