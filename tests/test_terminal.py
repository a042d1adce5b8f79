import io
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from rag.terminal import (
    print_answer,
    print_article,
    print_articles,
    print_passages,
    print_report,
    progress,
    working,
)
from rag.types import (
    Answer,
    Article,
    Citation,
    Conflict,
    Evidence,
    IngestReport,
    Passage,
    Sentence,
    Skipped,
    Timings,
    Understood,
)

QUOTE = (
    "I conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism and "
    "our sovereign right to defend our citizens against cross-border terrorism."
)
TITLE = "India and Russia reaffirm their resolve to deepen trade and strategic cooperation"
CITATION = Citation(
    number=1,
    article_id="art_1",
    chunk_id="chk_1",
    title=TITLE,
    outlet="The Daily",
    author="Ana Bell",
    published_at="2025-08-21T10:00:00Z",
    url=None,
    quote=QUOTE,
    start=1800,
    end=1963,
    prefix="",
    suffix="",
)
SAID = f"S Jaishankar: “{QUOTE}”"
ANSWER = Answer(
    id="ans_1",
    question="what did India say?",
    status="answered",
    text=f"{SAID} [1]",
    sentences=(Sentence(SAID, 0, len(SAID), "exact", (1,)),),
    citations=(CITATION,),
    nearest=(),
    withheld=0,
    understood=Understood(),
    standalone_question="what did India say?",
    fallback=None,
    prompt=None,
    model="extractive",
    timings_ms=Timings(total=1234),
)
PASSAGE = Passage(
    rank=1,
    score=1.0,
    article_id="art_1",
    chunk_id="chk_1",
    text=f"“{QUOTE}”\nRegional crises were reviewed too. " + "More of it was said later. " * 9,
    start=10,
    end=400,
    title=TITLE,
    published_at="2025-08-21",
)
ABSTENTION = replace(
    ANSWER, status="abstained", text="The articles don't say.", sentences=(), citations=()
)
ARTICLE = Article("art_1", f"{QUOTE}\n{QUOTE}\n", title=TITLE, source="/news/a.txt")
EXPLAINED = Evidence(
    (PASSAGE,),
    {},
    Understood(outlets=("The Daily",), latest=True),
    explained={"chk_1": {"bm25": 0.6, "dense": 0.4}},
)
ANSI = re.compile(r"\x1b\[[0-9;]*m")

Printing = Callable[[Console], None]
PRINTED: dict[str, Printing] = {
    "answer": lambda out: print_answer(ANSWER, {}, out),
    "abstention": lambda out: print_answer(replace(ABSTENTION, nearest=(PASSAGE,)), {}, out),
    "passages": lambda out: print_passages(Evidence((PASSAGE,), {}), out),
    "explained": lambda out: print_passages(EXPLAINED, out, explain=True),
    "articles": lambda out: print_articles([ARTICLE], out),
    "article": lambda out: print_article(ARTICLE, out),
    "report": lambda out: print_report(
        IngestReport(added=2, failed=(Skipped("/news/b.txt", f"{QUOTE} {QUOTE}"),)), out
    ),
}


def piped(printing: Printing) -> str:
    out = Console(file=io.StringIO(), width=80, highlight=False)
    printing(out)
    return out.file.getvalue()


def on_terminal(printing: Printing, width: int = 80) -> str:
    """What a terminal of that width is sent."""
    out = Console(
        file=io.StringIO(),
        force_terminal=True,
        width=width,
        highlight=False,
        color_system="standard",
        _environ={"TERM": "xterm"},
    )
    printing(out)
    return out.file.getvalue()


def answered(answer: Answer, **sources: str) -> str:
    return piped(lambda out: print_answer(answer, sources, out))


@pytest.mark.parametrize("what", PRINTED)
def test_what_is_piped_is_plain(what: str) -> None:
    lines = piped(PRINTED[what]).splitlines()
    assert lines
    for line in lines:
        assert line == line.rstrip(), "a trailing space"
        assert "\x1b" not in line
    if what != "articles":
        assert max(map(len, lines)) > 160, "cut or wrapped"


@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize(
    "what", ["answer", "abstention", "passages", "explained", "articles", "article"]
)
def test_a_terminal_gets_lines_that_fit_it(what: str, width: int) -> None:
    lines = ANSI.sub("", on_terminal(PRINTED[what], width)).splitlines()
    for line in lines:
        assert line == line.rstrip()
        if not line.startswith(("title:", "source:")):
            assert len(line) <= min(width, 96)
    whole = TITLE if what == "articles" else QUOTE
    assert whole in " ".join(" ".join(lines).split())


@pytest.mark.parametrize(
    "what", ["answer", "abstention", "passages", "explained", "articles", "article"]
)
def test_a_terminal_gets_colours(what: str) -> None:
    assert ANSI.search(on_terminal(PRINTED[what]))


def test_the_answer_has_its_markers_and_footnotes() -> None:
    assert answered(ANSWER).splitlines() == [
        f"{SAID} [1]",
        "",
        f"[1] {TITLE} · The Daily · Ana Bell · 2025-08-21",
        f"    “{QUOTE}”",
        "    art_1, characters 1800–1963",
        "",
        "extractive · 1.2 s",
    ]


def test_footnotes_hang_on_their_numbers() -> None:
    lines = ANSI.sub("", on_terminal(PRINTED["answer"])).splitlines()
    first = next(n for n, line in enumerate(lines) if line.startswith("[1] India"))
    for line in lines[first + 1 : lines.index("", first)]:
        assert line.startswith("    ")
        assert line[4] != " "


def test_markers_alone_are_coloured() -> None:
    assert f"{SAID[-12:]}\x1b[36m [1]\x1b[0m" in on_terminal(PRINTED["answer"], 400)


def test_an_address_is_shown_whole_however_narrow_the_terminal() -> None:
    url = "https://news.example/" + "long-" * 30
    answer = replace(ANSWER, citations=(replace(CITATION, url=url),))
    shown = on_terminal(lambda out: print_answer(answer, {}, out), 40)
    assert url in shown


def test_a_file_is_shown_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert "\n    seeds/a.txt\n" in answered(ANSWER, art_1=str(tmp_path / "seeds" / "a.txt"))
    assert "\n    /elsewhere/a.jsonl:3\n" in answered(ANSWER, art_1="/elsewhere/a.jsonl:3")


def test_what_is_unknown_of_an_article_is_left_out() -> None:
    bare = replace(CITATION, title=None, outlet=None, author=None, published_at=None)
    assert "[1] art_1\n" in answered(replace(ANSWER, citations=(bare,)))


def test_a_quotation_has_its_quotation_marks_once() -> None:
    for quote in (f"“{QUOTE}”", f'"{QUOTE}"', f"«{QUOTE}»", f"He said: “{QUOTE}”"):
        shown = answered(replace(ANSWER, citations=(replace(CITATION, quote=quote),)))
        assert f"    {quote}\n" in shown


def test_an_abstention_shows_the_nearest_passages() -> None:
    lines = answered(replace(ABSTENTION, nearest=(PASSAGE, PASSAGE))).splitlines()
    assert lines[:5] == [
        "The articles don't say.",
        "",
        "The nearest passages:",
        "",
        f"  {TITLE} · 2025-08-21",
    ]
    assert lines[5].startswith("  “I conveyed")
    assert lines[5].endswith(" …")
    assert len(lines[5]) <= 242


def test_an_abstention_over_nothing_shows_no_heading() -> None:
    assert answered(ABSTENTION) == "The articles don't say.\n\nextractive · 1.2 s\n"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        (
            {"fallback": "llm_unavailable"},
            "The LLM could not be reached; these are the articles' own sentences.",
        ),
        (
            {"fallback": "llm_unavailable", "model": "m"},
            "The LLM broke off; this is what it had said.",
        ),
        (
            {"fallback": "llm_unsupported", "status": "abstained"},
            "The articles do not support what the LLM wrote, and no sentence of the articles "
            "answers.",
        ),
        (
            {"fallback": "llm_refused"},
            "The LLM found no answer; these are the articles' own sentences.",
        ),
        (
            {"withheld": 1},
            "1 sentence was withheld: the articles don't support more than is shown.",
        ),
        (
            {"withheld": 3},
            "3 sentences were withheld: the articles don't support more than is shown.",
        ),
    ],
)
def test_what_happened_besides_is_told(changes: dict[str, object], note: str) -> None:
    answer = replace(ANSWER, **changes)
    assert answered(answer).splitlines()[-2:] == [note, f"{answer.model} · 1.2 s"]


@pytest.mark.parametrize("shown", [piped, on_terminal])
def test_markup_in_articles_is_text(shown: Callable[[Printing], str]) -> None:
    text = "[red]alarm[/red] [link=http://evil.example]x[/link] :smile: [/]"
    citation = replace(CITATION, quote=text, title=text, outlet=text)
    answer = replace(ANSWER, text=f"{text} [1]", citations=(citation,), sentences=())
    article = replace(ARTICLE, title=text, text=text, source=text)
    passage = replace(PASSAGE, text=text, title=text)
    report = IngestReport(failed=(Skipped(text, text),))

    def everything(out: Console) -> None:
        print_answer(answer, {"art_1": text}, out)
        print_passages(Evidence((passage,), {}), out)
        print_articles([article], out)
        print_article(article, out)
        print_report(report, out)

    output = " ".join(ANSI.sub("", shown(everything)).split())
    assert output.count(text) == 13


@pytest.mark.parametrize("shown", [piped, on_terminal])
def test_articles_cannot_command_the_terminal(shown: Callable[[Printing], str]) -> None:
    text = "a\x1b[2Jb\x9b31mc\x07d\x00e\u202ef\x1b]0;title\x07g"
    passage = replace(PASSAGE, text=text, title=text)
    answer = replace(ABSTENTION, text=text, nearest=(passage,))
    output = ANSI.sub("", shown(lambda out: print_answer(answer, {}, out)))
    assert not set("\x1b\x9b\x07\x00\u202e") & set(output)
    assert "a\N{REPLACEMENT CHARACTER}[2Jb" in output


def test_windows_line_ends_are_line_ends() -> None:
    assert piped(lambda out: print_article(Article("a", "One.\r\nTwo.\r\n"), out)) == (
        "id: a\n\nOne.\nTwo.\n"
    )


@pytest.mark.parametrize("what", ["answer", "passages", "article"])
def test_text_without_spaces_is_folded_and_nothing_lost(what: str) -> None:
    endless = "x" * 1000
    answer = replace(ANSWER, text=endless, sentences=(), citations=())
    printings: dict[str, Printing] = {
        "answer": lambda out: print_answer(answer, {}, out),
        "passages": lambda out: print_passages(
            Evidence((replace(PASSAGE, text=endless),), {}), out
        ),
        "article": lambda out: print_article(replace(ARTICLE, text=endless), out),
    }
    lines = ANSI.sub("", on_terminal(printings[what])).splitlines()
    folded = [line for line in lines if "xxx" in line]
    assert sum(line.count("x") for line in folded) >= 1000
    assert max(map(len, folded)) <= 80
    assert endless in piped(printings[what])


def test_wide_characters_are_measured_by_their_cells() -> None:
    answer = replace(ANSWER, text="印度" * 60, sentences=(), citations=())
    lines = ANSI.sub("", on_terminal(lambda out: print_answer(answer, {}, out))).splitlines()
    assert max(len(line) for line in lines) <= 40


def test_nothing_found_is_told() -> None:
    assert piped(lambda out: print_passages(Evidence((), {}), out)) == "Nothing found.\n"


def test_a_search_is_explained_only_where_that_is_wished_for() -> None:
    explained = piped(lambda out: print_passages(EXPLAINED, out, explain=True))
    understood, found = explained.split("\n\n", 1)
    assert understood == "outlets: The Daily\nlatest: the newest articles are wanted"
    why = "   score 1.000 · bm25 +0.600 · dense +0.400\n"
    assert found.endswith(f"characters 10–400\n{why}\n")
    assert piped(lambda out: print_passages(EXPLAINED, out)) == found.replace(why, "")


def test_an_article_that_nothing_is_known_of_is_listed_by_id() -> None:
    assert piped(lambda out: print_articles([Article("art_9", "Text.")], out)) == "art_9\n"


@pytest.mark.parametrize(
    ("report", "told"),
    [
        (IngestReport(), "Articles: none found.\n"),
        (IngestReport(unchanged=2), "Articles: 2 unchanged.\n"),
        (
            IngestReport(added=1, replaced=2, pruned=3, ignored=4, failed=(Skipped("x", "empty"),)),
            "not taken in x: empty\n"
            "Articles: 1 added, 2 replaced, 3 pruned, 1 failed, 4 other files ignored.\n",
        ),
    ],
)
def test_a_report_counts_what_was_done(report: IngestReport, told: str) -> None:
    assert piped(lambda out: print_report(report, out)) == told


def test_short_work_shows_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def work(out: Console) -> None:
        with working("Reading", out):
            pass
        with progress("Ingesting", out) as tell:
            tell(1, 2, "chunks")

    assert piped(work) == ""
    assert on_terminal(work).strip("\n") == ""
    assert capsys.readouterr() == ("", "")


class Watched(io.StringIO):
    """A terminal that says when a word was written to it."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self.word = word
        self.seen = threading.Event()

    def write(self, text: str) -> int:
        written = super().write(text)
        if self.word in self.getvalue():
            self.seen.set()
        return written


def terminal(file: Watched) -> Console:
    return Console(file=file, force_terminal=True, width=80, _environ={"TERM": "xterm"})


def test_long_work_shows_a_sign_of_life() -> None:
    file = Watched("Reading")
    with working("Reading", terminal(file)):
        assert file.seen.wait(10)


def test_long_work_shows_a_bar_with_count_and_remaining_time() -> None:
    file = Watched("7/10")
    with progress("Ingesting", terminal(file)) as tell:
        tell(0, None, "articles")
        tell(7, 10, "chunks")
        assert file.seen.wait(10)
    assert "Ingesting" in file.getvalue()
    assert "chunks" in file.getvalue()
    assert "-:--:--" in file.getvalue()


def test_a_question_that_was_understood_from_the_conversation_is_told() -> None:
    answer = replace(ANSWER, standalone_question="What did India\nsay in May?")
    assert "\nUnderstood as: What did India say in May?\nextractive" in answered(answer)
    assert "Understood as" not in answered(ANSWER)


def test_work_can_be_ended_before_it_is_long() -> None:
    def work(out: Console) -> None:
        with working("Reading", out) as end:
            end()
            out.print("The answer.")

    assert "Reading" not in on_terminal(work)


def test_on_what_articles_differ_is_told_with_outlets_and_days() -> None:
    later = replace(CITATION, number=2, outlet="The\nPost", published_at="2025-08-23T09:00:00")
    both = replace(ANSWER, citations=(CITATION, later))
    first = f"[1] {CITATION.outlet or CITATION.title}, 2025-08-21"
    for kind, ending in (("changed", " (later)"), ("disagree", "")):
        answer = replace(both, conflicts=(Conflict(kind, ((1,), (2,))),))
        line = f"The articles differ: {first} · [2] The Post, 2025-08-23{ending}\n"
        assert line in answered(answer)
