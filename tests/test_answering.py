import asyncio
import itertools
import logging
import math
import threading
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from rag.answering import ABSTENTION, PASSAGE_TOKENS, PASSAGES, Answerer
from rag.condensing import Condenser, Rewriting
from rag.errors import LanguageModelError, LibraryError
from rag.language import SpacyAnalyser
from rag.ports import LanguageAnalyser
from rag.prompting import load_prompt
from rag.types import (
    Analysis,
    Answer,
    AnswerEvent,
    Article,
    Claim,
    Conflict,
    Evidence,
    Finished,
    Passage,
    PassagesFound,
    Question,
    SentenceReady,
    Started,
    Turn,
    Understood,
    Usage,
)
from rag.verification.reading import Reading
from rag.writing import Generation
from tests.fakes import FakeAnalyser, FakeLanguageModel

OPENED = "Veldhaven opened its harbour bridge on Monday."
COST = "The bridge cost 84 million crowns."
FERRY = "The old ferry will stop in June."
ARTICLE = Article("a1", f"{OPENED} {COST}\n{FERRY}\n", title="Harbour bridge opens")
SECOND = Article("a2", "Rain fell on the market all day.\n")
QUESTION = Question("What did the bridge cost?")
DOWN = LanguageModelError("LLM 'fake-llm': the connection failed")


def passage(rank: int, article: Article) -> Passage:
    return Passage(rank, 1 / rank, article.id, f"chk_{rank}", article.text, 0, len(article.text))


EVIDENCE = Evidence(
    (passage(1, ARTICLE), passage(2, SECOND)),
    {"a1": ARTICLE, "a2": SECOND},
    Understood(as_of="2026-03-02"),
)


class ScriptedRetriever:
    def __init__(self, found: Evidence | Exception = EVIDENCE) -> None:
        self.found = found
        self.asked: list[tuple[Question, int, int | None]] = []

    async def retrieve(
        self, question: Question, limit: int, budget_tokens: int | None = None
    ) -> Evidence:
        self.asked.append((question, limit, budget_tokens))
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


class ScriptedExtractor:
    def __init__(self, *texts: str) -> None:
        self.texts = texts
        self.asked: list[str] = []

    def extract(
        self, question: Question, readings: Sequence[Reading], confidence: float | None = None
    ) -> list[Claim]:
        self.asked.append(question.text)
        return [Claim(text) for text in self.texts] if readings else []


def answerer(
    model: FakeLanguageModel | None = None,
    *extracted: str,
    found: Evidence | Exception = EVIDENCE,
    deadline_s: float = math.inf,
    analyser: LanguageAnalyser | None = None,
    condenser: Condenser | None = None,
) -> Answerer:
    prompt = load_prompt("answer")
    generation = Generation(model, prompt, 1000, 100, deadline_s) if model else None
    seconds = itertools.count(step=0.25)
    return Answerer(
        ScriptedRetriever(found),
        ScriptedExtractor(*extracted),
        analyser or FakeAnalyser(),
        condenser or Condenser(FakeAnalyser()),
        generation,
        clock=lambda: next(seconds),
    )


async def events_of(one: Answerer, question: Question = QUESTION) -> list[AnswerEvent]:
    return [event async for event in one.answer(question)]


async def answer_of(one: Answerer, question: Question = QUESTION) -> Answer:
    """The answer, after checks of what holds for the events of every answer."""
    events = await events_of(one, question)
    started, found, *sentences, finished = events
    assert isinstance(started, Started)
    assert isinstance(found, PassagesFound)
    assert isinstance(finished, Finished)
    answer = finished.answer
    assert all(isinstance(event, SentenceReady) for event in sentences)
    ready = [event for event in sentences if isinstance(event, SentenceReady)]
    assert tuple(event.sentence for event in ready) == answer.sentences, "nothing is taken back"
    assert tuple(c for event in ready for c in event.new_citations) == answer.citations
    assert [event.index for event in ready] == list(range(len(ready)))
    assert (started.id, started.question) == (answer.id, answer.question)
    assert (answer.status == "answered") is bool(ready)
    for sentence in answer.sentences:
        assert answer.text[sentence.start : sentence.end] == sentence.text
    return answer


def texts(answer: Answer) -> list[str]:
    return [sentence.text for sentence in answer.sentences]


async def test_an_llm_that_is_down_leaves_the_articles_own_sentences(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = await answer_of(answerer(FakeLanguageModel(DOWN), COST))
    assert texts(answer) == [COST]
    assert answer.fallback == "llm_unavailable"
    assert (answer.model, answer.prompt, answer.usage) == ("extractive", None, Usage())
    assert caplog.record_tuples == [("rag.answering", logging.WARNING, str(DOWN))]


async def test_an_llm_that_is_down_over_articles_that_do_not_say() -> None:
    answer = await answer_of(answerer(FakeLanguageModel(DOWN)))
    assert (answer.status, answer.fallback) == ("abstained", "llm_unavailable")
    assert (answer.model, answer.prompt) == ("extractive", None)


async def test_what_was_sent_stays_when_the_llm_breaks_off() -> None:
    model = FakeLanguageModel(f"{COST} [A1]\n", "The old ferry", DOWN)
    one = answerer(model, OPENED)
    answer = await answer_of(one)
    assert texts(answer) == [COST]
    assert answer.fallback == "llm_unavailable"
    assert (answer.model, answer.prompt) == ("fake-llm", load_prompt("answer").version)
    assert model.closed == 1


async def test_an_llm_that_breaks_off_before_a_whole_sentence_falls_back() -> None:
    answer = await answer_of(answerer(FakeLanguageModel("The bridge cost 84", DOWN), FERRY))
    assert texts(answer) == [FERRY]
    assert answer.fallback == "llm_unavailable"


async def test_an_llm_whose_every_sentence_is_withheld_falls_back() -> None:
    model = FakeLanguageModel("The bridge cost 99 million. [A1] Portugal won. [A2]", Usage(9, 5))
    answer = await answer_of(answerer(model, COST))
    assert texts(answer) == [COST]
    assert (answer.fallback, answer.withheld) == ("llm_unsupported", 2)
    assert (answer.model, answer.prompt) == ("extractive", None)
    assert answer.usage == Usage(9, 5), "it was paid for all the same"


async def test_everything_withheld_and_nothing_extracted_abstains() -> None:
    answer = await answer_of(answerer(FakeLanguageModel("Portugal won the cup. [A1]")))
    assert (answer.status, answer.text) == ("abstained", ABSTENTION)
    assert (answer.fallback, answer.withheld) == ("llm_unsupported", 1)
    assert answer.model == "extractive"
    assert answer.nearest == EVIDENCE.passages


async def test_a_label_of_joined_passages_cites_whichever_of_them_says_it() -> None:
    copy = Article("a3", f"{COST}\n")
    opened, cost = (ARTICLE.text.index(text) for text in (OPENED, COST))
    passages = (
        passage(1, copy),
        Passage(2, 0.5, "a1", "chk_2", OPENED, opened, opened + len(OPENED)),
        Passage(3, 0.5, "a1", "chk_3", COST, cost, cost + len(COST)),
    )
    found = Evidence(passages, {"a1": ARTICLE, "a3": copy})
    answer = await answer_of(answerer(FakeLanguageModel(f"{COST} [A2]"), found=found))
    assert [citation.chunk_id for citation in answer.citations] == ["chk_3"]


async def test_a_refusal_that_the_articles_contradict_is_overruled() -> None:
    answer = await answer_of(answerer(FakeLanguageModel("NOT_IN_", "ARTICLES"), COST))
    assert texts(answer) == [COST]
    assert (answer.fallback, answer.model) == ("llm_refused", "extractive")


async def test_a_refusal_that_the_articles_confirm_is_the_llm_s_answer() -> None:
    answer = await answer_of(answerer(FakeLanguageModel("NOT_IN_ARTICLES", Usage(9, 3))))
    assert (answer.status, answer.text, answer.withheld) == ("abstained", ABSTENTION, 0)
    assert answer.fallback is None
    assert (answer.model, answer.prompt) == ("fake-llm", load_prompt("answer").version)
    assert answer.usage == Usage(9, 3)


async def test_an_unsupported_sentence_among_others_is_withheld() -> None:
    reply = f"{OPENED} [A1] The mayor resigned in tears. [A1] {FERRY} [A1]"
    answer = await answer_of(answerer(FakeLanguageModel(reply)))
    assert texts(answer) == [OPENED, FERRY]
    assert (answer.withheld, answer.fallback) == (1, None)


async def test_a_sentence_without_its_end_is_withheld() -> None:
    answer = await answer_of(answerer(FakeLanguageModel(f"{COST} [A1]\nThe old ferry will stop")))
    assert texts(answer) == [COST]
    assert answer.withheld == 1


async def test_a_forged_label_cites_what_does_support_the_sentence_or_nothing() -> None:
    answer = await answer_of(answerer(FakeLanguageModel(f"{COST} [A7] Portugal won. [A7]")))
    assert texts(answer) == [COST]
    assert [c.quote for c in answer.citations] == [COST]
    assert answer.withheld == 1


async def test_a_model_that_goes_round_in_circles_is_cut_off() -> None:
    model = FakeLanguageModel(*[f"{COST} [A1]\n"] * 500)
    answer = await answer_of(answerer(model))
    assert texts(answer) == [COST]
    assert model.said < 20
    assert model.closed == 1


async def test_a_reply_longer_than_any_answer_may_be_is_cut() -> None:
    article = Article("a1", "".join(f"Item {n} is one more line of it.\n" for n in range(100)))
    found = Evidence((passage(1, article),), {"a1": article})
    model = FakeLanguageModel("".join(f"{line} [A1]\n" for line in article.text.splitlines()))
    answer = await answer_of(answerer(model, found=found))
    assert answer.status == "answered"
    assert 380 < sum(len(text.split()) for text in texts(answer)) <= 400


async def test_an_abandoned_answer_closes_the_llm_s_stream() -> None:
    model = FakeLanguageModel(f"{COST} [A1]\n", f"{OPENED} [A1]\n", f"{FERRY} [A1]\n")
    events = answerer(model).answer(QUESTION)
    async for event in events:
        if isinstance(event, SentenceReady):
            break
    assert model.closed == 0
    await events.aclose()
    assert model.closed == 1
    assert model.said < 3


async def test_a_failing_library_fails_the_answer_after_its_start() -> None:
    events = answerer(found=LibraryError("the disk is gone")).answer(QUESTION)
    assert isinstance(await anext(events), Started)
    with pytest.raises(LibraryError, match="the disk is gone"):
        await anext(events)


async def test_nothing_found_abstains_without_asking_the_llm() -> None:
    model = FakeLanguageModel("Portugal won. [A1]")
    answer = await answer_of(answerer(model, found=Evidence((), {})))
    assert (answer.status, answer.nearest, answer.fallback) == ("abstained", (), None)
    assert (answer.model, model.asked) == ("extractive", [])


async def test_an_abstention_shows_at_most_three_passages() -> None:
    many = Evidence(tuple(passage(rank, ARTICLE) for rank in range(1, 8)), {"a1": ARTICLE})
    answer = await answer_of(answerer(found=many))
    assert [p.rank for p in answer.nearest] == [1, 2, 3]
    assert (answer.sentences, answer.citations, answer.text) == ((), (), ABSTENTION)


async def test_an_extracted_sentence_is_verified_like_any_other() -> None:
    answer = await answer_of(answerer(None, COST, "The mayor resigned in tears."))
    assert texts(answer) == [COST]
    assert answer.withheld == 1


async def test_the_keyless_answer() -> None:
    answer = await answer_of(answerer(None, COST, FERRY))
    assert answer.text == f"{COST} [1] {FERRY} [2]"
    assert [c.quote for c in answer.citations] == [COST, FERRY]
    assert [ARTICLE.text[c.start : c.end] for c in answer.citations] == [COST, FERRY]
    assert [sentence.support for sentence in answer.sentences] == ["exact", "exact"]
    assert (answer.model, answer.prompt, answer.fallback) == ("extractive", None, None)
    assert (answer.nearest, answer.withheld, answer.usage) == ((), 0, Usage())
    assert answer.understood == EVIDENCE.understood
    assert answer.standalone_question == answer.question == QUESTION.text


async def test_a_keyless_answer_is_short() -> None:
    lines = [f"Item {n} is one more line of it." for n in range(50)]
    article = Article("a1", "\n".join(lines))
    answer = await answer_of(
        answerer(None, *lines, found=Evidence((passage(1, article),), {"a1": article}))
    )
    assert 100 < sum(len(text.split()) for text in texts(answer)) <= 120


async def test_the_llm_s_answer() -> None:
    reply = [f"{COST[:9]}", f"{COST[9:]} [", "A1] The ferry will stop", " in June. [A1]"]
    model = FakeLanguageModel(*reply, Usage(120, 12))
    one = answerer(model, OPENED)
    answer = await answer_of(one)
    assert texts(answer) == [COST, "The ferry will stop in June."]
    assert [sentence.support for sentence in answer.sentences] == ["exact", "supported"]
    assert [c.quote for c in answer.citations] == [COST, FERRY]
    assert (answer.model, answer.prompt) == ("fake-llm", load_prompt("answer").version)
    assert (answer.usage, answer.fallback) == (Usage(120, 12), None)
    (messages,) = model.asked
    assert messages[0][0] == "system"
    assert QUESTION.text in messages[-1][1]
    assert COST in messages[-1][1]


async def test_a_sentence_is_shown_while_the_llm_still_writes() -> None:
    model = FakeLanguageModel(f"{COST} [A1]\n", "The old ferry ", "will stop in June. [A1]")
    async for event in answerer(model).answer(QUESTION):
        if isinstance(event, SentenceReady):
            said = model.said
            break
    assert said < 3


async def test_the_passages_are_read_while_the_llm_writes() -> None:
    asked = threading.Event()

    class Model(FakeLanguageModel):
        async def stream(
            self, messages: Sequence[tuple[str, str]], max_tokens: int
        ) -> AsyncGenerator[str | Usage]:
            asked.set()
            async for piece in super().stream(messages, max_tokens):
                yield piece

    class Reader(FakeAnalyser):
        def analyse(self, texts: Sequence[str]) -> list[Analysis]:
            assert asked.wait(10), "the LLM is not asked before all is read"
            return super().analyse(texts)

    answer = await answer_of(answerer(Model(f"{COST} [A1]"), analyser=Reader()))
    assert answer.model == "fake-llm"


async def test_time_is_told_in_milliseconds() -> None:
    answer = await answer_of(answerer(None, COST))  # the clock strikes every 250 ms
    assert answer.timings_ms.retrieve == 250
    assert answer.timings_ms.generate == 250
    assert answer.timings_ms.total == 500


async def test_each_answer_has_an_id_of_its_own() -> None:
    one = answerer(None, COST)
    first, second = [await answer_of(one) for _ in range(2)]
    assert first.id != second.id
    assert first.id.startswith("ans_")


async def test_as_many_passages_are_retrieved_as_an_answer_may_rest_on() -> None:
    retriever = ScriptedRetriever()
    one = Answerer(retriever, ScriptedExtractor(COST), FakeAnalyser(), Condenser(FakeAnalyser()))
    await answer_of(one)
    assert retriever.asked == [(QUESTION, PASSAGES, PASSAGE_TOKENS)]


def test_warming_up_uses_what_an_answer_uses() -> None:
    retriever, extractor, analyser = ScriptedRetriever(), ScriptedExtractor(), FakeAnalyser()
    model = FakeLanguageModel("")
    generation = Generation(model, load_prompt("answer"), 1000, 100)
    Answerer(retriever, extractor, analyser, Condenser(analyser), generation).warm_up()
    assert extractor.asked
    assert analyser.analysed
    assert not model.asked, "that may cost money"


@pytest.mark.parametrize(
    ("confidence", "searched", "status"),
    [
        (0.005, 3, "abstained"),
        (0.1, 3, "answered"),
        (0.1, 1_000, "abstained"),
        (0.5, 1_000_000, "answered"),
    ],
)
async def test_a_question_on_something_else_is_refused_the_sooner_the_more_there_is(
    confidence: float, searched: int, status: str
) -> None:
    found = replace(EVIDENCE, confidence=confidence, searched=searched)
    answer = await answer_of(answerer(None, COST, found=found))
    assert answer.status == status


@pytest.mark.parametrize(("confidence", "asked"), [(0.1, 0), (0.3, 1)])
async def test_an_llm_is_asked_in_doubt_but_not_about_something_else(
    confidence: float, asked: int
) -> None:
    model = FakeLanguageModel(f"{OPENED} [A1]")
    found = replace(EVIDENCE, confidence=confidence, searched=1_000_000)
    answer = await answer_of(answerer(model, COST, found=found))
    assert len(model.asked) == asked
    assert answer.status == ("answered" if asked else "abstained")
    assert answer.fallback is None


async def test_an_llm_that_says_nothing_is_stopped_in_time_for_the_articles_own_sentences() -> None:
    model = FakeLanguageModel(asyncio.Event(), f"{OPENED} [A1]")
    answer = await asyncio.wait_for(answer_of(answerer(model, COST, deadline_s=0)), 5)
    assert [s.text for s in answer.sentences] == [COST]
    assert (answer.fallback, answer.model) == ("llm_unavailable", "extractive")
    assert (model.said, model.closed) == (0, 1)


async def test_what_was_verified_stands_when_the_llm_is_stopped() -> None:
    model = FakeLanguageModel(f"{OPENED} [A1]\n", "The old", asyncio.Event(), " ferry")
    answer = await asyncio.wait_for(answer_of(answerer(model, COST, deadline_s=0)), 5)
    assert [s.text for s in answer.sentences] == [OPENED]
    assert (answer.fallback, answer.model) == ("llm_unavailable", "fake-llm")
    assert model.closed == 1


IN_CONVERSATION = Question(
    "what about it?", (Turn("user", "What is old?"), Turn("assistant", "A."))
)


async def test_all_that_answers_sees_the_question_that_stands_alone_and_no_history() -> None:
    alone = "What about what is old?"
    retriever, extractor = ScriptedRetriever(), ScriptedExtractor(COST)
    rewriting = Rewriting(FakeLanguageModel(alone, Usage(7, 2)), load_prompt("condense"))
    model = FakeLanguageModel(f"{OPENED} [A1]", Usage(100, 20))
    one = Answerer(
        retriever,
        extractor,
        FakeAnalyser(),
        Condenser(FakeAnalyser(), rewriting),
        Generation(model, load_prompt("answer"), 1000, 100),
    )
    started, *_ = await events_of(one, IN_CONVERSATION)
    answer = await answer_of(one, IN_CONVERSATION)
    assert isinstance(started, Started)
    assert (started.question, answer.question) == ("what about it?", "what about it?")
    assert answer.standalone_question == alone
    assert {(asked.text, asked.history) for asked, *_ in retriever.asked} == {(alone, ())}
    assert f"Question: {alone}" in model.asked[0][-1][1]
    assert "What is old?" not in str(model.asked)
    assert answer.usage == Usage(107, 22)
    assert (await one.search(IN_CONVERSATION, 3)) == EVIDENCE
    assert retriever.asked[-1][0].text == alone


DAM = "The dam of Orvel burst on Monday and flooded the town."
TWELVE = "Twelve people were killed in Orvel."
NINETEEN = "The number of people killed in Orvel rose to 19."


@pytest.mark.parametrize("llm", [True, False])
async def test_both_sides_of_a_change_are_said(llm: bool, analyser: SpacyAnalyser) -> None:
    told = (("a1", "Daily", "2031-03-04", TWELVE), ("a2", "Post", "2031-03-06", NINETEEN))
    articles = {
        id_: Article(id_, f"{DAM}\n{text}\n", None, "Flood in Orvel", outlet, published_at=day)
        for id_, outlet, day, text in told
    }
    passages = (passage(n, article) for n, article in enumerate(articles.values(), start=1))
    model = FakeLanguageModel("Twelve people were killed in Orvel. [S1]") if llm else None
    answer = await answer_of(
        answerer(model, TWELVE, found=Evidence(tuple(passages), articles), analyser=analyser)
    )
    assert texts(answer) == [TWELVE, NINETEEN]
    assert answer.conflicts == (Conflict("changed", ((1,), (2,))),)
    assert answer.model == ("fake-llm" if llm else "extractive")


@pytest.mark.parametrize("reply", ["", " \n\n", "[A1]", "...", "```\n```"])
async def test_an_empty_reply_leaves_the_articles_own_sentences(reply: str) -> None:
    answer = await answer_of(answerer(FakeLanguageModel(reply, Usage(9, 1)), COST))
    assert texts(answer) == [COST]
    assert (answer.fallback, answer.withheld) == ("llm_unsupported", 0)


@pytest.mark.parametrize("endless", ["and so on ", "word", "Item {n} is no news. [A1] "])
async def test_an_endless_reply_is_read_no_further_than_it_may_be_long(endless: str) -> None:
    pieces = [endless.replace("{n}", str(n)) for n in range(20_000)]
    model = FakeLanguageModel(f"{OPENED} [A1]\n", *pieces)
    answer = await answer_of(answerer(model, COST))
    assert texts(answer) == [OPENED]
    assert answer.withheld
    assert model.said < 2000
    assert model.closed == 1


@pytest.mark.parametrize(
    "reply",
    [
        "Die Brücke hat 84 Millionen Kronen gekostet. [A1]",
        "Le pont a coûté 84 millions de couronnes. [A1]",
        "पुल की लागत 84 मिलियन क्राउन थी। [A1]",
        "这座桥耗资8400万克朗。[A1]",
    ],
)
@pytest.mark.parametrize("true_grammar", [False, True])
async def test_a_reply_in_a_language_that_the_articles_lack_is_withheld(
    reply: str, true_grammar: bool, analyser: SpacyAnalyser
) -> None:
    chosen = analyser if true_grammar else None
    answer = await answer_of(answerer(FakeLanguageModel(reply), COST, analyser=chosen))
    assert texts(answer) == [COST]
    assert (answer.fallback, answer.withheld) == ("llm_unsupported", 1)
