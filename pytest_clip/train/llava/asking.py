"""A folder of the model asked by stock classes: likelihoods of options and greedy answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

BATCH = 64


class Asked:
    """The model of a folder; images are normalised float32 [n, 3, 64, 64], as `preprocess` of the tower's CLIP makes them."""

    def __init__(self, folder: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.processor: Any = AutoProcessor.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForImageTextToText.from_pretrained(folder, local_files_only=True, dtype=torch.float32).eval()

    def prompt(self, question: str) -> str:
        """The question in the chat template, with one image."""
        content = [{"type": "image"}, {"type": "text", "text": question}]
        text: str = self.processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True)
        return text

    def _inputs(self, images: Tensor, questions: Sequence[str]) -> dict[str, Tensor]:
        vision = self.model.config.vision_config
        mark = self.processor.image_token
        many = mark * (vision.image_size // vision.patch_size) ** 2
        texts = [self.prompt(q).replace(mark, many) for q in questions]
        return {**self.processor.tokenizer(texts, return_tensors="pt", padding=True), "pixel_values": images}

    @torch.inference_mode()
    def option_scores(self, images: Tensor, questions: Sequence[str], options: Sequence[Sequence[str]]) -> list[Tensor]:
        """Log-likelihood of each option behind its question, [k] an image; options are single words of the tokenizer."""
        out: list[Tensor] = []
        for i in range(0, len(questions), BATCH):
            some = slice(i, i + BATCH)
            logits = self.model(**self._inputs(images[some], questions[some]), logits_to_keep=1).logits[:, -1].log_softmax(-1)
            for row, names in zip(logits, options[some], strict=True):
                ids = [self.processor.tokenizer(name, add_special_tokens=False).input_ids for name in names]
                if any(len(each) != 1 for each in ids):
                    raise ValueError(f"an option of {list(names)} is not one token")
                out.append(row[[each[0] for each in ids]])
        return out

    @torch.inference_mode()
    def answers(self, images: Tensor, questions: Sequence[str]) -> list[str]:
        """Greedy answers."""
        out: list[str] = []
        for i in range(0, len(questions), BATCH):
            inputs = self._inputs(images[i : i + BATCH], questions[i : i + BATCH])
            said = self.model.generate(**inputs)[:, inputs["input_ids"].shape[1] :]
            out += self.processor.tokenizer.batch_decode(said, skip_special_tokens=True)
        return out
