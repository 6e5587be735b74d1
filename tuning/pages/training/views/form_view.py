"""In: versions, recipes, an estimate. Out: the HTML of what is asked before a job starts, and what it takes. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from knowledge.pages.wording import Words
from tuning.datasets import Dataset, Version
from tuning.pages.datasets.views.pieces_view import area, attr, button, choices, counted, line, problem, radios, select
from tuning.pages.training.views.pieces_view import figures, fold, lasts, memory, recipe
from tuning.pages.work import Job

WHOLE = 'min="1" inputmode="numeric"'
FEW = 20  # rows: with fewer, what is learned is learned by heart


@dataclass(frozen=True, slots=True)
class Offers:
    """What can be chosen. `recipes`: each with the defaults that the form shows."""

    datasets: Sequence[tuple[Dataset, Sequence[Version]]]
    recipes: Mapping[str, Mapping[str, Any]]
    bases: Sequence[tuple[str, str]]  # (name, title)
    base: str
    chosen: str = ""  # "3:1": of the address
    samples: str = field(default="")


def form(offers: Offers, work: Job | None, say: Words) -> str:
    """`work`: the newest estimate."""
    first = next(iter(offers.recipes), "")
    given = offers.recipes.get(first, {})
    epochs = f"{given.get('epochs', 3):g}"
    bases = f'<datalist id="training-bases">{choices(offers.bases)}</datalist>'
    kinds = [
        (name, recipe(name, say), say.sentences.get(f"training_recipe_{name}_about", "")) for name in offers.recipes
    ]
    parts = (
        f'<div class="columns">{_data(offers, say)}{line("base", say("training_base"), offers.base, hint=say("training_base_hint"), extra=_BASE)}{bases}</div>',
        radios("recipe", kinds, first, say("training_recipe")),
        f'<div class="columns">{line("epochs", say("training_epochs"), epochs, kind="number", hint=say("training_epochs_hint"), extra=_EPOCHS)}{line("minutes", say("training_cap"), kind="number", hint=say("training_cap_hint"), extra=WHOLE)}{line("name", say("training_name"), hint=say("training_name_hint"), extra=_NAME)}</div>',
        area("samples", say("training_samples"), offers.samples, rows=3, hint=say("training_samples_hint"), extra='maxlength="20000"'),
        fold("advanced", say("training_advanced"), _advanced(given, say)),
        problem("form"),
        f'<div data-key="takes" class="takes" aria-live="polite">{_takes(work, say)}</div>',
    )  # fmt: skip
    return f"""<form class="fields block asked" data-do="start" data-part="form" data-key="form" data-recipes="{attr(json.dumps(offers.recipes))}" novalidate>
<h2>{escape(say("training_new"))}</h2>{"".join(parts)}</form>"""


_BASE = 'list="training-bases" maxlength="4000" spellcheck="false"'
_NAME = 'maxlength="80" spellcheck="false"'
_EPOCHS = 'min="1" max="1000" step="1" inputmode="numeric"'


def _data(offers: Offers, say: Words) -> str:
    groups = ""
    for one, versions in offers.datasets:
        options = [(f"{one.id}:{each.number}", f"{one.name} · {sides(each, say)}") for each in versions]
        if one.approved:
            options.append((f"{one.id}:0", f"{one.name} · {counted(say, 'training_now', one.approved)}"))
        groups += f'<optgroup label="{attr(one.name)}">{choices(options, offers.chosen)}</optgroup>'
    return f"""<label class="field"><span>{escape(say("training_data"))}</span><select class="input" data-field="data">{groups}</select><small>{escape(say("training_data_hint"))}</small></label>"""


def sides(version: Version, say: Words) -> str:
    split = version.card.get("split", {})
    train, held = (say.number(int(split.get(side, 0))) for side in ("train", "validation"))
    return say("training_version", version=version.number, train=train, validation=held)


def _advanced(given: Mapping[str, Any], say: Words) -> str:
    rate = f"{given.get('learning_rate', 5e-4):g}"
    fields = (
        line("learning_rate", say("training_rate"), rate, hint=say("training_rate_hint"), extra='inputmode="decimal"'),
        line("batch", say("training_batch"), given.get("batch", 8), kind="number", hint=say("training_batch_hint"), extra=WHOLE),
        line("max_steps", say("training_max_steps"), kind="number", hint=say("training_max_steps_hint"), extra=WHOLE),
        line("max_length", say("training_max_length"), given.get("max_length", 1024), kind="number", hint=say("training_max_length_hint"), extra='min="8" inputmode="numeric"'),
        line("every", say("training_every"), 20, kind="number", hint=say("training_every_hint"), extra=WHOLE),
        select("learn", say("training_learn"), [(one, say(f"training_learn_{one}")) for one in ("answers", "all")], "answers"),
        line("seed", say("training_seed"), 7, kind="number", hint=say("training_seed_hint"), extra='min="0" inputmode="numeric"'),
        line("teacher", say("training_teacher"), hint=say("training_teacher_hint"), extra=_BASE),
    )  # fmt: skip
    return f'<div class="columns">{"".join(fields)}</div>'


# ── what it takes ────────────────────────────────────────────────────────────────────────────────────────────────────


def _takes(work: Job | None, say: Words) -> str:
    """The estimate, as far as it is; a job can be started at any time."""
    if work is not None and work.running:
        counted = work.row.get("what") == "count" and work.row.get("done")
        doing = say("training_counting", n=say.number(work.row["done"])) if counted else say("training_estimating")
        progress = f'<progress aria-label="{attr(doing)}"></progress>'
        halt = button("halt", say("training_halt"), "close", kind="quiet", job=work.id)
        return f"""{progress}<small>{escape(doing)}</small><div class="row">{_start(say("training_start"), "primary")}{halt}</div>"""
    ask = button("estimate", say("training_estimate"), "spark", kind="quiet")
    if work is None or work.state == "stopped":
        about = "" if work is None else f"<small>{escape(say('training_estimate_about'))}</small>"
        return f'{about}<div class="row">{_start(say("training_start"), "primary")}{ask if work else ""}</div>'
    given = attr(json.dumps(work.about.get("form", {})))
    if work.state == "failed":
        said = work.failure.said(say.language) if work.failure else say("went_wrong")
        return f'<div data-part="estimate" data-of="{given}"><p class="state bad fresh">{escape(said)}</p></div><div class="row">{_start(say("training_start"), "primary")}{ask}</div>'
    timed = say("training_start_takes", time=lasts(work.row.get("seconds"), say))
    label = timed if work.row.get("seconds") is not None else say("training_start")
    return f"""<div class="estimate" data-part="estimate" data-of="{given}"><h3>{escape(say("training_takes"))}</h3>{_estimated(work.row, say)}
<p class="state fair stale">{escape(say("training_stale"))}</p></div>
<div class="row"><span class="fresh">{_start(label, "primary")}</span><span class="stale">{_start(say("training_start"), "primary")}{ask}</span></div>"""


def _start(label: str, kind: str) -> str:
    return f'<button class="button {kind}">{escape(label)}</button>'


def short_of(row: Mapping[str, Any], say: Words) -> str:
    """Of an estimate: what this machine has too little of, in a sentence."""
    if row.get("problem"):
        return str(row["problem"])
    what = "disk" if row.get("enough_memory", True) else "memory"
    needed, free = (row.get(name) for name in (f"{what}_bytes", f"{what}_free"))
    return say(f"training_short_{what}", needed=memory(needed, say), free=memory(free, say))


def _estimated(row: Mapping[str, Any], say: Words) -> str:
    def number(name: str) -> str:
        return say.number(row[name]) if row.get(name) is not None else "–"

    money = say("training_no_money") if not row.get("price") else f"{say.number(row['price'], 2)} {row['currency']}"
    told = figures(
        [
            (lasts(row.get("seconds"), say), say("training_figure_time")),
            (memory(row.get("memory_bytes"), say), say("training_figure_memory")),
            (memory(row.get("disk_bytes"), say), say("training_figure_disk")),
            (money, say("training_figure_money")),
            (number("rows"), say("training_figure_rows")),
            (number("tokens"), say("training_figure_tokens")),
            (number("steps"), say("training_figure_steps")),
            (number("truncated"), say("training_figure_cut")),
        ]
    )
    warned = ""
    if not (row.get("enough_memory", True) and row.get("enough_disk", True)):
        warned = f'<p class="state bad">{escape(short_of(row, say))}</p>'
    return f'{told}{warned}<ul class="notes">{"".join(f"<li>{escape(note)}</li>" for note in _notes(row, say))}</ul>'


def _notes(row: Mapping[str, Any], say: Words) -> list[str]:
    notes = []
    if row.get("measured_steps"):
        speed = say.number(row["tokens_per_second"], 0) if row.get("tokens_per_second") else "–"
        how = "whole" if row.get("measured_rows", 0) >= row["batch"] else "part"
        told = {"steps": say.number(row["measured_steps"]), "rows": say.number(row["measured_rows"])}
        notes.append(say(f"training_measured_{how}", speed=speed, precision=row.get("precision", ""), **told))
    if row.get("capped"):
        notes.append(say("training_capped"))
    if row.get("empty"):
        notes.append(say("training_empty", n=say.number(row["empty"])))
    if row.get("rows") is not None and row["rows"] < FEW:
        notes.append(say("training_few", n=say.number(row["rows"])))
    if row.get("held") == 0:
        notes.append(say("training_none_held"))
    return notes
