"""What `--clip-list` says a run costs is what the run does: the calls of a model are counted and held against it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip.extract import rates
from pytest_clip.plugin import suites as shipped
from pytest_clip.session import looks

CONFTEST = """
import json
import sys
sys.path.insert(0, {here!r})
import painted
from pathlib import Path

class Counting(painted.Reader):
    def encode_image(self, images):
        with Path({log!r}).open("a") as log:
            log.write(f"{{len(images)}}\\n")
        return super().encode_image(images)

    def encode_text(self, texts):
        with Path({log!r} + ".json").open("a") as log:
            log.writelines(json.dumps(text) + "\\n" for text in texts)
        return super().encode_text([f"{{text}} 0" for text in texts]) if not texts[0][-1:].isdigit() else super().encode_text(texts)

def pytest_clip_make_model(spec, config):
    return Counting(spec.text)
"""
WHOLE = "accuracy,factors,ood,corruptions"
CHOSEN = ["-o", "clip_corruptions=contrast\npixelate", "-o", "clip_corruption_images=20", "-o", "clip_corruptions_3d=iso_noise"]


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """30 images of two classes in a table with two columns, and 5 of no class."""
    root = tmp_path / "scans"
    lines = ["path,label,scanner,site"]
    for k in range(30):
        painted.save(root / f"{k}.png", k % 2, (48, 48))
        lines.append(f"{k}.png,class_{k % 2},{'GE' if k < 15 else 'Siemens'},{'north' if k < 7 else 'south'}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    for k in range(5):
        painted.save(root / "ood" / "near" / f"{k}.png", 9 + k, (48, 48))
    return root


@pytest.fixture
def counted(project: pytest.Pytester, measure: Callable, tmp_path: Path) -> Callable:
    """Run suites; gives what the listing says (certain and at most more) and how many pictures went through the model."""
    log = tmp_path / "passes.txt"
    project.makeconftest(CONFTEST.format(here=str(Path(painted.__file__).parent), log=str(log)))

    def run(data: Path, suites: str, *options: str) -> tuple[int, int, int]:
        args = [f"--clip-data={data}", f"--clip-suite={suites}", *options]
        told = project.runpytest_inprocess("-p", "clip", "--clip-list", "--clip-model=ViT-B-32", *args).stdout.str()
        [(certain, more)] = re.findall(r"this run: .*?: (?:about )?([\d,]+) forward passes of pictures(?:, at most ([\d,]+) more)?", told)
        log.unlink(missing_ok=True)
        measure(data, *options, suites=suites)
        made = sum(map(int, log.read_text().split())) if log.exists() else 0
        [texts] = re.findall(r"this run: .*?, ([\d,]+) texts?: ", told) or ["0"]
        texts_log = log.with_name(f"{log.name}.json")
        asked = set(texts_log.read_text().splitlines()) if texts_log.exists() else set()
        assert int(texts.replace(",", "")) == len(asked) or "--clip-suite=retrieval" in args
        texts_log.unlink(missing_ok=True)
        return int(certain.replace(",", "")), int(more.replace(",", "") or 0), made

    return run


@pytest.mark.parametrize(
    "suites", [WHOLE, "corruptions,ood", "corruptions_3d", pytest.param("calibration,prompts", marks=pytest.mark.slow)]
)
def test_the_passes_of_a_run_are_those_of_the_listing(scans: Path, counted: Callable, suites: str) -> None:
    certain, more, made = counted(scans, suites, *CHOSEN)
    assert more == ("ood" in suites) * 35  # what places of 30 known and 5 unknown pictures say, which this model cannot tell
    assert made == certain > 0


def test_a_limit_counts(scans: Path, counted: Callable) -> None:
    certain, _, made = counted(scans, WHOLE, "--clip-limit=12", *CHOSEN)
    assert made == certain
    assert certain == 12 + 5 + 2 * 5 * 12


def test_portraits_are_corrupted_beside_clean_images(counted: Callable) -> None:
    """`contrast` of the two kinds: 19 clean images under five severities of both, and 19 portraits as they are and under one."""
    certain, _, made = counted(Path("scenes"), "corruptions", "--clip-limit=19", *CHOSEN)
    assert made == certain == 19 + 2 * 5 * 19 + 2 * 19


@pytest.mark.slow
def test_searches_are_said_apart(scans: Path, counted: Callable) -> None:
    certain, more, made = counted(scans, "checkpoint,metamorphic")
    assert certain < made <= certain + more


def test_variants_are_said_apart(scans: Path, counted: Callable) -> None:
    certain, more, made = counted(scans, "checkpoint")
    assert made == certain + looks.FEW  # finite_weights asks a model without a torch module for embeddings
    assert more == looks.FEW + 30 * (1 + looks.NORMALIZATIONS)


def test_notes_are_said_before_anybody_knows_who_reads(scans: Path, counted: Callable) -> None:
    certain, more, made = counted(scans, "typographic")
    assert (certain, more, made) == (4 * 30, 30, 4 * 30)  # as they are, blank, neutral, and on gray; the painted model cannot read


def test_captions_and_pools(tmp_path: Path, counted: Callable) -> None:
    root = tmp_path / "shop"
    lines = ["path,caption,negative_caption"]
    for k in range(12):
        painted.save(root / f"{k}.png", k)
        lines.append(f"{k}.png,thing {k},{f'thing {k + 1}' if k < 4 else ''}")
    (root / "manifest.csv").write_text("\n".join(lines) + "\n")
    assert counted(root, "retrieval") == (12, 0, 12)


@pytest.mark.parametrize(
    ("suite", "name", "value"),
    [
        ("checkpoint", "PROBE", looks.PROBE), ("checkpoint", "FEW", looks.FEW), ("metamorphic", "IMAGES", looks.AGREE),
        ("metamorphic", "SEARCHED", looks.SEARCHED),
    ],
)  # fmt: skip
def test_the_numbers_are_those_of_the_suites(suite: str, name: str, value: int) -> None:
    tree = ast.parse((shipped.SUITES / f"test_{suite}.py").read_text("utf-8"))
    found = [each.value.value for each in tree.body if isinstance(each, ast.Assign) and each.targets[0].id == name]
    assert found == [value]


def test_the_number_of_noted_pictures_is_that_of_the_extraction() -> None:
    from pytest_clip.extract import written

    assert looks.PHOTOGRAPHS == written.PHOTOGRAPHS


def test_every_suite_says_what_it_looks_at() -> None:
    assert {f"test_{suite}.py" for suite in looks.SUITES} == {path.name for path in shipped.SUITES.glob("test_*.py")}


def test_the_time_is_reckoned_by_the_last_rate(scans: Path, project: pytest.Pytester, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    args = [
        "-p",
        "clip",
        "--clip-model=ViT-B-32",
        f"--clip-data={scans}",
        "--clip-suite=ood,corruptions",
        f"--clip-cache-dir={cache}",
        *CHOSEN,
    ]
    before = project.runpytest_inprocess(*args, "--clip-list").stdout.str()
    assert "  time of ViT-B-32: not known, because no run with this cache has measured it yet" in before
    rates.note(cache, "ViT-B-32", "cpu", 1000, 4.0)
    after = project.runpytest_inprocess(*args, "--clip-list").stdout.str()
    assert "time of ViT-B-32: about 1 s of forward passes at 250 pictures a second, its last rate on cpu" in after
    assert "not known" in project.runpytest_inprocess(*args, "--clip-list", "--clip-device=cuda").stdout.str()
    project.runpytest_inprocess(*args, "--clip-workers=1", "-p", "no:cacheprovider", "-o", "clip_unjudged=allow")
    rate = rates.known(cache, ["ViT-B-32"], "auto")
    assert rate is not None
    assert rate.images == 20 + 2 * 5 * 20 + 30 + 5  # this run's, in place of the older one: 20 clean ones, corrupted, then all


def test_a_rate_that_means_nothing_is_none(tmp_path: Path) -> None:
    rates.note(tmp_path, "m", "cpu", rates.LEAST - 1, 1.0)
    rates.note(tmp_path, "m", "cpu", 1000, 0.0)
    assert rates.known(tmp_path, ["m"], "auto") is None
    for k, text in enumerate(['{"model": 3}', "[]", "{", '{"model": "m", "device": "cpu", "images": 99, "seconds": -1, "when": 0}']):
        (tmp_path / "rates").mkdir(exist_ok=True)
        (tmp_path / "rates" / f"{k}.json").write_text(text)
    assert rates.known(tmp_path, ["m"], "auto") is None
    rates.note(tmp_path, "m", "cuda:1", 64, 2.0)
    assert rates.known(tmp_path, ["m", "n"], "cuda").per_second == 32
    assert rates.known(tmp_path, ["n"], "auto") is None
    assert rates.known(tmp_path, ["m"], "cpu") is None
