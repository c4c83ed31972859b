"""Small dual encoders of transformers, randomly initialised: thousands of weights, tokenizers of a few letters, no network."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SIDE = 32
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,'-"
LENGTH = 24
"""Tokens of a text."""
KINDS = ("clip", "siglip", "siglip2", "altclip", "chinese_clip", "align")

TEXT: dict[str, Any] = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
VISION: dict[str, Any] = {**TEXT, "num_hidden_layers": 3, "image_size": SIDE, "patch_size": 8}


@contextmanager
def silent() -> Iterator[None]:
    """What transformers says about small models is no news."""
    from transformers.utils import logging as bars

    shown = bars.is_progress_bar_enabled()
    logger = logging.getLogger("transformers")
    level = logger.level
    bars.disable_progress_bar()
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if shown:
            bars.enable_progress_bar()


def folder(where: Path, kind: str = "clip", *, seed: int = 0, processor: bool = True, tokenizer: bool = True, **config: Any) -> Path:
    """A folder of save_pretrained: model, image processor, tokenizer. `config` overrides parts of the model's configuration."""
    with silent():
        network(kind, seed=seed, **config).save_pretrained(where)
        if tokenizer:
            words(kind).save_pretrained(where)
        if processor:
            eyes(kind).save_pretrained(where)
    return where


def network(kind: str, *, seed: int = 0, **config: Any) -> Any:
    """The model, with weights large enough for answers to depend on picture and text."""
    import torch
    import transformers

    name = {
        "clip": "CLIP",
        "siglip": "Siglip",
        "siglip2": "Siglip2",
        "altclip": "AltCLIP",
        "chinese_clip": "ChineseCLIP",
        "align": "Align",
    }[kind]
    text, vision = _towers(kind)
    text, vision = {**text, **config.pop("text", {})}, {**vision, **config.pop("vision", {})}
    shared = {} if kind in ("siglip", "siglip2") else {"projection_dim": 16}
    with silent(), torch.random.fork_rng():
        torch.manual_seed(seed)
        made = getattr(transformers, f"{name}Config")(text_config=text, vision_config=vision, **{**shared, **config})
        module = getattr(transformers, f"{name}Model")(made).eval()
        with torch.no_grad():
            for key, weight in module.named_parameters():
                if weight.dim() > 1 and not (kind == "align" and "vision_model" in key):
                    weight.copy_(torch.randn_like(weight) * (0.4 if weight.shape[-1] < 64 else 0.15))
                elif key == "temperature":
                    weight.fill_(0.1)
                elif key == "logit_bias":
                    weight.fill_(-1.5)
                elif key == "logit_scale" and kind.startswith("siglip"):
                    weight.fill_(2.3)
    return module


def _towers(kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    text = {**TEXT, "vocab_size": len(words(kind).get_vocab()), "max_position_embeddings": LENGTH}
    if kind == "clip":
        ids = words(kind).get_vocab()
        ends = {"bos_token_id": ids["<|startoftext|>"], "eos_token_id": ids["<|endoftext|>"], "pad_token_id": ids["<|endoftext|>"]}
        return {**text, **ends, "projection_dim": 16}, {**VISION, "projection_dim": 16}
    if kind in ("siglip", "siglip2"):
        last = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": 0, "projection_size": 16}
        size = {"num_patches": (SIDE // 8) ** 2} if kind == "siglip2" else {"image_size": SIDE}
        return {**text, **last}, {**{k: v for k, v in VISION.items() if k != "image_size"}, **size}
    if kind == "altclip":
        return {**text, "max_position_embeddings": LENGTH + 2, "project_dim": 16, "pad_token_id": 1}, {**VISION, "projection_dim": 16}
    if kind == "chinese_clip":
        return {**text, "pad_token_id": 0}, {**VISION, "projection_dim": 16}
    small = {"in_channels": [32, 16], "out_channels": [16, 16], "kernel_sizes": [3, 3], "strides": [1, 2], "num_block_repeats": [1, 1]}
    conv = {"image_size": SIDE, "width_coefficient": 1.0, "depth_coefficient": 1.0, "hidden_dim": 16, "expand_ratios": [1, 2], **small}
    return {**text, "max_position_embeddings": 64, "pad_token_id": 0}, {**conv, "depthwise_padding": [], "dropout_rate": 0.0}


def eyes(kind: str, **how: Any) -> Any:
    """The image processor."""
    import transformers

    crop = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
    if kind == "siglip":
        return transformers.SiglipImageProcessor(**{"size": {"height": SIDE, "width": SIDE}, **how})
    if kind == "siglip2":
        return transformers.Siglip2ImageProcessor(**{"patch_size": 8, "max_num_patches": (SIDE // 8) ** 2 + 3, **how})
    if kind == "align":  # as the published one: no mean, from -1 to 1
        scale = {"rescale_factor": 1 / 127.5, "rescale_offset": True, "do_normalize": False, "include_top": False, "do_center_crop": True}
        size = {"size": {"height": SIDE + 8, "width": SIDE + 8}, "crop_size": {"height": SIDE, "width": SIDE}}
        return transformers.EfficientNetImageProcessor(**{**size, **scale, **how})
    name = "ChineseCLIPImageProcessor" if kind == "chinese_clip" else "CLIPImageProcessor"
    return getattr(transformers, name)(**{**crop, **how})


_MADE: dict[str, Any] = {}


def words(kind: str) -> Any:
    """The tokenizer: letters are its words."""
    if kind not in _MADE:
        _MADE[kind] = _words(kind)
    return _MADE[kind]


def _words(kind: str) -> Any:
    import transformers

    with silent():
        if kind == "clip":
            vocabulary = [*LETTERS, *(f"{each}</w>" for each in LETTERS), "<|startoftext|>", "<|endoftext|>"]
            return transformers.CLIPTokenizer(vocab=_numbered(vocabulary), merges=[], model_max_length=LENGTH)
        if kind == "siglip":
            return _sentencepiece()
        if kind == "siglip2":
            vocabulary = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", "▁", *LETTERS]
            return transformers.Siglip2Tokenizer(vocab=_numbered(vocabulary), merges=[], model_max_length=LENGTH)
        if kind == "altclip":
            pieces = ["<s>", "<pad>", "</s>", "<unk>", "▁", *LETTERS]
            vocab = [(each, -float(k)) for k, each in enumerate(pieces)] + [("<mask>", 0.0)]
            return transformers.XLMRobertaTokenizer(vocab=vocab, model_max_length=LENGTH)
        vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{each}" for each in LETTERS)]
        return transformers.BertTokenizer(vocab=_numbered(vocabulary), model_max_length=LENGTH)


def _numbered(pieces: list[str]) -> dict[str, int]:
    return {each: k for k, each in enumerate(pieces)}


def _sentencepiece() -> Any:
    import tempfile

    import sentencepiece
    import transformers

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([f"{a} {b}{a}" for a in LETTERS for b in LETTERS]), model_writer=model, vocab_size=60, pad_id=0, eos_id=1,
        unk_id=2, bos_id=-1, model_type="bpe", minloglevel=2,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "spiece.model").write_bytes(model.getvalue())
        (Path(place) / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer", "model_max_length": LENGTH}))
        return transformers.SiglipTokenizer.from_pretrained(place, pad_token="<pad>")


SAID = "what is the main object in this image choose from following list mug car dog red van tea cup a photo of user assistant"
"""The words that the tokenizer of `llava` knows."""


def llava(where: Path, *, seed: int = 0, side: int = SIDE, tower: dict[str, Any] | None = None, **text: Any) -> Path:
    """A folder of save_pretrained: LlavaForConditionalGeneration and LlavaProcessor, random weights, a tokenizer of whole words."""
    with silent():
        lmm(seed=seed, side=side, tower=tower, **text).save_pretrained(where)
        lmm_processor(side=side).save_pretrained(where)
    return where


def lmm(*, seed: int = 0, side: int = SIDE, tower: dict[str, Any] | None = None, **text: Any) -> Any:
    """The model, with weights large enough for answers to depend on picture and text."""
    import torch
    import transformers

    ids = _speech().get_vocab()
    with silent(), torch.random.fork_rng():
        torch.manual_seed(seed)
        vision = {**VISION, "image_size": side, "hidden_act": "gelu", **(tower or {})}
        words = {"vocab_size": len(ids), "num_key_value_heads": 1, "max_position_embeddings": 256, "pad_token_id": ids["<pad>"]}
        ends = {"eos_token_id": ids["</s>"], "bos_token_id": None, "rms_norm_eps": 1e-5}
        spoken = transformers.LlamaConfig(**{**TEXT, **words, **ends, **text})
        config = transformers.LlavaConfig(
            vision_config=transformers.CLIPVisionConfig(**vision), text_config=spoken,
            image_token_id=ids["<image>"], vision_feature_layer=-2, vision_feature_select_strategy="default",
        )  # fmt: skip
        module = transformers.LlavaForConditionalGeneration(config).eval()
        return _shaken(module)


def _shaken(module: Any) -> Any:
    import torch

    with torch.no_grad():
        for weight in module.parameters():
            if weight.dim() > 1:
                weight.copy_(torch.randn_like(weight) * 0.3)
    return module.eval()


TURN = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}{% if part['type'] == 'image' %}IMAGE"
    "{% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}{% if add_generation_prompt %}assistant:{% endif %}"
)


SPOKEN: dict[str, Any] = {"num_key_value_heads": 1, "max_position_embeddings": 512, "pad_token_id": 0}


def qwen(where: Path) -> Path:
    """Qwen2-VL: pictures of any size, positions in three directions."""
    import torch
    import transformers

    named = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    spoken = _speech(named)
    ids = spoken.get_vocab()
    text = {
        **TEXT,
        "vocab_size": len(ids),
        "num_key_value_heads": 1,
        "max_position_embeddings": 512,
        "bos_token_id": None,
        "pad_token_id": 0,
    }
    rope = {"rope_type": "default", "mrope_section": [1, 1, 2], "rope_theta": 10000.0}
    cuts = {"patch_size": 4, "merge_size": 2, "temporal_patch_size": 2}
    vision = {"depth": 2, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2, "patch_size": 4, "spatial_merge_size": 2}
    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.Qwen2VLConfig(
            text_config={**text, "eos_token_id": ids["</s>"], "rope_parameters": rope}, vision_config={**vision, "temporal_patch_size": 2},
            image_token_id=ids[named[2]], video_token_id=ids[named[3]],
            vision_start_token_id=ids[named[0]], vision_end_token_id=ids[named[1]],
        )  # fmt: skip
        _shaken(transformers.Qwen2VLForConditionalGeneration(config)).save_pretrained(where)
        images = transformers.Qwen2VLImageProcessor(**cuts, size={"shortest_edge": 256, "longest_edge": 2304})
        films = transformers.Qwen2VLVideoProcessor(**cuts)
        template = TURN.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
        made = {"image_processor": images, "tokenizer": spoken, "video_processor": films, "chat_template": template}
        transformers.Qwen2VLProcessor(**made).save_pretrained(where)
    return where


def idefics(where: Path) -> Path:
    """Idefics3, as SmolVLM is built: pictures in tiles."""
    import torch
    import transformers

    tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    spoken = _speech(["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *tiles])
    ids = spoken.get_vocab()
    text = {**TEXT, **SPOKEN, "vocab_size": len(ids)}
    vision = {**TEXT, "image_size": 16, "patch_size": 4}
    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.Idefics3Config(
            text_config={"model_type": "llama", **text}, vision_config=vision, image_token_id=ids["<image>"], scale_factor=2,
            pad_token_id=0, tie_word_embeddings=False,
        )  # fmt: skip
        module = _shaken(transformers.Idefics3ForConditionalGeneration(config))
        module.generation_config.eos_token_id = ids["</s>"]
        module.save_pretrained(where)
        images = transformers.Idefics3ImageProcessor(
            size={"longest_edge": 32}, max_image_size={"longest_edge": 16}, do_image_splitting=True
        )
        template = TURN.replace("IMAGE", "<image>")
        made = {"image_processor": images, "tokenizer": spoken, "image_seq_len": 4, "chat_template": template}
        transformers.Idefics3Processor(**made).save_pretrained(where)
    return where


def smolvlm(where: Path) -> Path:
    """SmolVLM by its own classes, pictures in tiles."""
    import torch
    import transformers

    tiles = [f"<row_{row}_col_{column}>" for row in (1, 2) for column in (1, 2)]
    spoken = _speech(["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *tiles])
    ids = spoken.get_vocab()
    vision = {**TEXT, "image_size": 16, "patch_size": 4}
    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.SmolVLMConfig(
            text_config={"model_type": "llama", **TEXT, **SPOKEN, "vocab_size": len(ids)}, vision_config=vision,
            image_token_id=ids["<image>"], scale_factor=2, pad_token_id=0, tie_word_embeddings=False,
        )  # fmt: skip
        module = _shaken(transformers.SmolVLMForConditionalGeneration(config))
        module.generation_config.eos_token_id = ids["</s>"]
        module.save_pretrained(where)
        cuts = {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 16}, "do_image_splitting": True}
        made = {"image_processor": transformers.SmolVLMImageProcessor(**cuts), "tokenizer": spoken, "image_seq_len": 4}
        films = transformers.SmolVLMVideoProcessor(size={"longest_edge": 32}, max_image_size={"longest_edge": 16})
        template = TURN.replace("IMAGE", "<image>")
        transformers.SmolVLMProcessor(**made, video_processor=films, chat_template=template).save_pretrained(where)
    return where


def llava_next(where: Path) -> Path:
    """LLaVA-NeXT: a picture as a whole and in up to two tiles."""
    import torch
    import transformers

    spoken, grid = _speech(), [[SIDE, 2 * SIDE], [2 * SIDE, SIDE]]
    ids = spoken.get_vocab()
    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        config = transformers.LlavaNextConfig(
            vision_config=transformers.CLIPVisionConfig(**VISION, hidden_act="quick_gelu"),
            text_config=transformers.LlamaConfig(**{**TEXT, **SPOKEN, "vocab_size": len(ids), "eos_token_id": ids["</s>"]}),
            image_token_id=ids["<image>"], image_grid_pinpoints=grid, vision_feature_layer=-2, vision_feature_select_strategy="default",
        )  # fmt: skip
        _shaken(transformers.LlavaNextForConditionalGeneration(config)).save_pretrained(where)
        crop = {"size": {"shortest_edge": SIDE}, "crop_size": {"height": SIDE, "width": SIDE}}
        images = transformers.LlavaNextImageProcessor(**crop, image_grid_pinpoints=grid)
        transformers.LlavaNextProcessor(
            image_processor=images, tokenizer=spoken, patch_size=8, vision_feature_select_strategy="default",
            num_additional_image_tokens=1, chat_template=TURN.replace("IMAGE", "<image>"),
        ).save_pretrained(where)  # fmt: skip
    return where


def paligemma(where: Path) -> Path:
    """PaliGemma: no chat template, and a prompt that is read both ways."""
    import torch
    import transformers

    spoken = _speech(["<image>", "<bos>"])
    spoken.bos_token, ids = "<bos>", spoken.get_vocab()
    text = {**TEXT, **SPOKEN, "vocab_size": len(ids) + 200, "head_dim": 8, "bos_token_id": ids["<bos>"], "eos_token_id": ids["</s>"]}
    with silent(), torch.random.fork_rng():
        torch.manual_seed(0)
        images = transformers.SiglipImageProcessor(size={"height": SIDE, "width": SIDE})
        images.image_seq_length = (SIDE // 8) ** 2
        processor = transformers.PaliGemmaProcessor(image_processor=images, tokenizer=spoken)
        config = transformers.PaliGemmaConfig(
            vision_config={"model_type": "siglip_vision_model", **VISION, "vision_use_head": False},
            text_config={"model_type": "gemma", **{**text, "vocab_size": len(spoken)}}, projection_dim=16, hidden_size=16,
            image_token_id=ids["<image>"], bos_token_id=ids["<bos>"], eos_token_id=ids["</s>"], pad_token_id=0,
        )  # fmt: skip
        _shaken(transformers.PaliGemmaForConditionalGeneration(config)).save_pretrained(where)
        processor.save_pretrained(where)
    return where


def lmm_processor(*, side: int = SIDE) -> Any:
    """Its processor, with a chat template like LLaVA's."""
    import transformers

    template = (
        "{% for message in messages %}{{ message['role'] | upper }}: {% for part in message['content'] %}"
        "{% if part['type'] == 'image' %}<image>\n{% else %}{{ part['text'] }} {% endif %}{% endfor %}{% endfor %}"
        "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
    )
    images = eyes("clip", size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    return transformers.LlavaProcessor(
        image_processor=images, tokenizer=_speech(), patch_size=8, vision_feature_select_strategy="default",
        num_additional_image_tokens=1, chat_template=template,
    )  # fmt: skip


def _speech(named: Sequence[str] = ("<image>",)) -> Any:
    import tokenizers
    import transformers

    pieces = ["<pad>", "</s>", "<unk>", *named, *SAID.split(), *":.,?'", *"0123456789"]
    whole = tokenizers.Tokenizer(tokenizers.models.WordLevel(_numbered(pieces), unk_token="<unk>"))
    whole.normalizer = tokenizers.normalizers.Lowercase()
    whole.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Punctuation()]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=whole, pad_token="<pad>", eos_token="</s>", unk_token="<unk>", additional_special_tokens=list(named),
        padding_side="left",
    )  # fmt: skip
