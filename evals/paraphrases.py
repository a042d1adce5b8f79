"""True paraphrases of an article's sentences, made by rules, by kind.

A rule is applied only where it cannot change what is said; what it makes may sound stiff.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta

from evals.specimens import Fact, Material
from rag.text.dates import MONTHS, WEEKDAYS
from rag.text.names import TITLES
from rag.text.wording import fold, is_hedged, is_negated, words
from rag.types import Span, Token

Maker = Callable[[Fact, Material], Iterator[str]]

_IRREGULAR = {
    "told": "told", "held": "held", "made": "made", "found": "found", "built": "built",
    "won": "won", "led": "led", "left": "left", "lost": "lost", "paid": "paid", "sold": "sold",
    "sent": "sent", "bought": "bought", "brought": "brought", "caught": "caught",
    "gave": "given", "took": "taken", "wrote": "written", "chose": "chosen", "drew": "drawn",
    "broke": "broken", "stole": "stolen", "saw": "seen", "began": "begun", "drove": "driven",
}  # fmt: skip
_INACTIVE = frozenset("need want have include reach become last total".split())
_CONTRACTIONS = {
    "did not": "didn’t", "does not": "doesn’t", "do not": "don’t", "is not": "isn’t",
    "are not": "aren’t", "was not": "wasn’t", "were not": "weren’t", "has not": "hasn’t",
    "have not": "haven’t", "had not": "hadn’t", "would not": "wouldn’t", "could not": "couldn’t",
    "will not": "won’t", "cannot": "can’t", "should not": "shouldn’t",
}  # fmt: skip
_COUNTS = "two three four five six seven eight nine ten eleven twelve thirteen fourteen".split()
_MARKS = frozenset("after before when because as while although since once though if".split())
_BOUND = re.compile(
    r"\b(?:only|first|last|most|least|ever|never|all|any|every|largest|highest|oldest|biggest|"
    r"smallest|lowest|longest|until|than)\b",
    re.IGNORECASE,
)
_MONTH = "|".join(month.title() for month in MONTHS)
_DAYS = "|".join(day.title() for day in WEEKDAYS)


def paraphrases(kind: str, fact: Fact, material: Material) -> list[str]:
    """The paraphrases of a kind that can be made of a fact."""
    return list(dict.fromkeys(MAKERS[kind](fact, material)))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _lower(fact: Fact, start: int) -> str:
    """The rest of a sentence from here on, in lower case unless a name begins it."""
    token = next((t for t in fact.tokens if t.start >= start), fact.tokens[-1])
    rest = fact.text[start:]
    keep = token.pos == "PROPN" or token.text == "I" or token.text[:2].isupper()
    named = any(e.start <= token.start < e.end for e in fact.analysis.entities)
    return rest if keep or (named and token.pos != "DET") else rest[:1].lower() + rest[1:]


def _verbatim(fact: Fact, material: Material) -> Iterator[str]:
    yield fact.text


def _passive(fact: Fact, material: Material) -> Iterator[str]:
    """ "The council rejected the plan on Monday." → "The plan was rejected by the council on …" """
    verb = fact.tokens[fact.root]
    participle = _IRREGULAR.get(verb.text, verb.text if verb.text.endswith("ed") else None)
    subject, object_ = fact.children(fact.root, "nsubj"), fact.children(fact.root, "dobj")
    other = fact.children(
        fact.root, "aux", "neg", "conj", "ccomp", "xcomp", "dative", "prt", "advcl"
    )
    if not participle or len(subject) != 1 or len(object_) != 1 or other or fact.quotes:
        return
    doer, done = fact.subtree(subject[0]), fact.subtree(object_[0])
    joined = fact.text[doer.end : verb.start] == fact.text[verb.end : done.start] == " "
    plain = fact.tokens[subject[0]].pos != "PRON" and fact.tokens[object_[0]].pos != "PRON"
    if not joined or not plain or doer.start or verb.lemma in _INACTIVE:
        return
    their = re.search(r"\b(?:its|his|her|their|which|who|that)\b", fact.text[done.start : done.end])
    if their or "," in fact.text[: done.end]:
        return
    be = "were" if _is_plural(fact, object_[0]) else "was"
    by = _lower(fact, 0)[: doer.end]
    object_text = _upper(fact.text[done.start : done.end])
    yield f"{object_text} {be} {participle} by {by}{fact.text[done.end :]}"


def _active(fact: Fact, material: Material) -> Iterator[str]:
    """ "The plan was rejected by the council." → "The council rejected the plan." """
    pasts = {participle: past for past, participle in _IRREGULAR.items()}
    for i, token in enumerate(fact.tokens):
        subject, agent = fact.children(i, "nsubjpass"), fact.children(i, "agent")
        helpers = fact.children(i, "auxpass")
        past = pasts.get(token.text, token.text if token.text.endswith("ed") else None)
        if i != fact.root or len(subject) != 1 or len(agent) != 1 or len(helpers) != 1 or not past:
            continue
        doers = fact.children(agent[0], "pobj")
        other = fact.children(i, "aux", "neg", "conj", "advmod", "dobj", "oprd", "xcomp", "ccomp")
        if len(doers) != 1 or other or fact.quotes:
            continue
        done, doer = fact.subtree(subject[0]), fact.subtree(doers[0])
        straight = fact.text[token.end : doer.start] == " by " and done.start == 0
        was = fact.tokens[helpers[0]].text in {"was", "were"}
        if straight and was and "," not in fact.text[: doer.end]:
            patient = _lower(fact, 0)[: done.end]
            doer_text = _upper(fact.text[doer.start : doer.end])
            yield f"{doer_text} {past} {patient}{fact.text[doer.end :]}"


def _is_plural(fact: Fact, i: int) -> bool:
    token = fact.tokens[i]
    return token.text.lower() != token.lemma or bool(fact.children(i, "conj"))


def _clause_order(fact: Fact, material: Material) -> Iterator[str]:
    """A clause or a date moved from the front to the end, or back."""
    if fact.quotes or is_hedged(fact.text):
        return
    for span in _movable(fact):
        moved = fact.text[span.start : span.end]
        if span.start == 0 and fact.text[span.end : span.end + 2] == ", ":
            yield f"{_upper(fact.text[span.end + 2 : -1])} {_lower(fact, 0)[: span.end]}."
        elif span.end == len(fact.text) - 1 and span.start > 10:
            rest = _lower(fact, 0)[: span.start].rstrip(" ,")
            yield f"{_upper(moved)}, {rest}."


def _movable(fact: Fact) -> Iterator[Span]:
    tokens = fact.tokens
    for i in fact.children(fact.root, "advcl"):
        marks = fact.children(i, "mark", "advmod")
        if any(tokens[j].text.lower() in _MARKS and j == _first(fact, i) for j in marks):
            yield fact.subtree(i)
    yield from _dated(fact)


def _first(fact: Fact, i: int) -> int:
    start = fact.subtree(i).start
    return next(j for j, token in enumerate(fact.tokens) if token.start == start)


def _dated(fact: Fact) -> Iterator[Span]:
    """Phrases like "on Monday" that hang on the main predicate."""
    dates = [e for e in fact.analysis.entities if e.label == "DATE"]
    for i in fact.children(fact.root, "prep"):
        span = fact.subtree(i)
        text = fact.text[span.start : span.end]
        if re.fullmatch(r"(?:[Oo]n|[Ii]n) .{3,20}", text) and any(
            e.end == span.end and e.start <= span.start + 7 for e in dates
        ):
            yield span


def _attribution(fact: Fact, material: Material) -> Iterator[str]:
    """ "X said that …" ⇄ "…, X said.", also where what is said is quoted."""
    root = fact.tokens[fact.root]
    subject, said = fact.children(fact.root, "nsubj"), fact.children(fact.root, "ccomp")
    if root.text not in {"said", "says"} or len(subject) != 1 or len(said) != 1:
        return
    who, what = fact.subtree(subject[0]), fact.subtree(said[0])
    speaker, content = fact.text[who.start : who.end], fact.text[what.start : what.end]
    if "," in speaker or "that" in speaker.split() or len(fact.children(fact.root, "conj")):
        return
    by = _lower(fact, 0)[: who.end] if who.start == 0 else speaker
    if fact.quotes:
        yield from _requoted(fact, speaker)
    elif fact.text[: what.start] == f"{speaker} {root.text} " or (
        fact.text[: what.start] == f"{speaker} {root.text} that "
    ):
        if what.end >= len(fact.text) - 1:
            content = re.sub(r"^that ", "", content).rstrip(".")
            yield f"{_upper(content)}, {by} {root.text}."
            if fact.tokens[subject[0]].pos != "PRON":
                yield f"According to {by}, {content}."
    elif what.start == 0 and re.fullmatch(
        rf", (?:{re.escape(speaker)} {root.text}|{root.text} {re.escape(speaker)})\.",
        fact.text[what.end :],
    ):
        yield f"{_upper(speaker)} {root.text} that {_lower(fact, 0)[: what.end]}."
        if fact.tokens[subject[0]].pos != "PRON":
            yield f"According to {speaker}, {_lower(fact, 0)[: what.end]}."


def _requoted(fact: Fact, speaker: str) -> Iterator[str]:
    found = re.fullmatch(r"“([^“”]+)[,.]” (?:.+)", fact.text)
    tail = fact.text[fact.quotes[0].end + 1 :].strip(" .,")
    if found and len(fact.quotes) == 1 and tail in {f"{speaker} said", f"said {speaker}"}:
        yield f"{_upper(speaker)} said: “{found[1]}.”"
        yield f"{_upper(speaker)} said, “{found[1]}.”"


def _speech_verb(fact: Fact, material: Material) -> Iterator[str]:
    """Another plain verb of saying."""
    for old, new in (("said", "stated"), ("says", "said"), ("stated", "said"),
                     ("noted", "said"), ("remarked", "said"), ("added", "said")):  # fmt: skip
        for token in fact.tokens:
            speech = token.text == old and token.lemma in {"say", "state", "note", "remark", "add"}
            speaks = fact.children(fact.tokens.index(token), "ccomp")
            also = re.search(r"\balso $", fact.text[: token.start])
            if speech and speaks and not also and not fact.is_quoted(token.start, token.end):
                yield fact.replaced(token.start, token.end, new)


def _contraction(fact: Fact, material: Material) -> Iterator[str]:
    for long, short in _CONTRACTIONS.items():
        for old, new in ((long, short), (short, long), (short.replace("’", "'"), long)):
            for found in re.finditer(rf"\b{old}\b", fact.text):
                if not fact.is_quoted(*found.span()):
                    yield fact.replaced(*found.span(), new)


def _dropped(fact: Fact, material: Material) -> Iterator[str]:
    """Without a date, an apposition, or a relative or participial clause set off by commas."""
    if is_negated(fact.text) or is_hedged(fact.text) or _BOUND.search(fact.text):
        return
    for span in _dated(fact):
        rest = fact.text[: span.start].rstrip(" ") + fact.text[span.end :]
        if not fact.is_quoted(span.start, span.end):
            yield _upper(rest.lstrip(", "))
    for i, token in enumerate(fact.tokens):
        if token.dep not in {"appos", "relcl", "advcl"} or fact.is_quoted(token.start, token.end):
            continue
        span = fact.subtree(i)
        before, after = fact.text[: span.start], fact.text[span.end :]
        if (
            not before.endswith(", ")
            or after[:1] not in {",", "."}
            or fact.quotes
            or not _is_loose(fact, token)
        ):
            continue
        yield before[:-2] + (after[1:] if after[0] == "," else after)


def _is_loose(fact: Fact, token: Token) -> bool:
    """Whether what hangs on a word can go: it explains a name, or tells what else is so."""
    if token.dep == "advcl":
        return token.text.endswith("ing")
    head = fact.tokens[token.head]
    return head.pos == "PROPN" and fold(head.text) not in TITLES


def _truncated(fact: Fact, material: Material) -> Iterator[str]:
    """The first of two sentences that "and" or "but" joins."""
    if is_hedged(fact.text):
        return
    for i in fact.children(fact.root, "conj"):
        span = fact.subtree(i)
        before = re.sub(r",? (?:and|but),? $", "", fact.text[: span.start])
        own = fact.children(i, "nsubj", "nsubjpass")
        joined = before != fact.text[: span.start] and span.end >= len(fact.text) - 1
        if own and joined and not fact.quotes and len(words(before)) > 4:
            yield before.rstrip(", ") + "."


def _number_form(fact: Fact, material: Material) -> Iterator[str]:
    """Words ⇄ digits, "million" ⇄ zeros, "%" ⇄ "per cent"."""
    for number, word in enumerate(_COUNTS, start=2):
        for pattern, new in (
            (rf"(?<!of )(?<!-)(?<!\d )(?<!the )\b{word}\b(?![\w-])(?= [a-z]{{4}})"
             r"(?! of| o’| hundred| thousand| million|teen)", str(number)),
            (rf"(?<![\w$€£.,:–-])(?<!^)(?<![A-Z]\w\w )(?<![a-z][a-z][a-z]y ){number}(?= [a-z]{{4}})"
             r"(?! (?:million|billion|percent|thousand|trillion))", word),
        ):  # fmt: skip
            yield from _outside(fact, pattern, _always(new))
    yield from _outside(
        fact,
        r"(?<![.,\d])\b(\d{1,3}) million\b(?! to)",
        lambda found: f"{int(found[1]) * 1_000_000:,}",
    )
    yield from _outside(fact, r"\b(\d{1,3}),(\d{3})\b(?!,)", lambda found: found[1] + found[2])
    yield from _outside(fact, r" per ?cent\b", lambda _: "%")
    yield from _outside(fact, r"(?<=\d)%", lambda _: " percent")


def _always(text: str) -> Callable[[re.Match[str]], str]:
    return lambda _: text


def _date_form(fact: Fact, material: Material) -> Iterator[str]:
    """ "1 May" ⇄ "May 1"; a weekday or "yesterday" by its date."""
    yield from _outside(
        fact, rf"(?<![\d–-])\b(\d\d?) ({_MONTH})\b(?! \d)", lambda found: f"{found[2]} {found[1]}"
    )
    yield from _outside(
        fact, rf"\b({_MONTH}) (\d\d?)\b(?!,? \d|:)", lambda found: f"{found[2]} {found[1]}"
    )
    yield from _outside(
        fact, rf"\b(\d\d?) ({_MONTH}) (\d{{4}})\b", lambda f: f"{f[2]} {f[1]}, {f[3]}"
    )
    day = _published(material)
    past = fact.tokens[fact.root].text != fact.tokens[fact.root].lemma
    if day and past and not re.search(r"\b(?:will|would|to|next|every|until)\b", fact.text):
        yield from _outside(
            fact, rf"\bon ({_DAYS})\b(?! to)", lambda f: f"on {_written(f[1], day)}"
        )


def _published(material: Material) -> date | None:
    try:
        return date.fromisoformat((material.article.published_at or "")[:10])
    except ValueError:
        return None


def _written(weekday: str, published: date) -> str:
    """The last such weekday, the day of publication included."""
    ago = (published.weekday() - WEEKDAYS.index(weekday.lower())) % 7
    day = published - timedelta(ago)
    return f"{day.day} {MONTHS[day.month - 1].title()} {day.year}"


def _outside(fact: Fact, pattern: str, new: Callable[[re.Match[str]], str]) -> Iterator[str]:
    """The fact with each match outside quotation marks replaced, one at a time."""
    for found in re.finditer(pattern, fact.text):
        if not fact.is_quoted(*found.span()):
            yield _upper(fact.replaced(*found.span(), new(found)))


def _labelled(fact: Fact, material: Material) -> Iterator[str]:
    """ "Speaker: “quotation”", for a sentence that is a quotation and who said it."""
    subjects = [
        i
        for i, token in enumerate(fact.tokens)
        if token.dep == "nsubj"
        and token.pos == "PROPN"
        and fact.tokens[token.head].lemma in {"say", "add", "remark", "stress", "tell"}
        and not fact.is_quoted(token.start, token.end)
    ]
    if len(subjects) != 1 or len(fact.quotes) != 1:
        return
    who, quote = fact.subtree(subjects[0]), fact.quotes[0]
    speaker = fact.text[who.start : who.end]
    whole = quote.start == 1 and len(words(fact.text[quote.end :])) <= 6
    if whole and "," not in speaker and len(words(speaker)) <= 6:
        yield f"{speaker}: “{fact.text[quote.start : quote.end].rstrip(',')}”"


MAKERS: Mapping[str, Maker] = {
    "verbatim": _verbatim,
    "passive": _passive,
    "active": _active,
    "clause order": _clause_order,
    "attribution form": _attribution,
    "verb of saying": _speech_verb,
    "contraction": _contraction,
    "adjunct dropped": _dropped,
    "truncated": _truncated,
    "number form": _number_form,
    "date form": _date_form,
    "label and quotation": _labelled,
}
"""What makes each kind of paraphrase."""
