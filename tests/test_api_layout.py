"""Paragraphs, and the quotation marked in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.layout import Run, paragraphs, quoted_span, readable_date, web_address
from rag.types import Span

TEXT = "Zwölf 🇮🇳 men."  # the flag is two code points, four UTF-16 units


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (None, None),
        ("0", None),
        (None, "3"),
        ("3", "3"),
        ("4", "3"),
        ("-1", "3"),
        ("0", "14"),
        ("0x1", "3"),
        ("1_0", "3"),
        ("", ""),
        ("٠", "٣"),
        ("0", "9" * 5000),
        ("1e1", "3"),
        (" 0", "3"),
    ],
)
def test_offsets_that_name_no_span_of_the_text_name_nothing(start, end):
    assert quoted_span(TEXT, start, end) is None


def test_offsets_count_code_points():
    assert quoted_span(TEXT, "6", "8") == Span(6, 8)
    assert quoted_span(TEXT, "0", "13") == Span(0, 13)
    assert paragraphs(TEXT, Span(6, 8)) == [
        [Run("Zwölf "), Run("🇮🇳", marked=True, anchor=True), Run(" men.")]
    ]


def test_a_text_without_blank_lines_has_one_paragraph_a_line():
    assert paragraphs("a\nb\r\nc\u2029d\n", None) == [[Run(c)] for c in "abcd"]


def test_blank_lines_part_paragraphs_where_there_are_any():
    assert paragraphs("\n a\nb\n \n\n  c", None) == [[Run("\n a\nb")], [Run("c")]]


def test_a_quote_over_paragraphs_is_marked_in_each_and_has_one_anchor():
    runs = [run for paragraph in paragraphs("one\ntwo\nthree", Span(1, 10)) for run in paragraph]
    assert [run.text for run in runs if run.marked] == ["ne", "two", "th"]
    assert [run.text for run in runs if run.anchor] == ["ne"]


@given(st.text(alphabet="ab \n\r🇮", max_size=40), st.integers(0, 40), st.integers(0, 40))
def test_no_text_is_lost_and_the_mark_is_the_quote(text, start, end):
    span = quoted_span(text, str(start), str(end))
    laid_out = paragraphs(text, span)
    runs = [run for paragraph in laid_out for run in paragraph]
    assert "".join("".join(run.text for run in runs).split()) == "".join(text.split())
    marked = "".join(run.text for run in runs if run.marked)
    quote = text[span.start : span.end] if span else ""
    assert "".join(marked.split()) == "".join(quote.split())
    assert sum(run.anchor for run in runs) == bool(marked)


@pytest.mark.parametrize(
    ("iso", "shown"),
    [
        ("2025-08-21", "21 August 2025"),
        ("2025-08-01T09:30:00+02:00", "1 August 2025"),
        ("Thursday", "Thursday"),
        (None, None),
    ],
)
def test_dates_are_shown_as_people_write_them(iso, shown):
    assert readable_date(iso) == shown


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", " javascript:alert(1)", "data:text/html,x", "/a"]
)
def test_an_address_that_is_not_of_the_web_is_no_link(url):
    assert web_address(url) is None


def test_a_web_address_is_a_link():
    assert web_address("HTTPS://news.example/1") == "HTTPS://news.example/1"
