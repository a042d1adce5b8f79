"""Which scope a request needs, once a key exists: one table, and `admin` for what is not in it."""

from __future__ import annotations

from starlette.routing import compile_path

from rag.storage.keys import Scope

PAGES = ("/articles/{id}", "/answers/{id}")
"""Pages to read; a setting closes them."""

PUBLIC = ("/", "/static/{file:path}", "/widget.js", "/widget{version}.js", "/healthz", "/readyz")

SCOPED: dict[tuple[str, str], Scope] = {
    ("POST", "/v1/ask"): "ask",
    ("POST", "/v1/search"): "ask",
    ("POST", "/v1/responses"): "ask",
    ("POST", "/v1/chat/completions"): "ask",
    ("GET", "/v1/models"): "ask",
    ("GET", "/v1/models/{id:path}"): "ask",
    ("POST", "/v1/feedback"): "ask",
    ("GET", "/v1/feedback"): "read",
    ("GET", "/v1/answers/{id}"): "read",
    ("GET", "/v1/articles"): "read",
    ("POST", "/v1/articles"): "write",
    ("GET", "/v1/articles/{id}"): "read",
    ("PUT", "/v1/articles/{id}"): "write",
    ("DELETE", "/v1/articles/{id}"): "write",
    ("GET", "/openapi.json"): "read",
    ("GET", "/metrics"): "read",
    ("POST", "/local/{name}"): "admin",  # and no key but that of this machine's commands
}

FOLLOWED = ("/v1/articles/{id}", "/v1/answers/{id}")
"""What answers lead to: who may ask may read it, too."""

# By the expressions that the router itself goes by, so that both see the same route.
_PUBLIC = [("GET", compile_path(path)[0]) for path in PUBLIC]
_PAGES = [("GET", compile_path(path)[0]) for path in PAGES]
_SCOPED = [(method, compile_path(path)[0], scope) for (method, path), scope in SCOPED.items()]
_FOLLOWED = [compile_path(path)[0] for path in FOLLOWED]
_ROUTES = {path: compile_path(path)[0] for path in (*PUBLIC, *PAGES, *(p for _, p in SCOPED))}


def route_of(path: str) -> str:
    """The route of a path, by the same table, whether or not it is let through; else "other"."""
    return next((route for route, pattern in _ROUTES.items() if pattern.match(path)), "other")


def needed_scope(method: str, path: str, *, public_pages: bool = True) -> Scope | None:
    """The scope that a request needs; None if it needs no key."""
    method = "GET" if method == "HEAD" else method
    public = _PUBLIC + _PAGES if public_pages else _PUBLIC
    if any(method == verb and pattern.match(path) for verb, pattern in public):
        return None
    if any(method == verb and pattern.match(path) for verb, pattern in _PAGES):
        return "read"
    for verb, pattern, scope in _SCOPED:
        if method == verb and pattern.match(path):
            return scope
    return "admin"


def suffices(needed: Scope, method: str, path: str) -> tuple[Scope, ...]:
    """The scopes of which a request that needs one takes any."""
    followed = method in ("GET", "HEAD") and any(one.match(path) for one in _FOLLOWED)
    return (needed, "ask") if followed else (needed,)
