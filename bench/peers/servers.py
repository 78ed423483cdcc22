"""Servers of a benchmark, levada's and its peers': started on free ports of this machine with data in a folder of their own,
stopped by their process ids. `bench/peers/setup.sh --servers` installs the peers."""

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from measure import LEVADA, Failed, say
from postgres import BUILD

PEERS = pathlib.Path(os.environ.get("LEVADA_PEERS") or BUILD / "bench-peers")
NGINX = PEERS / "debian" / "usr" / "sbin" / "nginx"
REDIS = PEERS / "debian" / "usr" / "bin" / "redis-check-rdb"  # one program: its name says what it is
SEAWEED = PEERS / "seaweed" / "bin" / "weed"
VERSITYGW = PEERS / "versitygw"
NATS = PEERS / "nats-server"
RABBITMQ = PEERS / "debian" / "usr" / "lib" / "rabbitmq" / "bin" / "rabbitmq-server"
ERLANG = PEERS / "debian" / "usr" / "lib" / "erlang"
GO_QUEUES = PEERS / "go-queues"
LIBRARIES = PEERS / "debian" / "usr" / "lib" / f"{os.uname().machine}-linux-gnu"
REGION = "us-east-1"
START_S = 60
STOP_S = 30


def need_peers(*programs):
    missing = [str(path) for path in programs or (NGINX, REDIS, SEAWEED, VERSITYGW) if not path.exists()]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; run bench/peers/setup.sh --servers")


def free_ports(count):
    """Ports that nobody has now."""
    with contextlib.ExitStack() as held:
        probes = [held.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]


class Server:
    """One process and its children. Entered, it runs and answers; it ends with the block, or with us."""

    name = ""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.data = self.folder / "data"
        self.process = None

    def __enter__(self):
        self.data.mkdir(parents=True, exist_ok=True)
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        raise NotImplementedError

    def spawn(self, argv, stdout=None, **environment):
        # Whatever happens to this script, no server stays behind.
        argv = ["setpriv", "--pdeathsig", "TERM", "--", *map(str, argv)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=stdout or log, stderr=log, cwd=self.folder,
                                            env={**os.environ, "HOME": str(self.folder), **environment},
                                            start_new_session=True)

    def failure(self, what):
        log = (self.folder / "log").read_text(errors="replace")
        return Failed(f"{self.name}: {what}\n{log[-2000:]}")

    def wait_until(self, answers, what):
        deadline = time.monotonic() + START_S
        while not answers():
            if self.process.poll() is not None:
                raise self.failure(f"exit {self.process.returncode} before it answered")
            if time.monotonic() > deadline:
                raise self.failure(f"no {what} after {START_S} s")
            time.sleep(0.05)

    def stop(self):
        if self.process is None:
            return
        before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_S)
                break
        if self.process.stdout:
            self.process.stdout.close()
        self.process = None
        for number, action in before.items():
            signal.signal(number, action)

    def _pids(self):
        pid = self.process.pid
        return [str(pid), *pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def peak_mib(self):
        """Of the process and its children together."""
        lines = [line for pid in self._pids() for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024

    def cpu_s(self):
        """User and system time so far, of the process and its children."""
        total = 0
        for pid in self._pids():
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")


def accepts(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status < 500
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        return False


class Levada(Server):
    """The daemon with everything at its default. `token` may do everything."""

    name = "levada"

    def __init__(self, folder, **environment):
        super().__init__(folder)
        self.environment = environment

    def start(self):
        self.start_daemon()
        self.use_token()

    def start_daemon(self):
        """Until it says that it is ready."""
        self.spawn([LEVADA, "serve", "--json", "--data", self.data / "levada", "--listen", "127.0.0.1:0", "--s3-listen",
                    "127.0.0.1:0"], stdout=subprocess.PIPE, **self.environment)
        line = self.process.stdout.readline()
        if not line:
            raise self.failure(f"exit {self.process.wait()}")
        ready = json.loads(line)
        self.api, self.s3_port = ready["api"], int(ready["s3"].rpartition(":")[2])
        self.port = int(self.api.split(":")[2].split("/")[0])

    def use_token(self):
        issued = self.folder / "token"
        if not issued.exists():
            made = subprocess.run([LEVADA, "token", "create", "--json", "--scope", "all:admin", "--data",
                                   self.data / "levada"], check=True, capture_output=True).stdout
            issued.touch(mode=0o600)
            issued.write_bytes(made)
        issued = json.loads(issued.read_text())
        self.token, self.access_key = issued["token"], issued["s3_access_key_id"]
        self.secret_key = issued["s3_secret_access_key"]
        self.account = self.call("GET", "/accounts")[0]["id"]

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.api + path, method=method, headers={"Authorization": f"Bearer {self.token}"},
                                         data=None if body is None else json.dumps(body).encode())
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)["result"]

    def make_queue(self, name):
        """The path of the queue; it is pulled from."""
        queues = f"/accounts/{self.account}/queues"
        path = f"{queues}/{self.call('POST', queues, {'queue_name': name})['queue_id']}"
        self.call("POST", path + "/consumers", {"type": "http_pull"})
        return path

    def make_namespace(self, title):
        """The path of its values."""
        made = self.call("POST", f"/accounts/{self.account}/storage/kv/namespaces", {"title": title})
        return f"/client/v4/accounts/{self.account}/storage/kv/namespaces/{made['id']}/values"


class Nginx(Server):
    """Debian's nginx with Debian's settings, without a log of requests. It serves `root`."""

    name = "nginx"

    def start(self):
        self.root = self.data / "root"
        self.root.mkdir(exist_ok=True)
        self.port, = free_ports(1)
        (self.folder / "nginx.conf").write_text(f"""daemon off; pid {self.folder}/pid; error_log {self.folder}/log warn;
{'user root;' if os.geteuid() == 0 else ''} worker_processes auto;
events {{ worker_connections 768; }}
http {{
  sendfile on; tcp_nopush on; types_hash_max_size 2048; access_log off; default_type application/octet-stream;
  client_body_temp_path {self.folder}/t1; proxy_temp_path {self.folder}/t2; fastcgi_temp_path {self.folder}/t3;
  uwsgi_temp_path {self.folder}/t4; scgi_temp_path {self.folder}/t5;
  server {{ listen 127.0.0.1:{self.port}; root {self.root}; }}
}}
""")
        self.spawn([NGINX, "-p", self.folder, "-c", self.folder / "nginx.conf"])
        self.wait_until(lambda: accepts(self.port), "connection")


class Redis(Server):
    """Redis that syncs its log before it answers. It does not write the log anew: that takes a processor for seconds, also
    from those whose turn it is then."""

    name = "redis"

    def start(self):
        self.port, = free_ports(1)
        program = self.folder / "redis-server"
        if not program.is_symlink():
            program.symlink_to(REDIS)
        self.spawn([program, "--bind", "127.0.0.1", "--port", self.port, "--dir", self.data, "--appendonly", "yes",
                    "--appendfsync", "always", "--save", "", "--auto-aof-rewrite-percentage", "0"], LD_LIBRARY_PATH=str(LIBRARIES))
        self.wait_until(lambda: accepts(self.port), "connection")


class SeaweedFS(Server):
    """Master, volume, filer and S3 in one process. It syncs nothing before it answers."""

    name = "seaweedfs"
    access_key, secret_key = "bench", "bench-secret"

    def start(self):
        master, volume, filer, s3, *rpc = free_ports(8)
        self.s3_port = s3
        keys = self.folder / "s3.json"
        keys.write_text(json.dumps({"identities": [{
            "name": "bench", "credentials": [{"accessKey": self.access_key, "secretKey": self.secret_key}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"]}]}))
        self.spawn([SEAWEED, "server", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", f"-dir={self.data}", "-master.telemetry=false",
                    f"-master.port={master}", f"-volume.port={volume}", "-volume.max=100",
                    "-master.volumeSizeLimitMB=1024", "-volume.preStopSeconds=0",
                    "-filer", f"-filer.port={filer}", "-s3", f"-s3.port={s3}", f"-s3.config={keys}", "-s3.port.iceberg=0",
                    "-s3.port.lance=0", f"-master.port.grpc={rpc[0]}", f"-volume.port.grpc={rpc[1]}",
                    f"-filer.port.grpc={rpc[2]}", f"-s3.port.grpc={rpc[3]}"])
        self.wait_until(lambda: answers(f"http://127.0.0.1:{master}/cluster/healthz")
                        and answers(f"http://127.0.0.1:{s3}/healthz"), "answer")


class Versitygw(Server):
    """An S3 gateway to files of a directory. It syncs nothing before it answers."""

    name = "versitygw"
    access_key, secret_key = "bench", "bench-secret"

    def start(self):
        self.s3_port, = free_ports(1)
        self.spawn([VERSITYGW, "--port", f"127.0.0.1:{self.s3_port}", "--access", self.access_key, "--secret", self.secret_key,
                    "--region", REGION, "posix", self.data])
        self.wait_until(lambda: answers(f"http://127.0.0.1:{self.s3_port}/"), "answer")


class Nats(Server):
    """JetStream that syncs before it answers."""

    name = "nats jetstream"

    def start(self):
        self.port, = free_ports(1)
        config = self.folder / "nats.conf"
        config.write_text(f'listen: "127.0.0.1:{self.port}"\njetstream {{ store_dir: "{self.data}", sync_interval: always }}\n')
        self.spawn([NATS, "--config", config])
        self.url = f"nats://127.0.0.1:{self.port}"
        self.wait_until(lambda: accepts(self.port), "connection")


class RabbitMQ(Server):
    """One node; its quorum queues sync before they confirm. Debian's programs, by their folder."""

    name = "rabbitmq quorum"
    mapper = None  # of ports, without which no Erlang finds itself

    def start(self):
        self.port, distribution, at = free_ports(3)
        (self.folder / "plugins").write_text("[].")
        (self.folder / "rabbit.conf").write_text("")
        self.mapper = subprocess.Popen(["setpriv", "--pdeathsig", "TERM", "--", next(ERLANG.glob("erts-*/bin/epmd")), "-address",
                                        "127.0.0.1", "-port", str(at)])
        self.spawn([RABBITMQ], RABBITMQ_NODENAME=f"bench{self.port}@localhost", RABBITMQ_MNESIA_BASE=str(self.data),
                   RABBITMQ_LOG_BASE=str(self.folder / "logs"), RABBITMQ_NODE_IP_ADDRESS="127.0.0.1", RABBITMQ_NODE_PORT=str(self.port),
                   RABBITMQ_DIST_PORT=str(distribution), RABBITMQ_ENABLED_PLUGINS_FILE=str(self.folder / "plugins"),
                   RABBITMQ_CONFIG_FILE=str(self.folder / "rabbit"), ERL_EPMD_ADDRESS="127.0.0.1", ERL_EPMD_PORT=str(at),
                   RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="-kernel inet_dist_use_interface {127,0,0,1}",
                   PATH=f"{ERLANG / 'bin'}:{os.environ['PATH']}")
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}/"
        self.wait_until(lambda: accepts(self.port), "connection")

    def stop(self):
        super().stop()
        if self.mapper is not None:
            self.mapper.terminate()
            self.mapper.wait(STOP_S)


@contextlib.contextmanager
def running(*servers):
    with contextlib.ExitStack() as stack:
        for server in servers:
            say(f"starting {server.name}")
            stack.enter_context(server)
        yield servers
