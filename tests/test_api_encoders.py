"""The documents have exactly the contract's fields, in its order, and the models describe them."""

import json
from dataclasses import replace

import pytest

from api import schemas
from api.encoders import answer_json, article_json, event, json_bytes, search_json
from rag.types import Conflict
from tests.http_samples import ANSWER, ARTICLE, EVENTS, EVIDENCE, PASSAGE

ANSWER_FIELDS = (
    "id question status text sentences citations nearest conflicts withheld understood "
    "standalone_question fallback prompt model usage timings_ms"
).split()
CITATION_FIELDS = (
    "number article_id chunk_id title outlet author published_at url quote start end prefix suffix"
).split()
PASSAGE_FIELDS = (
    "rank article_id chunk_id title outlet author published_at url text start end copies"
).split()
ARTICLE_FIELDS = "id url title outlet author published_at updated_at language text".split()


def full_answer():
    conflict = Conflict("changed", ((1,), (2, 3)))
    return replace(ANSWER, nearest=(PASSAGE,), conflicts=(conflict,))


def test_an_answer_has_the_contracts_fields_in_its_order():
    document = answer_json(full_answer())
    assert list(document) == ANSWER_FIELDS
    assert list(document["sentences"][0]) == ["text", "start", "end", "support", "citations"]
    assert list(document["citations"][0]) == CITATION_FIELDS
    assert list(document["nearest"][0]) == PASSAGE_FIELDS
    assert document["nearest"][0]["copies"] == [{"article_id": "a2", "outlet": None}]
    assert document["conflicts"] == [{"kind": "changed", "sides": [[1], [2, 3]]}]
    assert document["understood"] == {
        "as_of": None,
        "published_from": None,
        "published_to": None,
        "outlets": ["The Daily"],
        "latest": False,
    }
    assert document["prompt"] == {"name": "answer", "version": "1"}
    assert document["usage"] == {"prompt_tokens": 0, "completion_tokens": 0}
    assert document["timings_ms"] == {"retrieve": 0, "generate": 0, "total": 0}


def test_an_answer_without_a_prompt_has_null_there():
    assert answer_json(replace(ANSWER, prompt=None))["prompt"] is None


def test_an_article_has_the_contracts_fields_and_not_the_path_it_was_read_from():
    assert list(article_json(ARTICLE)) == ARTICLE_FIELDS
    assert list(article_json(ARTICLE, text=False)) == ARTICLE_FIELDS[:-1]
    assert "/secret" not in json.dumps(article_json(ARTICLE))


@pytest.mark.parametrize(
    ("document", "model"),
    [
        (answer_json(full_answer()), schemas.Answer),
        (search_json(EVIDENCE), schemas.SearchResults),
        (article_json(ARTICLE), schemas.Article),
        (article_json(ARTICLE, text=False), schemas.ArticleSummary),
    ],
)
def test_the_models_describe_exactly_what_is_sent(document, model):
    assert json.loads(model.model_validate_json(json_bytes(document)).model_dump_json()) == document


def test_each_event_has_its_name():
    assert [event(one)[0] for one in EVENTS] == ["start", "passages", "sentence", "done"]
    assert event(EVENTS[-1])[1] == answer_json(ANSWER)


def test_text_is_sent_as_utf8_and_half_a_surrogate_pair_does_not_break_it():
    assert json_bytes({"text": "ज🇮🇳\u0000"}) == '{"text":"ज🇮🇳\\u0000"}'.encode()
    assert json.loads(json_bytes({"text": "a\ud800b"}))["text"] == "a?b"
