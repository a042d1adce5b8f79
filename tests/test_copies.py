import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.copies import SHORTEST, THRESHOLD, band_keys, fold, resemblance
from tests.wire import CORRECTED, EDITED, FOLLOW_UP, ORIGINAL, RIVAL, STORY, text

WORDS = st.lists(st.sampled_from("ash birch cedar elm fir hazel larch oak pine yew".split()))


def found(one: str, other: str) -> bool:
    """Whether one is found by the bands of the other."""
    return not set(band_keys(one)).isdisjoint(band_keys(other))


# What is no copy


def test_two_outlets_own_stories_of_one_event_are_no_copies():
    assert resemblance(ORIGINAL, RIVAL) < 0.1


def test_a_follow_up_that_repeats_half_of_the_story_is_no_copy():
    assert 0.3 < resemblance(ORIGINAL, text(*FOLLOW_UP)) < THRESHOLD


def test_half_of_a_story_and_nothing_else_is_no_copy():
    assert resemblance(text(*STORY[:4]), text(*STORY)) < THRESHOLD


def test_short_texts_are_copies_only_if_they_are_equal():
    short = "Rail services between Aldmouth and Fenwick were suspended on Monday after a storm."
    assert resemblance(short, short.replace("Monday", "Sunday")) == 0
    assert not found(short, short.replace("Monday", "Sunday"))
    assert resemblance(short, short.upper()) == 1
    assert found(short, short.upper())


def test_texts_without_words_are_copies_only_if_they_are_equal():
    assert resemblance("🎉 🎉", "— —") == 0
    assert resemblance("🎉 🎉", " 🎉 🎉\n") == 1
    assert not found("🎉 🎉", "— —")


# What is


@pytest.mark.parametrize(
    "copy",
    [
        EDITED,
        CORRECTED,
        text("A headline of our own", "By Our Staff", *STORY),
        text(*STORY[:3], *STORY[4:]),
        text(
            *STORY[:4], "Here the local paper adds what the mayor of Aldmouth thinks.", *STORY[4:]
        ),
        ORIGINAL.upper().replace("\n\n", " "),
    ],
    ids="edited corrected headline dropped added squeezed".split(),
)
def test_a_copy_resembles_its_original_and_is_found(copy: str):
    assert resemblance(ORIGINAL, copy) > THRESHOLD + 0.1
    assert found(ORIGINAL, copy)


def test_one_paragraph_of_four_changed_still_makes_a_copy():
    changed = text(STORY[0], FOLLOW_UP[5], *STORY[2:4])
    assert THRESHOLD < resemblance(text(*STORY[:4]), changed) < 0.65


# What stays the same


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("“Don’t,”  she\nsaid…", "don t she said"),
        ('"Don\'t" SHE said', "don t she said"),
        ("second‑largest — in the U.S.", "second largest in the u s"),
        ("-5°C, 3–7 goals, 2019-20, $5 and 5%", "−5°c 3 7 goals 2019 20 $5 and 5%"),
        ("Größe STRASSE straße", "grösse strasse strasse"),
        ("…", ""),
    ],
)
def test_folding_keeps_words_and_what_numbers_mean(written: str, folded: str):
    assert fold(written) == folded


@given(st.text())
def test_a_folded_text_is_folded(written: str):
    assert fold(fold(written)) == fold(written)


@given(WORDS, WORDS)
def test_resemblance_is_a_symmetric_share_and_whole_for_equal_texts(first, second):
    one, other = " ".join(first), " ".join(second)
    assert 0 <= resemblance(one, other) == resemblance(other, one) <= 1
    assert resemblance(one, one) == 1
    if len(first) < SHORTEST and first != second:
        assert resemblance(one, other) == 0


def test_band_keys_are_the_same_everywhere_and_fit_the_database():
    assert band_keys("Harrowgate")[:2] == [7921252688192170201, 8393390704915533723]
    keys = band_keys(ORIGINAL)
    assert len(set(keys)) == 42
    assert all(-(2**63) <= key < 2**63 for key in keys)


def test_only_who_looks_for_copies_waits_for_scipy():
    code = (
        "import sys, rag.library; sys.exit('datasketch' in sys.modules or 'scipy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
