"""The domain's values as the JSON documents of the public contract.

Pure functions: HTTP, server-sent events and the command line's `--json` print the same documents.
"""

from __future__ import annotations

import json
from typing import Any

from rag.storage.feedback import Feedback
from rag.types import (
    Answer,
    AnswerEvent,
    Article,
    Citation,
    Conflict,
    Evidence,
    Finished,
    Passage,
    PassagesFound,
    Sentence,
    SentenceReady,
    Started,
    Understood,
)

Json = dict[str, Any]


def json_bytes(document: Json) -> bytes:
    """The document as compact UTF-8; half a surrogate pair, which no encoding has, becomes `?`."""
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "replace")


def answer_json(answer: Answer) -> Json:
    """An Answer, its fields in the contract's order."""
    return {
        "id": answer.id,
        "question": answer.question,
        "status": answer.status,
        "text": answer.text,
        "sentences": [_sentence(sentence) for sentence in answer.sentences],
        "citations": [_citation(citation) for citation in answer.citations],
        "nearest": [_passage(passage) for passage in answer.nearest],
        "conflicts": [_conflict(conflict) for conflict in answer.conflicts],
        "withheld": answer.withheld,
        "understood": _understood(answer.understood),
        "standalone_question": answer.standalone_question,
        "fallback": answer.fallback,
        "prompt": answer.prompt and {"name": answer.prompt.name, "version": answer.prompt.version},
        "model": answer.model,
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
        },
        "timings_ms": {
            "retrieve": answer.timings_ms.retrieve,
            "generate": answer.timings_ms.generate,
            "total": answer.timings_ms.total,
        },
    }


def search_json(evidence: Evidence) -> Json:
    """What a search found, best first, and how its question was understood."""
    return {
        "passages": [_passage(passage) for passage in evidence.passages],
        "understood": _understood(evidence.understood),
    }


def article_json(article: Article, *, text: bool = True) -> Json:
    """An article; `text=False` leaves its text out, as in lists."""
    document: Json = {
        "id": article.id,
        "url": article.url,
        "title": article.title,
        "outlet": article.outlet,
        "author": article.author,
        "published_at": article.published_at,
        "updated_at": article.updated_at,
        "language": article.language,
    }
    return {**document, "text": article.text} if text else document


def feedback_json(feedback: Feedback) -> Json:
    """What a reader said of an answer, with the answer's question and status while it is stored."""
    return {
        "id": feedback.id,
        "answer_id": feedback.answer_id,
        "rating": feedback.rating,
        "reason": feedback.reason,
        "note": feedback.note,
        "created_at": feedback.created_at,
        "question": feedback.question,
        "status": feedback.status,
    }


def event(answer_event: AnswerEvent) -> tuple[str, Json]:
    """The name and the data of the server-sent event that carries an answer's event."""
    match answer_event:
        case Started(id=id_, question=question):
            return "start", {"id": id_, "question": question}
        case PassagesFound(passages=passages):
            return "passages", {"passages": [_passage(passage) for passage in passages]}
        case SentenceReady(index=index, sentence=sentence, new_citations=new):
            return "sentence", {
                "index": index,
                "text": sentence.text,
                "support": sentence.support,
                "citations": list(sentence.citations),
                "new_citations": [_citation(citation) for citation in new],
            }
        case Finished(answer=answer):
            return "done", answer_json(answer)


def _sentence(sentence: Sentence) -> Json:
    return {
        "text": sentence.text,
        "start": sentence.start,
        "end": sentence.end,
        "support": sentence.support,
        "citations": list(sentence.citations),
    }


def _citation(citation: Citation) -> Json:
    return {
        "number": citation.number,
        "article_id": citation.article_id,
        "chunk_id": citation.chunk_id,
        "title": citation.title,
        "outlet": citation.outlet,
        "author": citation.author,
        "published_at": citation.published_at,
        "url": citation.url,
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "prefix": citation.prefix,
        "suffix": citation.suffix,
    }


def _passage(passage: Passage) -> Json:
    return {
        "rank": passage.rank,
        "article_id": passage.article_id,
        "chunk_id": passage.chunk_id,
        "title": passage.title,
        "outlet": passage.outlet,
        "author": passage.author,
        "published_at": passage.published_at,
        "url": passage.url,
        "text": passage.text,
        "start": passage.start,
        "end": passage.end,
        "copies": [
            {"article_id": copy.article_id, "outlet": copy.outlet} for copy in passage.copies
        ],
    }


def _conflict(conflict: Conflict) -> Json:
    return {"kind": conflict.kind, "sides": [list(side) for side in conflict.sides]}


def _understood(understood: Understood) -> Json:
    return {
        "as_of": understood.as_of,
        "published_from": understood.published_from,
        "published_to": understood.published_to,
        "outlets": list(understood.outlets),
        "latest": understood.latest,
    }
