"""Reading a question: its content words, names, the speaker and the kind of answer it asks for."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from rag.ports import LanguageAnalyser
from rag.text.lexicon import SPEECH_VERBS
from rag.text.names import correct_spelling, is_known_word, place_of
from rag.text.statements import names_in
from rag.text.wording import FUNCTION_WORDS, content_stems, fold, numbers, stem, words
from rag.types import Analysis, Token

_PEOPLE = frozenset({"PERSON", "ORG", "NORP", "GPE"})
_PLACES = frozenset({"GPE", "LOC", "FAC", "ORG"})
_SUMS = frozenset({"MONEY", "CARDINAL"})  # "84 million crowns" is only a number to the analyser
_TIMES = frozenset({"DATE", "TIME"})
_COUNTS = frozenset({"CARDINAL", "QUANTITY", "PERCENT", "MONEY", "ORDINAL"})

# What kind of entity answers which wording; the first that matches counts.
_WANTS = (
    (r"\b(date and time|what time|which hour|o'clock)\b", frozenset({"TIME"})),
    (r"\b(what|which) (price|cost|sum|salary)\b|\bhow much (money|does|do|did)\b", _SUMS),
    (r"\bin (\w+ of )?(dollars|euros|pounds|rupees|yen|yuan)\b", _SUMS),
    (r"\bwhat (percentage|percent|share|proportion)\b", frozenset({"PERCENT"})),
    (r"\bhow (many|much|often|tall|high|heavy|far|fast|large|big)\b", _COUNTS),
    (r"\b(what|the) number of\b|\bwhat number\b", _COUNTS),
    (r"\bhow (old|long)\b", _COUNTS | _TIMES),
    (r"\bwhen\b|\b(what|which) (day|date|year|months?|week|decade)\b", _TIMES),
    (r"\bwhere\b|\b(what|which) (country|countries|city|cities|state|place|region)\b", _PLACES),
    (r"\b(who|whom|whose)\b|\bnames of\b", _PEOPLE),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question asks for.

    `wants` are the entity labels of which an answer must hold one (empty: any answer);
    `speaker` is whose words are asked for; `reason` tells that it asks why `verb` was done;
    `counted` is the stem of what it asks the number of.
    """

    text: str
    stems: frozenset[str]
    names: tuple[str, ...]
    numbers: frozenset[str]
    wants: frozenset[str]
    speaker: str | None
    reason: bool
    verb: str | None
    counted: str | None

    @property
    def topic(self) -> frozenset[str]:
        """Stems of what is asked about: the content words but those of names, if there are any."""
        named = {s for name in self.names for s in content_stems(name)}
        return self.stems - named or self.stems


def read_question(text: str, evidence_text: str, analyser: LanguageAnalyser) -> Asked:
    """Read a question against what was found: its words decide spelling and capitals."""
    casing = _casing(evidence_text)
    corrected = correct_spelling(text, casing)
    cased = re.sub(r"[^\W\d_]+", lambda m: _recased(m.group(), casing), corrected)
    analysis = analyser.analyse([cased])[0]
    lowered = fold(cased)
    wants = next((labels for pattern, labels in _WANTS if re.search(pattern, lowered)), frozenset())
    speaker = _speaker(analysis)
    return Asked(
        text=cased,
        stems=frozenset(content_stems(cased)) - _ASKING,
        names=_names(cased, analysis, casing),
        numbers=frozenset(numbers(cased)),
        wants=frozenset() if speaker else wants,
        speaker=speaker,
        reason=lowered.lstrip().startswith("why"),
        verb=_verb(analysis),
        counted=_counted(analysis),
    )


_ASKING = frozenset(
    stem(w) for w in "say said says tell told happen happened many much kind type name".split()
)


def _recased(word: str, casing: Mapping[str, str]) -> str:
    """The word as the evidence writes it, where it can only be a name."""
    is_name = word.islower() and (not is_known_word(word) or _is_country(word))
    return casing.get(word, word) if is_name else word


def _is_country(word: str) -> bool:
    return place_of(word) is not None


def _casing(evidence_text: str) -> Mapping[str, str]:
    """Folded word → how the evidence writes it: capitalised only if it never is lower case."""
    casing: dict[str, str] = {}
    for word in re.findall(r"[^\W\d_]+", evidence_text):
        key = fold(word)
        if casing.get(key, word) != word:
            word = min(word, casing[key], key=lambda w: (w[:1].isupper(), w))
        casing[key] = word
    return casing


def _names(text: str, analysis: Analysis, evidence: Collection[str]) -> tuple[str, ...]:
    """Names in the question; also lower-case countries, and words that nobody knows where the
    asker does not care for capitals."""
    names = [name for name in names_in(analysis) if fold(name) not in FUNCTION_WORDS]
    names = [name for name in names if not name.islower() or _is_rare(name, evidence)]
    careless = not any(word[0].isupper() for word in words(text)[1:] if fold(word) not in evidence)
    named = {fold(part) for name in names for part in words(name)}
    for word in words(text):
        key = fold(word)
        if key in named or key in FUNCTION_WORDS:
            continue
        if (careless and _is_rare(word, evidence)) or _is_country(word):
            names.append(word)
    return tuple(names)


def _is_rare(word: str, evidence: Collection[str]) -> bool:
    """Whether neither the evidence nor a dictionary has a word."""
    key = fold(word)
    return key.isalpha() and len(key) > 3 and key not in evidence and not is_known_word(key)


def _speaker(analysis: Analysis) -> str | None:
    """Whose words are asked for: "what did X say", "according to X", "X on Y"."""
    text = " ".join(token.text for token in analysis.tokens).lower()
    if re.match(r"^(who|which|whose)\b", text):
        return None
    for token in analysis.tokens:
        head = analysis.tokens[token.head]
        says = head.lemma in SPEECH_VERBS and token.dep == "nsubj" and token.pos == "PROPN"
        if says and _asks_what(analysis, head):
            return _subtree_name(token, analysis)
    return None


def _asks_what(analysis: Analysis, verb: Token) -> bool:
    return any(
        t.lemma in {"what", "how", "which", "why"} for t in analysis.tokens if t.start < verb.start
    )


def _subtree_name(token: Token, analysis: Analysis) -> str:
    for entity in analysis.entities:
        if entity.start <= token.start < entity.end:
            return entity.text
    return token.text


def _verb(analysis: Analysis) -> str | None:
    """Stem of the main verb."""
    for token in analysis.tokens:
        if token.dep == "ROOT" and token.pos == "VERB":
            return stem(token.lemma)
    return None


def _counted(analysis: Analysis) -> str | None:
    """Stem of the noun of "how many …", unless it is people or times, which go unsaid."""
    for token in analysis.tokens:
        if token.lemma == "many" and token.pos == "ADJ":
            noun = analysis.tokens[token.head]
            if noun.pos in {"NOUN", "PROPN"} and noun.lemma not in {"people", "person", "time"}:
                return stem(noun.lemma)
    return None
