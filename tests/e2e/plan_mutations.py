"""Pipeline files as people spoil them: lines and words of a good file moved, doubled, left out or put in the place of others."""

import re

# Words that a value is replaced by: of other types, at the edges of ranges, and what YAML reads otherwise than one thinks.
VALUES = ["", "~", "null", "true", "no", "0", "-1", "1", "1.5", "1e9", "9223372036854775807", "9223372036854775808", "00012",
          "64MiB", "1KiB", "99999999999TiB", "0s", "30s", "1h30m", "-5m", "2026-01-01", "2026-13-01", "2026-01-01T05:00",
          "0001-01-01", "9999-12-31", "UTC", "Europe/Lisbon", "auto", "id", "ID", "nothing_of_this_name", "[]", "{}", "[id]",
          "[id, id]", "{ id: id }", "'quoted'", '"quoted"', "${env:WORD}", "${env:UNSET}", "${", "{run.start:%F}", "{pipeline}",
          "a: b", "- a", "*a", "&a b", "!!str a", "|", ">", "decimal(18,2)", "decimal(99,2)", "timestamp(us, UTC)", "text",
          "id > 0", "id +", "'a' = 'b'", "é", "\u2028", "a" * 300]
VALUE = re.compile(r"(?<=: )[^,{}\[\]\n]+|(?<=\[)[^,{}\[\]\n]+")
KEY = re.compile(r"\b[a-z_]+(?=:)")
MARKS = ["\t", "  ", " ", ":", "-", "#", "{", "}", "[", "]", ",", "'", '"', "\n", "\r", "\0", "%", "@", "`", "|", "\ufeff"]


def _replace(text, match, with_this):
    return text[:match.start()] + with_this + text[match.end():]


def other_value(random, text):
    places = list(VALUE.finditer(text))
    return _replace(text, random.choice(places), random.choice(VALUES)) if places else text


def swapped_values(random, text):
    places = list(VALUE.finditer(text))
    if len(places) < 2:
        return text
    first, second = sorted(random.sample(places, 2), key=lambda m: m.start())
    return _replace(_replace(text, second, first[0]), first, second[0])


def other_key(random, text):
    places = list(KEY.finditer(text))
    return _replace(text, random.choice(places), random.choice(places)[0]) if places else text


def misspelt_key(random, text):
    places = list(KEY.finditer(text))
    if not places:
        return text
    match = random.choice(places)
    at = random.randrange(len(match[0]))
    slip = random.choice([match[0][:at] + match[0][at + 1:], match[0][:at] + match[0][at:at + 1] + match[0][at:],
                          match[0].capitalize(), match[0] + "s", match[0].replace("_", "-")])
    return _replace(text, match, slip)


def other_number(random, text):
    places = list(re.finditer(r"\d+", text))
    return _replace(text, random.choice(places), str(random.choice([0, 1, 2**31, 2**63 - 1, 2**64]))) if places else text


def _lines(change):
    def changed(random, text):
        lines = text.split("\n")
        change(random, lines)
        return "\n".join(lines)
    return changed


@_lines
def line_left_out(random, lines):
    del lines[random.randrange(len(lines))]


@_lines
def line_twice(random, lines):
    at = random.randrange(len(lines))
    lines.insert(at, lines[at])


@_lines
def lines_exchanged(random, lines):
    first, second = random.randrange(len(lines)), random.randrange(len(lines))
    lines[first], lines[second] = lines[second], lines[first]


@_lines
def line_indented_otherwise(random, lines):
    at = random.randrange(len(lines))
    lines[at] = random.choice(["", " ", "  ", "   ", "    ", "\t", "      "]) + lines[at].lstrip()


def cut_short(random, text):
    return text[:random.randrange(len(text) + 1)]


def mark_added(random, text):
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(MARKS) + text[at:]


def character_left_out(random, text):
    at = random.randrange(len(text)) if text else 0
    return text[:at] + text[at + 1:]


MUTATIONS = [other_value, other_value, other_value, swapped_values, other_key, misspelt_key, other_number, line_left_out,
             line_twice, lines_exchanged, line_indented_otherwise, cut_short, mark_added, character_left_out]


def bytes_of(random, text):
    """The file as bytes, now and then with some that are no text."""
    data = bytearray(text.encode())
    if data and random.random() < 0.05:
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] = random.randrange(256)
    return bytes(data)


def mutated(random, text):
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        text = random.choice(MUTATIONS)(random, text)
    return bytes_of(random, text)
