"""Other names of the 113 categories of ImageNet-D, as its evaluation script takes them (github.com/chenshuang-zhang/imagenet_d, MIT)."""

from __future__ import annotations

from collections.abc import Mapping

ALIASES: Mapping[str, tuple[str, ...]] = {
    "dishcloth": ("dishrag",),
    "weight (exercise)": ("dumbbell", "weight"),
    "nail (fastener)": ("nail",),
    "tv": ("television",),
    "iron (for clothes)": ("iron",),
    "t shirt": ("t-shirt", "shirt"),
    "laptop (open)": ("laptop",),
    "dress shoe (men)": ("dress shoe",),
    "binder (closed)": ("binder",),
    "portable heater": ("heater",),
    "computer mouse": ("mouse",),
    "still camera": ("camera",),
    "lampshade": ("lamp shade",),
    "trash bin": ("trash can",),
    "winter glove": ("glove",),
    "band aid": ("band-aid", "bandaid"),
    "toilet paper roll": ("roll of toilet paper",),
    "pill bottle": ("pill",),
    "soup bowl": ("bowl of soup",),
    "water bottle": ("bottle of water",),
    "pop can": ("can of",),
    "weight scale": ("scale",),
    "sandal": ("flip flop",),
    "swimming trunks": ("swimming trunk",),
    "bread loaf": ("bread",),
    "coffee or french press": ("coffee press", "french press", "coffee machine", "coffee maker"),
    "mixing or salad bowl": ("mixing bowl", "salad bowl"),
    "alarm clock": ("clock",),
    "wheel": ("bicycle wheel",),
    "ladle": ("spoon",),
    "matchstick": ("match",),
    "cellphone": ("cell phone", "mobile phone"),
}
"""By category name, lower-case, `_` and `-` as spaces, `/` as ` or `."""


def plain(category: str) -> str:
    """A category as questions name it: `coffee/french_press` is `coffee or french press`."""
    return " ".join(category.replace("/", " or ").replace("_", " ").replace("-", " ").lower().split())
