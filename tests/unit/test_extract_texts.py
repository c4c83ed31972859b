"""Text embeddings: each distinct text goes through a model once, whoever asks, whatever was torn meanwhile."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_models
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.data.prompts import fill
from pytest_clip.extract import cache as caches
from pytest_clip.extract import shards
from pytest_clip.extract import texts as module
from pytest_clip.extract.cores import Cores
from pytest_clip.extract.extraction import Extraction
from pytest_clip.extract.texts import CHUNK, LEAST, MOST, Texts, side_by_side
from pytest_clip.models import openclip, spec
from pytest_clip.models.openclip_model import OpenClipModel

KEY = {"model": "m" * 16, "device": "cpu", "torch": "9"}


class Encoder:
    """A text's embedding is made of its letters; remembers what it was asked, without what only fills a batch up."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.batches: list[int] = []

    def __call__(self, texts: list[str]) -> np.ndarray[Any, Any]:
        self.batches.append(len(texts))
        self.asked += dict.fromkeys(texts)
        return meant(texts)


def meant(texts: list[str]) -> np.ndarray[Any, Any]:
    return np.array([[len(text), sum(map(ord, text)) % 9973, ord(text[0]) if text else -1] for text in texts], np.float32)


def words(first: int, last: int) -> list[str]:
    return [f"a photo of thing {k}" for k in range(first, last)]


@given(st.lists(st.text(max_size=6), min_size=1, max_size=60), st.lists(st.text(max_size=6), min_size=1, max_size=60))
@settings(max_examples=25, deadline=None)
def test_any_texts_in_any_order_and_number_come_back_in_their_places(
    tmp_path_factory: pytest.TempPathFactory, one: list[str], two: list[str]
) -> None:
    where, encode = tmp_path_factory.mktemp("texts"), Encoder()
    store = Texts(where, KEY)
    for asked in (one, two, one + two):
        np.testing.assert_array_equal(store.embed(asked, encode), meant(asked))
    np.testing.assert_array_equal(Texts(where, KEY).embed(two[::-1] + one, encode), meant(two[::-1] + one))
    assert sorted(encode.asked) == sorted(set(one) | set(two))


@pytest.mark.parametrize(
    ("brisk", "batches"),
    [
        (3600.0, [CHUNK, 2 * CHUNK, 4 * CHUNK, 8 * CHUNK, MOST, MOST, LEAST]),
        (0.0, [CHUNK] * 47 + [LEAST]),  # another worker must not wait for minutes
    ],
)
def test_many_texts_are_encoded_in_chunks_and_a_few_are_filled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brisk: float, batches: list[int]
) -> None:
    monkeypatch.setattr(module, "BRISK", brisk)
    encode, number = Encoder(), 15 * CHUNK + 2 * MOST + 5
    Texts(tmp_path, KEY).embed(words(0, number), encode)
    assert encode.batches == batches
    assert len(encode.asked) == len(set(encode.asked)) == number


@given(number=st.integers(1, 200), streams=st.integers(1, 5))
@settings(max_examples=60, deadline=None)
def test_side_by_side_each_text_is_encoded_once_and_in_its_place(number: int, streams: int) -> None:
    batches: list[int] = []

    def encode(texts: list[str]) -> np.ndarray[Any, Any]:
        batches.append(len(texts))
        return meant(texts)

    before, texts = torch.get_num_threads(), words(0, number)
    np.testing.assert_array_equal(side_by_side(encode, Cores(share=2, streams=streams, renderers=0))(texts), meant(texts))
    assert sum(batches) == number
    assert len(batches) == max(1, min(streams, number // LEAST))
    assert min(batches) >= min(number, LEAST)
    assert torch.get_num_threads() == before


def test_side_by_side_an_error_is_that_of_the_texts(tmp_path: Path) -> None:
    def encode(texts: list[str]) -> np.ndarray[Any, Any]:
        raise ClipError(f"{len(texts)} texts cannot be read")

    with pytest.raises(ClipError, match="20 texts cannot be read"):
        side_by_side(encode, Cores(share=2, streams=2, renderers=0))(words(0, 40))


def test_no_texts_are_an_empty_question(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="need at least one array"):
        Texts(tmp_path, KEY).embed([], Encoder())


def test_two_stores_open_at_once_learn_from_each_other(tmp_path: Path) -> None:
    one, two, encode = Texts(tmp_path, KEY), Texts(tmp_path, KEY), Encoder()
    one.embed(words(0, 3), encode)
    two.embed(words(2, 5), encode)
    one.embed(words(0, 6), encode)
    two.embed(words(0, 6), encode)
    assert sorted(encode.asked) == words(0, 6)


@pytest.mark.parametrize("change", [{"model": "n" * 16}, {"device": "cuda"}, {"torch": "10"}])
def test_whatever_the_key_says_has_texts_of_its_own(tmp_path: Path, change: dict[str, str]) -> None:
    encode = Encoder()
    Texts(tmp_path, KEY).embed(["a", "b"], encode)
    Texts(tmp_path, {**KEY, **change}).embed(["a", "b"], encode)
    assert encode.asked == ["a", "b"] * 2


def stored(where: Path, kind: str) -> list[Path]:
    return sorted(where.rglob(f"{kind}-*{shards.SUFFIX}"))


@pytest.mark.parametrize("kind", ["names", "rows"])
@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "gone", "others"])
def test_torn_files_are_made_again_and_the_others_are_not(tmp_path: Path, kind: str, damage: str) -> None:
    first, encode = Texts(tmp_path, KEY), Encoder()
    for part in (words(0, 20), words(20, 50)):
        first.embed(part, encode)
    names = next(path for path in stored(tmp_path, "names") if shards.header(path).shape[0] == 20)
    path = names.with_name(names.name.replace("names", kind))
    whole = path.read_bytes()
    other = next(each for each in stored(tmp_path, kind) if each != path).read_bytes()
    if damage == "gone":
        path.unlink()
    else:
        path.write_bytes({"cut": whole[:-9], "flipped": whole[:-1] + bytes([whole[-1] ^ 1]), "empty": b"", "others": other}[damage])
    encode.asked.clear()
    np.testing.assert_array_equal(Texts(tmp_path, KEY).embed(words(0, 50), encode), meant(words(0, 50)))
    assert sorted(encode.asked) == sorted(words(0, 20))
    assert not list(caches.torn(tmp_path))
    encode.asked.clear()
    np.testing.assert_array_equal(Texts(tmp_path, KEY).embed(words(0, 50), encode), meant(words(0, 50)))
    assert not encode.asked


def test_rows_that_were_read_never_belong_to_other_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two reads of a slow process, a quick one finds the rows torn and puts other texts into their place."""
    encode = Encoder()
    Texts(tmp_path, KEY).embed(words(0, 20), encode)
    [rows] = stored(tmp_path, "rows")
    read = shards.read

    def slow(path: Path) -> np.ndarray[Any, Any]:
        out = read(path)
        if path.name.startswith("names"):
            monkeypatch.setattr(shards, "read", read)
            rows.write_bytes(rows.read_bytes()[:-4])
            Texts(tmp_path, KEY).embed(words(30, 50), encode)
        return out

    monkeypatch.setattr(shards, "read", slow)
    np.testing.assert_array_equal(Texts(tmp_path, KEY).embed(words(0, 20), encode), meant(words(0, 20)))


def test_a_writer_that_dies_between_rows_and_names_has_written_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = shards.write

    def dies(path: Path, rows: np.ndarray[Any, Any], *, entry: str) -> None:
        if path.name.startswith("names"):
            raise KeyboardInterrupt
        write(path, rows, entry=entry)

    encode = Encoder()
    with monkeypatch.context() as patch:
        patch.setattr(module.shards, "write", dies)
        with pytest.raises(KeyboardInterrupt):
            Texts(tmp_path, KEY).embed(words(0, 5), encode)
    assert (len(stored(tmp_path, "rows")), len(stored(tmp_path, "names"))) == (1, 0)
    np.testing.assert_array_equal(Texts(tmp_path, KEY).embed(words(3, 9), encode), meant(words(3, 9)))
    np.testing.assert_array_equal(Texts(tmp_path, KEY).embed(words(0, 9), encode), meant(words(0, 9)))
    assert not list(caches.torn(tmp_path))


def test_a_full_disk_is_one_error_that_names_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any, **kwargs: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(ClipError, match=r"cannot write .*/texts/\w{32}/rows-\w+.safetensors \(No space left on device\).*--clip-cache-dir"):
        Texts(tmp_path, KEY).embed(["a"], Encoder())
    assert not stored(tmp_path, "rows")
    assert not list(tmp_path.rglob("*.part"))


ASKS = """
import sys, time, numpy as np
from pathlib import Path
from pytest_clip.extract.texts import Texts
here, name, asked = Path(sys.argv[1]), sys.argv[2], [f"text {k}" for k in range(int(sys.argv[3]), int(sys.argv[4]))]

def encode(texts):
    with (here / f"{name}.log").open("a") as out:
        out.writelines(f"{text}\\n" for text in dict.fromkeys(texts))
    time.sleep(0.2)  # long enough for the other to come between
    return np.array([[int(text.split()[1])] for text in texts], np.float32)

(here / f"{name}.here").touch()
while len(list(here.glob("*.here"))) < 2:
    time.sleep(0.01)
rows = Texts(here / "cache", {"model": "m"}).embed(asked, encode)
print([f"text {row:.0f}" for row in rows[:, 0]] == asked)
"""


def test_two_processes_that_ask_at_once_encode_each_text_once(tmp_path: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", ASKS, str(tmp_path), *how], stdout=subprocess.PIPE, text=True)
        for how in (("one", "0", "700"), ("two", "300", "900"))
    ]
    assert [process.communicate(timeout=60)[0].strip() for process in both] == ["True", "True"]
    asked = [(tmp_path / f"{name}.log").read_text().splitlines() for name in ("one", "two")]
    assert all(asked)
    assert sorted(asked[0] + asked[1]) == sorted(f"text {k}" for k in range(900))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.folder(tmp_path_factory.mktemp("model") / "tiny")


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The distinct texts of each forward pass."""
    seen: list[str] = []
    encode = OpenClipModel.encode_text

    def noted(self: OpenClipModel, texts: list[str]) -> torch.Tensor:
        seen.extend(dict.fromkeys(texts))
        return encode(self, texts)

    monkeypatch.setattr(OpenClipModel, "encode_text", noted)
    return seen


def test_prompts_are_encoded_once_across_runs_data_sets_and_templates(place: Path, tmp_path: Path, encoded: list[str]) -> None:
    from types import SimpleNamespace

    model = openclip.load(spec.parse(f"local-dir:{place}"), device="cpu", cache_dir=tmp_path)
    one: Any = SimpleNamespace(classes=("mug", "key"), templates=("a photo of a {c}.", "a {c}."))
    two: Any = SimpleNamespace(classes=("key", "dog", "mug"), templates=("a photo of a {c}.", "a {c}."))
    first = Extraction(cache=tmp_path)
    a, b = first.classifier(model, one), first.classifier(model, two)
    assert len(encoded) == len(set(encoded)) == 6
    np.testing.assert_array_equal(a, b[[2, 0]])
    again = Extraction(cache=tmp_path)
    np.testing.assert_array_equal(again.classifier(model, two), b)
    assert len(encoded) == 6
    changed = again.classifier(model, two, templates=("a photo of a {c}.", "the {c}."))
    assert encoded[6:] == [fill("the {c}.", name) for name in two.classes]  # of a template that is changed, and nothing else
    assert not np.allclose(changed, b)


def test_another_model_or_precision_has_texts_of_its_own(place: Path, tmp_path: Path, encoded: list[str]) -> None:
    def load(where: Path, **how: Any) -> OpenClipModel:
        return openclip.load(spec.parse(f"local-dir:{where}"), device="cpu", cache_dir=tmp_path, **how)

    weights = tiny_models.state()
    weights["text_projection"][0, 0] += 1e-3
    models = [load(place), load(place, precision="bf16"), load(tiny_models.folder(tmp_path / "other", weights=weights))]
    extraction = Extraction(cache=tmp_path)
    rows = [extraction.texts(model, ["a mug", "a key"]) for model in models]
    assert encoded == ["a mug", "a key"] * 3
    assert len({each.tobytes() for each in rows}) == 3
    assert len(list((tmp_path / "texts").iterdir())) == 3
    (tmp_path / "elsewhere").mkdir()
    moved = tiny_models.folder(tmp_path / "elsewhere" / "renamed")
    np.testing.assert_array_equal(extraction.texts(load(moved), ["a mug", "a key"]), rows[0])
    assert len(encoded) == 6
