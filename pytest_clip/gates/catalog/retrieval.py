"""What the suite `retrieval` measures: images and captions."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Better, Metric, Need, Suite, Unit

#: Named as in CLIP_benchmark, by what is found: image retrieval asks with captions. Who asks, and for what.
_RETRIEVAL = {"image": ("captions", "image"), "text": ("images", "caption")}
_NEGATIVES = (
    "object_replace", "companion_replace", "colour_replace", "texture_replace", "background_replace", "relation_replace", "object_swap",
    "attribute_swap", "relation_swap",
)  # fmt: skip
_TRIPLES = ("object_replace", "colour_replace", "relation_replace", "object_swap", "attribute_swap", "mirrored")
_TYPES = ("positive", "negative", "hybrid")
_QUESTIONS = ("pairs", "role:choices")


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
        "retrieval/paraphrase": Metric(
            "share", "higher", ("pairs", "role:triples"), "Images of whose two true captions both beat the false one", "1 / 3", _TRIPLES
        ),
        "retrieval/negation_accuracy": Metric(
            "share", "higher", _QUESTIONS, "Questions of this type in which the true one of four captions wins", "0.25", (*_TYPES, "all")
        ),
        **{
            f"retrieval/negation_wrong_{kind}": Metric(
                "share", "lower", _QUESTIONS, f"Questions answered with a false caption of type {kind}", "0.25", ("all",)
            )
            for kind in _TYPES
        },
        "retrieval/negated_recall_drop": Metric(
            "points", "lower", ("pairs", "role:negated"), "Recall at 5 lost when a caption also denies what is absent"
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
