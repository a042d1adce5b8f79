"""The library of articles over HTTP."""

import json

import pytest

from rag.articles import article_id
from rag.types import Article
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, JSON, assert_problem, client


async def test_an_unknown_article_is_a_404():
    async with client() as http:
        assert_problem(await http.get("/v1/articles/a9"), 404, "a9")
        assert_problem(await http.delete("/v1/articles/a9"), 404, "a9")


@pytest.mark.parametrize("odd_id", ["a%20b", "x" * 129, "%D0%B0", "a%00b", "%FF"])
async def test_an_id_that_no_article_can_have_is_a_422(odd_id):
    async with client() as http:
        for method in ("GET", "DELETE"):
            assert_problem(await http.request(method, f"/v1/articles/{odd_id}"), 422, "article_id")
        response = await http.put(f"/v1/articles/{odd_id}", json={"text": "News."})
        assert_problem(response, 422, "article_id")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, ["text"]),
        ({"text": ""}, ["text"]),
        ({"text": " \n "}, ["text"]),
        ({"text": 7}, ["text"]),
        ({"text": "a\x00b"}, ["text"]),
        ({"text": "a\ud800b"}, ["text"]),
        ({"text": "News.", "id": "a b"}, ["id"]),
        ({"text": "News.", "published_at": "yesterday"}, ["published_at"]),
        ({"text": "News.", "publishedAt": "2025-08-21"}, ["publishedAt", "no such field"]),
        ([{"text": "News."}], ["body"]),
    ],
)
async def test_an_article_that_cannot_be_taken_in_is_a_422_that_names_the_field(body, words):
    async with client(service := FakeService()) as http:
        for method, path in (("POST", "/v1/articles"), ("PUT", "/v1/articles/a1")):
            response = await http.request(method, path, content=json.dumps(body), headers=JSON)
            assert_problem(response, 422, *words)
    assert not service.articles


async def test_an_article_of_too_many_characters_is_a_422_that_says_how_many_may_be():
    async with client(service := FakeService(max_article_chars=10)) as http:
        response = await http.post("/v1/articles", json={"text": "x" * 11})
    assert_problem(response, 422, "11", "10")
    assert not service.articles


async def test_two_ids_that_differ_are_a_422():
    async with client(service := FakeService()) as http:
        response = await http.put("/v1/articles/a1", json={"id": "a2", "text": "News."})
    assert_problem(response, 422, "a1", "a2")
    assert not service.articles


async def test_a_posted_article_is_answered_with_201_its_place_and_itself():
    body = {"id": "a1", "title": "T", "published_at": "2025-08-21", "text": "Ünïcode 🇮🇳\r\n"}
    async with client(service := FakeService()) as http:
        response = await http.post("/v1/articles", json=body)
        stored = await http.get(response.headers["location"])
    assert response.status_code == 201
    assert response.headers["location"] == "/v1/articles/a1"
    assert response.json() == stored.json()
    assert stored.json()["text"] == body["text"]
    assert service.articles["a1"] == Article(
        "a1", body["text"], title="T", published_at="2025-08-21"
    )


async def test_an_article_without_id_is_known_by_its_url():
    body = {"url": "https://news.example/1", "text": "News."}
    async with client(service := FakeService()) as http:
        for _ in range(2):
            response = await http.post("/v1/articles", json=body)
            assert response.status_code == 201
    assert list(service.articles) == [article_id("https://news.example/1")]


async def test_articles_without_id_and_url_are_different_even_with_equal_text():
    async with client(service := FakeService()) as http:
        ids = {(await http.post("/v1/articles", json={"text": "N."})).json()["id"] for _ in "12"}
    assert len(ids) == 2
    assert set(service.articles) == ids


async def test_put_adds_with_201_and_replaces_with_200():
    async with client(service := FakeService()) as http:
        statuses = [
            (await http.put("/v1/articles/a1", json={"text": text})).status_code
            for text in ("one", "two", "two")
        ]
    assert statuses == [201, 200, 200]
    assert service.articles["a1"].text == "two"


async def test_an_article_can_be_put_back_as_it_was_got():
    async with client(service := FakeService(ARTICLE)) as http:
        got = (await http.get("/v1/articles/a1")).json()
        response = await http.put("/v1/articles/a1", json=got)
    assert (response.status_code, response.json()) == (200, got)
    assert service.articles["a1"].text == ARTICLE.text


async def test_a_deleted_article_is_gone():
    async with client() as http:
        response = await http.delete("/v1/articles/a1")
        assert (response.status_code, response.content) == (204, b"")
        assert_problem(await http.get("/v1/articles/a1"), 404)


@pytest.mark.parametrize("query", ["limit=0", "limit=501", "limit=ten", f"after={'x' * 1001}"])
async def test_a_page_that_cannot_be_is_a_422(query):
    async with client() as http:
        response = await http.get(f"/v1/articles?{query}")
        assert_problem(response, 422, query.partition("=")[0])


async def test_pages_hold_every_article_once_and_no_text():
    articles = [Article(f"a{number}", "News.") for number in range(5)]
    seen, after = [], None
    async with client(FakeService(*articles)) as http:
        for _ in range(3):
            query = {"limit": 2} | ({"after": after} if after else {})
            page = (await http.get("/v1/articles", params=query)).json()
            assert list(page) == ["articles", "next"]
            seen += [article["id"] for article in page["articles"]]
            assert not any("text" in article for article in page["articles"])
            after = page["next"]
    assert seen == ["a0", "a1", "a2", "a3", "a4"]
    assert after is None


async def test_an_empty_library_has_one_empty_page():
    async with client(FakeService()) as http:
        assert (await http.get("/v1/articles")).json() == {"articles": [], "next": None}
