"""In: a run. Out: the HTML of one job: how far, what it measured, what it answered, what can be done with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.evaluation.plots import Series, curves
from tuning.jobs import Job
from tuning.pages.datasets.views.pieces_view import attr, button, choices, line, section, when
from tuning.pages.training.views.frame_view import back
from tuning.pages.training.views.pieces_view import bar, decimal, figures, fold, lasts, memory, recipe, status
from tuning.pages.training.views.run import Run, Sample
from tuning.training.folder import Status

MEGA = 1e-6


@dataclass(frozen=True, slots=True)
class Around:
    """What else is known of it. `persona`: (number, name) it was published as, where that one is still there."""

    persona: tuple[int, str] | None = None
    others: Sequence[Job] = ()  # that it can be compared with
    against: int = 0
    below: str = ""  # the HTML of the comparison
    evaluation: str = ""  # HTML
    again: str = ""  # the command that makes the same run anew


def head(job: Job, say: Words) -> str:
    of = f"{job.dataset} · {recipe(str(job.settings.get('recipe') or job.method), say)} · {job.base}"
    return f"""<header class="page-head"><button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div>{back(say)}<h1 tabindex="-1">{escape(job.name)}</h1><p class="tags" role="status">{status(job.state, say)}<small>{escape(of)} · {when(job.created_at)}</small></p></div></header>"""


def body(run: Run, around: Around, measured: Mapping[str, float], say: Words) -> str:
    """`measured`: what publishing looks at."""
    job = run.job
    parts = (
        _now(run, say),
        plots(run, say),
        _answers(run, say),
        around.evaluation,
        _publish(job, around, measured, say) if job.ended_well else "",
        _compare(around, say),
        section(say("training_repeat"), _commands(job, around.again, say), key="repeat"),
        fold("settings", say("training_settings"), settings(job.settings, say)),
        fold("log", say("training_log"), f'<pre class="log" tabindex="0">{escape(run.log) or "–"}</pre>'),
    )
    return f'<div data-key="job-{job.id}" class="stack">{"".join(parts)}</div>'


# ── how far ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _now(run: Run, say: Words) -> str:
    job, state = run.job, run.job.state
    reason = state.said(say.language)
    kind = {Status.FAILED: "bad", Status.STOPPED: "fair"}.get(state.status, "")
    told = f'<p class="state {kind}">{escape(reason)}</p>' if reason else ""
    if job.settings.get("time_cap") and not state.status.over:
        told += f'<p class="muted">{escape(say("training_ends", time=lasts(float(job.settings["time_cap"]), say)))}</p>'
    if state.status is Status.QUEUED:
        told += f'<p class="muted">{escape(say("training_waits"))}</p>'
    numbers = [
        (decimal(run.last("loss"), say), say("training_figure_loss")),
        (decimal(state.best_loss, say), say("training_figure_best")),
        ("–" if (rate := run.last("learning_rate")) is None else f"{rate:.2g}", say("training_rate").lower()),
        (decimal(run.last("tokens_per_second"), say, 0), say("training_figure_speed")),
        (memory(run.last("memory_bytes"), say), say("training_figure_memory")),
        (lasts(state.seconds or None, say), say("training_figure_took")),
    ]
    return f"""<section class="block now" data-key="now">{bar(job, say)}{told}{figures(numbers)}<div class="row">{_acts(job, say)}</div></section>"""


def _acts(job: Job, say: Words) -> str:
    status, number = job.state.status, job.id
    acts = ""
    if not status.over:
        acts += button("cancel", say("training_cancel"), "stop", title=say("training_cancel_hint"), job=number)
    if job.ended_well:
        acts += button("jump", say("training_eval_start"), "left", kind="jump", to="evaluation")
        acts += button("jump", say("training_publish"), "left", kind="jump", to="publish")
    if status in (Status.STOPPED, Status.FAILED):
        label = say("training_resume")
        if job.time_up:
            label = say("training_resume_for", time=lasts(float(job.settings["time_cap"]), say))
        acts += button("resume", label, "retry", kind="primary", job=number)
    if status.over or status is Status.QUEUED:
        acts += button("remove", say("training_remove"), "trash", kind="quiet danger", job=number, name=job.name)
    return acts


# ── what it measured ─────────────────────────────────────────────────────────────────────────────────────────────────


def plots(run: Run, say: Words) -> str:
    step, language = say("training_axis_step"), say.language
    loss = curves(
        say("training_plot_loss"),
        [Series(say("training_learned"), run.points("loss")), Series(say("training_held"), run.points("eval_loss"))],
        across=step,
        up=say("training_axis_loss"),
        language=language,
    )
    small = "".join(
        f'<figure class="plot-box">{curves(say(title), [Series(say(title), run.points(name, times))], across=step, language=language)}</figure>'
        for title, name, times in (
            ("training_plot_rate", "learning_rate", 1.0),
            ("training_plot_speed", "tokens_per_second", 1.0),
            ("training_plot_memory", "memory_bytes", MEGA),
        )
    )
    return f'<section class="block" data-key="plots"><h2>{escape(say("training_plots"))}</h2><figure class="plot-box large">{loss}</figure><div class="plots">{small}</div></section>'


def _answers(run: Run, say: Words) -> str:
    answers = run.answers
    if not answers:
        return ""
    (first, before), (last, after) = answers[0], answers[-1]
    known = {(one["prompt"], one["system"]): one["text"] for one in before}
    rows = "".join(_pair(one, known.get((one["prompt"], one["system"]), ""), first, last, say) for one in after)
    between = "".join(_at(step, found, say) for step, found in answers)
    more = (
        fold("as-it-went", say("training_as_it_went"), f'<ol class="went">{between}</ol>') if len(answers) > 2 else ""
    )
    return section(
        say("training_answers"),
        f'<ul class="pairs">{rows}</ul>{more}',
        about=say("training_answers_about"),
        key="answers",
    )


def _pair(one: Sample, before: str, first: int, last: int, say: Words) -> str:
    now = _said(say("training_at_step", step=say.number(last)), one["text"]) if last != first else ""
    return f"""<li><strong>{escape(one["prompt"])}</strong><div class="sides">{_said(say("training_at_step", step=say.number(first)) if first else say("training_before"), before)}{now}</div></li>"""


def _said(label: str, text: str) -> str:
    return f"<div><small>{escape(label)}</small><p>{escape(text.strip()) or '…'}</p></div>"


def _at(step: int, found: Sequence[Sample], say: Words) -> str:
    said = "".join(f"<p><small>{escape(one['prompt'])}</small> {escape(one['text'].strip())}</p>" for one in found)
    return f"<li><strong>{escape(say('training_at_step', step=say.number(step)))}</strong>{said}</li>"


# ── what can be done with it ─────────────────────────────────────────────────────────────────────────────────────────


def _publish(job: Job, around: Around, measured: Mapping[str, float], say: Words) -> str:
    gained = ""
    if "loss_before" in measured and "loss_after" in measured:
        before, after = measured["loss_before"], measured["loss_after"]
        kind = "good" if after < before else "bad"
        told = say(f"training_gain_{kind}", before=say.number(before, 3), after=say.number(after, 3))
        gained = f'<p class="state {kind}">{escape(told)}</p>'
    chat = ""
    if around.persona is not None:
        number, name = around.persona
        chat = f"""<div class="row published"><p>{icon("check")} {escape(say("training_published_as", name=name))}</p>
{button("chat", say("training_chat", name=name), "chat", kind="primary", persona=number)}</div>"""
    name = around.persona[1] if around.persona else ""
    form = f"""<form class="row publish" data-do="publish" data-part="publish" data-job="{job.id}">{line("persona", say("training_persona"), name, extra='maxlength="60" required spellcheck="false"')}
<button class="button {"" if chat else "primary"}">{escape(say("training_publish"))}</button><small>{escape(say("training_persona_hint"))}</small></form>"""
    return section(
        say("training_publish_title"), gained + chat + form, about=say("training_publish_about"), key="publish"
    )


def _compare(around: Around, say: Words) -> str:
    if not around.others:
        return ""
    options = [("", say("training_compare_none")), *((str(one.id), f"{one.name} (#{one.id})") for one in around.others)]
    chosen = str(around.against) if around.against else ""
    pick = f"""<label class="field"><span>{escape(say("training_compare_with"))}</span><select class="input" data-part="against">{choices(options, chosen)}</select></label>"""
    return section(say("training_compare"), pick + around.below, key="compare")


def _commands(job: Job, again: str, say: Words) -> str:
    told = [("training_repeat_about", again), ("training_repeat_on", job.command)]
    return "".join(
        f"""<div class="command"><p><small>{escape(say(about))}</small><code tabindex="0">{escape(command)}</code></p>{button("copy", say("training_copy"), "copy", text=command)}</div>"""
        for about, command in told
        if command and (job.state.status is not Status.DONE or about != "training_repeat_on")
    )


def settings(given: Mapping[str, object], say: Words) -> str:
    shown = "".join(
        f"<div><dt><code>{escape(name)}</code></dt><dd>{escape(as_text(value))}</dd></div>"
        for name, value in sorted(given.items())
        if name not in ("weights", "format", "samples")
    )
    return f'<dl class="facts">{shown}</dl>'


def as_text(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {as_text(one)}" for name, one in value.items()) or "–"
    if isinstance(value, list | tuple):
        return ", ".join(map(as_text, value)) or "–"
    return "–" if value in (None, "") else f"{value:g}" if isinstance(value, float) else str(value)
