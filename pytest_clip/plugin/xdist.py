"""Living with pytest-xdist: suites stay whole on one worker, workers share cores and cards instead of fighting for them."""

from __future__ import annotations

import os
import sys

import pytest


def is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


def is_first(config: pytest.Config) -> bool:
    """Whether this process does what one of several must do: the only one, or the first worker."""
    return not is_worker(config) or config.workerinput["workerid"] == "gw0"  # type: ignore[attr-defined]


def has_workers(config: pytest.Config) -> bool:
    """Whether this process only hands the tests out."""
    option = config.option
    return bool(getattr(option, "numprocesses", None) or getattr(option, "tx", None))


def send(config: pytest.Config, key: str, value: int | list[str]) -> None:
    """Hand builtins to the controller at the end of this worker; does nothing in a run without workers."""
    if is_worker(config):
        config.workeroutput[key] = value  # type: ignore[attr-defined]


def keep_suites_whole(config: pytest.Config) -> None:
    """xdist's default scatters the tests of one file, and every worker would load every model.

    Called before xdist reads ``--dist``. An explicit ``--dist`` is left alone.
    """
    option = config.option
    if getattr(option, "numprocesses", None) and getattr(option, "dist", None) == "no" and not getattr(option, "distload", False):
        option.dist = "loadfile"
        option.clip_dist = True  # not the user's choice, so `pytest_xdist_make_scheduler` may do better


def settle_worker(config: pytest.Config, device: str) -> None:
    """Give this worker its share of the cores and its card. Must run before torch is imported, which reads both then."""
    if not is_worker(config):
        return
    os.environ.setdefault("OMP_NUM_THREADS", str(_share(config)))
    if device in ("auto", "cuda"):
        from pytest_clip.models.cards import visible_cards

        card = card_of(str(config.workerinput["workerid"]), visible_cards(os.environ))  # type: ignore[attr-defined]
        if card is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = card


def workers(config: pytest.Config) -> int:
    """How many processes run the tests, this one of them."""
    return int(config.workerinput["workercount"]) if is_worker(config) else 1  # type: ignore[attr-defined]


def limit_threads(config: pytest.Config) -> None:
    """torch counts the cores of the machine by itself where it was not built with OpenMP; tell it directly as well."""
    if is_worker(config) and "torch" in sys.modules:
        import torch

        torch.set_num_threads(_share(config))


def _share(config: pytest.Config) -> int:
    """The cores of this worker."""
    from pytest_clip.extract.cores import cores

    return cores(runs=workers(config)).share


def card_of(workerid: str, cards: list[str]) -> str | None:
    number = workerid.removeprefix("gw")
    return cards[int(number) % len(cards)] if cards and number.isdigit() else None


def auto_workers(device: str) -> int | None:
    """``-n auto`` is one worker per card; None leaves it to xdist, which counts cores."""
    if device not in ("auto", "cuda"):
        return None
    from pytest_clip.models.cards import visible_cards

    return len(visible_cards(os.environ)) or None
