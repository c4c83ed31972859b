"""How much a pixel may change. Imports nothing."""

VERSION = 1
"""Part of the key of every stored outcome: raise it whenever an attack could find something else."""

BUDGETS: dict[str, float] = {f"linf-{level:g}": level / 255 for level in (0.25, 0.5, 1.0, 2.0, 4.0)}
"""By the name of its slice the largest change of a value in [0, 1], smallest first: a quarter to four of 255 levels. Ordinary checkpoints
answer nothing rightly from 2 levels on, and what tells them apart lies below 1; papers on robust CLIP give 2 and 4."""
LEVELS = 255
"""What strengths are told in: of 255."""
