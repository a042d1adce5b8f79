"""Every value that travels through Dateline, from the article to the answer's events.

The road: `Article` → `Chunk`s → (index) → `Passage`s → `Claim`s → `Verdict`s → `Sentence`s with
`Citation`s → `Answer`. All offsets are Unicode code points, `start` inclusive, `end` exclusive.
All dates are ISO 8601 strings (`YYYY-MM-DD`, optionally with a time), `None` where unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Support = Literal["exact", "supported"]
Status = Literal["answered", "abstained"]
Fallback = Literal["llm_unavailable", "llm_unsupported", "llm_refused"]
Role = Literal["user", "assistant"]


@dataclass(frozen=True, slots=True)
class Article:
    """One news article. Citation offsets point into `text`, which is stored as it was given."""

    id: str
    text: str
    url: str | None = None
    title: str | None = None
    outlet: str | None = None
    author: str | None = None
    published_at: str | None = None
    updated_at: str | None = None
    language: str | None = None
    source: str | None = None  # the file (and line) it was read from


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open range of code points in a text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of an article: `article.text[start:end] == text`."""

    id: str
    article_id: str
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Another article that carries a passage's text."""

    article_id: str
    outlet: str | None


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found for a question, with what is known of its article.

    `rank` counts from 1; `score` is the relevance in [0, 1]: a weighted sum of features that can be
    explained, comparable between questions too, unless a reranker had its say.
    """

    rank: int
    score: float
    article_id: str
    chunk_id: str
    text: str
    start: int
    end: int
    title: str | None = None
    outlet: str | None = None
    author: str | None = None
    published_at: str | None = None
    url: str | None = None
    copies: tuple[Copy, ...] = ()

    @classmethod
    def of(
        cls, rank: int, score: float, chunk: Chunk, article: Article, copies: tuple[Copy, ...] = ()
    ) -> Passage:
        """The passage that a chunk of an article is."""
        known = ("title", "outlet", "author", "published_at", "url")
        return cls(
            rank,
            score,
            article.id,
            chunk.id,
            *(chunk.text, chunk.start, chunk.end),
            **{name: getattr(article, name) for name in known},
            copies=copies,
        )


@dataclass(frozen=True, slots=True)
class Filters:
    """What the asker restricts a question to; dates are inclusive days, empty means no limit."""

    published_from: str | None = None
    published_to: str | None = None
    outlets: tuple[str, ...] = ()
    article_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Turn:
    """One earlier message of the conversation."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked, of which articles, as of which day."""

    text: str
    history: tuple[Turn, ...] = ()
    filters: Filters = field(default_factory=Filters)
    as_of: str | None = None


@dataclass(frozen=True, slots=True)
class Understood:
    """What Dateline read out of the question and its filters."""

    as_of: str | None = None
    published_from: str | None = None
    published_to: str | None = None
    outlets: tuple[str, ...] = ()
    latest: bool = False


@dataclass(frozen=True, slots=True)
class Period:
    """Inclusive days, open where None."""

    first: str | None = None
    last: str | None = None


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a question says of when, by whom and about what, read by rules.

    `understood` binds where the question's filters do, and is else the asker's wish: its dates
    span the `periods`, which are the days, months or ranges that are named one by one. `phrases`
    stood in quotation marks. `parts` are the whole question and, if it has several, what it asks.
    """

    understood: Understood
    periods: tuple[Period, ...]
    phrases: tuple[str, ...]
    names: tuple[str, ...]
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What retrieval found: the passages, best first, and the whole articles they stand in.

    `path` tells which vector search served: the index, or exact search over a filtered set.
    `confidence` is how likely the articles answer the question, in [0, 1], None if not estimated.
    `explained` has what each feature gave to a passage's score, by chunk id. `searched` is how many
    chunks the library holds.
    """

    passages: tuple[Passage, ...]
    articles: Mapping[str, Article]
    understood: Understood = field(default_factory=Understood)
    path: Literal["index", "exact"] = "exact"
    confidence: float | None = None
    understanding: Understanding | None = None
    explained: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    searched: int = 0


@dataclass(frozen=True, slots=True)
class Token:
    """A word of an analysed text, with its grammar in Universal Dependencies / spaCy terms."""

    text: str
    lemma: str  # lower case
    pos: str  # coarse part of speech: NOUN, PROPN, VERB, …
    dep: str  # dependency label: nsubj, dobj, …
    head: int  # index of the head token in the same analysis
    start: int
    end: int
    stop: bool


@dataclass(frozen=True, slots=True)
class Entity:
    """A named entity, number or date, with its OntoNotes label (PERSON, GPE, DATE, …)."""

    text: str
    label: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """The grammar of one text."""

    tokens: tuple[Token, ...]
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that wants to be shown, and the passages (by chunk id) that it says it rests on.

    `source` is set where the sentence was copied from a known place: (article_id, span).
    """

    text: str
    chunk_ids: tuple[str, ...] = ()
    source: tuple[str, Span] | None = None


@dataclass(frozen=True, slots=True)
class Quote:
    """The span of an article that backs a claim."""

    passage: Passage
    span: Span


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verification found: `support` is None for an unsupported claim; `reason` says why."""

    support: Support | None
    quotes: tuple[Quote, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quotation: `article.text[start:end] == quote`, with a little text around it."""

    number: int
    article_id: str
    chunk_id: str
    title: str | None
    outlet: str | None
    author: str | None
    published_at: str | None
    url: str | None
    quote: str
    start: int
    end: int
    prefix: str
    suffix: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A verified sentence of an answer: `answer.text[start:end] == text`."""

    text: str
    start: int
    end: int
    support: Support
    citations: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sides of one matter on which articles differ, each by its citation numbers."""

    kind: Literal["changed", "disagree"]
    sides: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class PromptVersion:
    """Which prompt template made an answer."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the LLM endpoint counts them; zeros without an LLM."""

    prompt_tokens: int = 0
    completion_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
        )


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds spent on an answer."""

    retrieve: int = 0
    generate: int = 0
    total: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reader gets: every sentence cited and verified, or an abstention."""

    id: str
    question: str
    status: Status
    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]
    nearest: tuple[Passage, ...]
    withheld: int
    understood: Understood
    standalone_question: str
    fallback: Fallback | None
    prompt: PromptVersion | None
    model: str
    conflicts: tuple[Conflict, ...] = ()
    usage: Usage = field(default_factory=Usage)
    timings_ms: Timings = field(default_factory=Timings)


# The events of one answer, in order: Started, PassagesFound, SentenceReady…, Finished.


@dataclass(frozen=True, slots=True)
class Started:
    """The question was accepted."""

    id: str
    question: str


@dataclass(frozen=True, slots=True)
class PassagesFound:
    """Retrieval is done."""

    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True)
class SentenceReady:
    """A sentence passed verification; `new_citations` are those that it introduces."""

    index: int
    sentence: Sentence
    new_citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer; always the last event of an answer that did not fail."""

    answer: Answer


AnswerEvent = Started | PassagesFound | SentenceReady | Finished


@dataclass(frozen=True, slots=True)
class Skipped:
    """A file or article that could not be taken in, and why."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, by article: counts, and every failure with its reason."""

    added: int = 0
    replaced: int = 0
    unchanged: int = 0
    pruned: int = 0
    chunks: int = 0
    ignored: int = 0  # files in folders that are no article format
    failed: tuple[Skipped, ...] = ()
