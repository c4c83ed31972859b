"""What of the evidence of a run a saved run keeps: words and curves always, pictures only of data that may be shown."""

import copy

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pytest_clip.session import kept


def figure(kind, data, *keys, gate="accuracy/top1[clean]"):
    return {"kind": kind, "gate": gate, "model": "m", "data": data, "images": [{"id": "a.png", "picture": key} for key in keys]}


RUN = {
    "figures": [
        figure("mistakes", "scenes", "k1", "k2"),
        figure("mistakes", "own", "k2", "k3"),
        figure("captions", "own", "k4") | {"texts": ["Jane Doe at home"]},
        {"kind": "reliability", "gate": "calibration/ece[clean]", "model": "m", "data": "own", "bins": [{"n": 3}]},
    ],
    "pictures": {"k1": "one", "k2": "two", "k3": "three", "k4": "four"},
}


def test_own_pictures_and_captions_stay_at_home():
    before = copy.deepcopy(RUN)
    found = kept.kept(RUN, shown={"scenes"})
    assert found["pictures"] == {"k1": "one", "k2": "two"}
    assert [(each["kind"], each["data"]) for each in found["figures"]] == [
        ("mistakes", "scenes"),
        ("mistakes", "own"),
        ("reliability", "own"),
    ]
    assert found["figures"][0] == RUN["figures"][0]
    assert [each["picture"] for each in found["figures"][1]["images"]] == [None, None]  # k2 is shown elsewhere, not as one of these
    assert found["figures"][2] == RUN["figures"][3]
    assert before == RUN


def test_asked_for_everything_is_kept_and_without_evidence_nothing():
    assert kept.kept(RUN, shown={"scenes", "own"}) == RUN
    assert kept.kept({}, shown={"scenes"}) == {}
    assert kept.kept({"figures": [RUN["figures"][2]], "pictures": {"k4": "four"}}, shown=()) == {}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may have other work
@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=4), max_size=5), st.integers(0, 40))
def test_pictures_are_few_and_every_figure_gets_its_first_before_any_its_second(figures, room):
    whole = {"figures": [figure("mistakes", "own", *keys) for keys in figures], "pictures": {key: key * 5 for key in "abcdefgh"}}
    largest, kept.LARGEST = kept.LARGEST, room
    try:
        found = kept.kept(whole, shown={"own"})
    finally:
        kept.LARGEST = largest
    pictures = found.get("pictures", {})
    assert sum(map(len, pictures.values())) <= room
    shown = [[each["picture"] for each in told["images"]] for told in found.get("figures", ())]
    assert all(key is None or key in pictures for keys in shown for key in keys)
    assert {key for keys in shown for key in keys} - {None} == pictures.keys()
    if len(pictures) < len({key for keys in figures for key in keys}):
        firsts = list(dict.fromkeys(keys[0] for keys in figures if keys))
        assert set(firsts[: room // 5]) <= pictures.keys()
