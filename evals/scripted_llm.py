"""An OpenAI-compatible endpoint that says what it is told, when it is told, and notes the times.

`python -m evals.scripted_llm` serves it in a process of its own, so that its work is nobody else's.
Times are those of the machine's monotonic clock, which its processes share.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import sys
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

MODEL = "scripted"


@dataclass(frozen=True, slots=True)
class Script:
    """The replies, each in its pieces, by the question that a prompt has to contain for it.

    A reply begins `delay_s` after its request, once `together` requests are there, and up to
    `spread_s` later by chance; its pieces are due `interval_s` apart.
    """

    replies: Mapping[str, Sequence[str]]
    interval_s: float = 0.0
    delay_s: float = 0.0
    together: int = 1
    spread_s: float = 0.0

    def json(self) -> dict[str, Any]:
        """As `PUT /script` takes it."""
        return asdict(self)


@dataclass(slots=True)
class Said:
    """When a request came, and when each piece of its reply was sent."""

    asked: float
    sent: list[float] = field(default_factory=list)


class ScriptedLLM:
    """The endpoint's state: its script, and what it said to each request since.

    A reply's usage counts as many prompt tokens as there were requests until then: so its client
    knows which of them it was.
    """

    def __init__(self) -> None:
        self.script = Script({"": ["Nothing is known."]})
        self._begin()

    def application(self) -> Starlette:
        """`POST /v1/chat/completions`, `PUT /script` and `GET /said`."""
        routes = [
            Route("/v1/chat/completions", self._complete, methods=["POST"]),
            Route("/script", self._take_script, methods=["PUT"]),
            Route("/said", self._tell, methods=["GET"]),
        ]
        return Starlette(routes=routes)

    def _begin(self) -> None:
        self.said: list[Said] = []
        self._waiting = 0
        self._gate = asyncio.Event()

    async def _take_script(self, request: Request) -> Response:
        self.script = Script(**await request.json())
        self._begin()
        return Response(status_code=204)

    async def _tell(self, _: Request) -> Response:
        return JSONResponse([asdict(said) for said in self.said])

    async def _complete(self, request: Request) -> Response:
        asked = time.monotonic()
        body = await request.json()
        prompt = body["messages"][-1]["content"]
        replies = self.script.replies.items()
        pieces = next(pieces for question, pieces in replies if question in prompt)
        self.said.append(Said(asked))
        reply = self._reply(pieces, len(self.said))
        return StreamingResponse(reply, media_type="text/event-stream")

    async def _reply(self, pieces: Sequence[str], number: int) -> AsyncGenerator[str]:
        script, gate, said = self.script, self._gate, self.said[number - 1]
        yield _event([_choice({"role": "assistant", "content": ""})])
        self._waiting += 1
        if self._waiting >= script.together:
            gate.set()
        await gate.wait()
        due = time.monotonic() + script.delay_s + random.uniform(0.0, script.spread_s)
        for piece in pieces:
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            said.sent.append(time.monotonic())
            yield _event([_choice({"content": piece})])
            due += script.interval_s
        yield _event([_choice({}, "stop")])
        usage = {"prompt_tokens": number, "completion_tokens": len(pieces)}
        yield _event([], {**usage, "total_tokens": number + len(pieces)})
        yield "data: [DONE]\n\n"


def _choice(delta: dict[str, str], finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": delta, "finish_reason": finish}


def _event(choices: list[dict[str, Any]], usage: dict[str, int] | None = None) -> str:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL}
    return f"data: {json.dumps({**chunk, 'choices': choices, 'usage': usage})}\n\n"


async def serve() -> None:
    """Serve on a free port of this machine, told on stderr, until the process is ended."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        app = ScriptedLLM().application()
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        port = listener.getsockname()[1]
        print(f"The scripted LLM listens on http://127.0.0.1:{port}", file=sys.stderr, flush=True)
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    asyncio.run(serve())
