"""How the widget is brought into each of its states."""

from __future__ import annotations

from collections.abc import Callable

from rag.types import Answer, Passage
from tests.chatting import Chat
from tests.scripted_service import CUT, HOLD, Problem, Step
from tests.widget_answers import (
    DISAGREEING,
    FALLEN_BACK,
    FOUND,
    MOVED,
    MOVED_ARTICLE,
    NOT_THERE,
    TERRORISM,
    TWO_SOURCES,
    WITHHOLDING,
    events,
)

Drive = Callable[[Chat], None]


def say(chat: Chat, answer: Answer, *found: Passage) -> None:
    """Ask the question of an answer, and have it answered."""
    chat.service.replies[answer.question] = events(answer, *(found or FOUND))
    chat.ask(answer.question)
    chat.finished()


def refuse(chat: Chat, problem: Problem) -> None:
    """Ask, and have the question refused."""
    chat.service.replies[TERRORISM] = problem
    chat.ask(TERRORISM)
    chat.finished()


def hold(chat: Chat, after: int) -> None:
    """Ask, and have the answer pause after so many events; `resume` lets it go on."""
    told: list[Step] = list(events(TWO_SOURCES, *FOUND))
    chat.service.replies[TERRORISM] = [*told[:after], HOLD, *told[after:]]
    chat.ask(TERRORISM)
    chat.part("stop").wait_for()


def empty(chat: Chat) -> None:
    chat.input.wait_for()


def searching(chat: Chat) -> None:
    hold(chat, 1)


def thinking(chat: Chat) -> None:
    hold(chat, 2)
    chat.host.get_by_text("Reading 2 passages").first.wait_for()


def streaming(chat: Chat) -> None:
    hold(chat, 3)
    chat.source(1).last.wait_for()


def answered(chat: Chat) -> None:
    say(chat, TWO_SOURCES)


def card(chat: Chat) -> None:
    answered(chat)
    chat.source(1).last.scroll_into_view_if_needed()
    chat.source(1).last.hover()
    chat.part("card").wait_for()


def reader(chat: Chat) -> None:
    answered(chat)
    chat.source(1).last.click()
    chat.reader.get_by_text("MOSCOW").wait_for()


def reader_lost(chat: Chat) -> None:
    chat.service.articles["moscow"] = MOVED_ARTICLE
    say(chat, MOVED)
    chat.source(1).last.click()
    chat.reader.get_by_text("Corrected").wait_for()


def reader_gone(chat: Chat) -> None:
    chat.service.articles["moscow"] = Problem(404)
    answered(chat)
    chat.source(1).last.click()
    chat.reader.get_by_text("no longer in the library").wait_for()


def abstained(chat: Chat) -> None:
    say(chat, NOT_THERE)


def conflicts(chat: Chat) -> None:
    say(chat, DISAGREEING)


def withheld(chat: Chat) -> None:
    say(chat, WITHHOLDING)


def fallback(chat: Chat) -> None:
    say(chat, FALLEN_BACK)


def stopped(chat: Chat) -> None:
    streaming(chat)
    chat.button("Stop").click()
    chat.finished()


def offline(chat: Chat) -> None:
    chat.input.wait_for()
    chat.page.context.set_offline(True)
    chat.ask(TERRORISM)
    chat.finished()


def limited(chat: Chat) -> None:
    refuse(chat, Problem(429, headers={"Retry-After": "30"}))


def failed(chat: Chat) -> None:
    refuse(chat, Problem(500))


def cut(chat: Chat) -> None:
    told: list[Step] = list(events(TWO_SOURCES, *FOUND))
    chat.service.replies[TERRORISM] = [*told[:3], CUT]
    chat.ask(TERRORISM)
    chat.finished()


def refused(chat: Chat) -> None:
    refuse(chat, Problem(401, "The key is not good"))


def rating(chat: Chat) -> None:
    answered(chat)
    chat.button("Was this helpful? No").last.click()
    chat.button("Cancel").wait_for()


def rated(chat: Chat) -> None:
    answered(chat)
    chat.button("Was this helpful? Yes").last.click()
    chat.host.get_by_text("Thank you.").first.wait_for()


STATES: dict[str, Drive] = {
    drive.__name__: drive
    for drive in (
        empty,
        searching,
        thinking,
        streaming,
        answered,
        card,
        reader,
        reader_lost,
        reader_gone,
        abstained,
        conflicts,
        withheld,
        fallback,
        stopped,
        offline,
        limited,
        failed,
        cut,
        refused,
        rating,
        rated,
    )
}
