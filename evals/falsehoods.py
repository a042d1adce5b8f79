"""Falsehoods made of true sentences of an article, by kind.

Each maker yields altered texts of a fact; `made_false` keeps those that nothing in the evidence
makes true by accident. What is looked for is what the article says, never what the verifier thinks.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from evals.specimens import Fact, Material, stems_of
from rag.text.dates import MONTHS, WEEKDAYS, date_mentions
from rag.text.names import TITLES, place_of
from rag.text.quantities import quantities
from rag.text.wording import FUNCTION_WORDS, fold, normalise_quotes, stem, words
from rag.types import Entity, Span

Maker = Callable[[Fact, Material, Sequence[Material], random.Random], Iterator[str]]

_NAMES = ("PERSON", "GPE", "ORG", "NORP", "LOC")
_SPEECH = frozenset("say tell add warn note argue announce state declare insist explain".split())
_SMALL = "two three four five six seven eight nine ten eleven twelve".split()
_UNITS = (
    ("million", "billion"), ("thousand", "million"), ("kilometres", "metres"), ("km", "miles"),
    ("miles", "kilometres"), ("days", "weeks"), ("weeks", "months"), ("months", "years"),
    ("years", "months"), ("hours", "minutes"), ("minutes", "hours"), ("tonnes", "kilograms"),
    ("metres", "kilometres"), ("per cent", "million"), ("percent", "million"), ("%", " million"),
    ("dollars", "euros"), ("euros", "dollars"), ("pounds", "euros"), ("crowns", "dollars"),
    ("$", "€"), ("£", "$"), ("€", "£"), ("feet", "miles"), ("billion", "million"),
)  # fmt: skip
_HEDGES = (
    (r"(?:is|are|was|were) (?:likely|expected|predicted|forecast) to (?=[a-z])", "will "),
    (r"(?:may|might|could) (?!not\b)(?=[a-z])", "will "),
    (r"(?:reportedly|allegedly|probably|possibly|perhaps|apparently) ", ""),
)
_NEGATIONS = (
    (r"\b(is|was|were|are|has|have|had|will|would|could|should) not yet\b", r"\1 already"),
    (r"\b(is|was|were|are|has|have|had|will|would|could|should|did|does|do) not\b", r"\1"),
    (r"\b(is|was|were|are|has|have|had|would|could|should|did|does|do)n[’']t\b", r"\1"),
    (r"\bcannot\b", "can"),
    (r"\bcan[’']t\b", "can"),
    (r"\bwon[’']t\b", "will"),
    (r"\bnever ", ""),
    (r"\bno longer\b", "still"),
    (r"\bwithout\b", "with"),
    (r"\bNobody\b|\bNo one\b", "Everybody"),
    (r"\bno (?!longer|more|less|fewer|later|earlier|one|matter|doubt)(?=[a-z])", ""),
)
_NO_NEGATION = re.compile(
    r"not (?:only|just|merely|least|far|until|because|all)\b|or not\b|\bnor\b|\bneither\b|\bbut\b"
)
_FLIPS = (
    ("more than", "less than"), ("more", "less"), ("higher", "lower"), ("rose", "fell"),
    ("risen", "fallen"), ("rise", "fall"), ("rising", "falling"), ("increased", "decreased"),
    ("increase", "decrease"), ("above", "below"), ("before", "after"), ("first", "last"),
    ("largest", "smallest"), ("biggest", "smallest"), ("highest", "lowest"), ("best", "worst"),
    ("at least", "at most"), ("won", "lost"), ("early", "late"), ("earlier", "later"),
    ("older", "younger"), ("longer", "shorter"), ("better", "worse"), ("majority", "minority"),
    ("oldest", "youngest"), ("longest", "shortest"), ("fewer", "more"), ("faster", "slower"),
    ("stronger", "weaker"), ("bigger", "smaller"), ("larger", "smaller"),
)  # fmt: skip
_POINTING = re.compile(r"(?:The|This|That|These|Those|His|Her|Its|Their|Such|Other)s?\b")
_BOUNDS = re.compile(r"\b(?:up to|nearly|almost)(?= [\d$£€])")


def made_false(
    kind: str, fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> list[str]:
    """The falsehoods of a kind that can be made of a fact, in random order."""
    made = list(dict.fromkeys(MAKERS[kind](fact, material, others, rng)))
    rng.shuffle(made)
    return [
        text for text in made if text != fact.text and not material.is_told_elsewhere(text, fact)
    ]


def _number(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """Another number, which the evidence has nowhere."""
    known = {q.value for r in material.verifier.readings for q in quantities(r.article.text)}
    dates = [d.span for d in date_mentions(fact.text)]
    for quantity in quantities(fact.text):
        start, end = quantity.span.start, quantity.span.end
        written = re.match(r"\d[\d,]*(?:\.\d+)?|[a-z]+", fact.text[start:end])
        if not written or fact.is_quoted(start, end) or _overlap(start, end, dates):
            continue
        new = _other_number(written.group(), rng)
        if new and not known & {
            q.value for q in quantities(new + fact.text[start:end][written.end() :])
        }:
            yield fact.replaced(start, start + written.end(), new)


def _other_number(written: str, rng: random.Random) -> str | None:
    if written in _SMALL:
        return rng.choice([word for word in _SMALL if word != written])
    if not written[0].isdecimal():
        return None
    value = float(written.replace(",", ""))
    decimals = len(written.partition(".")[2])
    new = value * rng.choice([0.5, 0.8, 1.1, 1.5, 2, 3]) + rng.choice([1, 2, 3]) * 10**-decimals
    return f"{new:,.{decimals}f}" if "," in written else f"{new:.{decimals}f}"


def _unit(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """The same number of something else, or of another magnitude."""
    for quantity in quantities(fact.text):
        start, end = quantity.whole.start, quantity.whole.end
        stretch = re.match(r"[\s-]?\w*", fact.text[end:])
        end += stretch.end() if stretch and not quantity.unit else 0
        for old, new in () if fact.is_quoted(start, end) else _UNITS:
            pattern = rf"(?<![A-Za-z]){re.escape(old)}(?![A-Za-z])"
            changed = re.sub(pattern, new, fact.text[start:end])
            if changed != fact.text[start:end] and changed not in material.article.text:
                yield fact.replaced(start, end, changed)


def _date(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """Another day, weekday, month or year."""
    for mention in date_mentions(fact.text, material.article.published_at):
        start, end = mention.span.start, mention.span.end
        old = fact.text[start:end]
        if fact.is_quoted(start, end):
            continue
        for new in filter(None, (change(old, rng) for change in _DATE_CHANGES)):
            if new not in material.article.text:
                yield fact.replaced(start, end, new)


def _change_name(old: str, rng: random.Random) -> str | None:
    for names in ([d.title() for d in WEEKDAYS], [m.title() for m in MONTHS]):
        for i, name in enumerate(names):
            if name in old:
                return old.replace(name, names[(i + rng.randint(2, 5)) % len(names)])
    return None


def _change_day(old: str, rng: random.Random) -> str | None:
    day = re.search(r"\b[0-3]?\d\b", old)
    if not day or not re.search("[a-z]{3}", old):
        return None
    new = (int(day.group()) + rng.randint(2, 20)) % 28 + 1
    return old[: day.start()] + str(new) + old[day.end() :] if str(new) != day.group() else None


def _change_year(old: str, rng: random.Random) -> str | None:
    year = re.search(r"\b(?:1[5-9]|20)\d\d\b", old)
    if not year:
        return None
    return old.replace(year.group(), str(int(year.group()) + rng.choice([-7, -4, -3, 2, 3])))


def _change_relative(old: str, rng: random.Random) -> str | None:
    swaps = {"yesterday": "tomorrow", "tomorrow": "yesterday", "today": "tomorrow",
             "tonight": "tomorrow", "last": "next", "next": "last", "this": "last"}  # fmt: skip
    first = old.split()[0]
    return old.replace(first, swaps[first]) if first in swaps else None


_DATE_CHANGES = (_change_name, _change_day, _change_year, _change_relative)


def _renamed(
    fact: Fact, names: Sequence[str], label: str, article: str, rng: random.Random
) -> Iterator[str]:
    """The fact with each of its names of a kind replaced by one of these."""
    for entity in fact.analysis.entities:
        if entity.label != label or not _is_name(entity.text):
            continue
        fitting = [
            name for name in names if _is_name(name) and _is_other(name, entity, fact, article)
        ]
        if fitting and not fact.is_quoted(entity.start, entity.end):
            old = re.sub(r"^[Tt]he |['’]s$", "", entity.text)
            new = re.sub(r"^[Tt]he ", "", rng.choice(fitting))
            yield re.sub(rf"\b{re.escape(old)}\b", new.replace("\\", ""), fact.text)


def _is_name(text: str) -> bool:
    parts = [w for w in words(text) if fold(w) not in FUNCTION_WORDS]
    return 0 < len(parts) <= 4 and all(w[0].isupper() and w.isalpha() for w in parts)


def _is_other(name: str, entity: Entity, fact: Fact, article: str) -> bool:
    """Whether a name is surely nobody whom the fact names."""
    places = place_of(name), place_of(entity.text)
    initials = "".join(w[0] for w in words(entity.text)), "".join(w[0] for w in words(name))
    return (
        not stems_of(name) & fact.stems
        and (places[0] is None or places[0] != places[1])
        and name not in initials
        and entity.text not in initials
        and not _stand_together(name, entity.text, article)
    )


def _stand_together(one: str, other: str, article: str) -> bool:
    """Whether two names may be parts of one, as first name and surname are."""
    one, other = re.escape(one), re.escape(other)
    between = r"(?: [A-Z][\w.]*)? "
    return bool(re.search(f"{one}{between}{other}|{other}{between}{one}", article))


def _name_here(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """Another name of the same article."""
    for label in _NAMES:
        yield from _renamed(fact, material.entities(label), label, material.article.text, rng)


def _name_elsewhere(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """A name of another article, which this one has not."""
    for label in _NAMES:
        strange = (name for other in others for name in other.entities(label))
        names = [name for name in strange if name not in material.article.text]
        yield from _renamed(fact, names, label, material.article.text, rng)


def _speaker(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """Words given to somebody else of the article."""
    for i, token in enumerate(fact.tokens):
        verb = fact.tokens[token.head]
        if token.dep != "nsubj" or verb.lemma not in _SPEECH or token.pos != "PROPN":
            continue
        span = fact.subtree(i)
        known = stems_of(fact.text[span.start : span.end])
        named = [
            name
            for name in material.entities("PERSON")
            if _is_name(name) and len(words(name)) > 1 and not stems_of(name) & (known | fact.stems)
        ]
        if (
            not named
            or fact.is_quoted(span.start, span.end)
            or "," in fact.text[span.start : span.end]
        ):
            continue
        new = rng.choice(named)
        yield fact.replaced(span.start, span.end, new)
        for quote in fact.quotes:
            if quote.end - quote.start > 25:
                yield f"{new}: “{fact.text[quote.start : quote.end].strip(' ,')}”"


def _negated(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """A predicate denied that was stated."""
    if re.search(r"\b(?:not|no|never|nor|neither|without)\b|n[’']t\b", fact.text):
        return
    for i in (fact.root, *fact.children(fact.root, "ccomp", "conj")):
        token = fact.tokens[i]
        if token.pos not in {"VERB", "AUX"} or fact.is_quoted(token.start, token.end):
            continue
        helpers = [fact.tokens[j] for j in fact.children(i, "aux", "auxpass")]
        first = min(helpers, key=lambda t: t.start, default=None)
        if first is None and token.pos == "AUX" and token.lemma in {"be", "have"}:
            first = token
        if first is not None and first.text.lower() != "to" and first.text[0] not in "’'":
            yield fact.replaced(first.end, first.end, " not")
        elif not helpers and fact.children(i, "nsubj") and token.text != token.lemma:
            do = "does" if token.text == f"{token.lemma}s" else "did"
            if not token.text.endswith("ing"):
                yield fact.replaced(token.start, token.end, f"{do} not {token.lemma}")


def _affirmed(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """A denial left out."""
    if not _NO_NEGATION.search(fact.text):
        yield from _substituted(fact, _NEGATIONS)


def _surer(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """What was possible or expected, told as certain."""
    yield from _substituted(fact, [(rf"\b{old}", new) for old, new in _HEDGES])


def _substituted(fact: Fact, rules: Sequence[tuple[str, str]]) -> Iterator[str]:
    for pattern, new in rules:
        for found in re.finditer(pattern, fact.text):
            if not fact.is_quoted(*found.span()):
                changed = fact.replaced(*found.span(), found.expand(new))
                yield changed[0].upper() + changed[1:]


def _flipped(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """A word of comparison or order turned into its opposite."""
    for found in _BOUNDS.finditer(fact.text):
        if not fact.is_quoted(*found.span()):
            yield fact.replaced(*found.span(), "more than")
    for one, other in (*_FLIPS, *((b, a) for a, b in _FLIPS)):
        for found in re.finditer(rf"(?<!-)(?<!\bno )\b{one}\b(?![-’'])", fact.text):
            whole = found.start() and other not in fact.text
            if whole and not fact.is_quoted(*found.span()):
                yield fact.replaced(*found.span(), other)


def _misquoted(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """One word within quotation marks left out, or replaced by one of the article's."""
    article = normalise_quotes(material.article.text)
    for quote in fact.quotes:
        inside = [t for t in fact.tokens if quote.start < t.start and t.end < quote.end - 1]
        inside = [t for t in inside if t.text.isalpha() and len(t.text) > 2]
        for token in rng.sample(inside, min(2, len(inside))):
            same = {
                t.text
                for f in material.facts
                for t in f.tokens
                if t.pos == token.pos and t.text.isalpha() and stem(t.text) != stem(token.text)
            }
            for new in (*rng.sample(sorted(same), min(1, len(same))), ""):
                end = token.end + (not new)
                text = fact.replaced(token.start, end, new)
                words_now = text[quote.start : quote.end + len(new) - (end - token.start)]
                if normalise_quotes(words_now).strip(" ,.") not in article:
                    yield text


def _spliced(
    fact: Fact, material: Material, others: Sequence[Material], rng: random.Random
) -> Iterator[str]:
    """The subject of one fact with what another says."""
    ours = _opening_subject(fact)
    for other in material.facts if ours else ():
        theirs = _opening_subject(other)
        if other is fact or ours is None or theirs is None:
            continue
        subject = other.text[theirs.start : theirs.end]
        if _content_stems(subject) & fact.stems or any(
            stem(word) in other.stems
            for word in words(fact.text[ours.start : ours.end])
            if fold(word) not in FUNCTION_WORDS
        ):
            continue
        yield fact.replaced(ours.start, ours.end, subject)


def _content_stems(text: str) -> frozenset[str]:
    return frozenset(stem(word) for word in words(text) if fold(word) not in FUNCTION_WORDS)


def _opening_subject(fact: Fact) -> Span | None:
    """The short subject that a fact begins with, which names somebody or something."""
    for i in fact.children(fact.root, "nsubj", "nsubjpass"):
        span, token = fact.subtree(i), fact.tokens[i]
        text = fact.text[span.start : span.end]
        names = token.pos == "PROPN" and _is_name(text)
        thing = token.pos == "NOUN" and fold(token.text) not in TITLES and not _POINTING.match(text)
        if span.start == 0 and len(words(text)) <= 5 and (names or thing) and "," not in text:
            return span
    return None


def _overlap(start: int, end: int, spans: Sequence[Span]) -> bool:
    return any(span.start < end and start < span.end for span in spans)


MAKERS: Mapping[str, Maker] = {
    "number": _number,
    "unit": _unit,
    "date": _date,
    "name of the article": _name_here,
    "name of another article": _name_elsewhere,
    "speaker": _speaker,
    "negation added": _negated,
    "negation removed": _affirmed,
    "hedge dropped": _surer,
    "comparison": _flipped,
    "quotation altered": _misquoted,
    "splice": _spliced,
}
"""What makes each kind of falsehood; a right claim with a wrong id needs no maker."""
