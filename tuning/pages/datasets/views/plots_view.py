"""In: statistics. Out: the HTML of their plots: bars with their numbers as text, each a way to what it counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape

from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Facets, Filter, Statistics
from tuning.pages.datasets.views.examples_view import filters
from tuning.pages.datasets.views.pieces_view import button, hint_box, link, named

ROWS = 12  # bars of one plot; the rest are told as one


def tab(
    one: Dataset, only: Filter, facets: Facets, found: Statistics, titles: Mapping[str, str], say: Words
) -> str:  # fmt: skip
    if not one.examples:
        start = button("to-tab", say("datasets_do_gather"), "plus", kind="primary", tab="gather")
        return f'<div data-key="statistics-{one.id}">{hint_box(say("datasets_no_examples"), say("datasets_no_examples_about"), start, "dataset")}</div>'
    at = {"dataset": one.id, "tab": "examples", **only.model_dump(mode="json", exclude_defaults=True)}

    def bars(name: str, counts: Mapping[str, int], title: Callable[[str], str] | None = None) -> str:
        field = "finding" if name == "finding" else name
        said = title or (lambda value: named(say, name, value))
        return _bars(say(f"datasets_plot_{name}"), counts, said, lambda value: {**at, field: value}, say)

    plots = [
        bars("status", found.status, lambda value: say(f"datasets_status_{value}")),
        bars("kind", found.kind),
        bars("language", found.language),
        bars("origin", found.origin),
        bars("how", found.how),
        _bars(say("datasets_plot_role"), found.roles, lambda value: named(say, "role", value), None, say),
        bars("finding", found.findings, lambda code: titles.get(code, code)),
        bars("tag", found.tags, lambda value: value),
    ]
    histograms = [
        _columns(say("datasets_plot_characters"), found.characters, say),
        _columns(say("datasets_plot_tokens"), found.tokens, say),
        _columns(say("datasets_plot_turns"), found.turns, say),
    ]
    return f"""<div data-key="statistics-{one.id}" class="stack">{filters(only, facets, titles, say)}{_figures(found, say)}
<div class="plots">{"".join(plots)}</div><div class="plots wide">{"".join(histograms)}</div></div>"""


def _figures(found: Statistics, say: Words) -> str:
    tokens = say.number(found.all_tokens) if found.all_tokens is not None else "–"
    figures = [
        (say.number(found.total), say("datasets_figure_examples")),
        (say.number(found.all_characters), say("datasets_figure_characters")),
        (tokens, say("datasets_figure_tokens") if found.all_tokens is not None else say("datasets_figure_uncounted")),
        (say.number(found.longest), say("datasets_figure_longest")),
        (say.number(found.duplicates), say("datasets_figure_duplicates")),
        (say.number(found.unreviewed), say("datasets_figure_unseen")),
    ]
    shown = "".join(f"<div><dt>{escape(label)}</dt><dd>{number}</dd></div>" for number, label in figures)
    return f'<dl class="figures">{shown}</dl>'


def _bars(
    title: str,
    counts: Mapping[str, int],
    said: Callable[[str], str],
    at: Callable[[str], Mapping[str, object]] | None,
    say: Words,
) -> str:
    if not counts:
        return ""
    shown = list(counts.items())[:ROWS]
    rest = sum(counts.values()) - sum(n for _, n in shown)
    most = max(n for _, n in shown)
    rows = "".join(_bar(said(value), n, most, at(value) if at else None, say) for value, n in shown)
    if rest:
        rows += _bar(say("datasets_plot_rest"), rest, most, None, say)
    return f'<table class="plot"><caption>{escape(title)}</caption><tbody>{rows}</tbody></table>'


def _bar(label: str, n: int, most: int, at: Mapping[str, object] | None, say: Words) -> str:
    text = escape(label)
    name = link(text, at) if at else text
    width = 100 * n / most if most else 0
    return f'<tr><th scope="row">{name}</th><td><i style="width:{width:.1f}%"></i></td><td>{say.number(n)}</td></tr>'


def _columns(title: str, bars: Sequence[tuple[int, int]], say: Words) -> str:
    """A histogram: (upper bound, how many), the last one open; those above the highest that is used are left out."""
    used = [at for at, (_, n) in enumerate(bars) if n]
    if not used:
        return ""
    shown, most = bars[: used[-1] + 1], max(n for _, n in bars)
    cells, before = "", 0
    for bound, n in shown:
        label = f"≤ {say.number(bound)}" if bound else f"> {say.number(before)}"
        height = max(2.0 if n else 0.0, 100 * n / most)
        cells += (
            f'<li><b>{say.number(n)}</b><span><i style="height:{height:.1f}%"></i></span><small>{label}</small></li>'
        )
        before = bound
    return f'<figure class="histogram"><figcaption>{escape(title)}</figcaption><ol>{cells}</ol></figure>'
