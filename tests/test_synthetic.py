import numpy as np

from evals.synthetic import CHUNKS, Synthetic

DATA = Synthetic(6310)


def test_the_same_library_is_made_every_time() -> None:
    one, two = next(DATA.entries()), next(Synthetic(DATA.chunks).entries())
    assert one[0] == two[0]
    assert one[1] == two[1]
    assert np.array_equal(one[2], two[2])
    assert DATA.questions(5) == Synthetic(DATA.chunks).questions(5)


def test_an_article_is_cut_into_chunks_with_unit_vectors() -> None:
    article, chunks, vectors = next(DATA.entries())
    assert len(chunks) == CHUNKS
    assert "".join(chunk.text for chunk in chunks) == article.text
    assert all(article.text[c.start : c.end] == c.text for c in chunks)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_neighbours_are_as_near_as_those_of_news() -> None:
    similarities = np.sort(DATA.vectors[:200] @ DATA.vectors.T, axis=1)[:, ::-1]
    ranks = [1, 10, 100, 631, 3155]  # itself first
    for rank, expected in zip(ranks, [0.75, 0.57, 0.35, 0.21, 0.07], strict=True):
        assert abs(np.median(similarities[:, rank]) - expected) < 0.04, rank


def test_a_question_is_near_some_chunks_and_no_question_is_asked_twice() -> None:
    nearest = (DATA.query_vectors(50) @ DATA.vectors.T).max(axis=1)
    assert 0.5 < np.median(nearest) < 0.75
    asked = [tuple(words) for words in DATA.questions(200)]
    assert len(set(asked)) == 200
    assert 8 <= np.median([len(words) for words in asked]) <= 12
