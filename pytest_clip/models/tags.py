"""The published weights that a bare architecture name of open_clip stands for."""

from __future__ import annotations

DEFAULT_TAGS = {
    "RN50": "openai",
    "RN101": "openai",
    "RN50x4": "openai",
    "RN50x16": "openai",
    "RN50x64": "openai",
    "ViT-B-32": "laion2b_s34b_b79k",
    "ViT-B-32-256": "datacomp_s34b_b86k",
    "ViT-B-32-quickgelu": "openai",
    "ViT-B-16": "laion2b_s34b_b88k",
    "ViT-B-16-quickgelu": "openai",
    "ViT-L-14": "laion2b_s32b_b82k",
    "ViT-L-14-quickgelu": "openai",
    "ViT-L-14-336": "openai",
    "ViT-H-14": "laion2b_s32b_b79k",
    "ViT-H-14-quickgelu": "dfn5b",
    "ViT-g-14": "laion2b_s34b_b88k",
    "ViT-bigG-14": "laion2b_s39b_b160k",
    "ViT-B-16-SigLIP": "webli",
    "ViT-L-16-SigLIP-256": "webli",
    "ViT-SO400M-14-SigLIP": "webli",
    "ViT-B-16-SigLIP2": "webli",
    "convnext_base_w": "laion2b_s13b_b82k_augreg",
    "convnext_large_d_320": "laion2b_s29b_b131k_ft_soup",
    "MobileCLIP-S2": "datacompdr",
    "MobileCLIP2-S0": "dfndr2b",
    "coca_ViT-B-32": "laion2b_s13b_b90k",
}
"""The tag that a bare architecture name stands for; an architecture that is not listed needs an explicit one."""
