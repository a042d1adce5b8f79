"""The OpenAPI document lists every route, with every response that it gives."""

import json
from typing import Any

import pytest

from api.access import needed_scope
from rag.errors import LibraryError
from tests.fakes import FakeService
from tests.http_samples import ANSWER, ARTICLE, EVENTS, EVIDENCE, client

ROUTES = {
    ("/", "get"): {"200", "400", "500"},
    ("/articles/{article_id}", "get"): {"200", "400", "404", "422", "500", "503"},
    ("/answers/{answer_id}", "get"): {"200", "400", "404", "422", "500", "503"},
    ("/healthz", "get"): {"200", "400", "500"},
    ("/readyz", "get"): {"200", "400", "500", "503"},
    ("/metrics", "get"): {"200", "400", "500"},
    ("/widget.js", "get"): {"200", "400", "500"},
    ("/widget.{version}.js", "get"): {"200", "400", "422", "500"},
    ("/v1/ask", "post"): {"200", "400", "413", "415", "422", "500", "502", "503"},
    ("/v1/search", "post"): {"200", "400", "413", "415", "422", "500", "502", "503"},
    ("/v1/answers/{answer_id}", "get"): {"200", "400", "404", "422", "500", "503"},
    ("/v1/feedback", "get"): {"200", "400", "422", "500", "503"},
    ("/v1/feedback", "post"): {"201", "400", "404", "413", "415", "422", "500", "503"},
    ("/v1/chat/completions", "post"): {"200", "400", "413", "415", "500", "502", "503"},
    ("/v1/responses", "post"): {"200", "400", "413", "415", "500", "502", "503"},
    ("/v1/models", "get"): {"200", "400", "500"},
    ("/v1/models/{model}", "get"): {"200", "400", "404", "500"},
    ("/v1/articles", "get"): {"200", "400", "422", "500", "503"},
    ("/v1/articles", "post"): {"201", "400", "409", "413", "415", "422", "500", "503"},
    ("/v1/articles/{article_id}", "get"): {"200", "400", "404", "422", "500", "503"},
    ("/v1/articles/{article_id}", "put"): {"200", "201", "400", "413", "415", "422", "500", "503"},
    ("/v1/articles/{article_id}", "delete"): {"204", "400", "404", "422", "500", "503"},
}


async def document() -> dict[str, Any]:
    async with client() as http:
        response = await http.get("/openapi.json")
    assert response.status_code == 200
    return response.json()


def references(part: Any) -> set[str]:
    if isinstance(part, dict):
        here = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
        return here.union(*(references(value) for value in part.values()))
    return set().union(*map(references, part)) if isinstance(part, list) else set()


async def test_every_route_is_listed_with_its_responses():
    listed = {
        (path, method): set(operation["responses"])
        for path, operations in (await document())["paths"].items()
        for method, operation in operations.items()
    }
    for (path, method), statuses in ROUTES.items():
        if needed_scope(method.upper(), path, public_pages=False):
            statuses |= {"401", "403", "503"}
        if method in ("post", "put", "delete"):
            statuses |= {"429", "503"}
        if path in ("/v1/ask", "/v1/chat/completions", "/v1/responses"):
            statuses |= {"504"}
    assert listed == ROUTES


async def test_every_reference_leads_somewhere_and_every_model_is_used():
    described = await document()
    names = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert references(described) == names


async def test_every_error_is_described_as_a_problem():
    for operations in (await document())["paths"].values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400" and response["content"].keys().isdisjoint(
                    {"text/html", "application/json"}
                ):
                    assert list(response["content"]) == ["application/problem+json"]


async def test_every_operation_and_parameter_says_what_it_is_for():
    for operations in (await document())["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"]
            assert operation["operationId"]
            assert all(parameter["description"] for parameter in operation.get("parameters", []))


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("get", "/", None),
        ("get", "/healthz", None),
        ("get", "/readyz", None),
        ("get", "/metrics", None),
        ("get", "/articles/a1", None),
        ("get", "/articles/a9", None),
        ("get", "/answers/ans_1", None),
        ("get", "/answers/ans_9", None),
        ("get", "/v1/answers/ans_1", None),
        ("get", "/v1/answers/ans_9", None),
        ("get", "/v1/answers/a%20b", None),
        ("get", "/v1/feedback", None),
        ("get", "/v1/feedback?limit=x", None),
        ("post", "/v1/feedback", {"answer_id": "ans_1", "rating": "up"}),
        ("post", "/v1/feedback", {"answer_id": "ans_9", "rating": "up"}),
        ("post", "/v1/feedback", {}),
        ("get", "/v1/articles", None),
        ("get", "/v1/articles?limit=x", None),
        ("get", "/v1/articles/a1", None),
        ("get", "/v1/articles/a9", None),
        ("put", "/v1/articles/a1", {"text": "News."}),
        ("put", "/v1/articles/a9", {"text": "News."}),
        ("put", "/v1/articles/a9", {}),
        ("post", "/v1/articles", {"text": "News."}),
        ("delete", "/v1/articles/a1", None),
        ("post", "/v1/ask", {"question": "Why?"}),
        ("post", "/v1/ask", {"question": "Why?", "stream": True}),
        ("post", "/v1/ask", {}),
        ("post", "/v1/search", {"question": "Why?"}),
        ("get", "/v1/models", None),
        ("post", "/v1/chat/completions", {"messages": [{"role": "user", "content": "Why?"}]}),
        ("post", "/v1/chat/completions", {}),
        ("post", "/v1/responses", {"input": "Why?"}),
        ("post", "/v1/responses", {"input": "Why?", "stream": True}),
    ],
)
async def test_what_is_answered_is_documented(method, path, body):
    described = await document()
    service = FakeService(ARTICLE, script=EVENTS, answers=[ANSWER], evidence=EVIDENCE)
    async with client(service) as http:
        response = await http.request(method, path, json=body)
    bare = path.partition("?")[0]
    parent = bare.rpartition("/")[0]
    (template,) = (
        [bare]
        if bare in described["paths"]
        else [listed for listed in described["paths"] if listed.startswith(f"{parent}/{{")]
    )
    documented = described["paths"][template][method]["responses"][str(response.status_code)]
    media_type = response.headers.get("content-type", "").partition(";")[0]
    assert media_type in documented.get("content", {"": None})


async def test_a_failing_library_is_a_documented_503():
    class Failing(FakeService):
        async def article_page(self, after, limit):
            raise LibraryError("the disk is full")

    async with client(Failing()) as http:
        assert (await http.get("/v1/articles")).status_code == 503


async def test_the_servers_address_is_the_public_one_if_there_is_one():
    async with client(FakeService(public_url="https://news.example/")) as http:
        public = json.loads((await http.get("/openapi.json")).text)["servers"]
    async with client(host="::1", port=9000) as http:
        served = json.loads((await http.get("/openapi.json")).text)["servers"]
    assert public == [{"url": "https://news.example"}]
    assert served == [{"url": "http://[::1]:9000"}]
