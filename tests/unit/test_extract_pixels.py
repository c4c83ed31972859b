"""Rendered pictures on disk: the right ones, made once, here or by processes beside the run, shared with other runs."""

import errno
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.data import load
from pytest_clip.data.imageset import ImageSet
from pytest_clip.data.scenes import load as scenes
from pytest_clip.data.scenes.render import render_rgb
from pytest_clip.extract import pixels
from pytest_clip.extract.rendering import Job
from pytest_clip.extract.studio import Studio


@pytest.fixture(scope="module")
def few() -> list[ImageSet]:
    """A clean and a matched set of a run with --clip-limit=24; the matched one leaves out rows in the middle."""
    return [scenes.image_set("clean", role="clean", limit=24), scenes.image_set("pose", role="factor", limit=24)]


def parts(cache: Path) -> list[Path]:
    return list(cache.rglob("*.part"))


def stored(images: ImageSet, cache: Path) -> np.ndarray[Any, Any]:
    return pixels.place(images, cache).rows()


def studio(sets: list[ImageSet], cache: Path, *, processes: int = 2, heard: list[int] | None = None) -> None:
    """Render all of `sets` in a studio and wait for each."""
    place = Studio(sets, cache, processes=processes)
    try:
        for images in sets:
            place.wait(images, advance=(heard if heard is not None else []).append)
    finally:
        place.close()


def test_pictures_are_those_of_the_sets_own_scenes(few: list[ImageSet], tmp_path: Path) -> None:
    assert few[1].rows != tuple(range(len(few[1])))
    heard: list[int] = []
    for images in few:
        pixels.render_here(images, tmp_path, advance=heard.append)
        made, expected = pixels.Rendered(images, tmp_path), render_rgb(images.scenes or ()).numpy()
        assert (len(made), made[0].dtype, made[0].shape) == (len(images), np.uint8, (128, 128, 3))
        np.testing.assert_array_equal(np.stack([made[i] for i in range(len(images))]), expected)
    assert sum(heard) == sum(len(s) for s in few)


def test_the_first_set_is_rendered_before_the_last_is_drawn_up(few: list[ImageSet], tmp_path: Path) -> None:
    def drawn_up() -> Iterator[ImageSet]:
        yield few[0]
        first = pixels.place(few[0], tmp_path)
        patience = time.monotonic() + 120
        while not first.complete:
            assert time.monotonic() < patience
            time.sleep(0.05)
        yield few[1]

    place = Studio(drawn_up(), tmp_path, processes=1)
    try:
        place.wait(few[1])
    finally:
        place.close()


def test_a_set_that_cannot_be_drawn_up_is_said_and_ends_the_studio(few: list[ImageSet], tmp_path: Path) -> None:
    def drawn_up() -> Iterator[ImageSet]:
        yield few[0]
        raise ClipError("no such set")

    before = threading.active_count()
    with pytest.raises(ClipError, match="no such set"):
        Studio(drawn_up(), tmp_path, processes=1)
    assert threading.active_count() == before


def test_a_studio_of_two_processes_renders_the_same(few: list[ImageSet], tmp_path: Path) -> None:
    heard: list[int] = []
    studio(few, tmp_path / "two", heard=heard)
    assert sum(heard) == sum(len(s) for s in few)
    for images in few:
        pixels.render_here(images, tmp_path / "one")
        np.testing.assert_array_equal(stored(images, tmp_path / "one"), stored(images, tmp_path / "two"))
    assert not parts(tmp_path / "two")


def test_what_is_there_is_not_rendered_again(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for images in few:
        pixels.render_here(images, tmp_path)
    lost = pixels.place(few[0], tmp_path)
    lost.path(2).unlink()
    done: list[range] = []
    render = pixels.render

    def watched(entry: Any, some: Any, span: range) -> None:
        done.append(span)
        render(entry, some, span)

    monkeypatch.setattr(pixels, "render", watched)
    for images in few:
        pixels.render_here(images, tmp_path)
    assert done == [lost.spans[2]]


def test_a_studio_with_nothing_to_do_starts_no_process(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels.render_here(few[1], tmp_path)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: pytest.fail("a process was started"))
    studio([few[1]], tmp_path)


def test_another_limit_has_a_place_of_its_own(tmp_path: Path) -> None:
    places = {pixels.place(load("scenes", limit=n).images("pose"), tmp_path).folder for n in (24, 25, 200, None)}
    assert len(places) == 4


def impossible(images: ImageSet) -> ImageSet:
    """The set with a scene that no renderer can make."""
    assert images.scenes
    return replace(images, scenes=(*images.scenes[:-1], replace(images.scenes[-1], cls="unicorn")), fingerprint="0" * 16)


def test_a_process_that_fails_is_one_error_and_keeps_what_was_finished(few: list[ImageSet], tmp_path: Path) -> None:
    broken = impossible(few[0])
    place = Studio([broken, few[1]], tmp_path, processes=1)
    with pytest.raises(ClipError, match=r"a rendering process ended with status 1: .*unicorn.*; run again, or with --clip-workers=1"):
        place.wait(broken)
    with pytest.raises(ClipError, match="unicorn"):
        place.wait(few[1])
    place.close()
    assert not parts(tmp_path)
    entry = pixels.place(broken, tmp_path)
    assert [entry.path(k).exists() for k in range(4)] == [True, True, True, False]


def test_a_killed_process_is_one_error_and_leaves_nothing(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def doomed(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        return start([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", doomed)
    with pytest.raises(ClipError, match="a rendering process ended with status -9: killed; run again"):
        studio(few, tmp_path)
    assert not parts(tmp_path)


def test_a_closed_studio_leaves_no_process_and_no_half_part(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen

    def noted(*args: object, **options: object) -> "subprocess.Popen[bytes]":
        started.append(start(*args, **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(subprocess, "Popen", noted)
    place = Studio(few, tmp_path, processes=2)
    place.close()
    assert not place.busy
    assert all(process.returncode is not None for process in started)
    assert not parts(tmp_path)


def test_a_studio_leaves_to_others_what_they_are_at_and_takes_over_when_they_die(few: list[ImageSet], tmp_path: Path) -> None:
    entry = pixels.place(few[0], tmp_path)
    other = entry.claims()
    assert next(other) == entry.spans[0]
    second = Studio(few, tmp_path, processes=2)
    second.wait(few[1])
    while second.busy:
        pass
    assert [entry.path(k).exists() for k in range(4)] == [False, True, True, True]
    other.close()  # its process is gone
    second.wait(few[0])
    second.close()
    assert entry.complete


def test_a_full_disk_is_one_error(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(
        ClipError, match=r"cannot write .*\(No space left on device\); free space, or choose another place with --clip-cache"
    ):
        pixels.render_here(few[0], tmp_path)
    assert not parts(tmp_path)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_cache_that_is_a_file_is_an_error(few: list[ImageSet], tmp_path: Path, processes: int) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ClipError, match=r"the cache at .* cannot be written .*--clip-cache-dir=DIR, or use --clip-no-cache"):
        pixels.render_here(few[0], tmp_path / "cache") if processes == 1 else studio(few, tmp_path / "cache")


def test_the_rendering_process_takes_its_jobs_from_standard_input(few: list[ImageSet], tmp_path: Path) -> None:
    entry, all_scenes = pixels.place(few[1], tmp_path), few[1].scenes or ()
    jobs = [pickle.dumps(Job(all_scenes[span.start : span.stop], entry, span)) for span in entry.spans[1:3]]
    command = [sys.executable, "-m", "pytest_clip.extract.rendering"]
    done = subprocess.run(command, input=b"".join(jobs), capture_output=True, check=True)
    assert done.stdout.split() == [str(len(span)).encode() for span in entry.spans[1:3]]
    assert [entry.path(k).exists() for k in range(len(entry.spans))] == [False, True, True, *[False] * (len(entry.spans) - 3)]
    rows = [row for span in entry.spans[1:3] for row in span]
    np.testing.assert_array_equal(entry.some(rows), render_rgb([all_scenes[row] for row in rows]).numpy())
