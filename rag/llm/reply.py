"""One streamed completion: its text, without reasoning, and what else is known of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from rag.llm.faults import EmptyReplyError
from rag.types import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream

_HALF_CHARACTER = re.compile("[\ud800-\udfff]")  # JSON can hold one; UTF-8 cannot
_MOST_TOKENS = 10**9


class Reply:
    """A streamed completion: `text` is the piece at hand, empty once the reply has ended."""

    def __init__(self) -> None:
        self.text = ""
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.content_type = ""
        self.started = False  # a token has come, if only one of reasoning
        self._thoughts = _ThoughtFilter()
        self._stream: AsyncStream[object] | None = None

    async def open(self, client: AsyncOpenAI, request: dict[str, Any]) -> None:
        """Send the request and read up to the first text.

        The client hands on each chunk as the JSON that it is: its classes check nothing, and making
        them costs as much as all else that a token does.
        """
        from openai import AsyncStream

        self._stream = await client.post(
            "/chat/completions",
            cast_to=object,
            body=request,
            stream=True,
            stream_cls=AsyncStream[object],
        )
        self.content_type = self._stream.response.headers.get("content-type", "")
        await self.advance()
        if not self.text:
            raise EmptyReplyError(self.finish, self.content_type)

    async def advance(self) -> None:
        """Read up to the next text, or to the end."""
        self.text = ""
        assert self._stream is not None
        while not self.text:
            try:
                chunk = await anext(self._stream)
            except StopAsyncIteration:
                self.text = self._thoughts.close()
                return
            self.text = self._thoughts.feed(self._take(chunk))

    def _take(self, chunk: object) -> str:
        """The content of a chunk, whatever shape a server gives that."""
        usage = _member(chunk, "usage")
        counts: list[Any] = [_member(usage, f"{kind}_tokens") for kind in ("prompt", "completion")]
        if all(type(count) is int and 0 <= count <= _MOST_TOKENS for count in counts):
            self.usage = Usage(*counts)
        choices = _member(chunk, "choices")
        if not isinstance(choices, list) or not choices:
            return ""
        self.finish = _member(choices[0], "finish_reason") or self.finish
        delta = _member(choices[0], "delta")
        content = _member(delta, "content")
        thought = _member(delta, "reasoning_content") or _member(delta, "reasoning")
        self.started = self.started or bool(content or thought)
        return _HALF_CHARACTER.sub("\ufffd", content) if isinstance(content, str) else ""

    async def close(self) -> None:
        """Let go of the connection; harmless when that has happened."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()


def _member(value: object, name: str) -> Any:
    return value.get(name) if isinstance(value, dict) else None


class _ThoughtFilter:
    """Leaves out `<think>…</think>`, in which reasoning models mix their thoughts into the text."""

    def __init__(self) -> None:
        self._held = ""
        self._thinking = False

    def feed(self, piece: str) -> str:
        """What of the text so far is certainly part of the answer and was not returned yet."""
        self._held += piece
        out = ""
        while True:
            mark = "</think>" if self._thinking else "<think>"
            before, found, after = self._held.partition(mark)
            if found:
                out += "" if self._thinking else before
                self._held, self._thinking = after, not self._thinking
                continue
            kept = next(n for n in range(len(mark) - 1, -1, -1) if before.endswith(mark[:n]))
            cut = len(before) - kept
            out += "" if self._thinking else before[:cut]
            self._held = before[cut:]
            return out

    def close(self) -> str:
        """What was held back because it might have begun a mark."""
        held, self._held = self._held, ""
        return "" if self._thinking else held
