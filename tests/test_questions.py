import pytest

from rag.language import SpacyAnalyser
from rag.query.questions import Asked, read_question

EVIDENCE = (
    "Mayor Ada Brandtova opened the harbour bridge in Veldhaven on Monday. "
    "The harbour council thanked Brandtova, and the council praised the engineers of Norsted."
)


@pytest.fixture(scope="module")
def analyser() -> SpacyAnalyser:
    return SpacyAnalyser()


def asked(text: str, analyser: SpacyAnalyser, evidence: str = EVIDENCE) -> Asked:
    return read_question(text, evidence, analyser)


@pytest.mark.parametrize(
    ("question", "label"),
    [
        ("When did the bridge open?", "DATE"),
        ("On which day did the bridge open?", "DATE"),
        ("How many engineers came?", "CARDINAL"),
        ("What price did the city pay for the bridge?", "MONEY"),
        ("What is the deficit in billions of dollars?", "MONEY"),
        ("At what time did the ship dock?", "TIME"),
        ("What percentage of voters agreed?", "PERCENT"),
        ("Where is the bridge?", "GPE"),
        ("Who opened the bridge?", "PERSON"),
    ],
)
def test_the_kind_of_answer_follows_from_the_wording(question, label, analyser):
    assert label in asked(question, analyser).wants


def test_any_answer_will_do_where_no_kind_is_asked_for(analyser):
    assert asked("Describe the opening of the bridge", analyser).wants == frozenset()
    assert asked("How tough is the council?", analyser).wants == frozenset()


@pytest.mark.parametrize(
    "question",
    [
        "What did Ada Brandtova say about the bridge?",
        "what did brandtova say about the bridge",
        "How did Brandtova describe the bridge?",
    ],
)
def test_whose_words_are_asked_for_is_understood(question, analyser):
    speaker = asked(question, analyser).speaker
    assert speaker is not None
    assert speaker.endswith("Brandtova")


def test_a_question_for_the_speaker_names_none(analyser):
    assert asked("Who said that the bridge is safe?", analyser).speaker is None
    assert asked("Who praised the engineers?", analyser).speaker is None


def test_misspelt_words_are_read_as_the_articles_write_them(analyser):
    read = asked("wat did brandtowa say abuot the harbuor brigde?", analyser)
    assert read.text == "wat did Brandtova say about the harbour bridge?"
    assert read.names == ("Brandtova",)


def test_words_that_somebody_knows_are_left_alone(analyser):
    text = "Did Slovakia or Slovenia open a fridge in Veldhaven?"
    assert asked(text, analyser, EVIDENCE + " It is in Slovenia.").text == text


def test_a_lower_case_name_that_nobody_knows_is_still_a_name(analyser):
    assert "krzanowski" in asked("what did krzanowski say about the bridge", analyser).names
    assert "brazil" in [name.lower() for name in asked("when did brazil agree", analyser).names]


def test_ordinary_words_are_no_names(analyser):
    assert asked("how do people feel about the opening", analyser).names == ()


def test_why_and_the_deed_are_noticed(analyser):
    read = asked("Why did the council refuse the bridge?", analyser)
    assert read.reason
    assert read.verb == "refus"
    assert not asked("What did the council refuse?", analyser).reason


def test_numbers_and_content_words_are_kept_without_asking_words(analyser):
    read = asked("What happened to 12 ships in 2022?", analyser)
    assert read.numbers == {"12", "2022"}
    assert "happen" not in read.stems
    assert "ship" in read.stems


@pytest.mark.parametrize("question", ["", "?", "🌉", "क्या हुआ?", "a" * 2000])
def test_no_question_is_too_strange_to_read(question, analyser):
    asked(question, analyser)
    asked(question, analyser, evidence="")
