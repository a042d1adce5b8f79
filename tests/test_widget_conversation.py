"""What readers do with answers, and what is kept of a conversation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.chatting import Chat, chatting, reset, serving_widget
from tests.scripted_service import Problem, ScriptedService, chat_element
from tests.watching import CHROMIUM
from tests.widget_answers import FERRIES, NOT_THERE, TOLERANCE, TWO_SOURCES
from tests.widget_states import answered, rated, rating, say

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with serving_widget() as service:
        yield service


@pytest.fixture
def chat(browser: Browser, service: ScriptedService) -> Iterator[Chat]:
    reset(service)
    permissions = ["clipboard-read", "clipboard-write"]
    with chatting(browser, service, permissions=permissions) as chat:
        yield chat


def clipboard(chat: Chat, kind: str) -> str:
    """What was copied, as a media type; empty if it was not copied as that."""
    return chat.page.evaluate(
        """async (kind) => {
          const [item] = await navigator.clipboard.read();
          return item.types.includes(kind) ? (await item.getType(kind)).text() : "";
        }""",
        kind,
    )


def test_an_answer_is_copied_with_its_footnotes(chat):
    answered(chat)
    chat.button("Copy").click()
    expect(chat.host).to_contain_text("Copied")
    plain = clipboard(chat, "text/plain")
    assert f"The minister said: “{TOLERANCE}” [1]" in plain
    assert plain.index("[2]") < plain.rindex("[1]") < plain.rindex("[2]")
    notes = plain[plain.rindex("[1]") :]
    for said in ("The Daily", "24 Jan 2025", MOSCOW_URL, "Harbour Post", FERRIES):
        assert said in notes
    html = clipboard(chat, "text/html")
    assert html.count("<li") == 2
    assert MOSCOW_URL in html
    assert TOLERANCE in html
    assert "<button" not in html


MOSCOW_URL = "https://news.example/moscow?id=1"


def test_without_leave_to_copy_it_is_said(browser, service):
    reset(service)
    with chatting(browser, service) as chat:
        answered(chat)
        chat.page.evaluate("Object.assign(navigator.clipboard, { write: null, writeText: null })")
        chat.page.evaluate("() => { document.execCommand = () => false; }")
        chat.button("Copy").click()
        expect(chat.host).to_contain_text("Copying failed")


def test_an_answer_has_an_address_of_its_own(chat):
    answered(chat)
    link = chat.host.get_by_role("link", name="Link to this answer")
    expect(link).to_have_attribute("href", f"{chat.service.url}/answers/{TWO_SOURCES.id}")


def test_an_answer_can_be_printed(chat):
    answered(chat)
    chat.page.context.add_init_script("window.print = () => { window.printed = true; }")
    with chat.page.expect_popup() as opened:
        chat.button("Print").click()
    paper = opened.value
    paper.wait_for_function("window.printed")
    expect(paper.get_by_role("heading")).to_have_text(TWO_SOURCES.question)
    expect(paper.get_by_role("listitem")).to_have_count(2)
    expect(paper.get_by_role("listitem").first).to_contain_text(TOLERANCE)


def test_praise_goes_to_the_service(chat):
    rated(chat)
    (sent,) = (one.body for one in chat.service.asked if one.path == "/v1/feedback")
    assert sent["answer_id"] == TWO_SOURCES.id
    assert sent["rating"] == "up"


def test_blame_has_a_reason(chat):
    rating(chat)
    chat.host.get_by_role("radio", name="It is outdated").check()
    chat.host.get_by_role("textbox", name="Anything to add?").fill("It was in May.")
    chat.button("Send").click()
    expect(chat.host).to_contain_text("Thank you.")
    (sent,) = (one.body for one in chat.service.asked if one.path == "/v1/feedback")
    assert sent["rating"] == "down"
    assert sent["reason"]
    assert sent["note"] == "It was in May."


def test_the_reasons_come_in_sight(browser, service):
    reset(service)
    with chatting(browser, service, chat_element(service.url, open="")) as chat:
        rating(chat)
        expect(chat.button("Send")).to_be_in_viewport(ratio=1)
        chat.button("Cancel").click()
        expect(chat.button("Was this helpful? No")).to_be_focused()


def test_feedback_that_is_not_taken_is_told(chat):
    chat.service.feedback = Problem(503)
    answered(chat)
    chat.button("Was this helpful? Yes").click()
    expect(chat.host).to_contain_text("That could not be stored.")


def test_a_new_conversation_forgets_the_old_one(chat):
    answered(chat)
    chat.button("New conversation").click()
    expect(chat.part("answer")).to_have_count(0)
    say(chat, NOT_THERE)
    assert not chat.service.asked[-1].body.get("history")
    chat.page.reload()
    expect(chat.part("answer")).to_have_count(1)


def test_a_conversation_outlives_a_reload(chat):
    answered(chat)
    say(chat, NOT_THERE)
    chat.page.reload()
    expect(chat.part("answer")).to_have_count(2)
    expect(chat.log).to_contain_text(TOLERANCE)
    expect(chat.log).to_contain_text("Not in these articles")
    chat.source(1).first.click()
    expect(chat.reader.locator("mark")).to_have_text(TOLERANCE)
    chat.part("back").click()
    chat.button("New conversation").click()
    chat.page.reload()
    chat.input.wait_for()
    expect(chat.part("answer")).to_have_count(0)
    assert TOLERANCE not in chat.page.evaluate("JSON.stringify({...localStorage})")


def test_conversations_of_other_keys_and_other_users_are_not_shown(browser, service):
    reset(service)
    one = {"layout": "inline", "key": "pk_one", "user": "ann"}
    with chatting(browser, service, chat_element(service.url, **one)) as chat:
        answered(chat)
        for other in ({**one, "key": "pk_two"}, {**one, "user": "bob"}):
            html, policy = service.pages["page"]
            changed = html.replace(
                chat_element(service.url, **one), chat_element(service.url, **other)
            )
            assert changed != html
            service.pages["other"] = (changed, policy)
            chat.page.goto(f"{service.site}/pages/other")
            chat.input.wait_for()
            expect(chat.part("answer")).to_have_count(0)
        chat.page.goto(f"{service.site}/pages/page")
        expect(chat.part("answer")).to_have_count(1)


@pytest.mark.parametrize(
    "stored", ["", "{", "null", "[]", '"x"', "[null]", '{"version":99}', '[{"question":1}]']
)
def test_what_is_stored_may_be_spoilt(chat, stored):
    answered(chat)
    chat.page.evaluate(
        "(value) => Object.keys(localStorage).forEach((k) => localStorage[k] = value)", stored
    )
    chat.page.reload()
    expect(chat.input).to_be_visible()
    answered(chat)


def test_storage_may_be_denied(browser, service):
    reset(service)
    denied = (
        "Object.defineProperty(window, 'localStorage', { get() { throw new Error('denied'); } })"
    )
    with chatting(browser, service) as chat:
        chat.page.add_init_script(denied)
        chat.page.reload()
        answered(chat)
        chat.button("New conversation").click()
        expect(chat.part("answer")).to_have_count(0)
