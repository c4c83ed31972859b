"""A pytest plugin (`-p passes`): processor seconds that threads spent inside a model, of pictures and of texts, and how many there were.

Each stream of a run computes its batch on the thread that asks for it as long as it has one thread of its own, so the time of that thread
is the time of the pass (with more threads than streams it is not: then PASSES says how many threads torch had). One JSON line to $PASSES.
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import threading
import time
from pathlib import Path

SPENT = {"images": 0, "image_seconds": 0.0, "texts": 0, "text_seconds": 0.0, "threads": 0}
LOCK = threading.Lock()


def _watch(module):
    def timed(name, what):
        inner = getattr(module.OpenClipModel, name)

        def call(self, some):
            import torch

            began = time.thread_time()
            out = inner(self, some)
            took = time.thread_time() - began
            with LOCK:
                SPENT[f"{what}s"] += len(some)
                SPENT[f"{what}_seconds"] += took
                SPENT["threads"] = max(SPENT["threads"], torch.get_num_threads())
            return out

        setattr(module.OpenClipModel, name, call)

    timed("encode_image", "image")
    timed("encode_text", "text")


class Watcher:
    """As in `counting`: the usual finders find the module, and it is changed once it is loaded."""

    def find_spec(self, name, path=None, target=None):
        if name != "pytest_clip.models.openclip_model":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            _watch(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, Watcher())


def pytest_unconfigure(config):
    with Path(os.environ["PASSES"]).open("a") as out:
        out.write(json.dumps(SPENT) + "\n")
