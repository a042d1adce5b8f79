"""POST /v1/responses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import count

from fastapi import APIRouter, Depends, Request
from sse_starlette import ServerSentEvent
from starlette.responses import Response

from api.dependencies import Answers, PublicUrl, require_json
from api.encoders import Json
from api.openai import documents
from api.openai.errors import documented, error_of
from api.openai.requests import ResponsesRequest
from api.openai.writing import MODEL, Heading, Manuscript, cited
from api.problems import request_id_of
from api.streaming import document, server_sent, stream
from rag.types import Answer, AnswerEvent, Finished, PassagesFound, SentenceReady, Started, Usage

router = APIRouter(prefix="/v1/responses", tags=["openai"], dependencies=[Depends(require_json)])

STREAM = {
    "itemSchema": {
        "type": "object",
        "properties": {
            "event": {"type": "string"},
            "data": {"type": "string", "contentMediaType": "application/json"},
        },
        "required": ["event", "data"],
    },
    "example": (
        "event: response.output_text.delta\n"
        'data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_5f0c2d",'
        '"output_index":0,"content_index":0,"delta":"… [1]","logprobs":[]}\n\n'
        'event: response.completed\ndata: {"type":"response.completed",…}\n\n'
    ),
}


@router.post(
    "",
    operation_id="create_response",
    summary="Ask as OpenAI's Responses do",
    response_class=Response,
    responses={
        **documented(413, 415, 502, 503, 504),
        200: {
            "model": documents.Response,
            "description": "The answer; as a stream: `response.created`, …, then exactly one of "
            "`response.completed` and `error`",
            "content": {"text/event-stream": STREAM},
        },
    },
)
async def create_response(
    body: ResponsesRequest, request: Request, answers: Answers, public_url: PublicUrl
) -> Response:
    """Answer the last message of the user with cited sentences, or say the articles don't say."""
    events = answers(body.to_question())
    metadata = body.metadata or {}
    if body.stream:
        form = ResponsesForm(public_url, metadata)
        return stream(events, request_id_of(request), form=form)

    def encode(answer: Answer) -> Json:
        return completed(answer, Heading.of(answer.id), metadata, public_url)

    return await document(events, request, encode)


def completed(
    answer: Answer, heading: Heading, metadata: Mapping[str, str], public_url: str
) -> Json:
    """An answer as a response."""
    annotations = [_annotation(one) for one in cited(answer, public_url)]
    message = _message(heading, "completed", [_part(answer.text, annotations)])
    return _response(heading, "completed", metadata, [message], _usage(answer.usage))


class ResponsesForm:
    """An answer's events as those of a response, numbered in order."""

    def __init__(self, public_url: str, metadata: Mapping[str, str]) -> None:
        self._public_url = public_url
        self._metadata = metadata
        self._manuscript = Manuscript(public_url)
        self._heading = Heading.of("")
        self._number = count()
        self._annotations = count()

    def event(self, event: AnswerEvent) -> Iterable[ServerSentEvent]:
        """The events of a response that an answer's event gives."""
        match event:
            case Started(id=id_):
                self._heading = Heading.of(id_)
                yield from self._start()
            case PassagesFound():
                return
            case SentenceReady():
                yield from self._text(*self._manuscript.add(event))
            case Finished(answer=answer):
                yield from self._text(*self._manuscript.finish(answer))
                yield from self._end(answer)

    def failure(self, problem: Json) -> Iterable[ServerSentEvent]:
        """OpenAI's `error`, with what its clients look for: the fields, and all of them in one."""
        error = error_of(problem)[1]["error"]
        fields = {name: error[name] for name in ("code", "message", "param")}
        return [self._sent("error", {**fields, "error": error})]

    def _start(self) -> Iterable[ServerSentEvent]:
        response = _response(self._heading, "in_progress", self._metadata, [], None)
        item = _message(self._heading, "in_progress", [])
        yield self._sent("response.created", {"response": response})
        yield self._sent("response.in_progress", {"response": response})
        yield self._sent("response.output_item.added", {"output_index": 0, "item": item})
        yield self._placed("response.content_part.added", {"part": _part("", [])})

    def _text(self, text: str, citations: list[Json]) -> Iterable[ServerSentEvent]:
        if text:
            yield self._placed("response.output_text.delta", {"delta": text, "logprobs": []})
        for one in citations:
            yield self._placed(
                "response.output_text.annotation.added",
                {"annotation_index": next(self._annotations), "annotation": _annotation(one)},
            )

    def _end(self, answer: Answer) -> Iterable[ServerSentEvent]:
        response = completed(answer, self._heading, self._metadata, self._public_url)
        item = response["output"][0]
        done = {"text": answer.text, "logprobs": []}
        yield self._placed("response.output_text.done", done)
        yield self._placed("response.content_part.done", {"part": item["content"][0]})
        yield self._sent("response.output_item.done", {"output_index": 0, "item": item})
        yield self._sent("response.completed", {"response": response})

    def _placed(self, kind: str, fields: Json) -> ServerSentEvent:
        """An event about the message's text, the only one there is."""
        place = {"item_id": f"msg_{self._heading.key}", "output_index": 0, "content_index": 0}
        return self._sent(kind, {**place, **fields})

    def _sent(self, kind: str, fields: Json) -> ServerSentEvent:
        data = {"type": kind, "sequence_number": next(self._number), **fields}
        return server_sent(data, kind)


def _response(
    heading: Heading,
    status: str,
    metadata: Mapping[str, str],
    output: list[Json],
    usage: Json | None,
) -> Json:
    """A response with all fields that OpenAI's has; those that have no effect here are null."""
    return {
        "id": f"resp_{heading.key}",
        "object": "response",
        "created_at": heading.created,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "metadata": dict(metadata),
        "model": MODEL,
        "output": output,
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "reasoning": None,
        "store": False,
        "temperature": None,
        "text": {"format": {"type": "text"}},
        "tool_choice": "none",
        "tools": [],
        "top_p": None,
        "truncation": "disabled",
        "usage": usage,
    }


def _message(heading: Heading, status: str, content: list[Json]) -> Json:
    return {
        "id": f"msg_{heading.key}",
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": content,
    }


def _part(text: str, annotations: list[Json]) -> Json:
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": []}


def _annotation(citation: Json) -> Json:
    return {"type": "url_citation", **citation}


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
