import asyncio
import gc
import json
import socket
import time
from collections.abc import Sequence
from contextlib import aclosing
from email.utils import formatdate
from types import AsyncGeneratorType

import pytest

from rag.errors import LanguageModelError
from rag.llm import OpenAIModel
from rag.types import Usage
from tests.scripted_llm import Raw, Reply, Request, ScriptedLLM, Silence, Status, Step

KEY = "sk-a-secret-of-ours"
MESSAGES = [("system", "Be true."), ("user", "What did India say?")]


def model_at(llm: ScriptedLLM, **options: object) -> OpenAIModel:
    options = {"api_key": KEY, "timeout_s": 5.0, "backoff_s": 0.001, **options}
    return OpenAIModel("m", llm.base_url, **options)


async def read(model: OpenAIModel) -> tuple[str, Usage | None]:
    pieces, usage = [], None
    try:
        async with aclosing(model.stream(MESSAGES, 50)) as stream:
            async for piece in stream:
                if isinstance(piece, Usage):
                    usage = piece
                else:
                    pieces.append(piece)
    finally:
        await model.aclose()
    return "".join(pieces), usage


async def failure(script: Sequence[Step], **options: object) -> tuple[str, int]:
    """The error's text and the number of requests made."""
    with ScriptedLLM(script) as llm:
        with pytest.raises(LanguageModelError) as caught:
            await read(model_at(llm, **options))
        assert KEY not in str(caught.value)
        assert llm.base_url in str(caught.value)
        assert "'m'" in str(caught.value)
        return str(caught.value), len(llm.requests)


def unfinished(name: str) -> set[AsyncGeneratorType]:
    """The asynchronous generators of that name."""
    # By `type`: to ask some packages' objects for their class imports what they stand for.
    found = (one for one in gc.get_objects() if type(one) is AsyncGeneratorType)
    return {one for one in found if one.__name__ == name}


async def test_an_error_that_is_kept_keeps_nothing_of_the_reply_open():
    broken = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    broken += b'data: {"error": {"message": "out of memory"}}\n\n'
    of_others = unfinished("aiter_raw")
    with ScriptedLLM([Raw(broken)]) as llm:
        model = model_at(llm)
        with pytest.raises(LanguageModelError, match="out of memory") as kept:
            await read(model)
    async with asyncio.timeout(5):
        while unfinished("aiter_raw") - of_others:
            await asyncio.sleep(0)  # the event loop closes what is let go of
    assert kept.value.__context__, "which has the frames that read it"


async def test_without_key_and_endpoint_it_says_what_to_set():
    with pytest.raises(LanguageModelError, match=r"DATELINE_LLM_API_KEY.*DATELINE_LLM_BASE_URL"):
        await read(OpenAIModel("m"))


@pytest.mark.parametrize("address", ["localhost:11434/v1", "ftp://host/v1", "http://", "/v1"])
async def test_an_address_that_is_none_is_named(address: str):
    with pytest.raises(LanguageModelError, match="DATELINE_LLM_BASE_URL="):
        await read(OpenAIModel("m", address))


async def test_a_refused_connection_asks_whether_the_server_runs():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://user:{KEY}@127.0.0.1:{unused.getsockname()[1]}/v1"
        with pytest.raises(LanguageModelError, match="server is running") as caught:
            await read(OpenAIModel("m", address, timeout_s=2, backoff_s=0.001))
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("code", "advice", "requests"),
    [
        (400, "DATELINE_LLM_MODEL", 1),
        (401, "DATELINE_LLM_API_KEY", 1),
        (403, "may use this model", 1),
        (404, "ends in /v1", 1),
        (408, "try again later", 3),
        (409, "try again later", 3),
        (429, "rate limit", 3),
        (500, "server's log", 3),
        (503, "server's log", 3),
    ],
)
async def test_an_error_status_is_explained_and_retried_where_that_helps(
    code: int, advice: str, requests: int
):
    text, made = await failure([Status(code, {"message": f"no, {KEY}"})])
    assert f"status {code}: no, ***" in text
    assert advice in text
    assert made == requests


async def test_a_spent_quota_is_not_retried():
    _, made = await failure([Status(429, {"message": "pay", "code": "insufficient_quota"})])
    assert made == 1


async def test_an_error_page_is_told_in_one_line():
    text, _ = await failure([Status(404, "<html>\n" + "gone " * 500 + "</html>")])
    assert "status 404: <html> gone gone" in text
    assert "\n" not in text
    assert len(text) < 700


@pytest.mark.parametrize(
    ("step", "what", "requests"),
    [
        (Silence("reset"), "connection failed", 3),
        (Reply(end="reset"), "connection failed", 3),
        (Reply(["India "], end="reset"), "connection failed", 1),
        (Reply(reasoning=["Hm"], end="reset"), "connection failed", 1),
        (Reply(end="close"), "empty reply", 3),
        (Reply(), "empty reply", 1),
        (Reply(finish="length", reasoning=["Hm"]), "DATELINE_ANSWER_TOKENS", 1),
        (Reply(finish="content_filter"), "content_filter", 1),
        (Reply(["<think>endless"]), "empty reply", 1),
        (Raw(b"<html>Welcome</html>", "text/html"), "text/html came instead", 1),
        (Raw(b'{"choices": []}', "application/json"), "application/json came instead", 1),
        (Raw(b"data: {broken\n\n"), "cannot be read", 1),
        (Raw(b'data: {"a": "\xe2\x82\n\n'), "cannot be read", 1),
        (Raw(b'data: {"error": {"message": "out of memory"}}\n\n'), "out of memory", 1),
    ],
)
async def test_a_broken_reply_is_explained_and_retried_only_before_its_first_token(
    step: Step, what: str, requests: int
):
    text, made = await failure([step])
    assert what in text
    assert made == requests


@pytest.mark.parametrize("step", [Silence("hang"), Reply(end="hang"), Reply(["a"], end="hang")])
async def test_a_reply_that_hangs_ends_at_the_deadline(step: Step):
    started = time.monotonic()
    text, made = await failure([step], timeout_s=0.3)
    assert "within 0.3 s; raise DATELINE_LLM_TIMEOUT_S" in text
    assert made == 1
    assert time.monotonic() - started < 1.3


async def test_odd_chunks_are_passed_over():
    odd = ["null", "[]", "{}", '{"choices": null}', '{"choices": 3}', '{"choices": [null]}']
    odd += ['{"choices": [{"delta": null}]}', '{"choices": [{"delta": {"content": 5}}]}']
    odd += ['{"choices": [{"delta": {"content": "India"}}], "usage": {"prompt_tokens": "x"}}']
    body = "".join(f"data: {chunk}\n\n" for chunk in odd)
    with ScriptedLLM([Raw(body.encode())]) as llm:
        assert await read(model_at(llm)) == ("India", None)


async def test_the_reply_comes_in_pieces_with_its_usage_last():
    with ScriptedLLM([Reply("India said so. [A1]", usage=(12, 5))]) as llm:
        assert await read(model_at(llm)) == ("India said so. [A1]", Usage(12, 5))
    (request,) = llm.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    assert request.body == {
        "model": "m",
        "messages": [{"role": role, "content": content} for role, content in MESSAGES],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0,
        "max_tokens": 50,
    }


async def test_a_local_server_needs_no_key(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with ScriptedLLM([Reply("Yes.", usage=None)]) as llm:
        assert await read(model_at(llm, api_key=None)) == ("Yes.", None)


@pytest.mark.parametrize(
    "fault", [Status(500), Status(429), Silence("reset"), Reply(end="reset"), Reply(end="close")]
)
async def test_a_fault_before_the_first_token_is_retried(fault: Step):
    with ScriptedLLM([fault, fault, Reply("Yes.")]) as llm:
        assert (await read(model_at(llm)))[0] == "Yes."
        assert len(llm.requests) == 3


async def test_retry_after_is_honoured():
    with ScriptedLLM([Status(429, headers={"Retry-After": "0.2"}), Reply("Yes.")]) as llm:
        started = time.monotonic()
        assert (await read(model_at(llm)))[0] == "Yes."
        assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(
    "wait", ["60", formatdate(time.time() + 3600, usegmt=True)], ids=["seconds", "date"]
)
async def test_a_retry_after_beyond_the_deadline_ends_the_reply_at_once(wait: str):
    started = time.monotonic()
    _, made = await failure([Status(503, headers={"Retry-After": wait})])
    assert made == 1
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("wait", ["soon", "nan", "-1", formatdate(0, usegmt=True)])
async def test_a_senseless_retry_after_does_no_harm(wait: str):
    with ScriptedLLM([Status(503, headers={"Retry-After": wait}), Reply("Yes.")]) as llm:
        assert (await read(model_at(llm)))[0] == "Yes."


async def test_parameters_that_the_endpoint_rejects_are_left_out_from_then_on():
    def reply(request: Request) -> Step:
        if "stream_options" in request.body:
            return Status(400, {"message": "Unrecognized request argument: stream_options"})
        if "max_tokens" in request.body:
            said = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return Status(400, {"message": said, "param": "max_tokens"})
        if "temperature" in request.body:
            return Status(422, json.dumps({"detail": "temperature: only 1 is supported"}))
        assert request.body["max_completion_tokens"] == 50
        return Reply("Yes.", usage=None)

    with ScriptedLLM([reply]) as llm:
        model = model_at(llm)
        assert (await read(model))[0] == "Yes."
        assert len(llm.requests) == 4
        assert (await read(model))[0] == "Yes."
        assert len(llm.requests) == 5


async def test_an_endpoint_that_rejects_everything_ends():
    said = "stream_options, max_tokens, max_completion_tokens and temperature are wrong"
    text, made = await failure([Status(400, {"message": said})])
    assert "status 400" in text
    assert made == 4


@pytest.mark.parametrize(
    "pieces",
    [
        ["<think>They ask.</think>Yes, ", "1 < 2."],
        ["<th", "ink>They", " <b> ask.</thi", "nk>Yes, 1 <", " 2."],
        ["Yes, <think>", "</think>1 < 2."],
        list("<think>a</think>Yes, 1 < 2."),
    ],
)
async def test_reasoning_is_left_out(pieces: list[str]):
    with ScriptedLLM([Reply(pieces, reasoning=["They ", "ask."])]) as llm:
        assert (await read(model_at(llm)))[0] == "Yes, 1 < 2."


async def test_text_that_only_began_like_a_mark_is_kept():
    with ScriptedLLM([Reply(["Yes <thi"])]) as llm:
        assert (await read(model_at(llm)))[0] == "Yes <thi"


async def test_a_consumer_that_stops_ends_the_request():
    with ScriptedLLM([Reply(["India ", "said "], end="hang")]) as llm:
        model = model_at(llm)
        async with aclosing(model.stream(MESSAGES, 50)) as stream:
            assert await anext(stream) == "India "
        assert await asyncio.to_thread(llm.requests[0].gone.wait, 1)
        await model.aclose()


@pytest.mark.parametrize("step", [Silence("hang"), Reply(["India "], end="hang")])
async def test_a_cancelled_consumer_ends_the_request(step: Step):
    with ScriptedLLM([step]) as llm:
        model = model_at(llm)
        task = asyncio.create_task(read(model))
        while not llm.requests:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await asyncio.to_thread(llm.requests[0].gone.wait, 1)


async def test_a_tls_handshake_that_is_cancelled_leaves_no_socket():
    greeted = asyncio.Event()
    left = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        left.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        model = OpenAIModel("m", f"https://127.0.0.1:{port}/v1", KEY)
        task = asyncio.create_task(read(model))
        await greeted.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(1):
            await left.wait()


async def test_one_client_serves_many_replies_at_once():
    with ScriptedLLM([Reply("Yes.")]) as llm:
        model = model_at(llm)

        async def one() -> str:
            return "".join([p async for p in model.stream(MESSAGES, 5) if isinstance(p, str)])

        assert await asyncio.gather(*[one() for _ in range(20)]) == ["Yes."] * 20
        await model.aclose()
        assert await read(model) == ("Yes.", Usage(11, 7))
