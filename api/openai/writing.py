"""An answer's text as it is sent, sentence by sentence, and its citations."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from api.encoders import Json
from api.layout import quote_address, web_address
from rag.composing import marked
from rag.types import Answer, Citation, Sentence, SentenceReady

MODEL = "dateline"


@dataclass(frozen=True, slots=True)
class Heading:
    """What every document of one answer tells: its id without prefix, and when it was made."""

    key: str
    created: int

    @classmethod
    def of(cls, answer_id: str) -> Heading:
        """That of an answer that is made now."""
        return cls(answer_id.removeprefix("ans_"), int(time.time()))


@dataclass(slots=True)
class Manuscript:
    """What of an answer has been written so far; `public_url` is where its articles are read."""

    public_url: str
    text: str = ""
    sentences: int = 0
    citations: dict[int, Citation] = field(default_factory=dict)

    def add(self, ready: SentenceReady) -> tuple[str, list[Json]]:
        """What a sentence adds to the text, its markers included, and its citations."""
        sentence = ready.sentence
        self.citations |= {citation.number: citation for citation in ready.new_citations}
        gap = " " * (sentence.start - len(self.text))
        added = f"{gap}{marked(sentence.text, sentence.citations)}"
        self.text += added
        self.sentences += 1
        return added, list(_cited([sentence], self.citations, self.public_url))

    def finish(self, answer: Answer) -> tuple[str, list[Json]]:
        """What the whole answer adds to the text, such as an abstention's, and its citations."""
        if not answer.text.startswith(self.text):
            raise RuntimeError("an answer's text differs from what was sent of it")
        added = answer.text[len(self.text) :]
        known = {citation.number: citation for citation in answer.citations}
        return added, list(_cited(answer.sentences[self.sentences :], known, self.public_url))


def cited(answer: Answer, public_url: str) -> list[Json]:
    """All citations of an answer, one for each sentence and source."""
    return Manuscript(public_url).finish(answer)[1]


def _cited(
    sentences: Iterable[Sentence], citations: Mapping[int, Citation], public_url: str
) -> Iterable[Json]:
    for sentence in sentences:
        for number in sentence.citations:
            citation = citations[number]
            yield {
                "url": web_address(citation.url) or public_url + quote_address(citation),
                "title": citation.title or citation.outlet or citation.article_id,
                "start_index": sentence.start,
                "end_index": sentence.end,
                "quote": citation.quote,
                "article_id": citation.article_id,
                "source_start": citation.start,
                "source_end": citation.end,
                "outlet": citation.outlet,
                "published_at": citation.published_at,
            }
