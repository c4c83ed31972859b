"""What a test can show behind the number of a gate, as values: pictures, words, and what belongs together.

`gate(..., shows=lambda wanted: Counterexamples(...))`: the callable is asked only where a report that shows pictures is wanted, so it may
make them then, and a run without such a report pays nothing. What it gives changes no number and no verdict. Light: nothing is imported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class Wanted:
    """What may be shown of a gate: `most` images (`--clip-evidence`), 1 or more; `green`: nobody has to look into its verdict."""

    most: int
    green: bool


@dataclass(frozen=True)
class Picture:
    """What is shown small: a PIL image, or uint8 [3, h, w] or [h, w, 3], an array or a tensor; at most `side` pixels of it a side."""

    pixels: Any
    side: int = 160


@dataclass(frozen=True)
class Seen:
    """An image, a text, or both."""

    id: str = ""
    text: str = ""
    picture: Picture | None = None


@dataclass(frozen=True)
class Answered:
    """An image and what the model said of it; `confidence` 0 to 1."""

    id: str
    truth: str
    answer: str
    confidence: float | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class Mistakes:
    """Images that were answered wrongly, the worst first."""

    kind: ClassVar[str] = "mistakes"
    images: Sequence[Answered]


@dataclass(frozen=True)
class Step:
    """An image at a severity, 0 = without corruption, and what the model said of it."""

    severity: int
    answer: str
    right: bool
    confidence: float | None = None
    picture: Picture | None = None


@dataclass(frozen=True)
class Example:
    """One image under one corruption, severity by severity."""

    kind: ClassVar[str] = "example"
    id: str
    truth: str
    steps: Sequence[Step]


@dataclass(frozen=True)
class Query:
    """What was `asked`, what was `found` in place of the `wanted`, the first one first, and at which `rank` of `of` that came."""

    asked: Seen
    found: Sequence[Seen]
    wanted: Seen
    rank: int
    of: int


@dataclass(frozen=True)
class Queries:
    kind: ClassVar[str] = "queries"
    queries: Sequence[Query]


@dataclass(frozen=True)
class Counterexample:
    """An image whose answer changed; `after` is None where the picture is the same."""

    id: str
    was: str
    now: str
    truth: str = ""
    before: Picture | None = None
    after: Picture | None = None


@dataclass(frozen=True)
class Counterexamples:
    """Some of the `changed` of `of` images of which something holds that should not, in words that follow the numbers: `what`."""

    kind: ClassVar[str] = "counterexamples"
    what: str
    changed: int
    of: int
    images: Sequence[Counterexample]


@dataclass(frozen=True)
class Match:
    """A place of the first picture and what was taken for it in the second, in shares of the pictures' sides from the upper left corner.

    `true`: where it is in the second.
    """

    first: tuple[float, float]
    second: tuple[float, float]
    right: bool
    true: tuple[float, float]


@dataclass(frozen=True)
class Pair:
    """Two square pictures and some of the `of` matches between them, of which the share `value` is right."""

    id: str
    value: float
    of: int
    matches: Sequence[Match]
    first: Picture | None = None
    second: Picture | None = None


@dataclass(frozen=True)
class Pairs:
    kind: ClassVar[str] = "pairs"
    pairs: Sequence[Pair]


Shown = Mistakes | Example | Queries | Counterexamples | Pairs
Shows = Callable[[Wanted], Shown | Sequence[Shown] | None]
