"""Completion, hover and problems in an editor, by the schema that `levada schema` prints, from yaml-language-server itself."""

import json
import os
import pathlib
import subprocess

import pytest

BUILD = pathlib.Path(os.environ["LEVADA_SOURCE"]) / "build"
SERVER = [BUILD / "venv" / "bin" / "node", BUILD / "node" / "node_modules" / ".bin" / "yaml-language-server"]


class Editor:
    """Speaks the language server protocol: a message is a Content-Length header and JSON."""

    def __init__(self, directory):
        self.directory = directory
        self.process = subprocess.Popen([*SERVER, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=directory)
        self.count = 0
        self.problems = {}
        self.ask("initialize", {"processId": os.getpid(), "rootUri": f"file://{directory}", "capabilities": {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": False}}}}})
        self.tell("initialized", {})
        self.tell("workspace/didChangeConfiguration", {"settings": {"yaml": {
            "validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while line := self.process.stdout.readline().strip():
            name, value = line.split(b":")
            if name.lower() == b"content-length":
                length = int(value)
        message = json.loads(self.process.stdout.read(length))
        if "id" in message and "method" in message:  # the server asks us: nothing is configured
            wanted = len(message["params"].get("items", [])) if isinstance(message.get("params"), dict) else 0
            self.send({"id": message["id"], "result": [None] * wanted if wanted else None})
        if message.get("method") == "textDocument/publishDiagnostics":
            self.problems[message["params"]["uri"]] = message["params"]["diagnostics"]
        return message

    def ask(self, method, params):
        self.count += 1
        self.send({"id": self.count, "method": method, "params": params})
        while (answer := self.receive()).get("id") != self.count or "method" in answer:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def tell(self, method, params):
        self.send({"method": method, "params": params})

    def open(self, name, text):
        uri = f"file://{self.directory}/{name}"
        self.tell("textDocument/didOpen", {"textDocument": {"uri": uri, "languageId": "yaml", "version": 1, "text": text}})
        return uri

    def offered(self, name, text):
        """What is offered at the bar in `text`."""
        before = text[:text.index("|")]
        uri = self.open(name, text.replace("|", "", 1))
        position = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        answer = self.ask("textDocument/completion", {"textDocument": {"uri": uri}, "position": position})
        return {item["label"] for item in (answer["items"] if isinstance(answer, dict) else answer or [])}

    def close(self):
        self.process.kill()
        self.process.wait()


HEAD = "# yaml-language-server: $schema=./levada.schema.json\n"


@pytest.fixture
def editor(levada):
    levada.write("levada.schema.json", levada("schema", expect=0).out)
    editor = Editor(levada.directory)
    yield editor
    editor.close()


def test_completion(editor):
    assert {"name", "run", "consumer", "transformers", "loaders", "memory", "tags"} <= editor.offered("a.yaml", HEAD + "|\n")
    assert {"postgres", "sqlite"} <= editor.offered("b.yaml", HEAD + "consumer:\n  |\n")
    assert {"table", "query", "columns", "partition"} <= editor.offered("c.yaml", HEAD + "consumer:\n  postgres:\n    |\n")
    assert {"rename", "cast", "filter", "mask"} <= editor.offered("d.yaml", HEAD + "transformers:\n  - |\n")
    assert {"none", "snappy", "zstd"} <= editor.offered("e.yaml", HEAD + "loaders:\n  - parquet:\n      codec: |\n")
    assert {"codec", "layout"} <= editor.offered("h.yaml", HEAD + "loaders:\n  - parquet:\n      path: p\n      |\n")
    assert {"count", "readback"} <= editor.offered("i.yaml", HEAD + "verify: |\n")
    assert {"every", "column", "mode", "lag"} <= editor.offered("f.yaml", HEAD + "run:\n  |\n")


def test_problems_and_hover(editor):
    uri = editor.open("g.yaml", HEAD + "name: x\nconsumer:\n  postgres: { tabel: t }\nloaders:\n  - parquet: { path: p, codec: zip }\n")
    while uri not in editor.problems or not editor.problems[uri]:
        editor.receive()
    words = " ".join(problem["message"] for problem in editor.problems[uri])
    assert "tabel" in words and "zstd" in words
    hover = editor.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 2, "character": 4}})
    assert "where rows come from" in json.dumps(hover)
