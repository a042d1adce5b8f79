"""Plain text and Markdown, with or without YAML front matter → the fields of an article."""

from __future__ import annotations

import re

from rag.articles import decode_utf8
from rag.errors import ArticleError
from rag.readers.metadata import METADATA_BYTES, yaml_mapping

_FRONT_MATTER = re.compile(r"---[ \t]*\r?\n")
_FRONT_MATTER_END = re.compile(r"^---[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_FENCE_OR_HEADING = re.compile(r"^ {0,3}(?:(```|~~~)|#[ \t]+(\S.*)$)", re.MULTILINE)


def parse_text(data: bytes, source: str) -> dict[str, object]:
    """The front matter's fields and, as `text`, all the rest as it is; raises `ArticleError`."""
    return _split_front_matter(decode_utf8(data, source), source)


def parse_markdown(data: bytes, source: str) -> dict[str, object]:
    """As `parse_text`; the first `# heading` is the title where none is given."""
    given = parse_text(data, source)
    return {"title": _first_heading(str(given["text"]))} | given


def _split_front_matter(text: str, source: str) -> dict[str, object]:
    """The front matter's fields, and as `text` all that follows it."""
    start = _FRONT_MATTER.match(text)
    end = _FRONT_MATTER_END.search(text, start.end()) if start else None
    if start is None or end is None:
        return {"text": text}
    matter = text[start.end() : end.start()]
    try:
        if len(matter.encode()) > METADATA_BYTES:
            raise ArticleError(source, f"has more than {METADATA_BYTES // 1024} KB")
        return yaml_mapping(matter, source) | {"text": text[end.end() :]}
    except ArticleError as error:
        raise ArticleError(
            source, f"front matter (between its first --- lines) {error.reason}"
        ) from None


def _first_heading(text: str) -> str | None:
    """The text of the first `# heading` outside fenced code."""
    fence = None
    for match in _FENCE_OR_HEADING.finditer(text):
        mark, heading = match.groups()
        if mark:
            fence = mark if fence is None else None if fence == mark else fence
        elif fence is None:
            title = str(heading).rstrip()
            bare = title.rstrip("#")
            return bare.rstrip() if bare != bare.rstrip() else title
    return None
