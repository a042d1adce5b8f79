"""The true stack: packaged models, SQLite, Chroma, the real command, server and openai client."""

import json
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import httpx
import pytest

from tests.conftest import CopyOfSeeded
from tests.http_samples import assert_problem, server_sent
from tests.processes import Served, dateline, serving
from tests.scripted_llm import Raw, Reply, Request, ScriptedLLM, Silence, Step

pytestmark = pytest.mark.slow

TERRORISM = "what did India say about terrorism?"
PAKISTAN = "what did Pakistan say about terrorism?"
WORLD_CUP = "who won the 2022 World Cup?"
ZERO_TOLERANCE = (
    "I conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism"
)
ARTICLE = {
    "id": "test-1",
    "title": "Harbour bridge opens",
    "outlet": "Veldhaven Post",
    "url": "https://news.example/bridge",
    "published_at": "2026-03-02",
    "text": "The harbour bridge of Veldhaven cost 84 million crowns, the council said on Monday.\n",
}

Json = dict[str, Any]


@pytest.fixture(scope="module")
def asked(copy_of_seeded: CopyOfSeeded) -> dict[str, CompletedProcess[str]]:
    """What the command says to each question, on paper and, under `json`, as JSON."""
    commands = {
        TERRORISM: ["ask", TERRORISM],
        "json": ["ask", TERRORISM, "--json"],
        PAKISTAN: ["ask", PAKISTAN],
        WORLD_CUP: ["ask", WORLD_CUP, "--json"],
    }
    with ThreadPoolExecutor(2) as pool:
        runs = {
            name: pool.submit(dateline, *command, data=copy_of_seeded())
            for name, command in commands.items()
        }
    return {name: run.result() for name, run in runs.items()}


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=120) as opened:
        yield opened


def ask(client: httpx.Client, question: str, **more: object) -> Json:
    response = client.post("/v1/ask", json={"question": question, **more})
    assert response.status_code == 200, response.text
    answer: Json = response.json()
    return answer


def without_chance(answer: Json) -> Json:
    """The answer without what differs each time."""
    return {key: value for key, value in answer.items() if key not in ("id", "timings_ms")}


def assert_promises(answer: Json, client: httpx.Client) -> None:
    """What the contract promises of every answered question."""
    assert answer["status"] == "answered"
    for sentence in answer["sentences"]:
        assert answer["text"][sentence["start"] : sentence["end"]] == sentence["text"]
        assert sentence["citations"]
    assert [c["number"] for c in answer["citations"]] == list(
        range(1, len(answer["citations"]) + 1)
    )
    for citation in answer["citations"]:
        article = client.get(f"/v1/articles/{citation['article_id']}").json()
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]


# The command


def test_the_command_answers_with_the_speaker_and_the_quotation(
    asked: dict[str, CompletedProcess[str]],
) -> None:
    done = asked[TERRORISM]
    assert (done.returncode, done.stderr) == (0, "")
    answer, footnotes = done.stdout.split("\n\n", 1)
    assert "Jaishankar" in answer
    assert ZERO_TOLERANCE in answer
    assert "[1]" in answer
    assert footnotes.startswith("[1] India and Russia reaffirm resolve")
    assert "2025-08-21" in footnotes
    assert ZERO_TOLERANCE in footnotes


def test_what_the_command_cites_stands_there_in_the_seed(
    asked: dict[str, CompletedProcess[str]],
) -> None:
    done = asked["json"]
    assert (done.returncode, done.stderr) == (0, "")
    answer = json.loads(done.stdout)
    (seed,) = (Path(__file__).parents[1] / "seeds").glob("*.txt")
    text = seed.read_bytes().decode()
    assert ZERO_TOLERANCE in answer["text"]
    assert answer["citations"]
    for citation in answer["citations"]:
        assert text[citation["start"] : citation["end"]] == citation["quote"]


def test_the_command_and_http_give_the_same_answer(
    asked: dict[str, CompletedProcess[str]], client: httpx.Client
) -> None:
    answer = ask(client, TERRORISM)
    assert_promises(answer, client)
    assert without_chance(json.loads(asked["json"].stdout)) == without_chance(answer)
    assert (answer["model"], answer["prompt"], answer["fallback"]) == ("extractive", None, None)


def test_what_the_articles_do_not_say_is_said_so_with_status_3(
    asked: dict[str, CompletedProcess[str]],
) -> None:
    assert asked[PAKISTAN].returncode == 3
    assert asked[PAKISTAN].stdout.startswith("The articles don't say.\n")
    assert "The nearest passages:" in asked[PAKISTAN].stdout
    assert asked[WORLD_CUP].returncode == 3
    answer = json.loads(asked[WORLD_CUP].stdout)
    assert (answer["status"], answer["sentences"], answer["citations"]) == ("abstained", [], [])
    assert 1 <= len(answer["nearest"]) <= 3


# The server


def test_it_becomes_ready(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60
    while (ready := client.get("/readyz").json())["status"] == "degraded":
        assert "loaded" in ready["parts"]["models"]
        assert time.monotonic() < deadline
    assert ready["status"] == "ready"
    assert ready["parts"] == {
        "library": "ok: 1 articles, 3 chunks",
        "index": "ok",
        "models": "ok",
        "answerer": "ok: extractive",
    }
    assert client.get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("question", [PAKISTAN, WORLD_CUP])
def test_the_server_abstains(client: httpx.Client, question: str) -> None:
    answer = ask(client, question)
    assert (answer["status"], answer["text"]) == ("abstained", "The articles don't say.")


def test_the_stream_comes_in_order_and_ends_in_the_answer(client: httpx.Client) -> None:
    body = {"question": TERRORISM, "stream": True}
    response = client.post("/v1/ask", json=body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = server_sent(response.text)
    start, passages, *sentences, (last, answer) = events
    assert start[0] == "start"
    assert start[1] == {"id": answer["id"], "question": TERRORISM}
    assert passages[0] == "passages"
    assert passages[1]["passages"]
    assert {name for name, _ in sentences} == {"sentence"}
    assert last == "done"
    assert [data["text"] for _, data in sentences] == [s["text"] for s in answer["sentences"]]
    introduced = [citation for _, data in sentences for citation in data["new_citations"]]
    assert introduced == answer["citations"]
    assert without_chance(answer) == without_chance(ask(client, TERRORISM))


def test_passages_are_found_and_filtered(client: httpx.Client) -> None:
    found = client.post("/v1/search", json={"question": "UN Security Council", "limit": 2}).json()
    assert [p["rank"] for p in found["passages"]] == [1, 2]
    assert any("UN Security Council" in p["text"] for p in found["passages"])
    for passage in found["passages"]:
        article = client.get(f"/v1/articles/{passage['article_id']}").json()
        assert article["text"][passage["start"] : passage["end"]] == passage["text"]
    later = {"question": "UN Security Council", "filters": {"published_from": "2025-08-22"}}
    assert client.post("/v1/search", json=later).json()["passages"] == []
    assert ask(client, TERRORISM, as_of="2025-08-20")["status"] == "abstained"


def test_an_article_is_added_asked_changed_and_deleted(client: httpx.Client) -> None:
    question = "What did the harbour bridge of Veldhaven cost?"
    assert ask(client, question)["status"] == "abstained"
    created = client.post("/v1/articles", json=ARTICLE)
    assert (created.status_code, created.json()["text"]) == (201, ARTICLE["text"])
    try:
        answer = ask(client, question)
        assert_promises(answer, client)
        assert "84 million crowns" in answer["text"]
        (citation,) = answer["citations"]
        assert {k: citation[k] for k in ("article_id", "title", "outlet", "url")} == {
            "article_id": "test-1",
            **{k: ARTICLE[k] for k in ("title", "outlet", "url")},
        }
        changed = {**ARTICLE, "text": ARTICLE["text"].replace("84", "97")}
        assert client.put("/v1/articles/test-1", json=changed).status_code == 200
        assert "97 million crowns" in ask(client, question)["text"]
        assert len(client.get("/v1/articles").json()["articles"]) == 2
    finally:
        assert client.delete("/v1/articles/test-1").status_code == 204
    assert_problem(client.get("/v1/articles/test-1"), 404)
    assert ask(client, question)["status"] == "abstained"


def test_the_reading_page_marks_what_is_cited(client: httpx.Client) -> None:
    citation = ask(client, TERRORISM)["citations"][0]
    span = {"start": citation["start"], "end": citation["end"]}
    page = client.get(f"/articles/{citation['article_id']}", params=span)
    assert page.headers["content-type"].startswith("text/html")
    assert f'<mark id="quote">{citation["quote"]}</mark>' in page.text


def test_a_question_that_is_none_is_a_problem(client: httpx.Client) -> None:
    assert_problem(client.post("/v1/ask", json={"question": " "}), 422, "question")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_told_to_end_closes_in_order(end: signal.Signals, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with serving(data) as served:
        assert httpx.get(f"{served.url}/healthz").status_code == 200
        refused = dateline("reindex", data=data)
        assert refused.returncode == 1
        assert "serve` (process " in refused.stderr
        served.process.send_signal(end)
        assert served.process.wait(20) == 0
    assert {json.loads(line)["level"] for line in served.said[1:]} == {"info"}, served.said
    assert dateline("articles", "list", data=data).returncode == 0


def test_a_port_that_is_taken_is_told(server: Served, tmp_path: Path) -> None:
    port = server.url.rpartition(":")[2]
    done = dateline("serve", "--port", port, data=tmp_path / "data")
    assert done.returncode == 1
    assert done.stderr == (
        f"error: cannot listen on 127.0.0.1, port {port}: Address already in use; "
        "end what listens there, or choose another with --port\n"
    )


# The LLM path

RESOLVE = (
    "Jaishankar conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism."
)
RIGHT = (
    "Jaishankar conveyed India’s sovereign right to defend its citizens against cross-border "
    "terrorism."
)
FORGED = "India declared war on its neighbours over terrorism. [A1]"
FORGED_QUOTE = "Jaishankar said, “We will strike terrorism wherever it may hide.” [A1]"


class Prompter:
    """Tells the scripted LLM what to reply next."""

    def __init__(self) -> None:
        self.step: Step = Silence("reset")

    def __call__(self, request: Request) -> Step:
        return self.step


@pytest.fixture(scope="module")
def prompter() -> Prompter:
    return Prompter()


@pytest.fixture(scope="module")
def llm(prompter: Prompter) -> Iterator[ScriptedLLM]:
    with ScriptedLLM([prompter]) as scripted:
        yield scripted


@pytest.fixture(scope="module")
def llm_client(copy_of_seeded: CopyOfSeeded, llm: ScriptedLLM) -> Iterator[httpx.Client]:
    """A client of a server that has an LLM."""
    settings = {
        "DATELINE_LLM_MODEL": "scripted",
        "OPENAI_BASE_URL": llm.base_url,
        "OPENAI_API_KEY": "sk-end-to-end",
    }
    with (
        serving(copy_of_seeded(), **settings) as served,
        httpx.Client(base_url=served.url, timeout=120) as opened,
    ):
        yield opened


def test_the_llm_s_answer_is_streamed_and_cited(
    llm_client: httpx.Client, llm: ScriptedLLM, prompter: Prompter
) -> None:
    prompter.step = Reply(f"{RESOLVE} [A1] {RIGHT} [A1]", usage=(321, 45))
    events = server_sent(
        llm_client.post("/v1/ask", json={"question": TERRORISM, "stream": True}).text
    )
    assert [name for name, _ in events] == ["start", "passages", "sentence", "sentence", "done"]
    answer = events[-1][1]
    assert_promises(answer, llm_client)
    assert answer["text"] == f"{RESOLVE} [1] {RIGHT} [1]"
    assert ZERO_TOLERANCE in answer["citations"][0]["quote"]
    assert (answer["model"], answer["fallback"], answer["withheld"]) == ("scripted", None, 0)
    assert answer["prompt"]["name"] == "answer"
    assert answer["usage"] == {"prompt_tokens": 321, "completion_tokens": 45}
    request = llm.requests[-1]
    assert request.headers["authorization"] == "Bearer sk-end-to-end"
    assert request.body["stream"] is True
    assert ZERO_TOLERANCE in request.body["messages"][-1]["content"]


def test_forged_sentences_and_quotations_are_withheld(
    llm_client: httpx.Client, prompter: Prompter
) -> None:
    prompter.step = Reply(f"{FORGED} {RESOLVE} [A9] {FORGED_QUOTE}")
    answer = ask(llm_client, TERRORISM)
    assert_promises(answer, llm_client)
    assert [s["text"] for s in answer["sentences"]] == [RESOLVE]
    assert (answer["withheld"], answer["fallback"]) == (2, None)


@pytest.mark.parametrize(
    ("step", "fallback", "withheld"),
    [
        (Reply(f"{FORGED} {FORGED_QUOTE}"), "llm_unsupported", 2),
        (Reply("NOT_IN_ARTICLES"), "llm_refused", 0),
        (Silence("reset"), "llm_unavailable", 0),
        (Raw(b"<html>no stream</html>", "text/html", "done"), "llm_unavailable", 0),
        (Reply(["India conveyed its strong", " resolve"], "reset"), "llm_unavailable", 0),
    ],
    ids=["lies", "refuses", "down", "no LLM at all", "breaks off early"],
)
def test_an_llm_that_is_of_no_help_leaves_the_articles_own_sentences(
    llm_client: httpx.Client, prompter: Prompter, step: Step, fallback: str, withheld: int
) -> None:
    prompter.step = step
    answer = ask(llm_client, TERRORISM)
    assert_promises(answer, llm_client)
    assert ZERO_TOLERANCE in answer["text"]
    assert (answer["fallback"], answer["withheld"]) == (fallback, withheld)
    assert (answer["model"], answer["prompt"]) == ("extractive", None)


def test_an_llm_that_refuses_rightly_abstains(llm_client: httpx.Client, prompter: Prompter) -> None:
    prompter.step = Reply("NOT_IN_ARTICLES")
    answer = ask(llm_client, PAKISTAN)
    assert (answer["status"], answer["fallback"]) == ("abstained", None)
    assert answer["model"] == "scripted"


def test_what_was_said_stays_when_the_llm_breaks_off(
    llm_client: httpx.Client, prompter: Prompter
) -> None:
    prompter.step = Reply([f"{RESOLVE} [A1]\n", "India"], end="reset")
    events = server_sent(
        llm_client.post("/v1/ask", json={"question": TERRORISM, "stream": True}).text
    )
    assert [name for name, _ in events] == ["start", "passages", "sentence", "done"]
    answer = events[-1][1]
    assert_promises(answer, llm_client)
    assert (answer["fallback"], answer["model"]) == ("llm_unavailable", "scripted")
