"""Examples for every operation of the OpenAPI document, and the links between operations.

The examples are made by the encoders that make the responses, so they cannot differ in shape.
"""

from __future__ import annotations

from http import HTTPStatus

from api import encoders
from api.encoders import Json
from api.openai import chat, models, responses
from api.openai.errors import error_of, speaks_openai
from api.openai.writing import Heading
from api.problems import INTERNAL, INVALID, KINDS, MALFORMED, kind_of_status, problem
from api.security import MISSING_SCOPE, NO_KEY
from rag.storage.feedback import Feedback
from rag.types import Answer, Article, Citation, Evidence, Passage, Sentence, Understood

ASKED = "What did India say about terrorism?"
QUOTE = "I conveyed India’s resolve to adopt a zero tolerance policy against terrorism."
ARTICLE = Article(
    id="art_0123456789abcdef",
    text=f"The ministers met in Moscow on Thursday.\n“{QUOTE}”\n",
    url="https://news.example/moscow",
    title="Ministers meet in Moscow",
    outlet="The Daily",
    author="A. Reporter",
    published_at="2025-08-21",
    language="en",
)
_START = ARTICLE.text.index(QUOTE)
_END = _START + len(QUOTE)
_CHUNK = f"{ARTICLE.id}:0"
_KNOWN = (ARTICLE.title, ARTICLE.outlet, ARTICLE.author, ARTICLE.published_at, ARTICLE.url)
PASSAGE = Passage(1, 0.9, ARTICLE.id, _CHUNK, ARTICLE.text, 0, len(ARTICLE.text), *_KNOWN)
ANSWER = Answer(
    id="ans_5f0c2d",
    question=ASKED,
    status="answered",
    text=f"{QUOTE} [1]",
    sentences=(Sentence(QUOTE, 0, len(QUOTE), "exact", (1,)),),
    citations=(Citation(1, ARTICLE.id, _CHUNK, *_KNOWN, QUOTE, _START, _END, "“", "”"),),
    nearest=(),
    withheld=0,
    understood=Understood(),
    standalone_question=ASKED,
    fallback=None,
    prompt=None,
    model="extractive",
)
FEEDBACK = Feedback(
    id="fb_5f0c2d",
    answer_id=ANSWER.id,
    rating="up",
    created_at="2025-08-21T09:30:00+00:00",
    reason="to the point",
    note=None,
    question=ASKED,
    status="answered",
)

_ASK = {"question": ASKED, "filters": {"published_from": "2025-08-01"}}
_GIVEN = encoders.article_json(ARTICLE)
_PAGE = '<!doctype html>\n<html lang="en"><title>Dateline</title>…</html>\n'

REQUESTS: dict[str, Json] = {
    "ask": _ASK,
    "search": {**_ASK, "limit": 5},
    "add_article": {name: value for name, value in _GIVEN.items() if name != "id" and value},
    "put_article": _GIVEN,
    "give_feedback": {"answer_id": ANSWER.id, "rating": "up", "reason": "to the point"},
    "create_chat_completion": {
        "model": "dateline",
        "messages": [{"role": "user", "content": ASKED}],
    },
    "create_response": {"model": "dateline", "input": ASKED},
}

DOCUMENTS = {
    "text/html": f"<html lang='en'><title>{ARTICLE.title}</title>"
    f"<article><p>“{QUOTE}”</p></article></html>",
    "text/markdown": f"---\noutlet: {ARTICLE.outlet}\ndate: 2025-08-21\n---\n# {ARTICLE.title}\n\n"
    f"“{QUOTE}”\n",
    "text/plain": ARTICLE.text,
}

_ID, _ANSWER_ID = "$response.body#/id", {"answer_id": "$response.body#/id"}
_OF_ARTICLE = {
    name: {"operationId": operation, "parameters": {"article_id": _ID}}
    for name, operation in {
        "get": "get_article",
        "read": "article_page",
        "replace": "put_article",
        "delete": "delete_article",
    }.items()
}
_OF_ANSWER = {
    "get": {"operationId": "get_answer", "parameters": _ANSWER_ID},
    "read": {"operationId": "answer_page", "parameters": _ANSWER_ID},
    "rate": {"operationId": "give_feedback", "requestBody": {**_ANSWER_ID, "rating": "up"}},
}

LINKS: dict[tuple[str, str], Json] = {
    ("add_article", "201"): _OF_ARTICLE,
    ("put_article", "201"): _OF_ARTICLE,
    ("ask", "200"): _OF_ANSWER,
    ("list_articles", "200"): {
        "next": {"operationId": "list_articles", "parameters": {"after": "$response.body#/next"}}
    },
    ("list_feedback", "200"): {
        "next": {"operationId": "list_feedback", "parameters": {"after": "$response.body#/next"}}
    },
}


def complete(document: Json, public_url: str) -> None:
    """Add the examples and the links to the OpenAPI document of a service at that address."""
    answered = _responses(public_url)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            name = operation["operationId"]
            for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
                content["example"] = DOCUMENTS.get(media_type) or REQUESTS[name]
            for status, response in operation["responses"].items():
                if links := LINKS.get((name, status)):
                    response["links"] = links
                for media_type, content in response.get("content", {}).items():
                    example: Json | str | None = answered.get(name)
                    if media_type == "text/html":
                        example = _PAGE
                    elif status == "503" and name == "readiness":
                        example = {"status": "unavailable", "parts": {"library": "down: …"}}
                    elif status >= "400":
                        example = _error(int(status), path)
                    content.setdefault("example", example)


def _responses(public_url: str) -> dict[str, Json]:
    """What each operation answers with where all is well."""
    created = models.CREATED
    summary = encoders.article_json(ARTICLE, text=False)
    feedback = encoders.feedback_json(FEEDBACK)
    answer = encoders.answer_json(ANSWER)
    return {
        "health": {"status": "ok"},
        "readiness": {"status": "ready", "parts": {"library": "ok: 1 articles, 1 chunks"}},
        "ask": answer,
        "get_answer": answer,
        "search": encoders.search_json(Evidence((PASSAGE,), {})),
        "give_feedback": feedback,
        "list_feedback": {"feedback": [feedback], "next": None},
        "list_articles": {"articles": [summary], "next": None},
        **dict.fromkeys(("add_article", "get_article", "put_article"), _GIVEN),
        "create_chat_completion": chat.completion(ANSWER, public_url) | {"created": created},
        "create_response": responses.completed(ANSWER, Heading("5f0c2d", created), {}, public_url),
        "list_models": models.LISTED,
        "get_model": models.DATELINE,
    }


def _error(status: int, path: str) -> Json:
    known = (MALFORMED, NO_KEY, MISSING_SCOPE, INVALID, INTERNAL, *KINDS.values())
    fitting = (kind for kind in known if kind.status == status)
    kind = next(fitting, kind_of_status(HTTPStatus(status)))
    document = problem(kind, "What is wrong, and what to do about it.", "5f0c2d")
    return error_of(document)[1] if speaks_openai(path) else document
