"""Is the data what it should be? `quick` looks at names and is part of every run; `examine` also reads and decodes every image."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import ClipError
from . import catalog, content, depthmaps, findings, layouts, lengths
from .bits import stored_as
from .ends import unopened
from .findings import NAMED, SHOWN, TURNED, Seen
from .layouts.found import EMBEDDED, RENAMED, Problem, is_folder, own_name, subfolders

if TYPE_CHECKING:
    from .dataset import Data
    from .imageset import ImageSet


RESERVED = (
    f"the name {EMBEDDED} is that of the embedded benchmark, for which rules are shipped; this data set is called {RENAMED}, in rules too: "
    f"[data.{RENAMED}.gates...]"
)


@dataclass(frozen=True)
class Examined:
    """What was found in one data set."""

    name: str
    sets: int
    images: int
    """looked at; each picture once, however many slices show it"""
    problems: tuple[Problem, ...]

    @property
    def well(self) -> bool:
        """Whether a run can go ahead."""
        return not any(each.level == "refuse" for each in self.problems)


def quick(text: str) -> list[Problem]:
    """What names and counts tell about the data that --clip-data=`text` names (one data set). Nothing is opened."""
    if text == EMBEDDED:
        there = is_folder(Path(text)) and len(subfolders(Path(text))) > 1
        meant = f"the embedded benchmark is measured; the folder {text} here is another: --clip-data=./{text}"
        return [Problem("warn", meant)] if there else []
    try:
        found = catalog.one(text)
    except ClipError as error:
        return [Problem("refuse", str(error))]
    name = found.name if found is not None else own_name(Path(text))
    said = [Problem("warn", RESERVED)] if name == RENAMED else []
    if found is not None:
        return [*said, *layouts.problems(found)]
    from . import folder

    return [*said, *folder.problems(text)]


def examine(text: str, *, max_unreadable: int = 0, threads: int = 4, advance: Callable[[int, int], None] = lambda i, n: None) -> Examined:
    """`quick`, and every image of every set decoded: unreadable, twice, resized before, turned. `advance(done, total)` hears of it."""
    problems = quick(text)
    name = text if text == EMBEDDED else own_name(layouts.split(text)[0])
    if any(each.level == "refuse" for each in problems) or text == "scenes":
        return Examined(name, 0, 0, tuple(problems))
    from .dataset import load

    data = load(text)
    sets = [images for each in data.sets if (images := data.images(each.name)).within is None]
    total = sum(len(images.files or images.ids) for images in sets)
    seen: list[Seen] = []
    with ThreadPoolExecutor(threads) as pool:
        for images in sets:
            for one in pool.map(lambda row, of=images: _look(of, row), range(len(images.files or images.ids))):
                seen.append(one)
                advance(len(seen), total)
    texts = [*lengths.of_classes(data), *(each for images in sets for each in lengths.of_captions(images))]
    maps = [Problem("refuse", depthmaps.told(images, wrong)) for images in sets if images.depth and (wrong := depthmaps.look(images))]
    if maps:  # the missing ones, too
        problems = [each for each in problems if depthmaps.LACK not in each.what]
    told = [*problems, *maps, *texts, *findings.unreadable(seen, max_unreadable), *findings.of_pictures(seen)]
    return Examined(data.name, len(sets), len(seen), tuple(told))


def of_content(data: Data) -> list[Problem]:
    """What a run says about the pictures and texts that it looked at before: some left out, some there twice, some cut.

    ClipError for classes of one text.
    """
    if data.text == "scenes":
        return []
    texts = lengths.of_classes(data)
    if wrong := [each.what for each in texts if each.level == "refuse"]:
        raise ClipError(f"{data.name}: {wrong[0]}")
    said = [
        Problem("warn", f"{len(wrong)} images of {name} cannot be read and are left out: {_some(wrong)}")
        for name, wrong in data.left_out.items()
        if name in data.looked
    ]
    seen = [
        Seen(images.where(row), images.name, images.role, _label(images, row), digest, deep=look.deep.get(row, ""))
        for images, look in data.looked.values()
        for row, digest in enumerate(look.digests)
        if row not in look.wrong
    ]
    texts += [each for name in data.fingerprints for each in lengths.of_captions(data.images(name))]
    return [*said, *texts, *findings.twice(seen, named=SHOWN, source=data.text), *findings.deep(seen)]


def _some(sentences: Sequence[str]) -> str:
    places = [each.partition(": not a readable image")[0] for each in sentences[:NAMED]]
    return ", ".join(places) + (f" and {len(sentences) - NAMED} more" if len(sentences) > NAMED else "")


def _label(images: ImageSet, row: int) -> str:
    label = int(images.labels[row]) if row < len(images.labels) else -1
    return images.classes[label] if 0 <= label < len(images.classes) else ""


def _look(images: ImageSet, row: int) -> Seen:
    from .pictures import decode

    name, where = _label(images, row), images.where(row)
    try:
        if images.read is not None:
            data: bytes | Path = images.read(row)
        else:
            data = images.files[row] if images.files is not None else Path(where)
            _openable(data)
        picture = decode(data, where=where)
    except ClipError as error:
        return Seen(where, images.name, images.role, name, wrong=str(error))
    turned = picture.getexif().get(TURNED, 1) not in (0, 1)
    digest = hashlib.sha256(data).hexdigest() if isinstance(data, bytes) else content.sha256([data])[0]
    return Seen(where, images.name, images.role, name, digest, picture.size, turned, deep=stored_as(picture))


def _openable(path: Path) -> None:
    try:
        path.open("rb").close()
    except OSError as error:
        raise ClipError(unopened(path, error)) from None
