"""One document on stdin → its fields, or its problem, as JSON on stdout: `rag.documents` runs it.

Arguments: the suffix, the charset (or nothing), then the most seconds of CPU, bytes of memory and
characters of text.
"""

from __future__ import annotations

import json
import os
import resource
import sys

from rag.articles import to_article
from rag.errors import ArticleError
from rag.readers import parse_document

_NICENESS = 10  # answers go before documents


def main(arguments: list[str]) -> int:
    """Read the document, within the limits."""
    suffix, charset = arguments[:2]
    seconds, memory_bytes, max_chars = map(int, arguments[2:])
    os.nice(_NICENESS)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_AS, memory_bytes)
    _limit(resource.RLIMIT_CORE, 0)
    try:
        document = _to_utf8(sys.stdin.buffer.read(), charset)
        fields = parse_document(document, suffix, "")
        to_article(fields, fallback="", source="", max_chars=max_chars)
    except ArticleError as error:
        said: dict[str, object] = {"problem": error.reason}
    else:
        said = {"fields": fields.model_dump()}
    json.dump(said, sys.stdout)
    return 0


def _limit(what: int, most: int) -> None:
    _, hard = resource.getrlimit(what)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(what, (most, most))


def _to_utf8(data: bytes, charset: str) -> bytes:
    """The document in UTF-8, if it was declared to be in another charset."""
    if not charset:
        return data
    try:
        return data.decode(charset).encode()
    except (LookupError, ValueError) as error:
        raise ArticleError("", f"is not in {charset}, its declared charset ({error})") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
