"""--clip-update with the bundled model, as a user starts it: numbers of a real run become rules, and the next run agrees with them."""

from pytest_clip.gates.toml_lines import tomllib

RULES = """\
# rules of the arm team
schema = 1   # the only one

[gates."checkpoint/text_spread"]          # loose: to be trimmed
min = 0.06
why = "first guess"

# what we fly in
[gates."own/top1"]
min = 0.999  # strict: to be fixed
"""
OWN = """
from pytest_clip.metrics.intervals import wilson

def test_top1(gate, clip_model, clip_data, clip_extraction):
    right = clip_extraction.zero_shot(clip_model, clip_data, "clean", first=95).right
    gate("own/top1", right.mean(), n=95, ci=wilson(int(right.sum()), 95), per_image={"correct": right}, better="higher")

def test_scale(gate, clip_model):
    gate("own/scale", clip_model.logit_scale, n=1, better="higher")
"""
ASKED = ("test_own.py", "--clip-model=scenes-rn", "--clip-suite=checkpoint", "--clip-update=create,fix,trim", "-k")


def test_bounds_are_created_fixed_and_trimmed_and_nothing_else_changes(measure, tmp_path):
    path = tmp_path / "thresholds.toml"
    path.write_text(RULES)
    (tmp_path / "test_own.py").write_text(OWN)
    status, rows, output = measure(*ASKED, "top1 or scale or text_spread")
    assert status == 1  # by the rules as they were
    written = tomllib.loads(path.read_text())["gates"]
    top1, spread, scale = (written[gate] for gate in ("own/top1", "checkpoint/text_spread", "own/scale"))
    measured = {gate: rows[gate]["value"] for gate in written}
    assert rows["own/top1"]["ci"][0] - 0.001 < top1["min"] <= rows["own/top1"]["ci"][0] < measured["own/top1"] < 0.999
    assert measured["checkpoint/text_spread"] - 0.011 < spread["min"] < measured["checkpoint/text_spread"] - 0.0099
    assert 0.97 * measured["own/scale"] < scale["min"] < 0.99 * measured["own/scale"]
    assert top1["why"].startswith("measured 0.")
    assert spread["why"].startswith("first guess; min was 0.06: measured ")
    expected = RULES.replace("0.999", str(top1["min"])).replace("0.06", str(spread["min"])).replace("first guess", spread["why"])
    head, _, created = path.read_text().partition('\n[gates."own/scale"]\n')
    assert head == f'{expected}why = "{top1["why"]}"\n'
    assert created == f'min = {scale["min"]}\nwhy = "{scale["why"]}"\n'
    for said in (
        'create [gates."own/scale"] min ',
        'fix    [gates."own/top1"] min 0.999 -> ',
        'trim   [gates."checkpoint/text_spread"] min 0.06 -> ',
    ):
        assert said in output

    before = path.read_bytes()
    status, rows, output = measure(*ASKED, "top1 or test_scale")  # from the cache, without torch
    assert status == 0
    assert "UPDATE nothing to change in thresholds.toml" in output
    assert path.read_bytes() == before
