"""How runs look in charts of accuracy: the same in each of them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

_LONGEST = 30
# Okabe and Ito's colours, which colour-blind readers can tell apart too.
_COLOURS = "#0072b2 #d55e00 #009e73 #cc79a7 #e69f00 #56b4e9 #000000".split()
_MARKERS = "osD^vP*X<>"


def looks(names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Returns the colour and the marker of each run, for matplotlib.

    Args:
        names: Names of the runs, each once. The n-th run always looks the same.
    """
    pairs = zip(itertools.cycle(_COLOURS), itertools.cycle(_MARKERS))
    return {
        name: {"color": colour, "marker": marker, "markersize": 4.5}
        for name, (colour, marker) in zip(names, pairs)
    }


def framed(axis: Any, title: str) -> None:
    """Gives a chart its title, a light grid, and no frame but its two axes.

    Args:
        axis: Axes of matplotlib.
        title: Title of the chart.
    """
    axis.set_title(title, fontsize=10)
    axis.grid(color="0.9", linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[["top", "right"]].set_visible(False)


def named(figure: Any, drawn: dict[str, Any], place: str, columns: int) -> None:
    """Writes the names of runs beside or below a chart.

    Args:
        figure: Figure of matplotlib.
        drawn: What was drawn of each run, {name of the run: artist}, in the
            order of the names.
        place: Place of the names, such as "outside right center".
        columns: Number of columns of names.
    """
    # Given as a list, a name may begin with an underscore.
    legend = figure.legend(
        [*drawn.values()], [*drawn], loc=place, ncols=columns, frameon=False
    )
    plain(legend.get_texts())


def plain(texts: Iterable[Any]) -> None:
    """Shortens names that leave no room for the chart, and keeps all as text.

    Args:
        texts: Texts of matplotlib.
    """
    for text in texts:
        name = text.get_text()
        if len(name) > _LONGEST:
            text.set_text(name[: _LONGEST - 1] + "…")
        # A name with two dollar signs is no formula.
        text.set_parse_math(False)
