"""Files put in place whole, and files that their owner has protected."""

from __future__ import annotations

import os

import pytest

from pytest_clip import store


def test_a_file_is_written_whole_through_a_link_with_its_permissions(tmp_path):
    real, link = tmp_path / "real.toml", tmp_path / "link.toml"
    real.write_text("old")
    real.chmod(0o640)
    link.symlink_to(real)
    store.put(link, "ä\n")
    assert link.is_symlink()
    assert (real.read_bytes(), real.stat().st_mode & 0o777) == ("ä\n".encode(), 0o640)
    store.put(tmp_path / "new", b"x")
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o666 & ~store.umask()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.toml", "new", "real.toml"]


def test_what_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "there").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        store.put(tmp_path / "there", "\ud800")
    assert [path.name for path in tmp_path.iterdir()] == ["there"]
    assert (tmp_path / "there").read_text() == "old"


def test_write_protection_counts_for_root_too(tmp_path):
    path = tmp_path / "rules.toml"
    assert store.unwritable(path) is None
    path.write_text("")
    assert store.unwritable(path) is None
    path.chmod(0o444)
    assert store.unwritable(path) == f"it is write-protected (mode 0444); allow it with: chmod u+w {path}"
    link = tmp_path / "link"
    link.symlink_to(path)
    assert store.unwritable(link) == store.unwritable(path)
    os.mkfifo(tmp_path / "pipe")
    assert store.unwritable(tmp_path / "pipe") == "it is no plain file; name another"


def test_the_umask_is_that_of_the_process():
    mask = os.umask(0o027)
    try:
        assert store.umask() == 0o027
    finally:
        os.umask(mask)
