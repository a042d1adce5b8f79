"""Web origins, as browsers send them: scheme, host and port, nothing after."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9._-]+|[0-9a-f:.]+")  # a name (in Punycode, as sent) or an IPv6 address


def web_origin(text: str) -> str:
    """The origin in the form of an Origin header (RFC 6454, section 6.2): in lower case, without a
    default port. Raises ValueError for what is none, a path and `*` included."""
    parts = urlsplit(text.strip().lower())
    port = parts.port  # raises ValueError
    host = parts.hostname or ""
    bare = not (parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in _DEFAULT_PORTS or not bare or not _HOST.fullmatch(host):
        raise ValueError(f"{text!r} is no web origin; write it as https://news.example")
    name = f"[{host}]" if ":" in host else host
    number = "" if port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{port}"
    return f"{parts.scheme}://{name}{number}"


def web_origins(text: str) -> str:
    """Origins that are separated by spaces or commas, each as `web_origin` has it, by spaces."""
    return " ".join(web_origin(one) for one in re.split(r"[\s,]+", text) if one)
