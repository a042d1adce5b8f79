from collections.abc import Sequence
from pathlib import Path

import pytest

from evals.bench_store import HashedEmbedder
from rag.bootstrap import Parts
from rag.types import Analysis
from tests.fakes import NoGrammar
from tests.soak import GROWTH, Sample, Soak, plot


def soaked(folder: Path) -> Soak:
    return Soak(folder, Parts(embedder=HashedEmbedder(), analyser=NoGrammar()))


def curve(*memory: float) -> list[Sample]:
    return [Sample(number, number, used, 10.0) for number, used in enumerate(memory)]


@pytest.mark.parametrize(
    ("memory", "flat"),
    [
        ([100, 250, 300, 301, 299, 300, 302, 300], True),  # it grows while the library does
        ([100, 250, 300, 310, 320, 330, 340, 350], False),
    ],
)
def test_growth_is_told_from_the_time_that_it_takes_to_fill(
    memory: list[float], flat: bool, tmp_path: Path
) -> None:
    soak = soaked(tmp_path)
    soak.samples = curve(*memory)
    assert (soak.growth()["memory"] <= GROWTH) == flat
    assert soak.growth()["disk"] == 0


@pytest.mark.slow
async def test_a_service_that_keeps_what_it_reads_is_found(tmp_path: Path) -> None:
    kept: list[bytes] = []

    class Keeping(NoGrammar):
        def analyse(self, texts: Sequence[str]) -> list[Analysis]:
            kept.append(b"a" * 3_000_000)
            return super().analyse(texts)

    soak = Soak(tmp_path, Parts(embedder=HashedEmbedder(), analyser=Keeping()))
    await soak.run(80)
    assert len(kept) > 20
    assert soak.growth()["memory"] > GROWTH


@pytest.mark.slow
async def test_every_operation_is_done_and_both_curves_are_drawn(tmp_path: Path) -> None:
    soak = soaked(tmp_path / "soak")
    soak._folder.mkdir()
    await soak.run(60)
    assert soak.done.total() == 60
    assert len(soak.done) >= 6
    assert [sample.operations for sample in soak.samples] == [*range(1, 61)]
    assert all(sample.memory_mb > 10 and sample.disk_mb > 0 for sample in soak.samples)
    plot(soak.samples, tmp_path / "soak.svg")
    assert (tmp_path / "soak.svg").read_text().count("<path") > 2
