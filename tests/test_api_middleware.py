"""What holds for every request: its id, its host, the size of its body, safe headers."""

import pytest

from api.app import create_app
from api.middleware import host_name, is_loopback
from rag.errors import NotFoundError
from tests.fakes import FakeService
from tests.http_samples import EVENTS, assert_problem, client, post_scope


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", ""],
)
async def test_a_foreign_host_is_refused_on_loopback(host):
    async with client() as http:
        for path in ("/", "/healthz", "/v1/articles", "/openapi.json", "/nothing"):
            assert_problem(await http.get(path, headers={"Host": host}), 400, "DATELINE_PUBLIC_URL")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:9", "127.0.0.1:8000", "[::1]:8000", "news.example"]
)
async def test_loopback_names_and_the_public_host_are_served(host):
    service = FakeService(public_url="https://News.example/ask")
    async with client(service) as http:
        assert (await http.get("/healthz", headers={"Host": host})).status_code == 200


async def test_another_loopback_address_is_served_under_its_own_name():
    async with client(host="127.0.0.2") as http:
        response = await http.get("/healthz", headers={"Host": "127.0.0.2:8000"})
    assert response.status_code == 200


async def test_a_public_server_answers_to_any_host():
    async with client(host="0.0.0.0") as http:
        response = await http.get("/healthz", headers={"Host": "news.example"})
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("Localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("news.example", False),
        ("localhost.evil.example", False),
    ],
)
def test_loopback_is_told_from_the_world(host, expected):
    assert is_loopback(host) is expected


def test_a_host_header_is_read_without_port_and_brackets():
    assert [host_name(h) for h in ("A:1", "a", "[::1]:8", "[::1]", "")] == [
        "a",
        "a",
        "::1",
        "::1",
        "",
    ]


@pytest.mark.parametrize("theirs", ["", "a b", "x" * 129, "<script>", "a\tb", "é"])
async def test_an_odd_request_id_is_replaced(theirs):
    async with client() as http:
        headers = {"X-Request-ID": theirs.encode()}
        first = (await http.get("/healthz", headers=headers)).headers["x-request-id"]
        second = (await http.get("/healthz", headers=headers)).headers["x-request-id"]
    assert theirs not in (first, second)
    assert first != second


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/healthz", None),
        ("GET", "/nothing", None),
        ("GET", "/static/paper.css", None),
        ("GET", "/articles/a9", None),
        ("POST", "/v1/ask", {}),
        ("POST", "/v1/ask", {"question": "Why?", "stream": True}),
    ],
)
async def test_every_response_carries_the_callers_request_id_and_safe_headers(method, path, body):
    async with client() as http:
        response = await http.request(method, path, json=body, headers={"X-Request-ID": "r.1-A_z"})
    assert response.headers.get_list("x-request-id") == ["r.1-A_z"]
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in response.headers["content-security-policy"]


async def test_a_500_carries_the_request_id_once():
    async with client(FakeService(script=[KeyError("x")])) as http:
        response = await http.post(
            "/v1/ask", json={"question": "Why?"}, headers={"X-Request-ID": "r-1"}
        )
    assert response.status_code == 500
    assert response.headers.get_list("x-request-id") == ["r-1"]


@pytest.mark.parametrize("declared", ["1000001", "9" * 5000])
async def test_a_body_that_declares_too_much_is_refused_unread(declared):
    sent = []

    async def receive():
        raise AssertionError("the body was read")

    async def send(message):
        sent.append(message)

    scope = post_scope("/v1/articles", content_length=declared)
    await create_app(FakeService(max_file_mb=1))(scope, receive, send)
    assert sent[0]["status"] == 413


async def test_a_body_that_is_too_large_is_a_413():
    async with client(service := FakeService(max_file_mb=1)) as http:
        response = await http.post("/v1/articles", json={"text": "x" * 1_000_001})
        assert_problem(response, 413, "1,000,000")
        response = await http.post("/v1/ask", json={"question": "x" * 1_000_001})
        assert_problem(response, 413, "1,000,000")
    assert not service.articles


async def test_a_body_that_turns_out_too_large_is_a_413():
    sent = 0

    async def pieces():
        nonlocal sent
        for _ in range(100):
            sent += 1
            yield b"x" * 100_000

    async with client(FakeService(max_file_mb=1)) as http:
        response = await http.put(
            "/v1/articles/a1", content=pieces(), headers={"Content-Type": "application/json"}
        )
    assert_problem(response, 413)


async def test_a_large_article_within_the_limit_is_taken():
    async with client(FakeService(max_file_mb=2)) as http:
        response = await http.put("/v1/articles/a1", json={"text": "x" * 1_500_000})
    assert response.status_code == 201


async def test_the_id_of_a_request_is_in_its_streams_error():
    async with client(FakeService(script=[EVENTS[0], NotFoundError("gone")])) as http:
        response = await http.post(
            "/v1/ask",
            json={"question": "Why?", "stream": True},
            headers={"X-Request-ID": "r-7"},
        )
    assert '"request_id":"r-7"' in response.text
    assert response.headers["x-request-id"] == "r-7"


@pytest.mark.parametrize("path", ["/", "/healthz", "/articles/a1", "/v1/articles", "/nothing"])
async def test_head_is_answered_as_get_without_the_body(path):
    async with client() as http:
        get, head = await http.get(path), await http.head(path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "x-content-type-options"):
        assert head.headers[name] == get.headers[name]


async def test_head_is_refused_where_get_is():
    async with client() as http:
        response = await http.head("/v1/ask")
    assert response.status_code == 405
