"""Bounds written into a thresholds file: comments, order and everything that was not asked for stay as they are, or nothing is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.gates.toml_lines import tomllib
from pytest_clip.gates.toml_text import header, quoted

if TYPE_CHECKING:
    from pytest_clip.gates.update import Change

NEW_FILE = "# Rules of this project; each key replaces the same key of the shipped defaults (docs/gates.md).\nschema = 1\n"
SIGNED = "; by --clip-update"
"""How a `why` ends that may be replaced; what a person wrote is kept."""

_MOVED = re.compile(r"; (?:min|max) was [^;]*" + re.escape(SIGNED) + "$")
_MARK = "\ufeff"


def edited(text: str | None, changes: Sequence[Change]) -> str:
    """The text of the file (None: there is none yet) with ``changes`` in it.

    Raises ``ClipError`` when the outcome would say anything else than before plus the changes, for example because ``[gates]`` is written
    as an inline table.
    """
    import tomlkit

    before = NEW_FILE if text is None else text
    mark, body = (_MARK, before[1:]) if before.startswith(_MARK) else ("", before)
    windows = body.count("\r\n") > body.count("\n") / 2
    body = body.replace("\r\n", "\n") if windows else body
    wanted = tomllib.loads(body)
    document, appended = tomlkit.parse(body), []
    for path, group in _by_table(changes).items():
        there = _table(wanted, path)
        why = _why(None if there is None else there.get("why"), group)
        values: dict[str, Any] = {change.key: change.new for change in group} | {"why": why}
        if there is None:
            appended.append(_new_table(path, values))
        else:
            _set(document, path, values)
        _put(wanted, path, values)
    after = tomlkit.dumps(document)
    if appended:
        after = "\n\n".join([after.rstrip("\n"), *appended]) + "\n"
    if _parsed(after) != wanted:
        raise ClipError("it is written in a way that cannot be edited safely (inline or dotted tables); make the changes by hand")
    return mark + (after.replace("\n", "\r\n") if windows else after)


def _by_table(changes: Iterable[Change]) -> dict[tuple[str, ...], list[Change]]:
    groups: dict[tuple[str, ...], list[Change]] = {}
    for change in changes:
        groups.setdefault(change.place.path, []).append(change)
    return groups


def _why(old: str | None, group: Sequence[Change]) -> str:
    """What the numbers rest on now. A sentence that a person wrote stays in front, with what stood there before."""
    basis = f"{group[0].basis}{SIGNED}"
    if old is None or (old.startswith("measured ") and old.endswith(SIGNED)):
        return basis
    was = " and ".join(f"{change.key} was {change.old!r}" for change in group)
    return f"{_MOVED.sub('', old)}; {was}: {basis}" if was else basis


def _new_table(path: Sequence[str], values: Mapping[str, Any]) -> str:
    lines = [f"{key} = {quoted(value) if isinstance(value, str) else repr(value)}" for key, value in values.items()]
    return "\n".join([header(path), *lines])


def _set(document: Any, path: Sequence[str], values: Mapping[str, Any]) -> None:
    import tomlkit

    table = document
    for key in path:
        table = table[key]
    last = next((key for key in reversed(list(table)) if key in ("min", "max", "max_drop", "drop_test", "min_n", "severity")), None)
    for key, value in values.items():
        if key in table or last is None or not isinstance(table, tomlkit.items.Table):
            table[key] = value
        else:  # appended, it would stand behind comments that belong to the next table
            table.value._insert_after(last, key, tomlkit.item(value))
            last = key


def _table(content: Mapping[str, Any], path: Sequence[str]) -> Mapping[str, Any] | None:
    for key in path:
        if key not in content:
            return None
        content = content[key]
    return content


def _put(content: dict[str, Any], path: Sequence[str], values: Mapping[str, Any]) -> None:
    for key in path:
        content = content.setdefault(key, {})
    content.update(deepcopy(dict(values)))


def _parsed(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
