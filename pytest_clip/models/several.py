"""The models that what a user wrote after --clip-model stands for: one, several, or one that only the project's hook may know."""

from __future__ import annotations

from pytest_clip import ClipError
from pytest_clip.models import alphas, trainer
from pytest_clip.models.spec import ModelSpec, must_be_a_name, parse


def specs(text: str, *, pretrained: str | None = None) -> tuple[ModelSpec, ...]:
    """`wise:A::B::0:1:0.1` is eleven, `run:DIR,all` one for each epoch.

    What is not written as pytest-clip wants it is kept with what is wrong with it: the project's hook is asked before any name is refused.
    ClipError only for what no file system takes.
    """
    must_be_a_name("--clip-model", text)
    must_be_a_name("--clip-pretrained", pretrained or "")
    try:
        return tuple(parse(each, pretrained=pretrained) for one in trainer.expand(text) for each in alphas.expand(one))
    except ClipError as error:
        text = text.strip()
        return (ModelSpec(text if pretrained is None else f"{text},{pretrained.strip()}", "unknown", text, problem=str(error)),)
