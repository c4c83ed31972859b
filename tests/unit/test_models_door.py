"""What a model returns, held against the protocol's words: one sentence that says what it is, what it should be and how to get there."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.nn.functional import normalize

from pytest_clip import ClipError, ModelError
from pytest_clip.extract.embed import Batches
from pytest_clip.models import door
from pytest_clip.models.door import Door

GOOD = {
    "label": "m",
    "fingerprint": "f" * 16,
    "device": "cpu",
    "precision": "fp32",
    "image_size": (8, 8),
    "logit_scale": 20.0,
    "logit_bias": None,
}


def model(**changes):
    return SimpleNamespace(**{**GOOD, **changes})


def unit(*shape):
    return normalize(torch.randn(*shape, generator=torch.Generator().manual_seed(0)), dim=-1)


def refused(do, *args, **how):
    with pytest.raises(ModelError) as caught:
        do(*args, **how)
    return str(caught.value)


def test_what_the_protocol_asks_for_goes_through():
    rows = Door().embeddings(model(), "encode_image", unit(5, 4).requires_grad_(), 5)
    assert (rows.dtype, rows.shape) == (np.float32, (5, 4))
    np.testing.assert_array_equal(rows, unit(5, 4).numpy())
    rounded = (unit(5, 64).to(torch.bfloat16) / unit(5, 64).to(torch.bfloat16).norm(dim=1, keepdim=True)).float()
    assert Door().embeddings(model(), "encode_text", rounded, 5).shape == (5, 64), "divided by its length in bfloat16"
    assert Door().embeddings(model(), "encode_text", torch.zeros(0, 4), 0).shape == (0, 4)


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (unit(5, 4).tolist(), "a list; .*: return a torch.Tensor"),
        (unit(5, 4).numpy(), "a ndarray; "),
        (None, "a NoneType; "),
        (unit(4, 4), r"\[4, 4\] for 5 images; .*: one row for each"),
        (unit(6, 4), r"\[6, 4\] for 5 images"),
        (unit(20).reshape(20), r"\[20\] for 5 images"),
        (unit(5, 4, 1), r"\[5, 4, 1\] for 5 images"),
        (unit(5, 4).half(), r"float16; .*: add \.float\(\) before"),
        (unit(5, 4).bfloat16(), "bfloat16; "),
        (unit(5, 4).double(), "float64; "),
        (torch.ones(5, 4, dtype=torch.int64), "int64; .*: return floating-point numbers"),
        (unit(5, 4).to("meta"), r"a tensor on meta; .*: add \.cpu\(\)"),
        (unit(5, 4).index_fill(0, torch.tensor([1, 3]), float("nan")), "2 of 5 rows that hold NaN or inf; "),
        (unit(5, 4).index_fill(0, torch.tensor([2]), float("inf")), "1 of 5 rows that hold NaN or inf; "),
        (unit(5, 4) * torch.tensor([1, 1, 1.5, 1, 1])[:, None], r"a row of length 1.5 \(row 2 of 5\); .*: divide each row by its length"),
        (unit(5, 4) * 0.98, r"a row of length 0.98 \(row \d of 5\)"),
        (unit(5, 4) * torch.tensor([1, 1, 1, 1, 0])[:, None], r"a row of length 0 \(row 4 of 5\); .*the tower answers nothing"),
        (unit(5, 4) * 1e-30, r"a row of length (1e-30|0) "),
    ],
)
def test_what_it_does_not_ask_for(answer, what):
    with pytest.raises(ModelError, match=f"^encode_image of the model m returned {what}") as caught:
        Door().embeddings(model(), "encode_image", answer, 5)
    assert "it returns float32 [n, d] on the CPU, rows of length 1: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_images_and_texts_of_a_model_are_as_wide_as_each_other():
    through = Door()
    through.embeddings(model(), "encode_image", unit(2, 4), 2)
    through.embeddings(model(fingerprint="e" * 16), "encode_text", unit(2, 3), 2)
    message = refused(through.embeddings, model(), "encode_text", unit(2, 3), 2)
    assert "returned rows of 3 numbers, and encode_image gave rows of 4; " in message


def test_a_batch_that_is_cut_into_pieces_is_held_to_its_pieces():
    def encode(images):
        return unit(len(images) if len(images) < 3 else 1, 4)

    batches = Batches(2, say=print)
    assert batches.encode(model(encode_image=encode), torch.zeros(6, 3, 1, 1)).shape == (6, 4)
    with pytest.raises(ModelError, match=r"\[1, 4\] for 3 images"):
        Batches(3, say=print).encode(model(encode_image=encode), torch.zeros(6, 3, 1, 1))


def test_dense_maps():
    through = Door()
    assert through.maps(model(), torch.ones(2, 3, 4, 5).half(), 2).dtype == np.float32
    assert "returned [2, 3, 4] for 2 images; it returns [n, d, gh, gw]" in refused(through.maps, model(), torch.ones(2, 3, 4), 2)
    assert "1 of 2 rows that hold NaN" in refused(
        through.maps, model(), torch.ones(2, 1, 1, 1).index_fill(0, torch.tensor([1]), torch.nan), 2
    )


def test_who_asks_for_answers_as_they_are_gets_them():
    answer = torch.tensor([[float("nan"), 1], [3, 4]])
    asked = Door().asked(model(encode_text=lambda texts: answer), ["a", "b"])
    np.testing.assert_array_equal(asked, answer.numpy())
    assert "for 3 texts" in refused(Door().asked, model(encode_text=lambda texts: answer), ["a", "b", "c"])
    assert "float16" in refused(Door().asked, model(encode_image=lambda images: answer.half()), torch.zeros(2, 3, 8, 8))


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (np.zeros((3, 8, 8)), "a ndarray for x.png; "),
        (torch.zeros(3, 8, 8, dtype=torch.uint8), r"uint8 for x.png; .*: end it with \.float\(\)"),
        (torch.zeros(8, 8), r"\[8, 8\] for x.png"),
        (torch.zeros(3, 9, 8), r"\[3, 9, 8\] for x.png; .*: image_size is \(8, 8\)"),
        (torch.zeros(1, 3, 8, 8), r"\[1, 3, 8, 8\] for x.png"),
    ],
)
def test_preprocess(answer, what):
    with pytest.raises(ModelError, match=f"preprocess of the model m returned {what}"):
        door.picture(model(), answer, where="x.png")
    assert door.picture(model(), torch.zeros(3, 8, 8), where="x.png").shape == (3, 8, 8)


def test_attributes_are_told_at_once():
    door.check(model())
    door.check(SimpleNamespace(label="bare"))
    message = refused(door.check, model(fingerprint=None, precision="half", image_size=224, device=torch.device("cpu")))
    assert "the model m is not what pytest_clip.models.protocol.ClipModel asks for: " in message
    for part in (
        "fingerprint is None, not text",
        "device is device(type='cpu'), not text",
        "precision is 'half', not one of",
        "image_size is 224",
    ):
        assert part in message


@pytest.mark.parametrize("scale", [float("nan"), float("inf"), 0.0, -3.0, None, "20", True, torch.tensor([1.0, 2.0])])
def test_a_scale_without_probabilities(scale):
    message = refused(door.scale_of, model(logit_scale=scale))
    assert "the logit_scale of m is " in message
    assert "not a finite number above 0" in message
    assert door.scale_of(model(logit_scale=torch.tensor(20.0), logit_bias=-10)) == 20.0
    assert "the logit_bias of m is nan" in refused(door.scale_of, model(logit_bias=float("nan")))


def test_it_is_a_matter_of_the_user():
    assert issubclass(ModelError, ClipError)
