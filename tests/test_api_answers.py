"""Stored answers and feedback over HTTP."""

import json
from dataclasses import replace

import pytest

from api.encoders import answer_json, json_bytes
from rag.bootstrap import open_service
from rag.settings import Settings
from tests.fakes import FakeService
from tests.http_samples import ANSWER, ARTICLE, assert_problem, client
from tests.test_bootstrap import ARTICLE as BRIDGE
from tests.test_bootstrap import FAKES, QUESTION

UP = {"answer_id": "ans_1", "rating": "up"}


def serving(**settings: object) -> FakeService:
    return FakeService(ARTICLE, answers=[ANSWER], **settings)


async def test_an_unknown_answer_is_a_404():
    async with client(serving()) as http:
        assert_problem(await http.get("/v1/answers/ans_9"), 404, "ans_9")
        response = await http.post("/v1/feedback", json={**UP, "answer_id": "ans_9"})
        assert_problem(response, 404, "ans_9")


@pytest.mark.parametrize("odd_id", ["a%20b", "x" * 129, "%D0%B0", "a%00b", "%FF", "%22%3E"])
async def test_an_id_that_no_answer_can_have_is_a_422(odd_id):
    async with client(serving()) as http:
        assert_problem(await http.get(f"/v1/answers/{odd_id}"), 422, "answer_id")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ({}, "answer_id"),
        ({"answer_id": "ans_1"}, "rating"),
        ({**UP, "rating": "sideways"}, "rating"),
        ({**UP, "rating": None}, "rating"),
        ({**UP, "answer_id": "a b"}, "answer_id"),
        ({**UP, "answer_id": "ans_1\n"}, "answer_id"),
        ({**UP, "reason": "x" * 201}, "reason"),
        ({**UP, "note": "x" * 4001}, "note"),
        ({**UP, "note": 7}, "note"),
        ({**UP, "stars": 5}, "stars: no such field"),
    ],
)
async def test_feedback_that_cannot_be_used_is_a_422(body, word):
    service = serving()
    async with client(service) as http:
        assert_problem(await http.post("/v1/feedback", json=body), 422, word)
    assert service.feedback == []


@pytest.mark.parametrize("given", [b'{"note": "\\ud800"', b"\xff", b""])
async def test_a_body_that_is_no_json_is_told(given):
    async with client(serving()) as http:
        response = await http.post(
            "/v1/feedback", content=given, headers={"Content-Type": "application/json"}
        )
        assert response.status_code in (400, 422)
        plain = await http.post("/v1/feedback", content=b"{}", headers={"Content-Type": "text/css"})
        assert_problem(plain, 415)


async def test_half_a_surrogate_pair_is_refused():
    async with client(serving()) as http:
        response = await http.post(
            "/v1/feedback",
            content=b'{"answer_id": "ans_1", "rating": "up", "note": "\\ud800"}',
            headers={"Content-Type": "application/json"},
        )
        assert_problem(response, 422, "note")


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=501", "after=x", "after=-1", "after=", f"after={'9' * 19}"]
)
async def test_a_page_that_cannot_be_is_a_422(query):
    async with client(serving()) as http:
        assert_problem(await http.get(f"/v1/feedback?{query}"), 422, query.partition("=")[0])


async def test_a_stored_answer_is_read_back_as_it_was_given():
    async with client(serving()) as http:
        response = await http.get("/v1/answers/ans_1")
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.content == json_bytes(answer_json(ANSWER))


async def test_feedback_is_stored_and_answered_with():
    note = "Wrong, “because” 🇮🇳\nof <b>this</b>"
    async with client(serving()) as http:
        first = await http.post("/v1/feedback", json={**UP, "rating": "down", "note": note})
        await http.post("/v1/feedback", json={**UP, "reason": "clear"})
        listed = (await http.get("/v1/feedback")).json()
    assert first.status_code == 201
    assert first.json() == {
        "id": "fb_0",
        "answer_id": "ans_1",
        "rating": "down",
        "reason": None,
        "note": note,
        "created_at": "2025-08-21T09:30:00+00:00",
        "question": ANSWER.question,
        "status": "answered",
    }
    assert [one["reason"] for one in listed["feedback"]] == ["clear", None]
    assert listed["feedback"][1] == first.json()
    assert listed["next"] is None


async def test_pages_hold_every_piece_of_feedback_once():
    seen, query = [], {"limit": 2}
    async with client(serving()) as http:
        assert (await http.get("/v1/feedback")).json() == {"feedback": [], "next": None}
        for _ in range(5):
            assert (await http.post("/v1/feedback", json=UP)).status_code == 201
        while True:
            page = (await http.get("/v1/feedback", params=query)).json()
            seen += [one["id"] for one in page["feedback"]]
            if page["next"] is None:
                break
            query["after"] = page["next"]
    assert seen == ["fb_4", "fb_3", "fb_2", "fb_1", "fb_0"]


async def test_an_answer_s_question_goes_from_its_document_into_none_of_its_headers():
    secret = replace(ANSWER, question="canary")
    async with client(FakeService(answers=[secret])) as http:
        response = await http.get("/v1/answers/ans_1")
    assert "canary" in response.text
    assert "canary" not in str(response.headers)


@pytest.mark.parametrize("streamed", [False, True])
async def test_an_answer_is_readable_from_when_it_was_given_until_its_article_is_gone(
    tmp_path, streamed
):
    settings = Settings(_env_file=None, data_dir=tmp_path / "data", llm_model=None, chroma_url=None)
    async with open_service(settings, FAKES) as service, client(service) as http:
        await http.put("/v1/articles/bridge", json={"text": BRIDGE.text})
        question = {"question": QUESTION.text, "stream": streamed}
        asked = await http.post("/v1/ask", json=question)
        given = asked.json() if not streamed else json.loads(asked.text.strip().split("data: ")[-1])
        assert given["status"] == "answered"
        assert (await http.get(f"/v1/answers/{given['id']}")).json() == given
        page = await http.get(f"/answers/{given['id']}")
        assert given["citations"][0]["quote"] in page.text
        said = await http.post("/v1/feedback", json={**UP, "answer_id": given["id"]})
        assert (await http.get("/v1/feedback")).json()["feedback"] == [said.json()]
        assert (await http.delete("/v1/articles/bridge")).status_code == 204
        for path in ("/answers/", "/v1/answers/"):
            assert (await http.get(f"{path}{given['id']}")).status_code == 404
        assert (await http.get("/v1/feedback")).json()["feedback"][0]["question"] is None
