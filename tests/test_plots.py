import sys

import pytest
from lxml import etree

from evals.abstention import Point
from evals.metrics import Estimate
from evals.plots import Curve, PlotError, Row, check_plots, curve_plot, interval_plot, rank_plot

WHOLE = Row("all", Estimate(0.9, 0.8, 0.95, 50), before=0.4)


def texts(svg: str) -> list[str]:
    return list(etree.fromstring(svg).xpath("//text/text()"))


def ys_by_variable(svg: str, variable: str) -> list[float]:
    uses = etree.fromstring(svg).xpath(f"//use[contains(@style, 'fill: var(--{variable})')]")
    return [float(use.get("y")) for use in uses]


def test_without_matplotlib_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match=r"pip install 'dateline\[report\]'"):
        check_plots()


@pytest.mark.parametrize(
    "label", ["<script>alert(1)</script>", "a & \"b\" 'c'", "$x^2$", "日本 🗞️", "a\x00b\x1bc\nd"]
)
def test_a_label_is_text_whatever_it_holds(label):
    svg = interval_plot("p", label, [WHOLE, Row(label, Estimate(1, 1, 1, 3))])

    root = etree.fromstring(svg)
    printable = "".join(" " if ord(c) < 32 else c for c in label)
    assert root.get("aria-label") == printable
    assert any(t.startswith(printable[:10]) and t.endswith(" · 3") for t in texts(svg))
    assert {element.tag for element in root.iter()} <= {"svg", "defs", "path", "text", "use"}


def test_a_long_label_keeps_its_number():
    svg = interval_plot("p", "", [WHOLE, Row("x" * 80, Estimate(1, 1, 1, 3))])
    assert f"{'x' * 20}… · 3" in texts(svg)


def test_a_plot_has_the_page_s_colours_and_font_and_asks_for_nothing():
    svg = interval_plot("p", "", [WHOLE])

    assert "var(--ink)" in svg
    assert "var(--before)" in svg
    assert not {"#01", "font-family", "http", "xlink", "<style", "<image"} & {
        part for part in ("#01", "font-family", "http", "xlink", "<style", "<image") if part in svg
    }


def test_each_row_has_its_dot_and_the_interval_at_its_value():
    svg = interval_plot("p", "", [WHOLE, Row("b", Estimate(0.5, 0.25, 0.75, 4))])

    first, second = ys_by_variable(svg, "ink") + ys_by_variable(svg, "plot")
    assert first < second
    lines = etree.fromstring(svg).xpath("//path[contains(@style, 'stroke: var(--plot)')]/@d")
    assert "M 186 31 L 282 31" in lines  # a quarter and three quarters of 138 to 330


def test_the_baseline_is_drawn_where_it_differs():
    same = Row("all", Estimate(0.9, 0.8, 0.95, 50), before=0.899)
    assert "--before" in interval_plot("p", "", [WHOLE])
    assert "--before" not in interval_plot("p", "", [same])


def test_an_axis_reaches_to_values_beyond_one():
    assert "300" in texts(interval_plot("p", "", [Row("all", Estimate(200, 100, 300, 5))]))


def test_ids_of_two_plots_differ_and_the_same_plot_is_the_same():
    def ids(svg: str) -> set[str]:
        return set(etree.fromstring(svg).xpath("//@id"))

    one, other = interval_plot("a", "", [WHOLE]), interval_plot("b", "", [WHOLE])
    assert ids(one)
    assert not ids(one) & ids(other)
    assert one == interval_plot("a", "", [WHOLE])


def test_curves_and_ranks_have_their_axes_named():
    curve = Curve((Point(0, 0), Point(1, 0.5)), Point(1, 0.5))
    told = texts(curve_plot("c", "risk", ("coverage", "risk"), curve, before=curve))
    assert {"coverage", "risk"} <= set(told)
    assert {"1", "10", "passages read"} <= set(texts(rank_plot("r", "", [0.5] * 10, [0.4] * 10)))


def test_a_single_point_is_a_dot_without_a_line():
    svg = curve_plot("c", "", ("x", "y"), Curve((Point(0.5, 0.5),), Point(0.5, 0.5)))
    drawn = etree.fromstring(svg).xpath("/svg/path[contains(@style, 'var(--plot)')]")
    assert drawn == []
    assert len(ys_by_variable(svg, "plot")) == 1
