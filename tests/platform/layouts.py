"""Data directories that an older levada left behind: testdata/layouts has archives of them, each with `data` and a manifest of
questions and what was answered when it was made. An archive is never made again; it goes on saying what a newer levada has to read.

manifest.json has `layout`, `made_at` (Unix seconds), `keys` (S3 keys and tokens by name), `checked` (what fsck counts), `questions`,
which change nothing and may be asked again and again, and `steps`, which are done once, in their order. A question has a door
("api", "s3" or "command"), who asks, and the answer as lines [path, value]. Of a newer answer the lines at these paths are compared:
it may say more, but of what was said then neither more nor less nor anything else.

The daemon's clock stands an hour behind the making, whenever it is asked: what was kept for minutes is gone, what was kept for days
is there. Points of analytics are of the year 2100, for the engine lets those go that are three months old by its own clock.
"""

import base64
import glob
import hashlib
import http.client
import json
import os
import pathlib
import re
import subprocess
import tarfile
import time
import urllib.parse
import xml.etree.ElementTree

from conftest import BINARY, Daemon, wait_until
from sigv4 import Signer, target
from test_analytics import LIBRARY

FOLDER = pathlib.Path(__file__).parent / "testdata" / "layouts"
FAKE_TIME = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
LATER_S = 3600
SHORT = 200
# Of an answer to one request, or of how it came about: no part of what is stored.
VOLATILE = re.compile(r"/(lease_id|meta|page|domain|Location|Owner|RequestId|HostId|Message)(/|$)|^/errors//message|^$")
ENVELOPE = {("/success", "true"), ("/errors", "[]"), ("/messages", "[]")}
HEADERS = ("Content-Type", "Content-Length", "ETag", "Last-Modified", "Cache-Control", "x-amz-version-id", "x-amz-delete-marker",
           "x-amz-meta-color", "x-amz-server-side-encryption-customer-algorithm", "x-amz-mp-parts-count")


def shortened(value):
    text = value if isinstance(value, str) else json.dumps(value)
    if len(text) <= SHORT:
        return text
    return f"{len(text)} characters, SHA-256 {hashlib.sha256(text.encode()).hexdigest()}"


def lines_of(value, path=""):
    """Of parsed JSON: a leaf each, with the names above it; entries of lists are not numbered."""
    if isinstance(value, dict) and value:
        return [line for name, each in value.items() for line in lines_of(each, f"{path}/{name}")]
    if isinstance(value, list) and value:
        return [line for each in value for line in lines_of(each, f"{path}/")]
    return [[path, shortened(value)]]


def lines_of_xml(element, path=""):
    path += "/" + element.tag.rpartition("}")[2]
    inner = [line for each in element for line in lines_of_xml(each, path)]
    return inner or [[path, shortened(element.text or "")]]


def lines_of_answer(status, headers, body, is_json, is_xml):
    lines = [["status", str(status)]] + [[name, headers[name]] for name in HEADERS if headers.get(name) and not is_json]
    if is_json:
        stored = lines_of(json.loads(body))
    elif is_xml:
        stored = lines_of_xml(xml.etree.ElementTree.fromstring(body))
    else:
        stored = [["body", shortened(body.decode("latin-1"))]]
    return lines + [line for line in stored if not VOLATILE.search(line[0]) and tuple(line) not in ENVELOPE]


def differences(expected, shown):
    """What of the recorded lines is otherwise now, for people."""
    paths = {path for path, _ in expected}
    shown = [line for line in shown if line[0] in paths]
    if shown == expected:
        return []
    return [f"- {line}" for line in expected if line not in shown] + [f"+ {line}" for line in shown if line not in expected] or \
        [f"in another order, or another number of times: {shown}"]


def clock_moved(seconds):
    """The environment of a daemon whose clock is so much ahead. Its engine of analytics starts without one, and has the true time."""
    return {**os.environ, "LD_PRELOAD": FAKE_TIME[0], "FAKETIME": f"{round(seconds):+d}s", "NO_FAKE_STAT": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1", "TZ": "UTC"}


class Unpacked:
    """The directory of a fixture, below `root`, and whoever asks a daemon that runs on it."""

    def __init__(self, root, archive):
        self.root = pathlib.Path(root)
        with tarfile.open(archive) as packed:
            packed.extractall(self.root)
        self.manifest = json.loads((self.root / "manifest.json").read_text())
        self.made_at, self.keys = self.manifest["made_at"], self.manifest["keys"]
        self.daemon = Daemon(self.root, "--analytics-library", str(LIBRARY))

    def age_s(self):
        return time.time() - (self.made_at + LATER_S)

    def environment(self):
        return clock_moved(-self.age_s())

    def start(self):
        self.daemon.environment = self.environment()
        self.daemon.start()
        return self

    def begin(self):
        """A start that nobody waits for."""
        return subprocess.Popen([BINARY, "serve", "--json", "--data", str(self.daemon.data), "--listen", "127.0.0.1:0",
                                 "--s3-listen", "127.0.0.1:0", "--analytics-library", str(LIBRARY)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment())

    def command(self, *arguments):
        return subprocess.run([BINARY, *arguments, "--data", str(self.daemon.data)], capture_output=True, text=True, timeout=120,
                              stdin=subprocess.DEVNULL, env=self.environment())

    def fsck(self):
        ran = self.command("fsck", "--scrub", "--json")
        assert ran.stdout, ran
        return json.loads(ran.stdout)

    def await_points(self):
        """Until the engine has all that was on its way to it."""
        def carried():
            text = self.daemon.request("GET", "/metrics", token=self.keys["first"]["token"]).body.decode()
            return float(re.search(r"^levada_analytics_unflushed_bytes (\S+)$", text, re.M)[1]) == 0
        wait_until(carried, "the engine has every point", 60)

    def ask(self, question):
        """The answer's lines, without those that the question leaves out because they tell of the moment."""
        left_out = question.get("left_out", [])
        return [line for line in self.answer(question) if line[0] not in left_out]

    def answer(self, question):
        if question["door"] == "command":
            ran = self.command(*question["arguments"])
            return lines_of_answer(ran.returncode, {}, ran.stdout, True, False)
        who = self.keys.get(question["by"])
        body = base64.b64decode(question.get("body", ""))
        if question["door"] == "api":
            answer = self.daemon.request(question["method"], question["target"], body, question.get("headers"), token=who["token"])
            is_json = answer.headers["Content-Type"].startswith("application/json") and not (question.get("raw") and answer.status == 200)
            return lines_of_answer(answer.status, answer.headers, answer.body, is_json, False)
        address = urllib.parse.urlsplit(self.daemon.ready["s3"]).netloc
        path, _, query = question["target"].partition("?")
        query = urllib.parse.parse_qsl(query, True)
        headers = question.get("headers", {})
        if who:
            signer = Signer(who["s3_access_key_id"], who["s3_secret_access_key"], address, age_s=self.age_s())
            headers = signer.headers(question["method"], path, query, headers)
        connection = http.client.HTTPConnection(address, timeout=60)
        try:
            connection.request(question["method"], target(path, query), body or None, headers)
            answer = connection.getresponse()
            got = answer.read()
        finally:
            connection.close()
        is_xml = answer.headers.get("Content-Type") == "application/xml" and bool(got)
        return lines_of_answer(answer.status, {} if is_xml else answer.headers, got, False, is_xml)

    def wrong(self, questions):
        """What is answered otherwise than it was, for people."""
        found = []
        for question in questions:
            if difference := differences(question["answer"], self.ask(question)):
                shown = {name: value for name, value in question.items() if name != "answer"}
                found.append(f"{shown}\n  " + "\n  ".join(difference))
        return found
