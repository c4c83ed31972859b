"""A cache that others may write is refused; one's own is not, whatever the umask."""

import os
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.session import ownership


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("mode", [0o700, 0o755, 0o750, 0o555])
def test_ones_own(cache: Path, mode: int) -> None:
    cache.chmod(mode)
    ownership.refuse_shared(cache)
    ownership.refuse_shared(cache / "not" / "there" / "yet")


@pytest.mark.parametrize("mode", [0o777, 0o1777, 0o707, 0o757])
def test_everybodys(cache: Path, mode: int) -> None:
    cache.chmod(mode)
    with pytest.raises(ClipError) as caught:
        ownership.refuse_shared(cache)
    assert str(caught.value) == (
        f"the cache {cache} may be written by everybody (mode {mode:o}), and what lies in it is believed: run chmod go-w {cache}, choose "
        "another with --clip-cache-dir=DIR, or say with --clip-shared-cache (clip_shared_cache = true) that you trust all who may write "
        "there"
    )


def test_a_link_is_what_it_leads_to(cache: Path, tmp_path: Path) -> None:
    cache.chmod(0o777)
    (tmp_path / "link").symlink_to(cache)
    assert ownership.others(tmp_path / "link") == "everybody (mode 777)"


def test_a_groups(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import grp
    import pwd
    from types import SimpleNamespace

    cache.chmod(0o775)
    members: dict[str, list[str]] = {"ann": [], "lab": ["ann", "bob"]}

    def group(name: str) -> None:
        monkeypatch.setattr(grp, "getgrgid", lambda gid: SimpleNamespace(gr_name=name, gr_mem=members[name]))

    monkeypatch.setattr(pwd, "getpwuid", lambda uid: SimpleNamespace(pw_name="ann"))
    group("ann")
    assert ownership.others(cache) is None, "a group of the user's own, as a umask of 002 supposes"
    members["ann"] = ["ann"]
    assert ownership.others(cache) is None
    members["ann"] = ["bob"]
    assert ownership.others(cache) == f"the group {os.getgid()} (mode 775)"
    group("lab")
    assert ownership.others(cache) == f"the group {os.getgid()} (mode 775)"


def test_somebody_elses(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    owner = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    expected = None if owner == 0 else f"its owner, user {owner}"  # what root owns only root may write
    assert ownership.others(cache) == expected
    monkeypatch.setattr(os, "getuid", lambda: 0)
    assert ownership.others(cache) is None
