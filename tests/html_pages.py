"""HTML reports as tests read them: well formed, without addresses outside, handlers and styles of elements."""

from __future__ import annotations

import json
from collections import Counter
from html.parser import HTMLParser

from pytest_clip.report.html import docs, page

VOID = {"meta", "input", "br", "img", "link"}
ADDRESSES = ("href", "src", "action", "xlink:href", "poster", "data", "srcset")
KEYS = ("ci", "reason", "waiver", "role", "better", "baseline", "flips", "nodeid", "rule", "partial", "fingerprint")


def row(gate="accuracy/top1[clean]", verdict="fail", value=0.5, *, model="m", data="scenes", **more):
    """A row of a record, with all the keys that it has."""
    suite, _, rest = gate.partition("/")
    metric, _, part = rest.rstrip("]").partition("[")
    told = {"min": 0.7, "why": "because", "source": "thresholds.toml:4"}
    return {
        **dict.fromkeys(KEYS), "gate": gate, "suite": suite, "metric": metric, "slice": part or None, "model": model, "data": data,
        "value": value, "n": 100, "verdict": verdict, "rule": told, "conventions": {}, "better": "higher", "ci": [0.4, 0.6],
        "message": f"{gate}: {value} < min 0.7\n  why          because\n  rerun        pytest -k {model}",
        **more,
    }  # fmt: skip


def record(rows, more=None, **session):
    """A record with these rows; `more` are parts beside them."""
    return {
        "schema": 1,
        "session": {"exit_status": 1, "versions": {"pytest-clip": "0.1.0"}, **session},
        "models": [{"name": name, "fingerprint": "0123456789abcdef"} for name in dict.fromkeys(each["model"] for each in rows)],
        "data": [{"name": name, "fingerprint": None} for name in dict.fromkeys(each["data"] for each in rows)],
        "gates": list(rows),
        **(more or {}),
    }


ON = {"model": "m", "data": "scenes"}
SHOT = {"id": "clean-1", "truth": "mug", "answer": "key", "confidence": 0.75, "picture": "k1"}
MATCH = {"first": [0.2, 0.3], "second": [0.5, 0.6], "right": True, "true": [0.5, 0.61]}
EVIDENCE = {
    "figures": [
        {"kind": "mistakes", "gate": "accuracy/top1[clean]", **ON, "images": [SHOT]},
        {"kind": "flips", "gate": "accuracy/top1[clean]", **ON, "images": [{**SHOT, "before": "right"}]},
        {
            "kind": "flip_groups", "gate": "accuracy/top1[clean]", **ON, "worse": 9, "at_risk": 80,
            "groups": [
                {"fact": fact, "value": value, "worse": 4, "at_risk": 10, "stands_out": out, "images": [{**SHOT, "before": "right"}]}
                for fact, value, out in (("class", "mug", True), ("texture", "brick", False))
            ],
        },
        {
            "kind": "example", "gate": "corruptions/accuracy[fog]", **ON, "id": "clean-7", "truth": "mug",
            "steps": [
                {"severity": s, "answer": "mug" if s < 4 else "key", "right": s < 4, "confidence": 0.9 - s / 10, "picture": f"k{s}"}
                for s in range(6)
            ],
        },
        {
            "kind": "queries", "gate": "retrieval/image_retrieval_recall_at_1[clean]", **ON,
            "queries": [
                {
                    "asked": {"id": "", "text": "a red mug", "picture": None},
                    "found": [{"id": f"clean-{k}", "text": f"a blue key {k}", "picture": f"k{k}"} for k in (2, 3)],
                    "wanted": {"id": "clean-1", "text": "a red mug", "picture": "k1"}, "rank": 12, "of": 1900,
                }
            ],
        },
        {
            "kind": "counterexamples", "gate": "metamorphic/agreement[rotate]", **ON,
            "what": "images are answered otherwise after rotate 5 (degrees)", "changed": 3, "of": 190,
            "images": [
                {"id": "clean-1", "was": "mug 90%", "now": "key 51%", "truth": "mug", "before": "k1", "after": "k2"},
                {"id": "clean-2", "was": "hat 60%", "now": "undecided", "truth": "", "before": "k3", "after": None},
            ],
        },
        {
            "kind": "pairs", "gate": "correspondence/recall_px[viewpoint-0-15]", **ON,
            "pairs": [
                {
                    "id": "viewpoint-0-15-00001", "value": 0.25, "of": 8, "first": "k1", "second": "k2",
                    "matches": [MATCH, {**MATCH, "right": False, "second": [0.9, 0.1]}],
                }
            ],
        },
        {"kind": "unshown", "gate": "ood/auroc[near]", **ON, "reason": "a file is gone"},
    ],
    "pictures": {f"k{k}": "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAUDBAQEAwUEBAQFBQU" + "ABCDEF"[k] for k in range(6)},
}  # fmt: skip
"""Evidence of every kind that a test can show."""


def shown(evidence=EVIDENCE, **more):
    """A record with that evidence, and the gates that it is of."""
    lost = {"run": "run base", "value": 0.9, "drop": 0.2, "ci": [0.1, 0.3], "p": 0.001, "status": "fail", "allowed": 0.0}
    baseline = {"baseline": lost, "flips": {"worse": 9, "at_risk": 80, "better": 0, "ids": ["clean-1"], "better_ids": [], "groups": []}}
    gates = dict.fromkeys(each["gate"] for each in evidence["figures"])
    rows = [row(gate, **(baseline if gate.startswith("accuracy") else {}), **more) for gate in gates]
    if "corruptions/accuracy[fog]" in gates:
        rows += [row(f"corruptions/accuracy[fog-{s}]", "pass", 1 - s / 9, ci=[0.9 - s / 9, 1.0], **more) for s in range(1, 6)]
    return record(rows, {"evidence": evidence})


class Page(HTMLParser):
    """All elements and texts of a page; AssertionError where one is not closed, or an id is there twice."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []
        ids = [attrs["id"] for _, attrs in self.elements if "id" in attrs]
        assert [each for each, n in Counter(ids).items() if n > 1] == []
        self.ids = set(ids)

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), (tag, attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attrs for tag, attrs in self.elements if tag == name]


def rendered(told) -> Page:
    """The page, after all that holds for every page has been asked of it."""
    text = page.render(told)
    assert text == page.render(json.loads(json.dumps(told)))
    found = Page(text)
    for tag, attrs in found.elements:
        assert not [name for name in attrs if name.startswith("on") or name == "style"], (tag, attrs)
        for name in ADDRESSES:
            address = attrs.get(name)
            if tag == "a" and (address or "").startswith(docs.SITE):  # followed where a person asks for it, and told nothing of the page
                assert attrs["rel"] == "noreferrer"
                continue
            assert address is None or address.startswith(("#", "data:image/jpeg;base64,")), (tag, address)
            if tag in ("a", "use") and address is not None:
                assert address[1:] in found.ids, address
    assert len(found.all("script")) == len(found.all("style")) == 1
    assert not {"iframe", "object", "embed", "link", "base"} & {tag for tag, _ in found.elements}
    figures = [attrs for attrs in found.all("svg") if "plot" in (attrs.get("class") or "")]
    assert all(attrs["role"] == "img" for attrs in figures)
    assert len(found.all("figure")) == len([1 for attrs in found.all("details") if attrs.get("class") == "numbers"])
    return found
