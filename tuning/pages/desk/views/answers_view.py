"""In: an example with answers to compare or to score. Out: the HTML of them, side by side, the best first. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from knowledge.pages.icons import icon
from knowledge.pages.wording import Words
from tuning.pages.desk.views.turns_view import Found, attr, said, tools
from tuning.values import Answer, Example, Kind


def in_order(answers: Sequence[Answer]) -> list[int]:
    """The best first, as they stand side by side; those without a rank as they came."""
    return sorted(range(len(answers)), key=lambda number: answers[number].rank or len(answers) + 1)


def answers(one: Example, found: Sequence[Found], say: Words) -> str:
    if not one.answers:
        return ""
    order = in_order(one.answers)
    cards = "".join(_answer(one, number, key, found, say) for key, number in enumerate(order, 1))
    ranked = one.kind in (Kind.PREFERENCE, Kind.RANKING)
    hint = f'<p class="muted desk-hint">{escape(say(f"desk_hint_{one.kind}"))}</p>' if ranked else ""
    return f'{hint}<ol class="desk-answers" data-part="answers"{" data-ranked" if ranked else ""} aria-label="{attr(say("desk_answers"))}">{cards}</ol>'


def _answer(one: Example, number: int, key: int, found: Sequence[Found], say: Words) -> str:
    answer = one.answers[number]
    ranked = one.kind in (Kind.PREFERENCE, Kind.RANKING)
    head = f'<span class="desk-key" aria-hidden="true">{key}</span><span class="tag desk-rank" data-part="rank">{escape(_rank(one, answer, say))}</span>'
    moves = "".join(
        f'<button type="button" class="tool" tabindex="-1" data-do="{do}" data-answer="{number}" aria-label="{attr(say(f"desk_do_{do}"))}" title="{attr(say(f"desk_do_{do}"))}">{icon("chevron")}</button>'
        for do in ("rise", "fall")
    )
    grip = (
        f'<span class="desk-grip" data-grip aria-hidden="true" title="{attr(say("desk_drag"))}">{icon("grip")}</span>'
    )
    many = len(answer.turns)
    turns = "".join(
        f"""<section class="desk-turn" data-key="a{number}.{at}" data-stop data-place="answers.{number}.turns.{at}" data-role="{turn.role}" tabindex="0" role="group"
aria-label="{attr(say("desk_answer", n=key, rank=_rank(one, answer, say)))}"><header>{f"<b>{escape(say(f'desk_role_{turn.role}'))}</b>" if many > 1 else ""}
{tools(("edit", "take") if many > 1 else ("edit",), f"answers.{number}.turns.{at}", say)}</header>{said(turn, f"answers.{number}.turns.{at}", found, say)}</section>"""
        for at, turn in enumerate(answer.turns)
    )
    scores = _scores(answer, say) if one.kind is Kind.SCORE else ""
    return f"""<li class="desk-answer" data-key="answer{number}" data-answer="{number}" data-rank="{answer.rank}"><header>{f"{head}{moves}{grip}" if ranked else ""}</header>{turns}{scores}</li>"""


def _rank(one: Example, answer: Answer, say: Words) -> str:
    if one.kind is Kind.SCORE:
        return ""
    if not answer.rank:
        return say("desk_rank_none")
    if one.kind is Kind.PREFERENCE:
        return say("desk_chosen" if answer.rank == 1 else "desk_rejected")
    tied = sum(other.rank == answer.rank for other in one.answers) > 1
    return say("desk_rank_tie" if tied else "desk_rank", n=answer.rank, rank=answer.rank)


def _scores(answer: Answer, say: Words) -> str:
    shown: dict[str, float | None] = {**answer.scores} or {"like": None}
    rows = "".join(_score(name, value, say) for name, value in shown.items())
    return f"""<div class="desk-scores" data-part="scores">{rows}<form data-do="dimension" class="desk-line"><input class="input" name="dimension" maxlength="40" autocomplete="off"
placeholder="{attr(say("desk_dimension"))}" aria-label="{attr(say("desk_dimension"))}"></form></div>"""


def _score(name: str, value: float | None, say: Words) -> str:
    """0 to 1, or a Likert scale of 1 to 5 where the value lies above 1 or the person wants one."""
    likert = value is not None and value > 1
    label = say("desk_like_dimension") if name == "like" else name
    marks = "".join(
        f'<button type="button" class="desk-mark" data-do="mark" data-dimension="{attr(name)}" data-value="{mark}" data-on="{"likert" if mark > 1 else "both" if mark else "unit"}" '
        f'aria-pressed="{str(value is not None and value == mark).lower()}" aria-label="{attr(f"{label}: {mark}")}">{mark}</button>'
        for mark in range(6)
    )
    shown = "" if value is None else f"{value:g}"
    scale = attr(say("desk_scale"))
    return f"""<fieldset class="desk-score" data-key="score-{attr(name)}" data-stop data-place="score {attr(name)}" data-dimension="{attr(name)}" data-scale="{"likert" if likert else "unit"}" tabindex="0"
aria-label="{attr(say("desk_score", name=label, value=shown or "–"))}"><span class="desk-dimension">{escape(label)}</span><span class="desk-marks">{marks}</span>
<input class="input desk-value" inputmode="decimal" data-dimension="{attr(name)}" value="{attr(shown)}" maxlength="8" autocomplete="off" aria-label="{attr(label)}">
<button type="button" class="button quiet" data-do="scale" aria-label="{scale}" title="{scale}"><span data-scale-name="unit">0–1</span><span data-scale-name="likert">1–5</span><kbd>l</kbd></button>
<button type="button" class="tool" tabindex="-1" data-do="unscore" data-dimension="{attr(name)}" aria-label="{attr(say("desk_unscore", name=label))}" title="{attr(say("desk_unscore", name=label))}">{icon("close")}</button></fieldset>"""
