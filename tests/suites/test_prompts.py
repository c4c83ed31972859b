"""The prompts suite on a model that is thrown off by a full stop, and prompts of one's own for a whole run."""

from pytest_clip.data.scenes.vocabulary import CLASSES
from pytest_clip.extract.zeroshot import prompts_hash

FRAGILE = """
    from pathlib import Path

    import torch
    from pytest_clip.models import openclip, spec as specs


    class Fragile:
        '''scenes-rn, but a text that ends with a full stop gets an embedding that means something else.'''

        def __init__(self, model):
            self._model, self.label, self.fingerprint = model, "fragile", "f" * 16

        def __getattr__(self, name):
            return getattr(self._model, name)

        def encode_image(self, images):
            return self._model.encode_image(images)

        def encode_text(self, texts):
            out = self._model.encode_text(texts)
            stopped = torch.tensor([text.endswith(".") for text in texts])
            return torch.where(stopped[:, None], out.roll(1, dims=1), out)


    def pytest_clip_make_model(spec, config):
        return Fragile(openclip.load(specs.parse("scenes-rn"), cache_dir=Path(config.option.clip_cache_dir)))
"""


def failed(rows):
    return {gate for gate, row in rows.items() if row["verdict"] not in ("pass", "waived", "unjudged", "not_measured")}


def test_a_text_encoder_that_minds_a_full_stop_fails_where_there_is_one(measure):
    """The run's own prompts have none, so every other suite is content with this model; nor do the paraphrases."""
    suites = "--clip-suite=prompts,accuracy", "-k", "prompts or clean"
    status, rows, output = measure("--clip-model=fragile", "--clip-limit=190", *suites, conftest=FRAGILE)
    assert status == 1
    down = failed(rows)
    for family in ("templates", "formats"):
        assert {f"prompts/accuracy_spread[{family}]", f"prompts/worst_accuracy[{family}]"} <= down, output
        told = rows[f"prompts/accuracy_spread[{family}]"]["conventions"]
        assert told["values"][told["best"]] - told["values"][told["worst"]] > 0.5
    assert rows["prompts/accuracy_spread[formats]"]["conventions"]["worst"].endswith(".")
    assert rows["prompts/accuracy_spread[templates]"]["conventions"]["best"] == "own"
    assert not any(gate.endswith("[paraphrases]") or gate.startswith("accuracy/") for gate in down), output
    assert {gate.split("[")[0] for gate in down} <= {
        f"prompts/{m}" for m in ("accuracy_spread", "worst_accuracy", "ece_spread", "auroc_spread")
    }


def test_prompts_of_ones_own_replace_those_of_the_data_set_in_every_suite(measure, tmp_path):
    (tmp_path / "ours.txt").write_text("a photo of a {c}\na picture of {an} {}.\n")
    run = "--clip-suite=accuracy,prompts", "-k", "clean or worst_accuracy"
    _, rows, output = measure("--clip-model=fragile", "--clip-limit=190", *run, "--clip-prompts=ours.txt", conftest=FRAGILE)
    asked = ("a photo of a {c}", "a picture of {an} {c}.")
    told = rows["accuracy/top1[clean]"]["conventions"]
    assert (told["templates"], told["prompts"]) == (2, prompts_hash(CLASSES, asked)), output
    values = rows["prompts/worst_accuracy[templates]"]["conventions"]["values"]
    assert values["ours.txt"] == round(rows["accuracy/top1[clean]"]["value"], 6)
    assert "own" not in values
