"""A news page's HTML → the fields of its article, through trafilatura."""

from __future__ import annotations

import codecs
import re
from copy import deepcopy

from lxml.etree import LxmlError
from lxml.html import HtmlElement, document_fromstring
from trafilatura import bare_extraction, load_html
from trafilatura.metadata import extract_metadata
from trafilatura.settings import Document

from rag.articles import decode_utf8, refuse_binary
from rag.errors import ArticleError

_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", re.IGNORECASE)
_XML_CHARSET = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)")
_CHARSET_BYTES = 4096
# What browsers read under these names (WHATWG Encoding Standard), by Python's names.
_AS_BROWSERS_DO = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
# Where a page may declare its day. From the whole page, trafilatura also guesses one: out of a
# footer's copyright, the address of a picture, a link to an older article.
_MAY_DECLARE_DATE = (
    "//meta | //link[@rel='canonical'] | //script[@type='application/ld+json']"
    " | (//article//time[@datetime])[1]"
)
_PUBLISHED = re.compile(r"(?<!up)date(?!modified)|published|issued", re.IGNORECASE)
# Whatever a third party's parser trips over in a page is that page's problem, not the run's.
_PARSER_ERRORS = (
    LxmlError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    ArithmeticError,
    RecursionError,
)


def parse_html(data: bytes, source: str) -> dict[str, object]:
    """The main text of a page, and the metadata that it declares; raises `ArticleError`."""
    html = _decode(data, source)
    try:
        fields = _extract(html)
    except _PARSER_ERRORS as error:
        raise ArticleError(
            source, f"cannot be read as HTML ({type(error).__name__}); save its text as .txt"
        ) from error
    if fields is None:
        raise ArticleError(
            source, "has no article text that can be told from the rest; save its text as .txt"
        )
    return fields


def _extract(html: str) -> dict[str, object] | None:
    tree = load_html(html)
    if tree is None:
        return None
    language = tree.get("lang")
    published_at = _declared_date(tree)
    page = bare_extraction(tree, with_metadata=True, include_comments=False)
    if not isinstance(page, Document) or not page.text:
        return None
    return {
        "url": page.url,
        "title": page.title,
        "outlet": page.sitename,
        "author": page.author,
        "published_at": published_at,
        "language": language,
        "text": page.text,
    }


def _declared_date(tree: HtmlElement) -> str | None:
    """The day on which the page says that it was published."""
    declared = document_fromstring("<html><head></head><body></body></html>")
    for element in map(deepcopy, tree.xpath(_MAY_DECLARE_DATE)):
        element.tail = None  # running text
        names = (element.get(name, "") for name in ("name", "property", "itemprop"))
        if element.tag != "meta" or any(map(_PUBLISHED.search, names)):
            declared[0 if element.tag in ("meta", "link") else 1].append(element)
    return extract_metadata(declared, extensive=False).date


def _decode(data: bytes, source: str) -> str:
    """UTF-8 where it is that, else the charset that the page declares."""
    refuse_binary(data, source)
    head = data[:_CHARSET_BYTES]
    declared = _CHARSET.search(head) or _XML_CHARSET.search(head)
    try:
        return decode_utf8(data, source)
    except ArticleError:
        if declared is None:
            raise
    charset = declared[1].decode("ascii", "replace")
    try:
        name = codecs.lookup(charset).name
        return data.decode(_AS_BROWSERS_DO.get(name, name))
    except (LookupError, ValueError) as error:
        raise ArticleError(
            source, f"is not in {charset}, the charset that it declares ({error}); save it as UTF-8"
        ) from None
