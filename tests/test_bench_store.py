from pathlib import Path

import numpy as np
import pytest

from evals.bench_store import HashedEmbedder, _ingest, _rebuild, _start


def test_texts_that_begin_alike_are_near_each_other() -> None:
    vectors = HashedEmbedder().encode_documents(["Rain fell.", "rain came.", "Snow fell."])
    assert vectors.shape == (3, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1)
    assert vectors[0] @ vectors[1] > 0.3 > abs(vectors[0] @ vectors[2])


@pytest.mark.slow
async def test_each_part_measures_the_library_that_the_first_one_took_in(tmp_path: Path) -> None:
    taken = await _ingest(tmp_path, 60)
    assert 30 < taken["chunks"] < 120
    started = await _start(tmp_path, 60)
    rebuilt = await _rebuild(tmp_path, 60)
    assert taken["chunks"] == started["chunks"] == rebuilt["chunks"]
    figures = [*taken.values(), *started.values(), *rebuilt.values()]
    assert all(figure > 0 for figure in figures)
    assert started["ready s"] <= started["searched s"]
