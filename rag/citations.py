"""Verifying that what is to be shown stands in the articles: the only place that makes Citations.

A claim is *exact* when, but for a speaker's name before it and quotation marks around it, it is
a verbatim sentence or two of an article; *supported* when one or two neighbouring sentences carry
its quotations, numbers, names, polarity and most of its content words; otherwise unsupported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import product

from rag.errors import EntailmentError
from rag.ports import Entailment, LanguageAnalyser
from rag.text.grammar import AGENT, GRAMMATICAL_SUBJECTS
from rag.text.markup import has_markup
from rag.text.names import same_person
from rag.text.statements import Source, Statement, read_statement
from rag.text.wording import (
    FUNCTION_WORDS,
    fold,
    is_hedged,
    is_negated,
    normalise_quotes,
    quotations,
    words,
)
from rag.types import Article, Citation, Claim, Evidence, Quote, Span, Verdict
from rag.verification.orders import is_order
from rag.verification.reading import Reading, read_evidence
from rag.verification.sources import Sources
from rag.verification.speech import is_speech, read_speech
from rag.verification.support import coverage, objection

QUOTE_SENTENCES = 2
"""A quote is at most this many sentences of the article."""

CONTEXT_CHARS = 60
"""Length of a citation's `prefix` and `suffix`."""

LABEL_WORDS = 8
"""A speaker's name before a quote has at most so many words."""

MAX_CLAIM_CHARS = 2_000
"""What is longer is no sentence."""

MAX_CLAIM_WORDS = 120
"""What is longer and not verbatim is withheld."""

MIN_SHARE = 0.3
"""A source with less of a claim's words is about something else."""

MIN_ENTAILMENT = 0.5
"""What an entailment model gives less than is withheld: less likely than not. Not tuned."""

_LABEL = re.compile(r"^(?P<speaker>[^“”\"„«:]{2,100}):\s+(?P<rest>.+)$", re.DOTALL)
_QUOTED = re.compile(r"^[“\"„«](?P<inner>[^“”\"„«»]+)[”\"“»]$", re.DOTALL)
# Between initials: "J. K." for what articles write "J.K."
_APART = re.compile(r"(?<=\b[A-Z]\.)\s(?=[A-Z]\.)")
_MARKS = "“”„‟«»\"'‘’"
_EDGE = " \n\t\u00a0,.;" + _MARKS
_BROKEN_OFF = frozenset(
    "a an and at by for from her his in its of on or our that the their to with your".split()
)
_ENDS = re.compile(r"[.!?…。！？][\"”»’')]*$")
_CONDITION = re.compile(r"\b(?:if|whether|unless)\b", re.IGNORECASE)
_OF_NAMES = frozenset(
    "a an and at by for from her his in its of on other our own the their to us".split()
)


class Verifier:
    """Checks claims against the passages that were found for one question.

    An entailment model, if there is one, has to agree to whatever is not verbatim.
    """

    def __init__(
        self,
        evidence: Evidence,
        analyser: LanguageAnalyser,
        entailment: Entailment | None = None,
    ) -> None:
        self._analyser = analyser
        self._entailment = entailment
        self._texts = {article.id: article.text for article in evidence.articles.values()}
        self.readings = tuple(read_evidence(evidence, analyser))
        self._sources = Sources()
        self._claims: dict[str, Mapping[bool, Statement]] = {}

    def sentences(
        self, fits: Callable[[Reading, Span], bool]
    ) -> Iterator[tuple[Reading, Span, Source]]:
        """The sentences of the passages at places that fit, as sources of claims."""
        return self._sources.sentences(self.readings, fits)

    def verify(self, claim: Claim) -> Verdict:
        """Find what backs a claim: in the passages it cites first, else in any other found."""
        if unfit := _unfit(claim.text):
            return Verdict(None, (), unfit)
        known = [r for r in self.readings if not claim.source or claim.source[0] == r.article.id]
        cited = [r for r in known if r.passage.chunk_id in claim.chunk_ids]
        others = [r for r in known if r.passage.chunk_id not in claim.chunk_ids]
        reason = "no passage was found"
        for group in (cited, others):
            if not group:
                continue
            verdict = self._exact(claim, group)
            if verdict is None or verdict.support is None:
                verdict = self._supported(claim, group) if verdict is None else verdict
            if verdict.support:
                return verdict
            if group is cited or not cited:
                reason = verdict.reason
        return Verdict(None, (), reason)

    def attributed(self, claim: Claim) -> Claim:
        """The claim under its speaker's name, where it is somebody's words without one."""
        speaker, core = split_label(claim.text)
        for reading in self.readings if speaker is None else ():
            for span in _verbatim(core, reading):
                named = {reading.speeches[i].speaker for i in reading.touched(span)}
                name = named.pop() if len(named) == 1 else None
                if name and _attribution_fault(None, reading, span, claim.text):
                    return replace(claim, text=f"{name}: “{core}”")
        return claim

    def settle(self, claim: Claim) -> Claim:
        """The claim with the comma or full stop that ends a quotation put outside its marks, where
        the passages have the words without it: “It is late.” → “It is late”."""
        text = claim.text
        for span in reversed(quotations(text)):
            quote = normalise_quotes(text[span.start : span.end])
            last = quote[-1:]
            if last not in (".", ",") or any(quote in known for known in self._plain):
                continue
            if any(quote[:-1] in known for known in self._plain):
                inner, after = text[span.start : span.end].rstrip()[:-1], text[span.end + 1 :]
                stop = "" if after[:1] in (".", ",") else last
                text = f"{text[: span.start]}{inner}{text[span.end : span.end + 1]}{stop}{after}"
        return replace(claim, text=text)

    @cached_property
    def _plain(self) -> list[str]:
        return [normalise_quotes(reading.passage.text) for reading in self.readings]

    def _exact(self, claim: Claim, readings: Sequence[Reading]) -> Verdict | None:
        """The claim as a verbatim quote, its label the quote's speaker; None where it is none, and
        without support where it is nothing but somebody else's words."""
        refused = None
        parts = dict.fromkeys([(None, claim.text.strip()), split_label(claim.text)])
        for (speaker, core), reading in product(parts, readings):
            for span in _verbatim(core, reading):
                fault = _attribution_fault(speaker, reading, span, claim.text)
                if fault is None:
                    return Verdict("exact", (Quote(reading.passage, span),), "verbatim")
                refused = refused or fault
        return Verdict(None, (), refused) if refused else None

    def _supported(self, claim: Claim, readings: Sequence[Reading]) -> Verdict:
        """The best window of one or two sentences that nothing speaks against."""
        statements = self._claims.get(claim.text) or self._read(claim.text)
        self._claims[claim.text] = statements
        if unfit := self._no_statement(claim.text, statements[True], readings):
            return Verdict(None, (), unfit)
        best: tuple[float, Quote] | None = None
        closest = (-1.0, "no passage was found")
        for reading, span, source in self._sources.windows(readings):
            statement = statements[reading.is_english]
            whole = coverage(statement, source)
            share = whole - 0.01 * len(source.sentences)
            if share < MIN_SHARE:
                reason: str | None = "the source is about something else"
            elif whole < 1 and not _ENDS.search(claim.text):
                reason = "it breaks off, or is no sentence"
            elif best and share <= best[0]:
                continue
            else:
                reason = objection(statement, source)
            if reason is None:
                best = (share, Quote(reading.passage, span))
            elif share - (len(source.sentences) > 1) > closest[0]:
                closest = (share - (len(source.sentences) > 1), reason)
        if best:
            return self._agreed(claim, best[1])
        return Verdict(None, (), closest[1])

    def _no_statement(
        self, text: str, statement: Statement, readings: Sequence[Reading]
    ) -> str | None:
        """Why a text that is not verbatim states nothing that could be supported."""
        if text[:1].islower() and not any(AGENT in p.roles for p in statement.predicates):
            return "it is a piece of a sentence"
        if len(words(text)) > MAX_CLAIM_WORDS:
            return "it is too long to be checked"
        english = any(reading.is_english for reading in readings)
        if english and is_order(text, self._analyser.analyse([text])[0]):
            return "it tells to do something, and states nothing"
        return None

    def _agreed(self, claim: Claim, quote: Quote) -> Verdict:
        """Supported by the quote, unless the entailment model disagrees or fails."""
        if self._entailment:
            text = self._texts[quote.passage.article_id][quote.span.start : quote.span.end]
            try:
                likely = self._entailment.probability(text, claim.text)
            except EntailmentError as error:
                return Verdict(None, (), str(error))
            if likely < MIN_ENTAILMENT:
                return Verdict(None, (), f"the source entails it with {likely:.0%} only")
        return Verdict("supported", (quote,), "carried by the source")

    def _read(self, text: str) -> Mapping[bool, Statement]:
        """The claim with its grammar (True), and without it for articles in other languages."""
        speaker, rest = _labelled(_APART.sub("", text))
        analysis = self._analyser.analyse([rest])[0]
        reported = speaker is not None or "according to" in rest.lower()
        speech = read_speech(rest, [Span(0, len(rest))], [analysis])[0]
        statement = read_statement(rest, analysis, speaker or speech.speaker, quotations(rest))
        plain = read_statement(rest, None, speaker)
        return {True: replace(statement, reported=reported), False: plain}


def split_label(text: str) -> tuple[str | None, str]:
    """'S Jaishankar: “We resolved …”' → ('S Jaishankar', 'We resolved …'); no label → None."""
    speaker, rest = _labelled(text)
    quoted = _QUOTED.match(rest)
    return speaker, quoted["inner"].strip() if quoted else rest


def _labelled(text: str) -> tuple[str | None, str]:
    """The label, if it is no clause of its own ("Putin told reporters: …"), and what follows."""
    labelled = _LABEL.match(text.strip())
    name = words(labelled["speaker"]) if labelled else []
    if labelled and len(name) <= LABEL_WORDS and not any(map(_is_of_a_clause, name)):
        return labelled["speaker"], labelled["rest"]
    return None, text.strip()


def _is_of_a_clause(word: str) -> bool:
    """Whether a word is hardly ever part of a speaker's name or title."""
    return is_speech(word) or (fold(word) in FUNCTION_WORDS and fold(word) not in _OF_NAMES)


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


def _unfit(text: str) -> str | None:
    """Why a text cannot be a sentence of an answer, whatever the articles say."""
    if len(text) > MAX_CLAIM_CHARS:
        return "it is too long for a sentence"
    if has_markup(text):
        return "it has a link, markup, a marker or control characters"
    said = words(split_label(text)[1])
    if not said:
        return "it says nothing"
    if text[-1:].isalpha() and said[-1] in _BROKEN_OFF:
        return "it breaks off"
    return None


def _verbatim(core: str, reading: Reading) -> Iterator[Span]:
    """Where a passage has these words as whole sentences, or as all that somebody says in them;
    only white space and the style of quotation marks may differ."""
    pieces = (
        "".join(f"[{re.escape(_MARKS)}]" if c in _MARKS else re.escape(c) for c in piece)
        for piece in core.split()
    )
    pattern = re.compile(r"\s+".join(pieces))
    for found in pattern.finditer(reading.article.text, reading.passage.start, reading.passage.end):
        span = Span(*found.span())
        touched = reading.touched(span)
        if reading.orders.intersection(touched):
            continue
        if 0 < len(touched) <= QUOTE_SENTENCES and _is_whole(reading, span, touched):
            yield span


def _is_whole(reading: Reading, span: Span, touched: Sequence[int]) -> bool:
    """Whether a span begins and ends where its sentences do, or where a quotation does that can
    stand alone, but for marks."""
    text = reading.article.text
    starts = {reading.sentences[touched[0]].start}
    ends = {reading.sentences[touched[-1]].end}
    for i in touched:
        for part in reading.speeches[i].quotes:
            if _stands_alone(reading, i, part):
                starts.add(part.start)
                ends.add(part.end)
    opens = any(not text[min(s, span.start) : max(s, span.start)].strip(_EDGE) for s in starts)
    closes = any(not text[min(e, span.end) : max(e, span.end)].strip(_EDGE) for e in ends)
    return opens and closes


def _stands_alone(reading: Reading, i: int, part: Span) -> bool:
    """Whether a quoted part means the same without its sentence: it has a subject and a verb, and
    what stands around it neither denies nor doubts nor conditions it."""
    text, sentence = reading.article.text, reading.sentences[i]
    outside = f"{text[sentence.start : part.start]} {text[part.end : sentence.end]}"
    if is_negated(outside) or is_hedged(outside) or _CONDITION.search(outside):
        return False
    return any(
        token.dep in GRAMMATICAL_SUBJECTS and part.start <= sentence.start + token.start < part.end
        for token in reading.analyses[i].tokens
    )


def _attribution_fault(speaker: str | None, reading: Reading, span: Span, claim: str) -> str | None:
    """What is wrong with who is said to say a verbatim span: its label, or the lack of one."""
    speeches = [reading.speeches[i] for i in reading.touched(span)]
    speakers = list(dict.fromkeys(speech.speaker for speech in speeches if speech.quotes))
    said_by = speakers[0] if len(speakers) == 1 else None
    quotes = [part for speech in speeches for part in speech.quotes]
    text = reading.article.text
    is_speech = not _without(text, span, quotes).strip(_EDGE)
    if speaker is None:
        if not is_speech or (said_by is None and _QUOTED.match(claim.strip())):
            return None
        return f"these are the words of {said_by or 'somebody'}"
    if not is_speech:
        return f"the article does not give these words to {speaker}"
    known, name = {fold(word) for word in words(text)}, {fold(word) for word in words(speaker)}
    if said_by and same_person(speaker, said_by) and name <= known and len(name) <= LABEL_WORDS:
        return None
    return f"the article gives these words to {said_by or 'nobody that it names'}"


def _without(text: str, span: Span, parts: Sequence[Span]) -> str:
    """A span's text without these parts of it."""
    return "".join(
        text[i]
        for i in range(span.start, span.end)
        if not any(part.start <= i < part.end for part in parts)
    )
