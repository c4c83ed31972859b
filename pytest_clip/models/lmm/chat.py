"""From a picture, a question and its options to tokens, as the model's own chat template and tokenizer have them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError
from pytest_clip.models.lmm.names import PLAIN
from pytest_clip.models.raised import raised

if TYPE_CHECKING:
    from collections.abc import Sequence

    import PIL.Image
    import torch

TAIL = 40
"""Characters of a prompt that are tokenised again with each option: no token reaches further back."""


@dataclass(frozen=True, eq=False)
class Asked:
    """One question about one picture, ready for the model."""

    words: dict[str, torch.Tensor]
    """int64 [L]: `input_ids` with a place for every token of the picture, and what else the processor says of each token"""
    sight: dict[str, torch.Tensor]
    """what the image tower reads, the first dimension counts pictures, tiles or patches"""
    head: str
    """the prompt as text, up to where the answer begins"""

    def __len__(self) -> int:
        return int(self.words["input_ids"].shape[0])


ANSWER = {"paligemma": {"token_type_ids": 1}}
"""What tokens of the answer are marked with, by type of the model, where it is not 0: PaliGemma reads what is marked 0 both ways."""


class Chat:
    """Asks through a `processor` of transformers that has a chat template, or belongs to a `kind` of model that is asked without one."""

    def __init__(self, processor: Any, *, where: str, kind: str = "") -> None:
        self._processor, self._where = processor, where
        self.tokenizer = processor.tokenizer
        self.marks = ANSWER.get(kind, {})
        self._plain = PLAIN.get(kind) if getattr(processor, "chat_template", None) is None else None
        self._options: dict[tuple[str, str], tuple[int, ...]] = {}

    def ask(self, image: PIL.Image.Image, prompt: str) -> Asked:
        """The user's turn with one picture and then the question, and the beginning of the answer; ClipError where the processor fails."""
        try:
            made, head = self._turn(image, prompt) if self._plain is None else self._untemplated(image, prompt, self._plain)
        except Exception as error:  # templates, tokenizers and image processors each raise their own
            raise ClipError(
                f"{self._where}: its processor cannot put a picture into its chat template ({raised(error)}); copy "
                "processor and chat template of the model it was trained from"
            ) from error
        ids = made["input_ids"]
        words = {key: value[0] for key, value in made.items() if getattr(value, "shape", None) == ids.shape and key != "labels"}
        sight = {key: value for key, value in made.items() if key not in {*words, "labels"} and hasattr(value, "shape")}
        if not sight:
            raise ClipError(f"{self._where}: its processor leaves the picture out; copy the processor of the model it was trained from")
        return Asked(words, sight, head)

    def _turn(self, image: PIL.Image.Image, prompt: str) -> tuple[Any, str]:
        said = {"type": "text", "text": prompt}
        made = self._processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image", "image": image}, said]}],
            add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt",
        )  # fmt: skip
        head = self._processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "image"}, said]}], add_generation_prompt=True, tokenize=False
        )
        return made, head

    def _untemplated(self, image: PIL.Image.Image, prompt: str, form: str) -> tuple[Any, str]:
        """The processor of such a model ends the prompt with a line break of its own."""
        with warnings.catch_warnings():  # PaliGemma's makes labels for training, by a way that numpy warns of
            warnings.simplefilter("ignore", DeprecationWarning)
            return self._processor(images=image, text=form.format(question=prompt), return_tensors="pt"), f"{prompt}\n"

    def option(self, head: str, option: str) -> tuple[int, ...]:
        """The tokens that `option` adds to the prompt `head`, a space before it where the prompt ends in none.

        As tokens of the whole where these begin with those of the prompt, else as tokens of their own.
        """
        tail, after = head[-TAIL:], option if head[-1:].isspace() else f" {option}"
        if (tail, option) not in self._options:
            before, whole = self._tokens(tail), self._tokens(tail + after)
            found = whole[len(before) :] if whole[: len(before)] == before else self._tokens(after)
            if not found:
                raise ClipError(f"{self._where}: its tokenizer makes no token of the option {option!r}; give it another name")
            self._options[tail, option] = tuple(found)
        return self._options[tail, option]

    def _tokens(self, text: str) -> list[int]:
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def told(self, ids: Sequence[int]) -> str:
        """The text of generated tokens, without special ones."""
        return str(self.tokenizer.decode(ids, skip_special_tokens=True)).strip()
