"""Where the documentation tells of a metric: the one address of a page that leads out of it."""

from __future__ import annotations

from pytest_clip.gates.catalog import CATALOG

SITE = "https://pytest-clip.readthedocs.io/en/latest/"
"""`site_url` of mkdocs.yml, which the wheel does not hold."""
PAGE = "suites.html"


def link(metric: str) -> str | None:
    """The address of what the documentation says of `suite/metric`; None for one of a project's own."""
    return f"{SITE}{PAGE}#{metric}" if metric in CATALOG else None
