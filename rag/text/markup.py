"""Markup, addresses, characters that command: taken out of what an LLM writes, and found."""

from __future__ import annotations

import html
import re
import unicodedata

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

_MARKUP = re.compile(
    r"\]\(|\]\[|\]:|\[\^|!\[|\[\d+\]|<[a-zA-Z/!?|]|`[^`]+`|^\s*#{1,6}\s|\|.*\|"
    r"|(\*{1,3}|~~|__)(?=\w)[^*~_]+(?<=\S)\1"
)
_ADDRESS = re.compile(
    r"\w://|(?i:\bwww\.|\b(?:javascript|vbscript|mailto|file|tel):\S|\bdata:\w+/)"
    r"|\w@[\w-]+\.\w|\b(?:\d{1,3}\.){3}\d{1,3}\b"
    r"|(?i:\b(?:[\w-]+\.)+[a-z]{2,}/)"
    r"|\b[a-z0-9-]{2,}(?:\.[a-z0-9-]{2,})*\.[a-z]{2,}\b"  # Amazon.com is a name
)
_COMMANDS = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_DOTS = re.compile("(?<=[A-Za-z0-9])[\u3002\uff61](?=[A-Za-z0-9])")  # as browsers read addresses


def has_commands(text: str) -> bool:
    """Whether a text has characters that command a terminal, turn it around or hide it."""
    return bool(_COMMANDS.search(text))


def has_markup(text: str) -> bool:
    """Whether a text is more than text: markup, a citation's marker, an address (without a scheme,
    it is one in lower case or with a path), or characters that command a terminal."""
    if has_commands(text):
        return True
    visible = "".join(c for c in text if unicodedata.category(c) != "Cf")
    plain = _DOTS.sub(".", unicodedata.normalize("NFKC", _DOTS.sub(".", visible)))
    return bool(_MARKUP.search(plain) or _ADDRESS.search(plain))


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
