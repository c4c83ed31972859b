"""What somebody who edits a file can do to it: seeded changes of JSON documents, of TOML texts and of bytes."""

from __future__ import annotations

import copy
from random import Random
from typing import Any

LINE = 'x"]\n[gates."accuracy/top1"]\nmin = 0.0\n#'
VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 7, 10**6, 10**18, 10**400, -(10**30), 0.0, -0.0, 0.5, 1.5, -3.0, 1e308, 1e-320, float("nan"),
    float("inf"), "", " ", "x", "0.5", "clean", "mean", "ece", "accuracy/top1[clean]", LINE, "\x1b[2J", "\u202eabc", "a\0b", "é" * 500,
    "\ud800", "../../etc", [], [0], [1, 2], ["x"], [None, None], [[[]]], {}, {"x": 1}, {"bins": 0}, {"k": -1}, {"": None},
)  # fmt: skip


def document(random: Random, thing: Any, *, changes: int | None = None) -> Any:
    """`thing` with one to three of its nodes changed, lost, doubled or renamed."""
    thing = copy.deepcopy(thing)
    for _ in range(changes or random.randint(1, 3)):
        holder, key = random.choice(list(_nodes(thing)))
        what = random.random()
        if what < 0.6:
            holder[key] = copy.deepcopy(random.choice(VALUES))
        elif what < 0.75:
            del holder[key]
        elif isinstance(holder, dict):
            holder[str(random.choice([*VALUES[20:28], "value", "ids", *holder]))] = holder[key]
        else:
            holder.insert(0, copy.deepcopy(holder[key]))
    return thing


def _nodes(thing: Any) -> Any:
    for key in list(thing) if isinstance(thing, dict) else range(len(thing)):
        yield thing, key
        if isinstance(thing[key], dict | list):
            yield from _nodes(thing[key])


def content(random: Random, whole: bytes) -> bytes:
    """Bytes flipped, cut, doubled or put in."""
    out = bytearray(whole)
    for _ in range(random.randint(1, 4)):
        at, what = random.randrange(len(out) + 1), random.random()
        if what < 0.5 and at < len(out):
            out[at] ^= 1 << random.randrange(8)
        elif what < 0.7:
            del out[at : at + random.choice((1, 4, 100))]
        elif what < 0.9:
            out[at:at] = random.choice((b"\0", b"\xff\xfe", b"\n", out[at : at + 30], b'"', b"[", b"= 1e400\n"))
        else:
            out = out[:at]
    return bytes(out)
