"""In: what can be gathered from. Out: the HTML of the ways into a dataset, and of what came in. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Import
from tuning.pages.datasets.views.pieces_view import (
    Options,
    area,
    attr,
    button,
    check,
    counted,
    line,
    link,
    named,
    radios,
    section,
    select,
    when,
)

KINDS = ("conversation", "preference", "ranking", "score")
RATINGS = ("", "liked", "disliked", "rated", "unrated")
SKIPPED = 50  # lines of what was skipped that are shown at once


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is on this machine: (value, title) each."""

    personas: Sequence[tuple[str, str]] = ()
    models: Sequence[tuple[str, str]] = ()
    documents: Sequence[tuple[str, str]] = ()
    samples: Sequence[str] = ()
    formats: Sequence[str] = ()  # that a file may be read as


def tab(one: Dataset, imports: Sequence[Import], offers: Offers, say: Words) -> str:
    ways = [
        _way("chats", "chat", _chats(offers, say), say, opened=True),
        _way("file", "file", _file(offers, say), say, opened=True),
        _way("samples", "spark", _samples(offers, say), say),
        _way("documents", "library", _documents(offers, say), say),
        _way("teacher", "models", _teacher(offers, say), say),
    ]
    return f'<div data-key="gather-{one.id}" class="stack">{"".join(ways)}{_history(one, imports, say)}</div>'


def matching(n: int, kind: str, say: Words) -> str:
    """How many examples would come, on the button that brings them."""
    if n:
        return button("gather", counted(say, f"datasets_gather_{kind}", n), "plus", kind="primary")
    return f'<p class="muted">{escape(say(f"datasets_match_none_{kind}"))}</p>'


def _way(name: str, picture: str, body: str, say: Words, *, opened: bool = False) -> str:
    return f"""<details class="way-in" data-key="way-{name}" data-keep{" open" if opened else ""}><summary>{icon(picture)}<span><strong>{escape(say(f"datasets_from_{name}"))}</strong>
<small>{escape(say(f"datasets_from_{name}_about"))}</small></span>{icon("chevron")}</summary><div class="way-body">{body}</div></details>"""


# ── from chats ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _chats(offers: Offers, say: Words) -> str:
    kinds = [(kind, say(f"datasets_kind_{kind}"), say(f"datasets_kind_{kind}_about")) for kind in KINDS]
    ratings = [(rating, say(f"datasets_rating_{rating or 'any'}")) for rating in RATINGS]
    return f"""<form data-do="gather" data-part="chats" class="fields">{radios("kind", kinds, "conversation", say("datasets_what"))}
<div class="columns">{select("rating", say("datasets_rating"), ratings, "liked")}{select("persona", say("datasets_persona"), _any(offers.personas, say))}
{line("search", say("datasets_search"), extra='maxlength="200" type="search"')}</div>
<details class="fold" data-keep><summary>{escape(say("datasets_more"))}</summary><div class="columns">{_further(say)}</div>
{_shape(say)}</details><div class="row" data-region="matching" data-local-held><p class="muted">{escape(say("datasets_counting"))}</p></div></form>"""


def _further(say: Words) -> str:
    reasons = [(key.removeprefix("reason_"), text) for key, text in say.sentences.items() if key.startswith("reason_")]
    routes = [(name, say(f"route_{name}")) for name in ("documents", "tool", "persona", "chat")]
    fields = [
        select("reason", say("datasets_reason"), _any(reasons, say)),
        select("route", say("datasets_route"), _any(routes, say)),
        select("language_is", say("datasets_language"), _any(languages(say), say)),
        line("since", say("datasets_since"), kind="date"),
        line("until", say("datasets_until"), kind="date"),
        line("shortest", say("datasets_shortest"), kind="number", extra='min="0" inputmode="numeric"'),
        line("longest", say("datasets_longest"), kind="number", extra='min="0" inputmode="numeric"'),
    ]
    return "".join(fields) + check("edited", say("datasets_edited"))


def _shape(say: Words) -> str:
    whole = [(name, say(f"datasets_turns_{name}")) for name in ("conversation", "exchange")]
    ground = [(name, say(f"datasets_grounding_{name}")) for name in ("passages", "plain")]
    turns = select("turns", say("datasets_turns"), whole, hint=say("datasets_turns_hint"))
    grounding = select("grounding", say("datasets_grounding"), ground, hint=say("datasets_grounding_hint"))
    return f'<div class="columns wide">{turns}{grounding}</div>{check("tools", say("datasets_tools"), True, say("datasets_tools_hint"))}'


def languages(say: Words) -> list[tuple[str, str]]:
    return [(code, named(say, "language", code)) for code in ("en", "es", "other")]


def _any(options: Options, say: Words) -> Options:
    return [("", say("datasets_any")), *options]


# ── from elsewhere ───────────────────────────────────────────────────────────────────────────────────────────────────


def _file(offers: Offers, say: Words) -> str:
    formats = [("auto", say("datasets_format_auto")), *((name, named(say, "reads", name)) for name in offers.formats)]
    return f"""<div data-part="import" class="fields"><button type="button" class="drop" data-do="pick">{icon("file")}<strong>{escape(say("datasets_drop_here"))}</strong>
<small>{escape(say("datasets_drop_about"))}</small></button>
<details class="fold" data-keep><summary>{escape(say("datasets_more"))}</summary><div class="columns">{select("format", say("datasets_read_as"), formats, "auto")}</div>
{check("siblings", say("datasets_siblings"), hint=say("datasets_siblings_hint"))}</details></div>"""


def _samples(offers: Offers, say: Words) -> str:
    return "".join(
        f"""<div class="offer"><span><strong>{escape(named(say, "sample", name))}</strong><small>{escape(named(say, "sample_about", name))}</small></span>
{button("sample", say("datasets_add"), "plus", sample=name)}</div>"""
        for name in offers.samples
    )


def _documents(offers: Offers, say: Words) -> str:
    if not offers.documents:
        return f'<div class="row"><p class="muted">{escape(say("datasets_no_documents"))}</p>{button("view", say("datasets_to_documents"), "library", view="documents")}</div>'
    boxes = "".join(
        f'<label class="check"><input type="checkbox" value="{attr(number)}"><span>{escape(title)}</span></label>'
        for number, title in offers.documents
    )
    return f"""<form data-do="documents" data-part="documents" class="fields"><fieldset class="checks" data-field="documents" data-kind="numbers"><legend>{escape(say("datasets_which_documents"))}</legend>{boxes}</fieldset>
<div class="columns"><div class="offer-box"><strong>{escape(say("datasets_as_text"))}</strong><small>{escape(say("datasets_as_text_about"))}</small>{button("documents", say("datasets_add_text"), "plus")}</div>
<div class="offer-box"><strong>{escape(say("datasets_as_questions"))}</strong><small>{escape(say("datasets_as_questions_about"))}</small>
{_by_model(offers, say)}{button("propose", say("datasets_propose"), "spark")}</div></div></form>"""


def _teacher(offers: Offers, say: Words) -> str:
    return f"""<form data-do="distil" data-part="teacher" class="fields">{line("topic", say("datasets_topic"), hint=say("datasets_topic_hint"), extra='maxlength="300"')}
{area("prompts", say("datasets_prompts"), rows=3, hint=say("datasets_prompts_hint"), extra='maxlength="20000"')}
<div class="columns">{_by_model(offers, say)}{select("persona", say("datasets_voice"), [("", say("datasets_no_voice")), *offers.personas])}</div>
<div class="row">{button("distil", say("datasets_distil"), "spark")}</div></form>"""


def _by_model(offers: Offers, say: Words) -> str:
    model = select("model", say("datasets_model"), [("", say("datasets_default_model")), *offers.models])
    most = line("most", say("datasets_most"), 20, kind="number", extra='min="1" max="500" inputmode="numeric"')
    return f"{model}{most}"


# ── what came in ─────────────────────────────────────────────────────────────────────────────────────────────────────


def _history(one: Dataset, imports: Sequence[Import], say: Words) -> str:
    steps = [step for step in one.recipe if step.get("what") != "import"]
    if not steps and not imports:
        return ""
    rows = "".join(_import(found, say) for found in imports) + "".join(_step(step, say) for step in reversed(steps))
    return section(say("datasets_came_in"), f'<ul class="cards">{rows}</ul>', key="came-in")


def _step(step: Mapping[str, Any], say: Words) -> str:
    what = str(step.get("what", ""))
    chosen = " · ".join(
        f"{named(say, 'step', name)}: {_value(name, value, say)}"
        for name, value in step.items()
        if name not in ("what", "at", "examples", "tools", "turns", "grounding") and value not in ("", None, [], {})
    )
    n = int(step.get("examples", 0))
    told = f"<small>{escape(chosen)}</small>" if chosen else ""
    time = when(str(step["at"])) if step.get("at") else ""
    return f"""<li class="card"><div class="card-words"><strong>{escape(named(say, "step_what", what))}</strong>
<span>{escape(counted(say, "datasets_n_examples", n)) if n else ""}</span>{told}<small>{time}</small></div></li>"""


def _value(name: str, value: Any, say: Words) -> str:
    return named(say, name, str(value)) if isinstance(value, str) else str(value)


def _import(found: Import, say: Words) -> str:
    told = [counted(say, "datasets_n_examples", found.read), named(say, "reads", found.format)]
    if found.known:
        told.append(counted(say, "datasets_known", found.known))
    state = say(f"datasets_import_{found.status}") if found.status != "done" else ""
    at = {"dataset": found.dataset, "tab": "examples", "batch": found.id}
    see = link(escape(say("datasets_look_at")), at, classes="button quiet") if found.read else ""
    undo = button("undo-import", say("datasets_undo_import"), "trash", kind="quiet", number=found.id)
    return f"""<li class="card" data-key="import{found.id}"><div class="card-words"><strong>{escape(found.name)}</strong><small>{escape(" · ".join(told))} · {when(found.created_at)}</small>
{f'<p class="state fair">{escape(state)}</p>' if state else ""}{_left_out(found, say)}</div><div class="card-tools">{see + undo if found.status == "done" else ""}</div></li>"""


def _left_out(found: Import, say: Words) -> str:
    if not found.skipped:
        return ""
    rows = "".join(_problem(one, say) for one in found.problems[:SKIPPED])
    more = found.skipped - min(SKIPPED, len(found.problems))
    rest = f"<p>{escape(counted(say, 'datasets_skipped_more', more))}</p>" if more > 0 else ""
    return f"""<details class="fold" data-keep><summary>{escape(counted(say, "datasets_skipped", found.skipped))}</summary>
<table class="grid"><thead><tr><th>{escape(say("datasets_line"))}</th><th>{escape(say("datasets_where"))}</th><th>{escape(say("datasets_why"))}</th></tr></thead><tbody>{rows}</tbody></table>{rest}</details>"""


def _problem(one: Mapping[str, Any], say: Words) -> str:
    number = one.get("line")
    at = say.number(number) if isinstance(number, int) else "–"
    return f"<tr><td>{at}</td><td>{escape(str(one.get('where', '')))}</td><td>{escape(str(one.get('message', '')))}</td></tr>"
