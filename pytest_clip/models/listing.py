"""The rows of `pytest-clip models`, without importing torch or open_clip."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from pytest_clip import ClipError
from pytest_clip.models import bundled, derived, factors, registry
from pytest_clip.models.factors import Factors
from pytest_clip.models.photo import PHOTO, missing
from pytest_clip.models.tags import DEFAULT_TAGS

_SCORES = ("top1_clean", "top1_typical", "ece_clean", "auroc_near_mcm")
_CONDITION = re.compile(r"\s*([A-Za-z0-9_-]+)\s*(>=|<=|=)\s*(.+?)\s*", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """One model that can be written after --clip-model: `name` and, of open_clip's, the tag behind a comma.

    `default`: its name alone loads this tag. `pretrained` is None for an architecture without published weights.
    """

    name: str
    kind: str
    pretrained: str | None
    what: str = ""
    default: bool = False
    factors: Factors = field(default_factory=Factors)

    @property
    def text(self) -> str:
        """What to write."""
        return f"{self.name},{self.pretrained}" if self.kind == "open_clip" and self.pretrained else self.name


def shipped() -> list[Row]:
    """The bundled models, with their scores, then those trained on photographs."""
    rows = []
    for name in bundled.names():
        scores = bundled.record(name).get("metrics", {})
        told = ", ".join(f"{each} {scores[each]:.3f}" for each in _SCORES if each in scores)
        rows.append(Row(name, "bundled", "bundled", told, True, derived.of_bundled(name)))
    for name, each in PHOTO.items():
        what = missing(name) or f"trained on photographs: {each.what}"
        rows.append(Row(name, "photo", each.package, what, True, derived.of_photo()))
    return rows


def published() -> list[Row]:
    """open_clip's architectures with each of their tags; those without one last. Names with -quickgelu are left out where the plain name
    has the same tag: the tag decides the activation."""
    known = registry.published()
    rows, bare = [], []
    for name in architectures():
        plain = known.get(name.removesuffix(registry.QUICK), {}) if name.endswith(registry.QUICK) else {}
        tags = [tag for tag in known.get(name, {}) if tag not in plain]
        rows += [Row(name, "open_clip", tag, "", DEFAULT_TAGS.get(name) == tag, derived.of_published(name, tag)) for tag in tags]
        if not known.get(name):
            bare.append(Row(name, "open_clip", None, "", False, derived.of_published(name, None)))
    return rows + bare


def chosen(rows: Iterable[Row], conditions: Sequence[str]) -> list[Row]:
    """The rows that fulfil every condition: `KEY=VALUE` (with * for any letters in names), `KEY>=NUMBER`, `KEY<=NUMBER`.

    A factor that is unknown fulfils `KEY=unknown` alone. ClipError for what is no condition.
    """
    checks = [_condition(each) for each in conditions]
    return [row for row in rows if all(_holds(getattr(row.factors, key), sign, value) for key, sign, value in checks)]


def _condition(text: str) -> tuple[str, str, factors.Value]:
    found = _CONDITION.fullmatch(text)
    if found is None:
        raise ClipError(f"--factor={text[:100]!r} is no condition; write KEY=VALUE, KEY>=NUMBER or KEY<=NUMBER, such as loss=sigmoid")
    key, sign, value = found.groups()
    numeric = key in factors.COUNTS or key == "gflops"
    try:
        if not numeric and sign == "=" and key in factors.KEYS:
            return key, sign, None if value == factors.UNKNOWN else value.lower()  # may hold *
        known = factors.check(key, value)
    except ClipError as error:
        raise ClipError(f"--factor={text[:100]!r}: {error}") from None
    if sign != "=" and (not numeric or known is None):
        raise ClipError(f"--factor={text[:100]!r}: {key} is compared with a number{'' if numeric else ', and is a name; write ='}")
    return key, sign, known


def _holds(have: factors.Value, sign: str, wanted: factors.Value) -> bool:
    if have is None or wanted is None:
        return have is wanted
    if isinstance(have, str) or isinstance(wanted, str):
        return fnmatchcase(str(have), str(wanted))
    return have >= wanted if sign == ">=" else have <= wanted if sign == "<=" else have == wanted


def architectures() -> list[str]:
    """open_clip's architectures, from the files that define them."""
    return sorted((file.stem for folder in registry.folders() for file in (folder / "model_configs").glob("*.json")), key=_natural)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name.lower())]
