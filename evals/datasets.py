"""Which questions are asked of which articles: gold files, folders, and the library they need."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.cases import GoldError, GoldEvidence, GoldQuestion, load_cases, resolve_articles
from evals.metrics import Gold
from rag.ports import Progress
from rag.service import Service
from rag.settings import Settings
from rag.types import Skipped, Span

Opener = Callable[[Settings], AbstractAsyncContextManager[Service]]

_ROOT = Path(__file__).resolve().parent.parent
GOLD = _ROOT / "evals" / "gold"
SEEDS = _ROOT / "seeds"
DEFAULT = "seed"

_ARTICLES = {"seed": SEEDS, "dialogues": GOLD / "news" / "articles.jsonl"}
"""Of the gold files that are built in."""

# What decides which chunks and vectors a text gets: when it changes, cached libraries are stale.
_INGEST_CODE = ("sentences", "tokens", "chunking", "embedding", "ingest")


@dataclass(frozen=True, slots=True)
class Dataset:
    """Gold questions and where their articles are; `articles` None means the user's own library."""

    name: str
    questions: Path
    cases: tuple[GoldQuestion, ...]
    articles: Path | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A service over a data set's articles; `golds` holds each question's evidence in it, by id."""

    service: Service
    golds: dict[str, tuple[Gold, ...]]
    articles_hash: str | None
    skipped: tuple[Skipped, ...] = ()


def find_dataset(name: str, articles: Path | None = None) -> Dataset:
    """The data set of that name in `evals/gold`, else of that path (a gold file or a folder).

    Raises `GoldError` saying what exists.
    """
    for path in (GOLD / f"{name}.jsonl", GOLD / name, Path(name)):
        if path.is_dir():
            questions, own = path / "questions.jsonl", path / "articles.jsonl"
            if not questions.is_file() or not (articles or own.is_file()):
                raise GoldError(f"{path}: a folder needs articles.jsonl and questions.jsonl")
            return Dataset(path.name, questions, load_cases(questions), articles or own)
        if path.is_file():
            own_articles = articles or (_ARTICLES.get(path.stem) if path.parent == GOLD else None)
            return Dataset(path.stem, path, load_cases(path), own_articles)
    sets = (path for path in GOLD.iterdir() if path.is_dir() or path.suffix == ".jsonl")
    known = ", ".join(sorted(path.stem for path in sets))
    raise GoldError(f"{name}: there is no such gold file or folder; built in: {known}")


@asynccontextmanager
async def open_dataset(
    dataset: Dataset, settings: Settings, open_service: Opener, progress: Progress | None = None
) -> AsyncIterator[Opened]:
    """A service that has the data set's articles, those ingested first where that is needed.

    Articles that come with the data set go into a library of their own below the data directory,
    so that they never mix with the user's and a second run embeds nothing. Without any, the user's
    library is asked; if that is empty, `seeds/` stands in.
    """
    articles = dataset.articles
    if articles is None:
        async with open_service(settings) as service:
            if await service.sources():
                yield Opened(service, await _golds(dataset, service, settings.data_dir), None)
                return
        articles = SEEDS
    if not articles.exists():
        raise GoldError(f"{articles}: not found; name the articles with --articles PATH")
    content = hash_files(articles)
    async with open_service(_own_library(settings, content)) as service:
        report = await service.ingest([articles], progress=progress)
        golds = await _golds(dataset, service, articles)
        yield Opened(service, golds, content, report.failed)


def hash_files(path: Path) -> str:
    """SHA-256 of a file, or of every file in a folder with its place in it."""
    digest = hashlib.sha256()
    files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
    for file in files:
        digest.update(file.relative_to(path).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _own_library(settings: Settings, content: str) -> Settings:
    digest = hashlib.sha256(f"{content}\n{settings.embedding_model}".encode())
    for module in _INGEST_CODE:
        digest.update((_ROOT / "rag" / f"{module}.py").read_bytes())
    folder = settings.data_dir / "evals" / digest.hexdigest()[:16]
    return settings.model_copy(update={"data_dir": folder, "chroma_url": None})


async def _golds(dataset: Dataset, service: Service, where: Path) -> dict[str, tuple[Gold, ...]]:
    """Every question's evidence with its place in the library; `GoldError` if it isn't there."""
    ids, missing = resolve_articles(dataset.cases, await service.sources())
    if missing:
        shown = ", ".join(missing[:10]) + (", …" if len(missing) > 10 else "")
        raise GoldError(
            f"{dataset.questions}: {len(missing)} evidence articles are not in {where}: {shown}; "
            "ingest them, or name them with --articles PATH"
        )
    quoted = {ids[e.article] for case in dataset.cases for e in case.evidence if e.quote}
    texts = {article_id: (await service.article(article_id)).text for article_id in sorted(quoted)}
    return {
        case.id: tuple(dict.fromkeys(_gold(case, e, ids[e.article], texts) for e in case.evidence))
        for case in dataset.cases
    }


def _gold(
    case: GoldQuestion, evidence: GoldEvidence, article_id: str, texts: dict[str, str]
) -> Gold:
    if evidence.quote is None:
        return Gold(article_id)
    start = texts[article_id].find(evidence.quote)
    if start < 0:
        raise GoldError(f"question {case.id}: {evidence.quote!r} is not in {evidence.article}")
    return Gold(article_id, evidence.quote, Span(start, start + len(evidence.quote)))
