"""The widget's files, as `make widget` builds them: the loader, and what it loads."""

from __future__ import annotations

import functools
import json
import pathlib
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from api import problems

DIST = pathlib.Path(__file__).parent / "widget" / "dist"

ANY_PAGE = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
SHORT = "public, max-age=300"
FOREVER = "public, max-age=31536000, immutable"

router = APIRouter(tags=["widget"])

_CONTENT = {"schema": {"type": "string"}, "example": "(()=>{…})();"}
_SCRIPT = {"description": "The script", "content": {"text/javascript": _CONTENT}}


@dataclass(frozen=True, slots=True)
class Script:
    """A file of the widget: its name, its content, its digest for an `integrity` attribute."""

    name: str
    content: bytes
    integrity: str


@functools.cache
def script(role: str) -> Script:
    """The `loader`, or the `widget` itself."""
    told = json.loads((DIST / "manifest.json").read_text("utf-8"))[role]
    return Script(told["file"], (DIST / told["file"]).read_bytes(), told["integrity"])


@router.get(
    "/widget.js",
    operation_id="widget_loader",
    summary="The widget's loader",
    response_class=Response,
    responses={**problems.documented(), 200: _SCRIPT},
)
async def widget_loader() -> Response:
    """The script for other pages: it makes `<dateline-chat>` known, and loads the rest when a
    reader opens it."""
    return _response(script("loader"), SHORT)


@router.get(
    "/widget.{version}.js",
    operation_id="widget",
    summary="The widget",
    response_class=Response,
    responses={**problems.documented(422), 200: _SCRIPT},
)
async def widget(
    version: Annotated[str, Path(description="the digest of its content", examples=["0123abcd"])],
) -> Response:
    """The widget, under the digest of its content; under another one too, but not to be kept: a
    loader in a browser's cache may be older than the service."""
    current = script("widget")
    known = current.name == f"widget.{version}.js"
    return _response(current, FOREVER if known else "no-store")


def _response(file: Script, kept: str) -> Response:
    headers = {**ANY_PAGE, "Cache-Control": kept}
    return Response(file.content, headers=headers, media_type="text/javascript")
