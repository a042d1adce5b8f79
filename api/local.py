"""The route of this machine's own commands, which go through the server that holds their directory.

It is no part of the public API: only the key that the server leaves in its data directory opens
it, and it carries the domain's values as they are. `rag/remote.py` is its client.
"""

from __future__ import annotations

import asyncio
import json
import math
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import ValidationError
from sse_starlette import EventSourceResponse
from starlette.responses import Response

from api.dependencies import Answering, Answers, EndingOfApp, ServiceOfApp
from api.security import LOCAL
from api.streaming import HEARTBEAT_S, heartbeat
from rag.errors import DatelineError
from rag.remote import CALLS, ROUTE
from rag.service import Service
from rag.types import IngestReport

router = APIRouter(include_in_schema=False)

Told = dict[str, Any]


class _LeftError(Exception):
    """Whoever wanted the work to be done has left."""


@router.post(ROUTE + "/{name}")
async def call(
    name: str, request: Request, service: ServiceOfApp, answers: Answers, ending: EndingOfApp
) -> Response:
    """Do what a method of the service does, and tell what it tells."""
    if name not in CALLS or request.state.key is None or request.state.key.id != LOCAL:
        raise HTTPException(404)
    try:
        arguments = CALLS[name].arguments.validate_python(json.loads(await request.body()))
    except (ValidationError, ValueError) as error:
        raise HTTPException(422, str(error)) from None
    told = _told(name, arguments, service, answers)
    return EventSourceResponse(
        _sent(ending.bounded(told, math.inf)),
        ping=HEARTBEAT_S,
        ping_message_factory=heartbeat,
        sep="\n",
    )


async def _sent(told: AsyncGenerator[Told]) -> AsyncIterator[Told]:
    """Each as the data of an event, errors of ours too; at others the stream breaks off."""
    try:
        async with aclosing(told):
            async for one in told:
                yield {"data": json.dumps(one)}
    except DatelineError as error:
        yield {"data": json.dumps({"error": str(error), "kind": type(error).__name__})}


async def _told(
    name: str, arguments: Sequence[Any], service: Service, answers: Answering
) -> AsyncGenerator[Told]:
    result = CALLS[name].result
    if name == "answer":
        async with aclosing(answers(*arguments)) as events:
            async for event in events:
                yield {"item": result.dump_python(event, mode="json")}
        yield {"result": None}
    elif name == "ingest":
        async with aclosing(_ingest(service, *arguments)) as steps:
            async for step in steps:
                yield step if isinstance(step, dict) else {"result": result.dump_python(step)}
    else:
        given = await getattr(service, name)(*arguments)
        yield {"result": result.dump_python(given, mode="json")}


async def _ingest(
    service: Service, paths: Sequence[Path], prune: bool
) -> AsyncGenerator[Told | IngestReport]:
    """How far it is, and its report. Closed before, it ends with what is just being stored."""
    told: asyncio.Queue[Told | None] = asyncio.Queue()
    loop, left = asyncio.get_running_loop(), threading.Event()

    def progress(done: int, total: int | None, unit: str) -> None:
        if left.is_set():
            raise _LeftError
        loop.call_soon_threadsafe(told.put_nowait, {"progress": [done, total, unit]})

    task = asyncio.create_task(service.ingest(paths, prune=prune, progress=progress))
    task.add_done_callback(lambda _: told.put_nowait(None))
    try:
        while step := await told.get():
            yield step
        yield await task
    finally:
        left.set()
        task.cancel()
