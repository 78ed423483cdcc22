"""Whether what a contender wrote is what the source has: figures over every column, taken by the server's SQL on one side
and by DuckDB over the files on the other. Not a proof, but a row lost, a value rounded, a time shifted or a text trimmed
shows.

    same_values.py SPEC OUT      SPEC: JSON of `figures()`; prints the answer about OUT as JSON (needs the peers' venv)"""

import glob
import json
import os
import subprocess
import sys

SAMPLE = 16  # texts are hashed in every 16th row by the key


def figures(server, table):
    """[(label, PostgreSQL expression, DuckDB expression)] for each column of `table`."""
    columns = json.loads(server.query(
        "select json_agg(json_build_array(attname, typname, case when typname = 'bpchar' then atttypmod - 4 end) "
        "order by attnum) from pg_attribute join pg_type t on t.oid = atttypid "
        f"where attrelid = '{table}'::regclass and attnum > 0 and not attisdropped"))
    key = columns[0][0]
    return [["rows", "count(*)::text", "count(*)::varchar"]] + [
        figure for name, kind, width in columns for figure in figures_of(name, kind, width, key)]


def figures_of(name, kind, width, key):
    yield [f"{name}: values", f"count({name})::text", f"count({name})::varchar"]
    if kind in ("int2", "int4", "int8", "numeric"):
        yield [f"{name}: sum", f"sum({name})::text", f"sum({name})::varchar"]
    elif kind in ("float4", "float8"):
        # By a power of two and cut to an integer: exact on both sides, in any order.
        yield [f"{name}: sum", f"sum(floor({name} * 1024)::numeric)::text", f"sum(floor({name} * 1024)::hugeint)::varchar"]
    elif kind == "bool":
        yield [f"{name}: true", f"count(*) filter (where {name})::text", f"count(*) filter (where {name})::varchar"]
    elif kind == "date":
        yield [f"{name}: days", f"sum({name} - date '1970-01-01')::text", f"sum({name} - date '1970-01-01')::varchar"]
    elif kind in ("timestamp", "timestamptz"):
        yield [f"{name}: microseconds", f"sum((extract(epoch from {name}) * 1000000)::bigint)::text",
               f"sum(epoch_us({name}))::varchar"]
    else:
        # ::text takes the padding of char(n) away: it belongs to the value that the source sends.
        text = f"rpad({name}::text, {width})" if width else f"{name}::text"
        yield [f"{name}: bytes", f"sum(octet_length({text}))::text", f"sum(strlen({name}::varchar))::varchar"]
        sample = f"filter (where {key} % {SAMPLE} = 0)"
        yield [f"{name}: texts", f"sum(('x' || substr(md5({text}), 1, 8))::bit(32)::bigint) {sample}::text",
               f"sum(('0x' || substr(md5({name}::varchar), 1, 8))::bigint) {sample}::varchar"]


def expected(server, table, spec):
    """The server's answer, kept in the database beside the table: it does not change."""
    server.query("create table if not exists bench_figures(name text primary key, oid oid, spec jsonb, answer jsonb)")
    wanted = json.dumps(spec).replace("'", "''")
    known = server.query(f"select answer from bench_figures where name = '{table}' and oid = '{table}'::regclass "
                         f"and spec = '{wanted}'")
    if not known:
        list_of = ", ".join(expression for _, expression, _ in spec)
        known = server.query(f"select json_build_array({list_of}) from {table}")
        server.query(f"insert into bench_figures values ('{table}', '{table}'::regclass, '{wanted}', '{known}') on conflict "
                     "(name) do update set oid = excluded.oid, spec = excluded.spec, answer = excluded.answer")
    return json.loads(known)


def look(python, spec, out, scratch):
    """What the files in `out` hold: {answer, files, codecs, created_by, types}, or {failed}."""
    path = os.path.join(scratch, "figures.json")
    with open(path, "w") as file:
        json.dump(spec, file)
    done = subprocess.run([str(python), __file__, path, out], text=True, capture_output=True)
    if done.returncode != 0:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    return json.loads(done.stdout)


def difference(spec, source, answer, types):
    """"equal", or which figures of which columns differ, with the type that the file has."""
    wrong = {}
    for (label, _, _), a, b in zip(spec, source, answer):
        if a != b:
            column, _, what = label.partition(": ")
            wrong.setdefault(column, []).append(what or f"{b} of {a}")
    return "equal" if not wrong else "differs: " + "; ".join(
        f"{column} {types.get(column, '')}: {', '.join(what)}" for column, what in wrong.items())


def files_of(out):
    if os.path.isfile(out):
        return [out]
    return sorted(path for path in glob.glob(os.path.join(out, "**", "*.parquet"), recursive=True)
                  if not any(part.startswith(("_", ".")) for part in os.path.relpath(path, out).split(os.sep)))


def answer_of(duckdb, rows, expressions):
    try:
        return rows.aggregate(", ".join(expressions)).fetchone()
    except duckdb.Error:  # one of them does not fit the column's type
        if len(expressions) == 1:
            return [None]
        return [answer for expression in expressions for answer in answer_of(duckdb, rows, [expression])]


def main():
    import duckdb
    with open(sys.argv[1]) as file:
        spec = json.load(file)
    files = files_of(sys.argv[2])
    connection = duckdb.connect()
    connection.execute("set timezone='UTC'")
    rows = connection.read_parquet(files)
    answer = answer_of(duckdb, rows, [expression for _, _, expression in spec])
    quoted = ", ".join("'" + path.replace("'", "''") + "'" for path in files)
    codecs = connection.execute(
        f"select distinct compression from parquet_metadata([{quoted}]) order by 1").fetchall()
    created = connection.execute(f"select distinct created_by from parquet_file_metadata([{quoted}])").fetchall()
    print(json.dumps({"answer": answer, "files": len(files), "codecs": [codec for (codec,) in codecs],
                      "created_by": [name for (name,) in created],
                      "types": {name: str(kind) for name, kind in zip(rows.columns, rows.types)}}))


if __name__ == "__main__":
    main()
