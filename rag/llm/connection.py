"""The openai client, and what a reply may cost: it follows no redirect and bounds what it reads."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from httpx2 import AsyncByteStream, Request, Response
from openai import AsyncOpenAI, DefaultAsyncHttpxClient, Timeout

from rag.llm.faults import UnreadableReplyError

if TYPE_CHECKING:
    from httpcore2 import AsyncNetworkStream

_PLACEHOLDER_KEY = "none"  # the client insists on a key; local servers need none
_CONNECT_S = 10.0
_REPLY_BYTES = 32_000_000  # a long chain of reasoning, 300 bytes of JSON around each token
_EVENT_BYTES = 100_000  # a chunk has a few tokens; some servers repeat their sources in each
_ENDS = (b"\n\n", b"\r\n\r\n", b"\r\r")


def connect(base_url: str, api_key: str, timeout_s: float) -> AsyncOpenAI:
    """A client that tries nothing again by itself.

    A redirect is an answer like another: followed, it would hand question and passages to an
    address that nobody configured. Compressed replies are refused, as their size is unknown.
    """
    return AsyncOpenAI(
        api_key=api_key or _PLACEHOLDER_KEY,
        base_url=base_url,
        timeout=Timeout(timeout_s, connect=min(_CONNECT_S, timeout_s / 3)),
        max_retries=0,
        default_headers={"Accept-Encoding": "identity"},
        http_client=DefaultAsyncHttpxClient(
            follow_redirects=False, event_hooks={"request": [_watch], "response": [_bound]}
        ),
    )


async def _watch(request: Request) -> None:
    request.extensions["trace"] = _Handshake().follow


class _Handshake:
    """Closes the socket of a TLS handshake that is cancelled: the HTTP client only lets go of it,
    and the event loop would keep it for as long as the server does."""

    def __init__(self) -> None:
        self._stream: AsyncNetworkStream | None = None

    async def follow(self, event: str, info: dict[str, Any]) -> None:
        """A `trace` of the HTTP client's."""
        if event == "connection.connect_tcp.complete":
            self._stream = info["return_value"]
        elif event == "connection.start_tls.failed" and self._stream is not None:
            await self._stream.aclose()


async def _bound(response: Response) -> None:
    encoding = response.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise UnreadableReplyError(f"a reply compressed with {encoding!r} was not asked for")
    assert isinstance(response.stream, AsyncByteStream)
    response.stream = _BoundedStream(response.stream, response.is_success)


class _BoundedStream(AsyncByteStream):
    """The body of a reply: one that is too long is broken off, that of an error cut."""

    def __init__(self, stream: AsyncByteStream, is_success: bool) -> None:
        self._stream = stream
        self._is_success = is_success

    async def __aiter__(self) -> AsyncIterator[bytes]:
        total = event = 0
        tail = b""
        async for data in self._stream:
            total += len(data)
            event += len(data)
            seen = tail + data
            if end := max(seen.rfind(mark) + len(mark) if mark in seen else 0 for mark in _ENDS):
                event = len(seen) - end
            tail = seen[-3:]
            if event > _EVENT_BYTES or total > _REPLY_BYTES:
                if self._is_success:
                    raise UnreadableReplyError("it is far longer than any answer")
                return
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()
