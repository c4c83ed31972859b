"""Processes of our own import nothing from the folder that the user works in."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pytest_clip
from pytest_clip.data.scenes import load as scenes
from pytest_clip.extract import children, pixels
from pytest_clip.extract.studio import Studio

NAMES = (
    *("random", "json", "pickle", "runpy", "linecache", "traceback", "os", "site", "sitecustomize", "usercustomize", "torch", "numpy"),
    *("pytest", "filelock", "safetensors", "encodings", "subprocess", "threading", "colorsys", "pathlib", "argparse"),
)


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, in which a file of every name leaves its name in `ran` when it is imported."""
    folder = tmp_path / "work"
    folder.mkdir()
    for name in NAMES:
        (folder / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'a').write({name!r} + ' ')\n")
    monkeypatch.chdir(folder)
    yield folder
    ran = tmp_path / "ran"
    assert not ran.exists(), ran.read_text()


def test_the_planted_files_would_run(here, tmp_path):
    subprocess.run([sys.executable, "-m", "json.tool", os.devnull], check=False, capture_output=True)
    assert (tmp_path / "ran").exists()
    (tmp_path / "ran").unlink()


def test_modules_get_their_arguments_and_nothing_of_the_folder(here):
    done = subprocess.run(children.command("pytest", "--version"), check=True, capture_output=True, text=True)
    assert done.stdout == f"pytest {pytest.__version__}\n"


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 imports linecache before the first line runs, but it knows -P")
def test_without_the_option_of_python_3_11(here, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 14))
    command = children.command("pytest", "--version")
    monkeypatch.undo()
    assert "-P" not in command
    assert subprocess.run(command, check=True, capture_output=True, text=True, cwd=here).stdout.startswith("pytest ")


def test_a_checkout_that_is_not_installed_is_found(tmp_path):
    """-S: without installed packages, which need not be there to see where this one is found."""
    command = children.command("pytest_clip")
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    at = command.index("-c")
    done = subprocess.run([*command[:at], "-S", *command[at:]], check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert "No module named pytest_clip.__main__; 'pytest_clip' is a package" in done.stderr


def test_the_renderer(here, tmp_path):
    images = scenes.image_set("clean", role="clean", limit=24)
    studio = Studio([images], tmp_path / "cache", processes=1)
    try:
        studio.wait(images)
    finally:
        studio.close()
    assert pixels.place(images, tmp_path / "cache").complete


def test_the_renderer_of_the_trainer(here, tmp_path):
    from pytest_clip.train.pool import ROUND, Pool
    from pytest_clip.train.recipe import RECIPES
    from pytest_clip.train.run import start_renderer

    pool = Pool.at(tmp_path / "pool", size=ROUND, mode="w+")
    worker = start_renderer(next(iter(RECIPES.values())), tmp_path / "pool", size=ROUND)
    try:
        assert worker.wait(timeout=300) == 0
    finally:
        worker.kill()
        worker.wait()
    assert int(pool.filled[0]) == ROUND


def test_no_other_python_is_started():
    """Whoever starts one asks `children` for the command line."""
    root = Path(pytest_clip.__file__).parent
    found = []
    for path in root.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        found += [f"{path.name}: {line}" for line in re.findall(r".*sys\.executable.*", text) if path.name != "children.py"]
        if re.search(r"\b(multiprocessing|ProcessPoolExecutor|os\.fork|os\.exec|os\.system|os\.spawn)", text):
            found.append(path.name)
    assert [line for line in found if '"python": sys.executable' not in line] == []
