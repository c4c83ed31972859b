"""NegLabel and GL-MCM on own data through the whole path, against the formulas on the directions that the stub answers with."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import painted
import pytest
from scipy.special import softmax
from sklearn.metrics import roc_auc_score

CLASSES, UNKNOWN = (1, 2, 3), (21, 22, 23, 24, 31)
WORDS = [str(number) for number in (*range(20, 40), 2)]  # the last is a known class and falls out


@pytest.fixture
def pets(tmp_path: Path) -> Path:
    root = tmp_path / "pets"
    for number in CLASSES:
        for k in range(2):
            painted.save(root / f"animal {number}" / f"{k}.png", number, (40 + k, 30))
    for number in UNKNOWN:
        painted.save(root / "ood" / "odd" / f"{number}.png", number)
    return root


def d(number: int) -> np.ndarray:
    return painted.direction(number).numpy().astype(np.float64)


def test_neglabel_of_a_file_is_the_formula(pets: Path, measure: Callable, project) -> None:
    lines = [f"animal {w}" if w == "2" else w for w in WORDS]
    (project.path / "words.txt").write_text("\n".join([*lines[:10], "[adjectives]", *lines[10:]]))
    rows, result = measure(pets, "-o", "clip_neglabel_words=words.txt", suites="ood")
    classes, kept = np.stack([d(c) for c in CLASSES]), []
    for some in (WORDS[:10], WORDS[10:-1]):
        near = np.quantile(np.stack([d(int(w)) for w in some]) @ classes.T, 0.95, axis=1)
        kept += [some[k] for k in np.argsort(near)[: int(len(some) * 0.15)]]
    assert len(kept) == 2
    words = np.stack([d(int(w)) for w in kept])

    def score(number: int) -> float:
        return float(softmax(100 * np.concatenate([classes @ d(number), words @ d(number)]))[:3].sum())

    known, unknown = [score(c) for c in CLASSES for _ in range(2)], [score(u) for u in UNKNOWN]
    row = rows["ood/auroc_neglabel[odd]"]
    assert row["value"] == pytest.approx(roc_auc_score([1] * 6 + [0] * 5, known + unknown)), result.outlines
    told = row["conventions"]
    assert (told["words"], told["listed"], told["negatives"], told["groups"]) == ("words.txt", 20, 2, "1 of 2, seed 0 of numpy")
    assert (told["quantile"], told["share"], told["scale"]) == (0.95, 0.15, 100)


def test_without_words_it_is_not_measured_and_says_what_to_name(pets: Path, measure: Callable) -> None:
    rows, _ = measure(pets, suites="ood")
    row = rows["ood/auroc_neglabel[odd]"]
    assert row["verdict"] == "not_measured"
    assert "no words are named to compete with the classes of pets: ini clip_neglabel_words = FILE, or wordnet" in row["message"]
    assert "has no patch features" in rows["ood/auroc_gl_mcm[odd]"]["message"]


def test_gl_mcm_is_the_formula(pets: Path, measure: Callable) -> None:
    rows, result = measure(pets, suites="ood", model="placed")
    classes = np.stack([d(c) for c in CLASSES])

    def score(number: int) -> float:
        places = [softmax(classes @ d(each)).max() for each in (number, number % 3 + 1)]
        return float(softmax(classes @ d(number)).max() + max(places))

    known, unknown = [score(c) for c in CLASSES for _ in range(2)], [score(u) for u in UNKNOWN]
    row = rows["ood/auroc_gl_mcm[odd]"]
    assert row["value"] == pytest.approx(roc_auc_score([1] * 6 + [0] * 5, known + unknown)), result.outlines
    assert (row["conventions"]["lambda"], row["conventions"]["tau"]) == (1.0, 1.0)
