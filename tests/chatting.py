"""The widget in a page, as a reader finds it: by roles and names."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, Page

from tests.scripted_service import (
    ScriptedService,
    chat_element,
    page_html,
    scripted_service,
    strict_policy,
)
from tests.watching import Watch, watched
from tests.widget_answers import ARTICLES


@dataclass
class Chat:
    """The widget, the page that it stands in, and what goes wrong there."""

    page: Page
    watch: Watch
    service: ScriptedService

    @property
    def host(self) -> Locator:
        """The element itself."""
        return self.page.locator("dateline-chat")

    @property
    def launcher(self) -> Locator:
        """The button that opens the floating panel."""
        return self.page.get_by_role("button", name="Ask the articles")

    @property
    def panel(self) -> Locator:
        """The floating panel."""
        return self.page.get_by_role("dialog", name="Ask the articles")

    @property
    def input(self) -> Locator:
        """The field for the question."""
        return self.part("input")

    @property
    def log(self) -> Locator:
        """The conversation."""
        return self.host.get_by_role("log")

    @property
    def status(self) -> Locator:
        """What is announced."""
        return self.host.get_by_role("status")

    @property
    def reader(self) -> Locator:
        """The article in the widget."""
        return self.part("reader")

    def part(self, name: str) -> Locator:
        """The elements of a `::part`."""
        return self.host.locator(f'[part~="{name}"]')

    def button(self, name: str | re.Pattern[str]) -> Locator:
        """The buttons of this name."""
        return self.host.get_by_role("button", name=name, exact=isinstance(name, str))

    def source(self, number: int) -> Locator:
        """The buttons of this citation."""
        return self.button(re.compile(f"^Source {number}: "))

    def ask(self, question: str) -> None:
        """Ask by keyboard."""
        self.input.fill(question)
        self.input.press("Enter")

    def photograph(self, name: str) -> None:
        """Keep how the page looks, in the folder that SCREENSHOTS names."""
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=Path(folder, f"{name}.png"))

    def finished(self) -> None:
        """Wait until no answer is under way."""
        self.part("stop").wait_for(state="hidden")


@contextmanager
def serving_widget() -> Iterator[ScriptedService]:
    """A scripted service that has the articles."""
    with scripted_service() as service:
        yield service


def reset(service: ScriptedService) -> None:
    """Forget what was scripted and asked."""
    service.replies.clear()
    service.asked.clear()
    service.feedback = None
    service.articles = dict(ARTICLES)


@contextmanager
def chatting(
    browser: Browser,
    service: ScriptedService,
    body: str | None = None,
    *,
    lang: str = "en",
    head: str = "",
    strict: bool = True,
    **options: Any,
) -> Iterator[Chat]:
    """The widget in a page of another origin under the strictest policy, inline unless the body
    says otherwise."""
    body = chat_element(service.url, layout="inline") if body is None else body
    policy = strict_policy(service.url) if strict else None
    service.pages["page"] = (page_html(body, lang, head), policy)
    with watched(browser, **options) as (page, watch):
        page.goto(f"{service.site}/pages/page")
        yield Chat(page, watch, service)
