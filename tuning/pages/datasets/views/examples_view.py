"""In: a page of examples, what can be filtered by. Out: the HTML of the list. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Facets, Filter, Page, Stored
from tuning.pages.datasets.views.pieces_view import attr, button, choices, counted, hint_box, link, named, tag, tool
from tuning.values import Role

SHOWN = 220  # characters of a text in the list
AT_ONCE = 50
STATUSES = ("draft", "approved", "dropped")


def tab(
    one: Dataset, found: Page, only: Filter, facets: Facets, undoable: str, titles: Mapping[str, str], say: Words
) -> str:
    """`titles`: code of a finding → what it is called."""
    if not one.examples:
        start = button("to-tab", say("datasets_do_gather"), "plus", kind="primary", tab="gather")
        return f'<div data-key="examples-{one.id}">{hint_box(say("datasets_no_examples"), say("datasets_no_examples_about"), start, "dataset")}</div>'
    rows = "".join(_row(each, titles, say) for each in found.examples)
    listed = f'<ul class="cards entries" data-part="examples">{rows}</ul>' if rows else _none(one, say)
    return f"""<div data-key="examples-{one.id}" class="stack">{filters(only, facets, titles, say)}
{_bulk(found.total, undoable, say)}{listed}{pager(found, one.id, only, say)}</div>"""


def filters(only: Filter, facets: Facets, titles: Mapping[str, str], say: Words) -> str:
    """Only what the dataset has is offered, with how many; a filter that is set is always there."""
    chips = "".join(_status(name, only, facets, say) for name in ("", *STATUSES))
    offered = [
        _select("kind", only.kind.value if only.kind else "", facets.kind, say),
        _select("origin", only.origin, facets.origin, say),
        _select("how", only.how, facets.how, say),
        _select("language", only.language, facets.language, say),
        _select("tag", only.tag, facets.tags, say),
        _findings(only.finding, facets, titles, say),
    ]
    unranked = _unranked(only, facets, say)
    return f"""<form class="filters" data-part="filters" data-do="none"><div class="sifts" role="group" aria-label="{attr(say("datasets_status"))}">{chips}{unranked}</div>
<div class="columns"><label class="searchbox small">{icon("search")}<input type="search" data-field="search" maxlength="200" value="{attr(only.search)}" placeholder="{attr(say("datasets_search"))}" aria-label="{attr(say("datasets_search"))}"></label>{"".join(offered)}</div></form>"""


def _status(name: str, only: Filter, facets: Facets, say: Words) -> str:
    n = facets.status.get(name, 0) if name else sum(facets.status.values())
    pressed = (only.status.value if only.status else "") == name
    label = f"{say('datasets_status_' + (name or 'all'))} {say.number(n)}"
    return f'<button type="button" class="sift{f" is-{name}" if name else ""}" data-do="filter" data-name="status" data-value="{name}" aria-pressed="{str(pressed).lower()}">{escape(label)}</button>'


def _unranked(only: Filter, facets: Facets, say: Words) -> str:
    if not facets.unranked and only.unranked is None:
        return ""
    on = only.unranked is True
    label = counted(say, "datasets_n_unranked", facets.unranked)
    return f'<button type="button" class="sift" data-do="filter" data-name="unranked" data-value="{"" if on else "yes"}" aria-pressed="{str(on).lower()}">{escape(label)}</button>'


def _select(name: str, chosen: str, known: Mapping[str, int], say: Words) -> str:
    if not chosen and len(known) < (1 if name == "tag" else 2):
        return ""
    values = known if chosen in known or not chosen else {**known, chosen: 0}
    options = [(value, f"{named(say, name, value)} ({say.number(n)})") for value, n in values.items()]
    return _filter(name, [("", say(f"datasets_all_{name}")), *options], chosen, say)


def _findings(chosen: str, facets: Facets, titles: Mapping[str, str], say: Words) -> str:
    options = [("", say("datasets_all_finding")), ("any", say("datasets_finding_any"))]
    options += [("none", say("datasets_finding_none")), ("unseen", counted(say, "datasets_n_unseen", facets.unseen))]
    found = facets.findings if chosen in ("", "any", "none", "unseen", *facets.findings) else {chosen: 0}
    options += [(code, f"{titles.get(code, code)} ({say.number(n)})") for code, n in found.items()]
    return _filter("finding", options, chosen, say)


def _filter(name: str, options: list[tuple[str, str]], chosen: str, say: Words) -> str:
    label = say(f"datasets_filter_{name}")
    return f'<select class="input" data-field="{name}" aria-label="{attr(label)}">{choices(options, chosen)}</select>'


def _bulk(total: int, undoable: str, say: Words) -> str:
    """What is chosen, or everything that passes; the script changes the words as rows are chosen."""
    every = counted(say, "datasets_all_that_pass", total)
    undo = say("datasets_undo", what=named(say, "did_what", undoable)) if undoable else ""
    buttons = "".join(
        button(do, say(f"datasets_{do}"), picture, title=say(f"datasets_{do}_key"))
        for do, picture in (("approve", "check"), ("drop", "close"), ("reopen", "retry"))
    )
    undo_button = button("undo", undo, "retry", kind="quiet") if undo else ""
    return f"""<div class="bulk" role="toolbar" aria-label="{attr(say("datasets_bulk"))}"><label class="check"><input type="checkbox" data-part="all" aria-label="{attr(say("datasets_choose_page"))}">
<span data-part="chosen" data-every="{attr(every)}">{escape(every)}</span></label><div class="card-tools">{buttons}{button("tagging", say("datasets_tag"), "plus")}{undo_button}</div>
<form class="tagging" data-do="tag" data-part="tagging" hidden data-local-held><input class="input" name="tag" maxlength="60" placeholder="{attr(say("datasets_tag_name"))}" aria-label="{attr(say("datasets_tag_name"))}"><button class="button">{escape(say("datasets_tag_add"))}</button>
{button("untag", say("datasets_tag_remove"))}</form></div>"""


def _row(one: Stored, titles: Mapping[str, str], say: Words) -> str:
    asked, answered = words_of(one)
    status = say(f"datasets_is_{one.status.value}")
    tools = "".join(_moves(one, say))
    return f"""<li class="card entry is-{one.status.value}" data-key="e{one.id}" data-example="{one.id}"><input type="checkbox" value="{one.id}" aria-label="{attr(say("datasets_choose"))}">
<a class="card-words" href="/?view=desk&amp;dataset={one.dataset}&amp;example={one.id}" data-do="desk" data-example="{one.id}"><strong>{escape(asked)}</strong><span>{escape(answered)}</span>
<span class="tags"><span class="status">{escape(status)}</span>{"".join(_tags(one, titles, say))}</span></a><div class="card-tools">{tools}</div></li>"""


def _moves(one: Stored, say: Words) -> Iterator[str]:
    for do, status, picture in (
        ("approve", "approved", "check"), ("drop", "dropped", "close"), ("reopen", "draft", "retry")
    ):  # fmt: skip
        if one.status.value != status and (do != "reopen" or one.status.value != "draft"):
            yield tool(do, say(f"datasets_{do}"), picture, example=one.id)


def _tags(one: Stored, titles: Mapping[str, str], say: Words) -> Iterator[str]:
    yield tag(named(say, "kind", one.example.kind.value))
    if one.unranked:
        yield tag(say("datasets_unranked"), "fair")
    if one.example.source.how:
        yield tag(named(say, "how", one.example.source.how))
    if one.language:
        yield tag(named(say, "language", one.language))
    for code in dict.fromkeys(finding["code"] for finding in one.findings or ()):
        yield tag(titles.get(code, code), "fair")
    for name in one.example.tags:
        yield tag(f"#{name}", "good")


def words_of(one: Stored) -> tuple[str, str]:
    """What was asked last, and what was answered; of text its beginning."""
    example = one.example
    if example.text:
        return _short(example.source.name or example.text), _short(example.text)
    answers = [turn.text for turn in example.turns if turn.role is Role.ASSISTANT and turn.text]
    chosen = example.chosen
    return _short(example.prompt), _short(chosen.text if chosen else answers[-1] if answers else "")


def _short(text: str) -> str:
    line = " ".join(text[: 2 * SHOWN].split())
    return line if len(line) <= SHOWN else f"{line[:SHOWN].rsplit(' ', 1)[0]} …"


def pager(found: Page, dataset: int, only: Filter, say: Words) -> str:
    pages = -(-found.total // AT_ONCE)
    here = found.offset // AT_ONCE + 1
    if pages < 2:
        return ""
    at = {"dataset": dataset, "tab": "examples", **only.model_dump(mode="json", exclude_defaults=True)}
    if only.unranked is not None:
        at["unranked"] = "yes"
    back = link(icon("left"), {**at, "page": here - 1}, classes="tool", extra=f' aria-label="{attr(say("datasets_page_before"))}"') if here > 1 else ""  # fmt: skip
    forth = link(icon("right"), {**at, "page": here + 1}, classes="tool", extra=f' aria-label="{attr(say("datasets_page_after"))}"') if here < pages else ""  # fmt: skip
    told = say("datasets_page", page=say.number(here), pages=say.number(pages))
    return (
        f'<nav class="pager" aria-label="{attr(say("datasets_pages"))}">{back}<span>{escape(told)}</span>{forth}</nav>'
    )


def _none(one: Dataset, say: Words) -> str:
    clear = link(escape(say("datasets_clear")), {"dataset": one.id, "tab": "examples"}, classes="button")
    return hint_box(say("datasets_none_pass"), say("datasets_none_pass_about"), clear, "search")
