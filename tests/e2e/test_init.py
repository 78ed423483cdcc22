"""`levada init`: a pipeline file for a table, with comments that are true."""

import re

import pytest

from conftest import read_table


@pytest.fixture(scope="module", autouse=True)
def table(server):
    server.execute("""create table orders (id bigint primary key, at timestamptz not null, amount numeric(9,2), note text);
        insert into orders select g, '2026-01-01'::timestamptz + g * interval '1 hour', g, null from generate_series(1, 100) g;
        create table plain (a int, b text); insert into plain values (1, 'x'); analyze orders""")


def test_what_is_written_runs(server, levada):
    ran = levada("init", server.url() + "?table=orders", "lake", "--save", "orders.yaml", expect=0)
    assert ran.out == "" and "saved as orders.yaml" in ran.err and "levada schema > levada.schema.json" in ran.err
    text = (levada.directory / "orders.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=./levada.schema.json\n# PostgreSQL 15")
    assert "about 100 rows" in text and "name: lake" in text
    assert re.search(r"#   amount +numeric\(9,2\) +decimal128\(9, 2\) +int32", text)
    levada("run", "orders.yaml", "--quiet", expect=0)
    assert read_table(levada.directory / "lake").num_rows == 100


def test_its_comments_can_be_taken_away(server, levada):
    levada("init", server.url() + "?table=orders", "lake", "--save", "orders.yaml", "--quiet", expect=0)
    path = levada.directory / "orders.yaml"
    text = re.sub(r"# (run: .*)start: [0-9-]+", r"\1start: 2026-01-01, end: 2026-01-03", path.read_text())
    text = re.sub(r"# (layout: .*)", r"\1", text)
    text = re.sub(r"# (columns: \[.*)\]", r"\1]", text)
    text = text.replace("# transformers:\n#   - filter: amount is not null", "transformers:\n  - filter: amount is not null")
    assert text.count("\n#") < path.read_text().count("\n#")
    path.write_text(text)
    levada("run", "orders.yaml", "--quiet", expect=0)
    assert sorted(p.name for p in (levada.directory / "lake").glob("day=*")) == ["day=2026-01-01", "day=2026-01-02"]
    assert read_table(levada.directory / "lake").num_rows == 47


def test_a_table_without_times(server, levada):
    ran = levada("init", server.url() + "?table=plain", "./lake/plain", expect=0)
    assert "# Each run reads all of it" in ran.out and "run:" not in ran.out and "layout" not in ran.out


def test_a_source_that_needs_a_word_has_a_file_too(server, levada):
    server.execute('create table if not exists odd (id int, price numeric, "In Stock" bool)')
    ran = levada("init", server.url() + "?table=odd", "lake", "--save", "odd.yaml", expect=10)
    path = levada.directory / "odd.yaml"
    text = path.read_text()
    assert "# Not ready to run." in text and '#   odd: column "price"' in text and "saved as odd.yaml" in ran.err and "LV1016" in ran.err
    path.write_text(text.replace("table: odd\n", "table: odd\n    numeric: decimal(18,4)\n"))
    assert "LV1020" in levada("check", "--online", "odd.yaml", expect=10).err
    path.write_text(path.read_text().replace("# transformers:", "transformers:").replace('#   - rename: { "Old Name": new_name }',
                                                                                       '  - rename: { "In Stock": in_stock }'))
    levada("run", "odd.yaml", "--quiet", expect=0)


def test_a_password_stays_out_of_the_file(server, levada):
    url = server.url(password="secret-word") + "?table=plain"
    ran = levada("init", url, "./lake/plain", "--save", "p.yaml", expect=0)
    text = (levada.directory / "p.yaml").read_text()
    assert "secret-word" not in text + ran.err and "dsn: ${env:PLAIN_DSN}" in text and "set PLAIN_DSN" in ran.err
    levada("run", "p.yaml", "--quiet", expect=0, env={"PLAIN_DSN": server.url(password="secret-word")})


def test_mistakes(server, levada):
    levada.write("p.yaml", "x")
    assert "exists and holds something else" in levada("init", server.url() + "?table=plain", "lake", "--save", "p.yaml", expect=10).err
    assert "write levada init URL PATH" in levada("init", "p.yaml", expect=10).err
    assert "write levada init URL PATH" in levada("init", expect=10).err
    assert "needs one target directory" in levada("init", server.url() + "?table=plain", expect=10).err
    assert "LV2101" in levada("init", server.url() + "?table=none", "lake", expect=21).err
