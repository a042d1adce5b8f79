from dataclasses import replace

from rag.explaining import explained_json, score_line, understood_lines
from rag.types import Evidence, Passage, Period, Understanding, Understood

PASSAGE = Passage(1, 0.75, "a", "a:0", "Eels.", 0, 5)
BARE = Evidence((PASSAGE,), {})
UNDERSTOOD = Understood("2025-06-04", "2025-05-14", "2025-06-01", ("Tide", "Lantern"), True)
UNDERSTANDING = Understanding(
    UNDERSTOOD,
    (Period("2025-05-14", "2025-05-14"), Period("2025-05-26", "2025-06-01")),
    ("old ferry", "no eels"),
    ("Ada Lind",),
    ("the whole", "Ada Lind ferry", "eels"),
)


def test_where_nothing_was_understood_it_is_said() -> None:
    assert list(understood_lines(BARE)) == ["Nothing but words was read out of the question."]


def test_a_passage_without_features_has_its_score() -> None:
    assert score_line(BARE, PASSAGE) == "score 0.750"


def test_all_that_was_understood_is_told() -> None:
    evidence = replace(BARE, understood=UNDERSTOOD, understanding=UNDERSTANDING)
    assert list(understood_lines(evidence)) == [
        "as of: 2025-06-04",
        "published: from 2025-05-14 to 2025-06-01, 2025-05-14, from 2025-05-26 to 2025-06-01",
        "outlets: Tide, Lantern",
        "latest: the newest articles are wanted",
        "phrases: “old ferry”, “no eels”",
        "names: Ada Lind",
        "part 1: Ada Lind ferry",
        "part 2: eels",
    ]


def test_filters_are_told_without_an_understanding() -> None:
    evidence = replace(BARE, understood=Understood(published_from="2025-05-14"))
    assert list(understood_lines(evidence)) == ["published: from 2025-05-14"]


def test_one_period_is_told_once() -> None:
    understood = Understood(published_to="2025-05-14")
    period = Period(None, "2025-05-14")
    evidence = replace(
        BARE, understood=understood, understanding=Understanding(understood, (period,), (), (), ())
    )
    assert list(understood_lines(evidence)) == ["published: to 2025-05-14"]


def test_features_are_told_by_weight_and_those_that_gave_nothing_are_not() -> None:
    evidence = replace(
        BARE, explained={"a:0": {"bm25": 0.5, "dense": 0.25, "stale": -0.4, "outlet": 0.0}}
    )
    line = "score 0.750 · bm25 +0.500 · stale -0.400 · dense +0.250"
    assert score_line(evidence, PASSAGE) == line


def test_the_document_is_the_contract_s_and_what_explains_it() -> None:
    document = {"passages": [{"chunk_id": "a:0"}, {"chunk_id": "b:0"}], "understood": {}}
    evidence = replace(BARE, understanding=UNDERSTANDING, explained={"a:0": {"bm25": 0.5}})
    explained = explained_json(document, evidence)
    assert document == {"passages": [{"chunk_id": "a:0"}, {"chunk_id": "b:0"}], "understood": {}}
    assert explained["passages"] == [
        {"chunk_id": "a:0", "explained": {"bm25": 0.5}},
        {"chunk_id": "b:0", "explained": {}},
    ]
    assert explained["understood"] == {}
    assert explained["understanding"]["names"] == ("Ada Lind",)
    assert explained["understanding"]["periods"][0] == {"first": "2025-05-14", "last": "2025-05-14"}
    assert explained_json(document, BARE)["understanding"] is None
