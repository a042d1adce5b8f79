"""The page of a stored answer: its quotations lead to the articles, and all of it is only text."""

from dataclasses import replace

import pytest

from rag.types import Answer, Conflict
from tests.fakes import FakeService, abstention
from tests.http_samples import ANSWER, ARTICLE, CITATION, END, PASSAGE, SAID, START, client
from tests.test_api_pages import ATTACKS, Page


async def page_of(answer: Answer) -> Page:
    async with client(FakeService(ARTICLE, answers=[answer])) as http:
        response = await http.get(f"/answers/{answer.id}")
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'none'" in response.headers["content-security-policy"]
    page = Page(response.text)
    assert not page.named("script")
    return page


@pytest.mark.parametrize("odd_id", ["ans_9", "a%20b", "%FF", "x" * 5000, "a%00b", "%3Cscript%3E"])
async def test_an_unknown_answer_is_a_page_that_says_so(odd_id):
    async with client(FakeService(ARTICLE, answers=[ANSWER])) as http:
        response = await http.get(f"/answers/{odd_id}")
    assert response.status_code == 404
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such answer" in response.text
    assert "<script" not in response.text


@pytest.mark.parametrize("attack", ATTACKS)
@pytest.mark.parametrize(
    "field", ["quote", "title", "outlet", "author", "published_at", "url", "article_id"]
)
async def test_whatever_a_source_holds_is_text(field, attack):
    def holding(value: str) -> Answer:
        cited = replace(CITATION, **{field: value})
        nearest = replace(PASSAGE, **{"text" if field == "quote" else field: value})
        return replace(ANSWER, citations=(cited,), nearest=(nearest,))

    harmless, page = await page_of(holding("harmless")), await page_of(holding(attack))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert not [a for _, attributes in page.tags for a in attributes if a.startswith("on")]
    if field in ("quote", "title", "outlet", "author"):
        assert page.text.count(attack) >= 2


@pytest.mark.parametrize("attack", ATTACKS)
async def test_whatever_was_asked_and_answered_is_text(attack):
    sentence = replace(ANSWER.sentences[0], text=attack)
    page = await page_of(replace(ANSWER, question=attack, sentences=(sentence,)))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in (await page_of(ANSWER)).tags]
    assert page.text.count(attack) >= 3  # in the title too
    abstained = await page_of(replace(abstention(attack), text=attack))
    assert abstained.text.count(attack) >= 3


async def test_half_a_surrogate_pair_is_shown_as_what_can_be():
    page = await page_of(replace(ANSWER, question="Why \ud800?"))
    assert "Why ??" in page.text


async def test_a_script_address_is_not_linked_to():
    cited = replace(CITATION, url="javascript:alert(1)")
    page = await page_of(replace(ANSWER, citations=(cited,)))
    assert not [link for link in page.named("a") if "javascript" in link["href"]]


async def test_each_quotation_leads_to_its_place_and_each_marker_to_its_footnote():
    page = await page_of(ANSWER)
    links = [link["href"] for link in page.named("a")]
    assert f"/articles/a1?start={START}&end={END}#quote" in links
    assert "#note-1" in links
    assert page.named("li") == [{"id": "note-1", "value": "1"}]
    assert CITATION.url in links
    for word in (ANSWER.question, SAID, "[1]", "The Daily", "21 August 2025", "One sentence was"):
        assert word in page.text


async def test_an_odd_article_id_stays_within_its_link():
    cited = replace(CITATION, article_id="a/b?c#d")
    page = await page_of(replace(ANSWER, citations=(cited,)))
    links = [link["href"] for link in page.named("a")]
    assert f"/articles/a%2Fb%3Fc%23d?start={START}&end={END}#quote" in links


async def test_the_link_of_a_quotation_shows_it_marked():
    service = FakeService(ARTICLE, answers=[ANSWER])
    async with client(service) as http:
        page = Page((await http.get("/answers/ans_1")).text)
        (link,) = [a["href"] for a in page.named("a") if a["href"].startswith("/articles/")]
        assert Page((await http.get(link)).text).marked == [SAID]


async def test_an_abstention_shows_the_nearest_passages():
    page = await page_of(replace(abstention("Why?"), nearest=(PASSAGE,)))
    assert "The articles don’t say." in page.text
    assert "nearest passages" in page.text
    assert f"/articles/a1?start=0&end={PASSAGE.end}#quote" in [a["href"] for a in page.named("a")]
    bare = await page_of(abstention("Why?"))
    assert "nearest passages" not in bare.text
    assert "None" not in bare.text


async def test_on_what_articles_differ_is_told_with_links_to_both_sides():
    later = replace(CITATION, number=2, outlet="<b>The Post</b>", published_at="2025-08-23")
    conflict = Conflict("changed", ((1,), (2,)))
    answer = replace(ANSWER, citations=(CITATION, later), conflicts=(conflict,))
    page = await page_of(answer)
    assert "The articles differ, and the matter has changed" in page.text
    assert "<b>The Post</b>" in page.text
    assert "(later)" in page.text
    links = [attributes.get("href") for attributes in page.named("a")]
    assert links.count("#note-2") == 1
    disagreeing = replace(answer, conflicts=(replace(conflict, kind="disagree"),))
    assert "changed" not in (await page_of(disagreeing)).text
