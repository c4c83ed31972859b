"""Words against the known classes: files, a stand-in for each WordNet library, and the vocabulary of scenes."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
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


@pytest.mark.parametrize("error", [OSError, KeyError, IndexError, ValueError])
def test_half_a_download_is_told(monkeypatch, error) -> None:
    def torn(kind):
        raise error("data.noun")

    corpus = ModuleType("nltk.corpus")
    corpus.wordnet = SimpleNamespace(ensure_loaded=lambda: None, all_synsets=torn)
    monkeypatch.setitem(sys.modules, "nltk", ModuleType("nltk"))
    monkeypatch.setitem(sys.modules, "nltk.corpus", corpus)
    with pytest.raises(
        ClipError, match=rf"nltk cannot read its WordNet \({error.__name__}: .?data.noun.?\); get it again \(python -m nltk.downloader"
    ):
        wordlist.wordnet()


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


TOLD = "import json; from pytest_clip.data import wordlist; print(json.dumps(wordlist.wordnet()))"
FOUND = [["entity", "fire engine", "fire truck", "sword"], ["red", "crimson", "galore"]]
"""What both libraries read from files of the published forms: animals and food left out, satellites and their markers understood."""
NOUNS = (
    ("noun.Tops", "entity"),
    ("noun.animal", "dog"),
    ("noun.artifact", "fire_engine", "fire_truck"),
    ("noun.food", "bread"),
    ("noun.artifact", "sword"),
)
ADJECTIVES = (("adj.all", "red"), ("adj.all", "crimson"), ("adj.all", "galore(ip)"))
LEXNAMES = ("adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.food")


def dict_folder(where: Path) -> None:
    """WordNet's own files (wndb(5WN)): a line a synset, named by where in the file it begins; and the indexes that go with them."""
    where.mkdir(parents=True)
    kinds = {"noun": "1", "verb": "2", "adj": "3", "adv": "4"}
    names = [f"{k:02d}\t{name}\t{kinds[name.partition('.')[0]]}\n" for k, name in enumerate(LEXNAMES)]
    (where / "lexnames").write_text("".join(names))
    senses: list[str] = []
    head = "  1 This software and database is being provided to you  \n  2 WordNet 3.0 Copyright 2006 by Princeton University.  \n"
    for part, rows in {"noun": NOUNS, "adj": ADJECTIVES, "verb": (), "adv": ()}.items():
        data, index = head, [head]
        for k, (file, *words) in enumerate(rows):
            offset, kind, many = len(data), "n" if part == "noun" else "a" if not k else "s", f"{len(words):02x}"
            spelled, head_of = " ".join(f"{word} 0" for word in words), f"001 & {len(head):08d} a 0000" if kind == "s" else "000"
            data += f"{offset:08d} {LEXNAMES.index(file):02d} {kind} {many} {spelled} {head_of} | a gloss  \n"
            index += [f"{word.partition('(')[0]} {kind.replace('s', 'a')} 1 0 1 0 {offset:08d}  \n" for word in words]
            if part == "noun":
                senses += [f"{word}%1:{LEXNAMES.index(file):02d}:00:: {offset:08d} 1 0\n" for word in words]
        (where / f"data.{part}").write_text(data)
        (where / f"index.{part}").write_text("".join(index))
        (where / f"{part}.exc").write_text("")
    (where / "index.sense").write_text("".join(sorted(senses)))


@pytest.mark.skipif(find_spec("nltk") is None, reason="nltk is not installed")
def test_the_real_nltk_reads_wordnets_own_files(tmp_path: Path) -> None:
    dict_folder(tmp_path / "corpora" / "wordnet")
    env = {**os.environ, "NLTK_DATA": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", TOLD], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == FOUND
    (tmp_path / "corpora" / "wordnet" / "data.adj").write_text("00000000 half of")
    done = subprocess.run([sys.executable, "-c", TOLD], env=env, capture_output=True, text=True, check=False)
    assert "ClipError: clip_neglabel_words = wordnet: nltk cannot read its WordNet (" in done.stderr


def lmf(path: Path) -> None:
    """The form of the Global WordNet Association, which `wn` reads."""
    entries, synsets, k = [], [], 0
    for kind, rows in (("n", NOUNS), ("a", ADJECTIVES)):
        for number, (file, *words) in enumerate(rows):
            pos = "s" if kind == "a" and number else kind
            synsets.append(f'<Synset id="t-{k}-{pos}" ili="" partOfSpeech="{pos}" lexfile="{file}"/>')
            for word in words:
                form = word.partition("(")[0].replace("_", " ")
                entry = f'<Lemma writtenForm="{form}" partOfSpeech="{pos}"/><Sense id="t-s-{k}-{len(entries)}" synset="t-{k}-{pos}"/>'
                entries.append(f'<LexicalEntry id="t-e-{len(entries)}">{entry}</LexicalEntry>')
            k += 1
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE LexicalResource SYSTEM "http://globalwordnet.github.io/schemas/WN-LMF-1.1.dtd">\n'
    dc = 'xmlns:dc="https://globalwordnet.github.io/schemas/dc/"'
    lexicon = 'id="t" label="tiny" language="en" email="a@example.org" license="https://example.org" version="1"'
    path.write_text(f"{head}<LexicalResource {dc}><Lexicon {lexicon}>{''.join([*entries, *synsets])}</Lexicon></LexicalResource>")


@pytest.mark.skipif(find_spec("wn") is None, reason="wn is not installed")
def test_the_real_wn_reads_a_lexicon(tmp_path: Path) -> None:
    lmf(tmp_path / "tiny.xml")
    code = f"import sys, wn; sys.modules['nltk'] = None; wn.config.data_directory = {str(tmp_path / 'wn')!r}; "
    code += f"wn.add({str(tmp_path / 'tiny.xml')!r}, progress_handler=None); {TOLD}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == FOUND
