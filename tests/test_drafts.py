import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.drafts import Draft, DraftReader

TOKENS = (
    'India said so¦ ¦. ¦.¦\n¦\r\n¦“¦”¦"¦ said Lavrov.¦Mr. ¦U.S. ¦5.3 ¦No. 5¦…¦? ¦。¦印度'
    "¦ [A1]¦[A1]¦[A2, A3]¦(A1)¦【A1】¦[[A1]]¦[^1]¦[sic]¦A¦1¦[¦]¦(¦)¦;¦,"
    "¦**¦*¦_¦`¦~~¦\\¦```\n¦- ¦1. ¦# ¦| a | b |¦<b>¦<¦[text](http://e.x/a)¦![i](x)¦http://e.x/y?z"
    "¦www.e.x¦e.com/x¦://¦javascript:alert(1)¦&lt;¦&amp;¦\u200b¦NOT_IN_ARTICLES"
).split("¦")
PIECES = st.lists(
    st.one_of(st.sampled_from([*TOKENS, "y" * 300, " y" * 200]), st.text(max_size=5)), max_size=30
)
MARKUP = re.compile(
    r"[*`|\n]|~~|<[a-z/!?]|://|\bwww\.|\bjavascript:\S|\]\(|\]\[|^#+ |\[\W*\d+\W*\]|\[\s*A\d", re.I
)


def read(*pieces: str) -> tuple[list[Draft], DraftReader]:
    reader = DraftReader()
    drafts = [draft for piece in pieces for draft in reader.feed(piece)]
    return drafts + reader.close(), reader


def drafts_of(text: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(draft.text, draft.labels) for draft in read(text)[0]]


@pytest.mark.parametrize(
    "text", ["", " \n\n ", "...", "---\n***", "[A1]", "[A1] [A2]\n", "```\n```"]
)
def test_a_reply_without_a_word_gives_no_draft(text: str):
    drafts, reader = read(text)
    assert drafts == []
    assert not reader.refused


@pytest.mark.parametrize(
    "text",
    [
        "NOT_IN_ARTICLES",
        "NOT_IN_ARTICLES.",
        " not_in_articles \n",
        "**NOT_IN_ARTICLES** [A1]",
        "NOT\\_IN\\_ARTICLES",
        "“NOT_IN_ARTICLES”",
        "NOT IN ARTICLES",
        "NOT_IN_THE_ARTICLES",
    ],
)
def test_the_sentinel_is_a_refusal_however_it_comes(text: str):
    for pieces in ([text], list(text), [text[:6], text[6:]]):
        drafts, reader = read(*pieces)
        assert drafts == []
        assert reader.refused


def test_a_sentinel_beside_sentences_never_shows():
    drafts, reader = read("NOT_IN_ARTICLES. India agreed. [A1] Otherwise NOT_IN_ARTICLES.")
    assert [draft.text for draft in drafts] == ["India agreed.", "Otherwise."]
    assert reader.refused


def test_words_that_only_resemble_the_sentinel_are_no_refusal():
    drafts, reader = read("It was not in articles of that day. [A1]")
    assert len(drafts) == 1
    assert not reader.refused


def test_a_repeated_sentence_is_dropped_and_three_of_them_make_a_loop():
    reader = DraftReader()
    assert len(reader.feed("India agreed. [A1] India  AGREED! [A2] Russia left. [A1] ")) == 1
    assert len(reader.feed("India agreed. [A1] Then")) == 1
    assert not reader.looping
    assert reader.feed(" India agreed. Russia left. Russia left. ") != []
    assert reader.looping


def test_an_endless_sentence_is_cut_off_and_marked():
    drafts, reader = read("so " * 2000)
    assert [draft.complete for draft in drafts] == [False] * len(drafts)
    assert max(len(draft.text) for draft in drafts) <= 1500
    assert reader.looping


def test_a_word_without_end_is_cut_off_too():
    drafts, _ = read("x" * 2000 + "\nIndia agreed. [A1]")
    assert [len(draft.text) for draft in drafts[:2]] == [1500, 500]
    assert drafts[-1] == Draft("India agreed.", ("A1",))


def test_what_a_broken_reply_ends_with_is_marked():
    assert read("India agreed. [A1] Russia did n")[0][-1] == Draft("Russia did n", (), False)
    assert read("India agreed [A")[0] == [Draft("India agreed", (), False)]
    assert read("India agreed [A1")[0] == [Draft("India agreed", ("A1",))]


@pytest.mark.parametrize(
    "cited",
    [
        "India agreed.",
        "India agreed. [A1][A2]",
        "India agreed [A1][A2].",
        "India agreed. [A1] [A2].",
        "India agreed. [A1, A2]",
        "India agreed. [a1; a2]",
        "India agreed. [A1 A2]",
        "India agreed. [A1-A2]",
        "India agreed (A1, A2).",
        "India agreed. (A1) (A2)",
        "India agreed.【A1】【A2】",
        "India agreed. [1][2]",
        "India agreed. [[A1]][^2]",
        "India agreed. [passage A1, source A2]",
        "India agreed. [A1†12 lines] [A01] [A2]",
        "India agreed. [A1](http://e.x/1) [A2]",
        "India agreed.\n[A1] [A2]",
        "India [A1] agreed [A2].",
        "[A1][A2] India agreed.",
        "- India agreed. [A1] [A2]",
        "According to [A1] [A2], India agreed.",
    ],
)
def test_citations_belong_to_their_sentence_in_every_notation(cited: str):
    labels = ("A1", "A2") if "1" in cited else ()
    assert drafts_of(f"{cited}\nRussia left. [A3]") == [
        ("India agreed.", labels),
        ("Russia left.", ("A3",)),
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "“We resolved to fight. I conveyed India’s resolve,” Jaishankar said.",
        '"We resolved to fight. I conveyed it." Jaishankar said on Tuesday.',
        "„Wir kämpfen. Wir siegen“, sagte er.",
        "The minister declared, “We resolved to fight. I conveyed it.”",
        "Mr. Putin met S. Jaishankar of the U.S. delegation on Nov. 5.",
        "Growth was 5.3 percent at 5 p.m. Tuesday in Washington D.C. and beyond.",
        "Exports to the U.S. rose.",
        "“Is it so?” he asked.",
        "He called it “a bridge”.",
        "They waited and waited...",
    ],
)
def test_a_sentence_stays_whole(sentence: str):
    assert drafts_of(f"{sentence} [A1] Russia left. [A2]") == [
        (sentence, ("A1",)),
        ("Russia left.", ("A2",)),
    ]


def test_a_citation_after_an_abbreviation_does_not_end_the_sentence():
    assert drafts_of("Exports rose to the U.S. [A1] and to Russia [A2]. India agreed. [A3]") == [
        ("Exports rose to the U.S. and to Russia.", ("A1", "A2")),
        ("India agreed.", ("A3",)),
    ]


def test_labels_before_their_sentences_are_read_as_such():
    assert drafts_of("[A1] India agreed. [A2] Russia left.\n[A3] China stayed.") == [
        ("India agreed.", ("A1",)),
        ("Russia left.", ("A2",)),
        ("China stayed.", ("A3",)),
    ]


def test_an_attribution_after_the_citation_stays_with_its_quotation():
    assert drafts_of("“We fight.” [A1] Lavrov said. Russia left. [A2]") == [
        ("“We fight.” Lavrov said.", ("A1",)),
        ("Russia left.", ("A2",)),
    ]


def test_the_next_speaker_begins_a_new_sentence():
    assert drafts_of("“We fight.” [A1] Lavrov said that Russia agreed. [A2]") == [
        ("“We fight.”", ("A1",)),
        ("Lavrov said that Russia agreed.", ("A2",)),
    ]


def test_a_quotation_mark_set_apart_still_closes():
    assert drafts_of('He said, "We fight. " [A1] "We win. " Russia left. [A2]') == [
        ('He said, "We fight."', ("A1",)),
        ('"We win."', ()),
        ("Russia left.", ("A2",)),
    ]


def test_an_unclosed_quotation_ends_with_its_citation_or_its_line():
    assert [
        text for text, _ in drafts_of("He said “we fight. [A1] Russia left. “So.\nIt did.")
    ] == [
        "He said “we fight.",
        "Russia left.",
        "“So.",
        "It did.",
    ]


def test_uncited_sentences_are_cut_as_well():
    assert [text for text, _ in drafts_of("India agreed. Russia left! Why? 印度说。俄国说。")] == [
        "India agreed.",
        "Russia left!",
        "Why?",
        "印度说。",
        "俄国说。",
    ]


def test_markdown_becomes_plain_lines():
    reply = (
        "# Answer\n\n1. **Trade** grew. [A1]\n2) `Talks` ran\n[A2]\n- _India_ agreed [A3]\n"
        "> Quoted\n\n| Name | Sum |\n|---|---|\n| x | 5 | [A1]\n\n---\n```text\ncode\n```"
    )
    assert drafts_of(reply) == [
        ("Answer", ()),
        ("Trade grew.", ("A1",)),
        ("Talks ran", ("A2",)),
        ("India agreed", ("A3",)),
        ("Quoted", ()),
        ("Name Sum", ()),
        ("x 5", ("A1",)),
        ("code", ()),
    ]


def test_a_sentence_comes_as_soon_as_the_next_one_begins():
    reader = DraftReader()
    assert reader.feed("India agreed.") == []
    assert reader.feed(" [A1] ") == []
    assert reader.feed("R") == [Draft("India agreed.", ("A1",))]
    assert reader.feed("ussia left [A2].\n") == []
    assert reader.feed("B") == [Draft("Russia left.", ("A2",))]


@given(PIECES)
def test_the_drafts_do_not_depend_on_the_pieces(pieces: list[str]):
    text = "".join(pieces)
    whole, by_piece, by_character = read(text), read(*pieces), read(*text)
    assert whole[0] == by_piece[0] == by_character[0]
    assert whole[1].refused == by_piece[1].refused == by_character[1].refused
    assert whole[1].looping == by_piece[1].looping == by_character[1].looping


@given(PIECES)
def test_no_markup_survives(pieces: list[str]):
    for draft in read(*pieces)[0]:
        assert re.search(r"\w", draft.text)
        assert draft.text == draft.text.strip()
        assert not MARKUP.search(draft.text)
