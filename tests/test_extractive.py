from dataclasses import fields

import pytest

from rag.candidates import Candidate, Features
from rag.citations import Verifier
from rag.embedding import SentenceTransformerEmbedder
from rag.excerpts import claims_of
from rag.extractive import Extractor
from rag.language import SpacyAnalyser
from rag.types import Article, Claim, Evidence, Passage, Question

HARBOUR = Article(
    "harbour",
    "Veldhaven opened its harbour bridge on Monday after nine years of building, and Mayor Ada "
    "Brandtova cut the ribbon.\n"
    "The bridge cost 84 million crowns, the harbour council said.\n"
    "“We built this for the fishermen,” Brandtova said. “They have waited long enough. The old "
    "ferry will stop in June.”\n"
    "Council member Otto Lindqvist remarked, “The toll is too high for small boats.”\n"
    "Also read: Ferry timetable for June\n"
    "She later visited the fish market. The market sells herring and cod from forty boats.\n",
    title="Harbour bridge opens",
    published_at="2026-03-02",
)


@pytest.fixture(scope="module")
def analyser() -> SpacyAnalyser:
    return SpacyAnalyser()


@pytest.fixture(scope="module")
def extractor(analyser) -> Extractor:
    return Extractor(SentenceTransformerEmbedder(), analyser)


def evidence(*articles: Article) -> Evidence:
    passages = tuple(
        Passage(n, 1.0, a.id, f"chk_{a.id}", a.text, 0, len(a.text), title=a.title)
        for n, a in enumerate(articles, 1)
    )
    return Evidence(passages, {article.id: article for article in articles})


@pytest.fixture
def ask(extractor, analyser):
    def ask(question: str, *articles: Article, confidence: float | None = None) -> list[Claim]:
        verifier = Verifier(evidence(*(articles or [HARBOUR])), analyser)
        claims = extractor.extract(Question(question), verifier.readings, confidence)
        for claim in claims:
            assert verifier.verify(claim).support == "exact", claim
        return claims

    return ask


pytestmark = pytest.mark.slow


@pytest.mark.parametrize(
    "question",
    [
        "What did Krzanowski say about the bridge?",
        "What did Lindqvist say about taxes?",
        "When will the bridge in Portugal open?",
        "How many fishermen live in Veldhaven?",
        "At what time did the mayor cut the ribbon?",
        "Why did Brandtova resign?",
        "who won the 2022 World Cup?",
        "",
    ],
)
def test_what_the_article_does_not_say_is_not_answered(ask, question):
    assert ask(question) == []


@pytest.mark.parametrize(
    ("question", "confidence", "is_answered"),
    [
        ("Who cut the ribbon of the bridge in Portugal?", 0.7, False),
        ("Who cut the ribbon of the bridge in Portugal?", 0.85, True),
        ("At what time did the mayor cut the ribbon?", 0.85, False),
        ("At what time did the mayor cut the ribbon?", 0.95, True),
    ],
)
def test_the_surer_retrieval_is_the_less_rules_a_sentence_out(
    ask, question, confidence, is_answered
):
    assert bool(ask(question, confidence=confidence)) == is_answered


def test_nothing_is_said_without_passages(extractor):
    assert extractor.extract(Question("Who opened the bridge?"), ()) == []


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much did the bridge cost?", "84 million crowns"),
        ("Who cut the ribbon?", "Ada Brandtova"),
        ("When did the bridge open?", "Monday"),
        ("what did lindqvist say about the toll", "too high for small boats"),
        ("What happens to the old ferry?", "will stop in June"),
        ("what do they sell at the fish markt?", "herring and cod"),
    ],
)
def test_the_sentence_that_answers_is_found(ask, question, answer):
    assert any(answer in claim.text for claim in ask(question))


def test_a_quotation_is_shown_with_the_full_name_of_its_speaker(ask):
    texts = [claim.text for claim in ask("What did Brandtova say about the ferry?")]
    assert any(text.startswith("Mayor Ada Brandtova: “") for text in texts), texts
    assert all(text.count("“") == text.count("”") for text in texts)


def test_sentences_of_one_quotation_are_joined(analyser):
    (reading,) = Verifier(evidence(HARBOUR), analyser).readings
    nothing = Features(**{field.name: 0.0 for field in fields(Features)})
    texts = ("They have waited long enough.", "The old ferry will stop in June.")
    parts = [i for i in reading.inside if reading.text(i, i).strip("“”") in texts]
    (claim,) = claims_of([Candidate(reading, i, nothing) for i in reversed(parts)])
    assert claim.text == f"Mayor Ada Brandtova: “{' '.join(texts)}”"


def test_a_sentence_that_begins_with_a_pronoun_brings_the_one_before_it():
    from rag.excerpts import _excerpt
    from rag.verification.reading import read_passage

    article = Article("a", "Ada Brandtova went home. She slept until noon the next day.")
    passage = Passage(1, 1.0, "a", "chk", article.text, 0, len(article.text))
    reading = read_passage(passage, article, SpacyAnalyser())
    excerpt = _excerpt(reading, 1)
    assert (excerpt.first, excerpt.last, excerpt.quoted) == (0, 1, False)


def test_navigation_lines_are_no_answers(ask):
    claims = ask("What is the ferry timetable for June?")
    assert not any("Also read" in claim.text for claim in claims)


def test_a_wire_copy_is_not_repeated(ask):
    copy = Article("copy", HARBOUR.text, title=HARBOUR.title, outlet="The Copyist")
    texts = [claim.text for claim in ask("How much did the bridge cost?", HARBOUR, copy)]
    assert len(texts) == len(set(texts))
    assert sum("84 million" in text for text in texts) == 1
