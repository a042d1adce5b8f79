"""The demo page in a real browser, as a reader uses it."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect

from rag.storage.database import Database
from rag.storage.keyring import Keyring
from rag.storage.keys import make_key
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, EVENTS
from tests.openai_samples import served
from tests.processes import Served
from tests.watching import CHROMIUM

PATIENCE_MS = 60_000
TERRORISM = "What did India say about terrorism?"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium on the PATH: apt-get install chromium, or the like"
    ),
]


@pytest.fixture
def page(browser: Browser, server: Served, quote: str) -> Iterator[Page]:
    """The demo page of a server that has answered before; whatever goes wrong in it fails the test
    at its end."""
    complaints: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            complaints.append(message.text)

    def on_request(request: Request) -> None:
        if not request.url.startswith(f"{server.url}/"):
            complaints.append(f"a foreign request: {request.url}")

    context = browser.new_context(viewport={"width": 1200, "height": 900}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", on_console)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", on_request)
    page.goto(server.url)
    yield page
    context.close()
    assert complaints == []


@pytest.fixture(scope="module")
def quote(server: Served) -> str:
    """The first quotation of the answer, as the API gives it."""
    response = httpx.post(f"{server.url}/v1/ask", json={"question": TERRORISM}, timeout=120)
    return str(response.json()["citations"][0]["quote"])


def ask(page: Page, question: str) -> None:
    page.get_by_label("Your question").fill(question)
    page.get_by_label("Your question").press("Enter")


def told(page: Page, outcome: str) -> None:
    expect(page.get_by_role("status")).to_contain_text(outcome, timeout=PATIENCE_MS)


def test_an_abstention_shows_the_nearest_passages(page: Page) -> None:
    ask(page, "who won the 2022 World Cup?")
    told(page, "Not in these articles")
    expect(page.get_by_text("The articles don't say.", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="The nearest passages")).to_be_visible()
    passages = page.get_by_role("blockquote")
    assert 1 <= passages.count() <= 3
    expect(passages.first).not_to_be_empty()
    expect(page.get_by_role("button", name="Source ")).to_have_count(0)


def test_the_sample_question_is_one_click_away_and_answered_with_its_source(
    page: Page, quote: str
) -> None:
    page.get_by_role("button", name=TERRORISM).click()
    told(page, "1 sentence from 1 source")
    answer = page.get_by_role("log")
    expect(answer).to_contain_text("zero tolerance policy against terrorism")
    expect(answer).to_contain_text("Jaishankar")
    page.get_by_role("button", name="Source 1: India and Russia").hover()
    card = page.get_by_role("tooltip")
    expect(card).to_contain_text(quote)
    expect(card).to_contain_text("21 Aug 2025")


def test_the_reader_marks_the_very_quotation(page: Page, quote: str) -> None:
    ask(page, TERRORISM)
    citation = page.get_by_role("button", name="Source 1: India and Russia")
    citation.click()
    reader = page.get_by_role("region", name="India and Russia")
    mark = reader.locator("mark")
    expect(mark).to_have_count(1)
    assert mark.text_content() == quote
    expect(mark).to_be_in_viewport()
    reader.get_by_role("button", name="Back to the answer").click()
    expect(reader).to_be_hidden()
    expect(citation).to_be_focused()


def test_the_article_s_own_page_marks_it_too(page: Page, quote: str) -> None:
    ask(page, TERRORISM)
    page.get_by_role("button", name="Source 1: India and Russia").click()
    address = page.get_by_role("link", name="On its own page").get_attribute("href")
    assert address
    assert address.endswith("#quote")
    page.goto(address)
    mark = page.locator("mark")
    assert "".join(mark.all_text_contents()) == quote
    expect(mark.first).to_be_in_viewport()


def test_what_is_asked_is_never_markup(page: Page) -> None:
    ask(page, "<img src=x onerror=alert(1)> who won the cup?")
    told(page, "Not in these articles")
    title = "<img src=x onerror=alert(1)> who won the cup?"
    expect(page.get_by_role("heading", name=title)).to_be_visible()
    expect(page.locator("dateline-chat img")).to_have_count(0)


@pytest.fixture
def token(tmp_path: Path) -> Iterator[tuple[Keyring, str]]:
    """The keys of a service that has one, and that one."""
    new = make_key("reader", ["ask"], [], datetime.now(UTC))
    with closing(Database(tmp_path / "library.db")) as database:
        keyring = Keyring(database)
        keyring.add(new)
        yield keyring, new.token


def test_the_page_asks_for_a_key_where_the_service_wants_one_and_forgets_it(
    browser: Browser, token: tuple[Keyring, str]
) -> None:
    keyring, key = token
    with served(FakeService(ARTICLE, script=EVENTS, keys=keyring)) as address:
        context = browser.new_context()
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.goto(address)
        page.get_by_role("button", name=TERRORISM).click()
        page.get_by_label("This service wants a key").fill(key)
        page.get_by_role("button", name="Use it").click()
        told(page, "1 sentence")
        expect(page.get_by_label("This service wants a key")).to_be_hidden()
        stored = page.evaluate("JSON.stringify(Object.entries(localStorage))")
        assert "ans_1" in stored
        assert key not in stored
        context.close()
