"""Text of strangers stays text: every payload in every field that reaches the widget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.chatting import Chat, chatting, reset, serving_widget
from tests.processes import ROOT
from tests.scripted_service import ScriptedService
from tests.watching import CHROMIUM
from tests.xss_payloads import HOST, payloads

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

DRIVER = (Path(__file__).parent / "widget_intruders.js").read_text()
PAYLOADS = payloads()
A_PAGE = 300
"""So many payloads are shown by one page."""

# In every frame, so that what runs in one of its own making is counted too.
COUNT = "window.hits = 0; window.fired = () => { top.hits += 1; };"


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with serving_widget() as service:
        yield service


def arm(chat: Chat) -> None:
    """Put what feeds the widget, and counts what runs, into the page."""
    context = chat.page.context
    context.add_init_script(COUNT)
    context.add_init_script(DRIVER)
    context.route(f"**://{HOST}/**", lambda route: route.abort())
    chat.page.reload()
    chat.input.wait_for()


@contextmanager
def besieged(browser: Browser, service: ScriptedService) -> Iterator[Chat]:
    """A page without a policy, so that nothing but the widget keeps scripts from running; it fails
    at its end if one ran or anything was asked for elsewhere."""
    reset(service)
    with chatting(browser, service, strict=False) as chat:
        arm(chat)
        yield chat
        assert chat.page.evaluate("hits") == 0


def pages() -> Iterator[list[str]]:
    """The payloads, as many at once as a page shows."""
    for first in range(0, len(PAYLOADS), A_PAGE):
        yield PAYLOADS[first : first + A_PAGE]


class Tally(dict[str, int]):
    """How many payloads were shown, by field; what was found fails at once."""

    def add(self, seen: dict[str, Any]) -> None:
        assert seen["found"] == []
        for field, count in seen["shown"].items():
            self[field] = self.get(field, 0) + count


def test_there_are_at_least_1500_payloads():
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 1_500


def test_they_would_be_found_if_text_were_taken_for_markup(browser, service):
    some = [one for one in PAYLOADS[::20] if not re.search("http-equiv|dateline-chat", one, re.I)]
    with chatting(browser, service, strict=False) as chat:
        arm(chat)
        seen = chat.page.evaluate("(some) => intruders.planted(some)", some)
        assert len(seen["found"]) > len(some) / 3
        chat.page.wait_for_function("hits > 20")
        assert any(HOST in url for url in chat.watch.elsewhere())
        chat.watch.forget()


def test_answers_articles_and_problems_stay_text(browser, service):
    tally = Tally()
    for some in pages():
        with besieged(browser, service) as chat:
            tally.add(chat.page.evaluate("(some) => intruders.feed(some, false)", some))
    assert tally.pop("exact sentence") == len(PAYLOADS) // 2
    assert set(tally.values()) == {len(PAYLOADS)}, tally


def test_what_is_in_sight_stays_text_too(browser, service):
    tally = Tally()
    with besieged(browser, service) as chat:
        tally.add(chat.page.evaluate("(some) => intruders.feed(some, true)", PAYLOADS[::100]))
    assert set(tally.values()) >= {len(PAYLOADS[::100])}


def test_a_conversation_that_was_kept_stays_text(browser, service):
    tally = Tally()
    for some in pages():
        with besieged(browser, service) as chat:
            chat.page.evaluate("(some) => intruders.remember(some)", some)
            chat.page.reload()
            chat.input.wait_for()
            tally.add(chat.page.evaluate("(some) => intruders.remembered(some)", some))
    assert tally == {"history": len(PAYLOADS)}


def test_suggestions_stay_text(browser, service):
    with besieged(browser, service) as chat:
        seen = chat.page.evaluate("(some) => intruders.suggested(some)", PAYLOADS)
    assert seen["found"] == []
    assert seen["shown"] == {"suggestion": seen["whole"]}


def test_the_strings_of_a_page_stay_text(browser, service):
    declared = (ROOT / "api" / "widget" / "widget.d.ts").read_text().partition("interface Strings")
    strings = declared[2].partition("\n}")[0]
    names = re.findall(r"^  (\w+): (?:string|Forms);", strings, re.M)
    forms = re.findall(r"^  (\w+): Forms;", strings, re.M)
    assert len(names) > 50 > len(forms) > 3
    with besieged(browser, service) as chat:
        seen = chat.page.evaluate(
            "([names, forms, all]) => intruders.spoken(names, forms, all)",
            [names, forms, PAYLOADS],
        )
    assert seen["found"] == []
    assert seen["shown"]["string"] > len(PAYLOADS) / 3
