"""Rendered pictures on disk: the right ones, whole or not at all, made once, here or by processes beside the run."""

import errno
import os
import pickle
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytest_clip import ClipError
from pytest_clip.data import load
from pytest_clip.data.imageset import ImageSet
from pytest_clip.data.scenes import load as scenes
from pytest_clip.data.scenes.render import render_rgb
from pytest_clip.extract import pixels
from pytest_clip.extract.rendering import Job
from pytest_clip.extract.store import AbandonedError, locked
from pytest_clip.extract.studio import Studio


@pytest.fixture(scope="module")
def few() -> list[ImageSet]:
    """A clean and a matched set of a run with --clip-limit=24; the matched one leaves out rows in the middle."""
    return [scenes.image_set("clean", role="clean", limit=24), scenes.image_set("pose", role="factor", limit=24)]


def parts(cache: Path) -> list[Path]:
    return [p for p in (cache / "pixels").iterdir() if p.name.endswith(".part")]


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
        stored = pixels.frames(images, tmp_path)
        assert (stored.dtype, stored.shape) == (np.uint8, (len(images), 128, 128, 3))
        np.testing.assert_array_equal(stored, render_rgb(images.scenes or ()).numpy())
    assert sum(heard) == sum(len(s) for s in few)


def test_a_studio_of_two_processes_renders_the_same(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "JOB", 10)
    heard: list[int] = []
    studio(few, tmp_path / "two", heard=heard)
    assert sum(heard) == sum(len(s) for s in few)
    for images in few:
        pixels.render_here(images, tmp_path / "one")
        np.testing.assert_array_equal(pixels.frames(images, tmp_path / "one"), pixels.frames(images, tmp_path / "two"))
    assert not parts(tmp_path / "two")


def test_what_is_there_is_not_rendered_again(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels.render_here(few[1], tmp_path)
    done: list[Job] = []

    def watched(job: Job) -> int:
        done.append(job)
        return len(job.scenes)

    monkeypatch.setattr(pixels, "render_job", watched)
    for images in few:
        pixels.render_here(images, tmp_path)
    assert [scene for job in done for scene in job.scenes] == list(few[0].scenes or ())


def test_a_studio_with_nothing_to_do_starts_no_process(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels.render_here(few[1], tmp_path)
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **options: pytest.fail("a process was started"))
    studio([few[1]], tmp_path)


def test_another_limit_has_a_place_of_its_own(tmp_path: Path) -> None:
    places = {pixels.place(load("scenes", limit=n).images("pose"), tmp_path) for n in (24, 25, 200, None)}
    assert len(places) == 4


def impossible(images: ImageSet) -> ImageSet:
    """The set with a scene that no renderer can make."""
    assert images.scenes
    return replace(images, scenes=(*images.scenes[:-1], replace(images.scenes[-1], cls="unicorn")))


def test_a_process_that_fails_is_one_error_and_leaves_nothing_of_its_set(few: list[ImageSet], tmp_path: Path) -> None:
    broken = impossible(few[0])
    place = Studio([broken, few[1]], tmp_path, processes=1)
    with pytest.raises(ClipError, match=r"a rendering process ended with status 1: .*unicorn.*; run again, or with --clip-workers=1"):
        place.wait(broken)
    with pytest.raises(ClipError, match="unicorn"):
        place.wait(few[1])
    place.close()
    assert not parts(tmp_path)
    assert not pixels.place(broken, tmp_path).exists()


def test_a_killed_process_is_one_error_and_leaves_nothing(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    start = subprocess.Popen

    def doomed(command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        return start([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", doomed)
    with pytest.raises(ClipError, match="a rendering process ended with status -9: killed; run again"):
        studio(few, tmp_path)
    assert not parts(tmp_path)


def test_an_error_in_this_process_leaves_nothing(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(job: Job) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(pixels, "render_job", fails)
    with pytest.raises(KeyboardInterrupt):
        pixels.render_here(few[0], tmp_path)
    assert not parts(tmp_path)


def test_a_closed_studio_leaves_no_process_and_no_half_set(few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "JOB", 1)
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
    assert not (tmp_path / "pixels").exists() or not parts(tmp_path)


def test_a_second_studio_waits_for_the_first_and_renders_nothing(few: list[ImageSet], tmp_path: Path) -> None:
    lock = locked(tmp_path / "pixels" / "rendering")
    lock.__enter__()
    second = Studio(few[1:], tmp_path, processes=2)
    pixels.render_here(few[1], tmp_path)
    second.wait(few[1])
    assert second.busy
    second.close()
    lock.__exit__(None, None, None)
    assert not second.busy


def test_waiting_for_a_lock_can_be_given_up(tmp_path: Path) -> None:
    lock = locked(tmp_path / "name")
    lock.__enter__()
    gone: list[bool] = []

    def wait() -> None:
        with pytest.raises(AbandonedError), locked(tmp_path / "name", give_up=lambda: True):
            pass
        gone.append(True)

    thread = threading.Thread(target=wait)
    thread.start()
    thread.join(10)
    lock.__exit__(None, None, None)
    assert gone == [True]


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="this system cannot reserve space")
@pytest.mark.parametrize("processes", [1, 2])
def test_a_full_disk_is_an_error_before_anything_is_rendered(
    few: list[ImageSet], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    def full(descriptor: int, start: int, length: int) -> None:
        assert length > len(few[0]) * 128 * 128 * 3
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(
        ClipError, match=r"cannot write .*\(No space left on device\); free space, or choose another place with --clip-cache-dir"
    ):
        pixels.render_here(few[0], tmp_path) if processes == 1 else studio(few, tmp_path)
    assert not parts(tmp_path)


@pytest.mark.parametrize("processes", [1, 2])
def test_a_cache_that_is_a_file_is_an_error(few: list[ImageSet], tmp_path: Path, processes: int) -> None:
    (tmp_path / "cache").write_text("")
    with pytest.raises(ClipError, match=r"the cache at .* cannot be written .*--clip-cache-dir=DIR, or use --clip-no-cache"):
        pixels.render_here(few[0], tmp_path / "cache") if processes == 1 else studio(few, tmp_path / "cache")


def test_the_rendering_process_takes_its_jobs_from_standard_input(few: list[ImageSet], tmp_path: Path) -> None:
    out = tmp_path / "out.npy"
    np.save(out, np.zeros((3, 128, 128, 3), np.uint8))
    whole = scenes.image_set("pose", role="factor").scenes or ()
    job = Job((whole[4], whole[2]), 1, str(out))
    command = [sys.executable, "-m", "pytest_clip.extract.rendering"]
    done = subprocess.run(command, input=pickle.dumps(job), capture_output=True, check=True)
    assert done.stdout == b"2\n"
    made = np.load(out)
    assert not made[0].any()
    np.testing.assert_array_equal(made[1:], render_rgb([whole[4], whole[2]]).numpy())
