"""The command line: `dateline`, or `python -m rag`."""

from __future__ import annotations

import asyncio
import codecs
import io
import json
import logging
import os
import signal
import sys
from collections.abc import Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from rag import options
from rag.errors import DatelineError, NotFoundError
from rag.settings import Settings, load_settings, unknown_settings
from rag.types import Answer, Finished, Question

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from rag.bootstrap import Service

ANSWERED, FAILED, ABSTAINED, INTERRUPTED = 0, 1, 3, 130  # wrong usage is typer's: 2
PAGE = 500

_OPTIONS = {  # of the fields of a request
    "published_from": "--from",
    "published_to": "--to",
    "outlets": "--outlet",
    "as_of": "--as-of",
    "filters": "--from, --to",
}

app = typer.Typer(
    name="dateline",
    help="Ask news articles: every sentence of the answer is backed by a verbatim quotation.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
articles_app = typer.Typer(help="List, show or delete stored articles.", no_args_is_help=True)
app.add_typer(articles_app, name="articles")


def main() -> None:
    """Run the command line; exits 0 done or answered, 1 failed, 2 wrong usage, 3 abstained."""
    logging.basicConfig(format="%(message)s")
    for chatty in ("htmldate", "trafilatura"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)  # an unreadable page is reported
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # what a terminal cannot show is no failure
    signal.signal(signal.SIGINT, _stop_at_once)
    app()


@app.command(epilog="Example: dateline ingest seeds/ feed.jsonl")
def ingest(
    paths: Annotated[list[Path], typer.Argument(help="Files and folders of articles.")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Remove articles whose files are gone from there.")
    ] = False,
    as_json: options.Json = False,
) -> None:
    """Take in articles: .txt, .md, .html and .jsonl files, or folders of them."""

    async def run() -> int:
        from rag.bootstrap import open_service
        from rag.terminal import print_report, progress, stderr

        async with open_service(_settings()) as service:
            with progress("Ingesting", stderr()) as tell:
                report = await service.ingest(paths, prune=prune, progress=tell)
        if as_json:
            _print_json(asdict(report))
        print_report(report, stderr())
        return FAILED if report.failed else ANSWERED

    _exit(run())


@app.command(epilog='Example: dateline ask "what did India say about terrorism?"')
def ask(
    question: Annotated[str, typer.Argument(help="What you want to know.")],
    published_from: options.From = None,
    published_to: options.To = None,
    outlet: options.Outlet = None,
    as_of: options.AsOf = None,
    as_json: options.Json = False,
) -> None:
    """Answer a question from the articles, with citations; exits 3 if they don't say."""
    asked = _question(question, published_from, published_to, outlet, as_of)

    async def run() -> int:
        answer, sources = await _answer(asked)
        if as_json:
            from api.encoders import answer_json

            _print_json(answer_json(answer))
        else:
            from rag.terminal import print_answer, stdout

            print_answer(answer, sources, stdout())
        return ANSWERED if answer.status == "answered" else ABSTAINED

    _exit(run())


@app.command(epilog='Example: dateline search "UN Security Council" --limit 3')
def search(  # noqa: PLR0913 (each option is a parameter)
    query: Annotated[str, typer.Argument(help="What to look for.")],
    limit: Annotated[int, typer.Option(min=1, max=100, help="Most passages to print.")] = 10,
    published_from: options.From = None,
    published_to: options.To = None,
    outlet: options.Outlet = None,
    as_of: options.AsOf = None,
    explain: options.Explain = False,
    as_json: options.Json = False,
) -> None:
    """Print the passages that a question would be answered from, best first."""
    asked = _question(query, published_from, published_to, outlet, as_of)

    async def run() -> int:
        from rag.bootstrap import open_service
        from rag.explaining import explained_json
        from rag.terminal import print_passages, stderr, stdout, working

        async with open_service(_settings()) as service:
            await _hint_if_empty(service)
            with working("Searching the articles …", stderr()):
                evidence = await service.search(asked, limit)
        if as_json:
            from api.encoders import search_json

            found = search_json(evidence)
            _print_json(explained_json(found, evidence) if explain else found)
        else:
            print_passages(evidence, stdout(), explain=explain)
        return ANSWERED

    _exit(run())


@app.command(epilog="Example: dateline serve --port 8000")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8000,
) -> None:
    """Start the service with its demo page."""

    async def run() -> int:
        from api.server import run_server

        return await run_server(_settings(), host, port)

    _exit(run())


@app.command(name="eval", epilog="Example: dateline eval seed --html report.html")
def evaluate(  # noqa: PLR0913 (each option is a parameter)
    datasets: options.Datasets = None,
    articles: options.Articles = None,
    limit: options.Limit = None,
    retrieval_only: options.RetrievalOnly = False,
    baseline: options.Baseline = None,
    peers: options.Peers = None,
    compare: options.Compare = None,
    out: options.Out = None,
    html: options.Html = None,
    report: options.Report = None,
    against: options.Against = None,
    verbose: options.Verbose = False,
    as_json: options.Json = False,
) -> None:
    """Ask gold questions and print how good retrieval, answers and citations are."""

    options.check_saved_runs(datasets, compare, report, against, html)

    async def run() -> int:
        from evals.run import EvalOptions, compare_saved, show_saved
        from evals.run import evaluate as run_evals
        from rag.terminal import progress, stderr

        if compare:
            return compare_saved(*compare, as_json=as_json)
        wanted = EvalOptions(
            articles=articles,
            limit=limit,
            retrieval_only=retrieval_only,
            out=out,
            json=as_json,
            verbose=verbose,
            baselines=tuple(baseline or ()),
            peers=peers,
            html=html,
            against=tuple(against or ()),
        )
        if report:
            return show_saved(report, wanted)
        with progress("Evaluating", stderr()) as tell:
            return await run_evals(datasets or [], wanted, _settings(), tell)

    _exit(run())


@app.command(epilog="Example: DATELINE_EMBEDDING_MODEL=intfloat/e5-small-v2 dateline reindex")
def reindex() -> None:
    """Encode the library anew under the embedding model of the settings."""

    async def run() -> int:
        from rag.bootstrap import open_service
        from rag.terminal import progress, stderr

        async with open_service(_settings()) as service:
            with progress("Reindexing", stderr()) as tell:
                await service.reindex(tell)
        return ANSWERED

    _exit(run())


@articles_app.command(name="list", epilog="Example: dateline articles list --json")
def articles_list(as_json: options.Json = False) -> None:
    """List every stored article."""

    async def run() -> int:
        from rag.bootstrap import open_service

        async with open_service(_settings()) as service:
            await _hint_if_empty(service)
            found, after = await service.article_page(None, PAGE)
            while after:
                page, after = await service.article_page(after, PAGE)
                found += page
        if as_json:
            from api.encoders import article_json

            _print_json({"articles": [article_json(article, text=False) for article in found]})
        else:
            from rag.terminal import print_articles, stdout

            print_articles(found, stdout())
        return ANSWERED

    _exit(run())


@articles_app.command(name="show", epilog="Example: dateline articles show art_0123456789abcdef")
def articles_show(
    article_id: Annotated[str, typer.Argument(help="The article's id.")],
    as_json: options.Json = False,
) -> None:
    """Print one article."""

    async def run() -> int:
        from rag.bootstrap import open_service

        async with open_service(_settings()) as service:
            article = await service.article(article_id)
        if as_json:
            from api.encoders import article_json

            _print_json(article_json(article))
        else:
            from rag.terminal import print_article, stdout

            print_article(article, stdout())
        return ANSWERED

    _exit(run())


@articles_app.command(name="delete", epilog="Example: dateline articles delete ID ID")
def articles_delete(
    article_ids: Annotated[list[str], typer.Argument(help="The articles' ids.")],
) -> None:
    """Delete articles with everything derived from them."""

    async def run() -> int:
        from rag.bootstrap import open_service

        deleted = 0
        async with open_service(_settings()) as service:
            for article_id in article_ids:
                try:
                    await service.delete_article(article_id)
                    deleted += 1
                except NotFoundError as error:
                    _warn(f"error: {error}")
        _warn(f"Articles: {deleted} deleted.")
        return ANSWERED if deleted == len(article_ids) else FAILED

    _exit(run())


async def _answer(question: Question) -> tuple[Answer, dict[str, str]]:
    """The answer, and the files that its citations' articles came from."""
    from rag.bootstrap import open_service
    from rag.terminal import stderr, working

    async with open_service(_settings()) as service:
        await _hint_if_empty(service)
        with working("Reading the articles …", stderr()):
            async for event in service.answer(question):
                if isinstance(event, Finished):
                    answer = event.answer
        cited = {citation.article_id for citation in answer.citations}
        articles = [await service.article(article_id) for article_id in cited]
    return answer, {article.id: article.source for article in articles if article.source}


async def _hint_if_empty(service: Service) -> None:
    if not (await service.article_page(None, 1))[0]:
        _warn("the library is empty; take in articles first: dateline ingest PATH")


def _question(
    text: str,
    published_from: str | None,
    published_to: str | None,
    outlets: list[str] | None,
    as_of: str | None,
) -> Question:
    """The question that the options describe, checked as the HTTP route checks it."""
    from pydantic import ValidationError

    from api.schemas import AskRequest

    filters = {
        "published_from": published_from,
        "published_to": published_to,
        "outlets": outlets or [],
    }
    try:
        request = AskRequest.model_validate({"question": text, "filters": filters, "as_of": as_of})
    except ValidationError as error:
        raise typer.BadParameter("; ".join(map(_told, error.errors()))) from None
    return request.to_question()


def _told(problem: ErrorDetails) -> str:
    """What is wrong with a request, by the option that said so."""
    field = next((part for part in reversed(problem["loc"]) if part in _OPTIONS), None)
    name = _OPTIONS[str(field)] if field else str(problem["loc"][0])
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"


def _settings() -> Settings:
    settings = load_settings()
    for warning in unknown_settings():
        _warn(warning)
    return settings


def _exit(run: Coroutine[Any, Any, int]) -> NoReturn:
    """Run to the end and exit with its status; an error of ours is told without a traceback."""
    try:
        status = asyncio.run(run)
    except DatelineError as error:
        _warn(f"error: {error}")
        status = FAILED
    raise typer.Exit(status)


def _stop_at_once(*_: object) -> NoReturn:
    """For Ctrl-C: a thread at work would be waited for, minutes perhaps. What was acknowledged is
    safe however the process ends."""
    show_cursor = b"\x1b[?25h\n" if sys.stderr.isatty() else b""  # a progress bar hides it
    os.write(2, show_cursor + b"interrupted\n")
    os._exit(INTERRUPTED)


def _warn(message: str) -> None:
    print(message, file=sys.stderr)


def _print_json(document: object) -> None:
    utf8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    print(json.dumps(document, ensure_ascii=not utf8, indent=2))
