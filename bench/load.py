"""Contenders that are one server under the same load: what bench/http_load.cc says of it, and tables of that."""

import json
import os
import subprocess
import sys
import urllib.request

from measure import Contender, Failed, interval, ratio, verdict
from peers.servers import GO_QUEUES, REGION
from postgres import BUILD
from report import table

TOOLS = BUILD / "release" / "bench"
HTTP_LOAD = TOOLS / "http_load"
SYNCED_PUTS = TOOLS / "synced_puts"
SQLITE_PUTS = TOOLS / "sqlite_puts"


def need_tools():
    if not all(tool.exists() for tool in (HTTP_LOAD, SYNCED_PUTS, SQLITE_PUTS)):
        sys.exit("the load programs are missing: cmake --preset release -DLEVADA_BENCH=ON && "
                 "cmake --build build/release --target http_load synced_puts sqlite_puts")


def load_options(port, *, connections=1, seconds=None, requests=None, first=0, method="GET", target="/", headers=(),
                 body_bytes=0, body_file=None, modulo=None, reply_bytes=None, sign=False, sign_payload=False, redis=False):
    """argv of http_load."""
    argv = [HTTP_LOAD, "--port", port, "--connections", connections, "--first", first, "--method", method, "--target", target,
            "--body-bytes", body_bytes]
    argv += ["--seconds", seconds] if seconds else []
    argv += ["--requests", requests] if requests else []
    argv += ["--body-file", body_file] if body_file else []
    argv += ["--modulo", modulo] if modulo else []
    argv += ["--reply-bytes", reply_bytes] if reply_bytes is not None else []
    argv += [word for header in headers for word in ("--header", header)]
    argv += ["--sign", REGION] if sign else []
    argv += ["--sign-payload"] if sign_payload else []
    argv += ["--redis"] if redis else []
    return [str(word) for word in argv]


def post(server, target, body):
    """One request of levada's API, and its answer."""
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{target}", method="POST", data=body,
                                     headers={"Authorization": f"Bearer {server.token}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def keys_of(server):
    return {"AWS_ACCESS_KEY_ID": server.access_key, "AWS_SECRET_ACCESS_KEY": server.secret_key}


def once(port, server=None, **options):
    """A load that is not measured: to prepare, to clean up. Every request of it succeeds."""
    environment = {**os.environ, **(keys_of(server) if server else {})}
    done = subprocess.run(load_options(port, sign=server is not None, **options), env=environment, capture_output=True,
                          text=True)
    figures = json.loads(done.stdout or "{}")
    if done.returncode != 0 or figures.get("errors") != 0:
        raise Failed(f"{options.get('method', 'GET')} {options.get('target')}: {done.stdout}{done.stderr}")
    return figures


class Loaded(Contender):
    """One server under a load. `target` may hold {run}, another number in each run. `after` is called with a run's target and
    figures, to remove what it wrote. `server_us` of a sample is the server's CPU time for each request."""

    def __init__(self, server, port, after=None, **options):
        self.server, self.after = server, after
        self.options = {"port": port, **options}
        self.runs = 0
        super().__init__(server.name, self._argv, env=keys_of(server) if options.get("sign") else {}, extra=self._figures)

    def _argv(self, _out):
        self.runs += 1
        self.target = self.options["target"].replace("{run}", str(self.runs))
        self.cpu_before_s = self.server.cpu_s()
        return load_options(**{**self.options, "target": self.target})

    def _figures(self, answer):
        figures = json.loads(answer)
        figures["server_us"] = (self.server.cpu_s() - self.cpu_before_s) / figures["requests"] * 1e6
        if self.after:
            self.after(self.target, figures)
        return figures


def synced_puts(name, connections, value_bytes, seconds):
    """RocksDB itself."""
    return Contender(name, lambda out: [str(SYNCED_PUTS), "--path", out, "--threads", str(connections), "--value-bytes",
                                        str(value_bytes), "--seconds", str(seconds)], extra=json.loads)


def sqlite_puts(name, threads, databases, value_bytes, seconds):
    """SQLite itself, in WAL with synchronous = FULL."""
    return Contender(name, lambda out: [str(SQLITE_PUTS), "--path", out, "--threads", str(threads), "--databases", str(databases),
                                        "--value-bytes", str(value_bytes), "--seconds", str(seconds)], extra=json.loads)


def sent_by_client(server, kind, url, senders, message_bytes, seconds):
    """A server of queues under its own client."""
    return Contender(server.name, lambda _out: [str(GO_QUEUES), "--kind", kind, "--url", url, "--senders", str(senders), "--bytes",
                                                str(message_bytes), "--seconds", str(seconds)], extra=json.loads)


def rates(contenders, unit="rate"):
    """Requests a second, or MB of bodies."""
    rows = []
    for contender in contenders:
        scale = 1e6 if unit == "bytes_s" else 1
        middle, low, high = (value / scale for value in interval([sample[unit] for sample in contender.samples]))
        shown = [f"{middle:,.0f}", f"{low:,.0f} .. {high:,.0f}"]
        more = [f"{contender.median(what):,.{digits}f}" if what in contender.samples[0] else ""
                for what, digits in (("p50_ms", 2), ("p99_ms", 2), ("server_us", 0))]
        rows.append([contender.name, *shown, *more, f"{sum(sample.get('errors', 0) for sample in contender.samples):,}"])
    return table(["", "MB/s" if unit == "bytes_s" else "requests/s", "95 % interval", "p50 ms", "p99 ms", "server CPU us/request",
                  "errors"], rows)


def ratios(ours, others, unit="rate"):
    """`others`: (contender, target or None)."""
    rows = []
    for other, target in others:
        middle, low, high = ratio(ours, other, unit)
        rows.append([f"{ours.name} / {other.name}", f"{middle:.2f}", f"{low:.2f} .. {high:.2f}",
                     f">= {target}" if target else "", verdict(low, high, (">=", target)) if target else ""])
    return table(["", "ratio", "95 % interval", "target", ""], rows, left=(0, 4))


def milliseconds(rows, what):
    """`rows`: (contender, most or None)."""
    shown = []
    for contender, most in rows:
        middle, low, high = interval([sample[what] for sample in contender.samples])
        shown.append([contender.name, f"{middle:.2f}", f"{low:.2f} .. {high:.2f}", f"<= {most} ms" if most else "",
                      ("met" if high <= most * 1.05 else "missed") if most else ""])
    return table(["", what.replace("_ms", " ms"), "95 % interval", "target", ""], shown, left=(0, 4))


def peaks(servers):
    return table(["", "peak MiB"], [[server.name, f"{server.peak_mib():.0f}"] for server in servers])
