"""Everything that knows pytest. The entry point ``pytest_clip.plugin`` is this package: pytest finds hooks and fixtures in it by name."""

from pytest_clip.plugin.fixtures import *  # noqa: F403
from pytest_clip.plugin.hooks import *  # noqa: F403
