"""Every error is one problem document, with the request's id and nothing of our inside."""

import json
import logging

import pytest

from api.problems import kind_of
from rag import errors
from tests.fakes import FakeService
from tests.http_samples import EVENTS, assert_problem, client


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.ArticleError("a.txt", "is empty"), 422),
        (errors.NotFoundError("no article a9"), 404),
        (errors.LibraryError("the library cannot be read"), 503),
        (errors.LibraryInUseError("process 7 holds it"), 503),
        (errors.ModelMismatchError("another model"), 503),
        (errors.EmbeddingError("the model cannot be loaded"), 503),
        (errors.IndexUnavailableError("the index cannot be opened"), 503),
        (errors.LanguageModelError("the endpoint timed out"), 502),
        (errors.PromptError("answer.md is missing"), 500),
        (errors.SettingsError("DATELINE_X is wrong"), 500),
        (errors.DatelineError("something else"), 500),
    ],
)
async def test_each_kind_of_our_errors_has_its_status_and_tells_its_text(error, status):
    async with client(FakeService(script=[error])) as http:
        response = await http.post("/v1/ask", json={"question": "Why?"})
    assert_problem(response, status, str(error))


def test_an_error_kind_that_is_not_in_the_table_is_its_parents_kind():
    class DiskFullError(errors.LibraryError):
        pass

    assert kind_of(DiskFullError("full")) is kind_of(errors.LibraryError("x"))


async def test_an_unforeseen_error_is_a_500_that_tells_nothing_of_our_inside(caplog):
    async with client(FakeService(script=[KeyError("sk-secret")])) as http:
        response = await http.post(
            "/v1/ask", json={"question": "Why?"}, headers={"X-Request-ID": "r-1"}
        )
    assert_problem(response, 500)
    assert "secret" not in response.text
    assert response.json()["request_id"] == "r-1"
    assert [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "secret" not in caplog.text


async def test_an_answer_without_its_end_is_a_500():
    async with client(FakeService(script=EVENTS[:2])) as http:
        assert_problem(await http.post("/v1/ask", json={"question": "Why?"}), 500)


async def test_an_unknown_path_is_a_problem_that_says_where_to_look():
    async with client() as http:
        assert_problem(await http.get("/v1/nothing"), 404, "/v1/nothing", "/openapi.json")
        assert_problem(await http.get("/static/nothing.js"), 404)
        assert_problem(await http.get("/static/../app.py"), 404)


@pytest.mark.parametrize(
    ("method", "path", "right_ones"),
    [
        ("GET", "/v1/ask", "POST"),
        ("PATCH", "/v1/articles", "GET, POST"),
        ("OPTIONS", "/v1/articles/a1", "DELETE, GET, PUT"),
        ("POST", "/static/demo.js", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_a_problem_that_names_the_right_ones(method, path, right_ones):
    async with client() as http:
        response = await http.request(method, path)
    assert_problem(response, 405, method)
    assert response.headers["allow"] == right_ones


@pytest.mark.parametrize("body", [b"{", b'{"question": }', b"\xff\xfe{}", b"[" * 100_000])
async def test_a_body_that_is_not_json_is_a_400(body):
    async with client() as http:
        response = await http.post(
            "/v1/ask", content=body, headers={"Content-Type": "application/json"}
        )
    assert_problem(response, 400)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", None])
async def test_a_body_of_another_type_is_refused_as_web_pages_can_send_those_anywhere(media_type):
    headers = {"Origin": "https://evil.example"}
    headers |= {"Content-Type": media_type} if media_type else {}
    body = json.dumps({"text": "Planted."}).encode()
    async with client(service := FakeService()) as http:
        status = 403 if media_type == "text/plain" else 415  # which is taken from elsewhere
        assert_problem(await http.post("/v1/articles", content=body, headers=headers), status)
        assert_problem(await http.post("/v1/ask", content=body, headers=headers), 415)
    assert not service.articles


async def test_json_types_with_parameters_and_suffixes_are_taken():
    async with client() as http:
        for media_type in ("application/json; charset=utf-8", "application/ld+json"):
            response = await http.post(
                "/v1/ask", content=b'{"question": "Why?"}', headers={"Content-Type": media_type}
            )
            assert response.status_code == 200
