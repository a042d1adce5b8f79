"""The two kinds of successful responses: documents and pages."""

from __future__ import annotations

from starlette.responses import HTMLResponse, Response

from api.encoders import Json, json_bytes

# Our pages load nothing from elsewhere, run no inline script and are framed by nobody.
_PAGE_POLICY = (
    "default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)


def json_response(document: Json, status: int = 200) -> Response:
    """A document as a response."""
    return Response(json_bytes(document), status, media_type="application/json")


def page_response(html: str, status: int = 200, *, scripts: bool = False) -> Response:
    """A page as a response; its own script files run only if `scripts` says so."""
    policy = _PAGE_POLICY.format(scripts="'self'" if scripts else "'none'")
    headers = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}
    return HTMLResponse(html.encode("utf-8", "replace"), status, headers)
