"""Text without markup: what an LLM writes in Markdown or HTML, as plain text without addresses."""

from __future__ import annotations

import html
import re

_URL_REST = r"[^\s<>\"”»]*[^\s<>\"”».,;:!?)\]]"
_INVISIBLE = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)

# In this order, again and again until nothing changes: taking one out may complete another.
_REMOVALS = [
    (re.compile(pattern, re.IGNORECASE), instead)
    for pattern, instead in [
        (_INVISIBLE, ""),
        (r"^\s*(?:```|~~~)[\w-]*\s*$", ""),  # the fence of a code block
        (r"!\[[^\[\]]*\](?:\([^()]*\)|\[[^\[\]]*\])", ""),  # an image
        (r"\[([^\[\]]*)\](?:\((?:[^()]|\([^()]*\))*\)|\[[^\[\]]*\])", r"\1"),  # a link
        (r"<[a-z/!?][^<>]*>|<(?=[a-z/!?])", ""),  # a tag, or what may become one
        (rf"\s*\b[a-z][a-z0-9+.-]*://{_URL_REST}", ""),
        (rf"\s*\bwww\.{_URL_REST}", ""),
        (r"\s*\b(?:[\w-]+\.)+[a-z]{2,}/[^\s<>\"”»]*", ""),  # an address without its scheme
        (r"://|\bwww\.|\b(?:javascript|vbscript|data|mailto|file|tel):(?=\S)", ""),
        (r"[*`]|~~|\\(?=[^a-z\d\s])|\](?=[(\[])", ""),
        (r"(?<!\w)_+|_+(?!\w)", ""),  # emphasis, but no underscore inside a_name
        (r"\|", " "),  # columns of a table
        (r"^\s*(?:(?:>|#{1,6}\s|[-•·‣◦+–—]\s|\(?\d{1,2}[.)]\s)\s*)+", ""),  # quote, heading, list
        (r"^[-=:\s]*$|\s*(?:\(\s*\)|\[\s*\])", ""),  # a rule; brackets that were emptied
        # Square brackets stay only around words, as in "[sic]": a number in them is a citation.
        (r"(\[[^\[\]]*[^\W\d][^\[\]]*\])|[\[\]]", r"\1"),
    ]
]


def without_markup(text: str) -> str:
    """One line or sentence of Markdown or HTML as plain text, white space collapsed.

    Links and emphasis leave their text; addresses, images, tags and invisible characters go.
    """
    plain = " ".join(html.unescape(text).split())
    before = None
    while before != plain:
        before = plain
        for pattern, instead in _REMOVALS:
            plain = pattern.sub(instead, plain)
        plain = " ".join(plain.split())
    return plain
