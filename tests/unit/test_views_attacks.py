"""Attacks: against the exact worst case of a linear model, against the formulas of the paper, and against a kept library."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_clip.views.attacks import BUDGETS, search
from pytest_clip.views.attacks.apgd import apgd, checkpoints, look
from pytest_clip.views.attacks.goals import Goal, margin, odds, targeted_dlr, wrong_classes
from pytest_clip.views.attacks.search import bisected, broken, slopes, tried


def linear(classes, *, n=40, seed=0, size=(3, 5, 5)):
    """A linear model, pictures that it is right about, their labels as a mask, and the weights in float64."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(math.prod(size), classes))
    images = torch.from_numpy(rng.uniform(0, 1, (n, *size))).float()
    heads = torch.from_numpy(weights).float()

    def forward(pixels):
        return pixels.flatten(1) @ heads

    labels = forward(images).argmax(1)
    right = torch.nn.functional.one_hot(labels, classes).bool()
    return forward, images, right, weights


def worst_margins(images, right, weights, eps):
    """[n] the smallest lead of the right class over any picture within `eps`: each value moves to the end of its own interval."""
    x, out = images.flatten(1).double().numpy(), []
    for row, mask in zip(x, right.numpy(), strict=True):
        label, leads = int(mask.argmax()), []
        for other in np.flatnonzero(~mask):
            w = weights[:, label] - weights[:, other]
            moved = np.where(w > 0, np.maximum(row - eps, 0), np.minimum(row + eps, 1))
            leads.append(moved @ w)
        out.append(min(leads))
    return np.array(out)


def ids(n):
    return [f"clean/{k:04d}" for k in range(n)]


def each(n, eps):
    return torch.full((n,), float(eps))


@pytest.mark.parametrize("classes", [2, 3, 4])
@pytest.mark.parametrize("eps", [0.01, 0.03, 0.1])
def test_robust_accuracy_of_a_linear_model_is_exact(classes, eps):
    forward, images, right, weights = linear(classes)
    lead = worst_margins(images, right, weights, eps)
    found = broken(forward, images, right, ids(len(images)), eps=each(len(images), eps), steps=20).numpy()
    sure = abs(lead) > 1e-4
    assert sure.sum() > 30
    assert (lead < 0).sum() > 0
    np.testing.assert_array_equal(found[sure], lead[sure] < 0)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([2, 5, 9]), st.floats(0.001, 0.2))
def test_what_is_found_is_there(seed, classes, eps):
    """An attack may miss, and never finds what the exact worst case of a linear model excludes."""
    forward, images, right, weights = linear(classes, n=6, seed=seed)
    lead = worst_margins(images, right, weights, eps)
    found = broken(forward, images, right, ids(6), eps=each(6, eps), steps=10).numpy()
    assert not found[lead > 1e-4].any()


def test_all_targets_of_ten_classes_miss_almost_nothing():
    forward, images, right, weights = linear(10, n=200)
    for eps in (0.01, 0.03):
        exact = (worst_margins(images, right, weights, eps) < 0).mean()
        found = broken(forward, images, right, ids(200), eps=each(200, eps), steps=20).double().mean().item()
        assert exact - 0.005 <= found <= exact + 1e-9


@pytest.mark.parametrize(("classes", "expected"), [(2, 1), (3, 2), (7, 6), (10, 9), (13, 9)])
def test_a_picture_that_holds_is_driven_to_the_published_nine_classes_or_all_there_are(monkeypatch, classes, expected):
    """The likeliest wrong ones of the picture as it is, each once and from a start of its own, whatever passes together."""
    forward, images, right, _ = linear(classes, n=5)
    asked = {row: [] for row in range(5)}

    def listening(forward, some, goal, loss, *, eps, start, steps):
        if goal.target is not None:
            for picture, aim, where in zip(some, goal.target.tolist(), start, strict=True):
                row = int((images == picture).flatten(1).all(1).nonzero())
                asked[row].append((aim, where))
        return apgd(forward, some, goal, loss, eps=eps, start=start, steps=steps)

    monkeypatch.setattr(search, "apgd", listening)
    assert not broken(forward, images, right, ids(5), eps=each(5, 1e-6), steps=2).any()
    ranked = forward(images).argsort(1, descending=True).tolist()
    for row, each_ in asked.items():
        assert [aim for aim, _ in each_] == ranked[row][1 : 1 + expected]
        starts = torch.stack([start for _, start in each_])
        assert len(starts.flatten(1).unique(dim=0)) == expected
    assert tried(classes) == expected


def test_only_the_classes_that_are_wrong_are_targets(monkeypatch):
    """A picture with more right classes than another is driven to fewer."""
    forward, images, right, _ = linear(4, n=2)
    right[0] = True
    right[0, int(forward(images)[0].argmin())] = False
    aims = []

    def listening(forward, some, goal, loss, *, eps, start, steps):
        aims.append((len(some), None if goal.target is None else goal.target.tolist()))
        return torch.zeros(len(some), dtype=torch.bool)

    monkeypatch.setattr(search, "apgd", listening)
    broken(forward, images, right, ids(2), eps=each(2, 1e-6), steps=2)
    lowest, second = int(forward(images)[0].argmin()), forward(images)[1].argsort(descending=True)[1:].tolist()
    assert aims == [(2, None), (4, [lowest, *second])]


def test_broken_pictures_are_searched_no_further():
    """Of a picture that breaks at its start no step is made, and no target is tried."""
    forward, images, right, _ = linear(5, n=16)
    right[3:] = right[3:].roll(1, dims=1)  # the others are wrong as they are
    passes = []

    def listening(pixels):
        passes.append(pixels.detach().flatten(1).unique(dim=0).shape[0])
        return forward(pixels)

    broken(listening, images, right, ids(16), eps=each(16, 1e-7), steps=3)
    assert passes[0] == 16
    assert all(some == 3 for some in passes[1:4])
    assert max(passes[5:]) == 12  # three pictures on their way to four classes each


def test_without_a_budget_only_what_is_wrong_anyway_is_found():
    forward, images, right, _ = linear(4, n=30)
    right[:7] = right[:7].roll(1, dims=1)
    found = broken(forward, images, right, ids(30), eps=each(30, 0), steps=5)
    assert found.tolist() == [True] * 7 + [False] * 23


def test_the_smallest_break_of_a_linear_model():
    """Within a sixteenth of the bracket above the exact one, and never below it."""
    forward, images, right, weights = linear(3, n=25)
    low, high = each(25, 0), each(25, 0.2)
    assert broken(forward, images, right, ids(25), eps=high, steps=20).all()
    found = bisected(forward, images, right, ids(25), low=low, high=high, steps=20).double().numpy()
    for row in range(25):
        some = slice(row, row + 1)
        below, above = 0.0, 0.2
        for _ in range(40):
            middle = (below + above) / 2
            lead = worst_margins(images[some], right[some], weights, middle)[0]
            below, above = (middle, above) if lead > 0 else (below, middle)
        assert above - 1e-6 <= found[row] <= above + 0.2 / 16 + 1e-6


def test_checkpoints_are_those_of_the_paper():
    """For 100 steps as in appendix A of the paper; the shares 0.22, 0.41, 0.57, 0.70, 0.80, 0.87, 0.93, 0.99."""
    assert checkpoints(100) == [22, 41, 57, 70, 80, 87, 93, 99]
    assert checkpoints(20) == [5, 9, 12, 14, 16, 18, 19, 20]
    assert checkpoints(1) == [1]


def test_losses_against_their_formulas():
    rng = np.random.default_rng(1)
    logits = rng.normal(size=(50, 7)) * 9
    labels, targets = np.zeros(50, int), rng.integers(1, 7, 50)
    right = torch.zeros(50, 7, dtype=torch.bool)
    right[:, 0] = True
    goal = Goal(right).towards(torch.from_numpy(targets))
    ce = -(logits - np.log(np.exp(logits).sum(1, keepdims=True)))[np.arange(50), labels]
    found = torch.nn.functional.softplus(odds(torch.from_numpy(logits), goal), threshold=50).numpy()
    np.testing.assert_allclose(found, ce, rtol=1e-9, atol=1e-12)
    z = np.sort(logits, 1)[:, ::-1]
    dlr = -(logits[:, 0] - logits[np.arange(50), targets]) / (z[:, 0] - (z[:, 2] + z[:, 3]) / 2)
    np.testing.assert_allclose(targeted_dlr(torch.from_numpy(logits), goal).numpy(), dlr, rtol=1e-9)
    np.testing.assert_allclose(targeted_dlr(torch.from_numpy(5 * logits), goal).numpy(), dlr, rtol=1e-9)


def test_several_right_classes_and_ties():
    """An image is right where one of its classes leads all others strictly; a tie is wrong, as everywhere."""
    right = torch.tensor([[True, True, False], [True, False, False], [True, False, False]])
    logits = torch.tensor([[0.0, 2.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    assert margin(logits, right).tolist() == [1.0, 0.0, -2.0]
    assert wrong_classes(logits, right)[:, 0].tolist() == [2, 1, 2]
    p = logits.double().softmax(1)
    assert odds(logits, Goal(right))[0].exp().item() == pytest.approx(float(p[0, 2] / (p[0, 0] + p[0, 1])))


def test_a_sure_model_still_has_a_gradient():
    """In float32 the probability is 1 and the slope of the cross-entropy 0, so that a search would stand still."""
    forward, images, right, _ = linear(3, n=8)

    def sure(pixels):
        return forward(pixels) * 40

    assert float((sure(images).softmax(1) == 1).any(1).float().mean()) > 0.5
    _, slope, _ = look(sure, images, Goal(right), odds, slope=True)
    assert bool((slope.flatten(1).abs().amax(1) > 0).all())


def test_more_steps_keep_going_up():
    """On a curved loss the halved steps find what one large step overshoots."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(75, 64), torch.nn.Tanh(), torch.nn.Linear(64, 6))
    images = torch.rand(120, 3, 5, 5)
    right = torch.nn.functional.one_hot(net(images).argmax(1), 6).bool()
    shares = [float(broken(net, images, right, ids(120), eps=each(120, 0.06), steps=steps).float().mean()) for steps in (1, 5, 40)]
    assert shares[0] <= shares[1] <= shares[2]
    assert shares[2] > 0.1


def test_a_picture_is_found_alone_as_in_company_and_under_any_number_of_threads():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.GELU(), torch.nn.Flatten(), torch.nn.Linear(8 * 36, 6))
    net.requires_grad_(False)
    images = torch.rand(21, 3, 8, 8)
    right = torch.nn.functional.one_hot(net(images).argmax(1), 6).bool()
    names, before = ids(21), torch.get_num_threads()

    def ran(rows):
        at = torch.tensor(rows)
        low, high = each(len(rows), 0), each(len(rows), 0.06)
        return bisected(net, images[at], right[at], [names[k] for k in rows], low=low, high=high, steps=4)

    whole = ran(list(range(21)))
    torch.set_num_threads(1 if before > 1 else 2)
    try:
        assert torch.equal(ran(list(range(20, -1, -1))).flip(0), whole)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(torch.cat([ran([k]) for k in (0, 11)]), whole[[0, 11]])
    assert len(set(whole.tolist())) > 5


def test_the_start_follows_from_the_name_of_the_picture():
    forward, images, right, _ = linear(4, n=1)
    seen = []

    def listening(pixels):
        seen.append(pixels.detach()[0].clone())
        return forward(pixels)

    firsts = []
    for name in ("a", "b", "a"):
        seen.clear()
        broken(listening, images, right, [name], eps=each(1, 0.02), steps=1)
        firsts.append(seen[0])
    assert torch.equal(firsts[0], firsts[2])
    assert not torch.equal(firsts[0], firsts[1])


def test_pictures_stay_in_their_box():
    forward, images, right, _ = linear(5, n=20)
    images = images.round()  # at the ends of [0, 1]
    right = torch.nn.functional.one_hot(forward(images).argmax(1), 5).bool()
    seen = []

    def listening(pixels):
        seen.append(pixels.detach().clone())
        return forward(pixels)

    start = 2 * torch.rand(images.shape) - 1
    apgd(listening, images, Goal(right), odds, eps=each(20, 0.01), start=start, steps=8)
    for pixels in seen:
        assert 0 <= float(pixels.min()) <= float(pixels.max()) <= 1
        assert float((pixels[:, None] - images[None]).abs().flatten(2).amax(2).amin(1).max()) <= 0.01 + 1e-6


def test_gradients_that_lead_nowhere_are_noticed():
    forward, images, right, _ = linear(4, n=60)

    def rounded(pixels):
        return forward((pixels * 16).round() / 16)

    def shaken(pixels):
        return forward(pixels + (pixels - pixels.detach()) * (torch.randint(0, 2, pixels.shape) * 2 - 2))

    there, useful = slopes(forward, images, right, eps=0.25 / 255)
    assert bool(there.all())
    assert bool(useful.all())
    assert not bool(slopes(rounded, images, right, eps=0.25 / 255)[0].any())
    _, useful = slopes(shaken, images, right, eps=0.25 / 255)
    assert float(useful.float().mean()) < 0.9


def test_budgets_grow():
    values = list(BUDGETS.values())
    assert values == sorted(values)
    assert BUDGETS["linf-0.5"] * 255 == 0.5
