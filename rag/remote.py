"""The service as commands reach it through the server that holds the data directory.

`Remote` has the methods of `rag.service.Service` that they use. Each is a request to the server's
own route for them, by its name in `CALLS`; what comes back is a stream of server-sent events, each
with one key: `item` or `progress` any number of times, then `result` or `error`.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from httpx2 import AsyncClient, HTTPError, Response, Timeout
from pydantic import TypeAdapter, ValidationError

from rag.errors import DatelineError, NotFoundError, RemoteError
from rag.ports import Progress
from rag.storage.feedback import Feedback
from rag.storage.holder import Door, program_version
from rag.types import AnswerEvent, Article, Evidence, IngestReport, Question

ROUTE = "/local"
SILENCE_S = 60.0
"""So long may the server say nothing, which sends a heartbeat every ten seconds."""


@dataclass(frozen=True)
class Call:
    """What a method of the service takes, and what it gives (of `answer`: each event), as they
    travel."""

    takes: Any
    gives: Any

    @cached_property
    def arguments(self) -> TypeAdapter[Any]:
        """Reads and writes the arguments, as a list."""
        return TypeAdapter(self.takes)

    @cached_property
    def result(self) -> TypeAdapter[Any]:
        """Reads and writes what is given."""
        return TypeAdapter(self.gives)


CALLS: Mapping[str, Call] = {
    "answer": Call(tuple[Question], AnswerEvent),
    "search": Call(tuple[Question, int], Evidence),
    "ingest": Call(tuple[list[Path], bool], IngestReport),
    "article": Call(tuple[str], Article),
    "article_page": Call(tuple[str | None, int], tuple[list[Article], str | None]),
    "delete_article": Call(tuple[str], None),
    "feedback_page": Call(tuple[str | None, int], tuple[list[Feedback], str | None]),
}


class Remote:
    """The service of a server. It raises what the service raises, as `NotFoundError` or else as
    `RemoteError`, and that too when the server cannot be reached."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client

    async def answer(self, question: Question) -> AsyncGenerator[AnswerEvent]:
        """The events of one answer; closing it ends the answer."""
        async with aclosing(self._events("answer", question)) as events:
            async for event in events:
                if "item" in event:
                    yield _read("answer", event["item"])

    async def search(self, question: Question, limit: int) -> Evidence:
        """The best `limit` passages, best first."""
        found: Evidence = await self._call("search", question, limit)
        return found

    async def ingest(
        self, paths: Sequence[Path], *, prune: bool = False, progress: Progress | None = None
    ) -> IngestReport:
        """Take in files and folders, which the server reads; closing the connection ends that."""
        absolute = [path.absolute() for path in paths]
        report: IngestReport = await self._call("ingest", absolute, prune, progress=progress)
        return report

    async def article(self, article_id: str) -> Article:
        """The stored article; raises `NotFoundError`."""
        article: Article = await self._call("article", article_id)
        return article

    async def article_page(self, after: str | None, limit: int) -> tuple[list[Article], str | None]:
        """Up to `limit` articles by id, and the cursor for those after them."""
        page: tuple[list[Article], str | None] = await self._call("article_page", after, limit)
        return page

    async def delete_article(self, article_id: str) -> None:
        """Forget an article; raises `NotFoundError`."""
        await self._call("delete_article", article_id)

    async def feedback_page(
        self, after: str | None, limit: int
    ) -> tuple[list[Feedback], str | None]:
        """Up to `limit` pieces of feedback, the newest first, and the cursor for those after."""
        page: tuple[list[Feedback], str | None] = await self._call("feedback_page", after, limit)
        return page

    async def _call(self, name: str, *arguments: Any, progress: Progress | None = None) -> Any:
        """What a method gives, whose progress is told on the way."""
        async with aclosing(self._events(name, *arguments)) as events:
            async for event in events:
                if "progress" in event and progress:
                    progress(*event["progress"])
                if "result" in event:
                    return _read(name, event["result"])
        raise AssertionError("no result")

    async def _events(self, name: str, *arguments: Any) -> AsyncGenerator[dict[str, Any]]:
        """What the server says, up to the result; an error that it says is raised."""
        # Paths need not be UTF-8; only JSON's escapes carry what they are read as.
        body = json.dumps(CALLS[name].arguments.dump_python(arguments, mode="json"))
        headers = {"Content-Type": "application/json"}
        try:
            async with self._client.stream(
                "POST", f"{ROUTE}/{name}", content=body.encode(), headers=headers
            ) as response:
                await _refuse(response)
                async for line in response.aiter_lines():
                    if line.startswith("data: "):
                        event: dict[str, Any] = json.loads(line.removeprefix("data: "))
                        if "error" in event:
                            raise _error(event)
                        yield event
                        if "result" in event:
                            return
        except HTTPError as error:
            raise _unreachable(self._client, str(error)) from None
        raise _unreachable(self._client, "it broke off")


@asynccontextmanager
async def through(door: Door) -> AsyncIterator[Remote]:
    """The service of the server that has this door.

    Raises `RemoteError` where that is of another version, and so may speak otherwise.
    """
    own = program_version()
    if door.version != own:
        raise RemoteError(
            f"the server at {door.url} that holds the data directory is Dateline {door.version}, "
            f"and this is {own}: restart it with this version, or use its `dateline`"
        )
    async with AsyncClient(
        base_url=door.url,
        headers={"Authorization": f"Bearer {door.key}"},
        timeout=Timeout(SILENCE_S, connect=1.0),
        trust_env=False,  # no proxy reaches this machine's own addresses
    ) as client:
        yield Remote(client)


def _read(name: str, document: object) -> Any:
    try:
        return CALLS[name].result.validate_python(document)
    except ValidationError as error:
        raise RemoteError(f"the server's reply cannot be read: {error}; restart it") from None


async def _refuse(response: Response) -> None:
    """Raise for what did not come to the method: a bad key, too much to do, the end."""
    if response.status_code == 200:
        return
    text = (await response.aread()).decode("utf-8", "replace")
    try:
        detail = json.loads(text)["detail"]
    except (ValueError, KeyError, TypeError):
        detail = f"status {response.status_code}"
    raise RemoteError(f"the server that holds the data directory refuses: {detail}")


def _error(event: dict[str, Any]) -> DatelineError:
    kind = NotFoundError if event.get("kind") == NotFoundError.__name__ else RemoteError
    return kind(event["error"])


def _unreachable(client: AsyncClient, reason: str) -> RemoteError:
    return RemoteError(
        f"the server at {client.base_url} that holds the data directory cannot be asked "
        f"({reason or 'no reply'}): try again if it is just ending, and run this in its container "
        "if it has one; its log says more"
    )
