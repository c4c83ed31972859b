"""Published weights: from the Hugging Face cache or the network, with one readable error where neither has them."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pytest_clip import ClipError
from pytest_clip.models.quiet import quiet

T = TypeVar("T")


def weights_of_tag(name: str, tag: str, published: Mapping[str, Any]) -> tuple[Path, tuple[str, ...]]:
    """The checkpoint file of an open_clip tag, and notes for the report."""
    from open_clip.pretrained import download_pretrained

    return _fetch(
        lambda: Path(download_pretrained(dict(published))),
        what=f"the weights of {name},{tag}",
        otherwise=f"--clip-model={name},/path/to/open_clip_model.safetensors",
    )


def files_of_repository(repository: str) -> tuple[Path, Path, tuple[str, ...]]:
    """open_clip_config.json and the checkpoint of a Hugging Face repository, and notes for the report."""
    from open_clip.pretrained import download_pretrained_from_hf

    def both() -> tuple[Path, Path]:
        config = download_pretrained_from_hf(repository, filename="open_clip_config.json")
        return Path(config), Path(download_pretrained_from_hf(repository))

    (config, weights), notes = _fetch(both, what=f"hf-hub:{repository}", otherwise="--clip-model=local-dir:/path/to/a/copy/of/it")
    return config, weights, notes


def config_of_repository(repository: str) -> Path:
    """open_clip_config.json of a Hugging Face repository."""
    from open_clip.pretrained import download_pretrained_from_hf

    config, _ = _fetch(
        lambda: Path(download_pretrained_from_hf(repository, filename="open_clip_config.json")),
        what=f"the configuration of hf-hub:{repository}",
        otherwise="--clip-model=FILE.json,WEIGHTS",
    )
    return config


def folder_of_repository(
    repository: str, *, patterns: Sequence[str], otherwise: str, revision: str | None = None, what: str | None = None
) -> Path:
    """A local folder with those files of a Hugging Face repository whose names match `patterns`; `what` it is, for the error."""
    from huggingface_hub import snapshot_download

    folder, _ = _fetch(
        lambda: Path(snapshot_download(repository, allow_patterns=list(patterns), revision=revision)),
        what=what or repository,
        otherwise=otherwise,
    )
    return folder


def _fetch(download: Callable[[], T], *, what: str, otherwise: str) -> tuple[T, tuple[str, ...]]:
    from huggingface_hub import constants

    offline = bool(constants.HF_HUB_OFFLINE)
    reached = not offline and _reachable(constants.ENDPOINT)
    state = "HF_HUB_OFFLINE is set" if offline else "the download failed" if reached else f"{constants.ENDPOINT} cannot be reached"
    try:
        if reached or offline:
            with quiet():
                return download(), ()
        with _offline(), quiet():
            return download(), (f"{what}: {state}, so the copy in the cache was used without asking for a newer one",)
    except Exception as error:  # huggingface_hub, urllib and open_clip each raise their own
        detail = f" ({_first_line(error)})" if reached else ""
        raise ClipError(
            f"cannot get {what}: {state}{detail}, and the cache {constants.HF_HUB_CACHE} has no copy. "
            f"Give a local file instead: {otherwise}"
        ) from error


@contextmanager
def cached_unless_reachable() -> Iterator[None]:
    """For code of other libraries that fetches configs and tokenizers: no retries against a network that is not there."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or _reachable(constants.ENDPOINT):
        yield
    else:
        with _offline():
            yield


@contextmanager
def _offline() -> Iterator[None]:
    """Look in the cache only: without a network huggingface_hub retries for three quarters of a minute per checkpoint."""
    from huggingface_hub import constants

    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = False


def _reachable(endpoint: str) -> bool:
    if any(os.environ.get(name) for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return True  # only the proxy knows
    url = urlsplit(endpoint)
    try:
        socket.create_connection((url.hostname or "", url.port or (80 if url.scheme == "http" else 443)), timeout=5).close()
    except OSError:
        return False
    return True


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
