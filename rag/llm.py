"""Any OpenAI-compatible chat endpoint as a `LanguageModel`; the only user of the openai package."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rag.errors import LanguageModelError
from rag.types import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI, AsyncStream
    from openai.types.chat import ChatCompletionChunk

_OPENAI_URL = "https://api.openai.com/v1"
_RETRIES = 2
_RETRIED_STATUS = {408, 409, 429}
_PLACEHOLDER_KEY = "none"  # the client insists on a key; local servers need none
_SECRET_CHARS = 8  # a shorter key, like "none" for a local server, is a word and no secret
_CONNECT_S = 10.0
_DETAIL_CHARS = 300
_ADVICE = {
    400: "check DATELINE_LLM_MODEL; if the prompt is too long for it, lower DATELINE_PROMPT_TOKENS",
    401: "check DATELINE_LLM_API_KEY",
    403: "check that the key in DATELINE_LLM_API_KEY may use this model",
    404: "check the model's name in DATELINE_LLM_MODEL, and that DATELINE_LLM_BASE_URL is the root"
    " of the API (it usually ends in /v1)",
    429: "wait, or check the account's rate limit and credit",
}


class OpenAIModel:
    """A chat model behind an OpenAI-compatible endpoint; OpenAI's own without a `base_url`.

    `timeout_s` bounds a whole reply, retries included. A request is retried at most twice and
    only before its first token, after `backoff_s` (doubled each time, jittered) or Retry-After.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        backoff_s: float = 0.5,
    ) -> None:
        self.model = model
        self._base_url = base_url or _OPENAI_URL
        self._needs_key = not base_url
        self._api_key = api_key or ""
        self._timeout_s = timeout_s
        self._backoff_s = backoff_s
        self._client: AsyncOpenAI | None = None
        self._dialect = _Dialect(_length_parameter(self._base_url))

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply as they come, then its usage if the endpoint tells it.

        Reasoning is left out. Raises `LanguageModelError`, also for a reply without any text.
        Closing the generator closes the HTTP stream at once.
        """
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        reply = await self._begin(messages, max_tokens, deadline)
        try:
            while reply.text:
                yield reply.text
                await self._advance(reply, deadline)
            if reply.usage is not None:
                yield reply.usage
        finally:
            await reply.close()

    async def aclose(self) -> None:
        """Close the client's connections; a later stream opens new ones."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _begin(
        self, messages: Sequence[tuple[str, str]], max_tokens: int, deadline: float
    ) -> _Reply:
        """The reply with its first text in hand, after retries and changes of dialect."""
        from openai import APIError

        client, dialect, attempt = self._connect(), self._dialect, 0
        while True:
            reply = _Reply()
            try:
                async with asyncio.timeout_at(deadline):
                    request = dialect.request(self.model, messages, max_tokens)
                    await reply.open(client, request)
                self._dialect = dialect  # what this endpoint was found to understand
                return reply
            except (APIError, TimeoutError, ValueError, _EmptyReplyError) as error:
                await reply.close()
                adapted = dialect.adapted(error)
                if adapted is not None:
                    dialect = adapted
                    continue
                pause = None if reply.started else self._pause(error, attempt)
                if pause is None or asyncio.get_running_loop().time() + pause >= deadline:
                    raise self._explained(error) from None
                attempt += 1
                await asyncio.sleep(pause)

    async def _advance(self, reply: _Reply, deadline: float) -> None:
        from openai import APIError

        try:
            async with asyncio.timeout_at(deadline):
                await reply.advance()
        except (APIError, TimeoutError, ValueError) as error:
            raise self._explained(error) from None

    def _connect(self) -> AsyncOpenAI:
        if self._client is None:
            self._check_settings()
            from openai import AsyncOpenAI, Timeout

            self._client = AsyncOpenAI(
                api_key=self._api_key or _PLACEHOLDER_KEY,
                base_url=self._base_url,
                timeout=Timeout(self._timeout_s, connect=min(_CONNECT_S, self._timeout_s)),
                max_retries=0,
            )
        return self._client

    def _check_settings(self) -> None:
        if self._needs_key and not self._api_key:
            raise LanguageModelError(
                f"LLM {self.model!r} has neither a key nor an endpoint: set DATELINE_LLM_API_KEY"
                " for OpenAI, or DATELINE_LLM_BASE_URL for another OpenAI-compatible server"
            )
        if not re.fullmatch(r"https?://[^\s/]\S*", self._base_url):
            raise LanguageModelError(
                f"DATELINE_LLM_BASE_URL={_shown(self._base_url)!r} is no address:"
                " it has to look like http://127.0.0.1:11434/v1"
            )

    def _pause(self, error: Exception, attempt: int) -> float | None:
        """Seconds to wait before trying again; None if that is of no use."""
        from openai import APIConnectionError, APIStatusError

        if attempt >= _RETRIES:
            return None
        backoff = self._backoff_s * 2**attempt * random.uniform(0.5, 1.0)
        if isinstance(error, APIStatusError):
            status = error.status_code
            spent = error.code == "insufficient_quota"  # OpenAI's 429 that no wait will heal
            if spent or (status not in _RETRIED_STATUS and status < 500):
                return None
            asked = _seconds(error.response.headers.get("retry-after"))
            return backoff if asked is None else asked
        if isinstance(error, _EmptyReplyError):
            return backoff if error.broken_off else None
        return backoff if isinstance(error, APIConnectionError) else None

    def _explained(self, error: Exception) -> LanguageModelError:
        what, advice = _explanation(error, self._timeout_s)
        text = f"LLM {self.model!r} at {_shown(self._base_url)}: {what}; {advice}"
        if len(self._api_key) >= _SECRET_CHARS:  # some endpoints repeat the key in their message
            text = text.replace(self._api_key, "***")
        return LanguageModelError(text)


@dataclass(frozen=True, slots=True)
class _Dialect:
    """The parameters an endpoint takes; one that it rejects by name is not sent again."""

    length: str
    swapped: bool = False
    usage: bool = True
    temperature: bool = True

    def request(
        self, model: str, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> dict[str, Any]:
        chat = [{"role": role, "content": content} for role, content in messages]
        request = {"model": model, "messages": chat, "stream": True, self.length: max_tokens}
        if self.temperature:
            request["temperature"] = 0
        if self.usage:
            request["stream_options"] = {"include_usage": True}
        return request

    def adapted(self, error: Exception) -> _Dialect | None:
        """The dialect without what the endpoint complains of; None if that is something else."""
        from openai import APIStatusError

        if not isinstance(error, APIStatusError) or error.status_code not in (400, 422):
            return None
        complaint = str(error.body or error.message)
        if self.usage and re.search("stream_options|include_usage", complaint):
            return replace(self, usage=False)
        if not self.swapped and self.length in complaint:
            other = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
            return replace(self, length=other[self.length], swapped=True)
        if self.temperature and "temperature" in complaint:
            return replace(self, temperature=False)
        return None


class _EmptyReplyError(Exception):
    """The endpoint ended its reply without any text."""

    def __init__(self, reply: _Reply) -> None:
        self.finish = reply.finish
        self.content_type = reply.content_type
        self.broken_off = reply.finish is None and "event-stream" in reply.content_type


class _Reply:
    """A streamed completion: `text` is the piece at hand, empty once the reply has ended."""

    def __init__(self) -> None:
        self.text = ""
        self.usage: Usage | None = None
        self.finish: str | None = None
        self.content_type = ""
        self.started = False  # a token has come, if only one of reasoning
        self._thoughts = _ThoughtFilter()
        self._stream: AsyncStream[ChatCompletionChunk] | None = None

    async def open(self, client: AsyncOpenAI, request: dict[str, Any]) -> None:
        """Send the request and read up to the first text."""
        self._stream = await client.chat.completions.create(**request)
        self.content_type = self._stream.response.headers.get("content-type", "")
        await self.advance()
        if not self.text:
            raise _EmptyReplyError(self)

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

    def _take(self, chunk: Any) -> str:
        """The content of a chunk. The client checks no shapes, and servers send odd ones."""
        usage = getattr(chunk, "usage", None)
        prompt = getattr(usage, "prompt_tokens", None)
        completion = getattr(usage, "completion_tokens", None)
        if isinstance(prompt, int) and isinstance(completion, int):
            self.usage = Usage(prompt, completion)
        choices = getattr(chunk, "choices", None)
        if not isinstance(choices, list) or not choices:
            return ""
        self.finish = getattr(choices[0], "finish_reason", None) or self.finish
        delta = getattr(choices[0], "delta", None)
        content = getattr(delta, "content", None)
        thought = getattr(delta, "reasoning_content", None) or getattr(delta, "reasoning", None)
        self.started = self.started or bool(content or thought)
        return content if isinstance(content, str) else ""

    async def close(self) -> None:
        """Let go of the connection; harmless when that has happened."""
        stream, self._stream = self._stream, None
        if stream is not None:
            await stream.close()


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


def _length_parameter(base_url: str) -> str:
    """OpenAI's newer models reject max_tokens; other servers may ignore max_completion_tokens."""
    host = urlsplit(base_url).hostname or ""
    return "max_completion_tokens" if host.endswith("openai.com") else "max_tokens"


def _seconds(retry_after: str | None) -> float | None:
    """A Retry-After header (RFC 9110, 10.2.3: seconds or a date) as seconds from now."""
    if not retry_after:
        return None
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(retry_after).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None


def _shown(base_url: str) -> str:
    """The address without credentials and query."""
    return re.sub(r"//[^/@]*@", "//", base_url).partition("?")[0]


def _explanation(error: Exception, timeout_s: float) -> tuple[str, str]:
    """What happened, and what to do about it."""
    from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

    if isinstance(error, TimeoutError | APITimeoutError):
        what = f"no complete reply within {timeout_s:g} s"
        return what, "raise DATELINE_LLM_TIMEOUT_S, or use a faster model"
    if isinstance(error, APIStatusError):
        status = error.status_code
        advice = _ADVICE.get(status, "look into the server's log, or try again later")
        return f"status {status}: {_detail(error)}", advice
    if isinstance(error, APIConnectionError):
        what = f"the connection failed ({_root_cause(error)})"
        return what, "check that the server is running and that DATELINE_LLM_BASE_URL is right"
    if isinstance(error, APIError):
        return f"it broke off: {_detail(error)}", "look into the server's log, or try again later"
    if isinstance(error, _EmptyReplyError):
        return _emptiness(error)
    return f"it cannot be read ({error})", "check that DATELINE_LLM_BASE_URL is an OpenAI-style API"


def _emptiness(error: _EmptyReplyError) -> tuple[str, str]:
    if "event-stream" not in error.content_type:
        what = f"{error.content_type or 'an unnamed type'} came instead of an event stream"
        return what, "check that DATELINE_LLM_BASE_URL is an OpenAI-style API (…/v1)"
    if error.finish == "length":
        return "no text before the token limit", "raise DATELINE_ANSWER_TOKENS"
    return f"an empty reply (finish reason: {error.finish})", "try again, or use another model"


def _detail(error: Any) -> str:
    """The endpoint's own words, in one short line."""
    said = error.body.get("message") if isinstance(error.body, dict) else None
    return " ".join(str(said or error.body or error.message).split())[:_DETAIL_CHARS]


def _root_cause(error: BaseException) -> str:
    while error.__cause__ is not None or error.__context__ is not None:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error) or type(error).__name__
