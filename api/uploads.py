"""What is sent as an article: its fields as JSON, or a document that holds them."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ConfigDict, ValidationError

from api.dependencies import ServiceOfApp, is_json, media_type
from rag.articles import ArticleFields
from rag.storage.receipts import Repeatable

DOCUMENTS = {"text/html": ".html", "text/markdown": ".md", "text/plain": ".txt"}
"""The media types of documents, and the suffix of files that are read in the same way."""

_CHARSET = re.compile(
    r";\s*charset\s*=\s*\"?([\w.:-]{1,40})\"?\s*(?:;|$)", re.IGNORECASE | re.ASCII
)
_STRING = {"type": "string", "minLength": 1}

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"$ref": "#/components/schemas/ArticleRequest"}},
            **{
                kind: {
                    "schema": {**_STRING, "description": "read within limits of time and memory"}
                }
                for kind in DOCUMENTS
            },
        },
    }
}
"""The body as OpenAPI describes it."""


def _describe_text(schema: dict[str, Any]) -> None:
    """Tell the schema what the field's validator asks for."""
    schema["properties"]["text"] |= {
        "minLength": 1,
        "pattern": r"\S",
        "examples": ["Markets rose."],
    }


class ArticleRequest(ArticleFields):
    """An article to take in. Blank metadata is unknown; only `text` is required."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_describe_text)


async def _given_article(request: Request, service: ServiceOfApp) -> ArticleRequest:
    """The article in a request's body, of whichever type that is."""
    kind = media_type(request)
    if suffix := DOCUMENTS.get(kind):
        _refuse_page(request, kind)
        charset = _CHARSET.search(request.headers["content-type"])
        fields = await service.read_document(
            await request.body(), suffix, charset[1] if charset else None
        )
        return ArticleRequest.model_validate(fields.model_dump())
    if not is_json(kind):
        taken = ", ".join(("application/json", *DOCUMENTS))
        raise HTTPException(415, f"The body should be an article; send its Content-Type: {taken}.")
    try:
        return ArticleRequest.model_validate(_json(await request.body()))
    except ValidationError as error:
        found = [{**one, "loc": ("body", *one["loc"])} for one in error.errors()]
        raise RequestValidationError(found) from None


GivenArticle = Annotated[ArticleRequest, Depends(_given_article)]


def _refuse_page(request: Request, kind: str) -> None:
    """Refuse text/plain from a web page that has no key: browsers send that type to any address
    without asking (no CORS preflight)."""
    if kind == "text/plain" and "origin" in request.headers and request.state.key is None:
        raise HTTPException(403, "A web page cannot send text/plain here; send it as JSON.")


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        place = {"type": "json_invalid", "loc": ("body", error.pos), "ctx": {"error": error.msg}}
        raise RequestValidationError([place]) from None
    except (ValueError, RecursionError) as error:  # not UTF-8; a huge number; a deep nest
        raise HTTPException(400, f"The body is JSON that cannot be read: {error}") from None


def repeatable(request: Request, key: str, body: ArticleRequest) -> Repeatable:
    """The request as one that may come again under an Idempotency-Key."""
    caller = request.state.key
    digest = hashlib.sha256(body.model_dump_json().encode()).digest()
    return Repeatable(caller.id if caller else "", key, digest)
