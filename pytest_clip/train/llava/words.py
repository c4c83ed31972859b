"""The words of the small language model: a tokenizer in which every word of a question is one token, and the processor around it."""

from __future__ import annotations

import re
from typing import Any

from ...data.scenes.captions import lexicon
from ...data.scenes.vocabulary import BACKGROUNDS, CLASSES, COLOURS, HELD_OUT, PALETTE, STYLES, SURFACES
from ..export import preprocess_config
from . import questions

IMAGE_TOKEN, PAD, END, UNKNOWN = "<image>", "<pad>", "</s>", "<unk>"
SPECIAL = (PAD, UNKNOWN, END, IMAGE_TOKEN)
TEMPLATE = (
    "{% for message in messages %}"
    "{% if message['role'] == 'assistant' %}{{ ' ASSISTANT: ' }}{% else %}{{ 'USER: ' }}{% endif %}"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}{{ '<image>\n' }}{% elif part['type'] == 'text' %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}"
    "{% if message['role'] == 'assistant' %}{{ '</s>' }}{% endif %}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ ' ASSISTANT:' }}{% endif %}"
)
"""As LLaVA-1.5 has it; nothing stands before USER."""
OTHERS = "yes no left right top bottom both neither i do not know the answer is of are in on an a or and one it that which object objects"


def split(text: str) -> list[str]:
    """Lower-case words and single punctuation marks, as the tokenizer splits."""
    return re.findall(r"\w+|[^\w\s]", text.lower())


def vocabulary() -> list[str]:
    """Special tokens, then every word of questions and answers, sorted."""
    texts = [
        *questions.WHAT, *questions.COLOUR, *questions.TEXTURE, *questions.LISTS, questions.THERE, questions.WHERE, questions.IS_IT,
        *CLASSES, *HELD_OUT, *COLOURS, *PALETTE, *SURFACES, *BACKGROUNDS, *STYLES, *lexicon(), OTHERS, "USER: ASSISTANT:", ".,?!:;'\"()-/",
    ]  # fmt: skip
    return [*SPECIAL, *sorted({w for text in texts for w in split(text)} - {"{", "}"})]


def tokenizer() -> Any:
    """A fast tokenizer of transformers over `vocabulary`, padding on the left."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    words = Tokenizer(models.WordLevel({w: i for i, w in enumerate(vocabulary())}, unk_token=UNKNOWN))
    words.normalizer = normalizers.Lowercase()
    words.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex(r"[^\w\s]"), behavior="isolated")]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token=PAD, unk_token=UNKNOWN, eos_token=END, padding_side="left", model_max_length=512,
        extra_special_tokens={"image_token": IMAGE_TOKEN}, clean_up_tokenization_spaces=False,
    )  # fmt: skip


def processor(*, patch: int) -> Any:
    """LlavaProcessor with the preprocessing of the bundled models and the chat template."""
    from transformers import CLIPImageProcessor, LlavaProcessor

    config = preprocess_config()
    side = config["size"][0]
    images = CLIPImageProcessor(
        size={"shortest_edge": side}, crop_size={"height": side, "width": side}, resample=3, image_mean=config["mean"],
        image_std=config["std"],
    )  # fmt: skip
    return LlavaProcessor(
        image_processor=images, tokenizer=tokenizer(), patch_size=patch, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=TEMPLATE,
    )  # fmt: skip
