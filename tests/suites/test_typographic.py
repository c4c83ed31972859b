"""The typographic suite on a model that reads and falls for it, on one that reads and does not, and on one that cannot read."""

import hashlib
import json

import numpy as np
import pytest

from pytest_clip.data.scenes.load import image_set

STUB = """
    import hashlib
    from pathlib import Path

    import numpy as np
    import torch
    from pytest_clip.data import load
    from pytest_clip.data.scenes.vocabulary import CLASSES
    from pytest_clip.data.writing import READING
    from pytest_clip.extract.pixels import Rendered

    LIMIT = 95
    READS = tuple(t.replace("{c}", "") for t in READING)


    class Stub:
        '''Knows every picture: its thing in the first half of an embedding, its word in the second.'''

        precision, device, logit_scale, logit_bias, image_size, facts = "fp32", "cpu", 50.0, None, (128, 128), {}

        def __init__(self, name, cache):
            self.label, self.fingerprint, self.known = name, hashlib.sha256(name.encode()).hexdigest()[:16], {}
            data = load("scenes", limit=LIMIT)
            for kind in ("clean", "note_word", "note_blank", "note_neutral", "note_read"):
                images = data.images(kind)
                things = [getattr(each, "scene", each).cls for each in images.drawn]
                words = images.attributes.get("written", [""] * len(images))
                for thing, word, pixels in zip(things, words, Rendered(images, cache)):
                    self.known[np.asarray(pixels).tobytes()] = thing, word

        def preprocess(self, image):
            return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1).float()

        def encode_image(self, images):
            return torch.stack([self.of(i.permute(1, 2, 0).numpy().astype(np.uint8).tobytes()) for i in images])

        def of(self, pixels):
            thing, word = self.known[pixels]
            out = torch.full((2, 24), 0.001)
            shown = word if self.label == "falls" and word in CLASSES else thing
            if shown in CLASSES:
                out[0, CLASSES.index(shown)] = 1.0
            if word in CLASSES and self.label != "blind":
                out[1, CLASSES.index(word)] = 1.0
            return torch.nn.functional.normalize(out.flatten(), dim=0)

        def encode_text(self, texts):
            out = torch.zeros(len(texts), 2, 24)
            for row, text in enumerate(texts):
                name = next((c for c in sorted(CLASSES, key=len, reverse=True) if c in text.lower()), None)
                out[row, int(text.startswith(READS)), CLASSES.index(name) if name else 23] = 1.0
            return out.flatten(1)


    def pytest_clip_make_model(spec, config):
        cache = Path(config.option.clip_cache_dir)
        return Stub(spec.text, cache) if spec.text in ("falls", "heeds", "blind") else None
"""
RUN = ("--clip-suite=typographic", "--clip-limit=95")
DEPENDING = ("typographic/accuracy[word]", "typographic/drop[word]", "typographic/attack_success[word]")


def test_a_model_that_falls_for_words_fails_just_that(measure, tmp_path):
    status, rows, output = measure("--clip-model=falls", *RUN, conftest=STUB)
    failed = {gate for gate, row in rows.items() if row["verdict"] == "fail"}
    assert status == 1
    assert failed == {"typographic/drop[word]", "typographic/attack_success[word]"}, output
    assert rows["typographic/reads_text"]["value"] == 1.0
    assert (rows["typographic/accuracy[blank]"]["value"], rows["typographic/accuracy[neutral]"]["value"]) == (1.0, 1.0)
    assert (rows["typographic/accuracy[word]"]["value"], rows["typographic/drop[word]"]["value"]) == (0.0, 1.0)
    assert rows["typographic/attack_success[word]"]["conventions"]["measured"].keys() == {"small", "middle", "large"}
    assert rows["typographic/drop[word]"]["conventions"]["before"] == "blank"
    evidence = json.loads((tmp_path / "report.json").read_text("utf-8"))["evidence"]
    shown = {each["gate"]: each for each in evidence["figures"] if each["kind"] == "counterexamples"}
    assert shown.keys() == failed
    images = image_set("note_word", role="note", limit=95)
    for each in shown.values():
        assert each["changed"] == each["of"] == len(images)
        assert len(each["images"]) == 3
        for image in each["images"]:
            row = images.ids.index(image["id"])
            assert image["was"].rpartition(" ")[0] == image["truth"] == images.classes[images.labels[row]]
            assert image["now"].rpartition(" ")[0] == images.attributes["written"][row]
            assert image["before"] != image["after"]
            assert {image["before"], image["after"]} <= evidence["pictures"].keys()
    one, other = ({image["id"]: image for image in shown[gate]["images"]} for gate in sorted(failed))
    both = one.keys() & other.keys()
    assert both
    assert all(one[name]["after"] == other[name]["after"] for name in both)  # the same word on the same note
    assert all(one[name]["before"] != other[name]["before"] for name in both)  # no note, and a blank one


def test_a_model_that_reads_and_does_not_fall_passes(measure):
    status, rows, output = measure("--clip-model=heeds", *RUN, conftest=STUB)
    assert status == 0, output
    assert rows["typographic/reads_text"]["value"] == 1.0
    assert [rows[gate]["value"] for gate in DEPENDING] == [1.0, 0.0, 0.0]
    assert [rows[gate]["verdict"] for gate in DEPENDING] == ["unjudged", "pass", "pass"]


def test_what_depends_on_reading_is_not_measured_where_a_model_cannot_read(measure):
    status, rows, output = measure("--clip-model=blind", *RUN, conftest=STUB)
    assert status == 0, output
    assert rows["typographic/accuracy[neutral]"]["value"] == 1.0
    for gate in DEPENDING:
        assert rows[gate]["verdict"] == "not_measured", output
        assert "the model cannot read: it finds" in rows[gate]["reason"]
        assert "not surely above chance (0.053)" in rows[gate]["reason"]


def test_words_that_images_get_come_from_their_ids_alone_and_are_wrong():
    from pytest_clip.data.writing import choices, neutral_words, wrong_words

    classes = ("mug", "dog", "hello kitty", "key")
    ids = [f"image {k}" for k in range(400)]
    own = [(k % 4, (k + 1) % 4) if k % 3 == 0 else (k % 4,) for k in range(400)]
    words = wrong_words(ids, own, classes)
    assert wrong_words(ids[7:9], own[7:9], classes) == words[7:9]
    assert not any(word in {classes[k] for k in mine} for word, mine in zip(words, own, strict=True))
    assert set(words) == set(classes)
    assert not {"hello", *classes} & set(neutral_words(ids, classes))
    assert wrong_words(["a"], [(0,)], ("mug",)) == [""]
    many = choices([f"word {k}" for k in range(300)])
    assert len(many) == 20
    assert many == choices([f"word {k}" for k in reversed(range(300))])


@pytest.mark.parametrize("raw", [True, False])
def test_the_two_way_protocol_against_a_few_lines_of_numpy(tmp_path, raw):
    """Means of embeddings that are not normalised are other directions than means of normalised ones: both ways are told apart."""
    from types import SimpleNamespace

    from pytest_clip.extract.cores import cores
    from pytest_clip.extract.embed import Batches
    from pytest_clip.extract.wording import Wording
    from pytest_clip.extract.written import Written

    def embed(texts):
        rows = [np.random.default_rng(list(hashlib.sha256(t.encode()).digest())).normal(size=5) for t in texts]
        return np.stack([row * (1 + 9 * (k % 2)) for k, row in enumerate(rows)]).astype(np.float32)

    import torch

    templates, things, words = ("a {c}", "the {c}"), ["cup", "dog", "cup", "key"], ["dog", "key", "key", "cup"]
    lengths = {t.replace("{c}", n): 1 + 9 * (t == templates[1]) for t in templates for n in {*things, *words}}
    direction = {text: embed([text])[0] for text in lengths}

    def raw_text(texts):
        return torch.tensor(np.stack([direction[t] * lengths[t] for t in texts]))

    model = SimpleNamespace(label="stub", fingerprint="0" * 16, precision="fp32", device="cpu", logit_scale=1.0, logit_bias=None, facts={})
    model.encode_text = lambda texts: torch.nn.functional.normalize(raw_text(texts), dim=-1)
    if raw:
        model.raw_text = raw_text
    pictures = np.random.default_rng(1).normal(size=(4, 5))
    images = SimpleNamespace(
        classes=("cup", "dog", "key"), labels=np.array([0, 1, 0, 2]), attributes={"written": tuple(words)}, ids=("1", "2", "3", "4")
    )
    data = SimpleNamespace(
        sets=(SimpleNamespace(name="none", role="bare"), SimpleNamespace(name="word", role="written")), templates=templates,
        images=lambda name: images,
    )  # fmt: skip
    wording = Wording(tmp_path, Batches(None, say=print).door, cores())
    extraction = SimpleNamespace(embeddings=lambda model, data, name: pictures, raw_classifier=lambda *how: wording.raw_classifier(*how))
    answers = Written(model, data, extraction)("word")

    def head(name):
        rows = [direction[t.replace("{c}", name)] * lengths[t.replace("{c}", name)] for t in templates]
        rows = rows if raw else [row / np.linalg.norm(row) for row in rows]
        return np.mean(rows, 0) / np.linalg.norm(np.mean(rows, 0))

    right = [p @ head(thing) > p @ head(word) for p, thing, word in zip(pictures, things, words, strict=True)]
    assert answers.right.tolist() == right
    assert answers.fell.tolist() == [not each for each in right]
    assert ("not normalised" in answers.conventions["text_mean"]) is raw
    assert answers.truths == tuple(things)
    assert answers.said == tuple(thing if one else word for one, thing, word in zip(right, things, words, strict=True))


def test_the_bundled_model_reads_and_falls_for_it(measure):
    status, rows, output = measure("--clip-model=scenes-rn-reads", "--clip-suite=typographic")
    assert status == 1, output
    assert {gate for gate, row in rows.items() if row["verdict"] == "fail"} == {
        "typographic/drop[word]",
        "typographic/attack_success[word]",
    }
    read, fell = rows["typographic/reads_text"], rows["typographic/attack_success[word]"]
    assert read["ci"][0] > 0.5
    assert fell["ci"][0] > 0.1
    assert fell["conventions"]["measured"]["large"] > fell["conventions"]["measured"]["small"]
    assert rows["typographic/accuracy[blank]"]["value"] > rows["typographic/accuracy[word]"]["value"]
