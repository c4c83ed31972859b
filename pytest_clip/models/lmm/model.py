"""An image-text-to-text model of transformers, ready to be asked."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from pytest_clip import ClipError
from pytest_clip.models.lmm.features import digest
from pytest_clip.models.lmm.passes import Passes, Side, shape_of
from pytest_clip.models.lmm.protocol import OptionScores

if TYPE_CHECKING:
    import PIL.Image

    from pytest_clip.models.lmm.chat import Asked, Chat
    from pytest_clip.models.lmm.protocol import Lmm

    def _conforms(model: HfLmm) -> Lmm:
        return model


WIDER = 4
"""Rows of options in a pass for each row of questions: behind a kept prefix a row is a few tokens."""
NEW_TOKENS = 16
"""Tokens of a generated answer: the name of an option and a few words around it."""


class HfLmm:
    """`module` in evaluation mode behind its own processor (`chat`)."""

    def __init__(
        self, module: Any, chat: Chat, *, label: str, fingerprint: str, batch_size: int = 8, side: Side = "left",
        prefix_cache: bool = True, facts: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        self.module = module.eval().requires_grad_(False)
        self.chat, self.label, self.fingerprint = chat, label, fingerprint
        self.batch_size, self.prefix_cache = batch_size, prefix_cache
        pad = chat.tokenizer.pad_token_id
        self.passes = Passes(self.module, 0 if pad is None else int(pad), side)
        self.facts: dict[str, Any] = dict(facts or {})

    @property
    def device(self) -> str:
        """Of the token embeddings."""
        return str(self.passes.device)

    def __repr__(self) -> str:
        return f"HfLmm({self.label!r}, {self.module.dtype} on {self.device})"

    @torch.inference_mode()
    def option_scores(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str], options: Sequence[Sequence[str]]) -> OptionScores:
        """See `protocol.Lmm`. With `prefix_cache` picture and question go through the model once, whatever the number of options."""
        total = np.zeros((len(images), len(options[0]) if options else 0), dtype=np.float32)
        tokens = np.zeros(total.shape, dtype=np.int64)
        for at, asked, pictures in self._batches(images, prompts):
            wanted = [[self.chat.option(row.head, each) for each in options[k]] for k, row in zip(at, asked, strict=True)]
            found = (self._behind_a_prefix if self.prefix_cache else self._whole)(asked, pictures, wanted)
            total[at], tokens[at] = found.numpy(), [[len(each) for each in row] for row in wanted]
        if not np.isfinite(total).all():
            raise ClipError(f"{self.label} answers with numbers that are not finite; try --clip-lmm-dtype=fp32 or bf16")
        return OptionScores(total, tokens)

    @torch.inference_mode()
    def answer(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str]) -> list[str]:
        """See `protocol.Lmm`; at most 16 tokens."""
        from transformers import GenerationConfig

        own = self.module.generation_config
        how = GenerationConfig(
            do_sample=False,
            max_new_tokens=NEW_TOKENS,
            pad_token_id=self.passes.pad,
            eos_token_id=own.eos_token_id,
            bos_token_id=own.bos_token_id,
        )
        out = [""] * len(images)
        side, self.passes.side = self.passes.side, "left"  # generation goes on at the end of every row
        for at, asked, pictures in self._batches(images, prompts):
            given = self.passes.generating(asked, pictures)
            told = self.module.generate(**given, generation_config=how)
            for k, row in zip(at, told[:, given["input_ids"].shape[1] :].tolist(), strict=True):
                out[k] = self.chat.told(row)
        self.passes.side = side
        return out

    def _batches(self, images: Sequence[PIL.Image.Image], prompts: Sequence[str]) -> Iterator[tuple[list[int], list[Asked], list[str]]]:
        """Numbers of rows, the rows as tokens and digests of the pictures they hold, `batch_size` at a time, alike pixels together."""
        shown = {key: digest(each) for key, each in {id(each): each for each in images}.items()}
        for start in range(0, len(images), self.batch_size):
            rows = range(start, min(start + self.batch_size, len(images)))
            asked = {k: self.chat.ask(images[k], prompts[k]) for k in rows}
            alike: dict[Any, list[int]] = {}
            for k, row in asked.items():
                alike.setdefault(shape_of(row), []).append(k)
            for at in alike.values():
                yield at, [asked[k] for k in at], [shown[id(images[k])] for k in at]

    def _behind_a_prefix(self, asked: list[Asked], pictures: list[str], wanted: list[list[tuple[int, ...]]]) -> torch.Tensor:
        """[b, k]: the first token of each option is read off the prefix, the others follow it."""
        out, mask = self.passes.first(asked, pictures, last=True)
        end = [-1] * len(asked) if self.passes.side == "left" else [len(row) - 1 for row in asked]
        heads = torch.stack([out.logits[row, at] for row, at in enumerate(end)]).float().log_softmax(-1)
        found = torch.stack([heads[row, [each[0] for each in options]] for row, options in enumerate(wanted)]).cpu()
        longer = [k for k in range(len(wanted[0])) if any(len(options[k]) > 1 for options in wanted)]
        step = max(1, WIDER * self.batch_size // len(asked))
        for start in range(0, len(longer), step):
            some = longer[start : start + step]
            kept = getattr(out, self.passes.cached)
            cache = copy.deepcopy(kept) if start + step < len(longer) else kept
            rows = [options[k] for options in wanted for k in some]
            logits = self.passes.after(cache, mask, [each[:-1] or each[:1] for each in rows], len(some))
            more = torch.stack([_followed(one, each) for one, each in zip(logits, rows, strict=True)]).view(len(asked), len(some)).cpu()
            found[:, some] += more
        return found

    def _whole(self, asked: list[Asked], pictures: list[str], wanted: list[list[tuple[int, ...]]]) -> torch.Tensor:
        """[b, k]: every option behind a prefix of its own; for models whose cache does not do, and to hold the other way against."""
        found = torch.zeros(len(wanted), len(wanted[0]))
        for k in range(len(wanted[0])):
            rows = [_longer(row, options[k], self.chat.marks) for row, options in zip(asked, wanted, strict=True)]
            out, mask = self.passes.first(rows, pictures, last=False)
            for b, options in enumerate(wanted):
                size = len(options[k])
                end = int(mask[b].nonzero()[-1]) + 1
                logs = out.logits[b, end - size - 1 : end - 1].float().log_softmax(-1)
                found[b, k] = float(logs[range(size), list(options[k])].sum())
        return found


def _followed(logits: torch.Tensor, tokens: Sequence[int]) -> torch.Tensor:
    """Log-likelihood of the tokens after the first, `logits` [T, v] behind each of them."""
    rest = list(tokens[1:])
    return logits[: len(rest)].float().log_softmax(-1)[range(len(rest)), rest].sum()


def _longer(row: Asked, option: Sequence[int], marks: Mapping[str, int]) -> Asked:
    from pytest_clip.models.lmm.chat import Asked

    more = {key: torch.cat([value, torch.full((len(option),), marks.get(key, 0), dtype=value.dtype)]) for key, value in row.words.items()}
    more["input_ids"][-len(option) :] = torch.tensor(list(option))
    if "attention_mask" in more:
        more["attention_mask"][:] = 1
    return Asked(more, row.sight, row.head)
