"""Starting other Python processes: they run in the user's folder and import nothing from it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

ROOT = str(Path(__file__).parents[2])
"""Where this package lies: the last place that a child looks at, for a checkout that is not installed."""
_START = """
import sys
sys.path = [each for each in sys.path if each]
{root!r} in sys.path or sys.path.append({root!r})
import runpy
sys.argv = {argv!r}
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def command(module: str, *arguments: str) -> list[str]:
    """A command line that runs `module` as `python -m` does, without the current folder among the places where modules are looked for.

    With `-m` a `random.py` or `numpy.py` that lies where the user works is imported in place of the real one. `-P` keeps the folder out
    from the beginning, but Python 3.10 does not know it: there the first line that runs takes it out, before anything is imported.
    PYTHONPATH stays what it is: whoever sets it means it, and this process looks there, too.
    """
    safe = ["-P"] if sys.version_info >= (3, 11) else []
    return [sys.executable, *safe, "-c", _START.format(root=ROOT, argv=[module, *arguments])]


def python_path() -> str:
    """PYTHONPATH for processes that somebody else starts: as it is here, with this package, if it is a checkout that is not installed."""
    given = os.environ.get("PYTHONPATH", "")
    installed = Path(ROOT).name in ("site-packages", "dist-packages")
    return given if installed or ROOT in given.split(os.pathsep) else os.pathsep.join(filter(None, (given, ROOT)))
