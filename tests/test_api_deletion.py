"""A deleted article is gone from everything at once; pages of the list stand still meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from rag.service import Service
from rag.types import Article, Question
from tests.wired import ASKED, BRIDGE, client_of, wired

RAIN = Article("rain", "Rain fell on the market.\n", outlet="The Daily")
IN_INDEX = {"filters": {}}
FILTERED = {"filters": {"outlets": ["The Daily"]}}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with wired(tmp_path / "data", BRIDGE, RAIN) as opened:
        yield opened


@pytest.fixture
async def http(service: Service) -> AsyncIterator[httpx.AsyncClient]:
    async with client_of(service) as opened:
        yield opened


async def found(http: httpx.AsyncClient, **more: object) -> set[str]:
    response = await http.post("/v1/search", json=ASKED | more)
    assert response.status_code == 200
    return {passage["article_id"] for passage in response.json()["passages"]}


async def test_a_deleted_article_is_found_no_more_by_any_search_nor_in_any_answer(service, http):
    for more in (IN_INDEX, FILTERED):
        assert "bridge" in await found(http, **more)
    answer = (await http.post("/v1/ask", json=ASKED)).json()
    assert [one["article_id"] for one in answer["citations"]] == ["bridge"]
    kept = (f"/v1/answers/{answer['id']}", f"/answers/{answer['id']}", "/articles/bridge")
    assert [(await http.get(path)).status_code for path in kept] == [200] * 3

    assert (await http.delete("/v1/articles/bridge")).status_code == 204

    for more in (IN_INDEX, FILTERED, {"filters": {"article_ids": ["bridge"]}}):
        assert "bridge" not in await found(http, **more)
    rankings = await service.rankings(Question(ASKED["question"]), 10)
    assert rankings.keys() == {"bm25", "dense"}
    for passages in rankings.values():
        assert "bridge" not in {passage.article_id for passage in passages}
    again = (await http.post("/v1/ask", json=ASKED)).json()
    assert "bridge" not in _shown(again)
    gone = (*kept, "/v1/articles/bridge")
    assert [(await http.get(path)).status_code for path in gone] == [404] * 4
    listed = (await http.get("/v1/articles")).json()["articles"]
    assert [article["id"] for article in listed] == ["rain"]


async def test_while_articles_come_and_go_no_search_fails_or_finds_what_was_gone_before(http):
    body = {"text": BRIDGE.text, "outlet": BRIDGE.outlet}
    for _ in range(8):
        searches = [asyncio.create_task(found(http, **more)) for more in (IN_INDEX, FILTERED) * 2]
        asking = asyncio.create_task(http.post("/v1/ask", json=ASKED))
        assert (await http.delete("/v1/articles/bridge")).status_code == 204
        after = await asyncio.gather(found(http), found(http, **FILTERED))
        assert after == [{"rain"}, {"rain"}]
        assert set().union(*await asyncio.gather(*searches)) <= {"bridge", "rain"}
        answer = await asking
        assert answer.status_code == 200
        kept = (await http.get(f"/v1/answers/{answer.json()['id']}")).status_code
        assert kept == (404 if "bridge" in _shown(answer.json()) else 200)
        await http.put("/v1/articles/bridge", json=body)


def _shown(answer: dict) -> set[str]:
    return {piece["article_id"] for piece in (*answer["citations"], *answer["nearest"])}


async def test_pages_hold_each_article_that_stays_once_whatever_comes_and_goes_between(tmp_path):
    articles = [Article(f"a{number}", f"News {number}.") for number in range(9)]
    seen, after = [], None
    async with wired(tmp_path / "more", *articles) as service, client_of(service) as http:
        for change in ("a1", "a3", "a8", None):
            query = {"limit": 2} | ({"after": after} if after else {})
            page = (await http.get("/v1/articles", params=query)).json()
            seen += [article["id"] for article in page["articles"]]
            if (after := page["next"]) is None:
                break
            if change:  # a1 and a3 are the cursors of their pages
                assert (await http.delete(f"/v1/articles/{change}")).status_code == 204
                await http.put(f"/v1/articles/a0-{change}", json={"text": "Early."})
                await http.put(f"/v1/articles/a6-{change}", json={"text": "Late."})
    assert len(seen) == len(set(seen))
    assert seen == ["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a6-a1"]


async def test_a_cursor_that_names_nothing_goes_on_behind_its_place(http):
    page = (await http.get("/v1/articles", params={"after": "c\u0000 é"})).json()
    assert [article["id"] for article in page["articles"]] == ["rain"]
