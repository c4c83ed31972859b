"""Images that cannot be read: named and counted before a model loads, refused, or left out with all that belongs to them."""

import io
import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import painted
import pytest
from PIL import Image

from pytest_clip import ClipError
from pytest_clip.data import catalog, content, load, remaining, unreadable
from pytest_clip.data.imageset import ImageSet

HIGHER = 'schema = 1\n[gates."accuracy/top1[clean]"]\nmin = 1.0\n'


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    """Two classes of four pictures; the fourth of class 1 shows the other one."""
    for label in (1, 2):
        for k in range(4):
            painted.save(tmp_path / "pets" / f"class {label}" / f"{k}.png", 2 if k == 3 else label, (30 + k, 30 + label))
    return tmp_path / "pets"


def cut(path: Path) -> Path:
    path.write_bytes(path.read_bytes()[:60])
    return path


def rot(path: Path) -> Path:
    """Damaged where only decoding finds it: the ends are those of a PNG."""
    data = bytearray(path.read_bytes())
    at = data.index(b"IDAT") + 6
    data[at : at + 8] = b"\xff" * 8
    path.write_bytes(data)
    return path


def test_cut_off_images_are_one_error_before_the_model_loads(pets: Path, project: pytest.Pytester, measure: Callable) -> None:
    cut(pets / "class 1" / "1.png")
    (pets / "class 2" / "2.png").write_bytes(b"")
    project.makeconftest("def pytest_clip_make_model(spec, config): raise AssertionError('the model was loaded')")
    _, result = measure(pets, suites="accuracy,calibration")
    result.assert_outcomes(errors=1)
    told = "\n".join(result.outlines)
    assert re.search(
        rf"pets/clean: 2 of 8 images cannot be read \(0 allowed\), the first one {pets}/class 1/1\.png; replace or remove them; "
        rf"pytest-clip doctor --data {pets} names all of the data set; --clip-max-unreadable=2 leaves them out:",
        told,
    )
    assert f"    {pets}/class 1/1.png: not a readable image (" in told
    assert f"    {pets}/class 2/2.png: not a readable image (no picture in a known format)" in told
    assert "images of pets cannot be read, so no gate is measured" in told


def test_damage_inside_is_met_by_the_run_and_named_once(pets: Path, measure: Callable) -> None:
    rot(pets / "class 1" / "1.png")
    rot(pets / "class 2" / "1.png")
    rows, result = measure(pets, "-k", "top1 or top5 or mean_per_class", suites="accuracy")
    assert {row["verdict"] for row in rows.values()} == {"fail"}
    assert len(rows) > 1
    told = "\n".join(result.outlines)
    for label in (1, 2):
        assert told.count(f"    {pets}/class {label}/1.png: not a readable image (") == 1
    assert "pets/clean: 2 of 8 images cannot be read (0 allowed)" in told
    assert told.count("(they are named at the first gate that failed for them)") >= len(rows) - 1


@pytest.mark.parametrize("damage", [cut, rot])
def test_up_to_a_number_they_are_left_out_and_counted(pets: Path, measure: Callable, damage: Callable) -> None:
    for name in ("class 1/1.png", "class 1/2.png"):
        damage(pets / name)
    rows, result = measure(pets, "--clip-max-unreadable=2", suites="accuracy,factors")
    row = rows["accuracy/top1[clean]"]
    assert (row["value"], row["n"], row["conventions"]["left_out"]) == (5 / 6, 6, "2 unreadable of clean"), result.outlines
    (data,) = json.loads((Path.cwd() / "report.json").read_text())["data"]
    assert data["n"] == {"clean": 6}
    assert [each.partition(": ")[0] for each in data["unreadable"]["clean"]["images"]] == [f"{pets}/class 1/{k}.png" for k in (1, 2)]
    assert (data["sets"].keys(), data["unreadable"]["clean"]["n"]) == ({"clean"}, 2)
    places = f"{pets}/class 1/1.png, {pets}/class 1/2.png"
    result.stdout.fnmatch_lines([f"data pets: 2 images of clean cannot be read and are left out: {places}"])
    assert "--clip-max-unreadable=2" in measure(pets, "--clip-max-unreadable=2", suites="accuracy", rules=HIGHER)[1].stdout.str()
    rows, result = measure(pets, "--clip-max-unreadable=1", suites="accuracy")
    assert not any(row["n"] for row in rows.values())
    assert "2 of 8 images cannot be read (1 allowed)" in result.stdout.str()


def test_the_ini_file_may_say_so_and_nonsense_is_refused(pets: Path, project: pytest.Pytester, measure: Callable) -> None:
    cut(pets / "class 1" / "1.png")
    project.makeini("[pytest]\nclip_max_unreadable = 1\n")
    assert measure(pets, suites="accuracy")[0]["accuracy/top1[clean]"]["n"] == 7
    project.makeini("[pytest]\nclip_max_unreadable = some\n")
    measure(pets, suites="accuracy")[1].stderr.fnmatch_lines(["*clip_max_unreadable: 'some' is not a whole number of at least 0"])


def test_pictures_that_are_there_twice_are_told_before_a_run(pets: Path, measure: Callable) -> None:
    (pets / "class 2" / "copy.png").write_bytes((pets / "class 1" / "0.png").read_bytes())
    for k in range(4):
        (pets / "class 1" / f"again {k}.png").write_bytes((pets / "class 1" / f"{k}.png").read_bytes())
    _, result = measure(pets, suites="accuracy", rules="schema = 1\n")
    told = result.stdout.str()
    assert "data pets: 1 images are there under different labels; keep each under the right one:" in told
    assert "data pets: 3 images are there more than once; keep one of each" in told
    assert f"    and 1 more; pytest-clip doctor --data {pets} names them" in told


def test_slices_and_shards_follow(tmp_path: Path) -> None:
    root = tmp_path / "scans"
    rows = ["path,label,scanner"] + [f"{k}.png,class_{k % 2},{'ge' if k < 4 else 'siemens'}" for k in range(8)]
    for k in range(8):
        painted.save(root / f"{k}.png", k, (20 + k, 20))
    (root / "manifest.csv").write_text("\n".join(rows) + "\n")
    whole = load(str(root))
    rot(root / "2.png")
    cut(root / "6.png")
    data = load(str(root), max_unreadable=2)
    clean, part = data.images("clean"), data.images("scanner=siemens")
    assert clean.ids == tuple(each for each in whole.images("clean").ids if each not in ("2.png", "6.png"))
    assert set(part.ids) == {"4.png", "5.png", "7.png"}
    assert [clean.ids[row] for row in part.at] == list(part.ids)  # type: ignore[union-attr]
    assert [clean.labels[row] for row in part.at] == part.labels.tolist()  # type: ignore[union-attr]
    assert {name: len(lost) for name, lost in data.left_out.items()} == {"clean": 2, "scanner=siemens": 1}
    assert clean.fingerprint != whole.images("clean").fingerprint
    with pytest.raises(ClipError, match="scans/clean: 2 of 8 images cannot be read \\(1 allowed\\)"):
        load(str(root), max_unreadable=1).images("scanner=ge")


def test_what_belongs_together_stays_together() -> None:
    def some(**more: object) -> ImageSet:
        n = 6
        files = tuple(Path(f"{k}.png") for k in range(n))
        given = {"role": "x", "ids": tuple("abcdef"), "labels": np.arange(n), "files": files} | more
        return ImageSet(name="s", data="d", classes=tuple("uvwxyz"), fingerprint="f", **given)  # type: ignore[arg-type]

    def frame(row: int, size: tuple[int, int]) -> tuple[int, int, int, int]:
        return row, row, row, row

    films = some(
        worst_of=((0, 1), (2, 3), (4, 5)), accepted=tuple((k,) for k in range(6)), attributes={"look": tuple("ABCDEF")}, frame=frame
    )
    left = remaining.without(films, unreadable.left(films, [3]))
    assert (left.ids, left.labels.tolist(), left.files) == (
        tuple("abcef"),
        [0, 1, 2, 4, 5],
        tuple(Path(f"{k}.png") for k in (0, 1, 2, 4, 5)),
    )
    assert left.worst_of == ((0, 1), (3, 4))
    assert (left.accepted, left.attributes) == (((0,), (1,), (2,), (4,), (5,)), {"look": tuple("ABCEF")})
    assert left.frame(3, (9, 9)) == (4, 4, 4, 4)  # type: ignore[misc]
    quads = some(role="quads", captions=tuple("123456"))
    assert remaining.without(quads, unreadable.left(quads, [3])).captions == ("1", "2", "5", "6")
    pairs = some(within="pictures", at=np.array([1, 2, 3, 1, 2, 3]), pairs=np.array([0, 0, 0, 4, 4, 4]))
    left = remaining.following(pairs, place=unreadable.left(some(), [2, 0]))
    assert (left.ids, left.at.tolist(), left.pairs.tolist()) == (("d", "f"), [0, 1], [2, 2])  # type: ignore[union-attr]
    assert remaining.following(pairs, place={k: k for k in range(6)}) is pairs
    assert len({left.fingerprint, "f", remaining.without(films, unreadable.left(films, [4])).fingerprint}) == 3


def test_what_is_looked_at_is_remembered_by_content(pets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut(pets / "class 1" / "1.png")
    content.remember_in(tmp_path / "memory")
    try:
        first = unreadable.look(load(str(pets)).images("clean"), all_decoded=False)
        with monkeypatch.context() as patch:
            patch.setattr(unreadable, "_look", lambda *args: pytest.fail("looked again"))
            pets.rename(tmp_path / "moved")
            (tmp_path / "elsewhere").mkdir()
            moved = (tmp_path / "moved").rename(tmp_path / "elsewhere" / "pets")
            again = unreadable.look(load(str(moved)).images("clean"), all_decoded=False)
        assert again.digests == first.digests
        assert [text.replace(str(moved), str(pets)) for text in again.wrong.values()] == list(first.wrong.values())
        assert str(moved) in next(iter(again.wrong.values()))
    finally:
        content.remember_in(None)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_ends_of_a_file(kind: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 50).convert("RGB").save(out, kind)
    data = out.getvalue()
    for lost in (0, 1, len(data) // 2, len(data) - 20):
        part = data[: len(data) - lost]
        sound = unreadable.sound(part[: unreadable.HEAD], part[-unreadable.TAIL :], len(part))
        assert sound is (lost == 0) or (kind == "PNG" and lost == 1)  # the last byte of its checksum; Pillow does not miss it
    assert not unreadable.sound(b"GIF89a" + b"0" * 10, b"", 16)  # no rule for it: decoded


def test_a_name_with_control_characters_cannot_write_to_the_terminal(pets: Path, measure: Callable) -> None:
    (pets / "class 1" / "\x1b[2J\nPASSED.png").write_bytes(b"")
    _, result = measure(pets, suites="accuracy")
    told = result.stdout.str()
    assert "\x1b[2J" not in told
    assert f"{pets}/class 1/\\x1b[2J\\nPASSED.png: not a readable image" in told


def test_a_set_that_is_compared_with_others_lacks_none(pets: Path) -> None:
    cut(pets / "class 1" / "1.png")
    images = load(str(pets)).images("clean")
    with pytest.raises(ClipError, match="none of clean can be left out, because it is compared with other sets image by image"):
        unreadable.sorted_out(images, 5, together=True)


def test_what_nobody_asks_for_is_not_read(pets: Path, measure: Callable) -> None:
    for k in range(3):
        painted.save(pets / "ood" / "near" / f"{k}.png", 9)
    cut(pets / "ood" / "near" / "1.png")
    assert [each.name for each in catalog.sets(str(pets))] == ["clean", "near"]
    rows, _ = measure(pets, suites="accuracy")
    assert rows["accuracy/top1[clean]"]["n"] == 8
    (data,) = json.loads((Path.cwd() / "report.json").read_text())["data"]
    assert (data["sets"].keys(), data["n"]) == ({"clean"}, {"clean": 8, "near": 3})
    assert "pets/near: 1 of 3 images cannot be read" in measure(pets, suites="ood")[1].stdout.str()


def test_a_baseline_knows_which_pictures_changed(pets: Path, measure: Callable) -> None:
    for k in range(3):
        painted.save(pets / "ood" / "near" / f"{k}.png", 9)
    measure(pets, "--clip-save=base", suites="accuracy")
    painted.save(pets / "ood" / "near" / "1.png", 10)
    rows, result = measure(pets, "--clip-baseline=base", suites="accuracy,ood")
    assert rows["accuracy/top1[clean]"]["baseline"]["value"] == 7 / 8, result.outlines
    painted.save(pets / "class 1" / "1.png", 10)
    told = measure(pets, "--clip-baseline=base", suites="accuracy")[1].stdout.str()
    assert re.search("the data set pets/clean had the fingerprint [0-9a-f]{16} there and has [0-9a-f]{16} now", told)
