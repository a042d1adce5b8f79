import json
from pathlib import Path

import pytest

from evals.cases import GoldError, GoldEvidence, GoldQuestion, load_cases, resolve_articles, split
from evals.datasets import GOLD, SEEDS, find_dataset, hash_files

ANSWERABLE = {
    "id": "q1",
    "question": "Who spoke?",
    "answers": ["Ada Quill"],
    "evidence": [{"article": "harbour.txt", "quote": "Ada Quill spoke."}],
    "answerable": True,
    "category": "fact",
}
UNANSWERABLE = ANSWERABLE | {"id": "q2", "answers": [], "evidence": [], "answerable": False}


def gold_file(folder: Path, *lines: object, name: str = "gold.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines))
    return path


def asked(*names: str) -> list[GoldQuestion]:
    evidence = tuple(GoldEvidence(name) for name in names)
    return [GoldQuestion("q", "?", ("a",), evidence, True, "fact")]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("{not json", "Invalid JSON"),
        ({k: v for k, v in ANSWERABLE.items() if k != "question"}, "question: Field required"),
        (ANSWERABLE | {"id": " "}, "id: String should have at least 1 character"),
        (ANSWERABLE | {"answers": []}, "an answerable question needs an accepted answer"),
        (UNANSWERABLE | {"answers": ["x"]}, "neither answers nor evidence"),
        (ANSWERABLE | {"evidence": [{"quote": "x"}]}, "evidence.0.article: Field required"),
        (ANSWERABLE, "the id 'q1' is already taken"),
    ],
)
def test_a_bad_line_is_named_with_its_reason(tmp_path, line, says):
    path = gold_file(tmp_path, ANSWERABLE, "", line)

    with pytest.raises(GoldError) as caught:
        load_cases(path)

    assert str(caught.value).startswith(f"{path}:3: ")
    assert says in str(caught.value)


def test_a_file_without_questions_or_without_text_is_refused(tmp_path):
    with pytest.raises(GoldError, match="holds no questions"):
        load_cases(gold_file(tmp_path, ""))
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(GoldError, match="cannot be read"):
        load_cases(tmp_path / "binary.jsonl")


def test_questions_come_in_order_with_equal_evidence_once_and_other_keys_ignored(tmp_path):
    twice = ANSWERABLE | {
        "evidence": [{"article": "d1"}] * 2,
        "context": "d1",
        "as_of": "2022-06-16",
    }
    first, second = load_cases(gold_file(tmp_path, twice, UNANSWERABLE))

    assert first == GoldQuestion(
        "q1", "Who spoke?", ("Ada Quill",), (GoldEvidence("d1"),), True, "fact", "2022-06-16"
    )
    assert (second.id, second.answerable, second.as_of) == ("q2", False, None)


def test_a_line_separator_inside_a_question_does_not_cut_its_line(tmp_path):
    line = json.dumps(ANSWERABLE | {"question": "Who\u2028spoke?"}, ensure_ascii=False)
    assert load_cases(gold_file(tmp_path, line))[0].question == "Who\u2028spoke?"


def test_the_half_follows_from_the_id_alone():
    assert [split("seed-001"), split("seed-002"), split("a")] == ["tune", "report", "report"]
    halves = [split(f"question-{i}") for i in range(1000)]
    assert 450 < halves.count("tune") < 550


def test_evidence_is_found_by_id_by_file_name_or_by_the_end_of_a_path():
    sources = {"a1": "news/may/harbour.txt", "a2": "news/june/harbour.txt", "a3": "/x/tower.md"}

    found, missing = resolve_articles(
        asked("a2", "may/harbour.txt", "tower.md", "lost.txt"), sources
    )

    assert found == {"a2": "a2", "may/harbour.txt": "a1", "tower.md": "a3"}
    assert missing == ["lost.txt"]
    with pytest.raises(GoldError, match="fits several articles"):
        resolve_articles(asked("harbour.txt"), sources)


def test_an_unknown_data_set_is_told_what_there_is(tmp_path):
    with pytest.raises(GoldError, match=r"no such gold file or folder; built in: .*seed"):
        find_dataset(str(tmp_path / "nothing"))


def test_a_folder_needs_both_of_its_files(tmp_path):
    gold_file(tmp_path, ANSWERABLE, name="questions.jsonl")
    with pytest.raises(GoldError, match=r"needs articles\.jsonl and questions\.jsonl"):
        find_dataset(str(tmp_path))

    gold_file(tmp_path, {"id": "d1", "text": "x"}, name="articles.jsonl")
    dataset = find_dataset(str(tmp_path))
    assert dataset.name == tmp_path.name
    assert dataset.articles == tmp_path / "articles.jsonl"


def test_a_gold_file_is_asked_of_the_users_library_unless_articles_are_named(tmp_path):
    path = gold_file(tmp_path, ANSWERABLE)
    assert find_dataset(str(path)).articles is None
    assert find_dataset(str(path), tmp_path).articles == tmp_path


def test_the_hash_of_articles_changes_with_a_file_its_name_and_its_bytes(tmp_path):
    (tmp_path / "a.txt").write_text("one")
    before = hash_files(tmp_path)
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    renamed = hash_files(tmp_path)
    (tmp_path / "b.txt").write_text("two")

    assert len({before, renamed, hash_files(tmp_path), hash_files(tmp_path / "b.txt")}) == 4


def test_every_quote_of_the_seed_set_stands_in_its_article():
    dataset = find_dataset("seed")

    assert dataset.questions == GOLD / "seed.jsonl"
    assert dataset.articles == SEEDS
    for case in dataset.cases:
        for evidence in case.evidence:
            text = (SEEDS / evidence.article).read_bytes().decode()
            assert evidence.quote
            assert evidence.quote in text, case.id
    assert {split(case.id) for case in dataset.cases} == {"tune", "report"}


def test_the_dialogues_are_asked_of_the_newspapers_and_each_has_what_it_is_measured_by() -> None:
    dataset = find_dataset("dialogues")
    assert dataset.articles == GOLD / "news" / "articles.jsonl"
    assert len(dataset.cases) == 30
    assert {len(case.history) for case in dataset.cases} == {2, 4}
    for case in dataset.cases:
        assert case.standalone
        told = case.standalone.casefold()
        assert all(word.casefold() in told for word in case.mentions)
        assert not any(word.casefold() in told for word in case.omits)


def test_a_follow_up_without_its_standalone_question_is_refused(tmp_path: Path) -> None:
    line = {"id": "q", "question": "why?", "answers": [], "evidence": [], "answerable": False}
    line |= {"category": "x", "history": [{"role": "user", "content": "Who?"}]}
    path = tmp_path / "gold.jsonl"
    path.write_text(json.dumps(line))
    with pytest.raises(GoldError, match="standalone question"):
        load_cases(path)


def test_no_conflict_is_told_from_one_that_is_not_known_of(tmp_path):
    lines = [
        ANSWERABLE | {"id": "a"},
        ANSWERABLE | {"id": "b", "conflict": None},
        ANSWERABLE | {"id": "c", "conflict": "changed"},
    ]
    cases = load_cases(gold_file(tmp_path, *lines))
    assert [case.conflict for case in cases] == [None, "none", "changed"]


def test_every_quote_of_the_conflicts_set_stands_in_its_article():
    folder = GOLD / "conflicts"
    lines = (folder / "articles.jsonl").read_text().splitlines()
    texts = {article["id"]: article["text"] for article in map(json.loads, lines)}
    cases = load_cases(folder / "questions.jsonl")
    assert all(e.quote in texts[e.article] for case in cases for e in case.evidence)
    kinds = [case.conflict for case in cases]
    assert min(kinds.count(kind) for kind in ("changed", "disagree", "none")) >= 15
