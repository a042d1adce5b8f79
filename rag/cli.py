"""The command line: `dateline`, or `python -m rag`. Further commands are in `rag/commands/`."""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from rag import options
from rag.commands import articles, backups, evaluation, feedback, keys, library
from rag.commands.running import (
    ABSTAINED,
    DONE,
    FAILED,
    INTERRUPTED,
    exit_with,
    hint_if_empty,
    print_json,
    printing,
    read_settings,
    run,
    sources_of,
)
from rag.types import Answer, Evidence, Finished, IngestReport, Question

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from rag.commands.running import Reached

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
    from rag.terminal import print_report, progress, stderr

    async def take_in(service: Reached) -> IngestReport:
        with progress("Ingesting", stderr()) as tell:
            return await service.ingest(paths, prune=prune, progress=tell)

    def show(report: IngestReport) -> None:
        if as_json:
            print_json(asdict(report))
        print_report(report, stderr())

    run(take_in, show, lambda report: FAILED if report.failed else DONE)


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
    from api.encoders import answer_json
    from rag.terminal import print_answer

    run(
        lambda service: _answer(service, asked),
        printing(
            as_json,
            lambda found: answer_json(found[0]),
            lambda found, out: print_answer(*found, out),
        ),
        lambda found: DONE if found[0].status == "answered" else ABSTAINED,
    )


@app.command(epilog="Example: dateline chat --from 2031-01-01")
def chat(
    published_from: options.From = None,
    published_to: options.To = None,
    outlet: options.Outlet = None,
    as_of: options.AsOf = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print an answer a line on stdout, each as JSON.")
    ] = False,
) -> None:
    """Ask one question after the other, each understood from those before; /help tells more.

    Without a terminal, each line of stdin is a question.
    """

    def asked(line: str) -> Question:
        return _question(line, published_from, published_to, outlet, as_of)

    asked("Who?")  # wrong options are told before anything is opened
    from rag.commands.chat import Conversation, reader
    from rag.terminal import stdout

    async def talk(service: Reached) -> bool:
        conversation = Conversation(service, asked, stdout(), as_json)
        await conversation.run(reader(as_json))
        return conversation.failed

    run(talk, lambda _: None, lambda failed: FAILED if failed else DONE)


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
    from api.encoders import search_json
    from rag.explaining import explained_json
    from rag.terminal import print_passages, stderr, working

    async def find(service: Reached) -> Evidence:
        await hint_if_empty(service)
        with working("Searching the articles …", stderr()):
            return await service.search(asked, limit)

    def encode(evidence: Evidence) -> object:
        found = search_json(evidence)
        return explained_json(found, evidence) if explain else found

    run(find, printing(as_json, encode, partial(print_passages, explain=explain)))


@app.command(epilog="Example: dateline serve --port 8000")
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")
    ] = 8000,
    allow_open: Annotated[
        bool, typer.Option("--allow-open", help="Let everybody in who reaches it, without a key.")
    ] = False,
) -> None:
    """Start the service with its demo page."""

    async def listen() -> int:
        from api.server import run_server

        return await run_server(read_settings(), host, port, allow_open=allow_open)

    exit_with(listen())


app.add_typer(evaluation.app)
app.add_typer(library.app)
app.add_typer(backups.app)
app.add_typer(feedback.app)
app.add_typer(articles.app, name="articles")
app.add_typer(keys.app, name="keys")


async def _answer(service: Reached, question: Question) -> tuple[Answer, dict[str, str]]:
    """The answer, and the files that its citations' articles came from."""
    from rag.terminal import stderr, working

    await hint_if_empty(service)
    with working("Reading the articles …", stderr()):
        async for event in service.answer(question):
            if isinstance(event, Finished):
                answer = event.answer
    return answer, await sources_of(service, answer)


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


def _stop_at_once(*_: object) -> NoReturn:
    """For Ctrl-C: a thread at work would be waited for, minutes perhaps. What was acknowledged is
    safe however the process ends."""
    show_cursor = b"\x1b[?25h\n" if sys.stderr.isatty() else b""  # a progress bar hides it
    os.write(2, show_cursor + b"interrupted\n")
    os._exit(INTERRUPTED)
