import pytest

from rag.query.capitals import read_words
from rag.query.outlets import OutletNames

LIBRARY = OutletNames(
    [
        "The Harbour Gazette",
        "NetGazette",
        "Tide",
        "The Mirror",
        "Independent",
        "Globe News - Health",
        "Globe News | Sport",
        "KBC News",
        "The Morning Vale Herald",
        "Sun",
        "The Sun",
        "Lantern",
        "ledger.com",
    ]
)


def named(text: str, library: OutletNames = LIBRARY) -> tuple[str, ...]:
    return library.named(text, read_words(text)).outlets


@pytest.mark.parametrize(
    "text",
    [
        "How did the tide turn?",
        "Tide and time wait for nobody?",
        "High Tide in Venice: when was it?",
        "Tide Pools Park was closed",
        "What is Mirror of Souls about?",
        "Who stars in Black Mirror?",
        "What did an independent report find?",
        "according to independent experts, who won?",
        "did the sun rise?",
        "In which gazette was it printed?",
        "harbour, gazette",
        "What is the MVH?",
        "Which Tide 500 firms grew?",
        "",
    ],
)
def test_a_word_that_means_something_else_is_no_outlet(text: str) -> None:
    assert named(text) == ()


@pytest.mark.parametrize(
    ("text", "outlet"),
    [
        ("What did The Harbour Gazette write?", "The Harbour Gazette"),
        ("What is the Harbour Gazette's view?", "The Harbour Gazette"),
        ("what did harbour gazette write about eels", "The Harbour Gazette"),
        ("WHAT DID THE HARBOUR GAZETTE WRITE", "The Harbour Gazette"),
        ("what does netgazette think", "NetGazette"),
        ("Is Net Gazette right?", "NetGazette"),
        ("Did Tide report that the dam broke?", "Tide"),
        ("did tide report that the dam broke", "Tide"),
        ("Tide said what about the dam?", "Tide"),
        ("'Tide' on the dam", "Tide"),
        ("Was it as reported by tide?", "Tide"),
        ("the dam, according to Tide's Ada Lind", "Tide"),
        ("Is Tide magazine right?", "Tide"),
        ("Mirror article on fish", "The Mirror"),
        ("according to the mirror, who won?", "The Mirror"),
        ("Who won the Mirror match?", "The Mirror"),
        ("Does Lantern's article on fish say so?", "Lantern"),
        ("what did KBC say", "KBC News"),
        ("What says the MVH article on fish?", "The Morning Vale Herald"),
        ("Is it on Ledger?", "ledger.com"),
        ("Is it on ledger.com?", "ledger.com"),
        ("Did the Sun report it?", "The Sun"),
        ("Did Sun report it?", "Sun"),
        ("What did Globe News - Health report?", "Globe News - Health"),
    ],
)
def test_an_outlet_is_named(text: str, outlet: str) -> None:
    assert named(text) == (outlet,)


def test_sections_go_by_the_name_that_they_share() -> None:
    assert named("What did Globe News say?") == ("Globe News - Health", "Globe News | Sport")


def test_several_outlets_are_named_in_their_order_and_once() -> None:
    text = "according to tide, lantern and the harbour gazette, and again tide, who won?"
    assert named(text) == ("Tide", "Lantern", "The Harbour Gazette")


def test_what_two_brands_may_be_called_names_neither() -> None:
    assert named("KBC", OutletNames(["KBC News", "The KBC News"])) == ()
    assert named("Is it on KBC?", OutletNames(["KBC News", "KBC"])) == ("KBC",)


def test_the_place_of_a_name_holds_its_article() -> None:
    text = "Did the Harbour Gazette say so?"
    (span,) = LIBRARY.named(text, read_words(text)).spans
    assert text[span.start : span.end] == "the Harbour Gazette"


def test_names_that_are_none_are_kept_and_never_found() -> None:
    library = OutletNames(["", " ", "—", "The", "Tide"])
    assert named("The — what?", library) == ()
    assert sorted(library) == ["", " ", "The", "Tide", "—"]
    assert len(library) == 5
    assert "Tide" in library
    assert "Wave" not in library
