"""The widget on a stranger's page, under its strict policy, against the true server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chatting import Chat
from tests.conftest import CopyOfSeeded
from tests.processes import Served, dateline, serving
from tests.scripted_service import (
    ScriptedService,
    chat_element,
    page_html,
    script_tag,
    scripted_service,
    strict_policy,
)
from tests.watching import CHROMIUM, watched

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

QUESTION = "what did India say about terrorism?"
PATIENCE_MS = 60_000


@dataclass
class Embedded:
    """A server, a publishable key for a site, and that site."""

    served: Served
    key: str
    site: ScriptedService

    def answer(self) -> dict:
        """The answer, as the API gives it."""
        headers = {"Authorization": f"Bearer {self.key}", "Origin": self.site.site}
        url = f"{self.served.url}/v1/ask"
        response = httpx.post(url, json={"question": QUESTION}, headers=headers, timeout=120)
        response.raise_for_status()
        return dict(response.json())


@pytest.fixture(scope="module")
def embedded(copy_of_seeded: CopyOfSeeded) -> Iterator[Embedded]:
    data = copy_of_seeded()
    with scripted_service() as site:
        asked = ("--name", "gazette", "--scope", "ask", "--origin", site.site, "--json")
        done = dateline("keys", "create", *asked, data=data)
        assert done.returncode == 0, done.stderr
        with serving(data) as served:
            yield Embedded(served, json.loads(done.stdout)["key"], site)


def body_of(way: str, embedded: Embedded) -> str:
    """What embeds the widget, either way."""
    if way == "script":
        return script_tag(embedded.served.url, key=embedded.key)
    return chat_element(embedded.served.url, key=embedded.key, layout="inline")


def visit(page: Page, embedded: Embedded, body: str) -> Chat:
    page.set_default_timeout(PATIENCE_MS)
    embedded.site.pages["front"] = (page_html(body), strict_policy(embedded.served.url))
    page.goto(f"{embedded.site.site}/pages/front")
    return Chat(page, None, embedded.site)


@pytest.mark.parametrize("way", ["script", "element"])
def test_the_demo_question_is_answered_with_the_very_quotation(browser, embedded, way):
    with watched(browser) as (page, watch):
        chat = visit(page, embedded, body_of(way, embedded))
        if way == "script":
            chat.launcher.click()
        chat.ask(QUESTION)
        expect(chat.source(1).first).to_be_visible(timeout=PATIENCE_MS)
        chat.finished()
        expect(chat.log).to_contain_text("zero tolerance policy against terrorism")
        citation = embedded.answer()["citations"][0]
        chat.source(1).first.hover()
        expect(chat.part("card")).to_contain_text(citation["quote"])
        chat.source(1).first.click()
        mark = chat.reader.locator("mark")
        expect(mark).to_be_in_viewport()
        assert "".join(mark.all_text_contents()) == citation["quote"]
        own = {f"{embedded.served.url}/", f"{embedded.site.site}/"}
        assert not [url for url in watch.requests if not url.startswith(tuple(own))]
        assert watch.complaints == []


def test_an_abstention_shows_the_nearest_passages(browser, embedded):
    with watched(browser) as (page, _):
        chat = visit(page, embedded, body_of("element", embedded))
        chat.ask("who won the 2022 World Cup?")
        expect(chat.log).to_contain_text("Not in these articles", timeout=PATIENCE_MS)
        expect(chat.part("nearest").get_by_role("listitem").first).to_be_visible()


def test_a_key_of_another_site_is_refused(browser, embedded):
    with watched(browser) as (page, watch):
        embedded.site.pages["front"] = (
            page_html(body_of("element", embedded)),
            strict_policy(embedded.served.url),
        )
        page.goto(f"{embedded.site.url}/pages/front")  # 127.0.0.1 is another origin than localhost
        chat = Chat(page, watch, embedded.site)
        chat.ask(QUESTION)
        expect(chat.button("Ask again")).to_be_visible()
        refused = [one for one in watch.complaints if "blocked by CORS policy" in one]
        assert refused == watch.complaints
        watch.complaints.clear()


def test_what_a_reader_says_of_an_answer_is_stored(browser, embedded):
    with watched(browser) as (page, _):
        chat = visit(page, embedded, body_of("element", embedded))
        chat.ask(QUESTION)
        chat.finished()
        with page.expect_response("**/v1/feedback") as sent:
            chat.button("Was this helpful? Yes").click()
        assert sent.value.status == 201
        expect(chat.host).to_contain_text("Thank you.")


def test_the_address_of_an_answer_shows_it(browser, embedded):
    with watched(browser) as (page, _):
        chat = visit(page, embedded, body_of("element", embedded))
        chat.ask(QUESTION)
        link = chat.host.get_by_role("link", name="Link to this answer")
        expect(link).to_be_visible(timeout=PATIENCE_MS)
        page.goto(str(link.get_attribute("href")))
        expect(page.get_by_role("main")).to_contain_text("zero tolerance policy against terrorism")


def test_a_conversation_goes_on(browser: Browser, embedded: Embedded) -> None:
    with watched(browser) as (page, _):
        chat = visit(page, embedded, body_of("element", embedded))
        chat.ask(QUESTION)
        chat.finished()
        with page.expect_request("**/v1/ask") as asked:
            chat.ask("Who said it?")
        chat.finished()
        assert [turn["role"] for turn in asked.value.post_data_json["history"]] == [
            "user",
            "assistant",
        ]
        expect(chat.part("answer")).to_have_count(2)
