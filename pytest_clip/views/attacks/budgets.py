"""How much a pixel may change, and how hard it is tried. Imports nothing."""

VERSION = 2
"""Part of the key of every stored outcome: raise it whenever an attack could find something else."""

BUDGETS: dict[str, float] = {f"linf-{level:g}": level / 255 for level in (0.25, 0.5, 1.0, 2.0, 4.0)}
"""By the name of its slice the largest change of a value in [0, 1], smallest first: a quarter to four of 255 levels. Ordinary checkpoints
answer nothing rightly from 2 levels on, and what tells them apart lies below 1; papers on robust CLIP give 2 and 4."""
LEVELS = 255
"""What strengths are told in: of 255."""

IMAGES, STEPS = 190, 20
"""Of the suite unless the user says otherwise. 190 are the pictures of the suite `metamorphic`, ten a class of the embedded benchmark."""
TARGETS = 9
"""Likeliest wrong classes that a picture is driven to when cross-entropy has found nothing, as published; fewer where there are fewer."""
HALVINGS = 4
"""Of the distance between two budgets, until the smallest break is known to a sixteenth of it."""
