"""The rules find what they should, leave alone what they should, and the checkout is clean."""
import textwrap

import pytest

import include_table
import rules
import tidy
from code_text import Source, functions


def source(text, relative="src/elt/sample.cc"):
    return Source(relative, relative, textwrap.dedent(text).lstrip("\n"))


def rules_of(text, relative="src/elt/sample.cc"):
    sample = source(text, relative)
    return [finding.rule for rule in rules.SOURCE_RULES for finding in rule(sample)]


def test_the_checkout_is_clean():
    findings = rules.check(rules.Checkout(tidy.ROOT, tidy.checkout_files(tidy.ROOT)))
    assert not findings, "\n" + "\n".join(map(str, findings))


@pytest.mark.parametrize("here,target,fine", [
    ("base/fault.cc", "base/clock.h", True),
    ("base/fault.cc", "os/disk.h", False),
    ("os/disk.cc", "base/fault.h", True),
    ("formats/pgcopy/reader.cc", "formats/parquet/writer.h", False),
    ("formats/pgcopy/reader.cc", "os/disk.h", False),
    ("elt/runner.cc", "db/sqlite/database.h", False),
    ("elt/ledger.cc", "db/sqlite/database.h", True),
    ("connectors/postgres/consumer.cc", "connectors/lake/loader.h", False),
    ("connectors/postgres/consumer.cc", "formats/pgcopy/reader.h", True),
    ("transformers/cast/cast.cc", "connectors/lake/loader.h", False),
    ("services/kv/store.cc", "services/queues/store.h", False),
    ("services/kv/store.cc", "elt/plan.h", False),
    ("app/main.cc", "connectors/postgres/register.h", True),
])
def test_include_edges_follow_the_table(here, target, fine):
    assert include_table.may_include(here, target) == fine


@pytest.mark.parametrize("relative,include,rule", [
    ("src/elt/runner.cc", "<parquet/api/writer.h>", "include-home"),
    ("src/formats/parquet/writer.cc", "<parquet/api/writer.h>", None),
    ("src/elt/plan.h", "<fmt/format.h>", "include-heavy"),
    ("src/elt/plan.h", '"base/json.h"', "include-heavy"),
    ("src/elt/plan.cc", "<fmt/format.h>", None),
    ("src/base/fault.cc", "<arrow/record_batch.h>", "include-home"),
    ("src/elt/plan.cc", "<unheard/of.h>", "include-home"),
    ("src/elt/plan.cc", '"connectors/postgres/x.h"', "include-table"),
    ("src/elt/plan.cc", '"plan.h"', "include-table"),
    ("src/elt/plan.cc", "<vector>", None),
    ("src/elt/plan.cc", "<sys/mman.h>", None),
    ("src/newfolder/plan.cc", "<vector>", "include-table"),
])
def test_includes(relative, include, rule):
    head = "#pragma once\n// A sample.\n" if relative.endswith(".h") else ""
    found = [r for r in rules_of(f"{head}#include {include}\n", relative) if r.startswith("include")]
    assert found == ([rule] if rule else [])


@pytest.mark.parametrize("line", [
    "std::cout << 1;", 'printf("x");', "std::this_thread::sleep_for(one);", "int x = rand();",
    'const char* x = getenv("X");', "std::filesystem::remove(path);", "std::ofstream out(path);", 'system("ls");',
    "auto* x = new Thing();", "delete thing;", "void* p = malloc(4);", "arrow::default_memory_pool();",
    "arrow::internal::GetCpuThreadPool();", "auto t = std::chrono::steady_clock::now();", "std::abort();",
    "using namespace levada;", "try { f(); } catch (...) {}", "assert(x > 0);", "const_cast<int&>(x) = 1;",
])
def test_banned_calls_are_found(line):
    assert rules_of(f"void Sample() {{\n  {line}\n}}\n") == ["calls"]


@pytest.mark.parametrize("line", [
    '// printf("x") in a comment', 'Say("std::cout << getenv(x)");', "Thing(const Thing&) = delete;",
    "snprintf(buffer, 4, x);", "clock.SleepUntil(time, stop);", "random.Next();",
    "return std::unique_ptr<Thing>(new Thing(1));", "std::thread::id id;", "Renew(thing);", "log->Info(printf_);",
    "delete_(thing);", "auto x = R\"(new Thing; system(1))\";", "disk.unlink_;", "int assertions = 3;",
    "std::abort();  // tidy: allow the heap is broken", "timeout(0);",
])
def test_what_only_looks_like_a_banned_call_is_left_alone(line):
    assert rules_of(f"void Sample() {{\n  {line}\n}}\n") == []


def test_a_reason_in_the_comment_above_allows_a_line():
    assert rules_of("// tidy: allow the page cache is dropped by this\n// and by nothing else\nusing namespace a;\n") == []
    assert rules_of("// tidy: allow\nusing namespace a;\n") == ["calls"]


def test_threads_belong_to_the_engine():
    assert rules_of("std::jthread t;\n", "src/connectors/postgres/x.cc") == ["calls"]
    assert rules_of("std::jthread t;\n", "src/controllers/threads/x.cc") == []
    assert rules_of("std::jthread t;\n", "src/connectors/postgres/x_test.cc") == []


@pytest.mark.parametrize("name,fine", [
    ("StringUtil", False), ("helper_count", False), ("kCommonSize", False), ("RunManager", False), ("Misc", False),
    ("commonly", True), ("Utility", True), ("managed", True), ("arrow::util::Codec", True), ("X509_helper", False),
])
def test_names_that_say_nothing(name, fine):
    assert rules_of(f"int x = {name};\n") == ([] if fine else ["names"])


def test_names_of_files():
    assert "names" in rules_of("int x;\n", "src/elt/string_util.cc")
    assert "names" in rules_of("int x;\n", "src/elt/misc/a.cc")


def test_functions_are_measured_whole():
    sample = source("""
        namespace a {
        class B {
         public:
          B(int x) : x_{x}, y_(x) {
            f();
          }
          int x() const { return x_; }
         private:
          std::vector<int> list_ = {1, 2};
        };
        struct C { int a; };
        constexpr int kTable[] = {
            1,
        };
        template <typename T>
        Result<T> Long(const Options& options = {},
                       int y) {
          for (int i : {1, 2}) {
            auto f = [&](int z) { return z; };
          }
          if (x) {
          }
        }
        void B::operator()() const noexcept {}
        }  // namespace a
        """)
    assert [(name, last - first + 1) for first, last, name in functions(sample)] == [
        ("B", 3), ("x", 1), ("Long", 9), ("B::operator", 1)]


def test_long_functions_and_files_need_a_reason():
    body = "  f();\n" * 70
    assert rules_of(f"void Long() {{\n{body}}}\n") == ["length"]
    assert rules_of(f"// tidy: allow one case a line\nvoid Long() {{\n{body}}}\n") == []
    long_file = "int x;\n" * 801
    assert rules_of(long_file) == ["length"]
    assert rules_of("// tidy: allow generated\n" + long_file) == []


def test_headers_open_with_a_paragraph():
    assert rules_of("#pragma once\n// What it is.\n", "src/elt/x.h") == []
    assert rules_of("#pragma once\n\nint x;\n", "src/elt/x.h") == ["header"]
    assert rules_of("#ifndef X\n#define X\n#endif\n", "src/elt/x.h") == ["header"]


def test_unfinished_and_unformatted():
    assert rules_of("int x;  // TO" "DO: y\n") == ["unfinished"]
    assert rules_of("int x; \n") == ["format"]
    assert rules_of("int\tx;\n") == ["format"]
    assert rules_of("int x;") == ["format"]


class MemoryCheckout(rules.Checkout):
    def __init__(self, texts):
        super().__init__(None, list(texts))
        self.texts = texts

    def sources(self):
        for relative in self.files:
            if relative.startswith("src/") and relative.endswith((".h", ".cc")):
                yield Source(relative, relative, self.texts[relative])

    def text(self, relative):
        return self.texts.get(relative, "")


def test_dead_files():
    found = list(rules.dead_files(MemoryCheckout({
        "src/a/CMakeLists.txt": "", "src/a/x.cc": '#include "a/x.h"\n', "src/a/x.h": "", "src/a/unused.h": "",
        "src/b/y.cc": ""})))
    assert [finding.path for finding in found] == ["src/a/unused.h", "src/b/y.cc"]


def test_a_source_begins_with_its_own_header():
    found = list(rules.own_header_first(MemoryCheckout({
        "src/a/x.h": "", "src/a/x.cc": '#include <map>\n#include "a/x.h"\n', "src/a/y.h": "",
        "src/a/y.cc": '// Why.\n#include "a/y.h"\n\n#include <map>\n', "src/a/main.cc": "#include <map>\n"})))
    assert [(finding.path, finding.line) for finding in found] == [("src/a/x.cc", 1)]


FAULT = "enum { kOne = 1001, kTwo = 1002 };"
TABLE = '{kOne, "one", Blame::kConfig, false, 10}, {kTwo, "two", Blame::kSource, true, 20}'
PAGE = "# LV1001: one\n\n[LV1001]\n## Causes\n## What to do\n\nExit status 10. levada does not try again by itself.\n"


def test_every_code_has_a_page_and_every_page_a_code():
    found = list(rules.error_pages(MemoryCheckout({
        "src/base/fault.h": FAULT, "src/base/fault.cc": TABLE, "docs/errors/LV1001.md": PAGE,
        "docs/errors/LV1003.md": PAGE})))
    assert sorted(finding.path for finding in found) == ["docs/errors/LV1003.md", "src/base/fault.h"]


def test_a_page_agrees_with_the_table():
    found = list(rules.error_pages(MemoryCheckout({
        "src/base/fault.h": "enum { kOne = 1001 };", "src/base/fault.cc": TABLE,
        "docs/errors/LV1001.md": PAGE.replace("10.", "20.").replace("one", "uno")})))
    assert len(found) == 2


def test_words_that_work_in_one_place_only():
    place = "/ho" + "me/ana/levada"
    host = "https://py" + "pi.org/simple"
    found = list(rules.banned_words(MemoryCheckout({"README.md": f"see {place} and {host}\n", "a.md": "a/home/b/\n"})))
    assert [finding.rule for finding in found] == ["words", "words"]
