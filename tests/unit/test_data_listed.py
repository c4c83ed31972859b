"""A table that is there is read, or refused with its line; it is never passed over without a word."""

from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.cli import main as cli
from pytest_clip.data import catalog, doctor, folder, tables

GOOD = b"file_name,label\ncat/1.jpg,x\ndog/1.jpg,y\n"


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    for name in ("cat", "dog"):
        (tmp_path / "pets" / name).mkdir(parents=True)
        (tmp_path / "pets" / name / "1.jpg").write_bytes(name.encode())
    return tmp_path / "pets"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("metadata.csv", GOOD + b"dog/2.jpg\n", r"metadata\.csv:4: 1 cells under 2 columns"),
        ("Metadata.CSV", GOOD + b"dog/2.jpg\n", r"Metadata\.CSV:4: 1 cells under 2 columns"),
        ("metadata.csv", GOOD + "dog/ü.jpg,y\n".encode("latin1"), r"metadata\.csv:4: no UTF-8 text; save the table as UTF-8"),
        ("metadata.tsv", GOOD.decode().replace(",", "\t").encode("utf-16"), r"metadata\.tsv:1: no UTF-8 text"),
        ("metadata.jsonl", b'{"file_name": "cat/1.jpg", "label": "x"}\n{"file_name": ', r"metadata\.jsonl:2: no JSON"),
        ("metadata.jsonl", b'{"file_name": "cat/1.jpg", "n": ' + b"9" * 5000 + b"}", r"metadata\.jsonl:1: no JSON \(Exceeds the limit"),
        ("metadata.jsonl", b'{"file_name": "\\ud800.jpg"}', r"metadata\.jsonl:1: file_name holds half a character \(\\ud800\.jpg\); write"),
        ("metadata.jsonl", b"[" * 100_000, r"metadata\.jsonl:1: no JSON"),
        ("metadata.parquet", b"PAR1", r"metadata\.parquet: cannot be read as parquet"),
        ("metadata.csv", b"", r"metadata\.csv: holds no row"),
    ],
)
def test_a_table_that_cannot_be_read_is_an_error_with_its_line(
    pets: Path, name: str, content: bytes, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    (pets / name).write_bytes(content)
    with pytest.raises(ClipError, match=says):
        catalog.sets(str(pets))
    (finding,) = doctor.quick(str(pets))
    assert finding.level == "refuse"
    assert cli.main(["doctor", "--data", str(pets)]) == 1
    assert "Traceback" not in capsys.readouterr().err


def test_tables_that_are_passed_over_are_named(pets: Path) -> None:
    (pets / "metadata.csv").write_text("scanner,year\nge,2020\n")
    (pets / "manifest.json").write_text("[]")
    told = {each.level: each.what for each in reversed(folder.problems(str(pets)))}
    assert told["note"].startswith(f"{pets}/metadata.csv: has no column path (file_name, filepath, ")
    assert told["warn"].startswith(
        f"{pets}/manifest.json: tables of this kind are not read; write manifest.csv (or .tsv, .jsonl, .parquet)"
    )
    (pets / "manifest.csv").write_bytes(GOOD)
    (pets / "cat" / "2.jpg").write_bytes(b"2")
    told = {each.what.removeprefix(f"{pets}/") for each in doctor.quick(str(pets)) if each.level == "warn"}
    assert told == {
        "metadata.csv: is not read, because manifest.csv is; remove one of them",
        "manifest.json: tables of this kind are not read; write manifest.csv (or .tsv, .jsonl, .parquet), or give it another name",
        f"manifest.csv: 1 of the 3 images beside it are in no row, the first one {pets}/cat/2.jpg; they are not measured: add rows, or "
        "remove them",
    }


def test_images_of_other_splits_are_counted(pets: Path) -> None:
    (pets / "manifest.csv").write_text("path,label,Split\ncat/1.jpg,cat,test\ndog/1.jpg,dog,test\ncat/2.jpg,cat,train\n")
    told = next(each for each in doctor.quick(str(pets)) if "other splits than" in each.what)
    assert (told.level, told.what) == ("note", f"{pets}/manifest.csv: 1 images of other splits than test are not measured")


def test_cells_that_python_has_no_word_for(tmp_path: Path) -> None:
    pyarrow, parquet = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    table = pyarrow.table({
        "path": ["a.jpg", "b.jpg"],
        "day": pyarrow.array([253402300800 + 10**10, 0], pyarrow.timestamp("s")),
        "label": pyarrow.array([float("nan"), 1.0], pyarrow.float64()),
    })  # fmt: skip
    parquet.write_table(table, tmp_path / "t.parquet")
    first, second = tables.read(tmp_path / "t.parquet").rows
    assert (first.text("label"), second.text("label")) == ("", "1")
    assert second.text("day").startswith("1970-01-01")
    assert first.text("day")
