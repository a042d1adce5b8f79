import pytest

from rag.citations import Verifier
from rag.language import SpacyAnalyser
from rag.text.lexicon import backing, meanings, opposites
from rag.text.statements import Source, names_in, read_statement
from rag.text.wording import stem
from rag.types import Claim
from rag.verification.support import coverage, objection
from tests.support_pairs import ARTICLES, PAIRS, WITHHELD, Pair, shown, verifiers

FORGERIES = [pair for pair in PAIRS if not pair.true]
TRUE = [pair for pair in PAIRS if pair.true]


@pytest.fixture(scope="module")
def known(analyser: SpacyAnalyser) -> dict[str, Verifier]:
    return verifiers(analyser)


def name(pair: Pair) -> str:
    return f"{pair.kind}: {pair.claim}"


@pytest.mark.parametrize("pair", FORGERIES, ids=name)
def test_a_forgery_is_not_supported(pair: Pair, known: dict[str, Verifier]) -> None:
    verdict = known[pair.article].verify(Claim(pair.claim, (f"{pair.article}:0",)))
    assert verdict.support is None
    assert verdict.quotes == ()
    assert verdict.reason


@pytest.mark.parametrize("pair", [p for p in TRUE if p.claim not in WITHHELD], ids=name)
def test_a_true_claim_is_supported(pair: Pair, known: dict[str, Verifier]) -> None:
    verifier = known[pair.article]
    verdict = verifier.verify(verifier.settle(Claim(pair.claim, (f"{pair.article}:0",))))
    assert verdict.support, verdict.reason
    (quote,) = verdict.quotes
    assert quote.passage.article_id == pair.article


def test_few_true_claims_are_withheld(known: dict[str, Verifier]) -> None:
    missed = {pair.claim for pair in TRUE if not shown(pair, known[pair.article])}
    assert missed <= WITHHELD
    assert len(WITHHELD) < 0.07 * len(TRUE)


def test_the_tables_are_large_enough_to_mean_something() -> None:
    assert len(FORGERIES) > 250
    assert len(TRUE) > 120
    assert {pair.article for pair in PAIRS} == ARTICLES.keys()


# Without grammar, as for articles in other languages, words still count.

GERMAN = "Indien und Russland haben am 21. August 2025 in Moskau 12 Abkommen nicht unterzeichnet."


@pytest.mark.parametrize(
    "claim",
    [
        "Indien und Russland haben in Moskau 13 Abkommen nicht unterzeichnet.",
        "Indien und Russland haben in Moskau 12 Abkommen unterzeichnet.",
        "Indien und Pakistan haben in Delhi 12 Verträge nicht bestätigt.",
        "Indien sagte: „Wir haben nicht unterzeichnet.“",
    ],
)
def test_a_forgery_in_a_language_without_grammar_is_refused(claim: str) -> None:
    source = Source((read_statement(GERMAN),), GERMAN, "")
    assert objection(read_statement(claim), source)


def test_a_shortened_sentence_in_a_language_without_grammar_is_supported() -> None:
    source = Source((read_statement(GERMAN),), GERMAN, "")
    claim = read_statement("Indien und Russland haben 12 Abkommen nicht unterzeichnet.")
    assert objection(claim, source) is None


@pytest.mark.parametrize(
    ("source", "claim", "reason"),
    [
        ("Rain fell in Lyon on Monday.", "Rain fell in Lyon on Tuesday.", "date Tuesday"),
        ("Rain fell in Lyon.", "Rain fell in Lyon in 2019.", "date 2019"),
        ("Timber exports from Lyon rose.", "Timber exports from Lyon fell.", "the claim “fell”"),
        ("It cost 12 euros in Lyon.", "It cost 12 dollars in Lyon.", "another unit"),
        ("Rain fell on the roofs in Lyon.", "Rain fell on all the roofs in Lyon.", "“all”"),
        ("Weber said “we go” in Lyon.", "Weber said “we went” in Lyon.", "quotation"),
        ("Rain fell in Lyon.", "Rain never fell in Lyon.", "denies"),
        ("Rain may fall in Lyon.", "Rain will fall in Lyon.", "possible"),
    ],
)
def test_the_words_alone_tell_what_is_wrong(source: str, claim: str, reason: str) -> None:
    found = objection(read_statement(claim), Source((read_statement(source),), source, ""))
    assert found is not None
    assert reason in found


@pytest.mark.parametrize("word", ["military", "secret", "final"])
def test_an_adjective_that_nobody_used_is_something_added(
    word: str, analyser: SpacyAnalyser
) -> None:
    text = "Weber and Dumont signed the agreement on power lines in Lyon."
    source = Source((read_statement(text, analyser.analyse([text])[0]),), text, "")
    forged = text.replace("the agreement", f"the {word} agreement")
    assert objection(read_statement(text, analyser.analyse([text])[0]), source) is None
    assert objection(read_statement(forged, analyser.analyse([forged])[0]), source)


# The parts


def test_what_only_stands_around_counts_half() -> None:
    source = Source((read_statement("Trade grew."),), "Trade grew.", "Russia")
    assert coverage(read_statement("Trade grew"), source) == 1
    assert coverage(read_statement("Russia trade"), source) == pytest.approx(0.75)
    assert coverage(read_statement("Cats sleep"), source) == 0
    assert coverage(read_statement("of the"), source) == 0


def test_names_are_people_places_and_what_else_is_capitalised(analyser: SpacyAnalyser) -> None:
    analysis = analyser.analyse(["Jaishankar met Vladimir Putin in Moscow on Monday."])[0]
    assert set(names_in(analysis)) == {"Jaishankar", "Vladimir Putin", "Moscow"}


def test_word_lists_are_read_by_stem() -> None:
    assert meanings(stem("purchased")) & meanings(stem("buying"))
    assert stem("fall") in opposites(stem("rising"))
    assert stem("rise") in opposites(stem("falling"))
    assert stem("each") in backing(stem("all"))
    assert not backing(stem("trade"))
    assert not opposites(stem("trade"))


def test_no_word_is_both_a_synonym_and_an_opposite() -> None:
    for word in ("rise", "buy", "accept", "begin", "strengthen", "win", "arrive"):
        for other in opposites(stem(word)):
            assert not (meanings(stem(word)) & meanings(other)), (word, other)
