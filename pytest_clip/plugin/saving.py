"""The pytest side of saved runs and baselines: where workers put their outcomes, and what becomes of them when the run ends."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_clip import ClipError
from pytest_clip.plugin.items import data_label_of, gate_of, model_label_of
from pytest_clip.plugin.xdist import is_worker
from pytest_clip.session.judge import rule_for

if TYPE_CHECKING:
    from pytest_clip.plugin.reporting import Reporting
    from pytest_clip.session.regressions import Regressions
    from pytest_clip.session.run import ClipSession

SPOOL = "clip_spool"
#: How xdist may scatter tests when the baseline is measured in the same run: its gates must come before, on the same worker.
_TOGETHER = ("no", "loadfile", "loadscope", "each")


class Saving:
    """Registered only for a run that is saved or has a baseline."""

    def __init__(self, config: pytest.Config, session: ClipSession, regressions: Regressions, reporting: Reporting) -> None:
        self.config, self.session, self.regressions, self.reporting = config, session, regressions, reporting
        self.own = not is_worker(config)
        base = next((choice.label for choice in session.models if choice.role == "baseline"), None)
        if base is not None and (dist := getattr(config.option, "dist", "no")) not in _TOGETHER:
            raise ClipError(f"--clip-baseline-model is measured before the models on the same worker; use --dist=loadfile, not {dist}")
        if not self.own:
            self.folder = Path(config.workerinput[SPOOL])  # type: ignore[attr-defined]
        else:
            self.folder = Path(tempfile.mkdtemp(prefix="pytest-clip-"))
        if session.settings.save is not None or base is not None:
            regressions.spool_in(self.folder, base)

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[SPOOL] = str(self.folder)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """The gates of a family are known now, and the same on every worker."""
        if self.session.settings.family_wise:
            self.regressions.family = max(1, sum(self._asked(item) for item in session.items))

    def _asked(self, item: pytest.Item) -> bool:
        gate = gate_of(item)
        if gate is None:
            return False
        model, data = model_label_of(item, self.session), data_label_of(item, self.session)
        if self.session.role_of(model) is not None:
            return False
        rule = rule_for(self.session, gate, model, data)
        return rule is not None and rule.get("max_drop") is not None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Before the reports are written, because the last facts of a family are known only now."""
        if not self.own or self.config.option.collectonly:
            return
        from pytest_clip.runs import family

        self.reporting.notes += family.adjust(list(self.session.rows.values()), together=self.regressions.family)
        request = self.session.settings.save
        if request is None:
            return
        exitstatus = int(session.exitstatus)
        if exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            self.reporting.notes.append(f"--clip-save: {request.text} was not saved, because the run did not come to its end")
            return
        try:
            self.reporting.notes.append(self._save(request.folder, exitstatus))
        except (ClipError, OSError) as error:
            self.reporting.notes.append(f"--clip-save: {request.text} was not saved: {error}")
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _save(self, folder: Path, exitstatus: int) -> str:
        from pytest_clip.runs import store
        from pytest_clip.session.kept import kept
        from pytest_clip.session.regressions import asked

        settings, record = self.session.settings, self.reporting.record(exitstatus)
        ours = {each.label for each in self.session.data if settings.save_pictures or self.session.data_option(each.label) is None}
        if found := kept(record.pop("evidence", {}), shown=ours):
            record["evidence"] = found
        if not any(row["n"] is not None for row in record["gates"]):
            raise ClipError("no gate was measured")
        partial = [*([f"--clip-limit={settings.limit}"] if settings.limit is not None else []), *self.reporting.plan.narrowed_by]
        replaced = folder.exists()
        assert self.regressions.spool is not None
        size = store.write(
            folder, record=record, asked=asked(settings), partial=partial, parcels=self.regressions.spool.parcels(),
            replace=settings.save_replaces,
        )  # fmt: skip
        shown = folder.relative_to(self.config.rootpath) if folder.is_relative_to(self.config.rootpath) else folder
        told = f"{'replaced' if replaced else 'saved'} run {shown} ({size / 1e6:.1f} MB)"
        return f"{told}, partial: {', '.join(partial)}" if partial else told

    def pytest_unconfigure(self) -> None:
        if self.own:
            shutil.rmtree(self.folder, ignore_errors=True)
