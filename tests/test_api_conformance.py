"""The whole OpenAPI document holds: schemathesis asks every operation, alone and in chains."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import FlakyStrategyDefinition, Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from hypothesis.strategies import SearchStrategy
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from api.app import create_app
from api.examples import LINKS, REQUESTS
from api.uploads import DOCUMENTS
from rag.service import Service
from rag.storage.keys import make_key
from tests.fakes import FakeService
from tests.wired import BRIDGE, client_of, wired

load_all_checks()
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "missing_required_header",
    "unsupported_method",
    "allow_header_conformance",
)
ALWAYS = [CHECKS.get_one(name) for name in NAMES]
IN_CHAINS = [*ALWAYS, CHECKS.get_one("use_after_free")]
REFUSALS = [400, 401, 403, 404, 405, 406, 413, 415, 422]  # 413: texts of a million characters
CONFIG = {"checks": {"negative_data_rejection": {"expected-statuses": REFUSALS}}}

BOUNDED = settings(
    max_examples=15,
    stateful_step_count=6,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
READ_IN_A_PROCESS = ("add_article", "put_article")  # a second for each document

DOCUMENT = create_app(FakeService()).openapi()
BODIES = {**REQUESTS, "put_article": REQUESTS["add_article"]}  # without an id of its own
OPERATIONS = {
    operation["operationId"]: operation
    for operations in DOCUMENT["paths"].values()
    for operation in operations.values()
}


@contextmanager
def opened(data: Path, **settings: object) -> Iterator[Service]:
    """A wired service in a thread of its own: schemathesis asks from ours."""
    ready, done = threading.Event(), threading.Event()
    services: list[Service] = []

    async def run() -> None:
        async with wired(data, BRIDGE, **settings) as service:
            services.append(service)
            ready.set()
            await asyncio.to_thread(done.wait)

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    try:
        assert ready.wait(60)
        yield services[0]
    finally:
        done.set()
        thread.join()


@pytest.fixture(scope="module")
def unlocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[schemathesis.BaseSchema]:
    """The document of a service without keys."""
    with opened(tmp_path_factory.mktemp("open") / "data") as service:
        app = create_app(service, host="0.0.0.0", allow_open=True)
        yield schemathesis.openapi.from_asgi("/openapi.json", app, config=config())


@pytest.fixture(scope="module")
def locked(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[schemathesis.BaseSchema, dict[str, str], dict[str, str]]]:
    """The document of a service with keys, with headers that have one that may do everything, and
    one that may do nothing from here."""
    with opened(tmp_path_factory.mktemp("keyed") / "data", public_pages=False) as service:
        now = datetime.now(UTC)
        able = make_key("able", ("admin",), (), now)
        foreign = make_key("foreign", ("ask",), ("https://news.example",), now)
        for key in (able, foreign):
            service.keys.add(key)
        good, poor = ({"Authorization": f"Bearer {key.token}"} for key in (able, foreign))
        app = create_app(service, host="0.0.0.0")
        document = schemathesis.openapi.from_asgi(
            "/openapi.json", app, config=config(), headers=good
        )
        yield document, good, poor


@pytest.fixture(autouse=True)
def no_traceback(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    with caplog.at_level(logging.INFO):
        yield
    assert not [record for record in caplog.records if record.exc_info]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_answers_as_documented_whatever_it_is_asked(unlocked, name):
    operation = unlocked.find_operation_by_id(name)
    for mode in GenerationMode:
        with suppress(Unsatisfiable):  # of some, nothing that is asked can be wrong
            _ask(operation.as_strategy(generation_mode=mode), ALWAYS, _examples(name))


async def test_the_links_of_a_response_lead_to_what_they_say(tmp_path):
    placed = {
        operation["operationId"]: (method, path)
        for path, operations in DOCUMENT["paths"].items()
        for method, operation in operations.items()
    }
    async with wired(tmp_path / "data", BRIDGE) as service, client_of(service) as http:
        for (name, status), links in LINKS.items():
            method, path = placed[name]
            sent = {"json": BODIES[name]} if name in BODIES else {}
            first = await http.request(method, path.replace("{article_id}", "new"), **sent)
            assert first.status_code == int(status)
            for link in links.values():
                await _follow(http, link, placed[link["operationId"]], first.json())


async def _follow(http, link, place, found) -> None:
    def filled(given: dict) -> dict:
        return {
            name: found[value.rpartition("/")[2]] if value.startswith("$") else value
            for name, value in given.items()
        }

    method, path = place
    parameters = filled(link.get("parameters", {}))
    body = filled(link.get("requestBody", {})) or BODIES.get(link["operationId"])
    query = {k: v for k, v in parameters.items() if f"{{{k}}}" not in path and v is not None}
    sent = {"json": body} if body else {}
    answered = await http.request(method, path.format(**parameters), params=query, **sent)
    assert answered.status_code < 300, (method, path)


@pytest.mark.parametrize("name", [name for name, one in OPERATIONS.items() if "security" in one])
def test_with_keys_an_operation_answers_as_documented_and_nobody_without_one(locked, name):
    schema, good, poor = locked
    operation = schema.find_operation_by_id(name)
    _ask(operation.as_strategy(), ALWAYS, 2, headers=good)

    @given(case=operation.as_strategy())
    @settings(BOUNDED, max_examples=2)
    def refused(case: schemathesis.Case) -> None:
        for headers, status in (({}, 401), ({"Authorization": "Bearer x"}, 401), (poor, 403)):
            response = case.call_and_validate(checks=ALWAYS, headers=headers)
            assert response.status_code == status

    refused()


def test_operations_that_follow_each_other_answer_as_documented(unlocked):
    reached: set[tuple[str, int]] = set()

    class Chain(unlocked.as_state_machine()):
        def validate_response(self, response, case, *_: object, **more: object) -> None:
            reached.add((case.operation.definition.raw["operationId"], response.status_code))
            case.validate_response(response, checks=_fitting(case, IN_CHAINS))

    # What is drawn depends on the ids that the service makes by chance, so that Hypothesis, which
    # expects the same again, ends some of the runs early.
    for number in range(8):
        with suppress(FlakyStrategyDefinition):
            run_state_machine_as_test(
                seed(number)(Chain), settings=settings(BOUNDED, max_examples=3)
            )
    assert reached & {("get_article", 200), ("delete_article", 204), ("article_page", 200)}


def config() -> schemathesis.Config:
    return schemathesis.Config.from_dict(CONFIG)


def _fitting(case: schemathesis.Case, checks: list) -> list:
    """The checks that can be right: whatever is sent as a text is a text, so is never refused."""
    return [one for one in checks if case.media_type not in DOCUMENTS or "negative" not in str(one)]


def _examples(name: str) -> int:
    return 5 if name in READ_IN_A_PROCESS else 12


def _ask(cases: SearchStrategy, checks: list, examples: int, **sent: object) -> None:
    @given(case=cases)
    @settings(BOUNDED, max_examples=examples)
    def ask(case: schemathesis.Case) -> None:
        case.call_and_validate(checks=_fitting(case, checks), **sent)

    ask()
