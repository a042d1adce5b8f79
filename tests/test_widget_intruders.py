"""Text of strangers stays text: every payload in every field that reaches the widget."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.chatting import chatting, reset, serving_widget
from tests.scripted_service import ScriptedService, chat_element
from tests.test_browser import CHROMIUM
from tests.xss_payloads import HOST, payloads

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

DRIVER = (Path(__file__).parent / "widget_intruders.js").read_text()
PAYLOADS = payloads()
BATCH = 100
"""So many payloads a page."""

# In every frame, so that what runs in one of its own making is counted too.
COUNT = "window.hits = 0; window.fired = () => { top.hits += 1; };"


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with serving_widget() as service:
        yield service


@contextmanager
def besieged(browser: Browser, service: ScriptedService, **attributes: str) -> Iterator[Page]:
    """A page without a policy of its own, so that nothing but the widget keeps scripts from
    running; it fails at its end if one ran or anything was asked for elsewhere."""
    reset(service)
    inline = chat_element(service.url, layout="inline", **attributes)
    with chatting(browser, service, inline, strict=False) as chat:
        page, context = chat.page, chat.page.context
        context.add_init_script(COUNT)
        context.add_init_script(DRIVER)
        context.route(f"**://{HOST}/**", lambda route: route.abort())
        page.goto(f"{service.site}/pages/page")
        chat.input.wait_for()
        yield page
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 50))")
        assert page.evaluate("hits") == 0


def test_there_are_at_least_1500_payloads():
    assert len(PAYLOADS) == len(set(PAYLOADS)) >= 1_500


def test_the_payloads_would_run(browser, service):
    """What the other tests would see, if text were taken for markup."""
    with besieged(browser, service) as page:
        ...


def test_answers_articles_and_problems_stay_text(browser, service):
    shown: dict[str, int] = {}
    for first in range(0, len(PAYLOADS), BATCH):
        batch = PAYLOADS[first : first + BATCH]
        with besieged(browser, service) as page:
            seen = page.evaluate("(batch) => intruders.feed(batch).then(() => intruders.seen)", batch)
        assert seen["found"] == []
        for field, count in seen["shown"].items():
            shown[field] = shown.get(field, 0) + count
    print(shown)
