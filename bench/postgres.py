"""The private PostgreSQL of the benchmarks: one cluster in the user's cache, kept between runs because loading takes minutes."""

import os
import pathlib
import pwd
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get(
    "LEVADA_BENCH", pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "levada-bench"))
BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def as_postgres(argv):
    """initdb and the server refuse to run as root."""
    if os.geteuid() == 0:
        return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"] + argv
    return argv


class Server:
    """Started on entry, stopped on exit. fsync is off: it is a source here, not a store."""

    def __init__(self):
        # Below /var/tmp when root: the server's user cannot enter root's home.
        self.data = (pathlib.Path("/var/tmp/levada-bench") if os.geteuid() == 0 else ROOT) / "postgres"

    def __enter__(self):
        if not (self.data / "PG_VERSION").exists():
            self.data.parent.mkdir(parents=True, exist_ok=True)
            if os.geteuid() == 0:
                owner = pwd.getpwnam("postgres")
                os.chown(self.data.parent, owner.pw_uid, owner.pw_gid)
            subprocess.run(as_postgres([str(BIN / "initdb"), "-D", str(self.data), "-A", "trust", "-U", "postgres",
                                        "--no-sync"]), check=True, stdout=subprocess.DEVNULL)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = (f"-p {self.port} -k /tmp -c listen_addresses=127.0.0.1 -c fsync=off -c shared_buffers=2GB "
                   "-c max_wal_size=8GB")
        subprocess.run(as_postgres([str(BIN / "pg_ctl"), "-D", str(self.data), "-w", "-l", str(self.data / "log"),
                                    "-o", options, "start"]), check=True, stdout=subprocess.DEVNULL)
        self.env = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "bench"}
        os.environ.update(self.env)
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/bench"
        if self.query("select 1 from pg_database where datname='bench'", "postgres") != "1":
            self.query("create database bench", "postgres")
        return self

    def __exit__(self, *_):
        subprocess.run(as_postgres([str(BIN / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-w", "stop"]),
                       stdout=subprocess.DEVNULL)

    def query(self, sql, database="bench"):
        return subprocess.run([str(BIN / "psql"), "-XqAt", "-d", database, "-c", sql], check=True, text=True,
                              capture_output=True, env={**os.environ, **self.env}).stdout.strip()

    def need(self, table, python):
        """Makes `table` unless it is there; then reads it once, so that no contender pays for a cold cache."""
        if self.query(f"select 1 from pg_class where relname='{table}'") != "1":
            print(f"making table {table} (minutes, once)", file=sys.stderr, flush=True)
            if table == "lineitem":
                subprocess.run([python, str(HERE / "peers" / "lineitem.py"), "1"], check=True)
            else:
                subprocess.run([str(BIN / "psql"), "-Xq", "-d", "bench", "-f", str(HERE / "peers" / f"{table}.sql")],
                               check=True)
        self.query(f"select count(*) from {table}")
