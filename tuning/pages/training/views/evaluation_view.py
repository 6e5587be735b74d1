"""In: what an evaluation came to, or how far it is. Out: its HTML: verdicts, intervals, plots, answers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from knowledge.pages.wording import Words
from tuning.evaluation.metrics import metric as metric_named
from tuning.evaluation.plots import Bar, Change, bars, scatter
from tuning.jobs.evaluating import PARTS, Plan
from tuning.pages.datasets.views.pieces_view import attr, button, check, choices, line, section, select
from tuning.pages.training.views.pieces_view import fold, lasts, link
from tuning.pages.work import Job as Working

Row = Mapping[str, Any]
OFFERED = (
    "rouge1",
    "rouge2",
    "rougeL",
    "chrf",
    "bleu",
    "exact",
    "normalised",
    "contained",
    "choice",
    "language",
    "json",
)
A_PAGE = 10  # answers
FEW = 2  # answers of a side, where it learned
_KINDS = {"better": "good", "worse": "bad", "same": "", "unclear": ""}
_VERDICTS = {"learned": "good", "kept": "good", "harmed": "bad", "forgot": "bad"}


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is known. `work`: the newest in this app; `broken`: the plan of one that did not end."""

    number: int  # the job's
    report: Row | None = None
    work: Working | None = None
    broken: Plan | None = None
    judges: Sequence[tuple[str, str]] = ()  # (name, title)
    part: str = ""  # whose answers are shown
    by: str = ""  # the metric that sorts them
    page: int = 0


def evaluation(of: Evaluated, say: Words) -> str:
    work = of.work
    if work is not None and work.running:
        body = _running(work, say)
    elif of.report is None:
        body = _failed(of, say) + (_go_on(of, say) if of.broken else "") + _form(of, Plan(), say)
    else:
        plan = Plan.model_validate(of.report["plan"])
        again = fold("evaluate-again", say("training_eval_again"), _form(of, plan, say))
        body = _failed(of, say) + (_go_on(of, say) if of.broken else "") + _results(of, of.report, say) + again
    return section(say("training_eval"), body, about=say("training_eval_about"), key="evaluation")


# ── before, and as it goes ───────────────────────────────────────────────────────────────────────────────────────────


def _form(of: Evaluated, plan: Plan, say: Words) -> str:
    boxes = "".join(
        f'<label class="check"><input type="checkbox" data-metric="{name}"{" checked" if name in plan.metrics else ""}><span>{escape(metric_named(name).title(say.language))}</span></label>'
        for name in OFFERED
    )
    checks = ", ".join(name for name in plan.metrics if name not in OFFERED)
    judge = ""
    if of.judges:
        options = [("", say("training_eval_no_judge")), *of.judges]
        judge = select("judge", say("training_eval_judge"), options, plan.judge, hint=say("training_eval_judge_hint"))
    numbers = (
        line("most", say("training_eval_most"), plan.most, kind="number", hint=say("training_eval_most_hint"), extra='min="1" max="10000" inputmode="numeric"'),
        line("tokens", say("training_eval_tokens"), plan.tokens, kind="number", hint=say("training_eval_tokens_hint"), extra='min="1" max="4000" inputmode="numeric"'),
        line("checks", say("training_eval_checks"), checks, hint=say("training_eval_checks_hint"), extra='maxlength="400" spellcheck="false"'),
        judge,
    )  # fmt: skip
    parts = check("trained", say("training_eval_trained"), "trained" in plan.parts) + check(
        "general", say("training_eval_general"), "general" in plan.parts
    )
    kind = "" if of.report else "primary"
    return f"""<form class="fields" data-do="evaluate" data-part="evaluate" data-key="evaluate" data-job="{of.number}" novalidate>
<fieldset class="boxes"><legend>{escape(say("training_eval_metrics"))}</legend>{boxes}</fieldset>
<fieldset class="boxes wide-boxes"><legend>{escape(say("training_eval_beside"))}</legend>{parts}</fieldset>
<div class="columns">{"".join(numbers)}</div>
<div class="row"><button class="button {kind}">{escape(say("training_eval_start"))}</button></div></form>"""


def _running(work: Working, say: Words) -> str:
    row, share = work.row, work.share
    value = f' value="{share:.3f}"' if share is not None else ""
    told = [say("training_eval_starting")]
    if row.get("of"):
        told = [say("training_eval_so_far", done=say.number(row["done"]), of=say.number(row["of"]))]
        if row.get("side"):
            told.append(say(f"training_eval_{row['part']}") + ", " + say(f"training_eval_side_{row['side']}"))
        if row.get("seconds_left"):
            told.append(say("training_left", time=lasts(row["seconds_left"], say)))
    latest = ""
    if row.get("text"):
        latest = f'<p class="latest"><small>{escape(row.get("prompt", ""))}</small> {escape(row["text"])}</p>'
    halt = button("halt", say("training_halt"), "close", job=work.id)
    return f"""<progress max="1"{value} aria-label="{attr(say("training_eval_running"))}"></progress><small>{escape(" · ".join(told))}</small>{latest}
<div class="row">{halt}</div>"""


def _failed(of: Evaluated, say: Words) -> str:
    if of.work is None or of.work.state != "failed":
        return ""
    said = of.work.failure.said(say.language) if of.work.failure else say("went_wrong")
    return f'<p class="state bad" role="alert">{escape(said)}</p>'


def _go_on(of: Evaluated, say: Words) -> str:
    go = button("go-on", say("training_eval_go_on"), "retry", kind="primary", job=of.number)
    return f'<p class="state fair">{escape(say("training_eval_broken"))}</p><div class="row">{go}</div>'


# ── what it came to ──────────────────────────────────────────────────────────────────────────────────────────────────


def _results(of: Evaluated, report: Row, say: Words) -> str:
    parts = report["parts"]
    unseen = parts.get("unseen", {"metrics": [], "rows": []})
    told = _verdicts(report, say)
    drawn = f'<div class="judged"><figure class="plot-box">{_bars(unseen["metrics"], say)}</figure><figure class="plot-box">{_scatter(of, report, say)}</figure></div>'
    return "".join(
        (
            told,
            _table([*unseen["metrics"], *report.get("foreseen", [])], say),
            drawn,
            _learned(report, say),
            _forgotten(report, say),
            _answers(of, report, say),
        )
    )


def _verdicts(report: Row, say: Words) -> str:
    """Each in a sentence, the plainest first."""
    shown = ""
    for name in ("learning", "forgetting", "judge"):
        one = report.get(name)
        if one:
            kind = _VERDICTS.get(one.get("verdict", ""), "")
            shown += f'<p class="state {kind}">{escape(one[say.language])}</p>'
    return shown


def _table(told: Sequence[Row], say: Words) -> str:
    heads = "".join(
        f'<th scope="col">{escape(say(f"training_eval_column_{name}"))}</th>'
        for name in ("metric", "before", "after", "change", "verdict")
    )
    rows = "".join(_metric(one, say) for one in told)
    return f"""<div class="wide" tabindex="0"><table class="metrics"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>
<small class="muted">{escape(say("training_eval_sure"))}</small>"""


def _metric(one: Row, say: Words) -> str:
    share = one["share"]
    if not one["change"]["n"]:
        return f'<tr><th scope="row">{escape(one["title"][say.language])}</th><td colspan="4">{escape(one["said"][say.language])}</td></tr>'
    sides = [(_inside(one, side), False) for side in ("before", "after")]
    cells = "".join(
        f"<td>{escape(_value(part['value'], share, say, sign=sign))}<small>{escape(_ends(part, share, say, sign=sign))}</small></td>"
        for part, sign in (*sides, (one["change"], True))
    )
    verdict = one["verdict"]
    return f"""<tr><th scope="row">{escape(one["title"][say.language])}</th>{cells}
<td><span class="tag {_KINDS[verdict]}">{escape(say(f"training_eval_{verdict}"))}</span></td></tr>"""


def _value(value: float | None, share: bool, say: Words, *, sign: bool = False) -> str:
    if value is None:
        return "–"
    plus = "+" if sign and value > 0 else ""
    text = say.number(100 * value, 0) if share else say.number(value, 2)
    unit = "" if not share else " pp" if sign else "\u00a0%" if say.language == "es" else "%"
    return f"{plus}{text}{unit}".replace("-", "−")


def _ends(part: Row, share: bool, say: Words, *, sign: bool) -> str:
    if part["low"] is None or part["high"] is None:
        return ""
    low, high = (_value(part[end], share, say, sign=sign) for end in ("low", "high"))
    return say("training_eval_between", low=low, high=high)


def _inside(one: Row, side: str) -> Row:
    """An interval of what lies from 0 to 1, within that; a perplexity is 1 at least."""
    part = one[side]
    least, most = (1.0, float("inf")) if one["metric"] == "perplexity" else (0.0, 1.0)
    ends = {end: min(most, max(least, part[end])) for end in ("low", "high") if part[end] is not None}
    return {**part, **ends}


def _bars(told: Sequence[Row], say: Words) -> str:
    drawn = [
        Bar(f"{_plain(one, say)}, {say(f'training_eval_side_{side}')}" if not at else say(f"training_eval_side_{side}"), one[side]["value"], _inside(one, side)["low"], _inside(one, side)["high"], at)
        for one in told
        if one["change"]["n"]
        for at, side in enumerate(("before", "after"))
    ]  # fmt: skip
    return bars(say("training_eval_plot"), drawn, language=say.language)


def _plain(one: Row, say: Words) -> str:
    return str(one["title"][say.language]).split(",")[0]


def _scatter(of: Evaluated, report: Row, say: Words) -> str:
    part, by = _shown(of, report)
    rows = report["parts"][part]["rows"]
    both = [(*row["scores"][by], row["prompt"][:80]) for row in rows if None not in row["scores"][by]]
    drawn = [Change(before, after, prompt) for before, after, prompt in both]
    title = say("training_eval_plot_each", metric=metric_named(by).title(say.language))
    ends = {side: say(f"training_eval_side_{side}") for side in ("before", "after")}
    return scatter(title, drawn, language=say.language, **ends)


def _learned(report: Row, say: Words) -> str:
    """Prompts of the training beside unseen ones."""
    if not report.get("learning"):
        return ""
    sides = "".join(_side(name, report["parts"][name], say) for name in ("trained", "unseen"))
    return f'<h3>{escape(say("training_eval_learned"))}</h3><p class="muted">{escape(say("training_eval_learned_about"))}</p><div class="halves">{sides}</div>'


def _side(name: str, part: Row, say: Words) -> str:
    first = part["metrics"][0]
    moved = say(
        "training_eval_moved", metric=first["title"][say.language],
        before=_value(first["before"]["value"], first["share"], say), after=_value(first["after"]["value"], first["share"], say),
    )  # fmt: skip
    answers = "".join(_answer(row, say, change=False) for row in part["rows"][:FEW])
    return f"""<div><h4>{escape(say(f"training_eval_{name}"))}</h4><p>{escape(moved)} <span class="tag {_KINDS[first["verdict"]]}">{escape(say(f"training_eval_{first['verdict']}"))}</span></p>
<ul class="pairs">{answers}</ul></div>"""


def _forgotten(report: Row, say: Words) -> str:
    found = report.get("forgetting")
    if not found:
        return ""
    lost = [row for row in report["parts"]["general"]["rows"] if row["scores"]["contained"] == [1.0, 0.0]]
    shown = "".join(_answer(row, say, change=False) for row in lost[:A_PAGE])
    rest = fold("forgotten", say("training_eval_lost", n=say.number(len(lost))), f'<ul class="pairs">{shown}</ul>') if lost else ""  # fmt: skip
    return f'<h3>{escape(say("training_eval_forgetting"))}</h3><p class="state {_VERDICTS.get(found["verdict"], "")}">{escape(found[say.language])}</p>{rest}'


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _shown(of: Evaluated, report: Row) -> tuple[str, str]:
    """(part, metric) that the answers are of."""
    parts = report["parts"]
    part = of.part if of.part in parts else next(iter(parts))
    names = [one["metric"] for one in parts[part]["metrics"]]
    return part, of.by if of.by in names else names[0]


def _answers(of: Evaluated, report: Row, say: Words) -> str:
    part, by = _shown(of, report)
    told = report["parts"][part]
    rows = sorted(told["rows"], key=lambda row: -_change(row, by))
    pages = max(1, -(-len(rows) // A_PAGE))
    page = min(of.page, pages - 1)
    at = {"job": of.number, "by": of.by}
    tabs = "".join(
        link(f"{escape(say(f'training_eval_{name}'))} <small>{say.number(len(report['parts'][name]['rows']))}</small>", classes="pill on" if name == part else "pill", **{**at, "part": name})
        for name in PARTS
        if name in report["parts"]
    )  # fmt: skip
    sort = f"""<label class="field by"><span>{escape(say("training_eval_by"))}</span><select class="input" data-part="by">{choices([(one["metric"], one["title"][say.language]) for one in told["metrics"]], by)}</select></label>"""
    shown = "".join(
        _answer({**row, "change": _change(row, by)}, say) for row in rows[page * A_PAGE : (page + 1) * A_PAGE]
    )
    body = f"""<div class="row"><nav class="pills" aria-label="{attr(say("training_eval_each"))}">{tabs}</nav>{sort}</div><ol class="pairs" start="{page * A_PAGE + 1}">{shown}</ol>{_pages(page, pages, {**at, "part": part}, say)}"""
    return f'<h3 id="answers">{escape(say("training_eval_each"))}</h3>{body}'


def _change(row: Row, by: str) -> float:
    before, after = row["scores"][by]
    return float("-inf") if before is None or after is None else float(after - before)


def _answer(row: Row, say: Words, change: bool = True) -> str:
    moved = ""
    if change and row["change"] != float("-inf"):
        value = row["change"]
        kind = "good" if value > 0 else "bad" if value < 0 else ""
        moved = f'<span class="tag {kind}">{escape(_value(value, False, say, sign=True))}</span>'
    texts = [(name, row[name]) for name in ("reference", "before", "after") if name != "reference" or row[name]]
    sides = "".join(
        f"<div><small>{escape(say(f'training_eval_side_{name}'))}</small><p>{escape(text.strip()) or '…'}</p></div>"
        for name, text in texts
    )
    return f'<li><div class="asked-for"><strong>{escape(row["prompt"])}</strong>{moved}</div><div class="sides">{sides}</div></li>'


def _pages(page: int, pages: int, at: Mapping[str, object], say: Words) -> str:
    if pages == 1:
        return ""
    before = link(escape(say("training_eval_previous")), classes="button", **{**at, "page": page - 1}) if page else ""
    after = link(escape(say("training_eval_next")), classes="button", **{**at, "page": page + 1}) if page + 1 < pages else ""  # fmt: skip
    where = say("training_eval_page", page=say.number(page + 1), pages=say.number(pages))
    return f'<nav class="row pager" aria-label="{attr(where)}">{before}<small>{escape(where)}</small>{after}</nav>'
