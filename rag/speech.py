"""Who says what in an article: the speaker of each quoted or reported sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import surname
from rag.types import Analysis, Span, Token
from rag.wording import FUNCTION_WORDS, fold, quotations, words

SPEECH_VERBS = frozenset(
    "say tell add note remark declare stress state announce argue warn claim insist explain reply "
    "respond comment write tweet report suggest describe urge acknowledge admit confirm deny "
    "pledge promise underscore underline emphasise emphasize highlight reiterate assert caution "
    "observe maintain recall reveal testify vow contend conclude joke mention quip express convey "
    "raise call believe think hope expect predict estimate ask demand complain condemn criticise "
    "criticize praise hail welcome reaffirm pledge propose advise insist recount".split()
)
_PRONOUNS = frozenset("he she they it who".split())
_MODIFIERS = frozenset("det amod compound nmod poss case nummod flat".split())


@dataclass(frozen=True, slots=True)
class Speech:
    """What a sentence has of speech: its resolved speaker, as the article names them, and the
    part of it that lies in quotation marks (article offsets)."""

    speaker: str | None
    quoted: Span | None


def read_speech(text: str, sentences: Sequence[Span], analyses: Sequence[Analysis]) -> list[Speech]:
    """The speech of each of these consecutive sentences of an article's `text`."""
    quotes = quotations(text)
    subjects = [
        _attribution(analysis, sentence, quotes)
        for sentence, analysis in zip(sentences, analyses, strict=True)
    ]
    reader = _Resolver(text, sentences, analyses)
    speeches: list[Speech] = []
    last: str | None = None
    for i, sentence in enumerate(sentences):
        overlapping = [q for q in quotes if q.start < sentence.end and sentence.start < q.end]
        quoted = _longest_overlap(overlapping, sentence)
        owner = i if subjects[i] else _owner(i, sentences, subjects, overlapping)
        speaker = reader.resolve(owner, subjects[owner] or "", last) if owner is not None else None
        if speaker is None and quoted and _is_whole(quoted, sentence):
            speaker = last  # a quotation that stands alone goes on with the last speaker
        last = speaker or (last if not _ends_paragraph(text, sentences, i) else None)
        speeches.append(Speech(speaker, quoted))
    return speeches


def _owner(
    i: int,
    sentences: Sequence[Span],
    subjects: Sequence[str | None],
    quotes: Sequence[Span],
) -> int | None:
    """The sentence that attributes a quotation which sentence `i` shares, if one does."""
    for quote in quotes:
        for j, other in enumerate(sentences):
            if j != i and subjects[j] and quote.start < other.end and other.start < quote.end:
                return j
    return None


def _longest_overlap(quotes: Sequence[Span], sentence: Span) -> Span | None:
    cut = [Span(max(q.start, sentence.start), min(q.end, sentence.end)) for q in quotes]
    return max(cut, key=lambda span: span.end - span.start, default=None)


def _is_whole(quoted: Span, sentence: Span) -> bool:
    """Whether nothing but quotation marks stands outside the quoted part."""
    return (quoted.start - sentence.start) + (sentence.end - quoted.end) <= 3


def _ends_paragraph(text: str, sentences: Sequence[Span], i: int) -> bool:
    following = sentences[i + 1].start if i + 1 < len(sentences) else len(text)
    return "\n" in text[sentences[i].end : following]


def _attribution(analysis: Analysis, sentence: Span, quotes: Sequence[Span]) -> str | None:
    """The words for the one who speaks in a sentence, outside its quotations."""
    outside = [
        token
        for token in analysis.tokens
        if not any(
            q.start <= sentence.start + token.start and sentence.start + token.end <= q.end
            for q in quotes
        )
    ]
    for token in outside:
        head = analysis.tokens[token.head]
        is_subject = token.dep in {"nsubj", "nsubj:pass"} and head.lemma in SPEECH_VERBS
        if is_subject and head in outside and token.text.lower() not in {"it", "that", "which"}:
            return _phrase(token, analysis)
        if token.lemma == "accord" or token.text.lower() == "according":
            source = _object_of_to(token, analysis)
            if source is not None:
                return _phrase(source, analysis)
    return None


def _object_of_to(according: Token, analysis: Analysis) -> Token | None:
    tokens = analysis.tokens
    index = tokens.index(according)
    for to in tokens[index + 1 : index + 2]:
        for token in tokens:
            if token.dep == "pobj" and tokens[token.head] == to:
                return token
    return None


def _phrase(token: Token, analysis: Analysis) -> str:
    """A noun with what belongs to it on its left, and its entity whole."""
    tokens = analysis.tokens
    index = tokens.index(token)
    start, end = token.start, token.end
    for left in reversed(tokens[:index]):
        if left.dep not in _MODIFIERS and left.pos != "PROPN":
            break
        start = left.start
    for other in tokens[index + 1 :]:  # "India and Russia"
        if other.dep == "conj" and tokens[other.head] == token and other.pos == "PROPN":
            end = other.end
    for entity in analysis.entities:
        if entity.start <= token.start < entity.end and entity.label in {"PERSON", "ORG", "GPE"}:
            start, end = min(start, entity.start), max(end, entity.end)
    joined = "".join(
        t.text + (" " if n.start > t.end else "")
        for t, n in zip(tokens, (*tokens[1:], tokens[-1]), strict=True)
        if start <= t.start and t.end <= end
    )
    return re.sub(r"(?:['’]s)$", "", joined.strip())


class _Resolver:
    """Turns the words of an attribution into the fullest name that the article gives."""

    def __init__(self, text: str, sentences: Sequence[Span], analyses: Sequence[Analysis]) -> None:
        self._text = text
        self._sentences = sentences
        self._analyses = analyses

    def resolve(self, i: int, subject: str, last: str | None) -> str | None:
        """The speaker of sentence `i`, whose attribution names `subject`."""
        if not subject:
            return None
        if fold(subject) in _PRONOUNS:
            return self._antecedent(i, fold(subject)) or last
        if any(word[0].isupper() for word in words(subject)):
            return self._fullest(subject)
        return self._named_by_title(subject) or re.sub(r"^(?:the|a|an)\s+", "", subject)

    def _antecedent(self, i: int, pronoun: str) -> str | None:
        """The last person (for he and she) or subject named before the pronoun."""
        for j in range(i - 1, max(-1, i - 6), -1):
            analysis = self._analyses[j]
            people = [e for e in analysis.entities if e.label == "PERSON"]
            acting = [
                e
                for e in people
                if any(t.dep == "nsubj" and e.start <= t.start < e.end for t in analysis.tokens)
            ]
            if pronoun in {"he", "she"} and (acting or people):
                return self._fullest((acting or people)[-1].text)
        return None

    def _fullest(self, name: str) -> str:
        """The longest run of capitalised words that ends with this name's last word."""
        last = re.escape(surname(name))
        pattern = re.compile(rf"((?:[A-Z][\w.’'-]*[ \u00a0]+){{1,5}}){last}\b")
        best = name
        for match in pattern.finditer(self._text):
            run = match.group().split()
            while run and (
                fold(run[0]) in FUNCTION_WORDS or _opens_sentence(self._text, match, run)
            ):
                run = run[1:]
            candidate = " ".join(run)
            if len(run) > len(best.split()) and _compatible(name, candidate):
                best = candidate
        return best if best in self._text else name

    def _named_by_title(self, phrase: str) -> str | None:
        """ "the external affairs minister" → "External Affairs Minister S Jaishankar"."""
        title = " ".join(word for word in phrase.split() if fold(word) not in FUNCTION_WORDS)
        if not title:
            return None
        pattern = rf"\b(?i:{re.escape(title)})((?:[ \u00a0]+[A-Z][\w.’'-]*){{1,4}})"
        match = re.search(pattern, self._text)
        return re.sub(r"['’]s$", "", match.group()) if match else None


def _opens_sentence(text: str, match: re.Match[str], run: Sequence[str]) -> bool:
    """Whether the run's first word is capitalised only because a sentence begins with it."""
    if len(run) < 2 or run[0] != match.group().split()[0]:
        return False
    before = text[: match.start()].rstrip(" \u00a0")
    opens = not before or before[-1] in '.!?\n“"”'
    return opens and text.count(run[0]) == 1 and text.count(run[0].lower()) > 0


def _compatible(name: str, candidate: str) -> bool:
    """Whether a longer name contains the words of the shorter."""
    return {fold(w) for w in words(name)} <= {fold(w) for w in words(candidate)}
