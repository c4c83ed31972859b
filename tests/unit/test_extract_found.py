"""What is found out about a model is found out once, and again whenever anything that it depends on is another."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from pytest_clip.data import load
from pytest_clip.extract import found as kept


def model(fingerprint="f" * 16, **facts):
    return SimpleNamespace(
        label="m", fingerprint=fingerprint, device="cpu", precision="fp32", image_size=(8, 8), facts=facts, logit_scale=1.0
    )


class Counted:
    def __init__(self, result):
        self.result, self.times = result, 0

    def __call__(self):
        self.times += 1
        if isinstance(self.result, Exception):
            raise self.result
        return self.result


@pytest.fixture(scope="module")
def data():
    return load("scenes", limit=19)


def test_it_is_made_once_and_comes_back_as_the_first_time(tmp_path, data):
    make = Counted(("weights", 7, [0.1 + 0.2, -0.0], None, True))
    first, again = (kept.found(tmp_path, model(), data, "numbers", make) for _ in range(2))
    assert first == again == ["weights", 7, [0.1 + 0.2, -0.0], None, True]
    assert make.times == 1


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_comes_back_as_it_was(tmp_path, data, number):
    for _ in range(2):
        back = kept.found(tmp_path, model(), data, "change", lambda: number)
        assert back == number or (math.isnan(number) and math.isnan(back))


OTHERS = {
    "model": lambda: {"model": model("e" * 16)},
    "how it passes": lambda: {"model": model(compiled=True)},
    "data": lambda: {"data": load("scenes", limit=38)},
    "no data": lambda: {"data": None},
    "what": lambda: {"what": "another"},
    "asked": lambda: {"step": 2},
}


@pytest.mark.parametrize("other", OTHERS)
def test_anything_else_is_found_out_anew(tmp_path, data, other):
    make, how = Counted(1), {"model": model(), "data": data, "what": "one", "step": 1}
    for each in (how, how | OTHERS[other](), how):
        named = dict(each)
        kept.found(tmp_path, named.pop("model"), named.pop("data"), named.pop("what"), make, **named)
    assert make.times == 2


def test_other_code_finds_it_out_anew(tmp_path, data, monkeypatch):
    make = Counted(1)
    kept.found(tmp_path, model(), data, "one", make)
    monkeypatch.setattr(kept, "code", lambda: "another line")
    kept.found(tmp_path, model(), data, "one", make)
    assert make.times == 2


def test_the_code_is_the_package_and_its_suites():
    from pytest_clip.plugin.suites import SUITES

    assert {SUITES / "test_checkpoint.py", SUITES.parent / "pytest_clip" / "metrics" / "breaking.py"} <= set(kept.files())


def test_what_fails_is_kept_by_nobody(tmp_path, data):
    make = Counted(ValueError("no"))
    for _ in range(2):
        with pytest.raises(ValueError, match="no"):
            kept.found(tmp_path, model(), data, "one", make)
    assert make.times == 2


def test_what_was_torn_is_found_out_anew(tmp_path, data):
    make = Counted([1, 2])
    kept.found(tmp_path, model(), data, "one", make)
    (file,) = (tmp_path / kept.PLACE).glob("*.json")
    file.write_text(file.read_text().replace("[1, 2]", "[1, 3]"))
    assert kept.found(tmp_path, model(), data, "one", make) == [1, 2]
    assert make.times == 2


def outcomes(**changed):
    from pytest_clip.metrics.outcomes import Outcomes

    given = {
        "statistic": "ece", "arrays": {"confidence": np.array([0.1, 0.9]), "correct": np.array([0, 1])}, "params": {"bins": 15},
        "clusters": np.array([0, 1]),
    }  # fmt: skip
    return Outcomes(**(given | changed))


OTHER_OUTCOMES = {
    "an array": {"arrays": {"confidence": np.array([0.1, 0.8]), "correct": np.array([0, 1])}},
    "swapped": {"arrays": {"confidence": np.array([0.9, 0.1]), "correct": np.array([1, 0])}},
    "the statistic": {"statistic": "adaptive_ece"},
    "a parameter": {"params": {"bins": 14}},
    "which belong together": {"clusters": np.array([0, 0])},
    "the second sample": {"others": {"score": np.array([1.0])}},
}


def test_an_interval_is_made_once_for_the_same_outcomes(tmp_path):
    make = Counted((0.25, math.inf))
    for _ in range(2):
        assert kept.interval(tmp_path, "calibration/ece[clean]", outcomes(), make) == [0.25, math.inf]
    assert make.times == 1
    kept.interval(tmp_path, "calibration/ece[typical]", outcomes(), make)  # another seed
    assert make.times == 2


@pytest.mark.parametrize("other", OTHER_OUTCOMES)
def test_other_outcomes_have_an_interval_of_their_own(tmp_path, other):
    make = Counted((0, 1))
    for each in (outcomes(), outcomes(**OTHER_OUTCOMES[other]), outcomes()):
        kept.interval(tmp_path, "a/b", each, make)
    assert make.times == 2


def test_an_interval_needs_no_cache_that_can_be_written(tmp_path):
    place = tmp_path / "file"
    place.write_text("")
    assert kept.interval(place, "a/b", outcomes(), Counted((0, 1))) == (0, 1)
