"""The analyser remembers what is asked for often."""

from collections.abc import Sequence

from rag.language import SpacyAnalyser
from rag.types import Analysis


def is_kept(analyser: SpacyAnalyser, texts: Sequence[str], found: Sequence[Analysis]) -> bool:
    again = analyser.analyse(texts)
    assert again == found
    return all(one is other for one, other in zip(again, found, strict=True))


def test_the_sentences_that_were_used_last_are_kept_and_the_others_go() -> None:
    analyser = SpacyAnalyser(kept=4)
    rain, snow = ["Rain fell.", "It was wet."], ["Snow fell.", "It was white."]
    wet, white = analyser.analyse(rain), analyser.analyse(snow)
    assert is_kept(analyser, rain, wet)
    analyser.analyse(["Hail fell.", "It was hard."])
    assert is_kept(analyser, rain, wet)
    assert not is_kept(analyser, snow, white)


def test_questions_do_not_push_out_the_sentences_of_passages() -> None:
    analyser = SpacyAnalyser(kept=2, alone=1)
    rain = ["Rain fell.", "It was wet."]
    wet, asked = analyser.analyse(rain), analyser.analyse(["Did rain fall?"])
    assert is_kept(analyser, ["Did rain fall?"], asked)
    analyser.analyse(["Did snow fall?"])
    assert not is_kept(analyser, ["Did rain fall?"], asked)
    assert is_kept(analyser, rain, wet)
    assert is_kept(analyser, rain[:1], wet[:1])


def test_more_texts_at_once_than_are_kept_are_all_analysed() -> None:
    texts = ["Rain fell.", "Snow fell.", "Hail fell.", "Rain fell."]
    found = SpacyAnalyser(kept=1).analyse(texts)
    assert [analysis.tokens[0].text for analysis in found] == ["Rain", "Snow", "Hail", "Rain"]


def test_words_that_are_met_once_do_not_stay_in_memory() -> None:
    analyser = SpacyAnalyser(kept=1, alone=1)
    analyser.analyse(["Rain fell."])
    strings = analyser._load().vocab.strings
    known = len(strings)
    for number in range(20):
        (found,) = analyser.analyse([f"Did qxy{number} fall?"])
        assert found.tokens[1].text == f"qxy{number}"
    assert len(strings) == known
