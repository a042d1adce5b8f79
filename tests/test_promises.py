from dataclasses import replace

import pytest

from evals.promises import promise_breaches, quotation_validity, quoted_spans
from rag.types import Answer, Article, Citation, Conflict, Passage, Sentence, Understood

TEXT = (
    "The harbour reopened on Monday. “We are relieved,” Ada Quill said. "
    "Fishing boats left at dawn. The ferry stays closed."
)
ARTICLE = Article("d1", TEXT, title="Harbour reopens", outlet="The Lantern")
ARTICLES = {"d1": ARTICLE}


def cite(number: int, quote: str) -> Citation:
    start = TEXT.index(quote)
    end = start + len(quote)
    before, after = TEXT[:start][-20:], TEXT[end:][:20]
    known = ("Harbour reopens", "The Lantern", None, None, None)
    return Citation(number, "d1", "c1", *known, quote, start, end, before, after)


def answer(*sentences: tuple[str, str, str]) -> Answer:
    """An answer of (text, support, quote) sentences that cite one quote each."""
    text, built, cited = "", [], {}
    for shown, support, quote in sentences:
        citation = cited.setdefault(quote, cite(len(cited) + 1, quote))
        start = len(text)
        text += f"{shown} [{citation.number}] "
        built.append(Sentence(shown, start, start + len(shown), support, (citation.number,)))
    return Answer(
        id="ans_1",
        question="?",
        status="answered",
        text=text.strip(),
        sentences=tuple(built),
        citations=tuple(cited.values()),
        nearest=(),
        withheld=0,
        understood=Understood(),
        standalone_question="?",
        fallback=None,
        prompt=None,
        model="extractive",
    )


REOPENED = "The harbour reopened on Monday."
RELIEVED = "“We are relieved,” Ada Quill said."
GOOD = answer(
    (REOPENED, "exact", REOPENED),
    ("Ada Quill: “We are relieved,”", "exact", "We are relieved,"),
    ("Boats went out at dawn.", "supported", "Fishing boats left at dawn."),
)
ABSTAINED = replace(
    answer(), status="abstained", text="The articles don’t say who won.", sentences=()
)


def broken_citation(**changes: object) -> Answer:
    return replace(GOOD, citations=(replace(GOOD.citations[0], **changes), *GOOD.citations[1:]))


def broken_sentence(**changes: object) -> Answer:
    return replace(GOOD, sentences=(replace(GOOD.sentences[0], **changes), *GOOD.sentences[1:]))


def shifted(good: Answer, lead: str) -> Answer:
    """The answer with a lead before its first sentence, the offsets adjusted to it."""
    moved = (replace(s, start=s.start + len(lead), end=s.end + len(lead)) for s in good.sentences)
    return replace(good, text=lead + good.text, sentences=tuple(moved))


def renumbered(good: Answer, numbers: dict[int, int]) -> Answer:
    """The answer with other citation numbers, the same everywhere."""
    text = "".join(str(numbers[int(c)]) if c.isdigit() else c for c in good.text)
    sentences = (
        replace(s, citations=tuple(numbers[n] for n in s.citations)) for s in good.sentences
    )
    citations = sorted(
        (replace(c, number=numbers[c.number]) for c in good.citations), key=lambda c: c.number
    )
    return replace(good, text=text, sentences=tuple(sentences), citations=tuple(citations))


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (broken_citation(start=1), "offsets don't give its quote"),
        (broken_citation(quote="The harbour reopened on Sunday."), "offsets don't give its quote"),
        (broken_citation(article_id="d9"), "there is no article 'd9'"),
        (broken_citation(author="Ada Quill"), "author is 'Ada Quill', not the article's"),
        (broken_citation(prefix="elsewhere"), "prefix does not stand before"),
        (broken_citation(suffix="elsewhere"), "suffix does not stand after"),
        (broken_citation(number=4), "listed are"),
        (broken_sentence(start=1), "offsets don't give its text"),
        (broken_sentence(citations=()), "no citation"),
        (broken_sentence(citations=(2,)), "stands after it"),
        (broken_sentence(support="plausible"), "unknown support"),
        (replace(GOOD, text=GOOD.text + " Trust me."), "stands after it"),
        (shifted(GOOD, "So: "), "text before the first sentence"),
        (renumbered(GOOD, {1: 2, 2: 1, 3: 3}), "not numbered in order of first use: [2, 1, 3]"),
        (replace(GOOD, citations=(*GOOD.citations, cite(4, RELIEVED))), "listed are [1, 2, 3, 4]"),
        (replace(GOOD, conflicts=(Conflict("disagree", ((1,), (7,))),)), "conflict"),
        (replace(GOOD, sentences=(), citations=()), "answered without a sentence"),
        (answer(("It reopened Monday.", "exact", REOPENED)), "called exact"),
        (answer((f"It is false that {REOPENED}", "exact", REOPENED)), "called exact"),
        (answer((f"Ada Quill said {REOPENED}", "exact", REOPENED)), "called exact"),
        (answer((f"Bo Reed: {REOPENED}", "exact", REOPENED)), "called exact"),
        (answer(("She was “overjoyed”.", "supported", RELIEVED)), "'overjoyed' is in quotation"),
        (answer(("She was 'overjoyed'.", "supported", RELIEVED)), "'overjoyed' is in quotation"),
        (answer((TEXT, "exact", TEXT)), "quotes 4 sentences"),
        (answer(("word " * 121, "supported", REOPENED)), "121 words, more than 120"),
        (replace(ABSTAINED, citations=GOOD.citations), "abstained, yet with"),
        (replace(ABSTAINED, text="Arsenal won."), "without saying that the articles don't say"),
        (replace(ABSTAINED, nearest=(Passage(1, 1, "d1", "c", "T", 0, 1),) * 4), "4 nearest"),
        (replace(ABSTAINED, nearest=(Passage(1, 1, "d1", "c", "x", 0, 1),)), "nearest passage 1"),
        (replace(ABSTAINED, nearest=(Passage(1, 1, "d8", "c", "a b " * 200, 0, 1),)), "256 tokens"),
    ],
)
def test_each_breach_of_a_promise_is_named(wrong, says):
    assert any(says in breach for breach in promise_breaches(wrong, ARTICLES))


def test_answers_and_abstentions_that_keep_the_promises_have_no_breach():
    assert promise_breaches(GOOD, ARTICLES) == []
    assert promise_breaches(ABSTAINED, {}) == []
    whole = answer((RELIEVED, "exact", RELIEVED))
    assert promise_breaches(whole, ARTICLES) == []


def test_a_longer_answer_is_allowed_to_an_llm():
    long = answer(("word " * 121, "supported", REOPENED))
    assert promise_breaches(replace(long, model="some-llm"), ARTICLES) == []


@pytest.mark.parametrize(
    ("sentence", "spans"),
    [
        ("No marks, it’s plain; the '90s were the workers' time.", []),
        ("“One,” he said, “two.”", ["One,", "two."]),
        ('"One," he said, "two."', ["One,", "two."]),
        ("He said “and so it goes on", ["and so it goes on"]),
        ("and so it went.” He left.", ["and so it went."]),
        ('and so it went."', ["and so it went."]),
        ("A ‘fine’ day, a 'bad' one", ["fine", "bad"]),
        ("“He called it ‘fine’”", ["He called it ‘fine’", "fine"]),
        ("«Oui»", ["Oui"]),
        ("“”", []),
    ],
)
def test_quoted_spans_are_what_a_reader_takes_for_quoted(sentence, spans):
    assert quoted_spans(sentence) == spans


def test_quotation_validity_is_the_share_of_citations_and_quoted_spans_that_hold():
    assert quotation_validity(GOOD, ARTICLES) == 1
    # three citations, one of them shifted, and one quoted span
    assert quotation_validity(broken_citation(start=1), ARTICLES) == 0.75
    assert quotation_validity(ABSTAINED, ARTICLES) is None
