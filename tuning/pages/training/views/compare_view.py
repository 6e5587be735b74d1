"""In: two runs. Out: the HTML of both side by side: curves in one plot, what differs, what each answers. Pure."""

from __future__ import annotations

from html import escape

from knowledge.pages.wording import Words
from tuning.evaluation.plots import Series, curves
from tuning.pages.training.views.job_view import as_text
from tuning.pages.training.views.pieces_view import decimal, lasts
from tuning.pages.training.views.run import Run, Sample

QUIET = ("weights", "format", "samples", "recipe")  # settings that decide nothing, or are told elsewhere


def compare(one: Run, other: Run, say: Words) -> str:
    plot = curves(
        say("training_plot_both"),
        [
            Series(f"{_name(run)} · {say(title)}", run.points(name))
            for run in (one, other)
            for title, name in (("training_learned", "loss"), ("training_held", "eval_loss"))
        ],
        across=say("training_axis_step"),
        up=say("training_axis_loss"),
        language=say.language,
    )
    return f"""<figure class="plot-box large">{plot}</figure>{_table(one, other, say)}{_answers(one, other, say)}"""


def differing(one: Run, other: Run) -> list[tuple[str, str, str]]:
    """(setting, here, there), parts of a setting apart: "lora.r"."""
    here, there = (_flat({"data": run.job.dataset, **run.job.settings}) for run in (one, other))
    names = sorted({*here, *there})
    return [
        (name, here.get(name, "–"), there.get(name, "–"))
        for name in names
        if here.get(name) != there.get(name) and name not in QUIET
    ]


def _flat(given: object, before: str = "") -> dict[str, str]:
    if not isinstance(given, dict):
        return {before: as_text(given)}
    found = dict[str, str]()
    for name, value in given.items():
        found |= _flat(value, f"{before}.{name}" if before else str(name))
    return found


def _name(run: Run) -> str:
    return f"{run.job.name} (#{run.job.id})"


def _table(one: Run, other: Run, say: Words) -> str:
    rows = [
        (say("training_figure_best"), *(decimal(run.job.state.best_loss, say) for run in (one, other))),
        (say("training_figure_loss"), *(decimal(run.last("loss"), say) for run in (one, other))),
        (say("training_figure_steps"), *(say.number(run.job.state.step) for run in (one, other))),
        (say("training_figure_took"), *(lasts(run.job.state.seconds or None, say) for run in (one, other))),
        (say("training_figure_speed"), *(decimal(run.last("tokens_per_second"), say, 0) for run in (one, other))),
    ]
    shown = "".join(_row(escape(label), here, there) for label, here, there in rows)
    settings = "".join(_row(f"<code>{escape(name)}</code>", here, there) for name, here, there in differing(one, other))
    between = f'<tr><th colspan="3" scope="rowgroup">{escape(say("training_differs" if settings else "training_differs_not"))}</th></tr>'
    head = f'<tr><td></td><th scope="col">{escape(_name(one))}</th><th scope="col">{escape(_name(other))}</th></tr>'
    return f'<div class="wide" tabindex="0"><table><thead>{head}</thead><tbody>{shown}{between}{settings}</tbody></table></div>'


def _row(label: str, here: str, there: str) -> str:
    return f'<tr><th scope="row">{label}</th><td>{escape(here)}</td><td>{escape(there)}</td></tr>'


def _answers(one: Run, other: Run, say: Words) -> str:
    """What both were asked."""
    here, there = (_last(run) for run in (one, other))
    rows = "".join(
        f"""<li><strong>{escape(prompt)}</strong><div class="sides"><div><small>{escape(_name(one))}</small><p>{escape(text.strip()) or "…"}</p></div>
<div><small>{escape(_name(other))}</small><p>{escape(there[prompt].strip()) or "…"}</p></div></div></li>"""
        for prompt, text in here.items()
        if prompt in there
    )
    return f'<ul class="pairs">{rows}</ul>' if rows else ""


def _last(run: Run) -> dict[str, str]:
    answers: list[Sample] = run.answers[-1][1] if run.answers else []
    return {sample["prompt"]: sample["text"] for sample in answers}
