"""The options are an interface: their help, their errors and what wins over what."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from pytest_clip import ClipError
from pytest_clip.data.prompts import PromptSet
from pytest_clip.models.depth import DepthModel
from pytest_clip.plugin import resolve
from pytest_clip.session import settings
from pytest_clip.views import catalog as views

NOBODY = "~nobody-of-that-name/x: there is no user of that name on this machine; write the path in full"
USAGE = [
    (["--clip-report=pdf:out.pdf"], "argument --clip-report: 'pdf' is not a report; there is json, * (JUnit is pytest's own --junitxml)"),
    (["--clip-report=json:"], "argument --clip-report: 'json:' names no file after the colon; write json:PATH or json"),
    (
        ["--clip-report=json", "--clip-report=json"],
        "--clip-report: two reports cannot share the file */clip-report.json; give each its own DEST",
    ),
    (["--clip-report=json:."], "--clip-report: * is a folder; name a file in it"),
    (
        ["--clip-report=json:tox.ini/r.json"],
        "--clip-report: cannot write */tox.ini/r.json: * is not a writable folder; choose another DEST",
    ),
    (["--clip-prompts=opnai"], "argument --clip-prompts: 'opnai' is no prompt set and no file; did you mean 'openai'?"),
    (["--clip-prompts=ours.txt"], "argument --clip-prompts: 'ours.txt' is no prompt set and no file; there is single, simple, openai, *"),
    (["-o", "clip_prompts=opnai"], "*tox.ini: clip_prompts: 'opnai' is no prompt set and no file; did you mean 'openai'?"),
    (["--clip-limit=0"], "argument --clip-limit: '0' is not a whole number of at least 1"),
    (["--clip-limit=many"], "argument --clip-limit: 'many' is not a whole number of at least 1"),
    (["--clip-workers=0"], "argument --clip-workers: '0' is not a whole number of at least 1"),
    (["--clip-batch-size=0"], "argument --clip-batch-size: '0' is not a whole number of at least 1; or write auto"),
    (["--clip-device=gpu"], "argument --clip-device: 'gpu' is not a device; write auto, cpu, cuda, cuda:N or mps"),
    (["--clip-precision=int8"], "argument --clip-precision: 'int8' is not one of fp32, bf16, fp16, amp, amp_bf16"),
    (["--clip-model="], "argument --clip-model: is empty; give a model name"),
    (["--clip-suite=ood,"], "argument --clip-suite: 'ood,' has an empty name; write NAME[[],NAME...]"),
    (["--clip-suite=odd"], "--clip-suite: no suite 'odd'; did you mean 'ood'?; there is accuracy, ood"),
    (["--clip-model=other", "--clip-pretrained=x"], "--clip-pretrained belongs to a single --clip-model, but there are 2; *"),
    (["--clip-thresholds=gone.toml"], "gone.toml: no such thresholds file, named by --clip-thresholds; create it or correct the path"),
    (["-o", "clip_mcm_tau=cold"], "*tox.ini: clip_mcm_tau: 'cold' is not a positive number"),
    (["-o", "clip_mcm_tau=nan"], "*tox.ini: clip_mcm_tau: 'nan' is not a positive number"),
    (["-o", "clip_neglabel_words=gone.txt"], "*tox.ini: clip_neglabel_words: no file *gone.txt; name a file with one word a line, or *"),
    (["-o", "clip_corruptions=fogg"], "*tox.ini: clip_corruptions: no corruption 'fogg'; there is gaussian_noise, shot_noise, *"),
    (["-o", "clip_corruptions=fog_3d"], "*tox.ini: clip_corruptions: no corruption 'fog_3d'; there is gaussian_noise, *"),
    (["-o", "clip_corruptions_3d=fog"], "*tox.ini: clip_corruptions_3d: no corruption 'fog'; there is near_focus, *"),
    (["-o", "clip_corruptions_laion_c=mosaic"], "*tox.ini: clip_corruptions_laion_c: no corruption 'mosaic'; there is geometric_shapes, *"),
    (["-o", "clip_corruption_images=0"], "*tox.ini: clip_corruption_images: '0' is not a whole number of at least 1"),
    (["--clip-depth-model="], "argument --clip-depth-model: is empty; give a hub id or a folder"),
    (["--clip-depth-model=gone"], "--clip-depth-model: 'gone' is no folder and no hub id; write a folder of save_pretrained, or *"),
    (["--clip-depth-model=."], "--clip-depth-model: '.' has no config.json and no preprocessor_config.json and no [*].safetensors; *"),
    (["-o", "clip_depth_model=gone"], "*tox.ini: clip_depth_model: 'gone' is no folder and no hub id; *"),
    (["-o", "clip_depth_output=near"], "*tox.ini: clip_depth_output: 'near' is not one of auto, inverse, metric"),
    (["-o", "clip_dense_layer=last"], "*tox.ini: clip_dense_layer: 'last' is not a layer; write 0 for the first, 1 for the next, -1 for *"),
    (["-o", "clip_family_wise=maybe"], "*tox.ini: clip_family_wise: *maybe*; write true or false"),
    (["-o", "clip_junit=xsd"], "*tox.ini: clip_junit: 'xsd' is not one of properties, schema"),
    (["-o", "clip_strict_rules=2"], "*tox.ini: clip_strict_rules: *2*; write true or false"),
    (["-o", "clip_compile=ja"], "*tox.ini: clip_compile: *ja*; write true or false"),
    (["-o", "clip_batch_size=8  # small"], "*tox.ini: clip_batch_size: '8  # small' *; a comment stands on a line of its own"),
    (
        ["-o", "clip_corruptions=fog  # one"],
        "*tox.ini: clip_corruptions: no corruption 'fog  # one'; a comment stands on a line of its own; *",
    ),
    (["-o", "clip_device=gpu"], "*tox.ini: clip_device: 'gpu' is not a device; write auto, cpu, cuda, cuda:N or mps"),
    *(([f"--clip-{name}=~nobody-of-that-name/x"], NOBODY) for name in ("cache-dir", "save", "baseline")),
    (["--clip-report=json:~nobody-of-that-name/x"], NOBODY),
    (["-o", "clip_cache_dir=~nobody-of-that-name/x"], f"*tox.ini: clip_cache_dir: {NOBODY}"),
    (["-o", "clip_baseline=~nobody-of-that-name/x"], NOBODY),
    (
        ["-o", f"clip_corruption_images={'9' * 5000}"],
        "*tox.ini: clip_corruption_images: '999*9'... (5000 characters) is too large; write at *",
    ),
    (["-o", f"clip_cache_size={'9' * 400}GB"], "*tox.ini: clip_cache_size: '999* is more than any disk holds; write none for no limit"),
    (
        ["--clip-device=cuda:99999999999"],
        "argument --clip-device: 'cuda:99999999999' is not a device; write auto, cpu, cuda, cuda:N or mps",
    ),
    ([f"--clip-report=json:{'x' * 300}"], "'xxx*x' can be no path (File name too long); write another"),
    ([f"--clip-thresholds={'x' * 300}"], "'xxx*x' can be no path (File name too long); write another"),
    (["-o", "clip_cache_dir=a\0b"], "*tox.ini: clip_cache_dir: 'a\\x00b' can be no path (*null*); write another"),
    (["-o", "clip_precision=int8"], "*tox.ini: clip_precision: 'int8' is not one of fp32, bf16, fp16, amp, amp_bf16"),
]


@pytest.mark.parametrize(("args", "message"), USAGE, ids=[" ".join(args)[:60] for args, _ in USAGE])
def test_nonsense_is_a_usage_error_before_anything_loads(world, args, message):
    world.pytester.makeini("[pytest]")
    result = world.clip(*args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*ERROR: {message}" if not message.startswith("argument") else f"*: error: {message}"])
    assert world.loads == []


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("schema = 1\n[gates.'accuracy/top1']\nmin = 2", "thresholds.toml:3: *"),
        ("schema = 1\n[gates.'accuracy/topp1']\nmin = 0.2", "thresholds.toml:2: *did you mean 'accuracy/top1'?*"),
        ("schema = 1\n[gates.'acuracy/top1']\nmin = 0.2", "thresholds.toml:2: no gate 'acuracy/top1'; did you mean 'accuracy/top1'?"),
        ("schema = ", "thresholds.toml:1*: not valid TOML: *"),
    ],
)
def test_a_wrong_thresholds_file_is_a_usage_error_with_its_line(world, rules, message):
    world.project(rules)
    result = world.clip()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {message}"])
    assert world.loads == []


def test_a_suite_without_a_model_is_a_usage_error(world):
    result = world.run("--clip-suite=ood")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: --clip-suite needs a model to measure; add --clip-model=NAME[[],PRETRAINED]"])


def test_help_shows_every_option_with_its_default(pytester):
    result = pytester.runpytest_inprocess("--help")
    result.stdout.fnmatch_lines(
        [
            "CLIP robustness gates (pytest-clip):",
            "*--clip-model=NAME[[],PRETRAINED]",
            "*--clip-pretrained=TAG-or-PATH",
            "*--clip-suite=NAME[[],NAME...]",
            "*--clip-data=NAME*",
            "*--clip-thresholds=PATH",
            "*--clip-report=TYPE[[]:DEST]",
            "*--clip-prompts=NAME-or-FILE*",
            "*--clip-depth-model=ID-or-DIR*",
            "*--clip-limit=N*",
            "*--clip-device=DEVICE*",
            "*--clip-precision=PRECISION",
            "*--clip-batch-size=N*",
            "*--clip-workers=N*",
            "*--clip-cache-dir=DIR*",
            "*--clip-no-cache*",
            "*--clip-list*",
        ]
    )
    text = " ".join(result.stdout.str().split())
    for ini in ("clip_model", "clip_suite", "clip_data", "clip_thresholds", "clip_cache_dir", "clip_device", "clip_mcm_tau"):
        assert f" {ini} (" in text
    own = text[text.index("CLIP robustness gates") : text.index("clip_mcm_tau")]
    for option in (
        "clip-data",
        "clip-prompts",
        "clip-depth-model",
        "clip-limit",
        "clip-device",
        "clip-precision",
        "clip-batch-size",
        "clip-workers",
        "clip-cache-dir",
        "clip-report",
    ):
        assert "default" in own[own.index(f"--{option}") :][:200], option


def resolved(pytester: pytest.Pytester, *args: str) -> settings.Settings:
    return resolve.resolve(pytester.parseconfig(*args))


IN_TOML = """
clip_max_unreadable = {3}
clip_batch_size = {16}
clip_corruption_images = {20}
clip_dense_layer = {-2}
clip_mcm_tau = {0.5}
clip_family_wise = true
clip_strict_rules = false
clip_data = ["scenes"]
clip_cache_size = "2GB"
"""


@pytest.mark.parametrize("quoted", [True, False])
@pytest.mark.parametrize(
    ("name", "table"), [("pytest.toml", "pytest"), ("pyproject.toml", "tool.pytest"), ("pyproject.toml", "tool.pytest.ini_options")]
)
def test_numbers_in_toml(pytester, name, table, quoted):
    if pytest.version_tuple < (9, 2) and not (quoted or "ini_options" in table):
        pytest.skip("pytest takes text only")
    if pytest.version_tuple < (9,) and "ini_options" not in table:
        pytest.skip("pytest does not read this table")
    body = re.sub(r"\{(.*?)\}", r'"\1"' if quoted else r"\1", IN_TOML)
    (pytester.path / name).write_text(f"[{table}]\n{body}")
    found = resolved(pytester, "-c", name)
    assert (found.max_unreadable, found.batch_size, found.corruption_images, found.dense_layer, found.mcm_tau) == (3, 16, 20, -2, 0.5)
    assert (found.family_wise, found.strict_rules, found.data, found.cache_size) == (True, False, ("scenes",), 2 * 10**9)


@pytest.mark.skipif(pytest.version_tuple < (9,), reason="pytest does not read this file")
@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("clip_mcm_tau = '0'", "pytest.toml: clip_mcm_tau: '0' is not a positive number"),
        ("clip_corruption_images = 0.5", "pytest.toml: clip_corruption_images: .*0.5"),
        ("clip_corruption_images = true", "pytest.toml: clip_corruption_images: .*(True|true)"),
        ("clip_precision = 16", "pytest.toml: clip_precision: .*16"),
        ("clip_corruptions = 'fog'", "pytest.toml: clip_corruptions: .*fog"),
        ("clip_family_wise = 'maybe'", "pytest.toml: clip_family_wise: .*'maybe'.*; write true or false"),
    ],
)
def test_values_that_make_no_sense_in_toml(pytester, line, told):
    (pytester.path / "pytest.toml").write_text(f"[pytest]\n{line}\n")
    with pytest.raises(pytest.UsageError, match=told):
        resolved(pytester, "-c", "pytest.toml")


def test_ini_keys_choose_corruptions(pytester, monkeypatch):
    assert resolved(pytester).corruptions == views.IMAGENET_C
    assert resolved(pytester).corruptions_3d == views.GEOMETRIC
    assert resolved(pytester).corruptions_laion_c == ()
    asked = resolved(pytester, "-o", "clip_corruptions_laion_c=vertical_lines\nstickers")
    assert asked.corruptions_laion_c == ("stickers", "vertical_lines")
    chosen = resolved(pytester, "-o", "clip_corruptions=spatter\nfog", "-o", "clip_corruptions_3d=color_quant\nfog_3d")
    assert (chosen.corruptions, chosen.corruptions_3d) == (("fog", "spatter"), ("fog_3d", "color_quant"))  # in the order of the catalog
    monkeypatch.setattr(resolve, "find_spec", lambda name: None)
    with pytest.raises(pytest.UsageError, match=r"h265_crf: needs PyAV, which is not installed; pip install pytest-clip\[video\]"):
        resolved(pytester, "-o", "clip_corruptions_3d=fog_3d\nh265_crf")
    monkeypatch.setattr(resolve, "find_spec", lambda name: name)
    assert resolved(pytester, "-o", "clip_corruptions_3d=h265_crf").corruptions_3d == ("h265_crf",)


def test_the_depth_model_lies_beside_whoever_names_it(pytester):
    assert resolved(pytester).depth_model is None
    for name in ("typed", "conf/ours"):
        (pytester.path / name).mkdir(parents=True)
        for file in ("config.json", "preprocessor_config.json", "model.safetensors"):
            (pytester.path / name / file).touch()
    (pytester.path / "conf" / "tox.ini").write_text(
        "[pytest]\nclip_depth_model = ours\nclip_depth_output = metric\nclip_dense_layer = -2\n"
    )
    ini = resolved(pytester, "-c", "conf/tox.ini")
    assert ini.depth_model is not None
    assert (ini.depth_model.name, ini.depth_model.output, ini.dense_layer) == ("ours", "metric", -2)
    typed = resolved(pytester, "-c", "conf/tox.ini", "--clip-depth-model=typed").depth_model
    assert typed is not None
    assert (typed.folder, typed.output) == (pytester.path / "typed", "metric")
    assert resolved(pytester, "--clip-depth-model=some/name").depth_model == DepthModel("some/name", None)
    assert (resolved(pytester).dense_layer, resolved(pytester, "-o", "clip_dense_layer=0").dense_layer) == (None, 0)


def test_command_line_wins_over_ini_over_default(pytester):
    assert resolved(pytester).device == "auto"
    pytester.makeini(
        """
        [pytest]
        clip_model =
            ViT-B-32
            RN50,openai
        clip_data = scenes
        clip_thresholds = strict.toml
        clip_device = cpu
        clip_precision = bf16
        clip_batch_size = 16
        clip_cache_dir = cache
        clip_mcm_tau = 0.5
        clip_suite = ood
        """
    )
    ini = resolved(pytester)
    assert ini.models == ("ViT-B-32", "RN50,openai")
    assert ini.thresholds == ((pytester.path / "strict.toml", "clip_thresholds of the ini file"),)
    assert (ini.device, ini.precision, ini.batch_size, ini.mcm_tau, ini.suites) == ("cpu", "bf16", 16, 0.5, ("ood",))
    assert ini.cache_dir == pytester.path / "cache"
    typed = resolved(
        pytester,
        "--clip-model=RN50",
        "--clip-thresholds=a.toml",
        "--clip-thresholds=b.toml",
        "--clip-device=cuda:1",
        "--clip-precision=fp16",
        "--clip-batch-size=auto",
        "--clip-cache-dir=else",
        "--clip-suite=accuracy,ood",
        "--clip-limit=5",
        "--clip-no-cache",
        "--clip-report=json:out/r.json",
    )
    assert typed.models == ("RN50",)
    assert [path.name for path, _ in typed.thresholds] == ["a.toml", "b.toml"]
    assert (typed.device, typed.precision, typed.batch_size, typed.suites) == ("cuda:1", "fp16", None, ("accuracy", "ood"))
    assert (typed.cache_dir, typed.limit, typed.cache) == (pytester.path / "else", 5, False)
    assert typed.reports == (settings.ReportRequest("json", pytester.path / "out" / "r.json"),)


def test_prompts_are_a_name_or_a_file_beside_whoever_names_it(pytester):
    assert resolved(pytester).prompts is None
    assert resolved(pytester, "--clip-prompts=openai-5").prompts == PromptSet("openai-5")
    (pytester.path / "conf").mkdir()
    (pytester.path / "conf" / "ours.txt").write_text("our {}\n")
    (pytester.path / "conf" / "tox.ini").write_text("[pytest]\nclip_prompts = ours.txt\n")
    ini = resolved(pytester, "-c", "conf/tox.ini").prompts
    assert ini is not None
    assert (ini.name, ini.templates) == ("ours.txt", ("our {c}",))
    (pytester.path / "ours.txt").write_text("their {c}\n")
    typed = resolved(pytester, "-c", "conf/tox.ini", "--clip-prompts=ours.txt").prompts
    assert typed is not None
    assert typed.templates == ("their {c}",)


def test_a_wrong_prompts_file_is_a_usage_error_with_its_lines(world):
    (world.pytester.path / "ours.txt").write_text("a photo of a {c}\na photo\n{class} x\n")
    result = world.clip("--clip-prompts=ours.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*argument --clip-prompts: ours.txt:2: no {c} in 'a photo'*", "ours.txt:3: '{class}' means nothing*"])
    assert world.loads == []


def test_the_prompts_stand_in_the_header_the_record_and_the_rerun_command(world):
    (world.pytester.path / "ours.txt").write_text("our {c}\n")
    world.conftest(
        """
        from types import SimpleNamespace
        from pytest_clip.session import load

        def load_data(run, choice):
            return SimpleNamespace(name=choice.label, fingerprint="d" * 16, sets=(), templates=run.settings.prompts.templates)

        load.load_data = load_data
        """
    )
    result = world.clip("--clip-prompts=ours.txt", "--clip-suite=ood", "--clip-report=json:r.json")
    result.stdout.fnmatch_lines(["clip: *; prompts ours.txt; *"])
    record = json.loads((world.pytester.path / "r.json").read_text())
    assert record["data"][0]["prompts"] == {"name": "ours.txt", "templates": ["our {c}"]}
    assert "--clip-prompts=ours.txt" in record["gates"][0]["message"]
    world.clip("--clip-prompts=ours.txt", "--clip-list").stdout.fnmatch_lines(["prompts: ours.txt"])


def test_the_cache_folder_comes_from_the_environment_or_the_home(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("PYTEST_CLIP_CACHE", raising=False)
    monkeypatch.setenv("HOME", "/home/someone")
    assert resolve.default_cache_dir() == Path("/home/someone/.cache/pytest-clip")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert resolve.default_cache_dir() == Path("/caches/pytest-clip")
    monkeypatch.setenv("PYTEST_CLIP_CACHE", "/mine")
    assert resolve.default_cache_dir() == Path("/mine")
    monkeypatch.setenv("PYTEST_CLIP_CACHE", "~nobody-of-that-name")
    with pytest.raises(ClipError, match="there is no user of that name on this machine"):
        resolve.default_cache_dir()


def test_thresholds_are_read_as_defaults_then_project_then_option(world):
    world.defaults('schema = 1\n[gates."accuracy/top5"]\nmin = 0.1\n[gates."ood/auroc"]\nmin = 0.1')
    world.project('schema = 1\n[gates."accuracy/top1"]\nmin = 0.95')
    (world.pytester.path / "ci.toml").write_text('schema = 1\n[gates."accuracy/top1[clean]"]\nmin = 0.9')
    result = world.clip("--clip-thresholds=ci.toml")
    result.stdout.fnmatch_lines(["clip: *rules defaults + thresholds.toml + ci.toml; *"])
    result.assert_outcomes(passed=4, failed=1)  # shift_far still falls under the project's own rule


def test_the_page_of_options_is_what_the_table_says():
    """docs/options.md has the help of every option and key, and names none that there is not."""
    from pytest_clip.plugin.optiontable import OPTIONS

    folder = Path(__file__).parents[2] / "docs"
    spec = importlib.util.spec_from_file_location("_options_page", folder / "options.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    text = (folder / "options.md").read_text(encoding="utf-8")
    assert text == module.page(text), "docs/options.md is not what pytest_clip/plugin/optiontable.py says; run python docs/options.py"
    flags = {each.flag for each in OPTIONS.values() if each.help is not None}
    assert set(re.findall(r"--clip-[a-z-]+[a-z]", text)) == flags
    assert set(re.findall(r"\bclip_[a-z_0-9]+", text)) == {each.dest for each in OPTIONS.values() if each.ini is not None}


def test_class_names_are_a_file_beside_whoever_names_it_and_only_for_timm(pytester):
    assert resolved(pytester).classes is None
    (pytester.path / "conf").mkdir()
    for folder in (pytester.path, pytester.path / "conf"):
        (folder / "names.txt").write_text("a\nb\n")
    (pytester.path / "conf" / "tox.ini").write_text("[pytest]\nclip_classes = names.txt\n")
    assert resolved(pytester, "-c", "conf/tox.ini").classes == pytester.path / "conf" / "names.txt"
    typed = resolved(pytester, "-c", "conf/tox.ini", "--clip-model=timm:test_vit", "--clip-classes=names.txt")
    assert typed.classes == pytester.path / "names.txt"
    for given, told in (
        (
            ["--clip-model=timm:test_vit", "--clip-classes=gone.txt"],
            "--clip-classes: there is no file .*gone.txt; write one class name a line",
        ),
        (["--clip-model=RN50", "--clip-classes=names.txt"], "names the classes of a timm: model, and this run has none; leave it out"),
    ):
        with pytest.raises(pytest.UsageError, match=told):
            resolved(pytester, *given)
