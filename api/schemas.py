"""What travels over HTTP: requests are checked against these models, responses described by them.

Null means the same as leaving a field out. A field that no model has is refused, so that a
misspelt filter does not silently filter nothing.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, StrictInt
from pydantic import model_validator as check

from rag import types

ID_PATTERN = "^[A-Za-z0-9._:-]{1,128}$"

# A length limit makes pydantic refuse half surrogate pairs too, which no encoding can carry.
Name = Annotated[str, Field(min_length=1, max_length=1_000)]


def _iso_day(value: str) -> str:
    """The value, if it is a day as YYYY-MM-DD; raises ValueError if not."""
    if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("should be a date as YYYY-MM-DD")
    date.fromisoformat(value)
    return value


def _not_blank(value: str) -> str:
    """The value, if anything can be read in it; raises ValueError if not."""
    if not value.strip():
        raise ValueError("should not be blank")
    return value


Day = Annotated[
    str,
    Field(max_length=10, json_schema_extra={"format": "date"}, examples=["2025-08-21"]),
    AfterValidator(_iso_day),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Turn(_Request):
    """An earlier message of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Field(max_length=100_000)]


class Filters(_Request):
    """Which articles to ask; what is not given limits nothing."""

    published_from: Day | None = Field(None, description="first day of publication, inclusive")
    published_to: Day | None = Field(None, description="last day of publication, inclusive")
    outlets: list[Name] | None = Field(None, max_length=1_000, description="any of these outlets")
    article_ids: list[Name] | None = Field(
        None, max_length=1_000, description="any of these articles"
    )

    @check(mode="after")
    def _in_order(self) -> Self:
        if self.published_from and self.published_to and self.published_from > self.published_to:
            raise ValueError(
                f"published_from ({self.published_from}) should not be after "
                f"published_to ({self.published_to})"
            )
        return self

    def to_filters(self) -> types.Filters:
        """The same as a domain value."""
        return types.Filters(
            published_from=self.published_from,
            published_to=self.published_to,
            outlets=tuple(self.outlets or ()),
            article_ids=tuple(self.article_ids or ()),
        )


class AskRequest(_Request):
    """A question to the articles."""

    question: Annotated[str, AfterValidator(_not_blank)] = Field(
        min_length=1,
        max_length=2_000,
        description="in any words; not blank",
        examples=["What did India say about terrorism?"],
        json_schema_extra={"pattern": r"\S"},
    )
    history: list[Turn] | None = Field(
        None, max_length=1_000, description="the conversation so far, oldest first"
    )
    filters: Filters | None = None
    as_of: Day | None = Field(
        None, description="leave out articles published after this day; undated ones stay"
    )
    stream: StrictBool = Field(
        False, description="answer as server-sent events, as `Accept: text/event-stream` does"
    )

    def to_question(self) -> types.Question:
        """The same as a domain value."""
        return types.Question(
            text=self.question,
            history=tuple(types.Turn(turn.role, turn.content) for turn in self.history or ()),
            filters=self.filters.to_filters() if self.filters else types.Filters(),
            as_of=self.as_of,
        )


class SearchRequest(AskRequest):
    """A question whose passages alone are wanted; `stream` has no effect."""

    limit: StrictInt = Field(10, ge=1, le=100, description="most passages to return")


class FeedbackRequest(_Request):
    """What a reader says of an answer."""

    answer_id: str = Field(pattern=ID_PATTERN, examples=["ans_5f0c2d"])
    rating: Literal["up", "down"]
    reason: str | None = Field(
        None, max_length=200, description="why, in a word or two", examples=["outdated"]
    )
    note: str | None = Field(None, max_length=4_000, description="anything else, in any words")


class _Response(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Copy(_Response):
    """Another article that carries a passage's text."""

    article_id: str
    outlet: str | None


class Source(_Response):
    """What is known of the article that something was found in; unknown fields are null."""

    article_id: str
    chunk_id: str = Field(description="the piece of the article that was found")
    title: str | None
    outlet: str | None
    author: str | None
    published_at: str | None = Field(description="ISO 8601", examples=["2025-08-21"])
    url: str | None


class Passage(Source):
    """A piece of an article: `article.text[start:end] == text`, in code points."""

    rank: int = Field(ge=1, description="1 is the best")
    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    copies: list[Copy]


class Citation(Source):
    """A verbatim quotation: `article.text[start:end] == quote`, in code points."""

    number: int = Field(ge=1, description="1, 2, … in order of first use")
    quote: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    prefix: str = Field(description="a little text before the quote")
    suffix: str = Field(description="a little text after the quote")


class Sentence(_Response):
    """A verified sentence: `answer.text[start:end] == text`; its markers stand after it."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    support: Literal["exact", "supported"] = Field(
        description="`exact`: the sentence is its quote, but for the speaker and quotation marks"
    )
    citations: list[int] = Field(min_length=1, description="numbers of its citations")


class Conflict(_Response):
    """Two sides of a matter on which articles differ, each by its citation numbers."""

    kind: Literal["changed", "disagree"] = Field(
        description="`changed`: the later article knows more; the older side stands first. "
        "`disagree`: nothing speaks for a change"
    )
    sides: list[list[int]] = Field(
        min_length=2, max_length=2, description="the numbers of the citations of either side"
    )


class Understood(_Response):
    """What was read out of the question and its filters."""

    as_of: str | None
    published_from: str | None
    published_to: str | None
    outlets: list[str]
    latest: bool


class Prompt(_Response):
    """The prompt template that made an answer."""

    name: str
    version: str


class Usage(_Response):
    """Tokens as the LLM counts them; zeros without an LLM."""

    prompt_tokens: int
    completion_tokens: int


class Timings(_Response):
    """Milliseconds."""

    retrieve: int
    generate: int
    total: int


class Answer(_Response):
    """An answer whose every sentence is cited, or an abstention with the nearest passages."""

    id: str = Field(examples=["ans_5f0c2d"])
    question: str
    status: Literal["answered", "abstained"]
    text: str = Field(description="the sentences with their citation markers, as `[1]`")
    sentences: list[Sentence]
    citations: list[Citation]
    nearest: list[Passage] = Field(max_length=3, description="of an abstention")
    conflicts: list[Conflict] = Field(
        description="where the cited articles differ in a number, a date, a name or a denial"
    )
    withheld: int = Field(
        ge=0, description="sentences not shown: their passages don't support them"
    )
    understood: Understood
    standalone_question: str = Field(description="the question as understood from the history")
    fallback: Literal["llm_unavailable", "llm_unsupported", "llm_refused"] | None = Field(
        description="why the articles' own sentences are given instead of the LLM's"
    )
    prompt: Prompt | None
    model: str = Field(examples=["extractive"])
    usage: Usage
    timings_ms: Timings


class Feedback(_Response):
    """What a reader said of an answer; it stays when the answer is gone."""

    id: str = Field(examples=["fb_5f0c2d"])
    answer_id: str
    rating: Literal["up", "down"]
    reason: str | None
    note: str | None
    created_at: str = Field(description="ISO 8601, UTC", examples=["2025-08-21T09:30:00+00:00"])
    question: str | None = Field(description="the answer's, null once that is gone")
    status: Literal["answered", "abstained"] | None = Field(
        description="the answer's, null once that is gone"
    )


class FeedbackPage(_Response):
    """Some feedback, the newest first, and where to go on."""

    feedback: list[Feedback]
    next: str | None = Field(description="pass it as `after` for the next page; null at the end")


class SearchResults(_Response):
    """Passages, best first."""

    passages: list[Passage]
    understood: Understood


class ArticleSummary(_Response):
    """What is known of an article; unknown fields are null."""

    id: str
    url: str | None
    title: str | None
    outlet: str | None
    author: str | None
    published_at: str | None = Field(description="ISO 8601")
    updated_at: str | None = Field(description="ISO 8601")
    language: str | None


class Article(ArticleSummary):
    """An article with the exact text that citation offsets point into."""

    text: str


class ArticlePage(_Response):
    """Some articles, and where to go on."""

    articles: list[ArticleSummary]
    next: str | None = Field(description="pass it as `after` for the next page; null at the end")


class Health(_Response):
    """The process is alive."""

    status: Literal["ok"]


class Readiness(_Response):
    """Whether questions can be answered, and the state of each part."""

    status: Literal["ready", "degraded", "unavailable"]
    parts: dict[str, str] = Field(
        description="each `ok`, `degraded` or `down`; what follows a colon says more",
        examples=[
            {"library": "ok: 3 articles", "index": "degraded: being rebuilt, exact search serves"}
        ],
    )


class Problem(BaseModel):
    """An error, as RFC 9457 defines it."""

    type: str = Field(examples=["urn:dateline:problem:not-found"])
    title: str = Field(examples=["Nothing is stored under this id"])
    status: int = Field(ge=400, le=599, examples=[404])
    detail: str
    request_id: str = Field(description="that of the response's X-Request-ID header")
