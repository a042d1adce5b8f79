"""Who may ask over HTTP: keys, their scopes and origins, CORS."""

from __future__ import annotations

import itertools
import logging
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from starlette.routing import BaseRoute, Mount

from api.access import PAGES, PUBLIC, SCOPED, needed_scope, suffices
from api.app import create_app
from rag.storage.database import Database
from rag.storage.keyring import Keyring
from rag.storage.keys import SCOPES, make_key
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, EVENTS, EVIDENCE, assert_problem, client

NOW = datetime.now(UTC)
SITE, OTHER = "https://news.example", "https://evil.example"
ASKED = {"question": "Why?"}
OPENAI = ("/v1/responses", "/v1/chat/completions", "/v1/models", "/v1/models/dateline")


@pytest.fixture
def keyring(tmp_path: Path) -> Iterator[Keyring]:
    with closing(Database(tmp_path / "library.db")) as database:
        yield Keyring(database)


def service(keyring: Keyring, **settings: object) -> FakeService:
    return FakeService(ARTICLE, script=EVENTS, evidence=EVIDENCE, keys=keyring, **settings)


def token(keyring: Keyring, *scopes: str, origins: tuple[str, ...] = ()) -> str:
    new = make_key("x", scopes or ("ask",), origins, NOW)
    keyring.add(new)
    return new.token


def bearer(token: str, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}", **more}


def routes(app) -> list[tuple[str, str]]:
    """Every method and path that the app serves, of routes, included routers and mounts."""

    def listed(some: list[BaseRoute]) -> Iterator[tuple[str, str]]:
        for route in some:
            if isinstance(route, Mount):
                yield "GET", f"{route.path}/x"
            elif hasattr(route, "methods"):
                for method in route.methods - {"HEAD"}:
                    yield method, re.sub(r"{(\w+)(:path)?}", r"\1", route.path)
            else:  # a router that FastAPI included
                yield from listed(route.effective_candidates())

    return list(listed(app.routes))


KEYED = [
    *SCOPED,
    ("DELETE", "/v1/ask"),
    ("GET", "/nothing"),
    ("POST", "/"),
    ("PUT", "/articles/a1"),
]
"""What the table names, and what it does not."""


async def test_every_route_of_the_app_is_public_or_denied_without_a_key(keyring):
    token(keyring)
    fake = service(keyring)
    found = routes(create_app(fake))
    assert len(found) > 10
    assert ("POST", "/v1/ask") in found
    for name in create_app(fake).openapi()["paths"]:
        assert name.replace("{", "").replace("}", "") in {path for _, path in found}
    public = {"/", "/static/x", "/healthz", "/readyz", "/articles/article_id", "/answers/answer_id"}
    public |= {"/widget.js", "/widget.version.js"}
    async with client(fake) as http:
        for method, path in found:
            response = await http.request(method, path)
            denied = response.status_code == 401
            assert denied == (path not in public), (method, path, response.status_code)


def test_every_route_of_the_app_stands_in_the_table():
    for method, path in routes(create_app(FakeService())):
        local = path == "/local/name"
        assert (needed_scope(method, path) == "admin") == local, (method, path)


@pytest.mark.parametrize("path", [*PUBLIC, *PAGES])
def test_public_paths_are_so_for_reading_only(path):
    assert needed_scope("GET", path) is None
    assert needed_scope("HEAD", path) is None
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert needed_scope(method, path) == "admin"


@pytest.mark.parametrize(
    "path",
    ["//", "/v1/ask/", "/widgets/x.js", "/widget.json", "/healthz/x", "/Healthz", "/statics"],
)
def test_what_only_looks_public_is_not(path):
    assert needed_scope("GET", path) == "admin"


@pytest.mark.parametrize(("method", "path"), KEYED)
async def test_each_route_refuses_a_missing_wrong_expired_revoked_or_too_small_key(
    method, path, keyring, caplog
):
    caplog.set_level(logging.DEBUG)
    needed = needed_scope(method, path)
    good = token(keyring, needed)
    enough = (*suffices(needed, method, path), "admin")
    others = [scope for scope in SCOPES if scope not in enough]
    revoked = make_key("x", ["admin"], [], NOW)
    expired = make_key("x", ["admin"], [], NOW - timedelta(9), NOW - timedelta(8))
    for new in (revoked, expired):
        keyring.add(new)
    keyring.revoke(revoked.key.id)
    unknown = make_key("x", ["admin"], [], NOW).token
    small = token(keyring, *others)
    async with client(service(keyring)) as http:
        for headers, status, challenge in (
            ({}, 401, "Bearer"),
            ({"Authorization": ""}, 401, 'Bearer error="invalid_token"'),
            ({"Authorization": f"Basic {good}"}, 401, 'Bearer error="invalid_token"'),
            ({"Authorization": good}, 401, 'Bearer error="invalid_token"'),
            (bearer("é".encode().decode("latin-1")), 401, 'Bearer error="invalid_token"'),
            (bearer(unknown), 401, 'Bearer error="invalid_token"'),
            (bearer(expired.token), 401, 'Bearer error="invalid_token"'),
            (bearer(revoked.token), 401, 'Bearer error="invalid_token"'),
            (bearer(small), 403, f'Bearer error="insufficient_scope", scope="{needed}"'),
        ):
            sent = {name: value.encode("latin-1") for name, value in headers.items()}
            response = await http.request(method, path, headers=sent)
            assert response.status_code == status, headers
            assert response.headers["www-authenticate"] == challenge
            assert "x-request-id" in response.headers
            if path.startswith(OPENAI[:3]):
                code = "invalid_api_key" if status == 401 else "insufficient_permissions"
                error = response.json()["error"]
                assert list(error) == ["message", "type", "param", "code"]
                assert (error["code"], error["param"]) == (code, None)
            else:
                assert_problem(response, status)
            assert not any(one in response.text for one in (good, small, unknown, expired.token))
        for allowed in (good, token(keyring, "admin")):
            response = await http.request(method, path, headers=bearer(allowed))
            assert response.status_code not in (401, 403)
    assert not any(one in caplog.text for one in (good, small, unknown, expired.token))


async def test_a_scheme_is_read_in_any_case(keyring):
    headers = {"Authorization": f"bearer  {token(keyring, 'read')}"}
    async with client(service(keyring)) as http:
        assert (await http.get("/v1/articles", headers=headers)).status_code == 200
        assert (await http.head("/v1/articles", headers=headers)).status_code == 200
        assert (await http.head("/v1/articles")).status_code == 401


async def test_without_a_key_all_is_open_on_loopback_and_authorization_is_ignored(keyring):
    async with client(service(keyring)) as http:
        for path, headers in itertools.product(
            ("/v1/articles", "/openapi.json"), ({}, bearer("x"), {"Authorization": "odd"})
        ):
            assert (await http.get(path, headers=headers)).status_code == 200


@pytest.mark.parametrize(("allow_open", "status"), [(False, 401), (True, 200)])
async def test_without_a_key_the_world_is_let_in_only_if_so_wished(keyring, allow_open, status):
    async with client(service(keyring), host="0.0.0.0", allow_open=allow_open) as http:
        assert (await http.get("/v1/articles")).status_code == status
        assert (await http.get("/healthz")).status_code == 200


async def test_a_running_server_honours_what_happens_to_keys_at_once(keyring):
    async with client(service(keyring), host="0.0.0.0", allow_open=True) as http:
        assert (await http.get("/v1/articles")).status_code == 200
        new = make_key("x", ["read"], [], NOW)
        keyring.add(new)
        assert (await http.get("/v1/articles")).status_code == 401
        assert (await http.get("/v1/articles", headers=bearer(new.token))).status_code == 200
        keyring.revoke(new.key.id)
        assert_problem(await http.get("/v1/articles", headers=bearer(new.token)), 401, "revoked")
        assert_problem(await http.get("/v1/articles"), 401)  # the last key's end opens nothing


@pytest.mark.parametrize("path", ["/articles/a1", "/answers/ans_1"])
async def test_reading_pages_can_be_closed(keyring, path):
    read, ask = token(keyring, "read"), token(keyring, "ask")
    async with client(service(keyring)) as http:
        assert (await http.get(path)).status_code in (200, 404)
    async with client(service(keyring, public_pages=False)) as http:
        assert_problem(await http.get(path), 401)
        assert_problem(await http.get(path, headers=bearer(ask)), 403, "read")
        assert (await http.get(path, headers=bearer(read))).status_code in (200, 404)


async def test_a_publishable_key_is_good_from_its_origins_only(keyring):
    public = token(keyring, origins=(SITE,))
    async with client(service(keyring)) as http:

        async def ask(**more: str):
            return await http.post("/v1/ask", json=ASKED, headers=bearer(public, **more))

        assert_problem(await ask(), 403, SITE)
        for origin in (OTHER, "null", SITE + ":444", "http://news.example", SITE + ".evil.example"):
            assert_problem(await ask(Origin=origin), 403, SITE)
        response = await ask(Origin=SITE)
        assert response.status_code == 200
        assert response.headers["access-control-allow-origin"] == SITE
        response = await http.get("/v1/articles", headers=bearer(public, Origin=SITE))
        assert_problem(response, 403, "read")


@pytest.mark.parametrize("path", ["/v1/articles/a1", "/v1/answers/ans_1"])
async def test_who_may_ask_or_read_may_follow_an_answer_and_no_other(keyring, path):
    async with client(service(keyring)) as http:
        for scope, refused in (("ask", False), ("read", False), ("write", True)):
            response = await http.get(path, headers=bearer(token(keyring, scope)))
            assert (response.status_code == 403) == refused
        public = bearer(token(keyring, origins=(SITE,)), Origin=SITE)
        assert (await http.get(path, headers=public)).status_code in (200, 404)
        assert_problem(await http.get("/v1/articles", headers=public), 403, "read")


async def test_a_page_of_the_service_s_own_origin_needs_no_origin_header_to_read(keyring):
    public = token(keyring, origins=("https://127.0.0.1",))
    async with client(service(keyring)) as http:
        for site, host, status in (
            ("same-origin", "127.0.0.1", 404),
            ("same-origin", "localhost", 403),
            ("cross-site", "127.0.0.1", 403),
            ("none", "127.0.0.1", 403),
        ):
            headers = bearer(public, **{"Sec-Fetch-Site": site, "Host": host})
            response = await http.get("/v1/articles/none", headers=headers)
            assert response.status_code == status, (site, host)


async def test_a_cors_pass_is_no_key(keyring):
    token(keyring, origins=(SITE,))
    async with client(service(keyring, allowed_origins=f"{SITE}, https://b.example/")) as http:
        for origin in (SITE, "https://b.example"):
            response = await http.post("/v1/ask", json=ASKED, headers={"Origin": origin})
            assert_problem(response, 401)
            assert response.headers["access-control-allow-origin"] == origin  # it may be read


async def test_a_response_is_readable_for_allowed_origins_only_and_never_with_cookies(keyring):
    fake = service(keyring, allowed_origins="https://b.example")
    secret = token(keyring, "read")
    async with client(fake) as http:
        for path, method in itertools.product(("/healthz", "/v1/articles", "/nothing"), ("GET",)):
            for origin, readable in (("https://b.example", True), (OTHER, False), ("null", False)):
                headers = bearer(secret, Origin=origin)
                response = await http.request(method, path, headers=headers)
                allowed = response.headers.get("access-control-allow-origin")
                assert allowed == (origin if readable else None)
                assert response.headers["vary"] == "Origin"
                assert "access-control-allow-credentials" not in response.headers
            assert (await http.get(path)).headers["vary"] == "Origin"


async def test_preflights_are_answered_without_a_key_and_refused_to_foreign_origins(keyring):
    token(keyring, origins=(SITE,))
    asked = {"Access-Control-Request-Method": "POST"}
    async with client(service(keyring)) as http:
        for path in ("/v1/ask", "/v1/articles", "/healthz"):
            response = await http.options(path, headers={"Origin": SITE, **asked})
            assert response.status_code == 204
            assert response.headers["access-control-allow-origin"] == SITE
            assert "POST" in response.headers["access-control-allow-methods"]
            assert "Authorization" in response.headers["access-control-allow-headers"]
            assert response.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in response.headers
            refused = await http.options(path, headers={"Origin": OTHER, **asked})
            assert_problem(refused, 403, "DATELINE_ALLOWED_ORIGINS")
            assert "access-control-allow-origin" not in refused.headers
        refused = await http.options(OPENAI[0], headers={"Origin": OTHER, **asked})
        assert refused.json()["error"]["code"] == "insufficient_permissions"
        assert_problem(await http.options("/v1/ask", headers={"Origin": SITE}), 401)


async def test_any_page_may_load_the_widget(keyring):
    async with client(service(keyring)) as http:
        for path, readable in (("/widget.js", "*"), ("/widget-1.js", "*"), ("/static/x.js", None)):
            response = await http.get(path, headers={"Origin": OTHER})
            assert response.headers.get("access-control-allow-origin") == readable


async def test_the_day_of_use_is_noted(keyring):
    new = make_key("x", ["read"], [], NOW)
    keyring.add(new)
    async with client(service(keyring)) as http:
        await http.get("/v1/articles", headers=bearer(new.token))
    assert keyring.find(new.token).last_used == datetime.now(UTC).date()


@pytest.mark.parametrize("path", ["/v1/articles", "/v1/models"])
async def test_nobody_is_let_in_while_the_keys_cannot_be_read(path, tmp_path):
    database = Database(tmp_path / "library.db")
    database.close()
    async with client(service(Keyring(database))) as http:
        for headers in ({}, {"Origin": SITE}):
            response = await http.get(path, headers=headers)
            assert response.status_code == 503
            assert ("error" in response.json()) == (path == "/v1/models")
        assert (await http.get("/healthz")).status_code == 200
