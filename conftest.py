"""What all tests of the repository share: the desk that they run at. A run that measures a model is left alone.

It lies above the suites, so an editable install has it in the runs of other projects too: nothing here may be for a rootdir alone, such as
``pytest_plugins`` (pytester is loaded by addopts).
"""

import os


def pytest_configure(config):
    """No test asks the network, and all see what a person at a desk sees.

    Before anything imports huggingface_hub, which reads its variable once. On CI servers pytest prints failures in full, and clip refuses
    to change rules.
    """
    if config.getoption("clip_model", None):
        return
    os.environ["HF_HUB_OFFLINE"] = "1"
    for name in ("CI", "BUILD_NUMBER", "COLUMNS"):  # the last one: workers of xdist are told how wide a terminal is that they do not have
        os.environ.pop(name, None)
