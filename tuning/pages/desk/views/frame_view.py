"""In: datasets, counts, filters. Out: the HTML around an example: shell, keys, progress, filters, empty states. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Facets, Filter, Status
from tuning.pages.desk.views.turns_view import attr
from tuning.values import Kind

KEYS = (  # (word, keys), in the order of the help
    ("next", "j · → · n"),
    ("previous", "k · ← · p"),
    ("approve", "a"),
    ("drop", "x"),
    ("reopen", "r"),
    ("turns", "↑ ↓ · Tab"),
    ("edit", "e"),
    ("save", "Ctrl Enter"),
    ("keep", "Ctrl Shift Enter"),
    ("cancel", "Esc"),
    ("mask", "m"),
    ("insert", "o"),
    ("system", "i"),
    ("take", "Del"),
    ("tag", "t"),
    ("split", "s"),
    ("merge", "c"),
    ("rank", "1–9"),
    ("tie", "="),
    ("move", "Alt ↑ · Alt ↓"),
    ("score", "0–5"),
    ("scale", "l"),
    ("undo", "u · Ctrl Z"),
    ("seen", "v"),
    ("search", "/"),
    ("filters", "f"),
    ("help", "?"),
)
_MAIN = (("previous", "left", "k"), ("drop", "close", "x"), ("approve", "check", "a"), ("next", "right", "j"))
_MORE = (
    ("edit", "edit", "e"),
    ("mask", "mask", "m"),
    ("tag", "tag", "t"),
    ("split", "split", "s"),
    ("merge", "merge", "c"),
    ("reopen", "retry", "r"),
    ("undo", "undo", "u"),
    ("seen", "tokens", "v"),
)
_SHOWN_IN_BAR = frozenset({"status", "kind", "finding", "tag", "search"})


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one stands among the examples that pass a filter, whatever their status is."""

    n: int | None  # from 1, among those that pass; None: it does not pass any more
    of: int
    approved: int
    dropped: int
    draft: int


def shell(say: Words) -> str:
    main = "".join(_button(do, picture, key, say, "primary" if do == "approve" else "") for do, picture, key in _MAIN)
    more = "".join(_button(do, picture, key, say, "quiet") for do, picture, key in _MORE)
    return f"""<header class="desk-head"><div class="desk-line desk-title">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button><h1>{escape(say("page_desk"))}</h1>
<div data-region="dataset"></div><span class="grow"></span>
<button class="tool desk-filter-button" data-do="filters" aria-expanded="false" aria-label="{attr(say("desk_do_filters"))}" title="{attr(say("desk_do_filters"))}">{icon("sliders")}</button>
<button class="tool" data-do="help" aria-label="{attr(say("desk_do_help"))}" title="{attr(say("desk_do_help"))} (?)">{icon("keyboard")}</button></div>
<div class="desk-filters" data-region="choices"></div><div data-region="progress"></div></header>
<div class="desk-scroll" tabindex="-1" data-part="scroll"><div class="desk-inner" data-region="example"></div></div>
<footer class="desk-dock" data-part="dock" hidden><div class="desk-main">{main}</div><div class="desk-more">{more}</div></footer>
<div data-region="clock" hidden></div><p class="off-screen" role="status" data-part="told"></p>{_help(say)}"""


def _button(do: str, picture: str, key: str, say: Words, looks: str) -> str:
    pressed = ' aria-pressed="false"' if do == "seen" else ""
    return f'<button class="button {looks}" data-do="{do}"{pressed} title="{attr(say(f"desk_do_{do}"))} ({key})">{icon(picture)}<span>{escape(say(f"desk_short_{do}"))}</span><kbd>{key}</kbd></button>'


def _help(say: Words) -> str:
    rows = "".join(f"<div><dt>{escape(say(f'desk_do_{do}'))}</dt><dd>{_keys(keys)}</dd></div>" for do, keys in KEYS)
    return f"""<dialog class="dialog desk-help" data-part="help" aria-label="{attr(say("desk_do_help"))}"><header><h2>{escape(say("desk_do_help"))}</h2>
<button class="tool" data-do="help-close" aria-label="{attr(say("close"))}">{icon("close")}</button></header><p>{escape(say("desk_help_about"))}</p><dl class="shortcuts">{rows}</dl>
<div class="dialog-row"><button class="button" data-do="help-app">{escape(say("shortcut_help"))}</button></div></dialog>"""


def _keys(keys: str) -> str:
    """ "Alt ↑ · Alt ↓" → the two ways, each of two keys."""
    ways = ("".join(f"<kbd>{escape(key)}</kbd>" for key in way.split()) for way in keys.split(" · "))
    return f" {'<i> · </i>'.join(ways)}"


# ── which dataset, which of its examples ─────────────────────────────────────────────────────────────────────────


def chosen(dataset: Dataset, all_: Sequence[Dataset], say: Words) -> str:
    options = "".join(
        f'<option value="{one.id}"{" selected" if one.id == dataset.id else ""}>{escape(one.name)}</option>'
        for one in all_
    )
    return f'<select class="input desk-dataset" data-part="dataset" aria-label="{attr(say("desk_dataset"))}">{options}</select>'


def choice(all_: Sequence[Dataset], say: Words) -> str:
    """Where to begin, when no dataset was named."""
    if not all_:
        return nothing("desk_no_datasets", say, ("datasets", "library", say("desk_to_datasets")))
    cards = "".join(
        f"""<button class="card desk-choice" data-do="choose" data-key="d{one.id}" data-dataset="{one.id}"><span class="card-words"><strong>{escape(one.name)}</strong>
<small>{escape(say("desk_dataset_counts", n=one.examples, many=say.number(one.examples), left=say.number(one.draft)))}</small></span>{icon("right")}</button>"""
        for one in all_
    )
    return f'<div class="desk-begin" data-key="choice"><h2>{escape(say("desk_choose"))}</h2><div class="cards">{cards}</div></div>'


def nothing(key: str, say: Words, *buttons: tuple[str, str, str], **values: object) -> str:
    """An empty place says what to do. `buttons`: action (or page), icon, label."""
    shown = "".join(
        f'<button class="button" data-do="{"view" if do == "datasets" else do}" data-view="{do}">{icon(picture)}<span>{escape(label)}</span></button>'
        for do, picture, label in buttons
    )
    return f"""<div class="drop-hint desk-nothing" data-key="{key}">{icon("desk")}<h2>{escape(say(key))}</h2><p>{escape(say(f"{key}_about", **values))}</p>
<div class="desk-line">{shown}</div></div>"""


def none_passes(dataset: Dataset, only: Filter, say: Words) -> str:
    if not dataset.examples:
        return nothing("desk_empty_dataset", say, ("datasets", "library", say("desk_to_datasets")))
    if only == Filter(status=Status.DRAFT):
        counts = {"approved": say.number(dataset.approved), "dropped": say.number(dataset.dropped)}
        show = ("all", "right", say("desk_show_all"))
        return nothing("desk_done", say, show, ("datasets", "library", say("desk_to_datasets")), **counts)
    return nothing("desk_none_passes", say, ("all", "right", say("desk_show_all")))


def progress(at: Standing, say: Words) -> str:
    many = {name: say.number(getattr(at, name)) for name in ("approved", "dropped", "draft")}
    place = (
        say("desk_place", n=say.number(at.n or 0), of=say.number(at.of))
        if at.n or not at.of
        else say("desk_no_longer", of=say.number(at.of))
    )
    told = say("desk_counts", **many)
    bar = "".join(
        f'<i data-status="{name}" style="flex-grow:{getattr(at, name)}"></i>'
        for name in ("approved", "dropped", "draft")
    )
    return f"""<div class="desk-line desk-standing"><b data-part="place">{escape(place)}</b><span class="desk-bar" role="img" aria-label="{attr(told)}">{bar}</span>
<span class="muted">{escape(told)}</span></div>"""


def choices(only: Filter, facets: Facets, titles: Mapping[str, str], say: Words) -> str:
    """The filter bar. `titles`: of the findings' codes."""
    statuses = [
        (one.value, _counted(say(f"desk_status_{one}"), facets.status.get(one.value, 0), say)) for one in Status
    ]
    kinds = [
        (one.value, _counted(say(f"desk_kind_{one}"), facets.kind[one.value], say))
        for one in Kind
        if one.value in facets.kind
    ]
    findings = [
        ("any", say("desk_finding_any")),
        ("none", say("desk_finding_none")),
        ("unseen", say("desk_finding_unseen")),
    ]
    findings += [(code, _counted(titles.get(code, code), n, say)) for code, n in facets.findings.items()]
    tags = [(tag, _counted(tag, n, say)) for tag, n in facets.tags.items()]
    selects = (
        _select("status", only.status or "", statuses, say)
        + _select("kind", only.kind or "", kinds, say)
        + _select("finding", only.finding, findings, say)
        + _select("tag", only.tag, tags, say)
    )
    more = [
        name for name in only.model_fields_set if name not in _SHOWN_IN_BAR and getattr(only, name) not in ("", None)
    ]
    further = (
        f'<button class="tag good" data-do="fewer" data-key="more">{escape(say("desk_more_filters"))}{icon("close")}</button>'
        if more
        else ""
    )
    known = "".join(f'<option value="{attr(tag)}"></option>' for tag in facets.tags)
    return f"""<div class="desk-line" role="search">{selects}<label class="searchbox small">{icon("search")}<input type="search" name="search" value="{attr(only.search)}" maxlength="200"
autocomplete="off" placeholder="{attr(say("desk_search"))}" aria-label="{attr(say("desk_search"))}"></label>{further}</div><datalist id="desk-known-tags">{known}</datalist>"""


def _counted(name: str, n: int, say: Words) -> str:
    return f"{name} ({say.number(n)})"


def _select(name: str, value: str, options: Iterable[tuple[str, str]], say: Words) -> str:
    """What is filtered for and is not there any more stays chosen, so that one sees why nothing is shown."""
    offered = list(options)
    if value and value not in {one for one, _ in offered}:
        offered.append((value, value))
    shown = "".join(
        f'<option value="{attr(one)}"{" selected" if one == value else ""}>{escape(title)}</option>'
        for one, title in offered
    )
    on = ' data-on=""' if value else ""
    return f'<select class="input" data-filter="{name}"{on} aria-label="{attr(say(f"desk_filter_{name}"))}"><option value="">{escape(say(f"desk_filter_{name}"))}</option>{shown}</select>'
