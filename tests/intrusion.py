"""Finding out whether text of strangers became more than text in a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import BrowserContext, Page

from tests.xss_payloads import HOST

# In every frame, so that what runs in one of its own making is counted too.
_COUNT = "window.hits = 0; window.fired = () => { top.hits += 1; };"

_WALK = r"""
(roots) => {
  const kinds = new Set(("animate applet audio base body embed foreignobject frame frameset head "
    + "html iframe image img input link marquee math meta noscript object picture script select set "
    + "slot source style svg template title track use video xmp").split(" "));
  const loading = new Set("action background data formaction href ping poster src xlink:href".split(" "));
  const found = [];
  for (const node of roots.flatMap((root) => [...root.querySelectorAll("*")])) {
    const told = (what) => found.push(`${what}: ${node.outerHTML.slice(0, 200)}`);
    if (kinds.has(node.localName.toLowerCase())) told(node.localName);
    if (node.localName.includes("-")) told("an element of a kind that is defined");
    for (const { name, value } of node.attributes) {
      if (/^on|^style$|^srcdoc$|^srcset$|^is$/.test(name)) told(name);
      if (!loading.has(name)) continue;
      const local = node.localName === "a" && name === "href";
      if (!local || !/^https?:$/.test(new URL(value, document.baseURI).protocol)) told(name);
    }
  }
  return found;
}
"""


@dataclass
class Intrusions:
    """What strangers' text did to a page: scripts that ran, requests that it made, elements that
    nobody but it can have made."""

    ran: int
    requests: list[str]
    elements: list[str]


def watch_for_intrusions(context: BrowserContext) -> list[str]:
    """Count what runs in the context's pages; the requests that strangers' text makes, kept up to
    date."""
    requests: list[str] = []
    context.add_init_script(_COUNT)
    context.on(
        "request", lambda request: requests.append(request.url) if HOST in request.url else None
    )
    context.route(f"**://{HOST}/**", lambda route: route.abort())
    return requests


def intrusions(page: Page, requests: list[str], roots: Any) -> Intrusions:
    """What has happened so far; elements are looked for in the roots, a handle on an array."""
    return Intrusions(page.evaluate("hits"), list(requests), page.evaluate(_WALK, roots))
