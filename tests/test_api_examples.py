"""Every operation has examples, of what is sent and of what comes back, and they are true."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from api.app import create_app
from api.examples import ANSWER, ARTICLE
from tests.fakes import FakeService

DOCUMENT: dict[str, Any] = json.loads(json.dumps(create_app(FakeService()).openapi()))
OPERATIONS = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}


def assert_fits(example: object, schema: dict[str, Any]) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    jsonschema.validate(example, whole, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_has_an_example_that_fits_its_schema(name):
    operation = OPERATIONS[name]
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for media_type, content in (
        (t, c) for body in bodies for t, c in body.get("content", {}).items()
    ):
        assert content["example"], media_type
        if "schema" in content:
            assert_fits(content["example"], content["schema"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_has_an_example_that_fits_its_schema(name):
    for parameter in OPERATIONS[name].get("parameters", []):
        for example in parameter["schema"]["examples"]:
            assert_fits(example, parameter["schema"])


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_link_leads_to_an_operation_and_fills_its_parameters(name):
    for response in OPERATIONS[name]["responses"].values():
        for link in response.get("links", {}).values():
            target = OPERATIONS[link["operationId"]]
            known = {parameter["name"] for parameter in target.get("parameters", [])}
            assert link.get("parameters", {}).keys() <= known


def test_the_example_answer_keeps_the_promises_of_every_answer():
    (sentence,), (citation,) = ANSWER.sentences, ANSWER.citations
    assert ANSWER.text[sentence.start : sentence.end] == sentence.text
    assert ARTICLE.text[citation.start : citation.end] == citation.quote == sentence.text
    assert ARTICLE.text[citation.start - 1] + ARTICLE.text[citation.end] == (
        citation.prefix + citation.suffix
    )
