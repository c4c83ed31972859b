"""``--clip-update`` in a run: refused before a model loads where it must not write, done when the run is over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_clip import ClipError

if TYPE_CHECKING:
    from pytest_clip.data.catalog import SetInfo
    from pytest_clip.gates.update import Change, Context, Plan
    from pytest_clip.session.settings import Settings

FORCE = "force"
#: What CI systems set, beside the `CI` that most of them do.
CI_VARIABLES = ("CI", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "CIRCLECI", "JENKINS_URL", "TEAMCITY_VERSION", "TF_BUILD", "BUILD_NUMBER")


@dataclass(frozen=True)
class Target:
    """The file to edit, ``layer`` its number among the thresholds files, ``before`` what it held when the run began (None: no file)."""

    path: Path
    label: str
    layer: int
    before: bytes | None


@dataclass(frozen=True)
class Outcome:
    """What to print, and whether something that was to be written could not be."""

    lines: tuple[str, ...]
    failed: bool = False


def refuse(settings: Settings, *, environ: Mapping[str, str], workers: bool) -> None:
    """``ClipError`` where numbers of this run must not become rules, or where nobody would look at the changes."""
    if not settings.update:
        return
    if settings.limit is not None:
        raise ClipError("--clip-update: numbers of a partial run (--clip-limit) must not become rules; run without --clip-limit")
    if settings.mutants:
        raise ClipError("--clip-update: numbers of damaged models (--clip-mutants) must not become rules; run without --clip-mutants")
    if FORCE in settings.update:
        return
    forced = f"--clip-update={','.join([*settings.update, FORCE])}"
    if found := next((name for name in CI_VARIABLES if environ.get(name, "").lower() not in ("", "0", "false")), None):
        raise ClipError(
            f"--clip-update: refused in CI (${found} is set), where a check would rewrite what it is checked against; run it on your own "
            f"machine and commit the changes, or write {forced}"
        )
    if workers:
        raise ClipError(f"--clip-update: refused with xdist workers; run without -n, or write {forced}")


def target(settings: Settings, files: Sequence[Path]) -> Target:
    """The last ``--clip-thresholds``, else ``thresholds.toml`` in the rootdir; read before the rules are, so that no edit goes unseen."""
    from pytest_clip.gates.layers import DEFAULTS, ThresholdsFile
    from pytest_clip.store import unwritable

    path = settings.thresholds[-1][0] if settings.thresholds else settings.rootpath / "thresholds.toml"
    label = ThresholdsFile(path).label
    if not path.parent.is_dir():
        raise ClipError(f"--clip-update: cannot write {label}: there is no folder {path.parent}; create it or correct the path")
    if path.resolve() == DEFAULTS.resolve():  # in the repository of pytest-clip itself
        raise ClipError(
            f"--clip-update: {label} holds the shipped rules, which are for everybody; name another with --clip-thresholds=PATH"
        )
    if problem := unwritable(path):
        raise ClipError(f"--clip-update: {label} cannot be changed: {problem}, or name another file with --clip-thresholds=PATH")
    layer = next((n for n, each in enumerate(files, 1) if each.resolve() == path.resolve()), len(files) + 1)
    return Target(path, label, layer, _content(path))


def finish(
    goal: Target,
    rows: Sequence[Mapping[str, Any]],
    categories: Sequence[str],
    context: Context,
    *,
    files: Sequence[Path],
    known: Mapping[str, Sequence[SetInfo]],
    exit_status: int,
) -> Outcome:
    """Plan the changes that ``rows`` give reason for and write them. What was to be written and could not be is printed all the same.

    ``files`` are all thresholds files of the run, ``known`` the image sets of its data.
    """
    from pytest_clip.gates import update

    if exit_status > 1:
        return Outcome((f"--clip-update: the run did not finish (exit status {exit_status}); {goal.label} is as it was",))
    plan = update.plan(rows, categories, context)
    problem = _write(goal, plan.changes, files, known) if plan.changes else None
    return Outcome(tuple(_told(plan, goal, problem)), failed=problem is not None)


def _write(goal: Target, changes: Sequence[Change], files: Sequence[Path], known: Mapping[str, Sequence[SetInfo]]) -> str | None:
    """Write ``changes`` into the file; the sentence for why not."""
    from pytest_clip.gates import layers, thresholds, update_file
    from pytest_clip.store import put, unwritable

    try:
        text = update_file.edited(None if goal.before is None else goal.before.decode("utf-8"), changes)
        # Two rules that are fine by themselves can contradict each other across files; such a file would stop the next run.
        others = [layers.ThresholdsFile(path) for path in files if path.resolve() != goal.path.resolve()]
        layer = layers.parse(text.removeprefix("\ufeff"), goal.label)
        thresholds.check([*layers.read(others), layer], today=date.today(), extra_gates=None, known=known)
        if _content(goal.path) != goal.before:
            return "it changed during the run"
        if problem := unwritable(goal.path):
            return problem
        put(goal.path, text)
    except ClipError as error:
        return str(error)
    except OSError as error:
        return str(error.strerror or error)
    return None


def _told(plan: Plan, goal: Target, problem: str | None) -> Iterable[str]:
    from pytest_clip.gates.margins import TOLD
    from pytest_clip.gates.toml_text import header

    if problem is not None:
        yield f"UPDATE FAILED: {goal.label} is as it was: {problem}. The changes would have been:"
    elif not plan.changes:
        yield f"UPDATE nothing to change in {goal.label}"
    else:
        yield f"UPDATE {'created' if goal.before is None else 'changed'} {goal.label}:"
    for change in plan.changes:
        old = "" if change.old is None else f"{change.old!r} -> "
        held = "" if change.held_at is None else f", over {change.held_at}"
        yield f"  {change.category:<6} {header(change.place.path)} {change.key} {old}{change.new!r}  ({change.basis}{held})"
    for reason, gates in plan.left.items():
        yield f"  left   {len(gates)} alone, {reason}: {', '.join(gates)}"
    if plan.changes:
        yield f"  margin {TOLD}"


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClipError(f"--clip-update: cannot read {path}: {error.strerror or error}") from None


def markup(line: str) -> dict[str, Any]:
    """How pytest's terminal shows a line of :func:`finish`."""
    if line.startswith(("UPDATE FAILED", "--clip-update")):
        return {"red": True}
    return {"yellow": True} if line.startswith(("UPDATE", "  fix")) else {}
