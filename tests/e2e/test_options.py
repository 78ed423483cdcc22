"""docs/guide/options.md is what `levada schema` says, as tables, serve-options.md what `levada schema --serve` says, and api.md
what `levada schema --routes` says. LEVADA_UPDATE=1 writes the pages.
"""

import json
import os
import subprocess

from conftest import BINARY, SOURCE

PAGE = SOURCE / "docs/guide/options.md"
HEAD = """# Every option

What a pipeline file may say; `levada schema` prints the same as JSON Schema for your editor. Texts may hold `${env:NAME}` and
`${file:PATH}`. How the options work together: [pipeline files](pipelines.md), [memory](memory.md),
[verification](verification.md).
"""
SERVE_PAGE = SOURCE / "docs/guide/serve-options.md"
SERVE_HEAD = """# Every option of `levada serve`

The keys of the file of `levada serve --config FILE`; `levada schema --serve` prints the same as JSON Schema for your editor.
All but `limits` and `d1` are options of the command line too, with dashes: `tls_key` is `--tls-key`. Texts may hold `${env:NAME}` and
`${file:PATH}`. What they are for: [the data services](serve.md).
"""
API_PAGE = SOURCE / "docs/guide/api.md"
API_HEAD = """# Everything the API answers to

What the listeners of `levada serve` take, and what each call needs; `levada schema --routes` prints the same as JSON. Cloudflare's
and Amazon's references say what goes in and comes out; where we differ: [the data services](serve.md).

A token does with a scope what its action holds (`read` < `write` < `admin`), for everything or for the one resource it names. All
but what needs nothing needs a token of the account that the path is of, or that the bucket belongs to.
"""
DOORS = [("api", "The API", """`--listen`. Paths but `/health` and `/metrics` are below `/client/v4`. Send
`Authorization: Bearer <token>`. HEAD is answered wherever GET is. A parameter with a star is all that is left of the path."""),
         ("s3", "S3", """`--s3-listen`. Signature version 4, with the token's id and its S3 secret as keys. "Public": where the bucket is, by
`PUT .../domains/managed` above, anybody may. The bucket may be in the host's name instead (`--s3-domain`). OPTIONS is answered by the
bucket's CORS rules and needs nothing.""")]
SECTIONS = [("consumer", "Consumer"), ("transformers", "Transformer"), ("loaders", "Loader")]
REFERENCE = "\\$\\{(env|file):"  # "or a text with a reference" says nothing in a table


def forms(node):
    """The alternatives of a value, references left out."""
    return [form for form in node.get("anyOf", [node]) if form.get("pattern") != REFERENCE]


def members(node):
    """(name, option, required) of the members of a group; those of what a map says of each column as <column>.name."""
    for form in forms(node):
        for name, option in form.get("properties", {}).items():
            yield name, option, name in form.get("required", [])
        if isinstance(form.get("additionalProperties"), dict):
            for name, option, required in members(form["additionalProperties"]):
                yield f"<column>.{name}", option, required


def values(node):
    """What may stand there, in a few words."""
    for form in forms(node):
        if "enum" in form:
            return ", ".join(f"`{value}`" for value in form["enum"])
        if form.get("type") == "array":
            return "list"
        if form.get("type") == "integer":
            low, high = form.get("minimum"), form.get("maximum")
            return f"{low:,} to {high:,}" if high < 2**31 - 1 else f"from {low:,}"
        if form.get("type") == "boolean":
            return "`true`, `false`"
        if "(ms|s|m|h|d)" in form.get("pattern", ""):
            return "duration"
        if "[kKMGT]" in form.get("pattern", ""):
            return "size"
    if any("properties" in form for form in forms(node)):
        return "group"
    return "by column" if any("additionalProperties" in form for form in forms(node)) else "text"


def cell(text):
    return text.replace("|", "\\|")


def rows(node, prefix=""):
    for name, option, required in members(node):
        default = "required" if required else f"`{option['default']}`" if "default" in option else ""
        example = f"`{option['examples'][0]}`" if option.get("examples") else ""
        yield [f"`{prefix}{name}`", values(option), default, example, option["description"]]
        yield from rows(option, f"{prefix}{name}.")


def table(node):
    lines = ["| option | values | default | example | |", "|---|---|---|---|---|"]
    lines += ["| " + " | ".join(cell(one) for one in row) + " |" for row in rows(node)]
    return "\n".join(lines) + "\n" if len(lines) > 2 else ""


def stage(title, kind, node):
    about = node["description"][0].upper() + node["description"][1:]
    example = f" Example: `{kind}: {node['examples'][0]}`" if node.get("examples") else ""
    return f"## {title} `{kind}`\n{about}.{example}\n\n{table(node)}".rstrip("\n") + "\n"


def page(schema):
    parts = [HEAD]
    top = {"properties": {k: v for k, v in schema["properties"].items() if k not in dict(SECTIONS)},
           "required": schema["required"]}
    parts.append(f"## The pipeline\n{table(top)}")
    for key, title in SECTIONS:
        node = schema["properties"][key]
        for kind, option, _ in members(node.get("items", node)):
            parts.append(stage(title, kind, option))
    return "\n".join(parts)


def need(route):
    need = route["need"]
    if not need["token"]:
        return f"nothing: {need['why']}"
    if "scope" not in need:
        return "any token"
    of = f" of the {need['resource']}" if "resource" in need else ""
    return f"`{need['scope']}`{of}" + (", or public" if need.get("public") else "")


def call(route):
    extra = f"?{route['query']}" if route.get("query") else ""
    header = f" with `{route['header']}`" if route.get("header") else ""
    return f"`{route['method']} {route['pattern'].removeprefix('/client/v4')}{extra}`{header}"


def reference(routes):
    parts = [API_HEAD]
    for door, title, about in DOORS:
        found = [route for route in routes if route["door"] == door]
        named = [f"{route['operation']}: " if "operation" in route else "" for route in found]
        lines = [f"## {title}", about, "", "| call | needs | |", "|---|---|---|"]
        lines += [f"| {call(route)} | {need(route)} | {cell(name + route['summary'])} |" for route, name in zip(found, named)]
        parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def schema_of(*arguments):
    return json.loads(subprocess.run([BINARY, "schema", *arguments], check=True, capture_output=True, text=True).stdout)


def compare(page, made):
    if os.environ.get("LEVADA_UPDATE") == "1":
        page.write_text(made)
    assert page.read_text() == made, "run it again with LEVADA_UPDATE=1 and read the difference"


def test_the_page_of_options_is_what_the_schema_says():
    compare(PAGE, page(schema_of()))


def test_the_page_of_the_daemons_options_is_what_its_schema_says():
    compare(SERVE_PAGE, f"{SERVE_HEAD}\n{table(schema_of('--serve'))}")


def test_the_page_of_the_api_is_what_its_doors_answer_to():
    compare(API_PAGE, reference(schema_of("--routes")["routes"]))
