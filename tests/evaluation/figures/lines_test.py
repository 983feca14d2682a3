"""How runs look in charts, and names that are no formulas."""

import itertools

from matplotlib.figure import Figure

from ijsat_tf.evaluation.figures.lines import framed, looks, named, plain


def test_runs_look_different_and_always_the_same():
    names = [f"run {number}" for number in range(30)]
    found = looks(names)
    assert list(found) == names and found == looks(names)
    seen = [(look["color"], look["marker"]) for look in found.values()]
    for one, other in itertools.combinations(seen, 2):
        assert one != other
    assert looks(names[:3]) == dict(itertools.islice(found.items(), 3))


def test_a_chart_has_two_axes_and_a_title():
    axis = Figure().subplots()
    framed(axis, "Accuracy")
    assert axis.get_title() == "Accuracy"
    seen = {key: side.get_visible() for key, side in axis.spines.items()}
    assert seen == {"left": 1, "bottom": 1, "top": 0, "right": 0}


def test_names_are_texts_in_their_order():
    figure = Figure()
    axis = figure.subplots()
    given = ["_first", "a $b$ c", "x" * 31, "y" * 30]
    drawn = {name: axis.plot([0, 1])[0] for name in given}
    named(figure, drawn, "outside right center", 1)
    (legend,) = figure.legends
    shown = [text.get_text() for text in legend.get_texts()]
    assert shown == ["_first", "a $b$ c", "x" * 29 + "…", "y" * 30]
    assert not any(text.get_parse_math() for text in legend.get_texts())
    texts = [axis.text(0, 0, "z" * 40)]
    plain(texts)
    assert len(texts[0].get_text()) == 30
