"""Where sentences begin and end. A `|` in an example marks each cut that is expected."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.sentences import sentence_spans

SEED = Path(__file__).parent.parent / "seeds" / "000_75e423dfb05b201f.txt"


def sentences(text: str, language: str = "en") -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text, language)]


def expect(example: str, language: str = "en") -> None:
    """The example, written with `|` for each cut, is cut there and nowhere else."""
    expected = [part.strip() for part in example.split("|")]
    assert sentences(example.replace("|", ""), language) == expected


@pytest.mark.parametrize(
    "example",
    [
        "Rep. Ann Lee (D-N.Y.) said so. | The D-N.Y. Senator left. | Lee, D-N.Y., stayed.",
        "Sen. Bob Ray (R-Fla.) Tuesday voted no. | Sens. Ray and Lee did not.",
        "He works in the U.S. Senate. | The U.S.-led forces left. | A U.S. judge stayed.",
        "The talks start at 5 p.m. Tuesday in Oslo. | They end at 7 a.m. EST.",
        "It opens at 9 a.m. Oct. 5 and closes at 6 P.M. Friday.",
        "Sen. Smith met Dr. Who. | Gov. Lee met Ms. Ray, Lt. Col. Fox and Brig. Gen. Ox.",
        "The No. 5 seed lost. | She wore Chanel No. 5. | See Vol. 2 and Fig. 3.",
        "J. K. Rowling wrote it. | J.D. Vance and George W. Bush read it. | M. K. Stalin too.",
        "At approx. 5 km it was seen vs. others etc. and so on.",
        "“Stop!” he said. | “Why?” Foreign Minister Ann Lee asked. | “Stop!”, she said.",
        'He said " Stop ! " and left . | Then " Why ? " he asked .',
        "「はい。」と言った。 | “你好。”他说。 | 他走了。",
        "It is v1.2.Then and Node.js and Foo.Bar or http://a.example/b.Html or 3.5.",
        "1. First it fell. | 2. Then it rose.",
        "(He won (again) in Oslo.) | Then he left.",
    ],
)
def test_a_wrong_cut_is_not_made(example: str) -> None:
    expect(example)


@pytest.mark.parametrize(
    "example",
    [
        "He lives in the U.S. | He left in May. | The U.K. | And then.",
        "The doors close at 6 p.m. | Guests must leave then. | It is 7 p.m. | NATO stays.",
        "He wore a No. | Then John F. Kennedy Jr. | He left.",
        "It cost $3.5 billion.|Then it fell. | “It is over.”|Then he left.",
        "Delmar sells clothes . | Delmar is rich . | She is not .",
        "The man left. | then he came. | What? | Really?! | Yes...",
        "He spoke in the Senate.|“This is urgent.”",
        'She said: "It is over."|Then he left.',
        "The answer is no. | Officials left.",
        "• Storm: It fell. | Then it rose.",
        "He left.[1] | She came.[2][3] | They won.",
    ],
)
def test_a_true_end_is_cut(example: str) -> None:
    expect(example)


@pytest.mark.parametrize(
    "example",
    [
        "He declared, “We resolved to fight. | I conveyed it.” | Then he left.",
        'He declared, "We resolved to fight. | I conveyed it." | "We won," she said. | He left.',
        "She said, “We will not stop. | We will go on.",
        "‘We won. | We’ll go on,’ he said. | The workers’ union wasn't there. | It’s over.",
        "She said, “It was ‘bad.’ | We left.” | (He stayed. | He won.) | Then it ended.",
        "He said \" we won . | We left . \" | Then he went . | `` No . '' | Yes .",
        "He “left.” | “I know,” she said.",
    ],
)
def test_quotations_are_cut_inside_and_keep_their_closing_marks(example: str) -> None:
    expect(example)


@pytest.mark.parametrize(
    ("language", "example"),
    [
        ("de", "Er sagte: „Wir gewinnen. | Wir bleiben.“ | Dann ging er am 5. Mai. | »Gut.« | Ja."),
        ("fr", "« Nous gagnons. » | Il est parti."),
        ("hi", "यह एक वाक्य है। | यह दूसरा है।"),
        ("zh", "这是一个句子。|这是第二个。"),
        ("ja", "これは文です。|これも文です。"),
    ],
)
def test_other_languages_are_cut(language: str, example: str) -> None:
    expect(example, language)


@pytest.mark.parametrize("language", ["", "xx", "en-GB", "EN_us", "sr-Latn", "English", "\ud800"])
def test_an_unknown_language_does_not_fail(language: str) -> None:
    expect("Mr. Lee came. | He left.", language)


def test_the_seed_articles_quotation_on_terrorism_gives_two_sentences() -> None:
    found = sentences(SEED.read_text(encoding="utf-8"))

    first = next(i for i, sentence in enumerate(found) if "On terrorism" in sentence)
    assert len(found) == 21
    assert found[first].startswith("Terrorism too featured in the talks")
    assert found[first].endswith("manifestations of terrorism.")
    assert found[first + 1].startswith("I conveyed India’s strong resolve")
    assert found[first + 1].endswith("cross-border terrorism.”")


def test_offsets_are_code_points() -> None:
    expect("😀 He\u0301 said so 👩‍👩‍👧. | Then 🇮🇳 won. | Bye \ud83d now. | End")


def test_a_line_break_of_any_kind_ends_a_sentence() -> None:
    text = "Talks in Oslo\nBy Ann Lee\r\nOSLO — It ended\rWell\u2028Done\x85“We won.\n\n\nWe left.”"

    assert sentences(text) == [
        *("Talks in Oslo", "By Ann Lee", "OSLO — It ended", "Well", "Done", "“We won.", "We left.”")
    ]


def test_a_list_of_short_lines_is_not_hard_wrapped() -> None:
    text = "What to bring\nA warm coat\nFood for at least two days\nA map\nMatches"

    assert sentences(text) == text.split("\n")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_only_blank_lines_end_sentences_in_a_hard_wrapped_text(newline: str) -> None:
    text = newline.join(
        [
            "The minister said on Tuesday that the two countries would work",
            "together on trade. He did not say when the talks would begin, as",
            "officials in the U.S. had expected.",
            "",
            "A second paragraph without an end",
            "",
            "The third one says that the talks, which had been due in autumn,",
            "were off.",
        ]
    )

    assert [" ".join(sentence.split()) for sentence in sentences(text)] == [
        "The minister said on Tuesday that the two countries would work together on trade.",
        "He did not say when the talks would begin, as officials in the U.S. had expected.",
        "A second paragraph without an end",
        "The third one says that the talks, which had been due in autumn, were off.",
    ]


def test_a_very_long_line_is_cut_like_a_short_one() -> None:
    sentence = "Mr. Lee of the U.S. Senate left at 5 p.m. Tuesday."

    for shift in range(len(sentence)):
        expected = ["x" * shift + " left.", *[sentence] * 500]
        assert sentences(" ".join(expected)) == [part.strip() for part in expected]


@pytest.mark.parametrize("text", ["", " ", "\n\r\n\t\u00a0\u3000"])
def test_white_space_has_no_sentences(text: str) -> None:
    assert sentence_spans(text) == []


@pytest.mark.parametrize("unit", ["(a. B ", "“a. B ", '("', "A.B", "\n", "a b. C d "])
def test_time_grows_with_length_only(unit: str) -> None:
    text = unit * (300_000 // len(unit))

    begun = time.process_time()
    sentence_spans(text)

    assert time.process_time() - begun < 5  # quadratic time would be minutes


NEWS = st.lists(
    st.sampled_from(
        [
            *(
                "He left",
                "U.S",
                "Dr",
                "5",
                "p.m",
                "Tuesday",
                "billion",
                "Then",
                "é\u0301",
                "😀",
                "他",
            ),
            *(".", ". ", "!", "?”", '"', "“", "”", "’", "(", ")", "[1]", "…", "。", ",", "\ud800"),
            *(" ", "\n", "\r\n", "\n\n", "\u2028", "\u00a0", "x" * 90),
        ]
    ),
    max_size=60,
).map("".join)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(NEWS | st.text(max_size=80))
def test_spans_are_trimmed_in_order_and_cover_every_visible_character(text: str) -> None:
    position = 0
    for span in sentence_spans(text):
        sentence = text[span.start : span.end]
        assert sentence
        assert sentence == sentence.strip()
        assert not text[position : span.start].strip()
        assert position <= span.start
        position = span.end
    assert not text[position:].strip()
