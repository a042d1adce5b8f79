"""The packaged model, for what the fakes cannot tell."""

import threading

import numpy as np
import pytest

from rag.embedding import SentenceTransformerEmbedder
from rag.errors import EmbeddingError

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def embedder() -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder()


def test_a_model_that_cannot_be_loaded_is_named(tmp_path) -> None:
    missing = SentenceTransformerEmbedder(str(tmp_path / "none"))
    for _ in range(2):  # a failure is not kept
        with pytest.raises(EmbeddingError, match="none"):
            missing.encode_query("chess")


def test_a_query_is_encoded_once(embedder: SentenceTransformerEmbedder) -> None:
    vector = embedder.encode_query("Who won at chess?")
    assert embedder.encode_query("Who won at chess?") is vector
    assert embedder.encode_query("who won at chess") is not vector
    with pytest.raises(ValueError, match="read-only"):
        vector[0] = 0.0


def test_threads_get_the_vectors_of_their_own_queries(
    embedder: SentenceTransformerEmbedder,
) -> None:
    texts = ["Who won?", "When did the bridge fall?", "What is rice?", "How many were hurt?"]
    expected = {text: embedder.encode_documents([text])[0] for text in texts}
    wrong: list[str] = []

    def ask(text: str) -> None:
        if np.dot(embedder.encode_query(text), expected[text]) < 0.9998:
            wrong.append(text)

    threads = [threading.Thread(target=ask, args=(text,)) for text in texts * 4]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
