"""What the command line prints: answers, passages, articles, progress. Plain text when piped."""

from __future__ import annotations

import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from rag.ports import Progress
from rag.types import Answer, Article, Citation, Evidence, IngestReport, Passage

FALLBACKS = {
    "llm_unavailable": "The LLM could not be reached; these are the articles' own sentences.",
    "llm_unsupported": "The articles did not support what the LLM wrote; these are their own "
    "sentences.",
    "llm_refused": "The LLM found no answer; these are the articles' own sentences.",
}
SNIPPET_CHARS = 240


def console(stderr: bool = False) -> Console:
    """A console for stdout or stderr that leaves its text alone but for colour and wrapping."""
    return Console(stderr=stderr, highlight=False, soft_wrap=not sys.stdout.isatty())


def print_answer(answer: Answer) -> None:
    """The answer, its footnotes with their quotations, and what the reader should know besides."""
    out = console()
    out.print()
    if answer.status == "abstained":
        out.print(Text(answer.text, style="bold"))
        _print_nearest(out, answer.nearest)
    else:
        out.print(_with_markers(answer))
        out.print()
        for citation in answer.citations:
            _print_footnote(out, citation)
    notes = [FALLBACKS[answer.fallback]] if answer.fallback in FALLBACKS else []
    if answer.withheld:
        notes.append(f"{answer.withheld} unsupported sentence(s) withheld.")
    notes.append(f"{answer.model} · {answer.timings_ms.total / 1000:.1f} s")
    for note in notes:
        out.print(Text(note, style="dim"))


def print_passages(evidence: Evidence) -> None:
    """The passages of a search, best first."""
    out = console()
    if not evidence.passages:
        out.print("Nothing found.")
    for passage in evidence.passages:
        out.print(Text(f"{passage.rank}. {_byline(passage)}", style="bold"))
        out.print(Padding(Text(" ".join(passage.text.split())), (0, 0, 0, 3)))
        out.print(Text(f"   {passage.article_id} · {passage.start}–{passage.end}", style="dim"))
        out.print()


def print_articles(articles: Sequence[Article]) -> None:
    """One line an article: id, date, outlet, title."""
    out = console()
    for article in articles:
        parts = (article.published_at, article.outlet, article.title or article.source)
        out.print(Text(article.id, style="bold"), " · ".join(p for p in parts if p), soft_wrap=True)


def print_article(article: Article) -> None:
    """The article with its metadata."""
    out = console()
    for name in ("id", "title", "outlet", "author", "published_at", "updated_at", "url", "source"):
        value = getattr(article, name)
        if value is not None:
            out.print(Text(f"{name}: {value}", style="dim"), soft_wrap=True)
    out.print()
    out.print(Text(article.text), soft_wrap=True)


def print_report(report: IngestReport) -> None:
    """What an ingest did, and every failure, on stderr."""
    err = console(stderr=True)
    for failure in report.failed:
        err.print(f"[red]not taken in[/] {escape(failure.source)}: {escape(failure.reason)}")
    counts = (
        (report.added, "added"),
        (report.replaced, "replaced"),
        (report.unchanged, "unchanged"),
        (report.pruned, "pruned"),
        (len(report.failed), "failed"),
        (report.ignored, "other files ignored"),
    )
    done = ", ".join(f"{count} {what}" for count, what in counts if count)
    err.print(f"Articles: {done or 'none found'}.")


@contextmanager
def progress(label: str) -> Iterator[Progress]:
    """A bar with rate and remaining time on a terminal, a plain line every few seconds elsewhere;
    neither for what takes under a second."""
    if not sys.stderr.isatty():
        yield _PlainProgress(label)
        return
    bar = Bar(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}, {task.fields[rate]}"),
        TimeRemainingColumn(),
        console=console(stderr=True),
        transient=True,
    )
    reporter = _BarProgress(bar)
    try:
        yield reporter
    finally:
        bar.stop()


class _PlainProgress:
    """A line at most every five seconds."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._began = self._last = time.monotonic()

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        now = time.monotonic()
        if now - self._last < 5:
            return
        self._last = now
        rate = done / (now - self._began)
        of = f" of {total}" if total else ""
        print(f"{self._label}: {done}{of} {unit}, {rate:.0f}/s", file=sys.stderr, flush=True)


class _BarProgress:
    """A bar that appears once the job has lasted a second."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._began = time.monotonic()
        self._task = bar.add_task("", total=None, unit="", rate="")

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        elapsed = time.monotonic() - self._began
        if elapsed < 1:
            return
        self._bar.start()
        rate = f"{done / elapsed:.0f}/s"
        self._bar.update(self._task, completed=done, total=total, unit=unit, rate=rate)


def _with_markers(answer: Answer) -> Text:
    text = Text(answer.text)
    end = 0
    for sentence in answer.sentences:
        text.stylize("cyan", end, sentence.start)
        end = sentence.end
    text.stylize("cyan", end)
    return text


def _print_footnote(out: Console, citation: Citation) -> None:
    out.print(Text(f"[{citation.number}] ", style="cyan") + Text(_byline(citation), style="bold"))
    quote = " ".join(citation.quote.split())
    out.print(Padding(Text(f"“{quote}”" if quote[:1] not in '“"' else quote), (0, 0, 0, 4)))
    where = citation.url or f"{citation.article_id}, characters {citation.start}–{citation.end}"
    out.print(Padding(Text(where, style="dim"), (0, 0, 1, 4)))


def _print_nearest(out: Console, nearest: Sequence[Passage]) -> None:
    if nearest:
        out.print("\nNearest passages:")
    for passage in nearest:
        snippet = textwrap.shorten(passage.text, SNIPPET_CHARS, placeholder=" …")
        out.print(Padding(Text(_byline(passage), style="bold"), (1, 0, 0, 2)))
        out.print(Padding(Text(snippet), (0, 0, 0, 2)))
    out.print()


def _byline(of: Citation | Passage) -> str:
    parts = (of.title, of.outlet, of.author, of.published_at and of.published_at[:10])
    return " · ".join(part for part in parts if part) or of.article_id
