"""What OpenAI's clients send, and the question in it.

Parameters that are not here change nothing. Those that ask for another kind of answer, which
cannot be given, are refused. The fields `filters` and `as_of` are ours, as in /v1/ask.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

from fastapi.exceptions import RequestValidationError
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    WithJsonSchema,
)
from pydantic import model_validator as check
from pydantic_core import PydanticCustomError

from api import schemas
from rag.types import Question

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]
Text = Annotated[str, Field(max_length=1_000_000)]  # a body is no longer
Name = Annotated[str, Field(max_length=1_000)]

_ASKED = "What did India say about terrorism?"


def _honoured(test: Callable[[Any], bool], why: str) -> AfterValidator:
    """A check that a value asks for nothing that cannot be done."""

    def validate(value: Any) -> Any:
        if not test(value):
            raise PydanticCustomError("unsupported_value", "is not supported: {why}", {"why": why})
        return value

    return AfterValidator(validate)


def _needs_no_tool(choice: Any) -> bool:
    if not isinstance(choice, dict):
        return choice in (None, "auto", "none")
    allowed = choice.get("allowed_tools", choice)
    mode = allowed.get("mode") if isinstance(allowed, dict) else None
    return choice.get("type") == "allowed_tools" and mode == "auto"


def _is_plain(wanted: Any) -> bool:
    return wanted is None or (isinstance(wanted, dict) and wanted.get("type") == "text")


_EMPTY = WithJsonSchema({"enum": [None, False, 0, "", []]})
_PLAIN = WithJsonSchema(
    {
        "anyOf": [
            {"type": "object", "properties": {"type": {"const": "text"}}, "required": ["type"]},
            {"type": "null"},
        ]
    }
)
Unkept = Annotated[
    Any,
    _honoured(lambda given: not given, "nothing is kept; send the conversation's earlier messages"),
    _EMPTY,
]
Unable = Annotated[
    Any, _honoured(lambda given: not given, "an answer is made of the articles' words"), _EMPTY
]
AtOnce = Annotated[
    Any, _honoured(lambda given: not given, "an answer is given at once, or streamed"), _EMPTY
]
One = Annotated[
    Any,
    _honoured(lambda given: given in (None, 1), "a question has one answer"),
    WithJsonSchema({"enum": [None, 1]}),
]
ToolChoice = Annotated[
    Any,
    _honoured(_needs_no_tool, "tools are ignored, so none can be required"),
    WithJsonSchema({"enum": [None, "auto", "none"]}),
]
PlainFormat = Annotated[Any, _honoured(_is_plain, "an answer is plain text"), _PLAIN]
Modalities = Annotated[
    Any,
    _honoured(lambda given: given in (None, [], ["text"]), "an answer is plain text"),
    WithJsonSchema({"enum": [None, [], ["text"]]}),
]


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class Part(_Request):
    """A part of a message: text; `refusal` parts, of an assistant, are passed over."""

    type: Literal["text", "input_text", "output_text", "refusal"]
    text: Text = ""

    @check(mode="before")
    @classmethod
    def _is_readable(cls, part: Any) -> Any:
        kind = part.get("type") if isinstance(part, dict) else None
        if isinstance(kind, str) and any(word in kind for word in ("image", "audio", "file")):
            raise PydanticCustomError(
                "unsupported_value", "{kind} cannot be read; send text", {"kind": kind[:100]}
            )
        return part


def _as_parts(content: Any) -> Any:
    if content is None:
        return []
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


Content = Annotated[
    list[Part], BeforeValidator(_as_parts, json_schema_input_type=Text | list[Part] | None)
]


class Message(_Request):
    """A message of the conversation; only those of the user and the assistant are read."""

    role: Role
    content: Content = []

    @property
    def text(self) -> str:
        """What it says."""
        return "\n".join(part.text for part in self.content if part.text)


class Item(_Request):
    """An item of a Responses input; what is no message is passed over."""

    type: Name | None = None
    role: Role | None = None
    content: Content = []

    @check(mode="before")
    @classmethod
    def _only_messages(cls, item: Any) -> Any:
        if isinstance(item, dict) and item.get("type") not in (None, "message"):
            return {"type": item["type"]}
        return item

    def message(self) -> Message:
        """The message that it is; of a role that nobody reads, if it is none."""
        return Message.model_construct(role=self.role or "tool", content=self.content)


class StreamOptions(_Request):
    """How to stream."""

    include_usage: StrictBool | None = Field(None, description="send usage in a last chunk")


class TextOptions(_Request):
    """How to write."""

    format: PlainFormat = None


class _Asking(_Request):
    model: Name | None = Field(
        None, description="any name; the model that answers is `dateline`", examples=["dateline"]
    )
    stream: StrictBool | None = Field(None, description="answer as server-sent events")
    tool_choice: ToolChoice = None
    top_logprobs: Unable = None
    filters: schemas.Filters | None = Field(None, description="ours: as in /v1/ask")
    as_of: schemas.Day | None = Field(None, description="ours: as in /v1/ask")


class ChatRequest(_Asking):
    """A question as OpenAI's Chat Completions ask it."""

    messages: list[Message] = Field(
        min_length=1,
        max_length=2_000,
        description="the last one of the user is the question; system messages are ignored",
        examples=[[{"role": "user", "content": _ASKED}]],
    )
    stream_options: StreamOptions | None = None
    n: One = None
    response_format: PlainFormat = None
    modalities: Modalities = None
    audio: Unable = None
    logprobs: Unable = None
    stop: Unable = None
    function_call: ToolChoice = None

    def to_question(self) -> Question:
        """The question in its conversation. Raises RequestValidationError if there is none."""
        return _question(self.messages, "messages", self)


def _as_items(given: Any) -> Any:
    return [{"role": "user", "content": given}] if isinstance(given, str) else given


class ResponsesRequest(_Asking):
    """A question as OpenAI's Responses ask it."""

    input: Annotated[
        list[Item], BeforeValidator(_as_items, json_schema_input_type=Text | list[Item])
    ] = Field(
        min_length=1,
        max_length=2_000,
        description="the question; of several messages, the last one of the user",
        examples=[_ASKED],
    )
    text: TextOptions | None = None
    metadata: dict[Name, Name] | None = Field(None, description="given back as it is")
    previous_response_id: Unkept = None
    conversation: Unkept = None
    prompt: Unkept = None
    background: AtOnce = None

    def to_question(self) -> Question:
        """The question in its conversation. Raises RequestValidationError if there is none."""
        return _question([item.message() for item in self.input], "input", self)


def _question(messages: Sequence[Message], field: str, asking: _Asking) -> Question:
    last = max((i for i, one in enumerate(messages) if one.role == "user"), default=None)
    if last is None:
        raise _invalid((field,), "missing", "a message of the user is needed, to answer it")
    history = [
        {"role": one.role, "content": one.text}
        for one in messages[:last]
        if one.role in ("user", "assistant") and one.text
    ]
    try:
        asked = schemas.AskRequest.model_validate(
            {"question": messages[last].text, "history": history}
        )
    except ValidationError as error:
        first = error.errors()[0]
        at_question = first["loc"][:1] == ("question",)
        where = (field, last, "content") if at_question else (field,)
        raise _invalid(where, first["type"], first["msg"]) from None
    question = asked.to_question()
    filters = asking.filters.to_filters() if asking.filters else question.filters
    return Question(question.text, question.history, filters, asking.as_of)


def _invalid(where: tuple[str | int, ...], kind: str, message: str) -> RequestValidationError:
    return RequestValidationError([{"type": kind, "loc": ("body", *where), "msg": message}])
