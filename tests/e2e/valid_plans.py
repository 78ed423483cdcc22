"""Pipelines that are right, made by chance: options from the binary's own schema, and what contradicts what by hand.

A switch, a choice, a number, a size or a duration is drawn as the schema describes it, new ones too. Texts, and options that
depend on columns or on each other, are in the functions below; each knows the columns that reach its stage.
"""

import json

# Sizes and durations that are harmless for 300 rows; numbers that mean memory or many processes stay small.
SIZES = ["64MiB", "128MiB", "0.25GiB"]
DURATIONS = ["1s", "30s", "1m", "1h"]
NUMBERS_MAX = 4
LOSSLESS = {"int64": ["text", "decimal(30,2)", "int64"], "decimal": ["text", "decimal(20,4)"], "text": ["text"],
            "timestamp": ["text", "timestamp(us)"], "bool": ["int8", "text"], "float64": ["text", "float64"]}
LOSSY = {"int64": ["int8", "bool", "float32"], "decimal": ["int32", "float64", "decimal(4,2)"],
         "text": ["int64", "date", "decimal(9,2)"], "timestamp": ["date"], "bool": ["int64"],
         "float64": ["int64", "decimal(10,1)"]}
POLICIES = ["discard_value", "discard_row", "quarantine"]
TYPES = {"decimal(30,2)": "decimal", "decimal(20,4)": "decimal", "decimal(4,2)": "decimal", "decimal(9,2)": "decimal",
         "decimal(10,1)": "decimal", "timestamp(us)": "timestamp", "int8": "int64",
         "int32": "int64", "float32": "float64"}


def _leaf(schema):
    """The part of a schema that says what is written, without the `${env:...}` that may stand for it."""
    for choice in schema.get("anyOf", [schema]):
        if "enum" in choice or choice.get("type") in ("integer", "boolean"):
            return choice
        if "pattern" in choice and "env" not in choice["pattern"]:
            return choice
    return None


class Maker:
    def __init__(self, chance, schema, columns):
        self.chance, self.schema, self.columns = chance, schema, dict(columns)
        self.made = 0
        self.drops_rows = False
        self.compares_rows = False

    def maybe(self, share=0.4):
        return self.chance.random() < share

    def some(self, items, least=1):
        items = list(items)
        return self.chance.sample(items, self.chance.randint(min(least, len(items)), len(items)))

    def of_type(self, *types):
        return [name for name, kind in self.columns.items() if kind in types]

    def new_name(self):
        self.made += 1
        return f"made_{self.made}"

    def drawn(self, properties, but=()):
        """Options of simple types, some of them."""
        options = {}
        for name, schema in properties.items():
            leaf = _leaf(schema)
            if leaf is None or name in but or not self.maybe(0.3):
                continue
            if "enum" in leaf:
                options[name] = self.chance.choice(leaf["enum"])
            elif leaf.get("type") == "boolean":
                options[name] = self.maybe()
            elif leaf.get("type") == "integer":
                least = leaf.get("minimum", 0)
                options[name] = self.chance.randint(least, min(leaf.get("maximum", NUMBERS_MAX), least + NUMBERS_MAX))
            else:
                options[name] = self.chance.choice(DURATIONS if "ms" in leaf["pattern"] else SIZES)
        return options

    def kind(self, role, name):
        """The options of a stage; `- parquet: ./lake` is a short form beside them."""
        one = self.schema["properties"][role]
        stage = one.get("items", one)["properties"][name]
        return next(form for form in stage.get("anyOf", [stage]) if "properties" in form)["properties"]

    # ---- the pipeline

    def pipeline(self, consumer):
        plan = {"name": self.chance.choice(["orders", "a", "Orders_2.x"])}
        windows = self.maybe()
        if windows:
            plan["run"] = self.windows()
        elif self.maybe(0.3):
            plan["run"] = "once"
        transformers = [stage for _ in range(self.chance.randint(0, 4)) if (stage := self.transformer())]
        plan["consumer"] = consumer(self)
        if transformers:
            plan["transformers"] = transformers
        plan["loaders"] = [{"parquet": self.parquet(windows)}]
        plan |= self.drawn({k: self.schema["properties"][k] for k in ("verify", "partition_bytes")})
        if self.maybe(0.3):
            plan["memory"] = "1GiB"
        if self.maybe(0.3):
            plan["tags"] = ["hourly", "x.1"]
        if self.maybe(0.3):
            plan["retry"] = {"attempts": self.chance.randint(1, 3), "backoff": "1s", "backoff_max": "2s", "deadline": "1h"}
        parallel = {"partitions": 2} | ({"windows": 2} if windows else {}) | ({"transform": 2} if transformers else {})
        if self.maybe():
            plan["parallel"] = {name: parallel[name] for name in self.some(parallel)}
        return json.dumps(plan, indent=1, ensure_ascii=False) + "\n"

    def windows(self):
        self.window_column = "at"
        every, start, end = self.chance.choice([("month", "2025-12", "2026-03"), ("day", "2026-01-01", "2026-01-15"),
                                                ("hour", "2026-01-01T05:00", "2026-01-01T20:00")])
        run = {"every": every, "column": "at", "start": start, "end": end}
        run |= {"delay": "1h"} if self.maybe() else {}
        run |= {"lookback": self.chance.randint(0, 2)} if self.maybe() else {}
        run |= {"timezone": self.chance.choice(["UTC", "Europe/Lisbon", "Asia/Kathmandu"])} if self.maybe() else {}
        return run

    # ---- transformers

    def transformer(self):
        makers = [self.select, self.rename, self.cast, self.filter, self.derive, self.add, self.mask, self.dedupe, self.validate,
                  self.flatten]
        return self.chance.choice(makers)()

    def select(self):
        if self.maybe():
            left_out = self.some(self.columns)[:len(self.columns) - 1]
            for name in left_out:
                del self.columns[name]
            return {"select": {"except": left_out}} if left_out else None
        kept = self.some(self.columns)
        self.columns = {name: self.columns[name] for name in kept}
        return {"select": {"columns": kept}}

    def rename(self):
        names = {old: self.new_name() for old in self.some(self.columns)}
        self.columns = {names.get(name, name): kind for name, kind in self.columns.items()}
        return {"rename": names}

    def cast(self):
        entries = {}
        for name in self.some(self.columns):
            kind = self.columns[name]
            if kind in LOSSLESS and self.maybe():
                entries[name] = to = self.chance.choice(LOSSLESS[kind])
            elif kind in LOSSY:
                to = self.chance.choice(LOSSY[kind])
                entries[name] = {"type": to, "on_error": self.chance.choice(POLICIES)}
                self.drops_rows = True
            else:
                continue
            self.columns[name] = TYPES.get(to, to)
        return {"cast": entries} if entries else None

    def condition(self):
        name = self.chance.choice(list(self.columns))
        quoted = f'"{name}"'
        choices = {"int64": f"{quoted} > 3 or {quoted} is null", "decimal": f"{quoted} between 1 and 50",
                   "text": f"{quoted} like '%a%'", "timestamp": f"{quoted} >= '2026-01-03'", "bool": quoted}
        return choices.get(self.columns[name], f"{quoted} is not null")

    def filter(self):
        self.drops_rows = True
        return {"filter": self.chance.choice([self.condition(), {"where": self.condition(), "on_error": "discard_row"}])}

    def derive(self):
        entries, kinds = {}, {}
        for name in self.some(self.columns)[:2]:
            quoted, kind = f'"{name}"', self.columns[name]
            text, to = {"int64": (f"{quoted}::decimal(30,0) * 2", "decimal"), "text": (f"upper({quoted})", "text"),
                        "bool": (f"not {quoted}", "bool")}.get(kind, (f"{quoted} is null", "bool"))
            made = self.chance.choice([name, self.new_name()])
            entries[made] = text if self.maybe() else {"expression": text, "on_error": self.chance.choice(POLICIES)}
            kinds[made] = to
            self.drops_rows = True
        self.columns |= kinds
        return {"derive": entries}

    def add(self):
        value, kind = self.chance.choice([("{pipeline}", "text"), ("eu", "text"), ({"value": "2026-01-01", "type": "date"}, "date"),
                                          ({"value": "12.50", "type": "decimal(9,2)"}, "decimal")])
        name = self.new_name()
        self.columns[name] = kind
        return {"add": {name: value}}

    def flatten(self):
        if "payload" not in self.columns or self.columns["payload"] != "json":
            return None
        options = {"column": "payload", "keep": self.maybe(), "on_error": self.chance.choice(POLICIES)}
        names = [self.new_name(), self.new_name()]
        options["fields"] = {names[0]: "to.city", names[1]: {"path": "sku", "type": "int64"}}
        if not options["keep"]:
            del self.columns["payload"]
        self.columns |= {names[0]: "text", names[1]: "int64"}
        self.drops_rows = True
        return {"flatten": options}

    def mask(self):
        columns = {}
        for name in self.some(self.columns):
            methods = ["redact", {"method": "redact", "with": "-"}]
            if self.columns[name] != "binary":
                methods += ["hash", {"method": "hash", "digits": 16}]
            if self.columns[name] in ("text", "json"):
                methods += ["truncate", {"method": "truncate", "keep": 3}]
            columns[name] = self.chance.choice(methods)
            self.columns[name] = "text"
        hashes = any("hash" in (m if isinstance(m, str) else m["method"]) for m in columns.values())
        return {"mask": {"columns": columns} | ({"key": "${env:MASK_KEY}"} if hashes else {})}

    def dedupe(self):
        self.drops_rows = self.compares_rows = True
        options = {"key": self.some(self.columns)} | self.drawn(self.kind("transformers", "dedupe"), ["memory"])
        ordered = self.of_type("int64", "timestamp", "decimal", "text")
        if ordered and self.maybe():
            options["order"] = self.chance.choice(ordered)
        return {"dedupe": options | {"memory": "8MiB"}}

    def validate(self):
        self.drops_rows = True
        columns = {}
        for name in self.some(self.columns):
            rules = [{"unique": True}, {"not_null": True}]
            if self.columns[name] in ("int64", "decimal"):
                rules += [{"min": 0, "max": 200}, {"in": [1, 2, 3]}]
            if self.columns[name] in ("text", "json"):
                rules += [{"matches": "^[A-Za-z]"}]
            columns[name] = self.chance.choice(rules)
            self.compares_rows |= "unique" in columns[name]
        options = {"columns": columns, "on_error": self.chance.choice(["discard_row", "quarantine"]), "memory": "8MiB"}
        if self.maybe():
            options["check"] = {"some": self.condition()}
        if self.maybe():
            options["rows"] = {"min": 0, "change": "1000000%", "history": 3}
        return {"validate": options}

    # ---- the loader

    def parquet(self, windows):
        options = {"path": self.chance.choice(["lake", "./lake/", "./lake/orders"])}
        options |= self.drawn(self.kind("loaders", "parquet"), ["file_bytes", "row_group_bytes", "page_bytes"])
        if "level" in options:
            options["codec"] = "zstd"
        if options.get("row_group_rows"):
            options["row_group_rows"] = 2048
        few = self.of_type("bool")
        if few and len(self.columns) > 1 and self.maybe():
            options["partition_by"] = [self.chance.choice(few)]
        if self.maybe():
            options["dictionary"] = {"all": self.chance.choice(["auto", "on", "off"]),
                                     "columns": {self.chance.choice(list(self.columns)): self.chance.choice(["on", "off"])}}
            if options.get("partition_by") == list(options["dictionary"]["columns"]):
                del options["dictionary"]["columns"]
        if windows and self.maybe():
            options["layout"] = self.chance.choice(["window={run.label}", "y={run.start:%Y}/m={run.start:%m}", "{pipeline}/{run.end:%F}"])
        elif self.maybe(0.2):
            options["layout"] = "from/{pipeline}"
        return options


def sqlite_consumer(maker):
    options = {"path": "shop.db"}
    properties = maker.kind("consumer", "sqlite")
    options |= maker.drawn(properties, ["immutable", "mixed"])
    if "mixed" in properties and maker.maybe(0.3):
        options["mixed"] = maker.chance.choice(["error", "null"])  # string would make every column text
    if maker.maybe(0.3):
        options["query"] = "SELECT id, customer, kind, amount, pieces, price, at, active, payload FROM orders ORDER BY id"
        return {"sqlite": options}
    options["table"] = "orders"
    if "connections" in properties and not maker.compares_rows and maker.maybe(0.3):
        options["connections"] = maker.chance.choice(["auto", 2, 1])
    if "partition" in properties and maker.maybe(0.3):
        options["partition"] = {"by": maker.chance.choice(["rowid", "id"])} | maker.chance.choice([{"size": 100}, {"count": 3}])
    if "immutable" in properties and maker.maybe(0.2):
        options["immutable"] = True
    return {"sqlite": options}


def postgres_consumer(maker):
    options = {"dsn": "${env:DSN}"}
    # Words of these that change a column's type are left to tests of types.
    options |= maker.drawn(maker.kind("consumer", "postgres"), ["non_finite", "infinity"])
    options |= {"non_finite": "null", "infinity": "null"} if maker.maybe(0.3) else {}
    if maker.maybe(0.3):
        options["query"] = "select id, customer, kind, amount, pieces, price, at, active, payload from orders"
    else:
        options["table"] = maker.chance.choice(["orders", "public.orders"])
        if not maker.compares_rows and maker.maybe(0.3):
            options["connections"] = maker.chance.choice(["auto", 2, 1])
    if maker.maybe():
        options["partition"] = maker.chance.choice([
            {"by": "id", "size": 100}, {"by": "id", "hash": 3}, {"by": "kind", "values": ["book", "pen"]},
            {"by": "at", "interval": "100h"}] + ([{"by": "id", "count": 3}] if "table" in options else []))
    return {"postgres": options}


# What stands in `orders` of either database, by kinds of types.
COLUMNS = {"id": "int64", "customer": "text", "kind": "text", "amount": "decimal", "pieces": "int64", "price": "float64",
           "at": "timestamp", "active": "bool", "payload": "json"}


def valid(chance, schema, consumer):
    maker = Maker(chance, schema, COLUMNS)
    return maker.pipeline(consumer), maker
