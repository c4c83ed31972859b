"""Who may write a folder whose contents are believed."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from pytest_clip import ClipError


def refuse_shared(cache: Path) -> None:
    """ClipError for a cache that others may write: they could put answers there for the user's models, or links for what is written.

    A folder that is not there yet will be the user's own. Root may use anybody's folder, and a group of the user's alone is no other.
    """
    who = others(cache)
    if who is not None:
        raise ClipError(
            f"the cache {cache} may be written by {who}, and what lies in it is believed: run chmod go-w {cache}, choose another with "
            "--clip-cache-dir=DIR, or say with --clip-shared-cache (clip_shared_cache = true) that you trust all who may write there"
        )


def others(folder: Path) -> str | None:
    """Who besides this user may write `folder`; None when nobody may, or where the system cannot tell (Windows)."""
    if not hasattr(os, "getuid"):
        return None
    try:
        said = folder.stat()
    except OSError:  # not there yet; what is wrong with it is said when it is written
        return None
    if said.st_uid not in (os.getuid(), 0) and os.getuid() != 0:
        return f"its owner, user {said.st_uid}"
    if said.st_mode & stat.S_IWOTH:
        return f"everybody (mode {stat.S_IMODE(said.st_mode):o})"
    if said.st_mode & stat.S_IWGRP and not _own_group(said.st_gid, said.st_uid):
        return f"the group {said.st_gid} (mode {stat.S_IMODE(said.st_mode):o})"
    return None


def _own_group(group: int, user: int) -> bool:
    """Whether a group is that of one user alone, as systems with a umask of 002 give to each."""
    try:
        import grp
        import pwd

        name, members = grp.getgrgid(group).gr_name, set(grp.getgrgid(group).gr_mem)
        return name == pwd.getpwuid(user).pw_name and members <= {name}
    except (ImportError, KeyError):  # a user or group without a name, as in containers
        return group == user
