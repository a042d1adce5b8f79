"""Who says what in an article: the speaker of each quoted or reported sentence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from rag.text.lexicon import SPEECH_VERBS
from rag.text.names import countries_of, name_words, place_of, same_person, surname
from rag.text.wording import FUNCTION_WORDS, fold, quotations, stem, words
from rag.types import Analysis, Span, Token

_PRONOUNS = frozenset("he she they who".split())
_SAYING = frozenset(
    "say tell add note remark declare stress state announce argue warn claim insist explain reply "
    "respond comment underscore underline emphasise emphasize reiterate conclude recount".split()
)
_DOCUMENTS = frozenset(
    "study report survey poll analysis research data figure statistic review paper finding".split()
)
_SHOWING = frozenset("find show reveal suggest indicate report".split())
_CAPITALS_BEFORE = re.compile(r"(?:[A-Z][\w.’'-]*[ \u00a0]+){1,5}$")
_MODIFIERS = frozenset("det amod compound nmod poss case nummod flat".split())


@dataclass(frozen=True, slots=True)
class Speech:
    """What a sentence has of speech: its resolved speaker, as the article names them, and its
    parts that lie in quotation marks (article offsets)."""

    speaker: str | None
    quotes: tuple[Span, ...] = ()

    @property
    def quoted(self) -> Span | None:
        """The longest part in quotation marks."""
        return max(self.quotes, key=lambda span: span.end - span.start, default=None)


def read_speech(text: str, sentences: Sequence[Span], analyses: Sequence[Analysis]) -> list[Speech]:
    """The speech of each of these consecutive sentences of an article's `text`."""
    quotes = quotations(text)
    subjects = [
        _attribution(analysis, sentence, quotes)
        for sentence, analysis in zip(sentences, analyses, strict=True)
    ]
    reader = _Resolver(text, sentences, analyses)
    speeches: list[Speech] = []
    for i, sentence in enumerate(sentences):
        overlapping = [q for q in quotes if q.start < sentence.end and sentence.start < q.end]
        parts = tuple(
            Span(max(q.start, sentence.start), min(q.end, sentence.end)) for q in overlapping
        )
        owner = i if subjects[i] else _owner(i, sentences, subjects, overlapping)
        same_paragraph = i > 0 and not _ends_paragraph(text, sentences, i - 1)
        before = speeches[-1].speaker if same_paragraph else None
        speaker = None
        if owner is not None:
            speaker = reader.resolve(owner, subjects[owner] or "", before)
        elif parts and _is_whole(parts, sentence):
            speaker = before  # a quotation that stands alone goes on with the one before
        speeches.append(Speech(speaker, parts))
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


def _is_whole(parts: Sequence[Span], sentence: Span) -> bool:
    """Whether nothing but quotation marks stands outside the quoted parts."""
    outside = sentence.end - sentence.start - sum(part.end - part.start for part in parts)
    return outside <= 3 * len(parts)


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
        speaks = head.lemma in SPEECH_VERBS or _shows(token, head)
        is_subject = token.dep in {"nsubj", "nsubj:pass"} and speaks
        who = _named(token, analysis)
        if is_subject and head in outside and _can_speak(who, head):
            return _phrase(who, analysis)
        if token.lemma == "accord" or token.text.lower() == "according":
            source = _object_of_to(token, analysis)
            if source is not None:
                return _phrase(source, analysis)
    return None


def _can_speak(subject: Token, verb: Token) -> bool:
    """Whether the subject is somebody: a name, he or she; any other noun only if it says, or is a
    study or the like that shows."""
    if subject.pos == "PRON":
        return fold(subject.text) in _PRONOUNS
    return subject.pos == "PROPN" or verb.lemma in _SAYING or _shows(subject, verb)


def _shows(subject: Token, verb: Token) -> bool:
    return subject.lemma in _DOCUMENTS and verb.lemma in _SHOWING


def _named(noun: Token, analysis: Analysis) -> Token:
    """The name that explains a noun, if one does: "her lawyer, Tom Birch,"."""
    if noun.pos == "PROPN":
        return noun
    names = (t for t in analysis.tokens if t.dep == "appos" and t.pos == "PROPN")
    return next((name for name in names if analysis.tokens[name.head] is noun), noun)


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
    owned = {"det", "poss", "case"} if token.pos == "PROPN" else set()  # "the company's Ada Loy"
    for left in reversed(tokens[:index]):
        if left.dep in owned or (left.dep not in _MODIFIERS and left.pos != "PROPN"):
            break
        start = left.start
    for other in tokens[index + 1 :]:  # "India and Russia"
        if other.dep == "conj" and tokens[other.head] is token and other.pos == "PROPN":
            end = other.end
        place = tokens[other.head]  # "analysts at Redwood Bank", "the union of controllers"
        if other.dep == "pobj" and token.pos != "PROPN" and tokens[place.head] is token:
            end = other.end if place.lemma in {"at", "of", "from", "for"} else end
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

    def resolve(self, i: int, subject: str, before: str | None) -> str | None:
        """The speaker of sentence `i`, whose attribution names `subject`; `before` speaks the
        sentence before in the same paragraph. None where it is not certain: no name is better
        than a wrong one."""
        if fold(subject) in {"he", "she"}:
            return before if before and _is_person(before) else self._antecedent(i)
        if not subject or fold(subject) in _PRONOUNS:
            return None
        if any(word[0].isupper() for word in words(subject)):
            return self._fullest(subject)
        named = self._named_by_title(subject)
        return named or re.sub(r"^(?:the|a|an|its|his|her|their)\s+", "", subject)

    def _antecedent(self, i: int) -> str | None:
        """Whom "he" or "she" in sentence `i` means: the one person who acts in the nearest
        sentence before, of the same paragraph, that names any."""
        surnames = {
            surname(e.text) for a in self._analyses for e in a.entities if e.label == "PERSON"
        }
        for j in range(i - 1, -1, -1):
            if _ends_paragraph(self._text, self._sentences, j):
                break
            analysis = self._analyses[j]
            people = [t for t in analysis.tokens if t.text in surnames]
            acting = {t.text for t in people if _acts(t, analysis)}
            if people:
                return self._fullest(acting.pop()) if len(acting) == 1 else None
        return None

    def _fullest(self, name: str) -> str:
        """The longest run of capitalised words that ends with this name's last word."""
        best = name
        for match in re.finditer(rf"\b{re.escape(surname(name))}\b", self._text):
            found = _CAPITALS_BEFORE.search(self._text, max(0, match.start() - 120), match.start())
            if not found:
                continue
            run = [*_in_one_sentence(found.group().split()), match.group()]
            while run and (
                fold(run[0]) in FUNCTION_WORDS
                or (len(run) > 1 and _opens_sentence(self._text, found.start(), run[0]))
            ):
                run = run[1:]
            candidate = " ".join(run)
            if len(run) > len(best.split()) and _compatible(name, candidate):
                best = candidate
        return best if best in self._text else name

    def _named_by_title(self, phrase: str) -> str | None:
        """ "the external affairs minister" → "External Affairs Minister S Jaishankar"; None if
        several people have the title."""
        title = " ".join(word for word in phrase.split() if fold(word) not in FUNCTION_WORDS)
        if not title:
            return None
        pattern = rf"\b(?i:{re.escape(title)})((?:[ \u00a0]+[A-Z][\w.’'-]*){{1,4}})"
        found = [re.sub(r"['’]s$", "", m.group()) for m in re.finditer(pattern, self._text)]
        return found[0] if len({fold(surname(name)) for name in found}) == 1 else None


def _in_one_sentence(run: list[str]) -> list[str]:
    """The words after the last that ends a sentence, as "Weber." does and "Mr." does not."""
    ends = [i for i, word in enumerate(run) if word.endswith(".") and len(word) > 4]
    return run[ends[-1] + 1 :] if ends else run


def _acts(token: Token, analysis: Analysis) -> bool:
    """Whether a name is the subject of its sentence, alone or with others."""
    head = analysis.tokens[token.head]
    if token.dep == "conj" and head is not token:
        return _acts(head, analysis)
    return token.dep == "nsubj" and head.dep in {"ROOT", "conj"}


def _is_person(speaker: str) -> bool:
    return speaker[0].isupper() and place_of(speaker) is None and " and " not in speaker


def _opens_sentence(text: str, start: int, word: str) -> bool:
    """Whether a word is capitalised only because a sentence begins with it."""
    before = text[:start].rstrip(" \u00a0")[-1:]
    opens = not before or before in '.!?\n“"”'
    return opens and text.count(word) == 1 and text.count(word.lower()) > 0


def _compatible(name: str, candidate: str) -> bool:
    """Whether a longer name contains the words of the shorter."""
    return {fold(w) for w in words(name)} <= {fold(w) for w in words(candidate)}


def is_speech(word: str) -> bool:
    """Whether a word is a form of a verb of saying, in lower case."""
    return word.islower() and stem(word) in _speech_stems()


@lru_cache(maxsize=1)
def _speech_stems() -> frozenset[str]:
    return frozenset(map(stem, SPEECH_VERBS)) | {"said", "told", "wrote", "spoke"}


def is_same_speaker(claimed: str, actual: str, said: str) -> bool:
    """Whether the claimed speaker is the actual one of the sentence `said`: by name, by a title
    that stands there, or as the country that they speak for."""
    if same_person(claimed, actual):
        return True
    title = re.sub(r"^(?:the|a|an|his|her|its|their)\s+", "", claimed, flags=re.IGNORECASE)
    if title.islower() and _bears(title, surname(actual), said):
        return True
    country = place_of(claimed)
    if country is None:  # "Indian officials"
        capitals = (w for w in words(claimed) if w[0].isupper() and fold(w) not in FUNCTION_WORDS)
        named = {place_of(word) for word in capitals}
        country = named.pop() if len(named) == 1 else None
    if country is None:
        return False
    theirs = countries_of(actual)
    if not theirs:
        theirs = frozenset(name for name in name_words(said, metonyms=False) if name[0] == "@")
    return theirs == {"@" + country}


def _bears(title: str, name: str, text: str) -> bool:
    """Whether a text has "their lawyer, Tom Birch" or "Birch, the lawyer"."""
    title, name = re.escape(title), re.escape(name)
    before, after = (
        rf"\b{title}\b,?(?: [A-Z][\w.’'-]*)*? {name}\b",
        rf"\b{name}, (?:\w+ )?{title}\b",
    )
    return bool(re.search(f"{before}|{after}", text))
