"""A tiny CrossEncoder of random weights, which the tests build, for what the fakes cannot tell."""

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.crossencoder import RETRY_S
from rag.errors import RerankingError
from rag.reranking import BATCH_SIZE, CrossEncoderReranker
from tests.tiny_models import save_cross_encoder

pytestmark = pytest.mark.slow  # imports torch

QUESTION = "who won ?"
TEXTS = [
    f"{who} {what} {where}"
    for who, what, where in itertools.product(
        ("india", "pakistan", "kenya"), ("won", "lost"), ("at chess", "at rugby at home")
    )
]
HOUR = 3600.0


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Writes a model to a folder: one layer, random weights, the words above."""

    def build(labels: int = 1, head: bool = True) -> str:
        names = [f"label {number}" for number in range(labels)]
        folder = tmp_path_factory.mktemp("model")
        return save_cross_encoder(folder, [QUESTION, *TEXTS], names, head)

    return build


@pytest.fixture(scope="module")
def folder(build: Callable[..., str]) -> str:
    return build()


class Clock:
    """Shows the given times one after another, then the last of them for ever."""

    def __init__(self, *times: float) -> None:
        self._times: Iterator[float] = itertools.chain(times, itertools.repeat(times[-1]))

    def __call__(self) -> float:
        return next(self._times)


def sigmoid_of_logits(folder: str, texts: list[str]) -> list[float]:
    """The same by transformers alone, one text at a time, in float32."""
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        return [
            torch.sigmoid(model(**tokenizer(QUESTION, text, return_tensors="pt")).logits).item()
            for text in texts
        ]


@pytest.mark.parametrize("name", ["none", "empty", "damaged"])
def test_a_model_that_cannot_be_loaded_is_named_with_the_way_out(tmp_path: Path, name: str):
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "config.json").write_text('{"model_type": "bert"')
    reranker = CrossEncoderReranker(str(tmp_path / name), HOUR)
    with pytest.raises(RerankingError, match=rf"{name}' cannot be .*DATELINE_RERANKER_MODEL"):
        reranker.score(QUESTION, TEXTS)


def test_a_failure_to_load_is_kept_for_a_while_and_then_tried_again(tmp_path: Path, folder: str):
    path = tmp_path / "model"
    now = 100.0
    reranker = CrossEncoderReranker(str(path), HOUR, lambda: now)
    with pytest.raises(RerankingError, match="cannot be loaded"):
        reranker.score(QUESTION, TEXTS)
    path.symlink_to(folder)
    now += RETRY_S - 1
    with pytest.raises(RerankingError, match="cannot be loaded"):
        reranker.score(QUESTION, TEXTS)
    now += 2
    assert None not in reranker.score(QUESTION, TEXTS)


def test_a_model_of_several_labels_is_refused(build: Callable[..., str]):
    reranker = CrossEncoderReranker(build(labels=3), HOUR)
    with pytest.raises(RerankingError, match="3 labels"):
        reranker.score(QUESTION, TEXTS)


def test_an_embedding_model_is_refused_rather_than_given_a_random_head(build: Callable[..., str]):
    reranker = CrossEncoderReranker(build(head=False), HOUR)
    with pytest.raises(RerankingError, match="no CrossEncoder"):
        reranker.score(QUESTION, TEXTS)


def test_a_model_that_fails_on_a_text_is_named(build: Callable[..., str]):
    folder = Path(build())
    words = (folder / "vocab.txt").read_text()
    (folder / "tokenizer.json").unlink()
    (folder / "vocab.txt").write_text(f"{words}\nsurplus")  # the model has no vector for it
    reranker = CrossEncoderReranker(str(folder), HOUR)
    with pytest.raises(RerankingError, match=rf"{folder.name}' failed: "):
        reranker.score(QUESTION, ["surplus"])


def test_scores_that_are_no_numbers_are_refused(build: Callable[..., str]):
    import torch
    from safetensors.torch import load_file, save_file

    folder = Path(build())
    weights = load_file(folder / "model.safetensors")
    weights["classifier.bias"] = torch.full_like(weights["classifier.bias"], float("nan"))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(RerankingError, match="no number"):
        CrossEncoderReranker(str(folder), HOUR).score(QUESTION, TEXTS)


def test_a_text_is_as_relevant_as_the_sigmoid_of_its_logit_says(folder: str):
    reranker = CrossEncoderReranker(folder, HOUR)
    assert reranker.model == folder
    scores = reranker.score(QUESTION, TEXTS)
    assert len(TEXTS) > 2 * BATCH_SIZE
    expected = sigmoid_of_logits(folder, TEXTS)
    assert max(expected) - min(expected) > 0.1
    assert scores == pytest.approx(expected, abs=0.02)
    assert reranker.score(QUESTION, []) == []


def test_what_the_time_does_not_suffice_for_is_not_read(folder: str):
    whole = CrossEncoderReranker(folder, HOUR).score(QUESTION, TEXTS)
    # looked at when the budget begins, then before each batch
    late = CrossEncoderReranker(folder, 0.5, Clock(7.0, 7.1, 7.4, 7.5))
    scores = late.score(QUESTION, TEXTS)
    assert scores[: 2 * BATCH_SIZE] == whole[: 2 * BATCH_SIZE]
    assert scores[2 * BATCH_SIZE :] == [None] * (len(TEXTS) - 2 * BATCH_SIZE)
    waited = CrossEncoderReranker(folder, 0.5, Clock(7.0, 8.0))
    assert waited.score(QUESTION, TEXTS) == [None] * len(TEXTS)
