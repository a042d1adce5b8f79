"""How a command runs: the service is opened, worked with and closed, then the result is shown."""

from __future__ import annotations

import asyncio
import codecs
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import typer

from rag.errors import DatelineError, LibraryInUseError, NotFoundError
from rag.settings import Settings, load_settings, unknown_settings
from rag.types import Answer

if TYPE_CHECKING:
    from rich.console import Console

    from rag.remote import Remote
    from rag.service import Service

    Reached = Service | Remote
    """The service over the data directory, be it this process or a server that holds it."""

DONE, FAILED, ABSTAINED, INTERRUPTED = 0, 1, 3, 130
"""Exit statuses; wrong usage is typer's: 2."""

Result = TypeVar("Result")
Opened = TypeVar("Opened")


def run(
    work: Callable[[Reached], Awaitable[Result]],
    show: Callable[[Result], None],
    status: Callable[[Result], int] = lambda _: DONE,
) -> NoReturn:
    """Do the work with the service, show its result, and exit with the status that it has.

    A server that holds the data directory does the work, if there is one. The service is closed
    when its result is shown: whoever reads the output slowly keeps nobody out.
    """
    _run(_reach, work, show, status)


def run_alone(
    work: Callable[[Service], Awaitable[Result]], show: Callable[[Result], None]
) -> NoReturn:
    """The same for work that no server does: raises `LibraryInUseError` beside one."""
    _run(_open, work, show, lambda _: DONE)


def _run(
    opening: Callable[[Settings], AbstractAsyncContextManager[Opened]],
    work: Callable[[Opened], Awaitable[Result]],
    show: Callable[[Result], None],
    status: Callable[[Result], int],
) -> NoReturn:
    async def opened() -> int:
        async with opening(read_settings()) as service:
            result = await work(service)
        show(result)
        return status(result)

    exit_with(opened())


@asynccontextmanager
async def _reach(settings: Settings) -> AsyncIterator[Reached]:
    from rag.storage.holder import find_door

    async with AsyncExitStack() as opened:
        service: Reached
        try:
            service = await opened.enter_async_context(_open(settings))
        except LibraryInUseError:
            if not (door := find_door(settings.data_dir)):
                raise
            from rag.remote import through

            service = await opened.enter_async_context(through(door))
        yield service


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[Service]:
    from rag.storage.holder import hold

    with hold(settings.data_dir):  # before what takes a second to import
        from rag.bootstrap import open_held

        async with open_held(settings) as service:
            yield service


def printing(
    as_json: bool,
    encode: Callable[[Result], object],
    write: Callable[[Result, Console], None],
) -> Callable[[Result], None]:
    """Shows a result on stdout: as the one JSON document that `encode` makes of it, or written for
    people."""

    def show(result: Result) -> None:
        from rag.terminal import stdout

        if as_json:
            print_json(encode(result))
        else:
            write(result, stdout())

    return show


def exit_with(status: Coroutine[Any, Any, int]) -> NoReturn:
    """Run to the end and exit with its status; an error of ours is told without a traceback."""
    try:
        code = asyncio.run(status)
    except DatelineError as error:
        warn(f"error: {error}")
        code = FAILED
    raise typer.Exit(code)


def read_settings() -> Settings:
    """The settings; warns about unknown ones."""
    settings = load_settings()
    for warning in unknown_settings():
        warn(warning)
    return settings


async def hint_if_empty(service: Reached) -> None:
    """Say what to do where there are no articles yet."""
    if not (await service.article_page(None, 1))[0]:
        warn("the library is empty; take in articles first: dateline ingest PATH")


async def sources_of(service: Reached, answer: Answer) -> dict[str, str]:
    """The files that the articles of an answer's citations came from, as far as they are known."""
    found: dict[str, str] = {}
    for article_id in {citation.article_id for citation in answer.citations}:
        with suppress(NotFoundError):  # deleted meanwhile
            found[article_id] = (await service.article(article_id)).source or ""
    return {article_id: source for article_id, source in found.items() if source}


def warn(message: str) -> None:
    """Print a message on stderr."""
    print(message, file=sys.stderr, flush=True)


def print_json(document: object, indent: int | None = 2) -> None:
    """Print a document on stdout, as its encoding allows; in one line without an indent."""
    utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    print(json.dumps(document, ensure_ascii=not utf8, indent=indent), flush=True)
