"""ClickHouse servers for tests. `Modern` is not one: it is the HTTP interface of a server, as ClickHouse's documentation has it, over
libchdb, whose parser, tables and answers are those of a server of its version; it may be told to behave badly. `Old` is Debian's
clickhouse-server, 18.16 in Debian 12."""

import contextlib
import http.client
import http.server
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.parse

from conftest import wait_until
from test_analytics import LIBRARY

SERVER = shutil.which("clickhouse-server")


class Modern:
    """`user` and `password` are let in. `version` is what it says of itself, if not None. `drops` are what happens to the next
    inserts: "before" or "behind" them the connection ends without an answer."""

    def __init__(self, user="levada", password="", port=0):
        self.user, self.password, self.version, self.drops = user, password, None, []
        self.requests, self.lock = [], threading.Lock()
        self.gate = threading.Event()  # while it is not set, nobody is answered
        self.gate.set()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="levada-clickhouse-"))
        self.child = subprocess.Popen([sys.executable, pathlib.Path(__file__).with_name("chdb_child.py"), str(LIBRARY)], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.listen(port)

    def listen(self, port=0):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), self.handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, database="points"):
        return f"clickhouse://{self.user}@127.0.0.1:{self.port}/{database}"

    def hang_up(self):
        """Nobody listens any more; the tables stay."""
        self.server.shutdown()
        self.server.server_close()

    def close(self):
        self.hang_up()
        self.child.stdin.close()
        self.child.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)

    def run(self, sql):
        with self.lock:
            said = self.say(sql)
            if "error" in said:
                self.say("SELECT 1")  # what an error leaves in the connection
            return said

    def say(self, sql):
        self.child.stdin.write(json.dumps(sql) + "\n")
        self.child.stdin.flush()
        return json.loads(self.child.stdout.readline())

    def insert(self, sql, rows):
        path = self.folder / f"rows-{threading.get_ident()}"
        path.write_bytes(rows)
        return self.run(sql.replace(" SETTINGS ", f" FROM INFILE '{path}' SETTINGS ", 1))

    def answer(self, parameters, headers, body):
        """(status, headers, body), or None for none."""
        given = [headers.get(name, "").encode("latin-1").decode() for name in ("X-ClickHouse-User", "X-ClickHouse-Key")]
        if given != [self.user, self.password]:
            return 403, {"X-ClickHouse-Exception-Code": "516"}, b"Code: 516. DB::Exception: levada: Authentication failed"
        sql = parameters.get("query") or body.decode()
        self.gate.wait(60)
        if self.version and sql.startswith("SELECT version()"):
            return 200, {}, self.version.encode() + b"\n"
        is_insert = "query" in parameters
        drop = self.drops.pop(0) if is_insert and self.drops else None
        if drop == "before":
            return None
        said = self.insert(sql, body) if is_insert else self.run(sql)
        if drop == "behind":
            return None
        if "error" not in said:
            return 200, {"X-ClickHouse-Format": "TabSeparated"}, said["answer"].encode()
        code = re.match(r"Code: (\d+)", said["error"])
        return 500, {"X-ClickHouse-Exception-Code": code[1] if code else "0"}, said["error"].encode()

    def handler(modern):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                parameters = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query, True, errors="strict"))
                modern.requests.append((parameters, dict(self.headers), body))
                answer = modern.answer(parameters, self.headers, body)
                if answer is None:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, headers, text = answer
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(text))}.items():
                    self.send_header(name, value)
                with contextlib.suppress(OSError):  # who asked may be gone
                    self.end_headers()
                    self.wfile.write(text)

            def log_message(self, *_):
                pass
        return Handler


CONFIG = """<yandex><logger><level>warning</level><log>{folder}/log</log><errorlog>{folder}/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><http_port>{port}</http_port><path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path>
<user_files_path>{folder}/files/</user_files_path><format_schema_path>{folder}/schemas/</format_schema_path>
<users_config>{folder}/users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
<mark_cache_size>100000000</mark_cache_size></yandex>"""
USERS = """<yandex><profiles><default/></profiles><users><levada><password>{password}</password><networks><ip>127.0.0.1</ip></networks>
<profile>default</profile><quota>default</quota></levada></users><quotas><default/></quotas></yandex>"""


class Old:
    user = "levada"

    def __init__(self, password="secret"):
        self.password = password
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="levada-clickhouse-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        for name in ("data", "tmp", "files", "schemas"):
            (self.folder / name).mkdir()
        (self.folder / "users.xml").write_text(USERS.format(password=password))
        (self.folder / "config.xml").write_text(CONFIG.format(folder=self.folder, port=self.port))
        self.process = subprocess.Popen([SERVER, f"--config-file={self.folder}/config.xml"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder)
        wait_until(self.is_there, "clickhouse-server answers")

    def is_there(self):
        try:
            return self.post("SELECT 1")[1] == b"1\n"
        except OSError:
            assert self.process.poll() is None, "clickhouse-server ended"
            return False

    def url(self, database="points"):
        return f"clickhouse://{self.user}@127.0.0.1:{self.port}/{database}"

    def post(self, body, query=None, **settings):
        """(status, body) of a request as levada makes them."""
        parameters = urllib.parse.urlencode({**settings, **({"query": query} if query else {})}, quote_via=urllib.parse.quote)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", f"/?{parameters}", body, {"X-ClickHouse-User": self.user, "X-ClickHouse-Key": self.password})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def close(self):
        self.process.kill()
        self.process.wait(60)
        shutil.rmtree(self.folder, ignore_errors=True)
