import pytest

from rag.language import SpacyAnalyser
from rag.text.grammar import AGENT, FACT, OPEN, PATIENT, TO_COME, Predicate, predicates


def read(text: str, verb: str, analyser: SpacyAnalyser) -> Predicate:
    return next(p for p in predicates(analyser.analyse([text])[0]) if p.text == verb)


def who(predicate: Predicate, role: str) -> list[str]:
    return [filler.text for filler in predicate.roles.get(role, ())]


@pytest.mark.parametrize(
    ("text", "verb", "agent", "patient"),
    [
        ("India urged Russia to act.", "urged", ["India"], ["Russia"]),
        ("Russia was urged by India to act.", "urged", ["India"], ["Russia"]),
        ("The judge who cleared Reid left.", "cleared", ["judge"], ["Reid"]),
        ("Norvik bought the farm, beating Hexa.", "beating", ["Norvik"], ["Hexa"]),
        ("Reid was cleared but found guilty.", "found", [], ["Reid", "guilty"]),
        ("Lindholm told them to leave Skarn.", "leave", ["them"], ["Skarn"]),
    ],
)
def test_roles_are_those_of_the_deed_not_of_the_word_order(
    text: str, verb: str, agent: list[str], patient: list[str], analyser: SpacyAnalyser
) -> None:
    predicate = read(text, verb, analyser)
    assert (who(predicate, AGENT), sorted(who(predicate, PATIENT))) == (agent, sorted(patient))


@pytest.mark.parametrize(
    ("text", "verb", "denials"),
    [
        ("India will quit.", "quit", 0),
        ("He denied that India will quit.", "quit", 1),
        ("He did not deny that India will quit.", "quit", 2),
        ("India refused to quit.", "quit", 1),
        ("India did not quit.", "quit", 1),
        ("Nobody quit.", "quit", 1),
        ("No country quit.", "quit", 1),
        ("India is no longer allowed in.", "allowed", 1),
        ("Russia rejected claims that it attacked Lyon.", "attacked", 1),
        ("Poland has neither joined nor rejected it.", "joined", 1),
        ("They left without signing the deal.", "signing", 1),
        ("It is not only raining.", "raining", 0),
        ("It is said that he did not know that rain fell.", "fell", 1),
    ],
)
def test_denials_are_counted_up_to_what_governs(
    text: str, verb: str, denials: int, analyser: SpacyAnalyser
) -> None:
    assert read(text, verb, analyser).denials == denials


@pytest.mark.parametrize(
    ("text", "verb", "certainty"),
    [
        ("India left the union.", "left", FACT),
        ("India will leave the union.", "leave", TO_COME),
        ("India agreed to leave the union.", "leave", TO_COME),
        ("India may leave the union.", "leave", OPEN),
        ("India is likely to leave the union.", "leave", OPEN),
        ("India plans to leave the union.", "leave", OPEN),
        ("Weber hopes that India leaves the union.", "leaves", OPEN),
        ("India will leave if Russia stays.", "leave", OPEN),
        ("Will India leave the union?", "leave", OPEN),
        ("Weber said India had left the union.", "left", FACT),
    ],
)
def test_what_may_be_is_not_what_is(
    text: str, verb: str, certainty: int, analyser: SpacyAnalyser
) -> None:
    assert read(text, verb, analyser).certainty == certainty


def test_what_somebody_says_is_told_apart_from_what_they_claim(analyser: SpacyAnalyser) -> None:
    said = read("Weber said that it rained.", "rained", analyser)
    claimed = read("Weber claimed that it rained.", "rained", analyser)
    told = read("It rained.", "rained", analyser)
    assert (said.reported, said.opinion) == (True, False)
    assert (claimed.reported, claimed.opinion) == (True, True)
    assert (told.reported, told.opinion) == (False, False)


def test_limits_and_counts_are_kept(analyser: SpacyAnalyser) -> None:
    assert read("The vote was largely free.", "was", analyser).limits == {"largely"}
    (filler,) = read("It reached three of the nine villages.", "reached", analyser).roles[PATIENT]
    assert filler.count == {"3"}


def test_a_text_without_verbs_or_words_has_no_predicates(analyser: SpacyAnalyser) -> None:
    for text in ("", "…", "Berlin.", "A plan to ban fishing"):
        found = predicates(analyser.analyse([text])[0])
        assert all(p.text == "ban" for p in found)
