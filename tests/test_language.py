"""The analyser remembers what is asked for often."""

from rag.language import SpacyAnalyser


def test_what_was_used_last_is_kept_and_the_rest_goes() -> None:
    analyser = SpacyAnalyser(kept=2)
    rain, [snow] = analyser.analyse(["Rain fell."])[0], analyser.analyse(["Snow fell."])
    assert analyser.analyse(["Rain fell."])[0] is rain
    analyser.analyse(["Hail fell."])
    assert analyser.analyse(["Rain fell."])[0] is rain
    again = analyser.analyse(["Snow fell."])[0]
    assert again is not snow
    assert again == snow


def test_more_texts_at_once_than_are_kept_are_all_analysed() -> None:
    texts = ["Rain fell.", "Snow fell.", "Hail fell.", "Rain fell."]
    found = SpacyAnalyser(kept=1).analyse(texts)
    assert [analysis.tokens[0].text for analysis in found] == ["Rain", "Snow", "Hail", "Rain"]
