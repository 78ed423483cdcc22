"""levada as a contender."""

import pathlib

from measure import LEVADA


def run_command(server, scratch, name, consumer, extra="", loader="", options=()):
    """A command(out) that writes a pipeline file and gives the argv of `levada run`. `consumer` is the text inside the
    braces of `postgres: { dsn, ... }`."""
    file = pathlib.Path(scratch) / f"{name}.yaml"
    state = pathlib.Path(scratch) / f"{name}.state"

    def command(out):
        file.write_text(f"""name: {name}
consumer:
  postgres: {{ dsn: "{server.url}", {consumer} }}
loaders:
  - parquet: {{ path: "{out}", codec: zstd, level: 1{loader} }}
{extra}""")
        return [str(LEVADA), "run", str(file), "--quiet", "--state", str(state), *options]

    return command


def table(server, scratch, table_name, connections):
    """The plain job: one table, everything else left at its default."""
    return run_command(server, scratch, f"{table_name}_{connections}", f"table: {table_name}, connections: {connections}")
