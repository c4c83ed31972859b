"""Is the checkpoint whole, and is it run as it was trained?

A wrong activation, a wrong mean and standard deviation or a mangled file costs ten points of accuracy without an error message. These gates
need a few hundred clean images; what they compare, they compare on the same images. What they find out by passes of their own is kept with
the answers: for the same model, data and code it is not found out again.
"""

from functools import cache, partial

import numpy as np
import pytest

from pytest_clip.extract import found as kept
from pytest_clip.metrics.calibration import nll_per_sample
from pytest_clip.metrics.intervals import mean_interval, seed_from
from pytest_clip.metrics.outcomes import Outcomes
from pytest_clip.metrics.temperature import fit_temperature
from pytest_clip.models.protocol import embedding_model

pytestmark = pytest.mark.clip_suite("checkpoint")

PROBE = 380
"""Clean images that the comparisons use."""
FEW = 24
"""Images of the checks that only ask whether numbers stay the same."""
TOLERANCE = {"fp32": 1e-5, "bf16": 2e-2, "fp16": 2e-3, "amp": 2e-3, "amp_bf16": 2e-2}
"""Largest change of an embedding's entries that another batch may cause, by precision (entries of a unit vector)."""
NORMALIZATIONS = {
    "openai": ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)),
    "imagenet": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "inception": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}


@pytest.fixture(scope="session")
def found(clip_model, clip_data, clip_extraction):
    """`found(WHAT, make)`: what `make` finds out, in plain JSON, or found out before."""
    return partial(kept.found, clip_extraction.cache, clip_model, clip_data)


@pytest.fixture(scope="session")
def images(clip_model, clip_data, clip_extraction):
    """A few preprocessed clean images [n, 3, h, w], when called."""
    return cache(lambda: clip_extraction.batch(clip_model, clip_data, "clean", first=FEW))


@pytest.fixture(scope="session")
def few(clip_data):
    """How many they are."""
    return min(FEW, len(clip_data.images("clean")))


@pytest.fixture(scope="session")
def probe(clip_model, clip_data, clip_extraction):
    """Zero-shot answers of a variant of the model on the same few hundred clean images."""
    return lambda model=clip_model: clip_extraction.zero_shot(model, clip_data, "clean", first=PROBE)


@pytest.fixture(scope="session")
def prompts(clip_data):
    """One prompt per class."""
    return clip_data.ask(clip_data.templates[0])


@pytest.fixture(scope="session")
def encode(clip_model, clip_extraction):
    """The model's own answer about preprocessed images or texts, as an array; it may hold NaN or have any length."""
    return lambda what: clip_extraction.ask(clip_model, what)


def needs_two(count, what):
    """Skip the gate where there is nothing to compare: one of a kind is equal to itself whatever the model does."""
    if count < 2:
        pytest.skip(f"{count} {what}: there is nothing to compare; it takes two")


@pytest.mark.clip_gate("checkpoint/finite_weights")
def test_finite_weights(gate, clip_case, clip_model, found, images, encode):
    """Share of weights that are finite numbers; for a model without a torch module, of its embeddings."""

    def counted():
        module = getattr(clip_model, "module", None)
        if module is None:
            rows = encode(images())
            return "embeddings", rows.size, int(np.isfinite(rows).sum())
        tensors = [t for t in module.state_dict().values() if t.is_floating_point()]
        return "weights", sum(t.numel() for t in tensors), sum(int(t.isfinite().sum()) for t in tensors)

    of, total, finite = found("finite_weights", counted)
    gate(clip_case.gate, finite / total, n=total, conventions={"of": of})


@pytest.mark.clip_gate("checkpoint/logit_scale")
def test_logit_scale(gate, clip_case, clip_model):
    """exp(logit_scale): CLIP starts at 14 and is clamped at 100; far outside, softmax confidences mean nothing."""
    embedding_model(clip_model)
    conventions = {"measured": {"logit_bias": clip_model.logit_bias}}
    gate(clip_case.gate, clip_model.logit_scale, n=1, reason="the stored parameter is no finite number", conventions=conventions)


@pytest.mark.clip_gate("checkpoint/embedding_norm")
def test_embedding_norm(gate, clip_case, found, images, prompts, encode):
    """The norm, among image and text embeddings, that is farthest from 1."""

    def farthest():
        norms = np.linalg.norm(np.concatenate([encode(images()), encode(prompts)]), axis=1)
        return float(norms[np.nan_to_num(abs(norms - 1), nan=np.inf).argmax()]), len(norms)

    norm, n = found("embedding_norm", farthest)
    gate(clip_case.gate, norm, n=n, reason="an embedding holds NaN")


def spread(embeddings):
    """1 - mean cosine over all pairs of different rows."""
    x = np.asarray(embeddings, dtype=np.float64)
    n, total = len(x), x.sum(0)
    return 1 - (total @ total - (x * x).sum()) / (n * (n - 1))


@pytest.mark.clip_gate("checkpoint/image_spread")
def test_image_spread(gate, clip_case, clip_model, clip_data, clip_extraction):
    """1 - mean cosine of different images; near 0 the image tower has collapsed."""
    embeddings = clip_extraction.embeddings(clip_model, clip_data, "clean", first=PROBE)
    needs_two(len(embeddings), "clean image")
    gate(clip_case.gate, spread(embeddings), n=len(embeddings), reason="an embedding holds NaN")


@pytest.mark.clip_gate("checkpoint/text_spread")
def test_text_spread(gate, clip_case, found, prompts, encode):
    """1 - mean cosine of the prompts of different classes; near 0 the text tower has collapsed."""
    needs_two(len(prompts), "class")
    apart = found("text_spread", lambda: float(spread(encode(prompts))))
    gate(clip_case.gate, apart, n=len(prompts), reason="an embedding holds NaN")


@pytest.fixture
def compare(gate, clip_case, clip_model, found, few):
    """Largest change of an embedding's entries between two answers to the same images, as a share of what the precision allows."""

    def judged(first, second):
        def change():
            one = first()
            return float(abs(one - second()).max())

        changed, allowed = found(clip_case.gate.metric, change), TOLERANCE[clip_model.precision]
        gate(
            clip_case.gate,
            changed / allowed,
            n=few,
            reason="an embedding holds NaN",
            conventions={"tolerance": allowed, "measured": {"change": changed}},
        )

    return judged


@pytest.mark.clip_gate("checkpoint/repeatability")
def test_repeatability(compare, images, encode):
    """The same batch twice: dropout or a forgotten train mode shows here."""
    compare(lambda: encode(images()), lambda: encode(images()))


@pytest.mark.clip_gate("checkpoint/batch_invariance")
def test_batch_invariance(compare, few, images, encode):
    """One at a time against all together: batch statistics at test time show here."""
    needs_two(few, "clean image")
    compare(lambda: encode(images()), lambda: np.concatenate([encode(image[None]) for image in images()]))


@pytest.mark.clip_gate("checkpoint/order_invariance")
def test_order_invariance(compare, few, images, encode):
    """The batch backwards: every image must keep its own embedding."""
    needs_two(few, "clean image")
    compare(lambda: encode(images()), lambda: encode(images().flip(0))[::-1])


CORNERS = {(0, 0): (200, 40, 40), (0, 1): (40, 200, 40), (1, 0): (40, 40, 200), (1, 1): (200, 200, 40)}
"""Row and column of each quarter of a picture, and its colour. Gray alone is the same in BGR, in negative and upside down."""
NEAR = 0.1
"""How far a channel, 0 to 1, may be from its colour in the middle of a quarter: resizing rings at edges, and colours are 0.6 apart."""


def corners_stay(clip_model, mean, std):
    """Whether red, green, blue and yellow quarters come out as themselves, each in its corner."""
    from PIL import Image

    picture = Image.new("RGB", (97, 97))
    for (row, column), colour in CORNERS.items():
        picture.paste(colour, (column * 48, row * 48, 97, 97))
    out = clip_model.preprocess(picture)
    pixels = out.numpy() * np.array(std)[:, None, None] + np.array(mean)[:, None, None]
    high, wide = out.shape[1:]
    found = [pixels[:, (1 + 2 * row) * high // 4, (1 + 2 * column) * wide // 4] for row, column in CORNERS]
    return bool(abs(np.stack(found) - np.array(list(CORNERS.values())) / 255).max() < NEAR)


def preprocessed(clip_model):
    """What the preprocessing makes of a gray picture and of one of four colours: by check, whether it passes."""
    from PIL import Image

    level = 128
    size = (97, 97) if clip_model.facts.get("square_pictures_only") else (97, 61)
    out = clip_model.preprocess(Image.new("RGB", size, (level, level, level)))
    checks = {"size": tuple(out.shape) == (3, *clip_model.image_size)}
    config = getattr(clip_model, "preprocess_config", None)
    if config:
        gray = (level / 255 - np.array(config["mean"])) / np.array(config["std"])
        middle = out[:, out.shape[1] // 2, out.shape[2] // 2].numpy()
        checks["normalization"] = bool(abs(middle - gray).max() < 1e-4)
        checks["colours"] = corners_stay(clip_model, config["mean"], config["std"])
    return checks


@pytest.mark.clip_gate("checkpoint/preprocess")
def test_preprocess(gate, clip_case, clip_model, found):
    """Share of checks that the preprocessing passes: input size; gray comes out as (0.5 - mean) / std of the configuration; colours stay
    what and where they are."""
    checks = found("preprocess", lambda: preprocessed(clip_model))
    gate(clip_case.gate, sum(checks.values()) / len(checks), n=len(checks), conventions={"measured": checks})


@pytest.mark.clip_gate("checkpoint/tokenizer")
def test_tokenizer(gate, clip_case, clip_model, found, prompts, encode):
    """Share of class prompts that the tokenizer reads whole and tells apart."""

    def told_apart():
        if not hasattr(clip_model, "tokenize"):
            return len({tuple(row) for row in encode(prompts).tolist()}), {"by": "distinct embeddings"}
        tokens = clip_model.tokenize(prompts)
        # Where a word more changes nothing, the prompt is cut.
        whole = tokens.ne(clip_model.tokenize([f"{p} more" for p in prompts])).any(1)
        distinct = len({tuple(row) for row, ok in zip(tokens.tolist(), whole.tolist(), strict=True) if ok})
        return distinct, {"measured": {"context_length": tokens.shape[1]}}

    distinct, conventions = found("tokenizer", told_apart)
    gate(clip_case.gate, distinct / len(set(prompts)), n=len(prompts), conventions=conventions)


@pytest.mark.clip_gate("checkpoint/alignment")
def test_alignment(gate, clip_case, probe):
    """Probability that an image is nearer to its own class prompt than to that of a random other class; chance is 0.5."""
    answers = probe()
    needs_two(len(answers.classes), "class")
    own = np.take_along_axis(answers.cosines, answers.labels[:, None], axis=1)
    others = len(answers.classes) - 1
    each = ((answers.cosines < own).sum(1) + ((answers.cosines == own).sum(1) - 1) / 2) / others
    gate(
        clip_case.gate, each.mean(), n=len(each), ci=lambda: mean_interval(each, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes("mean", {"above": each}, answers.ids),
        conventions=answers.conventions,
    )  # fmt: skip


def likelihood(answers):
    """NLL of every image after the temperature that suits these answers best: a variant must not win by being less confident."""
    temperature = fit_temperature(answers.logits, answers.labels).value
    return nll_per_sample(answers.logits / temperature, answers.labels)


@pytest.mark.clip_gate("checkpoint/activation")
def test_activation(gate, clip_case, clip_model, probe, found):
    """NLL that the other activation (GELU or QuickGELU) would win on the same images.

    open_clip only warns when a tag was trained with QuickGELU, and for a checkpoint file nothing tells but this. In a deep CLIP the wrong
    activation costs ten points of accuracy; to a small one the two functions can be the same within a thousandth of a nat.
    """

    def asked_under_the_other():
        kind = getattr(clip_model, "activation", "none")
        if not hasattr(clip_model, "with_activation"):
            return {"lacks": "with_activation"}
        if kind == "none":
            return {"lacks": "gelu"}
        other = clip_model.with_activation(kind != "quickgelu")
        gain = likelihood(probe()) - likelihood(probe(other))
        return {"gain": gain.tolist(), "measured": {"activation": kind, "other": other.activation}}

    told = found("activation", asked_under_the_other)
    if told.get("lacks") == "with_activation":
        pytest.skip(
            f"{clip_model.label} cannot be asked under another activation; give it `activation` (gelu or quickgelu) and "
            "with_activation(quick), which returns the same weights under QuickGELU or GELU"
        )
    if told.get("lacks") == "gelu":
        pytest.skip(f"neither tower of {clip_model.label} has a GELU that could be a QuickGELU")
    gain = np.array(told["gain"])
    gate(
        clip_case.gate, gain.mean(), n=len(gain), ci=lambda: mean_interval(gain, seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes("mean", {"gain": gain}, probe().ids), conventions={"measured": told["measured"]},
    )  # fmt: skip


@pytest.mark.clip_gate("checkpoint/normalization")
def test_normalization(gate, clip_case, clip_model, probe, found):
    """NLL that the best other mean and standard deviation in common use would win on the same images."""

    def asked_behind_others():
        if not (hasattr(clip_model, "with_normalization") and getattr(clip_model, "preprocess_config", None)):
            return None
        config, own = clip_model.preprocess_config, likelihood(probe())
        others = {n: v for n, v in NORMALIZATIONS.items() if not np.allclose(v, (config["mean"], config["std"]), atol=1e-3)}
        gains = {n: own - likelihood(probe(clip_model.with_normalization(*v))) for n, v in others.items()}
        return {"gains": {n: each.tolist() for n, each in gains.items()}, "mean": list(config["mean"]), "std": list(config["std"])}

    told = found("normalization", asked_behind_others)
    if told is None:
        pytest.skip(
            f"{clip_model.label} cannot be asked under another normalisation; give it `preprocess_config` with mean and std, and "
            "with_normalization(mean, std), which returns the same model behind another `normalize`"
        )
    gains = {n: np.array(each) for n, each in told["gains"].items()}
    best = max(gains, key=lambda n: gains[n].mean())
    gate(
        clip_case.gate, gains[best].mean(), n=len(gains[best]),
        ci=lambda: mean_interval(gains[best], seed=seed_from(str(clip_case.gate))),
        per_image=Outcomes("highest_mean", {"gain": np.stack(list(gains.values()), axis=1)}, probe().ids),
        conventions={"measured": {"mean": told["mean"], "std": told["std"], "best_other": best}},
    )  # fmt: skip
