"""The widget for everyone: axe-core in every state, the keyboard alone, what is announced, and
what readers have set for their eyes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.chatting import Chat, chatting, reset, serving_widget
from tests.scripted_service import ScriptedService, chat_element, script_tag
from tests.watching import CHROMIUM
from tests.widget_answers import STRANGE_ANSWERS, TERRORISM, TWO_SOURCES
from tests.widget_states import STATES, answered, reader, say, streaming

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on the PATH"),
]

WCAG = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"],
    "rules": {"target-size": {"enabled": True}},  # axe leaves it out unless it is asked for
    "resultTypes": ["violations"],
}
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}, "resultTypes": ["violations"]}
STOPS = 40
"""More than the widget has places for the focus."""

FOCUSED = """() => {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
}"""


@pytest.fixture(scope="module")
def service() -> Iterator[ScriptedService]:
    with serving_widget() as service:
        yield service


@pytest.fixture
def floating(browser: Browser, service: ScriptedService) -> Iterator[Chat]:
    """The floating widget, not opened yet."""
    reset(service)
    with chatting(browser, service, script_tag(service.url, key="pk_1")) as chat:
        yield chat


@pytest.fixture
def chat(floating: Chat) -> Chat:
    """The floating widget, opened."""
    floating.launcher.click()
    expect(floating.input).to_be_focused()
    return floating


def violations(chat: Chat, options: dict[str, object]) -> list[str]:
    """What axe-core finds: the element, and what is wrong with it."""
    found = Axe().run(chat.page, options=options).response["violations"]
    return [f"{node['html']}: {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def focus(chat: Chat, script: str) -> str:
    """What a function of the element with the focus returns."""
    return str(chat.page.evaluate(f"() => ({script})(({FOCUSED})())"))


def focused(chat: Chat) -> str:
    """The name of the element with the focus."""
    name = "(e) => e.getAttribute('aria-label') ?? e.getAttribute('part') ?? e.localName"
    return focus(chat, name)


@pytest.mark.parametrize(
    ("state", "layout"),
    [(state, "floating") for state in STATES] + [("empty", "inline"), ("reader", "inline")],
)
def test_axe_finds_nothing(browser, service, state, layout):
    reset(service)
    attributes = {"layout": layout, "suggestions": f"{TERRORISM}|Who won the cup?", "open": ""}
    still = {"reduced_motion": "reduce"}  # what fades in has little contrast until it is there
    with chatting(browser, service, chat_element(service.url, **attributes), **still) as chat:
        STATES[state](chat)
        chat.photograph(f"{state}-{layout}-light")
        assert violations(chat, WCAG) == []
        chat.page.emulate_media(color_scheme="dark")
        chat.photograph(f"{state}-{layout}-dark")
        assert violations(chat, COLOURS) == []


def test_axe_finds_nothing_in_arabic(browser, service):
    reset(service)
    phone = {"viewport": {"width": 390, "height": 780}, "reduced_motion": "reduce"}
    body = chat_element(service.url, open="", suggestions=STRANGE_ANSWERS["arabic"].question)
    with chatting(browser, service, body, lang="ar", **phone) as chat:
        chat.input.wait_for()
        chat.photograph("empty-arabic")
        assert violations(chat, WCAG) == []
        say(chat, STRANGE_ANSWERS["arabic"])
        chat.photograph("answered-arabic")
        assert violations(chat, WCAG) == []
        chat.part("citation").click()
        expect(chat.part("mark")).to_be_in_viewport()
        chat.photograph("reader-arabic")
        assert violations(chat, WCAG) == []


def test_a_launcher_that_is_closed_is_accessible(floating):
    expect(floating.launcher).to_be_visible()
    assert violations(floating, WCAG) == []


def test_escape_closes_the_panel_and_the_focus_returns(floating):
    link = floating.page.get_by_role("link", name="What is new")
    link.focus()
    floating.page.keyboard.press("Tab")
    expect(floating.launcher).to_be_focused()
    floating.page.keyboard.press("Enter")
    expect(floating.input).to_be_focused()
    floating.page.keyboard.press("Escape")
    expect(floating.panel).to_be_hidden()
    expect(floating.launcher).to_be_focused()


@pytest.mark.parametrize("key", ["Tab", "Shift+Tab"])
def test_the_focus_stays_in_the_open_panel(chat, key):
    answered(chat)
    stops = set()
    for _ in range(STOPS):
        chat.page.keyboard.press(key)
        assert focus(chat, "(e) => e.getRootNode().host?.localName") == "dateline-chat"
        stops.add(focused(chat))
    assert "Source 1: The Daily, 24 Jan 2025" in stops
    assert len(stops) >= 8


def test_the_page_can_be_reached_from_an_inline_widget(browser, service):
    reset(service)
    body = chat_element(service.url, layout="inline") + '<p><a href="#after">After</a></p>'
    with chatting(browser, service, body) as chat:
        answered(chat)
        chat.input.focus()
        for _ in range(STOPS):
            chat.page.keyboard.press("Tab")
            if focus(chat, "(e) => e.textContent") == "After":
                break
        else:
            pytest.fail("the focus is caught")


def test_wherever_the_focus_is_can_be_seen(chat):
    answered(chat)
    for _ in range(STOPS):
        chat.page.keyboard.press("Tab")
        seen = focus(
            chat,
            """(e) => {
              const field = e.localName === "textarea" ? e.parentElement : e;
              const { outlineStyle, outlineWidth } = getComputedStyle(field);
              return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
            }""",
        )
        assert seen == "True", focused(chat)


def test_a_source_is_read_by_keyboard_alone(chat):
    answered(chat)
    chat.source(1).first.focus()
    chat.page.keyboard.press("Enter")
    expect(chat.reader.locator("mark")).to_be_in_viewport()
    assert focus(chat, "(e) => !!e.closest('[part~=reader]')") == "True"
    for _ in range(STOPS):
        chat.page.keyboard.press("Tab")
        assert focus(chat, "(e) => e.getRootNode().host?.localName") == "dateline-chat"
    chat.page.keyboard.press("Escape")
    expect(chat.reader).to_be_hidden()
    expect(chat.panel).to_be_visible()
    expect(chat.source(1).first).to_be_focused()


def test_an_answer_is_announced_once_when_it_is_finished(chat):
    expect(chat.log).to_have_attribute("aria-live", "off")
    chat.page.evaluate(
        """() => {
          window.announced = [];
          const root = document.querySelector("dateline-chat").shadowRoot;
          const live = "[role=status], [role=alert], [aria-live=polite], [aria-live=assertive]";
          new MutationObserver((changes) => {
            for (const { target, addedNodes } of changes) {
              const region = target.parentElement?.closest(live) ?? target.closest?.(live);
              const text = region?.textContent.trim();
              if (text && text !== announced.at(-1)) announced.push(text);
            }
          }).observe(root, { childList: true, characterData: true, subtree: true });
        }"""
    )
    streaming(chat)
    chat.service.resume()
    chat.finished()
    expect(chat.status.first).to_have_text("The answer is there: 2 sentences from 2 sources.")
    said = chat.page.evaluate("announced")
    assert [one for one in said if "The answer is there" in one] == [said[-1]]
    assert not any("tolerance" in one for one in said)


def test_who_wants_no_motion_gets_none(browser, service):
    reset(service)
    moving = """() => {
      const root = document.querySelector("dateline-chat").shadowRoot;
      const some = [...document.getAnimations(), ...root.getAnimations()];
      const scrolls = [...root.querySelectorAll("*")].some(
        (e) => getComputedStyle(e).scrollBehavior === "smooth");
      return scrolls || some.some((one) => one.effect.getComputedTiming().duration > 1);
    }"""
    body = script_tag(service.url, key="pk_1")
    with chatting(browser, service, body, reduced_motion="reduce") as chat:
        chat.launcher.click()
        expect(chat.input).to_be_focused()
        assert not chat.page.evaluate(moving)
        for drive in (STATES["thinking"], reader):
            reset(service)
            drive(chat)
            assert not chat.page.evaluate(moving)
            if drive is not reader:
                service.resume()
                chat.finished()


def test_forced_colours_keep_what_colour_says(browser, service):
    reset(service)
    with chatting(browser, service, forced_colors="active") as chat:
        reader(chat)
        style = "(e, name) => getComputedStyle(e)[name]"
        mark = chat.reader.locator("mark")
        around = mark.locator("xpath=..")
        shown = [one.evaluate(style, "backgroundColor") for one in (mark, around)]
        assert shown[0] != shown[1]
        chat.part("back").click()
        for control in (chat.button("Ask"), chat.input.locator("xpath=..")):
            assert control.evaluate(style, "borderTopStyle") == "solid"


SIZES = {
    "320": {"viewport": {"width": 320, "height": 568}},
    "568x320": {"viewport": {"width": 568, "height": 320}},
    "zoom-200": {"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2},
    "zoom-400": {"viewport": {"width": 320, "height": 256}, "device_scale_factor": 4},
}

OVERFLOWING = """() => {
  const root = document.querySelector("dateline-chat").shadowRoot;
  const wide = [...root.querySelectorAll("*")].filter((e) => {
    const { left, right, width } = e.getBoundingClientRect();
    const { overflowX, clipPath } = getComputedStyle(e);
    if (!width || clipPath !== "none") return false;  // it is for screen readers
    return right > innerWidth + 1 || left < -1
      || (e.scrollWidth > e.clientWidth + 1 && /auto|scroll/.test(overflowX));
  });
  return [
    ...(document.documentElement.scrollWidth > innerWidth ? ["the page scrolls sideways"] : []),
    ...wide.map((e) => `${e.localName} ${e.className}`),
  ];
}"""


@pytest.mark.parametrize("layout", ["floating", "inline"])
@pytest.mark.parametrize("size", SIZES)
def test_nothing_scrolls_sideways(browser, service, size, layout):
    body = chat_element(service.url, layout=layout, open="", suggestions=f"{TERRORISM}|Who won?")
    reset(service)
    with chatting(browser, service, body, reduced_motion="reduce", **SIZES[size]) as chat:
        for state in ("empty", "answered", "abstained", "conflicts", "rating", "card", "reader"):
            STATES[state](chat)
            chat.photograph(f"{state}-{layout}-{size}")
            assert chat.page.evaluate(OVERFLOWING) == [], state
            if state == "reader":
                expect(chat.reader.locator("mark")).to_be_in_viewport()
                chat.part("back").click()
            expect(chat.input).to_be_visible()


def test_a_phone_does_not_zoom_into_the_field(browser, service):
    reset(service)
    body = script_tag(service.url, key="pk_1")
    with chatting(browser, service, body, viewport={"width": 390, "height": 700}) as chat:
        chat.launcher.click()
        size = chat.input.evaluate("(e) => parseFloat(getComputedStyle(e).fontSize)")
        assert size >= 16
        box = chat.panel.bounding_box()
        assert box
        assert box["height"] <= 700


def test_arabic_goes_from_right_to_left(browser, service):
    reset(service)
    direction = "(e) => getComputedStyle(e).direction"
    with chatting(browser, service, lang="ar") as chat:
        assert chat.input.evaluate(direction) == "rtl"
        say(chat, TWO_SOURCES)
        assert chat.part("toolbar").evaluate(direction) == "rtl"
        english = chat.part("sentence").first
        assert english.evaluate("(e) => getComputedStyle(e.closest('[dir]')).direction") == "ltr"
