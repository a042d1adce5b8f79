import asyncio
import re
from pathlib import Path

import pytest

from evals.bench_search import bench_search


@pytest.mark.slow
def test_the_speed_of_each_part_of_a_search_is_printed_and_the_library_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(bench_search(1000, tmp_path))
    printed = capsys.readouterr().out
    for part in ("filtered vectors, 2 %", "words, 90 %", "index, beside", "whole search, unfil"):
        assert re.search(rf"^{part}.* \d+\.\d\d", printed, re.MULTILINE), part
    assert "recall@10 against exact search: 1.0000" in printed
    assert "stored" in printed
    assert (tmp_path / "1000" / "library.db").is_file()
