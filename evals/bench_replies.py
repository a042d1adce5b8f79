"""What the scripted LLM is to say: sentences that the articles support, and when they are whole."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path

from evals.datasets import find_dataset
from rag.bootstrap import Parts, open_service
from rag.citations import Verifier
from rag.drafts import DraftReader
from rag.language import SpacyAnalyser
from rag.prompting import load_prompt
from rag.sentences import sentence_spans
from rag.service import Service
from rag.settings import Settings
from rag.types import Claim, Evidence, PassagesFound, Question, SentenceReady

DATA = "news"
QUESTIONS = 12
WORDS = 400  # no answer is longer
_SENTENCE_WORDS = range(5, 60)
_REPEATS = 3


@dataclass(frozen=True, slots=True)
class Reply:
    """A question, and sentences that answer it, each with the label of its passage.

    `verify_s` is what it takes to verify the first, in a process that does nothing else.
    """

    question: str
    sentences: tuple[str, ...]
    verify_s: float

    def pieces(self, count: int | None = None) -> list[str]:
        """The first `count` sentences in pieces of about a token: five characters at most."""
        return re.findall(r"\s*\S{1,5}", " ".join(self.sentences[:count]))

    def whole(self) -> list[str]:
        """The sentences in a piece each."""
        return [f"{sentence} " for sentence in self.sentences]


def decided_at(pieces: Sequence[str]) -> list[int]:
    """For each sentence of a reply, the piece with which it is known to be whole; for those that
    the end decides, the last."""
    reader = DraftReader()
    places = [n for n, piece in enumerate(pieces) for _ in reader.feed(piece)]
    return places + [len(pieces) - 1 for _ in reader.close()]


async def prepare(data: Path) -> list[Reply]:
    """Take in the articles, and find replies of which every sentence is shown as it stands."""
    dataset = find_dataset(DATA)
    assert dataset.articles
    asked = [case.question for case in dataset.cases if case.answerable][:QUESTIONS]
    model = _QuotingModel()
    async with open_service(Settings(_env_file=None, data_dir=data), Parts(model=model)) as service:
        await service.ingest([dataset.articles])
        replies = [await _reply(service, model, question) for question in asked]
    return [reply for reply in replies if len(reply.sentences) > 1]


class _QuotingModel:
    """Says the sentences that it is given."""

    model = "quoting"
    state = "ok"

    def __init__(self) -> None:
        self.sentences: Sequence[str] = ()

    async def stream(
        self, messages: Sequence[tuple[str, str]], max_tokens: int
    ) -> AsyncGenerator[str]:
        """The sentences, a piece each."""
        for sentence in self.sentences:
            yield f"{sentence} "


async def _reply(service: Service, model: _QuotingModel, text: str) -> Reply:
    question = Question(text)
    evidence = await _evidence(service, question)
    labels = load_prompt("answer").render(question, evidence, 3000).labels
    model.sentences = _candidates(evidence, labels)
    shown = await _shown(service, question)
    kept = [s for s in model.sentences if s.rpartition(" [")[0] in shown]
    return Reply(text, tuple(kept), _verify_s(evidence, kept[0], labels) if kept else 0.0)


def _verify_s(evidence: Evidence, sentence: str, labels: Mapping[str, Sequence[str]]) -> float:
    verifier = Verifier(evidence, SpacyAnalyser())
    text, _, label = sentence.rstrip("]").rpartition(" [")
    claim = Claim(text, tuple(labels[label]))
    took = []
    for _ in range(_REPEATS):
        began = time.monotonic()
        verifier.verify(verifier.settle(claim))
        took.append(time.monotonic() - began)
    return statistics.median(took)


async def _evidence(service: Service, question: Question) -> Evidence:
    """What the question is answered from."""
    evidence = await service.search(question, 100)
    async with aclosing(service.answer(question, keep=False)) as events:
        async for event in events:
            if isinstance(event, PassagesFound):
                return replace(evidence, passages=event.passages)
    return evidence


def _candidates(evidence: Evidence, labels: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences of the passages, with the labels that these have in the prompt."""
    found: dict[str, str] = {}
    for label, chunk_ids in labels.items():
        for passage in evidence.passages:
            if passage.chunk_id in chunk_ids:
                for span in sentence_spans(passage.text):
                    sentence = " ".join(passage.text[span.start : span.end].split())
                    if len(sentence.split()) in _SENTENCE_WORDS:
                        found.setdefault(sentence, label)
    return [f"{sentence} [{label}]" for sentence, label in found.items()]


async def _shown(service: Service, question: Question) -> set[str]:
    """The sentences that are shown."""
    async with aclosing(service.answer(question, keep=False)) as events:
        return {e.sentence.text async for e in events if isinstance(e, SentenceReady)}
