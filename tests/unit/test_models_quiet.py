"""What loading a model does to the process: nothing that lasts."""

from __future__ import annotations

import gc
from contextlib import suppress

import pytest

from pytest_clip.models.quiet import unswept


@pytest.mark.parametrize("enabled", [True, False])
def test_garbage_collection_is_as_it_was_also_after_an_error(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with suppress(ImportError), unswept():
            assert not gc.isenabled()
            raise ImportError
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
