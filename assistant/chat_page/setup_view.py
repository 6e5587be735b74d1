"""In: who answers in a chat, with what. Out: the HTML to see it and to change it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from assistant.chat_page.cast import AFINA, Cast, Face, portrait
from assistant.chat_page.company import Offered, SetUp
from assistant.models.inference import MAX_TOKENS, Inference
from knowledge.pages.documents_view import attr
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words


@dataclass(frozen=True, slots=True)
class Number:
    """A field of the panel; the limits are Inference's."""

    name: str
    least: float
    most: float
    step: str


NUMBERS = (
    Number("max_tokens", 1, MAX_TOKENS, "1"),
    Number("temperature", 0, 2, "0.05"),
    Number("top_k", 1, 1000, "1"),
    Number("top_p", 0.01, 1, "0.01"),
    Number("seed", 0, 2**31 - 1, "1"),
)


def head(title: str, chosen: SetUp, model: str, say: Words, cast: Cast) -> str:
    """Above the thread: the chat's title, who answers, what it is set to."""
    face = cast.by_id(chosen.persona)
    name = face.name if face else AFINA
    label = say("speaker", name=name)
    people = [_person(None, AFINA, "", say("afina_about"), chosen.persona is None)]
    people += [_person(f.id, f.name, f.picture, f.greeting, f.id == chosen.persona) for f in cast.faces]
    said = settings_line(chosen.settings, say)
    tip = " · ".join(filter(None, (say("settings"), model, said)))
    return f"""<h1>{escape(title)}</h1><details class="route speaker" data-keep><summary title="{attr(label)}" aria-label="{attr(label)}">
{portrait(name, face.picture if face else "")}<b>{escape(name)}</b>{icon("chevron")}</summary>
<div class="menu" role="menu">{"".join(people)}<hr><button role="menuitem" data-do="view" data-view="personas">{icon("people")}<span>{escape(say("personas_edit"))}</span></button></div></details>
<button class="tool settings-button{" set" if chosen.model or said else ""}" data-do="settings" title="{attr(tip)}" aria-label="{attr(tip)}">{icon("sliders")}</button>"""


def _person(id_: int | None, name: str, picture: str, about: str, here: bool) -> str:
    return (
        f'<button role="menuitemradio" aria-checked="{str(here).lower()}" data-do="speaker" data-persona="{id_ or ""}">'
        f'{portrait(name, picture)}<span class="person"><b>{escape(name)}</b><small>{escape(about)}</small></span>'
        f"{icon('check') if here else ''}</button>"
    )


def greeting(face: Face, examples: str, say: Words) -> str:
    """An empty chat with a persona: who it is and what it says first."""
    return (
        f'<div class="empty" data-key="empty-{face.id}"><span class="portrait">{portrait(face.name, face.picture)}</span>'
        f"<h2>{escape(face.name)}</h2><p class='greeting'>{escape(face.greeting or say('greeting'))}</p>{examples}</div>"
    )


def settings_line(settings: Inference | Mapping[str, Any], say: Words) -> str:
    """What is said of the settings, in one line: "temperature 0.2 · seed 7"."""
    given = settings.model_dump(exclude_defaults=True) if isinstance(settings, Inference) else settings
    parts = [
        f"{say(f'setting_{name}')} {value(given[name], say)}"
        for name in Inference.model_fields
        if given.get(name) not in (None, (), [])
    ]
    return " · ".join(parts)


def value(given: Any, say: Words) -> str:
    if isinstance(given, list | tuple):
        return ", ".join(f"“{one}”" for one in given)
    if isinstance(given, float):
        return say.number(given, 2).rstrip("0").rstrip(",.")
    return str(given)


def panel(
    chosen: SetUp,
    below: Inference,
    model: str,
    offered: Sequence[Offered],
    takes: Mapping[str, str],
    allowed: Sequence[tuple[str, str]],
    say: Words,
) -> str:
    """The dialog. `below`: what holds where the chat says nothing; `allowed`: (tool, title) asked about no more."""
    names = [one.name for one in offered]
    mine = [*offered, *([Offered(chosen.model, chosen.model)] if chosen.model and chosen.model not in names else [])]
    models = f'<option value="">{escape(say("model_usual"))}</option>' + "".join(
        f'<option value="{attr(one.name)}"{" selected" if one.name == chosen.model else ""}>{escape(one.title or one.name)}</option>'
        for one in mine
    )
    fields = "".join(_number(field, chosen.settings, below, takes, say) for field in NUMBERS)
    return f"""<form class="settings" data-do="settings-save"><header><h2>{escape(say("settings"))}</h2>
<button type="button" class="tool" data-do="settings-close" title="{attr(say("close"))}" aria-label="{attr(say("close"))}">{icon("close")}</button></header>
<div class="fields"><label class="field"><span>{escape(say("model"))}</span><select class="input" name="model" data-change="settings-model">{models}</select>
<small>{escape(say("model_now", model=model))}</small></label>
{_manner(chosen.settings, below, takes, say)}<div class="numbers">{fields}</div>{_stop(chosen.settings, below, takes, say)}{_allowed(allowed, say)}</div>
<div class="dialog-row"><button type="button" class="button" data-do="settings-reset">{escape(say("settings_reset"))}</button><span class="grow"></span>
<button class="button" name="scope" value="next">{escape(say("settings_next"))}</button>
<button class="button primary" name="scope" value="chat">{escape(say("settings_chat"))}</button></div></form>"""


def _manner(settings: Inference, below: Inference, takes: Mapping[str, str], say: Words) -> str:
    """Greedy, sampling, or as the next one says."""
    here = "usual" if settings.temperature is None else "greedy" if settings.temperature == 0 else "sampling"
    why = takes.get("temperature", "")
    chips = "".join(
        f'<label class="choice"><input type="radio" name="manner" value="{name}"{" checked" if name == here else ""}'
        f"{' disabled' if why else ''}><span>{escape(say(f'manner_{name}'))}</span></label>"
        for name in ("usual", "greedy", "sampling")
    )
    return (
        f'<fieldset class="field"><legend>{escape(say("manner"))}</legend><div class="choices">{chips}</div></fieldset>'
    )


def _number(field: Number, settings: Inference, below: Inference, takes: Mapping[str, str], say: Words) -> str:
    given, usual, why = getattr(settings, field.name), getattr(below, field.name), takes.get(field.name, "")
    about = why or say(f"setting_{field.name}_about")
    return (
        f'<label class="field{" refused" if why else ""}"><span>{escape(say(f"setting_{field.name}").capitalize())}</span>'
        f'<input class="input" type="number" name="{field.name}" min="{field.least:g}" max="{int(field.most) if field.most > 1 else field.most}" step="{field.step}" '
        f'inputmode="decimal" value="{"" if given is None else given}" placeholder="{attr(value(usual, say) if usual is not None else say("usual"))}"'
        f"{' disabled' if why else ''}><small>{escape(about)}</small></label>"
    )


def _stop(settings: Inference, below: Inference, takes: Mapping[str, str], say: Words) -> str:
    why = takes.get("stop", "")
    return (
        f'<label class="field{" refused" if why else ""}"><span>{escape(say("setting_stop").capitalize())}</span><textarea class="input" name="stop" '
        f'rows="2" maxlength="260" placeholder="{attr(value(below.stop, say) or say("usual"))}"{" disabled" if why else ""}>'
        f"{escape(chr(10).join(settings.stop))}</textarea><small>{escape(why or say('setting_stop_about'))}</small></label>"
    )


def _allowed(allowed: Sequence[tuple[str, str]], say: Words) -> str:
    if not allowed:
        return ""
    rows = "".join(
        f'<li><span>{escape(title)}</span><button type="button" class="button" data-do="withdraw" data-tool="{attr(tool)}">{escape(say("withdraw"))}</button></li>'
        for tool, title in allowed
    )
    return f'<div class="field"><span>{escape(say("allowed"))}</span><ul class="allowed">{rows}</ul><small>{escape(say("allowed_about"))}</small></div>'
