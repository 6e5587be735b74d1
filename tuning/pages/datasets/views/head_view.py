"""In: one dataset, its next step. Out: the HTML above its tabs. Pure."""

from __future__ import annotations

from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Version
from tuning.pages.datasets.stage import Step
from tuning.pages.datasets.views.listing_view import counts, naming
from tuning.pages.datasets.views.pieces_view import attr, button, counted, link, tag, tool, train

TABS = ("gather", "examples", "statistics", "clean", "versions")
_PICTURES = {
    "gather": "plus",
    "rank": "sliders",
    "look": "search",
    "approve": "check",
    "held": "warn",
    "freeze": "lock",
    "export": "arrow_down",
}


def head(one: Dataset, step: Step, tab: str, newest: Version | None, say: Words) -> str:
    version = newest.number if newest else 0
    tabs = "".join(
        link(escape(say(f"datasets_tab_{name}")), {"dataset": one.id, "tab": name}, current=name == tab)
        for name in TABS
    )
    licence = tag(one.licence) if one.licence else ""
    note = f'<p class="muted">{escape(one.note)}</p>' if one.note else ""
    tools = tool("naming", say("datasets_edit", name=one.name), "edit", **naming(one))
    tools += tool("remove", say("datasets_remove", name=one.name), "trash", dataset=one.id)
    back = link(f"{icon('left')}<span>{escape(say('page_datasets'))}</span>", {}, classes="back")
    return f"""<div data-key="h{one.id}" class="stack">{back}<header class="page-head"><button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(one.name)}</h1>{note}<div class="tags">{licence}</div></div><div class="card-tools">{tools}</div></header>
{counts(one, say)}{banner(one, step, version, say)}<nav class="tabs" aria-label="{attr(say("datasets_tabs"))}">{tabs}</nav></div>"""


def banner(one: Dataset, step: Step, version: int, say: Words) -> str:
    """One clear thing to do, and what else could be done here."""
    title = counted(say, f"datasets_next_{step.do}", step.n, version=version)
    about = say(f"datasets_next_{step.do}_about")
    left = counted(say, "datasets_next_left", step.left) if step.left and step.do != "held" else ""
    held = link(escape(left), {"dataset": one.id, "tab": "clean"}, classes="state fair") if left else ""
    return f"""<div class="step" data-step="{step.do}">{icon(_PICTURES[step.do])}<div class="card-words"><strong>{escape(title)}</strong>
<small>{escape(about)}</small>{held}</div><div class="card-tools">{_actions(one, step, version, say)}</div></div>"""


def _actions(one: Dataset, step: Step, version: int, say: Words) -> str:
    label = counted(say, f"datasets_do_{step.do}", step.n, version=version)
    match step.do:
        case "gather":
            return button("to-tab", label, kind="primary", tab="gather")
        case "rank":
            return button("desk", label, kind="primary", unranked="yes")
        case "look":
            return button("look", label, kind="primary")
        case "approve":
            by_hand = button("desk", say("datasets_one_by_one"), kind="quiet", status="draft")
            return by_hand + button("approve-all", label, kind="primary")
        case "held":
            return button("to-tab", label, kind="primary", tab="clean")
        case "freeze":
            return button("freeze", label, kind="primary")
        case "export":
            return train(one.id, version, say) + button("to-export", label, kind="primary", version=version)
