"""Plain ways to pick three sentences, from the passages that the answer was made of."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from contextlib import closing

import numpy as np

from evals.cases import GoldQuestion
from evals.metrics import Gold
from evals.scoring import text_scores
from rag.sentences import sentence_spans
from rag.service import Service
from rag.types import Passage

PICKERS = ("lead-3", "bm25-3", "dense-3")

SENTENCES = 3


async def picked_scores(
    service: Service,
    case: GoldQuestion,
    golds: Sequence[Gold],
    names: Collection[str],
    passages: Sequence[Passage],
) -> dict[str, dict[str, float]]:
    """The scores of each named way to pick, by its name: the first sentences of the best passage,
    or of all passages those that BM25 or the cosine to the question puts first, in reading order.

    None of them ever abstains.
    """
    if not names or not case.answerable:
        return {}
    sentences = _sentences(passages)
    picked: Mapping[str, Sequence[int]] = {
        "lead-3": range(min(SENTENCES, len(_sentences(passages[:1])))),
        "bm25-3": by_bm25(case.question, sentences),
        "dense-3": await _by_cosine(service, case.question, sentences)
        if "dense-3" in names
        else (),
    }
    return {
        name: text_scores(case, golds, " ".join(sentences[i] for i in sorted(picked[name])))
        for name in names
    }


def _sentences(passages: Sequence[Passage]) -> list[str]:
    """The sentences of the passages, best passage first, each once."""
    cut = (p.text[s.start : s.end] for p in passages for s in sentence_spans(p.text, "en"))
    return list(dict.fromkeys(cut))


def by_bm25(question: str, sentences: Sequence[str]) -> list[int]:
    """The numbers of the best sentences by SQLite's BM25 of the question's stemmed words."""
    terms = " OR ".join(f'"{word}"' for word in re.findall(r"[^\W_]+", question))
    if not terms:
        return []
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("create virtual table pool using fts5(text, tokenize='porter unicode61')")
        rows = enumerate(sentences)
        database.executemany("insert into pool(rowid, text) values (?, ?)", rows)
        found = database.execute(
            "select rowid from pool where pool match ? order by bm25(pool), rowid limit ?",
            (terms, SENTENCES),
        )
        return [int(row[0]) for row in found]


async def _by_cosine(service: Service, question: str, sentences: Sequence[str]) -> list[int]:
    similarities = await service.similarities(question, sentences)
    best: list[int] = np.argsort(-similarities, kind="stable")[:SENTENCES].tolist()
    return best
