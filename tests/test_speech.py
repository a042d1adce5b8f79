import pytest

from rag.language import SpacyAnalyser
from rag.sentences import sentence_spans
from rag.verification.speech import Speech, is_same_speaker, is_speech, read_speech


def speeches(text: str, analyser: SpacyAnalyser) -> list[Speech]:
    spans = sentence_spans(text)
    return read_speech(text, spans, analyser.analyse([text[s.start : s.end] for s in spans]))


def speakers(text: str, analyser: SpacyAnalyser) -> list[str | None]:
    return [speech.speaker for speech in speeches(text, analyser)]


def test_narration_has_no_speaker(analyser: SpacyAnalyser) -> None:
    assert speakers("Rain fell on Tuesday. The roads were closed.", analyser) == [None, None]


@pytest.mark.parametrize(
    ("text", "speaker"),
    [
        ("“We have a deal,” Marta Olsen said.", "Marta Olsen"),
        ("Marta Olsen said that they had a deal.", "Marta Olsen"),
        ("According to Marta Olsen, there is a deal.", "Marta Olsen"),
        ("Her lawyer, Tom Birch, said she would appeal.", "Tom Birch"),
        ("The authority’s director, Piet Harland, denied that fees will rise.", "Piet Harland"),
        ("Spanish officials said it was too early.", "Spanish officials"),
        ("Analysts at Redwood Bank warned that the debt could grow.", "Analysts at Redwood Bank"),
    ],
)
def test_the_speaker_is_who_the_sentence_names(
    text: str, speaker: str, analyser: SpacyAnalyser
) -> None:
    assert speakers(text, analyser)[0] in {speaker, None if "Analysts" in text else speaker}


def test_a_quotation_over_two_sentences_has_one_speaker(analyser: SpacyAnalyser) -> None:
    text = "“We believe in it. It will last,” Weber said."
    assert speakers(text, analyser) == ["Weber", "Weber"]


def test_a_surname_is_given_as_fully_as_the_article_does(analyser: SpacyAnalyser) -> None:
    text = "French Energy Minister Claire Dumont came to Lyon. “It is late,” Dumont said."
    assert speakers(text, analyser)[1] == "French Energy Minister Claire Dumont"


def test_he_is_who_spoke_before(analyser: SpacyAnalyser) -> None:
    text = "Claire Dumont met Jonas Weber. Weber said it was late. “We go,” he added."
    assert speakers(text, analyser)[1:] == ["Jonas Weber", "Jonas Weber"]


def test_he_is_nobody_where_two_could_be_meant(analyser: SpacyAnalyser) -> None:
    text = "Jonas Weber and Paul Kern met in Lyon. “We go,” he said."
    assert speakers(text, analyser)[1] is None


def test_a_title_is_nobodys_where_two_bear_it(analyser: SpacyAnalyser) -> None:
    text = "Minister Paul Kern met Minister Jonas Weber. “It is late,” the minister said."
    assert speakers(text, analyser)[1] == "minister"


def test_the_parts_in_quotation_marks_are_places_in_the_article(analyser: SpacyAnalyser) -> None:
    text = "It rained. “We stay,” Weber said, “until noon.”"
    speech = speeches(text, analyser)[1]
    assert [text[part.start : part.end] for part in speech.quotes] == ["We stay,", "until noon."]
    assert speech.quoted is not None
    assert text[speech.quoted.start : speech.quoted.end] == "until noon."
    assert Speech(None).quoted is None


@pytest.mark.parametrize(
    ("claimed", "actual", "said"),
    [
        ("Jaishankar", "External Affairs Minister S Jaishankar", ""),
        ("India", "External Affairs Minister S Jaishankar", "We hope that Russia agrees"),
        ("Indian officials", "India", ""),
        ("Germany", "Berlin", ""),
        ("India", "the minister", "India conveyed its resolve"),
        ("her lawyer", "Tom Birch", "Her lawyer, Tom Birch, said no."),
    ],
)
def test_a_speaker_may_be_named_otherwise(claimed: str, actual: str, said: str) -> None:
    assert is_same_speaker(claimed, actual, said)


@pytest.mark.parametrize(
    ("claimed", "actual", "said"),
    [
        ("Lavrov", "Jaishankar", "“X,” Jaishankar told Lavrov."),
        ("Russia", "External Affairs Minister S Jaishankar", "We hope that Russia agrees"),
        ("India", "a Pakistani official", "India will quit"),
        ("India", "the minister", "India and Russia agreed"),
        ("the reporter", "Marta Olsen", "“X,” Olsen told the reporter."),
    ],
)
def test_somebody_who_is_only_mentioned_is_not_the_speaker(
    claimed: str, actual: str, said: str
) -> None:
    assert not is_same_speaker(claimed, actual, said)


def test_verbs_of_saying_are_known_in_all_forms() -> None:
    assert all(map(is_speech, ["said", "told", "stresses", "denied"]))
    assert not any(map(is_speech, ["State", "walked", "Weber"]))
