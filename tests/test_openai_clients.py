"""The `openai` package, unchanged, gets what /v1/ask says: sync and async, streaming and not."""

from collections.abc import Iterator

import httpx
import openai
import pytest

from rag.errors import LibraryError
from tests.fakes import FakeService
from tests.http_samples import client
from tests.openai_samples import ABSTAINED, QUESTION, SPANS, TWO, TWO_EVENTS, served, spans

CHAT = {"model": "gpt-4o", "messages": [{"role": "user", "content": QUESTION}]}
INPUT = {"model": "gpt-4o", "input": QUESTION}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served(FakeService(script=TWO_EVENTS)) as url:
        yield url


@pytest.fixture(scope="module")
def broken() -> Iterator[str]:
    with served(FakeService(script=[*TWO_EVENTS[:3], LibraryError("the disk is gone")])) as url:
        yield url


@pytest.fixture(scope="module")
def silent() -> Iterator[str]:
    with served(FakeService(script=ABSTAINED)) as url:
        yield url


def sync_client(address: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def async_client(address: str) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0)


def test_an_unreachable_library_is_a_503_that_tells_why(broken):
    with sync_client(broken) as ai:
        for ask in (
            lambda: ai.chat.completions.create(**CHAT),
            lambda: ai.responses.create(**INPUT),
        ):
            with pytest.raises(openai.InternalServerError, match="the disk is gone") as caught:
                ask()
            assert caught.value.status_code == 503
            assert caught.value.type == "server_error"
            assert caught.value.code == "library_unavailable"
            assert caught.value.request_id


def test_a_failure_in_mid_stream_is_raised_after_what_was_sent(broken):
    with sync_client(broken) as ai:
        for stream in (
            ai.chat.completions.create(**CHAT, stream=True),
            ai.responses.create(**INPUT, stream=True),
        ):
            got = []
            with pytest.raises(openai.APIError, match="the disk is gone") as caught:
                got.extend(stream)
            assert got
            assert caught.value.code == "library_unavailable"


def test_what_cannot_be_done_is_a_bad_request_that_names_the_parameter(address):
    with sync_client(address) as ai:
        with pytest.raises(openai.BadRequestError) as caught:
            ai.chat.completions.create(**CHAT, n=2)
        assert (caught.value.param, caught.value.code) == ("n", "unsupported_value")
        with pytest.raises(openai.BadRequestError) as caught:
            ai.responses.create(**INPUT, previous_response_id="resp_1")
        assert caught.value.param == "previous_response_id"
        with pytest.raises(openai.NotFoundError) as caught:
            ai.models.retrieve("gpt-4o")
        assert (caught.value.param, caught.value.code) == ("model", "model_not_found")


def test_the_one_model_is_listed(address):
    with sync_client(address) as ai:
        assert [(model.id, model.owned_by) for model in ai.models.list()] == [
            ("dateline", "dateline")
        ]
        assert ai.models.retrieve("dateline").object == "model"


def test_an_abstention_is_a_message_without_annotations(silent):
    with sync_client(silent) as ai:
        message = ai.chat.completions.create(**CHAT).choices[0].message
        assert (message.content, message.annotations) == ("The articles don’t say.", [])
        part = ai.responses.create(**INPUT).output[0].content[0]
        assert (part.text, part.annotations) == ("The articles don’t say.", [])
        with ai.responses.stream(**INPUT) as stream:
            deltas = [e.delta for e in stream if e.type == "response.output_text.delta"]
        assert deltas == ["The articles don’t say."]
        with ai.chat.completions.stream(**CHAT) as stream:
            assert stream.get_final_completion().choices[0].message.content == deltas[0]


def chat_spans(message, address: str):
    found = [one.url_citation.model_dump() for one in message.annotations]
    return spans(message.content, found, address)


def test_a_chat_completion_is_the_answer_with_its_citations(address):
    with sync_client(address) as ai:
        got = ai.chat.completions.create(**CHAT)
    type(got).model_validate(got.model_dump(), strict=True)
    assert got.choices[0].message.content == TWO.text
    assert got.choices[0].finish_reason == "stop"
    assert got.usage.total_tokens == 77
    assert got.model == "dateline"
    assert got.id == "chatcmpl-5f0c2d"
    assert chat_spans(got.choices[0].message, address) == SPANS


def test_a_streamed_chat_completion_adds_up_to_the_same(address):
    options = {"include_usage": True}
    with sync_client(address) as ai:
        chunks = list(ai.chat.completions.create(**CHAT, stream=True, stream_options=options))
        with ai.chat.completions.stream(**CHAT, stream_options=options) as stream:
            final = stream.get_final_completion()
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    assert deltas[0].role == "assistant"
    assert [delta.content for delta in deltas if delta.content] == [
        TWO.text[: TWO.sentences[1].start - 1],
        TWO.text[TWO.sentences[1].start - 1 :],
    ]
    assert [len(delta.annotations) for delta in deltas if hasattr(delta, "annotations")] == [2, 2]
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage.total_tokens == 77
    assert all(chunk.usage is None for chunk in chunks[:-1])
    assert final.choices[0].message.content == TWO.text
    assert chat_spans(final.choices[0].message, address) == SPANS
    assert final.usage.prompt_tokens == 70


def test_no_usage_is_streamed_unless_asked_for(address):
    with sync_client(address) as ai:
        chunks = list(ai.chat.completions.create(**CHAT, stream=True))
    assert all(chunk.choices and chunk.usage is None for chunk in chunks)


def test_a_response_is_the_answer_with_its_citations(address):
    with sync_client(address) as ai:
        got = ai.responses.create(**INPUT, metadata={"page": "1"})
    type(got).model_validate(got.model_dump(), strict=True)
    assert got.output_text == TWO.text
    assert (got.status, got.error, got.metadata) == ("completed", None, {"page": "1"})
    assert got.usage.input_tokens == 70
    annotations = [one.model_dump() for one in got.output[0].content[0].annotations]
    assert {one["type"] for one in annotations} == {"url_citation"}
    assert spans(TWO.text, annotations, address) == SPANS


async def test_a_streamed_response_tells_all_in_order(address):
    async with async_client(address) as ai, ai.responses.stream(**INPUT) as stream:
        events = [event async for event in stream]
        final = await stream.get_final_response()
    assert [event.type.removeprefix("response.") for event in events] == [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        *["output_text.delta", *["output_text.annotation.added"] * 2] * 2,
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ]
    assert [event.sequence_number for event in events] == list(range(len(events)))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert "".join(deltas) == TWO.text == final.output_text
    added = [e for e in events if e.type == "response.output_text.annotation.added"]
    assert [event.annotation_index for event in added] == [0, 1, 2, 3]
    annotations = [event.annotation.model_dump() for event in added]
    assert annotations == [one.model_dump() for one in final.output[0].content[0].annotations]
    assert spans(TWO.text, annotations, address) == SPANS


async def test_async_clients_get_the_same(address):
    async with async_client(address) as ai:
        chat = await ai.chat.completions.create(**CHAT)
        chunks = [c async for c in await ai.chat.completions.create(**CHAT, stream=True)]
        response = await ai.responses.create(**INPUT)
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chat.choices[0].message.content == streamed == response.output_text == TWO.text


async def test_the_text_is_that_of_the_native_route():
    async with client(FakeService(script=TWO_EVENTS)) as http:
        native = (await http.post("/v1/ask", json={"question": QUESTION})).json()
        chat = (await http.post("/v1/chat/completions", json=CHAT)).json()
        response = (await http.post("/v1/responses", json=INPUT)).json()
    assert native["text"] == chat["choices"][0]["message"]["content"]
    assert native["text"] == response["output"][0]["content"][0]["text"]


@pytest.mark.slow
def test_the_true_service_cites_through_openais_routes_what_it_cites_natively(server):
    question = "What did India say about terrorism?"
    native = httpx.post(f"{server.url}/v1/ask", json={"question": question}, timeout=120).json()
    with sync_client(server.url) as ai:
        with ai.responses.stream(model="dateline", input=question) as stream:
            response = stream.get_final_response()
        message = [{"role": "user", "content": question}]
        chat = ai.chat.completions.create(model="dateline", messages=message).choices[0].message
    assert response.output_text == chat.content == native["text"]
    annotations = [one.model_dump() for one in response.output[0].content[0].annotations]
    assert [one["quote"] for one in annotations] == [c["quote"] for c in native["citations"]]
    for one in annotations:
        assert one["url"].startswith(f"{server.url}/articles/{one['article_id']}?start=")
        page = httpx.get(one["url"])
        assert page.status_code == 200
        assert 'id="quote"' in page.text
