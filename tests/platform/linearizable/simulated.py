"""Histories of a register that clients share, without a daemon: right ones, and ones with a fault of a known kind.

Each operation takes effect at a moment between its call and its return, so what comes out without a fault is linearizable by
its making. A crash cuts off what is under way, which has taken effect or not and is not answered.
"""

import dataclasses
import itertools

from linearizable.register import NEVER, Operation, step

FAULTS = ("stale read", "lost write", "undone by the crash", "read of the future", "two creators", "any answer")
CRASH_EACH = 40  # moments


@dataclasses.dataclass
class Shape:
    clients: int = 4
    operations: int = 30
    writes: float = 0.5
    conditional: bool = False
    crashes: bool = True
    forgets_at_crash: bool = True  # what a crash cut off is decided at the crash, else at any time behind it


def draw_kind(chance, shape):
    if chance.random() >= shape.writes:
        return "get"
    return chance.choice(["put", "put", "delete"] + (["create", "create", "replace"] if shape.conditional else []))


def calls(chance, shape):
    """(operation, moment of its effect, or None if it has none), with crashes as moments."""
    numbers, made = itertools.count(1), []
    crashes = []
    for client in range(shape.clients):
        now = chance.randrange(3)
        for _ in range(shape.operations // shape.clients):
            called, now = now, now + chance.randrange(1, 12)
            kind = draw_kind(chance, shape)
            value = next(numbers) if kind in ("put", "create", "replace") else None
            operation = Operation(client, kind, value, called=called, returned=now)
            made.append((operation, chance.randint(called, now)))
            now += chance.randrange(3)
        crashes.append(now)
    crashes = range(CRASH_EACH, max(crashes), CRASH_EACH) if shape.crashes else ()
    return [cut(chance, shape, operation, moment, crashes) for operation, moment in made], crashes


def cut(chance, shape, operation, moment, crashes):
    for crash in crashes:
        if operation.called < crash < operation.returned:
            operation.is_known = False
            late = not shape.forgets_at_crash and chance.random() < 0.3
            operation.returned = crash if shape.forgets_at_crash else NEVER
            return operation, moment + chance.randrange(CRASH_EACH) if late else moment if moment < crash else None
    return operation, moment


def make_history(chance, shape, fault=None, rate=0.1):
    """In the order of the calls. `rate` is the share of the operations that the fault may hit."""
    made, crashes = calls(chance, shape)
    effects = sorted((each for each in made if each[1] is not None), key=lambda each: each[1])
    state, past, crashed = None, [None], 0
    for operation, moment in effects:
        while crashed < len(crashes) and crashes[crashed] <= moment:
            crashed += 1
            if fault == "undone by the crash" and len(past) > 1 and chance.random() < 0.5:
                state = chance.choice(past[:-1])
        hit = chance.random() < rate
        if operation.kind == "replace":
            operation.expected = state if chance.random() < 0.5 and state is not None else chance.choice(past) or -1
        after = answer(operation, state)
        if hit and fault:
            after = spoil(chance, operation, fault, state, after, past, made)
        if after != state:
            state = after
            past.append(state)
    return sorted((operation for operation, _ in made), key=lambda each: each.called)


def answer(operation, state):
    """Gives the operation the result that it has in this state; the state behind it."""
    if operation.kind == "get":
        operation.result = state
    elif operation.kind == "create":
        operation.result = state is None
    elif operation.kind == "replace":
        operation.result = state == operation.expected
    return step(state, operation)


def spoil(chance, operation, fault, state, after, past, made):
    """The state behind an operation that the fault hits."""
    kind = operation.kind
    if kind == "get" and fault == "stale read":
        operation.result = chance.choice(past)
    elif kind == "get" and fault == "read of the future":
        operation.result = chance.choice([each.value for each, _ in made])
    elif kind != "get" and fault == "lost write":
        return state
    elif kind == "create" and fault == "two creators":
        operation.result = True
        return operation.value
    elif fault == "any answer":
        if kind == "get":
            operation.result = chance.choice([each.value for each, _ in made])
        elif kind in ("create", "replace"):
            operation.result = not operation.result
    return after
