"""Both sides in the answer: finding what another article says otherwise, and putting it beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from rag.citations import Verifier
from rag.composing import Composer
from rag.excerpts import claim_of, is_unattributed
from rag.text.statements import Source
from rag.text.wording import content_stems, numbers
from rag.types import Claim, Conflict, Quote, Sentence, SentenceReady, Span, Verdict
from rag.verification.conflicts import Difference, difference, is_near
from rag.verification.reading import Reading

MAX_SENTENCES = 4
"""An answer that has other sides beside the articles' own sentences has at most so many."""

MAX_APPENDED = 2
"""Other sides that an LLM left out, put after its answer."""


@dataclass(frozen=True, slots=True)
class Counterpart:
    """A sentence of another article that contradicts one that is shown."""

    reading: Reading
    span: Span
    difference: Difference
    later: bool  # than what is shown


class Sides:
    """Adds to an answer's sentences what other articles say otherwise of the same."""

    def __init__(self, verifier: Verifier, composer: Composer, latest: bool) -> None:
        self._verifier = verifier
        self._composer = composer
        self._latest = latest
        self.conflicts: list[Conflict] = []

    def add(self, claim: Claim, verdict: Verdict) -> list[SentenceReady]:
        """The claim as a sentence, and its other side as one of its own: first the older where
        things have changed, the newer where the question asks for now."""
        composer = self._composer
        if self.conflicts and len(composer.sentences) >= MAX_SENTENCES:
            return []
        counterpart, other = self._other_side(claim, verdict)
        if counterpart is None or other is None:
            ready = composer.add(claim, verdict)
            return [ready] if ready else []
        changed = counterpart.difference.kind == "changed"
        first = changed and counterpart.later == self._latest
        told = [other, (claim, verdict)] if first else [(claim, verdict), other]
        shown = [composer.add(*side) for side in told]
        self._note(counterpart, composer.said(claim), composer.said(other[0]))
        return [ready for ready in shown if ready]

    def complete(self) -> list[SentenceReady]:
        """What the answer leaves out of the other sides, after its sentences; for the sides that
        it has already, only the conflict is noted."""
        appended: list[SentenceReady] = []
        for sentence in tuple(self._composer.sentences):
            for quote in self._quotes(sentence):
                found = next(self._counterparts([quote], sentence.text), None)
                if found is None:
                    continue
                other = next((s for s in self._composer.sentences if self._holds(s, found)), None)
                if other is None and len(appended) < MAX_APPENDED:
                    claim = claim_of(found.reading, found.reading.touched(found.span)[0])
                    verdict = self._verifier.verify(claim)
                    ready = self._composer.add(claim, verdict) if verdict.support else None
                    if ready:
                        appended.append(ready)
                    other = self._composer.said(claim)
                self._note(found, sentence, other)
        return appended

    def _other_side(
        self, claim: Claim, verdict: Verdict
    ) -> tuple[Counterpart | None, tuple[Claim, Verdict] | None]:
        """The best counterpart that is supported and that the answer has room for."""
        for found in self._counterparts(verdict.quotes, claim.text):
            other = claim_of(found.reading, found.reading.touched(found.span)[0])
            backed = self._verifier.verify(other)
            new = [c for c in (claim, other) if not self._composer.said(c)]
            room = self._composer.has_room(*(c.text for c in new))
            fits = room and len(self._composer.sentences) + len(new) <= MAX_SENTENCES
            if backed.support and fits:
                return found, (other, backed)
        return None, None

    def _counterparts(self, quotes: Sequence[Quote], text: str) -> Iterator[Counterpart]:
        """Sentences of other articles that contradict what is said of these quotes, the newest
        first, and those that share most."""
        quoted = self._verifier.sentences(
            lambda reading, span: any(_touches(quote, reading, span) for quote in quotes)
        )
        found = [
            Counterpart(reading, span, made, (source.published or "") > (shown.published or ""))
            for origin, _, shown in quoted
            for reading, span, source in self._verifier.sentences(
                partial(_may_differ, origin, shown)
            )
            if (made := difference(shown, source))
            and _is_said(made.said, text)
            and not is_unattributed(reading, reading.touched(span)[0])
        ]
        by_share = sorted(found, key=lambda c: -c.difference.share)
        return iter(
            sorted(by_share, key=lambda c: c.reading.article.published_at or "", reverse=True)
        )

    def _quotes(self, sentence: Sentence) -> Iterator[Quote]:
        for citation in self._composer.citations:
            if citation.number in sentence.citations:
                passage = next(
                    r.passage
                    for r in self._verifier.readings
                    if r.passage.chunk_id == citation.chunk_id
                )
                yield Quote(passage, Span(citation.start, citation.end))

    def _holds(self, sentence: Sentence, found: Counterpart) -> bool:
        """Whether a sentence of the answer rests on the other side."""
        return any(
            quote.passage.article_id == found.reading.article.id
            and quote.span.start < found.span.end
            and found.span.start < quote.span.end
            for quote in self._quotes(sentence)
        )

    def _note(self, found: Counterpart, one: Sentence | None, other: Sentence | None) -> None:
        """Note a conflict once, of what has changed the older side first."""
        if one is None or other is None or set(one.citations) & set(other.citations):
            return
        sides = (one.citations, other.citations)
        changed = found.difference.kind == "changed"
        if not found.later if changed else other.citations < one.citations:
            sides = sides[::-1]
        known = {frozenset(conflict.sides) for conflict in self.conflicts}
        if frozenset(sides) not in known:
            self.conflicts.append(Conflict(found.difference.kind, sides))


def _touches(quote: Quote, reading: Reading, span: Span) -> bool:
    same = quote.passage.article_id == reading.article.id
    return same and quote.span.start < span.end and span.start < quote.span.end


def _may_differ(origin: Reading, shown: Source, reading: Reading, span: Span) -> bool:
    text = reading.article.text[span.start : span.end]
    return _is_apart(origin, reading) and is_near(shown, text)


def _is_apart(one: Reading, other: Reading) -> bool:
    """Whether two articles are neither the same nor copies of each other."""
    copies = {c.article_id for c in (*one.passage.copies, *other.passage.copies)}
    ids = {one.article.id, other.article.id}
    return len(ids) == 2 and not ids & copies


def _is_said(words: str, text: str) -> bool:
    """Whether a text says these words, numbers by their value."""
    if found := numbers(words):
        return bool(found & numbers(text))
    return set(content_stems(words)) <= set(content_stems(text))
