"""Histories as text: a violation for a person, and a history as a line of JSON for porcupine/main.go and cross_check.py."""

import json

from linearizable.register import NEVER, Operation, check, minimal

CONDITIONAL = ("create", "replace")


def words_of(operation):
    kind, result = operation.kind, operation.result
    if not operation.is_known:
        result = f"no answer {operation.note}".rstrip()
    elif kind == "get":
        result = "nothing there" if result is None else f"read {result}"
    else:
        result = {True: "done", False: "refused", None: "done"}[result]
    what = f"{kind} {operation.value}" if operation.value is not None else kind
    if kind == "replace":
        what = f"replace {operation.expected} by {operation.value}"
    return f"{what:22} {result}"


def show(key, violation, operations, marks=()):
    """The smallest part of the history that shows it, and where the values come from that it names; in milliseconds from the
    first of its calls. `operations` are those of the key, `marks` are (time, what was done to the daemon)."""
    kept = minimal(violation)
    found = check(kept, violation.before).operation
    begin = min(each.called for each in kept)
    end = max(each.called if each.returned == NEVER else each.returned for each in kept)
    named = {violation.before, *(each.result if each.kind == "get" else each.expected for each in kept)} - {None}
    sources = [each for each in operations if each.value in named and each not in kept]
    if violation.before is None:
        deletes = [each for each in operations if each.kind == "delete" and each.returned <= begin]
        sources += sorted(deletes, key=lambda each: each.returned)[-1:]

    def row(each):
        to = "open" if each.returned == NEVER else f"{(each.returned - begin) / 1e6:.3f}"
        sign = "   <- no order of the others allows this" if each is found else ""
        return each.called, f"  client {each.client:<2} {(each.called - begin) / 1e6:>12.3f} .. {to:>9}   {words_of(each)}{sign}"

    rows = [row(each) for each in kept]
    rows += [(at, f"            {(at - begin) / 1e6:>12.3f}                {what}") for at, what in marks if begin <= at <= end]
    before = "nothing" if violation.before is None else f"value {violation.before}"
    return "\n".join([f"{key} is not linearizable:", *(text for _, text in sorted(map(row, sources))),
                      f"  before the following it held {before}", *(text for _, text in sorted(rows))])


def to_json(operations):
    """Values are numbers from 1; 0 stands for none."""
    return json.dumps({"initial": 0, "operations": [
        {"client": each.client, "kind": each.kind, "value": each.value or 0, "expected": each.expected or 0,
         "called": each.called, "returned": None if each.returned == NEVER else each.returned,
         "result": int(each.result or 0), "isKnown": each.is_known} for each in operations]})


def of_json(line):
    def operation(fields):
        result = bool(fields["result"]) if fields["kind"] in CONDITIONAL else fields["result"] or None
        returned = NEVER if fields["returned"] is None else fields["returned"]
        return Operation(fields["client"], fields["kind"], fields["value"] or None, fields["expected"] or None, fields["called"],
                         returned, result, fields["isKnown"])
    return [operation(fields) for fields in json.loads(line)["operations"]]
