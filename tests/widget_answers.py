"""Articles and answers about them: what the scripted service tells the widget, state by state."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import replace

from rag.types import (
    Answer,
    AnswerEvent,
    Article,
    Citation,
    Conflict,
    Finished,
    Passage,
    PassagesFound,
    Sentence,
    SentenceReady,
    Started,
)
from tests.fakes import abstention

AROUND = 32
"""So many characters of the article stand before and after a citation's quote."""

_FILLER = "\n\n".join(
    f"Paragraph {number} of the report tells of the harbour, of its ferries and of the weather, "
    "which was what it usually is on this coast at this time of the year."
    for number in range(1, 25)
)

TOLERANCE = "I conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism."
MOSCOW = Article(
    "moscow",
    f"MOSCOW — The ministers met on Tuesday.\n\n{_FILLER}\n\n“{TOLERANCE} We agreed to act "
    f"together,” the minister said.\n\n{_FILLER}",
    url="https://news.example/moscow?id=1",
    title="India and Russia stress their ties",
    outlet="The Daily",
    author="R. Anand",
    published_at="2025-01-24",
    language="en",
)
FERRIES = "The ferries will run every ten minutes from May on."
FERRY = Article(
    "ferry",
    f"{FERRIES} The harbour board voted for it by five to two.\n\n{_FILLER}",
    title="More ferries",
    outlet="Harbour Post",
    published_at="2025-03-02",
)
COST_84 = "The bridge cost 84 million crowns."
COST_97 = "The bridge cost 97 million crowns, the auditors found."
BRIDGE = Article(
    "bridge",
    f"{COST_84} It was opened by the mayor.",
    url="https://daily.example/bridge",
    title="Bridge opens",
    outlet="The Daily",
    published_at="2025-08-21",
)
AUDIT = Article(
    "audit",
    f"The auditors are done. {COST_97}",
    url="https://post.example/audit",
    title="What the bridge cost",
    outlet="Harbour Post",
    published_at="2025-09-30",
)

# Code points are not UTF-16 units: before and in these quotes stand characters of two units and
# more, letters of two code points, and letters that go from right to left.

FAMILY = "👩‍👩‍👧‍👦"
EMOJI_QUOTE = f"We are {FAMILY} and proud 🇮🇳🎉, said the mayor of 𝔏eipzig."
COMBINED_QUOTE = unicodedata.normalize(
    "NFD", "Größe, élan and naïveté: क्षत्रिय said no to Ångström."
)
ARABIC_QUOTE = "قالت الوزيرة إنّ العبّارات ستعمل كلّ عشر دقائق ابتداءً من مايو."
STRANGE = {
    "emoji": Article(
        "emoji",
        f"😀 {FAMILY} {_FILLER} 🎈🎈🎈\n\n{EMOJI_QUOTE} 🎈 And more 😀.\n\n{_FILLER}",
        title="Emoji 🎉",
        outlet="Der 𝔗ag",
        published_at="2025-04-01",
    ),
    "combining": Article(
        "combining",
        unicodedata.normalize("NFD", f"É é Å å — {_FILLER} ñ\n\n")
        + COMBINED_QUOTE
        + unicodedata.normalize("NFD", f" Ça, déjà vu.\n\n{_FILLER}"),
        title="Ångström",
        outlet="La Voix",
        published_at="2025-04-02",
    ),
    "arabic": Article(
        "arabic",
        f"الميناء (رويترز) — 😀 اجتمع المجلس يوم الثلاثاء.\n\n{_FILLER}\n\n"
        f"{ARABIC_QUOTE} ثم غادرت.",
        url="https://akhbar.example/عبّارات",
        title="المزيد من العبّارات",
        outlet="صوت الميناء",
        published_at="2025-04-03",
        language="ar",
    ),
}
STRANGE_QUOTES = {"emoji": EMOJI_QUOTE, "combining": COMBINED_QUOTE, "arabic": ARABIC_QUOTE}

ARTICLES = {a.id: a for a in (MOSCOW, FERRY, BRIDGE, AUDIT, *STRANGE.values())}


def cite(number: int, article: Article, quote: str) -> Citation:
    """The citation of a quote that stands in the article."""
    start = article.text.index(quote)
    end = start + len(quote)
    return Citation(
        number,
        article.id,
        f"{article.id}:0",
        *(article.title, article.outlet, article.author, article.published_at, article.url),
        quote,
        start,
        end,
        article.text[max(0, start - AROUND) : start],
        article.text[end : end + AROUND],
    )


def passage(rank: int, article: Article, text: str) -> Passage:
    """The passage of an article that is this text."""
    start = article.text.index(text)
    return Passage(
        rank,
        1 / rank,
        article.id,
        f"{article.id}:0",
        text,
        start,
        start + len(text),
        *(article.title, article.outlet, article.author, article.published_at, article.url),
    )


def answered(question: str, *told: tuple[str, Sequence[Citation]]) -> Answer:
    """The answer of these sentences, each with its citations."""
    text, sentences, citations = "", [], {}
    for words, cited in told:
        start = len(text) + bool(text)
        numbers = tuple(citation.number for citation in cited)
        markers = "".join(f"[{number}]" for number in numbers)
        text = f"{text} {words} {markers}".strip()
        sentences.append(Sentence(words, start, start + len(words), "supported", numbers))
        citations.update({citation.number: citation for citation in cited})
    return replace(
        abstention(question),
        id=f"ans_{zlib.crc32(question.encode()):08x}",
        status="answered",
        text=text,
        sentences=tuple(sentences),
        citations=tuple(citations.values()),
    )


def events(answer: Answer, *found: Passage) -> list[AnswerEvent]:
    """The stream of an answer, after these passages were found."""
    by_number = {citation.number: citation for citation in answer.citations}
    stream: list[AnswerEvent] = [Started(answer.id, answer.question), PassagesFound(found)]
    for index, sentence in enumerate(answer.sentences):
        new = [by_number.pop(number) for number in sentence.citations if number in by_number]
        stream.append(SentenceReady(index, sentence, tuple(new)))
    return [*stream, Finished(answer)]


FOUND = (passage(1, MOSCOW, TOLERANCE), passage(2, FERRY, FERRIES))

TERRORISM = "What did India say about terrorism?"
TWO_SOURCES = answered(
    TERRORISM,
    (f"The minister said: “{TOLERANCE}”", [cite(1, MOSCOW, TOLERANCE)]),
    ("Ferries will run every ten minutes from May on.", [cite(2, FERRY, FERRIES)]),
)
CUP = "Who won the cup?"
NOT_THERE = replace(abstention(CUP), nearest=FOUND)
COST = "What did the bridge cost?"
DISAGREEING = replace(
    answered(COST, (COST_84, [cite(1, BRIDGE, COST_84)]), (COST_97, [cite(2, AUDIT, COST_97)])),
    conflicts=(Conflict("disagree", ((1,), (2,))),),
)
WITHHOLDING = replace(TWO_SOURCES, question="Was anything withheld?", withheld=3)
FALLEN_BACK = replace(TWO_SOURCES, question="Was it the model?", fallback="llm_unavailable")
STRANGE_ANSWERS = {
    name: answered(f"What says {name}?", (quote, [cite(1, STRANGE[name], quote)]))
    for name, quote in STRANGE_QUOTES.items()
}
MOVED = answered("Where does it stand?", (TOLERANCE, [cite(1, MOSCOW, TOLERANCE)]))
"""Of an article that has changed since: see `MOVED_ARTICLE`."""
MOVED_ARTICLE = replace(MOSCOW, text=f"Corrected. {MOSCOW.text}")
