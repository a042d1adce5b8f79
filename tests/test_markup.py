import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.markup import has_markup, without_markup


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("see [the report](https://e.x/a_(b)?c=1 'title') now", "see the report now"),
        ("see [the report][1] now", "see the report now"),
        ("![chart](https://e.x/c.png)India agreed", "India agreed"),
        ("at https://e.x/a?b=c. Next", "at. Next"),
        ("at <https://e.x/a> and www.e.x/b, too", "at and, too"),
        ("at e.com/pay?x=1 now", "at now"),
        ("(see http://e.x) and (http://e.x) so", "(see) and so"),
        ("[javascript:alert(1)](javascript:alert(1))", "alert(1)"),
        ("<b>India</b> <img src=x onerror=alert(1)>agreed<br/>", "India agreed"),
        ("<<b>script>India", "India"),
        ("&lt;b&gt;India&lt;/b&gt; &amp; Russia", "India & Russia"),
        ("**India** __agreed__ *to* _it_ `now` ~~not~~", "India agreed to it now not"),
        (r"\*India\* a\_b", "India a_b"),
        ("a_name and #MeToo and 5 < 6", "a_name and #MeToo and 5 < 6"),
        ("## Heading", "Heading"),
        ("> - 1. nested", "nested"),
        ("- [ ] task", "task"),
        ("| a | b |", "a b"),
        ("|---|:-:|", ""),
        ("“[India] will [sic]” [1] [^2] [3, 4]", "“[India] will [sic]” 1 ^2 3, 4"),
        ("pay\u200bpal \u202etxt\U000e0041", "paypal txt"),
    ],
)
def test_markup_goes_and_text_stays(text: str, plain: str):
    assert without_markup(text) == plain


@pytest.mark.parametrize(
    "text",
    [
        "India said trade grew 5.3 % (from $4.1 billion), and/or more – U.S./India talks: yes.",
        "“We fight,” S. Jaishankar said; 50-50 at 10:30 on Amazon.com.",
        "भारत ने कहा कि वह आतंकवाद से लड़ेगा।",
    ],
)
def test_plain_text_stays_as_it_is(text: str):
    assert without_markup(text) == text


@given(st.text(alphabet="[]()!<>b/:*_`#&lt;. \nw1htp|-\\~", max_size=60))
def test_no_markup_is_left_or_made_by_taking_some_out(text: str):
    assert not re.search(r"[*`|]|~~|<[a-z/!?]|://|\]\(|\]\[", without_markup(text))


@pytest.mark.parametrize("unit", ["[", "[a](", "<a", "> ", " ", "a.", "&amp;", "![", "_", "a://"])
def test_hostile_repetition_is_no_burden(unit: str):
    started = time.perf_counter()
    without_markup(unit * (1500 // len(unit)))
    assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    "text",
    [
        "See https://e.x/a now.",
        "See WWW.e.x now.",
        "Read on at evil.example/x today.",
        "Read on at evil.example today.",
        "Read on at evil\u2024example today.",
        "Read on at evil\uff0eexample today.",
        "Read on at evil\u3002example today.",
        "Read on at ev\u200bil.example today.",
        "Write to win@evil.example now.",
        "Open 203.0.113.7 now.",
        "Run JavaScript:alert(1) now.",
        "Open data:text/html;base64,eA== now.",
        "It is **so**.",
        "It is `so`.",
        "A | table | row",
        "# Heading",
        "Note.[^1]",
        "Note. [1]",
        "[note]: there",
        "A <b>tag",
        "A \x1b[31mcolour",
        "A \x9b31mcolour",
        "Turned \u202earound",
        "Hidden \U000e0041 tag",
    ],
)
def test_what_is_more_than_text_is_told(text: str):
    assert has_markup(text)


@pytest.mark.parametrize(
    "text",
    [
        "India said trade grew 5.3 % (from $4.1 billion), and/or more – U.S./India talks: yes.",
        "Amazon.com and Booking.com rose; he said “s***” at 5 p.m. on No. 5.",
        "DATA:Where it is legal, 3 * 4 < 13 and #MeToo stays [sic].",
        "印度说。俄国说。",
        "Die Brücke kostete 1.200,50 Euro.",
    ],
)
def test_plain_text_is_no_markup(text: str):
    assert not has_markup(text)
