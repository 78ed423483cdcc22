"""What is made of the same definitions as the command line: the manual page, completions, the JSON Schema."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time

import pytest

VERBS = ["run", "plan", "check", "schema", "status", "retry", "backfill", "init", "preview", "test", "verify", "diff", "serve", "token", "account",
         "audit", "d1", "fsck", "backup", "restore", "explain"]


def test_the_manual_says_all_that_help_says(levada):
    page = levada("manual", expect=0).out
    plain = page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "").replace("\\fI", "").replace("\\&", "")
    assert page.startswith(".TH LEVADA 1 ")
    for verb in VERBS:
        assert f".SS {verb}\n" in page
        for option in re.findall(r"--[a-z-]+", levada(verb, "--help", expect=0).out):
            assert option in plain, (verb, option)
    for line in levada("--help", expect=0).out.split("Exit status:")[1].splitlines():
        for status in re.findall(r"\b\d+\b", line):
            assert status in plain


@pytest.mark.skipif(shutil.which("groff") is None, reason="no groff on this machine")
def test_the_manual_is_roff_without_a_complaint(levada):
    made = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=levada("manual", expect=0).out, capture_output=True, text=True)
    assert made.returncode == 0 and made.stderr == "", made.stderr
    assert "EXIT STATUS" in re.sub(".\x08", "", made.stdout)


def complete(script, *words):
    """What bash offers for the last of `words`."""
    program = script + """
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _levada; printf '%s\\n' "${COMPREPLY[@]}"
"""
    ran = subprocess.run(["bash", "-c", program, "bash", *words], capture_output=True, text=True)
    assert ran.returncode == 0 and ran.stderr == "", ran
    return ran.stdout.split()


def test_bash_completes(levada):
    script = levada("completions", "bash", expect=0).out
    assert complete(script, "levada", "ba") == ["backfill", "backup"]
    assert set(VERBS) <= set(complete(script, "levada", ""))
    assert complete(script, "levada", "run", "--rep") == ["--replace"]
    assert complete(script, "levada", "status", "--having", "p") == ["pending", "published"]
    assert complete(script, "levada", "completions", "f") == ["fish"]
    assert complete(script, "levada", "help", "expl") == ["explain"]
    levada.write("orders.yaml", "")
    ran = subprocess.run(["bash", "-c", script + 'COMP_WORDS=(levada run ord); COMP_CWORD=2; _levada; echo "${COMPREPLY[@]}"'],
                         capture_output=True, text=True, cwd=levada.directory)
    assert ran.stdout.split() == ["orders.yaml"]


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_read_their_script(levada, shell):
    script = levada("completions", shell, expect=0).out
    for verb in VERBS:
        assert re.search(rf"\b{verb}\b", script)
    for option in ("replace", "having", "log-level"):
        assert option in script
    if shutil.which(shell):
        ran = subprocess.run([shell, "-n", "/dev/stdin"], input=script, capture_output=True, text=True)
        assert ran.returncode == 0 and ran.stderr == "", ran.stderr


@pytest.mark.skipif(shutil.which("fish") is None, reason="no fish on this machine")
def test_fish_completes(levada):
    levada.write("levada.fish", levada("completions", "fish", expect=0).out)

    def offered(line):
        program = f"source levada.fish; complete -C '{line}'"
        ran = subprocess.run(["fish", "--no-config", "-c", program], capture_output=True, text=True, cwd=levada.directory)
        assert ran.returncode == 0 and ran.stderr == "", ran
        return [answer.split("\t")[0] for answer in ran.stdout.splitlines()]

    assert offered("levada ba") == ["backfill", "backup"]
    assert offered("levada run --rep") == ["--replace"]
    assert offered("levada status --having p") == ["pending", "published"]
    assert offered("levada completions f") == ["fish"]


@pytest.mark.skipif(shutil.which("zsh") is None, reason="no zsh on this machine")
def test_zsh_completes(levada):
    """By its own line editor, on a terminal: nothing else asks a completion."""
    levada.write("_levada", levada("completions", "zsh", expect=0).out)

    def shown(line):
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(levada.directory)
            os.environ.update(TERM="dumb", HOME=str(levada.directory))
            os.execvp("zsh", ["zsh", "-f", "-i"])
        seen = ""

        def until(text):
            nonlocal seen
            deadline = time.monotonic() + 30
            while text not in seen:
                assert time.monotonic() < deadline, seen
                if select.select([terminal], [], [], 0.1)[0]:
                    seen += os.read(terminal, 4096).decode()
            found, seen = seen, ""
            return found

        def send(text):
            os.write(terminal, text.encode())

        try:
            # Split words do not match their own echo.
            send("PROMPT='> '; fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; unsetopt list_beep; echo rea''dy\n")
            until("ready\r\n")
            send(f"{line}\t")
            send("\x01: \x05; echo do''ne\n")  # to the beginning of the line, a command that does nothing, and to its end
            return until("done\r\n")
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(terminal)

    assert "levada backfill" in shown("levada backf")
    assert "levada run --replace" in shown("levada run --rep")
    assert re.search(r"pending +published", shown("levada status --having p"))
    assert "levada completions fish" in shown("levada completions f")


def test_mistakes(levada):
    for arguments in (("completions",), ("completions", "csh"), ("completions", "bash", "zsh")):
        ran = levada(*arguments, expect=10)
        assert "completions takes one shell of bash, zsh, fish" in ran.err
    assert "LV1017" in levada("manual", "x", expect=10).err
