"""Words against the known classes: files, a stand-in for each WordNet library, and the vocabulary of scenes."""

import sys
from types import ModuleType, SimpleNamespace

import pytest

from pytest_clip import ClipError
from pytest_clip.data import wordlist
from pytest_clip.data.scenes.captions import lexicon, vocabulary
from pytest_clip.data.scenes.vocabulary import CLASSES, HELD_OUT


def test_scenes_have_words_of_their_own_and_other_data_none() -> None:
    found = wordlist.find(None, data="scenes", classes=CLASSES)
    assert found is not None
    assert not {*found.nouns, *found.adjectives} & {*CLASSES, *HELD_OUT}
    assert len({*found.nouns, *found.adjectives}) == len(found.nouns) + len(found.adjectives) > 40
    known = " ".join(lexicon())
    assert all(word in known for words in vocabulary() for word in words)  # a model of captions has met each
    assert wordlist.find(None, data="imagenet", classes=["dog"]) is None


def test_a_file_has_nouns_then_adjectives(tmp_path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("# mine\ncastle\n\n  ice   cream\nDog\ncastle\n[Adjectives]\nglossy\n[nouns]\nsword\n")
    found = wordlist.find(path, data="own", classes=["dog"])
    assert found == wordlist.WordList(("castle", "ice cream", "sword"), ("glossy",), "words.txt")
    assert found.prompts == (["the nice castle", "the nice ice cream", "the nice sword"], ["This is a glossy photo"])
    assert found.hash != wordlist.WordList(("castle", "ice cream"), ("sword", "glossy"), "words.txt").hash


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"dog\n# cat\n", "words.txt holds no word but known classes; name a list of other words .one word or phrase a line"),
        (b"cat\n[verbs]\nrun\n", r"words\.txt:2: \[verbs\] is no heading; there are \[nouns\] and \[adjectives\]"),
        (b"\xff\xfe\x00", "cannot be read as UTF-8 text"),
    ],
)
def test_wrong_files_are_refused(tmp_path, content: bytes, says: str) -> None:
    (tmp_path / "words.txt").write_bytes(content)
    with pytest.raises(ClipError, match=says):
        wordlist.find(tmp_path / "words.txt", data="own", classes=["dog"])


def synset(file: str, *lemmas: str) -> SimpleNamespace:
    return SimpleNamespace(lexname=lambda: file, lexfile=lambda: file, lemma_names=lambda: list(lemmas), lemmas=lambda: list(lemmas))


NET = {"n": [synset("noun.artifact", "fire_engine", "sword"), synset("noun.animal", "dog")], "a": [synset("adj.all", "red")]}


def test_wordnet_of_nltk(monkeypatch) -> None:
    corpus = ModuleType("nltk.corpus")
    corpus.wordnet = SimpleNamespace(ensure_loaded=lambda: None, all_synsets=lambda kind: NET[kind])
    monkeypatch.setitem(sys.modules, "nltk", ModuleType("nltk"))
    monkeypatch.setitem(sys.modules, "nltk.corpus", corpus)
    assert wordlist.find("wordnet", data="own", classes=["Sword"]) == wordlist.WordList(("fire engine",), ("red",), "wordnet")


def test_wordnet_of_wn_and_none(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "nltk", None)
    net = ModuleType("wn")
    net.lexicons = lambda lang: [SimpleNamespace(id="oewn", version="2024")]
    net.Wordnet = lambda name: SimpleNamespace(synsets=lambda pos: NET.get(pos, [synset("adj.all", "crimson")]))
    monkeypatch.setitem(sys.modules, "wn", net)
    assert wordlist.wordnet() == (["fire engine", "sword"], ["red", "crimson"])
    net.lexicons = lambda lang: []
    with pytest.raises(ClipError, match=r"neither nltk nor wn is installed with WordNet's files; pip install nltk && python -m nltk"):
        wordlist.wordnet()
    monkeypatch.setitem(sys.modules, "wn", None)
    with pytest.raises(ClipError, match="neither nltk nor wn"):
        wordlist.wordnet()
