"""Who may ask: a request is let through with a key of the right scope, and refused otherwise.

Pure ASGI, so that a client's going away stays visible to the routes.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import anyio.to_thread
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as Request

from api.access import needed_scope, suffices
from api.problems import Kind, kind_of, refusal
from rag.errors import DatelineError, LibraryError
from rag.storage.keyring import Keyring
from rag.storage.keys import Key, Scope

logger = logging.getLogger(__name__)

NO_KEY = Kind("no-key", "A key is needed", 401)
BAD_KEY = Kind("bad-key", "The key is not good", 401)
MISSING_SCOPE = Kind("missing-scope", "The key may not do this", 403)
FOREIGN_ORIGIN = Kind("foreign-origin", "The web origin is not allowed", 403)

LOCAL = "local"
"""The id of the key that this machine's commands use; those of stored ones begin with `key_`."""


@dataclass(eq=False)
class _RefusedError(Exception):
    kind: Kind
    detail: str
    challenge: str = 'Bearer error="invalid_token"'  # RFC 6750, section 3


class KeyCheck:
    """Refuses requests whose key does not allow them: 401 without a good key, else 403.

    Until the first key is made, all are let through if `open_without_keys`. The key that let a
    request through is its `state.key`, else None. Beside the stored keys there may be a `local`
    token, which is good for as long as this process lives.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keyring,
        *,
        public_pages: bool,
        open_without_keys: bool,
        local: str | None = None,
    ) -> None:
        self.app = app
        self.keys = keys
        self._local = local
        self._local_key = Key(LOCAL, "this machine's commands", ("admin",), (), datetime.now(UTC))
        self.public_pages = public_pages
        self.open_without_keys = open_without_keys

    async def __call__(self, scope: Request, receive: Receive, send: Send) -> None:
        """Serve a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        needed = needed_scope(scope["method"], scope["path"], public_pages=self.public_pages)
        headers = Headers(scope=scope)
        try:
            key = None
            if needed:
                scopes = suffices(needed, scope["method"], scope["path"])
                key = await anyio.to_thread.run_sync(self._admit, scopes, headers)
        except _RefusedError as refused:
            challenge = {"WWW-Authenticate": refused.challenge}
            response = refusal(scope, refused.kind, refused.detail, challenge)
            await response(scope, receive, send)
            return
        except DatelineError as error:
            logger.error("keys cannot be checked: %s", error)
            await refusal(scope, kind_of(error), str(error))(scope, receive, send)
            return
        scope["state"]["key"] = key
        await self.app(scope, receive, send)
        if key and key.id != LOCAL and self.keys.unnoted(key):
            await self._note_use(key)

    def _admit(self, scopes: Sequence[Scope], headers: Headers) -> Key | None:
        """The key that allows a request, None where all is open; raises `_RefusedError`.

        Any of the scopes will do.
        """
        authorization = headers.get("authorization")
        if self._local and authorization and _same(authorization, f"Bearer {self._local}"):
            return self._local_key
        if self.open_without_keys and not self.keys.exist():
            return None
        if authorization is None:
            detail = "Send a key as `Authorization: Bearer …`; `dateline keys create` makes one."
            raise _RefusedError(NO_KEY, detail, "Bearer")
        key = self._key(authorization)
        if key.publishable and _origins(headers).isdisjoint(key.origins):
            detail = f"The key {key.id} is good from the web origins {', '.join(key.origins)} only."
            raise _RefusedError(FOREIGN_ORIGIN, detail)
        if not any(key.allows(scope) for scope in scopes):
            needed, has = scopes[0], ", ".join(key.scopes)
            detail = f"This takes a key with the scope {needed}; {key.id} has {has}."
            challenge = f'Bearer error="insufficient_scope", scope="{needed}"'
            raise _RefusedError(MISSING_SCOPE, detail, challenge)
        return key

    def _key(self, authorization: str) -> Key:
        scheme, _, token = authorization.partition(" ")
        key = self.keys.find(token.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            detail = "No such key; it is sent as `Authorization: Bearer …`, whole and unchanged."
            raise _RefusedError(BAD_KEY, detail)
        if (state := self.keys.state(key)) != "active":
            detail = f"The key {key.id} is {state}; `dateline keys create` makes another."
            raise _RefusedError(BAD_KEY, detail)
        return key

    async def _note_use(self, key: Key) -> None:
        """After the response: it waits for whoever is writing."""
        try:
            await anyio.to_thread.run_sync(self.keys.note_use, key)
        except LibraryError as error:
            logger.warning("the use of %s could not be noted: %s", key.id, error)


def _same(sent: str, expected: str) -> bool:
    """Whether two strings are equal, in a time that does not tell how far they are."""
    return hmac.compare_digest(sent.encode(), expected.encode())


def _origins(headers: Headers) -> set[str]:
    """The web origins that a page's request may be from.

    Browsers send no Origin with a GET to the page's own one, but say that it is so (Fetch
    Metadata); behind a proxy only that knows whether it is by TLS.
    """
    if origin := headers.get("origin"):
        return {origin}
    if headers.get("sec-fetch-site") != "same-origin":
        return set()
    return {f"{scheme}://{headers.get('host', '').lower()}" for scheme in ("http", "https")}
