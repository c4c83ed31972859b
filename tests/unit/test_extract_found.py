"""What is found out about a model is found out once, and again whenever anything that it depends on is another."""

import math
from types import SimpleNamespace

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
