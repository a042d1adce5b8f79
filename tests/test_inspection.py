from dataclasses import replace

import pytest

from evals.inspection import Piece, excerpt, inspect
from evals.metrics import Gold
from rag.types import Copy, Span
from tests.eval_samples import (
    BURNED,
    FIRE,
    HURT,
    TEXT,
    failed,
    gold,
    passage,
    refused,
    right,
    unanswerable,
    wrong,
)


def shown(pieces: tuple[Piece, ...]) -> str:
    return "".join(f"[{piece.text}]" if piece.marked else piece.text for piece in pieces)


def test_what_failed_or_was_refused_has_no_citations():
    assert inspect(failed("q1")).cited == ()
    assert inspect(failed("q1")).wanted[0].rank is None
    assert inspect(refused("q1")).cited == ()


def test_a_run_without_known_evidence_judges_no_citation():
    found = inspect(replace(right("q1"), golds=()))
    assert found.wanted == ()
    assert found.cited[0].right is None
    assert found.retrieved[0].holds == ()


def test_evidence_says_at_which_rank_it_was_found_and_whether_it_is_cited():
    (first,) = inspect(right("q1")).wanted
    (second,) = inspect(wrong("q1")).wanted
    missed = inspect(replace(wrong("q1"), passages=(passage(1, HURT),))).wanted[0]

    assert (first.rank, first.cited, first.origin.title) == (1, True, "Fire")
    assert (second.rank, second.cited) == (2, False)
    assert missed.rank is None


def test_a_citation_is_right_where_it_is_evidence():
    assert [cited.right for cited in inspect(right("q1")).cited] == [True]
    assert [cited.right for cited in inspect(wrong("q1")).cited] == [False]


def test_evidence_is_marked_in_the_passage_that_holds_it():
    found = inspect(replace(right("q1"), passages=(passage(1, TEXT), passage(2, HURT)))).retrieved
    assert [p.holds for p in found] == [(1,), ()]
    assert shown(found[0].pieces) == TEXT.replace(BURNED, f"[{BURNED}]")
    assert shown(found[1].pieces) == HURT


def test_evidence_cut_by_the_passage_s_end_is_marked_as_far_as_it_goes():
    cut = passage(1, "Smoke rose at dawn. The mill burned")
    found = inspect(replace(right("q1"), passages=(cut,))).retrieved
    assert shown(found[0].pieces) == "Smoke rose at dawn. [The mill burned]"


def test_without_a_quote_the_accepted_answers_are_marked():
    result = replace(right("q1"), golds=(Gold("fire"),), passages=(passage(1, TEXT),))
    assert shown(inspect(result).retrieved[0].pieces) == TEXT.replace("The mill", "[The mill]")


def test_a_copy_that_carries_the_evidence_is_marked_too():
    echo = replace(passage(1, TEXT), article_id="echo", copies=(Copy("fire", None),))
    found = inspect(replace(right("q1"), passages=(echo,))).retrieved[0]
    assert found.holds == (1,)
    assert found.copies == 1
    assert f"[{BURNED}]" in shown(found.pieces)


def test_four_passages_are_shown_but_ranks_go_further():
    passages = (*(passage(rank, HURT) for rank in range(1, 7)), passage(7, BURNED))
    found = inspect(replace(right("q1"), passages=passages))
    assert [p.rank for p in found.retrieved] == [1, 2, 3, 4]
    assert found.wanted[0].rank == 7


@pytest.mark.parametrize(
    ("now", "before", "change"),
    [
        (wrong("q1"), right("q1"), "lost"),
        (right("q1"), refused("q1"), "won"),
        (wrong("q1"), refused("q1"), None),
        (right("q1"), right("q1"), None),
        (unanswerable("q1", abstained=False), unanswerable("q1"), "lost"),
        (right("q1"), None, None),
    ],
)
def test_a_change_of_fate_is_told_with_the_earlier_answer(now, before, change):
    found = inspect(now, before)
    assert found.change == change
    assert found.before == (before.answer if change else None)


LONG = " ".join(f"word{n}" for n in range(400))


def test_a_long_text_is_cut_at_words_around_its_mark():
    start = LONG.index("word300")
    text = shown(excerpt(LONG, [Span(start, start + 7)], 200))
    assert text.startswith("… word")
    assert "[word300]" in text
    assert text.endswith(" …")
    assert len(text) < 230
    assert set(text.replace("[", "").replace("]", "").split()) - {"…"} <= set(LONG.split())


def test_a_long_text_without_a_mark_shows_its_beginning():
    assert shown(excerpt(LONG, [], 30)) == "word0 word1 word2 word3 word4 …"


def test_a_mark_longer_than_the_excerpt_is_shown_from_its_start():
    text = shown(excerpt(LONG, [Span(0, len(LONG))], 60))
    assert text.startswith("[word0")
    assert text.endswith("] …")


def test_marks_that_overlap_are_one_and_those_at_the_end_stay():
    assert shown(excerpt("abcdef", [Span(3, 6), Span(0, 2), Span(1, 4)], 99)) == "[abcdef]"
    assert shown(excerpt("abcdef", [Span(4, 6), Span(0, 1)], 99)) == "[a]bcd[ef]"
    end = len(LONG)
    assert shown(excerpt(LONG, [Span(end - 7, end)], 60)).endswith("[word399]")


def test_blank_lines_are_left_out():
    assert shown(excerpt("one\n\n \n two", [], 99)) == "one\ntwo"


def test_the_origin_of_evidence_that_was_never_found_is_its_article():
    lost = replace(right("q1"), passages=(), answer=None, golds=(gold(BURNED, FIRE),))
    assert inspect(lost).wanted[0].origin.article == "fire"
    assert inspect(lost).wanted[0].origin.title is None
