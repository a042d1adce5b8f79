"""What tests of the true stack share: the seed article ingested once, and a server over it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.language import SpacyAnalyser
from tests.chroma_server import ChromaServer, running
from tests.processes import ROOT, Served, dateline, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SEEDS = ROOT / "seeds"
CopyOfSeeded = Callable[[], Path]


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the seed article; not to be written to, see `copy_of_seeded`."""
    data = tmp_path_factory.mktemp("seeded") / "data"
    done = dateline("ingest", SEEDS, data=data)
    assert done.returncode == 0, done.stderr
    assert "Articles: 1 added." in done.stderr
    assert done.stdout == ""
    return data


@pytest.fixture(scope="session")
def copy_of_seeded(seeded: Path, tmp_path_factory: pytest.TempPathFactory) -> CopyOfSeeded:
    """Makes data directories with the seed article that a process can hold for itself."""

    def copy() -> Path:
        return shutil.copytree(seeded, tmp_path_factory.mktemp("copy") / "data")

    return copy


@pytest.fixture(scope="session")
def server(copy_of_seeded: CopyOfSeeded) -> Iterator[Served]:
    """A keyless server over the seed article; leave it as it was found."""
    with serving(copy_of_seeded()) as served:
        yield served
    assert served.process.returncode == 0, served.said


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaServer]:
    """A Chroma server that all tests share; those that stop one start their own."""
    with running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    from playwright.sync_api import sync_playwright

    from tests.watching import CHROMIUM, FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def analyser() -> SpacyAnalyser:
    """The true grammar, loaded once."""
    return SpacyAnalyser()
