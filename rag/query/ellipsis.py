"""What a follow-up leaves out, filled in from the question before: "and Pakistan?", "why?"."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from rag.query.mentions import SUBJECT, Mention, mentions
from rag.query.references import Recalled
from rag.text.phrases import Tree
from rag.text.wording import fold, words
from rag.types import Analysis, Span

_LEAD = r"(?:(?:and|but|so|or|ok(?:ay)?|also|then)\b[\s,]*)*"
_WHAT_ABOUT = re.compile(rf"^{_LEAD}(?:what|how) about\s+(?P<rest>.+?)[\s?!.]*$", re.IGNORECASE)
_AND = re.compile(r"^(?:and|or|but)\b[\s,]*(?:also\s+)?(?P<rest>.+?)[\s?!.]*$", re.IGNORECASE)
_WH = (
    r"(?P<wh>why not|why|(?:by |for |with |in |at )?how (?:many|much)(?: [^\W\d]+)?|"
    r"(?:since |until |from )?when|where|how (?:long|often|far|big|old)|"
    r"how come|how|(?:by|with|for|to|from|of) whom|who(?:m)?|(?:at )?what time|on what day)"
)
_BARE = re.compile(
    rf"^{_LEAD}{_WH}(?: exactly| precisely)?"
    r"(?: (?:(?:was|is|will) (?:that|this)(?: be)?|(?:did|does|will) (?:that|this) happen"
    r"|(?:is|was) that so|so))?[\s?!.]*$",
    re.IGNORECASE,
)
_MORE = re.compile(
    rf"^{_LEAD}(?:(?:please )?tell me more|more(?: details)?|go on|continue|what else|"
    r"anything else)(?: please)?[\s?!.]*$",
    re.IGNORECASE,
)
_AUXILIARY = re.compile(
    r"\b(?:do|does|did|is|are|was|were|has|have|had|will|would|can|could|may|might|shall|should|"
    r"must)\b",
    re.IGNORECASE,
)
_SUBJECT_WH = re.compile(
    r"^\W*(?:who|what|which(?: \w+)?|how many(?: \w+)*?|how much(?: \w+)*?)$", re.IGNORECASE
)
_MANY = re.compile(r"how (?:many|much)", re.IGNORECASE)
_SINGULAR = {"was": "were", "is": "are", "has": "have", "does": "do"}
_ABOUT = frozenset("about regarding concerning".split())
_TOPICS = _ABOUT | {"on", "for"}
_ACCORDING = re.compile(r",?\s*\baccording to .*$", re.IGNORECASE)
_THERE = re.compile(rf"^{_LEAD}(?:how (?:many|much)\b.*?|what) (?:is|are|was|were) there\W*$", re.I)
_FRAGMENT_WORDS = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that stands alone, with its grammar and what it mentions."""

    text: str
    analysis: Analysis
    mentions: Sequence[Mention]

    @property
    def stem(self) -> str:
        """Its text without the mark at its end."""
        return self.text.rstrip(" ?!.")

    def about(self, recalled: Recalled) -> str:
        """What it is about, in a few words; empty where nothing is known."""
        found = self.mentions or recalled.recent[:2]
        outer = [m for m in found if not any(o.start < m.start and m.end <= o.end for o in found)]
        return " and ".join(dict.fromkeys(m.text for m in outer[:3]))


def is_bare(question: str) -> bool:
    """Whether a question is but its question word, with a "was that" at most."""
    return bool(_BARE.match(question))


def is_elliptic(question: str, analysis: Analysis) -> bool:
    """Whether a question leaves out what only another one tells."""
    if is_bare(question) or any(p.match(question) for p in (_MORE, _WHAT_ABOUT, _THERE)):
        return True
    return (
        bool(analysis.tokens)
        and not _has_verb(analysis)
        and (bool(_AND.match(question)) or not _names_its_matter(question, analysis))
    )


def completed(question: str, analysis: Analysis, before: Asked, recalled: Recalled) -> str:
    """The question with what it leaves out, taken from the one before; else as it is."""
    if not is_elliptic(question, analysis):
        return question
    if bare := _BARE.match(question):
        return _asked_otherwise(bare["wh"].lower(), before, recalled)
    if _MORE.match(question):
        return _joined("What else is told of", before.about(recalled), " ")
    if _THERE.match(question):
        return _joined(question.rstrip(" ?!."), before.about(recalled))
    other = _WHAT_ABOUT.match(question) or _AND.match(question)
    if other:
        return _substituted(other["rest"], analysis, question, before, recalled)
    if len(words(question)) == 1 and (named := _named(question, analysis)):
        return _substituted(named, analysis, question, before, recalled)
    return _joined(question.rstrip(" ?!."), before.about(recalled))


# Another matter in the same question


def _substituted(
    rest: str, analysis: Analysis, question: str, before: Asked, recalled: Recalled
) -> str:
    """The question before with `rest` in the place of what it corresponds to."""
    if _ACCORDING.match(rest):
        return f"{_ACCORDING.sub('', before.stem)}, {rest}?"
    prepositional = _in_place_of_prepositional(rest, analysis, before)
    if prepositional:
        return prepositional
    at = question.find(rest)
    new = next((m for m in mentions(question, analysis) if m.start >= at), None)
    place = _parallel(new, before) if new else _topic(before, _TOPICS)
    if place is None:
        return _joined(f"What about {rest}", before.about(recalled))
    inserted = rest if new and not new.named else re.sub(r"^the (?=[A-Z])", "the ", rest)
    return f"{before.text[: place.start]}{inserted}{before.text[place.end :]}"


def _in_place_of_prepositional(rest: str, analysis: Analysis, before: Asked) -> str | None:
    """ "And in Brennock?" takes the place of "in Brennick", or comes to the end; so do dates."""
    first = next((t for t in analysis.tokens if fold(t.text) == fold(rest.split()[0])), None)
    dated = next((e for e in analysis.entities if e.label == "DATE" and e.text in rest), None)
    if dated and (old := next((e for e in before.analysis.entities if e.label == "DATE"), None)):
        start, new = old.start, dated.text
        return f"{before.text[:start]}{new}{before.text[old.end :]}"
    if first is None or first.pos != "ADP":
        return f"{before.stem} {rest}?" if dated else None
    tree = Tree(before.analysis)
    for i, token in enumerate(tree.tokens):
        alike = token.lemma == first.lemma or {token.lemma, first.lemma} <= _TOPICS
        objects = tree.of(i, "pobj") if alike else []
        if objects:
            end = tree.tokens[_last(tree, objects[0])].end
            return f"{before.text[: token.start]}{rest}{before.text[end:]}"
    return f"{before.stem} {rest}?"


def _parallel(new: Mention, before: Asked) -> Span | None:
    """Where the question before mentions what corresponds: of the same kind, a name for a name;
    for a thing, what is asked about."""
    topic = _topic(before, _ABOUT)
    if not new.named and new.kind == "thing" and topic:
        return topic
    old = [m for m in before.mentions if not any(_inside(m, o) for o in before.mentions)]
    if new.named:
        alike = [m for m in before.mentions if m.named and m.kind == new.kind]
        powers = {"place", "organisation"}
        alike += [m for m in old if m.named and {m.kind, new.kind} <= powers]
        alike += [m for m in old if not m.named and m.kind == new.kind]
        alike += [
            m for m in old if m.named and m.role == SUBJECT and new.kind in {"person", *powers}
        ]
    else:
        common = [m for m in old if not m.named]
        alike = [m for m in common if (m.kind, m.plural) == (new.kind, new.plural)]
        alike += [m for m in common if m.kind == new.kind]
        alike += [m for m in old if m.role != SUBJECT and m.kind == new.kind]
    if alike:
        return Span(alike[0].start, alike[0].end)
    return topic if new.named else _topic(before, _TOPICS)


def _topic(before: Asked, prepositions: Collection[str]) -> Span | None:
    """What "about" or the like is followed by."""
    tree = Tree(before.analysis)
    for i, token in enumerate(tree.tokens):
        objects = tree.of(i, "pobj") if token.lemma in prepositions else []
        if objects:
            whole = _first(tree, objects[0]), _last(tree, objects[0])
            return Span(tree.tokens[whole[0]].start, tree.tokens[whole[1]].end)
    return None


# Another question about the same matter


def _asked_otherwise(wh: str, before: Asked, recalled: Recalled) -> str:
    """The question before, asking `wh` instead of what it asked."""
    aux = _auxiliary(before)
    if aux is None:
        return _of_the_subject(wh, before, recalled)
    asked, verb = before.text[: aux.start].strip(), before.text[aux.start : aux.end]
    rest = before.stem[aux.end :].strip()
    if wh in {"who", "whom"} or not rest:
        return _joined(wh.capitalize(), before.about(recalled))
    if _MANY.match(wh):
        return _counted(wh, asked, verb, rest, before) or _joined(
            wh.capitalize(), before.about(recalled)
        )
    if _SUBJECT_WH.match(asked) and not _is_object(before, aux):
        subject = _answer_of(recalled)
        if re.match(r"how (?:many|much) \w", asked, re.IGNORECASE):
            subject = re.sub(r"^how (?:many|much) ", "", asked, flags=re.IGNORECASE)
        if not subject:
            return _joined(wh.capitalize(), before.about(recalled))
        return f"{wh} {verb.lower()} {subject} {rest}?"
    if _SUBJECT_WH.match(asked):
        rest = _with_that(before, aux, rest)
    return f"{wh} {verb.lower()} {rest}?"


def _of_the_subject(wh: str, before: Asked, recalled: Recalled) -> str:
    """Of "who led the work?": "why is it that Ada Brandt led the work?"."""
    asked = re.match(r"\W*(who|what|which \w+)\s+(.+)", before.stem, re.IGNORECASE)
    subject = _answer_of(recalled)
    if not asked or not subject or _MANY.match(wh) or "who" in wh:
        return _joined(wh.capitalize(), before.about(recalled))
    return f"{wh} is it that {subject} {asked[2]}?"


def _counted(wh: str, asked: str, verb: str, rest: str, before: Asked) -> str | None:
    """ "How many?" of whom or what the question before has in the plural."""
    if re.fullmatch(r"\W*who", asked, re.IGNORECASE):
        return f"{wh} people {_SINGULAR.get(verb.lower(), verb.lower())} {rest}?"
    plural = next((m for m in before.mentions if m.plural and not m.named), None)
    if plural is None or asked:
        return None
    noun = re.sub(r"^the ", "", plural.text)
    left = f"{before.stem[: plural.start].rstrip()} {before.stem[plural.end :].lstrip()}".strip()
    return f"{wh} {noun} {left[:1].lower()}{left[1:]}?"


def _with_that(before: Asked, aux: Span, rest: str) -> str:
    """ "Did the council decide" with the "that" for what was asked of it."""
    tree = Tree(before.analysis)
    for i, token in enumerate(tree.tokens):
        governs = token.pos == "VERB" and any(
            tree.tokens[j].start < aux.start for j in tree.children[i]
        )
        if governs:
            cut = (
                token.end
                - len(before.text[: aux.end])
                - (len(before.stem[aux.end :]) - len(before.stem[aux.end :].lstrip()))
            )
            return f"{rest[:cut]} that{rest[cut:]}"
    return rest


def _auxiliary(before: Asked) -> Span | None:
    """The auxiliary that the question turns around, if it has one."""
    tokens = before.analysis.tokens
    for token in tokens[:8]:
        if token.pos == "AUX" and _AUXILIARY.fullmatch(token.text):
            return Span(token.start, token.end)
        if token.pos == "VERB" and token.dep == "ROOT":
            return None
    return None


def _is_object(before: Asked, aux: Span) -> bool:
    """Whether the wh-word is what something is done to: the subject stands behind the auxiliary."""
    return any(
        t.dep in {"nsubj", "nsubjpass"}
        and t.start >= aux.end
        and before.analysis.tokens[t.head].dep == "ROOT"
        for t in before.analysis.tokens
    )


def _answer_of(recalled: Recalled) -> str:
    return recalled.fullest(recalled.asked_for[0]) if recalled.asked_for else ""


# What is there


def _has_verb(analysis: Analysis) -> bool:
    verbs = (t for t in analysis.tokens if t.pos in {"VERB", "AUX"})
    return any(fold(token.text) != "according" for token in verbs)


def _names_its_matter(question: str, analysis: Analysis) -> bool:
    """Whether a few words are a search of their own: "Orrisk Yards job cuts"."""
    count = len(words(question))
    if count > _FRAGMENT_WORDS:
        return True
    return count > 1 and any(t.pos == "PROPN" and t.text[:1].isupper() for t in analysis.tokens)


def _named(question: str, analysis: Analysis) -> str | None:
    found = mentions(question, analysis)
    return found[0].text if found and found[0].named else None


def _joined(question: str, matter: str, by: str = ", in connection with ") -> str:
    return f"{question}{by}{matter}?" if matter else question


def _inside(inner: Mention, outer: Mention) -> bool:
    return inner is not outer and outer.start <= inner.start and inner.end <= outer.end


def _first(tree: Tree, i: int) -> int:
    return min([i, *(_first(tree, j) for j in tree.children[i])])


def _last(tree: Tree, i: int) -> int:
    return max([i, *(_last(tree, j) for j in tree.children[i])])
