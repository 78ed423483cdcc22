"""Whether a history of one key is linearizable: whether each operation can be given one moment between its call and its return
so that a register that does them in the order of these moments gives the same answers.

The search goes forward through the events of the history and holds every state in which the register may be, each with the
open operations that have been done to reach it. An operation is done when it is needed, at the latest at its return; where
none of the states is left, no order explains what was seen, and the event at which that happens is the one to look at. This
is the just-in-time search of G. Lowe, "Testing for linearizability" (2017), which decides the same as the search of Wing and
Gong that porcupine has; porcupine/main.go and cross_check.py hold the two against each other. (Porcupine itself would bring Go to
every machine that runs the suite, 80 MB and more, for what are a hundred lines here.)

Written values are numbers that no other write of the history has; None is the key without a value.
"""

import collections
import dataclasses
import math

NEVER = math.inf  # the return of an operation that may still take effect when the history ends
REFUSED = object()
# Behind one return. Eight clients that all write one key come to a few thousand; what is beyond this takes seconds a call.
STATES_MAX = 200_000


@dataclasses.dataclass(slots=True, eq=False)
class Operation:
    """One call of a client.

    get      `result` is the number that was read
    put      of `value`
    delete
    create   of `value` if there is none; `result` says whether it was done
    replace  of `value` if `expected` is there; `result` says whether it was done

    `is_known` is False when no answer came. Such an operation takes effect once before `returned`, or never.
    """

    client: int
    kind: str
    value: int | None = None
    expected: int | None = None
    called: int = 0
    returned: float = NEVER
    result: int | bool | None = None
    is_known: bool = True
    note: str = ""  # for people


def step(state, operation):
    """The state behind the operation, or REFUSED if it cannot have gone that way."""
    kind = operation.kind
    if kind == "get":
        return state if not operation.is_known or state == operation.result else REFUSED
    if kind == "put":
        return operation.value
    if kind == "delete":
        return None
    holds = state is None if kind == "create" else state == operation.expected
    if operation.is_known and holds != operation.result:
        return REFUSED
    return operation.value if holds else state


def leaves_the_state(operation):
    return operation.kind == "get" or (operation.is_known and operation.result is False)


@dataclasses.dataclass
class Violation:
    """`operation` can be done in none of the states that the rest allows. `window` are the operations that matter, from the
    last moment at which there was only one state, `before`."""

    operation: Operation
    window: list
    before: int | None


class States:
    """What the register may hold, each with the bits of the open operations that are done. Of two that differ only by
    operations that need not take effect, the one in which fewer did stands for both: it may go every way of the other."""

    def __init__(self, optional):
        self.optional = optional  # bits
        self.least = {}  # (held, bits of the others): bits of the optional ones, none of them a part of another

    def add(self, held, done):
        """False: one that is here stands for it."""
        extra = done & self.optional
        least = self.least.setdefault((held, done & ~self.optional), [])
        if any(not one & ~extra for one in least):
            return False
        least[:] = [one for one in least if extra & ~one]
        least.append(extra)
        return True

    def __iter__(self):
        return ((held, done | extra) for (held, done), least in self.least.items() for extra in least)


class Search:
    def __init__(self, initial):
        self.states = [(initial, 0)]
        self.open = {}  # bit: operation
        self.free = []  # bits
        self.optional = 0  # bits of the open ones that need not take effect

    def call(self, operation):
        bit = self.free.pop() if self.free else 1 << len(self.open)
        self.open[bit] = operation
        if not operation.is_known:
            self.optional |= bit
        return bit

    def ways_on(self, held, done):
        """The states behind one more of the open operations."""
        for bit, operation in self.open.items():
            if done & bit:
                continue
            after = step(held, operation)
            if after is REFUSED:
                continue
            yield after, done | bit
            if leaves_the_state(operation):
                return  # what changes nothing is best done at once: the other ways lead on from there too

    def done_by(self, bit):
        """The states behind every way of doing the operation and others that are open."""
        seen, found, count = States(self.optional), [], 0
        pending = collections.deque(state for state in self.states if seen.add(*state))
        while pending:
            held, done = pending.popleft()  # the shortest ways first
            if done & bit:
                found.append((held, done ^ bit))
                continue
            for state in self.ways_on(held, done):
                if seen.add(*state):
                    pending.append(state)
            count += 1
            if count > STATES_MAX:
                raise OverflowError(f"more than {STATES_MAX} states: too many calls are open at once")
        return found

    def end(self, bit):
        """The return of an operation. False: it cannot be."""
        after = self.done_by(bit)
        if self.optional & bit:
            after += [state for state in self.states if not state[1] & bit]  # it never took effect
            self.optional ^= bit
        if not after:
            return False
        states = States(self.optional)
        for state in after:
            states.add(*state)
        self.states = list(states)
        del self.open[bit]
        self.free.append(bit)
        return True


def events_of(operations):
    """(time, is a return, operation): of one moment the calls are first, since the operations overlap."""
    events = []
    for operation in operations:
        if operation.kind == "get" and not operation.is_known:
            continue
        events.append((operation.called, False, operation))
        if operation.returned != NEVER:
            events.append((operation.returned, True, operation))
    events.sort(key=lambda event: event[:2])
    return events


def check(operations, initial=None):
    """Of one key. None: linearizable."""
    search, bits = Search(initial), {}
    events = events_of(operations)
    anchor, before, already = 0, initial, []
    for index, (_, is_return, operation) in enumerate(events):
        if not is_return:
            bits[id(operation)] = search.call(operation)
            continue
        if not search.end(bits[id(operation)]):
            called = [each for _, ends, each in events[anchor:index] if not ends]
            return Violation(operation, already + called, before)
        if len(search.states) == 1:
            before, done = search.states[0]
            anchor, already = index + 1, [each for bit, each in search.open.items() if not done & bit]
    return None


def units_of(operations):
    """Sets of operations without which what is left still has to be linearizable if the whole is: what changes nothing, and,
    where no write depends on the state, each value with everything that wrote or read it."""
    yield from ([each] for each in operations if leaves_the_state(each))
    if any(each.kind in ("create", "replace") for each in operations):
        return
    by_value = {}
    for each in operations:
        by_value.setdefault(each.result if each.kind == "get" else each.value, []).append(each)
    yield from by_value.values()


def minimal(violation):
    """The operations of the window without those that are not needed to see the contradiction."""
    kept, before, count = violation.window, violation.before, math.inf
    while len(kept) < count:
        count = len(kept)
        for unit in sorted(units_of(kept), key=len, reverse=True):
            leave = {id(each) for each in unit}
            rest = [each for each in kept if id(each) not in leave]
            if check(rest, before):
                kept = rest
    return sorted(kept, key=lambda each: each.called)
