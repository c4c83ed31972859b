"""What public checkpoints were trained on: the sets with their sizes, and which tags of open_clip and timm mean which. Kept by hand.

A size is what the source says, in samples (pairs, or labelled images), rounded as there. None is what no source at hand says: nothing here
is guessed. `pytest-clip models`, the study and the record read it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class TrainingSet:
    """A set: samples in it, what kind of samples, where that is said."""

    size: int | None
    kind: str
    source: str


_ARXIV = "https://arxiv.org/abs/"
_DATACOMP = f"{_ARXIV}2304.14108, tables 2 and 3"
_POOLS = {"s": 12_800_000, "m": 128_000_000, "l": 1_280_000_000, "xl": 12_800_000_000}
_FILTERS = {
    "clip": "by CLIP score", "laion": "as LAION-2B", "image": "by image", "text": "by text", "basic": "by basic rules",
}  # fmt: skip

SETS = {
    "wit-400m": TrainingSet(400_000_000, "web pairs, balanced by queries", f"{_ARXIV}2103.00020, section 2.2"),
    "laion-400m": TrainingSet(400_000_000, "web pairs, filtered by CLIP score", f"{_ARXIV}2111.02114"),
    "laion-2b": TrainingSet(2_320_000_000, "web pairs, filtered by CLIP score, English", f"{_ARXIV}2210.08402"),
    "laion-5b": TrainingSet(5_850_000_000, "web pairs, filtered by CLIP score", f"{_ARXIV}2210.08402"),
    "laion-aesthetic": TrainingSet(
        900_000_000, "laion-2b, filtered by looks", "https://huggingface.co/laion/CLIP-convnext_base_w-laion_aesthetic-s13B-b82K"
    ),
    "datacomp-1b": TrainingSet(1_400_000_000, "web pairs, filtered by CLIP score and image", _DATACOMP),
    "datacomp-l": TrainingSet(140_000_000, "web pairs, filtered by CLIP score and image", _DATACOMP),
    "datacomp-m": TrainingSet(14_000_000, "web pairs, filtered by CLIP score and image", _DATACOMP),
    "datacomp-s": TrainingSet(None, "web pairs, filtered", _DATACOMP),
    **{f"commonpool-{scale}": TrainingSet(size, "web pairs, unfiltered", _DATACOMP) for scale, size in _POOLS.items()},
    **{
        f"commonpool-{scale}-{name}": TrainingSet(None, f"web pairs, filtered {how}", _DATACOMP)
        for scale in _POOLS
        for name, how in _FILTERS.items()
    },
    "webli": TrainingSet(10_000_000_000, "web pairs, many languages", f"{_ARXIV}2209.06794 (images)"),
    "webli-en": TrainingSet(None, "web pairs, the English ones of webli", f"{_ARXIV}2303.15343"),
    "metaclip-400m": TrainingSet(400_000_000, "web pairs, balanced by metadata", f"{_ARXIV}2309.16671"),
    "metaclip-2.5b": TrainingSet(2_500_000_000, "web pairs, balanced by metadata", f"{_ARXIV}2309.16671"),
    "metaclip-altogether": TrainingSet(None, "web pairs, captions rewritten", f"{_ARXIV}2410.17251"),
    "metaclip2-worldwide": TrainingSet(None, "web pairs, balanced by metadata, many languages", f"{_ARXIV}2507.22062"),
    "dfn-2b": TrainingSet(2_000_000_000, "web pairs, filtered by a network", f"{_ARXIV}2309.17425"),
    "dfn-5b": TrainingSet(5_000_000_000, "web pairs, filtered by a network", f"{_ARXIV}2309.17425"),
    "merged-2b": TrainingSet(2_000_000_000, "web pairs, 1.6 of laion-2b and 0.4 of COYO-700M", f"{_ARXIV}2303.15389"),
    "datacompdr-1b": TrainingSet(1_280_000_000, "datacomp-1b with captions and embeddings of teachers", f"{_ARXIV}2311.17049"),
    "dfndr-2b": TrainingSet(2_000_000_000, "dfn-2b with captions and embeddings of teachers", f"{_ARXIV}2508.20691"),
    "pe-core": TrainingSet(5_400_000_000, "web pairs, balanced by metadata, and videos", f"{_ARXIV}2504.13181"),
    "laion-coco-nllb": TrainingSet(None, "captions in 201 languages", f"{_ARXIV}2309.01859"),
    "yfcc-15m": TrainingSet(15_000_000, "photographs with their titles", f"{_ARXIV}2103.00020, section 3.2"),
    "cc-12m": TrainingSet(12_400_000, "web pairs", f"{_ARXIV}2102.08981"),
    "mscoco": TrainingSet(118_000, "photographs with written captions", f"{_ARXIV}1405.0312, train2017"),
    "imagenet-1k": TrainingSet(1_281_167, "labelled photographs", "https://www.image-net.org/challenges/LSVRC/2012/"),
    "imagenet-12k": TrainingSet(None, "labelled photographs", "https://github.com/rwightman/imagenet-12k"),
    "imagenet-21k": TrainingSet(14_197_122, "labelled photographs", "https://www.image-net.org (fall 2011)"),
    "scenes": TrainingSet(None, "renders, drawn anew", "pytest-clip train"),
    "scenes-written": TrainingSet(None, "renders with notes, and captions that say what is written", "pytest-clip train"),
    "scenes-correlated": TrainingSet(None, "renders whose surface follows the class", "pytest-clip train"),
}

_OPEN_CLIP: tuple[tuple[str, str], ...] = (
    (r"openai", "wit-400m"), (r"laion400m(?=_)", "laion-400m"), (r"laion2b(?=_|$)", "laion-2b"), (r"laion5b(?=_)", "laion-5b"),
    (r"frozen_laion5b(?=_)", "laion-5b"), (r"laion_aesthetic(?=_)", "laion-aesthetic"), (r"datacomp_xl(?=_)", "datacomp-1b"),
    (r"datacomp1b", "datacomp-1b"), (r"datacomp_l(?=_)", "datacomp-l"), (r"datacomp_m(?=_)", "datacomp-m"),
    (r"datacomp_s(?=_s\d)", "datacomp-s"), (r"datacomp(?=_s34b_b86k)", "datacomp-1b"), (r"webli", "webli"),
    (r"metaclip_400m", "metaclip-400m"), (r"metaclip_fullcc", "metaclip-2.5b"), (r"metaclip_altogether", "metaclip-altogether"),
    (r"metaclip2_worldwide", "metaclip2-worldwide"), (r"dfn2b(?=_|$)", "dfn-2b"), (r"dfn5b", "dfn-5b"), (r"merged2b(?=_)", "merged-2b"),
    (r"datacompdr(_lt)?", "datacompdr-1b"), (r"dfndr2b", "dfndr-2b"), (r"meta", "pe-core"), (r"(v1|mrl)", "laion-coco-nllb"),
    (r"yfcc15m", "yfcc-15m"), (r"cc12m", "cc-12m"),
    *((rf"commonpool_{scale}_{name}(?=_)", f"commonpool-{scale}-{name}") for scale in _POOLS for name in _FILTERS),
    *((rf"commonpool_{scale}(?=_s\d)", f"commonpool-{scale}") for scale in _POOLS),
)  # fmt: skip
"""The beginning of a tag, which must match as a whole word, and the set."""

_EPOCHS = {"openai": 32, "yfcc15m": 32, "laion400m_e31": 31, "laion400m_e32": 32, "laion2b_e16": 16}
"""2103.00020, section 2.5, and open_clip's docs/PRETRAINED.md; the samples seen are so many times the set."""
_SEEN = {("ViT-H-14", "dfn5b"): 39_000_000_000, ("ViT-H-14-378", "dfn5b"): 44_000_000_000}
"""From the cards of apple/DFN5B-CLIP-ViT-H-14 and -378."""
_RECIPE = re.compile(r"(_s\d+[mb])?(_b\d+k)?(_e\d+)?(_s39b)?(_augreg)?(_rewind)?((_ft)?_soup|_ft)?")
_TIMM_SETS = {
    "in1k": "imagenet-1k", "in12k": "imagenet-12k", "in21k": "imagenet-21k", "in22k": "imagenet-21k", "openai": "wit-400m",
    "laion2b": "laion-2b", "laion400m": "laion-400m", "laiona": "laion-aesthetic", "metaclip_400m": "metaclip-400m",
    "metaclip_2pt5b": "metaclip-2.5b", "dfn2b": "dfn-2b", "dfn5b": "dfn-5b", "datacompxl": "datacomp-1b", "webli": "webli",
}  # fmt: skip

_OTHER_DATA = re.compile(r"(^|_)(ns|jft\w*|yfcc\w*|ig\d*[a-z]*|lvd\w*|swag|swsl|ssl|wsl|semi)(?=_|$)")
"""Words of timm's tags for data that nobody else has, beside which a known set is not all."""


@dataclass(frozen=True)
class Trained:
    """What a tag says of the training: set, samples seen, and what it was fine-tuned on afterwards (`none`: nothing)."""

    on: str | None = None
    seen: int | None = None
    finetuned: str | None = None


def of_tag(architecture: str, tag: str) -> Trained:
    """What a tag of open_clip stands for; all unknown for one that this table does not have."""
    rest = tag.removeprefix("mscoco_finetuned_")
    for pattern, name in _OPEN_CLIP:
        found = re.match(pattern, rest)
        if found is None or not _RECIPE.fullmatch(rest, found.end()):
            continue
        if name == "webli" and "SigLIP2" not in architecture and "i18n" not in architecture:
            name = "webli-en"
        again = re.search(r"_ft(_|$)", rest) is not None  # at a higher resolution
        tuned = "mscoco" if rest != tag else name if again else "none"
        if name == "laion-coco-nllb":  # the towers come from other checkpoints, which the tag does not name
            return Trained(None, None, name)
        return Trained(name, _seen(architecture, rest, name), tuned)
    return Trained()


def _seen(architecture: str, tag: str, name: str) -> int | None:
    known = _SEEN.get((architecture.removesuffix("-quickgelu"), tag))
    if known is not None:
        return known
    if told := re.search(r"_s(\d+)([mb])(_|$)", tag):
        return int(told[1]) * (10**6 if told[2] == "m" else 10**9)
    size, epochs = SETS[name].size, _EPOCHS.get(tag)
    return None if size is None or epochs is None else size * epochs


def of_timm(tag: str) -> Trained:
    """What a tag of timm, `openai_ft_in12k_in1k`, says; unknown where a set in it is."""
    if _OTHER_DATA.search(tag.partition("_ft_")[0]):
        return Trained(finetuned=of_timm(tag.partition("_ft_")[2]).on if "_ft_" in tag else None)
    before, tuned, after = tag.rpartition("_ft_")
    start = _sets_in(before if tuned else after)
    ends = _sets_in(after) if tuned else ()
    on = start[-1] if len(start) == 1 else None
    if not tuned:
        return Trained(on, None, "none" if on else None)
    return Trained(on, None, "+".join(ends) if ends else None)


def _sets_in(text: str) -> tuple[str, ...]:
    """The known sets that a part of a tag names as words, in its order."""
    found = [(at.start(2), name) for word, name in _TIMM_SETS.items() for at in re.finditer(rf"(^|_)({word})(?=_|$)", text)]
    return tuple(name for _, name in sorted(found))
