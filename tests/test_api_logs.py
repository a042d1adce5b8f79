"""What a server says: lines that machines read, and nothing of what was asked."""

import json
import logging
import sys
from collections.abc import Iterator

import httpx
import pytest
import structlog

from api import logs
from api.middleware import ResponseHeaders
from tests.conftest import CopyOfSeeded
from tests.http_samples import client
from tests.processes import Served, dateline, serving
from tests.scripted_llm import Reply, ScriptedLLM, Status

CANARY = "zebra7f3a"  # in all that is planted; `kind` before it tells where
QUESTION = f"What did India say about question-{CANARY} and terrorism?"


@pytest.fixture
def restored() -> Iterator[None]:
    """The process's logging, as it was before a test that configures it."""
    root, ours = logging.getLogger(), [logging.getLogger(name) for name in ("rag", "api")]
    before = root.handlers[:], root.level, [one.level for one in ours]
    yield
    root.handlers[:], level, levels = before
    root.setLevel(level)
    for one, was in zip(ours, levels, strict=True):
        one.setLevel(was)
    logging.captureWarnings(False)
    structlog.contextvars.clear_contextvars()


def configured(capsys: pytest.CaptureFixture[str], level: str = "info") -> None:
    logs.configure("json", level)
    capsys.readouterr()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.usefixtures("restored")
def test_an_unforeseen_error_is_told_by_type_and_place_alone(capsys):
    configured(capsys)
    local = f"local-{CANARY}"
    try:
        try:
            raise KeyError(f"cause-{CANARY}")
        except KeyError as cause:
            raise ValueError(f"message-{CANARY} {local}") from cause
    except ValueError:
        logging.getLogger("api.streaming").exception("the answer failed")
    written = capsys.readouterr().err
    assert CANARY not in written
    (line,) = map(json.loads, written.splitlines())
    assert line["event"] == "the answer failed"
    assert [error["type"] for error in line["exception"]] == ["ValueError", "KeyError"]
    calls = line["exception"][0]["calls"]
    assert calls[0].startswith(__file__)
    assert calls[0].endswith(test_an_unforeseen_error_is_told_by_type_and_place_alone.__name__)


@pytest.mark.usefixtures("restored")
def test_other_libraries_are_heard_only_when_they_warn_even_at_debug(capsys):
    configured(capsys, "debug")
    logging.getLogger("openai._base_client").debug("Request options: %s", CANARY)
    logging.getLogger("httpx").info("HTTP Request: %s", CANARY)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("rag.anything").debug("ours")
    logging.getLogger("httpx").warning("odd", extra={"body": CANARY})
    said = lines(capsys)
    assert [line["event"] for line in said] == ["Invalid HTTP request received.", "ours", "odd"]
    assert all(line.keys() == {"event", "level", "logger", "timestamp"} for line in said)


@pytest.mark.usefixtures("restored")
def test_a_line_stays_one_line_whatever_is_in_it(capsys):
    configured(capsys)
    logging.getLogger("rag.x").warning("%s", 'two\nlines\x1b[31m "quoted" \ud800 \u2028')
    (line,) = lines(capsys)
    assert line["event"] == 'two\nlines\x1b[31m "quoted" \ud800 \u2028'


@pytest.mark.usefixtures("restored")
@pytest.mark.parametrize(("form", "is_json"), [("json", True), (None, True), ("console", False)])
def test_it_is_json_where_no_terminal_is_unless_told(capsys, form, is_json):
    assert not sys.stderr.isatty()
    logs.configure(form, "info")
    logging.getLogger("api.x").info("seen")
    logging.getLogger("api.x").debug("unseen")
    written = capsys.readouterr().err
    assert written.startswith("{") == is_json
    assert "seen" in written
    assert "unseen" not in written


@pytest.mark.usefixtures("restored")
async def test_a_request_leaves_one_line_with_its_id_and_route(capsys):
    configured(capsys)
    async with client() as http:
        response = await http.get(f"/{CANARY}?q={CANARY}", headers={"X-Request-ID": "r-1"})
    (line,) = lines(capsys)
    assert line.pop("duration_ms") >= 0
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "request",
        "level": "info",
        "logger": "api.observing",
        "request_id": "r-1",
        "method": "GET",
        "route": "other",
        "status": 404,
        "bytes": len(response.content),
    }


@pytest.mark.usefixtures("restored")
async def test_what_is_logged_on_the_way_has_the_id_of_its_own_request(capsys):
    configured(capsys)

    async def app(scope, receive, send):
        logging.getLogger("rag.x").warning("on the way")

    for request_id in ("r-1", "r-2"):
        scope = {"type": "http", "headers": [(b"x-request-id", request_id.encode())]}
        await ResponseHeaders(app)(scope, None, None)
    assert [line["request_id"] for line in lines(capsys)] == ["r-1", "r-2"]


def ask_everything(served: Served, key: str) -> dict[str, int]:
    """Ask with a canary in all that a caller may send; the status of each request by its id."""
    statuses: dict[str, int] = {}
    with httpx.Client(base_url=served.url, timeout=60) as http:

        def send(method: str, path: str, good: bool = True, **more) -> httpx.Response:
            request_id = f"r-{len(statuses)}"
            headers = {
                "X-Request-ID": request_id,
                "Authorization": f"Bearer {key if good else 'sk_bad' + CANARY}",
                "Referer": f"https://referer-{CANARY}.example/",
                "User-Agent": f"agent-{CANARY}",
                "Origin": f"https://origin-{CANARY}.example",
                **more.pop("headers", {}),
            }
            response = http.request(method, path, headers=headers, **more)
            statuses[request_id] = response.status_code
            return response

        article = {"id": "a1", "title": f"title-{CANARY}", "text": f"India said article-{CANARY}."}
        history = [{"role": "user", "content": f"history-{CANARY}"}]
        ask = {"question": QUESTION, "history": history}
        chat = {"messages": [*history, {"role": "user", "content": QUESTION}]}
        json_type = {"Content-Type": "application/json"}
        send("POST", "/v1/articles", json=article)
        answer = send("POST", "/v1/ask", json=ask).json()
        send("POST", "/v1/ask", json={**ask, "stream": True})
        send("POST", "/v1/search", json=ask)
        send("POST", "/v1/chat/completions", json={**chat, "stream": True})
        send("POST", "/v1/responses", json={"input": QUESTION})
        note = {"answer_id": answer["id"], "rating": "down", "note": f"note-{CANARY}"}
        assert send("POST", "/v1/feedback", json=note).status_code == 201
        send("GET", f"/answers/{answer['id']}?q={CANARY}")
        send("GET", f"/path-{CANARY}")
        send("GET", f"/v1/articles/{CANARY}")
        send("POST", "/v1/ask", content=f'{{"malformed-{CANARY}', headers=json_type)
        send("POST", "/v1/ask", json={f"field-{CANARY}": 1})
        send("POST", "/v1/ask", json=ask, good=False)
        send("GET", "/v1/articles", headers={"Host": f"host-{CANARY}"})
    return statuses


@pytest.mark.slow
@pytest.mark.parametrize("level", ["info", "debug"])
def test_no_line_of_a_server_tells_what_was_sent(level: str, copy_of_seeded: CopyOfSeeded):
    data = copy_of_seeded()
    made = dateline(
        "keys", "create", "--name", "x", "--scope", "admin", "--json", data=data, cwd=data.parent
    )
    key = json.loads(made.stdout)["key"]
    script = [
        Reply(f"India said reply-{CANARY}. [A1]"),
        lambda request: Status(400, {"message": f"bad: {request.body['messages'][-1]}"}),
        lambda request: Status(401, {"message": json.dumps(request.body["messages"][-1])}),
        Reply(f"It is {CANARY}", end="reset"),
    ]
    llm_key = f"sk-llm-{CANARY}"
    with (
        ScriptedLLM(script) as llm,
        serving(
            data,
            DATELINE_LOG_LEVEL=level,
            DATELINE_LLM_MODEL="m",
            DATELINE_LLM_BASE_URL=llm.base_url,
            DATELINE_LLM_API_KEY=llm_key,
        ) as served,
    ):
        statuses = ask_everything(served, key)
        asked = [json.dumps(request.body) for request in llm.requests]
    assert len(asked) == 4
    assert all(CANARY in body for body in asked)
    logged = "".join(served.said[1:])
    assert [line for line in served.said[1:] if CANARY in line] == []
    assert key.split("_", 2)[2] not in logged
    records = [json.loads(line) for line in served.said[1:]]
    requests = {r["request_id"]: r["status"] for r in records if r["event"] == "request"}
    assert requests == statuses
    fallbacks = [r for r in records if r["logger"] == "rag.answering"]
    assert len(fallbacks) == 3
    assert all(r["request_id"] in statuses for r in fallbacks)


@pytest.mark.slow
def test_the_command_line_keeps_its_plain_messages(copy_of_seeded: CopyOfSeeded):
    with ScriptedLLM([Status(401, {"message": "no such key"})]) as llm:
        done = dateline(
            "ask",
            "What did India say about terrorism?",
            data=copy_of_seeded(),
            DATELINE_LLM_MODEL="m",
            DATELINE_LLM_BASE_URL=llm.base_url,
        )
    assert done.returncode == 0
    assert done.stderr.startswith("LLM 'm' at ")
    assert "no such key" in done.stderr
