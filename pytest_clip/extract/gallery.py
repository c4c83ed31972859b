"""The rendered pictures of a run: which sets are made ahead, and the wait for one that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from .pixels import place, render_here
from .studio import Studio

if TYPE_CHECKING:
    from ..data import Data
    from ..data.imageset import ImageSet


class Progress(Protocol):
    """Hears how a long step goes."""

    def advance(self, n: int) -> None: ...
    def close(self) -> None: ...


class Silent:
    """Progress that nobody watches."""

    def advance(self, n: int) -> None:
        del n

    def close(self) -> None: ...


class Gallery:
    """Pictures in `cache`; those of the sets `wanted` are rendered by `processes` beside the run, in that order, once `start` says so.

    None of them, and a set is rendered in the run itself when it is asked for.
    """

    def __init__(self, cache: Path, *, processes: int, wanted: tuple[str, ...], progress: Callable[[str, int], Progress]) -> None:
        self._cache, self._processes, self._wanted, self._progress = cache, processes, wanted, progress
        self._studios: dict[str, Studio] = {}
        self._threads: int | None = None

    def start(self, data: Data) -> None:
        """Begin to render what the run will ask for and lacks, beside whatever comes next."""
        if data.name in self._studios or not self._processes:
            return
        known = {s.name for s in data.sets}
        sets = (data.images(name) for name in self._wanted if name in known)
        self._studios[data.name] = Studio(sets, self._cache, processes=self._processes)
        self._make_room()

    def _make_room(self) -> None:
        """One torch thread while the renderers have the cores, all of them again afterwards.

        Threads that wait for a core spin: beside two renderers on two cores, a batch of 24 pictures took 2.4 s instead of 0.03 s.
        """
        busy = any(studio.busy for studio in self._studios.values())
        if not busy and self._threads is None:
            return
        import torch

        if busy and self._threads is None:
            self._threads = torch.get_num_threads()
            torch.set_num_threads(1)
        elif not busy and self._threads is not None:
            torch.set_num_threads(self._threads)
            self._threads = None

    def close(self) -> None:
        """Stop rendering; finished sets stay in the cache."""
        for studio in self._studios.values():
            studio.close()
        self._studios.clear()
        self._make_room()

    def hang(self, data: Data, name: str) -> None:
        """Return when the pictures of `name` exist."""
        images = data.images(name)
        self._make_room()
        if images.drawn is None or place(images, self._cache).complete:
            return
        self.start(data)
        bar = self._progress(f"rendering {data.name}/{name}", len(images))
        try:
            if name in self._wanted and data.name in self._studios:
                self._studios[data.name].wait(images, advance=bar.advance)
            else:
                self._render_now(images, bar)
        finally:
            bar.close()

    def _render_now(self, images: ImageSet, bar: Progress) -> None:
        if not self._processes:
            render_here(images, self._cache, advance=bar.advance)
            return
        studio = Studio([images], self._cache, processes=self._processes)
        try:
            studio.wait(images, advance=bar.advance)
        finally:
            studio.close()
