from pathlib import Path

import pytest
import typer

from rag.options import check_saved_runs

RUN = Path("run.json")


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"datasets": ["seed"], "compare": (RUN, RUN)}, "--compare"),
        ({"datasets": ["seed"], "report": [RUN]}, "--report"),
        ({"compare": (RUN, RUN), "html": RUN}, "--html"),
        ({"compare": (RUN, RUN), "report": [RUN]}, "--report"),
        ({"against": [RUN]}, "--html"),
        ({"against": [RUN], "report": [RUN]}, "--html"),
    ],
)
def test_options_for_saved_runs_that_do_not_go_together_are_wrong_usage(given, named):
    with pytest.raises(typer.BadParameter, match=named):
        check(**given)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"datasets": ["seed"], "against": [RUN], "html": RUN},
        {"report": [RUN, RUN], "against": [RUN], "html": RUN},
        {"report": [RUN]},
        {"compare": (RUN, RUN)},
    ],
)
def test_options_for_saved_runs_that_go_together_pass(given):
    check(**given)


def check(**given: object) -> None:
    names = ("datasets", "compare", "report", "against", "html")
    check_saved_runs(*(given.get(name) for name in names))
