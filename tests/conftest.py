import os

import pytest

# Before anything imports huggingface_hub, which reads it once: no test asks the network, whichever test comes first.
os.environ["HF_HUB_OFFLINE"] = "1"

pytest_plugins = ["pytester"]


@pytest.fixture(scope="session", autouse=True)
def a_desk():
    """The tests see what a person at a desk sees: on CI servers pytest prints failures in full, and clip refuses to change rules."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("CI", "BUILD_NUMBER"):
            patch.delenv(name, raising=False)
        yield
