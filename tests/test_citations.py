from collections.abc import Sequence
from dataclasses import replace

import pytest

from evals.promises import promise_breaches
from rag.citations import CONTEXT_CHARS, Verifier, make_citation, split_label
from rag.composing import Composer
from rag.language import SpacyAnalyser
from rag.types import Article, Claim, Evidence, Passage, Quote, Span
from tests.fakes import FakeAnalyser, abstention
from tests.support_pairs import ARTICLES, PAIRS, passages, verifiers

SEED = ARTICLES["seed"]
TERROR = "seed:6"  # the passage on terrorism
CONVEYED = (
    "I conveyed India’s strong resolve to adopt a zero tolerance policy against terrorism and our "
    "sovereign right to defend our citizens against cross-border terrorism."
)


@pytest.fixture(scope="module")
def seed(analyser: SpacyAnalyser) -> Verifier:
    return Verifier(Evidence(passages(SEED), {"seed": SEED}), analyser)


def verifier_of(texts: Sequence[str], analyser: SpacyAnalyser, language: str = "en") -> Verifier:
    """Each text an article `0`, `1`, … of one passage `0:0`, `1:0`, …"""
    articles = {str(i): Article(str(i), text, language=language) for i, text in enumerate(texts)}
    found = tuple(
        Passage(i + 1, 0.5, str(i), f"{i}:0", text, 0, len(text)) for i, text in enumerate(texts)
    )
    return Verifier(Evidence(found, articles), analyser)


def quoted(quote: Quote, article: Article) -> str:
    return article.text[quote.span.start : quote.span.end]


# What must never be shown


def test_without_passages_nothing_is_supported(analyser: SpacyAnalyser) -> None:
    verdict = Verifier(Evidence((), {}), analyser).verify(Claim("Rain fell.", ("x",)))
    assert verdict.support is None
    assert verdict.reason == "no passage was found"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Trade dominated, see https://evil.example", "link"),
        ("Trade, however, dominated much of the dialogue [2].", "marker"),
        ("Trade, however, dominated <i>much</i> of the dialogue.", "markup"),
        ("x" * 2_001, "too long"),
        ("Trade dominated " * 70, "too long"),
        ("—", "says nothing"),
        ("Berlin.", ""),
    ],
)
def test_what_cannot_be_a_sentence_is_refused(claim: str, reason: str, seed: Verifier) -> None:
    verdict = seed.verify(Claim(claim, (TERROR,)))
    assert verdict.support is None
    assert reason in verdict.reason


@pytest.mark.parametrize(
    "claim",
    [
        CONVEYED,
        f"“{CONVEYED}”",
        f"Sergey Lavrov: “{CONVEYED}”",
        f"India: “{CONVEYED}”",
        "S Jaishankar: Trade, however, dominated much of the dialogue.",
        "S Jaishankar: “in a balanced and sustainable manner”",
    ],
)
def test_words_are_only_shown_with_who_said_them(claim: str, seed: Verifier) -> None:
    assert seed.verify(Claim(claim, (TERROR,))).support != "exact"


@pytest.mark.parametrize(
    "text",
    [
        "Weber denied that “India will quit”.",
        "Weber would not say that “India will quit”.",
        "If “India will quit”, Weber said, all is lost.",
        "Weber may have said “India will quit”.",
    ],
)
def test_a_quotation_is_not_cut_out_of_what_turns_its_meaning(
    text: str, analyser: SpacyAnalyser
) -> None:
    verifier = verifier_of([text], analyser)
    for claim in ("India will quit.", "“India will quit”", "Weber: “India will quit”"):
        assert verifier.verify(Claim(claim, ("0:0",))).support is None, claim


def test_a_piece_of_a_sentence_is_not_exact(analyser: SpacyAnalyser) -> None:
    verifier = verifier_of(["He denied that India will quit the pact."], analyser)
    assert verifier.verify(Claim("India will quit the pact.", ("0:0",))).support is None


def test_the_end_of_a_title_that_reads_as_an_order_is_no_statement(
    analyser: SpacyAnalyser,
) -> None:
    text = "The show is called I’m a Celebrity… Get Me Out of Here! It got a message to viewers."
    verdict = verifier_of([text], analyser).verify(Claim("Get Me Out of Here!", ("0:0",)))
    assert verdict.support is None


def test_three_sentences_are_no_quote(analyser: SpacyAnalyser) -> None:
    text = "Rain fell in Lyon. Roads were closed. Trains stood still."
    verifier = verifier_of([text], analyser)
    assert verifier.verify(Claim(text, ("0:0",))).support is None
    assert verifier.verify(Claim(text[:37], ("0:0",))).support == "exact"


def test_two_speakers_words_are_not_one_quote(analyser: SpacyAnalyser) -> None:
    text = "“We will stay,” Jonas Weber said. “We will go,” Claire Dumont said."
    verifier = verifier_of([text], analyser)
    claim = Claim("Jonas Weber: “We will go”", ("0:0",))
    assert verifier.verify(claim).support is None
    assert verifier.verify(Claim("Claire Dumont: “We will go”", ("0:0",))).support == "exact"


# What is shown


@pytest.mark.parametrize(
    "claim",
    [
        f"S Jaishankar: “{CONVEYED}”",
        f'External Affairs Minister S Jaishankar: "{CONVEYED.replace("’", chr(39))}"',
        "Trade, however, dominated much of the dialogue.",
        "Trade,  however,\ndominated much of the dialogue.",
        "Energy cooperation, a cornerstone of the partnership, remained central.",
    ],
)
def test_a_verbatim_sentence_is_exact(claim: str, seed: Verifier) -> None:
    verdict = seed.verify(Claim(claim, (TERROR,)))
    assert verdict.support == "exact"
    assert quoted(verdict.quotes[0], SEED) in SEED.text


def test_the_contracts_own_example_is_supported_by_what_was_conveyed(seed: Verifier) -> None:
    claim = Claim("India conveyed a zero tolerance policy against terrorism.", (TERROR,))
    verdict = seed.verify(claim)
    assert verdict.support == "supported"
    assert CONVEYED[:-1] in quoted(verdict.quotes[0], SEED)
    assert verdict.quotes[0].passage.chunk_id == TERROR


def test_a_true_claim_with_a_wrong_label_is_given_the_passage_that_supports_it(
    seed: Verifier,
) -> None:
    claim = Claim("India conveyed a zero tolerance policy against terrorism.", ("seed:0", "forged"))
    assert seed.verify(claim).quotes[0].passage.chunk_id == TERROR
    exact = seed.verify(Claim("Trade, however, dominated much of the dialogue.", (TERROR,)))
    assert exact.quotes[0].passage.chunk_id == "seed:3"


def test_the_cited_passage_comes_before_another_that_says_the_same(
    analyser: SpacyAnalyser,
) -> None:
    verifier = verifier_of(["Rain fell in Lyon."] * 2, analyser)
    for label in ("0:0", "1:0"):
        verdict = verifier.verify(Claim("Rain fell in Lyon.", (label,)))
        assert verdict.quotes[0].passage.chunk_id == label


def test_a_claim_copied_from_one_article_is_not_cited_from_another(
    analyser: SpacyAnalyser,
) -> None:
    verifier = verifier_of(["Rain fell in Lyon."] * 2, analyser)
    verdict = verifier.verify(Claim("Rain fell in Lyon.", ("0:0",), ("1", Span(0, 18))))
    assert verdict.quotes[0].passage.article_id == "1"


def test_the_second_of_two_equal_texts_is_found_where_the_first_is_no_sentence(
    analyser: SpacyAnalyser,
) -> None:
    text = "He denied that rain fell. Weber said rain fell.\nRain fell."
    verdict = verifier_of([text], analyser).verify(Claim("Rain fell.", ("0:0",)))
    assert verdict.support == "exact"
    assert verdict.quotes[0].span == Span(48, 58)


def test_an_article_in_another_language_can_be_quoted(analyser: SpacyAnalyser) -> None:
    text = "Indien und Russland haben zwölf Abkommen unterzeichnet. Es regnete."
    verifier = verifier_of([text], analyser, language="de")
    assert verifier.verify(Claim("Es regnete.", ("0:0",))).support == "exact"
    claim = "Indien und Russland haben zwölf Abkommen nicht unterzeichnet."
    assert verifier.verify(Claim(claim, ("0:0",))).support is None


def test_a_reason_says_what_is_wrong(seed: Verifier) -> None:
    forged = Claim("Lavrov conveyed a zero tolerance policy against terrorism.", (TERROR,))
    assert "Lavrov" in seed.verify(forged).reason
    other = seed.verify(Claim("Penguins live in Antarctica.", (TERROR,)))
    assert other.reason == "the source is about something else"


def test_without_grammar_whole_sentences_are_still_exact() -> None:
    text = "Rain fell in Lyon. Roads were closed."
    evidence = Evidence(
        (Passage(1, 0.5, "a", "a:0", text, 0, len(text)),), {"a": Article("a", text)}
    )
    verdict = Verifier(evidence, FakeAnalyser()).verify(Claim("Roads were closed.", ("a:0",)))
    assert verdict.support == "exact"


# Labels and citations


@pytest.mark.parametrize(
    ("text", "settled"),
    [
        ("Weber: “It is late.”", "Weber: “It is late”."),
        ("“It is late.” So Weber.", "“It is late”. So Weber."),
        ("Weber said “it was”, and “It is late.”.", "Weber said “it was”, and “It is late”."),
        ("Weber: “It is early.”", "Weber: “It is early.”"),
        ("Dumont: “We go.”", "Dumont: “We go.”"),
        ("It is late.", "It is late."),
    ],
)
def test_a_stop_that_is_not_in_the_article_moves_out_of_the_marks(
    text: str, settled: str, analyser: SpacyAnalyser
) -> None:
    verifier = verifier_of(["“It is late,” Weber said. “We go.”"], analyser)
    assert verifier.settle(Claim(text, ("0:0",))) == Claim(settled, ("0:0",))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("S Jaishankar: “We resolved it.”", ("S Jaishankar", "We resolved it.")),
        ("the foreign minister: “Yes.”", ("the foreign minister", "Yes.")),
        ("“We resolved it.”", (None, "We resolved it.")),
        ("Trade dominated.", (None, "Trade dominated.")),
        ("Putin told them: “Go.”", (None, "Putin told them: “Go.”")),
        (
            "The states on Monday saw a new player in the war: Iran.",
            (None, "The states on Monday saw a new player in the war: Iran."),
        ),
        ("At 10:30 it rained.", (None, "At 10:30 it rained.")),
        ("“A,” he said, “b.”", (None, "“A,” he said, “b.”")),
    ],
)
def test_a_label_is_a_name_before_a_colon(text: str, expected: tuple[str | None, str]) -> None:
    assert split_label(text) == expected


def test_a_citation_holds_its_quote_and_a_little_around_it() -> None:
    start = SEED.text.index("Trade, however")
    span = Span(start, start + 47)
    citation = make_citation(3, Quote(passages(SEED)[3], span), SEED)
    assert citation.number == 3
    assert citation.quote == SEED.text[citation.start : citation.end]
    assert SEED.text[: citation.start].endswith(citation.prefix)
    assert SEED.text[citation.end :].startswith(citation.suffix)
    assert len(citation.prefix) == len(citation.suffix) == CONTEXT_CHARS
    assert (citation.outlet, citation.author, citation.url) == ("The Herald", None, None)


def test_a_citation_at_the_ends_of_an_article_has_nothing_around_it() -> None:
    article = Article("a", "All of it.")
    whole = Passage(1, 1, "a", "a:0", article.text, 0, 10)
    citation = make_citation(1, Quote(whole, Span(0, 10)), article)
    assert (citation.prefix, citation.quote, citation.suffix) == ("", "All of it.", "")


def test_whatever_is_shown_keeps_the_promises(analyser: SpacyAnalyser) -> None:
    known = verifiers(analyser)
    for key, article in ARTICLES.items():
        composer = Composer({key: article})
        for claim in (Claim(pair.claim) for pair in PAIRS if pair.article == key):
            settled = known[key].settle(claim)
            verdict = known[key].verify(settled)
            if verdict.support:
                composer.add(settled, verdict)
        answer = replace(
            abstention("?"),
            status="answered",
            text=composer.text,
            sentences=tuple(composer.sentences),
            citations=tuple(composer.citations),
            model="any",
        )
        assert promise_breaches(answer, {key: article}) == []
        assert len(answer.sentences) > 3
