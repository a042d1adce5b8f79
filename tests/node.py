"""Node and npm, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")

_OFFLINE = ("EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ENETUNREACH", "ENOTFOUND", "ETIMEDOUT")
_RETRIES = {"npm_config_fetch_retries": "0", "npm_config_fetch_timeout": "20000"}
_TIMEOUT_S = 180


def node() -> int:
    """The major version of Node; 0 without Node and npm."""
    if not (shutil.which("node") and shutil.which("npm")):
        return 0
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False).stdout
    return int(said.lstrip("v").partition(".")[0] or 0)


def npm(folder: Path, *arguments: str) -> None:
    """Run npm in a folder; the test is skipped where its registry cannot be reached."""
    try:
        done = subprocess.run(
            ["npm", *arguments],
            cwd=folder,
            env={**os.environ, **_RETRIES},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the npm registry does not answer")
    if done.returncode and any(f"npm error code {code}" in done.stderr for code in _OFFLINE):
        pytest.skip("the npm registry cannot be reached")
    assert done.returncode == 0, done.stdout + done.stderr
