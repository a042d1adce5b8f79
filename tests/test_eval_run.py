import json
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from evals.baselines import BaselineError
from evals.cases import GoldError
from evals.results import RunError
from evals.run import EvalOptions, compare_saved, evaluate
from rag.errors import DatelineError, LanguageModelError
from rag.settings import Settings
from rag.types import Article, Usage
from tests.fakes import ServiceHouse, quotation

RAIN = Article("rain", "Rain fell on Monday. Streets were flooded.")
FIRE = Article("fire", "The mill burned down. Nobody was hurt.")
BURNED = "what burned down?"
QUESTIONS = [
    {
        "id": "q1",
        "question": BURNED,
        "answers": ["the mill"],
        "evidence": [{"article": "fire", "quote": "The mill burned down."}],
        "answerable": True,
        "category": "fact",
    },
    {
        "id": "q2",
        "question": "when did rain fall?",
        "answers": ["Monday"],
        "evidence": [{"article": "rain"}],
        "answerable": True,
        "category": "fact",
        "as_of": "2030-05-01",
    },
    {
        "id": "q4",
        "question": "who won?",
        "answers": [],
        "evidence": [],
        "answerable": False,
        "category": "off_topic",
    },
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "weather"
    path.mkdir()
    lines(path / "articles.jsonl", [{"id": a.id, "text": a.text} for a in (RAIN, FIRE)])
    lines(path / "questions.jsonl", QUESTIONS)
    return path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(
        _env_file=None,
        data_dir=tmp_path / "data",
        llm_api_key="sk-secret",
        llm_base_url="https://ann:pass@llm.example/v1?token=abc",
        chroma_url="http://chroma.example",
    )


def lines(path: Path, values: list[dict]) -> Path:
    path.write_text("\n".join(json.dumps(value) for value in values))
    return path


def house(**more: object) -> ServiceHouse:
    return ServiceHouse({BURNED: quotation(BURNED, FIRE, "The mill burned down."), **more})


async def run(name: object, settings: Settings, opener: ServiceHouse, **options: object) -> dict:
    """Evaluates one data set, and reads the saved run; its exit status is under "status"."""
    out = settings.data_dir.parent / "run.json"
    status = await evaluate([str(name)], EvalOptions(out=out, **options), settings, None, opener)
    return json.loads(out.read_text()) | {"status": status}


def scores(saved: dict) -> dict[str, dict[str, float]]:
    return {result["case"]["id"]: result["scores"] for result in saved["results"]}


async def test_an_error_is_that_questions_result_and_the_others_are_asked(folder, settings, capsys):
    opener = house(**{"when did rain fall?": LanguageModelError("timed out")})

    saved = await run(folder, settings, opener)

    assert saved["status"] == 1
    assert [r["error"] for r in saved["results"]] == [None, "LanguageModelError: timed out", None]
    assert scores(saved)["q2"]["containment"] == 0
    assert scores(saved)["q2"]["hits@4"] == 1
    assert "answer_ms" not in scores(saved)["q2"]
    assert "failed: q2: LanguageModelError: timed out" in capsys.readouterr().out


async def test_what_cannot_be_asked_is_refused_before_anything_is_saved(folder, settings):
    opener, broken = house(), QUESTIONS[0] | {"evidence": [{"article": "flood"}]}
    lines(folder / "questions.jsonl", [broken])
    with pytest.raises(GoldError, match=r"1 evidence articles are not in .*articles\.jsonl: flood"):
        await run(folder, settings, opener)

    broken["evidence"] = [{"article": "fire", "quote": "The mill burnt down."}]
    lines(folder / "questions.jsonl", [broken])
    with pytest.raises(GoldError, match=r"question q1: 'The mill burnt down\.' is not in fire"):
        await run(folder, settings, opener)

    with pytest.raises(GoldError, match="--limit 0"):
        await run(folder, settings, opener, limit=0)
    options = EvalOptions(out=Path("x.json"))
    with pytest.raises(GoldError, match="several data sets or prompts need a folder"):
        await evaluate([str(folder)] * 2, options, settings, None, opener)
    with pytest.raises(DatelineError, match="name the articles with --articles"):
        await run(folder, settings, opener, articles=folder / "nothing")
    assert not (settings.data_dir.parent / "run.json").exists()


async def test_a_broken_promise_is_saved_and_printed(folder, settings, capsys):
    good = quotation(BURNED, FIRE, "The mill burned down.")
    forged = replace(good, citations=(replace(good.citations[0], start=4),))

    saved = await run(folder, settings, house(**{BURNED: forged}))

    assert saved["metrics"]["all"]["quotation_validity"]["value"] == 0
    assert saved["metrics"]["all"]["promises_kept"]["value"] == pytest.approx(2 / 3)
    assert "broken promise: q1: citation 1: its offsets" in capsys.readouterr().out


async def test_every_metric_has_the_questions_that_it_applies_to(folder, settings):
    saved = await run(folder, settings, house())

    assert saved["status"] == 0
    found = {name: (e["value"], e["n"]) for name, e in saved["metrics"]["all"].items()}
    assert found["containment"] == (0.5, 2)
    assert found["wrong_refusal"] == (0.5, 2)
    assert found["abstention_recall"] == (1, 1)
    assert found["abstention_precision"] == (0.5, 2)
    assert found["citation_precision"] == (1, 1)
    assert found["citation_recall"] == (0.5, 2)
    assert found["quotation_validity"] == (1, 1)
    assert found["hits@4"] == (1, 2)
    assert found["mrr@10"] == (0.75, 2)  # "fire" comes first, "rain" second
    assert found["search_ms_p95"][1] == found["answer_ms_p50"][1] == 3
    # the hash puts q4, which is unanswerable, into the half to report, q1 and q2 into the other
    assert saved["metrics"]["report"]["abstention_recall"]["n"] == 1
    assert "abstention_recall" not in saved["metrics"]["tune"]
    assert saved["metrics"]["tune"]["containment"] == saved["metrics"]["all"]["containment"]


async def test_refusing_everything_is_precise_only_as_far_as_it_is_right(folder, settings):
    found = (await run(folder, settings, ServiceHouse()))["metrics"]["all"]

    assert found["abstention_precision"]["value"] == pytest.approx(1 / 3)
    assert found["abstention_recall"]["value"] == found["wrong_refusal"]["value"] == 1
    assert found["containment"]["value"] == found["citation_recall"]["value"] == 0
    assert "citation_precision" not in found


async def test_the_first_question_warms_up_and_each_keeps_its_day(folder, settings):
    opener = house()
    await run(folder, settings, opener)

    (service,) = opener.services.values()
    assert [question.text for question in service.asked] == [
        BURNED,
        BURNED,
        "when did rain fall?",
        "who won?",
    ]
    assert [question.as_of for question in service.asked] == [None, None, "2030-05-01", None]


async def test_a_run_says_how_it_was_made_but_no_secret(folder, settings):
    saved = await run(folder, settings, house())

    conditions = saved["conditions"]
    assert conditions["settings"]["llm_base_url"] == "https://llm.example/v1"
    assert conditions["settings"]["answer_tokens"] == settings.answer_tokens
    assert all(len(digest) == 64 for digest in conditions["data"].values())
    assert conditions["code"]["packages"]["numpy"]
    assert "llm_api_key" not in conditions["settings"]
    assert saved["counts"]["model"] == {"extractive": 3}
    assert saved["counts"]["path"] == {"index": 3}
    text = json.dumps(saved)
    assert "sk-secret" not in text
    assert "ann:pass" not in text
    assert "token=abc" not in text


async def test_articles_of_a_data_set_are_embedded_once_into_a_library_of_their_own(
    folder, settings, capsys
):
    opener = house()
    await run(folder, settings, opener)
    await run(folder, settings, opener)

    ((place, service),) = opener.services.items()
    assert place.parent == settings.data_dir / "evals"
    assert service.embedded == 2
    assert {opened.chroma_url for opened in opener.opened} == {None}
    assert "not ingested: odd.bin: is not text" in capsys.readouterr().err

    lines(folder / "articles.jsonl", [{"id": a.id, "text": a.text + " "} for a in (RAIN, FIRE)])
    await run(folder, settings, opener)
    await run(folder, settings.model_copy(update={"embedding_model": "other"}), opener)
    assert len(opener.services) == 3


async def test_a_gold_file_is_asked_of_the_users_library(folder, settings):
    opener = house()
    async with opener(settings) as service:
        await service.ingest([folder / "articles.jsonl"])

    saved = await run(folder / "questions.jsonl", settings, opener)

    assert saved["status"] == 0
    assert list(opener.services) == [settings.data_dir]
    assert saved["conditions"]["data"]["articles"] is None


async def test_a_users_library_that_lacks_the_evidence_is_named(tmp_path, folder, settings):
    opener = house()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sun.txt").write_text("The sun shone.")
    async with opener(settings) as service:
        await service.ingest([tmp_path / "other"])

    with pytest.raises(GoldError, match=r"2 evidence articles are not in .*data: fire, rain; "):
        await run(folder / "questions.jsonl", settings, opener)


async def test_the_seed_articles_stand_in_for_an_empty_library(tmp_path, settings):
    seed = {"article": "000_75e423dfb05b201f.txt", "quote": "Trade, however, dominated much"}
    gold = lines(tmp_path / "own.jsonl", [QUESTIONS[0] | {"evidence": [seed]}])

    assert (await run(gold, settings, house()))["status"] == 0

    lines(gold, QUESTIONS)
    with pytest.raises(GoldError, match=r"2 evidence articles are not in .*seeds: fire, rain"):
        await run(gold, settings, house())


async def test_retrieval_only_asks_for_no_answer(folder, settings):
    opener = house()
    saved = await run(folder, settings, opener, retrieval_only=True)

    assert [service.asked for service in opener.services.values()] == [[]]
    assert "hits@10" in saved["metrics"]["all"]
    assert "containment" not in saved["metrics"]["all"]
    assert "answer_ms_p50" not in saved["metrics"]["all"]


async def test_a_limit_takes_the_same_sample_each_time(folder, settings):
    ids = [
        [r["case"]["id"] for r in (await run(folder, settings, house(), limit=2))["results"]]
        for _ in range(2)
    ]
    assert ids[0] == ids[1] == sorted(ids[0])
    assert len(ids[0]) == 2


async def test_json_is_one_document_on_stdout_and_runs_are_saved_side_by_side(
    folder, settings, tmp_path, capsys
):
    options = EvalOptions(out=tmp_path / "reports", json=True)
    told: list[tuple[int, int | None, str]] = []

    status = await evaluate(
        [str(folder), str(folder)], options, settings, lambda *step: told.append(step), house()
    )

    printed = json.loads(capsys.readouterr().out)
    assert status == 0
    assert [entry["dataset"] for entry in printed["runs"]] == ["weather", "weather"]
    saved = [Path(entry["saved"]) for entry in printed["runs"]]
    assert all(path.parent == tmp_path / "reports" and path.is_file() for path in saved)
    assert len(set(saved)) == 2
    assert told[-1] == (3, 3, "questions")


async def test_the_seed_set_is_the_default(settings, tmp_path):
    await evaluate([], EvalOptions(out=tmp_path / "seed.json", limit=1), settings, None, house())
    assert json.loads((tmp_path / "seed.json").read_text())["dataset"] == "seed"


async def test_baselines_are_asked_in_the_same_run_saved_and_printed(folder, settings, capsys):
    saved = await run(folder, settings, house(), baselines=("bm25", "dense"))

    found = {result["case"]["id"]: result["baselines"] for result in saved["results"]}
    assert found["q1"]["bm25"]["mrr@10"] == scores(saved)["q1"]["mrr@10"] == 1
    assert (found["q1"]["dense"]["mrr@10"], found["q2"]["dense"]["mrr@10"]) == (0.5, 1)
    assert found["q4"] == {}
    rows = {row["metric"]: row for row in saved["comparisons"]["dense"]}
    mrr = rows["mrr@10"]
    assert (mrr["ours"], mrr["theirs"], mrr["n"]) == (0.75, 0.75, 2)
    assert rows["hits@4"]["verdict"] == "can't tell"
    assert "containment" not in rows
    printed = capsys.readouterr().out
    assert "weather against bm25" in printed
    assert "weather against dense" in printed
    assert saved["conditions"]["options"]["baselines"] == ["bm25", "dense"]


async def test_peers_are_compared_by_their_ranks(folder, settings, tmp_path, capsys):
    peers = lines(tmp_path / "peers.jsonl", [{"system": "other", "first_rank": {"q1": 0, "q9": 1}}])

    saved = await run(folder, settings, house(), peers=peers)

    assert [result["baselines"] for result in saved["results"]] == [
        {"other": {"hits@4": 0, "hits@10": 0, "mrr@10": 0}},
        {},
        {},
    ]
    rows = saved["comparisons"]["other"]
    assert [row["metric"] for row in rows] == ["hits@4", "hits@10", "mrr@10"]
    assert {(row["ours"], row["theirs"], row["n"]) for row in rows} == {(1, 0, 1)}
    assert "weather against other" in capsys.readouterr().out


async def test_baselines_and_peers_that_cannot_be_used_are_refused_first(
    folder, settings, tmp_path
):
    opener = house()
    with pytest.raises(BaselineError, match="known: bm25, dense, rrf"):
        await run(folder, settings, opener, baselines=("tfidf",))
    peers = lines(tmp_path / "peers.jsonl", [{"system": "other", "first_rank": {"q9": 1}}])
    with pytest.raises(BaselineError, match="ranks none of the questions of weather"):
        await run(folder, settings, opener, peers=peers)
    assert not opener.opened


async def test_two_saved_runs_are_compared(folder, settings, tmp_path, capsys):
    await run(folder, settings, house())
    good = (tmp_path / "run.json").rename(tmp_path / "good.json")
    await run(folder, settings, ServiceHouse())
    bad = (tmp_path / "run.json").rename(tmp_path / "bad.json")
    capsys.readouterr()

    assert compare_saved(good, bad, as_json=True) == 0
    told = json.loads(capsys.readouterr().out)
    rows = {row["metric"]: row for row in told["rows"]}
    assert (told["run"], told["against"]) == (str(good), str(bad))
    assert (rows["containment"]["ours"], rows["containment"]["theirs"]) == (0.5, 0)
    assert rows["abstention_recall"]["difference"] == 0
    assert not {"search_ms_p50", "answer_ms_p95"} & rows.keys()

    compare_saved(good, bad)
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == f"{good} against {bad}"
    row = next(line for line in printed.splitlines() if line.startswith("answer contained"))
    assert row.split()[2:6] == ["2", "0.500", "0.000", "+0.500"]


async def test_runs_are_compared_only_over_questions_with_the_same_gold(folder, settings, tmp_path):
    await run(folder, settings, house())
    before = (tmp_path / "run.json").rename(tmp_path / "before.json")
    lines(folder / "questions.jsonl", [q | {"category": "other"} for q in QUESTIONS])
    await run(folder, settings, house())

    with pytest.raises(RunError, match="no question in common"):
        compare_saved(before, tmp_path / "run.json")


async def test_a_run_says_which_index_served_and_what_retrieval_thought_of_it(folder, settings):
    class Sure(ServiceHouse):
        @asynccontextmanager
        async def __call__(self, settings):
            async with super().__call__(settings) as service:
                search = service.search

                async def surely(question, limit):
                    sure = 0.1 if question.text == "who won?" else 0.9
                    return replace(await search(question, limit), confidence=sure)

                service.search = surely
                yield service

    saved = await run(folder, settings, Sure())

    assert saved["conditions"]["index"] == "0123456789ab"
    assert scores(saved)["q4"]["confidence"] == 0.1
    assert saved["metrics"]["all"]["confidence_auroc"]["value"] == 1
    assert saved["metrics"]["all"]["confidence_refused@5"]["value"] == 1
    assert "confidence_auroc" not in saved["metrics"]["tune"]  # it has no unanswerable question


async def test_tokens_and_their_price_are_means_over_the_questions_that_took_any(folder, settings):
    asked = replace(quotation(BURNED, FIRE, "The mill burned down."), usage=Usage(1000, 100))
    priced = settings.model_copy(update={"llm_model": "gpt-4o-mini", "llm_base_url": None})

    found = (await run(folder, priced, house(**{BURNED: asked})))["metrics"]["all"]

    assert (found["prompt_tokens"]["value"], found["prompt_tokens"]["n"]) == (1000, 1)
    assert found["completion_tokens"]["value"] == 100
    assert found["cost_usd"]["value"] > 0


async def test_prompts_are_compared_in_one_run(folder, settings, tmp_path, capsys):
    opener, options = house(), EvalOptions(out=tmp_path / "reports", prompts=("answer.1", "answer"))
    with pytest.raises(GoldError, match="--prompt: no LLM is set"):
        await evaluate([str(folder)], options, settings, None, opener)
    asking = settings.model_copy(update={"llm_model": "m"})
    unknown = EvalOptions(prompts=("answer.99",))
    with pytest.raises(DatelineError, match=r"no prompt answer\.99"):
        await evaluate([str(folder)], unknown, asking, None, opener)
    assert not opener.opened

    assert await evaluate([str(folder)], options, asking, None, opener) == 0

    assert [opened.prompt for opened in opener.opened] == ["answer.1", "answer"]
    assert "prompt answer against answer.1" in capsys.readouterr().out
    assert len(list((tmp_path / "reports").iterdir())) == 2
