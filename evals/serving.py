"""The service and the scripted LLM as processes, and what clients of either see of a stream."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from openai import AsyncOpenAI

from evals.scripted_llm import MODEL, Script

_ROOT = Path(__file__).resolve().parent.parent
_PATIENT = {  # a request may wait until all the others are there
    "DATELINE_LLM_TIMEOUT_S": "3600",
    "DATELINE_ANSWER_DEADLINE_S": "3600",
    "DATELINE_MAX_REQUESTS": "10000",
}
TIMEOUT_S = 3600.0


@dataclass(slots=True)
class Started:
    """A server's process: its address, and the lines that it has logged so far."""

    url: str
    process: psutil.Process
    logged: list[str] = field(default_factory=list)

    def cpu_s(self) -> float:
        """CPU seconds that it has used, its children's left out."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def memory_mb(self) -> float:
        """Its resident set size."""
        return float(self.process.memory_info().rss) / 1e6


@asynccontextmanager
async def started(*arguments: str, **environment: str) -> AsyncIterator[Started]:
    """`python -m …`, once it says where it listens; ended by SIGTERM."""
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("DATELINE_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *arguments),
        stderr=asyncio.subprocess.PIPE,
        env={**ours, "PYTHONPATH": str(_ROOT), **environment},
    )
    assert process.stderr
    said: list[str] = []
    async for line in process.stderr:
        said.append(line.decode())
        if " listens on " in said[-1]:
            break
    else:
        await process.wait()
        raise RuntimeError(f"{arguments} did not start: {''.join(said)}")
    server = Started(said[-1].split()[-1], psutil.Process(process.pid), said)
    reading = asyncio.create_task(_read(process.stderr, said))
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        await process.wait()
        await reading


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    async for line in stream:
        lines.append(line.decode())


@asynccontextmanager
async def served(data: Path, llm: Started | None) -> AsyncIterator[Started]:
    """`dateline serve` over a data directory, its models loaded; keyless without an `llm`."""
    model = {"DATELINE_LLM_MODEL": MODEL, "DATELINE_LLM_BASE_URL": f"{llm.url}/v1"} if llm else {}
    environment = {"DATELINE_DATA_DIR": str(data), **_PATIENT, **model}
    async with started("rag", "serve", "--port", "0", **environment) as server:
        async with httpx.AsyncClient() as client:
            while (await client.get(f"{server.url}/readyz")).json()["status"] != "ready":
                await asyncio.sleep(0.1)
        yield server


@dataclass(slots=True)
class Heard:
    """What a client received of one answer: when each of its events came, and its end."""

    asked: float
    events: list[tuple[str, float]] = field(default_factory=list)
    answer: dict[str, Any] | None = None
    request: int = 0  # which of the LLM's it was, from 1 on

    def times(self, name: str) -> list[float]:
        """When the events of that name came."""
        return [at for event, at in self.events if event == name]

    @property
    def failed(self) -> bool:
        """Whether it ended otherwise than with the LLM's answer."""
        return self.answer is None or self.answer["fallback"] is not None


class Clients:
    """A client of the service, and the `openai` client sent straight to the LLM."""

    def __init__(self, service: Started, llm: Started) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        self._http = httpx.AsyncClient(timeout=TIMEOUT_S, limits=limits)
        self._openai = AsyncOpenAI(
            api_key="none", base_url=f"{llm.url}/v1", timeout=TIMEOUT_S, max_retries=0
        )
        self._service, self._llm = service, llm

    async def __aenter__(self) -> Clients:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        await self._openai.close()

    async def ask(self, question: str) -> Heard:
        """Ask the service, streaming; an answer that breaks off has `failed`."""
        heard = Heard(time.monotonic())
        body = {"question": question, "stream": True}
        name = ""
        with suppress(httpx.HTTPError):
            async with self._http.stream("POST", f"{self._service.url}/v1/ask", json=body) as got:
                async for line in got.aiter_lines():
                    if line.startswith("event: "):
                        name = line[7:]
                        heard.events.append((name, time.monotonic()))
                    elif name == "done" and line.startswith("data: "):
                        heard.answer = json.loads(line[6:])
                        heard.request = heard.answer["usage"]["prompt_tokens"]
        return heard

    async def complete(self, question: str) -> Heard:
        """Ask the LLM itself, in the same words; each piece of its reply is an event."""
        heard = Heard(time.monotonic())
        stream = await self._openai.chat.completions.create(
            model=MODEL, messages=[{"role": "user", "content": question}], stream=True
        )
        async for chunk in stream:
            if chunk.choices and chunk.choices[0].delta.content:
                heard.events.append(("piece", time.monotonic()))
            heard.request = chunk.usage.prompt_tokens if chunk.usage else 0
        return heard

    async def direct(self, script: Script) -> None:
        """Give the LLM its script; what it said before is forgotten."""
        (await self._http.put(f"{self._llm.url}/script", json=script.json())).raise_for_status()

    async def said(self) -> list[tuple[float, Sequence[float]]]:
        """For each of the LLM's requests, when it came, and when each piece of its reply was sent:
        the place before `Heard.request` is that of what was heard."""
        found = (await self._http.get(f"{self._llm.url}/said")).json()
        return [(one["asked"], one["sent"]) for one in found]
