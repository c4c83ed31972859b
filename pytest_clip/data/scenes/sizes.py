"""Which embedded sets there are, how many scenes each holds and how far a second view is turned, told without making a scene."""

from __future__ import annotations

from dataclasses import replace

from ..setinfo import SetInfo
from .vocabulary import CLASSES, FACTORS, OOD, SHIFTS

CLEAN_PER_CLASS, MATCHED_PER_CLASS, OOD_IMAGES = 100, 27, 500
CUES = ("cue_conflict", "cue_matched")
"""The same scenes, image by image: in the look of another class, and in that of their own."""
VIEWPOINTS = {
    "viewpoint-0-15": (0.0, 15.0),
    "viewpoint-15-30": (15.0, 30.0),
    "viewpoint-30-60": (30.0, 60.0),
    "viewpoint-60-90": (60.0, 90.0),
}
"""Second views of scenes of `clean`, by how far the camera has gone around the object, in degrees: from the first up to the second."""
COLUMNS = ("background", "colour", "texture", "style")
"""Facts of the scenes of `clean` by which they fall into groups of 100 images and more."""
BACKDROPS = ("background_typical", "background_foreign")
"""The same scenes, image by image: before the background typical of their class, and before that of another."""
BACKDROPS_PER_CLASS = 16
STUDIO_PER_CLASS = 10
NOTED_PER_CLASS = 10
NOTES = ("note_word", "note_blank", "note_neutral")
"""The same scenes of `clean`, image by image, with the same note: the name of a wrong class on it, nothing, or a word of no class."""
READING = "note_read"
"""Empty scenes with the name of a class on a note: who can read it?"""
SEEN_TWICE_PER_CLASS = 6
"""Scenes of each class that have second views, the same ones in every set."""


def embedded() -> tuple[SetInfo, ...]:
    """The image sets of `scenes`."""
    matched = MATCHED_PER_CLASS * len(CLASSES)
    rendered = (
        SetInfo("clean", "clean", CLEAN_PER_CLASS * len(CLASSES), columns=COLUMNS),
        SetInfo("typical", "slice", matched),
        *(SetInfo(s, "shift", matched) for s in SHIFTS),
        *(SetInfo(f, "factor", matched, paired=True) for f in FACTORS),
        *(SetInfo(c, "cue", matched, paired=True) for c in CUES),
        *(SetInfo(o, "ood", OOD_IMAGES) for o in OOD),
        SetInfo("pairs", "pairs", matched),
        *(SetInfo(v, "viewpoint", SEEN_TWICE_PER_CLASS * len(CLASSES)) for v in VIEWPOINTS),
        SetInfo("instances", "keypoints", SEEN_TWICE_PER_CLASS * len(CLASSES)),
        *(SetInfo(b, "backdrop", BACKDROPS_PER_CLASS * len(CLASSES), paired=True) for b in BACKDROPS),
    )
    portraits = SetInfo("studio", "slice", STUDIO_PER_CLASS * len(CLASSES))
    noted = NOTED_PER_CLASS * len(CLASSES)
    notes = (*(SetInfo(n, "note", noted, paired=True) for n in NOTES), SetInfo(READING, "note", noted))
    return (*(replace(each, depth=True, captions=each.role != "ood") for each in rendered), portraits, *notes)
