"""The widget as it is committed: small, licensed, and what its sources build to, to the byte."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.node import INSTALL, node, npm
from tests.processes import ROOT

SOURCES = ROOT / "api" / "widget"
DIST = SOURCES / "dist"
LICENCES = ROOT / "api" / "static" / "widget-licenses.txt"
MANIFEST = json.loads((DIST / "manifest.json").read_text())
PACKAGE = json.loads((SOURCES / "package.json").read_text())


def test_the_widget_weighs_at_most_35_kb_and_its_loader_3():
    files = [(DIST / one["file"]).read_bytes() for one in MANIFEST.values()]
    assert len((DIST / "widget.js").read_bytes()) <= 3 * 1024
    assert sum(len(gzip.compress(one, 9)) for one in files) <= 35_000


def test_the_manifest_tells_the_truth():
    assert sorted(path.name for path in DIST.iterdir()) == sorted(
        ["manifest.json", "widget.d.ts", *(one["file"] for one in MANIFEST.values())]
    )
    for one in MANIFEST.values():
        content = (DIST / one["file"]).read_bytes()
        digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
        assert one["integrity"] == f"sha384-{digest}"
        assert one["bytes"] == len(content)
    content = (DIST / MANIFEST["widget"]["file"]).read_bytes()
    assert hashlib.sha256(content).hexdigest()[:16] in MANIFEST["widget"]["file"]


def test_the_loader_loads_the_widget_that_is_there():
    assert MANIFEST["widget"]["file"] in (DIST / "widget.js").read_text()


def test_every_built_in_package_is_named_with_its_licence():
    told = LICENCES.read_text()
    for name, version in PACKAGE["dependencies"].items():
        assert f"{name} {version}\n" in told
    assert told.count("Permission is hereby granted, free of charge") == len(
        PACKAGE["dependencies"]
    )


def test_packages_are_pinned_to_one_version():
    for version in (PACKAGE["dependencies"] | PACKAGE["devDependencies"]).values():
        assert re.fullmatch(r"\d+\.\d+\.\d+", version)


@pytest.mark.parametrize("path", [*SOURCES.glob("*.ts"), *DIST.glob("*.js")], ids=lambda p: p.name)
def test_nothing_makes_markup_or_code_of_a_text(path):
    source = path.read_text()
    for sink in (
        r"\b(?:inner|outer)HTML\b",
        r"\binsertAdjacentHTML\b",
        r"\bdocument\.write\b",
        r"\beval\(",
        r"\bnew Function\b",
        r"\bsetAttribute\(['\"`](?:style|on)",
        r"['\"`]data:(?!\w*,? )",
    ):
        assert not re.search(sink, source), sink


def test_the_wheel_has_the_built_files_and_neither_sources_nor_packages():
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    excluded = wheel["targets"]["wheel"]["exclude"]
    for path in SOURCES.iterdir():
        assert (f"/{path.relative_to(ROOT)}" in matching(excluded)) == (path.name != "dist")
    ignored = subprocess.run(
        ["git", "check-ignore", *map(str, DIST.iterdir())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ignored.stdout == ""


def matching(patterns: list[str]) -> set[str]:
    return {f"/{path.relative_to(ROOT)}" for one in patterns for path in ROOT.glob(one.lstrip("/"))}


@pytest.mark.slow
@pytest.mark.skipif(node() < 20, reason="no Node of version 20 or newer, with npm, on the PATH")
def test_the_sources_check_and_build_to_the_committed_bytes(tmp_path: Path):
    copy = tmp_path / "api" / "widget"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules", "dist"))
    (tmp_path / "api" / "static").mkdir()
    npm(copy, *INSTALL)
    npm(copy, "run", "check")
    npm(copy, "run", "build")
    built = {path.name: path.read_bytes() for path in (copy / "dist").iterdir()}
    assert built == {path.name: path.read_bytes() for path in DIST.iterdir()}
    assert (tmp_path / "api" / "static" / LICENCES.name).read_bytes() == LICENCES.read_bytes()
