import base64
import hashlib
import json
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from lxml import html

from evals.cases import GoldEvidence
from evals.html_report import check_html, pair, render, write_html
from evals.plots import PlotError
from evals.results import EvalRun, RunError, load, save
from evals.run import EvalOptions, evaluate, show_saved
from rag.settings import Settings
from rag.types import Article
from tests.eval_samples import (
    BURNED,
    HURT,
    failed,
    gold,
    passage,
    refused,
    right,
    run_of,
    unanswerable,
    wrong,
)
from tests.fakes import ServiceHouse, quotation

MIXED = run_of(
    right("q1"),
    wrong("q2"),
    refused("q3", "who"),
    unanswerable("q4"),
    unanswerable("q5", abstained=False),
    failed("q6"),
    right("q7", "who"),
)


def parsed(run: EvalRun, *before: EvalRun) -> html.HtmlElement:
    return html.document_fromstring(render([run], before))


def text(element: html.HtmlElement) -> str:
    return " ".join(element.text_content().split())


def fates(page: html.HtmlElement) -> dict[str, list[str]]:
    """The questions under each heading."""
    return {
        section.get("data-fate"): [text(asked) for asked in section.find_class("asked")]
        for section in page.find_class("fate")
    }


def question(page: html.HtmlElement, asked: str) -> html.HtmlElement:
    (found,) = [q for q in page.find_class("question") if text(q.find_class("asked")[0]) == asked]
    return found


# What cannot be shown


def test_without_matplotlib_nothing_is_asked_and_the_error_says_what_to_install(
    monkeypatch, tmp_path
):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match=r"pip install 'dateline\[report\]'"):
        check_html(tmp_path / "r.html")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(RunError, match="is a folder"):
        check_html(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"file.r\.html: cannot be written"):
        write_html([MIXED], [], tmp_path / "file" / "r.html")


def test_a_baseline_on_other_questions_is_refused():
    other = run_of(right("q1"), dataset="sports")
    with pytest.raises(RunError, match="'sports' says nothing about weather"):
        pair(["weather"], [other])
    with pytest.raises(RunError, match="two baselines on the data set 'sports'"):
        pair(["sports"], [other, replace(other)])
    with pytest.raises(RunError, match="no question in common"):
        render([MIXED], [run_of(right("q99"))])
    assert pair(["weather", "sports"], [other]) == [None, other]


# Markup in the data


PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"><svg onload='alert(1)'>",
    "</style></details><script src=//evil.example/x.js></script>",
    "<!--",
    "{{ 7 * 7 }}{% raw %}",
)


def hostile(payload: str) -> EvalRun:
    """A run with the payload in every text that comes from users, articles or models."""
    article = Article("a", f"{payload} {BURNED}", title=payload, outlet=payload, url=payload)
    bad = wrong("q2", payload)
    answer = replace(
        quotation(payload, article, article.text), model=payload, text=f"{payload} [1]"
    )
    case = replace(
        bad.case,
        id=payload,
        question=payload,
        answers=(payload,),
        evidence=(GoldEvidence(payload, payload),),
        as_of=payload,
    )
    bad = replace(
        bad,
        case=case,
        passages=(passage(1, article.text, article),),
        answer=answer,
        golds=(gold(payload, article), replace(gold(BURNED, article), article_id=payload)),
        breaches=(payload,),
        error=payload,
        baselines={payload: {"hits@4": 0.0}},
    )
    return run_of(
        bad,
        right("q1", payload),
        dataset=payload,
        started_at=payload,
        settings={payload: payload},
        data={payload: payload},
        index=payload,
    )


@pytest.mark.parametrize("payload", PAYLOADS)
def test_what_was_asked_found_or_answered_is_never_markup(payload):
    run = hostile(payload)
    lost = replace(run, results=(right("q9"), *run.results[1:]))
    plain = parsed(run_of(right("q1"), wrong("q2"), dataset="x"), run_of(right("q1"), dataset="x"))
    page = parsed(run, replace(run, conditions=lost.conditions))

    assert len(page.xpath("//script")) == 1
    assert {e.tag for e in page.iter()} - {e.tag for e in plain.iter()} <= {"blockquote", "mark"}
    assert not [name for e in page.iter() for name in e.attrib if name.startswith("on")]
    assert page.text_content().count(payload) >= 10


def test_the_page_asks_for_nothing_and_its_policy_allows_nothing():
    source = render([MIXED], [MIXED])
    page = html.document_fromstring(source)

    links = page.xpath("//@src | //@href | //@srcset | //@action | //@data | //@poster")
    assert all(link.startswith("#") or link == "data:," for link in links), links
    assert not re.findall(r"url\(|@import|https?:", source)
    policy = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")[0]
    assert policy.startswith("default-src 'none'; ")
    script = page.xpath("//script")[0].text
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy


# What is shown


def test_the_gravest_faults_come_first_and_what_went_well_is_not_shown():
    assert fates(parsed(MIXED)) == {
        "answered although unanswerable": ["who lit q5?"],
        "wrong": ["what burned in q2?"],
        "wrongly refused": ["what burned in q3?"],
        "failed": ["what burned in q6?"],
    }


def test_a_broken_promise_is_shown_even_where_the_answer_is_right():
    broken = replace(right("q1"), breaches=("citation 1: its offsets don't give its quote",))
    page = parsed(run_of(broken, right("q2"), wrong("q3"), replace(wrong("q4"), breaches=("x",))))

    assert fates(page) == {
        "wrong": ["what burned in q4?", "what burned in q3?"],
        "right, but with a broken promise": ["what burned in q1?"],
    }
    assert "its offsets don't give its quote" in text(question(page, "what burned in q1?"))


def test_against_a_baseline_losses_lead_and_gains_close():
    before = run_of(wrong("q1"), right("q2"), refused("q3", "who"), unanswerable("q5"))
    page = parsed(MIXED, before)

    found = list(fates(page).items())
    assert found[0] == (
        "was right in the baseline, is wrong now",
        ["who lit q5?", "what burned in q2?"],
    )
    assert found[-1] == ("was wrong in the baseline, is right now", ["what burned in q1?"])
    assert dict(found)["wrongly refused"] == ["what burned in q3?"]
    assert "answered although unanswerable" not in dict(found)
    lost = text(question(page, "what burned in q2?"))
    assert f"In the baseline {BURNED} [1]" in lost
    assert "In the baseline" not in text(question(page, "what burned in q3?"))


def test_a_question_whose_gold_changed_is_not_compared():
    now, before = right("q1"), wrong("q1")
    before = replace(before, case=replace(before.case, answers=("another mill",)))
    page = parsed(run_of(now, right("q2")), run_of(before, right("q2")))
    assert fates(page) == {}
    assert "Over the 1 questions" in text(page.find_class("baseline")[0])


def test_a_question_shows_gold_retrieved_answered_and_cited_side_by_side():
    shown = question(parsed(MIXED), "what burned in q2?")

    gold_side, answer_side = shown.find_class("sides")[0].findall("section")
    assert "the mill" in text(gold_side)
    assert f"Evidence 1 Fire · Daily Ember · 2030-05-01 {BURNED}" in text(gold_side)
    assert "✓ found at rank 2 ✗ not cited" in text(gold_side)
    assert f"{HURT} [1]" in text(answer_side)
    assert "✗ not gold evidence" in text(answer_side)
    first, second = shown.find_class("retrieved")[0].find("ol").findall("li")
    assert first.get("class") is None
    assert second.get("class") == "hit"
    assert [text(mark) for mark in shown.iter("mark")] == [BURNED]


def test_a_refusal_that_was_due_and_an_error_are_said():
    page = parsed(MIXED)
    assert "The articles don’t say: to be refused." in text(question(page, "who lit q5?"))
    assert "LanguageModelError: timed out" in text(question(page, "what burned in q6?"))


def test_a_run_without_a_fault_says_so():
    assert "nothing went wrong" in text(parsed(run_of(right("q1"))))


def test_the_table_has_values_with_intervals_in_halves_and_the_verdict():
    many = run_of(*(wrong(f"q{n}") for n in range(20)))
    page = parsed(many, run_of(*(right(f"q{n}") for n in range(20))))
    (row,) = page.xpath("//table[1]//tr[th[starts-with(., 'answer contained')]]")
    cells = [text(cell) for cell in row.findall("td")]
    assert cells[1] == cells[2] == "0.0000.000–0.000 · 20"
    assert cells[3] == "–"
    assert cells[4:] == ["1.000", "−1.000−1.000 to −1.000", "▼ worse"]
    assert "▼ worse" in text(page.find_class("baseline")[0])


def test_other_data_than_the_baseline_s_is_warned_of():
    other = replace(MIXED, conditions=replace(MIXED.conditions, data={"articles": "b"}))
    now = replace(MIXED, conditions=replace(MIXED.conditions, data={"articles": "a"}))
    assert "The two runs had different articles" in text(parsed(now, other))
    assert "The two runs had different" not in text(parsed(now, now))


def test_tables_and_plots_can_be_read_out():
    page = parsed(MIXED, MIXED)
    for table in page.iter("table"):
        assert all(head.get("scope") for head in table.iter("th"))
        widths = {
            sum(int(cell.get("colspan", "1")) for cell in row.iterchildren())
            for row in table.iter("tr")
        }
        assert len(widths) == 1
    for svg in page.iter("svg"):
        assert svg.get("role") == "img"
        assert len(svg.get("aria-label")) > 10
    levels = [int(h.tag[1]) for h in page.xpath("//h1|//h2|//h3|//h4|//h5|//h6")]
    assert all(b - a <= 1 for a, b in pairwise(levels))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_several_data_sets_have_a_section_each():
    sports = run_of(right("q1"), wrong("q2"), dataset="sports")
    page = html.document_fromstring(render([MIXED, sports], [sports]))

    assert [text(h) for h in page.iter("h2")] == ["weather", "sports"]
    assert [a.get("href") for a in page.xpath("//nav//a")] == ["#run-1", "#run-2"]
    weather, other = page.find_class("run")
    assert not weather.find_class("baseline")
    assert other.find_class("baseline")
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))


def test_the_same_runs_give_the_same_page():
    assert render([MIXED], [MIXED]) == render([MIXED], [MIXED])


def test_a_page_on_five_hundred_faults_stays_below_three_megabytes():
    words = " ".join(f"word{n}" for n in range(80))
    story = Article(
        "fire", f"{BURNED} {words} {words} {words}", title=words[:80], outlet="Daily Ember"
    )
    rest = story.text.removeprefix(BURNED).strip()
    pieces = (passage(1, story.text, story), *(passage(n, rest, story) for n in range(2, 11)))
    faults = [
        replace(
            wrong(f"q{n}", f"category-{n % 10}"),
            passages=pieces,
            golds=(gold(BURNED, story),),
            answer=quotation("?", story, f"{BURNED} {words}"),
        )
        for n in range(500)
    ]
    assert len(render([run_of(*faults)]).encode()) < 3_000_000


# The command


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "weather"
    path.mkdir()
    line = {
        "id": "q1",
        "question": "what burned?",
        "answers": ["the mill"],
        "evidence": [{"article": "fire", "quote": BURNED}],
        "answerable": True,
        "category": "fact",
    }
    (path / "questions.jsonl").write_text(json.dumps(line))
    (path / "articles.jsonl").write_text(json.dumps({"id": "fire", "text": f"{BURNED} {HURT}"}))
    return path


async def test_a_run_writes_its_report_and_a_saved_one_is_shown_again(folder, tmp_path, capsys):
    settings = Settings(_env_file=None, data_dir=tmp_path / "data")
    run, page = tmp_path / "run.json", tmp_path / "deep" / "r.html"
    options = EvalOptions(out=run, html=page)

    assert await evaluate([str(folder)], options, settings, None, ServiceHouse()) == 0
    assert f"report: {page}" in capsys.readouterr().err
    written = page.read_text("utf-8")
    assert "wrongly refused" in written
    page.unlink()

    assert show_saved([run], EvalOptions(html=page)) == 0
    assert page.read_text("utf-8") == written
    assert "weather: 1 questions" in capsys.readouterr().out
    assert load(run).results[0].golds


async def test_a_baseline_that_does_not_fit_is_refused_before_anything_is_asked(folder, tmp_path):
    settings, opener = Settings(_env_file=None, data_dir=tmp_path / "data"), ServiceHouse()
    save(run_of(right("q1"), dataset="sports"), tmp_path / "other.json")
    options = EvalOptions(
        out=tmp_path / "run.json", html=tmp_path / "r.html", against=(tmp_path / "other.json",)
    )
    with pytest.raises(RunError, match="says nothing about weather"):
        await evaluate([str(folder)], options, settings, None, opener)
    assert opener.opened == []


def test_saved_runs_are_one_json_document_and_a_failed_question_is_the_status(tmp_path, capsys):
    save(MIXED, tmp_path / "a.json")
    assert show_saved([tmp_path / "a.json"], EvalOptions(json=True)) == 1
    (told,) = json.loads(capsys.readouterr().out)["runs"]
    assert told["dataset"] == "weather"
    assert told["saved"] == str(tmp_path / "a.json")
