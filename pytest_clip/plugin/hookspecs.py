"""Hooks that a project's ``conftest.py`` may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_clip.models.lmm.protocol import Lmm
    from pytest_clip.models.protocol import ClipModel
    from pytest_clip.models.spec import ModelSpec


@pytest.hookspec(firstresult=True)
def pytest_clip_make_model(spec: ModelSpec, config: pytest.Config) -> ClipModel | None:
    """Return the model that ``--clip-model`` names, or None to leave it to pytest-clip.

    Any object with the attributes and methods of :class:`pytest_clip.models.protocol.ClipModel` can be measured::

        # conftest.py
        def pytest_clip_make_model(spec, config):
            if spec.text.startswith("ours:"):
                return OurModel.load(spec.text.removeprefix("ours:"))

    It is called once per model and process, when the first test that needs the model runs. The object is dropped after its last test.
    """


@pytest.hookspec(firstresult=True)
def pytest_clip_make_lmm(name: str, config: pytest.Config) -> Lmm | None:
    """Return the large multimodal model that ``--clip-lmm`` names, or None to leave it to pytest-clip.

    Any object with the attributes and methods of :class:`pytest_clip.models.lmm.protocol.Lmm` can be measured; it is asked for once per
    process, when the first test of the suite ``lmm`` needs it.
    """
