"""A ClickHouse server of its own for tests, Debian's 18.16, in a temporary directory and on free loopback ports."""

import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import urllib.parse

import pytest

from conftest import free_port, wait_until

SERVER = shutil.which("clickhouse-server")
needs_clickhouse = pytest.mark.skipif(not SERVER, reason="needs the Debian package clickhouse-server")
PASSWORD = "s:e/c r@t"

CONFIG = """<yandex><logger><level>warning</level><log>{root}/log</log><errorlog>{root}/errors</errorlog></logger>
<listen_host>127.0.0.1</listen_host><http_port>{http}</http_port><tcp_port>{tcp}</tcp_port>{more}
<path>{root}/data/</path><tmp_path>{root}/tmp/</tmp_path><user_files_path>{root}/files/</user_files_path>
<format_schema_path>{root}/schemas/</format_schema_path><users_config>{root}/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database><timezone>Europe/Berlin</timezone>
<mark_cache_size>100000000</mark_cache_size></yandex>"""
USERS = """<yandex><profiles><default/><readonly><readonly>1</readonly></readonly>
<limited><max_result_rows>1000</max_result_rows><result_overflow_mode>break</result_overflow_mode></limited>
<cut><profile>limited</profile><readonly>1</readonly></cut></profiles><users>
<default><password></password><networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default>
<reader><password>{password}</password><networks><ip>127.0.0.1</ip></networks><profile>readonly</profile><quota>default</quota></reader>
<limited><password></password><networks><ip>127.0.0.1</ip></networks><profile>limited</profile><quota>default</quota></limited>
<cut><password></password><networks><ip>127.0.0.1</ip></networks><profile>cut</profile><quota>default</quota></cut>
</users><quotas><default/></quotas></yandex>"""
TLS = """<tcp_port_secure>{secure}</tcp_port_secure><openSSL><server><certificateFile>{root}/certificate.pem</certificateFile>
<privateKeyFile>{root}/key.pem</privateKeyFile><verificationMode>none</verificationMode></server></openSSL>"""


class ClickHouse:
    def __init__(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="levada-clickhouse-", dir="/tmp"))
        self.port, self.http_port, self.secure_port = free_port(), free_port(), free_port()
        for name in ("data", "tmp", "files", "schemas"):
            (self.root / name).mkdir()
        self.certificate = self.root / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=DNS:localhost", "-keyout", self.root / "key.pem", "-out", self.certificate],
                       check=True, capture_output=True)
        (self.root / "users.xml").write_text(USERS.format(password=PASSWORD))
        more = TLS.format(root=self.root, secure=self.secure_port)
        (self.root / "config.xml").write_text(CONFIG.format(root=self.root, http=self.http_port, tcp=self.port, more=more))
        self.start()

    def start(self):
        self.process = subprocess.Popen([SERVER, f"--config-file={self.root}/config.xml"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.root)
        wait_until(self.answers, "clickhouse-server answers")

    def answers(self):
        assert self.process.poll() is None, "clickhouse-server ended"
        try:
            return self.ask("SELECT 1") == b"1\n"
        except OSError:
            return False

    def ask(self, sql, **settings):
        """The body of the answer over HTTP."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=120)
        try:
            connection.request("POST", "/?" + urllib.parse.urlencode(settings), sql.encode())
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 200, (sql, body)
            return body
        finally:
            connection.close()

    def execute(self, *statements, **settings):
        for sql in statements:
            self.ask(sql, **settings)

    def rows(self, sql):
        """TSV, each row a list of texts as the server writes them."""
        return [line.split("\t") for line in self.ask(sql).decode().splitlines()]

    def url(self, table=None, port=None, user=None, password=None, host="127.0.0.1", **parameters):
        secret = f":{urllib.parse.quote(password, safe='')}" if password else ""
        given = {**({"table": table} if table else {}), **parameters}
        query = "?" + urllib.parse.urlencode(given, quote_via=urllib.parse.quote) if given else ""
        return f"clickhouse://{f'{user}{secret}@' if user else ''}{host}:{port or self.port}/default{query}"

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(60)

    def remove(self):
        self.kill()
        shutil.rmtree(self.root, ignore_errors=True)


@pytest.fixture(scope="module")
def clickhouse():
    server = ClickHouse()
    yield server
    server.remove()
