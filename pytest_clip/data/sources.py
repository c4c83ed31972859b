"""Where images of each kind come from, with licence and page: what a run says of data that has none of them. Light."""

from __future__ import annotations

from collections.abc import Sequence

from . import layouts
from .groups import ENOUGH
from .imagenet.parts import PARTS, X
from .layouts import (
    choices,
    counteranimal,
    imagenet,
    karpathy,
    manifest,
    navi,
    negbench,
    rta100,
    scam,
    scannet,
    spair,
    sugarcrepe,
    sugarcrepepp,
    winoground,
)  # fmt: skip

PAIRED = "it needs every scene a second time without the change, and only --clip-data=scenes has that"


def kind_of(data: str) -> str:
    """The layout of what --clip-data says; "" for a plain folder of class folders. Looks at every folder: 0.5 s where there are 100."""
    found = layouts.find(data)
    return found[0].layout if found else ""


def advice(over: Sequence[str], *, data: str, kind: str | None = None) -> str:
    """What to put where, so that `over` (image sets as the gates' catalog names them) are there; "" where nobody knows, and for scenes.

    data: what --clip-data says; kind: its `kind_of`, of whoever asks more than once.
    """
    if data == "scenes":
        return ""
    kind = kind_of(data) if kind is None else kind
    known = _published(kind)
    if kind in ("", manifest.NAME):  # a known data set cannot be given columns
        known |= {key: f"{known[key]}, or {way}" if key in known else way for key, way in _OWN.items()}
    ways = [known[each] for each in over if each in known]
    return "; or ".join(dict.fromkeys(ways)).replace("{folder}", str(layouts.split(data)[0]))


_OWN = {
    "role:captions": "write a column caption into {folder}/manifest.csv",
    "role:pairs": "write a column negative_caption into {folder}/manifest.csv",
    "role:factor": "write a column with 2 to 24 values into {folder}/manifest.csv; it becomes slices",
    "columns": f"write a column with two values of {ENOUGH} images or more into {{folder}}/manifest.csv",
    "role:ood": "put images of no class into {folder}/ood/NAME/",
    "near": "put images of no class into {folder}/ood/near/",
    "role:choice": "write {folder}/questions.csv with columns image, question, options (a|b|c) and answer",
}


def _published(kind: str) -> dict[str, str]:
    captions = " or ".join(f"{name} ({each.licence}; {each.page})" for name, each in karpathy.KINDS.items())
    known = {name: part.get for part in PARTS for name, _ in part.sets if name.startswith("cue")}
    if kind == imagenet.NAME:
        known |= {each: _OWN[each] for each in ("role:ood", "near")} | {"role:factor": X.get}
    return known | {
        "role:backdrop": f"get CounterAnimal ({counteranimal.LICENCE}; {counteranimal.PAGE})",
        "role:viewpoint": f"get NAVI ({navi.LICENCE}; {navi.PAGE}) or ScanNet-1500 ({scannet.LICENCE}; {scannet.PAGE})",
        "role:keypoints": f"get SPair-71k ({spair.LICENCE}; {spair.PAGE})",
        "role:captions": f"get {captions}",
        "role:pairs": f"get SugarCrepe ({sugarcrepe.LICENCE}; {sugarcrepe.PAGE})",
        "role:written": f"get SCAM ({scam.LICENCE}; {scam.PAGE}) or RTA-100 ({rta100.LICENCE}; {rta100.PAGE})",
        "role:bare": f"get SCAM ({scam.LICENCE}; {scam.PAGE})",
        "role:choice": f"get ImageNet-D ({choices.D_LICENCE}; {choices.D_PAGE}) or MMVP ({choices.MMVP_LICENCE}; {choices.MMVP_PAGE})",
        "role:triples": f"get SugarCrepe++ ({sugarcrepepp.LICENCE}; {sugarcrepepp.PAGE})",
        "role:choices": f"get NegBench ({negbench.LICENCE}; {negbench.PAGE})",
        "role:negated": f"get NegBench ({negbench.LICENCE}; {negbench.PAGE})",
        "role:quads": f"get Winoground ({winoground.LICENCE}; {winoground.PAGE})",
    }
