"""`tables: public.*`: one file, a dataset and a pipeline of each table, one report."""

import json

import pytest

from conftest import data_files, read_table

PIPELINE = """
name: shop
consumer: {{ postgres: {{ dsn: "{url}", tables: {tables}{more} }} }}
loaders: [{{ parquet: {{ path: "lake/{{schema}}/{{table}}" }} }}]
retry: {{ attempts: 1 }}
"""


@pytest.fixture(scope="module", autouse=True)
def tables(server):
    server.execute("""create schema sold; create schema other;
create table sold.orders as select g id from generate_series(1, 30) g;
create table sold.lines as select g id, 'l' t from generate_series(1, 40) g;
create table sold.audit_a(id int); create table sold.audit_b(id int);
create view sold.seen as select * from sold.orders;
create table sold.parts(id int) partition by range (id);
create table sold.parts_1 partition of sold.parts for values from (0) to (10);
insert into sold.parts values (1), (2);
create table other.orders as select 1 id;""")


@pytest.fixture
def shop(server, levada):
    def write(tables="sold.*", more=", exclude: [sold.audit_*]"):
        levada.write("shop.yaml", PIPELINE.format(url=server.url(), tables=tables, more=more))
        return levada
    return write


def test_each_table_is_a_dataset(shop, server):
    levada = shop()
    assert levada("check", "shop.yaml", expect=0).out == "shop.yaml: ok\n"
    assert levada("check", "--online", "shop.yaml", expect=0).out == "shop.yaml: ok\n"
    assert "3 pipelines: 3 to do" in levada("plan", "shop.yaml", expect=2).out
    ran = levada("run", "shop.yaml", expect=0)
    assert "shop.sold.lines" in ran.out and "3 pipelines: 3 published" in ran.out
    for table, rows in (("orders", 30), ("lines", 40), ("parts", 2)):
        assert read_table(levada.directory / f"lake/sold/{table}").num_rows == rows
    assert {path.name for path in (levada.directory / "lake/sold").iterdir()} == {"orders", "lines", "parts"}
    status = levada("status", "shop.yaml", "--json", expect=0).json()
    assert {run["pipeline"]: run["rows"] for run in status["runs"]} == {"shop.sold.lines": 40, "shop.sold.orders": 30, "shop.sold.parts": 2}
    server.execute("create table sold.late as select 7 id")
    lines = [json.loads(line) for line in levada("run", "shop.yaml", "--json", expect=0).out.splitlines()]
    assert [p["pipeline"] for p in lines[-1]["pipelines"]] == ["shop.sold.late", "shop.sold.lines", "shop.sold.orders", "shop.sold.parts"]
    server.execute("drop table sold.late")


def test_of_several_schemas(shop):
    levada = shop(tables='"*.orders"', more="")
    levada("run", "shop.yaml", expect=0)
    assert len(data_files(levada.directory / "lake/sold/orders")) == 1 and len(data_files(levada.directory / "lake/other/orders")) == 1
    text = (levada.directory / "shop.yaml").read_text().replace("{schema}/", "")
    (levada.directory / "shop.yaml").write_text(text)
    ran = levada("run", "shop.yaml", "--replace", expect=10)
    assert "two pipelines write to parquet lake/orders" in ran.err


def test_one_that_fails_stops_none_of_the_others(shop, server):
    server.execute("create table sold.bad(id numeric); insert into sold.bad values ('NaN')")
    levada = shop(more=", numeric: decimal(9,2), exclude: [sold.audit_*]")
    ran = levada("run", "shop.yaml", expect=31)
    assert "1 failed, 3 published" in ran.out and "shop.sold.bad" in ran.err
    server.execute("drop table sold.bad")


def test_incremental_and_windows_go_with_it(shop):
    levada = shop(more=', exclude: ["sold.audit_*"]')
    path = levada.directory / "shop.yaml"
    path.write_text(path.read_text() + "run: { mode: incremental, column: id }\n")
    levada("run", "shop.yaml", expect=0)
    assert (levada.directory / "lake/sold/orders/_levada/i000001.json").exists()
    assert "3 pipelines: 3 nothing to do" in levada("run", "shop.yaml", expect=0).out


MISTAKES = [
    ("sold", "", "LV1005", "expected schema.table with * and ?"),
    ("sold.*", ", exclude: [audit_*]", "LV1005", "expected schema.table with * and ?"),
    ("sold.*", ", table: sold.orders", "LV1009", 'both "table" and "tables"'),
    ("sold.*", ", query: select 1", "LV1009", 'both "query" and "tables"'),
]


@pytest.mark.parametrize("tables, more, code, words", MISTAKES)
def test_mistakes(shop, tables, more, code, words):
    ran = shop(tables, more)("check", "shop.yaml", expect=10)
    assert code in ran.err and words in ran.err, ran


def test_paths(shop, levada, server):
    shop()
    path = levada.directory / "shop.yaml"
    text = path.read_text()
    path.write_text(text.replace("lake/{schema}/{table}", "lake"))
    assert "is the same for all tables" in levada("check", "shop.yaml", expect=10).err
    path.write_text(text.replace("tables: sold.*, exclude: [sold.audit_*]", "table: sold.orders"))
    assert "stand for nothing without" in levada("check", "shop.yaml", expect=10).err
    path.write_text(text.replace("sold.*", "sold.none*"))
    ran = levada("run", "shop.yaml", expect=21)
    assert "there is no table like" in ran.err and "shop.yaml:3" in ran.err
    server.execute('create table sold."odd name"(id int)')
    path.write_text(text)
    ran = levada("run", "shop.yaml", expect=10)
    assert "has a name that no path is made of" in ran.err
    server.execute('drop table sold."odd name"')


def test_a_table_that_cannot_be_a_pipeline_stops_none_of_the_others(shop, server):
    levada = shop()
    server.execute('create table sold."Weird Name"(id int)')
    try:
        ran = levada("run", "shop.yaml", expect=10)
        assert "3 pipelines: 3 published" in ran.out and "Weird Name" in ran.err, ran
        assert read_table(levada.directory / "lake/sold/orders").num_rows == 30
    finally:
        server.execute('drop table sold."Weird Name"')
