"""A small run of `make torture`, and of what it must find: defects that are planted."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.processes import ROOT
from tests.torture.run import DEFECTS

COUNT = os.environ.get("COUNT", "10")
PLANTED = (
    ("early", "write", ""),
    ("torn", "write", ""),
    ("torn", "migrate", "rag.storage.database"),
    ("in place", "backup", "rag.backup"),
)
"""A defect, and where the kills find it."""

pytestmark = pytest.mark.slow


def torture(out: Path, *options: str) -> tuple[int, dict[str, Any]]:
    """The exit status and the result of a run."""
    command = [sys.executable, "-m", "tests.torture", "--json", str(out), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr
    return done.returncode, json.loads(out.read_text())


def test_no_kill_leaves_anything_lost_torn_or_stale(tmp_path: Path) -> None:
    status, result = torture(tmp_path / "result.json", "--count", COUNT)
    assert result["faults"] == []
    assert status == 0
    assert sum(result["kills"].values()) == int(COUNT)
    assert result["at_points"]


def test_each_defect_that_can_be_planted_is() -> None:
    assert {defect for defect, *_ in PLANTED} == set(DEFECTS)


@pytest.mark.parametrize(("defect", "kind", "near"), PLANTED)
def test_a_planted_defect_is_found(defect: str, kind: str, near: str, tmp_path: Path) -> None:
    options = ("--defect", defect, "--kind", kind, "--near", near, "--count", "200", "--first")
    status, result = torture(tmp_path / "result.json", *options)
    assert status == 1
    assert result["faults"]


def test_bare_chroma_does_not_survive_it(tmp_path: Path) -> None:
    """What the library is for; and that the harness finds what nobody planted."""
    options = ("--target", "chroma", "--count", "100", "--first")
    status, result = torture(tmp_path / "result.json", *options)
    assert status == 1
    assert result["faults"]
