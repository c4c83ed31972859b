"""Prompt sets: the templates that turn a class name into text, by name or from a file. Light: OpenAI's come from open_clip when needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from .. import ClipError
from .layouts.found import is_there, shown
from .scenes import vocabulary

SINGLE = ("a photo of a {c}.",)
PARAPHRASES = (*vocabulary.TEMPLATES, "{c}")
"""Ways to say the same, down to the bare class name."""
FORMATS = (
    "a photo of a {c}", "a photo of a {c}.", "a photo of a {c},", "A photo of a {c}.", "A PHOTO OF A {C}", "a photo of {an} {c}",
    "a photo of the {c}", "a photo of {c}",
)  # fmt: skip
"""One sentence in other punctuation, casing and articles."""
NAMES = ("single", "simple", "openai", "openai-1", "openai-5", "openai-30", "paraphrases")
"""What --clip-prompts knows by name. `openai-K` are the first K of OpenAI's 80 ImageNet templates: nobody has published which 5 or 30 the
studies took."""

OPENAI = 80
"""Templates that OpenAI published for ImageNet."""

_SLOT = re.compile(r"(\{c\}|\{C\}|\{an\})")
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")


@dataclass(frozen=True)
class PromptSet:
    """Templates with {c} for the class name, {C} for it in capitals and {an} for the article that suits it, under a name for reports."""

    text: str
    """what --clip-prompts was: a name or a file"""
    given: tuple[str, ...] | None = None
    """the templates of the file; None: those that open_clip or this module has under the name"""

    @property
    def name(self) -> str:
        """For reports: the name, or the file's without its folder."""
        return Path(self.text).name

    @cached_property
    def templates(self) -> tuple[str, ...]:
        """At least one."""
        return _known(self.text) if self.given is None else self.given

    @property
    def count(self) -> int:
        """How many templates, without loading open_clip."""
        if self.given is not None:
            return len(self.given)
        counts = {"single": len(SINGLE), "simple": 7, "openai": OPENAI, "paraphrases": len(PARAPHRASES)}
        return counts.get(self.text) or int(self.text.removeprefix("openai-"))


def fill(template: str, name: str) -> str:
    """The text that asks for class `name`."""
    words = {"{c}": name, "{C}": name.upper(), "{an}": "an" if name[:1].lower() in "aeiou" else "a"}
    return "".join([words.get(part, part) for part in _parts(template)])


@lru_cache(maxsize=1024)
def _parts(template: str) -> list[str]:
    """A template, cut before and after each slot."""
    return _SLOT.split(template)


def family(name: str) -> Mapping[str, tuple[str, ...]]:
    """Prompt sets to be compared with each other, by name, each a tuple of templates.

    `templates`: more and fewer of them; `paraphrases`: one sentence each; `formats`: one sentence in other punctuation, casing, articles.
    """
    if name == "templates":
        return {each: _known(each) for each in NAMES if each != "paraphrases"}
    return {each: (each,) for each in {"paraphrases": PARAPHRASES, "formats": FORMATS}[name]}


def find(text: str, *, base: Path) -> PromptSet:
    """The prompt set that NAME-or-FILE means, a file relative to `base`; ClipError for neither, and for what is wrong in the file."""
    if text in NAMES:
        return PromptSet(text)
    try:
        path = base / os.path.expanduser(text)  # noqa: PTH111 - Path's raises for a user that there is not
    except ValueError:  # a zero byte, half a surrogate
        path = base / text
    if not is_there(path):
        close = get_close_matches(text, NAMES, n=1)
        meant = f"; did you mean {close[0]!r}?" if close else f"; there is {', '.join(NAMES)}, or write one template a line into a file"
        raise ClipError(f"{shown(text)[:200]!r} is no prompt set and no file{meant}")
    return PromptSet(text, read(path, shown=text))


def read(path: Path, *, shown: str) -> tuple[str, ...]:
    """One template a line with {c} or {}; empty lines and lines that begin with # are passed over.

    ClipError lists all that is wrong, `shown` being the file's name in it.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"{shown}: cannot be read as UTF-8 text ({error}); write one template a line") from None
    found: dict[str, int] = {}
    wrong = []
    for number, line in enumerate(lines, 1):
        template = line.strip().replace("{}", "{c}")
        if not template or template.startswith("#"):
            continue
        if problem := _problem(template, found):
            wrong.append(f"{shown}:{number}: {problem}")
        found.setdefault(template, number)
    if not found:
        wrong.append(f"{shown}: holds no template; write one a line, such as 'a photo of a {{c}}'")
    if wrong:
        raise ClipError("\n".join(wrong))
    return tuple(found)


def _problem(template: str, before: Mapping[str, int]) -> str | None:
    odd = [brace for brace in _BRACES.findall(template) if not _SLOT.fullmatch(brace)]
    if odd:
        return f"{odd[0]!r} means nothing; write {{c}} or {{}} for the class name, {{C}} for it in capitals, {{an}} for its article"
    if not re.search(r"\{c\}|\{C\}", template):
        return f"no {{c}} in {template!r}; every class would be the same text"
    if " #" in template:
        return "a comment needs a line of its own; the model would read it"
    if template in before:
        return f"the template of line {before[template]} again"
    return None


def _known(name: str) -> tuple[str, ...]:
    if name == "single":
        return SINGLE
    if name == "paraphrases":
        return PARAPHRASES
    words = published()
    if name == "simple":
        return tuple(template("{c}") for template in words.SIMPLE_IMAGENET_TEMPLATES)
    first = name.removeprefix("openai").removeprefix("-")
    return tuple(template("{c}") for template in words.OPENAI_IMAGENET_TEMPLATES[: int(first) if first else None])


@lru_cache(maxsize=1)
def published() -> ModuleType:
    """open_clip's module of names and templates, read by itself: open_clip as a whole imports torch, which a list of texts need not."""
    package = find_spec("open_clip")
    path = None if package is None or package.origin is None else Path(package.origin).parent / "zero_shot_metadata.py"
    spec = None if path is None or not path.is_file() else spec_from_file_location("pytest_clip_published_words", path)
    if spec is None or spec.loader is None:
        import open_clip

        return open_clip  # type: ignore[no-any-return]
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
