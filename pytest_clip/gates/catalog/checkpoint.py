"""What the suite `checkpoint` measures: whether the checkpoint is whole."""

from __future__ import annotations

from pytest_clip.gates.catalog.metric import Metric, Need, Suite

SUITE = Suite(
    "checkpoint",
    "The checkpoint is whole: finite weights, sane embeddings, the preprocessing and activation it was trained with",
    {
        "checkpoint/finite_weights": Metric("share", "higher", (), "Share of weights that are finite numbers"),
        "checkpoint/logit_scale": Metric("scale", "none", (), "Factor from cosine to logit, exponentiated"),
        "checkpoint/embedding_norm": Metric("ratio", "none", (), "Norm of the embedding farthest from 1"),
        "checkpoint/image_spread": Metric("cosine", "higher", (), "1 - mean cosine of different images; 0 is collapse"),
        "checkpoint/text_spread": Metric("cosine", "higher", (), "1 - mean cosine of different class prompts; 0 is collapse"),
        "checkpoint/repeatability": Metric(
            "ratio", "lower", (), "Change of an embedding when embedded again, over what the precision allows"
        ),
        "checkpoint/batch_invariance": Metric(
            "ratio", "lower", (), "Change of an embedding in a batch of one, over what the precision allows"
        ),
        "checkpoint/order_invariance": Metric(
            "ratio", "lower", (), "Change of an embedding in a reversed batch, over what the precision allows"
        ),
        "checkpoint/preprocess": Metric("share", "higher", (), "Share of checks that preprocessing agrees with the model's configuration"),
        "checkpoint/tokenizer": Metric("share", "higher", (), "Share of class prompts that the tokenizer reads whole and tells apart"),
        "checkpoint/alignment": Metric("share", "higher", (), "Images nearer to their own class prompt than to a random other one", "0.5"),
        "checkpoint/activation": Metric("nats", "lower", (), "NLL that the other activation (GELU or QuickGELU) would win"),
        "checkpoint/normalization": Metric("nats", "lower", (), "NLL that another mean and standard deviation would win"),
    },
    (Need("checkpoint/*", (), ("clean+labelled",)),),
)
