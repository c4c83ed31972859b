"""Corruption errors against loops, the reference itself, and worked examples."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.metrics import corruption

quick = settings(derandomize=True, deadline=None, max_examples=60)
ALEXNETS = [corruption.ALEXNET_IMAGENET_C, corruption.ALEXNET_IMAGENET_3DCC]
TOY = corruption.Reference("toy", clean=0.2, errors={"fog": 0.5, "snow": 0.8}, severities=2, source="made up")

shares = st.floats(0, 1)


def tables(kinds, severities):
    row = st.lists(shares, min_size=severities, max_size=severities)
    return st.lists(row, min_size=kinds, max_size=kinds)


@quick
@given(st.integers(1, 3), st.integers(1, 3), st.integers(1, 6), st.data())
def test_error_table_from_a_loop(kinds, severities, n, data):
    cells = data.draw(st.lists(st.booleans(), min_size=kinds * severities * n, max_size=kinds * severities * n))
    correct = np.array(cells).reshape(kinds, severities, n)
    expected = [[sum(not c for c in correct[k, s]) / n for s in range(severities)] for k in range(kinds)]
    assert corruption.error_table(correct).tolist() == expected
    assert corruption.error_table(correct.astype(int)).tolist() == expected
    mean = corruption.mean_corruption_error_rate(corruption.error_table(correct))
    assert type(mean) is float
    assert mean == pytest.approx(1 - sum(cells) / len(cells))


def test_by_hand():
    errors = [[0.3, 0.5], [0.4, 0.8]]
    assert corruption.mean_corruption_error_rate(errors) == pytest.approx(0.5)
    assert corruption.corruption_errors(errors, kinds=["fog", "snow"], reference=TOY) == pytest.approx({"fog": 0.8, "snow": 0.75})
    assert corruption.mce(errors, kinds=["fog", "snow"], reference=TOY) == pytest.approx(0.775)
    # clean error .1: fog adds .3 where the reference loses .3, snow adds .5 where it loses .6
    got = corruption.relative_mce(errors, clean_error=0.1, kinds=["fog", "snow"], reference=TOY)
    assert got == pytest.approx((0.3 / 0.3 + 0.5 / 0.6) / 2)
    assert type(got) is float


@quick
@given(tables(2, 2), shares)
def test_sums_over_severities_and_the_order_of_kinds(errors, clean):
    fog, snow = sum(errors[0]) / (2 * 0.5), sum(errors[1]) / (2 * 0.8)  # sum_s E over sum_s E of the reference
    relative = (sum(e - clean for e in errors[0]) / (2 * (0.5 - 0.2)) + sum(e - clean for e in errors[1]) / (2 * (0.8 - 0.2))) / 2
    for table, kinds in ((errors, ["fog", "snow"]), (errors[::-1], ["snow", "fog"])):
        assert corruption.mce(table, kinds=kinds, reference=TOY) == pytest.approx((fog + snow) / 2)
        got = corruption.relative_mce(table, clean_error=clean, kinds=kinds, reference=TOY)
        assert got == pytest.approx(relative, abs=1e-12)


@pytest.mark.parametrize("reference", ALEXNETS, ids=["c", "3dcc"])
def test_alexnet_is_1_by_definition(reference):
    kinds = list(reference.errors)
    errors = [[reference.errors[kind]] * 5 for kind in kinds]
    assert corruption.mce(errors, kinds=kinds, reference=reference) == pytest.approx(1)
    assert corruption.relative_mce(errors, clean_error=reference.clean, kinds=kinds, reference=reference) == pytest.approx(1)
    perfect = np.zeros((len(kinds), 5))
    assert corruption.mce(perfect, kinds=kinds, reference=reference) == 0


def test_the_shipped_tables():
    images, depth = ALEXNETS
    assert (len(images.errors), len(depth.errors)) == (15, 12)
    assert not set(images.errors) & set(depth.errors)
    assert all(table.clean < error < 1 for table in ALEXNETS for error in table.errors.values())
    assert (images.errors["gaussian_noise"], images.errors["jpeg_compression"], depth.errors["fog_3d"]) == (0.886428, 0.6065, 0.7736)
    with pytest.raises(TypeError, match="does not support item assignment"):
        images.errors["fog"] = 0.1


# AlexNet's errors on the 50,000 files of each kind and severity 1 .. 5, as https://github.com/hendrycks/robustness/issues/10 lists them.
PUBLISHED = {
    "gaussian_noise": (0.69528, 0.82542, 0.93554, 0.98138, 0.99452),
    "shot_noise": (0.71224, 0.85108, 0.93574, 0.98182, 0.99146),
    "impulse_noise": (0.78374, 0.89808, 0.9487, 0.9872, 0.99548),
    "defocus_blur": (0.65624, 0.73202, 0.85036, 0.91364, 0.94714),
    "glass_blur": (0.64308, 0.75054, 0.88806, 0.91622, 0.93344),
    "motion_blur": (0.5843, 0.70048, 0.82108, 0.8975, 0.92638),
    "zoom_blur": (0.70008, 0.76992, 0.80784, 0.84198, 0.87198),
    "snow": (0.71726, 0.88392, 0.86468, 0.9187, 0.94952),
    "frost": (0.6139, 0.79734, 0.8879, 0.89942, 0.9343),
    "fog": (0.67474, 0.7605, 0.84378, 0.8726, 0.945),
    "brightness": (0.4514, 0.48502, 0.54048, 0.62166, 0.7244),
    "contrast": (0.64548, 0.7615, 0.88874, 0.9776, 0.9927),
    "elastic_transform": (0.52596, 0.70116, 0.55686, 0.64076, 0.80554),
    "pixelate": (0.52218, 0.5462, 0.73728, 0.87092, 0.91262),
}


@pytest.mark.parametrize("kind", PUBLISHED)
def test_errors_of_alexnet_are_means_of_those_published_by_severity(kind):
    assert corruption.ALEXNET_IMAGENET_C.errors[kind] == pytest.approx(np.mean(PUBLISHED[kind]), abs=1e-9)


def slow_trend(row, tolerance):
    falls = [(row[s] - row[t], s + 1, t + 1) for t in range(len(row)) for s in range(t)]
    return all(fall <= tolerance for fall, _, _ in falls), max(0.0, *(fall for fall, _, _ in falls))


@quick
@given(st.lists(st.integers(0, 8).map(lambda k: k / 8), min_size=2, max_size=5), st.sampled_from([0.0, 0.125, 0.5]))
def test_monotonicity_from_all_pairs(row, tolerance):
    (got,) = corruption.monotonicity([row], tolerance=tolerance)
    assert (got.monotone, got.largest_fall) == slow_trend(row, tolerance)
    assert got.span == row[-1] - row[0]
    if got.between is None:
        assert row == sorted(row)
    else:
        early, late = got.between
        assert row[early - 1] - row[late - 1] == got.largest_fall


def test_small_falls_add_up():
    slowly_down = [[0.5, 0.45, 0.4, 0.35, 0.6], [0.1, 0.2, 0.2, 0.3, 0.4]]
    down, up = corruption.monotonicity(slowly_down, tolerance=0.06)
    assert not down.monotone
    assert down.largest_fall == pytest.approx(0.15)
    assert down.between == (1, 4)
    assert down.span == pytest.approx(0.1)
    assert (up.monotone, up.largest_fall, up.between) == (True, 0.0, None)


@pytest.mark.parametrize(
    "metric", [corruption.mce, lambda e, **k: corruption.relative_mce(e, clean_error=0.1, **k)], ids=["mce", "relative"]
)
@pytest.mark.parametrize(
    ("errors", "kinds", "message"),
    [
        ([[0.5, 0.5]], ["fog"], "a mean corruption error needs all 2 kinds; missing: snow"),
        ([[0.5, 0.5]] * 2, ["fog", "rain"], "toy has no errors for rain; known: fog, snow"),
        ([[0.5, 0.5]] * 2, ["fog", "fog"], "kinds must name each of the 2 rows of errors once; got fog, fog"),
        ([[0.5, 0.5]] * 2, ["fog"], "kinds must name each of the 2 rows of errors once; got fog"),
        ([[0.5]] * 2, ["fog", "snow"], "errors have 1 severities; the errors of toy are means over 2"),
        ([[0.5, 50.0]] * 2, ["fog", "snow"], r"errors must be shares in \[0, 1\]; found 0.5 to 50"),
        ([[0.5, math.nan]] * 2, ["fog", "snow"], "2 of 4 values in errors are NaN or infinite"),
        ([], [], "errors must have 2 dimensions"),
    ],
)
def test_normalised_errors_refuse(metric, errors, kinds, message):
    with pytest.raises(ValueError, match=message):
        metric(errors, kinds=kinds, reference=TOY)


@pytest.mark.parametrize("reference", ALEXNETS, ids=["images", "depth"])
def test_what_images_contribute_averages_to_the_normalised_errors(reference):
    rng, kinds = np.random.default_rng(0), list(reference.errors)
    right, clean = rng.random((len(kinds), 5, 40)) < 0.6, rng.random(40) < 0.9
    errors = corruption.error_table(right)
    each = corruption.over_reference(right, kinds=kinds, reference=reference)
    assert each.shape == (40,)
    assert each.mean() == pytest.approx(corruption.mce(errors, kinds=kinds, reference=reference))
    added = corruption.over_reference(right, clean=clean, kinds=kinds, reference=reference)
    relative = corruption.relative_mce(errors, clean_error=1 - clean.mean(), kinds=kinds, reference=reference)
    assert added.mean() == pytest.approx(relative)
    with pytest.raises(ValueError, match="needs all"):
        corruption.over_reference(right[1:], kinds=kinds[1:], reference=reference)


def test_refuses():
    with pytest.raises(ValueError, match=r"clean_error must be between 0 and 1, not 3\.0"):
        corruption.relative_mce([[0.5, 0.5]] * 2, clean_error=3, kinds=["fog", "snow"], reference=TOY)
    unharmed = corruption.Reference("calm", clean=0.5, errors={"fog": 0.5}, severities=2, source="made up")
    with pytest.raises(ValueError, match="calm loses nothing by fog: no relative error exists"):
        corruption.relative_mce([[0.5, 0.5]], clean_error=0.1, kinds=["fog"], reference=unharmed)
    with pytest.raises(ValueError, match="1 of 2 values are neither"):
        corruption.error_table([[[1, 2]]])
    with pytest.raises(ValueError, match="correct must have 3 dimensions"):
        corruption.error_table([[1, 0]])
    with pytest.raises(ValueError, match="monotonicity needs at least 2 severities; errors have 1"):
        corruption.monotonicity([[0.5]])
    with pytest.raises(ValueError, match="errors is empty"):
        corruption.mean_corruption_error_rate(np.zeros((0, 5)))
