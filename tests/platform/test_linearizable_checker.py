"""The search of linearizable/register.py: histories whose verdict a person knows, and simulated ones. linearizable/cross_check.py
holds it against porcupine."""

import random

import pytest

from linearizable.register import NEVER, Operation, check, minimal
from linearizable.simulated import FAULTS, Shape, make_history
from linearizable.told import of_json, show, to_json

KINDS = {"P": "put", "D": "delete", "G": "get", "C": "create", "R": "replace"}


def history(text):
    """One call a line: `called-returned`, then P1 put 1, D delete, G1 read 1, G- read nothing, C1+ or C1! created 1 or was
    refused, R1:2+ put 2 in the place of 1. `called-?` was not answered, `called-9?` neither, and can take effect until 9."""
    operations = []
    for client, line in enumerate(text.split(";")):
        times, _, what = line.strip().partition(" ")
        called, _, returned = times.partition("-")
        operation = Operation(client, KINDS[what[0]], called=int(called), is_known="?" not in returned)
        operation.returned = float(returned.rstrip("?") or NEVER)
        rest = what[1:].rstrip("+!")
        if operation.kind == "get":
            operation.result = None if rest == "-" else int(rest)
        elif operation.kind == "replace":
            operation.expected, operation.value = map(int, rest.split(":"))
        elif rest:
            operation.value = int(rest)
        if operation.kind in ("create", "replace") and operation.is_known:
            operation.result = what.endswith("+")
        operations.append(operation)
    return operations


@pytest.mark.parametrize("text", [
    "0-1 G-",
    "0-1 P1; 2-3 G1; 4-5 D; 6-7 G-",
    "0-9 P1; 1-2 G-; 3-4 G1",  # the write takes effect in between
    "0-9 P1; 0-9 P2; 10-11 G1; 12-13 G1",
    "0-9 P1; 0-9 P2; 1-2 G2; 3-4 G1",
    "0-9 D; 0-9 P2; 10-11 G-",
    "0-5 P1; 5-6 G-",  # of one moment: they overlap
    "0-? P1; 50-51 G1",  # nobody heard of it, and it was written
    "0-? P1; 50-51 G-",
    "0-? P1; 50-51 G-; 52-53 G1",
    "0-9? P1; 10-11 G-; 12-13 G-",
    "0-9? P1; 10-11 G1",
    "0-1 P1; 2-9? D; 10-11 G-",
    "0-? G5",  # a read that nobody heard of says nothing
    "0-9 C1+; 0-9 C2!; 10-11 G1",
    "0-1 C1+; 2-3 D; 4-5 C2+; 6-7 G2",
    "0-1 P1; 2-9 R1:2+; 2-9 R1:3!; 10-11 G2",
    "0-1 P1; 2-9? R1:2; 10-11 G2",
    "0-1 P1; 2-9? C2; 10-11 G1",
])
def test_an_order_exists(text):
    assert check(history(text)) is None


@pytest.mark.parametrize("text", [
    "0-1 G1",  # of nowhere
    "0-1 P1; 2-3 G-",  # lost
    "0-1 P1; 2-3 P2; 4-5 G1",  # stale
    "0-1 P1; 2-3 D; 4-5 G1",
    "0-9 P1; 1-2 G1; 3-4 G-",  # seen, and then not seen
    "0-9 P1; 0-9 P2; 1-2 G1; 3-4 G2; 5-6 G1",  # there and back
    "0-9 P1; 0-9 P2; 10-11 G1; 12-13 G2",
    "0-4 P1; 5-6 G-",
    "0-1 G1; 2-3 P1",  # of the future
    "0-? P1; 10-11 G1; 12-13 G-",  # it was there already
    "0-9? P1; 10-11 G-; 12-13 G1",  # what a kill cut off comes up later
    "0-1 P1; 2-3 P2; 4-9? P3; 10-11 G1",  # undone by a kill
    "0-1 P1; 2-9? P2; 10-11 G2; 12-13 G1",
    "0-9 C1+; 0-9 C2+",  # two creators
    "0-1 C1!",
    "0-1 P1; 2-3 C2+",
    "0-1 P1; 2-9 R1:2+; 2-9 R1:3+",
    "0-1 P1; 2-3 R1:2!; 4-5 G1",
    "0-1 P1; 2-3 P2; 4-5 R1:3+",
    "0-1 P1; 2-9? C2; 10-11 G2",
])
def test_no_order_exists(text):
    operations = history(text)
    violation = check(operations)
    assert violation
    assert "no order of the others allows this" in show("key", violation, operations)


def shapes(seed):
    chance, forgets = random.Random(seed), seed % 3 != 0
    # Calls that stay open to the end are of one crash, or the search is a long one.
    return chance, Shape(clients=chance.randint(1, 6), operations=chance.choice([12, 60, 200 if forgets else 60]),
                         writes=chance.uniform(0.2, 0.8), conditional=seed % 2 == 0, forgets_at_crash=forgets,
                         crashes=seed % 5 != 0)


def test_what_a_register_did_is_linearizable():
    for seed in range(300):
        assert check(make_history(*shapes(seed))) is None, seed


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_found(fault):
    """Not each of them: a fault that another write covers up leaves a history that is right."""
    found = 0
    for seed in range(300):
        chance, shape = shapes(seed)
        shape.conditional = shape.conditional or fault == "two creators"
        shape.crashes = shape.forgets_at_crash = shape.crashes or fault == "undone by the crash"
        found += check(make_history(chance, shape, fault, rate=0.2)) is not None
    print(f"{fault}: {found} of 300")
    assert found > 100


def test_little_is_shown():
    shown = 0
    for seed in range(100):
        operations = make_history(random.Random(seed), Shape(operations=400), "stale read", rate=0.05)
        violation = check(operations)
        if violation:
            kept = minimal(violation)
            assert check(kept, violation.before) and len(kept) <= len(violation.window)
            assert all(check([each for each in kept if each is not one], violation.before) is None
                       for one in kept if one.kind == "get")
            shown += len(kept) <= 6
    assert shown > 60


def test_a_history_is_read_as_it_was_written():
    for seed in range(50):
        operations = make_history(*shapes(seed))
        for one, other in zip(operations, of_json(to_json(operations)), strict=True):
            for field in ("kind", "value", "called", "returned", "is_known"):
                assert getattr(one, field) == getattr(other, field)
            assert not one.is_known or (one.result or 0) == (other.result or 0)
