"""A pytest plugin (`-p counting`): pictures that were decoded, pictures and texts that went through models in this process, and torch.

Nothing is imported for it: a module is watched when the run itself imports it. Appends one JSON line to $COUNTED_CALLS, in which `torch`
is 1 where anything imported it. A short batch of texts is filled up with copies of its last one, so that rows do not depend on its
length: those are counted as `padding`. It refuses to load after what it watches.
"""

from __future__ import annotations

import importlib.abc
import importlib.util
import json
import os
import sys
from pathlib import Path

COUNTS = {"decoded": 0, "images": 0, "texts": 0, "distinct_texts": 0, "padding": 0}
_seen: set[str] = set()


def _watch_pictures(module):
    decode = module.decode

    def counted(*args, **options):
        COUNTS["decoded"] += 1
        return decode(*args, **options)

    module.decode = counted


def _watch_models(module):
    model = module.OpenClipModel
    images, texts = model.encode_image, model.encode_text

    def encode_image(self, batch):
        COUNTS["images"] += len(batch)
        return images(self, batch)

    def encode_text(self, some):
        COUNTS["texts"] += len(set(some))
        COUNTS["padding"] += len(some) - len(set(some))
        _seen.update(f"{self.fingerprint} {text}" for text in some)
        COUNTS["distinct_texts"] = len(_seen)
        return texts(self, some)

    model.encode_image, model.encode_text = encode_image, encode_text


WATCHED = {"pytest_clip.data.pictures": _watch_pictures, "pytest_clip.models.openclip_model": _watch_models}


class Watcher(importlib.abc.MetaPathFinder):
    """Lets the usual finders find a watched module, and changes it once it is loaded."""

    def find_spec(self, name, path=None, target=None):
        if name not in WATCHED:
            return None
        change = WATCHED.pop(name)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            change(module)

        spec.loader.exec_module = exec_module
        return spec


if early := sys.modules.keys() & WATCHED.keys():
    raise RuntimeError(f"imported before they could be watched: {', '.join(sorted(early))}; their calls would go unseen")
sys.meta_path.insert(0, Watcher())


def pytest_unconfigure(config):
    with Path(os.environ["COUNTED_CALLS"]).open("a") as out:
        out.write(json.dumps({**COUNTS, "torch": int("torch" in sys.modules)}) + "\n")
