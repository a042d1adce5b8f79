"""What the command line prints for people: wrapped and coloured on a terminal, plain lines where
piped. Articles are data: nothing in them is taken for markup or for a terminal's control codes."""

from __future__ import annotations

import os
import re
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.status import Status
from rich.text import Text

from rag.explaining import score_line, understood_lines
from rag.ports import Progress
from rag.storage.feedback import Feedback
from rag.storage.keys import Key
from rag.types import Answer, Article, Citation, Evidence, IngestReport, Passage, Sentence

if TYPE_CHECKING:
    from rag.doctor import Finding

WIDTH = 96
"""Lines longer than this are hard to read, however wide the terminal."""

SNIPPET_CHARS = 240
PATIENCE_S = 1.0
"""What takes longer than this shows that it is at work."""

_FALLBACKS = {
    "llm_unavailable": "The LLM could not be reached",
    "llm_unsupported": "The articles do not support what the LLM wrote",
    "llm_refused": "The LLM found no answer",
}
# C0 and C1 but for tabs and line ends, and what turns the direction of the text around.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def stdout() -> Console:
    """The console for results."""
    return Console(highlight=False)


def stderr() -> Console:
    """The console for messages."""
    return Console(stderr=True, highlight=False)


def print_sentence(sentence: Sentence, out: Console) -> None:
    """A sentence with its markers, as a paragraph of its own, at once."""
    markers = "".join(f"[{number}]" for number in sentence.citations)
    _write(out, Text.assemble(_text(sentence.text), _text(f" {markers}", "cyan")))
    out.file.flush()


def print_answer(
    answer: Answer, sources: Mapping[str, str], out: Console, *, shown: bool = False
) -> None:
    """The answer, its footnotes with their quotations, and what the reader should know besides.

    `sources` are the files that articles came from, by article id, as far as they are known;
    `shown` says that the sentences stand there already.
    """
    if out.is_terminal and not shown:
        out.print()  # off the command that was typed
    if answer.status == "abstained":
        _write(out, _text(answer.text, "bold"))
        out.print()
        _write_nearest(out, answer.nearest)
    else:
        if not shown:
            _write(out, _with_markers(answer))
        out.print()
        for citation in answer.citations:
            _write_footnote(out, citation, sources.get(citation.article_id))
    for difference in _differences(answer):
        _write(out, _text(difference))
    for note in _notes(answer):
        _write(out, _text(note, "dim"))


def print_passages(evidence: Evidence, out: Console, *, explain: bool = False) -> None:
    """The passages of a search, best first; explained by what was understood and scored, if so
    wished."""
    if explain:
        for line in understood_lines(evidence):
            _write(out, _text(line, "dim"))
        out.print()
    if not evidence.passages:
        _write(out, _text("Nothing found."))
    for passage in evidence.passages:
        lead = _text(f"{passage.rank}. ", "cyan")
        _write(out, _byline(passage), lead)
        for line in passage.text.splitlines():
            if line.strip():
                _write(out, _text(line.strip()), _blank(lead))
        where = f"{passage.article_id}, characters {passage.start}–{passage.end}"
        _write(out, _text(where, "dim"), _blank(lead))
        if explain:
            _write(out, _text(score_line(evidence, passage), "dim"), _blank(lead))
        out.print()


def print_articles(articles: Sequence[Article], out: Console) -> None:
    """One line an article: id, date, outlet, title."""
    for article in articles:
        known = (_day(article.published_at), article.outlet, article.title or article.source)
        lead = Text.assemble(_text(article.id, "bold"), "  ")
        _write(out, _text(" · ".join(part for part in known if part)), lead)


def print_feedback(feedback: Sequence[Feedback], out: Console) -> None:
    """Each rating with the answer's id and question, and the reader's words below it."""
    for one in feedback:
        known = (_day(one.created_at), one.answer_id, one.question)
        lead = _text(f"{one.rating:<5}", "green" if one.rating == "up" else "red")
        _write(out, _text(" · ".join(" ".join(part.split()) for part in known if part)), lead)
        for words in (one.reason, one.note):
            for line in (words or "").splitlines():
                _write(out, _text(line.strip()), _blank(lead))


def print_article(article: Article, out: Console) -> None:
    """The article with its metadata."""
    for name in ("id", "title", "outlet", "author", "published_at", "updated_at", "url", "source"):
        value = getattr(article, name)
        if value is not None:
            _write(out, _text(f"{name}: {value}", "dim"), wrap=False)
    out.print()
    _write(out, _text(article.text))


def print_keys(found: Sequence[tuple[Key, str]], out: Console) -> None:
    """One line a key with its state: id, state, scopes, name, and what else is known."""
    for key, state in found:
        known = (
            state,
            "+".join(key.scopes),
            key.name,
            " ".join(key.origins),
            f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "",
            f"last used {key.last_used}" if key.last_used else "",
        )
        lead = Text.assemble(_text(key.id, "bold"), "  ")
        _write(out, _text(" · ".join(part for part in known if part)), lead)


def print_findings(findings: Sequence[Finding], out: Console) -> None:
    """One line a finding, and below it what to do."""
    styles = {"ok": "green", "repaired": "cyan", "note": "dim", "problem": "red"}
    for one in findings:
        lead = Text.assemble(_text(f"{one.state:<9}", styles[one.state]), f"{one.part:<10}")
        _write(out, _text(one.detail), lead)
        if one.remedy:
            _write(out, _text(one.remedy, "bold"), _blank(lead))


def print_report(report: IngestReport, out: Console) -> None:
    """What an ingest did, and every failure with its reason."""
    for failure in report.failed:
        what = _text(f"{failure.source}: {failure.reason}")
        _write(out, Text.assemble(_text("not taken in ", "red"), what), wrap=False)
    counts = (
        (report.added, "added"),
        (report.replaced, "replaced"),
        (report.unchanged, "unchanged"),
        (report.pruned, "pruned"),
        (len(report.failed), "failed"),
        (report.ignored, "other files ignored"),
    )
    done = ", ".join(f"{count} {what}" for count, what in counts if count)
    _write(out, _text(f"Articles: {done or 'none found'}."))


@contextmanager
def working(label: str, out: Console) -> Iterator[Callable[[], None]]:
    """A sign of life on a terminal, for what takes longer than a second; what it gives ends it."""
    status = Status(label, console=out)
    if out.is_terminal:
        with _after_a_while(status.start, status.stop) as end:
            yield end
    else:
        yield lambda: None


@contextmanager
def progress(label: str, out: Console) -> Iterator[Progress]:
    """A bar with rate and remaining time on a terminal, a plain line every few seconds elsewhere;
    neither for what takes under a second."""
    if not out.is_terminal:
        yield _PlainProgress(label)
        return
    bar = Bar(
        TextColumn(label),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[unit]}{task.fields[rate]}"),
        TimeRemainingColumn(),
        console=out,
        transient=True,
    )
    with _after_a_while(bar.start, bar.stop):
        yield _BarProgress(bar)


@contextmanager
def _after_a_while(
    start: Callable[[], None], stop: Callable[[], None]
) -> Iterator[Callable[[], None]]:
    def end() -> None:
        timer.cancel()
        timer.join()  # it may just be starting what is to be stopped
        stop()

    timer = threading.Timer(PATIENCE_S, start)
    timer.daemon = True
    timer.start()
    try:
        yield end
    finally:
        end()


class _PlainProgress:
    """A line at most every five seconds."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._pace = _Pace()
        self._last = time.monotonic()

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        rate = self._pace(done, unit)
        now = time.monotonic()
        if now - self._last < 5:
            return
        self._last = now
        of = f" of {total}" if total else ""
        print(f"{self._label}: {done}{of} {unit}{rate}", file=sys.stderr, flush=True)


class _BarProgress:
    """A bar that starts anew with each unit."""

    def __init__(self, bar: Bar) -> None:
        self._bar = bar
        self._unit = ""
        self._pace = _Pace()
        self._task = bar.add_task("", total=None, unit="", rate="")

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        if unit != self._unit:
            self._unit = unit
            self._bar.reset(self._task)
        rate = self._pace(done, unit)
        self._bar.update(self._task, completed=done, total=total, unit=unit, rate=rate)


class _Pace:
    """How fast a job is, counted from the first word of each unit."""

    def __init__(self) -> None:
        self._unit = ""
        self._began = 0.0
        self._first = 0

    def __call__(self, done: int, unit: str) -> str:
        now = time.monotonic()
        if unit != self._unit:
            self._unit, self._began, self._first = unit, now, done
        elapsed = now - self._began
        return f", {(done - self._first) / elapsed:.0f}/s" if elapsed > 1 else ""


def _write(out: Console, text: Text, lead: Text | None = None, wrap: bool = True) -> None:
    """A paragraph behind its lead, hanging; wrapped on a terminal only."""
    lead = lead or Text()
    lines = [text]
    if wrap and out.is_terminal:
        lines = list(text.wrap(out, max(16, min(out.width, WIDTH) - lead.cell_len)))
    for line in lines:
        whole = Text.assemble(lead, line)
        whole.rstrip()
        out.print(whole, soft_wrap=True)
        lead = _blank(lead)


def _text(text: str, style: str = "") -> Text:
    """Text as it is, character by character; those that would command a terminal are replaced."""
    return Text(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text), style=style)


def _blank(lead: Text) -> Text:
    return Text(" " * lead.cell_len)


def _with_markers(answer: Answer) -> Text:
    text = _text(answer.text)
    end = 0
    for sentence in answer.sentences:
        text.stylize("cyan", end, sentence.start)
        end = sentence.end
    text.stylize("cyan", end)
    return text


def _write_footnote(out: Console, citation: Citation, source: str | None) -> None:
    lead = _text(f"[{citation.number}] ", "cyan")
    _write(out, _byline(citation), lead)
    quote = " ".join(citation.quote.split())
    _write(out, _text(quote if set(quote) & set('“"„«') else f"“{quote}”"), _blank(lead))
    address = citation.url or (source and _near(source))
    if address:
        _write(out, _text(address, "dim"), _blank(lead), wrap=False)  # whole, to be clicked
    place = f"{citation.article_id}, characters {citation.start}–{citation.end}"
    _write(out, _text(place, "dim"), _blank(lead))
    out.print()


def _write_nearest(out: Console, nearest: Sequence[Passage]) -> None:
    if not nearest:
        return
    _write(out, _text("The nearest passages:"))
    out.print()
    for passage in nearest:
        lead = _text("  ")
        _write(out, _byline(passage), lead)
        snippet = textwrap.shorten(passage.text, SNIPPET_CHARS, placeholder=" …")
        _write(out, _text(snippet), lead)
        out.print()


def _differences(answer: Answer) -> Iterator[str]:
    """On what the articles differ: the sources of both sides with their outlets and days."""
    cited = {citation.number: citation for citation in answer.citations}
    for conflict in answer.conflicts:
        sides = [
            ", ".join(f"[{number}] {_origin(cited[number])}" for number in side)
            for side in conflict.sides
        ]
        later = " (later)" if conflict.kind == "changed" else ""
        yield f"The articles differ: {' · '.join(sides)}{later}"


def _origin(citation: Citation) -> str:
    known = (citation.outlet or citation.title or citation.article_id, _day(citation.published_at))
    return ", ".join(" ".join(part.split()) for part in known if part)


def _notes(answer: Answer) -> Iterator[str]:
    """What to know of how the answer came about, a line each."""
    if answer.standalone_question != answer.question:
        yield f"Understood as: {' '.join(answer.standalone_question.split())}"
    if answer.fallback == "llm_unavailable" and answer.model != "extractive":
        yield "The LLM broke off; this is what it had said."
    elif answer.fallback and answer.status == "answered":
        yield f"{_FALLBACKS[answer.fallback]}; these are the articles' own sentences."
    elif answer.fallback:
        yield f"{_FALLBACKS[answer.fallback]}, and no sentence of the articles answers."
    if answer.withheld:
        what = "1 sentence was" if answer.withheld == 1 else f"{answer.withheld} sentences were"
        yield f"{what} withheld: the articles don't support more than is shown."
    yield f"{answer.model} · {answer.timings_ms.total / 1000:.1f} s"


def _byline(of: Citation | Passage) -> Text:
    title, *rest = [
        " ".join(part.split())
        for part in (of.title, of.outlet, of.author, _day(of.published_at))
        if part
    ] or [of.article_id]
    return Text.assemble(_text(title, "bold"), _text("".join(f" · {part}" for part in rest)))


def _day(date: str | None) -> str | None:
    return date and date[:10]


def _near(source: str) -> str:
    """A file as seen from here, where it lies below."""
    path = Path(source)
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else source
