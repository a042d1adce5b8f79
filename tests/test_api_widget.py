"""The widget's files over HTTP."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re

import pytest

from api.bundle import DIST
from tests.fakes import FakeService
from tests.http_samples import client

MANIFEST = json.loads((DIST / "manifest.json").read_text())
WIDGET = MANIFEST["widget"]["file"]
FOREIGN = {"Origin": "https://anybody.example"}


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("widget.js", "public, max-age=300"),
        (WIDGET, "public, max-age=31536000, immutable"),
    ],
)
async def test_any_page_may_load_the_scripts_and_keep_them_as_long_as_they_are_good(path, kept):
    async with client(FakeService()) as http:
        response = await http.get(f"/{path}", headers=FOREIGN)
    assert response.status_code == 200
    assert response.content == (DIST / path).read_bytes()
    assert response.headers["content-type"] == "text/javascript; charset=utf-8"
    assert response.headers["cache-control"] == kept
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["cross-origin-resource-policy"] == "cross-origin"
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_a_loader_older_than_the_service_still_gets_a_widget_but_keeps_it_not():
    async with client(FakeService()) as http:
        response = await http.get("/widget.0123456789abcdef.js")
    assert response.content == (DIST / WIDGET).read_bytes()
    assert response.headers["cache-control"] == "no-store"


async def test_the_demo_page_shows_how_to_embed_the_very_widget_that_is_served():
    async with client(FakeService()) as http:
        page = html.unescape((await http.get("/")).text)
        named = re.search(r'src="\S+/(widget\.\w+\.js)"\s+integrity="(sha384-[^"]+)"', page)
        assert named
        content = (await http.get(f"/{named[1]}")).content
    digest = base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert named[2] == f"sha384-{digest}"


async def test_the_demo_page_stays_under_its_strict_policy():
    async with client(FakeService()) as http:
        response = await http.get("/")
    policy = response.headers["content-security-policy"]
    for rule in ("default-src 'none'", "script-src 'self'", "trusted-types 'none'"):
        assert rule in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|\sstyle=", response.text)
    assert "<dateline-chat" in response.text
