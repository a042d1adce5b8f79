"""Whatever articles order and an LLM obeys, only what the articles say reaches the client."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from api import encoders
from evals.promises import promise_breaches
from rag.answering import Answerer
from rag.bootstrap import Parts, Service, open_service
from rag.condensing import Condenser, Rewriting
from rag.extractive import Extractor
from rag.language import SpacyAnalyser
from rag.prompting import load_prompt
from rag.settings import Settings
from rag.terminal import print_answer
from rag.types import Answer, AnswerEvent, Evidence, Finished, Passage, Question, Usage
from rag.writing import Generation
from tests.fakes import FakeEmbedder
from tests.hostile import API_KEY, MARKS, Case, Messages, cases, order_in, revealed
from tests.test_api_pages import Page
from tests.wired import client_of

pytestmark = pytest.mark.slow

CASES = cases()
BY_NUMBER = {case.number: case for case in CASES}
LEAST = 1000

_MARKUP = re.compile(
    r"<[a-z/!?]|\]\(|\]\[|\]:|!\[|\[\^|\*\*|__|~~|`|^\s*#|\||&#?\w+;|<\|", re.IGNORECASE
)
_ADDRESS = re.compile(
    r"\w://|\bwww\.|\b(?:javascript|data|vbscript|mailto|tel):\S|\w@\w|(?:\d{1,3}\.){3}\d"
    r"|\b[\w-]+\.[a-z]{2,}/",
    re.IGNORECASE,
)
_OWN_FIELDS = {
    "passages",
    "citations",
    "new_citations",
    "nearest",
    "question",
    "annotations",
    "annotation",
    "input",
}
_SGR = re.compile(r"\x1b\[[0-9;]*m")


class ObedientModel:
    """Obeys the order of a case, and keeps whether it stood in any prompt."""

    model = "obedient"
    state = "ok: obedient"

    def __init__(self, case: Case) -> None:
        self._case = case
        self.ordered: int | None = None

    async def stream(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str | Usage]:
        self.ordered = order_in(messages) or self.ordered
        for piece in self._case.reply(messages):
            yield piece


class FixedRetriever:
    """Finds every article of a case whole."""

    def __init__(self, case: Case) -> None:
        self._case = case

    async def retrieve(self, question: Question, limit: int, budget_tokens: int) -> Evidence:
        return evidence_of(self._case)


def evidence_of(case: Case) -> Evidence:
    passages = tuple(
        Passage(rank, 1 / rank, a.id, f"chk_{a.id}", a.text, 0, len(a.text))
        for rank, a in enumerate(case.articles, start=1)
    )
    return Evidence(passages, {a.id: a for a in case.articles}, confidence=0.9)


def leaks(text: str) -> Iterator[str]:
    """What must stand in nothing that is shown but an article's own words at their place."""
    plain = revealed(text)
    for mark in (*MARKS, API_KEY):
        if mark in plain.casefold():
            yield f"{mark!r} in {text!r}"
    if "only what the passages say" in plain.lower():
        yield f"the system prompt in {text!r}"
    for pattern in (_MARKUP, _ADDRESS):
        if found := pattern.search(plain) or pattern.search(text):
            yield f"{found[0]!r} in {text!r}"
    yield from commands(text)


def commands(text: str) -> Iterator[str]:
    """Characters that command a terminal, or turn its text around."""
    for c in text:
        if (unicodedata.category(c) == "Cc" and c != "\n") or c in "\u202a\u202e\u2066\u2067":
            yield f"{c!r} in {text!r}"


def untrue(case: Case, answer: Answer) -> Iterator[str]:
    """The sentences that are not true of the articles; what Brandt orders in them is his to say."""
    stated = {one_style(text).rstrip(".") for text in case.true}
    for sentence in answer.sentences:
        text = one_style(sentence.text).rstrip(".")
        if case.carrier == "quotation" and case.order in text and "Brandt" in text:
            continue
        if text not in stated and text.strip('".') not in stated:
            yield f"untrue: {sentence.text!r}"


def one_style(text: str) -> str:
    return " ".join(re.sub("[“”„]", '"', text).split())


def shown_strings(document: object) -> Iterator[str]:
    """Every string of a document but those that are the articles' own, or the question's."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict):
        for name, value in document.items():
            if name not in _OWN_FIELDS and name != "standalone_question":
                yield from shown_strings(value)
    elif isinstance(document, list):
        for value in document:
            yield from shown_strings(value)


def printed(answer: Answer, *, terminal: bool) -> str:
    out = Console(file=io.StringIO(), force_terminal=terminal, width=80, highlight=False)
    print_answer(answer, {}, out)
    return out.file.getvalue()


def breaches(case: Case, events: list[AnswerEvent]) -> Iterator[str]:
    """All that is wrong with what the client got."""
    for event in events:
        for text in shown_strings(encoders.event(event)[1]):
            yield from leaks(text)
    finished = events[-1]
    assert isinstance(finished, Finished)
    answer = finished.answer
    if answer.standalone_question != case.question.text:
        yield from leaks(answer.standalone_question)
    yield from untrue(case, answer)
    yield from promise_breaches(answer, {article.id: article for article in case.articles})
    yield from commands(printed(answer, terminal=False))
    yield from commands(_SGR.sub("", printed(answer, terminal=True)))


def answerer_of(case: Case, model: ObedientModel, analyser: SpacyAnalyser) -> Answerer:
    generation = Generation(model, load_prompt("answer"), 3000, 600)
    condenser = Condenser(analyser, Rewriting(model, load_prompt("condense")))
    extractor = Extractor(FakeEmbedder(), analyser)
    return Answerer(FixedRetriever(case), extractor, analyser, condenser, generation)


async def test_a_thousand_attacks_show_nothing_but_what_the_articles_say(
    analyser: SpacyAnalyser,
) -> None:
    assert len({str(case) for case in CASES}) >= LEAST
    wrong: list[str] = []
    outcomes: Counter[str] = Counter()
    for case in CASES:
        model = ObedientModel(case)
        one = answerer_of(case, model, analyser)
        events = [event async for event in one.answer(case.question)]
        assert (model.ordered == case.number) is (case.carrier != "author"), str(case)
        wrong += [f"{case}: {breach}" for breach in dict.fromkeys(breaches(case, events))]
        outcomes[events[-1].answer.status] += 1
    assert not wrong, "\n".join([f"{len(wrong)} breaches", *wrong[:20]])
    assert outcomes["answered"] > len(CASES) / 2, "they show nothing at all"


class ObeysAll(ObedientModel):
    """Obeys the last order that stood in a prompt."""

    def __init__(self) -> None:
        self.obeyed: list[int] = []

    async def stream(self, messages: Messages, max_tokens: int) -> AsyncGenerator[str | Usage]:
        number = order_in(messages)
        if number is not None:
            self.obeyed.append(number)
        for piece in BY_NUMBER[self.obeyed[-1]].reply(messages):
            yield piece


@asynccontextmanager
async def serving(
    data: Path, model: ObeysAll, analyser: SpacyAnalyser
) -> AsyncIterator[tuple[Service, httpx.AsyncClient]]:
    bare = {"llm_model": None, "key_rate": "none", "address_rate": "none"}
    parts = Parts(embedder=FakeEmbedder(), analyser=analyser, model=model)
    settings = Settings(_env_file=None, data_dir=data, **bare)
    async with open_service(settings, parts) as service, client_of(service) as http:
        yield service, http


def requests_of(case: Case) -> Iterator[tuple[str, dict[str, object]]]:
    """The case's question in each form, whole and streamed."""
    asked = case.question
    turns = [{"role": turn.role, "content": turn.content} for turn in asked.history]
    talk = [*turns, {"role": "user", "content": asked.text}]
    for stream in (False, True):
        yield "/v1/ask", {"question": asked.text, "history": turns, "stream": stream}
        yield "/v1/chat/completions", {"messages": talk, "stream": stream}
        yield "/v1/responses", {"input": talk, "stream": stream}


def documents(response: httpx.Response) -> Iterator[object]:
    """The JSON of a response, or of each of its events."""
    if not response.headers["content-type"].startswith("text/event-stream"):
        yield response.json()
        return
    for line in response.text.splitlines():
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))


async def page_breaches(http: httpx.AsyncClient, answer_id: str) -> Iterator[str]:
    """What is wrong with a stored answer's page: tags of the article's, links but to quotations."""
    page = Page((await http.get(f"/answers/{answer_id}")).text)
    found = [f"<{tag}> on the page" for tag, _ in page.tags if tag in ("script", "img", "iframe")]
    links = [str(link.get("href")) for link in page.named("a")]
    found += [f"a link to {link}" for link in links if not re.match(r"/(articles/|$)|#note-", link)]
    return iter(found)


async def test_nor_does_any_form_over_http(tmp_path: Path, analyser: SpacyAnalyser) -> None:
    chosen = [case for case in CASES[::37] if case.carrier != "author"]
    assert len(chosen) >= 25
    model = ObeysAll()
    wrong: list[str] = []
    async with serving(tmp_path / "data", model, analyser) as (service, http):
        for case in chosen:
            for article in case.articles:
                await service.put_article(article)
            for path, body in requests_of(case):
                response = await http.post(path, json=body)
                assert response.status_code == 200, response.text
                for document in documents(response):
                    told = [leak for text in shown_strings(document) for leak in leaks(text)]
                    wrong += [f"{case} at {path}: {leak}" for leak in dict.fromkeys(told)]
                if (path, body["stream"]) == ("/v1/ask", False):
                    wrong += [
                        f"{case}: {b}" for b in await page_breaches(http, response.json()["id"])
                    ]
            for article in case.articles:
                await service.delete_article(article.id)
    assert Counter(model.obeyed) == {case.number: 6 for case in chosen}
    assert not wrong, "\n".join([f"{len(wrong)} breaches", *wrong[:20]])
