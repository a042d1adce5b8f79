from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from rag.query.understanding import understand
from rag.ranking import (
    FEATURES,
    JUDGED,
    LIKELIHOOD,
    WEIGHTS,
    Pool,
    content_words,
    features,
    likelihood,
    likelihood_signals,
)
from rag.types import Article, Chunk, Period, Question, Understanding

BRIDGE = "Mayor Ada Brandt opened the new Kestering Bridge on Monday."
FERRY = "The ferry to Marrowick will stop in autumn, the harbour said."


def asked(text: str, *, as_of: str | None = None, outlets: tuple[str, ...] = ()) -> Understanding:
    return understand(Question(text, as_of=as_of), outlets, today=date(2031, 5, 1))


def pool(
    *texts: str,
    asked: Sequence[Understanding] = (),
    lexical: list[list[float]] | None = None,
    dense: list[list[float]] | None = None,
    frequencies: Mapping[str, int] = {},
    **metadata: str,
) -> Pool:
    """One article a text, each of one chunk."""
    articles = {f"a{n}": Article(f"a{n}", text, **metadata) for n, text in enumerate(texts)}
    chunks = [Chunk(f"{a.id}/0", a.id, 0, len(a.text), a.text) for a in articles.values()]
    nothing = [[0.0] * len(chunks)]
    return Pool(
        asked=asked,
        chunks=chunks,
        articles=articles,
        lexical=np.array(lexical or nothing),
        dense=np.array(dense or nothing),
        frequencies=frequencies,
        size=100,
    )


def column(name: str, considered: Pool, *asked: Understanding) -> list[float]:
    values = features(replace(considered, asked=asked))
    found: list[float] = values[:, FEATURES.index(name)].tolist()
    return found


def test_no_chunks_have_no_features():
    nothing = pool(asked=[asked("who opened the bridge?")])
    assert features(nothing).shape == (0, len(FEATURES))


def test_a_question_of_nothing_but_function_words_is_scored():
    values = features(pool(BRIDGE, FERRY, asked=[asked("who is it?")]))
    assert values.shape == (2, len(FEATURES))
    assert np.isfinite(values).all()


def test_every_feature_and_only_a_feature_has_a_weight():
    assert set(WEIGHTS) == set(FEATURES)
    assert min(WEIGHTS.values()) >= 0
    assert sum(WEIGHTS.values()) == pytest.approx(1, abs=0.01)  # so that scores stay in [0, 1]
    signals = likelihood_signals(np.zeros((1, len(FEATURES))), 0.0, True)
    assert set(signals) == set(LIKELIHOOD)


def test_words_that_tell_nothing_are_not_searched_for():
    assert content_words("What did the Mayor say about the bridge?") == ["mayor", "say", "bridge"]
    assert content_words("Who was it?") == ["who", "was", "it"]


def test_lexical_is_a_share_of_the_best():
    considered = pool(BRIDGE, FERRY, lexical=[[8.0, 2.0]])
    assert column("lexical", considered, asked("Who opened the Kestering Bridge?")) == [1.0, 0.25]


def test_a_cosine_below_nothing_counts_as_nothing():
    considered = pool(BRIDGE, lexical=[[0.0], [0.0]], dense=[[-0.2], [-0.1]])
    question = asked("what of the bridge?")
    assert column("dense", considered, question, question) == [0.0]
    assert column("part", considered, question, question) == [0.0]


def test_a_chunk_that_fits_one_part_best_scores_by_it():
    question = asked("bridge and ferry")
    considered = pool(
        BRIDGE, FERRY, lexical=[[5, 5], [9, 0], [0, 3]], dense=[[0.5, 0.5], [0.8, 0.1], [0.2, 0.6]]
    )
    assert column("part", considered, question, asked("bridge"), asked("ferry")) == [0.5, 0.5]
    alone = pool(BRIDGE, FERRY, lexical=[[5, 5]], dense=[[0.5, 0.5]])
    assert column("part", alone, question) == [0.0, 0.0]


def test_a_part_is_fitted_best_by_the_outlet_and_the_day_that_it_names():
    courier = asked("What did the Courier report on 3 March 2031?", outlets=("Courier", "Gazette"))
    considered = pool(BRIDGE, BRIDGE, lexical=[[5, 5]] * 2, dense=[[0.5, 0.5]] * 2)
    first = replace(considered.articles["a0"], outlet="Courier", published_at="2031-03-03")
    other = replace(considered.articles["a1"], outlet="Gazette", published_at="2031-03-09")
    considered = replace(considered, articles={"a0": first, "a1": other})
    assert column("part", considered, asked("bridge"), courier) == [1.0, 0.5]


def test_a_rare_word_weighs_more_than_a_common_one():
    considered = pool(
        "Kestering is old.", "The bridge is old.", frequencies={"kestering": 1, "bridge": 80}
    )
    rare, common = column("context", considered, asked("Kestering bridge"))
    assert rare > 0.8 > 0.2 > common > 0


def test_other_forms_of_a_word_count_as_the_word():
    (share,) = column("context", pool("Bridges were opening."), asked("opened bridge"))
    assert share == 1


def test_a_headline_and_the_lead_give_context():
    question = asked("Kestering Bridge")
    headed = pool(FERRY, title="Kestering Bridge opens")
    assert column("context", headed, question) == [1.0]
    article = Article("a", f"{BRIDGE} {'x' * 5000} Rain fell. The ferry stopped.")
    chunk = Chunk("a/1", "a", 5060, 5070, "Rain fell.")
    late = replace(headed, chunks=[chunk], articles={"a": article})
    assert column("context", late, question) == [1.0]
    far = replace(article, text=f"{'x ' * 3000}{BRIDGE} Rain fell.")
    assert column("context", replace(late, articles={"a": far}), question) == [0.0]


def test_a_quoted_phrase_is_looked_for_as_it_stands():
    question = asked("Who spoke of a “zero tolerance policy”?")
    assert column(
        "quoted", pool("A Zero-Tolerance policy!", "zero policy, tolerance"), question
    ) == [1, 0]


def test_half_a_quoted_word_is_no_match():
    assert column("quoted", pool("The manual says art."), asked("Who said “man”?")) == [0.0]


def test_an_article_counts_by_its_best_three_chunks():
    article = Article("a", "one two three four five")
    chunks = [Chunk(f"a/{n}", "a", n, n + 3, "…") for n in range(4)]
    other = Chunk("b/0", "b", 0, 3, "…")
    considered = Pool(
        asked=(),
        chunks=[*chunks, other],
        articles={"a": article, "b": Article("b", "one")},
        lexical=np.array([[4.0, 4.0, 4.0, 0.0, 4.0]]),
        dense=np.array([[0.5, 0.5, 0.5, 0.0, 0.5]]),
        frequencies={},
        size=5,
    )
    assert column("article", considered, asked("one")) == pytest.approx([1, 1, 1, 1, 1 / 3])


def test_the_beginning_of_an_article_leads():
    article = Article("a", "x" * 5000)
    chunks = [Chunk(f"a/{start}", "a", start, start + 9, "…") for start in (0, 1000, 4000)]
    considered = replace(pool(), chunks=chunks, articles={"a": article})
    considered = replace(considered, lexical=np.zeros((1, 3)), dense=np.zeros((1, 3)))
    assert column("lead", considered, asked("one")) == [1.0, 0.5, 0.2]


def test_a_named_outlet_is_preferred():
    considered = pool(BRIDGE, outlet="The Castrelle Courier")
    outlets = ("The Castrelle Courier", "Globe")
    named = asked("What did The Castrelle Courier report on the bridge?", outlets=outlets)
    assert column("outlet", considered, named) == [1.0]
    assert column("outlet", considered, asked("What of the bridge?", outlets=outlets)) == [0.0]


@pytest.mark.parametrize(
    ("day", "inside"),
    [("2031-03-02", 0), ("2031-03-03", 1), ("2031-03-09T10:00:00Z", 1), ("2031-03-10", 0), ("", 0)],
)
def test_a_named_period_holds_its_days(day, inside):
    question = replace(asked("bridge"), periods=(Period("2031-03-03", "2031-03-09"),))
    assert column("period", pool(BRIDGE, published_at=day), question) == [inside]


def test_new_articles_count_only_where_the_newest_are_asked_for():
    dated = pool(BRIDGE, published_at="2031-04-20")
    assert column("recency", dated, asked("Who opened the bridge?")) == [0.0]
    (fresh,) = column("recency", dated, asked("Who opened the bridge?", as_of="2031-04-20"))
    (older,) = column("recency", dated, asked("Who opened the bridge?", as_of="2031-04-30"))
    assert (fresh, older) == (1.0, pytest.approx(np.exp(-1)))
    assert column("recency", pool(BRIDGE), asked("bridge?", as_of="2031-04-30")) == [0.0]
    assert column(
        "recency", pool(BRIDGE, published_at="soon"), asked("x?", as_of="2031-04-30")
    ) == [0]


def test_the_latest_is_counted_from_the_newest_article_at_hand():
    newest = date(2031, 4, 20)
    considered = pool(BRIDGE, FERRY)
    for n, article in enumerate(list(considered.articles.values())):
        day = (newest - timedelta(days=10 * n)).isoformat()
        considered.articles[article.id] = replace(article, published_at=day)  # type: ignore[index]
    values = column("recency", considered, asked("What is the latest on the bridge?"))
    assert values == pytest.approx([1.0, np.exp(-1)])


def test_better_evidence_is_likelier_to_answer():
    for dated in (True, False):
        likely = [judged(value, dated) for value in (0.0, 0.1, 0.5, 0.9)]
        assert likely == sorted(likely)
        assert 0 <= likely[0] < 0.5 < likely[-1] <= 1
    assert likelihood(likelihood_signals(np.empty((0, len(FEATURES))), 0.0, False)) < 0.1


def judged(value: float, dated: bool) -> float:
    return likelihood(likelihood_signals(np.full((5, len(FEATURES)), value), value, dated))


def test_chunks_far_down_do_not_make_an_answer_likelier():
    weak = np.full((JUDGED + 1, len(FEATURES)), 0.1)
    with_good = weak.copy()
    with_good[JUDGED] = 1.0
    assert likelihood_signals(with_good, 0.1, True) == likelihood_signals(weak, 0.1, True)
