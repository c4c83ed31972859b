"""Own data in a table: the known answer through the whole path, slices by column, and the sentence with file and line for what is wrong."""

import json
from collections.abc import Callable
from pathlib import Path

import painted
import pytest

from pytest_clip import ClipError
from pytest_clip.data import catalog, layouts, load, tables
from pytest_clip.data.layouts import manifest, owntable

# image, class, what it shows, scanner, patient
IMAGES = [
    ("a.jpg", "class_1", 1, "Siemens Avanto", "p0"), ("sub/b.png", "class_2", 2, "GE", "p1"), ("c.webp", "class_1", 2, "GE", "p2"),
    ("d.jpg", "class_2", 2, "", "p3"), ("e.jpg", "class_1", 1, "Siemens Avanto", "p4"), ("f.jpg", "class_2", 2, "Siemens Avanto", "p5"),
]  # fmt: skip


def own(root: Path, kind: str = "csv", *, captions: bool = False) -> Path:
    """Six images of two classes; one of GE's two is wrong."""
    rows = [{"path": path, "label": label, "scanner": scanner, "patient": patient} for path, label, _, scanner, patient in IMAGES]
    if captions:
        rows = [row | {"caption": f"it is {shown}, {i}"} for i, (row, (_, _, shown, _, _)) in enumerate(zip(rows, IMAGES, strict=True))]
    for path, _, shown, _, _ in IMAGES:
        painted.save(root / path, shown)
    write(root / f"manifest.{kind}", rows)
    return root


def write(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif path.suffix == ".parquet":
        parquet = pytest.importorskip("pyarrow.parquet")
        parquet.write_table(pytest.importorskip("pyarrow").Table.from_pylist(rows), path)
    else:
        comma = "\t" if path.suffix == ".tsv" else ","
        path.write_text("\n".join(comma.join(map(str, line)) for line in [rows[0], *(row.values() for row in rows)]) + "\n")


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet"])
def test_every_kind_of_table_is_read_alike(tmp_path: Path, kind: str) -> None:
    root = own(tmp_path / "scans", kind)
    assert [(each.name, each.role, each.n) for each in catalog.sets(str(root))] == [
        ("clean", "clean", 6), ("scanner=ge", "factor", 2), ("scanner=siemens_avanto", "factor", 3),
    ]  # fmt: skip
    data = load(str(root))
    images = data.images("clean")
    assert data.classes == ("class 1", "class 2")
    assert images.ids == ("a.jpg", "sub/b.png", "c.webp", "d.jpg", "e.jpg", "f.jpg")
    assert images.labels.tolist() == [0, 1, 0, 1, 0, 1]
    part = data.images("scanner=siemens_avanto")
    assert (part.ids, part.within, part.at.tolist()) == (("a.jpg", "e.jpg", "f.jpg"), "clean", [0, 4, 5])  # type: ignore[union-attr]
    (found,) = layouts.find(str(root))
    assert [p.what.rpartition(": ")[2] for p in manifest.problems(found) if p.level == "note"] == ["every image has a value of its own"]


def test_slices_through_the_whole_path(tmp_path: Path, measure: Callable) -> None:
    rules = (
        'schema = 1\n[gates."factors/accuracy[scanner=ge]"]\nmin = 0.75\n[gates."factors/accuracy[scanner=siemens_avanto]"]\nmin = 0.75\n'
    )
    rows, result = measure(own(tmp_path / "scans"), suites="accuracy,factors", rules=rules)
    assert rows["accuracy/top1[clean]"]["value"] == 5 / 6, result.outlines
    got = {gate: (row["value"], row["n"], row["verdict"]) for gate, row in rows.items() if gate.startswith("factors/accuracy")}
    assert got == {"factors/accuracy[scanner=ge]": (0.5, 2, "fail"), "factors/accuracy[scanner=siemens_avanto]": (1.0, 3, "pass")}


def test_an_unknown_value_in_a_rule_is_told_before_anything_loads(tmp_path: Path, measure: Callable) -> None:
    rows, result = measure(
        own(tmp_path / "scans"), suites="factors", rules='schema = 1\n[gates."factors/accuracy[scanner=g]"]\nmin = 0.5\n'
    )
    assert not rows
    result.stderr.fnmatch_lines(["*thresholds.toml:2: unknown slice 'scanner=g' of factors/accuracy on scans; did you mean 'scanner=ge'?*"])


def test_captions_beside_labels_and_alone(tmp_path: Path, measure: Callable) -> None:
    root = own(tmp_path / "scans", "jsonl", captions=True)
    rows, result = measure(root, suites="retrieval,accuracy", rules="schema = 1\n")
    assert rows["accuracy/top1[clean]"]["value"] == 5 / 6, result.outlines
    assert rows["retrieval/text_retrieval_recall_at_1[clean]"]["n"] == 6
    alone = tmp_path / "alone"
    told = [("a.jpg", "it is 1"), ("b.jpg", "it is 2"), ("a.jpg", "also 1"), ("b.jpg", "no 1")]
    write(alone / "manifest.csv", [{"file_name": name, "text": text} for name, text in told])
    painted.save(alone / "a.jpg", 1)
    painted.save(alone / "b.jpg", 2)
    rows, result = measure(alone, suites="retrieval")
    assert (rows["retrieval/image_retrieval_recall_at_1[test]"]["value"], rows["retrieval/image_retrieval_recall_at_1[test]"]["n"]) == (
        0.75,
        4,
    )


def test_false_captions_become_negatives(tmp_path: Path, measure: Callable) -> None:
    root = tmp_path / "own"
    told = [("a.jpg", "1", "2"), ("b.jpg", "2", "1"), ("c.jpg", "1", "9"), ("d.jpg", "4", "")]
    write(root / "manifest.csv", [{"path": name, "caption": text, "negative_caption": false} for name, text, false in told])
    for i, (name, _, _) in enumerate(told):
        painted.save(root / name, i + 1)
    rows, result = measure(root, suites="retrieval")
    row = rows["retrieval/compositionality[negatives]"]
    assert (row["value"], row["n"]) == (2 / 3, 3), result.outlines


def test_numbers_and_names_of_classnames_txt(tmp_path: Path) -> None:
    root = own(tmp_path / "scans")
    (root / "classnames.txt").write_text("class 2\nclass 1\nclass 0\n")
    (root / "templates.txt").write_text("a scan of {c}\n")
    data = load(str(root))
    assert (data.classes, data.templates) == (("class 2", "class 1", "class 0"), ("a scan of {c}",))
    assert data.images("clean").labels.tolist() == [0, 1, 0, 1, 0, 1]
    assert data.images("clean").ids[0] == "sub/b.png"
    (found,) = layouts.find(str(root))
    assert "no image of class 0; is a part of the table missing?" in manifest.problems(found)[0].what
    table = root / "manifest.csv"
    table.write_text(table.read_text().replace("class_1", "1").replace("class_2", "0"))
    owntable.read.cache_clear()
    assert load(str(root)).images("clean").labels.tolist() == [0, 1, 0, 1, 0, 1]


def test_depth_maps_and_a_limit(tmp_path: Path) -> None:
    root = own(tmp_path / "scans")
    for path, *_ in IMAGES:
        target = (root / "depth" / path).with_suffix(".npy")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(b"")
    assert all(each.depth for each in catalog.sets(str(root)))
    data = load(str(root), limit=2)
    assert data.images("clean").depth == (root / "depth/a.npy", root / "depth/sub/b.npy")
    assert data.images("scanner=ge").ids == ("sub/b.png",)
    assert len({data.images("clean").fingerprint, load(str(root)).images("clean").fingerprint}) == 2


def test_unknown_images_are_a_set_each(tmp_path: Path, measure: Callable) -> None:
    root = own(tmp_path / "scans")
    for i in range(4):
        painted.save(root / "ood" / ("Far away" if i % 2 else "near") / f"{i}.png", 7 if i else 1)
    assert [(e.name, e.role, e.n) for e in catalog.sets(str(root))][-2:] == [("far_away", "ood", 2), ("near", "ood", 2)]
    rows, result = measure(root, suites="ood")
    assert rows["ood/auroc[far_away]"]["n"] == 2, result.outlines
    assert rows["ood/auroc[far_away]"]["value"] == 1.0
    assert rows["ood/auroc[near]"]["value"] < 1.0
    (root / "ood" / "Clean").mkdir()
    painted.save(root / "ood" / "Clean" / "1.png", 1)
    with pytest.raises(ClipError, match=r"ood/Clean: an image set of this name is there already; rename the folder"):
        catalog.sets(str(root))


def test_only_the_rows_of_the_split_test(tmp_path: Path) -> None:
    root = tmp_path / "own"
    rows = [{"path": f"{i}.png", "label": f"class {i % 2}", "split": "train" if i > 3 else "test"} for i in range(6)]
    write(root / "metadata.csv", rows)
    for i in range(4):
        painted.save(root / f"{i}.png", i % 2)
    assert [(each.name, each.n) for each in catalog.sets(str(root))] == [("clean", 4)]


def test_columns_with_many_values_or_one_are_noted(tmp_path: Path) -> None:
    root = tmp_path / "own"
    write(root / "manifest.csv", [{"path": f"{i}.png", "label": i % 2, "day": i % 25, "site": "x"} for i in range(26)])
    (root / "classnames.txt").write_text("class 0\nclass 1\n")
    for i in range(26):
        painted.save(root / f"{i}.png", i % 2)
    (found,) = layouts.find(str(root))
    assert [each.name for each in catalog.sets(str(root))] == ["clean"]
    said = [each.what for each in manifest.problems(found)]
    assert "column day is not sliced: 25 different values, at most 24 become slices; group them" in said[0]
    assert "column site is not sliced: it has 1 value" in said[1]


@pytest.mark.parametrize(
    ("text", "becomes"),
    [("Siemens Avanto", "siemens_avanto"), ("Zürich", "zurich"), ("3.0 T", "3.0_t"), ("a/b[c]", "a_b_c_"), ("東", "u6771"), (" ", "_")],
)
def test_slugs(text: str, becomes: str) -> None:
    assert owntable.slug(text) == becomes


HEAD = "path,label,scanner\n"
WRONG = {
    "no path": ("picture,label\na.jpg,x\n", r"manifest\.csv:1: no column path \(file_name, .*\); it has picture, label: rename one"),
    "nothing to ask": ("path,scanner\na.jpg,x\n", r"manifest\.csv:1: no column label and none caption"),
    "no row": ("path,label\n\n", r"manifest\.csv: holds no row; write one an image"),
    "a missing image": (
        HEAD + "a.jpg,x,1\ng.jpg,y,1\n",
        r"csv:3: .*g\.jpg does not exist \(1 of 2 images of manifest\.csv do not\); paths",
    ),
    "no label": (HEAD + "a.jpg,x,1\nd.jpg,,1\n", r"csv:3: no label; write the class, or put images of no class into .*ood/NAME/"),
    "numbers alone": (HEAD + "a.jpg,0,1\nd.jpg,1,1\n", r"csv:2: labels are numbers; write .*classnames\.txt with one class name a line"),
    "one class": (HEAD + "a.jpg,x,1\nd.jpg,x,1\n", r"csv:2: all images are of one class, 'x'; at least two are needed"),
    "two labels": (HEAD + "a.jpg,x,1\nd.jpg,y,1\na.jpg,y,1\n", r"csv:4: a\.jpg with another label \(first in .*csv:2\); keep one"),
    "twice": (HEAD + "a.jpg,x,1\nd.jpg,y,1\na.jpg,x,2\n", r"csv:4: a\.jpg again \(first in .*csv:2\); keep one of the rows"),
    "one slice": (
        HEAD + "a.jpg,x,A a\nd.jpg,y,a_a\ne.jpg,x,A a\n",
        r"csv:3: the values 'A a' and 'a_a' of scanner become one slice, scanner=a_a",
    ),
    "a comma": (HEAD + "a.jpg,x,1\nd.jpg,y,1,2\n", r"csv:3: 4 cells under 3 columns; put a text that holds the separator into quotes"),
    "a line end in quotes": (HEAD + 'a.jpg,x,"1\n2"\nd.jpg,y\n', r"csv:4: 2 cells under 3 columns"),
    "an open quote": (HEAD + 'a.jpg,x,"1\n', r"csv:[23]: no csv \(unexpected end of data\)"),
    "two columns": ("path,label,label\na.jpg,x,y\n", r"csv:1: a column has no name, or the name of another"),
    "a long value": (
        HEAD + f"a.jpg,x,{'v' * 80}\nd.jpg,y,1\ne.jpg,y,1\n",
        r"csv:2: scanner = 'v+' makes a gate id longer than 100 characters",
    ),
    "only train": ("path,label,split\na.jpg,x,train\nd.jpg,y,val\n", r"the column split has train, val but not test"),
    "no file name": (HEAD + ",x,1\nd.jpg,y,1\n", r"csv:2: no path; name the image file, or remove the row"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_tables_are_refused_with_file_and_line(tmp_path: Path, case: str) -> None:
    root = own(tmp_path / "scans")
    text, says = WRONG[case]
    (root / "manifest.csv").write_text(text)
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(root))
    (found,) = layouts.find(str(root))
    assert layouts.problems(found)[0].level == "refuse"


def test_wrong_classes_and_files_of_other_kinds(tmp_path: Path) -> None:
    root = own(tmp_path / "scans")
    (root / "classnames.txt").write_text("class 1\nclass 3\n")
    with pytest.raises(ClipError, match=r"manifest\.csv:3: label 'class_2', but .*classnames\.txt does not name it; correct one of them"):
        catalog.sets(str(root))
    (root / "manifest.csv").write_text("path,label\na.jpg,0\nd.jpg,2\n")
    owntable.read.cache_clear()
    with pytest.raises(ClipError, match=r"csv:3: label '2', but .*classnames\.txt names 2 classes \(0\.\.1\)"):
        catalog.sets(str(root))
    for name, text, says in [
        ("x.jsonl", '{"path": "a"}\n[1]\n', r'jsonl:2: no object; write one a line, such as \{"path"'),
        ("y.jsonl", '{"path": "a"}\n{"path"', r"jsonl:2: no JSON \(.*\); write one object a line"),
        ("z.jsonl", '{"path": {"bytes": ""}}', r"jsonl:1: path holds a dict; use texts, numbers and lists"),
        ("x.csv", b"path\n\xff\n", r"x\.csv:2: no UTF-8 text; save the table as UTF-8"),
        ("x.parquet", b"PAR1 nothing of the kind", r"x\.parquet: cannot be read as parquet"),
    ]:
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        if name.endswith("parquet"):
            pytest.importorskip("pyarrow")
        with pytest.raises(ClipError, match=says):
            tables.read(tmp_path / name)
