"""What readers see: the demo page and the articles, safe whatever an article holds."""

from dataclasses import replace
from html.parser import HTMLParser

import pytest

from api.pages import STATIC
from rag.types import Article
from tests.fakes import FakeService
from tests.http_samples import ARTICLE, END, SAID, START, client

ATTACKS = [
    "<script>alert(1)</script>",
    "</mark></p><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) '",
    "{{ 7*7 }}{% raw %}",
    "<!--",
    "]]>",
    "&lt;b&gt;",
]


class Page(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.text = ""
        self.marked: list[str] = []
        self._in_mark = False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "mark":
            self._in_mark = True
            self.marked.append("")

    def handle_endtag(self, tag):
        self._in_mark = self._in_mark and tag != "mark"

    def handle_data(self, data):
        self.text += data
        if self._in_mark:
            self.marked[-1] += data

    def named(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag == name]


async def page_of(article: Article, query: str = "") -> Page:
    async with client(FakeService(article)) as http:
        response = await http.get(f"/articles/{article.id}{query}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    return Page(response.text)


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "field", ["text", "title", "outlet", "author", "language", "published_at", "updated_at", "url"]
)
async def test_whatever_an_article_holds_is_text_on_its_page(field, attack):
    article = replace(ARTICLE, text="News.")
    harmless = await page_of(replace(article, **{field: "harmless"}), "?start=0&end=3")
    page = await page_of(replace(article, **{field: attack}), "?start=0&end=3")
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert not page.named("script")
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    if field in ("text", "title", "outlet", "author"):
        assert attack in page.text


async def test_a_script_address_is_not_linked_to():
    page = await page_of(replace(ARTICLE, url="javascript:alert(1)"))
    assert not [link for link in page.named("a") if "javascript" in (link["href"] or "")]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_hostile_offsets_and_ids_do_no_harm(attack):
    async with client() as http:
        shown = await http.get("/articles/a1", params={"start": attack, "end": attack})
        missing = await http.get(f"/articles/{attack.replace('/', '')}")
    assert attack not in shown.text
    assert (missing.status_code, missing.headers["content-type"]) == (
        404,
        "text/html; charset=utf-8",
    )
    assert attack not in missing.text


@pytest.mark.parametrize(
    "query", ["?start=0&end=99999", "?start=9&end=3", "?start=x&end=y", "?start=5"]
)
async def test_stale_offsets_mark_nothing_and_the_page_says_so(query):
    page = await page_of(ARTICLE, query)
    assert not page.marked
    assert "nothing is marked" in page.text


async def test_the_quotation_is_marked_where_the_link_leads():
    page = await page_of(ARTICLE, f"?start={START}&end={END}")
    assert page.marked == [SAID]
    assert page.named("mark") == [{"id": "quote"}]
    assert "nothing is marked" not in page.text


async def test_an_article_without_offsets_is_shown_plain():
    page = await page_of(ARTICLE)
    assert not page.marked
    assert "nothing is marked" not in page.text
    for word in ("India and Russia", "The Daily", "21 August 2025", "The visit began on Tuesday."):
        assert word in page.text
    assert page.named("article") == [{"lang": "en"}]
    assert "https://news.example/a1" in [link["href"] for link in page.named("a")]


async def test_what_is_unknown_is_not_invented():
    page = await page_of(Article("a1", "News."))
    assert "Untitled article" in page.text
    assert not page.named("time")
    assert "None" not in page.text


async def test_reading_pages_run_no_script_and_load_nothing_from_elsewhere():
    async with client() as http:
        response = await http.get("/articles/a1")
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'none'" in policy
    assert not Page(response.text).named("script")


async def test_the_demo_page_loads_only_our_own_files_and_runs_no_inline_script():
    async with client() as http:
        response = await http.get("/")
        page = Page(response.text)
        assert "script-src 'self'" in response.headers["content-security-policy"]
        assert "unsafe" not in response.headers["content-security-policy"]
        assert all(script.get("src") for script in page.named("script"))
        assert not page.named("style")
        assert not [a for _, attributes in page.tags for a in attributes if a == "style"]
        loaded = [link["href"] for link in page.named("link")] + [
            script["src"] for script in page.named("script")
        ]
        for address in loaded:
            assert address.startswith(("/static/", "/widget.js"))
            assert (await http.get(address)).status_code == 200


async def test_the_sample_question_is_on_the_demo_page():
    async with client() as http:
        assert "What did India say about terrorism?" in (await http.get("/")).text


async def test_static_files_have_their_types():
    async with client() as http:
        types = {
            name: (await http.get(f"/static/{name}")).headers["content-type"].partition(";")[0]
            for name in ("demo.js", "demo.css", "icon.svg")
        }
    assert types == {
        "demo.js": "text/javascript",
        "demo.css": "text/css",
        "icon.svg": "image/svg+xml",
    }


def test_our_script_writes_text_and_never_html():
    script = (STATIC / "demo.js").read_text()
    for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert sink not in script
