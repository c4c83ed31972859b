"""Which class a folder or a cell means: by name however it is spelled, never by its place when a name says otherwise."""

import itertools
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.data import binding, catalog, folder, load
from pytest_clip.data.layouts import manifest, owntable


@pytest.fixture
def tree(tmp_path: Path) -> Callable:
    def make(folders: list[str], names: list[str] | None = None) -> Path:
        for name in folders:
            (tmp_path / name).mkdir(parents=True)
            (tmp_path / name / "1.jpg").write_bytes(name.encode())
        if names is not None:
            (tmp_path / "classnames.txt").write_text("\n".join(names) + "\n", encoding="utf-8")
        return tmp_path

    return make


def labels(root: Path) -> dict[str, str]:
    images = load(str(root)).images("clean")
    return {name.partition("/")[0]: images.classes[label] for name, label in zip(images.ids, images.labels, strict=True)}


def warned(root: Path) -> list[str]:
    return [each.what for each in folder.problems(str(root)) if each.level == "warn"]


WORDS = ["Élan", "guinea pig", "great-grey owl", "Straße", "caf\u00e9", "über_bär", "İstanbul", "日本 語"]
SPELLED = [
    str.upper, str.lower, str.title, lambda t: t.replace(" ", "_"), lambda t: t.replace("-", " "), lambda t: t.replace("_", "-"),
    lambda t: unicodedata.normalize("NFD", t), lambda t: unicodedata.normalize("NFC", t),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(10))
def test_folders_belong_to_the_line_of_their_name_however_it_is_spelled(tree: Callable, seed: int) -> None:
    draw = random.Random(seed)
    written = {word: draw.choice(SPELLED)(draw.choice(SPELLED)(word)) for word in WORDS}
    lines = draw.sample(WORDS, len(WORDS))
    assert labels(tree(list(written.values()), lines)) == {spelled: word for word, spelled in written.items()}


@pytest.mark.parametrize(
    ("folders", "names", "says"),
    [
        (["cat", "dog"], ["Cat", "CAT", "dog"], r"'cat' could be 'Cat' \(line 1\) and 'CAT' \(line 2\); write it as one of them"),
        (["Cat", "cat"], ["cat", "dog"], r":1: the folders Cat and cat are both 'cat'; join them, or rename one"),
        (["cat", "dog"], ["cat", "cat", "dog"], r"'cat' is there twice, and no model can tell them apart; rename one"),
        (["cat", "dog"], ["guinea pig", "guinea_pig"], r"'guinea pig' is the name of two classes, 'guinea pig' and 'guinea_pig', and no"),
        (["cat", "dog"], ["caf\u00e9", "cafe\u0301", "x"], r"is the name of two classes"),
        (["cats", "dogs"], ["dog", "cat"], r"no line names a folder, and in their order cats would be 'dog', though line 2 is 'cat'"),
        (["kat", "hund"], ["cat", "dog", "cow"], r"3 lines for 2 class folders"),
        (["01", "1"], ["cat", "dog"], r"the folders 01 and 1 have one number"),
        (["guinea_pig", "guinea pig"], None, r"'guinea pig' is the name of two classes"),
        (["caf\u00e9", "cafe\u0301"], None, r"is the name of two classes"),
    ],
)  # fmt: skip
def test_what_could_mean_two_things_is_refused(tree: Callable, folders: list[str], names: list[str] | None, says: str) -> None:
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(tree(folders, names)))


def test_lines_taken_in_order_are_said(tree: Callable) -> None:
    root = tree(["hund", "katze", "pferd"], ["dog", "cat", "horse"])
    assert warned(root) == [
        f"{root}/classnames.txt: no line names a folder, so they are taken in the order of the folders (hund is 'dog', katze is 'cat', "
        "pferd is 'horse'); where that is wrong, write the folders' own names"
    ]  # fmt: skip


def test_codes_taken_in_order_are_only_noted(tree: Callable) -> None:
    assert warned(tree(["n01440764", "n01443537"], ["tench", "goldfish"])) == []


@pytest.mark.parametrize(("names", "says"), [
    (["001.airplane", "002.bird"], "the prompts ask for '001.airplane', '002.bird' ... with their numbers; write"),
    (["0.0", "1.0"], "the classes are called 0.0, 1.0 ..., and so say the prompts"),
])  # fmt: skip
def test_names_with_numbers(tree: Callable, names: list[str], says: str) -> None:
    assert says in warned(tree(names))[0]


def table(root: Path, told: list[str], names: list[str] | None = None, kind: str = "csv") -> Path:
    for k in range(len(told)):
        (root / f"{k}.png").write_bytes(b"x")
    (root / "manifest.csv").write_text("path,label\n" + "".join(f"{k}.png,{label}\n" for k, label in enumerate(told)))
    if names:
        (root / "classnames.txt").write_text("\n".join(names))
    owntable.read.cache_clear()
    return root


def bound(root: Path) -> list[int]:
    (found,) = manifest.detect(root)
    return list(manifest._own(found).labels)


def test_labels_of_a_table(tmp_path: Path) -> None:
    assert bound(table(tmp_path, ["0.0", "1.0", "0", "1."], ["cat", "dog"])) == [0, 1, 0, 1]
    assert bound(table(tmp_path, ["Guinea-Pig", "cat", "guinea_pig"], ["cat", "guinea pig"])) == [1, 0, 1]


@pytest.mark.parametrize(
    ("told", "names", "says"),
    [
        (["0.0", "1.0"], None, r"manifest\.csv:2: labels are numbers; write .*classnames\.txt with one class name a line"),
        (["0.5", "1"], ["cat", "dog"], r"manifest\.csv:2: label '0\.5' is no whole number; labels are names, or whole numbers from 0"),
        (["1e0", "0"], ["cat", "dog"], r"manifest\.csv:2: label '1e0' is no whole number"),
        (["9" * 5000, "0"], ["cat", "dog"], r"manifest\.csv:2: label '9{60}', but .* names 2 classes \(0\.\.1\); correct"),
        (["-1", "0"], ["cat", "dog"], r"manifest\.csv:2: label '-1', but"),
        (["guinea pig", "guinea_pig"], None, r"manifest\.csv: column label: 'guinea pig' is the name of two classes"),
        (["cat", "horse"], ["cat", "dog"], r"manifest\.csv:3: label 'horse', but .*classnames\.txt does not name it"),
        (["CAT", "dog"], ["Cat", "cat", "dog"], r"'CAT' could be 'Cat' \(line 1\) and 'cat' \(line 2\)"),
    ],
)  # fmt: skip
def test_labels_that_mean_nothing(tmp_path: Path, told: list[str], names: list[str] | None, says: str) -> None:
    root = table(tmp_path, told, None)
    if names:
        (root / "classnames.txt").write_text("\n".join(names))
    with pytest.raises(ClipError, match=says):
        bound(root)


def test_one_edit_apart_by_enumeration() -> None:
    def edits(text: str) -> set[str]:
        cuts = [(text[:k], text[k:]) for k in range(len(text) + 1)]
        gone = {a + b[1:] for a, b in cuts if b}
        changed = {a + c + b[1:] for a, b in cuts if b for c in "abc"}
        put = {a + c + b for a, b in cuts for c in "abc"}
        swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
        return (gone | changed | put | swapped) - {text}

    words = ["".join(letters) for n in range(5) for letters in itertools.product("abc", repeat=n)]
    for word in words[:121]:
        near = edits(word)
        assert {other for other in words if binding.one_edit(word, other)} == {other for other in near if len(other) < 5}
        assert all(set(binding.shortened(word)) & set(binding.shortened(other)) for other in near)
