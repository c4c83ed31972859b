"""The embedded image sets: sizes, balance, and that a factor changes its own fields and nothing else."""

import os
import subprocess
import sys
from dataclasses import fields

import numpy as np
import pytest

from pytest_clip.data import catalog
from pytest_clip.data.scenes import load, sizes
from pytest_clip.data.scenes.appearance import SECOND_SHARE, TYPICAL, conflicting, mean_colour, neutral_walls
from pytest_clip.data.scenes.objects import JITTER, build
from pytest_clip.data.scenes.sets import STREAMS, matched_rows, scene_set
from pytest_clip.data.scenes.spec import SIDE_LIMIT, Scene, draw_yaw, sample, with_companion
from pytest_clip.data.scenes.vocabulary import (
    BACKGROUNDS,
    CLASSES,
    COLOURS,
    FACTORS,
    HELD_OUT,
    OOD,
    PALETTE,
    SHIFTS,
    STYLES,
    SURFACES,
    TEXTURES,
    UNSEEN_BACKGROUNDS,
    UNSEEN_COLOURS,
    UNSEEN_MATERIALS,
    UNSEEN_PATTERNS,
    UNSEEN_STYLES,
)

BACKDROPS, CUES, VIEWPOINTS = sizes.BACKDROPS, sizes.CUES, sizes.VIEWPOINTS
SETS = [info for info in catalog.sets("scenes") if info.name != "studio" and info.role != "note"]
"""tests/unit/test_scenes_studio.py and tests/unit/test_scenes_notes.py have those."""
NAMES = [info.name for info in SETS]
CHANGES = {
    "pose": {"yaw", "elevation", "roll"},
    "background": {"background", "background_colour"},
    "pattern": {"texture"},
    "color": {"colour", "colour2", "accent"},
    "smaller": {"distance", "dx", "dy"},
    "larger": {"distance"},
    "shape": {"stretch"},
    "partial_view": {"dx", "dy"},
    "subcategory": {"variant"},
    "texture": {"texture"},
    "darker": {"exposure"},
    "brighter": {"exposure"},
    "object_blocking": {"occluder", "occluder_size", "occluder_seed"},
    "style": {"style"},
    "multiple_objects": {"companions", "distance", "dx", "dy"},
}
"""Which fields each factor may change."""


def changed(a: Scene, b: Scene) -> set[str]:
    return {f.name for f in fields(Scene) if getattr(a, f.name) != getattr(b, f.name)}


def matched(name: str) -> list[tuple[Scene, Scene]]:
    found, base = scene_set(name), scene_set("clean").scenes
    assert found.pairs is not None
    return [(base[row], scene) for row, scene in zip(found.pairs, found.scenes, strict=True)]


def test_there_is_a_set_for_every_factor_shift_cue_and_unknown() -> None:
    assert ["clean", "typical", *SHIFTS, *FACTORS, *CUES, *OOD, "pairs", *VIEWPOINTS, "instances", *BACKDROPS] == NAMES
    assert set(CHANGES) == set(FACTORS)
    with pytest.raises(KeyError, match="sideways"):
        scene_set("sideways")


@pytest.mark.parametrize("info", SETS, ids=lambda info: info.name)
def test_the_catalog_knows_the_real_size(info: catalog.SetInfo) -> None:
    found = scene_set(info.name)
    assert len(found.scenes) == len(found.labels) == info.n
    assert info.n >= {"clean": 1900, "viewpoint": 100, "keypoints": 100, "backdrop": 300}.get(info.role, 500)
    assert (found.pairs is not None) == (info.role in ("factor", "cue", "viewpoint", "keypoints", "backdrop"))


@pytest.mark.parametrize("name", NAMES)
def test_every_prefix_is_balanced_over_the_classes(name: str) -> None:
    found = scene_set(name)
    if name in OOD:
        assert set(found.labels) == {-1}
        return
    assert [CLASSES[k] for k in found.labels] == [s.cls for s in found.scenes]
    for n in (19, 50, len(found.labels)):
        counts = np.bincount(found.labels[:n], minlength=len(CLASSES))
        assert counts.max() - counts.min() <= 1


def test_unknown_sets_hold_no_known_object() -> None:
    assert {s.cls for s in scene_set("near").scenes} == set(HELD_OUT)
    assert {s.cls for s in scene_set("far").scenes} == {"nothing"}
    assert {s.cls for s in scene_set("textures").scenes} == {"slab"}
    for name in OOD:
        assert not any(s.companions for s in scene_set(name).scenes)
    for name in ("far", "textures"):
        assert {s.occluder for s in scene_set(name).scenes} == {"none"}


@pytest.mark.parametrize("name", FACTORS)
def test_a_factor_changes_the_fields_it_names_and_nothing_else(name: str) -> None:
    pairs = matched(name)
    every = [changed(a, b) for a, b in pairs]
    assert set().union(*every) == CHANGES[name]
    assert all(every), f"{sum(not c for c in every)} scenes of {name} are those of clean"


@pytest.mark.parametrize("name", FACTORS)
def test_labels_are_those_of_the_pair(name: str) -> None:
    found, base = scene_set(name), scene_set("clean")
    assert found.pairs == matched_rows()
    assert [base.labels[row] for row in found.pairs or ()] == list(found.labels)


def test_matched_scenes_are_photographs_of_one_standard_object() -> None:
    for a, _ in matched("pose"):
        assert (a.style, a.occluder, a.companions, a.variant, a.stretch, a.exposure) == (
            "photo",
            "none",
            (),
            "standard",
            (1.0, 1.0, 1.0),
            1.0,
        )


def test_factors_lie_outside_the_training_distribution() -> None:
    after = {name: [b for _, b in matched(name)] for name in FACTORS}
    assert all(b.elevation > 0.75 or abs(b.roll) > 0.5 for b in after["pose"])
    assert {b.background for b in after["background"]} == set(UNSEEN_BACKGROUNDS)
    assert {b.texture for b in after["pattern"]} == set(UNSEEN_PATTERNS)
    assert {b.texture for b in after["texture"]} == set(UNSEEN_MATERIALS)
    for part in ("colour", "colour2", "accent"):
        assert {getattr(b, part) for b in after["color"]} == set(UNSEEN_COLOURS)
    assert all(b.colour != b.colour2 for b in after["color"])
    assert all(b.distance > 4 for b in after["smaller"])
    assert all(b.distance < 2.6 for b in after["larger"])
    assert all(max(abs(np.log(b.stretch))) > np.log(1 + 3 * JITTER) for b in after["shape"])
    assert {b.variant for b in after["subcategory"]} == {"unseen"}
    assert all(b.exposure < 0.3 for b in after["darker"])
    assert all(b.exposure > 2 for b in after["brighter"])
    assert {b.occluder for b in after["object_blocking"]} == {"ball", "fence"}
    assert {b.style for b in after["style"]} == {*STYLES[1:], "blueprint"}
    assert all(len(b.companions) == 3 and b.cls not in {c.cls for c in b.companions} for b in after["multiple_objects"])


def test_shifts_lie_outside_the_training_distribution() -> None:
    scenes = {name: scene_set(name).scenes for name in SHIFTS}
    assert all(s.ambient < 0.35 and abs(s.light_azimuth) > 1.3 and s.tint != (1.0, 1.0, 1.0) for s in scenes["shift_light"])
    assert {s.style for s in scenes["shift_style"]} == {"halftone", "mosaic"}
    assert all(len(s.companions) == 6 for s in scenes["shift_clutter"])
    assert all(s.distance >= 5 for s in scenes["shift_far"])  # training ends at 4


@pytest.mark.parametrize("cls", [*CLASSES, *HELD_OUT])
def test_training_draws_only_what_training_may_show(cls: str) -> None:
    g = np.random.default_rng(0)
    for _ in range(60):
        s = sample(g, cls)
        assert s.texture in TEXTURES
        assert {s.colour, s.colour2, s.accent, s.background_colour} <= set(COLOURS)
        assert s.background in BACKGROUNDS
        assert s.style not in UNSEEN_STYLES
        assert s.occluder != "fence"
        assert s.colour not in (s.colour2, s.background_colour)
        assert not (s.companions and s.occluder != "none")
        assert s.objects <= 2
        assert (s.variant, s.exposure, s.stretch, s.tint) == ("standard", 1.0, (1.0, 1.0, 1.0), (1.0, 1.0, 1.0))


def test_thin_objects_are_seen_from_the_side() -> None:
    g = np.random.default_rng(0)
    for cls, limit in SIDE_LIMIT.items():
        yaw = np.array([draw_yaw(g, cls) for _ in range(200)])
        assert np.abs(np.sin(yaw)).max() <= np.sin(limit) + 1e-9
        assert 60 < (np.cos(yaw) > 0).sum() < 140


def test_a_companion_is_of_another_class_and_colour() -> None:
    g = np.random.default_rng(0)
    for _ in range(50):
        s = with_companion(g, sample(g, "dog", companion_share=0.0))
        (mate,) = s.companions
        assert mate.cls != "dog"
        assert mate.colour not in (s.colour, s.background_colour)
        assert np.sign(mate.right) == -np.sign(s.dx)


def test_scenes_name_things_that_exist() -> None:
    for name in NAMES:
        for s in scene_set(name).scenes:
            assert s.texture in SURFACES
            assert {s.colour, s.colour2, s.accent, s.background_colour} <= set(PALETTE)
            assert all(c.cls in CLASSES and c.colour in PALETTE for c in s.companions)


def test_no_two_sets_and_no_training_round_share_a_scene() -> None:
    from pytest_clip.train.pool import draw

    assert len(set(STREAMS.values())) == len(STREAMS) == len(NAMES)
    fresh = [n for n in NAMES if n not in (*FACTORS, *CUES, *BACKDROPS)]
    drawn = [{(s.instance, s.occluder_seed, s.yaw) for s in scene_set(n).scenes} for n in fresh]
    for number in range(3):
        scenes, _ = draw("sampled", seed=0, number=number)
        drawn.append({(s.instance, s.occluder_seed, s.yaw) for s in scenes})
    assert sum(map(len, drawn)) == len(set().union(*drawn))


def test_every_class_has_a_standard_and_an_unseen_shape() -> None:
    for cls in CLASSES:
        standard, unseen = build(cls, instance=1), build(cls, instance=1, variant="unseen")
        assert len(standard) != len(unseen) or any(not np.allclose(a.A, b.A) for a, b in zip(standard, unseen, strict=True))
    for cls in HELD_OUT:
        with pytest.raises(KeyError, match=f"no unseen shape for class '{cls}'"):
            build(cls, instance=1, variant="unseen")


def test_an_instance_is_the_same_object_every_time_and_another_seed_another() -> None:
    one, again, other = (build.__wrapped__("car", instance=i) for i in (1, 1, 2))  # drawn anew, not remembered
    assert all(np.array_equal(a.A, b.A) and np.array_equal(a.c, b.c) for a, b in zip(one, again, strict=True))
    assert not np.array_equal(one[0].A, other[0].A)


def test_stretch_multiplies_the_axes() -> None:
    plain, tall = build("bottle", instance=3), build("bottle", instance=3, stretch=(1.0, 1.5, 1.0))
    for a, b in zip(plain, tall, strict=True):
        np.testing.assert_allclose(np.diag([1, 1.5, 1]) @ a.A, b.A)
        np.testing.assert_allclose(np.diag([1, 1.5, 1]) @ a.c, b.c)


def test_every_class_has_a_typical_look_and_the_typical_set_wears_it() -> None:
    assert set(TYPICAL) == set(CLASSES)
    for s in scene_set("typical").scenes:
        look = TYPICAL[s.cls]
        assert (s.texture, s.colour, s.colour2, s.background, s.background_colour) == (
            look.texture, look.colour, look.colour2, look.background, look.background_colour,
        )  # fmt: skip
        assert (s.style, s.companions) == ("photo", ())


def surface(s: Scene) -> tuple[str, str, str]:
    return s.texture, s.colour, s.colour2


def test_cues_dress_matched_scenes_and_change_nothing_but_surface_and_wall() -> None:
    for name in CUES:
        assert scene_set(name).pairs == matched_rows()
        for a, b in matched(name):
            assert changed(a, b) <= {"texture", "colour", "colour2", "background", "background_colour"}


def test_a_conflict_is_the_matched_scene_in_the_look_of_another_class() -> None:
    conflict, own = scene_set("cue_conflict"), scene_set("cue_matched")
    assert conflict.looks is not None
    for a, b, look in zip(conflict.scenes, own.scenes, conflict.looks, strict=True):
        assert changed(a, b) <= {"texture", "colour", "colour2"}
        assert surface(a) == (TYPICAL[look].texture, TYPICAL[look].colour, TYPICAL[look].colour2)
        assert surface(b) == (TYPICAL[b.cls].texture, TYPICAL[b.cls].colour, TYPICAL[b.cls].colour2)
        assert look != a.cls
    assert own.looks == tuple(s.cls for s in own.scenes)


def test_every_conflict_can_be_seen_on_the_object_and_against_the_wall() -> None:
    conflict = scene_set("cue_conflict")
    for s, look in zip(conflict.scenes, conflict.looks or (), strict=True):
        assert np.linalg.norm(np.subtract(mean_colour(s.cls), mean_colour(look))) >= 0.25
        for cls in (s.cls, look):
            assert np.linalg.norm(np.subtract(PALETTE[s.background_colour], mean_colour(cls))) >= 0.3
        assert s.background == "plain"


def test_looks_that_are_nearly_the_same_do_not_conflict() -> None:
    apart = [(a, b) for i, a in enumerate(CLASSES) for b in CLASSES[i + 1 :] if not conflicting(a, b)]
    assert {("airplane", "sailboat"), ("chair", "table"), ("house", "mushroom")} <= {*apart, *((b, a) for a, b in apart)}
    assert len(apart) == 10  # as the comment on UNLIKE says
    assert not any(conflicting(c, c) for c in CLASSES)


def test_neutral_walls_suit_every_conflict_and_name_no_side() -> None:
    for a in CLASSES:
        for b in CLASSES:
            if conflicting(a, b):
                assert len(neutral_walls(a, b)) > 0
                assert neutral_walls(a, b) == neutral_walls(b, a)


def test_conflicts_are_balanced_over_shapes_and_looks() -> None:
    conflict = scene_set("cue_conflict")
    assert conflict.looks is not None
    for n in (19, 190, len(conflict.looks)):
        shapes = np.bincount(conflict.labels[:n], minlength=len(CLASSES))
        looks = np.bincount([CLASSES.index(k) for k in conflict.looks[:n]], minlength=len(CLASSES))
        assert set(shapes) == set(looks) == {n // len(CLASSES)}
    for label in range(len(CLASSES)):
        worn = [look for look, shape in zip(conflict.looks, conflict.labels, strict=True) if shape == label]
        assert len(set(worn)) >= 10, CLASSES[label]


def test_second_shares_are_those_of_the_textures() -> None:
    import torch

    from pytest_clip.data.scenes.textures import share as shown

    g = torch.Generator().manual_seed(0)
    n = 20_000
    points, normals = torch.rand(n, 3, generator=g) * 2 - 1, torch.eye(3)[torch.randint(3, (n,), generator=g)]
    for texture, share in SECOND_SHARE.items():
        measured = shown(texture, points.unbind(-1), normals.unbind(-1)).mean()
        assert float(measured) == pytest.approx(share, abs=0.03), texture
    assert set(SECOND_SHARE) == set(TEXTURES)


def test_images_of_cues_name_their_shape_and_look() -> None:
    whole, part = (load.image_set("cue_conflict", role="cue", limit=limit) for limit in (None, 190))
    assert list(whole.attributes["shape"]) == [whole.classes[k] for k in whole.labels]
    assert whole.attributes["look"] == scene_set("cue_conflict").looks
    assert 100 < len(part) < 190
    by_id = dict(zip(whole.ids, whole.attributes["look"], strict=True))
    assert [by_id[i] for i in part.ids] == list(part.attributes["look"])
    own = load.image_set("cue_matched", role="cue", limit=190)
    assert own.attributes["look"] == own.attributes["shape"] == part.attributes["shape"]
    assert own.pairs is not None
    assert part.pairs is not None
    assert (own.pairs == part.pairs).all()
    assert "look" not in load.image_set("clean", role="clean", limit=19).attributes


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize("limit", [38, 400])
def test_a_limit_keeps_pairs_within_it(name: str, limit: int) -> None:
    clean = load.image_set("clean", role="clean", limit=limit)
    found = load.image_set(name, role="factor", limit=limit)
    assert len(clean) == limit
    assert 0 < len(found) <= limit
    assert found.pairs is not None
    assert found.pairs.max() < limit
    assert (clean.labels[found.pairs] == found.labels).all()
    for row, scene in zip(found.pairs, found.scenes or (), strict=True):
        assert clean.scenes is not None
        assert changed(clean.scenes[row], scene) <= CHANGES[name]


@pytest.mark.parametrize("name", NAMES)
def test_a_limited_set_is_part_of_the_whole(name: str) -> None:
    role = next(i.role for i in catalog.sets("scenes") if i.name == name)
    whole, part = load.image_set(name, role=role), load.image_set(name, role=role, limit=57)
    assert len(set(whole.ids)) == len(whole)
    assert all(i.startswith(f"{name}-") for i in whole.ids)
    where = [whole.ids.index(i) for i in part.ids]
    assert len(where) > 0
    assert whole.scenes is not None
    assert part.scenes == tuple(whole.scenes[k] for k in where)
    assert (part.labels == whole.labels[where]).all()
    assert {k: len(v) for k, v in part.attributes.items()} == dict.fromkeys(whole.attributes, len(part))
    assert part.fingerprint != whole.fingerprint
    assert (part.captions is None) == (role == "ood")


def test_fingerprints_tell_sets_and_renderers_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    prints = [load.image_set(n, role="clean", limit=19).fingerprint for n in NAMES]
    assert len(set(prints)) == len(NAMES)
    assert all(len(p) == 16 for p in prints)
    monkeypatch.setattr(load, "code_version", lambda: "another renderer")
    assert load.image_set("clean", role="clean", limit=19).fingerprint != prints[0]


def test_fingerprints_are_the_same_in_another_process() -> None:
    code = (
        "from pytest_clip.data import load; d = load('scenes', limit=40); print(d.images('pose').fingerprint, d.images('near').fingerprint)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": "77"}
    )
    here = [load.image_set(n, role=r, limit=40).fingerprint for n, r in (("pose", "factor"), ("near", "ood"))]
    assert done.stdout.split() == here


def test_drawing_up_sets_needs_no_torch() -> None:
    """A run that finds all its answers stored never needs it, and importing it takes 2.4 s."""
    made = "load.image_set('pairs', role='pairs', limit=19)"
    script = f"import sys; from pytest_clip.data.scenes import load; {made}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
