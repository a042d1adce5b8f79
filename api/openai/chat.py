"""POST /v1/chat/completions."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Depends, Request
from sse_starlette import ServerSentEvent
from starlette.responses import Response

from api.dependencies import Answers, PublicUrl, require_json
from api.encoders import Json
from api.openai import documents
from api.openai.errors import documented, error_of
from api.openai.requests import ChatRequest
from api.openai.writing import MODEL, Heading, Manuscript, cited
from api.problems import request_id_of
from api.streaming import document, server_sent, stream
from rag.types import Answer, AnswerEvent, Finished, PassagesFound, SentenceReady, Started, Usage

router = APIRouter(prefix="/v1/chat", tags=["openai"], dependencies=[Depends(require_json)])

STREAM = {
    "itemSchema": {
        "type": "object",
        "properties": {"data": {"type": "string"}},
        "required": ["data"],
    },
    "example": (
        'data: {"id":"chatcmpl-5f0c2d","object":"chat.completion.chunk","created":1763800000,'
        '"model":"dateline","choices":[{"index":0,"delta":{"content":"… [1]","annotations":[…]},'
        '"logprobs":null,"finish_reason":null}]}\n\ndata: [DONE]\n\n'
    ),
}


@router.post(
    "/completions",
    operation_id="create_chat_completion",
    summary="Ask as OpenAI's Chat Completions do",
    response_class=Response,
    responses={
        **documented(413, 415, 502, 503, 504),
        200: {
            "model": documents.ChatCompletion,
            "description": "The answer; as a stream: chunks, then `[DONE]`, or an `error`",
            "content": {"text/event-stream": STREAM},
        },
    },
)
async def create_chat_completion(
    body: ChatRequest, request: Request, answers: Answers, public_url: PublicUrl
) -> Response:
    """Answer the last message of the user with cited sentences, or say the articles don't say."""
    events = answers(body.to_question())
    if body.stream:
        with_usage = bool(body.stream_options and body.stream_options.include_usage)
        form = ChatForm(public_url, with_usage=with_usage)
        return stream(events, request_id_of(request), form=form)
    return await document(events, request, lambda answer: completion(answer, public_url))


def completion(answer: Answer, public_url: str) -> Json:
    """An answer as a chat completion."""
    message = {
        "role": "assistant",
        "content": answer.text,
        "refusal": None,
        "annotations": [_annotation(one) for one in cited(answer, public_url)],
    }
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {
        **_head(Heading.of(answer.id), "chat.completion"),
        "choices": [choice],
        "usage": _usage(answer.usage),
    }


class ChatForm:
    """An answer's events as chunks: its role, each sentence with its annotations, the end."""

    def __init__(self, public_url: str, *, with_usage: bool) -> None:
        self._manuscript = Manuscript(public_url)
        self._with_usage = with_usage
        self._heading = Heading.of("")
        self._annotations = 0

    def event(self, event: AnswerEvent) -> Iterable[ServerSentEvent]:
        """The chunks of an event."""
        match event:
            case Started(id=id_):
                self._heading = Heading.of(id_)
                yield self._chunk({"role": "assistant", "content": "", "refusal": None})
            case PassagesFound():
                return
            case SentenceReady():
                yield from self._text(*self._manuscript.add(event))
            case Finished(answer=answer):
                yield from self._text(*self._manuscript.finish(answer))
                yield self._chunk({}, "stop")
                if self._with_usage:
                    yield self._sent([], _usage(answer.usage))
                yield ServerSentEvent("[DONE]", sep="\n")

    def failure(self, problem: Json) -> Iterable[ServerSentEvent]:
        """OpenAI's error, as the last chunk."""
        return [server_sent(error_of(problem)[1])]

    def _text(self, text: str, citations: list[Json]) -> Iterable[ServerSentEvent]:
        if not (text or citations):
            return
        delta: Json = {"content": text}
        if citations:
            # The index lets clients that gather a message from its deltas append to the list.
            delta["annotations"] = [
                {"index": index, **_annotation(one)}
                for index, one in enumerate(citations, start=self._annotations)
            ]
            self._annotations += len(citations)
        yield self._chunk(delta)

    def _chunk(self, delta: Json, finish_reason: str | None = None) -> ServerSentEvent:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return self._sent([choice], None)

    def _sent(self, choices: list[Json], usage: Json | None) -> ServerSentEvent:
        chunk = {**_head(self._heading, "chat.completion.chunk"), "choices": choices}
        return server_sent({**chunk, "usage": usage} if self._with_usage else chunk)


def _head(heading: Heading, kind: str) -> Json:
    return {
        "id": f"chatcmpl-{heading.key}",
        "object": kind,
        "created": heading.created,
        "model": MODEL,
    }


def _annotation(citation: Json) -> Json:
    return {"type": "url_citation", "url_citation": citation}


def _usage(usage: Usage) -> Json:
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
