"""Archives that mean harm, or were cut off, are named and refused; whole ones give the bytes that `tarfile` gives."""

import io
import tarfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip import ClipError
from pytest_clip.data import archives, tarheaders


def info(name: str, size: int = 0, **facts: object) -> tarfile.TarInfo:
    out = tarfile.TarInfo(name)
    out.size = size
    for key, value in facts.items():
        setattr(out, key, value)
    return out


def write(path: Path, files: list[tuple[tarfile.TarInfo, bytes]], *, how: int = tarfile.PAX_FORMAT, mode: str = "w") -> Path:
    with tarfile.open(path, mode, format=how) as tar:
        for each, data in files:
            tar.addfile(each, io.BytesIO(data))
    return path


FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/\\:"), min_size=1, max_size=40).filter(
    lambda s: s not in (".", "..")
)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(st.lists(NAMES, min_size=1, max_size=5).map("/".join), unique=True, max_size=6),
    data=st.binary(max_size=1500),
    how=st.sampled_from(FORMATS[1:]),
)
def test_whole_archives_give_what_tarfile_gives(tmp_path_factory: pytest.TempPathFactory, names: list[str], data: bytes, how: int) -> None:
    path = write(
        tmp_path_factory.mktemp("t") / "0.tar", [(info(n, len(data) - i), data[i:]) for i, n in enumerate(names) if i <= len(data)], how=how
    )
    with tarfile.open(path) as tar:
        told = [(m.name, tar.extractfile(m).read()) for m in tar]  # type: ignore[union-attr]
    assert [(m.name, archives.read(path, m)) for m in archives.members(path)] == told


@pytest.mark.parametrize("how", FORMATS)
def test_long_names_and_folders(tmp_path: Path, how: int) -> None:
    name = "/".join(["folder" * 5] * 4) + "/x.png"
    path = write(tmp_path / "0.tar", [(info("d", type=tarfile.DIRTYPE), b""), (info(name, 3), b"abc"), (info("after", 1), b"z")], how=how)
    assert [(m.name, archives.read(path, m)) for m in archives.members(path)] == [(name, b"abc"), ("after", b"z")]


@pytest.mark.parametrize(
    ("member", "says"),
    [
        (info("../../etc/passwd"), r"'../../etc/passwd' points out of the archive"),
        (info("/etc/passwd"), r"points out of the archive"),
        (info("a\\..\\b"), r"points out of the archive"),
        (info("C:x"), r"points out of the archive"),
        (info("x\x1b[2Jy"), r"holds control characters"),
        (info("l.png", type=tarfile.SYMTYPE, linkname="/etc/passwd"), r"l\.png is a symbolic link; write the shard anew"),
        (info("l.png", type=tarfile.LNKTYPE, linkname="other"), r"l\.png is a hard link"),
        (info("d", type=tarfile.CHRTYPE, devmajor=1, devminor=5), r"d is a character device"),
        (info("d", type=tarfile.BLKTYPE), r"d is a block device"),
        (info("d", type=tarfile.FIFOTYPE), r"d is a FIFO"),
        (info("d", type=b"S"), r"d is of the unknown kind 'S'"),
    ],
)
def test_dangerous_members_are_refused_by_name(tmp_path: Path, member: tarfile.TarInfo, says: str) -> None:
    path = write(tmp_path / "0.tar", [(info("ok.png", 1), b"x"), (member, b"")])
    with pytest.raises(ClipError, match=rf"0\.tar: .*{says}"):
        list(archives.members(path))


def test_a_claimed_size_costs_no_memory(tmp_path: Path) -> None:
    huge = info("x.png", 2**40)
    (tmp_path / "a.tar").write_bytes(huge.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    (tmp_path / "b.tar").write_bytes(info("x.png", archives.MAX_MEMBER).tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    (tmp_path / "c.tar").write_bytes(info("x", 2**33, type=b"x").tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    (tmp_path / "d.tar").write_bytes(info("x", 60000, type=b"L").tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    with (tmp_path / "e.tar").open("wb") as sparse:  # a terabyte of zeros that takes no space on disk
        sparse.truncate(2**40)
    says = {
        "a": r"x\.png has 1099511627776 bytes \(at most 268435456\)",
        "b": r"x\.png ends behind the end of the file; the shard is truncated: fetch it again",
        "c": r"a header record of 8589934592 bytes \(at most 65536\)",
        "d": r"the header record of x ends behind the end of the file",
        "e": r"has data behind its end",
    }
    tracemalloc.start()
    for name, text in says.items():
        with pytest.raises(ClipError, match=rf"{name}\.tar: {text}"):
            list(archives.members(tmp_path / f"{name}.tar"))
    assert tracemalloc.get_traced_memory()[1] < 8 * 2**20
    tracemalloc.stop()


def test_archives_that_were_cut_off_anywhere(tmp_path: Path) -> None:
    whole = write(tmp_path / "0.tar", [(info("a", 700), bytes(range(250)) * 2 + bytes(200)), (info("b", 3), b"abc")]).read_bytes()
    end = 512 + 1024 + 512 + 512
    for size in (*range(0, end, 128), end):
        (tmp_path / "cut.tar").write_bytes(whole[:size])
        with pytest.raises(ClipError, match=r"cut\.tar: .*(truncated|too few)"):
            list(archives.members(tmp_path / "cut.tar"))


def test_what_is_no_plain_tar(tmp_path: Path) -> None:
    gz = write(tmp_path / "0.tar.gz", [(info("a", 3000), bytes(3000)), (info("b", 3000), bytes(3000))], mode="w:gz")
    gz.write_bytes(gz.read_bytes() + bytes(1000))
    with pytest.raises(ClipError, match="is compressed with gzip; shards are read in place: decompress it"):
        list(archives.members(gz))
    (tmp_path / "x.tar").write_bytes(b"<html>not found</html>" * 100)
    with pytest.raises(ClipError, match="is no tar archive, or damaged at byte 0; fetch the shard again"):
        list(archives.members(tmp_path / "x.tar"))
    (tmp_path / "lfs.tar").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:4665a5\nsize 12345\n")
    with pytest.raises(ClipError, match=r"lfs\.tar: is a Git LFS pointer, not the shard itself; run git lfs pull in its folder"):
        list(archives.members(tmp_path / "lfs.tar"))
    one, two = (write(tmp_path / f"{n}.tar", [(info(n, 1), b"x")]) for n in "ab")
    (tmp_path / "ab.tar").write_bytes(one.read_bytes() + two.read_bytes())
    with pytest.raises(ClipError, match="has data behind its end; archives that were joined with cat must be written anew"):
        list(archives.members(tmp_path / "ab.tar"))
    with pytest.raises(ClipError, match="cannot be read"):
        list(archives.members(tmp_path / "none.tar"))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_damage_never_gives_a_traceback(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = write(
        tmp_path_factory.mktemp("t") / "0.tar",
        [(info("é" * 80, 5), b"abcde"), (info("b", 3), b"abc")],
        how=data.draw(st.sampled_from(FORMATS[1:])),
    )
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, 4000))] = data.draw(st.integers(0, 255))
    for at in range(0, 4096, 512):  # damage that keeps the checksum right reaches what is behind it
        if raw[at + 257 : at + 262] == b"ustar" and data.draw(st.booleans()):
            raw[at + 148 : at + 156] = b"%06o\0 " % tarheaders.checksum(bytes(raw[at : at + 512]))
    path.write_bytes(raw)
    try:
        for member in archives.members(path):
            assert len(archives.read(path, member)) == member.size
    except ClipError:
        pass


def test_a_shard_that_shrinks_under_the_reader(tmp_path: Path) -> None:
    path = write(tmp_path / "0.tar", [(info("a", 3000), bytes(3000))])
    (member,) = archives.members(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ClipError, match=r"a ends after 488 of 3000 bytes; the shard has changed, fetch it again"):
        archives.read(path, member)
