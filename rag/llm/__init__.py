"""Any OpenAI-compatible chat endpoint as a `LanguageModel`; the only user of the openai package."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import AsyncGenerator, Sequence
from traceback import clear_frames
from typing import TYPE_CHECKING

import anyio.to_thread

from rag.errors import LanguageModelError
from rag.llm.breaker import CircuitBreaker, RetryBudget
from rag.llm.dialect import dialect_of
from rag.llm.faults import Fault, caught, fault_of, shown
from rag.llm.reply import Reply
from rag.types import Usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_OPENAI_URL = "https://api.openai.com/v1"
_RETRIES = 2
_SECRET_CHARS = 8  # a shorter key, like "none" for a local server, is a word and no secret
_CHARS_PER_TOKEN = 32  # far more than in any language; an endpoint may ignore the limit


class OpenAIModel:
    """A chat model behind an OpenAI-compatible endpoint; OpenAI's own without a `base_url`.

    `timeout_s` bounds a whole reply, retries included. A request is retried at most twice and
    only before its first token, after `backoff_s` (doubled each time, jittered) or Retry-After,
    and as the budget of retries allows. During an outage, `breaker` refuses at once.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        api_key: str | None = None,
        timeout_s: float = 60.0,
        backoff_s: float = 0.5,
        breaker: CircuitBreaker | None = None,
    ) -> None:
        self.model = model
        self._base_url = base_url or _OPENAI_URL
        self._needs_key = not base_url
        self._api_key = api_key or ""
        self._timeout_s = timeout_s
        self._backoff_s = backoff_s
        self._breaker = breaker or CircuitBreaker()
        self._budget = RetryBudget()
        self._name = f"LLM {model!r} at {shown(self._base_url)}"
        self._client: AsyncOpenAI | None = None
        self._dialect = dialect_of(self._base_url)

    @property
    def state(self) -> str:
        """The model's name behind "ok: ", or "degraded: …" as long as an outage lasts."""
        if self._breaker.open:
            return f"degraded: the LLM {self.model!r} does not answer; answers are extractive"
        return f"ok: {self.model}"

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str | Usage, None]:
        """Pieces of the reply as they come, then its usage if the endpoint tells it.

        Reasoning is left out. Raises `LanguageModelError`, also for a reply without any text.
        Closing the generator closes the HTTP stream at once.
        """
        client = await self._connected()
        deadline = asyncio.get_running_loop().time() + self._timeout_s
        left = max_tokens * _CHARS_PER_TOKEN
        with self._breaker.attempt(self._name):
            reply = await self._begin(client, (messages, max_tokens), deadline)
            try:
                while reply.text and left > 0:
                    yield reply.text[:left]
                    left -= len(reply.text)
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
        self, client: AsyncOpenAI, asked: tuple[Sequence[tuple[str, str]], int], deadline: float
    ) -> Reply:
        """The reply with its first text in hand, after retries and changes of dialect."""
        dialect, attempt = self._dialect, 0
        self._budget.earn()
        while True:
            reply = Reply()
            try:
                async with asyncio.timeout_at(deadline):
                    request = dialect.request(self.model, *asked)
                    await reply.open(client, request)
                self._dialect = dialect  # what this endpoint was found to understand
                return reply
            except caught() as error:
                await reply.close()
                adapted = dialect.adapted(error)
                if adapted is not None:
                    dialect = adapted
                    continue
                fault = self._fault_of(error)
                pause = None if reply.started else self._pause(fault, attempt, deadline)
                if pause is None:
                    raise self._explained(fault) from None
                attempt += 1
                await asyncio.sleep(pause)

    async def _advance(self, reply: Reply, deadline: float) -> None:
        try:
            async with asyncio.timeout_at(deadline):
                await reply.advance()
        except caught() as error:
            raise self._explained(self._fault_of(error)) from None

    def _fault_of(self, error: Exception) -> Fault:
        """What went wrong. The generators that were reading the reply are let go of here, in the
        event loop's thread: left to the garbage collector, any thread may come to close them."""
        fault = fault_of(error, self._timeout_s)
        clear_frames(error.__traceback__)
        return fault

    async def _connected(self) -> AsyncOpenAI:
        if self._client is None:
            self._check_settings()
            await anyio.to_thread.run_sync(_load_client)
            from rag.llm.connection import connect

            self._client = self._client or connect(self._base_url, self._api_key, self._timeout_s)
        return self._client

    def _check_settings(self) -> None:
        if self._needs_key and not self._api_key:
            raise LanguageModelError(
                f"LLM {self.model!r} has neither a key nor an endpoint: set DATELINE_LLM_API_KEY"
                " for OpenAI, or DATELINE_LLM_BASE_URL for another OpenAI-compatible server"
            )
        if not re.fullmatch(r"https?://[^\s/]\S*", self._base_url):
            raise LanguageModelError(
                f"DATELINE_LLM_BASE_URL={shown(self._base_url)!r} is no address:"
                " it has to look like http://127.0.0.1:11434/v1"
            )

    def _pause(self, fault: Fault, attempt: int, deadline: float) -> float | None:
        """Seconds to wait before trying again; None if that is of no use, or too costly."""
        if attempt >= _RETRIES or not fault.retried or self._breaker.open:
            return None
        backoff = self._backoff_s * 2**attempt * random.uniform(0.5, 1.0)
        pause: float = backoff + (fault.wait_s or 0.0)  # those who wait alike come back one by one
        if asyncio.get_running_loop().time() + pause >= deadline or not self._budget.spend():
            return None
        return pause

    def _explained(self, fault: Fault) -> LanguageModelError:
        text = f"{self._name}: {fault.what}; {fault.advice}"
        if len(self._api_key) >= _SECRET_CHARS:  # some endpoints repeat the key in their message
            text = text.replace(self._api_key, "***")
        return LanguageModelError(text, fault.outage)


def _load_client() -> None:
    """The package takes a second or two to import, in which a server has others to serve."""
    import rag.llm.connection  # noqa: F401
