"""--clip-update writes what was measured, says so, and never where nobody would see it."""

from __future__ import annotations

import re

import pytest

from pytest_clip import store
from pytest_clip.session.updating import CI_VARIABLES


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch):
    """These tests run in CI themselves."""
    for name in CI_VARIABLES:
        monkeypatch.delenv(name, raising=False)


def text(world, name="thresholds.toml") -> str:
    return (world.pytester.path / name).read_text("utf-8")


def told(result) -> list[str]:
    return result.stdout.str().partition(" clip update =")[2].splitlines()[1:]


TODAY_AND_MODEL = "on ????-??-?? with stub (fingerprint 00000000000001be)"


def test_create_makes_the_file_and_a_rule_for_every_gate_without_one(world):
    (world.pytester.path / "thresholds.toml").unlink()
    world.defaults("schema = 1\n[gates.'ood/auroc']\nmin = 0.1")
    result = world.clip("--clip-update=create")
    result.assert_outcomes(passed=5)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "UPDATE created thresholds.toml:",
            '  create [[]data.scenes.gates."accuracy/top1[[]clean]"] min 0.5  (measured 0.9000, 95 % interval 0.5000..0.9500, n = 100, '
            + TODAY_AND_MODEL + ")",
            '  create [[]data.scenes.gates."accuracy/top1[[]shift_far]"] min 0.5  *',
            '  create [[]data.scenes.gates."accuracy/top5[[]clean]"] min 0.99  (measured 1.0000, n = 100, *',
            '  create [[]data.scenes.gates."accuracy/top5[[]shift_far]"] min 0.99  *',
            "  margin the far end of the measured 95 % interval, at least 0.01 from the value *",
        ],
        consecutive=True,
    )  # fmt: skip
    written = text(world)
    assert written.startswith("# Rules of this project")
    assert "ood/auroc" not in written
    assert '[data.scenes.gates."accuracy/top5[clean]"]\nmin = 0.99\nwhy = "measured 1.0000, n = 100, on ' in written
    again = world.clip("--clip-update=create,fix,trim")
    again.assert_outcomes(passed=5)
    again.stdout.fnmatch_lines(["5 gates: 5 passed", "UPDATE nothing to change in thresholds.toml"])
    assert text(world) == written


OURS = """\
# rules of ours
schema = 1  # the only one

[gates."accuracy/top1"]
min = 0.3 # every slice
why = "chance is far below"

# the clean images
[gates."accuracy/top1[clean]"]
max = 0.95
min = 0.99    # too much
why = "we hoped"
min_n = 5
# of the next table

[model."stub".gates."accuracy/top5[clean]"]
min = 0.2

[data.scenes.model.stub.gates."ood/auroc"]
min = 0.9

[model."other".gates."ood/auroc"]
min = 0.9
# the end
"""


def test_fix_moves_only_what_failed_and_leaves_the_rest_of_the_file_alone(world):
    world.project(OURS.replace("max = 0.95\n", ""))
    result = world.clip("--clip-update=fix")
    result.assert_outcomes(passed=3, failed=2)  # the verdicts are those of the rules as they were
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    measured = f"(measured 0.9000, 95 % interval 0.5000..0.9500, n = 100, {TODAY_AND_MODEL})"
    result.stdout.fnmatch_lines(
        [
            "UPDATE changed thresholds.toml:",
            f'  fix    [[]gates."accuracy/top1[[]clean]"] min 0.99 -> 0.5  {measured}',
            # The rule for all slices stays: other slices did not fail.
            '  fix    [[]data.scenes.model.stub.gates."ood/auroc[[]near]"] min 0.9 -> 0.74  (measured 0.7500, n = 150, *, over *.toml:19)',
        ],
        consecutive=True,
    )
    told_now = re.sub(r"on \d{4}-\d\d-\d\d", "on DAY", text(world))
    basis = "on DAY with stub (fingerprint 00000000000001be); by --clip-update"
    expected = OURS.replace("max = 0.95\n", "").replace("min = 0.99    # too much", "min = 0.5    # too much")
    expected = expected.replace('"we hoped"', f'"we hoped; min was 0.99: measured 0.9000, 95 % interval 0.5000..0.9500, n = 100, {basis}"')
    added = f'\n[data.scenes.model.stub.gates."ood/auroc[near]"]\nmin = 0.74\nwhy = "measured 0.7500, n = 150, {basis}"\n'
    assert told_now == expected + added
    now = text(world)
    again = world.clip("--clip-update=fix")
    again.assert_outcomes(passed=5)
    again.stdout.fnmatch_lines(["UPDATE nothing to change in thresholds.toml"])
    assert text(world) == now


def test_a_second_fix_replaces_what_the_first_one_said(world):
    world.project("schema = 1\n[gates.'ood/auroc[near]']\nmin = 0.8\nwhy = 'ours'")
    world.clip("--clip-update=fix")
    world.suites(
        test_ood="""
        import pytest
        @pytest.mark.clip_gate("ood/auroc")
        def test_auroc(gate, clip_case, clip_model): gate(clip_case.gate, 0.65, n=150)
        """
    )
    result = world.clip("--clip-update=fix")
    result.stdout.fnmatch_lines(["*min 0.74 -> 0.64  (measured 0.6500, n = 150, *"])
    (why,) = [line for line in text(world).splitlines() if line.startswith("why")]
    assert why.startswith("why = 'ours; min was 0.74: measured 0.6500, ") or why.startswith('why = "ours; min was 0.74: measured 0.6500, ')
    assert "0.75" not in why


def test_trim_tightens_and_never_loosens(world):
    world.project(
        """
schema = 1
[gates."accuracy/top1"]    # worst slice 0.6: its interval begins at 0.5
min = 0.1
[gates."accuracy/top5"]
min = 0.995
[gates."ood/auroc"]
max = 1
why = "upper"
"""
    )
    result = world.clip("--clip-update=trim")
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(
        [
            '  trim   [[]gates."accuracy/top1"] min 0.1 -> 0.5  (measured *',
            '  trim   [[]gates."ood/auroc"] max 1.0 -> 0.76  (measured 0.7500, *',
            "  margin *",
        ],
        consecutive=True,
    )
    assert "min = 0.995" in text(world)
    world.clip("--clip-update=trim").stdout.fnmatch_lines(["UPDATE nothing to change in thresholds.toml"])


def test_trim_leaves_a_rule_alone_when_one_of_its_slices_breaks_it_or_was_not_run(world):
    rules = "schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\n[gates.'ood/auroc']\nmin = 0.1"
    world.project(rules)
    world.suites(
        test_accuracy="""
        import pytest
        @pytest.mark.clip_gate("accuracy/top1")
        def test_top1(gate, clip_case, clip_model): gate(clip_case.gate, {"clean": 0.9, "shift_far": 0.6}[clip_case.slice], n=100)
        """
    )
    world.clip("--clip-update=trim", "--clip-suite=accuracy").stdout.fnmatch_lines(["UPDATE nothing to change in thresholds.toml"])
    result = world.clip("--clip-update=trim", "-k", "auroc or clean")
    result.stdout.fnmatch_lines(["  left   2 alone, not all slices of its rule were measured in this run: accuracy/top1, ood/auroc"])
    assert text(world) == rules
    world.defaults("schema = 1\n[gates.'ood/auroc']\nmin = 0.1")
    world.project("schema = 1")
    world.clip("--clip-update=trim").stdout.fnmatch_lines(["UPDATE nothing to change in thresholds.toml"])  # a shipped rule stays shipped


def test_a_slice_that_gets_its_own_bound_leaves_the_rest_of_its_rule_to_be_tightened_at_once(world):
    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.7\n[gates.'accuracy/top5']\nmin = 0.99\n[gates.'ood/auroc']\nmax = 0.76")
    world.suites(
        test_accuracy="""
        import pytest
        @pytest.mark.clip_gate("accuracy/top1")
        def test_top1(gate, clip_case, clip_model): gate(clip_case.gate, {"clean": 0.9, "shift_far": 0.6}[clip_case.slice], n=100)
        """
    )
    result = world.clip("--clip-update=fix,trim", "--clip-suite=accuracy")
    result.stdout.fnmatch_lines(
        [
            '  fix    [[]gates."accuracy/top1[[]shift_far]"] min 0.7 -> 0.59  *',
            '  trim   [[]gates."accuracy/top1"] min 0.7 -> 0.89  *',
        ],
        consecutive=True,
    )
    world.clip("--clip-update=fix,trim", "--clip-suite=accuracy").stdout.fnmatch_lines(["UPDATE nothing to change in thresholds.toml"])


def test_trim_leaves_a_rule_alone_when_one_of_its_slices_is_at_chance(world):
    world.project("schema = 1\n[gates.'accuracy/top1']\nmin = 0.3\n")
    world.suites(
        test_accuracy="""
        import pytest
        @pytest.mark.clip_gate("accuracy/top1")
        def test_top1(gate, clip_case, clip_model):
            value = {"clean": 0.9, "shift_far": 0.5}[clip_case.slice]
            gate(clip_case.gate, value, n=100, ci=(value - 0.1, value + 0.1), conventions={"chance": 0.5})
        """
    )
    result = world.clip("--clip-update=trim", "--clip-suite=accuracy")
    result.stdout.fnmatch_lines(["UPDATE nothing to change in *", "  left   1 alone, the model may as well be guessing: *shift_far*"])


def test_a_shipped_bound_that_fails_is_overruled_in_the_users_file(world):
    world.project("schema = 1\n")
    world.defaults('schema = 1\n[data.scenes.gates."accuracy/top1"]\nmin = 0.8')
    shipped = (world.home / "shipped.toml").read_bytes()
    result = world.clip("--clip-update=fix")
    result.stdout.fnmatch_lines(
        ['  fix    [[]data.scenes.gates."accuracy/top1[[]shift_far]"] min 0.8 -> 0.5  (*, over pytest_clip/thresholds.toml:3)']
    )
    assert (world.home / "shipped.toml").read_bytes() == shipped
    assert '[data.scenes.gates."accuracy/top1[shift_far]"]' in text(world)
    world.clip().assert_outcomes(passed=5)


def test_the_last_thresholds_file_is_the_one_that_is_edited(world):
    before = text(world)
    (world.pytester.path / "a.toml").write_text("schema = 1\n[gates.'ood/auroc']\nmin = 0.9")
    result = world.clip("--clip-thresholds=a.toml", "--clip-thresholds=new.toml", "--clip-update=fix")
    result.stdout.fnmatch_lines(["UPDATE created new.toml:", "*over a.toml:3)"])
    assert '[gates."ood/auroc[near]"]\nmin = 0.74' in text(world, "new.toml")
    assert text(world) == before
    world.clip("--clip-thresholds=a.toml", "--clip-thresholds=new.toml").assert_outcomes(passed=5)
    result = world.clip("--clip-thresholds=gone/new.toml", "--clip-update=fix")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--clip-update: cannot write gone/new.toml: there is no folder *gone; create it or correct the path"])


def test_with_two_models_a_rule_is_for_the_model_it_was_measured_on(world):
    world.project("schema = 1\n[gates.'ood/auroc[near]']\nmin = 0.8")
    world.suites(
        test_accuracy="",
        test_ood="""
        import pytest
        @pytest.mark.clip_gate("ood/auroc")
        def test_auroc(gate, clip_case, clip_model, clip_data):
            gate(clip_case.gate, {"stub": 0.75, "stub2": 0.65}[clip_model.label], n=150)
        @pytest.mark.clip_gate("ood/aupr_in")
        def test_aupr(gate, clip_case, clip_model, clip_data): gate(clip_case.gate, 0.5, n=150)
        """,
    )
    result = world.run("--clip-model=stub", "--clip-model=stub2", "--clip-suite=ood", "--clip-update=create,fix")
    result.stdout.fnmatch_lines(
        [
            '  create [[]data.scenes.model.stub.gates."ood/aupr_in[[]near]"] min 0.49  *',
            '  create [[]data.scenes.model.stub2.gates."ood/aupr_in[[]near]"] min 0.49  *',
            '  fix    [[]gates."ood/auroc[[]near]"] min 0.8 -> 0.64  *',  # what the worse of the two needs
        ]
    )
    world.run("--clip-model=stub", "--clip-model=stub2", "--clip-suite=ood").assert_outcomes(passed=4)


def test_what_is_left_alone_is_said(world):
    world.project(
        """
schema = 1
[gates."ood/auroc"]
min = 0.9
severity = "warn"
[gates."accuracy/top1[clean]"]
min = 0.95
[gates."accuracy/top5"]
min = 0.5
min_n = 500
[gates."accuracy/top1[shift_far]"]
min = 0.1
[[waiver]]
gate = "accuracy/top1[clean]"
reason = "#1"
until = 2999-01-01
[[waiver]]
gate = "accuracy/top1[shift_far]"
reason = "#2"
until = 2999-01-01
"""
    )
    world.pytester.makepyfile(
        test_own="""
        import pytest
        from pytest_clip import ClipError
        def test_side(gate): gate("own/side", 0.5, n=10)
        def test_none(gate): gate("own/none", None, n=10, reason="empty", better="higher")
        def test_guess(gate): gate("own/guess", 0.5, n=10, ci=(0.4, 0.6), conventions={"chance": 0.5}, better="higher")
        def test_open(gate): gate("own/open", 0.5, n=10, ci=(0.1, float("inf")), better="lower")
        def test_after(gate):
            gate("own/after", 0.5, n=10, better="higher")
            assert 0
        """
    )
    before = text(world)
    result = world.clip("--clip-suite=all", "test_own.py", "--clip-update=create,fix,trim")
    result.assert_outcomes(passed=5, failed=4)
    assert told(result)[:10] == [
        "UPDATE nothing to change in thresholds.toml",
        "  left   1 alone, waived: accuracy/top1[clean]",
        "  left   1 alone, stale waiver: remove the waiver: accuracy/top1[shift_far]",
        "  left   2 alone, insufficient: too few images: accuracy/top5[clean], accuracy/top5[shift_far]",
        '  left   1 alone, severity = "warn" in the rule: ood/auroc[near]',
        "  left   1 alone, failed, but no min or max is broken: own/after",
        "  left   1 alone, the model may as well be guessing: chance is inside the interval: own/guess",
        "  left   1 alone, no value was measured: own/none",
        "  left   1 alone, its interval has no end on that side: too few images: own/open",
        '  left   1 alone, no better side is known; give gate(..., better="higher") or "lower": own/side',
    ]
    assert text(world) == before


def test_a_projects_own_gate_has_no_scope_that_it_does_not_use(world):
    world.project("schema = 1")
    world.pytester.makepyfile(test_own='def test_a(gate): gate("shop/loss", 0.02, n=10, ci=(0.018, 0.0234), better="lower")')
    result = world.clip("test_own.py", "--clip-update=create")
    result.stdout.fnmatch_lines(['  create [[]gates."shop/loss"] max 0.0234  *'])


# Refusals, all of them before the model loads


@pytest.mark.parametrize(
    ("args", "env", "message"),
    [
        (
            ["--clip-update=create"],
            "CI",
            "*--clip-update: refused in CI ($CI is set), *commit the changes, or write *=create,force",
        ),
        (["--clip-update=fix,trim"], "GITHUB_ACTIONS", "*refused in CI ($GITHUB_ACTIONS is set)*--clip-update=fix,trim,force"),
        (["--clip-update=create", "--clip-limit=5"], "", "*numbers of a partial run (--clip-limit) must not become rules; *"),
        (["--clip-update=create,force", "--clip-limit=5"], "CI", "*numbers of a partial run (--clip-limit) must not become rules; *"),
        (["--clip-update=create,delete"], "", "*argument --clip-update: 'delete' is none of create, fix, trim, force"),
        (["--clip-update=force"], "", "*argument --clip-update: 'force' alone updates nothing; add create, fix or trim"),
        (["--clip-update="], "", "*argument --clip-update: '' has an empty name*"),
    ],
)
def test_refused(world, monkeypatch, args, env, message):
    if env:
        monkeypatch.setenv(env, "true")
    before = text(world)
    result = world.clip(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert world.loads == []
    assert text(world) == before


def test_ci_can_be_forced_and_an_empty_or_false_ci_is_none(world, monkeypatch):
    world.project("schema = 1")
    for value, option in (("true", "create,force"), ("false", "create"), ("", "create")):
        monkeypatch.setenv("CI", value)
        assert world.clip(f"--clip-update={option}").ret == 0


def test_refused_with_workers_unless_forced(world):
    world.project("schema = 1")
    result = world.run_process("-p", "xdist", "--clip-model=stub", "-n", "2", "--clip-update=create")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--clip-update: refused with xdist workers; run without -n, or write --clip-update=create,force"])
    result = world.run_process("-p", "xdist", "--clip-model=stub", "-n", "2", "--clip-update=create,force", "-qq")
    assert result.ret == 0
    assert len([line for line in told(result) if line.startswith("  create")]) == 5
    assert text(world).count("[data.scenes.gates.") == 5


# The file


def test_a_file_that_changed_during_the_run_is_not_written(world):
    world.conftest(
        """
        def pytest_collection_finish(session):
            with open("thresholds.toml", "a") as f: f.write("# edited meanwhile\\n")
        """
    )
    world.project("schema = 1\n")
    result = world.clip("--clip-update=create")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(
        [
            "UPDATE FAILED: thresholds.toml is as it was: it changed during the run. The changes would have been:",
            '  create [[]data.scenes.gates."accuracy/top1[[]clean]"] min 0.5  *',
        ]
    )
    assert text(world) == "schema = 1\n# edited meanwhile\n"


def test_a_write_protected_file_is_refused_before_the_run(world):
    path = world.pytester.path / "thresholds.toml"
    path.chmod(0o444)  # root could write it all the same, and so could a rename
    before = path.read_bytes()
    result = world.clip("--clip-update=create,fix,trim")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: --clip-update: thresholds.toml cannot be changed: it is write-protected (mode 0444); allow it with: chmod u+w *"]
    )
    assert (path.read_bytes(), path.stat().st_mode & 0o777, world.loads) == (before, 0o444, [])


def test_a_file_that_is_protected_during_the_run_is_left(world):
    world.suites(
        test_ood="""
        from pathlib import Path
        import pytest
        @pytest.mark.clip_gate("ood/auroc")
        def test_auroc(gate, clip_case, clip_model):
            Path("thresholds.toml").chmod(0o444)
            gate(clip_case.gate, 0.65, n=150)
        """
    )
    before = text(world)
    result = world.clip("--clip-update=fix")
    result.stdout.fnmatch_lines(["UPDATE FAILED: thresholds.toml is as it was: it is write-protected (mode 0444)*"])
    assert text(world) == before


def test_a_file_that_cannot_be_written_is_said_and_left(world, monkeypatch):

    def full(path, text):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(store, "put", full)
    before = text(world)
    result = world.clip("--clip-update=create,fix")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stdout.fnmatch_lines(["UPDATE FAILED: thresholds.toml is as it was: No space left on device. The changes would have been:"])
    assert text(world) == before


def test_a_mistake_in_the_file_is_the_usual_usage_error(world):
    world.project("schema = 1\n[gates.'ood/auroc'\nmin = 1")
    result = world.clip("--clip-update=create")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*thresholds.toml:2:*: not valid TOML: *"])


def test_an_interrupted_run_writes_nothing(world):
    before = text(world)
    world.pytester.makepyfile(test_own="def test_a(gate): gate('own/a', 1, n=1, better='higher')\ndef test_b(): raise KeyboardInterrupt")
    result = world.run_process("--clip-model=stub", "test_own.py", "--clip-update=create")
    result.stdout.fnmatch_lines(["--clip-update: the run did not finish (exit status 2); thresholds.toml is as it was"])
    assert text(world) == before


def test_a_dry_run_writes_nothing(world):
    before = text(world)
    world.clip("--clip-update=create,fix,trim", "--collect-only")
    world.clip("--clip-update=create,fix,trim", "--clip-list")
    assert text(world) == before


def test_windows_line_ends_links_and_permissions_stay(world):
    path, link = world.pytester.path / "kept.toml", world.pytester.path / "thresholds.toml"
    link.unlink()
    path.write_bytes(b"\xef\xbb\xbf# ours\r\nschema = 1\r\n[gates.'ood/auroc[near]']\r\nmin = 0.8 # here\r\n")
    path.chmod(0o640)
    link.symlink_to(path.name)
    world.clip("--clip-update=create,fix")
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# ours\r\nschema = 1\r\n[gates.'ood/auroc[near]']\r\nmin = 0.74 # here\r\nwhy = ")
    assert content.count(b"\n") == content.count(b"\r\n") > 10
    assert [
        each.name for each in world.pytester.path.iterdir() if each.name.startswith(".thresholds") or each.name.startswith(".kept")
    ] == []


def test_the_shipped_rules_are_not_updated(world):
    """In the repository of pytest-clip itself thresholds.toml in the rootdir is what everybody gets."""
    from pytest_clip.gates import layers

    world.pytester.path.joinpath("thresholds.toml").unlink()
    world.pytester.path.joinpath("thresholds.toml").symlink_to(layers.DEFAULTS)
    result = world.clip("--clip-update=create")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--clip-update: thresholds.toml holds the shipped rules, which are for everybody; name another *"])
