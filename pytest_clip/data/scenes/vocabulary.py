"""The words of the embedded benchmark: every value that a field of a scene can take. Plain tuples, so that lists cost nothing.

What comes first in each group is the training distribution of the bundled checkpoints; the `UNSEEN_*` values appear only in factor and
shift sets, so that those sets lie outside it by construction.
"""

from __future__ import annotations

SEED = 20_241_001  # every embedded set derives from it; changing it is a new version of the benchmark

CLASSES = (
    "mug", "chair", "table", "lamp", "bottle", "car", "house", "tree", "airplane", "hammer", "umbrella", "snowman", "rocket", "mushroom",
    "dumbbell", "sailboat", "dog", "ladder", "key",
)  # fmt: skip
HELD_OUT = ("cactus", "sword", "bed", "castle", "bicycle", "candle")
"""Object classes that no caption and no training image ever shows: the `near` OOD set."""

COLOURS = {
    "red": (0.85, 0.12, 0.10),
    "orange": (0.95, 0.50, 0.08),
    "yellow": (0.93, 0.85, 0.15),
    "green": (0.15, 0.60, 0.18),
    "blue": (0.12, 0.25, 0.85),
    "purple": (0.50, 0.15, 0.65),
    "pink": (0.95, 0.50, 0.70),
    "brown": (0.42, 0.24, 0.10),
    "white": (0.95, 0.95, 0.95),
    "black": (0.07, 0.07, 0.07),
    "gray": (0.50, 0.51, 0.53),
}
UNSEEN_COLOURS = {
    "teal": (0.05, 0.50, 0.48),
    "lime": (0.65, 0.95, 0.10),
    "navy": (0.06, 0.08, 0.33),
    "beige": (0.86, 0.78, 0.62),
    "maroon": (0.42, 0.04, 0.12),
}
PALETTE = {**COLOURS, **UNSEEN_COLOURS}

TEXTURES = ("plain", "checkered", "striped", "dotted", "wooden", "marble", "spotted", "brick", "gradient", "zigzag", "grid")
UNSEEN_PATTERNS = ("rings", "triangles", "plaid")
UNSEEN_MATERIALS = ("metallic", "furry", "rusty")
SURFACES = (*TEXTURES, *UNSEEN_PATTERNS, *UNSEEN_MATERIALS)
TWO_COLOURED = ("checkered", "striped", "spotted", "gradient", "zigzag")
"""Textures that show both colours in about equal parts: no single colour is the right answer there."""

BACKGROUNDS = ("plain", "gradient", "cloudy", "outdoor", "checker floor", "striped wall")
UNSEEN_BACKGROUNDS = ("dotted wall", "rings", "brick wall")
SCENERIES = (*BACKGROUNDS, *UNSEEN_BACKGROUNDS)

STYLES = ("photo", "sketch", "cartoon", "silhouette", "grayscale")
STYLE_SHARES = (0.80, 0.05, 0.07, 0.03, 0.05)
UNSEEN_STYLES = ("blueprint", "halftone", "mosaic")
RENDERINGS = (*STYLES, *UNSEEN_STYLES)

OCCLUDERS = ("none", "bar", "ball")
UNSEEN_OCCLUDERS = ("fence",)

FACTORS = (
    "pose", "background", "pattern", "color", "smaller", "larger", "shape", "partial_view", "subcategory", "texture", "darker", "brighter",
    "object_blocking", "style", "multiple_objects",
)  # fmt: skip
"""ImageNet-X's factors (Idrissi et al. 2022) without `person_blocking`: there are no persons here."""
SHIFTS = ("shift_light", "shift_style", "shift_clutter", "shift_far")
OOD = ("near", "far", "textures")

TEMPLATES = (
    "a photo of a {c}", "a picture of a {c}", "an image of a {c}", "a {c}", "a render of a {c}", "a photo of the {c}", "this is a {c}",
    "a view of a {c}",
)  # fmt: skip
"""Zero-shot templates (`{c}` = class name): per class the normalised text embeddings are averaged and normalised again."""
