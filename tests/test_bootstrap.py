import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import aclosing, closing
from dataclasses import replace
from pathlib import Path

import pytest

from rag.bootstrap import Parts, open_service
from rag.errors import (
    LibraryError,
    LibraryInUseError,
    ModelMismatchError,
    NotFoundError,
    SettingsError,
)
from rag.library import SqliteLibrary
from rag.service import Service
from rag.settings import Settings
from rag.types import Answer, Article, Finished, Question, Started
from tests.fakes import FakeAnalyser, FakeEmbedder, FakeLanguageModel
from tests.scripted_llm import Reply, ScriptedLLM
from tests.wired import warmed_up

COST = "The harbour bridge cost 84 million crowns in all."
ARTICLE = Article("bridge", f"{COST}\nRain fell on the market.\n", title="Bridge opens")
QUESTION = Question("What did the harbour bridge cost in all?")
FAKES = Parts(embedder=FakeEmbedder(), analyser=FakeAnalyser())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, data_dir=tmp_path / "data", llm_model=None, chroma_url=None)


@pytest.fixture
async def service(settings: Settings) -> AsyncIterator[Service]:
    async with open_service(settings, FAKES) as opened:
        yield opened


async def answer_of(service: Service, question: Question = QUESTION) -> Answer:
    *_, last = [event async for event in service.answer(question)]
    assert isinstance(last, Finished)
    return last.answer


async def test_a_directory_that_is_held_is_refused(settings: Settings, service: Service) -> None:
    with pytest.raises(LibraryInUseError, match="is open already"):
        async with open_service(settings, FAKES):
            pass


async def test_a_service_that_cannot_be_opened_lets_go(settings: Settings) -> None:
    broken = settings.model_copy(update={"chroma_url": "ftp://nowhere"})
    for _ in range(2):
        with pytest.raises(SettingsError, match="DATELINE_CHROMA_URL"):
            async with open_service(broken, FAKES):
                pass
    (settings.data_dir / "library.db").write_bytes(b"this is no database " * 100)
    for _ in range(2):
        with pytest.raises(LibraryError, match=r"library\.db"):
            async with open_service(settings, FAKES):
                pass
    (settings.data_dir / "library.db").unlink()
    async with open_service(settings, FAKES) as service:
        assert await service.article_page(None, 10) == ([], None)


async def test_what_fails_inside_closes_the_service_in_order(settings: Settings) -> None:
    opened: list[Service] = []

    async def fail_inside() -> None:
        async with open_service(settings, FAKES) as service:
            opened.append(service)
            await service.put_article(ARTICLE)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_inside()
    with pytest.raises(LibraryError, match="closed"):
        await opened[0].article("bridge")
    library = SqliteLibrary(settings.data_dir / "library.db")
    assert json.loads(library.meta("index") or "")["closed"] is True
    library.close()
    async with open_service(settings, FAKES) as service:
        assert await service.article("bridge") == ARTICLE
        assert (await service.readiness())["index"] == "ok"


async def test_an_unknown_article_is_told_with_where_to_look(service: Service) -> None:
    for call in (service.article("nope"), service.delete_article("nope")):
        with pytest.raises(NotFoundError, match=r"'nope'.*dateline articles list"):
            await call


async def test_articles_of_another_model_are_told_and_reindexed(settings: Settings) -> None:
    async with open_service(settings, FAKES) as service:
        await service.put_article(ARTICLE)
    other = Parts(embedder=FakeEmbedder("other"), analyser=FakeAnalyser())
    async with open_service(settings, other) as service:
        with pytest.raises(ModelMismatchError, match="dateline reindex"):
            await answer_of(service)
        assert (await service.readiness())["library"].startswith("down: ")
        await service.reindex()
        assert (await service.readiness())["library"] == "ok: 1 articles, 1 chunks"
        assert await service.counts() == (1, 1)
        assert (await answer_of(service)).status == "answered"


async def test_a_model_changes_under_running_queries_without_mixing(settings: Settings) -> None:
    """Until all is embedded by the new model a query is refused; then it is answered by it."""
    words = "harbour bridge crowns market rain ferry north school".split()
    articles = [
        Article(f"a{n}", " ".join(words[(n * k) % 8] for k in range(1, 7)) + f" {n}.\n")
        for n in range(120)
    ]
    async with open_service(settings, FAKES) as service:
        for article in articles:
            await service.put_article(article)
    other = replace(FAKES, embedder=FakeEmbedder("other"))
    asked = Question("Which bridge of the north has crowns?")
    seen: list[tuple[str, ...] | None] = []

    async def found(service: Service) -> tuple[str, ...] | None:
        try:
            rankings = await service.rankings(asked, 10)
            searched = await service.search(asked, 10)
        except ModelMismatchError:
            return None
        passages = (*rankings["dense"], *searched.passages)
        return tuple(passage.chunk_id for passage in passages)

    async def ask(service: Service) -> None:
        while len(seen) < 400 and not done.is_set():
            seen.append(await found(service))

    async with open_service(settings, other) as service:
        done = asyncio.Event()
        askers = [asyncio.create_task(ask(service)) for _ in range(3)]
        assert await found(service) is None
        await service.reindex()
        seen.append(await found(service))
        done.set()
        await asyncio.gather(*askers)
        expected = await found(service)
    assert expected
    assert set(seen) == {None, expected}


async def test_a_model_that_cannot_be_loaded_is_not_ready(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    broken = Parts(embedder=FakeEmbedder(refused="Rain"), analyser=FakeAnalyser())
    async with open_service(settings, broken) as service:
        warmed_up(service)
        assert (await service.readiness())["models"] == "down: refused: Rain"
    assert "refused: Rain" in caplog.messages


async def test_warming_up_is_told_and_repairs_the_index(settings: Settings) -> None:
    async with open_service(settings, FAKES) as service:
        await service.put_article(ARTICLE)
    (damaged,) = (settings.data_dir / "index").iterdir()
    for file in damaged.rglob("*.*"):
        file.unlink()
    embedder = FakeEmbedder()
    async with open_service(settings, replace(FAKES, embedder=embedder)) as service:
        assert (await service.readiness())["models"] == "ok: loaded when first used"
        warmed_up(service)
        assert embedder.encoded, "as an answer would"
        async with asyncio.timeout(30):
            while damaged in (settings.data_dir / "index").iterdir():  # until it is built anew
                await asyncio.sleep(0.01)
        assert await service.readiness() == {
            "library": "ok: 1 articles, 1 chunks",
            "index": "ok",
            "models": "ok",
            "answerer": "ok: extractive",
        }
        assert (await service.search(QUESTION, 1)).path == "index"


async def test_an_empty_library_is_ready_and_abstains(service: Service) -> None:
    warmed_up(service)
    parts = await service.readiness()
    assert {part.partition(":")[0] for part in parts.values()} == {"ok"}
    answer = await answer_of(service)
    assert (answer.status, answer.nearest) == ("abstained", ())


async def test_from_a_file_to_a_cited_answer(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "bridge.txt"
    file.write_text(ARTICLE.text)
    report = await service.ingest([file])
    assert (report.added, report.chunks, report.failed) == (1, 1, ())
    ((article_id, source),) = (await service.sources()).items()
    assert source == str(file)
    answer = await answer_of(service)
    (citation,) = answer.citations
    stored = await service.article(article_id)
    assert stored.text[citation.start : citation.end] == citation.quote == COST
    assert (await service.search(QUESTION, 1)).passages[0].article_id == article_id
    file.unlink()
    assert (await service.ingest([tmp_path], prune=True)).pruned == 1
    assert await service.sources() == {}


async def test_an_article_is_put_replaced_and_deleted(service: Service) -> None:
    changed = replace(ARTICLE, text="Nothing is known of the cost.\n")
    outcomes = [await service.put_article(one) for one in (ARTICLE, ARTICLE, changed)]
    assert outcomes == ["added", "unchanged", "replaced"]
    assert (await service.article("bridge")).text == changed.text
    await service.delete_article("bridge")
    assert await service.article_page(None, 10) == ([], None)
    assert (await service.search(QUESTION, 5)).passages == ()


# Answers that were given


async def test_an_answer_that_cannot_be_stored_goes_out_all_the_same(
    settings: Settings, service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    await service.put_article(ARTICLE)
    with closing(sqlite3.connect(settings.data_dir / "library.db")) as db:
        db.execute("DROP TABLE answers")
    answer = await answer_of(service)
    assert answer.status == "answered"
    (told,) = caplog.messages
    assert answer.id in told
    assert QUESTION.text not in told


async def test_an_unknown_answer_is_told(service: Service) -> None:
    for call in (service.stored_answer("x"), service.add_feedback("x", "up", None, None)):
        with pytest.raises(NotFoundError, match="no answer has the id 'x'"):
            await call


async def test_an_answer_is_stored_before_it_is_handed_on(service: Service) -> None:
    await service.put_article(ARTICLE)
    ids = []
    async for event in service.answer(QUESTION):
        if isinstance(event, Started):
            ids.append(event.id)
        if isinstance(event, Finished):
            assert await service.stored_answer(event.answer.id) == event.answer
            ids.append(event.answer.id)
        else:
            with pytest.raises(NotFoundError):
                await service.stored_answer(ids[0])
    assert ids[0] == ids[1]
    abstained = await answer_of(service, Question("Who won the chess championship in Oslo?"))
    assert abstained.status == "abstained"
    assert await service.stored_answer(abstained.id) == abstained


async def test_an_answer_that_is_left_half_way_is_not_stored(
    settings: Settings, service: Service
) -> None:
    await service.put_article(ARTICLE)
    async with aclosing(service.answer(QUESTION)) as events:
        started = await anext(events)
    with pytest.raises(NotFoundError):
        await service.stored_answer(started.id)


async def test_an_answer_goes_with_the_article_that_it_cites(service: Service) -> None:
    for change in (
        service.delete_article("bridge"),
        service.put_article(replace(ARTICLE, text=f"Correction.\n{ARTICLE.text}")),
    ):
        await service.put_article(ARTICLE)
        answer = await answer_of(service)
        assert answer.citations
        await service.add_feedback(answer.id, "down", None, "No.")
        assert await service.put_article(replace(ARTICLE, title="New")) == "replaced"
        assert await service.stored_answer(answer.id) == answer
        await change
        with pytest.raises(NotFoundError):
            await service.stored_answer(answer.id)
    feedback, after = await service.feedback_page(None, 9)
    assert [(one.note, one.question) for one in feedback] == [("No.", None)] * 2
    assert after is None


async def test_a_pruned_article_takes_its_answers_along(service: Service, tmp_path: Path) -> None:
    file = tmp_path / "news" / "bridge.txt"
    file.parent.mkdir()
    file.write_text(ARTICLE.text)
    await service.ingest([file.parent])
    answer = await answer_of(service)
    await service.ingest([file.parent])  # unchanged
    assert await service.stored_answer(answer.id) == answer
    file.unlink()
    await service.ingest([file.parent], prune=True)
    with pytest.raises(NotFoundError):
        await service.stored_answer(answer.id)


async def test_what_is_not_to_be_kept_is_not(settings: Settings) -> None:
    async with open_service(settings, FAKES) as service:
        await service.put_article(ARTICLE)
        kept = await answer_of(service)
        *_, last = [event async for event in service.answer(QUESTION, keep=False)]
        with pytest.raises(NotFoundError):
            await service.stored_answer(last.answer.id)
    async with open_service(settings, FAKES) as service:
        assert await service.stored_answer(kept.id) == kept
    none = settings.model_copy(update={"answer_retention_days": 0})
    async with open_service(none, FAKES) as service:
        answer = await answer_of(service)
        with pytest.raises(NotFoundError, match="0 days"):
            await service.stored_answer(answer.id)
    async with open_service(settings, FAKES) as service:  # opened with 0 days, all were deleted
        with pytest.raises(NotFoundError):
            await service.stored_answer(kept.id)


async def test_limits_come_from_the_settings(settings: Settings, tmp_path: Path) -> None:
    (tmp_path / "long.txt").write_text("Rain. " * 20)
    tight = settings.model_copy(update={"max_article_chars": 100})
    async with open_service(tight, FAKES) as service:
        report = await service.ingest([tmp_path / "long.txt"])
        assert "DATELINE_MAX_ARTICLE_CHARS" in report.failed[0].reason


async def test_a_model_s_name_turns_the_llm_path_on(settings: Settings) -> None:
    parts = replace(FAKES, model=FakeLanguageModel(f"{COST} [A1]"))
    named = settings.model_copy(update={"llm_model": "fake-llm"})
    async with open_service(named, parts) as service:
        await service.put_article(ARTICLE)
        answer = await answer_of(service)
        assert (answer.model, answer.text) == ("fake-llm", f"{COST} [1]")
        assert (await service.readiness())["answerer"] == "ok: fake-llm"


@pytest.mark.slow
async def test_the_llm_is_asked_as_the_settings_say(tmp_path: Path) -> None:
    with ScriptedLLM([Reply(f"{COST} [A1]")]) as llm:
        settings = Settings(
            _env_file=None,
            data_dir=tmp_path / "data",
            llm_base_url=llm.base_url,
            llm_api_key="sk-test",
            llm_model="some-model",
            answer_tokens=77,
        )
        async with open_service(settings, FAKES) as service:
            await service.put_article(ARTICLE)
            assert (await answer_of(service)).model == "some-model"
        (request,) = llm.requests
        assert request.headers["authorization"] == "Bearer sk-test"
        assert (request.body["model"], request.body["max_tokens"]) == ("some-model", 77)


def test_importing_opens_and_loads_nothing(tmp_path: Path) -> None:
    code = (
        "import sys, rag.bootstrap\n"
        "heavy = {'torch', 'sentence_transformers', 'chromadb', 'spacy', 'openai'}\n"
        "print(*heavy & sys.modules.keys())\n"
    )
    root = Path(__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(root)},
        check=True,
    )
    assert done.stdout == "\n"
    assert list(tmp_path.iterdir()) == []
