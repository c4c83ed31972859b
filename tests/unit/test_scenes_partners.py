"""Second views: the same object from a direction inside its bin, another instance of the same parts, both elsewhere in the frame."""

import math
from dataclasses import fields, replace

import numpy as np
import pytest

from pytest_clip.data.scenes.partners import degrees_between, parts_of
from pytest_clip.data.scenes.sets import clean, matched_rows, scene_set
from pytest_clip.data.scenes.sizes import VIEWPOINTS
from pytest_clip.data.scenes.spec import SIDE_LIMIT, Scene

POSE = {"yaw", "elevation", "roll", "distance", "dx", "dy"}
NAMES = (*VIEWPOINTS, "instances")


def partners(name: str) -> list[tuple[Scene, Scene]]:
    found, base = scene_set(name), clean().scenes
    assert found.pairs is not None
    return [(base[row], scene) for row, scene in zip(found.pairs, found.scenes, strict=True)]


def changed(a: Scene, b: Scene) -> set[str]:
    return {f.name for f in fields(Scene) if getattr(a, f.name) != getattr(b, f.name)}


def test_degrees_between_by_hand() -> None:
    s = replace(clean().scenes[0], yaw=0.3, elevation=0.0, roll=0.0, lying=False)
    assert degrees_between(s, s) == pytest.approx(0, abs=1e-5)
    assert degrees_between(s, replace(s, yaw=0.3 + math.radians(40))) == pytest.approx(40)
    assert degrees_between(s, replace(s, elevation=math.radians(25))) == pytest.approx(25)
    assert degrees_between(s, replace(s, roll=math.radians(-7))) == pytest.approx(7)
    # two turns about axes at a right angle: cos(t / 2) = cos(a / 2) cos(b / 2)
    both = replace(s, yaw=0.3 + math.radians(60), elevation=math.radians(30))
    assert math.cos(math.radians(degrees_between(s, both)) / 2) == pytest.approx(math.cos(math.radians(30)) * math.cos(math.radians(15)))


@pytest.mark.parametrize("name", NAMES)
def test_every_set_sees_the_same_scenes_again(name: str) -> None:
    found = scene_set(name)
    assert found.pairs == matched_rows()[: len(found.scenes)]
    assert [a.cls for a, _ in partners(name)] == [b.cls for _, b in partners(name)]


@pytest.mark.parametrize(("name", "bounds"), VIEWPOINTS.items())
def test_a_second_view_differs_by_its_direction_and_place_alone(name: str, bounds: tuple[float, float]) -> None:
    low, high = bounds
    for a, b in partners(name):
        assert changed(a, b) == POSE
        assert low <= degrees_between(a, b) < high
    angles = [degrees_between(a, b) for a, b in partners(name)]
    assert max(angles) - min(angles) > 0.6 * (high - low)  # the bin is used, not an edge of it


@pytest.mark.parametrize("name", NAMES)
def test_partners_stand_elsewhere_and_training_may_draw_their_direction(name: str) -> None:
    for a, b in partners(name):
        assert math.hypot(b.dx - a.dx, b.dy - a.dy) >= math.hypot(0.3, 0.25)
        assert -0.05 <= b.elevation <= 0.75
        assert abs(b.roll) <= 0.3
        assert abs(b.dx) <= 0.45
        assert abs(b.dy) <= 0.35
        if b.cls in SIDE_LIMIT:
            assert abs(math.sin(b.yaw)) <= math.sin(SIDE_LIMIT[b.cls]) + 1e-9
            assert (math.cos(a.yaw) > 0) == (math.cos(b.yaw) > 0)


def test_another_instance_has_the_same_parts_and_another_look() -> None:
    pairs = partners("instances")
    for a, b in pairs:
        assert parts_of(a) == parts_of(b)
        assert a.instance != b.instance
        assert degrees_between(a, b) < 30
        assert (b.style, b.occluder, b.companions, b.lying) == ("photo", "none", (), a.lying)
    for fact in ("texture", "colour", "background", "light_azimuth"):
        assert np.mean([getattr(a, fact) != getattr(b, fact) for a, b in pairs]) > 0.7
