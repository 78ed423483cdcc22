"""How each peer is started, for the scripts of bench."""

import os
import pathlib

HERE = pathlib.Path(__file__).resolve().parent
PEERS = pathlib.Path(os.environ.get("LEVADA_PEERS") or HERE.parent.parent / "build" / "bench-peers")
PYTHON = PEERS / "venv" / "bin" / "python"


def command(peer, server, table, out):
    """argv that reads `table` of `server` into the Parquet file or folder `out`, once."""
    if peer == "floor":  # COPY BINARY thrown away: what one backend can send at most
        return ["psql", server.url, "-Xqc", f"copy {table} to stdout (format binary)", "-o", os.devnull]
    if peer == "go-pgx-arrow":
        return [str(PEERS / "go-pgx-arrow"), "-url", server.url, "-table", table, "-out", out]
    python = PEERS / "dlt" / "bin" / "python" if peer == "dlt" else PYTHON
    return [str(python), str(HERE / "peer.py"), peer, table, out]


def environment():
    """Some peers keep files in the user's home: theirs is with them."""
    home = PEERS / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {"HOME": str(home), "LEVADA_SLING": str(PEERS / "sling")}


def missing(peer):
    """What bench/peers/setup.sh has not installed, or None."""
    if peer == "floor":
        return None
    if peer in ("go-pgx-arrow", "sling"):
        path = PEERS / peer
    else:
        path = PEERS / ("dlt" if peer == "dlt" else "venv") / "bin" / "python"
    return None if path.exists() else path
