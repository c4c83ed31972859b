"""Words that may stand against the known classes in out-of-distribution detection (NegLabel): of a file, of WordNet, or of `scenes`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .. import ClipError

NOUN, ADJECTIVE = "the nice {c}", "This is a {c} photo"
"""Prompts as published (Jiang et al. 2024)."""
WORDNET = "wordnet"
LEFT_OUT = ("noun.animal", "noun.food")
"""Files of WordNet that the published list leaves out; of adjectives it has all three."""
HEADINGS = {"[nouns]": True, "[adjectives]": False}
FORM = "one word or phrase a line, adjectives after a line [adjectives]"


@dataclass(frozen=True)
class WordList:
    """Nouns and adjectives, each once, none of them the name of a known class."""

    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]
    source: str
    """what it is called in conventions"""

    @property
    def prompts(self) -> tuple[list[str], list[str]]:
        """Of the nouns and of the adjectives."""
        return [NOUN.replace("{c}", word) for word in self.nouns], [ADJECTIVE.replace("{c}", word) for word in self.adjectives]

    @property
    def hash(self) -> str:
        """Identifies the list; numbers of other words are not comparable."""
        return hashlib.sha256("\n".join([*self.nouns, "", *self.adjectives]).encode()).hexdigest()[:12]


def find(named: Path | str | None, *, data: str, classes: Iterable[str]) -> WordList | None:
    """What `clip_neglabel_words` names (a file, or `wordnet`), else the vocabulary of `scenes` for these; None where nothing is named."""
    known = {name.lower() for name in classes}
    if named is None and data != "scenes":
        return None
    if named is None:
        from .scenes.captions import vocabulary

        nouns, adjectives = vocabulary()
        source = "captions of scenes"
    elif named == WORDNET:
        nouns, adjectives, source = *wordnet(), WORDNET
    else:
        nouns, adjectives, source = *read(Path(named)), Path(named).name
    chosen = [tuple(w for w in dict.fromkeys(words) if w.lower() not in known) for words in (nouns, adjectives)]
    if not any(chosen):
        raise ClipError(f"clip_neglabel_words: {named} holds no word but known classes; name a list of other words ({FORM})")
    return WordList(chosen[0], chosen[1], source)


def read(path: Path) -> tuple[list[str], list[str]]:
    """Nouns and adjectives of a text file; empty lines and those that begin with # are passed over."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ClipError(f"clip_neglabel_words: {path} cannot be read as UTF-8 text ({error}); give a file with {FORM}") from None
    words: dict[bool, list[str]] = {True: [], False: []}
    noun = True
    for number, line in enumerate(lines, 1):
        text = " ".join(line.split())
        if text.startswith("["):
            if text.lower() not in HEADINGS:
                raise ClipError(f"{path}:{number}: {text} is no heading; there are [nouns] and [adjectives]")
            noun = HEADINGS[text.lower()]
        elif text and not text.startswith("#"):
            words[noun].append(text)
    return words[True], words[False]


def wordnet() -> tuple[list[str], list[str]]:
    """Nouns and adjectives of the WordNet that `nltk` or `wn` has on this machine, in its order, without animals and food."""
    for library, senses, cure in (
        ("nltk", _of_nltk, "python -m nltk.downloader --force wordnet"),
        ("wn", _of_wn, "python -m wn download oewn"),
    ):
        words: dict[str, list[str]] = {"n": [], "a": []}
        try:
            for kind, file, lemma in senses():
                if file not in LEFT_OUT:
                    words[kind].append(lemma.replace("_", " "))
        except ImportError:
            continue
        except Exception as error:  # what half a download makes a library raise; KeyError and IndexError are kinds of LookupError
            if type(error) is LookupError:  # its files are not there
                continue
            raise ClipError(
                f"clip_neglabel_words = wordnet: {library} cannot read its WordNet ({type(error).__name__}: {error}); "
                f"get it again ({cure}), or name a file of words"
            ) from error
        return words["n"], words["a"]
    raise ClipError(
        "clip_neglabel_words = wordnet: neither nltk nor wn is installed with WordNet's files; "
        "pip install nltk && python -m nltk.downloader wordnet, or name a file of words"
    )


def _of_nltk() -> Iterator[tuple[str, str, str]]:
    """Kind, file and lemma of each sense; adjectives with their satellites."""
    from nltk.corpus import wordnet as corpus

    corpus.ensure_loaded()
    return ((kind, synset.lexname(), lemma) for kind in "na" for synset in corpus.all_synsets(kind) for lemma in synset.lemma_names())


def _of_wn() -> Iterator[tuple[str, str, str]]:
    """The same of `wn`, whose satellites of adjectives are a kind of their own; LookupError where it has no English lexicon."""
    import wn

    corpus = next((wn.Wordnet(f"{each.id}:{each.version}") for each in wn.lexicons(lang="en")), None)
    if corpus is None:
        raise LookupError("no English lexicon")
    kinds = (("n", "n"), ("a", "a"), ("a", "s"))
    return ((kind, synset.lexfile() or "", lemma) for kind, pos in kinds for synset in corpus.synsets(pos=pos) for lemma in synset.lemmas())
