"""A scripted OpenAI-compatible server on a loopback port, for tests with the real `openai` client.

    with ScriptedLLM([Status(503), Reply("India said so. [A1]")]) as llm:
        ...  # ask llm.base_url; then look at llm.requests

Each request takes the next step of the script; the last step serves all further requests. A step
may be a function from the request to a step, to reply with what stands in the prompt.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.threaded import ThreadedServer

End = Literal["done", "close", "reset", "hang"]


@dataclass(frozen=True)
class Reply:
    """A streamed completion: `pieces` (a str is cut into words), then `end`.

    `done` finishes as OpenAI does; `close` ends the body without a word, `reset` breaks the
    connection, `hang` says nothing more until the client goes.
    """

    pieces: str | Sequence[str] = ()
    end: End = "done"
    finish: str | None = "stop"
    usage: tuple[int, int] | None = (11, 7)
    reasoning: Sequence[str] = ()  # sent before the pieces, as `delta.reasoning_content`


@dataclass(frozen=True)
class Status:
    """An error response; a Mapping is sent as OpenAI's `{"error": …}`, a str as it is."""

    code: int
    error: Mapping[str, Any] | str = field(default_factory=lambda: {"message": "scripted"})
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Any body, as one piece, with status 200."""

    body: bytes
    content_type: str = "text/event-stream"
    end: End = "done"


@dataclass(frozen=True)
class Silence:
    """No response at all: the connection is reset, or nothing is said until the client goes."""

    end: Literal["reset", "hang"]


@dataclass(frozen=True)
class Request:
    """What the client sent; `gone` is set once its connection has ended."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    gone: threading.Event = field(default_factory=threading.Event)


Step = Reply | Status | Raw | Silence
Script = Sequence[Step | Callable[[Request], Step]]


class ScriptedLLM(ThreadedServer):
    """The server, as a context manager."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        self.requests: list[Request] = []
        self.base_url = ""
        self._script = list(script)

    async def begin(self) -> None:
        """Listen at the one address."""
        self.base_url = f"http://{await self.listen(self._converse)}/v1"

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await _read_request(reader)
        self.requests.append(request)
        step = self._script[min(len(self.requests), len(self._script)) - 1]
        if callable(step):
            step = step(request)
        try:
            await _Response(reader, writer).send(step)
        finally:
            request.gone.set()


class _Response:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, step: Step) -> None:
        if isinstance(step, Silence):
            return await self._finish(step.end)
        if isinstance(step, Status):
            error = step.error
            body = error if isinstance(error, str) else json.dumps({"error": dict(error)})
            kind = "text/html" if isinstance(error, str) else "application/json"
            self._head(step.code, kind, step.headers)
            self._chunk(body.encode())
            return await self._finish("done")
        if isinstance(step, Raw):
            self._head(200, step.content_type)
            self._chunk(step.body)
            return await self._finish(step.end)
        self._head(200, "text/event-stream")
        for event in _events(step):
            self._chunk(event)
            await self._writer.drain()
        await self._finish(step.end)

    def _head(self, code: int, kind: str, headers: Mapping[str, str] | None = None) -> None:
        lines = [f"HTTP/1.1 {code} Scripted", f"Content-Type: {kind}", "Connection: close"]
        lines += ["Transfer-Encoding: chunked"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def _chunk(self, data: bytes) -> None:
        if data:
            self._writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    async def _finish(self, end: End) -> None:
        if end == "hang":
            await self._writer.drain()
            await self._reader.read()  # returns when the client closes its side
        elif end == "reset":
            await self._writer.drain()
            self._writer.transport.abort()
        else:
            self._writer.write(b"0\r\n\r\n")
            await self._writer.drain()


def _events(reply: Reply) -> list[bytes]:
    pieces = reply.pieces
    if isinstance(pieces, str):
        pieces = [word + " " for word in pieces.split(" ")[:-1]] + [pieces.rsplit(" ", 1)[-1]]
    deltas = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": thought} for thought in reply.reasoning]
    deltas += [{"content": piece} for piece in pieces]
    events = [_event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    if reply.end == "done":
        if reply.finish is not None:
            events.append(_event([{"index": 0, "delta": {}, "finish_reason": reply.finish}]))
        if reply.usage is not None:
            prompt, completion = reply.usage
            tokens = {"prompt_tokens": prompt, "completion_tokens": completion}
            events.append(_event([], usage={**tokens, "total_tokens": prompt + completion}))
        events.append(b"data: [DONE]\n\n")
    return events


def _event(choices: list[dict[str, Any]], **more: Any) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"data: " + json.dumps({**chunk, "choices": choices, **more}).encode() + b"\n\n"


async def _read_request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, json.loads(body) if body else None)
