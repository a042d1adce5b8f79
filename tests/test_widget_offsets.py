"""The span that the widget marks is the quotation, whatever letters stand before and in it."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from html import escape
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, expect

from rag.types import Article
from tests.chatting import Chat, chatting, reset, serving_widget
from tests.scripted_service import ScriptedService, page_html
from tests.watching import CHROMIUM, watched
from tests.widget_answers import (
    MOSCOW,
    STRANGE,
    STRANGE_ANSWERS,
    STRANGE_QUOTES,
    TOLERANCE,
    answered,
    cite,
)
from tests.widget_states import say

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

LETTERS = [
    *"abc ,.-“”",
    *"😀🇮🇳𝔏",
    "👩‍👩‍👧‍👦",
    unicodedata.normalize("NFD", "é"),
    "क्षत्रिय",
    "عبّارات",
    "\u200f",
    "שלום",
    "ﬁ",
    "ß",
    "&amp;",
    "\u00a0",
]
SPANS = 40


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with serving_widget() as service:
        yield service


@pytest.fixture
def chat(browser: Browser, service: ScriptedService) -> Iterator[Chat]:
    reset(service)
    with chatting(browser, service) as chat:
        yield chat


@pytest.mark.parametrize("name", STRANGE)
def test_code_points_are_counted(chat, name):
    say(chat, STRANGE_ANSWERS[name])
    chat.source(1).first.click()
    mark = chat.reader.locator("mark")
    expect(mark).to_be_in_viewport()
    assert "".join(mark.all_text_contents()) == STRANGE_QUOTES[name]


def test_any_span_of_a_wild_text_is_marked(chat):
    dice = random.Random(6)
    text = "".join(dice.choices(LETTERS, k=3_000)).replace(" ", "  ")
    spans = [sorted(dice.sample(range(len(text)), 2)) for _ in range(SPANS)]
    quotes = [text[start : min(end, start + 200)] for start, end in spans]
    wild = Article("wild", text, title="Wild")
    cited = [
        replace(cite(number, wild, quote), start=start, end=start + len(quote))
        for number, (quote, (start, _)) in enumerate(zip(quotes, spans, strict=True), start=1)
    ]
    chat.service.articles["wild"] = wild
    say(chat, answered("Where?", *((f"Sentence {c.number}.", [c]) for c in cited)))
    marked = []
    for citation in cited:
        chat.source(citation.number).first.click()
        chat.reader.locator("mark").first.wait_for(state="attached")
        marked.append("".join(chat.reader.locator("mark").all_text_contents()))
        chat.part("back").click()
    assert marked == quotes


def test_a_quotation_over_paragraphs_is_marked_in_each(chat):
    quote = "met on Tuesday.\n\nParagraph 1 of the report"
    say(chat, answered("Where?", ("They met.", [cite(1, MOSCOW, quote)])))
    chat.source(1).first.click()
    chat.reader.locator("mark").first.wait_for()
    marked = " ".join(chat.reader.locator("mark").all_text_contents())
    assert marked.split() == quote.split()


def directive(url: str) -> tuple[str, list[str]]:
    """The address without its text directive, and the directive's parts, decoded."""
    address, _, fragment = url.partition("#")
    assert fragment.startswith(":~:text="), url
    return address, [unquote(part) for part in fragment.removeprefix(":~:text=").split(",")]


TRICKY = "Well-known, 100% “sure” & #1: a-b, c-d. So he said - twice."


def test_a_link_out_leads_the_browser_to_the_quotation(browser, service):
    reset(service)
    texts = {
        "tricky": MOSCOW.text.replace(TOLERANCE, TRICKY),
        **{name: article.text for name, article in STRANGE.items()},
    }
    quotes = {"tricky": TRICKY, **STRANGE_QUOTES}
    articles = {}
    for name, text in texts.items():
        url = f"{service.site}/pages/{name}?a=1,2"
        articles[name] = Article(name, text, url=url, title=name, outlet="The Daily")
        paragraphs = "".join(f"<p>{escape(line)}</p>" for line in text.split("\n\n"))
        service.pages[name] = (page_html(paragraphs), None)
    service.articles.update(articles)
    cited = [cite(n, articles[name], quotes[name]) for n, name in enumerate(articles, start=1)]
    links = []
    with chatting(browser, service) as chat:
        say(chat, answered("Where?", *((f"Sentence {c.number}.", [c]) for c in cited)))
        for citation in cited:
            chat.source(citation.number).first.click()
            link = chat.reader.get_by_role("link", name="Where it was published")
            links.append(str(link.get_attribute("href")))
            chat.part("back").click()
    for name, url in zip(articles, links, strict=True):
        address, parts = directive(url)
        assert address == articles[name].url
        said = [part for part in parts if not part.endswith("-") or part == parts[-1]]
        assert " ".join(quotes[name].split()).startswith(" ".join(said[0].split())), parts
        with watched(browser) as (page, _):
            page.goto(url)
            page.wait_for_function("scrollY > 0")
            paragraph = page.get_by_text(quotes[name][:20]).last
            expect(paragraph).to_be_in_viewport()
