"""An invented agency story and what newspapers make of it."""

from __future__ import annotations

STORY = [
    "The port of Harrowgate will close its coal terminal by the end of the year, the harbour "
    "board said on Tuesday, ending a trade that has shaped the town for more than a century.",
    "About 240 dockers work at the terminal. The board promised that none of them would be "
    "dismissed before the spring, and that most would be offered places at the container quay.",
    "“We have unloaded the last big ship already,” said Maud Ellery, who chairs the board. “What "
    "comes now is one barge a week, and nobody can live on that.”",
    "Imports of coal through Harrowgate fell from 3.1 million tonnes in 2019 to 412,000 tonnes "
    "last year. The power station at Fenwick, its largest customer, was shut in March.",
    "The dockers’ union was not surprised, but angry all the same. Its secretary, Colm Dacey, "
    "said that the board had known the figures for years and had not trained a single man.",
    "The cranes, two of which are listed as monuments, will stay. A company from Aldmouth wants "
    "to turn the storage hall into a market, but has not yet applied for permission.",
    "The board expects to spend 18 million crowns on clearing the site. Work is to begin in "
    "February and should take about two years, weather permitting.",
    "Harrowgate had been the last port on the coast where coal was landed by hand until 1968, "
    "when the first grab crane was put up on the northern pier.",
]

RIVAL = """\
Coal is finished in Harrowgate. On Tuesday the harbour board announced that the terminal on the \
northern pier would shut in December, and that its 240 dockers would have to look for other work \
from the spring on.

For Maud Ellery, the board's chair, the decision was only a matter of time. The last big ship, she \
said, had been unloaded weeks ago, and a single barge a week did not pay for the lights.

Since the Fenwick power station went off the grid in March, the quay has been almost silent. Where \
3.1 million tonnes were landed in 2019, it was hardly more than a tenth of that last year.

Colm Dacey of the dockers' union accuses the board of having slept. Not one of his members, he \
said, had been trained for the container quay, although everybody had seen the figures.

What is to become of the hall is open. Traders from Aldmouth have plans for a market there, and \
the listed cranes must stay in any case."""

FOLLOW_UP = [
    "Harrowgate’s dockers walked out on Friday, three days after they had learned that the coal "
    "terminal will close. Some 180 men and women marched from the northern pier to the town hall.",
    *STORY[1:5],
    "On the steps of the town hall Dacey read out a letter to the minister, in which the union "
    "asks for a fund of 6 million crowns, to be paid into by the port and the state alike.",
    "Ellery came down to speak to the crowd and was whistled at for several minutes. She promised "
    "to meet the union on Monday, and said that she understood why people were bitter.",
    "The container quay was idle from nine until noon. A ship from Port Sallow, with refrigerators "
    "on board, had to wait in the roads until the evening tide.",
    "Shopkeepers in Quay Street shut their doors for an hour to show that they were on the side of "
    "the dockers. “Without them I can close for good,” said the baker Ines Tarrow.",
]


def text(*paragraphs: str) -> str:
    """An article's text of paragraphs."""
    return "\n\n".join(paragraphs)


ORIGINAL = text("HARROWGATE, Sept 2 (Seawire) — " + STORY[0], *STORY[1:])

EDITED = text(
    "By Our Staff",
    STORY[0].replace("the harbour board said on Tuesday", "it was announced on Tuesday"),
    *(paragraph.replace("“", '"').replace("”", '"').replace("’", "'") for paragraph in STORY[1:7]),
    "(Reporting by J. Holm; Editing by P. Sand)",
)
"""Without the dateline, its first paragraph changed, its last dropped, in other quotation marks."""

CORRECTED = text(*STORY).replace("412,000 tonnes", "142,000 tonnes")
