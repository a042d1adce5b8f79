"""From a follow-up to a question that stands alone, by rules, from the conversation before it.

What they cannot tell stays as it was asked: a wrong guess would answer another question.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.ports import LanguageAnalyser
from rag.query.ellipsis import Asked, completed, is_bare, is_elliptic
from rag.query.mentions import OTHER, Mention, gender_of, kind_of_noun, mentions
from rag.query.references import Edit, Recalled, points_back, resolved
from rag.sentences import sentence_spans
from rag.text.markup import without_markup
from rag.text.wording import fold, words
from rag.types import Analysis, Turn

MAX_TURNS = 8
MAX_TURN_CHARS = 1500
"""Of a conversation the last turns are read, each up to here."""

MAX_QUESTION_CHARS = 2000

_MARKERS = re.compile(r"\s*(?:\[\^?A?\d{1,3}(?:\s*[,;–-]\s*A?\d{1,3})*\]|【[^】]{0,40}】)")
_ABSTAINED = re.compile(r"the articles don[’']t say", re.IGNORECASE)
_SPEAKER = re.compile(r"^[^:“\"]{2,80}:\s*(?=[“\"])")
_LEAD = re.compile(r"^(?:and|but|so|or|ok(?:ay)?|also)\b[\s,]*", re.IGNORECASE)
_WHERE = re.compile(r"^\W*(?:(?:in|on|at) )?where\b", re.IGNORECASE)
_WHO = re.compile(r"^\W*(?:(?:by|to|with|for) )?who(?:m|se)?\b", re.IGNORECASE)
_WHICH = re.compile(r"^\W*(?:what|which) (\w+)", re.IGNORECASE)
_PREPOSITION = re.compile(r"\b(?:in|on|at|since|until|before|after|from|by)\s+$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Past:
    """What was said before: the last question, standing alone, and what the conversation mentions.

    `asked` are the mentions of the last question.
    """

    question: str = ""
    asked: Sequence[Mention] = ()
    recalled: Recalled = field(default_factory=Recalled)


def without_marks(text: str) -> str:
    """A turn as plain text, without markup, addresses and the marks of its citations; not too
    long."""
    lines = _MARKERS.sub("", text[:MAX_TURN_CHARS]).split("\n")
    return "\n".join(filter(None, map(without_markup, lines)))


def depends(question: str, analyser: LanguageAnalyser) -> bool:
    """Whether a question says that it goes on from something: by a pronoun, or by what it leaves
    out."""
    analysis = analyser.analyse([question])[0]
    return is_elliptic(question, analysis) or points_back(question, analysis)


def stand_alone(question: str, history: Sequence[Turn], analyser: LanguageAnalyser) -> str:
    """The question as it would have been asked first; as it is where it needs nothing, or where
    the history does not tell."""
    past = Past()
    for asked, said in _rounds(history[-MAX_TURNS:]):
        alone = _rewritten(without_marks(asked), past, analyser)
        past = _after(past, alone, without_marks(said), analyser)
    return _rewritten(question, past, analyser)


def _rounds(history: Sequence[Turn]) -> Iterator[tuple[str, str]]:
    """Questions with what was answered; a side may be empty."""
    asked = ""
    for turn in history:
        if turn.role == "user":
            if asked:
                yield asked, ""
            asked = turn.content
        else:
            yield asked, turn.content
            asked = ""
    if asked:
        yield asked, ""


def _rewritten(question: str, past: Past, analyser: LanguageAnalyser) -> str:
    if not past.question:
        return question
    analysis = analyser.analyse([question])[0]
    told = question
    if not is_bare(question):
        told = _edited(question, resolved(question, analysis, past.recalled))
    if told != question:
        analysis = analyser.analyse([told])[0]
    before = Asked(past.question, analyser.analyse([past.question])[0], past.asked)
    whole = completed(told, analysis, before, past.recalled)
    if words(whole.casefold()) == words(question.casefold()) or len(whole) > MAX_QUESTION_CHARS:
        return question
    return _sentence(whole)


def _edited(text: str, edits: Sequence[Edit]) -> str:
    for edit in sorted(edits, key=lambda edit: -edit.span.start):
        text = text[: edit.span.start] + edit.text + text[edit.span.end :]
    return text


def _sentence(text: str) -> str:
    text = " ".join(_LEAD.sub("", text).split())
    text = text[:1].upper() + text[1:]
    return text if text[-1:] in "?.!" else f"{text}?"


def _after(past: Past, question: str, answer: str, analyser: LanguageAnalyser) -> Past:
    """What is remembered once a question was answered."""
    if not question and not answer:
        return past
    if _ABSTAINED.search(answer):
        answer = ""
    sentences = [answer[span.start : span.end] for span in sentence_spans(answer)]
    analyses = analyser.analyse([question, *sentences])
    asked = mentions(question, analyses[0])
    told = [
        _gendered(mention, text, mentioned, analysis)
        for text, analysis in zip(sentences, analyses[1:], strict=True)
        for mentioned in [mentions(text, analysis)]
        for mention in mentioned
    ]
    recent = [*asked, *told]
    earlier = [*past.recalled.all] if question else [*past.recalled.recent, *past.recalled.all]
    known = _known(recent, earlier)
    recent_names = {mention.text for mention in recent}
    recalled = Recalled(
        recent=[mention for mention in known if mention.text in recent_names],
        all=known,
        asked_for=_asked_for(question, asked, told),
        statement=_SPEAKER.sub("", sentences[0]) if sentences else "",
        day=next(_days(sentences, analyses[1:]), ""),
        places=_places(question, asked, told),
    )
    return Past(question or past.question, asked or past.asked, recalled)


def _known(recent: Sequence[Mention], earlier: Sequence[Mention]) -> list[Mention]:
    """All mentions, the recent ones first, with the titles that a name had at any time."""
    known: list[Mention] = []
    found = [*recent, *earlier]
    for mention in found:
        if mention.named:
            same = [m for m in found if m.named and fold(m.text) == fold(mention.text)]
            heads = frozenset().union(*(m.heads for m in same))
            gender = next((m.gender for m in same if m.gender), None)
            mention = replace(mention, heads=heads, gender=gender)
        known.append(mention)
    return list(dict.fromkeys(known))


def _gendered(
    mention: Mention, text: str, beside: Sequence[Mention], analysis: Analysis
) -> Mention:
    """A lone person with the gender of the pronouns in the same sentence."""
    people = [m for m in beside if m.kind == "person" and m.named]
    if mention.gender or people != [mention] or gender_of(mention.heads):
        return mention
    after = {fold(t.text) for t in analysis.tokens if t.start > mention.end and t.pos == "PRON"}
    if after & {"he", "his", "him"} and not after & {"she", "her"}:
        return replace(mention, gender="he")
    if after & {"she", "her"} and not after & {"he", "his", "him"}:
        return replace(mention, gender="she")
    return mention


def _asked_for(
    question: str, asked: Sequence[Mention], told: Sequence[Mention]
) -> Sequence[Mention]:
    """The first of the answer's mentions that is what the question asked for: "who …" a person."""
    known = {fold(m.text) for m in asked}
    new = [m for m in told if m.named and fold(m.text) not in known]
    if _WHO.search(question):
        people = [m for m in new if m.kind == "person"]
        people += [replace(m, kind="person") for m in new if m.kind == "organisation"]
        return people[:1]
    which = _WHICH.match(question)
    noun = fold(which[1]) if which else ""
    return [m for m in new if noun in m.heads or _is_kind(noun, m)][:1] if noun else ()


def _places(question: str, asked: Sequence[Mention], told: Sequence[Mention]) -> Sequence[Mention]:
    """Where it is, if the question asked that."""
    known = {fold(m.text) for m in asked}
    new = [m for m in told if m.named and fold(m.text) not in known and m.role == OTHER]
    found = [*(m for m in new if m.kind == "place"), *(m for m in new if m.kind == "thing")]
    return found[:1] if _WHERE.search(question) else ()


def _is_kind(noun: str, mention: Mention) -> bool:
    kind = kind_of_noun(noun)
    return kind != "thing" and mention.kind == kind


def _days(sentences: Sequence[str], analyses: Sequence[Analysis]) -> Iterator[str]:
    """The times that are told, each with its preposition: "on Monday"."""
    for text, analysis in zip(sentences, analyses, strict=True):
        for entity in analysis.entities:
            before = _PREPOSITION.search(text[: entity.start])
            if entity.label == "DATE" and before:
                yield before.group().lower() + entity.text
