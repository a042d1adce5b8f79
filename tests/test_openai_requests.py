"""What OpenAI's clients send becomes a question, or an error in OpenAI's shape."""

import json
from dataclasses import replace
from http import HTTPStatus

import pytest

from api.openai.documents import ChatCompletion, Error, ModelList, Response
from rag.types import Filters, Turn
from tests.fakes import FakeService
from tests.http_samples import JSON, assert_problem, client
from tests.openai_samples import QUESTION, TWO_EVENTS

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"
USER = {"role": "user", "content": QUESTION}


def assert_error(response, status, param, code):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-request-id"]
    error = Error.model_validate(response.json()).error
    assert (error.param, error.code) == (param, code)
    assert error.message
    assert error.type == ("server_error" if status >= 500 else "invalid_request_error")
    return error


def asking(path: str, **fields: object) -> dict[str, object]:
    return {("messages" if path == CHAT else "input"): [USER], **fields}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (CHAT, {"n": 2}),
        (CHAT, {"tool_choice": "required"}),
        (CHAT, {"tool_choice": {"type": "function", "function": {"name": "f"}}}),
        (CHAT, {"tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required"}}}),
        (CHAT, {"function_call": {"name": "f"}}),
        (CHAT, {"response_format": {"type": "json_schema", "json_schema": {}}}),
        (CHAT, {"response_format": {"type": "json_object"}}),
        (CHAT, {"modalities": ["text", "audio"]}),
        (CHAT, {"audio": {"voice": "alloy", "format": "wav"}}),
        (CHAT, {"logprobs": True}),
        (CHAT, {"stop": ["\n"]}),
        (RESPONSES, {"previous_response_id": "resp_1"}),
        (RESPONSES, {"conversation": "conv_1"}),
        (RESPONSES, {"prompt": {"id": "pmpt_1"}}),
        (RESPONSES, {"background": True}),
        (RESPONSES, {"tool_choice": {"type": "web_search"}}),
        (RESPONSES, {"top_logprobs": 2}),
    ],
)
async def test_what_cannot_be_honoured_is_refused_by_name(path, fields):
    async with client(service := FakeService(script=TWO_EVENTS)) as http:
        response = await http.post(path, json=asking(path, **fields))
    assert_error(response, 400, next(iter(fields)), "unsupported_value")
    assert not service.asked


async def test_json_by_schema_is_refused_in_responses_too():
    text = {"format": {"type": "json_schema", "name": "x", "schema": {}}}
    async with client() as http:
        response = await http.post(RESPONSES, json=asking(RESPONSES, text=text))
    assert_error(response, 400, "text.format", "unsupported_value")


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (CHAT, {"type": "image_url", "image_url": {"url": "https://news.example/a.png"}}),
        (CHAT, {"type": "input_audio", "input_audio": {}}),
        (CHAT, {"type": "file", "file": {}}),
        (RESPONSES, {"type": "input_image", "image_url": "https://news.example/a.png"}),
        (RESPONSES, {"type": "input_file", "file_id": "file_1"}),
    ],
)
async def test_what_is_no_text_cannot_be_read(path, part):
    field = "messages" if path == CHAT else "input"
    content = [{"type": "text", "text": "What is this?"}, part]
    async with client() as http:
        response = await http.post(path, json={field: [{"role": "user", "content": content}]})
    error = assert_error(response, 400, f"{field}[0].content[1]", "unsupported_value")
    assert part["type"] in error.message


@pytest.mark.parametrize(
    ("messages", "param", "code"),
    [
        (None, "messages", "invalid_value"),
        ([], "messages", "invalid_value"),
        ([{"role": "system", "content": "Be brief."}], "messages", "missing_required_parameter"),
        ([{"content": "?"}], "messages[0].role", "missing_required_parameter"),
        ([{"role": "wizard", "content": "?"}], "messages[0].role", "invalid_value"),
        ([{"role": "user", "content": 7}], "messages[0].content", "invalid_value"),
        ([USER, {"role": "user", "content": " "}], "messages[1].content", "invalid_value"),
        ([{"role": "user", "content": "?" * 2001}], "messages[0].content", "invalid_value"),
        ([{"role": "user", "content": None}], "messages[0].content", "invalid_value"),
        ([{"role": "assistant", "content": "a" * 100_001}, USER], "messages", "invalid_value"),
    ],
)
async def test_messages_without_a_question_are_refused(messages, param, code):
    async with client() as http:
        response = await http.post(CHAT, json={"messages": messages})
    assert_error(response, 400, param, code)


async def test_every_sort_of_error_has_openais_shape():
    async with client() as http:
        assert_error(await http.post(CHAT, json={}), 400, "messages", "missing_required_parameter")
        assert_error(await http.post(CHAT, content=b"{", headers=JSON), 400, None, "invalid_json")
        assert_error(await http.post(CHAT, content=b"{}"), 415, None, "unsupported_media_type")
        assert_error(await http.get(RESPONSES), 405, None, "method_not_allowed")
        assert_error(await http.get(f"{CHAT}/chatcmpl-1"), 404, None, "not_found")
        assert_error(await http.get("/v1/models/gpt/4o"), 404, "model", "model_not_found")
        large = json.dumps({"messages": [USER], "user": "u" * 1_000_000}).encode()
        error = await http.post(CHAT, content=large, headers=JSON)
        phrase = HTTPStatus(413).phrase  # its wording differs between versions of Python
        assert_error(error, 413, None, phrase.lower().replace(" ", "_"))
        other = {"Host": "evil.example"}
        assert_error(await http.get("/v1/models", headers=other), 400, None, "foreign_host")
        date = asking(CHAT, filters={"published_from": "yesterday"})
        error = await http.post(CHAT, json=date)
        assert_error(error, 400, "filters.published_from", "invalid_value")


async def test_an_unforeseen_error_tells_nothing_of_our_inside():
    async with client(FakeService(script=[KeyError("sk-secret")])) as http:
        response = await http.post(CHAT, json=asking(CHAT))
        streamed = await http.post(RESPONSES, json=asking(RESPONSES, stream=True))
    assert_error(response, 500, None, "internal_error")
    assert "secret" not in response.text + streamed.text
    data = json.loads(streamed.text.partition("data: ")[2])
    assert (data["type"], data["code"]) == ("error", "internal_error")


async def test_other_routes_keep_their_problems():
    async with client() as http:
        assert_problem(await http.post("/v1/ask", json={}), 422)
        assert_problem(await http.get("/v1/modelsandmore"), 404)


async def test_the_last_message_of_the_user_is_the_question_and_what_was_before_its_history():
    messages = [
        {"role": "system", "content": "You are a pirate."},
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": "Who met?"},
        {"role": "assistant", "content": "India and Russia. [1]"},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "content": "42", "tool_call_id": "c1"},
        {"role": "user", "content": [{"type": "text", "text": QUESTION}]},
        {"role": "assistant", "content": "It"},
    ]
    async with client(service := FakeService(script=TWO_EVENTS)) as http:
        assert (await http.post(CHAT, json={"messages": messages})).status_code == 200
    asked = service.asked[0]
    assert asked.text == QUESTION
    assert asked.history == (Turn("user", "Who met?"), Turn("assistant", "India and Russia. [1]"))


async def test_the_items_of_an_input_are_read_likewise():
    items = [
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who?"}]},
        {"type": "reasoning", "id": "rs_1", "content": [{"type": "reasoning_text", "text": "h"}]},
        {"type": "item_reference", "id": "msg_1"},
        {
            "type": "message",
            "id": "msg_2",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "India. [1]", "annotations": []}],
        },
        USER,
    ]
    async with client(service := FakeService(script=TWO_EVENTS)) as http:
        assert (await http.post(RESPONSES, json={"input": items})).status_code == 200
    asked = service.asked[0]
    assert (asked.text, asked.history) == (
        QUESTION,
        (Turn("user", "Who?"), Turn("assistant", "India. [1]")),
    )


async def test_filters_and_the_day_are_those_of_the_native_route():
    ours = {"filters": {"outlets": ["The Daily"]}, "as_of": "2025-08-21"}
    async with client(service := FakeService(script=TWO_EVENTS)) as http:
        for path in (CHAT, RESPONSES):
            assert (await http.post(path, json=asking(path, **ours))).status_code == 200
    for asked in service.asked:
        assert asked.filters == Filters(outlets=("The Daily",))
        assert asked.as_of == "2025-08-21"


async def test_parameters_without_effect_are_ignored():
    fields = {
        "model": None,
        "temperature": 0.2,
        "max_tokens": 5,
        "max_output_tokens": 5,
        "metadata": None,
        "user": "u",
        "store": True,
        "instructions": "Sing.",
        "tools": [{"type": "web_search"}],
        "tool_choice": "auto",
        "n": 1,
        "response_format": {"type": "text"},
        "text": {"format": {"type": "text"}, "verbosity": "low"},
        "modalities": ["text"],
        "previous_response_id": None,
        "background": False,
        "of_the_future": {"x": [1]},
    }
    async with client(FakeService(script=TWO_EVENTS)) as http:
        for path in (CHAT, RESPONSES):
            response = await http.post(path, json=asking(path, **fields))
            assert response.status_code == 200, response.text


async def test_documents_are_as_openapi_describes_them():
    async with client(FakeService(script=TWO_EVENTS)) as http:
        ChatCompletion.model_validate((await http.post(CHAT, json=asking(CHAT))).json())
        Response.model_validate((await http.post(RESPONSES, json=asking(RESPONSES))).json())
        ModelList.model_validate((await http.get("/v1/models")).json())


async def test_links_lead_to_the_public_address():
    service = FakeService(script=TWO_EVENTS, public_url="https://news.example/read/")
    async with client(service) as http:
        got = (await http.post(CHAT, json=asking(CHAT))).json()
    urls = [a["url_citation"]["url"] for a in got["choices"][0]["message"]["annotations"]]
    assert urls[1].startswith("https://news.example/read/articles/b:2?start=0&end=")
    assert urls[1].endswith("#quote")


async def test_a_stream_whose_end_differs_from_what_was_sent_ends_with_an_error():
    wrong = replace(TWO_EVENTS[-1].answer, text="Something else.")
    script = [*TWO_EVENTS[:3], replace(TWO_EVENTS[-1], answer=wrong)]
    async with client(FakeService(script=script)) as http:
        response = await http.post(CHAT, json=asking(CHAT, stream=True))
    assert "[DONE]" not in response.text
    last = json.loads(response.text.strip().rpartition("data: ")[2])
    assert last["error"]["type"] == "server_error"
