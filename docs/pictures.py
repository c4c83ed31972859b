"""Makes the pictures of README.md and docs/gallery.md from runs of the bundled models: the end of a terminal, and figures of two records.

Each figure is drawn for a light and for a dark page. Without RECORDS the models are measured first, in an empty folder.
Usage: python docs/pictures.py [--runs=DIR]      (DIR keeps the two runs, and has them when they were kept there)
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

PLACE = Path(__file__).with_suffix("")
MODELS = ("scenes-rn", "scenes-rn-ft")
COLUMNS, SHOWN = 120, 5
"""Characters of a line of the terminal; failures that are shown of the many."""
PAPER = {"light": ("#ffffff", "#1f2328", "#d1d9e0"), "dark": ("#0d1117", "#e6edf3", "#3d444d")}
HUES = {"light": ("#0072b2", "#d55e00"), "dark": ("#56b4e9", "#e69f00")}
"""Paper, ink and lines; the two models, in colours that the colour-blind tell apart (Okabe and Ito)."""
ANSI = {"31": "#ff8a80", "32": "#7ee787", "33": "#e3b341"}
Row = Mapping[str, Any]


def measured(model: str, folder: Path) -> tuple[str, dict[str, Any]]:
    """What a run of a model printed, with its colours, and its record; run now unless `folder` has both."""
    printed, record = folder / f"{model}.txt", folder / f"{model}.json"
    if not (printed.exists() and record.exists()):
        command = [sys.executable, "-m", "pytest", f"--clip-model={model}", f"--clip-report=json:{record}", "--color=yes", "--tb=no"]
        done = subprocess.run(command, cwd=folder, env={**os.environ, "COLUMNS": str(COLUMNS)}, capture_output=True, text=True)
        assert done.returncode in (0, 1), done.stdout + done.stderr
        printed.write_text(done.stdout, encoding="utf-8")
    return printed.read_text(encoding="utf-8"), json.loads(record.read_text(encoding="utf-8"))


def ending(printed: str, command: str) -> list[str]:
    """The lines of the summary: the first failures of the many, how many were left out, pytest's last line without its time."""
    lines = printed.splitlines()
    start = max(at for at, line in enumerate(lines) if "clip gates" in line)
    stop = next(at for at, line in enumerate(lines) if "short test summary" in line or at == len(lines) - 1)
    blocks: list[list[str]] = []
    for line in filter(bare, lines[start:stop]):
        if bare(line).startswith("    "):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    bad = [block for block in blocks if bare(block[0]).startswith("FAILED")]
    told = [f"\x1b[33m[{len(bad) - SHOWN} more failures are left out of this picture]\x1b[0m"]
    kept = [block for block in blocks if block not in bad[SHOWN:] and not bare(block[0]).startswith("wrote ")]
    if len(bad) > SHOWN:
        kept.insert(kept.index(bad[SHOWN - 1]) + 1, told)
    return [f"$ {command}", *(line for block in kept for line in block), re.sub(r" in [\d.]+s \([\d:]+\)", "", lines[-1])]


def bare(line: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", line)


def terminal(lines: Sequence[str]) -> str:
    """Lines with ANSI colours as an SVG, on paper of its own; what is longer than a line is cut and says so."""
    high, wide, left = 17, 7.3, 14
    body = []
    for at, line in enumerate(lines):
        spans, room, colour, heavy = "", COLUMNS, "#e6edf3", False
        for part in re.split(r"(\x1b\[[\d;]*m)", line):
            if part.startswith("\x1b"):
                codes = part[2:-1].split(";")
                colour = next((ANSI[code] for code in codes if code in ANSI), colour if "1" in codes else "#e6edf3")
                heavy = "1" in codes or (heavy and codes not in (["0"], [""]))
            elif part and room > 0:
                cut = part if len(part) <= room else part[: room - 1] + "…"
                room -= len(cut)
                weight = "bold" if heavy else "normal"
                spans += f'<tspan fill="{colour}" font-weight="{weight}">{escape(cut)}</tspan>'
        body.append(f'<text x="{left}" y="{38 + at * high}" xml:space="preserve">{spans}</text>')
    width, height = left * 2 + COLUMNS * wide, 38 + len(lines) * high
    dots = "".join(f'<circle cx="{16 + 16 * k}" cy="14" r="5" fill="#6e7681"/>' for k in range(3))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" '
        'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="12">\n'
        f'<rect width="100%" height="100%" rx="8" fill="#161b22"/>{dots}\n' + "\n".join(body) + "\n</svg>\n"
    )


def rows(record: Mapping[str, Any], metric: str) -> dict[str, Row]:
    """The measured rows of a metric by their slices."""
    found = {row["slice"]: row for row in record["gates"] if f"{row['suite']}/{row['metric']}" == metric and row["value"] is not None}
    assert found, f"no {metric} in the record"
    return found


def severities(records: Mapping[str, Mapping[str, Any]], look: str) -> Any:
    """Accuracy under each corruption by its severity, a panel a kind, 95 % intervals as bands."""
    cells = {model: rows(record, "corruptions/accuracy") for model, record in records.items()}
    kinds = sorted({name.rpartition("-")[0] for name in cells[MODELS[0]] if re.search(r"-\d$", name)})
    figure, axes = canvas(look, 3, 5, (10, 5.6), sharex=True, sharey=True)
    for axis, kind in zip(axes.flat, kinds, strict=True):
        for model, hue, dash in zip(records, HUES[look], "-:", strict=True):
            five = [cells[model][f"{kind}-{severity}"] for severity in range(1, 6)]
            lows, highs = zip(*(row["ci"] for row in five), strict=True)
            axis.fill_between(range(1, 6), lows, highs, color=hue, alpha=0.18, linewidth=0)
            axis.plot(range(1, 6), [row["value"] for row in five], color=hue, linestyle=dash, label=model)
        axis.set_title(kind.replace("_", " "), fontsize=9, color=PAPER[look][1])
        axis.set(ylim=(0, 1), yticks=(0, 0.5, 1), xticks=(1, 3, 5))
    figure.supxlabel("severity", color=PAPER[look][1], fontsize=9)
    figure.supylabel("top-1 of 95 pictures, 95 % interval", color=PAPER[look][1], fontsize=9)
    legend(figure, axes.flat[0], look)
    return figure


def factors(records: Mapping[str, Mapping[str, Any]], look: str) -> Any:
    """What one change of a factor costs on the same scenes, worst of the first model on top, with intervals."""
    drops = {model: rows(record, "factors/drop") for model, record in records.items()}
    names = sorted(drops[MODELS[0]], key=lambda name: drops[MODELS[0]][name]["value"])
    figure, axes = canvas(look, 1, 1, (8, 5))
    axis = axes.flat[0]
    for model, hue, mark, shift in zip(records, HUES[look], "os", (0.14, -0.14), strict=True):
        own = [drops[model][name] for name in names]
        values = [100 * row["value"] for row in own]
        spread = [[100 * abs(row["ci"][side] - row["value"]) for row in own] for side in (0, 1)]
        where = [at + shift for at in range(len(names))]
        axis.errorbar(values, where, xerr=spread, fmt=mark, color=hue, markersize=4.5, linewidth=1.4, label=model)
    axis.axvline(0, color=PAPER[look][1], linewidth=0.8)
    axis.set(yticks=range(len(names)), yticklabels=[name.replace("_", " ") for name in names])
    axis.set_xlabel("points of top-1 lost on the same 513 scenes, 95 % interval", color=PAPER[look][1], fontsize=9)
    legend(figure, axis, look)
    return figure


def canvas(look: str, down: int, across: int, size: tuple[float, float], **how: Any) -> tuple[Any, Any]:
    """A figure with its axes in the colours of the page."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "pytest-clip", "font.family": "sans-serif", "font.size": 9})
    from matplotlib import pyplot

    paper, ink, line = PAPER[look]
    figure, axes = pyplot.subplots(down, across, figsize=size, squeeze=False, layout="constrained", facecolor=paper, **how)
    for axis in axes.flat:
        axis.set_facecolor(paper)
        axis.tick_params(colors=ink, labelsize=8, length=0)
        axis.grid(axis="both" if down == 1 else "y", color=line, linewidth=0.5, alpha=0.7)
        axis.set_axisbelow(True)
        for name, side in axis.spines.items():
            side.set(color=line, visible=name in ("left", "bottom"))
    return figure, axes


def legend(figure: Any, axis: Any, look: str) -> None:
    figure.legend(*axis.get_legend_handles_labels(), loc="outside upper center", ncols=2, frameon=False, labelcolor=PAPER[look][1])


def smaller(svg: str) -> str:
    """The same picture without comments and indents, to a hundredth of a point."""
    svg = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=Path, metavar="DIR")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = args.runs or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        runs = {model: measured(model, folder.resolve()) for model in MODELS}
    PLACE.mkdir(exist_ok=True)
    command = f"pytest --clip-model={MODELS[1]} --tb=no"
    (PLACE / "terminal.svg").write_text(terminal(ending(runs[MODELS[1]][0], command)), encoding="utf-8")
    records = {model: record for model, (_, record) in runs.items()}
    for draw in (severities, factors):
        for look in PAPER:
            drawn = io.StringIO()
            draw(records, look).savefig(drawn, format="svg", metadata={"Date": None, "Creator": None})
            (PLACE / f"{draw.__name__}-{look}.svg").write_text(smaller(drawn.getvalue()), encoding="utf-8")
    for path in sorted(PLACE.glob("*.svg")):
        print(f"wrote {path}, {path.stat().st_size / 1000:.1f} kB")


if __name__ == "__main__":
    main()
