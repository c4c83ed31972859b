"""Writes checkpoints.json from the three tables of open_clip's docs/: `python -m pytest_clip.models.published.build FOLDER COMMIT`."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_clip.models import registry
from pytest_clip.models.published.rules import Row, left_out
from pytest_clip.models.published.table import TABLE

LICENCE = (
    "MIT; Copyright (c) 2012-2021 Gabriel Ilharco, Mitchell Wortsman, Nicholas Carlini, Rohan Taori, Achal Dave, Vaishaal Shankar, "
    "John Miller, Hongseok Namkoong, Hannaneh Hajishirzi, Ali Farhadi, Ludwig Schmidt"
)
_NOT_FIGURES = (
    "name",
    "pretrained",
    "params (M)",
    "FLOPs (B)",
    "Average perf. on 38 datasets",
    "Average score",
    "Flickr",
    "MSCOCO",
    "WinoGAViL",
)
"""Flickr, MSCOCO and WinoGAViL of the one table are means of figures that the other has."""
_NAMES = {"ImageNet 1k": "imagenet", "ImageNet v2": "imagenetv2", "MSCOCO": "coco", "Flickr": "flickr30k"}
_SIDES = {"image retr. R@": "image_retrieval_recall_at_", "text retr. R@": "text_retrieval_recall_at_"}


def figure(column: str) -> str:
    """A column as `data set` or `data set/metric`, in the words of this package: `imagenet-a`, `coco/text_retrieval_recall_at_5`."""
    for said, metric in _SIDES.items():
        if said in column:
            name, _, at = column.partition(f" {said}")
            return f"{_NAMES[name]}/{metric}{at}"
    if column.startswith("WinoGAViL"):
        return f"winogavil/{column.removeprefix('WinoGAViL ').replace(' ', '_')}"
    return _NAMES.get(column, column.lower().replace(" ", "-"))


def table(folder: Path, commit: str) -> dict[str, Any]:
    """The document."""
    results, retrieval, profile = (
        list(csv.DictReader((folder / name).open(encoding="utf-8")))
        for name in ("openclip_results.csv", "openclip_retrieval_results.csv", "model_profile.csv")
    )
    more = {(row["name"], row["pretrained"]): row for row in retrieval}
    rows, sizes = [], {}
    for row in results:
        both: Mapping[str, str] = {**row, **more[row["name"], row["pretrained"]]}
        figures = {figure(column): float(value) for column, value in both.items() if column not in _NOT_FIGURES}
        rows.append(Row(row["name"], row["pretrained"], float(row["Average perf. on 38 datasets"]), figures))
        sizes[rows[-1].key] = [float(row["params (M)"]), float(row["FLOPs (B)"])]
    why = left_out(rows, wrong_activation)

    def written(row: Row) -> list[Any]:
        return [row.name, row.tag, *sizes[row.key], row.mean, *row.figures.values()]

    return {
        "note": "Figures as published; rules.py says what is left out and why. mparams in millions, gflops of one image and one text.",
        "source": f"https://github.com/mlfoundations/open_clip, docs/*.csv, commit {commit}",
        "licence": LICENCE,
        "columns": ["architecture", "pretrained", "mparams", "gflops", "mean", *rows[0].figures],
        "rows": [written(row) for row in rows if row.key not in why],
        "left_out": [[why[row.key], *written(row)] for row in rows if row.key in why],
        "profile": {row["model"]: [int(row["image_size"]), float(row["mparams"]), float(row["gflops"])] for row in profile},
    }


def wrong_activation(name: str, tag: str) -> bool:
    """Whether the tag was trained with QuickGELU and the architecture is built with GELU."""
    known = registry.published().get(name, {}).get(tag)
    return known is not None and known.quick_gelu is True and not registry.model_config(name).get("quick_gelu", False)


def as_text(document: Mapping[str, Any]) -> str:
    """One line a row, so that a change of one is a change of one line."""
    parts = []
    for key, value in document.items():
        if isinstance(value, list) and value and isinstance(value[0], list):
            lines = ",\n".join(json.dumps(row) for row in value)
            parts.append(f"{json.dumps(key)}: [\n{lines}\n]")
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TABLE.write_text(as_text(table(Path(sys.argv[1]), sys.argv[2])), encoding="utf-8")
    print(f"wrote {TABLE}")
