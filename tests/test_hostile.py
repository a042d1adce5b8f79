"""Whatever articles order and an LLM obeys, only what the articles say reaches the client."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from rag.bootstrap import Parts, open_service
from rag.language import SpacyAnalyser
from rag.service import Service
from rag.settings import Settings
from rag.types import Usage
from tests.attacks import ObedientModel, attack, leaks, shown_strings
from tests.fakes import FakeEmbedder
from tests.hostile import Case, Messages, cases, order_in
from tests.test_api_pages import Page
from tests.wired import client_of

pytestmark = pytest.mark.slow

CASES = cases()
BY_NUMBER = {case.number: case for case in CASES}
LEAST = 1000


async def test_a_thousand_attacks_show_nothing_but_what_the_articles_say(
    analyser: SpacyAnalyser,
) -> None:
    assert len({str(case) for case in CASES}) >= LEAST
    wrong: list[str] = []
    outcomes: Counter[str] = Counter()
    for case in CASES:
        status, found = await attack(case, analyser)
        wrong += [f"{case}: {breach}" for breach in found]
        outcomes[status] += 1
    assert not wrong, "\n".join([f"{len(wrong)} breaches", *wrong[:20]])
    assert outcomes["answered"] > len(CASES) / 2, "they show nothing at all"


class ObeysAll(ObedientModel):
    """Obeys the last order that stood in a prompt."""

    def __init__(self) -> None:
        self.obeyed: list[int] = []

    async def stream(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str | Usage]:
        number = order_in(messages)
        if number is not None:
            self.obeyed.append(number)
        for piece in BY_NUMBER[self.obeyed[-1]].reply(messages):
            yield piece


@asynccontextmanager
async def serving(
    data: Path, model: ObeysAll, analyser: SpacyAnalyser
) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    bare = {"llm_model": None, "key_rate": "none", "address_rate": "none"}
    parts = Parts(embedder=FakeEmbedder(), analyser=analyser, model=model)
    settings = Settings(_env_file=None, data_dir=data, **bare)
    async with open_service(settings, parts) as service, client_of(service) as http:
        yield service, http


def requests_of(case: Case) -> Iterator[tuple[str, dict[str, object]]]:
    """The case's question in each form, whole and streamed."""
    asked = case.question
    turns = [{"role": turn.role, "content": turn.content} for turn in asked.history]
    talk = [*turns, {"role": "user", "content": asked.text}]
    for stream in (False, True):
        yield "/v1/ask", {"question": asked.text, "history": turns, "stream": stream}
        yield "/v1/chat/completions", {"messages": talk, "stream": stream}
        yield "/v1/responses", {"input": talk, "stream": stream}


def documents(response: httpx.Response) -> Iterator[object]:
    """The JSON of a response, or of each of its events."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        yield response.json()
        return
    for line in response.text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


async def page_breaches(http: httpx.AsyncClient, answer_id: str) -> Iterator[str]:
    """What is wrong with a stored answer's page: tags of the article's, links but to quotations."""
    page = Page((await http.get(f"/answers/{answer_id}")).text)
    found = [f"<{tag}> on the page" for tag, _ in page.tags if tag in ("script", "img", "iframe")]
    links = [str(link.get("href")) for link in page.named("a")]
    found += [f"a link to {link}" for link in links if not re.match(r"/(articles/|$)|#note-", link)]
    return iter(found)


async def test_nor_does_any_form_over_http(tmp_path: Path, analyser: SpacyAnalyser) -> None:
    chosen = [case for case in CASES[::37] if case.carrier != "author"]
    assert len(chosen) >= 25
    model = ObeysAll()
    wrong: list[str] = []
    async with serving(tmp_path / "data", model, analyser) as (service, http):
        for case in chosen:
            for article in case.articles:
                await service.put_article(article)
            for path, body in requests_of(case):
                response = await http.post(path, json=body)
                assert response.status_code == 200, response.text
                for document in documents(response):
                    told = [leak for text in shown_strings(document) for leak in leaks(text)]
                    wrong += [f"{case} at {path}: {leak}" for leak in dict.fromkeys(told)]
                if (path, body["stream"]) == ("/v1/ask", False):
                    wrong += [
                        f"{case}: {b}" for b in await page_breaches(http, response.json()["id"])
                    ]
            for article in case.articles:
                await service.delete_article(article.id)
    assert Counter(model.obeyed) == {case.number: 6 for case in chosen}
    assert not wrong, "\n".join([f"{len(wrong)} breaches", *wrong[:20]])
