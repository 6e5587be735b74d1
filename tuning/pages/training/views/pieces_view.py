"""In: values, words. Out: the small parts of the training page: addresses, times, statuses, bars, figures. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import urlencode

from knowledge.pages.wording import Words
from tuning.jobs import Job
from tuning.pages.datasets.views.pieces_view import attr
from tuning.training.folder import State, Status

_KINDS = {Status.DONE: "good", Status.FAILED: "bad", Status.STOPPED: "fair", Status.QUEUED: ""}


def link(label: str, *, classes: str = "", **at: object) -> str:
    """To another place of this page; `label` is HTML."""
    given = {name: value for name, value in at.items() if value}
    address = "/?" + urlencode({"view": "training", **given})
    return f'<a class="{classes}" href="{attr(address)}" data-do="to">{label}</a>'


def lasts(seconds: float | None, say: Words) -> str:
    """About how long: what is longer is told in a larger unit."""
    if seconds is None:
        return "–"
    if seconds < 100:
        return say("training_seconds", n=say.number(max(1, round(seconds))))
    if seconds < 5400:
        return say("training_minutes", n=say.number(max(2, round(seconds / 60))))
    return say("training_hours", n=say.number(seconds / 3600, 1))


def memory(size: float | None, say: Words) -> str:
    if not size:
        return "–"
    return say.size(round(size)) if size < 1e9 else f"{say.number(size / 1e9, 1)} GB"


def decimal(value: float | None, say: Words, digits: int = 3) -> str:
    return "–" if value is None else say.number(value, digits)


def status(state: State, say: Words) -> str:
    kind = _KINDS.get(state.status, "live")
    return f'<span class="tag {kind}">{escape(say(f"training_status_{state.status}"))}</span>'


def bar(job: Job, say: Words) -> str:
    """How far it is, in a bar and in words."""
    state = job.state
    title = attr(say("training_progress", name=job.name))
    if state.status is Status.QUEUED or (state.status.over and not state.steps):
        return ""
    value = f' value="{min(1.0, state.step / state.steps):.3f}"' if state.steps else ""
    return f'<progress max="1"{value} aria-label="{title}"></progress><small>{escape(so_far(state, say))}</small>'


def so_far(state: State, say: Words) -> str:
    told = [say("training_step_of", step=say.number(state.step), steps=say.number(state.steps))] if state.steps else []
    if state.seconds:
        told.append(say("training_took_all" if state.status.over else "training_took", time=lasts(state.seconds, say)))
    if not state.status.over and state.seconds_left is not None:
        told.append(say("training_left", time=lasts(state.seconds_left, say)))
    return " · ".join(told) or say(f"training_status_{state.status}")


def figures(rows: Iterable[tuple[str, str]]) -> str:
    """`rows`: (value, what it is)."""
    shown = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for value, label in rows)
    return f'<dl class="figures">{shown}</dl>'


def fold(key: str, title: str, body: str) -> str:
    return f'<details class="fold" data-keep data-key="{key}"><summary>{escape(title)}</summary>{body}</details>'


def recipe(name: str, say: Words) -> str:
    return say.sentences.get(f"training_recipe_{name}", name)
