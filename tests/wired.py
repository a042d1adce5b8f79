"""The whole service over a small library, with fakes where the true parts are slow."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from api.app import create_app
from rag.bootstrap import Parts, open_service
from rag.ports import Embedder
from rag.service import Service
from rag.settings import Settings
from rag.types import Article
from tests.fakes import FakeAnalyser, FakeEmbedder
from tests.http_samples import BASE

BRIDGE = Article(
    "bridge",
    "The harbour bridge cost 84 million crowns in all.\nRain fell on the market.\n",
    title="Bridge opens",
    outlet="The Daily",
    published_at="2025-08-21",
)
ASKED = {"question": "What did the harbour bridge cost in all?"}


@asynccontextmanager
async def wired(
    data: Path, *articles: Article, embedder: Embedder | None = None, **settings: object
) -> AsyncIterator[Service]:
    """A service over a data directory, opened, with these articles put into it."""
    bare = {"llm_model": None, "chroma_url": None, "key_rate": "none", "address_rate": "none"}
    chosen = Settings(_env_file=None, **{"data_dir": data} | bare | settings)
    parts = Parts(embedder=embedder or FakeEmbedder(), analyser=FakeAnalyser())
    async with open_service(chosen, parts) as service:
        for article in articles:
            await service.put_article(article)
        yield service


def warmed_up(service: Service) -> None:
    """Have the service load its models; its index may still have to be repaired."""
    service.warm_up()
    for thread in threading.enumerate():
        if thread.name == "warm-up":
            thread.join(60)
            assert not thread.is_alive()


def client_of(service: Service, **headers: str) -> httpx.AsyncClient:
    """A client of the app over a service; what no handler caught is raised."""
    transport = httpx.ASGITransport(create_app(service))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)
