"""An answer of two sentences and three citations, and a socket to ask for it: what the tests of
the routes for OpenAI's clients share."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from api.app import create_app
from rag.types import Finished, PassagesFound, Sentence, SentenceReady, Started, Usage
from tests.fakes import FakeService, abstention
from tests.http_samples import ANSWER, CITATION, LEAD, PASSAGE, SAID

QUESTION = "What did India say?"
FROM_NOWHERE = replace(
    CITATION,
    number=2,
    article_id="b:2",
    url=None,
    title=None,
    outlet=None,
    published_at=None,
    quote=LEAD,
    start=0,
    end=len(LEAD),
)
OF_AN_OUTLET = replace(FROM_NOWHERE, number=3, outlet="The Daily", url="javascript:alert(1)")
FIRST = Sentence(LEAD, 0, len(LEAD), "exact", (1, 2))
_START = len(f"{LEAD} [1][2] ")
SECOND = Sentence(SAID, _START, _START + len(SAID), "supported", (3, 1))
TWO = replace(
    ANSWER,
    id="ans_5f0c2d",
    text=f"{LEAD} [1][2] {SAID} [3][1]",
    sentences=(FIRST, SECOND),
    citations=(CITATION, FROM_NOWHERE, OF_AN_OUTLET),
    usage=Usage(70, 7),
)
TWO_EVENTS = (
    Started("ans_5f0c2d", QUESTION),
    PassagesFound((PASSAGE,)),
    SentenceReady(0, FIRST, (CITATION, FROM_NOWHERE)),
    SentenceReady(1, SECOND, (OF_AN_OUTLET,)),
    Finished(TWO),
)
ABSTAINED = (TWO_EVENTS[0], PassagesFound(()), Finished(abstention(QUESTION)))
SPANS = [  # of each annotation: the sentence, the quote, the title, the url's beginning
    (LEAD, SAID, "India and Russia", "https://news.example/a1"),
    (LEAD, LEAD, "b:2", f"/articles/b:2?start=0&end={len(LEAD)}#quote"),
    (SAID, LEAD, "The Daily", f"/articles/b:2?start=0&end={len(LEAD)}#quote"),
    (SAID, SAID, "India and Russia", "https://news.example/a1"),
]


def spans(text: str, annotations: list[dict], public_url: str) -> list[tuple[str, str, str, str]]:
    """What annotations say of a text, to be compared with SPANS."""
    return [
        (
            text[one["start_index"] : one["end_index"]],
            one["quote"],
            one["title"],
            one["url"].removeprefix(public_url),
        )
        for one in annotations
    ]


@contextmanager
def served(service: FakeService) -> Iterator[str]:
    """The address of a server in a thread over the service."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    app = create_app(service, port=port)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
