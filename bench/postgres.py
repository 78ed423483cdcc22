"""The private PostgreSQL of the benchmarks: one cluster in build/bench-data, kept between runs because loading takes minutes."""

import fcntl
import os
import pathlib
import pwd
import signal
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
DATA = pathlib.Path(os.environ.get("LEVADA_BENCH_DATA") or BUILD / "bench-data")
QUIET = {"PGOPTIONS": "-c client_min_messages=warning"}
BIN = pathlib.Path("/usr/lib/postgresql/15/bin")


def as_postgres(argv):
    """initdb and the server refuse to run as root."""
    if os.geteuid() == 0:
        return ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "--"] + argv
    return argv


class Server:
    """Started on entry, stopped on exit however the block ends. One at a time: a lock beside the data says so, and a
    server that an earlier run left behind (SIGKILL) is stopped first. fsync is off: it is a source here, not a store."""

    def __init__(self):
        self.data = DATA / "postgres"
        self.log = self.data / "log"

    def __enter__(self):
        self._make_folder()
        self._lock = open(DATA / "lock", "w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"another benchmark uses {DATA}: wait for it, or stop it")
        if not (self.data / "PG_VERSION").exists():
            self._run([str(BIN / "initdb"), "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync"])
        if (self.data / "postmaster.pid").exists():
            self._stop()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        options = (f"-p {self.port} -c unix_socket_directories= -c listen_addresses=127.0.0.1 -c fsync=off "
                   "-c shared_buffers=2GB -c max_wal_size=1GB -c wal_level=minimal -c max_wal_senders=0 "
                   "-c log_line_prefix='%p ' -c autovacuum=off")
        try:
            # -w waits until it answers; whatever interrupts us from here on stops it again.
            self._run([str(BIN / "pg_ctl"), "-D", str(self.data), "-w", "-l", str(self.log), "-o", options, "start"])
            self.env = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": "postgres", "PGDATABASE": "bench"}
            os.environ.update(self.env)
            self.url = f"postgres://postgres@127.0.0.1:{self.port}/bench"
            if self.query("select 1 from pg_database where datname='bench'", "postgres") != "1":
                self.query("create database bench", "postgres")
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(self, *_):
        self._stop()
        self._lock.close()

    def query(self, sql, database="bench"):
        """The answer of psql -At."""
        return subprocess.run([str(BIN / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-d", database, "-c", sql],
                              check=True, text=True, stdout=subprocess.PIPE,
                              env={**os.environ, **self.env, **QUIET}).stdout.strip()

    def script(self, path, **variables):
        settings = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
        subprocess.run([str(BIN / "psql"), "-Xq", "-v", "ON_ERROR_STOP=1", *settings, "-d", "bench", "-f", str(path)],
                       check=True, env={**os.environ, **self.env, **QUIET})

    def has(self, table):
        return self.query(f"select 1 from pg_class where relname='{table}' and relkind='r'") == "1"

    def rows(self, table):
        """Counting also reads the table once, so that no contender pays for a cold cache."""
        return int(self.query(f"select count(*) from {table}"))

    def _make_folder(self):
        DATA.mkdir(parents=True, exist_ok=True)
        if os.geteuid() == 0:
            # The server's user must be able to reach its own folder, and owns nothing else.
            self.data.mkdir(exist_ok=True)
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)

    def _run(self, argv):
        done = subprocess.run(as_postgres(argv), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              cwd="/", start_new_session=True)
        if done.returncode != 0:
            sys.exit(f"{argv[0]}: exit {done.returncode}\n{done.stdout[-2000:]}")

    def _stop(self):
        # A second Ctrl-C must not leave the server behind.
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        subprocess.run(as_postgres([str(BIN / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-w", "stop"]), cwd="/",
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        for number, action in before.items():
            signal.signal(number, action)
