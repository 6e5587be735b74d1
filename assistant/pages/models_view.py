"""In: cards of models, keys, next tokens. Out: the HTML of the models page. Pure; whatever others wrote is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from assistant.models.catalogue import Price
from assistant.models.catalogue.cards import ModelCard
from assistant.models.keys import PROVIDERS
from assistant.models.local.probabilities import Candidate, NextTokens
from assistant.pages import programs_view
from knowledge.pages.icons import icon
from knowledge.pages.wording import Words

GROUPS = ("here", "server", "hosted")
SLIDERS = {  # name → (least, most, step, at the beginning); the last value of top-k and of top-p means "off"
    "temperature": (0, 2, 0.05, 1),
    "top_k": (1, 51, 1, 51),
    "top_p": (0.05, 1, 0.01, 1),
}


@dataclass
class Trial:
    """A test as it goes."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    running: bool = True


def attr(text: object) -> str:
    return escape(str(text), quote=True)


def shell(say: Words) -> str:
    providers = "".join(f'<option value="{name}">{escape(say(f"models_key_{name}"))}</option>' for name in PROVIDERS)
    sliders = "".join(_slider(name, *limits, say) for name, limits in SLIDERS.items())
    return f"""<div class="page-inner"><header class="page-head">
<button class="tool only-narrow" data-do="sidebar" aria-label="{attr(say("menu"))}">{icon("sidebar")}</button>
<div><h1>{escape(say("page_models"))}</h1><p class="muted">{escape(say("models_about"))}</p></div></header>
<div data-region="list" aria-live="polite"></div>
<section aria-labelledby="models-add"><h2 id="models-add">{escape(say("models_add"))}</h2>
<p class="muted">{escape(say("models_add_about"))}</p>
<form class="models-line" data-do="look"><input class="input" data-part="address" autocomplete="off" spellcheck="false" maxlength="255" placeholder="http://127.0.0.1:8000/v1" aria-label="{attr(say("models_add"))}" aria-describedby="models-add-problem">
<button class="button primary">{escape(say("models_look"))}</button></form>
<p class="problem" id="models-add-problem" data-part="add-problem" role="alert" hidden></p><div data-region="found"></div></section>
<section aria-labelledby="models-keys"><h2 id="models-keys">{escape(say("models_keys"))}</h2>
<p class="muted">{escape(say("models_keys_about"))}</p><div data-region="keys"></div>
<form class="models-line" data-do="key" autocomplete="off"><select class="input" data-part="provider" aria-label="{attr(say("models_key_of"))}">{providers}<option value="address">{escape(say("models_key_address"))}</option></select>
<input class="input" data-part="key-address" hidden maxlength="255" spellcheck="false" placeholder="http://host:8000/v1" aria-label="{attr(say("models_key_address"))}">
<input class="input" type="password" data-part="secret" autocomplete="new-password" maxlength="8192" placeholder="{attr(say("models_key"))}" aria-label="{attr(say("models_key"))}">
<button class="button">{escape(say("models_key_keep"))}</button></form>
<p class="problem" data-part="key-problem" role="alert" hidden></p></section>
{programs_view.section(say)}
<details class="models-panel" data-part="panel"><summary><h2>{escape(say("models_next"))}</h2></summary>
<p class="muted">{escape(say("models_next_about"))}</p>
<label class="field"><span>{escape(say("models_next_text"))}</span><input class="input" data-part="text" maxlength="2000" value="{attr(say("models_next_example"))}"></label>
<div class="models-sliders">{sliders}</div><div data-region="bars" aria-live="polite"></div></details></div>"""


def _slider(name: str, least: float, most: float, step: float, start: float, say: Words) -> str:
    return f"""<div class="field"><label for="models-{name}">{escape(say(f"models_{name}"))} <output data-part="{name}-value"></output></label>
<input type="range" id="models-{name}" data-part="{name}" min="{least}" max="{most}" step="{step}" value="{start}">
<small>{escape(say(f"models_{name}_about"))}</small></div>"""


# ── cards ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def listing(cards: Sequence[ModelCard], trials: Mapping[str, Trial], fixed: bool, say: Words) -> str:
    """`fixed`: the settings name the app's model, so that none can be chosen here."""
    parts = [f'<p class="state fair">{escape(say("models_fixed"))}</p>'] if fixed else []
    for kind in GROUPS:
        if mine := [card for card in cards if card.kind == kind]:
            rows = "".join(_card(one, trials.get(one.name), fixed, say) for one in mine)
            parts.append(f'<h2>{escape(say(f"models_{kind}"))}</h2><ul class="cards">{rows}</ul>')
    return "".join(parts)


def _card(card: ModelCard, trial: Trial | None, fixed: bool, say: Words) -> str:
    subtitle = f"<small>{escape(card.name)}</small>" if card.title != card.name else ""
    return f"""<li class="card" data-key="{attr(card.name)}"><div class="card-words"><strong>{escape(card.title)}</strong>{subtitle}
<div class="tags">{"".join(_tags(card, say))}</div><small>{escape(card.guidance)}</small>{_state(card, say)}{_trial(card, trial, say)}</div>
<div class="card-tools">{"".join(_buttons(card, trial, fixed, say))}</div></li>"""


def _tags(card: ModelCard, say: Words) -> Iterator[str]:
    can = card.capabilities
    if card.default:
        yield _tag(say("models_in_use"), good=True)
    if card.origin in ("found", "offered"):
        yield _tag(say(f"models_{card.origin}"))
    known = say("models_tested") if can.source == "test" else can.source
    yield _tag(say("models_tools" if can.tools else "models_no_tools"), title=known, good=can.tools)
    yield _tag(say("models_streams" if can.streaming else "models_no_streaming"))
    if can.context:
        yield _tag(say("models_context", n=say.number(can.context)))
    if can.price:
        yield _tag(_price(can.price, say), title=can.price.source)
    elif card.kind == "hosted":
        yield _tag(say("models_no_price"), title=say("models_no_price_about"))
    if can.size:
        yield _tag(say("models_size", size=can.size), title=card.guidance)
    if can.ends:
        yield _tag(say("models_ends", date=can.ends))


def _price(price: Price, say: Words) -> str:
    read, write = (say.number(one, 2) for one in (price.input, price.output))
    return say("models_price", read=read, write=write, date=price.date)


def _tag(text: str, *, title: str = "", good: bool = False) -> str:
    return f'<span class="tag{" good" if good else ""}"{f" title={chr(34)}{attr(title)}{chr(34)}" if title else ""}>{escape(text)}</span>'


def _state(card: ModelCard, say: Words) -> str:
    state = card.state
    match state.stage:
        case "fetching":
            done, total = state.done // 10**6, state.total // 10**6
            words = escape(say("models_fetching", done=done, total=total))
            return f'<p class="state">{words} <progress value="{done}" max="{max(total, 1)}"></progress></p>'
        case "failed":
            return f'<p class="state bad">{escape(state.said(say.language))}</p>'
        case "absent":
            return f'<p class="state fair">{escape(say("models_absent"))}</p>'
        case _:
            return ""


def _trial(card: ModelCard, trial: Trial | None, say: Words) -> str:
    known = card.state.said(say.language) if card.state.stage == "failed" else ""  # the card says it already
    if trial is None:
        if not (at := str(card.facts.get("tested_at") or "")):
            return ""
        words = say("models_was_well" if card.facts.get("ok") else "models_was_not", date=at[:10])
        problem = card.facts.get("problem") or ""  # {"en", "es"}; of an earlier release a text
        told = problem.get(say.language, "") if isinstance(problem, Mapping) else str(problem)
        return "" if told and told == known else f"<small>{escape(words)} {escape(told)}</small>"
    rows = [(row["ok"], str(row["said"][say.language])) for row in trial.rows]
    lines = "".join(
        f'<li class="{"good" if ok else "fair"}">{icon("check" if ok else "info")}<span>{escape(told)}</span></li>'
        for ok, told in rows
        if told != known
    )
    waiting = f'<li class="muted">{escape(say("models_testing"))}</li>' if trial.running else ""
    return f'<ol class="models-trial">{lines}{waiting}</ol>' if lines or waiting else ""


def _buttons(card: ModelCard, trial: Trial | None, fixed: bool, say: Words) -> Iterator[str]:
    name, busy = attr(card.name), trial is not None and trial.running
    if card.state.stage == "absent":
        yield f'<button class="button" data-do="warm" data-name="{name}">{escape(say("models_fetch"))}</button>'
    if not card.default and not fixed:
        label = attr(say("models_use_of", name=card.title))
        yield f'<button class="button" data-do="use" data-name="{name}" aria-label="{label}">{escape(say("models_use"))}</button>'
    label = attr(say("models_test_of", name=card.title))
    yield f'<button class="button quiet" data-do="test" data-name="{name}" aria-label="{label}"{" disabled" if busy else ""}>{escape(say("models_test"))}</button>'
    if card.removable:
        label = attr(say("models_remove", name=card.title))
        yield f'<button class="tool" data-do="remove" data-name="{name}" aria-label="{label}" title="{label}">{icon("trash")}</button>'


def found(offered: Sequence[Mapping[str, Any]], known: frozenset[str], say: Words) -> str:
    """What a server has, each to be added; those that are on the list already say so."""
    if not offered:
        return f'<p class="muted">{escape(say("models_nothing_there"))}</p>'
    return f'<ul class="cards">{"".join(_offered(one, known, say) for one in offered)}</ul>'


def _offered(one: Mapping[str, Any], known: frozenset[str], say: Words) -> str:
    name = str(one["name"])
    context = f"<small>{escape(say('models_context', n=say.number(one['context'])))}</small>" if one["context"] else ""
    button = f'<button class="button" data-do="add" data-name="{attr(name)}">{escape(say("models_add_this"))}</button>'
    here = f'<span class="muted">{escape(say("models_is_added"))}</span>'
    return f"""<li class="card" data-key="f{attr(name)}"><div class="card-words"><strong>{escape(str(one["id"]))}</strong>{context}</div>
<div class="card-tools">{here if name in known else button}</div></li>"""


def keys(rows: Sequence[Mapping[str, str]], say: Words) -> str:
    if not rows:
        return f'<p class="muted">{escape(say("models_no_keys"))}</p>'
    return f'<ul class="cards">{"".join(_key(row, say) for row in rows)}</ul>'


def _key(row: Mapping[str, str], say: Words) -> str:
    name = row["provider"]
    title = say(f"models_key_{name}") if name in PROVIDERS else name
    variable = PROVIDERS.get(name, PROVIDERS["http"])
    source = (
        say("models_key_environment", variable=variable) if row["source"] == "environment" else say("models_key_page")
    )
    label = attr(say("models_key_forget", name=title))
    forget = f'<button class="tool" data-do="forget" data-provider="{attr(name)}" aria-label="{label}" title="{label}">{icon("trash")}</button>'
    return f"""<li class="card" data-key="k{attr(name)}"><div class="card-words"><strong>{escape(title)}</strong>
<small><code>{escape(row["masked"])}</code> · {escape(source)}</small></div>
<div class="card-tools">{forget if row["source"] == "page" else ""}</div></li>"""


# ── what would be written next ───────────────────────────────────────────────────────────────────────────────────────


def bars(next_: NextTokens, say: Words) -> str:
    most = max([one.before for one in next_.candidates] + [one.after for one in next_.candidates] + [1e-9])
    rows = "".join(_bar(one, most, say) for one in next_.candidates)
    others = say(
        "models_others", before=_percent(next_.others_before, say), after=_percent(next_.others_after, say),
        kept=say.number(next_.kept), vocabulary=say.number(next_.vocabulary),
    )  # fmt: skip
    legend = f'<p class="models-legend"><span class="before"></span>{escape(say("models_before"))} <span class="after"></span>{escape(say("models_after"))}</p>'
    took = say("models_took", model=next_.model, seconds=say.number(next_.seconds, 2))
    return f'{legend}<ol class="models-bars">{rows}</ol><p class="muted">{escape(others)} <small>{escape(took)}</small></p>'


def _bar(one: Candidate, most: float, say: Words) -> str:
    before, after = _percent(one.before, say), _percent(one.after, say)
    piece = one.piece.replace(" ", "␣").replace("\n", "⏎").replace("\t", "⇥") or "∅"
    cut = f'<span class="tag">{escape(say(f"models_cut_{one.cut}"))}</span>' if one.cut else f"<b>{escape(after)}</b>"
    return f"""<li data-key="t{one.token}"{"" if one.kept else ' class="cut"'}><code>{escape(piece)}</code>
<span class="models-track" aria-hidden="true"><i class="before" style="width:{100 * one.before / most:.2f}%"></i><i class="after" style="width:{100 * one.after / most:.2f}%"></i></span>
<span class="models-share"><span>{escape(before)}</span> → {cut}</span></li>"""


def _percent(share: float, say: Words) -> str:
    return f"{say.number(100 * share, 1)} %"
