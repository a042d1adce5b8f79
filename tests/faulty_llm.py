"""An OpenAI-compatible server that goes wrong in every way we know of, over plain sockets.

    with FaultyLLM() as llm:
        ...  # ask llm.address("reset mid-stream"); then look at llm.elsewhere

The fault is chosen by the address, so one server serves all of them at once. A fault is what is
sent after the request was read: bytes, or a function that writes; then the connection is closed.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from typing import Any
from urllib.parse import quote, unquote

from tests.threaded import ThreadedServer

TRUE = "The harbour bridge cost 84 million crowns in all. [A1]\n"
HALF = "The harbour bridge cost 84"

Write = Callable[["Wire"], Awaitable[None]]


class Wire:
    """The connection to a client whose request was read."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, elsewhere: str
    ) -> None:
        self._reader = reader
        self._writer = writer
        self.elsewhere = elsewhere

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hang(self) -> None:
        """Until the client goes."""
        await self._reader.read()

    async def reset(self) -> None:
        linger = struct.pack("ii", 1, 0)
        self._writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, linger
        )
        self._writer.transport.abort()


def head(status: int = 200, kind: str = "text/event-stream", **headers: str) -> bytes:
    """The head of a response whose end is that of the connection."""
    named = {"Content-Type": kind, "Connection": "close"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{n}: {v}" for n, v in named.items() if v)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def event(chunk: Any) -> bytes:
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def choice(delta: Any, finish: str | None = None, **more: Any) -> bytes:
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
    return event({**chunk, "choices": choices, **more})


def said(text: str) -> bytes:
    return choice({"content": text})


WHOLE = said(TRUE) + said("the market " * 20)  # a sentence, and enough to know that it is one
DONE = b"data: [DONE]\n\n"
STOP = choice({}, "stop") + DONE


def error(status: int, **headers: str) -> bytes:
    body = json.dumps({"error": {"message": "scripted", "type": "x", "code": None}}).encode()
    return head(status, "application/json", Content_Length=str(len(body)), **headers) + body


def then(before: bytes, end: str) -> Write:
    """Send, then hang or reset."""

    async def write(wire: Wire) -> None:
        if before:
            await wire.send(before)
        await (wire.hang() if end == "hang" else wire.reset())

    return write


def endless(data: bytes, pause_s: float, start: bytes = b"") -> Write:
    """The same again and again until the client goes."""

    async def write(wire: Wire) -> None:
        await wire.send(head() + start)
        while True:
            await wire.send(data)
            await asyncio.sleep(pause_s)

    return write


def redirect(status: int, path: str = "") -> Write:
    async def write(wire: Wire) -> None:
        target = path or f"{wire.elsewhere}/v1/chat/completions"
        await wire.send(head(status, Location=target, Content_Length="0"))

    return write


def chunked(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


def statuses() -> dict[str, bytes]:
    codes = (400, 401, 403, 404, 408, 409, 413, 422, 429)
    codes += (500, 502, 503, 504, 529)
    return {f"status {code}": error(code) for code in codes}


def retry_afters() -> dict[str, bytes]:
    said = {
        "soon": "0.01",
        "later": "120",
        "absurdly late": "9" * 400,
        "in a year": formatdate(4_000_000_000, usegmt=True),
        "long ago": formatdate(0, usegmt=True),
        "never": "Sat, 99 Foo 99999 99:99:99 GMT",
        "unreadable": "soon, I hope",
    }
    return {f"429, again {when}": error(429, Retry_After=value) for when, value in said.items()} | {
        "503, again later": error(503, Retry_After="120")
    }


_PLAIN = json.dumps({"choices": [{"message": {"content": TRUE}, "finish_reason": "stop"}]}).encode()
_TOOL = {"index": 0, "id": "t", "type": "function", "function": {"name": "f", "arguments": "{}"}}
_CHUNKED = head(Transfer_Encoding="chunked")
_BIG = b"x" * 20_000_000
_LONG = _BIG[:500_000]

BEFORE_TEXT: dict[str, bytes | Write] = {
    **statuses(),
    **retry_afters(),
    "reset before the first byte": then(b"", "reset"),
    "closed before the first byte": b"",
    "hang before the first byte": then(b"", "hang"),
    "hang within the head": then(b"HTTP/1.1 200 OK\r\nContent-", "hang"),
    "hang after the head": then(head(), "hang"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "an absurd status": b"HTTP/1.1 999999 What\r\n\r\n",
    "a gigantic head": b"HTTP/1.1 200 OK\r\nX-Fill: " + _LONG + b"\r\n\r\n",
    "status 204": head(204),
    "status 304": head(304),
    "an HTML page": head(kind="text/html") + b"<html><body>Welcome</body></html>",
    "an error page that breaks off": head(502, "text/html", Content_Length="900") + b"<html>",
    "an error page that hangs": then(head(502, "text/html") + b"<html>", "hang"),
    "a gigantic error page": head(500, "text/html") + _LONG,
    "plain JSON": head(kind="application/json") + _PLAIN,
    "no type": head(kind="") + b"hello",
    "an empty stream": head(),
    "a stream of nothing but its end": head() + DONE,
    "an unasked compression": head(Content_Encoding="gzip") + gzip.compress(said(TRUE) + STOP),
    "a false compression": head(Content_Encoding="br") + said(TRUE) + STOP,
    "invalid JSON": head() + b'data: {"choices": [{"delta": {"content": \n\n',
    "deeply nested JSON": head() + b"data: " + b"[" * 100_000 + b"\n\n",
    "truncated UTF-8": head() + b'data: {"choices": "\xe2\x82\n\n',
    "an error object": head() + event({"error": {"message": "out of memory", "code": 500}}),
    "an error string": head() + event({"error": "out of memory"}),
    "null choices": head() + event({"choices": None}) + DONE,
    "chunks of every wrong shape": head()
    + b"".join(event(o) for o in (None, [], 7, "x", {}, {"choices": 3}, {"choices": [None]}))
    + choice(None)
    + choice({"content": 5})
    + DONE,
    "a content filter": head() + choice({}, "content_filter") + DONE,
    "a refusal": head() + choice({"refusal": "I cannot help with that."}) + STOP,
    "tool calls": head() + choice({"tool_calls": [_TOOL]}) + choice({}, "tool_calls") + DONE,
    "nothing but reasoning": head() + choice({"reasoning_content": "Hm."}, "length") + DONE,
    "reasoning that breaks off": then(head() + choice({"reasoning": "Hm."}), "reset"),
    "a gigantic event": head() + b"data: " + _BIG,
    "a gigantic line": head() + _LONG,
    "a gigantic event of many lines": head() + b"data: xxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" * 10_000,
    "comments without end": endless(b": wait\n\n", 0.01),
    "reasoning without end": endless(choice({"reasoning_content": "Hm. "}), 0.01),
    "a broken chunk size": _CHUNKED + b"zz\r\n" + said(TRUE),
    "a negative length": head(Content_Length="-5") + said(TRUE) + STOP,
    "a redirect elsewhere": redirect(307),
    "a permanent redirect elsewhere": redirect(308),
    "a redirect that makes it a GET": redirect(302),
    "a redirect to itself": redirect(307, "/"),
    "a redirect to nowhere": redirect(307, "http://[::bad"),
    "half a sentence, then a reset": then(head() + said(HALF), "reset"),
    "half a sentence, then a hang": then(head() + said(HALF), "hang"),
    "half a sentence, then an error": head() + said(HALF) + event({"error": {"message": "no"}}),
    "half a sentence, then broken JSON": head() + said(HALF) + b"data: {\n\n",
    "half a sentence, then a gigantic event": head() + said(HALF) + b"data: " + _LONG,
    "half a sentence, then the end of the chunks": _CHUNKED + chunked(said(HALF)),
    "a slow drip": endless(said("."), 0.05, said(HALF)),
}
"""No sentence of the LLM can be had: the answer is the articles' own, as `llm_unavailable`."""

UNSUPPORTED: dict[str, bytes | Write] = {
    "half a sentence, then the end": head() + said(HALF),
    "half a sentence, then a filter": head() + said(HALF) + choice({}, "content_filter") + DONE,
    "half characters": head() + said("\ud83d " * 40) + STOP,
    "one gigantic word": head() + said("x" * 40_000) + STOP,
    "words without end": head() + said("and so on " * 6_000) + STOP,
    "untruths": head() + said("The bridge cost 96 million euros, said Mr. Smith. [A1]") + STOP,
    "labels that do not exist": head() + said("Snow fell in Paris. [A77]") + STOP,
}
"""The reply can be read, but nothing in it holds: the articles' own, as `llm_unsupported`."""

AFTER_TEXT: dict[str, bytes | Write] = {
    "a sentence, then a hang": then(head() + WHOLE, "hang"),
    "a sentence, then an error": head() + WHOLE + event({"error": {"message": "no"}}),
    "a sentence, then bad UTF-8": head() + WHOLE + b"data: \xff\n\n",
    "a sentence, then a gigantic event": head() + WHOLE + b"data: " + _LONG,
    "a body shorter than told": head(Content_Length="99999") + WHOLE + STOP[:-20],
}
"""A sentence was shown before the fault, and stays; the answer is `llm_unavailable`."""

HARMLESS: dict[str, bytes | Write] = {
    "no terminal chunk": head() + said(TRUE),
    "duplicate chunks": head() + said(TRUE) * 2 + STOP * 2,
    "a wrong model": head() + choice({"content": TRUE}).replace(b'"m"', b'"other"') + STOP,
    "absurd usage": head() + said(TRUE) + event({"choices": [], "usage": {"prompt_tokens": -1}}),
    "usage beyond counting": head()
    + said(TRUE)
    + event({"choices": [], "usage": {"prompt_tokens": 10**99, "completion_tokens": True}})
    + STOP,
    "a wrong type": head(kind="text/plain") + said(TRUE) + STOP,
    "more after the end": head() + said(TRUE) + STOP + said("Snow fell in Paris. [A1]"),
    "chunks cut anywhere": _CHUNKED
    + b"".join(chunked((said(TRUE) + STOP)[n : n + 3]) for n in range(0, 999, 3))
    + b"0\r\n\r\n",
    "every end of line": head() + (said(TRUE) + STOP).replace(b"\n", b"\r"),
    "an endless reply": endless(said(TRUE), 0),
    "a body longer than told": head(Content_Length="4000") + said(TRUE) * 60 + STOP,
}
"""Odd, but a sentence comes whole: it is the LLM's answer."""

FAULTS = BEFORE_TEXT | UNSUPPORTED | AFTER_TEXT | HARMLESS
RACY = {"a sentence, then a reset": then(head() + WHOLE, "reset")}
"""What of the reply is read before the connection breaks is chance."""


class FaultyLLM(ThreadedServer):
    """The server, as a context manager.

    `elsewhere` collects the requests that came to another address, to which some are redirected.
    """

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: list[bytes] = []
        self.asked = 0
        self._root = self._elsewhere = ""

    def address(self, fault: str, scheme: str = "http") -> str:
        """The base URL at which that fault happens."""
        return f"{scheme}://{self._root}/{quote(fault, safe='')}/v1"

    async def begin(self) -> None:
        """Listen at both addresses."""
        self._root = await self.listen(self._go_wrong)
        self._elsewhere = f"http://{await self.listen(self._collect)}"

    async def _collect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.elsewhere.append(await reader.read(100_000))

    async def _go_wrong(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        fault = await _fault_asked_for(reader)
        self.asked += 1
        wire = Wire(reader, writer, self._elsewhere)
        await (wire.send(fault) if isinstance(fault, bytes) else fault(wire))


async def _fault_asked_for(reader: asyncio.StreamReader) -> bytes | Write:
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    except (asyncio.LimitOverrunError, asyncio.IncompleteReadError):
        return b""  # not HTTP: somebody expects TLS here
    headers = dict(line.lower().split(": ", 1) for line in lines[1:] if line)
    await reader.readexactly(int(headers.get("content-length", "0")))
    return (FAULTS | RACY)[unquote(lines[0].split("/")[1])]
