"""In: personas, what may be chosen. Out: the HTML of the personas page: cards, and the form of one. Pure.

A field of the form is an element with data-field="settings.temperature" and data-kind, which says how personas.js reads
it: text, number, lines, yes, choice (all or only some). Whatever a person or a file wrote is escaped here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from assistant.models.inference import Inference
from assistant.personas import Example, Lineage, Persona, Stored
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

_VOICE = 150  # characters of a voice on its card
SETTINGS = {"max_tokens": "1", "temperature": "0.05", "top_k": "1", "top_p": "0.05", "seed": "1"}  # → step


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose from, by its value in the card."""

    value: str
    title: str


@dataclass(frozen=True, slots=True)
class Offers:
    """What there is on this machine."""

    models: Sequence[Option]
    tools: Sequence[Option]
    documents: Sequence[Option]  # sha256, title


def attr(text: object) -> str:
    return escape(str(text), quote=True)


def shell(say: Words) -> str:
    return f"""<div class="page-inner personas"><header class="page-head">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(say("page_personas"))}</h1><p class="muted">{escape(say("personas_about"))}</p></div>
<div class="card-tools" data-part="heads"><button class="button" data-do="pick">{icon("file")}<span>{escape(say("personas_import"))}</span></button>
<button class="button primary" data-do="open" data-persona="0">{icon("plus")}<span>{escape(say("personas_new"))}</span></button></div></header>
<input type="file" hidden accept=".json,application/json" data-part="file" aria-label="{attr(say("personas_import"))}">
<input type="file" hidden accept="image/png,image/jpeg,image/webp,image/gif" data-part="picture" aria-label="{attr(say("personas_picture"))}">
<div data-region="list"></div><div data-region="form"></div></div>"""


def listing(personas: Sequence[Stored], missing: Mapping[int, Sequence[str]], say: Words) -> str:
    if not personas:
        return (
            f'<div class="drop-hint">{icon("people")}<h2>{escape(say("personas_none"))}</h2>'
            f"<p>{escape(say('personas_none_about'))}</p></div>"
        )
    return f'<ul class="persona-cards">{"".join(card(one, missing.get(one.id, ()), say) for one in personas)}</ul>'


def card(one: Stored, missing: Sequence[str], say: Words) -> str:
    persona, n = one.persona, one.id
    voice = " ".join(persona.voice.split())
    voice = voice if len(voice) <= _VOICE else f"{voice[:_VOICE].rsplit(' ', 1)[0]} …"
    warned = "".join(f'<p class="state fair">{escape(sentence)}</p>' for sentence in missing)
    tools = "".join(
        f'<button class="tool" data-do="{do}" data-persona="{n}" data-name="{attr(one.name)}" '
        f'aria-label="{attr(say(key, name=one.name))}" title="{attr(say(key, name=one.name))}">{icon(picture)}</button>'
        for do, key, picture in (
            ("open", "personas_change", "edit"),
            ("duplicate", "personas_duplicate", "copy"),
            ("export", "personas_export", "arrow_down"),
            ("remove", "personas_remove", "trash"),
        )
    )
    return f"""<li class="persona-card" data-key="p{n}" data-persona="{n}"><div class="persona-top">{portrait(persona.picture, persona.name)}
<div class="card-words"><strong>{escape(one.name)}</strong><small>@{escape(one.handle)}</small></div></div>
<p class="persona-voice">{escape(voice) or f'<span class="muted">{escape(say("personas_no_voice"))}</span>'}</p>
<div class="tags">{"".join(_tags(persona, say))}</div>{warned}
<div class="persona-foot"><button class="button" data-do="chat" data-persona="{n}">{icon("chat")}<span>{escape(say("personas_chat"))}</span></button>
<div class="card-tools">{tools}</div></div></li>"""


def _tags(persona: Persona, say: Words) -> Iterator[str]:
    yield f'<span class="tag">{escape(persona.model or say("personas_own_model"))}</span>'
    if persona.facts:
        yield f'<span class="tag good" title="{attr(say("personas_facts_about"))}">{escape(say("personas_facts_tag"))}</span>'
    if persona.lineage:
        known = say("personas_tuned" if persona.lineage.origin == "tuned" else "personas_imported")
        yield f'<span class="tag good" title="{attr(lineage(persona.lineage, say))}">{escape(known)}</span>'
        for doubt in persona.lineage.although:
            yield f'<span class="tag doubt">{escape(say(f"personas_although_{doubt}"))}</span>'
    elif persona.adapter:
        yield f'<span class="tag" title="{attr(persona.adapter)}">{escape(say("personas_adapter_tag"))}</span>'
    if persona.language:
        yield f'<span class="tag">{escape(say(f"personas_language_{persona.language}"))}</span>'


def lineage(from_: Lineage, say: Words) -> str:
    """One line: what it was tuned from, with what, how well."""
    parts = [
        say(f"personas_lineage_{name}", value=value)
        for name in ("source", "dataset", "base", "method", "job", "trained_at")
        if (value := getattr(from_, name))
    ]
    parts += [f"{metric} {say.number(value, 3)}" for metric, value in from_.evaluation.items()]
    parts += [say(f"personas_although_{doubt}") for doubt in from_.although]
    return " · ".join(parts)


def portrait(picture: str, name: str) -> str:
    """A data URI (the card's own check lets no other address in), an emoji, or the name's first letter."""
    if picture.startswith("data:"):
        return f'<span class="persona-face"><img src="{attr(picture)}" alt=""></span>'
    return f'<span class="persona-face" aria-hidden="true">{escape(picture or name[:1] or "?")}</span>'


# ── the form ─────────────────────────────────────────────────────────────────────────────────────────────────────


def form(id_: int, persona: Persona | None, offers: Offers, takes: Mapping[str, str], say: Words) -> str:
    """`id_` 0 and no persona: a new one. `takes`: setting → why its model does not take it, or ""."""
    values = persona or Persona(name="x")
    name = persona.name if persona else ""
    title = say("personas_change", name=name) if persona else say("personas_new")
    return f"""<form class="persona-form" data-key="form{id_}" data-do="save" data-persona="{id_}" novalidate>
<div class="page-head"><h2>{escape(title)}</h2></div>
<p class="state bad" data-problem="" hidden></p>
{_looks(values, name, say)}
{_area("voice", values.voice, say, rows=5, limit=8000)}
{_examples(values.examples, say)}
{_area("greeting", values.greeting, say, rows=2, limit=1000)}
{_area("remarks", chr(10).join(values.remarks), say, rows=3, kind="lines")}
<div class="columns">{_select("language", values.language, _languages(say), say)}{_model(values.model, offers, say)}</div>
{_switch("facts", values.facts, say)}
{_settings(values.settings, takes, say)}
{_chosen("tools", None if values.tools is None else [Option(t, t) for t in values.tools], offers.tools, say)}
{_chosen("collection", None if values.collection is None else [Option(s.sha256, s.title or s.sha256[:8]) for s in values.collection], offers.documents, say)}
{_tuning(values, say)}
<fieldset class="try"><legend>{escape(say("personas_try"))}</legend><div class="try-row"><input class="input" data-part="question" maxlength="2000"
aria-label="{attr(say("personas_try"))}" placeholder="{attr(say("personas_try_hint"))}"><button type="button" class="button" data-do="try">{escape(say("personas_try_do"))}</button></div>
<p class="said" data-part="said" aria-live="polite" hidden></p></fieldset>
<div class="form-foot"><button type="button" class="button" data-do="cancel">{escape(say("cancel"))}</button>
<button class="button primary">{escape(say("personas_save"))}</button></div></form>"""


def _looks(values: Persona, name: str, say: Words) -> str:
    emoji = "" if values.picture.startswith("data:") else values.picture
    return f"""<div class="looks"><div data-part="portrait">{portrait(values.picture, name)}</div><div class="fields">
{_line("name", name, say, 'maxlength="40" autocomplete="off" required')}
<div class="field"><label for="persona-emoji">{escape(say("personas_picture"))}</label><div class="try-row">
<input id="persona-emoji" class="input emoji" maxlength="16" value="{attr(emoji)}" data-part="emoji" autocomplete="off">
<button type="button" class="button" data-do="choose">{escape(say("personas_upload"))}</button></div>
<input type="hidden" data-field="picture" data-kind="text" value="{attr(values.picture)}"><small>{escape(say("personas_picture_hint"))}</small>{_problem("picture")}</div></div></div>"""


def _problem(field: str) -> str:
    return f'<small class="state bad" data-problem="{field}" id="problem-{field.replace(".", "-")}" hidden></small>'


def _line(field: str, value: object, say: Words, extra: str = "", kind: str = "text") -> str:
    key, tag = field.rpartition(".")[2], f"persona-{field.replace('.', '-')}"
    return f"""<div class="field"><label for="{tag}">{escape(say(f"personas_{key}"))}</label>
<input id="{tag}" class="input" data-field="{field}" data-kind="{kind}" value="{attr(value)}" aria-describedby="problem-{field.replace(".", "-")}" {extra}>
{_hint(key, say)}{_problem(field)}</div>"""


def _hint(key: str, say: Words) -> str:
    text = say.sentences.get(f"personas_{key}_hint", "")
    return f"<small>{escape(text)}</small>" if text else ""


def _area(field: str, value: str, say: Words, *, rows: int, limit: int = 20_000, kind: str = "text") -> str:
    return f"""<div class="field"><label for="persona-{field}">{escape(say(f"personas_{field}"))}</label>
<textarea id="persona-{field}" class="input" rows="{rows}" maxlength="{limit}" data-field="{field}" data-kind="{kind}" aria-describedby="problem-{field}">
{escape(value)}</textarea>{_hint(field, say)}{_problem(field)}</div>"""


def _languages(say: Words) -> list[Option]:
    return [Option("", say("personas_language_any")), *(Option(x, say(f"personas_language_{x}")) for x in ("en", "es"))]


def _select(field: str, value: str, options: Sequence[Option], say: Words) -> str:
    shown = "".join(
        f'<option value="{attr(one.value)}"{" selected" if one.value == value else ""}>{escape(one.title)}</option>'
        for one in options
    )
    return f"""<div class="field"><label for="persona-{field}">{escape(say(f"personas_{field}"))}</label>
<select id="persona-{field}" class="input" data-field="{field}" data-kind="text">{shown}</select>{_hint(field, say)}{_problem(field)}</div>"""


def _model(value: str, offers: Offers, say: Words) -> str:
    """One that is not on the list stays what it is."""
    options = [Option("", say("personas_own_model")), *offers.models]
    if value and value not in {one.value for one in options}:
        options.append(Option(value, say("personas_not_listed", name=value)))
    return _select("model", value, options, say)


def _switch(field: str, on: bool, say: Words) -> str:
    return f"""<div class="field-switch"><button type="button" class="switch" role="switch" aria-checked="{str(on).lower()}" data-do="turn" data-field="{field}"
data-kind="yes" aria-labelledby="label-{field}"></button><div><strong id="label-{field}">{escape(say(f"personas_{field}"))}</strong><br>{_hint(field, say)}</div></div>"""


def example(value: Example | None, say: Words) -> str:
    asked, said = (value.user, value.assistant) if value else ("", "")
    moves = "".join(
        f'<button type="button" class="tool" data-do="{do}" aria-label="{attr(say(key))}" title="{attr(say(key))}">{icon(picture)}</button>'
        for do, key, picture in (
            ("rise", "personas_up", "chevron"),
            ("fall", "personas_down", "chevron"),
            ("drop", "personas_drop", "close"),
        )
    )
    return f"""<li class="persona-example"><div class="fields"><textarea class="input" rows="1" maxlength="8000" data-part="user" placeholder="{attr(say("personas_user"))}"
aria-label="{attr(say("personas_user"))}">
{escape(asked)}</textarea><textarea class="input" rows="2" maxlength="8000" data-part="assistant" placeholder="{attr(say("personas_assistant"))}"
aria-label="{attr(say("personas_assistant"))}">
{escape(said)}</textarea><small class="state bad" data-part="problem" hidden></small></div><div class="moves">{moves}</div></li>"""


def _examples(examples: Sequence[Example], say: Words) -> str:
    shown = "".join(example(one, say) for one in examples)
    return f"""<div class="field" data-field="examples" data-kind="examples"><span>{escape(say("personas_examples"))}</span>{_hint("examples", say)}
<ol class="persona-examples">{shown}</ol><template>{example(None, say)}</template>
<div><button type="button" class="button" data-do="more">{icon("plus")}<span>{escape(say("personas_more"))}</span></button></div>{_problem("examples")}</div>"""


def _settings(values: Inference, takes: Mapping[str, str], say: Words) -> str:
    fields = "".join(
        _line(
            f"settings.{name}",
            ""
            if getattr(values, name) is None
            else f"{getattr(values, name):g}"
            if isinstance(getattr(values, name), float)
            else getattr(values, name),
            say,
            f'inputmode="decimal" step="{step}" placeholder="{attr(say("personas_unsaid"))}" autocomplete="off"',
            "number",
        )
        for name, step in SETTINGS.items()
    )
    stops = chr(10).join(stop.replace("\\", "\\\\").replace("\n", "\\n") for stop in values.stop)
    stop = f"""<div class="field"><label for="persona-settings-stop">{escape(say("personas_stop"))}</label><textarea id="persona-settings-stop" class="input" rows="2"
data-field="settings.stop" data-kind="stops" aria-describedby="problem-settings-stop">
{escape(stops)}</textarea>{_hint("stop", say)}{_problem("settings.stop")}</div>"""
    opened = " open" if values.model_dump(exclude_defaults=True) else ""
    return f"""<details class="group"{opened}><summary>{escape(say("personas_settings"))}</summary>
<p class="muted">{escape(say("personas_settings_about"))}</p><div class="columns" data-part="takes" data-takes="{attr(_json(takes))}">{fields}{stop}</div></details>"""


def _json(takes: Mapping[str, str]) -> str:
    import json

    return json.dumps({name: reason for name, reason in takes.items() if reason}, ensure_ascii=False)


def _chosen(field: str, chosen: Sequence[Option] | None, offered: Sequence[Option], say: Words) -> str:
    """All of them, or only these; what is chosen and not here stays chosen."""
    mine = {one.value for one in chosen or ()}
    known = {one.value for one in offered}
    options = [
        *offered,
        *(Option(o.value, say("personas_not_listed", name=o.title)) for o in chosen or () if o.value not in known),
    ]
    boxes = "".join(
        f'<label class="check"><input type="checkbox" value="{attr(one.value)}" data-title="{attr(one.title)}"'
        f"{' checked' if one.value in mine else ''}><span>{escape(one.title)}</span></label>"
        for one in options
    )
    some, none = chosen is not None, f"<small>{escape(say(f'personas_{field}_none'))}</small>"
    radios = "".join(
        f'<label class="check"><input type="radio" name="which-{field}" value="{value}"{" checked" if on else ""}>'
        f"<span>{escape(say(f'personas_{field}_{value}'))}</span></label>"
        for value, on in (("all", not some), ("some", some))
    )
    return f"""<fieldset class="group-plain" data-field="{field}" data-kind="choice"><legend>{escape(say(f"personas_{field}"))}</legend>{radios}
<div class="checks" {"" if some else "hidden"}>{boxes or none}</div>{_problem(field)}</fieldset>"""


def _tuning(values: Persona, say: Words) -> str:
    told = f'<p class="muted">{escape(lineage(values.lineage, say))}</p>' if values.lineage else ""
    opened = " open" if values.adapter or values.template or values.lineage else ""
    return f"""<details class="group"{opened}><summary>{escape(say("personas_tuning"))}</summary>{told}
<div class="fields">{_line("adapter", values.adapter, say, 'maxlength="1000" spellcheck="false" autocomplete="off"')}
{_area("template", values.template, say, rows=3)}</div></details>"""
