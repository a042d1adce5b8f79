"""Fields as they were given → `Article`: decoding, validation, dates and identity."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from rag.errors import ArticleError
from rag.types import Article

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ISO_8601 = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?) ?([Zz]|[+-]\d\d(?::?\d\d)?)?)?"
)
# UTF-32 first: its little-endian mark begins with that of UTF-16.
_FOREIGN_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


def _refuse_unstorable(value: object) -> object:
    """Refuse text that UTF-8 (half a surrogate pair) or C strings (NUL) cannot hold."""
    if isinstance(value, str) and (found := _UNSTORABLE.search(value)):
        raise PydanticCustomError(
            "unstorable_character",
            "holds U+{code} at position {position}, which is no character of a text",
            {"code": f"{ord(found[0]):04X}", "position": found.start()},
        )
    return value


def _text(value: object) -> object:
    if isinstance(value, str) and not value.strip():
        raise PydanticCustomError("blank_text", "is blank: an article needs text")
    return _refuse_unstorable(value)


def _optional(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else _refuse_unstorable(value)


def _id(value: object) -> object:
    """Numbers are taken as written: many collections count their articles."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    return str(value) if is_number else _optional(value)


def _iso_date(value: object) -> object:
    """A day stays a day; a time keeps its zone, or the lack of one."""
    if isinstance(value, date):  # a datetime is one, too
        return value.isoformat()
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    written = _ISO_8601.fullmatch(value.strip()) if isinstance(value, str) else None
    try:
        if written is None:
            raise ValueError
        day, time, zone = written.groups()
        if time is None:
            return date.fromisoformat(day).isoformat()
        return datetime.fromisoformat(f"{day}T{time}{zone or ''}".upper()).isoformat()
    except ValueError:
        raise PydanticCustomError(
            "not_iso_8601", "is not an ISO 8601 date; write 2025-08-21 or 2025-08-21T09:30:00+02:00"
        ) from None


_Optional = Annotated[str | None, BeforeValidator(_optional)]
_IsoDate = Annotated[str | None, BeforeValidator(_iso_date), Field(examples=["2025-08-21"])]
_Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9._:-]{1,128}$")]


class ArticleFields(BaseModel):
    """An article as its giver describes it. Blank metadata is unknown; other keys are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)

    id: Annotated[_Id | None, BeforeValidator(_id)] = None
    url: _Optional = None
    title: _Optional = None
    outlet: _Optional = None
    author: _Optional = None
    published_at: _IsoDate = None
    updated_at: _IsoDate = None
    language: _Optional = None
    text: Annotated[str, BeforeValidator(_text)]


def parse_fields(source: str, *layers: Mapping[str, object]) -> ArticleFields:
    """The fields out of the mappings that files hold, a later mapping's keys winning.

    `date` is another name of `published_at` there. Raises `ArticleError` for `source`.
    """
    given: dict[str, object] = {}
    for layer in layers:
        given |= {name: layer[name] for name in ArticleFields.model_fields if name in layer}
        if "date" in layer and not layer.get("published_at"):
            given["published_at"] = layer["date"]
    try:
        return ArticleFields.model_validate(given)
    except ValidationError as error:
        raise ArticleError(source, "; ".join(map(_problem, error.errors()))) from None


def _problem(error: ErrorDetails) -> str:
    field, message = error["loc"][0], error["msg"][0].lower() + error["msg"][1:]
    if field == "text":  # its value is long, or not there
        return f"text: {message}"
    value = repr(error["input"])
    return f"{field} {value if len(value) <= 80 else value[:79] + '…'}: {message}"


def article_id(identity: str) -> str:
    """The id of an article that came without one, always the same for the same identity."""
    return "art_" + hashlib.sha256(identity.encode()).hexdigest()[:16]


def to_article(
    fields: ArticleFields, *, fallback: str, source: str | None, max_chars: int
) -> Article:
    """The article: the same one when its id is, else its url, else `fallback` (its path).

    Raises `ArticleError` if its text has more than `max_chars` code points.
    """
    length = len(fields.text)
    if length > max_chars:
        raise ArticleError(
            source or fields.id or fields.url or fallback,
            f"has {length:,} characters, and at most {max_chars:,} are taken in; "
            "split it, or raise DATELINE_MAX_ARTICLE_CHARS",
        )
    identity = fields.id or article_id(fields.url or fallback)
    return Article(id=identity, source=source, **fields.model_dump(exclude={"id"}))


def refuse_binary(data: bytes, source: str) -> None:
    """Raises `ArticleError` for bytes that are UTF-16, UTF-32 or no text at all."""
    for mark, encoding in _FOREIGN_MARKS:
        if data.startswith(mark):
            raise ArticleError(
                source, f"is {encoding} text; convert it: iconv -f {encoding} -t UTF-8"
            )
    position = data.find(b"\0")
    if position >= 0:
        raise ArticleError(
            source, f"is binary (NUL byte at offset {position}); give its text as a UTF-8 file"
        )


def decode_utf8(data: bytes, source: str) -> str:
    """The text of UTF-8 bytes, without a byte order mark; raises `ArticleError`."""
    refuse_binary(data, source)
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise ArticleError(
            source,
            f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}; "
            "convert it, for instance: iconv -f WINDOWS-1252 -t UTF-8",
        ) from None
