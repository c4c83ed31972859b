"""`pytest-clip cache` and the limit on its size."""

import os
from pathlib import Path

import numpy as np
import pytest

from pytest_clip.cli import main as cli
from pytest_clip.cli.cache import in_words
from pytest_clip.extract import cache
from pytest_clip.extract.entry import Entry
from pytest_clip.plugin import checks


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for k, kind in enumerate(("image", "image", "pixels")):
        entry = Entry(tmp_path / ("pixels" if kind == "pixels" else "answers"), {"kind": kind, "model": "m", "set": f"s{k}"}, 8)
        for span in entry.claims():
            entry.put(span, np.full((len(span), 100), k, np.float32))
        os.utime(entry.folder / "manifest.json", (1000 + k, 1000 + k))
    (tmp_path / "mine.txt").write_text("not the tool's")
    return tmp_path


def shard(place: Path) -> Path:
    return sorted((place / "answers").rglob("*.safetensors"))[0]


def test_info_adds_up(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache", "info", "--all", f"--cache-dir={place}"]) == 0
    lines = capsys.readouterr().out.splitlines()
    sizes = {stored.what: stored.bytes for stored in cache.entries(place)}
    assert min(sizes.values()) > 8 * 400
    assert len(sizes) == 3
    assert lines[0] == f"{place}: {in_words(sum(sizes.values()))}"
    assert [line.split()[:2] for line in lines[1:3]] == [["image", "2"], ["pixels", "1"]]
    assert sorted(" ".join(line.split()[3:]) for line in lines[3:]) == sorted(sizes)
    assert "model=m set=s0 n=8" in sizes


@pytest.mark.parametrize("damage", ["flipped", "cut", "foreign"])
def test_verify_names_damage_and_removes_it_when_told(place: Path, capsys: pytest.CaptureFixture[str], damage: str) -> None:
    verify = ["cache", "verify", f"--cache-dir={place}"]
    assert cli.main(verify) == 0
    assert capsys.readouterr().out == "0 damaged parts\n"
    bad, content = shard(place), shard(place).read_bytes()
    other = sorted((place / "pixels").rglob("*.safetensors"))[0].read_bytes()
    bad.write_bytes({"flipped": content[:-1] + b"\xff", "cut": content[:-1], "foreign": other}[damage])
    assert cli.main(verify) == 1
    said = capsys.readouterr().out
    why = {"flipped": "the checksum differs from the one it was written with", "cut": "cut off", "foreign": "belongs to another entry"}
    assert said.splitlines() == [f"{bad}: {why[damage]}", "1 damaged parts; --remove takes them away, a run makes them again"]
    assert cli.main([*verify, "--remove"]) == 1
    assert not bad.exists()
    assert cli.main(verify) == 0


def every_part(place: Path) -> dict[str, Path]:
    """One of each kind of file that a run reads back."""
    from pytest_clip import store
    from pytest_clip.extract.texts import Texts
    from pytest_clip.models import bundled

    Texts(place, {"model": "m"}).embed(["a dog"], lambda texts: np.ones((len(texts), 4), np.float32))
    store.write_sealed(place / "models" / "known" / "0.json", {"fingerprint": "f" * 16})
    store.write_sealed(place / "content" / "0.json", {"mark": "0" * 64})
    store.write_sealed(place / "found" / "0.json", {"change": 0.0})
    store.recall(place / "depth" / "m" / "set" / "0.npy", lambda: np.ones((4, 4), np.float32))
    store.recall(place / "truths" / "views-0.npy", lambda: np.ones(9, np.float64))
    name = "scenes-rn"
    folder = bundled.expand(name, place)
    return {
        "an answer": shard(place),
        "a picture": sorted((place / "pixels").rglob("*.safetensors"))[0],
        "texts": sorted((place / "texts").rglob("rows-*.safetensors"))[0],
        "names of texts": sorted((place / "texts").rglob("names-*.safetensors"))[0],
        "a manifest": sorted((place / "answers").rglob("manifest.json"))[0],
        "a remembered model": place / "models" / "known" / "0.json",
        "what was found out": place / "found" / "0.json",
        "hashes of files": place / "content" / "0.json",
        "a depth map": place / "depth" / "m" / "set" / "0.npy",
        "correspondences": place / "truths" / "views-0.npy",
        "a bundled model": folder / "open_clip_model.safetensors",
        "its configuration": folder / "open_clip_config.json",
    }


@pytest.mark.parametrize("bit", [0, -1])
def test_verify_looks_at_every_part(place: Path, capsys: pytest.CaptureFixture[str], bit: int) -> None:
    parts = every_part(place)
    known = {(path.relative_to(place).parts[0], path.suffix) for path in parts.values()}
    for path in place.rglob("*"):  # a new kind of file in the cache belongs into the list above
        if path.is_file() and path.suffix not in (".lock", ".txt") and path.name != "manifest.json":
            assert (path.relative_to(place).parts[0], path.suffix) in known, path
    verify = ["cache", "verify", f"--cache-dir={place}"]
    assert cli.main(verify) == 0
    for what, path in parts.items():
        whole = path.read_bytes()
        at = len(whole) // 2 if bit == 0 else len(whole) - 2
        at += what == "a manifest" and bit == -1  # its last bytes are a bracket and the end of the line
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        capsys.readouterr()
        assert cli.main(verify) == 1, what
        assert capsys.readouterr().out.endswith("1 damaged parts; --remove takes them away, a run makes them again\n"), what
        path.write_bytes(whole)
    assert cli.main(verify) == 0
    parts["a bundled model"].write_bytes(b"other")
    assert cli.main([*verify, "--remove"]) == 1
    assert not parts["a bundled model"].parent.exists()
    assert cli.main(verify) == 0


def test_clear_takes_what_is_the_tools_and_nothing_else(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache", "clear", f"--cache-dir={place}"]) == 0
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    assert capsys.readouterr().out.startswith("removed ")


def test_a_cache_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["cache", "info", f"--cache-dir={tmp_path / 'no'}"]) == 2
    assert "there is no cache at" in capsys.readouterr().err


def test_the_limit_takes_what_was_not_used_for_longest_and_never_what_this_run_used(place: Path) -> None:
    one = next(cache.entries(place)).bytes
    assert cache.trim(place, 10 * one, since=5000) == []
    gone = cache.trim(place, round(2.5 * one), since=5000)
    assert [stored.facts["set"] for stored in gone] == ["s0"]
    assert [stored.facts["set"] for stored in cache.trim(place, 0, since=1002)] == ["s1"]
    assert [stored.facts["set"] for stored in cache.entries(place)] == ["s2"]


def test_what_killed_writers_left_goes_after_a_day_and_not_before(place: Path) -> None:
    one = next(cache.entries(place)).folder
    old, new = one / ".rows-000001.safetensors.99-1.part", one / ".rows-000002.safetensors.98-1.part"
    memory, building, lock = (place / "models" / name for name in ("known", ".scenes-rn-ab-x1y2", ".scenes-rn-ab.lock"))
    memory.mkdir(parents=True)
    building.mkdir()
    (building / "weights").write_text("half")
    for path in (old, new, lock, memory / ".a.json.97-1.part"):
        path.write_text("half")
    for path in (old, building, lock, memory / ".a.json.97-1.part", *one.glob("rows-*")):
        os.utime(path, (1000, 1000))
    assert not list(cache.torn(place))  # they count as nothing
    assert cache.trim(place, 10**12, since=0) == []
    assert new.exists()
    assert lock.exists()
    assert not [path for path in (old, building, memory / ".a.json.97-1.part") if path.exists()]
    assert len(list(one.glob("rows-*"))) == 4


@pytest.mark.parametrize(
    ("text", "size"), [("20GB", 20 * 10**9), ("1.5 TB", 15 * 10**11), ("500 mb", 5 * 10**8), ("0B", 0), ("none", None)]
)
def test_sizes(text: str, size: int | None) -> None:
    assert checks.size(text) == size


@pytest.mark.parametrize("text", ["", "20", "GB", "-1GB", "twenty GB", "1e3GB", "inf GB"])
def test_no_sizes(text: str) -> None:
    with pytest.raises(Exception, match=r"is no size; write such as 20GB, 500MB or none"):
        checks.size(text)
