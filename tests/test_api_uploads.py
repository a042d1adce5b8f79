"""Articles sent twice, and articles sent as documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from rag.service import Service
from rag.storage.keys import make_key
from tests.http_samples import JSON, assert_problem
from tests.wired import client_of, wired

NEWS = {"text": "The harbour bridge cost 84 million crowns in all."}
ONCE = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
PATHS = (("POST", "/v1/articles"), ("PUT", "/v1/articles/a1"))
PAGE = (
    "<html lang='en'><head><title>Été au port</title></head><body><article><h1>Été au port</h1>"
    "<p>The harbour bridge cost 84 million crowns in all.</p></article></body></html>"
)


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with wired(tmp_path / "data") as opened:
        yield opened


async def ids(http: httpx.AsyncClient) -> list[str]:
    return [article["id"] for article in (await http.get("/v1/articles")).json()["articles"]]


def said(response: httpx.Response) -> tuple[int, bytes, str | None]:
    return response.status_code, response.content, response.headers.get("location")


# Sent again


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "a b", "é"])
async def test_an_idempotency_key_that_cannot_be_is_a_422(service, key):
    async with client_of(service) as http:
        headers = {"Idempotency-Key": key.encode("latin-1")}
        response = await http.post("/v1/articles", json=NEWS, headers=headers)
        assert_problem(response, 422, "dempotency-")
        assert await ids(http) == []


async def test_the_same_key_with_another_body_is_a_422(service):
    async with client_of(service, **ONCE) as http:
        await http.post("/v1/articles", json=NEWS)
        response = await http.post("/v1/articles", json={"text": "Rain fell."})
        assert_problem(response, 422, "another request")
        assert len(await ids(http)) == 1


async def test_sent_again_it_gets_the_same_response_and_no_second_article(tmp_path):
    async with wired(tmp_path / "data") as service, client_of(service, **ONCE) as http:
        first = await http.post("/v1/articles", json=NEWS)
        second = await http.post("/v1/articles", json=NEWS)
    async with wired(tmp_path / "data") as service, client_of(service, **ONCE) as http:
        third = await http.post("/v1/articles", json=NEWS)
        assert await ids(http) == [first.json()["id"]]
    assert first.status_code == 201
    assert said(first) == said(second) == said(third)
    replayed = [one.headers.get("idempotent-replayed") for one in (first, second, third)]
    assert replayed == [None, "true", "true"]


async def test_sent_at_once_one_is_carried_out_and_the_others_wait_or_are_told(service):
    async with client_of(service, **ONCE) as http:
        together = await asyncio.gather(*(http.post("/v1/articles", json=NEWS) for _ in range(8)))
        stored = await ids(http)
    for response in together:
        if response.status_code != 201:
            assert_problem(response, 409, "being worked on")
    assert {one.json()["id"] for one in together if one.status_code == 201} == set(stored)
    assert len(stored) == 1


async def test_sent_again_it_neither_reverts_a_replacement_nor_brings_back_what_was_deleted(
    service,
):
    async with client_of(service, **ONCE) as http:
        first = await http.post("/v1/articles", json=NEWS)
        place = first.headers["location"]
        await http.put(place, json={"text": "Another text."})
        assert said(await http.post("/v1/articles", json=NEWS)) == said(first)
        assert (await http.get(place)).json()["text"] == "Another text."
        await http.delete(place)
        assert said(await http.post("/v1/articles", json=NEWS)) == said(first)
        assert (await http.get(place)).status_code == 404


async def test_a_request_that_failed_can_be_sent_again(service):
    async with client_of(service, **ONCE) as http:
        refused = await http.post("/v1/articles", json={"text": ""})
        assert refused.status_code == 422
        first = await http.post("/v1/articles", json=NEWS)
    assert first.status_code == 201


async def test_keys_of_different_callers_have_nothing_to_do_with_each_other(service):
    callers = [make_key(name, ("write", "read"), (), datetime.now(UTC)) for name in "ab"]
    for caller in callers:
        service.keys.add(caller)
    async with client_of(service, **ONCE) as http:
        answers = [
            await http.post(
                "/v1/articles", json=NEWS, headers={"Authorization": f"Bearer {caller.token}"}
            )
            for caller in callers
        ]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert len({answer.json()["id"] for answer in answers}) == 2


async def test_a_put_needs_no_key_and_is_not_harmed_by_one(service):
    async with client_of(service, **ONCE) as http:
        statuses = [
            (await http.put("/v1/articles/a1", json={"text": text})).status_code
            for text in ("one", "two")
        ]
        assert (await http.get("/v1/articles/a1")).json()["text"] == "two"
    assert statuses == [201, 200]


# Documents


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize(
    ("kind", "body", "status", "words"),
    [
        ("application/pdf", b"%PDF", 415, "text/markdown"),
        ("text/html", b"", 422, "text"),
        ("text/plain", b"a\0b", 422, "binary"),
        ("text/plain; charset=nonsense", b"News.", 422, "nonsense"),
        ("text/markdown", b"---\nid: a b\n---\nNews.", 422, "id"),
        ("text/html", b"<div>" * 100_000, 422, "article text"),
    ],
)
async def test_a_document_that_cannot_be_taken_in_is_a_problem(
    service, method, path, kind, body, status, words
):
    async with client_of(service) as http:
        response = await http.request(method, path, content=body, headers={"Content-Type": kind})
        assert_problem(response, status, words)
        assert await ids(http) == []


@pytest.mark.parametrize(("method", "path"), PATHS)
async def test_documents_and_their_texts_are_limited(tmp_path, method, path):
    limits = {"max_article_chars": 10, "max_file_mb": 1}
    async with wired(tmp_path / "data", **limits) as service, client_of(service) as http:
        for kind in ("text/plain", "application/json"):
            headers = {"Content-Type": kind}
            large = await http.request(method, path, content=b"x" * 1_000_001, headers=headers)
            assert_problem(large, 413, "1,000,000 bytes")
        long = await http.request(
            method, path, content=b"x" * 11, headers={"Content-Type": "text/plain"}
        )
        assert_problem(long, 422, "11 characters", "10")
        assert await ids(http) == []


async def test_a_page_a_markdown_file_and_a_text_become_articles(service):
    front = "---\ntitle: Rain\noutlet: The Daily\nid: rain\n---\nRain fell on the market."
    async with client_of(service) as http:
        page = await http.post(
            "/v1/articles",
            content=PAGE.encode("latin-1"),
            headers={"Content-Type": 'text/html; charset="ISO-8859-1"'},
        )
        markdown = await http.post(
            "/v1/articles", content=front, headers={"Content-Type": "text/markdown"}
        )
        text = await http.put(
            "/v1/articles/plain", content="Just news.", headers={"Content-Type": "text/plain"}
        )
        again = await http.put(
            "/v1/articles/other", content=front, headers={"Content-Type": "text/markdown"}
        )
        assert sorted(await ids(http)) == sorted([page.json()["id"], "plain", "rain"])
    assert page.json()["title"] == "Été au port"
    assert "84 million crowns" in page.json()["text"]
    known = (markdown.json()["id"], markdown.json()["title"], markdown.json()["outlet"])
    assert known == ("rain", "Rain", "The Daily")
    assert (text.status_code, text.json()["text"]) == (201, "Just news.")
    assert_problem(again, 422, "rain", "other")


async def test_a_document_sent_again_is_no_second_article(service):
    kind = {"Content-Type": "text/plain"}
    async with client_of(service, **ONCE) as http:
        sent = [await http.post("/v1/articles", content="News.", headers=kind) for _ in "12"]
        assert said(sent[0]) == said(sent[1])
        assert len(await ids(http)) == 1


async def test_a_web_page_without_a_key_cannot_send_text_that_browsers_do_not_ask_about(service):
    headers = {"Content-Type": "text/plain", "Origin": "https://evil.example"}
    async with client_of(service) as http:
        response = await http.post("/v1/articles", content="News.", headers=headers)
        assert_problem(response, 403, "web page")
        assert await ids(http) == []


# JSON that is none


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff{}",
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"id": ' + b"9" * 10_000 + b', "text": "News."}',
    ],
    ids=["empty", "open", "not UTF-8", "open brackets", "brackets", "braces", "huge number"],
)
@pytest.mark.parametrize("method_and_path", [*PATHS, ("POST", "/v1/ask")])
async def test_json_that_cannot_be_read_is_a_400(service, method_and_path, body):
    async with client_of(service) as http:
        response = await http.request(*method_and_path, content=body, headers=JSON)
    if not body and method_and_path[1] == "/v1/ask":
        assert_problem(response, 422, "body")
    else:
        assert_problem(response, 400)
