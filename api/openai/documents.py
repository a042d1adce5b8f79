"""What OpenAI's clients get, as the OpenAPI document describes it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorDetail(_Document):
    """What went wrong."""

    message: str
    type: str = Field(examples=["invalid_request_error"])
    param: str | None = Field(examples=["messages[0].content"])
    code: str | None = Field(examples=["invalid_value"])


class Error(_Document):
    """An error, in OpenAI's shape."""

    error: ErrorDetail


class Model(_Document):
    """A model that can be asked."""

    id: str = Field(examples=["dateline"])
    object: Literal["model"]
    created: int
    owned_by: str = Field(examples=["dateline"])


class ModelList(_Document):
    """The models that can be asked."""

    object: Literal["list"]
    data: list[Model]


class Cited(_Document):
    """A sentence's source. `text[start_index:end_index]` is the sentence; the article's text has
    `quote` at `source_start` to `source_end`. All in Unicode code points."""

    url: str = Field(description="the article's, else that of its reading page, at the quote")
    title: str
    start_index: int = Field(ge=0)
    end_index: int = Field(ge=0)
    quote: str
    article_id: str
    source_start: int = Field(ge=0)
    source_end: int = Field(ge=0)
    outlet: str | None
    published_at: str | None


class ChatAnnotation(_Document):
    """An annotation of a chat message."""

    type: Literal["url_citation"]
    url_citation: Cited


class ChatMessage(_Document):
    """The answer, or the abstention, which has no annotations."""

    role: Literal["assistant"]
    content: str
    refusal: None
    annotations: list[ChatAnnotation]


class Choice(_Document):
    """The only one."""

    index: Literal[0]
    message: ChatMessage
    logprobs: None
    finish_reason: Literal["stop"]


class ChatUsage(_Document):
    """Tokens as the LLM counts them; zeros without an LLM."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(_Document):
    """An answer as a chat completion."""

    id: str = Field(description="`chatcmpl-…`; the answer's id is `ans_…`")
    object: Literal["chat.completion"]
    created: int
    model: str = Field(examples=["dateline"])
    choices: list[Choice] = Field(min_length=1, max_length=1)
    usage: ChatUsage


class Annotation(Cited):
    """An annotation of an output text."""

    type: Literal["url_citation"]


class OutputText(_Document):
    """The answer, or the abstention, which has no annotations."""

    type: Literal["output_text"]
    text: str
    annotations: list[Annotation]
    logprobs: list[None] = Field(max_length=0)


class OutputMessage(_Document):
    """The only item of a response."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    status: Literal["completed"]
    content: list[OutputText] = Field(min_length=1, max_length=1)


class InputDetails(_Document):
    """Zeros: nothing is cached."""

    cached_tokens: int
    cache_write_tokens: int


class OutputDetails(_Document):
    """Zero: thoughts are not counted apart."""

    reasoning_tokens: int


class ResponseUsage(_Document):
    """Tokens as the LLM counts them; zeros without an LLM."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


class Response(_Document):
    """An answer as a response. Beside what is listed, parameters that have no effect are null."""

    model_config = ConfigDict(extra="allow")

    id: str = Field(description="`resp_…`; the answer's id is `ans_…`")
    object: Literal["response"]
    created_at: int
    status: Literal["completed"]
    model: str = Field(examples=["dateline"])
    output: list[OutputMessage] = Field(min_length=1, max_length=1)
    usage: ResponseUsage
    metadata: dict[str, str]
