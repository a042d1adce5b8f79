"""Whatever is thrown at whichever route: a well-formed refusal, and no traceback in the log."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from starlette.types import ASGIApp

from api.app import create_app
from api.openai.errors import speaks_openai
from tests.wired import ASKED, BRIDGE, wired

NATIVE = ["/v1/ask", "/v1/search", "/v1/feedback", "/v1/articles", "/v1/articles/bridge"]
OPENAI = ["/v1/responses", "/v1/chat/completions", "/v1/models", "/v1/models/dateline"]
PAGES = ["/", "/articles/bridge", "/answers/ans_1", "/healthz", "/readyz", "/openapi.json"]
ROUTES = [
    *NATIVE,
    *OPENAI,
    *PAGES,
    "/v1/answers/ans_1",
    "/metrics",
    "/static/demo.js",
    "/widget.js",
]
TAKING = {
    "/v1/ask": ASKED,
    "/v1/search": ASKED,
    "/v1/feedback": {"answer_id": "ans_1", "rating": "up"},
    "/v1/articles": {"text": "News."},
    "/v1/articles/bridge": {"text": "News."},
    "/v1/responses": {"input": "Why?"},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Why?"}]},
}

ODD_BODIES = [
    b"",
    b" ",
    b"null",
    b"true",
    b"NaN",
    b"-Infinity",
    b"1e999",
    b"9" * 5_000,
    b'""',
    b'"\\ud800"',
    b'"\xff\xfe"',
    b"[]",
    b"{}",
    b"{",
    b"[" * 100_000,
    b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    b"{}\x00",
    b"\x00",
    b'{"question": "a", "question": "b", "text": "c", "text": 1}',
    b'{"__proto__": {}, "": ""}',
    b"a=1&b=2",
    b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--x--",
]
ODD_VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    1.5,
    float("nan"),
    float("inf"),
    "",
    " ",
    "\0",
    "\ud800",
    "\udfff\ud800",
    "a" * 2_001,
    "³ò ² ٣ ½ ①",
    "\u202e\u200f\ufeff\u2028",
    "🇮🇳" * 50,
    "é" * 50,
    "e" + "\u0301" * 500,
    "'; DROP TABLE articles; --",
    "{{ 7*7 }}",
    '"' * 40,
    "* NEAR AND OR NOT",
    "0000-00-00",
    "2025-02-30",
    "9999-12-31",
    "٢٠٢٥-٠٨-٢١",
    [],
    [[]],
    [None],
    {},
    {"": None},
    [{"role": "user", "content": "\ud800"}],
    [{"role": "user", "content": [{"type": "text", "text": "²"}]}],
    [{"role": "user", "content": [{"type": "image_url", "image_url": 1}]}],
    [{"type": "message"}, {"type": 7}, 7],
    {"published_from": "2025-01-01", "outlets": ["\0", "\ud800"]},
    {"article_ids": ["", "x" * 1_001]},
    {"format": {"type": "json_schema"}},
]
FIELDS = ["question", "history", "filters", "as_of", "stream", "limit", "answer_id", "rating"]
FIELDS += ["reason", "note", "id", "url", "title", "published_at", "text", "messages", "input"]
FIELDS += ["model", "n", "stop", "metadata", "tool_choice", "stream_options", "response_format"]
ODD_ENDS = [
    b"/",
    b"//",
    b"/..",
    b"/../../etc/passwd",
    b"/%2e%2e%2f",
    b"%00",
    b"%2F",
    b"/%",
    b"/%zz",
    b"/%ff%fe",
    b"/%ed%a0%80",
    b"/\xc3\xa9",
    b"/" + b"a" * 60_000,
    b";a=b",
    b"/\\..\\",
    b"/%F0%9F%87%AE",
]
ODD_QUERIES = [
    b"limit=x&after=%00",
    b"limit=99999999999999999999999",
    b"after=%ff&start=-1&end=%ED%A0%80",
    b"start=1&end=99999999999999999999",
    b"&&&===%",
    b"after=" + b"9" * 30,
    b"limit=1&limit=2&limit=",
    b"a" * 60_000,
    b"after=" + "٣".encode(),
]
ODD_HEADERS: list[list[tuple[bytes, bytes]]] = [
    [(b"accept", b"\xff;q=x,,,*/*;q=99")],
    [(b"accept", b"text/event-stream"), (b"accept", b"application/json")],
    [(b"accept-encoding", b"\xe9")],
    [(b"content-type", b"application/json; charset=utf-16")],
    [(b"content-type", b"application/json; charset=nonsense")],
    [(b"content-type", b"\xe9/\xe9")],
    [(b"content-type", b"")],
    [(b"content-type", b"application/json"), (b"content-type", b"text/xml")],
    [(b"content-type", b"multipart/form-data; boundary=")],
    [(b"content-type", b"a" * 60_000)],
    [(b"content-length", b"\xb2")],
    [(b"content-length", b"-1")],
    [(b"content-length", b"9" * 400)],
    [(b"x-request-id", b"\r\nx")],
    [(b"x-request-id", b"a" * 60_000)],
    [(b"authorization", b"Bearer \xff\x00")],
    [(b"authorization", b"Basic OmFk"), (b"authorization", b"Bearer sk_1")],
    [(b"origin", b"null"), (b"access-control-request-method", b"\xff")],
    [(b"origin", b"\xff"), (b"origin", b"https://a.example")],
    [(b"idempotency-key", b"\xff"), (b"idempotency-key", b"")],
    [(b"host", b"127.0.0.1"), (b"host", b"evil.example")],
    [(b"cookie", b"=;=;\xff")],
    [(b"range", b"bytes=-9999999999999999999")],
    [(b"if-modified-since", b"yesterday"), (b"if-none-match", b"\xff")],
    [(b"x-http-method-override", b"DELETE"), (b"x-forwarded-for", b"\xff")],
]
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "É", ""]


@pytest.fixture
async def app(tmp_path: Path) -> AsyncIterator[ASGIApp]:
    async with wired(tmp_path / "data", BRIDGE) as service:
        yield create_app(service)


class Asked:
    """The whole of a response, and the request that it is to."""

    def __init__(self, method: str, path: str) -> None:
        self.method, self.path = method, path
        self.status, self.headers, self.body, self.over = 0, {}, b"", False

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.lower(): value for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")
            self.over = not message.get("more_body", False)


async def ask(
    app: ASGIApp,
    method: str,
    target: bytes,
    body: bytes = b"",
    headers: list[tuple[bytes, bytes]] | None = None,
) -> Asked:
    """Send a request as a server hands it on, whatever it holds."""
    raw_path, _, query = target.partition(b"?")
    path = _unquoted(raw_path)
    given = {name for name, _ in headers or []}
    usual = [(b"host", b"127.0.0.1:8000"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "path": path,
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [one for one in usual if one[0] not in given] + (headers or []),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
    }
    asked, received = Asked(method, path), iter([{"type": "http.request", "body": body}])

    async def receive() -> Any:
        for message in received:
            return message
        return await asyncio.Event().wait()  # who asks stays

    await app(scope, receive, asked.send)
    return asked


def _unquoted(raw: bytes) -> str:
    return unquote(raw.decode("latin-1"))  # as uvicorn does


def assert_well(asked: Asked) -> None:
    assert 200 <= asked.status < 500 or asked.path == "/readyz", (asked.method, asked.path)
    assert asked.over, (asked.method, asked.path[:99], asked.status)
    assert asked.headers[b"x-request-id"]
    if asked.status < 400 or asked.method == "HEAD":
        return
    kind = asked.headers[b"content-type"]
    if kind.startswith(b"text/html"):
        assert asked.status == 404
        assert asked.path.startswith(("/articles/", "/answers/"))
    elif speaks_openai(asked.path):
        assert kind == b"application/json"
        assert json.loads(asked.body)["error"].keys() == {"message", "type", "param", "code"}
    else:
        assert kind == b"application/problem+json"
        document = json.loads(asked.body)
        assert list(document) == ["type", "title", "status", "detail", "request_id"]
        assert document["status"] == asked.status


@pytest.fixture(autouse=True)
def quiet_log(caplog: pytest.LogCaptureFixture):
    with caplog.at_level(logging.INFO):
        yield
    assert not [record for record in caplog.records if record.exc_info]
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_odd_bodies(app):
    for path in TAKING:
        for body in ODD_BODIES:
            method = "PUT" if path.endswith("/bridge") else "POST"
            assert_well(await ask(app, method, path.encode(), body))


async def test_odd_fields(app):
    dice = random.Random(5)
    for path, usual in TAKING.items():
        for field in FIELDS:
            for value in dice.sample(ODD_VALUES, 8):
                method = "PUT" if path.endswith("/bridge") else "POST"
                body = json.dumps({**usual, field: value}).encode()
                assert_well(await ask(app, method, path.encode(), body))


async def test_odd_values_where_they_matter(app):
    matter = {
        "/v1/ask": "question",
        "/v1/search": "question",
        "/v1/articles": "text",
        "/v1/responses": "input",
        "/v1/chat/completions": "messages",
    }
    for path, field in matter.items():
        for value in ODD_VALUES:
            body = json.dumps({**TAKING[path], field: value}).encode()
            assert_well(await ask(app, "POST", path.encode(), body))


async def test_odd_paths_and_queries(app):
    for path in ROUTES:
        for method in ("GET", "POST"):
            for end in ODD_ENDS:
                assert_well(await ask(app, method, path.encode() + end))
        for query in ODD_QUERIES:
            assert_well(await ask(app, "GET", path.encode() + b"?" + query))
    for target in (b"", b"*", b"//", b"\x00", b"http://evil.example/", b"a" * 60_000):
        assert_well(await ask(app, "GET", target))


async def test_odd_headers(app):
    for path in ROUTES:
        body = json.dumps(TAKING.get(path, {})).encode()
        for headers in ODD_HEADERS:
            for method in ("GET", "POST", "OPTIONS"):
                assert_well(await ask(app, method, path.encode(), body, headers))


async def test_odd_methods(app):
    for path in [*ROUTES, "/nowhere"]:
        for method in METHODS:
            if (method, path) != ("DELETE", "/v1/articles/bridge"):
                assert_well(await ask(app, method, path.encode()))
