"""Every state of the widget, by what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from tests.chatting import Chat, chatting, reset, serving_widget
from tests.scripted_service import HOLD, Problem, ScriptedService, chat_element
from tests.watching import CHROMIUM
from tests.widget_answers import (
    COST_84,
    COST_97,
    FERRIES,
    NOT_THERE,
    TERRORISM,
    TOLERANCE,
    TWO_SOURCES,
    events,
)
from tests.widget_states import STATES, abstained, answered, conflicts, limited, say, streaming

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
    with chatting(browser, service) as chat:
        yield chat


def floating(
    browser: Browser, service: ScriptedService, **options: Any
) -> AbstractContextManager[Chat]:
    """The floating widget, open."""
    return chatting(browser, service, chat_element(service.url, open=""), **options)


def test_an_empty_conversation_suggests_questions_of_which_one_click_asks(browser, service):
    reset(service)
    service.replies[TERRORISM] = events(TWO_SOURCES)
    inline = chat_element(service.url, layout="inline", suggestions=f"{TERRORISM}|Who won the cup?")
    with chatting(browser, service, inline) as chat:
        expect(chat.button("Who won the cup?")).to_be_visible()
        chat.button(TERRORISM).click()
        expect(chat.source(1)).to_be_visible()
        expect(chat.button("Who won the cup?")).to_be_hidden()
    assert service.questions() == [TERRORISM]


def test_it_is_said_what_is_searched(chat):
    STATES["searching"](chat)
    expect(chat.host).to_contain_text("Searching the articles …")
    chat.service.resume()
    chat.finished()


def test_the_outlets_that_are_read_are_named(chat):
    STATES["thinking"](chat)
    expect(chat.host).to_contain_text("Reading 2 passages from The Daily and Harbour Post …")
    chat.service.resume()
    chat.finished()


def test_sentences_appear_as_they_come(chat):
    streaming(chat)
    expect(chat.part("sentence")).to_have_count(1)
    expect(chat.part("sentence")).to_contain_text(TOLERANCE)
    expect(chat.source(2)).to_have_count(0)
    chat.service.resume()
    expect(chat.part("sentence")).to_have_count(2)
    expect(chat.button("Source 2: Harbour Post, 2 Mar 2025")).to_be_visible()
    chat.finished()


def test_a_citation_is_named_by_its_outlet_and_day(chat):
    answered(chat)
    expect(chat.button("Source 1: The Daily, 24 Jan 2025")).to_be_visible()


@pytest.mark.parametrize("way", ["hover", "focus", "tap"])
def test_a_card_shows_where_a_sentence_comes_from(browser, service, way):
    reset(service)
    with chatting(browser, service, has_touch=way == "tap") as chat:
        answered(chat)
        card = chat.part("card")
        expect(card).to_be_hidden()
        getattr(chat.source(1).first, way)()
        expect(card).to_contain_text(TOLERANCE)
        expect(card).to_contain_text("The Daily")
        expect(card).to_contain_text("24 Jan 2025")
        expect(card).to_contain_text("India and Russia stress their ties")
        chat.page.keyboard.press("Escape")
        expect(card).to_be_hidden()


def test_a_card_is_shown_where_the_focus_had_to_scroll(browser, service):
    reset(service)
    with floating(browser, service) as chat:
        for _ in range(3):
            answered(chat)
        chat.source(1).first.focus()
        expect(chat.part("card")).to_be_in_viewport()
        chat.page.wait_for_function("new Promise((resolve) => requestAnimationFrame(resolve))")
        expect(chat.part("card")).to_contain_text(TOLERANCE)


def test_a_second_answer_comes_in_sight(browser, service):
    reset(service)
    with floating(browser, service, viewport={"width": 320, "height": 568}) as chat:
        answered(chat)
        say(chat, NOT_THERE)
        expect(chat.part("question").last).to_be_in_viewport(ratio=1)
        expect(chat.part("nearest").get_by_role("listitem").first).to_be_in_viewport(ratio=1)


def test_the_reader_marks_the_very_quotation(chat):
    answered(chat)
    chat.source(1).first.click()
    mark = chat.reader.locator("mark")
    expect(mark).to_have_text(TOLERANCE)
    expect(mark).to_be_in_viewport()
    expect(chat.reader).to_contain_text("India and Russia stress their ties")
    chat.button(re.compile("Back to the answer")).click()
    expect(chat.reader).to_be_hidden()


def test_a_quotation_that_has_moved_is_not_marked(chat):
    STATES["reader_lost"](chat)
    expect(chat.reader).to_contain_text("does not stand at its place in this text any more")
    expect(chat.reader.locator("mark")).to_have_count(0)
    assert chat.page.evaluate("[...(CSS.highlights ?? [])].length") == 0


def test_an_article_that_is_gone_is_told(chat):
    STATES["reader_gone"](chat)
    expect(chat.reader).to_contain_text("The article is no longer in the library.")


def test_an_abstention_shows_the_nearest_passages_which_open_the_article(chat):
    abstained(chat)
    expect(chat.host).to_contain_text("Not in these articles")
    nearest = chat.part("nearest")
    expect(nearest).to_contain_text("The nearest passages")
    expect(nearest).to_contain_text(TOLERANCE)
    expect(nearest).to_contain_text(FERRIES)
    expect(nearest.get_by_role("listitem")).to_have_count(2)
    nearest.get_by_role("button").last.click()
    expect(chat.reader.locator("mark")).to_have_text(FERRIES)


def test_a_contradiction_is_shown_side_by_side(browser, service):
    reset(service)
    with floating(browser, service) as chat:
        conflicts(chat)
        shown = chat.part("conflicts")
        expect(shown).to_contain_text("The articles contradict each other")
        sides = shown.get_by_role("listitem")
        expect(sides.first).to_contain_text(COST_84)
        expect(sides.last).to_contain_text(COST_97)
        one, other = sides.first.bounding_box(), sides.last.bounding_box()
        assert one
        assert other
        assert one["x"] + one["width"] <= other["x"]
        assert one["y"] == other["y"]


def test_sentences_that_were_withheld_are_counted(chat):
    STATES["withheld"](chat)
    expect(chat.host).to_contain_text("3 sentences were withheld: the articles don’t support them.")


def test_a_fallback_is_labelled(chat):
    STATES["fallback"](chat)
    expect(chat.host).to_contain_text("The language model could not be reached")


def test_an_answer_can_be_stopped_and_asked_again(chat):
    STATES["stopped"](chat)
    expect(chat.host).to_contain_text("Stopped.")
    expect(chat.part("sentence")).to_have_count(1)
    chat.service.replies[TERRORISM] = events(TWO_SOURCES)
    chat.button("Ask again").click()
    expect(chat.part("sentence")).to_have_count(2)
    chat.finished()
    expect(chat.host).not_to_contain_text("Stopped.")


def test_being_offline_is_told(chat):
    STATES["offline"](chat)
    expect(chat.host).to_contain_text("You are offline.")
    assert chat.service.questions() == []
    chat.service.replies[TERRORISM] = events(TWO_SOURCES)
    chat.page.context.set_offline(False)
    chat.button("Ask again").click()
    expect(chat.source(2)).to_be_visible()
    expect(chat.host).not_to_contain_text("You are offline.")


def test_the_wait_is_counted_down_before_one_can_ask_again(chat):
    chat.page.clock.install()
    limited(chat)
    expect(chat.host).to_contain_text("Too many questions just now.")
    expect(chat.host).to_contain_text(re.compile(r"You can ask again in (30|29) s"))
    chat.page.clock.run_for(15_000)
    expect(chat.host).to_contain_text(re.compile(r"You can ask again in 1[45] s"))
    chat.service.replies[TERRORISM] = events(TWO_SOURCES)
    chat.page.clock.run_for(16_000)
    expect(chat.host).not_to_contain_text("You can ask again in")
    chat.button("Ask again").click()
    expect(chat.source(2)).to_be_visible()


@pytest.mark.parametrize(
    ("state", "words"),
    [("failed", "Something went wrong on our side."), ("cut", "The answer broke off.")],
)
def test_a_failure_can_be_retried(chat, state, words):
    STATES[state](chat)
    expect(chat.host).to_contain_text(words)
    chat.service.replies[TERRORISM] = events(TWO_SOURCES)
    chat.button("Ask again").click()
    expect(chat.source(2)).to_be_visible()
    expect(chat.host).not_to_contain_text(words)


def test_a_stream_that_ends_without_its_end_was_cut(chat):
    chat.service.replies[TERRORISM] = events(TWO_SOURCES)[:-1]
    chat.ask(TERRORISM)
    expect(chat.host).to_contain_text("The answer broke off.")


def test_a_problem_at_the_end_of_a_stream_is_told(chat):
    problem = Problem(504, "The answer took too long").document()
    chat.service.replies[TERRORISM] = [*events(TWO_SOURCES)[:3], ("error", {"problem": problem})]
    chat.ask(TERRORISM)
    expect(chat.button("Ask again")).to_be_visible()
    expect(chat.host).to_contain_text("req_scripted")


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_is_refused_is_told(chat, status):
    chat.service.replies[TERRORISM] = Problem(status, "The key is not good")
    chat.ask(TERRORISM)
    expect(chat.host).to_contain_text("This page may not ask: its key was refused.")


def test_the_key_and_the_conversation_go_with_the_question(browser, service):
    reset(service)
    inline = chat_element(service.url, layout="inline", key="pk_1")
    with chatting(browser, service, inline) as chat:
        say(chat, TWO_SOURCES)
        say(chat, NOT_THERE)
    first, second = (one for one in service.asked if one.path == "/v1/ask")
    assert first.headers["authorization"] == "Bearer pk_1"
    assert not first.body.get("history")
    assert [turn["role"] for turn in second.body["history"]] == ["user", "assistant"]
    assert second.body["history"][0]["content"] == TERRORISM
    assert TOLERANCE in second.body["history"][1]["content"]


def test_a_question_under_way_is_not_asked_twice(chat):
    chat.service.replies[TERRORISM] = [HOLD, *events(TWO_SOURCES)]
    chat.ask(TERRORISM)
    chat.button("Stop").wait_for()
    chat.input.fill("And then?")
    chat.input.press("Enter")
    chat.service.resume()
    chat.finished()
    assert chat.service.questions() == [TERRORISM]
