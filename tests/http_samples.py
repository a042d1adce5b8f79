"""An article, an answer about it, and a client: what the tests of the HTTP routes share."""

import json

import httpx

from api.app import create_app
from rag.types import (
    Answer,
    Article,
    Citation,
    Copy,
    Evidence,
    Finished,
    Passage,
    PassagesFound,
    PromptVersion,
    Sentence,
    SentenceReady,
    Started,
    Understood,
)
from tests.fakes import FakeService

BASE = "http://127.0.0.1:8000"
JSON = {"Content-Type": "application/json"}
LEAD = "India 🇮🇳 and Russia met in Moscow."
SAID = "I conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism."
ARTICLE = Article(
    id="a1",
    text=f"{LEAD}\n“{SAID}”\nThe visit began on Tuesday.",
    url="https://news.example/a1",
    title="India and Russia",
    outlet="The Daily",
    published_at="2025-08-21",
    language="en",
    source="/secret/path/a1.txt",
)
START = ARTICLE.text.index(SAID)
END = START + len(SAID)
PASSAGE = Passage(
    rank=1,
    score=0.5,
    article_id="a1",
    chunk_id="a1:0",
    text=ARTICLE.text,
    start=0,
    end=len(ARTICLE.text),
    title=ARTICLE.title,
    outlet=ARTICLE.outlet,
    published_at=ARTICLE.published_at,
    url=ARTICLE.url,
    copies=(Copy("a2", None),),
)
CITATION = Citation(
    number=1,
    article_id="a1",
    chunk_id="a1:0",
    title=ARTICLE.title,
    outlet=ARTICLE.outlet,
    author=None,
    published_at=ARTICLE.published_at,
    url=ARTICLE.url,
    quote=SAID,
    start=START,
    end=END,
    prefix="“",
    suffix="”",
)
SENTENCE = Sentence(SAID, 0, len(SAID), "exact", (1,))
ANSWER = Answer(
    id="ans_1",
    question="What did India say?",
    status="answered",
    text=f"{SAID} [1]",
    sentences=(SENTENCE,),
    citations=(CITATION,),
    nearest=(),
    withheld=1,
    understood=Understood(outlets=("The Daily",)),
    standalone_question="What did India say?",
    fallback=None,
    prompt=PromptVersion("answer", "1"),
    model="extractive",
)
EVENTS = (
    Started("ans_1", "What did India say?"),
    PassagesFound((PASSAGE,)),
    SentenceReady(0, SENTENCE, (CITATION,)),
    Finished(ANSWER),
)
EVIDENCE = Evidence((PASSAGE,), {"a1": ARTICLE})


def client(service: FakeService | None = None, **served: object) -> httpx.AsyncClient:
    """A client of the app over the service; errors come back as responses."""
    app = create_app(service or FakeService(ARTICLE, script=EVENTS, evidence=EVIDENCE), **served)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url=BASE)


def post_scope(path: str, **headers: str) -> dict[str, object]:
    """The ASGI scope of a POST of JSON, for tests that play the server themselves."""
    named = {"host": "127.0.0.1:8000", "content-type": "application/json", **headers}
    return {
        "type": "http",
        "method": "POST",
        "scheme": "http",
        "http_version": "1.1",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), v.encode()) for name, v in named.items()],
    }


def assert_problem(response: httpx.Response, status: int, *words: str) -> None:
    """The response is a well-formed problem of that status whose text has the words."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert list(problem) == ["type", "title", "status", "detail", "request_id"]
    assert problem["status"] == status
    assert problem["request_id"] == response.headers["x-request-id"]
    for word in words:
        assert word in problem["title"] + " " + problem["detail"]


def server_sent(body: str) -> list[tuple[str, dict]]:
    """The events of a stream, as (name, data); comments are left out."""
    events = []
    for block in body.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":")
        )
        if fields:
            events.append((fields["event"], json.loads(fields["data"])))
    return events
