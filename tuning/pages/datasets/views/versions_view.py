"""In: versions, what differs between two, an estimate. Out: the HTML of the tab of versions. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Version
from tuning.pages.datasets.views.pieces_view import (
    attr,
    button,
    choices,
    counted,
    hint_box,
    line,
    link,
    named,
    section,
    select,
    tag,
    train,
    when,
)
from tuning.pages.work import Job

SHARES = (0.0, 0.05, 0.1, 0.2, 0.3)


@dataclass(frozen=True, slots=True)
class Opened:
    """The version that is open, and what is shown below it."""

    number: int = 0
    html: str = ""


def tab(
    one: Dataset, versions: Sequence[Version], apart: int, share: float, opened: Opened, estimate: str, say: Words
) -> str:
    """`apart`: how far the newest one is from what is approved; `share`: proposed for validation; `estimate`: the HTML
    of what learning it takes."""
    made = _make(one, versions[0].number if versions else 0, apart, share, say)
    listed = "".join(_version(each, opened.html if each.number == opened.number else "", say) for each in versions)
    shown = f'<ul class="cards versions">{listed}</ul>' if listed else ""
    return f'<div data-key="versions-{one.id}" class="stack">{made}{shown}{estimate}</div>'


def _make(one: Dataset, newest: int, apart: int, share: float, say: Words) -> str:
    if not one.approved:
        start = button("to-tab", say("datasets_look_through"), "search", kind="primary", tab="examples")
        return hint_box(say("datasets_nothing_approved"), say("datasets_nothing_approved_about"), start, "lock")
    if newest and not apart:
        return f'<p class="muted">{icon("check")} {escape(say("datasets_up_to_date", version=newest))}</p>'
    shares = [(f"{one_share:g}", _percent(one_share, say)) for one_share in SHARES]
    told = counted(say, "datasets_apart", apart, version=newest) if newest else say("datasets_version_about")
    return f"""<form class="make fields" data-do="freeze" data-part="freeze"><p class="muted">{escape(told)}</p><div class="columns">{select("share", say("datasets_share"), shares, f"{share:g}", hint=say("datasets_share_hint"))}
{line("seed", say("datasets_seed"), 7, kind="number", hint=say("datasets_seed_hint"), extra='min="0" inputmode="numeric"')}</div>
<div class="row">{button("freeze", say("datasets_do_freeze", version=newest), "lock", kind="primary")}</div></form>"""


def _percent(share: float, say: Words) -> str:
    return f"{say.number(100 * share)} %" if share else say("datasets_share_none")


def _version(one: Version, opened: str, say: Words) -> str:
    split, counts = one.card.get("split", {}), one.card.get("counts", {})
    key = "datasets_sides" if split.get("validation") else "datasets_one_side"
    sides = say(key, train=say.number(split.get("train", 0)), validation=say.number(split.get("validation", 0)))
    deleted = counted(say, "datasets_deleted_chats", one.deleted_chats) if one.deleted_chats else ""
    warning = f'<p class="state fair">{icon("warn")} {escape(deleted)}</p>' if deleted else ""
    at = {"dataset": one.dataset, "tab": "versions"}
    go = link(escape(say("datasets_close" if opened else "datasets_open")), at if opened else {**at, "version": one.number}, classes="button")  # fmt: skip
    below = f'<div class="opened">{opened}</div>' if opened else ""
    return f"""<li class="card version" data-key="v{one.number}"><div class="card-words"><strong>{escape(say("datasets_version", version=one.number))}</strong>
<span>{escape(counted(say, "datasets_n_examples", counts.get("examples", 0)))} · {escape(sides)}</span><small><code title="{attr(one.fingerprint)}">{one.fingerprint[:12]}</code> · {when(one.created_at)}</small>{warning}</div>
<div class="card-tools">{train(one.dataset, one.number, say)}{go}</div>{below}</li>"""


# ── the card ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def card(one: Version, say: Words) -> str:
    card = one.card
    sources, counts = card.get("sources", {}), card.get("counts", {})
    rows = [
        (say("datasets_card_fingerprint"), f"<code>{escape(one.fingerprint)}</code>"),
        (say("datasets_card_label"), f"<code>{escape(one.label)}</code>"),
        (say("datasets_licence"), escape(card.get("licence") or say("datasets_no_licence"))),
        (
            say("datasets_card_split"),
            escape(say("datasets_card_split_by", seed=card.get("split", {}).get("seed", "–"))),
        ),
        (say("datasets_plot_kind"), _listed("kind", counts.get("kinds", {}), say)),
        (say("datasets_plot_language"), _listed("language", counts.get("languages", {}), say)),
        (say("datasets_plot_origin"), _listed("origin", sources.get("origins", {}), say)),
        (say("datasets_plot_how"), _listed("how", sources.get("how", {}), say)),
        (say("datasets_card_names"), _listed("", sources.get("names", {}), say)),
        (say("datasets_card_personas"), _listed("", sources.get("personas", {}), say)),
        (say("datasets_card_models"), _listed("", sources.get("models", {}), say)),
        (say("datasets_card_untrusted"), _listed("", sources.get("untrusted", {}), say)),
        (say("datasets_card_cleaning"), _cleaning(card.get("cleaning", {}), say)),
    ]
    shown = "".join(f"<div><dt>{escape(name)}</dt><dd>{value}</dd></div>" for name, value in rows if value)
    note = f'<p class="muted">{escape(card["note"])}</p>' if card.get("note") else ""
    return f'<details class="fold" data-keep data-key="card"><summary>{escape(say("datasets_card"))}</summary>{note}<dl class="facts">{shown}</dl></details>'


def _listed(family: str, counts: Mapping[str, int], say: Words) -> str:
    return escape(" · ".join(f"{named(say, family, name) if family else name} {say.number(n)}" for name, n in counts.items()))  # fmt: skip


def _cleaning(cleaning: Mapping[str, Any], say: Words) -> str:
    told = []
    for name, value in cleaning.items():
        if isinstance(value, Mapping):
            value = ", ".join(f"{key} {n}" for key, n in value.items())
        if value not in ("", None, 0):
            told.append(f"{named(say, 'card_clean', name)} {value}")
    return escape(" · ".join(told))


# ── what differs ─────────────────────────────────────────────────────────────────────────────────────────────────────


def compare(
    one: Version, others: Sequence[Version], against: int, rows: Sequence[Mapping[str, Any]], say: Words
) -> str:
    """`rows`: of data.diff, from the other one to this."""
    if not others:
        return ""
    options = [("", say("datasets_compare_none"))]
    options += [(str(each.number), say("datasets_version", version=each.number)) for each in others]
    chosen = str(against) if against else ""
    opened = " open" if against else ""
    return f"""<details class="fold" data-keep data-key="compare"{opened}><summary>{escape(say("datasets_compare"))}</summary>
<label class="field"><span>{escape(say("datasets_compare_with"))}</span><select class="input" data-part="against">{choices(options, chosen)}</select></label>{_difference(rows, say)}</details>"""


def _difference(rows: Sequence[Mapping[str, Any]], say: Words) -> str:
    if not rows:
        return ""
    *changes, sums = rows
    names = [name for name in ("added", "removed", "changed", "moved", "same") if sums[name] or name == "same"]
    told = " · ".join(counted(say, f"datasets_diff_{name}", int(sums[name])) for name in names)
    shown = "".join(_change(row, say) for row in changes)
    return f'<p><strong>{escape(told)}</strong></p><ul class="changes">{shown}</ul>'


def _change(row: Mapping[str, Any], say: Words) -> str:
    what = str(row["change"])
    was = row.get("was") or {}
    before = f"<del>{escape(was['answer'])}</del>" if what == "changed" else ""
    sides = f"{was['split']} → {row['split']}" if what == "moved" else ""
    return f"""<li class="is-{what}">{tag(say(f"datasets_change_{what}"))}<div class="card-words"><strong>{escape(row["prompt"])}</strong>{before}<span>{escape(row["answer"])}</span>
{f"<small>{escape(sides)}</small>" if sides else ""}</div></li>"""


# ── what it takes ────────────────────────────────────────────────────────────────────────────────────────────────────


def estimate(models: Sequence[tuple[str, str]], job: Job | None, say: Words) -> str:
    body = f"""<form class="fields" data-do="estimate" data-part="estimate"><div class="columns"><label class="field"><span>{escape(say("datasets_model"))}</span>
<input class="input" data-field="model" list="datasets-models" maxlength="255" autocomplete="off" spellcheck="false" placeholder="{attr(say("datasets_default_model"))}"><datalist id="datasets-models">{choices(models)}</datalist></label>
{line("epochs", say("datasets_epochs"), 4, kind="number", extra='min="1" max="1000" inputmode="numeric"')}{line("batch", say("datasets_batch"), 8, kind="number", extra='min="1" max="100000" inputmode="numeric"')}
{line("price", say("datasets_price"), hint=say("datasets_price_hint"), extra='maxlength="20" inputmode="decimal"')}</div>
<div class="row">{button("estimate", say("datasets_estimate"), "spark")}</div></form>{_estimated(job, say)}"""
    return section(say("datasets_takes"), body, about=say("datasets_takes_about"), key="estimate")


def _estimated(job: Job | None, say: Words) -> str:
    if job is None or job.state != "done":
        return ""
    row = job.row

    def number(name: str) -> str:
        return say.number(row[name]) if row.get(name) is not None else "–"

    figures = [
        (number("examples"), say("datasets_figure_examples")),
        (number("tokens"), say("datasets_figure_tokens_epoch")),
        (number("steps"), say("datasets_figure_steps")),
        (_money(row, say), say("datasets_figure_price")),
        (_time(row.get("seconds"), say), say("datasets_figure_time")),
        (say.size(row["memory_bytes"]) if row.get("memory_bytes") else "–", say("datasets_figure_memory")),
        (number("truncated"), say("datasets_figure_cut")),
    ]
    known = [(value, label) for value, label in figures if value != "–"]
    shown = "".join(f"<div><dt>{escape(label)}</dt><dd>{escape(value)}</dd></div>" for value, label in known)
    notes = [say("datasets_rule", rule=row.get("rule", "")), *row.get("notes", ())]
    told = "".join(f"<li>{escape(str(note))}</li>" for note in notes)
    of = say("datasets_estimate_of", model=job.about.get("model") or say("datasets_default_model"))
    return f'<div class="outcome"><p><strong>{escape(of)}</strong></p><dl class="figures">{shown}</dl><ul class="notes">{told}</ul></div>'


def _money(row: Mapping[str, Any], say: Words) -> str:
    if row.get("price") is None:
        return "–"
    price = float(row["price"])
    return f"{say.number(price, 2 if price >= 0.01 or not price else 6)} {row.get('currency') or ''}".strip()


def _time(seconds: float | None, say: Words) -> str:
    if seconds is None:
        return "–"
    if seconds < 120:
        return say("datasets_seconds", n=say.number(seconds))
    return say("datasets_minutes", n=say.number(seconds / 60)) if seconds < 7200 else say("datasets_hours", n=say.number(seconds / 3600, 1))  # fmt: skip
