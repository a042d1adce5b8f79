from dataclasses import replace

from rag.types import Article, Evidence, Passage, Span
from rag.verification.reading import read_evidence, read_passage
from tests.fakes import FakeAnalyser

TEXT = "One fell.\nTwo rose. Three stayed.\nFour left."
ARTICLE = Article("a", TEXT)


def passage(start: int, end: int) -> Passage:
    return Passage(1, 0.5, "a", "a:0", TEXT[start:end], start, end)


def test_the_sentences_inside_are_those_of_the_passage() -> None:
    reading = read_passage(passage(10, 33), ARTICLE, FakeAnalyser())
    assert [reading.text(i, i) for i in reading.inside] == ["Two rose.", "Three stayed."]
    assert len(reading.sentences) == len(reading.analyses) == len(reading.speeches) == 4


def test_a_reading_gives_the_text_from_one_sentence_to_another() -> None:
    reading = read_passage(passage(10, 33), ARTICLE, FakeAnalyser())
    assert reading.text(0, 1) == "One fell.\nTwo rose."


def test_a_span_touches_each_sentence_that_it_overlaps() -> None:
    reading = read_passage(passage(0, len(TEXT)), ARTICLE, FakeAnalyser())
    assert reading.touched(Span(12, 25)) == [1, 2]
    assert reading.touched(Span(9, 10)) == []


def test_a_far_end_of_a_long_article_is_not_read() -> None:
    text = "\n".join(f"Line {i} says that it rained." for i in range(1000))
    analyser = FakeAnalyser()
    end = text.index("\n")
    whole = Passage(1, 0.5, "b", "b:0", text[:end], 0, end)
    read_passage(whole, Article("b", text), analyser)
    assert len(analyser.analysed) < 60


def test_a_passage_in_the_middle_is_read_with_whole_lines_around() -> None:
    text = "\n".join(f"Line {i} says that it rained." for i in range(1000))
    start = text.index("Line 500")
    chunk = Passage(1, 0.5, "b", "b:0", text[start : start + 27], start, start + 27)
    reading = read_passage(chunk, Article("b", text), FakeAnalyser())
    assert all(reading.text(i, i).startswith("Line ") for i in range(len(reading.sentences)))
    assert [reading.text(i, i) for i in reading.inside] == ["Line 500 says that it rained."[:29]]


def test_english_is_assumed_where_no_language_is_known() -> None:
    reading = read_passage(passage(0, 9), ARTICLE, FakeAnalyser())
    assert reading.is_english
    german = read_passage(passage(0, 9), replace(ARTICLE, language="de"), FakeAnalyser())
    assert not german.is_english
    assert read_passage(
        passage(0, 9), replace(ARTICLE, language="en-GB"), FakeAnalyser()
    ).is_english


def test_evidence_is_read_passage_by_passage() -> None:
    evidence = Evidence((passage(0, 9), passage(10, 33)), {"a": ARTICLE})
    readings = list(read_evidence(evidence, FakeAnalyser()))
    assert [reading.passage.start for reading in readings] == [0, 10]
