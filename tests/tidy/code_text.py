"""C++ source as text in which comments and literals are blanked, so that a rule sees code only."""
import functools
import pathlib
import re

# Headers below src that only tests include, besides fake_*.h and *_fixture.h.
TEST_SUPPORT = {"testing.h", "temporary_directory.h", "random_rows.h"}
ALLOW = re.compile(r"tidy: allow (\S.*)")

_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*|/\*.*?\*/)
    | (?P<raw>R"(?P<mark>[^()\\\s]{0,16})\(.*?\)(?P=mark)")
    | (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<char>(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+')
    """,
    re.VERBOSE | re.DOTALL)


def _blank(text):
    return re.sub(r"[^\n]", " ", text)


class Source:
    """One file. Lines count from 1, as people and compilers do."""

    def __init__(self, path, relative, text=None):
        self.path = pathlib.Path(path)
        self.relative = relative  # from the checkout, with forward slashes
        self.text = self.path.read_text(encoding="utf-8") if text is None else text
        self.lines = self.text.split("\n")

    @functools.cached_property
    def code(self):
        """The text, of the same shape, without comments and without what stands in quotes."""
        def replaced(match):
            if match.group("comment"):
                return _blank(match.group(0))
            if match.group("raw"):
                return '""' + _blank(match.group(0))[2:]
            return match.group(0)[0] + _blank(match.group(0))[1:-1] + match.group(0)[-1]
        # Include lines keep their paths: they are code to the include rules.
        return _TOKEN.sub(
            lambda m: m.group(0) if self._is_include(m.start()) else replaced(m), self.text)

    def _is_include(self, offset):
        start = self.text.rfind("\n", 0, offset) + 1
        return re.match(r"\s*#\s*include\b[^/]*$", self.text[start:offset]) is not None

    def line_of(self, offset):
        return self.text.count("\n", 0, offset) + 1

    def allowed(self, line):
        """True where the line, or the comment block that ends just above it, says why a rule does not apply."""
        if ALLOW.search(self.lines[line - 1]):
            return True
        above = line - 2
        while above >= 0 and self.lines[above].lstrip().startswith("//"):
            if ALLOW.search(self.lines[above]):
                return True
            above -= 1
        return False

    def allowed_at_top(self):
        return any(ALLOW.search(line) for line in self.lines[:20])

    @property
    def is_test(self):
        name = self.path.name
        return bool(re.search(r"_(test|fuzz|bench|fixture)\.(cc|h)$", name)) or name.startswith("fake_") or \
            name in TEST_SUPPORT

    def includes(self):
        """(line, path, in quotes) of each include."""
        for number, line in enumerate(self.code.split("\n"), 1):
            match = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
            if match:
                yield number, match.group(1) or match.group(2), match.group(1) is not None


_SCOPE_HEAD = re.compile(r"[;{}]")
_TYPE = re.compile(r"\b(class|struct|union|enum)\b")


def functions(source):
    """(line of the head, line of the closing brace, name) of each function body. Lambdas belong to their function."""
    code = re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", lambda m: _blank(m.group(0)), source.code)
    stack = []  # of (is a function, start offset, name)
    inside = 0  # functions that are open
    head_start = 0
    parens = 0
    for match in re.finditer(r"[{}();]", code):
        mark = match.group(0)
        at = match.start()
        if mark == "(":
            parens += 1
        elif mark == ")":
            parens = max(0, parens - 1)
        elif mark == ";" and parens == 0:
            head_start = at + 1
        elif mark == "{":
            head = code[head_start:at]
            label = re.match(r"\s*(public|private|protected)\s*:", head)
            if label:
                head_start += label.end()
                head = head[label.end():]
            named = re.findall(r"([~\w]+(?:\s*::\s*~?\w+)*|operator\s*\S+)\s*\(", head)
            is_type = _TYPE.search(re.sub(r"<[^<>]*>", "", head).split("(")[0]) and not named
            is_function = (inside == 0 and bool(named) and not is_type and parens == 0 and
                           not re.search(r"(=|\breturn|,)\s*$", head))
            # Between the parameter list and the body a member initialiser may have braces of its own.
            initialiser = is_function and re.search(r"\)\s*(noexcept\s*)?:[^:]", head) and re.search(r"[\w>]\s*$", head) \
                and not re.search(r"\b(const|noexcept|override|final)\s*$", head)
            initialiser = bool(initialiser) or parens > 0  # or a default argument
            if initialiser:
                is_function = False
            stack.append((is_function, head_start + len(head) - len(head.lstrip()), named[0] if named else "", initialiser))
            inside += is_function
            if not initialiser:
                head_start = at + 1
        elif mark == "}" and stack:
            was_function, start, name, initialiser = stack.pop()
            inside -= was_function
            if was_function:
                yield source.line_of(start), source.line_of(at), name
            if not initialiser:
                head_start = at + 1
