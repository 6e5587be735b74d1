"""In: datasets. Out: the HTML of all of them, of how it begins where there are none, and what stays on the page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset
from tuning.pages.datasets.views.pieces_view import (
    area,
    attr,
    button,
    counted,
    hint_box,
    line,
    link,
    problem,
    tag,
    tool,
    when,
)

WAY = ("like", "gather", "look", "freeze", "export")  # from a chat to a file


def shell(say: Words) -> str:
    """Regions, and the form of a name, which is one for new and old datasets."""
    return f"""<div class="page-inner datasets"><div data-region="head"></div><div class="jobs" data-part="uploads" aria-live="polite"></div><div data-region="work" aria-live="polite"></div>
<div data-region="body"></div></div>
<input type="file" hidden multiple data-part="file" aria-label="{attr(say("datasets_file"))}">
<input type="file" hidden multiple data-part="folder" aria-label="{attr(say("datasets_take"))}">
<dialog class="dialog" data-part="naming" aria-labelledby="datasets-naming"><h2 id="datasets-naming"></h2><form data-do="keep" class="fields" novalidate>
{line("name", say("datasets_name"), hint=say("datasets_name_hint"), extra='maxlength="60" spellcheck="false"')}{problem("name")}
{area("note", say("datasets_note"), rows=2, extra='maxlength="2000"')}
{line("licence", say("datasets_licence"), hint=say("datasets_licence_hint"), extra='maxlength="300"')}
<div class="dialog-row">{button("close", say("cancel"))}<button class="button primary">{escape(say("save"))}</button></div></form></dialog>"""


def head(some: bool, say: Words) -> str:
    tools = button("naming", say("datasets_new"), "plus", kind="primary" if some else "")
    return f"""<header class="page-head"><button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(say("page_datasets"))}</h1><p class="muted">{escape(say("datasets_about"))}</p></div>
<div class="card-tools heads">{button("pick-folder", say("datasets_take"), "file", title=say("datasets_take_hint"))}{tools}</div></header>"""


def listing(found: Sequence[Dataset], say: Words) -> str:
    if not found:
        return beginning(say)
    rows = "".join(_row(one, say) for one in found)
    return f"""<div data-key="list" class="stack"><ul class="cards">{rows}</ul>
<div class="row" data-region="liked" data-local-held></div></div>"""


def beginning(say: Words) -> str:
    """The whole way, so that the first step makes sense."""
    steps = "".join(
        f"<li><b>{at}</b><span><strong>{escape(say(f'datasets_way_{name}'))}</strong><small>{escape(say(f'datasets_way_{name}_about'))}</small></span></li>"
        for at, name in enumerate(WAY, 1)
    )
    sample = say("datasets_sample_of")
    return f"""<div data-key="begin" class="begin"><h2>{escape(say("datasets_none"))}</h2><p class="muted">{escape(say("datasets_none_about"))}</p>
<ol class="way">{steps}</ol><div class="row" data-region="liked" data-local-held></div>
<div class="row">{button("begin-sample", say("datasets_begin_sample"), "spark", sample=sample)}{button("naming", say("datasets_begin_empty"), "plus", kind="quiet")}</div>
<small>{escape(say("datasets_begin_about"))}</small></div>"""


def liked(n: int, some: bool, say: Words) -> str:
    """What can be gathered with one click; drawn when it is counted. `some`: there are datasets already."""
    if some:
        return button("begin-liked", counted(say, "datasets_more_liked", n), "up", kind="quiet") if n else ""
    if not n:
        return f'<p class="muted">{icon("up")} {escape(say("datasets_no_likes"))}</p>'
    return button("begin-liked", counted(say, "datasets_begin_liked", n), "up", kind="primary")


def gone(say: Words) -> dict[str, str]:
    """Where the address names a dataset that is not there any more."""
    back = link(escape(say("datasets_to_all")), {}, classes="button primary")
    shown = hint_box(say("datasets_gone"), say("datasets_gone_about"), back, "warn")
    return {"head": head(True, say), "body": f'<div data-key="gone">{shown}</div>'}


def counts(one: Dataset, say: Words) -> str:
    """A bar of three parts, and the same in words."""
    if not one.examples:
        return f"<small>{escape(say('datasets_empty'))}</small>"
    parts = (("approved", one.approved), ("draft", one.draft), ("dropped", one.dropped))
    told = " · ".join(counted(say, f"datasets_n_{name}", n) for name, n in parts if n)
    bars = "".join(f'<i class="is-{name}" style="flex-grow:{n}"></i>' for name, n in parts if n)
    return f'<div class="counts"><div class="split" aria-hidden="true">{bars}</div><small>{escape(told)}</small></div>'


def _row(one: Dataset, say: Words) -> str:
    title = link(f"<strong>{escape(one.name)}</strong>", {"dataset": one.id}, classes="name")
    note = f"<small>{escape(one.note)}</small>" if one.note else ""
    tags = tag(counted(say, "datasets_n_versions", one.versions), "good") if one.versions else ""
    tags += tag(one.licence) if one.licence else ""
    tools = tool("naming", say("datasets_edit", name=one.name), "edit", **naming(one))
    tools += tool("remove", say("datasets_remove", name=one.name), "trash", dataset=one.id)
    return f"""<li class="card" data-key="d{one.id}"><div class="card-words">{title}{note}{counts(one, say)}
<div class="tags">{tags}<small>{escape(say("datasets_changed"))} {when(one.updated_at)}</small></div></div><div class="card-tools">{tools}</div></li>"""


def naming(one: Dataset) -> dict[str, object]:
    """What the form of its name is filled with."""
    return {"dataset": one.id, "name": one.name, "note": one.note, "licence": one.licence}
