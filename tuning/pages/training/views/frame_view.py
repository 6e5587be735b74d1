"""In: jobs. Out: the HTML of all of them, of how it begins where there is none, and what stays on the page. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.jobs import Job
from tuning.pages.datasets.views.pieces_view import attr, button, hint_box, when
from tuning.pages.training.views.pieces_view import bar, decimal, link, recipe, status

WAY = ("dataset", "recipe", "estimate", "watch", "publish")


def shell(say: Words) -> str:
    return """<div class="page-inner training"><div data-region="head"></div><div data-region="body"></div></div>"""


def head(start: bool, say: Words) -> str:
    """`start`: whether a new job is offered here."""
    new = link(f"{icon('plus')}<span>{escape(say('training_new'))}</span>", classes="button primary", new=1)
    tools = f'<div class="card-tools heads">{new}</div>' if start else ""
    return f"""<header class="page-head"><button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1 tabindex="-1">{escape(say("page_training"))}</h1><p class="muted">{escape(say("training_about"))}</p></div>{tools}</header>{rooms("", say)}"""


def rooms(current: str, say: Words) -> str:
    """What the page has beside each other: jobs, and the models that came of them."""
    shown = ""
    for name, word in (("", "jobs"), ("published", "published")):
        room = f"&amp;room={name}" if name else ""
        here = ' aria-current="page"' if name == current else ""
        title = escape(say(f"training_room_{word}"))
        shown += f'<a href="/?view=training{room}" data-do="to"{here}>{title}</a>'
    return f'<nav class="rooms" aria-label="{attr(say("training_rooms"))}">{shown}</nav>'


def beginning(say: Words) -> str:
    """Nothing to learn from yet: the whole way, and where its first step is."""
    steps = "".join(
        f"<li><b>{at}</b><span><strong>{escape(say(f'training_way_{name}'))}</strong><small>{escape(say(f'training_way_{name}_about'))}</small></span></li>"
        for at, name in enumerate(WAY, 1)
    )
    return f"""<div data-key="begin" class="begin"><h2>{escape(say("training_none"))}</h2><p class="muted">{escape(say("training_none_about"))}</p>
<ol class="way">{steps}</ol><div class="row">{button("view", say("training_to_datasets"), "dataset", kind="primary", view="datasets")}</div></div>"""


def listing(jobs: Sequence[Job], say: Words) -> str:
    return f'<ul class="cards" data-key="list">{"".join(_row(job, say) for job in jobs)}</ul>'


def gone(say: Words) -> str:
    back = link(escape(say("training_to_all")), classes="button primary")
    return f'<div data-key="gone">{hint_box(say("training_gone"), say("training_gone_about"), back, "warn")}</div>'


def back(say: Words) -> str:
    return link(f"{icon('left')}<span>{escape(say('training_to_all'))}</span>", classes="back")


def _row(job: Job, say: Words) -> str:
    title = link(f"<strong>{escape(job.name)}</strong>", classes="name", job=job.id)
    best = (
        f" · {say('training_best', loss=decimal(job.state.best_loss, say))}" if job.state.best_loss is not None else ""
    )
    persona = f'<span class="tag good">{escape(say("training_published"))}</span>' if job.persona else ""
    of = f"{job.dataset} · {recipe(str(job.settings.get('recipe') or job.method), say)} · {job.base}{best}"
    return f"""<li class="card" data-key="j{job.id}"><div class="card-words"><div class="tags">{title} {status(job.state, say)}{persona}</div>
<small>{escape(of)} · {when(job.created_at)}</small>{bar(job, say)}</div></li>"""
