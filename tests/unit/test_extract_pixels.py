"""Rendered pictures on disk: the right ones, whole or not at all, made once."""

import errno
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.data import load
from pytest_clip.data.imageset import ImageSet
from pytest_clip.data.scenes import load as scenes
from pytest_clip.data.scenes.render import render_rgb
from pytest_clip.extract import pixels, rendering


@pytest.fixture(scope="module")
def few() -> list[ImageSet]:
    """A clean and a matched set of a run with --clip-limit=24; the matched one leaves out rows in the middle."""
    return [scenes.image_set("clean", role="clean", limit=24), scenes.image_set("pose", role="factor", limit=24)]


def parts(cache: Path) -> list[Path]:
    return [p for p in (cache / "pixels").iterdir() if p.name.endswith(".part")]


def test_pictures_are_those_of_the_sets_own_scenes(few: list[ImageSet], tmp_path: Path) -> None:
    assert few[1].rows != tuple(range(len(few[1])))
    pixels.ensure(few, tmp_path, processes=1)
    for images in few:
        stored = pixels.frames(images, tmp_path)
        assert (stored.dtype, stored.shape) == (np.uint8, (len(images), 128, 128, 3))
        np.testing.assert_array_equal(stored, render_rgb(images.scenes or ()).numpy())


def test_two_processes_render_the_same(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "JOB", 10)
    heard: list[int] = []
    pixels.ensure(few, tmp_path / "one", processes=1, advance=heard.append)
    pixels.ensure(few, tmp_path / "two", processes=2, advance=heard.append)
    assert sum(heard) == 2 * sum(len(s) for s in few)
    for images in few:
        np.testing.assert_array_equal(pixels.frames(images, tmp_path / "one"), pixels.frames(images, tmp_path / "two"))
        assert not parts(tmp_path / "two")


def test_what_is_there_is_not_rendered_again(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels.ensure(few[1:], tmp_path, processes=1)
    done: list[str] = []

    def watched(job: dict[str, object]) -> int:
        done.append(str(job["set"]))
        return 1

    monkeypatch.setattr(rendering, "render_job", watched)
    pixels.ensure(few, tmp_path, processes=1)
    assert done == ["clean"]


def test_another_limit_has_a_place_of_its_own(tmp_path: Path) -> None:
    places = {pixels.place(load("scenes", limit=n).images("pose"), tmp_path) for n in (24, 25, 200, None)}
    assert len(places) == 4


def test_a_process_that_fails_is_one_error_and_leaves_nothing(few: list[ImageSet], tmp_path: Path) -> None:
    broken = replace(few[0], rows=(0, 10**6))
    with pytest.raises(ClipError, match=r"a rendering process ended with status 1: IndexError.*; run again, or with --clip-workers=1"):
        pixels.ensure([broken, few[1]], tmp_path, processes=2)
    assert not parts(tmp_path)
    assert not pixels.place(broken, tmp_path).exists()
    assert not pixels.place(few[1], tmp_path).exists()


def test_a_killed_process_is_one_error_and_leaves_nothing(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def doomed(command: list[str], **options: object) -> "subprocess.Popen[str]":
        return start([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", doomed)
    with pytest.raises(ClipError, match="a rendering process ended with status -9: killed; run again"):
        pixels.ensure(few, tmp_path, processes=2)
    assert not parts(tmp_path)


def test_an_error_in_this_process_leaves_nothing(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(job: dict[str, object]) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(rendering, "render_job", fails)
    with pytest.raises(KeyboardInterrupt):
        pixels.ensure(few, tmp_path, processes=1)
    assert not parts(tmp_path)


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve space")
def test_a_full_disk_is_an_error_before_anything_is_rendered(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int, start: int, length: int) -> None:
        assert length > len(few[0]) * 128 * 128 * 3
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        ClipError, match=r"cannot write .*\(No space left on device\); free space, or choose another place with --clip-cache-dir"
    ):
        pixels.ensure(few, tmp_path, processes=2)
    assert not parts(tmp_path)


def test_a_cache_that_is_a_file_is_an_error(few: list[ImageSet], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ClipError, match=r"the cache at .* cannot be written .*--clip-cache-dir=DIR, or use --clip-no-cache"):
        pixels.ensure(few, tmp_path / "cache", processes=1)


def test_the_rendering_process_takes_its_jobs_from_standard_input(few: list[ImageSet], tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    np.save(out, np.zeros((3, 128, 128, 3), np.uint8))
    job = {"set": "pose", "rows": [4, 2], "start": 1, "out": str(out)}
    command = [sys.executable, "-m", "pytest_clip.extract.rendering"]
    done = subprocess.run(command, input=json.dumps([job]), capture_output=True, text=True, check=True)
    assert done.stdout == "2\n"
    made = np.load(out)
    assert not made[0].any()
    whole = scenes.image_set("pose", role="factor").scenes or ()
    np.testing.assert_array_equal(made[1:], render_rgb([whole[4], whole[2]]).numpy())
