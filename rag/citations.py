"""Verifying that what is to be shown stands in the articles: the only place that makes Citations.

A claim is *exact* when, but for a speaker's name before it and quotation marks around it, it is
a verbatim sentence or two of an article; *supported* when one or two neighbouring sentences carry
its quotations, numbers, names, polarity and most of its content words; otherwise unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rag.names import same_person
from rag.ports import LanguageAnalyser
from rag.reading import Reading, read_evidence
from rag.speech import Speech, read_speech
from rag.support import Statement, coverage, objection, read_statement
from rag.types import Article, Citation, Claim, Evidence, Quote, Span, Verdict

QUOTE_SENTENCES = 2
"""A quote is at most this many sentences of the article."""

CONTEXT_CHARS = 60
"""Length of a citation's `prefix` and `suffix`."""

_LABEL = re.compile(r"^(?P<speaker>[^“”\"„«:]{2,100}):\s+(?P<rest>.+)$", re.DOTALL)
_QUOTED = re.compile(r"^[“\"„«](?P<inner>.+)[”\"“»]$", re.DOTALL)
_MARKS = "“”„‟«»\"'‘’"


class Verifier:
    """Checks claims against the passages that were found for one question."""

    def __init__(self, evidence: Evidence, analyser: LanguageAnalyser) -> None:
        self._analyser = analyser
        self.readings = tuple(read_evidence(evidence, analyser))

    def verify(self, claim: Claim) -> Verdict:
        """Find what backs a claim: in the passages it cites first, else in any other found."""
        cited = [r for r in self.readings if r.passage.chunk_id in claim.chunk_ids]
        others = [r for r in self.readings if r.passage.chunk_id not in claim.chunk_ids]
        reason = "no passage was found"
        for group in (cited, others):
            verdict = self._exact(claim, group) or self._supported(claim, group)
            if verdict and verdict.support:
                return verdict
            if verdict and (group is cited or not cited):
                reason = verdict.reason
        return Verdict(None, (), reason)

    def _exact(self, claim: Claim, readings: Sequence[Reading]) -> Verdict | None:
        """The claim as a verbatim quote, its label the quote's speaker; None where it is none."""
        speaker, core = split_label(claim.text)
        pattern = _verbatim_pattern(core)
        for reading in readings:
            passage, text = reading.passage, reading.article.text
            found = pattern.search(text, passage.start, passage.end)
            if not found or (claim.source and claim.source[0] != reading.article.id):
                continue
            span = Span(found.start(), found.end())
            touched = reading.touched(span)
            if (
                not touched
                or len(touched) > QUOTE_SENTENCES
                or not _is_whole(reading, span, touched)
            ):
                continue
            said_by = reading.speeches[touched[0]]
            if _misattributed(speaker, said_by, span):
                return Verdict(None, (), f"the article gives these words to {said_by.speaker}")
            return Verdict("exact", (Quote(passage, span),), "verbatim")
        return None

    def _supported(self, claim: Claim, readings: Sequence[Reading]) -> Verdict | None:
        """The best window of one or two sentences that nothing speaks against."""
        analysis = self._analyser.analyse([claim.text])[0]
        statement = read_statement(claim.text, analysis)
        whole = Span(0, len(claim.text))
        speaker = read_speech(claim.text, [whole], [analysis])[0].speaker
        best: tuple[float, Quote] | None = None
        closest: tuple[float, str] | None = None
        for reading, first, last in _windows(readings):
            share, reason = self._weigh(statement, speaker, reading, first, last)
            if reason is None and (best is None or share > best[0]):
                span = Span(reading.sentences[first].start, reading.sentences[last].end)
                best = (share, Quote(reading.passage, span))
            elif reason and (closest is None or share > closest[0]):
                closest = (share, reason)
        if best:
            return Verdict("supported", (best[1],), "carried by the source")
        return Verdict(None, (), closest[1]) if closest else None

    def _weigh(
        self, claim: Statement, speaker: str | None, reading: Reading, first: int, last: int
    ) -> tuple[float, str | None]:
        """How much of the claim a window carries, and what speaks against it."""
        text = reading.text(first, last)
        source = read_statement(text)
        context = _context(reading, first)
        share = coverage(claim, source, context) - 0.01 * (last - first)
        if share < 0.3:
            return share, "the source is about something else"
        said_by = next((s for s in reading.speeches[first : last + 1] if s.speaker), None)
        if (
            speaker
            and said_by
            and said_by.speaker
            and not _same_speaker(speaker, said_by.speaker, text)
        ):
            return share, f"the source gives this to {said_by.speaker}, not to {speaker}"
        if speaker and not said_by and claim.quotations:
            return share, f"the source does not say that {speaker} said it"
        return share, objection(claim, source, context)


def split_label(text: str) -> tuple[str | None, str]:
    """'S Jaishankar: “We resolved …”' → ('S Jaishankar', 'We resolved …'); no label → None."""
    labelled = _LABEL.match(text.strip())
    speaker, rest = (labelled["speaker"], labelled["rest"]) if labelled else (None, text.strip())
    quoted = _QUOTED.match(rest)
    if labelled and not quoted and len(labelled["speaker"].split()) > 8:
        return None, text.strip()
    return speaker, quoted["inner"].strip() if quoted else rest


def make_citation(number: int, quote: Quote, article: Article) -> Citation:
    """The numbered citation of a verified quote."""
    text, span = article.text, quote.span
    return Citation(
        number=number,
        article_id=article.id,
        chunk_id=quote.passage.chunk_id,
        title=article.title,
        outlet=article.outlet,
        author=article.author,
        published_at=article.published_at,
        url=article.url,
        quote=text[span.start : span.end],
        start=span.start,
        end=span.end,
        prefix=text[max(0, span.start - CONTEXT_CHARS) : span.start],
        suffix=text[span.end : span.end + CONTEXT_CHARS],
    )


def _verbatim_pattern(core: str) -> re.Pattern[str]:
    """Matches the words of `core` where only white space and quotation-mark style may differ."""
    pieces = []
    for piece in core.split():
        pieces.append(
            "".join(f"[{re.escape(_MARKS)}]" if c in _MARKS else re.escape(c) for c in piece)
        )
    return re.compile(r"\s+".join(pieces) or r"(?!)")


def _is_whole(reading: Reading, span: Span, touched: Sequence[int]) -> bool:
    """Whether a span is whole sentences or the whole quoted part of them, but for marks."""
    text = reading.article.text
    first, last = reading.sentences[touched[0]], reading.sentences[touched[-1]]
    starts, ends = {first.start}, {last.end}
    for i in touched:
        quoted = reading.speeches[i].quoted
        if quoted:
            starts.add(quoted.start)
            ends.add(quoted.end)
    edge = " \n\t,.;" + _MARKS
    opens = any(not text[min(s, span.start) : max(s, span.start)].strip(edge) for s in starts)
    closes = any(not text[min(e, span.end) : max(e, span.end)].strip(edge) for e in ends)
    return opens and closes


def _misattributed(speaker: str | None, said_by: Speech, span: Span) -> bool:
    """Whether a quote's label is wrong, or is missing where the words are somebody's own."""
    inside = (
        said_by.quoted and said_by.quoted.start <= span.start and span.end <= said_by.quoted.end
    )
    if speaker is None:
        return bool(inside and said_by.speaker)
    return said_by.speaker is None or not same_person(speaker, said_by.speaker)


def _same_speaker(claimed: str, actual: str, source: str) -> bool:
    """Whether the claimed speaker is the actual one, by name or as the country they speak for."""
    if same_person(claimed, actual) or claimed in actual or actual in claimed:
        return True
    return claimed in source


def _windows(readings: Sequence[Reading]) -> Iterator[tuple[Reading, int, int]]:
    """Each sentence of each passage, and each pair of neighbours."""
    for reading in readings:
        for i in reading.inside:
            yield reading, i, i
            if i + 1 in reading.inside:
                yield reading, i, i + 1


def _context(reading: Reading, first: int) -> str:
    """What a reader knows besides the window: header, speaker, and the two sentences before."""
    article = reading.article
    before = [reading.text(i, i) for i in range(max(0, first - 2), first)]
    speaker = reading.speeches[first].speaker
    header = (article.title, article.outlet, article.published_at, speaker)
    return "\n".join([part for part in header if part] + before)
