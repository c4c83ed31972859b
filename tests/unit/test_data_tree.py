"""What lies below a folder: as deep as torchvision's ImageFolder, as many suffixes as Pillow reads, nothing left out uncounted."""

import os
import random
from pathlib import Path

import pytest
from PIL import Image
from torchvision.datasets import ImageFolder

from pytest_clip import ClipError
from pytest_clip.data import catalog, classfolders, folder, load, pictures, tree
from pytest_clip.data.layouts import found


def files(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(name.encode())
    return root


def said(root: Path, level: str = "warn") -> list[str]:
    return [each.what.removeprefix(f"{root}: ") for each in folder.problems(str(root)) if each.level == level]


@pytest.mark.parametrize("seed", range(20))
def test_the_images_are_those_of_torchvisions_image_folder(tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    for _ in range(draw.randrange(20, 60)):
        parts = [draw.choice("abc"), *(draw.choice(["x", "y z", "é"]) for _ in range(draw.randrange(4)))]
        files(tmp_path, "/".join([*parts, f"{draw.randrange(9)}{draw.choice(['.jpg', '.PNG', '.gif', '.txt', '.jp2', '', '.heic'])}"]))
    files(tmp_path, "a/1.jpg", "b/1.jpg", "c/1.jpg")
    (tmp_path / "c" / "link").symlink_to(tmp_path / "a")
    theirs = ImageFolder(str(tmp_path), is_valid_file=lambda path: path.lower().endswith(found.IMAGE_SUFFIXES))
    ours = classfolders.class_folders(str(tmp_path))
    assert list(ours) == theirs.classes
    assert {(str(path), name) for name, held in ours.items() for path in held} == {(path, theirs.classes[k]) for path, k in theirs.samples}
    everything = sum(len(names) for _, _, names in os.walk(tmp_path, followlinks=True))
    held = tree.together(classfolders.class_trees(str(tmp_path)).values())
    assert len(held.images) + sum(held.others.values()) == everything


def test_all_suffixes_of_what_is_decoded_are_known() -> None:
    Image.init()
    read = {*pictures.FORMATS, *pictures.BY_SUFFIX.values(), "MPO"}
    assert {suffix for suffix, kind in Image.registered_extensions().items() if kind in read} == set(found.IMAGE_SUFFIXES)
    assert {suffix: kind for suffix, kind in Image.registered_extensions().items() if kind in pictures.BY_SUFFIX.values()} == (
        pictures.BY_SUFFIX
    )


@pytest.mark.parametrize("suffix", [s for s in found.IMAGE_SUFFIXES if s not in (".mpo", ".avif", ".avifs", ".qoi", ".apng")])
def test_what_pillow_writes_under_a_suffix_is_read(tmp_path: Path, suffix: str) -> None:
    mode = {".pfm": "F", ".pbm": "1", ".pgm": "L", ".rgba": "RGBA", ".bw": "L"}.get(suffix, "RGB")
    picture = Image.new("RGB", (16, 16), (200, 200, 200)).convert("L").convert(mode)
    if suffix == ".pfm":
        picture = Image.new("F", (16, 16), 0.75)
    picture.save(tmp_path / f"x{suffix}")
    read = pictures.upright(pictures.decode(tmp_path / f"x{suffix}", where="x"))
    assert (read.size, read.mode) == ((16, 16), "RGB")
    assert 180 <= read.getpixel((8, 8))[0] <= 255


def test_a_format_that_anything_could_be_is_only_read_under_its_own_suffix(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8)).save(tmp_path / "x.tga")
    (tmp_path / "x.tga").rename(tmp_path / "x.jpg")
    with pytest.raises(ClipError, match=r"not a readable image \(no picture in a known format\)"):
        pictures.decode(tmp_path / "x.jpg", where="x.jpg")


def test_links_to_nothing_are_images_that_cannot_be_read(tmp_path: Path) -> None:
    root = files(tmp_path / "pets", *(f"{name}/{k}.jpg" for name in ("cat", "dog") for k in range(2)))
    for k in range(7):
        (root / "cat" / f"annex {k}.jpg").symlink_to(f"../.git/annex/objects/{k}")
    (root / "dog" / "circle.jpg").symlink_to("circle.jpg")
    (tmp_path / "far.jpg").write_bytes(b"far")
    (root / "dog" / "fetched.jpg").symlink_to(tmp_path / "far.jpg")
    (tmp_path / "empty").mkdir()
    (root / "dog" / "folder.jpg").symlink_to(tmp_path / "empty")
    assert catalog.sets(str(root))[0].n == 13
    assert said(root) == [f"8 of 13 images are links to files that are not there, the first one {root}/cat/annex 0.jpg; fetch them (git "
                          "annex get, dvc pull), or remove the links"]  # fmt: skip
    with pytest.raises(ClipError, match=r"pets/clean: 13 of 13 images cannot be read \(0 allowed\)[^\n]*:\n") as error:
        load(str(root), max_unreadable=0).images("clean")
    told = f"{root}/cat/annex 0.jpg: not a readable image (a link to ../.git/annex/objects/0: nothing is there); fetch it (git annex get,"
    assert told in str(error.value)
    before = load(str(root)).images("clean").fingerprint
    (root / ".git" / "annex" / "objects").mkdir(parents=True)
    (root / ".git" / "annex" / "objects" / "0").write_bytes(b"0")
    assert load(str(root)).images("clean").fingerprint != before


def test_a_published_folder_counts_links_to_nothing_too(tmp_path: Path) -> None:
    files(tmp_path, "1.jpg", "2.gif")
    (tmp_path / "3.jpg").symlink_to("nowhere")
    assert [entry.name for entry in found.images_in(tmp_path)] == ["1.jpg", "3.jpg"]
    assert found.count(tmp_path) == 3


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    root = files(tmp_path / "pets", "cat/1.jpg", "dog/1.jpg", "dog/a/b/c/d/e.png", "dog/notes.txt", "dog/.DS_Store", "dog/._1.jpg")
    files(root, *(f"cat/{k}.heic" for k in range(3)), "cat/x.svg", "fish/1.heic", "fish/deep/2.HEIC", "ood/near/1.jpg", "ood/near/2.xyz")
    assert [len(held) for held in classfolders.class_folders(str(root)).values()] == [1, 2]
    assert said(root) == [
        f"{root}/fish: the folder has no image but 2 .heic, which are not read, so it is no class; convert what is an image to PNG or JPEG,"
        " or remove the folder",
        "4 files are left out because they are not read (3 .heic, 1 .svg); convert what is an image to PNG or JPEG",
        f"image set near: {root}/ood/near: 1 files are left out because they are not read (1 .xyz); convert what is an image to PNG or "
        "JPEG",
    ]
    assert said(root, "note") == [
        "1 files beside the images are no images (1 .txt)",
        "1 image files whose names begin with a dot are passed over",
        "1 of 2 classes have a single image (cat); their accuracy is 0 or 1: add images, or leave them out of what you gate",
    ]


def test_unknown_images_may_lie_as_deep(tmp_path: Path) -> None:
    root = files(tmp_path, "cat/1.jpg", "dog/1.jpg", "ood/far/a/b/c/d/1.jfif", "ood/far/0.png")
    assert [(each.name, each.n) for each in catalog.sets(str(root))] == [("clean", 2), ("far", 2)]
    assert load(str(root)).images("far").ids == ("ood/far/0.png", "ood/far/a/b/c/d/1.jfif")
    files(root, "ood/Far/1.jpg")
    with pytest.raises(ClipError, match=r"ood: Far and far both become the image set far; rename one of the folders"):
        catalog.sets(str(root))
    (root / "ood" / "Far").rename(root / "ood" / "近")
    assert [each.name for each in catalog.sets(str(root))] == ["clean", "far", "u8fd1"]


def test_splits_are_no_classes(tmp_path: Path) -> None:
    root = files(tmp_path, *(f"{split}/{name}/1.jpg" for split in ("train", "val") for name in ("cat", "dog")))
    with pytest.raises(ClipError, match=r"train and val hold class folders, and would be taken for classes; name one: --clip-data=.*/val"):
        catalog.sets(str(root))
    assert [each.n for each in catalog.sets(str(root / "val"))] == [2]


def test_classes_of_which_no_image_lies_directly_in_its_folder(tmp_path: Path) -> None:
    root = files(tmp_path, "images/cat/1.jpg", "masks/cat/1.png")
    assert said(root) == [
        "no image lies directly in a class folder; the classes are the first folders (images, masks), as ImageFolder has it; "
        "if they are the inner ones, name the folder around those"
    ]  # fmt: skip


def test_a_link_back_and_a_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = files(tmp_path, "cat/1.jpg", "dog/1.jpg", "dog/locked/2.jpg", "lost+found/3.jpg")
    (root / "cat" / "again").symlink_to(root / "cat")
    (root / "cat" / "up").symlink_to(root)
    whole = os.scandir

    def scandir(path: str | Path) -> object:
        if Path(path).name in ("locked", "lost+found"):
            raise PermissionError(13, "Permission denied", str(path))
        return whole(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert {name: len(held) for name, held in classfolders.class_folders(str(root)).items()} == {"cat": 1, "dog": 1}
    told = said(root)
    assert told[0] == f"{root}/lost+found: the folder may not be opened, so it is no class; chmod it, or remove it"
    assert "folders may not be opened and are left out, the first one " in told[1]
    assert told[2].endswith("; remove them")
    assert "links lead back to a folder that they lie in" in told[2]


def test_a_tree_that_is_no_data_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_FOLDERS", 3)
    files(tmp_path, "a/b/c/d/e/1.jpg", "b/1.jpg")
    with pytest.raises(ClipError, match=r"more than 3 folders lie below .*: that is no data set; name the folder of one"):
        catalog.sets(str(tmp_path))


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc")
def test_the_kernels_own_folders_are_not_walked() -> None:
    with pytest.raises(ClipError, match=r"--clip-data=/proc/self: the kernel's own files are no data; name the folder of a data set"):
        catalog.sets("/proc/self")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    files(tmp_path, "cat/1.jpg", "dog/1.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/cat/caf\xe9.jpg")).write_bytes(b"x")
    with pytest.raises(ClipError, match=r"1 names below .*cat are no UTF-8, the first one .*/cat/caf\\xe9\.jpg; rename them") as error:
        catalog.sets(str(tmp_path))
    str(error.value).encode()
    with pytest.raises(ClipError, match=r"caf\\xe9\.jpg: the name is no UTF-8; rename the file"):
        list(found.images_in(tmp_path / "cat"))
