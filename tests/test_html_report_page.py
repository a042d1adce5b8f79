"""The evaluation report in a real browser, as a reader uses it."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from evals.html_report import write_html
from tests.test_html_report import MIXED, PAYLOADS, hostile
from tests.watching import CHROMIUM

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """The report on hostile data and a baseline; whatever goes wrong in it fails the test."""
    run = hostile(PAYLOADS[0])
    run = replace(run, results=(*run.results, *MIXED.results[1:]))
    write_html([run], [run], tmp_path / "r.html")
    complaints: list[str] = []
    address = (tmp_path / "r.html").as_uri()
    with closing(browser.new_page(viewport={"width": 380, "height": 800})) as page:
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append("a dialog"))
        page.on("request", lambda request: complaints.append(request.url))
        page.goto(address)
        complaints.remove(address)
        yield page
    assert complaints == []


def test_the_questions_can_be_filtered_and_nothing_is_loaded(page):
    shown = page.locator(".question:visible")
    told = page.get_by_role("status")
    expect(told).to_have_text("5 questions")
    expect(shown).to_have_count(5)

    page.get_by_label("Outcome").select_option("wrongly refused")
    expect(told).to_have_text("1 question")
    expect(page.locator(".fate:visible h4")).to_have_text("Wrongly refused 1")
    page.get_by_label("Outcome").select_option("")
    page.get_by_label("Find").fill("lit Q5")
    expect(shown).to_have_count(1)
    page.get_by_label("Find").fill("")
    page.get_by_label("Category").select_option("who")
    expect(shown.locator(".asked")).to_have_text("what burned in q3?")

    expect(page.get_by_text("Retrieved").first).to_be_hidden()
    page.get_by_role("button", name="Open all").click()
    expect(shown.get_by_text("Retrieved")).to_be_visible()


def test_a_narrow_page_does_not_scroll_sideways(page):
    page.get_by_role("button", name="Open all").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
