"""The rules. Each takes the checkout and yields findings; a finding's message says the fix."""
import dataclasses
import fnmatch
import re

import include_table
from code_text import Source, functions

LINES_MAX = 800
FUNCTION_LINES_MAX = 70
BANNED_NAMES = {"util", "utils", "helper", "helpers", "common", "manager", "misc"}
FOREIGN_NAMESPACES = {"arrow", "std", "parquet", "fmt", "nlohmann", "CLI", "testing", "spdlog", "YAML", "benchmark"}


@dataclasses.dataclass(frozen=True, order=True)
class Finding:
    path: str
    line: int
    rule: str
    message: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.message} [{self.rule}]"


@dataclasses.dataclass(frozen=True)
class Ban:
    """A call that is reserved to some files."""
    pattern: str
    allowed: tuple  # file patterns below src
    fix: str
    in_tests: bool = True  # also banned in tests
    unless_after: str = r"(?!)"  # fine when the code just before it ends so


BANS = [
    Ban(r"\bstd::(cout|cerr|clog)\b|(?<![\w:])(std::)?(printf|puts|putchar|fprintf|vprintf)\s*\(", ("base/fault.cc",),
        "print through app/terminal.h, log through Context::log"),
    Ban(r"\b(sleep_for|sleep_until|usleep|nanosleep)\s*\(|(?<![\w.>:])sleep\s*\(", ("base/clock.cc",),
        "wait through Clock::SleepUntil, which a test moves and a stop ends"),
    Ban(r"(?<![\w.>])(std::)?(rand|srand)\s*\(|\bstd::random_device\b", ("base/clock.cc",),
        "take a Random& in the constructor"),
    Ban(r"\bstd::(mt19937|default_random_engine)", ("base/clock.cc",), "take a Random& in the constructor",
        in_tests=False),
    Ban(r"\b(secure_)?getenv\s*\(", ("base/*", "app/*", "elt/environment*"), "take an elt::Environment",
        in_tests=False),
    Ban(r"\bstd::filesystem\b|\b(ofstream|ifstream|fstream)\b|\b(fopen|mkstemp|unlink|rmdir|mkdir|truncate)\s*\(",
        ("os/*",), "go through os::Disk, so that tests can make it fail", in_tests=False),
    Ban(r"(?<![\w.>])(std::)?(system|popen)\s*\(", (), "start processes through os"),
    Ban(r"(?<!operator )\bnew\b\s*(\(|[A-Za-z_:])", (), "own it with std::make_unique",
        unless_after=r"_ptr<[^;{}]*\(\s*$"),  # a private constructor, owned at once
    Ban(r"(?<!operator )\bdelete\b(\s*\[\s*\])?\s+[A-Za-z_*(]", (), "own it with std::unique_ptr"),
    Ban(r"\b(malloc|calloc|realloc|free)\s*\(", ("base/memory.cc",), "allocate from Context::pool or own a container"),
    Ban(r"\bstd::(thread|jthread|async)\b(?!::)|\bpthread_create\b", ("base/*", "os/*", "elt/*", "controllers/*"),
        "threads belong to the engine; take an executor or say why with tidy: allow", in_tests=False),
    Ban(r"\bdefault_memory_pool\s*\(|\bsystem_memory_pool\s*\(|\bjemalloc_memory_pool\s*\(", ("base/memory.cc",),
        "allocate from Context::pool, which keeps the budget", in_tests=False),
    Ban(r"\bGetCpuThreadPool\s*\(|\bdefault_io_context\s*\(", (), "Arrow's global pools are outside the budget",
        in_tests=False),
    Ban(r"\b(system_clock|steady_clock|high_resolution_clock)::now\s*\(|\bclock_gettime\s*\(|(?<![\w.>:])time\s*\(\s*(nullptr|NULL|0|&)",
        ("base/*", "os/*"), "take a Clock, which a test moves", in_tests=False),
    Ban(r"(?<![\w.>:])(std::)?(abort|exit|_exit|quick_exit|terminate)\s*\(", ("base/*", "os/*"),
        "return a Status; LEVADA_CHECK is for broken invariants", in_tests=False),
    Ban(r"\busing namespace\b(?!\s+[\w:]*literals)", (), "name what you use"),
    Ban(r"\bcatch\s*\(", ("app/invoke.cc", "app/command_line.cc", "elt/*yaml*.cc", "elt/partition_run.cc", "controllers/*",
                            "formats/parquet/*"),
        "exceptions stop at YAML, the command line, Parquet and thread entries; elsewhere say why with tidy: allow"),
    Ban(r"\bconst_cast\b", (), "const is a promise; say why with tidy: allow", in_tests=False),
    Ban(r"\bassert\s*\(", (), "it vanishes in release: return a Status, or LEVADA_CHECK"),
]

# Words that tie the repository to one machine or one network. Assembled, so that this file does not hold them.
BANNED_WORDS = {
    "a package registry's host": r"\b(" + "|".join([
        "py" + r"pi\.org", "python" + r"hosted\.org", "npm" + r"js\.org", "crates" + r"\.io", "deb" + r"\.debian\.org",
        "proxy" + r"\.golang\.org", "maven" + r"\.org"]) + r")\b",
    "a path of one machine": r"(?<![\w./-])/(" + "|".join(["wo" + "rk", "ro" + "ot", "home/" + r"\w+"]) + r")/",
}


class Checkout:
    """The files of the repository: sources below src, and every text file."""

    def __init__(self, root, files):
        self.root = root
        self.files = sorted(files)  # relative paths

    def sources(self):
        for relative in self.files:
            if relative.startswith("src/") and relative.endswith((".h", ".cc")):
                yield Source(self.root / relative, relative)

    def text(self, relative):
        try:
            return (self.root / relative).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            return ""  # captured bytes


def below_src(relative):
    return relative.removeprefix("src/")


def matches(relative, patterns):
    return any(fnmatch.fnmatch(below_src(relative), pattern) for pattern in patterns)


def include_edges(source):
    here = below_src(source.relative)
    if include_table.allowed_folders(here) is None:
        yield Finding(source.relative, 1, "include-table",
                      "this folder is not in tests/tidy/include_table.py: say there what it may include")
        return
    for line, path, quoted in source.includes():
        if source.allowed(line):
            continue
        if quoted:
            if source.is_test and path.startswith("tests/"):
                continue  # a fixture that tests of several folders share
            if "/" not in path:
                yield Finding(source.relative, line, "include-table", f'write "{path}" from src, with its folder')
            elif not include_table.may_include(here, path):
                yield Finding(source.relative, line, "include-table",
                              f"{include_table.folder_of(here)} may not include {include_table.folder_of(path)}: "
                              "move the code, or let the caller pass what is needed (table in include_table.py)")
        elif "/" in path or path.endswith(".h"):
            yield from third_party(source, here, line, path)
        if here.endswith(".h") and not source.is_test:
            yield from heavy(source, here, line, path)


# C and POSIX headers that may stand anywhere.
_SYSTEM = re.compile(r"^(sys|linux|netinet|arpa)/|^(unistd|fcntl|poll|pthread|signal|errno|dirent|endian|time|byteswap|"
                     r"dlfcn|limits|netdb|sched|semaphore|stdlib|termios)\.h$")


def third_party(source, here, line, path):
    prefix = include_table.home_of(path)
    if prefix is None:
        if not _SYSTEM.search(path):
            yield Finding(source.relative, line, "include-home",
                          f"<{path}> has no home: give it one folder in tests/tidy/include_table.py")
        return
    if not source.is_test and not any(fnmatch.fnmatch(here, home) for home in include_table.HOMES[prefix]):
        homes = ", ".join(include_table.HOMES[prefix]) or "nowhere: include the part you use"
        yield Finding(source.relative, line, "include-home", f"<{path}> belongs to {homes}")
    if here.startswith("base/") and not source.is_test and path.startswith("arrow/") and path not in include_table.BASE_ARROW:
        yield Finding(source.relative, line, "include-home",
                      f"base knows only Arrow's status and memory headers, not <{path}>")


def heavy(source, here, line, path):
    for prefix in include_table.HEAVY:
        home = include_table.HEAVY_HOMES.get(prefix)
        if path.startswith(prefix) and not (home and fnmatch.fnmatch(here, home)):
            yield Finding(source.relative, line, "include-heavy",
                          f"{path} is too heavy for a header: include it in the .cc and hide it from the type")


def words_of(identifier):
    """CamelCase and snake_case to lower-case words."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", identifier)]


def banned_names(source):
    for part in re.split(r"[/_.]", source.relative):
        if part in BANNED_NAMES:
            yield Finding(source.relative, 1, "names", f'a file named "{part}": name what its contents have in common')
    for number, line in enumerate(source.code.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        for match in re.finditer(r"(?<!\w)((?:\w+::)*)(\w+)", line):
            qualifier, name = match.groups()
            if qualifier.split("::")[0] in FOREIGN_NAMESPACES or not BANNED_NAMES & set(words_of(name)):
                continue
            if not source.allowed(number):
                yield Finding(source.relative, number, "names",
                              f'"{name}" says nothing: name what the things it stands for have in common')


def banned_calls(source):
    for ban in BANS:
        if matches(source.relative, ban.allowed) or (source.is_test and not ban.in_tests):
            continue
        for match in re.finditer(ban.pattern, source.code):
            line = source.line_of(match.start())
            if re.search(ban.unless_after, source.code[max(0, match.start() - 160):match.start()]):
                continue
            if not source.lines[line - 1].lstrip().startswith("#include") and not source.allowed(line):
                yield Finding(source.relative, line, "calls", f'"{match.group(0).strip()}": {ban.fix}')


def lengths(source):
    count = len(source.lines) - 1
    if count > LINES_MAX and not source.allowed_at_top():
        yield Finding(source.relative, 1, "length",
                      f"{count} lines, more than {LINES_MAX}: split it, or say why at the top with tidy: allow")
    for first, last, name in functions(source):
        if last - first + 1 > FUNCTION_LINES_MAX and not source.allowed(first):
            yield Finding(source.relative, first, "length",
                          f"{name} has {last - first + 1} lines, more than {FUNCTION_LINES_MAX}: split it, or say why "
                          "with tidy: allow")


def header_shape(source):
    if not source.relative.endswith(".h"):
        return
    if source.lines[0] != "#pragma once":
        yield Finding(source.relative, 1, "header", "begin with #pragma once")
    elif len(source.lines) < 2 or not source.lines[1].startswith("// "):
        yield Finding(source.relative, 2, "header", "open with a paragraph: what this is, where it stands, what it is not")


def whitespace(source):
    for number, line in enumerate(source.lines, 1):
        if line.rstrip() != line or "\t" in line:
            yield Finding(source.relative, number, "format", "run clang-format-19 with the .clang-format of the repository")
            return
    if source.text and not source.text.endswith("\n"):
        yield Finding(source.relative, len(source.lines), "format", "end the file with a newline")


def unfinished(source):
    for match in re.finditer(r"\b(TODO|FIXME|XXX|HACK)\b", source.text):
        yield Finding(source.relative, source.line_of(match.start()), "unfinished",
                      f"{match.group(0)}: do it, or open an issue and say here what holds until then")


SOURCE_RULES = [include_edges, banned_names, banned_calls, lengths, header_shape, whitespace, unfinished]


def dead_files(checkout):
    """Sources that no part compiles, headers that nobody includes."""
    files = set(checkout.files)
    included = set()
    for source in checkout.sources():
        included.update(path for _, path, quoted in source.includes() if quoted and path != below_src(source.relative))
    included |= set(re.findall(r'#include "([^"]+)"', "".join(
        checkout.text(file) for file in checkout.files if file.startswith("cmake/"))))
    for relative in checkout.files:
        if not relative.startswith("src/"):
            continue
        folder = relative.rsplit("/", 1)[0]
        if relative.endswith(".cc") and f"{folder}/CMakeLists.txt" not in files:
            yield Finding(relative, 1, "dead", "no CMakeLists.txt beside it: the file is compiled by nobody")
        own_source = relative[:-2] + ".cc"
        if relative.endswith(".h") and below_src(relative) not in included and own_source not in files:
            yield Finding(relative, 1, "dead", "nobody includes this header: remove it, or use it")


def own_header_first(checkout):
    """x.cc includes x.h before anything else: so each header is compiled alone once, without a build of its own."""
    files = set(checkout.files)
    for source in checkout.sources():
        header = source.relative.removesuffix(".cc") + ".h"
        if not source.relative.endswith(".cc") or header not in files:
            continue
        line, path, _ = next(iter(source.includes()), (1, "", False))
        if path != below_src(header):
            yield Finding(source.relative, line, "own-header", f'include "{below_src(header)}" before anything else')


def error_pages(checkout):
    """Every FaultCode has a page in docs/errors and the page agrees with the table of base/fault.cc."""
    header = checkout.text("src/base/fault.h")
    table = checkout.text("src/base/fault.cc")
    numbers = {name: int(number) for name, number in re.findall(r"\b(k\w+)\s*=\s*(\d{4})\b", header)}
    rows = {numbers[name]: (title, retryable == "true", int(status)) for name, title, retryable, status in re.findall(
        r'\{(k\w+),\s*"([^"]+)",\s*Blame::\w+,\s*(true|false),\s*(\d+)\}', table) if name in numbers}
    pages = {int(match.group(1)): relative for relative in checkout.files
             if (match := re.fullmatch(r"docs/errors/LV(\d{4})\.md", relative))}
    for name, number in numbers.items():
        if number not in pages:
            yield Finding("src/base/fault.h", 1, "error-pages",
                          f"{name} has no page: write docs/errors/LV{number}.md (meaning, example, causes, what to do)")
        if number not in rows:
            yield Finding("src/base/fault.cc", 1, "error-pages", f"{name} has no row in the table")
    for number, relative in pages.items():
        if number not in rows:
            yield Finding(relative, 1, "error-pages", "no FaultCode has this number: remove the page")
            continue
        title, retryable, status = rows[number]
        text = checkout.text(relative)
        again = "levada tries again by itself before it gives up." if retryable else "levada does not try again by itself."
        if not text.startswith(f"# LV{number}: {title}\n"):
            yield Finding(relative, 1, "error-pages", f'begin with "# LV{number}: {title}"')
        if not text.endswith(f"\nExit status {status}. {again}\n"):
            yield Finding(relative, text.count("\n"), "error-pages", f'end with "Exit status {status}. {again}"')
        if f"[LV{number}]" not in text or "## Causes" not in text or "## What to do" not in text:
            yield Finding(relative, 1, "error-pages", f"show an example with [LV{number}], ## Causes and ## What to do")


def banned_words(checkout):
    for relative in checkout.files:
        text = checkout.text(relative)
        for what, pattern in BANNED_WORDS.items():
            for match in re.finditer(pattern, text):
                line = text.count("\n", 0, match.start()) + 1
                if "tidy: allow" not in text.split("\n")[line - 1]:
                    yield Finding(relative, line, "words", f'"{match.group(0)}" is {what}: it works only in one place')


CHECKOUT_RULES = [dead_files, own_header_first, error_pages, banned_words]


def check(checkout):
    findings = [finding for rule in CHECKOUT_RULES for finding in rule(checkout)]
    for source in checkout.sources():
        for rule in SOURCE_RULES:
            findings.extend(rule(source))
    return sorted(findings)
