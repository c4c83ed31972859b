"""What the suite `retrieval` measures: images and captions."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Better, Metric, Need, Suite, Unit

#: Named as in CLIP_benchmark, by what is found: image retrieval asks with captions. Who asks, and for what.
_RETRIEVAL = {"image": ("captions", "image"), "text": ("images", "caption")}
_NEGATIVES = (
    "object_replace", "companion_replace", "colour_replace", "texture_replace", "background_replace", "relation_replace", "object_swap",
    "attribute_swap", "relation_swap",
)  # fmt: skip


def _retrieval(title: str, chance: str, unit: Unit = "share", better: Better = "higher") -> Metric:
    return Metric(unit, better, ("clean", "role:captions"), title, chance)


def _winoground(title: str, chance: str) -> Metric:
    return Metric("share", "higher", ("role:quads",), title, chance, particular=True)


SUITE = Suite(
    "retrieval",
    "Images find their captions, captions their images, and true captions beat those that are false in one fact",
    {
        **{
            f"retrieval/{way}_retrieval_recall_at_{k}": _retrieval(
                f"Share of {asking} with their {sought} among the first {k}", f"{k} / number of {sought}s"
            )
            for way, (asking, sought) in _RETRIEVAL.items()
            for k in (1, 5, 10)
        },
        **{
            f"retrieval/{way}_retrieval_{kind}_rank": _retrieval(
                f"{kind.capitalize()} rank of the {sought} of {asking}, 1 = first", f"half the number of {sought}s", "rank", "lower"
            )
            for way, (asking, sought) in _RETRIEVAL.items()
            for kind in ("mean", "median")
        },
        "retrieval/published_gap": Metric(
            "points",
            "none",
            ("role:captions",),
            "Largest gap of a recall to that published for the checkpoint on this data",
            particular=True,
        ),
        "retrieval/compositionality": Metric(
            "share", "higher", ("pairs", "role:pairs"), "Images whose true caption beats one that is false in this fact", "0.5", _NEGATIVES
        ),
        "retrieval/winoground_text": _winoground("Both images prefer their own of two captions", "0.25"),
        "retrieval/winoground_image": _winoground("Both captions prefer their own of two images", "0.25"),
        "retrieval/winoground_group": _winoground("Both of the former at once", "1 / 6"),
    },
    (
        Need("retrieval/*_retrieval_*", ("captions",)),
        Need("retrieval/published_gap", ("published",)),
    ),
)
