"""The same bits on any number of threads: what a gate asks for, and what is stored, whatever is left over in the last batch."""

from pathlib import Path

import numpy as np
import pytest
import torch

from pytest_clip.extract.cores import FEW, cores, steady
from pytest_clip.extract.embed import Batches
from pytest_clip.extract.extraction import Extraction
from pytest_clip.models import openclip, spec


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return openclip.load(spec.parse("scenes-rn"), device="cpu", cache_dir=tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def on(threads, do):
    torch.set_num_threads(threads)
    answer = do()
    assert torch.get_num_threads() == threads
    return answer


NAMES = tuple(
    f"{size} {name}" for size in ("small", "large") for name in ("mug", "key", "dog", "hat", "cat", "car", "tree", "boat", "bird", "fish")
)


@pytest.mark.parametrize("n", [1, 5, 6, 7, 12, 16, 19])
def test_embeddings_do_not_depend_on_the_number_of_threads(model, tmp_path: Path, n):
    images = torch.randn(n, 3, *model.image_size, generator=torch.Generator().manual_seed(0))
    texts = [f"a photo of a {name}." for name in NAMES[:n]]
    extraction = Extraction(cache=tmp_path, cores=cores(1))
    for do in (
        lambda: extraction.ask(model, images),
        lambda: extraction.ask(model, texts),
        lambda: Batches(None, say=print).encode(model, images),
        lambda: Batches(16, say=print).encode(model, images),
    ):
        one, *others = [on(threads, do) for threads in (1, 2, 4)]
        assert all(np.array_equal(one, other) for other in others)


def test_only_few_rows_on_a_cpu_take_one_thread():
    torch.set_num_threads(3)
    for rows, device, threads in ((FEW - 1, "cpu", 1), (FEW, "cpu", 3), (1, "cuda:0", 3)):
        with steady(rows, device):
            assert torch.get_num_threads() == threads
        assert torch.get_num_threads() == 3
    with pytest.raises(ValueError, match="x"), steady(1, "cpu"):
        raise ValueError("x")
    assert torch.get_num_threads() == 3
