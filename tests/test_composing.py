import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.composing import Composer
from rag.types import Article, Claim, Passage, Quote, Span, Verdict

TEXT = "One fell. Two rose. Three stayed. Four left."
ARTICLES = {"a": Article("a", TEXT, title="A"), "b": Article("b", TEXT, title="B")}


def verdict(*places: tuple[str, int, int]) -> Verdict:
    quotes = (
        Quote(Passage(1, 0.5, article, f"{article}:0", TEXT, 0, len(TEXT)), Span(start, end))
        for article, start, end in places
    )
    return Verdict("exact", tuple(quotes), "verbatim")


def test_an_unsupported_claim_cannot_be_shown() -> None:
    composer = Composer(ARTICLES)
    with pytest.raises(ValueError, match="unsupported claim cannot be shown: 'Five came"):
        composer.add(Claim("Five came."), Verdict(None, (), "no"))
    assert composer.text == ""


def test_citations_are_numbered_in_the_order_of_their_first_use() -> None:
    composer = Composer(ARTICLES)
    composer.add(Claim("Two rose."), verdict(("a", 10, 19)))
    composer.add(Claim("One fell."), verdict(("b", 0, 9), ("a", 10, 19)))
    composer.add(Claim("Two rose, indeed."), verdict(("a", 10, 19)))
    assert composer.text == "Two rose. [1] One fell. [2][1] Two rose, indeed. [1]"
    assert [c.number for c in composer.citations] == [1, 2]
    assert [c.article_id for c in composer.citations] == ["a", "b"]
    assert [s.citations for s in composer.sentences] == [(1,), (2, 1), (1,)]


def test_a_sentence_brings_only_the_citations_that_are_new() -> None:
    composer = Composer(ARTICLES)
    first = composer.add(Claim("Two rose."), verdict(("a", 10, 19)))
    second = composer.add(Claim("It did."), verdict(("a", 10, 19), ("a", 0, 9)))
    assert first is not None
    assert second is not None
    assert (first.index, second.index) == (0, 1)
    assert [c.number for c in first.new_citations] == [1]
    assert [c.number for c in second.new_citations] == [2]


def test_what_was_said_is_not_said_again() -> None:
    composer = Composer(ARTICLES)
    assert composer.add(Claim("Two rose."), verdict(("a", 10, 19)))
    assert composer.add(Claim("Two  rose.\n"), verdict(("b", 10, 19))) is None
    assert len(composer.citations) == 1


def test_an_answer_keeps_its_word_limit() -> None:
    composer = Composer(ARTICLES, max_words=5)
    assert composer.add(Claim("Two rose."), verdict(("a", 10, 19)))
    assert composer.add(Claim("Three of them stayed."), verdict(("a", 20, 33))) is None
    assert composer.add(Claim("Four left."), verdict(("a", 34, 44)))
    assert composer.text == "Two rose. [1] Four left. [2]"


CLAIMS = st.lists(st.text("ab “”.\n’é🎈", min_size=1, max_size=20), max_size=8)


@given(CLAIMS)
def test_offsets_give_the_sentences(texts: list[str]) -> None:
    composer = Composer(ARTICLES, max_words=12)
    for i, text in enumerate(texts):
        composer.add(Claim(text), verdict(("a", i, i + 3)))
    for sentence in composer.sentences:
        assert composer.text[sentence.start : sentence.end] == sentence.text
    for citation in composer.citations:
        assert TEXT[citation.start : citation.end] == citation.quote
    assert sum(len(s.text.split()) for s in composer.sentences) <= 12
    used = dict.fromkeys(n for s in composer.sentences for n in s.citations)
    assert list(used) == [c.number for c in composer.citations]
